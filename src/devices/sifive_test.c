/*
 * Test finisher: how firmware ends a run (the Linux binding sifive,test0 / sifive,test1 and syscon-poweroff, syscon-reboot).
 *
 *   0x0  finisher   write, 2 or 4 bytes: 15:0 what, 31:16 code. 0x5555 exit with 0, 0x3333 exit with code, 0x7777 reset.
 *                  Reads zero.
 *
 * Any other value, and any other offset, does nothing.
 */
#include "devices/devices.h"

enum { FINISHER_FAIL = 0x3333, FINISHER_PASS = 0x5555, FINISHER_RESET = 0x7777 };

static void sifive_test_reset(struct device *d) { (void)d; }

static bool sifive_test_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    (void)d;
    (void)off;
    *value = 0;
    return size == 2 || size == 4;
}

static bool sifive_test_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    if (size != 2 && size != 4)
        return false;
    if (off)
        return true;
    switch (value & 0xffff) {
    case FINISHER_PASS: d->host->exit(d, 0); break;
    case FINISHER_FAIL: d->host->exit(d, size == 4 ? (int)(value >> 16 & 0xffff) : 0); break;
    case FINISHER_RESET: d->host->reboot(d); break;
    default: break;
    }
    return true;
}

const struct device_ops sifive_test_ops = {
    DEVICE_ROW(sifive_test),  .mmio_size = 0x1000,        .reset = sifive_test_reset,
    .read = sifive_test_read, .write = sifive_test_write,
};
