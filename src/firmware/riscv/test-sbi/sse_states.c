/* Supervisor software events: states, the errors of every call, attributes. */
#include "test.h"

static const ulong local_events[] = {EV_RAS_HIGH, EV_DOUBLE_TRAP, EV_PLATFORM, EV_PMU, EV_RAS_LOW, EV_SOFTWARE};
static const ulong global_events[] = {0x8000, 0xc000, 0x108000, EV_G_SOFTWARE};
static const ulong invalid_events[] = {2,          0x3fff,     0x4001,     0x7fff,     0x8001,     0xbfff,    0xc001,   0xffff,
                                       0x10001,    0x14000,    0x18000,    0x1c000,    0x20000,    0x100001,  0x104000, 0x10c000,
                                       0xfffeffff, 0xffff0001, 0xffff4000, 0xffff8001, 0xffffc000, 0xffffffff};

static ulong memory[ATTRS + 2] __attribute__((aligned(8)));
static struct slot slot;

ulong attr_read(ulong event, ulong id)
{
    ulong v[1] = {-1ul};
    CHECK_EQ("sse-read", CALL(SSE, READ_ATTRS, event, id, 1, v, 0).error, OK);
    ulong got = *(volatile ulong *)v;
    if (id != A_STATUS)
        return got;
    CHECK_EQ("status-reserved", got >> 4, 0);
    return got & 15;
}

long attr_write(ulong event, ulong id, ulong v)
{
    volatile ulong w[1] = {v};
    return CALL(SSE, WRITE_ATTRS, event, id, 1, w, 0).error;
}

ulong sse_order;

/* Called by sse_entry, on the slot's stack. */
void slot_entered(struct slot *s)
{
    s->count++;
    s->order = ++sse_order;
    if (s->fn)
        s->fn(s);
}

void completion_returned(void)
{
    check_failed("sse-complete-returned", __FILE_NAME__, __LINE__, 0);
    CALL(SRST, 0, 0, 1);
}

long slot_register(struct slot *s, ulong event, void (*fn)(struct slot *s))
{
    s->event = event;
    s->fn = fn;
    s->count = 0;
    s->entry_pc = (ulong)sse_entry;
    s->stack = (ulong)s->bytes + sizeof s->bytes;
    return CALL(SSE, REGISTER, event, sse_entry, s).error;
}

void slot_remove(ulong event)
{
    CALL(SSE, DISABLE, event);
    EXPECT("sse-unregister", OK, SSE, UNREGISTER, event);
}

/* ---- states ----------------------------------------------------------------------------------------------------------- */

static void check_status(ulong event, ulong state) { CHECK_EQ("sse-status", attr_read(event, A_STATUS), state | INJECTABLE); }

/* What every call says of an event that is in this state. Calls that would change it are left out. */
static void check_refusals(ulong event, ulong state)
{
    if (state != UNUSED)
        EXPECT("sse-refusal", INVALID_STATE, SSE, REGISTER, event, sse_entry, 0);
    if (state != REGISTERED) {
        EXPECT("sse-refusal", INVALID_STATE, SSE, UNREGISTER, event);
        EXPECT("sse-refusal", INVALID_STATE, SSE, ENABLE, event);
    }
    if (state != ENABLED)
        EXPECT("sse-refusal", INVALID_STATE, SSE, DISABLE, event);
    if (state < ENABLED)
        EXPECT("inject-refusal", FAILED, SSE, INJECT, event, found.hart);
    CHECK_EQ("sse-attr-state", attr_write(event, A_PRIORITY, 7), state < ENABLED ? OK : INVALID_STATE);
    CHECK_EQ("sse-attr-state", attr_write(event, A_CONFIG, attr_read(event, A_CONFIG)), state < ENABLED ? OK : INVALID_STATE);
    if (state < ENABLED)
        attr_write(event, A_PRIORITY, 0);
    for (ulong id = A_SEPC; id <= A_A7; id++)
        if (state != RUNNING)
            CHECK_EQ("sse-attr-state", attr_write(event, id, 1), INVALID_STATE);
    for (uint i = 0; i < 3; i++) {
        static const u8 read_only[] = {A_STATUS, A_PC, A_ARG};
        CHECK_EQ("sse-attr-read-only", attr_write(event, read_only[i], 0), DENIED);
    }
    check_status(event, state);
}

static void in_handler(struct slot *s)
{
    s->status = attr_read(s->event, A_STATUS);
    check_refusals(s->event, RUNNING);
}

