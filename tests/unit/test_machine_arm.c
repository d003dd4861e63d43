/* A machine with the board virt-arm: device tree, PSCI, forks, saved states, what a reset keeps. The guest code is put together
 * here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "machine/machine.h"

#include <libfdt.h>

#define RAM   UINT64_C(0x40000000)
#define CODE  (RAM + 0x80000) /* where raw images go */
#define WORDS 64

static char kernel[64];

/* A raw image of these instructions as the kernel. */
static void write_kernel(const uint32_t *code, size_t n)
{
    snprintf(kernel, sizeof kernel, "/tmp/trapline-arm-%d", (int)getpid());
    FILE *f = fopen(kernel, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(code, 4, n, f), n);
    fclose(f);
}

static struct machine *board(const char *name, unsigned harts)
{
    struct err e;
    struct machine_config c = {.board = name, .kernel = kernel, .harts = harts};
    struct machine *m = machine_new(&c, &e);
    unlink(kernel);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_get_reg(m, hart, name, &v));
    return v;
}

enum {
    HVC = 0xd4000002,
    STAY = 0x14000000, /* b . */
};
/* movz/movk of 16 bits at 16 * k */
static uint32_t movz(unsigned rd, unsigned v, unsigned k) { return 0xd2800000u | k << 21 | v << 5 | rd; }
static uint32_t movk(unsigned rd, unsigned v, unsigned k) { return 0xf2800000u | k << 21 | v << 5 | rd; }

static void a_raw_image_starts_at_the_highest_level_with_the_device_tree(void **state)
{
    (void)state;
    static const struct {
        const char *board;
        unsigned el;
    } row[] = {{"virt-arm", 1}, {"virt-arm,virtualization=on", 2}, {"virt-arm,secure=on", 3}};
    const uint32_t code[] = {STAY};
    for (unsigned i = 0; i < 3; i++) {
        uint32_t magic;
        write_kernel(code, 1);
        struct machine *m = board(row[i].board, 1);
        assert_int_equal(reg(m, 0, "pc"), CODE);
        assert_int_equal(reg(m, 0, "el"), row[i].el);
        assert_true(machine_read(m, reg(m, 0, "x0"), &magic, 4));
        assert_int_equal(magic, 0xedfe0dd0);
        machine_free(m);
    }
}

static void the_device_tree_names_what_is_there(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    write_kernel(code, 1);
    struct machine *m = board("virt-arm,virtualization=on", 3);
    const void *t = m->setup->loader.dtb.data;
    assert_int_equal(fdt_check_full(t, m->setup->loader.dtb.len), 0);
    int gic = fdt_path_offset(t, "/intc@8000000"), uart = fdt_path_offset(t, "/pl011@9000000");
    assert_true(gic > 0 && uart > 0);
    const fdt32_t *r = fdt_getprop(t, gic, "reg", NULL), *irq = fdt_getprop(t, uart, "interrupts", NULL);
    assert_int_equal(fdt32_ld(&r[5]), 0x80a0000);
    assert_int_equal(fdt32_ld(&r[7]), 3 * 0x20000);
    assert_int_equal(fdt32_ld(&irq[0]), 0);
    assert_int_equal(fdt32_ld(&irq[1]), 1);
    assert_string_equal(fdt_getprop(t, fdt_path_offset(t, "/psci"), "method", NULL), "smc");
    assert_string_equal(fdt_getprop(t, fdt_path_offset(t, "/cpus/cpu@2"), "enable-method", NULL), "psci");
    assert_true(fdt_path_offset(t, "/cpus/cpu@3") < 0);
    assert_true(fdt_path_offset(t, "/virtio_mmio@a003e00") > 0);
    assert_true(fdt_path_offset(t, "/gpio-keys/poweroff") > 0);
    assert_true(fdt_path_offset(t, "/intc@8000000/its@8080000") > 0);
    assert_string_equal(fdt_getprop(t, fdt_path_offset(t, "/chosen"), "stdout-path", NULL), "/pl011@9000000");
    machine_free(m);
}

