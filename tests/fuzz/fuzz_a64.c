/*
 * A64 and everything behind it against hostile code: reserved encodings, nonsense in system registers, bad translation tables, at
 * every exception level. The input is a guest: byte 0 chooses the PE, byte 1 the level it starts in and the number of registers
 * that are set before the run, 4 bytes each, byte 2 how many descriptors are written into the tables, 4 bytes each; the rest is
 * code at the start of RAM. What must hold: no sanitizer report, no assert, no hang, and the same end when the run is asked for
 * in pieces, with caches dropped and in a fork, on one PE and on two.
 * seconds: 60
 */
#include "base/hash.h"
#include "base/rng.h"
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RAM       UINT64_C(0x40000000)
#define CODE      (RAM + 0x80000)
#define TABLES    (RAM + 0x40000) /* 16 pages */
#define CYCLES    3000u
#define CODE_MOST 4096u

static const char *const boards[] = {"virt-arm", "virt-arm,virtualization=on", "virt-arm,virtualization=on,secure=on",
                                     "virt-arm,secure=on"};
static const char *const cpus[] = {"max", "max,pa=52,vhe=off", "cortex-a53", "max,mte=off,pauth=off,lse=off"};
#define KINDS (ARRAY_LEN(boards) * ARRAY_LEN(cpus))

static const char *const regs[] = {
    "x0",
    "x1",
    "x2",
    "x5",
    "x10",
    "x30",
    "sp_el0",
    "sp_el1",
    "pstate",
    "sctlr_el1",
    "sctlr_el2",
    "sctlr_el3",
    "ttbr0_el1",
    "ttbr1_el1",
    "ttbr0_el2",
    "ttbr1_el2",
    "ttbr0_el3",
    "tcr_el1",
    "tcr_el2",
    "tcr_el3",
    "mair_el1",
    "mair_el2",
    "vttbr_el2",
    "vtcr_el2",
    "hcr_el2",
    "hcrx_el2",
    "scr_el3",
    "vbar_el1",
    "vbar_el2",
    "vbar_el3",
    "elr_el1",
    "elr_el2",
    "elr_el3",
    "spsr_el1",
    "spsr_el2",
    "spsr_el3",
    "cpacr_el1",
    "cptr_el2",
    "cptr_el3",
    "mdscr_el1",
    "mdcr_el2",
    "mdcr_el3",
    "hfgrtr_el2",
    "hfgitr_el2",
    "cntkctl_el1",
    "cnthctl_el2",
    "cntvoff_el2",
    "cntv_ctl_el0",
    "cntv_cval_el0",
    "cntp_ctl_el0",
    "dbgbcr0_el1",
    "dbgbvr0_el1",
    "dbgwcr0_el1",
    "dbgwvr0_el1",
    "pmcr_el0",
    "pmcntenset_el0",
    "pmevtyper0_el0",
    "pmevcntr0_el0",
    "pmintenset_el1",
    "gcr_el1",
    "rgsr_el1",
    "apiakeylo_el1",
    "fpcr",
};

static struct machine *base[KINDS][2];

static struct machine *base_of(unsigned kind, unsigned harts)
{
    struct machine **m = &base[kind][harts - 1];
    if (*m)
        return *m;
    char file[] = "/tmp/trapline-fuzz-XXXXXX";
    uint32_t loop = 0x14000000; /* b . */
    int fd = mkstemp(file);
    if (fd < 0 || write(fd, &loop, 4) != 4)
        abort();
    close(fd);
    struct machine_config c = {.board = boards[kind % ARRAY_LEN(boards)],
                               .cpu = cpus[kind / ARRAY_LEN(boards)],
                               .harts = harts,
                               .kernel = file,
                               .ram = 1 << 20,
                               .seed = 1,
                               .quantum = 100};
    struct err e;
    *m = machine_new(&c, &e);
    unlink(file);
    if (!*m) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    return *m;
}

/* A value from 3 bytes: near RAM's start, a table, a few bits somewhere, all but these. */
static uint64_t value_of(const uint8_t *p)
{
    uint64_t low = p[1] | (uint64_t)p[2] << 8;
    switch (p[0] >> 6) {
    case 0: return CODE + (low & 0xfff);
    case 1: return TABLES + ((uint64_t)(p[0] & 15) << 12) + (p[0] & 16 ? low << 48 : 0);
    case 2: return low << (p[0] & 63);
    default: return ~(low << (p[0] & 63));
    }
}

/* A descriptor from 4 bytes: where it goes, what it points to, its attributes. */
static void write_descriptor(struct machine *m, const uint8_t *p)
{
    uint64_t at = TABLES + ((uint64_t)(p[0] & 15) << 12) + 8 * (uint64_t)(p[1] & 63), pa;
    switch (p[0] >> 4 & 3) {
    case 0: pa = TABLES + ((uint64_t)(p[1] >> 6) << 12); break;
    case 1: pa = RAM; break;
    case 2: pa = 0; break;
    default: pa = (uint64_t)p[1] << 40; break;
    }
    uint64_t d = pa | (p[2] & 3) | (uint64_t)(p[2] >> 2) << 2 | (uint64_t)(p[3] & 15) << 8 | (uint64_t)(p[3] >> 4) << 51;
    machine_write(m, at, &d, 8);
}

static void set_up(struct machine *m, const uint8_t *data, size_t size)
{
    uint8_t head[3] = {0};
    memcpy(head, data, size < 3 ? size : 3);
    size_t at = 3;
    uint64_t v;
    if (machine_get_reg(m, 0, "pstate", &v)) /* a lower level, if there is one */
        for (unsigned h = 0; h < machine_harts(m); h++)
            machine_set_reg(m, h, "pstate", 0x3c0 | ((head[1] >> 6) << 2) | (head[1] >> 6 ? 1 : 0));
    for (unsigned i = 0; i < head[1] % 24 && at + 4 <= size; i++, at += 4)
        machine_set_reg(m, i % machine_harts(m), regs[data[at] % ARRAY_LEN(regs)], value_of(data + at + 1));
    for (unsigned i = 0; i < head[2] % 48 && at + 4 <= size; i++, at += 4)
        write_descriptor(m, data + at);
    size_t code = size > at ? size - at : 0;
    if (code > CODE_MOST)
        code = CODE_MOST;
    if (code && !machine_write(m, CODE, data + at, code))
        abort();
    for (unsigned h = 0; h < machine_harts(m); h++) {
        machine_progress(m, h)->parked = 0;
        machine_set_reg(m, h, "pc", CODE);
    }
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
            fprintf(stderr, "kind %u, %u PEs: another end in pieces, at cycles %llu and %llu\n", kind, harts,
                    (unsigned long long)machine_cycle(a), (unsigned long long)machine_cycle(b));
            abort();
        }
        machine_free(a);
        machine_free(b);
    }
    return 0;
}
