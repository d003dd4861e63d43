/*
 * Which bits decide that an access to a CSR is refused. Which are asked at all is found by turning over each bit of each stored
 * register in a copy and asking the tables again: beside the registers as they are, beside all zeros and beside all ones. Of
 * those, the ones that by themselves change the answer decide; and the fewest that together would permit the access, each of
 * which refuses it.
 */
#include "base/bits.h"
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

enum { GATES = 24, TOGETHER = 4 };

/* A bit that is asked. */
struct gate {
    uint16_t word;
    uint8_t bit;
    bool refuses;           /* one of the fewest that permit the access together */
    enum csr_result single; /* the answer with it alone turned over */
    enum csr_result alone;  /* if it refuses: with all the others of the fewest turned over */
};

/* An access, and the registers it is tried with. */
struct trial {
    struct csr_ctx c;
    struct rv_csrs r;
    unsigned num, n;
    bool write;
    struct gate gate[GATES];
};

static uint64_t *word_at(struct trial *t, unsigned i) { return (uint64_t *)(void *)&t->r + i; }
static void turn(struct trial *t, const struct gate *g) { *word_at(t, g->word) ^= UINT64_C(1) << g->bit; }
static enum csr_result answer(struct trial *t) { return csr_check(&t->c, t->num, t->write); }

/* Notes the bits of word i that change the answer. */
static void note_bits(struct trial *t, unsigned i)
{
    enum csr_result now = answer(t);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct gate g = {.word = (uint16_t)i, .bit = (uint8_t)bit};
        turn(t, &g);
        bool asked = answer(t) != now;
        turn(t, &g);
        for (unsigned k = 0; k < t->n && asked; k++)
            asked = t->gate[k].word != i || t->gate[k].bit != bit;
        if (asked && t->n < GATES)
            t->gate[t->n++] = g;
    }
}

static void find_gates(struct trial *t, const struct rv_csrs *r)
{
    for (unsigned i = 0; i < WORDS; i++) { /* in the order of the registers */
        t->r = *r;
        note_bits(t, i);
        for (unsigned k = 0; k < 4; k++) {
            memset(&t->r, k & 1 ? 0xff : 0, sizeof t->r);
            *word_at(t, i) = k & 2 ? 0 : UINT64_MAX;
            note_bits(t, i);
        }
    }
    t->r = *r;
}

/* Tries every choice of `left` more gates from number `first` on. True: one of them permits the access. */
static bool permitted_by(struct trial *t, unsigned first, unsigned left, struct gate **chosen, unsigned n)
{
    if (!left) {
        if (answer(t) != CSR_OK)
            return false;
        for (unsigned k = 0; k < n; k++) {
            turn(t, chosen[k]);
            chosen[k]->alone = chosen[k]->refuses ? chosen[k]->alone : answer(t);
            chosen[k]->refuses = true;
            turn(t, chosen[k]);
        }
        return true;
    }
    bool any = false;
    for (unsigned i = first; i < t->n; i++) {
        chosen[n] = &t->gate[i];
        turn(t, chosen[n]);
        any |= permitted_by(t, i + 1, left - 1, chosen, n + 1);
        turn(t, &t->gate[i]);
    }
    return any;
}

static void gate_fact(struct rv_why *w, struct fact *to, struct trial *t, const struct gate *g, enum csr_result now)
{
    char name[64];
    const struct word *row = word_of(g->word);
    const struct csr_row *reg = row ? csr_row_by_name(row->name) : NULL;
    uint64_t mask = field_of(g->word, g->bit, name, sizeof name), word = *word_at(t, g->word);
    bool decides = g->single != now || g->alone == now;
    if (to->last && !strcmp(to->last->label, name))
        return; /* another bit of the same field */
    struct fact *f = fact_value(w->e, to, explain_say(w->e, "%s", name), reg ? reg->spec : NULL,
                                (word & mask) >> __builtin_ctzll(mask), 0, "%s", "");
    if (g->refuses && g->single != CSR_OK)
        f->text = explain_say(w->e, "refuses it; by itself: %s", result_text(g->alone));
    else
        f->text = explain_say(w->e, "%s the access would be %s",
                              mask & (mask - 1) ? "with another value" : "the other way", result_text(g->single));
    f->mark = decides ? FACT_DECIDES : FACT_PLAIN;
}

static void gates(struct rv_why *w, struct fact *to, unsigned num, bool write, enum csr_result now)
{
    struct trial t = {.c = w->h->csr, .num = num, .write = write};
    struct gate *chosen[TOGETHER];
    const struct rv_csrs *r = t.c.r;
    t.c.r = &t.r;
    find_gates(&t, r);
    for (unsigned k = 0; k < t.n; k++) {
        turn(&t, &t.gate[k]);
        t.gate[k].single = answer(&t);
        turn(&t, &t.gate[k]);
    }
    for (unsigned n = 1; n <= TOGETHER; n++)
        if (permitted_by(&t, 0, n, chosen, 0))
            break;
    for (unsigned k = 0; k < t.n; k++)
        if (t.gate[k].single != now || t.gate[k].refuses)
            gate_fact(w, to, &t, &t.gate[k], now);
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
    gates(w, f, num, write, result);
}
