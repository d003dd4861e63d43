/*
 * Sweeps of the guest test-sweep: each of its faults is found at exactly the boundaries where it is, on both XLENs, for events
 * handled in M, passed on to a handler in S, and delegated; the second order; coalescing; and the same results however the cases
 * are spread. timeout: 600
 */
#include "base/bits.h"
#include "debug/sweep_result.h"
#include "machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A swept guest and what its symbols are. */
struct world {
    struct machine *m; /* the sweep's */
    struct sweep *s;
    struct inject_event event, nest;
    struct sweep_variant variant;
    struct sweep_range ignore, handler;
    struct sweep_result r;
    uint64_t victim, window, kernel[2], user[2], trap;
};

static uint64_t symbol(struct machine *m, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_symbol(m, name, &v));
    return v;
}

static struct machine *guest(unsigned bits)
{
    struct err e;
    char path[512];
    snprintf(path, sizeof path, "%s/roms/test-sweep%s.elf", TL_SOURCE_DIR, bits == 32 ? "-rv32" : "");
    struct machine *m = machine_new(&(struct machine_config){.kernel = path, .cpu = bits == 32 ? "rv32" : "rv64"}, &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static void point(struct inject_point *p, const char *text)
{
    struct err e;
    if (!inject_parse_point(text, p, &e))
        fail_msg("%s", e.text);
}

static bool add_case(void *ctx, const struct sweep_case *c)
{
    struct world *w = ctx;
    assert_true(c->verdict <= SWEEP_SAME || c->detail);
    sweep_result_add(&w->r, c);
    return true;
}

/* The guest with `select` in handler_select, ready to be swept by the event up to `to`. */
static struct world *begin_to(unsigned bits, const char *event, const char *nest, unsigned select, const char *to)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e;
    w->m = guest(bits);
    if (!inject_parse_event(event, 0, &w->event, &e) || (nest && !inject_parse_event(nest, 0, &w->nest, &e)))
        fail_msg("%s", e.text);
    w->victim = symbol(w->m, "victim");
    w->window = symbol(w->m, "window_start");
    w->trap = symbol(w->m, "kernel_text_start");
    w->user[0] = symbol(w->m, "user_text_start");
    w->user[1] = symbol(w->m, "user_text_end");
    w->ignore = (struct sweep_range){symbol(w->m, "scratch_start"), symbol(w->m, "scratch_end")};
    w->handler = (struct sweep_range){symbol(w->m, "handler_text_start"), symbol(w->m, "handler_text_end")};
    w->variant = (struct sweep_variant){.poke = {{symbol(w->m, "handler_select"), select, 4}}, .pokes = 1};
    struct sweep_config c = {.event = &w->event,
                             .events = 1,
                             .nest = nest ? &w->nest : NULL,
                             .variant = &w->variant,
                             .variants = 1,
                             .ignore = &w->ignore,
                             .ignores = 1,
                             .handler = &w->handler,
                             .handlers = 1,
                             .case_cycles = 20000,
                             .reach_cycles = 100000,
                             .window_cycles = 100000};
    point(&c.from, "window_start");
    point(&c.to, to);
    w->s = sweep_new(&c, w->m, &e);
    if (!w->s)
        fail_msg("%s", e.text);
    sweep_result_pair(&w->r, "nest", nest ? nest : ""); /* or the second order is not shown */
    sweep_result_event(&w->r, event, "");
    sweep_result_variant(&w->r, "", "", sweep_window(w->s, 0));
    return w;
}

static struct world *begin(unsigned bits, const char *event, const char *nest, unsigned select)
{
    return begin_to(bits, event, nest, select, "window_end");
}

static struct world *swept(unsigned bits, const char *event, const char *nest, unsigned select)
{
    struct world *w = begin(bits, event, nest, select);
    struct err e;
    sweep_run(w->s, 0, 1, add_case, w);
    if (!sweep_result_finish(&w->r, &e))
        fail_msg("%s", e.text);
    return w;
}

static void end(struct world *w)
{
    sweep_result_free(&w->r);
    sweep_free(w->s);
    free(w);
}

static bool in_user(const struct world *w, uint64_t pc) { return pc >= w->user[0] && pc < w->user[1]; }

/* The registers and memory that a failing case names, in one line. */
static const char *names(const struct sweep_case *c, char out[256])
{
    *out = '\0';
    for (uint32_t i = 0; c->detail && i < c->detail->diffs; i++)
        snprintf(out + strlen(out), 256 - strlen(out), "%s%s", i ? " " : "", c->detail->diff[i].name);
    return out;
}

/* Every case is checked: those at which `where` says so have this verdict and differ in exactly this, all others pass. */
static void check(unsigned bits, const char *event, unsigned select, bool (*where)(const struct world *w, uint64_t pc),
                  enum sweep_verdict verdict, const char *what)
{
    struct world *w = swept(bits, event, NULL, select);
    unsigned found = 0;
    for (size_t i = 0; i < w->r.count; i++) {
        const struct sweep_case *c = &w->r.cases[i];
        char text[256];
        bool here = where(w, c->pc);
        found += here;
        if (c->verdict != (here ? verdict : SWEEP_PASS) || (here && what && strcmp(names(c, text), what)))
            fail_msg("rv%u %s, fault %u, pc %llx: %s (%s)", bits, event, select, (unsigned long long)c->pc,
                     sweep_verdict_name(c->verdict), names(c, text));
        assert_int_equal(c->taken_pc, c->pc);
    }
    assert_true(found || verdict == SWEEP_PASS);
    end(w);
}

static bool nowhere(const struct world *w, uint64_t pc)
{
    (void)w;
    (void)pc;
    return false;
}
static bool at_victim(const struct world *w, uint64_t pc) { return pc == w->victim; }
static bool anywhere_in_user(const struct world *w, uint64_t pc) { return in_user(w, pc); }

static const char *const both[] = {"msip", "meip"};

static void a_transparent_handler_passes_everywhere(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32)
        for (unsigned i = 0; i < 2; i++)
            check(bits, both[i], 0, nowhere, SWEEP_PASS, NULL);
}

