/*
 * The firmware variants against a model of them, state by state: every interrupted context {V, P, SPP, SPIE, SIE, SPV, SPVP},
 * every handler {does nothing; takes a nested trap and saves nothing, sstatus and sepc, or hstatus too; writes FLAGS; redirects}.
 *
 * The firmware is the image, run on the machine; the test is the supervisor software: it sets the registers of the interrupted
 * context, raises LCOFI, plays the handler by setting registers, and makes each SBI call by an ecall instruction. The counts of
 * what a variant gets wrong are those of the scenarios.
 */
#include "base/bits.h"
#include "machine/trapline.h"

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

/* ---- the model ---------------------------------------------------------------------------------------------------------- */

/* A context as the model has it. pc, sepc, a6, a7 are values; the rest bits. */
struct context {
    uint64_t pc, sepc, a6, a7;
    bool v, s, spp, spie, sie, spv, spvp, spelp, sdt;
};

/* INTERRUPTED_*. */
struct attributes {
    uint64_t sepc, a6, a7;
    unsigned flags; /* SPP, SPIE, SPV, SPVP, SPELP, SDT */
};

enum variant { MAINT, HEAD, P1, PRIV };
enum { ENTRY_ARG = 0xa5c0 };

static bool flag(const struct attributes *a, unsigned n) { return a->flags >> n & 1; }
static unsigned flags_of(const struct context *c)
{
    return c->spp | c->spie << 1 | c->spv << 2 | c->spvp << 3 | c->spelp << 4 | c->sdt << 5;
}

/* What the handler finds: the context at its entry, and the attributes. dte: S has double traps. */
static struct context model_inject(enum variant how, const struct context *x, uint64_t entry, bool dte, struct attributes *a)
{
    struct context h = {.pc = entry,
                        .sepc = x->pc,
                        .a6 = 0,
                        .a7 = ENTRY_ARG,
                        .s = true,
                        .spp = x->s,
                        .spie = x->sie,
                        .spv = x->v,
                        .spvp = x->v ? x->s : x->spvp,
                        .sdt = dte};
    *a = (struct attributes){x->sepc, x->a6, x->a7, flags_of(x)};
    if (how == HEAD)
        h.spv |= x->spv;
    if (how != MAINT)
        h.spvp = h.spv && x->s;
    if (how == P1 || how == PRIV)
        a->flags = (flags_of(x) & ~15u) | (flags_of(&h) & 15);
    return h;
}

/* What goes on after completion. x: what was interrupted, as far as a variant has kept it. */
static struct context model_complete(enum variant how, const struct context *h, const struct attributes *a,
                                     const struct context *x)
{
    struct context r = {.pc = h->sepc,
                        .sepc = a->sepc,
                        .a6 = a->a6,
                        .a7 = a->a7,
                        .v = h->spv,
                        .s = h->spp,
                        .sie = h->spie,
                        .spp = flag(a, 0),
                        .spie = flag(a, 1),
                        .spv = flag(a, 2),
                        .spvp = flag(a, 3),
                        .spelp = flag(a, 4),
                        .sdt = flag(a, 5)};
    if (how == P1 || how == PRIV) {
        r.v = x->v;
        r.spv = x->spv;
        r.spvp = x->spvp;
    }
    if (how == PRIV) {
        r.s = x->s;
        r.sie = x->sie;
        r.spp = x->spp;
        r.spie = x->spie;
    }
    r.sie &= !r.sdt;      /* one write of mstatus (Ssdbltrp) */
    r.sdt &= r.s && !r.v; /* MRET to a mode below S or HS (Ssdbltrp) */
    return r;
}

/* ---- handlers ----------------------------------------------------------------------------------------------------------- */

enum handler { NOTHING, NEST, NEST_SSTATUS, NEST_HSTATUS, WRITER, REDIRECT, HANDLERS };
static const unsigned arguments[HANDLERS] = {1, 1, 1, 1, 16, 8};
static const char *const handler_name[HANDLERS] = {"nothing", "nested",  "nested, sstatus saved", "nested, hstatus saved",
                                                   "writer",  "redirect"};
