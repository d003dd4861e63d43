/*
 * Whether the instruction at pc raises an exception, which one and why: in the order of priv table "Synchronous exception
 * priority in decreasing priority order". By the rows of the instructions and the manual's rules, not by the handlers that
 * execute them.
 */
#include "base/bits.h"
#include "cpu/riscv/tinst.h"
#include "csr/riscv/masks.h"
#include "debug/riscv/explain_parts.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UNPRIV_FP   "unpriv: \"F\" Extension for Single-Precision Floating-Point"
#define LPAD_CLAUSE "unpriv: Landing Pad Enforcement"
#define LPE_CLAUSE  "cfi: Landing-Pad-Enabled (LPE) State"
#define CMO_CLAUSE  "unpriv: CSR controls for CMO instructions"
#define SSE_CLAUSE  "cfi: Shadow-Stack-Enabled (SSE) State"
#define VIRT_CLAUSE "priv: Virtualization Support in mstatus Register"
#define HYP_CAUSES  "hypervisor: Trap Cause Codes"
#define HSTATUS     "hypervisor: Hypervisor Status (hstatus) Register"
#define FENCES      "hypervisor: Hypervisor Memory-Management Fence Instructions"

/* The instruction being looked at. */
struct insn {
    struct rv_why *w;
    struct trap *t;
    struct fact *s; /* the section */
    uint32_t bits;
    struct decoded d;
    struct insn_row row; /* of the 32-bit form */
};

static uint64_t x_of(const struct insn *i, unsigned n) { return rv_narrow(i->w, i->w->h->s.x[n]); }

/* ---- outcomes
 * ------------------------------------------------------------------------------------------------------------------ */

static bool raise_insn(struct insn *i, uint64_t cause)
{
    *i->t = (struct trap){.cause = cause, .tval = i->bits};
    return true;
}
static bool illegal(struct insn *i) { return raise_insn(i, EXC_ILLEGAL); }
static bool virtual(struct insn *i) { return raise_insn(i, EXC_VIRTUAL); }

/* A bit asked on the way; it decides when it is `bad`. */
static bool asked(struct insn *i, const char *label, const char *clause, uint64_t word, uint64_t mask, bool bad, const char *text)
{
    struct fact *f = rv_field(i->w, i->s, label, clause, word, mask, bad ? text : "permitted by this");
    f->mark = bad ? FACT_DECIDES : FACT_PLAIN;
    return bad;
}

static bool because(struct insn *i, const char *label, const char *clause, const char *text)
{
    fact_add(i->w->e, i->s, label, clause, "%s", text)->mark = FACT_DECIDES;
    return true;
}

/* ---- memory
 * -------------------------------------------------------------------------------------------------------------------- */

/* What mtinst or htinst shows of a failed explicit access (hypervisor "Transformed Instruction or Pseudoinstruction"). */
static void transform(struct insn *i, uint64_t access_va)
{
    const uint64_t explicit = UINT64_C(1) << EXC_LOAD_MISALIGNED | UINT64_C(1) << EXC_LOAD_ACCESS |
                              UINT64_C(1) << EXC_STORE_MISALIGNED | UINT64_C(1) << EXC_STORE_ACCESS |
                              UINT64_C(1) << EXC_LOAD_PAGE | UINT64_C(1) << EXC_STORE_PAGE | UINT64_C(1) << EXC_LOAD_GUEST_PAGE |
                              UINT64_C(1) << EXC_STORE_GUEST_PAGE;
    if (rv_on(i->w, EXT_H) && !i->t->tinst && (explicit >> i->t->cause & 1))
        i->t->tinst = tinst_transform(i->bits, i->w->xlen, (unsigned)(i->t->tval - access_va) & 31);
}

static struct access_mode plain(const struct rv_why *w) { return data_mode(w->h); }

