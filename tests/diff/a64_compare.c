/* Comparing what two emulators recorded, and what may differ. */
#include "a64_diff.h"

#include <inttypes.h>
#include <string.h>

static uint64_t slot(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static const uint8_t *record_at(const uint8_t *image, unsigned index, unsigned round, unsigned record)
{
    return image + a64_round(index, round) + ROUNDA_RECORDS + record * RECA_SIZE;
}

unsigned a64_records(const uint8_t *image, unsigned index, unsigned round)
{
    unsigned n = 0;
    while (n < RECA_MAX && slot(record_at(image, index, round, n)))
        n++;
    return n;
}

bool a64_code_written(const uint8_t *before, const uint8_t *mine, unsigned index)
{
    uint64_t code = a64_arena(index) + PGA_CODE * 4096;
    return memcmp(before + code, mine + code, (PGA_DATA - PGA_CODE) * 4096) != 0;
}

bool a64_overwritten(const uint8_t *before, const uint8_t *image, unsigned first, unsigned n)
{
    static const uint16_t inputs[][2] = {{ROUNDA_PC, ROUNDA_ROOM}, {ROUNDA_V, ROUNDA_RECORDS}, {ROUNDA_INIT, ROUNDA_WIDE}};
    bool changed = memcmp(before, image, A64_CTL) != 0;
    for (unsigned i = first * A64_ROUNDS; !changed && i < n * A64_ROUNDS; i++)
        for (unsigned k = 0; k < ARRAY_LEN(inputs); k++) {
            uint64_t at = a64_round(0, i) + inputs[k][0];
            changed |= memcmp(before + at, image + at, inputs[k][1] - inputs[k][0]) != 0;
        }
    return changed;
}

/* A store hit a descriptor by chance, and no TLBI followed: which translation is used then is open (D8.16.1). Those of data pages
 * a64_put_change changes, with TLBI; access flag and dirty state change by themselves. */
bool a64_tables_written(const uint8_t *before, const uint8_t *mine, unsigned index)
{
    static const uint8_t roots[] = {PGA_S1_TABLES, PGA_EL2_TABLES, PGA_EL3_TABLES}, last[] = {PGA_S1_64K, PGA_EL2_64K};
    const uint8_t *a = before + a64_arena(index), *b = mine + a64_arena(index);
    uint64_t pa = A64_RAM_BASE + A64_BASE + a64_arena(index), first4 = pa >> 12 & 511, first16 = pa >> 14 & 2047,
             first64 = pa >> 16 & 8191;
    for (unsigned at = PGA_S1_TABLES * 4096; at < PGA_MORE * 4096; at += 8) {
        bool changes = false;
        for (unsigned i = 0; i < ARRAY_LEN(roots); i++) { /* by either granule */
            uint64_t n16 = (at - (roots[i] + 4) * UINT64_C(4096)) / 8 - first16;
            for (unsigned levels = 2; levels <= 4; levels++) {
                uint64_t n4 = (at - (roots[i] + levels) * UINT64_C(4096)) / 8 - first4;
                changes |= n4 >= PGA_DATA && n4 < PGA_VECTORS;
            }
            changes |= n16 >= PGA_DATA / 4 && n16 < PGA_VECTORS / 4;
        }
        for (unsigned i = 0; i < ARRAY_LEN(last); i++)
            changes |= (at - last[i] * UINT64_C(4096)) / 8 == first64 + PGA_MORE / 16;
        if (!changes && (slot(a + at) ^ slot(b + at)) & ~UINT64_C(0x480))
            return true;
    }
    return false;
}

/* What may differ, and why: docs/differences.md tells more. */
static const struct {
    uint16_t id;
    uint64_t bits;
    const char *why;
} masks[] = {
    {SR_sctlr_el1, 1 << 7 | 1 << 8, "ITD, SED: RES1 without AArch32 at EL0"},
    {SR_sctlr_el2, 1 << 9, "RES0 (UMA of SCTLR_EL1, by E2H); QEMU 7.2 keeps it"},
    {SR_vtcr_el2, UINT64_C(1) << 31, "RES1; QEMU 7.2 keeps what is written"},
    {SR_contextidr_el1, UINT64_C(0xffffffff) << 32, "RES0; QEMU 7.2 keeps it"},
    {SR_esr_el1, UINT64_C(0xff) << 56, "RES0; QEMU 7.2 keeps it"},
    {SR_fpsr, UINT64_C(15) << 28, "RES0 without AArch32; QEMU 7.2 keeps it"},
    {SR_par_el1, 1 << 11 | UINT64_C(15) << 52, "RES1, RES0; QEMU 7.2 keeps what is written"},
    {SR_id_aa64pfr0_el1, 0xffff, "AArch32, which trapline has not"},
    {SR_id_aa64pfr1_el1, UINT64_C(15) << 28, "FEAT_RNG_TRAP is younger than QEMU 7.2"},
    {SR_id_aa64dfr0_el1, UINT64_C(15) << 60 | UINT64_C(15) << 36, "FEAT_HPMN0; FEAT_DoubleLock, which QEMU 7.2 says it has"},
    {SR_id_aa64isar2_el1, UINT64_C(15) << 48 | UINT64_C(15) << 40 | UINT64_C(15) << 28, "features younger than QEMU 7.2"},
    {SR_id_aa64mmfr1_el1, UINT64_C(15) << 60 | UINT64_C(15) << 36 | UINT64_C(15) << 12, "ECBHB, ETS2, HPDS2: likewise"},
    {SR_id_aa64pfr2_el1, UINT64_C(0xfff), "parts of FEAT_MTE4, which are younger than QEMU 7.2"},
    {SR_ctr_el0, UINT64_C(0x3f) << 32, "TminLine: QEMU 7.2 has none"},
    {SR_csselr_el1, 1 << 4, "TnD: QEMU 7.2 lacks it"},
    {SR_gmid_el1, 15, "tags of LDGM and STGM at once"},
    {SR_pmcr_el0, UINT64_C(0xffff) << 16, "implementer, identification"},
    {SR_pmceid0_el0, UINT64_MAX, "which events are counted"},
    {SR_pmceid1_el0, UINT64_MAX, "likewise"},
    {SR_pmccfiltr_el0, 1 << 24, "SH: QEMU 7.2 lacks it"},
    {SR_pmxevtyper_el0, 1 << 24, "likewise"},
    {SR_icc_ctlr_el3, 1 << 3 | 1, "EOImode_EL1S, CBPR_EL1S: QEMU 7.2 shows those of Non-secure state"},
    {SR_ich_misr_el2, 1 << 5, "VGrp0D: QEMU 7.2 has it of group 1"},
    {SR_icc_ctlr_el3, 1 << 17, "nDS: whether the distributor can do with one Security state"},
    {SR_fpcr, 0x3f << 16 & ~(1 << 19), "Len, Stride: RES0 without AArch32; QEMU 7.2 keeps them"},
};

uint64_t a64_reg_mask(unsigned id)
{
    uint64_t m = id >= SR_pmevtyper_el0 && id < SR_pmevtyper_el0 + 31 ? 1 << 24 : 0; /* SH, as of PMCCFILTR_EL0 */
    for (unsigned i = 0; i < ARRAY_LEN(masks); i++)
        if (masks[i].id == id)
            m |= masks[i].bits;
    return m;
}

/* What a younger witness has and trapline has not. */
static const struct {
    unsigned since;
    uint16_t id;
    uint64_t bits;
    const char *what;
} younger[] = {
    {10, SR_id_aa64isar1_el1, UINT64_C(15) << 44, "EBF16"},
    {10, SR_id_aa64isar2_el1, UINT64_C(15) << 16, "MOPS"},
    {10, SR_id_aa64mmfr2_el1, UINT64_C(15) << 24, "NV2"},
    {10, SR_id_aa64mmfr3_el1, UINT64_C(15) << 60, "FPACC_SPEC"},
    {10, SR_id_aa64pfr0_el1, UINT64_C(15) << 56, "CSV2_3"},
    {10, SR_ctr_el0, 3 << 28, "IDC, DIC: caches need no maintenance"},
    {10, SR_id_dfr1_el1, UINT64_MAX, "AArch32"},
    {11, SR_clidr_el1, UINT64_MAX, "the caches' geometry"},
    {11, SR_id_aa64isar2_el1, UINT64_C(0xff) << 52, "LUT, CMPBR"},
    {11, SR_id_aa64isar3_el1, UINT64_MAX, "FAMINMAX, FPRCVT"},
    {11, SR_id_aa64pfr1_el1, UINT64_C(15) << 52 | UINT64_C(15) << 44, "MTE_CANONICAL_TAGS, GCS"},
    {11, SR_id_aa64pfr2_el1, UINT64_C(15) << 32, "FPMR"},
    {11, SR_id_aa64fpfr0_el1, UINT64_MAX, "FP8"},
    {11, SR_id_aa64mmfr3_el1, UINT64_C(15) << 28, "MEC"},
    {11, SR_id_aa64mmfr4_el1, UINT64_C(15) << 8, "ASID2"},
};

uint64_t a64_reg_younger(const struct a64_isa *isa, unsigned id)
{
    uint64_t m = 0;
    for (unsigned i = 0; i < ARRAY_LEN(younger); i++)
        m |= isa->witness >= younger[i].since && younger[i].id == id ? younger[i].bits : 0;
    return m;
}

/* The exception class of a value of ESR_ELx; ISS2 is above it. */
static unsigned class_of(uint64_t esr) { return esr >> 26 & 63; }

static uint64_t recorded(const uint8_t *record, unsigned id)
{
    static uint8_t at[SYSREG_COUNT]; /* 1 + the place of each */
    for (unsigned i = at[a64_record_reg(0)] ? 0 : a64_record_count(); i; i--)
        at[a64_record_reg(i - 1)] = (uint8_t)i;
    return at[id] ? slot(record + RECA_REG + 8 * (at[id] - 1)) : 0;
}

/* What QEMU 10.0 alone has wrong. */
static uint64_t masked10(unsigned id, uint64_t x, uint64_t y)
{
    /* An atomic access that is misaligned: it tells a write (Arm ARM AlignmentFault, NoFault: a read). */
    if ((id == SR_esr_el1 || id == SR_esr_el2 || id == SR_esr_el3) && (class_of(x) & ~1u) == 0x24 && (x & 0x7f) == 0x21 &&
        (y & 0x7f) == 0x61)
        return 1 << 6;
    /* Stage 1 is off in Secure state (HCR_EL2.DC): it tells a Non-secure address (Arm ARM AArch64.S1DisabledOutput). */
    /* A tag that does not match: QEMU 11.1 extends the sign of the syndrome. */
    if ((id == SR_esr_el1 || id == SR_esr_el2 || id == SR_esr_el3) && (uint32_t)x == (uint32_t)y && (x & 63) == 0x11 &&
        y >> 32 == UINT32_MAX)
        return UINT64_C(0xffffffff) << 32;
    return id == SR_hpfar_el2 && !(x >> 63) ? UINT64_C(1) << 63 : 0;
}

static bool same_reg(const struct a64_isa *isa, const uint8_t *a, unsigned id, uint64_t x, uint64_t y)
{
    uint64_t may = a64_reg_mask(id) | (isa->witness >= 10 ? masked10(id, x, y) : 0), esr = recorded(a, SR_esr_el3);
    /* From a vector of EL1 or EL2: QEMU 7.2 clears NZCV and DIT when it takes an exception (Arm ARM AArch64.TakeException does
     * not). */
    if (id == SR_spsr_el3 && (esr == 0x5e000001 || esr == 0x5e000002))
        may |= UINT64_C(15) << 28 | 1 << 24;
    /* An exception at a vector of EL1 or EL2, which are side by side: the software step, or that was written to. Likewise. */
    if ((id == SR_spsr_el2 && recorded(a, SR_elr_el2) - recorded(a, SR_vbar_el1) < 0x1000) ||
        (id == SR_spsr_el1 && recorded(a, SR_elr_el1) - recorded(a, SR_vbar_el1) < 0x1000))
        may |= UINT64_C(15) << 28 | 1 << 24;
    /* A data abort of EL2 itself: QEMU 7.2 tells the instruction syndrome as of stage 2 (ESR_ELx, "ISS encoding for a Data
     * Abort"). */
    if (id == SR_esr_el2 && class_of(x) == 0x25 && class_of(y) == 0x25)
        may |= UINT64_C(0x1ffc000);
    /* An illegal return: QEMU 7.2 leaves PSTATE.PAN as it was (Arm ARM SetPSTATEFromPSR). */
    if ((recorded(a, SR_spsr_el1) | recorded(a, SR_spsr_el2) | recorded(a, SR_spsr_el3)) & 1 << 20)
        may |= id == SR_spsr_el1 || id == SR_spsr_el2 || id == SR_spsr_el3 ? 1 << 22 : 0;
    /* A watchpoint that matches a load, and matched a store before: QEMU 7.2 still tells that (Arm ARM AArch64.CheckWatchpoint).
     */
    if ((id == SR_esr_el1 || id == SR_esr_el2) && (class_of(x) & ~1u) == 0x34 && !(x & 1 << 6))
        may |= 1 << 6;
    /* MSR DAIFSet, DAIFClr at EL0 with SCTLR_EL1.UMA 0: QEMU 7.2 has op1 and op2 of the syndrome the wrong way round (ESR_ELx,
     * "ISS encoding for an exception from MSR, MRS, or System instruction execution"). */
    if ((id == SR_esr_el1 || id == SR_esr_el2 || id == SR_esr_el3) && class_of(x) == 0x18 && (x & 0x303c00) == 0x1000)
        may |= 0xfc000;
    /* A misaligned access that is checked by tags: QEMU 7.2 translates, and compares the tag, first (Arm ARM Mem). */
    unsigned el = id == SR_esr_el1 ? 1 : id == SR_esr_el2 ? 2 : id == SR_esr_el3 ? 3 : 0;
    static const uint16_t control[] = {0, SR_sctlr_el1, SR_sctlr_el2, SR_sctlr_el3};
    /* Of several elements QEMU 7.2 translates all, then compares tags; the address is then that of the second page. */
    if (el && (x & 63) == 0x11 && class_of(x) == class_of(y) && (class_of(x) & ~1u) == 0x24 && !((x ^ y) & 1 << 6))
        return true;
    if (el && (x & 63) == 0x21 && class_of(x) == class_of(y) && (class_of(x) & ~1u) == 0x24 && recorded(a, control[el]) >> 42 & 3)
        return true;
    /* A misaligned access of Device memory, which QEMU 7.2 does not look at, where nothing answers. */
    if (el && (x & 63) == 0x21 && (y & 63) == 0x10 && class_of(x) == class_of(y))
        return true;
    /* An atomic access where nothing answers: QEMU 7.2 loads first, and here it may be one that is unsupported. */
    if (el && ((x & 0x7c) == 0x4c || (x & 63) == 0x35) && (y & 0x7f) == 0x10 && x >> 26 == y >> 26)
        return true;
    /* A table where trapline has no memory, and QEMU's board has a device that reads as 0. */
    if (el && class_of(x) == class_of(y) && (x & 0x3c) == 0x14 && (y & 0x3c) == 4)
        return true;
    if (id == SR_par_el1 && (x & y & 0x301) == 0x301)
        may |= 6;
    /* Stage 2 of a walk of stage 1: QEMU 7.2 tells the level of stage 1 (Arm ARM AArch64.FaultSyndrome, EncodeLDFSC). */
    if (id == SR_esr_el2 && (x & y & 1 << 7) && (class_of(x) == 0x20 || class_of(x) == 0x24))
        may |= 3;
    /* A branch to an address that is misaligned and not mapped: QEMU 7.2 looks at the translation first (Arm ARM
     * AArch64.CheckPCAlignment, D1.3 "Synchronous exception prioritization"). */
    if ((id == SR_esr_el1 || id == SR_esr_el2 || id == SR_esr_el3) && class_of(x) == 0x22 &&
        (class_of(y) == 0x20 || class_of(y) == 0x21))
        return true;
    return ((x ^ y) & ~may) == 0;
}

unsigned a64_taken(const uint8_t *image, unsigned index, unsigned round, unsigned n, unsigned *el)
{
    const uint8_t *record = record_at(image, index, round, n);
    uint64_t esr = recorded(record, SR_esr_el3);
    *el = esr == 0x5e000001 ? 1 : esr == 0x5e000002 ? 2 : 3; /* an SMC of the vectors */
    return class_of(*el == 1 ? recorded(record, SR_esr_el1) : *el == 2 ? recorded(record, SR_esr_el2) : esr);
}

static void print(FILE *out, unsigned record, const char *name, uint64_t mine, uint64_t other)
{
    if (out)
        fprintf(out, "  record %u.%u: %-12s trapline %016" PRIx64 ", qemu %016" PRIx64 "\n", record / RECA_MAX, record % RECA_MAX,
                name, mine, other);
}

/* n is round * RECA_MAX + number; fars, btypes: bit el - 1 set where FAR_ELx, SPSR_ELx.BTYPE may differ. */
static bool same_record(const struct a64_isa *isa, unsigned n, const uint8_t *a, const uint8_t *b, unsigned fars, unsigned btypes,
                        FILE *out)
{
    const uint64_t btype = 3 << 10;
    bool same = true;
    char name[32];
    for (unsigned i = 0; i < 31; i++) {
        if (slot(a + RECA_X + 8 * i) == slot(b + RECA_X + 8 * i))
            continue;
        same = false;
        snprintf(name, sizeof name, "x%u", i);
        print(out, n, name, slot(a + RECA_X + 8 * i), slot(b + RECA_X + 8 * i));
    }
    for (unsigned i = 0; i < 64; i++) {
        if (slot(a + RECA_V + 8 * i) == slot(b + RECA_V + 8 * i))
            continue;
        same = false;
        snprintf(name, sizeof name, "v%u.%s", i / 2, i & 1 ? "high" : "low");
        print(out, n, name, slot(a + RECA_V + 8 * i), slot(b + RECA_V + 8 * i));
    }
    for (unsigned i = 0; i < a64_record_count(); i++) {
        uint64_t x = slot(a + RECA_REG + 8 * i), y = slot(b + RECA_REG + 8 * i);
        if (same_reg(isa, a, a64_record_reg(i), x, y) || (a64_record_reg(i) == SR_far_el1 && fars & 1) ||
            (a64_record_reg(i) == SR_far_el2 && fars & 2) || (a64_record_reg(i) == SR_far_el3 && fars & 4))
            continue;
        if (!((x ^ y) & ~btype) &&
            ((a64_record_reg(i) == SR_spsr_el1 && btypes & 1) || (a64_record_reg(i) == SR_spsr_el2 && btypes & 2)))
            continue;
        same = false;
        sysreg_name(a64_record_reg(i), name, sizeof name);
        print(out, n, name, x, y);
    }
    return same;
}

/* In a table: QEMU has set the access flag for an access that faults by something else; that is permitted at any time (D8.5.1).
 */
static bool access_flag(unsigned at, uint64_t mine, uint64_t other)
{
    return at >= PGA_S1_TABLES * 4096 && at < PGA_MORE * 4096 && (mine ^ other) == 1 << 10 && (other & 1 << 10);
}

/* An access of several elements that faults at the start of a page may have done its part before (D1.3.3 "Definition of a precise
 * exception", B2.2.1): registers and memory that both may leave so are not compared from there on. */
static bool in_part(const struct a64_isa *isa, const uint8_t *record)
{
    for (unsigned el = 1; el <= 3; el++) {
        static const uint16_t esr[] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3}, far[] = {0, SR_far_el1, SR_far_el2, SR_far_el3};
        unsigned ec = class_of(recorded(record, esr[el]));
        uint64_t at = recorded(record, far[el]);
        bool tag = isa->witness >= 10 && (recorded(record, esr[el]) & 63) == 0x11 && !(at & 15); /* at the start of a granule */
        if ((ec == 0x24 || ec == 0x25) && (!(at & 0xfff) || tag))
            return true;
    }
    return false;
}