#define WRITTEN_SEPC 0x80212340u
#define REDIRECT_PC  0x80215678u

/* The handler's work on its context. A nested trap and the SRET from it leave SPP 0, SPIE 1, SPV 0 (priv "Supervisor Trap"). */
static void handle(enum handler what, unsigned arg, struct context *h, struct attributes *a, uint64_t nested_pc)
{
    const struct context was = *h;
    switch (what) {
    case NEST:
    case NEST_SSTATUS:
    case NEST_HSTATUS:
        h->spp = h->spv = false;
        h->spie = true;
        h->sepc = nested_pc;
        if (what >= NEST_SSTATUS) {
            h->spp = was.spp;
            h->spie = was.spie;
            h->sepc = was.sepc;
        }
        if (what == NEST_HSTATUS) {
            h->spv = was.spv;
            h->spvp = was.spvp;
        }
        break;
    case WRITER: *a = (struct attributes){WRITTEN_SEPC, 0x1234, 0x5678, arg}; break;
    case REDIRECT:
        h->sepc = REDIRECT_PC;
        h->spp = arg & 1;
        h->spv = arg >> 1 & 1;
        h->spie = arg >> 2 & 1;
        break;
    default: break;
    }
}

/* ---- the machine -------------------------------------------------------------------------------------------------------- */

enum { EID_SSE = 0x535345, EID_FWFT = 0x46574654 };
enum { READ_ATTRS, WRITE_ATTRS, REGISTER, ENABLE = 4, COMPLETE = 6, HART_UNMASK = 8 };
#define EVENT_PMU 0x10000u

struct bench {
    struct machine *m;
    unsigned xlen;
    bool h;
    enum variant how;
    uint64_t base, buffer; /* base: ecall; then a jump to itself, where contexts are interrupted and handlers begin */
    char kernel[64];
};

static uint64_t get(struct bench *b, const char *name)
{
    uint64_t v = 0;
    if (!machine_get_reg(b->m, 0, name, &v))
        fail_msg("no register %s", name);
    return v;
}

static void set(struct bench *b, const char *name, uint64_t v)
{
    if (!machine_set_reg(b->m, 0, name, v))
        fail_msg("no register %s", name);
}

/* Stops behind every return from M to the modes below. */
static void on_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    (void)ctx;
    if (c->is_return && c->priv == 3 && c->to_priv < 3)
        machine_break(m, c->hart);
}

static void run(struct bench *b)
{
    if (machine_run(b->m, 100000) != MACHINE_DEBUG)
        fail_msg("the firmware did not return; pc 0x%" PRIx64, get(b, "pc"));
}

static uint64_t call(struct bench *b, unsigned eid, unsigned fid, const uint64_t *args, unsigned n)
{
    static const char *const names[] = {"a0", "a1", "a2", "a3", "a4"};
    for (unsigned i = 0; i < n; i++)
        set(b, names[i], args[i]);
    set(b, "a6", fid);
    set(b, "a7", eid);
    set(b, "pc", b->base);
    run(b);
    return get(b, "a0");
}
#define CALL(b, eid, fid, ...) call(b, eid, fid, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static uint64_t entry(const struct bench *b) { return b->base + 4; }

