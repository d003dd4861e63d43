/*
 * What stops an instruction that is no access of a system register: waiting, calls, returns, pointer authentication, floating
 * point, breakpoint instructions. Each row: an instruction at a level, what is set of the controls, and where it then goes with
 * which syndrome; and that without it nothing stops it. Arm ARM C6.2, D24.2 (HCR_EL2, HFGITR_EL2, SCR_EL3, SCTLR_ELx, CPTR_ELx).
 */
#include "pe_rig.h"
#include "csr/arm/masks.h"

enum { CODE = 0x40000000, VECTORS = 0x40010000 };

#define WFE     0xd503205f
#define WFI     0xd503207f
#define WFET    0xd5031005 /* x5 */
#define WFIT    0xd5031025 /* x5 */
#define SVC     0xd4000541 /* #42 */
#define HVC     0xd4000542
#define SMC     0xd4000543
#define BRK     0xd4200540
#define ERET    0xd69f03e0
#define ERETAA  0xd69f0bff
#define ERETAB  0xd69f0fff
#define UDF     0x00000000
#define PACIA   0xdac10041 /* x1, x2 */
#define AUTDB   0xdac11c41
#define PACGA   0x9ac33041 /* x1, x2, x3 */
#define BRAA    0xd71f0841 /* x2, x1 */
#define XPACI   0xdac143e1
#define PACIASP 0xd503233f
#define FMOV    0x1e604020 /* d0, d1 */
#define ESB     0xd503221f
#define TSB     0xd503225f

/* Controls, a set of which a row has. */
enum {
    E2H = 1 << 0,
    TGE = 1 << 1,
    HOST = E2H | TGE,
    NTWI1 = 1 << 2, /* SCTLR_EL1.nTWI and nTWE are 0 */
    NTWI2 = 1 << 3, /* of SCTLR_EL2 */
    TWI = 1 << 4,   /* HCR_EL2.TWI, TWE */
    TWI3 = 1 << 5,  /* SCR_EL3.TWI, TWE */
    FGT = 1 << 6,   /* HFGITR_EL2.SVC_EL0, SVC_EL1, ERET */
    FGTEN = 1 << 7, /* SCR_EL3.FGTEn is 0 */
    TSC = 1 << 8,
    SMD = 1 << 9,
    HCE = 1 << 10,  /* SCR_EL3.HCE is 0 */
    API = 1 << 11,  /* HCR_EL2.API is 0 */
    API3 = 1 << 12, /* SCR_EL3.API is 0 */
    ENI = 1 << 13,  /* SCTLR_ELx.EnIA, EnIB, EnDA, EnDB are 0 */
    TDE = 1 << 14,
    FPEN0 = 1 << 15, /* CPACR_EL1.FPEN = 0 */
    FPEN1 = 1 << 16, /* 1 */
    TFP = 1 << 17,   /* CPTR_EL2.TFP; with E2H FPEN = 0 */
    TFPH = 1 << 18,  /* with E2H: CPTR_EL2.FPEN = 1 */
    TFP3 = 1 << 19,
    SEC = 1 << 20, /* Secure state, EL2 not enabled */
};

#define PASS   0, 0, 0, 0
#define WF(x)  (0x1e00000 | (x)) /* COND = 14, valid */
#define WFR(x) (0x1e00000 | 5 << 5 | 4 | (x))
#define FP     0x1e00000
#define NEXT   4
#define THIS   0

