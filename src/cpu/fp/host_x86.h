/*
 * The host's FPU as the guest's, on x86-64: SSE2, and FMA3 where the processor has it. Included by fp.h only.
 *
 * While guest code runs, MXCSR holds the guest's rounding mode, and its sticky flags are the guest's. Its tininess is detected
 * after rounding, as RISC-V's is; FTZ and DAZ are off; the denormal-operand flag has no guest counterpart and is never read.
 * Every operation is a volatile asm statement: the compiler can neither fold it nor move it across a change of MXCSR.
 */
#ifndef TL_CPU_FP_HOST_X86_H
#define TL_CPU_FP_HOST_X86_H

/* gcc folds a load into the instruction; clang would spill a register to memory for it. */
#ifdef __clang__
#define FP_SRC "x"
#else
#define FP_SRC "xm"
#endif

enum {
    MXCSR_IE = 1 << 0,
    MXCSR_ZE = 1 << 2,
    MXCSR_OE = 1 << 3,
    MXCSR_UE = 1 << 4,
    MXCSR_PE = 1 << 5,
    MXCSR_FLAGS = 0x3d,
    MXCSR_MASKED = 0x1f80,
    MXCSR_RC_SHIFT = 13,
    MXCSR_RC = 3 << MXCSR_RC_SHIFT,
};

/* Calls of their own: their operands are in memory, and a handler with an addressable local gets no tail call from some
 * compilers. */
static __attribute__((noinline, unused)) uint32_t fp_mxcsr_read(void)
{
    uint32_t csr;

    __asm__ volatile("stmxcsr %0" : "=m"(csr) : : "memory");
    return csr;
}

static __attribute__((noinline, unused)) void fp_mxcsr_write(uint32_t csr)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(csr) : "memory");
}

/* MXCSR's RC numbers the modes 0 nearest, 1 down, 2 up, 3 zero; rm numbers them 0 nearest, 1 zero, 2 down, 3 up. */
static inline uint32_t fp_rc_of_rm(unsigned rm) { return (0x9cu >> (rm & 3) * 2 & 3) << MXCSR_RC_SHIFT; }

static inline unsigned fp_rm_of_rc(uint32_t csr) { return 0x78u >> (csr >> MXCSR_RC_SHIFT & 3) * 2 & 3; }

static inline uint32_t fp_flags_to_mxcsr(unsigned flags)
{
    return ((flags & FP_NX) != 0 ? MXCSR_PE : 0u) | ((flags & FP_UF) != 0 ? MXCSR_UE : 0u) |
           ((flags & FP_OF) != 0 ? MXCSR_OE : 0u) | ((flags & FP_DZ) != 0 ? MXCSR_ZE : 0u) |
           ((flags & FP_NV) != 0 ? MXCSR_IE : 0u);
}

static inline unsigned fp_flags_of_mxcsr(uint32_t csr)
{
    return (csr >> 5 & 1) * FP_NX | (csr >> 4 & 1) * FP_UF | (csr >> 3 & 1) * FP_OF | (csr >> 2 & 1) * FP_DZ | (csr & 1) * FP_NV;
}

static inline bool fp_host_has_fma(void) { return __builtin_cpu_supports("fma") != 0; }

static inline void fp_host_enter(unsigned rm, unsigned flags)
{
    fp_mxcsr_write(MXCSR_MASKED | fp_rc_of_rm(rm) | fp_flags_to_mxcsr(flags));
}

static inline unsigned fp_host_leave(void)
{
    uint32_t csr = fp_mxcsr_read();

    fp_mxcsr_write(MXCSR_MASKED);
    return fp_flags_of_mxcsr(csr);
}

static inline unsigned fp_rm_get(void) { return fp_rm_of_rc(fp_mxcsr_read()); }

static inline void fp_rm_set(unsigned rm) { fp_mxcsr_write((fp_mxcsr_read() & ~(uint32_t)MXCSR_RC) | fp_rc_of_rm(rm)); }

static inline unsigned fp_flags_get(void) { return fp_flags_of_mxcsr(fp_mxcsr_read()); }

static inline void fp_flags_set(unsigned flags)
{
    fp_mxcsr_write((fp_mxcsr_read() & ~(uint32_t)MXCSR_FLAGS) | fp_flags_to_mxcsr(flags));
}

static inline void fp_raise(unsigned flags)
{
    uint32_t csr = fp_mxcsr_read();
    uint32_t more = fp_flags_to_mxcsr(flags);

    if ((csr & more) != more)
        fp_mxcsr_write(csr | more);
}

