/* The device tree of the board virt-arm, as EDK2, U-Boot and Linux expect it of QEMU's (bindings arm/psci, arm/arch_timer,
 * arm,gic-v3, arm,pl011, gpio-keys, cfi-flash). */
#include "base/bits.h"
#include "machine/fdt_tree.h"
#include <string.h>

/* Phandles, by what they name. */
enum { PHANDLE_GIC = 1, PHANDLE_CLOCK = 2, PHANDLE_ITS = 3, PHANDLE_GPIO = 4, PHANDLE_SECURE_GPIO = 5, PHANDLE_CPU = 0x10 };
enum { SPI, PPI };
enum { EDGE = 1, LEVEL = 4 };
#define GIC_ITS    UINT64_C(0x80000) /* frames of the device gicv3, from its base */
#define GIC_REDIST UINT64_C(0xa0000)

/* INTIDs of SPIs begin at 32, those of PPIs at 16. */
static void irq(struct fdt_tree *t, const struct fdt_device *d, uint32_t trigger)
{
    dt_cells(t, "interrupts", (uint32_t[]){SPI, d->irq - 32, trigger}, 3);
}

/* What Non-secure software must leave alone (Linux Documentation/devicetree/bindings/arm/secure.txt). */
static void secure_only(struct fdt_tree *t)
{
    dt_str(t, "status", "disabled");
    dt_str(t, "secure-status", "okay");
}

static void clocks(struct fdt_tree *t, unsigned n)
{
    dt_cells(t, "clocks", (uint32_t[]){PHANDLE_CLOCK, PHANDLE_CLOCK}, n);
    if (n == 2)
        DT_STRS(t, "clock-names", "uartclk\0apb_pclk");
    else
        dt_str(t, "clock-names", "apb_pclk");
}

/* ---- devices
 * ---------------------------------------------------------------------------------------------------------------------- */

static void gic_node(struct fdt_tree *t, const struct fdt_device *d)
{
    const uint64_t redist = UINT64_C(0x20000) * t->board->harts;
    dt_node_at(t, "intc", d->base);
    dt_str(t, "compatible", "arm,gic-v3");
    dt_cells(t, "reg", (uint32_t[]){0, (uint32_t)d->base, 0, 0x10000, 0, (uint32_t)(d->base + GIC_REDIST), 0, (uint32_t)redist},
             8);
    dt_u32(t, "#redistributor-regions", 1);
    dt_flag(t, "interrupt-controller");
    dt_u32(t, "#interrupt-cells", 3);
    dt_u32(t, "#address-cells", 2);
    dt_u32(t, "#size-cells", 2);
    dt_flag(t, "ranges");
    dt_cells(t, "interrupts", (uint32_t[]){PPI, 9, LEVEL}, 3); /* maintenance of the virtual interface */
    dt_u32(t, "phandle", PHANDLE_GIC);
    dt_node_at(t, "its", d->base + GIC_ITS);
    dt_str(t, "compatible", "arm,gic-v3-its");
    dt_flag(t, "msi-controller");
    dt_u32(t, "#msi-cells", 1);
    dt_reg(t, d->base + GIC_ITS, 0x20000);
    dt_u32(t, "phandle", PHANDLE_ITS);
    dt_end(t);
    dt_end(t);
}

static void uart_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "pl011", d->base);
    DT_STRS(t, "compatible", "arm,pl011\0arm,primecell");
    dt_reg(t, d->base, d->size);
    irq(t, d, LEVEL);
    clocks(t, 2);
    if (d->secure)
        secure_only(t);
    dt_end(t);
}

static void rtc_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "pl031", d->base);
    DT_STRS(t, "compatible", "arm,pl031\0arm,primecell");
    dt_reg(t, d->base, d->size);
    irq(t, d, LEVEL);
    clocks(t, 1);
    dt_end(t);
}

