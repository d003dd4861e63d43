/*
 * The state sweep: a parked hart is put into every state of the bits that injection and completion are about, an event comes, its
 * handler runs and completes. Each case is judged by the specification and by what the firmware's form is known to do.
 */
#include "base/bits.h"
#include "debug/check_internal.h"
#include "debug/check_story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HART = 0, MAX_STATES = 512, ALL_BITS = 1024, ENVCFG_LPE = 1 << 2 };

/* ---- the table ----------------------------------------------------------------------------------------------------------------
 */

#define ANY CHECK_ANY
static const struct row {
    enum check_scenario_id scenario;
    enum sse_form form;
    enum check_handler_id handler;
    uint64_t cases, departs[CHECK_COUNTS];
} rows[] = {
#define STATES(scenario, form, handler, cases, a1, a2, e, a3, a4, a6) \
    {SCENARIO_##scenario, SSE_FORM_##form, CHECK_HANDLER_##handler, cases, {a1, a2, e, a3, a4, ANY, a6}},
#include "debug/check.def"
};

/* The i-th row of the job; NULL: it has not so many. */
static const struct row *job_row(const struct check_job *job, unsigned i)
{
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        if (check_scenario(rows[k].scenario) == job->scenario && rows[k].form == check_firmware(job->firmware)->form && !i--)
            return &rows[k];
    return NULL;
}

unsigned states_size(const struct check_job *job)
{
    unsigned n = 0;
    while (job_row(job, n))
        n++;
    return n;
}

bool states_flags_apply(const struct check_firmware *f) { return !(f->quirks & QUIRK_NO_FLAGS); }

/* ---- states and cases
 * ----------------------------------------------------------------------------------------------------------- */

/* Whether a hart can be in it; see check.def. */
static bool can_be(const struct sse_context *c, const struct row *row)
{
    if (row->scenario == SCENARIO_s2_states && (c->v || c->spv || c->spvp))
        return false;
    if (row->scenario != SCENARIO_s1_lpad && c->elp)
        return false;
    if (row->scenario == SCENARIO_s1_lpad && c->sdt)
        return false;
    if (row->scenario != SCENARIO_s1_flags && row->scenario != SCENARIO_s1_lpad && (c->spelp || c->sdt))
        return false;
    return !c->sdt || (c->s && !c->v && !c->sie);
}

static unsigned all_states(const struct row *row, struct sse_context *state)
{
    unsigned n = 0;
    for (unsigned bits = 0; bits < ALL_BITS; bits++) {
        struct sse_context c = {.elp = bits >> 9 & 1,
                                .sdt = bits >> 8 & 1,
                                .spelp = bits >> 7 & 1,
                                .v = bits >> 6 & 1,
                                .s = bits >> 5 & 1,
                                .spp = bits >> 4 & 1,
                                .spie = bits >> 3 & 1,
                                .sie = bits >> 2 & 1,
                                .spv = bits >> 1 & 1,
                                .spvp = bits & 1};
        if (can_be(&c, row))
            state[n++] = c;
    }
    return n;
}

/* How often each state comes: what the handler's argument goes through. */
static unsigned variants(const struct row *row)
{
    switch (check_handler(row->handler)->effect) {
    case SSE_EFFECT_ATTRIBUTES: return row->scenario == SCENARIO_s1_flags ? 64 : row->scenario == SCENARIO_s1_lpad ? 2 : 16;
    case SSE_EFFECT_REDIRECT: return 8;
    default: return 1;
    }
}

static void put_bit(uint64_t *word, uint64_t bit, bool on) { *word = on ? *word | bit : *word & ~bit; }

/* Where every case begins: the hart is parked, and its registers have values that cannot come by chance. sp and tp stay: a nested
   trap of HK1 may use them. */
static void park(struct check_probe *p, bool pads)
{
    static const struct {
        const char *name;
        uint64_t value;
    } csrs[] = {{"sepc", 0x5ec4}, {"scause", 0xd}, {"stval", 0x57a10}, {"htval", 0x47a10}, {"htinst", 0x3003}};
    char name[8];
    for (unsigned i = 1; i < 32; i++) {
        snprintf(name, sizeof name, "x%u", i);
        if (i != 2 && i != 4)
            machine_set_reg(p->base, HART, name, 0x5a000000u + i * 0x10101u);
    }
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++)
        machine_set_reg(p->base, HART, csrs[i].name, csrs[i].value);
    machine_set_reg(p->base, HART, "pc", p->sled + 4);
    if (pads) { /* in U and VU, and in VS; the payload has turned them on in HS */
        machine_set_reg(p->base, HART, "senvcfg", ENVCFG_LPE);
        machine_set_reg(p->base, HART, "henvcfg", ENVCFG_LPE);
        probe_features(p);
    }
}

