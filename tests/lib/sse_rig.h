/*
 * A machine whose supervisor software is the test: a few instructions park a hart in S, and from outside registers are set and
 * calls are made as real ecalls of real firmware. The oracle watches.
 */
#ifndef TL_TEST_SSE_RIG_H
#define TL_TEST_SSE_RIG_H
#include "debug/riscv/sse.h"

#include <stdbool.h>
#include <stdint.h>

#define RIG_EID_SSE 0x535345u
#define RIG_HARTS   4

struct rig {
    struct machine *m;
    struct sse_oracle o;
    unsigned harts;
    uint64_t base;                                           /* of the parking place; offsets below */
    unsigned wait;                                           /* hart whose return below M ends rig_run */
    bool returned;                                           /* it did */
    bool (*hook)(void *ctx, const struct machine_change *c); /* every change, behind the oracle; NULL: none */
    void *hook_ctx;
    bool show;           /* print departures and calls */
    bool may_die, died;  /* may_die: a call that does not return is told and sets died; else it ends the program */
    uint64_t departures; /* found so far */
    uint64_t by_rule[SSE_RULES];
    struct sse_departure last;
};

enum {
    RIG_PARK = 0,     /* jumps to itself */
    RIG_ECALL = 16,   /* ecall, then jumps to itself */
    RIG_HANDLER = 64, /* entry of handlers: landing pad, jumps to itself; 16 bytes each */
    RIG_GUEST = 512,  /* jumps to itself: what is interrupted with V=1 or in U */
    RIG_BUFFER = 4096 /* a page for attributes */
};

/* Boots firmware `bios` ("none" is not one) and parks hart 0; NULL cpu: the default. False, with a reason printed, if the file is
   not there. */
bool rig_open(struct rig *r, const char *bios, const char *cpu, unsigned harts);
void rig_close(struct rig *r);
/* Starts hart h (HSM) by a call of the hart that was waited for last, and parks it. */
void rig_start(struct rig *r, unsigned h);
/* Hart h stops itself (HSM). False: an event's handler came first. */
bool rig_stop(struct rig *r, unsigned h);
uint64_t rig_get(struct rig *r, unsigned hart, const char *name);
void rig_set(struct rig *r, unsigned hart, const char *name, uint64_t v);
/* Puts the hart there, in S with V=0 and no landing pad expected. */
void rig_place(struct rig *r, unsigned hart, uint64_t pc);
/* Runs until hart h comes out of M, and stops there; false: it did not. */
bool rig_run(struct rig *r, unsigned h);
/* The hart, parked in S, makes a call and comes out of M again: behind the call, in a handler, or resumed. Returns a0 (signed).
 */
int64_t rig_call(struct rig *r, unsigned h, uint64_t eid, uint64_t fid, const uint64_t a[6]);
/* The same for SSE, with up to 5 arguments. */
int64_t rig_sse(struct rig *r, unsigned h, unsigned fid, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
/* Word i of the buffer, XLEN-wide. */
uint64_t rig_word(struct rig *r, unsigned i);
void rig_set_word(struct rig *r, unsigned i, uint64_t v);
#endif
