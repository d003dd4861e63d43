#include "explain_riscv.h"
#include "base/bits.h"
#include "cpu/riscv/hart.h"
#include "debug/explain.h"
#include "guest.h"
#include "machine/machine.h"

#define CODE        UINT64_C(0x80001000)
#define CODE_U      UINT64_C(0xc0001000)
#define DATA        UINT64_C(0x40000000)
#define S_ROOT      UINT64_C(0x80100000)
#define VS_ROOT     UINT64_C(0x80110000)
#define G_ROOT      UINT64_C(0x80120000)
#define FRAMES      UINT64_C(0x80400000) /* what good entries map */
#define HOLE        UINT64_C(0x70000000)
#define SECRET      UINT64_C(0x80800000)
#define SERIAL      UINT64_C(0x10000000)
#define MODE_BIT(m) (1u << (m))
#define ALL_MODES   0x1fu
#define V_MODES     (MODE_BIT(MODE_VU) | MODE_BIT(MODE_VS))

const char *const mode_names[MODES] = {"U", "S", "M", "VU", "VS"};

void rv_set(struct machine *m, const char *name, uint64_t v)
{
    if (!machine_set_reg(m, 0, name, v)) {
        fprintf(stderr, "no register %s, or no such value\n", name);
        abort();
    }
}

uint64_t rv_get(struct machine *m, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, 0, name, &v);
    return v;
}

/* ---- tables
 * ---------------------------------------------------------------------------------------------------------------------- */

enum { V = 1, R = 2, W = 4, X = 8, U = 16, A = 64, D = 128 };

static void put(struct machine *m, uint64_t table, unsigned i, uint64_t pte) { machine_write(m, table + 8 * i, &pte, 8); }
static uint64_t leaf(uint64_t pa, uint64_t flags) { return pa >> 12 << 10 | flags; }

static uint64_t entry(unsigned k)
{
    uint64_t frame = FRAMES + (uint64_t)k * 4096, n = UINT64_C(1) << 63;
    switch (k) {
    case PAGE_INVALID: return leaf(frame, R | W | A | D);
    case PAGE_RW: return leaf(frame, V | R | W | A | D);
    case PAGE_R: return leaf(frame, V | R | A | D);
    case PAGE_W: return leaf(frame, V | W | A | D);
    case PAGE_X: return leaf(frame, V | X | A | D);
    case PAGE_NO_A: return leaf(frame, V | R | W | D);
    case PAGE_NO_D: return leaf(frame, V | R | W | A);
    case PAGE_POINTER: return leaf(frame, V);
    case PAGE_RESERVED: return leaf(frame, V | R | W | A | D) | UINT64_C(1) << 55;
    case PAGE_PBMT: return leaf(frame, V | R | W | A | D) | UINT64_C(1) << 61;
    case PAGE_N_BAD: return leaf(FRAMES + 0x7000, V | R | W | A | D) | n;
    case PAGE_N_GOOD: return leaf(FRAMES + 0x8000, V | R | W | A | D) | n;
    case PAGE_HOLE: return leaf(HOLE, V | R | W | A | D);
    case PAGE_DEVICE: return leaf(SERIAL, V | R | W | A | D);
    case PAGE_PMP: return leaf(SECRET, V | R | W | A | D);
    default: return leaf(frame, V | R | W | X | A | D);
    }
}

/* RV32 alone has mstatush. */
static bool is_rv32(struct machine *m)
{
    uint64_t v;
    return machine_get_reg(m, 0, "mstatush", &v);
}

static void put32(struct machine *m, uint64_t table, unsigned i, uint64_t pte) { machine_write(m, table + 4 * i, &pte, 4); }

