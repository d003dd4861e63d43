/* An access to a system register or a system instruction that is refused, and the bits that decide (explain_gates.h). */
#include "base/bits.h"
#include "debug/arm/esr.h"
#include "debug/arm/explain_parts.h"
#include "debug/explain_gates.h"

#include <stdio.h>
#include <string.h>

/* Every stored word, by the rows. */
static const struct word {
    const char *name, *suffix;
    uint16_t id, at, count, step; /* id: of the first */
} words[] = {
#define STORED_OWN(name, suffix, len)   {#name, #suffix, SR_##name##suffix, offsetof(struct arm_regs, name##suffix) / 8, 1, 1},
#define STORED_OWNS(name, suffix, len)  {#name, #suffix, SR_##name##suffix, offsetof(struct arm_regs, name##suffix) / 8, len, 1},
#define STORED_BANK(name, suffix, len)  {#name, #suffix, SR_##name##suffix, offsetof(struct arm_regs, name##suffix) / 8, 1, 2},
#define STORED_BANKS(name, suffix, len) {#name, #suffix, SR_##name##suffix, offsetof(struct arm_regs, name##suffix) / 8, len, 2},
#define STORED_VIEW(name, suffix, len)
#define STORED_CONST(name, suffix, len)
#define STORED_LIVE(name, suffix, len)
#define ROW(kind, name, ...)                               STORED_##kind(name, , 1)
#define RANGE(kind, name, suffix, enc, stride, count, ...) STORED_##kind(name, suffix, count)
#define ALIAS(...)
#define INSN(...)
#define GROUP(...)
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
#undef GROUP
};
enum { WORDS = sizeof(struct arm_regs) / 8 };

static const struct word *word_of(unsigned i, unsigned *n)
{
    for (unsigned k = 0; k < ARRAY_LEN(words); k++)
        if (i >= words[k].at && i < (unsigned)(words[k].at + words[k].count * words[k].step))
            return *n = (i - words[k].at) / words[k].step, &words[k];
    return NULL;
}

static void word_name(unsigned i, char *out, size_t cap)
{
    unsigned n = 0;
    const struct word *w = word_of(i, &n);
    if (!w)
        snprintf(out, cap, "word %u", i);
    else if (w->count > 1)
        snprintf(out, cap, "%s%u%s", w->name, n, w->suffix);
    else
        snprintf(out, cap, "%s%s", w->name, w->suffix);
}

unsigned arm_regs_differ(const struct arm_regs *a, const struct arm_regs *b, unsigned i, char *name, size_t cap, uint64_t *va,
                         uint64_t *vb)
{
    for (; i < WORDS; i++) {
        memcpy(va, (const char *)a + 8 * i, 8);
        memcpy(vb, (const char *)b + 8 * i, 8);
        if (*va == *vb)
            continue;
        word_name(i, name, cap);
        return i + 1;
    }
    return 0;
}

/* Registers in capitals, as the manual has them; instructions in words: "TLBI VAE1". */
static const char *capitals(struct arm_why *w, const char *name)
{
    static const char *const group[] = {"tlbi_", "dc_", "ic_", "at_", "cfp_", "cpp_", "dvp_", "cosp_", "msr_"};
    char text[48];
    snprintf(text, sizeof text, "%s", name);
    for (unsigned i = 0; i < ARRAY_LEN(group); i++)
        if (!strncmp(text, group[i], strlen(group[i])))
            text[strlen(group[i]) - 1] = ' ';
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    return explain_say(w->e, "%s", text);
}

