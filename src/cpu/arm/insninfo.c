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

const struct insn_layout a64_insn_layout = {
    .words = sizeof(struct arm_state) / 8,
    .x = WORD(x),
    .xs = 32,
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

static unsigned load_info(struct insn_info *s, const struct a64_decoded *d, const char *b)
{
    bool v = b[strcspn(b, "(") + 1] == 'V', pair = strstr(b, "PAIR") != NULL, wb = strstr(b, "_WB(") != NULL;
    if (v && pair)
        return INSN_ALL;
    if (v)
        place_v(s, d->rd);
    else
        place_x(s, d->rd);
    if (pair)
        place_x(s, d->rs2);
    if (wb)
        set_base(s, d);
    return 0;
}

static unsigned store_info(struct insn_info *s, const struct a64_decoded *d, const char *b)
{
    bool v = b[strcspn(b, "(") + 1] == 'V', pair = strstr(b, "PAIR") != NULL, wb = strstr(b, "_WB(") != NULL;
    const char *ea = strchr(b, ',');
    bool before = strstr(b, "STORE_T(") || (ea && !strncmp(ea, ", RS1 + IMM", 11)); /* the offset counts for this access */
    s->stores = pair ? 2 : 1;
    s->size = (uint8_t)kind_bytes(b);
    s->core.base = reg(d->rs1);
    s->from[0] = v ? V_WORD(d->rd, 0) : reg(d->rd);
    s->from[1] = !pair ? INSN_NO_WORD : v ? V_WORD(d->rs2, 0) : reg(d->rs2);
    s->disp = before ? d->imm : 0;
    if (ea && strstr(ea, "RS2")) {
        s->offset = reg(d->rs2);
        s->scale = (uint8_t)d->imm;
        s->index = strstr(ea, "(uint32_t)RS2") ? INDEX_UXTW : strstr(ea, "(int32_t)RS2") ? INDEX_SXTW : INDEX_64;
    }
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
    if (flags_only)
        return 0;
    place_x(s, d->rd);
    set_guess(s, d, pc);
    return strstr(b, "slow_irg") ? INSN_SYS : 0;
}

static unsigned simd_info(struct insn_info *s, const struct a64_decoded *d)
{
    const char *f = d->row->format, *b = bases[d->op].body;
    s->core.nzcv = 1; /* of comparisons */
    if (strstr(b, "CMP(") || strstr(b, "ccmp"))
        return INSN_FP;
    s->core.nzcv = 0;
    if (!strncmp(f, "XV", 2) || !strcmp(f, "VSMOV") || !strncmp(f, "VUMOV", 5))
        place_x(s, d->rd);
    else
        place_v(s, d->rd);
    return INSN_FP;
}

static unsigned branch_info(struct insn_info *s, const struct a64_decoded *d, uint64_t pc)
{
    const char *b = bases[d->op].body;
    if (!strstr(b, "LINK") && !strstr(b, "JUMP_BLR"))
        return strstr(b, "slow_eret") ? INSN_SYS : 0;
    place_x(s, 30);
    s->core.guess = GUESS_CONST;
    s->core.imm = (int64_t)pc + 4;
    return 0;
}

unsigned a64_insn_info(const struct pe *p, uint32_t insn, uint64_t pc, struct insn_info *s, unsigned *status)
{
    struct a64_decoded d = a64_decode(p->decoder, insn);
    *s = (struct insn_info){
        .core = {.length = 4, .a = INSN_NO_WORD, .b = INSN_NO_WORD, .base = INSN_NO_WORD}, .insn = insn, .offset = INSN_NO_WORD};
    *status = 0;
    if (!d.row)
        return 0;
    const char *b = bases[d.op].body, *m;
    if ((m = macro(b, "LOAD")))
        return load_info(s, &d, m);
    if ((m = macro(b, "STORE")))
        return store_info(s, &d, m);
    switch ((enum a64_cost)bases[d.op].cost) {
    case COST_ALU:
    case COST_MUL:
    case COST_DIV: return alu_info(s, &d, pc);
    case COST_LOAD:
    case COST_STORE: return macro(b, "NOTHING") ? 0 : special_info(p, s, &d, insn);
    case COST_BRANCH:
    case COST_JUMP: return branch_info(s, &d, pc);
    case COST_ATOMIC: return atomic_info(s, &d, status);
    case COST_SYSREG:
        if (d.op != OP_msr_imm)
            return system_info(p, s, &d, insn);
        s->core.nzcv = 1;
        return INSN_SYS;
    case COST_BARRIER: return 0;
    case COST_SYS: s->core.nzcv = 1; return macro(b, "NOTHING") ? 0 : INSN_SYS | INSN_ALL;
    case COST_PAUTH: return pauth_info(s, &d);
    default: return simd_info(s, &d);
    }
}
