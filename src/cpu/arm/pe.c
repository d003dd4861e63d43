/* A PE's life: reset, the caches derived from its state, and the loop around the handlers. */
#include "cpu/arm/pe.h"

#include "cpu/arm/access.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/debug.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/perms.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/tags.h"
#include "cpu/arm/timer.h"
#include "cpu/arm/trap.h"
#include "cpu/fp/arm_host.h"
#include "cpu/gist.h"
#include "cpu/insns.h"

#include <string.h>

/* The bytes around a load exclusive's address that stores of others must not touch (CTR_EL0.ERG). */
static uint64_t granule_of(const struct pe *p) { return UINT64_C(1) << p->cfg->erg; }

/* A store (by a PE, or by NULL from outside) hit a page in which some PE's monitor is armed: those of others that overlap are
   cleared, which is an event for WFE (Arm ARM B2.9.2, D1.6.1). */
static void monitor_store(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n)
{
    bool held = false;
    for (unsigned i = 0; i < e->cpus; i++) {
        struct pe *p = (struct pe *)e->cpu[i];
        uint64_t block = p->s.monitor_pa & ~(granule_of(p) - 1);
        if (!p->s.monitor)
            continue;
        if (e->cpu[i] != by && pa < block + granule_of(p) && block < pa + n) {
            p->s.monitor = 0;
            pe_event(p);
            if (p->s.waiting && e->running) /* it may run now, and whoever runs alone has to know: as for SEV */
                e->running->resync = true;
        } else {
            held |= (block ^ pa) < MEM_PAGE_SIZE;
        }
    }
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (flags && !held)
        *flags &= (uint8_t)~MEM_WATCH;
}

static void attach(struct pe *p, struct engine *e, const struct arm_config *cfg, const struct sysreg_map *map,
                   const struct a64_decoder *dec, uint64_t affinity, uint64_t tick_cycles)
{
    memset(p, 0, sizeof *p);
    p->cfg = cfg;
    p->map = map;
    p->plain_reg = sysreg_plain_table(map);
    p->decoder = dec;
    p->tick_cycles = tick_cycles;
    p->s.affinity = affinity;
    e->fresh = (struct uop){.fn = exec_decode_slot};
    e->end = (struct uop){.fn = exec_page_end};
    e->pte_size = 8;
    e->watch = monitor_store;
    engine_add_cpu(e, &p->cpu);
}

void pe_init(struct pe *p, struct engine *e, const struct arm_config *cfg, const struct sysreg_map *map,
             const struct a64_decoder *dec, uint64_t affinity, uint64_t tick_cycles)
{
    attach(p, e, cfg, map, dec, affinity, tick_cycles);
    pe_reset(p);
}

void pe_init_copy(struct pe *p, struct engine *e, const struct pe *from)
{
    attach(p, e, from->cfg, from->map, from->decoder, from->s.affinity, from->tick_cycles);
    p->s = from->s;
    pe_refresh(p);
}

static unsigned highest_level(const struct arm_config *c) { return arm_has(c, FEAT_EL3) ? 3 : arm_has(c, FEAT_EL2) ? 2 : 1; }

void pe_reset(struct pe *p)
{
    struct arm_state *s = &p->s;
    uint64_t cycle = s->cycle, seed = s->seed, lines = s->lines, affinity = s->affinity, offset = s->time_offset;
    uint8_t timers = s->timers;
    memset(s, 0, sizeof *s);
    s->cycle = cycle;
    s->seed = seed;
    s->lines = lines;
    s->affinity = affinity;
    s->time_offset = offset;
    s->timers = timers;
    s->wait_until = UINT64_MAX;
    s->stream_from = 0;
    /* Arm ARM AArch64.TakeReset. */
    s->pstate = PSTATE_DAIF | PSTATE_SP | (uint64_t)highest_level(p->cfg) << PSTATE_EL_SHIFT;
    s->pc = p->cfg->rvbar;
    sysreg_reset(p->map, p->cfg, &s->regs, affinity);
    pe_refresh(p);
    p->s.stream_from = pe_count(p);
}

