/*
 * Address translation once more, written straight down from the manual: slow, with every field taken apart, one step after the
 * other. It works on the shadow memory of a world and notes what it reads and writes.
 */
#ifndef TL_TEST_MMU_ORACLE_H
#define TL_TEST_MMU_ORACLE_H
#include "mmu_world.h"

struct oracle {
    struct world *w;
    bool ok;
    uint64_t pa;
    unsigned pbmt;
    struct trap trap;
    bool cut; /* for the test: the translation was not cacheable */
    bool dry; /* do not write the shadow; `updates` still counts */
    unsigned reads, updates;
    uint64_t read_at[256];
    uint64_t update_at[64];
    /* the access */
    uint64_t tval;
    enum access type;
    struct access_mode m;
};

enum ora_fault { ORA_OK, ORA_PAGE, ORA_ACCESS, ORA_GUEST };

static inline uint64_t ora_bit(uint64_t v, unsigned n) { return v >> n & 1; }

/* ---- PMP, byte by byte ---- */

static inline bool ora_pmp_matches(const struct oracle *o, unsigned i, uint64_t byte)
{
    const struct rv_csrs *r = &o->w->hart->s.csr;
    unsigned g = o->w->cfg.pmp_grain;
    uint64_t width = o->w->cfg.xlen == 32 ? 32 : 54, word = byte >> 2;
    uint64_t addr = r->pmpaddr[i] & bits_mask(0, (unsigned)width),
             prev = i ? r->pmpaddr[i - 1] & bits_mask(0, (unsigned)width) : 0;
    switch (r->pmpcfg[i / 8] >> (8 * (i % 8) + 3) & 3) {
    case 0: return false;
    case 1: return word >> g >= prev >> g && word >> g < addr >> g;
    case 2: return word == addr;
    default: {
        unsigned ones = 0;
        if (g >= 2)
            addr |= (UINT64_C(1) << (g - 1)) - 1;
        while (ones < 54 && ora_bit(addr, ones))
            ones++;
        return word >> (ones + 1) == addr >> (ones + 1);
    }
    }
}

/* Number of the entry that decides about a byte; -1 none. */
static inline int ora_pmp_entry(const struct oracle *o, uint64_t byte)
{
    for (unsigned i = 0; i < o->w->cfg.pmp_count; i++)
        if (ora_pmp_matches(o, i, byte))
            return (int)i;
    return -1;
}

static inline bool ora_mml(bool l, bool r, bool w, bool x, bool m_mode, char kind)
{
    const char *m = "", *su = "";
    switch (l << 3 | r << 2 | w << 1 | x) {
    case 0:
    case 8: break;
    case 1: su = "x"; break;
    case 2:
        m = "rw";
        su = "r";
        break;
    case 3:
        m = "rw";
        su = "rw";
        break;
    case 4: su = "r"; break;
    case 5: su = "rx"; break;
    case 6: su = "rw"; break;
    case 7: su = "rwx"; break;
    case 9: m = "x"; break;
    case 10:
        m = "x";
        su = "x";
        break;
    case 11:
        m = "rx";
        su = "x";
        break;
    case 12: m = "r"; break;
    case 13: m = "rx"; break;
    case 14: m = "rw"; break;
    default:
        m = "r";
        su = "r";
        break;
    }
    return strchr(m_mode ? m : su, kind);
}

static inline bool ora_pmp_byte(const struct oracle *o, int entry, uint8_t priv, char kind)
{
    uint64_t mseccfg = o->w->hart->s.csr.mseccfg;
    bool mml = ora_bit(mseccfg, 0), mmwp = ora_bit(mseccfg, 1), m_mode = priv == RV_M;
    if (entry < 0) {
        if (m_mode)
            return !mmwp && !(mml && kind == 'x');
        return o->w->cfg.pmp_count == 0;
    }
    uint64_t cfg = o->w->hart->s.csr.pmpcfg[entry / 8] >> (8 * (entry % 8));
    bool l = ora_bit(cfg, 7), r = ora_bit(cfg, 0), w = ora_bit(cfg, 1), x = ora_bit(cfg, 2);
    if (mml)
        return ora_mml(l, r, w, x, m_mode, kind);
    if (m_mode && !l)
        return true;
    return kind == 'r' ? r : kind == 'w' ? w && r : x;
}

