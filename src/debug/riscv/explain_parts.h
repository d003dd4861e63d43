/* Shared by the files of debug/riscv/explain*.c. */
#ifndef TL_DEBUG_RISCV_EXPLAIN_PARTS_H
#define TL_DEBUG_RISCV_EXPLAIN_PARTS_H
#include "cpu/riscv/arch.h"
#include "cpu/riscv/status.h"
#include "debug/explain_build.h"

/* Clauses that several files name. */
#define PRIV_DELEG   "priv: Machine Trap Delegation (medeleg and mideleg) Registers"
#define PRIV_IRQ     "priv: Machine Interrupt (mip and mie) Registers"
#define PRIV_STACK   "priv: Privilege and Global Interrupt-Enable Stack in mstatus register"
#define PRIV_DOUBLE  "priv: Double Trap Control in mstatus Register"
#define PRIV_CAUSE   "priv: Machine Cause (mcause) Register"
#define PRIV_PMP     "priv: Priority and Matching Logic"
#define PRIV_SYNC    "priv: Synchronous exception priority in decreasing priority order"
#define HYP_SYNC     "hypervisor: Synchronous exception priority when the hypervisor extension is implemented"
#define PRIV_WALK    "supervisor: Virtual Address Translation Process"
#define HYP_MIDELEG  "hypervisor: Machine Interrupt Delegation (mideleg) Register"
#define HYP_DELEG    "hypervisor: Hypervisor Trap Delegation (hedeleg and hideleg) Registers"
#define HYP_ENTRY    "hypervisor: Trap Entry"
#define HYP_RETURN   "hypervisor: Trap Return"
#define HYP_GUEST    "hypervisor: Guest-Page Faults"
#define HYP_WALK     "hypervisor: Guest Physical Address Translation"
#define SUP_DOUBLE   "supervisor: Double Trap Control in sstatus Register"
#define RNMI_CLAUSE  "smrnmi: RNMI Operation"
#define CFI_PRESERVE "cfi: Preserving Expected Landing Pad State on Traps"

/* What is being explained. The hart is as before the trap; nothing of it changes. */
struct rv_why {
    struct explanation *e;
    struct machine *m;
    struct hart *h; /* of m */
    const struct hart *after;
    const struct machine_change *c; /* NULL: nothing happened */
    unsigned xlen, digits;
    bool fp; /* the instruction may make FS Dirty before it traps */
};

/* The state that has to be behind the trap or return. */
struct rv_expect {
    struct rv_csrs r;
    uint64_t pc;
    uint8_t priv, v, elp, halted;
};

static inline uint64_t rv_narrow(const struct rv_why *w, uint64_t v) { return w->xlen == 32 ? (uint32_t)v : v; }
static inline bool rv_on(const struct rv_why *w, enum rv_ext e) { return rv_has(w->h->cfg, e); }
/* The table of priorities of this cpu. */
static inline const char *rv_sync(const struct rv_why *w) { return rv_on(w, EXT_H) ? HYP_SYNC : PRIV_SYNC; }
const char *rv_mode_name(const struct rv_why *w, uint8_t priv, uint8_t v);
/* "MTI (7), machine timer interrupt". */
const char *rv_irq_name(struct explanation *e, unsigned irq);
/* "mstatush.MPV" of "mstatus.MPV" where the bits of mask are in the register's high half (RV32). */
const char *rv_label(struct rv_why *w, const char *label, uint64_t mask);
/* A field of a stored register, its value, and what that means here. mask: of masks.h. */
struct fact *rv_field(struct rv_why *w, struct fact *to, const char *label, const char *clause, uint64_t word, uint64_t mask,
                      const char *text);

/* explain_irq.c: the section of pending interrupts, if any is. True: t is taken. */
bool rv_explain_interrupts(struct rv_why *w, struct trap *t);

/* explain_insn.c: fetches and looks at the instruction at pc. True: it raises t. ret: one of the returns, which succeeds. */
enum rv_return { RV_NO_RETURN, RV_MRET, RV_SRET, RV_MNRET };
bool rv_explain_instruction(struct rv_why *w, struct trap *t, enum rv_return *ret);
/* A bit of mideleg or medeleg, of hideleg or hedeleg, that no write changes. */
static inline bool rv_deleg_fixed(const struct rv_why *w, bool interrupt, uint64_t cause)
{
    const uint64_t m = MIP(IRQ_MSI) | MIP(IRQ_MTI) | MIP(IRQ_MEI), vs = MIP_VS | MIP(IRQ_SGEI);
    return interrupt && ((m | (rv_on(w, EXT_H) ? vs : 0)) >> cause & 1);
}
static inline bool rv_hdeleg_fixed(bool interrupt, uint64_t cause)
{
    const uint64_t exceptions = 7u << 9 | 1u << 16 | 15u << 20,
                   interrupts = MIP(IRQ_SSI) | MIP(IRQ_STI) | MIP(IRQ_SEI) | MIP(IRQ_SGEI);
    return (interrupt ? interrupts : exceptions) >> cause & 1;
}

/* explain_csr.c: the access to a CSR that is refused with `result`; which bits decide it. */
void rv_explain_csr(struct rv_why *w, struct fact *to, unsigned num, bool write, enum csr_result result);
/* The registers that differ between two states, word by word: name ("mhpmevent3") into out. Begins with 0, goes on with what came
   back; 0: no more. */
unsigned rv_csrs_differ(const struct rv_csrs *a, const struct rv_csrs *b, unsigned i, char *name, size_t cap, uint64_t *va,
                        uint64_t *vb);

/* explain_walk.c. An access as the instruction asks for it. */
struct rv_access {
    uint64_t va; /* before pointer masking */
    unsigned size;
    enum access access;
    struct access_mode m;
};
/* Adds how it is translated and checked. True: permitted, *pa is where; else t is the exception. */
bool rv_explain_access(struct rv_why *w, struct fact *to, const struct rv_access *a, uint64_t *pa, struct trap *t);
/* The address that pointer masking makes of it. */
uint64_t rv_masked(const struct rv_why *w, const struct rv_access *a);

/* explain_route.c: where t goes and what it writes; the sections for both. */
void rv_explain_route(struct rv_why *w, const struct trap *t, struct rv_expect *x);
void rv_explain_return(struct rv_why *w, enum rv_return ret, struct rv_expect *x);
#endif
