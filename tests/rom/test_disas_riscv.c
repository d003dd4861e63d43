/* RISC-V disassembly: known instructions, and that every row gives a text of its own mnemonic. */
#include "cpu/riscv/decode.h"
#include "disas.h"

static void riscv(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        unsigned bytes;
        const char *text;
    } want[] = {
        {0x00000297, 4, "auipc t0, 0x0"},
        {0xf1402573, 4, "csrr a0, mhartid"},
        {0x30529073, 4, "csrw mtvec, t0"},
        {0x3002a073, 4, "csrs mstatus, t0"},
        {0x600025f3, 4, "csrr a1, hstatus"},
        {0x30046073, 4, "csrsi mstatus, 8"},
        {0x34011173, 4, "csrrw sp, mscratch, sp"},
        {0x0182b283, 4, "ld t0, 24(t0)"},
        {0xfe113c23, 4, "sd ra, -8(sp)"},
        {0x00008067, 4, "ret"},
        {0x0000006f, 4, "j 0x80000000"},
        {0xfe000ee3, 4, "beqz zero, 0x7ffffffc"},
        {0x8082, 2, "ret"},
        {0x4501, 2, "li a0, 0"},
        {0xe022, 2, "sd s0, 0(sp)"},
        {0x0421, 2, "addi s0, s0, 8"},
        {0x9002, 2, "ebreak"},
        {0x8c19, 2, "sub s0, s0, a4"},
        {0x00000073, 4, "ecall"},
        {0x30200073, 4, "mret"},
        {0x0ff0000f, 4, "fence iorw, iorw"},
        {0x12000073, 4, "sfence.vma"},
        {0x12b50073, 4, "sfence.vma a0, a1"},
        {0x6c0540f3, 4, "hlv.d ra, (a0)"},
        {0x1005252f, 4, "lr.w a0, (a0)"},
        {0x06c5a52f, 4, "amoadd.w.aqrl a0, a2, (a1)"},
        {0x00c5f553, 4, "fadd.s fa0, fa1, fa2"},
        {0x00c59553, 4, "fadd.s fa0, fa1, fa2, rtz"},
        {0xd0057553, 4, "fcvt.s.w fa0, a0"},
        {0xc0051553, 4, "fcvt.w.s a0, fa0, rtz"},
        {0xa0b52553, 4, "feq.s a0, fa0, fa1"},
        {0x68c5f543, 4, "fmadd.s fa0, fa1, fa2, fa3"},
        {0x00052507, 4, "flw fa0, 0(a0)"},
        {0x00a52027, 4, "fsw fa0, 0(a0)"},
        {0x60055513, 4, "rori a0, a0, 0"},
        {0x0000, 2, "0x0000 (illegal)"},
        {0x0005a00f, 4, "cbo.inval (a1)"},
        {0x28b56533, 4, "0x28b56533 (illegal)"},
    };
    struct machine *m = machine("virt", "rv64");
    struct disas *d = disas_new(m);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        expect(d, m, want[i].bits, want[i].bytes, want[i].text);
    char text[DISAS_TEXT];
    const uint8_t half[2] = {0x97, 0x02};
    assert_int_equal(disas_bytes(d, m, 0, 0, half, 2, text, sizeof text), 0);
    assert_string_equal(text, "(cannot be read)");
    disas_free(d);
    machine_free(m);
}

/* Each row that the configuration has: its own encoding gives its mnemonic, or a pseudoinstruction. */
static void riscv_rows(void **state)
{
    (void)state;
    struct machine *m = machine("virt", "rv64,zicfilp=on,zicfiss=on,smrnmi=on");
    struct disas *d = disas_new(m);
    unsigned known = 0;
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row row = rv_insn_row(i);
        char text[DISAS_TEXT], first[40], name[40];
        uint32_t bits = row.match | (row.nonzero & ~(row.nonzero - 1)) | (0x00c58500 & ~row.mask);
        const uint8_t p[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
        disas_bytes(d, m, 0, 0x80000000, p, sizeof p, text, sizeof text);
        assert_true(*text && strlen(text) < 80);
        snprintf(first, sizeof first, "%.*s", (int)strcspn(text, " ."), text);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(row.name, "_"), row.name);
        known += !row.alias && !strcmp(first, name);
    }
    assert_true(known > 300);
    disas_free(d);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(riscv), cmocka_unit_test(riscv_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