static void set_state(struct check_probe *p, const struct sse_context *c)
{
    uint64_t mstatus = 0, hstatus = 0;
    machine_get_reg(p->m, HART, "mstatus", &mstatus);
    machine_get_reg(p->m, HART, "hstatus", &hstatus);
    put_bit(&mstatus, VIEW_SPP, c->spp);
    put_bit(&mstatus, VIEW_SPIE, c->spie);
    put_bit(&mstatus, VIEW_SIE, c->sie);
    put_bit(&mstatus, VIEW_SPELP, c->spelp);
    put_bit(&mstatus, VIEW_SDT, c->sdt);
    put_bit(&hstatus, VIEW_SPV, c->spv);
    put_bit(&hstatus, VIEW_SPVP, c->spvp);
    machine_set_reg(p->m, HART, "mstatus", mstatus);
    machine_set_reg(p->m, HART, "hstatus", hstatus);
    machine_set_reg(p->m, HART, "priv", c->s);
    machine_set_reg(p->m, HART, "v", c->v);
    view_set_elp(p->m, HART, c->elp);
}

static void set_handler(struct check_probe *p, const struct check_handler *h, unsigned variant, struct sse_action *a)
{
    *a = (struct sse_action){.effect = h->effect, .handler_pc = p->handler_start};
    probe_poke(p, p->select, 0, h->select);
    if (h->effect == SSE_EFFECT_ATTRIBUTES) {
        a->flags = p->has.pads_u && variant ? 0x1f : variant;
        a->sepc = 0xe5e4;
        a->a6 = 0xe5e6;
        a->a7 = 0xe5e7;
        const uint64_t arg[] = {a->flags, a->sepc, a->a6, a->a7};
        for (unsigned i = 0; i < ARRAY_LEN(arg); i++)
            probe_poke(p, p->arg, i, arg[i]);
    } else if (h->effect == SSE_EFFECT_REDIRECT) {
        a->flags = variant;
        a->sepc = p->sled + 16;
        probe_poke(p, p->arg, 0, a->flags);
        probe_poke(p, p->arg, 1, a->sepc);
    }
}

/* ---- running one
 * ------------------------------------------------------------------------------------------------------------------ */

static void run_one(struct check_probe *p, const struct check_firmware *f, const struct check_handler *h,
                    const struct sse_context *state, unsigned variant, struct check_case *o)
{
    struct err e;
    const struct machine_injection event = {.event = MACHINE_LINE, .how = MACHINE_PULSE, .hart = HART, .line = p->line};
    *o = (struct check_case){0};
    probe_restart(p);
    set_state(p, state);
    set_handler(p, h, variant, &o->action);
    view_take(&o->view, p->m, HART);
    case_predict(p, f, o);
    if (p->story)
        story_begin(p, &o->view);
    if (!machine_inject(p->m, &event, &e))
        o->broken = "the event could not be raised";
    else
        case_follow(p, o);
}

/* ---- a row
 * ---------------------------------------------------------------------------------------------------------------------- */

/* Of the rules B no row tells a number: it is that of the firmware's form. */
static void expect_b(const struct check_case *o, struct check_verdict *v)
{
    bool known[CHECK_COUNTS];
    char scrap[CHECK_TEXT];
    struct check_case form = *o;
    form.real = o->form;
    case_judge(&form, true, known, scrap, sizeof scrap);
    for (unsigned r = RULE_B1; r < CHECK_COUNTS; r++)
        if (v->expected[r] != ANY)
            v->expected[r] += known[r];
}

