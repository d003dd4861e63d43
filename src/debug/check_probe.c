/* A machine with a payload in mode=probe: the hart waits, is put into a state, an event comes, and what came of it is looked at.
 */
#include "base/bits.h"
#include "debug/check_internal.h"
#include "debug/check_story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BOOT_CYCLES = 100000000, CASE_CYCLES = 200000, HART = 0 };
enum { SSE_EID = 0x535345, SSE_READ = 0, ATTR_ENTRY_PC = 4 };

void check_paths(const struct check_job *job, const struct check_env *env, char *bios, char *kernel, size_t cap)
{
    const char *suffix = job->xlen == 32 ? "-rv32" : "";
    const struct check_firmware *f = check_firmware(job->firmware);
    char name[64];
    snprintf(name, sizeof name, f->file, suffix);
    snprintf(bios, cap, "%s/%s", f->cached ? env->cache : env->roms, name);
    snprintf(name, sizeof name, job->scenario->image, suffix);
    snprintf(kernel, cap, "%s/%s", env->roms, name);
}

/* ---- watching a case --------------------------------------------------------------------------------------------------------
 */

/* The payload's own injecting call (inject_call.S): what the event that it brings interrupts. */
static void see_call(struct check_probe *p, struct machine *m)
{
    view_take_trapped(&p->interrupted, m, HART, false);
    p->interrupted.pc += 4; /* the event comes behind the call, which has succeeded */
    p->interrupted.x[10] = 0;
    if (p->story && p->quiet)
        story_begin(p, &p->interrupted);
    p->quiet = false;
}

static void watch(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct check_probe *p = ctx;
    if (c->hart != HART)
        return;
    bool to_m = !c->is_return && c->to_priv == 3;
    bool from_m = c->is_return && c->priv == 3 && c->to_priv != 3;
    if (p->phase == PHASE_BEFORE && to_m && c->epc == p->inject)
        see_call(p, m);
    if (p->story && !p->quiet)
        story_change(p, m, c);
    if (p->phase == PHASE_BEFORE && from_m && c->pc == p->entry_pc) {
        p->phase = PHASE_HANDLER;
        view_take(&p->entry, m, HART);
        machine_break(m, HART);
    } else if (p->phase == PHASE_HANDLER && to_m && !c->interrupt && c->epc == p->complete) {
        p->phase = PHASE_COMPLETING;
    } else if (p->phase == PHASE_COMPLETING && from_m) {
        p->phase = PHASE_RESUMED;
        view_take(&p->resumed, m, HART);
        machine_break(m, HART);
    } else if (p->until_trap && !c->is_return) {
        p->until_trap = false;
        machine_break(m, HART);
    }
}

bool probe_run_to(struct check_probe *p, enum check_phase phase)
{
    while (p->phase < phase)
        if (machine_run(p->m, CASE_CYCLES) != MACHINE_DEBUG)
            return p->phase >= phase;
    return true;
}

void probe_restart(struct check_probe *p)
{
    machine_restore(p->m, p->base);
    p->phase = PHASE_BEFORE;
}

/* ---- memory and calls ---------------------------------------------------------------------------------------------------------
 */

void probe_poke(struct check_probe *p, uint64_t at, unsigned i, uint64_t value)
{
    uint64_t size = p->xlen / 8;
    machine_write(p->m, at + i * size, &value, size); /* both are little-endian */
}

void probe_buffer_write(struct check_probe *p, const uint64_t *word, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        probe_poke(p, p->buffer, i, word[i]);
}

void probe_buffer_read(struct check_probe *p, uint64_t *word, unsigned n)
{
    uint64_t size = p->xlen / 8;
    for (unsigned i = 0; i < n; i++) {
        word[i] = 0;
        machine_read(p->m, p->buffer + i * size, &word[i], size);
    }
}

/* The call is a piece of the run like any other, so what it does to M's registers stays; what the calling code has is put back.
 */