static void psci_starts_and_stops_other_pes(void **state)
{
    (void)state;
    /* CPU_ON of PE 1 at CODE + 64 with context 77. */
    uint32_t code[WORDS] = {movz(0, 3, 0),      movk(0, 0xc400, 1), movz(1, 1, 0), movz(2, 64, 0),
                            movk(2, 0x4008, 1), movz(3, 77, 0),     HVC,           STAY};
    code[16] = movz(5, 55, 0);
    code[17] = STAY;
    write_kernel(code, ARRAY_LEN(code));
    struct machine *m = board("virt-arm", 2);
    assert_true(machine_progress(m, 1)->parked);
    machine_run(m, 1000);
    assert_int_equal(reg(m, 0, "x0"), 0);
    assert_false(machine_progress(m, 1)->parked);
    assert_int_equal(reg(m, 1, "x0"), 77);
    assert_int_equal(reg(m, 1, "x5"), 55);
    assert_int_equal(reg(m, 1, "el"), 1);
    uint64_t x[8] = {0xc4000003, 1, CODE, 0};
    struct cpu *c = machine_hart(m, 0);
    assert_true(machine_firmware(m, c, x, false));
    assert_int_equal((int64_t)x[0], -4);           /* it is on */
    assert_false(machine_firmware(m, c, x, true)); /* not by SMC */
    memcpy(x, (uint64_t[]){0xc4000003, 2, CODE}, 24);
    machine_firmware(m, c, x, false);
    assert_int_equal((int64_t)x[0], -2); /* there is no PE 2 */
    memcpy(x, (uint64_t[]){0xc4000004, 1, 0}, 24);
    machine_firmware(m, c, x, false);
    assert_int_equal(x[0], 0);
    x[0] = 0x84000002;
    machine_firmware(m, machine_hart(m, 1), x, false);
    assert_true(machine_progress(m, 1)->parked);
    memcpy(x, (uint64_t[]){0x84000004, UINT64_C(0xffffffff00000001), 0}, 24); /* 32 bits of each argument count */
    machine_firmware(m, c, x, false);
    assert_int_equal(x[0], 1);
    memcpy(x, (uint64_t[]){0xc4000003, 1, CODE + 2}, 24);
    machine_firmware(m, c, x, false);
    assert_int_equal((int64_t)x[0], -9);
    x[0] = 0x84000000;
    machine_firmware(m, c, x, false);
    assert_int_equal(x[0], 0x10001);
    memcpy(x, (uint64_t[]){0x8400000a, 0xc4000003}, 16);
    machine_firmware(m, c, x, false);
    assert_int_equal(x[0], 0);
    memcpy(x, (uint64_t[]){0x8400000a, 0xc4000002}, 16);
    machine_firmware(m, c, x, false);
    assert_int_equal((int64_t)x[0], -1); /* no such 64-bit function */
    x[0] = 0x84000008;
    machine_firmware(m, c, x, false);
    assert_int_equal(machine_run(m, 1), MACHINE_EXIT);
    machine_free(m);
}

/* Arm ARM B2.9.6: a store that clears a monitor is an event for the PE that has it. One that waits in WFE is woken at that cycle,
   though the storing PE runs alone, so a run in pieces is the same run. */
static void a_store_wakes_who_waits_for_it_at_that_cycle(void **state)
{
    (void)state;
    uint32_t code[WORDS] = {movz(0, 3, 0),      movk(0, 0xc400, 1), movz(1, 1, 0), movz(2, 64, 0),
                            movk(2, 0x4008, 1), movz(3, 77, 0),     HVC,           movz(6, 0x4100, 1),
                            movz(5, 0x1000, 0),                      /* for (;;) { for (x5 = 0x1000; x5; x5--); str x5, [x6]; } */
                            0xd10004a5,         0xb5ffffe5,          /* sub x5, x5, #1; cbnz x5, .-4 */
                            0xf90000c5,         0x17fffffc};         /* str x5, [x6]; b .-16 */
    uint32_t waiter[] = {movz(6, 0x4100, 1), 0xd50320bf, 0xd503205f, /* sevl; wfe */
                         0xc85f7cc7,         0xd503205f, 0x91000529, /* for (;;) { ldxr x7, [x6]; wfe; add x9, x9, #1; } */
                         0x17fffffd};
    memcpy(code + 16, waiter, sizeof waiter);
    write_kernel(code, ARRAY_LEN(code));
    struct machine *m = board("virt-arm", 2);
    machine_run(m, 5000);
    struct machine *f = machine_fork(m);
    machine_run(m, 200000);
    for (unsigned i = 0; i < 200000 / 250; i++)
        machine_run(f, 250);
    assert_int_equal(machine_digest(m), machine_digest(f));
    assert_in_range(reg(m, 1, "x9"), 20, 30); /* a store each 8,195 cycles */
    machine_free(f);
    machine_free(m);
}