bool a64_same_wide(const struct a64_isa *isa, unsigned i, uint64_t mine, uint64_t other)
{
    unsigned id = isa->wide[i].id;
    return ((mine ^ other) & ~(a64_reg_mask(id) | a64_reg_younger(isa, id))) == 0;
}

/* The registers a round ends with. */
static bool same_end(const struct a64_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, unsigned n, FILE *out)
{
    const uint64_t round = a64_round(index, n);
    bool same = true;
    for (unsigned i = 0; i < isa->nwide; i++) {
        uint64_t x = slot(mine + round + ROUNDA_WIDE + 8 * i), y = slot(other + round + ROUNDA_WIDE + 8 * i);
        if (a64_same_wide(isa, i, x, y))
            continue;
        char name[32];
        sysreg_name(isa->wide[i].id, name, sizeof name);
        if (out)
            fprintf(out, "  end of round %u: %-12s%s trapline %016" PRIx64 ", qemu %016" PRIx64 "\n", n, name,
                    isa->wide[i].secure ? " (Secure)" : "", x, y);
        same = false;
    }
    return same;
}

/* The exception class at a level. */
static unsigned class_at(const uint8_t *record, unsigned el)
{
    static const uint16_t esr[] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3};
    return class_of(recorded(record, esr[el]));
}

