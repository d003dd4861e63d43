/*
 * Page tables that change while they are in use, with and without sfence.vma; superpages, A and D, and accesses and instructions
 * that cross pages. Without a fence the manual permits the old translation; trapline always uses the tables as they are
 * (docs/determinism.md).
 */
#include "common/test.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, A = 64, D = 128 };
#define RWXAD     (V | R | W | X | A | D)
#define PAGE      4096ul
#define WINDOW    0x40000000ul
#define SATP_SV32 (1ul << 31)
#define SATP_SV39 (8ul << 60)
#define MPRV      (1ul << 17)
#define SUM       (1ul << 18)
#define MXR       (1ul << 19)
enum { FETCH_FAULT = 12, LOAD_FAULT = 13, STORE_FAULT = 15 };

#define ENTRIES (PAGE / sizeof(ulong))
static volatile ulong root[ENTRIES] __attribute__((aligned(4096))), mid[ENTRIES] __attribute__((aligned(4096))),
    leaf[ENTRIES] __attribute__((aligned(4096))), root2[ENTRIES] __attribute__((aligned(4096)));
static volatile ulong frame[8][ENTRIES] __attribute__((aligned(4096)));
/* As large as a superpage of the second level. */
#define SUPER (sizeof(ulong) == 8 ? 0x200000ul : 0x400000ul)

typedef unsigned short __attribute__((may_alias)) half;

static ulong pte(ulong pa, ulong flags) { return pa >> 12 << 10 | flags; }
static volatile ulong *entry(ulong va) { return &leaf[va >> 12 & (ENTRIES - 1)]; }
/* Maps the page of the window; flags 0 takes it away. */
static void map(ulong page, volatile void *to, ulong flags) { *entry(WINDOW + page * PAGE) = pte((ulong)to, flags); }
static void fence(void) { __asm__ volatile("sfence.vma" ::: "memory"); }

static ulong table_mode(volatile ulong *r, ulong asid)
{
    return sizeof(ulong) == 8 ? SATP_SV39 | asid << 44 | (ulong)r >> 12 : SATP_SV32 | asid << 22 | (ulong)r >> 12;
}

/* The machine as it is, by superpages, and the window through the leaf table. */
static void set_up(volatile ulong *r)
{
#if __riscv_xlen == 64
    r[0] = pte(0, RWXAD);
    r[2] = pte(0x80000000ul, RWXAD);
    r[1] = pte((ulong)mid, V);
    mid[0] = pte((ulong)leaf, V);
#else
    (void)mid;
    r[0] = pte(0, RWXAD);
    r[0x10000000ul >> 22] = pte(0x10000000ul, RWXAD);
    for (ulong i = 0; i < 4; i++)
        r[(0x80000000ul >> 22) + i] = pte(0x80000000ul + (i << 22), RWXAD);
    r[WINDOW >> 22] = pte((ulong)leaf, V);
#endif
}

/* One access as S makes it. The cause is NO_TRAP or that of the trap. */
static ulong access_s(ulong va, ulong *value, int store, int half)
{
    ulong v = *value, bits = MPRV | 1ul << 11;
    CLEAR(mstatus, 3ul << 11);
    if (store && half)
        ATTEMPT("csrs mstatus, %[m]\nsw %[v], 0(%[a])\ncsrc mstatus, %[m]", , IN([m] "r"(bits), [v] "r"(v), [a] "r"(va)));
    else if (store)
        ATTEMPT("csrs mstatus, %[m]\n" REG_S "%[v], 0(%[a])\ncsrc mstatus, %[m]", , IN([m] "r"(bits), [v] "r"(v), [a] "r"(va)));
    else if (half)
        ATTEMPT("csrs mstatus, %[m]\nlw %[v], 0(%[a])\ncsrc mstatus, %[m]", OUT([v] "+&r"(v)), IN([m] "r"(bits), [a] "r"(va)));
    else
        ATTEMPT("csrs mstatus, %[m]\n" REG_L "%[v], 0(%[a])\ncsrc mstatus, %[m]", OUT([v] "+&r"(v)),
                IN([m] "r"(bits), [a] "r"(va)));
    *value = v;
    return MY_TRAP->cause;
}

