/*
 * Blocks of random instructions, from the rows of the decoder: a new row is tested by being there. Operands are random, but
 * addresses of loads and stores mostly point to the data pages, and jumps go forward, to another instruction of the block.
 */
#include "a64_diff.h"
#include "a64_guest.h"

#include <stdlib.h>
#include <string.h>

enum { NOP = 0xd503201f, END = 0xd42fffe0 /* brk #0x7fff */ };
/* Bytes of code pages for a round; the most a block takes, with its end. */
enum { SLOT = (PGA_DATA - PGA_CODE) * 4096 / A64_ROUNDS, BLOCK_BYTES = 4 * A64_BLOCK_MAX + 16 };
_Static_assert(SLOT >= 2 * BLOCK_BYTES + 4 && 2 * 4096 % SLOT == 0, "two blocks fit into a slot");
enum kind {
    KIND_INT,
    KIND_MEM,
    KIND_JUMP,
    KIND_ATOMIC,
    KIND_SYSREG,
    KIND_SYS,
    KIND_VEC,
    KIND_SYSTEM, /* TLBI, AT, DC, IC, … */
    KIND_ERET,
    KIND_CHANGE, /* of a descriptor */
    KIND_COUNT
};

static bool starts(const char *s, const char *with) { return !strncmp(s, with, strlen(with)); }

static const struct a64_row *target_of(const struct a64_isa *isa, const struct a64_row *r)
{
    for (unsigned i = 0; r->alias && i < isa->nrows; i++)
        if (!isa->rows[i].alias && isa->rows[i].op == r->op)
            return &isa->rows[i];
    return r;
}

static enum kind kind_of(const struct a64_isa *isa, const struct a64_row *row)
{
    const struct a64_row *r = target_of(isa, row);
    switch (r->cost) {
    case COST_BRANCH:
    case COST_JUMP: return KIND_JUMP;
    case COST_ATOMIC: return KIND_ATOMIC;
    case COST_SYSREG: return KIND_SYSREG;
    case COST_BARRIER:
    case COST_SYS: return KIND_SYS;
    case COST_LOAD:
    case COST_STORE: return KIND_MEM;
    case COST_FALU:
    case COST_FMUL:
    case COST_FDIV:
    case COST_SIMD:
    case COST_CRYPTO: return KIND_VEC;
    default: return KIND_INT;
    }
}

/* Rows that wait, end the run, are made by hand below, or whose outcome is not a function of the state. */
static bool excluded(const struct a64_row *r)
{
    static const char *const names[] = {"wfi",    "wfe", "wfit", "wfet", "hlt",  "eret", "eretaa",
                                        "eretab", "msr", "mrs",  "sys",  "sysl", "esb"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(r->name, names[i]))
            return true;
    return starts(r->name, "ldx") || starts(r->name, "ldax") || starts(r->name, "stx") || starts(r->name, "stlx");
}

/* Writes SP. At EL3 that is where the harness writes the next record. */
static bool moves_sp(const struct a64_row *r, uint32_t bits)
{
    unsigned rd = bits & 31, rn = bits >> 5 & 31;
    bool writes_back = strstr(r->name, "_pre") || strstr(r->name, "_post") || strstr(r->format, "WB");
    bool extended = (bits & 0x3fe00000) == 0x0b200000; /* ADD, SUB (extended register) */
    if (rd == 31 && (starts(r->name, "irg") || starts(r->name, "addg") || starts(r->name, "subg")))
        return true;
    return (writes_back && rn == 31) || (rd == 31 && (extended || strstr(r->name, "_sp")));
}

/* FPCR.AH may be set. */
static bool alternate(const struct a64_case *c)
{
    for (unsigned i = 0; i < a64_init_count(); i++)
        if (a64_init_reg(i) == SR_fpcr)
            return c->reg[i] & 2;
    return false;
}