/* Through all states and back. */
static void walk(ulong event)
{
    for (ulong id = A_PRIORITY; id < ATTRS; id++)
        CHECK_EQ("sse-attr-reset", attr_read(event, id), id == A_PREFERRED ? found.hart : 0);
    check_refusals(event, UNUSED);
    EXPECT("sse-register", INVALID_PARAM, SSE, REGISTER, event, (ulong)sse_entry + 1, 0);
    check_status(event, UNUSED);
    CHECK_EQ("sse-register", slot_register(&slot, event, in_handler), OK);
    CHECK_EQ("sse-attr", attr_read(event, A_PC), sse_entry);
    CHECK_EQ("sse-attr", attr_read(event, A_ARG), &slot);
    check_refusals(event, REGISTERED);
    EXPECT("sse-unregister", OK, SSE, UNREGISTER, event);
    check_refusals(event, UNUSED);
    CHECK_EQ("sse-register", slot_register(&slot, event, in_handler), OK);
    for (uint one_shot = 0; one_shot < 2; one_shot++) {
        CHECK_EQ("sse-attr", attr_write(event, A_CONFIG, one_shot), OK);
        CHECK_EQ("sse-attr", attr_read(event, A_CONFIG), one_shot);
        EXPECT("sse-enable", OK, SSE, ENABLE, event);
        check_refusals(event, ENABLED);
        EXPECT("sse-disable", OK, SSE, DISABLE, event);
        check_refusals(event, REGISTERED);
        EXPECT("sse-enable", OK, SSE, ENABLE, event);
        /* Masked: it waits. */
        CHECK_EQ("sse-inject", CALL(SSE, INJECT, event, found.hart).error, OK);
        check_status(event, ENABLED | PENDING);
        CHECK_EQ("sse-masked", slot.count, one_shot);
        EXPECT("sse-disable", OK, SSE, DISABLE, event);
        check_status(event, REGISTERED | PENDING);
        EXPECT("sse-unmask", OK, SSE, HART_UNMASK);
        CHECK_EQ("sse-disabled", slot.count, one_shot);
        EXPECT("sse-unmask", ALREADY_STARTED, SSE, HART_UNMASK);
        EXPECT("sse-enable", OK, SSE, ENABLE, event); /* and here it is */
        CHECK_EQ("sse-delivered", slot.count, one_shot + 1);
        CHECK_EQ("sse-status", slot.status, RUNNING | INJECTABLE);
        check_status(event, one_shot ? REGISTERED : ENABLED);
        EXPECT("sse-mask", OK, SSE, HART_MASK);
        EXPECT("sse-mask", ALREADY_STOPPED, SSE, HART_MASK);
        if (!one_shot)
            EXPECT("sse-disable", OK, SSE, DISABLE, event);
    }
    EXPECT("sse-unregister", OK, SSE, UNREGISTER, event);
    check_refusals(event, UNUSED);
    CHECK_EQ("sse-attr", attr_write(event, A_CONFIG, 0), OK);
}

static void check_invalid(ulong event, long code)
{
    for (uint fid = REGISTER; fid <= DISABLE; fid++)
        EXPECT("sse-no-such-event", code, SSE, fid, event, sse_entry, 0);
    EXPECT("sse-no-such-event", code, SSE, INJECT, event, found.hart);
    EXPECT("sse-no-such-event", code, SSE, READ_ATTRS, event, 0, 1, memory, 0);
    EXPECT("sse-no-such-event", code, SSE, WRITE_ATTRS, event, A_CONFIG, 1, memory, 0);
}

void test_sse_states(void)
{
    bool ssdbltrp = CALL(FWFT, 1, 3).error == OK;
    EXPECT("sse-mask", ALREADY_STOPPED, SSE, HART_MASK); /* so harts start */
    EXPECT("sse-complete-nothing", OK, SSE, COMPLETE);
    for (uint i = 0; i < COUNT(local_events); i++) {
        if ((local_events[i] == EV_DOUBLE_TRAP && !ssdbltrp) || (local_events[i] == EV_PMU && !found.sscofpmf))
            check_invalid(local_events[i], NOT_SUPPORTED);
        else
            walk(local_events[i]);
    }
    for (uint i = 0; i < COUNT(global_events); i++)
        walk(global_events[i]);
    for (uint i = 0; i < COUNT(invalid_events); i++)
        check_invalid(invalid_events[i], INVALID_PARAM);
    EXPECT("sse-inject", INVALID_PARAM, SSE, INJECT, EV_SOFTWARE, 77);
    EXPECT("sse-inject", INVALID_PARAM, SSE, INJECT, EV_SOFTWARE, -1ul);
    EXPECT("sse-complete-nothing", OK, SSE, COMPLETE);
}

