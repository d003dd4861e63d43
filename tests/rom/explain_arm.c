#include "explain_arm.h"
#include "base/bits.h"
#include "base/rng.h"
#include "cpu/arm/pe.h"
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S1_ROOT UINT64_C(0x40100000)
#define S2_ROOT UINT64_C(0x40110000)
#define FRAMES  UINT64_C(0x40400000)
#define HOLE    UINT64_C(0x38000000)
#define SERIAL  UINT64_C(0x09000000)

void a64_set(struct machine *m, const char *name, uint64_t v)
{
    if (!machine_set_reg(m, 0, name, v)) {
        fprintf(stderr, "no register %s, or no such value 0x%llx\n", name, (unsigned long long)v);
        abort();
    }
}

uint64_t a64_get(struct machine *m, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, 0, name, &v);
    return v;
}

/* ---- tables
 * ---------------------------------------------------------------------------------------------------------------------- */

static void put(struct machine *m, uint64_t table, unsigned i, uint64_t d) { machine_write(m, table + 8 * i, &d, 8); }

enum { AF = 1 << 10, AP_EL0 = 1 << 6, AP_RO = 1 << 7, ATTR_DEVICE = 1 << 2, PAGE = 3 };
#define XN (UINT64_C(3) << 53)

static uint64_t stage1(unsigned k)
{
    uint64_t frame = FRAMES + (uint64_t)k * 4096;
    switch (k) {
    case A64_INVALID: return frame | AF;
    case A64_RW: return frame | AF | PAGE;
    case A64_RW_EL0: return frame | AF | PAGE | AP_EL0;
    case A64_RO: return frame | AF | PAGE | AP_RO;
    case A64_RO_EL0: return frame | AF | PAGE | AP_RO | AP_EL0;
    case A64_NO_AF: return frame | PAGE | AP_EL0;
    case A64_DEVICE: return frame | AF | PAGE | AP_EL0 | ATTR_DEVICE;
    case A64_HOLE: return HOLE | AF | PAGE | AP_EL0;
    case A64_SERIAL: return SERIAL | AF | PAGE | AP_EL0 | ATTR_DEVICE;
    case A64_NO_X: return frame | AF | PAGE | AP_EL0 | XN;
    default: return frame | AF | 1;
    }
}

static uint64_t stage2(unsigned k)
{
    uint64_t frame = FRAMES + (uint64_t)k * 4096, normal = 15 << 2, read = 1 << 6, write = 1 << 7;
    switch (k) {
    case A64_INVALID: return frame | AF;
    case A64_RW: return frame | AF | PAGE | normal | read;
    case A64_RO: return frame | AF | PAGE | normal | write;
    case A64_RO_EL0: return frame | AF | PAGE | normal;
    case A64_NO_AF: return frame | PAGE | normal | read | write;
    case A64_DEVICE: return frame | AF | PAGE | read | write;
    case A64_HOLE: return HOLE | AF | PAGE | normal | read | write;
    case A64_SERIAL: return SERIAL | AF | PAGE | read | write;
    case A64_NO_X: return frame | AF | PAGE | normal | read | write | UINT64_C(2) << 53;
    case A64_BLOCK: return frame | AF | 1 | normal | read | write;
    default: return frame | AF | PAGE | normal | read | write;
    }
}

static void tree(struct machine *m, uint64_t root, bool two)
{
    uint64_t l2 = root + 0x1000, l3 = root + 0x2000;
    put(m, root, 1, UINT64_C(0x40000000) | AF | 1 | (two ? 15 << 2 | 3 << 6 : AP_RO | AP_EL0));
    put(m, root, 2, l2 | PAGE);
    put(m, l2, 0, l3 | PAGE);
    for (unsigned k = 0; k < A64_PAGES; k++) {
        put(m, l3, k, two ? stage2(k) : stage1(k));
        put(m, l3, k + A64_S2, (A64_DATA + (uint64_t)k * 4096) | AF | PAGE | AP_EL0 | (two ? 15 << 2 | 3 << 6 : 0));
    }
}

