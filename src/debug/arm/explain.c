#include "debug/arm/explain.h"
#include "base/bits.h"
#include "debug/arm/esr.h"
#include "debug/arm/explain_parts.h"
#include "debug/symbols.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct fact *arm_bit(struct arm_why *w, struct fact *to, const char *label, const char *clause, uint64_t word, uint64_t mask,
                     const char *text)
{
    return fact_value(w->e, to, label, clause, (word & mask) >> __builtin_ctzll(mask), 0, "%s", text);
}

/* ---- the check
 * ------------------------------------------------------------------------------------------------------------------------- */

static void differs(struct arm_why *w, const char *what, uint64_t should, uint64_t is)
{
    if (should != is)
        explain_disagree(w->e, "%s should be 0x%" PRIx64 ", and is 0x%" PRIx64, what, should, is);
}

/* Counters and the interrupt controller go on by themselves. */
static bool may_change(const char *name)
{
    return !strncmp(name, "pm", 2) || !strncmp(name, "ic", 2) || !strncmp(name, "cnt", 3);
}

static void check(struct arm_why *w, struct arm_expect *x)
{
    const struct arm_state *s = &w->after->s;
    char name[48];
    uint64_t should, is;
    for (unsigned i = 0; (i = arm_regs_differ(&x->r, &s->regs, i, name, sizeof name, &should, &is)) != 0;)
        if (!may_change(name))
            differs(w, name, should, is);
    if (!x->pc_open)
        differs(w, "pc", x->pc, s->pc);
    if (x->r.mdscr_el1 & 1) /* PSTATE.SS is the software step state machine's */
        x->pstate = (x->pstate & ~(uint64_t)PSTATE_SS) | (s->pstate & PSTATE_SS);
    differs(w, "PSTATE", x->pstate, s->pstate);
}

/* ---- what was told
 * ----------------------------------------------------------------------------------------------------------------------- */

/* The exception as ESR_ELx and FAR_ELx show it; the class of a lower level where there are two. */
static void hear(struct arm_why *w)
{
    const struct machine_change *c = w->c;
    if (!c || c->is_return || c->interrupt)
        return;
    unsigned ec = (unsigned)bits_get(c->cause, 31, 26);
    bool same = ec == EC_INSN_ABORT || ec == EC_DATA_ABORT || ec == EC_BREAKPOINT_LOWER + 1 || ec == EC_SOFTWARE_STEP_LOWER + 1 ||
                ec == EC_WATCHPOINT_LOWER + 1;
    bool far = ec == EC_PC_ALIGNMENT || (ec >= EC_INSN_ABORT_LOWER && ec <= EC_DATA_ABORT) || ec >> 1 == EC_WATCHPOINT_LOWER >> 1;
    w->told = (struct arm_exception){.ec = (uint8_t)(ec - same),
                                     .el = c->to_priv,
                                     .far_valid = far,
                                     .far = c->tval,
                                     .iss = (uint32_t)bits_get(c->cause, 24, 0),
                                     .iss2 = (uint32_t)bits_get(c->cause, 55, 32)};
}

static const char *type_name(const struct arm_exception *x)
{
    static const char *const name[] = {"", "IRQ", "FIQ", "SError"};
    static const char *const virtual[] = {"", "virtual IRQ", "virtual FIQ", "virtual SError"};
    return x->virtual ? virtual[x->type] : name[x->type];
}

static const char *place(struct arm_why *w, uint64_t va)
{
    char text[96];
    symbols_text(w->m, va, text, sizeof text);
    return explain_say(w->e, "%s", text);
}

static void title(struct arm_why *w, const struct arm_exception *x, const struct arm_expect *want)
{
    struct explanation *e = w->e;
    unsigned from = w->p->el, to = (unsigned)(want->pstate & PSTATE_EL) >> PSTATE_EL_SHIFT;
    const char *at = place(w, e->pc), *what = "";
    bool two = x && ((x->ec >= EC_INSN_ABORT_LOWER && x->ec <= EC_DATA_ABORT_LOWER && x->ec != EC_PC_ALIGNMENT) ||
                     (x->ec >= EC_BREAKPOINT_LOWER && x->ec <= EC_WATCHPOINT_LOWER));
    const struct esr_class *c = x ? esr_class(x->ec + (two && from == to)) : NULL;
    if (x)
        what = x->type ? type_name(x) : c ? c->name : "exception";
    if (x && !x->type && x->ec == EC_UNKNOWN) /* the class says no more than that */
        what = x->el ? "trap with an unknown reason" : "undefined instruction";
    if (e->kind == EXPLAIN_RETURN)
        e->title = explain_say(e, "return from EL%u at %s to EL%u at %s", from, at, to, place(w, want->pc));
    else if (e->kind == EXPLAIN_NOTHING)
        e->title = explain_say(e, "no exception at EL%u at %s", from, at);
    else
        e->title = explain_say(e, "%s at EL%u at %s -> EL%u at %s", what, from, at, to, place(w, want->pc));
}

