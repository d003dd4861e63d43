/*
 * An access explained: pointer masking, both stages of translation entry by entry, physical memory protection. Written by the
 * manual's own steps (supervisor "Virtual Address Translation Process", hypervisor "Two-Stage Address Translation", priv
 * "Physical Memory Protection"), and not by cpu/riscv/walk.c, which is made for speed: the two must agree.
 */
#include "base/bits.h"
#include "csr/riscv/masks.h"
#include "debug/riscv/explain_parts.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PTE_V    0x01u
#define PTE_R    0x02u
#define PTE_W    0x04u
#define PTE_X    0x08u
#define PTE_U    0x10u
#define PTE_A    0x40u
#define PTE_D    0x80u
#define PTE_LEAF (PTE_R | PTE_W | PTE_X)
#define PTE_N    (UINT64_C(1) << 63)

#define ZPM_CLAUSE  "zpm: Memory Accesses Subject to Pointer Masking"
#define SS_CLAUSE   "cfi: Shadow Stack Memory Protection"
#define HYP_LOADS   "hypervisor: Hypervisor Virtual-Machine Load and Store Instructions"
#define SMEPMP_RULE "smepmp: Smepmp Physical Memory Protection Rules"

enum { MAY_R = 1, MAY_W = 2, MAY_X = 4 };

/* A translation under way. */
struct look {
    struct rv_why *w;
    const struct rv_access *a;
    uint64_t va; /* after pointer masking */
    struct trap *t;
};

/* ---- outcomes -----------------------------------------------------------------------------------------------------------------
 */

/* What the access counts as when it fails. */
static enum access reported(const struct rv_access *a) { return a->m.shadow_stack || a->m.cbo ? ACCESS_STORE : a->access; }

static bool raise(struct look *l, const uint8_t cause[3])
{
    *l->t = (struct trap){.cause = cause[reported(l->a)], .tval = l->va, .gva = l->a->m.v};
    return false;
}

static bool page_fault(struct look *l)
{
    static const uint8_t cause[] = {EXC_INSN_PAGE, EXC_LOAD_PAGE, EXC_STORE_PAGE};
    return raise(l, cause);
}

static bool access_fault(struct look *l)
{
    static const uint8_t cause[] = {EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS};
    return raise(l, cause);
}

/* implicit: 0, or the pseudoinstruction for the access to a VS-stage entry. */
static bool guest_fault(struct look *l, uint64_t gpa, uint64_t implicit)
{
    static const uint8_t cause[] = {EXC_INSN_GUEST_PAGE, EXC_LOAD_GUEST_PAGE, EXC_STORE_GUEST_PAGE};
    raise(l, cause);
    l->t->tval2 = gpa >> 2;
    l->t->tinst = implicit;
    return false;
}

/* ---- physical memory protection -----------------------------------------------------------------------------------------------
 */

struct pmp_answer {
    int entry; /* -1: none matches */
    bool partly;
    unsigned may;
};

static uint8_t pmp_cfg(const struct rv_csrs *r, unsigned i) { return (uint8_t)(r->pmpcfg[i / 8] >> (i % 8 * 8)); }

/* The addresses entry i is for, inclusive. False: none. */
static bool pmp_range(const struct rv_why *w, unsigned i, uint64_t *first, uint64_t *last)
{
    const struct rv_csrs *r = &w->h->s.csr;
    uint64_t width = w->xlen == 32 ? 32 : 54, addr = r->pmpaddr[i] & bits_mask(0, (unsigned)width);
    unsigned grain = w->h->cfg->pmp_grain, mode = pmp_cfg(r, i) >> 3 & 3;
    if (mode == 0)
        return false;
    if (mode == 1) { /* TOR: from the address before to its own, low grain bits ignored */
        uint64_t low = i ? r->pmpaddr[i - 1] & bits_mask(0, (unsigned)width) : 0;
        *first = low >> grain << grain << 2;
        *last = (addr >> grain << grain << 2) - 1;
        return (addr >> grain << grain) > (low >> grain << grain);
    }
    unsigned ones = 0;
    if (mode == 3) {
        if (grain >= 2)
            addr |= bits_mask(0, grain - 1);
        while (ones < 62 && (addr >> ones & 1))
            ones++;
        ones++;
    }
    *first = addr >> ones << ones << 2;
    *last = *first + (UINT64_C(4) << ones) - 1;
    return true;
}

