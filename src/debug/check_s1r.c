/*
 * The shortest way to the fault, as it meets a hypervisor: code in HS that has set hstatus.SPV (as it must before its SRET into a
 * guest) lets an event into its own hart run and complete. Which registers come back is judged as in the state sweep.
 */
#include "debug/check_internal.h"
#include "debug/check_parts.h"
#include "debug/check_story.h"

#include <inttypes.h>
#include <string.h>

enum { HART = 0, END_CYCLES = 1000000 };

unsigned s1r_size(const struct check_job *job)
{
    (void)job;
    return 1;
}

/* Up to the injecting call, and until the event has completed. a1 is what the call returned, which nothing specifies. */
static void follow(struct check_probe *p, const struct check_firmware *f, struct check_case *o)
{
    *o = (struct check_case){.action.handler_pc = p->handler_start};
    probe_restart(p);
    if (!probe_run_to(p, PHASE_HANDLER)) {
        o->broken = "the handler did not start";
        return;
    }
    o->view = p->interrupted;
    o->view.x[11] = p->entry.x[11];
    case_predict(p, f, o);
    case_follow(p, o);
}

static void judge(struct check_probe *p, const struct check_firmware *f, struct check_verdict *v)
{
    struct check_case o;
    bool departs[CHECK_COUNTS], known[CHECK_COUNTS];
    char text[CHECK_TEXT], scrap[CHECK_TEXT];
    const struct check_handler *h = check_handler(CHECK_HANDLER_hk0);
    follow(p, f, &o);
    case_judge(&o, true, departs, text, sizeof text);
    struct check_case as_known = o;
    as_known.real = o.form;
    case_judge(&as_known, true, known, scrap, sizeof scrap);
    v->has_counts = true;
    v->cases = 1;
    for (unsigned r = 0; r < CHECK_COUNTS; r++) {
        v->departs[r] = departs[r];
        v->expected[r] = r == RULE_A5 || r >= RULE_B1 ? CHECK_ANY : known[r];
    }
    v->as_expected = case_conforms(p, h, &o, v->why, sizeof v->why);
    if (v->as_expected)
        *v->why = '\0';
    if (*text) {
        v->first_case.first = 0;
        snprintf(v->first, sizeof v->first, "pc=0x%" PRIx64 " V=0 P=S hstatus.SPV=1: %.150s", o.x.pc, text);
    }
}

bool s1r_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e)
{
    struct check_probe p;
    bool missing;
    verdict_begin(out, job, "hk0");
    if (probe_open(&p, job, env, &missing, e)) {
        judge(&p, check_firmware(job->firmware), out);
        probe_close(&p);
        return true;
    }
    out->skipped = missing;
    snprintf(out->why, sizeof out->why, "%.250s", e->text);
    return missing;
}

static void console(void *ctx, const char *device, const void *text, size_t n)
{
    (void)device;
    fwrite(text, 1, n, ctx);
}

/* The case, and what the hypervisor says when it goes on. */
bool s1r_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
               FILE *to, struct err *e)
{
    struct check_probe p;
    bool missing;
    if (strcmp(handler, "hk0") || number.first || number.second >= 0)
        return err_set(e, "%s has one case: handler hk0, case 0", job->scenario->name);
    if (!probe_open(&p, job, env, &missing, e))
        return false;
    struct check_case o;
    fprintf(to, "%s, %s, RV%u: the hypervisor sets hstatus.SPV, V being 0, and calls sse_inject\n", job->scenario->name,
            check_firmware_name(job->firmware), job->xlen);
    p.story = to;
    p.quiet = true; /* until that call */
    follow(&p, check_firmware(job->firmware), &o);
    case_tell(&p, check_handler(CHECK_HANDLER_hk0), &o, to);
    fputs("It goes on:\n", to);
    const struct machine_host host = {.ctx = to, .console = console};
    machine_set_host(p.m, &host);
    p.until_trap = true;
    machine_run(p.m, END_CYCLES);
    p.story = NULL;
    machine_run(p.m, END_CYCLES);
    probe_close(&p);
    return true;
}
