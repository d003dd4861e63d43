#include "debug/traptext.h"
#include "debug/riscv/trace.h"
#include "debug/riscv/view.h"
#include "debug/symbols.h"

#include <inttypes.h>
#include <stdio.h>

_Static_assert(TRAPTEXT_LINE >= TRACE_LINE, "room for a line of any architecture");

/* Arm: the cause is the syndrome. */
static void arm_text(struct machine *m, const struct machine_change *c, char line[TRAPTEXT_LINE])
{
    static const char *const interrupts[] = {"IRQ", "FIQ", "SError"};
    char from[96], to[96];
    symbols_text(m, c->epc, from, sizeof from);
    symbols_text(m, c->pc, to, sizeof to);
    int n = snprintf(line, TRAPTEXT_LINE, "%12" PRIu64 " hart %u EL%u %s %s EL%u %s", c->cycle, c->hart, c->priv, from,
                     c->is_return ? "returns to" : "->", c->to_priv, to);
    if (c->is_return)
        return;
    if (c->interrupt)
        snprintf(line + n, TRAPTEXT_LINE - (size_t)n, ": %s", interrupts[c->cause < 3 ? c->cause : 2]);
    else
        snprintf(line + n, TRAPTEXT_LINE - (size_t)n, ": esr 0x%" PRIx64 " far 0x%" PRIx64, c->cause, c->tval);
}

void trap_text(struct machine *m, const struct machine_change *c, char line[TRAPTEXT_LINE])
{
    struct rv_features f;
    if (view_features(&f, m, 0))
        trace_trap(m, c, line);
    else
        arm_text(m, c, line);
}
