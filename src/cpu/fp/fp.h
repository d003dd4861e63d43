/*
 * Floating-point operations on raw bits, as the guest's instructions do them: RISC-V's F, D, Zfh and Zfa.
 *
 * While guest code runs, the host's floating-point environment is the guest's: fp_host_enter() loads its rounding mode and its
 * flags, every operation below rounds by that mode and adds to those flags, fp_host_leave() takes the flags out again. Between
 * them no other floating-point code may run. So a guest's addition costs one host addition and a look for a NaN.
 *
 * Each operation that rounds comes twice: fp_add(f, a, b) by the mode loaded, and fp_add_rm(f, a, b, rm) by another one. The host
 * has no "nearest, ties away": while frm is FP_RMM, or an instruction names it, only the _rm functions are right.
 *
 * The format f comes first and is a constant at every call. Operands and results are its raw bits in the low part of a uint64_t,
 * zeros above. NaN results are canonical unless bits are just moved. Half precision always takes the slow path.
 * The host's file (host_x86.h, host_fenv.h) supplies the functions named fp64_ and fp32_.
 */
#ifndef TL_CPU_FP_FP_H
#define TL_CPU_FP_FP_H

#include <string.h>

#include "cpu/fp/bits.h"
#include "cpu/fp/soft.h"

/* What fp_rm_push() saves. */
typedef uint32_t fp_rm_token;

/* ---- the host's environment ---- */

/* Whether the host multiplies and adds in one instruction; without it fused operations take the slow path, with equal results. */
static inline bool fp_host_has_fma(void);

/* Loads the guest's rounding mode (FP_RNE..FP_RUP; any other loads some mode that must not be used) and accrued flags. */
static inline void fp_host_enter(unsigned rm, unsigned flags);

/* Returns the guest's accrued flags and puts back the environment C programs start with. */
static inline unsigned fp_host_leave(void);

/* The rounding mode loaded, and another one loaded in its place. */
static inline unsigned fp_rm_get(void);
static inline void fp_rm_set(unsigned rm);

/* The flags accrued so far; all of them replaced; more of them raised. */
static inline unsigned fp_flags_get(void);
static inline void fp_flags_set(unsigned flags);
static inline void fp_raise(unsigned flags);

/* Loads rounding mode rm (FP_RNE..FP_RUP) until fp_rm_pop(); flags go on accruing. */
static inline fp_rm_token fp_rm_push(unsigned rm);
static inline void fp_rm_pop(fp_rm_token old);

/* ---- fp.c: the exact operations of soft.h, rounding by rm (FP_RM_HOST: the mode loaded), flags raised in the host ---- */
#define FP_RM_HOST 8u
uint64_t fp_slow_add(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm);
uint64_t fp_slow_sub(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm);
uint64_t fp_slow_mul(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm);
uint64_t fp_slow_div(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm);
uint64_t fp_slow_sqrt(enum fp_fmt f, uint64_t a, unsigned rm);
uint64_t fp_slow_fma(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, unsigned rm);
uint64_t fp_slow_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, unsigned rm);
uint64_t fp_slow_from_int(enum fp_fmt f, uint64_t v, enum fp_int t, unsigned rm);
uint64_t fp_slow_to_int(enum fp_fmt f, uint64_t a, enum fp_int t, unsigned rm);
uint64_t fp_slow_round_int(enum fp_fmt f, uint64_t a, bool exact, unsigned rm);

/* A comparison by bits, for any format: -1, 0, 1 or 2 (unordered). NV for a signalling NaN, if `signalling` for any NaN. */
int fp_compare(enum fp_fmt f, uint64_t a, uint64_t b, bool signalling);

/* Zfa fcvtmod.w.d: truncated modulo 2^32. */
int32_t fp64_cvtmod_w(uint64_t a);

/* The constant number n (0..31) of Zfa's fli in format f; unpriv Zfa, table of immediates. */
uint64_t fp_fli(enum fp_fmt f, unsigned n);

static inline double fp_to_double(uint64_t a)
{
    double d;

    memcpy(&d, &a, sizeof(d));
    return d;
}

static inline uint64_t fp_from_double(double d)
{
    uint64_t a;

    memcpy(&a, &d, sizeof(a));
    return a;
}

static inline float fp_to_float(uint32_t a)
{
    float s;

    memcpy(&s, &a, sizeof(s));
    return s;
}

static inline uint32_t fp_from_float(float s)
{
    uint32_t a;

    memcpy(&a, &s, sizeof(a));
    return a;
}

