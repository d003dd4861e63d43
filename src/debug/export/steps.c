#include "debug/export/steps.h"
#include "cpu/riscv/arch.h"
#include "cpu/watch.h"
#include "debug/logs/reader.h"
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>

/* An access of the current instruction. */
struct seen {
    uint64_t va, pa, n;
    unsigned kinds;
    uint64_t value[2]; /* of a load */
    bool ram;
};

struct one {
    struct steps_before before;
    uint64_t cycle, retired;
    struct seen seen[LOG_MEMS];
    unsigned count;
    bool told; /* the instruction was told as the trap it is: SVC, HVC, SMC, which retire */
};

struct steps {
    const struct steps_form *form;
    const struct steps_ops *ops;
    struct machine *m;
    struct buf *out;
    void *ctx; /* of the form, from begin */
    bool begun;
    uint64_t first, last, line, index, now;
    bool on;
    struct one hart[MACHINE_HARTS];
    struct steps_item item;
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

struct steps *steps_new(const struct steps_form *f, struct machine *m, uint64_t first, uint64_t last, struct buf *out)
{
    struct steps *s = must(calloc(1, sizeof *s));
    s->form = f;
    s->ops = m->arch == &riscv_arch ? &riscv_steps : &arm_steps;
    s->m = m;
    s->out = out;
    s->first = first;
    s->last = last;
    return s;
}

/* ---- accesses -------------------------------------------------------------------------------------------------------------- */

static void on_access(void *ctx, struct cpu *c, uint64_t va, uint64_t pa, uint64_t n, unsigned kinds)
{
    struct steps *s = ctx;
    struct one *h = &s->hart[c->index];
    struct seen *last = h->count ? &h->seen[h->count - 1] : NULL;
    if (last && last->va + last->n == va && last->kinds == kinds && last->n + n <= 8 && last->pa + last->n == pa) {
        last->n += n; /* parts of one */
        last->ram = machine_read(s->m, last->pa, last->value, last->n);
        return;
    }
    if (h->count == LOG_MEMS)
        return;
    struct seen *k = &h->seen[h->count++];
    *k = (struct seen){.va = va, .pa = pa, .n = n, .kinds = kinds};
    k->ram = n <= sizeof k->value && machine_read(s->m, pa, k->value, n);
}

/* One of a step's accesses, in words of 8 bytes. */
static void put_access(struct log_step *log, const struct seen *k, bool store, const uint64_t value[2], bool has_value)
{
    for (uint64_t at = 0; at < k->n && log->nmems < LOG_MEMS; at += 8) {
        uint64_t here = k->n - at < 8 ? k->n - at : 8;
        log_step_mem(log, &(struct log_mem){.address = k->va + at,
                                            .value = has_value && at < 16 ? value[at / 8] : 0,
                                            .bytes = (uint8_t)here,
                                            .store = store,
                                            .has_value = has_value && at < 16});
    }
}

static void put_accesses(struct steps *s, struct one *h, struct log_step *log)
{
    for (unsigned i = 0; i < h->count; i++) {
        const struct seen *k = &h->seen[i];
        uint64_t value[2] = {0};
        if (k->kinds & WATCH_READ)
            put_access(log, k, false, k->value, k->ram);
        if (!(k->kinds & WATCH_WRITE))
            continue;
        bool known = k->n <= sizeof value && machine_read(s->m, k->pa, value, k->n);
        if (!known && k->n <= 8) {
            value[0] = s->ops->stored(&h->before);
            if (k->n < 8)
                value[0] &= (UINT64_C(1) << 8 * k->n) - 1;
            known = true;
        }
        put_access(log, k, true, value, known);
    }
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

static uint64_t retired(const struct machine *m, unsigned hart)
{
    const struct cpu_progress *p = machine_progress(m, hart);
    return p->cycle - p->idle;
}

/* The step as both kinds have it. */
static struct steps_item *begin(struct steps *s, unsigned hart)
{
    const struct one *h = &s->hart[hart];
    struct steps_item *i = &s->item;
    memset(&i->log, 0, offsetof(struct log_step, reg));
    s->now = h->cycle > s->now ? h->cycle : s->now;
    i->log.line = ++s->line;
    i->log.hart = hart;
    i->log.priv = h->before.priv;
    i->log.v = h->before.v;
    i->log.pc = h->before.pc;
    i->log.insn = h->before.insn;
    i->log.insn_bytes = h->before.insn_bytes;
    i->log.cause = UINT64_MAX;
    i->cycle = s->now;
    i->index = s->index;
    i->change = NULL;
    i->has_status = false;
    return i;
}

/* From here on. */
static void look(struct steps *s, struct machine *m, unsigned hart)
{
    struct one *h = &s->hart[hart];
    h->count = 0;
    h->told = false;
    h->cycle = machine_hart_cycle(m, hart);
    h->retired = retired(m, hart);
    s->ops->before(m, hart, &h->before);
}

void steps_change(struct steps *s, struct machine *m, const struct machine_change *c)
{
    if (!s->on || c->is_return)
        return;
    struct steps_item *i = begin(s, c->hart);
    i->log.kind = LOG_TRAP;
    i->log.interrupt = c->interrupt;
    i->log.cause = s->ops->cause(c);
    i->log.pc = c->epc;
    i->log.tval = c->tval;
    i->log.has_tval = !c->interrupt;
    i->change = c;
    if (c->interrupt || c->epc != s->hart[c->hart].before.pc)
        i->log.insn_bytes = 0;
    if (s->ops->trapped)
        s->ops->trapped(m, c, i);
    s->form->item(s->ctx, m, i, s->out);
    s->hart[c->hart].told = c->behind != c->cycle;
    s->hart[c->hart].count = 0;
    s->ops->before(m, c->hart, &s->hart[c->hart].before);
}

static void step_over(struct steps *s, struct machine *m, unsigned hart)
{
    struct one *h = &s->hart[hart];
    uint64_t n = retired(m, hart) - h->retired;
    if (n > 1)
        abort(); /* a bug: the machine did not stop at a boundary */
    if (n == 1 && h->told) {
        s->index++;
    } else if (n == 1) {
        struct steps_item *i = begin(s, hart);
        i->log.kind = LOG_RETIRED;
        put_accesses(s, h, &i->log);
        s->ops->after(m, hart, &h->before, i);
        s->form->item(s->ctx, m, i, s->out);
        s->index++;
    }
    look(s, m, hart);
}

static void stop_next(struct steps *s, struct machine *m, unsigned hart)
{
    uint64_t cycle = machine_hart_cycle(m, hart);
    if (cycle > s->last)
        machine_stop_at(m, hart, UINT64_MAX);
    else if (machine_sleeps(m, hart))
        machine_stop_awake(m, hart);
    else
        machine_stop_at(m, hart, cycle + 1);
}

/* The first time the machine is where steps are wanted; false: it is not yet. */
static bool switch_on(struct steps *s, struct machine *m)
{
    for (unsigned i = 0; i < m->setup->harts; i++) {
        machine_stop_at(m, i, s->first);
        s->on |= machine_hart_cycle(m, i) >= s->first;
    }
    if (!s->on)
        return false;
    engine_accesses(&m->engine, on_access, s);
    for (unsigned i = 0; i < m->setup->harts; i++)
        look(s, m, i);
    s->ctx = s->form->begin(m, s->out);
    s->begun = true;
    return true;
}

void steps_stopped(struct steps *s, struct machine *m)
{
    bool was = s->on, going = false;
    if (!was && !switch_on(s, m))
        return;
    for (unsigned i = 0; i < m->setup->harts; i++) {
        bool wanted = s->hart[i].cycle >= s->first && s->hart[i].cycle <= s->last;
        if (was && wanted)
            step_over(s, m, i);
        else if (was)
            look(s, m, i);
        stop_next(s, m, i);
        going |= machine_hart_cycle(m, i) <= s->last;
    }
    if (!going && m->engine.accessed) { /* behind the last one: at full speed to the end */
        engine_accesses(&m->engine, NULL, NULL);
        s->on = false;
        s->first = UINT64_MAX;
    }
}

void steps_end(struct steps *s)
{
    engine_accesses(&s->m->engine, NULL, NULL);
    for (unsigned i = 0; i < s->m->setup->harts; i++)
        machine_stop_at(s->m, i, UINT64_MAX);
    if (s->begun)
        s->form->end(s->ctx);
    free(s);
}