struct machine *a64_world(bool secure)
{
    static const uint32_t code[] = {0xd503201f, 0x14000000};
    char name[64];
    struct err e;
    snprintf(name, sizeof name, "/tmp/trapline-a64-%ld-XXXXXX", (long)getpid());
    int fd = mkstemp(name);
    if (fd < 0 || write(fd, code, sizeof code) != sizeof code)
        abort();
    close(fd);
    struct machine *m = machine_new(
        &(struct machine_config){.board = secure ? "virt-arm,secure=on,virtualization=on" : "virt-arm,virtualization=on",
                                 .kernel = name,
                                 .bios = "none",
                                 .ram = 64 << 20},
        &e);
    unlink(name);
    if (!m) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    tree(m, S1_ROOT, false);
    tree(m, S2_ROOT, true);
    return m;
}

/* ---- states
 * ------------------------------------------------------------------------------------------------------------------------ */

/* Where the registers exist. */
static void set_if(struct machine *m, const char *name, uint64_t v) { machine_set_reg(m, 0, name, v); }

void a64_place(struct machine *m, unsigned el, uint32_t insn)
{
    static const char *const sctlr[] = {"sctlr_el1", "sctlr_el2", "sctlr_el3"};
    machine_write(m, A64_CODE, &insn, 4);
    set_if(m, "scr_el3", 1 | UINT64_C(3) << 16 | 1 << 8 | 1 << 10); /* NS, APK, API, HCE, RW */
    a64_set(m, "hcr_el2", UINT64_C(1) << 31 | UINT64_C(3) << 40);   /* RW, APK, API */
    for (unsigned i = 0; i < 3; i++)
        set_if(m, sctlr[i], 0x30d00800 | 1 << 16 | 1 << 18 | 1 << 14 | 1 << 15 | 1 << 26);
    a64_set(m, "cpacr_el1", 3 << 20);
    a64_set(m, "cptr_el2", 0x33ff);
    set_if(m, "cptr_el3", 0);
    a64_set(m, "vbar_el1", UINT64_C(0x40008000));
    a64_set(m, "vbar_el2", UINT64_C(0x40009000));
    set_if(m, "vbar_el3", UINT64_C(0x4000a000));
    a64_set(m, "pstate", (uint64_t)el << 2 | (el ? 1 : 0) | 0x3c0);
    a64_set(m, "pc", A64_CODE);
    a64_set(m, "x0", A64_DATA + A64_RW_EL0 * 4096);
    a64_set(m, "sp", A64_DATA + A64_RW_EL0 * 4096 + 0x800);
}

void a64_paging(struct machine *m, unsigned stages)
{
    static const char *const sctlr[] = {"sctlr_el1", "sctlr_el2", "sctlr_el3"},
                             *const ttbr[] = {"ttbr0_el1", "ttbr0_el2", "ttbr0_el3"},
                             *const mair[] = {"mair_el1", "mair_el2", "mair_el3"};
    set_if(m, "tcr_el1", 25 | 25 << 16 | UINT64_C(2) << 32 | 1 << 23 | UINT64_C(2) << 30);
    set_if(m, "tcr_el2", 25 | 2 << 16 | UINT64_C(2) << 32);
    set_if(m, "tcr_el3", 25 | 2 << 16);
    for (unsigned i = 0; i < 3; i++) {
        set_if(m, ttbr[i], S1_ROOT);
        set_if(m, mair[i], 0xff);
        if (stages & 1)
            set_if(m, sctlr[i], a64_get(m, sctlr[i]) | 1);
    }
    set_if(m, "vtcr_el2", 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31);
    set_if(m, "vttbr_el2", S2_ROOT);
    if (stages & 2)
        a64_set(m, "hcr_el2", a64_get(m, "hcr_el2") | 1);
}

