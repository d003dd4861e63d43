#include "machine/fdt.h"
#include "base/bits.h"
#include "base/rng.h"
#include "machine/fdt_tree.h"
#include <assert.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct fdt_tree *t, int result)
{
    if (!t->err && result < 0)
        t->err = result;
}

void dt_node(struct fdt_tree *t, const char *name) { put(t, fdt_begin_node(t->fdt, name)); }

void dt_node_at(struct fdt_tree *t, const char *name, uint64_t address)
{
    char full[64];
    snprintf(full, sizeof full, "%s@%" PRIx64, name, address);
    dt_node(t, full);
}

void dt_end(struct fdt_tree *t) { put(t, fdt_end_node(t->fdt)); }
void dt_u32(struct fdt_tree *t, const char *name, uint32_t v) { put(t, fdt_property_u32(t->fdt, name, v)); }
void dt_u64(struct fdt_tree *t, const char *name, uint64_t v) { put(t, fdt_property_u64(t->fdt, name, v)); }
void dt_str(struct fdt_tree *t, const char *name, const char *v) { dt_bytes(t, name, v, strlen(v) + 1); }
void dt_flag(struct fdt_tree *t, const char *name) { dt_bytes(t, name, NULL, 0); }
void dt_bytes(struct fdt_tree *t, const char *name, const void *v, size_t n) { put(t, fdt_property(t->fdt, name, v, (int)n)); }

void dt_cells(struct fdt_tree *t, const char *name, const uint32_t *v, size_t n)
{
    fdt32_t out[4 * DT_HARTS_MAX];
    assert(n <= ARRAY_LEN(out));
    for (size_t i = 0; i < n; i++)
        out[i] = cpu_to_fdt32(v[i]);
    dt_bytes(t, name, out, n * sizeof *out);
}

void dt_reg(struct fdt_tree *t, uint64_t base, uint64_t size)
{
    dt_cells(t, "reg", (uint32_t[]){(uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32), (uint32_t)size}, 4);
}

/* ---- nodes that boards have alike
 * --------------------------------------------------------------------------------------------------- */

void dt_chosen_node(struct fdt_tree *t, const struct fdt_chosen *c, const char *console, const char *path)
{
    uint64_t rng = t->board->seed;
    fdt64_t seed[4];
    dt_node(t, "chosen");
    if (c->bootargs)
        dt_str(t, "bootargs", c->bootargs);
    for (unsigned i = 0; i < t->board->ndevices; i++) {
        if (!strcmp(t->board->devices[i].name, console)) {
            char full[64];
            snprintf(full, sizeof full, "%s@%" PRIx64, path, t->board->devices[i].base);
            dt_str(t, "stdout-path", full);
            break;
        }
    }
    if (c->initrd_end > c->initrd_start) {
        dt_u64(t, "linux,initrd-start", c->initrd_start);
        dt_u64(t, "linux,initrd-end", c->initrd_end);
    }
    for (unsigned i = 0; i < ARRAY_LEN(seed); i++)
        seed[i] = cpu_to_fdt64(rng_next(&rng));
    dt_bytes(t, "rng-seed", seed, sizeof seed);
    dt_u64(t, "kaslr-seed", rng_next(&rng));
    dt_end(t);
}

void dt_memory_node(struct fdt_tree *t)
{
    dt_node_at(t, "memory", t->board->ram_base);
    dt_str(t, "device_type", "memory");
    dt_reg(t, t->board->ram_base, t->board->ram_size);
    dt_end(t);
}

static void property(void *ctx, const char *name, const void *v, size_t n) { dt_bytes(ctx, name, v, n); }

static void ignore(void *ctx, const char *name, const void *v, size_t n)
{
    (void)ctx;
    (void)name;
    (void)v;
    (void)n;
}

void dt_describe(struct fdt_tree *t, enum cpu_node node)
{
    const struct cpu_kind *k = t->board->kind;
    k->arch->describe(k, node, property, t);
}

void dt_pmu_node(struct fdt_tree *t)
{
    const struct cpu_kind *k = t->board->kind;
    if (!k->arch->describe(k, CPU_NODE_PMU, ignore, NULL))
        return;
    dt_node(t, "pmu");
    dt_describe(t, CPU_NODE_PMU);
    dt_end(t);
}

void dt_devices(struct fdt_tree *t, const struct dt_device_node *rows, size_t n, bool root)
{
    for (unsigned i = 0; i < t->board->ndevices; i++) {
        const struct fdt_device *d = &t->board->devices[i];
        for (size_t k = 0; d->size && k < n; k++) {
            if (strcmp(rows[k].name, d->name))
                continue;
            if (root && rows[k].root)
                rows[k].root(t, d);
            else if (!root && rows[k].soc)
                rows[k].soc(t, d);
        }
    }
}

/* ---- the whole
 * -------------------------------------------------------------------------------------------------------------------- */

bool fdt_build(const struct fdt_board *board, const struct fdt_chosen *chosen, struct buf *out, struct err *e)
{
    assert(board->harts <= DT_HARTS_MAX && !out->len);
    size_t size = 65536 + (chosen->bootargs ? strlen(chosen->bootargs) : 0);
    struct fdt_tree t = {.fdt = calloc(1, size), .board = board};
    assert(t.fdt);
    put(&t, fdt_create(t.fdt, (int)size));
    put(&t, fdt_finish_reservemap(t.fdt));
    board->tree(&t, chosen);
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