/* Smepmp, MML=1: what the sixteen settings of L, R, W, X permit to M and to S and U, by the table of the manual. */
static unsigned mml_may(uint8_t cfg, bool m)
{
    bool l = cfg & 0x80, r = cfg & 1, wr = cfg & 2, x = cfg & 4;
    if (!r && wr) { /* shared regions */
        if (l)
            return x && m ? MAY_R | MAY_X : MAY_X;
        return m || x ? MAY_R | MAY_W : MAY_R;
    }
    if (l && r && wr && x)
        return MAY_R; /* locked shared read-only data */
    return l == m ? (unsigned)cfg & 7 : 0;
}

static struct pmp_answer pmp_ask(const struct rv_why *w, uint64_t pa, uint64_t size, uint8_t priv)
{
    const struct rv_csrs *r = &w->h->s.csr;
    bool m = priv == RV_M, mml = r->mseccfg & mseccfg_MML;
    for (unsigned i = 0; i < w->h->cfg->pmp_count; i++) {
        uint64_t first, last;
        if (!pmp_range(w, i, &first, &last) || pa > last || pa + size - 1 < first)
            continue;
        struct pmp_answer a = {.entry = (int)i, .partly = pa < first || pa + size - 1 > last};
        uint8_t cfg = pmp_cfg(r, i);
        if (a.partly)
            return a;
        if (mml)
            a.may = mml_may(cfg, m);
        else if (m && !(cfg & 0x80))
            a.may = MAY_R | MAY_W | MAY_X;
        else
            a.may = (cfg & 3) == 2 ? cfg & 4 : cfg & 7u; /* R=0 W=1 is reserved */
        return a;
    }
    struct pmp_answer none = {.entry = -1};
    if (!m)
        none.may = w->h->cfg->pmp_count ? 0 : MAY_R | MAY_W | MAY_X;
    else if (!(r->mseccfg & mseccfg_MMWP))
        none.may = mml ? MAY_R | MAY_W : MAY_R | MAY_W | MAY_X;
    return none;
}

static const char *may_text(unsigned may, char out[4])
{
    out[0] = may & MAY_R ? 'R' : '-';
    out[1] = may & MAY_W ? 'W' : '-';
    out[2] = may & MAY_X ? 'X' : '-';
    out[3] = '\0';
    return out;
}

/* Adds the entry that decided. True: everything in need is permitted. */
static bool pmp_fact(struct look *l, struct fact *to, uint64_t pa, uint64_t size, uint8_t priv, unsigned need, bool only_failing)
{
    static const char *const matching[] = {"OFF", "TOR", "NA4", "NAPOT"};
    struct rv_why *w = l->w;
    struct pmp_answer a = pmp_ask(w, pa, size, priv);
    bool ok = (a.may & need) == need;
    char may[4], want[4];
    if (!w->h->cfg->pmp_count || (ok && only_failing))
        return ok;
    const char *who = priv == RV_M ? "M" : "S and U", *clause = w->h->s.csr.mseccfg & 3 ? SMEPMP_RULE : PRIV_PMP;
    struct fact *f;
    if (a.entry < 0) {
        f = fact_add(w->e, to, "PMP", clause, "no entry matches 0x%" PRIx64 ": %s may %s, needs %s", pa, who,
                     may_text(a.may, may), may_text(need, want));
    } else {
        uint64_t first, last;
        uint8_t cfg = pmp_cfg(&w->h->s.csr, (unsigned)a.entry);
        pmp_range(w, (unsigned)a.entry, &first, &last);
        const char *label = explain_say(w->e, "PMP entry %d", a.entry);
        if (a.partly)
            f = fact_add(w->e, to, label, clause, "%s 0x%" PRIx64 "..0x%" PRIx64 " matches a part of the access only: it fails",
                         matching[cfg >> 3 & 3], first, last);
        else
            f = fact_add(w->e, to, label, clause, "%s 0x%" PRIx64 "..0x%" PRIx64 "%s: %s may %s, needs %s",
                         matching[cfg >> 3 & 3], first, last, cfg & 0x80 ? " L" : "", who, may_text(a.may, may),
                         may_text(need, want));
    }
    f->mark = ok ? FACT_PLAIN : FACT_DECIDES;
    return ok;
}

