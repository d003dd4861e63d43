/*
 * What an event leaves of the context that it interrupts: what the handler sees at entry, what it can change, what comes back. In
 * S by a call; in U, VS and VU by the injector, at every instruction. The whole state space is tests/rom/test_sbi_model.c's.
 */
#include "test.h"

#define SIE   (1ul << 1)
#define SPIE  (1ul << 5)
#define SPP   (1ul << 8)
#define SPELP (1ul << 23)
#define SDT   (1ul << 24)
#define SPV   (1ul << 7)
#define SPVP  (1ul << 8)
enum { F_SPP = 1, F_SPIE = 2, F_SPV = 4, F_SPVP = 8, F_SPELP = 16, F_SDT = 32 };

static struct slot slot;
static struct context before, after;

/* What the handler does; set by the tests. */
static struct {
    bool write; /* attributes: these */
    ulong sepc, flags, a6, a7;
    bool redirect; /* CSRs: SPIE and SEPC as here */
    ulong spie;
} order;

static ulong flags_of(ulong sstatus, ulong hstatus)
{
    return (sstatus & SPP ? F_SPP : 0) | (sstatus & SPIE ? F_SPIE : 0) | (hstatus & SPV ? F_SPV : 0) |
           (hstatus & SPVP ? F_SPVP : 0) | (sstatus & SPELP ? F_SPELP : 0) | (sstatus & SDT ? F_SDT : 0);
}

static void check_entry(struct slot *s)
{
    const struct context *b = &before;
    bool dte = CALL(FWFT, 1, 3).value == 1;
    CHECK_EQ("entry-a6", s->x[16], found.hart);
    CHECK_EQ("entry-a7", s->x[17], s);
    CHECK_EQ("entry-sepc", s->sepc, context_call_done);
    CHECK_EQ("entry-spp", s->sstatus & SPP, SPP);
    CHECK_EQ("entry-spie", !!(s->sstatus & SPIE), !!(b->sstatus & SIE));
    CHECK_EQ("entry-sie", s->sstatus & SIE, 0);
    CHECK_EQ("entry-spelp", s->sstatus & SPELP, 0);
    CHECK_EQ("entry-sdt", !!(s->sstatus & SDT), dte);
    if (found.h) {
        CHECK_EQ("entry-spv", s->hstatus & SPV, 0);
        CHECK_EQ("entry-spvp", s->hstatus & SPVP, b->hstatus & SPVP);
        CLEAR(0x600, SPV); /* of a firmware that has it wrong: completion would take it for V */
    }
    for (uint i = 1; i < 32; i++)
        if (i != 10 && i != 11 && i != 16 && i != 17)
            CHECK_EQ("entry-gpr", s->x[i], b->x[i]);
    CHECK_EQ("entry-flags", attr_read(s->event, A_FLAGS), flags_of(b->sstatus, found.h ? b->hstatus : 0));
    CHECK_EQ("entry-attr", attr_read(s->event, A_SEPC), b->sepc);
    CHECK_EQ("entry-attr", attr_read(s->event, A_A6), b->x[16]);
    CHECK_EQ("entry-attr", attr_read(s->event, A_A7), b->x[17]);
}

static void in_context(struct slot *s)
{
    check_entry(s);
    if (order.write) {
        CHECK_EQ("flags-illegal", attr_write(s->event, A_FLAGS, 1 << 6), INVALID_PARAM);
        CHECK_EQ("flags-illegal", attr_write(s->event, A_FLAGS, -1ul), INVALID_PARAM);
        CHECK_EQ("attr-write", attr_write(s->event, A_SEPC, order.sepc), OK);
        CHECK_EQ("attr-write", attr_write(s->event, A_FLAGS, order.flags), OK);
        CHECK_EQ("attr-write", attr_write(s->event, A_A6, order.a6), OK);
        CHECK_EQ("attr-write", attr_write(s->event, A_A7, order.a7), OK);
        CHECK_EQ("attr-write", attr_read(s->event, A_FLAGS), order.flags);
        CHECK_EQ("attr-write", attr_read(s->event, A_A7), order.a7);
    }
    if (order.redirect) {
        CLEAR(sstatus, SPIE);
        SET(sstatus, order.spie);
    }
}

