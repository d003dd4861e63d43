/* `trapline bench`: this program and QEMU, run by turns on the same guests. */
#include "cli/bench.h"
#include "base/bits.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/roms.h"
#include "cli/session.h"
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEAT_MAX  1000
#define LIMIT       900.0 /* seconds until a child is given up */
#define GRACE       2.0   /* seconds trapline has to report after the text that ends a boot */
#define START_RUNS  20
#define FORK_RUNS   50
#define FORK_RAM    (UINT64_C(1) << 30)
#define FORK_WRITES 16384u /* pages written after a fork */

/* Both use an algorithm of their own for pointer authentication: the architecture's would cost QEMU more than all the rest of a
   boot. */
const struct bench_arch bench_archs[BENCH_ARCHS] = {
    [BENCH_RISCV] = {.name = "riscv",
                     .rom = "",
                     .board = "virt",
                     .linux_board = "virt",
                     .qemu = "qemu-system-riscv64",
                     .qemu_board = "virt",
                     .qemu_linux = "virt",
                     .qemu_cpu = "rv64,h=true",
                     .qemu_bios = "none",
                     .firmware = "opensbi-trixie/fw_dynamic.bin",
                     .kernel = "debian-13/linux",
                     .initrd = "debian-13/initrd.gz",
                     .append = "console=ttyS0 rdinit=/bin/sh",
                     .ram_base = UINT64_C(0x80000000)},
    [BENCH_ARM] = {.name = "arm",
                   .rom = "-a64",
                   .board = "virt-arm,virtualization=on",
                   .linux_board = "virt-arm",
                   .qemu = "qemu-system-aarch64",
                   .qemu_board = "virt,gic-version=3,virtualization=on",
                   .qemu_linux = "virt,gic-version=3",
                   .cpu = "max,pauth=impdef",
                   .qemu_cpu = "max,pauth-impdef=on",
                   .kernel = "debian-13-arm64/linux",
                   .initrd = "debian-13-arm64/initrd.gz",
                   .append = "console=ttyAMA0 rdinit=/bin/sh",
                   .ram_base = UINT64_C(0x40000000)},
};

/* A command line as it is put together. */
struct args {
    const char *v[32]; /* ends with NULL */
    unsigned n;
};

static void arg(struct args *a, const char *one)
{
    assert(a->n + 1 < ARRAY_LEN(a->v));
    a->v[a->n++] = one;
}

/* An option and its value; nothing, if that is NULL. */
static void option(struct args *a, const char *name, const char *value)
{
    if (!value)
        return;
    arg(a, name);
    arg(a, value);
}

static const char *qemu_of(const struct bench *b) { return b->qemu[b->id]; }

/* ---- one run -------------------------------------------------------------------------------------------------------------- */

/* The least of the repetitions. */
struct best {
    double user, wall;
    double over; /* MiB resident beside the guest's pages; NAN for QEMU, which does not tell its pages */
    double resident_kib;
    double instructions, guest_kib; /* as trapline reports them */
};

static void best_init(struct best *t)
{
    *t = (struct best){.user = INFINITY, .wall = INFINITY, .over = NAN, .resident_kib = INFINITY};
}

static bool read_stats(const struct child *c, struct best *t, struct err *e)
{
    json_t *j = json_loadb((const char *)c->message.data, c->message.len, 0, NULL);
    json_t *instructions = json_object_get(j, "instructions"), *guest = json_object_get(j, "guest_kib");
    bool ok = instructions && guest;
    if (ok) {
        t->instructions = json_number_value(instructions);
        t->guest_kib = json_number_value(guest);
        t->over = fmin(isnan(t->over) ? INFINITY : t->over, (c->resident_kib - t->guest_kib) / 1024);
    }
    json_decref(j);
    return ok || err_set(e, "trapline run --json did not print its report: %s", (const char *)c->message.data);
}

/* QEMU's status is 0 when a signal ended it, too; a run cut short would be the best of all. */
static bool not_cut(const char *name, const struct child *c, const char *until, struct err *e)
{
    const char *said = strstr((const char *)c->message.data, "terminating on signal");
    return until || !said || err_set(e, "%s did not run to its end: %.*s", name, (int)strcspn(said, "\n"), said);
}

static bool run_once(const char *const *argv, const char *until, double grace, bool stats, struct best *t, struct err *e)
{
    struct child c;
    bool ok = child_run(argv, until, grace, LIMIT, &c, e) && (stats ? read_stats(&c, t, e) : not_cut(argv[0], &c, until, e));
    if (ok) {
        t->user = fmin(t->user, c.user);
        t->wall = fmin(t->wall, c.wall);
        t->resident_kib = fmin(t->resident_kib, c.resident_kib);
    }
    child_free(&c);
    return ok;
}

