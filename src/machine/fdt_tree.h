/*
 * Writing a device tree, for the files that describe a board (fdt_virt.c, …). The first failure sticks and is looked at once, at
 * the end.
 */
#ifndef TL_MACHINE_FDT_TREE_H
#define TL_MACHINE_FDT_TREE_H
#include "machine/fdt.h"

#define DT_HARTS_MAX 32

struct fdt_tree {
    void *fdt;
    int err;
    const struct fdt_board *board;
};

void dt_node(struct fdt_tree *t, const char *name);
void dt_node_at(struct fdt_tree *t, const char *name, uint64_t address);
void dt_end(struct fdt_tree *t);
void dt_u32(struct fdt_tree *t, const char *name, uint32_t v);
void dt_u64(struct fdt_tree *t, const char *name, uint64_t v);
void dt_str(struct fdt_tree *t, const char *name, const char *v);
void dt_flag(struct fdt_tree *t, const char *name);
void dt_bytes(struct fdt_tree *t, const char *name, const void *v, size_t n);
void dt_cells(struct fdt_tree *t, const char *name, const uint32_t *v, size_t n);
/* A list of strings that were joined with NULs. */
#define DT_STRS(t, name, literal) dt_bytes(t, name, literal, sizeof(literal))
/* reg with two cells of address and two of size. */
void dt_reg(struct fdt_tree *t, uint64_t base, uint64_t size);

/* /chosen; the console is the first device called `console`, whose node has this path before its address. */
void dt_chosen_node(struct fdt_tree *t, const struct fdt_chosen *c, const char *console, const char *path);
void dt_memory_node(struct fdt_tree *t);
/* The properties the architecture has for a node. */
void dt_describe(struct fdt_tree *t, enum cpu_node node);
/* /pmu, if the harts have counters. */
void dt_pmu_node(struct fdt_tree *t);
/* One row a device that has nodes: below /soc, and below the root. */
struct dt_device_node {
    const char *name;
    void (*soc)(struct fdt_tree *t, const struct fdt_device *d);
    void (*root)(struct fdt_tree *t, const struct fdt_device *d);
};
void dt_devices(struct fdt_tree *t, const struct dt_device_node *rows, size_t n, bool root);
#endif