/* ---- all of it
 * ------------------------------------------------------------------------------------------------------------------------------
 */

static void explain(struct explanation *e, struct machine *before, struct machine *after, const struct machine_change *c)
{
    struct pe *p = (struct pe *)(void *)machine_hart(before, e->hart);
    struct arm_why w = {.e = e,
                        .m = before,
                        .p = p,
                        .after = (const struct pe *)(const void *)machine_hart(after, e->hart),
                        .c = c,
                        .known = true};
    if (p->s.waiting && p->s.trap_at && c && !c->interrupt && bits_get(c->cause, 31, 26) == EC_WFX) {
        fact_add(e, &e->facts, "delay", "Arm ARM WFETrapDelay", "over, and nothing has ended the waiting: the trap comes now");
        p->s.waiting = 0; /* the instruction is as if it had not been executed */
        p->s.pc -= 4;
        e->pc = p->s.pc;
    }
    p->s.pc = pe_branch_address(p, p->s.pc); /* a tag that a branch has put there is ignored when it is fetched from */
    struct arm_expect want = {.r = p->s.regs, .pc = p->s.pc, .pstate = p->s.pstate};
    struct arm_exception x = {0};
    bool made = false, trap;
    hear(&w);
    trap = arm_explain_interrupts(&w, &x);
    if (!trap && p->s.waiting && machine_waits(before, e->hart))
        fact_add(e, &e->facts, "waiting", "Arm ARM D1.7: Mechanisms for entering a low-power state", "nothing ends it now");
    else if (!trap)
        trap = arm_explain_instruction(&w, &x, &made, &want.pc_open);
    if (trap) {
        made = false;
        if (x.type == EXCEPTION_SYNCHRONOUS)
            arm_explain_priority(&w, &x);
        arm_explain_route(&w, &x, &want);
    } else if (made) {
        arm_explain_return(&w, &want);
    }
    if (c ? (!trap && !made) || c->is_return == trap : trap || made)
        explain_disagree(e, "the facts say %s, but there was %s",
                         trap   ? explain_say(e, "an exception of class 0x%02x", x.ec)
                         : made ? "a return"
                                : "nothing",
                         !c             ? "none"
                         : c->is_return ? "a return"
                                        : explain_say(e, "one, ESR_ELx 0x%" PRIx64, c->cause));
    else if (c)
        check(&w, &want);
    title(&w, trap ? &x : NULL, &want);
}

static void walk(struct explanation *e, struct machine *before, uint64_t va)
{
    struct pe *p = (struct pe *)(void *)machine_hart(before, e->hart);
    struct arm_why w = {.e = e, .m = before, .p = p, .after = p, .known = true};
    const struct access_mode m = {.el = p->el, .regime = (uint8_t)regime_of(p, p->el)};
    struct arm_exception x = {0};
    uint64_t pa;
    const char *mode = machine_mode(before, e->hart);
    struct fact *s = fact_add(e, &e->facts, "translation", ARM_S1, "%s", "");
    if (arm_explain_access(&w, s, va, 1, ACCESS_LOAD, &m, &pa, &x))
        e->title = explain_say(e, "0x%" PRIx64 " in %s is physical 0x%" PRIx64, va, mode, pa);
    else
        e->title = explain_say(e, "a load from 0x%" PRIx64 " in %s raises a %s", va, mode, esr_class(x.ec)->name);
}

/* Asynchronous ones are counted from IRQ (0). */
static const char *cause_name(bool interrupt, uint64_t cause, uint64_t *number, char scratch[32])
{
    static const char *const async[] = {"IRQ", "FIQ", "SError"};
    const struct esr_class *c;
    *number = interrupt ? cause : bits_get(cause, 31, 26);
    if (interrupt)
        return cause < ARRAY_LEN(async) ? async[cause] : "interrupt";
    if (*number == EC_UNKNOWN) /* both titles */
        return "undefined instruction or trap with an unknown reason";
    c = esr_class((unsigned)*number);
    snprintf(scratch, 32, "exception class 0x%02x", (unsigned)*number);
    return c ? c->name : scratch;
}

const struct explain_ops arm_explain = {.explain = explain, .walk = walk, .cause = cause_name};
