/* Comparing what two emulators recorded, and what may differ. */
#include "diff.h"

#include <inttypes.h>
#include <string.h>

/*
 * What may differ, and why: csr, xlen (0: both), bits, reason. docs/differences.md tells more. A register that is here is not
 * read into an x register by random instructions either.
 */
struct mask {
    uint16_t csr;
    uint8_t xlen;
    uint64_t bits;
    const char *why;
};
static const struct mask masks[] = {
    {0x301, 0, 1 << 1, "misa.B: QEMU 7.2 predates it"},
    {0x302, 0, 1 << 0 | 1 << 11 | 1 << 19, "medeleg: WARL, for exceptions that never come from below M; hardware error"},
    {0x602, 0, 1 << 0 | 1 << 19, "hedeleg: the same; hardware error"},
    {0x106, 0, ~UINT64_C(7), "scounteren: WARL, trapline has no event counters here; QEMU 7.2 keeps every bit"},
    {0x306, 0, ~UINT64_C(7), "mcounteren: the same"},
    {0x606, 0, ~UINT64_C(7), "hcounteren: the same"},
    {0x10a, 0, ~UINT64_C(1), "senvcfg: QEMU 7.2 has CBIE, CBCFE, CBZE without Zicbom, Zicboz"},
    {0x645, 0, 1 << 6, "hvip.VSTIP: QEMU 7.2 shows vstimecmp there (sstc)"},
    {0x303, 0, 1 << 13, "mideleg, LCOFI: QEMU 7.2 has it without Sscofpmf"},
    {0x303, 0, 1 << 12, "SGEI without guest external interrupts: read-only 0 (hypervisor 4.2)"},
    {0x304, 0, 1 << 12, "the same"},
    {0x604, 0, 1 << 12, "the same"},
    {0x30a, 64, UINT64_C(1) << 61, "menvcfg.ADUE: QEMU 7.2 predates it and always updates A and D"},
    {0x31a, 32, 1 << 29, "the same"},
    {0x60a, 64, UINT64_C(1) << 61, "henvcfg.ADUE: the same"},
    {0x61a, 32, 1 << 29, "the same"},
    {0x200, 64, UINT64_C(1) << 63, "vsstatus.SD: QEMU 7.2 leaves it 0 unless V=1 (hypervisor 2.11)"},
    {0x200, 32, UINT64_C(1) << 31, "the same"},
    {0x200, 0, 3 << 9, "vsstatus.VS: QEMU 7.2 has it without V"},
    {0x141, 0, 1, "sepc: QEMU 7.2 keeps bit 0 (priv 3.1.14)"},
    {0x241, 0, 1, "vsepc: the same"},
    {0x341, 0, 1, "mepc: the same"},
    {0x244, 0, 1 << 9 | 1 << 5, "vsip: QEMU 7.2 does not show hip.VSEIP, VSTIP there (hypervisor 2.12)"},
    {0x300, 64, UINT64_C(1) << 38, "mstatus.GVA: QEMU 7.2 does not clear it, and sets it for any value (hypervisor 4.1)"},
    {0x310, 32, 1 << 6, "the same"},
};

static uint64_t mask_of(unsigned xlen, unsigned csr)
{
    uint64_t m = 0;
    for (unsigned i = 0; i < ARRAY_LEN(masks); i++)
        if (masks[i].csr == csr && (!masks[i].xlen || masks[i].xlen == xlen))
            m |= masks[i].bits;
    return m;
}

static bool is_time(unsigned csr) { return (csr >= 0xb00 && csr < 0xc00) || (csr >= 0xc00 && csr < 0xca0); }

/* A transformed instruction may be 0 instead, a pseudoinstruction may not (hypervisor "Transformed Instruction"). */
static bool same_tinst(uint64_t a, uint64_t b)
{
    bool pseudo = (a & ~UINT64_C(0x1020)) == 0x2000 || (b & ~UINT64_C(0x1020)) == 0x2000;
    return a == b || (!pseudo && (!a || !b));
}

