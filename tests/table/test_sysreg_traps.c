/*
 * Which control traps which access, to which level, with which class: stated a second time, control by control as the manual's
 * field descriptions do (D24.2, D24.3, D24.5, D24.10; GIC 12.4), against the rows, which state it register by register. Every
 * control alone on every access of every level, then random sets of controls: the lowest level asked wins.
 */
#include "sysreg_world.h"

enum { E0 = 1, E1 = 2, E2 = 4, E3 = 8, RD = 1, WR = 2, RW = 3 };

/* A control: the value of bits that traps, the levels it concerns, where it traps to, the class, and what it traps: names
   separated by blanks, * for any characters. `world`: 0 E2H = 0, 1 a host (E2H = TGE = 1), 2 both. */
struct control {
    const char *reg;
    uint64_t mask, value;
    unsigned from, dir, to, ec, world;
    const char *names;
};
#define BIT(n)                                       UINT64_C(1) << (n), UINT64_C(1) << (n)
#define NOT(n)                                       UINT64_C(1) << (n), 0
#define C(reg, bits, from, dir, to, ec, world, list) {reg, bits, from, dir, to, ec, world, list},

#define INDIRECT "pir_el1 pire0_el1"
#define TRANSLATION                                                                                                         \
    "sctlr_el1 ttbr0_el1 ttbr1_el1 tcr_el1 esr_el1 far_el1 afsr0_el1 afsr1_el1 mair_el1 amair_el1 contextidr_el1 " INDIRECT \
    " por_el1 s2por_el1 tcr2_el1 sctlr2_el1 mair2_el1 amair2_el1"
#define BY_ADDRESS \
    "dc_cvac dc_cgvac dc_cgdvac dc_cvap dc_cgvap dc_cgdvap dc_cvadp dc_cgvadp dc_cgdvadp dc_civac dc_cigvac dc_cigdvac"
#define ERROR_WRITES "errselr_el1 erxctlr_el1 erxstatus_el1 erxaddr_el1 erxmisc*_el1"
#define ERROR_RECORD "erridr_el1 erxgsr_el1 errselr_el1 erxfr_el1 erxctlr_el1 erxstatus_el1 erxaddr_el1 erxmisc*_el1"
#define INJECTION    "erxpfgf_el1 erxpfgctl_el1 erxpfgcdn_el1"
#define LORS         "lorsa_el1 lorea_el1 lorn_el1 lorc_el1 lorid_el1"
#define KEYS         "apiakey*_el1 apibkey*_el1 apdakey*_el1 apdbkey*_el1 apgakey*_el1"
#define TAGS         "rgsr_el1 gcr_el1 tfsre0_el1 tfsr_el1"
#define DCC          "mdccsr_el0 dbgdtr_el0 dbgdtrrx_el0 mdccint_el1 osdtrrx_el1 osdtrtx_el1"
#define DCC_EL0      "mdccsr_el0 dbgdtr_el0 dbgdtrrx_el0"
#define BREAKS       "dbgbvr*_el1 dbgbcr*_el1 dbgwvr*_el1 dbgwcr*_el1"
#define DEBUG        DCC " mdscr_el1 mdselr_el1 oseccr_el1 dbgclaimset_el1 dbgclaimclr_el1 dbgauthstatus_el1 " BREAKS
#define OS_LOCK      "oslar_el1 oslsr_el1 osdlr_el1 dbgprcr_el1"
#define PMU_EN                                                                                                                \
    "pmcr_el0 pmcntenset_el0 pmcntenclr_el0 pmovsset_el0 pmovsclr_el0 pmceid0_el0 pmceid1_el0 pmxevtyper_el0 pmevtyper*_el0 " \
    "pmccfiltr_el0 pmswinc_el0 pmselr_el0 pmccntr_el0 pmxevcntr_el0 pmevcntr*_el0 pmzr_el0"
