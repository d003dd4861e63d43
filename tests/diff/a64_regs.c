/*
 * Which system registers a round begins with and ends with: all that both emulators have, from the rows. What is left out, and
 * why, stands here; `tool_a64_diff --coverage` fails when a row that QEMU has is neither compared nor here.
 */
#include "a64_diff.h"

#include <string.h>

/* Names (a last * stands for any rest) of registers that are not compared, or not written when a round begins. */
enum { NOT_COMPARED = 1, NOT_INIT = 2, NOT_THERE = 4, ONLY_7 = 8 /* with QEMU 7.2; else with all */ };
static const struct {
    const char *name;
    uint8_t what;
    const char *why;
} exceptions[] = {
    {"errselr_el1", NOT_COMPARED | NOT_INIT | NOT_THERE, "QEMU 7.2 has no error records and lacks the registers, too"},
    {"erx*", NOT_COMPARED | NOT_INIT | NOT_THERE, "likewise"},
    {"dbgdtr*", NOT_COMPARED | NOT_INIT | NOT_THERE, "QEMU 7.2 has no debug communication channel"},
    {"osdtr*", NOT_COMPARED | NOT_INIT | NOT_THERE, "likewise"},
    {"oseccr_el1", NOT_COMPARED | NOT_INIT | NOT_THERE, "QEMU 7.2 has no external debug"},
    {"dbgprcr_el1", NOT_COMPARED | NOT_INIT | NOT_THERE, "likewise"},
    {"dbgclaim*", NOT_COMPARED | NOT_INIT | NOT_THERE | ONLY_7, "likewise"},
    {"dbgauthstatus_el1", NOT_COMPARED | NOT_INIT | NOT_THERE, "likewise"},
    {"mdccint_el1", NOT_COMPARED, "QEMU 7.2 has neither value nor effect"},
    {"cnthps*", NOT_COMPARED | NOT_INIT | NOT_THERE, "QEMU 7.2 has no timers of Secure EL2"},
    {"cnthvs*", NOT_COMPARED | NOT_INIT | NOT_THERE, "likewise"},
    {"ccsidr_el1", NOT_COMPARED, "the caches' geometry"},
    {"id_pfr*", NOT_COMPARED, "AArch32, which trapline has not"},
    {"id_dfr0_el1", NOT_COMPARED, "likewise"},
    {"id_mmfr*", NOT_COMPARED, "likewise"},
    {"id_isar*", NOT_COMPARED, "likewise"},
    {"mvfr*", NOT_COMPARED, "likewise"},
    {"spsr_irq", NOT_COMPARED | NOT_INIT, "likewise"},
    {"spsr_abt", NOT_COMPARED | NOT_INIT, "likewise"},
    {"spsr_und", NOT_COMPARED | NOT_INIT, "likewise"},
    {"spsr_fiq", NOT_COMPARED | NOT_INIT, "likewise"},
    {"rvbar_el3", NOT_COMPARED, "where the harness begins"},
    {"vbar_el3", NOT_INIT, "the harness's vectors"},
    {"rndr*", NOT_COMPARED, "random"},
    {"cntpct*", NOT_COMPARED, "time"},
    {"cntvct*", NOT_COMPARED, "time"},
    {"cntp_tval_el0", NOT_COMPARED | NOT_INIT, "time; written where the compare value follows"},
    {"cntv_tval_el0", NOT_COMPARED | NOT_INIT, "likewise"},
    {"cnthp_tval_el2", NOT_COMPARED | NOT_INIT, "likewise"},
    {"cnthv_tval_el2", NOT_COMPARED | NOT_INIT, "likewise"},
    {"cntps_tval_el1", NOT_COMPARED | NOT_INIT, "likewise"},
    {"icc_iar*", NOT_COMPARED | NOT_INIT, "reading acknowledges: in blocks only"},
    {"vstcr_el2", NOT_COMPARED | NOT_INIT, "of Secure cases; QEMU 7.2 has it at EL3 where EL2 is not enabled, too"},
    {"vsttbr_el2", NOT_COMPARED | NOT_INIT, "likewise"},
    {"spsel", NOT_COMPARED | NOT_INIT, "the harness's own; SPSR_ELx has the case's"},
    {"currentel", NOT_COMPARED | NOT_INIT, "likewise"},
    {"pan", NOT_COMPARED | NOT_INIT, "likewise"},
    {"uao", NOT_COMPARED | NOT_INIT, "likewise"},
    {"nzcv", NOT_COMPARED | NOT_INIT, "likewise"},
    {"daif", NOT_COMPARED | NOT_INIT, "likewise"},
    {"dit", NOT_COMPARED | NOT_INIT, "likewise"},
    {"ssbs", NOT_COMPARED | NOT_INIT, "likewise"},
    {"tco", NOT_COMPARED | NOT_INIT, "likewise"},
    {"cptr_el3", NOT_COMPARED, "the harness's own"},
    {"pmxev*", NOT_INIT, "another name of the counter PMSELR_EL0 selects"},
    {"*_el12", NOT_COMPARED | NOT_INIT, "another name, where HCR_EL2.E2H is 1"},
    {"*_el02", NOT_COMPARED | NOT_INIT, "likewise"},
};

