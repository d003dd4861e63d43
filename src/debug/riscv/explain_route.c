/* Where a trap goes and which register fields it writes, by the manual: priv "Machine Trap Delegation", "Privilege and Global
   Interrupt-Enable Stack"; hypervisor "Trap Entry", "Trap Return"; smrnmi, smdbltrp, ssdbltrp, cfi. */
#include "base/bits.h"
#include "csr/riscv/masks.h"
#include "cpu/riscv/status.h"
#include "debug/riscv/explain_parts.h"

#include <stdio.h>
#include <string.h>

#define PRIV_TVAL        "priv: Machine Trap Value (mtval) Register"
#define HYP_TVAL2        "hypervisor: Machine Second Trap Value (mtval2) Register"
#define HYP_TINST        "hypervisor: Transformed Instruction or Pseudoinstruction for mtinst or htinst"
#define PRIV_RET         "priv: Trap-Return Instructions"
#define HYP_VS(register) "hypervisor: Virtual Supervisor " register " Register"

/* Writes value into the bits of mask of a register word, and tells it. name: "mstatus", field: "MPP" or NULL for all of it. */
static void put(struct rv_why *w, struct fact *to, uint64_t *word, const char *name, const char *field, uint64_t mask,
                uint64_t value, const char *clause)
{
    unsigned lsb = (unsigned)__builtin_ctzll(mask);
    uint64_t old = (*word & mask) >> lsb;
    *word = (*word & ~mask) | (value << lsb & mask);
    value = (*word & mask) >> lsb;
    const char *label = !field ? name : rv_label(w, explain_say(w->e, "%s.%s", name, field), mask);
    fact_change(w->e, to, label, clause, old, value, field ? 0 : w->digits);
}
#define FIELD(reg, field, value, clause) put(w, s, &x->r.reg, #reg, #field, reg##_##field, value, clause)
#define WHOLE(reg, value, clause)        put(w, s, &x->r.reg, #reg, NULL, UINT64_MAX, rv_narrow(w, value), clause)

static uint64_t cause_word(const struct rv_why *w, bool interrupt, uint64_t cause)
{
    return cause | (interrupt ? UINT64_C(1) << (w->xlen - 1) : 0);
}

static void go_to(struct rv_why *w, struct fact *s, struct rv_expect *x, uint8_t priv, uint8_t v, uint64_t pc, const char *why,
                  const char *clause)
{
    fact_add(w->e, s, "mode", NULL, "%s -> %s", rv_mode_name(w, w->h->s.priv, w->h->s.v), rv_mode_name(w, priv, v));
    fact_value(w->e, s, "pc", clause, rv_narrow(w, pc), w->digits, "%s", why)->mark = FACT_DECIDES;
    x->pc = rv_narrow(w, pc);
    x->priv = priv;
    x->v = v;
}

/* ---- entries ------------------------------------------------------------------------------------------------------------------
 */

static void vector(struct rv_why *w, struct fact *s, struct rv_expect *x, uint8_t v, const char *name, uint64_t tvec,
                   bool interrupt, uint64_t cause)
{
    const char *clause = name[0] == 'm'   ? "priv: Machine Trap-Vector Base-Address (mtvec) Register"
                         : name[0] == 's' ? "supervisor: Supervisor Trap Vector Base Address (stvec) Register"
                                          : HYP_VS("Trap Vector Base Address (vstvec)");
    bool vectored = (tvec & 3) == 1;
    uint64_t base = tvec & ~UINT64_C(3);
    const char *why = !vectored    ? explain_say(w->e, "%s.BASE; MODE is direct", name)
                      : !interrupt ? explain_say(w->e, "%s.BASE; MODE is vectored, but this is no interrupt", name)
                                   : explain_say(w->e, "%s.BASE + 4 * %u; MODE is vectored", name, (unsigned)cause);
    uint8_t priv = name[0] == 'm' ? RV_M : RV_S;
    go_to(w, s, x, priv, v, vectored && interrupt ? base + 4 * cause : base, why, clause);
}

