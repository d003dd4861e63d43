/*
 * Stepping a machine by commands: to the next trap, mode change, call, write of a register, address, cycle or console text,
 * forwards and backwards; what changed; disassembly. The commands that GDB's `monitor` has, too, are in command.h: a line that is
 * none of the stepper's own goes there.
 */
#ifndef TL_DEBUG_STEPPER_H
#define TL_DEBUG_STEPPER_H
#include "debug/debugger.h"
#include "debug/disas.h"

struct stepper {
    struct debugger d;
    struct disas *disas;
    struct buf answer;  /* of the last command */
    struct buf last;    /* of the one before it that was no `expect` */
    struct buf console; /* what the guest has printed since it was last shown */
    struct buf seen;    /* its last bytes, for `until text` */
    char *text;         /* what is waited for on the console; NULL: nothing */
    bool text_seen;
    bool leave;                     /* `quit` */
    bool in_gdb;                    /* the commands that are alone the stepper's are not there, and GDB is to look again */
    bool ended;                     /* the guest has ended the run */
    bool (*interrupted)(void *ctx); /* asked now and then while the machine runs: whether to stop; may be NULL */
    /* Told how much of the way to the beginning a search backwards has covered, in thousandths; 1000: it is over. May be NULL. */
    void (*progress)(void *ctx, unsigned back);
    void *ctx;
    struct history_point left;         /* in_gdb: where the machine was before it moved last */
    struct stepper_seen *was, *before; /* registers as they were at this stop, and at the one before */
    struct buf script;                 /* the commands that were given, for `save` */
    char *recipe;                      /* the command line that makes this machine, for `save` */
    unsigned stop_break;               /* number of the next breakpoint */
};

/* m: at the beginning of what can be gone back to. recipe: the shell command whose machine it is; both stay the caller's. */
void stepper_open(struct stepper *s, struct machine *m, const char *recipe);
void stepper_close(struct stepper *s);
/* The guest's console goes here: machine_host.console, ctx the stepper. */
void stepper_console(void *ctx, const char *device, const void *p, size_t n);
/* Runs a line. s->answer has what it says. False: there is no such command, or it could not do it. */
bool stepper_run(struct stepper *s, const char *line);
/* Where the machine is, in a line or two, into s->answer. */
void stepper_where(struct stepper *s);

/* The stepper's own commands, as those of command.h. */
struct stepper_command {
    const char *name, *args, *help;
    bool (*run)(struct stepper *s, const char *args);
    bool moves; /* the machine goes somewhere */
    bool alone; /* GDB has its own, or has no use for it */
};
const struct stepper_command *stepper_command_at(unsigned i);
#endif
