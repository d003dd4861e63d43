#include "cpu/insns_internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct insn_hot insn_marks_hart, insn_marks_extra;

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- the list ---------------------------------------------------------------------------------------------------------------
 */

static struct insn_raw *first(struct insn_trace *t) { return t->list + 1; } /* so that there is one before it */

static void give(struct insn_trace *t)
{
    if (t->next > first(t))
        t->full(t->ctx, t, first(t), (size_t)(t->next - first(t)));
    t->next = t->end = first(t);
    t->words = t->pieces = t->bytes_used = 0;
}

/* Whether there is no room for another instruction and all that it may write. */
static bool full(const struct insn_trace *t)
{
    return t->next >= t->list + INSN_RECORDS || t->words > INSN_WORDS_MAX / 2 || t->pieces > INSN_PIECES_MAX / 2 ||
           t->bytes_used > INSN_BYTES_MAX - INSN_WINDOW;
}

/* ---- what is looked at ------------------------------------------------------------------------------------------------------
 */

void insn_tell(struct insn_trace *t, uint64_t *copy, unsigned word, uint64_t value)
{
    copy[word] = value;
    if (t->words < INSN_WORDS_MAX)
        t->word[t->words++] = (struct insn_word){(uint16_t)word, value};
}

static void diff(struct insn_trace *t, uint64_t *copy, const uint64_t *is, unsigned from, unsigned n, uint64_t mask)
{
    if (mask == UINT64_MAX && !memcmp(copy + from, is + from, n * sizeof *is))
        return;
    for (unsigned i = from; i < from + n; i++)
        if ((copy[i] ^ is[i]) & mask)
            insn_tell(t, copy, i, is[i]);
}

void insn_diff_system(struct insn_trace *t, const struct cpu *c)
{
    const struct insn_layout *l = t->layout;
    uint64_t *copy = t->copy[c->index], *apart = l->elsewhere ? &copy[l->elsewhere(c)] : NULL, was = apart ? *apart : 0;
    if (apart)
        *apart = insn_state(c)[apart - copy];
    for (unsigned i = 0; i < sizeof l->sys / sizeof *l->sys && l->sys[i].n; i++)
        diff(t, copy, insn_state(c), l->sys[i].first, l->sys[i].n, l->sys[i].mask);
    if (apart)
        *apart = was;
}

static void diff_flags(struct insn_trace *t, const struct cpu *c)
{
    uint64_t *copy = t->copy[c->index], flags = t->layout->fpflags(c);
    for (unsigned i = 0; i < 2 && t->layout->fp[i].n; i++)
        diff(t, copy, insn_state(c), t->layout->fp[i].first, t->layout->fp[i].n, UINT64_MAX);
    if (flags != copy[INSN_FPFLAGS(t->layout)])
        insn_tell(t, copy, INSN_FPFLAGS(t->layout), flags);
}

void insn_diff_vectors(struct insn_trace *t, const struct cpu *c)
{
    const struct insn_layout *l = t->layout;
    for (unsigned i = 0; i < l->vs; i++)
        diff(t, t->copy[c->index], insn_state(c), l->v + i * l->v_step, l->v_used, UINT64_MAX);
}

static void diff_all(struct insn_trace *t, const struct cpu *c)
{
    diff(t, t->copy[c->index], insn_state(c), t->layout->x, t->layout->xs, UINT64_MAX);
    insn_diff_vectors(t, c);
    diff_flags(t, c);
}

void insn_copy(struct insn_trace *t, const struct cpu *c, bool vectors)
{
    const struct insn_layout *l = t->layout;
    uint64_t *copy = t->copy[c->index];
    const uint64_t *is = insn_state(c);
    memcpy(copy + l->x, is + l->x, l->xs * sizeof *is);
    for (unsigned i = 0; vectors && i < l->vs; i++)
        memcpy(copy + l->v + i * l->v_step, is + l->v + i * l->v_step, l->v_used * sizeof *is);
}

