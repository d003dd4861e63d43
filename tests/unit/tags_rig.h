/* A PE whose memory is Tagged or not by address, for the tests of tags. */
#ifndef TL_TEST_TAGS_RIG_H
#define TL_TEST_TAGS_RIG_H
#include "pe_rig.h"
#include "csr/arm/masks.h"

/* Physical memory. One-to-one it is Normal and, for EL0 too, read-only and executable; from TAGGED on the same memory is Tagged
   and may be written. */
enum { CODE = 0x40000000, TABLE = 0x40020000, VECTORS = 0x40030000, S2TABLE = 0x40040000, DATA = 0x40010000 };
#define TAGGED     UINT64_C(0x80010000) /* DATA again */
#define PLAIN      UINT64_C(0xc0010000) /* and again, Normal */
#define TAG(va, t) ((va) | (uint64_t)(t) << 56)
#define MAIR       UINT64_C(0xf0ff) /* 0 Normal Write-Back, 1 Tagged */
#define BLOCK      0x701u           /* valid, AF, Inner Shareable */
#define USER       (1u << 6)
#define READ_ONLY  (1u << 7)
#define INDEX(i)   ((i) << 2)
#define TCR        (25u | 1u << 23 | UINT64_C(2) << 32)
#define TCR_TBI0   (UINT64_C(1) << 37)
#define TCR_TCMA0  (UINT64_C(1) << 57)
#define TCR2_TBI   (UINT64_C(1) << 20)
#define TCR2_TCMA  (UINT64_C(1) << 30)
#define TCF(n)     ((uint64_t)(n) << 40)
#define TCF0(n)    ((uint64_t)(n) << 38)
enum { NONE, SYNC, ASYNC, ASYMM };

static inline void put64(struct rig *r, uint64_t pa, uint64_t v) { mem_write(r->mem, pa, &v, sizeof v); }

static inline void tables(struct rig *r)
{
    put64(r, TABLE + 8, CODE | BLOCK | USER | READ_ONLY);
    put64(r, TABLE + 16, CODE | BLOCK | USER | INDEX(1));
    put64(r, TABLE + 24, CODE | BLOCK | USER);
}

/* A PE at a level with translation on, top bytes ignored, tags accessible at all levels and synchronous faults at each. */
static inline struct rig *rig_new(const char *cpu, unsigned el)
{
    struct rig *r = rig_base(cpu);
    mem_add_tags(r->mem, CODE);
    rig_pe(r);
    rig_vectors(r, VECTORS);
    tables(r);
    struct arm_regs *s = &r->pe.s.regs;
    uint64_t sctlr = sctlr_el1_M | sctlr_el1_ATA | TCF(SYNC);
    s->vbar_el1 = s->vbar_el2 = s->vbar_el3 = VECTORS;
    s->cpacr_el1 = 3 << 20;
    s->ttbr0_el1 = s->ttbr0_el2 = s->ttbr0_el3 = TABLE;
    s->mair_el1 = s->mair_el2 = s->mair_el3 = MAIR;
    s->tcr_el1 = TCR | TCR_TBI0;
    s->tcr_el2 = s->tcr_el3 = 25 | 2 << 16 | TCR2_TBI | 0x80800000;
    s->sctlr_el1 |= sctlr | sctlr_el1_ATA0 | TCF0(SYNC) | sctlr_el1_DZE | sctlr_el1_UCI;
    s->sctlr_el2 |= sctlr;
    s->sctlr_el3 |= sctlr;
    s->hcr_el2 |= hcr_el2_ATA | hcr_el2_RW;
    s->scr_el3 |= scr_el3_ATA | scr_el3_NS | scr_el3_RW;
    rig_level(r, el);
    return r;
}

/* Runs one instruction, with x1 (and SP) the address and x2 data, and stops. */
static inline void one(struct rig *r, uint32_t insn, uint64_t x1, uint64_t x2)
{
    struct arm_state *s = &r->pe.s;
    unsigned el = (unsigned)(s->pstate >> PSTATE_EL_SHIFT & 3);
    mem_write(r->mem, CODE, &insn, 4);
    engine_changed(&r->engine, CODE, 4);
    s->pc = CODE;
    s->x[1] = x1;
    s->x[2] = x2;
    s->x[3] = 0;
    s->sp[el] = x1;
    pe_refresh(&r->pe);
    pe_run(&r->pe, s->cycle + 1);
}

static inline uint64_t esr(const struct rig *r)
{
    const struct arm_regs *s = &r->pe.s.regs;
    unsigned el = (unsigned)(r->pe.s.pstate >> PSTATE_EL_SHIFT & 3);
    return el == 1 ? s->esr_el1 : el == 2 ? s->esr_el2 : s->esr_el3;
}

/* Whether the instruction was executed: no exception. */
static inline bool done(const struct rig *r) { return r->pe.s.pc == CODE + 4; }
/* Whether it was a Tag Check Fault; wnr: ESR_ELx.WnR. */
static inline bool tag_fault(const struct rig *r, bool wnr)
{
    unsigned ec = (unsigned)(esr(r) >> 26);
    return !done(r) && (ec == 0x24 || ec == 0x25) && (esr(r) & 0x1ff) == (0x11u | (unsigned)wnr << 6);
}
static inline int tag_at(struct rig *r, uint64_t va) { return mem_tag(r->mem, DATA + (va & 0xffff)); }
#endif