static uint64_t slot(const uint8_t *p, unsigned xlen)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return xlen == 32 ? (uint32_t)v : v;
}

/* Value of a CSR in a record. */
static uint64_t recorded(const uint8_t *record, unsigned xlen, unsigned csr)
{
    for (unsigned i = 0; i < diff_record_count(xlen); i++)
        if (diff_record_csr(xlen, i) == csr)
            return slot(record + REC_CSR + 8 * i, xlen);
    return 0;
}

/* An access over the end of a page may fault in both: which is told is open (priv 3.7.1, 3.1.15: its parts are accesses of their
   own). trapline translates both parts, then accesses; QEMU 7.2 goes part by part. */
static bool across(uint64_t cause, uint64_t a, uint64_t b)
{
    return (cause == 13 || cause == 15) && !(a & 0xfff) && a - b - 1 < 8;
}

static uint32_t code_at(const uint8_t *arena, uint64_t at)
{
    uint32_t bits = 0;
    at &= DIFF_ARENA - 2;
    memcpy(&bits, arena + at, at + 4 <= DIFF_ARENA ? 4 : 2);
    return (bits & 3) == 3 ? bits : bits & 0xffff;
}

/*
 * The value of an illegal or virtual instruction is 0 or its bits, that of ebreak is 0 or its address (priv 3.1.16). QEMU 7.2
 * gives 0, or the bits of an instruction before it; so trapline's is compared with what memory holds: at mepc; anywhere in the
 * code for the others, whose epc may be another already. Addresses in an arena differ from their offset in it by a multiple of
 * its size.
 */
static bool same_tval(unsigned xlen, const uint8_t *arena, const uint8_t *record, unsigned csr, uint64_t a, uint64_t b)
{
    uint64_t cause = recorded(record, xlen, csr - 1), epc = recorded(record, xlen, csr - 2);
    if ((cause == 5 || cause == 7) && ((a - b + 8) & (xlen == 32 ? UINT32_MAX : UINT64_MAX)) < 16)
        return true; /* any part of the access that failed; QEMU 7.2 also gives an aligned address below it */
    if (across(cause, a, b))
        return true;
    if (cause == 1 || cause == 12 || cause == 20)
        return ((a ^ b) & ~UINT64_C(1)) == 0; /* QEMU 7.2 keeps bit 0 of xepc */
    if (a == b || (cause != 2 && cause != 22 && cause != 3))
        return a == b;
    if (csr == 0x343)
        return cause == 3 ? b == 0 && a == epc : a == code_at(arena, epc);
    uint64_t at = PG_CODE * 4096;
    if (cause == 3)
        return b == 0 && (code_at(arena, a) == 0x9002 || code_at(arena, a) == 0x100073);
    while (at < DIFF_ARENA && a != code_at(arena, at))
        at += at == PG_DATA * 4096 ? (PG_HANDLERS - PG_DATA) * 4096 : 2;
    return at < DIFF_ARENA;
}

/* The instruction at an address of the arena, or the one before (the handler may have gone on already), is an atomic one. */
static bool is_amo(const uint8_t *arena, uint64_t epc)
{
    uint32_t here, before;
    memcpy(&here, arena + (epc & (DIFF_ARENA - 4)), 4);
    memcpy(&before, arena + ((epc - 4) & (DIFF_ARENA - 4)), 4);
    if (epc & 2) {
        memcpy(&here, arena + (epc & (DIFF_ARENA - 2)), 4);
        memcpy(&before, arena + ((epc - 4) & (DIFF_ARENA - 2)), 4);
    }
    return (here & 127) == 0x2f || (before & 127) == 0x2f;
}

/* The guest-page fault of an implicit access has the number of the access it was for; QEMU 7.2 gives that of a load
 * (hypervisor 5.2). */
static bool same_cause(uint64_t tinst, uint64_t a, uint64_t b, bool amo)
{
    if (a == 1 &&
        (b == 20 || b == 21)) /* a fetch from where nothing is or PMP denies, with V=1: QEMU 7.2 tells a guest-page fault */
        return true;
    if (amo && a == 7 && b == 5) /* an atomic instruction where nothing answers: QEMU 7.2 loads first (priv 3.1.15) */
        return true;
    return a == b || ((tinst & ~UINT64_C(0x1020)) == 0x2000 && (a == 20 || a == 23) && b == 21);
}