static bool read_window(struct insn_trace *t, struct cpu *c, uint8_t *to)
{
    uint32_t size = t->window.size, n = t->window.first;
    return t->window.pa[0] != UINT64_MAX && mem_read(c->mem, t->window.pa[0], to, n) &&
           (n == size || (t->window.pa[1] != UINT64_MAX && mem_read(c->mem, t->window.pa[1], to + n, size - n)));
}

/* An atomic's access is told to a gist as any plain one is, so that afterwards, and mostly before, that knows where it went. */
static bool of_gist(const struct insn_trace *t, const struct insn_hot *s)
{
    return t->gist && !(s->more & (INSN_SYS | INSN_ALL)) && !s->info->block;
}

static void place_window(struct insn_trace *t, struct cpu *c, const struct insn_hot *s)
{
    uint64_t va = t->window.va;
    uint32_t left = t->window.first, size = t->window.size;
    t->window.pa[0] = t->window.pa[1] = UINT64_MAX;
    if (!of_gist(t, s) || !gist_place(c, va, &t->window.pa[0]))
        t->layout->translate(c, va, &t->window.pa[0]);
    if (left < size && (!of_gist(t, s) || !gist_place(c, va + left, &t->window.pa[1])))
        t->layout->translate(c, va + left, &t->window.pa[1]);
}

/* Where the instruction is going to store, and what is there. */
static void open_window(struct insn_trace *t, struct cpu *c, const struct insn_hot *s)
{
    const struct insn_info *i = s->info;
    uint64_t va = insn_address(i, insn_state(c));
    uint32_t size = i->stores ? (uint32_t)i->size * i->stores : i->window;
    if (i->block)
        va &= ~(uint64_t)(size - 1);
    uint32_t left = (uint32_t)(MEM_PAGE_SIZE - (va & (MEM_PAGE_SIZE - 1)));
    t->window.va = va;
    t->window.size = size;
    t->window.first = size < left ? size : left;
    place_window(t, c, s);
    if (!read_window(t, c, t->window.was))
        t->window.size = 0; /* it faults, or is a device's */
}

void insn_piece(struct insn_trace *t, uint64_t va, uint64_t pa, uint32_t size, const uint8_t *bytes)
{
    t->piece[t->pieces++] = (struct insn_piece){va, pa, size, t->bytes_used};
    memcpy(t->bytes + t->bytes_used, bytes, size);
    t->bytes_used += size;
}

static void close_window(struct insn_trace *t, struct cpu *c, const struct insn_hot *s)
{
    uint8_t is[INSN_WINDOW];
    uint32_t size = t->window.size, n = t->window.first;
    uint64_t pa = t->window.pa[0];
    if (size && of_gist(t, s))
        place_window(t, c, s);
    if (!size || !read_window(t, c, is))
        return;
    if ((s->more & INSN_STATUS) && insn_state(c)[t->layout->x + s->status])
        return;
    if ((s->more & INSN_CHANGED) && pa == t->window.pa[0] && !memcmp(is, t->window.was, size))
        return;
    insn_piece(t, t->window.va, t->window.pa[0], n, is);
    if (n < size)
        insn_piece(t, t->window.va + n, t->window.pa[1], size - n, is + n);
}

static void put_extra(struct insn_trace *t, enum insn_extra_kind kind, uint32_t words, uint32_t pieces)
{
    if (kind == INSN_DID && words == t->words && pieces == t->pieces)
        return;
    *t->next++ = (struct insn_raw){
        .slot = &insn_marks_extra, .page_va = pieces, .value = {t->words - words, t->pieces - pieces, words}, .flags = {kind}};
}

void insn_look_before(struct insn_trace *t, struct cpu *c, const struct insn_hot *s)
{
    if (s->more & INSN_ALL)
        insn_copy(t, c, true);
    if (s->more & INSN_MEM)
        open_window(t, c, s);
}

