#include "cpu/arm/insninfo.h"
#include "cpu/arch.h"

#include <string.h>

#define WORD(member) ((uint16_t)(offsetof(struct arm_state, member) / 8))
#define X_WORD(n)    ((uint16_t)(WORD(x) + (n)))
#define V_STEP       (sizeof(union arm_vector) / 8)
#define V_WORD(n, k) ((uint16_t)(WORD(v) + (n)*V_STEP + (k)))
#define REG_WORDS    ((uint16_t)(sizeof(struct arm_regs) / 8))

static uint64_t fpflags(const struct cpu *c) { return pe_fpsr((const struct pe *)(const void *)c); }

static unsigned nzcv(const uint64_t flags[3])
{
    const struct flags f = {flags[0], flags[1], flags[2]};
    return flags_get(&f);
}

static bool translate(struct cpu *c, uint64_t va, uint64_t *pa) { return arm_arch.translate(c, va, pa); }

/* The current SP is in x[31]. */
static uint16_t elsewhere(const struct cpu *c)
{
    const struct pe *p = (const struct pe *)(const void *)c;
    return (uint16_t)(WORD(sp) + (p->s.pstate & PSTATE_SP ? p->el : 0));
}

/* SVC and its like have been executed. */
static bool retires(const struct cpu *c) { return ((const struct pe *)(const void *)c)->exc.next; }

const struct insn_layout a64_insn_layout = {
    .words = sizeof(struct arm_state) / 8,
    .x = WORD(x),
    .xs = 32,
    .pc = WORD(pc),
    .v = WORD(v),
    .vs = 32,
    .v_step = V_STEP,
    .v_used = 2,
    .sys = {{X_WORD(REG_SP), 1, UINT64_MAX},
            {WORD(sp), 4, UINT64_MAX},
            {WORD(pstate), 1, ~(UINT64_C(15) << 28 | UINT64_C(3) << 10)}, /* NZCV and BTYPE are elsewhere */
            {WORD(fpcr), 1, UINT64_MAX},
            {WORD(regs), REG_WORDS, UINT64_MAX}},
    .flags_at = offsetof(struct pe, fl),
    .lag = 0,
    .elsewhere = elsewhere,
    .retires = retires,
    .fpflags = fpflags,
    .nzcv = nzcv,
    .translate = translate,
};

/* The rows that are no aliases: those have the body and the cost of these. */
static const struct base {
    const char *body;
    uint8_t cost;
} bases[A64_OP_COUNT] = {
#define INSN(name, feat, pattern, format, cost, ...) [OP_##name] = {#__VA_ARGS__, COST_##cost},
#define ALIAS(name, feat, pattern, format, target)
#include "cpu/arm/insn/all.def"
#undef INSN
#undef ALIAS
};

/* How the value of rd follows, by the row's body, which begins so. */
static const struct guess {
    const char *body;
    uint8_t guess, width;
    enum { NOT, IMM, MINUS, SHIFTED, OTHER } operand;
} guesses[] = {
    {"RD(RS1 + IMM)", GUESS_ADD, GUESS_64, IMM},
    {"RD_SP(RS1 + IMM)", GUESS_ADD, GUESS_64, IMM},
    {"RD(RS1 - IMM)", GUESS_ADD, GUESS_64, MINUS},
    {"RD_SP(RS1 - IMM)", GUESS_ADD, GUESS_64, MINUS},
    {"RD((uint32_t)(RS1 + IMM))", GUESS_ADD, GUESS_ZEXT32, IMM},
    {"RD((uint32_t)(RS1 - IMM))", GUESS_ADD, GUESS_ZEXT32, MINUS},
    {"RD(RS1 & IMM)", GUESS_AND, GUESS_64, IMM},
    {"RD(RS1 | IMM)", GUESS_OR, GUESS_64, IMM},
    {"RD(RS1 ^ IMM)", GUESS_XOR, GUESS_64, IMM},
    {"RD((uint32_t)(RS1 & IMM))", GUESS_AND, GUESS_ZEXT32, IMM},
    {"RD((uint32_t)(RS1 | IMM))", GUESS_OR, GUESS_ZEXT32, IMM},
    {"RD((uint32_t)(RS1 ^ IMM))", GUESS_XOR, GUESS_ZEXT32, IMM},
    {"RD(RS1 << IMM)", GUESS_SHL, GUESS_64, IMM},
    {"RD(RS1 >> IMM)", GUESS_SHR, GUESS_64, IMM},
    {"RD((uint64_t)((int64_t)RS1 >> IMM))", GUESS_SAR, GUESS_64, IMM},
    {"RD((uint32_t)RS1 << IMM)", GUESS_SHL, GUESS_ZEXT32, IMM},
    {"RD((uint32_t)RS1 >> IMM)", GUESS_SHR, GUESS_ZEXT32, IMM},
    {"RD((uint32_t)((int32_t)RS1 >> IMM))", GUESS_SAR, GUESS_ZEXT32, IMM},
    {"RD((uint8_t)RS1)", GUESS_AND, GUESS_64, NOT},
    {"RD(RS1)", GUESS_ADD, GUESS_64, NOT},
    {"RD(RS2)", GUESS_ADD, GUESS_64, OTHER},
    {"RD((uint32_t)RS2)", GUESS_ADD, GUESS_ZEXT32, OTHER},
    {"RD((uint64_t)(int64_t)(int32_t)RS1)", GUESS_ADD, GUESS_SEXT32, NOT},
    {"SUBS_X(RS1, IMM)", GUESS_ADD, GUESS_64, MINUS},
    {"SUBS_W(RS1, IMM)", GUESS_ADD, GUESS_ZEXT32, MINUS},
    {"SUBS_X(RS1, -IMM)", GUESS_ADD, GUESS_64, IMM},
    {"SUBS_W(RS1, -IMM)", GUESS_ADD, GUESS_ZEXT32, IMM},
    {"LOGS_X(RS1 & IMM)", GUESS_AND, GUESS_64, IMM},
    {"LOGS_W(RS1 & IMM)", GUESS_AND, GUESS_ZEXT32, IMM},
    {"ADD_X(RS1, RS2", GUESS_ADD, GUESS_64, SHIFTED},
    {"ADD_W(RS1, RS2", GUESS_ADD, GUESS_ZEXT32, SHIFTED},
    {"ADDS_X(RS1, RS2", GUESS_ADD, GUESS_64, SHIFTED},
    {"ADDS_W(RS1, RS2", GUESS_ADD, GUESS_ZEXT32, SHIFTED},
    {"SUB_X(RS1, RS2", GUESS_SUB, GUESS_64, SHIFTED},
    {"SUB_W(RS1, RS2", GUESS_SUB, GUESS_ZEXT32, SHIFTED},
    {"SUBS_X(RS1, RS2", GUESS_SUB, GUESS_64, SHIFTED},
    {"SUBS_W(RS1, RS2", GUESS_SUB, GUESS_ZEXT32, SHIFTED},
    {"AND_X(RS1, RS2", GUESS_AND, GUESS_64, SHIFTED},
    {"AND_W(RS1, RS2", GUESS_AND, GUESS_ZEXT32, SHIFTED},
    {"ANDS_X(RS1, RS2", GUESS_AND, GUESS_64, SHIFTED},
    {"ANDS_W(RS1, RS2", GUESS_AND, GUESS_ZEXT32, SHIFTED},
    {"ORR_X(RS1, RS2", GUESS_OR, GUESS_64, SHIFTED},
    {"ORR_W(RS1, RS2", GUESS_OR, GUESS_ZEXT32, SHIFTED},
    {"EOR_X(RS1, RS2", GUESS_XOR, GUESS_64, SHIFTED},
    {"EOR_W(RS1, RS2", GUESS_XOR, GUESS_ZEXT32, SHIFTED},
};

