/*
 * Supervisor software events: the two changes of context, step by step as SBI v3.0 SSE lists them under "Software Event
 * Injection" and "Software Event Completion". What the variants do differently is here, and named in variant.h.
 *
 * The interrupted context is h->frame, with the mstatus of the trap: MPP and MPV are the interrupted privilege and V, MPELP the
 * interrupted landing-pad state, and SIE, SPIE, SPP, SPELP and SDT are those of sstatus. The MRET that ends the trap makes the
 * new context real.
 */
#include "fw.h"

/* INTERRUPTED_FLAGS. */
enum { FLAG_SPP = 1 << 0, FLAG_SPIE = 1 << 1, FLAG_SPV = 1 << 2, FLAG_SPVP = 1 << 3, FLAG_SPELP = 1 << 4, FLAG_SDT = 1 << 5 };
_Static_assert(MSTATUS_SPP >> 8 == FLAG_SPP && MSTATUS_SPIE >> 4 == FLAG_SPIE, "flags_of");
_Static_assert(HSTATUS_SPV >> 5 == FLAG_SPV && HSTATUS_SPVP >> 5 == FLAG_SPVP, "flags_of");
_Static_assert(MSTATUS_SPELP >> 19 == FLAG_SPELP && MSTATUS_SDT >> 19 == FLAG_SDT, "flags_of");

/* SPELP and SDT read as zero where supervisor mode does not have them, and hstatus is passed as zero without H. */
static inline ulong flags_of(ulong status, ulong hstatus)
{
    return (status >> 8 & FLAG_SPP) | (status >> 4 & FLAG_SPIE) | (hstatus >> 5 & (FLAG_SPV | FLAG_SPVP)) |
           (status >> 19 & (FLAG_SPELP | FLAG_SDT));
}

/* The fields of sstatus and of hstatus that the flags are, and what flags make of them. */
#define STATUS_FLAGS  (MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SPELP | MSTATUS_SDT)
#define HSTATUS_FLAGS (HSTATUS_SPV | HSTATUS_SPVP)
static inline ulong status_of(ulong flags)
{
    return (flags & FLAG_SPP) << 8 | (flags & FLAG_SPIE) << 4 | (flags & (FLAG_SPELP | FLAG_SDT)) << 19;
}
static inline ulong hstatus_of(ulong flags) { return (flags & (FLAG_SPV | FLAG_SPVP)) << 5; }

/* The bit `from` of word, as the bit `to`. */
static inline ulong moved(ulong word, ulong from, ulong to) { return word & from ? to : 0; }

/* hstatus as the handler sees it. */
static inline ulong hstatus_for_handler(ulong hstatus, bool v, bool s)
{
    if (v)
        hstatus |= HSTATUS_SPV;
    else if (!V_STICKY_SPV)
        hstatus &= ~HSTATUS_SPV;
    bool spvp_is_p = V_SPVP_CLEARED ? hstatus & HSTATUS_SPV : v;
    if (V_SPVP_CLEARED || v)
        hstatus &= ~HSTATUS_SPVP;
    return hstatus | (spvp_is_p && s ? HSTATUS_SPVP : 0);
}

static inline void keep_privately(struct sse_event *e, const struct frame *f, ulong hstatus)
{
    if (!V_HSTATUS_PRIVATE && !V_SSTATUS_PRIVATE)
        return;
    e->private_hstatus = hstatus;
    e->private_status[LOW] = f->status[LOW];
    e->private_status[HIGH] = f->status[HIGH];
}

