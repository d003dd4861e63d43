/*
 * ACLINT SSWI device: supervisor software interrupts (RISC-V ACLINT specification 1.0-rc4, chapter 4).
 *
 *   0x0000 + 4h  setssip     writing 1 to bit 0 sets hart h's SSIP; reads zero; 4 bytes wide
 *
 * The write is an edge: the hart's own sip register clears the bit, so nothing is kept here.
 */
#include "devices/devices.h"

enum { IRQ_SSIP = 1 };

static void aclint_sswi_reset(struct device *d) { (void)d; }

static bool aclint_sswi_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    (void)d;
    (void)off;
    *value = 0;
    return size == 4;
}

static bool aclint_sswi_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    if (size != 4)
        return false;
    if (off / 4 < d->harts && (value & 1))
        d->host->hart_irq(d, (unsigned)(off / 4), IRQ_SSIP, true);
    return true;
}

const struct device_ops aclint_sswi_ops = {
    DEVICE_ROW(aclint_sswi),  .mmio_size = 0x4000,        .reset = aclint_sswi_reset,
    .read = aclint_sswi_read, .write = aclint_sswi_write,
};
