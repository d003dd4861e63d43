#include "cpu/riscv/insninfo.h"
#include "cpu/fp/fp.h"
#include "cpu/riscv/access.h"

#include <string.h>

#define WORD(member)    ((uint16_t)(offsetof(struct rv_state, member) / 8))
#define X_WORD(n)       ((uint16_t)(WORD(x) + (n)))
#define F_WORD(n)       ((uint16_t)(WORD(f) + (n)))
#define STATE_WORDS     (sizeof(struct rv_state) / 8)
#define IN_WORD(member) (UINT64_C(0xff) << 8 * (offsetof(struct rv_state, member) % 8))
#define CSR_WORDS       ((uint16_t)(sizeof(struct rv_csrs) / 8))

static uint64_t fpflags(const struct cpu *c)
{
    const struct hart *h = (const struct hart *)(const void *)c;
    return h->executing ? fp_flags_get() : h->s.fflags;
}

/* As loads and stores go now, mstatus.MPRV applied. */
static bool translate(struct cpu *c, uint64_t va, uint64_t *pa)
{
    struct hart *h = (struct hart *)(void *)c;
    struct access_mode m = h->plain;
    struct xlate x;
    m.probe = true;
    bool there = mmu_translate(h, va, 1, ACCESS_LOAD, &m, &x);
    if (there)
        *pa = x.pa;
    return there;
}

const struct insn_layout rv_insn_layout = {
    .words = STATE_WORDS,
    .x = WORD(x),
    .xs = 32,
    .pc = WORD(pc),
    .v = WORD(f),
    .vs = 32,
    .v_step = 1,
    .v_used = 1,
    /* Whether a landing pad is expected (unpriv Zicfilp) follows from the jump before. */
    .sys = {{WORD(priv), 1, IN_WORD(priv) | IN_WORD(v)}, {WORD(csr), CSR_WORDS, UINT64_MAX}},
    .fp = {{WORD(csr.mstatus), 1}, {WORD(csr.vsstatus), 1}},
    .lag = 1,
    .fpflags = fpflags,
    .translate = translate,
};

/* The rows that are no aliases: those have the body and the cost of these. */
static const struct base {
    const char *body;
    uint8_t cost;
} bases[OP_COUNT] = {
#define INSN(name, ext, xlen, pattern, format, cost, ...) [OP_##name] = {#__VA_ARGS__, COST_##cost},
#define ALIAS(name, ext, xlen, pattern, format, target)
#include "cpu/riscv/insn/all.def"
#undef INSN
#undef ALIAS
};

