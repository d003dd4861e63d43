/*
 * Whether the instruction at pc raises an exception, which one and why: in the order of Arm ARM D1.4.5.6 "Prioritization of
 * Synchronous exceptions taken to AArch64 state". The address of a failed data access is the one in FAR_ELx; whether it fails,
 * how and where that goes is worked out again. Debug exceptions and failed authentication are told as the cpu found them.
 */
#include "base/bits.h"
#include "cpu/arm/debug.h"
#include "cpu/arm/walk.h"
#include "debug/arm/esr.h"
#include "debug/arm/explain_parts.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <string.h>

#define COND_ALWAYS (0x1eu << 20)
#define SCR_FGTEN   (UINT64_C(1) << 27)
#define MDCR_TDE    (UINT64_C(1) << 8)
#define FPEN_MASK   (UINT64_C(3) << 20)
#define CPTR_TFP    (UINT64_C(1) << 10)

/* The instruction being looked at. */
struct insn {
    struct arm_why *w;
    struct arm_exception *x;
    struct fact *s;
    uint32_t bits;
    struct a64_decoded d;
    uint64_t hcr; /* as far as it has effect */
};

/* ---- outcomes
 * ----------------------------------------------------------------------------------------------------------------------- */

static bool raise(struct insn *i, unsigned ec, unsigned el, uint32_t iss)
{
    *i->x = (struct arm_exception){.ec = (uint8_t)ec, .el = (uint8_t)el, .iss = iss};
    return true;
}

static bool because(struct insn *i, const char *label, const char *clause, const char *text)
{
    fact_add(i->w->e, i->s, label, clause, "%s", text)->mark = FACT_DECIDES;
    return true;
}

static bool undefined(struct insn *i, const char *label, const char *clause, const char *text)
{
    because(i, label, clause, text);
    return raise(i, EC_UNKNOWN, 0, 0);
}

/* A bit that was asked; it decides if `bad`. */
static bool asked(struct insn *i, const char *label, const char *clause, uint64_t word, uint64_t mask, bool bad, const char *text)
{
    struct fact *f = arm_bit(i->w, i->s, label, clause, word, mask, bad ? text : "lets it pass");
    f->mark = bad ? FACT_DECIDES : FACT_PLAIN;
    return bad;
}

/* What the cpu found is taken over. */
static bool as_told(struct insn *i, const char *label, const char *text)
{
    i->w->known = false;
    fact_add(i->w->e, i->s, label, ARM_PRIORITY, "%s", text)->mark = FACT_DECIDES;
    *i->x = i->w->told;
    return true;
}

static bool told_class(const struct arm_why *w, unsigned ec)
{
    return w->c && !w->c->is_return && !w->c->interrupt && (w->told.ec == ec);
}

static bool host_el0(const struct insn *i) { return i->w->p->el == 0 && el0_in_host(i->w->p); }
static const struct arm_regs *regs(const struct insn *i) { return &i->w->p->s.regs; }

/* ---- debug exceptions, fetch
 * -------------------------------------------------------------------------------------------------------- */

/* Arm ARM DebugTargetFrom. */
static unsigned debug_target(struct insn *i)
{
    static const char to_el2[] = "debug exceptions go to EL2";
    const struct pe *p = i->w->p;
    bool tge = i->hcr & hcr_el2_TGE, tde = el2_enabled(p) && (regs(i)->mdcr_el2 & MDCR_TDE);
    if (el2_enabled(p)) {
        arm_bit(i->w, i->s, "HCR_EL2.TGE", ARM_DEBUG, i->hcr, hcr_el2_TGE, tge ? to_el2 : "not for this")->mark =
            tge ? FACT_DECIDES : FACT_PLAIN;
        arm_bit(i->w, i->s, "MDCR_EL2.TDE", ARM_DEBUG, regs(i)->mdcr_el2, MDCR_TDE, tde ? to_el2 : "not for this")->mark =
            tde ? FACT_DECIDES : FACT_PLAIN;
    }
    return p->el == 2 || tge || tde ? 2 : 1;
}

/* What a debug exception needs besides a match: Arm ARM D2.3 "The debug exception enable controls". */
static void debug_enables(struct insn *i)
{
    const struct pe *p = i->w->p;
    const char *clause = "Arm ARM D2.3: The debug exception enable controls";
    arm_bit(i->w, i->s, "OSLSR_EL1.OSLK", clause, regs(i)->oslsr_el1, 2, "the OS Lock is open");
    i->x->el = (uint8_t)debug_target(i);
    if (i->x->el != p->el)
        return;
    arm_bit(i->w, i->s, "MDSCR_EL1.KDE", clause, regs(i)->mdscr_el1, UINT64_C(1) << 13, "also from the level that gets them");
    arm_bit(i->w, i->s, "PSTATE.D", clause, p->s.pstate, PSTATE_D, "not masked");
}

