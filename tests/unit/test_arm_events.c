/*
 * Common events of the performance monitors: which are there (Arm ARM D14.6, PMCEID0_EL0); what an instruction makes of them by
 * what it is (D14.1.1, D14.3.1), in runs of every length, where its exception level counts, in synchronous mode and with
 * thresholds; and which an exception makes (table D14-1).
 */
#include "pe_rig.h"
#include "base/rng.h"
#include "cpu/arm/counters.h"
#include "cpu/breaks.h"
#include "cpu/arm/trap.h"
#include "csr/arm/masks.h"

#define BIT(n) (UINT64_C(1) << (n))
enum { CODE = 0x40000000, DATA = 0x40010000, VECTORS = 0x40030000, COUNTERS = 31 };
#define NOP    0xd503201fu
#define AT_EL1 (PSTATE_DAIF | 1u << PSTATE_EL_SHIFT | PSTATE_SP)

static struct rig *rig_new(const char *cpu)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    mem_add_tags(r->mem, RIG_RAM);
    rig_vectors(r, VECTORS);
    struct arm_regs *s = &r->pe.s.regs;
    s->vbar_el1 = s->vbar_el2 = s->vbar_el3 = VECTORS;
    s->scr_el3 = scr_el3_NS | scr_el3_RW | BIT(8) | BIT(26); /* HCE; ATA */
    s->hcr_el2 = hcr_el2_RW | BIT(56);                       /* ATA */
    s->cpacr_el1 = 3 << 20;
    s->cptr_el3 = s->cptr_el2 = 0;
    s->mdcr_el2 = COUNTERS;
    s->pmcr_el0 = pmcr_el0_E | pmcr_el0_LC | pmcr_el0_LP;
    return r;
}

static void start(struct rig *r, uint64_t pstate)
{
    mem_write(r->mem, CODE, r->code, sizeof r->code);
    r->pe.s.pc = CODE;
    r->pe.s.pstate = pstate;
    r->pe.s.count_cycle = r->pe.s.cycle;
    r->pe.s.count_idle = r->pe.s.idle;
    pe_refresh(&r->pe);
}

/* Counter n counts `type` from `value` on. */
static void count(struct rig *r, unsigned n, uint64_t type, uint64_t value)
{
    r->pe.s.regs.pmevtyper_el0[n] = type;
    r->pe.s.regs.pmcntenset_el0 |= BIT(n);
    r->pe.s.counter[n] = value;
}

static void run(struct rig *r, uint64_t cycles, uint64_t piece)
{
    uint64_t end = r->pe.s.cycle + cycles;
    while (r->pe.s.cycle < end) {
        uint64_t to = r->pe.s.cycle + piece;
        pe_run(&r->pe, to < end ? to : end);
    }
}

/* ---- which are there ---------------------------------------------------------------------------------------------------------
 */

static uint64_t ceid(const char *cpu, unsigned n)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    r->pe.ctx.el = 1;
    uint64_t v = sysreg_read(&r->pe.ctx, n ? SR_pmceid1_el0 : SR_pmceid0_el0);
    rig_free(r);
    return v;
}

static void required_events_are_there(void **state)
{
    (void)state;
    const uint64_t base0 = 0x181a7fd9, base1 = 2, chain = BIT(30);
    /* FEAT_PMUv3p1: STALL_FRONTEND and STALL_BACKEND; FEAT_PMUv3p4: L1I_CACHE_LMISS, L1D_CACHE_LMISS_RD and STALL */
    assert_int_equal(ceid("cortex-a53", 0), base0 | chain);
    assert_int_equal(ceid("cortex-a53", 1), base1);
    assert_int_equal(ceid("cortex-a76", 0), base0 | chain);
    assert_int_equal(ceid("cortex-a76", 1), base1 | 0x18);
    assert_int_equal(ceid("neoverse-v1", 0), base0 | chain | BIT(38));
    assert_int_equal(ceid("neoverse-v1", 1), base1 | 0x18 | BIT(25) | BIT(28));
    assert_int_equal(ceid("max", 0), base0 | BIT(38));
    assert_int_equal(ceid("max", 1), base1 | 0x18 | BIT(25) | BIT(28));
}

