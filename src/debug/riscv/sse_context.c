/* Contexts: what injection and completion make of one, and comparisons. SBI v3.0, "Software Event Injection" and "Completion". */
#include "debug/riscv/sse_model.h"
#include "csr/riscv/csr.h"

/* Bits of the status registers that have rules of their own, with the bit of INTERRUPTED_FLAGS that saves them. */
static const struct bit {
    enum view_csr csr;
    uint32_t mask;
    uint8_t flag;
    const char *name;
} bits[] = {
    {VIEW_sstatus, VIEW_SPP, 0, "sstatus.SPP"},     {VIEW_sstatus, VIEW_SPIE, 1, "sstatus.SPIE"},
    {VIEW_hstatus, VIEW_SPV, 2, "hstatus.SPV"},     {VIEW_hstatus, VIEW_SPVP, 3, "hstatus.SPVP"},
    {VIEW_sstatus, VIEW_SPELP, 4, "sstatus.SPELP"}, {VIEW_sstatus, VIEW_SDT, 5, "sstatus.SDT"},
    {VIEW_sstatus, VIEW_SIE, 255, "sstatus.SIE"},
};

static void set_bits(uint64_t *v, uint32_t mask, bool on) { *v = on ? *v | mask : *v & ~(uint64_t)mask; }

static uint32_t open_bits(const struct context *c, enum view_csr csr)
{
    return csr == VIEW_sstatus ? c->status : csr == VIEW_hstatus ? c->hstatus : 0;
}

/* Whether S in this mode expects landing pads (cfi, "Landing-Pad-Enabled State"). */
static bool pads_in(const struct look *k, const struct rv_view *v)
{
    return v->priv == RV_U ? k->f.lpe_u : v->v ? k->f.lpe_vs : k->f.lpe;
}

uint64_t sse_flags_of(const struct look *k, const struct context *c, uint8_t *vague)
{
    uint64_t flags = 0;
    *vague = 0;
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        const struct bit *b = &bits[i];
        bool there = b->csr == VIEW_hstatus  ? k->f.h
                     : b->mask == VIEW_SPELP ? k->f.zicfilp
                     : b->mask == VIEW_SDT   ? k->f.dte
                                             : true;
        if (b->flag > 5 || !there)
            continue;
        if (c->v.csr[b->csr] & b->mask)
            flags |= UINT64_C(1) << b->flag;
        if ((open_bits(c, b->csr) & b->mask) || (c->vague & SSE_VAGUE_STATUS))
            *vague |= (uint8_t)(1u << b->flag);
    }
    /* With menvcfg.LPE=0 Zicfilp may be called not available to S: saved or zero. */
    if (!k->f.lpe && flags >> 4 & 1)
        *vague |= 1 << 4;
    return flags;
}

struct context sse_completed_context(const struct look *k, const struct sse_event *e, const struct rv_view *caller)
{
    struct context c = {.v = *caller};
    struct rv_view *v = &c.v;
    uint64_t *s = &v->csr[VIEW_sstatus], *hs = &v->csr[VIEW_hstatus];
    uint64_t flags = e->attr[SSE_FLAGS], was = *s;
    uint8_t vague = e->known >> SSE_FLAGS & 1 ? e->vague : 0x3f;
    v->pc = v->csr[VIEW_sepc];
    v->priv = was & VIEW_SPP ? RV_S : RV_U;
    v->v = k->f.h && (*hs & VIEW_SPV);
    v->elp = pads_in(k, v) && (was & VIEW_SPELP);
    c.elp = was & VIEW_SPELP; /* the chapter does not say who restores it, and mret drops it where landing pads are off */
    set_bits(s, VIEW_SIE, was & VIEW_SPIE);
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        const struct bit *b = &bits[i];
        bool there = b->csr == VIEW_hstatus  ? k->f.h
                     : b->mask == VIEW_SPELP ? k->f.zicfilp
                     : b->mask == VIEW_SDT   ? k->f.dte
                                             : true;
        if (b->flag > 5 || !there)
            continue;
        set_bits(&v->csr[b->csr], b->mask, flags >> b->flag & 1);
        if (vague >> b->flag & 1)
            *(b->csr == VIEW_sstatus ? &c.status : &c.hstatus) |= b->mask;
    }
    if (!k->f.lpe) /* SPELP as the handler left it, if Zicfilp is not available to S */
        c.status |= VIEW_SPELP & (uint32_t)(*s ^ was);
    /* A register that holds SDT has SIE zero (ssdbltrp). Firmware that does not write it in between, because mret clears SDT on
       the way to U or VS, or because it injects the next event, may keep SIE. */
    if (k->f.dte && (*s & VIEW_SDT)) {
        set_bits(s, VIEW_SIE, false);
        c.status |= VIEW_SIE;
    }
    v->x[16] = e->attr[SSE_A6];
    v->x[17] = e->attr[SSE_A7];
    v->csr[VIEW_sepc] = e->attr[SSE_SEPC] & (k->f.zca ? ~UINT64_C(1) : ~UINT64_C(3));
    c.sepc = !(e->known >> SSE_SEPC & 1);
    c.a6 = !(e->known >> SSE_A6 & 1);
    c.a7 = !(e->known >> SSE_A7 & 1);
    return c;
}