static uint16_t reg(unsigned n) { return n <= REG_SP ? X_WORD(n) : INSN_NO_WORD; }

/* A guess that is wrong costs bytes, nothing else. */
static void set_guess(struct insn_info *s, const struct a64_decoded *d, uint64_t pc)
{
    const char *b = bases[d->op].body;
    s->core.a = reg(d->rs1);
    if (!strncmp(b, "RD(IMM << op->rs2)", 18) || !strncmp(b, "RD(PC + IMM)", 12) || strstr(b, "page_va & PAGE_MASK")) {
        s->core.guess = GUESS_CONST;
        s->by.pcrel = b[3] == 'I' ? PCREL_NOT : b[3] == 'P' ? PCREL_PC : PCREL_PAGE;
        s->core.imm = b[3] == 'I'   ? (int64_t)((uint64_t)d->imm << d->rs2)
                      : b[3] == 'P' ? (int64_t)pc + d->imm
                                    : (int64_t)((pc & ~UINT64_C(0xfff)) + ((uint64_t)d->imm << 12));
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(guesses); i++) {
        const struct guess *g = &guesses[i];
        size_t n = strlen(g->body);
        if (strncmp(b, g->body, n) || (g->operand != SHIFTED && b[n]))
            continue;
        if (g->operand == SHIFTED && strncmp(b + n, ")", 1) && strncmp(b + n, " << IMM)", 8))
            continue;
        s->core.guess = g->guess;
        s->core.width = g->width;
        s->core.imm = g->operand == IMM                            ? d->imm
                      : g->operand == MINUS                        ? -d->imm
                      : g->guess == GUESS_AND && g->operand == NOT ? 255
                                                                   : 0;
        s->core.b = g->operand == SHIFTED || g->operand == OTHER ? reg(d->rs2) : INSN_NO_WORD;
        s->core.shift = g->operand == SHIFTED && b[n] == ' ' ? (uint8_t)(d->imm & 63) : 0;
        s->core.a = g->operand == OTHER ? INSN_NO_WORD : s->core.a;
        return;
    }
}

/* ---- rules --------------------------------------------------------------------------------------------------------------- */

static unsigned condition_named(const char *name)
{
    static const char names[15][3] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al"};
    unsigned i = 0;
    while (i < 14 && strncmp(names[i], name, 2))
        i++;
    return WHEN_FLAGS + i;
}

