/*
 * A trace of instructions is complete: whoever applies what it tells, register by register and store by store, to the machine as
 * it was at the beginning gets the machine as it is at the end. What is applied is what a reader gets out of the bytes.
 * Over the bundled guests of both architectures, and the beginning of Debian's kernels where they are.
 *
 * The gist of the same run, which tells far less, gives a reader the same, instruction by instruction; and the memory it has at
 * the end is the machine's, what walks of page tables and devices wrote to it included.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cpu/arch.h"
#include "cpu/gist.h"
#include "debug/gistread.h"
#include "debug/insncode.h"
#include "machine/machine.h"
#include "machine/trapline.h"
#include "mem/mem.h"

/* The events of a gist, but for encodings, whose order depends on where a run is cut. */
struct events {
    struct machine *m;
    struct buf bytes;
};

struct proof {
    struct machine *m, *was; /* was: the beginning, to which stores are applied */
    struct insncode *put, *take;
    struct insn_record *record;
    struct buf bytes;
    uint64_t instructions, stores, events, total; /* total: bytes */
    uint64_t frame;
    const char *name;
    struct {
        struct gist_reader *reader;
        struct insn_record *record;
        struct buf bytes;
        struct cursor c;
        uint64_t compared, memory, pages;
    } gist;
    struct events whole;
};

static void keep_events(struct events *x, const uint8_t *bytes, size_t n)
{
    size_t starts;
    const uint32_t *start = gist_starts(&x->m->engine, &starts);
    for (size_t i = 0; i < starts; i++) {
        size_t end = i + 1 < starts ? start[i + 1] : n;
        if (bytes[start[i]] || bytes[start[i] + 1] != GIST_INFO)
            buf_put(&x->bytes, bytes + start[i], end - start[i]);
    }
}

/* A gist_fn. */
static void take_events(void *ctx, const uint8_t *bytes, size_t n) { keep_events(ctx, bytes, n); }

/* A gist_fn. */
static void take_gist(void *ctx, const uint8_t *bytes, size_t n)
{
    struct proof *x = ctx;
    buf_put(&x->gist.bytes, bytes, n);
    keep_events(&x->whole, bytes, n);
}

static void same_record(const struct proof *x, const struct insn_record *a, const struct insn_record *b)
{
    uint32_t stores = a->derived ? 1 : a->stores, used = a->derived ? a->store[0].size : a->used; /* others: to check the first */
    bool same = a->pc == b->pc && a->insn == b->insn && a->hart == b->hart && a->kind == b->kind && a->regs == b->regs &&
                stores == b->stores && used == b->used && !memcmp(a->bytes, b->bytes, used);
    for (uint32_t i = 0; same && i < a->regs; i++)
        same = a->reg[i].word == b->reg[i].word && a->reg[i].value == b->reg[i].value;
    for (uint32_t i = 0; same && i < stores; i++)
        same = a->store[i].address == b->store[i].address && a->store[i].size == b->store[i].size;
    if (!same)
        fail_msg("%s: instruction %" PRIu64 ": hart %u at 0x%" PRIx64 ": 0x%08" PRIx32
                 " kind %u writes %u registers (%u: 0x%" PRIx64 "), by the gist at 0x%" PRIx64 ": 0x%08" PRIx32
                 " kind %u %u registers (%u: 0x%" PRIx64 ")",
                 x->name, x->gist.compared, a->hart, a->pc, a->insn, a->kind, a->regs, a->regs ? a->reg[0].word : 0,
                 a->regs ? a->reg[0].value : 0, b->pc, b->insn, b->kind, b->regs, b->regs ? b->reg[0].word : 0,
                 b->regs ? b->reg[0].value : 0);
}

/* What the trace of every instruction tells, the gist's reader must find out, too. */
static void compare_gist(struct proof *x)
{
    do {
        if (!gist_next(x->gist.reader, &x->gist.c, x->gist.record))
            fail_msg("%s: the gist %s at instruction %" PRIu64 ": hart %u at 0x%" PRIx64 ": 0x%08" PRIx32, x->name,
                     x->gist.c.bad ? "cannot be followed" : "ends", x->gist.compared, x->record->hart, x->record->pc,
                     x->record->insn);
        x->gist.memory += x->gist.record->kind == INSN_MEMORY;
    } while (x->gist.record->kind == INSN_MEMORY);
    same_record(x, x->record, x->gist.record);
    x->gist.compared++;
}

static void compare_known_page(void *ctx, uint64_t pa, const uint8_t *page)
{
    struct proof *x = ctx;
    const uint8_t *known = pa & MEM_TAGS ? NULL : gist_memory(x->gist.reader, pa);
    for (unsigned i = 0; known && i < MEM_PAGE_SIZE; i++)
        if (known[i] != page[i])
            fail_msg("%s: memory at 0x%" PRIx64 " is %02x, by the gist %02x", x->name, pa + i, page[i], known[i]);
    x->gist.pages += known != NULL;
}

