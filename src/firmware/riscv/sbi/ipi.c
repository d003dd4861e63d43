/*
 * Interrupts from hart to hart: the SBI extensions IPI and RFENCE (SBI v3.0, chapters sPI and RFNC).
 *
 * A hart is told what is wanted of it by bits in its `ipi` and a software interrupt. Remote fences have one request at a time,
 * with one bit a hart that is still to do it; a hart that waits, for its turn or for the others, does its own part meanwhile.
 */
#include "fw.h"

#define MSIP(hart) MMIO32(MSIP_BASE + 4 * (hart))

void ipi_send(ulong hart, u32 what)
{
    atomic_or(&hart_at(hart)->ipi, what);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    MSIP(hart) = 1;
}

/* Bits of the harts that base and mask name; false if one of them is not there (SBI v3.0 "Hart list parameter"). */
static bool harts_of(ulong mask, ulong base, u32 *harts)
{
    *harts = 0;
    if (base == -1ul) {
        *harts = platform.harts;
        return true;
    }
    for (; mask; mask &= mask - 1) {
        ulong hart = base + (ulong)lowest(mask);
        if (hart < base || !hart_valid(hart))
            return false;
        *harts |= 1u << hart;
    }
    return true;
}

/* Only harts that supervisor software runs on have something to interrupt or to fence; a hart fences by itself when it starts. */
static bool in_use(ulong hart)
{
    u32 state = hart_at(hart)->hsm;
    return state != HSM_STOPPED && state != HSM_STOP_PENDING;
}

struct sbiret sbi_ipi(struct hart *h, ulong fid, const ulong *a)
{
    u32 harts;
    if (fid)
        return RET(SBI_ERR_NOT_SUPPORTED);
    if (!harts_of(a[0], a[1], &harts))
        return RET(SBI_ERR_INVALID_PARAM);
    for (; harts; harts &= harts - 1) {
        ulong hart = (ulong)lowest(harts);
        pmu_fw_event(h, FW_IPI_SENT);
        if (hart == h->id)
            csr_set(mip, 1 << IRQ_SSI);
        else if (in_use(hart))
            ipi_send(hart, IPI_SSI);
    }
    return RET(SBI_SUCCESS);
}

/* ---- fences -------------------------------------------------------------------------------------------------------- */

enum { FENCE_I, SFENCE_VMA, SFENCE_VMA_ASID, HFENCE_GVMA_VMID, HFENCE_GVMA, HFENCE_VVMA_ASID, HFENCE_VVMA, FENCES };
/* The PMU's event codes of a fence that was sent; that of one received is one more. */
static const u8 fence_event[FENCES] = {FW_FENCE_I_SENT,          FW_SFENCE_VMA_SENT,  FW_SFENCE_VMA_ASID_SENT,
                                       FW_HFENCE_GVMA_VMID_SENT, FW_HFENCE_GVMA_SENT, FW_HFENCE_VVMA_ASID_SENT,
                                       FW_HFENCE_VVMA_SENT};

struct request {
    uint what;
    ulong start, size, id; /* id: ASID or VMID */
    ulong hgatp;           /* of the caller: whose guest virtual addresses */
};
static struct request request;
static volatile u32 request_for; /* harts that have not done it yet */
static lock_t request_lock;

#define PAGE         4096ul
#define PAGES_SINGLY 64 /* more pages than this: everything */

