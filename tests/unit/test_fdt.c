/* The generated device tree: what OpenSBI, U-Boot and Linux look for in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bits.h"
#include "cpu/riscv/arch.h"
#include "machine/board.h"
#include "machine/fdt.h"
#include "devices/devices.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define RAM UINT64_C(0x80000000)

/* A tree of the board virt. */
struct world {
    struct cpu_kind *kind;
    struct fdt_device devices[32];
    struct fdt_board board;
    struct fdt_chosen chosen;
    struct buf dtb;
};

static void world(struct world *w, const char *cpu, unsigned harts)
{
    struct err e;
    const struct board *b = board_find("virt");
    *w = (struct world){0};
    w->kind = riscv_arch.kind_new(&(struct cpu_choice){.text = cpu, .tick_cycles = 1}, &e);
    assert_non_null(w->kind);
    for (size_t i = 0; i < b->nlines; i++) {
        const struct board_line *l = &b->lines[i];
        w->devices[i] = (struct fdt_device){l->device, l->base, device_find(l->device)->mmio_size, l->irq, l->arg, false};
    }
    w->board = (struct fdt_board){.tree = b->tree,
                                  .kind = w->kind,
                                  .harts = harts,
                                  .ram_base = RAM,
                                  .ram_size = 256 << 20,
                                  .tick_hz = 10000000,
                                  .devices = w->devices,
                                  .ndevices = (unsigned)b->nlines,
                                  .seed = 1};
}

static void world_end(struct world *w)
{
    riscv_arch.kind_free(w->kind);
    buf_free(&w->dtb);
}

static void build(struct world *w)
{
    struct err e;
    buf_free(&w->dtb);
    assert_true(fdt_build(&w->board, &w->chosen, &w->dtb, &e));
    assert_int_equal(fdt_check_full(w->dtb.data, w->dtb.len), 0);
}

static const void *prop(struct world *w, const char *path, const char *name, int *len)
{
    int at = fdt_path_offset(w->dtb.data, path);
    if (at < 0)
        fail_msg("there is no node %s", path);
    return fdt_getprop(w->dtb.data, at, name, len);
}

static uint32_t cell(struct world *w, const char *path, const char *name, unsigned i)
{
    int len = 0;
    const fdt32_t *p = prop(w, path, name, &len);
    if (!p || len < (int)(4 * (i + 1)))
        fail_msg("%s has no %s[%u]", path, name, i);
    return fdt32_to_cpu(p[i]);
}

static const char *text(struct world *w, const char *path, const char *name) { return prop(w, path, name, NULL); }

static bool absent(struct world *w, const char *path) { return fdt_path_offset(w->dtb.data, path) == -FDT_ERR_NOTFOUND; }

static bool has_string(struct world *w, const char *path, const char *name, const char *s)
{
    return fdt_stringlist_search(w->dtb.data, fdt_path_offset(w->dtb.data, path), name, s) >= 0;
}

static void every_hart_has_a_node_an_interrupt_controller_and_a_core(void **state)
{
    (void)state;
    struct world w;
    world(&w, "rv64", 8);
    build(&w);
    assert_int_equal(cell(&w, "/cpus", "timebase-frequency", 0), 10000000);
    for (unsigned i = 0; i < 8; i++) {
        char cpu[32], intc[64], core[64];
        snprintf(cpu, sizeof cpu, "/cpus/cpu@%x", i);
        snprintf(intc, sizeof intc, "/cpus/cpu@%x/interrupt-controller", i);
        snprintf(core, sizeof core, "/cpus/cpu-map/cluster0/core%u", i);
        assert_int_equal(cell(&w, cpu, "reg", 0), i);
        assert_string_equal(text(&w, cpu, "status"), "okay");
        assert_string_equal(text(&w, intc, "compatible"), "riscv,cpu-intc");
        assert_int_equal(cell(&w, core, "cpu", 0), cell(&w, cpu, "phandle", 0));
        assert_int_equal(cell(&w, "/soc/clint@2000000", "interrupts-extended", 4 * i), cell(&w, intc, "phandle", 0));
        assert_int_equal(cell(&w, "/soc/clint@2000000", "interrupts-extended", 4 * i + 1), 3);
        assert_int_equal(cell(&w, "/soc/clint@2000000", "interrupts-extended", 4 * i + 3), 7);
        assert_int_equal(cell(&w, "/soc/plic@c000000", "interrupts-extended", 4 * i + 1), 11);
        assert_int_equal(cell(&w, "/soc/plic@c000000", "interrupts-extended", 4 * i + 3), 9);
    }
    assert_true(absent(&w, "/cpus/cpu@8"));
    world_end(&w);
}