static const struct {
    uint32_t insn;
    unsigned el, controls;
    unsigned to, ec, iss, elr; /* to 0: it passes */
} rows[] = {
    /* WFI, WFE and their forms with a time-out: EL1's control, EL2's, EL3's, in this order (AArch64.CheckForWFxTrap). */
    {WFI, 0, NTWI1, 1, 1, WF(0), THIS},
    {WFE, 0, NTWI1, 1, 1, WF(1), THIS},
    {WFIT, 0, NTWI1, 1, 1, WFR(2), THIS},
    {WFET, 0, NTWI1, 1, 1, WFR(3), THIS},
    {WFI, 0, NTWI1 | TGE, 2, 1, WF(0), THIS},
    {WFI, 0, NTWI1 | HOST, PASS},
    {WFI, 0, NTWI2, PASS},
    {WFI, 0, NTWI2 | HOST, 2, 1, WF(0), THIS},
    {WFE, 0, NTWI2 | HOST, 2, 1, WF(1), THIS},
    {WFI, 1, NTWI1, PASS},
    {WFI, 2, NTWI1 | NTWI2, PASS},
    {WFI, 0, TWI, 2, 1, WF(0), THIS},
    {WFE, 1, TWI, 2, 1, WF(1), THIS},
    {WFIT, 1, TWI, 2, 1, WFR(2), THIS},
    {WFI, 0, TWI | HOST, PASS},
    {WFI, 1, TWI | SEC, PASS},
    {WFI, 2, TWI, PASS},
    {WFI, 0, TWI3, 3, 1, WF(0), THIS},
    {WFE, 1, TWI3, 3, 1, WF(1), THIS},
    {WFET, 2, TWI3, 3, 1, WFR(3), THIS},
    {WFI, 3, TWI3, PASS},
    {WFI, 0, NTWI1 | TWI | TWI3, 1, 1, WF(0), THIS},
    {WFI, 0, TWI | TWI3, 2, 1, WF(0), THIS},
    /* SVC: a fine-grained trap has the address of the instruction, the call that of the next. */
    {SVC, 0, 0, 1, 0x15, 42, NEXT},
    {SVC, 1, 0, 1, 0x15, 42, NEXT},
    {SVC, 2, 0, 2, 0x15, 42, NEXT},
    {SVC, 3, 0, 3, 0x15, 42, NEXT},
    {SVC, 0, TGE, 2, 0x15, 42, NEXT},
    {SVC, 0, HOST, 2, 0x15, 42, NEXT},
    {SVC, 0, FGT, 2, 0x15, 42, THIS},
    {SVC, 1, FGT, 2, 0x15, 42, THIS},
    {SVC, 2, FGT, 2, 0x15, 42, NEXT},
    {SVC, 0, FGT | FGTEN, 1, 0x15, 42, NEXT},
    {SVC, 0, FGT | HOST, 2, 0x15, 42, NEXT},
    {SVC, 1, FGT | SEC, 1, 0x15, 42, NEXT},
    /* HVC */
    {HVC, 0, 0, 1, 0, 0, THIS},
    {HVC, 1, 0, 2, 0x16, 42, NEXT},
    {HVC, 2, 0, 2, 0x16, 42, NEXT},
    {HVC, 3, 0, 3, 0x16, 42, NEXT},
    {HVC, 1, HCE, 1, 0, 0, THIS},
    {HVC, 2, HCE, 2, 0, 0, THIS},
    {HVC, 1, SEC, 1, 0, 0, THIS},
    /* SMC: HCR_EL2.TSC comes before SCR_EL3.SMD (AArch64.CheckForSMCUndefOrTrap). */
    {SMC, 0, 0, 1, 0, 0, THIS},
    {SMC, 1, 0, 3, 0x17, 42, NEXT},
    {SMC, 2, 0, 3, 0x17, 42, NEXT},
    {SMC, 3, 0, 3, 0x17, 42, NEXT},
    {SMC, 1, TSC, 2, 0x17, 42, THIS},
    {SMC, 2, TSC, 3, 0x17, 42, NEXT},
    {SMC, 1, TSC | SEC, 3, 0x17, 42, NEXT},
    {SMC, 1, SMD, 1, 0, 0, THIS},
    {SMC, 2, SMD, 2, 0, 0, THIS},
    {SMC, 3, SMD, 3, 0, 0, THIS},
    {SMC, 1, TSC | SMD, 2, 0x17, 42, THIS},
    /* ERET: before the authentication of the address and its own trap. */
    {ERET, 0, 0, 1, 0, 0, THIS},
    {ERET, 1, FGT, 2, 0x1a, 0, THIS},
    {ERETAA, 1, FGT, 2, 0x1a, 2, THIS},
    {ERETAB, 1, FGT, 2, 0x1a, 3, THIS},
    {ERETAA, 1, FGT | API, 2, 0x1a, 2, THIS},
    {ERETAA, 1, API, 2, 9, 0, THIS},
    {ERETAB, 2, API3, 3, 9, 0, THIS},
    /* Pointer authentication, if it is enabled; PACGA always is, and XPAC has no trap (TrapPACUse). */
    {PACIA, 0, API, 2, 9, 0, THIS},
    {PACIA, 1, API, 2, 9, 0, THIS},
    {PACIA, 2, API, PASS},
    {AUTDB, 1, API, 2, 9, 0, THIS},
    {PACIASP, 1, API, 2, 9, 0, THIS},
    {BRAA, 1, API, 2, 9, 0, THIS},
    {PACGA, 1, API, 2, 9, 0, THIS},
    {XPACI, 1, API | API3, PASS},
    {PACIA, 0, API | HOST, PASS},
    {PACIA, 0, API | TGE, 2, 9, 0, THIS},
    {PACIA, 1, API | SEC, PASS},
    {PACIA, 0, API3, 3, 9, 0, THIS},
    {PACGA, 2, API3, 3, 9, 0, THIS},
    {PACIA, 3, API3, PASS},
    {PACIA, 1, API | API3, 2, 9, 0, THIS},
    {PACIA, 1, API | API3 | ENI, PASS},
    {PACIASP, 0, API | API3 | ENI, PASS},
    {AUTDB, 2, API | API3 | ENI, PASS},
    {PACGA, 1, API | ENI, 2, 9, 0, THIS},
    /* BRK, and what is UNDEFINED. */
    {BRK, 0, 0, 1, 0x3c, 42, THIS},
    {BRK, 0, TGE, 2, 0x3c, 42, THIS},
    {BRK, 1, TDE, 2, 0x3c, 42, THIS},
    {BRK, 0, TDE, 2, 0x3c, 42, THIS},
    {BRK, 1, TDE | SEC, 1, 0x3c, 42, THIS},
    {BRK, 2, 0, 2, 0x3c, 42, THIS},
    {BRK, 3, TDE, 3, 0x3c, 42, THIS},
    {UDF, 0, 0, 1, 0, 0, THIS},
    {UDF, 0, TGE, 2, 0, 0, THIS},
    {UDF, 0, HOST, 2, 0, 0, THIS},
    {UDF, 3, TGE, 3, 0, 0, THIS},
    /* Floating point: CPACR_EL1, CPTR_EL2 in its two layouts, CPTR_EL3 (AArch64.CheckFPEnabled). */
    {FMOV, 0, FPEN0, 1, 7, FP, THIS},
    {FMOV, 1, FPEN0, 1, 7, FP, THIS},
    {FMOV, 2, FPEN0, PASS},
    {FMOV, 0, FPEN1, 1, 7, FP, THIS},
    {FMOV, 1, FPEN1, PASS},
    {FMOV, 0, FPEN0 | TGE, 2, 0, 0, THIS},
    {FMOV, 0, FPEN0 | HOST, PASS},
    {FMOV, 0, TFP, 2, 7, FP, THIS},
    {FMOV, 1, TFP, 2, 7, FP, THIS},
    {FMOV, 2, TFP, 2, 7, FP, THIS},
    {FMOV, 3, TFP, PASS},
    {FMOV, 1, TFP | SEC, PASS},
    {FMOV, 1, TFP | E2H, 2, 7, FP, THIS},
    {FMOV, 2, TFP | E2H, 2, 7, FP, THIS},
    {FMOV, 0, TFPH | E2H, PASS},
    {FMOV, 0, TFPH | HOST, 2, 7, FP, THIS},
    {FMOV, 2, TFPH | HOST, PASS},
    {FMOV, 0, TFP3, 3, 7, FP, THIS},
    {FMOV, 3, TFP3, 3, 7, FP, THIS},
    {FMOV, 0, FPEN0 | TFP | TFP3, 1, 7, FP, THIS},
    {FMOV, 1, TFP | TFP3, 2, 7, FP, THIS},
    /* Nothing traps these. */
    {ESB, 0, TWI | TWI3 | API | FGT, PASS},
    {TSB, 0, TWI | TWI3 | API | FGT, PASS},
};