static void enter_rnmi(struct rv_why *w, struct rv_expect *x, uint64_t cause, uint8_t priv, uint8_t v)
{
    struct fact *s = fact_add(w->e, &w->e->facts, "writes", RNMI_CLAUSE, "into the RNMI handler");
    WHOLE(mnepc, w->h->s.pc, RNMI_CLAUSE);
    WHOLE(mncause, cause, "smrnmi: RNMI CSRs");
    FIELD(mnstatus, MNPP, priv, RNMI_CLAUSE);
    if (rv_on(w, EXT_H))
        FIELD(mnstatus, MNPV, v, RNMI_CLAUSE);
    if (rv_on(w, EXT_Zicfilp))
        FIELD(mnstatus, MNPELP, w->h->s.elp, CFI_PRESERVE);
    FIELD(mnstatus, NMIE, 0, RNMI_CLAUSE);
    x->elp = 0;
    go_to(w, s, x, RV_M, 0, w->h->cfg->nmi_rnmi_vector, "the RNMI trap handler address, implementation-defined",
          "smrnmi: RNMI Handler Addresses");
}

/* What is delivered to M; cause: what mcause shows; tval2 likewise. */
static void write_m(struct rv_why *w, const struct trap *t, struct rv_expect *x, uint64_t cause, uint64_t tval2,
                    bool to_nmi_vector)
{
    struct fact *s = fact_add(w->e, &w->e->facts, "writes", PRIV_STACK, "of trap entry into M");
    bool twice = cause == EXC_DOUBLE_TRAP;
    if (rv_on(w, EXT_Smdbltrp))
        FIELD(mstatus, MDT, 1, PRIV_DOUBLE);
    FIELD(mstatus, MPIE, (x->r.mstatus & mstatus_MIE) != 0, PRIV_STACK);
    FIELD(mstatus, MIE, 0, PRIV_STACK);
    FIELD(mstatus, MPP, w->h->s.priv, PRIV_STACK);
    if (rv_on(w, EXT_H)) {
        FIELD(mstatus, MPV, w->h->s.v, HYP_ENTRY);
        FIELD(mstatus, GVA, t->gva, "hypervisor: Machine Status (mstatus and mstatush) Registers");
    }
    if (rv_on(w, EXT_Zicfilp))
        FIELD(mstatus, MPELP, w->h->s.elp, CFI_PRESERVE);
    WHOLE(mepc, w->h->s.pc, "priv: Machine Exception Program Counter (mepc) Register");
    WHOLE(mcause, cause, PRIV_CAUSE);
    WHOLE(mtval, t->tval, PRIV_TVAL);
    if (rv_on(w, EXT_H) || rv_on(w, EXT_Ssdbltrp))
        WHOLE(mtval2, tval2, twice ? PRIV_DOUBLE : HYP_TVAL2);
    if (rv_on(w, EXT_H))
        WHOLE(mtinst, t->tinst, HYP_TINST);
    x->elp = 0;
    if (to_nmi_vector)
        go_to(w, s, x, RV_M, 0, w->h->cfg->nmi_exception_vector, "the RNMI exception trap handler address: NMIE is 0",
              "smrnmi: RNMI Handler Addresses");
    else
        vector(w, s, x, 0, "mtvec", x->r.mtvec, t->interrupt && !twice, t->cause);
}

/* The last question on the way into M: is M ready for a trap? */
static void enter_m(struct rv_why *w, struct fact *route, const struct trap *t, struct rv_expect *x, uint64_t cause,
                    uint64_t tval2)
{
    const struct rv_csrs *r = &w->h->s.csr;
    bool smrnmi = rv_on(w, EXT_Smrnmi), nmie = r->mnstatus & mnstatus_NMIE;
    bool handling = smrnmi && !nmie && w->h->s.priv == RV_M;
    if (smrnmi && w->h->s.priv == RV_M)
        rv_field(w, route, "mnstatus.NMIE", RNMI_CLAUSE, r->mnstatus, mnstatus_NMIE,
                 nmie ? "no RNMI handler is interrupted by this" : "an RNMI handler is interrupted by this")
            ->mark = nmie ? FACT_PLAIN : FACT_DECIDES;
    if (rv_on(w, EXT_Smdbltrp)) {
        bool mdt = r->mstatus & mstatus_MDT;
        struct fact *f = rv_field(w, route, "mstatus.MDT", PRIV_DOUBLE, r->mstatus, mstatus_MDT,
                                  mdt        ? "M is not ready for a trap: this is a double trap"
                                  : handling ? "M would be ready, but an exception of an RNMI handler is a double trap"
                                             : "M is ready for a trap");
        if (mdt || handling) {
            f->mark = mdt ? FACT_DECIDES : FACT_PLAIN;
            if (smrnmi && nmie) {
                fact_add(w->e, route, "double trap", PRIV_DOUBLE, "Smrnmi is there and NMIE is 1: the RNMI handler gets it");
                enter_rnmi(w, x, cause, RV_M, 0);
            } else {
                fact_add(w->e, route, "critical error", PRIV_DOUBLE, "the hart stops for good; no register changes")->mark =
                    FACT_DECIDES;
                x->halted = 1;
            }
            return;
        }
    }
    write_m(w, t, x, cause, tval2, handling && !t->interrupt);
}

