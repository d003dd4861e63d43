/* A hart's life: reset, the caches derived from its state, and the loop around the handlers. */
#include "cpu/riscv/hart.h"

#include "cpu/fp/fp.h"
#include "cpu/insns.h"
#include "cpu/riscv/access.h"
#include "cpu/riscv/exec.h"
#include "cpu/riscv/status.h"
#include "cpu/riscv/tinst.h"

#include <string.h>

static const struct rv_exec *exec_of(const struct hart *h) { return h->cfg->xlen == 64 ? &rv_exec_64 : &rv_exec_32; }

/* A store (by a hart, or by NULL from outside) hit a page in which some hart holds a reservation: those of others that overlap
 * are lost. */
static void reservation_store(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n)
{
    bool held = false;
    for (unsigned i = 0; i < e->cpus; i++) {
        struct hart *h = (struct hart *)e->cpu[i];
        uint64_t set = h->s.res_pa & ~(uint64_t)(RESERVATION_BYTES - 1);
        if (!h->s.res_valid)
            continue;
        if (e->cpu[i] != by && pa < set + RESERVATION_BYTES && set < pa + n)
            h->s.res_valid = 0;
        else
            held |= (set ^ pa) < MEM_PAGE_SIZE;
    }
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (flags && !held)
        *flags &= (uint8_t)~MEM_WATCH;
}

static void attach(struct hart *h, struct engine *e, const struct rv_config *cfg, const struct csr_map *map,
                   const struct rv_decoder *dec, uint64_t hartid)
{
    memset(h, 0, sizeof *h);
    h->cfg = cfg;
    h->map = map;
    h->plain_csr = csr_plain_table(map);
    h->decoder = dec;
    h->s.hartid = hartid;
    e->fresh = (struct uop){.fn = exec_of(h)->decode_slot, .aux = 1};
    e->end = (struct uop){.fn = exec_of(h)->page_end, .aux = 1};
    e->pte_size = cfg->xlen == 64 ? 8 : 4;
    e->watch = reservation_store;
    engine_add_cpu(e, &h->cpu);
}

void hart_init(struct hart *h, struct engine *e, const struct rv_config *cfg, const struct csr_map *map,
               const struct rv_decoder *dec, uint64_t hartid)
{
    attach(h, e, cfg, map, dec, hartid);
    hart_reset(h);
}

void hart_init_copy(struct hart *h, struct engine *e, const struct hart *from)
{
    attach(h, e, from->cfg, from->map, from->decoder, from->s.hartid);
    h->s = from->s;
    hart_refresh(h);
}

void hart_reset(struct hart *h)
{
    struct rv_state clean = {.hartid = h->s.hartid,
                             .seed = h->s.seed,
                             .lines = h->s.lines,
                             .pulse = h->s.pulse,
                             .hgeip = h->s.hgeip,
                             .cycle = h->s.cycle,
                             .time_offset = h->s.time_offset};
    h->s = clean;
    h->s.priv = RV_M;
    h->s.pc = h->cfg->reset_pc;
    csr_reset(h->map, h->cfg, &h->s.csr, h->s.hartid);
    hart_refresh(h);
}

void hart_refresh(struct hart *h)
{
    h->csr = (struct csr_ctx){
        .r = &h->s.csr, .cfg = h->cfg, .map = h->map, .live = &hart_csr_live, .hart = h, .priv = h->s.priv, .v = h->s.v};
    h->xlen = (uint8_t)h->cfg->xlen;
    h->ialign16 = rv_has(h->cfg, EXT_Zca);
    memset(h->mode_ctx, 0, sizeof h->mode_ctx);
    pmp_refresh(h);
    counters_refresh(h);
    hart_deadline(h);
    hart_fp_mode(h);
    hart_mode_changed(h);
}

#define SAME(a, b, member) (!memcmp(&(a)->csr.member, &(b)->csr.member, sizeof(a)->csr.member))

