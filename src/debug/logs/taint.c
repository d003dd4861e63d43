#include "debug/logs/taint.h"
#include "csr/arm/sysreg.h"

#include <string.h>

/* Ranges of CSR numbers (privileged manual, "CSR Listing"). */
static const struct {
    uint16_t first, last;
} csrs[] = {
    {0x015, 0x015},                 /* seed */
    {0xc00, 0xc1f}, {0xc80, 0xc9f}, /* cycle, time, instret, hpmcounters, and their high halves */
    {0xb00, 0xb1f}, {0xb80, 0xb9f}, /* those of machine mode */
    {0x144, 0x144}, {0x244, 0x244}, {0x344, 0x344}, {0x644, 0x644}, {0xe12, 0xe12}, /* sip, vsip, mip, hip, hgeip */
    {0xf11, 0xf13},                                                                 /* mvendorid, marchid, mimpid */
};

/* The same of A64. */
static const char *const systems[] = {"cntpct_el0", "cntvct_el0", "cntpctss_el0", "cntvctss_el0", "pmccntr_el0", "midr_el1",
                                      "revidr_el1", "aidr_el1",   "rndr",         "rndrrs",       "isr_el1"};

bool taint_register(const struct log_reg *g, bool arm)
{
    if (g->class == LOG_SYSTEM && arm) {
        char name[48];
        sysreg_name(g->number, name, sizeof name);
        for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
            if (!strcmp(name, systems[i]))
                return true;
    }
    for (size_t i = 0; i < sizeof csrs / sizeof *csrs && g->class == LOG_CSR; i++)
        if (g->number >= csrs[i].first && g->number <= csrs[i].last)
            return true;
    return false;
}

static bool masked(const struct log_reg *g, bool arm, const struct log_reg *mask, size_t nmask)
{
    for (size_t i = 0; i < nmask; i++)
        if (mask[i].class == g->class && mask[i].number == g->number)
            return true;
    return taint_register(g, arm);
}

/* The register a csrr* (RISC-V) or an MRS (A64) reads. False: the instruction is none. */
static bool system_read(const struct log_step *s, bool arm, struct log_reg *g)
{
    memset(g, 0, sizeof *g);
    if (arm && (s->insn & 0xfff00000) == 0xd5300000) {
        struct sysreg_row const *row;
        for (unsigned i = 0; i < sysreg_row_count(); i++) {
            row = sysreg_row_at(i);
            if (sysreg_key_of(row->id) == (s->insn >> 5 & 0xffff)) {
                g->class = LOG_SYSTEM;
                g->number = row->id;
                return true;
            }
        }
        return false;
    }
    g->class = LOG_CSR;
    g->number = (uint16_t)(s->insn >> 20);
    return !arm && (s->insn & 0x7f) == 0x73 && s->insn >> 12 & 3;
}

/* General registers the encoding may name as sources: more than it reads, for some. */
static uint32_t sources(const struct log_step *s, bool arm)
{
    uint32_t w = s->insn;
    if (arm)
        return UINT32_C(1) << (w >> 5 & 31) | UINT32_C(1) << (w >> 16 & 31) | UINT32_C(1) << (w & 31) |
               UINT32_C(1) << (w >> 10 & 31);
    uint32_t set;
    if (s->insn_bytes == 2) {
        set = UINT32_C(1) << (w >> 7 & 31) | UINT32_C(1) << (w >> 2 & 31) | UINT32_C(1) << (8 + (w >> 7 & 7)) |
              UINT32_C(1) << (8 + (w >> 2 & 7));
    } else {
        unsigned op = w & 0x7f;
        if (op == 0x37 || op == 0x17 || op == 0x6f) /* lui, auipc, jal */
            return 0;
        bool two = op == 0x63 || op == 0x23 || op == 0x33 || op == 0x3b || op == 0x2f || op == 0x27 || op == 0x53;
        set = UINT32_C(1) << (w >> 15 & 31) | (two ? UINT32_C(1) << (w >> 20 & 31) : 0);
    }
    return set & ~UINT32_C(1);
}

static size_t slot(uint64_t address)
{
    return (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 52) & (TAINT_ADDRESSES - 1);
}

static bool loads(const struct taint *t, const struct log_step *s)
{
    for (unsigned i = 0; i < s->nmems; i++) {
        size_t at = slot(s->mem[i].address);
        if (!s->mem[i].store && t->memory[at].used && t->memory[at].address >> 3 == s->mem[i].address >> 3)
            return true;
    }
    return false;
}

/* HLT #0xf000 of A64: a call of the debugger or simulator, whose answer is the host's. */
static bool semihosting(const struct log_step *s, bool arm) { return arm && s->insn == 0xd45e0000; }

bool taint_reads(const struct taint *t, const struct log_step *s, bool arm, const struct log_reg *mask, size_t nmask)
{
    struct log_reg g;
    if (s->insn_bytes && system_read(s, arm, &g) && (masked(&g, arm, mask, nmask) || (g.class == LOG_CSR && t->csr[g.number])))
        return true;
    if (s->insn_bytes && ((t->x | t->f) & sources(s, arm) || semihosting(s, arm)))
        return true;
    return loads(t, s);
}

void taint_stores(struct taint *t, const struct log_step *s, bool tainted)
{
    for (unsigned i = 0; i < s->nmems; i++) {
        if (!s->mem[i].store)
            continue;
        size_t at = slot(s->mem[i].address);
        if (tainted) {
            t->memory[at].used = true;
            t->memory[at].address = s->mem[i].address;
        } else if (t->memory[at].used && t->memory[at].address >> 3 == s->mem[i].address >> 3) {
            t->memory[at].used = false;
        }
    }
}

void taint_writes(struct taint *t, const struct log_step *s, bool tainted)
{
    for (unsigned i = 0; i < s->nregs; i++) {
        const struct log_reg *g = &s->reg[i];
        uint32_t bit = UINT32_C(1) << (g->number & 31);
        uint32_t *set = g->class == LOG_X ? &t->x : g->class == LOG_F || g->class == LOG_V ? &t->f : NULL;
        if (set)
            *set = tainted ? *set | bit : *set & ~bit;
        else if (g->class == LOG_CSR && g->number < 4096)
            t->csr[g->number] = tainted;
    }
    t->x |= t->result & ~UINT32_C(1);
    t->result = 0;
    taint_stores(t, s, tainted);
}

bool taint_has(const struct taint *t, const struct log_reg *g)
{
    uint32_t bit = UINT32_C(1) << (g->number & 31);
    return g->class == LOG_X ? (t->x & bit) != 0 : g->class == LOG_F || g->class == LOG_V ? (t->f & bit) != 0 : false;
}