void pe_start_at(struct pe *p, unsigned el, uint64_t pc)
{
    struct arm_regs *r = &p->s.regs;
    if (el < 3 && arm_has(p->cfg, FEAT_EL3))
        r->scr_el3 |= scr_el3_NS | scr_el3_RW | scr_el3_HCE | scr_el3_APK | scr_el3_API | scr_el3_ATA | scr_el3_FGTEn |
                      scr_el3_ECVEn | scr_el3_HXEn | scr_el3_EnSCXT | scr_el3_TCR2En | scr_el3_SCTLR2En | scr_el3_PIEn |
                      scr_el3_AIEn | scr_el3_PFAREn | scr_el3_FGTEn2 | scr_el3_RCWMASKEn;
    if (el < 2 && arm_has(p->cfg, FEAT_EL2)) {
        r->hcr_el2 |= hcr_el2_RW | hcr_el2_API | hcr_el2_APK | hcr_el2_ATA;
        r->hcrx_el2 |= hcrx_el2_TCR2En | hcrx_el2_SCTLR2En;
        r->hfgrtr2_el2 |= hfgrtr2_el2_nPFAR_EL1 | hfgrtr2_el2_nERXGSR_EL1 | hfgrtr2_el2_nRCWSMASK_EL1;
        r->hfgwtr2_el2 |= hfgwtr2_el2_nPFAR_EL1 | hfgwtr2_el2_nRCWSMASK_EL1;
        r->hfgrtr_el2 |= hfgrtr_el2_nPIRE0_EL1 | hfgrtr_el2_nPIR_EL1 | hfgrtr_el2_nPOR_EL0 | hfgrtr_el2_nPOR_EL1 |
                         hfgrtr_el2_nS2POR_EL1 | hfgrtr_el2_nRCWMASK_EL1 | hfgrtr_el2_nMAIR2_EL1 | hfgrtr_el2_nAMAIR2_EL1;
        r->hfgwtr_el2 |= hfgwtr_el2_nPIRE0_EL1 | hfgwtr_el2_nPIR_EL1 | hfgwtr_el2_nPOR_EL0 | hfgwtr_el2_nPOR_EL1 |
                         hfgwtr_el2_nS2POR_EL1 | hfgwtr_el2_nRCWMASK_EL1 | hfgwtr_el2_nMAIR2_EL1 | hfgwtr_el2_nAMAIR2_EL1;
    }
    p->s.pstate = (p->s.pstate & ~(uint64_t)PSTATE_EL) | (uint64_t)el << PSTATE_EL_SHIFT;
    p->s.pc = pc;
    pe_refresh(p);
}

void pe_refresh(struct pe *p)
{
    p->ctx = (struct sysreg_ctx){.r = &p->s.regs, .cfg = p->cfg, .map = p->map, .live = &pe_live, .pe = p};
    p->spsr_fields = eret_fields(p->cfg);
    p->entry_sets = (arm_has(p->cfg, FEAT_MTE) ? PSTATE_TCO : 0) | (arm_has(p->cfg, FEAT_EBEP) ? PSTATE_PM : 0);
    p->s.x[REG_SP] = p->s.sp[p->s.pstate & PSTATE_SP ? (p->s.pstate & PSTATE_EL) >> PSTATE_EL_SHIFT : 0];
    p->s.x[REG_ZR] = 0;
    flags_set(&p->fl, p->s.pstate >> 28 & 15);
    p->btype = (uint8_t)(p->s.pstate >> PSTATE_BTYPE_SHIFT & 3);
    p->btype_at = p->s.cycle;
    p->s.pstate &= ~(uint64_t)(PSTATE_NZCV | PSTATE_BTYPE);
    memset(p->mode_ctx, 0, sizeof p->mode_ctx);
    p->regimes.count = 0;
    p->levels = 0;
    perms_refresh(p);
    p->counting = 0; /* what counted belongs to the state before */
    p->armed = sysreg_armed(&p->ctx);
    pe_mode_changed(p);
    pmu_refresh(p);
    pe_deadline(p);
    pe_complete(p);
}

/* The state is whole: what is kept apart while running is put where it is saved. */
void pe_complete(struct pe *p)
{
    p->s.pstate = pe_pstate(p);
    p->s.sp[p->s.pstate & PSTATE_SP ? p->el : 0] = p->s.x[REG_SP];
}

/* The other way. */
static void take_apart(struct pe *p)
{
    flags_set(&p->fl, p->s.pstate >> 28 & 15);
    p->btype = (uint8_t)(p->s.pstate >> PSTATE_BTYPE_SHIFT & 3);
    p->btype_at = p->s.cycle;
    p->s.pstate &= ~(uint64_t)(PSTATE_NZCV | PSTATE_BTYPE);
}

/* ---- what a level caches ------------------------------------------------------------------------------------------------ */

