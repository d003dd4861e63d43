/* SBI calls: which extension answers which number; the Base extension, and what is left of the legacy ones. */
#include "fw.h"

#define SPEC_VERSION 0x03000000
#define IMPL_ID      0x74726170 /* no number is assigned to this implementation; OpenSBI's is 1 */
#define IMPL_VERSION 0x00010000

enum { LEGACY_SET_TIMER, LEGACY_PUTCHAR, LEGACY_GETCHAR, LEGACY_CLEAR_IPI, LEGACY_SHUTDOWN = 8, LEGACY_END = 0x10 };

enum { EID_SSE = 0x535345 };

static struct sbiret sbi_base(struct hart *h, ulong fid, const ulong *a);

static const struct extension {
    u32 eid;
    struct sbiret (*call)(struct hart *h, ulong fid, const ulong *a);
} extensions[] = {
    {EID_SSE, sbi_sse},       {0x10, sbi_base}, {0x54494d45, sbi_time}, /* "TIME" */
    {0x735049, sbi_ipi},                                                /* "sPI" */
    {0x52464e43, sbi_rfence},                                           /* "RFNC" */
    {0x48534d, sbi_hsm},                                                /* "HSM" */
    {0x53525354, sbi_srst},                                             /* "SRST" */
    {0x504d55, sbi_pmu},                                                /* "PMU" */
    {0x4442434e, sbi_dbcn},                                             /* "DBCN" */
    {0x53555350, sbi_susp},                                             /* "SUSP" */
    {0x46574654, sbi_fwft},                                             /* "FWFT" */
};

static const struct extension *find(u32 eid)
{
    for (uint i = 0; i < COUNT(extensions); i++)
        if (extensions[i].eid == eid)
            return &extensions[i];
    return NULL;
}

/* SBI v3.0, chapter "Legacy Extensions": those that take no pointer to virtual memory. */
static bool legacy_is_there(u32 eid) { return eid <= LEGACY_CLEAR_IPI || eid == LEGACY_SHUTDOWN; }

static long legacy(struct hart *h, ulong eid, const ulong *a)
{
    switch (eid) {
    case LEGACY_SET_TIMER: return sbi_time(h, 0, a).error;
    case LEGACY_PUTCHAR: put_char((char)a[0]); return 0;
    case LEGACY_GETCHAR: return get_char();
    case LEGACY_CLEAR_IPI: {
        ulong was = csr_read(mip) >> IRQ_SSI & 1;
        csr_clear(mip, 1 << IRQ_SSI);
        return (long)was;
    }
    case LEGACY_SHUTDOWN: finish(0x5555);
    default: return SBI_ERR_NOT_SUPPORTED;
    }
}

static struct sbiret sbi_base(struct hart *h, ulong fid, const ulong *a)
{
    (void)h;
    switch (fid) {
    case 0: return RETURN(SPEC_VERSION);
    case 1: return RETURN(IMPL_ID);
    case 2: return RETURN(IMPL_VERSION);
    case 3: return RETURN((a[0] < LEGACY_END && legacy_is_there((u32)a[0])) || find((u32)a[0]));
    case 4: return RETURN(csr_read(mvendorid));
    case 5: return RETURN(csr_read(marchid));
    case 6: return RETURN(csr_read(mimpid));
    default: return RET(SBI_ERR_NOT_SUPPORTED);
    }
}

void ecall(struct hart *h)
{
    struct frame *f = &h->frame;
    u32 eid = (u32)f->x[X_A7]; /* EIDs are 32 bits wide (SBI v3.0, chapter "Binary Encoding") */
    f->pc += 4;
    if (eid < LEGACY_END) {
        f->x[X_A0] = (ulong)legacy(h, eid, &f->x[X_A0]);
        return;
    }
    if (eid == EID_SSE && (u32)f->x[X_A6] == SSE_COMPLETE && h->sse_running) {
        sse_complete(h, h->sse_running); /* returns to what was interrupted, not behind the call */
        return;
    }
    const struct extension *x = find(eid);
    struct sbiret r = x ? x->call(h, (u32)f->x[X_A6], &f->x[X_A0]) : RET(SBI_ERR_NOT_SUPPORTED);
    f->x[X_A0] = (ulong)r.error;
    f->x[X_A1] = r.value;
}