/* Not the same exception was taken last. */
static bool differs_at(const uint8_t *mine, const uint8_t *other, unsigned el)
{
    static const uint16_t esr[] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3}, elr[] = {0, SR_elr_el1, SR_elr_el2, SR_elr_el3};
    return recorded(mine, esr[el]) != recorded(other, esr[el]) || recorded(mine, elr[el]) != recorded(other, elr[el]);
}

/* A breakpoint on an instruction that cannot be fetched: QEMU 7.2 looks at breakpoints first (D1.3.6 "Synchronous exception
   prioritization"). */
static bool breakpoint_first(const uint8_t *mine, const uint8_t *other)
{
    bool aborted = false, broken = false;
    for (unsigned el = 1; el <= 2; el++) {
        unsigned x = class_at(mine, el), y = class_at(other, el);
        aborted |= x >= 0x20 && x <= 0x22;
        broken |= differs_at(mine, other, el) && (y == 0x30 || y == 0x31);
    }
    return aborted && broken;
}

/* A jump to a misaligned address that cannot be fetched from: QEMU 7.2 fetches first (D1.3.6). */
static bool misaligned_first(const uint8_t *mine, const uint8_t *other)
{
    static const uint16_t elr[] = {0, SR_elr_el1, SR_elr_el2};
    for (unsigned i = 1; i <= 2; i++)
        for (unsigned k = 1; k <= 2; k++)
            if (class_at(mine, i) == 0x22 && differs_at(mine, other, i) && (class_at(other, k) & ~1u) == 0x20 &&
                recorded(mine, elr[i]) == recorded(other, elr[k]))
                return true;
    return false;
}

