#include "cli/watch.h"
#include "cli/cli.h"
#include "debug/arm/psci.h"
#include "debug/riscv/view.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const trace_name[WATCH_TRACES] = {"sbi", "calls", "traps"};

bool watch_add_trace(struct watch *w, char *text, struct err *e)
{
    char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : strlen(text);
    for (unsigned t = 0; t < WATCH_TRACES; t++) {
        if (strlen(trace_name[t]) != n || memcmp(text, trace_name[t], n))
            continue;
        if (equals && !equals[1])
            return err_set(e, "--trace '%s' names no file", text);
        w->traced[t] = true;
        w->file[t] = equals ? equals + 1 : NULL;
        return true;
    }
    return err_set(e, "--trace '%s': the traces are: sbi, calls, traps; each may be followed by =FILE", text);
}

/* ---- while it runs --------------------------------------------------------------------------------------------------------- */

static void put_json(struct watch *w, enum watch_trace t, json_t *j)
{
    json_dumpf(j, w->out[t], JSON_COMPACT);
    fputc('\n', w->out[t]);
    json_decref(j);
}

static void set_hex(json_t *j, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    json_object_set_new(j, key, json_string(text));
}

static void trace_sbi_calls(struct watch *w, struct machine *m, const struct machine_change *c)
{
    char line[TRACE_LINE];
    struct sbi_call call;
    struct sbi_result result;
    bool returned;
    if (!trace_sbi_feed(&w->sbi, m, c, line, &call, &result, &returned))
        return;
    if (!w->json) {
        fprintf(w->out[WATCH_SBI], "%s\n", line);
        return;
    }
    json_t *j = sbi_call_json(&call, returned ? &result : NULL);
    json_object_set_new(j, "cycle", json_integer((json_int_t)c->cycle));
    json_object_set_new(j, "hart", json_integer(c->hart));
    if (!returned)
        set_hex(j, "goes_on", c->pc);
    put_json(w, WATCH_SBI, j);
}

/* A call by HVC or SMC that is over. Without result its caller goes on at *pc, or (NULL) not at all. */
static void tell_call(struct watch *w, unsigned hart, const struct trace_call *k, const uint64_t *result, const uint64_t *pc,
                      const char *line)
{
    if (!w->json) {
        fprintf(w->out[WATCH_CALLS], "%s\n", line);
        return;
    }
    json_t *j = psci_call_json(k->by_smc, k->x, result);
    json_object_set_new(j, "cycle", json_integer((json_int_t)k->cycle));
    json_object_set_new(j, "hart", json_integer(hart));
    json_object_set_new(j, "from", json_string(arm_mode_name(k->from, k->secure)));
    if (!result && pc)
        set_hex(j, "goes_on", *pc);
    put_json(w, WATCH_CALLS, j);
}

static void trace_arm_calls(struct watch *w, struct machine *m, const struct machine_change *c)
{
    char line[TRACE_LINE];
    struct trace_call k;
    uint64_t result;
    bool returned;
    if (trace_calls_feed(&w->calls, m, c, line, &k, &result, &returned))
        tell_call(w, c->hart, &k, returned ? &result : NULL, &c->pc, line);
}

/* Below the line of its trap. */
static void put_why(FILE *out, const struct explanation *e)
{
    enum { INDENT = 8, COLUMNS = 100 };
    char *text = explain_text(e, COLUMNS - INDENT, false);
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "%*s%.*s\n", n ? INDENT : 0, "", (int)n, line);
        line += n + (line[n] == '\n');
    }
    fputc('\n', out);
    free(text);
}

/* why: the explanation that goes with it; NULL: none. */
static void trace_traps(struct watch *w, struct machine *m, const struct machine_change *c, const struct explanation *why)
{
    char line[TRACE_LINE], scratch[32];
    const struct trace_ops *ops = trace_ops(m);
    if (!w->json) {
        ops->line(m, c, line);
        fprintf(w->out[WATCH_TRAPS], "%s\n", line);
        if (why)
            put_why(w->out[WATCH_TRAPS], why);
        return;
    }
    json_t *j =
        json_pack("{s:I,s:i,s:b,s:s,s:s}", "cycle", (json_int_t)c->cycle, "hart", (int)c->hart, "return", (int)c->is_return,
                  "from", ops->mode(m, c->hart, c->priv, c->v), "to", ops->mode(m, c->hart, c->to_priv, c->to_v));
    set_hex(j, "epc", c->epc);
    set_hex(j, "pc", c->pc);
    if (!c->is_return) {
        json_object_set_new(j, "interrupt", json_boolean(c->interrupt));
        json_object_set_new(j, "cause", json_integer((json_int_t)c->cause));
        json_object_set_new(j, "name", json_string(ops->cause(c, scratch)));
        set_hex(j, "tval", c->tval);
        set_hex(j, "tval2", c->tval2);
        set_hex(j, "tinst", c->tinst);
    }
    if (why)
        json_object_set_new(j, "why", explain_json(why));
    put_json(w, WATCH_TRAPS, j);
}

