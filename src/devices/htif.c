/*
 * HTIF, the host-target interface of the Berkeley boot loader, riscv-tests and OpenSBI's htif driver (RISC-V ISA simulator's
 * front-end server). Not a real MMIO device: the board overlays it on the RAM cells an ELF file calls tohost and fromhost.
 *
 *   0x0  tohost    write: 63:56 device, 55:48 command, 47:0 payload; reads 0 once the command is taken
 *   0x8  fromhost  read: an answer in the same format; the guest writes 0 when it has taken it
 *
 * Device 0 command 0: payload bit 0 set: exit with payload >> 1. Else payload is the address of 8 words {number,
 * arguments 0 to 6} of a system call, whose result replaces word 0; the answer has payload 1. Calls: 64 write (to file 1
 * or 2), 93 exit.
 * Device 1 command 1: print a byte, no answer. Device 1 command 0: read a byte, answered with 0x100 | byte when one comes.
 *
 * Any width may be used. An 8-byte write is a command at once; narrower writes are one when both halves have been written, or
 * HALF_CYCLES after the first if the other half never comes (programs for RV32 store one half only, or the halves in any order).
 * Event 0 is that delay.
 */
#include "base/bits.h"
#include "devices/clock.h"
#include "devices/devices.h"

#define HALF_CYCLES 1000u
#define WRITE_MOST  (UINT64_C(1) << 20) /* bytes of one write call; a longer one is cut short */
enum { DEV_SYSCALL = 0, DEV_CONSOLE = 1, CMD_READ = 0, CMD_WRITE = 1 };
enum { SYS_WRITE = 64, SYS_EXIT = 93 };
enum { ANSWERS = 8, EBADF = 9, EFAULT = 14, ENOSYS = 38 };

struct htif {
    uint64_t tohost, fromhost;
    uint64_t answer[ANSWERS]; /* waiting until fromhost is free, oldest first */
    uint32_t answers;
    uint32_t wanted; /* console reads not answered yet */
    uint32_t halves; /* halves of tohost written since the last command */
    uint32_t pad;
};

static uint64_t word(unsigned dev, unsigned cmd, uint64_t payload) { return (uint64_t)dev << 56 | (uint64_t)cmd << 48 | payload; }

/* Shows the oldest answer if fromhost is free. */
static void show(struct htif *h)
{
    if (h->fromhost || !h->answers)
        return;
    h->fromhost = h->answer[0];
    h->answers--;
    for (unsigned i = 0; i < h->answers; i++)
        h->answer[i] = h->answer[i + 1];
}

static void answer(struct htif *h, uint64_t value)
{
    if (h->answers < ANSWERS) /* a guest that never takes answers loses them */
        h->answer[h->answers++] = value;
    show(h);
}

static int64_t sys_write(struct device *d, uint64_t fd, uint64_t pa, uint64_t len)
{
    uint8_t buf[1024];
    uint64_t done = 0;
    if (fd != 1 && fd != 2)
        return -EBADF;
    len = len < WRITE_MOST ? len : WRITE_MOST;
    while (done < len) {
        size_t n = len - done < sizeof buf ? (size_t)(len - done) : sizeof buf;
        if (!d->host->dma_read(d, pa + done, buf, n))
            return done ? (int64_t)done : -EFAULT;
        device_output(d, buf, n);
        done += n;
    }
    return (int64_t)done;
}

static void system_call(struct device *d, uint64_t pa)
{
    uint8_t block[64];
    uint64_t arg[8];
    int64_t result;
    if (!d->host->dma_read(d, pa, block, sizeof block)) {
        answer(d->state, word(DEV_SYSCALL, 0, 1));
        return;
    }
    for (unsigned i = 0; i < 64; i++)
        arg[i / 8] = (i % 8 ? arg[i / 8] : 0) | (uint64_t)block[i] << 8 * (i % 8);
    switch (arg[0]) {
    case SYS_WRITE: result = sys_write(d, arg[1], arg[2], arg[3]); break;
    case SYS_EXIT:
        d->host->exit(d, (int)(uint32_t)arg[1]);
        result = 0;
        break;
    default: result = -ENOSYS; break;
    }
    for (unsigned i = 0; i < 8; i++)
        block[i] = (uint8_t)((uint64_t)result >> 8 * i);
    d->host->dma_write(d, pa, block, 8);
    answer(d->state, word(DEV_SYSCALL, 0, 1));
}

static void command(struct device *d)
{
    struct htif *h = d->state;
    uint64_t v = h->tohost, payload = bits_get(v, 47, 0);
    unsigned dev = (unsigned)(v >> 56), cmd = (unsigned)bits_get(v, 55, 48);
    uint8_t byte = (uint8_t)payload;
    h->halves = 0;
    h->tohost = 0;
    device_arm(d, 0, UINT64_MAX);
    if (!v)
        return;
    if (dev == DEV_SYSCALL && cmd == 0 && (payload & 1))
        d->host->exit(d, (int)(uint32_t)(payload >> 1));
    else if (dev == DEV_SYSCALL && cmd == 0)
        system_call(d, payload);
    else if (dev == DEV_CONSOLE && cmd == CMD_WRITE)
        device_output(d, &byte, 1);
    else if (dev == DEV_CONSOLE && cmd == CMD_READ && h->wanted < UINT32_MAX)
        h->wanted++;
}

static void htif_reset(struct device *d)
{
    struct htif *h = d->state;
    *h = (struct htif){0};
    device_arm(d, 0, UINT64_MAX);
}

static bool htif_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    const struct htif *h = d->state;
    if (off >= 16)
        return false;
    *value = bits_get(off < 8 ? h->tohost : h->fromhost, (unsigned)(off % 8 + size) * 8 - 1, (unsigned)(off % 8) * 8);
    return true;
}

static bool htif_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct htif *h = d->state;
    if (off >= 16)
        return false;
    uint64_t *reg = off < 8 ? &h->tohost : &h->fromhost;
    *reg = bits_set(*reg, (unsigned)(off % 8 + size) * 8 - 1, (unsigned)(off % 8) * 8, value);
    if (off >= 8) {
        show(h);
        return true;
    }
    bool first = !h->halves;
    h->halves |= size == 8 ? 3u : off < 4 ? 1u : 2u;
    if (h->halves == 3)
        command(d);
    else if (first) /* a guest that stores the same half in a loop does not put it off */
        device_arm(d, 0, clock_later(device_now(d), HALF_CYCLES));
    return true;
}

static void htif_event(struct device *d, unsigned n)
{
    const struct htif *h = d->state;
    (void)n;
    if (h->halves)
        command(d);
}

/* Takes one byte for each read the guest has asked for, while there is room for the answers. */
static size_t htif_input(struct device *d, const void *p, size_t n)
{
    struct htif *h = d->state;
    size_t taken = 0;
    while (taken < n && h->wanted && h->answers < ANSWERS) {
        h->wanted--;
        answer(h, word(DEV_CONSOLE, CMD_READ, 0x100u | ((const uint8_t *)p)[taken++]));
    }
    return taken;
}

static bool htif_valid(const struct device *d)
{
    const struct htif *h = d->state;
    return h->answers <= ANSWERS && h->halves < 3;
}

const struct device_ops htif_ops = {
    DEVICE_ROW(htif),    .mmio_size = 16,     .state_size = sizeof(struct htif),
    .events = 1,         .reset = htif_reset, .read = htif_read,
    .write = htif_write, .event = htif_event, .input = htif_input,
    .valid = htif_valid,
};
