/* The oracle of software events finds each rule broken, by its name and by no other, and nothing in firmware that is exact. */
#include "sse_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HANDLER_SOFT     0x80210000u
#define HANDLER_PLATFORM 0x80220000u
#define HANDLER_GLOBAL   0x80230000u
enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { SIE = 1 << 1, SPIE = 1 << 5, SPP = 1 << 8, SPELP = 1 << 23, SDT = 1 << 24, SPV = 1 << 7, SPVP = 1 << 8 };

static void word(struct fake *k, unsigned i, uint64_t v)
{
    unsigned size = k->f.xlen / 8u;
    assert_true(machine_write(k->m, k->buffer + i * size, &v, size));
}

static int64_t write_attr(struct fake *k, uint32_t event, unsigned id, uint64_t v)
{
    word(k, 0, v);
    return fake_call(k, 0, WRITE, event, id, 1, k->buffer);
}

static void read_all(struct fake *k, uint32_t event) { fake_call(k, 0, READ, event, 0, SSE_ATTRS, k->buffer); }

/* What a handler of its own saves and restores around calls. */
struct kept {
    uint64_t x[32], pc;
};
static struct kept keep(struct fake *k)
{
    struct kept s;
    for (unsigned i = 0; i < 32; i++)
        s.x[i] = fake_get(k, 0, view_name(i));
    s.pc = fake_get(k, 0, "pc");
    return s;
}
static void restore(struct fake *k, const struct kept *s)
{
    for (unsigned i = 1; i < 32; i++)
        fake_set(k, 0, view_name(i), s->x[i]);
}

/* A call that leaves the caller's registers alone, and one of completion from them. */
static void quiet(struct fake *k, unsigned fid, uint64_t a0, uint64_t a1)
{
    struct kept s = keep(k);
    fake_call(k, 0, fid, a0, a1, 0, 0);
    restore(k, &s);
}
static void complete(struct fake *k)
{
    uint64_t a[4] = {fake_get(k, 0, "a0"), fake_get(k, 0, "a1"), fake_get(k, 0, "a2"), fake_get(k, 0, "a3")};
    fake_call(k, 0, COMPLETE, a[0], a[1], a[2], a[3]);
}
static void look_at_attributes(struct fake *k, uint32_t event)
{
    struct kept s = keep(k);
    read_all(k, event);
    restore(k, &s);
}

static void mode(struct fake *k, unsigned priv, unsigned v)
{
    fake_set(k, 0, "v", 0);
    fake_set(k, 0, "priv", priv);
    if (v)
        fake_set(k, 0, "v", 1);
}

/* A context to interrupt: bits 0..4 of i choose SPP, SPIE, SIE, SPV, SPVP. Registers get values that are told apart. */
static void context(struct fake *k, unsigned i, unsigned priv, unsigned v)
{
    uint64_t s = fake_get(k, 0, "sstatus") & ~(uint64_t)(SPP | SPIE | SIE | SPELP | SDT);
    mode(k, 1, 0);
    for (unsigned r = 1; r < 32; r++)
        fake_set(k, 0, view_name(r), 0x1000 + i * 64 + r);
    fake_set(k, 0, "sstatus", s | (i & 1 ? SPP : 0) | (i & 2 ? SPIE : 0) | (i & 4 ? SIE : 0));
    if (k->f.h)
        fake_set(k, 0, "hstatus",
                 (fake_get(k, 0, "hstatus") & ~(uint64_t)(SPV | SPVP)) | (i & 8 ? SPV : 0) | (i & 16 ? SPVP : 0));
    fake_set(k, 0, "sepc", 0x80400010);
    fake_set(k, 0, "stval", 0x1111);
    fake_set(k, 0, "scause", 13);
    fake_set(k, 0, "pc", 0x80200400 + 4 * i);
    fake_set_elp(k, 0, k->f.lpe && (i & 1) && priv == 1 && !v);
    mode(k, priv, v);
}

static bool over(const struct fake *k) { return k->bug == BUG_PRIORITY_RUNNING && k->spent; }

/* ---- the story ------------------------------------------------------------------------------------------------------------ */