void a64_models(struct machine *m, uint64_t *rng)
{
    static const char *const any[] = {"s2pir_el2", "s2por_el1", "pir_el1",   "pire0_el1", "por_el1",
                                      "por_el0",   "pir_el2",   "pire0_el2", "por_el2"};
    const uint64_t one = 1, controls = one << 34 | one << 35 | one << 36 | one << 37 | one << 41 | one << 44 | 3 << 21;
    /* AF, NS and PXN or XN, DBM, the indices of overlays, Protected, AssuredOnly */
    const uint64_t bits = one << 10 | one << 51 | one << 52 | one << 53 | one << 54 | one << 58 | UINT64_C(15) << 59;
    for (unsigned i = 0; i < ARRAY_LEN(any); i++)
        set_if(m, any[i], rng_next(rng) | rng_next(rng));
    set_if(m, "mair2_el1", 0xff);
    set_if(m, "mair2_el2", 0xff);
    set_if(m, "scr_el3", a64_get(m, "scr_el3") | one << 38 | one << 43);
    set_if(m, "hcrx_el2", one << 14);
    set_if(m, "tcr2_el1", rng_next(rng) & rng_next(rng) & 0x81f);
    set_if(m, "tcr2_el2", rng_next(rng) & rng_next(rng) & 0x81f);
    set_if(m, "tcr_el1", a64_get(m, "tcr_el1") | (rng_next(rng) & UINT64_C(3) << 39));
    const uint64_t top = one << 35 | one << 41; /* TL0, TL1: seldom, for they leave little behind them */
    set_if(m, "vtcr_el2",
           a64_get(m, "vtcr_el2") | (rng_next(rng) & controls & ~top) | (rng_next(rng) & rng_next(rng) & rng_next(rng) & top));
    uint64_t block; /* what the code is in */
    machine_read(m, S2_ROOT + 8, &block, sizeof block);
    put(m, S2_ROOT, 1, block | (rng_next(rng) % 4 ? 0 : one << 58));
    for (unsigned two = 0; two < 2; two++)
        for (unsigned k = 0; k < A64_S2 + A64_PAGES; k++) {
            uint64_t at = (two ? S2_ROOT : S1_ROOT) + 0x2000, desc;
            machine_read(m, at + 8 * k, &desc, sizeof desc);
            put(m, at, k, desc ^ (rng_next(rng) & rng_next(rng) & rng_next(rng) & bits));
        }
}

void a64_serror(struct machine *m)
{
    struct pe *p = (struct pe *)(void *)machine_hart(m, 0);
    p->s.serror = 1;
    p->s.serror_iss = 0x2;
}

void a64_line(struct machine *m, unsigned line)
{
    struct err e;
    if (!machine_inject(m, &(struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_RAISE, .line = line}, &e))
        abort();
}

/* ---- events
 * -------------------------------------------------------------------------------------------------------------------------- */

static void unmask(struct machine *m) { a64_set(m, "pstate", a64_get(m, "pstate") & ~UINT64_C(0x3c0)); }
static void hcr(struct machine *m, uint64_t bits) { a64_set(m, "hcr_el2", a64_get(m, "hcr_el2") | bits); }

