#include "insn_world.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct insn_world *insn_world_new(const char *cpu)
{
    struct insn_world *w = calloc(1, sizeof *w);
    struct err e;

    assert_non_null(w);
    rv_config_default(&w->cfg, 64);
    if (!rv_config_parse(&w->cfg, cpu, &e))
        fail_msg("%s", e.text);
    w->seed = UINT64_C(0x696e736e) + w->cfg.xlen;
    w->map = csr_map_new(&w->cfg);
    w->decoder = rv_decoder_new(&w->cfg);
    w->mem = mem_new();
    assert_true(mem_add_ram(w->mem, "ram", INSN_RAM, INSN_RAM_SIZE, false, &e));
    w->engine = calloc(1, sizeof *w->engine);
    w->h = calloc(1, sizeof *w->h);
    assert_true(w->engine && w->h);
    engine_init(w->engine, w->mem, 1);
    hart_init(w->h, w->engine, &w->cfg, w->map, w->decoder, 0);
    w->h->s.csr.mtvec = INSN_TRAP;
    return w;
}

void insn_world_free(struct insn_world *w)
{
    cpu_free_caches(&w->h->cpu);
    engine_free(w->engine);
    mem_free(w->mem);
    csr_map_free(w->map);
    rv_decoder_free(w->decoder);
    free(w->engine);
    free(w->h);
    free(w);
}

void insn_world_put(struct insn_world *w, uint64_t pa, const void *code, unsigned bytes)
{
    assert_true(mem_write(w->mem, pa, code, bytes));
    engine_changed(w->engine, pa, bytes);
}

void insn_world_step(struct insn_world *w, uint64_t pc)
{
    w->h->s.pc = pc;
    hart_refresh(w->h);
    assert_int_equal(hart_run(w->h, w->h->s.cycle + 1), CPU_STOP_LIMIT);
}

uint64_t insn_value(uint64_t *seed, unsigned xlen)
{
    uint64_t r = rng_next(seed), v = rng_next(seed);
    switch (r % 8) {
    case 0: v = v % 5 - 2; break;
    case 1: v = (UINT64_C(1) << (v & 63)) + (v >> 8) % 3 - 1; break;
    case 2: v = ~(UINT64_C(1) << (v & 63)) + (v >> 8) % 3; break;
    case 3: v = v & 0xff; break;
    case 4: v = v >> (r >> 8 & 63); break;
    case 5: v = (uint32_t)v; break;
    default: break;
    }
    return insn_sext(v, xlen);
}

unsigned insn_rounds(void)
{
    const char *n = getenv("TRAPLINE_FP_N");
    unsigned long v = n ? strtoul(n, NULL, 10) / 250 : 2000;
    return v > 100000 ? 100000 : v < 50 ? 50 : (unsigned)v;
}
