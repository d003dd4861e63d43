/*
 * Atomic instructions, as the hart executes them: A, Zabha, Zacas with its register pairs, LR/SC, on RV32 and RV64, and the traps
 * of misaligned and device addresses. unpriv "A", "Zabha", "Zacas"; priv 3.6.3.
 * timeout: 300
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "insn_world.h"

enum {
    AMOADD = 0x00,
    AMOSWAP = 0x01,
    LR = 0x02,
    SC = 0x03,
    AMOXOR = 0x04,
    AMOCAS = 0x05,
    AMOOR = 0x08,
    AMOAND = 0x0c,
    AMOMIN = 0x10,
    AMOMAX = 0x14,
    AMOMINU = 0x18,
    AMOMAXU = 0x1c
};

static const uint32_t plain_ops[] = {AMOADD, AMOSWAP, AMOXOR, AMOOR, AMOAND, AMOMIN, AMOMAX, AMOMINU, AMOMAXU};

static uint32_t encode(uint32_t f5, uint32_t aqrl, unsigned rs2, unsigned rs1, unsigned size, unsigned rd)
{
    uint32_t f3 = (uint32_t)__builtin_ctz(size);
    return f5 << 27 | aqrl << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x2f;
}

static uint64_t low(uint64_t v, unsigned size) { return size == 8 ? v : v & ((UINT64_C(1) << 8 * size) - 1); }

/* What memory holds afterwards: m, v are `size` bytes. */
static uint64_t after(uint32_t f5, uint64_t m, uint64_t v, unsigned size)
{
    bool less = m < v, top_m = m >> (8 * size - 1), top_v = v >> (8 * size - 1), signed_less = top_m == top_v ? less : top_m;
    switch (f5) {
    case AMOADD: return m + v;
    case AMOSWAP: return v;
    case AMOXOR: return m ^ v;
    case AMOOR: return m | v;
    case AMOAND: return m & v;
    case AMOMIN: return signed_less ? m : v;
    case AMOMAX: return signed_less ? v : m;
    case AMOMINU: return less ? m : v;
    default: return less ? v : m;
    }
}

static uint64_t memory(struct insn_world *w, uint64_t at, unsigned size)
{
    uint64_t v = 0;
    assert_true(mem_read(w->mem, at, &v, size));
    return v;
}

/* Distinct registers; rd may be 0. */
static void registers(uint64_t *seed, unsigned *rd, unsigned *rs1, unsigned *rs2)
{
    *rs1 = 1 + (unsigned)rng_below(seed, 31);
    do
        *rs2 = (unsigned)rng_below(seed, 32);
    while (*rs2 == *rs1);
    do
        *rd = (unsigned)rng_below(seed, 32);
    while (*rd == *rs1 && rng_below(seed, 4)); /* sometimes rd is the address register */
}

static void around_is_untouched(struct insn_world *w, uint64_t at, unsigned size, uint64_t pattern)
{
    for (uint64_t a = at - 8; a < at + size + 8; a++)
        if (a < at || a >= at + size)
            assert_int_equal(memory(w, a, 1), pattern);
}

