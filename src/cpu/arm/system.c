/* System registers and instructions, calls to higher levels, waiting. Arm ARM C5, D1.3, D1.6. */
#include "cpu/arm/access.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/debug.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/timer.h"
#include "cpu/arm/trap.h"
#include "cpu/arm/walk.h"

#include "base/rng.h"

/* COND of conditional instructions in the ISS of traps: always. Arm ARM ConditionSyndrome. */
#define ISS_COND_ALWAYS (0x1eu << 20)

/* ---- traps of system registers ----------------------------------------------------------------------------------------- */

/* ESR_ELx, "ISS encoding for an exception from MSR, MRS, or System instruction execution in AArch64 state". */
static uint32_t sysreg_iss(uint32_t insn)
{
    return (insn >> 19 & 3) << 20 | (insn >> 5 & 7) << 17 | (insn >> 16 & 7) << 14 | (insn >> 12 & 15) << 10 | (insn & 31) << 5 |
           (insn >> 8 & 15) << 1 | (insn >> 21 & 1);
}

/* False, with p->exc set, unless the access is allowed; then *id is what it reaches. */
static bool check(struct pe *p, uint32_t insn, unsigned *id, bool write)
{
    struct sysreg_access a = sysreg_check(&p->ctx, *id, write);
    if (likely(a.result == SYSREG_OK)) {
        *id = a.id;
        return true;
    }
    p->exc = (struct arm_exception){.ec = EC_UNKNOWN};
    if (a.result == SYSREG_TRAP) {
        p->exc.ec = a.ec;
        p->exc.el = a.el;
        p->exc.iss = a.ec == EC_SYSREG ? sysreg_iss(insn) : a.ec == EC_FP_ACCESS ? ISS_COND_ALWAYS : 0;
    }
    return false;
}

bool pe_mrs(struct pe *p, uint32_t insn, unsigned id)
{
    if (unlikely(!check(p, insn, &id, false)))
        return false;
    p->slow.value = sysreg_read(&p->ctx, id);
    return true;
}

/* Whether event streams depend on a register. */
static bool directs_streams(unsigned id)
{
    return id == SR_cntkctl_el1 || id == SR_cnthctl_el2 || id == SR_cntvoff_el2 || id == SR_cntpoff_el2 || id == SR_hcr_el2 ||
           id == SR_scr_el3;
}

bool pe_msr(struct pe *p, uint32_t insn, unsigned id, uint64_t value)
{
    if (unlikely(!check(p, insn, &id, true)))
        return false;
    if (unlikely(directs_streams(id)))
        timer_stream_sync(p); /* events until now are of the streams as they were */
    p->slow.effects = sysreg_write(&p->ctx, id, value);
    return true;
}

/* ---- MSR (immediate) ---------------------------------------------------------------------------------------------------- */

/* A PSTATE bit that MSR (immediate) sets to bit 0 of its operand; 0: it is none of these. */
static uint64_t pstate_bit(unsigned id)
{
    switch (id) {
    case SR_msr_uao: return PSTATE_UAO;
    case SR_msr_pan: return PSTATE_PAN;
    case SR_msr_spsel: return PSTATE_SP;
    case SR_msr_ssbs: return PSTATE_SSBS;
    case SR_msr_dit: return PSTATE_DIT;
    case SR_msr_tco: return PSTATE_TCO;
    case SR_msr_allintclr:
    case SR_msr_allintset: return PSTATE_ALLINT;
    case SR_msr_pmclr:
    case SR_msr_pmset: return PSTATE_PM;
    default: return 0;
    }
}

bool pe_msr_imm(struct pe *p, uint32_t insn)
{
    unsigned id = sysreg_find_imm(p->map, insn), crm = insn >> 8 & 15;
    if (!check(p, insn, &id, true))
        return false;
    uint64_t bit = pstate_bit(id), daif = (uint64_t)crm << 6, old = p->s.pstate;
    p->slow.effects = SYSREG_FX_IRQ;
    if (bit) {
        pe_set_pstate(p, crm & 1 ? old | bit : old & ~bit);
        p->slow.effects = bit & (PSTATE_UAO | PSTATE_PAN)                 ? SYSREG_FX_TLB
                          : bit == PSTATE_TCO                             ? SYSREG_FX_TAG
                          : bit & (PSTATE_ALLINT | PSTATE_SP | PSTATE_PM) ? SYSREG_FX_IRQ
                                                                          : 0;
    } else if (id == SR_msr_daifset) {
        p->s.pstate |= daif;
    } else {
        p->s.pstate &= ~daif;
    }
    if (daif & PSTATE_D)
        p->slow.effects |= SYSREG_FX_DEBUG;
    return true;
}

