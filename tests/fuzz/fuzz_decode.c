/*
 * The decoder and everything behind it against hostile code. The input is a guest: byte 0 chooses the hart (XLEN, how many), byte
 * 1 the number of registers and CSRs that are set before the run, 4 bytes each; the rest is code at the start of RAM. What must
 * hold: no sanitizer report, no assert, no hang, and the same end when the run is asked for in pieces, with caches dropped and in
 * a fork.
 * seconds: 60
 */
#include "base/hash.h"
#include "base/rng.h"
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RAM       UINT64_C(0x80000000)
#define TABLES    (RAM + 0x10000)
#define CYCLES    3000u
#define CODE_MOST 4096u

static const char *const cpus[] = {
    "rv64", "rv32", "rv64,misaligned=off,c=off,zicfiss=off", "rv64,smrnmi=on,smdbltrp=on", "rv32,h=off", "rv64,svade=off,pmp=16"};
#define KINDS ARRAY_LEN(cpus)

/* What initial values may go to. The rest of the state is as after a reset. */
static const char *const regs[] = {
    "x1",         "x2",         "x5",        "x8",         "x10",           "x11",       "x15",      "x31",
    "f1",         "f8",         "mstatus",   "mstatush",   "mtvec",         "mscratch",  "mepc",     "mcause",
    "medeleg",    "mideleg",    "mie",       "mip",        "mcounteren",    "menvcfg",   "menvcfgh", "mseccfg",
    "mstateen0",  "pmpcfg0",    "pmpaddr0",  "pmpaddr1",   "satp",          "stvec",     "sepc",     "senvcfg",
    "scounteren", "stimecmp",   "hstatus",   "hedeleg",    "hideleg",       "hvip",      "hie",      "hgatp",
    "henvcfg",    "hcounteren", "hstateen0", "vsstatus",   "vsie",          "vstvec",    "vsepc",    "vsatp",
    "vstimecmp",  "ssp",        "fcsr",      "mhpmevent3", "mcountinhibit", "mcyclecfg", "priv",     "v",
};

static struct machine *base[KINDS][2];

/* Machines that inputs are forks of: one page-table page maps the first gigabytes to themselves. */
static struct machine *base_of(unsigned kind, unsigned harts)
{
    struct machine **m = &base[kind][harts - 1];
    if (*m)
        return *m;
    char file[] = "/tmp/trapline-fuzz-XXXXXX";
    uint32_t loop = 0x0000006f; /* j . */
    int fd = mkstemp(file);
    if (fd < 0 || write(fd, &loop, 4) != 4)
        abort();
    close(fd);
    struct machine_config c = {
        .cpu = cpus[kind], .harts = harts, .bios = "none", .kernel = file, .ram = 1 << 20, .seed = 1, .quantum = 100};
    struct err e;
    *m = machine_new(&c, &e);
    unlink(file);
    if (!*m) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t pte = (i << 28) | 0xcf;
        if (!machine_write(*m, TABLES + 8 * i, &pte, 8))
            abort();
    }
    return *m;
}

/* A value from 3 bytes: near RAM's start, a table, a mode of translation, a number, shifted to anywhere. */
static uint64_t value_of(const uint8_t *p)
{
    uint64_t low = p[1] | (uint64_t)p[2] << 8;
    switch (p[0] >> 6) {
    case 0: return RAM + low;
    case 1:
        return (uint64_t)(8 + (p[0] & 3)) << 60 | (p[0] & 4 ? UINT64_C(1) << 31 : 0) | (TABLES >> 12) |
               (p[0] & 8 ? low << 44 : 0);
    case 2: return low << (p[0] & 63);
    default: return ~(low << (p[0] & 63));
    }
}

static void set_up(struct machine *m, const uint8_t *data, size_t size)
{
    size_t n = size > 1 ? data[1] % 24 : 0, at = 2;
    for (size_t i = 0; i < n && at + 4 <= size; i++, at += 4)
        machine_set_reg(m, (unsigned)i % machine_harts(m), regs[data[at] % ARRAY_LEN(regs)], value_of(data + at + 1));
    size_t code = size > at ? size - at : 0;
    if (code > CODE_MOST)
        code = CODE_MOST;
    if (code && !machine_write(m, RAM, data + at, code))
        abort();
    for (unsigned h = 0; h < machine_harts(m); h++)
        machine_set_reg(m, h, "pc", RAM);
}

/* The machine at cycle `end`, or where it ended by itself. */
static bool run_to(struct machine *m, uint64_t end)
{
    while (machine_cycle(m) < end) {
        enum machine_stop why = machine_run(m, end - machine_cycle(m));
        if (why != MACHINE_CYCLES)
            return false;
    }
    return true;
}

static struct machine *in_pieces(struct machine *m, uint64_t seed)
{
    uint64_t end = machine_cycle(m) + CYCLES;
    for (bool on = true; on && machine_cycle(m) < end;) {
        uint64_t to = machine_cycle(m) + 1 + rng_below(&seed, rng_below(&seed, 3) ? 400 : 5);
        on = run_to(m, to < end ? to : end);
        uint64_t what = rng_below(&seed, 12);
        if (what == 0) {
            engine_drop(&m->engine);
            machine_refresh(m);
        } else if (what == 1) {
            struct machine *f = machine_fork(m);
            machine_free(m);
            m = f;
        }
    }
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned kind = size ? data[0] % KINDS : 0;
    for (unsigned harts = 1; harts <= 2; harts++) {
        struct machine *a = machine_fork(base_of(kind, harts)), *b = machine_fork(base_of(kind, harts));
        set_up(a, data, size);
        set_up(b, data, size);
        run_to(a, machine_cycle(a) + CYCLES);
        b = in_pieces(b, hash_bytes(data, size));
        if (machine_cycle(a) != machine_cycle(b) || machine_digest(a) != machine_digest(b)) {
            fprintf(stderr, "%s, %u harts: another end in pieces, at cycles %llu and %llu\n", cpus[kind], harts,
                    (unsigned long long)machine_cycle(a), (unsigned long long)machine_cycle(b));
            abort();
        }
        machine_free(a);
        machine_free(b);
    }
    return 0;
}