void sse_mret_effects(const struct look *k, struct context *c)
{
    (void)k;
    struct rv_view *v = &c->v;
    if (v->priv == RV_U || v->v)
        set_bits(&v->csr[VIEW_sstatus], VIEW_SDT, false);
    if (v->priv == RV_U && v->v)
        set_bits(&v->csr[VIEW_vsstatus], VIEW_SDT, false);
    c->status &= ~(v->priv == RV_U || v->v ? (uint32_t)VIEW_SDT : 0);
}

/* ---- comparisons ---------------------------------------------------------------------------------------------------------- */

/* Registers of view_differs that were told already. */
struct told {
    uint64_t bit[(VIEW_COUNT + 63) / 64];
};

static bool tell(struct told *t, uint32_t i)
{
    bool was = t->bit[i / 64] >> (i % 64) & 1;
    t->bit[i / 64] |= UINT64_C(1) << (i % 64);
    return !was;
}

/* A status register: the bits that have rules by name, the others together. */
static void check_status(struct look *k, enum sse_rule rule, const struct context *e, enum view_csr csr, uint64_t skip)
{
    uint64_t expected = e->v.csr[csr], actual = k->now.csr[csr],
             diff = (expected ^ actual) & ~(uint64_t)open_bits(e, csr) & ~skip;
    uint64_t rest = UINT64_MAX;
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        if (bits[i].csr != csr)
            continue;
        rest &= ~(uint64_t)bits[i].mask;
        if (diff & bits[i].mask)
            sse_found(k, rule, bits[i].name, (expected & bits[i].mask) != 0, (actual & bits[i].mask) != 0);
    }
    if (diff & rest && !(e->vague & SSE_VAGUE_STATUS))
        sse_found(k, rule, view_name(VIEW_CSR + (uint32_t)csr), expected & rest, actual & rest);
}

static bool is_vague(const struct context *e, uint32_t i)
{
    if (i < VIEW_F)
        return (i == 16 && e->a6) || (i == 17 && e->a7) || (e->vague & SSE_VAGUE_X);
    if (i < VIEW_CSR || i == VIEW_CSR + VIEW_fcsr)
        return e->vague & SSE_VAGUE_F;
    if (i == VIEW_CSR + VIEW_sepc && e->sepc)
        return true;
    return i < VIEW_PC && i != VIEW_CSR + VIEW_sepc && (e->vague & SSE_VAGUE_TRAP);
}

/* Registers of `told` are not told again. ELP is left to the caller. */
static void compare(struct look *k, enum sse_rule rule, const struct context *e, struct told *told, bool gprs)
{
    for (uint32_t i = view_differs(&e->v, &k->now, 0); i != UINT32_MAX; i = view_differs(&e->v, &k->now, i + 1)) {
        enum view_csr csr = (enum view_csr)(i - VIEW_CSR);
        if (i == VIEW_ELP || (gprs && i >= VIEW_F && i < VIEW_PC))
            continue;
        if (i >= VIEW_CSR && (csr == VIEW_sstatus || csr == VIEW_hstatus)) {
            if (tell(told, i))
                check_status(k, rule, e, csr, 0);
        } else if (!is_vague(e, i) && tell(told, i)) {
            sse_found(k, rule, view_name(i), view_value(&e->v, i), view_value(&k->now, i));
        }
    }
}

void sse_check_equal(struct look *k, enum sse_rule rule, const struct context *expected, bool gprs)
{
    struct told told = {0};
    compare(k, rule, expected, &told, gprs);
    if (k->now.elp != expected->v.elp)
        sse_found(k, rule, "ELP", expected->v.elp, k->now.elp);
}