/* One event in the context that sstatus and hstatus (its fields SPV, SPVP) describe. */
static void run(ulong sstatus, ulong hstatus)
{
    const ulong fields = SIE | SPIE | SPP | SPELP | SDT;
    before.sstatus = (READ(sstatus) & ~fields) | sstatus;
    before.hstatus = found.h ? (READ(0x600) & ~(SPV | SPVP)) | hstatus : 0;
    before.sepc = 0x80001234;
    before.scause = 0x2a;
    before.stval = 0x1a2b3c;
    for (uint i = 0; i < 32; i++)
        before.x[i] = i * 0x01010101ul + 0x5000;
    before.x[10] = EV_SOFTWARE;
    before.x[11] = found.hart;
    before.x[16] = INJECT;
    before.x[17] = SSE;
    ulong count = slot.count;
    context_call(&before, &after);
    WRITE(sstatus, READ(sstatus) & ~fields);
    if (found.h)
        CLEAR(0x600, SPV | SPVP);
    CHECK_EQ("delivered", slot.count, count + 1);
    CHECK_EQ("resume-a0", after.x[10], OK);
    for (uint i = 1; i < 32; i++)
        if (i != 10 && i != 11 && i != 16 && i != 17)
            CHECK_EQ("resume-gpr", after.x[i], before.x[i]);
    CHECK_EQ("resume-csr", after.scause, before.scause);
    CHECK_EQ("resume-csr", after.stval, before.stval);
}

static void check_transparent(void)
{
    CHECK_EQ("resume-sstatus", after.sstatus, before.sstatus);
    CHECK_EQ("resume-hstatus", after.hstatus, before.hstatus);
    CHECK_EQ("resume-sepc", after.sepc, before.sepc);
    CHECK_EQ("resume-a6", after.x[16], before.x[16]);
    CHECK_EQ("resume-a7", after.x[17], before.x[17]);
}

static ulong spread(uint bits, bool sdt)
{
    return (bits & 1 ? SPP : 0) | (bits & 2 ? SPIE : 0) | (bits & 4 && !sdt ? SIE : 0) | (sdt ? SDT : 0);
}

static void contexts(bool sdt)
{
    uint modes = found.h ? 4 : 1;
    order.write = order.redirect = false;
    for (uint bits = 0; bits < 8; bits++) {
        for (uint hv = 0; hv < modes; hv++) {
            run(spread(bits, sdt), (hv & 1 ? SPVP : 0) | (hv & 2 ? SPV : 0));
            check_transparent();
        }
    }
    if (found.zicfilp) {
        run(SPELP | SPP, 0);
        check_transparent();
    }
}

/* Attributes that the handler writes, and sstatus.SPIE, are what is resumed. */
static void edits(bool dte)
{
    order.write = true;
    for (uint flags = 0; flags < 64; flags++) {
        order.sepc = 0x80005670 + 2 * flags;
        order.flags = flags;
        order.a6 = 0x600 + flags;
        order.a7 = 0x700 + flags;
        run(flags & 1 ? 0 : SPP, 0);
        ulong h = found.h ? flags & (F_SPV | F_SPVP) : 0;
        CHECK_EQ("written-spp-spie", flags_of(after.sstatus, 0) & (F_SPP | F_SPIE), flags & (F_SPP | F_SPIE));
        CHECK_EQ("written-spv-spvp", flags_of(0, after.hstatus), h);
        CHECK_EQ("written-spelp-sdt", flags_of(after.sstatus, 0) & (F_SPELP | F_SDT),
                 flags & ((found.zicfilp ? F_SPELP : 0) | (dte ? F_SDT : 0)));
        CHECK_EQ("written-sepc", after.sepc, order.sepc);
        CHECK_EQ("written-a6", after.x[16], order.a6);
        CHECK_EQ("written-a7", after.x[17], order.a7);
    }
    order.write = false;
    order.redirect = true;
    for (uint i = 0; i < 4; i++) {
        order.spie = i & 1 ? SPIE : 0;
        run(i & 2 ? SIE : 0, 0);
        CHECK_EQ("redirect-sie", !!(after.sstatus & SIE), i & 1);
    }
    order.redirect = false;
}

/* ---- other modes ----------------------------------------------------------------------------------------------------- */

static ulong interrupted_in; /* modes that the handler has seen: bits MODE_* */
static void in_any(struct slot *s)
{
    interrupted_in |= 1ul << ((s->sstatus & SPP ? 1 : 0) | (found.h && (s->hstatus & SPV) ? 2 : 0));
    if (found.h && (s->hstatus & SPV))
        CHECK_EQ("entry-spvp", !!(s->hstatus & SPVP), !!(s->sstatus & SPP));
}

