/* The small extensions: BASE, DBCN, FWFT, TIME, SRST's errors; and the exceptions that firmware passes on. */
#include "test.h"

static u8 page[8192] __attribute__((aligned(4096)));

void test_base(void)
{
    static const u32 there[] = {BASE, TIME, IPI, RFENCE, HSM, SRST, PMU, DBCN, SUSP, FWFT, SSE, 0, 1, 2, 3, 8};
    static const u32 not_there[] = {0x43505043, 0x4e41434c, 0x535441, 0x44425452, 0x4d505859, 4, 5, 9, 0xf, 0x11, 0x9000000};
    CHECK_EQ("base", CALL(BASE, 0).value, 0x03000000);
    CHECK("base", CALL(BASE, 1).value > 11);
    CHECK_EQ("base", CALL(BASE, 2).error, OK);
    for (uint i = 0; i < COUNT(there); i++)
        CHECK_EQ("base-probe", CALL(BASE, 3, there[i]).value, 1);
    for (uint i = 0; i < COUNT(not_there); i++)
        CHECK_EQ("base-probe", CALL(BASE, 3, not_there[i]).value, 0);
    for (uint fid = 4; fid < 7; fid++)
        CHECK_EQ("base", CALL(BASE, fid).error, OK);
    /* A function or extension that is not there. */
    for (uint i = 0; i < 11; i++)
        EXPECT("no-such-function", NOT_SUPPORTED, there[i], 0x77);
    for (uint i = 0; i < COUNT(not_there); i++)
        EXPECT("no-such-extension", NOT_SUPPORTED, not_there[i], 0);
    EXPECT("srst", INVALID_PARAM, SRST, 0, 3, 0);
    EXPECT("srst", INVALID_PARAM, SRST, 0, 0xf0000000, 0);
    EXPECT("srst", INVALID_PARAM, SRST, 0, 0, 2);
    EXPECT("srst", INVALID_PARAM, SRST, 0, 0, 0xf0000000);
}

/* ---- console --------------------------------------------------------------------------------------------------------- */

void test_console(void)
{
    static const char text[] = "bytes of memory\n";
    struct sbiret r = CALL(DBCN, 0, sizeof text - 1, text, 0);
    CHECK_EQ("dbcn", r.error, OK);
    CHECK_EQ("dbcn", r.value, sizeof text - 1);
    r = CALL(DBCN, 0, 0, text, 0);
    CHECK_EQ("dbcn", r.error, OK);
    CHECK_EQ("dbcn", r.value, 0);
    EXPECT("dbcn-memory", INVALID_PARAM, DBCN, 0, 16, text, 1);       /* far beyond the physical addresses */
    EXPECT("dbcn-memory", INVALID_PARAM, DBCN, 0, 16, 0x80000000, 0); /* the firmware's own */
    EXPECT("dbcn-memory", INVALID_PARAM, DBCN, 0, 16, 0x8003fff8, 0); /* partly */
    EXPECT("dbcn-memory", INVALID_PARAM, DBCN, 0, 16, 0x7ffffff8, 0); /* before RAM */
    EXPECT("dbcn-memory", INVALID_PARAM, DBCN, 0, -1ul, text, 0);     /* past its end */
    EXPECT("dbcn-memory", INVALID_PARAM, DBCN, 1, 16, 0x80000000, 0);
    ulong n = 0;
    print("type ok\n");
    for (uint i = 0; i < 100000 && n < 2; i++) {
        r = CALL(DBCN, 1, sizeof page - n, page + n, 0);
        CHECK_EQ("dbcn-read", r.error, OK);
        n += r.value;
    }
    CHECK("dbcn-read", n == 2 && page[0] == 'o' && page[1] == 'k' && !page[2]);
    r = CALL(DBCN, 1, sizeof page, page, 0);
    CHECK_EQ("dbcn-read", r.error, OK);
    CHECK_EQ("dbcn-read", r.value, 0);
    /* legacy: putchar and getchar give nothing but a0 */
    CHECK_EQ("legacy", CALL(1, 0, '\n').error, OK);
    CHECK_EQ("legacy", CALL(2, 0).error, FAILED);
}

/* ---- firmware features ----------------------------------------------------------------------------------------------- */

enum { MISALIGNED_EXC_DELEG, LANDING_PAD, SHADOW_STACK, DOUBLE_TRAP, PTE_AD_HW_UPDATING, POINTER_MASKING_PMLEN };

