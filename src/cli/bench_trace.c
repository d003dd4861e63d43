/* What recording and replaying cost: the group `trace` of the benchmarks. Everything is this program's own, run by turns. */
#include "base/bits.h"
#include "cli/bench.h"
#include "cli/child.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT   1800.0 /* seconds until a child is given up */
#define STRETCH "400M" /* cycles of a boot of which every instruction is recorded */

/* The runs, in the order of their turns. */
enum { PLAIN, RECORD, TRAPS, REPLAY, PLAIN_STRETCH, INSTRUCTIONS, FOLLOW, RUNS };
static const char *const titles[RUNS] = {"plain", "record", "with traps", "replay", "plain", "every instruction",
                                          "replay of every instruction"};

struct turn {
    const char *argv[40];
    char file[64]; /* the trace: what is written, or read */
};

static void boot(const struct bench *b, struct turn *t, unsigned *n, char path[3][4352], bool whole)
{
    const char *const name[] = {b->arch->firmware, b->arch->kernel, b->arch->initrd};
    static const char *const option[] = {"-bios", "-kernel", "-initrd"};
    t->argv[(*n)++] = "-machine";
    t->argv[(*n)++] = b->quick ? b->arch->board : b->arch->linux_board;
    if (b->arch->cpu) {
        t->argv[(*n)++] = "-cpu";
        t->argv[(*n)++] = b->arch->cpu;
    }
    if (b->quick) {
        snprintf(path[0], sizeof path[0], "%s/bench-compute%s-quick.elf", b->roms, b->arch->rom);
        t->argv[(*n)++] = path[0];
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(name); i++) {
        if (!name[i])
            continue;
        snprintf(path[i], sizeof path[i], "%s/%s", b->images, name[i]);
        t->argv[(*n)++] = option[i];
        t->argv[(*n)++] = path[i];
    }
    t->argv[(*n)++] = "-append";
    t->argv[(*n)++] = b->arch->append;
    t->argv[(*n)++] = "-m";
    t->argv[(*n)++] = "1G";
    if (!whole)
        return;
    t->argv[(*n)++] = "--exit-on";
    t->argv[(*n)++] = BENCH_INIT_TEXT;
}

static void prepare(const struct bench *b, unsigned k, struct turn *t, char path[3][4352], const char *folder)
{
    unsigned n = 0;
    const bool replays = k == REPLAY || k == FOLLOW;
    snprintf(t->file, sizeof t->file, "%s/%u.trace", folder, replays ? k == REPLAY ? TRAPS : INSTRUCTIONS : k);
    t->argv[n++] = "/proc/self/exe";
    t->argv[n++] = k == PLAIN || k == PLAIN_STRETCH ? "run" : replays ? "replay" : "record";
    if (replays) {
        t->argv[n++] = t->file;
        t->argv[n] = NULL;
        return;
    }
    bool stretch = k == PLAIN_STRETCH || k == INSTRUCTIONS;
    boot(b, t, &n, path, !stretch);
    if (stretch) {
        t->argv[n++] = "--max-cycles";
        t->argv[n++] = STRETCH;
    }
    if (k == RECORD)
        t->argv[n++] = "--no-traps";
    if (k == INSTRUCTIONS)
        t->argv[n++] = "--instructions";
    if (k != PLAIN && k != PLAIN_STRETCH) {
        t->argv[n++] = "-o";
        t->argv[n++] = t->file;
    }
    t->argv[n] = NULL;
}

static void remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    char path[512];
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

/* All runs by turns, b->repeat times; user[]: the least of each. */
static bool run_all(struct bench *b, const char *name, const char *folder, double user[RUNS], struct err *e)
{
    char path[3][4352];
    for (unsigned k = 0; k < RUNS; k++)
        user[k] = INFINITY;
    for (unsigned i = 0; i < b->repeat; i++) {
        for (unsigned k = 0; k < RUNS; k++) {
            struct turn t;
            struct child c;
            prepare(b, k, &t, path, folder);
            bench_progress(b, name, titles[k], i + 1, b->repeat);
            if (!child_run(t.argv, NULL, 0, LIMIT, &c, e))
                return false;
            user[k] = fmin(user[k], c.user);
            child_free(&c);
        }
    }
    return true;
}

bool bench_measure_trace(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    double *user = b->trace[b->id];
    char folder[] = "/tmp/trapline-bench-XXXXXX";
    if (isnan(user[0])) {
        if (!bench_has_linux(b, r) && !b->quick)
            return true;
        r->note[0] = 0;
        if (!mkdtemp(folder))
            return err_set(e, "%s: %s", folder, strerror(errno));
        bool ok = run_all(b, row->name, folder, user, e);
        remove_folder(folder);
        if (!ok) {
            user[0] = NAN;
            return false;
        }
    }
    unsigned k = !strcmp(row->name, "record")   ? RECORD
                 : !strcmp(row->name, "traps")  ? TRAPS
                 : !strcmp(row->name, "replay") ? REPLAY
                 : !strcmp(row->name, "insns")  ? INSTRUCTIONS
                                                : FOLLOW;
    double plain = user[k >= PLAIN_STRETCH ? PLAIN_STRETCH : PLAIN];
    r->trapline_user = user[k];
    r->trapline = fmax(user[k], 0.001) / fmax(plain, 0.001); /* the host does not count less */
    return true;
}
