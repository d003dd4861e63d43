/*
 * Laws of the instruction rows: patterns, overlaps, owners, and the way from bits to row and operands, for many configurations.
 * The operand formats are stated a second time below, as the manual draws them.
 * timeout: 600
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "cpu/riscv/decode.h"

/*
 * A format as the manual's figures have it, from bit 31 (15) down: fields `name[bits]`, a number for that many bits that are no
 * operand. A field with an apostrophe holds a register's number minus 8. Operands that a format fixes follow `=`; the immediate
 * is signed where `signed` says so. unpriv 2.3 "Immediate Encoding Variants", C "Compressed Instruction Formats", Zc.
 */
static const struct figure {
    const char *name, *fields;
    bool is_signed;
    int rd, rs1, rs2, imm; /* what the format fixes */
} figures[] = {
    {"NONE", "", false, 0, 0, 0, 0},
    {"R", "7 rs2[4:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"I", "imm[11:0] rs1[4:0] 3 rd[4:0] 7", true, 0, 0, 0, 0},
    {"SH", "6 imm[5:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"S", "imm[11:5] rs2[4:0] rs1[4:0] 3 imm[4:0] 7", true, 0, 0, 0, 0},
    {"B", "imm[12|10:5] rs2[4:0] rs1[4:0] 3 imm[4:1|11] 7", true, 0, 0, 0, 0},
    {"U", "imm[31:12] rd[4:0] 7", true, 0, 0, 0, 0},
    {"J", "imm[20|10:1|11|19:12] rd[4:0] 7", true, 0, 0, 0, 0},
    {"CSR", "imm[11:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"RAW", "7 rs2[4:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0}, /* the immediate is the instruction: tested apart */
    {"AMO", "5 imm[1:0] rs2[4:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"FR", "7 rs2[4:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"FI", "imm[11:0] rs1[4:0] 3 rd[4:0] 7", true, 0, 0, 0, 0},
    {"FR4", "imm[4:0] 2 rs2[4:0] rs1[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"FLI", "12 imm[4:0] 3 rd[4:0] 7", false, 0, 0, 0, 0},
    {"CR", "4 rd[4:0] rs2[4:0] 2", false, 0, -1, 0, 0}, /* -1: the same as rd */
    {"CMV", "4 rd[4:0] rs2[4:0] 2", false, 0, 0, 0, 0},
    {"CJR", "4 rs1[4:0] 5 2", false, 0, 0, 0, 0},
    {"CJALR", "4 rs1[4:0] 5 2", false, 1, 0, 0, 0},
    {"CI", "3 imm[5] rd[4:0] imm[4:0] 2", true, 0, -1, 0, 0},
    {"CLI", "3 imm[5] rd[4:0] imm[4:0] 2", true, 0, 0, 0, 0},
    {"CLUI", "3 imm[17] rd[4:0] imm[16:12] 2", true, 0, 0, 0, 0},
    {"CSLLI", "3 imm[5] rd[4:0] imm[4:0] 2", false, 0, -1, 0, 0},
    {"CADDI16SP", "3 imm[9] 5 imm[4|6|8:7|5] 2", true, 2, 2, 0, 0},
    {"CADDI4SPN", "3 imm[5:4|9:6|2|3] rd'[2:0] 2", false, 0, 2, 0, 0},
    {"CLWSP", "3 imm[5] rd[4:0] imm[4:2|7:6] 2", false, 0, 2, 0, 0},
    {"CLDSP", "3 imm[5] rd[4:0] imm[4:3|8:6] 2", false, 0, 2, 0, 0},
    {"CFLWSP", "3 imm[5] rd[4:0] imm[4:2|7:6] 2", false, 0, 2, 0, 0},
    {"CFLDSP", "3 imm[5] rd[4:0] imm[4:3|8:6] 2", false, 0, 2, 0, 0},
    {"CSWSP", "3 imm[5:2|7:6] rs2[4:0] 2", false, 0, 2, 0, 0},
    {"CSDSP", "3 imm[5:3|8:6] rs2[4:0] 2", false, 0, 2, 0, 0},
    {"CLW", "3 imm[5:3] rs1'[2:0] imm[2|6] rd'[2:0] 2", false, 0, 0, 0, 0},
    {"CLD", "3 imm[5:3] rs1'[2:0] imm[7:6] rd'[2:0] 2", false, 0, 0, 0, 0},
    {"CFLW", "3 imm[5:3] rs1'[2:0] imm[2|6] rd'[2:0] 2", false, 0, 0, 0, 0},
    {"CFLD", "3 imm[5:3] rs1'[2:0] imm[7:6] rd'[2:0] 2", false, 0, 0, 0, 0},
    {"CSW", "3 imm[5:3] rs1'[2:0] imm[2|6] rs2'[2:0] 2", false, 0, 0, 0, 0},
    {"CSD", "3 imm[5:3] rs1'[2:0] imm[7:6] rs2'[2:0] 2", false, 0, 0, 0, 0},
    {"CA", "6 rd'[2:0] 2 rs2'[2:0] 2", false, 0, -1, 0, 0},
    {"CU", "6 rd'[2:0] 5 2", false, 0, -1, 0, 0},
    {"CZEXTB", "6 rd'[2:0] 5 2", false, 0, -1, 0, 255},
    {"CNOT", "6 rd'[2:0] 5 2", false, 0, -1, 0, -1},
    {"CBI", "3 imm[5] 2 rd'[2:0] imm[4:0] 2", true, 0, -1, 0, 0},
    {"CBSH", "3 imm[5] 2 rd'[2:0] imm[4:0] 2", false, 0, -1, 0, 0},
    {"CB", "3 imm[8|4:3] rs1'[2:0] imm[7:6|2:1|5] 2", true, 0, 0, 0, 0},
    {"CJ", "3 imm[11|4|9:8|10|6|7|3:1|5] 2", true, 0, 0, 0, 0},
    {"CJAL", "3 imm[11|4|9:8|10|6|7|3:1|5] 2", true, 1, 0, 0, 0},
    {"CLBU", "6 rs1'[2:0] imm[0|1] rd'[2:0] 2", false, 0, 0, 0, 0},
    {"CLH", "6 rs1'[2:0] 1 imm[1] rd'[2:0] 2", false, 0, 0, 0, 0},
    {"CSB", "6 rs1'[2:0] imm[0|1] rs2'[2:0] 2", false, 0, 0, 0, 0},
    {"CSH", "6 rs1'[2:0] 1 imm[1] rs2'[2:0] 2", false, 0, 0, 0, 0},
    {"CSSPUSH", "", false, 0, 0, 1, 0},
    {"CSSPOPCHK", "", false, 0, 5, 0, 0},
};

struct operands {
    int64_t imm;
    int rd, rs1, rs2;
};

static const struct figure *figure_of(const struct insn_row *r)
{
    for (unsigned i = 0; i < ARRAY_LEN(figures); i++)
        if (!strcmp(figures[i].name, r->format))
            return &figures[i];
    fail_msg("%s: the format %s is not in this test", r->name, r->format);
    return NULL;
}

/* Reads the field `name[...]` at *p: its value's bits from `at` bits of insn downwards. */
static uint64_t field_bits(const char **p, uint32_t insn, unsigned *at, unsigned *highest)
{
    uint64_t v = 0;
    for (++*p; **p != ']';) {
        char *end;
        unsigned hi = (unsigned)strtoul(*p, &end, 10), lo = hi;
        if (*end == ':')
            lo = (unsigned)strtoul(end + 1, &end, 10);
        for (unsigned b = hi + 1; b-- > lo;)
            v |= (uint64_t)(insn >> --*at & 1) << b;
        *highest = hi > *highest ? hi : *highest;
        *p = end + (*end == '|');
    }
    ++*p;
    return v;
}

static struct operands operands_by_figure(const struct figure *f, uint32_t insn, unsigned bytes)
{
    struct operands o = {f->imm, f->rd, f->rs1, f->rs2};
    unsigned at = bytes * 8, widest = 0;
    for (const char *p = f->fields; *p;) {
        char *end;
        if (*p == ' ') {
            p++;
            continue;
        }
        if (*p >= '0' && *p <= '9') {
            at -= (unsigned)strtoul(p, &end, 10);
            p = end;
            continue;
        }
        const char *bracket = strchr(p, '[');
        bool imm = *p == 'i';
        int *reg = !strncmp(p, "rd", 2) ? &o.rd : !strncmp(p, "rs1", 3) ? &o.rs1 : &o.rs2;
        bool small = bracket[-1] == '\'';
        unsigned highest = 0;
        p = bracket;
        uint64_t v = field_bits(&p, insn, &at, &highest);
        if (imm) {
            o.imm |= (int64_t)v;
            widest = highest > widest ? highest : widest;
        } else {
            *reg = (int)v + (small ? 8 : 0);
        }
    }
    if (*f->fields)
        assert_int_equal(at, 0);
    if (f->is_signed)
        o.imm = bits_sext((uint64_t)o.imm, widest + 1);
    if (f->rs1 < 0)
        o.rs1 = o.rd;
    return o;
}

/* ---- rows by themselves ------------------------------------------------------------------------------------------ */

static void patterns_are_complete_and_agree_with_the_length_code(void **state)
{
    (void)state;
    assert_true(rv_insn_count() > 300);
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        size_t n = strlen(r.pattern);
        if ((n != 16 && n != 32) || strspn(r.pattern, "01-n") != n)
            fail_msg("%s: the pattern '%s' is not 16 or 32 of 0, 1, -, n", r.name, r.pattern);
        bool four = (r.match & 3) == 3; /* unpriv 1.5: 32-bit instructions end in 11, not 11111 */
        if ((r.mask & 3) != 3 || four != (n == 32) || (four && (r.match & 0x1f) == 0x1f))
            fail_msg("%s: the pattern '%s' does not fit its length", r.name, r.pattern);
        if (r.alias != (n == 16))
            fail_msg("%s: 16-bit rows are aliases, others are not", r.name);
        assert_int_equal(r.bytes, n / 8);
        assert_true(r.match == (r.match & r.mask) && !(r.mask & r.nonzero));
        assert_true(r.xlen == 0 || r.xlen == 32 || r.xlen == 64);
        assert_true(r.op > OP_illegal && r.op < OP_COUNT);
    }
}

static void names_are_unique_and_aliases_name_rows_that_exist_where_they_do(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row a = rv_insn_row(i);
        unsigned targets = 0;
        for (unsigned k = 0; k < rv_insn_count(); k++) {
            struct insn_row b = rv_insn_row(k);
            if (k != i && !strcmp(a.name, b.name))
                fail_msg("two rows are called %s", a.name);
            if (a.alias && !b.alias && a.op == b.op) {
                targets++;
                assert_string_equal(a.body, b.name);
                if (b.xlen && a.xlen != b.xlen)
                    fail_msg("%s is there for XLEN %u, its target for %u", a.name, a.xlen, b.xlen);
            }
        }
        if (a.alias)
            assert_int_equal(targets, 1);
    }
}

/* A configuration with every extension on or off by itself, the base only, or all. */
static struct rv_config config_of(uint64_t *seed, unsigned xlen, unsigned kind)
{
    struct rv_config c;
    rv_config_default(&c, xlen);
    for (unsigned e = 0; e < RV_EXT_COUNT; e++) {
        bool on = kind == 0 || (kind > 1 && (rng_next(seed) & 1));
        c.ext[e / 32] = (c.ext[e / 32] & ~(1u << (e % 32))) | (uint32_t)on << (e % 32);
    }
    return c;
}

static void owners_are_extensions_and_turn_their_rows_on_and_off(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rv_config all = config_of(&seed, 64, 0), none = config_of(&seed, 64, 1);
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (!rv_insn_has(&all, &r))
            fail_msg("%s (%s) is not there with every extension on", r.name, r.ext_name);
        if (rv_insn_has(&none, &r) != !strcmp(r.ext_name, "I"))
            fail_msg("%s (%s) is there with every extension off", r.name, r.ext_name);
        /* Each extension that its owner names is needed, or, with "or", any one of them is enough. */
        char names[64], *save = NULL;
        bool any = strstr(r.ext_name, "_or_") != NULL;
        snprintf(names, sizeof names, "%s", r.ext_name);
        for (char *n = strtok_r(names, "_", &save); n; n = strtok_r(NULL, "_", &save)) {
            if (!strcmp(n, "or") || !strcmp(n, "and") || !strcmp(n, "I"))
                continue;
            unsigned e = 0;
            while (e < RV_EXT_COUNT && strcmp(rv_ext_name((enum rv_ext)e), n))
                e++;
            if (e == RV_EXT_COUNT)
                fail_msg("%s: there is no extension %s", r.name, n);
            struct rv_config c = any ? none : all;
            c.ext[e / 32] ^= 1u << (e % 32);
            if (rv_insn_has(&c, &r) != any)
                fail_msg("%s: the extension %s of %s makes no difference", r.name, n, r.ext_name);
        }
    }
}

static bool xlen_meets(const struct insn_row *a, const struct insn_row *b) { return !a->xlen || !b->xlen || a->xlen == b->xlen; }

/* Rows that can be there together may match the same bits only if one's fixed bits strictly include the other's. */
static void rows_overlap_only_by_inclusion(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row a = rv_insn_row(i);
        for (unsigned k = i + 1; k < rv_insn_count(); k++) {
            struct insn_row b = rv_insn_row(k);
            if (a.bytes != b.bytes || !xlen_meets(&a, &b) || ((a.match ^ b.match) & a.mask & b.mask))
                continue;
            /* 'n' bits of one that the other fixes at zero, all of them: they never meet. */
            if ((a.nonzero && (a.nonzero & b.mask & ~b.match) == a.nonzero) ||
                (b.nonzero && (b.nonzero & a.mask & ~a.match) == b.nonzero))
                continue;
            bool a_in_b = (a.mask & b.mask) == b.mask && a.mask != b.mask,
                 b_in_a = (a.mask & b.mask) == a.mask && a.mask != b.mask;
            if (!a_in_b && !b_in_a)
                fail_msg("%s (%s) and %s (%s) overlap", a.name, a.pattern, b.name, b.pattern);
        }
    }
}

/* ---- bits to rows ------------------------------------------------------------------------------------------------ */

static bool matches(const struct insn_row *r, uint32_t insn)
{
    unsigned bytes = (insn & 3) == 3 ? 4 : 2;
    if (bytes == 2)
        insn &= 0xffff;
    return r->bytes == bytes && (insn & r->mask) == r->match && (!r->nonzero || (insn & r->nonzero));
}

/* The row by looking at all of them: the one with the most fixed bits. */
struct rows {
    struct insn_row row[1024];
    unsigned n;
};

static void rows_there(struct rows *t, const struct rv_config *c, unsigned xlen)
{
    t->n = 0;
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (rv_insn_has(c, &r) && (!r.xlen || r.xlen == xlen))
            t->row[t->n++] = r;
    }
}