static void run_for(struct machine *m, uint64_t cycles)
{
    for (uint64_t end = machine_cycle(m) + cycles; machine_cycle(m) < end;)
        if (machine_run(m, end - machine_cycle(m)) != MACHINE_CYCLES)
            break;
}

/* A store whose bytes follow from registers is checked against memory as it was right behind it. */
static uint32_t apply(struct proof *x, const struct insn_trace *t, uint32_t piece)
{
    const struct insn_record *r = x->record;
    uint32_t derived = r->derived, told = r->stores - derived, at = 0, size = 0;
    for (uint32_t i = 0; i < told; i++) {
        const struct insn_piece *p = &t->piece[piece + i];
        const struct insn_store *s = &r->store[derived + i];
        assert_int_equal(p->va, s->address);
        assert_int_equal(p->size, s->size);
        const uint8_t *bytes = r->bytes + s->at;
        if (derived) {
            bytes = r->bytes + r->store[0].at + at;
            if (p->va != r->store[0].address + at || memcmp(bytes, t->bytes + p->at, p->size))
                fail_msg("%s: hart %u at 0x%" PRIx64 ": 0x%08" PRIx32 " stores %02x%02x... at 0x%" PRIx64
                         ", by the trace %02x%02x... at 0x%" PRIx64,
                         x->name, r->hart, r->pc, r->insn, t->bytes[p->at], t->bytes[p->at + 1], p->va, bytes[0], bytes[1],
                         r->store[0].address);
            at += p->size;
        }
        size += p->size;
        assert_true(mem_write(x->was->mem, p->pa, bytes, p->size));
        x->stores++;
    }
    assert_true(!derived || !told || size == r->store[0].size);
    return piece + told;
}

/* An insn_full_fn. */
static void take(void *ctx, const struct insn_trace *t, const struct insn_raw *list, size_t n)
{
    struct proof *x = ctx;
    uint32_t piece = 0;
    x->bytes.len = 0;
    if (!x->frame || x->total > x->frame) { /* frames stand for themselves */
        insncode_begin(x->put, &x->bytes);
        insncode_begin_reading(x->take);
        x->frame = x->total + (1 << 20);
    }
    put_insns(x->put, &x->bytes, t, list, n);
    x->total += x->bytes.len;
    struct cursor c = {.p = x->bytes.data, .left = x->bytes.len};
    while (cur_insn(x->take, &c, x->record)) {
        x->instructions += x->record->kind == INSN_DID;
        if (!x->record->repeated)
            compare_gist(x);
        x->events += x->record->kind == INSN_INTERRUPT;
        piece = apply(x, t, piece);
    }
    assert_false(c.bad);
    assert_int_equal(c.left, 0);
    assert_int_equal(piece, t->pieces);
    for (unsigned h = 0; h < machine_harts(x->m); h++)
        if (insncode_registers(x->put, h))
            assert_memory_equal(insncode_registers(x->put, h), insncode_registers(x->take, h), INSN_WORDS(x->m->arch->insns) * 8);
}

static void on_trap(void *ctx, struct machine *m, const struct machine_change *c)
{
    (void)ctx;
    if (!c->is_return)
        engine_insns_trapped(&m->engine, c->hart, c->epc);
}

/* ---- comparing ----------------------------------------------------------------------------------------------------------- */

static void same_word(const struct proof *x, unsigned hart, unsigned word, uint64_t told, uint64_t is)
{
    if (told != is)
        fail_msg("%s: word %u of hart %u is 0x%" PRIx64 ", by the trace 0x%" PRIx64, x->name, word, hart, is, told);
}

static void compare_registers(const struct proof *x, unsigned hart)
{
    struct cpu *c = machine_hart(x->m, hart);
    const struct insn_layout *l = x->m->arch->insns;
    const uint64_t *is = (const uint64_t *)(const void *)(c + 1), *told = insncode_registers(x->take, hart);
    for (unsigned i = l->x; i < (unsigned)l->x + l->xs; i++)
        same_word(x, hart, i, told[i], is[i]);
    for (unsigned v = 0; v < l->vs; v++)
        for (unsigned k = 0; k < l->v_used; k++)
            same_word(x, hart, l->v + v * l->v_step + k, told[l->v + v * l->v_step + k], is[l->v + v * l->v_step + k]);
    for (unsigned i = 0; i < 8 && l->sys[i].n; i++)
        for (unsigned k = l->sys[i].first; k < (unsigned)l->sys[i].first + l->sys[i].n; k++)
            /* the current SP goes to its place when the run ends, which the next one tells */
            if (l->sys[i].n != 4 || is[k] != is[l->x + 31])
                same_word(x, hart, k, told[k] & l->sys[i].mask, is[k] & l->sys[i].mask);
    same_word(x, hart, INSN_FPFLAGS(l), told[INSN_FPFLAGS(l)], l->fpflags(c));
    if (l->nzcv)
        same_word(x, hart, INSN_NZCV(l), told[INSN_NZCV(l)], l->nzcv((const void *)((const char *)c + l->flags_at)));
}