/* The same of Sv32 (x4): megapages for the code, one last-level table for the pages, as far as these entries have a meaning. */
static void tree32(struct machine *m, uint64_t root, bool g)
{
    uint64_t l0 = root + 0x5000, u = g ? U : 0;
    put32(m, root, 0x80000000u >> 22, leaf(UINT64_C(0x80000000), V | R | W | X | A | D | u));
    put32(m, root, 0x80400000u >> 22, leaf(UINT64_C(0x80400000), V | R | W | X | A | D | u));
    put32(m, root, 0xc0000000u >> 22, leaf(UINT64_C(0x80000000), V | R | W | X | A | D | U));
    put32(m, root, (unsigned)DATA >> 22, leaf(l0, V));
    for (unsigned k = 0; k < PAGES; k++) {
        uint64_t pte = (uint32_t)entry(k);
        put32(m, l0, k, pte | u);
        put32(m, l0, k + PAGE_OTHER, pte | (u ^ U));
        put32(m, l0, k + PAGE_G, leaf(DATA + (uint64_t)k * 4096, V | R | W | X | A | D));
        put32(m, l0, k + PAGE_G + PAGE_OTHER, leaf(DATA + (uint64_t)k * 4096, V | R | W | X | A | D | U));
    }
}

/* One tree of Sv39 (x4) at root; u: what the plain entries have in U. */
static void tree(struct machine *m, uint64_t root, bool g)
{
    if (is_rv32(m)) {
        tree32(m, root, g);
        return;
    }
    uint64_t l1 = root + 0x4000, l0 = root + 0x5000, u = g ? U : 0;
    put(m, root, 2, leaf(UINT64_C(0x80000000), V | R | W | X | A | D | u));
    put(m, root, 3, leaf(UINT64_C(0x80000000), V | R | W | X | A | D | U));
    put(m, root, 1, leaf(l1, V));
    put(m, l1, 0, leaf(l0, V));
    for (unsigned k = 0; k < PAGES; k++) {
        put(m, l0, k, entry(k) | u);
        put(m, l0, k + PAGE_OTHER, entry(k) | (u ^ U));
        put(m, l0, k + PAGE_G, leaf(DATA + (uint64_t)k * 4096, V | R | W | X | A | D));
        put(m, l0, k + PAGE_G + PAGE_OTHER, leaf(DATA + (uint64_t)k * 4096, V | R | W | X | A | D | U));
    }
}

struct machine *rv_world(const char *cpu)
{
    struct guest g = {.n = 0};
    put_insn(&g, 0x13);
    struct machine *m = guest_machine(&g, &(struct machine_config){.cpu = cpu});
    if (!m)
        abort();
    tree(m, S_ROOT, false);
    tree(m, VS_ROOT, false);
    tree(m, G_ROOT, true);
    for (unsigned k = 0; k < PAGES; k++) /* a guest's root table, wherever the G stage puts it */
        put(m, FRAMES + (uint64_t)k * 4096, 1, leaf(VS_ROOT + 0x4000, V));
    return m;
}

uint64_t rv_page(unsigned mode, unsigned k)
{
    bool user = mode == MODE_U || mode == MODE_VU;
    return DATA + (uint64_t)(user ? k + PAGE_OTHER : k) * 4096;
}

/* ---- states
 * ------------------------------------------------------------------------------------------------------------------------ */

/* Where the registers exist. */
static void set_if(struct machine *m, const char *name, uint64_t v) { machine_set_reg(m, 0, name, v); }

void rv_place(struct machine *m, unsigned mode, const uint32_t *insn, unsigned n)
{
    machine_write(m, CODE, insn, n * sizeof *insn);
    rv_set(m, "v", 0);
    rv_set(m, "priv", 3);
    rv_set(m, "mtvec", UINT64_C(0x80004000));
    set_if(m, "stvec", UINT64_C(0x80005000));
    set_if(m, "vstvec", UINT64_C(0x80006000));
    rv_set(m, "pmpaddr0", SECRET >> 2 | 0x1ff); /* 4 KiB that S and U may not touch, then everything */
    rv_set(m, "pmpaddr1", UINT64_MAX);
    rv_set(m, "pmpcfg0", 0x1f18);
    static const char *const zero[] = {"medeleg", "mideleg", "hedeleg",  "hideleg",   "mie",     "mip",
                                       "hvip",    "satp",    "vsatp",    "hgatp",     "hstatus", "menvcfg",
                                       "henvcfg", "senvcfg", "vsstatus", "mcounteren"};
    for (unsigned i = 0; i < ARRAY_LEN(zero); i++)
        set_if(m, zero[i], 0);
    rv_set(m, "mstatus", 0x6000); /* FS on */
    set_if(m, "vsstatus", 0x6000);
    rv_set(m, "pc", CODE);
    rv_set(m, "a0", rv_page(mode, PAGE_RW));
    if (mode == MODE_M)
        return;
    rv_set(m, "priv", mode == MODE_S || mode == MODE_VS);
    if (mode == MODE_VS || mode == MODE_VU)
        rv_set(m, "v", 1);
}

