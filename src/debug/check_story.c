#include "debug/check_story.h"
#include "debug/riscv/sbi.h"
#include "debug/symbols.h"

#include <inttypes.h>
#include <string.h>

enum { HART = 0, ECALL_FROM_S = 9, TEXT = 256 };

static const char *mode_name(unsigned priv, unsigned v)
{
    if (priv == 3)
        return "M";
    if (v)
        return priv ? "VS" : "VU";
    return priv ? "HS" : "U";
}

/* Writes " at 0x80201000 (what it is)". */
static void tell_place(const struct check_probe *p, struct machine *m, const char *word, uint64_t pc)
{
    uint64_t offset;
    const char *name;
    fprintf(p->story, " %s 0x%" PRIx64, word, pc);
    if (pc == p->entry_pc)
        fputs(" (the handler's entry)", p->story);
    else if (pc == p->complete)
        fputs(" (the handler's completing call)", p->story);
    else if (pc >= p->handler_start && pc < p->handler_end)
        fputs(" (in the handler)", p->story);
    else if (pc >= p->sled && pc < p->call)
        fputs(" (what is interrupted)", p->story);
    else if ((name = symbols_near(m, pc, &offset)) && !offset)
        fprintf(p->story, " (%s)", name);
    else if (name)
        fprintf(p->story, " (%s+0x%" PRIx64 ")", name, offset);
}

/* The registers that are not as they were when they were shown last. */
static void show_changes(struct check_probe *p, const struct rv_view *now)
{
    for (uint32_t i = view_differs(&p->told, now, 0); i != UINT32_MAX; i = view_differs(&p->told, now, i + 1))
        if (i != VIEW_PC && i != VIEW_PRIV && i != VIEW_V)
            fprintf(p->story, "        %-10s 0x%" PRIx64 " -> 0x%" PRIx64 "\n", view_name(i), view_value(&p->told, i),
                    view_value(now, i));
    p->told = *now;
}

void story_begin(struct check_probe *p, const struct rv_view *x)
{
    p->told = *x;
    p->calling = false;
    fprintf(p->story,
            "  %-3s pc=0x%" PRIx64 " sstatus=0x%" PRIx64 " hstatus=0x%" PRIx64 " sepc=0x%" PRIx64 ": an event is raised\n",
            mode_name(x->priv, x->v), x->pc, x->csr[VIEW_sstatus], x->csr[VIEW_hstatus], x->csr[VIEW_sepc]);
}

static void tell_trap(struct check_probe *p, struct machine *m, const struct machine_change *c)
{
    fprintf(p->story, "  %-3s -> %-3s %s %" PRIu64, mode_name(c->priv, c->v), mode_name(c->to_priv, c->to_v),
            c->interrupt ? "interrupt" : "cause", c->cause);
    tell_place(p, m, "at", c->epc);
    p->calling = c->to_priv == 3 && !c->interrupt && c->cause == ECALL_FROM_S;
    if (p->calling) {
        char text[TEXT];
        struct sbi_call call = {.xlen = p->xlen};
        struct rv_view now;
        view_take(&now, m, HART);
        memcpy(call.a, now.x + 10, sizeof call.a);
        memcpy(p->call_a, call.a, sizeof call.a);
        sbi_call_text(&call, NULL, text, sizeof text);
        fprintf(p->story, ": %s", text);
    }
    fputc('\n', p->story);
}

static void tell_return(struct check_probe *p, struct machine *m, const struct machine_change *c, const struct rv_view *now)
{
    fprintf(p->story, "  %-3s <- %-3s %s", mode_name(c->to_priv, c->to_v), mode_name(c->priv, c->v),
            c->priv == 3 ? "mret" : "sret");
    tell_place(p, m, "to", c->pc);
    if (p->calling && p->phase == PHASE_HANDLER && c->priv == 3) {
        char text[TEXT];
        struct sbi_call call = {.xlen = p->xlen};
        struct sbi_result result = {now->x[10], now->x[11]};
        memcpy(call.a, p->call_a, sizeof call.a);
        sbi_call_text(&call, &result, text, sizeof text);
        fprintf(p->story, ": %s", text);
    }
    if (c->priv == 3)
        p->calling = false;
    fputc('\n', p->story);
}

/* What another hart does, in a line. */
static void tell_other(struct check_probe *p, struct machine *m, const struct machine_change *c)
{
    fprintf(p->story, "  hart %u: %s %s %s", c->hart,
            mode_name(c->is_return ? c->to_priv : c->priv, c->is_return ? c->to_v : c->v), c->is_return ? "<-" : "->",
            mode_name(c->is_return ? c->priv : c->to_priv, c->is_return ? c->v : c->to_v));
    if (!c->is_return)
        fprintf(p->story, " %s %" PRIu64, c->interrupt ? "interrupt" : "cause", c->cause);
    tell_place(p, m, c->is_return ? "to" : "at", c->is_return ? c->pc : c->epc);
    fputc('\n', p->story);
}

void story_change(struct check_probe *p, struct machine *m, const struct machine_change *c)
{
    struct rv_view now;
    if (c->hart != HART) {
        tell_other(p, m, c);
        return;
    }
    if (!c->is_return) {
        if (c->to_priv != 3)
            view_take(&now, m, HART);
        else
            view_take_trapped(&now, m, HART, c->nmi);
        show_changes(p, &now);
        tell_trap(p, m, c);
        return;
    }
    if (c->to_priv == 3)
        return;
    view_take(&now, m, HART);
    tell_return(p, m, c, &now);
    show_changes(p, &now);
}
