/* How the floating-point tests compare: every way to do an operation, in every rounding mode, against the oracle. */
#ifndef TL_TESTS_FP_CHECK_H
#define TL_TESTS_FP_CHECK_H

#include <inttypes.h>
#include <stdio.h>

#include "cpu/fp/fp.h"
#include "fp_oracle.h"

struct fp_check {
    const char *what;
    enum fp_fmt f;
    uint64_t a, b, c;
};

static const char *const fp_fmt_name[] = {"f16", "f32", "f64"};

/* Prints what went wrong, so that it can be run again, and returns false. */
static inline bool fp_mismatch(const struct fp_check *k, const char *way, unsigned rm, uint64_t bits, unsigned flags,
                               const struct fp_expect *want)
{
    printf("%s.%s (%s) rm %u: %#" PRIx64 " %#" PRIx64 " %#" PRIx64, k->what, fp_fmt_name[k->f], way, rm, k->a, k->b, k->c);
    printf(" -> %#" PRIx64 " flags %#x, expected %#" PRIx64 " flags %#x\n", bits, flags, want->bits, want->flags);
    return false;
}

/* Compares one result and its flags with what is expected. */
static inline bool fp_same(const struct fp_check *k, const char *way, unsigned rm, uint64_t bits, unsigned flags,
                           const struct fp_expect *want)
{
    return bits == want->bits && flags == want->flags ? true : fp_mismatch(k, way, rm, bits, flags, want);
}

/*
 * Runs `expr` by the mode loaded, `expr_rm` with another mode loaded, which must stay, and `expr_soft` with struct fp_env e, and
 * compares each with want[rm]. An expression gives the result; rm is the rounding mode.
 */
#define FP_CHECK_ALL(k, want, expr, expr_rm, expr_soft)                                    \
    do {                                                                                   \
        for (unsigned rm = 0; rm < 5; rm++) {                                              \
            uint64_t bits_;                                                                \
            if (rm < 4) {                                                                  \
                fp_host_enter(rm, 0);                                                      \
                bits_ = (expr);                                                            \
                if (!fp_same((k), "mode loaded", rm, bits_, fp_host_leave(), &(want)[rm])) \
                    return false;                                                          \
            }                                                                              \
            unsigned other_ = (rm + 1 + (unsigned)((k)->a & 1)) & 3;                       \
            fp_host_enter(other_, 0);                                                      \
            bits_ = (expr_rm);                                                             \
            unsigned left_ = fp_rm_get();                                                  \
            unsigned flags_ = fp_host_leave() | (left_ == other_ ? 0 : 1u << 31);          \
            if (!fp_same((k), "mode given", rm, bits_, flags_, &(want)[rm]))               \
                return false;                                                              \
            struct fp_env e = {.rm = (uint8_t)rm};                                         \
            bits_ = (expr_soft);                                                           \
            if (!fp_same((k), "integers", rm, bits_, e.flags, &(want)[rm]))                \
                return false;                                                              \
        }                                                                                  \
    } while (0)

#endif
