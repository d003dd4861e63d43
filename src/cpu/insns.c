#include "cpu/insns.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *at(struct cpu *c, uint32_t offset) { return (uint64_t *)(void *)((char *)c + offset); }

/* What the hart's last instruction wrote is there now. */
static inline void finish(struct insn_trace *t, struct cpu *c)
{
    struct insn_record *r = t->pending[c->index];
    if (r && r->reg != INSN_NO_REG)
        r->value = *at(c, t->pending_at[c->index]);
}

static void flush(struct engine *e)
{
    struct insn_trace *t = e->insns;
    for (unsigned i = 0; i < e->cpus; i++) {
        finish(t, e->cpu[i]);
        t->pending[i] = NULL;
    }
    if (t->n)
        t->full(t->ctx, t->list, t->n);
    t->n = 0;
}

void insn_note(struct cpu *c, const struct insn_slot *s, uint64_t pc)
{
    struct insn_trace *t = c->engine->insns;
    if (unlikely(t->n == INSN_RECORDS))
        flush(c->engine);
    finish(t, c);
    struct insn_record *r = &t->list[t->n++];
    r->pc = pc;
    r->insn = s->insn;
    r->hart = (uint8_t)c->index;
    r->reg = s->reg;
    r->store = s->store;
    r->trapped = 0;
    r->base = s->base;
    r->from = s->from;
    if (s->store) {
        r->address = *at(c, s->base_at) + (uint64_t)(int64_t)s->imm;
        r->data = *at(c, s->data_at);
    }
    t->pending[c->index] = r;
    t->pending_at[c->index] = s->reg_at;
}

static void traced(struct cpu *c, struct uop *op, int64_t left)
{
    const struct code_page *p = (const struct code_page *)(const void *)((const char *)c->ops - offsetof(struct code_page, ops));
    size_t slot = (size_t)(op - c->ops);
    const struct insn_slot *s = &p->traced[slot];
    insn_note(c, s, c->page_va + (slot << c->engine->slot_shift));
    uop_fn *fn = s->fn;
    return fn(c, op, left);
}

void insn_slot_set(struct cpu *c, struct uop *op, const struct insn_slot *s)
{
    struct code_page *p = (struct code_page *)(void *)((char *)c->ops - offsetof(struct code_page, ops));
    if (!p->traced)
        p->traced = calloc(MEM_PAGE_SIZE >> c->engine->slot_shift, sizeof *p->traced);
    if (!p->traced)
        abort(); /* out of host memory: nothing sensible can go on */
    p->traced[op - c->ops] = *s;
    op->fn = traced;
}

void engine_insns(struct engine *e, insn_full_fn *fn, void *ctx)
{
    if (e->insns)
        flush(e);
    engine_drop(e); /* what is decoded has the other handlers */
    free(e->insns);
    e->insns = NULL;
    if (!fn)
        return;
    e->insns = calloc(1, sizeof *e->insns);
    if (!e->insns)
        abort(); /* out of host memory: nothing sensible can go on */
    e->insns->full = fn;
    e->insns->ctx = ctx;
}

void engine_insns_flush(struct engine *e)
{
    if (e->insns)
        flush(e);
}

void engine_insns_trapped(struct engine *e, unsigned hart, uint64_t pc)
{
    struct insn_record *r = e->insns ? e->insns->pending[hart] : NULL;
    if (r && r->pc == pc)
        r->trapped = 1;
}