static inline bool ora_pmp(const struct oracle *o, uint64_t pa, unsigned n, uint8_t priv, char kind)
{
    int lowest = -1;
    for (unsigned i = 0; i < n; i++) {
        int e = ora_pmp_entry(o, pa + i);
        if (e >= 0 && (lowest < 0 || e < lowest))
            lowest = e;
    }
    for (unsigned i = 0; lowest >= 0 && i < n; i++)
        if (!ora_pmp_matches(o, (unsigned)lowest, pa + i))
            return false;
    return ora_pmp_byte(o, lowest, priv, kind);
}

/* ---- page tables ---- */

static inline uint64_t ora_load(struct oracle *o, uint64_t pa, unsigned n, bool *fault)
{
    uint64_t v = 0;
    const uint8_t *p = world_shadow(o->w, pa, n);
    *fault = !p || pa >> o->w->cfg.pa_bits || !ora_pmp(o, pa, n, RV_S, 'r');
    if (*fault)
        return 0;
    o->read_at[o->reads++ % ARRAY_LEN(o->read_at)] = pa;
    memcpy(&v, p, n);
    return v;
}

static inline enum ora_fault ora_guest(struct oracle *o, uint64_t gpa, bool implicit, bool store)
{
    o->trap.tval2 = gpa >> 2;
    if (implicit)
        o->trap.tinst = (o->w->cfg.xlen == 32 ? 0x2000 : 0x3000) + (store ? 0x20 : 0);
    return ORA_GUEST;
}

struct ora_stage {
    char which;    /* 's' satp, 'v' vsatp, 'g' hgatp */
    bool implicit; /* 'g': for a VS-stage table entry */
    enum access type;
};

#define NO()                                                      \
    do {                                                          \
        if (no == ORA_GUEST)                                      \
            ora_guest(o, va, s.implicit, s.type == ACCESS_STORE); \
        return no;                                                \
    } while (0)

/* Steps 6, 7 and 8: may the access use a leaf with these bits? */
static inline enum ora_fault ora_permission(struct oracle *o, struct ora_stage s, uint64_t va, uint64_t pte, bool ss_page)
{
    const struct rv_csrs *r = &o->w->hart->s.csr;
    enum ora_fault no = s.which == 'g' ? ORA_GUEST : ORA_PAGE;
    bool R = ora_bit(pte, 1), W = ora_bit(pte, 2), X = ora_bit(pte, 3), u = ora_bit(pte, 4);
    /* 6 */
    bool user = s.which == 'g' || o->m.priv == RV_U;
    bool sum = ora_bit(s.which == 'v' ? r->vsstatus : r->mstatus, 18);
    if (user && !u)
        NO();
    if (!user && u && (s.type == ACCESS_FETCH || !sum))
        NO();
    /* 7 */
    bool mxr = ora_bit(r->mstatus, 19) || (s.which == 'v' && ora_bit(r->vsstatus, 19));
    bool explicit = !s.implicit;
    if (s.which != 'g') {
        if (ss_page && s.type == ACCESS_FETCH)
            return ORA_ACCESS;
        if (ss_page && ((s.type == ACCESS_STORE && !o->m.shadow_stack) || o->m.cbo))
            return ORA_ACCESS;
        if (o->m.shadow_stack && !ss_page) {
            if (R && !W && !X)
                return ORA_PAGE;
            return ORA_ACCESS;
        }
    }
    /* 8 */
    if (s.type == ACCESS_FETCH && !X)
        NO();
    if (s.type == ACCESS_STORE && !(ss_page ? o->m.shadow_stack : R && W))
        NO();
    if (s.type == ACCESS_LOAD) {
        bool can = R || ss_page || (mxr && explicit && X);
        if (explicit && o->m.hlvx)
            can = X;
        if (!can)
            NO();
    }
    if (s.which == 'g' && explicit && o->m.shadow_stack && !(R && W))
        NO();
    return ORA_OK;
}