/* The software step is pending, and the next instruction cannot be fetched: QEMU 7.2 fetches first (D1.3.6). The step is taken
   at the level the abort is taken to, then, or at the vector of that. */
static bool fetch_first(const uint8_t *mine, const uint8_t *other)
{
    bool steps = false, aborted = false;
    for (unsigned el = 1; el <= 2; el++) {
        bool differs = differs_at(mine, other, el);
        unsigned x = class_at(mine, el), y = class_at(other, el);
        steps |= differs && (x == 0x32 || x == 0x33);
        aborted |= differs && y >= 0x20 && y <= 0x22;
    }
    return steps && aborted;
}

/* An atomic access that is not permitted, to what is watched: QEMU 7.2 makes a load of it first (D1.3.6). */
static bool watched_first(const uint8_t *mine, const uint8_t *other)
{
    bool aborted = false, watched = false;
    for (unsigned el = 1; el <= 2; el++) {
        bool differs = differs_at(mine, other, el);
        aborted |= differs && (class_at(mine, el) & ~1u) == 0x24;
        watched |= differs && (class_at(other, el) & ~1u) == 0x34;
    }
    return aborted && watched;
}

/* A watchpoint at an address whose top byte is ignored and is none of the address: QEMU 7.2 compares it, too
   (AArch64.WatchpointByteMatch). */