static void run_amos(const char *cpu)
{
    struct insn_world *w = insn_world_new(cpu);
    struct rv_state *s = &w->h->s;
    unsigned n = w->cfg.xlen;
    for (unsigned k = 0; k < insn_rounds() * 8; k++) {
        unsigned size = 1u << rng_below(&w->seed, n == 64 ? 4 : 3), rd, rs1, rs2;
        uint32_t f5 = plain_ops[rng_below(&w->seed, ARRAY_LEN(plain_ops))];
        registers(&w->seed, &rd, &rs1, &rs2);
        uint64_t at = INSN_DATA + 64 + rng_below(&w->seed, 128) * 16 + rng_below(&w->seed, 16 / size) * size;
        uint64_t m = low(insn_value(&w->seed, 64), size);
        uint8_t blank[32];
        memset(blank, 0x5a, sizeof blank);
        assert_true(mem_write(w->mem, at - 8, blank, size + 16));
        assert_true(mem_write(w->mem, at, &m, size));
        s->x[rs1] = insn_sext(at, n);
        s->x[rs2] = rs2 ? insn_value(&w->seed, n) : 0;
        uint32_t insn = encode(f5, (uint32_t)rng_below(&w->seed, 4), rs2, rs1, size, rd);
        insn_world_put(w, INSN_RAM + k % 1000 * 4, &insn, 4);
        uint64_t v = low(s->x[rs2], size), want = low(after(f5, m, v, size), size);
        insn_world_step(w, INSN_RAM + k % 1000 * 4);
        uint64_t got = memory(w, at, size), want_rd = rd ? insn_sext(m, 8 * size) : 0;
        if (got != want || s->x[rd] != want_rd)
            fail_msg("%#x rv%u: memory %#" PRIx64 ", operand %#" PRIx64 " -> %#" PRIx64 ", expected %#" PRIx64 "; rd %#" PRIx64
                     ", expected %#" PRIx64,
                     insn, n, m, v, got, want, s->x[rd], want_rd);
        around_is_untouched(w, at, size, 0x5a);
    }
    insn_world_free(w);
}

static void amos_return_the_old_value_and_write_the_new_one(void **state)
{
    (void)state;
    run_amos("rv64");
    run_amos("rv32");
}

/* amocas: compared is rd (a pair where the width is twice XLEN; the pair of x0 reads as zero and is not written). */
static void run_cas(const char *cpu)
{
    struct insn_world *w = insn_world_new(cpu);
    struct rv_state *s = &w->h->s;
    unsigned n = w->cfg.xlen, reg = n / 8;
    for (unsigned k = 0; k < insn_rounds() * 8; k++) {
        unsigned size = 1u << rng_below(&w->seed, n == 64 ? 5 : 4), rd, rs1, rs2, words = size > reg ? 2 : 1,
                 part = size > reg ? reg : size;
        do
            registers(&w->seed, &rd, &rs1, &rs2);
        while (rd == rs1 ||
               (words == 2 && ((rd & ~1u) == (rs1 & ~1u) || (rs2 & ~1u) == (rs1 & ~1u) || (rd & ~1u) == (rs2 & ~1u))));
        uint64_t at = INSN_DATA + 64 + rng_below(&w->seed, 128) * 16 + rng_below(&w->seed, 16 / size) * size;
        uint64_t m[2] = {insn_value(&w->seed, 64), insn_value(&w->seed, 64)}, cmp[2], new[2];
        bool differ = rng_next(&w->seed) & 1, odd = words == 2 && ((rd | rs2) & 1);
        assert_true(mem_write(w->mem, at, m, part));
        assert_true(mem_write(w->mem, at + part, words == 2 ? &m[1] : m, words == 2 ? part : 0));
        for (unsigned i = 0; i < words; i++) {
            if (rd + i && (rd || words == 1))
                s->x[(rd + i) & 31] = insn_sext(m[i], n);
            if (rs2 + i && (rs2 || words == 1))
                s->x[(rs2 + i) & 31] = insn_value(&w->seed, n);
        }
        s->x[0] = 0;
        if (differ && rd)
            s->x[(rd + rng_below(&w->seed, words)) & 31] ^= UINT64_C(1) << rng_below(&w->seed, 8 * part);
        s->x[0] = 0;
        s->x[rs1] = insn_sext(at, n);
        bool equal = true;
        for (unsigned i = 0; i < words; i++) {
            cmp[i] = words == 2 && !rd ? 0 : s->x[(rd + i) & 31];
            new[i] = words == 2 && !rs2 ? 0 : s->x[(rs2 + i) & 31];
            equal = equal && low(cmp[i], part) == low(m[i], part);
        }
        uint32_t insn = encode(AMOCAS, (uint32_t)rng_below(&w->seed, 4), rs2, rs1, size, rd);
        uint64_t before[33], pc = INSN_RAM + k % 1000 * 4;
        memcpy(before, s->x, sizeof before);
        insn_world_put(w, pc, &insn, 4);
        insn_world_step(w, pc);
        if (odd) { /* reserved */
            assert_int_equal(s->pc, INSN_TRAP);
            assert_int_equal(s->csr.mcause, EXC_ILLEGAL);
            assert_memory_equal(before, s->x, 32 * 8);
            continue;
        }
        for (unsigned i = 0; i < words; i++) {
            uint64_t got = memory(w, at + i * part, part), want = low(equal ? new[i] : m[i], part);
            if (rd)
                before[rd + i] = insn_sext(low(m[i], part), 8 * part);
            if (got != want || s->pc != pc + 4)
                fail_msg("%#x rv%u: part %u of memory is %#" PRIx64 ", expected %#" PRIx64, insn, n, i, got, want);
        }
        assert_memory_equal(before, s->x, 32 * 8);
    }
    insn_world_free(w);
}