/* ---- one stage ----------------------------------------------------------------------------------------------------------------
 */

struct mode_row {
    const char *name;
    unsigned levels;
};

static struct mode_row atp_mode(const struct rv_why *w, uint64_t atp)
{
    static const struct mode_row row[] = {{"Bare", 0}, {"Sv32", 2}, {"Sv39", 3}, {"Sv48", 4}, {"Sv57", 5}};
    if (w->xlen == 32)
        return row[atp >> 31 & 1];
    unsigned mode = (unsigned)(atp >> 60);
    return row[mode >= 8 && mode <= 10 ? mode - 6 : 0];
}

/* A stage at work on an address. */
struct stage {
    bool g, implicit;   /* the G stage; on behalf of a VS-stage entry */
    uint64_t addr, atp; /* what is translated, by what */
    enum access access; /* as this stage sees it */
    struct fact *facts;
};

struct mapping {
    uint64_t pa;
    unsigned pbmt;
};

static bool stage_fails(struct look *l, const struct stage *s)
{
    if (!s->g)
        return page_fault(l);
    uint64_t pseudo = (l->w->xlen == 32 ? 0x2000 : 0x3000) | (s->access == ACCESS_STORE ? 0x20 : 0);
    return guest_fault(l, s->addr, s->implicit ? pseudo : 0);
}

static const char *flags_text(uint64_t pte, char out[40])
{
    static const char letter[] = "VRWXUGAD";
    unsigned n = 0;
    for (unsigned i = 0; i < 8; i++)
        out[n++] = pte >> i & 1 ? letter[i] : '-';
    if (pte >> 61 & 3)
        n += (unsigned)snprintf(out + n, 12, " PBMT=%u", (unsigned)(pte >> 61 & 3));
    snprintf(out + n, 8, "%s", pte & PTE_N ? " N" : "");
    return out;
}

/* Ends a level's fact with what came of it. */
static void verdict(struct look *l, struct fact *f, bool fails, const char *text)
{
    f->text = explain_say(l->w->e, "%s%s", f->text, text);
    f->mark = fails ? FACT_DECIDES : FACT_PLAIN;
}

static bool adue(const struct rv_why *w, const struct look *l, const struct stage *s)
{
    const struct rv_csrs *r = &w->h->s.csr;
    return r->menvcfg & (s->g || !l->a->m.v ? UINT64_MAX : r->henvcfg) & menvcfg_ADUE;
}

static bool pbmte(const struct rv_why *w, const struct look *l, const struct stage *s)
{
    const struct rv_csrs *r = &w->h->s.csr;
    return r->menvcfg & (s->g || !l->a->m.v ? UINT64_MAX : r->henvcfg) & menvcfg_PBMTE;
}

static bool shadow_stacks(const struct rv_why *w, const struct look *l)
{
    const struct rv_csrs *r = &w->h->s.csr;
    return r->menvcfg & (l->a->m.v ? r->henvcfg : UINT64_MAX) & menvcfg_SSE;
}

/* MXR and SUM as they are in force for the stage (hypervisor "Two-Stage Address Translation"). */
static bool mxr(const struct look *l, const struct stage *s)
{
    const struct rv_csrs *r = &l->w->h->s.csr;
    return (r->mstatus & mstatus_MXR) || (!s->g && l->a->m.v && (r->vsstatus & vsstatus_MXR));
}