static struct bench bench_new(const char *variant, enum variant how, unsigned xlen, bool h, bool dte)
{
    static const uint8_t code[] = {0x73, 0, 0, 0, 0x6f, 0, 0, 0}; /* ecall; j . */
    struct bench b = {.xlen = xlen, .h = h, .how = how};
    char bios[512], cpu[32];
    struct err e;
    snprintf(bios, sizeof bios, "%s/roms/sbi-%s%s.elf", TL_SOURCE_DIR, variant, xlen == 64 ? "" : "-rv32");
    snprintf(cpu, sizeof cpu, "rv%u,h=%s", xlen, h ? "on" : "off");
    strcpy(b.kernel, "/tmp/trapline-model-XXXXXX");
    int fd = mkstemp(b.kernel);
    assert_true(fd >= 0 && write(fd, code, sizeof code) == (ssize_t)sizeof code);
    close(fd);
    b.m = machine_new(&(struct machine_config){.bios = bios, .kernel = b.kernel, .cpu = cpu}, &e);
    if (!b.m)
        fail_msg("%s", e.text);
    machine_watch(b.m, on_change, NULL);
    if (machine_run(b.m, 10000000) != MACHINE_DEBUG)
        fail_msg("the firmware does not start");
    b.base = get(&b, "pc");
    b.buffer = b.base + 0x1000;
    if (dte)
        assert_int_equal(CALL(&b, EID_FWFT, 0, 3, 1, 0), 0);
    assert_int_equal(CALL(&b, EID_SSE, REGISTER, EVENT_PMU, entry(&b), ENTRY_ARG), 0);
    assert_int_equal(CALL(&b, EID_SSE, ENABLE, EVENT_PMU), 0);
    assert_int_equal(CALL(&b, EID_SSE, HART_UNMASK, 0), 0);
    return b;
}

static void bench_free(struct bench *b)
{
    machine_free(b->m);
    unlink(b->kernel);
}

static uint64_t put(uint64_t old, unsigned bit, bool v) { return bits_set(old, bit, bit, v); }

/* Everything but pc. */
static void set_context(struct bench *b, const struct context *c)
{
    uint64_t s = get(b, "sstatus");
    s = put(put(put(s, 1, c->sie), 5, c->spie), 8, c->spp);
    set(b, "sstatus", put(put(s, 23, c->spelp), 24, c->sdt));
    if (b->h)
        set(b, "hstatus", put(put(get(b, "hstatus"), 7, c->spv), 8, c->spvp));
    set(b, "sepc", c->sepc);
    set(b, "a6", c->a6);
    set(b, "a7", c->a7);
    set(b, "priv", c->s);
    if (b->h)
        set(b, "v", c->v);
    set(b, "pc", c->pc);
}

static struct context get_context(struct bench *b)
{
    uint64_t s = get(b, "sstatus"), h = b->h ? get(b, "hstatus") : 0;
    return (struct context){.pc = get(b, "pc"),
                            .sepc = get(b, "sepc"),
                            .a6 = get(b, "a6"),
                            .a7 = get(b, "a7"),
                            .v = b->h && get(b, "v"),
                            .s = get(b, "priv"),
                            .sie = s >> 1 & 1,
                            .spie = s >> 5 & 1,
                            .spp = s >> 8 & 1,
                            .spelp = s >> 23 & 1,
                            .sdt = s >> 24 & 1,
                            .spv = h >> 7 & 1,
                            .spvp = h >> 8 & 1};
}

/* The four attributes, by the call. They are words of XLEN. */
static void attributes(struct bench *b, struct attributes *a, bool write)
{
    uint8_t bytes[32];
    unsigned n = b->xlen / 8;
    if (write) {
        const uint64_t v[] = {a->sepc, a->flags, a->a6, a->a7};
        for (unsigned i = 0; i < 4; i++)
            memcpy(bytes + i * n, &v[i], n);
        assert_true(machine_write(b->m, b->buffer, bytes, 4 * n));
    }
    assert_int_equal(CALL(b, EID_SSE, write ? WRITE_ATTRS : READ_ATTRS, EVENT_PMU, 6, 4, b->buffer, 0), 0);
    if (write)
        return;
    uint64_t v[4] = {0};
    assert_true(machine_read(b->m, b->buffer, bytes, 4 * n));
    for (unsigned i = 0; i < 4; i++)
        memcpy(&v[i], bytes + i * n, n);
    *a = (struct attributes){v[0], v[2], v[3], (unsigned)v[1]};
}