/* How the value of rd follows, by the row's body. */
static const struct guess {
    const char *body;
    uint8_t guess, width;
    bool imm, rs2; /* the second operand */
} guesses[] = {
    {"RD((int64_t)IMM)", GUESS_CONST, GUESS_64, true, false},
    {"RD(PC + (uint64_t)(int64_t)IMM)", GUESS_CONST, GUESS_64, true, false},
    {"RD(RS1 + (uint64_t)(int64_t)IMM)", GUESS_ADD, GUESS_64, true, false},
    {"RD(RS1 ^ (uint64_t)(int64_t)IMM)", GUESS_XOR, GUESS_64, true, false},
    {"RD(RS1 | (uint64_t)(int64_t)IMM)", GUESS_OR, GUESS_64, true, false},
    {"RD(RS1 & (uint64_t)(int64_t)IMM)", GUESS_AND, GUESS_64, true, false},
    {"RD(RS1 << IMM)", GUESS_SHL, GUESS_64, true, false},
    {"RD(RS1 >> IMM)", GUESS_SHR, GUESS_64, true, false},
    {"RD((int64_t)RS1 >> IMM)", GUESS_SAR, GUESS_64, true, false},
    {"RD((uint32_t)RS1 << IMM)", GUESS_SHL, GUESS_SEXT32, true, false},
    {"RD((uint32_t)RS1 >> IMM)", GUESS_SHR, GUESS_SEXT32, true, false},
    {"RD((int32_t)RS1 >> IMM)", GUESS_SAR, GUESS_SEXT32, true, false},
    {"RD(RS1 + RS2)", GUESS_ADD, GUESS_64, false, true},
    {"RD(RS1 - RS2)", GUESS_SUB, GUESS_64, false, true},
    {"RD(UX(RS1) << SHAMT)", GUESS_SHL, GUESS_64, false, true},
    {"RD(UX(RS1) >> SHAMT)", GUESS_SHR, GUESS_64, false, true},
    {"RD((int64_t)RS1 >> SHAMT)", GUESS_SAR, GUESS_64, false, true},
    {"RD(RS1 ^ RS2)", GUESS_XOR, GUESS_64, false, true},
    {"RD(RS1 | RS2)", GUESS_OR, GUESS_64, false, true},
    {"RD(RS1 & RS2)", GUESS_AND, GUESS_64, false, true},
    {"RD((int32_t)((uint32_t)RS1 + (uint32_t)IMM))", GUESS_ADD, GUESS_SEXT32, true, false},
    {"RD((int32_t)((uint32_t)RS1 << IMM))", GUESS_SHL, GUESS_SEXT32, true, false},
    {"RD((int32_t)((uint32_t)RS1 >> IMM))", GUESS_SHR, GUESS_SEXT32, true, false},
    {"RD((int32_t)((uint32_t)RS1 + (uint32_t)RS2))", GUESS_ADD, GUESS_SEXT32, false, true},
    {"RD((int32_t)((uint32_t)RS1 - (uint32_t)RS2))", GUESS_SUB, GUESS_SEXT32, false, true},
    {"RD((int32_t)((uint32_t)RS1 << (RS2 & 31)))", GUESS_SHL, GUESS_SEXT32, false, true},
    {"RD((int32_t)((uint32_t)RS1 >> (RS2 & 31)))", GUESS_SHR, GUESS_SEXT32, false, true},
    {"RD((int32_t)RS1 >> (RS2 & 31))", GUESS_SAR, GUESS_SEXT32, false, true},
    {"JUMP_NEAR", GUESS_CONST, GUESS_64, false, false},
    {"return jump(h, op, left, LEN, RS1)", GUESS_CONST, GUESS_64, false, false},
};

