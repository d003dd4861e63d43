/*
 * Which counters of the performance monitors an access reaches: MDCR_EL2.HPMN, PMUSERENR_EL0 and PMUACR_EL1 (FEAT_PMUv3p9), and
 * what hides the instruction counter's bits, stated a second time after the manual's GetPMUAccessMask, GetPMUReadMask and
 * GetPMUWriteMask; and snapshots (FEAT_PMUv3_SS), after its table of Capture events.
 */
#include "sysreg_world.h"

#define BIT(n) (UINT64_C(1) << (n))
enum { CYCLES = 31, INSTRUCTIONS = 32 };
enum { CR = 1 << 2, ER = 1 << 3, UEN = 1 << 4, IR = 1 << 5, SW = 1 << 1, EN = 1 };

/* What the controls are. */
struct controls {
    unsigned user;                   /* PMUSERENR_EL0 */
    uint64_t acr;                    /* PMUACR_EL1 */
    bool host, ns;                   /* HCR_EL2.{E2H, TGE} = {1, 1}; SCR_EL3.NS */
    bool enpm2, fgten2;              /* MDCR_EL3, SCR_EL3 */
    bool rfilter, wfilter, wcounter; /* HDFGRTR2_EL2.nPMICFILTR_EL0, HDFGWTR2_EL2.nPMICFILTR_EL0, .nPMICNTR_EL0 */
    unsigned hpmn;
};

static bool el2_on(struct pe_world *w, const struct controls *k)
{
    return pe_has(w, FEAT_EL2) && (k->ns || !pe_has(w, FEAT_EL3));
}

static uint64_t reached(struct pe_world *w, const struct controls *k, unsigned el)
{
    bool user = el == 0 && k->user & UEN;
    unsigned n = (unsigned)w->cfg.pmu_counters;
    uint64_t mask = BIT(CYCLES);
    if (pe_has(w, FEAT_PMUv3_ICNTR) && (el || user))
        mask |= BIT(INSTRUCTIONS);
    if (el < 2 && el2_on(w, k) && k->hpmn < n)
        n = k->hpmn;
    mask |= BIT(n) - 1;
    return user ? mask & k->acr : mask;
}

static uint64_t seen(struct pe_world *w, const struct controls *k, unsigned el, bool filter)
{
    if (pe_has(w, FEAT_EL3) && el != 3 && !k->enpm2)
        return ~BIT(INSTRUCTIONS);
    if (el < 2 && el2_on(w, k) && !k->host && ((pe_has(w, FEAT_EL3) && !k->fgten2) || !filter))
        return ~BIT(INSTRUCTIONS);
    return UINT64_MAX;
}

static uint64_t kept(const struct controls *k, unsigned el)
{
    if (el || !(k->user & UEN))
        return 0;
    return (k->user & IR ? BIT(INSTRUCTIONS) : 0) | (k->user & CR ? BIT(CYCLES) : 0) | (k->user & ER ? BIT(CYCLES) - 1 : 0);
}

static void set(struct pe_world *w, struct controls *k, uint64_t *rng)
{
    uint64_t r = rng_next(rng);
    *k = (struct controls){.user = r & 0x7f,
                           .acr = rng_next(rng),
                           .host = r & 0x80 && pe_has(w, FEAT_VHE),
                           .ns = r & 0x300 || !pe_has(w, FEAT_EL3),
                           .enpm2 = r & 0xc00,
                           .fgten2 = r & 0x3000,
                           .rfilter = r & 0x4000,
                           .wfilter = r & 0x8000,
                           .wcounter = r & 0x10000,
                           .hpmn = (unsigned)rng_below(rng, 8)};
    if (!pe_has(w, FEAT_PMUv3_ICNTR))
        k->user &= ~(unsigned)IR;
    if (!pe_has(w, FEAT_PMUv3p9))
        k->user &= 15;
    pe_open(w, k->host, k->host);
    pe_bits(w, "pmuserenr_el0", UINT64_MAX, k->user);
    if (pe_has(w, FEAT_PMUv3p9))
        w->r.pmuacr_el1 = k->acr;
    pe_bits(w, "mdcr_el2", 31, k->hpmn);
    pe_bits(w, "scr_el3", 1 | BIT(59), k->ns | (uint64_t)k->fgten2 << 59);
    pe_bits(w, "mdcr_el3", BIT(7), k->enpm2 << 7);
    pe_bits(w, "hdfgrtr2_el2", BIT(3), k->rfilter << 3);
    pe_bits(w, "hdfgwtr2_el2", BIT(2) | BIT(3), k->wcounter << 2 | k->wfilter << 3);
}