void rv_paging(struct machine *m, unsigned mode)
{
    bool user = mode == MODE_U || mode == MODE_VU;
    uint64_t on = is_rv32(m) ? UINT64_C(1) << 31 : UINT64_C(8) << 60;
    set_if(m, "satp", on | S_ROOT >> 12);
    set_if(m, "vsatp", on | VS_ROOT >> 12);
    set_if(m, "hgatp", on | G_ROOT >> 12);
    if (user)
        rv_set(m, "pc", rv_get(m, "pc") - CODE + CODE_U);
}

/* ---- events
 * -------------------------------------------------------------------------------------------------------------------------- */

static void code(struct machine *m, uint32_t insn) { machine_write(m, CODE, &insn, 4); }

#define LD     i_type(0, A0, 3, A1, 0x03)
#define SD     s_type(0, A1, A0, 3, 0x23)
#define LR     r_type(0x08, 0, A0, 2, A1, 0x2f)
#define AMOADD r_type(0, A1, A0, 2, A1, 0x2f)
#define HLV_D  r_type(0x36, 0, A0, 4, A1, 0x73)
#define HSV_D  r_type(0x37, A1, A0, 4, 0, 0x73)
#define MPRV   (UINT64_C(1) << 17)

static void jump_misaligned(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, 0x0060006f); /* jal x0, .+6 */
}

static void fetch_hole(struct machine *m, unsigned mode)
{
    (void)mode;
    rv_set(m, "pc", HOLE);
}

static void illegal(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, 0);
}

static void csr_illegal(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, i_type(0xc02, 0, 2, A1, 0x73)); /* csrr a1, instret: mcounteren.IR is 0 */
}

static void breakpoint(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, 0x00100073);
}

static void at_odd(struct machine *m, uint32_t insn)
{
    code(m, insn);
    rv_set(m, "a0", FRAMES + 1);
}

static void load_misaligned(struct machine *m, unsigned mode)
{
    (void)mode;
    at_odd(m, LR);
}

static void store_misaligned(struct machine *m, unsigned mode)
{
    (void)mode;
    at_odd(m, AMOADD);
}

static void load_hole(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, LD);
    rv_set(m, "a0", HOLE);
}

static void store_hole(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, SD);
    rv_set(m, "a0", HOLE);
}

static void environment_call(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, 0x00000073);
}

static void fetch_page(struct machine *m, unsigned mode)
{
    rv_paging(m, mode);
    rv_set(m, "pc", rv_page(mode, PAGE_INVALID));
}

/* In M by MPRV, as from S. */
static void paged(struct machine *m, unsigned mode, uint32_t insn, uint64_t address)
{
    code(m, insn);
    rv_paging(m, mode);
    if (mode == MODE_M)
        rv_set(m, "mstatus", rv_get(m, "mstatus") | MPRV | 1 << 11);
    rv_set(m, "a0", address);
}

static void load_page(struct machine *m, unsigned mode) { paged(m, mode, LD, rv_page(mode, PAGE_INVALID)); }
static void store_page(struct machine *m, unsigned mode) { paged(m, mode, SD, rv_page(mode, PAGE_R) + 8); }