static ulong load(ulong va)
{
    ulong v = 0;
    CHECK_EQ(access_s(va, &v, 0, 0), NO_TRAP);
    return v;
}

static void store(ulong va, ulong v) { CHECK_EQ(access_s(va, &v, 1, 0), NO_TRAP); }

static void load_fails(ulong va, ulong cause, ulong tval)
{
    ulong v = 77;
    CHECK_EQ(access_s(va, &v, 0, 0), cause);
    CHECK_EQ(MY_TRAP->tval, tval);
    CHECK_EQ(v, 77);
}

static void store_fails(ulong va, ulong tval)
{
    ulong v = 1;
    CHECK_EQ(access_s(va, &v, 1, 0), STORE_FAULT);
    CHECK_EQ(MY_TRAP->tval, tval);
}

static void edits(int with_fence)
{
    for (ulong i = 0; i < 200; i++) {
        frame[0][3] = i;
        frame[1][3] = ~i;
        map(0, i & 1 ? frame[1] : frame[0], RWXAD);
        if (with_fence)
            fence();
        CHECK_EQ(load(WINDOW + 3 * sizeof(ulong)), i & 1 ? ~i : i);
        store(WINDOW + 5 * sizeof(ulong), i);
        CHECK_EQ(frame[i & 1][5], i);
        map(0, frame[0], i % 3 ? 0 : RWXAD & ~(ulong)V);
        if (with_fence)
            fence();
        load_fails(WINDOW + 8, LOAD_FAULT, WINDOW + 8);
        store_fails(WINDOW + 16, WINDOW + 16);
        /* Byte by byte, as an awkward guest might write an entry. */
        ulong want = pte((ulong)frame[1], RWXAD);
        for (ulong b = 0; b < sizeof want; b++)
            ((volatile unsigned char *)entry(WINDOW))[b] = (unsigned char)(want >> 8 * b);
        CHECK_EQ(load(WINDOW + 3 * sizeof(ulong)), ~i);
    }
}

static void permissions(void)
{
    map(0, frame[0], RWXAD & ~(ulong)W);
    store_fails(WINDOW, WINDOW);
    (void)load(WINDOW);
    map(0, frame[0], V | X | A | D);
    load_fails(WINDOW, LOAD_FAULT, WINDOW);
    SET(mstatus, MXR);
    (void)load(WINDOW);
    CLEAR(mstatus, MXR);
    load_fails(WINDOW, LOAD_FAULT, WINDOW);
    map(0, frame[0], RWXAD | U);
    load_fails(WINDOW, LOAD_FAULT, WINDOW);
    SET(mstatus, SUM);
    (void)load(WINDOW);
    CLEAR(mstatus, SUM);
    load_fails(WINDOW, LOAD_FAULT, WINDOW);
    map(0, frame[0], V | W | A | D); /* reserved */
    load_fails(WINDOW, LOAD_FAULT, WINDOW);
}

static void accessed_and_dirty(void)
{
    map(0, frame[0], V | R | W);
    load_fails(WINDOW, LOAD_FAULT, WINDOW);
    map(0, frame[0], V | R | W | A);
    (void)load(WINDOW);
    store_fails(WINDOW, WINDOW);
#if __riscv_xlen == 64
    SET(menvcfg, 1ul << 61); /* ADUE */
#else
    SET(0x31a, 1ul << 29);
#endif
    store(WINDOW, 5);
    CHECK_EQ(*entry(WINDOW) & 0xff, V | R | W | A | D);
    map(0, frame[0], V | R | W);
    (void)load(WINDOW);
    CHECK_EQ(*entry(WINDOW) & 0xff, V | R | W | A);
    store(WINDOW, 6);
    CHECK_EQ(*entry(WINDOW) & 0xff, V | R | W | A | D);
    /* Cleared behind the hart's back, they are set again at the next access. */
    map(0, frame[0], V | R | W);
    store(WINDOW, 7);
    CHECK_EQ(*entry(WINDOW) & 0xff, V | R | W | A | D);
#if __riscv_xlen == 64
    CLEAR(menvcfg, 1ul << 61);
#else
    CLEAR(0x31a, 1ul << 29);
#endif
}

