/*
 * Platform-level interrupt controller (RISC-V PLIC specification 1.0.0), with the parameters of QEMU's `virt` board: sources 1 to
 * 95 (or d->arg), priorities 0 to 7, two contexts a hart (2h: machine mode, drives MEIP; 2h + 1: supervisor mode, drives SEIP).
 *
 *   0x000000 + 4s           priority of source s, 0: never interrupts (chapter 4)
 *   0x001000 + 4(s / 32)    pending bits, read only (chapter 5)
 *   0x002000 + 0x80c + ...  enable bits of context c (chapter 6)
 *   0x200000 + 0x1000c      threshold of context c: only greater priorities interrupt (chapter 7)
 *   0x200004 + 0x1000c      read: claim (chapter 8); write: complete (chapter 9)
 *
 * All registers are 4 bytes wide; what is between them reads zero and ignores writes. All sources are level-triggered: a gateway
 * passes one request on while its line is high and then waits for the completion; a line that falls earlier does not take the
 * request back (chapter 1, "Interrupt Gateways").
 */
#include "base/bits.h"
#include "devices/devices.h"

#define SOURCES_MAX     128u
#define WORDS           (SOURCES_MAX / 32)
#define CONTEXTS        (2 * DEVICES_HARTS_MAX)
#define PRIORITY        7u /* mask: priorities are 3 bits wide */
#define SOURCES_DEFAULT 95u

#define PENDING 0x1000u
#define ENABLE  0x2000u
#define CONTEXT 0x200000u
enum { IRQ_SEIP = 9, IRQ_MEIP = 11 };

struct plic {
    uint8_t priority[SOURCES_MAX];
    uint8_t threshold[CONTEXTS];
    uint32_t enable[CONTEXTS][WORDS];
    uint32_t pending[WORDS];
    uint32_t level[WORDS]; /* the input lines */
    uint32_t busy[WORDS];  /* the gateway has passed a request on that is not completed */
    uint64_t out;          /* bit c: context c's interrupt is signalled */
};

/* Source numbers are below this (source 0 does not exist). */
static unsigned sources_end(const struct device *d)
{
    uint64_t n = d->arg ? d->arg : SOURCES_DEFAULT;
    return n < SOURCES_MAX ? (unsigned)n + 1 : SOURCES_MAX;
}

static unsigned contexts(const struct device *d) { return 2 * (d->harts < DEVICES_HARTS_MAX ? d->harts : DEVICES_HARTS_MAX); }

/* The bits of word w that are sources. */
static uint32_t word_mask(const struct device *d, unsigned w)
{
    unsigned end = sources_end(d), from = w * 32;
    uint32_t m = end <= from ? 0 : (uint32_t)bits_mask(0, end - from < 32 ? end - from : 32);
    return w ? m : m & ~UINT32_C(1);
}

/* The pending, enabled source of the greatest priority above `above`; of equal ones the lowest number. 0: none. */
static unsigned best(const struct plic *p, unsigned context, unsigned above)
{
    unsigned found = 0;
    for (unsigned w = 0; w < WORDS; w++) {
        for (uint32_t m = p->pending[w] & p->enable[context][w]; m; m &= m - 1) {
            unsigned s = w * 32 + (unsigned)__builtin_ctz(m);
            if (p->priority[s] > above) {
                found = s;
                above = p->priority[s];
            }
        }
    }
    return found;
}

static void update(struct device *d)
{
    struct plic *p = d->state;
    for (unsigned c = 0; c < contexts(d); c++) {
        bool level = best(p, c, p->threshold[c]) != 0;
        if (level != (p->out >> c & 1)) {
            p->out ^= UINT64_C(1) << c;
            d->host->hart_irq(d, c / 2, c & 1 ? IRQ_SEIP : IRQ_MEIP, level);
        }
    }
}

/* The gateways of word w: lines that are high and free pass a request on. */
static void gateways(struct plic *p, unsigned w)
{
    uint32_t request = p->level[w] & ~p->busy[w];
    p->busy[w] |= request;
    p->pending[w] |= request;
}

