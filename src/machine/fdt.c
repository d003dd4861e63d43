#include "machine/fdt.h"
#include "base/bits.h"
#include "base/rng.h"
#include <assert.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Phandles, by what they name. */
enum { PHANDLE_CPU = 0x1, PHANDLE_INTC = 0x20, PHANDLE_PLIC = 0x40, PHANDLE_TEST = 0x41 };

#define HARTS_MAX 32

/* A tree being written: the first failure sticks and is looked at once, at the end. */
struct tree {
    void *fdt;
    int err;
    const struct fdt_board *board;
};

static void put(struct tree *t, int result)
{
    if (!t->err && result < 0)
        t->err = result;
}

static void node(struct tree *t, const char *name) { put(t, fdt_begin_node(t->fdt, name)); }

static void node_at(struct tree *t, const char *name, uint64_t address)
{
    char full[64];
    snprintf(full, sizeof full, "%s@%" PRIx64, name, address);
    node(t, full);
}

static void end(struct tree *t) { put(t, fdt_end_node(t->fdt)); }
static void u32(struct tree *t, const char *name, uint32_t v) { put(t, fdt_property_u32(t->fdt, name, v)); }
static void str(struct tree *t, const char *name, const char *v) { put(t, fdt_property(t->fdt, name, v, (int)strlen(v) + 1)); }
static void flag(struct tree *t, const char *name) { put(t, fdt_property(t->fdt, name, NULL, 0)); }

/* A list of strings that were joined with NULs; n counts the last NUL too. */
static void strs(struct tree *t, const char *name, const char *v, size_t n) { put(t, fdt_property(t->fdt, name, v, (int)n)); }
#define STRS(t, name, literal) strs(t, name, literal, sizeof(literal))

static void cells(struct tree *t, const char *name, const uint32_t *v, size_t n)
{
    fdt32_t out[4 * HARTS_MAX];
    assert(n <= ARRAY_LEN(out));
    for (size_t i = 0; i < n; i++)
        out[i] = cpu_to_fdt32(v[i]);
    put(t, fdt_property(t->fdt, name, out, (int)(n * sizeof *out)));
}

/* reg with two cells of address and two of size. */
static void reg(struct tree *t, uint64_t base, uint64_t size)
{
    cells(t, "reg", (uint32_t[]){(uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32), (uint32_t)size}, 4);
}

static void irq(struct tree *t, const struct fdt_device *d)
{
    if (!d->irq)
        return;
    u32(t, "interrupts", d->irq);
    u32(t, "interrupt-parent", PHANDLE_PLIC);
}

/* interrupts-extended: for each hart its local interrupts a and b (0: only a), numbered as in mip. */
static void hart_irqs(struct tree *t, uint32_t a, uint32_t b)
{
    uint32_t v[4 * HARTS_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < t->board->harts; i++) {
        v[n++] = PHANDLE_INTC + i;
        v[n++] = a;
        if (b) {
            v[n++] = PHANDLE_INTC + i;
            v[n++] = b;
        }
    }
    cells(t, "interrupts-extended", v, n);
}

/* ---- devices -------------------------------------------------------------------------------------------------------------- */

static void uart_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "serial", d->base);
    str(t, "compatible", "ns16550a");
    reg(t, d->base, d->size);
    u32(t, "clock-frequency", 3686400);
    irq(t, d);
    end(t);
}

static void clint_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "clint", d->base);
    STRS(t, "compatible", "sifive,clint0\0riscv,clint0");
    reg(t, d->base, d->size);
    hart_irqs(t, 3, 7);
    end(t);
}

static void sswi_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "sswi", d->base);
    str(t, "compatible", "riscv,aclint-sswi");
    reg(t, d->base, d->size);
    hart_irqs(t, 1, 0);
    flag(t, "interrupt-controller");
    u32(t, "#address-cells", 0);
    u32(t, "#interrupt-cells", 0);
    end(t);
}

static void plic_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "plic", d->base);
    STRS(t, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    reg(t, d->base, d->size);
    u32(t, "#address-cells", 0);
    u32(t, "#interrupt-cells", 1);
    flag(t, "interrupt-controller");
    hart_irqs(t, 11, 9);
    u32(t, "riscv,ndev", d->arg ? (uint32_t)d->arg : 96);
    u32(t, "phandle", PHANDLE_PLIC);
    end(t);
}

static void test_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "test", d->base);
    STRS(t, "compatible", "sifive,test1\0sifive,test0\0syscon");
    reg(t, d->base, d->size);
    u32(t, "phandle", PHANDLE_TEST);
    end(t);
}