static bool matches(const char *name, const char *pattern)
{
    size_t n = strlen(pattern), len = strlen(name);
    if (pattern[0] == '*')
        return len >= n - 1 && !strcmp(name + len - (n - 1), pattern + 1);
    return pattern[n - 1] == '*' ? !strncmp(name, pattern, n - 1) : !strcmp(name, pattern);
}

static unsigned excepted(const struct a64_isa *isa, unsigned id, const char **why)
{
    char name[32];
    sysreg_name(id, name, sizeof name);
    for (unsigned i = 0; i < ARRAY_LEN(exceptions); i++)
        if (matches(name, exceptions[i].name) && !(exceptions[i].what & ONLY_7 && isa->witness > 7)) {
            if (why)
                *why = exceptions[i].why;
            return exceptions[i].what;
        }
    return 0;
}

bool a64_reg_excepted(const struct a64_isa *isa, unsigned id, const char **why) { return excepted(isa, id, why) & NOT_COMPARED; }
bool a64_reg_absent(const struct a64_isa *isa, unsigned id) { return excepted(isa, id, NULL) & NOT_THERE; }

static bool is_register(const struct a64_isa *isa, unsigned id)
{
    return sysreg_exists(isa->map, id) && sysreg_op(id).kind == SYSREG_OP_NONE && sysreg_key_of(id) >> 14 >= 2;
}

static bool allowed(const struct a64_isa *isa, unsigned id, bool write)
{
    return is_register(isa, id) && sysreg_check(&isa->pe->ctx, id, write).result == SYSREG_OK;
}

static bool recorded(unsigned id)
{
    for (unsigned i = 0; i < a64_record_count(); i++)
        if (a64_record_reg(i) == id)
            return true;
    return false;
}

static bool begins(unsigned id)
{
    for (unsigned i = 0; i < a64_init_count(); i++)
        if (a64_init_reg(i) == id)
            return true;
    return false;
}

/* Has an instance of its own in each Security state. */
static bool banked(unsigned id)
{
    return id == SR_icc_ctlr_el1 || id == SR_icc_bpr1_el1 || id == SR_icc_ap1r_el1 || id == SR_icc_igrpen1_el1;
}

/* Clearing ones go first: what is behind them is then set by the others. */
static bool clears(unsigned id)
{
    return id == SR_pmcntenclr_el0 || id == SR_pmovsclr_el0 || id == SR_pmintenclr_el1 || id == SR_dbgclaimclr_el1;
}

static void add(struct a64_isa *isa, bool init, unsigned id, bool secure)
{
    struct a64_wide *list = init ? isa->init : isa->wide;
    unsigned *n = init ? &isa->ninit : &isa->nwide;
    list[(*n)++] = (struct a64_wide){.id = (uint16_t)id, .secure = secure};
}

/* What the world of a case stands on, and what the harness needs. */
static bool worlds(unsigned id)
{
    static const char *const names[] = {"vbar*", "rvbar*",  "rmr*",         "sctlr*", "tcr*",  "ttbr*", "vst*",
                                        "mair*", "*_el12",  "*_el02",       "spsel",  "elr*",  "spsr*", "sp_el*",
                                        "rndr*", "impdef*", "unallocated*", "pir*",   "s2pir*"};
    char name[32];
    sysreg_name(id, name, sizeof name);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (matches(name, names[i]))
            return true;
    return false;
}

void a64_regs_init(struct a64_isa *isa)
{
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned id = 1; id < SYSREG_COUNT; id++) {
            unsigned out = excepted(isa, id, NULL);
            if (!pass == !banked(id) && pass == 0) /* registers of Secure state first: the banked ones alone */
                continue;
            if (isa->nwide + 1 >= A64_WIDE_MAX || isa->ninit + 1 >= A64_WIDE_MAX)
                return;
            if (allowed(isa, id, false) && !(out & NOT_COMPARED) && !recorded(id))
                add(isa, false, id, pass == 0);
            if (id == SR_icc_ap1r_el1 && pass) /* of Non-secure state: QEMU 7.2 ignores what is written */
                continue;
            if (allowed(isa, id, true) && !(out & NOT_INIT) && !begins(id) && (allowed(isa, id, false) || id == SR_oslar_el1))
                add(isa, true, id, pass == 0);
        }
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        if (is_register(isa, id) && !(excepted(isa, id, NULL) & NOT_THERE) && !begins(id) && !worlds(id) &&
            isa->nany < A64_WIDE_MAX)
            isa->any[isa->nany++] = (uint16_t)id;
    unsigned at = 0;
    for (unsigned i = 0; i < isa->ninit; i++)
        if (clears(isa->init[i].id)) {
            struct a64_wide w = isa->init[i];
            memmove(&isa->init[at + 1], &isa->init[at], (i - at) * sizeof w);
            isa->init[at++] = w;
        }
}

