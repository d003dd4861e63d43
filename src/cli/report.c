#include "cli/report.h"
#include "base/buf.h"
#include "cli/repro.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *repro(const struct machine_options *o, const struct report *r)
{
    struct buf b = {0};
    buf_printf(&b, "trapline run");
    repro_machine(&b, o);
    for (unsigned i = 0; i < r->inject->count; i++) {
        const struct inject_plan *p = &r->inject->plan[i];
        char text[3 * INJECT_TEXT];
        snprintf(text, sizeof text, "%s@%s", p->event.text, p->point.text);
        repro_option(&b, "--inject", text);
    }
    if (r->max_cycles != UINT64_MAX)
        repro_number(&b, "--max-cycles", r->max_cycles);
    repro_digests(&b, o);
    return (char *)b.data;
}

/* Of the hart that is furthest: a guest that ends the run does so within a slice of the harts' turns, and the machine's own cycle
   is that of the hart that is behind. */
static uint64_t cycles(struct machine *m)
{
    uint64_t most = machine_cycle(m);
    for (unsigned h = 0; h < machine_harts(m); h++)
        if (machine_hart_cycle(m, h) > most)
            most = machine_hart_cycle(m, h);
    return most;
}

static uint64_t resident_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)u.ru_maxrss;
}

static void print_json(const struct report *r, struct machine *m, const char *line)
{
    char digest[32];
    json_t *j = json_object();
    uint64_t retired = machine_instret(m);
    json_object_set_new(j, "end", json_string(r->end));
    json_object_set_new(j, "status", json_integer(r->status));
    json_object_set_new(j, "cycles", json_integer((json_int_t)cycles(m)));
    json_object_set_new(j, "instructions", json_integer((json_int_t)retired));
    if (r->digest) {
        snprintf(digest, sizeof digest, "%016" PRIx64, machine_digest(m));
        json_object_set_new(j, "digest", json_string(digest));
    }
    if (r->stats) {
        json_object_set_new(j, "host_seconds", json_real(r->seconds));
        json_object_set_new(j, "user_seconds", json_real(r->user_seconds));
        json_object_set_new(j, "mips", json_real(r->seconds > 0 ? (double)retired / r->seconds / 1e6 : 0));
        json_object_set_new(j, "resident_kib", json_integer((json_int_t)resident_kib()));
        json_object_set_new(j, "guest_kib", json_integer((json_int_t)(machine_pages(m) * 4)));
    }
    if (r->repro || r->stats)
        json_object_set_new(j, "repro", json_string(line));
    if (r->watch && r->watch->monitor) {
        json_object_set_new(j, "violations", json_integer((json_int_t)watch_violations(r->watch)));
        json_object_set_new(j, "checked", json_integer((json_int_t)r->watch->monitor->checked));
        json_object_set(j, "monitor", r->watch->list);
    }
    json_dumpf(j, stderr, 0); /* one line, as traces and explanations are there */
    fputc('\n', stderr);
    json_decref(j);
}

void report_print(const struct report *r, struct machine *m, const struct machine_options *o)
{
    if (!r->digest && !r->stats && !r->repro && !r->json)
        return;
    char *line = repro(o, r);
    uint64_t retired = machine_instret(m);
    if (r->json) {
        print_json(r, m, line);
        free(line);
        return;
    }
    if (r->digest)
        fprintf(stderr, "digest %016" PRIx64 " cycles %" PRIu64 " instructions %" PRIu64 "\n", machine_digest(m), cycles(m),
                retired);
    if (r->stats)
        fprintf(stderr,
                "end          %s\n"
                "status       %d\n"
                "cycles       %" PRIu64 "\n"
                "instructions %" PRIu64 "\n"
                "host seconds %.3f (user %.3f)\n"
                "MIPS         %.1f\n"
                "resident     %" PRIu64 " KiB (pages of the guest: %" PRIu64 " KiB)\n",
                r->end, r->status, cycles(m), retired, r->seconds, r->user_seconds,
                r->seconds > 0 ? (double)retired / r->seconds / 1e6 : 0, resident_kib(), machine_pages(m) * 4);
    if (r->stats && r->watch && r->watch->monitor)
        fprintf(stderr, "monitor      %" PRIu64 " compared or judged, %" PRIu64 " violations\n", r->watch->monitor->checked,
                watch_violations(r->watch));
    if (r->repro || r->stats)
        fprintf(stderr, "%s%s\n", r->stats ? "repro        " : "", line);
    free(line);
}
