/*
 * An event through all its states by real calls, and what the calls, the attributes and STATUS must say on the way (SBI v3.0 SSE,
 * "Software Event Attributes" and the tables of errors).
 */
#include "base/bits.h"
#include "debug/check_internal.h"
#include "debug/check_parts.h"
#include "debug/check_story.h"
#include "debug/riscv/sbi.h"

#include <inttypes.h>
#include <string.h>

enum { HART = 0, EID = 0x535345 };
enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { STATUS, PRIORITY, CONFIG, PREFERRED_HART, ENTRY_PC, ENTRY_ARG, SEPC, FLAGS, A6, A7, ATTRS };
enum { UNUSED, REGISTERED, ENABLED, RUNNING, PENDING = 4, INJECTABLE = 8 };
enum { UNKNOWN_EVENT = 0x1234 };

struct attrs {
    struct check_probe p;
    unsigned quirks;
    struct check_verdict *v;
    FILE *to; /* NULL: no story */
    bool injectable;
};

/* One finding: `got` must be `want`, but for a firmware with one of the quirks. */
static void step(struct attrs *a, unsigned rule, unsigned quirks, const char *what, int64_t got, int64_t want)
{
    struct check_verdict *v = a->v;
    bool differs = got != want, known = (a->quirks & quirks) != 0;
    v->cases++;
    v->departs[rule] += differs;
    v->expected[rule] += known;
    if (a->to)
        fprintf(a->to, "  %-64s %" PRId64 "%s\n", what, got, !differs ? "" : known ? "   departs, as is known" : "   departs");
    if (differs && a->to)
        fprintf(a->to, "    must be %" PRId64 "\n", want);
    if (differs && v->first_case.first < 0) {
        v->first_case.first = (int64_t)v->cases - 1;
        snprintf(v->first, sizeof v->first, "%.120s: %" PRId64 ", must be %" PRId64, what, got, want);
    }
    if (differs != known && v->as_expected) {
        v->as_expected = false;
        snprintf(v->why, sizeof v->why, "%.120s: %" PRId64 ", %s %" PRId64, what, got,
                 differs ? "must be" : "known to differ from", want);
    }
}

static int64_t call(struct attrs *a, unsigned fid, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    const uint64_t args[5] = {a0, a1, a2, a3, a4};
    return probe_sbi(&a->p, EID, fid, args);
}

/* Calls with the event itself; names of errors come from the tables. */
static void expect(struct attrs *a, unsigned quirks, const char *what, int64_t want, unsigned fid, uint64_t a1, uint64_t a2)
{
    step(a, RULE_A4, quirks, what, call(a, fid, a->p.event, a1, a2, 0, 0), want);
}

static int64_t read_attr(struct attrs *a, unsigned attr, uint64_t *value)
{
    int64_t error = call(a, READ, a->p.event, attr, 1, a->p.buffer, 0);
    probe_buffer_read(&a->p, value, 1);
    return error;
}

static int64_t write_attr(struct attrs *a, unsigned attr, uint64_t value)
{
    probe_buffer_write(&a->p, &value, 1);
    return call(a, WRITE, a->p.event, attr, 1, a->p.buffer, 0);
}

/* STATUS: the state, PENDING, the same INJECT bit all the time, zeros above. */
static void status(struct attrs *a, const char *what, uint64_t state)
{
    char text[96];
    uint64_t value = 0;
    int64_t error = read_attr(a, STATUS, &value);
    snprintf(text, sizeof text, "STATUS.state and PENDING, %s", what);
    step(a, RULE_A5, 0, text, error ? error : (int64_t)(value & 7), (int64_t)state);
    snprintf(text, sizeof text, "STATUS bit 3 does not change, %s", what);
    step(a, RULE_A5, 0, text, (value & INJECTABLE) != 0, a->injectable);
    /* The wrong value is written when an event is injected, and stays. */
    snprintf(text, sizeof text, "STATUS bits XLEN-1:4, %s", what);
    step(a, RULE_A5, a->p.phase == PHASE_BEFORE ? 0 : QUIRK_STATUS, text, (value >> 4) != 0, 0);
}

/* ---- the stages
 * ------------------------------------------------------------------------------------------------------------------ */

