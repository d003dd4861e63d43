/*
 * Watchpoints: the machine stops before every instruction that changes a watched byte, tells what it was and will be, and neither
 * watchpoints nor a debugger's look at memory change the run. A64 guests are put together here, and so are breakpoints on them.
 * timeout: 600
 */
#include "a64_guest.h"
#include "base/rng.h"
#include "machine/trapline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t cycles_each(void) { return getenv("TRAPLINE_FP_N") ? 3000 : 12000; }

static struct machine *start(const char *rom, const char *cpu, unsigned harts)
{
    struct err e;
    char path[512];
    snprintf(path, sizeof path, "%s/roms/%s", TL_SOURCE_DIR, rom);
    struct machine *m = machine_new(&(struct machine_config){.kernel = path, .cpu = cpu, .harts = harts, .ram = 32 << 20}, &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_get_reg(m, hart, name, &v));
    return v;
}

/* A change of watched memory, as stepping without watchpoints sees it. */
struct change {
    uint64_t cycle, pc; /* the boundary before the instruction */
    uint8_t old[64], now[64];
};

struct changes {
    struct change *at;
    size_t n, cap;
};

static void note(struct changes *c, const struct change *k)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->at = realloc(c->at, c->cap * sizeof *c->at);
        assert_non_null(c->at);
    }
    c->at[c->n++] = *k;
}

/* Steps the one hart to the end and notes each change of [pa, pa+n). */
static uint64_t walk(struct machine *m, uint64_t pa, unsigned n, uint64_t to, struct changes *out)
{
    struct change k = {0};
    assert_true(machine_read(m, pa, k.old, n));
    for (;;) {
        k.cycle = machine_hart_cycle(m, 0);
        k.pc = reg(m, 0, "pc");
        if (k.cycle >= to || machine_step(m, 0) != MACHINE_DEBUG)
            break;
        assert_true(machine_read(m, pa, k.now, n));
        if (memcmp(k.old, k.now, n) != 0)
            note(out, &k);
        memcpy(k.old, k.now, n);
    }
    return machine_digest(m);
}

/* A stop that the guest's change number *next may explain: what it tells of old and new is so. */
static void check_stop(struct machine *m, const struct machine_access_hit *h, const struct changes *c, size_t *next, uint64_t pa)
{
    uint64_t cycle = machine_hart_cycle(m, 0), pc = reg(m, 0, "pc");
    assert_true(h->access & MACHINE_WRITE);
    assert_true(h->bytes && h->pa >= pa);
    if (*next < c->n && c->at[*next].cycle == cycle) {
        const struct change *k = &c->at[(*next)++];
        uint64_t old = 0, now = 0;
        assert_true(k->pc == pc);
        memcpy(&old, k->old + (h->pa - pa), h->bytes);
        memcpy(&now, k->now + (h->pa - pa), h->bytes);
        assert_true(h->old == old);
        assert_true(machine_watch_value(m, h) == now || h->size > 8);
    } else { /* a store of what is there already, or an interrupt came first */
        assert_true(*next == c->n || cycle < c->at[*next].cycle);
        assert_true(machine_watch_value(m, h) == h->old);
    }
}

/* Runs to cycle `to` with a watchpoint; how often it stopped. */
static unsigned run_watched(struct machine *m, const struct machine_watchpoint *w, uint64_t pa, uint64_t to,
                            const struct changes *c)
{
    size_t next = 0;
    unsigned stops = 0;
    struct machine_access_hit h;
    assert_true(machine_watchpoint(m, w, true));
    while (machine_cycle(m) < to && machine_run(m, to - machine_cycle(m)) == MACHINE_DEBUG) {
        assert_int_equal(machine_stopped_hart(m), 0);
        assert_true(machine_watch_hit(m, &h));
        assert_true(h.access & w->on);
        if (c)
            check_stop(m, &h, c, &next, pa);
        stops++;
    }
    if (c && next != c->n)
        fail_msg("change %zu of %zu, at %llx, was not seen", next, c->n, (unsigned long long)c->at[next].pc);
    assert_true(machine_watchpoint(m, w, false));
    assert_false(machine_watchpoint(m, w, false));
    return stops;
}

