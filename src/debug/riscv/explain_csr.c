/* Which bits decide that an access to a CSR is refused: each bit of each stored register is turned over in a copy, and those that
   change the answer of the tables are the ones that were asked. */
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

void rv_bit_name(unsigned i, unsigned bit, unsigned xlen, char *out, size_t cap)
{
    char reg[32];
    unsigned msb, lsb;
    word_name(i, reg, sizeof reg);
    const struct csr_row *row = csr_row_by_name(reg);
    (void)xlen; /* what is stored has RV64's layout; where RV32's differs there is no bit that gates */
    for (unsigned f = 0; row && f < row->nfields; f++) {
        if (!csr_field_bits(row, &row->fields[f], 64, &msb, &lsb) || bit > msb || bit < lsb)
            continue;
        if (msb == lsb)
            snprintf(out, cap, "%s.%s", reg, row->fields[f].name);
        else
            snprintf(out, cap, "%s.%s[%u]", reg, row->fields[f].name, bit);
        return;
    }
    snprintf(out, cap, "%s[%u]", reg, bit);
}

static const char *result_text(enum csr_result r)
{
    return r == CSR_OK ? "permitted" : r == CSR_ILLEGAL ? "an illegal instruction" : "a virtual instruction";
}

/* The bits that change the answer by themselves. */
static void probe(struct rv_why *w, struct fact *to, const struct csr_ctx *c, unsigned num, bool write, enum csr_result now)
{
    struct rv_csrs r = *c->r;
    struct csr_ctx k = *c;
    char name[64];
    k.r = &r;
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t *word = (uint64_t *)(void *)&r + i;
        for (unsigned bit = 0; bit < 64; bit++) {
            *word ^= UINT64_C(1) << bit;
            enum csr_result then = csr_check(&k, num, write);
            if (then != now) {
                const struct word *row = word_of(i);
                const struct csr_row *reg = row ? csr_row_by_name(row->name) : NULL;
                rv_bit_name(i, bit, w->xlen, name, sizeof name);
                struct fact *f = fact_value(w->e, to, explain_say(w->e, "%s", name), reg ? reg->spec : NULL, !(*word >> bit & 1),
                                            0, "the other way the access would be %s", result_text(then));
                f->mark = FACT_DECIDES;
            }
            *word ^= UINT64_C(1) << bit;
        }
    }
}

void rv_explain_csr(struct rv_why *w, struct fact *to, unsigned num, bool write, enum csr_result result)
{
    static const char *const least[] = {"U", "S", "HS", "M"};
    char name[48];
    struct csr_ctx c = w->h->csr;
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
    probe(w, f, &c, num, write, result);
}