/* Both programs by turns, each b->repeat times. until: the text at which the run is over; NULL: the guest ends it. */
static bool by_turns(struct bench *b, const char *name, const struct args *ours, const struct args *theirs, const char *until,
                     struct best best[2], struct err *e)
{
    best_init(&best[0]);
    best_init(&best[1]);
    for (unsigned i = 0; i < b->repeat; i++) {
        bench_progress(b, name, "trapline", i + 1, b->repeat);
        if (!run_once(ours->v, until, GRACE, true, &best[0], e))
            return false;
        bench_progress(b, name, "QEMU", i + 1, b->repeat);
        if (qemu_of(b) && !run_once(theirs->v, until, 0, false, &best[1], e))
            return false;
    }
    return true;
}

static void take_times(const struct bench *b, const struct best best[2], struct bench_result *r)
{
    r->trapline_user = best[0].user;
    r->trapline_wall = best[0].wall;
    if (qemu_of(b)) {
        r->qemu_user = best[1].user;
        r->qemu_wall = best[1].wall;
    }
}

/* ---- the bundled guests --------------------------------------------------------------------------------------------------- */

static void rom_path(const struct bench *b, const char *name, bool quick, char path[static 4352])
{
    snprintf(path, 4352, "%s/bench-%s%s%s.elf", b->roms, name, b->arch->rom, quick && b->quick ? "-quick" : "");
}

static void our_args(const struct bench *b, const char *board, struct args *a)
{
    arg(a, "/proc/self/exe");
    arg(a, "run");
    option(a, "-machine", board);
    option(a, "-cpu", b->arch->cpu);
    arg(a, "--stats");
    arg(a, "--json");
}

static void qemu_args(const struct bench *b, const char *board, struct args *a)
{
    arg(a, qemu_of(b));
    option(a, "-machine", board);
    option(a, "-cpu", b->arch->qemu_cpu);
    option(a, "-nic", "none");
    arg(a, "-nographic");
}

static bool run_rom(struct bench *b, const char *name, bool quick, struct best best[2], struct err *e)
{
    char path[4352];
    rom_path(b, name, quick, path);
    struct args ours = {.n = 0}, theirs = {.n = 0};
    our_args(b, b->arch->board, &ours);
    arg(&ours, path);
    qemu_args(b, b->arch->qemu_board, &theirs);
    option(&theirs, "-bios", b->arch->qemu_bios);
    option(&theirs, "-kernel", path);
    return by_turns(b, name, &ours, &theirs, NULL, best, e);
}

/* How many round trips or walks the guest makes, which it tells by a symbol. */
static bool rom_count(const struct bench *b, const char *name, double *count, struct err *e)
{
    char path[4352];
    uint64_t value;
    rom_path(b, name, true, path);
    struct machine_config config = {.board = b->arch->board, .bios = "none", .kernel = path};
    struct machine *m = machine_new(&config, e);
    if (!m)
        return false;
    bool ok = machine_symbol(m, "bench_count", &value) || err_set(e, "%s has no symbol bench_count", path);
    *count = ok ? (double)value : NAN;
    machine_free(m);
    return ok;
}

/* count things in the user time of each. */
static void take_rates(const struct bench *b, double count, const struct best best[2], struct bench_result *r)
{
    take_times(b, best, r);
    r->trapline = count / 1e6 / fmax(best[0].user, 1e-6);
    if (qemu_of(b)) {
        r->qemu = count / 1e6 / fmax(best[1].user, 1e-6);
        r->ratio = r->trapline / r->qemu;
    }
}

static bool measure_instructions(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    struct best best[2];
    if (!run_rom(b, row->name, true, best, e))
        return false;
    take_rates(b, best[0].instructions, best, r);
    return true;
}

static bool measure_counted(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    struct best best[2];
    double count;
    if (!rom_count(b, row->name, &count, e) || !run_rom(b, row->name, true, best, e))
        return false;
    take_rates(b, count, best, r);
    return true;
}

/* ---- Linux ---------------------------------------------------------------------------------------------------------------- */

/* A guest image of the boot. */
static const char *image(const struct bench *b, const char *name, char path[static 4352])
{
    if (!name)
        return NULL;
    snprintf(path, 4352, "%s/%s", b->images, name);
    return path;
}

