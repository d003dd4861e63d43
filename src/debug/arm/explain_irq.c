/* Which asynchronous exception is taken, to which level, and why the others are not: Arm ARM D1.4.6, by its tables of routing and
   masking. */
#include "base/bits.h"
#include "cpu/arm/gic_cpuif.h"
#include "debug/arm/explain_parts.h"
#include "mem/gic.h"

/* FIQ before IRQ before SError: IMPLEMENTATION DEFINED, and virtual ones before physical ones. */
static const struct kind {
    const char *name;
    uint8_t type;
    uint64_t mask; /* in PSTATE */
    uint64_t scr, mo, pending;
} kinds[] = {
    {"FIQ", EXCEPTION_FIQ, PSTATE_F, scr_el3_FIQ, hcr_el2_FMO, hcr_el2_VF},
    {"IRQ", EXCEPTION_IRQ, PSTATE_I, scr_el3_IRQ, hcr_el2_IMO, hcr_el2_VI},
    {"SError", EXCEPTION_SERROR, PSTATE_A, scr_el3_EA, hcr_el2_AMO, hcr_el2_VSE},
};

static const char *const scr_name[] = {"SCR_EL3.FIQ", "SCR_EL3.IRQ", "SCR_EL3.EA"};
static const char *const mo_name[] = {"HCR_EL2.FMO", "HCR_EL2.IMO", "HCR_EL2.AMO"};
static const char *const v_name[] = {"HCR_EL2.VF", "HCR_EL2.VI", "HCR_EL2.VSE"};

static bool physical(const struct arm_why *w, unsigned k)
{
    const struct arm_state *s = &w->p->s;
    uint64_t high = lines_high(s->lines);
    return k == 0 ? (high & LINE_FIQ) != 0 : k == 1 ? (high & LINE_IRQ) != 0 : s->serror;
}

/* The level it is routed to, by the bits that are asked; 0: nowhere from here, it stays pending. *by_mask: PSTATE may hold it. */
static unsigned route(struct arm_why *w, struct fact *f, unsigned k, bool *by_mask)
{
    const struct pe *p = w->p;
    uint64_t hcr = hcr_of(p), scr = p->s.regs.scr_el3;
    bool el3 = arm_on(w, FEAT_EL3), to3 = el3 && (scr & kinds[k].scr), tge = hcr & hcr_el2_TGE, mo = hcr & kinds[k].mo;
    *by_mask = true;
    if (el3)
        arm_bit(w, f, scr_name[k], ARM_ASYNC, scr, kinds[k].scr, to3 ? "routed to EL3" : "not routed to EL3")->mark =
            to3 ? FACT_DECIDES : FACT_PLAIN;
    if (to3) {
        *by_mask = p->el == 3;
        return 3;
    }
    if (p->el == 3) {
        fact_add(w->e, f, "level", ARM_ASYNC, "EL3: what is routed below it is not taken there")->mark = FACT_DECIDES;
        return 0;
    }
    if (el2_enabled(p)) {
        arm_bit(w, f, "HCR_EL2.TGE", ARM_ASYNC, hcr, hcr_el2_TGE, tge ? "EL2 in the place of EL1" : "EL1 is in use")->mark =
            tge ? FACT_DECIDES : FACT_PLAIN;
        if (!tge)
            arm_bit(w, f, mo_name[k], ARM_ASYNC, hcr, kinds[k].mo, mo ? "routed to EL2" : "not routed to EL2")->mark =
                mo ? FACT_DECIDES : FACT_PLAIN;
        if (tge || mo) {
            bool host = tge && (hcr & hcr_el2_E2H);
            if (tge)
                arm_bit(w, f, "HCR_EL2.E2H", ARM_MASK, hcr, hcr_el2_E2H,
                        host ? "EL0 is of the host: PSTATE masks" : "from a lower level PSTATE does not mask");
            *by_mask = p->el == 2 || host;
            return 2;
        }
    }
    if (p->el == 2) {
        fact_add(w->e, f, "level", ARM_ASYNC, "EL2: what is routed to EL1 is not taken there")->mark = FACT_DECIDES;
        return 0;
    }
    return 1;
}

/* SErrors at EL3 that FEAT_DoubleFault makes non-maskable. */
static bool nmea(const struct arm_why *w, unsigned k)
{
    uint64_t both = scr_el3_EA | scr_el3_NMEA;
    return k == 2 && arm_on(w, FEAT_DoubleFault) && w->p->el == 3 && (w->p->s.regs.scr_el3 & both) == both;
}