static inline fp_rm_token fp_rm_push(unsigned rm)
{
    uint32_t csr = fp_mxcsr_read();

    fp_mxcsr_write((csr & ~(uint32_t)MXCSR_RC) | fp_rc_of_rm(rm));
    return csr;
}

static inline void fp_rm_pop(fp_rm_token old) { fp_mxcsr_write((fp_mxcsr_read() & ~(uint32_t)MXCSR_RC) | (old & MXCSR_RC)); }

/* ---- arithmetic: the instruction, and a look whether the result is a NaN, which becomes the canonical one ---- */

/* x, or the canonical NaN. The empty asm keeps the choice a branch, which is predicted, and the result in the same register. */
static inline uint64_t fp64_canonical(double x, bool nan)
{
    if (fp_unlikely(nan)) {
        x = fp_to_double(FP64_NAN);
        __asm__ volatile("" : "+x"(x));
    }
    return fp_from_double(x);
}

static inline uint32_t fp32_canonical(float x, bool nan)
{
    if (fp_unlikely(nan)) {
        x = fp_to_float(FP32_NAN);
        __asm__ volatile("" : "+x"(x));
    }
    return fp_from_float(x);
}

/* x86 leaves NV out for infinity * 0 + quiet NaN, RISC-V does not. 0 / 0 raises it alone, without a call. */
static inline void fp_fma_check(enum fp_fmt f, uint64_t a, uint64_t b)
{
    if ((fp_is_inf(f, a) && fp_is_zero(f, b)) || (fp_is_zero(f, a) && fp_is_inf(f, b))) {
        float zero = 0;
        __asm__ volatile("divss %0, %0" : "+x"(zero));
    }
}

/* name##_raw: the host's result as it is, for guests whose NaNs are others. */
#define FP_X86_BINARY(name, insn)                                                                               \
    static inline uint64_t fp64_##name##_raw(uint64_t a, uint64_t b)                                            \
    {                                                                                                           \
        double x = fp_to_double(a);                                                                             \
        __asm__ volatile(insn "sd %1, %0" : "+x"(x) : FP_SRC(fp_to_double(b)));                                 \
        return fp_from_double(x);                                                                               \
    }                                                                                                           \
    static inline uint32_t fp32_##name##_raw(uint32_t a, uint32_t b)                                            \
    {                                                                                                           \
        float x = fp_to_float(a);                                                                               \
        __asm__ volatile(insn "ss %1, %0" : "+x"(x) : FP_SRC(fp_to_float(b)));                                  \
        return fp_from_float(x);                                                                                \
    }                                                                                                           \
    static inline uint64_t fp64_##name(uint64_t a, uint64_t b)                                                  \
    {                                                                                                           \
        double x = fp_to_double(a);                                                                             \
        bool nan;                                                                                               \
        __asm__ volatile(insn "sd %2, %0\n\tucomisd %0, %0" : "+x"(x), "=@ccp"(nan) : FP_SRC(fp_to_double(b))); \
        return fp64_canonical(x, nan);                                                                          \
    }                                                                                                           \
    static inline uint32_t fp32_##name(uint32_t a, uint32_t b)                                                  \
    {                                                                                                           \
        float x = fp_to_float(a);                                                                               \
        bool nan;                                                                                               \
        __asm__ volatile(insn "ss %2, %0\n\tucomiss %0, %0" : "+x"(x), "=@ccp"(nan) : FP_SRC(fp_to_float(b)));  \
        return fp32_canonical(x, nan);                                                                          \
    }

FP_X86_BINARY(add, "add")
FP_X86_BINARY(sub, "sub")
FP_X86_BINARY(mul, "mul")
FP_X86_BINARY(div, "div")
#undef FP_X86_BINARY

static inline uint64_t fp64_sqrt(uint64_t a)
{
    double x;
    bool nan;

    __asm__ volatile("sqrtsd %2, %0\n\tucomisd %0, %0" : "=x"(x), "=@ccp"(nan) : FP_SRC(fp_to_double(a)));
    return fp64_canonical(x, nan);
}

static inline uint32_t fp32_sqrt(uint32_t a)
{
    float x;
    bool nan;

    __asm__ volatile("sqrtss %2, %0\n\tucomiss %0, %0" : "=x"(x), "=@ccp"(nan) : FP_SRC(fp_to_float(a)));
    return fp32_canonical(x, nan);
}