static void before_registration(struct fake *k)
{
    fake_call(k, 0, 10, 0, 0, 0, 0);
    fake_call(k, 0, COMPLETE, 0, 0, 0, 0);
    read_all(k, SOFT);
    read_all(k, PLATFORM);
    fake_call(k, 0, READ, SOFT, 0, 0, k->buffer);
    fake_call(k, 0, READ, SOFT, 8, 3, k->buffer);
    fake_call(k, 0, READ, SOFT, UINT32_MAX, 2, k->buffer);
    fake_call(k, 0, READ, SOFT, 0, 1, k->buffer + 1);
    fake_call(k, 0, READ, SOFT, 0, 1, 0x70000000);
    fake_call(k, 0, READ, 0x5, 0, 1, k->buffer);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
    fake_call(k, 0, DISABLE, SOFT, 0, 0, 0);
    fake_call(k, 0, UNREGISTER, SOFT, 0, 0, 0);
    fake_call(k, 0, INJECT, SOFT, 0, 0, 0);
    fake_call(k, 0, INJECT, SOFT, 9, 0, 0);
    fake_call(k, 0, REGISTER, SOFT, HANDLER_SOFT + 1, 0, 0);
    fake_call(k, 0, REGISTER, RAS, HANDLER_SOFT, 0, 0);
    for (unsigned id = 0; id < SSE_ATTRS; id++)
        write_attr(k, SOFT, id, id == SSE_STATUS ? 3 : 0);
    write_attr(k, SOFT, SSE_CONFIG, 2);
    write_attr(k, GLOBAL, SSE_PREFERRED_HART, 9);
}

static void registration(struct fake *k)
{
    write_attr(k, SOFT, SSE_PRIORITY, 2);
    write_attr(k, PLATFORM, SSE_PRIORITY, 1);
    look_at_attributes(k, SOFT);
    fake_call(k, 0, REGISTER, SOFT, HANDLER_SOFT, 0xa5c3, 0);
    fake_call(k, 0, REGISTER, SOFT, HANDLER_SOFT, 0xa5c3, 0);
    fake_call(k, 0, REGISTER, PLATFORM, HANDLER_PLATFORM, 0x77c3, 0);
    fake_call(k, 0, UNMASK, 0, 0, 0, 0);
    fake_call(k, 0, UNMASK, 0, 0, 0, 0);
    fake_interrupt(k, 0, PLATFORM); /* signalled before it is ENABLED */
    if (fake_get(k, 0, "pc") != HANDLER_PLATFORM)
        fake_call(k, 0, ENABLE, PLATFORM, 0, 0, 0);
    look_at_attributes(k, PLATFORM);
    complete(k);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
    write_attr(k, SOFT, SSE_PRIORITY, 1);
    write_attr(k, SOFT, SSE_PREFERRED_HART, 0);
    write_attr(k, SOFT, SSE_SEPC, 1);
    read_all(k, SOFT);
}

/* Every context, interrupted by its own call and by an interrupt; the handler reads its attributes and completes. */
static void contexts(struct fake *k)
{
    for (unsigned i = 0; i < 32; i++) {
        unsigned priv = i >> 1 & 1, v = k->f.h && (i & 1);
        context(k, i, 1, 0);
        fake_call(k, 0, INJECT, SOFT, 0, 0, 0);
        look_at_attributes(k, SOFT);
        complete(k);
        context(k, i, priv, v);
        fake_interrupt(k, 0, PLATFORM);
        look_at_attributes(k, PLATFORM);
        complete(k);
        context(k, i, priv, v);
        fake_interrupt(k, 0, 0);
        context(k, i, 1, 0);
        fake_call(k, 0, READ, SOFT, 0, 1, k->buffer);
        fake_other(k, 0, 0x10, 3);
    }
}