int64_t probe_sbi(struct check_probe *p, uint64_t eid, uint64_t fid, const uint64_t a[5])
{
    enum { ARGUMENTS = 8, DID_NOT_RETURN = -1000 };
    static const char *const names[ARGUMENTS + 1] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "pc"};
    const uint64_t now[ARGUMENTS + 1] = {a[0], a[1], a[2], a[3], a[4], 0, fid, eid, p->call};
    uint64_t before[ARGUMENTS + 1], result = 0;
    enum check_phase phase = p->phase;
    FILE *story = p->story;
    p->story = NULL;
    p->phase = PHASE_RESUMED; /* none of this belongs to the case */
    bool elp = view_set_elp(p->m, HART, false);
    for (unsigned i = 0; i < ARRAY_LEN(now); i++) {
        machine_get_reg(p->m, HART, names[i], &before[i]);
        machine_set_reg(p->m, HART, names[i], now[i]);
    }
    machine_breakpoint(p->m, HART, p->call_done, true);
    bool ok = machine_run(p->m, CASE_CYCLES) == MACHINE_DEBUG;
    machine_breakpoint(p->m, HART, p->call_done, false);
    machine_get_reg(p->m, HART, "a0", &result);
    for (unsigned i = 0; i < ARRAY_LEN(now); i++)
        machine_set_reg(p->m, HART, names[i], before[i]);
    view_set_elp(p->m, HART, elp);
    p->story = story;
    p->phase = phase;
    if (!ok)
        return DID_NOT_RETURN;
    return p->xlen == 32 ? (int32_t)result : (int64_t)result;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------
 */

static bool find_symbols(struct check_probe *p, const char *kernel, struct err *e)
{
    const struct {
        const char *name;
        uint64_t *value;
    } symbols[] = {
        {"probe_sled", &p->sled},
        {"probe_ecall", &p->call},
        {"probe_ecall_done", &p->call_done},
        {"probe_buffer", &p->buffer},
        {"handler_select", &p->select},
        {"handler_arg", &p->arg},
        {"inject_point", &p->inject},
        {"handler_complete", &p->complete},
        {"handler_text_start", &p->handler_start},
        {"handler_text_end", &p->handler_end},
    };
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++)
        if (!machine_symbol(p->m, symbols[i].name, symbols[i].value))
            return err_set(e, "%s has no symbol %s", kernel, symbols[i].name);
    return true;
}

static bool boot(struct check_probe *p, const char *kernel, struct err *e)
{
    uint64_t ready;
    if (!machine_symbol(p->m, "probe_ready", &ready))
        return err_set(e, "%s has no symbol probe_ready", kernel);
    machine_breakpoint(p->m, HART, ready, true);
    if (machine_run(p->m, BOOT_CYCLES) != MACHINE_DEBUG)
        return err_set(e, "%s did not reach probe_ready", kernel);
    machine_breakpoint(p->m, HART, ready, false);
    return true;
}

/* What was registered, as the firmware tells it. */
static bool ask_entry(struct check_probe *p, const char *bios, struct err *e)
{
    uint64_t word[2];
    const uint64_t a[5] = {p->event, ATTR_ENTRY_PC, ARRAY_LEN(word), p->buffer, 0};
    int64_t error = probe_sbi(p, SSE_EID, SSE_READ, a);
    if (error)
        return err_set(e, "%s: READ_ATTR of ENTRY_PC failed (%" PRId64 ")", bios, error);
    probe_buffer_read(p, word, ARRAY_LEN(word));
    p->entry_pc = word[0];
    p->entry_arg = word[1];
    return true;
}

void probe_features(struct check_probe *p)
{
    struct rv_features features;
    view_features(&features, p->base, HART);
    p->has = sse_hart_has_of(&features);
}

bool probe_open(struct check_probe *p, const struct check_job *job, const struct check_env *env, bool *missing, struct err *e)
{
    const struct check_firmware *f = check_firmware(job->firmware);
    char bios[1024], kernel[1024], append[128], cpu[32];
    *p = (struct check_probe){.xlen = job->xlen, .line = f->line, .event = job->scenario->event};
    if (!p->event)
        p->event = f->event;
    check_paths(job, env, bios, kernel, sizeof bios);
    *missing = f->cached && access(bios, R_OK);
    if (*missing)
        return err_set(e, "%s is not there", bios);
    snprintf(append, sizeof append, "event=0x%" PRIx32 " %s", p->event, job->scenario->options);
    snprintf(cpu, sizeof cpu, "rv%u%s", job->xlen, job->scenario->h ? "" : ",h=off");
    const struct machine_config config = {.board = "virt", .cpu = cpu, .bios = bios, .kernel = kernel, .append = append};
    p->m = machine_new(&config, e);
    if (!p->m)
        return false;
    if (!find_symbols(p, kernel, e) || !boot(p, kernel, e) || !ask_entry(p, bios, e)) {
        machine_free(p->m);
        p->m = NULL;
        return false;
    }
    p->base = p->m;
    probe_features(p);
    p->m = machine_fork(p->base);
    machine_watch(p->m, watch, p);
    return true;
}

void probe_close(struct check_probe *p)
{
    if (p->base) {
        machine_free(p->m);
        machine_free(p->base);
    }
    p->base = p->m = NULL;
}
