/* Configurations and what the ID registers say about them: the manual's definition of each feature, stated a second time. */
#include "sysreg_world.h"

/* The feature is there if and only if the field is at least `least`, signed or not (A2.2, "This feature is identified by …"). */
static const struct identified {
    enum arm_feat feat;
    unsigned reg, lsb;
    int least;
    bool is_signed;
} identified[] = {
    {FEAT_SEL2, SR_id_aa64pfr0_el1, 36, 1, false},
    {FEAT_VHE, SR_id_aa64mmfr1_el1, 8, 1, false},
    {FEAT_MixedEnd, SR_id_aa64mmfr0_el1, 8, 1, false},
    {FEAT_IDST, SR_id_aa64mmfr2_el1, 36, 1, false},
    {FEAT_TIDCP1, SR_id_aa64mmfr1_el1, 52, 1, false},
    {FEAT_FGT, SR_id_aa64mmfr0_el1, 56, 1, false},
    {FEAT_HCX, SR_id_aa64mmfr1_el1, 40, 1, false},
    {FEAT_EVT, SR_id_aa64mmfr2_el1, 56, 1, false},
    {FEAT_CCIDX, SR_id_aa64mmfr2_el1, 20, 1, false},
    {FEAT_ExS, SR_id_aa64mmfr0_el1, 44, 1, false},
    {FEAT_RAS, SR_id_aa64pfr0_el1, 28, 1, false},
    {FEAT_IESB, SR_id_aa64mmfr2_el1, 12, 1, false},
    {FEAT_DoubleLock, SR_id_aa64dfr0_el1, 36, 0, true},
    {FEAT_Debugv8p1, SR_id_aa64dfr0_el1, 0, 7, false},
    {FEAT_Debugv8p2, SR_id_aa64dfr0_el1, 0, 8, false},
    {FEAT_Debugv8p4, SR_id_aa64dfr0_el1, 0, 9, false},
    {FEAT_PMUv3, SR_id_aa64dfr0_el1, 8, 1, false},
    {FEAT_PMUv3p1, SR_id_aa64dfr0_el1, 8, 4, false},
    {FEAT_PMUv3p4, SR_id_aa64dfr0_el1, 8, 5, false},
    {FEAT_PMUv3p5, SR_id_aa64dfr0_el1, 8, 6, false},
    {FEAT_ECV, SR_id_aa64mmfr0_el1, 60, 1, false},
    {FEAT_ECV_POFF, SR_id_aa64mmfr0_el1, 60, 2, false},
    {FEAT_WFxT, SR_id_aa64isar2_el1, 0, 2, false},
    {FEAT_TGran4K, SR_id_aa64mmfr0_el1, 28, 0, true},
    {FEAT_TGran16K, SR_id_aa64mmfr0_el1, 20, 1, false},
    {FEAT_TGran64K, SR_id_aa64mmfr0_el1, 24, 0, true},
    {FEAT_ASID16, SR_id_aa64mmfr0_el1, 4, 2, false},
    {FEAT_VMID16, SR_id_aa64mmfr1_el1, 4, 2, false},
    {FEAT_LVA, SR_id_aa64mmfr2_el1, 16, 1, false},
    {FEAT_LPA, SR_id_aa64mmfr0_el1, 0, 6, false},
    {FEAT_PAN, SR_id_aa64mmfr1_el1, 20, 1, false},
    {FEAT_PAN2, SR_id_aa64mmfr1_el1, 20, 2, false},
    {FEAT_PAN3, SR_id_aa64mmfr1_el1, 20, 3, false},
    {FEAT_UAO, SR_id_aa64mmfr2_el1, 4, 1, false},
    {FEAT_HAFDBS, SR_id_aa64mmfr1_el1, 0, 1, false},
    {FEAT_HPDS, SR_id_aa64mmfr1_el1, 12, 1, false},
    {FEAT_HPDS2, SR_id_aa64mmfr1_el1, 12, 2, false},
    {FEAT_LOR, SR_id_aa64mmfr1_el1, 16, 1, false},
    {FEAT_XNX, SR_id_aa64mmfr1_el1, 28, 1, false},
    {FEAT_TTCNP, SR_id_aa64mmfr2_el1, 0, 1, false},
    {FEAT_TTST, SR_id_aa64mmfr2_el1, 28, 1, false},
    {FEAT_TTL, SR_id_aa64mmfr2_el1, 48, 1, false},
    {FEAT_S2FWB, SR_id_aa64mmfr2_el1, 40, 1, false},
    {FEAT_E0PD, SR_id_aa64mmfr2_el1, 60, 1, false},
    {FEAT_TLBIOS, SR_id_aa64isar0_el1, 56, 1, false},
    {FEAT_TLBIRANGE, SR_id_aa64isar0_el1, 56, 2, false},
    {FEAT_XS, SR_id_aa64isar1_el1, 56, 1, false},
    {FEAT_ETS2, SR_id_aa64mmfr1_el1, 36, 2, false},
    {FEAT_CRC32, SR_id_aa64isar0_el1, 16, 1, false},
    {FEAT_LSE, SR_id_aa64isar0_el1, 20, 2, false},
    {FEAT_LSE128, SR_id_aa64isar0_el1, 20, 3, false},
    {FEAT_LSE2, SR_id_aa64mmfr2_el1, 32, 1, false},
    {FEAT_LRCPC, SR_id_aa64isar1_el1, 20, 1, false},
    {FEAT_LRCPC2, SR_id_aa64isar1_el1, 20, 2, false},
    {FEAT_LRCPC3, SR_id_aa64isar1_el1, 20, 3, false},
    {FEAT_FlagM, SR_id_aa64isar0_el1, 52, 1, false},
    {FEAT_FlagM2, SR_id_aa64isar0_el1, 52, 2, false},
    {FEAT_RNG, SR_id_aa64isar0_el1, 60, 1, false},
    {FEAT_RNG_TRAP, SR_id_aa64pfr1_el1, 28, 1, false},
    {FEAT_CSSC, SR_id_aa64isar2_el1, 52, 1, false},
    {FEAT_HBC, SR_id_aa64isar2_el1, 20, 1, false},
    {FEAT_DIT, SR_id_aa64pfr0_el1, 48, 1, false},
    {FEAT_DGH, SR_id_aa64isar1_el1, 48, 1, false},
    {FEAT_DPB, SR_id_aa64isar1_el1, 0, 1, false},
    {FEAT_DPB2, SR_id_aa64isar1_el1, 0, 2, false},
    {FEAT_SB, SR_id_aa64isar1_el1, 36, 1, true},
    {FEAT_SPECRES, SR_id_aa64isar1_el1, 40, 1, false},
    {FEAT_SPECRES2, SR_id_aa64isar1_el1, 40, 2, false},
    {FEAT_SSBS, SR_id_aa64pfr1_el1, 4, 1, false},
    {FEAT_SSBS2, SR_id_aa64pfr1_el1, 4, 2, false},
    {FEAT_CSV2, SR_id_aa64pfr0_el1, 56, 1, false},
    {FEAT_CSV2_2, SR_id_aa64pfr0_el1, 56, 2, false},
    {FEAT_CSV3, SR_id_aa64pfr0_el1, 60, 1, false},
    {FEAT_CLRBHB, SR_id_aa64isar2_el1, 28, 1, false},
    {FEAT_ECBHB, SR_id_aa64mmfr1_el1, 60, 1, false},
    {FEAT_BTI, SR_id_aa64pfr1_el1, 0, 1, false},
    {FEAT_PACQARMA5, SR_id_aa64isar1_el1, 24, 1, false},
    {FEAT_PACQARMA3, SR_id_aa64isar2_el1, 8, 1, false},
    {FEAT_PACIMP, SR_id_aa64isar1_el1, 28, 1, false},
    {FEAT_MTE, SR_id_aa64pfr1_el1, 8, 1, false},
    {FEAT_MTE2, SR_id_aa64pfr1_el1, 8, 2, false},
    {FEAT_MTE3, SR_id_aa64pfr1_el1, 8, 3, false},
    {FEAT_HPMN0, SR_id_aa64dfr0_el1, 60, 1, false},
    {FEAT_RPRFM, SR_id_aa64isar2_el1, 48, 1, false},
    {FEAT_PRFMSLC, SR_id_aa64isar2_el1, 40, 1, false},
    {FEAT_TCR2, SR_id_aa64mmfr3_el1, 0, 1, false},
    {FEAT_SCTLR2, SR_id_aa64mmfr3_el1, 4, 1, false},
    {FEAT_S1PIE, SR_id_aa64mmfr3_el1, 8, 1, false},
    {FEAT_S1POE, SR_id_aa64mmfr3_el1, 16, 1, false},
    {FEAT_MTE_STORE_ONLY, SR_id_aa64pfr2_el1, 4, 1, false},
    {FEAT_MTE_TAGGED_FAR, SR_id_aa64pfr2_el1, 8, 1, false},
    {FEAT_FP, SR_id_aa64pfr0_el1, 16, 0, true},
    {FEAT_AdvSIMD, SR_id_aa64pfr0_el1, 20, 0, true},
    {FEAT_FP16, SR_id_aa64pfr0_el1, 16, 1, true},
    {FEAT_FHM, SR_id_aa64isar0_el1, 48, 1, false},
    {FEAT_BF16, SR_id_aa64isar1_el1, 44, 1, false},
    {FEAT_I8MM, SR_id_aa64isar1_el1, 52, 1, false},
    {FEAT_DotProd, SR_id_aa64isar0_el1, 44, 1, false},
    {FEAT_RDM, SR_id_aa64isar0_el1, 28, 1, false},
    {FEAT_FCMA, SR_id_aa64isar1_el1, 16, 1, false},
    {FEAT_JSCVT, SR_id_aa64isar1_el1, 12, 1, false},
    {FEAT_FRINTTS, SR_id_aa64isar1_el1, 32, 1, false},
    {FEAT_AFP, SR_id_aa64mmfr1_el1, 44, 1, false},
    {FEAT_RPRES, SR_id_aa64isar2_el1, 4, 1, false},
    {FEAT_NMI, SR_id_aa64pfr1_el1, 36, 1, false},
    {FEAT_DoubleFault2, SR_id_aa64pfr1_el1, 56, 1, false},
    {FEAT_Debugv8p8, SR_id_aa64dfr0_el1, 0, 10, false},
    {FEAT_Debugv8p9, SR_id_aa64dfr0_el1, 0, 11, false},
    {FEAT_CMOW, SR_id_aa64mmfr1_el1, 56, 1, false},
    {FEAT_MTE_PERM, SR_id_aa64pfr2_el1, 0, 1, false},
    {FEAT_RASv2, SR_id_aa64pfr0_el1, 28, 3, false},
    {FEAT_ANERR, SR_id_aa64mmfr3_el1, 44, 2, false},
    {FEAT_ADERR, SR_id_aa64mmfr3_el1, 56, 2, false},
    {FEAT_THE, SR_id_aa64pfr1_el1, 48, 1, false},
    {FEAT_S2POE, SR_id_aa64mmfr3_el1, 20, 1, false},
    {FEAT_HAFT, SR_id_aa64mmfr1_el1, 0, 3, false},
    {FEAT_S2PIE, SR_id_aa64mmfr3_el1, 12, 1, false},
    {FEAT_nTLBPA, SR_id_aa64mmfr1_el1, 48, 1, false},
    {FEAT_AIE, SR_id_aa64mmfr3_el1, 24, 1, false},
    {FEAT_ATS1A, SR_id_aa64isar2_el1, 60, 1, false},
    {FEAT_PMUv3p7, SR_id_aa64dfr0_el1, 8, 7, false},
    {FEAT_PMUv3p8, SR_id_aa64dfr0_el1, 8, 8, false},
    {FEAT_PMUv3p9, SR_id_aa64dfr0_el1, 8, 9, false},
    {FEAT_PMUv3_ICNTR, SR_id_aa64dfr1_el1, 36, 1, false},
    {FEAT_PMUv3_SS, SR_id_aa64dfr0_el1, 16, 1, false},
    {FEAT_PMUv3_TH, SR_pmmir_el1, 20, 1, false},
    {FEAT_PMUv3_EDGE, SR_pmmir_el1, 24, 1, false},
    {FEAT_FGT2, SR_id_aa64mmfr0_el1, 56, 2, false},
    {FEAT_MTE_CANONICAL_TAGS, SR_id_aa64pfr1_el1, 52, 1, false},
    {FEAT_MTE_NO_ADDRESS_TAGS, SR_id_aa64pfr1_el1, 52, 1, false},
    {FEAT_CONSTPACFIELD, SR_id_aa64isar2_el1, 24, 1, false},
    {FEAT_CSV2_1p1, SR_id_aa64pfr1_el1, 32, 1, false},
    {FEAT_CSV2_1p2, SR_id_aa64pfr1_el1, 32, 2, false},
    {FEAT_TWED, SR_id_aa64mmfr1_el1, 32, 1, false},
    {FEAT_EBEP, SR_id_aa64dfr1_el1, 48, 1, false},
    {FEAT_SEBEP, SR_id_aa64dfr0_el1, 24, 1, false},
    {FEAT_PFAR, SR_id_aa64pfr1_el1, 60, 1, false},
    {FEAT_AES, SR_id_aa64isar0_el1, 4, 1, false},
    {FEAT_PMULL, SR_id_aa64isar0_el1, 4, 2, false},
    {FEAT_SHA1, SR_id_aa64isar0_el1, 8, 1, false},
    {FEAT_SHA256, SR_id_aa64isar0_el1, 12, 1, false},
    {FEAT_SHA512, SR_id_aa64isar0_el1, 12, 2, false},
    {FEAT_SHA3, SR_id_aa64isar0_el1, 32, 1, false},
    {FEAT_SM3, SR_id_aa64isar0_el1, 36, 1, false},
    {FEAT_SM4, SR_id_aa64isar0_el1, 40, 1, false},
};