/* Writes a byte after a byte to the UART and counts in memory. */
static struct machine *busy(unsigned harts)
{
    const uint32_t code[] = {
        movz(1, 0x0900, 1), movz(2, 0x4100, 1), movz(3, 'a', 0), 0x39000023, /* strb w3, [x1] */
        0xf9400044,                                                          /* ldr x4, [x2] */
        0x91000484,                                                          /* add x4, x4, #1 */
        0xf9000044,                                                          /* str x4, [x2] */
        0x17fffffc,                                                          /* b .-16 */
    };
    write_kernel(code, ARRAY_LEN(code));
    return board("virt-arm,virtualization=on", harts);
}

static void forks_and_saved_states_go_on_alike(void **state)
{
    (void)state;
    char path[80];
    struct err e;
    struct machine *m = busy(2), *other = busy(2);
    machine_run(m, 5001);
    struct machine *f = machine_fork(m);
    snprintf(path, sizeof path, "/tmp/trapline-arm-%d.save", (int)getpid());
    assert_true(machine_save(m, path, &e));
    assert_int_equal(machine_digest(f), machine_digest(m));
    machine_run(m, 7000);
    uint64_t end = machine_digest(m);
    machine_run(f, 3000);
    assert_int_not_equal(machine_digest(f), end);
    machine_run(f, 4000);
    assert_int_equal(machine_digest(f), end);
    if (!machine_load(other, path, &e))
        fail_msg("%s", e.text);
    machine_run(other, 7000);
    assert_int_equal(machine_digest(other), end);
    unlink(path);
    machine_free(f);
    machine_free(m);
    machine_free(other);
}

/* Allocation tags (FEAT_MTE2) are state: in the digest, in forks and files, and gone after a reset. */
static void tags_are_state(void **state)
{
    (void)state;
    char path[80];
    struct err e;
    struct machine *m = busy(1), *other = busy(1);
    machine_run(m, 5000);
    uint64_t untagged = machine_digest(m);
    mem_set_tag(m->mem, 0x42000010, 7);
    mem_set_tag(m->mem, 0x47fffff0, 9);
    uint64_t tagged = machine_digest(m);
    assert_int_not_equal(tagged, untagged);
    struct machine *f = machine_fork(m);
    assert_int_equal(machine_digest(f), tagged);
    mem_set_tag(m->mem, 0x42000010, 6);
    assert_int_not_equal(machine_digest(m), tagged);
    machine_rewind(m, f);
    assert_int_equal(machine_digest(m), tagged);
    snprintf(path, sizeof path, "/tmp/trapline-arm-%d.save", (int)getpid());
    assert_true(machine_save(m, path, &e));
    if (!machine_load(other, path, &e))
        fail_msg("%s", e.text);
    unlink(path);
    assert_int_equal(machine_digest(other), tagged);
    assert_int_equal(mem_tag(other->mem, 0x47fffff0), 9);
    machine_reset(other);
    assert_int_equal(mem_tag(other->mem, 0x47fffff0), 0);
    machine_free(f);
    machine_free(m);
    machine_free(other);
}

static void flash_keeps_over_a_reset_what_was_programmed(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    write_kernel(code, 1);
    struct machine *m = board("virt-arm", 1);
    struct device *d = machine_device(m, "flash1");
    uint32_t v = 0;
    d->ops->write(d, 0, 4, 0x00200020);
    assert_null(mem_page_read(m->mem, 0x4000000)); /* not in array mode */
    d->ops->write(d, 0, 4, 0x00d000d0);
    d->ops->write(d, 8, 4, 0x00400040);
    d->ops->write(d, 8, 4, 0x12345678);
    machine_reboot(m);
    assert_non_null(mem_page_read(m->mem, 0x4000000));
    assert_true(machine_read(m, 0x4000008, &v, 4));
    assert_int_equal(v, 0x12345678);
    assert_int_equal(reg(m, 0, "pc"), CODE);
    machine_reset(m);
    assert_true(machine_read(m, 0x4000008, &v, 4));
    assert_int_equal(v, 0);
    /* The mode is state: it goes along with a fork and back. */
    struct machine *f = machine_fork(m);
    d->ops->write(d, 0, 4, 0x00700070);
    assert_null(mem_page_read(m->mem, 0x4000000));
    machine_restore(m, f);
    assert_non_null(mem_page_read(m->mem, 0x4000000));
    machine_free(f);
    machine_free(m);
}