/* Why MXR does not make an execute-only page readable. */
static const char *no_mxr(const struct look *l, const struct stage *s)
{
    if (s->implicit)
        return "R=0; MXR is not for the accesses of a walk";
    return s->g || !l->a->m.v ? "R=0 and sstatus.MXR=0" : "R=0, and MXR of sstatus and vsstatus is 0";
}

static bool sum(const struct look *l)
{
    const struct rv_csrs *r = &l->w->h->s.csr;
    return (l->a->m.v ? r->vsstatus : r->mstatus) & mstatus_SUM;
}

/* What is wrong with the encoding of a leaf; NULL: nothing. */
static const char *malformed(const struct look *l, const struct stage *s, uint64_t pte, unsigned level)
{
    const struct rv_why *w = l->w;
    unsigned index_bits = w->xlen == 32 ? 10 : 9;
    uint64_t ppn = bits_get(pte, 53, 10);
    bool vs = !s->g && l->a->m.v, ss = !s->g && (pte & PTE_LEAF) == PTE_W && shadow_stacks(w, l);
    if (bits_get(pte, 60, 54))
        return "reserved bits are set";
    if ((pte >> 61 & 3) && !pbmte(w, l, s))
        return !rv_on(w, EXT_Svpbmt) ? "PBMT is set and Svpbmt is not there"
               : vs                  ? "PBMT is set and henvcfg.PBMTE is 0"
                                     : "PBMT is set and menvcfg.PBMTE is 0"; /* there is no PBMT in RV32 */
    if ((pte >> 61 & 3) == 3)
        return "PBMT=3 is reserved";
    if ((pte & PTE_N) && !rv_on(w, EXT_Svnapot))
        return "N is set and Svnapot is not there";
    if ((pte & (PTE_R | PTE_W)) == PTE_W && !ss)
        return "W without R is reserved";
    if (level && (ppn & bits_mask(0, index_bits * level)))
        return "a misaligned superpage";
    if ((pte & PTE_N) && (level || (ppn & 15) != 8))
        return "N with a reserved size";
    return NULL;
}

/* Why the leaf does not permit it; NULL: it does. Sets *access when the manual asks for an access fault. */
static const char *forbidden(const struct look *l, const struct stage *s, uint64_t pte, bool *access)
{
    bool user = pte & PTE_U, fetch = s->access == ACCESS_FETCH, explicit = !s->implicit;
    bool r = pte & PTE_R, wr = pte & PTE_W, x = pte & PTE_X;
    const struct access_mode *m = &l->a->m;
    if (s->g || m->priv == RV_U) {
        if (!user)
            return s->g ? "U=0: the G stage sees every access as made by U" : "U=0: not a page of U";
    } else if (user && fetch) {
        return "U=1: S and VS never execute pages of U";
    } else if (user && !sum(l)) {
        return m->v ? "U=1 and vsstatus.SUM=0: VS may not access pages of VU"
                    : "U=1 and sstatus.SUM=0: S may not access pages of U";
    }
    if (!s->g && (m->shadow_stack || (wr && !r && !x))) {
        bool ss = wr && !r && !x;
        if (m->shadow_stack && ss)
            return NULL;
        *access = !m->shadow_stack || x || wr;
        if (m->shadow_stack)
            return "the access needs a shadow-stack page";
        if (m->hlvx) {
            *access = false;
            return "X=0";
        }
        return s->access == ACCESS_LOAD && !m->cbo ? NULL : "a shadow-stack page";
    }
    if (s->g && explicit && m->shadow_stack)
        return r && wr ? NULL : "a shadow-stack access needs R and W in the G stage";
    if (explicit && m->hlvx)
        return x ? NULL : "X=0, which hlvx needs in place of R";
    if (s->access == ACCESS_LOAD)
        return r || (explicit && x && mxr(l, s)) ? NULL : x ? no_mxr(l, s) : "R=0";
    if (s->access == ACCESS_STORE)
        return wr ? NULL : "W=0";
    return x ? NULL : "X=0";
}

