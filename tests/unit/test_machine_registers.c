/*
 * The description of registers: every row of the configuration once, with its fields inside of it; what is written by number is
 * read by number and by name; looking at all of them changes nothing.
 */
#include "csr/arm/sysreg.h"
#include "csr/riscv/csr.h"
#include "machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct machine *board(const char *name, const char *cpu)
{
    struct err e;
    struct machine *m = machine_new(&(struct machine_config){.board = name, .cpu = cpu, .harts = 2, .bios = "none"}, &e);
    if (!m)
        fail_msg("%s: %s", name, e.text);
    return m;
}

static unsigned count_of(const struct machine *m)
{
    struct machine_register r;
    unsigned n = 0;
    while (machine_register(m, 0, n, &r))
        n++;
    assert_true(n > 40);
    assert_false(machine_register(m, 2, 0, &r));
    assert_false(machine_register(m, 0, n + 5, &r));
    return n;
}

/* What holds of any register: its fields are in it and ordered, its names lead back to it. */
static void check_rows(struct machine *m)
{
    struct machine_register r;
    for (unsigned i = 0; machine_register(m, 1, i, &r); i++) {
        assert_true(r.width && r.width <= 8 * MACHINE_REGISTER_BYTES);
        if (machine_register_named(m, r.name) != (int)i || (r.alias && machine_register_named(m, r.alias) != (int)i))
            fail_msg("%s is not number %u", r.name, i);
        assert_true(r.fields < MACHINE_FIELDS); /* none was cut off */
        for (unsigned f = 0; f < r.fields; f++) {
            if (!r.field[f].width || r.field[f].lo + r.field[f].width > r.width || !r.field[f].meaning[0])
                fail_msg("%s.%s is at %u, %u bits", r.name, r.field[f].name, r.field[f].lo, r.field[f].width);
            assert_true(!f || r.field[f].lo >= r.field[f - 1].lo);
        }
    }
    assert_int_equal(machine_register_named(m, "no_such"), -1);
}

/* By number and by name the same, and a look at all of them is no change. */
static void check_reads(struct machine *m)
{
    uint64_t before = machine_digest(m);
    struct machine_register r;
    for (unsigned i = 0; machine_register(m, 1, i, &r); i++) {
        uint8_t wide[MACHINE_REGISTER_BYTES] = {0};
        uint64_t value = 0, low = 0;
        char name[48];
        snprintf(name, sizeof name, r.width > 64 ? "%s.d0" : "%s", r.name);
        if (!machine_get_wide(m, 1, i, wide) || !machine_get_reg(m, 1, name, &value))
            fail_msg("%s cannot be read", r.name);
        memcpy(&low, wide, 8);
        if (r.width < 64)
            value &= (UINT64_C(1) << r.width) - 1;
        if (low != value)
            fail_msg("%s: %llx by number, %llx by name", r.name, (unsigned long long)low, (unsigned long long)value);
    }
    assert_true(machine_digest(m) == before);
}

/* A value written comes back, and writing what is there changes nothing, but where a write clears what it has ones for. */
static void check_writes(struct machine *m)
{
    struct machine_register r;
    for (unsigned i = 0; machine_register(m, 1, i, &r); i++) {
        uint8_t want[MACHINE_REGISTER_BYTES], got[MACHINE_REGISTER_BYTES] = {0};
        bool zero = !strcmp(r.name, "x0") && r.alias;
        for (unsigned b = 0; b < sizeof want; b++)
            want[b] = (uint8_t)(0x11 * b + i);
        if (!strcmp(r.name, "pc"))
            want[0] &= 0xf0;
        if (r.group == MACHINE_SYSTEM || r.group == MACHINE_MODE || !strcmp(r.name, "pstate"))
            assert_true(machine_get_wide(m, 1, i, want));
        bool written = machine_set_wide(m, 1, i, want);
        assert_true(written || !strcmp(r.name, "el"));
        assert_true(machine_get_wide(m, 1, i, got));
        if (zero)
            memset(want, 0, sizeof want);
        if (!strstr(r.name, "clr") && memcmp(got, want, (r.width + 7) / 8) != 0)
            fail_msg("%s is not what was written", r.name);
    }
}