static void slots_share_pages_and_interrupts_follow_each_other(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    write_kernel(code, 1);
    struct machine *m = board("virt-arm", 1);
    uint64_t v;
    for (unsigned i = 0; i < 32; i++) {
        const struct device_spec *s = &m->setup->device[m->setup->slot[i]];
        assert_int_equal(s->base, 0xa000000 + 0x200 * i);
        assert_int_equal(s->irq, 48 + i);
        assert_true(mem_io_read(m->mem, s->base, 4, &v));
        assert_int_equal(v, 0x74726976); /* "virt" */
    }
    assert_false(mem_io_read(m->mem, 0xa004000, 4, &v));
    machine_free(m);
}

/* Code that goes from EL3 to Non-secure EL2 at CODE + 64, where it loads from `address` to x5. scr: more bits of SCR_EL3. */
static struct machine *load_nonsecure(uint32_t address, uint32_t scr)
{
    uint32_t code[400] = {movz(0, 0x531, 0), /* SCR_EL3: NS, RES1, HCE, RW */
                          movk(0, scr >> 16, 1),
                          0xd51e1100, /* msr scr_el3, x0 */
                          movz(1, 0x3c9, 0),
                          0xd51e4001, /* msr spsr_el3, x1 */
                          movz(2, 64, 0),
                          movk(2, 0x4008, 1),
                          0xd51e4022, /* msr elr_el3, x2 */
                          0xd51cc002, /* msr vbar_el2, x2 */
                          0xd51ec002, /* msr vbar_el3, x2 */
                          movz(3, address & 0xffff, 0),
                          movk(3, address >> 16, 1),
                          0xf9400066,  /* ldr x6, [x3] */
                          0xd69f03e0}; /* eret */
    code[0] = movz(0, 0x531 | (scr & 0xffff), 0);
    code[16] = 0xf9400065; /* ldr x5, [x3] */
    code[17] = STAY;
    code[0x200 / 4] = code[0x400 / 4] = code[0x580 / 4] = STAY; /* vectors: same level, lower level, SError from a lower one */
    write_kernel(code, ARRAY_LEN(code));
    struct machine *m = board("virt-arm,virtualization=on,secure=on", 1);
    const uint64_t v = UINT64_C(0x1122334455667788);
    machine_write(m, address, &v, 8);
    machine_run(m, 100);
    return m;
}

/* What belongs to the Secure address space alone: memory, flash bank 0, devices; their Non-secure neighbours do not. */
static void nonsecure_accesses_do_not_reach_what_is_secure(void **state)
{
    (void)state;
    static const struct {
        uint32_t address;
        bool secure;
    } row[] = {{0xe000000, true}, {0xeffff00, true},  {0, true},         {0x9040000, true},
               {0x90b0400, true}, {0x4000000, false}, {0x9000000, false}};
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct machine *m = load_nonsecure(row[i].address, 0);
        if (reg(m, 0, "el") != 2)
            fail_msg("0x%x: EL%d", row[i].address, (int)reg(m, 0, "el"));
        bool aborted = reg(m, 0, "esr_el2") == 0x96004010; /* external abort, same level, PFAR_EL2 is valid */
        if (aborted != row[i].secure)
            fail_msg("0x%x: esr 0x%llx", row[i].address, (unsigned long long)reg(m, 0, "esr_el2"));
        if (row[i].address == 0xe000000)
            assert_int_equal(reg(m, 0, "x6"), UINT64_C(0x1122334455667788));
        machine_free(m);
    }
    /* Nor do devices. */
    const uint32_t code[] = {STAY};
    uint64_t v;
    write_kernel(code, 1);
    struct machine *m = board("virt-arm,secure=on", 1);
    struct device *d = machine_device(m, "fwcfg");
    assert_false(d->host->dma_read(d, 0xe000000, &v, 8));
    assert_false(d->host->dma_write(d, 0xdfffffc, &v, 8));
    assert_true(d->host->dma_read(d, RAM, &v, 8));
    machine_free(m);
}