/* What QEMU 7.2 does not do by the specification, or what that leaves open: docs/differences.md. */
static bool left_out(const struct a64_case *c, const struct a64_row *r, uint32_t bits)
{
    unsigned t = bits & 31, n = bits >> 5 & 31, t2 = bits >> 10 & 31;
    const char *f = r->format;
    if (starts(r->name, "xpac") && !c->pauth)
        return true;
    if (c->el == 3 && moves_sp(r, bits))
        return true;
    if (c->stage2 && r->cost == COST_ATOMIC) /* QEMU 7.2 loads first, then stores: a fault of stage 2 before one of stage 1 */
        return true;
    /* Its alignment is not looked at: put_plain() aligns the others. */
    if (a64_before(c, 11) && starts(r->name, "ldapr") && (n == 31 || c->debug))
        return true;
    /* Watched as of the PE's own level. */
    if (a64_before(c, 11) && c->watch && c->stage2 && (starts(r->name, "ldtr") || starts(r->name, "sttr")))
        return true;
    /* Made of misaligned accesses: of a store the page is watched from its start on, of a load whole doublewords are. */
    if (a64_before(c, 11) && c->watch && (starts(r->name, "st1_x") || starts(r->name, "ld1_x")))
        return true;
    if (a64_before(c, 11) && !strcmp(r->name, "fjcvtzs")) /* of a flushed subnormal: PSTATE.Z */
        return true;
    if (a64_before(c, 11) && (!strcmp(r->name, "fcvtzs_v_i1_h") || !strcmp(r->name, "fcvtzu_v_i1_h")))
        return true;
    bool old = c->isa->witness < 10;
    if (!old && alternate(c) && (starts(r->name, "fabs_v_2") || starts(r->name, "fneg_v_2"))) /* they change the sign of a NaN */
        return true;
    if (c->tags && old && starts(r->feat_name, "MTE") && starts(r->name, "st")) /* QEMU 7.2 has one tag for the whole page */
        return true;
    /* More than 32 bytes of several registers: QEMU 10.0 compares the tags of a part. */
    if (c->tags && !old && (bits & 0x7f000000) == 0x4c000000 && !(bits >> 12 & 9) && a64_before(c, 11))
        return true;
    if (c->tags && (starts(r->name, "ldap") || starts(r->name, "stlur"))) /* compares no tags */
        return true;
    /* Compares tags before alignment. */
    if (a64_before(c, 11) && c->tags &&
        (starts(r->name, "ldar") || starts(r->name, "ldlar") || starts(r->name, "stlr") || starts(r->name, "stllr")))
        return true;
    if (c->tags && r->cost == COST_ATOMIC) /* compares tags as of a store, before all else */
        return true;
    if (!strcmp(r->name, "ldgm") || !strcmp(r->name, "stgm")) /* GMID_EL1.BS differs */
        return true;
    if (a64_before(c, 11) && c->strict && (strstr(r->name, "_q") || starts(r->name, "stgp")))
        return true;
    if (starts(r->feat_name, "LSE128") && t == (bits >> 16 & 31)) /* CONSTRAINED UNPREDICTABLE */
        return true;
    if (starts(r->name, "ldp") && t == t2) /* C6.2 "LDP": CONSTRAINED UNPREDICTABLE */
        return true;
    bool writes_back = strstr(r->name, "_pre") || strstr(r->name, "_post") || strstr(f, "WB");
    return writes_back && n != 31 && f[0] != 'V' && (n == t || ((f[2] == 'P' || strstr(f, "WB")) && n == t2));
}

void a64_kinds_init(struct a64_isa *isa)
{
    isa->kinds = malloc(isa->nrows);
    for (unsigned i = 0; i < isa->nrows; i++) {
        const struct a64_row *r = &isa->rows[i];
        isa->kinds[i] = (uint8_t)(excluded(target_of(isa, r)) || excluded(r) ? KIND_COUNT : kind_of(isa, r));
    }
}

static const struct a64_row *pick(struct a64_case *c, enum kind k)
{
    for (unsigned tries = 0; tries < 10000; tries++) {
        const struct a64_row *r = &c->isa->rows[rng_below(&c->rng, c->isa->nrows)];
        if (c->isa->kinds[r - c->isa->rows] == k)
            return r;
    }
    return NULL;
}

/* An instruction of memory tagging. */
static const struct a64_row *pick_tags(struct a64_case *c)
{
    for (unsigned tries = 0; tries < 100000; tries++) {
        const struct a64_row *r = &c->isa->rows[rng_below(&c->rng, c->isa->nrows)];
        if (starts(r->feat_name, "MTE"))
            return r;
    }
    return NULL;
}

static struct a64_insn *put(struct a64_case *c, uint32_t bits)
{
    struct a64_insn *i = &c->insn[c->n++];
    *i = (struct a64_insn){.bits = bits};
    return i;
}