static int field(struct pe_world *w, unsigned reg, unsigned lsb, bool is_signed)
{
    uint64_t v = bits_get(pe_read(w, 1, reg), lsb + 3, lsb);
    return is_signed ? (int)bits_sext(v, 4) : (int)v;
}

static int pauth_level(struct pe_world *w)
{
    int apa = field(w, SR_id_aa64isar1_el1, 4, false), api = field(w, SR_id_aa64isar1_el1, 8, false),
        apa3 = field(w, SR_id_aa64isar2_el1, 12, false);
    assert_true((apa > 0) + (api > 0) + (apa3 > 0) <= 1);
    assert_int_equal(apa > 0, field(w, SR_id_aa64isar1_el1, 24, false)); /* GPA, GPI, GPA3 */
    assert_int_equal(api > 0, field(w, SR_id_aa64isar1_el1, 28, false));
    assert_int_equal(apa3 > 0, field(w, SR_id_aa64isar2_el1, 8, false));
    return apa + api + apa3;
}

static void expect(struct pe_world *w, enum arm_feat f, bool shown)
{
    if (shown != pe_has(w, f))
        fail_msg("\"%s\": %s is %d, the ID registers say %d", w->text, arm_feat_name(f), pe_has(w, f), shown);
}

static void consistent(struct pe_world *w)
{
    static const uint64_t pa[] = {32, 36, 40, 42, 44, 48, 52};
    for (unsigned i = 0; i < ARRAY_LEN(identified); i++)
        expect(w, identified[i].feat,
               field(w, identified[i].reg, identified[i].lsb, identified[i].is_signed) >= identified[i].least);
    int level = pauth_level(w), ras = field(w, SR_id_aa64pfr0_el1, 28, false), frac = field(w, SR_id_aa64pfr1_el1, 12, false);
    expect(w, FEAT_PAuth, level >= 1);
    expect(w, FEAT_EPAC, level == 2);
    expect(w, FEAT_PAuth2, level >= 3);
    expect(w, FEAT_FPAC, level >= 4);
    expect(w, FEAT_FPACCOMBINE, level >= 5);
    expect(w, FEAT_RASv1p1, ras >= 2 || (ras == 1 && frac >= 1));
    expect(w, FEAT_DoubleFault, ras >= 2 && pe_has(w, FEAT_EL3));
    /* D24.2.91: what is known of errors is told from RASv2 on, twice alike where it can be chosen. */
    for (unsigned lsb = 40; lsb < 64; lsb += 12) {
        int synchronous = field(w, SR_id_aa64mmfr3_el1, lsb, false), asynchronous = field(w, SR_id_aa64mmfr3_el1, lsb + 4, false);
        assert_int_equal(synchronous > 0, ras >= 3);
        assert_int_equal(asynchronous, synchronous >= 2 ? synchronous : 0);
    }
    expect(w, FEAT_BBML1, field(w, SR_id_aa64mmfr2_el1, 52, false) >= 1);
    expect(w, FEAT_BBML2, field(w, SR_id_aa64mmfr2_el1, 52, false) >= 2);
    expect(w, FEAT_GICv3, field(w, SR_id_aa64pfr0_el1, 24, false) == 1);
    expect(w, FEAT_EL2, field(w, SR_id_aa64pfr0_el1, 8, false) == 1);
    expect(w, FEAT_EL3, field(w, SR_id_aa64pfr0_el1, 12, false) == 1);
    assert_int_equal(pe_read(w, 1, SR_id_aa64pfr0_el1) & 0xff, 0x11);
    if (pe_has(w, FEAT_TGran4K))
        expect(w, FEAT_LPA2, field(w, SR_id_aa64mmfr0_el1, 28, true) >= 1);
    if (pe_has(w, FEAT_TGran16K))
        expect(w, FEAT_LPA2, field(w, SR_id_aa64mmfr0_el1, 20, false) >= 2);
    for (unsigned i = 0; i < 3 && pe_has(w, FEAT_EL2); i++) { /* TGran16_2, TGran64_2, TGran4_2: as stage 1, or said */
        static const enum arm_feat granule[] = {FEAT_TGran16K, FEAT_TGran64K, FEAT_TGran4K};
        int v = field(w, SR_id_aa64mmfr0_el1, 32 + 4 * i, false);
        bool wide = pe_has(w, FEAT_LPA2);
        assert_int_equal(v, !wide ? 0 : !pe_has(w, granule[i]) ? 1 : i == 1 ? 2 : 3);
    }
    assert_int_equal(pa[field(w, SR_id_aa64mmfr0_el1, 0, false)], w->cfg.pa_bits);
    /* BRPs, WRPs, CTX_CMPs; of ID_AA64DFR1_EL1 as far as they do not fit, WRPs also if it is 15 with FEAT_Debugv8p9 */
    const uint64_t counts[] = {w->cfg.breakpoints, w->cfg.watchpoints, w->cfg.ctx_cmps};
    for (unsigned i = 0; i < 3; i++) {
        bool more = counts[i] > 16 || (i == 1 && counts[i] == 16 && pe_has(w, FEAT_Debugv8p9));
        assert_int_equal(field(w, SR_id_aa64dfr0_el1, 12 + 8 * i, false) + 1, counts[i] > 16 ? 16 : counts[i]);
        assert_int_equal(bits_get(pe_read(w, 1, SR_id_aa64dfr1_el1), 15 + 8 * i, 8 + 8 * i), more ? counts[i] - 1 : 0);
    }
    assert_true(field(w, SR_id_aa64dfr0_el1, 0, false) >= 6);
    assert_true(!field(w, SR_id_aa64pfr1_el1, 32, false) || field(w, SR_id_aa64pfr0_el1, 56, false) == 1);
    /* SVE, MPAM, AMU, RME; SME, GCS; trace, SPE, BRBE; LS64, TME; MOPS; NV */
    assert_int_equal(pe_read(w, 1, SR_id_aa64pfr0_el1) & 0x00f0ff0f00000000ull & ~0xf000000000ull, 0);
    assert_int_equal(pe_read(w, 1, SR_id_aa64pfr1_el1) & 0x0000ff000f0f0000ull, 0);
    assert_int_equal(pe_read(w, 1, SR_id_aa64dfr0_el1) & 0x0fffff0f000000f0ull, 0);
    assert_int_equal(field(w, SR_id_aa64isar1_el1, 60, false) | field(w, SR_id_aa64isar0_el1, 24, false), 0);
    assert_int_equal(field(w, SR_id_aa64isar2_el1, 16, false) | field(w, SR_id_aa64mmfr2_el1, 24, false), 0);
}