/* The bit of a status register without which the leaf would not have permitted it, if there is one. */
static const char *thanks_to(const struct look *l, const struct stage *s, uint64_t pte)
{
    bool v = l->a->m.v, own = !s->g && v && (l->w->h->s.csr.vsstatus & vsstatus_MXR);
    if (s->access == ACCESS_LOAD && !(pte & PTE_R) && !l->a->m.hlvx && (pte & PTE_X))
        return own ? ", X=1 and vsstatus.MXR=1" : ", X=1 and sstatus.MXR=1";
    if (!s->g && l->a->m.priv == RV_S && (pte & PTE_U))
        return v ? ", U=1 and vsstatus.SUM=1" : ", U=1 and sstatus.SUM=1";
    return "";
}

static bool walk(struct look *l, struct stage *s, struct mapping *out);

/* The G stage of an address on behalf of the instruction or of an entry. */
static bool g_stage(struct look *l, struct fact *to, uint64_t gpa, enum access a, bool implicit, struct mapping *out)
{
    uint64_t hgatp = l->w->h->s.csr.hgatp;
    *out = (struct mapping){.pa = gpa};
    if (!atp_mode(l->w, hgatp).levels)
        return true;
    struct stage s = {.g = true, .implicit = implicit, .addr = gpa, .atp = hgatp, .access = a, .facts = to};
    return walk(l, &s, out);
}

/* A and D, which the leaf must have or be given (svade, svadu). */
static bool accessed_dirty(struct look *l, const struct stage *s, struct fact *f, uint64_t at, uint64_t pa, uint64_t pte)
{
    struct rv_why *w = l->w;
    uint64_t need = s->access == ACCESS_STORE ? PTE_A | PTE_D : PTE_A;
    if ((pte & need) == need)
        return true;
    const char *what = pte & PTE_A ? "D=0" : "A=0",
               *reg = rv_label(w, s->g || !l->a->m.v ? "menvcfg.ADUE" : "henvcfg.ADUE", menvcfg_ADUE);
    if (!adue(w, l, s)) {
        verdict(l, f, true,
                rv_on(w, EXT_Svadu) ? explain_say(w->e, ": %s, and %s is 0", what, reg)
                                    : explain_say(w->e, ": %s, and hardware does not set it (Svadu is not there)", what));
        return stage_fails(l, s);
    }
    if (!s->g && l->a->m.v) { /* the entry is written by the guest's walk */
        struct mapping m;
        if (!g_stage(l, f, at, ACCESS_STORE, true, &m)) {
            verdict(l, f, true, explain_say(w->e, ": %s, and the G stage does not let it be set", what));
            return false;
        }
        pa = m.pa;
    }
    if (!pmp_fact(l, f, pa, w->xlen / 8, RV_S, MAY_W, true) || !mem_page_write(w->m->mem, pa)) {
        verdict(l, f, true, explain_say(w->e, ": %s, and the entry cannot be written", what));
        return access_fault(l);
    }
    f->text = explain_say(w->e, "%s, %s is set by hardware (%s=1)", f->text, what, reg);
    return true;
}

static bool leaf(struct look *l, const struct stage *s, struct fact *f, uint64_t at, uint64_t pa, uint64_t pte, unsigned level,
                 struct mapping *out)
{
    struct rv_why *w = l->w;
    bool access = false;
    const char *bad = malformed(l, s, pte, level);
    if (!bad)
        bad = forbidden(l, s, pte, &access);
    if (bad) {
        verdict(l, f, true, explain_say(w->e, ": %s", bad));
        return access ? access_fault(l) : stage_fails(l, s);
    }
    if (!accessed_dirty(l, s, f, at, pa, pte))
        return false;
    unsigned span = 12 + (w->xlen == 32 ? 10 : 9) * level;
    uint64_t base = bits_get(pte, 53, 10) << 12;
    if (pte & PTE_N) {
        span = 16;
        base &= ~bits_mask(0, span);
    }
    out->pa = base | (s->addr & bits_mask(0, span));
    out->pbmt = (unsigned)(pte >> 61 & 3);
    const char *size = level ? explain_say(w->e, ", 0x%" PRIx64 " bytes", UINT64_C(1) << span) : "";
    verdict(l, f, false, explain_say(w->e, ": leaf%s%s", size, thanks_to(l, s, pte)));
    return true;
}