static const struct insn_row *row_by_search(const struct rows *t, uint32_t insn)
{
    const struct insn_row *best = NULL;
    for (unsigned i = 0; i < t->n; i++)
        if (matches(&t->row[i], insn) && (!best || __builtin_popcount(t->row[i].mask) > __builtin_popcount(best->mask)))
            best = &t->row[i];
    return best;
}

static void same_operands(const struct decoded *d, uint32_t insn)
{
    const struct insn_row *r = d->row;
    if (!strcmp(r->format, "RAW"))
        assert_int_equal((uint32_t)d->imm, insn);
    struct operands want = operands_by_figure(figure_of(r), d->bytes == 2 ? insn & 0xffff : insn, d->bytes);
    if (!strcmp(r->format, "RAW"))
        want.imm = d->imm;
    if (d->imm != want.imm || d->rd != want.rd || d->rs1 != want.rs1 || d->rs2 != want.rs2)
        fail_msg("%s %#x: imm %d rd %u rs1 %u rs2 %u, expected %d %d %d %d", r->name, insn, d->imm, d->rd, d->rs1, d->rs2,
                 (int)want.imm, want.rd, want.rs1, want.rs2);
}

static void check(const struct rv_decoder *dec, const struct rows *t, uint32_t insn, unsigned xlen)
{
    struct decoded d = rv_decode(dec, insn, xlen);
    const struct insn_row *want = row_by_search(t, insn);
    assert_int_equal(d.bytes, (insn & 3) == 3 ? 4 : 2);
    if (!want) {
        if (d.op != OP_illegal || d.row)
            fail_msg("%#x is %s with XLEN %u, expected to be illegal", insn, d.row->name, xlen);
        assert_int_equal((uint32_t)d.imm, d.bytes == 2 ? insn & 0xffff : insn);
        return;
    }
    if (!d.row || strcmp(d.row->name, want->name))
        fail_msg("%#x is %s with XLEN %u, expected %s", insn, d.row ? d.row->name : "illegal", xlen, want->name);
    assert_int_equal(d.op, want->op);
    same_operands(&d, insn);
}