static bool has(const struct a64_isa *isa, const uint8_t *probe, unsigned id)
{
    uint64_t value;
    return a64_probe_has(isa, probe, id, &value);
}

static unsigned keep(const struct a64_isa *isa, const uint8_t *probe, struct a64_wide *list, unsigned n)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++)
        if (list[i].id == SR_oslar_el1 || has(isa, probe, list[i].id))
            list[kept++] = list[i];
    return kept;
}

void a64_regs_drop(struct a64_isa *isa, const uint8_t *probe, FILE *out)
{
    for (unsigned i = 0; i < isa->nwide; i++) {
        char name[32];
        sysreg_name(isa->wide[i].id, name, sizeof name);
        if (!has(isa, probe, isa->wide[i].id))
            fprintf(out, "not in the other emulator: %s\n", name);
    }
    isa->nwide = keep(isa, probe, isa->wide, isa->nwide);
    isa->ninit = keep(isa, probe, isa->init, isa->ninit);
    unsigned kept = 0;
    for (unsigned i = 0; i < isa->nany; i++)
        if (has(isa, probe, isa->any[i]) || !allowed(isa, isa->any[i], false))
            isa->any[kept++] = isa->any[i];
    isa->nany = kept;
}

/* A compare value that is met, or not, whatever the time is: the counter stays far below 2^60, an offset is 0 or 2^61. */
static uint64_t compare_value(uint64_t *rng)
{
    static const uint64_t from[] = {0, UINT64_C(1) << 62, UINT64_C(15) << 60};
    unsigned which = (unsigned)rng_below(rng, ARRAY_LEN(from));
    return which ? from[which] | rng_next(rng) >> 16 : 0;
}

