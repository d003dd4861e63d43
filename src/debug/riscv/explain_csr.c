/* An access to a CSR that is refused: existence, privilege, and the bits that decide (explain_gates.h). */
#include "base/bits.h"
#include "debug/explain_gates.h"
#include "debug/riscv/explain_parts.h"

#include <stdio.h>
#include <string.h>

/* Every stored word, by the rows. */
static const struct word {
    const char *name;
    uint16_t at, count;
} words[] = {
#define STORED_OWN(name, len)  {#name, offsetof(struct rv_csrs, name) / 8, 1},
#define STORED_OWNS(name, len) {#name, offsetof(struct rv_csrs, name) / 8, len},
#define STORED_VIEW(name, len)
#define STORED_CONST(name, len)
#define STORED_LIVE(name, len)
#define ROW(kind, name, ...)                           STORED_##kind(name, 1)
#define RANGE(kind, name, num, first, count, len, ...) STORED_##kind(name, len)
#define HIGH(...)
#define HIGHS(...)
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
};
enum { WORDS = sizeof(struct rv_csrs) / 8 };

static const struct word *word_of(unsigned i)
{
    for (unsigned k = 0; k < ARRAY_LEN(words); k++)
        if (i >= words[k].at && i < words[k].at + words[k].count)
            return &words[k];
    return NULL;
}

static void word_name(unsigned i, char *out, size_t cap)
{
    const struct word *k = word_of(i);
    if (!k)
        snprintf(out, cap, "word %u", i);
    else if (k->count > 1)
        snprintf(out, cap, "%s%u", k->name, i - k->at);
    else
        snprintf(out, cap, "%s", k->name);
}

unsigned rv_csrs_differ(const struct rv_csrs *a, const struct rv_csrs *b, unsigned i, char *name, size_t cap, uint64_t *va,
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

/* The field that a bit of word number i belongs to: "mcounteren.TM", its mask. */
static uint64_t field_of(unsigned i, unsigned bit, char *out, size_t cap)
{
    char reg[32];
    unsigned msb, lsb;
    word_name(i, reg, sizeof reg);
    const struct csr_row *row = csr_row_by_name(reg);
    /* what is stored has RV64's layout; where RV32's differs there is no bit that gates */
    for (unsigned f = 0; row && f < row->nfields; f++) {
        if (!csr_field_bits(row, &row->fields[f], 64, &msb, &lsb) || bit > msb || bit < lsb)
            continue;
        snprintf(out, cap, "%s.%s", reg, row->fields[f].name);
        return bits_mask(lsb, msb - lsb + 1);
    }
    snprintf(out, cap, "%s[%u]", reg, bit);
    return UINT64_C(1) << bit;
}

static const char *result_text(enum csr_result r)
{
    return r == CSR_OK ? "permitted" : r == CSR_ILLEGAL ? "an illegal instruction" : "a virtual instruction";
}

/* The access, with a copy of the registers. */
struct trial {
    struct csr_ctx c;
    struct rv_csrs r;
    unsigned num;
    bool write;
};

static unsigned ask(void *ctx)
{
    const struct trial *t = ctx;
    return csr_check(&t->c, t->num, t->write);
}

static void gate_fact(struct rv_why *w, struct fact *to, const struct gates *all, const struct gate *g)
{
    char name[64];
    const struct word *row = word_of(g->word);
    const struct csr_row *reg = row ? csr_row_by_name(row->name) : NULL;
    uint64_t mask = field_of(g->word, g->bit, name, sizeof name), word = all->word[g->word];
    const char *label = rv_label(w, explain_say(w->e, "%s", name), mask);
    if (to->last && !strcmp(to->last->label, label))
        return; /* another bit of the same field */
    struct fact *f = fact_value(w->e, to, label, reg ? reg->spec : NULL, (word & mask) >> __builtin_ctzll(mask), 0, "%s", "");
    if (g->refuses && g->single != CSR_OK)
        f->text = explain_say(w->e, "refuses it; by itself: %s", result_text((enum csr_result)g->alone));
    else if (g->single != all->now)
        f->text = explain_say(w->e, "%s the access would be %s", mask & (mask - 1) ? "with another value" : "the other way",
                              result_text((enum csr_result)g->single));
    else
        f->text = "lets it pass";
    f->mark = g->single != all->now || (g->refuses && g->alone == all->now) ? FACT_DECIDES : FACT_PLAIN;
}

static void gates(struct rv_why *w, struct fact *to, unsigned num, bool write)
{
    struct trial t = {.c = w->h->csr, .r = *w->h->csr.r, .num = num, .write = write};
    struct gates g = {.word = (uint64_t *)(void *)&t.r, .words = WORDS, .answer = ask, .ctx = &t};
    t.c.r = &t.r;
    gates_find(&g);
    for (unsigned k = 0; k < g.n; k++)
        if (g.permits || g.gate[k].single != g.now)
            gate_fact(w, to, &g, &g.gate[k]);
}

void rv_explain_csr(struct rv_why *w, struct fact *to, unsigned num, bool write, enum csr_result result)
{
    static const char *const least[] = {"U", "S", "HS", "M"};
    char name[48];
    csr_name(num, name, sizeof name);
    struct fact *f = fact_value(w->e, to, explain_say(w->e, "%s", name), "priv: CSR Listing", num, 3, "%s is %s",
                                write ? "writing it" : "reading it", result_text(result));
    if (!csr_exists(w->h->map, num)) {
        fact_add(w->e, f, "exists", "priv: CSR Address Mapping Conventions", "this cpu has no such register")->mark =
            FACT_DECIDES;
        return;
    }
    const struct csr_row *row = csr_row_by_num(num);
    fact_add(w->e, f, "exists", row->spec, "%s (%s)", row->title, rv_ext_name(row->ext));
    if (write && (num >> 10 & 3) == 3) {
        fact_add(w->e, f, "read-only", "priv: CSR Address Mapping Conventions", "bits 11:10 of the number are 11")->mark =
            FACT_DECIDES;
        return;
    }
    unsigned lowest = num >> 8 & 3;
    bool enough = w->h->s.priv == RV_M || (!w->h->s.v && (lowest == 2 ? w->h->s.priv == RV_S : w->h->s.priv >= lowest)) ||
                  (w->h->s.v && lowest <= w->h->s.priv && lowest < 2);
    struct fact *p = fact_add(w->e, f, "privilege", "priv: CSR Address Mapping Conventions", "%s needs %s or more: %s", name,
                              least[lowest], enough ? "enough" : "not enough");
    if (!enough) {
        p->mark = FACT_DECIDES;
        if (w->h->s.v)
            fact_add(w->e, f, "V=1", "hypervisor: Trap Cause Codes",
                     result == CSR_VIRTUAL ? "HS could do it: a virtual instruction, not an illegal one"
                                           : "HS could not do it either: an illegal instruction");
    }
    gates(w, f, num, write);
    bool decided = false;
    for (const struct fact *k = f->first; k; k = k->next)
        decided |= k->mark == FACT_DECIDES;
    if (!decided)
        fact_add(w->e, f, "access", row->spec, "%s",
                 num == 0x015 ? "an instruction that reads it has to write it, too" : "no bit of any register permits it")
            ->mark = FACT_DECIDES;
}