/* SCR_EL3.EA takes external aborts to EL3, EASE (FEAT_DoubleFault) to the vector of SErrors there. */
static void external_aborts_go_where_scr_el3_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t scr;
        uint64_t el, pc;
    } row[] = {{0, 2, CODE + 0x200}, {8, 3, CODE + 0x400}, {8 | 1 << 19, 3, CODE + 0x580}, {1 << 19, 2, CODE + 0x200}};
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct machine *m = load_nonsecure(0xe000000, row[i].scr);
        assert_int_equal(reg(m, 0, "el"), row[i].el);
        assert_int_equal(reg(m, 0, "pc"), row[i].pc);
        assert_int_equal(reg(m, 0, row[i].el == 3 ? "esr_el3" : "esr_el2"), row[i].el == 3 ? 0x92004010 : 0x96004010);
        machine_free(m);
    }
}

static void without_el3_nothing_is_secure(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    uint64_t v;
    write_kernel(code, 1);
    struct machine *m = board("virt-arm,virtualization=on", 1);
    assert_null(machine_device(m, "serial1"));
    assert_null(machine_device(m, "gpio1"));
    assert_false(machine_read(m, 0xe000000, &v, 8));
    assert_true(fdt_path_offset(m->setup->loader.dtb.data, "/secram@e000000") < 0);
    machine_free(m);
}

static void the_device_tree_marks_what_is_secure(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    static const char *const node[] = {"/secram@e000000", "/secflash@0", "/pl011@9040000", "/pl061@90b0000"};
    write_kernel(code, 1);
    struct machine *m = board("virt-arm,secure=on", 2);
    const void *t = m->setup->loader.dtb.data;
    assert_int_equal(fdt_check_full(t, m->setup->loader.dtb.len), 0);
    for (unsigned i = 0; i < ARRAY_LEN(node); i++) {
        int at = fdt_path_offset(t, node[i]);
        if (at < 0)
            fail_msg("there is no %s", node[i]);
        assert_string_equal(fdt_getprop(t, at, "status", NULL), "disabled");
        assert_string_equal(fdt_getprop(t, at, "secure-status", NULL), "okay");
    }
    assert_true(fdt_path_offset(t, "/flash@4000000") > 0);
    assert_true(fdt_path_offset(t, "/gpio-poweroff") > 0);
    assert_string_equal(fdt_getprop(t, fdt_path_offset(t, "/chosen"), "stdout-path", NULL), "/pl011@9000000");
    assert_string_equal(fdt_getprop(t, fdt_path_offset(t, "/secure-chosen"), "stdout-path", NULL), "/pl011@9040000");
    machine_free(m);
}

static void every_pe_begins_at_an_image_in_el3(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    write_kernel(code, 1);
    struct machine *m = board("virt-arm,secure=on", 3);
    machine_run(m, 10);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(reg(m, i, "pc"), CODE);
        assert_int_equal(reg(m, i, "el"), 3);
        assert_int_equal(reg(m, i, "x1"), 0);
    }
    machine_free(m);
}

static void the_secure_gpio_is_the_power(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY};
    write_kernel(code, 1);
    struct machine *m = board("virt-arm,secure=on", 1);
    struct device *d = machine_device(m, "gpio1");
    d->ops->write(d, 1 << 2, 4, 1); /* it is no output yet */
    assert_int_equal(machine_run(m, 10), MACHINE_CYCLES);
    d->ops->write(d, 0x400, 4, 3);
    d->ops->write(d, 1 << 2, 4, 1);
    assert_int_equal(machine_run(m, 10), MACHINE_EXIT);
    assert_int_equal(machine_exit_code(m), 0);
    machine_free(m);
    struct device *other;
    write_kernel(code, 1);
    m = board("virt-arm,secure=on", 1);
    other = machine_device(m, "gpio0");
    other->ops->write(other, 0x400, 4, 3); /* the other one is not */
    other->ops->write(other, 1 << 2, 4, 1);
    d = machine_device(m, "gpio1");
    d->ops->write(d, 0x400, 4, 3);
    machine_set_reg(m, 0, "x9", 5);
    d->ops->write(d, 2 << 2, 4, 2);
    assert_int_equal(machine_run(m, 10), MACHINE_CYCLES);
    assert_int_equal(reg(m, 0, "x9"), 0); /* it began again */
    machine_free(m);
}