static bool is_pointer(const struct a64_case *c, unsigned r) { return r < 31 && (c->pointers >> r & 1); }

/* A register that holds an address of data, if there is one. */
static unsigned pointer(struct a64_case *c)
{
    if (!c->pointers || a64_chance(&c->rng, 4))
        return (unsigned)rng_below(&c->rng, 32);
    for (;;) {
        unsigned r = (unsigned)rng_below(&c->rng, 31);
        if (c->pointers >> r & 1)
            return r;
    }
}

static unsigned scratch_register(struct a64_case *c)
{
    unsigned r;
    do
        r = (unsigned)rng_below(&c->rng, 30);
    while (is_pointer(c, r));
    return r;
}

static uint32_t random_bits(struct a64_case *c, const struct a64_row *r)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        uint32_t bits = r->match | ((uint32_t)rng_next(&c->rng) & ~r->mask);
        struct a64_decoded d = a64_decode(c->isa->decoder, bits);
        if (d.row && d.op == r->op && !strcmp(d.row->name, r->name))
            return bits;
    }
    return NOP;
}

/* Registers an instruction may write: a bit each. */
static uint32_t written(const struct a64_row *r, uint32_t bits)
{
    uint32_t w = UINT32_C(1) << (bits & 31);
    const char *f = r->format;
    if (f[0] == 'V')
        return 0;
    if (r->cost == COST_ATOMIC || starts(f, "L_P") || starts(f, "L_Q2") || starts(f, "L_0"))
        w |= UINT32_C(1) << (bits >> 10 & 31) | UINT32_C(1) << (bits >> 16 & 31) | UINT32_C(1) << ((bits >> 16 & 31) ^ 1);
    if (starts(f, "S_") && r->cost == COST_STORE)
        w = 0;
    return w & 0x7fffffff;
}

/* Remembers that registers the instruction writes hold no address any more. False: rather make another instruction. */
static bool keep_pointers(struct a64_case *c, const struct a64_row *r, uint32_t bits)
{
    uint64_t w = written(r, bits) & c->pointers;
    if (!w)
        return true;
    if (a64_chance(&c->rng, 90))
        return false;
    c->pointers &= ~w;
    return true;
}

/* The base gets a register that holds an address; offsets are small. */
static uint32_t memory_operands(struct a64_case *c, const struct a64_row *r, uint32_t bits)
{
    const char *f = r->format;
    if (!strcmp(f, "L_LIT") || !strcmp(f, "V_LIT"))
        return (bits & ~(0x7ffffu << 5)) | ((uint32_t)(rng_below(&c->rng, 512) - 256) & 0x7ffff) << 5;
    bits = (bits & ~(31u << 5)) | pointer(c) << 5;
    if (strlen(f) > 2 && f[2] == 'U') {
        bits &= ~(0xfc0u << 10);
    } else if (strlen(f) == 3 && f[2] == 'R' && a64_chance(&c->rng, 85)) {
        unsigned index = 0;
        do
            index = (unsigned)rng_below(&c->rng, 32);
        while (index < 31 && !(c->smalls >> index & 1));
        bits = (bits & ~(31u << 16)) | index << 16;
    }
    return bits;
}

static bool put_plain(struct a64_case *c, const struct a64_row *r, bool memory)
{
    if (!r)
        return false;
    uint32_t bits = random_bits(c, r);
    if (memory)
        bits = memory_operands(c, r, bits);
    if (!strcmp(r->name, "sb")) /* QEMU 7.2 keeps PSTATE.BTYPE over it */
        put(c, NOP);
    /* QEMU 7.2 does not look at the alignment. */
    if (a64_before(c, 11) && starts(r->name, "ldapr") && memory && (bits >> 5 & 31) != 31)
        put(c, 0x927cec00 | (bits >> 5 & 31) << 5 | (bits >> 5 & 31));
    if (left_out(c, r, bits) || !keep_pointers(c, r, bits) || (written(r, bits) & c->smalls))
        return false;
    if (!strcmp(r->name, "smc"))
        bits |= 16 << 5;                    /* 1 and 2 are the vectors' */
    if (!strcmp(r->name, "hvc") && !c->el2) /* QEMU 7.2 takes it to EL2, which is not enabled (Arm ARM "HVC") */
        return false;
    if (!strcmp(r->name, "hvc") && c->el == 3) /* QEMU 7.2 takes it to EL2 (Arm ARM AArch64.CallHypervisor) */
        return false;
    if (!strcmp(r->name, "msr_imm") && (bits & 0xfffff0ff) == 0xd50040bf && c->el == 3) /* SPSel: the harness needs SP_EL3 */
        return false;
    /* MSR DAIFSet: QEMU 7.2 takes the exception of a step that has masked debug exceptions. */
    if (a64_before(c, 11) && !strcmp(r->name, "msr_imm") && (bits & 0xfffff0ff) == 0xd50340df && c->step)
        return false;
    put(c, bits);
    return true;
}

