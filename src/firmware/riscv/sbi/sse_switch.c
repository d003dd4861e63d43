/*
 * Supervisor software events: the two changes of context, step by step as SBI v3.0 SSE lists them under "Software Event Injection"
 * and "Software Event Completion". What the variants do differently is here, and named in variant.h.
 *
 * The interrupted context is h->frame, with the mstatus of the trap: MPP and MPV are the interrupted privilege and V, MPELP the
 * interrupted landing-pad state, and SIE, SPIE, SPP, SPELP and SDT are those of sstatus. The MRET that ends the trap makes the new
 * context real.
 */
#include "fw.h"

/* INTERRUPTED_FLAGS. */
enum { FLAG_SPP = 1 << 0, FLAG_SPIE = 1 << 1, FLAG_SPV = 1 << 2, FLAG_SPVP = 1 << 3, FLAG_SPELP = 1 << 4, FLAG_SDT = 1 << 5 };
_Static_assert(MSTATUS_SPP >> 8 == FLAG_SPP && MSTATUS_SPIE >> 4 == FLAG_SPIE, "flags_of");
_Static_assert(HSTATUS_SPV >> 5 == FLAG_SPV && HSTATUS_SPVP >> 5 == FLAG_SPVP, "flags_of");
_Static_assert(MSTATUS_SPELP >> 19 == FLAG_SPELP && MSTATUS_SDT >> 19 == FLAG_SDT, "flags_of");

/* SPELP and SDT read as zero where supervisor mode does not have them, and hstatus is passed as zero without H. */
static ulong flags_of(ulong status, ulong hstatus)
{
    return (status >> 8 & FLAG_SPP) | (status >> 4 & FLAG_SPIE) | (hstatus >> 5 & (FLAG_SPV | FLAG_SPVP)) |
           (status >> 19 & (FLAG_SPELP | FLAG_SDT));
}

/* hstatus as the handler sees it. */
static ulong hstatus_for_handler(ulong hstatus, bool v, bool s)
{
    if (v)
        hstatus |= HSTATUS_SPV;
    else if (!V_STICKY_SPV)
        hstatus &= ~HSTATUS_SPV;
    if (V_SPVP_CLEARED ? true : v)
        hstatus &= ~HSTATUS_SPVP;
    if ((hstatus & HSTATUS_SPV) && (V_SPVP_CLEARED || v) && s)
        hstatus |= HSTATUS_SPVP;
    return hstatus;
}

/* Sets the bits of `where` in *word to what `to` says. */
static inline void put(ulong *word, ulong where, bool to) { *word = to ? *word | where : *word & ~where; }

void __attribute__((noinline)) sse_inject(struct hart *h, struct sse_event *e)
{
    struct frame *f = &h->frame;
    ulong status[2] = {f->status[LOW], f->status[HIGH]}, hstatus = h->has.h ? csr_read(CSR_HSTATUS) : 0;
    bool v = status[HIGH] & HIGH_MPV, s = status[LOW] & MSTATUS_MPP;

    e->hart = (u32)h->id;
    e->below = h->sse_running;
    h->sse_running = e;
    if (V_STATUS_JUNK)
        e->junk = ~15ul;

    e->attr[ATTR_INTERRUPTED_FLAGS] = flags_of(status[LOW], hstatus);
    e->attr[ATTR_INTERRUPTED_SEPC] = csr_read(sepc);
    e->attr[ATTR_INTERRUPTED_A6] = f->x[X_A6];
    e->attr[ATTR_INTERRUPTED_A7] = f->x[X_A7];
    if (V_HSTATUS_PRIVATE || V_SSTATUS_PRIVATE) {
        e->private_hstatus = hstatus;
        e->private_status[LOW] = status[LOW];
        e->private_status[HIGH] = status[HIGH];
    }

    f->x[X_A6] = h->id;
    f->x[X_A7] = e->attr[ATTR_ENTRY_ARG];
    csr_write(sepc, f->pc);
    put(&status[LOW], MSTATUS_SPP, s);
    put(&status[LOW], MSTATUS_SPIE, status[LOW] & MSTATUS_SIE);
    put(&status[LOW], MSTATUS_SIE, false);
    put(&status[LOW], MSTATUS_SPELP, !V_LANDING_PAD_LOST && (status[HIGH] & HIGH_MPELP));
    if (!V_LANDING_PAD_LOST)
        put(&status[HIGH], HIGH_MPELP, false);
    if (h->has.h) {
        hstatus = hstatus_for_handler(hstatus, v, s);
        csr_write(CSR_HSTATUS, hstatus);
    }
    if (V_FLAGS_LATE) {
        const ulong early = FLAG_SPELP | FLAG_SDT;
        e->attr[ATTR_INTERRUPTED_FLAGS] = (e->attr[ATTR_INTERRUPTED_FLAGS] & early) | (flags_of(status[LOW], hstatus) & ~early);
    }
    put(&status[LOW], MSTATUS_SDT, true); /* read-only zero where menvcfg.DTE is 0 */
    put(&status[HIGH], HIGH_MPV, false);
    put(&status[LOW], MSTATUS_MPP, false);
    put(&status[LOW], MSTATUS_MPP_S, true);
    f->pc = e->attr[ATTR_ENTRY_PC];
    f->status[LOW] = status[LOW];
    f->status[HIGH] = status[HIGH];
}

