/* A64 disassembly: known instructions; every row gives a text. */
#include "cpu/arm/decode.h"
#include "disas.h"

static void arm(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        const char *text;
    } want[] = {{0xd53800a0, "mrs x0, mpidr_el1"},
                {0xd51c1100, "msr hcr_el2, x0"},
                {0xd5384242, "mrs x2, currentel"},
                {0xd5087620, "dc ivac, x0"},
                {0xd508831f, "tlbi vmalle1is"},
                {0xd4000002, "hvc #0"},
                {0xd4000001, "svc #0"},
                {0xd69f03e0, "eret"},
                {0xd2a00028, "movz x8, #0x1, lsl #16"},
                {0x14000001, "b #0x80000004"},
                {0x54000041, "b.ne #0x80000008"},
                {0x00000001, "0x00000001 (undefined)"}};
    struct machine *m = machine("virt-arm", "max");
    struct disas *d = disas_new(m);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        expect(d, m, want[i].bits, 4, want[i].text);
    /* What capstone does not know has the row's name. */
    unsigned unknown = 0;
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row row = a64_row(i);
        char text[DISAS_TEXT];
        const uint8_t p[4] = {(uint8_t)row.match, (uint8_t)(row.match >> 8), (uint8_t)(row.match >> 16),
                              (uint8_t)(row.match >> 24)};
        disas_bytes(d, m, 0, 0x80000000, p, sizeof p, text, sizeof text);
        assert_true(*text);
        unknown += strstr(text, "(0x") != NULL;
    }
    assert_true(unknown < a64_row_count() / 2);
    disas_free(d);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(arm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