static void run_row(struct check_probe *p, const struct check_job *job, const struct row *row, struct check_verdict *v)
{
    const struct check_firmware *f = check_firmware(job->firmware);
    const struct check_handler *h = check_handler(row->handler);
    struct sse_context *state = malloc(MAX_STATES * sizeof *state);
    char text[CHECK_TEXT], why[CHECK_TEXT], where[96];
    unsigned n = all_states(row, state), k = variants(row);
    v->as_expected = true;
    v->has_counts = true;
    memcpy(v->expected, row->departs, sizeof v->expected);
    for (unsigned r = RULE_B1; r < CHECK_COUNTS; r++)
        v->expected[r] = check_asks_b(job) && r < RULE_B5 ? 0 : ANY;
    if (f->quirks & QUIRK_SWAPPED)
        v->expected[RULE_A2] = v->expected[RULE_E] = row->cases;
    for (unsigned i = 0; i < n * k; i++) {
        struct check_case o;
        bool departs[CHECK_COUNTS];
        run_one(p, f, h, &state[i / k], i % k, &o);
        case_judge(&o, row->departs[RULE_A3] != ANY, departs, text, sizeof text);
        expect_b(&o, v);
        for (unsigned r = 0; r < CHECK_COUNTS; r++)
            v->departs[r] += departs[r];
        case_state_text(&o.x, where, sizeof where);
        if (*text && v->first_case.first < 0) {
            v->first_case.first = i;
            snprintf(v->first, sizeof v->first, "%s: %.150s", where, text);
        }
        if (!case_conforms(p, h, &o, why, sizeof why) && v->as_expected) {
            v->as_expected = false;
            snprintf(v->why, sizeof v->why, "case %u, %s: %.150s", i, where, why);
        }
        v->cases++;
    }
    free(state);
    check_counts(v);
    if (v->as_expected && v->cases != row->cases) {
        v->as_expected = false;
        snprintf(v->why, sizeof v->why, "there are %" PRIu64 " cases, expected are %" PRIu64, v->cases, row->cases);
    }
}

bool states_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e)
{
    struct check_probe p;
    bool missing;
    bool ok = probe_open(&p, job, env, &missing, e);
    if (ok)
        park(&p, job->scenario == check_scenario(SCENARIO_s1_lpad));
    for (unsigned i = 0; i < states_size(job); i++) {
        const struct row *row = job_row(job, i);
        verdict_begin(&out[i], job, check_handler(row->handler)->name);
        if (ok)
            run_row(&p, job, row, &out[i]);
        out[i].skipped = missing;
        if (missing)
            snprintf(out[i].why, sizeof out[i].why, "%.250s", e->text);
    }
    if (ok)
        probe_close(&p);
    return ok || missing;
}

bool states_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                  FILE *to, struct err *e)
{
    const struct row *row = NULL;
    for (unsigned i = 0; job_row(job, i); i++)
        if (!strcmp(check_handler(job_row(job, i)->handler)->name, handler))
            row = job_row(job, i);
    if (!row)
        return err_set(e, "%s has no handler %s", job->scenario->name, handler);
    struct check_probe p;
    bool missing;
    if (number.second >= 0)
        return err_set(e, "%s has no second events", job->scenario->name);
    if (!probe_open(&p, job, env, &missing, e))
        return false;
    park(&p, job->scenario == check_scenario(SCENARIO_s1_lpad));
    struct sse_context *state = malloc(MAX_STATES * sizeof *state);
    unsigned n = all_states(row, state), k = variants(row), i = (unsigned)number.first;
    bool ok = number.first < (int64_t)n * k;
    if (ok) {
        struct check_case o;
        char where[96];
        const struct check_handler *h = check_handler(row->handler);
        p.story = to;
        case_state_text(&state[i / k], where, sizeof where);
        fprintf(to, "%s, %s, RV%u, handler %s, case %u: %s\n", job->scenario->name, check_firmware_name(job->firmware), job->xlen,
                handler, i, where);
        run_one(&p, check_firmware(job->firmware), h, &state[i / k], i % k, &o);
        case_tell(&p, h, &o, to);
    } else {
        err_set(e, "%s with %s has cases 0 to %u, not %" PRId64, job->scenario->name, handler, n * k - 1, number.first);
    }
    free(state);
    probe_close(&p);
    return ok;
}