bool bench_has_linux(const struct bench *b, struct bench_result *r)
{
    const char *const need[] = {b->arch->firmware, b->arch->kernel, b->arch->initrd};
    char path[4352];
    if (b->quick) {
        snprintf(r->note, sizeof r->note, "left out by --quick");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(need); i++) {
        if (need[i] && access(image(b, need[i], path), R_OK)) {
            snprintf(r->note, sizeof r->note, "images missing: ./x images");
            return false;
        }
    }
    return true;
}

static bool run_linux(struct bench *b, const char *name, struct best best[2], struct err *e)
{
    const struct bench_arch *arch = b->arch;
    char firmware[4352], kernel[4352], initrd[4352];
    double *over = b->over[b->id];
    struct args ours = {.n = 0}, theirs = {.n = 0}, *const both[] = {&ours, &theirs};
    our_args(b, arch->linux_board, &ours);
    option(&ours, "--exit-on", BENCH_INIT_TEXT);
    qemu_args(b, arch->qemu_linux, &theirs);
    for (unsigned i = 0; i < 2; i++) {
        option(both[i], "-m", "1G");
        option(both[i], "-bios", image(b, arch->firmware, firmware));
        option(both[i], "-kernel", image(b, arch->kernel, kernel));
        option(both[i], "-initrd", image(b, arch->initrd, initrd));
        option(both[i], "-append", arch->append);
    }
    if (!by_turns(b, name, &ours, &theirs, BENCH_INIT_TEXT, best, e))
        return false;
    over[0] = best[0].over;
    over[1] = qemu_of(b) ? (best[1].resident_kib - best[0].guest_kib) / 1024 : NAN;
    return true;
}

static bool measure_linux(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    struct best best[2];
    if (!bench_has_linux(b, r))
        return true;
    if (!run_linux(b, row->name, best, e))
        return false;
    take_times(b, best, r);
    r->trapline = best[0].wall;
    if (qemu_of(b)) {
        r->qemu = best[1].wall;
        r->ratio = r->trapline / r->qemu;
    }
    return true;
}

/* ---- memory and start ----------------------------------------------------------------------------------------------------- */

