#include "debug/riscv/sse_forms.h"
#include "base/bits.h"

#include <stddef.h>

/* Bits of INTERRUPTED_FLAGS. */
enum { FLAG_SPP, FLAG_SPIE, FLAG_SPV, FLAG_SPVP, FLAG_SPELP, FLAG_SDT };

static uint8_t flag(uint64_t flags, unsigned bit) { return flags >> bit & 1; }

static uint64_t flags_of(const struct sse_context *c)
{
    return (uint64_t)c->spp << FLAG_SPP | (uint64_t)c->spie << FLAG_SPIE | (uint64_t)c->spv << FLAG_SPV |
           (uint64_t)c->spvp << FLAG_SPVP | (uint64_t)c->spelp << FLAG_SPELP | (uint64_t)c->sdt << FLAG_SDT;
}

/* hstatus.SPV and SPVP of the handler. The specification: SPV is the interrupted V; SPVP the interrupted privilege if that is 1.
 */
static void inject_hstatus(enum sse_form form, const struct sse_context *x, struct sse_context *h)
{
    h->spv = x->v;
    h->spvp = x->v ? x->s : x->spvp;
    if (form == SSE_FORM_SPEC)
        return;
    if (form == SSE_FORM_HEAD)
        h->spv = x->v | x->spv;
    h->spvp = h->spv & x->s;
}

static void inject(enum sse_form form, const struct sse_hart_has *has, const struct sse_context *x, struct sse_context *h,
                   struct sse_saved *saved)
{
    h->sepc = x->pc;
    h->v = 0;
    h->s = 1;
    h->spp = x->s;
    h->spie = x->sie;
    h->sie = 0;
    /* The landing-pad state goes to SPELP, and none is expected of the handler; the other forms leave it to MRET, which brings it
       to the handler. */
    h->spelp = form == SSE_FORM_SPEC && has->zicfilp && x->elp;
    h->elp = form != SSE_FORM_SPEC && has->pads_s && x->elp;
    h->sdt = has->dte;
    h->spv = h->spvp = 0;
    if (has->h)
        inject_hstatus(form, x, h);
    saved->flags = flags_of(x);
    saved->sepc = x->sepc;
    saved->a6 = x->a6;
    saved->a7 = x->a7;
    if (form == SSE_FORM_P1 || form == SSE_FORM_PRIVATE) {
        const uint64_t early = 1u << FLAG_SPELP | 1u << FLAG_SDT;
        saved->flags = (saved->flags & early) | (flags_of(h) & ~early);
    }
}

/* A trap from HS into HS and its SRET (priv, "Supervisor Trap Handling": SPP, SPIE, SPV and SDT after an SRET from V=0), SDT
   having been cleared before; then what the handler has saved comes back. */
static void nest(enum sse_effect effect, const struct sse_action *a, struct sse_context *h)
{
    struct sse_context old = *h;
    h->sepc = a->handler_pc;
    h->spp = h->spelp = h->elp = h->sdt = h->sie = h->spv = 0;
    h->spie = 1;
    if (effect >= SSE_EFFECT_SSTATUS)
        h->sepc = old.sepc;
    if (effect == SSE_EFFECT_SSTATUS || effect == SSE_EFFECT_HSTATUS) {
        h->spp = old.spp;
        h->spie = old.spie;
        h->spelp = old.spelp;
        h->sdt = old.sdt;
    }
    if (effect >= SSE_EFFECT_HSTATUS) {
        h->spv = old.spv;
        h->spvp = old.spvp;
    }
}

static void act(enum sse_form form, const struct sse_hart_has *has, const struct sse_action *a, struct sse_context *h,
                struct sse_saved *saved)
{
    static const struct sse_action nothing = {.effect = SSE_EFFECT_NONE};
    struct sse_outcome second;
    switch (a->effect) {
    case SSE_EFFECT_NONE: break;
    case SSE_EFFECT_NESTED:
    case SSE_EFFECT_SSTATUS:
    case SSE_EFFECT_HSTATUS:
    case SSE_EFFECT_NO_SSTATUS: nest(a->effect, a, h); break;
    case SSE_EFFECT_ATTRIBUTES: *saved = (struct sse_saved){a->flags, a->sepc, a->a6, a->a7}; break;
    case SSE_EFFECT_REDIRECT:
        h->sepc = a->sepc;
        h->spp = flag(a->flags, 0);
        h->spie = flag(a->flags, 2);
        if (has->h)
            h->spv = flag(a->flags, 1);
        break;
    case SSE_EFFECT_PREEMPT:
        sse_form_run(form, has, h, h->pc, 0, 0, &nothing, &second);
        *h = second.resumed;
        break;
    }
}

/* Whether landing pads are on in the mode of c. */
static bool pads_in(const struct sse_hart_has *has, const struct sse_context *c)
{
    return !c->s ? has->pads_u : c->v ? has->pads_vs : has->pads_s;
}