#define PMU_9   "pmuacr_el1 pmecr_el1 pmiar_el1 pmicntr_el0 pmicfiltr_el0"
#define PMU_SS  "pmsscr_el1 pmevcntsvr*_el1 pmccntsvr_el1 pmicntsvr_el1"
#define PMU_ALL PMU_EN " " PMU_9 " pmuserenr_el0 pmintenset_el1 pmintenclr_el1 pmmir_el1"
#define FINE_2  "hfgrtr2_el2 hfgwtr2_el2 hfgitr2_el2 hdfgrtr2_el2 hdfgwtr2_el2"
#define GROUP0  "icc_iar0_el1 icc_eoir0_el1 icc_hppir0_el1 icc_bpr0_el1 icc_ap0r*_el1 icc_igrpen0_el1"
#define GROUP1  "icc_iar1_el1 icc_nmiar1_el1 icc_eoir1_el1 icc_hppir1_el1 icc_bpr1_el1 icc_ap1r*_el1 icc_igrpen1_el1"
#define SGI     "icc_sgi0r_el1 icc_sgi1r_el1 icc_asgi1r_el1"
#define BOTH    "icc_pmr_el1 icc_ctlr_el1 icc_rpr_el1 icc_dir_el1"
#define TLBI_EL1                                                                                                        \
    "tlbi_vmalle1* tlbi_vae1* tlbi_aside1* tlbi_vaae1* tlbi_vale1* tlbi_vaale1* tlbi_rvae1* tlbi_rvaae1* tlbi_rvale1* " \
    "tlbi_rvaale1*"
#define TLBI_IS                                                                                                            \
    "tlbi_vmalle1is* tlbi_vae1is* tlbi_aside1is* tlbi_vaae1is* tlbi_vale1is* tlbi_vaale1is* tlbi_rvae1is* tlbi_rvaae1is* " \
    "tlbi_rvale1is* "                                                                                                      \
    "tlbi_rvaale1is*"
#define TLBI_OS                                                                                                            \
    "tlbi_vmalle1os* tlbi_vae1os* tlbi_aside1os* tlbi_vaae1os* tlbi_vale1os* tlbi_vaale1os* tlbi_rvae1os* tlbi_rvaae1os* " \
    "tlbi_rvale1os* "                                                                                                      \
    "tlbi_rvaale1os*"

