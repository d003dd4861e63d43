/* A64 as the folders above cpu/ see it. */
#include "cpu/arm/arch.h"
#include "base/hash.h"
#include "cpu/arm/access.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/gic_cpuif.h"
#include "cpu/arm/insninfo.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/timer.h"
#include "mem/gic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A PE, and what of the machine's environment it is told. */
struct arm_cpu {
    struct pe pe; /* must be first */
    struct pe_env env;
};

static struct pe *pe(struct cpu *c) { return (struct pe *)c; }
static const struct pe *pe_of(const struct cpu *c) { return (const struct pe *)c; }

_Static_assert(CPU_SECURE_ONLY == ARM_SECURE_ONLY, "the same ranges");
_Static_assert(offsetof(struct pe, s) == sizeof(struct cpu), "cpu_progress finds the state behind struct cpu");
_Static_assert(offsetof(struct arm_state, cycle) == offsetof(struct cpu_progress, cycle) &&
                   offsetof(struct arm_state, idle) == offsetof(struct cpu_progress, idle) &&
                   offsetof(struct arm_state, waiting) == offsetof(struct cpu_progress, waiting) &&
                   offsetof(struct arm_state, halted) == offsetof(struct cpu_progress, halted) &&
                   offsetof(struct arm_state, parked) == offsetof(struct cpu_progress, parked),
               "the state begins with struct cpu_progress");

/* ---- the configuration
 * ------------------------------------------------------------------------------------------------------------ */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static void kind_free(struct cpu_kind *k)
{
    struct arm_kind *a = (struct arm_kind *)k;
    sysreg_map_free(a->map);
    a64_decoder_free(a->decoder);
    free(a->sysreg);
    free(a);
}

static struct cpu_kind *kind_new(const struct cpu_choice *choice, struct err *e)
{
    struct arm_config cfg;
    if (!arm_config_parse(choice->text, &cfg, e))
        return NULL;
    cfg.rvbar = choice->reset_pc;
    cfg.cntfrq = choice->tick_hz;
    for (unsigned i = 0; arm_has(&cfg, FEAT_EL3) && i < ARM_SECURE_ONLY; i++) {
        cfg.secure_only[i].base = choice->secure_only[i].start;
        cfg.secure_only[i].end = choice->secure_only[i].end;
    }
    struct arm_kind *a = must(calloc(1, sizeof *a));
    a->cfg = cfg;
    a->map = must(sysreg_map_new(&a->cfg));
    a->decoder = must(a64_decoder_new(&a->cfg));
    a->kind = (struct cpu_kind){.arch = &arm_arch,
                                .bits = 64,
                                .tick_cycles = choice->tick_cycles,
                                .digest = hash_bytes(&cfg, sizeof cfg),
                                .secure = arm_has(&cfg, FEAT_EL3),
                                .nmi = arm_has(&cfg, FEAT_NMI),
                                .tags = arm_has(&cfg, FEAT_MTE2)};
    snprintf(a->kind.name, sizeof a->kind.name, "%s", arm_core_name(cfg.core));
    arm_registers_find(a);
    return &a->kind;
}

static unsigned levels(const struct cpu_kind *k)
{
    const struct arm_config *c = &((const struct arm_kind *)k)->cfg;
    return 3u | (arm_has(c, FEAT_EL2) ? 4u : 0u) | (arm_has(c, FEAT_EL3) ? 8u : 0u);
}

/* ---- what the machine provides
 * ---------------------------------------------------------------------------------------------------- */

static bool semihost(void *ctx, struct pe *p)
{
    const struct cpu_env *env = p->cpu.env;
    uint64_t result;
    (void)ctx;
    if (!env->semihost(p->cpu.env_ctx, &p->cpu, (uint32_t)p->s.x[0], p->s.x[1], &result))
        return false;
    p->s.x[0] = result;
    return true;
}

static bool firmware(void *ctx, struct pe *p, bool smc)
{
    (void)ctx;
    return p->cpu.env->firmware(p->cpu.env_ctx, &p->cpu, p->s.x, smc);
}