static void superpages(void)
{
    ulong base = 0x80000000ul, value;
    volatile ulong *up = sizeof(ulong) == 8 ? &mid[3] : &root[(WINDOW >> 22) + 3];
    ulong va = WINDOW + 3 * SUPER, off = (ulong)&frame[2][9] - base;
    frame[2][9] = 0x1234;
    *up = pte(base, RWXAD);
    CHECK_EQ(load(va + off), 0x1234);
    store(va + off, 0x4321);
    CHECK_EQ(frame[2][9], 0x4321);
    *up = pte(base + PAGE, RWXAD); /* misaligned: its low PPN bits must be zero */
    load_fails(va + off, LOAD_FAULT, va + off);
    /* A superpage becomes a table, and back. */
    *up = pte((ulong)leaf, V);
    map(0, frame[3], RWXAD);
    frame[3][0] = 99;
    CHECK_EQ(load(va), 99);
    *up = pte(base, RWXAD);
    value = *(volatile ulong *)base;
    CHECK_EQ(load(va), value);
    *up = 0;
    load_fails(va, LOAD_FAULT, va);
}

/* The window's pages 4 and 5 are frames that lie apart, the other way round. */
static void crossing_accesses(void)
{
    map(4, frame[6], RWXAD);
    map(5, frame[4], RWXAD);
    for (ulong at = 1; at < sizeof(ulong); at++) {
        ulong va = WINDOW + 5 * PAGE - at, v = (ulong)0x8877665544332211ull;
        frame[6][ENTRIES - 1] = frame[4][0] = frame[7][0] = 0;
        store(va, v);
        CHECK_EQ(load(va), v);
        CHECK_EQ(frame[6][ENTRIES - 1], v << 8 * (sizeof v - at));
        CHECK_EQ(frame[4][0], v >> 8 * at);
        CHECK_EQ(frame[7][0], 0);
        /* The second page faults: the address is that of its first byte, and nothing is stored. */
        map(5, frame[4], RWXAD & ~(ulong)W);
        frame[6][ENTRIES - 1] = 0;
        store_fails(va, WINDOW + 5 * PAGE);
        CHECK_EQ(frame[6][ENTRIES - 1], 0);
        map(5, frame[4], 0);
        load_fails(va, LOAD_FAULT, WINDOW + 5 * PAGE);
        map(5, frame[4], RWXAD);
        map(4, frame[6], 0);
        load_fails(va, LOAD_FAULT, va);
        store_fails(va, va);
        map(4, frame[6], RWXAD);
    }
}

/* ---- code -------------------------------------------------------------------------------------------------------- */

#define LI(rd, n) ((uint)(n) << 20 | (rd) << 7 | 0x13u)

static void put_function(volatile ulong *page, ulong byte, uint n)
{
    volatile half *at = (volatile half *)((ulong)page + byte);
    uint insn = LI(10, n);
    at[0] = (unsigned short)insn;
    at[1] = (unsigned short)(insn >> 16);
    at[2] = 0x8082; /* ret */
}

static ulong call_window(ulong arg) { return ((ulong(*)(ulong))(WINDOW + arg))(0); }

/* Runs in S: remaps the code it calls, with a fence each second time. */
static ulong remap_code(ulong rounds)
{
    for (ulong i = 0; i < rounds; i++) {
        map(6, frame[i % 2], RWXAD);
        if (i & 2)
            fence();
        if (call_window(6 * PAGE + 0x100) != 10 + i % 2)
            return i + 1;
    }
    return 0;
}