/* ---- what instructions make --------------------------------------------------------------------------------------------------
 */

static const struct {
    uint16_t number;
    char letter;
} letters[] = {{0x06, 'r'}, {0x07, 'w'}, {0x0b, 'c'}, {0x0c, 'p'}, {0x0d, 'i'}, {0x0e, 't'}, {0x1c, 'b'},  {0x21, 'B'},
               {0x13, 'm'}, {0x04, 'm'}, {0x40, 'r'}, {0x66, 'r'}, {0x67, 'w'}, {0x08, '1'}, {0x14, '1'},  {0x1b, '1'},
               {0x11, '1'}, {0x03, '-'}, {0x23, '-'}, {0x24, '-'}, {0x39, '-'}, {0x3c, '-'}, {0x4006, '-'}};

/* X0 is the address of data, X1 is 0, X2 is 1, X3 that of the code behind, X4 = 0x40; Z is clear, C is set. The monitor is armed
   for 8 bytes at X0 where `armed`. What is made: the letters above; m where r or w is. */
static const struct {
    uint32_t insn;
    const char *name, *makes;
    bool armed;
} cases[] = {
    {NOP, "nop", "", 0},
    {0x8b020020, "add x0, x1, x2", "", 0},
    {0xf9400005, "ldr x5, [x0]", "r", 0},
    {0xf8400405, "ldr x5, [x0], #0", "r", 0},
    {0x58000045, "ldr x5, .+8", "r", 0},
    {0x39400005, "ldrb w5, [x0]", "r", 0},
    {0xa9401805, "ldp x5, x6, [x0]", "r", 0},
    {0x3dc00000, "ldr q0, [x0]", "r", 0},
    {0xad400400, "ldp q0, q1, [x0]", "r", 0},
    {0x4c400000, "ld4 {v0.16b-v3.16b}, [x0]", "r", 0},
    {0x0d40c000, "ld1r {v0.8b}, [x0]", "r", 0},
    {0xc8dffc05, "ldar x5, [x0]", "r", 0},
    {0xf8bfc005, "ldapr x5, [x0]", "r", 0},
    {0xd9400005, "ldapur x5, [x0]", "r", 0},
    {0xc85f7c05, "ldxr x5, [x0]", "r", 0},
    {0xc87f1805, "ldxp x5, x6, [x0]", "r", 0},
    {0xd9600005, "ldg x5, [x0]", "r", 0},
    {0xf9000005, "str x5, [x0]", "w", 0},
    {0xa9001805, "stp x5, x6, [x0]", "w", 0},
    {0x3d800000, "str q0, [x0]", "w", 0},
    {0x4c000000, "st4 {v0.16b-v3.16b}, [x0]", "w", 0},
    {0xc89ffc05, "stlr x5, [x0]", "w", 0},
    {0xd9000005, "stlur x5, [x0]", "w", 0},
    {0xd9200800, "stg x0, [x0]", "w", 0},
    {0x69001805, "stgp x5, x6, [x0]", "w", 0},
    {0xd50b7420, "dc zva, x0", "w", 0},
    {0xd50b7460, "dc gva, x0", "w", 0},
    {0xd50b7480, "dc gzva, x0", "w", 0},
    {0xd50b7a20, "dc cvac, x0", "", 0},
    {0xf9800000, "prfm pldl1keep, [x0]", "", 0},
    {0xf8a16800, "prfm pldl1keep, [x0, x1]", "", 0},
    {0xd8000040, "prfm pldl1keep, .+8", "", 0},
    {0xf8800000, "prfum pldl1keep, [x0]", "", 0},
    {0xc8077c05, "stxr w7, x5, [x0]: stores", "w", 1},
    {0xc8077c05, "stxr w7, x5, [x0]: fails", "", 0},
    {0xc81f7c05, "stxr wzr, x5, [x0]: stores", "w", 1},
    {0xc81f7c05, "stxr wzr, x5, [x0]: fails", "", 0},
    {0xc8271805, "stxp w7, x5, x6, [x0]: fails", "", 0},
    {0xc8a57c06, "cas x5, x6, [x0]", "rw", 0},
    {0x48267c08, "casp x6, x7, x8, x9, [x0]", "rw", 0},
    {0x08267c08, "casp w6, w7, w8, w9, [x0]", "rw", 0},
    {0xf8210005, "ldadd x1, x5, [x0]", "rw", 0},
    {0xf821001f, "stadd x1, [x0]", "w", 0},
    {0xf861001f, "staddl x1, [x0]", "w", 0},
    {0xf8a1001f, "ldadda x1, xzr, [x0]", "rw", 0},
    {0xf8218005, "swp x1, x5, [x0]", "rw", 0},
    {0xf821801f, "swp x1, xzr, [x0]", "rw", 0},
    {0x192610a5, "ldclrp x5, x6, [x5]", "rw", 0},
    {0x14000001, "b .+4", "piB", 0},
    {0x94000004, "bl .+16", "piB", 0},
    {0x54000041, "b.ne .+8", "piB", 0},
    {0x54000021, "b.ne .+4", "piB", 0},
    {0x54000040, "b.eq .+8", "iB", 0},
    {0x54000020, "b.eq .+4", "iB", 0},
    {0x54000052, "bc.cs .+8", "piB", 0},
    {0x54000053, "bc.cc .+8", "iB", 0},
    {0x5400004e, "b.al .+8", "piB", 0},
    {0xb4000041, "cbz x1, .+8", "piB", 0},
    {0xb4000042, "cbz x2, .+8", "iB", 0},
    {0xb5000022, "cbnz x2, .+4", "piB", 0},
    {0xb5000041, "cbnz x1, .+8", "iB", 0},
    {0x34000049, "cbz w9, .+8 (bit 32 is set)", "piB", 0},
    {0x35000049, "cbnz w9, .+8", "iB", 0},
    {0xb5000049, "cbnz x9, .+8", "piB", 0},
    {0xb400005f, "cbz xzr, .+8", "piB", 0},
    {0x36000041, "tbz w1, #0, .+8", "piB", 0},
    {0x36000042, "tbz w2, #0, .+8", "iB", 0},
    {0x37300044, "tbnz w4, #6, .+8", "piB", 0},
    {0x37080044, "tbnz w4, #1, .+8", "iB", 0},
    {0xb7000049, "tbnz x9, #32, .+8", "piB", 0},
    {0xb6000049, "tbz x9, #32, .+8", "iB", 0},
    {0xd61f0060, "br x3", "pB", 0},
    {0xd63f0060, "blr x3", "pB", 0},
    {0xd65f0060, "ret x3", "ptB", 0},
    {0xd69f03e0, "eret", "pB", 0},
    {0xd518d025, "msr contextidr_el1, x5", "c", 0},
    {0xd538d025, "mrs x5, contextidr_el1", "", 0},
    {0xd5182001, "msr ttbr0_el1, x1", "b", 0},
    {0xd5182021, "msr ttbr1_el1, x1", "b", 0},
    {0xd5182041, "msr tcr_el1, x1", "", 0},
    {0xd5033fdf, "isb", "", 0},
};

