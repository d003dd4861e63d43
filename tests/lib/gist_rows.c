#include "gist_rows.h"
#include "base/rng.h"
#include "machine/machine.h"
#include "mem/mem.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CODE UINT64_C(0x10000) /* from the start of RAM: the instruction */
#define DATA UINT64_C(0x20000) /* two pages that addresses at random point into */

/* A gist_fn. */
static void take(void *ctx, const uint8_t *bytes, size_t n) { buf_put(&((struct gist_world *)ctx)->bytes, bytes, n); }

static void on_trap(void *ctx, struct machine *m, const struct machine_change *c)
{
    (void)ctx;
    if (!c->is_return)
        engine_insns_trapped(&m->engine, c->hart, c->epc);
}

static uint64_t *words(struct gist_world *w) { return (uint64_t *)(void *)(w->c + 1); }

/* Numbers that find mistakes: addresses of data, ends of ranges, few bits, any. */
static uint64_t value(struct gist_world *w)
{
    uint64_t r = rng_next(&w->seed), v = rng_next(&w->seed);
    switch (r & 7) {
    case 0:
    case 1: return w->ram + DATA + MEM_PAGE_SIZE - 64 + (v & 127 & -(uint64_t)(r >> 8 & 8 ? 1 : 16));
    case 2: return v >> (r >> 8 & 63);
    case 3: return (uint64_t)((int64_t)v >> (r >> 8 & 63));
    case 4: return UINT64_C(1) << (v & 63);
    case 5: return r >> 8 & 1 ? UINT64_MAX : 0;
    case 6: return (UINT64_C(1) << 31) - (v & 1);
    default: return v;
    }
}

void gist_open(struct gist_world *w, const struct machine_config *config, uint64_t ram)
{
    struct err e;
    *w = (struct gist_world){.ram = ram, .seed = UINT64_C(0x67697374)};
    w->m = machine_new(config, &e);
    if (!w->m)
        fail_msg("%s", e.text);
    w->c = machine_hart(w->m, 0);
    w->l = w->m->arch->insns;
    w->reader = gist_reader_new(INSN_WORDS(w->l), 4096);
    w->record = insn_record_new(INSN_WORDS(w->l));
    w->clean = malloc(w->m->arch->state_size);
    assert_non_null(w->clean);
    memcpy(w->clean, w->c + 1, w->m->arch->state_size);
    machine_watch(w->m, on_trap, w);
    engine_gist(&w->m->engine, w->l, take, w);
}

void gist_close(struct gist_world *w)
{
    engine_insns(&w->m->engine, NULL, NULL, NULL);
    machine_watch(w->m, NULL, NULL);
    gist_reader_free(w->reader);
    insn_record_free(w->record);
    buf_free(&w->bytes);
    free(w->clean);
    machine_free(w->m);
}

/* The state of the beginning but for general and vector registers, which are at random; time goes on. */
static uint64_t shuffle(struct gist_world *w, uint32_t insn)
{
    const struct insn_layout *l = w->l;
    const bool narrow = w->m->setup->kind->bits == 32, arm = l->nzcv != NULL;
    struct cpu_progress now = *cpu_progress(w->c);
    uint64_t *word = words(w);
    memcpy(word, w->clean, w->m->arch->state_size);
    cpu_progress(w->c)->cycle = now.cycle;
    cpu_progress(w->c)->idle = now.idle;
    for (unsigned i = arm ? 0 : 1; i < (arm ? 31u : l->xs); i++) {
        uint64_t v = value(w);
        word[l->x + i] = narrow ? (uint64_t)(int64_t)(int32_t)v : v;
    }
    for (unsigned i = 0; i < l->vs; i++)
        for (unsigned k = 0; k < l->v_used; k++)
            word[l->v + i * l->v_step + k] = value(w);
    const uint32_t code[4] = {insn, insn, insn, insn};
    uint64_t at = w->ram + CODE + (rng_next(&w->seed) & 0xff0);
    assert_true(mem_write(w->m->mem, at, code, sizeof code));
    word[l->pc] = at;
    if (arm)
        assert_true(w->m->arch->set_reg(w->c, "sp", value(w) & ~UINT64_C(15)));
    w->m->arch->refresh(w->c);
    return at;
}