/* The handler edits: attributes, and the registers that completion takes. */
static void edits(struct fake *k)
{
    for (unsigned i = 0; i < 64; i++) {
        context(k, i & 31, 1, k->f.h && (i & 1));
        fake_interrupt(k, 0, PLATFORM);
        struct kept s = keep(k);
        bool known = (k->f.dte || !(i & 32)) && (k->f.h || !(i & 12)) && (k->f.lpe || !(i & 16));
        if (known)
            write_attr(k, PLATFORM, SSE_FLAGS, i);
        write_attr(k, PLATFORM, SSE_FLAGS, 0x40 | i);
        write_attr(k, PLATFORM, SSE_SEPC, 0x80500000 + 4 * i);
        word(k, 0, 0x66);
        word(k, 1, 0x77);
        fake_call(k, 0, WRITE, PLATFORM, SSE_A6, 2, k->buffer);
        read_all(k, PLATFORM);
        restore(k, &s);
        complete(k);

        context(k, i & 31, 1, 0);
        fake_interrupt(k, 0, PLATFORM);
        fake_nested(k, 0);
        if (i & 1)
            fake_set(k, 0, "sepc", 0x80600000);
        complete(k);
    }
}

static void nesting(struct fake *k)
{
    context(k, 3, 1, k->f.h);
    fake_interrupt(k, 0, 0);
    context(k, 3, 1, 0);
    fake_call(k, 0, INJECT, SOFT, 0, 0, 0);
    fake_interrupt(k, 0, PLATFORM); /* preempts */
    look_at_attributes(k, SOFT);
    complete(k);
    complete(k);
    context(k, 5, 1, 0);
    fake_interrupt(k, 0, PLATFORM);
    quiet(k, INJECT, SOFT, 0); /* has to wait */
    if (over(k))
        return;
    look_at_attributes(k, SOFT);
    complete(k); /* and follows at once */
    look_at_attributes(k, SOFT);
    complete(k);
    context(k, 9, 1, 0);
    fake_call(k, 0, MASK, 0, 0, 0, 0);
    fake_call(k, 0, MASK, 0, 0, 0, 0);
    fake_call(k, 0, INJECT, SOFT, 0, 0, 0);
    fake_call(k, 0, INJECT, PLATFORM, 0, 0, 0);
    if (fake_get(k, 0, "pc") != HANDLER_SOFT) {
        read_all(k, SOFT);
        fake_call(k, 0, UNMASK, 0, 0, 0, 0);
        complete(k);
    }
    complete(k);
    complete(k);
}

static void one_shot(struct fake *k)
{
    context(k, 2, 1, 0);
    fake_call(k, 0, DISABLE, SOFT, 0, 0, 0);
    write_attr(k, SOFT, SSE_CONFIG, 1);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
    fake_call(k, 0, INJECT, SOFT, 0, 0, 0);
    complete(k);
    read_all(k, SOFT);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
    fake_call(k, 0, DISABLE, SOFT, 0, 0, 0);
    fake_call(k, 0, UNREGISTER, SOFT, 0, 0, 0);
    read_all(k, SOFT);
    write_attr(k, SOFT, SSE_CONFIG, 0);
    fake_call(k, 0, REGISTER, SOFT, HANDLER_SOFT, 0xa5c3, 0);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
}

static void other_harts(struct fake *k)
{
    context(k, 1, 1, 0);
    for (unsigned i = 0; i < 3; i++) {
        fake_call(k, 1, INJECT, SOFT, 0, 0, 0);
        if (fake_get(k, 0, "pc") == HANDLER_SOFT)
            break;
        fake_interrupt(k, 0, 0); /* brings it */
        complete(k);
    }
    fake_call(k, 0, REGISTER, GLOBAL, HANDLER_GLOBAL, 0x66c3, 0);
    fake_call(k, 1, ENABLE, GLOBAL, 0, 0, 0);
    fake_call(k, 1, INJECT, GLOBAL, 99, 0, 0);
    fake_interrupt(k, 0, 0);
    fake_call(k, 1, READ, GLOBAL, 0, 1, k->buffer);
    complete(k);
    fake_call(k, 0, INJECT, GLOBAL, 0, 0, 0);
    complete(k);
}

/* What M does with an exception before it injects is not the oracle's to know. */
static void exceptions(struct fake *k)
{
    for (unsigned i = 0; i < 8; i++) {
        context(k, i, 1, k->f.h && (i & 1));
        fake_redirect(k, 0, 13, PLATFORM);
        look_at_attributes(k, PLATFORM);
        complete(k);
        context(k, i, i & 1, 0);
        fake_redirect(k, 0, 5, 0);
        context(k, i, i & 1, 0);
        fake_emulate(k, 0, i & 2 ? "a6" : "s4", PLATFORM);
        look_at_attributes(k, PLATFORM);
        complete(k);
        context(k, i, 1, 0);
        fake_emulate(k, 0, "t1", 0);
    }
}