static const struct control controls[] = {
    /* HCR_EL2 */
    C("hcr_el2", BIT(16), E1, RD, 2, 0x18, 0, "revidr_el1 aidr_el1") C("hcr_el2", BIT(17), E0 | E1, RW, 2, 0x18, 0,
                                                                       "ctr_el0 ccsidr_el1 clidr_el1 csselr_el1")
        C("hcr_el2", BIT(18), E1, RD, 2, 0x18, 0, "id_* mvfr*_el1") C("hcr_el2", BIT(21), E1, RW, 2, 0x18, 0, "actlr_el1") C(
            "hcr_el2", BIT(22), E1, WR, 2, 0x18, 0, "dc_isw dc_csw dc_cisw dc_igsw dc_igdsw dc_cgsw dc_cgdsw dc_cigsw dc_cigdsw")
            C("hcr_el2", BIT(23), E0 | E1, WR, 2, 0x18, 0, "dc_ivac dc_igvac dc_igdvac " BY_ADDRESS)
                C("hcr_el2", BIT(24), E0 | E1, WR, 2, 0x18, 0, "ic_ivau ic_iallu ic_ialluis dc_cvau")
                    C("hcr_el2", BIT(25), E1, WR, 2, 0x18, 0, TLBI_EL1) C("hcr_el2", BIT(26), E1, WR, 2, 0x18, 0, TRANSLATION)
                        C("hcr_el2", BIT(28), E0 | E1, WR, 2, 0x18, 0, "dc_zva dc_gva dc_gzva")
                            C("hcr_el2", BIT(30), E1, RD, 2, 0x18, 0, TRANSLATION) C("hcr_el2", BIT(35), E1, RW, 2, 0x18, 0, LORS)
                                C("hcr_el2", BIT(36), E1, RW, 2, 0x18, 0, ERROR_RECORD)
                                    C("hcr_el2", NOT(40), E1, RW, 2, 0x18, 0, KEYS)
                                        C("hcr_el2", NOT(47), E1, RW, 2, 0x18, 0, INJECTION)
                                            C("hcr_el2", BIT(49), E1, RW, 2, 0x18, 0, "ccsidr_el1 clidr_el1 csselr_el1")
                                                C("hcr_el2", BIT(50), E1, WR, 2, 0x18, 0, "ic_ialluis")
                                                    C("hcr_el2", BIT(52), E0 | E1, WR, 2, 0x18, 0, "ic_ivau ic_iallu dc_cvau")
                                                        C("hcr_el2", NOT(53), E0 | E1, RW, 2, 0x18, 0, "scxtnum_el0 scxtnum_el1")
                                                            C("hcr_el2", BIT(54), E1, WR, 2, 0x18, 0, TLBI_IS)
                                                                C("hcr_el2", BIT(55), E1, WR, 2, 0x18, 0, TLBI_OS)
                                                                    C("hcr_el2", NOT(56), E1, RW, 2, 0x18, 0, TAGS)
                                                                        C("hcr_el2", BIT(58), E1, RD, 2, 0x18, 0, "gmid_el1")
    /* HCRX_EL2 */
    C("hcrx_el2", BIT(6), E1, WR, 2, 0x18, 0, "allint msr_allintset") C("hcrx_el2", NOT(14), E1, RW, 2, 0x18, 0, "tcr2_el1")
        C("hcrx_el2", NOT(15), E1, RW, 2, 0x18, 0, "sctlr2_el1")
    /* CPTR_EL2 */
    C("cptr_el2", BIT(31), E1, RW, 2, 0x18, 0, "cpacr_el1") C("cptr_el2", BIT(10), E0 | E1 | E2, RW, 2, 0x07, 0, "fpcr fpsr")
        C("cptr_el2", NOT(20), E0 | E2, RW, 2, 0x07, 1, "fpcr fpsr") C("cptr_el2", NOT(21), E0, RW, 2, 0x07, 1, "fpcr fpsr")
            C("cptr_el2", NOT(29), E0, RW, 2, 0x18, 1, "por_el0")
    /* MDCR_EL2 */
    C("mdcr_el2", BIT(5), E0 | E1, RW, 2, 0x18, 2, "pmcr_el0") C("mdcr_el2", BIT(6), E0 | E1, RW, 2, 0x18, 2, PMU_ALL)
        C("mdcr_el2", BIT(8), E0 | E1, RW, 2, 0x18, 0, DEBUG " mdrar_el1 " OS_LOCK)
            C("mdcr_el2", BIT(9), E0 | E1, RW, 2, 0x18, 0, DEBUG) C("mdcr_el2", BIT(10), E1, RW, 2, 0x18, 0, OS_LOCK)
                C("mdcr_el2", BIT(11), E1, RW, 2, 0x18, 0, "mdrar_el1") C("mdcr_el2", BIT(27), E0 | E1, RW, 2, 0x18, 0, DCC)
    /* CNTHCTL_EL2 */
    C("cnthctl_el2", NOT(0), E0 | E1, RD, 2, 0x18, 0, "cntpct_el0 cntpctss_el0")
        C("cnthctl_el2", NOT(1), E0 | E1, RW, 2, 0x18, 0, "cntp_ctl_el0 cntp_cval_el0 cntp_tval_el0")
            C("cnthctl_el2", BIT(13), E0 | E1, RW, 2, 0x18, 0, "cntv_ctl_el0 cntv_cval_el0 cntv_tval_el0")
                C("cnthctl_el2", BIT(14), E0 | E1, RD, 2, 0x18, 0, "cntvct_el0 cntvctss_el0")
                    C("cnthctl_el2", NOT(0), E0, RD, 2, 0x18, 1, "cntpct_el0 cntpctss_el0")
                        C("cnthctl_el2", NOT(1), E0, RD, 2, 0x18, 1, "cntvct_el0 cntvctss_el0")
                            C("cnthctl_el2", NOT(8), E0, RW, 2, 0x18, 1, "cntv_ctl_el0 cntv_cval_el0 cntv_tval_el0")
                                C("cnthctl_el2", NOT(9), E0, RW, 2, 0x18, 1, "cntp_ctl_el0 cntp_cval_el0 cntp_tval_el0")
    /* ICH_HCR_EL2 */
    C("ich_hcr_el2", BIT(10), E1, RW, 2, 0x18, 0, BOTH " " SGI) C("ich_hcr_el2", BIT(11), E1, RW, 2, 0x18, 0, GROUP0)
        C("ich_hcr_el2", BIT(12), E1, RW, 2, 0x18, 0, GROUP1) C("ich_hcr_el2", BIT(14), E1, RW, 2, 0x18, 0, "icc_dir_el1")
    /* SCTLR_EL1, SCTLR_EL2 of a host */
    C("sctlr_el1", NOT(9), E0, RW, 1, 0x18, 0, "daif msr_daifset msr_daifclr")
        C("sctlr_el1", NOT(10), E0, WR, 1, 0x18, 0, "*_rctx") C("sctlr_el1", NOT(14), E0, WR, 1, 0x18, 0, "dc_zva dc_gva dc_gzva")
            C("sctlr_el1", NOT(15), E0, RD, 1, 0x18, 0, "ctr_el0") C("sctlr_el1", BIT(20), E0, RW, 1, 0x18, 0, "scxtnum_el0")
                C("sctlr_el1", NOT(26), E0, WR, 1, 0x18, 0, "ic_ivau dc_cvau " BY_ADDRESS)
                    C("sctlr_el2", NOT(10), E0, WR, 2, 0x18, 1, "*_rctx")
                        C("sctlr_el2", NOT(14), E0, WR, 2, 0x18, 1, "dc_zva dc_gva dc_gzva")
                            C("sctlr_el2", NOT(15), E0, RD, 2, 0x18, 1, "ctr_el0")
                                C("sctlr_el2", BIT(20), E0, RW, 2, 0x18, 1, "scxtnum_el0")
                                    C("sctlr_el2", NOT(26), E0, WR, 2, 0x18, 1, "ic_ivau dc_cvau " BY_ADDRESS)
    /* CPACR_EL1, CNTKCTL_EL1, PMUSERENR_EL0, MDSCR_EL1 */
    C("cpacr_el1", NOT(29), E0, RW, 1, 0x18, 0, "por_el0") C("cpacr_el1", NOT(20), E0 | E1, RW, 1, 0x07, 0, "fpcr fpsr")
        C("cpacr_el1", NOT(21), E0, RW, 1, 0x07, 0, "fpcr fpsr")
            C("cntkctl_el1", NOT(0), E0, RD, 1, 0x18, 0, "cntpct_el0 cntpctss_el0")
                C("cntkctl_el1", NOT(1), E0, RD, 1, 0x18, 0, "cntvct_el0 cntvctss_el0")
                    C("cntkctl_el1", NOT(8), E0, RW, 1, 0x18, 0, "cntv_ctl_el0 cntv_cval_el0 cntv_tval_el0")
                        C("cntkctl_el1", NOT(9), E0, RW, 1, 0x18, 0, "cntp_ctl_el0 cntp_cval_el0 cntp_tval_el0")
                            C("pmuserenr_el0", NOT(0), E0, RW, 1, 0x18, 0, PMU_EN)
                                C("pmuserenr_el0", NOT(0), E0, RW, 2, 0x18, 1, PMU_EN)
                                    C("mdscr_el1", BIT(12), E0, RW, 1, 0x18, 0, DCC_EL0)
    /* SCR_EL3 */
    C("scr_el3", BIT(1), E1 | E2, RW, 3, 0x18, 2, GROUP1) C("scr_el3", BIT(2), E1 | E2, RW, 3, 0x18, 2, GROUP0) C(
        "scr_el3", BIT(14), E1 | E2, RW, 3, 0x18, 2, LORS) C("scr_el3", BIT(15), E1 | E2, RW, 3, 0x18, 2, ERROR_RECORD)
        C("scr_el3", NOT(16), E1 | E2, RW, 3, 0x18, 2, KEYS) C("scr_el3", NOT(21), E1 | E2, RW, 3, 0x18, 2, INJECTION) C(
            "scr_el3", NOT(25), E0 | E1 | E2, RW, 3, 0x18, 2,
            "scxtnum_el0 scxtnum_el1 scxtnum_el2 scxtnum_el12") C("scr_el3", NOT(26), E1 | E2, RW, 3, 0x18, 2,
                                                                  TAGS " tfsr_el2 tfsr_el12")
            C("scr_el3", NOT(27), E2, RW, 3, 0x18, 2,
              "hfgrtr_el2 hfgwtr_el2 hfgitr_el2 hdfgrtr_el2 hdfgwtr_el2") C("scr_el3", NOT(28), E2, RW, 3, 0x18, 2, "cntpoff_el2")
                C("scr_el3", NOT(46), E1 | E2, RW, 3, 0x18, 2, "mair2_el1 mair2_el2 mair2_el12 amair2_el1 amair2_el2 amair2_el12")
                    C("scr_el3", NOT(53), E1 | E2, RW, 3, 0x18, 2, "pfar_el1 pfar_el2 pfar_el12")
                        C("scr_el3", NOT(59), E2, RW, 3, 0x18, 0, FINE_2) C("scr_el3", NOT(59), E2, RW, 3, 0x18, 1, FINE_2)
                            C("scr_el3", NOT(59), E0 | E1, RW, 2, 0x18, 0,
                              "pfar_el1 mdselr_el1 erxgsr_el1 rcwsmask_el1 pmzr_el0 " PMU_9
                              " " PMU_SS) C("scr_el3", NOT(38), E2, RW, 3, 0x18, 2,
                                            "hcrx_el2") C("scr_el3", NOT(38), E1, RW, 2, 0x18, 2, "tcr2_el1 sctlr2_el1")
                                C("scr_el3", NOT(42), E1 | E2, RW, 3, 0x18, 2, "rcwmask_el1 rcwsmask_el1")
                                    C("scr_el3", BIT(52), E1 | E2, WR, 3, 0x18, 2, ERROR_WRITES)
                                        C("scr_el3", NOT(43), E1 | E2, RW, 3, 0x18, 2, "tcr2_el1 tcr2_el2 tcr2_el12")
                                            C("scr_el3", NOT(44), E1 | E2, RW, 3, 0x18, 2, "sctlr2_el1 sctlr2_el2 sctlr2_el12")
                                                C("scr_el3", NOT(45), E0 | E1 | E2, RW, 3, 0x18, 2,
                                                  INDIRECT " por_el0 por_el1 pir_el2 pire0_el2 "
                                                           "por_el2 s2pir_el2 s2por_el1 pir_el12 pire0_el12 por_el12")
                                                    C("scr_el3", BIT(40), E0 | E1 | E2 | E3, RD, 3, 0x18, 2, "rndr rndrrs")
    /* CPTR_EL3, MDCR_EL3 */
    C("cptr_el3", BIT(31), E1 | E2, RW, 3, 0x18, 2, "cpacr_el1 cptr_el2 cpacr_el12")
        C("cptr_el3", BIT(10), E0 | E1 | E2 | E3, RW, 3, 0x07, 2, "fpcr fpsr")
            C("mdcr_el3", BIT(6), E0 | E1 | E2, RW, 3, 0x18, 2, PMU_ALL) C("mdcr_el3", BIT(9), E0 | E1 | E2, RW, 3, 0x18, 2,
                                                                           DEBUG " mdrar_el1 mdcr_el2")
                C("mdcr_el3", BIT(10), E1 | E2, RW, 3, 0x18, 2, OS_LOCK) C("mdcr_el3", BIT(27), E0 | E1 | E2, RW, 3, 0x18, 2, DCC)
                    C("mdcr_el3", NOT(43), E1 | E2, RW, 3, 0x18, 2, "mdselr_el1")
                        C("mdcr_el3", NOT(7), E0 | E1 | E2, RW, 3, 0x18, 2, PMU_9)
                            C("mdcr_el3", NOT(44), E1 | E2, RW, 3, 0x18, 2, PMU_SS)
                                C("pmuserenr_el0", BIT(6), E0, RD, 1, 0x18, 0, "pmceid0_el0 pmceid1_el0")};

