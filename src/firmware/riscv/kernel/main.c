/*
 * A kernel in S-mode and its user program, as the target of supervisor software events: with and without the hypervisor
 * extension. The program counts by system calls; at the end the counts of program, kernel and traps are equal, or the run ends
 * with another code.
 *
 * Words of -append (config.c): handler=hk0..hk7|linux-good|linux-nosstatus|linux-stvec-missing, event=N|none, event2=N,
 * flavour=none|ebreak|load|hlv|illegal, paging=on|off, rounds=N, inject=N, timer=TICKS, pmu=N, dte=on, lpad=on|entry,
 * mode=kernel|probe.
 */
#include "riscv/common/payload.h"
#include "task.h"

struct task {
    volatile ulong word[TASK_WORDS];
};
static struct task task;
/* Handlers run with a task of their own: a trap inside one changes the kernel's and user's sp of the task that tp points to. */
static struct task handler_task __attribute__((section(".scratch")));

/* Known to entry.S, in this order. */
struct {
    volatile ulong count, critical;
} kernel_count;
static volatile ulong ticks, syscalls;

extern char user_start[], user_page[], user_text_start[], user_text_end[];
_Noreturn void enter_user(volatile ulong *frame, struct task *t);
/* entry.S calls these. */
ulong kernel_call(volatile ulong *frame);
void kernel_interrupt(ulong scause);
_Noreturn void kernel_trapped(const volatile ulong *frame);

/* ---- the timer
 * ------------------------------------------------------------------------------------------------------------------- */

static uint have_sstc;

static unsigned long long now(void)
{
#if __riscv_xlen == 64
    return READ(time);
#else
    ulong high, low;
    do {
        high = READ(timeh);
        low = READ(time);
    } while (READ(timeh) != high);
    return (unsigned long long)high << 32 | low;
#endif
}

/* The next interrupt, by stimecmp where there is Sstc, else by the firmware. */
static void set_timer(unsigned long long when)
{
    ulong high = (ulong)(when >> 16 >> 16);
    if (!have_sstc) {
        sbi(EID_TIME, 0, (ulong)when, high, 0, 0, 0);
        return;
    }
#if __riscv_xlen == 32
    WRITE(0x14d, -1ul);
    WRITE(0x15d, high);
#endif
    WRITE(0x14d, when);
}

static uint probe_sstc(void)
{
    ulong ok = 1;
    __asm__ volatile("la t0, 1f\n"
                     "csrrw t0, stvec, t0\n"
                     "csrr t1, 0x14d\n"
                     "j 2f\n"
                     ".balign 4\n"
                     "1: li %0, 0\n"
                     "2: csrw stvec, t0\n"
                     : "+r"(ok)
                     :
                     : "t0", "t1", "memory");
    return (uint)ok;
}

static void timer_setup(void)
{
    have_sstc = probe_sstc();
    set_timer(now() + config.timer);
    SET(sie, 1 << 5);
}

void kernel_interrupt(ulong scause)
{
    enum { STI = 5 };
    if ((scause & 0xff) != STI)
        mismatch("an interrupt that nobody asked for", scause, STI);
    if (kernel_count.critical)
        mismatch("an interrupt between the irq-off markers", kernel_count.critical, 0);
    ticks++;
    set_timer(now() + config.timer);
}

/* ---- calls and traps
 * ----------------------------------------------------------------------------------------------------------- */

static _Noreturn void report(void)
{
    CLEAR(sie, -1ul);
    syscalls = kernel_count.count;
    if (syscalls != config.rounds)
        mismatch("system calls counted", syscalls, config.rounds);
    verdict.rounds = config.rounds;
    put_text("kernel: ");
    put_decimal(verdict.rounds);
    put_text(" system calls, ");
    put_decimal(ticks);
    put_text(" timer interrupts, ");
    put_decimal(verdict.injections);
    put_text(" injections, ");
    put_report_end();
    finish(verdict.mismatches ? EXIT_MISMATCH : 0);
}

ulong kernel_call(volatile ulong *frame)
{
    switch (frame[17]) {
    case SYS_INJECT: inject_checked(0); return 0;
    case SYS_EXIT: report();
    default:
        put_text("  the program found");
        put_value("a0", frame[10]);
        put_value("expected", frame[11]);
        finish_with(EXIT_GUEST, "", "");
    }
}

static int in(ulong pc, const char *from, const char *to) { return pc >= (ulong)from && pc < (ulong)to; }

_Noreturn void kernel_trapped(const volatile ulong *frame)
{
    ulong cause = frame[FRAME_SCAUSE], pc = frame[FRAME_SEPC], spp = frame[FRAME_SSTATUS] & SSTATUS_SPP;
    put_text("  the kernel took a trap:");
    put_value("scause", cause);
    put_value("sepc", pc);
    put_value("stval", frame[FRAME_STVAL]);
    put_value("sstatus", frame[FRAME_SSTATUS]);
    put_text("\n");
    if (in(pc, host_text_start, host_text_end) && !spp)
        put_text(cause == 8 ? "  environment call from U-mode, in kernel text: the kernel ran in U-mode\n"
                            : "  the kernel ran in U-mode\n");
    if (in(pc, user_text_start, user_text_end) && spp)
        put_text("  the user program ran in S-mode\n");
    finish(EXIT_TRAP);
}

/* ---- the run
 * ------------------------------------------------------------------------------------------------------------------- */

enum { POOL = 6 };
static unsigned char pool[POOL * PAGE] __attribute__((aligned(4096)));
static ulong root[PAGE / sizeof(ulong)] __attribute__((aligned(4096)));

static void paging_on(void)
{
    struct tables t = {root, pool, POOL, 0};
    pages_map_host(&t);
    WRITE(satp, pages_atp(&t));
    __asm__ volatile("sfence.vma" ::: "memory");
}

static void header(void)
{
    put_text("kernel rv");
    put_decimal(__riscv_xlen);
    put_text(have_h ? " with H: handler " : " without H: handler ");
    put_text(handler_name(config.handler));
    if (config.event == EVENT_NONE)
        put_text(", no event");
    else
        put_value("event", config.event);
    put_text(config.paging ? ", paging on\n" : ", paging off\n");
}

void payload_main(ulong hart)
{
    static ulong stack[1024] __attribute__((aligned(16)));
    ulong *frame = stack + sizeof stack / sizeof *stack - FRAME_WORDS;
    if (config.mode == MODE_S1R)
        finish_with(EXIT_CONFIG, "mode=s1r is for kvm.elf", "");
    hart_setup(hart);
    events_setup(hart, (ulong)&handler_task);
    if (config.paging)
        paging_on();
    if (config.timer)
        timer_setup();
    header();
    if (!config.rounds)
        config.rounds = 1;
    __asm__ volatile("mv tp, %0" ::"r"(&task)); /* as it is in the kernel */
    probe_pass();
    frame[8] = (ulong)user_page;
    frame[18] = config.rounds;
    frame[19] = config.inject < config.rounds ? config.inject : config.rounds;
    frame[FRAME_SSTATUS] = SSTATUS_SPIE;
    frame[FRAME_SEPC] = (ulong)user_start;
    enter_user(frame, &task);
}
