/*
 * The device tree (Devicetree Specification, chapter "Flattened Devicetree (DTB) Format"): one walk reads what the firmware wants
 * to know, and one node is added, which tells supervisor software to keep out of the firmware's memory.
 */
#include "fw.h"

enum {
    MAGIC = 0,
    TOTAL_SIZE,
    OFF_STRUCT,
    OFF_STRINGS,
    OFF_RESERVE,
    VERSION,
    LAST_COMPATIBLE,
    BOOT_CPU,
    SIZE_STRINGS,
    SIZE_STRUCT
};
enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };
#define FDT_MAGIC 0xd00dfeed
#define DEPTH     8

static u32 be32(const void *p)
{
    const u8 *b = p;
    return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static void put_be32(u8 *p, u32 v)
{
    for (uint i = 0; i < 4; i++)
        p[i] = (u8)(v >> (24 - 8 * i));
}

static u32 header(const u8 *tree, uint word) { return be32(tree + 4 * word); }

static u32 length(const char *s)
{
    u32 n = 0;
    while (s[n])
        n++;
    return n;
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* Is `node` called `name`, with or without a unit address? */
static bool called(const char *node, const char *name)
{
    while (*name && *name == *node)
        name++, node++;
    return !*name && (!*node || *node == '@');
}

/* ---- walking ------------------------------------------------------------------------------------------------------- */

/* Where a walk is. name[d] is the node at depth d, 0 the root. */
struct walk {
    const u8 *tree, *at, *end;
    int depth; /* of the node that is open; -1: none */
    const char *name[DEPTH];
    const u8 *token;      /* the token that was read last */
    const char *property; /* of a PROP */
    const u8 *value;
    u32 size;
};

static struct walk walk_begin(const u8 *tree)
{
    const u8 *from = tree + header(tree, OFF_STRUCT);
    return (struct walk){.tree = tree, .at = from, .end = from + header(tree, SIZE_STRUCT), .depth = -1};
}

static const u8 *aligned(const u8 *p) { return (const u8 *)(((ulong)p + 3) & -4ul); }

/* Reads the next token; END also where the tree is broken. */
static u32 walk_next(struct walk *w)
{
    for (;;) {
        if (w->at + 4 > w->end)
            return END;
        w->token = w->at;
        u32 token = be32(w->at);
        w->at += 4;
        switch (token) {
        case NOP: continue;
        case BEGIN_NODE:
            if (w->depth + 1 >= DEPTH)
                return END;
            w->name[++w->depth] = (const char *)w->at;
            w->at = aligned(w->at + length((const char *)w->at) + 1);
            return token;
        case END_NODE: w->depth--; return token;
        case PROP:
            w->size = be32(w->at);
            w->property = (const char *)w->tree + header(w->tree, OFF_STRINGS) + be32(w->at + 4);
            w->value = w->at + 8;
            w->at = aligned(w->value + w->size);
            return token;
        default: return END;
        }
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static u64 number(const u8 *p, u32 cells) { return cells == 2 ? (u64)be32(p) << 32 | be32(p + 4) : be32(p); }

static void read_memory(struct platform *p, const struct walk *w, u32 address_cells, u32 size_cells)
{
    u32 bytes = 4 * (address_cells + size_cells);
    for (u32 i = 0; bytes && i + bytes <= w->size && p->ram_ranges < RAM_RANGES; i += bytes) {
        p->ram[p->ram_ranges].base = number(w->value + i, address_cells);
        p->ram[p->ram_ranges].size = number(w->value + i + 4 * address_cells, size_cells);
        p->ram_ranges++;
    }
}

/* Does a list of strings have this one? */
static bool lists(const struct walk *w, const char *what)
{
    for (u32 i = 0; i < w->size; i += length((const char *)w->value + i) + 1)
        if (equal((const char *)w->value + i, what))
            return true;
    return false;
}

static void read_pmu(struct platform *p, const struct walk *w)
{
    for (u32 i = 0; i + 12 <= w->size && p->pmu_maps < PMU_MAPS; i += 12) {
        p->pmu_map[p->pmu_maps].first = be32(w->value + i);
        p->pmu_map[p->pmu_maps].last = be32(w->value + i + 4);
        p->pmu_map[p->pmu_maps].counters = be32(w->value + i + 8);
        p->pmu_maps++;
    }
}

/* A property of /cpus/cpu@N; *hart is that of its reg, which comes first or last. */
static void read_cpu(struct platform *p, const struct walk *w, ulong *hart, bool *okay)
{
    if (equal(w->property, "reg"))
        *hart = be32(w->value + w->size - 4);
    else if (equal(w->property, "status"))
        *okay = equal((const char *)w->value, "okay") || equal((const char *)w->value, "ok");
    else if (equal(w->property, "riscv,isa-extensions")) {
        p->svade |= lists(w, "svade");
        p->svadu |= lists(w, "svadu");
    }
}

bool fdt_scan(const void *tree, struct platform *p)
{
    if (header(tree, MAGIC) != FDT_MAGIC)
        return false;
    u32 address_cells = 2, size_cells = 1, token;
    ulong hart = HARTS;
    bool okay = true;
    struct walk w = walk_begin(tree);
    while ((token = walk_next(&w)) != END) {
        bool cpu = w.depth == 2 && called(w.name[1], "cpus") && called(w.name[2], "cpu");
        if (token == BEGIN_NODE && cpu) {
            hart = HARTS;
            okay = true;
        } else if (token == END_NODE && w.depth == 1 && called(w.name[1], "cpus") && hart < HARTS) {
            p->harts |= (u32)okay << hart;
            hart = HARTS;
        } else if (token != PROP) {
            continue;
        } else if (w.depth == 0 && equal(w.property, "#address-cells")) {
            address_cells = be32(w.value);
        } else if (w.depth == 0 && equal(w.property, "#size-cells")) {
            size_cells = be32(w.value);
        } else if (w.depth == 1 && called(w.name[1], "memory") && equal(w.property, "reg")) {
            read_memory(p, &w, address_cells, size_cells);
        } else if (w.depth == 1 && equal(w.property, "riscv,event-to-mhpmcounters")) {
            read_pmu(p, &w);
        } else if (cpu) {
            read_cpu(p, &w, &hart, &okay);
        }
    }
    return p->harts && p->ram_ranges;
}

/* ---- adding the reservation ---------------------------------------------------------------------------------------- */

/* What is put in, at most. */
#define ADDED_MAX 192
struct addition {
    u8 bytes[ADDED_MAX];
    u32 n;
    u32 reg, no_map, address_cells, size_cells, ranges; /* offsets in the strings */
};

static void add_word(struct addition *a, u32 v)
{
    put_be32(a->bytes + a->n, v);
    a->n += 4;
}

static void add_node(struct addition *a, const char *name)
{
    add_word(a, BEGIN_NODE);
    do
        a->bytes[a->n++] = (u8)*name;
    while (*name++);
    while (a->n % 4)
        a->bytes[a->n++] = 0;
}

static void add_number(struct addition *a, ulong v, u32 cells)
{
    if (cells == 2)
        add_word(a, (u32)((u64)v >> 32));
    add_word(a, (u32)v);
}

/* The node of the firmware, and /reserved-memory around it unless the tree has one. */
static void make_addition(struct addition *a, bool parent, u32 address_cells, u32 size_cells, ulong base, ulong size)
{
    if (parent) {
        add_node(a, "reserved-memory");
        const u32 cells[][2] = {{a->address_cells, address_cells}, {a->size_cells, size_cells}};
        for (uint i = 0; i < COUNT(cells); i++) {
            add_word(a, PROP);
            add_word(a, 4);
            add_word(a, cells[i][0]);
            add_word(a, cells[i][1]);
        }
        add_word(a, PROP);
        add_word(a, 0);
        add_word(a, a->ranges);
    }
    add_node(a, "firmware@80000000");
    add_word(a, PROP);
    add_word(a, 4 * (address_cells + size_cells));
    add_word(a, a->reg);
    add_number(a, base, address_cells);
    add_number(a, size, size_cells);
    add_word(a, PROP);
    add_word(a, 0);
    add_word(a, a->no_map);
    add_word(a, END_NODE);
    if (parent)
        add_word(a, END_NODE);
}

static void move_up(u8 *from, u8 *to, u32 n)
{
    while (n--)
        to[n] = from[n];
}

/* The offset of a string in the strings block, appended if it is not there. */
static u32 string(u8 *tree, const char *s)
{
    u8 *strings = tree + header(tree, OFF_STRINGS);
    u32 size = header(tree, SIZE_STRINGS), n = length(s) + 1;
    for (u32 i = 0; i < size; i += length((const char *)strings + i) + 1)
        if (equal((const char *)strings + i, s))
            return i;
    for (u32 i = 0; i < n; i++)
        strings[size + i] = (u8)s[i];
    put_be32(tree + 4 * SIZE_STRINGS, size + n);
    put_be32(tree + 4 * TOTAL_SIZE, header(tree, TOTAL_SIZE) + n);
    return size;
}

/* Where the node goes: before the end of /reserved-memory (*parent false) or of the root. */
static u8 *place(u8 *tree, bool *parent, u32 *address_cells, u32 *size_cells)
{
    struct walk w = walk_begin(tree);
    u32 token;
    *parent = true;
    while ((token = walk_next(&w)) != END) {
        bool inside = w.depth == 1 && called(w.name[1], "reserved-memory");
        if (token == PROP && (w.depth == 0 || inside) && equal(w.property, "#address-cells"))
            *address_cells = be32(w.value);
        else if (token == PROP && (w.depth == 0 || inside) && equal(w.property, "#size-cells"))
            *size_cells = be32(w.value);
        else if (token == END_NODE && w.depth == 0 && called(w.name[1], "reserved-memory")) {
            *parent = false;
            return tree + (w.token - tree);
        } else if (token == END_NODE && w.depth == -1)
            return tree + (w.token - tree);
    }
    return NULL;
}

bool fdt_reserve(void *blob, ulong base, ulong size)
{
    u8 *tree = blob;
    u32 room = header(tree, TOTAL_SIZE) + ADDED_MAX + 64;
    /* The strings must be the last block, as every writer puts them: they grow, too. */
    if (header(tree, OFF_STRINGS) < header(tree, OFF_STRUCT) || !memory_ok((ulong)tree, 0, room))
        return false;
    struct addition a = {.n = 0};
    a.reg = string(tree, "reg");
    a.no_map = string(tree, "no-map");
    a.address_cells = string(tree, "#address-cells");
    a.size_cells = string(tree, "#size-cells");
    a.ranges = string(tree, "ranges");
    bool parent;
    u32 address_cells = 2, size_cells = 1;
    u8 *at = place(tree, &parent, &address_cells, &size_cells);
    if (!at)
        return false;
    make_addition(&a, parent, address_cells, size_cells, base, size);
    u32 total = header(tree, TOTAL_SIZE);
    move_up(at, at + a.n, total - (u32)(at - tree));
    for (u32 i = 0; i < a.n; i++)
        at[i] = a.bytes[i];
    put_be32(tree + 4 * TOTAL_SIZE, total + a.n);
    put_be32(tree + 4 * OFF_STRINGS, header(tree, OFF_STRINGS) + a.n);
    put_be32(tree + 4 * SIZE_STRUCT, header(tree, SIZE_STRUCT) + a.n);
    return true;
}
