/* Steps of a run as another process reads them, and as logs: what comes out is what went in, and damage is told. */
#include "base/bits.h"
#include "base/rng.h"
#include "debug/export/steps.h"
#include "debug/logs/log.h"
#include "machine/machine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
    const uint8_t *p;
    size_t n, at;
};

static long give(void *ctx, void *p, size_t n, struct err *e)
{
    struct bytes *b = ctx;
    (void)e;
    n = n < b->n - b->at ? n : b->n - b->at;
    n = n < 777 ? n : 777;
    memcpy(p, b->p + b->at, n);
    b->at += n;
    return (long)n;
}

static struct machine *machine(const char *board)
{
    struct err e;
    struct machine *m =
        machine_new(&(struct machine_config){.board = board, .harts = 2, .bios = "none", .ram = UINT64_C(16) << 20}, &e);
    assert_non_null(m);
    return m;
}

/* The same for equal n; class: of the system registers it writes. */
static void make(struct steps_item *i, uint64_t n, bool arm)
{
    uint64_t r = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    memset(i, 0, sizeof *i);
    i->cycle = n;
    i->log = (struct log_step){.line = n + 1,
                               .hart = (unsigned)(n & 1),
                               .priv = n % 3 == 2 ? 3 : (int)(n % 3),
                               .v = LOG_UNKNOWN,
                               .pc = UINT64_C(0x80000000) + 4 * n,
                               .insn = (uint32_t)r | 3,
                               .insn_bytes = 4,
                               .cause = UINT64_MAX};
    for (unsigned k = 0; k < n % 4; k++)
        i->log.reg[i->log.nregs++] = (struct log_reg){.class = arm && k == 1 ? LOG_V : LOG_X,
                                                      .words = arm && k == 1 ? 2 : 1,
                                                      .number = (uint16_t)(5 + k),
                                                      .value = {r * k, r}};
    for (unsigned k = 0; k < n % 3; k++)
        i->log.mem[i->log.nmems++] =
            (struct log_mem){.address = r & ~UINT64_C(7), .value = r >> 8, .bytes = 8, .store = k, .has_value = true};
}

/* What both say of a step; of a log in text, what it can tell. */
static void same(const struct log_step *a, const struct log_step *b, bool raw)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->hart, b->hart);
    assert_int_equal(a->priv, b->priv);
    assert_true(a->pc == b->pc && a->insn == b->insn && a->insn_bytes == b->insn_bytes);
    assert_int_equal(a->nregs, b->nregs);
    assert_int_equal(a->nmems, b->nmems);
    for (unsigned k = 0; k < a->nregs; k++) {
        const struct log_reg *x = &a->reg[k], *y = &b->reg[k];
        assert_true(x->class == y->class && x->number == y->number && x->value[0] == y->value[0]);
        assert_true(x->words == 1 || x->value[1] == y->value[1]);
    }
    for (unsigned k = 0; k < a->nmems; k++) {
        assert_true(a->mem[k].store == b->mem[k].store && a->mem[k].address == b->mem[k].address);
        assert_true((!raw && !b->mem[k].has_value) || a->mem[k].value == b->mem[k].value);
    }
}

#define STEPS 200

static void written(const struct steps_form *f, struct machine *m, bool arm, struct buf *out)
{
    void *ctx = f->begin(m, out);
    for (uint64_t n = 0; n < STEPS; n++) {
        struct steps_item i;
        make(&i, n, arm);
        f->item(ctx, m, &i, out);
    }
    f->end(ctx);
}

static void round_trip(const struct steps_form *f, const char *board, const char *format, bool arm)
{
    struct machine *m = machine(board);
    struct buf out = {0};
    struct err e;
    struct log_step s;
    written(f, m, arm, &out);
    struct bytes b = {out.data, out.len, 0};
    struct log_reader *r = log_open("x", format, give, &b, &e);
    assert_non_null(r);
    for (uint64_t n = 0; n < STEPS; n++) {
        struct steps_item i;
        make(&i, n, arm);
        assert_int_equal(log_next(r, &s, &e), LOG_STEP);
        same(&i.log, &s, !strcmp(format, "trapline"));
    }
    assert_int_equal(log_next(r, &s, &e), LOG_END);
    log_close(r);
    buf_free(&out);
    machine_free(m);
}

static void steps_come_back_as_they_were(void **state)
{
    (void)state;
    round_trip(&steps_raw, "virt", "trapline", false);
    round_trip(&steps_raw, "virt-arm", "trapline", true);
}

static void spikes_text_tells_the_steps(void **state)
{
    (void)state;
    round_trip(&steps_spike, "virt", "spike", false);
}

static void tarmac_tells_the_steps(void **state)
{
    (void)state;
    round_trip(&steps_tarmac, "virt-arm", "tarmac", true);
}

/* How a stream ends that is cut at n, or has another byte there. */
static enum log_result end_of(const uint8_t *p, size_t n, struct err *e)
{
    struct bytes b = {p, n, 0};
    struct log_step s;
    enum log_result got;
    struct log_reader *r = log_open("x", "trapline", give, &b, e);
    while ((got = log_next(r, &s, e)) == LOG_STEP)
        ;
    log_close(r);
    return got;
}

static void a_stream_that_is_cut_or_damaged_is_told(void **state)
{
    struct machine *m = machine("virt");
    struct buf out = {0};
    struct err e = {""};
    (void)state;
    written(&steps_raw, m, false, &out);
    unsigned bad = 0, whole = 0;
    for (size_t n = LOG_STEPS_MAGIC_LEN + 1; n < 4000; n++)
        *(end_of(out.data, n, &e) == LOG_BAD ? &bad : &whole) += 1;
    assert_true(whole && bad > 50 * whole); /* it may be cut between two steps */
    static const uint8_t failed[] = {'E', 5, 0, 'w', 'h', 'y', ' ', '?'};
    assert_int_equal(end_of(failed, sizeof failed, &e), LOG_BAD);
    assert_string_equal(e.text, "why ?");
    size_t step = LOG_STEPS_MAGIC_LEN + 2, at[] = {offsetof(struct log_step, interrupt), offsetof(struct log_step, kind),
                                                   offsetof(struct log_step, nregs) + 1, offsetof(struct log_step, nmems) + 1};
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        uint8_t was = out.data[step + at[i]];
        out.data[step + at[i]] = 0x55;
        assert_int_equal(end_of(out.data, out.len, &e), LOG_BAD);
        out.data[step + at[i]] = was;
    }
    for (size_t i = 0; i < 2000; i++) { /* whatever it is now: it ends */
        out.data[i] ^= 0xff;
        assert_true(end_of(out.data, 4000, &e) != LOG_STEP);
        out.data[i] ^= 0xff;
    }
    buf_free(&out);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_come_back_as_they_were),
                                       cmocka_unit_test(spikes_text_tells_the_steps), cmocka_unit_test(tarmac_tells_the_steps),
                                       cmocka_unit_test(a_stream_that_is_cut_or_damaged_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
