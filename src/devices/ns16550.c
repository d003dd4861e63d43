/*
 * 16550A UART, register stride 1, as in the PC16550D data sheet (National Semiconductor, June 1995).
 *
 *   off  DLAB read              write
 *   0    0    RBR received byte THR byte to send
 *   0    1    DLL divisor low   DLL
 *   1    0    IER               IER   0 RDI received data, 1 THRI transmitter empty, 2 RLSI line status, 3 MSI modem status
 *   1    1    DLM divisor high  DLM
 *   2    -    IIR               FCR   IIR: 0 none pending, 3:1 source, 7:6 FIFOs on; FCR: 0 on, 1 clear receive, 2 clear
 *                                     transmit, 7:6 receive trigger 1, 4, 8, 14
 *   3    -    LCR               LCR   1:0 bits a character - 5, 2 stop bits, 3 parity, 7 DLAB
 *   4    -    MCR               MCR   0 DTR, 1 RTS, 2 OUT1, 3 OUT2, 4 loop
 *   5    -    LSR               -     0 data ready, 1 overrun, 5 transmitter holding empty, 6 transmitter empty
 *   6    -    MSR               -     3:0 changes since the last read, 4 CTS, 5 DSR, 6 RI, 7 DCD
 *   7    -    SCR               SCR   scratch
 *
 * Sending takes no time, so the transmitter is always empty and the transmit FIFO never holds a byte. The line is perfect: no
 * parity or framing errors, no breaks. Event 0 is the character timeout of the receive FIFO (four character times).
 */
#include "devices/clock.h"
#include "devices/devices.h"

#define UART_CLOCK_HZ UINT64_C(3686400) /* as the board's device tree says */
#define UART_FIFO     16u

enum { RBR = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { IER_RDI = 1, IER_THRI = 2, IER_RLSI = 4, IER_MSI = 8 };
enum { IIR_MSI = 0, IIR_NONE = 1, IIR_THRI = 2, IIR_RDI = 4, IIR_RLSI = 6, IIR_TIMEOUT = 12 };
enum { FCR_ON = 1, FCR_CLEAR_RX = 2, FCR_TRIGGER = 0xc0 };
enum { LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MSR_DCTS = 1, MSR_DDSR = 2, MSR_TERI = 4, MSR_DDCD = 8, MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128 };

struct ns16550 {
    uint8_t rx[UART_FIFO];
    uint8_t head, count; /* of rx: a ring */
    uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
    uint8_t overrun; /* LSR_OE until LSR is read */
    uint8_t msr;     /* modem inputs and their changes, as MSR shows them */
    uint8_t thri;    /* a transmitter-empty interrupt nobody has read yet */
    uint8_t timeout; /* a character timeout until RBR is read */
};

static unsigned rx_capacity(const struct ns16550 *u) { return u->fcr & FCR_ON ? UART_FIFO : 1; }

static unsigned rx_trigger(const struct ns16550 *u)
{
    static const uint8_t level[4] = {1, 4, 8, 14};
    return u->fcr & FCR_ON ? level[u->fcr >> 6] : 1;
}

/* The identification of the highest-priority pending interrupt (data sheet table IV). */
static uint8_t pending(const struct ns16550 *u)
{
    if ((u->ier & IER_RLSI) && u->overrun)
        return IIR_RLSI;
    if ((u->ier & IER_RDI) && u->count >= rx_trigger(u))
        return IIR_RDI;
    if ((u->ier & IER_RDI) && u->timeout)
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRI) && u->thri)
        return IIR_THRI;
    if ((u->ier & IER_MSI) && (u->msr & 0x0f))
        return IIR_MSI;
    return IIR_NONE;
}

static void update(struct device *d) { device_irq(d, pending(d->state) != IIR_NONE); }

/* Four character times from now: the receive FIFO's timeout (data sheet 8.4.1). */
static void arm_timeout(struct device *d)
{
    const struct ns16550 *u = d->state;
    if (!(u->fcr & FCR_ON) || !u->count || u->timeout) {
        device_arm(d, 0, UINT64_MAX);
        return;
    }
    uint64_t divisor = (uint64_t)u->dlm << 8 | u->dll;
    uint64_t bits = 1u + 5u + (u->lcr & 3u) + (u->lcr >> 3 & 1u) + 1u + (u->lcr >> 2 & 1u);
    uint64_t cycles = clock_muldiv(4 * bits * 16 * (divisor ? divisor : 1), clock_hz(d), UART_CLOCK_HZ, true);
    device_arm(d, 0, clock_later(device_now(d), cycles));
}

static void rx_clear(struct device *d)
{
    struct ns16550 *u = d->state;
    u->head = u->count = u->timeout = 0;
    arm_timeout(d);
}

static void rx_push(struct device *d, uint8_t byte)
{
    struct ns16550 *u = d->state;
    if (u->count == rx_capacity(u)) {
        u->overrun = 1;
        if (!(u->fcr & FCR_ON))
            u->rx[u->head] = byte; /* without FIFOs the new byte replaces the old one; with them it is lost (8.6.3) */
        return;
    }
    u->rx[(u->head + u->count++) % UART_FIFO] = byte;
    arm_timeout(d);
}

static uint8_t rx_pop(struct device *d)
{
    struct ns16550 *u = d->state;
    if (!u->count)
        return 0;
    uint8_t byte = u->rx[u->head];
    u->head = (uint8_t)((u->head + 1) % UART_FIFO);
    u->count--;
    u->timeout = 0;
    arm_timeout(d);
    return byte;
}