/* Refused by what is at the physical address. */
static bool refused(struct insn *i, const struct rv_access *a, uint64_t va, const char *text)
{
    struct rv_access at = *a;
    bool store = a->access == ACCESS_STORE || a->m.shadow_stack || a->m.cbo;
    at.va = va;
    fact_add(i->w->e, i->s, "memory", "priv: Physical Memory Attributes", "%s", text)->mark = FACT_DECIDES;
    *i->t = (struct trap){.cause = store ? EXC_STORE_ACCESS : EXC_LOAD_ACCESS, .tval = rv_masked(i->w, &at), .gva = a->m.v};
    return true;
}

static bool is_ram(const struct insn *i, uint64_t pa, bool store)
{
    return store ? mem_page_write(i->w->m->mem, pa) != NULL : mem_page_read(i->w->m->mem, pa) != NULL;
}

static bool is_device(const struct insn *i, uint64_t pa)
{
    const struct setup *s = i->w->m->setup;
    for (unsigned k = 0; k < s->devices; k++)
        if (pa >= s->device[k].base && pa - s->device[k].base < s->device[k].ops->mmio_size)
            return true;
    return false;
}

/* Whether a device at pa answers can only be seen from what happened: its registers are its own matter. */
static bool device_refused(const struct insn *i)
{
    const struct machine_change *c = i->w->c;
    return c && !c->is_return && !c->interrupt && (c->cause == EXC_LOAD_ACCESS || c->cause == EXC_STORE_ACCESS);
}

static bool at_address(struct insn *i, const struct rv_access *a, uint64_t va, uint64_t pa, bool atomic)
{
    if (is_ram(i, pa, a->access == ACCESS_STORE))
        return false;
    if (atomic)
        return refused(i, a, va, "no main memory: devices take no atomic accesses");
    if (a->size > 8 || (pa & (a->size - 1)))
        return refused(i, a, va, "no main memory: devices take no misaligned accesses");
    if (!is_device(i, pa))
        return refused(i, a, va, "nothing is at this physical address");
    return device_refused(i) && refused(i, a, va, "the device at this physical address refused the access");
}

/* An access that may reach into a second page. */
static bool access_memory(struct insn *i, const struct rv_access *a)
{
    struct rv_why *w = i->w;
    uint64_t va = a->va, in_page = 4096 - (va & 4095), pa, pa2;
    if (in_page >= a->size)
        return !rv_explain_access(w, i->s, a, &pa, i->t) || at_address(i, a, va, pa, false);
    struct rv_access lo = *a, hi = *a;
    lo.size = (unsigned)in_page;
    hi.size -= lo.size;
    hi.va = rv_narrow(w, va + in_page);
    if (!rv_explain_access(w, i->s, &lo, &pa, i->t) || !rv_explain_access(w, i->s, &hi, &pa2, i->t))
        return true;
    bool store = a->access == ACCESS_STORE;
    if (!is_ram(i, pa, store))
        return refused(i, a, va, "the first page is no main memory");
    return !is_ram(i, pa2, store) && refused(i, a, hi.va, "the second page is no main memory");
}

static bool misaligned(struct insn *i, const struct rv_access *a)
{
    fact_value(i->w->e, i->s, "address", rv_sync(i->w), a->va, i->w->digits,
               "not a multiple of %u: checked before the translation", a->size)
        ->mark = FACT_DECIDES;
    *i->t = (struct trap){.cause = a->access == ACCESS_LOAD ? EXC_LOAD_MISALIGNED : EXC_STORE_MISALIGNED,
                          .tval = rv_masked(i->w, a),
                          .gva = a->m.v};
    return true;
}

