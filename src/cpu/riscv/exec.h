/* Inside cpu/riscv: what exec.inc gives the run loop, and what it takes from the rest. */
#ifndef TL_CPU_RISCV_EXEC_H
#define TL_CPU_RISCV_EXEC_H
#include "cpu/riscv/hart.h"

struct rv_exec {
    void (*enter)(struct hart *h, int64_t left); /* goes on at s.pc */
    uop_fn *decode_slot, *page_end;
    const uint16_t *fusion_begins; /* enum rv_op that each fused handler begins with */
    unsigned fusions;
};
extern const struct rv_exec rv_exec_64, rv_exec_32;

/* An FP instruction is about to run: true if FS lets it; then FS (and vsstatus.FS if V) is Dirty and fp_ready says how.
 * priv 3.1.6.6, hypervisor. */
bool hart_fp_use(struct hart *h);
/* frm changed: recomputes frm, fp_host and fp_ready. */
void hart_fp_mode(struct hart *h);
/* FS permits reading FP state. */
bool hart_fp_on(const struct hart *h);
/* Recomputes fp_ready, lpe and what else depends on mode and status registers. */
void hart_mode_caches(struct hart *h);
/* Puts the transformed instruction at s.pc into h->trap where the fault in there permits one. hypervisor 9.6.3. */
void hart_transform(struct hart *h);
/* Whether the current mode may use what a bit or field of xenvcfg enables (all of `field` 0 somewhere on the way down: no).
 * priv 3.1.18. */
enum csr_result hart_envcfg_gate(const struct hart *h, uint64_t field);
/* Zicfiss: shadow stacks are active in the current mode. */
bool hart_shadow_stack_on(const struct hart *h);
/* True if an enabled interrupt is pending at all: the run loop must look. Cheap. */
bool hart_irq_look(struct hart *h);
/* Acts on the effects of a CSR write; true if the run loop must look (an interrupt may be deliverable). */
bool hart_effects(struct hart *h, uint32_t fx);
#endif
