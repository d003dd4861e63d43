/* Reading and writing. */
#include "csr/arm/internal.h"

uint64_t arm_rd_zero(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)c;
    (void)e;
    return 0;
}

uint32_t arm_wr_ignore(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    (void)c;
    (void)e;
    (void)v;
    return 0;
}

uint64_t sysreg_read(const struct sysreg_ctx *c, unsigned id)
{
    const struct sysreg_entry *e = &c->map->entry[id];
    if (e->read)
        return e->read(c, e);
    return e->word == SYSREG_NO_WORD ? e->value : *sysreg_word(c, e);
}

uint64_t sysreg_merge(const struct sysreg_map *map, const struct sysreg_entry *e, uint64_t old, uint64_t v)
{
    uint64_t now = (old & ~e->wmask) | (v & e->wmask);
    for (unsigned i = 0; i < e->nset; i++) {
        const struct sysreg_set *s = &map->sets[e->set + i];
        uint64_t mask = bits_mask(s->lsb, s->width);
        if (!(s->legal >> (now >> s->lsb & bits_mask(0, s->width)) & 1))
            now = (now & ~mask) | (old & mask);
    }
    return now;
}

uint32_t sysreg_write(const struct sysreg_ctx *c, unsigned id, uint64_t value)
{
    const struct sysreg_entry *e = &c->map->entry[id];
    if (e->write)
        return e->write(c, e, value);
    if (e->word == SYSREG_NO_WORD)
        return 0;
    uint64_t *word = sysreg_word(c, e), old = *word;
    *word = e->nset ? sysreg_merge(c->map, e, old, value) : (old & ~e->wmask) | (value & e->wmask);
    return *word == old ? 0 : e->effects;
}

bool sysreg_peekable(const struct sysreg_map *map, unsigned id)
{
    if (!sysreg_row_of(id) || !sysreg_exists(map, id))
        return false;
    const struct sysreg_def *def = &sysreg_defs[sysreg_index_of(id)];
    return def->kind != KIND_INSN && def->kind != KIND_ALIAS && def->read != arm_rd_random && def->read != arm_rd_gic;
}

bool sysreg_peek(const struct sysreg_ctx *c, unsigned id, uint64_t *value)
{
    if (!sysreg_peekable(c->map, id))
        return false;
    *value = sysreg_read(c, id);
    return true;
}
