/* Following the gist of every RISC-V row: lib/gist_rows.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cpu/riscv/decode.h"
#include "gist_rows.h"

static void rows(const char *cpu, const char *rom)
{
    struct gist_world w;
    gist_open(&w, &(struct machine_config){.board = "virt", .cpu = cpu, .bios = "none", .kernel = rom}, UINT64_C(0x80000000));
    gist_set(&w, "mstatus", 0x6000); /* floating point is on */
    for (unsigned i = 0; i < rv_insn_count() * GIST_TRIALS; i++) {
        struct insn_row row = rv_insn_row(i % rv_insn_count());
        gist_trial(&w, row.name, row.pattern);
    }
    gist_close(&w);
}

static void rows_of_64_bits(void **state)
{
    (void)state;
    rows(NULL, TL_SOURCE_DIR "/roms/test-double.elf");
}

static void rows_of_32_bits(void **state)
{
    (void)state;
    rows("rv32", TL_SOURCE_DIR "/roms/test-double-rv32.elf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_64_bits),
        cmocka_unit_test(rows_of_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
