/* What the device tree says of a hart (bindings riscv/cpus, riscv/extensions, perf/riscv,pmu). */
#include "cpu/riscv/arch.h"

#include <assert.h>
#include <string.h>

#define CACHE_BLOCK 64 /* bytes: what cbo.* and prefetch.* work on */

struct sink {
    cpu_property_fn *fn;
    void *ctx;
};

static void cells(const struct sink *s, const char *name, const uint32_t *v, size_t n)
{
    uint32_t out[16];
    assert(n <= ARRAY_LEN(out));
    for (size_t i = 0; i < n; i++)
        out[i] = __builtin_bswap32(v[i]);
    s->fn(s->ctx, name, out, n * sizeof *out);
}

static void u32(const struct sink *s, const char *name, uint32_t v) { cells(s, name, &v, 1); }
static void str(const struct sink *s, const char *name, const char *v) { s->fn(s->ctx, name, v, strlen(v) + 1); }

/* riscv,isa-extensions lists what riscv,isa joins: "rv64imac_zicsr" -> "i", "m", "a", "c", "zicsr". */
static void isa_extensions(const struct sink *s, const char *isa)
{
    char list[2048];
    size_t n = 0;
    const char *p = isa + 4;
    for (; *p && *p != '_' && n + 3 < sizeof list; p++) {
        list[n++] = *p;
        list[n++] = '\0';
    }
    while (*p == '_') {
        size_t len = strcspn(++p, "_");
        assert(n + len + 1 < sizeof list);
        memcpy(list + n, p, len);
        n += len;
        list[n++] = '\0';
        p += len;
    }
    s->fn(s->ctx, "riscv,isa-extensions", list, n);
}

static const char *mmu_type(const struct rv_config *c)
{
    if (c->xlen == 32)
        return c->sv_modes & 1u << 1 ? "riscv,sv32" : "riscv,none";
    return c->sv_modes & 1u << 10  ? "riscv,sv57"
           : c->sv_modes & 1u << 9 ? "riscv,sv48"
           : c->sv_modes & 1u << 8 ? "riscv,sv39"
                                   : "riscv,none";
}

static void cpu(const struct sink *s, const struct rv_config *c)
{
    char isa[1024];
    rv_config_isa(c, isa, sizeof isa);
    str(s, "compatible", "riscv");
    str(s, "riscv,isa", isa);
    str(s, "riscv,isa-base", c->xlen == 32 ? "rv32i" : "rv64i");
    isa_extensions(s, isa);
    str(s, "mmu-type", mmu_type(c));
    if (rv_has(c, EXT_Zicbom))
        u32(s, "riscv,cbom-block-size", CACHE_BLOCK);
    if (rv_has(c, EXT_Zicbop))
        u32(s, "riscv,cbop-block-size", CACHE_BLOCK);
    if (rv_has(c, EXT_Zicboz))
        u32(s, "riscv,cboz-block-size", CACHE_BLOCK);
}

/* Which SBI PMU events the counters can count: cycle and instret by themselves, and with the translation events by every
   programmable counter (SBI specification, chapter "Performance Monitoring Unit"; binding perf/riscv,pmu). */
static void pmu(const struct sink *s, const struct rv_config *c)
{
    uint32_t hpm = (uint32_t)bits_mask(3, c->hpm_count);
    const uint32_t map[] = {
        0x1,     0x1,     hpm | 1u, /* cycles */
        0x2,     0x2,     hpm | 4u, /* instructions */
        0x10019, 0x10019, hpm,      /* data TLB read misses */
        0x1001b, 0x1001b, hpm,      /* data TLB write misses */
        0x10021, 0x10021, hpm,      /* instruction TLB misses */
    };
    str(s, "compatible", "riscv,pmu");
    cells(s, "riscv,event-to-mhpmcounters", map, ARRAY_LEN(map));
}

bool rv_describe(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx)
{
    const struct rv_config *c = &((const struct rv_kind *)k)->cfg;
    const struct sink s = {fn, ctx};
    if (node == CPU_NODE_CPU)
        cpu(&s, c);
    else if (c->hpm_count)
        pmu(&s, c);
    return node == CPU_NODE_CPU || c->hpm_count;
}