static void id_registers_say_what_is_there(void **state)
{
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        consistent(&w);
        pe_end(&w);
    }
}

/* Random features on and off, on random cores: what comes out is refused with a sentence or consistent. */
static void random_configurations_are_refused_or_consistent(void **state)
{
    uint64_t rng = 11;
    unsigned good = 0;
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        char text[400];
        struct arm_config c;
        struct err e = {{0}};
        size_t n = (size_t)snprintf(text, sizeof text, "%s", arm_core_name((unsigned)rng_below(&rng, 4)));
        for (unsigned k = (unsigned)rng_below(&rng, 8); k; k--)
            n += (size_t)snprintf(text + n, sizeof text - n, ",%s=%s",
                                  arm_feat_name((enum arm_feat)rng_below(&rng, ARM_FEAT_COUNT)),
                                  rng_below(&rng, 2) ? "on" : "off");
        if (!arm_config_parse(text, &c, &e)) {
            if (!strstr(e.text, "needs") && !strstr(e.text, "exclude") && !strstr(e.text, "must be on") &&
                !strstr(e.text, "means"))
                fail_msg("%s: %s", text, e.text);
            continue;
        }
        struct pe_world w;
        pe_new(&w, text);
        consistent(&w);
        pe_end(&w);
        good++;
    }
    assert_true(good > 1500);
}