/* Is the address one that the mode can translate at all? */
static bool in_range(struct look *l, struct stage *s, unsigned levels)
{
    struct rv_why *w = l->w;
    if (w->xlen == 32)
        return true;
    unsigned bits = 12 + 9 * levels;
    bool ok = s->g ? !(s->addr >> (bits + 2)) : (uint64_t)bits_sext(s->addr, bits) == s->addr;
    if (!ok)
        fact_add(w->e, s->facts, "address", s->g ? HYP_WALK : "supervisor: Addressing and Memory Protection",
                 s->g ? "0x%" PRIx64 " needs more than %u bits" : "0x%" PRIx64 " is no sign extension of its low %u bits",
                 s->addr, s->g ? bits + 2 : bits)
            ->mark = FACT_DECIDES;
    return ok || stage_fails(l, s);
}

static bool walk(struct look *l, struct stage *s, struct mapping *out)
{
    struct rv_why *w = l->w;
    unsigned levels = atp_mode(w, s->atp).levels, bits = w->xlen == 32 ? 10 : 9, bytes = w->xlen == 32 ? 4 : 8;
    uint64_t base = bits_get(s->atp, w->xlen == 32 ? 21 : 43, 0) << 12, pte = 0;
    if (!in_range(l, s, levels))
        return false;
    for (unsigned level = levels; level-- > 0;) {
        bool root = s->g && level == levels - 1;
        uint64_t index = s->addr >> (12 + bits * level) & bits_mask(0, root ? bits + 2 : bits), at = base + index * bytes;
        struct mapping m = {.pa = at};
        const char *label = explain_say(w->e, "%sL%u[0x%" PRIx64 "]", s->g ? "G " : l->a->m.v ? "VS " : "", level, index);
        struct fact *f = fact_add(w->e, s->facts, label, s->g ? HYP_WALK : PRIV_WALK, "%s", "");
        f->stage = s->g ? FACT_STAGE_2 : FACT_STAGE_1;
        if (!s->g && l->a->m.v && !g_stage(l, f, at, ACCESS_LOAD, true, &m)) {
            f->text = explain_say(w->e, "at guest 0x%" PRIx64 ": the G stage fails", at);
            f->mark = FACT_DECIDES;
            return false;
        }
        f->text = explain_say(w->e, "at 0x%" PRIx64, m.pa);
        if (!pmp_fact(l, f, m.pa, bytes, RV_S, MAY_R, true) || !machine_read(w->m, m.pa, &pte, bytes)) {
            verdict(l, f, true, ": cannot be read");
            return access_fault(l);
        }
        char flags[40];
        f->value = pte;
        f->digits = (uint8_t)w->digits;
        f->has_value = true;
        f->text = explain_say(w->e, "%s %s", f->text, flags_text(pte, flags));
        if (!(pte & PTE_V)) {
            verdict(l, f, true, ": V=0");
            return stage_fails(l, s);
        }
        if (pte & PTE_LEAF)
            return leaf(l, s, f, at, m.pa, pte, level, out);
        if (bits_get(pte, 63, 54) || (pte & (PTE_A | PTE_D | PTE_U))) {
            verdict(l, f, true, ": reserved bits of a pointer are set");
            return stage_fails(l, s);
        }
        if (!level) {
            verdict(l, f, true, ": a pointer at the last level");
            return stage_fails(l, s);
        }
        base = bits_get(pte, 53, 10) << 12;
        verdict(l, f, false, explain_say(w->e, ": table 0x%" PRIx64, base));
    }
    return false;
}

