/*
 * The driver of the differential tests: makes batches of random cases, runs them on trapline and on the other emulator, compares,
 * and looks for the round and the instruction that make a difference. What a case is, the architecture says (diff.h, a64_diff.h).
 */
#ifndef TL_TESTS_DIFF_DRIVER_H
#define TL_TESTS_DIFF_DRIVER_H
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct driver_arch {
    const char *label; /* before "case …": "rv32 ", or "" */
    const char *again; /* the command that runs a case again, up to its seed */
    const void *isa;   /* passed to all that follow */
    size_t ram;        /* bytes of the other emulator's RAM, */
    size_t base;       /* of them before the image, */
    size_t image;      /* and in it */
    /* Random addresses reach the memory of other cases of the batch, with what those left open and recorded of masked registers:
       a difference that takes other cases is told, but is none. */
    bool shared;
    unsigned cases, rounds;
    size_t case_size;
    size_t arena_size, round_size;
    size_t code, code_size; /* code of case i: at arena_of(i) + code */
    uint64_t (*arena_of)(unsigned index);
    uint64_t (*round_of)(unsigned index, unsigned round); /* offset of a round; its first byte set: it is not to be run */
    void (*harness)(const void *isa, uint8_t *image, unsigned first, unsigned n); /* for the cases first..n-1 */
    void (*begin)(const void *isa, uint64_t seed, unsigned index, uint8_t *image, void *c);
    void (*make_round)(void *c, unsigned round, unsigned keep);
    unsigned (*instructions)(const void *c);
    /* Spoils the instructions of row `name` among the first `keep` of the round that was made last. */
    void (*spoil)(const void *isa, const void *c, unsigned keep, const char *name, uint8_t *image, unsigned index);
    /* Runs an image, in place. Rounds that do not end are marked or cut in `before`, the image as it was, too. */
    bool (*run_trapline)(const void *isa, uint8_t *image, uint8_t *before, unsigned first, unsigned n, uint64_t *retired,
                         struct err *e);
    void (*cut_alike)(uint8_t *image, const uint8_t *before, unsigned first, unsigned n);
    /* Runs an image that is a part of the mapped file. False: case *stuck (below n) does not come back, or it does not run. */
    bool (*run_other)(const void *isa, const char *file, const uint8_t *image, unsigned n, unsigned *stuck, struct err *e);
    bool (*same)(const void *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out);
    /* What the specification leaves open has happened: the case may differ. */
    bool (*open)(const uint8_t *before, const uint8_t *mine, unsigned index);
    /* A case first..n-1 has written to the harness or to what rounds begin with: nothing of the batch counts, if that is so of
       both images. NULL: none does. */
    bool (*overwritten)(const uint8_t *before, const uint8_t *image, unsigned first, unsigned n);
    /* The other emulator hangs in the case: what it recorded until then says that it may. NULL: it may not. */
    bool (*may_hang)(const void *isa, const uint8_t *mine, const uint8_t *other, unsigned index);
    unsigned (*records)(const uint8_t *image, unsigned index, unsigned round);
    void (*print_block)(const void *isa, const void *c, unsigned upto);
    void (*dump)(const void *isa, const uint8_t *before, const uint8_t *mine, const uint8_t *other, unsigned index,
                 unsigned round, FILE *out); /* NULL: nothing to tell */
    /* Before the first batch, with the other emulator's file and the image in it. NULL: nothing to do. */
    bool (*first)(const struct driver_arch *a, const char *file, uint8_t *image, struct err *e);
    void (*ran)(const void *isa, uint8_t *before, const uint8_t *mine, unsigned n); /* after a batch; NULL */
};

struct driver_options {
    uint64_t seed, count; /* random instructions to run */
    uint64_t case_seed;   /* of the case, or of its batch */
    unsigned case_first, case_index, reports;
    unsigned xlen; /* RISC-V: 32, 64, 0 both */
    bool one;      /* case case_index alone, */
    bool batch;    /* or behind the cases of its batch from case_first on */
    bool brief;    /* prints the differences and looks for no instruction */
    bool coverage; /* prints what was covered, and fails where something was not */
};

/* False: wrong options, usage was printed. */
bool driver_parse(struct driver_options *o, int argc, char **argv, const char *usage);
/* Starts the other emulator: argv[0] with these arguments; it ends when this process does. */
pid_t driver_start(char **argv);
/* Where the harness counts down the rounds that are left. */
struct driver_left {
    const void *at;     /* 8 bytes of the image that runs */
    unsigned rounds, n; /* of a case; cases */
};
/* Waits for the other emulator's end. False: it failed, or does no round for a second of its processor time, or for six seconds
   that pass; *stuck is the case. */
bool driver_wait(pid_t pid, const char *program, const struct driver_left *left, unsigned *stuck, struct err *e);
/* Runs what the options say and prints the outcome. False: something differs or does not run. */
bool driver_run(const struct driver_arch *arch, const struct driver_options *o, uint64_t seed, uint64_t count);
#endif
