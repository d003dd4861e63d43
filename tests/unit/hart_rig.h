/* Harts that run short programs from RAM, one step or many, with a device that counts what reaches it. */
#ifndef TL_TEST_HART_RIG_H
#define TL_TEST_HART_RIG_H
#include "base/bits.h"
#include "cpu/riscv/decode.h"
#include "cpu/riscv/hart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#define RAM       UINT64_C(0x80000000)
#define RAM_SIZE  UINT64_C(0x40000)
#define IO        (RAM + RAM_SIZE) /* right behind RAM, so that an access can reach from one into the other */
#define CODE      RAM
#define DATA      (RAM + 0x8000)
#define TABLES    (RAM + 0x10000)
#define HANDLER   (RAM + 0x20000)
#define RIG_HARTS 2

struct rig {
    struct mem *mem;
    struct engine *engine;
    struct hart *h[RIG_HARTS];
    struct rv_config *cfg;
    struct csr_map *map;
    struct rv_decoder *decoder;
    bool fork; /* cfg, map and decoder are another rig's */
    unsigned io_reads, io_writes;
};

static inline bool rig_io_read(void *ctx, uint64_t off, unsigned size, uint64_t *value)
{
    (void)off;
    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    *value = 0x55;
    ((struct rig *)ctx)->io_reads++;
    return true;
}

static inline bool rig_io_write(void *ctx, uint64_t off, unsigned size, uint64_t value)
{
    (void)off;
    (void)value;
    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    ((struct rig *)ctx)->io_writes++;
    return true;
}

static inline void rig_engine(struct rig *r)
{
    r->engine = calloc(1, sizeof *r->engine);
    engine_init(r->engine, r->mem, 1);
    for (unsigned i = 0; i < RIG_HARTS; i++)
        r->h[i] = calloc(1, sizeof *r->h[i]);
}

/* text: changes to the default configuration (config.h). */
static inline struct rig *rig_new(uint32_t xlen, const char *text)
{
    struct rig *r = calloc(1, sizeof *r);
    struct err e;
    r->cfg = calloc(1, sizeof *r->cfg);
    rv_config_default(r->cfg, xlen);
    assert_true(rv_config_parse(r->cfg, text, &e));
    r->map = csr_map_new(r->cfg);
    r->decoder = rv_decoder_new(r->cfg);
    r->mem = mem_new();
    struct mem_io io = {rig_io_read, rig_io_write, r};
    assert_true(mem_add_ram(r->mem, "ram", RAM, RAM_SIZE, false, &e));
    assert_true(mem_add_io(r->mem, "io", IO, MEM_PAGE_SIZE, io, &e));
    rig_engine(r);
    for (unsigned i = 0; i < RIG_HARTS; i++) {
        hart_init(r->h[i], r->engine, r->cfg, r->map, r->decoder, i);
        r->h[i]->s.csr.mtvec = HANDLER;
        r->h[i]->s.pc = CODE;
    }
    return r;
}

/* What a fork of the machine makes: the same state, no caches. */
static inline struct rig *rig_fork(struct rig *r)
{
    struct rig *f = calloc(1, sizeof *f);
    *f = *r;
    f->fork = true;
    f->mem = mem_fork(r->mem);
    engine_flush(r->engine);
    rig_engine(f);
    for (unsigned i = 0; i < RIG_HARTS; i++)
        hart_init_copy(f->h[i], f->engine, r->h[i]);
    return f;
}

static inline void rig_free(struct rig *r)
{
    engine_free(r->engine);
    for (unsigned i = 0; i < RIG_HARTS; i++)
        free(r->h[i]);
    free(r->engine);
    mem_free(r->mem);
    if (!r->fork) {
        csr_map_free(r->map);
        rv_decoder_free(r->decoder);
        free(r->cfg);
    }
    free(r);
}

static inline void rig_put(struct rig *r, uint64_t pa, uint64_t value, unsigned size)
{
    assert_true(mem_write(r->mem, pa, &value, size));
    engine_changed(r->engine, pa, size);
}

static inline uint64_t rig_get(struct rig *r, uint64_t pa, unsigned size)
{
    uint64_t v = 0;
    assert_true(mem_read(r->mem, pa, &v, size));
    return v;
}

/* Runs hart n for so many cycles from where it is. */
static inline void rig_run(struct rig *r, unsigned n, uint64_t cycles)
{
    assert_int_equal(hart_run(r->h[n], r->h[n]->s.cycle + cycles), CPU_STOP_LIMIT);
}

/* Runs one instruction of 2 or 4 bytes at CODE. Returns the cause of the trap it took to M, or -1. */
static inline int rig_do(struct rig *r, unsigned n, uint32_t insn)
{
    rig_put(r, CODE, insn, (insn & 3) == 3 ? 4 : 2);
    r->h[n]->s.pc = CODE;
    rig_run(r, n, 1);
    return r->h[n]->s.pc == HANDLER ? (int)r->h[n]->s.csr.mcause : -1;
}

/* Puts hart n into a mode; every cache is made anew. PMP lets everything through, and traps to M end in a loop. */
static inline void rig_mode(struct rig *r, unsigned n, uint8_t priv, uint8_t v)
{
    struct hart *h = r->h[n];
    h->s.priv = priv;
    h->s.v = v;
    h->s.csr.pmpcfg[0] = 0x1f;
    h->s.csr.pmpaddr[0] = bits_mask(0, 54);
    rig_put(r, HANDLER, 0x6f, 4); /* j . */
    engine_flush(r->engine);
    hart_refresh(h);
}
#endif
