/*
 * PL011 UART (Arm PrimeCell UART PL011 Technical Reference Manual, DDI 0183, r1p4), with FIFOs of 16 and a clock of 24 MHz.
 *
 *   0x000 DR     read: received byte, 8 FE, 9 PE, 10 BE, 11 OE; write: byte to send        (3.3.1)
 *   0x004 RSR    read: errors of the byte read last; write ECR: clears them                (3.3.2)
 *   0x018 FR     0 CTS, 1 DSR, 2 DCD, 3 BUSY, 4 RXFE, 5 TXFF, 6 RXFF, 7 TXFE, 8 RI         (3.3.3)
 *   0x020 ILPR   0x024 IBRD   0x028 FBRD   kept; the divisor sets the receive time-out
 *   0x02c LCR_H  0 BRK, 4 FEN, …                                                           (3.3.7)
 *   0x030 CR     0 UARTEN, 7 LBE, 8 TXE, 9 RXE, 10 DTR, 11 RTS, 12 Out1, 13 Out2, …        (3.3.8)
 *   0x034 IFLS   5:3 level of the receive interrupt                                        (3.3.9)
 *   0x038 IMSC, 0x03c RIS, 0x040 MIS, 0x044 ICR: 0 RI, 1 CTS, 2 DCD, 3 DSR, 4 RX, 5 TX, 6 RT, 7 FE, 8 PE, 9 BE, 10 OE
 *   0x048 DMACR  kept; nobody serves the requests
 *   0xfe0…0xffc  identification
 *
 * Sending takes no time, so the transmit FIFO is always empty, and the transmit interrupt, which is of the passage through the
 * level (2.8.2), comes with each byte. Software sends and receives without having enabled the UART, as it may on other emulators;
 * UARTEN, TXE and RXE are kept only. The line is perfect: there are no framing or parity errors, and breaks only in loop-back.
 * Event 0 is the receive time-out: 32 bit periods (2.8.3).
 */
#include "devices/clock.h"
#include "devices/devices.h"
#include <string.h>

#define UART_CLOCK_HZ UINT64_C(24000000) /* as the board's device tree says */
#define FIFO          16u

enum {
    DR = 0x00,
    RSR = 0x04,
    FR = 0x18,
    ILPR = 0x20,
    IBRD = 0x24,
    FBRD = 0x28,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    DMACR = 0x48,
    ID = 0xfe0,
    SIZE = 0x1000
};
enum { DR_BE = 1 << 10, DR_OE = 1 << 11 };
enum { FR_CTS = 1, FR_DSR = 2, FR_DCD = 4, FR_RXFE = 0x10, FR_RXFF = 0x40, FR_TXFE = 0x80, FR_RI = 0x100 };
enum { LCR_BRK = 1, LCR_FEN = 0x10 };
enum {
    CR_LBE = 1 << 7,
    CR_TXE = 1 << 8,
    CR_RXE = 1 << 9,
    CR_DTR = 1 << 10,
    CR_RTS = 1 << 11,
    CR_OUT1 = 1 << 12,
    CR_OUT2 = 1 << 13
};
enum {
    INT_RI = 1,
    INT_CTS = 2,
    INT_DCD = 4,
    INT_DSR = 8,
    INT_RX = 0x10,
    INT_TX = 0x20,
    INT_RT = 0x40,
    INT_BE = 0x200,
    INT_OE = 0x400
};
enum { INT_ALL = 0x7ff, CR_ALL = 0xff87 };

struct pl011 {
    uint16_t rx[FIFO]; /* byte and its errors, as DR shows them */
    uint8_t head, count;
    uint8_t rsr, ilpr, fbrd, lcr, ifls, dmacr;
    uint16_t ibrd, cr;
    uint16_t ris, imsc;
    uint16_t modem;   /* FR_CTS, FR_DSR, FR_DCD, FR_RI */
    uint16_t overrun; /* DR_OE for the next byte that finds room */
};

static unsigned capacity(const struct pl011 *u) { return u->lcr & LCR_FEN ? FIFO : 1; }

/* How full the receive FIFO is when it interrupts: 1/8, 1/4, 1/2, 3/4, 7/8 (3.3.9); the other values are reserved, taken as 7/8.
 */