static void irq(struct machine *m, unsigned el)
{
    (void)el;
    unmask(m);
    a64_line(m, 0);
}
static void fiq(struct machine *m, unsigned el)
{
    (void)el;
    unmask(m);
    a64_line(m, 1);
}
static void serror(struct machine *m, unsigned el)
{
    (void)el;
    unmask(m);
    a64_serror(m);
}
static void virq(struct machine *m, unsigned el)
{
    (void)el;
    unmask(m);
    hcr(m, 1 << 4 | 1 << 7);
}
static void vfiq(struct machine *m, unsigned el)
{
    (void)el;
    unmask(m);
    hcr(m, 1 << 3 | 1 << 6);
}
static void vserror(struct machine *m, unsigned el)
{
    (void)el;
    unmask(m);
    hcr(m, 1 << 5 | 1 << 8);
}
static void masked_irq(struct machine *m, unsigned el)
{
    (void)el;
    a64_line(m, 0);
}
/* An overflow of the cycle counter asks for an exception, to EL2 where there is one: from every level below EL3. */
static void profiling(struct machine *m, unsigned el)
{
    set_if(m, "mdcr_el3", UINT64_C(1) << 40);
    a64_set(m, "mdcr_el2", a64_get(m, "mdcr_el2") | UINT64_C(3) << 40);
    a64_set(m, "pmecr_el1", 7);
    a64_set(m, "pmcr_el0", 1);
    a64_set(m, "pmintenset_el1", UINT64_C(1) << 31);
    a64_set(m, "pmovsset_el0", UINT64_C(1) << 31);
    (void)el;
}
static void profiling_to_el1(struct machine *m, unsigned el)
{
    profiling(m, el);
    a64_set(m, "mdcr_el2", (a64_get(m, "mdcr_el2") & ~(UINT64_C(3) << 40)) | UINT64_C(1) << 40);
}
static void profiling_masked(struct machine *m, unsigned el)
{
    profiling_to_el1(m, el);
    a64_set(m, "pstate", a64_get(m, "pstate") | UINT64_C(1) << 32);
}
static void profiling_synchronous(struct machine *m, unsigned el)
{
    profiling_to_el1(m, el);
    a64_set(m, "pmovsclr_el0", UINT64_C(1) << 31);
    a64_set(m, "pmiar_el1", A64_CODE - 4);
    a64_set(m, "pstate", a64_get(m, "pstate") | UINT64_C(1) << 33);
}
static void return_pending(struct machine *m, unsigned el)
{
    static const char *const spsr[] = {"spsr_el1", "spsr_el2", "spsr_el3"};
    profiling_to_el1(m, el);
    a64_set(m, "pmovsclr_el0", UINT64_C(1) << 31);
    a64_set(m, "pstate", a64_get(m, "pstate") | UINT64_C(1) << 32);
    for (unsigned i = 0; i < 3; i++)
        set_if(m, spsr[i], UINT64_C(1) << 33 | 0x3c0 | 1 << 2 | 1);
}
static void illegal_state(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "pstate", a64_get(m, "pstate") | 1 << 20);
}
static void pc_misaligned(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "pc", A64_CODE + 2);
}
/* Bits of SCTLR of every level. */
static void sctlr(struct machine *m, uint64_t set, uint64_t clear)
{
    static const char *const name[] = {"sctlr_el1", "sctlr_el2", "sctlr_el3"};
    for (unsigned i = 0; i < 3; i++)
        set_if(m, name[i], (a64_get(m, name[i]) | set) & ~clear);
}
static void sp_misaligned(struct machine *m, unsigned el)
{
    (void)el;
    sctlr(m, 1 << 3 | 1 << 4, 0); /* SA, SA0 */
    a64_set(m, "sp", A64_DATA + 8);
}
static void fetch_hole(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "pc", HOLE);
}
static void hole(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "x0", HOLE + 16);
}
static void unaligned_device(struct machine *m, unsigned el)
{
    (void)el;
    a64_paging(m, 1);
    a64_set(m, "x0", A64_DATA + A64_DEVICE * 4096 + 1);
}
/* Across 16 aligned bytes, which FEAT_LSE2 does not permit either. */
static void unaligned(struct machine *m, unsigned el)
{
    (void)el;
    a64_paging(m, 1);
    a64_set(m, "x0", A64_DATA + A64_RW_EL0 * 4096 + 13);
}
static void page(struct machine *m, unsigned stages, unsigned k)
{
    a64_paging(m, stages);
    a64_set(m, "x0", A64_DATA + (uint64_t)k * 4096 + 32);
}
static void s1_invalid(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 1, A64_INVALID);
}
static void s1_el1_only(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 1, A64_RW);
}
static void s1_read_only(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 1, A64_RO_EL0);
}
static void s1_no_af(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 1, A64_NO_AF);
}
static void s2_invalid(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 3, A64_S2 + A64_INVALID);
}
static void s2_read_only(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 3, A64_S2 + A64_RW);
}
/* A table of stage 1 where stage 2 does not let it be read, or where nothing is. */
static void s2_table_of_data(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 3, A64_RW_EL0);
    put(m, S1_ROOT, 2, (A64_DATA + A64_RO_EL0 * 4096) | PAGE);
}
static void s1_table_hole(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 1, A64_RW_EL0);
    put(m, S1_ROOT, 2, HOLE | PAGE);
}
static void s2_table_hole(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 3, A64_S2 + A64_RW_EL0);
    put(m, S2_ROOT, 2, HOLE | PAGE);
}
/* Stage 2 of a table of stage 1. */
static void s2_table(struct machine *m, unsigned el)
{
    (void)el;
    page(m, 3, A64_RW_EL0);
    a64_set(m, "ttbr0_el1", A64_DATA + A64_RO_EL0 * 4096);
}
static void fetch_page(struct machine *m, unsigned el)
{
    (void)el;
    a64_paging(m, 1);
    a64_set(m, "pc", A64_DATA + A64_NO_X * 4096);
}
static void fetch_s2(struct machine *m, unsigned el)
{
    a64_paging(m, el == 1 ? 2 : 3); /* what EL0 may write is not executable at EL1 */
    a64_set(m, "pc", A64_DATA + (el == 1 ? 0 : A64_S2 * 4096) + A64_INVALID * 4096);
}