static void a_lost_register_is_found_where_it_is_lost(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32)
        for (unsigned i = 0; i < 2; i++) {
            check(bits, both[i], 1, at_victim, SWEEP_VIOLATION, "t3");
            check(bits, both[i], 2, anywhere_in_user, SWEEP_VIOLATION, "sstatus");
            check(bits, both[i], 6, at_victim, SWEEP_VIOLATION, "pc");
        }
}

static void a_guest_that_ends_or_hangs_is_told(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32)
        for (unsigned i = 0; i < 2; i++) {
            check(bits, both[i], 4, at_victim, SWEEP_ENDED, NULL);
            check(bits, both[i], 5, at_victim, SWEEP_RUNAWAY, NULL);
        }
}

/* SIE is 1 up to the instruction that clears it, and again from the one that sets it: the state says which these are. */
static void changed_memory_is_found_exactly_while_interrupts_are_on(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct world *w = swept(bits, "msip", NULL, 3);
        struct machine *m = guest(bits);
        uint64_t data = symbol(m, "kernel_data");
        char word[32], text[256];
        snprintf(word, sizeof word, "0x%llx", (unsigned long long)((data + 19) & ~UINT64_C(7)));
        machine_breakpoint(m, 0, w->window, true);
        assert_int_equal(machine_run(m, 100000), MACHINE_DEBUG);
        machine_breakpoint(m, 0, w->window, false);
        unsigned found = 0;
        for (size_t i = 0; i < w->r.count; i++) {
            const struct sweep_case *c = &w->r.cases[i];
            uint64_t pc = 0, priv = 0, sstatus = 0;
            assert_true(machine_get_reg(m, 0, "pc", &pc) && machine_get_reg(m, 0, "priv", &priv));
            assert_true(machine_get_reg(m, 0, "sstatus", &sstatus));
            assert_int_equal(c->pc, pc); /* the boundaries are those of the run */
            bool here = priv == 1 && (sstatus & 2);
            found += here;
            assert_int_equal(c->verdict, here ? SWEEP_VIOLATION : SWEEP_PASS);
            assert_string_equal(names(c, text), here ? word : "");
            machine_step(m, 0);
        }
        assert_true(found > 3);
        machine_free(m);
        end(w);
    }
}

static void every_differing_register_is_told(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct world *w = swept(bits, "meip", NULL, 7);
        char text[256];
        unsigned in_s = 0, in_u = 0;
        for (size_t i = 0; i < w->r.count; i++) {
            const struct sweep_case *c = &w->r.cases[i];
            const char *told = names(c, text);
            if (c->pc == w->victim) {
                in_s += !strcmp(told, "satp");
            } else if (in_user(w, c->pc)) {
                in_u += !strcmp(told, "ft5") || !strcmp(told, "f5");
            } else {
                assert_string_equal(told, "");
            }
        }
        assert_int_equal(in_s, 1);
        assert_true(in_u > 10);
        end(w);
    }
}