static void trapped(void *ctx, struct pe *p, const struct pe_was *c)
{
    unsigned from = (unsigned)(c->pstate >> 2 & 3), to = p->el;
    struct cpu_change change = {.is_return = !c->exc,
                                .within = !c->exc || c->exc->type == EXCEPTION_SYNCHRONOUS,
                                .priv = (uint8_t)from,
                                .v = secure_state(p, from),
                                .to_priv = (uint8_t)to,
                                .to_v = secure_state(p, to),
                                .epc = c->pc,
                                .pc = p->s.pc};
    const struct arm_regs *r = &p->s.regs;
    (void)ctx;
    if (c->exc) {
        change.interrupt = c->exc->type != EXCEPTION_SYNCHRONOUS;
        change.cause = change.interrupt ? (uint64_t)(c->exc->type - EXCEPTION_IRQ)
                       : to == 3        ? r->esr_el3
                       : to == 2        ? r->esr_el2
                                        : r->esr_el1;
        change.tval = c->exc->far_valid ? c->exc->far : 0;
        change.tval2 = c->exc->ipa_valid ? r->hpfar_el2 : 0;
    }
    p->cpu.env->trapped(p->cpu.env_ctx, &p->cpu, &change);
}

/* Private peripheral interrupts: BSA 1.0, "PPI assignments". */
static void timer(void *ctx, struct pe *p, enum arm_timer t, bool level)
{
    static const uint8_t ppi[TIMER_COUNT] = {
        [TIMER_PHYS] = 30,   [TIMER_VIRT] = 27,         [TIMER_HYP_PHYS] = 26,    [TIMER_HYP_VIRT] = 28,
        [TIMER_SECURE] = 29, [TIMER_SEC_HYP_PHYS] = 20, [TIMER_SEC_HYP_VIRT] = 19};
    (void)ctx;
    gic_ppi(p, ppi[t], level);
}

static void pmu(void *ctx, struct pe *p, bool level)
{
    (void)ctx;
    gic_ppi(p, 23, level);
}

static uint64_t read_gic(void *ctx, struct pe *p, unsigned id)
{
    (void)ctx;
    return gic_read(p, id);
}

static uint32_t write_gic(void *ctx, struct pe *p, unsigned id, uint64_t value)
{
    (void)ctx;
    return gic_write(p, id, value);
}

static void changed(void *ctx, struct pe *p)
{
    (void)ctx;
    gic_changed(p);
}