static void breakpoints(struct insn *i, const char *clause)
{
    const struct arm_regs *r = regs(i);
    for (unsigned n = 0; n < debug_usable(i->w->p, i->w->p->cfg->breakpoints); n++)
        if ((r->dbgbcr_el1[n] & 1) && r->dbgbvr_el1[n] == i->w->p->s.pc)
            fact_value(i->w->e, i->s, explain_say(i->w->e, "DBGBVR%u_EL1", n), clause, r->dbgbvr_el1[n], 16,
                       "enabled by DBGBCR%u_EL1 0x%" PRIx64, n, r->dbgbcr_el1[n]);
}

static void watchpoints(struct insn *i, const char *clause)
{
    const struct arm_regs *r = regs(i);
    uint64_t va = i->w->told.far;
    for (unsigned n = 0; n < debug_usable(i->w->p, i->w->p->cfg->watchpoints); n++) {
        uint64_t low = bits_mask(0, (unsigned)bits_get(r->dbgwcr_el1[n], 28, 24)) | 7;
        if ((r->dbgwcr_el1[n] & 1) && (r->dbgwvr_el1[n] & ~low) == (va & ~low))
            fact_value(i->w->e, i->s, explain_say(i->w->e, "DBGWVR%u_EL1", n), clause, r->dbgwvr_el1[n], 16,
                       "enabled by DBGWCR%u_EL1 0x%" PRIx64 "; the access is at 0x%" PRIx64, n, r->dbgwcr_el1[n], va);
    }
}

static bool debug_exception(struct insn *i)
{
    const char *step = "Arm ARM D2.11: Software Step exceptions", *breakpoint = "Arm ARM D2.8: Breakpoint exceptions",
               *watchpoint = "Arm ARM D2.9: Watchpoint exceptions";
    if (told_class(i->w, EC_SOFTWARE_STEP_LOWER)) {
        as_told(i, "software step", "an instruction has been stepped: active-pending");
        arm_bit(i->w, i->s, "MDSCR_EL1.SS", step, regs(i)->mdscr_el1, 1, "software step is on");
        arm_bit(i->w, i->s, "PSTATE.SS", step, i->w->p->s.pstate, PSTATE_SS, "no instruction is left to execute");
    } else {
        bool at = told_class(i->w, EC_BREAKPOINT_LOWER);
        if (!at && !told_class(i->w, EC_WATCHPOINT_LOWER))
            return false;
        as_told(i, at ? "breakpoint" : "watchpoint", "one that is enabled matches");
        arm_bit(i->w, i->s, "MDSCR_EL1.MDE", at ? breakpoint : watchpoint, regs(i)->mdscr_el1, UINT64_C(1) << 15,
                "breakpoints and watchpoints are on");
        if (at)
            breakpoints(i, breakpoint);
        else
            watchpoints(i, watchpoint);
    }
    debug_enables(i);
    return true;
}

/* False: the fetch fails, x says how. */
static bool fetch(struct insn *i)
{
    struct arm_why *w = i->w;
    const struct pe *p = w->p;
    struct access_mode m = {.el = p->el, .regime = (uint8_t)regime_of(p, p->el)};
    struct fact look = {.label = ""};
    uint64_t pa;
    bool ok = arm_explain_access(w, &look, p->s.pc, 4, ACCESS_FETCH, &m, &pa, i->x);
    if (ok && !machine_read(w->m, pa, &i->bits, 4)) {
        fact_add(w->e, &look, "memory", ARM_EXTERNAL, "no main memory is there: an external abort")->mark = FACT_DECIDES;
        ok = arm_explain_abort(w, p->s.pc, ACCESS_FETCH, &m, FSC_EXTERNAL, i->x);
    }
    if (ok)
        return true;
    fact_add(w->e, i->s, "fetch", ARM_PRIORITY, "of the instruction at pc fails: before it is decoded");
    i->s->last->next = look.first;
    i->s->last = look.last;
    return false;
}

/* Before the instruction is looked at. True: x. */
static bool before(struct insn *i)
{
    const struct pe *p = i->w->p;
    if (told_class(i->w, EC_SOFTWARE_STEP_LOWER))
        return debug_exception(i);
    if (arm_explain_profiling(i->w, i->s, i->x))
        return true;
    if (p->s.pc & 3) {
        because(i, "pc", "Arm ARM D1.4.10.1: PC alignment checking", "not a multiple of 4");
        raise(i, EC_PC_ALIGNMENT, 0, 0);
        i->x->far_valid = true;
        i->x->far = p->s.pc;
        return true;
    }
    if (!fetch(i))
        return true;
    if (told_class(i->w, EC_BREAKPOINT_LOWER))
        return debug_exception(i);
    if (p->s.pstate & PSTATE_IL)
        return because(i, "PSTATE.IL", "Arm ARM AArch64.IllegalStateException", "1: an illegal return came here") &&
               raise(i, EC_ILLEGAL_STATE, 0, 0);
    unsigned btype = (unsigned)(p->s.pstate & PSTATE_BTYPE) >> PSTATE_BTYPE_SHIFT;
    if (btype && told_class(i->w, EC_BTI)) { /* whether the page is guarded is in the descriptor that the cpu has found */
        fact_value(i->w->e, i->s, "PSTATE.BTYPE", "Arm ARM BranchTargetCheck", btype, 0,
                   "of a branch into a guarded page; this instruction is no target for it")
            ->mark = FACT_DECIDES;
        return raise(i, EC_BTI, 0, btype);
    }
    return false;
}

