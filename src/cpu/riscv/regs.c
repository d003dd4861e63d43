/* Registers by name, for debuggers and the public API. */
#include "cpu/riscv/arch.h"

#include <stdlib.h>
#include <string.h>

/* Names of the calling convention (riscv-elf-psabi, "Register Convention"), in the order of the numbers. */
const char *const rv_abi_x[32] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
const char *const rv_abi_f[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

/* The number in "x12", or -1. */
static int numbered(const char *name, char letter)
{
    if (name[0] != letter || name[1] < '0' || name[1] > '9' || (name[1] == '0' && name[2]))
        return -1;
    char *end;
    unsigned long n = strtoul(name + 1, &end, 10);
    return *end || n > 31 ? -1 : (int)n;
}

static int find(const char *name, char letter, const char *const abi[32])
{
    for (int i = 0; i < 32; i++)
        if (!strcmp(name, abi[i]))
            return i;
    return numbered(name, letter);
}

int rv_find_x(const char *name) { return !strcmp(name, "fp") ? 8 : find(name, 'x', rv_abi_x); }
int rv_find_f(const char *name) { return find(name, 'f', rv_abi_f); }

/* Values are kept sign-extended; people see XLEN bits. */
static uint64_t narrow(const struct hart *h, uint64_t v) { return h->cfg->xlen == 32 ? (uint32_t)v : v; }
static uint64_t widen(const struct hart *h, uint64_t v) { return h->cfg->xlen == 32 ? (uint64_t)(int64_t)(int32_t)v : v; }

/* The number of the CSR called name, "mhpmcounter7" included, or -1 if this hart has none. */
static int find_csr(const struct hart *h, const char *name)
{
    int num = csr_num_by_name(name);
    return num >= 0 && csr_exists(h->map, (unsigned)num) ? num : -1;
}

/* A debugger's view: M-mode's, whatever the hart is doing. */
static struct csr_ctx m_view(struct hart *h)
{
    struct csr_ctx c = h->csr;
    c.priv = RV_M;
    c.v = 0;
    return c;
}

/* State that is no register of the architecture but tells the mode. */
static uint8_t *mode_byte(struct hart *h, const char *name)
{
    return !strcmp(name, "priv") ? &h->s.priv : !strcmp(name, "v") ? &h->s.v : NULL;
}

bool hart_get_reg(struct cpu *cpu, const char *name, uint64_t *value)
{
    struct hart *h = (struct hart *)cpu;
    int n;
    const uint8_t *mode = mode_byte(h, name);
    if (!strcmp(name, "pc")) {
        *value = narrow(h, h->s.pc);
    } else if ((n = rv_find_x(name)) >= 0) {
        *value = narrow(h, h->s.x[n]);
    } else if ((n = rv_find_f(name)) >= 0) {
        *value = h->s.f[n];
    } else if (mode) {
        *value = *mode;
    } else if ((n = find_csr(h, name)) >= 0) {
        struct csr_ctx c = m_view(h);
        uint64_t seed = h->s.seed;
        *value = csr_read(&c, (unsigned)n);
        h->s.seed = seed; /* a look at CSR seed takes no entropy */
    } else {
        return false;
    }
    return true;
}

bool hart_set_reg(struct cpu *cpu, const char *name, uint64_t value)
{
    struct hart *h = (struct hart *)cpu;
    int n;
    uint8_t *mode = mode_byte(h, name);
    if (!strcmp(name, "pc")) {
        h->s.pc = narrow(h, value) & ~UINT64_C(1);
    } else if ((n = rv_find_x(name)) >= 0) {
        if (n)
            h->s.x[n] = widen(h, value);
    } else if ((n = rv_find_f(name)) >= 0) {
        h->s.f[n] = value;
    } else if (mode) {
        uint8_t priv = mode == &h->s.priv ? (uint8_t)value : h->s.priv, v = mode == &h->s.v ? (uint8_t)value : h->s.v;
        if (value > 3 || priv == 2 || v > 1 || (v && priv == RV_M))
            return false;
        *mode = (uint8_t)value;
    } else if ((n = find_csr(h, name)) >= 0) {
        struct csr_ctx c = m_view(h);
        if (csr_write(&c, (unsigned)n, value) & CSR_FX_COUNT)
            counters_sync(h); /* what was counted until now stays counted */
        engine_flush(cpu->engine);
    } else {
        return false;
    }
    hart_refresh(h);
    return true;
}