static void remapped_code(void)
{
    put_function(frame[0], 0x100, 10);
    put_function(frame[1], 0x100, 11);
    CHECK_EQ(call_mode(MODE_S, remap_code, 300), 0);
    CHECK_EQ(MY_TRAP->cause, 9);
    map(6, frame[0], V | R | W | A | D); /* not executable */
    (void)call_mode(MODE_S, call_window, 6 * PAGE + 0x100);
    CHECK_EQ(MY_TRAP->cause, FETCH_FAULT);
    CHECK_EQ(MY_TRAP->epc, WINDOW + 6 * PAGE + 0x100);
    CHECK_EQ(MY_TRAP->tval, WINDOW + 6 * PAGE + 0x100);
}

/* An instruction of 4 bytes, two on each of two pages. */
static void crossing_code(void)
{
    ulong at = 7 * PAGE - 2;
    uint insn = LI(10, 21);
    map(6, frame[5], RWXAD);
    map(7, frame[3], RWXAD);
    ((volatile half *)frame[5])[PAGE / 2 - 1] = (unsigned short)insn;
    ((volatile half *)frame[3])[0] = (unsigned short)(insn >> 16);
    ((volatile half *)frame[3])[1] = 0x8082;
    CHECK_EQ(call_mode(MODE_S, call_window, at), 21);
    /* Another second page, through the same instruction. */
    ((volatile half *)frame[4])[0] = (unsigned short)(LI(10, 22) >> 16);
    ((volatile half *)frame[4])[1] = 0x8082;
    map(7, frame[4], RWXAD);
    CHECK_EQ(call_mode(MODE_S, call_window, at), 22);
    map(7, frame[4], 0);
    (void)call_mode(MODE_S, call_window, at);
    CHECK_EQ(MY_TRAP->cause, FETCH_FAULT);
    CHECK_EQ(MY_TRAP->epc, WINDOW + at);      /* the instruction */
    CHECK_EQ(MY_TRAP->tval, WINDOW + at + 2); /* its part that cannot be fetched: priv "mtval" */
    map(6, frame[5], 0);
    (void)call_mode(MODE_S, call_window, at);
    CHECK_EQ(MY_TRAP->tval, WINDOW + at);
    /* A compressed instruction in the last two bytes needs no second page. */
    map(6, frame[5], RWXAD);
    ((volatile half *)frame[5])[PAGE / 2 - 1] = 0x8082;
    (void)call_mode(MODE_S, call_window, at);
    CHECK_EQ(MY_TRAP->cause, 9);
}

/* Two address spaces, switched by satp alone. */
static void address_spaces(void)
{
    set_up(root2);
    volatile ulong *up = sizeof(ulong) == 8 ? &root2[1] : &root2[WINDOW >> 22];
    *up = pte(0x80000000ul, RWXAD); /* the window is RAM itself there */
    map(0, frame[2], RWXAD);
    frame[2][0] = 0xabc;
    ulong first = *(volatile ulong *)0x80000000ul;
    for (ulong i = 0; i < 50; i++) {
        WRITE(satp, table_mode(root, 1));
        CHECK_EQ(load(WINDOW), 0xabc);
        WRITE(satp, table_mode(root2, 2));
        CHECK_EQ(load(WINDOW), first);
    }
    WRITE(satp, 0);
    CHECK_EQ(load((ulong)&frame[2][0]), 0xabc);
    WRITE(satp, table_mode(root, 0));
}

void test_other(ulong hart) { (void)hart; }

void test_main(void)
{
    open_pmp();
    set_up(root);
    WRITE(satp, table_mode(root, 0));
    CLEAR(medeleg, -1ul);
    edits(1);
    edits(0);
    permissions();
    accessed_and_dirty();
    superpages();
    crossing_accesses();
    remapped_code();
    crossing_code();
    address_spaces();
    put_text("page tables: all checks hold\n");
}