/* The handler's own trap, taken by the kernel's vector, spoils what the kernel has in hand while it is in that vector itself. */
static void a_handler_that_traps_into_a_vector_in_use_is_found(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct world *w = swept(bits, "meip", NULL, 8);
        unsigned found = 0;
        for (size_t i = 0; i < w->r.count; i++) {
            const struct sweep_case *c = &w->r.cases[i];
            assert_int_equal(c->handled, 1);
            if (c->verdict == SWEEP_PASS)
                continue;
            assert_true(c->pc > w->trap && c->pc <= w->trap + 40);
            assert_string_equal(c->detail->diff[0].name, "sscratch");
            assert_int_equal(strncmp(c->detail->where, "s_trap+", 7), 0);
            found++;
        }
        assert_int_equal(found, 7); /* from the swap of sscratch to its setting */
        end(w);
    }
}

/* A delegated interrupt waits while SIE is 0: those cases are the one in which it is taken. */
static void masked_boundaries_are_the_case_in_which_the_event_is_taken(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct world *w = swept(bits, "ssip", NULL, 0);
        unsigned same = 0;
        for (size_t i = 0; i < w->r.count; i++) {
            const struct sweep_case *c = &w->r.cases[i];
            if (c->verdict == SWEEP_PASS) {
                assert_true(c->taken_key || c->taken_pc == c->pc);
                continue;
            }
            assert_int_equal(c->verdict, SWEEP_SAME);
            assert_true(c->same < w->r.count && w->r.cases[c->same].verdict == SWEEP_PASS);
            if (!c->taken_key) { /* within the window: the next boundary at which it can be taken */
                assert_true(c->same > c->boundary);
                assert_int_equal(c->taken_pc, w->r.cases[c->same].pc);
                for (uint32_t k = c->boundary; k < c->same; k++)
                    assert_int_equal(w->r.cases[k].verdict, SWEEP_SAME);
            }
            same++;
        }
        assert_true(same > 10);
        end(w);
    }
}

/* The window ends before SIE is 1 again: its last boundaries are one case, which is taken behind it. */
static void boundaries_masked_to_the_end_are_one_case(void **state)
{
    (void)state;
    struct err e;
    struct world *w = begin_to(64, "ssip", NULL, 0, "user_text_start");
    for (uint64_t first = 3; first--;)
        sweep_run(w->s, first, 3, add_case, w);
    assert_true(sweep_result_finish(&w->r, &e));
    uint32_t first = SWEEP_NONE, behind = 0;
    for (size_t i = 0; i < w->r.count; i++) {
        const struct sweep_case *c = &w->r.cases[i];
        if (!c->taken_key)
            continue;
        behind++;
        first = first == SWEEP_NONE ? c->boundary : first;
        assert_int_equal(c->taken_pc, w->user[0]);
        assert_int_equal(c->verdict, c->boundary == first ? SWEEP_PASS : SWEEP_SAME);
        assert_true(c->boundary == first || c->same == first);
    }
    assert_true(behind > 4);
    assert_true(w->r.cases[w->r.count - 1].taken_key); /* up to the last */
    end(w);
}

/* stip is raised and lowered by nobody else; it is delegated and the kernel's handler knows nothing of it, so it must be a pulse.
 */
static void a_pulse_to_s_is_taken_once(void **state)
{
    (void)state;
    struct world *w = swept(64, "stip", NULL, 0);
    struct sweep_count n = sweep_result_count(&w->r, 0, 0, false);
    assert_int_equal(n.verdict[SWEEP_PASS] + n.verdict[SWEEP_SAME], n.cases);
    end(w);
}

static void an_event_nobody_enables_is_lost(void **state)
{
    (void)state;
    struct world *w = swept(64, "seip", NULL, 0);
    struct sweep_count n = sweep_result_count(&w->r, 0, 0, false);
    assert_int_equal(n.verdict[SWEEP_LOST], n.cases);
    assert_true(sweep_result_failed(&w->r));
    end(w);
}

static void the_second_order_is_swept(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct world *w = swept(bits, "meip", "msip", 0);
        struct sweep_count first = sweep_result_count(&w->r, 0, 0, false), second = sweep_result_count(&w->r, 0, 0, true);
        assert_int_equal(first.verdict[SWEEP_PASS], first.cases);
        assert_true(second.cases > 20 * first.cases);
        assert_true(second.verdict[SWEEP_PASS] > first.cases);
        assert_int_equal(second.verdict[SWEEP_PASS] + second.verdict[SWEEP_SAME], second.cases);
        assert_true(second.verdict[SWEEP_SAME] > second.verdict[SWEEP_PASS]); /* most of it is in M, where MIE is 0 */
        end(w);
        /* The same event again: the firmware here keeps one context only, and loses the first. */
        w = swept(bits, "meip", "meip", 0);
        second = sweep_result_count(&w->r, 0, 0, true);
        assert_true(second.verdict[SWEEP_VIOLATION] + second.verdict[SWEEP_RUNAWAY] > first.cases);
        for (size_t i = 0; i < w->r.count; i++)
            assert_true(w->r.cases[i].nested == SWEEP_NONE || w->r.cases[i].detail);
        end(w);
    }
}