static void compare_and_swap_writes_when_equal_and_takes_even_pairs_only(void **state)
{
    (void)state;
    run_cas("rv64");
    run_cas("rv32");
}

/* Each width that is there, at an address that is no multiple of it: 4 for lr, 6 for everything else, whatever `misaligned` says.
 */
static void misaligned_atomics_trap_and_change_nothing(void **state)
{
    (void)state;
    static const char *const cpus[] = {"rv64", "rv32", "rv64,misaligned=off"};
    for (unsigned c = 0; c < ARRAY_LEN(cpus); c++) {
        struct insn_world *w = insn_world_new(cpus[c]);
        struct rv_state *s = &w->h->s;
        for (unsigned k = 0; k < insn_rounds(); k++) {
            static const uint32_t f5s[] = {LR, SC, AMOCAS, AMOADD, AMOSWAP, AMOMAX};
            unsigned size = 2u << rng_below(&w->seed, w->cfg.xlen == 64 ? 3 : 2);
            uint32_t f5 = f5s[rng_below(&w->seed, size < 4 ? 3 : 6)];
            if ((f5 == LR || f5 == SC) && size < 4)
                continue;
            uint64_t at = INSN_DATA + 64 + rng_below(&w->seed, 0xf00) * 2 + 1, m = memory(w, at, 8);
            if (!(at & (size - 1)))
                continue;
            s->x[10] = insn_sext(at, w->cfg.xlen);
            s->x[12] = s->x[14] = 1;
            uint32_t insn = encode(f5, 0, f5 == LR ? 0 : 12, 10, size, 14);
            insn_world_put(w, INSN_RAM, &insn, 4);
            insn_world_step(w, INSN_RAM);
            assert_int_equal(s->pc, INSN_TRAP);
            assert_int_equal(s->csr.mcause, f5 == LR ? EXC_LOAD_MISALIGNED : EXC_STORE_MISALIGNED);
            assert_int_equal(s->csr.mtval, w->cfg.xlen == 64 ? at : (uint32_t)at);
            assert_int_equal(s->x[14], 1);
            assert_int_equal(memory(w, at, 8), m);
        }
        insn_world_free(w);
    }
}

static void atomics_outside_memory_are_access_faults(void **state)
{
    (void)state;
    struct insn_world *w = insn_world_new("rv64");
    static const uint32_t f5s[] = {LR, SC, AMOCAS, AMOADD};
    for (unsigned i = 0; i < ARRAY_LEN(f5s); i++) {
        uint32_t insn = encode(f5s[i], 0, f5s[i] == LR ? 0 : 12, 10, 8, 14);
        w->h->s.x[10] = INSN_RAM - 0x1000;
        w->h->s.res_valid = 8; /* an SC without reservation may fail before it looks at the address */
        w->h->s.res_pa = INSN_RAM - 0x1000;
        insn_world_put(w, INSN_RAM, &insn, 4);
        insn_world_step(w, INSN_RAM);
        assert_int_equal(w->h->s.csr.mcause, f5s[i] == LR ? EXC_LOAD_ACCESS : EXC_STORE_ACCESS);
        assert_int_equal(w->h->s.csr.mtval, INSN_RAM - 0x1000);
    }
    insn_world_free(w);
}