static void story(struct fake *k)
{
    before_registration(k);
    registration(k);
    contexts(k);
    nesting(k);
    if (over(k))
        return;
    edits(k);
    one_shot(k);
    if (k->harts > 1)
        other_harts(k);
    exceptions(k);
    fake_stop_and_start(k, 0);
    read_all(k, SOFT);
    read_all(k, PLATFORM);
    fake_call(k, 0, UNMASK, 0, 0, 0, 0);
    fake_call(k, 0, REGISTER, SOFT, HANDLER_SOFT, 0xa5c3, 0);
    fake_call(k, 0, ENABLE, SOFT, 0, 0, 0);
    context(k, 3, 1, 0);
    fake_call(k, 0, INJECT, SOFT, 0, 0, 0);
    complete(k);
    fake_reset(k);
    read_all(k, SOFT);
}

/* ---- exact firmware ------------------------------------------------------------------------------------------------------- */

static void nothing_is_found(const char *cpu, unsigned harts, bool pads)
{
    struct fake k;
    fake_open(&k, cpu, harts, pads, NO_BUG);
    story(&k);
    for (unsigned r = 0; r < SSE_RULES; r++)
        if (k.found[r])
            fail_msg("%s: %s %s", cpu, sse_rule_name((enum sse_rule)r), k.text);
    if (k.o.completions < 200 || k.o.injections != k.o.completions)
        fail_msg("%s: %u completions, %u injections", cpu, (unsigned)k.o.completions, (unsigned)k.o.injections);
    fake_close(&k);
}

static void exact_firmware_is_not_blamed(void **state)
{
    (void)state;
    nothing_is_found("rv64", 1, false);
    nothing_is_found("rv64", 2, false);
    nothing_is_found("rv64", 2, true);
    nothing_is_found("rv64,h=off", 1, true);
    nothing_is_found("rv64,zicfilp=off,ssdbltrp=off", 1, false);
    nothing_is_found("rv32", 2, false);
    nothing_is_found("rv32", 1, true);
    nothing_is_found("rv32,h=off", 1, false);
}

/* ---- one departure each --------------------------------------------------------------------------------------------------- */

#define R(rule) (1u << SSE_##rule)