/* The second operand as rows with two write it, up to the end of the body. */
static bool set_operand(struct insn_info *s, const struct a64_decoded *d, const char *text)
{
    static const struct {
        const char *text;
        uint8_t extend, shift;
        bool by; /* shifted by imm */
    } forms[] = {
        {"RS2)", EXTEND_NOT, SHIFT_LEFT, false},
        {"RS2 << IMM)", EXTEND_NOT, SHIFT_LEFT, true},
        {"RS2 >> IMM)", EXTEND_NOT, SHIFT_RIGHT, true},
        {"(uint32_t)RS2 >> IMM)", EXTEND_NOT, SHIFT_RIGHT, true},
        {"(uint64_t)((int64_t)RS2 >> IMM))", EXTEND_NOT, SHIFT_SIGNED, true},
        {"(uint32_t)((int32_t)RS2 >> IMM))", EXTEND_NOT, SHIFT_SIGNED, true},
        {"bit_ror(RS2, (unsigned)IMM))", EXTEND_NOT, SHIFT_ROTATE, true},
        {"bit_ror_w((uint32_t)RS2, (unsigned)IMM))", EXTEND_NOT, SHIFT_ROTATE, true},
        {"(uint64_t)(uint8_t)RS2 << IMM)", EXTEND_U8, SHIFT_LEFT, true},
        {"(uint64_t)(uint16_t)RS2 << IMM)", EXTEND_U16, SHIFT_LEFT, true},
        {"(uint64_t)(uint32_t)RS2 << IMM)", EXTEND_U32, SHIFT_LEFT, true},
        {"(uint64_t)(int8_t)RS2 << IMM)", EXTEND_S8, SHIFT_LEFT, true},
        {"(uint64_t)(int16_t)RS2 << IMM)", EXTEND_S16, SHIFT_LEFT, true},
        {"(uint64_t)(int32_t)RS2 << IMM)", EXTEND_S32, SHIFT_LEFT, true},
    };
    if (!strcmp(text, "IMM)") || !strcmp(text, "-IMM)")) {
        s->by.imm = (uint64_t)(text[0] == '-' ? -d->imm : d->imm);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(forms); i++) {
        if (strcmp(text, forms[i].text))
            continue;
        s->by.b = reg(d->rs2);
        s->by.extend = forms[i].extend;
        s->by.shift_kind = forms[i].shift;
        s->by.shift_by = forms[i].by ? (uint8_t)(d->imm & 63) : 0;
        return true;
    }
    return false;
}

/* ADD_X(RS1, …) and its like. */
static bool two_operands(struct insn_info *s, const struct a64_decoded *d)
{
    static const struct {
        const char *name;
        uint8_t rule, sets, invert;
    } rows[] = {
        {"ADD_", RULE_ADD, SETS_NOT, 0},     {"ADD_EXT_", RULE_ADD, SETS_NOT, 0}, {"SUB_", RULE_SUB, SETS_NOT, 0},
        {"SUB_EXT_", RULE_SUB, SETS_NOT, 0}, {"AND_", RULE_AND, SETS_NOT, 0},     {"BIC_", RULE_AND, SETS_NOT, 1},
        {"ORR_", RULE_OR, SETS_NOT, 0},      {"ORN_", RULE_OR, SETS_NOT, 1},      {"EOR_", RULE_XOR, SETS_NOT, 0},
        {"EON_", RULE_XOR, SETS_NOT, 1},     {"ADDS_", RULE_ADD, SETS_ADD, 0},    {"SUBS_", RULE_SUB, SETS_SUB, 0},
        {"CMP_", RULE_SUB, SETS_SUB, 0},     {"ANDS_", RULE_AND, SETS_LOGIC, 0},  {"BICS_", RULE_AND, SETS_LOGIC, 1},
        {"LOGS_", RULE_AND, SETS_LOGIC, 0},  {"TST_", RULE_AND, SETS_LOGIC, 0},
    };
    const char *b = bases[d->op].body;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = strlen(rows[i].name);
        if (strncmp(b, rows[i].name, n) || (b[n] != 'X' && b[n] != 'W') || b[n + 1] != '(')
            continue;
        s->by.rule = rows[i].rule;
        s->by.sets = rows[i].sets;
        s->by.invert = rows[i].invert;
        s->by.a = reg(d->rs1);
        s->core.width = b[n] == 'W' ? GUESS_ZEXT32 : GUESS_64;
        const char *text = b + n + 2;
        if (!strcmp(text, "RS1)")) { /* of one value */
            s->by.rule = RULE_ADD;
            return true;
        }
        if (!strncmp(text, "RS1, ", 5))
            return set_operand(s, d, text + 5);
        return !strncmp(text, "RS1 & ", 6) && set_operand(s, d, text + 6);
    }
    return false;
}