/* A load or store of any kind. */
static bool load_store(struct insn *i, uint64_t va, unsigned size, enum access access, struct access_mode m, bool atomic)
{
    struct rv_access a = {.va = rv_narrow(i->w, va), .size = size, .access = access, .m = m};
    uint64_t pa;
    bool bad;
    if ((a.va & (size - 1)) && (atomic || !i->w->h->cfg->misaligned))
        bad = misaligned(i, &a);
    else if (atomic)
        bad = !rv_explain_access(i->w, i->s, &a, &pa, i->t) || at_address(i, &a, a.va, pa, true);
    else
        bad = access_memory(i, &a);
    if (bad)
        transform(i, rv_narrow(i->w, va));
    return bad;
}

/* ---- envcfg gates
 * -------------------------------------------------------------------------------------------------------------- */

/* A field of menvcfg, henvcfg and senvcfg that must not be zero. True: refused. */
static bool envcfg(struct insn *i, const char *field, uint64_t mask, const char *clause)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    if (w->h->s.priv == RV_M)
        return false;
    if (asked(i, explain_say(w->e, "menvcfg.%s", field), clause, r->menvcfg, mask, !(r->menvcfg & mask), "off below M"))
        return illegal(i);
    if (w->h->s.v &&
        asked(i, explain_say(w->e, "henvcfg.%s", field), clause, r->henvcfg, mask, !(r->henvcfg & mask), "off when V=1"))
        return virtual(i);
    if (w->h->s.priv == RV_U && rv_on(w, EXT_S) &&
        asked(i, explain_say(w->e, "senvcfg.%s", field), clause, r->senvcfg, mask, !(r->senvcfg & mask), "off in U"))
        return w->h->s.v ? virtual(i) : illegal(i);
    return false;
}

static bool shadow_stack_active(const struct rv_why *w)
{
    const struct rv_csrs *r = &w->h->s.csr;
    uint8_t priv = w->h->s.priv;
    return priv != RV_M && rv_on(w, EXT_S) && (r->menvcfg & menvcfg_SSE) && (!w->h->s.v || (r->henvcfg & henvcfg_SSE)) &&
           (priv != RV_U || (r->senvcfg & senvcfg_SSE));
}

static bool cbo(struct insn *i)
{
    struct rv_why *w = i->w;
    bool zero = i->d.op == OP_cbo_zero;
    if (i->d.op == OP_cbo_inval ? envcfg(i, "CBIE", menvcfg_CBIE, CMO_CLAUSE)
        : zero                  ? envcfg(i, "CBZE", menvcfg_CBZE, CMO_CLAUSE)
                                : envcfg(i, "CBCFE", menvcfg_CBCFE, CMO_CLAUSE))
        return true;
    uint64_t va = rv_narrow(w, x_of(i, i->d.rs1)), block = va & ~UINT64_C(63), offset = va - block, pa;
    struct rv_access a = {.va = block, .size = 64, .access = zero ? ACCESS_STORE : ACCESS_LOAD, .m = plain(w)};
    a.m.cbo = !zero;
    if (rv_explain_access(w, i->s, &a, &pa, i->t)) {
        if (!zero || is_ram(i, pa, true))
            return false;
        refused(i, &a, va, "no main memory: it cannot be zeroed");
    } else {
        i->t->tval += offset;
        if (!i->t->tinst && i->t->tval2)
            i->t->tval2 += offset >> 2;
    }
    transform(i, va);
    return true;
}

