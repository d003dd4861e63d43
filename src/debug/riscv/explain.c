#include "debug/riscv/explain.h"
#include "base/bits.h"
#include "csr/riscv/masks.h"
#include "debug/riscv/explain_parts.h"
#include "debug/riscv/trace.h"
#include "debug/symbols.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *rv_mode_name(const struct rv_why *w, uint8_t priv, uint8_t v) { return trace_mode(priv, v, rv_on(w, EXT_H)); }

const char *rv_label(struct rv_why *w, const char *label, uint64_t mask)
{
    size_t n = strcspn(label, ".");
    return w->xlen == 32 && mask > UINT32_MAX ? explain_say(w->e, "%.*sh%s", (int)n, label, label + n) : label;
}

struct fact *rv_field(struct rv_why *w, struct fact *to, const char *label, const char *clause, uint64_t word, uint64_t mask,
                      const char *text)
{
    return fact_value(w->e, to, rv_label(w, label, mask), clause, (word & mask) >> __builtin_ctzll(mask), 0, "%s", text);
}

/* ---- the check
 * ----------------------------------------------------------------------------------------------------------------- */

/* What may change at a boundary besides the trap: bits that a counter's overflow sets, FS by an instruction that then traps. */
static void allow(const struct rv_why *w, struct rv_csrs *r, const struct rv_csrs *now)
{
    r->mip = now->mip;
    memcpy(r->mhpmevent, now->mhpmevent, sizeof r->mhpmevent);
    if (!w->fp)
        return;
    if ((now->mstatus & mstatus_FS) == mstatus_FS)
        r->mstatus |= mstatus_FS;
    if ((now->vsstatus & vsstatus_FS) == vsstatus_FS)
        r->vsstatus |= vsstatus_FS;
}

static void differs(struct rv_why *w, const char *what, uint64_t should, uint64_t is)
{
    if (should != is)
        explain_disagree(w->e, "%s should be 0x%" PRIx64 ", and is 0x%" PRIx64, what, should, is);
}

static void check(struct rv_why *w, const struct rv_expect *x)
{
    const struct rv_state *s = &w->after->s;
    struct rv_csrs r = x->r;
    char name[32];
    uint64_t should, is;
    allow(w, &r, &s->csr);
    for (unsigned i = 0; (i = rv_csrs_differ(&r, &s->csr, i, name, sizeof name, &should, &is)) != 0;)
        differs(w, name, should, is);
    differs(w, "pc", x->pc, rv_narrow(w, s->pc));
    differs(w, "the privilege", x->priv, s->priv);
    differs(w, "V", x->v, s->v);
    differs(w, "ELP", x->elp, s->elp);
    differs(w, "the critical error state", x->halted, s->halted);
}

/* What was told of the trap, against what the facts make of it. */
static void check_told(struct rv_why *w, const struct trap *t)
{
    const struct machine_change *c = w->c;
    differs(w, "whether it is an interrupt", t->interrupt, c->interrupt);
    differs(w, "whether it is an NMI", t->nmi, c->nmi);
    differs(w, "the cause", t->cause, c->cause);
    differs(w, "tval", t->tval, c->tval);
    differs(w, "tval2", t->tval2, c->tval2);
    differs(w, "tinst", t->tinst, c->tinst);
    differs(w, "whether tval is a guest virtual address", t->gva, c->gva);
}

/* ---- titles
 * --------------------------------------------------------------------------------------------------------------------- */

static const char *place(struct rv_why *w, uint64_t va)
{
    char text[96];
    symbols_text(w->m, va, text, sizeof text);
    return explain_say(w->e, "%s", text);
}

static void title(struct rv_why *w, const struct trap *t, const struct rv_expect *x)
{
    char scratch[32];
    struct explanation *e = w->e;
    const char *from = rv_mode_name(w, w->h->s.priv, w->h->s.v), *to = rv_mode_name(w, x->priv, x->v), *at = place(w, e->pc);
    const char *what = t ? (t->nmi ? "resumable non-maskable interrupt" : trace_cause(t->interrupt, t->cause, scratch)) : "";
    if (t && !t->interrupt && t->cause == EXC_ECALL_S && !rv_on(w, EXT_H))
        what = "environment call from S"; /* the name of the cause is the one with H */
    if (e->kind == EXPLAIN_RETURN)
        e->title = explain_say(e, "return from %s at %s to %s at %s", from, at, to, place(w, x->pc));
    else if (e->kind == EXPLAIN_HALT)
        e->title = explain_say(e, "%s in %s at %s: critical error", what, from, at);
    else if (e->kind == EXPLAIN_NOTHING)
        e->title = explain_say(e, "no trap in %s at %s", from, at);
    else
        e->title = explain_say(e, "%s in %s at %s -> %s at %s", what, from, at, to, place(w, x->pc));
}

