/* What a stage 2 data abort tells of the instruction (Arm ARM D24.2.37, ISV to AR): assembled instructions with their syndromes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu/arm/exec.h"

#define NONE 0u
/* size (log2 of bytes), sign-extended, register, 64-bit register, acquire or release */
#define SYNDROME(sas, sse, srt, sf, ar)                                                                                 \
    (UINT32_C(1) << 24 | (uint32_t)(sas) << 22 | (uint32_t)(sse) << 21 | (uint32_t)(srt) << 16 | (uint32_t)(sf) << 15 | \
     (uint32_t)(ar) << 14)

static const struct {
    uint32_t insn, syndrome;
    const char *text;
} rows[] = {
    {0xf9400021, SYNDROME(3, 0, 1, 1, 0), "ldr x1, [x1]"},
    {0xb9400ca3, SYNDROME(2, 0, 3, 0, 0), "ldr w3, [x5, #12]"},
    {0x39000062, SYNDROME(0, 0, 2, 0, 0), "strb w2, [x3]"},
    {0x7900005f, SYNDROME(1, 0, 31, 0, 0), "strh wzr, [x2]"},
    {0x39c00043, SYNDROME(0, 1, 3, 0, 0), "ldrsb w3, [x2]"},
    {0x39800043, SYNDROME(0, 1, 3, 1, 0), "ldrsb x3, [x2]"},
    {0xb9800043, SYNDROME(2, 1, 3, 1, 0), "ldrsw x3, [x2]"},
    {0xf8408041, SYNDROME(3, 0, 1, 1, 0), "ldur x1, [x2, #8]"},
    {0xb8000841, SYNDROME(2, 0, 1, 0, 0), "sttr w1, [x2]"},
    {0xf8636841, SYNDROME(3, 0, 1, 1, 0), "ldr x1, [x2, x3]"},
    {0x58000041, SYNDROME(3, 0, 1, 1, 0), "ldr x1, .+8"},
    {0x18000041, SYNDROME(2, 0, 1, 0, 0), "ldr w1, .+8"},
    {0x98000041, SYNDROME(2, 1, 1, 1, 0), "ldrsw x1, .+8"},
    {0xc8dffc41, SYNDROME(3, 0, 1, 1, 1), "ldar x1, [x2]"},
    {0x889ffc41, SYNDROME(2, 0, 1, 0, 1), "stlr w1, [x2]"},
    {0x88df7c41, SYNDROME(2, 0, 1, 0, 0), "ldlar w1, [x2]"},
    {0xf8bfc041, SYNDROME(3, 0, 1, 1, 1), "ldapr x1, [x2]"},
    {0x99408041, SYNDROME(2, 0, 1, 0, 1), "ldapur w1, [x2, #8]"},
    /* write-back, pairs, exclusive, atomic, vector registers, prefetch */
    {0xf8408441, NONE, "ldr x1, [x2], #8"},
    {0xf8408c41, NONE, "ldr x1, [x2, #8]!"},
    {0xa9400841, NONE, "ldp x1, x2, [x2]"},
    {0xc85f7c41, NONE, "ldxr x1, [x2]"},
    {0xc85ffc41, NONE, "ldaxr x1, [x2]"},
    {0xf8230041, NONE, "ldadd x3, x1, [x2]"},
    {0xc8a37c41, NONE, "cas x3, x1, [x2]"},
    {0x3dc00041, NONE, "ldr q1, [x2]"},
    {0x9c000041, NONE, "ldr q1, .+8"},
    {0x0d418420, NONE, "ldap1 {v0.d}[0], [x1]"},
    {0xf9800040, NONE, "prfm pldl1keep, [x2]"},
    {0xd50b7421, NONE, "dc zva, x1"},
};

static void a_single_register_access_has_a_syndrome(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (a64_access_syndrome(rows[i].insn) != rows[i].syndrome)
            fail_msg("%s: 0x%x instead of 0x%x", rows[i].text, a64_access_syndrome(rows[i].insn), rows[i].syndrome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_single_register_access_has_a_syndrome)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