static bool watched_tagged(const uint8_t *mine, const uint8_t *other)
{
    static const uint16_t far[] = {0, SR_far_el1, SR_far_el2};
    for (unsigned el = 1; el <= 2; el++) {
        int64_t at = (int64_t)recorded(mine, far[el]);
        if (differs_at(mine, other, el) && (class_at(mine, el) & ~1u) == 0x34 && at >> 55 != 0 && at >> 55 != -1)
            return true;
    }
    return false;
}

/* The instruction `before` bytes before the one that took the exception to `el` of a record, read from the case's code; 0: it is
   not there. */
static uint32_t instruction_of(const uint8_t *record, unsigned el, unsigned before, const uint8_t *image, unsigned index)
{
    static const uint16_t elr[] = {0, SR_elr_el1, SR_elr_el2, SR_elr_el3};
    uint64_t at = recorded(record, elr[el]) - before - (A64_RAM_BASE + A64_BASE + a64_arena(index));
    uint32_t insn = 0;
    if (at < PGA_DATA * 4096)
        memcpy(&insn, image + a64_arena(index) + at, 4);
    return insn;
}

/* A watchpoint stops an access of several elements or granules, or of a Q register, which QEMU 7.2 makes of two: what is done
   before, and in which order, is open (B2.2.1). It also makes two of STXP, which is one access (Arm ARM MemSingle). */
