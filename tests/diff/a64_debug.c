/* Self-hosted debug in a case: what may match, and how the software step begins. Arm ARM D2. */
#include "a64_diff.h"

#include "cpu/arm/pstate.h"

#include <inttypes.h>
#include <string.h>

enum {
    MDSCR_SS = 1,
    MDSCR_KDE = 1 << 13,
    MDSCR_MDE = 1 << 15,
    MDCR_TDE = 1 << 8,
    MDCR_SDD = 1 << 16,
    BREAKPOINT_LINKED = 3,
    FIRST_CONTEXT = 4
};

/* A third of the cases has some. */
void a64_debug_choose(struct a64_case *c)
{
    unsigned what = (unsigned)rng_below(&c->rng, 100);
    c->debug = what < 10;
    c->watch = (what < 4 || (what >= 10 && what < 22)) && !c->tags; /* of addresses with tags QEMU 7.2 matches nothing */
    c->step = (what >= 8 && what < 12) || (what >= 22 && what < 32);
    c->debugged = c->debug || c->watch || c->step;
}

/* Fields HMC, SSC, and PMC or PAC, that are not reserved (D2.8.3, D2.10.4), and in which QEMU 7.2 is right: docs/differences.md.
 */
static uint32_t states(struct a64_case *c)
{
    static const uint8_t all[] = {0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x09, 0x0a, 0x0b,
                                  0x11, 0x13, 0x14, 0x15, 0x17, 0x19, 0x1b, 0x1d, 0x1f};
    unsigned s = c->secure ? 16 : ARRAY_LEN(all); /* SSC 3 */
    unsigned v = a64_chance(&c->rng, 50) ? (unsigned)rng_below(&c->rng, 3) : (unsigned)rng_below(&c->rng, s);
    return (uint32_t)(all[v] >> 4) << 13 | (uint32_t)(all[v] >> 2 & 3) << 14 | (uint32_t)(all[v] & 3) << 1;
}

/* Linked to a breakpoint of any number: WT or bit 0 of BT, LBN. */
static uint32_t linked(struct a64_case *c)
{
    return a64_chance(&c->rng, 20) ? 1 << 20 | (uint32_t)(3 + rng_below(&c->rng, 3)) << 16 : 0;
}

static void make_breakpoint(struct a64_case *c, unsigned n)
{
    static const uint16_t ids[] = {SR_contextidr_el1, SR_contextidr_el2};
    if (n >= FIRST_CONTEXT && a64_chance(&c->rng, 60)) {
        uint64_t id = rng_next(&c->rng);
        for (unsigned i = 0; i < a64_init_count(); i++)
            if (a64_init_reg(i) == ids[a64_chance(&c->rng, 30)] && a64_chance(&c->rng, 80))
                id = c->reg[i];
        c->bvr[n] = id & UINT32_MAX;
        c->bcr[n] = BREAKPOINT_LINKED << 20 | 15 << 5 | 3 << 1 | a64_chance(&c->rng, 90);
        return;
    }
    c->bvr[n] = c->va + PGA_CODE * 4096 + c->start + 4 * rng_below(&c->rng, c->n ? c->n : 1);
    c->bcr[n] = states(c) | linked(c) | 15 << 5 | (c->debug && a64_chance(&c->rng, 50));
}

/* Bytes of a doubleword, or of a word, that follow each other. */
static uint32_t bytes(struct a64_case *c, unsigned width)
{
    unsigned from = (unsigned)rng_below(&c->rng, width), n = 1 + (unsigned)rng_below(&c->rng, width - from);
    return ((1u << n) - 1) << from;
}