/* Walks of page tables set Accessed and Dirty, or AF and the dirty state: no instruction does. */
static bool compare_page(void *ctx, uint64_t pa, const uint8_t *a, const uint8_t *b)
{
    const struct proof *x = ctx;
    const uint64_t by_walks = !strcmp(x->m->arch->name, "riscv") ? 0xc0 : 1 << 10 | 1 << 7;
    for (unsigned i = 0; i < MEM_PAGE_SIZE; i += 8) {
        uint64_t told, is;
        memcpy(&told, a + i, 8);
        memcpy(&is, b + i, 8);
        if ((told ^ is) & ~by_walks)
            fail_msg("%s: memory at 0x%" PRIx64 " is 0x%" PRIx64 ", by the trace 0x%" PRIx64, x->name, pa + i, is, told);
    }
    return true;
}

/* The gist of a run is the same, wherever the run stops in between: so that of a replay is that of the recording. */
static void same_cut(const struct proof *x, uint64_t cycles)
{
    struct events cut = {.m = machine_fork(x->was)};
    uint64_t from = machine_cycle(cut.m), step = 1;
    machine_watch(cut.m, on_trap, NULL);
    engine_gist(&cut.m->engine, cut.m->arch->insns, take_events, &cut);
    for (uint64_t at = from; at < from + cycles; at += step) {
        step = (step * 7 + 1) % 9973; /* some long, some of few instructions */
        step = step < from + cycles - at ? step : from + cycles - at;
        run_for(cut.m, step);
    }
    engine_insns(&cut.m->engine, NULL, NULL, NULL);
    size_t i = 0, n = cut.bytes.len < x->whole.bytes.len ? cut.bytes.len : x->whole.bytes.len;
    while (i < n && cut.bytes.data[i] == x->whole.bytes.data[i])
        i++;
    if (i < n || cut.bytes.len != x->whole.bytes.len)
        fail_msg("%s: the gist of a run with stops is another one from byte %zu of %zu on", x->name, i, x->whole.bytes.len);
    machine_free(cut.m);
    buf_free(&cut.bytes);
}

static void prove(const char *name, const struct machine_config *config, uint64_t cycles)
{
    struct err e;
    struct proof x = {.name = name};
    x.m = machine_new(config, &e);
    if (!x.m)
        fail_msg("%s: %s", name, e.text);
    const struct insn_layout *l = x.m->arch->insns;
    x.was = machine_fork(x.m);
    x.put = insncode_new(l, INSN_WORDS(l));
    x.take = insncode_new(l, INSN_WORDS(l));
    x.record = insn_record_new(INSN_WORDS(l));
    machine_watch(x.m, on_trap, &x);
    struct machine *other = x.whole.m = machine_fork(x.m);
    machine_watch(other, on_trap, &x);
    engine_gist(&other->engine, l, take_gist, &x);
    run_for(other, cycles);
    engine_insns(&other->engine, NULL, NULL, NULL);
    same_cut(&x, cycles);
    x.gist.reader = gist_reader_new(INSN_WORDS(l), (size_t)1 << 20);
    x.gist.record = insn_record_new(INSN_WORDS(l));
    x.gist.c = (struct cursor){.p = x.gist.bytes.data, .left = x.gist.bytes.len};
    engine_insns(&x.m->engine, l, take, &x);
    x.m->engine.insns->physical = true;
    run_for(x.m, cycles);
    engine_insns_flush(&x.m->engine);
    while (gist_next(x.gist.reader, &x.gist.c, x.gist.record))
        assert_int_equal(x.gist.record->kind, INSN_MEMORY);
    assert_false(x.gist.c.bad);
    mem_visit(x.m->mem, compare_known_page, &x);
    for (unsigned i = 0; i < machine_harts(x.m); i++)
        compare_registers(&x, i);
    mem_pairs(x.was->mem, x.m->mem, compare_page, &x);
    double each = (double)(x.instructions + !x.instructions);
    print_message("%-24s %9" PRIu64 " instructions, %8" PRIu64 " stores, %6" PRIu64
                  " interrupts, %.2f bytes an instruction; gist: %.2f, "
                  "%" PRIu64 " pages, %" PRIu64 " writes of others\n",
                  name, x.instructions, x.stores, x.events, (double)x.total / each, (double)x.gist.bytes.len / each, x.gist.pages,
                  x.gist.memory);
    assert_true(x.instructions > 20);
    engine_insns(&x.m->engine, NULL, NULL, NULL);
    insncode_free(x.put);
    insncode_free(x.take);
    insn_record_free(x.record);
    buf_free(&x.bytes);
    gist_reader_free(x.gist.reader);
    insn_record_free(x.gist.record);
    buf_free(&x.gist.bytes);
    buf_free(&x.whole.bytes);
    machine_free(other);
    machine_free(x.was);
    machine_free(x.m);
}

