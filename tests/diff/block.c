/*
 * Blocks of random instructions, from the rows of the decoder: a new row is tested by being there. Operands are random, but
 * addresses of loads and stores mostly point to the data pages, and jumps go forward, to another instruction of the block.
 */
#include "diff.h"

#include <string.h>

enum { FIX_NONE, FIX_B, FIX_J, FIX_CB, FIX_CJ, FIX_I };
enum { NOP = 0x13, C_NOP = 1 };
/* Bytes of code pages for a round; the most a block takes, with its end. */
enum { SLOT = (PG_DATA - PG_CODE) * 4096 / DIFF_ROUNDS, BLOCK_BYTES = 4 * DIFF_BLOCK_MAX + 16 };
_Static_assert(SLOT >= 2 * BLOCK_BYTES + 4 && 4096 % SLOT == 0, "two blocks fit into a slot");
enum kind { KIND_INT, KIND_MEM, KIND_JUMP, KIND_AMO, KIND_CSR, KIND_SYS, KIND_FP, KIND_FP_MEM, KIND_COUNT };

static enum kind kind_of(const struct insn_row *r)
{
    switch (r->cost) {
    case COST_BRANCH:
    case COST_JUMP: return KIND_JUMP;
    case COST_AMO: return KIND_AMO;
    case COST_CSR: return KIND_CSR;
    case COST_FENCE:
    case COST_SYS: return KIND_SYS;
    case COST_FALU:
    case COST_FMUL:
    case COST_FDIV: return KIND_FP;
    case COST_LOAD:
    case COST_STORE: {
        const char *n = r->name[0] == 'c' ? r->name + 2 : r->name;
        return n[0] == 'f' ? KIND_FP_MEM : n[0] == 'h' && n[1] != 0 && (n[1] == 'l' || n[1] == 's') ? KIND_SYS : KIND_MEM;
    }
    default: return KIND_INT;
    }
}

/* A cost of an alias row is that of its target's kind, but the row itself says nothing: look the target up. */
static enum kind kind_of_row(const struct diff_isa *isa, const struct insn_row *r)
{
    if (r->alias)
        for (unsigned i = 0; i < isa->nrows; i++)
            if (!isa->rows[i].alias && isa->rows[i].op == r->op)
                return kind_of(&isa->rows[i]);
    return kind_of(r);
}

/* mstatus.TVM is about HS alone; QEMU 7.2 lets it act in VS, too, and hstatus.VTVM not on satp (hypervisor 2.1, 4.1). */
static bool tvm(const struct diff_case *c) { return ((c->mstatus | c->hstatus) >> 20 & 1) && (c->v || c->returns); }

/* Rows made by hand below, and those whose outcome is not a function of the state. */
static bool excluded(const struct diff_case *c, const struct insn_row *r)
{
    if (!strcmp(r->name, "wfi"))
        return !c->wfi_traps ||
               c->v; /* else it may wait for ever; in VU with TW QEMU 7.2 says virtual instruction (hypervisor 5.3) */
    if (!strncmp(r->name, "sfence_", 7) && strstr(r->name, "inval"))
        return c->priv == 0 || c->returns; /* QEMU 7.2 lets U execute them (priv Svinval) */
    if (!strcmp(r->name, "sinval_vma") || !strncmp(r->name, "hinval", 6) || !strncmp(r->name, "hfence", 6))
        return c->v || c->returns; /* there virtual instructions; QEMU 7.2 says illegal (hypervisor 5.3) */
    if (!strcmp(r->name, "sfence_vma") || !strcmp(r->name, "sret")) /* in VU virtual instructions; QEMU 7.2 says illegal */
        return (c->v && !c->priv) || c->returns || tvm(c);
    if (!strncmp(r->name, "hlvx", 4)) /* QEMU 7.2 asks for read instead of execute permission (hypervisor 3) */
        return true;
    if (!strncmp(r->name, "hlv", 3) || !strncmp(r->name, "hsv", 3))
        return c->no_guest_access;
    if (!strcmp(r->name, "ctzw")) /* QEMU 7.2 gives 63 where the word is 0 (unpriv Zbb) */
        return true;
    return !strncmp(r->name, "lr_", 3) || !strncmp(r->name, "sc_", 3); /* by put_lr_sc */
}

static const struct insn_row *pick(struct diff_case *c, enum kind k)
{
    for (;;) {
        const struct insn_row *r = &c->isa->rows[rng_below(&c->rng, c->isa->nrows)];
        if (kind_of_row(c->isa, r) == k && !excluded(c, r))
            return r;
    }
}