/* What the finisher's register does, for drivers that know only syscon: children of the root. */
static void test_root_nodes(struct tree *t, const struct fdt_device *d)
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
        node(t, row[i].name);
        str(t, "compatible", row[i].compatible);
        u32(t, "regmap", PHANDLE_TEST);
        u32(t, "offset", 0);
        u32(t, "value", row[i].value);
        end(t);
    }
}

static void rtc_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "rtc", d->base);
    str(t, "compatible", "google,goldfish-rtc");
    reg(t, d->base, d->size);
    irq(t, d);
    end(t);
}

static void virtio_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "virtio_mmio", d->base);
    str(t, "compatible", "virtio,mmio");
    reg(t, d->base, d->size);
    irq(t, d);
    end(t);
}

static void fw_cfg_root_node(struct tree *t, const struct fdt_device *d)
{
    node_at(t, "fw-cfg", d->base);
    str(t, "compatible", "qemu,fw-cfg-mmio");
    reg(t, d->base, d->size);
    flag(t, "dma-coherent");
    end(t);
}

/* One row a device that has nodes: below /soc, and below the root. */
static const struct device_node {
    const char *name;
    void (*soc)(struct tree *t, const struct fdt_device *d);
    void (*root)(struct tree *t, const struct fdt_device *d);
} device_nodes[] = {
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

static void devices(struct tree *t, bool root)
{
    for (unsigned i = 0; i < t->board->ndevices; i++) {
        const struct fdt_device *d = &t->board->devices[i];
        for (size_t k = 0; d->size && k < ARRAY_LEN(device_nodes); k++) {
            if (strcmp(device_nodes[k].name, d->name))
                continue;
            if (root && device_nodes[k].root)
                device_nodes[k].root(t, d);
            else if (!root && device_nodes[k].soc)
                device_nodes[k].soc(t, d);
        }
    }
}

/* ---- harts ---------------------------------------------------------------------------------------------------------------- */

static void property(void *ctx, const char *name, const void *v, size_t n)
{
    struct tree *t = ctx;
    put(t, fdt_property(t->fdt, name, v, (int)n));
}

static void cpu_node(struct tree *t, unsigned hart)
{
    const struct cpu_kind *k = t->board->kind;
    node_at(t, "cpu", hart);
    str(t, "device_type", "cpu");
    u32(t, "reg", hart);
    str(t, "status", "okay");
    k->arch->describe(k, CPU_NODE_CPU, property, t);
    u32(t, "phandle", PHANDLE_CPU + hart);
    node(t, "interrupt-controller");
    str(t, "compatible", "riscv,cpu-intc");
    u32(t, "#address-cells", 0);
    u32(t, "#interrupt-cells", 1);
    flag(t, "interrupt-controller");
    u32(t, "phandle", PHANDLE_INTC + hart);
    end(t);
    end(t);
}

static void cpus_node(struct tree *t)
{
    char name[16];
    node(t, "cpus");
    u32(t, "#address-cells", 1);
    u32(t, "#size-cells", 0);
    u32(t, "timebase-frequency", (uint32_t)t->board->tick_hz);
    for (unsigned i = 0; i < t->board->harts; i++)
        cpu_node(t, i);
    node(t, "cpu-map");
    node(t, "cluster0");
    for (unsigned i = 0; i < t->board->harts; i++) {
        snprintf(name, sizeof name, "core%u", i);
        node(t, name);
        u32(t, "cpu", PHANDLE_CPU + i);
        end(t);
    }
    end(t);
    end(t);
    end(t);
}

static void ignore(void *ctx, const char *name, const void *v, size_t n)
{
    (void)ctx;
    (void)name;
    (void)v;
    (void)n;
}

static void pmu_node(struct tree *t)
{
    const struct cpu_kind *k = t->board->kind;
    if (!k->arch->describe(k, CPU_NODE_PMU, ignore, NULL))
        return;
    node(t, "pmu");
    k->arch->describe(k, CPU_NODE_PMU, property, t);
    end(t);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------ */

static void u64(struct tree *t, const char *name, uint64_t v) { put(t, fdt_property_u64(t->fdt, name, v)); }

static void chosen_node(struct tree *t, const struct fdt_chosen *c)
{
    uint64_t rng = t->board->seed;
    fdt64_t seed[4];
    node(t, "chosen");
    if (c->bootargs)
        str(t, "bootargs", c->bootargs);
    for (unsigned i = 0; i < t->board->ndevices; i++) {
        if (!strcmp(t->board->devices[i].name, "ns16550")) {
            char path[64];
            snprintf(path, sizeof path, "/soc/serial@%" PRIx64, t->board->devices[i].base);
            str(t, "stdout-path", path);
            break;
        }
    }
    if (c->initrd_end > c->initrd_start) {
        u64(t, "linux,initrd-start", c->initrd_start);
        u64(t, "linux,initrd-end", c->initrd_end);
    }
    for (unsigned i = 0; i < ARRAY_LEN(seed); i++)
        seed[i] = cpu_to_fdt64(rng_next(&rng));
    put(t, fdt_property(t->fdt, "rng-seed", seed, sizeof seed));
    u64(t, "kaslr-seed", rng_next(&rng));
    end(t);
}

static void whole(struct tree *t, const struct fdt_chosen *chosen)
{
    node(t, "");
    u32(t, "#address-cells", 2);
    u32(t, "#size-cells", 2);
    str(t, "compatible", "riscv-virtio");
    str(t, "model", "riscv-virtio,trapline");
    chosen_node(t, chosen);
    node_at(t, "memory", t->board->ram_base);
    str(t, "device_type", "memory");
    reg(t, t->board->ram_base, t->board->ram_size);
    end(t);
    cpus_node(t);
    pmu_node(t);
    devices(t, true);
    node(t, "soc");
    u32(t, "#address-cells", 2);
    u32(t, "#size-cells", 2);
    str(t, "compatible", "simple-bus");
    flag(t, "ranges");
    devices(t, false);
    end(t);
    end(t);
}

bool fdt_build(const struct fdt_board *board, const struct fdt_chosen *chosen, struct buf *out, struct err *e)
{
    assert(board->harts <= HARTS_MAX && !out->len);
    size_t size = 65536 + (chosen->bootargs ? strlen(chosen->bootargs) : 0);
    struct tree t = {.fdt = calloc(1, size), .board = board};
    assert(t.fdt);
    put(&t, fdt_create(t.fdt, (int)size));
    put(&t, fdt_finish_reservemap(t.fdt));
    whole(&t, chosen);
    put(&t, fdt_finish(t.fdt));
    if (!t.err)
        buf_put(out, t.fdt, fdt_totalsize(t.fdt));
    free(t.fdt);
    return !t.err || err_set(e, "the device tree cannot be built: %s", fdt_strerror(t.err));
}

bool fdt_check(const char *name, struct buf *dtb, struct err *e)
{
    int r = dtb->len < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : fdt_check_header(dtb->data);
    /* Before version 16 node names were whole paths; nobody writes such blobs, and libfdt's full check stumbles over bad ones. */
    if (!r && fdt_version(dtb->data) < 16)
        r = -FDT_ERR_BADVERSION;
    if (!r)
        r = fdt_check_full(dtb->data, dtb->len);
    if (r)
        return err_set(e, "%s is not a usable device tree blob: %s", name, fdt_strerror(r));
    dtb->len = fdt_totalsize(dtb->data);
    return true;
}

/* Makes what follows the blob's own bytes usable for new properties. */
static int open_for_patch(struct buf *dtb, size_t extra)
{
    size_t size = dtb->len + extra;
    uint8_t *p = malloc(size);
    assert(p);
    int r = fdt_open_into(dtb->data, p, (int)size);
    buf_free(dtb);
    *dtb = (struct buf){.data = p, .len = size, .cap = size};
    return r;
}

bool fdt_patch(const char *name, struct buf *dtb, const struct fdt_chosen *c, struct err *e)
{
    bool initrd = c->initrd_end > c->initrd_start;
    if (!c->bootargs && !initrd)
        return true;
    int r = open_for_patch(dtb, 4096 + (c->bootargs ? strlen(c->bootargs) : 0));
    int at = r ? r : fdt_path_offset(dtb->data, "/chosen");
    if (at == -FDT_ERR_NOTFOUND)
        at = fdt_add_subnode(dtb->data, 0, "chosen");
    r = at < 0 ? at : 0;
    if (!r && c->bootargs)
        r = fdt_setprop(dtb->data, at, "bootargs", c->bootargs, (int)strlen(c->bootargs) + 1);
    if (!r && initrd)
        r = fdt_setprop_u64(dtb->data, at, "linux,initrd-start", c->initrd_start);
    if (!r && initrd)
        r = fdt_setprop_u64(dtb->data, at, "linux,initrd-end", c->initrd_end);
    if (!r)
        r = fdt_pack(dtb->data);
    if (r)
        return err_set(e, "%s: /chosen cannot be completed: %s", name, fdt_strerror(r));
    dtb->len = fdt_totalsize(dtb->data);
    return true;
}
