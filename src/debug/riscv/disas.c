/*
 * RISC-V assembly from the rows of cpu/riscv/insn/: the mnemonic is the row's name, the operands are those that the row's pattern
 * leaves open, in the order of the manual's assembly language ("RISC-V Assembly Programmer's Manual"). A compressed instruction
 * is printed as what it expands to.
 */
#include "base/bits.h"
#include "cpu/riscv/arch.h"
#include "cpu/riscv/hart.h"
#include "csr/riscv/csr.h"
#include "debug/disas.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const x[32] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                  "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                  "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
static const char *const f[32] = {"ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1", "fa0",
                                  "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4", "fs5",
                                  "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

struct line {
    char *out;
    size_t cap, n;
    unsigned operands;
    const struct insn_row *row; /* the row of what is executed: of an alias, its target */
    const struct decoded *d;
    uint32_t bits;
    bool whole; /* bits are an instruction of the row itself, not of an alias */
    uint64_t pc;
    uint64_t *target;
};

static void put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->out + l->n, l->cap - l->n, fmt, ap);
    va_end(ap);
    l->n = n < 0 ? l->n : l->n + (size_t)n < l->cap ? l->n + (size_t)n : l->cap - 1;
}

/* The separator before an operand. */
static void next(struct line *l) { put(l, "%s", l->operands++ ? ", " : " "); }

static void reg(struct line *l, const char *const *names, unsigned number)
{
    next(l);
    put(l, "%s", names[number & 31]);
}

/* Does the pattern leave these bits open? */
static bool open_bits(const struct line *l, unsigned msb, unsigned lsb)
{
    return !l->whole || (l->row->mask & bits_mask(lsb, msb - lsb + 1)) == 0;
}
static bool starts(const char *name, const char *with) { return !strncmp(name, with, strlen(with)); }

/* ---- float: which operands are f registers --------------------------------------------------------------------------------- */

static bool is_float(const char *name) { return name[0] == 'f' && !starts(name, "fence"); }
/* fcvt from an integer and fmv from an x register; loads and stores have an x base. */
static bool rs1_is_x(const struct line *l)
{
    const char *name = l->row->name;
    size_t n = strlen(name);
    if (!is_float(name) || l->row->cost == COST_LOAD || l->row->cost == COST_STORE)
        return true;
    if (!strcmp(name, "fmv_w_x") || !strcmp(name, "fmv_d_x") || !strcmp(name, "fmv_h_x") || !strcmp(name, "fmvp_d_x"))
        return true;
    if (!starts(name, "fcvt_") || n < 8)
        return false;
    const char *from = name + 7; /* "fcvt_s_w", "fcvt_d_lu_dyn" */
    return *from == 'w' || *from == 'l';
}

static void rd(struct line *l) { reg(l, l->d->frd ? f : x, l->d->rd); }
static void rs1(struct line *l) { reg(l, rs1_is_x(l) ? x : f, l->d->rs1); }
static void rs2(struct line *l) { reg(l, is_float(l->row->name) && strcmp(l->row->name, "fmvp_d_x") ? f : x, l->d->rs2); }
static void memory(struct line *l, int64_t offset)
{
    next(l);
    put(l, "%" PRId64 "(%s)", offset, x[l->d->rs1 & 31]);
}
static void address(struct line *l)
{
    next(l);
    put(l, "(%s)", x[l->d->rs1 & 31]);
}
static void branch(struct line *l)
{
    *l->target = l->pc + (uint64_t)(int64_t)l->d->imm;
    next(l);
    put(l, "0x%" PRIx64, *l->target);
}

/* ---- operands by format ------------------------------------------------------------------------------------------------------
 */

static void rounding(struct line *l)
{
    static const char *const names[8] = {"rne", "rtz", "rdn", "rup", "rmm", "rm5", "rm6", ""};
    unsigned rm = l->bits >> 12 & 7;
    bool arithmetic = l->whole && ((l->bits & 0x7f) == 0x53 || (l->bits & 0x73) == 0x43);
    bool has = open_bits(l, 14, 12) || strstr(l->row->name, "_rtz");
    if (arithmetic && has && rm != 7) {
        next(l);
        put(l, "%s", names[rm]);
    }
}