/* Watches bytes near where the guest's stack pointer was at some time. */
static unsigned check_rom(const char *rom, const char *cpu, uint64_t *seed)
{
    uint64_t to = cycles_each(), pa, want;
    unsigned n = 1 + (unsigned)rng_below(seed, 40), stops = 0;
    struct machine *m = start(rom, cpu, 1), *first = machine_fork(m);
    machine_run(m, rng_below(seed, to));
    uint64_t va = reg(m, 0, "sp") + rng_below(seed, 128) - 96;
    if (machine_translate(m, 0, va, &pa) && (pa & 4095) + n <= 4096 && machine_read(m, pa, (char[64]){0}, n)) {
        struct changes c = {0};
        machine_restore(m, first);
        want = walk(m, pa, n, to, &c);
        uint64_t end = machine_cycle(m);
        machine_restore(m, first);
        stops = run_watched(m, &(struct machine_watchpoint){0, pa, n, MACHINE_WRITE, true}, pa, end, &c);
        assert_true(machine_digest(m) == want);
        machine_restore(m, first);
        run_watched(m, &(struct machine_watchpoint){MACHINE_ALL_HARTS, va, n, MACHINE_ACCESS, false}, pa, end, NULL);
        assert_true(machine_digest(m) == want);
        machine_restore(m, first);
        run_watched(m, &(struct machine_watchpoint){0, pa, 4096, MACHINE_READ, true}, pa, end, NULL);
        assert_true(machine_digest(m) == want);
        free(c.at);
    }
    machine_free(first);
    machine_free(m);
    return stops;
}

static void every_change_is_seen_on_riscv(void **state)
{
    (void)state;
    static const char *const name[] = {"journey", "test-pages", "test-atomics", "test-wakeups", "test-misaligned", "kernel"};
    uint64_t seed = 3;
    unsigned stops = 0;
    for (unsigned i = 0; i < sizeof name / sizeof *name; i++) {
        for (unsigned k = 0; k < 4; k++) {
            char rom[64];
            snprintf(rom, sizeof rom, k & 1 ? "%s-rv32.elf" : "%s.elf", name[i]);
            stops += check_rom(rom, k & 1 ? "rv32" : "rv64", &seed);
        }
    }
    assert_true(stops > cycles_each() / 300);
}

/* ---- A64 ---------------------------------------------------------------------------------------------------------------- */

#define RAM      UINT64_C(0x40000000)
#define DATA     (RAM + 0x100000)
#define TABLE    (RAM + 0x200000)
#define ARM_WORD 512

static struct machine *arm_start(const struct a64 *g)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/trapline-watch-%d", (int)getpid());
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(g->code, 4, g->n, f), g->n);
    fclose(f);
    struct err e;
    struct machine *m = machine_new(
        &(struct machine_config){.board = "virt-arm,virtualization=on", .cpu = "max", .kernel = path, .harts = 1}, &e);
    unlink(path);
    if (!m)
        fail_msg("%s", e.text);
    /* Stage 2: the second GiB is itself, Normal memory. */
    uint64_t block = RAM | 1u << 10 | 3u << 8 | 3u << 6 | 15u << 2 | 1;
    assert_true(machine_write(m, TABLE + 8, &block, 8));
    while (reg(m, 0, "el") == 2)
        machine_step(m, 0);
    return m;
}

enum {
    STP_X = 0xa9000000,    /* stp x0, x0, [x0] */
    LDP_X = 0xa9400000,    /* ldp */
    LDXR = 0xc85f7c00,     /* ldxr x0, [x0] */
    STXR = 0xc8007c00,     /* stxr w0, x0, [x0] */
    LDADD = 0xf8200000,    /* ldadd x0, x0, [x0] */
    CAS = 0xc8a07c00,      /* cas x0, x0, [x0] */
    DC_ZVA = 0xd50b7420,   /* dc zva, x0 */
    ADRP = 0xb0000000,     /* adrp x0, . + 4096 */
    STUR_X = 0xf8000000,   /* stur x0, [x0, #imm9] */
    LD1_4 = 0x4c402000,    /* ld1 {v0.16b-v3.16b}, [x0] */
    ST1_4 = 0x4c002000,    /* st1 */
    ENABLE_FP = 0xd5181040 /* msr cpacr_el1, x0 */
};

/* From EL2 to EL1, whose memory is Normal although its MMU is off. */
static void arm_enter(struct a64 *g)
{
    a64_mov_imm(g, 0, UINT64_C(1) << 31 | 2 << 16 | 1 << 6 | 32);
    a64_msr(g, A64_REG(3, 4, 2, 1, 2), 0); /* vtcr_el2 */
    a64_mov_imm(g, 0, TABLE);
    a64_msr(g, A64_REG(3, 4, 2, 1, 0), 0); /* vttbr_el2 */
    a64_mov_imm(g, 0, UINT64_C(1) << 31 | 1 << 12 | 1);
    a64_msr(g, A64_REG(3, 4, 1, 1, 0), 0); /* hcr_el2: RW, DC, VM */
    a64_mov_imm(g, 0, 0x33ff);
    a64_msr(g, A64_REG(3, 4, 1, 1, 2), 0); /* cptr_el2 */
    a64_mov_imm(g, 0, 0x3c5);
    a64_msr(g, A64_REG(3, 4, 4, 0, 0), 0); /* spsr_el2 */
    a64_adr(g, 0, g->n + 3);
    a64_msr(g, A64_REG(3, 4, 4, 0, 1), 0); /* elr_el2 */
    a64_eret(g);
}

