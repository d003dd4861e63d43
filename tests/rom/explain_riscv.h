/*
 * A RISC-V machine put into any state by hand, and an event at its next boundary: what the tests of explanations are made of.
 *
 * Code lies at 0x80001000, mapped 1:1 for S and at 0xc0001000 for U. Page k of 0x40000000 is mapped by entry k of one last-level
 * table for each of satp, vsatp and hgatp; every entry has something of its own (enum entry). Pages PAGE_G + k of vsatp are good
 * in the first stage and go by entry k of the G stage.
 */
#ifndef TL_TESTS_ROM_EXPLAIN_RISCV_H
#define TL_TESTS_ROM_EXPLAIN_RISCV_H
#include "machine/trapline.h"

enum { MODE_U, MODE_S, MODE_M, MODE_VU, MODE_VS, MODES };
extern const char *const mode_names[MODES];

/* Entries of the last-level tables. + PAGE_OTHER: the same with U the other way round. */
enum entry {
    PAGE_INVALID,
    PAGE_RW,
    PAGE_R,
    PAGE_W, /* reserved, or a shadow stack */
    PAGE_X,
    PAGE_NO_A,
    PAGE_NO_D,
    PAGE_POINTER,
    PAGE_RESERVED,
    PAGE_PBMT,
    PAGE_N_BAD,
    PAGE_N_GOOD,
    PAGE_HOLE,   /* physical memory that is not there */
    PAGE_DEVICE, /* the serial port */
    PAGE_PMP,    /* a page that PMP keeps from S and U */
    PAGE_RWX,
    PAGES,
    PAGE_OTHER = 32,
    PAGE_G = 64
};

/* The machine; every state begins as a fork of it. */
struct machine *rv_world(const char *cpu);
/* Its state becomes: this mode, at the code, a0 = address, the instruction(s) at pc, everything enabled that can be, nothing
   delegated or pending. */
void rv_place(struct machine *m, unsigned mode, const uint32_t *insn, unsigned n);
/* Turns translation on: satp, vsatp and hgatp, as far as the mode has them. */
void rv_paging(struct machine *m, unsigned mode);
/* The address of page k for loads and stores of the mode, so that U fits. */
uint64_t rv_page(unsigned mode, unsigned k);
void rv_set(struct machine *m, const char *name, uint64_t v);
uint64_t rv_get(struct machine *m, const char *name);

/* An exception or interrupt to be brought about. */
struct rv_event {
    const char *name;
    int cause;      /* + RV_IRQ: an interrupt */
    unsigned modes; /* bit set of modes it can happen in */
    void (*make)(struct machine *m, unsigned mode);
};
#define RV_IRQ 64
extern const struct rv_event rv_events[];
extern const unsigned rv_event_count;
/* Brings event e about in mode; after it the next boundary of hart 0 has it (a bus error: rv_explain does it). */
struct explanation *rv_explain(struct machine *m, const struct rv_event *e, unsigned mode);
#endif