/* 2^32 - 1, 2^63 as doubles; 2^32, 2^63 as floats. Positive numbers order as their bits do. */
#define FP64_2_32_LESS_1 UINT64_C(0x41efffffffe00000)
#define FP64_2_63        UINT64_C(0x43e0000000000000)
#define FP32_2_32        UINT32_C(0x4f800000)
#define FP32_2_63        UINT32_C(0x5f000000)

#if defined(__x86_64__) && !defined(FP_HOST_PORTABLE)
#include "cpu/fp/host_x86.h"
#else
#include "cpu/fp/host_fenv.h"
#endif

/* ---- minimum and maximum: bits decide ---- */

/* With a NaN operand: `number` prefers the other one. NV for a signalling NaN. */
static inline uint64_t fp_minmax_nan(enum fp_fmt f, uint64_t a, uint64_t b, bool number)
{
    if (fp_is_snan(f, a) || fp_is_snan(f, b))
        fp_raise(FP_NV);
    if (!number || (fp_is_nan(f, a) && fp_is_nan(f, b)))
        return fp_nan(f);
    return fp_is_nan(f, a) ? b : a;
}

/* minimumNumber (fmin): a NaN loses against a number, -0 is less than +0. */
static inline uint64_t fp_min(enum fp_fmt f, uint64_t a, uint64_t b)
{
    if (fp_unlikely(fp_is_nan(f, a) || fp_is_nan(f, b)))
        return fp_minmax_nan(f, a, b, true);
    return fp_order_key(f, a) < fp_order_key(f, b) ? a : b;
}

/* maximumNumber (fmax). */
static inline uint64_t fp_max(enum fp_fmt f, uint64_t a, uint64_t b)
{
    if (fp_unlikely(fp_is_nan(f, a) || fp_is_nan(f, b)))
        return fp_minmax_nan(f, a, b, true);
    return fp_order_key(f, a) < fp_order_key(f, b) ? b : a;
}

/* minimum (Zfa fminm): a NaN wins. */
static inline uint64_t fp_minm(enum fp_fmt f, uint64_t a, uint64_t b)
{
    if (fp_unlikely(fp_is_nan(f, a) || fp_is_nan(f, b)))
        return fp_minmax_nan(f, a, b, false);
    return fp_order_key(f, a) < fp_order_key(f, b) ? a : b;
}

/* maximum (Zfa fmaxm). */
static inline uint64_t fp_maxm(enum fp_fmt f, uint64_t a, uint64_t b)
{
    if (fp_unlikely(fp_is_nan(f, a) || fp_is_nan(f, b)))
        return fp_minmax_nan(f, a, b, false);
    return fp_order_key(f, a) < fp_order_key(f, b) ? b : a;
}

/* ---- arithmetic ---- */

/* a + b */
static inline uint64_t fp_add(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_add(a, b) : f == FP_S ? fp32_add((uint32_t)a, (uint32_t)b) : fp_slow_add(f, a, b, FP_RM_HOST);
}