/* Traps of every level at once: the lowest that is asked gets it. */
static void trap_waiting(struct machine *m, unsigned el)
{
    (void)el;
    sctlr(m, 0, 1 << 16 | 1 << 18);                        /* nTWI, nTWE */
    hcr(m, 3 << 13);                                       /* TWI, TWE */
    set_if(m, "scr_el3", a64_get(m, "scr_el3") | 3 << 12); /* the same */
    a64_set(m, "x3", UINT64_MAX);                          /* the end of WFIT */
}
static void trap_fp(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "cpacr_el1", 0);
    a64_set(m, "cptr_el2", (a64_get(m, "cptr_el2") | 1 << 10) & ~(UINT64_C(3) << 20));
    set_if(m, "cptr_el3", 1 << 10);
}
static void trap_memory(struct machine *m, unsigned el)
{
    (void)el;
    hcr(m, 1 << 25 | 1 << 26 | 1 << 30 | 1 << 23 | 1 << 17); /* TTLB, TVM, TRVM, TPCP, TID2 */
    sctlr(m, 0, 1 << 15 | 1 << 26);                          /* UCT, UCI */
}
/* FEAT_CMOW: pages that may be read only, at EL0 and in stage 2. */
static void write_asked(struct machine *m, unsigned el)
{
    s1_read_only(m, el);
    sctlr(m, UINT64_C(1) << 26 | UINT64_C(1) << 32, 0); /* UCI, CMOW */
}
static void write_asked_of_stage2(struct machine *m, unsigned el)
{
    s2_read_only(m, el);
    sctlr(m, 1 << 26, 0);
    set_if(m, "scr_el3", a64_get(m, "scr_el3") | UINT64_C(1) << 38); /* HXEn */
    set_if(m, "hcrx_el2", 1 << 9);                                   /* CMOW */
}
static void trap_smc(struct machine *m, unsigned el)
{
    (void)el;
    hcr(m, 1 << 19);
}
static void trap_fine(struct machine *m, unsigned el)
{
    (void)el;
    set_if(m, "scr_el3", a64_get(m, "scr_el3") | 1 << 27);
    a64_set(m, "hfgitr_el2", UINT64_C(7) << 51); /* ERET, SVC_EL0, SVC_EL1 */
    a64_set(m, "hfgrtr_el2", 1);                 /* AFSR0_EL1 */
    a64_set(m, "hfgwtr_el2", UINT64_C(1) << 36); /* TTBR0_EL1 */
}
/* Two controls that each refuse it: neither of them alone decides. */
static void trap_twice(struct machine *m, unsigned el)
{
    trap_memory(m, el);
    trap_fine(m, el);
}
static void trap_counters(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "mdcr_el2", a64_get(m, "mdcr_el2") | 1 << 6); /* TPM */
    set_if(m, "mdcr_el3", a64_get(m, "mdcr_el3") | 1 << 6);  /* TPM */
}
static void trap_debug(struct machine *m, unsigned el)
{
    (void)el;
    a64_set(m, "mdcr_el2", a64_get(m, "mdcr_el2") | 1 << 8); /* TDE */
}
static void trap_implementation_defined(struct machine *m, unsigned el)
{
    (void)el;
    hcr(m, 1 << 20); /* TIDCP */
}
static void trap_pauth(struct machine *m, unsigned el)
{
    (void)el;
    sctlr(m, UINT64_C(1) << 31, 0); /* EnIA */
    a64_set(m, "hcr_el2", a64_get(m, "hcr_el2") & ~(UINT64_C(3) << 40));
    set_if(m, "scr_el3", a64_get(m, "scr_el3") & ~(UINT64_C(3) << 16));
}
static void wrong_code(struct machine *m, unsigned el)
{
    (void)el;
    sctlr(m, UINT64_C(1) << 31, 0);
    a64_set(m, "x0", UINT64_C(0x0012000040001000));
}
static void guarded(struct machine *m, unsigned el)
{
    (void)el;
    a64_paging(m, 1);
    put(m, S1_ROOT, 1, UINT64_C(0x40000000) | AF | 1 | AP_RO | AP_EL0 | UINT64_C(1) << 50);
    a64_set(m, "pstate", a64_get(m, "pstate") | 2 << 10);
}
static void wrong_tag(struct machine *m, unsigned el)
{
    static const char *const mair[] = {"mair_el1", "mair_el2", "mair_el3"};
    (void)el;
    a64_paging(m, 1);
    for (unsigned i = 0; i < 3; i++)
        set_if(m, mair[i], 0xf0); /* Tagged Normal memory */
    sctlr(m, UINT64_C(3) << 42 | UINT64_C(1) << 40 | UINT64_C(1) << 38, 0);
    hcr(m, UINT64_C(1) << 56);
    set_if(m, "scr_el3", a64_get(m, "scr_el3") | 1 << 26);
    a64_set(m, "tcr_el1", a64_get(m, "tcr_el1") | UINT64_C(1) << 37); /* TBI0 */
    a64_set(m, "tcr_el2", a64_get(m, "tcr_el2") | UINT64_C(1) << 37 | 1 << 20);
    set_if(m, "tcr_el3", a64_get(m, "tcr_el3") | 1 << 20);
    a64_set(m, "x0", (A64_DATA + A64_RW_EL0 * 4096 + 32) | UINT64_C(5) << 56);
}
static void debug_on(struct machine *m, uint64_t mdscr)
{
    a64_set(m, "oslar_el1", 0);
    a64_set(m, "mdscr_el1", mdscr | 1 << 13); /* KDE */
    a64_set(m, "pstate", a64_get(m, "pstate") & ~UINT64_C(0x200));
}
static void software_step(struct machine *m, unsigned el)
{
    if (el == 2)
        trap_debug(m, el);
    debug_on(m, 1);
}
static void breakpoint(struct machine *m, unsigned el)
{
    if (el == 2)
        trap_debug(m, el);
    debug_on(m, 1 << 15);
    a64_set(m, "dbgbvr0_el1", A64_CODE);
    a64_set(m, "dbgbcr0_el1", 1 | 3 << 1 | 15 << 5 | 1 << 13);
}
static void watchpoint(struct machine *m, unsigned el)
{
    if (el == 2)
        trap_debug(m, el);
    a64_paging(m, 1);
    debug_on(m, 1 << 15);
    a64_set(m, "dbgwvr0_el1", A64_DATA + A64_RW_EL0 * 4096);
    a64_set(m, "dbgwcr0_el1", 1 | 3 << 1 | 3 << 3 | 255 << 5 | 1 << 13);
}
static void return_to(struct machine *m, unsigned to)
{
    static const char *const spsr[] = {"spsr_el1", "spsr_el2", "spsr_el3"}, *const elr[] = {"elr_el1", "elr_el2", "elr_el3"};
    for (unsigned i = 0; i < 3; i++) {
        set_if(m, spsr[i], 0x3c0 | to << 2 | 1);
        set_if(m, elr[i], A64_CODE + 0x40);
    }
}
static void return_to_el1(struct machine *m, unsigned el) { (void)el, return_to(m, 1); }
static void return_to_el2(struct machine *m, unsigned el) { (void)el, return_to(m, 2); }
static void return_to_el3(struct machine *m, unsigned el) { (void)el, return_to(m, 3); }

