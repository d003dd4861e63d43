/*
 * NOR flash: two 16-bit chips side by side on a 32-bit bus, 64 MiB in blocks of 256 KiB (Intel StrataFlash command set; JEDEC
 * JESD68.01 "Common Flash Memory Interface"; Intel AP-646).
 *
 *   0xff, 0xf0       read array: loads see the memory          0x70  read status     0x50  clear status
 *   0x90             read identification and lock status       0x98  read the CFI table
 *   0x40, 0x10       program: the next store is the data       0xe8  program by buffer: count - 1, words, 0xd0
 *   0x20, 0xd0       erase the block                           0x60  lock bits: 0x01 lock, 0xd0 unlock all; kept nowhere
 *
 * Stores and, outside of the array mode, loads come here; else the memory is read directly (struct device_ops: rom). Both chips
 * get the same command, of which the lowest byte counts, and answer alike. Programming only clears bits. Nothing takes time: the
 * status is ready at once. What was programmed stays over a reset.
 */
#include "devices/devices.h"
#include <string.h>

#define SIZE      (UINT64_C(64) << 20)
#define BLOCK     (UINT64_C(256) << 10)
#define BUFFER    2048u /* bytes */
#define CHIPS(v)  ((uint32_t)(v)*0x10001u)
#define DEVICE_ID 0x18
#define VENDOR_ID 0x89
enum { READY = 0x80, ERASE_FAILED = 0x20, PROGRAM_FAILED = 0x10 };
enum {
    READ_ARRAY = 0xff,
    READ_ARRAY_AMD = 0xf0,
    READ_STATUS = 0x70,
    CLEAR_STATUS = 0x50,
    READ_ID = 0x90,
    READ_CFI = 0x98,
    PROGRAM = 0x40,
    PROGRAM_ALT = 0x10,
    BUFFERED = 0xe8,
    ERASE = 0x20,
    LOCK = 0x60,
    CONFIRM = 0xd0
};

struct cfi_flash {
    uint8_t mode;   /* what loads see: READ_ARRAY, READ_STATUS, READ_ID, READ_CFI */
    uint8_t status; /* SR of both chips */
    uint8_t first;  /* the command whose next store is awaited: PROGRAM, BUFFERED, ERASE, LOCK; 0: none */
    uint8_t phase;  /* of BUFFERED: 0 the count, 1 the words, 2 the confirmation */
    uint16_t left;  /* stores of phase 1 to come */
    uint8_t began;  /* of phase 1: a word has come */
    uint8_t pad;
    uint64_t from; /* of BUFFERED: the buffer's first byte in the flash, aligned to its size */
    uint8_t data[BUFFER];
    uint8_t valid[BUFFER / 8]; /* bit per byte of data that was stored */
};

static void set_mode(struct device *d, uint8_t mode)
{
    struct cfi_flash *c = d->state;
    c->mode = mode;
    d->host->rom_on(d, mode == READ_ARRAY);
}

/* JESD68.01 tables 3 to 6, as one chip has it: 32 MiB, 256 blocks of 128 KiB. */
static uint8_t cfi(uint64_t n)
{
    static const uint8_t table[0x40] = {
        [0x10] = 'Q',  [0x11] = 'R',  [0x12] = 'Y',  [0x13] = 0x01,                /* Intel command set */
        [0x15] = 0x31,                                                             /* its table, below */
        [0x1b] = 0x45, [0x1c] = 0x55, [0x1f] = 0x07, [0x20] = 0x07, [0x21] = 0x0a, /* volts, 2^n us or ms */
        [0x23] = 0x04, [0x24] = 0x04, [0x25] = 0x04,                               /* most: times 2^n */
        [0x27] = 25,                                                               /* 2^25 bytes */
        [0x28] = 0x02, [0x2a] = 0x0a,                                              /* 8 and 16 bits; buffer of 1 KiB */
        [0x2c] = 0x01, [0x2d] = 0xff, [0x2f] = 0x00, [0x30] = 0x02,                /* 255 + 1 blocks of 512 * 256 */
        [0x31] = 'P',  [0x32] = 'R',  [0x33] = 'I',  [0x34] = '1',  [0x35] = '0',  [0x3f] = 0x01,
    };
    return n < sizeof table ? table[n] : 0;
}

/* Two chips' answer on the 32-bit bus. */
static uint32_t answer(const struct cfi_flash *c, uint64_t off)
{
    switch (c->mode) {
    case READ_ID: return CHIPS(off % BLOCK / 4 == 0 ? VENDOR_ID : off % BLOCK / 4 == 1 ? DEVICE_ID : 0);
    case READ_CFI: return CHIPS(cfi(off / 4));
    default: return CHIPS(c->status);
    }
}

static bool cfi_flash_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    const struct cfi_flash *c = d->state;
    uint64_t v = answer(c, off & ~UINT64_C(3)) | (uint64_t)answer(c, (off & ~UINT64_C(3)) + 4) << 32;
    if (off >= SIZE)
        return false;
    v >>= 8 * (off & 3);
    *value = size == 8 ? v : v & ((UINT64_C(1) << 8 * size) - 1);
    return true;
}

/* ---- changing the memory
 * ------------------------------------------------------------------------------------------------------------ */

static void fail(struct cfi_flash *c, uint8_t bits) { c->status |= bits; }