/* What is absent in the machine's environment is absent in the PE's. */
static void provide(struct cpu *c)
{
    struct arm_cpu *a = (struct arm_cpu *)c;
    const struct cpu_env *env = c->env;
    a->env = (struct pe_env){.semihost = env && env->semihost ? semihost : NULL,
                             .firmware = env && env->firmware ? firmware : NULL,
                             .trapped = env && env->trapped ? trapped : NULL,
                             .timer = timer,
                             .pmu = pmu,
                             .gic_read = read_gic,
                             .gic_write = write_gic,
                             .gic_changed = changed};
    a->pe.env = &a->env;
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------------------- */

static void init(struct cpu *c, struct engine *e, const struct cpu_kind *k)
{
    const struct arm_kind *a = (const struct arm_kind *)k;
    unsigned n = e->cpus;
    pe_init(pe(c), e, &a->cfg, a->map, a->decoder, n / 16 << 8 | n % 16, k->tick_cycles);
    provide(c);
}

static void copy(struct cpu *c, struct engine *e, const struct cpu *from)
{
    pe_init_copy(pe(c), e, pe_of(from));
    provide(c);
}

/* Power-on of one PE. What the distributor knows of it stays; it learns that the interface's groups are off. */
static void power_on(struct pe *p, uint64_t cycle, uint64_t idle)
{
    uint64_t set = p->s.gic.set;
    uint8_t one_state = p->s.gic.one_state, timers = p->s.timers;
    p->s.lines = 0;
    p->s.cycle = cycle;
    p->s.timers = 0;
    pe_reset(p);
    p->s.idle = idle;
    p->s.gic.set = set;
    p->s.gic.one_state = one_state;
    p->s.gic.enables = 0xff;
    for (unsigned t = 0; t < TIMER_COUNT; t++)
        if (timers >> t & 1)
            timer(NULL, p, (enum arm_timer)t, false);
    gic_changed(p);
}

static void reset(struct cpu *c, uint64_t cycle, uint64_t seed)
{
    struct pe *p = pe(c);
    p->s.time_offset = 0;
    p->s.seed = seed;
    power_on(p, cycle, cycle ? p->s.idle : 0);
}

static void start(struct cpu *c, unsigned level, uint64_t pc, uint64_t arg)
{
    struct pe *p = pe(c);
    power_on(p, p->s.cycle, p->s.idle);
    pe_start_at(p, level, pc);
    p->s.x[0] = arg;
    gic_changed(p);
    p->cpu.resync = true;
}

static void refresh(struct cpu *c) { pe_refresh(pe(c)); }

/* ---- running
 * ---------------------------------------------------------------------------------------------------------------------- */

static enum cpu_stop run(struct cpu *c, uint64_t until)
{
    provide(c);
    return pe_run(pe(c), until);
}

/* A timer that is due now makes its interrupt pending by pe_deadline. */
static uint64_t due(struct cpu *c)
{
    struct pe *p = pe(c);
    if (p->s.cycle >= p->deadline)
        pe_deadline(p);
    return p->deadline;
}

static bool wakes(struct cpu *c)
{
    due(c);
    return pe_wakes(pe(c));
}

static void line(struct cpu *c, unsigned irq, bool level)
{
    if (irq < 6)
        pe_line(pe(c), irq, level);
}

static void signal(struct cpu *c, unsigned what, uint64_t value) { gic_signal(pe(c), what, value); }

static void set_time_offset(struct cpu *c, uint64_t offset)
{
    pe(c)->s.time_offset = offset;
    pe_deadline(pe(c));
}

/* Why there is no such input, and which option would make it. */
static bool no_input(unsigned line, struct err *e)
{
    if (line == 3)
        return err_set(e, "the PE has no FEAT_NMI (-cpu nmi=on)");
    if (line >= 4 && line <= 6)
        return err_set(e, "there is no EL2 whose guest could take it (-machine virt-arm,virtualization=on)");
    return err_set(e, "an A64 cpu has no input %u", line);
}

/* Inputs 0 IRQ, 1 FIQ, 3 IRQ with Superpriority, 4 virtual IRQ, 5 virtual FIQ are raised beside what the GIC makes of them; 6 is
   HCR_EL2.VSE. A bus error is a physical SError with `address` as its syndrome (ESR_ELx.ISS). */
static bool inject(struct cpu *c, const struct injection *i, struct err *e)
{
    struct pe *p = pe(c);
    const bool el2 = arm_has(p->cfg, FEAT_EL2);
    if (i->kind == INJECT_BUS) {
        p->s.serror = 1;
        p->s.serror_iss = i->address & 0x1ffffff;
    } else if (i->kind != INJECT_LINE) {
        return e ? err_set(e, "an A64 cpu has no such event") : false;
    } else if (i->line == 6 && el2) {
        p->s.regs.hcr_el2 = i->how == INJECT_LOWER ? p->s.regs.hcr_el2 & ~hcr_el2_VSE : p->s.regs.hcr_el2 | hcr_el2_VSE;
    } else if (i->line < 2 || (i->line == 3 && arm_has(p->cfg, FEAT_NMI)) || ((i->line == 4 || i->line == 5) && el2)) {
        uint64_t super = i->line == 3 ? LINE_IRQ_SUPER : 0, bit = super ? LINE_IRQ : UINT64_C(1) << i->line;
        uint64_t raised = (bit | super) << LINE_INJECTED, pulse = bit << LINE_PULSE;
        p->s.lines &= ~(raised | pulse | (bit == LINE_IRQ ? (uint64_t)LINE_IRQ_SUPER << LINE_INJECTED : 0));
        p->s.lines |= i->how == INJECT_LOWER ? 0 : i->how == INJECT_RAISE ? raised : raised | pulse;
    } else {
        return e ? no_input(i->line, e) : false;
    }
    p->cpu.resync = true;
    return true;
}

/* No instruction accesses: no tag is checked. */
static bool load(struct cpu *c, uint64_t va, void *p, uint64_t n)
{
    struct pe *a = pe(c);
    struct access_mode m = a->plain;
    uint8_t *out = p;
    m.checked = false;
    c->unwatched = true;
    for (; n && pe_load(a, va, 1, 1, &m); n--, va++)
        *out++ = a->slow.data[0];
    c->unwatched = false;
    return !n;
}

static bool store(struct cpu *c, uint64_t va, const void *p, uint64_t n)
{
    struct pe *a = pe(c);
    struct access_mode m = a->plain;
    const uint8_t *in = p;
    m.checked = false;
    c->unwatched = true;
    for (; n; n--, va++) {
        a->slow.data[0] = *in++;
        if (!pe_store(a, va, 1, 1, &m))
            break;
    }
    c->unwatched = false;
    return !n;
}

static bool translate(struct cpu *c, uint64_t va, uint64_t *pa)
{
    struct pe *p = pe(c);
    const struct access_mode m = {.el = p->el, .regime = p->plain.regime, .probe = true};
    struct xlate x;
    if (!pe_translate(p, va, 1, ACCESS_LOAD, &m, &x))
        return false;
    *pa = x.pa;
    return true;
}

static const char *mode(const struct cpu *c)
{
    static const char *const names[2][4] = {{"EL0", "EL1", "EL2", "EL3"}, {"Secure EL0", "Secure EL1", "Secure EL2", "EL3"}};
    const struct pe *p = pe_of(c);
    unsigned el = (unsigned)(p->s.pstate >> 2 & 3);
    return names[arm_has(p->cfg, FEAT_EL3) && secure_state(p, el)][el];
}

/* ---- state
 * ------------------------------------------------------------------------------------------------------------------------ */

static void put_back(struct cpu *c, const void *state)
{
    struct pe *p = pe(c);
    struct arm_state now = p->s;
    memcpy(&p->s, state, sizeof p->s);
    p->s.lines = now.lines;
    p->s.gic.set = now.gic.set;
    p->s.gic.one_state = now.gic.one_state;
    p->s.serror = now.serror;
    p->s.monitor = 0;
    pe_refresh(p);
}

static void pieces(struct cpu *c, cpu_piece_fn *fn, void *ctx)
{
    struct arm_state *s = &pe(c)->s;
    s->x[REG_SINK] = 0; /* results nobody reads */
    pmu_sync(pe(c));    /* counters and events as they are now, however long ago they were brought up to date */
    timer_stream_sync(pe(c));
#define STATE(member, count, bytes, meaning) fn(ctx, #member, &s->member, sizeof s->member);
#include "cpu/arm/state.def"
#undef STATE
#define PIECE_OWN(name)   fn(ctx, "reg." #name, &s->regs.name, sizeof s->regs.name);
#define PIECE_OWNS(name)  PIECE_OWN(name)
#define PIECE_BANK(name)  PIECE_OWN(name)
#define PIECE_BANKS(name) PIECE_OWN(name)
#define PIECE_VIEW(name)
#define PIECE_CONST(name)
#define PIECE_LIVE(name)
#define ROW(kind, name, ...)           PIECE_##kind(name)
#define RANGE(kind, name, suffix, ...) PIECE_##kind(name##suffix)
#define ALIAS(...)
#define INSN(...)
#define GROUP(...)
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
#undef GROUP
}

static const char *fault(const struct cpu *c)
{
    const struct pe *p = pe_of(c);
    const struct arm_state *s = &p->s;
    unsigned el = (unsigned)(s->pstate >> 2 & 3);
    if (s->x[REG_ZR])
        return "x";
    if (s->pstate & ~arm_pstate_mask(p->cfg) || (el == 3 && !arm_has(p->cfg, FEAT_EL3)) ||
        (el == 2 && !arm_has(p->cfg, FEAT_EL2)) || (el == 0 && (s->pstate & 1)))
        return "pstate";
    if (s->waiting > 2 || s->halted > 1 || s->parked > 1 || s->event > 1 || s->serror > 1 || s->monitor > 32)
        return "waiting, halted, parked, event, serror or monitor";
    if (s->gic.maintenance > 1 || s->gic.one_state > 1)
        return "gic";
    return NULL;
}

const struct cpu_arch arm_arch = {
    .name = "arm",
    .title = "AArch64",
    .cpu_size = sizeof(struct arm_cpu),
    .state_size = sizeof(struct arm_state),
    .slot_shift = 2,
    .elf_machine = 183,
    .linux_magic = "ARM\x64",
    .kind_new = kind_new,
    .kind_free = kind_free,
    .levels = levels,
    .describe = arm_describe,
    .init = init,
    .copy = copy,
    .reset = reset,
    .start = start,
    .refresh = refresh,
    .run = run,
    .wakes = wakes,
    .due = due,
    .line = line,
    .inject = inject,
    .signal = signal,
    .set_time_offset = set_time_offset,
    .argument = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"},
    .get_reg = arm_get_reg,
    .set_reg = arm_set_reg,
    .mode = mode,
    .register_at = arm_register_at,
    .register_named = arm_register_named,
    .get_register = arm_get_register,
    .set_register = arm_set_register,
    .load = load,
    .store = store,
    .translate = translate,
    .put_back = put_back,
    .insns = &a64_insn_layout,
    .pieces = pieces,
    .fault = fault,
};