/* What the technical reference manuals of the cores give, without what is absent here (AArch32, SVE, trace, SPE, AMU, MPAM, NV).
 */
static void named_cores_have_their_manuals_values(void **state)
{
    static const struct {
        const char *core;
        unsigned reg;
        uint64_t value;
    } known[] = {
        {"cortex-a53", SR_midr_el1, 0x410fd034},
        {"cortex-a53", SR_ctr_el0, 0x84448004},
        {"cortex-a53", SR_clidr_el1, 0x0a200023},
        {"cortex-a53", SR_id_aa64dfr0_el1, 0x10305106},
        {"cortex-a53", SR_id_aa64isar0_el1, 0x00011120},
        {"cortex-a53", SR_id_aa64isar1_el1, 0},
        {"cortex-a53", SR_id_aa64mmfr0_el1, 0x00001122},
        {"cortex-a53", SR_id_aa64mmfr1_el1, 0},
        {"cortex-a53", SR_id_aa64pfr0_el1, 0x01001111},
        {"cortex-a76", SR_midr_el1, 0x414fd0b1},
        {"cortex-a76", SR_clidr_el1, 0x02000023},
        {"max", SR_clidr_el1, 0x02000023},
        {"max,s2fwb=off", SR_clidr_el1, 0x0a200023},
        {"max,s2fwb=off,idc=1", SR_clidr_el1, 0x02000023},
        {"cortex-a76", SR_id_aa64dfr0_el1, 0x10305408},
        {"cortex-a76", SR_id_aa64isar0_el1, 0x0000100010211120},
        {"cortex-a76", SR_id_aa64isar1_el1, 0x0000000000100001},
        {"cortex-a76", SR_id_aa64mmfr0_el1, 0x00101122},
        {"cortex-a76", SR_id_aa64mmfr1_el1, 0x10212122},
        {"cortex-a76", SR_id_aa64mmfr2_el1, 0x00001011},
        {"cortex-a76", SR_id_aa64pfr0_el1, 0x1100000011111111},
        {"cortex-a76", SR_id_aa64pfr1_el1, 0x10},
        {"neoverse-v1", SR_midr_el1, 0x411fd402},
        {"neoverse-v1", SR_ctr_el0, 0xb444c004},
        {"neoverse-v1", SR_id_aa64dfr0_el1, 0x000000f010305509},
        {"neoverse-v1", SR_id_aa64isar0_el1, 0x1011111110212120},
        {"neoverse-v1", SR_id_aa64isar1_el1, 0x0011100001211032},
        {"neoverse-v1", SR_id_aa64mmfr0_el1, 0x00101125},
        {"neoverse-v1", SR_id_aa64mmfr1_el1, 0x10212122},
        {"neoverse-v1", SR_id_aa64mmfr2_el1, 0x0220011100101011},
        {"neoverse-v1", SR_id_aa64pfr0_el1, 0x1101000021111111},
        {"neoverse-v1", SR_id_aa64pfr1_el1, 0x20},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        struct pe_world w;
        pe_new(&w, known[i].core);
        uint64_t v = pe_read(&w, 1, known[i].reg);
        if (known[i].reg == SR_midr_el1)
            v = pe_read(&w, 3, known[i].reg);
        if (v != known[i].value)
            fail_msg("%s reads %#llx", pe_about(&w, known[i].reg), (unsigned long long)v);
        pe_end(&w);
    }
}