/* ---- the access
 * ---------------------------------------------------------------------------------------------------------------- */

static uint64_t first_atp(const struct rv_why *w, const struct access_mode *m)
{
    const struct rv_csrs *r = &w->h->s.csr;
    return m->priv == RV_M ? 0 : m->v ? r->vsatp : r->satp;
}

/* The register that says how many bits are ignored, its field, and why none are. */
static unsigned masking(const struct rv_why *w, const struct rv_access *a, const char **reg)
{
    const struct rv_csrs *r = &w->h->s.csr;
    const struct access_mode *m = &a->m;
    bool virt = m->v;
    *reg = NULL;
    if (w->xlen == 32 || a->access == ACCESS_FETCH || m->hlvx)
        return 0;
    if (m->priv == RV_M)
        return *reg = "mseccfg.PMM", (unsigned)bits_get(r->mseccfg, 33, 32);
    if ((r->mstatus & mstatus_MXR) || (virt && (r->vsstatus & vsstatus_MXR)))
        return 0;
    if (m->priv == RV_S)
        return *reg = virt ? "henvcfg.PMM" : "menvcfg.PMM", (unsigned)bits_get(virt ? r->henvcfg : r->menvcfg, 33, 32);
    if (m->hlv && w->h->s.priv == RV_U)
        return *reg = "hstatus.HUPMM", (unsigned)bits_get(r->hstatus, 49, 48);
    bool s = rv_on(w, EXT_S);
    return *reg = s ? "senvcfg.PMM" : "menvcfg.PMM", (unsigned)bits_get(s ? r->senvcfg : r->menvcfg, 33, 32);
}

uint64_t rv_masked(const struct rv_why *w, const struct rv_access *a)
{
    const char *reg;
    unsigned pmm = masking(w, a, &reg);
    if (w->xlen == 32)
        return (uint32_t)a->va;
    if (pmm < 2)
        return a->va;
    unsigned kept = pmm == 2 ? 57 : 48;
    return atp_mode(w, first_atp(w, &a->m)).levels ? (uint64_t)bits_sext(a->va, kept) : a->va & bits_mask(0, kept);
}

static void effective(struct rv_why *w, struct fact *to, const struct rv_access *a, uint64_t va)
{
    const char *reg;
    unsigned pmm = masking(w, a, &reg);
    if (a->m.hlv)
        rv_field(w, to, "hstatus.SPVP", HYP_LOADS, w->h->s.csr.hstatus, hstatus_SPVP,
                 "the access is as from V=1 at this privilege");
    else if (a->access != ACCESS_FETCH && (w->h->s.csr.mstatus & mstatus_MPRV) &&
             (a->m.priv != w->h->s.priv || a->m.v != w->h->s.v))
        rv_field(w, to, "mstatus.MPRV", "priv: Memory Privilege in mstatus Register", w->h->s.csr.mstatus, mstatus_MPRV,
                 explain_say(w->e, "the access is as from %s, by MPP and MPV", rv_mode_name(w, a->m.priv, a->m.v)));
    if (reg && pmm >= 2)
        fact_value(w->e, to, reg, ZPM_CLAUSE, pmm, 0, "%u bits are ignored: 0x%" PRIx64 " -> 0x%" PRIx64, pmm == 2 ? 7 : 16,
                   a->va, va);
}

static struct fact *atp_fact(struct rv_why *w, struct fact *to, const char *name, uint64_t atp, bool g, const char *clause)
{
    struct mode_row mode = atp_mode(w, atp);
    if (!mode.levels)
        return fact_value(w->e, to, name, clause, atp, w->digits, "Bare: no translation");
    return fact_value(w->e, to, name, clause, atp, w->digits, "%s%s, %u levels, root 0x%" PRIx64, mode.name, g ? "x4" : "",
                      mode.levels, bits_get(atp, w->xlen == 32 ? 21 : 43, 0) << 12);
}

