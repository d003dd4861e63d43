#include "cli/session.h"
#include "base/bits.h"
#include "cli/term.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Input enters at multiples of this many cycles, so it is part of what a run's result follows from. 1 ms of guest time at 1 GHz;
   while bytes wait for the guest to take them, a fiftieth of that. */
#define SLICE        UINT64_C(1000000)
#define SLICE_TYPING UINT64_C(20000)
#define IDLE_SHARE   20    /* a slice in which fewer than 1/20 of the cycles retired an instruction is idle */
#define IDLE_MIN     0.002 /* seconds: shorter waits are not worth a sleep */

double session_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds_of(int who)
{
    struct rusage r;
    getrusage(who, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

double session_processor(void) { return seconds_of(RUSAGE_SELF) + seconds_of(RUSAGE_CHILDREN); }

static void on_console(void *ctx, const char *device, const void *p, size_t n)
{
    struct session *s = ctx;
    (void)device; /* all consoles of the guest are one stream here */
    buf_put(&s->output, p, n);
    if (s->tap.console)
        s->tap.console(s->tap.ctx, p, n);
}

static void on_frame(void *ctx, const char *device, const void *p, size_t n)
{
    struct session *s = ctx;
    (void)device;
    if (s->net)
        net_send(s->net, p, n);
}

struct machine_host session_host(struct session *s)
{
    return (struct machine_host){.ctx = s, .console = on_console, .frame = on_frame};
}

bool session_frame_in(void *ctx, const void *p, size_t n)
{
    struct session *s = ctx;
    size_t took = machine_input(s->m, "net0", p, n);
    s->fed |= took > 0;
    if (took && s->tap.input)
        s->tap.input(s->tap.ctx, "net0", p, took);
    return took > 0;
}

static bool write_all(const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(STDOUT_FILENO, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* What the guest printed in the slice goes out and is looked at. */
static enum session_end hand_out(struct session *s)
{
    if (s->output.len && !s->quiet && !write_all(s->output.data, s->output.len)) {
        s->exit_code = errno;
        return SESSION_OUTPUT;
    }
    script_output(&s->script, s->output.data, s->output.len);
    s->output.len = 0;
    return SESSION_RUNNING;
}

static void offer_input(struct session *s)
{
    if (!s->input.len)
        return;
    size_t took = machine_input(s->m, "serial0", s->input.data, s->input.len);
    s->fed |= took > 0;
    if (took && s->tap.input)
        s->tap.input(s->tap.ctx, "serial0", s->input.data, took);
    memmove(s->input.data, s->input.data + took, s->input.len - took);
    s->input.len -= took;
}

static enum session_end advance(struct session *s)
{
    if (!script_advance(&s->script, &s->input))
        return SESSION_RUNNING;
    return script_waiting(&s->script)->kind == SCRIPT_END ? SESSION_SCRIPT : SESSION_TEXT;
}

static enum session_end take_in(struct session *s)
{
    uint8_t keys[256];
    enum term_key key = TERM_NONE;
    enum session_end end = advance(s);
    if (end != SESSION_RUNNING)
        return end;
    /* A pipe is read no faster than the guest takes it; keys are always read, for the escape. */
    if (!s->input_eof && (term_is_tty() || !s->input.len)) {
        size_t n = term_read(keys, sizeof keys, &s->input_eof, &key);
        buf_put(&s->input, keys, n);
    }
    if (key == TERM_LEAVE)
        return SESSION_LEAVE;
    if (s->net)
        net_poll(s->net);
    offer_input(s);
    return SESSION_RUNNING;
}

/* More of a pipe is no help while the guest does not take what there is; a terminal still has the keys that leave. */
static bool can_wake(const struct session *s) { return s->net || (!s->input_eof && (term_is_tty() || !s->input.len)); }

static void wait_outside(struct session *s, int ms)
{
    if (s->net)
        net_wait(s->net, ms < 0 ? 1000 : ms, !s->input_eof);
    else if (!s->input_eof)
        term_wait(ms);
}

/* In front of a person or a network, guest time does not run ahead of real time while the guest waits. Nothing sleeps otherwise.
 */
static void pace(struct session *s, bool idle)
{
    if (!s->net && (!term_is_tty() || s->input_eof))
        return;
    uint64_t cycle = machine_cycle(s->m);
    double now = session_clock();
    if (!idle || s->idle_since < 0) {
        s->idle_since = idle ? now : -1;
        s->idle_cycle = cycle;
        return;
    }
    double ahead = (double)(cycle - s->idle_cycle) / (double)s->clock_hz - (now - s->idle_since);
    if (ahead >= IDLE_MIN)
        wait_outside(s, (int)(ahead * 1000));
}

static enum session_end after(struct session *s, enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_EXIT: s->exit_code = machine_exit_code(s->m); return SESSION_GUEST;
    case MACHINE_HALT: return SESSION_HALT;
    case MACHINE_IDLE:
        if (s->fed)
            return SESSION_RUNNING;
        if (!can_wake(s))
            return SESSION_STUCK;
        wait_outside(s, s->timeout > 0 ? 100 : -1);
        return SESSION_RUNNING;
    default: return SESSION_RUNNING;
    }
}

/* A guest without a trap handler takes exceptions for ever, as the first mistake of many does: somebody who waits for its output
   is told, once. It may still be rescued from outside, so the run goes on. */
static void tell_stuck(struct session *s, uint64_t cycles)
{
    uint64_t pc = 0;
    unsigned hart = 0;
    while (hart < machine_harts(s->m) && machine_waits(s->m, hart))
        hart++;
    if (s->told_stuck || hart == machine_harts(s->m))
        return;
    s->told_stuck = true;
    machine_get_reg(s->m, hart, "pc", &pc);
    fprintf(stderr,
            "trapline: hart %u has done nothing but take exceptions for %" PRIu64 " cycles, at 0x%" PRIx64 " in %s: is there "
            "a trap handler? --trace traps shows them, --explain tells why\n",
            hart, cycles, pc, machine_mode(s->m, hart));
}

static enum session_end slice(struct session *s)
{
    uint64_t cycle = machine_cycle(s->m), retired = machine_instret(s->m);
    if (cycle >= s->max_cycles)
        return SESSION_CYCLES;
    uint64_t length = s->input.len ? SLICE_TYPING : SLICE;
    uint64_t n = length - cycle % length;
    why_sync(&s->watch.why, s->m); /* what was typed is in */
    enum machine_stop stop = inject_run(&s->inject, s->m, n < s->max_cycles - cycle ? n : s->max_cycles - cycle);
    enum session_end end = hand_out(s);
    if (end != SESSION_RUNNING)
        return end;
    if (stop == MACHINE_CYCLES && machine_instret(s->m) == retired && n == length)
        tell_stuck(s, n);
    if (s->tap.tick)
        s->tap.tick(s->tap.ctx);
    s->fed = false;
    end = take_in(s);
    /* What the guest said last may be what the script ends on; a guest that ended by itself has the last word otherwise. */
    if (end != SESSION_RUNNING)
        return end;
    if (s->watch.stop)
        return SESSION_MONITOR;
    if (s->inject.failed)
        return SESSION_INJECT;
    end = after(s, stop);
    if (end != SESSION_RUNNING)
        return end;
    if (term_signal()) {
        s->exit_code = term_signal();
        return SESSION_SIGNAL;
    }
    if (s->timeout > 0 && session_clock() - s->started >= s->timeout)
        return SESSION_TIMEOUT;
    pace(s, (machine_instret(s->m) - retired) * IDLE_SHARE < machine_cycle(s->m) - cycle);
    return SESSION_RUNNING;
}

enum session_end session_run(struct session *s)
{
    /* What a script types first is there from the start, so that a script can go on where the run that saved a state ended. */
    enum session_end end = advance(s);
    s->started = session_clock();
    s->idle_since = -1;
    offer_input(s);
    while (end == SESSION_RUNNING)
        end = slice(s);
    return end;
}

void session_free(struct session *s)
{
    script_free(&s->script);
    watch_free(&s->watch);
    inject_list_free(&s->inject);
    buf_free(&s->input);
    buf_free(&s->output);
}
