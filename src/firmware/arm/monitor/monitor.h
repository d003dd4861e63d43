/* Inside the monitor. */
#ifndef FIRMWARE_ARM_MONITOR_H
#define FIRMWARE_ARM_MONITOR_H
#include "arm/common/a64.h"

#define PES 8

/* What an exception from a lower level saves, in the order that start.S knows. */
struct frame {
    ulong x[31], elr, spsr, scr;
};

/* Where PE n of cluster 0 is. */
static inline uint this_pe(void) { return READ(mpidr_el1) & 0xff; }

/* start.S: leaves EL3 with a frame's registers; starts over as a PE that is off, with nothing on its stack. */
_Noreturn void leave(const struct frame *f);
_Noreturn void off_again(void);
void service_entry(void);

/* psci.c: answers a call. False: it is none of PSCI's. */
int psci_call(struct frame *f);
/* Marks this PE as on; PE 0 does so by itself. */
void psci_on(void);
/* Waits until another PE turns this one on, and goes there. */
_Noreturn void psci_wait(void);

/* world.c: the frame to begin the Non-secure state with, in its highest level at `entry` with x0 = arg. */
void world_begin(struct frame *f, ulong entry, ulong arg);
/* Changes the state of the world: f, of the one that called, becomes that of the other one. */
void world_change(struct frame *f);
#endif