/* FEAT_WFxT: nothing else comes. The counter has 62.5 MHz, the machine 1 GHz. */
static void a_wait_ends_when_its_time_is_over(void **state)
{
    (void)state;
    for (unsigned event = 0; event < 2; event++) {
        const uint32_t wait = 0xd5031022 - (event << 5); /* wfit x2, wfet x2 */
        /* mrs x1, cntvct_el0; add x2, x1, #1000; wait; mrs x3, cntvct_el0; wait; mrs x4, cntvct_el0 */
        const uint32_t code[] = {0xd53be041, 0x910fa022, wait, 0xd53be043, wait, 0xd53be044, STAY};
        write_kernel(code, ARRAY_LEN(code));
        struct machine *m = board("virt-arm", 1);
        machine_run(m, 15900);
        assert_int_equal(reg(m, 0, "x3"), 0);
        assert_true(machine_waits(m, 0));
        machine_run(m, 16100);
        assert_in_range(reg(m, 0, "x3") - reg(m, 0, "x1"), 1000, 1001);
        assert_in_range(reg(m, 0, "x4") - reg(m, 0, "x3"), 0, 1); /* that time is over */
        machine_free(m);
    }
}

static void the_power_key_is_pin_3(void **state)
{
    (void)state;
    const uint32_t code[] = {0xd2a12060, 0xb9402001, 0x17ffffff}; /* movz x0, #0x903, lsl #16; ldr w1, [x0, #0x20]; b .-4 */
    const struct machine_injection key = {.event = MACHINE_KEY, .line = 3}, none = {.event = MACHINE_KEY, .line = 8};
    struct err e;
    write_kernel(code, 3);
    struct machine *m = board("virt-arm", 1);
    machine_run(m, 10);
    assert_int_equal(reg(m, 0, "x1"), 0);
    assert_true(machine_inject(m, &key, &e));
    machine_run(m, 20);
    assert_int_equal(reg(m, 0, "x1"), 8);
    assert_false(machine_inject(m, &none, &e));
    assert_string_equal(e.text, "the machine has no key 8");
    machine_free(m);
}

static uint64_t fw_cfg(struct machine *m, unsigned key, unsigned size)
{
    struct device *d = machine_device(m, "fwcfg");
    uint64_t v;
    d->ops->write(d, 8, 2, (key << 8 | key >> 8) & 0xffff);
    assert_true(d->ops->read(d, 0, size, &v));
    return v;
}

/* QEMU's hw/arm/boot.c: firmware in flash finds the kernel, its initrd and command line by fw_cfg. */
static void firmware_in_flash_is_handed_the_kernel(void **state)
{
    (void)state;
    const uint32_t code[] = {STAY, 0x12345678, 0x9abcdef0};
    char bios[80];
    struct err e;
    write_kernel(code, 3);
    snprintf(bios, sizeof bios, "%s.bios", kernel);
    FILE *f = fopen(bios, "wb");
    assert_int_equal(fwrite(code, 4, 1, f), 1);
    fclose(f);
    struct machine_config c = {.board = "virt-arm", .bios = bios, .kernel = kernel, .initrd = bios, .append = "a b"};
    struct machine *m = machine_new(&c, &e);
    if (!m)
        fail_msg("%s", e.text);
    assert_int_equal(reg(m, 0, "pc"), 0);
    assert_int_equal(fw_cfg(m, 0x08, 4), 12);
    assert_int_equal(fw_cfg(m, 0x11, 8), UINT64_C(0x1234567814000000));
    assert_int_equal(fw_cfg(m, 0x0b, 4), 4);
    assert_int_equal(fw_cfg(m, 0x12, 8), 0x14000000);
    assert_int_equal(fw_cfg(m, 0x14, 4), 4);
    assert_int_equal(fw_cfg(m, 0x15, 4), 0x622061);
    struct machine *fork = machine_fork(m);
    machine_free(m);
    assert_int_equal(fw_cfg(fork, 0x11, 4), 0x14000000);
    machine_reset(fork);
    assert_int_equal(fw_cfg(fork, 0x08, 4), 12);
    machine_free(fork);
    c.kernel = NULL;
    assert_null(machine_new(&c, &e)); /* an initrd of nothing */
    unlink(bios);
    unlink(kernel);
}

