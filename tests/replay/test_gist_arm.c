/* Following the gist of every A64 row: lib/gist_rows.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cpu/arm/decode.h"
#include "gist_rows.h"

static void rows(void **state)
{
    struct gist_world w;
    (void)state;
    gist_open(&w, &(struct machine_config){.board = "virt-arm", .bios = TL_SOURCE_DIR "/roms/bench-compute-a64-quick.elf"},
              UINT64_C(0x40000000));
    gist_set(&w, "cpacr_el1", 3 << 20); /* floating point is on */
    for (unsigned i = 0; i < a64_row_count() * GIST_TRIALS; i++) {
        struct a64_row row = a64_row(i % a64_row_count());
        gist_trial(&w, row.name, row.pattern);
    }
    gist_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
