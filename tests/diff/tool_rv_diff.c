/*
 * Runs random code on trapline and on QEMU and compares.
 *
 *   tool_rv_diff [--seed=N] [--count=N] [--xlen=32|64] [--case=SEED:INDEX | --batch=SEED:FIRST:INDEX] [--reports=N] [--brief]
 *
 * --count is the number of random instructions to run, half on each XLEN. --case makes one case alone and prints it. Ends with 1
 * if anything differs. --brief prints the differences and looks for no instruction. TRAPLINE_DIFF_BREAK=<row> spoils every
 * instruction of that row on trapline's side, to see that a fault is found; <row>,<n> only in cases that run behind n others.
 * --batch makes cases FIRST to INDEX of the batch whose seeds follow from SEED.
 */
#include "diff.h"
#include "driver.h"

#include <inttypes.h>
#include <string.h>

static const struct diff_isa *of(const void *isa) { return isa; }
static void harness(const void *isa, uint8_t *image, unsigned first, unsigned n) { diff_harness(image, of(isa)->xlen, first, n); }

static void begin(const void *isa, uint64_t seed, unsigned index, uint8_t *image, void *c)
{
    diff_case_begin(isa, seed, index, image, c);
}

static void make_round(void *c, unsigned round, unsigned keep) { diff_round_make(c, round, keep); }
static unsigned instructions(const void *c) { return ((const struct diff_case *)c)->n; }

static void spoil(const void *isa, const void *made, unsigned keep, const char *name, uint8_t *image, unsigned index)
{
    const struct diff_case *c = made;
    for (unsigned i = 0; i < c->n && i < keep; i++) {
        struct decoded d = rv_decode(of(isa)->decoder, c->insn[i].bits, of(isa)->xlen);
        if (d.row && !strcmp(d.row->name, name))
            memset(image + diff_arena(index) + PG_CODE * 4096 + c->start + c->insn[i].at, 0, 2);
    }
}

static bool run_trapline(const void *isa, uint8_t *image, uint8_t *before, unsigned first, unsigned n, uint64_t *retired,
                         struct err *e)
{
    return diff_run_trapline(isa, image, before, first, n, retired, e);
}

static void cut_alike(uint8_t *image, const uint8_t *before, unsigned first, unsigned n)
{
    for (unsigned i = first * DIFF_ROUNDS; i < n * DIFF_ROUNDS; i++)
        image[diff_round(0, i) + ROUND_SKIP] = before[diff_round(0, i) + ROUND_SKIP];
}

static bool run_qemu(const void *isa, const char *file, const uint8_t *image, unsigned n, unsigned *stuck, struct err *e)
{
    return diff_run_qemu(isa, file, image, n, stuck, e);
}

static bool same(const void *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out)
{
    return diff_same(isa, mine, other, index, out);
}

static void dump(const void *isa, const uint8_t *before, const uint8_t *mine, const uint8_t *other, unsigned index,
                 unsigned round, FILE *out)
{
    diff_dump(isa, before, mine, other, index, round, out);
}

static void print_block(const void *isa, const void *made, unsigned upto)
{
    const struct diff_case *c = made;
    printf("  mode %s, block at %016" PRIx64 "\n",
           c->v           ? c->priv ? "VS" : "VU"
           : c->priv == 3 ? "M"
           : c->priv      ? "S"
                          : "U",
           c->code_va + PG_CODE * 4096 + c->start);
    for (unsigned i = 0; i < c->n && i < upto; i++) {
        struct decoded d = rv_decode(of(isa)->decoder, c->insn[i].bits, of(isa)->xlen);
        printf("  %3u %016" PRIx64 "  %0*x  %s\n", i, c->code_va + PG_CODE * 4096 + c->start + c->insn[i].at,
               c->insn[i].bytes * 2, c->insn[i].bits, d.row ? d.row->name : "?");
    }
}

static bool run(const struct driver_options *o, unsigned xlen, uint64_t count)
{
    struct diff_isa isa;
    struct err e;
    char label[8], again[32];
    if (!diff_isa_init(&isa, xlen, &e)) {
        printf("%s\n", e.text);
        return false;
    }
    snprintf(label, sizeof label, "rv%u ", xlen);
    snprintf(again, sizeof again, "tool_rv_diff --xlen=%u", xlen);
    const struct driver_arch arch = {.label = label,
                                     .again = again,
                                     .isa = &isa,
                                     .ram = DIFF_RAM,
                                     .image = DIFF_IMAGE,
                                     .cases = DIFF_CASES,
                                     .rounds = DIFF_ROUNDS,
                                     .case_size = sizeof(struct diff_case),
                                     .arena_size = DIFF_ARENA,
                                     .round_size = DIFF_ROUND,
                                     .code = PG_CODE * 4096,
                                     .code_size = (PG_DATA - PG_CODE) * 4096,
                                     .arena_of = diff_arena,
                                     .round_of = diff_round,
                                     .harness = harness,
                                     .begin = begin,
                                     .make_round = make_round,
                                     .instructions = instructions,
                                     .shared = true,
                                     .spoil = spoil,
                                     .run_trapline = run_trapline,
                                     .cut_alike = cut_alike,
                                     .run_other = run_qemu,
                                     .same = same,
                                     .open = diff_code_written,
                                     .records = diff_records,
                                     .print_block = print_block,
                                     .dump = dump};
    bool ok = driver_run(&arch, o, o->seed ^ xlen << 8, count);
    diff_isa_free(&isa);
    return ok;
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "tool_rv_diff [--seed=N] [--count=N] [--xlen=32|64] [--case=SEED:INDEX --xlen=N] [--reports=N] [--brief]";
    struct driver_options o;
    if (!driver_parse(&o, argc, argv, usage))
        return 2;
    if (o.one && !o.xlen) {
        fprintf(stderr, "usage: %s\n", usage);
        return 2;
    }
    bool ok = true;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32)
        if (!o.xlen || o.xlen == xlen)
            ok &= run(&o, xlen, o.xlen ? o.count : o.count / 2);
    return !ok;
}