/* ---- guests -------------------------------------------------------------------------------------------------------------- */

#define ROM(name) TL_SOURCE_DIR "/roms/" name ".elf"

static void guest(const char *name, const char *board, const char *bios, const char *kernel, const char *append, unsigned harts)
{
    const struct machine_config config = {.board = board,
                                          .cpu = strstr(name, "rv32") ? "rv32" : NULL,
                                          .bios = bios,
                                          .kernel = kernel,
                                          .append = append,
                                          .harts = harts,
                                          .quantum = harts > 1 ? 50 : 0};
    prove(name, &config, 2000000);
}

static void riscv_guests(void **state)
{
    (void)state;
    guest("test-atomics", "virt", "none", ROM("test-atomics"), NULL, 2);
    guest("test-atomics-rv32", "virt", "none", ROM("test-atomics-rv32"), NULL, 2);
    guest("test-double", "virt", "none", ROM("test-double"), NULL, 1);
    guest("test-double-rv32", "virt", "none", ROM("test-double-rv32"), NULL, 1);
    guest("test-misaligned", "virt", "none", ROM("test-misaligned"), NULL, 1);
    guest("test-selfmod", "virt", "none", ROM("test-selfmod"), NULL, 1);
    guest("test-pages", "virt", "none", ROM("test-pages"), NULL, 1);
    guest("test-wakeups", "virt", "none", ROM("test-wakeups"), NULL, 1);
    guest("test-cfi", "virt", "none", ROM("test-cfi"), NULL, 1);
    guest("bench-float", "virt", "none", ROM("bench-float-quick"), NULL, 1);
    guest("bench-compute", "virt", "none", ROM("bench-compute-quick"), NULL, 1);
    guest("sbi-p1 kvm", "virt", ROM("sbi-p1"), ROM("kvm"), "handler=hk0 rounds=2", 1);
    guest("sbi-p1-rv32 kernel", "virt", ROM("sbi-p1-rv32"), ROM("kernel-rv32"), NULL, 4);
}

static void a64_guests(void **state)
{
    (void)state;
    guest("monitor hyp", "virt-arm,secure=on,virtualization=on", ROM("monitor-a64"), ROM("hyp-a64"), NULL, 1);
    guest("kernel", "virt-arm", NULL, ROM("kernel-a64"), NULL, 4);
    guest("bench-float", "virt-arm,virtualization=on", NULL, ROM("bench-float-a64-quick"), NULL, 1);
    guest("bench-compute", "virt-arm,virtualization=on", NULL, ROM("bench-compute-a64-quick"), NULL, 1);
    guest("bench-hvc", "virt-arm,virtualization=on", NULL, ROM("bench-hvc-a64-quick"), NULL, 1);
}

/* A file of the boot tests' images; NULL: it is not there. */
static const char *image(const char *name, char path[512])
{
    const char *cache = getenv("TRAPLINE_CACHE"), *home = getenv("HOME");
    if (cache)
        snprintf(path, 512, "%s/images/%s", cache, name);
    else
        snprintf(path, 512, "%s/.cache/trapline/images/%s", home ? home : "", name);
    return access(path, R_OK) ? NULL : path;
}

static void linux_boots(void **state)
{
    char rv[512], a64[512], bios[512];
    (void)state;
    if (!image("debian-13/linux", rv) || !image("debian-13-arm64/linux", a64) || !image("opensbi-trixie/fw_dynamic.bin", bios))
        skip();
    const char *n = getenv("TRAPLINE_EFFECTS_CYCLES");
    uint64_t cycles = n ? strtoull(n, NULL, 10) : 4000000;
    prove("linux",
          &(struct machine_config){.board = "virt", .bios = bios, .kernel = rv, .append = "console=ttyS0", .ram = 1 << 30},
          cycles);
    prove("linux-arm64",
          &(struct machine_config){.board = "virt-arm", .kernel = a64, .append = "console=ttyAMA0", .ram = 1 << 30}, cycles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(riscv_guests),
        cmocka_unit_test(a64_guests),
        cmocka_unit_test(linux_boots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
