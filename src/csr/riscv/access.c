/* The three questions, reading and writing. */
#include "csr/riscv/internal.h"

/* Would the access be allowed in HS-mode with TVM=0 (hypervisor 6.1, "HS-qualified")? A high half asks for its low half. The
   indirect aliases ask only what gates them as a group (smcsrind). */
static bool hs_qualified(const struct csr_ctx *c, const struct csr_entry *e, bool write)
{
    struct csr_ctx hs = *c;
    hs.priv = RV_S;
    hs.v = 0;
    e = &c->map->entry[e->low];
    if (!(e->modes >> RV_S & 1))
        return false;
    csr_gate_fn *gate = e->gate;
    if (gate == gate_satp || gate == gate_hgatp)
        gate = NULL;
    if (gate == gate_sireg || gate == gate_vsireg)
        gate = gate_csrind;
    return !gate || gate(&hs, e, write) == CSR_OK;
}

enum csr_result csr_check(const struct csr_ctx *c, unsigned num, bool write)
{
    const struct csr_entry *e = &c->map->entry[c->map->index[num & 4095]];
    unsigned mode = c->priv | (unsigned)c->v << 2;
    if (unlikely(write && (num >> 10 & 3) == 3))
        return CSR_ILLEGAL;
    if (likely(e->modes >> mode & 1))
        return e->gated >> mode & 1 ? e->gate(c, e, write) : CSR_OK;
    return c->v && e->modes && hs_qualified(c, e, write) ? CSR_VIRTUAL : CSR_ILLEGAL;
}

uint64_t csr_read(const struct csr_ctx *c, unsigned num)
{
    const struct csr_entry *e = csr_entry_of(c, num);
    if (likely(!e->read))
        return (*csr_word(c, e) & e->rmask) >> e->shift;
    uint64_t v = e->read(c, e) >> e->shift;
    return c->cfg->xlen == 32 ? (uint32_t)v : v;
}

uint64_t csr_read_modify(const struct csr_ctx *c, unsigned num)
{
    uint64_t v = csr_read(c, num);
    return (num & 4095) == 0x344 ? (v & ~mip_SEIP) | (c->r->mip & mip_SEIP) : v;
}

uint64_t csr_merge(const struct csr_ctx *c, const struct csr_entry *e, uint64_t old, uint64_t v)
{
    uint64_t now = (old & ~e->wmask) | (v << e->shift & e->wmask);
    for (unsigned i = 0; i < e->nset; i++) {
        const struct csr_set *s = &c->map->sets[e->set + i];
        uint64_t mask = bits_mask(s->lsb, s->width);
        if (!(s->legal >> (now >> s->lsb & bits_mask(0, s->width)) & 1))
            now = (now & ~mask) | (old & mask);
    }
    return now;
}

uint32_t csr_write(const struct csr_ctx *c, unsigned num, uint64_t value)
{
    const struct csr_entry *e = csr_entry_of(c, num);
    if (unlikely(e->write))
        return e->write(c, e, value);
    uint64_t *word = csr_word(c, e), old = *word;
    *word = unlikely(e->nset) ? csr_merge(c, e, old, value) : (old & ~e->wmask) | (value << e->shift & e->wmask);
    return *word == old ? e->effects & CSR_FX_COUNT : e->effects;
}