/* Rows with a rule of their own, by their body. */
static const struct {
    const char *body;
    uint8_t rule, width;
    enum {
        VALUE_NONE,
        VALUE_RS2,
        VALUE_IMM,
        VALUE_INV,
        VALUE_PUT,
        VALUE_FIELD,
        VALUE_EXTRACT,
        VALUE_MADD,
        VALUE_MADD_S,
        VALUE_MADD_U
    } how;
    uint8_t left, right, sign; /* of VALUE_NONE and RULE_BITS */
} own_rules[] = {
    {"RD(IMM)", RULE_MOVE, GUESS_64, VALUE_IMM, 0, 0, 0},
    {"RD((uint32_t)(IMM << op->rs2))", RULE_MOVE, GUESS_ZEXT32, VALUE_IMM, 0, 0, 0},
    {"RD(~(IMM << op->rs2))", RULE_MOVE, GUESS_64, VALUE_INV, 0, 0, 0},
    {"RD((uint32_t)~(IMM << op->rs2))", RULE_MOVE, GUESS_ZEXT32, VALUE_INV, 0, 0, 0},
    {"RD((RD_OLD & ~(UINT64_C(0xffff) << op->rs2)) | IMM << op->rs2)", RULE_PUT, GUESS_64, VALUE_PUT, 0, 0, 0},
    {"RD((uint32_t)((RD_OLD & ~(UINT64_C(0xffff) << op->rs2)) | IMM << op->rs2))", RULE_PUT, GUESS_ZEXT32, VALUE_PUT, 0, 0, 0},
    {"RD_SP((uint32_t)(RS1 + IMM))", RULE_ADD, GUESS_ZEXT32, VALUE_IMM, 0, 0, 0},
    {"RD_SP((uint32_t)(RS1 - IMM))", RULE_SUB, GUESS_ZEXT32, VALUE_IMM, 0, 0, 0},
    {"RD_SP(RS1 & IMM)", RULE_AND, GUESS_64, VALUE_IMM, 0, 0, 0},
    {"RD_SP((uint32_t)(RS1 & IMM))", RULE_AND, GUESS_ZEXT32, VALUE_IMM, 0, 0, 0},
    {"RD_SP(RS1 | IMM)", RULE_OR, GUESS_64, VALUE_IMM, 0, 0, 0},
    {"RD_SP((uint32_t)(RS1 | IMM))", RULE_OR, GUESS_ZEXT32, VALUE_IMM, 0, 0, 0},
    {"RD_SP(RS1 ^ IMM)", RULE_XOR, GUESS_64, VALUE_IMM, 0, 0, 0},
    {"RD_SP((uint32_t)(RS1 ^ IMM))", RULE_XOR, GUESS_ZEXT32, VALUE_IMM, 0, 0, 0},
    {"RD(RS1 << op->rs2 >> IMM)", RULE_BITS, GUESS_64, VALUE_FIELD, 0, 0, 0},
    {"RD((uint32_t)RS1 << op->rs2 >> IMM)", RULE_BITS, GUESS_ZEXT32, VALUE_FIELD, 0, 0, 0},
    {"RD((uint64_t)((int64_t)(RS1 << op->rs2) >> IMM))", RULE_BITS, GUESS_64, VALUE_FIELD, 0, 0, 1},
    {"RD((uint32_t)((int32_t)((uint32_t)RS1 << op->rs2) >> IMM))", RULE_BITS, GUESS_ZEXT32, VALUE_FIELD, 0, 0, 1},
    {"RD(bit_insert(RD_OLD, RS1, op->rs2, (unsigned)IMM))", RULE_BITS, GUESS_64, VALUE_FIELD, 1, 0, 0},
    {"RD(bit_insert_w((uint32_t)RD_OLD, (uint32_t)RS1, op->rs2, (unsigned)IMM))", RULE_BITS, GUESS_ZEXT32, VALUE_FIELD, 1, 0, 0},
    {"RD((uint16_t)RS1)", RULE_BITS, GUESS_64, VALUE_NONE, 48, 48, 0},
    {"RD((uint64_t)(int64_t)(int8_t)RS1)", RULE_BITS, GUESS_64, VALUE_NONE, 56, 56, 1},
    {"RD((uint32_t)(int8_t)RS1)", RULE_BITS, GUESS_ZEXT32, VALUE_NONE, 24, 24, 1},
    {"RD((uint64_t)(int64_t)(int16_t)RS1)", RULE_BITS, GUESS_64, VALUE_NONE, 48, 48, 1},
    {"RD((uint32_t)(int16_t)RS1)", RULE_BITS, GUESS_ZEXT32, VALUE_NONE, 16, 16, 1},
    {"RD(bit_extract(RS1, RS2, (unsigned)IMM))", RULE_EXTRACT, GUESS_64, VALUE_EXTRACT, 0, 0, 0},
    {"RD((uint32_t)((RS1 << 32 | (uint32_t)RS2) >> IMM))", RULE_EXTRACT, GUESS_ZEXT32, VALUE_EXTRACT, 0, 0, 0},
    {"RD(X(IMM) + RS1 * RS2)", RULE_MADD, GUESS_64, VALUE_MADD, 0, 0, 0},
    {"RD((uint32_t)(X(IMM) + RS1 * RS2))", RULE_MADD, GUESS_ZEXT32, VALUE_MADD, 0, 0, 0},
    {"RD(X(IMM) - RS1 * RS2)", RULE_MSUB, GUESS_64, VALUE_MADD, 0, 0, 0},
    {"RD((uint32_t)(X(IMM) - RS1 * RS2))", RULE_MSUB, GUESS_ZEXT32, VALUE_MADD, 0, 0, 0},
    {"RD(X(IMM) + (uint64_t)((int64_t)(int32_t)RS1 * (int32_t)RS2))", RULE_MADD, GUESS_64, VALUE_MADD_S, 0, 0, 0},
    {"RD(X(IMM) - (uint64_t)((int64_t)(int32_t)RS1 * (int32_t)RS2))", RULE_MSUB, GUESS_64, VALUE_MADD_S, 0, 0, 0},
    {"RD(X(IMM) + (uint64_t)(uint32_t)RS1 * (uint32_t)RS2)", RULE_MADD, GUESS_64, VALUE_MADD_U, 0, 0, 0},
    {"RD(X(IMM) - (uint64_t)(uint32_t)RS1 * (uint32_t)RS2)", RULE_MSUB, GUESS_64, VALUE_MADD_U, 0, 0, 0},
    {"RD(RS1 * RS2)", RULE_MUL, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD((uint32_t)(RS1 * RS2))", RULE_MUL, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD(bit_smulh(RS1, RS2))", RULE_MULH, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD(bit_umulh(RS1, RS2))", RULE_MULHU, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD(bit_udiv(RS1, RS2))", RULE_DIVU, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD(bit_udiv_w((uint32_t)RS1, (uint32_t)RS2))", RULE_DIVU, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD(bit_sdiv((int64_t)RS1, (int64_t)RS2))", RULE_DIV, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD(bit_sdiv_w((int32_t)RS1, (int32_t)RS2))", RULE_DIV, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD(RS1 << (RS2 & 63))", RULE_SHL, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD((uint32_t)RS1 << (RS2 & 31))", RULE_SHL, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD(RS1 >> (RS2 & 63))", RULE_SHR, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD((uint32_t)RS1 >> (RS2 & 31))", RULE_SHR, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD((uint64_t)((int64_t)RS1 >> (RS2 & 63)))", RULE_SAR, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD((uint32_t)((int32_t)RS1 >> (RS2 & 31)))", RULE_SAR, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD(bit_ror(RS1, (unsigned)RS2))", RULE_ROR, GUESS_64, VALUE_RS2, 0, 0, 0},
    {"RD(bit_ror_w((uint32_t)RS1, (unsigned)RS2))", RULE_ROR, GUESS_ZEXT32, VALUE_RS2, 0, 0, 0},
    {"RD(bit_reverse(RS1))", RULE_RBIT, GUESS_64, VALUE_NONE, 0, 0, 0},
    {"RD(bit_reverse(RS1) >> 32)", RULE_RBIT, GUESS_ZEXT32, VALUE_NONE, 0, 0, 0},
    {"RD(__builtin_bswap64(RS1))", RULE_REV, GUESS_64, VALUE_NONE, 0, 0, 0},
    {"RD(__builtin_bswap32((uint32_t)RS1))", RULE_REV, GUESS_ZEXT32, VALUE_NONE, 0, 0, 0},
    {"RD(bit_clz(RS1))", RULE_CLZ, GUESS_64, VALUE_NONE, 0, 0, 0},
    {"RD(bit_clz_w((uint32_t)RS1))", RULE_CLZ, GUESS_ZEXT32, VALUE_NONE, 0, 0, 0},
};