static struct rig *rig_new(void)
{
    struct rig *r = rig_base("max");
    rig_vectors(r, VECTORS);
    return r;
}

/* Everything permitted but what `controls` says. */
static void set(struct arm_regs *s, unsigned controls)
{
#define IF(control, value) (controls & (control) ? (value) : 0)
    const uint64_t keys = sctlr_el1_EnIA | sctlr_el1_EnIB | sctlr_el1_EnDA | sctlr_el1_EnDB;
    const uint64_t waits = sctlr_el1_nTWI | sctlr_el1_nTWE;
    s->sctlr_el1 = (s->sctlr_el1 | keys | waits) & ~IF(ENI, keys) & ~IF(NTWI1, waits);
    s->sctlr_el2 = (s->sctlr_el2 | keys | waits) & ~IF(ENI, keys) & ~IF(NTWI2, waits);
    s->sctlr_el3 = (s->sctlr_el3 | keys) & ~IF(ENI, keys);
    s->hcr_el2 = hcr_el2_RW | hcr_el2_APK | (controls & API ? 0 : hcr_el2_API) | IF(E2H, hcr_el2_E2H) | IF(TGE, hcr_el2_TGE) |
                 IF(TWI, hcr_el2_TWI | hcr_el2_TWE) | IF(TSC, hcr_el2_TSC);
    s->scr_el3 = 0x430 | (controls & SEC ? 0 : scr_el3_NS) | (controls & FGTEN ? 0 : scr_el3_FGTEn) |
                 (controls & HCE ? 0 : scr_el3_HCE) | (controls & API3 ? 0 : scr_el3_API) | scr_el3_APK |
                 IF(TWI3, scr_el3_TWI | scr_el3_TWE) | IF(SMD, scr_el3_SMD);
    s->hfgitr_el2 = IF(FGT, UINT64_C(7) << 51);
    s->mdcr_el2 = IF(TDE, 1u << 8);
    s->cpacr_el1 = controls & FPEN0 ? 0 : controls & FPEN1 ? 1u << 20 : 3u << 20;
    s->cptr_el2 = controls & E2H ? (controls & TFP ? 0 : controls & TFPH ? 1u << 20 : 3u << 20) : 0x33ff | IF(TFP, 1u << 10);
    s->cptr_el3 = IF(TFP3, 1u << 10);
#undef IF
}