/* ---- calls, return, waiting
 * ---------------------------------------------------------------------------------------------------------- */

static bool fine_grained(struct insn *i) /* traps of HFGITR_EL2 are in force */
{
    if (!arm_on(i->w, FEAT_FGT) || !el2_enabled(i->w->p))
        return false;
    bool on = regs(i)->scr_el3 & SCR_FGTEN;
    if (arm_on(i->w, FEAT_EL3))
        arm_bit(i->w, i->s, "SCR_EL3.FGTEn", "Arm ARM D1.4.8.2: EL2 configurable instruction controls", regs(i)->scr_el3,
                SCR_FGTEN, on ? "fine-grained traps are on" : "fine-grained traps are off");
    return on || !arm_on(i->w, FEAT_EL3);
}

static bool svc(struct insn *i)
{
    const struct pe *p = i->w->p;
    uint64_t mask = UINT64_C(1) << (p->el ? 53 : 52);
    if (p->el < 2 && !host_el0(i) && fine_grained(i) &&
        asked(i, p->el ? "HFGITR_EL2.SVC_EL1" : "HFGITR_EL2.SVC_EL0", "Arm ARM AArch64.CheckForSVCTrap", regs(i)->hfgitr_el2,
              mask, regs(i)->hfgitr_el2 & mask, "SVC traps to EL2"))
        return raise(i, EC_SVC, 2, (uint32_t)i->d.imm);
    because(i, "svc", "Arm ARM AArch64.CallSupervisor", "a supervisor call");
    raise(i, EC_SVC, 0, (uint32_t)i->d.imm);
    return i->x->next = true;
}

static bool hvc(struct insn *i)
{
    const char *clause = "Arm ARM HVC";
    const struct pe *p = i->w->p;
    if (p->el == 0)
        return undefined(i, "level", clause, "UNDEFINED at EL0");
    if (!i->w->c)
        return because(i, "firmware", "PSCI", "the machine answers it in the place of firmware"), false;
    if (!arm_on(i->w, FEAT_EL2) || (p->el == 1 && !el2_enabled(p)))
        return undefined(i, "EL2", clause, "UNDEFINED: EL2 is not enabled");
    if (arm_on(i->w, FEAT_EL3)) {
        if (asked(i, "SCR_EL3.HCE", clause, regs(i)->scr_el3, scr_el3_HCE, !(regs(i)->scr_el3 & scr_el3_HCE), "HVC is UNDEFINED"))
            return raise(i, EC_UNKNOWN, 0, 0);
    } else if (asked(i, "HCR_EL2.HCD", clause, regs(i)->hcr_el2, hcr_el2_HCD, regs(i)->hcr_el2 & hcr_el2_HCD,
                     "HVC is UNDEFINED")) {
        return raise(i, EC_UNKNOWN, 0, 0);
    }
    because(i, "hvc", "Arm ARM AArch64.CallHypervisor", "a hypervisor call");
    raise(i, EC_HVC, p->el == 3 ? 3 : 2, (uint32_t)i->d.imm);
    return i->x->next = true;
}

static bool smc(struct insn *i)
{
    const char *clause = "Arm ARM AArch64.CheckForSMCUndefOrTrap";
    const struct pe *p = i->w->p;
    bool el3 = arm_on(i->w, FEAT_EL3), tsc = p->el == 1 && (i->hcr & hcr_el2_TSC);
    if (p->el == 0)
        return undefined(i, "level", clause, "UNDEFINED at EL0");
    if (p->el == 1 && el2_enabled(p))
        asked(i, "HCR_EL2.TSC", clause, i->hcr, hcr_el2_TSC, tsc, "SMC traps to EL2");
    if (!tsc && el3 &&
        asked(i, "SCR_EL3.SMD", clause, regs(i)->scr_el3, scr_el3_SMD, regs(i)->scr_el3 & scr_el3_SMD, "SMC is UNDEFINED"))
        return raise(i, EC_UNKNOWN, 0, 0);
    if (!i->w->c)
        return because(i, "firmware", "PSCI", "the machine answers it in the place of firmware"), false;
    if (tsc && (el3 || told_class(i->w, EC_SMC)))
        return raise(i, EC_SMC, 2, (uint32_t)i->d.imm);
    if (!el3)
        return undefined(i, "EL3", clause, "UNDEFINED: there is no EL3");
    because(i, "smc", "Arm ARM AArch64.CallSecureMonitor", "a call of the secure monitor");
    raise(i, EC_SMC, 3, (uint32_t)i->d.imm);
    return i->x->next = true;
}

