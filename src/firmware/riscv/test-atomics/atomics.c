/* Reservations across traps and other harts' stores, counters that all harts raise, and atomics where memory cannot do them. */
#include "common/test.h"

#define ROUNDS 2000u
static volatile uint word[64] __attribute__((aligned(4096))), far_word[64] __attribute__((aligned(4096)));
static volatile uint harts, order, done, counter[4], lock, start;

/* Stores v if the reservation holds; checks that what it says is what it did. */
static int sc_w(volatile uint *at, uint v)
{
    uint before = *at, fail;
    __asm__ volatile("sc.w %0, %2, (%1)" : "=r"(fail) : "r"(at), "r"(v) : "memory");
    CHECK_EQ(*at, fail ? before : v);
    return !fail;
}

static uint lr_w(volatile uint *at)
{
    uint v;
    __asm__ volatile("lr.w %0, (%1)" : "=r"(v) : "r"(at) : "memory");
    return v;
}

static void alone(void)
{
    word[0] = 41;
    CHECK(!sc_w(word, 1)); /* without a reservation */
    CHECK_EQ(lr_w(word), 41);
    CHECK(sc_w(word, 42));
    CHECK(!sc_w(word, 43)); /* it is used up */
    (void)lr_w(word);
    CHECK(!sc_w(far_word, 1)); /* elsewhere: fails, and drops it: what trap handlers do (unpriv Zalrsc) */
    CHECK(!sc_w(word, 43));
    (void)lr_w(word);
    ATTEMPT("ecall", , );
    CHECK_EQ(MY_TRAP->cause, 11);
    (void)sc_w(word, 50); /* after a trap: either, but consistently */
    /* A handler that stores elsewhere conditionally breaks it for sure. */
    (void)lr_w(word);
    ATTEMPT("ecall", , );
    (void)sc_w(far_word, 7);
    CHECK(!sc_w(word, 51));
#if __riscv_xlen == 64
    ulong v, fail;
    (void)lr_w(word);
    __asm__ volatile("sc.d %0, zero, (%1)" : "=r"(fail) : "r"(word) : "memory");
    CHECK(fail); /* reaches beyond what was reserved */
    __asm__ volatile("lr.d %0, (%2)\nsc.d %1, %3, (%2)" : "=&r"(v), "=&r"(fail) : "r"(word), "r"(0x123456789abcdeful) : "memory");
    CHECK(!fail);
    CHECK_EQ(*(volatile ulong *)word, 0x123456789abcdeful);
#endif
}

static void where_memory_cannot(void)
{
    uint v = 0;
    ulong odd = (ulong)word + 2, uart = 0x10000000ul, none = 0x40000000ul;
    static const ulong load[] = {4, 5, 5}, store[] = {6, 7, 7};
    const ulong at[] = {odd, uart, none};
    for (uint i = 0; i < 3; i++) {
        ATTEMPT("lr.w %[v], (%[a])", OUT([v] "+&r"(v)), IN([a] "r"(at[i])));
        CHECK_EQ(MY_TRAP->cause, load[i]);
        CHECK_EQ(MY_TRAP->tval, at[i]);
        ATTEMPT("amoadd.w %[v], %[v], (%[a])", OUT([v] "+&r"(v)), IN([a] "r"(at[i])));
        CHECK_EQ(MY_TRAP->cause, store[i]);
        CHECK_EQ(MY_TRAP->tval, at[i]);
        ATTEMPT("amoswap.w %[v], %[v], (%[a])", OUT([v] "+&r"(v)), IN([a] "r"(at[i])));
        CHECK_EQ(MY_TRAP->cause, store[i]);
    }
    ATTEMPT("sc.w %[v], %[v], (%[a])", OUT([v] "+&r"(v)), IN([a] "r"(odd)));
    CHECK_EQ(MY_TRAP->cause, 6);
}

/* ---- several harts ----------------------------------------------------------------------------------------------- */

static void raise_counters(void)
{
    for (uint i = 0; i < ROUNDS; i++) {
        uint v, fail;
        __asm__ volatile("1: lr.w %0, (%2)\naddi %0, %0, 1\nsc.w %1, %0, (%2)\nbnez %1, 1b"
                         : "=&r"(v), "=&r"(fail)
                         : "r"(&counter[0])
                         : "memory");
        __asm__ volatile("amoadd.w zero, %1, (%0)" ::"r"(&counter[1]), "r"(1) : "memory");
        do
            __asm__ volatile("amoswap.w.aq %0, %1, (%2)" : "=&r"(v) : "r"(1), "r"(&lock) : "memory");
        while (v);
        counter[2]++;
        __asm__ volatile("amoswap.w.rl zero, zero, (%0)" ::"r"(&lock) : "memory");
        /* amocas.w: rd is compared, and gets what was there (unpriv Zacas) */
        register uint old __asm__("a0") = counter[3];
        for (;;) {
            register uint seen __asm__("a1") = old;
            register uint new __asm__("a2") = old + 1;
            register volatile uint *at __asm__("a3") = &counter[3];
            __asm__ volatile(".insn r 0x2f, 2, 0x14, %0, %1, %2" : "+r"(seen) : "r"(at), "r"(new) : "memory");
            if (seen == old)
                break;
            old = seen;
        }
    }
}

/* What hart 1 does when told: a number for each kind of store. */
enum { ORDER_NONE, ORDER_STORE, ORDER_BYTE, ORDER_SAME, ORDER_AMO, ORDER_SC, ORDER_END };

void test_other(ulong hart)
{
    __asm__ volatile("amoadd.w zero, %1, (%0)" ::"r"(&harts), "r"(1) : "memory");
    if (hart == 1) {
        for (uint now = 0; now != ORDER_END; order = ORDER_NONE) {
            while ((now = order) == ORDER_NONE)
                ;
            switch (now) {
            case ORDER_STORE: word[0] = 1000; break;
            case ORDER_BYTE: ((volatile unsigned char *)word)[3] = 1; break;
            case ORDER_SAME: word[0] = word[0]; break; /* a store of what was there is a store */
            case ORDER_AMO: __asm__ volatile("amoor.w zero, zero, (%0)" ::"r"(word) : "memory"); break;
            case ORDER_SC:
                (void)lr_w(word);
                CHECK(sc_w(word, 2000));
                break;
            default: break;
            }
        }
    }
    while (!start)
        ;
    raise_counters();
    __asm__ volatile("amoadd.w zero, %1, (%0)" ::"r"(&done), "r"(1) : "memory");
}

static void tell(uint what)
{
    order = what;
    while (order)
        ;
}

void test_main(void)
{
    alone();
    where_memory_cannot();
    for (uint i = 0; i < 30000; i++)
        __asm__ volatile("nop");
    uint others = harts;
    if (others) {
        for (uint what = ORDER_STORE; what < ORDER_END; what++) {
            word[0] = 5;
            (void)lr_w(word);
            tell(what);
            CHECK_EQ(sc_w(word, 6) ? what : 0, 0);
            (void)lr_w(word);
            CHECK(sc_w(word, 7));
        }
        tell(ORDER_END);
    }
    start = 1;
    raise_counters();
    while (done != others)
        ;
    for (uint i = 0; i < 4; i++)
        CHECK_EQ(counter[i], ROUNDS * (others + 1));
    put_text("atomics: all checks hold\n");
}
