/* The driver of the differential tests: driver.h. */
#include "driver.h"
#include "base/rng.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CASES 256u

/* The other emulator does not come back: that is a difference, or the specification leaves it open. */
enum outcome { BACK, STUCK, STUCK_OPEN };

struct run {
    const struct driver_arch *a;
    const struct driver_options *o;
    char spoilt[32]; /* row of which instructions are spoilt on trapline's side, to see that a fault is found; "" none */
    unsigned behind; /* only in cases that run behind as many others */
    char file[64];
    int fd;
    uint8_t *ram, *other; /* the file: RAM of the other emulator, and the image in it */
    uint8_t *before;      /* the image */
    uint8_t *mine;        /* trapline's */
    void *c;              /* the case that is made */
    uint64_t seeds[MAX_CASES];
    bool overwritten;             /* the last batch does not count */
    uint8_t leave_out[MAX_CASES]; /* enum outcome: the other emulator does not come back */
    uint64_t instructions, cases, rounds, left_out, records, bad, voids /* batches */, retired /* of the last batch */;
};

static volatile sig_atomic_t ending; /* SIGTERM or SIGINT: the batch that runs is the last one */

static void on_signal(int number)
{
    (void)number;
    ending = 1;
}

static bool open_run(struct run *r, struct err *e)
{
    /* Of no directory, so that a run that is killed leaves nothing; the other emulator inherits it. */
    r->fd = memfd_create("trapline-diff", 0);
    if (r->fd < 0 || ftruncate(r->fd, (off_t)r->a->ram))
        return err_set(e, "no memory for an image");
    snprintf(r->file, sizeof r->file, "/proc/self/fd/%d", r->fd);
    r->ram = mmap(NULL, r->a->ram, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    r->other = r->ram + r->a->base;
    r->before = mmap(NULL, r->a->image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    r->mine = mmap(NULL, r->a->image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    r->c = malloc(r->a->case_size);
    madvise(r->before, r->a->image, MADV_HUGEPAGE); /* faster; a refusal is fine */
    madvise(r->mine, r->a->image, MADV_HUGEPAGE);
    return (r->ram != MAP_FAILED && r->before != MAP_FAILED && r->mine != MAP_FAILED && r->c) ||
           err_set(e, "no memory for an image");
}

static void close_run(struct run *r)
{
    if (r->ram && r->ram != MAP_FAILED)
        munmap(r->ram, r->a->ram);
    if (r->fd >= 0)
        close(r->fd);
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

/* Which part of a batch: the cases first..n-1; of the last one `rounds` rounds, of the last of them `keep` instructions. */
struct part {
    unsigned first, n, rounds, keep;
};

/* Makes a case of the part; r->c is its last round in the end. */
static void make_case(struct run *r, unsigned i, const struct part *p, const char *spoilt)
{
    const struct driver_arch *a = r->a;
    a->begin(a->isa, r->seeds[i], i, r->before, r->c);
    skip(r, i);
    unsigned rounds = i + 1 == p->n ? p->rounds : a->rounds;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned keep = i + 1 == p->n && round + 1 == rounds ? p->keep : UINT32_MAX;
        a->make_round(r->c, round, keep);
        *mark(r, i, round) = 0;
        if (spoilt)
            a->spoil(a->isa, r->c, keep, spoilt, r->before, i);
    }
}

static bool is_whole(const struct run *r, const struct part *p) { return p->n - p->first == r->a->cases; }

/* Images of a few cases are mostly zero: their pages are given back and made when they are written to. A whole batch keeps its
   pages, as to fault them in takes longer than to run it. */
static void forget(const struct run *r, const struct part *p, uint8_t *image)
{
    if (is_whole(r, p))
        memset(image, 0, r->a->image);
    else
        madvise(image, r->a->image, MADV_DONTNEED);
}

static void copy(const struct run *r, const struct part *p, uint8_t *to, const uint8_t *from)
{
    const struct driver_arch *a = r->a;
    if (is_whole(r, p)) {
        memcpy(to, from, a->image);
        return;
    }
    madvise(to, a->image, MADV_REMOVE);
    memcpy(to, from, a->arena_of(0));
    for (unsigned i = p->first; i < p->n; i++) {
        memcpy(to + a->arena_of(i), from + a->arena_of(i), a->arena_size);
        memcpy(to + a->round_of(i, 0), from + a->round_of(i, 0), a->rounds * a->round_size);
    }
}

static bool run_trapline(struct run *r, const struct part *p, struct err *e)
{
    forget(r, p, r->mine);
    return r->a->run_trapline(r->a->isa, r->mine, r->before, p->first, p->n, &r->retired, e);
}

/* Makes the cases of the part. */
static bool make_batch(struct run *r, const struct part *p, struct err *e)
{
    const struct driver_arch *a = r->a;
    forget(r, p, r->before);
    a->harness(a->isa, r->before, p->first, p->n);
    for (unsigned i = p->first; i < p->n; i++) {
        if (!r->leave_out[i])
            make_case(r, i, p, NULL);
        else
            skip(r, i);
    }
    /* Rounds that do not end as they are: spoilt ones may, and the other emulator would be waited for. */
    if (*r->spoilt && !run_trapline(r, p, e))
        return false;
    copy(r, p, r->other, r->before);
    for (unsigned i = p->first + r->behind; *r->spoilt && i < p->n; i++)
        if (!r->leave_out[i] && !skipped(r, i)) {
            make_case(r, i, p, r->spoilt);
            a->cut_alike(r->before, r->other, p->first, p->n);
        }
    return true;
}

/* On both sides: on one alone it is a difference. */
static bool overwritten(const struct run *r, const struct part *p)
{
    const struct driver_arch *a = r->a;
    return a->overwritten && a->overwritten(r->before, r->mine, p->first, p->n) &&
           a->overwritten(r->before, r->other, p->first, p->n);
}

static bool may_hang(const struct run *r, unsigned index)
{
    const struct driver_arch *a = r->a;
    return a->open(r->before, r->mine, index) || (a->may_hang && a->may_hang(a->isa, r->mine, r->other, index));
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
            for (unsigned i = p->first; *r->spoilt && i < p->n; i++) /* the code, spoilt and not written to, is no difference */
                if (!r->leave_out[i])
                    memcpy(r->mine + a->arena_of(i) + a->code, r->other + a->arena_of(i) + a->code, a->code_size);
            r->overwritten = overwritten(r, p);
            return true;
        }
        r->overwritten = stuck < p->n && overwritten(r, p);
        if (r->overwritten)
            return true;
        if (stuck >= p->n || r->leave_out[stuck])
            return false;
        if (!*r->spoilt && may_hang(r, stuck)) {
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
    if (r->overwritten)
        return false;
    if (r->leave_out[index])
        return r->leave_out[index] == STUCK;
    if (skipped(r, index) || a->same(a->isa, r->mine, r->other, index, NULL))
        return false;
    return *r->spoilt || !a->open(r->before, r->mine, index);
}

/* Sets *what, a member of *p, to the smallest number up to `high` with which the part's last case differs. */
static bool search(struct run *r, struct part *p, unsigned *what, unsigned high, struct err *e)
{
    unsigned low = 0;
    while (low < high) { /* the first `low` make no difference, the first `high` do */
        *what = (low + high) / 2;
        if (!run_batch(r, p, e))
            return false;
        if (!differs(r, p->n - 1))
            low = *what + 1;
        else
            high = *what;
    }
    *what = high;
    return true;
}

/* Finds the first round and instruction of the part's last case that matter, by running it with 1, 2, … of them behind the
   others, and prints the difference. */
static bool explain(struct run *r, struct part p, struct err *e)
{
    const struct driver_arch *a = r->a;
    unsigned index = p.n - 1;
    if (!search(r, &p, &p.rounds, a->rounds, e))
        return false;
    if (!p.rounds)
        p.rounds = a->rounds;
    make_case(r, index, &p, NULL);
    if (!search(r, &p, &p.keep, a->instructions(r->c), e) || !run_batch(r, &p, e))
        return false;
    if (!differs(r, index))
        printf("  it does not differ any more\n");
    else if (!r->leave_out[index])
        a->same(a->isa, r->mine, r->other, index, stdout);
    make_case(r, index, &p, NULL);
    a->print_block(a->isa, r->c, p.keep);
    if (r->o->one && a->dump)
        a->dump(a->isa, r->before, r->mine, r->other, index, p.rounds - 1, stdout);
    fflush(stdout);
    return true;
}

/* What is told of a difference in any case: one that will not come again is told, too. */
static void name(const struct run *r, unsigned index, const char *told, const char *how)
{
    printf("%scase %" PRIu64 ":%u %s", r->a->label, r->seeds[index], index, how);
    printf("%s", told);
    fflush(stdout);
}

/* A case that differs in its batch and not alone: which of the cases before it that takes. Equal numbers: it did not differ
 * again. */
static bool needs(struct run *r, unsigned index, unsigned *first, bool *again, struct err *e)
{
    struct part p = {0, index + 1, r->a->rounds, UINT32_MAX};
    unsigned low = 0, high = index; /* from `low` on it differs, from `high` on it does not */
    if (!run_batch(r, &p, e))
        return false;
    *again = differs(r, index);
    while (*again && low + 1 < high) {
        p.first = (low + high) / 2;
        if (!run_batch(r, &p, e))
            return false;
        if (differs(r, index))
            low = p.first;
        else
            high = p.first;
    }
    *first = low;
    return true;
}

/* A difference of the batch whose seeds follow from `rng`: is it the case's own, or does it take others before it? told: what the
   batch had. *none: it is none. False: an error. */
static bool report(struct run *r, uint64_t rng, unsigned index, const char *told, bool *none, struct err *e)
{
    const struct driver_arch *a = r->a;
    struct part p = {index, index + 1, a->rounds, UINT32_MAX};
    char how[160];
    bool again;
    if (!run_batch(r, &p, e))
        return false;
    if (differs(r, index)) {
        snprintf(how, sizeof how, "differs; again: %s --case=%" PRIu64 ":%u\n", a->again, r->seeds[index], index);
        name(r, index, r->o->brief ? told : "", how);
        return r->o->brief || explain(r, p, e);
    }
    if (!needs(r, index, &p.first, &again, e))
        return false;
    *none = a->shared;
    if (again)
        snprintf(how, sizeof how,
                 "differs, not alone, but behind cases %u to %u of its batch; again: %s --batch=%" PRIu64 ":%u:%u\n", p.first,
                 index - 1, a->again, rng, p.first, index);
    else
        snprintf(how, sizeof how, "differed in its batch, and not again; the batch: %s --batch=%" PRIu64 ":0:%u\n", a->again, rng,
                 a->cases - 1);
    name(r, index, told, how);
    if (*none)
        printf("  not counted: these cases reach each other's memory\n");
    return *none || !again || r->o->brief || explain(r, p, e);
}

/* What a case's images have, to be freed; "" if the other emulator did not come back. */
static char *tell(const struct run *r, unsigned index)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!r->leave_out[index])
        r->a->same(r->a->isa, r->mine, r->other, index, out);
    fclose(out);
    return text;
}

/* Counts what a batch was; the cases that differ go to bad[], what they have to told[]. */
static unsigned judge(struct run *r, unsigned *bad, char **told)
{
    const struct driver_arch *a = r->a;
    unsigned bads = 0;
    if (r->overwritten) {
        r->voids++;
        return 0;
    }
    for (unsigned i = 0; i < a->cases; i++) {
        for (unsigned round = 0; round < a->rounds; round++) {
            if (*mark(r, i, round))
                r->left_out++;
            else
                r->records += a->records(r->mine, i, round);
        }
        if (differs(r, i)) {
            told[bads] = tell(r, i);
            bad[bads++] = i;
        }
    }
    r->cases += a->cases;
    r->rounds += (uint64_t)a->cases * a->rounds;
    r->instructions += r->retired;
    if (a->ran)
        a->ran(a->isa, r->before, r->mine, a->cases);
    return bads;
}

static void seed_batch(struct run *r, uint64_t *rng)
{
    for (unsigned i = 0; i < r->a->cases; i++)
        r->seeds[i] = rng_next(rng);
}

/* How far a run is, to a terminal. */
static void progress(const struct run *r, time_t began, uint64_t count)
{
    if (!isatty(STDERR_FILENO))
        return;
    double seconds = (double)(time(NULL) - began) + 1, done = (double)r->instructions;
    double left = done > 0 ? seconds * ((double)count - done) / done / 60 : 0;
    fprintf(stderr, "\r%s%.1f M of %.1f M instructions, %" PRIu64 " differ, %.0f min left \033[K%s", r->a->label, done / 1e6,
            (double)count / 1e6, r->bad, left > 0 ? left : 0, done >= (double)count || ending ? "\r\033[K" : "");
}

static bool run_all(struct run *r, uint64_t seed, uint64_t count, struct err *e)
{
    const time_t began = time(NULL);
    const struct part whole = {0, r->a->cases, r->a->rounds, UINT32_MAX};
    uint64_t rng = seed;
    unsigned bad[MAX_CASES];
    char *told[MAX_CASES];
    bool ok = true;
    while (ok && !ending && r->instructions < count && (r->bad < r->o->reports || r->o->brief)) {
        uint64_t from = rng;
        seed_batch(r, &rng);
        if (!run_batch(r, &whole, e))
            return false;
        unsigned bads = judge(r, bad, told);
        if (r->voids > 8 + r->cases / r->a->cases / 4)
            return err_set(e, "the harness is overwritten in one batch of five and more");
        if (bads && isatty(STDERR_FILENO))
            fputs("\r\033[K", stderr);
        for (unsigned i = 0; i < bads; i++) {
            bool none = false;
            if (ok && (r->o->brief || r->bad < r->o->reports))
                ok = report(r, from, bad[i], told[i], &none, e);
            free(told[i]);
            r->bad += !none;
        }
        progress(r, began, count);
    }
    return ok;
}

/* One case, alone or behind others of its batch. */
static bool run_one(struct run *r, struct err *e)
{
    const struct driver_options *o = r->o;
    const struct part p = {o->case_first, o->case_index + 1, r->a->rounds, UINT32_MAX};
    uint64_t rng = o->case_seed;
    if (o->batch)
        seed_batch(r, &rng);
    else
        r->seeds[o->case_index] = o->case_seed;
    printf("%scase %" PRIu64 ":%u\n", r->a->label, r->seeds[o->case_index], o->case_index);
    return explain(r, p, e);
}

/* TRAPLINE_DIFF_BREAK=<row>[,<cases>]. */
static void read_break(struct run *r)
{
    const char *what = getenv("TRAPLINE_DIFF_BREAK");
    if (what)
        sscanf(what, "%31[^,],%u", r->spoilt, &r->behind);
}

pid_t driver_start(char **argv)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a run that is killed */
        setpgid(0, 0);                    /* Ctrl-C is for this process, which waits for the batch */
        if (getppid() != parent)
            _exit(127);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    return pid;
}

