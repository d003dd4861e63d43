/*
 * One injection into this hart, by its own call: everything that belongs to the interrupted code is compared with what it was, or
 * with what the handler is there to make of it (SBI v3.0, "Software Event Injection" and "Software Event Completion").
 */
#include "riscv/common/payload.h"

/* Known to inject_call.S. */
struct inject_frame {
    ulong before[32], after[32], saved[16], redirected;
} inject_frame;
void inject_call(void);
extern char other_vector[]; /* leads to normal_vector, so that a handler that installs that has something to put back */
extern char inject_redirected[], inject_resume[];

/* name, number, only with H, what it is set to before (0: nothing is written) */
#define STATE(X)                     \
    X(sstatus, 0x100, 0, 0)          \
    X(hstatus, 0x600, 1, 0)          \
    X(sepc, 0x141, 0, 0x5ec0)        \
    X(scause, 0x142, 0, 0xd)         \
    X(stval, 0x143, 0, 0x57a10)      \
    X(sie, 0x104, 0, 0)              \
    X(stvec, 0x105, 0, other_vector) \
    X(scounteren, 0x106, 0, 0x5)     \
    X(senvcfg, 0x10a, 0, 0)          \
    X(sscratch, 0x140, 0, 0)         \
    X(satp, 0x180, 0, 0)             \
    X(htval, 0x643, 1, 0x47a10)      \
    X(htinst, 0x64a, 1, 0x3003)      \
    X(hedeleg, 0x602, 1, 0)          \
    X(hideleg, 0x603, 1, 0)          \
    X(hie, 0x604, 1, 0)              \
    X(hcounteren, 0x606, 1, 0x3)     \
    X(htimedelta, 0x605, 1, 0)       \
    X(henvcfg, 0x60a, 1, 0)          \
    X(hvip, 0x645, 1, 0)             \
    X(hgatp, 0x680, 1, 0)            \
    X(vsstatus, 0x200, 1, 0)         \
    X(vsie, 0x204, 1, 0)             \
    X(vstvec, 0x205, 1, 0)           \
    X(vsscratch, 0x240, 1, 0x75)     \
    X(vsepc, 0x241, 1, 0x75ec)       \
    X(vscause, 0x242, 1, 0x8)        \
    X(vstval, 0x243, 1, 0x7570)      \
    X(vsatp, 0x280, 1, 0)

#define ROW_INDEX(name, number, h, preset) AT_##name,
enum { STATE(ROW_INDEX) STATE_COUNT };
#define ROW_NAME(name, number, h, preset) #name,
static const char *const state_names[] = {STATE(ROW_NAME)};

struct state {
    ulong csr[STATE_COUNT];
};
static struct state before, after, expected;

static void preset_state(void)
{
#define ROW_WRITE(name, number, h, preset)   \
    if ((ulong)(preset) && (!(h) || have_h)) \
        WRITE(number, (ulong)(preset));
    STATE(ROW_WRITE)
}

static void read_state(struct state *s)
{
#define ROW_READ(name, number, h, preset) s->csr[AT_##name] = !(h) || have_h ? READ(number) : 0;
    STATE(ROW_READ)
}

/* ---- what the handler is there to make of it
 * ----------------------------------------------------------------------------------- */

static ulong flags_of(const struct state *s)
{
    ulong sstatus = s->csr[AT_sstatus], hstatus = s->csr[AT_hstatus];
    return (sstatus >> 8 & 1) | (sstatus >> 5 & 1) << 1 | (hstatus >> 7 & 1) << 2 | (hstatus >> 8 & 1) << 3 |
           (sstatus >> 23 & 1) << 4 | (sstatus >> 24 & 1) << 5;
}

static ulong with_bit(ulong value, uint bit, ulong on) { return (value & ~(1ul << bit)) | (on & 1) << bit; }