/* Completion, up to and with the MRET: that clears SDT when it leads to U, VS or VU (Ssdbltrp), and SDT keeps SIE clear. */
static void complete(enum sse_form form, const struct sse_hart_has *has, const struct sse_context *x, const struct sse_context *h,
                     const struct sse_saved *saved, struct sse_context *r)
{
    r->pc = h->sepc;
    r->s = h->spp;
    r->v = h->spv;
    r->sie = h->spie;
    r->spp = flag(saved->flags, FLAG_SPP);
    r->spie = flag(saved->flags, FLAG_SPIE);
    r->spv = has->h && flag(saved->flags, FLAG_SPV);
    r->spvp = has->h && flag(saved->flags, FLAG_SPVP);
    r->spelp = has->zicfilp && flag(saved->flags, FLAG_SPELP);
    r->sdt = has->dte && flag(saved->flags, FLAG_SDT);
    r->sepc = saved->sepc;
    r->a6 = saved->a6;
    r->a7 = saved->a7;
    if (form == SSE_FORM_P1 || form == SSE_FORM_PRIVATE) {
        r->v = x->v;
        r->spv = x->spv;
        r->spvp = x->spvp;
    }
    if (form == SSE_FORM_PRIVATE) {
        r->s = x->s;
        r->sie = x->sie;
        r->spie = x->spie;
        r->spp = x->spp;
    }
    /* As at an SRET, from SPELP, for that is where injection has put it: the chapter restores SPELP and does not say what becomes
       of the state. The other forms lose it. */
    r->elp = form == SSE_FORM_SPEC && h->spelp && pads_in(has, r);
    if (r->sdt)
        r->sie = 0;
    if (r->v || !r->s)
        r->sdt = 0;
}

void sse_form_run(enum sse_form form, const struct sse_hart_has *has, const struct sse_context *x, uint64_t entry_pc,
                  uint64_t entry_arg, uint64_t hart, const struct sse_action *action, struct sse_outcome *out)
{
    struct sse_context h = {.pc = entry_pc, .a6 = hart, .a7 = entry_arg};
    inject(form, has, x, &h, &out->saved);
    out->entry = h;
    struct sse_saved saved = out->saved;
    act(form, has, action, &h, &saved);
    complete(form, has, x, &h, &saved, &out->resumed);
}

struct sse_hart_has sse_hart_has_of(const struct rv_features *f)
{
    return (struct sse_hart_has){
        .h = f->h, .zicfilp = f->zicfilp, .dte = f->dte, .pads_s = f->lpe, .pads_vs = f->lpe_vs, .pads_u = f->lpe_u};
}

void sse_context_of(const struct rv_view *v, struct sse_context *c)
{
    uint64_t sstatus = v->csr[VIEW_sstatus], hstatus = v->csr[VIEW_hstatus];
    *c = (struct sse_context){
        .pc = v->pc,
        .sepc = v->csr[VIEW_sepc],
        .a6 = v->x[16],
        .a7 = v->x[17],
        .v = v->v,
        .s = v->priv,
        .sie = (sstatus & VIEW_SIE) != 0,
        .spie = (sstatus & VIEW_SPIE) != 0,
        .spp = (sstatus & VIEW_SPP) != 0,
        .spelp = (sstatus & VIEW_SPELP) != 0,
        .sdt = (sstatus & VIEW_SDT) != 0,
        .elp = v->elp,
        .spv = (hstatus & VIEW_SPV) != 0,
        .spvp = (hstatus & VIEW_SPVP) != 0,
    };
}

const char *sse_context_differs(const struct sse_context *a, const struct sse_context *b, unsigned *i, uint64_t *va, uint64_t *vb)
{
    const struct {
        const char *name;
        uint64_t a, b;
    } members[] = {
        {"V", a->v, b->v},
        {"P", a->s, b->s},
        {"pc", a->pc, b->pc},
        {"sstatus.SIE", a->sie, b->sie},
        {"sstatus.SPIE", a->spie, b->spie},
        {"sstatus.SPP", a->spp, b->spp},
        {"sstatus.SPELP", a->spelp, b->spelp},
        {"sstatus.SDT", a->sdt, b->sdt},
        {"ELP", a->elp, b->elp},
        {"hstatus.SPV", a->spv, b->spv},
        {"hstatus.SPVP", a->spvp, b->spvp},
        {"sepc", a->sepc, b->sepc},
        {"a6", a->a6, b->a6},
        {"a7", a->a7, b->a7},
    };
    for (; *i < ARRAY_LEN(members); ++*i)
        if (members[*i].a != members[*i].b) {
            *va = members[*i].a;
            *vb = members[*i].b;
            return members[(*i)++].name;
        }
    return NULL;
}

const char *sse_saved_differs(const struct sse_saved *a, const struct sse_saved *b, unsigned *i, uint64_t *va, uint64_t *vb)
{
    const struct {
        const char *name;
        uint64_t a, b;
    } members[] = {
        {"INTERRUPTED_FLAGS", a->flags, b->flags},
        {"INTERRUPTED_SEPC", a->sepc, b->sepc},
        {"INTERRUPTED_A6", a->a6, b->a6},
        {"INTERRUPTED_A7", a->a7, b->a7},
    };
    for (; *i < ARRAY_LEN(members); ++*i)
        if (members[*i].a != members[*i].b) {
            *va = members[*i].a;
            *vb = members[*i].b;
            return members[(*i)++].name;
        }
    return NULL;
}