/* ---- address translation and cache maintenance -------------------------------------------------------------------------- */

#define PAR_F       1u
#define PAR_RES1    (1u << 11)
#define PAR_ASSURED (1u << 12)
#define PAR_TOP     (1u << 13)
#define PAR_OVERLAY (1u << 14)
#define PAR_DIRTY   (1u << 15)

/* Arm ARM AArch64.AT, AArch64.EncodePAR. False: an exception is taken instead. */
static bool address_translate(struct pe *p, struct sysreg_op op, uint64_t va)
{
    struct xlate x;
    struct access_mode m = {.el = op.el, .at = true, .stage1 = !(op.flags & OP_STAGE12)};
    m.regime = (uint8_t)(op.flags & OP_STAGE12 ? 1 : op.regime);
    if (m.stage1 && m.el < 2 && el0_in_host(p)) { /* AT S1E0x, S1E1x: of the host */
        m.regime = 2;
        m.el = m.el ? 2 : 0;
    }
    if (!el2_enabled(p))
        m.stage1 = true;
    m.any = op.flags & OP_ANY;
    m.pan = (op.flags & OP_PAN) && (p->s.pstate & PSTATE_PAN);
    if (pe_translate(p, va, 1, op.flags & OP_WRITE ? ACCESS_STORE : ACCESS_LOAD, &m, &x)) {
        uint64_t sh = x.device || x.attr == ATTR_NORMAL_NC || x.attr == 0x40 ? 2 : x.sh;
        p->s.regs.par_el1 = (uint64_t)x.attr << 56 | (x.pa & bits_mask(12, 40)) | PAR_RES1 | (uint64_t)x.ns << 9 | sh << 7;
        return true;
    }
    bool second = p->exc.ipa_valid, on_walk = p->exc.iss >> 7 & 1;
    unsigned fsc = p->exc.iss & 63;
    if (fsc == FSC_EXTERNAL || (fsc & 0x3c) == FSC_EXTERNAL_ON_WALK || fsc == 0x13 || (p->el == 1 && second && on_walk))
        return false;
    p->s.regs.par_el1 = PAR_F | (uint64_t)fsc << 1 | (uint64_t)on_walk << 8 | (uint64_t)second << 9 | PAR_RES1 |
                        (p->exc.iss2 & ISS2_OVERLAY ? PAR_OVERLAY : 0) | (p->exc.iss2 & ISS2_DIRTY ? PAR_DIRTY : 0) |
                        (p->exc.iss2 & ISS2_ASSURED ? PAR_ASSURED : 0) | (p->exc.iss & ISS_TOPLEVEL ? PAR_TOP : 0);
    return true;
}

/* CMOW_ bits of what cleans and invalidates by address, and of IC IVAU. Arm ARM D8.15.3 (rules FTXTG, BBLTJ). */
static uint8_t cmow_of(const struct pe *p)
{
    bool s1 = p->el == 0 && (sctlr_of(p, p->plain.regime) & sctlr_el1_CMOW), s2 = p->el < 2 && (hcrx_of(p) & hcrx_el2_CMOW);
    return (uint8_t)((s1 ? CMOW_S1 : 0) | (s2 ? CMOW_S2 : 0));
}

/* PSTATE.PAN is not for cache maintenance (D8.4, RPMTWB). */
static struct access_mode maintaining(const struct pe *p)
{
    struct access_mode m = p->plain;
    m.cm = true;
    m.pan = false;
    return m;
}

/* Decoded code follows memory, so nothing is left to be done. IC IVAU is translated, with all the faults of that, where it needs
   permission to write; elsewhere it is not: IMPLEMENTATION DEFINED. Arm ARM AArch64.IC; ICInstNeedsTranslation. */
static bool instruction_maintain(struct pe *p, unsigned id, uint64_t va)
{
    struct xlate x;
    struct access_mode m = maintaining(p);
    m.cmow = id == SR_ic_ivau ? cmow_of(p) : 0;
    if (likely(!m.cmow))
        return true;
    m.cmow |= CMOW_IC;
    return pe_translate(p, va, 1, ACCESS_LOAD, &m, &x);
}