static bool watched_in_part(const uint8_t *record, const uint8_t *image, unsigned index)
{
    for (unsigned el = 1; el <= 2; el++) {
        if ((class_at(record, el) & ~1u) != 0x34)
            continue;
        uint32_t insn = instruction_of(record, el, 0, image, index);
        if ((insn & 0x3a000000) == 0x28000000 || (insn & 0xbe000000) == 0x0c000000 || (insn & 0xfc800000) == 0x3c800000 ||
            (insn & 0xfffffc00) == 0xd9200000 /* STZGM */ || (insn & 0xffe00000) == 0xd9e00000 /* STZ2G */ ||
            (insn & 0xffe00000) == 0xc8200000 /* STXP, STLXP */)
            return true;
    }
    return false;
}

/* A store exclusive of which the monitor is not held, to a misaligned address: QEMU lets it fail (Arm ARM
   AArch64.ExclusiveMonitorsPass looks at the alignment first). other: NULL, QEMU took no exception any more. */
static bool exclusive_fails(const uint8_t *mine, const uint8_t *other, const uint8_t *image, unsigned index)
{
    static const uint16_t esr[] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3};
    for (unsigned el = 1; el <= 3; el++) {
        uint32_t insn = instruction_of(mine, el, 0, image, index);
        if ((class_at(mine, el) & ~1u) == 0x24 && (recorded(mine, esr[el]) & 0x7f) == 0x61 && a64_is_exclusive(insn) &&
            !(insn & 1 << 22) && (!other || differs_at(mine, other, el)))
            return true;
    }
    return false;
}