static bool is_compare_value(unsigned id)
{
    static const uint16_t ids[] = {SR_cntp_cval_el0, SR_cntv_cval_el0, SR_cnthp_cval_el2, SR_cnthv_cval_el2, SR_cntps_cval_el1};
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* Indirect permissions, by the four bits of a descriptor that are the index (UXN, PXN, DBM, AP[1]): any, but that code, vectors
   and what the harness writes stay usable. D8.4.2.2. */
static uint64_t permissions(uint64_t *rng, unsigned id)
{
    static const uint8_t all[] = {0, 1, 2, 3, 5, 6, 7, 8, 10, 12, 14}, run[] = {3, 10, 7, 14}, read[] = {0, 1, 8, 3, 10};
    bool user = id == SR_pire0_el1 || id == SR_pire0_el2, stage2 = id == SR_s2pir_el2;
    uint64_t v = 0;
    for (unsigned i = 0; i < 16; i++) {
        uint64_t p = all[rng_below(rng, ARRAY_LEN(all))];
        if (stage2)
            p = i == 1 && rng_below(rng, 20) ? 15 : 8 + rng_below(rng, 8);
        else if (i == 1 || (user ? i == 5 : i == 8))
            p = id == SR_pir_el3 ? run[2 + rng_below(rng, 2)] : run[rng_below(rng, user ? 2 : 4)];
        else if (user && (i & 14) == 8)
            p = read[rng_below(rng, ARRAY_LEN(read))];
        v |= p << 4 * i;
    }
    return v;
}

bool a64_reg_left_out(const struct a64_case *c, unsigned id, bool write)
{
    char name[32];
    sysreg_name(id, name, sizeof name);
    if (a64_before(c, 11) && !c->e2h && (matches(name, "*_el12") || matches(name, "*_el02")))
        return true;
    if (c->tge && id == SR_scxtnum_el0)
        return true;
    if (c->secure && c->e2h && (matches(name, "cntp_*") || matches(name, "cntv_*"))) /* QEMU 7.2 has no CNTHPS_, CNTHVS_ */
        return true;
    if (c->secure && c->el2 && (id == SR_cntps_tval_el1 || id == SR_cntps_ctl_el1 || id == SR_cntps_cval_el1))
        return true;
    /* UNDEFINED in Secure state; QEMU looks at fine-grained traps before. */
    if (c->secure && c->fgt && (id == SR_lorsa_el1 || id == SR_lorea_el1 || id == SR_lorn_el1 || id == SR_lorc_el1))
        return true;
    return write && id == SR_icc_ap1r_el1;
}

uint64_t a64_reg_value(struct a64_case *c, unsigned id)
{
    if (is_compare_value(id))
        return compare_value(&c->rng);
    uint64_t v = a64_value(&c->rng);
    switch (id) {
    case SR_cntpoff_el2: return c->ecv ? rng_below(&c->rng, 2) << 61 : 0; /* the harness has SCR_EL3.ECVEn */
    case SR_cntvoff_el2: return rng_below(&c->rng, 2) << 61;
    case SR_pir_el1:
    case SR_pire0_el1:
    case SR_pir_el2:
    case SR_pire0_el2:
    case SR_pir_el3:
    case SR_s2pir_el2: return permissions(&c->rng, id);
    case SR_mair2_el1:
    case SR_mair2_el2:
    case SR_mair2_el3: return UINT64_C(0x44444444fff0f044);
    case SR_hfgrtr_el2:
    case SR_hfgwtr_el2:
    case SR_hfgitr_el2:
    case SR_hdfgrtr_el2:
    case SR_hdfgwtr_el2: /* not too many traps */
        v &= rng_next(&c->rng) & rng_next(&c->rng);
        if (id == SR_hdfgrtr_el2 || id == SR_hdfgwtr_el2)
            v &= ~(UINT64_C(1) << 57); /* PMUSERENR_EL0, which QEMU 10.0 lacks */
        break;
    case SR_hcrx_el2: /* CMOW: QEMU translates no address of DC and IC. VINMI, VFNMI: 11.1 ends by an assertion when SCR_EL3 is
                         written */
        v &= ~UINT64_C(0x200) & (c->isa->witness >= 11 ? ~UINT64_C(0x180) : UINT64_MAX);
        break;
    case SR_cnthctl_el2: /* QEMU 7.2 takes EL1PCEN for EL1PCTEN at EL0 */
        v = c->e2h || !a64_before(c, 11) ? v : (v & ~UINT64_C(3)) | (v & 1) * 3;
        v = (v & ~(UINT64_C(1) << 12)) | (uint64_t)c->offset << 12; /* ECV: QEMU 10.0 leaves the timer as it was */
        break;
    case SR_tcr2_el1:
    case SR_tcr2_el2: v = (v & ~UINT64_C(2)) | (uint64_t)c->indirect << 1; break;
    case SR_gcr_el1: return v & 0xffff; /* RRND: tags are random */
    case SR_rgsr_el1: return (v & 0xffff0f) | 1 << 8;
    case SR_pmcntenclr_el0:
    case SR_pmovsclr_el0:
    case SR_pmintenclr_el1: return UINT32_MAX;
    case SR_dbgclaimclr_el1: return 0xff;
    case SR_dbgclaimset_el1: return v & 0xff;
    case SR_ich_hcr_el2: /* TC, TALL0, TALL1, TDIR, which QEMU 7.2 does not know in Secure state; not always in use */
        v &= c->secure ? ~UINT64_C(0x5c00) : UINT64_MAX;
        v &= a64_chance(&c->rng, 70) ? ~UINT64_C(1) : UINT64_MAX;
        break;
    case SR_ich_vmcr_el2: /* in Secure state the least VBPR1 is one lower: ICV_BPR1_EL1; QEMU 7.2 has one */
        v |= c->secure && a64_before(c, 11) ? UINT64_C(3) << 18 : 0;
        break;
    case SR_icc_bpr1_el1: v |= c->secure && c->el2 ? 3 : 0; break;
    case SR_pmuserenr_el0: /* SW, CR, ER: QEMU 7.2 then does not look at TPM */
        v &= c->user_counters || !a64_before(c, 11) ? UINT64_MAX : ~UINT64_C(14);
        break;
    case SR_pmselr_el0: return rng_below(&c->rng, 6);                  /* counters that are there */
    case SR_oslar_el1: return c->debugged ? 0 : rng_below(&c->rng, 2); /* which is not looked at by QEMU 7.2's debug */
    case SR_pmcr_el0: v &= ~UINT64_C(1); break;                        /* nothing counts */
    case SR_icc_eoir0_el1:
    case SR_icc_eoir1_el1:
    case SR_icc_dir_el1: return v & 0xff; /* QEMU 7.2 ignores numbers the board has no interrupts of */
    case SR_icc_sgi0r_el1:
    case SR_icc_sgi1r_el1:
    case SR_icc_asgi1r_el1:
    case SR_pmswinc_el0: return v;
    default: break;
    }
    sysreg_write(&c->isa->pe->ctx, id, v);
    v = sysreg_read(&c->isa->pe->ctx, id);
    return a64_debug_value(c, id, v);
}