/* Does name match pattern, which ends at a blank? */
static bool matches(const char *pattern, const char *name)
{
    for (; *pattern && *pattern != ' '; pattern++, name++) {
        if (*pattern == '*') {
            for (const char *rest = name;; rest++) {
                if (matches(pattern + 1, rest))
                    return true;
                if (!*rest)
                    return false;
            }
        }
        if (*pattern != *name)
            return false;
    }
    return !*name;
}

static bool listed(const char *names, const char *name)
{
    for (; *names; names += strcspn(names, " "), names += strspn(names, " "))
        if (matches(names, name))
            return true;
    return false;
}

/* ids a control lists, once for all. */
static uint8_t lists[ARRAY_LEN(controls)][SYSREG_COUNT];
static uint8_t used[ARRAY_LEN(controls)];

static int fill_lists(void **state)
{
    char name[40];
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(controls); i++) {
        for (unsigned id = 1; id < SYSREG_COUNT; id++) {
            sysreg_name(id, name, sizeof name);
            lists[i][id] = listed(controls[i].names, name);
        }
    }
    return 0;
}

/* Sets the control if the configuration has it: its bits take the trapping value. */
static bool set(struct pe_world *w, unsigned i)
{
    const struct control *k = &controls[i];
    unsigned id = pe_id(k->reg);
    if (!sysreg_exists(w->map, id) || (k->to == 2 && !pe_has(w, FEAT_EL2)))
        return false;
    pe_bits(w, k->reg, k->mask, k->value);
    return (sysreg_read(&w->c, id) & k->mask) == k->value;
}