static void fail_at(struct pe_world *w, const struct controls *k, unsigned el, const char *what, uint64_t got, uint64_t want)
{
    fail_msg(
        "\"%s\", EL%u, PMUSERENR_EL0 %#x, PMUACR_EL1 %#llx, host %d, NS %d, EnPM2 %d, FGTEn2 %d, fine %d%d%d, HPMN %u: %s %#llx, "
        "not %#llx",
        w->text, el, k->user, (unsigned long long)k->acr, k->host, k->ns, k->enpm2, k->fgten2, k->rfilter, k->wfilter,
        k->wcounter, k->hpmn, what, (unsigned long long)got, (unsigned long long)want);
}

#define SAME(what, got, want)                     \
    do {                                          \
        uint64_t got_ = (got), want_ = (want);    \
        if (got_ != want_)                        \
            fail_at(w, k, el, what, got_, want_); \
    } while (0)

/* Bits of enables and flags: PMCNTENSET_EL0, PMOVSSET_EL0, PMINTENSET_EL1 and what clears them. */
static void bits_of_counters(struct pe_world *w, const struct controls *k, unsigned el)
{
    static const uint16_t regs[][2] = {
        {SR_pmcntenset_el0, SR_pmcntenclr_el0}, {SR_pmovsset_el0, SR_pmovsclr_el0}, {SR_pmintenset_el1, SR_pmintenclr_el1}};
    uint64_t all = (BIT(w->cfg.pmu_counters) - 1) | BIT(CYCLES) | (pe_has(w, FEAT_PMUv3_ICNTR) ? BIT(INSTRUCTIONS) : 0);
    uint64_t reads = reached(w, k, el) & seen(w, k, el, k->rfilter) & all,
             writes = reached(w, k, el) & ~kept(k, el) & seen(w, k, el, k->wfilter) & all;
    for (unsigned i = 0; i < (el ? 3u : 2u); i++) {
        uint64_t *word = i == 0 ? &w->r.pmcntenset_el0 : i == 1 ? &w->r.pmovsset_el0 : &w->r.pmintenset_el1;
        const char *what[] = {"enables", "flags", "interrupt enables"};
        *word = all;
        SAME(what[i], pe_read(w, el, regs[i][0]), reads);
        SAME(what[i], pe_read(w, el, regs[i][1]), reads);
        pe_write(w, el, regs[i][1], UINT64_MAX);
        SAME(what[i], *word, all & ~writes);
        *word = 0;
        pe_write(w, el, regs[i][0], UINT64_MAX);
        SAME(what[i], *word, writes);
    }
}

static void zero_and_increment(struct pe_world *w, const struct controls *k, unsigned el)
{
    uint64_t writes = reached(w, k, el) & ~kept(k, el) & seen(w, k, el, k->wcounter), left = 0,
             there = BIT(w->cfg.pmu_counters) - 1;
    for (unsigned n = 0; n < 31; n++)
        w->event[n] = 5;
    w->cycles = w->instructions = 5;
    pe_write(w, el, SR_pmzr_el0, UINT64_MAX);
    for (unsigned n = 0; n < w->cfg.pmu_counters; n++)
        left |= w->event[n] ? BIT(n) : 0;
    left |= (w->cycles ? BIT(CYCLES) : 0) | (w->instructions ? BIT(INSTRUCTIONS) : 0);
    SAME("PMZR_EL0 left", left, (there | BIT(CYCLES) | BIT(INSTRUCTIONS)) & ~writes);
    uint64_t open = reached(w, &(struct controls){.hpmn = k->hpmn, .ns = k->ns}, el) & there;
    w->increments = 0;
    pe_write(w, el, SR_pmswinc_el0, UINT64_MAX);
    SAME("PMSWINC_EL0", w->increments, el == 0 && (k->user & (UEN | SW)) == UEN ? open & k->acr : open);
}