/* Memory is coherent, and decoded code follows it: of cache maintenance only its faults can be seen, and those by set and way or
   for the point of unification have none. Arm ARM AArch64.DC; DCInstNeedsTranslation: IMPLEMENTATION DEFINED. */
static bool cache_maintain(struct pe *p, unsigned id, uint64_t va)
{
    struct xlate x;
    struct access_mode m = maintaining(p);
    switch (id) {
    case SR_dc_zva: return pe_zero(p, va, 1u << p->cfg->zva, &p->plain);
    case SR_dc_gva: return pe_zero_tags(p, va, false);
    case SR_dc_gzva: return pe_zero_tags(p, va, true);
    case SR_dc_ivac:
    case SR_dc_igvac:
    case SR_dc_igdvac: {
        unsigned size = 1u << p->cfg->dline;
        uint64_t line = va & ~(uint64_t)(size - 1);
        bool ok = pe_translate(p, line, 1, ACCESS_STORE, &m, &x);
        if (!ok)
            p->exc.far = va;
        return ok && !((p->no_fast & NO_FAST_WATCH) && debug_watchpoint(p, line, size, ACCESS_STORE, &m));
    }
    case SR_dc_civac:
    case SR_dc_cigvac:
    case SR_dc_cigdvac: m.cmow = cmow_of(p); return pe_translate(p, va, 1, ACCESS_LOAD, &m, &x);
    case SR_dc_cvac:
    case SR_dc_cgvac:
    case SR_dc_cgdvac:
    case SR_dc_cvap:
    case SR_dc_cgvap:
    case SR_dc_cgdvap:
    case SR_dc_cvadp:
    case SR_dc_cgvadp:
    case SR_dc_cgdvadp: return pe_translate(p, va, 1, ACCESS_LOAD, &m, &x);
    default: return true;
    }
}

/* TLBI and the instructions of speculation have nothing to do: cached translations are kept true to the tables in memory
 * (engine.h). */
bool pe_sys(struct pe *p, uint32_t insn, unsigned id, uint64_t value)
{
    p->slow.effects = 0;
    if (unlikely(!check(p, insn, &id, true)))
        return false;
    struct sysreg_op op = sysreg_op_in(p->map, id);
    switch (op.kind) {
    case SYSREG_OP_AT: return address_translate(p, op, value);
    case SYSREG_OP_DC: return cache_maintain(p, id, value);
    case SYSREG_OP_IC: return instruction_maintain(p, id, value);
    default: return true;
    }
}

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

#define SCR_FGTEN      (UINT64_C(1) << 27)
#define HFGITR_SVC_EL0 (UINT64_C(1) << 52)
#define HFGITR_SVC_EL1 (UINT64_C(1) << 53)

/* Arm ARM AArch64.CheckForSVCTrap. */
static bool svc_trapped(const struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    if (p->el > 1 || !arm_has(p->cfg, FEAT_FGT) || !el2_enabled(p) || (arm_has(p->cfg, FEAT_EL3) && !(r->scr_el3 & SCR_FGTEN)))
        return false;
    return p->el ? (r->hfgitr_el2 & HFGITR_SVC_EL1) != 0 : (r->hfgitr_el2 & HFGITR_SVC_EL0) && !el0_in_host(p);
}

void pe_svc(struct pe *p, unsigned imm)
{
    p->exc = (struct arm_exception){.ec = EC_SVC, .iss = imm, .next = true};
    if (unlikely(svc_trapped(p))) {
        p->exc.el = 2;
        p->exc.next = false;
        return;
    }
    debug_advance(p);
}

static bool firmware(struct pe *p, bool smc) { return p->env && p->env->firmware && p->env->firmware(p->env_ctx, p, smc); }

bool pe_hvc(struct pe *p, unsigned imm)
{
    const struct arm_config *c = p->cfg;
    p->exc = (struct arm_exception){.ec = EC_UNKNOWN};
    if (p->el == 0)
        return false;
    if (firmware(p, false))
        return true;
    if (!arm_has(c, FEAT_EL2) || (p->el == 1 && !el2_enabled(p)))
        return false;
    if (arm_has(c, FEAT_EL3) ? !(p->s.regs.scr_el3 & scr_el3_HCE) : (p->s.regs.hcr_el2 & hcr_el2_HCD) != 0)
        return false;
    p->exc = (struct arm_exception){.ec = EC_HVC, .iss = imm, .next = true, .el = p->el == 3 ? 3 : 2};
    debug_advance(p);
    return false;
}

