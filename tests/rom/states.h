/*
 * A second implementation of the state sweep of `trapline check` (debug/check_states.c), for the tests: it has nothing in common
 * with the first but the table of counts. An SSE event is injected into a hart in every state that the inject and complete rules
 * read, {V, P, SPP, SPIE, SIE, SPV, SPVP} and, where the cpu has them on, {SPELP, SDT}; real firmware and a real handler run, and
 * three questions are asked of each case.
 *
 *   E (entry)        is what the handler sees, registers and attributes, what "Software interrupt injection" of the SBI
 *                    specification (v3.0, chapter SSE) says for the interrupted context?
 *   C (completion)   is what goes on afterwards what its "Completion" says for what this handler left, had the handler been
 *                    entered as the specification says?
 *   T (transparency) is it what was interrupted?
 *
 * The questions are asked of the state the rules are about: pc, mode, sstatus.{SIE,SPIE,SPP,SPELP,SDT}, hstatus.{SPV,SPVP}, sepc,
 * a6, a7. A fourth, A, asks T of every register of struct context.
 */
#ifndef TL_TESTS_ROM_STATES_H
#define TL_TESTS_ROM_STATES_H
#include "machine/trapline.h"

#define STATES_MAX 512

enum states_question { STATES_E = 1, STATES_C = 2, STATES_T = 4, STATES_A = 8 };

/* One state to interrupt, all members 0 or 1. p: 1 S, 0 U. */
struct states_state {
    uint8_t v, p, spp, spie, sie, spv, spvp, spelp, sdt;
};

/* A handler of the payload and what it is told. */
struct states_handler {
    const char *name;
    unsigned select;   /* number in the payload's handler_select */
    unsigned variants; /* 1, or how many values arg[0] takes: 0 .. variants - 1 */
};
/*
 * What the exhaustive model of the rules counts for the 128 states: by firmware variant and handler, the cases that fail T, C, E
 * (debug/check.def). T of a handler that means to change something counts nothing: ANY.
 */
struct states_counts {
    const char *firmware;
    unsigned handler, transparent, complete, entry;
};
#define STATES_ANY (~0u)
/* Row number i, or NULL past the last. */
const struct states_counts *states_counts(unsigned i);

/* The handlers of the model, in the order of its table: number i, or NULL past the last. */
const struct states_handler *states_handler(unsigned i);

struct states_result {
    unsigned states;                                   /* how many, in the order of states_state_at */
    unsigned cases, entry, complete, transparent, all; /* cases; and those of them that fail E, C, T, A */
    uint8_t failed[STATES_MAX];                        /* questions that failed for some variant, by state */
    char first[4][160];                                /* the first failing case of E, C, T, A in words; "": none */
};

struct states;
/* Boots the payload (mode=probe) on the firmware up to its symbol probe_ready. c: images, cpu and append text are given; event:
   the SSE event the payload registers; source: what makes it pending. NULL with a sentence if the images are not such a pair. */
struct states *states_open(const struct machine_config *c, unsigned event, const struct machine_injection *source, struct err *e);
void states_free(struct states *s);
/* State number i. False past the last. */
bool states_state_at(const struct states *s, unsigned i, struct states_state *out);
/* All states with one handler. False with a sentence if a case did not come to its end (which the firmware is to blame for). */
bool states_run(struct states *s, const struct states_handler *h, struct states_result *out, struct err *e);
#endif