static void caches_have_their_sizes(void **state)
{
    struct pe_world w;
    (void)state;
    for (unsigned ccidx = 0; ccidx < 2; ccidx++) {
        pe_new(&w, ccidx ? "max,l1d=64,l1i=16,l2=512,dline=6,iline=5" : "max,ccidx=off,l1d=64,l1i=16,l2=512,dline=6,iline=5");
        static const struct {
            uint64_t select, bytes;
        } cache[] = {{0, 64 << 10}, {1, 16 << 10}, {2, 512 << 10}};
        for (unsigned i = 0; i < 3; i++) {
            pe_write(&w, 1, SR_csselr_el1, cache[i].select);
            uint64_t v = pe_read(&w, 1, SR_ccsidr_el1);
            uint64_t line = UINT64_C(16) << bits_get(v, 2, 0);
            uint64_t ways = (ccidx ? bits_get(v, 23, 3) : bits_get(v, 12, 3)) + 1;
            uint64_t sets = (ccidx ? bits_get(v, 55, 32) : bits_get(v, 27, 13)) + 1;
            assert_int_equal(line * ways * sets, cache[i].bytes);
            assert_int_equal(line, i == 1 ? 32 : 64);
        }
        pe_write(&w, 1, SR_csselr_el1, 6);
        assert_int_equal(pe_read(&w, 1, SR_ccsidr_el1), 0);
        pe_end(&w);
    }
}