/* The number behind `text` in the row's body. */
static unsigned number_behind(const char *body, const char *text)
{
    const char *p = strstr(body, text);
    unsigned n = 0;
    for (p = p ? p + strlen(text) : ""; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (unsigned)(*p - '0');
    return n;
}

/* Rows whose value follows, but by no guess. */
static const struct {
    const char *body;
    uint8_t rule, width;
    bool imm;
    /* Operands are the other way round, and the second one shifted, extended, inverted. */
    bool other;
    uint8_t shift, extend;
    bool invert;
} rules[] = {
    {"RD(0)", RULE_MOVE, GUESS_64, .imm = true},
    {"RD(RS2 + (RS1 << 1))", RULE_ADD, GUESS_64, .other = true, .shift = 1},
    {"RD(RS2 + (RS1 << 2))", RULE_ADD, GUESS_64, .other = true, .shift = 2},
    {"RD(RS2 + (RS1 << 3))", RULE_ADD, GUESS_64, .other = true, .shift = 3},
    {"RD(RS2 + (uint32_t)RS1)", RULE_ADD, GUESS_64, .other = true, .extend = EXTEND_U32},
    {"RD(RS2 + ((uint64_t)(uint32_t)RS1 << 1))", RULE_ADD, GUESS_64, .other = true, .shift = 1, .extend = EXTEND_U32},
    {"RD(RS2 + ((uint64_t)(uint32_t)RS1 << 2))", RULE_ADD, GUESS_64, .other = true, .shift = 2, .extend = EXTEND_U32},
    {"RD(RS2 + ((uint64_t)(uint32_t)RS1 << 3))", RULE_ADD, GUESS_64, .other = true, .shift = 3, .extend = EXTEND_U32},
    {"RD(RS1 & ~RS2)", RULE_AND, GUESS_64, .invert = true},
    {"RD(RS1 | ~RS2)", RULE_OR, GUESS_64, .invert = true},
    {"RD(~(RS1 ^ RS2))", RULE_XOR, GUESS_64, .invert = true},
    {"RD((int8_t)RS1)", RULE_MOVE, GUESS_64, .other = true, .extend = EXTEND_S8},
    {"RD((int16_t)RS1)", RULE_MOVE, GUESS_64, .other = true, .extend = EXTEND_S16},
    {"RD((uint16_t)RS1)", RULE_MOVE, GUESS_64, .other = true, .extend = EXTEND_U16},
    {"RD(__builtin_bswap64(RS1))", RULE_REV, GUESS_64, .imm = true},
    {"RD((int64_t)RS1 < IMM)", RULE_LESS, GUESS_64, .imm = true},
    {"RD(RS1 < (uint64_t)(int64_t)IMM)", RULE_LESSU, GUESS_64, .imm = true},
    {"RD((int64_t)RS1 < (int64_t)RS2)", RULE_LESS, GUESS_64, .imm = false},
    {"RD(RS1 < RS2)", RULE_LESSU, GUESS_64, .imm = false},
    {"RD(RS1 * RS2)", RULE_MUL, GUESS_64, .imm = false},
    {"RD((int32_t)((uint32_t)RS1 * (uint32_t)RS2))", RULE_MUL, GUESS_SEXT32, .imm = false},
    {"RD(mulh_ss(RS1, RS2, XLEN))", RULE_MULH, GUESS_64, .imm = false},
    {"RD(mulh_su(RS1, UX(RS2), XLEN))", RULE_MULHSU, GUESS_64, .imm = false},
    {"RD(mulh_uu(UX(RS1), UX(RS2), XLEN))", RULE_MULHU, GUESS_64, .imm = false},
    {"RD(div_s((int64_t)RS1, (int64_t)RS2))", RULE_DIV, GUESS_64, .imm = false},
    {"RD(div_u(UX(RS1), UX(RS2)))", RULE_DIVU, GUESS_64, .imm = false},
    {"RD(rem_s((int64_t)RS1, (int64_t)RS2))", RULE_REM, GUESS_64, .imm = false},
    {"RD(rem_u(UX(RS1), UX(RS2)))", RULE_REMU, GUESS_64, .imm = false},
    {"RD((int32_t)div_s((int32_t)RS1, (int32_t)RS2))", RULE_DIV, GUESS_SEXT32, .imm = false},
    {"RD((int32_t)div_u((uint32_t)RS1, (uint32_t)RS2))", RULE_DIVU, GUESS_SEXT32, .imm = false},
    {"RD((int32_t)rem_s((int32_t)RS1, (int32_t)RS2))", RULE_REM, GUESS_SEXT32, .imm = false},
    {"RD((int32_t)rem_u((uint32_t)RS1, (uint32_t)RS2))", RULE_REMU, GUESS_SEXT32, .imm = false},
};

/* False: what the row does is not all known. High halves of products are those of 64 bits. */
static bool set_rule(struct insn_info *s, const struct decoded *d, unsigned xlen)
{
    for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].body, bases[d->op].body))
            continue;
        s->by.rule = rules[i].rule;
        s->core.width = xlen == 32 ? GUESS_SEXT32 : rules[i].width;
        s->by.a = X_WORD(rules[i].other ? d->rs2 : d->rs1);
        s->by.b = rules[i].imm ? INSN_NO_WORD : X_WORD(rules[i].other ? d->rs1 : d->rs2);
        s->by.imm = rules[i].imm && rules[i].rule != RULE_MOVE && rules[i].rule != RULE_REV ? (uint64_t)(int64_t)d->imm : 0;
        s->by.shift_by = rules[i].shift;
        s->by.extend = rules[i].extend;
        s->by.invert = rules[i].invert;
        return xlen == 64 || rules[i].rule < RULE_MULH || rules[i].rule > RULE_MULHSU;
    }
    return s->core.guess != GUESS_LAST || !strcmp(bases[d->op].body, "NOTHING");
}