static inline enum ora_fault ora_walk(struct oracle *o, struct ora_stage s, uint64_t va, uint64_t *pa, unsigned *pbmt)
{
    const struct rv_csrs *r = &o->w->hart->s.csr;
    bool rv32 = o->w->cfg.xlen == 32;
    uint64_t atp = s.which == 's' ? r->satp : s.which == 'v' ? r->vsatp : r->hgatp;
    unsigned mode = (unsigned)(rv32 ? ora_bit(atp, 31) : atp >> 60);
    *pa = va;
    if (mode == 0)
        return ORA_OK;
    int levels = rv32 ? 2 : mode == 8 ? 3 : mode == 9 ? 4 : 5;
    unsigned vpn_bits = rv32 ? 10 : 9, ptesize = rv32 ? 4 : 8;
    unsigned va_bits = 12 + (unsigned)levels * vpn_bits;
    uint64_t vpn[5], ppn_full, a;
    for (int i = 0; i < levels; i++)
        vpn[i] = bits_get(va, 12 + vpn_bits * (unsigned)(i + 1) - 1, 12 + vpn_bits * (unsigned)i);

    if (s.which == 'g') {
        vpn[levels - 1] = va >> (va_bits - vpn_bits) & ((1u << (vpn_bits + 2)) - 1);
        if (va >> (va_bits + 2))
            return ora_guest(o, va, s.implicit, s.type == ACCESS_STORE);
    } else if (!rv32) {
        for (unsigned b = va_bits; b < 64; b++)
            if (ora_bit(va, b) != ora_bit(va, va_bits - 1))
                return ORA_PAGE;
    }
    uint64_t menv = r->menvcfg, env = s.which == 'v' ? r->henvcfg & r->menvcfg : menv;
    bool pbmte = ora_bit(env, 62), adue = ora_bit(env, 61), sse = s.which != 'g' && ora_bit(env, 3);
    enum ora_fault no = s.which == 'g' ? ORA_GUEST : ORA_PAGE;

    /* 1 */
    a = rv32 ? bits_get(atp, 21, 0) << 12 : bits_get(atp, 43, 0) << 12;
    if (s.which == 'g')
        a &= ~UINT64_C(0x3fff);
    int i = levels - 1;
step2:;
    uint64_t at = a + vpn[i] * ptesize, spa = at;
    bool fault;
    unsigned dummy;
    if (s.which == 'v') {
        enum ora_fault f = ora_walk(o, (struct ora_stage){'g', true, ACCESS_LOAD}, at, &spa, &dummy);
        if (f)
            return f;
    }
    uint64_t pte = ora_load(o, spa, ptesize, &fault);
    if (fault)
        return ORA_ACCESS;
    /* 3 */
    bool v = ora_bit(pte, 0), R = ora_bit(pte, 1), W = ora_bit(pte, 2), X = ora_bit(pte, 3), u = ora_bit(pte, 4),
         A = ora_bit(pte, 6), D = ora_bit(pte, 7);
    bool n = !rv32 && ora_bit(pte, 63);
    unsigned mt = rv32 ? 0 : (unsigned)bits_get(pte, 62, 61);
    bool ss_page = sse && !R && W && !X;
    ppn_full = rv32 ? bits_get(pte, 31, 10) : bits_get(pte, 53, 10);
    if (!v || (!R && W && !ss_page) || (!rv32 && bits_get(pte, 60, 54)))
        NO();
    if (n && !rv_has(&o->w->cfg, EXT_Svnapot))
        NO();
    if ((mt && !pbmte) || mt == 3)
        NO();
    /* 4 */
    if (!R && !X && !ss_page) {
        if (A || D || u || n || mt)
            NO();
        if (--i < 0)
            NO();
        a = ppn_full << 12;
        goto step2;
    }
    if (n && (i > 0 || (ppn_full & 15) != 8))
        NO();
    /* 5 */
    if (ppn_full & ((UINT64_C(1) << ((unsigned)i * vpn_bits)) - 1))
        NO();
    /* 6 to 8 */
    enum ora_fault denied = ora_permission(o, s, va, pte, ss_page);
    if (denied)
        return denied;
    /* 9 */
    if (!A || (s.type == ACCESS_STORE && !D)) {
        if (!adue)
            NO();
        if (s.which == 'v') {
            enum ora_fault f = ora_walk(o, (struct ora_stage){'g', true, ACCESS_STORE}, at, &spa, &dummy);
            if (f)
                return f;
        }
        bool bad;
        uint64_t now = ora_load(o, spa, ptesize, &bad);
        if (bad)
            return ORA_ACCESS;
        if (now != pte)
            goto step2;
        if (!ora_pmp(o, spa, ptesize, RV_S, 'w') || world_is_rom(spa))
            return ORA_ACCESS;
        pte |= 0x40 | (s.type == ACCESS_STORE ? 0x80 : 0);
        o->update_at[o->updates++ % ARRAY_LEN(o->update_at)] = spa;
        if (!o->dry)
            memcpy(world_shadow(o->w, spa, ptesize), &pte, ptesize);
    }
    /* 10 */
    uint64_t ppn = ppn_full;
    if (n)
        ppn = (ppn & ~UINT64_C(15)) | (va >> 12 & 15);
    for (int k = 0; k < i; k++)
        ppn |= vpn[k] << (vpn_bits * (unsigned)k);
    *pa = ppn << 12 | (va & 0xfff);
    *pbmt = mt;
    return ORA_OK;
}