/* A trap into VS has been taken: QEMU 7.2 writes htval, htinst and hstatus.GVA then, too (hypervisor 5.2: traps into HS do). */
static bool vs_trapped(unsigned xlen, const uint8_t *record)
{
    uint64_t at = recorded(record, xlen, 0x241) / DIFF_ARENA;
    return recorded(record, xlen, 0x341) == recorded(record, xlen, 0x205) || at == recorded(record, xlen, 0x205) / DIFF_ARENA ||
           at == recorded(record, xlen, 0x141) / DIFF_ARENA;
}

/* Where there was no guest-page fault, mtval2 is 0; QEMU 7.2 leaves an address there (hypervisor 4.4). */
static bool guest_fault(uint64_t cause) { return cause == 20 || cause == 21 || cause == 23; }

static bool same_csr(unsigned xlen, const uint8_t *arena, const uint8_t *record, unsigned csr, uint64_t a, uint64_t b)
{
    switch (csr) {
    case 0x343:
    case 0x143:
    case 0x243: return same_tval(xlen, arena, record, csr, a, b);
    case 0x34b: return a == b || (a == 0 && !guest_fault(recorded(record, xlen, 0x342)));
    case 0x643:
        return a == b || ((a == 0 || b == 0) && (vs_trapped(xlen, record) || !guest_fault(recorded(record, xlen, 0x142))));
    case 0x600: return a == b || ((a ^ b) == 1 << 6 && (vs_trapped(xlen, record) || recorded(record, xlen, 0x142) == 3));
    case 0x34a: return same_tinst(a, b) || (a == 0 && recorded(record, xlen, 0x342) == 1); /* see same_cause */
    case 0x64a: return a == b || !a || !b; /* may be that of a case before; mtinst tells whether pseudoinstructions are right */
    case 0x342:
        if (!(recorded(record, xlen, 0x343) & 0xfff) && ((a == 13 && b == 5) || (a == 15 && b == 7)))
            return true; /* see across() */
        return same_cause(recorded(record, xlen, 0x34a), a, b, is_amo(arena, recorded(record, xlen, 0x341)));
    case 0x242:
        return same_cause(0, a, b, true) ||
               (b == a - 1 && (a == 2 || a == 6 || a == 10)); /* QEMU 7.2 takes exceptions for VS interrupts */
    case 0x142: return same_cause(recorded(record, xlen, 0x64a), a, b, true);
    default: return ((a ^ b) & ~mask_of(xlen, csr)) == 0;
    }
}

bool diff_csr_readable(unsigned xlen, unsigned csr)
{
    return !is_time(csr) && csr != 0x340 && csr != 0x305 && csr != 0x34a && csr != 0x64a && csr != 0x342 && csr != 0x142 &&
           csr != 0x600 && csr != 0x643 && csr != 0x34b && csr != 0x242 && csr != 0x144 && csr != 0x104 && csr != 0x343 &&
           csr != 0x143 && csr != 0x243 && !mask_of(xlen, csr);
}

/* Event counters and their events: QEMU has none with pmu-num=0, trapline always has the machine's, as the specification wants
 * (priv 3.1.10). */
bool diff_csr_excluded(unsigned csr)
{
    return (csr >= 0xb03 && csr < 0xb20) || (csr >= 0xb83 && csr < 0xba0) || (csr >= 0xc03 && csr < 0xc20) ||
           (csr >= 0xc83 && csr < 0xca0) || csr == 0x312 || csr == 0x612 /* medelegh, hedelegh: younger than QEMU 7.2 */ ||
           (csr >= 0x321 && csr < 0x340) || (csr >= 0x721 && csr < 0x740);
}