static const struct {
    enum fake_bug bug;
    unsigned rules; /* exactly these are broken by it */
    const char *what;
} cases[] = {
    {BUG_ENTRY_SPV, R(A2) | R(A3), "V"}, /* completion goes on with V=1: HEAD's bug */
    {BUG_ENTRY_SPVP, R(A2), "hstatus.SPVP"},
    {BUG_ENTRY_SPP, R(A2) | R(A3), NULL},
    {BUG_ENTRY_SPIE, R(A2) | R(A3), "sstatus.SIE"},
    {BUG_ENTRY_SIE, R(A2), NULL},
    {BUG_ENTRY_SPELP, R(A2) | R(A3), "ELP"},
    {BUG_ENTRY_SDT, R(A2), "sstatus.SDT"},
    {BUG_ENTRY_ELP, R(A2), "ELP"},
    {BUG_ENTRY_SEPC, R(A2) | R(A3), "pc"},
    {BUG_ENTRY_A6, R(A2), "a6"},
    {BUG_ENTRY_A7, R(A2), "a7"},
    {BUG_ENTRY_GPR, R(A2) | R(A3), "s5"},
    {BUG_ENTRY_F, R(A2) | R(A3), "fs5"},
    {BUG_ENTRY_STVAL, R(A2) | R(A3), "stval"},
    {BUG_ENTRY_FS, R(A2) | R(A3), "sstatus"},
    {BUG_FLAGS_LATE, R(A1) | R(A3), NULL},
    {BUG_SAVED_SEPC, R(A1) | R(A3), "sepc"},
    {BUG_SAVED_A6, R(A1) | R(A3), "a6"},
    {BUG_SAVED_A7, R(A1) | R(A3), "a7"},
    {BUG_FLAGS_HIGH, R(A1), "INTERRUPTED_FLAGS bits XLEN-1:6"},
    {BUG_RESUME_SPP, R(A3), "sstatus.SPP"},
    {BUG_RESUME_GPR, R(A3), "s7"},
    {BUG_RESUME_V, R(A3), "V"},
    {BUG_RESUME_SEPC, R(A3), "sepc"},
    {BUG_RESUME_A7, R(A3), "a7"},
    {BUG_RESUME_ELP, R(A3), "ELP"},
    {BUG_STATUS_HIGH, R(A5), "STATUS bits XLEN-1:4"},
    {BUG_STATUS_STATE, R(A5), "STATUS state"},
    {BUG_STATUS_PENDING, R(A5), "STATUS pending"},
    {BUG_REFUSE, R(C1), "result"},
    {BUG_WRONG_CODE, R(C1), "result"},
    {BUG_ACCEPT, R(C2), "result"},
    {BUG_ACCEPT_FLAGS, R(C2), "result"},
    {BUG_UNLISTED, R(C3), "result"},
    {BUG_MASK_CODE, R(C3), "result"},
    {BUG_COMPLETE_CODE, R(C3), "result"},
    {BUG_UNKNOWN_FID, R(C3), "result"},
    {BUG_LOSE_WRITE, R(C4), "PRIORITY"},
    {BUG_RESET_VALUE, R(C4), "PRIORITY"},
    {BUG_CALL_GPR, R(C5), "s3"},
    {BUG_CALL_SEPC, R(C5), "sepc"},
    {BUG_CALL_PC, R(C5), "pc"},
    {BUG_IGNORE_MASK, R(E1), "masked"},
    {BUG_DELIVER_REGISTERED, R(E2), "state"},
    {BUG_DELIVER_TWICE, R(A5) | R(E3), "pending"},
    {BUG_PRIORITY_PENDING, R(E4), "pending event"},
    {BUG_PRIORITY_RUNNING, R(E4), "running event"},
    {BUG_NOT_DELIVERED, R(E5), "delivered"},
    {BUG_ONESHOT, R(A5), "STATUS state"},
    {BUG_INTERRUPT_GPR, R(M1), "t3"},
    {BUG_INTERRUPT_CSR, R(M1), "scause"},
};

static void found_by_name(const char *cpu, bool pads)
{
    unsigned seen = 0, told = 0;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake k;
        unsigned rules = 0;
        fake_open(&k, cpu, 2, pads, cases[i].bug);
        story(&k);
        for (unsigned r = 0; r < SSE_RULES; r++)
            rules |= k.found[r] ? 1u << r : 0;
        if (k.spent && rules != cases[i].rules)
            fail_msg("%s: bug %u breaks rules 0x%x instead of 0x%x: %s", cpu, cases[i].bug, rules, cases[i].rules, k.text);
        if (!k.spent && rules)
            fail_msg("%s: bug %u did not show, and yet: %s", cpu, cases[i].bug, k.text);
        if (k.spent && cases[i].what && strcmp(k.what, cases[i].what))
            fail_msg("%s: bug %u shows in %s instead of %s: %s", cpu, cases[i].bug, k.what, cases[i].what, k.text);
        told += k.spent;
        for (unsigned r = 0; r < SSE_RULES; r++)
            seen |= k.found[r] ? 1u << r : 0;
        fake_close(&k);
    }
    /* No rule without a case but A4, which has its own. */
    assert_int_equal(seen | R(A4), (1u << SSE_RULES) - 1);
    assert_true(told >= sizeof cases / sizeof cases[0] - (pads ? 0 : 3));
}

static void each_departure_is_found_by_its_name(void **state)
{
    (void)state;
    found_by_name("rv64", true);
    found_by_name("rv32", true);
}