/* Width, protection and, for shadow stacks, the kind of memory. */
static bool physical(struct look *l, struct fact *to, uint64_t pa, unsigned pbmt)
{
    static const uint8_t needs[] = {[ACCESS_FETCH] = MAY_X, [ACCESS_LOAD] = MAY_R, [ACCESS_STORE] = MAY_W};
    struct rv_why *w = l->w;
    const struct access_mode *m = &l->a->m;
    unsigned need = m->hlvx ? MAY_R | MAY_X : m->shadow_stack ? MAY_R | MAY_W : needs[l->a->access];
    if (pa >> w->h->cfg->pa_bits) {
        fact_value(w->e, to, "physical address", "priv: Physical Memory Attributes", pa, w->digits,
                   "wider than the %u bits there are", w->h->cfg->pa_bits)
            ->mark = FACT_DECIDES;
        return access_fault(l);
    }
    fact_value(w->e, to, "physical address", NULL, pa, w->digits, "%s",
               pbmt == 1   ? "non-cacheable memory (PBMT)"
               : pbmt == 2 ? "I/O (PBMT)"
                           : "");
    if (m->shadow_stack && (pbmt == 2 || !mem_page_read(w->m->mem, pa))) {
        fact_add(w->e, to, "memory", SS_CLAUSE, "a shadow stack must be in idempotent memory")->mark = FACT_DECIDES;
        return access_fault(l);
    }
    return pmp_fact(l, to, pa, l->a->size, m->priv, need, false) || access_fault(l);
}

bool rv_explain_access(struct rv_why *w, struct fact *to, const struct rv_access *a, uint64_t *pa, struct trap *t)
{
    static const char *const what[] = {"fetch", "load", "store"};
    struct look l = {w, a, rv_masked(w, a), t};
    const struct rv_csrs *r = &w->h->s.csr;
    struct fact *f = fact_value(w->e, to, what[a->access], NULL, l.va, w->digits, "%u byte%s as %s", a->size,
                                a->size == 1 ? "" : "s", rv_mode_name(w, a->m.priv, a->m.v));
    uint64_t atp = first_atp(w, &a->m);
    struct mapping m = {.pa = l.va}, g;
    effective(w, f, a, l.va);
    bool paged = a->m.priv != RV_M && atp_mode(w, atp).levels;
    if (!paged && a->m.shadow_stack) {
        fact_add(w->e, f, "shadow stack", SS_CLAUSE, "in M or with Bare there are no shadow-stack pages")->mark = FACT_DECIDES;
        return access_fault(&l);
    }
    if (a->m.priv == RV_M) {
        fact_add(w->e, f, "translation", "supervisor: Supervisor Address Translation and Protection (satp) Register",
                 "none: the access is M's");
    } else {
        struct fact *s = atp_fact(w, f, a->m.v ? "vsatp" : "satp", atp, false,
                                  a->m.v ? "hypervisor: Virtual Supervisor Address Translation and Protection (vsatp) Register"
                                         : "supervisor: Supervisor Address Translation and Protection (satp) Register");
        struct stage first = {.addr = l.va, .atp = atp, .access = a->access, .facts = s};
        if (paged && !walk(&l, &first, &m))
            return false;
        if (a->m.v) {
            s = atp_fact(w, f, "hgatp", r->hgatp, true,
                         "hypervisor: Hypervisor Guest Address Translation and Protection (hgatp) Register");
            fact_value(w->e, s, "guest physical address", HYP_WALK, m.pa, w->digits, "%s", "");
            if (!g_stage(&l, s, m.pa, a->access, false, &g))
                return false;
            m.pbmt = m.pbmt ? m.pbmt : g.pbmt;
            m.pa = g.pa;
        }
    }
    *pa = m.pa;
    return physical(&l, f, m.pa, m.pbmt);
}
