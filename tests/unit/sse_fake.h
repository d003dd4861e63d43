/*
 * Firmware played by the test: it sets registers as an exact SBI v3.0 implementation of the SSE extension would leave them, and
 * tells the oracle of the traps and returns that were. No instruction is executed. `bug` makes it break one rule.
 */
#ifndef TL_TEST_SSE_FAKE_H
#define TL_TEST_SSE_FAKE_H
#include "debug/riscv/sse.h"

#include <stdbool.h>
#include <stdint.h>

#define SOFT     0xffff0000u /* local software */
#define PLATFORM 0x00004000u /* a platform's local event */
#define GLOBAL   0xffff8000u /* global software */
#define RAS      0x00000000u /* standard, and not there */

enum fake_bug {
    NO_BUG,
    BUG_ENTRY_SPV,  /* HEAD: SPV is set for V=1 and never cleared */
    BUG_ENTRY_SPVP, /* SPVP is cleared for V=0 */
    BUG_ENTRY_SPP,
    BUG_ENTRY_SPIE,
    BUG_ENTRY_SIE,
    BUG_ENTRY_SPELP,
    BUG_ENTRY_SDT,
    BUG_ENTRY_ELP,
    BUG_ENTRY_SEPC,
    BUG_ENTRY_A6,
    BUG_ENTRY_A7,
    BUG_ENTRY_GPR,
    BUG_ENTRY_F,
    BUG_ENTRY_STVAL,
    BUG_ENTRY_FS,
    BUG_FLAGS_LATE, /* P1: the flags are taken after sstatus and hstatus were changed */
    BUG_SAVED_SEPC, /* INTERRUPTED_SEPC is the interrupted pc */
    BUG_SAVED_A6,
    BUG_SAVED_A7,
    BUG_FLAGS_HIGH, /* bits above 5 are set */
    BUG_RESUME_SPP, /* completion loses the SPP that was saved */
    BUG_RESUME_GPR,
    BUG_RESUME_V,
    BUG_RESUME_SEPC,
    BUG_RESUME_A7,
    BUG_RESUME_PRIVATE, /* PRIV: completion takes its own copy, not what the handler wrote */
    BUG_RESUME_ELP,
    BUG_STATUS_HIGH, /* ~bit 2: all bits above are set */
    BUG_STATUS_STATE,
    BUG_STATUS_PENDING,
    BUG_REFUSE, /* a right call is refused */
    BUG_WRONG_CODE,
    BUG_ACCEPT, /* a wrong call is accepted */
    BUG_ACCEPT_FLAGS,
    BUG_UNLISTED, /* INVALID_STATE from sse_inject */
    BUG_MASK_CODE,
    BUG_COMPLETE_CODE,
    BUG_UNKNOWN_FID,
    BUG_LOSE_WRITE, /* a write succeeds and writes nothing */
    BUG_RESET_VALUE,
    BUG_CALL_GPR, /* a call loses s3 */
    BUG_CALL_SEPC,
    BUG_CALL_PC,
    BUG_IGNORE_MASK,
    BUG_DELIVER_REGISTERED,
    BUG_DELIVER_TWICE,
    BUG_PRIORITY_PENDING, /* the less urgent of two pending events goes first */
    BUG_PRIORITY_RUNNING, /* a less urgent event preempts */
    BUG_NOT_DELIVERED,
    BUG_ONESHOT, /* a one-shot event stays ENABLED */
    BUG_INTERRUPT_GPR,
    BUG_INTERRUPT_CSR,
    BUGS
};

struct fake_event {
    uint32_t id;
    unsigned state, pending, runs_on;
    uint64_t attr[SSE_ATTRS];
    bool global;
};

struct fake_hart {
    bool masked;
    struct fake_event event[3]; /* local: SOFT, PLATFORM; [2] is not used */
    uint64_t a[8];              /* of the call that is made */
};

struct fake {
    struct machine *m;
    struct sse_oracle o;
    unsigned harts;
    enum fake_bug bug;
    bool spent; /* the bug has shown */
    struct fake_hart hart[2];
    struct fake_event global;
    struct rv_features f;
    uint64_t private_copy[4]; /* of BUG_RESUME_PRIVATE: pc, sstatus, hstatus, sepc */
    uint64_t buffer;
    unsigned found[SSE_RULES];
    const char *what; /* of the last departure */
    char text[640];
};

/* pads: menvcfg.LPE and, with Ssdbltrp, DTE are set. */
void fake_open(struct fake *k, const char *cpu, unsigned harts, bool pads, enum fake_bug bug);
void fake_close(struct fake *k);
uint64_t fake_get(struct fake *k, unsigned hart, const char *name);
void fake_set(struct fake *k, unsigned hart, const char *name, uint64_t v);
/* Expects a landing pad from now on, or not. */
void fake_set_elp(struct fake *k, unsigned hart, bool on);
/* Makes the call on the hart, which is in S, from where its pc is; comes out of M somewhere. Returns a0, signed. */
int64_t fake_call(struct fake *k, unsigned hart, uint64_t fid, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
/* A call of another extension. */
int64_t fake_other(struct fake *k, unsigned hart, uint64_t eid, uint64_t fid);
/* An interrupt of M; makes `signal` (an event of the hart, 0: none) pending on the way. */
void fake_interrupt(struct fake *k, unsigned hart, uint32_t signal);
/* An exception that M takes and hands on: to HS (redirect), or it emulates the instruction into register rd. */
void fake_redirect(struct fake *k, unsigned hart, uint64_t cause, uint32_t signal);
void fake_emulate(struct fake *k, unsigned hart, const char *rd, uint32_t signal);
/* Puts the hart back to where a trap of its own would: nested trap and sret of the handler (HS to HS). */
void fake_nested(struct fake *k, unsigned hart);
/* hart_stop; another hart starts it again, with its events as after a reset. */
void fake_stop_and_start(struct fake *k, unsigned hart);
/* The whole machine begins anew. */
void fake_reset(struct fake *k);
#endif