static void landing(struct machine *m, unsigned mode)
{
    (void)mode;
    static const uint32_t insn[3] = {0x00050067, 0x13, 0x13}; /* jalr x0, 0(a0); nop */
    machine_write(m, CODE, insn, sizeof insn);
    rv_set(m, "mseccfg", 1 << 10);
    set_if(m, "menvcfg", 4);
    set_if(m, "henvcfg", 4);
    set_if(m, "senvcfg", 4);
    rv_set(m, "a0", CODE + 8);
    machine_step(m, 0);
}

/* A return address that is not the one on the shadow stack. */
static void shadow_stack(struct machine *m, unsigned mode)
{
    code(m, 0xcdc0c073); /* sspopchk x1 */
    rv_paging(m, mode);
    set_if(m, "menvcfg", 8);
    set_if(m, "henvcfg", 8);
    set_if(m, "senvcfg", 8);
    rv_set(m, "ssp", rv_page(mode, PAGE_W));
    rv_set(m, "ra", 0x80001234);
}

static void bus_error(struct machine *m, unsigned mode) { (void)m, (void)mode; }

static void fetch_guest(struct machine *m, unsigned mode)
{
    rv_paging(m, mode);
    rv_set(m, "pc", rv_page(mode, PAGE_G + PAGE_INVALID));
}

static void guest_access(struct machine *m, unsigned mode, bool store)
{
    bool guest = mode == MODE_VS || mode == MODE_VU;
    code(m, guest ? (store ? SD : LD) : store ? HSV_D : HLV_D);
    rv_paging(m, mode);
    if (!guest)
        rv_set(m, "hstatus", 1 << 9 | 1 << 8); /* HU, SPVP */
    rv_set(m, "a0", rv_page(guest ? mode : MODE_VS, PAGE_G + (store ? PAGE_R : PAGE_INVALID)) + 16);
}

static void load_guest(struct machine *m, unsigned mode) { guest_access(m, mode, false); }
static void store_guest(struct machine *m, unsigned mode) { guest_access(m, mode, true); }

/* A table is where the G stage does not let it be read: the guest's root, or one that only data are translated by. */
static void load_table_guest(struct machine *m, unsigned mode)
{
    code(m, LD);
    rv_paging(m, mode);
    put(m, VS_ROOT, 1, leaf(DATA + PAGE_X * 4096, V));
    rv_set(m, "a0", rv_page(mode, PAGE_G + PAGE_RW));
}
static void store_table_guest(struct machine *m, unsigned mode)
{
    load_table_guest(m, mode);
    code(m, SD);
}
static void fetch_table_guest(struct machine *m, unsigned mode)
{
    code(m, LD);
    rv_paging(m, mode);
    rv_set(m, "vsatp", UINT64_C(8) << 60 | (DATA + PAGE_X * 4096) >> 12);
}

static void virtual(struct machine *m, unsigned mode)
{
    (void)mode;
    code(m, i_type(0x600, 0, 2, A1, 0x73)); /* csrr a1, hstatus */
}

static void line(struct machine *m, unsigned irq)
{
    struct err e;
    if (!machine_inject(m, &(struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_RAISE, .line = irq}, &e))
        abort();
}

static void interrupt(struct machine *m, unsigned irq)
{
    code(m, 0x13);
    if (irq == 2 || irq == 6 || irq == 10)
        rv_set(m, "hvip", rv_get(m, "hvip") | 1u << irq);
    else if (irq == 12) {
        ((struct hart *)(void *)machine_hart(m, 0))->s.hgeip = 2;
        rv_set(m, "hgeie", 2);
    } else if (irq == 5)
        rv_set(m, "mip", rv_get(m, "mip") | 1u << irq);
    else
        line(m, irq);
    rv_set(m, "mie", rv_get(m, "mie") | 1u << irq);
    rv_set(m, "mstatus", rv_get(m, "mstatus") | 0xa); /* MIE, SIE */
    set_if(m, "vsstatus", rv_get(m, "vsstatus") | 2);
}

#define INTERRUPT(n) \
    static void interrupt_##n(struct machine *m, unsigned mode) { (void)mode, interrupt(m, n); }
