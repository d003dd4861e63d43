/*
 * What a run covered: instruction rows, system registers, system instructions. A batch runs a second time on trapline,
 * instruction by instruction, which must give the same; what was executed outside the harness and raised no exception counts.
 */
#include "a64_cover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 8192u

struct a64_cover {
    struct {
        const struct a64_row *row;
        uint64_t done, trapped;
    } insn[SLOTS]; /* by a hash of the row's address, which decides nothing */
    struct {
        uint64_t read, written, trapped, compared;
    } reg[SYSREG_COUNT];
    uint64_t exceptions[4][64]; /* by level and class */
    uint64_t instructions, rounds;
};

/* Instructions that no case has: docs/differences.md, a64_block.c. */
static const struct {
    const char *name;
    const char *why;
} no_insn[] = {
    {"wf*", "waits"},
    {"hlt", "ends the run"},
    {"ldgm", "GMID_EL1.BS differs"},
    {"stgm", "GMID_EL1.BS differs"},
    {"fjcvtzs", "PSTATE.Z of a flushed subnormal differs; tests/unit/test_fp_arm.c"},
    {"fcvtz?_v_i1_h", "differ; tests/unit/test_fp_arm.c"},
    {"esb", "no SError is pending in either"},
    {"*mrs_rndr*", "random"},
};
static const struct {
    const char *name;
    const char *why;
} no_sys[] = {
    {"dc_i*", "QEMU 7.2 translates no address of DC but of DC ZVA"},
    {"dc_cvap", "likewise"},
    {"dc_cvadp", "likewise"},
    {"dc_cgvap", "likewise"},
    {"dc_cgvadp", "likewise"},
    {"dc_cgdvap", "likewise"},
    {"dc_cgdvadp", "likewise"},
};

static bool fits(const char *s, const char *p)
{
    if (!*p)
        return !*s;
    if (*p == '*')
        return fits(s, p + 1) || (*s && fits(s + 1, p));
    return *s && (*p == '?' || *p == *s) && fits(s + 1, p + 1);
}

struct a64_cover *a64_cover_new(void) { return calloc(1, sizeof(struct a64_cover)); }

static unsigned slot_of(struct a64_cover *v, const struct a64_row *row)
{
    unsigned i = (unsigned)((uintptr_t)row / 8 % SLOTS);
    while (v->insn[i].row && v->insn[i].row != row)
        i = (i + 1) % SLOTS;
    v->insn[i].row = row;
    return i;
}

void a64_cover_insn(struct a64_cover *v, const struct a64_isa *isa, uint32_t bits, bool trapped)
{
    struct a64_decoded d = a64_decode(isa->decoder, bits);
    v->instructions++;
    if (!d.row)
        return;
    unsigned i = slot_of(v, d.row);
    if (trapped)
        v->insn[i].trapped++;
    else
        v->insn[i].done++;
    if (d.row->cost != COST_SYSREG && d.row->cost != COST_SYS)
        return;
    unsigned id = sysreg_find(isa->map, bits >> 19 & 3, bits >> 16 & 7, bits >> 12 & 15, bits >> 8 & 15, bits >> 5 & 7);
    if ((bits & 0xffc00000) != 0xd5000000 || id == SR_NONE)
        return;
    if (trapped)
        v->reg[id].trapped++;
    else if (bits >> 21 & 1)
        v->reg[id].read++;
    else
        v->reg[id].written++;
}

void a64_cover_round(struct a64_cover *v, const struct a64_isa *isa, unsigned records)
{
    v->rounds++;
    for (unsigned i = 0; i < isa->nwide; i++)
        v->reg[isa->wide[i].id].compared++;
    for (unsigned i = 0; i < a64_record_count(); i++)
        v->reg[a64_record_reg(i)].compared += records;
    for (unsigned i = 0; i < isa->ninit; i++)
        v->reg[isa->init[i].id].written++;
    for (unsigned i = 0; i < a64_init_count(); i++)
        v->reg[a64_init_reg(i)].written++;
}

void a64_cover_exception(struct a64_cover *v, unsigned el, unsigned class) { v->exceptions[el][class]++; }

/* Each exception of self-hosted debug must have been taken at EL1 and at EL2. */
static unsigned print_exceptions(const struct a64_cover *v, FILE *out)
{
    unsigned missing = 0;
    fprintf(out, "exceptions by class      EL1      EL2      EL3\n");
    for (unsigned i = 0; i < 64; i++) {
        bool debug = i >= 0x30 && i <= 0x35, failed = debug && !(v->exceptions[1][i] && v->exceptions[2][i]);
        if (debug || v->exceptions[1][i] || v->exceptions[2][i] || v->exceptions[3][i])
            fprintf(out, "class_%02x           %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "%s\n", i, v->exceptions[1][i],
                    v->exceptions[2][i], v->exceptions[3][i], failed ? "  NEVER TAKEN" : "");
        missing += failed;
    }
    return missing;
}

