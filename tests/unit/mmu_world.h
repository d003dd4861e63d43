/* What the tests of address translation share: a hart with a little memory, and a shadow copy of that memory for the oracle. */
#ifndef TL_TEST_MMU_WORLD_H
#define TL_TEST_MMU_WORLD_H
#include "base/bits.h"
#include "base/rng.h"
#include "cpu/riscv/hart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#define RAM_BASE   UINT64_C(0x80000000)
#define RAM_PAGES  64
#define HIGH_BASE  UINT64_C(0x200000000) /* needs 34 bits */
#define HIGH_PAGES 8
#define ROM_BASE   UINT64_C(0x10000000)
#define ROM_PAGES  4
#define IO_BASE    UINT64_C(0x20000000)

struct world {
    struct mem *mem;
    struct engine *engine;
    struct hart *hart;
    struct rv_config cfg;
    uint8_t ram[RAM_PAGES * MEM_PAGE_SIZE], high[HIGH_PAGES * MEM_PAGE_SIZE], rom[ROM_PAGES * MEM_PAGE_SIZE];
};

static inline void world_ext(struct world *w, enum rv_ext e, bool on)
{
    w->cfg.ext[e / 32] &= ~(1u << e % 32);
    w->cfg.ext[e / 32] |= (uint32_t)on << e % 32;
}

static inline struct world *world_new(unsigned xlen)
{
    struct world *w = calloc(1, sizeof *w);
    w->mem = mem_new();
    assert_true(mem_add_ram(w->mem, "ram", RAM_BASE, sizeof w->ram, false, NULL));
    assert_true(mem_add_ram(w->mem, "high", HIGH_BASE, sizeof w->high, false, NULL));
    assert_true(mem_add_ram(w->mem, "rom", ROM_BASE, sizeof w->rom, true, NULL));
    assert_true(mem_add_io(w->mem, "io", IO_BASE, 0x1000, (struct mem_io){NULL, NULL, NULL}, NULL));
    w->engine = calloc(1, sizeof *w->engine);
    engine_init(w->engine, w->mem, 1);
    w->hart = calloc(1, sizeof *w->hart);
    engine_add_cpu(w->engine, &w->hart->cpu);
    w->cfg.xlen = xlen;
    w->cfg.pa_bits = xlen == 32 ? 34 : 56;
    memset(w->cfg.ext, 0xff, sizeof w->cfg.ext);
    world_ext(w, EXT_Smrnmi, false);
    w->hart->cfg = &w->cfg;
    w->hart->s.priv = RV_S;
    pmp_refresh(w->hart);
    return w;
}

static inline void world_free(struct world *w)
{
    engine_free(w->engine);
    mem_free(w->mem);
    free(w->engine);
    free(w->hart);
    free(w);
}

/* The shadow of [pa, pa+n), or NULL if that is not RAM or ROM. */
static inline uint8_t *world_shadow(struct world *w, uint64_t pa, uint64_t n)
{
    if (pa - RAM_BASE < sizeof w->ram && pa - RAM_BASE + n <= sizeof w->ram)
        return w->ram + (pa - RAM_BASE);
    if (pa - HIGH_BASE < sizeof w->high && pa - HIGH_BASE + n <= sizeof w->high)
        return w->high + (pa - HIGH_BASE);
    if (pa - ROM_BASE < sizeof w->rom && pa - ROM_BASE + n <= sizeof w->rom)
        return w->rom + (pa - ROM_BASE);
    return NULL;
}

static inline bool world_is_rom(uint64_t pa) { return pa - ROM_BASE < ROM_PAGES * MEM_PAGE_SIZE; }

/* Writes memory and shadow. */
static inline void world_poke(struct world *w, uint64_t pa, unsigned n, uint64_t v)
{
    uint8_t *s = world_shadow(w, pa, n);
    assert_non_null(s);
    memcpy(s, &v, n);
    assert_true(mem_write(w->mem, pa, &v, n));
}

static inline uint64_t world_peek(struct world *w, uint64_t pa, unsigned n)
{
    uint64_t v = 0;
    assert_true(mem_read(w->mem, pa, &v, n));
    return v;
}

/* A guest's store to RAM, as the store path of a hart does it: caches hear of it by engine_store alone. */
static inline void world_store(struct world *w, uint64_t pa, unsigned n, uint64_t v)
{
    uint64_t old = 0;
    bool mine = mem_page_private(w->mem, pa);
    uint8_t *host = mem_page_write(w->mem, pa);
    assert_non_null(host);
    if (!mine)
        engine_forget_shared(w->engine, pa);
    host += pa & 0xfff;
    memcpy(&old, host, n);
    memcpy(host, &v, n);
    memcpy(world_shadow(w, pa, n), &v, n);
    engine_store(w->engine, pa, n, old, v);
}

/* Copies the whole shadow into memory. */
static inline void world_load(struct world *w)
{
    assert_true(mem_write(w->mem, RAM_BASE, w->ram, sizeof w->ram));
    assert_true(mem_write(w->mem, HIGH_BASE, w->high, sizeof w->high));
    assert_true(mem_write(w->mem, ROM_BASE, w->rom, sizeof w->rom));
    engine_drop(w->engine);
}

/* True if memory is what the shadow says. */
static inline bool world_same(struct world *w)
{
    static uint8_t buf[RAM_PAGES * MEM_PAGE_SIZE];
    bool same = mem_read(w->mem, RAM_BASE, buf, sizeof w->ram) && !memcmp(buf, w->ram, sizeof w->ram);
    same = same && mem_read(w->mem, HIGH_BASE, buf, sizeof w->high) && !memcmp(buf, w->high, sizeof w->high);
    return same && mem_read(w->mem, ROM_BASE, buf, sizeof w->rom) && !memcmp(buf, w->rom, sizeof w->rom);
}

/* Sets PMP entry i. */
static inline void world_pmp(struct world *w, unsigned i, uint8_t cfg, uint64_t addr)
{
    struct rv_csrs *r = &w->hart->s.csr;
    r->pmpcfg[i / 8] = bits_set(r->pmpcfg[i / 8], i % 8 * 8 + 7, i % 8 * 8, cfg);
    r->pmpaddr[i] = addr;
    pmp_refresh(w->hart);
    engine_flush(w->engine);
}
#endif
