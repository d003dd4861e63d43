/* Which interrupt is taken and why the others are not: priv "Machine Interrupt (mip and mie) Registers", hypervisor "Hypervisor
   Interrupt (hvip, hip, and hie) Registers". */
#include "base/bits.h"
#include "cpu/riscv/status.h"
#include "csr/riscv/masks.h"
#include "debug/riscv/explain_parts.h"

#include <stdio.h>

/* In decreasing priority among those for the same mode. */
static const struct {
    uint8_t irq;
    const char *name;
} order[] = {{IRQ_MEI, "MEI"},   {IRQ_MSI, "MSI"},   {IRQ_MTI, "MTI"},    {IRQ_SEI, "SEI"},
             {IRQ_SSI, "SSI"},   {IRQ_STI, "STI"},   {IRQ_SGEI, "SGEI"},  {IRQ_VSEI, "VSEI"},
             {IRQ_VSSI, "VSSI"}, {IRQ_VSTI, "VSTI"}, {IRQ_LCOFI, "LCOFI"}};

enum { TO_M, TO_HS, TO_VS };

const char *rv_irq_name(struct explanation *e, unsigned irq)
{
    static const char *const title[] = {
#define IRQ(number, name, ...) [number] = name,
#include "debug/riscv/cause.def"
    };
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (order[i].irq == irq)
            return explain_say(e, "%s (%u), %s", order[i].name, irq, title[irq]);
    return explain_say(e, "interrupt %u", irq);
}

static unsigned rank(unsigned irq)
{
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (order[i].irq == irq)
            return i;
    return ARRAY_LEN(order) + irq;
}

/* One pending interrupt. */
struct candidate {
    unsigned irq, to;
    bool possible; /* enabled by itself and for its mode */
};

static const char *name_of(unsigned to, bool h)
{
    static const char *const name[] = {"M", "HS", "VS"};
    return to == TO_HS && !h ? "S" : name[to];
}

/* What makes a bit of mip one: the part of several registers that has it. */
static const char *source(const struct rv_why *w, unsigned irq)
{
    const struct rv_csrs *r = &w->h->s.csr;
    uint64_t bit = MIP(irq), lines = w->h->s.lines;
    if (lines & bit)
        return "the line is high";
    if (irq == IRQ_STI && (r->menvcfg & menvcfg_STCE))
        return "time has reached stimecmp";
    if (r->mip & bit)
        return irq == IRQ_LCOFI ? "a counter has overflowed, or the bit was written" : "the bit was written";
    if (r->hvip & bit)
        return "hvip";
    if (irq == IRQ_VSTI)
        return "time + htimedelta has reached vstimecmp";
    return irq == IRQ_SGEI ? "hgeip & hgeie" : "hgeip, selected by hstatus.VGEIN";
}

/* A global enable of the mode the hart is in, to which the interrupt goes. */
static bool enables(struct rv_why *w, struct fact *f, const char *label, bool on, const char *mode)
{
    fact_value(w->e, f, label, PRIV_IRQ, on, 0, "in %s: %s", mode, on ? "enabled" : "held back")->mark =
        on ? FACT_PLAIN : FACT_DECIDES;
    return on;
}

static bool refuses(struct rv_why *w, struct fact *f, const char *clause, const char *text)
{
    fact_add(w->e, f, "enabled", clause, "%s", text)->mark = FACT_DECIDES;
    return false;
}

/* Whether the global enable of the mode it goes to lets it in; adds the facts that say so. */
static bool globally(struct rv_why *w, struct fact *f, unsigned to)
{
    const struct rv_csrs *r = &w->h->s.csr;
    uint8_t priv = w->h->s.priv, v = w->h->s.v;
    if (to == TO_M) {
        if (priv != RV_M)
            return fact_add(w->e, f, "enabled", PRIV_IRQ, "the mode is below M: MIE is not asked"), true;
        return enables(w, f, "mstatus.MIE", r->mstatus & mstatus_MIE, "M");
    }
    if (priv == RV_M)
        return refuses(w, f, PRIV_DELEG, "the mode is M: delegated ones are masked");
    if (to == TO_HS) {
        if (v || priv == RV_U)
            return fact_add(w->e, f, "enabled", PRIV_IRQ, "the mode is below %s: SIE is not asked", name_of(to, rv_on(w, EXT_H))),
                   true;
        return enables(w, f, "sstatus.SIE", r->mstatus & mstatus_SIE, name_of(to, rv_on(w, EXT_H)));
    }
    if (!v)
        return refuses(w, f, HYP_DELEG, "V=0: what is delegated to VS waits until V=1");
    if (priv == RV_U)
        return fact_add(w->e, f, "enabled", PRIV_IRQ, "the mode is VU, below VS: vsstatus.SIE is not asked"), true;
    return enables(w, f, "vsstatus.SIE", r->vsstatus & vsstatus_SIE, "VS");
}