/* The n violations that the monitor has just found on this hart. */
static void tell_violations(struct watch *w, struct machine *m, unsigned hart, unsigned n)
{
    struct monitor *o = w->monitor;
    char text[2048];
    uint64_t max = o->config.max;
    for (unsigned i = 0; i < n; i++) {
        if (w->json) {
            json_array_append_new(w->list, monitor_json(o, m, &o->found[i]));
        } else {
            monitor_text(o, m, &o->found[i], text, sizeof text);
            fprintf(stderr, "trapline: monitor %s\n", text);
        }
    }
    if (max && o->total >= max) {
        w->stop = true;
        machine_break(m, hart);
    }
}

static void on_answer(void *ctx, struct machine *m, const struct machine_answer *a)
{
    struct watch *w = ctx;
    if (w->traced[WATCH_CALLS]) {
        char line[TRACE_LINE];
        struct trace_call k;
        uint64_t result;
        trace_calls_answered(m, a, line, &k, &result);
        tell_call(w, a->hart, &k, a->returns ? &result : NULL, NULL, line);
    }
    if (w->monitor && !w->stop)
        tell_violations(w, m, a->hart, monitor_answered(w->monitor, m, a));
}

static void on_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct watch *w = ctx;
    if (w->also)
        w->also(w->also_ctx, m, c);
    struct explanation *why = w->why.on ? why_take(&w->why, m, c) : NULL;
    bool in_trace = w->traced[WATCH_TRAPS] && !w->why.path && !w->why.told; /* else it goes where it would without a trace */
    if (w->traced[WATCH_TRAPS])
        trace_traps(w, m, c, in_trace ? why : NULL);
    if (w->traced[WATCH_SBI])
        trace_sbi_calls(w, m, c);
    if (w->traced[WATCH_CALLS])
        trace_arm_calls(w, m, c);
    if (w->monitor && !w->stop)
        tell_violations(w, m, c->hart, monitor_feed(w->monitor, m, c));
    if (why && !in_trace)
        why_tell(&w->why, why);
    explain_free(why);
}

/* ---- before and after ------------------------------------------------------------------------------------------------------ */

static bool open_traces(struct watch *w, struct err *e)
{
    for (unsigned t = 0; t < WATCH_TRACES; t++) {
        if (!w->traced[t])
            continue;
        w->out[t] = w->file[t] ? fopen(w->file[t], "w") : stderr;
        if (!w->out[t])
            return err_set(e, "--trace: %s: %s", w->file[t], strerror(errno));
    }
    return true;
}

bool watch_start(struct watch *w, struct machine *m, struct err *e)
{
    struct rv_features f;
    bool any = w->config.ops;
    w->why.json |= w->json;
    if (!why_start(&w->why, m, e))
        return false;
    for (unsigned t = 0; t < WATCH_TRACES; t++)
        any |= w->traced[t];
    if (!any) {
        if (w->why.on || w->also)
            machine_watch(m, on_change, w);
        return true;
    }
    if (w->traced[WATCH_SBI] && !view_features(&f, m, 0))
        return err_set(e, "--trace sbi is for RISC-V machines; on others it is --trace calls");
    if (w->traced[WATCH_CALLS] && view_features(&f, m, 0))
        return err_set(e, "--trace calls is for AArch64 machines; on RISC-V it is --trace sbi");
    if (w->config.ops) {
        w->monitor = malloc(sizeof *w->monitor);
        if (!w->monitor)
            abort();
        if (!monitor_start(w->monitor, &w->config, m, e)) {
            free(w->monitor);
            w->monitor = NULL;
            return false;
        }
    }
    if (!open_traces(w, e))
        return false;
    w->list = json_array();
    machine_watch(m, on_change, w);
    machine_watch_answers(m, on_answer, w);
    return true;
}

bool watch_end(struct watch *w, struct err *e)
{
    bool ok = why_end(&w->why, e);
    for (unsigned t = 0; t < WATCH_TRACES; t++) {
        if (!w->out[t] || w->out[t] == stderr)
            continue;
        bool bad = ferror(w->out[t]) != 0;
        if ((fclose(w->out[t]) || bad) && ok)
            ok = err_set(e, "%s: %s", w->file[t], strerror(errno ? errno : EIO));
        w->out[t] = NULL;
    }
    return ok;
}

uint64_t watch_violations(const struct watch *w) { return w->monitor ? w->monitor->total : 0; }

void watch_free(struct watch *w)
{
    watch_end(w, NULL);
    json_decref(w->list);
    monitor_end(w->monitor);
    free(w->monitor);
}
