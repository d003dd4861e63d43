#include "cpu/gist.h"
#include "base/buf.h"
#include "base/hash.h"
#include "cpu/insns_internal.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)
#define CHUNK       ((size_t)1 << 20)   /* bytes that are given away at once */
#define CHECK_EVERY (UINT64_C(1) << 20) /* instructions */
#define NOWHERE     UINT64_MAX

/* What the reader knows of a hart. */
struct gist_hart {
    uint64_t at;                    /* instructions retired at the last event; behind a step one more */
    uint64_t pc;                    /* between runs */
    uint64_t check;                 /* where the last one was */
    const struct tlb_ctx *space[3]; /* of data, of fetches, of the level below */
    struct {
        uint64_t va, pa;
    } map[GIST_SPACES][GIST_MAPS], fetch[GIST_SPACES][GIST_PAGES];
};

/* A set of numbers that are not 0: the pages, and the encodings with what is known of them. */
struct gist_set {
    uint64_t *key;
    uint32_t *value;
    size_t n, room;
};

struct gist {
    gist_fn *fn;
    void *ctx;
    struct buf out, starts; /* starts: where in `out` each event begins, uint32_t */
    int hart;    /* whose events these are */
    bool inside; /* handlers are running */
    bool no_insn;
    struct gist_hart *of[ENGINE_CPUS];
    struct gist_set pages, encodings;
    struct insn_info *info; /* of encodings.value */
    size_t infos, infos_room;
    struct {
        uint64_t pc, at;
        struct uop *op, *ops; /* of the slot, and of its page */
        uint64_t page_va;
        struct ftlb_entry *ftlb;
    } step;
    struct uop box[4];                  /* where the instruction of a step runs */
    struct ftlb_entry empty[FTLB_SIZE]; /* in use meanwhile, so that all ways out of it are seen */
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- sets -------------------------------------------------------------------------------------------------------------------
 */

static size_t place_of(const struct gist_set *s, uint64_t key)
{
    size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->room - 1);
    while (s->key[i] && s->key[i] != key)
        i = (i + 1) & (s->room - 1);
    return i;
}

/* Where the key's value is; *fresh: it was not there. */
static uint32_t *set_add(struct gist_set *s, uint64_t key, bool *fresh)
{
    if (2 * s->n >= s->room) {
        struct gist_set grown = {.room = s->room ? 2 * s->room : 1024, .n = s->n};
        grown.key = must(calloc(grown.room, sizeof *grown.key));
        grown.value = must(calloc(grown.room, sizeof *grown.value));
        for (size_t i = 0; i < s->room; i++) {
            size_t to = s->key[i] ? place_of(&grown, s->key[i]) : 0;
            if (s->key[i]) {
                grown.key[to] = s->key[i];
                grown.value[to] = s->value[i];
            }
        }
        free(s->key);
        free(s->value);
        *s = grown;
    }
    size_t i = place_of(s, key);
    *fresh = !s->key[i];
    s->n += *fresh;
    s->key[i] = key;
    return &s->value[i];
}

