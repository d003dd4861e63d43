/*
 * The condition flags while instructions run: not the flags but what they come from. Flags are set far more often than they are
 * read, and what reads them most is a conditional branch or selection, which with the operands of a comparison at hand is one
 * comparison.
 *
 * Arm ARM C1.2.4 "Condition code", AddWithCarry, ConditionHolds.
 */
#ifndef TL_CPU_ARM_FLAGS_H
#define TL_CPU_ARM_FLAGS_H
#include "base/bits.h"

enum flags_kind {
    FL_SUB,    /* those of a - b */
    FL_LOGIC,  /* N and Z of a; C and V are 0. b is 0 */
    FL_ADD,    /* those of a + b */
    FL_PACKED, /* a: NZCV in its bits 3 to 0 */
};
/* Operands of 32 bits are kept shifted to the left by 32, where they give the same flags. */
struct flags {
    uint64_t a, b;
    uint64_t kind; /* enum flags_kind */
};

enum cond {
    COND_eq,
    COND_ne,
    COND_cs,
    COND_cc,
    COND_mi,
    COND_pl,
    COND_vs,
    COND_vc,
    COND_hi,
    COND_ls,
    COND_ge,
    COND_lt,
    COND_gt,
    COND_le,
    COND_al
};

/* The kinds up to which flags_fast can tell whether the condition holds. C of FL_LOGIC is not that of a - 0. */
static inline uint64_t flags_limit(enum cond c)
{
    switch (c) {
    case COND_cs:
    case COND_cc:
    case COND_hi:
    case COND_ls: return FL_SUB;
    case COND_al: return FL_PACKED;
    default: return FL_LOGIC;
    }
}

static inline bool sub_overflows(int64_t a, int64_t b)
{
    int64_t r;
    return __builtin_sub_overflow(a, b, &r);
}

/* Whether c holds after a - b. */
static inline bool flags_fast(enum cond c, uint64_t a, uint64_t b)
{
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    switch (c) {
    case COND_eq: return a == b;
    case COND_ne: return a != b;
    case COND_cs: return a >= b;
    case COND_cc: return a < b;
    case COND_mi: return (int64_t)(a - b) < 0;
    case COND_pl: return (int64_t)(a - b) >= 0;
    case COND_vs: return sub_overflows(sa, sb);
    case COND_vc: return !sub_overflows(sa, sb);
    case COND_hi: return a > b;
    case COND_ls: return a <= b;
    case COND_ge: return sa >= sb;
    case COND_lt: return sa < sb;
    case COND_gt: return sa > sb;
    case COND_le: return sa <= sb;
    default: return true;
    }
}

static inline bool flags_carry(const struct flags *f)
{
    if (likely(f->kind == FL_SUB))
        return f->a >= f->b;
    if (f->kind == FL_ADD)
        return f->a + f->b < f->a;
    return f->kind == FL_PACKED && (f->a >> 1 & 1);
}

/* NZCV as a number of 4 bits. */
static inline unsigned flags_get(const struct flags *f)
{
    uint64_t a = f->a, b = f->b, r;
    bool c, v;
    switch (f->kind) {
    case FL_SUB:
        r = a - b;
        c = a >= b;
        v = ((a ^ b) & (a ^ r)) >> 63;
        break;
    case FL_ADD:
        r = a + b;
        c = r < a;
        v = ((a ^ r) & (b ^ r)) >> 63;
        break;
    case FL_LOGIC:
        r = a;
        c = v = false;
        break;
    default: return (unsigned)a;
    }
    return (unsigned)(r >> 63) << 3 | (unsigned)(r == 0) << 2 | (unsigned)c << 1 | (unsigned)v;
}

/* Sets NZCV from a number of 4 bits, in the cheapest form there is for it. */
static inline void flags_set(struct flags *f, unsigned nzcv)
{
    static const struct {
        int64_t a;
        int64_t b;
        uint8_t kind;
    } form[16] = {
        {2, -1, FL_SUB},     {0x1, 0, FL_PACKED},     {1, 0, FL_SUB},      {INT64_MIN, 1, FL_SUB},
        {0, 0, FL_LOGIC},    {0x5, 0, FL_PACKED},     {0, 0, FL_SUB},      {0x7, 0, FL_PACKED},
        {0, 1, FL_SUB},      {INT64_MAX, -1, FL_SUB}, {-1, 1, FL_SUB},     {0xb, 0, FL_PACKED},
        {0xc, 0, FL_PACKED}, {0xd, 0, FL_PACKED},     {0xe, 0, FL_PACKED}, {0xf, 0, FL_PACKED},
    };
    f->a = (uint64_t)form[nzcv].a;
    f->b = (uint64_t)form[nzcv].b;
    f->kind = form[nzcv].kind;
}

/* ConditionHolds, for any flags and any condition of 4 bits. */
static inline bool flags_hold(const struct flags *f, unsigned cond)
{
    unsigned nzcv = flags_get(f);
    bool n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1, r;
    switch (cond >> 1) {
    case 0: r = z; break;
    case 1: r = c; break;
    case 2: r = n; break;
    case 3: r = v; break;
    case 4: r = c && !z; break;
    case 5: r = n == v; break;
    case 6: r = n == v && !z; break;
    default: return true;
    }
    return cond & 1 ? !r : r;
}
#endif