static void arguments(struct attrs *a)
{
    uint64_t event = a->p.event, at = a->p.buffer;
    for (unsigned fid = READ; fid <= WRITE; fid++) {
        const char *name = fid == READ ? "READ_ATTR" : "WRITE_ATTR";
        const struct {
            const char *what;
            int64_t want;
            uint64_t event, base, count, lo, hi;
        } bad[] = {
            {"of no attribute", SBI_INVALID_PARAM, event, SEPC, 0, at, 0},
            {"past the last attribute", SBI_BAD_RANGE, event, A7, 2, at, 0},
            {"from behind the last attribute", SBI_BAD_RANGE, event, ATTRS, 1, at, 0},
            {"with misaligned memory", SBI_INVALID_ADDRESS, event, SEPC, 1, at + a->p.xlen / 16, 0},
            {"with memory that is not there", SBI_INVALID_ADDRESS, event, SEPC, 1, at, 1},
            {"of an event that is not there", SBI_INVALID_PARAM, UNKNOWN_EVENT, PRIORITY, 1, at, 0},
        };
        for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
            char text[96];
            snprintf(text, sizeof text, "%s %s", name, bad[i].what);
            step(a, RULE_A4, 0, text, call(a, fid, bad[i].event, bad[i].base, bad[i].count, bad[i].lo, bad[i].hi), bad[i].want);
        }
    }
    step(a, RULE_A4, 0, "REGISTER of an event that is not there", call(a, REGISTER, UNKNOWN_EVENT, a->p.entry_pc, 0, 0, 0),
         SBI_INVALID_PARAM);
}

static void read_only(struct attrs *a, const char *when)
{
    static const struct {
        unsigned attr;
        const char *name;
    } attrs[] = {{STATUS, "STATUS"}, {ENTRY_PC, "ENTRY_PC"}, {ENTRY_ARG, "ENTRY_ARG"}};
    for (unsigned i = 0; i < ARRAY_LEN(attrs); i++) {
        char text[96];
        snprintf(text, sizeof text, "WRITE_ATTR of %s, %s", attrs[i].name, when);
        step(a, RULE_A4, QUIRK_READ_ONLY, text, write_attr(a, attrs[i].attr, 0), SBI_DENIED);
    }
}

static void while_enabled(struct attrs *a)
{
    status(a, "enabled", ENABLED);
    for (unsigned attr = SEPC; attr <= A7; attr++)
        step(a, RULE_A4, 0, "WRITE_ATTR of INTERRUPTED_*, enabled", write_attr(a, attr, 0), SBI_INVALID_STATE);
    step(a, RULE_A4, 0, "WRITE_ATTR of PRIORITY, enabled", write_attr(a, PRIORITY, 0), SBI_INVALID_STATE);
    step(a, RULE_A4, 0, "WRITE_ATTR of CONFIG, enabled", write_attr(a, CONFIG, 0), SBI_INVALID_STATE);
    read_only(a, "enabled");
    expect(a, 0, "REGISTER, enabled", SBI_INVALID_STATE, REGISTER, a->p.entry_pc, a->p.entry_arg);
    expect(a, 0, "ENABLE, enabled", SBI_INVALID_STATE, ENABLE, 0, 0);
    expect(a, 0, "UNREGISTER, enabled", SBI_INVALID_STATE, UNREGISTER, 0, 0);
    step(a, RULE_A4, 0, "COMPLETE when nothing runs", call(a, COMPLETE, 0, 0, 0, 0, 0), SBI_SUCCESS);
    step(a, RULE_A4, QUIRK_NO_MASK, "HART_MASK", call(a, MASK, 0, 0, 0, 0, 0), SBI_SUCCESS);
    step(a, RULE_A4, QUIRK_NO_MASK | QUIRK_MASK_ERRORS, "HART_MASK, masked", call(a, MASK, 0, 0, 0, 0, 0), SBI_ALREADY_STOPPED);
    step(a, RULE_A4, QUIRK_NO_MASK, "HART_UNMASK", call(a, UNMASK, 0, 0, 0, 0, 0), SBI_SUCCESS);
    step(a, RULE_A4, QUIRK_NO_MASK | QUIRK_MASK_ERRORS, "HART_UNMASK, unmasked", call(a, UNMASK, 0, 0, 0, 0, 0),
         SBI_ALREADY_STARTED);
}

