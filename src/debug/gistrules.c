#include "debug/gistrules.h"

static uint64_t of(const uint64_t *word, uint16_t n) { return n == INSN_NO_WORD ? 0 : word[n]; }
static uint64_t ror(uint64_t v, unsigned n, unsigned width)
{
    n &= width - 1;
    if (width == 32)
        v = (uint32_t)v;
    return n ? v >> n | v << (width - n) : v;
}

static uint64_t extended(uint64_t v, unsigned kind)
{
    switch (kind) {
    case EXTEND_U8: return (uint8_t)v;
    case EXTEND_U16: return (uint16_t)v;
    case EXTEND_U32: return (uint32_t)v;
    case EXTEND_S8: return (uint64_t)(int64_t)(int8_t)v;
    case EXTEND_S16: return (uint64_t)(int64_t)(int16_t)v;
    case EXTEND_S32: return (uint64_t)(int64_t)(int32_t)v;
    default: return v;
    }
}

static bool narrow(const struct insn_info *i) { return i->core.width != GUESS_64; }

/* The second operand. */
static uint64_t operand(const struct insn_info *i, const uint64_t *word)
{
    const struct insn_rules *r = &i->by;
    uint64_t v = extended(of(word, r->b), r->extend);
    unsigned n = r->shift_by & 63;
    switch (r->shift_kind) {
    case SHIFT_LEFT: v <<= n; break;
    case SHIFT_RIGHT: v = narrow(i) ? (uint32_t)v >> (n & 31) : v >> n; break;
    case SHIFT_SIGNED: v = narrow(i) ? (uint32_t)((int32_t)v >> (n & 31)) : (uint64_t)((int64_t)v >> n); break;
    default: v = ror(v, n, narrow(i) ? 32 : 64);
    }
    return (r->invert ? ~v : v) + r->imm;
}

static bool holds(const struct insn_rules *r, const uint64_t *word, unsigned nzcv, bool narrow)
{
    uint64_t a = of(word, r->a), b = of(word, r->b);
    unsigned n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1, f;
    if (r->condition < WHEN_FLAGS) {
        if (narrow) {
            a = (uint64_t)(int64_t)(int32_t)a;
            b = (uint64_t)(int64_t)(int32_t)b;
        }
        switch (r->condition) {
        case WHEN_EQ: return a == b;
        case WHEN_NE: return a != b;
        case WHEN_LT: return (int64_t)a < (int64_t)b;
        case WHEN_GE: return (int64_t)a >= (int64_t)b;
        case WHEN_LTU: return a < b;
        case WHEN_GEU: return a >= b;
        case WHEN_CLEAR: return !(a >> (r->shift & 63) & 1);
        default: return a >> (r->shift & 63) & 1;
        }
    }
    switch (r->condition >> 1 & 7) { /* Arm ARM ConditionHolds */
    case 0: f = z; break;
    case 1: f = c; break;
    case 2: f = n; break;
    case 3: f = v; break;
    case 4: f = c & !z; break;
    case 5: f = n == v; break;
    case 6: f = n == v && !z; break;
    default: return true;
    }
    return r->condition & 1 ? !f : f;
}

static uint64_t divide(const struct insn_info *i, uint64_t a, uint64_t b)
{
    const struct insn_rules *r = &i->by;
    bool sign = r->rule == RULE_DIV || r->rule == RULE_REM, rest = r->rule == RULE_REM || r->rule == RULE_REMU;
    if (narrow(i)) {
        a = sign ? (uint64_t)(int64_t)(int32_t)a : (uint32_t)a;
        b = sign ? (uint64_t)(int64_t)(int32_t)b : (uint32_t)b;
    }
    if (!b)
        return rest ? a : r->zero ? 0 : UINT64_MAX;
    if (!sign)
        return rest ? a % b : a / b;
    if (b == UINT64_MAX) /* the least number has no opposite */
        return rest ? 0 : -a;
    return (uint64_t)(rest ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b);
}

static uint64_t high(uint64_t a, uint64_t b, bool a_sign, bool b_sign)
{
    uint64_t h = (uint64_t)((unsigned __int128)a * b >> 64);
    h -= a_sign && a >> 63 ? b : 0;
    return h - (b_sign && b >> 63 ? a : 0);
}

static uint64_t reversed(uint64_t v, unsigned bits, unsigned unit)
{
    uint64_t r = 0;
    for (unsigned k = 0; k < bits; k += unit)
        r = r << unit | (v >> k & ((UINT64_C(1) << unit) - 1));
    return r;
}

/* Bit field moves: Arm ARM SBFM, BFM, UBFM. */
static uint64_t field(const struct insn_info *i, const uint64_t *word, uint64_t a)
{
    const struct insn_rules *r = &i->by;
    unsigned up = narrow(i) ? 32 : 0, left = (r->shift_by & (narrow(i) ? 31 : 63)) + up,
             right = (r->shift & (narrow(i) ? 31 : 63)) + up;
    uint64_t moved = a << left, mask = UINT64_MAX << left >> right;
    moved = r->sign ? (uint64_t)((int64_t)moved >> right) : moved >> right;
    return r->keep ? (of(word, i->core.word[0]) & ~mask) | moved : moved;
}

static uint64_t extracted(const struct insn_info *i, uint64_t a, uint64_t o)
{
    unsigned n = i->by.shift & (narrow(i) ? 31 : 63);
    if (narrow(i))
        return (a << 32 | (uint32_t)o) >> n;
    return n ? o >> n | a << (64 - n) : o;
}