static void isa_extensions_are_those_of_the_configuration(void **state)
{
    (void)state;
    struct world w;
    char isa[2048];
    world(&w, "rv64", 1);
    build(&w);
    rv_config_isa(&((struct rv_kind *)w.kind)->cfg, isa, sizeof isa);
    assert_string_equal(text(&w, "/cpus/cpu@0", "riscv,isa"), isa);
    assert_string_equal(text(&w, "/cpus/cpu@0", "riscv,isa-base"), "rv64i");
    static const char *const some[] = {"i", "m", "a", "f", "d", "c", "h", "zicsr", "zba", "sstc", "svinval"};
    for (size_t i = 0; i < ARRAY_LEN(some); i++)
        assert_true(has_string(&w, "/cpus/cpu@0", "riscv,isa-extensions", some[i]));
    /* As many strings as the ISA string has letters and words. */
    int n = (int)strcspn(isa + 4, "_");
    for (const char *p = isa; (p = strchr(p, '_')); p++)
        n++;
    assert_int_equal(fdt_stringlist_count(w.dtb.data, fdt_path_offset(w.dtb.data, "/cpus/cpu@0"), "riscv,isa-extensions"), n);
    world_end(&w);
    world(&w, "rv64,h=off,sstc=off", 1);
    build(&w);
    assert_false(has_string(&w, "/cpus/cpu@0", "riscv,isa-extensions", "h"));
    assert_false(has_string(&w, "/cpus/cpu@0", "riscv,isa-extensions", "sstc"));
    world_end(&w);
}

