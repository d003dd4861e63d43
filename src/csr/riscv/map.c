/* What a configuration makes of the rows: existence, masks, and which number takes over when V=1. Built once, then constant. */
#include "csr/riscv/internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MODE_U = 1 << RV_U, MODE_S = 1 << RV_S, MODE_M = 1 << RV_M, MODE_VU = 1 << 4, MODE_VS = 1 << 5 };

/* Modes in which bits 9:8 of the number let a register be accessed (priv 2.1, hypervisor 2). */
static uint8_t modes_of(unsigned num)
{
    switch (num >> 8 & 3) {
    case 0: return MODE_U | MODE_S | MODE_M | MODE_VU | MODE_VS;
    case 1: return MODE_S | MODE_M | MODE_VS;
    case 2: return MODE_S | MODE_M;
    default: return MODE_M;
    }
}

/* Bits that numbers of the configuration, not extensions, leave in register n of a row. */
static uint64_t limit(const struct rv_config *cfg, const struct csr_row *row, unsigned n)
{
    bool rv32 = cfg->xlen == 32;
    const char *name = row->name;
    unsigned ppn = cfg->pa_bits - 12;
    if (!strcmp(name, "satp") || !strcmp(name, "vsatp"))
        return rv32 ? bits_mask(31, 1) | bits_mask(22, cfg->asid_bits) | bits_mask(0, ppn)
                    : bits_mask(60, 4) | bits_mask(44, cfg->asid_bits) | bits_mask(0, ppn);
    if (!strcmp(name, "hgatp"))
        return rv32 ? bits_mask(31, 1) | bits_mask(22, cfg->vmid_bits) | bits_mask(0, ppn)
                    : bits_mask(60, 4) | bits_mask(44, cfg->vmid_bits) | bits_mask(0, ppn);
    if (!strcmp(name, "pmpaddr"))
        return bits_mask(0, cfg->pa_bits - 2);
    if (!strcmp(name, "hgeie") || !strcmp(name, "hgeip"))
        return bits_mask(1, cfg->geilen);
    if (!strcmp(name, "mcounteren") || !strcmp(name, "scounteren") || !strcmp(name, "hcounteren") ||
        !strcmp(name, "mcountinhibit") || !strcmp(name, "scountinhibit") || !strcmp(name, "scountovf"))
        return bits_mask(0, 3 + cfg->hpm_count);
    if (!strcmp(name, "mhpmevent") || !strcmp(name, "mhpmcounter"))
        return n < 3 + cfg->hpm_count ? UINT64_MAX : 0;
    return UINT64_MAX;
}

/* Masks of the whole register (64 bits where there is a high half) from its fields. */
static void field_masks(struct csr_map *map, const struct rv_config *cfg, const struct csr_row *row, unsigned n,
                        struct csr_entry *e)
{
    uint64_t keep = limit(cfg, row, n);
    e->set = (uint8_t)map->nsets;
    for (unsigned i = 0; i < row->nfields; i++) {
        const struct csr_field *f = &row->fields[i];
        unsigned msb = cfg->xlen == 32 ? f->msb32 : f->msb64, lsb = cfg->xlen == 32 ? f->lsb32 : f->lsb64;
        if (msb == 255 || !csr_holds(cfg, f->when))
            continue;
        uint64_t mask = bits_mask(lsb, msb - lsb + 1) & keep;
        switch ((enum csr_rule)f->rule) {
        case RULE_FIX: e->ones |= (uint64_t)f->arg << lsb & mask; break;
        case RULE_RD: e->rmask |= mask; break;
        case RULE_SET:
            assert(map->nsets < ARRAY_LEN(map->sets));
            map->sets[map->nsets++] = (struct csr_set){(uint8_t)lsb, (uint8_t)(msb - lsb + 1), f->arg};
            e->nset++;
            e->rmask |= mask;
            e->wmask |= mask;
            break;
        case RULE_ANY:
        case RULE_FN:
            e->rmask |= mask;
            e->wmask |= mask;
            break;
        }
    }
}

static bool exists(const struct rv_config *cfg, const struct csr_row *row, const struct csr_def *def, unsigned n)
{
    if (!csr_holds(cfg, WHEN_Zicsr) || !csr_holds(cfg, def->when) || (row->high && cfg->xlen != 32))
        return false;
    if (!strcmp(row->name, "pmpaddr"))
        return n < cfg->pmp_count;
    if (!strcmp(row->name, "pmpcfg"))
        return cfg->xlen == 32 ? n * 4 < cfg->pmp_count : n % 2 == 0 && n * 4 < cfg->pmp_count;
    return true;
}