static void level_make(struct pe *p, unsigned el)
{
    struct pe_level *l = &p->level[el];
    unsigned regime = regime_of(p, el);
    uint64_t sctlr = sctlr_of(p, regime);
    for (unsigned pan = 0; pan < 2; pan++)
        l->plain[pan] = (struct access_mode){
            .el = (uint8_t)el, .regime = (uint8_t)regime, .pan = pan && el, .number = (uint8_t)(el | (pan && el ? MODE_PAN : 0))};
    l->unpriv_mode = (struct access_mode){.el = 0, .regime = (uint8_t)regime, .unpriv = true};
    l->fp_ready = pe_fp_trapped_to(p, el) == 0;
    l->sp_check = sctlr & (el ? sctlr_el1_SA : sctlr_el1_SA0) ? 15 : 0;
    /* Of LDTR and STTR, too: BigEndian goes by PSTATE.EL. Arm ARM SCTLR_EL1, E0E. */
    l->big_endian = (sctlr & (el ? sctlr_el1_EE : sctlr_el1_E0E)) != 0;
    l->strict = (sctlr & sctlr_el1_A) != 0;
    l->pac_on = (uint8_t)((sctlr & sctlr_el1_EnIA ? 1 : 0) | (sctlr & sctlr_el1_EnIB ? 2 : 0) | (sctlr & sctlr_el1_EnDA ? 4 : 0) |
                          (sctlr & sctlr_el1_EnDB ? 8 : 0));
    /* LDTR and STTR are as EL0 at EL1, and at EL2 of a host. Arm ARM CreateAccDescGPR, AArch64.IsUnprivAccessPriv. */
    l->unpriv = el == 1 || (el == 2 && el0_in_host(p));
    l->checks = (uint8_t)((tags_checked(p, el, regime) ? CHECKS_PLAIN : 0) |
                          (l->unpriv && tags_checked(p, 0, regime) ? CHECKS_UNPRIV : 0));
    p->levels |= (uint8_t)(1u << el);
}

static bool pe_fp_hosted(const struct pe *p) { return p->fp_ready && !p->fp_exact && fp_arm_hosted(p->s.fpcr); }

/* Tags are checked: of plain accesses, of LDTR and STTR, or both. unpriv: those are not plain. */
static void check_tags(struct pe *p, unsigned checks, bool unpriv)
{
    p->no_fast |= NO_FAST_TAGS;
    p->plain.checked = checks & CHECKS_PLAIN;
    p->unpriv.checked = checks & (unpriv ? CHECKS_UNPRIV : CHECKS_PLAIN);
    p->plain.number |= p->plain.checked ? MODE_TAGGED : 0;
    p->unpriv.number |= p->unpriv.checked ? MODE_TAGGED : 0;
}

void pe_mode_changed(struct pe *p)
{
    unsigned el = (unsigned)(p->s.pstate & PSTATE_EL) >> PSTATE_EL_SHIFT;
    p->el = p->ctx.el = (uint8_t)el;
    p->ctx.spsel = p->s.pstate & PSTATE_SP;
    p->mode = sysreg_mode_of(&p->s.regs, el);
    if (unlikely(!(p->levels >> el & 1)))
        level_make(p, el);
    const struct pe_level *l = &p->level[el];
    bool pan = p->s.pstate & PSTATE_PAN, unpriv = l->unpriv && !(p->s.pstate & PSTATE_UAO);
    p->fp_ready = l->fp_ready;
    p->fp_host = pe_fp_hosted(p);
    p->sp_check = l->sp_check;
    p->big_endian = l->big_endian;
    p->strict = l->strict;
    p->pac_on = l->pac_on;
    p->plain = l->plain[pan];
    p->unpriv = unpriv ? l->unpriv_mode : l->plain[pan];
    p->no_fast = (uint8_t)((l->big_endian ? NO_FAST_ENDIAN : 0) | (p->s.x[REG_SP] & l->sp_check ? NO_FAST_SP : 0));
    if (unlikely(p->s.regs.mdscr_el1)) {
        p->no_fast |= debug_watches(p) ? NO_FAST_WATCH : 0;
        p->debug_step = debug_steps(p);
    } else {
        p->debug_step = 0;
    }
    if (unlikely(l->checks) && !(p->s.pstate & PSTATE_TCO))
        check_tags(p, l->checks, unpriv);
    pmu_level(p);
    pe_context(p);
}

void pe_sp_look(struct pe *p)
{
    bool bad = p->s.x[REG_SP] & p->sp_check;
    if (bad == ((p->no_fast & NO_FAST_SP) != 0))
        return;
    p->no_fast = (uint8_t)(p->no_fast ^ NO_FAST_SP);
    pe_context(p);
}

