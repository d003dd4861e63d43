/*
 * Events in words, and when they happen: the grammar of --inject and --event.
 *
 *   EVENT@WHEN    EVENT  NAME[:NUMBER][,hart=N][,raise|,lower][,address=A][,by=N]       inject.def has the names
 *                 WHEN   SYMBOL[+OFFSET][#NTH], 0xADDRESS[#NTH]: when the hart is about to execute the instruction there
 *                        cycle:N: when the hart has reached that cycle
 *
 * Without raise or lower a line is high until the hart takes the interrupt. Numbers are decimal or 0x hexadecimal.
 */
#ifndef TL_DEBUG_INJECT_H
#define TL_DEBUG_INJECT_H
#include "machine/trapline.h"

struct cpu_arch;

#define INJECT_TEXT 96 /* bytes of an event's or point's text */

struct inject_event {
    bool sse; /* a call of sbi_sse_inject(number, injection.hart) by hart `by`, else `injection` itself */
    bool has_hart;
    uint32_t number;
    unsigned by;
    const struct cpu_arch *arch; /* where there is such an event; NULL: everywhere */
    struct machine_injection injection;
    char text[INJECT_TEXT]; /* as it was given */
};

struct inject_point {
    bool at_cycle;
    uint64_t cycle;             /* at_cycle */
    char symbol[INJECT_TEXT];   /* else: "" if an address was given */
    uint64_t va;                /* inject_resolve adds the symbol's value to it */
    uint64_t nth;               /* the how manieth time, from 1 */
    char text[2 * INJECT_TEXT]; /* as it was given */
};

/* Names and titles of the events: 0, 1, …; NULL past the last. */
const char *inject_name(unsigned i, const char **title, bool *number);

/* Read one. False with a sentence that quotes the text. hart: of an event that names none. */
bool inject_parse_event(const char *text, unsigned hart, struct inject_event *out, struct err *e);
bool inject_parse_point(const char *text, struct inject_point *out, struct err *e);
/* Finds the point's symbol in the machine's images. */
bool inject_resolve(struct inject_point *p, struct machine *m, struct err *e);
/* Whether the event can happen on this machine at all. */
bool inject_possible(const struct inject_event *ev, struct machine *m, struct err *e);
/* Whether the firmware, as it is now, has the SSE event: it is asked in a fork. False with a sentence that names its error; true also
   of other events, and when nobody can make the call now. */
bool inject_known(const struct inject_event *ev, struct machine *m, struct err *e);
/* Makes it happen, at the boundary where the machine is. False with a sentence: the machine refused, or an SSE call did not
   return success. */
bool inject_fire(const struct inject_event *ev, struct machine *m, struct err *e);

/* Whether this trap of machine m is the event being taken. */
bool inject_is(const struct inject_event *ev, const struct machine *m, const struct machine_change *trap);

/* ---- plans: what is to be injected into one run */

struct inject_plan {
    struct inject_event event;
    struct inject_point point;
    uint64_t seen;
    bool done;
};
struct inject_list {
    struct inject_plan *plan;
    unsigned count, left; /* left: not done yet */
    bool failed;
    struct err why;                              /* failed: an event was refused */
    /* An event has happened: it has changed the machine. NULL: nobody asks. */
    void (*fired)(void *ctx, struct machine *m, const char *words);
    void *fired_ctx;
};

/* Adds "EVENT@WHEN". */
bool inject_list_add(struct inject_list *l, const char *text, struct err *e);
/* Before the run: resolves the points and checks the events. */
bool inject_list_start(struct inject_list *l, struct machine *m, struct err *e);
/* machine_run with the injections on the way. MACHINE_DEBUG: the list has failed, or the stop is not its own. */
enum machine_stop inject_run(struct inject_list *l, struct machine *m, uint64_t cycles);
void inject_list_free(struct inject_list *l);
#endif