static void a_riscv_hart_has_each_csr_once(void **state)
{
    (void)state;
    static const char *const cpus[] = {"rv64", "rv32", "rv64,h=off", "rv64,d=off,zcd=off,zfh=off,zfhmin=off"};
    for (unsigned c = 0; c < sizeof cpus / sizeof cpus[0]; c++) {
        struct machine *m = board("virt", cpus[c]);
        unsigned seen[4096] = {0}, first = 0, n = count_of(m);
        struct machine_register r;
        for (unsigned i = 0; machine_register(m, 0, i, &r); i++) {
            if (r.group != MACHINE_SYSTEM)
                continue;
            char name[32];
            csr_name(r.number, name, sizeof name);
            assert_string_equal(name, r.name);
            seen[r.number]++;
            first = first ? first : i;
        }
        unsigned exist = 0;
        for (unsigned num = 0; num < 4096; num++) {
            uint64_t v;
            const struct csr_row *row = csr_row_by_num(num);
            char name[32];
            csr_name(num, name, sizeof name);
            bool there = row && machine_get_reg(m, 0, name, &v);
            assert_int_equal(seen[num], there);
            exist += there;
        }
        assert_int_equal(first + exist, n);
        check_rows(m);
        check_reads(m);
        check_writes(m);
        machine_free(m);
    }
}

static void an_arm_pe_has_each_system_register_once(void **state)
{
    (void)state;
    static const char *const boards[] = {"virt-arm", "virt-arm,virtualization=on", "virt-arm,secure=on,virtualization=on"};
    for (unsigned b = 0; b < sizeof boards / sizeof boards[0]; b++) {
        struct machine *m = board(boards[b], NULL);
        unsigned system = 0, exist = 0;
        struct machine_register r;
        for (unsigned i = 0; machine_register(m, 0, i, &r); i++)
            system += r.group == MACHINE_SYSTEM;
        for (unsigned id = 1; id < SYSREG_COUNT; id++) {
            uint64_t v;
            char name[40];
            sysreg_name(id, name, sizeof name);
            bool there = machine_get_reg(m, 0, name, &v);
            exist += there;
            assert_int_equal(machine_register_named(m, name) >= 0, there);
        }
        assert_int_equal(system, exist);
        assert_true(exist > 150);
        check_rows(m);
        check_reads(m);
        check_writes(m);
        machine_free(m);
    }
}

static bool has_field(struct machine *m, const char *name, const char *field, unsigned lo, unsigned width)
{
    struct machine_register r;
    int i = machine_register_named(m, name);
    assert_true(i >= 0 && machine_register(m, 0, (unsigned)i, &r));
    for (unsigned f = 0; f < r.fields; f++)
        if (!strcmp(r.field[f].name, field))
            return r.field[f].lo == lo && r.field[f].width == width;
    return false;
}

static void fields_are_those_of_the_configuration(void **state)
{
    (void)state;
    struct machine *wide = board("virt", "rv64"), *narrow = board("virt", "rv32"), *plain = board("virt", "rv64,h=off");
    assert_true(has_field(wide, "hstatus", "SPVP", 8, 1) && has_field(wide, "hstatus", "VGEIN", 12, 6));
    assert_true(has_field(wide, "mstatus", "MPV", 39, 1) && has_field(narrow, "mstatush", "MPV", 7, 1));
    assert_false(has_field(plain, "mstatus", "MPV", 39, 1));
    assert_true(has_field(wide, "satp", "MODE", 60, 4) && has_field(narrow, "satp", "MODE", 31, 1));
    machine_free(wide);
    machine_free(narrow);
    machine_free(plain);
    struct machine *arm = board("virt-arm,virtualization=on", NULL);
    assert_true(has_field(arm, "hcr_el2", "VM", 0, 1) && has_field(arm, "pstate", "N", 31, 1));
    assert_true(has_field(arm, "tcr_el1", "T0SZ", 0, 6));
    machine_free(arm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_riscv_hart_has_each_csr_once),
        cmocka_unit_test(an_arm_pe_has_each_system_register_once),
        cmocka_unit_test(fields_are_those_of_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