static void plic_line(struct device *d, unsigned line, bool level)
{
    struct plic *p = d->state;
    if (!line || line >= sources_end(d) || level == (p->level[line / 32] >> line % 32 & 1))
        return;
    p->level[line / 32] = (uint32_t)bits_set(p->level[line / 32], line % 32, line % 32, level);
    gateways(p, line / 32);
    update(d);
}

static void plic_reset(struct device *d)
{
    struct plic *p = d->state;
    *p = (struct plic){0};
    for (unsigned c = 0; c < contexts(d); c++)
        d->host->hart_irq(d, c / 2, c & 1 ? IRQ_SEIP : IRQ_MEIP, false);
}

/* A claim ignores the threshold (chapter 8) and clears the pending bit. */
static unsigned claim(struct device *d, unsigned context)
{
    struct plic *p = d->state;
    unsigned s = best(p, context, 0);
    if (s) {
        p->pending[s / 32] &= ~(UINT32_C(1) << s % 32);
        update(d);
    }
    return s;
}

/* A completion counts if the source is enabled for the context, whoever claimed it (chapter 9). */
static void complete(struct device *d, unsigned context, uint64_t source)
{
    struct plic *p = d->state;
    if (source >= sources_end(d) || !(p->enable[context][source / 32] >> source % 32 & 1))
        return;
    p->busy[source / 32] &= ~(UINT32_C(1) << source % 32);
    gateways(p, (unsigned)source / 32);
    update(d);
}

static bool plic_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    const struct plic *p = d->state;
    *value = 0;
    if (size != 4)
        return false;
    if (off < PENDING) {
        if (off / 4 < sources_end(d))
            *value = p->priority[off / 4];
    } else if (off < ENABLE) {
        if ((off - PENDING) / 4 < WORDS)
            *value = p->pending[(off - PENDING) / 4];
    } else if (off < CONTEXT) {
        uint64_t c = (off - ENABLE) / 0x80, w = (off - ENABLE) % 0x80 / 4;
        if (c < contexts(d) && w < WORDS)
            *value = p->enable[c][w];
    } else {
        uint64_t c = (off - CONTEXT) / 0x1000;
        if (c < contexts(d) && (off & 0xfff) == 0)
            *value = p->threshold[c];
        if (c < contexts(d) && (off & 0xfff) == 4)
            *value = claim(d, (unsigned)c);
    }
    return true;
}

static bool plic_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct plic *p = d->state;
    if (size != 4)
        return false;
    value = (uint32_t)value;
    if (off < PENDING) {
        if (off && off / 4 < sources_end(d))
            p->priority[off / 4] = value & PRIORITY;
    } else if (off < ENABLE) {
        return true; /* pending bits are set by gateways and cleared by claims only */
    } else if (off < CONTEXT) {
        uint64_t c = (off - ENABLE) / 0x80, w = (off - ENABLE) % 0x80 / 4;
        if (c < contexts(d) && w < WORDS)
            p->enable[c][w] = (uint32_t)value & word_mask(d, (unsigned)w);
    } else {
        uint64_t c = (off - CONTEXT) / 0x1000;
        if (c < contexts(d) && (off & 0xfff) == 0)
            p->threshold[c] = value & PRIORITY;
        if (c < contexts(d) && (off & 0xfff) == 4)
            complete(d, (unsigned)c, value);
    }
    update(d);
    return true;
}

static bool plic_valid(const struct device *d)
{
    const struct plic *p = d->state;
    for (unsigned s = 0; s < SOURCES_MAX; s++)
        if (p->priority[s] > PRIORITY)
            return false;
    for (unsigned c = 0; c < CONTEXTS; c++) {
        if (p->threshold[c] > PRIORITY)
            return false;
        for (unsigned w = 0; w < WORDS; w++)
            if (p->enable[c][w] & ~word_mask(d, w))
                return false;
    }
    for (unsigned w = 0; w < WORDS; w++)
        if ((p->pending[w] | p->level[w] | p->busy[w]) & ~word_mask(d, w))
            return false;
    return true;
}

const struct device_ops plic_ops = {
    DEVICE_ROW(plic),    .mmio_size = 0x600000, .state_size = sizeof(struct plic),
    .reset = plic_reset, .read = plic_read,     .write = plic_write,
    .line = plic_line,   .valid = plic_valid,
};