static void in_mode(uint mode)
{
    const ulong loops = 10;
    ulong before_count = slot.count;
    interrupted_in = 0;
    for (ulong count = 1; count < 90; count++) {
        injector_arm(found.hart, count);
        CHECK_EQ("spin", call_mode(mode, spin_and_call, loops), spin_result(loops));
        CHECK_EQ("spin-cause", my_trapped()->cause, mode & 2 ? mode == MODE_VS ? 10 : 8 : mode == MODE_S ? 9 : 8);
        while (slot.count == before_count)
            ;
        before_count++;
        CHECK_EQ("spin-events", slot.count, before_count);
    }
    CHECK("spin-mode", interrupted_in >> mode & 1);
}

static void other_modes(void)
{
    slot_register(&slot, EV_PLATFORM, in_any);
    EXPECT("sse-enable", OK, SSE, ENABLE, EV_PLATFORM);
    in_mode(MODE_U);
    if (found.h) {
        WRITE(0x602, 0); /* hedeleg */
        in_mode(MODE_VU);
        in_mode(MODE_VS);
    }
    slot_remove(EV_PLATFORM);
}

/* ---- landing pads ---------------------------------------------------------------------------------------------------- */

/* The handler's entry was asked for a landing pad: the event is still running, and what it interrupted is given up. */
static void complete_by_hand(void)
{
    __asm__ volatile("la t0, 1f\n csrw sepc, t0\n csrs sstatus, %0\n csrc sstatus, %1\n"
                     "li a6, 6\n li a7, 0x535345\n ecall\n .balign 4\n 1:"
                     :
                     : "r"(SPP), "r"(SPIE)
                     : "memory", "t0", "a0", "a1", "a6", "a7");
}

/* Between an indirect jump and its target the hart expects a landing pad. An event there must not ask the handler for one (it has
   none), and must bring the expectation back: without one at the target, cause 18. */
static void jump(bool pad)
{
    for (ulong count = 1; count < 30; count++) {
        ulong seen = my_trapped()->seen, events = slot.count;
        injector_arm(found.hart, count);
        if (pad)
            ATTEMPT("la t1, 1f\nnop\njr t1\n.balign 4\n1: .word 0x00000017\nnop\nnop\n", , );
        else
            ATTEMPT("la t1, 1f\nnop\njr t1\n.balign 4\n1: nop\nnop\nnop\n", , );
        if (my_trapped()->seen > seen && my_trapped()->epc == (ulong)sse_entry) {
            check_failed("landing-pad-entry", __FILE_NAME__, __LINE__, count);
            complete_by_hand();
            continue;
        }
        while (slot.count == events)
            ;
        if (pad)
            CHECK_EQ("landing-pad", my_trapped()->seen, seen);
        else
            CHECK_EQ("landing-pad-back", my_trapped()->cause, 18);
    }
}

static void landing_pads(void)
{
    slot_register(&slot, EV_PLATFORM, NULL);
    EXPECT("sse-enable", OK, SSE, ENABLE, EV_PLATFORM);
    EXPECT("fwft", OK, FWFT, 0, 1, 1, 0);
    jump(true);
    jump(false);
    EXPECT("fwft", OK, FWFT, 0, 1, 0, 0);
    slot_remove(EV_PLATFORM);
}

void test_sse_context(void)
{
    found.zicfilp = CALL(FWFT, 1, 1).error == OK;
    bool ssdbltrp = CALL(FWFT, 1, 3).error == OK;
    EXPECT("sse-unmask", OK, SSE, HART_UNMASK);
    CHECK_EQ("sse-register", slot_register(&slot, EV_SOFTWARE, in_context), OK);
    EXPECT("sse-enable", OK, SSE, ENABLE, EV_SOFTWARE);
    contexts(false);
    edits(false);
    if (ssdbltrp) {
        EXPECT("fwft", OK, FWFT, 0, 3, 1, 0);
        contexts(false);
        contexts(true);
        edits(true);
        EXPECT("fwft", OK, FWFT, 0, 3, 0, 0);
    }
    slot_remove(EV_SOFTWARE);
    other_modes();
    if (found.zicfilp)
        landing_pads();
    EXPECT("sse-mask", OK, SSE, HART_MASK);
}
