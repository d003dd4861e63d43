/*
 * Harts and the system starting, stopping, sleeping: the SBI extensions HSM, SUSP and SRST.
 *
 * A stopped hart waits here in M (hart_wait) for a call of another one. Every change of a hart's state by another hart, and the
 * look at all of them that a system suspend takes, happens under one lock: a hart that has been seen stopped stays so until the
 * system sleeps.
 */
#include "fw.h"

static lock_t states;

/* ---- stopped ------------------------------------------------------------------------------------------------------- */

void __attribute__((noreturn)) hart_wait(struct hart *h)
{
    csr_write(mie, 1 << IRQ_MSI);
    for (;;) {
        lock(&states);
        bool start = h->hsm == HSM_START_PENDING;
        if (start)
            h->hsm = HSM_STARTED;
        unlock(&states);
        if (start)
            break;
        if (csr_read(mip) & 1 << IRQ_MSI)
            ipi_take(h);
        else
            __asm__ volatile("wfi");
    }
    hart_set_up(h);
    hart_enter_s(h, h->start_addr, h->id, h->start_opaque);
    fw_enter(h);
}

static struct sbiret start(ulong hart, ulong pc, ulong opaque)
{
    if (!hart_valid(hart))
        return RET(SBI_ERR_INVALID_PARAM);
    if (!code_ok(pc))
        return RET(SBI_ERR_INVALID_ADDRESS);
    struct hart *target = hart_at(hart);
    lock(&states);
    bool stopped = target->hsm == HSM_STOPPED;
    if (stopped) {
        target->start_addr = pc;
        target->start_opaque = opaque;
        target->hsm = HSM_START_PENDING;
    }
    unlock(&states);
    if (!stopped)
        return RET(SBI_ERR_ALREADY_AVAILABLE);
    ipi_send(hart, IPI_HSM);
    return RET(SBI_SUCCESS);
}

static void __attribute__((noreturn)) stop(struct hart *h)
{
    h->hsm = HSM_STOP_PENDING;
    csr_write(mie, 0);
    sse_reset(h);
    lock(&states);
    h->hsm = HSM_STOPPED;
    unlock(&states);
    sse_stopped(h);
    fw_restart(h, hart_wait);
}

/* ---- asleep -------------------------------------------------------------------------------------------------------- */

/* Waits until there is something for the mode below, or an event to inject. M's own interrupts are served meanwhile by the trap
   that each becomes as soon as the hart is back below M; only requests of other harts cannot wait. */
static void sleep(struct hart *h)
{
    for (;;) {
        ulong pending = csr_read(mip) & csr_read(mie);
        if (pending & 1 << IRQ_MSI)
            ipi_take(h);
        else if (pending)
            return;
        else if (!sse_can_deliver(h))
            __asm__ volatile("wfi");
        if (sse_can_deliver(h))
            return;
    }
}

/* What the caller gets: execution at pc in S with these registers (SBI v3.0 HSM, "Hart Resume Register State"). */
static struct sbiret resume_at(struct hart *h, ulong pc, ulong opaque)
{
    hart_enter_s(h, pc, h->id, opaque);
    return (struct sbiret){(long)h->id, opaque}; /* what ecall.c puts into a0 and a1 */
}

static struct sbiret suspend(struct hart *h, u32 type, ulong pc, ulong opaque)
{
    enum { RETENTIVE = 0 };
    const u32 non_retentive = 0x80000000;
    if (type != RETENTIVE && type != non_retentive)
        return RET(SBI_ERR_INVALID_PARAM); /* reserved, or a platform's that this one does not have */
    if (type == non_retentive && !code_ok(pc))
        return RET(SBI_ERR_INVALID_ADDRESS);
    h->hsm = HSM_SUSPENDED;
    sleep(h);
    h->hsm = HSM_STARTED;
    return type == RETENTIVE ? RET(SBI_SUCCESS) : resume_at(h, pc, opaque);
}

struct sbiret sbi_hsm(struct hart *h, ulong fid, const ulong *a)
{
    switch (fid) {
    case 0: return start(a[0], a[1], a[2]);
    case 1: stop(h);
    case 2: return hart_valid(a[0]) ? RETURN(hart_at(a[0])->hsm) : RET(SBI_ERR_INVALID_PARAM);
    case 3: return suspend(h, (u32)a[0], a[1], a[2]);
    default: return RET(SBI_ERR_NOT_SUPPORTED);
    }
}

/* SBI v3.0, chapter SUSP. */
struct sbiret sbi_susp(struct hart *h, ulong fid, const ulong *a)
{
    if (fid)
        return RET(SBI_ERR_NOT_SUPPORTED);
    if ((u32)a[0])
        return RET(SBI_ERR_INVALID_PARAM); /* only SUSPEND_TO_RAM */
    if (!code_ok(a[1]))
        return RET(SBI_ERR_INVALID_ADDRESS);
    lock(&states);
    bool alone = true;
    for (ulong i = 0; i < HARTS; i++)
        if (hart_valid(i) && i != h->id && hart_at(i)->hsm != HSM_STOPPED)
            alone = false;
    if (alone)
        h->hsm = HSM_SUSPENDED;
    unlock(&states);
    if (!alone)
        return RET(SBI_ERR_DENIED);
    sleep(h);
    h->hsm = HSM_STARTED;
    return resume_at(h, a[1], a[2]);
}

/* ---- reset --------------------------------------------------------------------------------------------------------- */

/* SBI v3.0, chapter SRST. */
struct sbiret sbi_srst(struct hart *h, ulong fid, const ulong *a)
{
    enum { SHUTDOWN, COLD_REBOOT, WARM_REBOOT };
    enum { NO_REASON, SYSTEM_FAILURE };
    (void)h;
    if (fid)
        return RET(SBI_ERR_NOT_SUPPORTED);
    if ((u32)a[0] > WARM_REBOOT || (u32)a[1] > SYSTEM_FAILURE)
        return RET(SBI_ERR_INVALID_PARAM);
    if ((u32)a[0] != SHUTDOWN)
        finish(0x7777);
    finish((u32)a[1] == SYSTEM_FAILURE ? 1u << 16 | 0x3333 : 0x5555);
}