/* The gigabyte of RAM as Normal memory at EL1, as DC ZVA needs it. */
static void translate(struct rig *r)
{
    enum { TABLE = DATA + 0x8000 };
    const uint64_t block = RIG_RAM | 1 << 10 | 3 << 8 | 1;
    mem_write(r->mem, TABLE + 8, &block, 8);
    r->pe.s.regs.ttbr0_el1 = TABLE;
    r->pe.s.regs.mair_el1 = 0xff;
    r->pe.s.regs.tcr_el1 = 25 | 1 << 23;
    r->pe.s.regs.sctlr_el1 |= 1;
}

/* The value of each event after one instruction. */
static void an_instruction_makes_what_the_manual_lists(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_new("max,pmcounters=31");
        struct arm_regs *s = &r->pe.s.regs;
        a64_put(&r->g, cases[i].insn);
        for (unsigned k = 0; k < 40; k++)
            a64_put(&r->g, NOP);
        const uint64_t x[10] = {DATA, 0, 1, CODE + 0x10, 0x40, cases[i].insn == 0x192610a5 ? DATA : 0, 0, 0, 0, BIT(32)};
        memcpy(r->pe.s.x, x, sizeof x);
        s->elr_el1 = CODE + 0x20;
        s->spsr_el1 = AT_EL1;
        translate(r);
        for (unsigned n = 0; n < ARRAY_LEN(letters); n++)
            count(r, n, letters[n].number, 0);
        start(r, AT_EL1 | 2u << 28); /* C */
        if (cases[i].armed) {
            r->code[0] = 0xc85f7c05; /* ldxr x5, [x0] */
            r->code[1] = cases[i].insn;
            start(r, AT_EL1);
            run(r, 1, 1);
            for (unsigned n = 0; n < ARRAY_LEN(letters); n++)
                r->pe.s.counter[n] = 0;
            start(r, AT_EL1);
            r->pe.s.pc = CODE + 4;
        }
        run(r, 1, 1);
        if (s->esr_el1)
            fail_msg("%s: exception, ESR_EL1 %#llx", cases[i].name, (unsigned long long)s->esr_el1);
        bool accesses = strpbrk(cases[i].makes, "rw") != NULL;
        for (unsigned n = 0; n < ARRAY_LEN(letters); n++) {
            char c = letters[n].letter;
            uint64_t want = c == '1' || (c == 'm' ? accesses : strchr(cases[i].makes, c) != NULL),
                     got = pmu_event_value(&r->pe, n);
            if (got != want)
                fail_msg("%s: event %#x counts %llu", cases[i].name, letters[n].number, (unsigned long long)got);
        }
        rig_free(r);
    }
}

