/*
 * Instructions that the emulators of the differential test lack: FEAT_CSSC, FEAT_HBC, FEAT_LRCPC3 and FEAT_LSE128, each row of
 * them against its operation in the Arm ARM (C6.2, C7.2) written down here again.
 */
#include "cpu/arm/access.h"
#include "csr/arm/masks.h"
#include "pe_rig.h"

#include <stdio.h>

enum { RAM = 0x40000000, TABLE = 0x40020000, DATA = 0x40001000, VECTORS = 0x40008000, FSC_ALIGN = 0x21 };

/* EL1, all of memory Normal. */
static struct rig *rig_new(const char *cpu)
{
    const uint64_t block = RAM | 0x701; /* level 1, AF, Inner Shareable, attribute 0 */
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    struct arm_regs *s = &r->pe.s.regs;
    mem_write(r->mem, TABLE + 8, &block, 8);
    rig_vectors(r, VECTORS);
    s->vbar_el1 = VECTORS;
    s->ttbr0_el1 = TABLE;
    s->mair_el1 = 0xff;
    s->tcr_el1 = 25 | UINT64_C(2) << 32;
    s->sctlr_el1 |= sctlr_el1_M;
    s->cpacr_el1 = UINT64_C(3) << 20;
    s->scr_el3 |= scr_el3_NS;
    s->hcr_el2 |= hcr_el2_RW;
    rig_level(r, 1);
    return r;
}

static uint64_t rng_step(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Random, or near one of the ends. */
static uint64_t operand(uint64_t *s)
{
    static const uint64_t end[] = {0, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, INT32_MAX, UINT64_C(1) << 31, UINT32_MAX, 127};
    uint64_t v = rng_step(s), how = rng_step(s) >> 20;
    return how & 1 ? v : end[how >> 1 & 7] + (how >> 4 & 3) - 1;
}

static void run_one(struct rig *r, uint32_t insn)
{
    mem_write(r->mem, RAM, &insn, 4);
    engine_changed(&r->engine, RAM, 4);
    r->pe.s.pc = RAM;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 1);
}

/* ---- FEAT_CSSC */

enum cssc { SMAX, UMAX, SMIN, UMIN, CTZ, CNT, ABS, CSSC };

static uint64_t cssc_result(enum cssc k, unsigned width, uint64_t a, uint64_t b)
{
    int64_t sa = width == 64 ? (int64_t)a : (int32_t)a, sb = width == 64 ? (int64_t)b : (int32_t)b;
    uint64_t mask = width == 64 ? UINT64_MAX : UINT32_MAX, n = 0;
    a &= mask;
    b &= mask;
    switch (k) {
    case SMAX: return (uint64_t)(sa < sb ? sb : sa) & mask;
    case SMIN: return (uint64_t)(sb < sa ? sb : sa) & mask;
    case UMAX: return a < b ? b : a;
    case UMIN: return b < a ? b : a;
    case CTZ:
        while (n < width && !(a >> n & 1))
            n++;
        return n;
    case CNT:
        for (unsigned i = 0; i < width; i++)
            n += a >> i & 1;
        return n;
    default: return a >> (width - 1) ? (~a + 1) & mask : a;
    }
}

