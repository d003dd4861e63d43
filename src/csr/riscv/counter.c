/* Counters, their delegation to S (smcdeleg) and the overflow summary (sscofpmf). */
#include "csr/riscv/internal.h"

uint64_t csr_counter(const struct csr_ctx *c, unsigned n)
{
    if (n == 0)
        return c->live->cycle(c->hart);
    if (n == 2)
        return c->live->instret(c->hart);
    return n < 3 + c->cfg->hpm_count ? c->live->hpm(c->hart, n) : 0;
}

uint64_t rd_counter(const struct csr_ctx *c, const struct csr_entry *e) { return csr_counter(c, e->n) & e->rmask; }

uint64_t rd_time(const struct csr_ctx *c, const struct csr_entry *e)
{
    (void)e;
    return c->live->time(c->hart) + (c->v ? c->r->htimedelta : 0);
}

uint32_t wr_counter(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    if (!e->wmask)
        return 0;
    uint64_t old = csr_counter(c, e->n);
    c->live->set_counter(c->hart, e->n, (old & ~e->wmask) | (v << e->shift & e->wmask));
    return e->effects;
}

/* Bits of the counters that are delegated to S; the gate has seen that CDE is set. */
uint64_t rd_scountinhibit(const struct csr_ctx *c, const struct csr_entry *e)
{
    return c->r->mcountinhibit & c->r->mcounteren & e->rmask;
}

uint32_t wr_scountinhibit(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t mask = c->r->mcounteren & e->wmask;
    c->r->mcountinhibit = (c->r->mcountinhibit & ~mask) | (v & mask);
    return e->effects;
}

uint64_t rd_scountovf(const struct csr_ctx *c, const struct csr_entry *e)
{
    uint64_t v = 0;
    for (unsigned n = 3; n < ARRAY_LEN(c->r->mhpmevent); n++)
        v |= (c->r->mhpmevent[n] >> 63) << n;
    if (c->priv < RV_M)
        v &= c->r->mcounteren;
    if (c->v)
        v &= c->r->hcounteren;
    return v & e->rmask;
}

/* Register that sireg i (number 0x151..0x157) shows while siselect is 0x40 + n; entry 0 if none (smcdeleg, Indirect HPM State
 * Mappings). */
static const struct csr_entry *selected(const struct csr_ctx *c, const struct csr_entry *e)
{
    unsigned n = (unsigned)c->r->siselect - 0x40, num;
    if (n > 31 || n == 1)
        return &c->map->entry[0];
    unsigned cfg = n == 0 ? 0x321 : n == 2 ? 0x322 : 0x320 + n;
    switch (e->num & 7) {
    case 1: num = 0xb00 + n; break;
    case 2: num = cfg; break;
    case 5: num = 0xb80 + n; break;
    case 6: num = cfg + 0x400; break;
    default: return &c->map->entry[0];
    }
    return &c->map->entry[c->map->index[num]];
}

/* MINH is read-only zero when seen through sireg*. */
static bool is_filter(const struct csr_entry *e) { return (e->num & 7) == 2 || (e->num & 7) == 6; }

uint64_t rd_sireg(const struct csr_ctx *c, const struct csr_entry *e)
{
    const struct csr_entry *t = selected(c, e);
    uint64_t v = (t->read ? t->read(c, t) : *csr_word(c, t)) & t->rmask;
    if (is_filter(e))
        v &= ~mcyclecfg_MINH;
    return v >> t->shift;
}

uint32_t wr_sireg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    const struct csr_entry *t = selected(c, e);
    if (t->write)
        return t->write(c, t, v);
    uint64_t *word = csr_word(c, t), mask = is_filter(e) ? t->wmask & ~mcyclecfg_MINH : t->wmask;
    *word = (*word & ~mask) | (v << t->shift & mask);
    return t->effects;
}

/* For sireg* (smcdeleg, Counter Delegation) after the gate of the group. V is 1 only in VS: VU has not the level. */
enum csr_result gate_sireg(const struct csr_ctx *c, const struct csr_entry *e, bool write)
{
    enum csr_result group = gate_csrind(c, e, write);
    bool cde = c->r->menvcfg & menvcfg_CDE;
    if (group != CSR_OK)
        return group;
    if (c->v)
        return cde && c->r->vsiselect - 0x40 < 32 ? CSR_VIRTUAL : CSR_ILLEGAL;
    unsigned n = (unsigned)c->r->siselect - 0x40;
    bool there = cde && n < 32 && (c->r->mcounteren >> n & 1) && selected(c, e) != &c->map->entry[0];
    return there ? CSR_OK : CSR_ILLEGAL;
}