/* The part of completion that is about virtualization; status[] is changed. */
static inline void complete_virtualization(const struct sse_event *e, ulong status[2])
{
    ulong hstatus = csr_read(CSR_HSTATUS);
    bool v = hstatus & HSTATUS_SPV;
    put(&hstatus, HSTATUS_SPV, e->attr[ATTR_INTERRUPTED_FLAGS] & FLAG_SPV);
    put(&hstatus, HSTATUS_SPVP, e->attr[ATTR_INTERRUPTED_FLAGS] & FLAG_SPVP);
    if (V_HSTATUS_PRIVATE) {
        hstatus = e->private_hstatus;
        v = e->private_status[HIGH] & HIGH_MPV;
    }
    put(&status[HIGH], HIGH_MPV, v);
    csr_write(CSR_HSTATUS, hstatus);
}

void __attribute__((noinline)) sse_complete(struct hart *h, struct sse_event *e)
{
    struct frame *f = &h->frame;
    ulong status[2] = {f->status[LOW], f->status[HIGH]}, flags = e->attr[ATTR_INTERRUPTED_FLAGS];

    h->sse_running = e->below;
    sse_set_state(h, e, e->attr[ATTR_CONFIG] & CONFIG_ONE_SHOT ? SSE_REGISTERED : SSE_ENABLED);

    f->pc = csr_read(sepc);
    put(&status[LOW], MSTATUS_MPP, false);
    put(&status[LOW], MSTATUS_MPP_S, status[LOW] & MSTATUS_SPP);
    /* The specification restores SPELP and does not say what becomes of the landing-pad state: it comes from SPELP, as at an
       SRET, for injection has put it there. */
    if (!V_LANDING_PAD_LOST)
        put(&status[HIGH], HIGH_MPELP, status[LOW] & MSTATUS_SPELP);
    if (h->has.h)
        complete_virtualization(e, status);
    put(&status[LOW], MSTATUS_SIE, status[LOW] & MSTATUS_SPIE);
    put(&status[LOW], MSTATUS_SPIE, flags & FLAG_SPIE);
    put(&status[LOW], MSTATUS_SPP, flags & FLAG_SPP);
    put(&status[LOW], MSTATUS_SPELP, flags & FLAG_SPELP);
    put(&status[LOW], MSTATUS_SDT, flags & FLAG_SDT);
    if (V_SSTATUS_PRIVATE) {
        const ulong kept = MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_MPP;
        status[LOW] = (status[LOW] & ~kept) | (e->private_status[LOW] & kept);
    }
    f->status[LOW] = status[LOW]; /* one write of mstatus: the SIE in it is judged by the SDT in it */
    f->status[HIGH] = status[HIGH];
    f->x[X_A6] = e->attr[ATTR_INTERRUPTED_A6];
    f->x[X_A7] = e->attr[ATTR_INTERRUPTED_A7];
    csr_write(sepc, e->attr[ATTR_INTERRUPTED_SEPC]);
}