/* Where the row goes on. */
static void set_flow(struct insn_info *s, const struct decoded *d)
{
    static const char *const condition[] = {[WHEN_EQ] = "BRANCH(RS1 == RS2)",
                                            [WHEN_NE] = "BRANCH(RS1 != RS2)",
                                            [WHEN_LT] = "BRANCH((int64_t)RS1 < (int64_t)RS2)",
                                            [WHEN_GE] = "BRANCH((int64_t)RS1 >= (int64_t)RS2)",
                                            [WHEN_LTU] = "BRANCH(RS1 < RS2)",
                                            [WHEN_GEU] = "BRANCH(RS1 >= RS2)"};
    const char *b = bases[d->op].body;
    s->by.target = d->imm;
    if (!strcmp(b, "JUMP_NEAR")) {
        s->by.flow = FLOW_TO;
    } else if (!strcmp(b, "return jump(h, op, left, LEN, RS1)")) {
        s->by.flow = FLOW_REGISTER;
        s->by.mask = 1;
        s->by.a = X_WORD(d->rs1);
    }
    for (unsigned i = 0; i < ARRAY_LEN(condition); i++) {
        if (strcmp(b, condition[i]))
            continue;
        s->by.flow = FLOW_IF;
        s->by.condition = (uint8_t)i;
        s->by.a = X_WORD(d->rs1);
        s->by.b = X_WORD(d->rs2);
    }
}

/* LOAD(int16_t) of a general register. */
static bool load_info(struct insn_info *s, const struct decoded *d)
{
    const char *b = bases[d->op].body;
    if (strncmp(b, "LOAD(", 5) || !d->rd)
        return false;
    s->by.loads = s->by.parts = 1;
    s->by.load_sign = b[5] == 'i';
    s->size = (uint8_t)(number_behind(b, "int") / 8);
    s->core.base = X_WORD(d->rs1);
    s->disp = d->imm;
    return true;
}

static void set_guess(struct insn_info *s, const struct decoded *d, uint64_t pc, unsigned xlen)
{
    for (unsigned i = 0; i < ARRAY_LEN(guesses); i++) {
        const struct guess *g = &guesses[i];
        if (strcmp(g->body, bases[d->op].body))
            continue;
        s->core.guess = g->guess;
        s->core.width = xlen == 32 ? GUESS_SEXT32 : g->width;
        s->core.a = X_WORD(d->rs1);
        s->core.b = g->rs2 ? X_WORD(d->rs2) : INSN_NO_WORD;
        s->core.imm = g->imm ? d->imm : 0;
        if (g->guess != GUESS_CONST)
            return;
        s->core.imm += strstr(g->body, "PC") ? (int64_t)pc : strstr(g->body, "RD") ? 0 : (int64_t)pc + d->bytes;
        s->by.pcrel = strstr(g->body, "PC") || !strstr(g->body, "RD") ? PCREL_PC : PCREL_NOT;
        s->core.imm = xlen == 32 ? (int32_t)s->core.imm : s->core.imm;
        return;
    }
}

static void place(struct insn_info *s, uint16_t word) { s->core.word[s->core.places++] = word; }