#define LDR 0xf9400001 /* ldr x1, [x0] */
#define STR 0xf9000001
#define NOP 0xd503201f

const struct a64_event a64_events[] = {
    {"svc", 0xd4000541, NULL},
    {"hvc", 0xd4000542, NULL},
    {"smc", 0xd4000543, NULL},
    {"brk", 0xd4200540, NULL},
    {"undefined", 0x00000000, NULL},
    {"eret", 0xd69f03e0, NULL},
    {"wfi", 0xd503207f, NULL},
    {"wfe", 0xd503205f, NULL},
    {"fp", 0x1e602800, NULL},        /* fadd d0, d0, d0 */
    {"fp_load", 0xfd400000, NULL},   /* ldr d0, [x0] */
    {"mrs_sctlr", 0xd5381001, NULL}, /* mrs x1, sctlr_el1 */
    {"msr_ttbr0", 0xd5182001, NULL}, /* msr ttbr0_el1, x1 */
    {"mrs_id", 0xd5380701, NULL},    /* mrs x1, id_aa64mmfr0_el1 */
    {"mrs_ctr", 0xd53b0021, NULL},   /* mrs x1, ctr_el0 */
    {"mrs_cntvct", 0xd53be041, NULL},
    {"mrs_hcr", 0xd53c1101, NULL},
    {"mrs_pmccntr", 0xd53b9d01, NULL},
    {"mrs_fpcr", 0xd53b4401, NULL},
    {"msr_daifset", 0xd50342df, NULL},
    {"tlbi", 0xd5088720, NULL}, /* tlbi vae1, x0 */
    {"dc_zva", 0xd50b7420, NULL},
    {"dc_ivac", 0xd5087620, NULL},
    {"paciasp", 0xd503233f, trap_pauth},
    {"wfi_trapped", 0xd503207f, trap_waiting},
    {"wfe_trapped", 0xd503205f, trap_waiting},
    {"wfit_trapped", 0xd5031023, trap_waiting}, /* wfit x3 */
    {"fp_trapped", 0x1e602800, trap_fp},
    {"fpcr_trapped", 0xd53b4401, trap_fp},
    {"mrs_sctlr_trapped", 0xd5381001, trap_memory},
    {"msr_ttbr0_trapped", 0xd5182001, trap_memory},
    {"msr_ttbr0_twice", 0xd5182001, trap_twice},
    {"mrs_ctr_trapped", 0xd53b0021, trap_memory},
    {"tlbi_trapped", 0xd5088720, trap_memory},
    {"dc_civac_trapped", 0xd50b7e20, trap_memory},
    {"dc_civac_permission", 0xd50b7e20, write_asked},
    {"ic_ivau_permission", 0xd50b7520, write_asked},
    {"ic_ivau_stage2", 0xd50b7520, write_asked_of_stage2},
    {"mrs_afsr0_trapped", 0xd5385101, trap_fine},
    {"svc_trapped", 0xd4000541, trap_fine},
    {"eret_trapped", 0xd69f03e0, trap_fine},
    {"eretaa_trapped", 0xd69f0bff, trap_fine},
    {"smc_trapped", 0xd4000543, trap_smc},
    {"mrs_pmccntr_trapped", 0xd53b9d01, trap_counters},
    {"brk_trapped", 0xd4200540, trap_debug},
    {"implementation_defined", 0xd508b000, trap_implementation_defined}, /* sys #0, c11, c0, #0 */
    {"hlt", 0xd4400000, NULL},
    {"eret_el1", 0xd69f03e0, return_to_el1},
    {"eret_el2", 0xd69f03e0, return_to_el2},
    {"eret_el3", 0xd69f03e0, return_to_el3},
    {"authentication", 0xdac11020, wrong_code}, /* autia x0, x1 */
    {"branch_target", NOP, guarded},
    {"tag_check", LDR, wrong_tag},
    {"software_step", NOP, software_step},
    {"breakpoint", NOP, breakpoint},
    {"watchpoint", LDR, watchpoint},
    {"illegal_state", NOP, illegal_state},
    {"pc_alignment", NOP, pc_misaligned},
    {"sp_alignment", 0xf94003e1, sp_misaligned}, /* ldr x1, [sp] */
    {"fetch_external", NOP, fetch_hole},
    {"load_external", LDR, hole},
    {"load_unaligned", LDR, unaligned_device},
    {"load_exclusive_unaligned", 0xc85f7c01, unaligned},
    {"load_translation", LDR, s1_invalid},
    {"store_permission", STR, s1_read_only},
    {"atomic_permission", 0xf8210002, s1_read_only}, /* ldadd x1, x2, [x0] */
    {"load_access_flag", LDR, s1_no_af},
    {"unprivileged_load", 0xf8400801, s1_el1_only}, /* ldtr x1, [x0] */
    {"load_stage2", LDR, s2_invalid},
    {"store_stage2", STR, s2_read_only},
    {"fetch_table_stage2", NOP, s2_table},
    {"load_table_stage2", LDR, s2_table_of_data},
    {"load_table_external", LDR, s1_table_hole},
    {"load_table_external_stage2", LDR, s2_table_hole},
    {"fetch_permission", NOP, fetch_page},
    {"fetch_stage2", NOP, fetch_s2},
    {"irq", NOP, irq},
    {"fiq", NOP, fiq},
    {"serror", NOP, serror},
    {"virq", NOP, virq},
    {"vfiq", NOP, vfiq},
    {"vserror", NOP, vserror},
    {"masked_irq", NOP, masked_irq},
    {"profiling", NOP, profiling},
    {"profiling_to_el1", NOP, profiling_to_el1},
    {"profiling_masked", NOP, profiling_masked},
    {"profiling_synchronous", NOP, profiling_synchronous},
    {"eret_profiling_pending", 0xd69f03e0, return_pending},
};
const unsigned a64_event_count = ARRAY_LEN(a64_events);
