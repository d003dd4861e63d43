/* The driver of the differential tests: driver.h. */
#include "driver.h"
#include "base/rng.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_CASES 256u

/* The other emulator does not come back: that is a difference, or the specification leaves it open. */
enum outcome { BACK, STUCK, STUCK_OPEN };

struct run {
    const struct driver_arch *a;
    const struct driver_options *o;
    const char *spoilt; /* row of which instructions are spoilt on trapline's side, to see that a fault is found; NULL none */
    char file[64];
    int fd;
    uint8_t *ram, *other; /* the file: RAM of the other emulator, and the image in it */
    uint8_t *before;      /* the image */
    uint8_t *mine;        /* trapline's */
    void *c;              /* the case that is made */
    uint64_t seeds[MAX_CASES];
    uint8_t leave_out[MAX_CASES]; /* enum outcome: the other emulator does not come back */
    uint64_t instructions, cases, rounds, left_out, records, bad, retired /* of the last batch */;
};

static bool open_run(struct run *r, struct err *e)
{
    snprintf(r->file, sizeof r->file, "%s/trapline-diff-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    r->fd = mkstemp(r->file);
    if (r->fd < 0 || ftruncate(r->fd, (off_t)r->a->ram))
        return err_set(e, "%s: cannot be made", r->file);
    r->ram = mmap(NULL, r->a->ram, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    r->other = r->ram + r->a->base;
    r->before = mmap(NULL, r->a->image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    r->mine = mmap(NULL, r->a->image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    r->c = malloc(r->a->case_size);
    return (r->ram != MAP_FAILED && r->before != MAP_FAILED && r->mine != MAP_FAILED && r->c) ||
           err_set(e, "no memory for an image");
}

static void close_run(struct run *r)
{
    if (r->ram && r->ram != MAP_FAILED)
        munmap(r->ram, r->a->ram);
    if (r->fd >= 0) {
        close(r->fd);
        unlink(r->file);
    }
    if (r->before && r->before != MAP_FAILED)
        munmap(r->before, r->a->image);
    if (r->mine && r->mine != MAP_FAILED)
        munmap(r->mine, r->a->image);
    free(r->c);
}

static uint8_t *mark(const struct run *r, unsigned index, unsigned round) { return r->before + r->a->round_of(index, round); }

static void skip(struct run *r, unsigned index)
{
    for (unsigned round = 0; round < r->a->rounds; round++)
        *mark(r, index, round) = 1;
}

/* No round of the case was run. */
static bool skipped(const struct run *r, unsigned index)
{
    for (unsigned round = 0; round < r->a->rounds; round++)
        if (!*mark(r, index, round))
            return false;
    return true;
}

/* Which part of a batch: the cases from `first` on; of each `rounds` rounds, of the last of them `keep` instructions. */
struct part {
    unsigned first, n, rounds, keep;
};

/* Makes a case; r->c is its last round in the end. */
static void make_case(struct run *r, unsigned i, const struct part *p, const char *spoilt)
{
    const struct driver_arch *a = r->a;
    a->begin(a->isa, r->seeds[i], i, r->before, r->c);
    skip(r, i);
    for (unsigned round = 0; round < p->rounds; round++) {
        unsigned keep = round + 1 == p->rounds ? p->keep : UINT32_MAX;
        a->make_round(r->c, round, keep);
        *mark(r, i, round) = 0;
        if (spoilt)
            a->spoil(a->isa, r->c, keep, spoilt, r->before, i);
    }
}

/* Images are mostly zero, most of all those of one case: pages are given back and made when they are written to. */
static void forget(const struct run *r, uint8_t *image) { madvise(image, r->a->image, MADV_DONTNEED); }

static void copy(const struct run *r, const struct part *p, uint8_t *to, const uint8_t *from)
{
    const struct driver_arch *a = r->a;
    madvise(to, a->image, MADV_REMOVE);
    memcpy(to, from, a->arena_of(0));
    for (unsigned i = p->first; i < p->n; i++) {
        memcpy(to + a->arena_of(i), from + a->arena_of(i), a->arena_size);
        memcpy(to + a->round_of(i, 0), from + a->round_of(i, 0), a->rounds * a->round_size);
    }
}

static bool run_trapline(struct run *r, const struct part *p, struct err *e)
{
    forget(r, r->mine);
    return r->a->run_trapline(r->a->isa, r->mine, r->before, p->first, p->n, &r->retired, e);
}

/* Makes the cases of the part. */
static bool make_batch(struct run *r, const struct part *p, struct err *e)
{
    const struct driver_arch *a = r->a;
    forget(r, r->before);
    a->harness(a->isa, r->before, p->first, p->n);
    for (unsigned i = p->first; i < p->n; i++) {
        if (!r->leave_out[i])
            make_case(r, i, p, NULL);
        else
            skip(r, i);
    }
    /* Rounds that do not end as they are: spoilt ones may, and the other emulator would be waited for. */
    if (r->spoilt && !run_trapline(r, p, e))
        return false;
    copy(r, p, r->other, r->before);
    for (unsigned i = p->first; r->spoilt && i < p->n; i++)
        if (!r->leave_out[i] && !skipped(r, i)) {
            make_case(r, i, p, r->spoilt);
            a->cut_alike(r->before, r->other, p->first, p->n);
        }
    return true;
}

/* Makes and runs a batch. Cases in which the other emulator does not come back count as bad, and the rest runs again. False: an
   error. */
static bool run_batch(struct run *r, const struct part *p, struct err *e)
{
    const struct driver_arch *a = r->a;
    unsigned stuck;
    memset(r->leave_out, 0, sizeof r->leave_out);
    for (;;) {
        if (!make_batch(r, p, e) || !run_trapline(r, p, e))
            return false;
        a->cut_alike(r->other, r->before, p->first, p->n);
        if (a->run_other(a->isa, r->file, r->other, p->n, &stuck, e)) {
            for (unsigned i = p->first; r->spoilt && i < p->n; i++) /* the code, spoilt and not written to, is no difference */
                if (!r->leave_out[i])
                    memcpy(r->mine + a->arena_of(i) + a->code, r->other + a->arena_of(i) + a->code, a->code_size);
            return true;
        }
        if (stuck >= p->n || r->leave_out[stuck])
            return false;
        if (!r->spoilt && a->open(r->before, r->mine, stuck)) {
            r->leave_out[stuck] = STUCK_OPEN;
            continue;
        }
        printf("%scase %" PRIu64 ":%u: %s\n", a->label, r->seeds[stuck], stuck, e->text);
        fflush(stdout);
        r->leave_out[stuck] = STUCK;
    }
}

static bool differs(const struct run *r, unsigned index)
{
    const struct driver_arch *a = r->a;
    if (r->leave_out[index])
        return r->leave_out[index] == STUCK;
    if (skipped(r, index) || a->same(a->isa, r->mine, r->other, index, NULL))
        return false;
    return r->spoilt || !a->open(r->before, r->mine, index);
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
    const struct driver_arch *a = r->a;
    struct part p = {.first = index, .n = index + 1, .keep = UINT32_MAX};
    printf("%scase %" PRIu64 ":%u differs; again: %s --case=%" PRIu64 ":%u\n", a->label, seed, index, a->again, seed, index);
    r->seeds[index] = seed;
    if (!search(r, &p, &p.rounds, a->rounds, e))
        return false;
    if (!p.rounds)
        p.rounds = a->rounds;
    make_case(r, index, &p, NULL);
    if (!search(r, &p, &p.keep, a->instructions(r->c), e) || !run_batch(r, &p, e))
        return false;
    if (a->same(a->isa, r->mine, r->other, index, stdout))
        printf("  not alone\n");
    a->print_block(a->isa, r->c, p.keep);
    if (r->o->one && a->dump)
        a->dump(a->isa, r->before, r->mine, r->other, index, p.rounds - 1, stdout);
    fflush(stdout);
    return true;
}

/* The case makes a difference by itself. A load may hit what an emulator recorded of another case, where they may differ: then it
   does not. False: an error. */
static bool alone(struct run *r, uint64_t seed, unsigned index, bool *so, struct err *e)
{
    const struct driver_arch *a = r->a;
    const struct part p = {index, index + 1, a->rounds, UINT32_MAX};
    r->seeds[index] = seed;
    if (!run_batch(r, &p, e))
        return false;
    *so = differs(r, index);
    if (*so && r->o->brief) {
        printf("%scase %" PRIu64 ":%u\n", a->label, seed, index);
        a->same(a->isa, r->mine, r->other, index, stdout);
        fflush(stdout);
    }
    return true;
}

/* Counts what a batch was; the cases that differ go to bad[] and index[]. */
static unsigned judge(struct run *r, uint64_t *bad, unsigned *index)
{
    const struct driver_arch *a = r->a;
    unsigned bads = 0;
    for (unsigned i = 0; i < a->cases; i++) {
        for (unsigned round = 0; round < a->rounds; round++) {
            if (*mark(r, i, round))
                r->left_out++;
            else
                r->records += a->records(r->mine, i, round);
        }
        if (differs(r, i)) {
            bad[bads] = r->seeds[i];
            index[bads++] = i;
        }
    }
    r->cases += a->cases;
    r->rounds += (uint64_t)a->cases * a->rounds;
    r->instructions += r->retired;
    if (a->ran)
        a->ran(a->isa, r->before, r->mine, a->cases);
    return bads;
}

static bool run_all(struct run *r, uint64_t seed, uint64_t count, struct err *e)
{
    const struct part whole = {0, r->a->cases, r->a->rounds, UINT32_MAX};
    uint64_t rng = seed, bad[MAX_CASES];
    unsigned index[MAX_CASES];
    while (r->instructions < count) {
        for (unsigned i = 0; i < r->a->cases; i++)
            r->seeds[i] = rng_next(&rng);
        if (!run_batch(r, &whole, e))
            return false;
        unsigned bads = judge(r, bad, index);
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

bool driver_run(const struct driver_arch *arch, const struct driver_options *o, uint64_t seed, uint64_t count)
{
    struct run *r = malloc(sizeof *r);
    struct err e;
    *r = (struct run){.a = arch, .o = o, .fd = -1, .spoilt = getenv("TRAPLINE_DIFF_BREAK")};
    bool ok = open_run(r, &e) && (!arch->first || arch->first(arch, r->file, r->other, &e)) &&
              (o->one ? report(r, o->case_seed, o->case_index, &e) : run_all(r, seed, count, &e));
    if (!ok)
        printf("%s\n", e.text);
    printf("%sseed %" PRIu64 ": %" PRIu64 " random instructions run in %" PRIu64 " rounds of %" PRIu64 " cases (%" PRIu64
           " rounds do not end and are left out), %" PRIu64 " records, %" PRIu64 " differ\n",
           arch->label, o->seed, r->instructions, r->rounds, r->cases, r->left_out, r->records, r->bad);
    ok = ok && !r->bad;
    close_run(r);
    free(r);
    return ok;
}

bool driver_parse(struct driver_options *o, int argc, char **argv, const char *usage)
{
    *o = (struct driver_options){.seed = 1, .count = 1000000, .reports = 3};
    for (int i = 1; i < argc; i++) {
        unsigned long long a;
        unsigned b;
        if (sscanf(argv[i], "--seed=%llu", &a) == 1) {
            o->seed = a;
        } else if (sscanf(argv[i], "--count=%llu", &a) == 1) {
            o->count = a;
        } else if (sscanf(argv[i], "--reports=%u", &b) == 1) {
            o->reports = b;
        } else if (sscanf(argv[i], "--xlen=%u", &b) == 1 && (b == 32 || b == 64)) {
            o->xlen = b;
        } else if (sscanf(argv[i], "--case=%llu:%u", &a, &b) == 2 && b < MAX_CASES) {
            o->one = true;
            o->case_seed = a;
            o->case_index = b;
        } else if (!strcmp(argv[i], "--brief")) {
            o->brief = true;
        } else if (!strcmp(argv[i], "--coverage")) {
            o->coverage = true;
        } else {
            fprintf(stderr, "usage: %s\n", usage);
            return false;
        }
    }
    return true;
}