static bool concerns(unsigned i, unsigned el, unsigned id, bool write)
{
    const struct control *k = &controls[i];
    return k->from >> el & 1 && k->dir >> write & 1 && lists[i][id];
}

/* EL1 is out of reach while TGE; what would go to EL1 goes to EL2. */
static bool reachable(const struct pe_world *w, bool host, unsigned el) { return pe_levels(w) >> el & 1 && !(host && el == 1); }

/* The control that stops an access when the bits of control i trap: i, or one of the same bits that concerns other registers. */
static unsigned stops(const struct pe_world *w, unsigned i, unsigned el, unsigned id, bool write)
{
    for (unsigned k = 0; k < ARRAY_LEN(controls); k++) {
        const struct control *a = &controls[i], *b = &controls[k];
        if (!strcmp(a->reg, b->reg) && a->mask == b->mask && a->value == b->value && a->world == b->world &&
            (b->to != 2 || pe_has(w, FEAT_EL2)) && concerns(k, el, id, write))
            return k;
    }
    return i;
}

/* Rows that stand for encodings without a register have a test of their own. */
static bool stands_for_others(unsigned id)
{
    return id == SR_unallocated_id || id == SR_impdef_register || id == SR_impdef_instruction;
}

/* Outcomes of every access in the open world. */
static int base[2][4][SYSREG_COUNT];