/* Counters and their types at EL0, each alone. */
static void counters_alone(struct pe_world *w, const struct controls *k, unsigned el)
{
    const struct {
        unsigned n, counter, type;
    } row[] = {{0, SR_pmevcntr_el0, SR_pmevtyper_el0},
               {3, SR_pmevcntr_el0 + 3, SR_pmevtyper_el0 + 3},
               {CYCLES, SR_pmccntr_el0, SR_pmccfiltr_el0},
               {INSTRUCTIONS, SR_pmicntr_el0, SR_pmicfiltr_el0}};
    bool user = el == 0 && k->user & UEN;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        unsigned n = row[i].n;
        if (n == INSTRUCTIONS && !pe_has(w, FEAT_PMUv3_ICNTR))
            continue;
        bool hidden = user && !(k->acr >> n & 1), fixed = hidden || kept(k, el) >> n & 1;
        uint64_t *value = n == CYCLES ? &w->cycles : n == INSTRUCTIONS ? &w->instructions : &w->event[n];
        uint64_t *type = n == CYCLES ? &w->r.pmccfiltr_el0 : n == INSTRUCTIONS ? &w->r.pmicfiltr_el0 : &w->r.pmevtyper_el0[n];
        *value = 7;
        *type = BIT(31);
        SAME("a counter", pe_read(w, el, row[i].counter), hidden ? 0 : 7);
        SAME("its type", pe_read(w, el, row[i].type), hidden ? 0 : BIT(31));
        pe_write(w, el, row[i].counter, 9);
        pe_write(w, el, row[i].type, BIT(30));
        SAME("a counter, written", *value, fixed ? 7 : 9);
        SAME("its type, written", *type, fixed ? BIT(31) : BIT(30));
        if (n == INSTRUCTIONS)
            continue;
        w->r.pmselr_el0 = n;
        *value = 7;
        *type = BIT(31);
        SAME("a selected type", pe_read(w, el, SR_pmxevtyper_el0), hidden ? 0 : BIT(31));
        pe_write(w, el, SR_pmxevtyper_el0, BIT(30));
        SAME("a selected type, written", *type, fixed ? BIT(31) : BIT(30));
        if (n == CYCLES)
            continue;
        SAME("a selected counter", pe_read(w, el, SR_pmxevcntr_el0), hidden ? 0 : 7);
        pe_write(w, el, SR_pmxevcntr_el0, 9);
        SAME("a selected counter, written", *value, fixed ? 7 : 9);
    }
}

static void user_access(struct pe_world *w, const struct controls *k, unsigned el)
{
    uint64_t visible = reached(w, &(struct controls){.hpmn = k->hpmn, .ns = k->ns}, el),
             all = (BIT(w->cfg.pmu_counters) - 1) | BIT(CYCLES) | (pe_has(w, FEAT_PMUv3_ICNTR) ? BIT(INSTRUCTIONS) : 0);
    w->r.pmuacr_el1 = all;
    SAME("PMUACR_EL1", pe_read(w, el, SR_pmuacr_el1), visible);
    pe_write(w, el, SR_pmuacr_el1, 0);
    SAME("PMUACR_EL1, cleared", w->r.pmuacr_el1, all & ~visible);
    pe_write(w, el, SR_pmuacr_el1, UINT64_MAX);
    SAME("PMUACR_EL1, set", w->r.pmuacr_el1, all);
}