void sse_check_entry(struct look *k, const struct sse_event *e, const struct context *at)
{
    struct context c = *at;
    struct told told = {0};
    uint64_t *s = &c.v.csr[VIEW_sstatus], *hs = &c.v.csr[VIEW_hstatus];
    c.v.x[16] = k->c->hart;
    c.v.x[17] = e->known >> SSE_ENTRY_ARG & 1 ? e->attr[SSE_ENTRY_ARG] : k->now.x[17];
    c.v.csr[VIEW_sepc] = at->v.pc;
    c.a6 = c.a7 = c.sepc = false;
    c.status &= ~(uint32_t)(VIEW_SPP | VIEW_SPIE | VIEW_SIE | VIEW_SPELP | VIEW_SDT);
    set_bits(s, VIEW_SPP, at->v.priv == RV_S);
    set_bits(s, VIEW_SPIE, *s & VIEW_SIE);
    if ((at->status & VIEW_SIE) || (at->vague & SSE_VAGUE_STATUS))
        c.status |= VIEW_SPIE;
    set_bits(s, VIEW_SIE, false);
    if (k->f.zicfilp) {
        /* Or as it was, if Zicfilp is called not available to S then. */
        if (!k->f.lpe || at->elp || (at->vague & SSE_VAGUE_TRAP))
            c.status |= VIEW_SPELP;
        set_bits(s, VIEW_SPELP, at->v.elp);
    }
    if (k->f.dte)
        set_bits(s, VIEW_SDT, true);
    if (k->f.h) {
        set_bits(hs, VIEW_SPV, at->v.v);
        c.hstatus &= ~(uint32_t)VIEW_SPV;
        if (at->v.v) {
            set_bits(hs, VIEW_SPVP, at->v.priv == RV_S);
            c.hstatus &= ~(uint32_t)VIEW_SPVP;
        } else if (at->vague & SSE_VAGUE_STATUS) {
            c.hstatus |= VIEW_SPVP;
        }
    }
    c.v.v = 0;
    c.v.priv = RV_S;
    c.v.pc = k->now.pc;
    c.v.elp = 0;
    if (at->vague & SSE_VAGUE_X) { /* a6 and a7 are the handler's all the same */
        uint64_t a6 = c.v.x[16], a7 = c.v.x[17];
        memcpy(c.v.x, k->now.x, sizeof c.v.x);
        c.v.x[16] = a6;
        c.v.x[17] = a7;
        c.vague &= (uint8_t)~SSE_VAGUE_X;
    }
    compare(k, SSE_A2, &c, &told, false);
    if (k->now.elp)
        sse_found(k, SSE_A2, "ELP", 0, k->now.elp);
}

void sse_check_resume(struct look *k, const struct sse_frame *f, const struct context *given, bool edited)
{
    struct told told = {0};
    struct context at = {.v = f->at, .vague = f->vague, .sepc = (f->vague & SSE_VAGUE_TRAP) != 0};
    if (!edited) {
        sse_mret_effects(k, &at);
        if (!k->f.dte) /* switched off since, which took SDT away */
            at.status |= VIEW_SDT;
        if (f->vague & SSE_VAGUE_STATUS)
            at.status = at.hstatus = UINT32_MAX;
        compare(k, SSE_A3, &at, &told, false);
        if (k->now.elp && !f->at.elp && !(f->vague & SSE_VAGUE_STATUS) && tell(&told, VIEW_ELP))
            sse_found(k, SSE_A3, "ELP", 0, k->now.elp);
    }
    compare(k, SSE_A4, given, &told, false);
    /* The chapter does not say who restores the landing-pad state from SPELP: restored or not is both right. */
    if (k->now.elp && !given->v.elp && tell(&told, VIEW_ELP))
        sse_found(k, SSE_A4, "ELP", 0, k->now.elp);
}

bool sse_edited(const struct sse_frame *f, const struct sse_event *e, const struct rv_view *caller)
{
    if (e->written)
        return true;
    for (uint32_t i = view_differs(&f->entry, caller, 0); i != UINT32_MAX && i < VIEW_PC;
         i = view_differs(&f->entry, caller, i + 1)) {
        uint64_t diff = view_value(&f->entry, i) ^ view_value(caller, i);
        if (i == VIEW_CSR + VIEW_sstatus) /* completion replaces these */
            diff &= ~(uint64_t)(VIEW_SIE | VIEW_SDT | VIEW_SPELP);
        else if (i == VIEW_CSR + VIEW_hstatus)
            diff &= ~(uint64_t)VIEW_SPVP;
        if (diff && i != 16 && i != 17)
            return true;
    }
    return false;
}