static bool masked(struct arm_why *w, struct fact *f, unsigned k)
{
    static const char *const name[] = {"PSTATE.F", "PSTATE.I", "PSTATE.A"};
    bool m = w->p->s.pstate & kinds[k].mask;
    struct fact *b = arm_bit(w, f, name[k], ARM_MASK, w->p->s.pstate, kinds[k].mask, m ? "masked" : "not masked");
    if (m && nmea(w, k)) {
        fact_add(w->e, f, "SCR_EL3.NMEA", ARM_MASK, "1: SErrors are not masked at EL3");
        return false;
    }
    b->mark = m ? FACT_DECIDES : FACT_PLAIN;
    return m;
}

/* Whether an IRQ or FIQ has Superpriority. */
static bool superior(const struct arm_why *w, unsigned k, bool virtual)
{
    const struct pe *p = w->p;
    uint64_t hcr = hcr_of(p), hcrx = hcrx_of(p), high = lines_high(p->s.lines);
    if (!virtual)
        return k == 1 && (high & LINE_IRQ_SUPER);
    if (k == 0)
        return (hcr & hcr_el2_VF) && (hcrx & hcrx_el2_VFNMI);
    return k == 1 && (((hcr & hcr_el2_VI) && (hcrx & hcrx_el2_VINMI)) || (high & LINE_VIRQ_SUPER));
}

/* Arm ARM D1.4.6.4: what FEAT_NMI makes of the masks, el being where the interrupt goes. by_mask: PSTATE.F, I, A may hold it. */
static bool held(struct arm_why *w, struct fact *f, unsigned k, unsigned el, bool virtual, bool by_mask)
{
    const struct pe *p = w->p;
    uint64_t sctlr = sctlr_of(p, regime_of(p, p->el));
    if (k < 2 && (sctlr & sctlr_el1_NMI)) {
        bool all = all_int_mask(p, sctlr) && el == p->el;
        arm_bit(w, f, explain_say(w->e, "SCTLR_EL%u.NMI", regime_of(p, p->el)), ARM_MASK, sctlr, sctlr_el1_NMI,
                all ? "PSTATE.ALLINT or SPINTMASK masks everything to this level" : "");
        if (all)
            return true;
        if (superior(w, k, virtual) && (p->el == 0 || !all_int_mask(p, sctlr))) {
            fact_add(w->e, f, "Superpriority", ARM_MASK, "PSTATE does not mask it");
            return false;
        }
    }
    return by_mask && masked(w, f, k);
}

/* FEAT_DoubleFault2, of what route() and masked() say of an SError: Arm ARM AArch64.PhysicalSErrorTarget. The level; 0: it stays.
 */
static unsigned error_target(struct arm_why *w, struct fact *f, unsigned el, bool by_mask)
{
    static const char *const name[] = {"", "SCTLR2_EL1.NMEA", "SCTLR2_EL2.NMEA", "SCR_EL3.NMEA"};
    const struct pe *p = w->p;
    uint64_t scr = arm_on(w, FEAT_EL3) ? p->s.regs.scr_el3 : 0, hcrx = hcrx_of(p);
    bool a = p->s.pstate & PSTATE_A, host = el0_in_host(p);
    unsigned home = p->el ? p->el : host ? 2 : 1;
    if (el && !by_mask)
        return el;
    uint64_t word = home == 3 ? scr : sctlr2_of(p, home), bit = home == 3 ? scr_el3_NMEA : sctlr2_el1_NMEA;
    bool nmea = word & bit, masked = (a || !el) && !nmea, held = masked || (a && (p->el == 1 || p->el == 2));
    if (el)
        arm_bit(w, f, "PSTATE.A", ARM_MASK, p->s.pstate, PSTATE_A, a ? "masked" : "not masked");
    if (a || !el)
        arm_bit(w, f, name[home], "Arm ARM FEAT_DoubleFault2", word, bit, nmea ? "SErrors are not masked" : "");
    if (held && p->el < 2 && (hcrx & hcrx_el2_TMEA) && !host)
        return arm_bit(w, f, "HCRX_EL2.TMEA", "Arm ARM FEAT_DoubleFault2", hcrx, hcrx_el2_TMEA, "what is masked goes to EL2"), 2;
    if (held && p->el < 3 && (scr & scr_el3_TMEA))
        return arm_bit(w, f, "SCR_EL3.TMEA", "Arm ARM FEAT_DoubleFault2", scr, scr_el3_TMEA, "what is masked goes to EL3"), 3;
    return masked ? 0 : home;
}

struct candidate {
    struct fact *f;
    unsigned kind, el;
    bool virtual, take;
};

/* What makes it pending, by name. */
static const char *line_text(struct arm_why *w, unsigned k)
{
    if (k == 2)
        return "an SError is pending";
    if (arm_on(w, FEAT_GICv3) && gic_hold(w->p) == GIC_SIGNALLED)
        return explain_say(w->e, "the line is high, by INTID %u", gic_pending_intid(w->p->s.gic.set));
    return "the line is high";
}