static bool shadow_stack(struct insn *i)
{
    struct rv_why *w = i->w;
    struct access_mode m = plain(w);
    unsigned bytes = w->xlen / 8;
    bool swap = i->d.op == OP_ssamoswap_w || i->d.op == OP_ssamoswap_d;
    m.shadow_stack = true;
    if (swap) {
        if (envcfg(i, "SSE", menvcfg_SSE, SSE_CLAUSE))
            return true;
        return load_store(i, x_of(i, i->d.rs1), i->d.op == OP_ssamoswap_d ? 8 : 4, ACCESS_STORE, m, true);
    }
    if (!shadow_stack_active(w)) {
        fact_add(w->e, i->s, "xSSE", SSE_CLAUSE, "shadow stacks are off: a may-be operation");
        return false;
    }
    uint64_t ssp = rv_narrow(w, w->h->s.csr.ssp);
    if (i->d.op == OP_sspush_x1 || i->d.op == OP_sspush_x5)
        return load_store(i, ssp - bytes, bytes, ACCESS_STORE, m, false);
    if (i->d.op == OP_ssrdp)
        return false;
    if (load_store(i, ssp, bytes, ACCESS_LOAD, m, false))
        return true;
    struct rv_access a = {.va = ssp, .size = bytes, .access = ACCESS_LOAD, .m = m};
    uint64_t pa, value = 0;
    struct trap t;
    struct fact aside = {.label = ""};
    if (!rv_explain_access(w, &aside, &a, &pa, &t) || !machine_read(w->m, pa, &value, bytes) || value == x_of(i, i->d.rs1))
        return false;
    fact_value(w->e, i->s, "ssp", "unpriv: Pop from the Shadow Stack", value, w->digits,
               "popped from 0x%" PRIx64 "; it is not the link register's 0x%" PRIx64, ssp, x_of(i, i->d.rs1))
        ->mark = FACT_DECIDES;
    *i->t = (struct trap){.cause = EXC_SOFTWARE_CHECK, .tval = 3};
    return true;
}

/* ---- system instructions
 * ------------------------------------------------------------------------------------------------------- */

static bool csr(struct insn *i)
{
    unsigned num = (unsigned)i->d.imm & 0xfff;
    bool write = i->d.op == OP_csrrw || i->d.op == OP_csrrwi || i->d.rs1;
    enum csr_result r = csr_check(&i->w->h->csr, num, write);
    if (r == CSR_OK)
        return false;
    rv_explain_csr(i->w, i->s, num, write, r);
    return r == CSR_ILLEGAL ? illegal(i) : virtual(i);
}

static bool ecall(struct insn *i)
{
    const struct rv_why *w = i->w;
    uint8_t priv = w->h->s.priv;
    *i->t = (struct trap){.cause = priv == RV_M   ? EXC_ECALL_M
                                   : priv == RV_U ? EXC_ECALL_U
                                   : w->h->s.v    ? EXC_ECALL_VS
                                                  : EXC_ECALL_S};
    return because(i, "ecall", "priv: Environment Call and Breakpoint",
                   explain_say(w->e, "a request from %s: the cause says from which mode", rv_mode_name(w, priv, w->h->s.v)));
}

static bool ebreak(struct insn *i)
{
    *i->t = (struct trap){.cause = EXC_BREAKPOINT, .tval = rv_narrow(i->w, i->w->h->s.pc), .gva = i->w->h->s.v};
    return because(i, "ebreak", "priv: Environment Call and Breakpoint", "a breakpoint exception; tval is its address");
}

static bool xret(struct insn *i, enum rv_return *ret)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    uint8_t priv = w->h->s.priv;
    if (i->d.op != OP_sret) {
        *ret = i->d.op == OP_mret ? RV_MRET : RV_MNRET;
        return priv != RV_M && because(i, "privilege", "priv: Trap-Return Instructions", "only M may execute it") && illegal(i);
    }
    *ret = RV_SRET;
    if (w->h->s.v) {
        if (priv == RV_U)
            return because(i, "privilege", HYP_CAUSES, "VU may not execute it, S could: a virtual instruction") && virtual(i);
        return asked(i, "hstatus.VTSR", HSTATUS, r->hstatus, hstatus_VTSR, r->hstatus & hstatus_VTSR, "sret traps in VS") &&
               virtual(i);
    }
    if (priv == RV_U)
        return because(i, "privilege", "priv: Trap-Return Instructions", "U may not execute it") && illegal(i);
    return priv == RV_S &&
           asked(i, "mstatus.TSR", VIRT_CLAUSE, r->mstatus, mstatus_TSR, r->mstatus & mstatus_TSR, "sret traps in S") &&
           illegal(i);
}