static struct diff_insn *put(struct diff_case *c, uint32_t bits, unsigned bytes)
{
    struct diff_insn *i = &c->insn[c->n++];
    *i = (struct diff_insn){.bits = bits, .bytes = (uint8_t)bytes};
    return i;
}

/* A register that holds an address of data, if there is one in mask. */
static unsigned pointer(struct diff_case *c, uint64_t mask)
{
    mask &= c->pointers;
    if (!mask || (!c->mprv && diff_chance(&c->rng, 5)))
        mask = 0xfffffffe;
    unsigned r;
    do
        r = (unsigned)rng_below(&c->rng, 32);
    while (!(mask >> r & 1));
    return r;
}

/* Remembers that the x register the instruction writes holds no address any more. False: rather make another instruction. */
static bool keep_pointers(struct diff_case *c, uint32_t bits)
{
    struct decoded d = rv_decode(c->isa->decoder, bits, c->isa->xlen);
    if (!d.row || d.frd || !(c->pointers >> d.rd & 1) || d.rd == 0 || d.rd > 31)
        return true;
    if (diff_chance(&c->rng, 90))
        return false;
    c->pointers &= ~(UINT64_C(1) << d.rd);
    return true;
}

static uint32_t random_bits(struct diff_case *c, const struct insn_row *r)
{
    uint32_t operands = ~r->mask & (r->bytes == 4 ? UINT32_MAX : 0xffff), bits;
    do
        bits = r->match | ((uint32_t)rng_next(&c->rng) & operands);
    while (r->nonzero && !(bits & r->nonzero));
    return bits;
}

/* The fields of a row that hold rs1 of a memory access get a register that holds an address. */
static uint32_t memory_operands(struct diff_case *c, const struct insn_row *r, uint32_t bits)
{
    if (r->bytes == 4) {
        bits = (bits & ~(31u << 15)) | pointer(c, UINT64_MAX) << 15;
        if ((c->pmp || diff_chance(&c->rng, 75)) && !(r->mask & 7u << 20) && r->format[0] != 'R' && r->format[0] != 'A')
            bits &= r->format[0] == 'S' ? ~(7u << 7) : ~(7u << 20);
    } else if (!strstr(r->format, "SP")) {
        bits = (bits & ~(7u << 7)) | (pointer(c, 0xff00) & 7) << 7;
    }
    return bits;
}

static bool put_plain(struct diff_case *c, const struct insn_row *r, bool memory)
{
    uint32_t bits = random_bits(c, r);
    if (memory)
        bits = memory_operands(c, r, bits);
    if (!keep_pointers(c, bits))
        return false;
    put(c, bits, r->bytes);
    if (r->bytes == 2 && (memory || !strcmp(r->name, "c_ebreak")))
        put(c, C_NOP, 2); /* a trap skips four bytes */
    return true;
}

/* rd = the address of an instruction further on; *at is set to the one to patch. */
static unsigned scratch_register(struct diff_case *c)
{
    unsigned r;
    do
        r = 1 + (unsigned)rng_below(&c->rng, 31);
    while (c->pointers >> r & 1);
    return r;
}

static uint8_t ahead(struct diff_case *c) { return (uint8_t)(c->n + 1 + rng_below(&c->rng, 4)); }

static void put_target(struct diff_case *c, unsigned reg)
{
    put(c, reg << 7 | 0x17, 4); /* auipc reg, 0 */
    struct diff_insn *i = put(c, reg << 15 | reg << 7 | 0x13, 4);
    i->fix = FIX_I;
    i->from = (uint8_t)(c->n - 2);
    i->target = ahead(c);
}

static bool put_jump(struct diff_case *c, const struct insn_row *r)
{
    uint32_t bits = random_bits(c, r);
    if (!keep_pointers(c, bits))
        return false;
    if (!strcmp(r->format, "I")) { /* jalr */
        unsigned reg = scratch_register(c);
        put(c, reg << 7 | 0x17, 4);
        struct diff_insn *i = put(c, (bits & 0x7fff & ~(31u << 15)) | reg << 15, 4);
        i->fix = FIX_I;
        i->from = (uint8_t)(c->n - 2);
        i->target = ahead(c);
        return true;
    }
    if (!strcmp(r->format, "CJR") || !strcmp(r->format, "CJALR")) {
        unsigned reg = scratch_register(c);
        put_target(c, reg);
        uint8_t target = c->insn[c->n - 1].target;
        put(c, (bits & ~(31u << 7)) | reg << 7, 2);
        c->insn[c->n - 2].target = (uint8_t)(target < c->n ? c->n : target);
        return true;
    }
    struct diff_insn *i = put(c, bits, r->bytes);
    i->target = ahead(c);
    i->fix = !strcmp(r->format, "B") ? FIX_B : !strcmp(r->format, "J") ? FIX_J : !strcmp(r->format, "CB") ? FIX_CB : FIX_CJ;
    return true;
}

