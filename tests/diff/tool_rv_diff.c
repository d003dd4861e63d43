/*
 * Runs random code on trapline and on QEMU and compares.
 *
 *   tool_rv_diff [--seed=N] [--count=N] [--xlen=32|64] [--case=SEED:INDEX] [--reports=N] [--brief]
 *
 * --count is the number of random instructions to run, half on each XLEN. --case makes one case alone and prints it. Ends with 1
 * if anything differs. --brief prints the differences and looks for no instruction. TRAPLINE_DIFF_BREAK=<row> spoils every
 * instruction of that row on trapline's side, to see that a fault is found.
 */
#include "diff.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct options {
    uint64_t seed, count, case_seed;
    unsigned xlen, case_index, reports;
    bool one, brief;
};

struct run {
    const struct options *o;
    struct diff_isa isa;
    char file[64];
    int fd;
    uint8_t *qemu;   /* the file: RAM of QEMU */
    uint8_t *before; /* the image */
    uint8_t *mine;   /* RAM of trapline */
    uint64_t seeds[DIFF_CASES];
    unsigned left_out;             /* cases of the last batch that do not come back */
    uint8_t leave_out[DIFF_CASES]; /* QEMU does not come back */
    uint64_t instructions, cases, hung, records, bad, executed /* of the last batch */;
};

