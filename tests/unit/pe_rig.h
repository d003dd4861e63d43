/* A PE with a megabyte of RAM, for the tests of A64's rules. */
#ifndef TL_TEST_PE_RIG_H
#define TL_TEST_PE_RIG_H
#include "a64_guest.h"
#include "cpu/arm/pe.h"
#include "cpu/arm/pstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#define RIG_RAM      UINT64_C(0x40000000)
#define RIG_RAM_SIZE UINT64_C(0x100000)

struct rig {
    struct arm_config cfg;
    struct sysreg_map *map;
    struct a64_decoder *decoder;
    struct mem *mem;
    struct engine engine;
    struct pe pe;
    struct xlate x; /* what a translation gave */
    uint32_t code[64];
    struct a64 g; /* assembles into code */
};

/* Everything but the PE, which comes when cfg is as it is to be. */
static inline struct rig *rig_base(const char *cpu)
{
    struct rig *r = calloc(1, sizeof *r);
    struct err e;
    assert_true(arm_config_parse(cpu, &r->cfg, &e));
    r->map = sysreg_map_new(&r->cfg);
    r->decoder = a64_decoder_new(&r->cfg);
    r->mem = mem_new();
    assert_true(mem_add_ram(r->mem, "ram", RIG_RAM, RIG_RAM_SIZE, false, &e));
    engine_init(&r->engine, r->mem, 2);
    r->g = (struct a64){.code = r->code, .cap = ARRAY_LEN(r->code)};
    return r;
}

static inline void rig_pe(struct rig *r) { pe_init(&r->pe, &r->engine, &r->cfg, r->map, r->decoder, 0x80000000, 16); }

/* At each vector a branch to itself. */
static inline void rig_vectors(struct rig *r, uint64_t at)
{
    uint32_t stay = 0x14000000; /* b . */
    for (unsigned i = 0; i < 16; i++)
        mem_write(r->mem, at + 0x80 * i, &stay, 4);
}

static inline void rig_level(struct rig *r, unsigned el)
{
    r->pe.s.pstate = PSTATE_DAIF | (uint64_t)el << PSTATE_EL_SHIFT | (el ? PSTATE_SP : 0);
}

static inline void rig_free(struct rig *r)
{
    engine_free(&r->engine);
    mem_free(r->mem);
    a64_decoder_free(r->decoder);
    sysreg_map_free(r->map);
    free(r);
}
#endif