/* An atomic access that is not supported here, to what QEMU's board has there: that it faults is IMPLEMENTATION DEFINED (Arm ARM
 * MemAtomic). */
static bool unsupported(const uint8_t *mine, const uint8_t *other)
{
    static const uint16_t esr[] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3};
    for (unsigned el = 1; el <= 3; el++)
        if (differs_at(mine, other, el) && (class_at(mine, el) & ~1u) == 0x24 && (recorded(mine, esr[el]) & 0x3f) == 0x35)
            return true;
    return false;
}

/* An access of several elements, of which the tag of one does not match and a later one fails in stage 2: QEMU 7.2 translates all
   first (Arm ARM AArch64.MemSingle, for each element). */
static bool stage2_first(const uint8_t *mine, const uint8_t *other)
{
    uint64_t x = recorded(mine, SR_esr_el1), y = recorded(other, SR_esr_el2);
    return class_at(mine, 1) == 0x25 && (x & 63) == 0x11 && differs_at(mine, other, 1) && class_at(other, 2) == 0x24 &&
           y != recorded(mine, SR_esr_el2) && !(recorded(other, SR_far_el2) & 0xfff) &&
           recorded(mine, SR_elr_el1) == recorded(other, SR_elr_el2);
}

/* Stage 2 forbids the use of tags: QEMU 11.1 tells neither the kind of fault nor HPFAR_EL2 (Arm ARM AArch64.S2CheckPermissions,
   AArch64.FaultSyndrome). */
static bool tag_denied(const struct a64_isa *isa, const uint8_t *mine, const uint8_t *other)
{
    const uint64_t no_tag_access = UINT64_C(1) << 41;
    uint64_t x = recorded(mine, SR_esr_el2), y = recorded(other, SR_esr_el2);
    return isa->witness >= 11 && x & y & no_tag_access && (x & 0x3c) == 0xc && !(y & 0x3f);
}

/* Levels (bit el - 1) of which FAR differs from here on: it is UNKNOWN after a breakpoint exception, 0 in QEMU 7.2; of several
   elements QEMU translates all, then compares tags; it tells an aligned address where nothing answers; and of what a watchpoint
   matches the first byte that is watched, where trapline has the first of the access (D2.10.6: one between these). Behind a
   breakpoint whose vector the case has overwritten comes another exception, which leaves FAR as that had made it. */
static unsigned other_addresses(const uint8_t *a, const uint8_t *b)
{
    static const uint16_t esr[] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3};
    unsigned levels = 0;
    for (unsigned el = 1; el <= 3; el++) {
        uint64_t x = recorded(a, esr[el]), y = recorded(b, esr[el]);
        static const uint16_t far[] = {0, SR_far_el1, SR_far_el2, SR_far_el3};
        bool data = (class_at(a, el) & ~1u) == 0x24, watch = (class_at(a, el) & ~1u) == 0x34;
        static const uint16_t elr[] = {0, SR_elr_el1, SR_elr_el2, SR_elr_el3};
        uint64_t off = recorded(b, far[el]) - recorded(a, far[el]);
        bool at_vector = recorded(a, elr[el]) - recorded(a, SR_vbar_el1) < 0x1000 && !recorded(b, far[el]);
        levels |= (data && (((x & 63) == 0x11 && x != y) || (x & 63) == 0x10 || (y & 63) == 0x10)) || (watch && off < 64) ||
                          class_at(a, el) == 0x30 || class_at(a, el) == 0x31 || at_vector
                      ? 1u << (el - 1)
                      : 0;
    }
    return levels;
}