/* A load-reserved and a store-conditional to the same aligned address: QEMU 7.2 looks at nothing when a store-conditional fails.
 */
static void put_lr_sc(struct diff_case *c)
{
    if (!c->calm || !c->pointers)
        return;
    unsigned rs1, rd = scratch_register(c), rd2 = scratch_register(c);
    do
        rs1 = (unsigned)rng_below(&c->rng, 32);
    while (!(c->pointers >> rs1 & 1));
    uint32_t f3 = c->isa->xlen == 64 && diff_chance(&c->rng, 50) ? 3 : 2, order = (uint32_t)rng_below(&c->rng, 4) << 25;
    uint32_t common = rs1 << 15 | f3 << 12 | 0x2f | order;
    if (rd == rs1 || rd2 == rs1)
        return;
    put(c, 0xff8u << 20 | rs1 << 15 | 7 << 12 | rs1 << 7 | 0x13, 4); /* andi rs1, rs1, -8 */
    put(c, 2u << 27 | common | rd << 7, 4);
    put(c, 3u << 27 | common | rd2 << 7 | (uint32_t)rng_below(&c->rng, 32) << 20, 4);
}

/* A value for a status register: bits 30:0, as QEMU 7.2 takes any UXL and aborts for some; for vsstatus and hstatus, of which it
   takes every bit, only those that exist. */
static void put_status_value(struct diff_case *c, unsigned csr, unsigned reg, bool clear)
{
    static const uint32_t mpp[2][3] = {{0, 1, 3}, {0, 2, 3}};                       /* nothing leads to MPP = 2 */
    uint32_t v = (uint32_t)rng_below(&c->rng, 0x80000000) & ~(UINT32_C(0x3f) << 9); /* VS stays off: QEMU 7.2 has it without V */
    v |= mpp[clear][rng_below(&c->rng, 3)] << 11 | (diff_chance(&c->rng, 50) ? 3u << 13 : 0);
    if (csr == 0x200)
        v &= 1 << 1 | 1 << 5 | 1 << 8 | 3 << 13 | 1 << 18 | 1 << 19;
    if (csr == 0x300)
        v &= ~(UINT32_C(5) << 20 | UINT32_C(1) << 17); /* MPRV: see put_mprv; QEMU 7.2: no TVM for hgatp, TSR for VS */
    if (csr == 0x600)
        v &= 11 << 6 | 7 << 20; /* not SPVP: QEMU 7.2 keeps the translations of hlv when it changes */
    c->pointers &= ~(UINT64_C(1) << reg);
    put(c, (v + 0x800) >> 12 << 12 | reg << 7 | 0x37, 4);
    put(c, (v & 0xfff) << 20 | reg << 15 | reg << 7 | 0x13, 4);
}

/* Misaligned only where nothing else can be wrong: which of the two exceptions comes is open (priv 3.1.15, table of priorities).
 */
static void put_amo(struct diff_case *c, const struct insn_row *r)
{
    if (!put_plain(c, r, true) || c->calm)
        return;
    struct diff_insn amo = c->insn[--c->n];
    uint32_t rs1 = amo.bits >> 15 & 31;
    put(c, 0xff8u << 20 | rs1 << 15 | 7 << 12 | rs1 << 7 | 0x13, 4); /* andi rs1, rs1, -8 */
    put(c, amo.bits, 4);
}