/* Near an address in a register, mostly. */
static void make_watchpoint(struct a64_case *c, unsigned n)
{
    unsigned r = (unsigned)rng_below(&c->rng, 31);
    uint64_t at;
    while (!(c->pointers >> r & 1) && c->pointers)
        r = (unsigned)rng_below(&c->rng, 31);
    memcpy(&at, c->round + ROUNDA_X + 8 * r, 8);
    at = (at & UINT64_C(0xffffffffff)) + rng_below(&c->rng, 64) - 32;
    bool word = a64_chance(&c->rng, 50);
    uint32_t mask = 0, bas = 0xff;
    if (a64_chance(&c->rng, 60)) /* 1, 2: disabled */
        mask = a64_chance(&c->rng, 15) ? (uint32_t)rng_below(&c->rng, 7) : 7 + (uint32_t)rng_below(&c->rng, 9);
    if (!mask && a64_chance(&c->rng, 60))
        bas = bytes(c, word ? 4 : 8);
    else if (!mask && word)
        bas = 15;
    c->wvr[n] = (at & ~UINT64_C(7)) | (word && !mask ? 4 : 0);
    c->wcr[n] =
        states(c) | linked(c) | mask << 24 | bas << 5 | (a64_chance(&c->rng, 5) ? 0 : 1 + (uint32_t)rng_below(&c->rng, 3)) << 3;
}

void a64_debug_make(struct a64_case *c)
{
    if (!c->debugged)
        return;
    bool match = c->debug || c->watch;
    uint64_t mdscr = (uint64_t)(match ? a64_chance(&c->rng, 95) : a64_chance(&c->rng, 20)) * MDSCR_MDE |
                     (uint64_t)a64_chance(&c->rng, 75) * MDSCR_KDE | (uint64_t)(c->step && a64_chance(&c->rng, 90)) * MDSCR_SS;
    a64_set_reg(c, SR_mdscr_el1, mdscr);
    a64_set_reg(c, SR_mdcr_el3, c->secure && a64_chance(&c->rng, 20) ? MDCR_SDD : 0);
    a64_set_reg(c, SR_mdcr_el2, 6 | (a64_chance(&c->rng, 30) ? MDCR_TDE : 0));
    for (unsigned n = 0; n < ARRAY_LEN(c->bvr); n++)
        make_breakpoint(c, n);
    for (unsigned n = 0; n < ARRAY_LEN(c->wvr); n++)
        make_watchpoint(c, n);
    /* One is enabled: QEMU 7.2 takes for a match of the levels what another one, which has matched before, matches. */
    if (c->watch)
        c->wcr[rng_below(&c->rng, ARRAY_LEN(c->wcr))] |= a64_chance(&c->rng, 90);
}

/* The value of a breakpoint's or watchpoint's register, or the one it would have without debug. */
uint64_t a64_debug_value(const struct a64_case *c, unsigned id, uint64_t legal)
{
    if (!c->debugged)
        return legal;
    if (id >= SR_dbgbvr_el1 && id < SR_dbgbvr_el1 + ARRAY_LEN(c->bvr))
        return c->bvr[id - SR_dbgbvr_el1];
    if (id >= SR_dbgbcr_el1 && id < SR_dbgbcr_el1 + ARRAY_LEN(c->bcr))
        return c->bcr[id - SR_dbgbcr_el1] | 15 << 5; /* RES1 */
    if (id >= SR_dbgwvr_el1 && id < SR_dbgwvr_el1 + ARRAY_LEN(c->wvr))
        return c->wvr[id - SR_dbgwvr_el1];
    if (id >= SR_dbgwcr_el1 && id < SR_dbgwcr_el1 + ARRAY_LEN(c->wcr))
        return c->wcr[id - SR_dbgwcr_el1];
    return legal;
}

/* PSTATE.D and SS of a level that is entered: changed in the value of an SPSR. */
uint64_t a64_debug_spsr(struct a64_case *c, uint64_t spsr)
{
    if (c->debugged && a64_chance(&c->rng, 75))
        spsr &= ~(uint64_t)PSTATE_D;
    if (c->step && a64_chance(&c->rng, 70))
        spsr |= PSTATE_SS;
    return spsr;
}

void a64_debug_print(const struct a64_case *c, FILE *out)
{
    for (unsigned n = 0; (c->debug || c->watch) && n < ARRAY_LEN(c->bvr); n++)
        if (c->bcr[n] & 1)
            fprintf(out, "  breakpoint %u: %016" PRIx64 " %08x\n", n, c->bvr[n], c->bcr[n]);
    for (unsigned n = 0; c->watch && n < ARRAY_LEN(c->wvr); n++)
        if (c->wcr[n] & 1)
            fprintf(out, "  watchpoint %u: %016" PRIx64 " %08x\n", n, c->wvr[n], c->wcr[n]);
}