static bool own_rule(struct insn_info *s, const struct a64_decoded *d)
{
    struct insn_rules *r = &s->by;
    unsigned i = 0;
    while (i < ARRAY_LEN(own_rules) && strcmp(own_rules[i].body, bases[d->op].body))
        i++;
    if (i == ARRAY_LEN(own_rules))
        return false;
    r->rule = own_rules[i].rule;
    s->core.width = own_rules[i].width;
    r->a = reg(d->rs1);
    r->zero = 1; /* of a division by 0 */
    uint64_t moved = (uint64_t)d->imm << (d->rs2 & 63);
    switch (own_rules[i].how) {
    case VALUE_RS2: r->b = reg(d->rs2); break;
    case VALUE_IMM: r->imm = r->rule == RULE_MOVE ? moved : (uint64_t)d->imm; break;
    case VALUE_INV: r->imm = ~moved; break;
    case VALUE_PUT:
        r->a = reg(d->rd);
        r->mask = ~(UINT64_C(0xffff) << d->rs2);
        r->imm = moved;
        break;
    case VALUE_FIELD:
        r->shift_by = d->rs2;
        r->shift = (uint8_t)d->imm;
        r->sign = own_rules[i].sign;
        r->keep = own_rules[i].left;
        break;
    case VALUE_EXTRACT:
        r->b = reg(d->rs2);
        r->shift = (uint8_t)d->imm;
        break;
    case VALUE_MADD:
    case VALUE_MADD_S:
    case VALUE_MADD_U:
        r->b = reg(d->rs2);
        r->c = reg((unsigned)d->imm);
        r->keep = r->extend = own_rules[i].how == VALUE_MADD     ? EXTEND_NOT
                              : own_rules[i].how == VALUE_MADD_S ? EXTEND_S32
                                                                 : EXTEND_U32;
        break;
    default:
        r->shift_by = own_rules[i].left;
        r->shift = own_rules[i].right;
        r->sign = own_rules[i].sign;
    }
    return true;
}

/* SELECT_X(eq, RS1, RS2 + 1), RD(!IF(eq)). */
static bool selection(struct insn_info *s, const struct a64_decoded *d)
{
    const char *b = bases[d->op].body;
    struct insn_rules *r = &s->by;
    if (!strncmp(b, "RD(!IF(", 7)) {
        r->rule = RULE_SELECT;
        r->condition = (uint8_t)condition_named(b + 7);
        r->imm = 1;
        return true;
    }
    if (strncmp(b, "SELECT_", 7) || strncmp(b + 11, ", RS1, ", 7))
        return false;
    const char *other = b + 18;
    r->rule = RULE_SELECT;
    r->condition = (uint8_t)condition_named(b + 9);
    s->core.width = b[7] == 'W' ? GUESS_ZEXT32 : GUESS_64;
    r->a = reg(d->rs1);
    r->b = reg(d->rs2);
    r->invert = other[0] == '~' || other[0] == '-';
    r->imm = other[0] == '-' || strstr(other, "+ 1") ? 1 : 0;
    return true;
}

