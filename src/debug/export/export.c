#include "debug/export/export.h"
#include "debug/export/steps.h"
#include "debug/export/timeline.h"
#include "debug/golden.h"
#include "debug/riscv/view.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FULL ((size_t)256 << 10) /* bytes that are handed on at once */

static const struct export_row rows[] = {
#define FORM(name, timeline, steps, arch, title) {#name, title, timeline, steps, arch},
#include "debug/export/forms.def"
#undef FORM
};

const struct export_row export_steps = {.name = "steps", .title = "", .steps = &steps_raw};

const struct export_row *export_form_at(unsigned i) { return i < EXPORT_FORMS ? &rows[i] : NULL; }

struct exporting {
    const struct export_row *form;
    struct timeline *timeline;
    struct steps *steps;
    struct golden *golden;
    struct buf out;
    export_put_fn *put;
    void *ctx;
};

static void hand_on(struct exporting *x)
{
    if (x->out.len)
        x->put(x->ctx, x->out.data, x->out.len);
    x->out.len = 0;
}

static void on_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct exporting *x = ctx;
    if (x->timeline)
        timeline_change(x->timeline, m, c);
    else if (x->steps)
        steps_change(x->steps, m, c);
    else
        golden_trap(x->golden, m, c);
    if (x->out.len > FULL)
        hand_on(x);
}

static void on_stopped(void *ctx, struct machine *m)
{
    struct exporting *x = ctx;
    steps_stopped(x->steps, m);
    if (x->out.len > FULL)
        hand_on(x);
}

static void on_event(void *ctx, struct machine *m, const struct trace_event *ev)
{
    struct exporting *x = ctx;
    (void)m;
    if (ev->kind == EVENT_INPUT && x->timeline)
        timeline_typed(x->timeline, ev->text, ev->bytes, ev->n);
    else if (ev->kind == EVENT_INPUT && x->golden)
        golden_input(x->golden, ev->text, ev->bytes, ev->n);
    else if (ev->kind == EVENT_INJECT && x->timeline)
        timeline_injected(x->timeline, ev->text);
    else if (ev->kind == EVENT_INJECT && x->golden)
        golden_inject(x->golden, ev->text);
}

static void on_console(void *ctx, const void *p, size_t n)
{
    struct exporting *x = ctx;
    if (x->golden)
        golden_console(x->golden, p, n);
}

/* "key\tvalue\n": what the run was of. */
static void about(const struct replay *r, struct buf *b)
{
    const struct machine_config *c = &r->setup.config;
    buf_printf(b, "board\t%s\n", c->board);
    if (c->cpu)
        buf_printf(b, "cpu\t%s\n", c->cpu);
    for (unsigned i = 0; i < r->setup.images; i++)
        buf_printf(b, "%s\t%s (%016" PRIx64 ")\n", r->setup.image[i].role, r->setup.image[i].path, r->setup.image[i].digest);
    if (c->append && *c->append)
        buf_printf(b, "append\t%s\n", c->append);
}

/* The images as they are called in the recording, not as they are found now. */
static void names_of(const struct replay *r, struct buf *b)
{
    for (unsigned i = 0; i < r->setup.images; i++) {
        const char *slash = strrchr(r->setup.image[i].path, '/');
        buf_printf(b, "%s%s", i ? ", " : "", slash ? slash + 1 : r->setup.image[i].path);
    }
    if (!r->setup.images)
        buf_printf(b, "a machine without images");
}

static bool for_this(const struct export_row *form, struct machine *m, struct err *e)
{
    struct rv_features f;
    bool riscv = view_features(&f, m, 0);
    if (form->arch == 'r' && !riscv)
        return err_set(e, "--%s is a form of RISC-V; the trace is of A64 (--tarmac)", form->name);
    if (form->arch == 'a' && riscv)
        return err_set(e, "--%s is a form of A64; the trace is of RISC-V (--spike)", form->name);
    return true;
}

static void finish(struct exporting *x, const struct replay *r)
{
    const struct trace_event *over = replay_end(r);
    if (x->timeline)
        timeline_end(x->timeline);
    if (x->steps)
        steps_end(x->steps);
    if (x->golden) {
        buf_printf(&x->out, GOLDEN_MAGIC "\n# exported from a binary trace: there is no command to replay\n---\n");
        golden_end(x->golden, over ? over->text : "torn", over ? (int)over->status : 0, &x->out);
    }
    hand_on(x);
    buf_free(&x->out);
}

bool export_run(struct replay *r, struct machine *m, const struct export_row *form, uint64_t first, uint64_t last,
                export_put_fn *put, void *ctx, struct replay_result *out, struct err *e)
{
    struct exporting x = {.form = form, .put = put, .ctx = ctx};
    struct buf text = {0}, title = {0};
    if (!for_this(form, m, e))
        return false;
    about(r, &text);
    names_of(r, &title);
    const struct timeline_info info = {.m = m,
                                       .harts = machine_harts(m),
                                       .hz = m->setup->clock_hz,
                                       .title = (char *)title.data,
                                       .about = text.len ? (char *)text.data : "",
                                       .first = first,
                                       .last = last};
    if (form->timeline)
        x.timeline = timeline_new(form->timeline, &info, &x.out);
    else if (form->steps)
        x.steps = steps_new(form->steps, m, first, last, &x.out);
    else
        x.golden = golden_new(m);
    const struct replay_tap tap = {&x, on_change, on_event, on_console, x.steps ? on_stopped : NULL};
    r->tap = &tap;
    bool ok = replay_run(r, m, true, out, e);
    r->tap = NULL;
    finish(&x, r);
    buf_free(&text);
    buf_free(&title);
    return ok;
}