/* An instruction that raises an exception makes none of these, whatever it would have done: ldr, str, ldadd, svc, udf. */
static void an_exception_leaves_them(void **state)
{
    static const uint32_t insns[] = {0xf9400025, 0xf9000025, 0xf8210025, 0xd4000001, 0x00000000};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(insns); i++) {
        struct rig *r = rig_new("max,pmcounters=31");
        a64_put(&r->g, insns[i]);
        r->pe.s.x[1] = BIT(50); /* no such address */
        for (unsigned n = 0; n < 10; n++)
            count(r, n, letters[n].number, 0);
        start(r, AT_EL1);
        run(r, 1, 1);
        assert_int_equal(r->pe.s.pc, VECTORS + 0x200);
        for (unsigned n = 0; n < 10; n++)
            assert_int_equal(pmu_event_value(&r->pe, n), 0);
        rig_free(r);
    }
}

/* ---- runs --------------------------------------------------------------------------------------------------------------------
 */

/* x1 times: a load, a store, CBZ that is not taken, the branch back. */
static void put_loop(struct rig *r)
{
    static const uint32_t loop[] = {0xf9400005, 0xf9000005, 0xb4000081, 0xd1000421, 0xb5ffff81, 0x14000000};
    for (unsigned i = 0; i < ARRAY_LEN(loop); i++)
        a64_put(&r->g, loop[i]);
    r->pe.s.x[0] = DATA;
}

static void a_loop_is_counted_in_runs_of_every_length(void **state)
{
    (void)state;
    for (uint64_t piece = 1; piece < 60; piece++) {
        struct rig *r = rig_new("max,pmcounters=31");
        put_loop(r);
        r->pe.s.x[1] = 9;
        for (unsigned n = 0; n < ARRAY_LEN(letters); n++)
            count(r, n, letters[n].number, 0);
        start(r, AT_EL1);
        run(r, 45, piece);
        for (unsigned n = 0; n < ARRAY_LEN(letters); n++) {
            static const struct {
                char letter;
                uint8_t value;
            } wants[] = {{'r', 9}, {'w', 9}, {'m', 18}, {'p', 8}, {'i', 18}, {'B', 18}, {'1', 45}};
            uint64_t want = 0;
            for (unsigned k = 0; k < ARRAY_LEN(wants); k++)
                want = wants[k].letter == letters[n].letter ? wants[k].value : want;
            assert_int_equal(pmu_event_value(&r->pe, n), want);
        }
        rig_free(r);
    }
}

