/*
 * Runs random A64 code on trapline and on QEMU and compares.
 *
 *   tool_a64_diff [--seed=N] [--count=N] [--case=SEED:INDEX | --batch=SEED:FIRST:INDEX] [--reports=N] [--brief] [--coverage]
 *
 * --count is the number of random instructions to run. --case makes one case alone and prints it. Ends with 1 if anything
 * differs. --brief prints the differences and looks for no instruction. --coverage counts what is executed and compared of every
 * row, prints that, and ends with 1 if a row that both have is not. TRAPLINE_DIFF_BREAK=<row> spoils every instruction of that
 * row on trapline's side, to see that a fault is found; <row>,<n> only in cases that run behind n others. --batch makes cases
 * FIRST to INDEX of the batch whose seeds follow from SEED. TRAPLINE_DIFF_QEMU is another emulator to compare with: QEMU 10.0,
 * whose features are then in use; what is wrong in 7.2 alone is still left out.
 */
#include "a64_cover.h"
#include "a64_diff.h"
#include "driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void harness(const void *isa, uint8_t *image, unsigned first, unsigned n) { a64_harness(isa, image, first, n); }

static void begin(const void *isa, uint64_t seed, unsigned index, uint8_t *image, void *c)
{
    a64_case_begin(isa, seed, index, image, c);
}

static void make_round(void *c, unsigned round, unsigned keep) { a64_round_make(c, round, keep); }
static unsigned instructions(const void *c) { return ((const struct a64_case *)c)->n; }

static void spoil(const void *isa, const void *made, unsigned keep, const char *name, uint8_t *image, unsigned index)
{
    const struct a64_case *c = made;
    for (unsigned i = 0; i < c->n && i < keep; i++) {
        struct a64_decoded d = a64_decode(((const struct a64_isa *)isa)->decoder, c->insn[i].bits);
        if (d.row && !strcmp(d.row->name, name))
            memset(image + a64_arena(index) + PGA_CODE * 4096 + c->start + 4 * i, 0, 4);
    }
}

static bool run_trapline(const void *isa, uint8_t *image, uint8_t *before, unsigned first, unsigned n, uint64_t *retired,
                         struct err *e)
{
    return a64_run_trapline(isa, image, before, first, n, retired, e);
}

static bool run_qemu(const void *isa, const char *file, const uint8_t *image, unsigned n, unsigned *stuck, struct err *e)
{
    return a64_run_qemu(isa, file, image, n, stuck, e);
}

static bool same(const void *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out)
{
    return a64_same(isa, mine, other, index, out);
}

/* A round that hangs differs by what it ends with, unless a rule was met before. */
static bool may_hang(const void *isa, const uint8_t *mine, const uint8_t *other, unsigned index)
{
    return a64_same(isa, mine, other, index, NULL);
}

static bool open(const uint8_t *before, const uint8_t *mine, unsigned index)
{
    return a64_code_written(before, mine, index) || a64_tables_written(before, mine, index);
}

static void dump(const void *isa, const uint8_t *before, const uint8_t *mine, const uint8_t *other, unsigned index,
                 unsigned round, FILE *out)
{
    (void)isa, (void)before;
    a64_dump(mine, other, index, round, out);
}

static void print_block(const void *isa, const void *made, unsigned upto)
{
    const struct a64_case *c = made;
    printf("  EL%u%s%s%s%s%s%s, block at %016" PRIx64 "\n", c->el, c->secure ? " Secure" : "", c->el2 ? "" : " without EL2",
           c->e2h ? " E2H" : "", c->tge ? " TGE" : "", c->stage2 ? " with stage 2" : "", c->shared ? " shared code" : "",
           c->va + PGA_CODE * 4096 + c->start);
    a64_debug_print(c, stdout);
    for (unsigned i = 0; i < c->n && i < upto + 6; i++) {
        struct a64_decoded d = a64_decode(((const struct a64_isa *)isa)->decoder, c->insn[i].bits);
        printf("  %3u %016" PRIx64 "  %08x  %s\n", i, c->va + PGA_CODE * 4096 + c->start + 4 * i, c->insn[i].bits,
               d.row ? d.row->name : "?");
    }
}