/* An instruction of the row: random operand bits, the n bits not all zero. */
static uint32_t random_insn(const struct insn_row *r, uint64_t *seed)
{
    uint32_t insn;
    do {
        insn = (uint32_t)rng_next(seed);
        if (!(rng_next(seed) & 7)) /* sparse operands, to meet special cases */
            insn &= (uint32_t)(rng_next(seed) & rng_next(seed) & rng_next(seed));
        insn = (insn & ~r->mask) | r->match;
        if (r->bytes == 2)
            insn &= 0xffff;
    } while (r->nonzero && !(insn & r->nonzero));
    return insn;
}

/* Kinds of configuration: 0 all, 1 base only, others random. */
static void every_row_decodes_to_itself_with_the_operands_of_its_format(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct rows *t = calloc(1, sizeof *t);
    for (unsigned n = 0; n < 24; n++) {
        unsigned xlen = n & 1 ? 32 : 64;
        struct rv_config c = config_of(&seed, xlen, n / 2);
        struct rv_decoder *dec = rv_decoder_new(&c);
        rows_there(t, &c, xlen);
        for (unsigned i = 0; i < t->n; i++) {
            unsigned itself = 0;
            for (unsigned k = 0; k < 300; k++) {
                uint32_t insn = random_insn(&t->row[i], &seed);
                check(dec, t, insn, xlen);
                itself += !strcmp(rv_decode(dec, insn, xlen).row->name, t->row[i].name);
            }
            if (!itself)
                fail_msg("%s is never decoded", t->row[i].name);
        }
        rv_decoder_free(dec);
    }
    free(t);
}