static void program(struct device *d, uint64_t off, const uint8_t *data, unsigned n)
{
    uint8_t now[8];
    if (!d->host->dma_read(d, d->base + off, now, n)) {
        fail(d->state, PROGRAM_FAILED);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        now[i] &= data[i];
    if (!d->host->dma_write(d, d->base + off, now, n))
        fail(d->state, PROGRAM_FAILED);
}

static void program_buffer(struct device *d)
{
    struct cfi_flash *c = d->state;
    for (unsigned i = 0; i < BUFFER; i++)
        if (c->valid[i / 8] >> i % 8 & 1)
            program(d, c->from + i, &c->data[i], 1);
}

static void erase(struct device *d, uint64_t off)
{
    uint8_t page[4096];
    memset(page, 0xff, sizeof page);
    off -= off % BLOCK;
    for (uint64_t i = 0; i < BLOCK; i += sizeof page)
        if (!d->host->dma_write(d, d->base + off + i, page, sizeof page))
            fail(d->state, ERASE_FAILED);
}

/* ---- commands
 * --------------------------------------------------------------------------------------------------------------------- */

static void begin(struct device *d, uint8_t command)
{
    struct cfi_flash *c = d->state;
    switch (command) {
    case READ_ARRAY_AMD:
    case READ_ARRAY: set_mode(d, READ_ARRAY); return;
    case READ_STATUS:
    case READ_ID:
    case READ_CFI: set_mode(d, command); return;
    case CLEAR_STATUS: c->status = READY; return;
    case PROGRAM_ALT: command = PROGRAM; break;
    case PROGRAM:
    case BUFFERED:
    case ERASE:
    case LOCK: break;
    default: return; /* nothing known */
    }
    c->first = command;
    c->phase = 0;
    set_mode(d, READ_STATUS);
}

/* The buffer takes words of one aligned piece of its size; others are a failure (AP-646, "write to buffer"). */
static void fill(struct cfi_flash *c, uint64_t off, unsigned size, const uint8_t *data)
{
    if (off - off % BUFFER != c->from) {
        fail(c, PROGRAM_FAILED);
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        unsigned at = (unsigned)(off % BUFFER) + i;
        c->data[at] = data[i];
        c->valid[at / 8] |= (uint8_t)(1u << at % 8);
    }
}

static void buffered(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct cfi_flash *c = d->state;
    if (c->phase == 0) {
        uint32_t words = (uint32_t)(value & 0xffff) + 1;
        memset(c->valid, 0, sizeof c->valid);
        c->phase = 1;
        c->began = 0;
        if (words > BUFFER / 4) { /* more than the buffer has */
            fail(c, PROGRAM_FAILED | ERASE_FAILED);
            c->first = c->phase = 0;
            words = 0;
        }
        c->left = (uint16_t)words;
    } else if (c->phase == 1) {
        uint8_t data[8];
        memcpy(data, &value, sizeof data);
        if (!c->began) /* command and count may go to any address of the block: the first word says where */
            c->from = off - off % BUFFER;
        c->began = 1;
        fill(c, off, size, data);
        if (!--c->left)
            c->phase = 2;
    } else {
        if ((uint8_t)value != CONFIRM)
            fail(c, PROGRAM_FAILED | ERASE_FAILED);
        else if (!(c->status & PROGRAM_FAILED))
            program_buffer(d);
        c->first = 0;
    }
}

static bool cfi_flash_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct cfi_flash *c = d->state;
    uint8_t data[8];
    if (off >= SIZE)
        return false;
    if (size == 8) /* the bus is 32 bits wide */
        return cfi_flash_write(d, off, 4, (uint32_t)value) && cfi_flash_write(d, off + 4, 4, value >> 32);
    memcpy(data, &value, sizeof data);
    switch (c->first) {
    case PROGRAM:
        program(d, off, data, size);
        c->first = 0;
        break;
    case BUFFERED: buffered(d, off, size, value); break;
    case ERASE:
        if (data[0] == CONFIRM)
            erase(d, off);
        else
            fail(c, PROGRAM_FAILED | ERASE_FAILED); /* a sequence error */
        c->first = 0;
        break;
    case LOCK: c->first = 0; break;
    default: begin(d, data[0]); break;
    }
    return true;
}

static void cfi_flash_reset(struct device *d)
{
    struct cfi_flash *c = d->state;
    *c = (struct cfi_flash){.status = READY};
    set_mode(d, READ_ARRAY);
}

static void cfi_flash_refresh(struct device *d)
{
    const struct cfi_flash *c = d->state;
    d->host->rom_on(d, c->mode == READ_ARRAY);
}

static bool cfi_flash_valid(const struct device *d)
{
    const struct cfi_flash *c = d->state;
    bool mode = c->mode == READ_ARRAY || c->mode == READ_STATUS || c->mode == READ_ID || c->mode == READ_CFI;
    bool first = !c->first || c->first == PROGRAM || c->first == BUFFERED || c->first == ERASE || c->first == LOCK;
    return mode && first && c->phase <= 2 && c->began <= 1 && c->left <= BUFFER / 4 && (c->phase != 1 || c->left) &&
           c->from < SIZE && c->from % BUFFER == 0;
}

const struct device_ops cfi_flash_ops = {
    DEVICE_ROW(cfi_flash),
    .mmio_size = SIZE,
    .rom = true,
    .state_size = sizeof(struct cfi_flash),
    .reset = cfi_flash_reset,
    .read = cfi_flash_read,
    .write = cfi_flash_write,
    .refresh = cfi_flash_refresh,
    .valid = cfi_flash_valid,
};
