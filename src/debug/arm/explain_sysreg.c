/* Which bits decide that an access to a system register is refused: each bit of each stored register is turned over in a copy,
   and those that change the answer of the tables are the ones that were asked. */
#include "base/bits.h"
#include "debug/arm/esr.h"
#include "debug/arm/explain_parts.h"

#include <stdio.h>
#include <string.h>

/* Every stored word, by the rows. */
static const struct word {
    const char *name, *suffix;
    uint16_t at, count, step;
} words[] = {
#define STORED_OWN(name, suffix, len)   {#name, #suffix, offsetof(struct arm_regs, name##suffix) / 8, 1, 1},
#define STORED_OWNS(name, suffix, len)  {#name, #suffix, offsetof(struct arm_regs, name##suffix) / 8, len, 1},
#define STORED_BANK(name, suffix, len)  {#name, #suffix, offsetof(struct arm_regs, name##suffix) / 8, 1, 2},
#define STORED_BANKS(name, suffix, len) {#name, #suffix, offsetof(struct arm_regs, name##suffix) / 8, len, 2},
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

static void word_name(unsigned i, char *out, size_t cap)
{
    for (unsigned k = 0; k < ARRAY_LEN(words); k++) {
        const struct word *w = &words[k];
        if (i < w->at || i >= (unsigned)(w->at + w->count * w->step))
            continue;
        unsigned n = (i - w->at) / w->step;
        if (w->count > 1)
            snprintf(out, cap, "%s%u%s", w->name, n, w->suffix);
        else
            snprintf(out, cap, "%s%s", w->name, w->suffix);
        return;
    }
    snprintf(out, cap, "word %u", i);
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

/* "HCR_EL2.TVM": registers in capitals, as the manual has them. */
static const char *bit_name(struct arm_why *w, unsigned i, unsigned bit)
{
    char reg[48];
    word_name(i, reg, sizeof reg);
    const struct sysreg_row *row = sysreg_row_of(sysreg_by_name(reg));
    const char *field = NULL;
    for (unsigned f = 0; row && f < row->nfields; f++)
        if (row->fields[f].lsb <= bit && row->fields[f].msb >= bit && strcmp(row->fields[f].rule_text, "RES0") &&
            strcmp(row->fields[f].rule_text, "RES1"))
            field = row->fields[f].name;
    for (char *c = reg; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    return field ? explain_say(w->e, "%s.%s", reg, field) : explain_say(w->e, "%s[%u]", reg, bit);
}

static const char *answer(struct arm_why *w, struct sysreg_access a)
{
    if (a.result == SYSREG_OK)
        return "permitted";
    if (a.result == SYSREG_UNDEFINED)
        return "UNDEFINED";
    return explain_say(w->e, "trapped to EL%u, class 0x%02x", a.el, a.ec);
}

static bool differs(struct sysreg_access a, struct sysreg_access b)
{
    return a.result != b.result || a.el != b.el || a.ec != b.ec;
}

void arm_explain_sysreg(struct arm_why *w, struct fact *to, unsigned id, bool write, struct sysreg_access a)
{
    char name[48];
    struct sysreg_ctx c = w->p->ctx;
    struct arm_regs r = *c.r;
    const char *spec = "Arm ARM D24: accessibility of the register";
    sysreg_name(id, name, sizeof name);
    if (id == SR_NONE) {
        fact_add(w->e, to, "encoding", "Arm ARM C5: System instruction class encoding", "no register or instruction of this PE")
            ->mark = FACT_DECIDES;
        return;
    }
    sysreg_group(id, &spec);
    struct fact *f = fact_add(w->e, to, explain_say(w->e, "%s", name), explain_say(w->e, "Arm ARM %s", spec), "%s at EL%u: %s",
                              write ? "a write or use" : "a read", c.el, answer(w, a));
    c.r = &r;
    unsigned found = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t *word = (uint64_t *)(void *)&r + i;
        for (unsigned bit = 0; bit < 64; bit++) {
            *word ^= UINT64_C(1) << bit;
            struct sysreg_access then = sysreg_check(&c, id, write);
            if (differs(then, a)) {
                struct fact *b =
                    fact_value(w->e, f, bit_name(w, i, bit), NULL, !(*word >> bit & 1), 0, "the other way: %s", answer(w, then));
                b->mark = FACT_DECIDES;
                found++;
            }
            *word ^= UINT64_C(1) << bit;
        }
    }
    if (!found)
        fact_add(w->e, f, "level", ARM_ESR, "no control decides it: this level has no access")->mark = FACT_DECIDES;
}