/* A node "gpio-poweroff" or "gpio-restart": the output that does it. */
static void power_output(struct fdt_tree *t, const char *name, uint32_t pin)
{
    dt_node(t, name);
    dt_str(t, "compatible", name);
    dt_cells(t, "gpios", (uint32_t[]){PHANDLE_SECURE_GPIO, pin, 0}, 3);
    secure_only(t);
    dt_end(t);
}

static void gpio_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "pl061", d->base);
    DT_STRS(t, "compatible", "arm,pl061\0arm,primecell");
    dt_reg(t, d->base, d->size);
    if (d->irq)
        irq(t, d, LEVEL);
    clocks(t, 1);
    dt_flag(t, "gpio-controller");
    dt_u32(t, "#gpio-cells", 2);
    dt_u32(t, "phandle", d->secure ? PHANDLE_SECURE_GPIO : PHANDLE_GPIO);
    if (d->secure) {
        secure_only(t);
        dt_end(t);
        power_output(t, "gpio-poweroff", 0);
        power_output(t, "gpio-restart", 1);
        return;
    }
    dt_end(t);
    dt_node(t, "gpio-keys");
    dt_str(t, "compatible", "gpio-keys");
    dt_node(t, "poweroff");
    dt_str(t, "label", "GPIO Key Poweroff");
    dt_u32(t, "linux,code", 116); /* KEY_POWER */
    dt_cells(t, "gpios", (uint32_t[]){PHANDLE_GPIO, 3, 0}, 3);
    dt_end(t);
    dt_end(t);
}

static void virtio_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "virtio_mmio", d->base);
    dt_str(t, "compatible", "virtio,mmio");
    dt_reg(t, d->base, 0x200);
    irq(t, d, EDGE);
    dt_flag(t, "dma-coherent");
    dt_end(t);
}

static void fw_cfg_node(struct fdt_tree *t, const struct fdt_device *d)
{
    dt_node_at(t, "fw-cfg", d->base);
    dt_str(t, "compatible", "qemu,fw-cfg-mmio");
    dt_reg(t, d->base, d->size);
    dt_flag(t, "dma-coherent");
    dt_end(t);
}

static const struct dt_device_node device_nodes[] = {
    {"gicv3", NULL, gic_node},
    {"pl011", NULL, uart_node},
    {"pl031", NULL, rtc_node},
    {"pl061", NULL, gpio_node},
    {"virtio_none", NULL, virtio_node},
    {"virtio_blk", NULL, virtio_node},
    {"virtio_console", NULL, virtio_node},
    {"virtio_rng", NULL, virtio_node},
    {"virtio_net", NULL, virtio_node},
    {"fw_cfg", NULL, fw_cfg_node},
};

static void flash_node(struct fdt_tree *t, const char *name, const uint32_t *reg, size_t n, bool secure)
{
    dt_node_at(t, name, reg[1]);
    dt_str(t, "compatible", "cfi-flash");
    dt_cells(t, "reg", reg, n);
    dt_u32(t, "bank-width", 4);
    if (secure)
        secure_only(t);
    dt_end(t);
}

/* Both banks are one node, with a range each; with two security states the first is a node of its own. */
static void flash_nodes(struct fdt_tree *t)
{
    uint32_t reg[8];
    size_t n = 0;
    for (unsigned i = 0; i < t->board->ndevices && n < ARRAY_LEN(reg); i++) {
        const struct fdt_device *d = &t->board->devices[i];
        if (strcmp(d->name, "cfi_flash"))
            continue;
        reg[n++] = (uint32_t)(d->base >> 32);
        reg[n++] = (uint32_t)d->base;
        reg[n++] = (uint32_t)(d->size >> 32);
        reg[n++] = (uint32_t)d->size;
    }
    if (n == ARRAY_LEN(reg) && t->board->secure_ram_size) {
        flash_node(t, "secflash", reg, 4, true);
        flash_node(t, "flash", reg + 4, 4, false);
    } else if (n) {
        flash_node(t, "flash", reg, n, false);
    }
}

/* ---- PEs
 * -------------------------------------------------------------------------------------------------------------------------- */