static void el1_sees_the_identity_that_el2_gives(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    assert_int_equal(pe_read(&w, 1, SR_midr_el1), w.cfg.midr);
    assert_int_equal(pe_read(&w, 1, SR_mpidr_el1), 0x180000203);
    pe_write(&w, 2, SR_vpidr_el2, 0x12345678);
    pe_write(&w, 2, SR_vmpidr_el2, UINT64_MAX);
    assert_int_equal(pe_read(&w, 1, SR_midr_el1), 0x12345678);
    assert_int_equal(pe_read(&w, 1, SR_mpidr_el1), 0xffc1ffffff);
    assert_int_equal(pe_read(&w, 2, SR_midr_el1), w.cfg.midr);
    assert_int_equal(pe_read(&w, 3, SR_mpidr_el1), 0x180000203);
    pe_bits(&w, "scr_el3", 1, 0); /* Secure without EEL2: no EL2 over EL1 */
    assert_int_equal(pe_read(&w, 1, SR_midr_el1), w.cfg.midr);
    pe_end(&w);
    pe_new(&w, "max,el2=off"); /* RES0 from EL3, but for these two */
    pe_write(&w, 3, SR_vpidr_el2, 5);
    assert_int_equal(pe_read(&w, 3, SR_vpidr_el2), w.cfg.midr);
    assert_int_equal(pe_read(&w, 3, SR_vmpidr_el2), 0x180000203);
    pe_end(&w);
}