static bool brk(struct insn *i)
{
    const struct pe *p = i->w->p;
    because(i, "brk", "Arm ARM AArch64.SoftwareBreakpoint", "a breakpoint instruction");
    bool el2 = p->el < 2 && debug_target(i) == 2;
    return raise(i, EC_BRK, el2 ? 2 : 0, (uint32_t)i->d.imm);
}

static bool eret(struct insn *i, bool authenticated, bool *made)
{
    const struct pe *p = i->w->p;
    const uint64_t mask = UINT64_C(1) << 51;
    if (p->el == 0)
        return undefined(i, "level", "Arm ARM ERET", "UNDEFINED at EL0");
    if (p->el == 1 && fine_grained(i) &&
        asked(i, "HFGITR_EL2.ERET", "Arm ARM AArch64.CheckForERetTrap", regs(i)->hfgitr_el2, mask, regs(i)->hfgitr_el2 & mask,
              "ERET traps to EL2"))
        return raise(i, EC_ERET, 2, authenticated ? 2u | (i->bits >> 10 & 1) : 0);
    if (told_class(i->w, EC_PAC_FAIL) || told_class(i->w, EC_PAUTH))
        return false;
    *made = true;
    return false;
}

/* FEAT_TWED, of WFE and WFET that trap to el: whether the trap waits. Arm ARM WFETrapDelay. */
static bool delayed(struct insn *i, unsigned el)
{
    const struct pe *p = i->w->p;
    uint64_t sctlr = sctlr_of(p, regime_of(p, 0));
    bool own = p->el == 0 && !(sctlr & sctlr_el1_nTWE);
    uint64_t word = own ? sctlr : el == 2 ? i->hcr : regs(i)->scr_el3;
    unsigned lsb = own ? 45 : el == 2 ? 59 : 29;
    if (!(word >> lsb & 1))
        return false;
    unsigned length = (unsigned)(word >> (lsb + 1) & 15);
    fact_value(i->w->e, i->s, "TWEDEn", "Arm ARM WFETrapDelay", 1, 0, "the trap comes after %u cycles, unless something wakes",
               1u << (length + 8))
        ->mark = FACT_DECIDES;
    return true;
}

/* Arm ARM AArch64.CheckForWFxTrap. */
static bool wait(struct insn *i, unsigned kind)
{
    static const uint64_t sctlr_bit[] = {sctlr_el1_nTWI, sctlr_el1_nTWE}, hcr_bit[] = {hcr_el2_TWI, hcr_el2_TWE},
                          scr_bit[] = {scr_el3_TWI, scr_el3_TWE};
    static const char *const hcr_name[] = {"HCR_EL2.TWI", "HCR_EL2.TWE"}, *const scr_name[] = {"SCR_EL3.TWI", "SCR_EL3.TWE"};
    const char *clause = "Arm ARM AArch64.CheckForWFxTrap";
    const struct pe *p = i->w->p;
    unsigned wfe = kind & 1, to = 0;
    uint64_t sctlr = sctlr_of(p, regime_of(p, 0));
    bool host = host_el0(i) || (p->el == 2 && (i->hcr & hcr_el2_E2H));
    if (p->el == 0 && asked(i, explain_say(i->w->e, "SCTLR_EL%u.nTW%c", regime_of(p, 0), wfe ? 'E' : 'I'), clause, sctlr,
                            sctlr_bit[wfe], !(sctlr & sctlr_bit[wfe]), "waiting at EL0 traps"))
        to = i->hcr & hcr_el2_TGE ? 2 : 1;
    else if (p->el < 2 && !host && el2_enabled(p) &&
             asked(i, hcr_name[wfe], clause, i->hcr, hcr_bit[wfe], i->hcr & hcr_bit[wfe], "waiting below EL2 traps"))
        to = 2;
    else if (p->el < 3 && arm_on(i->w, FEAT_EL3) &&
             asked(i, scr_name[wfe], clause, regs(i)->scr_el3, scr_bit[wfe], regs(i)->scr_el3 & scr_bit[wfe],
                   "waiting below EL3 traps"))
        to = 3;
    if (to && wfe && !i->w->c && delayed(i, to))
        return false;
    if (to && !i->w->c) /* nothing traps that need not wait */
        because(i, "waiting", clause, "not needed: an event or interrupt is there already");
    if (!to || !i->w->c)
        return false;
    unsigned rt = i->bits & 31;
    return raise(i, EC_WFX, to, COND_ALWAYS | kind | (kind > 1 ? 4 | rt << 5 : 0));
}

/* ---- system registers and instructions
 * ------------------------------------------------------------------------------------------------- */

static uint32_t sysreg_iss(uint32_t insn)
{
    return (insn >> 19 & 3) << 20 | (insn >> 5 & 7) << 17 | (insn >> 16 & 7) << 14 | (insn >> 12 & 15) << 10 | (insn & 31) << 5 |
           (insn >> 8 & 15) << 1 | (insn >> 21 & 1);
}