static void look(struct pe_world *w)
{
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        for (unsigned el = 0; el < 4; el++)
            for (unsigned write = 0; write < 2; write++)
                base[write][el][id] = pe_outcome(pe_check(w, el, id, write));
}

static void each_control_traps_what_it_lists_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned host = 0; host <= pe_has(&w, FEAT_VHE); host++) {
            for (unsigned i = 0; i < ARRAY_LEN(controls); i++) {
                pe_open(&w, host, host);
                look(&w);
                if ((controls[i].world != 2 && controls[i].world != host) || !set(&w, i))
                    continue;
                used[i] = 1;
                for_ids(&w, id)
                {
                    for (unsigned el = 0; el < 4 && !stands_for_others(id); el++) {
                        for (unsigned write = 0; write < 2 && reachable(&w, host, el); write++) {
                            unsigned by = stops(&w, i, el, id, write);
                            bool hit = concerns(by, el, id, write) && base[write][el][id] == SYSREG_OK;
                            int got = pe_outcome(pe_check(&w, el, id, write));
                            int want = hit ? (int)TO(controls[by].to, controls[by].ec) : base[write][el][id];
                            if (got != want)
                                fail_msg("%s & %#llx: %s, EL%u, %s: %d, not %d", controls[i].reg,
                                         (unsigned long long)controls[i].mask, pe_about(&w, id), el, write ? "write" : "read",
                                         got, want);
                        }
                    }
                }
            }
        }
        pe_end(&w);
    }
    for (unsigned i = 0; i < ARRAY_LEN(controls); i++)
        if (!used[i])
            fail_msg("no configuration has %s & %#llx", controls[i].reg, (unsigned long long)controls[i].mask);
}