static bool wait(struct insn *i)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    bool wfi = i->d.op == OP_wfi;
    if (w->h->s.priv == RV_M || i->d.op == OP_wrs_sto)
        return false;
    if (asked(i, "mstatus.TW", VIRT_CLAUSE, r->mstatus, mstatus_TW, r->mstatus & mstatus_TW, "it traps below M (the limit is 0)"))
        return illegal(i);
    if (w->h->s.v) {
        if (asked(i, "hstatus.VTW", HSTATUS, r->hstatus, hstatus_VTW, r->hstatus & hstatus_VTW, "it traps when V=1"))
            return virtual(i);
        return wfi && w->h->s.priv == RV_U && because(i, "mode", HYP_CAUSES, "wfi in VU: a virtual instruction") && virtual(i);
    }
    return wfi && w->h->s.priv == RV_U && rv_on(w, EXT_S) &&
           because(i, "mode", VIRT_CLAUSE, "wfi in U where there is S (the limit is 0)") && illegal(i);
}

static bool fence(struct insn *i)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    bool hyper = i->d.op == OP_hfence_vvma || i->d.op == OP_hfence_gvma || i->d.op == OP_hinval_vvma || i->d.op == OP_hinval_gvma;
    bool guest = i->d.op == OP_hfence_gvma || i->d.op == OP_hinval_gvma;
    bool order = i->d.op == OP_sfence_w_inval || i->d.op == OP_sfence_inval_ir, u = w->h->s.priv == RV_U;
    if (hyper && !rv_on(w, EXT_H))
        return because(i, "H", FENCES, "this cpu has no hypervisor extension") && illegal(i);
    if (w->h->s.v) {
        if (hyper || u)
            return because(i, "mode", HYP_CAUSES,
                           hyper ? "when V=1 only HS could execute it: a virtual instruction"
                                 : "VU may not execute it, S could: a virtual instruction") &&
                   virtual(i);
        return !order &&
               asked(i, "hstatus.VTVM", HSTATUS, r->hstatus, hstatus_VTVM, r->hstatus & hstatus_VTVM, "it traps in VS") &&
               virtual(i);
    }
    if (u)
        return because(i, "privilege", "supervisor: Supervisor Memory-Management Fence Instruction", "U may not execute it") &&
               illegal(i);
    return w->h->s.priv == RV_S && !order && (!hyper || guest) &&
           asked(i, "mstatus.TVM", VIRT_CLAUSE, r->mstatus, mstatus_TVM, r->mstatus & mstatus_TVM, "it traps in S") && illegal(i);
}

/* hlv, hlvx, hsv. */
static bool hypervisor_access(struct insn *i)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    const char *clause = "hypervisor: Hypervisor Virtual-Machine Load and Store Instructions";
    if (w->h->s.v)
        return because(i, "V", clause, "when V=1 it is a virtual instruction") && virtual(i);
    if (w->h->s.priv == RV_U &&
        asked(i, "hstatus.HU", HSTATUS, r->hstatus, hstatus_HU, !(r->hstatus & hstatus_HU), "U may not execute it"))
        return illegal(i);
    struct access_mode m = {.priv = r->hstatus & hstatus_SPVP ? RV_S : RV_U, .v = 1, .hlv = true};
    bool store = i->bits >> 25 & 1;
    unsigned size = 1u << (i->bits >> 26 & 3);
    m.hlvx = !store && (i->bits >> 20 & 3) == 3;
    return load_store(i, x_of(i, i->d.rs1), size, store ? ACCESS_STORE : ACCESS_LOAD, m, false);
}

/* ---- floating point, jumps
 * ----------------------------------------------------------------------------------------------------- */