/* Notes that a jump goes to instruction `to`. */
static uint8_t target(struct a64_case *c, unsigned to)
{
    if (to > c->reach)
        c->reach = to;
    return (uint8_t)to;
}

static bool put_jump(struct a64_case *c, const struct a64_row *r)
{
    if (!r)
        return false;
    uint32_t bits = random_bits(c, r);
    const char *f = r->format;
    if (c->isa->witness == 10 && starts(r->name, "bra")) /* QEMU 10.0 ends by an assertion */
        return false;
    if (!strcmp(f, "NONE")) { /* retaa, retab */
        struct a64_insn *i = put(c, 0x10000000 | 30);
        i->address = true;
        i->target = target(c, c->n + 2 + (unsigned)rng_below(&c->rng, 3));
        if (a64_chance(&c->rng, 80))
            put(c, bits & 1 << 10 ? 0xd503237f : 0xd503233f); /* pacibsp, paciasp */
        put(c, bits);
        return true;
    }
    if (!strcmp(f, "BR") || !strcmp(f, "BRA")) {
        unsigned reg = scratch_register(c);
        struct a64_insn *i = put(c, 0x10000000 | reg);
        i->address = true;
        i->target = target(c, c->n + 2 + (unsigned)rng_below(&c->rng, 3));
        if (!strcmp(f, "BRA") && a64_chance(&c->rng, 60)) /* pacia reg, modifier */
            put(c, (bits >> 10 & 1 ? 0xdac10400 : 0xdac10000) | (bits & 31) << 5 | reg);
        put(c, (bits & ~(31u << 5)) | reg << 5);
        return true;
    }
    struct a64_insn *i = put(c, bits);
    i->target = target(c, c->n + (unsigned)rng_below(&c->rng, 4));
    return true;
}

/* A load exclusive and a store exclusive to the same aligned address. */
static void put_exclusive(struct a64_case *c)
{
    unsigned base = pointer(c), t = scratch_register(c), s = scratch_register(c), size = (unsigned)rng_below(&c->rng, 4),
             t2 = scratch_register(c);
    uint32_t order = (uint32_t)rng_below(&c->rng, 2) << 15;
    if (!is_pointer(c, base) || t == t2 || s == t || s == base)
        return;
    put(c, 0x927cec00 | base << 5 | base); /* and base, base, #~15 */
    if (size >= 2 && a64_chance(&c->rng, 30)) {
        put(c, size << 30 | 0x087f0000 | order | t2 << 10 | base << 5 | t);
        put(c, size << 30 | 0x08200000 | s << 16 | order | (uint32_t)rng_below(&c->rng, 32) << 10 | base << 5 |
                   (uint32_t)rng_below(&c->rng, 32));
    } else {
        put(c, size << 30 | 0x085f7c00 | order | base << 5 | t);
        put(c, size << 30 | 0x08007c00 | s << 16 | order | base << 5 | (uint32_t)rng_below(&c->rng, 32));
    }
}

static void put_one(struct a64_case *c, const unsigned *weight)
{
    if (c->tags && weight[KIND_MEM] && a64_chance(&c->rng, 20)) {
        const struct a64_row *r = pick_tags(c);
        put_plain(c, r, r && kind_of(c->isa, r) == KIND_MEM);
        return;
    }
    unsigned total = 0, k = 0;
    for (unsigned i = 0; i < KIND_COUNT; i++)
        total += weight[i];
    unsigned at = (unsigned)rng_below(&c->rng, total);
    while (at >= weight[k])
        at -= weight[k++];
    if (c->debug && (k == KIND_ERET || k == KIND_CHANGE)) /* what they prepare may be passed over */
        return;
    switch ((enum kind)k) {
    case KIND_MEM: put_plain(c, pick(c, KIND_MEM), true); break;
    case KIND_ATOMIC:
        if (!c->tags && !c->debug &&
            a64_chance(&c->rng, 30)) /* without a monitor QEMU 7.2 compares tags all the same, and does not fail */
            put_exclusive(c);
        else
            put_plain(c, pick(c, KIND_ATOMIC), true);
        break;
    case KIND_JUMP: put_jump(c, pick(c, KIND_JUMP)); break;
    case KIND_SYSREG: a64_put_sysreg(c); break;
    case KIND_SYSTEM: a64_put_system_instruction(c); break;
    case KIND_ERET: a64_put_eret(c); break;
    case KIND_CHANGE: a64_put_change(c); break;
    default: put_plain(c, pick(c, (enum kind)k), false);
    }
}