/* ---- spreading ------------------------------------------------------------------------------------------------------ */

static void results_do_not_depend_on_how_cases_are_spread(void **state)
{
    (void)state;
    static const struct {
        const char *event, *nest, *to;
        unsigned select;
    } sweeps[] = {{"meip", NULL, "window_end", 8},
                  {"ssip", NULL, "window_end", 0},
                  {"meip", "meip", "window_end", 0},
                  {"ssip", NULL, "user_text_start", 0}, /* the last boundaries are one case, which is taken behind the window */
                  {"ssip", "ssip", "user_text_start", 0}};
    for (unsigned i = 0; i < ARRAY_LEN(sweeps); i++) {
        struct err e;
        struct world *whole = begin_to(64, sweeps[i].event, sweeps[i].nest, sweeps[i].select, sweeps[i].to);
        struct buf want = {0}, got = {0};
        sweep_run(whole->s, 0, 1, add_case, whole);
        assert_true(sweep_result_finish(&whole->r, &e));
        sweep_json(&whole->r, &want);
        for (uint64_t step = 2; step < 9; step += 3) {
            struct world *w = begin_to(64, sweeps[i].event, sweeps[i].nest, sweeps[i].select, sweeps[i].to);
            for (uint64_t first = step; first--;)
                sweep_run(w->s, first, step, add_case, w);
            assert_true(sweep_result_finish(&w->r, &e));
            got.len = 0;
            sweep_json(&w->r, &got);
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.data, want.data, want.len);
            end(w);
        }
        buf_free(&want);
        buf_free(&got);
        end(whole);
    }
}

static void a_missing_or_double_case_is_told(void **state)
{
    (void)state;
    struct err e;
    struct world *w = begin(64, "msip", NULL, 0);
    sweep_run(w->s, 0, 2, add_case, w);
    assert_false(sweep_result_finish(&w->r, &e));
    assert_string_equal(e.text, "the case of event 'msip', boundary 1 is missing");
    sweep_run(w->s, 1, 2, add_case, w);
    sweep_run(w->s, 2, 1000, add_case, w);
    assert_false(sweep_result_finish(&w->r, &e));
    assert_string_equal(e.text, "the case of event 'msip', boundary 3 is there twice");
    end(w);
}

static void cases_survive_as_bytes(void **state)
{
    (void)state;
    struct world *w = swept(64, "meip", "meip", 7);
    struct buf b = {0}, again = {0};
    for (size_t i = 0; i < w->r.count; i++)
        sweep_case_put(&b, &w->r.cases[i]);
    struct cursor c = {.p = b.data, .left = b.len};
    for (size_t i = 0; i < w->r.count; i++) {
        struct sweep_case k;
        assert_true(sweep_case_get(&c, &k));
        sweep_case_put(&again, &k);
        free(k.detail);
    }
    assert_true(!c.left && !c.bad);
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.data, b.data, b.len);
    buf_free(&b);
    buf_free(&again);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transparent_handler_passes_everywhere),
        cmocka_unit_test(a_lost_register_is_found_where_it_is_lost),
        cmocka_unit_test(a_guest_that_ends_or_hangs_is_told),
        cmocka_unit_test(changed_memory_is_found_exactly_while_interrupts_are_on),
        cmocka_unit_test(every_differing_register_is_told),
        cmocka_unit_test(a_handler_that_traps_into_a_vector_in_use_is_found),
        cmocka_unit_test(masked_boundaries_are_the_case_in_which_the_event_is_taken),
        cmocka_unit_test(boundaries_masked_to_the_end_are_one_case),
        cmocka_unit_test(a_pulse_to_s_is_taken_once),
        cmocka_unit_test(an_event_nobody_enables_is_lost),
        cmocka_unit_test(the_second_order_is_swept),
        cmocka_unit_test(results_do_not_depend_on_how_cases_are_spread),
        cmocka_unit_test(a_missing_or_double_case_is_told),
        cmocka_unit_test(cases_survive_as_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