/* A guest's HCR_EL2 controls do not concern EL0 of a host (D8.12.3). */
static void hcr_traps_leave_el0_of_a_host_alone(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned i = 0; i < ARRAY_LEN(controls); i++) {
        pe_open(&w, true, true);
        look(&w);
        if (strcmp(controls[i].reg, "hcr_el2") || !set(&w, i))
            continue;
        for_ids(&w, id)
        {
            assert_outcome(&w, 0, id, false, base[0][0][id]);
            assert_outcome(&w, 0, id, true, base[1][0][id]);
        }
    }
    pe_end(&w);
}

/* Accesses that trap when two controls are set: CNTFRQ_EL0 at EL0, the GIC's registers for both groups at EL1 and EL2. */
static int asks_two_controls(const struct pe_world *w, bool host, unsigned el, unsigned id)
{
    if (id == SR_cntfrq_el0 && el == 0 && !((host ? w->r.cnthctl_el2 : w->r.cntkctl_el1) & 3))
        return host ? TO(2, 0x18) : TO(1, 0x18);
    if ((el == 1 || el == 2) && pe_has(w, FEAT_EL3) && (w->r.scr_el3 & 6) == 6 && listed(BOTH " " SGI, sysreg_row_of(id)->name))
        return TO(3, 0x18);
    return SYSREG_OK;
}

/* While SCR_EL3.HXEn is 0, HCRX_EL2 is as if it were 0. */
static bool in_effect(const struct pe_world *w, const struct control *x)
{
    return strcmp(x->reg, "hcrx_el2") || !x->value || w->r.scr_el3 >> 38 & 1;
}

static void the_lowest_level_asked_wins(void **state)
{
    uint64_t rng = 20;
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned round = 0; round < 150; round++) {
            bool host = pe_has(&w, FEAT_VHE) && rng_below(&rng, 3) == 0;
            unsigned chosen[8], count = 0, tries = 2 + (unsigned)rng_below(&rng, 7);
            pe_open(&w, host, host);
            look(&w);
            while (tries--) {
                unsigned i = (unsigned)rng_below(&rng, ARRAY_LEN(controls));
                if ((controls[i].world == 2 || controls[i].world == host) && set(&w, i))
                    chosen[count++] = i;
            }
            for_ids(&w, id)
            {
                for (unsigned el = 0; el < 4 && !stands_for_others(id); el++) {
                    for (unsigned write = 0; write < 2 && reachable(&w, host, el); write++) {
                        int want = base[write][el][id];
                        unsigned to = 9;
                        for (unsigned k = 0; k < count && base[write][el][id] == SYSREG_OK; k++) {
                            unsigned by = stops(&w, chosen[k], el, id, write);
                            const struct control *x = &controls[by];
                            if (in_effect(&w, x) && concerns(by, el, id, write) && x->to < to) {
                                to = x->to;
                                want = TO(x->to, x->ec);
                            }
                        }
                        if (want == SYSREG_OK)
                            want = asks_two_controls(&w, host, el, id);
                        assert_outcome(&w, el, id, write, want);
                    }
                }
            }
        }
        pe_end(&w);
    }
}

static void tge_takes_what_would_go_to_el1(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned i = 0; i < ARRAY_LEN(controls); i++) {
        const struct control *k = &controls[i];
        if (k->to != 1)
            continue;
        pe_open(&w, false, true);
        look(&w);
        assert_true(set(&w, i));
        for_ids(&w, id)
        {
            for (unsigned write = 0; write < 2; write++) {
                bool hit = concerns(i, 0, id, write) && base[write][0][id] == SYSREG_OK;
                assert_outcome(&w, 0, id, write, hit ? (int)TO(2, k->ec == 7 ? 0 : k->ec) : base[write][0][id]);
            }
        }
    }
    pe_end(&w);
}