#undef NO

/* zpm: what of a data address is used. */
static inline uint64_t ora_mask(const struct oracle *o, uint64_t va)
{
    const struct rv_csrs *r = &o->w->hart->s.csr;
    const struct access_mode *m = &o->m;
    unsigned pmm;
    if (o->w->cfg.xlen == 32)
        return va & 0xffffffff;
    bool mxr = ora_bit(r->mstatus, 19) || (m->v && ora_bit(r->vsstatus, 19));
    if (m->priv == RV_M)
        pmm = bits_get(r->mseccfg, 33, 32) & 3;
    else if (m->priv == RV_S && !m->v)
        pmm = bits_get(r->menvcfg, 33, 32) & 3;
    else if (m->priv == RV_S)
        pmm = bits_get(r->henvcfg, 33, 32) & 3;
    else if (m->hlv && o->w->hart->s.priv == RV_U)
        pmm = bits_get(r->hstatus, 49, 48) & 3;
    else
        pmm = bits_get(r->senvcfg, 33, 32) & 3;
    if (m->hlvx || (mxr && m->priv != RV_M))
        pmm = 0;
    unsigned pmlen = pmm == 2 ? 7 : pmm == 3 ? 16 : 0;
    bool physical = m->priv == RV_M || (m->v ? r->vsatp : r->satp) >> 60 == 0;
    for (unsigned b = 64 - pmlen; b < 64; b++)
        va = bits_set(va, b, b, physical ? 0 : ora_bit(va, 63 - pmlen));
    return va;
}

static inline void ora_translate(struct oracle *o, uint64_t va, unsigned size, enum access type, const struct access_mode *m)
{
    static const unsigned cause[4][3] = {[ORA_PAGE] = {12, 13, 15}, [ORA_ACCESS] = {1, 5, 7}, [ORA_GUEST] = {20, 21, 23}};
    const struct rv_csrs *r = &o->w->hart->s.csr;
    bool rv32 = o->w->cfg.xlen == 32;
    o->m = *m;
    o->type = type;
    o->trap = (struct trap){0};
    o->reads = o->updates = o->pbmt = 0;
    o->tval = type == ACCESS_FETCH ? (rv32 ? va & 0xffffffff : va) : ora_mask(o, va);
    uint64_t first = m->v ? r->vsatp : r->satp, gpa = o->tval;
    enum ora_fault f = ORA_OK;
    unsigned mt1 = 0, mt2 = 0;
    if (m->shadow_stack && (m->priv == RV_M || (rv32 ? first >> 31 : first >> 60) == 0))
        f = ORA_ACCESS;
    if (!f && m->priv != RV_M)
        f = ora_walk(o, (struct ora_stage){m->v ? 'v' : 's', false, type}, o->tval, &gpa, &mt1);
    o->pa = gpa;
    if (!f && m->priv != RV_M && m->v)
        f = ora_walk(o, (struct ora_stage){'g', false, type}, gpa, &o->pa, &mt2);
    o->pbmt = mt1 ? mt1 : mt2;
    if (!f && o->pa >> o->w->cfg.pa_bits)
        f = ORA_ACCESS;
    if (!f && type == ACCESS_FETCH && !ora_pmp(o, o->pa, size, m->priv, 'x'))
        f = ORA_ACCESS;
    if (!f && (type == ACCESS_LOAD || m->shadow_stack) && !ora_pmp(o, o->pa, size, m->priv, 'r'))
        f = ORA_ACCESS;
    if (!f && (type == ACCESS_STORE || m->shadow_stack) && !ora_pmp(o, o->pa, size, m->priv, 'w'))
        f = ORA_ACCESS;
    if (!f && m->hlvx && !ora_pmp(o, o->pa, size, m->priv, 'x'))
        f = ORA_ACCESS;
    if (!f && m->shadow_stack && (o->pbmt == 2 || !world_shadow(o->w, o->pa, 1)))
        f = ORA_ACCESS;
    o->ok = !f;
    if (f) {
        if (f != ORA_GUEST)
            o->trap = (struct trap){0};
        o->trap.cause = cause[f][m->shadow_stack || m->cbo ? 2 : type];
        o->trap.tval = o->tval;
        o->trap.gva = m->v;
    }
}
#endif