/* Follows the modem inputs: those of a connected terminal, or in loop mode the modem outputs (8.6.7, 8.6.8). */
static void modem(struct ns16550 *u)
{
    uint8_t now = MSR_CTS | MSR_DSR | MSR_DCD;
    if (u->mcr & MCR_LOOP)
        now = (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) | (u->mcr & MCR_OUT1 ? MSR_RI : 0) |
                        (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
    uint8_t change = (uint8_t)((u->msr ^ now) & 0xf0);
    uint8_t delta = (uint8_t)((change >> 4) & (MSR_DCTS | MSR_DDSR | MSR_DDCD));
    if ((change & MSR_RI) && !(now & MSR_RI))
        delta |= MSR_TERI; /* RI counts only when it ends */
    u->msr = (uint8_t)(now | (u->msr & 0x0f) | delta);
}

static void ns16550_reset(struct device *d)
{
    struct ns16550 *u = d->state;
    *u = (struct ns16550){.dll = 12, .msr = MSR_CTS | MSR_DSR | MSR_DCD};
    device_arm(d, 0, UINT64_MAX);
    update(d);
}

static uint8_t read_iir(struct ns16550 *u)
{
    uint8_t id = pending(u);
    if (id == IIR_THRI)
        u->thri = 0; /* reading IIR is what answers this source, if it is the one reported */
    return (uint8_t)(id | (u->fcr & FCR_ON ? 0xc0 : 0));
}

static bool ns16550_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    struct ns16550 *u = d->state;
    bool dlab = u->lcr & LCR_DLAB;
    (void)size; /* a register is one byte; a wider access sees it zero-extended */
    switch (off) {
    case RBR: *value = dlab ? u->dll : rx_pop(d); break;
    case IER: *value = dlab ? u->dlm : u->ier; break;
    case IIR: *value = read_iir(u); break;
    case LCR: *value = u->lcr; break;
    case MCR: *value = u->mcr; break;
    case LSR:
        *value = LSR_THRE | LSR_TEMT | (u->count ? LSR_DR : 0u) | (u->overrun ? LSR_OE : 0u);
        u->overrun = 0;
        break;
    case MSR:
        *value = u->msr;
        u->msr &= 0xf0;
        break;
    case SCR: *value = u->scr; break;
    default: return false;
    }
    update(d);
    return true;
}

static void write_thr(struct device *d, uint8_t byte)
{
    struct ns16550 *u = d->state;
    if (u->mcr & MCR_LOOP)
        rx_push(d, byte);
    else
        device_output(d, &byte, 1);
    u->thri = 1; /* empty again already */
}

static void write_fcr(struct device *d, uint8_t value)
{
    struct ns16550 *u = d->state;
    bool switched = (u->fcr ^ value) & FCR_ON;
    u->fcr = value & FCR_ON ? value & (FCR_ON | FCR_TRIGGER) : 0; /* the other bits count only with bit 0 set (8.5) */
    if (switched || ((value & FCR_ON) && (value & FCR_CLEAR_RX)))
        rx_clear(d);
}

static bool ns16550_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct ns16550 *u = d->state;
    bool dlab = u->lcr & LCR_DLAB;
    uint8_t byte = (uint8_t)value;
    (void)size;
    switch (off) {
    case RBR:
        if (dlab)
            u->dll = byte;
        else
            write_thr(d, byte);
        break;
    case IER:
        if (dlab) {
            u->dlm = byte;
            break;
        }
        if (!(u->ier & IER_THRI) && (byte & IER_THRI))
            u->thri = 1; /* enabling it while the transmitter is empty raises it at once (8.6.1) */
        u->ier = byte & 0x0f;
        break;
    case IIR: write_fcr(d, byte); break;
    case LCR: u->lcr = byte; break;
    case MCR:
        u->mcr = byte & 0x1f;
        modem(u);
        break;
    case LSR: /* read only */
    case MSR: break;
    case SCR: u->scr = byte; break;
    default: return false;
    }
    update(d);
    return true;
}

static void ns16550_event(struct device *d, unsigned n)
{
    struct ns16550 *u = d->state;
    (void)n;
    if ((u->fcr & FCR_ON) && u->count)
        u->timeout = 1;
    update(d);
}

/* Takes what fits: the sender waits, so the host never causes an overrun. In loop mode the receive pin is cut off. */
static size_t ns16550_input(struct device *d, const void *p, size_t n)
{
    struct ns16550 *u = d->state;
    size_t taken = 0;
    while (!(u->mcr & MCR_LOOP) && taken < n && u->count < rx_capacity(u))
        rx_push(d, ((const uint8_t *)p)[taken++]);
    update(d);
    return taken;
}

static bool ns16550_valid(const struct device *d)
{
    const struct ns16550 *u = d->state;
    return u->head < UART_FIFO && u->count <= rx_capacity(u) && u->ier <= 0x0f && !(u->fcr & ~(FCR_ON | FCR_TRIGGER)) &&
           u->mcr <= 0x1f && u->overrun <= 1 && u->thri <= 1 && u->timeout <= 1;
}

const struct device_ops ns16550_ops = {
    DEVICE_ROW(ns16550),
    .mmio_size = 0x100,
    .state_size = sizeof(struct ns16550),
    .events = 1,
    .reset = ns16550_reset,
    .read = ns16550_read,
    .write = ns16550_write,
    .event = ns16550_event,
    .input = ns16550_input,
    .valid = ns16550_valid,
};