static bool put_csr(struct diff_case *c, const struct insn_row *r)
{
    uint32_t bits = random_bits(c, r);
    bool supervisor = (c->v && !c->priv) || c->returns; /* in VU: a virtual instruction; QEMU 7.2 says illegal (hypervisor 5.3) */
    unsigned csr = (unsigned)rng_below(&c->rng, 4096), n = diff_record_count(c->isa->xlen);
    if (diff_chance(&c->rng, 70))
        csr = diff_record_csr(c->isa->xlen, (unsigned)rng_below(&c->rng, n));
    else
        for (unsigned tries = 0; tries < 200 && !csr_exists(c->isa->map, csr); tries++)
            csr = (unsigned)rng_below(&c->rng, 4096);
    if (diff_csr_excluded(csr) || (supervisor && (csr >> 8 & 3) == 1) || (csr == 0x180 && tvm(c)) ||
        (csr == 0x680 && (c->mstatus >> 20 & 1)))
        csr = 0x001; /* fflags */
    bits = (bits & 0xfffff) | csr << 20;
    if (csr >> 10 == 3 &&
        (bits >> 13 & 1)) /* csrrs, csrrc with rs1 not x0 are writes; QEMU 7.2 looks at the value (unpriv Zicsr) */
        bits &= ~(31u << 15);
    if (!diff_csr_readable(c->isa->xlen, csr))
        bits &= ~(31u << 7);
    if (!diff_csr_writable(csr))
        bits = (bits & ~(31u << 15) & ~(3u << 12)) | 2u << 12; /* csrrs(i) rd, csr, 0 */
    if (csr == 0x643 || csr == 0x34b) /* htval, mtval2: written as a whole, as QEMU 7.2 leaves addresses in them */
        bits = (bits & ~(3u << 12)) | 1u << 12;
    if (!keep_pointers(c, bits))
        return false;
    if ((csr == 0x200 || csr == 0x600) && (bits >> 14 & 1))
        bits &= csr == 0x200 ? ~(29u << 15) : ~(31u << 15);
    if (csr == 0x600 && (bits >> 12 & 3) == 1)
        bits ^= 3u << 12; /* csrrs(i), which leaves SPVP */
    if ((csr == 0x300 || csr == 0x100 || csr == 0x200 || csr == 0x600) && !(bits >> 14 & 1) && (bits >> 15 & 31))
        put_status_value(c, csr, bits >> 15 & 31, (bits >> 12 & 3) == 3);
    put(c, bits, 4);
    return true;
}

/* Return from a trap: to an instruction further on. MPRV is cleared before: QEMU 7.2 keeps it (priv 3.1.6.3), and the harness of
   either could not go on. */
static void put_return(struct diff_case *c, bool machine)
{
    unsigned reg = scratch_register(c);
    c->returns = true;
    if (c->priv == 3) {
        put(c, 0x20u << 12 | reg << 7 | 0x37, 4);
        put(c, 0x300u << 20 | reg << 15 | 3 << 12 | 0x73, 4);
    }
    put_target(c, reg);
    struct diff_insn *set = &c->insn[c->n - 1];
    put(c, (machine ? 0x341u : 0x141u) << 20 | reg << 15 | 1 << 12 | 0x73, 4);
    put(c, machine ? 0x30200073 : 0x10200073, 4);
    set->target = (uint8_t)(c->n + rng_below(&c->rng, 2));
}

static void put_one(struct diff_case *c, const unsigned *weight)
{
    unsigned total = 0, k = 0;
    for (unsigned i = 0; i < KIND_COUNT; i++)
        total += weight[i];
    unsigned at = (unsigned)rng_below(&c->rng, total);
    while (at >= weight[k])
        at -= weight[k++];
    const struct insn_row *r = pick(c, (enum kind)k);
    switch ((enum kind)k) {
    case KIND_MEM:
    case KIND_FP_MEM: put_plain(c, r, true); break;
    case KIND_AMO:
        if (diff_chance(&c->rng, 30))
            put_lr_sc(c);
        else
            put_amo(c, r);
        break;
    case KIND_JUMP: put_jump(c, r); break;
    case KIND_CSR: put_csr(c, r); break;
    case KIND_SYS:
        if (!strcmp(r->name, "mret") || !strcmp(r->name, "sret"))
            put_return(c, r->name[0] == 'm');
        else
            put_plain(c, r, r->name[0] == 'h' && r->name[1] != 'f' && r->name[1] != 'i');
        break;
    case KIND_FP:
    case KIND_INT:
    case KIND_COUNT: put_plain(c, r, false); break;
    }
}

/*
 * Loads and stores of M act in the mode that a random MPP tells. In QEMU 7.2 those that meet a page that was fetched from are not
 * translated (priv 3.1.6.3), so all of them go to data.
 */
static void put_mprv(struct diff_case *c)
{
    unsigned reg = scratch_register(c);
    c->mprv = true;
    uint64_t v = 1 << 17 | (rng_next(&c->rng) & (1 << 11 | 1 << 18 | 1 << 19));
    memcpy(c->round + ROUND_X + 8 * reg, &v, 8);
    put(c, 0x300u << 20 | reg << 15 | 2 << 12 | 0x73, 4);
}