/*
 * The names of x86 and RISC-V differ: x86 negates the product in both of its fn- forms, RISC-V the whole result.
 */
#define FP_X86_FMA(name, insn, neg_a, neg_c)                                                                  \
    static inline uint64_t fp64_##name##_raw(uint64_t a, uint64_t b, uint64_t c)                              \
    {                                                                                                         \
        double x = fp_to_double(a), y = fp_to_double(b), z = fp_to_double(c);                                 \
        if (fp_unlikely(!fp_host_has_fma()))                                                                  \
            return fp_slow_fma(FP_D, a ^ (neg_a) << 63, b, c ^ (neg_c) << 63, FP_RM_HOST);                    \
        __asm__ volatile(insn "sd %2, %1, %0" : "+x"(z) : "x"(x), FP_SRC(y));                                 \
        return fp_from_double(z);                                                                             \
    }                                                                                                         \
    static inline uint32_t fp32_##name##_raw(uint32_t a, uint32_t b, uint32_t c)                              \
    {                                                                                                         \
        float x = fp_to_float(a), y = fp_to_float(b), z = fp_to_float(c);                                     \
        if (fp_unlikely(!fp_host_has_fma()))                                                                  \
            return (uint32_t)fp_slow_fma(FP_S, a ^ (neg_a) << 31, b, c ^ (neg_c) << 31, FP_RM_HOST);          \
        __asm__ volatile(insn "ss %2, %1, %0" : "+x"(z) : "x"(x), FP_SRC(y));                                 \
        return fp_from_float(z);                                                                              \
    }                                                                                                         \
    static inline uint64_t fp64_##name(uint64_t a, uint64_t b, uint64_t c)                                    \
    {                                                                                                         \
        double x = fp_to_double(a), y = fp_to_double(b), z = fp_to_double(c);                                 \
        bool nan;                                                                                             \
        if (fp_unlikely(!fp_host_has_fma()))                                                                  \
            return fp_slow_fma(FP_D, a ^ (neg_a) << 63, b, c ^ (neg_c) << 63, FP_RM_HOST);                    \
        __asm__ volatile(insn "sd %3, %2, %0\n\tucomisd %0, %0" : "+x"(z), "=@ccp"(nan) : "x"(x), FP_SRC(y)); \
        if (fp_unlikely(nan))                                                                                 \
            fp_fma_check(FP_D, fp_from_double(x), fp_from_double(y));                                         \
        return fp64_canonical(z, nan);                                                                        \
    }                                                                                                         \
    static inline uint32_t fp32_##name(uint32_t a, uint32_t b, uint32_t c)                                    \
    {                                                                                                         \
        float x = fp_to_float(a), y = fp_to_float(b), z = fp_to_float(c);                                     \
        bool nan;                                                                                             \
        if (fp_unlikely(!fp_host_has_fma()))                                                                  \
            return (uint32_t)fp_slow_fma(FP_S, a ^ (neg_a) << 31, b, c ^ (neg_c) << 31, FP_RM_HOST);          \
        __asm__ volatile(insn "ss %3, %2, %0\n\tucomiss %0, %0" : "+x"(z), "=@ccp"(nan) : "x"(x), FP_SRC(y)); \
        if (fp_unlikely(nan))                                                                                 \
            fp_fma_check(FP_S, fp_from_float(x), fp_from_float(y));                                           \
        return fp32_canonical(z, nan);                                                                        \
    }

FP_X86_FMA(fmadd, "vfmadd231", UINT64_C(0), UINT64_C(0))
FP_X86_FMA(fmsub, "vfmsub231", UINT64_C(0), UINT64_C(1))
FP_X86_FMA(fnmsub, "vfnmadd231", UINT64_C(1), UINT64_C(0))
FP_X86_FMA(fnmadd, "vfnmsub231", UINT64_C(1), UINT64_C(1))
#undef FP_X86_FMA

/* ---- comparisons: ucomi is quiet, comi signals ---- */

static inline bool fp64_eq(uint64_t a, uint64_t b)
{
    bool equal, ordered;

    __asm__ volatile("ucomisd %3, %2" : "=@cce"(equal), "=@ccnp"(ordered) : "x"(fp_to_double(a)), FP_SRC(fp_to_double(b)));
    return equal & ordered;
}

static inline bool fp32_eq(uint32_t a, uint32_t b)
{
    bool equal, ordered;

    __asm__ volatile("ucomiss %3, %2" : "=@cce"(equal), "=@ccnp"(ordered) : "x"(fp_to_float(a)), FP_SRC(fp_to_float(b)));
    return equal & ordered;
}