static void implementation_defined_encodings_trap_or_are_undefined(void **state)
{
    struct pe_world w;
    (void)state;
    for (unsigned tidcp1 = 0; tidcp1 < 2; tidcp1++) {
        pe_new(&w, tidcp1 ? "max" : "max,tidcp1=off");
        for (unsigned k = 0; k < 8; k++) {
            bool hcr = k & 1, sctlr = (k & 2) && tidcp1, host = k & 4;
            pe_open(&w, host, host);
            pe_bits(&w, "hcr_el2", UINT64_C(1) << 20, (uint64_t)hcr << 20);
            pe_bits(&w, host ? "sctlr_el2" : "sctlr_el1", UINT64_C(1) << 63, (uint64_t)sctlr << 63);
            for (unsigned op0 = 1; op0 < 4; op0 += 2) {
                for (unsigned crn = 11; crn < 16; crn += 4) {
                    for (unsigned write = 0; write < 2; write++) {
                        unsigned id = sysreg_find(w.map, op0, k, crn, (unsigned)k * 2, 7 - k);
                        assert_outcome(&w, 0, id, write, !sctlr ? SYSREG_UNDEFINED : TO(host ? 2 : 1, 0x18));
                        if (!host)
                            assert_outcome(&w, 1, id, write, hcr ? TO(2, 0x18) : SYSREG_UNDEFINED);
                        assert_outcome(&w, 2, id, write, SYSREG_UNDEFINED);
                        assert_outcome(&w, 3, id, write, SYSREG_UNDEFINED);
                    }
                }
            }
        }
        pe_end(&w);
    }
}

static void unallocated_and_forbidden_id_reads_trap_with_idst(void **state)
{
    struct pe_world w;
    (void)state;
    for (unsigned idst = 0; idst < 2; idst++) {
        pe_new(&w, idst ? "max" : "max,idst=off");
        pe_open(&w, false, false);
        unsigned free_one = sysreg_find(w.map, 3, 1, 0, 3, 5), pfr0 = sysreg_find(w.map, 3, 0, 0, 4, 0),
                 elsewhere = sysreg_find(w.map, 3, 2, 0, 3, 5);
        assert_int_equal(free_one, SR_unallocated_id);
        assert_int_equal(pfr0, SR_id_aa64pfr0_el1);
        assert_int_equal(elsewhere, SR_NONE);
        assert_outcome(&w, 0, pfr0, false, idst ? TO(1, 0x18) : SYSREG_UNDEFINED);
        for (unsigned el = 0; el < 4; el++) {
            assert_outcome(&w, el, free_one, false, idst ? TO(el ? el : 1, 0x18) : SYSREG_UNDEFINED);
            assert_outcome(&w, el, free_one, true, SYSREG_UNDEFINED);
            assert_outcome(&w, el, pfr0, true, SYSREG_UNDEFINED);
            assert_outcome(&w, el, elsewhere, false, SYSREG_UNDEFINED);
        }
        pe_bits(&w, "hcr_el2", BIT(18)); /* TID3 */
        assert_outcome(&w, 1, free_one, false, idst ? TO(2, 0x18) : SYSREG_UNDEFINED);
        pe_bits(&w, "hcr_el2", BIT(27)); /* TGE */
        assert_outcome(&w, 0, pfr0, false, idst ? TO(2, 0x18) : SYSREG_UNDEFINED);
        pe_end(&w);
    }
}

/* FEAT_RNG_TRAP without FEAT_RNG: firmware may stand in for the instruction (D24.2.125). */
static void random_numbers_can_be_emulated_at_el3(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,rng=off");
    pe_open(&w, false, false);
    assert_outcome(&w, 0, SR_rndr, false, SYSREG_UNDEFINED);
    pe_bits(&w, "scr_el3", BIT(40));
    assert_outcome(&w, 0, SR_rndr, false, TO(3, 0x18));
    assert_outcome(&w, 3, SR_rndrrs, false, TO(3, 0x18));
    pe_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_control_traps_what_it_lists_and_nothing_else),
        cmocka_unit_test(hcr_traps_leave_el0_of_a_host_alone),
        cmocka_unit_test(the_lowest_level_asked_wins),
        cmocka_unit_test(tge_takes_what_would_go_to_el1),
        cmocka_unit_test(implementation_defined_encodings_trap_or_are_undefined),
        cmocka_unit_test(random_numbers_can_be_emulated_at_el3),
        cmocka_unit_test(unallocated_and_forbidden_id_reads_trap_with_idst),
    };
    return cmocka_run_group_tests_name("sysreg_traps", tests, fill_lists, NULL);
}
