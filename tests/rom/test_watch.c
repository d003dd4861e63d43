/* machine_watch and machine_break on a real guest: every trap and return is told in order, a break stops right behind one, and
 * the run is the same whether it is watched or not. */
#include "machine/trapline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CYCLES 100000

struct seen {
    unsigned traps, returns, into_vs, breaks;
    bool stop;
    uint64_t pc;
};

static void note(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct seen *s = ctx;
    uint64_t pc, priv, v;
    assert_true(machine_get_reg(m, c->hart, "pc", &pc) && pc == c->pc);
    assert_true(machine_get_reg(m, c->hart, "priv", &priv) && priv == c->to_priv);
    assert_true(machine_get_reg(m, c->hart, "v", &v) && v == c->to_v);
    s->traps += !c->is_return;
    s->returns += c->is_return;
    s->into_vs += c->is_return && c->to_v && !c->v;
    s->pc = c->pc;
    if (s->stop)
        machine_break(m, c->hart);
}

static struct machine *journey(const char *rom, const char *cpu)
{
    struct err e;
    char path[512];
    strcpy(path, TL_SOURCE_DIR "/roms/");
    strcat(path, rom);
    struct machine *m = machine_new(&(struct machine_config){.kernel = path, .cpu = cpu}, &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static void check(const char *rom, const char *cpu)
{
    struct machine *plain = journey(rom, cpu), *watched = journey(rom, cpu), *broken = journey(rom, cpu);
    struct seen a = {0}, b = {.stop = true};
    assert_int_equal(machine_run(plain, CYCLES), MACHINE_EXIT);

    machine_watch(watched, note, &a);
    assert_int_equal(machine_run(watched, CYCLES), MACHINE_EXIT);
    assert_int_equal(machine_digest(watched), machine_digest(plain));
    assert_true(a.traps >= 2 && a.returns >= 2 && a.into_vs >= 1);

    machine_watch(broken, note, &b);
    enum machine_stop why;
    while ((why = machine_run(broken, CYCLES)) == MACHINE_DEBUG) {
        uint64_t pc;
        assert_true(machine_get_reg(broken, 0, "pc", &pc));
        assert_int_equal(pc, b.pc); /* not one instruction further */
        assert_int_equal(++b.breaks, b.traps + b.returns);
    }
    assert_int_equal(why, MACHINE_EXIT);
    assert_int_equal(b.traps, a.traps);
    assert_int_equal(b.returns, a.returns);
    assert_int_equal(machine_digest(broken), machine_digest(plain));
    machine_free(plain);
    machine_free(watched);
    machine_free(broken);
}

static void the_journey_is_the_same_watched_and_stopped_at_every_change(void **state)
{
    (void)state;
    check("journey.elf", "rv64");
    check("journey-rv32.elf", "rv32");
}

/* A timer interrupt is taken between two instructions, by the run loop: a break stops there as well. */
static void a_break_stops_behind_an_interrupt(void **state)
{
    (void)state;
    struct machine *m = journey("test-wakeups.elf", "rv64");
    struct seen s = {.stop = true};
    machine_watch(m, note, &s);
    unsigned stops = 0;
    uint64_t pc;
    while (machine_run(m, 10 * CYCLES) == MACHINE_DEBUG && stops < 1000) {
        assert_true(machine_get_reg(m, 0, "pc", &pc));
        assert_int_equal(pc, s.pc);
        assert_int_equal(++stops, s.traps + s.returns);
    }
    assert_true(stops > 2);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journey_is_the_same_watched_and_stopped_at_every_change),
        cmocka_unit_test(a_break_stops_behind_an_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