void diff_block_make(struct diff_case *c)
{
    static const unsigned mixes[][KIND_COUNT] = {/* int mem jump amo csr sys fp fp_mem */
                                                 {10, 5, 2, 1, 1, 0, 0, 0}, {2, 3, 1, 0, 0, 0, 20, 3}, {3, 10, 1, 4, 0, 1, 1, 2},
                                                 {3, 3, 1, 1, 8, 3, 1, 1},  {2, 4, 1, 1, 3, 6, 1, 1},  {1, 0, 0, 0, 0, 0, 20, 1}};
    const unsigned *weight = mixes[rng_below(&c->rng, ARRAY_LEN(mixes))];
    unsigned length = 8 + (unsigned)rng_below(&c->rng, 40);
    c->n = 0;
    if (c->priv == 3 && diff_chance(&c->rng, 30))
        put_mprv(c);
    while (c->n < length) {
        unsigned first = c->n;
        put_one(c, weight);
        while (++first < c->n)
            c->insn[first].inner = true;
    }
    /* In every fourth slot, over the end of the page; the others leave what that takes of the next slot. */
    bool crosses = c->slot % 4 == 3 && c->slot + 1 < DIFF_ROUNDS;
    c->start = c->slot * SLOT + (crosses ? SLOT - 2 * (1 + (unsigned)rng_below(&c->rng, 40))
                                         : BLOCK_BYTES + 4 * (unsigned)rng_below(&c->rng, (SLOT - 2 * BLOCK_BYTES) / 4));
}

static uint32_t fixed(const struct diff_insn *i, int32_t off)
{
    uint32_t v = (uint32_t)off;
    switch (i->fix) {
    case FIX_B:
        return (i->bits & 0x01fff07f) | (v >> 12 & 1) << 31 | (v >> 5 & 63) << 25 | (v >> 1 & 15) << 8 | (v >> 11 & 1) << 7;
    case FIX_J:
        return (i->bits & 0xfff) | (v >> 20 & 1) << 31 | (v >> 1 & 1023) << 21 | (v >> 11 & 1) << 20 | (v >> 12 & 255) << 12;
    case FIX_CB:
        return (i->bits & 0xe383) | (v >> 8 & 1) << 12 | (v >> 3 & 3) << 10 | (v >> 6 & 3) << 5 | (v >> 1 & 3) << 3 |
               (v >> 5 & 1) << 2;
    case FIX_CJ:
        return (i->bits & 0xe003) | (v >> 11 & 1) << 12 | (v >> 4 & 1) << 11 | (v >> 8 & 3) << 9 | (v >> 10 & 1) << 8 |
               (v >> 6 & 1) << 7 | (v >> 7 & 1) << 6 | (v >> 1 & 7) << 3 | (v >> 5 & 1) << 2;
    case FIX_I: return (i->bits & 0xfffff) | v << 20;
    default: return i->bits;
    }
}

/* Writes the block and its end; instructions from `keep` on do nothing. */
void diff_block_write(struct diff_case *c, unsigned keep)
{
    uint8_t *code = c->arena + PG_CODE * 4096 + c->start;
    unsigned at = 0;
    for (unsigned i = 0; i < c->n; i++) {
        c->insn[i].at = (uint16_t)at;
        at += c->insn[i].bytes;
    }
    for (unsigned i = 0; i < c->n; i++) {
        struct diff_insn *s = &c->insn[i];
        unsigned from = s->fix == FIX_I ? c->insn[s->from].at : s->at;
        while (s->target < c->n && c->insn[s->target].inner)
            s->target++;
        unsigned to = s->target < c->n ? c->insn[s->target].at : at;
        s->bits = fixed(s, (int32_t)(to - from));
        uint32_t bits = i < keep ? s->bits : s->bytes == 4 ? NOP : C_NOP;
        memcpy(code + s->at, &bits, s->bytes);
    }
    for (unsigned i = 0; i < 4; i++, at += 4) {
        static const uint32_t ecall = 0x73;
        memcpy(code + at, &ecall, 4);
    }
    uint64_t end = c->code_va + PG_CODE * 4096 + c->start + c->insn[c->n - 1].at + c->insn[c->n - 1].bytes;
    memcpy(c->round + ROUND_END, &end, 8);
}
