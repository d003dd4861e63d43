/* The hart, its neighbours, and the registration of events. */
#include "riscv/common/payload.h"

uint have_h, probe_hold;
char *entry_pc = handler_entry;

_Static_assert(sizeof(struct slot) == SLOT_BYTES, "handlers.S finds the stack's end there");

/* Whether hstatus exists: the one way that needs no firmware and no device tree. */
static uint probe_h(void)
{
    ulong ok = 1;
    __asm__ volatile("la t0, 1f\n"
                     "csrrw t0, stvec, t0\n"
                     "csrr t1, 0x600\n"
                     "j 2f\n"
                     ".balign 4\n"
                     "1: li %0, 0\n"
                     "2: csrw stvec, t0\n"
                     : "+r"(ok)
                     :
                     : "t0", "t1", "memory");
    return (uint)ok;
}

static void start_others(ulong self)
{
    for (ulong hart = 0; hart < 8; hart++)
        if (hart != self)
            sbi(EID_HSM, 0, hart, (ulong)remote_entry, 0, 0, 0); /* one that is not there is refused */
}

static void feature(const char *name, ulong id)
{
    if (sbi(EID_FWFT, 0, id, 1, 0, 0, 0).error != SBI_SUCCESS)
        finish_with(EXIT_FIRMWARE, name, ": the firmware cannot turn this on (SBI v3.0 chapter FWFT)");
}

void hart_setup(ulong hart)
{
    enum { FWFT_LANDING_PAD = 1, FWFT_DOUBLE_TRAP = 3 };
    have_h = probe_h();
    if (config.flavour == FLAVOUR_HLV && !have_h)
        finish_with(EXIT_CONFIG, "flavour=hlv needs the hypervisor extension", "");
    start_others(hart);
    if (config.dte)
        feature("dte=on", FWFT_DOUBLE_TRAP);
    if (config.lpad)
        feature("lpad=on", FWFT_LANDING_PAD);
}

static void need(const char *what, struct sbiret r)
{
    if (r.error == SBI_SUCCESS)
        return;
    put_text(what);
    put_text(" failed:");
    put_value("error", (ulong)r.error);
    finish_with(EXIT_FIRMWARE, "", "");
}

static long try_register(ulong event, const struct slot *s)
{
    return sbi(EID_SSE, SSE_REGISTER, event, (ulong)entry_pc, (ulong)s, 0, 0).error;
}

/* Registers the first event; without one named, the first that the firmware has. */
static void register_first(struct slot *s)
{
    static const ulong defaults[] = {EVENT_PLATFORM, EVENT_PMU, EVENT_SOFTWARE};
    if (config.event != EVENT_DEFAULT) {
        long error = try_register(config.event, s);
        if (error == SBI_SUCCESS)
            return;
        put_text("event=");
        put_hex(config.event);
        put_text(": the firmware does not register it,");
        put_value("error", (ulong)error);
        finish_with(EXIT_FIRMWARE, "", "");
    }
    for (uint i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (try_register(defaults[i], s) == SBI_SUCCESS) {
            config.event = defaults[i];
            return;
        }
    finish_with(EXIT_FIRMWARE, "the firmware has no supervisor software events (SBI v3.0 chapter SSE); event=none runs without",
                "");
}

/* OpenSBI 1.5 swaps a6 and a7 at entry, against the chapter; its handlers need to know. */
static void choose_entry(void)
{
    if (config.lpad == LPAD_ENTRY)
        entry_pc = handler_entry_pad;
    enum { IMPL_ID = 1, IMPL_VERSION = 2, OPENSBI = 1, V1_6 = 0x10006 };
    if (sbi(EID_BASE, IMPL_ID, 0, 0, 0, 0, 0).value != OPENSBI || sbi(EID_BASE, IMPL_VERSION, 0, 0, 0, 0, 0).value >= V1_6)
        return;
    entry_pc = handler_entry_swapped;
    put_text("this OpenSBI enters handlers with a6 and a7 swapped\n");
}

static void fill(struct slot *s, ulong hart, ulong task, ulong event)
{
    s->word[SLOT_FLAVOUR] = config.flavour;
    s->word[SLOT_EVENT] = event;
    s->word[SLOT_HART] = hart;
    s->word[SLOT_HAVE_H] = have_h;
    s->word[SLOT_TASK] = task;
}

static void set_priority(ulong event, ulong priority)
{
    volatile ulong *buffer = (volatile ulong *)probe_buffer;
    *buffer = priority;
    need("WRITE_ATTR of PRIORITY", sbi(EID_SSE, SSE_WRITE_ATTR, event, ATTR_PRIORITY, 1, (ulong)buffer, 0));
    *buffer = 0;
}

/* A counter of retired instructions in S and U that overflows each config.pmu (SBI v3.0 chapter PMU; Sscofpmf). */
static void counter_setup(struct slot *s)
{
    enum { CONFIG_MATCHING = 2, HW_INSTRUCTIONS = 2, CLEAR_VALUE = 1 << 1, MINH = 1 << 7, SET_VALUE = 1 };
    /* Counter 3, the first programmable one: the fixed ones do not interrupt. */
    struct sbiret r = sbi(EID_PMU, CONFIG_MATCHING, 3, 1, CLEAR_VALUE | MINH, HW_INSTRUCTIONS, 0);
    need("pmu: counter_config_matching", r);
    s->word[SLOT_COUNTER] = r.value;
    s->word[SLOT_PERIOD] = config.pmu;
    need("pmu: counter_start", sbi(EID_PMU, PMU_START, r.value, 1, SET_VALUE, -(ulong)config.pmu, -1ul));
}

void events_setup(ulong hart, ulong task)
{
    struct slot *one = &handler_slot, *two = &handler2_slot;
    probe_hold = config.mode == MODE_PROBE;
    if (config.event == EVENT_NONE)
        return;
    choose_entry();
    register_first(one);
    fill(one, hart, task, config.event);
    one->word[SLOT_SELECT] = config.handler;
    one->word[SLOT_PMU] = config.event == EVENT_PMU;
    one->word[SLOT_COUNTER] = 3;
    if (config.event2 == EVENT_DEFAULT)
        config.event2 = config.event == EVENT_SOFTWARE ? EVENT_SOFTWARE_GLOBAL : EVENT_SOFTWARE;
    fill(two, hart, task, config.event2);
    two->word[SLOT_PMU] = config.event2 == EVENT_PMU;
    two->word[SLOT_COUNTER] = 3;
    need("register of event2", sbi(EID_SSE, SSE_REGISTER, config.event2, (ulong)entry_pc, (ulong)two, 0, 0));
    set_priority(config.event, 1);
    if (config.handler == HK7)
        one->word[SLOT_ARG] = config.event2;
    need("enable", sbi(EID_SSE, SSE_ENABLE, config.event, 0, 0, 0, 0));
    need("enable of event2", sbi(EID_SSE, SSE_ENABLE, config.event2, 0, 0, 0, 0));
    struct sbiret r = sbi(EID_SSE, SSE_UNMASK, 0, 0, 0, 0, 0);
    if (r.error != SBI_NOT_SUPPORTED) /* drafts of the chapter had no mask, and so has OpenSBI 1.5 */
        need("hart_unmask", r);
    if (config.pmu)
        counter_setup(one);
}