static void dczid_says_where_dc_zva_traps(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,zva=7");
    for (unsigned k = 0; k < 16; k++) {
        bool host = k & 1, tdz = k & 2, dze1 = k & 4, dze2 = k & 8;
        pe_open(&w, host, host);
        pe_bits(&w, "hcr_el2", UINT64_C(1) << 28, (uint64_t)tdz << 28);
        pe_bits(&w, "sctlr_el1", 1u << 14, (uint64_t)dze1 << 14);
        pe_bits(&w, "sctlr_el2", 1u << 14, (uint64_t)dze2 << 14);
        for (unsigned el = 0; el < 4; el++) {
            bool traps = pe_check(&w, el, SR_dc_zva, true).result != SYSREG_OK;
            if (!(host && el == 1))
                assert_int_equal(pe_read(&w, el, SR_dczid_el0), 5 | (traps ? 0x10 : 0));
        }
    }
    pe_end(&w);
}

/* ---- configurations ------------------------------------------------------------------------------------------------------- */

static void expect_error(const char *text, const char *part)
{
    struct arm_config c, before;
    struct err e = {{0}};
    arm_config_default(&c);
    before = c;
    assert_false(arm_config_parse(text, &c, &e));
    assert_memory_equal(&c, &before, sizeof c); /* nothing half-applied */
    if (!strstr(e.text, part))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, part);
}

static void bad_text_is_refused_with_a_sentence(void **state)
{
    (void)state;
    expect_error("sve=on", "\"sve\"");
    expect_error("cortex-a72", "\"cortex-a72\"");
    expect_error("mte=on,max", "core comes first");
    expect_error("mte=maybe", "on or off");
    expect_error("max,pauth=qarma4", "on, qarma5, qarma3, impdef or off is expected");
    expect_error("el2=off,vhe=on", "VHE needs EL2");
    expect_error("sel2=on,el3=off", "SEL2 needs EL3");
    expect_error("epac=on,fpac=on", "exclude each other");
    expect_error("csv2_1p1=on,csv2_2=on", "exclude each other");
    expect_error("pacqarma3=on,pacimp=on", "exclude each other");
    expect_error("pauth=on,pacqarma5=off", "needs one of");
    expect_error("pa=45", "32, 36, 40, 42, 44, 48 or 52");
    expect_error("pa=60", "out of range 32..52");
    expect_error("pa=48,lpa=on", "pa is 48");
    expect_error("pa=52,lpa=off", "needs LPA");
    expect_error("tgran4k=off,tgran16k=off,tgran64k=off", "must be on");
    expect_error("breakpoints=2,ctxcmps=3", "ctxcmps=3");
    expect_error("breakpoints=65", "out of range 2..64");
    expect_error("breakpoints=17,debugv8p9=off", "need Debugv8p9");
    expect_error("cortex-a76,watchpoints=17", "need Debugv8p9");
    expect_error("debugv8p9=on,fgt2=off", "Debugv8p9 needs FGT2");
    expect_error("l2=1000", "power of two");
    expect_error("gic-prio=8", "5 to 7");
    expect_error("gic-id-bits=20", "16 or 24");
    expect_error("rvbar=2", "multiple of 4");
    expect_error("midr=x", "not a number");
    expect_error("midr=0x100000000", "out of range");
    expect_error("zva=", "not a number");
    char many[300];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    expect_error(many, "too long");
}