static unsigned print_rows(const struct a64_cover *v, const struct a64_isa *isa, FILE *out)
{
    unsigned missing = 0;
    fprintf(out, "instruction           executed  trapped\n");
    for (unsigned i = 0; i < isa->nrows; i++) {
        const char *name = isa->rows[i].name, *why = NULL;
        uint64_t done = 0, trapped = 0;
        for (unsigned k = 0; k < SLOTS; k++)
            if (v->insn[k].row && !strcmp(v->insn[k].row->name, name)) {
                done += v->insn[k].done;
                trapped += v->insn[k].trapped;
            }
        for (unsigned k = 0; k < ARRAY_LEN(no_insn); k++)
            if (fits(name, no_insn[k].name))
                why = no_insn[k].why;
        bool failed = !done && !trapped && !why;
        fprintf(out, "%-20s %9" PRIu64 " %8" PRIu64 "%s%s%s\n", name, done, trapped, why ? "  " : "", why ? why : "",
                failed ? "  NEVER EXECUTED" : "");
        missing += failed;
    }
    return missing;
}

static bool is_register(unsigned id) { return sysreg_op(id).kind == SYSREG_OP_NONE && sysreg_key_of(id) >> 14 >= 2; }

/* What is wrong with the coverage of a register, or NULL. */
static const char *wrong(const struct a64_cover *v, const struct a64_isa *isa, unsigned id, bool there, const char *why)
{
    if (a64_reg_absent(isa, id))
        return there ? "QEMU HAS IT" : NULL;
    if (!there)
        return NULL;
    bool writable = sysreg_check(&isa->pe->ctx, id, true).result == SYSREG_OK;
    if (!v->reg[id].compared && !why)
        return "NEVER COMPARED";
    return writable && !v->reg[id].written && !why ? "NEVER WRITTEN" : NULL;
}

static unsigned print_registers(const struct a64_cover *v, const struct a64_isa *isa, const uint8_t *probe, FILE *out)
{
    unsigned missing = 0;
    fprintf(out, "register                 read  written  trapped compared\n");
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        char name[32];
        uint64_t value;
        const char *why = NULL;
        if (!sysreg_exists(isa->map, id) || !is_register(id))
            continue;
        sysreg_name(id, name, sizeof name);
        bool there = a64_probe_has(isa, probe, id, &value);
        a64_reg_excepted(isa, id, &why);
        const char *bad = wrong(v, isa, id, there, why);
        fprintf(out, "%-20s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "%s%s%s%s%s\n", name, v->reg[id].read,
                v->reg[id].written, v->reg[id].trapped, v->reg[id].compared, there ? "" : "  not at EL3 of QEMU", why ? "  " : "",
                why ? why : "", bad ? "  " : "", bad ? bad : "");
        missing += bad != NULL;
    }
    return missing;
}

static unsigned print_system(const struct a64_cover *v, const struct a64_isa *isa, FILE *out)
{
    unsigned missing = 0;
    fprintf(out, "system instruction   executed  trapped\n");
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        char name[32];
        const char *why = NULL;
        unsigned kind = sysreg_op(id).kind;
        if (!sysreg_exists(isa->map, id) || kind == SYSREG_OP_NONE || kind == SYSREG_OP_PSTATE)
            continue;
        sysreg_name(id, name, sizeof name);
        for (unsigned k = 0; k < ARRAY_LEN(no_sys); k++)
            if (fits(name, no_sys[k].name))
                why = no_sys[k].why;
        uint64_t done = v->reg[id].read + v->reg[id].written;
        bool failed = !done && !v->reg[id].trapped && !why;
        fprintf(out, "%-20s %8" PRIu64 " %8" PRIu64 "%s%s%s\n", name, done, v->reg[id].trapped, why ? "  " : "", why ? why : "",
                failed ? "  NEVER EXECUTED" : "");
        missing += failed;
    }
    return missing;
}

unsigned a64_cover_print(const struct a64_cover *v, const struct a64_isa *isa, const uint8_t *probe, FILE *out)
{
    unsigned missing =
        print_rows(v, isa, out) + print_registers(v, isa, probe, out) + print_system(v, isa, out) + print_exceptions(v, out);
    fprintf(out, "covered by %" PRIu64 " instructions in %" PRIu64 " rounds: %u rows are missing\n", v->instructions, v->rounds,
            missing);
    return missing;
}