/* ---- one case ----------------------------------------------------------------------------------------------------------- */

static bool same_context(const struct context *a, const struct context *b)
{
    return a->pc == b->pc && a->sepc == b->sepc && a->a6 == b->a6 && a->a7 == b->a7 && a->v == b->v && a->s == b->s &&
           a->spp == b->spp && a->spie == b->spie && a->sie == b->sie && a->spv == b->spv && a->spvp == b->spvp &&
           a->spelp == b->spelp && a->sdt == b->sdt;
}

static bool same_attributes(const struct attributes *a, const struct attributes *b)
{
    return a->sepc == b->sepc && a->a6 == b->a6 && a->a7 == b->a7 && a->flags == b->flags;
}

static void show(const char *what, const struct context *c)
{
    print_error("  %-9s pc %" PRIx64 " sepc %" PRIx64 " a6 %" PRIx64 " a7 %" PRIx64
                " V%d P%d SPP%d SPIE%d SIE%d SPV%d SPVP%d SPELP%d SDT%d\n",
                what, c->pc, c->sepc, c->a6, c->a7, c->v, c->s, c->spp, c->spie, c->sie, c->spv, c->spvp, c->spelp, c->sdt);
}

static void expect(const char *what, const struct context *x, const struct context *model, const struct context *got)
{
    if (same_context(model, got))
        return;
    show("X", x);
    show("model", model);
    show("firmware", got);
    fail_msg("%s: the firmware is not as the model", what);
}

/* Cases that differ from the specification: at entry (E), in what is resumed (C), and from what was interrupted (T). */
struct counts {
    unsigned t, c, e;
};

/* Interrupts x and runs the handler; dte: S has double traps. */
static void one(struct bench *b, const struct context *x, enum handler what, unsigned arg, bool dte, struct counts *n)
{
    struct attributes a, spec_a, model_a;
    struct context model = model_inject(b->how, x, entry(b), dte, &model_a);
    struct context spec = model_inject(MAINT, x, entry(b), dte, &spec_a);

    set_context(b, x);
    set(b, "mip", get(b, "mip") | 1u << 13);
    run(b);
    struct context h = get_context(b);
    expect("entry", x, &model, &h);
    attributes(b, &a, false);
    if (!same_attributes(&a, &model_a))
        fail_msg("FLAGS 0x%x, in the model 0x%x", a.flags, model_a.flags);
    n->e += !same_context(&h, &spec) || !same_attributes(&a, &spec_a);

    handle(what, arg, &h, &a, b->base);
    handle(what, arg, &model, &model_a, b->base);
    handle(what, arg, &spec, &spec_a, b->base);
    attributes(b, &a, true);
    set_context(b, &h);
    set(b, "a6", COMPLETE);
    set(b, "a7", EID_SSE);
    set(b, "pc", b->base);
    run(b);
    const struct context r = get_context(b), model_r = model_complete(b->how, &model, &model_a, x),
                         spec_r = model_complete(MAINT, &spec, &spec_a, x);
    expect(handler_name[what], x, &model_r, &r);
    n->c += !same_context(&r, &spec_r);
    n->t += !same_context(&r, x);
}