#define FP_X86_COMPARE(name, comi, cond)                                                              \
    static inline bool fp64_##name(uint64_t a, uint64_t b)                                            \
    {                                                                                                 \
        bool r;                                                                                       \
        __asm__ volatile(comi "sd %2, %1" : cond(r) : "x"(fp_to_double(b)), FP_SRC(fp_to_double(a))); \
        return r;                                                                                     \
    }                                                                                                 \
    static inline bool fp32_##name(uint32_t a, uint32_t b)                                            \
    {                                                                                                 \
        bool r;                                                                                       \
        __asm__ volatile(comi "ss %2, %1" : cond(r) : "x"(fp_to_float(b)), FP_SRC(fp_to_float(a)));   \
        return r;                                                                                     \
    }

/* b above a: "unordered" sets the carry, so that both conditions are false for it. */
FP_X86_COMPARE(lt, "comi", "=@cca")
FP_X86_COMPARE(le, "comi", "=@ccae")
FP_X86_COMPARE(ltq, "ucomi", "=@cca")
FP_X86_COMPARE(leq, "ucomi", "=@ccae")
#undef FP_X86_COMPARE

/* Both at once: false for NaNs, with NV for signalling ones, or if `signalling` for all. */
#define FP_X86_ORDER(f, comi, suffix, number)                                                                                \
    static inline bool f##_order_##comi(number x, number y, bool *less, bool *greater)                                       \
    {                                                                                                                        \
        bool ordered;                                                                                                        \
        __asm__ volatile(#comi suffix " %4, %3" : "=@ccb"(*less), "=@cca"(*greater), "=@ccnp"(ordered) : "x"(x), FP_SRC(y)); \
        return ordered;                                                                                                      \
    }
FP_X86_ORDER(fp64, comi, "sd", double)
FP_X86_ORDER(fp64, ucomi, "sd", double)
FP_X86_ORDER(fp32, comi, "ss", float)
FP_X86_ORDER(fp32, ucomi, "ss", float)
#undef FP_X86_ORDER

static inline bool fp_order(enum fp_fmt f, uint64_t a, uint64_t b, bool signalling, bool *less, bool *greater)
{
    if (f == FP_D)
        return signalling ? fp64_order_comi(fp_to_double(a), fp_to_double(b), less, greater)
                          : fp64_order_ucomi(fp_to_double(a), fp_to_double(b), less, greater);
    return signalling ? fp32_order_comi(fp_to_float((uint32_t)a), fp_to_float((uint32_t)b), less, greater)
                      : fp32_order_ucomi(fp_to_float((uint32_t)a), fp_to_float((uint32_t)b), less, greater);
}

/* ---- conversions ---- */

static inline uint64_t fp64_from_fp32(uint32_t a)
{
    double x = 0;
    bool nan;

    __asm__ volatile("cvtss2sd %2, %0\n\tucomisd %0, %0" : "+x"(x), "=@ccp"(nan) : FP_SRC(fp_to_float(a)));
    return fp64_canonical(x, nan);
}

static inline uint32_t fp32_from_fp64(uint64_t a)
{
    float x = 0;
    bool nan;

    __asm__ volatile("cvtsd2ss %2, %0\n\tucomiss %0, %0" : "+x"(x), "=@ccp"(nan) : FP_SRC(fp_to_double(a)));
    return fp32_canonical(x, nan);
}

static inline uint64_t fp64_from_i64(int64_t v)
{
    double x = 0;

    __asm__ volatile("cvtsi2sdq %1, %0" : "+x"(x) : "rm"(v));
    return fp_from_double(x);
}

static inline uint32_t fp32_from_i64(int64_t v)
{
    float x = 0;

    __asm__ volatile("cvtsi2ssq %1, %0" : "+x"(x) : "rm"(v));
    return fp_from_float(x);
}

static inline uint64_t fp64_from_i32(int32_t v)
{
    double x = 0;

    __asm__ volatile("cvtsi2sdl %1, %0" : "+x"(x) : "rm"(v));
    return fp_from_double(x);
}

static inline uint32_t fp32_from_i32(int32_t v)
{
    float x = 0;

    __asm__ volatile("cvtsi2ssl %1, %0" : "+x"(x) : "rm"(v));
    return fp_from_float(x);
}

/* From 2^63 on: half of v, its last bit sticky, is converted and then doubled, which is exact. */
static inline uint64_t fp64_from_u64(uint64_t v)
{
    if (v >> 63 == 0)
        return fp64_from_i64((int64_t)v);
    double x = fp_to_double(fp64_from_i64((int64_t)(v >> 1 | (v & 1))));
    __asm__ volatile("addsd %0, %0" : "+x"(x));
    return fp_from_double(x);
}

static inline uint32_t fp32_from_u64(uint64_t v)
{
    if (v >> 63 == 0)
        return fp32_from_i64((int64_t)v);
    float x = fp_to_float(fp32_from_i64((int64_t)(v >> 1 | (v & 1))));
    __asm__ volatile("addss %0, %0" : "+x"(x));
    return fp_from_float(x);
}

/*
 * To signed integers: x86 gives the smallest integer, with IE alone, for NaN and whatever doesn't fit, so only that result needs
 * a second look. To unsigned ones: the signed 64-bit conversion where it is sure to fit, else the slow path.
 */
#define FP_X86_TO_INT(suffix, cvt, rm)                                                                                   \
    static inline int32_t fp64_to_i32##suffix(uint64_t a)                                                                \
    {                                                                                                                    \
        int32_t r;                                                                                                       \
        __asm__ volatile(cvt "sd2si %1, %0" : "=r"(r) : FP_SRC(fp_to_double(a)));                                        \
        return fp_unlikely(r == INT32_MIN) && (!fp_is_neg(FP_D, a) || fp_is_nan(FP_D, a)) ? INT32_MAX : r;               \
    }                                                                                                                    \
    static inline int64_t fp64_to_i64##suffix(uint64_t a)                                                                \
    {                                                                                                                    \
        int64_t r;                                                                                                       \
        __asm__ volatile(cvt "sd2si %1, %0" : "=r"(r) : FP_SRC(fp_to_double(a)));                                        \
        return fp_unlikely(r == INT64_MIN) && (!fp_is_neg(FP_D, a) || fp_is_nan(FP_D, a)) ? INT64_MAX : r;               \
    }                                                                                                                    \
    static inline int32_t fp32_to_i32##suffix(uint32_t a)                                                                \
    {                                                                                                                    \
        int32_t r;                                                                                                       \
        __asm__ volatile(cvt "ss2si %1, %0" : "=r"(r) : FP_SRC(fp_to_float(a)));                                         \
        return fp_unlikely(r == INT32_MIN) && (!fp_is_neg(FP_S, a) || fp_is_nan(FP_S, a)) ? INT32_MAX : r;               \
    }                                                                                                                    \
    static inline int64_t fp32_to_i64##suffix(uint32_t a)                                                                \
    {                                                                                                                    \
        int64_t r;                                                                                                       \
        __asm__ volatile(cvt "ss2si %1, %0" : "=r"(r) : FP_SRC(fp_to_float(a)));                                         \
        return fp_unlikely(r == INT64_MIN) && (!fp_is_neg(FP_S, a) || fp_is_nan(FP_S, a)) ? INT64_MAX : r;               \
    }                                                                                                                    \
    static inline uint32_t fp64_to_u32##suffix(uint64_t a)                                                               \
    {                                                                                                                    \
        return a <= FP64_2_32_LESS_1 ? (uint32_t)fp64_to_i64##suffix(a) : (uint32_t)fp_slow_to_int(FP_D, a, FP_U32, rm); \
    }                                                                                                                    \
    static inline uint64_t fp64_to_u64##suffix(uint64_t a)                                                               \
    {                                                                                                                    \
        return a < FP64_2_63 ? (uint64_t)fp64_to_i64##suffix(a) : fp_slow_to_int(FP_D, a, FP_U64, rm);                   \
    }                                                                                                                    \
    static inline uint32_t fp32_to_u32##suffix(uint32_t a)                                                               \
    {                                                                                                                    \
        return a < FP32_2_32 ? (uint32_t)fp32_to_i64##suffix(a) : (uint32_t)fp_slow_to_int(FP_S, a, FP_U32, rm);         \
    }                                                                                                                    \
    static inline uint64_t fp32_to_u64##suffix(uint32_t a)                                                               \
    {                                                                                                                    \
        return a < FP32_2_63 ? (uint64_t)fp32_to_i64##suffix(a) : fp_slow_to_int(FP_S, a, FP_U64, rm);                   \
    }

FP_X86_TO_INT(, "cvt", FP_RM_HOST)
FP_X86_TO_INT(_rtz, "cvtt", FP_RTZ)
#undef FP_X86_TO_INT

#endif