static bool data_abort(struct insn *i, uint64_t va, enum access a, struct access_mode m, unsigned size, bool exclusive);

/* FEAT_CMOW: what cleans and invalidates by address, and IC IVAU, may need permission to write. */
static uint8_t write_asked(struct insn *i, unsigned id)
{
    const struct pe *p = i->w->p;
    const char *clause = "Arm ARM D8.15.3: MMU faults generated by cache maintenance operations",
               *text = "permission to write is needed, too";
    uint64_t sctlr = sctlr_of(p, regime_of(p, p->el)), hcrx = hcrx_of(p);
    bool s1 = p->el == 0 && (sctlr & sctlr_el1_CMOW), s2 = p->el < 2 && (hcrx & hcrx_el2_CMOW);
    if (id != SR_dc_civac && id != SR_dc_cigvac && id != SR_dc_cigdvac && id != SR_ic_ivau)
        return 0;
    if (s1)
        arm_bit(i->w, i->s, host_el0(i) ? "SCTLR_EL2.CMOW" : "SCTLR_EL1.CMOW", clause, sctlr, sctlr_el1_CMOW, text);
    if (s2)
        arm_bit(i->w, i->s, "HCRX_EL2.CMOW", clause, hcrx, hcrx_el2_CMOW, "of stage 2, permission to write is needed, too");
    return (uint8_t)((s1 ? CMOW_S1 : 0) | (s2 ? CMOW_S2 : 0) | (id == SR_ic_ivau ? CMOW_IC : 0));
}

/* Cache maintenance by address, and DC ZVA, translate it. */
static bool maintenance(struct insn *i, unsigned id)
{
    struct arm_why *w = i->w;
    const struct pe *p = w->p;
    if (!told_class(w, EC_DATA_ABORT_LOWER))
        return false;
    struct access_mode m = {.el = p->el, .regime = (uint8_t)regime_of(p, p->el), .pan = p->el && (p->s.pstate & PSTATE_PAN)};
    uint64_t far = w->told.far, low = 0;
    enum access a = ACCESS_LOAD;
    if (sysreg_op(id).kind == SYSREG_OP_AT)
        return as_told(i, "address translation", "an external abort, or stage 2 fails on its walk");
    if (id == SR_dc_zva || id == SR_dc_gva || id == SR_dc_gzva) {
        m.zva = true;
        a = ACCESS_STORE;
        low = bits_mask(0, (unsigned)p->cfg->zva);
    } else {
        m.cm = true;
        m.cmow = write_asked(i, id);
        if (id == SR_dc_ivac || id == SR_dc_igvac || id == SR_dc_igdvac) {
            a = ACCESS_STORE;
            low = bits_mask(0, (unsigned)p->cfg->dline);
        }
    }
    bool bad = data_abort(i, far & ~low, a, m, 1, false);
    i->x->far = far;
    return bad;
}

static bool sysreg(struct insn *i)
{
    struct arm_why *w = i->w;
    const struct pe *p = w->p;
    uint32_t n = i->bits;
    bool read = i->d.op == OP_mrs || i->d.op == OP_sysl, imm = i->d.op == OP_msr_imm;
    unsigned id =
        imm ? sysreg_find_imm(p->map, n) : sysreg_find(p->map, n >> 19 & 3, n >> 16 & 7, n >> 12 & 15, n >> 8 & 15, n >> 5 & 7);
    struct sysreg_access a = sysreg_check(&p->ctx, id, !read);
    if (a.result == SYSREG_OK)
        return i->d.op == OP_sys && maintenance(i, a.id);
    arm_explain_sysreg(w, i->s, id, !read, a);
    if (a.result == SYSREG_UNDEFINED)
        return raise(i, EC_UNKNOWN, 0, 0);
    return raise(i, a.ec, a.el, a.ec == EC_SYSREG ? sysreg_iss(n) : a.ec == EC_FP_ACCESS ? COND_ALWAYS : 0);
}

/* ---- floating point, pointer authentication
 * ------------------------------------------------------------------------------------------- */

static bool is_fp(uint32_t insn)
{
    unsigned op0 = insn >> 25 & 15;
    return (op0 & 7) == 7 || ((op0 & 5) == 4 && (insn >> 26 & 1));
}