void insn_look_behind(struct insn_trace *t, struct cpu *c, const struct insn_hot *s)
{
    unsigned more = s->more;
    if (more & (INSN_SYS | INSN_ALL))
        insn_diff_system(t, c);
    if (more & INSN_ALL)
        diff_all(t, c);
    else if (more & INSN_FP)
        diff_flags(t, c);
    if (more & INSN_MEM)
        close_window(t, c, s);
}

void insn_diff_outside(struct insn_trace *t, const struct cpu *c)
{
    diff(t, t->copy[c->index], insn_state(c), t->layout->x, t->layout->xs, UINT64_MAX);
    insn_diff_system(t, c);
}

void insn_diff_all(struct insn_trace *t, const struct cpu *c)
{
    const struct insn_layout *l = t->layout;
    diff_all(t, c);
    insn_diff_system(t, c);
    if (l->nzcv && l->nzcv((const void *)((const char *)c + l->flags_at)))
        insn_tell(t, t->copy[c->index], INSN_NZCV(l), l->nzcv((const void *)((const char *)c + l->flags_at)));
}

/* ---- beginning and ending an instruction ------------------------------------------------------------------------------------
 */

static inline void read_values(struct insn_trace *t, const struct cpu *c, struct insn_raw *r, bool flags)
{
    const struct insn_hot *s = t->last;
    const uint64_t *is = insn_state(c);
    r->value[0] = is[s->core.word[0]];
    r->value[1] = is[s->core.word[1]];
    r->value[2] = is[s->core.word[2]];
    if (flags)
        memcpy(r->flags, (const char *)c + t->layout->flags_at, sizeof r->flags);
}

/* What the hart's last instruction wrote is there now. */
static void close_insn(struct insn_trace *t, struct cpu *c)
{
    uint32_t words = t->words, pieces = t->pieces;
    if (!t->open)
        return;
    read_values(t, c, t->next - 1, t->layout->flags_at != 0);
    insn_look_behind(t, c, t->last);
    put_extra(t, INSN_DID, words, pieces);
    t->open = false;
    t->end = t->next;
}

static inline void open_insn(struct insn_trace *t, const struct cpu *c, const struct insn_hot *s, uint64_t page_va, int64_t left)
{
    t->next->slot = s;
    t->next->page_va = page_va;
    t->next++;
    t->last = s;
    t->started = cpu_now(c, left);
}

static __attribute__((noinline)) void open_slowly(struct insn_trace *t, struct cpu *c, const struct insn_hot *s, uint64_t page_va,
                                                  int64_t left)
{
    /* A handler that had to look at something first begins once more. */
    if (t->open && t->last == s && t->next[-1].page_va == page_va && t->started == cpu_now(c, left))
        return;
    close_insn(t, c);
    if (full(t))
        give(t);
    open_insn(t, c, s, page_va, left);
    t->open = true;
    insn_look_before(t, c, s);
    t->end = s->more ? t->next : t->list + INSN_RECORDS;
}

static inline const struct insn_hot *slot_of(const struct cpu *c, const struct uop *op)
{
    const struct code_page *p = (const struct code_page *)(const void *)((const char *)c->ops - offsetof(struct code_page, ops));
    return &p->traced->hot[op - c->ops];
}

const struct insn_hot *insn_slot_of(const struct cpu *c, const struct uop *op)
{
    return c->ops == c->scratch ? &c->engine->insns->scratch : slot_of(c, op);
}

static void traced_slowly(struct cpu *c, struct uop *op, int64_t left)
{
    const struct insn_hot *s = slot_of(c, op);
    open_slowly(c->engine->insns, c, s, c->page_va, left);
    uop_fn *fn = s->fn;
    return fn(c, op, left);
}

#define TRACED(name, flags)                                       \
    static void name(struct cpu *c, struct uop *op, int64_t left) \
    {                                                             \
        struct insn_trace *t = c->engine->insns;                  \
        if (unlikely(t->next == t->end))                          \
            return traced_slowly(c, op, left);                    \
        const struct insn_hot *s = slot_of(c, op);                \
        read_values(t, c, t->next - 1, flags);                    \
        open_insn(t, c, s, c->page_va, left);                     \
        uop_fn *fn = s->fn;                                       \
        return fn(c, op, left);                                   \
    }