/* Stores and loads of every kind around x1, again and again. Returns where the loop begins, counted from EL1's first. */
static unsigned arm_program(struct a64 *g)
{
    arm_enter(g);
    unsigned first = g->n;
    a64_mov_imm(g, 0, 3 << 20);
    a64_put(g, ENABLE_FP);
    a64_isb(g);
    a64_mov_imm(g, 1, DATA);
    a64_mov_imm(g, 2, 1);
    unsigned top = g->n;
    a64_add_imm(g, 2, 2, 7);
    a64_str(g, 2, 1, 0);
    a64_put(g, STP_X | 2 << 15 | 2 << 10 | 1 << 5 | 2); /* [x1, #16] */
    a64_put(g, LDP_X | 2 << 15 | 4 << 10 | 1 << 5 | 3);
    a64_put(g, LDXR | 1 << 5 | 5);
    a64_put(g, STXR | 6 << 16 | 1 << 5 | 2);
    a64_put(g, STXR | 6 << 16 | 1 << 5 | 2); /* fails */
    a64_put(g, LDADD | 2 << 16 | 1 << 5 | 7);
    a64_ldr(g, 8, 1, 0);
    a64_put(g, CAS | 8 << 16 | 1 << 5 | 2);
    a64_put(g, STUR_X | 0x1fd << 12 | 1 << 5 | 2); /* [x1, #-3], over the end of a page */
    a64_put(g, ST1_4 | 1 << 5);
    a64_put(g, LD1_4 | 1 << 5);
    a64_put(g, DC_ZVA | 1);
    a64_put(g, ADRP | 9);
    a64_b(g, top);
    return top - first;
}

static void every_change_is_seen_on_arm(void **state)
{
    (void)state;
    uint64_t seed = 5;
    unsigned stops = 0;
    uint32_t code[ARM_WORD];
    struct a64 g = {code, 0, ARM_WORD};
    arm_program(&g);
    struct machine *m = arm_start(&g), *first = machine_fork(m);
    for (unsigned i = 0; i < 30; i++) {
        uint64_t pa = DATA - 8 + rng_below(&seed, 80), to = 600;
        unsigned n = 1 + (unsigned)rng_below(&seed, 24);
        struct changes c = {0};
        machine_restore(m, first);
        uint64_t want = walk(m, pa, n, to, &c), end = machine_cycle(m);
        machine_restore(m, first);
        stops += run_watched(m, &(struct machine_watchpoint){0, pa, n, MACHINE_WRITE, i & 1}, pa, end, &c);
        assert_true(machine_digest(m) == want);
        machine_restore(m, first);
        run_watched(m, &(struct machine_watchpoint){0, pa, n, MACHINE_READ, false}, pa, end, NULL);
        assert_true(machine_digest(m) == want);
        free(c.at);
    }
    assert_true(stops > 300);
    machine_free(first);
    machine_free(m);
}

/* The pcs, as instruction numbers of one turn of the loop, at which a watchpoint on the first 8 bytes stops. */
static void arm_stops(struct machine *m, enum machine_access on, const unsigned *want, unsigned n, unsigned top)
{
    struct machine_watchpoint w = {0, DATA, 8, on, false};
    uint64_t base = reg(m, 0, "pc");
    assert_true(machine_watchpoint(m, &w, true));
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(machine_run(m, 1000), MACHINE_DEBUG);
            assert_int_equal((reg(m, 0, "pc") - base) / 4, top + want[i]);
        }
    }
    machine_watchpoint(m, &w, false);
}

static void reads_and_writes_are_told_apart(void **state)
{
    (void)state;
    uint32_t code[ARM_WORD];
    struct a64 g = {code, 0, ARM_WORD};
    unsigned top = arm_program(&g);
    static const unsigned writes[] = {1, 5, 7, 9, 10, 11, 13}, reads[] = {4, 7, 8, 9, 12};
    struct machine *m = arm_start(&g), *first = machine_fork(m);
    arm_stops(m, MACHINE_WRITE, writes, 7, top);
    machine_restore(m, first);
    arm_stops(m, MACHINE_READ, reads, 5, top);
    machine_free(first);
    machine_free(m);
}

