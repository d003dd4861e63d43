/* Inside cpu/arm: what the files of handlers share, and what they take from the rest. */
#ifndef TL_CPU_ARM_EXEC_H
#define TL_CPU_ARM_EXEC_H
#include "cpu/arm/pe.h"

/* ---- exec.c ------------------------------------------------------------------------------------------------------------------
 */

/* Goes on at s.pc. */
void exec_enter(struct pe *p, int64_t left);
uop_fn exec_decode_slot, exec_page_end;

/* Where handlers go by a tail call when something is not as usual. */
typedef void exec_exit(struct pe *p, struct uop *op, int64_t left);
#define EXIT __attribute__((noinline, cold))
EXIT exec_exit exec_stop_at;       /* no cycles are left: the state is made whole before op */
EXIT exec_exit exec_refetch;       /* translations were dropped: op is looked up anew */
EXIT exec_exit exec_raise;         /* takes the exception in p->exc at op */
EXIT exec_exit exec_undefined;     /* op is UNDEFINED */
EXIT exec_exit exec_fp_trap;       /* op is an FP or Advanced SIMD instruction that is not permitted now */
EXIT exec_exit exec_sp_moved;      /* op, which is done, has misaligned SP, and that faults when SP is used */
EXIT exec_exit exec_debug_changed; /* op, which is done, changed what debug exceptions are taken by */
EXIT void exec_fetch_slow(struct pe *p, int64_t left);
/* The cold ends of loads and stores: op, which accesses memory by the address va, faults or needs a look. */
EXIT exec_exit exec_sp_alignment;

/* The handlers of the rows expanded in exec.c and exec_simd.c; NULL: the other has it. */
extern uop_fn *const exec_core_handlers[A64_OP_COUNT], *const exec_simd_handlers[A64_OP_COUNT];

/* ---- pe.c, system.c
 * ------------------------------------------------------------------------------------------------------------- */

/* Acts on the effects of a system register write; true if the run loop must look. */
bool pe_effects(struct pe *p, uint32_t fx);
/* True if an interrupt or the like may be deliverable: the run loop must look. */
static inline bool pe_irq_look(const struct pe *p)
{
    const uint64_t virtual = UINT64_C(7) << 6; /* HCR_EL2.VF, VI, VSE */
    return p->s.lines || p->s.serror || (p->s.regs.hcr_el2 & virtual) || p->cpu.resync;
}
/* MRS and SYSL (id as sysreg_find gave it; the value in slow.value), MSR, SYS and MSR immediate (the effects in slow.effects).
 * False: p->exc is set. */
bool pe_mrs(struct pe *p, uint32_t insn, unsigned id);
bool pe_msr(struct pe *p, uint32_t insn, unsigned id, uint64_t value);
bool pe_sys(struct pe *p, uint32_t insn, unsigned id, uint64_t value);
bool pe_msr_imm(struct pe *p, uint32_t insn);
/* SVC, HVC, SMC, BRK: fill p->exc, or return true if the machine's firmware answered the call. */
void pe_svc(struct pe *p, unsigned imm);
bool pe_hvc(struct pe *p, unsigned imm);
bool pe_smc(struct pe *p, unsigned imm);
void pe_brk(struct pe *p, unsigned imm);
/* WFI, WFE, WFIT, WFET: true if the PE may wait or go on; false: p->exc is set. until: the counter value that ends it. */
enum wait_kind { WAIT_WFI, WAIT_WFE, WAIT_WFIT, WAIT_WFET };
bool pe_wait(struct pe *p, enum wait_kind kind, unsigned rt, uint64_t until);
/* Nothing has ended the waiting of a PE whose trap is delayed (FEAT_TWED), and the delay is over: p->exc is set, and the WFE or WFET
   is as if it had not been executed. */
void pe_wait_trap(struct pe *p);
/* The wait ends: an event that ends WFE is used up. */
void pe_wait_over(struct pe *p);
/* The level an FP access from el is trapped to, 0 if none. */
unsigned pe_fp_trapped_to(const struct pe *p, unsigned el);
/* Puts what is kept apart while running where it is saved. */
void pe_complete(struct pe *p);
/* DC GVA and DC GZVA: the allocation tags of a block, and its data. False: p->exc. */
bool pe_zero_tags(struct pe *p, uint64_t va, bool data);
/* ESB. */
void pe_esb(struct pe *p);
/* Which trap an FP access meets, into p->exc. Arm ARM CheckFPAdvSIMDEnabled64. */
void pe_fp_trap(struct pe *p);
/* The end of a misaligned SP, or its beginning: loads and stores lose the fast path, or get it back. */
void pe_sp_look(struct pe *p);

/* SCTLR_ELx.BT0 or BT1: paciasp and pacibsp do not accept BTYPE 3. */
bool pe_bt_strict(const struct pe *p);

/* ISV to AR (bits 24 to 14) of the ISS of a stage 2 data abort by this instruction; 0: it has none. */
uint32_t a64_access_syndrome(uint32_t insn);
/* Whether the load or store never has its tags checked: a literal, or SP with an immediate offset that leaves SP as it is. */
bool a64_tag_unchecked(uint32_t insn);
#endif