static bool open_run(struct run *r, struct err *e)
{
    snprintf(r->file, sizeof r->file, "%s/trapline-diff-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    r->fd = mkstemp(r->file);
    if (r->fd < 0 || ftruncate(r->fd, (off_t)DIFF_RAM)) {
        err_set(e, "%s: cannot be made", r->file);
        return false;
    }
    r->qemu = mmap(NULL, DIFF_IMAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    r->before = malloc(DIFF_IMAGE);
    r->mine = malloc(DIFF_IMAGE);
    return r->qemu != MAP_FAILED && r->before && r->mine;
}

static void close_run(struct run *r)
{
    munmap(r->qemu, DIFF_IMAGE);
    close(r->fd);
    unlink(r->file);
    free(r->before);
    free(r->mine);
    diff_isa_free(&r->isa);
}

/* Spoils the instructions of row `name` in trapline's image of a round. */
static void spoil(struct run *r, const struct diff_case *c, unsigned index, unsigned keep, const char *name)
{
    for (unsigned i = 0; i < c->n && i < keep; i++) {
        struct decoded d = rv_decode(r->isa.decoder, c->insn[i].bits, r->isa.xlen);
        if (d.row && !strcmp(d.row->name, name))
            memset(r->before + diff_arena(index) + PG_CODE * 4096 + c->start + c->insn[i].at, 0, 2);
    }
}

/* Which part of a batch: the cases from `first` on; of each `rounds` rounds, of the last of them `keep` instructions. */
struct part {
    unsigned first, n, rounds, keep;
};

/* Makes a case; *c is its last round in the end. spoilt: a row, or NULL. */
static void make_case(struct run *r, unsigned i, const struct part *p, const char *spoilt, struct diff_case *c)
{
    diff_case_begin(&r->isa, r->seeds[i], i, r->before, c);
    diff_skip(r->before, i);
    for (unsigned round = 0; round < p->rounds; round++) {
        unsigned keep = round + 1 == p->rounds ? p->keep : UINT32_MAX;
        diff_round_make(c, round, keep);
        r->before[diff_round(i, round) + ROUND_SKIP] = 0;
        if (spoilt)
            spoil(r, c, i, keep, spoilt);
    }
}

/* Makes cases 0..n-1; only those of the part are to be run. */
static void make_batch(struct run *r, const struct part *p)
{
    static struct diff_case c;
    const char *broken = getenv("TRAPLINE_DIFF_BREAK");
    memset(r->before, 0, DIFF_IMAGE);
    diff_harness(r->before, r->isa.xlen, p->n);
    for (unsigned i = 0; i < p->n; i++) {
        if (i >= p->first && !r->leave_out[i])
            make_case(r, i, p, NULL, &c);
        else
            diff_skip(r->before, i);
    }
    memcpy(r->qemu, r->before, DIFF_IMAGE);
    for (unsigned i = p->first; broken && i < p->n; i++)
        if (!r->leave_out[i])
            make_case(r, i, p, broken, &c);
}

/* The case does not come back, and so is not compared. */
static bool skipped(const struct run *r, unsigned index) { return r->before[diff_round(index, 0) + ROUND_SKIP]; }

/* Makes and runs a batch. Cases in which QEMU does not come back count as bad, and the others run again. False: an error. */
static bool run_batch(struct run *r, const struct part *p, struct err *e)
{
    unsigned stuck;
    memset(r->leave_out, 0, sizeof r->leave_out);
    for (;;) {
        make_batch(r, p);
        if (!diff_run_trapline(&r->isa, r->mine, r->before, p->n, &r->left_out, &r->executed, e))
            return false;
        for (unsigned i = 0; i < p->n; i++)
            if (skipped(r, i))
                diff_skip(r->qemu, i);
        if (diff_run_qemu(&r->isa, r->file, r->qemu, p->n, &stuck, e)) {
            for (unsigned i = p->first; i < p->n; i++) /* the code, where it was spoilt and not written to, is no difference */
                if (getenv("TRAPLINE_DIFF_BREAK") && !r->leave_out[i])
                    memcpy(r->mine + diff_arena(i) + PG_CODE * 4096, r->qemu + diff_arena(i) + PG_CODE * 4096,
                           (PG_DATA - PG_CODE) * 4096);
            return true;
        }
        if (stuck >= p->n || r->leave_out[stuck])
            return false;
        printf("rv%u case %" PRIu64 ":%u: %s\n", r->isa.xlen, r->seeds[stuck], stuck, e->text);
        fflush(stdout);
        r->leave_out[stuck] = 1;
    }
}

static bool differs(const struct run *r, unsigned index)
{
    bool broken = getenv("TRAPLINE_DIFF_BREAK");
    return r->leave_out[index] || (!skipped(r, index) && !diff_same(&r->isa, r->mine, r->qemu, index, NULL) &&
                                   (broken || !diff_code_written(r->before, r->mine, index)));
}

static void print_block(const struct run *r, const struct diff_case *c, unsigned upto)
{
    printf("  mode %s, block at %016" PRIx64 "\n",
           c->v           ? c->priv ? "VS" : "VU"
           : c->priv == 3 ? "M"
           : c->priv      ? "S"
                          : "U",
           c->code_va + PG_CODE * 4096 + c->start);
    for (unsigned i = 0; i < c->n && i < upto; i++) {
        struct decoded d = rv_decode(r->isa.decoder, c->insn[i].bits, r->isa.xlen);
        printf("  %3u %016" PRIx64 "  %0*x  %s\n", i, c->code_va + PG_CODE * 4096 + c->start + c->insn[i].at,
               c->insn[i].bytes * 2, c->insn[i].bits, d.row ? d.row->name : "?");
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
    static struct diff_case c;
    struct part p = {.first = index, .n = index + 1, .keep = UINT32_MAX};
    printf("rv%u case %" PRIu64 ":%u differs; again: tool_rv_diff --xlen=%u --case=%" PRIu64 ":%u\n", r->isa.xlen, seed, index,
           r->isa.xlen, seed, index);
    r->seeds[index] = seed;
    if (!search(r, &p, &p.rounds, DIFF_ROUNDS, e))
        return false;
    if (!p.rounds)
        p.rounds = DIFF_ROUNDS;
    make_case(r, index, &p, NULL, &c);
    if (!search(r, &p, &p.keep, c.n, e) || !run_batch(r, &p, e))
        return false;
    if (diff_same(&r->isa, r->mine, r->qemu, index, stdout))
        printf("  not alone\n");
    print_block(r, &c, p.keep);
    if (r->o->one)
        diff_dump(&r->isa, r->before, r->mine, r->qemu, index, p.rounds - 1, stdout);
    fflush(stdout);
    return true;
}

/* The case makes a difference by itself. A load may hit what an emulator recorded of another case, where they may differ: then it
   does not. False: an error. */
static bool alone(struct run *r, uint64_t seed, unsigned index, bool *so, struct err *e)
{
    const struct part p = {index, index + 1, DIFF_ROUNDS, UINT32_MAX};
    r->seeds[index] = seed;
    if (!run_batch(r, &p, e))
        return false;
    *so = differs(r, index);
    if (*so && r->o->brief) {
        printf("rv%u case %" PRIu64 ":%u\n", r->isa.xlen, seed, index);
        diff_same(&r->isa, r->mine, r->qemu, index, stdout);
        fflush(stdout);
    }
    return true;
}

static bool run_xlen(struct run *r, unsigned xlen, uint64_t count, struct err *e)
{
    static const struct part whole = {0, DIFF_CASES, DIFF_ROUNDS, UINT32_MAX};
    uint64_t rng = r->o->seed ^ xlen << 8, bad[DIFF_CASES];
    for (uint64_t before = r->instructions; r->instructions - before < count;) {
        unsigned bads = 0, index[DIFF_CASES];
        for (unsigned i = 0; i < DIFF_CASES; i++)
            r->seeds[i] = rng_next(&rng);
        r->cases += DIFF_CASES;
        if (!run_batch(r, &whole, e))
            return false;
        for (unsigned i = 0; i < DIFF_CASES; i++) {
            for (unsigned round = 0; round < DIFF_ROUNDS && !skipped(r, i); round++)
                r->records += diff_records(r->mine, i, round);
            if (differs(r, i)) {
                bad[bads] = r->seeds[i];
                index[bads++] = i;
            }
        }
        r->hung += r->left_out;
        r->instructions += r->executed;
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
        } else if (sscanf(argv[i], "--xlen=%u", &b) == 1 && (b == 32 || b == 64)) {
            o->xlen = b;
        } else if (sscanf(argv[i], "--reports=%u", &b) == 1) {
            o->reports = b;
        } else if (sscanf(argv[i], "--case=%llu:%u", &a, &b) == 2 && b < DIFF_CASES) {
            o->one = true;
            o->case_seed = a;
            o->case_index = b;
        } else if (!strcmp(argv[i], "--brief")) {
            o->brief = true;
        } else {
            return false;
        }
    }
    return !o->one || o->xlen;
}

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    int result = 0;
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: tool_rv_diff [--seed=N] [--count=N] [--xlen=32|64] [--case=SEED:INDEX --xlen=N] [--reports=N]\n");
        return 2;
    }
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        static struct run r;
        if (o.xlen && o.xlen != xlen)
            continue;
        r = (struct run){.o = &o};
        bool ok = diff_isa_init(&r.isa, xlen, &e) && open_run(&r, &e);
        if (ok && o.one)
            ok = report(&r, o.case_seed, o.case_index, &e);
        else if (ok)
            ok = run_xlen(&r, xlen, o.xlen ? o.count : o.count / 2, &e);
        if (!ok) {
            printf("%s\n", e.text);
            result = 1;
        }
        printf("rv%u, seed %" PRIu64 ": %" PRIu64 " random instructions run in %" PRIu64 " cases (%" PRIu64
               " do not end and are left out), %" PRIu64 " records, %" PRIu64 " differ\n",
               xlen, o.seed, r.instructions, r.cases, r.hung, r.records, r.bad);
        result |= r.bad != 0;
        close_run(&r);
    }
    return result;
}