/* Arm ARM AArch64.CheckFPAdvSIMDEnabled: CPACR_EL1, then CPTR_EL2, then CPTR_EL3. */
static bool fp_trap(struct insn *i)
{
    const char *clause = "Arm ARM AArch64.CheckFPEnabled, AArch64.CheckFPAdvSIMDTrap";
    const struct pe *p = i->w->p;
    bool e2h = i->hcr & hcr_el2_E2H, tge = i->hcr & hcr_el2_TGE, host = host_el0(i) || (p->el == 2 && e2h);
    unsigned fpen = (unsigned)(regs(i)->cpacr_el1 >> 20) & 3;
    if (p->el < 2 && !host &&
        asked(i, "CPACR_EL1.FPEN", clause, regs(i)->cpacr_el1, FPEN_MASK, !(fpen & 1) || (fpen == 1 && p->el == 0),
              "traps to EL1"))
        return tge ? because(i, "HCR_EL2.TGE", ARM_ROUTE, "EL2 in the place of EL1, with an unknown reason") &&
                         raise(i, EC_UNKNOWN, 2, 0)
                   : raise(i, EC_FP_ACCESS, 1, COND_ALWAYS);
    fpen = (unsigned)(regs(i)->cptr_el2 >> 20) & 3;
    if (p->el < 3 && el2_enabled(p)) {
        bool bad = e2h ? !(fpen & 1) || (fpen == 1 && p->el == 0 && tge) : (regs(i)->cptr_el2 & CPTR_TFP) != 0;
        if (asked(i, e2h ? "CPTR_EL2.FPEN" : "CPTR_EL2.TFP", clause, regs(i)->cptr_el2, e2h ? FPEN_MASK : CPTR_TFP, bad,
                  "traps to EL2"))
            return raise(i, EC_FP_ACCESS, 2, COND_ALWAYS);
    }
    return arm_on(i->w, FEAT_EL3) &&
           asked(i, "CPTR_EL3.TFP", clause, regs(i)->cptr_el3, CPTR_TFP, regs(i)->cptr_el3 & CPTR_TFP, "traps to EL3") &&
           raise(i, EC_FP_ACCESS, 3, COND_ALWAYS);
}

/* The bit that turns the key of an authenticating instruction on. */
static void key_fact(struct insn *i)
{
    static const uint64_t bit[] = {UINT64_C(1) << 31, UINT64_C(1) << 30, UINT64_C(1) << 27, UINT64_C(1) << 13};
    static const char *const name[] = {"IA", "IB", "DA", "DB"};
    const struct pe *p = i->w->p;
    const char *row = i->d.row->name, *aut = !strncmp(row, "aut", 3) ? row + 3 : "";
    bool data = *aut == 'd' || !strncmp(row, "ldra", 4);
    unsigned regime = regime_of(p, p->el),
             key = (data ? 2u : 0) + (*aut ? aut[1] == 'b' : row[strcspn(row, "_") - 1] == 'b' || !strncmp(row, "ldrab", 5));
    arm_bit(i->w, i->s, explain_say(i->w->e, "SCTLR_EL%u.En%s", regime, name[key]),
            "Arm ARM D8.10.5: Faulting on pointer authentication", sctlr_of(p, regime), bit[key], "its key is on");
}

static bool pauth(struct insn *i)
{
    const char *clause = "Arm ARM TrapPACUse";
    const struct pe *p = i->w->p;
    if (told_class(i->w, EC_PAC_FAIL)) {
        as_told(i, "authentication", "the code in the pointer is not right (FEAT_FPAC)");
        key_fact(i);
        i->x->el = 0;
        return true;
    }
    if (!told_class(i->w, EC_PAUTH))
        return false;
    if (p->el < 2 && el2_enabled(p) && !host_el0(i) &&
        asked(i, "HCR_EL2.API", clause, i->hcr, hcr_el2_API, !(i->hcr & hcr_el2_API), "traps to EL2"))
        return raise(i, EC_PAUTH, 2, 0);
    return p->el < 3 && arm_on(i->w, FEAT_EL3) &&
           asked(i, "SCR_EL3.API", clause, regs(i)->scr_el3, scr_el3_API, !(regs(i)->scr_el3 & scr_el3_API), "traps to EL3") &&
           raise(i, EC_PAUTH, 3, 0);
}

/* ---- data accesses
 * ------------------------------------------------------------------------------------------------------------------------ */

static bool refused(struct insn *i, uint64_t va, enum access a, const struct access_mode *m, unsigned fsc, const char *text)
{
    because(i, "memory", FSC_EXTERNAL == fsc ? ARM_EXTERNAL : "Arm ARM B2.10: Memory types and attributes", text);
    arm_explain_abort(i->w, va, a, m, fsc, i->x);
    return true;
}

/* The controls of tag checks. */
static void tag_facts(struct insn *i, unsigned el, unsigned regime)
{
    const struct pe *p = i->w->p;
    uint64_t sctlr = sctlr_of(p, regime);
    const char *clause = "Arm ARM D10.4.1: Tag Checked memory accesses", *faults = "Arm ARM D10.7: Tag Check Faults";
    arm_bit(i->w, i->s, "PSTATE.TCO", clause, p->s.pstate, PSTATE_TCO, "tags are checked");
    arm_bit(i->w, i->s, explain_say(i->w->e, "SCTLR_EL%u.%s", regime, el ? "ATA" : "ATA0"), clause, sctlr,
            UINT64_C(1) << (el ? 43 : 42), "allocation tags are there");
    arm_bit(i->w, i->s, explain_say(i->w->e, "SCTLR_EL%u.%s", regime, el ? "TCF" : "TCF0"), faults, sctlr,
            UINT64_C(3) << (el ? 40 : 38), "1, and 3 for reads: the fault is synchronous");
}