/* Counters of EL1 alone, of EL0 alone, of both; the exception and the return between the levels are the old level's. */
static void each_level_counts_its_own(void **state)
{
    (void)state;
    for (uint64_t piece = 1; piece < 12; piece++) {
        struct rig *r = rig_new("max,pmcounters=31");
        static const uint32_t code[] = {0xf9400005, 0xd69f03e0, /* EL1: ldr; eret */
                                        0xf9400005, 0xf9400005, 0x14000001, 0xd4000001 /* EL0: ldr, ldr, b, svc */};
        for (unsigned i = 0; i < ARRAY_LEN(code); i++)
            a64_put(&r->g, code[i]);
        r->pe.s.x[0] = DATA;
        r->pe.s.regs.elr_el1 = CODE + 8;
        r->pe.s.regs.spsr_el1 = PSTATE_DAIF;
        const uint64_t not_el1 = BIT(31), not_el0 = BIT(30);
        count(r, 0, EVENT_LD_RETIRED | not_el0, 0);
        count(r, 1, EVENT_LD_RETIRED | not_el1, 0);
        count(r, 2, EVENT_LD_RETIRED, 0);
        count(r, 3, EVENT_BR_RETIRED | not_el0, 0);
        count(r, 4, EVENT_BR_RETIRED | not_el1, 0);
        count(r, 5, EVENT_EXC_SVC | not_el1, 0);
        count(r, 6, EVENT_EXC_SVC | not_el0, 0);
        start(r, AT_EL1);
        run(r, 6, piece);
        const uint64_t want[] = {1, 2, 3, 1, 1, 1, 0};
        for (unsigned n = 0; n < ARRAY_LEN(want); n++)
            assert_int_equal(pmu_event_value(&r->pe, n), want[n]);
        assert_int_equal(r->pe.s.pc, VECTORS + 0x400);
        assert_int_equal(r->pe.count_step, 1); /* counter 0 */
        rig_free(r);
    }
}

/* The run is one by one only where such a counter counts. */
static void nothing_is_slow_that_is_not_counted(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pmcounters=31");
    put_loop(r);
    count(r, 0, EVENT_LD_RETIRED | BIT(31), 0);
    start(r, AT_EL1);
    assert_int_equal(r->pe.count_step, 0);
    start(r, PSTATE_DAIF);
    assert_int_equal(r->pe.count_step, 1);
    r->pe.s.regs.pmcr_el0 = 0;
    start(r, PSTATE_DAIF);
    assert_int_equal(r->pe.count_step, 0);
    rig_free(r);
}

/* ---- overflows ---------------------------------------------------------------------------------------------------------------
 */

static void told(void *ctx, struct pe *p, bool level)
{
    uint64_t *at = ctx;
    *at = level ? p->s.pc : 0;
}

/* The interrupt is raised by the instruction that overflows the counter: the fourth load, in a run of any length. */
static void an_overflow_interrupts_at_once(void **state)
{
    (void)state;
    for (uint64_t piece = 1; piece < 40; piece++) {
        struct rig *r = rig_new("max,pmcounters=31,ebep=off");
        uint64_t at = 0;
        const struct pe_env env = {.pmu = told};
        r->pe.env = &env;
        r->pe.env_ctx = &at;
        put_loop(r);
        r->pe.s.x[1] = 9;
        r->pe.s.regs.pmintenset_el1 = 1;
        count(r, 0, EVENT_LD_RETIRED, UINT64_MAX - 3);
        start(r, AT_EL1);
        run(r, 15, piece);
        assert_int_equal(at, 0);
        run(r, 1, piece);
        assert_int_equal(at, CODE + 4);
        assert_int_equal(pmu_overflows(&r->pe), 1);
        rig_free(r);
    }
}