static void enter_m_double(struct rv_why *w, struct fact *route, const struct trap *t, struct rv_expect *x, const char *clause)
{
    fact_add(w->e, route, "double trap", clause, "delivered to M with cause 16; mtval2 tells the cause of the unexpected trap")
        ->mark = FACT_DECIDES;
    enter_m(w, route, t, x, EXC_DOUBLE_TRAP, cause_word(w, t->interrupt, t->cause));
}

/* Ssdbltrp: is the mode ready? status: mstatus or vsstatus. */
static bool ready(struct rv_why *w, struct fact *route, const char *label, uint64_t status, bool dte, const char *dte_label)
{
    if (!rv_on(w, EXT_Ssdbltrp))
        return true;
    bool sdt = status & mstatus_SDT;
    fact_value(w->e, route, rv_label(w, dte_label, menvcfg_DTE), SUP_DOUBLE, dte, 0,
               dte ? "double traps are looked for" : "double traps are not looked for");
    if (!dte)
        return true;
    struct fact *f = fact_value(w->e, route, label, SUP_DOUBLE, sdt, 0,
                                sdt ? "the mode is not ready for a trap: this is a double trap" : "the mode is ready for a trap");
    f->mark = sdt ? FACT_DECIDES : FACT_PLAIN;
    return !sdt;
}

static void enter_hs(struct rv_why *w, struct fact *route, const struct trap *t, struct rv_expect *x, uint64_t tval2)
{
    const struct rv_csrs *r = &w->h->s.csr;
    bool dte = rv_on(w, EXT_Ssdbltrp) && (r->menvcfg & menvcfg_DTE);
    if (!ready(w, route, "sstatus.SDT", r->mstatus, dte, "menvcfg.DTE")) {
        enter_m_double(w, route, t, x, SUP_DOUBLE);
        return;
    }
    struct fact *s = fact_add(w->e, &w->e->facts, "writes", rv_on(w, EXT_H) ? HYP_ENTRY : PRIV_STACK, "of trap entry into %s",
                              rv_mode_name(w, RV_S, 0));
    if (dte)
        put(w, s, &x->r.mstatus, "sstatus", "SDT", mstatus_SDT, 1, SUP_DOUBLE);
    put(w, s, &x->r.mstatus, "sstatus", "SPIE", mstatus_SPIE, (x->r.mstatus & mstatus_SIE) != 0, PRIV_STACK);
    put(w, s, &x->r.mstatus, "sstatus", "SIE", mstatus_SIE, 0, PRIV_STACK);
    put(w, s, &x->r.mstatus, "sstatus", "SPP", mstatus_SPP, w->h->s.priv, PRIV_STACK);
    if (rv_on(w, EXT_Zicfilp))
        put(w, s, &x->r.mstatus, "sstatus", "SPELP", mstatus_SPELP, w->h->s.elp, CFI_PRESERVE);
    if (rv_on(w, EXT_H)) {
        FIELD(hstatus, SPV, w->h->s.v, HYP_ENTRY);
        if (w->h->s.v)
            FIELD(hstatus, SPVP, w->h->s.priv, HYP_ENTRY);
        FIELD(hstatus, GVA, t->gva, "hypervisor: Hypervisor Status (hstatus) Register");
    }
    WHOLE(sepc, w->h->s.pc, "supervisor: Supervisor Exception Program Counter (sepc) Register");
    WHOLE(scause, cause_word(w, t->interrupt, t->cause), "supervisor: Supervisor Cause (scause) Register");
    WHOLE(stval, t->tval, "supervisor: Supervisor Trap Value (stval) Register");
    if (rv_on(w, EXT_H)) {
        WHOLE(htval, tval2, "hypervisor: Hypervisor Trap Value (htval) Register");
        WHOLE(htinst, t->tinst, HYP_TINST);
    }
    x->elp = 0;
    vector(w, s, x, 0, "stvec", r->stvec, t->interrupt, t->cause);
}