static bool fp_off(struct insn *i)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    const char *clause = "priv: Extension Context Status in mstatus Register";
    w->fp = true;
    if (asked(i, "mstatus.FS", clause, r->mstatus, mstatus_FS, !(r->mstatus & mstatus_FS), "floating point is off"))
        return illegal(i);
    return w->h->s.v &&
           asked(i, "vsstatus.FS", "hypervisor: Virtual Supervisor Status (vsstatus) Register", r->vsstatus, vsstatus_FS,
                 !(r->vsstatus & vsstatus_FS), "floating point is off when V=1") &&
           illegal(i);
}

/* Operations that have a rounding mode: it must be none of the reserved ones. */
static bool rounding(struct insn *i)
{
    static const uint32_t with_rm = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 8 | 1u << 11 | 1u << 24 | 1u << 26;
    unsigned opcode = i->bits & 0x7f, rm = i->bits >> 12 & 7;
    if (opcode == 0x53 && !(with_rm >> (i->bits >> 27) & 1))
        return false;
    if (rm == 7) {
        rm = (unsigned)i->w->h->s.csr.frm & 7;
        fact_value(i->w->e, i->s, "frm", UNPRIV_FP, rm, 0, "the dynamic rounding mode");
    }
    return rm > 4 && because(i, "rm", UNPRIV_FP, "a reserved rounding mode") && illegal(i);
}

static bool jump(struct insn *i)
{
    struct rv_why *w = i->w;
    uint64_t pc = w->h->s.pc, target = rv_narrow(w, pc + (uint64_t)(int64_t)i->d.imm), a = x_of(i, i->d.rs1),
             b = x_of(i, i->d.rs2);
    int64_t sa = w->xlen == 32 ? (int32_t)a : (int64_t)a, sb = w->xlen == 32 ? (int32_t)b : (int64_t)b;
    bool taken = true;
    switch (i->d.op) {
    case OP_jalr: target = rv_narrow(w, a + (uint64_t)(int64_t)i->d.imm) & ~UINT64_C(1); break;
    case OP_beq: taken = a == b; break;
    case OP_bne: taken = a != b; break;
    case OP_blt: taken = sa < sb; break;
    case OP_bge: taken = sa >= sb; break;
    case OP_bltu: taken = a < b; break;
    case OP_bgeu: taken = a >= b; break;
    default: break;
    }
    if (!taken || !(target & 2) || rv_on(w, EXT_Zca))
        return false;
    fact_value(w->e, i->s, "target", "unpriv: Control Transfer Instructions", target, w->digits,
               "without compressed instructions a target is a multiple of 4; the jump itself traps")
        ->mark = FACT_DECIDES;
    *i->t = (struct trap){.cause = EXC_INSN_MISALIGNED, .tval = target, .gva = w->h->s.v};
    return true;
}

/* ---- the instruction
 * ----------------------------------------------------------------------------------------------------------- */

static bool atomic(struct insn *i)
{
    unsigned funct3 = i->bits >> 12 & 7, funct5 = i->bits >> 27, size = 1u << funct3;
    if (funct5 == 5 && size * 8 > i->w->xlen && ((i->d.rd | i->d.rs2) & 1))
        return because(i, "registers", "unpriv: Word/Doubleword/Quadword CAS (amocas.w/d/q) Instructions",
                       "a pair begins with an even register") &&
               illegal(i);
    return load_store(i, x_of(i, i->d.rs1), size, funct5 == 2 ? ACCESS_LOAD : ACCESS_STORE, plain(i->w), true);
}

static bool memory(struct insn *i)
{
    unsigned opcode = i->row.match & 0x7f, size = 1u << (i->row.match >> 12 & 3);
    if ((opcode == 0x07 || opcode == 0x27) && fp_off(i))
        return true;
    bool store = opcode == 0x23 || opcode == 0x27;
    return load_store(i, x_of(i, i->d.rs1) + (uint64_t)(int64_t)i->d.imm, size, store ? ACCESS_STORE : ACCESS_LOAD, plain(i->w),
                      false);
}