static void turning_off_takes_along_and_turning_on_brings(void **state)
{
    struct arm_config c;
    (void)state;
    assert_true(arm_config_parse("MAX, el2=off\n# a comment, vhe=on\nmte=off FEAT_SHA1=off", &c, NULL));
    assert_false(arm_has(&c, FEAT_VHE) || arm_has(&c, FEAT_FGT) || arm_has(&c, FEAT_SEL2) || arm_has(&c, FEAT_MTE2));
    assert_false(arm_has(&c, FEAT_SHA256) || arm_has(&c, FEAT_SHA512) || arm_has(&c, FEAT_SHA3));
    assert_true(arm_has(&c, FEAT_SM3) && arm_has(&c, FEAT_EL3));
    assert_true(arm_config_parse("cortex-a53,mte=on,lse128,fp16=on", &c, NULL));
    assert_true(arm_has(&c, FEAT_MTE2) && arm_has(&c, FEAT_LSE) && arm_has(&c, FEAT_LSE128) && arm_has(&c, FEAT_FP16));
    assert_true(arm_config_parse("max,fgt2=off", &c, NULL)); /* needed where there is EL2 */
    assert_false(arm_has(&c, FEAT_Debugv8p9));
    assert_true(arm_config_parse("max,fgt2=off,el2=off", &c, NULL));
    assert_true(arm_has(&c, FEAT_Debugv8p9));
    assert_true(arm_config_parse("cortex-a53,debugv8p9=on", &c, NULL));
    assert_true(arm_has(&c, FEAT_Debugv8p1) && arm_has(&c, FEAT_Debugv8p8) && arm_has(&c, FEAT_FGT) && arm_has(&c, FEAT_FGT2));
    assert_true(arm_config_parse("cortex-a53,debugv8p9=on,el2=off", &c, NULL));
    assert_true(arm_has(&c, FEAT_Debugv8p9) && !arm_has(&c, FEAT_FGT2) && !arm_has(&c, FEAT_EL2));
    assert_true(arm_config_parse("max,pauth=impdef", &c, NULL));
    assert_true(arm_has(&c, FEAT_PACIMP) && !arm_has(&c, FEAT_PACQARMA5) && arm_has(&c, FEAT_FPACCOMBINE));
    assert_true(arm_config_parse("cortex-a53,pauth=on", &c, NULL));
    assert_true(arm_has(&c, FEAT_PAuth) && arm_has(&c, FEAT_PACQARMA5) && !arm_has(&c, FEAT_PAuth2));
    assert_true(arm_config_parse("max,fp=off,crypto=off", &c, NULL));
    assert_false(arm_has(&c, FEAT_AdvSIMD) || arm_has(&c, FEAT_AFP) || arm_has(&c, FEAT_AES) || arm_has(&c, FEAT_BF16));
    assert_true(arm_config_parse("max,pa=44", &c, NULL));
    assert_true(c.pa_bits == 44 && !arm_has(&c, FEAT_LPA) && arm_has(&c, FEAT_LPA2));
    assert_true(arm_config_parse("", &c, NULL));
    assert_true(c.pa_bits == 52 && arm_has(&c, FEAT_LPA) && !strcmp(arm_core_name(c.core), "max"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_registers_say_what_is_there),
        cmocka_unit_test(random_configurations_are_refused_or_consistent),
        cmocka_unit_test(named_cores_have_their_manuals_values),
        cmocka_unit_test(caches_have_their_sizes),
        cmocka_unit_test(el1_sees_the_identity_that_el2_gives),
        cmocka_unit_test(dczid_says_where_dc_zva_traps),
        cmocka_unit_test(bad_text_is_refused_with_a_sentence),
        cmocka_unit_test(turning_off_takes_along_and_turning_on_brings),
    };
    return cmocka_run_group_tests_name("sysreg_id", tests, NULL, NULL);
}
