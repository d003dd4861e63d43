/*
 * A64's floating-point instructions, through their rows, give what the Arm ARM's pseudocode gives (fp_arm_oracle.h): every
 * operation, in every rounding mode, with FPCR.FZ, FZ16, DN, AHP, AH, FIZ and NEP at random, of every format.
 *
 * TRAPLINE_FP_N: operands for each operation, of all formats together (10^6); TRAPLINE_SOAK: ten times as many.
 *
 * timeout: 900
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fp_arm_rig.h"

/* The rows <name>_s, _d, _h. */
static void check_formats(struct rig *r, const char *name, op_fn *op, enum shape shape, unsigned arity, bool half)
{
    static const char suffix[] = "hsd";
    for (enum arm_fmt f = half ? ARM_H : ARM_S; f <= ARM_D; f++) {
        char row[32];
        snprintf(row, sizeof row, "%s_%c", name, suffix[f]);
        const struct test t = {row, op, f, f, shape, arity};
        check_insn(r, &t, encode(row, 0), operands() / (half ? 3 : 2));
    }
}

static void arithmetic(void **state)
{
    static const struct named one[] = {{"fabs", op_fabs},     {"fneg", op_fneg},     {"fsqrt", op_fsqrt},   {"frintn", op_frintn},
                                       {"frintp", op_frintp}, {"frintm", op_frintm}, {"frintz", op_frintz}, {"frinta", op_frinta},
                                       {"frintx", op_frintx}, {"frinti", op_frinti}};
    static const struct named two[] = {{"fmul", op_fmul},   {"fdiv", op_fdiv},     {"fadd", op_fadd},
                                       {"fsub", op_fsub},   {"fmax", op_fmax},     {"fmin", op_fmin},
                                       {"fnmul", op_fnmul}, {"fmaxnm", op_fmaxnm}, {"fminnm", op_fminnm}};
    static const struct named three[] = {{"fmadd", op_fmadd}, {"fmsub", op_fmsub}, {"fnmadd", op_fnmadd}, {"fnmsub", op_fnmsub}};
    for (unsigned i = 0; i < ARRAY_LEN(one); i++)
        check_formats(*state, one[i].name, one[i].op, SCALAR, 1, true);
    for (unsigned i = 0; i < ARRAY_LEN(two); i++)
        check_formats(*state, two[i].name, two[i].op, SCALAR, 2, true);
    for (unsigned i = 0; i < ARRAY_LEN(three); i++)
        check_formats(*state, three[i].name, three[i].op, SCALAR, 3, true);
}