static void breakpoints_stop_a_pe_exactly(void **state)
{
    (void)state;
    uint32_t code[ARM_WORD];
    struct a64 g = {code, 0, ARM_WORD};
    arm_program(&g);
    struct machine *m = arm_start(&g), *plain = machine_fork(m);
    uint64_t seed = 11, base = reg(m, 0, "pc");
    machine_run(plain, 5000);
    while (machine_cycle(m) < 5000) {
        uint64_t at = base + 4 * rng_below(&seed, g.n), cycle = machine_cycle(m);
        struct machine *ref = machine_fork(m);
        assert_true(machine_breakpoint(m, 0, at, true));
        enum machine_stop why = machine_run(m, 40);
        do
            machine_step(ref, 0);
        while (reg(ref, 0, "pc") != at && machine_cycle(ref) < cycle + 40);
        bool here = reg(ref, 0, "pc") == at && machine_cycle(ref) < cycle + 40;
        if (cycle == 0 && at == base)
            here = true;
        if (why == MACHINE_DEBUG && machine_cycle(m) != cycle) {
            assert_true(here);
            assert_true(machine_cycle(m) == machine_cycle(ref));
            assert_true(reg(m, 0, "pc") == at);
            assert_int_equal(machine_stopped_hart(m), 0);
        } else if (why != MACHINE_DEBUG) {
            assert_false(here);
        }
        machine_run(m, rng_below(&seed, 4)); /* the instruction there is done apart */
        machine_breakpoint(m, 0, at, false);
        machine_run(ref, machine_cycle(m) > machine_cycle(ref) ? machine_cycle(m) - machine_cycle(ref) : 0);
        assert_true(machine_cycle(ref) != machine_cycle(m) || machine_digest(ref) == machine_digest(m));
        machine_run(m, rng_below(&seed, 30));
        machine_free(ref);
    }
    uint64_t to = machine_cycle(m);
    machine_run(plain, to - machine_cycle(plain));
    assert_true(machine_digest(plain) == machine_digest(m));
    machine_free(plain);
    machine_free(m);
}

/* ---- looks at memory ------------------------------------------------------------------------------------------------------ */

/* At any time of a guest that uses two stages, what the debugger reads at pc is what the hart is about to execute. */
static void a_look_at_memory_changes_nothing(void **state)
{
    (void)state;
    static const char *const name[] = {"test-pages.elf", "kvm.elf", "journey.elf"};
    uint64_t seen = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct machine *m = start(name[i], "rv64", 1), *plain = start(name[i], "rv64", 1);
        uint64_t seed = i;
        while (machine_cycle(m) < 200000 && machine_run(m, 1 + rng_below(&seed, 500)) == MACHINE_CYCLES) {
            machine_run(plain, machine_cycle(m) - machine_cycle(plain));
            uint64_t pc = reg(m, 0, "pc"), pa;
            uint16_t half = 0;
            seen += machine_read_virtual(m, 0, pc, &half, 2) == 2 && half && machine_translate(m, 0, pc, &pa);
            machine_read_virtual(m, 0, reg(m, 0, "sp") & ~UINT64_C(4095), (char[8192]){0}, 8192);
            assert_false(machine_read(m, 0x10000000, (char[8]){0}, 8));
            assert_true(machine_digest(m) == machine_digest(plain));
        }
        machine_free(m);
        machine_free(plain);
    }
    assert_true(seen > 100);
}

static void bad_watchpoints_are_refused(void **state)
{
    (void)state;
    struct machine *m = start("journey.elf", "rv64", 1);
    assert_false(machine_watchpoint(m, &(struct machine_watchpoint){1, 0, 1, MACHINE_READ, false}, true));
    assert_false(machine_watchpoint(m, &(struct machine_watchpoint){0, 0, 0, MACHINE_READ, false}, true));
    assert_false(machine_watchpoint(m, &(struct machine_watchpoint){0, 0, 1, 0, false}, true));
    assert_true(machine_watchpoint(m, &(struct machine_watchpoint){0, UINT64_MAX, UINT64_MAX, MACHINE_READ, false}, true));
    assert_int_equal(machine_run(m, 100), MACHINE_CYCLES);
    assert_false(machine_watch_hit(m, &(struct machine_access_hit){0}));
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_seen_on_riscv),    cmocka_unit_test(every_change_is_seen_on_arm),
        cmocka_unit_test(reads_and_writes_are_told_apart),  cmocka_unit_test(breakpoints_stop_a_pe_exactly),
        cmocka_unit_test(a_look_at_memory_changes_nothing), cmocka_unit_test(bad_watchpoints_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