/* D14.7: PC_WRITE_RETIRED and BR_RETIRED have a synchronous mode, loads have none here. */
static void branches_raise_their_exception_behind_them(void **state)
{
    static const struct {
        uint16_t event;
        uint64_t at, iar; /* 0: none is raised */
    } kinds[] = {{EVENT_PC_WRITE_RETIRED, CODE, CODE + 16},
                 {EVENT_BR_RETIRED, CODE, CODE + 16},
                 {EVENT_BR_IMMED_RETIRED, CODE, CODE + 16},
                 {EVENT_LD_RETIRED, 0, 0}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        for (uint64_t piece = 1; piece < 20; piece++) {
            struct rig *r = rig_new("max,pmcounters=31,el3=off");
            struct arm_regs *s = &r->pe.s.regs;
            put_loop(r);
            r->pe.s.x[1] = 9;
            s->pmintenset_el1 = 1;
            s->pmecr_el1 = 7;
            s->mdcr_el2 = COUNTERS | BIT(40);
            /* the second time round: with CBZ two branches each */
            count(r, 0, kinds[i].event | BIT(58), UINT64_MAX - (kinds[i].event == EVENT_PC_WRITE_RETIRED ? 1 : 3));
            start(r, AT_EL1);
            run(r, 11, piece);
            if (kinds[i].at) {
                assert_int_equal(r->pe.s.pc, VECTORS + 0x200);
                assert_int_equal(s->elr_el1, kinds[i].at);
                assert_int_equal(s->pmiar_el1, kinds[i].iar);
                assert_int_equal(s->esr_el1, UINT64_C(0x3d) << 26 | 1u << 25 | 1);
            } else {
                assert_int_equal(s->esr_el1, 0);
                assert_int_equal(pmu_event_value(&r->pe, 0), UINT64_MAX - 3);
            }
            rig_free(r);
        }
    }
}

/* With FEAT_PMUv3p7's PMCR_EL0.FZO the overflow stops the others at this instruction. */
static void an_overflow_stops_the_others(void **state)
{
    (void)state;
    for (uint64_t piece = 1; piece < 30; piece++) {
        struct rig *r = rig_new("max,pmcounters=31,ebep=off");
        put_loop(r);
        r->pe.s.x[1] = 9;
        r->pe.s.regs.pmcr_el0 |= pmcr_el0_FZO;
        count(r, 0, EVENT_ST_RETIRED, UINT64_MAX - 2);
        count(r, 1, EVENT_INST_RETIRED, 0);
        count(r, 2, EVENT_LD_RETIRED, 0);
        start(r, AT_EL1);
        run(r, 40, piece);
        assert_int_equal(pmu_event_value(&r->pe, 0), 0);
        assert_int_equal(pmu_event_value(&r->pe, 1), 12);
        assert_int_equal(pmu_event_value(&r->pe, 2), 3);
        rig_free(r);
    }
}

/* ---- thresholds --------------------------------------------------------------------------------------------------------------
 */

/* PMUCountValue, for one cycle. */
static unsigned rule(uint64_t type, unsigned v, bool *last)
{
    unsigned tc = (unsigned)(type >> 61), th = (unsigned)(type >> 32 & 0xfff);
    bool te = type >> 60 & 1, before = *last;
    if ((te && !(tc & 3)) || (!tc && !th && !te))
        return v;
    bool meets = tc >> 1 == 0 ? v != th : tc >> 1 == 1 ? v == th : tc >> 1 == 2 ? v >= th : v < th;
    *last = meets;
    if (te)
        return (tc & 3) == 2 ? before != meets : !before && meets;
    return tc & 1 ? meets : meets ? v : 0;
}

