/*
 * RVFI-DII execution packets, as TestRIG's implementations send them; little-endian.
 *
 * Version 1: 88 bytes: order, pc before, pc after, insn, rs1, rs2 and rd data, memory address, read and write data (8 bytes
 * each), read and write mask, rs1, rs2 and rd number, trap, halt, intr (1 byte each). Version 2: "trace-v2", size of the packet
 * (8 bytes each), order, insn, trap, halt, intr, mode, ixl, valid, 2 bytes of padding, pc before, pc after, 8 bytes of flags (1:
 * integer data follow, 2: memory data follow); "int-data", rd, rs1, rs2 data, rd, rs1, rs2 number, 5 bytes of padding;
 * "mem-data", read data, write data (32 bytes each), read mask, write mask (4 bytes each), address.
 */
#include "base/buf.h"
#include "debug/logs/reader.h"

#include <string.h>

enum { V1_SIZE = 88, V2_SIZE = 64, V2_INT = 40, V2_MEM = 88, INT_DATA = 1, MEM_DATA = 2 };

static uint64_t at64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

/* A packet of version 1 has flags of 0 or 1, register numbers below 32 and an address that is even. */
static bool plausible(const uint8_t *p)
{
    return p[82] < 32 && p[83] < 32 && p[84] < 32 && p[85] < 2 && p[86] < 2 && p[87] < 2 && !(p[8] & 1) &&
           at64(p) < UINT64_C(1) << 48;
}

bool log_rvfi_detect(const struct log_reader *r, const char *begin)
{
    const uint8_t *p = r->data + r->at;
    (void)begin;
    if (r->end - r->at >= V2_SIZE && !memcmp(p, "trace-v2", 8))
        return true;
    return r->end - r->at >= V1_SIZE && plausible(p) && memchr(p, 0, V1_SIZE) &&
           (r->end - r->at < 2 * V1_SIZE || plausible(p + V1_SIZE));
}

static void access(struct log_step *s, uint64_t address, uint32_t rmask, uint32_t wmask, uint64_t rdata, uint64_t wdata)
{
    struct log_mem m = {.address = address, .has_value = true};
    if (rmask) {
        m.bytes = (uint8_t)__builtin_popcount(rmask);
        m.value = rdata;
        log_step_mem(s, &m);
    }
    if (wmask) {
        m.bytes = (uint8_t)__builtin_popcount(wmask);
        m.value = wdata;
        m.store = true;
        log_step_mem(s, &m);
    }
}

static void written(struct log_step *s, unsigned rd, uint64_t value)
{
    struct log_reg g = {.class = LOG_X, .words = 1, .number = (uint16_t)(rd & 31), .value = {value}};
    if (rd & 31)
        log_step_reg(s, &g);
}

static void executed(struct log_step *s, uint64_t insn, bool trap)
{
    s->insn = (uint32_t)insn;
    s->insn_bytes = (insn & 3) == 3 ? 4 : 2;
    s->kind = trap ? LOG_TRAP : LOG_RETIRED;
}

static void version1(struct log_step *s, const uint8_t *p)
{
    s->pc = at64(p + 8);
    executed(s, at64(p + 24), p[85]);
    written(s, p[84], at64(p + 48));
    access(s, at64(p + 56), p[80], p[81], at64(p + 64), at64(p + 72));
}

/* What follows the 64 bytes of version 2; n bytes at p. */
static bool extensions(struct log_step *s, const uint8_t *p, size_t n, uint64_t flags)
{
    if (flags & INT_DATA) {
        if (n < V2_INT || memcmp(p, "int-data", 8))
            return false;
        written(s, p[32], at64(p + 8));
        p += V2_INT;
        n -= V2_INT;
    }
    if (flags & MEM_DATA) {
        if (n < V2_MEM || memcmp(p, "mem-data", 8))
            return false;
        access(s, at64(p + 80), (uint32_t)at64(p + 72), (uint32_t)(at64(p + 72) >> 32), at64(p + 8), at64(p + 40));
    }
    return true;
}

static enum log_result version2(struct log_reader *r, struct log_step *s, uint8_t *p, struct err *e)
{
    uint64_t size = at64(p + 8), flags = at64(p + 56);
    if (memcmp(p, "trace-v2", 8) || size < V2_SIZE || size > 4096)
        return log_bad(r, e, "a packet does not begin with \"trace-v2\" and its size");
    size_t more = size - V2_SIZE;
    if (log_take(r, p + V2_SIZE, more) < more) {
        r->torn = true;
        return LOG_END;
    }
    executed(s, at64(p + 24), p[32]);
    s->priv = p[35] < 4 ? p[35] : LOG_UNKNOWN;
    s->pc = at64(p + 40);
    return extensions(s, p + V2_SIZE, more, flags) ? LOG_STEP
                                                   : log_bad(r, e, "the data behind a packet are not those it announces");
}

enum log_result log_rvfi_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    uint8_t p[4096];
    if (!r->line && log_peek(r, 8) >= 8)
        r->v2 = !memcmp(r->data + r->at, "trace-v2", 8);
    size_t want = r->v2 ? V2_SIZE : V1_SIZE, got = log_take(r, p, want);
    r->line++;
    if (got < want) {
        r->torn |= got > 0;
        return log_finish(r, e);
    }
    log_step_begin(r, s);
    if (r->v2)
        return version2(r, s, p, e);
    if (!plausible(p))
        return log_bad(r, e, "the packet is none of RVFI-DII: a flag or a register number is out of range");
    if (p[86] && !at64(p + 24)) /* the answer to a reset: halt, and nothing executed */
        return log_rvfi_next(r, s, e);
    version1(s, p);
    return LOG_STEP;
}
