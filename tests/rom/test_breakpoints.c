/*
 * Breakpoints and steps on the images of roms/: a breakpoint stops exactly at the boundaries at which a run without it executes
 * the instruction there, on the harts it is for, and neither breakpoints nor steps change the run. timeout: 600
 */
#include "base/rng.h"
#include "machine/trapline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HARTS_MAX 3

/* Where a hart was about to execute an instruction. */
struct at {
    uint64_t cycle, pc;
};

/* What one hart executed, boundary by boundary. */
struct path {
    struct at *at;
    size_t n, cap;
    unsigned hart;
    uint64_t end; /* the cycle up to which it tells all */
};

static uint64_t cycles_each(void) { return getenv("TRAPLINE_FP_N") ? 4000 : 20000; }

static struct machine *start(const char *rom, const char *cpu, unsigned harts)
{
    struct err e;
    char path[512];
    snprintf(path, sizeof path, "%s/roms/%s", TL_SOURCE_DIR, rom);
    struct machine *m = machine_new(&(struct machine_config){.kernel = path, .cpu = cpu, .harts = harts, .ram = 32 << 20}, &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static uint64_t pc_of(struct machine *m, unsigned hart)
{
    uint64_t pc = 0;
    assert_true(machine_get_reg(m, hart, "pc", &pc));
    return pc;
}

static void note(struct path *p, uint64_t cycle, uint64_t pc)
{
    if (p->n && p->at[p->n - 1].cycle == cycle)
        p->n--; /* an interrupt was taken at this boundary: its handler is what goes on */
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 4096;
        p->at = realloc(p->at, p->cap * sizeof *p->at);
        assert_non_null(p->at);
    }
    p->at[p->n++] = (struct at){cycle, pc};
}

static void interrupted(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct path *p = ctx;
    (void)m;
    if (c->interrupt && c->hart == p->hart)
        note(p, c->cycle, c->pc);
}

/* Steps hart p->hart until it has come to cycle *to, or the guest's end; *to becomes the cycle at which the machine is then. */
static uint64_t walk(struct machine *m, struct path *p, uint64_t *to)
{
    machine_watch(m, interrupted, p);
    do {
        if (!machine_waits(m, p->hart))
            note(p, machine_hart_cycle(m, p->hart), pc_of(m, p->hart));
    } while (machine_hart_cycle(m, p->hart) < *to && machine_step(m, p->hart) == MACHINE_DEBUG);
    machine_watch(m, NULL, NULL);
    p->end = machine_hart_cycle(m, p->hart);
    for (unsigned i = 0; i < machine_harts(m); i++) /* one that waited may have come further */
        *to = machine_hart_cycle(m, i) > *to ? machine_hart_cycle(m, i) : *to;
    machine_run(m, *to - machine_cycle(m));
    return machine_digest(m);
}

static bool in(const uint64_t *va, unsigned n, uint64_t pc)
{
    for (unsigned i = 0; i < n; i++)
        if (va[i] == pc)
            return true;
    return false;
}

/* Breakpoints at some addresses of the path, and perhaps at one beside them: they stop where the path says. */
static void stops_are_those_of_the_path(struct machine *m, const struct path *p, uint64_t to, uint64_t want, uint64_t *seed)
{
    uint64_t va[6];
    unsigned n = 0, seen = 0, count = 1 + (unsigned)rng_below(seed, 5);
    while (n < count)
        va[n++] = p->at[rng_below(seed, rng_below(seed, 3) ? p->n : (p->n + 9) / 10)].pc + 2 * !rng_below(seed, 5);
    machine_run(m, rng_below(seed, 2) ? rng_below(seed, p->end / 2) : 0); /* much may have been decoded already */
    for (unsigned i = 0; i < n; i++)
        assert_true(machine_breakpoint(m, p->hart, va[i], true));
    size_t next = 0;
    while (next < p->n && p->at[next].cycle < machine_hart_cycle(m, p->hart))
        next++;
    while (machine_run(m, to - machine_cycle(m)) == MACHINE_DEBUG) {
        uint64_t cycle = machine_hart_cycle(m, p->hart), pc = pc_of(m, p->hart);
        if (cycle >= p->end)
            continue;
        while (next < p->n && !in(va, n, p->at[next].pc))
            next++;
        if (next == p->n || p->at[next].cycle != cycle || p->at[next].pc != pc)
            fail_msg("hart %u stops at cycle %llu, pc %llx; expected was %llu, %llx", p->hart, (unsigned long long)cycle,
                     (unsigned long long)pc, (unsigned long long)(next < p->n ? p->at[next].cycle : 0),
                     (unsigned long long)(next < p->n ? p->at[next].pc : 0));
        next++;
        if (++seen > 300) /* a busy loop: enough of it */
            for (unsigned i = 0; i < n; i++)
                machine_breakpoint(m, rng_below(seed, 2) ? p->hart : MACHINE_ALL_HARTS, va[i], false);
    }
    while (seen <= 300 && next < p->n && p->at[next].cycle < p->end) /* none was left out */
        assert_false(in(va, n, p->at[next++].pc));
    assert_true(machine_digest(m) == want);
}

static void check(const char *rom, const char *cpu, unsigned harts)
{
    uint64_t seed = 7;
    for (unsigned hart = 0; hart < harts; hart++) {
        struct path p = {.hart = hart};
        struct machine *plain = start(rom, cpu, harts), *walked = start(rom, cpu, harts);
        uint64_t to = cycles_each(), want = walk(walked, &p, &to);
        machine_run(plain, to);
        assert_true(machine_digest(plain) == want);
        assert_true(p.n > 20);
        machine_free(plain);
        machine_free(walked);
        for (unsigned i = 0; i < 10; i++) {
            struct machine *m = start(rom, cpu, harts);
            stops_are_those_of_the_path(m, &p, to, want, &seed);
            machine_free(m);
        }
        free(p.at);
    }
}

static void breakpoints_are_exact_on_one_hart(void **state)
{
    (void)state;
    static const char *const name[] = {"journey", "test-pages", "test-selfmod", "test-wakeups", "test-cfi", "test-misaligned"};
    for (unsigned i = 0; i < sizeof name / sizeof *name; i++) {
        char rom[64];
        snprintf(rom, sizeof rom, "%s.elf", name[i]);
        check(rom, "rv64", 1);
        snprintf(rom, sizeof rom, "%s-rv32.elf", name[i]);
        check(rom, "rv32", 1);
    }
}

static void breakpoints_are_exact_on_several_harts(void **state)
{
    (void)state;
    check("test-wakeups.elf", "rv64", HARTS_MAX);
    check("test-atomics-rv32.elf", "rv32", HARTS_MAX);
    check("test-selfmod.elf", "rv64", 2);
}

/* A breakpoint that was reported is gone over once; standing at it again, later or on another machine, it is reported again. */
static void going_on_goes_over_it(void **state)
{
    (void)state;
    struct machine *m = start("test-wakeups.elf", "rv64", 1);
    assert_int_equal(machine_step(m, 0), MACHINE_DEBUG);
    machine_run(m, 100);
    struct machine *before = machine_fork(m);
    uint64_t pc = pc_of(m, 0);
    machine_breakpoint(m, 0, pc, true);
    assert_int_equal(machine_run(m, 1), MACHINE_DEBUG);
    assert_int_equal(pc_of(m, 0), pc);
    assert_int_equal(machine_run(m, 1), MACHINE_CYCLES);
    machine_restore(m, before);
    assert_int_equal(machine_run(m, 1), MACHINE_DEBUG); /* the time before is there again, and so is the breakpoint */
    struct machine *fork = machine_fork(m);
    assert_int_equal(machine_run(fork, 1), MACHINE_CYCLES); /* forks have none */
    assert_false(machine_breakpoint(m, 1, pc, true));
    machine_free(fork);
    machine_free(before);
    machine_free(m);
}

static void a_stop_comes_at_the_cycle_asked_for(void **state)
{
    (void)state;
    for (unsigned hart = 0; hart < 3; hart++) {
        struct machine *plain = start("test-wakeups.elf", "rv64", 3), *m = start("test-wakeups.elf", "rv64", 3);
        uint64_t seed = 1, stops = 0;
        while (machine_cycle(m) < 20000) {
            uint64_t at = machine_hart_cycle(m, hart) + rng_below(&seed, 500);
            assert_true(machine_stop_at(m, hart, at));
            if (machine_run(m, 20000 - machine_cycle(m)) != MACHINE_DEBUG)
                break;
            assert_int_equal(machine_hart_cycle(m, hart), at);
            stops++;
        }
        assert_true(stops > 50);
        machine_run(plain, 20000);
        assert_true(machine_digest(plain) == machine_digest(m));
        assert_false(machine_stop_at(m, 3, 0));
        machine_free(plain);
        machine_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breakpoints_are_exact_on_one_hart),
        cmocka_unit_test(breakpoints_are_exact_on_several_harts),
        cmocka_unit_test(going_on_goes_over_it),
        cmocka_unit_test(a_stop_comes_at_the_cycle_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
