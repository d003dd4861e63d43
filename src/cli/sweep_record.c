#include "cli/sweep_record.h"
#include "debug/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fired(void *ctx, struct machine *m, const char *words)
{
    (void)m;
    record_inject(ctx, words);
}

/* Runs the case, with the recorder beside it. */
static bool run_case(const struct sweep_recording *r, struct recorder *to, struct err *e)
{
    struct inject_list list = {.fired = fired, .fired_ctx = to};
    list.plan = calloc(r->events, sizeof *list.plan);
    if (!list.plan)
        abort(); /* out of host memory: nothing sensible can go on */
    for (list.count = 0; list.count < r->events; list.count++, list.left++) {
        struct inject_plan *p = &list.plan[list.count];
        p->event = *r->event[list.count];
        p->point = (struct inject_point){.at_cycle = true, .cycle = r->at[list.count], .nth = 1};
    }
    bool ok = inject_list_start(&list, r->m, e);
    enum machine_stop stop = MACHINE_CYCLES;
    while (ok && (stop == MACHINE_CYCLES || stop == MACHINE_DEBUG) && machine_cycle(r->m) < r->until && !list.failed) {
        stop = inject_run(&list, r->m, r->until - machine_cycle(r->m));
        record_tick(to);
    }
    if (ok && list.failed)
        ok = err_set(e, "%s", list.why.text);
    inject_list_free(&list);
    return ok;
}

static bool write_trace(const struct sweep_recording *r, const char *state, struct err *e)
{
    struct trace_setup setup = {0};
    struct err none;
    bool ok = trace_setup_of(&setup, r->config, state, UINT64_MAX, e);
    setup.traps = true;
    struct recorder *to = ok ? record_new(r->file, r->m, &setup, 0, e) : NULL;
    if (to) {
        machine_watch(r->m, record_trap, to);
        ok = run_case(r, to, e);
        machine_watch(r->m, NULL, NULL);
        ok = record_end(to, r->why, r->status, ok ? e : &none) && ok;
        if (!ok)
            unlink(r->file);
    }
    trace_setup_free(&setup);
    return to && ok;
}

bool sweep_record(const struct sweep_recording *r, struct err *e)
{
    char state[4096]; /* beside the trace, which takes it in */
    if (snprintf(state, sizeof state, "%s.XXXXXX", r->file) >= (int)sizeof state)
        return err_set(e, "%s: the name is too long", r->file);
    int fd = mkstemp(state);
    if (fd < 0)
        return err_set(e, "%s: cannot write it: %s", r->file, strerror(errno));
    close(fd);
    bool ok = machine_save(r->m, state, e) && write_trace(r, state, e);
    unlink(state);
    return ok;
}