/* Cycle by cycle: what an instruction does is the value of its cycle, and an exception's cycle has none. */
static void thresholds_are_those_of_each_cycle(void **state)
{
    /* At EL0 ldr, str, cbz not taken, sub, svc, at EL1 eret, at EL0 b: the values of their cycles. Or ldr, one that is aborted,
       at EL1 mrs, add, msr, eret, at EL0 b. */
    static const uint32_t codes[2][6] = {{0xf9400005, 0xf9000005, 0xb4000001, 0xd1000421, 0xd4000001, 0x17fffffb},
                                         {0xf9400005, 0xf9400045, 0x17fffffe}},
                          handlers[2][4] = {{0xd69f03e0}, {0xd5384029, 0x91001129, 0xd5184029, 0xd69f03e0}};
    static const struct {
        uint16_t event;
        const char *values[2];
    } streams[] = {{EVENT_LD_RETIRED, {"1000000", "1000000"}},
                   {EVENT_ST_RETIRED, {"0100000", "0000000"}},
                   {EVENT_BR_RETIRED, {"0010011", "0000011"}},
                   {EVENT_PC_WRITE_RETIRED, {"0000011", "0000011"}},
                   {EVENT_MEM_ACCESS, {"1100000", "1000000"}}};
    uint64_t rng = 9;
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        unsigned which = (unsigned)rng_below(&rng, ARRAY_LEN(streams));
        uint64_t type = streams[which].event | rng_below(&rng, 3) << 32 | rng_below(&rng, 16) << 60, want = 0;
        struct rig *r = rig_new("max,pmcounters=31,ebep=off");
        unsigned kind = round & 1;
        for (unsigned i = 0; i < 6; i++)
            a64_put(&r->g, codes[kind][i]);
        mem_write(r->mem, VECTORS + 0x400, handlers[kind], sizeof handlers[kind]);
        r->pe.s.x[2] = BIT(50); /* no such address */
        r->pe.s.x[0] = DATA;
        r->pe.s.x[1] = 1000;
        count(r, 0, type, 0);
        start(r, PSTATE_DAIF);
        bool last = false;
        uint64_t cycles = 1 + rng_below(&rng, 40), piece = 1 + rng_below(&rng, 9);
        run(r, cycles, piece);
        for (uint64_t c = 0; c < cycles; c++)
            want += rule(type, (unsigned)(streams[which].values[kind][c % 7] - '0'), &last);
        if (pmu_event_value(&r->pe, 0) != want)
            fail_msg("round %u: type %#llx, %llu cycles in pieces of %llu: %llu, not %llu", round, (unsigned long long)type,
                     (unsigned long long)cycles, (unsigned long long)piece, (unsigned long long)pmu_event_value(&r->pe, 0),
                     (unsigned long long)want);
        rig_free(r);
    }
}

/* A stop in front of an instruction that is counted changes nothing, and counts nothing. */
static void a_breakpoint_leaves_no_trace(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pmcounters=31,ebep=off");
    put_loop(r);
    r->pe.s.x[1] = 9;
    count(r, 0, EVENT_LD_RETIRED | UINT64_C(1) << 32 | UINT64_C(5) << 61, 0); /* each cycle of one load or more */
    start(r, AT_EL1);
    run(r, 5, 1);
    pmu_sync(&r->pe);
    const struct arm_state before = r->pe.s;
    engine_break(&r->engine, BREAK_ALL, CODE, true);
    assert_int_equal(pe_run(&r->pe, r->pe.s.cycle + 100), CPU_STOP_DEBUG);
    pmu_sync(&r->pe);
    assert_memory_equal(&before, &r->pe.s, sizeof before);
    engine_break_none(&r->engine);
    run(r, 40, 7);
    assert_int_equal(pmu_event_value(&r->pe, 0), 9);
    rig_free(r);
}

/* ---- what exceptions make ----------------------------------------------------------------------------------------------------
 */

/* Table D14-1: the events taken locally, and not. */
static const struct {
    uint8_t type, ec, local, other;
} table[] = {
    {EXCEPTION_SYNCHRONOUS, EC_UNKNOWN, 0x81, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_WFX, 0x81, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_FP_ACCESS, 0x81, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_ILLEGAL_STATE, 0x81, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_SVC, 0x82, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_HVC, 0x8a, 0x8a},
    {EXCEPTION_SYNCHRONOUS, EC_SMC, 0x88, 0x88},
    {EXCEPTION_SYNCHRONOUS, EC_SYSREG, 0x81, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_INSN_ABORT_LOWER, 0x83, 0x8b},
    {EXCEPTION_SYNCHRONOUS, EC_PC_ALIGNMENT, 0x83, 0x8b},
    {EXCEPTION_SYNCHRONOUS, EC_DATA_ABORT_LOWER, 0x84, 0x8c},
    {EXCEPTION_SYNCHRONOUS, EC_SP_ALIGNMENT, 0x84, 0x8c},
    {EXCEPTION_SYNCHRONOUS, EC_FP_TRAPPED, 0x81, 0x8d},
    {EXCEPTION_SERROR, EC_SERROR, 0x84, 0x8c},
    {EXCEPTION_SYNCHRONOUS, EC_BREAKPOINT_LOWER, 0x83, 0x8b},
    {EXCEPTION_SYNCHRONOUS, EC_SOFTWARE_STEP_LOWER, 0x83, 0x8b},
    {EXCEPTION_SYNCHRONOUS, EC_WATCHPOINT_LOWER, 0x84, 0x8c},
    {EXCEPTION_SYNCHRONOUS, EC_BRK, 0x83, 0x8b},
    {EXCEPTION_IRQ, 0, 0x86, 0x8e},
    {EXCEPTION_FIQ, 0, 0x87, 0x8f},
    {EXCEPTION_SYNCHRONOUS, EC_PROFILING, 0x81, 0x8d},
    {EXCEPTION_SYNCHRONOUS, EC_PAC_FAIL, 0x81, 0x8d},
};