void hart_rewind(struct hart *h, const struct rv_state *s)
{
    bool same_pmp = SAME(&h->s, s, pmpcfg) && SAME(&h->s, s, pmpaddr) && SAME(&h->s, s, mseccfg);
    bool same_count =
        SAME(&h->s, s, mhpmevent) && SAME(&h->s, s, mcountinhibit) && SAME(&h->s, s, mcyclecfg) && SAME(&h->s, s, minstretcfg);
    h->s = *s;
    h->csr.priv = s->priv;
    h->csr.v = s->v;
    if (!same_pmp) {
        pmp_refresh(h);
        engine_flush(h->cpu.engine);
    }
    if (same_count)
        counters_restart(h);
    else
        counters_refresh(h);
    hart_deadline(h);
    hart_fp_mode(h);
    memset(h->mode_ctx, 0, sizeof h->mode_ctx);
    hart_mode_changed(h);
}

/* ---- floating point
 * --------------------------------------------------------------------------------------------------------------- */

void hart_fp_mode(struct hart *h)
{
    h->frm = (uint8_t)(h->s.csr.frm & 7);
    h->fp_host = h->frm <= FP_RUP ? 2 : 1;
    if (h->fp_ready)
        h->fp_ready = h->fp_host;
}

bool hart_fp_on(const struct hart *h) { return (h->s.csr.mstatus & MSTATUS_FS) && (!h->s.v || (h->s.csr.vsstatus & MSTATUS_FS)); }

bool hart_fp_use(struct hart *h)
{
    if (!hart_fp_on(h))
        return false;
    h->s.csr.mstatus |= MSTATUS_FS;
    if (h->s.v)
        h->s.csr.vsstatus |= MSTATUS_FS;
    h->fp_ready = h->fp_host;
    return true;
}

/* ---- what CSR writes cause
 * -------------------------------------------------------------------------------------------------------- */

bool hart_irq_look(struct hart *h) { return (hart_mip(h) & h->s.csr.mie) || h->s.nmi_pending || h->cpu.resync; }

bool hart_effects(struct hart *h, uint32_t fx)
{
    if (fx & CSR_FX_COUNT)
        counters_sync(h);
    if (fx & (CSR_FX_TIMER | CSR_FX_COUNT))
        hart_deadline(h);
    if (fx & CSR_FX_FP) {
        hart_fp_mode(h);
        if (h->executing)
            fp_rm_set(h->frm);
    }
    if (fx & CSR_FX_FLUSH) {
        pmp_refresh(h);
        engine_flush(h->cpu.engine);
    }
    if (fx & (CSR_FX_TLB | CSR_FX_FLUSH))
        memset(h->mode_ctx, 0, sizeof h->mode_ctx);
    if (fx & (CSR_FX_TLB | CSR_FX_FLUSH | CSR_FX_FP | CSR_FX_FETCH))
        hart_mode_changed(h);
    if (h->deadline <= h->cpu.limit)
        return true; /* the run loop computes its limit anew */
    return h->cpu.resync || ((fx & (CSR_FX_IRQ | CSR_FX_TIMER)) && hart_irq_look(h));
}

enum csr_result hart_envcfg_gate(const struct hart *h, uint64_t field)
{
    const struct rv_csrs *r = &h->s.csr;
    if (h->s.priv == RV_M)
        return CSR_OK;
    if (!(r->menvcfg & field))
        return CSR_ILLEGAL;
    if (h->s.v && !(r->henvcfg & field))
        return CSR_VIRTUAL;
    if (h->s.priv == RV_U && rv_has(h->cfg, EXT_S) && !(r->senvcfg & field))
        return h->s.v ? CSR_VIRTUAL : CSR_ILLEGAL;
    return CSR_OK;
}

bool hart_shadow_stack_on(const struct hart *h)
{
    return h->s.priv != RV_M && hart_envcfg_gate(h, UINT64_C(1) << 3) == CSR_OK && rv_has(h->cfg, EXT_S);
}

