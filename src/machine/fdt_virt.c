/* The device tree of the board virt, as OpenSBI, U-Boot and Linux expect it (bindings riscv/cpus, sifive,plic-1.0.0). */
#include "base/bits.h"
#include "machine/fdt_tree.h"
#include <stdio.h>

/* Phandles, by what they name. */
enum { PHANDLE_CPU = 0x1, PHANDLE_INTC = 0x20, PHANDLE_PLIC = 0x40, PHANDLE_TEST = 0x41 };

static void irq(struct fdt_tree *t, const struct fdt_device *d)
{
    if (!d->irq)
        return;
    dt_u32(t, "interrupts", d->irq);
    dt_u32(t, "interrupt-parent", PHANDLE_PLIC);
}

/* interrupts-extended: for each hart its local interrupts a and b (0: only a), numbered as in mip. */
static void hart_irqs(struct fdt_tree *t, uint32_t a, uint32_t b)
{
    uint32_t v[4 * DT_HARTS_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < t->board->harts; i++) {
        v[n++] = PHANDLE_INTC + i;
        v[n++] = a;
        if (b) {
            v[n++] = PHANDLE_INTC + i;
            v[n++] = b;
        }
    }
    dt_cells(t, "interrupts-extended", v, n);
}

/* ---- devices -------------------------------------------------------------------------------------------------------------- */

static void uart_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "serial", d->base);
    dt_str(t, "compatible", "ns16550a");
    dt_reg(t, d->base, d->size);
    dt_u32(t, "clock-frequency", 3686400);
    irq(t, d);
    dt_end(t);
}

static void clint_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "clint", d->base);
    DT_STRS(t, "compatible", "sifive,clint0\0riscv,clint0");
    dt_reg(t, d->base, d->size);
    hart_irqs(t, 3, 7);
    dt_end(t);
}

static void sswi_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "sswi", d->base);
    dt_str(t, "compatible", "riscv,aclint-sswi");
    dt_reg(t, d->base, d->size);
    hart_irqs(t, 1, 0);
    dt_flag(t, "interrupt-controller");
    dt_u32(t, "#address-cells", 0);
    dt_u32(t, "#interrupt-cells", 0);
    dt_end(t);
}

static void plic_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "plic", d->base);
    DT_STRS(t, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    dt_reg(t, d->base, d->size);
    dt_u32(t, "#address-cells", 0);
    dt_u32(t, "#interrupt-cells", 1);
    dt_flag(t, "interrupt-controller");
    hart_irqs(t, 11, 9);
    dt_u32(t, "riscv,ndev", d->arg ? (uint32_t)d->arg : 96);
    dt_u32(t, "phandle", PHANDLE_PLIC);
    dt_end(t);
}

static void test_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "test", d->base);
    DT_STRS(t, "compatible", "sifive,test1\0sifive,test0\0syscon");
    dt_reg(t, d->base, d->size);
    dt_u32(t, "phandle", PHANDLE_TEST);
    dt_end(t);
}

/* What the finisher's register does, for drivers that know only syscon: children of the root. */
static void test_root_nodes(struct fdt_tree *t, const struct fdt_device *d)
{
    static const struct {
        const char *name, *compatible;
        uint32_t value;
    } row[] = {
        {"poweroff", "syscon-poweroff", 0x5555},
        {"reboot", "syscon-reboot", 0x7777},
    };
    (void)d;
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        dt_node(t, row[i].name);
        dt_str(t, "compatible", row[i].compatible);
        dt_u32(t, "regmap", PHANDLE_TEST);
        dt_u32(t, "offset", 0);
        dt_u32(t, "value", row[i].value);
        dt_end(t);
    }
}

static void rtc_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "rtc", d->base);
    dt_str(t, "compatible", "google,goldfish-rtc");
    dt_reg(t, d->base, d->size);
    irq(t, d);
    dt_end(t);
}

static void virtio_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "virtio_mmio", d->base);
    dt_str(t, "compatible", "virtio,mmio");
    dt_reg(t, d->base, d->size);
    irq(t, d);
    dt_end(t);
}

static void fw_cfg_root_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "fw-cfg", d->base);
    dt_str(t, "compatible", "qemu,fw-cfg-mmio");
    dt_reg(t, d->base, d->size);
    dt_flag(t, "dma-coherent");
    dt_end(t);
}

/* One row a device that has nodes: below /soc, and below the root. */
static const struct dt_device_node device_nodes[] = {
    {"ns16550", uart_node, NULL},
    {"aclint", clint_node, NULL},
    {"aclint_sswi", sswi_node, NULL},
    {"plic", plic_node, NULL},
    {"sifive_test", test_node, test_root_nodes},
    {"goldfish_rtc", rtc_node, NULL},
    {"virtio_none", virtio_node, NULL},
    {"virtio_blk", virtio_node, NULL},
    {"virtio_console", virtio_node, NULL},
    {"virtio_rng", virtio_node, NULL},
    {"virtio_net", virtio_node, NULL},
    {"fw_cfg", NULL, fw_cfg_root_node},
};

/* ---- harts ---------------------------------------------------------------------------------------------------------------- */

static void cpu_node(struct fdt_tree *t, unsigned hart)
{
    dt_node_at(t, "cpu", hart);
    dt_str(t, "device_type", "cpu");
    dt_u32(t, "reg", hart);
    dt_str(t, "status", "okay");
    dt_describe(t, CPU_NODE_CPU);
    dt_u32(t, "phandle", PHANDLE_CPU + hart);
    dt_node(t, "interrupt-controller");
    dt_str(t, "compatible", "riscv,cpu-intc");
    dt_u32(t, "#address-cells", 0);
    dt_u32(t, "#interrupt-cells", 1);
    dt_flag(t, "interrupt-controller");
    dt_u32(t, "phandle", PHANDLE_INTC + hart);
    dt_end(t);
    dt_end(t);
}

static void cpus_node(struct fdt_tree *t)
{
    char name[16];
    dt_node(t, "cpus");
    dt_u32(t, "#address-cells", 1);
    dt_u32(t, "#size-cells", 0);
    dt_u32(t, "timebase-frequency", (uint32_t)t->board->tick_hz);
    for (unsigned i = 0; i < t->board->harts; i++)
        cpu_node(t, i);
    dt_node(t, "cpu-map");
    dt_node(t, "cluster0");
    for (unsigned i = 0; i < t->board->harts; i++) {
        snprintf(name, sizeof name, "core%u", i);
        dt_node(t, name);
        dt_u32(t, "cpu", PHANDLE_CPU + i);
        dt_end(t);
    }
    dt_end(t);
    dt_end(t);
    dt_end(t);
}

void fdt_virt(struct fdt_tree *t, const struct fdt_chosen *chosen)
{
    dt_node(t, "");
    dt_u32(t, "#address-cells", 2);
    dt_u32(t, "#size-cells", 2);
    dt_str(t, "compatible", "riscv-virtio");
    dt_str(t, "model", "riscv-virtio,trapline");
    dt_chosen_node(t, chosen, "ns16550", "/soc/serial");
    dt_memory_node(t);
    cpus_node(t);
    dt_pmu_node(t);
    dt_devices(t, device_nodes, ARRAY_LEN(device_nodes), true);
    dt_node(t, "soc");
    dt_u32(t, "#address-cells", 2);
    dt_u32(t, "#size-cells", 2);
    dt_str(t, "compatible", "simple-bus");
    dt_flag(t, "ranges");
    dt_devices(t, device_nodes, ARRAY_LEN(device_nodes), false);
    dt_end(t);
    dt_end(t);
}