static void same_words(const struct gist_world *w, const char *name, uint32_t insn, unsigned first, unsigned n, uint64_t mask)
{
    const uint64_t *is = (const uint64_t *)(const void *)(w->c + 1), *told = gist_registers(w->reader, 0);
    for (unsigned i = first; i < first + n; i++)
        if ((is[i] ^ told[i]) & mask)
            fail_msg("%s (0x%08" PRIx32 "): word %u is 0x%" PRIx64 ", by the gist 0x%" PRIx64, name, insn, i, is[i], told[i]);
}

static void same_page(const struct gist_world *w, const char *name, uint32_t insn, uint64_t pa)
{
    const uint8_t *known = gist_memory(w->reader, pa), *is = mem_page_read(w->m->mem, pa);
    for (unsigned i = 0; known && i < MEM_PAGE_SIZE; i++)
        if (known[i] != is[i])
            fail_msg("%s (0x%08" PRIx32 "): memory at 0x%" PRIx64 " is %02x, by the gist %02x", name, insn, pa + i, is[i],
                     known[i]);
}

static void compare(const struct gist_world *w, const char *name, uint32_t insn)
{
    const struct insn_layout *l = w->l;
    same_words(w, name, insn, l->x, l->xs, UINT64_MAX);
    for (unsigned i = 0; i < l->vs; i++)
        same_words(w, name, insn, l->v + i * l->v_step, l->v_used, UINT64_MAX);
    if (gist_pc_of(w->reader, 0) != ((const uint64_t *)(const void *)(w->c + 1))[l->pc])
        fail_msg("%s (0x%08" PRIx32 "): the pc is 0x%" PRIx64 ", by the gist 0x%" PRIx64, name, insn,
                 ((const uint64_t *)(const void *)(w->c + 1))[l->pc], gist_pc_of(w->reader, 0));
    if (l->nzcv)
        assert_int_equal(gist_registers(w->reader, 0)[INSN_NZCV(l)], l->nzcv((const void *)((const char *)w->c + l->flags_at)));
    for (uint64_t page = 0; page < 3; page++)
        same_page(w, name, insn, w->ram + (page < 2 ? DATA + page * MEM_PAGE_SIZE : CODE));
}

void gist_set(struct gist_world *w, const char *name, uint64_t v)
{
    assert_true(w->m->arch->set_reg(w->c, name, v));
    memcpy(w->clean, w->c + 1, w->m->arch->state_size);
}

void gist_trial(struct gist_world *w, const char *name, const char *pattern)
{
    size_t n = strlen(pattern);
    uint32_t insn = (uint32_t)rng_next(&w->seed);
    for (size_t k = 0; k < n; k++) {
        uint32_t bit = UINT32_C(1) << (n - 1 - k);
        insn = pattern[k] == '0' ? insn & ~bit : pattern[k] == '1' ? insn | bit : insn;
    }
    shuffle(w, n == 16 ? insn << 16 | (insn & 0xffff) : insn);
    w->bytes.len = 0;
    w->m->arch->run(w->c, cpu_progress(w->c)->cycle + 1);
    engine_insns_flush(&w->m->engine);
    struct cursor c = {.p = w->bytes.data, .left = w->bytes.len};
    unsigned did = 0;
    while (gist_next(w->reader, &c, w->record))
        did += w->record->kind <= INSN_TRAPPED;
    if (c.bad || did > 1)
        fail_msg("%s (0x%08" PRIx32 "): the gist cannot be followed (%u instructions)", name, insn, did);
    compare(w, name, insn);
}