struct console {
    char text[64];
    size_t n;
};

static void hear(void *ctx, const char *device, const void *p, size_t n)
{
    struct console *k = ctx;
    assert_string_equal(device, "semihost");
    assert_true(k->n + n < sizeof k->text);
    memcpy(k->text + k->n, p, n);
    k->n += n;
}

/* "Semihosting for AArch32 and AArch64" 2.0: HLT #0xf000, the operation in w0, its parameter in x1, the result in x0. */
static void semihosting_prints_reads_and_ends_the_run(void **state)
{
    (void)state;
    enum { HLT = 0xd45e0000, TEXT = 0x200, BLOCK = 0x208 };
    const uint32_t to_x1 = movk(1, 0x4008, 1);
    uint32_t code[160] = {movz(0, 0x04, 0),
                          movk(0, 1, 2), /* SYS_WRITE0; only 32 bits of the operation count */
                          movz(1, TEXT, 0),
                          to_x1,
                          HLT,
                          movz(0, 0x07, 0), /* SYS_READC */
                          HLT,
                          0xaa0003e7, /* mov x7, x0 */
                          movz(0, 0x99, 0),
                          HLT,        /* unknown: -1 */
                          0xaa0003e8, /* mov x8, x0 */
                          movz(0, 0x20, 0),
                          movz(1, BLOCK, 0),
                          to_x1,
                          HLT,
                          STAY};
    struct console heard = {.n = 0};
    struct err e;
    memcpy(code + TEXT / 4, "hello", 6);
    memcpy(code + BLOCK / 4, (uint64_t[]){0x20026, 42}, 16);
    write_kernel(code, ARRAY_LEN(code));
    struct machine_config c = {.board = "virt-arm", .kernel = kernel, .semihosting = true, .host = {&heard, hear, NULL}};
    struct machine *m = machine_new(&c, &e);
    assert_non_null(m);
    assert_int_equal(machine_input(m, "semihost", "xy", 2), 2);
    assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
    assert_int_equal(machine_exit_code(m), 42);
    assert_string_equal(heard.text, "hello");
    assert_int_equal(reg(m, 0, "x7"), 'x');
    assert_int_equal(reg(m, 0, "x8"), UINT64_MAX);
    machine_free(m);
    c.semihosting = false; /* then HLT is UNDEFINED */
    m = machine_new(&c, &e);
    unlink(kernel);
    machine_run(m, 5);
    assert_int_equal(reg(m, 0, "esr_el1"), 0x2000000);
    assert_int_equal(reg(m, 0, "elr_el1"), CODE + 16);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raw_image_starts_at_the_highest_level_with_the_device_tree),
        cmocka_unit_test(the_device_tree_names_what_is_there),
        cmocka_unit_test(psci_starts_and_stops_other_pes),
        cmocka_unit_test(a_store_wakes_who_waits_for_it_at_that_cycle),
        cmocka_unit_test(forks_and_saved_states_go_on_alike),
        cmocka_unit_test(tags_are_state),
        cmocka_unit_test(flash_keeps_over_a_reset_what_was_programmed),
        cmocka_unit_test(slots_share_pages_and_interrupts_follow_each_other),
        cmocka_unit_test(nonsecure_accesses_do_not_reach_what_is_secure),
        cmocka_unit_test(external_aborts_go_where_scr_el3_says),
        cmocka_unit_test(without_el3_nothing_is_secure),
        cmocka_unit_test(the_device_tree_marks_what_is_secure),
        cmocka_unit_test(every_pe_begins_at_an_image_in_el3),
        cmocka_unit_test(the_secure_gpio_is_the_power),
        cmocka_unit_test(the_power_key_is_pin_3),
        cmocka_unit_test(a_wait_ends_when_its_time_is_over),
        cmocka_unit_test(firmware_in_flash_is_handed_the_kernel),
        cmocka_unit_test(semihosting_prints_reads_and_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