static void what_is_off_is_illegal(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct rows *t = calloc(1, sizeof *t);
    for (unsigned n = 1; n < 24; n++) {
        unsigned xlen = n & 1 ? 32 : 64;
        struct rv_config c = config_of(&seed, xlen, n < 3 ? 1 : 2);
        struct rv_decoder *dec = rv_decoder_new(&c);
        rows_there(t, &c, xlen);
        for (unsigned i = 0; i < rv_insn_count(); i++) {
            struct insn_row r = rv_insn_row(i);
            for (unsigned k = 0; k < 20 && (!rv_insn_has(&c, &r) || (r.xlen && r.xlen != xlen)); k++) {
                uint32_t insn = random_insn(&r, &seed);
                struct decoded d = rv_decode(dec, insn, xlen);
                if (d.row && (!strcmp(d.row->name, r.name) || !matches(d.row, insn)))
                    fail_msg("%s (%s) is off and %#x is %s", r.name, r.ext_name, insn, d.row->name);
                check(dec, t, insn, xlen);
            }
        }
        rv_decoder_free(dec);
    }
    free(t);
}

static void all_16_bit_and_many_32_bit_words_decode_as_a_search_says(void **state)
{
    (void)state;
    const char *n = getenv("TRAPLINE_FP_N"); /* the common switch for fewer random cases */
    uint64_t seed = 4, words = n ? 300000 : 10000000;
    struct rows *t = calloc(1, sizeof *t);
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rv_config c = config_of(&seed, xlen, 0);
        struct rv_decoder *dec = rv_decoder_new(&c);
        rows_there(t, &c, xlen);
        for (uint32_t i = 0; i < 0x10000; i++)
            if ((i & 3) != 3)
                check(dec, t, i | (uint32_t)rng_next(&seed) << 16, xlen);
        for (uint64_t i = 0; i < words; i++) {
            uint32_t insn = (uint32_t)rng_next(&seed) | 3;
            struct decoded d = rv_decode(dec, insn, xlen);
            if (d.row ? !matches(d.row, insn) : d.op != OP_illegal)
                fail_msg("%#x is %s with XLEN %u", insn, d.row ? d.row->name : "nothing", xlen);
            if (i % 64 == 0)
                check(dec, t, insn, xlen);
        }
        rv_decoder_free(dec);
    }
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_complete_and_agree_with_the_length_code),
        cmocka_unit_test(names_are_unique_and_aliases_name_rows_that_exist_where_they_do),
        cmocka_unit_test(owners_are_extensions_and_turn_their_rows_on_and_off),
        cmocka_unit_test(rows_overlap_only_by_inclusion),
        cmocka_unit_test(every_row_decodes_to_itself_with_the_operands_of_its_format),
        cmocka_unit_test(what_is_off_is_illegal),
        cmocka_unit_test(all_16_bit_and_many_32_bit_words_decode_as_a_search_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