static void cpus_node(struct fdt_tree *t)
{
    dt_node(t, "cpus");
    dt_u32(t, "#address-cells", 1);
    dt_u32(t, "#size-cells", 0);
    for (unsigned i = 0; i < t->board->harts; i++) {
        dt_node_at(t, "cpu", i);
        dt_str(t, "device_type", "cpu");
        dt_u32(t, "reg", i); /* MPIDR_EL1: up to 16 are one cluster */
        dt_describe(t, CPU_NODE_CPU);
        if (t->board->conduit && t->board->harts > 1)
            dt_str(t, "enable-method", "psci");
        dt_u32(t, "phandle", PHANDLE_CPU + i);
        dt_end(t);
    }
    dt_end(t);
}

static void psci_node(struct fdt_tree *t)
{
    if (!t->board->conduit)
        return;
    dt_node(t, "psci");
    DT_STRS(t, "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci");
    dt_str(t, "method", t->board->conduit);
    dt_u32(t, "cpu_suspend", 0xc4000001);
    dt_u32(t, "cpu_off", 0x84000002);
    dt_u32(t, "cpu_on", 0xc4000003);
    dt_u32(t, "migrate", 0xc4000005);
    dt_end(t);
}

/* Secure physical, physical, virtual, hypervisor physical and virtual timer. */
static void timer_node(struct fdt_tree *t)
{
    dt_node(t, "timer");
    DT_STRS(t, "compatible", "arm,armv8-timer\0arm,armv7-timer");
    dt_cells(t, "interrupts", (uint32_t[]){PPI, 13, LEVEL, PPI, 14, LEVEL, PPI, 11, LEVEL, PPI, 10, LEVEL, PPI, 12, LEVEL}, 15);
    dt_flag(t, "always-on");
    dt_end(t);
}

static void secure_memory_node(struct fdt_tree *t)
{
    if (!t->board->secure_ram_size)
        return;
    dt_node_at(t, "secram", t->board->secure_ram_base);
    dt_str(t, "device_type", "memory");
    dt_reg(t, t->board->secure_ram_base, t->board->secure_ram_size);
    secure_only(t);
    dt_end(t);
}

/* The console of Secure software. */
static void secure_chosen_node(struct fdt_tree *t)
{
    if (!t->board->secure_ram_size)
        return;
    dt_node(t, "secure-chosen");
    dt_str(t, "stdout-path", "/pl011@9040000");
    dt_end(t);
}

static void clock_node(struct fdt_tree *t)
{
    dt_node(t, "apb-pclk");
    dt_str(t, "compatible", "fixed-clock");
    dt_u32(t, "#clock-cells", 0);
    dt_u32(t, "clock-frequency", 24000000);
    dt_str(t, "clock-output-names", "clk24mhz");
    dt_u32(t, "phandle", PHANDLE_CLOCK);
    dt_end(t);
}

static void aliases_node(struct fdt_tree *t)
{
    dt_node(t, "aliases");
    dt_str(t, "serial0", "/pl011@9000000");
    dt_end(t);
}

void fdt_virt_arm(struct fdt_tree *t, const struct fdt_chosen *chosen)
{
    dt_node(t, "");
    dt_u32(t, "interrupt-parent", PHANDLE_GIC);
    dt_str(t, "model", "linux,dummy-virt");
    dt_u32(t, "#size-cells", 2);
    dt_u32(t, "#address-cells", 2);
    dt_str(t, "compatible", "linux,dummy-virt");
    psci_node(t);
    dt_memory_node(t);
    secure_memory_node(t);
    secure_chosen_node(t);
    clock_node(t);
    flash_nodes(t);
    cpus_node(t);
    timer_node(t);
    dt_pmu_node(t);
    dt_devices(t, device_nodes, ARRAY_LEN(device_nodes), true);
    aliases_node(t);
    dt_chosen_node(t, chosen, "pl011", "/pl011");
    dt_end(t);
}