/* Down to UNUSED and up again, with this CONFIG. */
static void down_and_up(struct attrs *a, uint64_t config)
{
    expect(a, 0, "DISABLE, enabled", SBI_SUCCESS, DISABLE, 0, 0);
    status(a, "registered", REGISTERED);
    expect(a, 0, "DISABLE, registered", SBI_INVALID_STATE, DISABLE, 0, 0);
    expect(a, 0, "UNREGISTER, registered", SBI_SUCCESS, UNREGISTER, 0, 0);
    status(a, "unused", UNUSED);
    expect(a, 0, "UNREGISTER, unused", SBI_INVALID_STATE, UNREGISTER, 0, 0);
    expect(a, 0, "ENABLE, unused", SBI_INVALID_STATE, ENABLE, 0, 0);
    expect(a, 0, "REGISTER with an odd pc", SBI_INVALID_PARAM, REGISTER, a->p.entry_pc + 1, a->p.entry_arg);
    expect(a, 0, "REGISTER, unused", SBI_SUCCESS, REGISTER, a->p.entry_pc, a->p.entry_arg);
    status(a, "registered again", REGISTERED);
    step(a, RULE_A4, 0, "WRITE_ATTR of CONFIG with a reserved bit", write_attr(a, CONFIG, 2), SBI_INVALID_PARAM);
    step(a, RULE_A4, 0, "WRITE_ATTR of CONFIG, registered", write_attr(a, CONFIG, config), SBI_SUCCESS);
    step(a, RULE_A4, 0, "WRITE_ATTR of PRIORITY, registered", write_attr(a, PRIORITY, 1), SBI_SUCCESS);
    expect(a, 0, "ENABLE, registered", SBI_SUCCESS, ENABLE, 0, 0);
    status(a, "enabled again", ENABLED);
}

static bool raise_event(struct attrs *a)
{
    struct err e;
    const struct machine_injection event = {.event = MACHINE_LINE, .how = MACHINE_PULSE, .hart = HART, .line = a->p.line};
    a->p.phase = PHASE_BEFORE;
    a->p.story = a->to;
    if (a->to) {
        struct rv_view x;
        view_take(&x, a->p.m, HART);
        story_begin(&a->p, &x);
    }
    bool ok = machine_inject(a->p.m, &event, &e) && probe_run_to(&a->p, PHASE_HANDLER);
    step(a, RULE_A4, 0, "the handler starts", ok, true);
    return ok;
}

/* Every value of FLAGS, kept as written; reserved bits refused, with nothing changed. */
static void flags(struct attrs *a)
{
    uint64_t value = 0;
    char text[96];
    for (uint64_t f = 0; f < 64; f++) {
        unsigned quirk = f < 16 ? 0 : QUIRK_NO_FLAGS;
        snprintf(text, sizeof text, "WRITE_ATTR of FLAGS 0x%" PRIx64 ", running", f);
        step(a, RULE_A4, quirk, text, write_attr(a, FLAGS, f), SBI_SUCCESS);
        snprintf(text, sizeof text, "FLAGS written as 0x%" PRIx64 " read back", f);
        read_attr(a, FLAGS, &value);
        step(a, RULE_A4, quirk, text, (int64_t)value, (int64_t)f);
    }
    step(a, RULE_A4, 0, "WRITE_ATTR of FLAGS 5, running", write_attr(a, FLAGS, 5), SBI_SUCCESS);
    for (unsigned bit = 6; bit < a->p.xlen; bit++) {
        snprintf(text, sizeof text, "WRITE_ATTR of FLAGS with bit %u", bit);
        step(a, RULE_A4, 0, text, write_attr(a, FLAGS, UINT64_C(1) << bit), SBI_INVALID_PARAM);
        read_attr(a, FLAGS, &value);
        step(a, RULE_A4, 0, "FLAGS after a refused write", (int64_t)value, 5);
    }
}