static bool system_insn(struct insn *i, enum rv_return *ret)
{
    switch (i->d.op) {
    case OP_ecall: return ecall(i);
    case OP_ebreak: return ebreak(i);
    case OP_mret:
    case OP_sret:
    case OP_mnret: return xret(i, ret);
    case OP_wfi:
    case OP_wrs_nto:
    case OP_wrs_sto: return wait(i);
    case OP_sfence_vma:
    case OP_sinval_vma:
    case OP_sfence_w_inval:
    case OP_sfence_inval_ir:
    case OP_hfence_vvma:
    case OP_hfence_gvma:
    case OP_hinval_vvma:
    case OP_hinval_gvma: return fence(i);
    case OP_csrrw:
    case OP_csrrs:
    case OP_csrrc:
    case OP_csrrwi:
    case OP_csrrsi:
    case OP_csrrci: return csr(i);
    case OP_sspush_x1:
    case OP_sspush_x5:
    case OP_sspopchk_x1:
    case OP_sspopchk_x5:
    case OP_ssrdp: return shadow_stack(i);
    default: return !strncmp(i->row.name, "hlv", 3) || !strncmp(i->row.name, "hsv", 3) ? hypervisor_access(i) : false;
    }
}

static bool execute(struct insn *i, enum rv_return *ret)
{
    switch (i->row.match & 0x7f) {
    case 0x03:
    case 0x07:
    case 0x23:
    case 0x27: return memory(i);
    case 0x0f:
        return i->d.op == OP_cbo_inval || i->d.op == OP_cbo_clean || i->d.op == OP_cbo_flush || i->d.op == OP_cbo_zero ? cbo(i)
                                                                                                                       : false;
    case 0x2f: return i->d.op == OP_ssamoswap_w || i->d.op == OP_ssamoswap_d ? shadow_stack(i) : atomic(i);
    case 0x43:
    case 0x47:
    case 0x4b:
    case 0x4f:
    case 0x53: return fp_off(i) || rounding(i);
    case 0x63:
    case 0x67:
    case 0x6f: return jump(i);
    case 0x73: return system_insn(i, ret);
    default: return false;
    }
}

/* The halves of the instruction. False: t is the exception. */
static bool fetch(struct insn *i)
{
    struct rv_why *w = i->w;
    uint16_t half[2] = {0, 0};
    for (unsigned k = 0; k < 2; k++) {
        struct fact look = {.label = ""};
        struct rv_access a = {.va = rv_narrow(w, w->h->s.pc + 2 * k),
                              .size = 2,
                              .access = ACCESS_FETCH,
                              .m = {.priv = w->h->s.priv, .v = w->h->s.v}};
        uint64_t pa;
        bool ok = rv_explain_access(w, &look, &a, &pa, i->t);
        if (ok && !mem_page_read(w->m->mem, pa)) {
            fact_add(w->e, &look, "memory", "priv: Supported Access Type PMAs",
                     "no main memory: nothing can be fetched from there")
                ->mark = FACT_DECIDES;
            *i->t = (struct trap){.cause = EXC_INSN_ACCESS, .tval = a.va, .gva = w->h->s.v};
            ok = false;
        }
        if (!ok) { /* only a fetch that fails is of interest */
            fact_add(w->e, i->s, "fetch", rv_sync(w), "of the instruction at pc fails: before it is decoded");
            i->s->last->next = look.first;
            i->s->last = look.last;
            return false;
        }
        machine_read(w->m, pa, &half[k], 2);
        if ((half[0] & 3) != 3)
            break;
    }
    i->bits = half[0] | (uint32_t)half[1] << 16;
    return true;
}

