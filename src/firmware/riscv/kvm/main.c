/*
 * A hypervisor with the shape of KVM and one guest, as the target of supervisor software events: it enters the guest and takes
 * its two exits in each round, checks what the exits say and what the guest computed, and ends with code 0 if all was as it must
 * be.
 *
 * Words of -append (config.c): handler=hk0..hk7|linux-good|linux-nosstatus|linux-stvec-missing, event=N|none, event2=N,
 * flavour=none|ebreak|load|hlv|illegal, paging=on|off, rounds=N, inject=N, pmu=N, dte=on, lpad=on|entry, mode=kvm|probe|s1r.
 */
#include "riscv/common/payload.h"
#include "vcpu.h"

struct vcpu {
    volatile ulong word[VCPU_WORDS];
} vcpu;
ulong host_round(struct vcpu *v); /* switch.S */
extern char guest_entry[], guest_vector[], guest_call[], guest_fault_load[], guest_fault_csr[];

/* ---- translation
 * --------------------------------------------------------------------------------------------------------------- */

enum { POOL = 8 };
static unsigned char host_pool[POOL * PAGE] __attribute__((aligned(4096)));
static unsigned char g_pool[POOL * PAGE] __attribute__((aligned(4096)));
static ulong host_root[PAGE / sizeof(ulong)] __attribute__((aligned(4096)));
static ulong g_root[4 * PAGE / sizeof(ulong)] __attribute__((aligned(16384)));
/* The guest's own tables are guest memory. */
static unsigned char vs_pool[POOL * PAGE] __attribute__((aligned(4096), section(".lower.data")));
static ulong vs_root[PAGE / sizeof(ulong)] __attribute__((aligned(4096), section(".lower.data")));

static void map_range(struct tables *t, const char *from, const char *to, ulong flags)
{
    for (ulong va = (ulong)from; va < (ulong)to; va += PAGE)
        pages_map(t, va, va, 0, flags);
}

static void paging_on(void)
{
    struct tables host = {host_root, host_pool, POOL, 0};
    struct tables g = {g_root, g_pool, POOL, 1};
    struct tables vs = {vs_root, vs_pool, POOL, 0};
    pages_map_host(&host);
    map_range(&g, lower_s_start, lower_data_end, PTE_RWX | PTE_U);
    map_range(&vs, lower_s_start, lower_s_end, PTE_R | PTE_X);
    map_range(&vs, lower_u_start, lower_u_end, PTE_R | PTE_X | PTE_U);
    map_range(&vs, lower_data_start, lower_data_end, PTE_R | PTE_W);
    pages_map(&vs, GUEST_FAULT_VA, GUEST_FAULT_GPA, 0, PTE_R | PTE_W);
    WRITE(satp, pages_atp(&host));
    WRITE(0x680, pages_atp(&g));
    WRITE(0x280, pages_atp(&vs));
    __asm__ volatile("sfence.vma\n .insn r 0x73, 0, 0x31, x0, x0, x0 /* hfence.gvma */" ::: "memory");
}

/* ---- the guest
 * ----------------------------------------------------------------------------------------------------------------- */

static void guest_setup(void)
{
    const ulong spv = HSTATUS_SPV | HSTATUS_SPVP | HSTATUS_VTW;
    WRITE(0x602, 1 << 0 | 1 << 3 | 1 << 8 | 1 << 12 | 1 << 13 | 1 << 15); /* hedeleg */
    WRITE(0x603, 0x444);                                                  /* hideleg: the VS-level interrupts */
    WRITE(0x606, 7);                                                      /* hcounteren */
    WRITE(0x205, guest_vector);                                           /* vstvec; the guest will say the same */
    /* So that what a handler does to these fields shows. */
    SET(sstatus, SSTATUS_FS | SSTATUS_SUM);
    if (config.paging)
        paging_on();
    vcpu.word[VCPU_GUEST_SSTATUS] = SSTATUS_SPP | SSTATUS_SPIE | (1 << 13);
    vcpu.word[VCPU_GUEST_HSTATUS] = READ(0x600) | spv;
    vcpu.word[VCPU_GUEST_SCOUNTEREN] = 7;
    vcpu.word[VCPU_GUEST_SEPC] = (ulong)guest_entry;
    vcpu.word[VCPU_GUEST(18)] = config.paging; /* s2 */
}

static ulong guest_work(ulong a0, ulong round)
{
    ulong a1, a2, a3;
    a0 += round;
    a0 ^= a0 << 3;
    a0 += 0x123;
    a1 = a0 * a0;
    a2 = a1 >> 5;
    a0 = a1 - a2;
    a0 = (a0 | round) ^ (a0 & a2);
    a0 += a0 < a1;
    a1 = (ulong)((long)a0 >> 7);
    a0 += a1;
    a2 = (long)a1 < (long)a0;
    a0 -= a2;
    a3 = round | 1;
    return a0 / a3 + a0 % a3;
}

static ulong guest_user_work(ulong a0) { return ~a0 + (~a0 << 1) + 7; }

static void check(const char *what, ulong got, ulong expected)
{
    if (got != expected)
        mismatch(what, got, expected);
}

