#include "debug/riscv/context.h"
#include "base/hash.h"
#include "cpu/riscv/hart.h"
#include "debug/riscv/view.h"
#include "machine/machine.h"

#include <string.h>

_Static_assert(sizeof(struct rv_view) <= CONTEXT_BYTES, "a context has room for it");

static const struct rv_view *view(const struct context *c) { return (const struct rv_view *)(const void *)c->byte; }

static void take(struct context *c, struct machine *m, unsigned hart) { view_take((struct rv_view *)(void *)c->byte, m, hart); }

/* Bits of register `reg` that taking a trap to HS, or to VS, and returning from it changes by itself (priv 3.1.6.1;
   supervisor 1.1; hypervisor 2.1, 9.6). */
static uint64_t trap_bits(uint32_t reg, struct context_mode to)
{
    const uint64_t status = VIEW_SPP | VIEW_SPIE | VIEW_SPELP | VIEW_SDT;
    if (to.priv != 1)
        return 0;
    switch ((int)reg - (int)VIEW_CSR) {
    case VIEW_sepc:
    case VIEW_scause:
    case VIEW_stval:
    case VIEW_htval:
    case VIEW_htinst: return to.v ? 0 : UINT64_MAX;
    case VIEW_sstatus: return to.v ? 0 : status;
    case VIEW_hstatus: return to.v ? 0 : VIEW_SPV | VIEW_SPVP | 1 << 6; /* GVA */
    case VIEW_vsepc:
    case VIEW_vscause:
    case VIEW_vstval: return to.v ? UINT64_MAX : 0;
    case VIEW_vsstatus: return to.v ? status : 0;
    default: return 0;
    }
}

/* pc and the mode first, then in the order of view_name. */
static uint32_t in_order(uint32_t i)
{
    const uint32_t first = VIEW_COUNT - VIEW_PC;
    return i < first ? VIEW_PC + i : i - first;
}

static uint32_t differs(const struct context *a, const struct context *b, struct context_mode mode, uint32_t i)
{
    if (!i && !memcmp(view(a), view(b), sizeof(struct rv_view)))
        return UINT32_MAX;
    for (; i < VIEW_COUNT; i++) {
        uint32_t r = in_order(i);
        if ((view_value(view(a), r) ^ view_value(view(b), r)) & ~trap_bits(r, mode))
            return i;
    }
    return UINT32_MAX;
}

static void take_trapped(struct context *c, struct machine *m, const struct machine_change *trap)
{
    struct rv_view *v = (struct rv_view *)(void *)c->byte;
    if (trap->to_priv == 3) {
        view_take_trapped(v, m, trap->hart, trap->nmi);
        return;
    }
    view_take(v, m, trap->hart);
    uint64_t *status = &v->csr[trap->to_v ? VIEW_vsstatus : VIEW_sstatus];
    *status = (*status & ~(uint64_t)VIEW_SIE) | (*status & VIEW_SPIE) >> 4;
    v->pc = trap->epc;
    v->priv = trap->priv;
    v->v = trap->v;
    v->elp = (*status & VIEW_SPELP) != 0;
}

static uint64_t digest(const struct context *c)
{
    struct rv_view v = *view(c);
    const struct context_mode hs = {1, 0}, vs = {1, 1};
    for (uint32_t i = 0; i < VIEW_CSRS; i++)
        v.csr[i] &= ~(trap_bits(VIEW_CSR + i, hs) | trap_bits(VIEW_CSR + i, vs));
    return hash_bytes(&v, sizeof v);
}

static const char *name(uint32_t i) { return view_name(in_order(i)); }
static uint64_t value(const struct context *c, uint32_t reg) { return view_value(view(c), in_order(reg)); }
static uint64_t pc(const struct context *c) { return view(c)->pc; }

static uint32_t stack(const struct context *c, struct context_mode mode)
{
    (void)c;
    (void)mode;
    return VIEW_COUNT - VIEW_PC + VIEW_X + 2; /* behind pc and the mode, see in_order */
}

static const char *mode_name(uint8_t priv, uint8_t v, bool has_v)
{
    if (priv == 3)
        return "M";
    return v ? priv ? "VS" : "VU" : priv ? has_v ? "HS" : "S" : "U";
}

static const char *mode_of(const struct context *c, bool has_v) { return mode_name(view(c)->priv, view(c)->v, has_v); }

static const struct hart *hart_of(struct machine *m, unsigned i) { return (const struct hart *)(const void *)machine_hart(m, i); }

static bool passed_on(struct machine *m, unsigned hart, uint64_t epc)
{
    const struct rv_state *s = &hart_of(m, hart)->s;
    return s->priv == RV_S && s->pc == ((s->v ? s->csr.vstvec : s->csr.stvec) & ~UINT64_C(3)) &&
           (s->v ? s->csr.vsepc : s->csr.sepc) == epc;
}

static bool interrupt_next(struct machine *m, unsigned hart)
{
    struct trap t;
    return interrupt_pending((struct hart *)(void *)machine_hart(m, hart), &t);
}

static bool has_v(struct machine *m, unsigned hart) { return rv_has(hart_of(m, hart)->cfg, EXT_H); }

const struct context_ops riscv_context = {.size = sizeof(struct rv_view),
                                          .take = take,
                                          .take_trapped = take_trapped,
                                          .digest = digest,
                                          .differs = differs,
                                          .name = name,
                                          .value = value,
                                          .pc = pc,
                                          .stack = stack,
                                          .mode_of = mode_of,
                                          .mode_name = mode_name,
                                          .passed_on = passed_on,
                                          .interrupt_next = interrupt_next,
                                          .has_v = has_v};