static void an_exception_makes_the_event_of_its_class(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        for (unsigned from = 0; from < 4; from++) {
            for (unsigned to = from ? from : 1; to < 4; to++) {
                for (unsigned host = 0; host < 2; host++) { /* HCR_EL2.{E2H, TGE} */
                    struct rig *r = rig_new("max,pmcounters=31");
                    struct arm_regs *s = &r->pe.s.regs;
                    s->mdcr_el3 = mdcr_el3_SPME;
                    s->hcr_el2 |= host ? hcr_el2_E2H | hcr_el2_TGE : 0;
                    for (unsigned n = 0; n < 15; n++)
                        count(r, n, (0x81 + n) | BIT(27), 0); /* NSH: EL2, too; M is as P: EL3, too */
                    start(r, PSTATE_DAIF | (uint64_t)from << PSTATE_EL_SHIFT | (from ? PSTATE_SP : 0));
                    struct arm_exception e = {.type = table[i].type, .ec = table[i].ec, .el = (uint8_t)to};
                    pmu_exception_event(&r->pe, &e, to);
                    bool local = from == to || (from == 0 && (to == 1 || (to == 2 && host)));
                    unsigned want = local ? table[i].local : table[i].other;
                    if (table[i].ec == EC_SMC && table[i].type == EXCEPTION_SYNCHRONOUS && to != 3)
                        want = 0x8d;
                    for (unsigned n = 0; n < 15; n++)
                        if (pmu_event_value(&r->pe, n) != (0x81 + n == want))
                            fail_msg("class %#x, type %u, EL%u to EL%u, host %u: event %#x counts %llu", table[i].ec,
                                     table[i].type, from, to, host, 0x81 + n, (unsigned long long)pmu_event_value(&r->pe, n));
                    rig_free(r);
                }
            }
        }
    }
}

/* Before FEAT_PMUv3p8 these numbers are IMPLEMENTATION DEFINED, and nothing counts. */
static void without_the_feature_there_are_none(void **state)
{
    (void)state;
    struct rig *r = rig_new("neoverse-v1");
    r->pe.s.regs.mdcr_el2 = 6;
    count(r, 0, EVENT_EXC_UNDEF, 0);
    count(r, 1, EVENT_MEM_ACCESS_RD, 0);
    count(r, 2, EVENT_EXC_TAKEN, 0);
    a64_put(&r->g, 0xf9400005);
    a64_put(&r->g, 0);
    r->pe.s.x[0] = DATA;
    start(r, AT_EL1);
    run(r, 2, 1);
    assert_int_equal(pmu_event_value(&r->pe, 0), 0);
    assert_int_equal(pmu_event_value(&r->pe, 1), 0);
    assert_int_equal(pmu_event_value(&r->pe, 2), 1);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required_events_are_there),          cmocka_unit_test(an_instruction_makes_what_the_manual_lists),
        cmocka_unit_test(an_exception_leaves_them),           cmocka_unit_test(a_loop_is_counted_in_runs_of_every_length),
        cmocka_unit_test(each_level_counts_its_own),          cmocka_unit_test(nothing_is_slow_that_is_not_counted),
        cmocka_unit_test(an_overflow_interrupts_at_once),     cmocka_unit_test(branches_raise_their_exception_behind_them),
        cmocka_unit_test(an_overflow_stops_the_others),       cmocka_unit_test(thresholds_are_those_of_each_cycle),
        cmocka_unit_test(a_breakpoint_leaves_no_trace),       cmocka_unit_test(an_exception_makes_the_event_of_its_class),
        cmocka_unit_test(without_the_feature_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