/* HK5 writes the opposite of what FLAGS must be, and other values of the rest; HK6 goes on elsewhere. */
static void arguments(void)
{
    volatile ulong *arg = &handler_slot.word[SLOT_ARG];
    ulong opposite = flags_of(&before) ^ (have_h ? 15 : 3);
    expected = before;
    if (config.handler == HK5) {
        arg[0] = opposite;
        arg[1] = 0xe5e4;
        arg[2] = 0xe5e6;
        arg[3] = 0xe5e7;
        ulong sstatus = before.csr[AT_sstatus], hstatus = before.csr[AT_hstatus];
        expected.csr[AT_sstatus] = with_bit(with_bit(sstatus, 8, opposite), 5, opposite >> 1);
        expected.csr[AT_hstatus] = have_h ? with_bit(with_bit(hstatus, 7, opposite >> 2), 8, opposite >> 3) : 0;
        expected.csr[AT_sepc] = arg[1];
    } else if (config.handler == HK6) {
        arg[0] = 1; /* S-mode, V=0, interrupts off */
        arg[1] = (ulong)inject_redirected;
    }
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------------
 */

static uint differs(const char *prefix, const char *name, ulong got, ulong want)
{
    if (got == want)
        return 0;
    put_text("  the event changed ");
    put_text(prefix);
    put_text(name);
    put_text(":");
    put_value("was", want);
    put_value("is", got);
    put_text("\n");
    return 1;
}

static uint compare_registers(void)
{
    static char name[] = "x00";
    uint n = 0;
    for (uint i = 1; i < 32; i++) {
        ulong want = i == 10 ? SBI_SUCCESS : inject_frame.before[i];
        if (config.handler == HK5 && i >= 16 && i <= 17)
            want = handler_slot.word[SLOT_ARG + i - 14];
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        if (i != 11)
            n += differs("", name, inject_frame.after[i], want);
    }
    return n;
}

static uint compare_state(void)
{
    uint n = 0;
    for (uint i = 0; i < STATE_COUNT; i++)
        n += differs("", state_names[i], after.csr[i], expected.csr[i]);
    return n;
}

/* The attributes stay readable after completion: they tell that the event ran, and where. */
static uint compare_attributes(void)
{
    volatile ulong *a = (volatile ulong *)probe_buffer;
    if (sbi(EID_SSE, SSE_READ_ATTR, config.event, 0, 10, (ulong)a, 0).error != SBI_SUCCESS) {
        put_text("  READ_ATTR failed\n");
        return 1;
    }
    const volatile ulong *arg = &handler_slot.word[SLOT_ARG];
    uint edited = config.handler == HK5;
    return differs("attribute ", "STATUS", a[0] & ~8ul, 2) + /* ENABLED; bit 3 says whether software may inject */
           differs("attribute ", "ENTRY_PC", a[4], (ulong)entry_pc) +
           differs("attribute ", "ENTRY_ARG", a[5], (ulong)&handler_slot) +
           differs("attribute ", "INTERRUPTED_SEPC", a[6], edited ? arg[1] : before.csr[AT_sepc]) +
           differs("attribute ", "INTERRUPTED_FLAGS", a[7], edited ? arg[0] : flags_of(&before)) +
           differs("attribute ", "INTERRUPTED_A6", a[8], edited ? arg[2] : inject_frame.before[16]) +
           differs("attribute ", "INTERRUPTED_A7", a[9], edited ? arg[3] : inject_frame.before[17]);
}

uint inject_checked(ulong with_hstatus)
{
    struct inject_frame *f = &inject_frame;
    struct state ours;
    read_state(&ours);
    preset_state();
    if (have_h)
        SET(0x600, with_hstatus | HSTATUS_GVA); /* a trap clears GVA */
    for (uint i = 1; i < 32; i++)
        f->before[i] = 0x5a5a0000ul + i * 0x11ul;
    ulong sp, tp;
    __asm__ volatile("mv %0, sp\n mv %1, tp" : "=r"(sp), "=r"(tp));
    f->before[2] = sp - 1024; /* a nested trap's vector may push there */
    f->before[4] = tp;
    f->before[10] = config.event;
    f->before[11] = handler_slot.word[SLOT_HART];
    f->before[16] = SSE_INJECT;
    f->before[17] = EID_SSE;
    read_state(&before);
    arguments();
    inject_call();
    read_state(&after);
    uint n = compare_registers() + compare_state() + compare_attributes();
    if ((f->redirected != 0) != (config.handler == HK6))
        n += differs("", "pc", f->redirected ? (ulong)inject_redirected : (ulong)inject_resume,
                     f->redirected ? (ulong)inject_resume : (ulong)inject_redirected);
    verdict.injections++;
    /* Back to what the payload runs with: counters on and the rest as it was. */
    WRITE(0x100, ours.csr[AT_sstatus]);
    WRITE(0x141, ours.csr[AT_sepc]);
    WRITE(0x105, ours.csr[AT_stvec]);
    WRITE(0x106, ours.csr[AT_scounteren]);
    if (have_h) {
        WRITE(0x600, ours.csr[AT_hstatus]);
        WRITE(0x606, ours.csr[AT_hcounteren]);
    }
    verdict.mismatches += n;
    return n;
}