static bool comparison(struct insn_info *s, const struct a64_decoded *d)
{
    const char *b = bases[d->op].body;
    struct insn_rules *r = &s->by;
    if (strncmp(b, "return ccmp(", 12))
        return false;
    r->sets = strstr(b, "FL_ADD") ? SETS_ADD : SETS_SUB;
    r->compares = 1;
    r->condition = (uint8_t)(WHEN_FLAGS + d->rd);
    r->flags = (uint8_t)d->imm;
    s->core.width = strstr(b, "<< 32") ? GUESS_ZEXT32 : GUESS_64;
    r->a = reg(d->rs1);
    if (strstr(b, "X(op->rs2)"))
        r->b = reg(d->rs2);
    else
        r->imm = d->rs2;
    return true;
}

/* Whether all that a row of data processing does is known. */
static bool alu_rules(struct insn_info *s, const struct a64_decoded *d)
{
    const char *b = bases[d->op].body;
    if (two_operands(s, d) || own_rule(s, d) || selection(s, d) || comparison(s, d))
        return true;
    return s->core.guess != GUESS_LAST && !s->core.nzcv && (!strncmp(b, "RD(", 3) || !strncmp(b, "RD_SP(", 6));
}

static bool branch_rules(struct insn_info *s, const struct a64_decoded *d)
{
    static const char *const forms[] = {
        "BRANCH(RS1 == 0)",           "BRANCH((uint32_t)RS1 == 0)",    "BRANCH(RS1 != 0)",
        "BRANCH((uint32_t)RS1 != 0)", "BRANCH(!(RS1 >> op->rs2 & 1))", "BRANCH(RS1 >> op->rs2 & 1)"};
    static const uint8_t when[] = {WHEN_EQ, WHEN_EQ, WHEN_NE, WHEN_NE, WHEN_CLEAR, WHEN_SET};
    const char *b = bases[d->op].body;
    struct insn_rules *r = &s->by;
    r->target = d->imm;
    if (!strcmp(b, "BRANCH_ALWAYS") || !strcmp(b, "BRANCH_LINK")) {
        r->flow = FLOW_TO;
    } else if (!strncmp(b, "return jump(p, op, left, RS1, JUMP_", 35)) {
        r->flow = FLOW_REGISTER;
        r->a = reg(d->rs1);
        r->target = 0;
    } else if (!strncmp(b, "BRANCH(IF(", 10)) {
        r->flow = FLOW_IF;
        r->condition = (uint8_t)condition_named(b + 10);
    }
    for (unsigned i = 0; i < ARRAY_LEN(forms); i++) {
        if (strcmp(b, forms[i]))
            continue;
        r->flow = FLOW_IF;
        r->condition = when[i];
        r->a = reg(d->rs1);
        r->shift = i > 3 ? d->rs2 : 0;
        s->core.width = i < 4 && i & 1 ? GUESS_ZEXT32 : GUESS_64;
    }
    if (s->core.guess == GUESS_CONST)
        r->pcrel = PCREL_PC;
    return r->flow != FLOW_NEXT;
}

static void place_x(struct insn_info *s, unsigned n)
{
    if (n <= REG_SP)
        s->core.word[s->core.places++] = X_WORD(n);
}

static void place_v(struct insn_info *s, unsigned n)
{
    s->core.word[s->core.places++] = V_WORD(n, 0);
    s->core.word[s->core.places++] = V_WORD(n, 1);
}

/* The bytes of a kind of value, the first parameter of LOAD and its like: U32, S16X, VQ. */
static unsigned kind_bytes(const char *body)
{
    const char *p = strchr(body, '(');
    if (!p)
        return 0;
    if (p[1] == 'V')
        return p[2] == 'B' ? 1 : p[2] == 'H' ? 2 : p[2] == 'S' ? 4 : p[2] == 'D' ? 8 : 16;
    return p[2] == '8' ? 1 : p[2] == '1' ? 2 : p[2] == '3' ? 4 : 8;
}

/* Whether the body's macro is `name`, whatever is behind it. */
static const char *macro(const char *body, const char *name)
{
    body += strncmp(body, "FP_BEGIN ", 9) ? 0 : 9;
    return strncmp(body, name, strlen(name)) ? NULL : body;
}

static void set_base(struct insn_info *s, const struct a64_decoded *d)
{
    s->core.based = 1;
    s->core.base = reg(d->rs1);
    s->core.by = (int32_t)d->imm;
    place_x(s, d->rs1);
}

/* Where a load or store goes. */
static void set_address(struct insn_info *s, const struct a64_decoded *d, const char *b)
{
    const char *ea = strchr(b, ',');
    bool before = strstr(b, "_T(") || (ea && (!strncmp(ea, ", RS1 + IMM", 11) || strstr(ea, "PC + IMM"))); /* the offset counts
                                                                                                          for this access */
    s->size = (uint8_t)kind_bytes(b);
    s->core.base = reg(d->rs1);
    s->disp = before ? d->imm : 0;
    s->by.pcrel = ea && strstr(ea, "PC + IMM") ? PCREL_PC : PCREL_NOT;
    s->by.user = strstr(b, "_T(") != NULL;
    if (ea && strstr(ea, "RS2")) {
        s->offset = reg(d->rs2);
        s->scale = (uint8_t)d->imm;
        s->index = strstr(ea, "(uint32_t)RS2") ? INDEX_UXTW : strstr(ea, "(int32_t)RS2") ? INDEX_SXTW : INDEX_64;
    }
}

