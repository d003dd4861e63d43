/* From reset to the next stage, on the boot hart; the others wait for a call of HSM. Also what the parts need of the whole. */
#include "fw.h"

u8 hart_area[HARTS * HART_AREA] __attribute__((aligned(16)));
struct platform platform;
static bool ready; /* platform is filled in */

/* What a2 points to (OpenSBI docs/firmware/fw_dynamic.md). */
struct fw_dynamic_info {
    ulong magic, version, next_addr, next_mode, options, boot_hart;
};
#define INFO_MAGIC 0x4942534ful
enum { NEXT_MODE_S = 1 };

bool memory_ok(ulong lo, ulong hi, u64 size)
{
    if (!size)
        return true;
    if (hi || size > -1ul - lo + 1ull)
        return false;
    if (lo < FW_BASE + (ulong)FW_SIZE && lo + size > FW_BASE)
        return false;
    for (uint i = 0; i < platform.ram_ranges; i++)
        if (lo >= platform.ram[i].base && lo - platform.ram[i].base + size <= platform.ram[i].size)
            return true;
    return false;
}

bool code_ok(ulong pc) { return !(pc & 1) && memory_ok(pc, 0, 2); }

void finish(uint what)
{
    MMIO32(FINISHER) = what;
    for (;;)
        __asm__ volatile("wfi");
}

/* Tells what has gone wrong and ends the run with this code. */
void fatal(struct hart *h, const char *what, ulong a, ulong b, uint code)
{
    put_text("sbi: hart ");
    put_hex(h->id);
    put_text(": ");
    put_text(what);
    put_text(": ");
    put_hex(a);
    put_text(", ");
    put_hex(b);
    put_text("\n");
    finish(code << 16 | 0x3333);
}

/* nmi.S: a double trap of the firmware. */
void fatal_in_m(ulong cause, ulong pc) { fatal(hart_at(csr_read(mhartid)), "double trap in the firmware", cause, pc, 18); }

static void banner(const struct hart *h)
{
    put_text("trapline SBI 3.0, variant " VARIANT_NAME ", harts ");
    put_hex(platform.harts);
    put_text(h->has.h ? ", H\n" : ", no H\n");
}

static void __attribute__((noreturn)) boot_first(struct hart *h, void *tree, const struct fw_dynamic_info *info)
{
    console_init();
    if (info->magic != INFO_MAGIC)
        fatal(h, "a2 points to no fw_dynamic_info", (ulong)info, info->magic, 19);
    if (!fdt_scan(tree, &platform))
        fatal(h, "the device tree names no harts or no memory", (ulong)tree, 0, 20);
    if (!code_ok(info->next_addr) || info->next_mode != NEXT_MODE_S)
        fatal(h, "there is no next stage in S-mode (-kernel)", info->next_addr, info->next_mode, 21);
    hart_probe(h);
    banner(h);
    if (!fdt_reserve(tree, FW_BASE, FW_SIZE))
        put_text("sbi: the device tree has no room for the node that reserves the firmware\n");
    sse_init_global();
    for (ulong i = 0; i < HARTS; i++)
        hart_at(i)->hsm = HSM_STOPPED;
    h->hsm = HSM_STARTED;
    __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
    for (ulong i = 0; i < HARTS; i++)
        if (i != h->id && hart_valid(i))
            ipi_send(i, IPI_HSM);
    hart_set_up(h);
    hart_enter_s(h, info->next_addr, h->id, (ulong)tree);
    fw_enter(h);
}

/* Every hart comes here from reset, on its own stack. */
void boot(struct hart *h, ulong id, void *tree, const struct fw_dynamic_info *info)
{
    h->id = id;
    ulong first = info->magic == INFO_MAGIC && info->version >= 2 && info->boot_hart < HARTS ? info->boot_hart : 0;
    if (id == first)
        boot_first(h, tree, info);
    csr_write(mie, 1 << IRQ_MSI);
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        __asm__ volatile("wfi");
    hart_probe(h);
    hart_wait(h);
}