/* ---- LR/SC ------------------------------------------------------------------------------------------------------- */

static void put_one(struct insn_world *w, uint32_t insn)
{
    insn_world_put(w, INSN_RAM, &insn, 4);
    insn_world_step(w, INSN_RAM);
}

static void lr(struct insn_world *w, uint64_t at, unsigned size)
{
    w->h->s.x[10] = insn_sext(at, w->cfg.xlen);
    put_one(w, encode(LR, 0, 0, 10, size, 11));
    assert_int_equal(w->h->s.pc, INSN_RAM + 4);
}

/* True: it stored. */
static bool sc(struct insn_world *w, uint64_t at, unsigned size, uint64_t v)
{
    uint64_t old = memory(w, at, size);
    w->h->s.x[10] = insn_sext(at, w->cfg.xlen);
    w->h->s.x[12] = insn_sext(v, w->cfg.xlen);
    w->h->s.x[13] = 77;
    put_one(w, encode(SC, 3, 12, 10, size, 13));
    bool done = w->h->s.x[13] == 0;
    assert_int_equal(memory(w, at, size), done ? low(v, size) : old);
    if (!done)
        assert_int_not_equal(w->h->s.x[13], 77);
    return done;
}

static void a_store_conditional_succeeds_once_after_its_load_reserved(void **state)
{
    (void)state;
    for (unsigned n = 32; n <= 64; n += 32) {
        struct insn_world *w = insn_world_new(n == 32 ? "rv32" : "rv64");
        for (unsigned size = 4; size <= n / 8; size *= 2) {
            uint64_t v = UINT64_C(0x81c2e3f4a5968778), at = INSN_DATA + 0x100;
            assert_true(mem_write(w->mem, at, &v, size));
            assert_false(sc(w, at, size, 1)); /* no reservation yet */
            lr(w, at, size);
            assert_int_equal(w->h->s.x[11], insn_sext(low(v, size), 8 * size));
            assert_true(sc(w, at, size, 0x11111111));
            assert_false(sc(w, at, size, 2)); /* the first one used it up */
            lr(w, at, size);
            assert_false(sc(w, at + 0x400, size, 3)); /* elsewhere: fails, and uses it up */
            assert_false(sc(w, at, size, 4));
            lr(w, at, size);
            lr(w, at + 0x800, size); /* only the last one counts */
            assert_false(sc(w, at, size, 5));
        }
        insn_world_free(w);
    }
}

static void a_reservation_covers_the_width_of_the_load_reserved_only(void **state)
{
    (void)state;
    struct insn_world *w = insn_world_new("rv64");
    lr(w, INSN_DATA, 4);
    assert_false(sc(w, INSN_DATA, 8, 1)); /* bytes outside the reservation: must fail (unpriv Zalrsc) */
    lr(w, INSN_DATA, 8);
    sc(w, INSN_DATA, 4, 1); /* may do either, but must tell which */
    insn_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amos_return_the_old_value_and_write_the_new_one),
        cmocka_unit_test(compare_and_swap_writes_when_equal_and_takes_even_pairs_only),
        cmocka_unit_test(misaligned_atomics_trap_and_change_nothing),
        cmocka_unit_test(atomics_outside_memory_are_access_faults),
        cmocka_unit_test(a_store_conditional_succeeds_once_after_its_load_reserved),
        cmocka_unit_test(a_reservation_covers_the_width_of_the_load_reserved_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
