#include "debug/riscv/view.h"
#include "cpu/riscv/hart.h"
#include "cpu/riscv/status.h"
#include "machine/machine.h"

#include <string.h>

static const char *const names[VIEW_COUNT] = {
    "zero", "ra",  "sp",  "gp",  "tp",  "t0",  "t1",  "t2",  "s0",  "s1",  "a0",   "a1",   "a2",  "a3",  "a4",   "a5",
    "a6",   "a7",  "s2",  "s3",  "s4",  "s5",  "s6",  "s7",  "s8",  "s9",  "s10",  "s11",  "t3",  "t4",  "t5",   "t6",
    "ft0",  "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6",  "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
#define VIEW(name, how) #name,
#include "debug/riscv/view.def"
    "pc",   "P",   "V",   "ELP",
};

static struct hart *hart_of(struct machine *m, unsigned i) { return (struct hart *)(void *)machine_hart(m, i); }

void view_take(struct rv_view *v, struct machine *m, unsigned hart)
{
    const struct hart *h = hart_of(m, hart);
    const struct rv_csrs *r = &h->s.csr;
    struct csr_ctx c = h->csr;
    c.priv = RV_M;
    c.v = 0;
    for (unsigned i = 0; i < 32; i++)
        v->x[i] = h->cfg->xlen == 32 ? (uint32_t)h->s.x[i] : h->s.x[i];
    memcpy(v->f, h->s.f, sizeof v->f);
#define VIEW_HOW_OWN(name)  r->name
#define VIEW_HOW_READ(name) csr_read(&c, CSR_##name)
#define VIEW(name, how)     v->csr[VIEW_##name] = VIEW_HOW_##how(name);
    enum { CSR_fcsr = 0x003, CSR_sstatus = 0x100, CSR_sie = 0x104, CSR_hie = 0x604, CSR_vsstatus = 0x200, CSR_vsie = 0x204 };
#include "debug/riscv/view.def"
    v->pc = h->s.pc;
    v->priv = h->s.priv;
    v->v = h->s.v;
    v->elp = h->s.elp;
    memset(v->pad, 0, sizeof v->pad);
}

void view_take_trapped(struct rv_view *v, struct machine *m, unsigned hart, bool rnmi)
{
    const struct rv_csrs *r = &hart_of(m, hart)->s.csr;
    view_take(v, m, hart);
    if (rnmi) {
        v->pc = r->mnepc;
        v->priv = (uint8_t)bits_get(r->mnstatus, MNPP_SHIFT + 1, MNPP_SHIFT);
        v->v = (r->mnstatus & MNSTATUS_MNPV) != 0;
        v->elp = (r->mnstatus & MNSTATUS_MNPELP) != 0;
    } else {
        v->pc = r->mepc;
        v->priv = (uint8_t)bits_get(r->mstatus, MPP_SHIFT + 1, MPP_SHIFT);
        v->v = (r->mstatus & MSTATUS_MPV) != 0;
        v->elp = (r->mstatus & MSTATUS_MPELP) != 0;
    }
}

bool view_features(struct rv_features *f, struct machine *m, unsigned hart)
{
    if (m->arch != &riscv_arch)
        return false;
    const struct hart *h = hart_of(m, hart);
    const struct rv_csrs *r = &h->s.csr;
    *f = (struct rv_features){
        .xlen = (uint8_t)h->cfg->xlen,
        .h = rv_has(h->cfg, EXT_H),
        .zicfilp = rv_has(h->cfg, EXT_Zicfilp),
        .ssdbltrp = rv_has(h->cfg, EXT_Ssdbltrp),
        .lpe = (r->menvcfg & ENVCFG_LPE) != 0,
        .dte = (r->menvcfg & ENVCFG_DTE) != 0,
        .lpe_u = (r->senvcfg & ENVCFG_LPE) != 0,
        .lpe_vs = (r->henvcfg & ENVCFG_LPE) != 0,
        .zca = rv_has(h->cfg, EXT_Zca),
    };
    return true;
}

bool view_set_elp(struct machine *m, unsigned hart, bool elp)
{
    struct hart *h = hart_of(m, hart);
    bool was = h->s.elp;
    h->s.elp = elp;
    return was;
}

static bool is_device(const struct machine *m, uint64_t pa)
{
    for (unsigned i = 0; i < m->setup->devices; i++) {
        const struct device_spec *d = &m->setup->device[i];
        if (pa >= d->base && pa - d->base < d->ops->mmio_size)
            return true;
    }
    return false;
}

enum view_access view_accessible(struct machine *m, unsigned hart, uint64_t pa, uint64_t n, bool write)
{
    enum view_access all = VIEW_GRANTED;
    for (uint64_t at = 0; at < n; at += 8) {
        uint64_t here = pa + at, k = n - at < 8 ? n - at : 8;
        if (here < pa || !pmp_check(hart_of(m, hart), here, k, write ? ACCESS_STORE : ACCESS_LOAD, RV_S, NULL))
            return VIEW_REFUSED;
        if (!mem_is_ram(m->mem, here, k)) {
            if (!is_device(m, here))
                return VIEW_REFUSED;
            all = VIEW_UNUSUAL;
        } else if (here < m->setup->board->ram_base) { /* the boot ROM */
            all = VIEW_UNUSUAL;
        }
    }
    return all;
}

const char *view_name(uint32_t i) { return names[i]; }

uint64_t view_value(const struct rv_view *v, uint32_t i)
{
    if (i < VIEW_F)
        return v->x[i];
    if (i < VIEW_CSR)
        return v->f[i - VIEW_F];
    if (i < VIEW_PC)
        return v->csr[i - VIEW_CSR];
    return i == VIEW_PC ? v->pc : i == VIEW_PRIV ? v->priv : i == VIEW_V ? v->v : v->elp;
}

uint32_t view_differs(const struct rv_view *a, const struct rv_view *b, uint32_t i)
{
    if (!i && !memcmp(a, b, sizeof *a))
        return UINT32_MAX;
    for (; i < VIEW_COUNT; i++)
        if (view_value(a, i) != view_value(b, i))
            return i;
    return UINT32_MAX;
}