static unsigned trigger(const struct pl011 *u)
{
    static const uint8_t level[8] = {2, 4, 8, 12, 14, 14, 14, 14};
    return u->lcr & LCR_FEN ? level[u->ifls >> 3 & 7] : 1;
}

static void update(struct device *d)
{
    const struct pl011 *u = d->state;
    device_irq(d, u->ris & u->imsc);
}

/* The receive time-out counts from the last byte that came while the FIFO holds any. */
static void arm_timeout(struct device *d)
{
    const struct pl011 *u = d->state;
    if (!(u->lcr & LCR_FEN) || !u->count) {
        device_arm(d, 0, UINT64_MAX);
        return;
    }
    uint64_t divisor = (uint64_t)u->ibrd << 6 | u->fbrd; /* in 64ths: a bit takes 16 * divisor / 64 clocks */
    uint64_t cycles = clock_muldiv(32 * (divisor ? divisor : 1), clock_hz(d), 4 * UART_CLOCK_HZ, true);
    device_arm(d, 0, clock_later(device_now(d), cycles));
}

static void rx_clear(struct device *d)
{
    struct pl011 *u = d->state;
    u->head = u->count = 0;
    u->ris &= (uint16_t) ~(INT_RX | INT_RT);
    arm_timeout(d);
}

static void rx_push(struct device *d, uint16_t what)
{
    struct pl011 *u = d->state;
    if (u->count == capacity(u)) {
        u->overrun = DR_OE; /* what is in the FIFO stays valid; the new byte is lost (3.3.1) */
        u->ris |= INT_OE;
        return;
    }
    u->rx[(u->head + u->count++) % FIFO] = what | u->overrun;
    u->overrun = 0;
    if (what & DR_BE)
        u->ris |= INT_BE;
    if (u->count == trigger(u))
        u->ris |= INT_RX;
    arm_timeout(d);
}

static uint16_t rx_pop(struct device *d)
{
    struct pl011 *u = d->state;
    if (!u->count)
        return 0;
    uint16_t what = u->rx[u->head];
    u->head = (uint8_t)((u->head + 1) % FIFO);
    u->count--;
    u->rsr = what >> 8 & 15;
    if (u->count < trigger(u))
        u->ris &= (uint16_t)~INT_RX;
    if (!u->count) {
        u->ris &= (uint16_t)~INT_RT;
        device_arm(d, 0, UINT64_MAX);
    }
    return what;
}

/* Follows the modem inputs: those of a connected terminal, or in loop-back the modem outputs (2.4.6). */
static void modem(struct pl011 *u)
{
    static const struct {
        uint16_t out, in, irq;
    } row[] = {
        {CR_RTS, FR_CTS, INT_CTS},
        {CR_DTR, FR_DSR, INT_DSR},
        {CR_OUT1, FR_DCD, INT_DCD},
        {CR_OUT2, FR_RI, INT_RI},
    };
    uint16_t now = FR_CTS | FR_DSR | FR_DCD;
    if (u->cr & CR_LBE)
        now = 0;
    for (unsigned i = 0; i < 4; i++) {
        if ((u->cr & CR_LBE) && (u->cr & row[i].out))
            now |= row[i].in;
        if ((now ^ u->modem) & row[i].in)
            u->ris |= row[i].irq;
    }
    u->modem = now;
}

static void pl011_reset(struct device *d)
{
    struct pl011 *u = d->state;
    *u = (struct pl011){.cr = CR_TXE | CR_RXE, .ifls = 0x12, .modem = FR_CTS | FR_DSR | FR_DCD};
    device_arm(d, 0, UINT64_MAX);
    update(d);
}

static uint32_t flags(const struct pl011 *u)
{
    return FR_TXFE | u->modem | (u->count ? 0u : FR_RXFE) | (u->count == capacity(u) ? FR_RXFF : 0u);
}

/* UARTPeriphID0-3: part 0x011, designer 0x41 (Arm), revision 1; UARTPCellID0-3. */
static uint8_t identification(uint64_t off)
{
    static const uint8_t id[] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    return id[(off - ID) / 4];
}

