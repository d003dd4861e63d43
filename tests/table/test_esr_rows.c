/* The rows of syndromes, causes and calls: no field overlaps another, no value is too wide, no number is there twice; the classes
   that the cpu raises are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bits.h"
#include "cpu/arm/pe.h"
#include "debug/arm/esr.h"
#include "debug/arm/psci.h"
#include "debug/riscv/cause.h"

#include <string.h>

static void fields_do_not_overlap_and_hold_their_values(void **state)
{
    const struct esr_class *c;
    const struct esr_field *f;
    (void)state;
    for (unsigned i = 0; (c = esr_class_at(i)); i++) {
        uint64_t seen = 0;
        unsigned last = 64;
        for (unsigned k = 0; (f = esr_field_at(c, k)); k++) {
            uint64_t mask = bits_mask(f->lsb, f->msb - f->lsb + 1u);
            assert_true(f->msb >= f->lsb && f->msb < 56 && !(mask & 0xfe000000));
            assert_int_equal(seen & mask, 0);
            assert_true(f->msb < last); /* the highest first */
            last = f->lsb;
            seen |= mask;
            uint32_t v;
            for (unsigned n = 0; esr_value_at(f, n, &v); n++)
                assert_true(v <= mask >> f->lsb);
        }
    }
}

static void classes_are_in_order_and_once(void **state)
{
    const struct esr_class *c, *before = NULL;
    (void)state;
    for (unsigned i = 0; (c = esr_class_at(i)); before = c, i++)
        assert_true(c->ec < 64 && (!before || before->ec < c->ec) && *c->name);
}

static void what_the_cpu_raises_is_named(void **state)
{
    static const uint8_t raised[] = {EC_INSN_ABORT_LOWER,    EC_DATA_ABORT_LOWER, EC_BREAKPOINT_LOWER,
                                     EC_SOFTWARE_STEP_LOWER, EC_WATCHPOINT_LOWER, EC_SERROR};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(raised); i++) {
        assert_non_null(esr_class(raised[i]));
        if (raised[i] != EC_SERROR)
            assert_non_null(strstr(esr_class(raised[i])->name, "lower level"));
        if (raised[i] != EC_SERROR)
            assert_non_null(strstr(esr_class(raised[i] + 1u)->name, "same level"));
    }
}

static void a_syndrome_is_told_in_words(void **state)
{
    static const struct {
        uint64_t esr;
        const char *text;
    } c[] = {{0x5600004a, "SVC: #0x4a"},
             {0x92000047, "data abort from a lower level: write, translation fault, level 3"},
             {0x8600000f, "instruction abort from the same level: permission fault, level 3"},
             {0x07e00001, "trapped WFI, WFE, WFIT or WFET: WFE"},
             {0x62300001, "trapped MSR, MRS or system instruction: read of midr_el1"},
             {0xbe000011, "SError interrupt: uncontainable, asynchronous SError interrupt"},
             {0x08000000, "reserved exception class 0x02"}};
    char text[256];
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(c); i++) {
        esr_text(c[i].esr, text, sizeof text);
        assert_string_equal(text, c[i].text);
    }
}

static void causes_are_once(void **state)
{
    const struct rv_cause *c, *d;
    (void)state;
    for (unsigned i = 0; (c = rv_cause_at(i)); i++) {
        assert_ptr_equal(rv_cause(c->interrupt, c->code), c);
        for (unsigned k = 0; k < i; k++) {
            d = rv_cause_at(k);
            assert_true(strcmp(c->name, d->name) != 0);
        }
    }
    assert_null(rv_cause(false, 14));
    assert_null(rv_cause(true, 0));
}

static void calls_are_once(void **state)
{
    const struct psci_call *p;
    (void)state;
    for (unsigned i = 0; (p = psci_call_at(i)); i++) {
        assert_ptr_equal(psci_call(p->number), p);
        assert_ptr_equal(psci_call(p->number | 0x40000000), p->wide ? p : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_do_not_overlap_and_hold_their_values),
        cmocka_unit_test(classes_are_in_order_and_once),
        cmocka_unit_test(what_the_cpu_raises_is_named),
        cmocka_unit_test(a_syndrome_is_told_in_words),
        cmocka_unit_test(causes_are_once),
        cmocka_unit_test(calls_are_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
