#include "debug/riscv/judge.h"
#include "debug/riscv/sse.h"

#include <stdio.h>

struct judge {
    uint64_t departures;        /* since the start */
    struct sse_departure first; /* since the last copy */
    struct sse_oracle oracle;   /* last: its copies stop early */
};

static void attach(void *state, struct machine *m)
{
    struct judge *j = state;
    j->departures = 0;
    sse_oracle_init(&j->oracle, m);
}

static void copy(void *to, const void *from)
{
    struct judge *j = to;
    const struct judge *k = from;
    j->departures = k->departures;
    j->first = k->first;
    sse_oracle_copy(&j->oracle, &k->oracle);
}

static unsigned feed(void *state, struct machine *m, const struct machine_change *c)
{
    struct judge *j = state;
    unsigned n = sse_oracle_feed(&j->oracle, m, c);
    if (n && !j->departures)
        j->first = j->oracle.found[0];
    j->departures += n;
    unsigned flags = j->oracle.saw & SSE_SAW_INJECT ? SWEEP_ENTERS : 0;
    if ((j->oracle.saw & SSE_SAW_RESUME) && !j->oracle.hart[c->hart].depth)
        flags |= SWEEP_RESUMES | (j->oracle.edited ? SWEEP_EDITED : 0);
    return flags;
}

/* What departed before the injection is not this case's. */
static void begin(void *state) { ((struct judge *)state)->departures = 0; }

static bool objection(const void *state, char *text, size_t cap)
{
    const struct judge *j = state;
    if (!j->departures)
        return false;
    const struct sse_departure *d = &j->first;
    int n = snprintf(text, cap, "%s (%s): ", sse_rule_name(d->rule), sse_rule_where(d->rule));
    if (n >= 0 && (size_t)n < cap)
        sse_departure_text(d, j->oracle.xlen, text + n, cap - (size_t)n);
    return true;
}

const struct sweep_judge sbi_judge = {
    .size = sizeof(struct judge), .attach = attach, .copy = copy, .begin = begin, .feed = feed, .objection = objection};