static void format_r(struct line *l)
{
    const char *name = l->row->name;
    bool load = l->row->cost == COST_LOAD, store = l->row->cost == COST_STORE, ss = starts(name, "ss");
    if (ss) { /* sspush: the register is in its name */
        reg(l, x, l->d->rs2);
        return;
    }
    if (load) {
        rd(l);
        address(l);
        return;
    }
    if (store) {
        rs2(l);
        address(l);
        return;
    }
    bool fence = l->row->cost == COST_FENCE;
    if (!fence && open_bits(l, 11, 7))
        rd(l);
    if (open_bits(l, 19, 15) && !(fence && !l->d->rs1 && !l->d->rs2))
        rs1(l);
    if (open_bits(l, 24, 20) && !(fence && !l->d->rs2))
        rs2(l);
    rounding(l);
}

static void format_fr4(struct line *l)
{
    rd(l);
    rs1(l);
    rs2(l);
    reg(l, f, (unsigned)l->d->imm);
    rounding(l);
}

static void format_amo(struct line *l)
{
    rd(l);
    if (open_bits(l, 24, 20))
        rs2(l);
    address(l);
}

static void format_i(struct line *l)
{
    const char *name = l->row->name;
    if (starts(name, "cbo_")) {
        address(l);
    } else if (starts(name, "ssrdp")) {
        rd(l);
    } else if (starts(name, "sspopchk")) {
        reg(l, x, l->d->rs1);
    } else if (l->row->cost == COST_LOAD || !strcmp(name, "jalr")) {
        rd(l);
        memory(l, l->d->imm);
    } else {
        rd(l);
        rs1(l);
        next(l);
        put(l, "%" PRId32, l->d->imm);
    }
}

static void format_sh(struct line *l)
{
    rd(l);
    rs1(l);
    next(l);
    put(l, "%" PRId32, l->d->imm);
}

static void format_s(struct line *l)
{
    rs2(l);
    memory(l, l->d->imm);
}

static void format_b(struct line *l)
{
    rs1(l);
    rs2(l);
    branch(l);
}

static void format_u(struct line *l)
{
    rd(l);
    next(l);
    put(l, "0x%" PRIx32, (uint32_t)l->d->imm >> 12);
}

static void format_j(struct line *l)
{
    rd(l);
    branch(l);
}

static void format_csr(struct line *l)
{
    char name[40];
    rd(l);
    csr_name((unsigned)l->d->imm & 0xfff, name, sizeof name);
    next(l);
    put(l, "%s", name);
    if (l->row->name[strlen(l->row->name) - 1] == 'i') {
        next(l);
        put(l, "%u", l->d->rs1 & 31u);
    } else {
        rs1(l);
    }
}

static void format_none(struct line *l)
{
    static const char letters[] = "iorw";
    if (strcmp(l->row->name, "fence") || l->bits >> 28 == 8 || !l->whole)
        return;
    for (int half = 1; half >= 0; half--) {
        unsigned set = l->bits >> (20 + 4 * half) & 15;
        next(l);
        for (unsigned i = 0; i < 4; i++)
            if (set >> (3 - i) & 1)
                put(l, "%c", letters[i]);
        if (!set)
            put(l, "0");
    }
}

static void format_raw(struct line *l)
{
    next(l);
    put(l, "0x%" PRIx32, l->bits >> 12);
}

static void format_fli(struct line *l)
{
    rd(l);
    next(l);
    put(l, "%u", (unsigned)l->d->imm & 31); /* the constant's number */
}

static const struct {
    const char *format;
    void (*operands)(struct line *l);
} formats[] = {{"NONE", format_none}, {"R", format_r},     {"FR", format_r},    {"I", format_i},     {"FI", format_i},
               {"SH", format_sh},     {"S", format_s},     {"B", format_b},     {"U", format_u},     {"J", format_j},
               {"CSR", format_csr},   {"AMO", format_amo}, {"RAW", format_raw}, {"FR4", format_fr4}, {"FLI", format_fli}};

/* ---- the line ----------------------------------------------------------------------------------------------------------------
 */