static struct {
    struct a64_isa *isa;
    struct a64_cover *cover;
    uint8_t *probe;
    bool differs;
} coverage;

/* What the batch covered. */
static void ran(const void *isa, uint8_t *before, const uint8_t *mine, unsigned n)
{
    struct err e;
    bool same;
    for (unsigned i = 0; i < n * A64_ROUNDS; i++) {
        if (before[a64_round(0, i) + ROUNDA_SKIP])
            continue;
        unsigned index = i / A64_ROUNDS, round = i % A64_ROUNDS, records = a64_records(mine, index, round), el;
        a64_cover_round(coverage.cover, isa, records);
        for (unsigned k = 0; k < records; k++) {
            unsigned class = a64_taken(mine, index, round, k, &el);
            a64_cover_exception(coverage.cover, el, class);
        }
    }
    if (!a64_run_steps(isa, mine, before, n, coverage.cover, &same, &e)) {
        printf("%s\n", e.text);
        coverage.differs = true;
    } else if (!same) {
        printf("instruction by instruction trapline gives something else\n");
        coverage.differs = true;
    }
}

/* What QEMU has. */
static bool probe(const struct driver_arch *a, const char *file, uint8_t *image, struct err *e)
{
    unsigned stuck;
    a64_probe_make(a->isa, image);
    if (!a64_run_qemu(a->isa, file, image, 1, &stuck, e))
        return false;
    memcpy(coverage.probe, image, A64_ARENA0);
    if (coverage.isa->witness >= 10)
        a64_regs_drop(coverage.isa, coverage.probe, stdout);
    return true;
}

int main(int argc, char **argv)
{
    static struct a64_isa isa;
    struct driver_options o;
    struct err e;
    if (!driver_parse(&o, argc, argv,
                      "tool_a64_diff [--seed=N] [--count=N] [--case=SEED:INDEX | --batch=SEED:FIRST:INDEX] [--reports=N] "
                      "[--brief] [--coverage]"))
        return 2;
    if (!a64_isa_init(&isa, &e)) {
        printf("%s\n", e.text);
        return 2;
    }
    struct driver_arch arch = {.label = "",
                               .again = "tool_a64_diff",
                               .isa = &isa,
                               .ram = A64_RAM,
                               .base = A64_BASE,
                               .image = A64_IMAGE,
                               .cases = A64_CASES,
                               .rounds = A64_ROUNDS,
                               .case_size = sizeof(struct a64_case),
                               .arena_size = A64_ARENA,
                               .round_size = A64_ROUND,
                               .code = PGA_CODE * 4096,
                               .code_size = (PGA_DATA - PGA_CODE) * 4096,
                               .arena_of = a64_arena,
                               .round_of = a64_round,
                               .harness = harness,
                               .begin = begin,
                               .make_round = make_round,
                               .instructions = instructions,
                               .spoil = spoil,
                               .run_trapline = run_trapline,
                               .cut_alike = a64_cut_alike,
                               .run_other = run_qemu,
                               .same = same,
                               .open = open,
                               .overwritten = a64_overwritten,
                               .may_hang = may_hang,
                               .records = a64_records,
                               .print_block = print_block,
                               .dump = dump};
    coverage.isa = &isa;
    if (o.coverage || isa.witness >= 10) {
        coverage.probe = calloc(1, A64_ARENA0);
        arch.first = probe;
    }
    if (o.coverage) {
        coverage.cover = a64_cover_new();
        arch.ran = ran;
    }
    bool ok = driver_run(&arch, &o, o.seed, o.count);
    if (o.coverage)
        ok = !a64_cover_print(coverage.cover, &isa, coverage.probe, stdout) && !coverage.differs && ok;
    free(coverage.cover);
    free(coverage.probe);
    a64_isa_free(&isa);
    return !ok;
}
