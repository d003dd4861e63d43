/* Laws over the rows of sbi.def, and decoding where a law cannot tell what is right. */
#include "debug/riscv/sbi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 32-bit numbers in registers are sign-extended on RV64; either form finds its extension. */
static void extensions_do_not_overlap_and_are_found(void **state)
{
    (void)state;
    for (unsigned i = 1; i < SBI_EXT_COUNT; i++) {
        const struct sbi_ext_row *x = sbi_ext((enum sbi_ext)i);
        assert_true(x->first <= x->last);
        assert_int_equal(sbi_ext_of(x->first), i);
        assert_int_equal(sbi_ext_of(x->last), i);
        assert_int_equal(sbi_ext_of((uint64_t)(int64_t)(int32_t)x->first), i);
        assert_int_equal(sbi_ext_of((uint64_t)x->first | UINT64_C(1) << 40), SBI_EXT_NONE);
        assert_int_equal(sbi_ext_by_name(x->name), i);
        for (unsigned k = 1; k < i; k++)
            assert_true(x->first > sbi_ext((enum sbi_ext)k)->last || x->last < sbi_ext((enum sbi_ext)k)->first);
    }
}

static void functions_are_found_and_numbered_without_gaps(void **state)
{
    (void)state;
    const struct sbi_func_row *f, *before = NULL;
    unsigned n = 0;
    for (unsigned i = 0; (f = sbi_func_at(i)); i++) {
        bool legacy = f->ext == SBI_EXT_LEGACY;
        uint64_t eid = legacy ? f->fid : sbi_ext(f->ext)->first;
        assert_ptr_equal(sbi_func_of(eid, legacy ? 77 : f->fid), f); /* legacy calls ignore a6 */
        assert_int_equal(f->fid, before && before->ext == f->ext ? before->fid + 1 : 0);
        assert_true(strncmp(f->name, "sbi_", 4) != 0);
        assert_false(f->errors & SBI_ERROR_BIT(SBI_SUCCESS));
        unsigned registers = 0;
        for (unsigned k = 0; f->arg[k].name; k++)
            registers += sbi_kind(f->arg[k].kind)->bits == 64 ? 2 : 1;
        assert_true(registers <= 6); /* a0 to a5, on RV32, too */
        before = f;
        n++;
    }
    assert_int_equal(n, 9 + 7 + 1 + 1 + 7 + 4 + 1 + 9 + 3 + 1 + 4 + 5 + 1 + 10 + 2 + 8 + 8);
    assert_null(sbi_func_of(0x535345, 10));
    assert_null(sbi_func_of(0x9, 0));
}

static void every_value_has_a_kind_and_no_value_hides_another(void **state)
{
    (void)state;
    const struct sbi_value_row *r, *first;
    for (unsigned i = 0; (r = sbi_value_at(i)); i++) {
        unsigned msb, lsb;
        assert_true(*r->name && sbi_kind(r->kind)->ext != SBI_EXT_NONE);
        assert_int_equal(sbi_kind_by_name(sbi_kind(r->kind)->name), r->kind);
        if (r->field) {
            assert_true(sbi_field_bits(r, 64, &msb, &lsb) && msb >= lsb);
            continue;
        }
        assert_true(r->lo <= r->hi);
        /* Single values and ranges come before the patterns that take the rest. */
        first = sbi_value_of(r->kind, r->mask == UINT64_MAX ? r->lo : r->lo | 0x123);
        assert_ptr_equal(first, r);
        assert_true(sbi_kind(r->kind)->bits != 32 || r->hi <= UINT32_MAX);
    }
    for (unsigned k = 0; k < SBI_KIND_COUNT; k++) { /* a kind that an extension shows has values */
        bool any = sbi_kind((enum sbi_kind)k)->ext == SBI_EXT_NONE;
        for (unsigned i = 0; (r = sbi_value_at(i)); i++)
            any |= r->kind == k;
        assert_true(any);
    }
}

static void errors_have_names(void **state)
{
    (void)state;
    for (int code = 0; code >= -14; code--)
        assert_non_null(sbi_error_name(code));
    assert_null(sbi_error_name(-15));
    assert_null(sbi_error_name(1));
    assert_string_equal(sbi_error_name(-10), "SBI_ERR_INVALID_STATE");
}

static const char *text(unsigned xlen, const uint64_t a[8], const struct sbi_result *r)
{
    static char out[512];
    struct sbi_call c = {.xlen = xlen};
    memcpy(c.a, a, sizeof c.a);
    size_t n = sbi_call_text(&c, r, out, sizeof out);
    assert_int_equal(n, strlen(out));
    return out;
}

static void calls_are_decoded(void **state)
{
    (void)state;
    assert_string_equal(text(64, (uint64_t[8]){0xffff0000, 2, [6] = 7, [7] = 0x535345}, &(struct sbi_result){0, 0}),
                        "sse_inject(event 0xffff0000 \"local software\", hart 2) = 0");
    /* Of a 32-bit argument the upper half says nothing. */
    assert_string_equal(text(64, (uint64_t[8]){0x500004000, [6] = 4, [7] = 0x535345}, &(struct sbi_result){(uint64_t)-10, 9}),
                        "sse_enable(event 0x4000 \"platform local\") = -10 SBI_ERR_INVALID_STATE");
    assert_string_equal(text(32, (uint64_t[8]){0x89abcdef, 0x01234567, [7] = 0x54494d45}, &(struct sbi_result){0, 0}),
                        "set_timer(stime_value 0x123456789abcdef) = 0");
    assert_string_equal(text(32, (uint64_t[8]){1, [6] = 2, [7] = 0x48534d}, &(struct sbi_result){0xfffffffd, 0}),
                        "hart_get_status(hart 1) = -3 SBI_ERR_INVALID_PARAM");
    assert_string_equal(text(64, (uint64_t[8]){3, UINT64_MAX, [7] = 0x735049}, NULL),
                        "send_ipi(hart_mask 0x3, hart_mask_base -1)");
    assert_string_equal(text(32, (uint64_t[8]){3, UINT32_MAX, [7] = 0x735049}, NULL),
                        "send_ipi(hart_mask 0x3, hart_mask_base -1)");
    assert_string_equal(
        text(64, (uint64_t[8]){0, [6] = 1, [7] = 0x504d55}, &(struct sbi_result){0, UINT64_C(1) << 63 | 63 << 12 | 0xc00}),
        "pmu_counter_get_info(counter_idx 0) = 0, 0x800000000003fc00 {type width 63 csr 3072}");
    assert_string_equal(text(64, (uint64_t[8]){[6] = 5, [7] = 2}, &(struct sbi_result){UINT64_MAX, 0}),
                        "legacy console_getchar() = -1");
    assert_string_equal(text(64, (uint64_t[8]){1, [6] = 3, [7] = 0x0a000001}, NULL),
                        "FIRMWARE 0xa000001/3(0x1, 0x0, 0x0, 0x0, 0x0, 0x0)");
    char small[8];
    struct sbi_call c = {.xlen = 64, .a = {[6] = 7, [7] = 0x535345}};
    assert_int_equal(sbi_call_text(&c, NULL, small, sizeof small), 7);
    assert_string_equal(small, "sse_inj");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_do_not_overlap_and_are_found),
        cmocka_unit_test(functions_are_found_and_numbered_without_gaps),
        cmocka_unit_test(every_value_has_a_kind_and_no_value_hides_another),
        cmocka_unit_test(errors_have_names),
        cmocka_unit_test(calls_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