void __attribute__((noinline)) sse_inject(struct hart *h, struct sse_event *e)
{
    struct frame *f = &h->frame;
    ulong low = f->status[LOW], high = f->status[HIGH], hstatus = h->has.h ? csr_read(CSR_HSTATUS) : 0;

    e->hart = (u32)h->id;
    e->below = h->sse_running;
    h->sse_running = e;
    if (V_STATUS_JUNK)
        e->junk = ~15ul;

    ulong flags = flags_of(low, hstatus);
    e->attr[ATTR_INTERRUPTED_SEPC] = csr_read(sepc);
    e->attr[ATTR_INTERRUPTED_A6] = f->x[X_A6];
    e->attr[ATTR_INTERRUPTED_A7] = f->x[X_A7];
    keep_privately(e, f, hstatus);

    f->x[X_A6] = h->id;
    f->x[X_A7] = e->attr[ATTR_ENTRY_ARG];
    csr_write(sepc, f->pc);
    low = (low & ~(STATUS_FLAGS | MSTATUS_SIE | MSTATUS_MPP)) | moved(low, MSTATUS_MPP_S, MSTATUS_SPP) |
          moved(low, MSTATUS_SIE, MSTATUS_SPIE) | (V_LANDING_PAD_LOST ? 0 : moved(high, HIGH_MPELP, MSTATUS_SPELP));
    if (h->has.h) {
        hstatus = hstatus_for_handler(hstatus, high & HIGH_MPV, f->status[LOW] & MSTATUS_MPP);
        csr_write(CSR_HSTATUS, hstatus);
    }
    if (V_FLAGS_LATE) {
        const ulong early = FLAG_SPELP | FLAG_SDT;
        flags = (flags & early) | (flags_of(low, hstatus) & ~early);
    }
    e->attr[ATTR_INTERRUPTED_FLAGS] = flags;
    /* The mode that MRET enters: S, V = 0, no landing pad expected. SDT is read-only zero where menvcfg.DTE is 0. */
    f->status[LOW] = low | MSTATUS_MPP_S | MSTATUS_SDT;
    f->status[HIGH] &= ~(HIGH_MPV | (V_LANDING_PAD_LOST ? 0 : HIGH_MPELP));
    f->pc = e->attr[ATTR_ENTRY_PC];
}

/* Of FLAGS those whose fields sstatus has: attributes can say more. The register would drop the others at its write; but the
   context that completion makes may be interrupted by the next event before it gets there. */
static inline ulong flags_there(const struct hart *h, ulong flags)
{
    if (!h->has.zicfilp)
        flags &= ~(ulong)FLAG_SPELP;
    if ((flags & FLAG_SDT) && !(h->has.ssdbltrp && (menvcfg_read() & ENVCFG_DTE)))
        flags &= ~(ulong)FLAG_SDT;
    return flags;
}

/* The part of completion that is about virtualization: writes hstatus, and returns HIGH_MPV if V becomes 1. */
static inline ulong complete_virtualization(const struct sse_event *e, ulong flags)
{
    ulong hstatus = csr_read(CSR_HSTATUS);
    ulong v = moved(hstatus, HSTATUS_SPV, HIGH_MPV);
    hstatus = (hstatus & ~HSTATUS_FLAGS) | hstatus_of(flags);
    if (V_HSTATUS_PRIVATE) {
        hstatus = e->private_hstatus;
        v = e->private_status[HIGH] & HIGH_MPV;
    }
    csr_write(CSR_HSTATUS, hstatus);
    return v;
}

void __attribute__((noinline)) sse_complete(struct hart *h, struct sse_event *e)
{
    struct frame *f = &h->frame;
    ulong low = f->status[LOW], flags = flags_there(h, e->attr[ATTR_INTERRUPTED_FLAGS]), high = 0;

    f->pc = csr_read(sepc);
    /* The specification restores SPELP and does not say what becomes of the landing-pad state: it comes from SPELP, as at an
       SRET, for injection has put it there. */
    if (!V_LANDING_PAD_LOST)
        high |= moved(low, MSTATUS_SPELP, HIGH_MPELP);
    if (h->has.h)
        high |= complete_virtualization(e, flags);
    low = (low & ~(STATUS_FLAGS | MSTATUS_SIE | MSTATUS_MPP)) | moved(low, MSTATUS_SPP, MSTATUS_MPP_S) |
          moved(low, MSTATUS_SPIE, MSTATUS_SIE) | status_of(flags);
    if (V_SSTATUS_PRIVATE) {
        const ulong kept = MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_MPP;
        low = (low & ~kept) | (e->private_status[LOW] & kept);
    }
    f->status[LOW] = low; /* mstatus is written once: the SIE in it is judged by the SDT in it */
    f->status[HIGH] = (f->status[HIGH] & ~(HIGH_MPV | HIGH_MPELP)) | high;
    f->x[X_A6] = e->attr[ATTR_INTERRUPTED_A6];
    f->x[X_A7] = e->attr[ATTR_INTERRUPTED_A7];
    csr_write(sepc, e->attr[ATTR_INTERRUPTED_SEPC]);

    h->sse_running = e->below;
    sse_set_state(h, e, e->attr[ATTR_CONFIG] & CONFIG_ONE_SHOT ? SSE_REGISTERED : SSE_ENABLED);
}