static void short_sequences(void **state)
{
    struct rig *r = rig_new("max,pa=40");
    uint64_t rng = 0x9e3779b97f4a7c15;
    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        enum cssc k = (enum cssc)(n % CSSC);
        bool wide = rng_step(&rng) >> 20 & 1, imm = k <= UMIN && (rng_step(&rng) >> 20 & 1);
        unsigned rd = rng_step(&rng) >> 20 & 31, rn = rng_step(&rng) >> 20 & 31, rm = rng_step(&rng) >> 20 & 31;
        unsigned imm8 = rng_step(&rng) >> 20 & 255;
        for (unsigned i = 0; i < 31; i++)
            r->pe.s.x[i] = operand(&rng);
        uint64_t a = rn == 31 ? 0 : r->pe.s.x[rn], b = rm == 31 ? 0 : r->pe.s.x[rm];
        uint32_t insn = (uint32_t)wide << 31 | rn << 5 | rd;
        if (imm) {
            b = k == SMAX || k == SMIN ? (uint64_t)(int64_t)(int8_t)imm8 : imm8;
            insn |= 0x11c00000 | (uint32_t)k << 18 | imm8 << 10;
        } else if (k <= UMIN) {
            insn |= 0x1ac06000 | rm << 16 | (uint32_t)k << 10;
        } else {
            insn |= 0x5ac01800 + ((uint32_t)(k - CTZ) << 10);
        }
        uint64_t sp = r->pe.s.x[31], flags = r->pe.s.pstate;
        run_one(r, insn);
        assert_int_equal(r->pe.s.pc, RAM + 4);
        uint64_t expect = cssc_result(k, wide ? 64 : 32, a, b);
        if (rd != 31 && r->pe.s.x[rd] != expect)
            fail_msg("%08x of 0x%llx, 0x%llx: 0x%llx, not 0x%llx", insn, (unsigned long long)a, (unsigned long long)b,
                     (unsigned long long)r->pe.s.x[rd], (unsigned long long)expect);
        assert_int_equal(r->pe.s.x[31], sp);
        assert_int_equal(r->pe.s.pstate, flags);
    }
    rig_free(r);
}

/* ---- FEAT_HBC */

static bool holds(unsigned cond, unsigned nzcv)
{
    bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1, yes;
    switch (cond >> 1) {
    case 0: yes = z; break;
    case 1: yes = c; break;
    case 2: yes = n; break;
    case 3: yes = v; break;
    case 4: yes = c && !z; break;
    case 5: yes = n == v; break;
    case 6: yes = n == v && !z; break;
    default: return true;
    }
    return yes != (cond & 1);
}

static void hinted_branches(void **state)
{
    struct rig *r = rig_new("max,pa=40");
    (void)state;
    for (unsigned cond = 0; cond < 16; cond++)
        for (unsigned nzcv = 0; nzcv < 16; nzcv++) {
            r->pe.s.pstate = (r->pe.s.pstate & ~(UINT64_C(15) << 28)) | (uint64_t)nzcv << 28;
            run_one(r, 0x54000010 | 0x7fff0u << 5 | cond); /* bc.cond .-64 */
            assert_int_equal(r->pe.s.pc, holds(cond, nzcv) ? RAM - 64 : RAM + 4);
        }
    rig_free(r);
}

/* ---- FEAT_LRCPC3 and FEAT_LSE128 */

/* Bytes of memory as a register of `size` has them. */
static uint64_t at_end(const uint8_t *m, unsigned size, bool big)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)m[big ? size - 1 - i : i] << 8 * i;
    return v;
}