/* Arm ARM AArch64.CheckForSMCUndefOrTrap, AArch64.CallSecureMonitor. Firmware that the machine provides is asked where EL3 would
 * be. */
bool pe_smc(struct pe *p, unsigned imm)
{
    bool el3 = arm_has(p->cfg, FEAT_EL3), tsc = p->el == 1 && (hcr_of(p) & hcr_el2_TSC);
    p->exc = (struct arm_exception){.ec = EC_UNKNOWN};
    if (p->el == 0)
        return false;
    if (!tsc && el3 && (p->s.regs.scr_el3 & scr_el3_SMD))
        return false;
    if (tsc && (el3 || (p->env && p->env->firmware))) {
        p->exc = (struct arm_exception){.ec = EC_SMC, .iss = imm, .el = 2};
        return false;
    }
    if (firmware(p, true))
        return true;
    if (!el3)
        return false;
    p->exc = (struct arm_exception){.ec = EC_SMC, .iss = imm, .next = true, .el = 3};
    debug_advance(p);
    return false;
}

void pe_brk(struct pe *p, unsigned imm)
{
    bool el2 = p->el < 2 && el2_enabled(p) && ((p->s.regs.hcr_el2 & hcr_el2_TGE) || (p->s.regs.mdcr_el2 & (UINT64_C(1) << 8)));
    p->exc = (struct arm_exception){.ec = EC_BRK, .iss = imm, .el = el2 ? 2 : 0};
}

/* ---- floating point ----------------------------------------------------------------------------------------------------------
 */

#define FPEN(v)  ((v) >> 20 & 3)
#define CPTR_TFP (UINT64_C(1) << 10)

/* The level an FP access from `el` is trapped to, 0 if none. Arm ARM AArch64.CheckFPEnabled, AArch64.CheckFPAdvSIMDTrap. */
unsigned pe_fp_trapped_to(const struct pe *p, unsigned el)
{
    const struct arm_regs *r = &p->s.regs;
    bool e2h = hcr_of(p) & hcr_el2_E2H, host = (el == 2 && e2h) || (el == 0 && el0_in_host(p));
    if (el < 2 && !host) {
        unsigned fpen = FPEN(r->cpacr_el1);
        if (!(fpen & 1) || (fpen == 1 && el == 0))
            return 1;
    }
    if (el < 3 && el2_enabled(p)) {
        unsigned fpen = FPEN(r->cptr_el2);
        if (e2h ? !(fpen & 1) || (fpen == 1 && el == 0 && (r->hcr_el2 & hcr_el2_TGE)) : (r->cptr_el2 & CPTR_TFP) != 0)
            return 2;
    }
    return arm_has(p->cfg, FEAT_EL3) && (r->cptr_el3 & CPTR_TFP) ? 3 : 0;
}

