/* The GDB server: what `monitor catch` catches, by which names, and that what takes long can be given up. */
#include "gdb_talk.h"
#include "base/bits.h"
#include "debug/target.h"

static void what_waits_is_given_up(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, rom("bench-compute.elf", 1));
    ask(&t, "QStartNoAckMode");
    t.hears = GDB_HEARD_INTERRUPT;
    t.patience = 2;
    says(&t, "run text never", "interrupted");
    assert_true(t.asked == 3);
    t.asked = t.patience = 0;
    uint64_t here = machine_cycle(t.m);
    says(&t, "catch trap 60", "trap (cause 60)");
    want_begins(&t, "bc", "T02"); /* Ctrl-C: as far back as it has come */
    assert_true(machine_cycle(t.m) <= here && machine_cycle(t.m) > 0);
    t.hears = GDB_HEARD_PACKET; /* it has turned to something else: no answer, or it would be taken for that of the next packet */
    t.asked = 0;
    give(&t, "qRcmd,72756e2074657874206e65766572", 32); /* run text never */
    assert_true(t.asked > t.patience && !t.sent.len);
    gdb_receive(t.g, "---", 3); /* nor is the last one sent again */
    assert_string_equal(take(&t), "");
    says(&t, "where", "cycle");
    end(&t);
}

static void every_cause_is_caught_by_its_name(void **state)
{
    (void)state;
    static const char *const images[] = {"journey.elf", "journey-a64.elf"};
    for (unsigned n = 0; n < ARRAY_LEN(images); n++) {
        struct machine *m = rom(images[n], 1);
        struct target_cause k;
        struct aim a;
        struct err e;
        unsigned i;
        for (i = 0; target_ops(m)->cause_at(i, &k); i++) {
            char number[8];
            if (!aim_parse(m, "trap", k.name, &a, &e))
                fail_msg("%s: %s", k.name, e.text);
            if (!((k.interrupt ? a.interrupts : a.exceptions) >> k.number & 1))
                fail_msg("'%s' does not catch it", k.name);
            snprintf(number, sizeof number, "%u", k.number);
            assert_true(k.interrupt || (aim_parse(m, "trap", number, &a, &e) && a.exceptions == UINT64_C(1) << k.number));
            struct machine_change c = {.interrupt = k.interrupt, .cause = k.number};
            if (n && !k.interrupt)
                c.cause = (uint64_t)k.number << 26; /* ESR_ELx.EC */
            assert_true(k.interrupt || aim_meets(&a, m, &c));
        }
        assert_true(i > 30);
        machine_free(m);
    }
}

static void names_catch_all_they_begin(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, rom("journey-a64.elf", 1));
    says(&t, "catch trap data-abort", "same level (EC 37)");
    says(&t, "catch trap hvc", "trap HVC (EC 22)");
    assert_true(t.g->s.d.caught[0].exceptions == (UINT64_C(3) << 36) && t.g->s.d.caught[1].exceptions >> 22 & 1);
    says(&t, "catch off", "nothing");
    says(&t, "catch mode EL0", "mode EL0");
    want_begins(&t, "vCont;c", "T05");
    says(&t, "where", "hart 0: EL0");
    says(&t, "catch off", "nothing");
    says(&t, "catch return", "return");
    want_begins(&t, "bc", "T05"); /* the same return into EL0 is not the one before */
    says(&t, "where", "hart 0: ");
    says(&t, "catch off", "nothing");
    says(&t, "catch call HVC #3", "call HVC #3");
    want_begins(&t, "vCont;c", "T05");
    assert_non_null(strstr((const char *)t.said.data, "call: HVC #3"));
    says(&t, "where", "hart 0: EL2");
    gdb_connect(t.g); /* the next one at GDB begins afresh */
    says(&t, "catch", "nothing is caught");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_given_up),
        cmocka_unit_test(every_cause_is_caught_by_its_name),
        cmocka_unit_test(names_catch_all_they_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
