/* RISC-V as the folders above cpu/ see it. */
#include "cpu/riscv/arch.h"
#include "base/hash.h"
#include "cpu/riscv/insninfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hart *hart(struct cpu *c) { return (struct hart *)c; }

/* ---- the configuration
 * ------------------------------------------------------------------------------------------------------------ */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static void kind_free(struct cpu_kind *k)
{
    struct rv_kind *r = (struct rv_kind *)k;
    csr_map_free(r->map);
    rv_decoder_free(r->decoder);
    free(r->csr);
    free(r);
}

static struct cpu_kind *kind_new(const struct cpu_choice *choice, struct err *e)
{
    struct rv_config cfg;
    rv_config_default(&cfg, !strncmp(choice->text, "rv32", 4) ? 32 : 64);
    if (!rv_config_parse(&cfg, choice->text, e))
        return NULL;
    cfg.reset_pc = choice->reset_pc;
    cfg.tick_cycles = choice->tick_cycles;
    struct rv_kind *r = must(calloc(1, sizeof *r));
    r->cfg = cfg;
    r->map = must(csr_map_new(&r->cfg));
    r->decoder = must(rv_decoder_new(&r->cfg));
    r->kind = (struct cpu_kind){
        .arch = &riscv_arch, .bits = cfg.xlen, .tick_cycles = cfg.tick_cycles, .digest = hash_bytes(&cfg, sizeof cfg)};
    snprintf(r->kind.name, sizeof r->kind.name, "rv%u", cfg.xlen);
    rv_registers_find(r);
    return &r->kind;
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------------------- */

static void init(struct cpu *c, struct engine *e, const struct cpu_kind *k)
{
    const struct rv_kind *r = (const struct rv_kind *)k;
    hart_init(hart(c), e, &r->cfg, r->map, r->decoder, e->cpus);
}

static void copy(struct cpu *c, struct engine *e, const struct cpu *from)
{
    hart_init_copy(hart(c), e, (const struct hart *)from);
}

static void reset(struct cpu *c, uint64_t cycle, uint64_t seed)
{
    struct hart *h = hart(c);
    uint64_t idle = h->s.idle;
    h->s.lines = h->s.pulse = h->s.hgeip = 0;
    h->s.time_offset = 0;
    h->s.cycle = cycle;
    h->s.seed = seed;
    hart_reset(h);
    h->s.idle = cycle ? idle : 0;
}

static void refresh(struct cpu *c) { hart_refresh(hart(c)); }

static void rewind_to(struct cpu *c, const struct cpu *from) { hart_rewind(hart(c), &((const struct hart *)from)->s); }

/* ---- running
 * ---------------------------------------------------------------------------------------------------------------------- */

static enum cpu_stop run(struct cpu *c, uint64_t until) { return hart_run(hart(c), until); }

static bool wakes(struct cpu *c) { return interrupt_wakes(hart(c)); }

static uint64_t due(struct cpu *c)
{
    struct hart *h = hart(c);
    if (h->s.cycle >= h->deadline)
        hart_deadline(h);
    return h->deadline;
}

static void line(struct cpu *c, unsigned irq, bool level) { hart_line(hart(c), irq, level); }

static void set_time_offset(struct cpu *c, uint64_t offset)
{
    hart(c)->s.time_offset = offset;
    hart_deadline(hart(c));
}

static bool load(struct cpu *c, uint64_t va, void *p, uint64_t n)
{
    struct access_mode mode = data_mode(hart(c));
    uint8_t *out = p;
    uint64_t byte;
    c->unwatched = true;
    for (; n && hart_load(hart(c), va, 1, &mode, &byte); n--, va++)
        *out++ = (uint8_t)byte;
    c->unwatched = false;
    return !n;
}

static bool store(struct cpu *c, uint64_t va, const void *p, uint64_t n)
{
    struct access_mode mode = data_mode(hart(c));
    const uint8_t *in = p;
    c->unwatched = true;
    for (; n && hart_store(hart(c), va, 1, &mode, *in); n--, va++)
        in++;
    c->unwatched = false;
    return !n;
}

static bool translate(struct cpu *c, uint64_t va, uint64_t *pa)
{
    struct hart *h = hart(c);
    const struct access_mode m = {.priv = h->s.priv, .v = h->s.v, .probe = true};
    struct xlate x;
    if (!mmu_translate(h, va, 1, ACCESS_LOAD, &m, &x))
        return false;
    *pa = x.pa;
    return true;
}

static const char *mode(const struct cpu *c)
{
    const struct hart *h = (const struct hart *)c;
    bool hyper = rv_has(h->cfg, EXT_H);
    switch (h->s.priv) {
    case RV_M: return "M";
    case RV_S: return h->s.v ? "VS" : hyper ? "HS" : "S";
    default: return h->s.v ? "VU" : "U";
    }
}

/* ---- state
 * ------------------------------------------------------------------------------------------------------------------------ */

static void pieces(struct cpu *c, cpu_piece_fn *fn, void *ctx)
{
    struct rv_state *s = &hart(c)->s;
    s->x[32] = 0; /* results nobody reads */
#define STATE(member, count, bytes, meaning) fn(ctx, #member, &s->member, sizeof s->member);
#include "cpu/riscv/state.def"
#undef STATE
#define PIECE_OWN(name)  fn(ctx, "csr." #name, &s->csr.name, sizeof s->csr.name);
#define PIECE_OWNS(name) PIECE_OWN(name)
#define PIECE_VIEW(name)
#define PIECE_CONST(name)
#define PIECE_LIVE(name)
#define ROW(kind, name, ...)   PIECE_##kind(name)
#define RANGE(kind, name, ...) PIECE_##kind(name)
#define HIGH(...)
#define HIGHS(...)
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
}

static void put_back(struct cpu *c, const void *state)
{
    struct hart *h = hart(c);
    struct rv_state now = h->s;
    memcpy(&h->s, state, sizeof h->s);
    h->s.lines = now.lines;
    h->s.pulse = now.pulse;
    h->s.hgeip = now.hgeip;
    h->s.nmi_pending = now.nmi_pending;
    h->s.res_valid = 0;
    hart_refresh(h);
}

static const char *fault(const struct cpu *c)
{
    const struct rv_state *s = &((const struct hart *)c)->s;
    if (s->x[0])
        return "x";
    if (s->priv == 2 || s->priv > RV_M || (s->v && s->priv == RV_M))
        return "priv";
    if (s->v > 1)
        return "v";
    if (s->waiting > 1 || s->elp > 1 || s->halted > 1 || s->nmi_pending > 2 || s->parked > 1 || s->fflags > 31)
        return "waiting, elp, halted, nmi_pending, parked or fflags";
    return NULL;
}

const struct cpu_arch riscv_arch = {
    .name = "riscv",
    .title = "RISC-V",
    .cpu_size = sizeof(struct hart),
    .state_size = sizeof(struct rv_state),
    .slot_shift = 1,
    .elf_machine = 243,
    .linux_magic = "RSC\005",
    .kind_new = kind_new,
    .kind_free = kind_free,
    .describe = rv_describe,
    .init = init,
    .copy = copy,
    .reset = reset,
    .refresh = refresh,
    .rewind = rewind_to,
    .run = run,
    .wakes = wakes,
    .due = due,
    .line = line,
    .inject = hart_inject,
    .set_time_offset = set_time_offset,
    .argument = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"},
    .get_reg = hart_get_reg,
    .set_reg = hart_set_reg,
    .mode = mode,
    .register_at = rv_register_at,
    .register_named = rv_register_named,
    .get_register = rv_get_register,
    .set_register = rv_set_register,
    .load = load,
    .store = store,
    .translate = translate,
    .put_back = put_back,
    .insns = &rv_insn_layout,
    .pieces = pieces,
    .fault = fault,
};