static void rounding_to_the_range_of_integers(void **state)
{
    static const struct named rows[] = {
        {"frint32z", op_frint32z}, {"frint32x", op_frint32x}, {"frint64z", op_frint64z}, {"frint64x", op_frint64x}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        check_formats(*state, rows[i].name, rows[i].op, SCALAR, 1, false);
}

static void scalars_of_advanced_simd(void **state)
{
    static const struct named one[] = {{"frecpe_21", op_frecpe}, {"frsqrte_21", op_frsqrte}, {"frecpx_21", op_frecpx}};
    static const struct named two[] = {
        {"fmulx_1", op_fmulx}, {"frecps_1", op_frecps}, {"frsqrts_1", op_frsqrts}, {"fabd_1", op_fabd}};
    for (unsigned i = 0; i < ARRAY_LEN(one); i++)
        check_formats(*state, one[i].name, one[i].op, SCALAR, 1, true);
    for (unsigned i = 0; i < ARRAY_LEN(two); i++)
        check_formats(*state, two[i].name, two[i].op, SCALAR, 2, true);
}

static void vectors(void **state)
{
    static const struct named rows[] = {
        {"fmla_v", op_fmadd},      {"fmls_v", op_fmsub},       {"fadd_vv_v", op_fadd},     {"fsub_vv_v", op_fsub},
        {"fmul_vv_v", op_fmul},    {"fdiv_vv_v", op_fdiv},     {"fmulx_v", op_fmulx},      {"fmax_vv_v", op_fmax},
        {"fmin_vv_v", op_fmin},    {"fmaxnm_vv_v", op_fmaxnm}, {"fminnm_vv_v", op_fminnm}, {"fabd_v", op_fabd},
        {"frecps_v", op_frecps},   {"frsqrts_v", op_frsqrts},  {"fcmeq_v", op_fcmeq},      {"fcmge_v", op_fcmge},
        {"fcmgt_v", op_fcmgt},     {"facge_v", op_facge},      {"facgt_v", op_facgt},      {"fcmeq0_2", op_fcmeq0},
        {"fcmge0_2", op_fcmge0},   {"fcmgt0_2", op_fcmgt0},    {"fcmle0_2", op_fcmle0},    {"fcmlt0_2", op_fcmlt0},
        {"fabs_v_2", op_fabs},     {"fneg_v_2", op_fneg},      {"fsqrt_v_2", op_fsqrt},    {"frintn_v_2", op_frintn},
        {"frinta_v_2", op_frinta}, {"frintm_v_2", op_frintm},  {"frintx_v_2", op_frintx},  {"frintp_v_2", op_frintp},
        {"frintz_v_2", op_frintz}, {"frinti_v_2", op_frinti},  {"frecpe_2", op_frecpe},    {"frsqrte_2", op_frsqrte}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        check_formats(*state, rows[i].name, rows[i].op, LANES, 2, true);
}

static void comparisons(void **state)
{
    static const struct named rows[] = {{"fcmp", op_fcmp}, {"fcmpe", op_fcmpe}, {"fcmp0", op_fcmp0}, {"fcmpe0", op_fcmpe0}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        check_formats(*state, rows[i].name, rows[i].op, FLAGS, 2, true);
}

static void between_formats(void **state)
{
    static const struct test rows[] = {
        {"fcvt_ds", op_to_d, ARM_S, ARM_D, SCALAR, 1}, {"fcvt_hs", op_to_h, ARM_S, ARM_H, SCALAR, 1},
        {"fcvt_sd", op_to_s, ARM_D, ARM_S, SCALAR, 1}, {"fcvt_hd", op_to_h, ARM_D, ARM_H, SCALAR, 1},
        {"fcvt_sh", op_to_s, ARM_H, ARM_S, SCALAR, 1}, {"fcvt_dh", op_to_d, ARM_H, ARM_D, SCALAR, 1},
        {"bfcvt", op_bfcvt, ARM_S, ARM_H, SCALAR, 1},  {"fcvtxn_1", op_fcvtxn, ARM_D, ARM_S, SCALAR, 1}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        check_insn(*state, &rows[i], encode(rows[i].name, 0), operands());
}

/* ---- integers ---- */

static struct {
    unsigned fbits, width;
    bool is_unsigned, from_mode;
    enum arm_rounding rounding;
} integer_op;
OP(to_fixed, arm_FPToFixed(e->f, e->a, integer_op.fbits, integer_op.width, integer_op.is_unsigned, integer_op.rounding, &e->fp))
OP(from_fixed, arm_FixedToFP(e->f, e->x, integer_op.fbits, integer_op.width, integer_op.is_unsigned, &e->fp))

static void to_general_registers(void **state)
{
    static const char letters[] = "nampz", formats[] = "hsd";
    static const enum arm_rounding rounding[] = {ARM_TIEEVEN, ARM_TIEAWAY, ARM_NEGINF, ARM_POSINF, ARM_ZERO};
    struct rig *r = *state;
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 12; k++) {
            enum arm_fmt f = (enum arm_fmt)(k % 3);
            bool is_unsigned = k / 3 % 2, wide = k / 6;
            char row[32];
            integer_op.fbits = 0;
            integer_op.width = wide ? 64 : 32;
            integer_op.is_unsigned = is_unsigned;
            integer_op.rounding = rounding[i];
            snprintf(row, sizeof row, "fcvt%c%c_%c%c", letters[i], is_unsigned ? 'u' : 's', wide ? 'x' : 'w', formats[f]);
            const struct test t = {row, op_to_fixed, f, f, TO_X, 1};
            check_insn(r, &t, encode(row, 0), operands() / 12);
            if (rounding[i] != ARM_ZERO)
                continue;
            integer_op.fbits = 1 + (unsigned)rng_below(&r->rng, integer_op.width);
            snprintf(row, sizeof row, "fcvtz%c_%c%c_fix", is_unsigned ? 'u' : 's', wide ? 'x' : 'w', formats[f]);
            uint32_t insn = (encode(row, 0) & ~(63u << 10)) | (64 - integer_op.fbits) << 10;
            check_insn(r, &t, insn, operands() / 12);
        }
    const struct test js = {"fjcvtzs", op_fjcvtzs, ARM_D, ARM_D, TO_X, 1};
    check_insn(r, &js, encode("fjcvtzs", 0), operands());
}

static void from_general_registers(void **state)
{
    static const char formats[] = "hsd";
    struct rig *r = *state;
    for (unsigned k = 0; k < 12; k++) {
        enum arm_fmt f = (enum arm_fmt)(k % 3);
        bool is_unsigned = k / 3 % 2, wide = k / 6;
        char row[32];
        integer_op.fbits = 0;
        integer_op.width = wide ? 64 : 32;
        integer_op.is_unsigned = is_unsigned;
        snprintf(row, sizeof row, "%ccvtf_%c%c", is_unsigned ? 'u' : 's', formats[f], wide ? 'x' : 'w');
        const struct test t = {row, op_from_fixed, f, f, SCALAR, 1};
        check_insn(r, &t, encode(row, 0), operands() / 6);
        integer_op.fbits = 1 + (unsigned)rng_below(&r->rng, integer_op.width);
        snprintf(row, sizeof row, "%ccvtf_%c%c_fix", is_unsigned ? 'u' : 's', formats[f], wide ? 'x' : 'w');
        uint32_t insn = (encode(row, 0) & ~(63u << 10)) | (64 - integer_op.fbits) << 10;
        check_insn(r, &t, insn, operands() / 6);
    }
}

/* ---- products of half precision and BFloat16: all lanes of single precision ---- */

static void expect_bf(const char *name, const struct input *in, struct output *want)
{
    struct arm_fp c = arm_fp_of(in->fpcr, true);
    const uint64_t *n = in->v[1], *m = in->v[2], *d = in->v[0];
    *want = (struct output){.v = {d[0], d[1]}};
    for (unsigned i = 0; i < 4; i++) {
        uint64_t z = element(d, ARM_S, i), r = 0;
        if (!strcmp(name, "bfdot")) {
            r = arm_BFDotAdd(z, element(n, ARM_H, 2 * i), element(m, ARM_H, 2 * i), element(n, ARM_H, 2 * i + 1),
                             element(m, ARM_H, 2 * i + 1), &c);
        } else if (!strcmp(name, "bfmmla")) {
            unsigned row = i / 2, column = i % 2;
            r = z;
            for (unsigned k = 0; k < 2; k++)
                r = arm_BFDotAdd(r, element(n, ARM_H, 4 * row + 2 * k), element(m, ARM_H, 4 * column + 2 * k),
                                 element(n, ARM_H, 4 * row + 2 * k + 1), element(m, ARM_H, 4 * column + 2 * k + 1), &c);
        } else if (!strcmp(name, "bfmlal")) { /* Q is 1: BFMLALT */
            r = arm_BFMulAddH(z, element(n, ARM_H, 2 * i + 1), element(m, ARM_H, 2 * i + 1), &c);
        } else {
            unsigned at = i + (strchr(name, '2') ? 4 : 0);
            uint64_t a = element(n, ARM_H, at);
            if (strstr(name, "sl"))
                a = arm_FPNeg(ARM_H, a, &c);
            r = arm_FPMulAddH(z, a, element(m, ARM_H, at), &c);
        }
        put_element(want->v, ARM_S, i, r);
    }
    want->fpsr = c.fpsr;
}

static void products_of_short_formats(void **state)
{
    static const char *const names[] = {"bfdot", "bfmmla", "bfmlal", "fmlal", "fmlsl", "fmlal2", "fmlsl2"};
    struct rig *r = *state;
    for (unsigned k = 0; k < ARRAY_LEN(names); k++)
        for (uint64_t done = 0; done < operands(); done += BATCH * 4) {
            bool bf = names[k][0] == 'b';
            for (unsigned i = 0; i < BATCH; i++) {
                make_input(r, ARM_S, 4, &r->in[i]); /* BFloat16 is the upper half of single precision */
                for (unsigned h = 0; h < 8; h++) {
                    uint64_t a = bf ? fp_operand(&r->rng, FP_S) >> 16 : fp_operand(&r->rng, FP_H);
                    uint64_t b = bf ? fp_operand_near(&r->rng, FP_S, a << 16) >> 16 : fp_operand_near(&r->rng, FP_H, a);
                    put_element(r->in[i].v[1], ARM_H, h, a);
                    put_element(r->in[i].v[2], ARM_H, h, b);
                }
            }
            run_batch(r, encode(names[k], 0));
            for (unsigned i = 0; i < BATCH; i++) {
                struct output want, *got = &r->out[i];
                const struct input *in = &r->in[i];
                expect_bf(names[k], in, &want);
                if (got->v[0] != want.v[0] || got->v[1] != want.v[1] || got->fpsr != want.fpsr)
                    fail_msg("%s, FPCR %#lx, d %#lx %#lx, n %#lx %#lx, m %#lx %#lx: %#lx %#lx, FPSR %#lx; must be %#lx %#lx, "
                             "FPSR %#lx",
                             names[k], in->fpcr, in->v[0][0], in->v[0][1], in->v[1][0], in->v[1][1], in->v[2][0], in->v[2][1],
                             got->v[0], got->v[1], got->fpsr, want.v[0], want.v[1], want.fpsr);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(rounding_to_the_range_of_integers),
        cmocka_unit_test(scalars_of_advanced_simd),
        cmocka_unit_test(vectors),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(between_formats),
        cmocka_unit_test(to_general_registers),
        cmocka_unit_test(from_general_registers),
        cmocka_unit_test(products_of_short_formats),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