static void add(struct csr_map *map, const struct rv_config *cfg, unsigned index, unsigned k)
{
    const struct csr_row *row = csr_row_at(index);
    const struct csr_def *own = &csr_defs[index], *def = own->low < 0 ? own : &csr_defs[own->low];
    const struct csr_row *base = own->low < 0 ? row : csr_row_at((unsigned)own->low);
    unsigned num = row->num + k, n = row->count > 1 ? row->first + k : num & 31;
    if (!exists(cfg, row, own, n))
        return;
    assert(map->count < ARRAY_LEN(map->entry));
    struct csr_entry *e = &map->entry[map->count];
    map->index[num] = (uint16_t)map->count++;
    e->num = (uint16_t)num;
    e->n = (uint8_t)n;
    e->read = def->read;
    e->write = def->write;
    e->gate = own->gate;
    e->effects = def->effects;
    e->modes = modes_of(num);
    e->gated = own->gate ? e->modes : 0;
    if (def->word != CSR_NO_WORD)
        e->word = (uint16_t)(def->word + (base->count > 1 ? n : 0));
    field_masks(map, cfg, base, n, e);
    if (row->high)
        e->shift = 32;
    if (!strcmp(row->name, "pmpcfg")) {
        e->word = (uint16_t)(def->word + n / 2);
        if (cfg->xlen == 32 && n % 2) {
            e->shift = 32;
            e->rmask <<= 32;
            e->wmask <<= 32;
        }
    }
    uint64_t half = cfg->xlen == 64 ? UINT64_MAX : e->shift ? UINT64_MAX << 32 : UINT32_MAX;
    e->rmask &= half;
    e->wmask &= half;
    e->ones &= half;
    e->rmask |= e->ones;
}

/* Supervisor registers whose place a VS register takes when V=1 (hypervisor 2): same number, 0x2xx instead of 0x1xx. */
static void add_partners(struct csr_map *map)
{
    static const uint16_t nums[] = {0x100, 0x104, 0x105, 0x140, 0x141, 0x142, 0x143, 0x144, 0x14d,
                                    0x15d, 0x180, 0x150, 0x151, 0x152, 0x153, 0x155, 0x156, 0x157};
    for (unsigned i = 0; i < ARRAY_LEN(nums); i++)
        if (map->index[nums[i]])
            map->entry[map->index[nums[i]]].partner = map->index[nums[i] + 0x100];
}

static bool stored_as_is(const struct csr_entry *e) { return !e->read && !e->shift && !e->ones && e->rmask; }
static bool written_as_is(const struct csr_entry *e) { return !e->write && !e->nset && !e->effects && e->wmask == e->rmask; }

static void add_plain(struct csr_map *map)
{
    for (unsigned num = 0; num < ARRAY_LEN(map->plain); num++) {
        const struct csr_entry *e = &map->entry[map->index[num]], *guest = e->partner ? &map->entry[e->partner] : e;
        uint8_t modes = e->modes & (uint8_t)~e->gated;
        if (!map->index[num] || !stored_as_is(e))
            continue;
        if (!stored_as_is(guest) || guest->rmask != e->rmask)
            modes &= 0xf;
        map->plain[num] = (struct csr_plain){.mask = e->rmask, .word = {e->word, guest->word}, .reads = modes};
        if ((num >> 10 & 3) != 3 && written_as_is(e))
            map->plain[num].writes = written_as_is(guest) ? modes : modes & 0xf;
    }
}

const struct csr_plain *csr_plain_table(const struct csr_map *map) { return map->plain; }

struct csr_map *csr_map_new(const struct rv_config *cfg)
{
    struct csr_map *map = calloc(1, sizeof *map);
    if (!map)
        abort();
    map->count = 1;
    map->stateen = csr_holds(cfg, WHEN_Smstateen);
    map->ssstateen = csr_holds(cfg, WHEN_Ssstateen);
    for (unsigned i = 0; i < csr_row_count(); i++)
        for (unsigned k = 0; k < csr_row_at(i)->count; k++)
            add(map, cfg, i, k);
    for (unsigned i = 1; i < map->count; i++) {
        const struct csr_row *row = csr_row_by_num(map->entry[i].num);
        int low = csr_defs[row - csr_row_at(0)].low;
        map->entry[i].low = low < 0 ? (uint16_t)i : map->index[csr_row_at((unsigned)low)->num + map->entry[i].num - row->num];
    }
    add_partners(map);
    add_plain(map);
    return map;
}

void csr_map_free(struct csr_map *map) { free(map); }

bool csr_exists(const struct csr_map *map, unsigned num) { return num < 4096 && map->index[num]; }

/* Reset values in storage: the row's under the mask of the configuration, and the bits that are fixed at one. */
void csr_reset(const struct csr_map *map, const struct rv_config *cfg, struct rv_csrs *r, uint64_t hartid)
{
    memset(r, 0, sizeof *r);
    for (unsigned i = 1; i < map->count; i++) {
        const struct csr_entry *e = &map->entry[i];
        const struct csr_def *def = &csr_defs[csr_row_by_num(map->entry[e->low].num) - csr_row_at(0)];
        if (def->word != CSR_NO_WORD)
            ((uint64_t *)r)[e->word] |= (def->reset & e->wmask) | e->ones;
    }
    r->mhartid = hartid;
    if (!csr_holds(cfg, WHEN_U)) { /* M is the only mode: xPP hold nothing else (priv 3.1.6.1) */
        r->mstatus |= mstatus_MPP;
        if (csr_holds(cfg, WHEN_Smrnmi))
            r->mnstatus |= mnstatus_MNPP;
    }
}