static unsigned load_info(struct insn_info *s, const struct a64_decoded *d, const char *b)
{
    const char *kind = b + strcspn(b, "(") + 1;
    bool v = kind[0] == 'V', pair = strstr(b, "PAIR") != NULL, wb = strstr(b, "_WB(") != NULL;
    if (v && pair)
        return INSN_ALL;
    if (v)
        place_v(s, d->rd);
    else
        place_x(s, d->rd);
    if (pair)
        place_x(s, d->rs2);
    set_address(s, d, b);
    s->by.loads = pair ? 2 : 1;
    s->by.parts = v ? 2 : 1;
    s->by.load_sign = kind[0] != 'S' ? 0 : kind[strcspn(kind, "XW")] == 'X' ? 1 : 2;
    s->by.exact = s->core.places == s->by.loads * s->by.parts; /* nothing is discarded */
    if (wb)
        set_base(s, d);
    s->by.exact = s->by.exact && s->core.places == s->by.loads * s->by.parts + (wb ? 1 : 0);
    return 0;
}

static unsigned store_info(struct insn_info *s, const struct a64_decoded *d, const char *b)
{
    bool v = b[strcspn(b, "(") + 1] == 'V', pair = strstr(b, "PAIR") != NULL, wb = strstr(b, "_WB(") != NULL;
    set_address(s, d, b);
    s->stores = pair ? 2 : 1;
    s->from[0] = v ? V_WORD(d->rd, 0) : reg(d->rd);
    s->from[1] = !pair ? INSN_NO_WORD : v ? V_WORD(d->rs2, 0) : reg(d->rs2);
    s->by.exact = true;
    if (wb)
        set_base(s, d);
    return 0;
}