/* The field that a bit of word number i belongs to: "HCR_EL2.TVM", its mask. */
static const char *field_of(struct arm_why *w, unsigned i, unsigned bit, uint64_t *mask)
{
    char reg[48];
    word_name(i, reg, sizeof reg);
    unsigned n = 0;
    const struct word *of = word_of(i, &n);
    const struct sysreg_row *row = of ? sysreg_row_of(of->id + n) : NULL;
    const char *field = NULL;
    *mask = UINT64_C(1) << bit;
    for (unsigned f = 0; row && f < row->nfields; f++) {
        if (row->fields[f].lsb > bit || row->fields[f].msb < bit || !strcmp(row->fields[f].rule_text, "RES0") ||
            !strcmp(row->fields[f].rule_text, "RES1"))
            continue;
        field = row->fields[f].name;
        *mask = bits_mask(row->fields[f].lsb, row->fields[f].msb - row->fields[f].lsb + 1u);
    }
    return field ? explain_say(w->e, "%s.%s", capitals(w, reg), field) : explain_say(w->e, "%s[%u]", capitals(w, reg), bit);
}

/* The access, with a copy of the registers. */
struct trial {
    struct sysreg_ctx c;
    struct arm_regs r;
    unsigned id;
    bool write;
};

/* 0: permitted; 1: UNDEFINED; otherwise the class, and the level it is trapped to. */
static unsigned number(struct sysreg_access a)
{
    return a.result == SYSREG_OK ? 0 : a.result == SYSREG_UNDEFINED ? 1 : 2u + (a.ec | (unsigned)a.el << 8);
}

static unsigned ask(void *ctx)
{
    const struct trial *t = ctx;
    return number(sysreg_check(&t->c, t->id, t->write));
}

static const char *answer(struct arm_why *w, unsigned n)
{
    if (n < 2)
        return n ? "UNDEFINED" : "permitted";
    return explain_say(w->e, "trapped to EL%u, class 0x%02x", (n - 2) >> 8, (n - 2) & 0xff);
}

static void gate_fact(struct arm_why *w, struct fact *to, const struct gates *all, const struct gate *g)
{
    uint64_t mask, word = all->word[g->word];
    const char *name = field_of(w, g->word, g->bit, &mask);
    if (to->last && !strcmp(to->last->label, name))
        return; /* another bit of the same field */
    struct fact *f = fact_value(w->e, to, name, NULL, (word & mask) >> __builtin_ctzll(mask), 0, "%s", "");
    if (g->refuses && g->single)
        f->text = explain_say(w->e, "refuses it; by itself: %s", answer(w, g->alone));
    else if (g->single != all->now)
        f->text = explain_say(w->e, "%s: %s", mask & (mask - 1) ? "with another value" : "the other way", answer(w, g->single));
    else
        f->text = "lets it pass";
    f->mark = g->single != all->now || (g->refuses && g->alone == all->now) ? FACT_DECIDES : FACT_PLAIN;
}

void arm_explain_sysreg(struct arm_why *w, struct fact *to, unsigned id, bool write, struct sysreg_access a)
{
    char name[48];
    struct trial t = {.c = w->p->ctx, .r = *w->p->ctx.r, .id = id, .write = write};
    struct gates g = {.word = (uint64_t *)(void *)&t.r, .words = WORDS, .answer = ask, .ctx = &t};
    const char *spec = "D24";
    sysreg_name(id, name, sizeof name);
    if (id == SR_NONE) {
        fact_add(w->e, to, "encoding", "Arm ARM C5.1: The System instruction class encoding space",
                 "no register or instruction of this PE")
            ->mark = FACT_DECIDES;
        return;
    }
    sysreg_group(id, &spec);
    struct fact *f = fact_add(w->e, to, capitals(w, name), explain_say(w->e, "Arm ARM %s", spec), "%s at EL%u: %s",
                              write ? "a write or use" : "a read", t.c.el, answer(w, number(a)));
    t.c.r = &t.r;
    gates_find(&g);
    for (unsigned k = 0; k < g.n; k++)
        if (g.permits || g.gate[k].single != g.now)
            gate_fact(w, f, &g, &g.gate[k]);
    if (!f->first)
        fact_add(w->e, f, "level", ARM_PRIORITY, "no control decides it: this level has no access")->mark = FACT_DECIDES;
}
