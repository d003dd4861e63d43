/*
 * The state sweep of scenario S1 (states.h), on real firmware and handlers, gives the counts of the exhaustive model, and
 * what fails is exactly what the rules say.
 * timeout: 600
 */
#include "states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SAYS "mode=probe event=0x4000"
#define ALL  SAYS " dte=on lpad=on"

static struct states *open_states(const char *firmware, int xlen, const char *append)
{
    char bios[300], kernel[300];
    struct err e;
    const char *suffix = xlen == 32 ? "-rv32" : "";
    snprintf(bios, sizeof bios, TL_SOURCE_DIR "/roms/sbi-%s%s.elf", firmware, suffix);
    snprintf(kernel, sizeof kernel, TL_SOURCE_DIR "/roms/kvm%s.elf", suffix);
    const struct machine_config c = {.bios = bios, .kernel = kernel, .append = append, .cpu = xlen == 32 ? "rv32" : "rv64"};
    const struct machine_injection meip = {.event = MACHINE_LINE, .how = MACHINE_PULSE, .line = 11};
    struct states *s = states_open(&c, 0x4000, &meip, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

static struct states_result run(struct states *s, unsigned handler)
{
    struct states_result r;
    struct err e;
    if (!states_run(s, states_handler(handler), &r, &e))
        fail_msg("%s", e.text);
    return r;
}

/* Which states must fail question q, by the rules that the firmware breaks (scenario S1, "Negative"). */
typedef bool rule_fn(const struct states_state *x);
static bool none(const struct states_state *x) { return (void)x, false; }
static bool sticky_spv(const struct states_state *x) { return !x->v && x->spv; }
static bool sticky_or_spvp(const struct states_state *x) { return !x->v && (x->spv || x->spvp); }
static bool late_flags(const struct states_state *x) { return x->spp != x->p || x->spie != x->sie; }
static bool virtual(const struct states_state *x) { return x->v; }

static void fails_exactly(const char *firmware, int xlen, const char *append, unsigned handler, enum states_question q,
                          rule_fn *rule)
{
    struct states *s = open_states(firmware, xlen, append);
    struct states_result r = run(s, handler);
    struct states_state x;
    for (unsigned i = 0; states_state_at(s, i, &x); i++)
        if (rule(&x) != !!(r.failed[i] & q))
            fail_msg(
                "%s rv%d, handler %u, question %d: state %u (V=%u P=%u SPP=%u SPIE=%u SIE=%u SPV=%u SPVP=%u SPELP=%u SDT=%u) %s",
                firmware, xlen, handler, q, i, x.v, x.p, x.spp, x.spie, x.sie, x.spv, x.spvp, x.spelp, x.sdt,
                rule(&x) ? "passes" : "fails");
    states_free(s);
}

static void the_counts_are_those_of_the_model(void **state)
{
    (void)state;
    for (int xlen = 64; xlen >= 32; xlen -= 32) {
        struct states *s = NULL;
        const char *of = "";
        const struct states_counts *c;
        for (unsigned i = 0; (c = states_counts(i)); i++) {
            if (strcmp(of, c->firmware)) {
                states_free(s);
                s = open_states(of = c->firmware, xlen, SAYS);
            }
            struct states_result r = run(s, c->handler);
            assert_int_equal(r.states, 128);
            assert_int_equal(r.cases, 128 * states_handler(c->handler)->variants);
            if (c->transparent != STATES_ANY)
                assert_int_equal(r.transparent, c->transparent);
            assert_int_equal(r.complete, c->complete);
            assert_int_equal(r.entry, c->entry);
        }
        states_free(s);
    }
}

static void what_fails_is_what_the_rules_say(void **state)
{
    (void)state;
    for (int xlen = 64; xlen >= 32; xlen -= 32) {
        for (unsigned handler = 0; handler <= 3; handler += 3) {
            fails_exactly("head", xlen, SAYS, handler, STATES_T, sticky_spv);
            fails_exactly("head", xlen, SAYS, handler, STATES_E, sticky_or_spvp);
            fails_exactly("p1", xlen, SAYS, handler, STATES_T, late_flags);
            fails_exactly("priv", xlen, SAYS, handler, STATES_T, none);
        }
        fails_exactly("maint", xlen, SAYS, 2, STATES_T, virtual);
        fails_exactly("maint", xlen, SAYS, 0, STATES_A, none);
        fails_exactly("maint", xlen, SAYS, 4, STATES_A, none);
    }
}

/* With SPELP and SDT in the state (Zicfilp, Ssdbltrp) the specified firmware stays exact. */
static void landing_pads_and_double_traps_change_nothing_for_exact_firmware(void **state)
{
    (void)state;
    for (int xlen = 64; xlen >= 32; xlen -= 32) {
        struct states *s = open_states("maint", xlen, ALL);
        for (unsigned h = 0; states_handler(h); h++) {
            struct states_result r = run(s, h);
            assert_int_equal(r.states, 288); /* 128 + 128 with SPELP + 2 * 16 with SDT, which leaves V=0, P=S, SIE=0 */
            assert_int_equal(r.complete + r.entry, 0);
        }
        states_free(s);
        fails_exactly("maint", xlen, ALL, 4, STATES_A, none);
        fails_exactly("head", xlen, ALL, 0, STATES_T, sticky_spv);
    }
}

/* The page of the scenarios counts 12 of 16 states for P1 on a hart without H; there the other rules have nothing to break. */
static void without_h_only_late_flags_break_anything(void **state)
{
    (void)state;
    static const char *const firmware[] = {"head", "p1", "priv", "maint"};
    for (unsigned i = 0; i < 4; i++) {
        char bios[300];
        struct err e;
        snprintf(bios, sizeof bios, TL_SOURCE_DIR "/roms/sbi-%s.elf", firmware[i]);
        const struct machine_config c = {
            .bios = bios, .kernel = TL_SOURCE_DIR "/roms/kernel.elf", .append = SAYS, .cpu = "rv64,h=off"};
        const struct machine_injection meip = {.event = MACHINE_LINE, .how = MACHINE_PULSE, .line = 11};
        struct states *s = states_open(&c, 0x4000, &meip, &e);
        if (!s)
            fail_msg("%s", e.text);
        struct states_result r = run(s, 0);
        assert_int_equal(r.states, 16);
        assert_int_equal(r.transparent, i == 1 ? 12 : 0);
        assert_int_equal(r.complete, i == 1 ? 12 : 0);
        states_free(s);
    }
}

static void images_that_are_no_such_pair_are_refused(void **state)
{
    (void)state;
    struct err e;
    const struct machine_injection meip = {.event = MACHINE_LINE, .how = MACHINE_PULSE, .line = 11};
    const struct machine_config c = {.kernel = TL_SOURCE_DIR "/roms/journey.elf"};
    assert_null(states_open(&c, 0x4000, &meip, &e));
    assert_string_equal(e.text, "the payload has no symbol probe_sled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counts_are_those_of_the_model),
        cmocka_unit_test(what_fails_is_what_the_rules_say),
        cmocka_unit_test(landing_pads_and_double_traps_change_nothing_for_exact_firmware),
        cmocka_unit_test(without_h_only_late_flags_break_anything),
        cmocka_unit_test(images_that_are_no_such_pair_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