static void an_access_reaches_the_counters_of_its_level(void **state)
{
    static const char *const configs[] = {
        "max", "max,el3=off", "max,el2=off", "max,el2=off,el3=off", "max,pmuv3_icntr=off", "max,pmuv3p9=off"};
    uint64_t rng = 31;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(configs); i++) {
        struct pe_world w;
        struct controls k;
        pe_new(&w, configs[i]);
        for (unsigned round = 0; round < 500; round++) {
            for_levels(&w, el)
            {
                set(&w, &k, &rng);
                if ((el == 1 && k.host) || (el == 2 && !el2_on(&w, &k)))
                    continue; /* nobody is there */
                bits_of_counters(&w, &k, el);
                counters_alone(&w, &k, el);
                if (pe_has(&w, FEAT_PMUv3p9)) {
                    zero_and_increment(&w, &k, el);
                    if (el)
                        user_access(&w, &k, el);
                }
            }
        }
        pe_end(&w);
    }
}

/* Table "PMU Capture events": MDCR_EL3.PMSSE, MDCR_EL2.PMSSE, PMECR_EL1.SSE, and the OS lock. */
static void a_capture_is_as_the_table_says(void **state)
{
    static const char *const configs[] = {"max", "max,el3=off", "max,el2=off", "max,el2=off,el3=off", "max,pmuv3_icntr=off"};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(configs) * 256; i++) {
        struct pe_world w;
        unsigned el3 = i & 3, el2 = i >> 2 & 3, el1 = i >> 4 & 3;
        bool locked = i >> 6 & 1, write = i >> 7 & 1;
        pe_new(&w, configs[i / 256]);
        pe_open(&w, false, false);
        assert_int_equal(pe_read(&w, 1, SR_pmsscr_el1), BIT(32)); /* nothing was captured */
        pe_bits(&w, "mdcr_el3", UINT64_C(3) << 30, (uint64_t)el3 << 30);
        pe_bits(&w, "mdcr_el2", UINT64_C(3) << 30, (uint64_t)el2 << 30);
        pe_bits(&w, "pmecr_el1", 3 << 3, el1 << 3);
        pe_write(&w, 1, SR_oslar_el1, locked);
        for (unsigned n = 0; n < 31; n++)
            w.event[n] = 100 + n;
        w.cycles = 300;
        w.instructions = 200;
        /* disabled, prohibited, allowed */
        unsigned says = pe_has(&w, FEAT_EL3) && el3 != 1 ? el3 : pe_has(&w, FEAT_EL2) && el2 != 1 ? el2 : el1;
        bool enabled = says & 2, allowed = says == 3 && !locked, done = write && allowed;
        for (unsigned was = 0; was < 2; was++) { /* NC before */
            w.r.pmsscr_el1 = was ? BIT(32) : 0;
            w.captures = 0;
            memset(w.r.pmevcntsvr_el1, 0, sizeof w.r.pmevcntsvr_el1);
            w.r.pmccntsvr_el1 = w.r.pmicntsvr_el1 = 0;
            pe_write(&w, 1, SR_pmsscr_el1, write ? UINT64_MAX : UINT64_MAX - 1);
            assert_int_equal(pe_read(&w, 1, SR_pmsscr_el1), !write || !enabled ? (was ? BIT(32) : 0) : allowed ? 0 : BIT(32));
            assert_int_equal(w.captures, done);
            for (unsigned n = 0; n < w.cfg.pmu_counters; n++)
                assert_int_equal(pe_read(&w, 1, SR_pmevcntsvr_el1 + n), done ? 100 + n : 0);
            assert_int_equal(pe_read(&w, 1, SR_pmccntsvr_el1), done ? 300 : 0);
            assert_int_equal(w.r.pmicntsvr_el1, done && pe_has(&w, FEAT_PMUv3_ICNTR) ? 200 : 0);
        }
        pe_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_reaches_the_counters_of_its_level),
        cmocka_unit_test(a_capture_is_as_the_table_says),
    };
    return cmocka_run_group_tests_name("sysreg_pmu", tests, NULL, NULL);
}