/* ---- attributes ------------------------------------------------------------------------------------------------------- */

/* The errors of reading and writing; event UNUSED, and nothing is changed. */
static void check_ranges(ulong fid, ulong event)
{
    const ulong at = (ulong)memory, firmware = 0x80000000;
    EXPECT("sse-attr-range", INVALID_PARAM, SSE, fid, event, 2, 0, at, 0);
    EXPECT("sse-attr-range", BAD_RANGE, SSE, fid, event, ATTRS, 1, at, 0);
    EXPECT("sse-attr-range", BAD_RANGE, SSE, fid, event, 2, ATTRS - 1, at, 0);
    EXPECT("sse-attr-range", BAD_RANGE, SSE, fid, event, 0xffffffff, 1, at, 0);
    EXPECT("sse-attr-range", BAD_RANGE, SSE, fid, event, 2, 0xffffffff, at, 0);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 1, at + 1, 0);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 1, at + sizeof(ulong) / 2, 0);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 1, at, 1);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 1, firmware, 0);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 2, firmware - sizeof(ulong), 0);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 1, 0x10000000, 0);
    EXPECT("sse-attr-address", INVALID_ADDRESS, SSE, fid, event, 2, 1, -sizeof(ulong), 0);
}

static void check_values(ulong event, bool global)
{
    static const ulong priorities[] = {1, 0x80000000, 0xffffffff, 0};
    for (uint i = 0; i < COUNT(priorities); i++) {
        CHECK_EQ("sse-priority", attr_write(event, A_PRIORITY, priorities[i]), OK);
        CHECK_EQ("sse-priority", attr_read(event, A_PRIORITY), priorities[i]);
    }
#if __riscv_xlen == 64
    CHECK_EQ("sse-priority", attr_write(event, A_PRIORITY, 1ul << 32), INVALID_PARAM);
#endif
    CHECK_EQ("sse-config", attr_write(event, A_CONFIG, 2), INVALID_PARAM);
    CHECK_EQ("sse-config", attr_write(event, A_CONFIG, -1ul), INVALID_PARAM);
    CHECK_EQ("sse-preferred", attr_read(event, A_PREFERRED), found.hart);
    CHECK_EQ("sse-preferred", attr_write(event, A_PREFERRED, found.hart), global ? OK : DENIED);
    CHECK_EQ("sse-preferred", attr_write(event, A_PREFERRED, 77), global ? INVALID_PARAM : DENIED);
    /* Of several, word i is attribute base + i; an error leaves all as they were. */
    volatile ulong *m = memory;
    m[0] = 5;
    m[1] = 1;
    m[2] = 0x1111;
    EXPECT("sse-attr-several", OK, SSE, WRITE_ATTRS, event, A_PRIORITY, 2, m, 0);
    m[0] = 9;
    m[1] = 2;
    EXPECT("sse-attr-several", INVALID_PARAM, SSE, WRITE_ATTRS, event, A_PRIORITY, 2, m, 0);
    m[1] = 0;
    m[2] = 77;
    EXPECT("sse-attr-several", global ? INVALID_PARAM : DENIED, SSE, WRITE_ATTRS, event, A_PRIORITY, 3, m, 0);
    m[0] = m[1] = m[2] = m[3] = -1ul;
    EXPECT("sse-attr-several", OK, SSE, READ_ATTRS, event, A_PRIORITY, 2, m, 0);
    CHECK("sse-attr-several", m[0] == 5 && m[1] == 1 && m[2] == -1ul);
    EXPECT("sse-attr-several", OK, SSE, READ_ATTRS, event, 0, ATTRS, m, 0);
    CHECK("sse-attr-several", m[A_PRIORITY] == 5 && m[A_CONFIG] == 1 && m[A_PREFERRED] == found.hart && m[ATTRS] == 0);
    CHECK_EQ("sse-attr", attr_write(event, A_PRIORITY, 0), OK);
    CHECK_EQ("sse-attr", attr_write(event, A_CONFIG, 0), OK);
}

void test_sse_attributes(void)
{
    check_ranges(READ_ATTRS, EV_SOFTWARE);
    check_ranges(WRITE_ATTRS, EV_SOFTWARE);
    check_values(EV_SOFTWARE, false);
    check_values(EV_RAS_LOW, false);
    check_values(EV_G_SOFTWARE, true);
}