/* ---- what comes before what
 * ------------------------------------------------------------------------------------------------------- */

/* priv table "Synchronous exception priority in decreasing priority order"; hypervisor "Synchronous exception priority when the
   hypervisor extension is implemented"; cfi for software checks. Where a hardware error has its place is for the implementation
   to say: here it comes from outside, and before anything is looked at. */
static const struct {
    uint32_t causes;
    const char *when;
} priority[] = {
    {1u << 3, "instruction address breakpoint"},
    {1u << 12 | 1u << 20 | 1u << 1, "translation of the instruction's address"},
    {1u << 1, "physical address of the instruction"},
    {1u << 18, "landing pad expected"},
    {1u << 2 | 1u << 22 | 1u << 0 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 3, "the instruction itself"},
    {1u << 4 | 1u << 6, "alignment of an atomic access, or of any where misaligned ones trap"},
    {1u << 13 | 1u << 15 | 1u << 21 | 1u << 23 | 1u << 5 | 1u << 7, "translation of the data address"},
    {1u << 5 | 1u << 7, "physical address of the data"},
    {1u << 18, "return address popped from the shadow stack"},
};
enum { AT_INSN_TRANSLATION = 1, AT_INSN_PHYSICAL, AT_LANDING_PAD, AT_INSN, AT_TRANSLATION = 6, AT_PHYSICAL, AT_SHADOW_STACK };

/* Which of the rows that name the cause it was. */
static unsigned step_of(const struct rv_why *w, const struct trap *t)
{
    bool ok = explain_find(w->e, "physical address") != NULL;
    if (t->cause == EXC_SOFTWARE_CHECK)
        return t->tval == 2 ? AT_LANDING_PAD : AT_SHADOW_STACK;
    if (t->cause == EXC_BREAKPOINT)
        return AT_INSN;
    if (t->cause == EXC_INSN_ACCESS)
        return ok ? AT_INSN_PHYSICAL : AT_INSN_TRANSLATION;
    if (t->cause == EXC_LOAD_ACCESS || t->cause == EXC_STORE_ACCESS)
        return ok ? AT_PHYSICAL : AT_TRANSLATION;
    for (unsigned i = 0; i < ARRAY_LEN(priority); i++)
        if (priority[i].causes >> t->cause & 1)
            return i;
    return ARRAY_LEN(priority);
}

static void competitors(struct rv_why *w, const struct trap *t)
{
    unsigned at = step_of(w, t);
    uint32_t there = rv_on(w, EXT_H) ? UINT32_MAX : ~(1u << 10 | 15u << 20);
    struct fact *s = fact_add(w->e, &w->e->facts, "priority", rv_sync(w), "in decreasing order");
    if (t->cause == EXC_HARDWARE_ERROR) {
        fact_add(w->e, s, "19", PRIV_CAUSE, "hardware error: it comes from outside, before the instruction is looked at")->mark =
            FACT_DECIDES;
        return;
    }
    for (unsigned i = 0; i <= at && i < ARRAY_LEN(priority); i++) {
        char text[96];
        int n = 0;
        for (unsigned k = 0; k < 32; k++)
            if ((priority[i].causes & there) >> k & 1)
                n += snprintf(text + n, sizeof text - (size_t)n, "%s%u", n ? ", " : "", k);
        const char *causes = explain_say(w->e, "%s", text);
        struct fact *f = fact_add(w->e, s, causes, NULL, "%s: %s", priority[i].when,
                                  i < at ? "not so" : "this one; the rest is not looked at");
        f->mark = i == at ? FACT_DECIDES : FACT_PLAIN;
    }
}

/* ---- all of it
 * --------------------------------------------------------------------------------------------------------------------- */

static void trapped(struct rv_why *w, const struct trap *t, struct rv_expect *x)
{
    if (!t->interrupt)
        competitors(w, t);
    rv_explain_route(w, t, x);
    if (w->c)
        check_told(w, t);
    if (x->halted)
        w->e->kind = EXPLAIN_HALT;
}