static void each_control_stops_its_instructions(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t code[2] = {rows[i].insn, 0x14000000};
        struct rig *r = rig_new();
        struct pe *p = &r->pe;
        mem_write(r->mem, CODE, code, sizeof code);
        pe_init(p, &r->engine, &r->cfg, r->map, r->decoder, 0x80000000, 16);
        struct arm_regs *s = &p->s.regs;
        s->vbar_el1 = s->vbar_el2 = s->vbar_el3 = VECTORS;
        set(s, rows[i].controls);
        p->s.pstate = PSTATE_DAIF | rows[i].el << PSTATE_EL_SHIFT | (rows[i].el ? PSTATE_SP : 0);
        p->s.pc = CODE;
        p->s.x[5] = UINT64_MAX; /* of WFIT and WFET: a long time */
        if (rows[i].insn == BRAA)
            p->s.x[2] = CODE + 4;
        pe_refresh(p);
        pe_run(p, p->s.cycle + 4);
        unsigned to = (unsigned)(p->s.pstate & PSTATE_EL) >> PSTATE_EL_SHIFT;
        uint64_t esr = to == 1 ? s->esr_el1 : to == 2 ? s->esr_el2 : s->esr_el3;
        uint64_t elr = to == 1 ? s->elr_el1 : to == 2 ? s->elr_el2 : s->elr_el3;
        if (!rows[i].to ? p->s.pc != CODE + 4 || to != rows[i].el
                        : p->s.pc < VECTORS || to != rows[i].to || esr >> 26 != rows[i].ec || (esr & 0x1ffffff) != rows[i].iss ||
                              elr != CODE + rows[i].elr)
            fail_msg("row %u, %08x at EL%u with %#x: pc %#llx, EL%u, ESR %#llx, ELR %#llx", i, rows[i].insn, rows[i].el,
                     rows[i].controls, (unsigned long long)p->s.pc, to, (unsigned long long)esr, (unsigned long long)elr);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_control_stops_its_instructions),
    };
    return cmocka_run_group_tests_name("arm_traps", tests, NULL, NULL);
}