/* The access that failed at va. */
static bool data_abort(struct insn *i, uint64_t va, enum access a, struct access_mode m, unsigned size, bool exclusive)
{
    struct arm_why *w = i->w;
    const struct pe *p = w->p;
    uint64_t sctlr = sctlr_of(p, regime_of(p, p->el)), pa;
    unsigned told = w->told.iss & 63;
    bool unaligned = va & (size - 1), strict = sctlr & sctlr_el1_A;
    if (unaligned && (strict || exclusive)) {
        if (strict)
            arm_bit(w, i->s, explain_say(w->e, "SCTLR_EL%u.A", m.regime), "Arm ARM B2.8.2: Alignment of data accesses", sctlr,
                    sctlr_el1_A, "unaligned accesses fault")
                ->mark = FACT_DECIDES;
        else
            because(i, "alignment", "Arm ARM B2.8.2: Alignment of data accesses",
                    explain_say(w->e, "an exclusive, atomic or ordered access at 0x%" PRIx64 " is not %s", va,
                                arm_on(w, FEAT_LSE2) && !m.rcw ? "within 16 aligned bytes" : "aligned"));
        arm_explain_abort(w, va, a, &m, FSC_ALIGNMENT, i->x);
        return true;
    }
    if (!arm_explain_access(w, i->s, va, size, a, &m, &pa, i->x))
        return true;
    if (told == FSC_TAG_CHECK) {
        int tag = mem_tag(w->m->mem, pa);
        tag_facts(i, m.el, m.regime);
        fact_value(w->e, i->s, "allocation tag", "Arm ARM D10.4.2: Tag Check operations", tag < 0 ? 0 : (uint64_t)tag, 4,
                   "bits 59:56 of the address are 0x%x", (unsigned)bits_get(va, 59, 56))
            ->mark = FACT_DECIDES;
        m.atomic &= !(sctlr_of(p, m.regime) & (m.el ? sctlr_el1_TCSO : sctlr_el1_TCSO0)); /* its store alone is checked */
        arm_explain_abort(w, va, a, &m, FSC_TAG_CHECK, i->x);
        return true;
    }
    bool ram = a == ACCESS_STORE ? mem_page_write(w->m->mem, pa) != NULL : mem_page_read(w->m->mem, pa) != NULL;
    if (told == FSC_EXCLUSIVE && !ram)
        return refused(i, va, a, &m, FSC_EXCLUSIVE, "no main memory: devices have no exclusive or atomic accesses");
    return !ram && refused(i, va, a, &m, FSC_EXTERNAL, "no main memory is there, and no device answers");
}

static bool is_literal(uint32_t insn) { return (insn & 0x3b000000) == 0x18000000; }
static bool is_unprivileged(uint32_t insn) { return (insn & 0x3b200c00) == 0x38000800 && !(insn >> 26 & 1); }

/* RCWCAS and RCWSCAS; the others of FEAT_THE, RCWCLR and so on, have the places of byte and halfword atomics with bit 15 set. */
static bool is_rcw_cas(uint32_t insn) { return (insn & 0xbf20fc00) == 0x19200800; }
static bool is_rcw(uint32_t insn) { return is_rcw_cas(insn) || ((insn & 0xbf208c00) == 0x38208000 && (insn >> 12 & 7) - 1 < 3); }

/* Atomic memory operations read and write; SWP, CAS too. */
static bool is_atomic(uint32_t insn)
{
    return (insn & 0x3b200c00) == 0x38200000 || (insn & 0x3fa07c00) == 0x08a07c00 || (insn & 0xbfa07c00) == 0x08207c00 ||
           (insn & 0xff200c00) == 0x19200000 || is_rcw_cas(insn);
}

/* Exclusives, acquire and release, atomics: these ask for alignment. */
static bool is_ordered(uint32_t insn)
{
    return (insn & 0x3f000000) == 0x08000000 || is_atomic(insn) || (insn & 0x3f000000) == 0x19000000 ||
           (insn & 0x3f000000) == 0x1d000000;
}