static void from_end(uint8_t *m, unsigned size, bool big, uint64_t v)
{
    for (unsigned i = 0; i < size; i++)
        m[big ? size - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

/* Rn is x2, Rt x3 or v3, Rt2 x5. */
enum what { LOAD, STORE, LOAD2, STORE2, LOAD_V, STORE_V, LOAD_LANE, STORE_LANE, CLEAR, SET, SWAP };
struct ordered {
    uint32_t insn;
    enum what what;
    unsigned size;
    int before, after; /* added to the base for the access, and afterwards */
};

#define RT3_RN2 (2u << 5 | 3)
#define PAIR    (5u << 16)
static const struct ordered table[] = {
    {0x99c00800, LOAD, 4, 0, 4},
    {0xd9c00800, LOAD, 8, 0, 8}, /* ldapr, post */
    {0x99800800, STORE, 4, -4, -4},
    {0xd9800800, STORE, 8, -8, -8}, /* stlr, pre */
    {0x99401800 | PAIR, LOAD2, 4, 0, 0},
    {0xd9401800 | PAIR, LOAD2, 8, 0, 0}, /* ldiapp */
    {0x99400800 | PAIR, LOAD2, 4, 0, 8},
    {0xd9400800 | PAIR, LOAD2, 8, 0, 16}, /* post */
    {0x99001800 | PAIR, STORE2, 4, 0, 0},
    {0xd9001800 | PAIR, STORE2, 8, 0, 0}, /* stilp */
    {0x99000800 | PAIR, STORE2, 4, -8, -8},
    {0xd9000800 | PAIR, STORE2, 8, -16, -16}, /* pre */
#define IMM9(n) (((unsigned)(n)&0x1ff) << 12)
    {0x1d400800 | IMM9(-7), LOAD_V, 1, -7, 0},
    {0x1d000800 | IMM9(255), STORE_V, 1, 255, 0}, /* ldapur, stlur: b, h, s, d, q */
    {0x5d400800 | IMM9(16), LOAD_V, 2, 16, 0},
    {0x5d000800 | IMM9(-32), STORE_V, 2, -32, 0},
    {0x9d400800 | IMM9(-256), LOAD_V, 4, -256, 0},
    {0x9d000800 | IMM9(64), STORE_V, 4, 64, 0},
    {0xdd400800 | IMM9(16), LOAD_V, 8, 16, 0},
    {0xdd000800 | IMM9(-16), STORE_V, 8, -16, 0},
    {0x1dc00800 | IMM9(-16), LOAD_V, 16, -16, 0},
    {0x1d800800 | IMM9(32), STORE_V, 16, 32, 0},
#undef IMM9
    {0x0d418400, LOAD_LANE, 8, 0, 0},
    {0x4d418400, LOAD_LANE, 8, 0, 0}, /* ldap1 */
    {0x0d018400, STORE_LANE, 8, 0, 0},
    {0x4d018400, STORE_LANE, 8, 0, 0}, /* stl1 */
    {0x19201000 | PAIR, CLEAR, 8, 0, 0},
    {0x19601000 | PAIR, CLEAR, 8, 0, 0}, /* ldclrp, also with L; A; AL */
    {0x19a01000 | PAIR, CLEAR, 8, 0, 0},
    {0x19e01000 | PAIR, CLEAR, 8, 0, 0},
    {0x19203000 | PAIR, SET, 8, 0, 0},
    {0x19603000 | PAIR, SET, 8, 0, 0}, /* ldsetp */
    {0x19a03000 | PAIR, SET, 8, 0, 0},
    {0x19e03000 | PAIR, SET, 8, 0, 0},
    {0x19208000 | PAIR, SWAP, 8, 0, 0},
    {0x19608000 | PAIR, SWAP, 8, 0, 0}, /* swpp */
    {0x19a08000 | PAIR, SWAP, 8, 0, 0},
    {0x19e08000 | PAIR, SWAP, 8, 0, 0},
};

static bool is_pair(enum what w) { return w == LOAD2 || w == STORE2 || w >= CLEAR; }

/* What the instruction makes of registers and of the bytes it addresses. */
static void expected(const struct ordered *o, bool big, uint64_t *x, union arm_vector *v, uint8_t *m)
{
    unsigned size = o->size, lane = o->insn >> 30 & 1;
    uint64_t low = at_end(m, size > 8 ? 8 : size, big), high = at_end(m + size, size > 8 ? 8 : size, big), x3 = x[3], x5 = x[5];
    switch (o->what) {
    case LOAD: x[3] = low; break;
    case STORE: from_end(m, size, big, x3); break;
    case LOAD2:
        x[3] = low;
        x[5] = high;
        break;
    case STORE2:
        from_end(m, size, big, x3);
        from_end(m + size, size, big, x5);
        break;
    case LOAD_V:
        v->d[0] = v->d[1] = 0;
        for (unsigned i = 0; i < size; i++)
            v->b[i] = m[big ? size - 1 - i : i];
        break;
    case STORE_V:
        for (unsigned i = 0; i < size; i++)
            m[big ? size - 1 - i : i] = v->b[i];
        break;
    case LOAD_LANE: v->d[lane] = low; break;
    case STORE_LANE: from_end(m, 8, big, v->d[lane]); break;
    default:
        from_end(m, 8, big, o->what == CLEAR ? low & ~x3 : o->what == SET ? low | x3 : x3);
        from_end(m + 8, 8, big, o->what == CLEAR ? high & ~x5 : o->what == SET ? high | x5 : x5);
        x[3] = low;
        x[5] = high;
    }
    x[2] += (uint64_t)(int64_t)o->after;
}

/* Each row at an address, in an order of bytes, with and without SCTLR_ELx.nAA: AArch64.UnalignedAccessFaults. */
static void try(struct rig *r, const struct ordered *o, uint64_t va, bool big, bool naa, uint64_t *rng)
{
    struct arm_regs *s = &r->pe.s.regs;
    unsigned bytes = o->size * (is_pair(o->what) ? 2 : 1);
    uint8_t memory[32], now[32];
    s->sctlr_el1 = (s->sctlr_el1 & ~(sctlr_el1_EE | sctlr_el1_nAA)) | (big ? sctlr_el1_EE : 0) | (naa ? sctlr_el1_nAA : 0);
    uint64_t block = RAM | 0x701;
    block = big ? __builtin_bswap64(block) : block;
    mem_write(r->mem, TABLE + 8, &block, 8);
    engine_changed(&r->engine, TABLE, 16);
    rig_level(r, 1);
    for (unsigned i = 0; i < 32; i++)
        memory[i] = (uint8_t)(rng_step(rng) >> 30);
    uint64_t window = va - 8; /* a byte before and behind must stay */
    mem_write(r->mem, window, memory, sizeof memory);
    for (unsigned i = 0; i < 31; i++)
        r->pe.s.x[i] = rng_step(rng);
    r->pe.s.v[3].d[0] = rng_step(rng);
    r->pe.s.v[3].d[1] = rng_step(rng);
    r->pe.s.x[2] = va - (uint64_t)(int64_t)o->before;
    uint64_t x[31];
    union arm_vector v = r->pe.s.v[3];
    memcpy(x, r->pe.s.x, sizeof x);
    bool aligned = !(va & (o->size - 1)) && o->what < CLEAR; /* of a pair each half */
    bool inside = (va & 15) + bytes <= 16, faults = !aligned && !inside && (o->what >= CLEAR || !naa);
    if (!faults)
        expected(o, big, x, &v, memory + 8);
    run_one(r, o->insn | RT3_RN2);
    mem_read(r->mem, window, now, sizeof now);
    if (faults) {
        if (r->pe.s.pc != VECTORS + 0x200)
            fail_msg("%08x at 0x%llx, big %d, nAA %d: no exception", o->insn, (unsigned long long)va, big, naa);
        assert_int_equal(s->esr_el1 >> 26, 0x25);
        assert_int_equal(s->esr_el1 & 63, FSC_ALIGN);
        assert_int_equal(s->far_el1, va);
    } else if (r->pe.s.pc != RAM + 4) {
        fail_msg("%08x at 0x%llx: exception 0x%llx", o->insn, (unsigned long long)va, (unsigned long long)s->esr_el1);
    }
    if (memcmp(x, r->pe.s.x, sizeof x) || memcmp(&v, &r->pe.s.v[3], sizeof v) || memcmp(memory, now, sizeof now))
        fail_msg("%08x at 0x%llx, big %d, nAA %d: not what the operation says", o->insn, (unsigned long long)va, big, naa);
}

static void ordered_accesses(void **state)
{
    struct rig *r = rig_new("max,pa=40");
    uint64_t rng = 0x9e3779b97f4a7c15;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++)
        for (unsigned n = 0; n < 17 * 4; n++)
            try(r, &table[i], DATA + n / 4, n & 1, n & 2, &rng);
    rig_free(r);
}

/* ---- FEAT_LSE2 ---------------------------------------------------------------------------------------------------------- */

/* Where accesses must be aligned: plain ones never, ordered ones by SCTLR_ELx.nAA, atomic ones (also exclusive); without the
   feature these two always (AArch64.UnalignedAccessFaults). Rn is x2. */
enum kind { PLAIN, ORDERED, ATOMIC };
static const struct {
    uint32_t insn;
    unsigned bytes;
    enum kind kind;
} alignment[] = {
    {0xf9400043, 8, PLAIN},   /* ldr x3 */
    {0xa9401443, 8, PLAIN},   /* ldp x3, x5 */
    {0x3d800043, 16, PLAIN},  /* str q3 */
    {0x48dffc43, 2, ORDERED}, /* ldarh */
    {0x88dffc43, 4, ORDERED}, /* ldar w3 */
    {0xc8dffc43, 8, ORDERED}, /* ldar x3 */
    {0xc89ffc43, 8, ORDERED}, /* stlr x3 */
    {0xc8df7c43, 8, ORDERED}, /* ldlar x3 */
    {0x889f7c43, 4, ORDERED}, /* stllr w3 */
    {0xf8bfc043, 8, ORDERED}, /* ldapr x3 */
    {0xd9400043, 8, ORDERED}, /* ldapur x3 */
    {0x59000043, 2, ORDERED}, /* stlurh w3 */
    {0x485f7c43, 2, ATOMIC},  /* ldxrh */
    {0xc85ffc43, 8, ATOMIC},  /* ldaxr x3 */
    {0x887f1443, 8, ATOMIC},  /* ldxp w3, w5 */
    {0xc87f1443, 16, ATOMIC}, /* ldxp x3, x5 */
    {0x78250043, 2, ATOMIC},  /* ldaddh w5, w3 */
    {0xf8e58043, 8, ATOMIC},  /* swpal x5, x3 */
    {0xb825105f, 4, ATOMIC},  /* stclr w5 */
    {0xc8a57c43, 8, ATOMIC},  /* cas x5, x3 */
    {0x08247c46, 8, ATOMIC},  /* casp w4, w5, w6, w7 */
    {0x48647c46, 16, ATOMIC}, /* caspa x4, x5, x6, x7 */
};

static void accesses_within_16_bytes(void **state)
{
    (void)state;
    for (unsigned lse2 = 0; lse2 < 2; lse2++) {
        struct rig *r = rig_new(lse2 ? "max,pa=40" : "max,pa=40,lse2=off");
        struct arm_regs *s = &r->pe.s.regs;
        for (unsigned n = 0; n < ARRAY_LEN(alignment) * 34; n++) {
            unsigned i = n / 34, off = n / 2 % 17, bytes = alignment[i].bytes;
            enum kind k = alignment[i].kind;
            bool naa = (n & 1) && lse2, inside = off % 16 + bytes <= 16;
            bool faults = off % bytes && k != PLAIN && (!lse2 || (!inside && (k == ATOMIC || !naa)));
            rig_level(r, 1);
            s->sctlr_el1 = (s->sctlr_el1 & ~sctlr_el1_nAA) | (naa ? sctlr_el1_nAA : 0);
            r->pe.s.x[2] = DATA + off;
            run_one(r, alignment[i].insn);
            if (r->pe.s.pc != (faults ? VECTORS + 0x200 : RAM + 4) || (faults && (s->esr_el1 & 63) != FSC_ALIGN))
                fail_msg("%08x at offset %u, nAA %d, LSE2 %u: pc 0x%llx", alignment[i].insn, off, naa, lse2,
                         (unsigned long long)r->pe.s.pc);
        }
        rig_free(r);
    }
}

/* Reserved encodings, and each row without its feature. */
static void absent_ones_are_undefined(void **state)
{
    static const struct {
        const char *cpu;
        uint32_t insn;
    } row[] = {{"max", 0x19201000 | 5 << 16 | 2 << 5 | 31},
               {"max", 0x1920801f | 2 << 5},
               {"max", 0x193f8003 | 2 << 5},
               {"max", 0x0d418c00},
               {"max", 0x0d419400},
               {"max", 0x5ac02400},
               {"max,cssc=off", 0x5ac02000},
               {"max,cssc=off", 0x11c00000},
               {"max,hbc=off", 0x54000010},
               {"max,lrcpc3=off", 0x0d418400},
               {"max,lrcpc3=off", 0x4d018400},
               {"max,lrcpc3=off", 0x1d400800},
               {"max,lrcpc3=off", 0x99c00800},
               {"max,lse128=off", 0x19208000 | RT3_RN2 | PAIR}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        char cpu[64];
        snprintf(cpu, sizeof cpu, "%s,pa=40", row[i].cpu);
        struct rig *r = rig_new(cpu);
        run_one(r, row[i].insn);
        if (r->pe.s.pc != VECTORS + 0x200 || r->pe.s.regs.esr_el1 >> 26)
            fail_msg("%s: %08x is there", row[i].cpu, row[i].insn);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_sequences),           cmocka_unit_test(hinted_branches),
        cmocka_unit_test(ordered_accesses),          cmocka_unit_test(accesses_within_16_bytes),
        cmocka_unit_test(absent_ones_are_undefined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