static void enter_vs(struct rv_why *w, struct fact *route, const struct trap *t, struct rv_expect *x)
{
    const struct rv_csrs *r = &w->h->s.csr;
    bool dte = rv_on(w, EXT_Ssdbltrp) && (r->menvcfg & r->henvcfg & menvcfg_DTE);
    if (rv_on(w, EXT_Ssdbltrp))
        rv_field(w, route, "menvcfg.DTE", SUP_DOUBLE, r->menvcfg, menvcfg_DTE,
                 r->menvcfg & menvcfg_DTE ? "VS may have double traps" : "henvcfg.DTE and vsstatus.SDT are read-only zero");
    if (!ready(w, route, "vsstatus.SDT", r->vsstatus, dte, "henvcfg.DTE")) {
        enter_m_double(w, route, t, x, SUP_DOUBLE);
        return;
    }
    struct fact *s = fact_add(w->e, &w->e->facts, "writes", HYP_ENTRY, "of trap entry into VS");
    uint64_t cause = t->cause;
    if (t->interrupt && (cause == IRQ_VSSI || cause == IRQ_VSTI || cause == IRQ_VSEI)) {
        cause--;
        fact_value(w->e, s, "cause", HYP_DELEG, cause, 0, "VS interrupts show as the supervisor's own: %u becomes %u",
                   (unsigned)t->cause, (unsigned)cause);
    }
    if (dte)
        FIELD(vsstatus, SDT, 1, SUP_DOUBLE);
    FIELD(vsstatus, SPIE, (x->r.vsstatus & vsstatus_SIE) != 0, PRIV_STACK);
    FIELD(vsstatus, SIE, 0, PRIV_STACK);
    FIELD(vsstatus, SPP, w->h->s.priv, HYP_ENTRY);
    if (rv_on(w, EXT_Zicfilp))
        FIELD(vsstatus, SPELP, w->h->s.elp, CFI_PRESERVE);
    WHOLE(vsepc, w->h->s.pc, HYP_VS("Exception Program Counter (vsepc)"));
    WHOLE(vscause, cause_word(w, t->interrupt, cause), HYP_VS("Cause (vscause)"));
    WHOLE(vstval, t->tval, HYP_VS("Trap Value (vstval)"));
    x->elp = 0;
    vector(w, s, x, 1, "vstvec", r->vstvec, t->interrupt, cause);
}

/* The bit of a delegation register that decides about the trap. */
static bool delegated(struct rv_why *w, struct fact *route, const char *reg, uint64_t word, const struct trap *t, bool fixed,
                      const char *yes, const char *no, const char *clause)
{
    bool set = word >> (t->cause & 63) & 1;
    struct fact *f = fact_value(w->e, route, explain_say(w->e, "%s[%u]", reg, (unsigned)t->cause), clause, set, 0, "%s%s",
                                set ? yes : no, fixed ? " (read-only)" : "");
    f->mark = FACT_DECIDES;
    return set;
}