/* Milliseconds of processor time a process has had. */
static uint64_t spent(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool driver_wait(pid_t pid, const char *program, const struct driver_left *left, unsigned *stuck, struct err *e)
{
    uint64_t now = 0, last = UINT64_MAX, since = 0;
    int status = 0;
    bool back = false;
    for (unsigned idle = 0; !back && idle < 6000 && (idle % 64 || spent(pid) < since + 1000); idle++) {
        back = waitpid(pid, &status, WNOHANG) == pid;
        usleep(back ? 0 : 1000);
        memcpy(&now, left->at, 8);
        if (now != last) {
            idle = 0;
            since = spent(pid);
        }
        last = now;
    }
    *stuck = left->n;
    if (back && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    *stuck = left->n - 1 - (unsigned)(now / left->rounds);
    if (back)
        return err_set(e, "%s ended with status %d", program, status);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return err_set(e, "%s does not come back", program);
}

bool driver_run(const struct driver_arch *arch, const struct driver_options *o, uint64_t seed, uint64_t count)
{
    struct run *r = malloc(sizeof *r);
    struct err e;
    *r = (struct run){.a = arch, .o = o, .fd = -1};
    read_break(r);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    bool ok = open_run(r, &e) && (!arch->first || arch->first(arch, r->file, r->other, &e)) &&
              (o->one ? run_one(r, &e) : run_all(r, seed, count, &e));
    if (!ok)
        printf("%s\n", e.text);
    printf("%sseed %" PRIu64 ": %" PRIu64 " random instructions run in %" PRIu64 " rounds of %" PRIu64 " cases (%" PRIu64
           " rounds do not end and are left out), %" PRIu64 " records, %" PRIu64 " differ\n",
           arch->label, o->seed, r->instructions, r->rounds, r->cases, r->left_out, r->records, r->bad);
    if (r->voids)
        printf("%s%" PRIu64 " batches in which the harness was overwritten are not counted\n", arch->label, r->voids);
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
        unsigned b, first;
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
            o->case_first = o->case_index = b;
        } else if (sscanf(argv[i], "--batch=%llu:%u:%u", &a, &first, &b) == 3 && first <= b && b < MAX_CASES) {
            o->one = o->batch = true;
            o->case_seed = a;
            o->case_first = first;
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