/* amoadd_w with aq and rl: "amoadd.w.aqrl"; rows for the rounding modes compilers use have the name of the instruction. */
static void mnemonic(struct line *l)
{
    char name[40];
    snprintf(name, sizeof name, "%s", l->row->name);
    size_t n = strlen(name);
    static const char *const tails[] = {"_dyn", "_rtz", "32"};
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        size_t t = strlen(tails[i]);
        bool shift =
            i < 2 || name[0] == 's' || starts(name, "zext_h") || starts(name, "ror") || starts(name, "b") || starts(name, "rev8");
        if (n > t && shift && !strcmp(name + n - t, tails[i]))
            name[n - t] = '\0';
    }
    if (starts(name, "sspush") || starts(name, "sspopchk"))
        *strchr(name, '_') = '\0';
    for (char *p = name; *p; p++)
        if (*p == '_')
            *p = '.';
    put(l, "%s", name);
    if (!strcmp(l->row->format, "AMO"))
        put(l, "%s%s%s", l->d->imm ? "." : "", l->d->imm & 2 ? "aq" : "", l->d->imm & 1 ? "rl" : "");
}

/* Pseudoinstructions that everybody writes. */
static bool pseudo(struct line *l)
{
    const char *name = l->row->name;
    const struct decoded *d = l->d;
    bool addi = !strcmp(name, "addi");
    char csr[40];
    if (addi && !d->rd && !d->rs1 && !d->imm)
        put(l, "nop");
    else if (addi && !d->rs1)
        put(l, "li %s, %" PRId32, x[d->rd & 31], d->imm);
    else if (addi && !d->imm)
        put(l, "mv %s, %s", x[d->rd & 31], x[d->rs1]);
    else if (!strcmp(name, "add") && !d->rs1)
        put(l, "mv %s, %s", x[d->rd & 31], x[d->rs2]);
    else if (!strcmp(name, "jalr") && !(d->rd & 31) && !d->imm)
        put(l, d->rs1 == 1 ? "ret" : "jr %s", x[d->rs1]);
    else if (!strcmp(name, "jal") && !(d->rd & 31)) {
        put(l, "j");
        branch(l);
    } else if ((!strcmp(name, "beq") || !strcmp(name, "bne")) && !d->rs2) {
        put(l, "%sz", name);
        rs1(l);
        branch(l);
    } else if (!strcmp(name, "csrrs") && !d->rs1) {
        csr_name((unsigned)d->imm & 0xfff, csr, sizeof csr);
        put(l, "csrr %s, %s", x[d->rd & 31], csr);
    } else if (starts(name, "csrr") && !(d->rd & 31)) {
        csr_name((unsigned)d->imm & 0xfff, csr, sizeof csr);
        bool immediate = name[strlen(name) - 1] == 'i';
        put(l, "csr%c%s %s, ", name[4], immediate ? "i" : "", csr);
        if (immediate)
            put(l, "%u", d->rs1 & 31u);
        else
            put(l, "%s", x[d->rs1]);
    } else
        return false;
    return true;
}

/* The row of what an alias stands for. */
static struct insn_row row_of(const struct decoded *d)
{
    for (unsigned i = 0; d->row->alias && i < rv_insn_count(); i++) {
        struct insn_row row = rv_insn_row(i);
        if (!row.alias && row.op == d->row->op)
            return row;
    }
    return *d->row;
}

static void text(void *kept, struct cpu *c, uint64_t pc, uint32_t bits, char *out, size_t cap, uint64_t *target)
{
    const struct hart *h = (const struct hart *)(const void *)c;
    struct decoded d = rv_decode(h->decoder, bits, h->xlen);
    (void)kept;
    if (!d.row) {
        snprintf(out, cap, (bits & 3) == 3 ? "0x%08" PRIx32 " (illegal)" : "0x%04" PRIx32 " (illegal)", bits);
        return;
    }
    struct insn_row row = row_of(&d);
    struct line l = {
        .out = out, .cap = cap, .row = &row, .d = &d, .bits = bits, .whole = !d.row->alias, .pc = pc, .target = target};
    if (pseudo(&l))
        return;
    mnemonic(&l);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (!strcmp(formats[i].format, row.format)) {
            formats[i].operands(&l);
            return;
        }
    put(&l, " 0x%" PRIx32, bits);
}

static unsigned length(const uint8_t *p) { return (p[0] & 3) == 3 ? 4 : 2; }

const struct disas_ops riscv_disas = {.arch = &riscv_arch, .length = length, .text = text};