/* STORE(uint16_t), FSTORE(f32), slow_hsv(…, 8). */
static unsigned store_info(struct insn_info *s, const struct decoded *d)
{
    const char *b = bases[d->op].body;
    bool f = strstr(b, "FSTORE") != NULL;
    unsigned bits = number_behind(b, f ? "(f" : "(uint");
    s->stores = 1;
    s->size = (uint8_t)(bits ? bits / 8 : number_behind(b, "left, "));
    s->core.base = X_WORD(d->rs1);
    s->disp = bits ? d->imm : 0;
    s->by.exact = !f && bits;
    s->from[0] = f ? F_WORD(d->rs2) : X_WORD(d->rs2);
    return (f ? INSN_FP : 0u) | (bits ? 0u : INSN_ASIDE);
}

static unsigned atomic_info(struct insn_info *s, const struct decoded *d, unsigned xlen, unsigned *status)
{
    const char *b = bases[d->op].body;
    unsigned bytes = number_behind(b, "left, ");
    bool cas = strstr(b, "amocas") != NULL;
    s->core.base = X_WORD(d->rs1);
    s->window = (uint16_t)bytes;
    if (cas && bytes * 8 > xlen && d->rd)
        place(s, X_WORD(d->rd + 1));
    *status = d->rd ? d->rd : 32;
    return strstr(b, "slow_lr") ? 0 : strstr(b, "slow_sc") ? INSN_MEM | INSN_STATUS : cas ? INSN_MEM | INSN_CHANGED : INSN_MEM;
}

/* What a row without a rule of its own may do. */
static unsigned other_info(struct insn_info *s, const struct decoded *d, unsigned xlen)
{
    const char *b = bases[d->op].body;
    switch (bases[d->op].cost) {
    case COST_CSR: return d->rs1 || strstr(b, "csr_rw") ? INSN_SYS | INSN_FP : 0;
    case COST_SYS: return strstr(b, "slow_w") ? 0 : INSN_SYS | INSN_ALL; /* waiting writes nothing */
    case COST_FALU:
    case COST_FMUL:
    case COST_FDIV: return INSN_FP;
    case COST_FENCE:
        if (!strstr(b, "CBO_ZERO"))
            return 0;
        s->core.base = X_WORD(d->rs1);
        s->window = 64;
        s->block = 1;
        return INSN_MEM;
    default:
        if (strstr(b, "slow_sspush")) {
            s->core.base = WORD(csr.ssp);
            s->disp = -(int)(xlen / 8);
            s->window = (uint16_t)(xlen / 8);
            return INSN_SYS | INSN_MEM | INSN_CHANGED;
        }
        return strstr(b, "FLOAD") ? INSN_FP : strstr(b, "return") ? INSN_SYS : 0;
    }
}

unsigned rv_insn_info(const struct hart *h, uint32_t insn, unsigned xlen, uint64_t pc, struct insn_info *s, unsigned *status)
{
    struct decoded d = rv_decode(h->decoder, insn, xlen);
    bool two = (insn & 3) != 3;
    *s = (struct insn_info){
        .core = {.length = two ? 2 : 4, .narrow = xlen == 32, .a = INSN_NO_WORD, .b = INSN_NO_WORD, .base = INSN_NO_WORD},
        .insn = two ? insn & 0xffff : insn,
        .offset = INSN_NO_WORD,
        .from = {INSN_NO_WORD, INSN_NO_WORD},
        .by = {.a = INSN_NO_WORD, .b = INSN_NO_WORD, .c = INSN_NO_WORD}};
    *status = 0;
    if (!d.row)
        return 0;
    if (d.frd || d.rd)
        place(s, d.frd ? F_WORD(d.rd) : X_WORD(d.rd));
    set_guess(s, &d, pc, xlen);
    set_flow(s, &d);
    s->by.exact = load_info(s, &d) || s->by.flow || set_rule(s, &d, xlen);
    if (bases[d.op].cost == COST_AMO)
        return atomic_info(s, &d, xlen, status);
    if (bases[d.op].cost == COST_STORE && !strstr(bases[d.op].body, "sspush"))
        return store_info(s, &d);
    if (s->by.flow)
        return 0;
    return other_info(s, &d, xlen);
}