bool pe_bt_strict(const struct pe *p) { return sctlr_of(p, regime_of(p, p->el)) & (p->el ? sctlr_el1_BT1 : sctlr_el1_BT0); }

/* ---- floating point ----------------------------------------------------------------------------------------------------------
 */

uint64_t pe_fpsr(const struct pe *p) { return p->s.fpsr | (p->executing ? fp_arm_fpsr(fp_flags_get()) : 0); }

void pe_set_fpsr(struct pe *p, uint64_t fpsr)
{
    p->s.fpsr = fpsr;
    if (p->executing)
        fp_flags_set(0);
}

void pe_set_fpcr(struct pe *p, uint64_t fpcr)
{
    p->s.fpcr = fpcr;
    p->fp_host = pe_fp_hosted(p);
    if (p->executing)
        fp_rm_set(fp_arm_env(fpcr).rm);
}

/* ---- what system register writes cause ------------------------------------------------------------------------------------- */

bool pe_effects(struct pe *p, uint32_t fx)
{
    const uint32_t level =
        SYSREG_FX_TLB | SYSREG_FX_FP | SYSREG_FX_DEBUG | SYSREG_FX_FETCH | SYSREG_FX_PAUTH | SYSREG_FX_TAG | SYSREG_FX_STATE;
    if ((fx & (SYSREG_FX_GIC | SYSREG_FX_STATE)) && p->env && p->env->gic_changed)
        p->env->gic_changed(p->env_ctx, p);
    if (fx & SYSREG_FX_CHECK)
        p->armed = sysreg_armed(&p->ctx);
    if (fx & SYSREG_FX_COUNT)
        pmu_sync(p);
    if (fx & (SYSREG_FX_TIMER | SYSREG_FX_COUNT)) {
        timer_stream_sync(p);
        pe_deadline(p);
    }
    if (fx & level) {
        p->levels = 0;
        perms_refresh(p);
        if (fx & (SYSREG_FX_TLB | SYSREG_FX_STATE))
            memset(p->mode_ctx, 0, sizeof p->mode_ctx);
        pe_mode_changed(p);
    } else if ((fx & SYSREG_FX_IRQ) && p->s.regs.mdscr_el1) {
        pe_mode_changed(p); /* PSTATE.D */
    }
    if (p->deadline < p->cpu.limit || p->debug_step || p->count_step)
        return true; /* the run loop computes its limit anew */
    return p->cpu.resync || ((fx & (SYSREG_FX_IRQ | SYSREG_FX_TIMER | SYSREG_FX_STATE | SYSREG_FX_GIC)) && pe_irq_look(p));
}

/* ---- the run loop ------------------------------------------------------------------------------------------------------------
 */

/* Runs guest code from s.pc until the cycle `limit`, or until a handler has something for the loop. */
static void run_handlers(struct pe *p, uint64_t limit)
{
    struct cpu *c = &p->cpu;
    c->limit = limit;
    c->resync = false;
    p->executing = 1;
    fp_host_enter(fp_arm_env(p->s.fpcr).rm, 0);
    if (unlikely(c->engine->insns))
        insn_begin(c);
    exec_enter(p, (int64_t)(limit - p->s.cycle));
#ifdef TL_ENGINE_PLAIN
    while (c->next)
        c->next->fn(c, c->next, c->left);
#endif
    if (unlikely(c->engine->insns))
        insn_finish(c);
    p->s.fpsr |= fp_arm_fpsr(fp_host_leave());
    p->executing = 0;
    p->s.cycle = cpu_now(c, c->left);
}

/* How long one stretch without a look may be: it keeps `left` positive and small. */
#define STRETCH_MAX (UINT64_C(1) << 40)

/* Makes the stores of p be seen that clear the monitors of others. What says so is their state alone: page flags are a cache, and
   a fork begins without. */
static void watch_others(struct pe *p)
{
    struct engine *e = p->cpu.engine;
    for (unsigned i = 0; i < e->cpus; i++) {
        struct pe *other = (struct pe *)e->cpu[i];
        if (other != p && other->s.monitor)
            pe_watch_monitor(other);
    }
}

/* The tag of a branch's target goes when the branch is done, not only when something is fetched there: an exception between the
   two finds an address without (Arm ARM BranchTo, AArch64.BranchAddr). */
static void settle_pc(struct pe *p)
{
    uint64_t pc = pe_branch_address(p, p->s.pc);
    if (likely(pc == p->s.pc))
        return;
    p->s.pc = pc;
    if (p->cpu.engine->insns) {
        insn_goes(&p->cpu);
        gist_pc(&p->cpu);
    }
}