static void mmu_type_is_the_widest_mode(void **state)
{
    static const struct {
        const char *cpu, *type;
    } row[] = {
        {"rv64", "riscv,sv57"},
        {"rv64,sv57=off", "riscv,sv48"},
        {"rv64,sv57=off,sv48=off", "riscv,sv39"},
        {"rv32", "riscv,sv32"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct world w;
        world(&w, row[i].cpu, 1);
        build(&w);
        assert_string_equal(text(&w, "/cpus/cpu@0", "mmu-type"), row[i].type);
        world_end(&w);
    }
}

static void cache_block_sizes_go_with_their_extensions(void **state)
{
    (void)state;
    struct world w;
    world(&w, "rv64", 1);
    build(&w);
    assert_int_equal(cell(&w, "/cpus/cpu@0", "riscv,cbom-block-size", 0), 64);
    assert_int_equal(cell(&w, "/cpus/cpu@0", "riscv,cboz-block-size", 0), 64);
    assert_int_equal(cell(&w, "/cpus/cpu@0", "riscv,cbop-block-size", 0), 64);
    world_end(&w);
    world(&w, "rv64,zicbom=off", 1);
    build(&w);
    assert_null(prop(&w, "/cpus/cpu@0", "riscv,cbom-block-size", NULL));
    world_end(&w);
}

static void devices_of_the_board_are_where_the_board_says(void **state)
{
    static const struct {
        const char *path, *compatible;
        uint32_t base, size, irq;
    } row[] = {
        {"/soc/serial@10000000", "ns16550a", 0x10000000, 0x100, 10},
        {"/soc/test@100000", "sifive,test1", 0x100000, 0x1000, 0},
        {"/soc/test@100000", "syscon", 0x100000, 0x1000, 0},
        {"/soc/rtc@101000", "google,goldfish-rtc", 0x101000, 0x1000, 11},
        {"/soc/plic@c000000", "sifive,plic-1.0.0", 0xc000000, 0x600000, 0},
        {"/soc/clint@2000000", "sifive,clint0", 0x2000000, 0x10000, 0},
    };
    (void)state;
    struct world w;
    world(&w, "rv64", 1);
    build(&w);
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        assert_true(has_string(&w, row[i].path, "compatible", row[i].compatible));
        assert_int_equal(cell(&w, row[i].path, "reg", 1), row[i].base);
        assert_int_equal(cell(&w, row[i].path, "reg", 3), row[i].size);
        if (row[i].irq) {
            assert_int_equal(cell(&w, row[i].path, "interrupts", 0), row[i].irq);
            assert_int_equal(cell(&w, row[i].path, "interrupt-parent", 0), cell(&w, "/soc/plic@c000000", "phandle", 0));
        }
    }
    assert_int_equal(cell(&w, "/poweroff", "regmap", 0), cell(&w, "/soc/test@100000", "phandle", 0));
    assert_int_equal(cell(&w, "/poweroff", "value", 0), 0x5555);
    assert_int_equal(cell(&w, "/reboot", "value", 0), 0x7777);
    assert_string_equal(text(&w, "/chosen", "stdout-path"), "/soc/serial@10000000");
    assert_int_equal(cell(&w, "/memory@80000000", "reg", 1), RAM);
    assert_int_equal(cell(&w, "/memory@80000000", "reg", 3), 256 << 20);
    world_end(&w);
}

static void phandles_are_unique(void **state)
{
    (void)state;
    struct world w;
    uint32_t seen[64];
    unsigned n = 0;
    world(&w, "rv64", 8);
    build(&w);
    for (int at = fdt_next_node(w.dtb.data, -1, NULL); at >= 0; at = fdt_next_node(w.dtb.data, at, NULL)) {
        uint32_t p = fdt_get_phandle(w.dtb.data, at);
        for (unsigned i = 0; p && i < n; i++)
            assert_int_not_equal(seen[i], p);
        if (p)
            seen[n++] = p;
    }
    assert_int_equal(n, 8 + 8 + 2);
    world_end(&w);
}

static void pmu_counts_with_the_counters_that_are_there(void **state)
{
    (void)state;
    struct world w;
    world(&w, "rv64,hpm=4", 1);
    build(&w);
    assert_int_equal(cell(&w, "/pmu", "riscv,event-to-mhpmcounters", 2), 0x79); /* cycles: mcycle and 3..6 */
    assert_int_equal(cell(&w, "/pmu", "riscv,event-to-mhpmcounters", 5), 0x7c); /* instructions: minstret and 3..6 */
    world_end(&w);
    world(&w, "rv64,hpm=0,sscofpmf=off", 1);
    build(&w);
    assert_true(absent(&w, "/pmu"));
    world_end(&w);
}

static void seeds_follow_from_the_machines_seed_alone(void **state)
{
    (void)state;
    struct world a, b;
    int len;
    world(&a, "rv64", 1);
    world(&b, "rv64", 1);
    build(&a);
    build(&b);
    assert_int_equal(a.dtb.len, b.dtb.len);
    assert_memory_equal(a.dtb.data, b.dtb.data, a.dtb.len);
    b.board.seed = 2;
    build(&b);
    const void *x = prop(&a, "/chosen", "rng-seed", &len), *y = prop(&b, "/chosen", "rng-seed", NULL);
    assert_int_equal(len, 32);
    assert_memory_not_equal(x, y, 32);
    world_end(&a);
    world_end(&b);
}

