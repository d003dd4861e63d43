#include "explain_arm.h"
#include "base/bits.h"
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
static void sp_misaligned(struct machine *m, unsigned el)
{
    (void)el;
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
static void unaligned(struct machine *m, unsigned el)
{
    (void)el;
    a64_paging(m, 1);
    a64_set(m, "x0", A64_DATA + A64_RW_EL0 * 4096 + 1);
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
    (void)el;
    a64_paging(m, 3);
    a64_set(m, "pc", A64_DATA + (A64_S2 + A64_INVALID) * 4096);
}

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
    {"paciasp", 0xd503233f, NULL},
    {"illegal_state", NOP, illegal_state},
    {"pc_alignment", NOP, pc_misaligned},
    {"sp_alignment", 0xf94003e1, sp_misaligned}, /* ldr x1, [sp] */
    {"fetch_external", NOP, fetch_hole},
    {"load_external", LDR, hole},
    {"load_unaligned", LDR, unaligned},
    {"load_exclusive_unaligned", 0xc85f7c01, unaligned},
    {"load_translation", LDR, s1_invalid},
    {"store_permission", STR, s1_read_only},
    {"atomic_permission", 0xf8210002, s1_read_only}, /* ldadd x1, x2, [x0] */
    {"load_access_flag", LDR, s1_no_af},
    {"unprivileged_load", 0xf8400801, s1_read_only}, /* ldtr x1, [x0] */
    {"load_stage2", LDR, s2_invalid},
    {"store_stage2", STR, s2_read_only},
    {"table_stage2", LDR, s2_table},
    {"fetch_permission", NOP, fetch_page},
    {"fetch_stage2", NOP, fetch_s2},
    {"irq", NOP, irq},
    {"fiq", NOP, fiq},
    {"serror", NOP, serror},
    {"virq", NOP, virq},
    {"vfiq", NOP, vfiq},
    {"vserror", NOP, vserror},
    {"masked_irq", NOP, masked_irq},
};
const unsigned a64_event_count = ARRAY_LEN(a64_events);
