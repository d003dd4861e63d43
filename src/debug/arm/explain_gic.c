/* Why an interrupt that is pending in the GIC does not make a line of the PE high: Arm GIC Architecture Specification, IHI 0069H,
   in the order in which it passes: distributor or redistributor, then the CPU interface. */
#include "base/bits.h"
#include "cpu/arm/gic_cpuif.h"
#include "debug/arm/explain_parts.h"
#include "devices/gicv3.h"
#include "machine/machine.h"

#define IHI_STATE    "GIC IHI 0069 4.1.2: Interrupt handling state machine"
#define IHI_ENABLE   "GIC IHI 0069 4.7: Enabling the distribution of interrupts"
#define IHI_PRIORITY "GIC IHI 0069 4.8: Interrupt prioritization"
#define IHI_ROUTE    "GIC IHI 0069 GICD_IROUTER<n>, Interrupt Routing Registers"
#define IHI_WAKER    "GIC IHI 0069 GICR_WAKER, Redistributor Wake Register"

/* One pending interrupt. */
struct waiting {
    struct arm_why *w;
    struct fact *f;
    uint32_t intid;
    struct gic_view v;
    const char *why; /* the first thing that holds it back; NULL: nothing yet */
};

/* A bit that has to have this value for the interrupt to go on. */
static void asks(struct waiting *x, const char *label, const char *clause, bool value, bool needed, const char *good,
                 const char *bad)
{
    bool passes = value == needed;
    fact_value(x->w->e, x->f, label, clause, value, 0, "%s", passes ? good : bad)->mark = passes ? FACT_PLAIN : FACT_DECIDES;
    if (!passes && !x->why)
        x->why = bad;
}

/* "GICR_ISENABLER0[27]", "GICD_ISENABLER1[5]" */
static const char *bit_of(struct waiting *x, const char *reg)
{
    return explain_say(x->w->e, "GIC%c_%s%u[%u]", x->intid < 32 ? 'R' : 'D', reg, x->intid / 32, x->intid % 32);
}

static void at_distributor(struct waiting *x)
{
    static const char *const two[] = {"GICD_CTLR.EnableGrp0", "GICD_CTLR.EnableGrp1S", "GICD_CTLR.EnableGrp1NS"};
    const struct gic_view *v = &x->v;
    fact_value(x->w->e, x->f, bit_of(x, "ISPENDR"), IHI_STATE, 1, 0, "%s",
               v->line ? "pending: its line is high" : "pending: set by software or an edge");
    asks(x, bit_of(x, "ISENABLER"), IHI_ENABLE, v->enabled, true, "enabled", "it is not enabled");
    if (v->active)
        asks(x, bit_of(x, "ISACTIVER"), IHI_STATE, true, false, "", "it is active: it waits for its deactivation");
    if (!v->here)
        fact_value(x->w->e, x->f, explain_say(x->w->e, "GICD_IROUTER%u", x->intid), IHI_ROUTE, x->v.route, 8,
                   "routed to another PE")
            ->mark = FACT_DECIDES;
    if (!v->here && !x->why)
        x->why = "it is routed to another PE";
    asks(x, x->w->p->s.gic.one_state && v->group == GIC_G1NS ? "GICD_CTLR.EnableGrp1" : two[v->group], IHI_ENABLE, v->group_on,
         true, "its group is enabled", "its group is not enabled in the distributor");
    if (!v->awake)
        asks(x, "GICR_WAKER.ProcessorSleep", IHI_WAKER, true, false, "", "the redistributor forwards nothing");
}

static void at_interface(struct waiting *x)
{
    struct pe *p = x->w->p;
    uint64_t set = p->s.gic.set;
    asks(x, x->v.group == GIC_G0 ? "ICC_IGRPEN0_EL1.Enable" : "ICC_IGRPEN1_EL1.Enable", IHI_ENABLE, gic_group_on(p, x->v.group),
         true, "its group is enabled", "its group is not enabled in the CPU interface");
    if (x->why)
        return;
    if (gic_pending_intid(set) != x->intid) {
        x->why = explain_say(x->w->e, "INTID %u comes first", gic_pending_intid(set));
        fact_value(x->w->e, x->f, "priority", IHI_PRIORITY, x->v.priority, 2, "%s", x->why)->mark = FACT_DECIDES;
        return;
    }
    enum gic_hold hold = gic_hold(p);
    fact_value(x->w->e, x->f, "priority", IHI_PRIORITY, x->v.priority, 2, "the highest of those that are forwarded");
    fact_value(x->w->e, x->f, "ICC_PMR_EL1", IHI_PRIORITY, p->s.regs.icc_pmr_el1, 2, "%s",
               hold == GIC_BELOW_MASK ? "the priority is not above the mask" : "the priority is above the mask")
        ->mark = hold == GIC_BELOW_MASK ? FACT_DECIDES : FACT_PLAIN;
    if (hold == GIC_BELOW_MASK)
        x->why = "its priority is not above ICC_PMR_EL1";
    if (hold == GIC_BELOW_RUNNING) {
        x->why = "its priority is not above the running priority";
        fact_value(x->w->e, x->f, "ICC_RPR_EL1", IHI_PRIORITY, gic_running(p), 2, "an active interrupt has it")->mark =
            FACT_DECIDES;
    }
}

bool arm_explain_gic(struct arm_why *w, struct fact *s)
{
    struct device *d = machine_device(w->m, "gic");
    unsigned n = w->e->hart;
    struct waiting x = {.w = w};
    bool any = false, signalled = d && gic_hold(w->p) == GIC_SIGNALLED;
    for (uint32_t i = 0; d && (i = gic_view_next(d, n, i, &x.v)) < GIC_INTIDS; i++) {
        if (signalled && gic_pending_intid(w->p->s.gic.set) == i)
            continue;
        x.intid = i;
        x.why = NULL;
        x.f = fact_add(w->e, s, explain_say(w->e, "INTID %u", i), NULL, "%s", "");
        at_distributor(&x);
        at_interface(&x);
        x.f->text = explain_say(w->e, "not signalled: %s", x.why ? x.why : "the CPU interface has not been told yet");
        any = true;
    }
    return any;
}