INTERRUPT(1)
INTERRUPT(2)
INTERRUPT(3)
INTERRUPT(5)
INTERRUPT(6)
INTERRUPT(7)
INTERRUPT(9)
INTERRUPT(10)
INTERRUPT(11)
INTERRUPT(12)
INTERRUPT(13)

const struct rv_event rv_events[] = {
    {"instruction_misaligned", 0, ALL_MODES, jump_misaligned},
    {"instruction_access", 1, ALL_MODES, fetch_hole},
    {"illegal", 2, ALL_MODES, illegal},
    {"illegal_csr", 2, ALL_MODES & ~MODE_BIT(MODE_M), csr_illegal},
    {"breakpoint", 3, ALL_MODES, breakpoint},
    {"load_misaligned", 4, ALL_MODES, load_misaligned},
    {"load_access", 5, ALL_MODES, load_hole},
    {"store_misaligned", 6, ALL_MODES, store_misaligned},
    {"store_access", 7, ALL_MODES, store_hole},
    {"ecall_u", 8, MODE_BIT(MODE_U) | MODE_BIT(MODE_VU), environment_call},
    {"ecall_s", 9, MODE_BIT(MODE_S), environment_call},
    {"ecall_vs", 10, MODE_BIT(MODE_VS), environment_call},
    {"ecall_m", 11, MODE_BIT(MODE_M), environment_call},
    {"instruction_page", 12, ALL_MODES & ~MODE_BIT(MODE_M), fetch_page},
    {"load_page", 13, ALL_MODES, load_page},
    {"store_page", 15, ALL_MODES, store_page},
    {"software_check", 18, ALL_MODES, landing},
    {"shadow_stack", 18, ALL_MODES & ~MODE_BIT(MODE_M), shadow_stack},
    {"hardware_error", 19, ALL_MODES, bus_error},
    {"instruction_guest_page", 20, V_MODES, fetch_guest},
    {"load_guest_page", 21, ALL_MODES, load_guest},
    {"fetch_guest_table", 20, V_MODES, fetch_table_guest},
    {"load_guest_table", 21, V_MODES, load_table_guest},
    {"store_guest_table", 23, V_MODES, store_table_guest},
    {"store_guest_page", 23, ALL_MODES, store_guest},
    {"virtual_instruction", 22, V_MODES, virtual},
    {"ssi", RV_IRQ + 1, ALL_MODES, interrupt_1},
    {"vssi", RV_IRQ + 2, ALL_MODES, interrupt_2},
    {"msi", RV_IRQ + 3, ALL_MODES, interrupt_3},
    {"sti", RV_IRQ + 5, ALL_MODES, interrupt_5},
    {"vsti", RV_IRQ + 6, ALL_MODES, interrupt_6},
    {"mti", RV_IRQ + 7, ALL_MODES, interrupt_7},
    {"sei", RV_IRQ + 9, ALL_MODES, interrupt_9},
    {"vsei", RV_IRQ + 10, ALL_MODES, interrupt_10},
    {"mei", RV_IRQ + 11, ALL_MODES, interrupt_11},
    {"sgei", RV_IRQ + 12, ALL_MODES, interrupt_12},
    {"lcofi", RV_IRQ + 13, ALL_MODES, interrupt_13},
};
const unsigned rv_event_count = ARRAY_LEN(rv_events);

static void note(void *ctx, struct machine *m, const struct machine_change *c)
{
    (void)m;
    *(struct machine_change *)ctx = *c;
}

struct explanation *rv_explain(struct machine *m, const struct rv_event *e, unsigned mode)
{
    e->make(m, mode);
    if (e->cause != 19)
        return explain_next(m, 0);
    struct machine_change c;
    struct err why;
    struct machine *f = machine_fork(m);
    machine_watch(f, note, &c);
    machine_inject(f, &(struct machine_injection){.event = MACHINE_BUS_ERROR, .address = 0x1234}, &why);
    machine_free(f);
    return explain_trap(m, &c);
}