static void chosen_tells_command_line_and_initrd_only_if_there(void **state)
{
    (void)state;
    struct world w;
    world(&w, "rv64", 1);
    build(&w);
    assert_null(prop(&w, "/chosen", "bootargs", NULL));
    assert_null(prop(&w, "/chosen", "linux,initrd-start", NULL));
    char longer[100001];
    memset(longer, 'x', 100000);
    longer[100000] = '\0';
    w.chosen = (struct fdt_chosen){longer, 0x84000000, 0x84000123};
    build(&w);
    assert_string_equal(text(&w, "/chosen", "bootargs"), longer);
    assert_int_equal(cell(&w, "/chosen", "linux,initrd-end", 1), 0x84000123);
    world_end(&w);
}

static void a_tree_from_a_file_is_completed_in_place(void **state)
{
    (void)state;
    struct world w;
    struct err e;
    world(&w, "rv64", 1);
    build(&w);
    struct fdt_chosen c = {"debug", 0x84000000, 0x84000123};
    assert_true(fdt_patch("x.dtb", &w.dtb, &c, &e));
    assert_int_equal(fdt_check_full(w.dtb.data, w.dtb.len), 0);
    assert_string_equal(text(&w, "/chosen", "bootargs"), "debug");
    assert_int_equal(cell(&w, "/chosen", "linux,initrd-start", 1), 0x84000000);
    assert_string_equal(text(&w, "/chosen", "stdout-path"), "/soc/serial@10000000");
    world_end(&w);
}

static void a_tree_without_chosen_gets_one(void **state)
{
    (void)state;
    struct world w;
    struct err e;
    world(&w, "rv64", 1);
    build(&w);
    assert_int_equal(fdt_del_node(w.dtb.data, fdt_path_offset(w.dtb.data, "/chosen")), 0);
    struct fdt_chosen c = {"debug", 0, 0};
    assert_true(fdt_patch("x.dtb", &w.dtb, &c, &e));
    assert_string_equal(text(&w, "/chosen", "bootargs"), "debug");
    world_end(&w);
}

/* A blob cut off anywhere, or with any byte of its header changed, is refused with its name or is still a sound tree. */
static void damaged_trees_are_refused(void **state)
{
    (void)state;
    struct world w;
    struct err e;
    world(&w, "rv64", 1);
    build(&w);
    for (size_t n = 0; n < w.dtb.len; n += n < 64 ? 1 : 61) {
        struct buf b = {0};
        buf_put(&b, w.dtb.data, n);
        assert_false(fdt_check("x.dtb", &b, &e));
        assert_non_null(strstr(e.text, "x.dtb is not a usable device tree blob"));
        buf_free(&b);
    }
    for (unsigned i = 0; i < 40; i++) {
        struct buf b = {0};
        buf_put(&b, w.dtb.data, w.dtb.len);
        b.data[i] ^= 0x55;
        if (fdt_check("x.dtb", &b, &e))
            assert_int_equal(fdt_check_full(b.data, b.len), 0);
        buf_free(&b);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hart_has_a_node_an_interrupt_controller_and_a_core),
        cmocka_unit_test(isa_extensions_are_those_of_the_configuration),
        cmocka_unit_test(mmu_type_is_the_widest_mode),
        cmocka_unit_test(cache_block_sizes_go_with_their_extensions),
        cmocka_unit_test(devices_of_the_board_are_where_the_board_says),
        cmocka_unit_test(phandles_are_unique),
        cmocka_unit_test(pmu_counts_with_the_counters_that_are_there),
        cmocka_unit_test(seeds_follow_from_the_machines_seed_alone),
        cmocka_unit_test(chosen_tells_command_line_and_initrd_only_if_there),
        cmocka_unit_test(a_tree_from_a_file_is_completed_in_place),
        cmocka_unit_test(a_tree_without_chosen_gets_one),
        cmocka_unit_test(damaged_trees_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