static inline void sfence_page(ulong va) { __asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory"); }
static inline void sfence_page_asid(ulong va, ulong asid)
{
    __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}
static inline void sfence_asid(ulong asid) { __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory"); }
static inline void sfence_all(void) { __asm__ volatile("sfence.vma" ::: "memory"); }
/* hfence.gvma has opcode 0x73, funct3 0, funct7 0x31; hfence.vvma 0x11. */
#define HFENCE(funct7, rs1, rs2) __asm__ volatile(".insn r 0x73, 0, " #funct7 ", x0, %0, %1" ::"r"(rs1), "r"(rs2) : "memory")
#define HFENCE_1(funct7, rs1)    __asm__ volatile(".insn r 0x73, 0, " #funct7 ", x0, %0, x0" ::"r"(rs1) : "memory")
#define HFENCE_2(funct7, rs2)    __asm__ volatile(".insn r 0x73, 0, " #funct7 ", x0, x0, %0" ::"r"(rs2) : "memory")
#define HFENCE_0(funct7)         __asm__ volatile(".insn r 0x73, 0, " #funct7 ", x0, x0, x0" ::: "memory")

static void fence_page(const struct request *r, ulong address)
{
    switch (r->what) {
    case SFENCE_VMA: sfence_page(address); break;
    case SFENCE_VMA_ASID: sfence_page_asid(address, r->id); break;
    /* rs1 of hfence.gvma is a guest physical address shifted right by 2 (hypervisor "Virtual-Machine Memory-Management Fence
       Instructions"). */
    case HFENCE_GVMA_VMID: HFENCE(0x31, address >> 2, r->id); break;
    case HFENCE_GVMA: HFENCE_1(0x31, address >> 2); break;
    case HFENCE_VVMA_ASID: HFENCE(0x11, address, r->id); break;
    default: HFENCE_1(0x11, address); break;
    }
}

static void fence_everything(const struct request *r)
{
    switch (r->what) {
    case SFENCE_VMA: sfence_all(); break;
    case SFENCE_VMA_ASID: sfence_asid(r->id); break;
    case HFENCE_GVMA_VMID: HFENCE_2(0x31, r->id); break;
    case HFENCE_GVMA: HFENCE_0(0x31); break;
    case HFENCE_VVMA_ASID: HFENCE_2(0x11, r->id); break;
    default: HFENCE_0(0x11); break;
    }
}

static void fence_memory(const struct request *r)
{
    if ((!r->start && !r->size) || r->size == -1ul || r->size > PAGES_SINGLY * PAGE) {
        fence_everything(r);
        return;
    }
    for (ulong at = r->start & -PAGE; at - r->start + (r->start & (PAGE - 1)) < r->size + (r->start & (PAGE - 1)); at += PAGE)
        fence_page(r, at);
}

static void fence(const struct request *r)
{
    if (r->what == FENCE_I) {
        __asm__ volatile("fence.i" ::: "memory");
    } else if (r->what >= HFENCE_VVMA_ASID) {
        /* hfence.vvma is for the VMID in hgatp, and the caller means its own. */
        ulong mine = csr_read(CSR_HGATP);
        csr_write(CSR_HGATP, r->hgatp);
        fence_memory(r);
        csr_write(CSR_HGATP, mine);
    } else {
        fence_memory(r);
    }
}

void rfence_poll(struct hart *h)
{
    u32 me = 1u << h->id;
    if (!(request_for & me))
        return;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    fence(&request);
    pmu_fw_event(h, fence_event[request.what] + 1u);
    atomic_and(&request_for, ~me);
}

static void fence_remotely(struct hart *h, const struct request *r, u32 harts)
{
    u32 others = 0;
    for (; harts; harts &= harts - 1) {
        ulong hart = (ulong)lowest(harts);
        if (hart == h->id) {
            fence(r);
        } else if (in_use(hart)) {
            pmu_fw_event(h, fence_event[r->what]);
            others |= 1u << hart;
        }
    }
    if (!others)
        return;
    while (!lock_try(&request_lock))
        rfence_poll(h);
    request = *r;
    __atomic_store_n(&request_for, others, __ATOMIC_RELEASE);
    for (u32 left = others; left; left &= left - 1)
        ipi_send((ulong)lowest(left), 0);
    while (request_for)
        ;
    unlock(&request_lock);
}

struct sbiret sbi_rfence(struct hart *h, ulong fid, const ulong *a)
{
    u32 harts;
    struct request r = {.what = (uint)fid, .start = a[2], .size = a[3], .id = a[4]};
    if (fid >= FENCES || (fid >= HFENCE_GVMA_VMID && !h->has.h))
        return RET(SBI_ERR_NOT_SUPPORTED);
    if (!harts_of(a[0], a[1], &harts))
        return RET(SBI_ERR_INVALID_PARAM);
    if (fid != FENCE_I && r.size != -1ul && r.start + r.size < r.start)
        return RET(SBI_ERR_INVALID_ADDRESS);
    if (h->has.h)
        r.hgatp = csr_read(CSR_HGATP);
    fence_remotely(h, &r, harts);
    return RET(SBI_SUCCESS);
}

void ipi_take(struct hart *h)
{
    MSIP(h->id) = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    u32 what = __atomic_exchange_n(&h->ipi, 0, __ATOMIC_SEQ_CST);
    rfence_poll(h);
    if (what & IPI_SSI) {
        pmu_fw_event(h, FW_IPI_RECEIVED);
        csr_set(mip, 1 << IRQ_SSI);
    }
    /* A non-maskable interrupt tells of a hardware error. */
    if ((what & IPI_NMI) && !sse_signal(h, EVENT_RAS_HIGH))
        fatal(h, "non-maskable interrupt, and nobody waits for event 0", h->frame.pc, 0, 22);
    /* IPI_SSE: trap() looks for events on its way out. IPI_HSM: hsm.c:hart_wait looks at the hart's state. */
}