bool diff_csr_writable(unsigned csr)
{
    static const uint16_t keep[] = {
        0x305, 0x340,                             /* mtvec, mscratch: the harness's */
        0x105, 0x205,                             /* stvec, vstvec: a trap would not come back */
        0x301, 0x310,                             /* misa */
        0x302, 0x602,                             /* medeleg, hedeleg: faults that QEMU 7.2 tells of as others go together */
        0x64a,                                    /* htinst: QEMU 7.2 ignores writes */
        0x645,                                    /* hvip: QEMU 7.2 makes VSTIP read-only when STCE is set */
        0x142, 0x242, 0x342, 0x143, 0x243, 0x343, /* xcause, xtval: the rules below go by them */
        0x141, 0x241, 0x341,                      /* xepc: QEMU 7.2 keeps bit 0 (priv 3.1.14) */
        0x180,                                    /* satp: see no_guest_access */
        0x280, 0x680,                             /* vsatp, hgatp: QEMU 7.2 takes any MODE, and aborts when it is used */
        0x30a, 0x31a, 0x60a, 0x61a,               /* envcfg: ADUE */
        0x304, 0x104, 0x604, 0x204,               /* enabled interrupts: one at a time, see world.c */
        0x344, 0x144, 0x244, /* mip, sip, vsip: QEMU 7.2 lets mip write VSTIP, and vsip write hip unshifted */
        0x14d, 0x15d, 0x24d, 0x25d, 0x605, 0x615, /* times */
    };
    for (unsigned i = 0; i < ARRAY_LEN(keep); i++)
        if (keep[i] == csr)
            return false;
    return !(csr >= 0x3a0 && csr < 0x3f0) && !(csr >= 0x320 && csr < 0x340); /* locks would stay */
}

static const uint8_t *record_at(const uint8_t *ram, unsigned index, unsigned round, unsigned record)
{
    return ram + diff_round(index, round) + ROUND_RECORDS + record * REC_SIZE;
}

unsigned diff_records(const uint8_t *ram, unsigned index, unsigned round)
{
    unsigned n = 0;
    while (n < REC_MAX && slot(record_at(ram, index, round, n), 32))
        n++;
    return n;
}

static void print_difference(FILE *out, unsigned record, const char *name, uint64_t before, uint64_t mine, uint64_t other)
{
    if (out)
        fprintf(out, "  record %u.%u: %-9s trapline %016" PRIx64 ", qemu %016" PRIx64 ", before %016" PRIx64 "\n",
                record / REC_MAX, record % REC_MAX, name, mine, other, before);
}

/* One record, and the one before it in a (NULL: none). Tells all differences; `record` is round * REC_MAX + number. */
static bool same_record(unsigned xlen, const uint8_t *arena, unsigned record, const uint8_t *a, const uint8_t *b,
                        const uint8_t *before, FILE *out)
{
    bool same = true;
    char name[32];
    for (unsigned i = 1; i < 64; i++) {
        unsigned off = i < 32 ? REC_X + 8 * i : REC_F + 8 * (i - 32);
        uint64_t x = slot(a + off, i < 32 ? xlen : 64), y = slot(b + off, i < 32 ? xlen : 64);
        if (x == y)
            continue;
        same = false;
        snprintf(name, sizeof name, "%c%u", i < 32 ? 'x' : 'f', i % 32);
        print_difference(out, record, name, before ? slot(before + off, 64) : 0, x, y);
    }
    for (unsigned i = 0; i < diff_record_count(xlen); i++) {
        unsigned csr = diff_record_csr(xlen, i), off = REC_CSR + 8 * i;
        uint64_t x = slot(a + off, xlen), y = slot(b + off, xlen);
        if (same_csr(xlen, arena, a, csr, x, y))
            continue;
        same = false;
        csr_name(csr, name, sizeof name);
        print_difference(out, record, name, before ? slot(before + off, xlen) : 0, x, y);
    }
    return same;
}

bool diff_code_written(const uint8_t *before, const uint8_t *mine, unsigned index)
{
    uint64_t code = diff_arena(index) + PG_CODE * 4096;
    return memcmp(before + code, mine + code, (PG_DATA - PG_CODE) * 4096) != 0;
}

