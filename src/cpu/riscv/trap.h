/* Shared by trap.c and xret.c: the change of mode, in line because it is most of what a hypervisor's round trip costs. */
#ifndef TL_CPU_RISCV_TRAP_H
#define TL_CPU_RISCV_TRAP_H
#include "cpu/riscv/access.h"
#include "cpu/riscv/counters.h"
#include "cpu/riscv/status.h"

/* xLPE: landing pads are enforced in mode priv, v (priv "Landing-Pad-Enabled State"). */
bool landing_pads(const struct hart *h, uint8_t priv, uint8_t v);

/* Somebody wants to be told of traps and returns (cpu_env.trapped). */
static inline bool trap_is_watched(const struct hart *h) { return h->cpu.env && h->cpu.env->trapped; }

/* Tells the watcher of trap t, or (NULL) of a return, which has just happened at epc in mode priv, v. */
void tell_change(struct hart *h, const struct trap *t, uint64_t epc, uint8_t priv, uint8_t v);

/* Brings along what depends on the mode in s.priv, s.v. */
static inline __attribute__((always_inline)) void trap_enter_mode(struct hart *h)
{
    const struct rv_csrs *r = &h->s.csr;
    uint64_t fs = r->mstatus & (h->s.v ? r->vsstatus : MSTATUS_FS) & MSTATUS_FS;
    h->fp_ready = fs == MSTATUS_FS ? h->fp_host : 0;
    h->lpe = h->lpe_in >> (h->s.v << 2 | h->s.priv) & 1;
    hart_context_quick(h);
}

/* Changes the mode as hart_set_mode. retired: 1 if the instruction that changes it retires (a return), 0 if it does not (a trap).
 */
static inline __attribute__((always_inline)) void trap_change_mode(struct hart *h, uint8_t priv, uint8_t v, unsigned retired)
{
    h->s.priv = h->csr.priv = priv;
    h->s.v = h->csr.v = v;
    if (unlikely(h->count_active))
        counters_mode(h, retired);
    trap_enter_mode(h);
}
#endif