static inline uint64_t fp_add_rm(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_add(f, a, b, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_add(f, a, b);
    fp_rm_pop(old);
    return r;
}

/* a - b */
static inline uint64_t fp_sub(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_sub(a, b) : f == FP_S ? fp32_sub((uint32_t)a, (uint32_t)b) : fp_slow_sub(f, a, b, FP_RM_HOST);
}

static inline uint64_t fp_sub_rm(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_sub(f, a, b, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_sub(f, a, b);
    fp_rm_pop(old);
    return r;
}

/* a * b */
static inline uint64_t fp_mul(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_mul(a, b) : f == FP_S ? fp32_mul((uint32_t)a, (uint32_t)b) : fp_slow_mul(f, a, b, FP_RM_HOST);
}

static inline uint64_t fp_mul_rm(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_mul(f, a, b, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_mul(f, a, b);
    fp_rm_pop(old);
    return r;
}

/* a / b */
static inline uint64_t fp_div(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_div(a, b) : f == FP_S ? fp32_div((uint32_t)a, (uint32_t)b) : fp_slow_div(f, a, b, FP_RM_HOST);
}

static inline uint64_t fp_div_rm(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_div(f, a, b, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_div(f, a, b);
    fp_rm_pop(old);
    return r;
}

/* The square root of a. */
static inline uint64_t fp_sqrt(enum fp_fmt f, uint64_t a)
{
    return f == FP_D ? fp64_sqrt(a) : f == FP_S ? fp32_sqrt((uint32_t)a) : fp_slow_sqrt(f, a, FP_RM_HOST);
}

static inline uint64_t fp_sqrt_rm(enum fp_fmt f, uint64_t a, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_sqrt(f, a, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_sqrt(f, a);
    fp_rm_pop(old);
    return r;
}

/* a * b + c, rounded once. */
static inline uint64_t fp_fmadd(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    return f == FP_D   ? fp64_fmadd(a, b, c)
           : f == FP_S ? fp32_fmadd((uint32_t)a, (uint32_t)b, (uint32_t)c)
                       : fp_slow_fma(f, a, b, c, FP_RM_HOST);
}

static inline uint64_t fp_fmadd_rm(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_fma(f, a, b, c, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_fmadd(f, a, b, c);
    fp_rm_pop(old);
    return r;
}

/* a * b - c, rounded once. */
static inline uint64_t fp_fmsub(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    return f == FP_D   ? fp64_fmsub(a, b, c)
           : f == FP_S ? fp32_fmsub((uint32_t)a, (uint32_t)b, (uint32_t)c)
                       : fp_slow_fma(f, a, b, c ^ fp_sign_bit(f), FP_RM_HOST);
}

static inline uint64_t fp_fmsub_rm(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_fma(f, a, b, c ^ fp_sign_bit(f), rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_fmsub(f, a, b, c);
    fp_rm_pop(old);
    return r;
}

/* -(a * b) + c, rounded once. */
static inline uint64_t fp_fnmsub(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    return f == FP_D   ? fp64_fnmsub(a, b, c)
           : f == FP_S ? fp32_fnmsub((uint32_t)a, (uint32_t)b, (uint32_t)c)
                       : fp_slow_fma(f, a ^ fp_sign_bit(f), b, c, FP_RM_HOST);
}

static inline uint64_t fp_fnmsub_rm(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_fma(f, a ^ fp_sign_bit(f), b, c, rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_fnmsub(f, a, b, c);
    fp_rm_pop(old);
    return r;
}

/* -(a * b) - c, rounded once. */
static inline uint64_t fp_fnmadd(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    return f == FP_D   ? fp64_fnmadd(a, b, c)
           : f == FP_S ? fp32_fnmadd((uint32_t)a, (uint32_t)b, (uint32_t)c)
                       : fp_slow_fma(f, a ^ fp_sign_bit(f), b, c ^ fp_sign_bit(f), FP_RM_HOST);
}

static inline uint64_t fp_fnmadd_rm(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    if (f == FP_H || fp_unlikely(rm > FP_RUP))
        return fp_slow_fma(f, a ^ fp_sign_bit(f), b, c ^ fp_sign_bit(f), rm);
    fp_rm_token old = fp_rm_push(rm);
    uint64_t r = fp_fnmadd(f, a, b, c);
    fp_rm_pop(old);
    return r;
}

/* a rounded to an integral value of the same format; NX for a changed value only if `exact` (Zfa froundnx, fround). */
static inline uint64_t fp_round(enum fp_fmt f, uint64_t a, bool exact) { return fp_slow_round_int(f, a, exact, FP_RM_HOST); }

static inline uint64_t fp_round_rm(enum fp_fmt f, uint64_t a, bool exact, unsigned rm)
{
    return fp_slow_round_int(f, a, exact, rm);
}

/* ---- comparisons: feq, fltq, fleq are quiet, flt, fle signal every NaN ---- */

static inline bool fp_eq(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_eq(a, b) : f == FP_S ? fp32_eq((uint32_t)a, (uint32_t)b) : fp_compare(f, a, b, false) == 0;
}

static inline bool fp_lt(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_lt(a, b) : f == FP_S ? fp32_lt((uint32_t)a, (uint32_t)b) : fp_compare(f, a, b, true) < 0;
}

static inline bool fp_le(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_le(a, b) : f == FP_S ? fp32_le((uint32_t)a, (uint32_t)b) : fp_compare(f, a, b, true) <= 0;
}

static inline bool fp_ltq(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_ltq(a, b) : f == FP_S ? fp32_ltq((uint32_t)a, (uint32_t)b) : fp_compare(f, a, b, false) < 0;
}

static inline bool fp_leq(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return f == FP_D ? fp64_leq(a, b) : f == FP_S ? fp32_leq((uint32_t)a, (uint32_t)b) : fp_compare(f, a, b, false) <= 0;
}

/* ---- conversions ---- */

/* The number a of format `from` in format `to`. */
static inline uint64_t fp_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a)
{
    if (to == FP_D && from == FP_S)
        return fp64_from_fp32((uint32_t)a);
    if (to == FP_S && from == FP_D)
        return fp32_from_fp64(a);
    return fp_slow_convert(to, from, a, FP_RM_HOST);
}

static inline uint64_t fp_convert_rm(enum fp_fmt to, enum fp_fmt from, uint64_t a, unsigned rm)
{
    if (to == FP_D && from == FP_S)
        return fp64_from_fp32((uint32_t)a);
    return fp_slow_convert(to, from, a, rm);
}

/* The integer v of type t (for 32-bit types only its low half counts) in format f. */
static inline uint64_t fp_from_int(enum fp_fmt f, uint64_t v, enum fp_int t)
{
    uint64_t wide = t == FP_I32 ? (uint64_t)(int32_t)v : t == FP_U32 ? (uint32_t)v : v;

    if (f == FP_H)
        return fp_slow_from_int(f, wide, t, FP_RM_HOST);
    if (t == FP_U64)
        return f == FP_D ? fp64_from_u64(v) : fp32_from_u64(v);
    if (t == FP_I32)
        return f == FP_D ? fp64_from_i32((int32_t)v) : fp32_from_i32((int32_t)v);
    return f == FP_D ? fp64_from_i64((int64_t)wide) : fp32_from_i64((int64_t)wide);
}

static inline uint64_t fp_from_int_rm(enum fp_fmt f, uint64_t v, enum fp_int t, unsigned rm)
{
    uint64_t wide = t == FP_I32 ? (uint64_t)(int32_t)v : t == FP_U32 ? (uint32_t)v : v;

    return fp_slow_from_int(f, wide, t, rm);
}

/*
 * a as an integer of type t, extended to 64 bits by the sign for signed types, by zeros for unsigned ones (RISC-V's fcvt.wu
 * wants the sign: cast to int32_t). Out of range saturates with NV alone; a NaN gives the largest integer.
 */
static inline uint64_t fp_to_int(enum fp_fmt f, uint64_t a, enum fp_int t)
{
    if (f == FP_D)
        return t == FP_I32   ? (uint64_t)fp64_to_i32(a)
               : t == FP_U32 ? fp64_to_u32(a)
               : t == FP_I64 ? (uint64_t)fp64_to_i64(a)
                             : fp64_to_u64(a);
    uint32_t s = (uint32_t)a;
    if (f == FP_S)
        return t == FP_I32   ? (uint64_t)fp32_to_i32(s)
               : t == FP_U32 ? fp32_to_u32(s)
               : t == FP_I64 ? (uint64_t)fp32_to_i64(s)
                             : fp32_to_u64(s);
    return fp_slow_to_int(f, a, t, FP_RM_HOST);
}

/* Whether fp_to_int() and fp_to_int_rtz() are done without the slow path: to signed types always, to unsigned ones in range. */
static inline bool fp_to_int_is_fast(enum fp_fmt f, uint64_t a, enum fp_int t)
{
    if (f == FP_D)
        return t == FP_U32 ? a <= FP64_2_32_LESS_1 : t != FP_U64 || a < FP64_2_63;
    return f == FP_S && (t == FP_U32 ? a < FP32_2_32 : t != FP_U64 || a < FP32_2_63);
}

/* The same truncating: what compilers emit. */
static inline uint64_t fp_to_int_rtz(enum fp_fmt f, uint64_t a, enum fp_int t)
{
    if (f == FP_D)
        return t == FP_I32   ? (uint64_t)fp64_to_i32_rtz(a)
               : t == FP_U32 ? fp64_to_u32_rtz(a)
               : t == FP_I64 ? (uint64_t)fp64_to_i64_rtz(a)
                             : fp64_to_u64_rtz(a);
    uint32_t s = (uint32_t)a;
    if (f == FP_S)
        return t == FP_I32   ? (uint64_t)fp32_to_i32_rtz(s)
               : t == FP_U32 ? fp32_to_u32_rtz(s)
               : t == FP_I64 ? (uint64_t)fp32_to_i64_rtz(s)
                             : fp32_to_u64_rtz(s);
    return fp_slow_to_int(f, a, t, FP_RTZ);
}

static inline uint64_t fp_to_int_rm(enum fp_fmt f, uint64_t a, enum fp_int t, unsigned rm)
{
    return rm == FP_RTZ ? fp_to_int_rtz(f, a, t) : fp_slow_to_int(f, a, t, rm);
}

#endif