static void look_physical(struct arm_why *w, struct fact *s, unsigned k, struct candidate *c)
{
    bool by_mask;
    c->f = fact_add(w->e, s, explain_say(w->e, "%s", kinds[k].name), NULL, "%s", "");
    fact_add(w->e, c->f, "pending", ARM_ASYNC, "%s", line_text(w, k));
    c->kind = k;
    c->el = route(w, c->f, k, &by_mask);
    if (k == 2 && arm_on(w, FEAT_DoubleFault2)) {
        unsigned to = error_target(w, c->f, c->el, by_mask);
        c->take = to != 0;
        c->el = to ? to : c->el;
    } else {
        c->take = c->el && !held(w, c->f, k, c->el, false, by_mask);
    }
    c->f->text = c->take ? explain_say(w->e, "can be taken to EL%u", c->el)
                 : c->el ? explain_say(w->e, "not taken now; it goes to EL%u", c->el)
                         : "not taken at this level";
}

/* Virtual ones: HCR_EL2 or the virtual CPU interface makes them pending, HCR_EL2 has to route the physical ones to EL2. */
static bool look_virtual(struct arm_why *w, struct fact *s, unsigned k, struct candidate *c)
{
    const struct pe *p = w->p;
    uint64_t hcr = hcr_of(p), high = lines_high(p->s.lines);
    bool line = k == 0 ? high & LINE_VFIQ : k == 1 ? high & LINE_VIRQ : false, bit = hcr & kinds[k].pending;
    if (!line && !bit)
        return false;
    c->f = fact_add(w->e, s, explain_say(w->e, "virtual %s", kinds[k].name), NULL, "%s", "");
    c->kind = k;
    c->virtual = true;
    c->el = 1;
    if (bit)
        arm_bit(w, c->f, v_name[k], ARM_ASYNC, hcr, kinds[k].pending, "pending");
    if (line)
        fact_add(w->e, c->f, "pending", ARM_ASYNC, "the line is high");
    bool mo = hcr & kinds[k].mo, tge = hcr & hcr_el2_TGE;
    bool masked_on = k == 2 && !mo && masked_errors_to_el2(p);
    arm_bit(w, c->f, mo_name[k], ARM_MASK, hcr, kinds[k].mo, mo ? "virtual ones are enabled" : "virtual ones are off")->mark =
        mo || masked_on ? FACT_PLAIN : FACT_DECIDES;
    if (masked_on)
        arm_bit(w, c->f, "HCRX_EL2.TMEA", "Arm ARM FEAT_DoubleFault2", hcrx_of(p), hcrx_el2_TMEA, "virtual ones are enabled");
    mo |= masked_on;
    if (tge)
        arm_bit(w, c->f, "HCR_EL2.TGE", ARM_MASK, hcr, hcr_el2_TGE, "virtual ones are off")->mark = FACT_DECIDES;
    if (p->el >= 2)
        fact_add(w->e, c->f, "level", ARM_MASK, "virtual ones are taken from EL0 and EL1 only")->mark = FACT_DECIDES;
    c->take = mo && !tge && p->el < 2 && !held(w, c->f, k, 1, true, true);
    c->f->text = c->take ? "can be taken to EL1" : "not taken now; it goes to EL1";
    return true;
}

bool arm_explain_interrupts(struct arm_why *w, struct arm_exception *x)
{
    struct candidate c[6] = {{0}};
    const struct candidate *best = NULL;
    unsigned n = 0;
    struct fact look = {.label = ""};
    for (unsigned k = 0; k < 3; k++)
        n += look_virtual(w, &look, k, &c[n]);
    for (unsigned k = 0; k < 3; k++)
        if (physical(w, k))
            look_physical(w, &look, k, &c[n++]);
    if (!arm_explain_gic(w, &look) && !n)
        return false;
    struct fact *s = fact_add(w->e, &w->e->facts, "interrupts", ARM_ORDER,
                              "what is pending; of what can be taken, virtual ones come first, then FIQ, IRQ, SError");
    s->first = look.first;
    s->last = look.last;
    for (unsigned i = 0; i < n && !best; i++)
        if (c[i].take)
            best = &c[i];
    for (unsigned i = 0; best && i < n; i++)
        if (&c[i] != best && c[i].take)
            c[i].f->text = explain_say(w->e, "waits: %s comes first", best->f->label);
    if (!best)
        return false;
    best->f->text = explain_say(w->e, "taken to EL%u", best->el);
    best->f->mark = FACT_DECIDES;
    *x = (struct arm_exception){.type = kinds[best->kind].type, .virtual = best->virtual, .el = (uint8_t)best->el};
    if (best->kind == 2) {
        x->ec = EC_SERROR;
        x->iss = (uint32_t)(best->virtual ? w->p->s.regs.vsesr_el2 : w->p->s.serror_iss) & 0x1ffffff;
    }
    return true;
}