void pe_fp_trap(struct pe *p)
{
    unsigned to = pe_fp_trapped_to(p, p->el);
    p->exc = (struct arm_exception){.ec = EC_FP_ACCESS, .el = (uint8_t)to, .iss = ISS_COND_ALWAYS};
    if (to == 1 && (hcr_of(p) & hcr_el2_TGE))
        p->exc = (struct arm_exception){.ec = EC_UNKNOWN, .el = 2};
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------------
 */

/* The cycles a trap of WFE or WFET waits, by the register that asks for it: TWEDEn and TWEDEL begin at these bits, which are RES0
   without FEAT_TWED. Arm ARM WFETrapDelay; the delay is in cycles of the PE, and no longer than asked for: IMPLEMENTATION
   DEFINED.
 */
static uint64_t delay_of(uint64_t word, unsigned enable, unsigned length)
{
    return word >> enable & 1 ? UINT64_C(1) << (bits_get(word, length + 3, length) + 8) : 0;
}

/* Arm ARM AArch64.CheckForWFxTrap, in the order of Hint_WFE and Hint_WFI. 0: not trapped. *delay: how long WFE waits before. */
static unsigned wait_trapped_to(const struct pe *p, bool wfe, uint64_t *delay)
{
    uint64_t hcr = hcr_of(p), sctlr = sctlr_of(p, regime_of(p, 0)), scr = p->s.regs.scr_el3;
    bool host = (p->el == 2 && (hcr & hcr_el2_E2H)) || (p->el == 0 && el0_in_host(p));
    if (p->el == 0 && !(sctlr & (wfe ? sctlr_el1_nTWE : sctlr_el1_nTWI))) {
        *delay = delay_of(sctlr, 45, 46);
        return hcr & hcr_el2_TGE ? 2 : 1;
    }
    if (p->el < 2 && !host && (hcr & (wfe ? hcr_el2_TWE : hcr_el2_TWI))) {
        *delay = delay_of(hcr, 59, 60);
        return 2;
    }
    *delay = delay_of(scr, 29, 30);
    return p->el < 3 && arm_has(p->cfg, FEAT_EL3) && (scr & (wfe ? scr_el3_TWE : scr_el3_TWI)) ? 3 : 0;
}

bool pe_wait(struct pe *p, enum wait_kind kind, unsigned rt, uint64_t until)
{
    bool wfe = kind == WAIT_WFE || kind == WAIT_WFET, timed = kind == WAIT_WFIT || kind == WAIT_WFET;
    if (wfe && timer_event(p)) {
        p->s.event = 0;
        return true;
    }
    p->s.waiting = wfe ? WAITING_WFE : WAITING_WFI;
    p->s.wait_until = timed ? until : UINT64_MAX;
    bool done = (timed && timer_virtual_count(p) >= until) || (!wfe && pe_wakes(p));
    uint64_t delay = 0;
    unsigned to = done ? 0 : wait_trapped_to(p, wfe, &delay);
    uint32_t iss =
        ISS_COND_ALWAYS | kind | (timed ? 4 | (uint32_t)(rt == REG_ZR ? 31 : rt) << 5 : 0); /* RV and RN: the register */
    if (to && wfe && delay) {
        p->s.trap_at = p->s.cycle + delay;
        p->s.trap_iss = iss;
        pe_deadline(p);
        return true;
    }
    if (done || to)
        pe_wait_over(p);
    if (to) {
        p->exc = (struct arm_exception){.ec = EC_WFX, .el = (uint8_t)to, .iss = iss};
        return false;
    }
    if (!done)
        pe_deadline(p);
    return true;
}

void pe_wait_trap(struct pe *p)
{
    uint64_t delay;
    p->exc =
        (struct arm_exception){.ec = EC_WFX, .el = (uint8_t)wait_trapped_to(p, true, &delay), .iss = (uint32_t)p->s.trap_iss};
    p->s.pc -= 4;
    debug_retreat(p);
    pe_wait_over(p);
}

void pe_wait_over(struct pe *p)
{
    if (p->s.waiting == WAITING_WFE && timer_event(p))
        p->s.event = 0;
    p->s.waiting = 0;
    p->s.wait_until = UINT64_MAX;
    p->s.trap_at = p->s.trap_iss = 0;
}

/* ---- what no register word holds ------------------------------------------------------------------------------------------- */

static uint64_t special(void *pe, unsigned id)
{
    const struct pe *p = pe;
    unsigned sp = p->s.pstate & PSTATE_SP ? p->el : 0;
    switch (id) {
    case SR_nzcv: return (uint64_t)flags_get(&p->fl) << 28;
    case SR_daif: return p->s.pstate & PSTATE_DAIF;
    case SR_currentel: return p->s.pstate & PSTATE_EL;
    case SR_spsel: return p->s.pstate & PSTATE_SP;
    case SR_pan: return p->s.pstate & PSTATE_PAN;
    case SR_uao: return p->s.pstate & PSTATE_UAO;
    case SR_dit: return p->s.pstate & PSTATE_DIT;
    case SR_ssbs: return p->s.pstate & PSTATE_SSBS;
    case SR_tco: return p->s.pstate & PSTATE_TCO;
    case SR_allint: return p->s.pstate & PSTATE_ALLINT;
    case SR_pm: return p->s.pstate & PSTATE_PM;
    case SR_sp_el0: return sp == 0 ? p->s.x[REG_SP] : p->s.sp[0];
    case SR_sp_el1: return sp == 1 ? p->s.x[REG_SP] : p->s.sp[1];
    case SR_sp_el2: return sp == 2 ? p->s.x[REG_SP] : p->s.sp[2];
    case SR_fpcr: return p->s.fpcr;
    case SR_fpsr: return pe_fpsr(p);
    default: return 0;
    }
}

static void set_bits(struct pe *p, uint64_t mask, uint64_t value) { pe_set_pstate(p, (p->s.pstate & ~mask) | (value & mask)); }

static void set_sp(struct pe *p, unsigned n, uint64_t value)
{
    if (n == (p->s.pstate & PSTATE_SP ? p->el : 0u)) {
        p->s.x[REG_SP] = value;
        pe_sp_look(p);
    } else {
        p->s.sp[n] = value;
    }
}

static void set_special(void *pe, unsigned id, uint64_t value)
{
    struct pe *p = pe;
    switch (id) {
    case SR_nzcv: flags_set(&p->fl, value >> 28 & 15); break;
    case SR_daif: p->s.pstate = (p->s.pstate & ~(uint64_t)PSTATE_DAIF) | (value & PSTATE_DAIF); break;
    case SR_spsel: set_bits(p, PSTATE_SP, value); break;
    case SR_pan: set_bits(p, PSTATE_PAN, value); break;
    case SR_uao: set_bits(p, PSTATE_UAO, value); break;
    case SR_dit: set_bits(p, PSTATE_DIT, value); break;
    case SR_ssbs: set_bits(p, PSTATE_SSBS, value); break;
    case SR_tco: set_bits(p, PSTATE_TCO, value); break;
    case SR_allint: set_bits(p, PSTATE_ALLINT, value); break;
    case SR_pm: set_bits(p, PSTATE_PM, value); break;
    case SR_sp_el0: set_sp(p, 0, value); break;
    case SR_sp_el1: set_sp(p, 1, value); break;
    case SR_sp_el2: set_sp(p, 2, value); break;
    case SR_fpcr: pe_set_fpcr(p, value); break;
    case SR_fpsr: pe_set_fpsr(p, value); break;
    default: break;
    }
}

static uint64_t live_count(void *pe) { return pe_count(pe); }
static uint64_t live_cycles(void *pe) { return pmu_cycles(pe); }
static void live_set_cycles(void *pe, uint64_t v) { pmu_set_cycles(pe, v); }
static uint64_t live_event(void *pe, unsigned n) { return pmu_event_value(pe, n); }
static void live_set_event(void *pe, unsigned n, uint64_t v) { pmu_set_event(pe, n, v); }
static uint64_t live_instructions(void *pe) { return pmu_instructions(pe); }
static void live_set_instructions(void *pe, uint64_t v) { pmu_set_instructions(pe, v); }
static uint64_t live_overflows(void *pe) { return pmu_overflows(pe); }
static void live_set_overflows(void *pe, uint64_t v) { pmu_set_overflows(pe, v); }
static void live_software_increment(void *pe, uint32_t counters) { pmu_event_on(pe, EVENT_SW_INCR, counters); }

static void live_captured(void *pe) { pmu_event(pe, EVENT_PMU_SNAPSHOT); }

static uint32_t live_lines(void *pe)
{
    const struct pe *p = pe;
    const uint64_t inputs = LINE_IRQ | LINE_FIQ | LINE_IRQ_SUPER | LINE_VIRQ | LINE_VFIQ | LINE_VIRQ_SUPER;
    return (uint32_t)(lines_high(p->s.lines) & inputs) | (p->s.serror ? SYSREG_LINE_SERROR : 0u);
}

static bool live_one_state(void *pe) { return ((struct pe *)pe)->s.gic.one_state; }

static uint64_t live_gic_read(void *pe, unsigned id)
{
    struct pe *p = pe;
    return p->env && p->env->gic_read ? p->env->gic_read(p->env_ctx, p, id) : 0;
}

static uint32_t live_gic_write(void *pe, unsigned id, uint64_t value)
{
    struct pe *p = pe;
    return p->env && p->env->gic_write ? p->env->gic_write(p->env_ctx, p, id, value) : 0;
}

/* The generator never fails: NZCV is 0 (C6.2 "RNDR"). */
static uint64_t live_random(void *pe, bool reseed)
{
    struct pe *p = pe;
    (void)reseed;
    flags_set(&p->fl, 0);
    return rng_next(&p->s.seed);
}

const struct sysreg_live pe_live = {.special = special,
                                    .set_special = set_special,
                                    .count = live_count,
                                    .cycles = live_cycles,
                                    .set_cycles = live_set_cycles,
                                    .event = live_event,
                                    .set_event = live_set_event,
                                    .instructions = live_instructions,
                                    .set_instructions = live_set_instructions,
                                    .overflows = live_overflows,
                                    .set_overflows = live_set_overflows,
                                    .software_increment = live_software_increment,
                                    .captured = live_captured,
                                    .lines = live_lines,
                                    .gic_read = live_gic_read,
                                    .gic_one_security_state = live_one_state,
                                    .gic_write = live_gic_write,
                                    .random = live_random};
