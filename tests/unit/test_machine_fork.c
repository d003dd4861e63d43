/* Forks and restores of whole machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "guest.h"

#include <pthread.h>

static struct machine *busy(unsigned harts)
{
    struct guest g = busy_guest(harts);
    struct machine_config config = {.harts = harts, .seed = 3};
    struct machine *m = guest_machine(&g, &config);
    assert_non_null(m);
    return m;
}

static void a_fork_goes_on_as_its_original_does(void **state)
{
    (void)state;
    for (unsigned harts = 1; harts <= 4; harts *= 2) {
        struct machine *m = busy(harts);
        machine_run(m, 33333);
        uint64_t at = machine_digest(m);
        struct machine *f = machine_fork(m);
        assert_int_equal(machine_digest(f), at);
        machine_run(f, 40000);
        assert_int_equal(machine_digest(m), at); /* untouched by its fork */
        machine_run(m, 40000);
        assert_int_equal(machine_digest(m), machine_digest(f));
        struct machine *plain = busy(harts);
        machine_run(plain, 73333);
        assert_int_equal(machine_digest(plain), machine_digest(f));
        machine_free(m); /* a fork outlives its original */
        machine_run(f, 10000);
        machine_run(plain, 10000);
        assert_int_equal(machine_digest(plain), machine_digest(f));
        machine_free(f);
        machine_free(plain);
    }
}

static void a_restore_brings_back_the_exact_state(void **state)
{
    (void)state;
    for (unsigned harts = 1; harts <= 2; harts++) {
        struct machine *m = busy(harts);
        machine_run(m, 20000);
        struct machine *f = machine_fork(m);
        uint64_t at = machine_digest(m), seed = 1, want = 0;
        for (unsigned i = 0; i < 50; i++) {
            machine_run(f, rng_below(&seed, 5000));
            machine_restore(f, m);
            assert_int_equal(machine_digest(f), at);
            machine_run(f, 7000);
            if (!i)
                want = machine_digest(f);
            assert_int_equal(machine_digest(f), want);
            machine_restore(f, m);
        }
        machine_run(m, 7000);
        assert_int_equal(machine_digest(m), want);
        machine_restore(f, m); /* the original has moved on: the fork follows */
        assert_int_equal(machine_digest(f), want);
        machine_run(f, 100);
        machine_run(m, 100);
        assert_int_equal(machine_digest(f), machine_digest(m));
        machine_free(f);
        machine_free(m);
    }
}

/* Code that a fork changes under decoded pages: the other side must not see it, and a restore must bring it back. */
static void changed_code_stays_on_its_side(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    unsigned patch = g.n;
    addi(&g, A0, A0, 1);
    jump(&g, patch);
    struct machine *m = guest_machine(&g, NULL);
    machine_run(m, 1006);
    struct machine *f = machine_fork(m);
    uint32_t insn = i_type(100, A0, 0, A0, 0x13);
    uint64_t a, b;
    machine_get_reg(m, 0, "a0", &a);
    assert_true(machine_write(f, 0x80000000, &insn, 4));
    machine_run(m, 20);
    machine_run(f, 20);
    machine_get_reg(m, 0, "a0", &b);
    assert_int_equal(b - a, 10);
    machine_get_reg(f, 0, "a0", &b);
    assert_int_equal(b - a, 1000);
    machine_restore(f, m);
    machine_get_reg(f, 0, "a0", &a);
    machine_run(f, 20);
    machine_get_reg(f, 0, "a0", &b);
    assert_int_equal(b - a, 10);
    machine_free(f);
    machine_free(m);
}

static void pages_shared_while_cached_are_copied_at_the_next_store(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    auipc(&g, S0, 0x10);
    unsigned loop = g.n;
    addi(&g, A0, A0, 1);
    sd(&g, A0, 0, S0);
    ld(&g, A1, 0, S0);
    jump(&g, loop);
    struct machine *m = guest_machine(&g, NULL);
    machine_run(m, 1007);
    struct machine *f[8];
    uint64_t v[8], now;
    for (unsigned i = 0; i < 8; i++) {
        machine_run(m, 403);
        assert_true(machine_read(m, 0x80010000, &v[i], 8));
        f[i] = machine_fork(m);
    }
    machine_run(m, 400);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(machine_read(f[i], 0x80010000, &now, 8));
        assert_int_equal(now, v[i]);
        machine_run(f[i], 400);
        assert_true(machine_read(f[i], 0x80010000, &now, 8));
        assert_int_equal(now, v[i] + 100);
        machine_free(f[i]);
    }
    machine_free(m);
}

struct job {
    struct machine *base;
    uint64_t want, seed;
    unsigned wrong;
};

static void *work(void *p)
{
    struct job *j = p;
    struct machine *f = machine_fork(j->base);
    for (unsigned i = 0; i < 40; i++) {
        machine_run(f, rng_below(&j->seed, 3000));
        machine_restore(f, j->base);
        machine_run(f, 5000);
        j->wrong += machine_digest(f) != j->want;
        machine_restore(f, j->base);
    }
    machine_free(f);
    return NULL;
}

static void forks_run_in_different_threads(void **state)
{
    (void)state;
    struct machine *m = busy(2);
    machine_run(m, 10000);
    struct machine *f = machine_fork(m); /* from here on m stands still, so that its forks may be made anywhere */
    machine_run(f, 5000);
    struct job j[4];
    pthread_t t[4];
    for (unsigned i = 0; i < 4; i++) {
        j[i] = (struct job){m, machine_digest(f), i + 1, 0};
        assert_int_equal(pthread_create(&t[i], NULL, work, &j[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(j[i].wrong, 0);
    }
    machine_free(f);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fork_goes_on_as_its_original_does),
        cmocka_unit_test(a_restore_brings_back_the_exact_state),
        cmocka_unit_test(changed_code_stays_on_its_side),
        cmocka_unit_test(pages_shared_while_cached_are_copied_at_the_next_store),
        cmocka_unit_test(forks_run_in_different_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
