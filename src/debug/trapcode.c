#include "debug/trapcode.h"

#include <string.h>

enum { IS_RETURN = 1, INTERRUPT = 2, NMI = 4, GVA = 8, HAS_TVAL = 16, HAS_MORE = 32 };

void put_trap(struct trapcode *x, struct buf *b, const struct machine_change *c)
{
    unsigned h = c->hart % TRAPCODE_HARTS;
    bool more = c->tval2 || c->tinst;
    buf_put_u8(b, (uint8_t)((c->is_return ? IS_RETURN : 0) | (c->interrupt ? INTERRUPT : 0) | (c->nmi ? NMI : 0) |
                            (c->gva ? GVA : 0) | (c->tval ? HAS_TVAL : 0) | (more ? HAS_MORE : 0)));
    buf_put_u8(b, (uint8_t)h);
    buf_put_u8(b, (uint8_t)((c->priv & 7) | (c->v & 1) << 3 | (c->to_priv & 7) << 4 | (c->to_v & 1) << 7));
    put_svar(b, (int64_t)(c->cycle - x->cycle));
    put_svar(b, (int64_t)(c->epc - x->pc[h]));
    put_svar(b, (int64_t)(c->pc - (c->is_return ? c->epc : x->vector[h])));
    if (!c->is_return) {
        put_var(b, c->cause);
        x->vector[h] = c->pc;
    }
    if (c->tval)
        put_var(b, c->tval);
    if (more) {
        put_var(b, c->tval2);
        put_var(b, c->tinst);
    }
    x->cycle = c->cycle;
    x->pc[h] = c->pc;
}

void cur_trap(struct trapcode *x, struct cursor *c, struct machine_change *out)
{
    uint8_t flags = cur_u8(c), h = cur_u8(c), modes = cur_u8(c);
    *out = (struct machine_change){.hart = h % TRAPCODE_HARTS,
                                   .is_return = flags & IS_RETURN,
                                   .interrupt = flags & INTERRUPT,
                                   .nmi = flags & NMI,
                                   .gva = flags & GVA,
                                   .priv = modes & 7,
                                   .v = modes >> 3 & 1,
                                   .to_priv = modes >> 4 & 7,
                                   .to_v = modes >> 7};
    c->bad |= h >= TRAPCODE_HARTS;
    h = (uint8_t)out->hart;
    out->cycle = x->cycle + (uint64_t)cur_svar(c);
    out->epc = x->pc[h] + (uint64_t)cur_svar(c);
    out->pc = (out->is_return ? out->epc : x->vector[h]) + (uint64_t)cur_svar(c);
    if (!out->is_return) {
        out->cause = cur_var(c);
        x->vector[h] = out->pc;
    }
    out->tval = flags & HAS_TVAL ? cur_var(c) : 0;
    out->tval2 = flags & HAS_MORE ? cur_var(c) : 0;
    out->tinst = flags & HAS_MORE ? cur_var(c) : 0;
    x->cycle = out->cycle;
    x->pc[h] = out->pc;
}

bool trap_equal(const struct machine_change *a, const struct machine_change *b)
{
    return a->hart == b->hart && a->is_return == b->is_return && a->interrupt == b->interrupt && a->nmi == b->nmi &&
           a->gva == b->gva && a->priv == b->priv && a->v == b->v && a->to_priv == b->to_priv && a->to_v == b->to_v &&
           a->cause == b->cause && a->tval == b->tval && a->tval2 == b->tval2 && a->tinst == b->tinst && a->epc == b->epc &&
           a->pc == b->pc && a->cycle == b->cycle;
}

/* ---- points and events ------------------------------------------------------------------------------------------------------
 */

void put_point(struct buf *b, const struct history_point *p)
{
    put_var(b, p->slice);
    put_var(b, p->cycle - p->slice);
    put_var(b, p->slice_end ? p->slice_end - p->slice + 1 : 0);
    put_var(b, p->turn);
    put_var(b, p->hart);
    put_var(b, p->taken);
}

void cur_point(struct cursor *c, struct history_point *p)
{
    p->slice = cur_var(c);
    p->cycle = p->slice + cur_var(c);
    uint64_t length = cur_var(c);
    p->slice_end = length ? p->slice + length - 1 : 0;
    uint64_t turn = cur_var(c), hart = cur_var(c), taken = cur_var(c);
    c->bad |= turn >= TRAPCODE_HARTS || hart >= TRAPCODE_HARTS || taken > UINT32_MAX || p->cycle < p->slice ||
              (p->slice_end && p->slice_end < p->slice);
    p->turn = (uint32_t)turn % TRAPCODE_HARTS;
    p->hart = (uint32_t)hart % TRAPCODE_HARTS;
    p->taken = (uint32_t)taken;
}

void put_bytes(struct buf *b, const void *p, size_t n)
{
    put_var(b, n);
    buf_put(b, p, n);
}

const uint8_t *cur_bytes(struct cursor *c, size_t *n)
{
    uint64_t size = cur_var(c);
    const uint8_t *p = c->p;
    *n = 0;
    if (c->bad || size > c->left) {
        c->bad = true;
        return NULL;
    }
    c->p += size;
    c->left -= (size_t)size;
    *n = (size_t)size;
    return p;
}

void put_event(struct buf *b, const struct trace_event *ev)
{
    buf_put_u8(b, (uint8_t)ev->kind);
    put_point(b, &ev->at);
    if (ev->kind != EVENT_DIGEST)
        put_bytes(b, ev->text, strlen(ev->text));
    if (ev->kind == EVENT_INPUT || ev->kind == EVENT_DIGEST)
        put_bytes(b, ev->bytes, ev->n);
    if (ev->kind == EVENT_DIGEST || ev->kind == EVENT_END) {
        buf_put_u64(b, ev->digest);
        put_var(b, ev->instret);
    }
    if (ev->kind == EVENT_END) {
        put_svar(b, ev->status);
        buf_put_u64(b, ev->console);
        put_var(b, ev->printed);
        put_var(b, ev->traps);
    }
}

void cur_event(struct cursor *c, struct trace_event *ev)
{
    *ev = (struct trace_event){.kind = (enum trace_event_kind)cur_u8(c)};
    c->bad |= ev->kind != EVENT_INPUT && ev->kind != EVENT_INJECT && ev->kind != EVENT_DIGEST && ev->kind != EVENT_END;
    cur_point(c, &ev->at);
    if (ev->kind != EVENT_DIGEST) {
        size_t n;
        const uint8_t *p = cur_bytes(c, &n);
        c->bad |= n >= sizeof ev->text || (p && memchr(p, 0, n));
        if (!c->bad)
            memcpy(ev->text, p, n);
    }
    if (ev->kind == EVENT_INPUT || ev->kind == EVENT_DIGEST)
        ev->bytes = cur_bytes(c, &ev->n);
    if (ev->kind == EVENT_DIGEST || ev->kind == EVENT_END) {
        ev->digest = cur_u64(c);
        ev->instret = cur_var(c);
    }
    if (ev->kind == EVENT_END) {
        ev->status = cur_svar(c);
        ev->console = cur_u64(c);
        ev->printed = cur_var(c);
        ev->traps = cur_var(c);
    }
}