static void check_exit(uint k, ulong scause, ulong stval, ulong htval, ulong sepc, ulong a0)
{
    const volatile ulong *exit = &vcpu.word[VCPU_EXIT(k)];
    /* `lw a1, 0(t0)` transformed: no base, no offset (priv, "Transformed Instruction or Pseudoinstruction for mtinst or htinst").
     */
    const ulong lw_a1 = 0x2583;
    if (exit[EXIT_A7] == GUEST_PANIC) {
        put_text("  the guest took a trap that is not its own:");
        put_value("scause", vcpu.word[VCPU_GUEST(10)]);
        put_value("sepc", vcpu.word[VCPU_GUEST(11)]);
        put_value("stval", vcpu.word[VCPU_GUEST(12)]);
        finish_with(EXIT_GUEST, "", "");
    }
    check(k ? "scause of the fault's exit" : "scause of the call's exit", exit[EXIT_SCAUSE], scause);
    check("stval", exit[EXIT_STVAL], stval);
    check("htval", exit[EXIT_HTVAL], htval);
    if (scause != 21 || exit[EXIT_HTINST]) /* it may be 0 for a fault, too */
        check("htinst", exit[EXIT_HTINST], scause == 21 ? lw_a1 : 0);
    check("guest pc", exit[EXIT_SEPC], sepc);
    check("guest a0", exit[EXIT_A0], a0);
}

static void round(ulong n)
{
    static ulong a0;
    check("host registers", host_round(&vcpu), 0);
    a0 = guest_work(a0, n);
    check_exit(0, 10, 0, 0, (ulong)guest_call, a0);
    a0 = guest_user_work(a0);
    if (config.paging)
        check_exit(1, 21, GUEST_FAULT_VA, (ulong)(GUEST_FAULT_GPA >> 2), (ulong)guest_fault_load, a0);
    else
        check_exit(1, 22, *(const uint *)guest_fault_csr, 0, (ulong)guest_fault_csr, a0);
    verdict.rounds++;
}

/* ---- the run
 * ------------------------------------------------------------------------------------------------------------------- */

/* A trap of the host's own that nothing explains (switch.S); what was in a0 to a2, where a guest's panic has its trap; and
   hstatus as the trap left it. */
_Noreturn void host_trapped(ulong a0, ulong a1, ulong a2, ulong hstatus);
_Noreturn void host_trapped(ulong a0, ulong a1, ulong a2, ulong hstatus)
{
    ulong scause = READ(scause), sepc = READ(sepc), stval = READ(stval);
    WRITE(sscratch, 0);
    put_text(config.mode == MODE_S1R ? "s1r: the hypervisor took a trap:" : "  the host took a trap:");
    put_value("scause", scause);
    put_value("sepc", sepc);
    put_value("stval", stval);
    put_value("hstatus", hstatus);
    if (scause == 10) {
        put_text("\n  it is a call from VS-mode, of the guest's vector:");
        put_value("vscause", a0);
        put_value("vsepc", a1);
        put_value("vstval", a2);
    }
    put_text("\n");
    if (config.mode == MODE_S1R && (hstatus & HSTATUS_SPV)) {
        put_text(
            "s1r: hstatus.SPV says that it came from V=1: completion brought the hypervisor back into its own code as a guest.\n"
            "s1r: It was interrupted with V=0. ");
        put_text(scause == 22 ? "Reading hstatus in a guest is a virtual instruction (cause 22).\n"
                              : "The guest has no such code mapped, so its vector ran with the hypervisor's registers.\n");
        finish(EXIT_MISMATCH);
    }
    finish(EXIT_TRAP);
}

static void header(void)
{
    put_text("kvm rv");
    put_decimal(__riscv_xlen);
    put_text(": handler ");
    put_text(handler_name(config.handler));
    if (config.event == EVENT_NONE)
        put_text(", no event");
    else
        put_value("event", config.event);
    put_text(config.paging ? ", paging on\n" : ", paging off\n");
}

/* HS code with hstatus.SPV=1 and V=0, as it is in the switch, injects into its own hart. */
static void s1r(void)
{
    put_text("s1r: the hypervisor sets hstatus.SPV (V stays 0), as before its SRET into a guest, and lets an event run and "
             "complete\n");
    uint n = inject_checked(HSTATUS_SPV | HSTATUS_SPVP | HSTATUS_VTW);
    put_text(n ? "s1r: it came back in HS, but changed\n" : "s1r: it came back in HS with every register as it was\n");
    finish(n ? EXIT_MISMATCH : 0);
}

void payload_main(ulong hart)
{
    if (config.mode == MODE_S1R && config.event == EVENT_DEFAULT)
        config.event = EVENT_SOFTWARE;
    hart_setup(hart);
    if (!have_h)
        finish_with(EXIT_CONFIG, "kvm: the hart has no hypervisor extension", "");
    events_setup(hart, 0);
    guest_setup();
    header();
    probe_pass();
    if (config.mode == MODE_S1R)
        s1r();
    for (ulong n = 1; n <= config.rounds; n++) {
        if (n <= config.inject)
            inject_checked(0);
        round(n);
    }
    put_text("kvm: ");
    put_decimal(verdict.rounds);
    put_text(" rounds, ");
    put_decimal(verdict.injections);
    put_text(" injections, ");
    put_report_end();
    finish(verdict.mismatches ? EXIT_MISMATCH : 0);
}