TRACED(traced, false)
TRACED(traced_flags, true)

/* ---- decoding ---------------------------------------------------------------------------------------------------------------
 */

#define CHUNK 128
struct insn_chunk {
    struct insn_chunk *next;
    unsigned used;
    struct insn_info info[CHUNK];
};

static struct insn_info *new_info(struct insn_page *p)
{
    if (!p->chunk || p->chunk->used == CHUNK) {
        struct insn_chunk *k = must(malloc(sizeof *k));
        k->next = p->chunk;
        k->used = 0;
        p->chunk = k;
    }
    return &p->chunk->info[p->chunk->used++];
}

void insn_page_free(struct insn_page *p)
{
    while (p && p->chunk) {
        struct insn_chunk *k = p->chunk;
        p->chunk = k->next;
        free(k);
    }
    free(p);
}

static void fill(struct insn_trace *t, struct insn_hot *s, const struct insn_info *info, unsigned more, unsigned status)
{
    if (t->physical && info->stores && !(more & (INSN_MEM | INSN_ASIDE)))
        more |= INSN_MEM;
    s->info = info;
    s->more = (uint8_t)more;
    s->status = (uint8_t)status;
    s->core = info->core;
    const uint16_t zero = (uint16_t)INSN_WORDS(t->layout); /* the word behind them all, which is 0: no jump is needed for none */
    if (s->core.a == INSN_NO_WORD)
        s->core.a = zero;
    if (s->core.b == INSN_NO_WORD)
        s->core.b = zero;
    if (s->core.guess == GUESS_CONST)
        s->core.a = s->core.b = zero;
}

bool insn_slot_set(struct cpu *c, struct uop *op, const struct insn_info *info, unsigned more, unsigned status)
{
    struct code_page *p = (struct code_page *)(void *)((char *)c->ops - offsetof(struct code_page, ops));
    struct insn_trace *t = c->engine->insns;
    if (t->gist && gist_knows(c, info, more))
        return true;
    size_t slots = MEM_PAGE_SIZE >> c->engine->slot_shift;
    if (!p->traced) {
        size_t bytes = sizeof *p->traced + slots * sizeof *p->traced->hot;
        p->traced = memset(must(aligned_alloc(64, bytes)), 0, bytes);
        p->traced->serial = ++t->serial;
    }
    struct insn_hot *s = &p->traced->hot[op - c->ops];
    if (s->info && !t->gist) { /* its code was changed: the list leads to what it was */
        engine_insns_flush(c->engine);
        p->traced->serial = ++t->serial;
    }
    struct insn_info *own = new_info(p->traced);
    *own = *info;
    fill(t, s, own, more, status);
    s->fn = op->fn;
    s->serial = p->traced->serial;
    s->offset = (uint16_t)((size_t)(op - c->ops) << c->engine->slot_shift);
    op->fn = t->gist ? gist_step : s->more ? traced_slowly : t->layout->flags_at ? traced_flags : traced;
    return false;
}

void insn_note(struct cpu *c, const struct insn_info *info, unsigned more, unsigned status, uint64_t pc, int64_t left)
{
    struct insn_trace *t = c->engine->insns;
    if (!t->gist) {
        close_insn(t, c);
        give(t); /* the only place there is for such */
    }
    t->scratch_info = *info;
    fill(t, &t->scratch, &t->scratch_info, more, status);
    t->scratch.offset = 0;
    if (t->gist)
        return gist_note(c, left);
    t->scratch.serial = ++t->serial;
    open_slowly(t, c, &t->scratch, pc, left);
    t->end = t->next;
}

/* ---- around -----------------------------------------------------------------------------------------------------------------
 */