void a64_block_put(struct a64_case *c, uint32_t bits) { put(c, bits); }
unsigned a64_block_pointer(struct a64_case *c) { return pointer(c); }

void a64_block_put_address(struct a64_case *c, unsigned rt, unsigned ahead)
{
    struct a64_insn *i = put(c, 0x10000000 | rt);
    i->address = true;
    i->target = target(c, c->n + ahead);
}

void a64_block_meet(struct a64_case *c)
{
    while (c->n < c->reach)
        put(c, NOP);
    c->met = c->n;
}

unsigned a64_block_scratch(struct a64_case *c) { return scratch_register(c); }

void a64_block_make(struct a64_case *c)
{
    static const unsigned mixes[][KIND_COUNT] = {/* int mem jump atomic sysreg sys vec system eret change */
                                                 {20, 8, 3, 1, 1, 1, 10, 0, 1, 0}, {40, 2, 3, 0, 0, 0, 0, 0, 0, 0},
                                                 {0, 2, 0, 0, 1, 0, 40, 0, 0, 0},  {6, 10, 1, 6, 1, 0, 3, 0, 0, 1},
                                                 {3, 2, 1, 1, 4, 4, 1, 2, 2, 0},   {2, 4, 0, 1, 4, 0, 0, 6, 2, 1}};
    const unsigned *weight = mixes[rng_below(&c->rng, ARRAY_LEN(mixes))];
    if (c->watch && a64_chance(&c->rng, 70))
        weight = mixes[3];
    unsigned length = 8 + (unsigned)rng_below(&c->rng, 212);
    c->n = c->reach = c->met = 0;
    c->now = c->el;
    if (c->step && !c->debug && a64_chance(&c->rng, 40)) /* among the few instructions that there are records for */
        a64_put_eret(c);
    for (unsigned i = 1; i < c->n; i++)
        c->insn[i].inner = true;
    while (c->n < length) {
        unsigned first = c->n;
        put_one(c, weight);
        while (++first < c->n)
            c->insn[first].inner = first != c->met;
    }
    /* In every fourth slot, over the end of a page; the others leave what that takes of the next slot. */
    bool crosses = c->slot % 4 == 3 && c->slot + 1 < A64_ROUNDS;
    c->start = c->slot * SLOT + (crosses ? SLOT - 4 * (1 + (unsigned)rng_below(&c->rng, 20))
                                         : BLOCK_BYTES + 4 * (unsigned)rng_below(&c->rng, (SLOT - 2 * BLOCK_BYTES) / 4));
}

/* Writes the block and its end; instructions from `keep` on do nothing. */
void a64_block_write(struct a64_case *c, unsigned keep)
{
    uint8_t *code = c->arena + PGA_CODE * 4096 + c->start;
    for (unsigned i = 0; i < c->n; i++) {
        struct a64_insn *s = &c->insn[i];
        if (s->target) {
            while (s->target < c->n && c->insn[s->target].inner)
                s->target++;
            unsigned to = s->target < c->n ? s->target : c->n;
            if (s->address)
                s->bits = (s->bits & 0x9f00001f) | ((to - i) & 0x7ffff) << 5;
            else
                s->bits = a64_with_target(s->bits, i, to);
        }
        uint32_t bits = i < keep ? s->bits : NOP;
        memcpy(code + 4 * i, &bits, 4);
    }
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t end = END;
        memcpy(code + 4 * (c->n + i), &end, 4);
    }
    uint64_t end = c->va + PGA_CODE * 4096 + c->start + 4 * c->n;
    memcpy(c->round + ROUNDA_END, &end, 8);
}
