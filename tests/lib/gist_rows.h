/*
 * Every row of both architectures' instructions, with operands at random: who follows the gist (cpu/gist.h) has afterwards the
 * registers, the pc and the memory the machine has. So the rules by which it follows (debug/gistrules.h) are those of the rows,
 * and what a row does that no rule tells is told.
 */
#ifndef TL_TESTS_GIST_ROWS_H
#define TL_TESTS_GIST_ROWS_H
#include "cpu/arch.h"
#include "debug/gistread.h"
#include "machine/trapline.h"

#define GIST_TRIALS 12 /* of each row */

struct gist_world {
    struct machine *m;
    struct cpu *c;
    const struct insn_layout *l;
    uint64_t ram, seed;
    void *clean; /* the state every trial begins with */
    struct gist_reader *reader;
    struct insn_record *record;
    struct buf bytes;
};

/* ram: where RAM begins. */
void gist_open(struct gist_world *w, const struct machine_config *config, uint64_t ram);
/* Trials begin with a register as it is set here. */
void gist_set(struct gist_world *w, const char *name, uint64_t value);
/* One instruction of a row: its pattern with the other bits at random. */
void gist_trial(struct gist_world *w, const char *name, const char *pattern);
void gist_close(struct gist_world *w);
#endif