/* Of the boot of Linux, which fills caches of decoded code as nothing else here does; without its images, of walk2. */
static bool measure_memory(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    struct best best[2];
    double *over = b->over[b->id];
    if (isnan(over[0]) && bench_has_linux(b, r) && !run_linux(b, row->name, best, e))
        return false;
    if (isnan(over[0])) {
        if (!run_rom(b, "walk2", true, best, e))
            return false;
        snprintf(r->note, sizeof r->note, "of walk2, not of Linux");
        over[0] = best[0].over;
        over[1] = qemu_of(b) ? (best[1].resident_kib - best[0].guest_kib) / 1024 : NAN;
    }
    r->trapline = over[0];
    r->qemu = over[1];
    r->ratio = r->trapline / r->qemu;
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The wall time of a whole process whose guest ends by its third instruction: never less than the time to the first one. */
static bool measure_start(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    unsigned repeat = b->repeat, n = b->quick ? 3 : START_RUNS;
    double wall[2][START_RUNS];
    struct best best[2];
    bool ok = true;
    (void)row;
    b->repeat = 1;
    for (unsigned i = 0; i < n && ok; i++) {
        ok = run_rom(b, "exit", false, best, e);
        wall[0][i] = best[0].wall;
        wall[1][i] = best[1].wall;
    }
    b->repeat = repeat;
    if (!ok)
        return false;
    r->trapline = median(wall[0], n) * 1e3;
    r->qemu = qemu_of(b) ? median(wall[1], n) * 1e3 : NAN;
    r->ratio = r->trapline / r->qemu;
    return true;
}

/* ---- fork ----------------------------------------------------------------------------------------------------------------- */

/* A machine that has run, with every page of its RAM written (--quick: one in 64): the most a fork can have to share. */
static struct machine *full_machine(const struct bench *b, struct err *e)
{
    char path[4352];
    uint64_t step = b->quick ? 64 * 4096 : 4096;
    rom_path(b, "compute", false, path);
    struct machine_config config = {.board = b->arch->board, .bios = "none", .kernel = path, .ram = FORK_RAM};
    struct machine *m = machine_new(&config, e);
    for (uint64_t at = 1 << 20; m && at < FORK_RAM; at += step)
        machine_write(m, b->arch->ram_base + at, &at, sizeof at);
    if (m)
        machine_run(m, 1000000);
    return m;
}

static bool measure_fork(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    double took[FORK_RUNS];
    bench_progress(b, row->name, "trapline", 1, 1);
    struct machine *m = full_machine(b, e);
    if (!m)
        return false;
    for (unsigned i = 0; i < FORK_RUNS; i++) {
        machine_run(m, 10000); /* so that the caches hold something that the fork must forget */
        double began = session_clock();
        struct machine *f = machine_fork(m);
        machine_run(f, 1); /* what a fork puts off until it runs is its price too */
        took[i] = (session_clock() - began) * 1e6;
        machine_free(f);
    }
    r->trapline = median(took, FORK_RUNS);
    machine_free(m);
    return true;
}

static bool measure_written(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e)
{
    unsigned writes = b->quick ? 64 : FORK_WRITES;
    bench_progress(b, row->name, "trapline", 1, 1);
    struct machine *m = full_machine(b, e);
    if (!m)
        return false;
    r->trapline = INFINITY;
    for (unsigned i = 0; i < b->repeat; i++) {
        struct machine *f = machine_fork(m);
        double began = session_clock();
        for (uint64_t k = 0; k < writes; k++)
            machine_write(f, b->arch->ram_base + (1 << 20) + k * (b->quick ? 64 * 4096 : 4096), &k, sizeof k);
        r->trapline = fmin(r->trapline, (session_clock() - began) * 1e6 / writes);
        machine_free(f);
    }
    machine_free(m);
    return true;
}

/* ---- the rows ------------------------------------------------------------------------------------------------------------- */

#define RISCV (1u << BENCH_RISCV)
#define ARM   (1u << BENCH_ARM)
#define BOTH  (RISCV | ARM)
static const struct bench_row rows[] = {
    {BOTH, "compute", "M instructions/s", "integer code", AIM_RATIO_LEAST, 0.5, "x", measure_instructions, NULL},
    {BOTH, "float", "M instructions/s", "floating point", AIM_RATIO_LEAST, 0.8, "x", measure_instructions, NULL},
    {RISCV, "ecall", "M round trips/s", "ecall from S to M and mret", AIM_RATIO_LEAST, 10, "x", measure_counted, NULL},
    {RISCV, "world", "M round trips/s", "sret from HS into VS and ecall back", AIM_RATIO_LEAST, 30, "x", measure_counted, NULL},
    {ARM, "svc", "M round trips/s", "svc from EL0 to EL1 and eret", AIM_RATIO_LEAST, 10, "x", measure_counted, NULL},
    {ARM, "hvc", "M round trips/s", "hvc from EL1 to EL2 and eret", AIM_RATIO_LEAST, 10, "x", measure_counted, NULL},
    {BOTH, "walk1", "M walks/s", "loads that each miss, one stage", AIM_RATIO_LEAST, 3, "x", measure_counted, NULL},
    {BOTH, "walk2", "M walks/s", "loads that each miss, two stages", AIM_RATIO_LEAST, 3, "x", measure_counted, NULL},
    {BOTH, "linux", "s to /init", "boot of Debian's Linux 6.12, wall time", AIM_RATIO_MOST, 1.5, "x", measure_linux, NULL},
    {BOTH, "memory", "MiB beside pages", "resident memory less the guest's pages", AIM_VALUE_MOST, 64, " MiB", measure_memory,
     NULL},
    {BOTH, "start", "ms, start to end", "a guest that ends at once, wall time", AIM_VALUE_MOST, 20, " ms", measure_start, NULL},
    {BOTH, "fork", "us to fork 1 GiB", "a copy of a machine whose RAM is all written, and its first instruction", AIM_VALUE_MOST,
     100, " us", measure_fork, NULL},
    {BOTH, "written", "us/page written", "the first write to a page after a fork", AIM_NONE, 0, "", measure_written, NULL},
    {BOTH, "record", "x a plain boot", "recording input and digests of a boot, user time", AIM_VALUE_MOST, 1.03, "x",
     bench_measure_trace, "trace"},
    {BOTH, "traps", "x a plain boot", "and its traps", AIM_VALUE_MOST, 1.1, "x", bench_measure_trace, "trace"},
    {BOTH, "replay", "x a plain boot", "replaying that", AIM_VALUE_MOST, 1.1, "x", bench_measure_trace, "trace"},
    {BOTH, "insns", "x a plain run", "recording every instruction of a boot's first 400 M cycles, user time", AIM_VALUE_MOST, 3,
     "x", bench_measure_trace, "trace"},
    {BOTH, "follow", "x a plain run", "replaying that: every instruction is compared", AIM_VALUE_MOST, 3, "x",
     bench_measure_trace, "trace"},
};

/* Whether asked, as --only has it, is this row on this architecture: NAME, ARCH or ARCH/NAME; or so the row's group. */
static bool names(const char *asked, const char *arch, const struct bench_row *row)
{
    size_t n = strlen(arch);
    if (!strcmp(asked, arch))
        return true;
    if (!strncmp(asked, arch, n) && asked[n] == '/')
        asked += n + 1;
    return !strcmp(asked, row->name) || (row->group && !strcmp(asked, row->group));
}

bool bench_wanted(const struct bench *b, const char *arch, const struct bench_row *row)
{
    for (unsigned i = 0; i < b->onlys; i++)
        if (names(b->only[i], arch, row))
            return true;
    return !b->onlys;
}

int bench_met(const struct bench *b, const struct bench_row *row, const struct bench_result *r)
{
    double v = row->kind == AIM_VALUE_MOST ? r->trapline : r->ratio;
    if (row->kind == AIM_NONE || isnan(v) || b->quick)
        return -1;
    return row->kind == AIM_RATIO_LEAST ? v >= row->aim : v <= row->aim;
}

/* ---- options -------------------------------------------------------------------------------------------------------------- */

enum { OPT_ONLY = 0x400, OPT_REPEAT, OPT_JSON, OPT_QUICK, OPT_QEMU };

static const struct argp_option table[] = {
    {"only", OPT_ONLY, "[ARCH/]NAME", 0,
     "measure this alone, on both architectures or on one (riscv, arm); ARCH: all of that one; trace: record, traps, replay, "
     "insns and follow; repeat it for more",
     1},
    {"repeat", OPT_REPEAT, "N", 0, "run each guest so often and take the least (3; --quick: 1)", 1},
    {"quick", OPT_QUICK, 0, 0, "a few rounds each: shows that it works, the figures mean nothing", 1},
    {"qemu", OPT_QEMU, "[ARCH=]PROGRAM", 0,
     "measure beside this QEMU; none: beside nothing (qemu-system-riscv64 and qemu-system-aarch64, if they are there)", 1},
    {"json", OPT_JSON, 0, 0, "print JSON", 1},
    {0}};

struct parsed {
    struct bench *b;
    uint64_t repeat;
    const char *qemu[BENCH_ARCHS];
};

static bool parse_only(struct bench *b, const char *asked, struct err *e)
{
    char all[256] = "";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned k = 0; k < BENCH_ARCHS; k++) {
            if (!(rows[i].archs >> k & 1) || !names(asked, bench_archs[k].name, &rows[i]))
                continue;
            if (b->onlys == ARRAY_LEN(b->only))
                return err_set(e, "--only '%s': too many of them", asked);
            b->only[b->onlys++] = asked;
            return true;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), " %s", rows[i].name);
    }
    return err_set(e, "--only '%s': there is no such benchmark; there are%s, and riscv/ or arm/ and one of them", asked, all);
}

