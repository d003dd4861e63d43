/*
 * Runs random A64 code on trapline and on QEMU and compares.
 *
 *   tool_a64_diff [--seed=N] [--count=N] [--case=SEED:INDEX] [--reports=N] [--brief]
 *
 * --count is the number of random instructions to run. --case makes one case alone and prints it. Ends with 1 if anything
 * differs. --brief prints the differences and looks for no instruction. TRAPLINE_DIFF_BREAK=<row> spoils every instruction of
 * that row on trapline's side, to see that a fault is found.
 */
#include "a64_diff.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct options {
    uint64_t seed, count, case_seed;
    unsigned case_index, reports;
    bool one, brief;
};

struct run {
    const struct options *o;
    struct a64_isa isa;
    char file[64];
    int fd;
    uint8_t *ram, *qemu; /* the file: RAM of QEMU, and the image in it */
    uint8_t *before;     /* the image */
    uint8_t *mine;       /* trapline's */
    uint64_t seeds[A64_CASES];
    unsigned left_out;            /* cases of the last batch that do not come back */
    uint8_t leave_out[A64_CASES]; /* QEMU does not come back */
    uint64_t instructions, cases, hung, records, bad, retired /* of the last batch */;
};

static bool open_run(struct run *r, struct err *e)
{
    snprintf(r->file, sizeof r->file, "%s/trapline-diff-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    r->fd = mkstemp(r->file);
    if (r->fd < 0 || ftruncate(r->fd, (off_t)A64_RAM)) {
        err_set(e, "%s: cannot be made", r->file);
        return false;
    }
    r->ram = mmap(NULL, A64_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    r->qemu = r->ram + A64_BASE;
    r->before = malloc(A64_IMAGE);
    r->mine = malloc(A64_IMAGE);
    return r->ram != MAP_FAILED && r->before && r->mine;
}

static void close_run(struct run *r)
{
    munmap(r->ram, A64_RAM);
    close(r->fd);
    unlink(r->file);
    free(r->before);
    free(r->mine);
    a64_isa_free(&r->isa);
}

/* Spoils the instructions of row `name` in trapline's image of a round. */
static void spoil(struct run *r, const struct a64_case *c, unsigned index, unsigned keep, const char *name)
{
    for (unsigned i = 0; i < c->n && i < keep; i++) {
        struct a64_decoded d = a64_decode(r->isa.decoder, c->insn[i].bits);
        if (d.row && !strcmp(d.row->name, name))
            memset(r->before + a64_arena(index) + PGA_CODE * 4096 + c->start + 4 * i, 0, 4);
    }
}

/* Which part of a batch: the cases from `first` on; of each `rounds` rounds, of the last of them `keep` instructions. */
struct part {
    unsigned first, n, rounds, keep;
};

/* Makes a case; *c is its last round in the end. spoilt: a row, or NULL. */
static void make_case(struct run *r, unsigned i, const struct part *p, const char *spoilt, struct a64_case *c)
{
    a64_case_begin(&r->isa, r->seeds[i], i, r->before, c);
    a64_skip(r->before, i);
    for (unsigned round = 0; round < p->rounds; round++) {
        unsigned keep = round + 1 == p->rounds ? p->keep : UINT32_MAX;
        a64_round_make(c, round, keep);
        r->before[a64_round(i, round) + ROUNDA_SKIP] = 0;
        if (spoilt)
            spoil(r, c, i, keep, spoilt);
    }
}

/* The case does not come back, and so is not compared. */
static bool skipped(const struct run *r, unsigned index) { return r->before[a64_round(index, 0) + ROUNDA_SKIP]; }

/* Makes cases 0..n-1; only those of the part are to be run. */
static void make_batch(struct run *r, const struct part *p)
{
    static struct a64_case c;
    const char *broken = getenv("TRAPLINE_DIFF_BREAK");
    memset(r->before, 0, A64_IMAGE);
    a64_harness(r->before, p->n);
    for (unsigned i = 0; i < p->n; i++) {
        if (i >= p->first && !r->leave_out[i])
            make_case(r, i, p, NULL, &c);
        else
            a64_skip(r->before, i);
    }
    struct err e;
    unsigned hung;
    if (broken) /* cases that do not come back as they are: spoilt ones may, and QEMU would be waited for */
        a64_run_trapline(&r->isa, r->mine, r->before, p->n, &hung, &r->retired, &e);
    memcpy(r->qemu, r->before, A64_IMAGE);
    for (unsigned i = p->first; broken && i < p->n; i++)
        if (!r->leave_out[i] && !skipped(r, i))
            make_case(r, i, p, broken, &c);
}

/* Makes and runs a batch. Cases in which QEMU does not come back count as bad, and the others run again. False: an error. */
static bool run_batch(struct run *r, const struct part *p, struct err *e)
{
    unsigned stuck;
    memset(r->leave_out, 0, sizeof r->leave_out);
    for (;;) {
        make_batch(r, p);
        if (!a64_run_trapline(&r->isa, r->mine, r->before, p->n, &r->left_out, &r->retired, e))
            return false;
        for (unsigned i = 0; i < p->n; i++)
            if (skipped(r, i))
                a64_skip(r->qemu, i);
        if (a64_run_qemu(r->file, r->qemu, p->n, &stuck, e)) {
            for (unsigned i = p->first; i < p->n; i++) /* the code, where it was spoilt and not written to, is no difference */
                if (getenv("TRAPLINE_DIFF_BREAK") && !r->leave_out[i])
                    memcpy(r->mine + a64_arena(i) + PGA_CODE * 4096, r->qemu + a64_arena(i) + PGA_CODE * 4096,
                           (PGA_DATA - PGA_CODE) * 4096);
            return true;
        }
        if (stuck >= p->n || r->leave_out[stuck])
            return false;
        printf("case %" PRIu64 ":%u: %s\n", r->seeds[stuck], stuck, e->text);
        fflush(stdout);
        r->leave_out[stuck] = 1;
    }
}

static bool differs(const struct run *r, unsigned index)
{
    if (r->leave_out[index])
        return true;
    if (skipped(r, index) || a64_same(&r->isa, r->mine, r->qemu, index, NULL))
        return false;
    return getenv("TRAPLINE_DIFF_BREAK") ||
           (!a64_code_written(r->before, r->mine, index) && !a64_tables_written(r->before, r->mine, index));
}

static void print_block(const struct run *r, const struct a64_case *c, unsigned upto)
{
    printf("  EL%u%s%s%s%s%s, block at %016" PRIx64 "\n", c->el, c->el2 ? "" : " without EL2", c->e2h ? " E2H" : "",
           c->tge ? " TGE" : "", c->stage2 ? " with stage 2" : "", c->shared ? " shared code" : "",
           c->va + PGA_CODE * 4096 + c->start);
    for (unsigned i = 0; i < c->n && i < upto + 6; i++) {
        struct a64_decoded d = a64_decode(r->isa.decoder, c->insn[i].bits);
        printf("  %3u %016" PRIx64 "  %08x  %s\n", i, c->va + PGA_CODE * 4096 + c->start + 4 * i, c->insn[i].bits,
               d.row ? d.row->name : "?");
    }
}

/* Sets *what, a member of *p, to the smallest number up to `high` with which the case differs. */
static bool search(struct run *r, struct part *p, unsigned *what, unsigned high, struct err *e)
{
    unsigned low = 0;
    while (low < high) { /* the first `low` make no difference, the first `high` do */
        *what = (low + high) / 2;
        if (!run_batch(r, p, e))
            return false;
        if (!differs(r, p->first))
            low = *what + 1;
        else
            high = *what;
    }
    *what = high;
    return true;
}

/* Finds the first round and instruction that matter, by running the case with 1, 2, … of them, and prints the difference. */
static bool report(struct run *r, uint64_t seed, unsigned index, struct err *e)
{
    static struct a64_case c;
    struct part p = {.first = index, .n = index + 1, .keep = UINT32_MAX};
    printf("case %" PRIu64 ":%u differs; again: tool_a64_diff --case=%" PRIu64 ":%u\n", seed, index, seed, index);
    r->seeds[index] = seed;
    if (!search(r, &p, &p.rounds, A64_ROUNDS, e))
        return false;
    if (!p.rounds)
        p.rounds = A64_ROUNDS;
    make_case(r, index, &p, NULL, &c);
    if (!search(r, &p, &p.keep, c.n, e) || !run_batch(r, &p, e))
        return false;
    if (a64_same(&r->isa, r->mine, r->qemu, index, stdout))
        printf("  not alone\n");
    print_block(r, &c, p.keep);
    fflush(stdout);
    return true;
}

/* The case makes a difference by itself. A load may hit what an emulator recorded of another case, where they may differ: then it
   does not. False: an error. */
static bool alone(struct run *r, uint64_t seed, unsigned index, bool *so, struct err *e)
{
    const struct part p = {index, index + 1, A64_ROUNDS, UINT32_MAX};
    r->seeds[index] = seed;
    if (!run_batch(r, &p, e))
        return false;
    *so = differs(r, index);
    if (*so && r->o->brief) {
        printf("case %" PRIu64 ":%u\n", seed, index);
        a64_same(&r->isa, r->mine, r->qemu, index, stdout);
        fflush(stdout);
    }
    return true;
}

static bool run_all(struct run *r, uint64_t count, struct err *e)
{
    static const struct part whole = {0, A64_CASES, A64_ROUNDS, UINT32_MAX};
    uint64_t rng = r->o->seed, bad[A64_CASES];
    while (r->instructions < count) {
        unsigned bads = 0, index[A64_CASES];
        for (unsigned i = 0; i < A64_CASES; i++)
            r->seeds[i] = rng_next(&rng);
        r->cases += A64_CASES;
        if (!run_batch(r, &whole, e))
            return false;
        for (unsigned i = 0; i < A64_CASES; i++) {
            for (unsigned round = 0; round < A64_ROUNDS && !skipped(r, i); round++)
                r->records += a64_records(r->mine, i, round);
            if (differs(r, i)) {
                bad[bads] = r->seeds[i];
                index[bads++] = i;
            }
        }
        r->hung += r->left_out;
        r->instructions += r->retired;
        for (unsigned i = 0; i < bads && (r->o->brief || r->bad < r->o->reports); i++) {
            bool so;
            if (!alone(r, bad[i], index[i], &so, e))
                return false;
            if (so && !r->o->brief && r->bad < r->o->reports && !report(r, bad[i], index[i], e))
                return false;
            r->bad += so;
        }
        if (r->bad >= r->o->reports && !r->o->brief)
            break;
    }
    return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.seed = 1, .count = 1000000, .reports = 3};
    for (int i = 1; i < argc; i++) {
        unsigned long long a;
        unsigned b;
        if (sscanf(argv[i], "--seed=%llu", &a) == 1) {
            o->seed = a;
        } else if (sscanf(argv[i], "--count=%llu", &a) == 1) {
            o->count = a;
        } else if (sscanf(argv[i], "--reports=%u", &b) == 1) {
            o->reports = b;
        } else if (sscanf(argv[i], "--case=%llu:%u", &a, &b) == 2 && b < A64_CASES) {
            o->one = true;
            o->case_seed = a;
            o->case_index = b;
        } else if (!strcmp(argv[i], "--brief")) {
            o->brief = true;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct run r;
    struct options o;
    struct err e;
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: tool_a64_diff [--seed=N] [--count=N] [--case=SEED:INDEX] [--reports=N] [--brief]\n");
        return 2;
    }
    r.o = &o;
    bool ok = a64_isa_init(&r.isa, &e) && open_run(&r, &e);
    if (ok)
        ok = o.one ? report(&r, o.case_seed, o.case_index, &e) : run_all(&r, o.count, &e);
    if (!ok)
        printf("%s\n", e.text);
    printf("seed %" PRIu64 ": %" PRIu64 " random instructions run in %" PRIu64 " cases (%" PRIu64
           " do not end and are left out), %" PRIu64 " records, %" PRIu64 " differ\n",
           o.seed, r.instructions, r.cases, r.hung, r.records, r.bad);
    close_run(&r);
    return !ok || r.bad;
}