/* Takes e at an instruction boundary. */
static void take(struct pe *p, const struct arm_exception *e)
{
    settle_pc(p);
    p->cpu.resync = false;
    pe_took(p, e); /* first: who is told of the exception sees what is pending behind it */
    take_exception(p, e);
}

/* A synchronous exception that comes before the instruction at s.pc: it takes the place of one. */
static bool due_before(struct pe *p)
{
    if (unlikely(p->s.waiting)) {
        pe_wait_trap(p);
        return true;
    }
    unsigned profiling = pmu_exception(p);
    if (likely(!p->debug_step) && likely(!(p->s.pstate & PSTATE_IL)) && likely(!profiling))
        return false;
    settle_pc(p);
    if (p->debug_step && debug_step_due(p))
        return true;
    if (profiling) { /* of an asynchronous one the place is IMPLEMENTATION DEFINED */
        p->exc = (struct arm_exception){.ec = EC_PROFILING, .el = (uint8_t)profiling, .iss = (p->s.pstate & PSTATE_PPEND) != 0};
        return true;
    }
    if (p->debug_step && debug_breakpoint_due(p))
        return true;
    if (!(p->s.pstate & PSTATE_IL))
        return false;
    /* A misaligned PC and an abort of the fetch come first (D1.3.6 "Synchronous exception prioritization"): the handlers find
     * them. */
    if ((p->s.pc & 3) || !pe_fetch(p, p->s.pc, &p->slow.insn))
        return false;
    p->exc = (struct arm_exception){.ec = EC_ILLEGAL_STATE};
    return true;
}

/* One instruction, with the debug events around it, and counters of what it does. */
static void step(struct pe *p)
{
    uint64_t idle = p->s.idle;
    uint32_t insn = 0;
    bool stepping = debug_stepping(p), exclusive = pe_fetch(p, p->s.pc, &insn) && a64_is_exclusive(insn) && insn & 1 << 22;
    struct pmu_alone alone;
    p->exc.next = false;
    settle_pc(p);
    pmu_alone_begin(p, &alone, insn);
    run_handlers(p, p->s.cycle + 1);
    if (p->cpu.stop == CPU_STOP_DEBUG) { /* it was not executed */
        pmu_alone_drop(p, &alone);
        return;
    }
    bool taken = p->s.idle != idle || p->exc.next; /* SVC, HVC and SMC count as executed, and take an exception */
    debug_after(p, stepping, taken, exclusive);
    pmu_alone_end(p, &alone, taken);
}

enum cpu_stop pe_run(struct pe *p, uint64_t until)
{
    struct arm_exception e;
    enum cpu_stop stop;
    struct engine *engine = p->cpu.engine;
    engine_sweep(engine);
    watch_others(p);
    engine->running = &p->cpu;
    take_apart(p);
    pe_mode_changed(p); /* the contexts may have been dropped */
    p->cpu.stop = CPU_STOP_RESYNC;
    bool asked = false;
    for (;;) {
        if (p->s.cycle >= p->deadline)
            pe_deadline(p);
        stop = CPU_STOP_HALT;
        if (p->s.parked)
            break;
        stop = CPU_STOP_WAIT;
        if (p->s.waiting) {
            bool wakes = pe_wakes(p);
            if (!wakes && !(p->s.trap_at && p->s.cycle >= p->s.trap_at)) {
                pmu_level(p); /* cycles that retire nothing begin */
                break;
            }
            if (wakes)
                pe_wait_over(p);
        }
        stop = CPU_STOP_LIMIT;
        if (p->s.cycle >= until)
            break;
        stop = p->cpu.stop;
        if (asked)
            break;
        if (pe_pending(p, &e)) {
            cpu_took(&p->cpu, p->s.cycle);
            take(p, &e);
            if (p->cpu.resync) /* pe_env.trapped wants to stop here */
                break;
            continue;
        }
        if (unlikely(due_before(p))) {
            take(p, &p->exc);
            p->s.cycle++;
            p->s.idle++;
            asked = p->cpu.resync;
            continue;
        }
        uint64_t limit = until < p->deadline ? until : p->deadline;
        if (unlikely(p->debug_step | p->count_step))
            step(p);
        else
            run_handlers(p, limit < p->s.cycle + STRETCH_MAX ? limit : p->s.cycle + STRETCH_MAX);
        asked = p->cpu.resync || p->cpu.stop == CPU_STOP_DEBUG;
    }
    engine->running = NULL;
    pe_complete(p);
    return stop;
}