/* PROGRAM for every architecture, ARCH=PROGRAM for one. */
static void parse_qemu(struct parsed *p, const char *asked)
{
    for (unsigned k = 0; k < BENCH_ARCHS; k++) {
        size_t n = strlen(bench_archs[k].name);
        if (!strncmp(asked, bench_archs[k].name, n) && asked[n] == '=') {
            p->qemu[k] = asked + n + 1;
            return;
        }
    }
    for (unsigned k = 0; k < BENCH_ARCHS; k++)
        p->qemu[k] = asked;
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct parsed *p = state->input;
    struct err e;
    switch (key) {
    case OPT_ONLY:
        if (!parse_only(p->b, arg, &e))
            exit(cli_error(&e));
        return 0;
    case OPT_REPEAT:
        if (!options_count("--repeat", arg, &p->repeat, &e))
            exit(cli_error(&e));
        if (!p->repeat || p->repeat > REPEAT_MAX)
            exit(cli_errorf("--repeat %s: 1 to %d repetitions", arg, REPEAT_MAX));
        return 0;
    case OPT_JSON: p->b->json = true; return 0;
    case OPT_QUICK: p->b->quick = true; return 0;
    case OPT_QEMU: parse_qemu(p, arg); return 0;
    case ARGP_KEY_ARG: exit(cli_errorf("'%s': bench takes options only", arg));
    default: return ARGP_ERR_UNKNOWN;
    }
}