void rv_explain_route(struct rv_why *w, const struct trap *t, struct rv_expect *x)
{
    const struct rv_csrs *r = &w->h->s.csr;
    bool h = rv_on(w, EXT_H),
         guest = t->cause == EXC_INSN_GUEST_PAGE || t->cause == EXC_LOAD_GUEST_PAGE || t->cause == EXC_STORE_GUEST_PAGE;
    uint64_t tval2 = !t->interrupt && guest ? t->tval2 : 0;
    struct fact *s = fact_add(w->e, &w->e->facts, "route", PRIV_DELEG, "which mode gets it");
    if (t->nmi) {
        fact_add(w->e, s, "RNMI", RNMI_CLAUSE, "goes to M; nothing delegates it")->mark = FACT_DECIDES;
        enter_rnmi(w, x, cause_word(w, true, t->cause), w->h->s.priv, w->h->s.v);
        return;
    }
    if (w->h->s.priv == RV_M) {
        fact_add(w->e, s, "from M", PRIV_DELEG, "a trap never goes to a less privileged mode: medeleg and mideleg are not asked")
            ->mark = FACT_DECIDES;
        enter_m(w, s, t, x, cause_word(w, t->interrupt, t->cause), tval2);
        return;
    }
    bool s_mode = rv_on(w, EXT_S);
    if (!s_mode)
        fact_add(w->e, s, "no S-mode", PRIV_DELEG, "without S-mode there is no medeleg: every trap goes to M")->mark =
            FACT_DECIDES;
    if (!s_mode || !delegated(w, s, t->interrupt ? "mideleg" : "medeleg", t->interrupt ? r->mideleg : r->medeleg, t,
                              rv_deleg_fixed(w, t->interrupt, t->cause), "delegated below M", "not delegated: M", PRIV_DELEG)) {
        enter_m(w, s, t, x, cause_word(w, t->interrupt, t->cause), tval2);
        return;
    }
    if (h && !w->h->s.v)
        fact_add(w->e, s, "V", HYP_DELEG, "0: hedeleg and hideleg are not asked, HS gets it");
    if (h && w->h->s.v &&
        delegated(w, s, t->interrupt ? "hideleg" : "hedeleg", t->interrupt ? r->hideleg : r->hedeleg, t,
                  rv_hdeleg_fixed(t->interrupt, t->cause), "V=1: delegated on to VS", "V=1: not delegated on: HS", HYP_DELEG))
        enter_vs(w, s, t, x);
    else
        enter_hs(w, s, t, x, tval2);
}

/* ---- returns ------------------------------------------------------------------------------------------------------------------
 */

/* xLPE of the mode gone to (cfi "Landing-Pad-Enabled (LPE) State"). */
static bool landing_pads_on(const struct rv_why *w, uint8_t priv, uint8_t v)
{
    const struct rv_csrs *r = &w->h->s.csr;
    if (!rv_on(w, EXT_Zicfilp))
        return false;
    if (priv == RV_M)
        return r->mseccfg & mseccfg_MLPE;
    if (priv == RV_S)
        return (v ? r->henvcfg : r->menvcfg) & menvcfg_LPE;
    return (rv_on(w, EXT_S) ? r->senvcfg : r->menvcfg) & menvcfg_LPE;
}

static void back(struct rv_why *w, struct fact *s, struct rv_expect *x, const char *epc_name, uint64_t epc, uint8_t priv,
                 uint8_t v, bool pelp)
{
    uint64_t mask = rv_on(w, EXT_Zca) ? 1 : 3;
    x->elp = pelp && landing_pads_on(w, priv, v);
    if (pelp)
        fact_add(w->e, s, "ELP", CFI_PRESERVE, x->elp ? "a landing pad is expected again" : "landing pads are off where it goes");
    go_to(w, s, x, priv, v, epc & ~mask, epc_name, PRIV_RET);
}

/* What leaving M for a mode below it changes besides the stack of mstatus. */
static void leave_m(struct rv_why *w, struct fact *s, struct rv_expect *x, uint8_t priv, uint8_t v)
{
    if (priv == RV_M)
        return;
    FIELD(mstatus, MPRV, 0, PRIV_RET);
    if (rv_on(w, EXT_Ssdbltrp)) {
        if (v || priv == RV_U)
            put(w, s, &x->r.mstatus, "sstatus", "SDT", mstatus_SDT, 0, PRIV_DOUBLE);
        if (v && priv == RV_U)
            FIELD(vsstatus, SDT, 0, PRIV_DOUBLE);
    }
}

static void mret(struct rv_why *w, struct fact *s, struct rv_expect *x)
{
    uint64_t m = x->r.mstatus;
    uint8_t priv = bits_get(m, 12, 11) & 3, v = priv != RV_M && (m & mstatus_MPV);
    bool pelp = m & mstatus_MPELP;
    FIELD(mstatus, MIE, (m & mstatus_MPIE) != 0, PRIV_STACK);
    FIELD(mstatus, MPIE, 1, PRIV_STACK);
    FIELD(mstatus, MPP, rv_on(w, EXT_U) ? RV_U : RV_M, PRIV_STACK);
    if (rv_on(w, EXT_H))
        FIELD(mstatus, MPV, 0, HYP_RETURN);
    if (rv_on(w, EXT_Zicfilp))
        FIELD(mstatus, MPELP, 0, CFI_PRESERVE);
    if (rv_on(w, EXT_Smdbltrp))
        FIELD(mstatus, MDT, 0, PRIV_DOUBLE);
    leave_m(w, s, x, priv, v);
    back(w, s, x, "mepc", x->r.mepc, priv, v, pelp);
}

