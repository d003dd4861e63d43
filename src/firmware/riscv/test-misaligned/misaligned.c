/*
 * Loads and stores at every offset, inside a page and across two. Run with -cpu misaligned=on they do what bytes would do; with
 * misaligned=off those that are misaligned trap, name their address and change nothing (priv 3.6.3.3). The guest finds out which.
 */
#include "common/test.h"

static unsigned char area[8192] __attribute__((aligned(4096)));
static uint traps;

static ulong bytes_at(const volatile unsigned char *p, uint n)
{
    ulong v = 0;
    for (uint i = 0; i < n; i++)
        v |= (ulong)p[i] << 8 * i;
    return v;
}

static void fill(uint seed)
{
    for (uint i = 4080; i < 4120; i++)
        area[i] = (unsigned char)(i * 37 + seed);
}

static ulong extend(ulong v, uint n, int is_signed)
{
    uint shift = (uint)sizeof v * 8 - 8 * n;
    return is_signed ? (ulong)((long)(v << shift) >> shift) : v << shift >> shift;
}

#define LOAD_CASE(insn, n, is_signed)                          \
    do {                                                       \
        ulong v = 0x55;                                        \
        fill(n);                                               \
        ATTEMPT_LOAD(insn, v, p);                              \
        if (MY_TRAP->cause == NO_TRAP) {                       \
            CHECK_EQ(v, extend(bytes_at(p, n), n, is_signed)); \
        } else {                                               \
            CHECK_EQ(MY_TRAP->cause, 4);                       \
            CHECK_EQ(MY_TRAP->tval, (ulong)p);                 \
            CHECK_EQ(v, 0x55);                                 \
            CHECK((ulong)p % (n));                             \
            traps++;                                           \
        }                                                      \
    } while (0)

#define STORE_CASE(insn, n)                                              \
    do {                                                                 \
        ulong v = (ulong)0xf1e2d3c4b5a69788ull, before = bytes_at(p, n); \
        unsigned char left = p[-1], right = p[n];                        \
        ATTEMPT_STORE(insn, v, p);                                       \
        if (MY_TRAP->cause == NO_TRAP) {                                 \
            CHECK_EQ(bytes_at(p, n), extend(v, n, 0));                   \
        } else {                                                         \
            CHECK_EQ(MY_TRAP->cause, 6);                                 \
            CHECK_EQ(MY_TRAP->tval, (ulong)p);                           \
            CHECK_EQ(bytes_at(p, n), before);                            \
            CHECK((ulong)p % (n));                                       \
            traps++;                                                     \
        }                                                                \
        CHECK_EQ(p[-1], left);                                           \
        CHECK_EQ(p[n], right);                                           \
    } while (0)

static void at(volatile unsigned char *p)
{
    LOAD_CASE("lb", 1, 1);
    LOAD_CASE("lbu", 1, 0);
    LOAD_CASE("lh", 2, 1);
    LOAD_CASE("lhu", 2, 0);
    LOAD_CASE("lw", 4, 1);
    STORE_CASE("sb", 1);
    STORE_CASE("sh", 2);
    STORE_CASE("sw", 4);
#if __riscv_xlen == 64
    LOAD_CASE("lwu", 4, 0);
    LOAD_CASE("ld", 8, 1);
    STORE_CASE("sd", 8);
#endif
}

/* Floating-point ones, checked by what a store of the same width writes elsewhere. */
static void floats_at(volatile unsigned char *p)
{
    static unsigned char out[8] __attribute__((aligned(8)));
    fill(3);
    ATTEMPT("fld ft0, 0(%[a])\nfsd ft0, 0(%[o])", , IN([a] "r"(p), [o] "r"(out)));
    if (MY_TRAP->cause == NO_TRAP) {
        for (uint i = 0; i < 8; i++)
            CHECK_EQ(out[i], p[i]);
    } else {
        CHECK_EQ(MY_TRAP->cause, 4);
        CHECK_EQ(MY_TRAP->tval, (ulong)p);
        CHECK((ulong)p % 8);
    }
    ATTEMPT("flw ft0, 0(%[o])\nfsw ft0, 0(%[a])", , IN([a] "r"(p), [o] "r"(out)));
    CHECK(MY_TRAP->cause == NO_TRAP || ((ulong)p % 4 && MY_TRAP->cause == 6 && MY_TRAP->tval == (ulong)p));
    for (uint i = 0; i < 4 && MY_TRAP->cause == NO_TRAP; i++)
        CHECK_EQ(out[i], p[i]);
}

void test_other(ulong hart) { (void)hart; }

void test_main(void)
{
    SET(mstatus, 1ul << 13);
    for (uint off = 4084; off < 4108; off++) {
        at(area + off);
        floats_at(area + off);
    }
    /* All or none trap: 24 offsets, of which half are no multiple of 2, and so on. */
    uint all = 12 * 3 + 18 * 2 + (sizeof(ulong) == 8 ? 18 + 21 * 2 : 0);
    CHECK(traps == 0 || traps == all);
    put_text(traps ? "misaligned accesses trap: all checks hold\n" : "misaligned accesses work: all checks hold\n");
}
