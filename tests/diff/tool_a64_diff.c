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

/* Spoils the instructions of row `name` in trapline's image of a case. */
static void spoil(struct run *r, const struct a64_case *c, unsigned index, unsigned keep, const char *name)
{
    for (unsigned i = 0; i < c->n && i < keep; i++) {
        struct a64_decoded d = a64_decode(r->isa.decoder, c->insn[i].bits);
        if (d.row && !strcmp(d.row->name, name))
            memset(r->before + a64_arena(index) + PGA_CODE * 4096 + c->start + 4 * i, 0, 4);
    }
}

/* Makes cases 0..n-1; only those from `first` on are there. */
static void make_batch(struct run *r, unsigned first, unsigned n, unsigned keep)
{
    static struct a64_case c;
    const char *broken = getenv("TRAPLINE_DIFF_BREAK");
    memset(r->before, 0, A64_IMAGE);
    a64_harness(r->before, n);
    for (unsigned i = 0; i < n; i++) {
        if (i >= first && !r->leave_out[i])
            a64_case_make(&r->isa, r->seeds[i], i, r->before, keep, &c);
        else
            r->before[a64_arena(i) + DESCA_SKIP] = 1;
    }
    memcpy(r->qemu, r->before, A64_IMAGE);
    for (unsigned i = first; broken && i < n; i++)
        if (!r->leave_out[i]) {
            a64_case_make(&r->isa, r->seeds[i], i, r->before, keep, &c);
            spoil(r, &c, i, keep, broken);
        }
}

/* Makes and runs a batch. Cases in which QEMU does not come back count as bad, and the others run again. False: an error. */
static bool run_batch(struct run *r, unsigned first, unsigned n, unsigned keep, struct err *e)
{
    unsigned hung, stuck;
    memset(r->leave_out, 0, sizeof r->leave_out);
    for (;;) {
        make_batch(r, first, n, keep);
        if (!a64_run_trapline(&r->isa, r->mine, r->before, n, &hung, &r->retired, e))
            return false;
        for (unsigned i = 0; i < n; i++)
            r->qemu[a64_arena(i) + DESCA_SKIP] = r->before[a64_arena(i) + DESCA_SKIP];
        if (a64_run_qemu(r->file, r->qemu, n, &stuck, e)) {
            r->left_out = hung;
            for (unsigned i = first; i < n; i++) /* the code, where it was spoilt and not written to, is no difference */
                if (getenv("TRAPLINE_DIFF_BREAK") && !r->leave_out[i])
                    memcpy(r->mine + a64_arena(i) + PGA_CODE * 4096, r->qemu + a64_arena(i) + PGA_CODE * 4096, 8192);
            return true;
        }
        if (stuck >= n || r->leave_out[stuck])
            return false;
        printf("case %" PRIu64 ":%u: %s\n", r->seeds[stuck], stuck, e->text);
        fflush(stdout);
        r->leave_out[stuck] = 1;
    }
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

/* The case was run to its end by both. */
static bool was_run(const struct run *r, unsigned index)
{
    return !r->leave_out[index] && !r->before[a64_arena(index) + DESCA_SKIP];
}

static bool differs(const struct run *r, unsigned index)
{
    bool broken = getenv("TRAPLINE_DIFF_BREAK");
    if (r->leave_out[index])
        return true;
    return was_run(r, index) && !a64_same(&r->isa, r->mine, r->qemu, index, NULL) &&
           (broken || !a64_code_written(r->before, r->mine, index));
}

/* Finds the first instruction that matters, by running the case with 1, 2, … of its instructions, and prints the difference. */
static bool report(struct run *r, uint64_t seed, unsigned index, struct err *e)
{
    static struct a64_case c;
    unsigned all = a64_case_make(&r->isa, seed, index, r->before, UINT32_MAX, &c), low = 0, high = all;
    printf("case %" PRIu64 ":%u differs; again: tool_a64_diff --case=%" PRIu64 ":%u\n", seed, index, seed, index);
    r->seeds[index] = seed;
    while (low < high) { /* the first `low` instructions make no difference, the first `high` do */
        unsigned mid = (low + high) / 2;
        if (!run_batch(r, index, index + 1, mid, e))
            return false;
        if (!r->leave_out[index] && (!was_run(r, index) || a64_same(&r->isa, r->mine, r->qemu, index, NULL)))
            low = mid + 1;
        else
            high = mid;
    }
    if (!run_batch(r, index, index + 1, high, e))
        return false;
    if (a64_same(&r->isa, r->mine, r->qemu, index, stdout))
        printf("  not alone\n");
    print_block(r, &c, high);
    fflush(stdout);
    return true;
}

static bool run_all(struct run *r, uint64_t count, struct err *e)
{
    uint64_t rng = r->o->seed, bad[A64_CASES];
    while (r->instructions < count) {
        unsigned bads = 0, index[A64_CASES];
        for (unsigned i = 0; i < A64_CASES; i++)
            r->seeds[i] = rng_next(&rng);
        r->cases += A64_CASES;
        if (!run_batch(r, 0, A64_CASES, UINT32_MAX, e))
            return false;
        for (unsigned i = 0; i < A64_CASES; i++) {
            r->records += a64_records(r->mine, i);
            if (differs(r, i)) {
                bad[bads] = r->seeds[i];
                index[bads++] = i;
            }
        }
        r->hung += r->left_out;
        r->instructions += r->retired;
        for (unsigned i = 0; r->o->brief && i < bads; i++) {
            printf("%" PRIu64 ":%u\n", bad[i], index[i]);
            a64_same(&r->isa, r->mine, r->qemu, index[i], stdout);
            fflush(stdout);
        }
        for (unsigned i = 0; i < bads; i++, r->bad++)
            if (!r->o->brief && r->bad < r->o->reports && !report(r, bad[i], index[i], e))
                return false;
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