static char *help_filter(int key, const char *text, void *input)
{
    struct buf b = {0};
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    buf_printf(&b, "Benchmarks:\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buf_printf(&b, "  %-8s %s (%s)%s\n", rows[i].name, rows[i].title, rows[i].unit,
                   rows[i].archs == BOTH  ? ""
                   : rows[i].archs == ARM ? ", arm"
                                          : ", riscv");
    buf_printf(&b, "\nExit status: 0 when all was measured, whatever the figures; 1 when a run failed; 2 for a bad option.");
    return (char *)b.data;
}

static const struct argp argp = {
    .options = table,
    .parser = parser,
    .help_filter = help_filter,
    .doc = "Run the benchmarks, beside QEMU where it is installed: both by turns on the same guests, each in a process of its "
           "own. Rates "
           "are per second of user time of that process; ratios are trapline's figure over QEMU's.\v ",
};

/* The QEMU of architecture k and its version. One that was not asked for by name and cannot be run is none. */
static bool find_qemu(struct bench *b, unsigned k, const char *asked, struct err *e)
{
    struct buf out;
    const char *name = asked ? asked : bench_archs[k].qemu;
    const char *const argv[] = {name, "--version", NULL};
    if (!strcmp(name, "none"))
        return true;
    bool ok = child_output(argv, 10, &out, e);
    const char *at = ok ? strstr((const char *)out.data, "version ") : NULL;
    if (at) {
        b->qemu[k] = name;
        snprintf(b->qemu_version[k], sizeof b->qemu_version[k], "%.*s", (int)strcspn(at + 8, " \n"), at + 8);
    } else if (ok) {
        err_set(e, "%s --version does not tell a version", name);
    }
    buf_free(&out);
    if (at || !asked)
        return true;
    struct err why = *e;
    return err_set(e, "--qemu: %s", why.text);
}

static bool settle(struct bench *b, const struct parsed *p, struct err *e)
{
    const char *cache = getenv("TRAPLINE_CACHE"), *home = getenv("HOME");
    b->repeat = p->repeat ? (unsigned)p->repeat : b->quick ? 1 : 3;
    b->colour = cli_colour(STDOUT_FILENO);
    if (cache && *cache)
        snprintf(b->images, sizeof b->images, "%s/images", cache);
    else
        snprintf(b->images, sizeof b->images, "%s/.cache/trapline/images", home ? home : "");
    for (unsigned k = 0; k < BENCH_ARCHS; k++) {
        b->over[k][0] = b->over[k][1] = NAN;
        b->trace[k][0] = NAN;
        if (!find_qemu(b, k, p->qemu[k], e))
            return false;
    }
    return roms_folder(b->roms, sizeof b->roms, e);
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------- */

static bool measure(struct bench *b, const struct bench_row *row, struct bench_result *r)
{
    struct err e;
    *r = (struct bench_result){b->arch, NAN, NAN, NAN, NAN, NAN, NAN, NAN, "", false};
    bool ok = row->measure(b, row, r, &e);
    bench_progress(b, NULL, NULL, 0, 0);
    if (!ok) {
        cli_errorf("%s/%s: %s", b->arch->name, row->name, e.text);
        r->failed = true;
        snprintf(r->note, sizeof r->note, "failed");
    }
    return ok;
}

int verb_bench(int argc, char **argv)
{
    struct bench b = {0};
    struct bench_result result[BENCH_ARCHS * ARRAY_LEN(rows)];
    struct bench_row done[ARRAY_LEN(result)];
    struct parsed p = {.b = &b};
    struct err e;
    double load[2] = {NAN, NAN};
    size_t n = 0;
    int status = CLI_OK;
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &p);
    if (!settle(&b, &p, &e))
        return cli_error(&e);
    getloadavg(&load[0], 1);
    if (!b.json)
        bench_show_head(&b);
    for (size_t i = 0; i < ARRAY_LEN(result); i++) {
        const struct bench_row *row = &rows[i % ARRAY_LEN(rows)];
        b.id = (enum bench_arch_id)(i / ARRAY_LEN(rows));
        b.arch = &bench_archs[b.id];
        if (!(row->archs >> b.id & 1) || !bench_wanted(&b, b.arch->name, row))
            continue;
        done[n] = *row;
        if (!measure(&b, row, &result[n]))
            status = CLI_FAILED;
        if (!b.json)
            bench_show_row(&b, row, &result[n]);
        n++;
    }
    getloadavg(&load[1], 1);
    if (b.json)
        bench_show_json(&b, done, result, n, load);
    else
        bench_show_foot(&b, load);
    return status;
}