static uint64_t shifted(const struct insn_info *i, uint64_t a, uint64_t o)
{
    unsigned n = (unsigned)o & (narrow(i) ? 31 : 63);
    if (i->by.rule == RULE_SHL)
        return a << n;
    if (i->by.rule == RULE_SHR)
        return (narrow(i) ? (uint32_t)a : a) >> n;
    return (uint64_t)((narrow(i) ? (int64_t)(int32_t)a : (int64_t)a) >> n);
}

static uint64_t raw(const struct insn_info *i, const uint64_t *word, unsigned nzcv)
{
    const struct insn_rules *r = &i->by;
    uint64_t a = of(word, r->a), o = operand(i, word);
    unsigned bits = narrow(i) ? 32 : 64;
    switch ((enum insn_rule)r->rule) {
    case RULE_MOVE: return o;
    case RULE_ADD: return a + o;
    case RULE_SUB: return a - o;
    case RULE_AND: return a & o;
    case RULE_OR: return a | o;
    case RULE_XOR: return a ^ o;
    case RULE_LESS: return (int64_t)a < (int64_t)o;
    case RULE_LESSU: return a < o;
    case RULE_ROR: return ror(a, (unsigned)o, bits);
    case RULE_MUL: return a * o;
    case RULE_MULH: return high(a, o, true, true);
    case RULE_MULHU: return high(a, o, false, false);
    case RULE_MULHSU: return high(a, o, true, false);
    case RULE_DIV:
    case RULE_DIVU:
    case RULE_REM:
    case RULE_REMU: return divide(i, a, o);
    case RULE_BITS: return field(i, word, a);
    case RULE_PUT: return (a & r->mask) | r->imm;
    case RULE_EXTRACT: return extracted(i, a, of(word, r->b));
    case RULE_SELECT: return holds(r, word, nzcv, false) ? a : o;
    case RULE_MADD: return of(word, r->c) + extended(a, r->keep) * o;
    case RULE_MSUB: return of(word, r->c) - extended(a, r->keep) * o;
    case RULE_SHL:
    case RULE_SHR:
    case RULE_SAR: return shifted(i, a, o);
    case RULE_CLZ: a = narrow(i) ? (uint32_t)a : a; return a ? (unsigned)__builtin_clzll(a) - (64 - bits) : bits;
    case RULE_RBIT: return reversed(a, bits, 1);
    case RULE_REV: return reversed(a, bits, 8);
    default: return 0;
    }
}

uint64_t rules_value(const struct insn_info *i, const uint64_t *word, uint64_t pc, unsigned nzcv)
{
    uint64_t base = i->by.pcrel == PCREL_PC ? pc : i->by.pcrel == PCREL_PAGE ? pc & ~UINT64_C(0xfff) : 0, v;
    if (i->by.rule == RULE_GUESS) {
        v = insn_guess(&i->core, word, 0) + base;
        return i->core.guess == GUESS_CONST && i->core.narrow ? (uint64_t)(int64_t)(int32_t)v : v;
    }
    v = raw(i, word, nzcv) + base;
    return i->core.width == GUESS_64 ? v : i->core.width == GUESS_ZEXT32 ? (uint32_t)v : (uint64_t)(int64_t)(int32_t)v;
}

unsigned rules_flags(const struct insn_info *i, const uint64_t *word, unsigned nzcv)
{
    const struct insn_rules *r = &i->by;
    uint64_t a = of(word, r->a), o = operand(i, word), v;
    unsigned c = 0, overflow = 0;
    if (r->compares && !holds(r, word, nzcv, false))
        return r->flags & 15;
    if (r->sets == SETS_LOGIC) {
        v = raw(i, word, nzcv);
        v <<= narrow(i) ? 32 : 0;
    } else {
        a <<= narrow(i) ? 32 : 0;
        o <<= narrow(i) ? 32 : 0;
        v = r->sets == SETS_ADD ? a + o : a - o;
        c = r->sets == SETS_ADD ? v < a : a >= o;
        overflow = (unsigned)((r->sets == SETS_ADD ? (a ^ v) & (o ^ v) : (a ^ o) & (a ^ v)) >> 63);
    }
    return (unsigned)(v >> 63) << 3 | (unsigned)!v << 2 | c << 1 | overflow;
}

uint64_t rules_next(const struct insn_info *i, const uint64_t *word, uint64_t pc, unsigned nzcv)
{
    const struct insn_rules *r = &i->by;
    uint64_t next = pc + i->core.length;
    if (r->flow == FLOW_TO || (r->flow == FLOW_IF && holds(r, word, nzcv, narrow(i))))
        next = pc + (uint64_t)r->target;
    else if (r->flow == FLOW_REGISTER)
        next = (of(word, r->a) + (uint64_t)r->target) & ~r->mask;
    return i->core.narrow ? (uint32_t)next : next;
}

uint64_t rules_loaded(const struct insn_info *i, uint64_t v)
{
    unsigned bits = i->size * 8u;
    if (bits >= 64 || !i->by.load_sign)
        return v;
    uint64_t sign = UINT64_C(1) << (bits - 1);
    v = ((v & (sign * 2 - 1)) ^ sign) - sign;
    return i->by.load_sign == 2 ? (uint32_t)v : v;
}
