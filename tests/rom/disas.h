/* What the tests of disassembly share. */
#ifndef TL_TESTS_ROM_DISAS_H
#define TL_TESTS_ROM_DISAS_H
#include "base/bits.h"
#include "debug/disas.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline struct machine *machine(const char *board, const char *cpu)
{
    struct machine_config c = {.board = board, .cpu = cpu, .bios = "none"};
    struct err e = {""};
    struct machine *m = machine_new(&c, &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static inline void expect(struct disas *d, struct machine *m, uint32_t bits, unsigned bytes, const char *want)
{
    char text[DISAS_TEXT];
    const uint8_t p[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
    assert_int_equal(disas_bytes(d, m, 0, 0x80000000, p, sizeof p, text, sizeof text), bytes);
    assert_string_equal(text, want);
}

#endif