static bool pl011_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    struct pl011 *u = d->state;
    *value = 0;
    if (size == 8 || off & 3)
        return off < SIZE; /* what is between the registers reads zero */
    switch (off) {
    case DR: *value = rx_pop(d); break;
    case RSR: *value = u->rsr; break;
    case FR: *value = flags(u); break;
    case ILPR: *value = u->ilpr; break;
    case IBRD: *value = u->ibrd; break;
    case FBRD: *value = u->fbrd; break;
    case LCR_H: *value = u->lcr; break;
    case CR: *value = u->cr; break;
    case IFLS: *value = u->ifls; break;
    case IMSC: *value = u->imsc; break;
    case RIS: *value = u->ris; break;
    case MIS: *value = u->ris & u->imsc; break;
    case DMACR: *value = u->dmacr; break;
    default:
        if (off >= SIZE)
            return false;
        *value = off >= ID ? identification(off) : 0;
    }
    update(d);
    return true;
}

static void write_dr(struct device *d, uint8_t byte)
{
    struct pl011 *u = d->state;
    if (u->cr & CR_LBE)
        rx_push(d, byte);
    else
        device_output(d, &byte, 1);
    u->ris |= INT_TX; /* sent already */
}

static void write_lcr(struct device *d, uint8_t value)
{
    struct pl011 *u = d->state;
    uint8_t old = u->lcr;
    u->lcr = value;
    if ((old ^ value) & LCR_FEN)
        rx_clear(d);
    if ((value & ~old & LCR_BRK) && (u->cr & CR_LBE))
        rx_push(d, DR_BE);
}

static bool pl011_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct pl011 *u = d->state;
    if (size == 8 || off & 3)
        return off < SIZE;
    switch (off) {
    case DR: write_dr(d, (uint8_t)value); break;
    case RSR: u->rsr = 0; break;
    case ILPR: u->ilpr = (uint8_t)value; break;
    case IBRD: u->ibrd = (uint16_t)value; break;
    case FBRD: u->fbrd = value & 0x3f; break;
    case LCR_H: write_lcr(d, (uint8_t)value); break;
    case CR:
        u->cr = value & CR_ALL;
        modem(u);
        break;
    case IFLS: u->ifls = value & 0x3f; break;
    case IMSC: u->imsc = value & INT_ALL; break;
    case ICR: u->ris &= (uint16_t)~value; break;
    case DMACR: u->dmacr = value & 7; break;
    default:
        if (off >= SIZE)
            return false;
    }
    update(d);
    return true;
}

static void pl011_event(struct device *d, unsigned n)
{
    struct pl011 *u = d->state;
    (void)n;
    if (u->count)
        u->ris |= INT_RT;
    update(d);
}

/* Takes what fits: the sender waits, so the host never causes an overrun. In loop-back the receive pin is cut off. */
static size_t pl011_input(struct device *d, const void *p, size_t n)
{
    struct pl011 *u = d->state;
    size_t taken = 0;
    while (!(u->cr & CR_LBE) && taken < n && u->count < capacity(u))
        rx_push(d, ((const uint8_t *)p)[taken++]);
    update(d);
    return taken;
}

static bool pl011_valid(const struct device *d)
{
    const struct pl011 *u = d->state;
    for (unsigned i = 0; i < FIFO; i++)
        if (u->rx[i] >> 12)
            return false;
    return u->head < FIFO && u->count <= capacity(u) && u->rsr <= 15 && u->fbrd <= 0x3f && u->ifls <= 0x3f && u->dmacr <= 7 &&
           !(u->cr & ~CR_ALL) && u->ris <= INT_ALL && u->imsc <= INT_ALL && !(u->modem & ~(FR_CTS | FR_DSR | FR_DCD | FR_RI)) &&
           !(u->overrun & ~DR_OE);
}

const struct device_ops pl011_ops = {
    DEVICE_ROW(pl011),    .mmio_size = SIZE,    .state_size = sizeof(struct pl011),
    .events = 1,          .reset = pl011_reset, .read = pl011_read,
    .write = pl011_write, .event = pl011_event, .input = pl011_input,
    .valid = pl011_valid,
};
