/*
 * What the variants of this firmware do differently: one predicate a difference, each with what it models. The predicates are
 * constants, so the compiler leaves nothing of a difference in the other variants. Nothing else in the sources asks for a
 * variant.
 *
 *   maint   as the specification says ("SBI v3.0 SSE" is its chapter "Supervisor Software Events")
 *   head    OpenSBI's software events as they are in its HEAD (lib/sbi/sbi_sse.c, commit 4e79fd7d)
 *   p1      head with the first posted patch: hstatus and the previous V kept by the firmware, SPV cleared at injection
 *   priv    p1 with everything of sstatus kept by the firmware, too (what patches 1 and 2 are taken to amount to)
 *   status  maint with the STATUS attribute of OpenSBI before commit 6d5b2b9b
 */
#ifndef SBI_VARIANT_H
#define SBI_VARIANT_H

#if defined VARIANT_HEAD
#define VARIANT_NAME "head"
#elif defined VARIANT_P1
#define VARIANT_NAME "p1"
#elif defined VARIANT_PRIV
#define VARIANT_NAME "priv"
#elif defined VARIANT_STATUS
#define VARIANT_NAME "status"
#elif defined VARIANT_MAINT
#define VARIANT_NAME "maint"
#else
#error "no variant"
#endif

#if defined VARIANT_HEAD || defined VARIANT_P1 || defined VARIANT_PRIV
#define FROM_HEAD 1 /* what head does, and the patches leave as it is */
#else
#define FROM_HEAD 0
#endif
#if defined VARIANT_P1 || defined VARIANT_PRIV
#define PATCHED 1
#else
#define PATCHED 0
#endif

/* Injection sets hstatus.SPV when the interrupted V was 1, and does not clear it when that was 0: sbi_sse.c:sse_event_inject.
   The specification ("Software Event Injection") sets SPV to V. */
#define V_STICKY_SPV (FROM_HEAD && !PATCHED)

/* Injection clears hstatus.SPVP when SPV is 0 afterwards: sbi_sse.c:sse_event_inject. The specification leaves it. */
#define V_SPVP_CLEARED FROM_HEAD

/* Injection clears sstatus.SPELP and leaves MPELP, so the landing-pad state of what was interrupted meets the handler's first
   instruction and is lost: sbi_sse.c:sse_event_inject. The specification moves it to SPELP. */
#define V_LANDING_PAD_LOST FROM_HEAD

/* INTERRUPTED_FLAGS are taken when SPP, SPIE, SPV and SPVP have been rewritten for the handler. The specification takes them
   first. */
#define V_FLAGS_LATE PATCHED

/* Completion restores hstatus and V from what the firmware has kept; neither the handler's hstatus nor the attributes SPV and
   SPVP count. */
#define V_HSTATUS_PRIVATE PATCHED

/* Completion restores SPP, SPIE, SIE and the privilege from what the firmware has kept; neither the handler's sstatus nor the
   attributes count. */
#ifdef VARIANT_PRIV
#define V_SSTATUS_PRIVATE 1
#else
#define V_SSTATUS_PRIVATE 0
#endif

/* sbi_sse_inject of an event that is neither ENABLED nor RUNNING is SBI_ERR_INVALID_STATE: sbi_sse.c:sse_event_set_pending. The
   specification's table of that call ("Inject a software event") has no such code; SBI_ERR_FAILED is for other reasons. */
#define V_INJECT_INVALID_STATE FROM_HEAD

/* Delivery writes the complement of the PENDING bit into STATUS, so all of its reserved bits are set from then on. */
#ifdef VARIANT_STATUS
#define V_STATUS_JUNK 1
#else
#define V_STATUS_JUNK 0
#endif
#endif