static void while_running(struct attrs *a)
{
    static const unsigned words[] = {SEPC, A6, A7};
    uint64_t saved[4], value = 0;
    status(a, "running", RUNNING);
    step(a, RULE_A4, 0, "READ_ATTR of INTERRUPTED_*", call(a, READ, a->p.event, SEPC, 4, a->p.buffer, 0), SBI_SUCCESS);
    probe_buffer_read(&a->p, saved, ARRAY_LEN(saved));
    read_only(a, "running");
    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        step(a, RULE_A4, 0, "WRITE_ATTR of INTERRUPTED_SEPC, A6 or A7, running", write_attr(a, words[i], 0x1234 + i),
             SBI_SUCCESS);
        read_attr(a, words[i], &value);
        step(a, RULE_A4, 0, "INTERRUPTED_SEPC, A6 or A7 read back", (int64_t)value, 0x1234 + i);
    }
    flags(a);
    expect(a, 0, "DISABLE, running", SBI_INVALID_STATE, DISABLE, 0, 0);
    expect(a, 0, "UNREGISTER, running", SBI_INVALID_STATE, UNREGISTER, 0, 0);
    probe_buffer_write(&a->p, saved, ARRAY_LEN(saved));
    step(a, RULE_A4, 0, "WRITE_ATTR of all INTERRUPTED_*", call(a, WRITE, a->p.event, SEPC, 4, a->p.buffer, 0), SBI_SUCCESS);
}

static void completes(struct attrs *a, const char *what, uint64_t state)
{
    step(a, RULE_A4, 0, "the event completes", probe_run_to(&a->p, PHASE_RESUMED), true);
    status(a, what, state);
}

/* Signalled again while it runs: it comes once more directly behind its completion, from the same context. */
static void comes_again(struct attrs *a)
{
    uint64_t first = 0, second = 0;
    read_attr(a, SEPC, &first);
    step(a, RULE_A4, 0, "INJECT, running", call(a, INJECT, a->p.event, HART, 0, 0, 0), SBI_SUCCESS);
    status(a, "running and pending", RUNNING | PENDING);
    step(a, RULE_A4, 0, "the event completes", probe_run_to(&a->p, PHASE_RESUMED), true);
    step(a, RULE_A4, 0, "and its handler starts at once", (int64_t)a->p.resumed.pc, (int64_t)a->p.entry_pc);
    read_attr(a, SEPC, &second);
    step(a, RULE_A4, 0, "INTERRUPTED_SEPC is that of the first time", (int64_t)second, (int64_t)first);
    a->p.phase = PHASE_HANDLER;
    status(a, "running again", RUNNING);
    completes(a, "enabled at the end", ENABLED);
}

static void walk(struct attrs *a)
{
    uint64_t value = 0;
    read_attr(a, STATUS, &value);
    a->injectable = value & INJECTABLE;
    arguments(a);
    while_enabled(a);
    down_and_up(a, 1); /* one-shot */
    if (!raise_event(a))
        return;
    while_running(a);
    completes(a, "registered after one shot", REGISTERED);
    expect(a, 0, "ENABLE, registered", SBI_SUCCESS, ENABLE, 0, 0);
    down_and_up(a, 0);
    if (!raise_event(a))
        return;
    if (a->injectable)
        comes_again(a);
    else
        completes(a, "enabled at the end", ENABLED);
}

/* ---- the scenario
 * ---------------------------------------------------------------------------------------------------------------- */

unsigned attrs_size(const struct check_job *job)
{
    (void)job;
    return 1;
}

static bool run(const struct check_job *job, const struct check_env *env, struct check_verdict *v, FILE *to, struct err *e)
{
    struct attrs a = {.quirks = check_firmware(job->firmware)->quirks, .v = v, .to = to};
    bool missing;
    verdict_begin(v, job, "calls");
    v->has_counts = true;
    for (unsigned r = 0; r < CHECK_COUNTS; r++)
        v->expected[r] = r == RULE_A4 || r == RULE_A5 ? 0 : CHECK_ANY;
    v->as_expected = true;
    if (probe_open(&a.p, job, env, &missing, e)) {
        walk(&a);
        probe_close(&a.p);
        return true;
    }
    v->skipped = missing;
    v->as_expected = false;
    snprintf(v->why, sizeof v->why, "%.250s", e->text);
    return missing;
}

bool attrs_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e)
{
    return run(job, env, out, NULL, e);
}

bool attrs_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                 FILE *to, struct err *e)
{
    struct check_verdict v;
    (void)number;
    if (strcmp(handler, "calls"))
        return err_set(e, "%s has one handler, calls", job->scenario->name);
    fprintf(to, "%s, %s, RV%u\n", job->scenario->name, check_firmware_name(job->firmware), job->xlen);
    return run(job, env, &v, to, e) && !v.skipped;
}