static bool memory(struct insn *i)
{
    struct arm_why *w = i->w;
    const struct pe *p = w->p;
    uint64_t sctlr = sctlr_of(p, regime_of(p, p->el)), mask = p->el ? sctlr_el1_SA : sctlr_el1_SA0;
    bool plain = i->d.row->cost == COST_LOAD || i->d.row->cost == COST_STORE || i->d.row->cost == COST_ATOMIC;
    const char *sp_clause = "Arm ARM D1.4.10.2: SP alignment checking";
    bool prefetch = !strncmp(i->d.row->name, "prf", 3);
    if (plain && !prefetch && !is_literal(i->bits) && (i->bits >> 5 & 31) == 31 && (p->s.x[REG_SP] & 15) && (sctlr & mask)) {
        arm_bit(w, i->s, explain_say(w->e, "SCTLR_EL%u.%s", regime_of(p, p->el), p->el ? "SA" : "SA0"), sp_clause, sctlr, mask,
                "SP has to be a multiple of 16");
        fact_value(w->e, i->s, "SP", sp_clause, p->s.x[REG_SP], 16, "it is not")->mark = FACT_DECIDES;
        return raise(i, EC_SP_ALIGNMENT, 0, 0);
    }
    if (told_class(w, EC_WATCHPOINT_LOWER))
        return debug_exception(i);
    if (!told_class(w, EC_DATA_ABORT_LOWER))
        return false; /* where it goes to is known only from FAR_ELx */
    uint64_t far = w->told.far, alignment = (w->told.iss & 63) == FSC_ALIGNMENT ? (far & -far) << 1 : 1;
    struct access_mode m = {.el = p->el, .regime = (uint8_t)regime_of(p, p->el), .pan = p->el && (p->s.pstate & PSTATE_PAN)};
    if (is_unprivileged(i->bits) && !(p->s.pstate & PSTATE_UAO) && (p->el == 1 || (p->el == 2 && el0_in_host(p))))
        m = (struct access_mode){.el = 0, .regime = m.regime, .unpriv = true};
    m.atomic = is_atomic(i->bits);
    m.rcw = is_rcw(i->bits) && arm_on(w, FEAT_THE);
    bool store = m.atomic || i->d.row->cost == COST_STORE || (w->told.iss >> 6 & 1);
    if (i->d.row->cost == COST_ATOMIC && !m.atomic)
        store = !(i->bits >> 22 & 1);
    bool bad = data_abort(i, far, store ? ACCESS_STORE : ACCESS_LOAD, m, alignment > 16 || !alignment ? 16 : (unsigned)alignment,
                          is_ordered(i->bits));
    bool described = bad && i->x->ipa_valid && !(i->x->iss >> 7 & 1) && !arm_is_external(i->x);
    uint32_t more = described ? a64_access_syndrome(i->bits) : 0;
    if (more)
        fact_value(w->e, i->s, "syndrome", "Arm ARM LSInstructionSyndrome", more, 7,
                   "what a hypervisor needs to emulate it: size, sign, register");
    i->x->iss |= more;
    return bad;
}

/* ---- the instruction
 * ------------------------------------------------------------------------------------------------------------------------ */

static bool execute(struct insn *i, bool *made)
{
    switch (i->d.op) {
    case OP_svc: return svc(i);
    case OP_hvc: return hvc(i);
    case OP_smc: return smc(i);
    case OP_brk: return brk(i);
    case OP_hlt: return i->w->c ? undefined(i, "hlt", "Arm ARM HLT", "halting debug is not there") : false;
    case OP_eret: return eret(i, false, made);
    case OP_eretaa:
    case OP_eretab: return eret(i, true, made) || pauth(i);
    case OP_wfi: return wait(i, 0);
    case OP_wfe: return wait(i, 1);
    case OP_wfit: return wait(i, 2);
    case OP_wfet: return wait(i, 3);
    case OP_mrs:
    case OP_msr:
    case OP_sys:
    case OP_sysl:
    case OP_msr_imm: return sysreg(i);
    default: break;
    }
    if (is_fp(i->bits) && fp_trap(i))
        return true;
    if (told_class(i->w, EC_PAUTH) || told_class(i->w, EC_PAC_FAIL))
        return pauth(i);
    return (i->bits >> 25 & 5) == 4 && memory(i); /* op0 x1x0: loads and stores */
}

/* A row's name without its form: "ldr_x_u" is LDR, of X, with an unsigned offset. */
static const char *mnemonic(struct explanation *e, const char *name)
{
    return explain_say(e, "%.*s", (int)strcspn(name, "_"), name);
}

bool arm_explain_instruction(struct arm_why *w, struct arm_exception *x, bool *made, bool *authenticated)
{
    struct insn i = {.w = w, .x = x, .hcr = hcr_of(w->p)};
    *made = *authenticated = false;
    i.s = fact_add(w->e, &w->e->facts, "instruction", ARM_PRIORITY, "%s", "");
    if (before(&i))
        return true;
    i.d = a64_decode(w->p->decoder, i.bits);
    i.s->has_value = true;
    i.s->value = i.bits;
    i.s->digits = 8;
    if (!i.d.row) {
        i.s->text = "no instruction of this PE has this encoding";
        return undefined(&i, "encoding", "Arm ARM C4.1: A64 instruction set encoding", "UNDEFINED");
    }
    i.s->text = mnemonic(w->e, i.d.row->name);
    *authenticated = i.d.op == OP_eretaa || i.d.op == OP_eretab;
    bool trap = execute(&i, made);
    if (!trap && !*made && !i.s->first)
        fact_add(w->e, i.s, "exception", NULL, "none");
    return trap;
}