/* A bus error from outside: there is nothing about it in the state before. */
static bool from_outside(struct rv_why *w, struct trap *t)
{
    const struct machine_change *c = w->c;
    if (!c || c->interrupt || c->is_return || c->cause != EXC_HARDWARE_ERROR)
        return false;
    *t = (struct trap){.cause = EXC_HARDWARE_ERROR, .tval = c->tval, .gva = c->tval && w->h->s.v};
    struct fact *s = fact_add(w->e, &w->e->facts, "instruction", PRIV_CAUSE, "meets corrupt data");
    fact_value(w->e, s, "bus error", PRIV_CAUSE, t->tval, w->digits, "from outside, at this boundary")->mark = FACT_DECIDES;
    return true;
}

static void explain(struct explanation *e, struct machine *before, struct machine *after, const struct machine_change *c)
{
    struct hart *h = (struct hart *)(void *)machine_hart(before, e->hart);
    struct rv_why w = {.e = e,
                       .m = before,
                       .h = h,
                       .after = (const struct hart *)(const void *)machine_hart(after, e->hart),
                       .c = c,
                       .xlen = h->cfg->xlen,
                       .digits = h->cfg->xlen / 4};
    struct rv_expect x = {.r = h->s.csr, .pc = rv_narrow(&w, h->s.pc), .priv = h->s.priv, .v = h->s.v, .elp = h->s.elp};
    struct trap t = {0};
    enum rv_return ret = RV_NO_RETURN;
    bool trap = from_outside(&w, &t) || rv_explain_interrupts(&w, &t);
    if (h->s.halted)
        fact_add(e, &e->facts, "critical error", PRIV_DOUBLE, "the hart has stopped for good");
    else if (!trap && !(h->s.waiting && machine_waits(before, e->hart)))
        trap = rv_explain_instruction(&w, &t, &ret);
    else if (!trap)
        fact_add(e, &e->facts, "waiting", "priv: Wait for Interrupt", "nothing that is enabled in mie is pending");
    if (trap) {
        ret = RV_NO_RETURN;
        trapped(&w, &t, &x);
    } else if (ret != RV_NO_RETURN) {
        rv_explain_return(&w, ret, &x);
    }
    bool told = c && c->is_return == !trap;
    if (c ? !told || (!trap && ret == RV_NO_RETURN) : (trap && !x.halted) || ret != RV_NO_RETURN)
        explain_disagree(e, "the facts say %s, but there was %s",
                         trap                  ? explain_say(e, "exception or interrupt %u", (unsigned)t.cause)
                         : ret != RV_NO_RETURN ? "a return"
                                               : "no trap",
                         !c             ? "none"
                         : c->is_return ? "a return"
                                        : explain_say(e, "a trap of cause %u", (unsigned)c->cause));
    else if (c || x.halted)
        check(&w, &x);
    title(&w, trap ? &t : NULL, &x);
}

static void walk(struct explanation *e, struct machine *before, uint64_t va)
{
    struct hart *h = (struct hart *)(void *)machine_hart(before, e->hart);
    struct rv_why w = {.e = e, .m = before, .h = h, .after = h, .xlen = h->cfg->xlen, .digits = h->cfg->xlen / 4};
    const struct rv_access a = {.va = va, .size = 1, .access = ACCESS_LOAD, .m = h->plain};
    struct trap t = {0};
    uint64_t pa, number;
    char scratch[32];
    struct fact *s = fact_add(e, &e->facts, "translation", PRIV_WALK, "%s", "");
    if (rv_explain_access(&w, s, &a, &pa, &t))
        e->title = explain_say(e, "0x%" PRIx64 " in %s is physical 0x%" PRIx64, va, rv_mode_name(&w, h->s.priv, h->s.v), pa);
    else
        e->title = explain_say(e, "a load from 0x%" PRIx64 " in %s raises %s", va, rv_mode_name(&w, h->s.priv, h->s.v),
                               riscv_explain.cause(false, t.cause, &number, scratch));
}

static const char *cause_name(bool interrupt, uint64_t cause, uint64_t *number, char scratch[32])
{
    *number = cause;
    return trace_cause(interrupt, cause, scratch);
}

const struct explain_ops riscv_explain = {
    .exception_cycles = 1, .outside = true, .explain = explain, .walk = walk, .cause = cause_name};