/* Levels (bit el - 1) to which an exception was taken right behind SB: QEMU 7.2 leaves BTYPE there (Arm ARM BTypeNext). */
static unsigned behind_sb(const uint8_t *record, const uint8_t *image, unsigned index)
{
    unsigned levels = 0;
    for (unsigned el = 1; el <= 2; el++)
        levels |= instruction_of(record, el, 4, image, index) == 0xd50330ff ? 1u << (el - 1) : 0;
    return levels;
}

/* Records that differ by a rule, from which on nothing is compared. */
static bool other_first(const struct a64_isa *isa, const uint8_t *a, const uint8_t *b)
{
    return breakpoint_first(a, b) || tag_denied(isa, a, b) || stage2_first(a, b) || fetch_first(a, b) || misaligned_first(a, b) ||
           watched_first(a, b) || watched_tagged(a, b) || unsupported(a, b);
}

/* *open: from a record on nothing is compared. */
static bool same_round(const struct a64_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, unsigned round,
                       bool *open, FILE *out)
{
    unsigned na = a64_records(mine, index, round), nb = a64_records(other, index, round);
    unsigned fars = 0, btypes = 0;
    for (unsigned i = 0; i < na && i < nb; i++) {
        const uint8_t *a = record_at(mine, index, round, i), *b = record_at(other, index, round, i);
        bool equal = !memcmp(a, b, RECA_SIZE);
        *open = (in_part(isa, a) && in_part(isa, b)) || (watched_in_part(a, mine, index) && watched_in_part(b, other, index)) ||
                (!equal && other_first(isa, a, b)) || (!equal && exclusive_fails(a, b, mine, index));
        if (*open)
            return true;
        fars |= equal ? 0 : other_addresses(a, b);
        btypes |= equal ? 0 : behind_sb(a, mine, index);
        if (!equal && !same_record(isa, round * RECA_MAX + i, a, b, fars, btypes, out))
            return false;
    }
    *open = na > nb && exclusive_fails(record_at(mine, index, round, nb), NULL, mine, index);
    if (*open)
        return true;
    if (na != nb && out)
        fprintf(out, "  in round %u trapline made %u records, qemu %u\n", round, na, nb);
    return na == nb;
}

bool a64_same(const struct a64_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out)
{
    const uint8_t *a = mine + a64_arena(index), *b = other + a64_arena(index);
    bool open = false;
    for (unsigned i = 0; i < A64_ROUNDS; i++) {
        if (!same_round(isa, mine, other, index, i, &open, out))
            return false;
        if (open)
            return true;
        if (!same_end(isa, mine, other, index, i, out))
            return false;
    }
    if (!memcmp(a, b, PGA_COUNT * 4096))
        return true;
    bool same = true;
    for (unsigned i = 0; i < PGA_COUNT * 4096; i += 8)
        if (slot(a + i) != slot(b + i) && !access_flag(i, slot(a + i), slot(b + i))) {
            same = false;
            if (out)
                fprintf(out, "  memory %u:%03x: trapline %016" PRIx64 ", qemu %016" PRIx64 "\n", i / 4096, i % 4096, slot(a + i),
                        slot(b + i));
        }
    return same;
}

void a64_dump(const uint8_t *mine, const uint8_t *other, unsigned index, unsigned round, FILE *out)
{
    static const uint16_t told[] = {SR_elr_el3, SR_esr_el3, SR_spsr_el3, SR_elr_el2,   SR_esr_el2,   SR_elr_el1,
                                    SR_esr_el1, SR_scr_el3, SR_hcr_el2,  SR_sctlr_el1, SR_sctlr_el2, SR_mdscr_el1};
    const uint8_t *const sides[] = {mine, other};
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < a64_records(sides[side], index, round); i++) {
            fprintf(out, "  %s %u.%u:", side ? "qemu" : "trapline", round, i);
            for (unsigned k = 0; k < ARRAY_LEN(told); k++) {
                char name[32];
                sysreg_name(told[k], name, sizeof name);
                fprintf(out, " %s %" PRIx64, name, recorded(record_at(sides[side], index, round, i), told[k]));
            }
            for (unsigned k = 0; k < 31; k++)
                fprintf(out, "%s x%u %" PRIx64, k % 8 ? "" : "\n   ", k,
                        slot(record_at(sides[side], index, round, i) + RECA_X + 8 * k));
            fprintf(out, "\n");
        }
}