void hart_transform(struct hart *h)
{
    const uint64_t explicit = UINT64_C(1) << EXC_LOAD_MISALIGNED | UINT64_C(1) << EXC_LOAD_ACCESS |
                              UINT64_C(1) << EXC_STORE_MISALIGNED | UINT64_C(1) << EXC_STORE_ACCESS |
                              UINT64_C(1) << EXC_LOAD_PAGE | UINT64_C(1) << EXC_STORE_PAGE | UINT64_C(1) << EXC_LOAD_GUEST_PAGE |
                              UINT64_C(1) << EXC_STORE_GUEST_PAGE;
    struct trap t = h->trap; /* the fetch below may overwrite it */
    uint32_t insn;
    if (rv_has(h->cfg, EXT_H) && t.tinst == 0 && (explicit >> t.cause & 1) && hart_fetch(h, h->s.pc, &insn))
        t.tinst = tinst_transform(insn, h->xlen, (unsigned)(t.tval - h->access_va) & 31);
    h->trap = t;
}

void hart_line(struct hart *h, unsigned irq, bool level)
{
    uint64_t bit = UINT64_C(1) << irq;
    h->s.pulse &= ~bit;
    if (irq == IRQ_SSI) /* setssip is an edge: software alone clears the bit (ACLINT 4) */
        h->s.csr.mip |= level ? bit : 0;
    else
        h->s.lines = level ? h->s.lines | bit : h->s.lines & ~bit;
    h->cpu.resync = true;
}

/* ---- the run loop
 * -------------------------------------------------------------------------------------------------------------------- */

/* Runs guest code from s.pc until the cycle `limit`, or until a handler has something for the loop. */
static void run_handlers(struct hart *h, uint64_t limit)
{
    struct cpu *c = &h->cpu;
    c->limit = limit - 1;
    c->resync = false;
    fp_host_enter(h->frm, h->s.fflags);
    h->executing = 1;
    if (unlikely(c->engine->insns))
        insn_begin(c);
    exec_of(h)->enter(h, (int64_t)(c->limit - h->s.cycle));
#ifdef TL_ENGINE_PLAIN
    while (c->next)
        c->next->fn(c, c->next, c->left);
#endif
    if (unlikely(c->engine->insns))
        insn_finish(c);
    h->executing = 0;
    h->s.fflags = (uint8_t)fp_host_leave();
    h->s.cycle = cpu_now(c, c->left);
}

/* How long one stretch without a look may be: it keeps `left` positive and small. */
#define STRETCH_MAX (UINT64_C(1) << 40)

/* Makes the stores of h be seen that break the reservations others hold. What says so is their state alone: page flags are a
   cache, and a fork begins without. */
static void watch_others(struct hart *h)
{
    struct engine *e = h->cpu.engine;
    for (unsigned i = 0; i < e->cpus; i++) {
        struct hart *other = (struct hart *)e->cpu[i];
        if (other != h && other->s.res_valid)
            hart_watch_reservation(other);
    }
}

enum cpu_stop hart_run(struct hart *h, uint64_t until)
{
    struct trap t;
    enum cpu_stop stop;
    struct engine *e = h->cpu.engine;
    engine_sweep(e);
    watch_others(h);
    e->running = &h->cpu;
    hart_mode_changed(h); /* the contexts may have been dropped */
    h->cpu.stop = CPU_STOP_RESYNC;
    bool asked = false;
    for (;;) {
        if (h->s.cycle >= h->deadline)
            hart_deadline(h);
        stop = CPU_STOP_HALT;
        if (h->s.halted)
            break;
        stop = CPU_STOP_WAIT;
        if (h->s.waiting && !interrupt_wakes(h))
            break;
        h->s.waiting = 0;
        stop = CPU_STOP_LIMIT;
        if (h->s.cycle >= until)
            break;
        stop = h->cpu.stop;
        if (asked)
            break;
        if (interrupt_pending(h, &t)) {
            h->cpu.resync = false;
            hart_taken(h, &t);
            cpu_took(&h->cpu, h->s.cycle);
            take_trap(h, &t);
            if (h->s.halted)
                continue;
            if (h->cpu.resync) /* cpu_env.trapped wants to stop here */
                break;
        }
        uint64_t limit = until < h->deadline ? until : h->deadline;
        run_handlers(h, limit < h->s.cycle + STRETCH_MAX ? limit : h->s.cycle + STRETCH_MAX);
        asked = h->cpu.resync || h->cpu.stop == CPU_STOP_DEBUG;
    }
    e->running = NULL;
    return stop;
}