static const uint16_t causes[] = {0x342, 0x142, 0x242}; /* xtval follows each */

/* An access fault at the test finisher, which is a device in both: what atomics and misaligned accesses do there is open (priv
   3.6.3, 3.6.5), and what follows is not comparable. */
static bool at_finisher(unsigned xlen, const uint8_t *record)
{
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
        uint64_t cause = recorded(record, xlen, causes[i]);
        if ((cause == 5 || cause == 7) && recorded(record, xlen, causes[i] + 1) >> 12 == 0x100)
            return true;
    }
    return false;
}

/* A store that faults at the start of a page may have done its part before (priv 3.6.3: a misaligned store need not be one
   access): memory is not comparable from there on. */
static bool in_part(unsigned xlen, const uint8_t *record)
{
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
        uint64_t cause = recorded(record, xlen, causes[i]);
        if ((cause == 7 || cause == 15 || cause == 23) && !(recorded(record, xlen, causes[i] + 1) & 0xfff))
            return true;
    }
    return false;
}

/* *open: from a record on nothing is compared. */
static bool same_round(const struct diff_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, unsigned round,
                       bool *open, FILE *out)
{
    unsigned na = diff_records(mine, index, round), nb = diff_records(other, index, round);
    for (unsigned i = 0; i < na && i < nb; i++) {
        const uint8_t *a = record_at(mine, index, round, i), *b = record_at(other, index, round, i);
        *open = in_part(isa->xlen, a) || at_finisher(isa->xlen, a);
        if (*open)
            return true;
        if (memcmp(a, b, REC_SIZE) &&
            !same_record(isa->xlen, mine + diff_arena(index), round * REC_MAX + i, a, b, i ? a - REC_SIZE : NULL, out))
            return false;
    }
    if (na != nb && out)
        fprintf(out, "  in round %u trapline made %u records, qemu %u\n", round, na, nb);
    return na == nb;
}

bool diff_same(const struct diff_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out)
{
    const uint8_t *a = mine + diff_arena(index), *b = other + diff_arena(index);
    bool open = false;
    for (unsigned i = 0; i < DIFF_ROUNDS && !open; i++)
        if (!same_round(isa, mine, other, index, i, &open, out))
            return false;
    if (open)
        return true;
    if (!memcmp(a, b, PG_COUNT * 4096))
        return true;
    for (unsigned i = 0; out && i < PG_COUNT * 4096; i += 8)
        if (slot(a + i, 64) != slot(b + i, 64))
            fprintf(out, "  memory %u:%03x: trapline %016" PRIx64 ", qemu %016" PRIx64 "\n", i / 4096, i % 4096, slot(a + i, 64),
                    slot(b + i, 64));
    return false;
}

void diff_dump(const struct diff_isa *isa, const uint8_t *before, const uint8_t *mine, const uint8_t *other, unsigned index,
               unsigned round, FILE *out)
{
    const uint8_t *start = before + diff_arena(index);
    unsigned n = diff_records(mine, index, round);
    for (unsigned r = 0; r < n; r++) {
        fprintf(out, "  record %u.%u of trapline (* what differs):", round, r);
        for (unsigned i = 0; i < diff_record_count(isa->xlen); i++) {
            unsigned off = REC_CSR + 8 * i;
            char name[32];
            csr_name(diff_record_csr(isa->xlen, i), name, sizeof name);
            uint64_t x = slot(record_at(mine, index, round, r) + off, isa->xlen),
                     y = slot(record_at(other, index, round, r) + off, isa->xlen);
            fprintf(out, "%s%s%s %" PRIx64, i % 8 ? " " : "\n    ", x == y ? "" : "*", name, x);
        }
        fputc('\n', out);
    }
    for (unsigned i = PG_VS_TABLES * 4096; i < PG_HANDLERS * 4096; i += isa->xlen / 8)
        if (slot(start + i, isa->xlen))
            fprintf(out, "  table %u: entry %x: %016" PRIx64 "\n", i / 4096, i % 4096 / (isa->xlen / 8),
                    slot(start + i, isa->xlen));
}