static struct context context_of(const struct bench *b, unsigned bits)
{
    return (struct context){.pc = entry(b),
                            .sepc = 0x80204568,
                            .a6 = 0x66,
                            .a7 = 0x77,
                            .spp = bits & 1,
                            .spie = bits >> 1 & 1,
                            .sie = bits >> 2 & 1,
                            .s = bits >> 3 & 1,
                            .v = bits >> 4 & 1,
                            .spv = bits >> 5 & 1,
                            .spvp = bits >> 6 & 1};
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

/* The scenarios' table (S1, 1.1): T/C/E of each handler; for the writer and the redirection T means nothing. */
static const struct row {
    const char *name;
    enum variant how;
    struct counts n[HANDLERS];
} rows[] = {
    {"maint", MAINT, {{0, 0, 0}, {128, 0, 0}, {64, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}}},
    {"status", MAINT, {{0, 0, 0}, {128, 0, 0}, {64, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}}},
    {"head", HEAD, {{32, 32, 48}, {128, 0, 48}, {64, 0, 48}, {32, 32, 48}, {0, 512, 768}, {0, 0, 384}}},
    {"p1", P1, {{96, 96, 120}, {128, 112, 120}, {96, 112, 120}, {96, 96, 120}, {0, 1536, 1920}, {0, 896, 960}}},
    {"priv", PRIV, {{0, 0, 120}, {128, 112, 120}, {0, 64, 120}, {0, 0, 120}, {0, 1920, 1920}, {0, 896, 960}}},
};

static void with_h(unsigned xlen)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b = bench_new(rows[i].name, rows[i].how, xlen, true, false);
        for (enum handler what = 0; what < HANDLERS; what++) {
            struct counts n = {0};
            for (unsigned bits = 0; bits < 128; bits++) {
                struct context x = context_of(&b, bits);
                for (unsigned arg = 0; arg < arguments[what]; arg++)
                    one(&b, &x, what, arg, false, &n);
            }
            const struct counts *want = &rows[i].n[what];
            if ((what < WRITER && n.t != want->t) || n.c != want->c || n.e != want->e)
                fail_msg("%s, rv%u, %s: %u/%u/%u cases differ, not %u/%u/%u", rows[i].name, xlen, handler_name[what], n.t, n.c,
                         n.e, want->t, want->c, want->e);
        }
        bench_free(&b);
    }
}

static void variants_are_as_the_model_on_rv64(void **state)
{
    (void)state;
    with_h(64);
}

static void variants_are_as_the_model_on_rv32(void **state)
{
    (void)state;
    with_h(32);
}

/* Without H: 16 states; p1 resumes 12 of them wrongly with a handler that does nothing (S2). */
static void variants_without_h_are_as_the_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
            struct bench b = bench_new(rows[i].name, rows[i].how, xlen, false, false);
            struct counts nothing = {0}, rest = {0};
            for (unsigned bits = 0; bits < 16; bits++) {
                struct context x = context_of(&b, bits);
                one(&b, &x, NOTHING, 0, false, &nothing);
                one(&b, &x, NEST, 0, false, &rest);
                one(&b, &x, NEST_SSTATUS, 0, false, &rest);
                for (unsigned arg = 0; arg < 4; arg++)
                    one(&b, &x, WRITER, arg, false, &rest);
            }
            assert_int_equal(nothing.t, rows[i].how == P1 ? 12 : 0);
            assert_int_equal(nothing.c, rows[i].how == P1 ? 12 : 0);
            bench_free(&b);
        }
    }
}

/* SPELP and SDT come and go with FLAGS 4 and 5 in every variant; with DOUBLE_TRAP on, the handler begins with SDT set. */
static void spelp_and_sdt_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
            struct bench b = bench_new(rows[i].name, rows[i].how, xlen, true, true);
            struct counts n = {0};
            for (unsigned bits = 0; bits < 512; bits++) {
                struct context x = context_of(&b, bits);
                x.spelp = bits >> 7 & 1;
                x.sdt = bits >> 8 & 1;
                x.sie &= !x.sdt; /* SDT keeps SIE clear, and modes below S or HS are entered with SDT 0 */
                if (x.sdt && (x.v || !x.s))
                    continue;
                one(&b, &x, NOTHING, 0, true, &n);
                one(&b, &x, WRITER, bits >> 3 & 63, true, &n);
            }
            bench_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variants_are_as_the_model_on_rv64),
        cmocka_unit_test(variants_are_as_the_model_on_rv32),
        cmocka_unit_test(variants_without_h_are_as_the_model),
        cmocka_unit_test(spelp_and_sdt_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