static unsigned number_behind(const char *body, const char *text)
{
    const char *p = strstr(body, text);
    unsigned n = 0;
    for (p = p ? p + strlen(text) : ""; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (unsigned)(*p - '0');
    return n;
}

/* LDXR, STXR, atomics: slow_...(p, op, left, size, ...). */
static unsigned atomic_info(struct insn_info *s, const struct a64_decoded *d, unsigned *status)
{
    const char *b = bases[d->op].body;
    unsigned bytes = number_behind(b, "left, "), pair = strstr(b, "slow_ldxp") || strstr(b, "slow_stxp") ? 2 : 1;
    s->core.base = reg(d->rs1);
    s->window = (uint16_t)(bytes * pair);
    if (strstr(b, "slow_ldx")) {
        place_x(s, d->rd);
        if (pair == 2)
            place_x(s, d->rs2);
        return 0;
    }
    if (strstr(b, "slow_stx")) {
        place_x(s, (unsigned)d->imm);
        *status = (unsigned)d->imm;
        return INSN_MEM | INSN_STATUS;
    }
    if (strstr(b, "slow_casp") || strstr(b, "slow_atomic128")) {
        s->window = (uint16_t)(strstr(b, "128") ? 16 : 2 * bytes);
        return INSN_ALL | INSN_MEM | (strstr(b, "casp") ? INSN_CHANGED : 0u);
    }
    if (strstr(b, "slow_cas")) {
        place_x(s, (unsigned)d->imm);
        return INSN_MEM | INSN_CHANGED;
    }
    if (strstr(b, "slow_rcw")) { /* the flags tell whether it has stored */
        s->core.nzcv = 1;
        s->window = 8;
        place_x(s, strstr(b, "slow_rcw_cas") ? (unsigned)d->imm : d->rd);
        return INSN_MEM | INSN_CHANGED;
    }
    if (!strstr(b, "slow_atomic"))
        return INSN_ALL | INSN_SYS;
    place_x(s, d->rd);
    return INSN_MEM;
}

/* The signature goes into rd, or into a register that is a number in the body. */
static unsigned pauth_info(struct insn_info *s, const struct a64_decoded *d)
{
    const char *b = bases[d->op].body;
    place_x(s, strstr(b, ", 30,") ? 30 : strstr(b, ", 17,") ? 17 : d->rd);
    return 0;
}

/* Loads and stores of structures, and of tags. */
static unsigned special_info(const struct pe *p, struct insn_info *s, const struct a64_decoded *d, uint32_t insn)
{
    const char *b = bases[d->op].body;
    if (bases[d->op].cost == COST_LOAD)
        return INSN_ALL;
    s->core.base = reg(d->rs1);
    if (strstr(b, "ls_multiple")) {
        s->window = (uint16_t)(number_behind(b, "true, ") * (insn >> 30 & 1 ? 16 : 8));
    } else if (strstr(b, "ls_single")) {
        const char *size = strchr(strstr(b, "true, ") + 6, ' ');
        s->window = (uint16_t)(number_behind(b, "true, ") << (size[1] - '0'));
    } else if (strstr(b, "stzgm")) {
        s->window = (uint16_t)(1u << p->cfg->zva);
        s->block = 1;
    } else {
        s->disp = strstr(b, "RS1 + IMM") ? d->imm : 0;
        s->window = strstr(b, "stgp") ? 16 : strstr(b, ", 2, 1,") ? 32 : strstr(b, ", 1, 1,") ? 16 : 0;
    }
    return INSN_ALL | (s->window ? INSN_MEM : 0u);
}

static unsigned system_info(const struct pe *p, struct insn_info *s, const struct a64_decoded *d, uint32_t insn)
{
    unsigned id = sysreg_find(p->map, insn >> 19 & 3, insn >> 16 & 7, insn >> 12 & 15, insn >> 8 & 15, insn >> 5 & 7);
    bool plain = id == SR_daif || id == SR_nzcv || id == SR_sp_el0 || p->plain_reg[id].reads;
    s->core.nzcv = 1;
    if (d->op == OP_mrs || d->op == OP_sysl)
        place_x(s, d->rd);
    if (d->op == OP_mrs && plain) {
        s->core.nzcv = 0;
        if (id == SR_sp_el0 || id == SR_daif) { /* read as they are where they can be */
            s->by.exact = true;
            s->by.rule = id == SR_daif ? RULE_AND : RULE_MOVE;
            s->by.b = id == SR_daif ? INSN_NO_WORD : WORD(sp);
            s->by.a = WORD(pstate);
            s->by.imm = id == SR_daif ? PSTATE_DAIF : 0;
        }
        return 0;
    }
    if (d->op == OP_sys && (id == SR_dc_zva || id == SR_dc_gzva)) {
        s->core.base = reg(d->rs1);
        s->window = (uint16_t)(1u << p->cfg->zva);
        s->block = 1;
        return INSN_MEM;
    }
    return INSN_SYS | INSN_FP;
}

static unsigned alu_info(struct insn_info *s, const struct a64_decoded *d, uint64_t pc)
{
    const char *b = bases[d->op].body;
    bool flags_only = macro(b, "TST_") || macro(b, "CMP_") || strstr(b, "ccmp") || strstr(b, "slow_setf") ||
                      strstr(b, "slow_rmif") || strstr(b, "cfinv") || strstr(b, "axflag") || strstr(b, "xaflag");
    s->core.nzcv = flags_only || macro(b, "SUBS_") || macro(b, "ADDS_") || macro(b, "LOGS_") || macro(b, "ANDS_") ||
                   macro(b, "BICS_") || macro(b, "ADCS_") || macro(b, "SBCS_");
    if (!flags_only) {
        place_x(s, d->rd);
        set_guess(s, d, pc);
    }
    s->by.exact = alu_rules(s, d);
    return strstr(b, "slow_irg") ? INSN_SYS : 0;
}

static unsigned simd_info(struct insn_info *s, const struct a64_decoded *d)
{
    const char *f = d->row->format, *name = d->row->name;
    s->core.nzcv = !strncmp(name, "fcmp", 4) || !strncmp(name, "fccmp", 5);
    if (s->core.nzcv)
        return INSN_FP;
    s->core.nzcv = !strcmp(name, "fjcvtzs");
    if (!strncmp(f, "XV", 2) || !strcmp(f, "VSMOV") || !strncmp(f, "VUMOV", 5))
        place_x(s, d->rd);
    else
        place_v(s, d->rd);
    return INSN_FP;
}

static unsigned branch_info(struct insn_info *s, const struct a64_decoded *d, uint64_t pc)
{
    const char *b = bases[d->op].body;
    if (strstr(b, "LINK") || strstr(b, "JUMP_BLR")) {
        place_x(s, 30);
        s->core.guess = GUESS_CONST;
        s->core.imm = (int64_t)pc + 4;
    }
    s->by.exact = branch_rules(s, d);
    s->core.nzcv = strstr(b, "slow_eret") != NULL;
    return s->core.nzcv ? INSN_SYS : 0;
}

unsigned a64_insn_info(const struct pe *p, uint32_t insn, uint64_t pc, struct insn_info *s, unsigned *status)
{
    struct a64_decoded d = a64_decode(p->decoder, insn);
    *s = (struct insn_info){.core = {.length = 4, .a = INSN_NO_WORD, .b = INSN_NO_WORD, .base = INSN_NO_WORD},
                            .insn = insn,
                            .offset = INSN_NO_WORD,
                            .from = {INSN_NO_WORD, INSN_NO_WORD},
                            .by = {.a = INSN_NO_WORD, .b = INSN_NO_WORD, .c = INSN_NO_WORD}};
    *status = 0;
    if (!d.row)
        return 0;
    const char *b = bases[d.op].body, *m;
    if ((m = macro(b, "LOAD")))
        return load_info(s, &d, m);
    if ((m = macro(b, "STORE")))
        return store_info(s, &d, m);
    bool nothing = macro(b, "NOTHING") != NULL;
    s->by.exact = nothing;
    switch ((enum a64_cost)bases[d.op].cost) {
    case COST_ALU:
    case COST_MUL:
    case COST_DIV: return alu_info(s, &d, pc);
    case COST_LOAD:
    case COST_STORE: return nothing ? 0 : special_info(p, s, &d, insn);
    case COST_BRANCH:
    case COST_JUMP: return branch_info(s, &d, pc);
    case COST_ATOMIC: return atomic_info(s, &d, status);
    case COST_SYSREG:
        if (d.op != OP_msr_imm)
            return system_info(p, s, &d, insn);
        s->core.nzcv = 1;
        return INSN_SYS;
    case COST_BARRIER: s->by.exact = true; return 0;
    case COST_SYS: s->core.nzcv = 1; return nothing ? 0 : INSN_SYS | INSN_ALL;
    case COST_PAUTH: return pauth_info(s, &d);
    default: return simd_info(s, &d);
    }
}
