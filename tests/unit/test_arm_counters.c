/* The performance monitors of a PE as its registers show them (D13): cycles, retired instructions, software increments, chains
 * and overflow flags, also before anybody brought them up to date. */
#include "counters_rig.h"

static void cycles_and_instructions_are_counted(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    put(r, SR_pmcr_el0, 1);
    put(r, SR_pmcntenset_el0, UINT64_C(1) << 31);
    count_event(r, 0, EVENT_INST_RETIRED);
    count_event(r, 3, EVENT_CPU_CYCLES);
    uint64_t c = get(r, SR_pmccntr_el0), i = get(r, SR_pmevcntr_el0), e = get(r, SR_pmevcntr_el0 + 3);
    pass(r, 1000, 300);
    assert_int_equal(get(r, SR_pmccntr_el0) - c, 1000);
    assert_int_equal(get(r, SR_pmevcntr_el0) - i, 700);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 3) - e, 1000);
    put(r, SR_pmcr_el0, 0);
    pass(r, 1000, 0);
    assert_int_equal(get(r, SR_pmccntr_el0) - c, 1000);
    rig_free(r);
}

static void software_increments_the_counters_it_names(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    count_event(r, 0, EVENT_SW_INCR);
    count_event(r, 1, EVENT_SW_INCR);
    count_event(r, 2, EVENT_CPU_CYCLES);
    put(r, SR_pmevtyper_el0 + 3, EVENT_SW_INCR); /* not enabled */
    put(r, SR_pmswinc_el0, 0xf);
    assert_int_equal(get(r, SR_pmevcntr_el0), 0); /* PMCR_EL0.E */
    put(r, SR_pmcr_el0, 1);
    put(r, SR_pmswinc_el0, 0xd);
    put(r, SR_pmswinc_el0, 1);
    assert_int_equal(get(r, SR_pmevcntr_el0), 2);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1), 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 2), 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 3), 0);
    put(r, SR_pmevcntr_el0 + 1, UINT32_MAX);
    put(r, SR_pmswinc_el0, 2);
    assert_int_equal(get(r, SR_pmovsset_el0), 2);
    rig_free(r);
}

/* PMOVSSET_EL0 without an interrupt enabled, so that nothing brings the counters up to date. */
static void overflows_are_seen_when_they_happen(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    put(r, SR_pmcr_el0, 1);
    count_event(r, 1, EVENT_CPU_CYCLES);
    put(r, SR_pmevcntr_el0 + 1, UINT32_MAX - 9);
    pass(r, 9, 0);
    assert_int_equal(get(r, SR_pmovsclr_el0), 0);
    pass(r, 1, 0);
    assert_int_equal(get(r, SR_pmovsclr_el0), 2);
    assert_int_equal(r->p->s.regs.pmovsset_el0, 0); /* a look changes nothing */
    put(r, SR_pmovsclr_el0, 2);
    assert_int_equal(get(r, SR_pmovsset_el0), 0); /* and it does not come back */
    pass(r, 1, 0);
    assert_int_equal(get(r, SR_pmovsset_el0), 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1) & UINT32_MAX, 1);
    put(r, SR_pmcr_el0, 0x81); /* LP: from bit 63 */
    put(r, SR_pmevcntr_el0 + 1, UINT32_MAX);
    pass(r, 5, 0);
    assert_int_equal(get(r, SR_pmovsset_el0), 0);
    put(r, SR_pmevcntr_el0 + 1, UINT64_MAX);
    pass(r, 5, 0);
    assert_int_equal(get(r, SR_pmovsset_el0), 2);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1), 4);
    rig_free(r);
}

static void chains_count_each_overflow_of_the_counter_before(void **state)
{
    (void)state;
    struct rig *r = rig_new("cortex-a53,el3=off,el2=off");
    put(r, SR_pmcr_el0, 1);
    count_event(r, 2, EVENT_CPU_CYCLES);
    count_event(r, 3, EVENT_CHAIN);
    put(r, SR_pmevcntr_el0 + 3, 7);
    pass(r, (UINT64_C(3) << 32) + 5, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 3), 10);
    assert_int_equal(get(r, SR_pmovsset_el0), 4);
    put(r, SR_pmevcntr_el0 + 3, UINT32_MAX);
    pass(r, UINT64_C(1) << 32, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 3), 0);
    assert_int_equal(get(r, SR_pmovsset_el0), 0xc);
    put(r, SR_pmcntenclr_el0, 8);
    pass(r, UINT64_C(1) << 32, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 3), 0);
    rig_free(r);
}

static void told(void *ctx, struct pe *p, bool level)
{
    (void)p;
    *(int *)ctx = level;
}

/* An event that no cycle foretells interrupts when it happens: exceptions, returns, increments by software. */
static void an_event_that_overflows_interrupts_at_once(void **state)
{
    (void)state;
    static const unsigned events[] = {EVENT_EXC_TAKEN, EVENT_EXC_RETURN, EVENT_SW_INCR};
    for (unsigned i = 0; i < 3; i++) {
        struct rig *r = rig_new("max,el3=off,el2=off");
        int level = -1;
        const struct pe_env env = {.pmu = told};
        r->p->env = &env;
        r->p->env_ctx = &level;
        put(r, SR_pmcr_el0, 1);
        count_event(r, 2, events[i]);
        put(r, SR_pmintenset_el1, 4);
        put(r, SR_pmevcntr_el0 + 2, UINT32_MAX - 1);
        for (unsigned k = 0; k < 2; k++) {
            assert_int_equal(level, -1);
            if (events[i] == EVENT_EXC_TAKEN)
                take_exception(r->p, &(struct arm_exception){.ec = EC_SVC});
            else if (events[i] == EVENT_EXC_RETURN)
                pe_eret(r->p, 0);
            else
                put(r, SR_pmswinc_el0, 4);
        }
        assert_int_equal(level, 1);
        put(r, SR_pmovsclr_el0, 4);
        assert_int_equal(level, 0);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycles_and_instructions_are_counted),
        cmocka_unit_test(software_increments_the_counters_it_names),
        cmocka_unit_test(overflows_are_seen_when_they_happen),
        cmocka_unit_test(chains_count_each_overflow_of_the_counter_before),
        cmocka_unit_test(an_event_that_overflows_interrupts_at_once),
    };
    return cmocka_run_group_tests_name("arm_counters", tests, NULL, NULL);
}