/* PRIV: what completion gives back is the firmware's own copy. Unseen while the handler edits nothing; A4 when it does. */
static void a_private_copy_is_found_when_the_handler_edits(void **state)
{
    (void)state;
    struct fake k;
    fake_open(&k, "rv64", 1, false, NO_BUG);
    before_registration(&k);
    registration(&k);
    context(&k, 1, 1, 0);
    fake_interrupt(&k, 0, PLATFORM);
    k.bug = BUG_RESUME_PRIVATE;
    complete(&k);
    assert_true(k.spent);
    for (unsigned r = 0; r < SSE_RULES; r++)
        assert_int_equal(k.found[r], 0);
    k.spent = false;
    k.bug = NO_BUG;
    context(&k, 1, 1, 0);
    fake_interrupt(&k, 0, PLATFORM);
    k.bug = BUG_RESUME_PRIVATE;
    fake_set(&k, 0, "sepc", 0x80700000);
    complete(&k);
    for (unsigned r = 0; r < SSE_RULES; r++)
        assert_int_equal(k.found[r], r == SSE_A4 ? 1 : 0);
    assert_string_equal(k.what, "pc");
    fake_close(&k);
}

/* A handler that leaves hstatus clobbered: not the firmware's fault, and told to monitors by what it resumed. */
static void a_handlers_own_fault_is_not_the_firmwares(void **state)
{
    (void)state;
    struct fake k;
    fake_open(&k, "rv64", 1, false, NO_BUG);
    before_registration(&k);
    registration(&k);
    context(&k, 1, 1, 1);
    fake_interrupt(&k, 0, PLATFORM);
    fake_nested(&k, 0);
    complete(&k);
    for (unsigned r = 0; r < SSE_RULES; r++)
        assert_int_equal(k.found[r], 0);
    assert_int_equal(k.o.saw & SSE_SAW_RESUME, SSE_SAW_RESUME);
    assert_true(k.o.edited);
    assert_int_equal(k.o.interrupted.v, 1);
    assert_int_equal(k.o.resumed.v, 0);
    fake_close(&k);
}

/* An oracle that comes late knows no state, and blames nobody for it; it learns. */
static void a_late_oracle_learns(void **state)
{
    (void)state;
    struct fake k;
    fake_open(&k, "rv64", 1, false, NO_BUG);
    before_registration(&k);
    registration(&k);
    context(&k, 1, 1, 0);
    fake_interrupt(&k, 0, PLATFORM);
    machine_run(k.m, 10);
    context(&k, 1, 1, 0);
    fake_set(&k, 0, "pc", HANDLER_PLATFORM);
    sse_oracle_init(&k.o, k.m); /* in the middle of a handler */
    assert_true(k.o.late);
    complete(&k);
    fake_call(&k, 0, UNMASK, 0, 0, 0, 0);
    read_all(&k, SOFT);
    read_all(&k, PLATFORM);
    contexts(&k);
    nesting(&k);
    edits(&k);
    one_shot(&k);
    exceptions(&k);
    for (unsigned r = 0; r < SSE_RULES; r++)
        if (k.found[r])
            fail_msg("%s %s", sse_rule_name((enum sse_rule)r), k.text);
    assert_true(k.o.completions > 150);
    k.bug = BUG_STATUS_STATE;
    read_all(&k, SOFT);
    assert_int_equal(k.found[SSE_A5], 1);
    fake_close(&k);
}

/* A copy goes on as the original does. */
static void a_copy_follows_a_fork(void **state)
{
    (void)state;
    struct fake k;
    fake_open(&k, "rv64", 2, false, NO_BUG);
    before_registration(&k);
    registration(&k);
    context(&k, 1, 1, 0);
    fake_interrupt(&k, 0, PLATFORM);
    struct sse_oracle copy;
    memset(&copy, 0xa5, sizeof copy);
    sse_oracle_copy(&copy, &k.o);
    memset(&k.o, 0x5a, sizeof k.o);
    k.o = copy;
    complete(&k);
    contexts(&k);
    other_harts(&k);
    for (unsigned r = 0; r < SSE_RULES; r++)
        if (k.found[r])
            fail_msg("%s %s", sse_rule_name((enum sse_rule)r), k.text);
    fake_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_firmware_is_not_blamed),
        cmocka_unit_test(each_departure_is_found_by_its_name),
        cmocka_unit_test(a_private_copy_is_found_when_the_handler_edits),
        cmocka_unit_test(a_handlers_own_fault_is_not_the_firmwares),
        cmocka_unit_test(a_late_oracle_learns),
        cmocka_unit_test(a_copy_follows_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
