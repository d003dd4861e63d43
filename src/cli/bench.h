/* What a benchmark is, and what it gives: shared by bench.c (the rows and how they are measured) and bench_show.c (how they are
 * shown). A row is measured on each architecture it names. */
#ifndef TL_CLI_BENCH_H
#define TL_CLI_BENCH_H
#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench;
struct bench_result;

/* What an aim is about, and which way is good. */
enum bench_aim {
    AIM_NONE,
    AIM_RATIO_LEAST, /* trapline's rate over QEMU's is at least this */
    AIM_RATIO_MOST,  /* trapline's time over QEMU's is at most this */
    AIM_VALUE_MOST   /* trapline's figure is at most this, in the row's unit */
};

enum bench_arch_id { BENCH_RISCV, BENCH_ARM, BENCH_ARCHS };

/* What the guests of an architecture are run by. */
struct bench_arch {
    const char *name;                    /* "riscv" */
    const char *rom;                     /* what the names of its images end with */
    const char *board, *linux_board;     /* trapline's -machine: of the bundled guests, and of Linux */
    const char *cpu;                     /* its -cpu; NULL: none given */
    const char *qemu;                    /* the program that is taken if it is there */
    const char *qemu_board, *qemu_linux; /* QEMU's -machine, likewise */
    const char *qemu_cpu;                /* its -cpu */
    const char *qemu_bios;               /* its -bios for bundled guests; NULL: none given */
    const char *firmware, *kernel, *initrd,
        *append; /* of the boot of Linux; files below the folder of guest images; firmware NULL: none */
    uint64_t ram_base;
};

/* One row a benchmark. */
struct bench_row {
    unsigned archs; /* a bit for each enum bench_arch_id */
    const char *name;
    const char *unit;  /* what the figures count, for the table */
    const char *title; /* what is measured, for --help and JSON */
    enum bench_aim kind;
    double aim;
    const char *suffix;                                                                                   /* of the aim as text */
    bool (*measure)(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e); /* on b->arch */
    const char *group; /* --only takes it, too; NULL: none */
};

/* Figures are NAN where there is none. */
struct bench_result {
    const struct bench_arch *arch;
    double trapline, qemu;                                     /* in the row's unit */
    double ratio;                                              /* trapline / qemu */
    double trapline_user, trapline_wall, qemu_user, qemu_wall; /* seconds, the least of all repetitions */
    char note[200];                                            /* why there is no figure, or "" */
    bool failed;                                               /* the note tells of a failure */
};

struct bench {
    bool json, quick, colour;
    unsigned repeat;
    const char *only[64];
    unsigned onlys;
    const struct bench_arch *arch; /* that is measured now: */
    enum bench_arch_id id;         /* its number, an index of what follows */
    const char *qemu[BENCH_ARCHS]; /* the program; NULL: none */
    char qemu_version[BENCH_ARCHS][64];
    double over[BENCH_ARCHS]
               [2];    /* MiB that trapline and QEMU held beside the guest's pages when Linux was run; NAN: not run yet */
    double trace[BENCH_ARCHS][7]; /* user seconds of the runs of the group `trace`; NAN: not run yet */
    char roms[4096];   /* folder of the bundled images */
    char images[4096]; /* folder of the guest images of the boots */
};

extern const struct bench_arch bench_archs[BENCH_ARCHS];

/* Whether the aim is met: 1, 0, or -1 if that cannot be said (no QEMU, or a few rounds only). */
int bench_met(const struct bench *b, const struct bench_row *row, const struct bench_result *r);

/* The table: its head, a row, and what stands below. */
void bench_show_head(const struct bench *b);
void bench_show_row(const struct bench *b, const struct bench_row *row, const struct bench_result *r);
void bench_show_foot(const struct bench *b, const double load[2]);
/* All of it as JSON. */
void bench_show_json(const struct bench *b, const struct bench_row *rows, const struct bench_result *results, size_t n,
                     const double load[2]);
/* What is being done, on stderr if that is a terminal; NULL: nothing any more. */
void bench_progress(const struct bench *b, const char *name, const char *what, unsigned i, unsigned n);

/* True if the row was asked for on this architecture. */
bool bench_wanted(const struct bench *b, const char *arch, const struct bench_row *row);

/* What Linux prints when it starts the first process. */
#define BENCH_INIT_TEXT "Run /bin/sh as init process"
/* True if Linux can be run on b->arch; else the note says why not. */
bool bench_has_linux(const struct bench *b, struct bench_result *r);
/* The rows of the group `trace`, all of which are measured together. */
bool bench_measure_trace(struct bench *b, const struct bench_row *row, struct bench_result *r, struct err *e);
#endif