void test_fwft(void)
{
    static const u32 unknown[] = {6, 0x3fffffff, 0x40000000, 0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff};
    for (uint i = 0; i < COUNT(unknown); i++) {
        EXPECT("fwft-unknown", DENIED, FWFT, 0, unknown[i], 0, 0);
        EXPECT("fwft-unknown", DENIED, FWFT, 1, unknown[i]);
    }
    for (uint f = MISALIGNED_EXC_DELEG; f <= PTE_AD_HW_UPDATING; f++) {
        struct sbiret r = CALL(FWFT, 1, f);
        if (f != MISALIGNED_EXC_DELEG && r.error == NOT_SUPPORTED) {
            EXPECT("fwft-missing", NOT_SUPPORTED, FWFT, 0, f, 1, 0);
            continue;
        }
        CHECK_EQ("fwft", r.error, OK);
        CHECK_EQ("fwft-reset-value", r.value, 0);
        /* (Where the device tree has svadu alone, the reset value of PTE_AD_HW_UPDATING would be 1.) */
        EXPECT("fwft", INVALID_PARAM, FWFT, 0, f, 2, 0);
        EXPECT("fwft", INVALID_PARAM, FWFT, 0, f, 1, 2);
        CHECK_EQ("fwft", CALL(FWFT, 1, f).value, 0);
        EXPECT("fwft", OK, FWFT, 0, f, 1, 0);
        CHECK_EQ("fwft", CALL(FWFT, 1, f).value, 1);
        EXPECT("fwft", OK, FWFT, 0, f, 1, 0); /* the same value again */
        EXPECT("fwft", OK, FWFT, 0, f, 0, 0);
        CHECK_EQ("fwft", CALL(FWFT, 1, f).value, 0);
    }
    if (__riscv_xlen == 32) {
        EXPECT("fwft-pmlen", NOT_SUPPORTED, FWFT, 1, POINTER_MASKING_PMLEN);
    } else if (CALL(FWFT, 1, POINTER_MASKING_PMLEN).error == OK) {
        static const u8 pmlen[] = {7, 16, 0};
        for (uint i = 0; i < COUNT(pmlen); i++) {
            EXPECT("fwft-pmlen", OK, FWFT, 0, POINTER_MASKING_PMLEN, pmlen[i], 0);
            CHECK_EQ("fwft-pmlen", CALL(FWFT, 1, POINTER_MASKING_PMLEN).value, pmlen[i]);
        }
        EXPECT("fwft-pmlen", INVALID_PARAM, FWFT, 0, POINTER_MASKING_PMLEN, 1, 0);
        EXPECT("fwft-pmlen", INVALID_PARAM, FWFT, 0, POINTER_MASKING_PMLEN, 57, 0);
    }
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

static struct sbiret set_timer(u64 when)
{
    return __riscv_xlen == 64 ? CALL(TIME, 0, when) : CALL(TIME, 0, (ulong)when, (ulong)(when >> 32));
}

void test_time(void)
{
    const ulong stip = 1 << 5;
    CHECK_EQ("time", set_timer(-1ull).error, OK);
    CHECK_EQ("time", READ(sip) & stip, 0);
    for (uint i = 0; i < 3; i++) {
        ulong now = READ(time);
        CHECK_EQ("time", set_timer((u64)now + 50).error, OK);
        CHECK_EQ("time-early", READ(sip) & stip, 0);
        while (READ(time) - now < 60)
            ;
        CHECK_EQ("time-interrupt", READ(sip) & stip, stip);
        CHECK_EQ("time", set_timer(-1ull).error, OK);
        CHECK_EQ("time-clear", READ(sip) & stip, 0);
        CHECK_EQ("time", set_timer(0).error, OK); /* the past: at once */
        for (uint k = 0; k < 100 && !(READ(sip) & stip); k++)
            ;
        CHECK_EQ("time-past", READ(sip) & stip, stip);
        CHECK_EQ("time", CALL(0, 0, -1ul, -1ul).error, OK); /* legacy */
        CHECK_EQ("time-clear", READ(sip) & stip, 0);
    }
    /* As an interrupt. */
    WRITE(sie, stip);
    set_timer(READ(time) + 20);
    ATTEMPT("csrsi sstatus, 2\n1: j 1b", , );
    CHECK_EQ("time-trap", my_trapped()->cause, INTERRUPT | 5);
    WRITE(sie, 0);
    set_timer(-1ull);
}

/* ---- exceptions that come to M first ---------------------------------------------------------------------------------- */

static void check_passed_on(const char *name, ulong cause, ulong tval, ulong epc)
{
    struct trapped *t = my_trapped();
    CHECK_EQ(name, t->cause, cause);
    CHECK_EQ(name, t->tval, tval);
    if (epc)
        CHECK_EQ(name, t->epc, epc);
}

static void illegal_from(uint mode, ulong spp, ulong hstatus)
{
    struct trapped *t = my_trapped();
    (void)call_mode(mode, only_illegal, 0);
    check_passed_on("pass-on", 2, 0xffffffff, (ulong)only_illegal);
    CHECK_EQ("pass-on-spp", t->status >> 8 & 1, spp);
    if (found.h)
        CHECK_EQ("pass-on-hstatus", t->hstatus & (1 << 6 | 1 << 7 | 1 << 8), hstatus);
}

void test_traps(void)
{
    const ulong gva = 1 << 6, spv = 1 << 7, spvp = 1 << 8, firmware = 0x80000000, aclint = 0x2000000;
    struct trapped *t = my_trapped();
    ulong v;
    if (found.h)
        CLEAR(0x600, spvp);
    illegal_from(MODE_U, 0, 0);
    illegal_from(MODE_S, 1, 0);
    ATTEMPT("1: .word 0xffffffff", , );
    check_passed_on("pass-on", 2, 0xffffffff, 0);
    CHECK_EQ("pass-on-sie", t->status >> 1 & 1, 0);
    SET(sstatus, 1 << 1);
    ATTEMPT(".word 0xffffffff", , );
    CHECK_EQ("pass-on-spie", t->status & (1 << 5 | 1 << 1), 1 << 5);
    CHECK_EQ("pass-on-spie", READ(sstatus) >> 1 & 1, 0);
    /* PMP hides the firmware and what raises its interrupts. */
    ATTEMPT("lw %[v], (%[a])", OUT([v] "=&r"(v)), IN([a] "r"(firmware)));
    check_passed_on("pmp", 5, firmware, 0);
    ATTEMPT("sw zero, (%[a])", , IN([a] "r"(firmware + 0x3fffc)));
    check_passed_on("pmp", 7, firmware + 0x3fffc, 0);
    ATTEMPT("jr %[a]", , IN([a] "r"(firmware)));
    check_passed_on("pmp", 1, firmware, firmware);
    ATTEMPT("sw zero, (%[a])", , IN([a] "r"(aclint)));
    check_passed_on("pmp", 7, aclint, 0);
    if (!found.h)
        return;
    WRITE(0x602, 0); /* hedeleg */
    illegal_from(MODE_VU, 0, spv);
    illegal_from(MODE_VS, 1, spv | spvp);
    /* hedeleg passes it on to VS, whose handler calls. */
    WRITE(0x602, 1 << 2);
    WRITE(0x205, only_ecall); /* vstvec */
    WRITE(0x200, 1 << 1);     /* vsstatus.SIE */
    (void)call_mode(MODE_VS, only_illegal, 0);
    CHECK_EQ("pass-on-vs", t->cause, 10);
    CHECK_EQ("pass-on-vs", t->epc, only_ecall);
    CHECK_EQ("pass-on-vs", READ(0x242), 2);
    CHECK_EQ("pass-on-vs", READ(0x243), 0xffffffff);
    CHECK_EQ("pass-on-vs", READ(0x241), only_illegal);
    CHECK_EQ("pass-on-vs", READ(0x200) & (1 << 8 | 1 << 5 | 1 << 1), 1 << 8 | 1 << 5);
    (void)call_mode(MODE_VU, only_illegal, 0);
    CHECK_EQ("pass-on-vs", t->cause, 10);
    CHECK_EQ("pass-on-vs", READ(0x200) & (1 << 8 | 1 << 5 | 1 << 1), 0);
    WRITE(0x602, 0);
    /* A guest's access fault tells its virtual address. */
    ATTEMPT(".insn r 0x73, 4, 0x34, %[v], %[a], x0", OUT([v] "=&r"(v)), IN([a] "r"(firmware))); /* hlv.w */
    check_passed_on("pass-on-gva", 5, firmware, 0);
    CHECK_EQ("pass-on-gva", t->hstatus & (gva | spv), gva);
}