static void mnret(struct rv_why *w, struct fact *s, struct rv_expect *x)
{
    uint64_t m = x->r.mnstatus;
    uint8_t priv = bits_get(m, 12, 11) & 3, v = priv != RV_M && (m & mnstatus_MNPV);
    FIELD(mnstatus, NMIE, 1, "smrnmi: MNRET Instruction");
    if (priv != RV_M && rv_on(w, EXT_Smdbltrp))
        FIELD(mstatus, MDT, 0, PRIV_DOUBLE);
    leave_m(w, s, x, priv, v);
    back(w, s, x, "mnepc", x->r.mnepc, priv, v, m & mnstatus_MNPELP);
}

static void sret(struct rv_why *w, struct fact *s, struct rv_expect *x)
{
    bool guest = w->h->s.v;
    uint64_t *word = guest ? &x->r.vsstatus : &x->r.mstatus, m = *word;
    const char *name = guest ? "vsstatus" : "sstatus";
    uint8_t priv = (m & mstatus_SPP) != 0, v = guest || (x->r.hstatus & hstatus_SPV);
    put(w, s, word, name, "SIE", mstatus_SIE, (m & mstatus_SPIE) != 0, PRIV_STACK);
    put(w, s, word, name, "SPIE", mstatus_SPIE, 1, PRIV_STACK);
    put(w, s, word, name, "SPP", mstatus_SPP, RV_U, PRIV_STACK);
    if (rv_on(w, EXT_Zicfilp))
        put(w, s, word, name, "SPELP", mstatus_SPELP, 0, CFI_PRESERVE);
    if (rv_on(w, EXT_Ssdbltrp))
        put(w, s, word, name, "SDT", mstatus_SDT, 0, SUP_DOUBLE);
    if (!guest && rv_on(w, EXT_H))
        FIELD(hstatus, SPV, 0, HYP_RETURN);
    FIELD(mstatus, MPRV, 0, PRIV_RET);
    if (w->h->s.priv == RV_M && rv_on(w, EXT_Smdbltrp))
        FIELD(mstatus, MDT, 0, PRIV_DOUBLE);
    if (!guest && v && priv == RV_U && rv_on(w, EXT_Ssdbltrp))
        FIELD(vsstatus, SDT, 0, HYP_RETURN);
    back(w, s, x, guest ? "vsepc" : "sepc", guest ? x->r.vsepc : x->r.sepc, priv, v, m & mstatus_SPELP);
}

void rv_explain_return(struct rv_why *w, enum rv_return ret, struct rv_expect *x)
{
    static void (*const fn[])(struct rv_why *, struct fact *,
                              struct rv_expect *) = {[RV_MRET] = mret, [RV_SRET] = sret, [RV_MNRET] = mnret};
    const struct rv_csrs *r = &w->h->s.csr;
    struct fact *route = fact_add(w->e, &w->e->facts, "route", PRIV_RET, "which mode it returns to");
    if (ret == RV_MNRET) {
        rv_field(w, route, "mnstatus.MNPP", "smrnmi: MNRET Instruction", r->mnstatus, mnstatus_MNPP, "the privilege");
        if (rv_on(w, EXT_H))
            rv_field(w, route, "mnstatus.MNPV", "smrnmi: MNRET Instruction", r->mnstatus, mnstatus_MNPV, "V, unless MNPP is M");
    } else if (ret == RV_MRET) {
        rv_field(w, route, "mstatus.MPP", PRIV_RET, r->mstatus, mstatus_MPP, "the privilege");
        if (rv_on(w, EXT_H))
            rv_field(w, route, "mstatus.MPV", HYP_RETURN, r->mstatus, mstatus_MPV, "V, unless MPP is M");
    } else if (w->h->s.v) {
        rv_field(w, route, "vsstatus.SPP", HYP_RETURN, r->vsstatus, vsstatus_SPP, "the privilege; V stays 1");
    } else {
        rv_field(w, route, "sstatus.SPP", PRIV_RET, r->mstatus, mstatus_SPP, "the privilege");
        if (rv_on(w, EXT_H))
            rv_field(w, route, "hstatus.SPV", HYP_RETURN, r->hstatus, hstatus_SPV, "V");
    }
    fn[ret](w, fact_add(w->e, &w->e->facts, "writes", PRIV_RET, "of the return"), x);
}
