#include "debug/check.h"
#include "base/bits.h"
#include "debug/check_internal.h"
#include "debug/check_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_ROMS = false, PLACE_CACHE = true };

static const struct check_firmware firmwares[CHECK_FIRMWARES] = {
#define NONE        QUIRK_NONE
#define STATUS      QUIRK_STATUS
#define SWAPPED     QUIRK_SWAPPED
#define NO_FLAGS    QUIRK_NO_FLAGS
#define NO_MASK     QUIRK_NO_MASK
#define READ_ONLY   QUIRK_READ_ONLY
#define MASK_ERRORS QUIRK_MASK_ERRORS
#define FIRMWARE(id, title, place, file, form, event, line, quirks) \
    {title, file, PLACE_##place, SSE_FORM_##form, event, line, quirks},
#include "debug/check.def"
};

static const struct check_handler handlers[CHECK_HANDLERS] = {
#define HANDLER(id, title, select, effect, vector, lost, lost_h) {title, select, SSE_EFFECT_##effect, vector, lost, lost_h},
#include "debug/check.def"
};

static bool always(const struct check_firmware *f)
{
    (void)f;
    return true;
}

#define NMI_CPU ",smrnmi=on,nmi=0x80000400,nmi-exception=0x80000500" /* where the bundled firmware handles them */
#define SOURCE(name, title, event, inject, cpu)                                                                                  \
    {                                                                                                                            \
        name, title, "kvm%s.elf", "paging=on event=" event, 0, true, NULL, switch_size, bundled_apply, switch_run, switch_story, \
            inject, cpu, true                                                                                                    \
    }
#define BY_CALL(name, title, event) \
    SOURCE(name, "s1.switch by " title ", injected by another hart", event, "sse:" event ",hart=0,by=1", NULL)

static bool bundled_apply(const struct check_firmware *f) { return !f->cached; }

static const struct check_scenario scenarios[SCENARIOS] = {
    [SCENARIO_s1r] = {"s1r", "a hypervisor in its switch injects an event into its own hart", "kvm%s.elf", "mode=s1r", 0xffff0000,
                      true, NULL, s1r_size, always, s1r_run, s1r_story, NULL, NULL, false},
    [SCENARIO_s1_states] = {"s1.states", "every state of V, P, SPP, SPIE, SIE, SPV, SPVP is interrupted", "kvm%s.elf",
                            "mode=probe", 0, true, NULL, states_size, always, states_run, states_story, NULL, NULL, false},
    [SCENARIO_s1_flags] = {"s1.flags", "the same with SPELP and SDT, double traps on, all FLAGS written", "kvm%s.elf",
                           "mode=probe dte=on", 0, true, NULL, states_size, states_flags_apply, states_run, states_story, NULL,
                           NULL, false},
    [SCENARIO_s1_lpad] = {"s1.lpad", "the same states, a landing pad being expected or not", "kvm%s.elf", "mode=probe lpad=entry",
                          0, true, NULL, states_size, states_flags_apply, states_run, states_story, NULL, NULL, false},
    [SCENARIO_s1_attrs] = {"s1.attrs", "calls, attributes and STATUS of an event through its states", "kvm%s.elf", "mode=probe",
                           0, true, NULL, attrs_size, always, attrs_run, attrs_story, NULL, NULL, false},
    [SCENARIO_s1_switch] = {"s1.switch", "a world switch into a guest and back, interrupted at every instruction", "kvm%s.elf",
                            "paging=on", 0, true, NULL, switch_size, always, switch_run, switch_story, NULL, NULL, false},
    [SCENARIO_s1_bare] = {"s1.bare", "the same without translation", "kvm%s.elf", "paging=off", 0, true, NULL, switch_size,
                          always, switch_run, switch_story, NULL, NULL, false},
    [SCENARIO_s1_jump] = {"s1.jump", "s1.switch with landing pads on, the indirect jumps into it included", "kvm%s.elf",
                          "paging=on lpad=on", 0, true, NULL, switch_size, states_flags_apply, switch_run, switch_story, NULL,
                          NULL, false},
    [SCENARIO_s1_nested] = {"s1.nested", "s1.switch, and a second event at every instruction of the first one's handling",
                            "kvm%s.elf", "paging=on", 0, true, "sse:0xffff0000,hart=0,by=1", switch_size, always, switch_run,
                            switch_story, NULL, NULL, false},
    [SCENARIO_s1_lcofi] = SOURCE("s1.lcofi", "s1.switch by counter overflows (event 0x10000)", "0x10000", "lcofi", NULL),
    [SCENARIO_s1_ras] = SOURCE("s1.ras", "s1.switch by hardware errors (event 0)", "0", "ras", NULL),
    [SCENARIO_s1_nmi] = SOURCE("s1.nmi", "s1.switch by non-maskable interrupts (event 0)", "0", "rnmi", NMI_CPU),
    [SCENARIO_s1_soft] = BY_CALL("s1.soft", "software events", "0xffff0000"),
    [SCENARIO_s1_double] = BY_CALL("s1.double", "double-trap events", "0x1"),
    [SCENARIO_s1_ras_low] = BY_CALL("s1.ras-low", "RAS events of low priority", "0x100000"),
    [SCENARIO_s1_g_ras] = BY_CALL("s1.g-ras", "global RAS events", "0x8000"),
    [SCENARIO_s1_g_plat] = BY_CALL("s1.g-plat", "global platform events", "0xc000"),
    [SCENARIO_s1_g_low] = BY_CALL("s1.g-low", "global RAS events of low priority", "0x108000"),
    [SCENARIO_s1_g_soft] = BY_CALL("s1.g-soft", "global software events", "0xffff8000"),
    [SCENARIO_s2_lcofi] = {"s2.lcofi", "s2.kernel by counter overflows (event 0x10000)", "kernel%s.elf",
                           "paging=on event=0x10000", 0, false, NULL, switch_size, bundled_apply, switch_run, switch_story,
                           "lcofi", NULL, true},
    [SCENARIO_s1_second] = {"s1.second", "s1.nested with all handlers, the second event being a counter overflow", "kvm%s.elf",
                            "paging=on event2=0x10000", 0, true, "lcofi", switch_size, bundled_apply, switch_run, switch_story,
                            NULL, NULL, true},
    [SCENARIO_s2_second] = {"s2.second", "the same of s2.kernel", "kernel%s.elf", "paging=on event2=0x10000", 0, false, "lcofi",
                            switch_size, bundled_apply, switch_run, switch_story, NULL, NULL, true},
    [SCENARIO_s2_kernel] = {"s2.kernel", "a system call, interrupted at every instruction, without the hypervisor extension",
                            "kernel%s.elf", "paging=on", 0, false, NULL, switch_size, always, switch_run, switch_story, NULL,
                            NULL, false},
    [SCENARIO_s2_kernel_h] = {"s2.kernel-h", "the same with the hypervisor extension", "kernel%s.elf", "paging=on", 0, true, NULL,
                              switch_size, always, switch_run, switch_story, NULL, NULL, false},
    [SCENARIO_s2_rate] = {"s2.rate", "an event every 1 to 64 instructions of a kernel and its program, from random phases",
                          "kernel%s.elf", "paging=on event=0x10000 pmu=1000000 rounds=4000000000", 0, false, NULL, rate_size,
                          always, rate_run, rate_story, NULL, NULL, false},
    [SCENARIO_s2_states] = {"s2.states", "every state of P, SPP, SPIE, SIE is interrupted, without the hypervisor extension",
                            "kernel%s.elf", "mode=probe", 0, false, NULL, states_size, always, states_run, states_story, NULL,
                            NULL, false},
};

const struct check_firmware *check_firmware(enum check_firmware_id id) { return &firmwares[id]; }
const struct check_handler *check_handler(enum check_handler_id id) { return &handlers[id]; }
const struct check_scenario *check_scenario(enum check_scenario_id id) { return &scenarios[id]; }
const char *check_firmware_name(enum check_firmware_id id) { return firmwares[id].name; }

const char *check_scenario_name(unsigned i, const char **title)
{
    if (i >= SCENARIOS)
        return NULL;
    *title = scenarios[i].title;
    return scenarios[i].name;
}

bool check_scenario_is_long(unsigned i) { return scenarios[i].is_long; }

const char *check_rule_name(unsigned i, const char **what)
{
    static const char *const names[CHECK_COUNTS][2] = {
        [RULE_A1] = {"A1", "attributes are not those of what was interrupted"},
        [RULE_A2] = {"A2", "the handler does not start as specified"},
        [RULE_E] = {"E", "A1 or A2"},
        [RULE_A3] = {"A3", "what goes on is not what was interrupted"},
        [RULE_A4] = {"A4", "what goes on is not what completion makes of the handler's registers and attributes"},
        [RULE_A5] = {"A5", "STATUS is not that of the event's state"},
        [RULE_A6] = {"A6", "it goes on in the other virtualization mode"},
        [RULE_B1] = {"B1", "SIE, SPIE, SPP or the mode are not as they were"},
        [RULE_B2] = {"B2", "kernel text goes on in U, or user text in S"},
        [RULE_B3] = {"B3", "interrupts are on that were off"},
        [RULE_B4] = {"B4", "SPP or SPIE are not as the handler wrote them into FLAGS"},
        [RULE_B5] = {"B5", "sscratch or stvec are not as they were"},
        [RULE_B6] = {"B6", "the program's calls are not counted one by one"},
    };
    *what = names[i][1];
    return names[i][0];
}

bool check_asks_b(const struct check_job *job) { return job->scenario >= check_scenario(SCENARIO_s2_states); }

void verdict_begin(struct check_verdict *v, const struct check_job *job, const char *handler)
{
    memset(v, 0, sizeof *v);
    snprintf(v->scenario, sizeof v->scenario, "%s", job->scenario->name);
    snprintf(v->firmware, sizeof v->firmware, "%s", check_firmware_name(job->firmware));
    snprintf(v->handler, sizeof v->handler, "%s", handler);
    v->xlen = job->xlen;
    v->first_case = (struct check_number){-1, -1};
}

void check_counts(struct check_verdict *v)
{
    const char *what;
    for (unsigned r = 0; r < CHECK_COUNTS && v->as_expected; r++) {
        uint64_t departs = v->departs[r], must = v->expected[r];
        if (must == CHECK_ANY || departs == must || (must == CHECK_SOME && departs))
            continue;
        v->as_expected = false;
        if (must == CHECK_SOME)
            snprintf(v->why, sizeof v->why, "no case departs from %s, although some must", check_rule_name(r, &what));
        else
            snprintf(v->why, sizeof v->why, "%" PRIu64 " cases depart from %s, expected are %" PRIu64, departs,
                     check_rule_name(r, &what), must);
    }
}

/* ---- plans
 * ---------------------------------------------------------------------------------------------------------------------- */

/* "s1" means s1.states and all others with that beginning. */
static bool means(const char *name, const char *scenario)
{
    size_t n = strlen(name);
    return !strncmp(name, scenario, n) && (!scenario[n] || scenario[n] == '.');
}

static bool is_wanted(const struct check_scenario *s, const struct check_choice *c)
{
    for (unsigned i = 0; i < c->nnames; i++)
        if (!strcmp(c->names[i], s->name) || (means(c->names[i], s->name) && (c->full || !s->is_long)))
            return true;
    return !c->nnames && (c->full || !s->is_long);
}

static bool names_exist(const char *const *names, unsigned nnames, const char *firmware, struct err *e)
{
    for (unsigned i = 0; i < nnames; i++) {
        bool found = false;
        for (unsigned s = 0; s < SCENARIOS; s++)
            found |= means(names[i], scenarios[s].name);
        if (!found)
            return err_set(e, "there is no scenario '%s'; `trapline check --list` lists them", names[i]);
    }
    for (unsigned f = 0; firmware && f < CHECK_FIRMWARES; f++)
        if (!strcmp(firmware, firmwares[f].name))
            return true;
    return !firmware || err_set(e, "there is no firmware '%s'; `trapline check --list` lists them", firmware);
}

struct check_job *check_plan(const struct check_choice *c, size_t *n, struct err *e)
{
    static const unsigned xlens[] = {64, 32};
    *n = 0;
    if (!names_exist(c->names, c->nnames, c->firmware, e))
        return NULL;
    struct check_job *jobs = calloc(SCENARIOS * CHECK_FIRMWARES * ARRAY_LEN(xlens), sizeof *jobs);
    for (unsigned s = 0; s < SCENARIOS; s++)
        for (unsigned f = 0; is_wanted(&scenarios[s], c) && f < CHECK_FIRMWARES; f++)
            for (unsigned x = 0; x < ARRAY_LEN(xlens); x++) {
                const struct check_job job = {&scenarios[s], f, xlens[x], c->full};
                if ((!c->firmware || !strcmp(c->firmware, firmwares[f].name)) && (!c->xlen || c->xlen == xlens[x]) &&
                    scenarios[s].applies(&firmwares[f]) && scenarios[s].size(&job))
                    jobs[(*n)++] = job;
            }
    if (*n)
        return jobs;
    free(jobs);
    err_set(e, "no scenario of these runs on %s", c->firmware);
    return NULL;
}

unsigned check_job_size(const struct check_job *job) { return job->scenario->size(job); }

bool check_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e)
{
    return job->scenario->run(job, env, out, e);
}

bool check_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                 FILE *to, struct err *e)
{
    return job->scenario->story(job, env, handler, number, to, e);
}