static unsigned destination(struct rv_why *w, struct fact *f, unsigned irq)
{
    const struct rv_csrs *r = &w->h->s.csr;
    uint64_t bit = MIP(irq);
    fact_value(w->e, f, explain_say(w->e, "mideleg[%u]", irq), rv_deleg_fixed(w, true, irq) ? HYP_MIDELEG : PRIV_DELEG,
               (r->mideleg & bit) != 0, 0, "%s%s", r->mideleg & bit ? "delegated below M" : "goes to M",
               rv_deleg_fixed(w, true, irq) ? " (read-only)" : "");
    if (!(r->mideleg & bit))
        return TO_M;
    if (!rv_on(w, EXT_H))
        return TO_HS;
    fact_value(w->e, f, explain_say(w->e, "hideleg[%u]", irq), HYP_DELEG, (r->hideleg & bit) != 0, 0, "%s%s",
               r->hideleg & bit ? "delegated to VS" : "goes to HS", rv_hdeleg_fixed(true, irq) ? " (read-only)" : "");
    return r->hideleg & bit ? TO_VS : TO_HS;
}

static void look(struct rv_why *w, struct fact *f, struct candidate *k)
{
    bool enabled = w->h->s.csr.mie & MIP(k->irq);
    fact_value(w->e, f, explain_say(w->e, "mip[%u]", k->irq), PRIV_IRQ, 1, 0, "%s", source(w, k->irq));
    fact_value(w->e, f, explain_say(w->e, "mie[%u]", k->irq), PRIV_IRQ, enabled, 0, enabled ? "enabled" : "disabled")->mark =
        enabled ? FACT_PLAIN : FACT_DECIDES;
    k->to = destination(w, f, k->irq);
    k->possible = globally(w, f, k->to) && enabled;
}

/* Smrnmi: nothing is taken while NMIE is 0, and an RNMI comes before everything. */
static bool rnmi(struct rv_why *w, struct fact *s, bool *masked)
{
    bool nmie = w->h->s.csr.mnstatus & mnstatus_NMIE;
    *masked = !nmie;
    struct fact *f = rv_field(w, s, "mnstatus.NMIE", RNMI_CLAUSE, w->h->s.csr.mnstatus, mnstatus_NMIE,
                              nmie ? "interrupts and RNMIs may be taken" : "every interrupt is disabled, in every mode");
    f->mark = nmie ? FACT_PLAIN : FACT_DECIDES;
    if (!w->h->s.nmi_pending)
        return false;
    f = fact_add(w->e, s, "RNMI", "smrnmi: RNMI Interrupt Signals",
                 nmie ? "the input is raised: taken before any other interrupt" : "the input is raised, and waits for NMIE");
    f->mark = FACT_DECIDES;
    return nmie;
}

static void verdicts(struct rv_why *w, struct fact *s, const struct candidate *k, unsigned n, const struct candidate *best,
                     bool masked)
{
    struct fact *f = s->first;
    while (f && f->stage != FACT_STAGE_1)
        f = f->next;
    for (unsigned i = 0; i < n; i++, f = f->next) {
        f->stage = FACT_NO_STAGE;
        const char *to = name_of(k[i].to, rv_on(w, EXT_H));
        if (!k[i].possible)
            f->text = explain_say(w->e, "not taken now; it goes to %s", to);
        else if (masked)
            f->text = "not taken now: see above";
        else if (&k[i] != best)
            f->text = explain_say(w->e, "waits: %s comes first%s", rv_irq_name(w->e, best->irq),
                                  best->to < k[i].to ? ", for a more privileged mode" : "");
        else {
            f->text = explain_say(w->e, "taken to %s", to);
            f->mark = FACT_DECIDES;
        }
    }
}

bool rv_explain_interrupts(struct rv_why *w, struct trap *t)
{
    struct candidate k[64];
    unsigned n = 0;
    const struct candidate *best = NULL;
    uint64_t pending = hart_mip(w->h);
    bool masked = false, nmi = false, smrnmi = rv_on(w, EXT_Smrnmi);
    if (!pending && !w->h->s.nmi_pending)
        return false;
    struct fact *s = fact_add(w->e, &w->e->facts, "interrupts", PRIV_IRQ, "what is pending, and which one is taken first");
    if (smrnmi)
        nmi = rnmi(w, s, &masked);
    for (unsigned i = 0; i < 64; i++) {
        if (!(pending >> i & 1))
            continue;
        struct fact *f = fact_add(w->e, s, rv_irq_name(w->e, i), NULL, "%s", "");
        f->stage = FACT_STAGE_1; /* taken off again by verdicts() */
        k[n].irq = i;
        look(w, f, &k[n++]);
    }
    for (unsigned i = 0; i < n; i++) {
        if (!k[i].possible)
            continue;
        if (!best || k[i].to < best->to || (k[i].to == best->to && rank(k[i].irq) < rank(best->irq)))
            best = &k[i];
    }
    verdicts(w, s, k, n, nmi ? NULL : best, masked || nmi);
    if (nmi)
        *t = (struct trap){.interrupt = true, .nmi = true};
    else if (best && !masked)
        *t = (struct trap){.interrupt = true, .cause = best->irq};
    return nmi || (best && !masked);
}