/* xLPE, which is on where a landing pad is expected. */
static void lpe_fact(struct insn *i)
{
    struct rv_why *w = i->w;
    const struct rv_csrs *r = &w->h->s.csr;
    const char *on = "landing pads are on in this mode";
    if (w->h->s.priv == RV_M)
        rv_field(w, i->s, "mseccfg.MLPE", LPE_CLAUSE, r->mseccfg, mseccfg_MLPE, on);
    else if (w->h->s.priv == RV_U && rv_on(w, EXT_S))
        rv_field(w, i->s, "senvcfg.LPE", LPE_CLAUSE, r->senvcfg, menvcfg_LPE, on);
    else
        rv_field(w, i->s, w->h->s.v ? "henvcfg.LPE" : "menvcfg.LPE", LPE_CLAUSE, w->h->s.v ? r->henvcfg : r->menvcfg, menvcfg_LPE,
                 on);
}

/* Zicfilp: what a jump arrived at must be a landing pad. */
static bool landing(struct insn *i)
{
    struct rv_why *w = i->w;
    uint32_t label = i->bits >> 12;
    if (!w->h->s.elp)
        return false;
    lpe_fact(i);
    bool lpad = (i->bits & 0xfff) == 0x017, aligned = !(w->h->s.pc & 3), same = !label || label == (uint32_t)w->h->s.x[7] >> 12;
    struct fact *f = fact_add(w->e, i->s, "ELP", LPAD_CLAUSE, "a landing pad is expected: %s",
                              !lpad      ? "this is no lpad"
                              : !aligned ? "the lpad is not 4-byte aligned"
                              : !same    ? "the label of the lpad is not x7[31:12]"
                                         : "this is the right one");
    if (lpad && aligned && same)
        return false;
    f->mark = FACT_DECIDES;
    *i->t = (struct trap){.cause = EXC_SOFTWARE_CHECK, .tval = 2};
    return true;
}

static struct insn_row base_row(const struct decoded *d)
{
    for (unsigned n = 0; n < rv_insn_count(); n++) {
        struct insn_row row = rv_insn_row(n);
        if (!row.alias && row.op == d->op)
            return row;
    }
    return rv_insn_row(0);
}

/* A row's name as assembly has it: "fadd.d", "sfence.w.inval", "sspush x1". */
static const char *mnemonic(struct explanation *e, const char *name)
{
    char text[32];
    snprintf(text, sizeof text, "%s", name);
    size_t n = strlen(text);
    if (n > 4 && (!strcmp(text + n - 4, "_dyn") || !strcmp(text + n - 4, "_rtz"))) /* the same with a rounding mode */
        text[n - 4] = '\0';
    n = strlen(text);
    for (char *c = text; *c; c++)
        *c = *c != '_' ? *c : c == text + n - 3 && c[1] == 'x' && (c[2] == '1' || c[2] == '5') ? ' ' : '.';
    return explain_say(e, "%s", text);
}

bool rv_explain_instruction(struct rv_why *w, struct trap *t, enum rv_return *ret)
{
    struct insn i = {.w = w, .t = t};
    *ret = RV_NO_RETURN;
    i.s = fact_add(w->e, &w->e->facts, "instruction", rv_sync(w), "%s", "");
    if (!fetch(&i))
        return true;
    unsigned bytes = (i.bits & 3) == 3 ? 4 : 2;
    i.d = rv_decode(w->h->decoder, i.bits, w->xlen);
    i.s->has_value = true;
    i.s->value = i.bits;
    i.s->digits = (uint8_t)(2 * bytes);
    if (i.d.row)
        i.s->text = mnemonic(w->e, i.d.row->name);
    if (landing(&i))
        return true;
    if (!i.d.row) {
        i.s->text = "no instruction of this cpu has this encoding";
        fact_add(w->e, i.s, "encoding", "unpriv: Base Instruction-Length Encoding", "not there in this configuration")->mark =
            FACT_DECIDES;
        return illegal(&i);
    }
    i.row = base_row(&i.d);
    bool trap = execute(&i, ret);
    if (!trap && *ret == RV_NO_RETURN && !i.s->first)
        fact_add(w->e, i.s, "exception", NULL, "none");
    return trap;
}