static void mark_hart(struct insn_trace *t, const struct cpu *c)
{
    if (t->hart == (int)c->index)
        return;
    t->hart = (int)c->index;
    *t->next++ = (struct insn_raw){.slot = &insn_marks_hart, .value = {c->index}};
}

/* What has changed while the hart did not run. */
void insn_begin(struct cpu *c)
{
    struct insn_trace *t = c->engine->insns;
    if (t->gist)
        return gist_begin(c);
    if (full(t))
        give(t);
    mark_hart(t, c);
    uint32_t words = t->words;
    insn_diff_outside(t, c);
    if (words != t->words)
        put_extra(t, INSN_STATE, words, t->pieces);
    t->end = t->next;
}

void insn_finish(struct cpu *c)
{
    struct insn_trace *t = c->engine->insns;
    if (t->gist)
        return gist_finish(c);
    close_insn(t, c);
    insn_copy(t, c, false);
}

void insn_goes(struct cpu *c)
{
    if (c->engine->insns->gist)
        gist_goes(c);
    else
        close_insn(c->engine->insns, c);
}

bool insn_apart(const struct cpu *c, uint32_t *insn)
{
    const struct insn_trace *t = c->engine->insns;
    if (!t || !t->gist || !t->open)
        return false;
    *insn = t->last->info->insn;
    return true;
}

void engine_insns_trapped(struct engine *e, unsigned hart, uint64_t epc)
{
    struct insn_trace *t = e->insns;
    struct cpu *c = e->cpu[hart];
    if (!t || !t->copy[hart])
        return;
    if (t->gist)
        return gist_trapped(e, hart, epc);
    bool its = t->open && t->hart == (int)hart && t->next[-1].page_va + t->last->offset == epc &&
               cpu_progress(c)->cycle - t->started == t->layout->lag;
    if (its)
        t->open = false;
    else
        close_insn(t, c);
    if (full(t) && !its)
        give(t);
    mark_hart(t, c);
    uint32_t words = t->words;
    insn_diff_system(t, c);
    put_extra(t, its ? INSN_TRAPPED : INSN_INTERRUPT, words, t->pieces);
    t->end = t->next;
}

static void tell_state(struct insn_trace *t, struct cpu *c)
{
    mark_hart(t, c);
    uint32_t words = t->words;
    insn_diff_all(t, c);
    put_extra(t, INSN_STATE, words, t->pieces);
    give(t);
}

void engine_insns_flush(struct engine *e)
{
    struct insn_trace *t = e->insns;
    if (!t)
        return;
    if (t->gist)
        return gist_flush(e);
    if (t->open)
        close_insn(t, e->cpu[t->hart]);
    give(t);
}

void engine_insns_drop(struct engine *e)
{
    for (unsigned i = 0; e->insns && i < ENGINE_CPUS; i++)
        free(e->insns->copy[i]);
    if (e->insns)
        gist_free(e->insns->gist);
    free(e->insns);
    e->insns = NULL;
}

struct insn_trace *insn_trace_new(struct engine *e, const struct insn_layout *layout, void *ctx)
{
    struct insn_trace *t = must(aligned_alloc(_Alignof(struct insn_trace), sizeof *t));
    memset(t, 0, sizeof *t);
    t->layout = layout;
    t->ctx = ctx;
    t->hart = -1;
    t->next = t->end = first(t);
    for (unsigned i = 0; i < e->cpus; i++)
        t->copy[i] = must(calloc(INSN_WORDS(layout), sizeof(uint64_t)));
    return t;
}

void engine_insns(struct engine *e, const struct insn_layout *layout, insn_full_fn *fn, void *ctx)
{
    engine_insns_flush(e);
    engine_drop(e); /* what is decoded has the other handlers */
    engine_insns_drop(e);
    if (!fn)
        return;
    e->insns = insn_trace_new(e, layout, ctx);
    e->insns->full = fn;
    for (unsigned i = 0; i < e->cpus; i++)
        tell_state(e->insns, e->cpu[i]);
}
