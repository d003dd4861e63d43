/*
 * The JSON trace-event format, as Perfetto and Chromium's tracing open it. A hart is a process, a mode a thread of it whose
 * slices are the stays in it; a thread of its own holds calls, and instants are injections and inputs. Times are microseconds of
 * guest time.
 */
#include "debug/export/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TID_CALLS = 1, TID_OUTSIDE = 2, TID_MODES = 10 };

struct stay {
    bool known;
    uint8_t mode;
    uint64_t since;
    char why[160], place[96], args[900]; /* args: members of an object */
};

struct perfetto {
    uint64_t hz, first;
    unsigned harts;
    struct stay in[TIMELINE_HARTS];
    bool named[TIMELINE_HARTS][TIMELINE_MODES];
    bool any;
};

static void comma(struct perfetto *p, struct buf *out)
{
    buf_printf(out, p->any ? ",\n" : "\n");
    p->any = true;
}

/* Cycles as microseconds with nanoseconds behind the point. In integers: the guest's floating-point flags are in the host's FPU
   while a hart runs. */
static void time_of(const struct perfetto *p, uint64_t cycles, struct buf *out)
{
    const uint64_t giga = UINT64_C(1000000000);
    uint64_t hz = p->hz, rest = cycles % hz;
    while (hz > giga << 3) { /* so that the product fits */
        hz >>= 1;
        rest >>= 1;
    }
    uint64_t ns = cycles / p->hz * giga + rest * giga / hz;
    buf_printf(out, "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}

static void name_thread(struct perfetto *p, unsigned hart, unsigned tid, const char *name, unsigned order, struct buf *out)
{
    comma(p, out);
    buf_printf(out, "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":\"%s\"}},\n", hart + 1, tid,
               name);
    buf_printf(out, "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%u,\"tid\":%u,\"args\":{\"sort_index\":%u}}", hart + 1,
               tid, order);
}

static void *begin(const struct timeline_info *i, struct buf *out)
{
    struct perfetto *p = calloc(1, sizeof *p);
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    p->hz = i->hz;
    p->first = i->first;
    p->harts = i->harts;
    buf_printf(out, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"title\":\"");
    timeline_escape(out, i->title);
    for (const char *k = i->about; *k;) {
        const char *tab = strchr(k, '\t'), *nl = strchr(k, '\n');
        char text[600];
        snprintf(text, sizeof text, "%.*s", (int)(tab - k), k);
        buf_printf(out, "\",\"");
        timeline_escape(out, text);
        snprintf(text, sizeof text, "%.*s", (int)(nl - tab - 1), tab + 1);
        buf_printf(out, "\":\"");
        timeline_escape(out, text);
        k = nl + 1;
    }
    buf_printf(out, "\"},\"traceEvents\":[");
    for (unsigned h = 0; h < i->harts; h++) {
        comma(p, out);
        buf_printf(out, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%u,\"args\":{\"name\":\"hart %u\"}}", h + 1, h);
        name_thread(p, h, TID_CALLS, "calls", 0, out);
        name_thread(p, h, TID_OUTSIDE, "from outside", 1, out);
    }
    return p;
}

/* The stay of a hart that ends at `cycle`. */
static void put_stay(struct perfetto *p, unsigned hart, uint64_t cycle, struct buf *out)
{
    const struct stay *s = &p->in[hart];
    uint64_t since = s->since > p->first ? s->since : p->first;
    if (!s->known)
        return;
    comma(p, out);
    buf_printf(out, "{\"ph\":\"X\",\"cat\":\"mode\",\"name\":\"");
    timeline_escape(out, s->why);
    buf_printf(out, "\",\"pid\":%u,\"tid\":%u,\"ts\":", hart + 1, TID_MODES + s->mode);
    time_of(p, since, out);
    buf_printf(out, ",\"dur\":");
    time_of(p, cycle - since, out);
    buf_printf(out, ",\"args\":{\"cycle\":%" PRIu64 ",\"cycles\":%" PRIu64 ",\"at\":\"", since, cycle - since);
    timeline_escape(out, s->place);
    buf_printf(out, "\"%s}}", s->args);
}

static void name_mode(struct perfetto *p, unsigned hart, uint8_t mode, const char *name, struct buf *out)
{
    if (p->named[hart][mode])
        return;
    p->named[hart][mode] = true;
    /* The most privileged above, guests below. */
    name_thread(p, hart, TID_MODES + mode, name, 10 + (mode & 8u) + (7 - (mode & 7u)), out);
}

static void put_outside(struct perfetto *p, const struct timeline_item *i, struct buf *out)
{
    comma(p, out);
    buf_printf(out, "{\"ph\":\"i\",\"s\":\"t\",\"cat\":\"outside\",\"name\":\"%s ",
               i->kind == TIMELINE_INJECT ? "inject" : "input");
    timeline_escape(out, i->call);
    buf_printf(out, "\",\"pid\":%u,\"tid\":%d,\"ts\":", i->hart + 1, TID_OUTSIDE);
    time_of(p, i->cycle, out);
    buf_printf(out, ",\"args\":{\"cycle\":%" PRIu64 "}}", i->cycle);
}

static void put_call(struct perfetto *p, const struct timeline_item *i, struct buf *out)
{
    comma(p, out);
    buf_printf(out, "{\"ph\":\"X\",\"cat\":\"call\",\"name\":\"");
    timeline_escape(out, i->call);
    buf_printf(out, "\",\"pid\":%u,\"tid\":%d,\"ts\":", i->hart + 1, TID_CALLS);
    time_of(p, i->call_cycle, out);
    buf_printf(out, ",\"dur\":");
    time_of(p, i->cycle - i->call_cycle, out);
    buf_printf(out, ",\"args\":{\"cycle\":%" PRIu64 ",\"cycles\":%" PRIu64 ",\"from\":\"%s\"}}", i->call_cycle,
               i->cycle - i->call_cycle, i->to_name);
}

static void enter(struct stay *s, const struct timeline_item *i)
{
    *s = (struct stay){.known = true, .mode = i->to, .since = i->cycle};
    snprintf(s->place, sizeof s->place, "%s", i->pc_text);
    if (i->kind == TIMELINE_RETURN) {
        snprintf(s->why, sizeof s->why, "%s", i->pc_text);
        snprintf(s->args, sizeof s->args, ",\"entered\":\"return from %s\"", i->from_name);
        return;
    }
    snprintf(s->why, sizeof s->why, "%.150s", i->kind == TIMELINE_CALL ? i->call : i->cause_text);
    struct buf b = {0};
    timeline_escape(&b, i->epc_text);
    buf_put_u8(&b, 0);
    snprintf(s->args, sizeof s->args,
             ",\"entered\":\"%s from %s\",\"cause\":\"0x%" PRIx64 "\",\"epc\":\"0x%" PRIx64
             "\",\"epc_symbol\":\"%s\",\"tval\":\"0x%" PRIx64 "\"",
             i->cause_text, i->from_name, i->cause, i->epc, (char *)b.data, i->tval);
    buf_free(&b);
}

static void item(void *ctx, const struct timeline_item *i, struct buf *out)
{
    struct perfetto *p = ctx;
    if (i->kind == TIMELINE_INJECT || i->kind == TIMELINE_INPUT) {
        put_outside(p, i, out);
        return;
    }
    struct stay *s = &p->in[i->hart];
    name_mode(p, i->hart, i->from, i->from_name, out);
    name_mode(p, i->hart, i->to, i->to_name, out);
    if (!s->known) { /* where the hart began */
        *s = (struct stay){.known = true, .mode = i->from, .why = "begins"};
    }
    if (!i->before) {
        put_stay(p, i->hart, i->cycle, out);
        if (i->kind == TIMELINE_RETURN && *i->call && i->call_cycle >= p->first)
            put_call(p, i, out);
    }
    enter(s, i);
}

static void end(void *ctx, const struct timeline_info *i, struct buf *out)
{
    struct perfetto *p = ctx;
    for (unsigned h = 0; h < p->harts; h++)
        put_stay(p, h, i->end, out);
    buf_printf(out, "\n]}\n");
    free(p);
}

const struct timeline_form timeline_perfetto = {begin, item, end};