static void set_free(struct gist_set *s)
{
    free(s->key);
    free(s->value);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------------------
 */

/* Room for n bytes more. */
static uint8_t *reserve(struct buf *b, size_t n)
{
    if (b->cap - b->len < n) {
        b->cap = b->len + n + b->cap / 2;
        b->data = must(realloc(b->data, b->cap));
    }
    return b->data + b->len;
}

static uint8_t *var(uint8_t *p, uint64_t v)
{
    while (v > 127) {
        *p++ = (uint8_t)(v | 128);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static uint64_t folded(uint64_t v) { return v << 1 ^ -(v >> 63); }

/* How many bytes v needs, and these. */
static uint8_t *put_short(uint8_t *p, uint64_t v)
{
    unsigned n = v ? (unsigned)(71 - __builtin_clzll(v)) / 8 : 0;
    *p++ = (uint8_t)n;
    memcpy(p, &v, 8); /* all of them; what comes next overwrites the rest */
    return p + n;
}

static void bytes(struct gist *g, const void *p, size_t n)
{
    memcpy(reserve(&g->out, n), p, n);
    g->out.len += n;
}

static void end(struct gist *g, const uint8_t *p) { g->out.len = (size_t)(p - g->out.data); }

static void give(struct gist *g)
{
    if (g->out.len)
        g->fn(g->ctx, g->out.data, g->out.len);
    g->out.len = g->starts.len = 0;
}

#define EVENT_MAX 256 /* bytes of one at most, but for those in lists */

/* Begins an event that is so when the hart has retired `at` instructions. */
static uint8_t *event(struct gist *g, uint64_t at, enum gist_kind kind)
{
    struct gist_hart *h = g->of[g->hart];
    uint64_t d = at > h->at ? at - h->at : 0;
    if (g->out.len > CHUNK)
        give(g);
    uint32_t start = (uint32_t)g->out.len;
    memcpy(reserve(&g->starts, sizeof start), &start, sizeof start);
    g->starts.len += sizeof start;
    uint8_t *p = var(reserve(&g->out, EVENT_MAX), d);
    h->at += d;
    *p++ = (uint8_t)kind;
    return p;
}

static uint64_t retired(const struct cpu *c) { return cpu_progress_of(c)->cycle - cpu_progress_of(c)->idle; }
static uint64_t state_pc(const struct insn_trace *t, const struct cpu *c) { return insn_state(c)[t->layout->pc]; }

static unsigned nzcv_of(const struct insn_trace *t, const struct cpu *c)
{
    return t->layout->nzcv ? t->layout->nzcv((const void *)((const char *)c + t->layout->flags_at)) : 0;
}

/* ---- encodings --------------------------------------------------------------------------------------------------------------
 */

static uint8_t *put_rules(uint8_t *p, const struct insn_rules *r)
{
    const uint8_t small[] = {r->rule,  r->pcrel,     r->extend, r->shift_by, r->shift_kind, r->invert, r->sets,
                             r->flow,  r->condition, r->shift,  r->sign,     r->keep,       r->zero,   r->loads,
                             r->parts, r->load_sign, r->user,   r->compares, r->flags};
    memcpy(p, small, sizeof small);
    p = var(p + sizeof small, (uint16_t)(r->a + 1));
    p = var(p, (uint16_t)(r->b + 1));
    p = var(p, (uint16_t)(r->c + 1));
    p = var(p, folded(r->imm));
    p = var(p, r->mask);
    return var(p, folded((uint64_t)r->target));
}

static void put_info(struct gist *g, const struct insn_info *i)
{
    const struct insn_core *s = &i->core;
    uint8_t *p = event(g, 0, GIST_INFO);
    memcpy(p, &i->insn, 4);
    p += 4;
    *p++ = (uint8_t)(s->places | s->nzcv << 2 | s->based << 3 | i->stores << 4 | i->by.exact << 6 | s->narrow << 7);
    *p++ = s->length;
    for (unsigned k = 0; k < s->places; k++)
        p = var(p, s->word[k]);
    if (i->by.exact) {
        *p++ = s->guess;
        *p++ = s->width;
        *p++ = s->shift;
        p = var(p, (uint16_t)(s->a + 1));
        p = var(p, (uint16_t)(s->b + 1));
        p = var(p, folded((uint64_t)s->imm));
        p = put_rules(p, &i->by);
    }
    /* The address of a store or a load. */
    p = var(p, (uint16_t)(s->base + 1));
    p = var(p, folded((uint64_t)(int64_t)s->by));
    *p++ = i->size;
    *p++ = (uint8_t)(i->index | i->scale << 2);
    p = var(p, (uint16_t)(i->offset + 1));
    p = var(p, folded((uint64_t)i->disp));
    p = var(p, (uint16_t)(i->from[0] + 1));
    p = var(p, (uint16_t)(i->from[1] + 1));
    end(g, p);
}

/* What instructions of these bits do is told, unless it is known. */
static void tell_info(struct gist *g, const struct insn_info *info)
{
    bool fresh;
    uint32_t *at = set_add(&g->encodings, info->insn + UINT64_C(1), &fresh);
    if (fresh) {
        if (g->infos == g->infos_room) {
            g->infos_room = g->infos_room ? 2 * g->infos_room : 1024;
            g->info = must(realloc(g->info, g->infos_room * sizeof *g->info));
        }
        *at = (uint32_t)g->infos++;
    } else if (g->info[*at].by.exact == info->by.exact && g->info[*at].core.places == info->core.places) {
        return;
    }
    g->info[*at] = *info;
    put_info(g, info);
}

bool gist_knows(struct cpu *c, const struct insn_info *info, unsigned more)
{
    struct gist *g = c->engine->insns->gist;
    struct insn_info own = *info;
    own.by.exact = own.by.exact && !more;
    if (g)
        tell_info(g, &own);
    return g && own.by.exact;
}

bool gist_known(struct cpu *c, uint32_t insn)
{
    const struct gist *g = c->engine->insns->gist;
    if (!g || !g->encodings.room)
        return false;
    size_t i = place_of(&g->encodings, insn + UINT64_C(1));
    const struct insn_info *info = &g->info[g->encodings.value[i]];
    return g->encodings.key[i] && info->by.exact && info->by.flow != FLOW_REGISTER;
}

/* ---- memory -----------------------------------------------------------------------------------------------------------------
 */

/* Whether the page is told already; from now on it is. */
static bool known_page(struct gist *g, uint64_t pa)
{
    bool fresh;
    set_add(&g->pages, (pa >> MEM_PAGE_SHIFT) + 1, &fresh);
    return !fresh;
}

/* The page of pa is told, as it is now, if it is not known and is memory. */
static void tell_page(struct gist *g, struct cpu *c, uint64_t pa)
{
    const uint8_t *host = mem_page_read(c->mem, pa);
    if (!host || known_page(g, pa))
        return;
    bool zero = !host[0] && !memcmp(host, host + 1, MEM_PAGE_SIZE - 1);
    end(g, var(event(g, retired(c), zero ? GIST_ZERO : GIST_PAGE), pa >> MEM_PAGE_SHIFT));
    if (!zero)
        bytes(g, host, MEM_PAGE_SIZE);
}

static unsigned space_of(const struct cpu *c, const struct tlb_ctx *t)
{
    for (unsigned i = 0; i < GIST_SPACES; i++)
        if (c->ctx[i] == t)
            return i;
    return 0;
}
_Static_assert(GIST_SPACES == TLB_CTX_COUNT, "each context has a number");

static void tell_map(struct gist *g, struct cpu *c, enum gist_kind kind, unsigned space, uint64_t va, uint64_t pa)
{
    uint8_t *p = event(g, retired(c), kind);
    *p++ = (uint8_t)space;
    p = var(p, folded(va >> MEM_PAGE_SHIFT));
    end(g, var(p, pa >> MEM_PAGE_SHIFT));
}

void gist_touch(struct cpu *c, uint64_t va, uint64_t pa, bool user)
{
    struct gist *g = c->engine->insns->gist;
    if (!g || !g->inside || g->hart != (int)c->index)
        return;
    unsigned space = space_of(c, user ? c->user_ctx ? c->user_ctx : c->data_ctx : c->data_ctx);
    __typeof__(g->of[0]->map[0][0]) *m = &g->of[c->index]->map[space][(va >> MEM_PAGE_SHIFT) % GIST_MAPS];
    va &= ~PAGE_OFFSET;
    pa &= ~PAGE_OFFSET;
    if (m->va == va && m->pa == pa)
        return;
    tell_page(g, c, pa);
    m->va = va;
    m->pa = pa;
    tell_map(g, c, GIST_MAP, space, va, pa);
}

bool gist_place(const struct cpu *c, uint64_t va, uint64_t *pa)
{
    const struct gist *g = c->engine->insns->gist;
    unsigned space = space_of(c, c->data_ctx);
    __typeof__(g->of[0]->map[0][0]) *m = &g->of[c->index]->map[space][(va >> MEM_PAGE_SHIFT) % GIST_MAPS];
    if (m->va != (va & ~PAGE_OFFSET))
        return false;
    *pa = m->pa | (va & PAGE_OFFSET);
    return true;
}

void gist_fetch(struct cpu *c, uint64_t pc, uint64_t pa)
{
    struct gist *g = c->engine->insns->gist;
    if (!g || !g->inside || g->hart != (int)c->index)
        return;
    unsigned space = space_of(c, c->fetch_ctx);
    __typeof__(g->of[0]->fetch[0][0]) *m = &g->of[c->index]->fetch[space][(pc >> MEM_PAGE_SHIFT) % GIST_PAGES];
    pc &= ~PAGE_OFFSET;
    pa &= ~PAGE_OFFSET;
    if (m->va == pc && m->pa == pa)
        return;
    tell_page(g, c, pa);
    m->va = pc;
    m->pa = pa;
    tell_map(g, c, GIST_FETCH, space, pc, pa);
}

void gist_value(struct cpu *c, uint64_t va, const void *p, unsigned n)
{
    struct gist *g = c->engine->insns->gist;
    uint8_t value[16] = {0}, *q;
    if (!g || !g->inside || c->engine->insns->open)
        return;
    memcpy(value, p, n < 16 ? n : 16);
    q = var(event(g, retired(c), GIST_VALUE), va);
    *q++ = (uint8_t)n;
    memcpy(q, value, n);
    end(g, q + n);
}

void gist_device(struct cpu *c, uint64_t va)
{
    struct gist *g = c->engine->insns->gist;
    if (g && g->inside && !c->engine->insns->open)
        end(g, var(event(g, retired(c), GIST_DEVICE), va));
}

void gist_wrote(struct engine *e, uint64_t pa, uint64_t n)
{
    struct gist *g = e->insns->gist;
    while (g && g->hart >= 0 && n) {
        uint64_t here = MEM_PAGE_SIZE - (pa & PAGE_OFFSET);
        here = here < n ? here : n;
        uint8_t is[MEM_PAGE_SIZE];
        if (mem_read(e->mem, pa, is, here)) { /* also where loads do not reach it: a flash memory that is being programmed */
            uint8_t *p = var(event(g, retired(e->cpu[g->hart]), GIST_WROTE), pa);
            end(g, var(p, here));
            bytes(g, is, here);
        }
        pa += here;
        n -= here;
    }
}

void gist_tag(struct cpu *c, uint64_t pa, unsigned tag)
{
    struct gist *g = c->engine->insns->gist;
    if (!g || !g->inside)
        return;
    uint8_t *p = var(event(g, retired(c), GIST_TAG), pa);
    *p++ = (uint8_t)tag;
    end(g, p);
}

void gist_undone(struct cpu *c, uint64_t va, uint64_t n)
{
    struct gist *g = c->engine->insns->gist;
    if (!g || !g->inside)
        return;
    for (uint64_t i = 0; i < n; i++) { /* it may cross pages */
        uint64_t at = va + i, pa = g->of[c->index]->map[space_of(c, c->data_ctx)][(at >> MEM_PAGE_SHIFT) % GIST_MAPS].pa;
        gist_wrote(c->engine, pa | (at & PAGE_OFFSET), 1);
    }
}

void gist_aside(struct cpu *c, uint64_t va, uint64_t pa, const void *p, unsigned n)
{
    struct insn_trace *t = c->engine->insns;
    if (t->gist && t->open && (t->last->more & INSN_ASIDE))
        insn_piece(t, va, pa, n, p);
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------
 */

static void tell_space(struct gist *g, struct cpu *c)
{
    struct gist_hart *h = g->of[c->index];
    const struct tlb_ctx *now[3] = {c->data_ctx, c->fetch_ctx, c->user_ctx ? c->user_ctx : c->data_ctx};
    if (!memcmp(now, h->space, sizeof now))
        return;
    memcpy(h->space, now, sizeof now);
    uint8_t *p = event(g, 0, GIST_SPACE);
    for (unsigned i = 0; i < 3; i++)
        *p++ = (uint8_t)space_of(c, now[i]);
    end(g, p);
}

/* The words of the list from the first one on, and the pieces, as bytes. */
static void put_lists(struct insn_trace *t, uint32_t words, uint32_t pieces)
{
    struct gist *g = t->gist;
    uint8_t *p = var(reserve(&g->out, 64 + 16 * (size_t)(t->words - words)), t->words - words);
    unsigned before = 0;
    for (uint32_t i = words; i < t->words; i++) {
        p = var(p, folded((uint64_t)t->word[i].word - before));
        p = put_short(p, t->word[i].value);
        before = t->word[i].word;
    }
    end(g, var(p, t->pieces - pieces));
    for (uint32_t i = pieces; i < t->pieces; i++) {
        const struct insn_piece *q = &t->piece[i];
        p = var(reserve(&g->out, 64), q->va);
        p = var(p, q->pa + 1); /* 0: not known */
        end(g, var(p, q->size));
        bytes(g, t->bytes + q->at, q->size);
    }
    t->words = t->pieces = t->bytes_used = 0;
}

/* The digest of the registers that follow by rules. */
static uint64_t digest_of(const struct insn_trace *t, const struct cpu *c)
{
    const struct insn_layout *l = t->layout;
    struct hash *h = hash_new();
    hash_add(h, insn_state(c) + l->x, l->xs * sizeof(uint64_t));
    for (unsigned i = 0; i < l->vs; i++)
        hash_add(h, insn_state(c) + l->v + i * l->v_step, l->v_used * sizeof(uint64_t));
    hash_add_u64(h, nzcv_of(t, c));
    return hash_end(h);
}

static void check(struct insn_trace *t, const struct cpu *c, enum gist_kind kind, uint64_t at)
{
    struct gist *g = t->gist;
    uint64_t sum = digest_of(t, c);
    const struct insn_layout *l = t->layout;
    const uint16_t where[] = {l->x, l->xs, l->v, l->vs, l->v_step, l->v_used};
    uint8_t *p = event(g, at, kind);
    for (unsigned i = 0; i < ARRAY_LEN(where); i++)
        p = var(p, where[i]);
    memcpy(p, &sum, 8);
    end(g, p + 8);
    g->of[c->index]->check = at;
}

/* Behind what instructions and traps do, never where a run only stops: the gist of a run is the same, however it is cut. */
static void check_if_due(struct insn_trace *t, const struct cpu *c)
{
    const struct gist_hart *h = t->gist->of[c->index];
    if (h->at - h->check >= CHECK_EVERY)
        check(t, c, GIST_CHECK, h->at);
}

/* The instruction of the step is over, and the next one is at pc. */
static void close_step(struct insn_trace *t, struct cpu *c, uint64_t pc)
{
    struct gist *g = t->gist;
    const struct insn_hot *s = t->last;
    const uint64_t *is = insn_state(c);
    t->open = false;
    if (c->ftlb == g->empty)
        c->ftlb = g->step.ftlb;
    insn_look_behind(t, c, s);
    uint8_t *p = event(g, g->step.at, GIST_STEP);
    uint64_t sequel = g->step.pc + s->core.length;
    *p++ = pc != sequel;
    if (pc != sequel)
        p = put_short(p, pc);
    for (unsigned k = 0; k < s->core.places; k++)
        p = put_short(p, is[s->core.word[k]]);
    if (s->core.nzcv)
        *p++ = (uint8_t)nzcv_of(t, c);
    end(g, p);
    put_lists(t, 0, 0);
    g->of[g->hart]->at++;
    if (s->more & (INSN_SYS | INSN_ALL))
        tell_space(g, c);
    check_if_due(t, c);
}

/* Behind the instruction in the box: on in its page. */
static void step_done(struct cpu *c, struct uop *op, int64_t left)
{
    struct insn_trace *t = c->engine->insns;
    struct gist *g = t->gist;
    uint64_t length = t->last->core.length;
    (void)op;
    close_step(t, c, g->step.pc + length);
    c->ops = g->step.ops;
    c->page_va = g->step.page_va;
    struct uop *next = g->step.op + (length >> c->engine->slot_shift);
    DISPATCH(c, next, left);
}

static void open_step(struct insn_trace *t, struct cpu *c, struct uop *op, int64_t left)
{
    struct gist *g = t->gist;
    const struct insn_hot *s = insn_slot_of(c, op);
    assert(!t->open);
    t->last = s;
    t->open = true;
    g->step.op = op;
    g->step.ops = c->ops;
    g->step.page_va = c->page_va;
    g->step.pc = c->page_va + ((uint64_t)(op - c->ops) << c->engine->slot_shift);
    if (s->core.narrow)
        g->step.pc = (uint32_t)g->step.pc;
    g->step.at = cpu_now(c, left) - cpu_progress(c)->idle;
    g->step.ftlb = c->ftlb;
    if (s->more & (INSN_SYS | INSN_ALL))
        insn_copy(t, c, false);
    insn_look_before(t, c, s);
    for (unsigned i = 1; i < ARRAY_LEN(g->box); i++)
        g->box[i] = (struct uop){.fn = step_done, .aux = 1};
    g->box[0] = *op;
    g->box[0].fn = s->fn;
    c->ops = g->box;
    c->page_va = g->step.pc;
    c->ftlb = g->empty;
}

void gist_step(struct cpu *c, struct uop *op, int64_t left)
{
    struct insn_trace *t = c->engine->insns;
    open_step(t, c, op, left);
    struct uop *box = t->gist->box;
    DISPATCH(c, box, left);
}

void gist_goes(struct cpu *c)
{
    struct insn_trace *t = c->engine->insns;
    if (t->gist && t->open)
        close_step(t, c, state_pc(t, c));
}

void gist_note(struct cpu *c, int64_t left)
{
    struct insn_trace *t = c->engine->insns;
    struct gist *g = t->gist;
    if (!g->inside)
        return;
    g->no_insn = false;
    if (!gist_knows(c, t->scratch.info, t->scratch.more)) {
        t->scratch.fn = c->scratch[0].fn;
        c->scratch[0].fn = gist_step;
    }
    uint8_t *p = event(g, cpu_now(c, left) - cpu_progress(c)->idle, GIST_CODE);
    memcpy(p, &t->scratch.info->insn, 4);
    end(g, p + 4);
}

/* ---- around -----------------------------------------------------------------------------------------------------------------
 */

static void mark_hart(struct insn_trace *t, const struct cpu *c)
{
    struct gist *g = t->gist;
    if (g->hart == (int)c->index)
        return;
    uint8_t *p = event(g, retired(c->engine->cpu[g->hart]), GIST_HART);
    *p++ = (uint8_t)c->index;
    end(g, p);
    g->hart = (int)c->index;
}

static void put_state(struct insn_trace *t, struct cpu *c)
{
    struct gist *g = t->gist;
    uint64_t pc = state_pc(t, c);
    g->of[c->index]->pc = pc;
    end(g, put_short(event(g, retired(c), GIST_STATE), pc));
    put_lists(t, 0, 0);
}

void gist_pc(struct cpu *c)
{
    if (c->engine->insns->gist)
        put_state(c->engine->insns, c);
}

void gist_begin(struct cpu *c)
{
    struct insn_trace *t = c->engine->insns;
    struct gist *g = t->gist;
    mark_hart(t, c);
    insn_diff_outside(t, c);
    insn_diff_vectors(t, c);
    uint64_t *copy = t->copy[c->index];
    if (copy[INSN_NZCV(t->layout)] != nzcv_of(t, c))
        insn_tell(t, copy, INSN_NZCV(t->layout), nzcv_of(t, c));
    if (t->words || g->of[c->index]->pc != state_pc(t, c))
        put_state(t, c);
    tell_space(g, c);
    g->inside = true;
    g->no_insn = false;
}

void gist_finish(struct cpu *c)
{
    struct insn_trace *t = c->engine->insns;
    struct gist *g = t->gist;
    struct gist_hart *h = g->of[c->index];
    cpu_progress(c)->cycle = cpu_now(c, c->left);
    if (t->open)
        close_step(t, c, state_pc(t, c));
    g->inside = false;
    insn_copy(t, c, true);
    t->copy[c->index][INSN_NZCV(t->layout)] = nzcv_of(t, c);
    h->pc = state_pc(t, c);
}

void gist_no_insn(struct cpu *c)
{
    if (c->engine->insns->gist)
        c->engine->insns->gist->no_insn = true;
}

void gist_trapped(struct engine *e, unsigned hart, uint64_t epc)
{
    struct insn_trace *t = e->insns;
    struct gist *g = t->gist;
    struct cpu *c = e->cpu[hart];
    bool its = g->inside && !g->no_insn;
    g->no_insn = false;
    mark_hart(t, c);
    if (t->open && epc != g->step.pc) { /* it was executed, and then took the exception */
        close_step(t, c, state_pc(t, c));
        its = false;
    }
    t->open = false;
    t->words = t->pieces = t->bytes_used = 0;
    if (c->ftlb == g->empty)
        c->ftlb = g->step.ftlb;
    insn_diff_system(t, c);
    uint8_t *p = event(g, retired(c), GIST_TRAP);
    bool counts = its && t->layout->retires && t->layout->retires(c);
    *p++ = (uint8_t)(its | counts << 1);
    g->of[hart]->at += counts;
    g->of[hart]->pc = state_pc(t, c);
    end(g, put_short(p, g->of[hart]->pc));
    put_lists(t, 0, 0);
    tell_space(g, c);
    check_if_due(t, c);
}

void gist_flush(struct engine *e)
{
    struct insn_trace *t = e->insns;
    if (t->gist->hart >= 0 && !t->gist->inside)
        check(t, e->cpu[t->gist->hart], GIST_END, retired(e->cpu[t->gist->hart]));
    give(t->gist);
}

const uint32_t *gist_starts(const struct engine *e, size_t *n)
{
    const struct buf *b = &e->insns->gist->starts;
    *n = b->len / sizeof(uint32_t);
    return (const uint32_t *)(const void *)b->data;
}

void gist_free(struct gist *g)
{
    if (!g)
        return;
    for (unsigned i = 0; i < ENGINE_CPUS; i++)
        free(g->of[i]);
    set_free(&g->pages);
    set_free(&g->encodings);
    free(g->info);
    buf_free(&g->out);
    buf_free(&g->starts);
    free(g);
}

/* Everything a hart has. */
static void tell_hart(struct insn_trace *t, struct cpu *c)
{
    struct gist *g = t->gist;
    struct gist_hart *h = g->of[c->index] = must(calloc(1, sizeof *h));
    for (unsigned s = 0; s < GIST_SPACES; s++) {
        for (unsigned i = 0; i < GIST_MAPS; i++)
            h->map[s][i].va = NOWHERE;
        for (unsigned i = 0; i < GIST_PAGES; i++)
            h->fetch[s][i].va = NOWHERE;
    }
    if (g->hart < 0)
        g->hart = (int)c->index;
    mark_hart(t, c);
    insn_diff_all(t, c);
    h->at = retired(c);
    put_state(t, c);
    h->check = retired(c);
}

void engine_gist(struct engine *e, const struct insn_layout *layout, gist_fn *fn, void *ctx)
{
    engine_insns(e, NULL, NULL, NULL);
    struct insn_trace *t = insn_trace_new(e, layout, ctx);
    struct gist *g = t->gist = must(calloc(1, sizeof *g));
    g->fn = fn;
    g->ctx = ctx;
    g->hart = -1;
    for (unsigned i = 0; i < FTLB_SIZE; i++)
        g->empty[i].tag = TLB_NONE;
    e->insns = t;
    for (unsigned i = 0; i < e->cpus; i++)
        tell_hart(t, e->cpu[i]);
}
