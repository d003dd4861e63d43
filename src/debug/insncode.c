#include "debug/insncode.h"
#include "base/bits.h"
#include "debug/tracefile.h"

#include <stdlib.h>
#include <string.h>

/* A run: instructions of a hart one behind the other. In front of its values stands a byte of these. */
enum {
    RUN_FAR = 1,    /* its address does not follow from the run before */
    RUN_COUNT = 2,  /* it is not as long as it was the last time */
    RUN_NEW = 4,    /* instructions of it are told, from the first that is not known */
    RUN_RESET = 8,  /* none of it is known */
    RUN_HART = 16,  /* another hart's */
    RUN_EXTRA = 32, /* behind its last instruction is what else that did */
    RUN_NONE = 64   /* no instruction: RUN_EXTRA is all */
};

#define REPEATED 128 /* of enum insn_extra_kind: it is known, but a frame begins */

#define RUNS    8192
#define RUN_MAX 21 /* instructions: their values have a bit each in 84 */
#define VALUES  (INSN_PLACES + 1)

/* Runs that are known, by the address of the first instruction. */
struct run_body {
    uint64_t last[RUN_MAX][VALUES];
    struct insn_info info[RUN_MAX]; /* the reader's */
};
struct run {
    uint64_t pc, next_pc; /* next_pc: of the run that came behind it */
    struct run_body *body;
    uint32_t serial; /* writer: of the page, and the slot there */
    uint16_t slot;
    uint8_t known, count; /* instructions that are; how many there were the last time */
};

struct insncode {
    const struct insn_layout *layout;
    unsigned words, nzcv;
    struct run run[RUNS];
    uint64_t *word[ENGINE_CPUS];
    unsigned hart, told_hart; /* told_hart: writer: the one that the reader takes it for */
    struct run *before;       /* the run before, of any hart */
    uint64_t end;             /* the address behind it */
    uint64_t count;
    /* reader: the run that is being taken */
    struct run *now;
    unsigned at, n;
    uint8_t flags;
    bool trapped;
    uint64_t pc, told[2];
    unsigned bit;
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

struct insncode *insncode_new(const struct insn_layout *layout, unsigned words)
{
    struct insncode *x = must(calloc(1, sizeof *x));
    x->layout = layout;
    x->words = words;
    x->nzcv = words - 2;
    return x;
}

void insncode_free(struct insncode *x)
{
    if (!x)
        return;
    for (unsigned i = 0; i < RUNS; i++)
        free(x->run[i].body);
    for (unsigned i = 0; i < ENGINE_CPUS; i++)
        free(x->word[i]);
    free(x);
}

uint64_t insncode_count(const struct insncode *x) { return x->count; }
const uint64_t *insncode_registers(const struct insncode *x, unsigned hart) { return x->word[hart]; }

static uint64_t *words_of(struct insncode *x, unsigned hart)
{
    if (!x->word[hart])
        x->word[hart] = must(calloc(x->words + 1, sizeof(uint64_t))); /* and one that is 0, as insn_hot has it */
    return x->word[hart];
}

static unsigned index_of(uint64_t pc) { return (unsigned)(pc >> 1 ^ pc >> 14) % RUNS; }

/* Where a run at pc is remembered, and forgets what was there. */
static struct run *remember(struct insncode *x, uint64_t pc)
{
    struct run *r = &x->run[index_of(pc)];
    struct run_body *body = r->body ? r->body : must(malloc(sizeof *body));
    memset(body->last, 0, sizeof body->last);
    *r = (struct run){.pc = pc, .body = body};
    return r;
}

static struct run *known(struct insncode *x, uint64_t pc)
{
    struct run *r = &x->run[index_of(pc)];
    return r->pc == pc && r->known ? r : NULL;
}

static void forget(struct insncode *x)
{
    for (unsigned i = 0; i < RUNS; i++)
        x->run[i].known = 0;
    x->before = NULL;
    x->end = 0;
    x->hart = x->told_hart = 0;
    x->now = NULL;
    x->at = x->n = 0;
    x->flags = 0;
}

/* How many values an instruction has. */
static inline unsigned values_of(const struct insn_core *s) { return s->places + s->nzcv; }

/* What a value is expected to be; k counts places, then the flags. */
static inline uint64_t expected(const struct insn_core *s, const uint64_t *word, const uint64_t *last, unsigned k)
{
    if (k < s->places && s->based && k == s->places - 1u)
        return word[s->base] + (uint64_t)s->by;
    return k ? last[k] : insn_guess(s, word, last[0]);
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------
 */

/* Room for n bytes more. */
static uint8_t *reserve(struct buf *b, size_t n)
{
    if (b->cap - b->len < n) {
        b->cap = b->len + n + b->cap / 2;
        b->data = must(realloc(b->data, b->cap));
    }
    return b->data + b->len;
}

static inline uint8_t *var(uint8_t *p, uint64_t v)
{
    while (v > 127) {
        *p++ = (uint8_t)(v | 128);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline uint64_t folded(uint64_t v) { return v << 1 ^ -(v >> 63); }
static inline uint64_t unfolded(uint64_t v) { return v >> 1 ^ -(v & 1); }

/* How many bytes v needs, and these. */
static inline uint8_t *put_short(uint8_t *p, uint64_t v)
{
    unsigned n = (unsigned)(71 - __builtin_clzll(v | 1)) / 8;
    *p++ = (uint8_t)n;
    memcpy(p, &v, 8); /* all of them; what comes next overwrites the rest */
    return p + n;
}

#define INFO_MAX 96 /* bytes of one at most */
#define AHEAD    16 /* records, of which what they lead to is fetched into the host's cache */

static uint8_t *put_info(uint8_t *p, const struct insn_info *i)
{
    const struct insn_core *s = &i->core;
    memcpy(p, &i->insn, 4);
    p += 4;
    *p++ = (uint8_t)(s->places | s->nzcv << 2 | s->based << 3 | i->stores << 4 | (s->length == 2 ? 64 : 0) | s->narrow << 7);
    for (unsigned k = 0; k < s->places; k++)
        p = var(p, s->word[k]);
    *p++ = (uint8_t)(s->guess | s->width << 4);
    if (s->guess != GUESS_LAST)
        p = var(p, folded((uint64_t)s->imm));
    if (s->guess > GUESS_CONST) {
        *p++ = s->shift;
        p = var(p, (uint16_t)(s->a + 1));
        p = var(p, (uint16_t)(s->b + 1));
    }
    if (s->based || i->stores)
        p = var(p, (uint16_t)(s->base + 1));
    if (s->based)
        p = var(p, folded((uint64_t)(int64_t)s->by));
    if (i->stores) {
        *p++ = i->size;
        *p++ = (uint8_t)(i->index | i->scale << 2);
        p = var(p, (uint16_t)(i->offset + 1));
        p = var(p, folded((uint64_t)i->disp));
        p = var(p, (uint16_t)(i->from[0] + 1));
        if (i->stores == 2)
            p = var(p, (uint16_t)(i->from[1] + 1));
    }
    return p;
}

/* The values of one instruction, of which the first one's bit is number `bit`. Gives where the next bytes go. */
static uint8_t *put_many(struct insncode *x, uint8_t *p, const struct insn_raw *r, uint64_t *last, unsigned bit, uint64_t miss[2])
{
    const struct insn_core *s = &r->slot->core;
    uint64_t *word = x->word[x->hart], is[VALUES];
    unsigned values = values_of(s);
    for (unsigned k = 0; k < values; k++, bit++) {
        uint64_t want = expected(s, word, last, k);
        is[k] = k < s->places ? r->value[k] : x->layout->nzcv(r->flags);
        if (is[k] == want)
            continue;
        miss[bit >> 6] |= UINT64_C(1) << (bit & 63);
        p = put_short(p, folded(is[k] - want));
    }
    for (unsigned k = 0; k < values; k++)
        word[k < s->places ? s->word[k] : x->nzcv] = last[k] = is[k];
    return p;
}

/* insn_guess, of what insn_hot holds, without jumps for most: sums and differences are a + (b or -b) + imm, a constant is imm. */
static inline uint64_t guess(const struct insn_core *s, const uint64_t *word, uint64_t last)
{
    if (unlikely(s->guess > GUESS_SUB))
        return insn_guess(s, word, last);
    uint64_t minus = -(uint64_t)(s->guess == GUESS_SUB), b = (word[s->b] << s->shift) + (uint64_t)s->imm;
    uint64_t r = word[s->a] + ((b ^ minus) - minus);
    r = s->width == GUESS_ZEXT32 ? (uint32_t)r : s->width == GUESS_SEXT32 ? (uint64_t)(int64_t)(int32_t)r : r;
    return s->guess == GUESS_LAST ? last : r;
}

/* The values of a run's instructions: a bit for each that is not as expected, and these. */
static uint8_t *put_values(struct insncode *x, uint8_t *p, struct run *run, const struct insn_raw *r, unsigned n, unsigned values)
{
    uint64_t *word = x->word[x->hart], miss[2] = {0};
    uint8_t *bits = p;
    unsigned bit = 0;
    p += (values + 7) / 8;
    for (unsigned i = 0; i < n; i++) {
        const struct insn_core *s = &r[i].slot->core;
        if (unlikely(s->places > 1 || s->nzcv || s->based)) {
            p = put_many(x, p, &r[i], run->body->last[i], bit, miss);
            bit += values_of(s);
            continue;
        }
        if (!s->places)
            continue;
        uint64_t is = r[i].value[0], *last = &run->body->last[i][0], want = guess(s, word, *last);
        if (s->guess == GUESS_LAST)
            *last = is;
        word[s->word[0]] = is;
        /* Whether it is as expected is hard to foresee: the bytes are put in any case, and count if it is not. */
        uint64_t d = folded(is - want), other = d != 0;
        uint8_t *behind = put_short(p, d);
        p = other ? behind : p;
        miss[bit >> 6] |= other << (bit & 63);
        bit++;
    }
    memcpy(bits, miss, (values + 7) / 8);
    return p;
}

static void put_extra(struct insncode *x, struct buf *b, const struct insn_trace *t, const struct insn_raw *r)
{
    uint64_t *word = x->word[x->hart];
    const struct insn_word *w = t->word + r->value[2];
    const struct insn_piece *q = t->piece + r->page_va;
    unsigned words = 0, before = 0;
    for (unsigned i = 0; i < r->value[0]; i++)
        words += word[w[i].word] != w[i].value;
    buf_put_u8(b, (uint8_t)r->flags[0]);
    put_var(b, words);
    for (unsigned i = 0; i < r->value[0]; i++) {
        if (word[w[i].word] == w[i].value)
            continue;
        put_svar(b, (int64_t)w[i].word - (int64_t)before);
        put_svar(b, (int64_t)(w[i].value - word[w[i].word]));
        word[w[i].word] = w[i].value;
        before = w[i].word;
    }
    put_var(b, r->value[1]);
    for (unsigned i = 0; i < r->value[1]; i++) {
        put_var(b, q[i].va);
        put_var(b, q[i].size);
        buf_put(b, t->bytes + q[i].at, q[i].size);
    }
}

static uint64_t pc_of(const struct insn_raw *r) { return r->page_va + r->slot->offset; }

/* A run of n instructions, which have so many values. extra: the marker behind it, or NULL. */
static void put_run(struct insncode *x, struct buf *b, const struct insn_raw *f, unsigned n, unsigned values,
                    const struct insn_trace *t, const struct insn_raw *extra, uint8_t flags)
{
    uint64_t pc = pc_of(f);
    struct run *run = known(x, pc);
    if (!run || run->serial != f->slot->serial || run->slot != f->slot->offset) {
        run = remember(x, pc);
        run->serial = f->slot->serial;
        run->slot = f->slot->offset;
        flags |= RUN_RESET;
    }
    bool far = !x->before || x->before->next_pc != pc;
    flags |= (uint8_t)((far ? RUN_FAR : 0) | (n != run->count ? RUN_COUNT : 0) | (n > run->known ? RUN_NEW : 0) |
                       (extra ? RUN_EXTRA : 0));
    uint8_t *p = reserve(b, 64 + n * (INFO_MAX + 9 * VALUES));
    *p++ = flags;
    if (flags & RUN_HART)
        *p++ = (uint8_t)x->hart;
    if (far)
        p = var(p, folded(pc - x->end));
    if (flags & RUN_COUNT)
        *p++ = (uint8_t)n;
    for (unsigned i = run->known; i < n; i++)
        p = put_info(p, f[i].slot->info);
    run->known = n > run->known ? (uint8_t)n : run->known;
    run->count = (uint8_t)n;
    if (x->before)
        x->before->next_pc = pc;
    x->before = run;
    x->end = pc_of(&f[n - 1]) + f[n - 1].slot->core.length;
    x->count += n;
    bool trapped = extra && extra->flags[0] == INSN_TRAPPED;
    if (extra) /* how the last one ended is told first */
        *p++ = (uint8_t)trapped;
    p = put_values(x, p, run, f, n - trapped, values - (trapped ? values_of(&f[n - 1].slot->core) : 0));
    b->len = (size_t)(p - b->data);
    if (extra)
        put_extra(x, b, t, extra);
}

static void put_none(struct insncode *x, struct buf *b, const struct insn_trace *t, const struct insn_raw *extra, uint8_t flags)
{
    buf_put_u8(b, flags | RUN_NONE | RUN_EXTRA);
    if (flags & RUN_HART)
        buf_put_u8(b, (uint8_t)x->hart);
    put_extra(x, b, t, extra);
}

static bool marker(const struct insn_raw *r) { return r->slot == &insn_marks_hart || r->slot == &insn_marks_extra; }
static bool belongs(const struct insn_raw *r) { return r->slot == &insn_marks_extra && r->flags[0] <= INSN_TRAPPED; }

/* Whether b comes right behind a, in the same page. */
static bool follows(const struct insn_raw *a, const struct insn_raw *b)
{
    return !marker(b) && a->page_va == b->page_va && a->slot->serial == b->slot->serial &&
           b->slot->offset == a->slot->offset + a->slot->core.length;
}

void put_insns(struct insncode *x, struct buf *b, const struct insn_trace *t, const struct insn_raw *list, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (list[i].slot == &insn_marks_hart) {
            x->hart = (unsigned)list[i++].value[0];
            words_of(x, x->hart);
            continue;
        }
        uint8_t flags = x->hart != x->told_hart ? RUN_HART : 0;
        x->told_hart = x->hart;
        if (list[i].slot == &insn_marks_extra) {
            put_none(x, b, t, &list[i++], flags);
            continue;
        }
        const struct insn_raw *from = &list[i];
        unsigned k = 0, values = 0;
        do {
            __builtin_prefetch(list[i + AHEAD < n ? i + AHEAD : i].slot);
            values += values_of(&list[i].slot->core);
            k++, i++;
        } while (k < RUN_MAX && i < n && follows(&list[i - 1], &list[i]));
        const struct insn_raw *extra = i < n && belongs(&list[i]) ? &list[i++] : NULL;
        put_run(x, b, from, k, values, t, extra, flags);
    }
}

void insncode_begin(struct insncode *x, struct buf *b)
{
    unsigned hart = x->hart;
    forget(x);
    for (unsigned h = 0; h < ENGINE_CPUS; h++) {
        uint64_t *word = x->word[h];
        unsigned words = 0, before = 0;
        for (unsigned i = 0; word && i < x->words; i++)
            words += word[i] != 0;
        if (!word)
            continue;
        buf_put_u8(b, RUN_HART | RUN_NONE | RUN_EXTRA);
        buf_put_u8(b, (uint8_t)h);
        buf_put_u8(b, INSN_STATE | REPEATED);
        put_var(b, words);
        for (unsigned i = 0; i < x->words; i++) {
            if (!word[i])
                continue;
            put_svar(b, (int64_t)i - (int64_t)before);
            put_svar(b, (int64_t)word[i]);
            before = i;
        }
        put_var(b, 0);
        x->told_hart = h;
    }
    x->hart = hart;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------
 */

void insncode_begin_reading(struct insncode *x)
{
    forget(x);
    for (unsigned i = 0; i < ENGINE_CPUS; i++)
        if (x->word[i])
            memset(x->word[i], 0, x->words * sizeof(uint64_t));
}

struct insn_record *insn_record_new(unsigned words)
{
    struct insn_record *r = must(calloc(1, sizeof *r));
    r->reg = must(calloc(words + INSNCODE_REGS, sizeof *r->reg));
    return r;
}

void insn_record_free(struct insn_record *r)
{
    if (r)
        free(r->reg);
    free(r);
}

static uint16_t cur_word(struct insncode *x, struct cursor *c)
{
    uint64_t v = cur_var(c);
    c->bad |= v > x->words || v > INSN_NO_WORD;
    return c->bad ? INSN_NO_WORD : (uint16_t)(v - 1);
}

static void cur_info(struct insncode *x, struct cursor *c, struct insn_info *i)
{
    struct insn_core *s = &i->core;
    *i = (struct insn_info){.core = {.a = INSN_NO_WORD, .b = INSN_NO_WORD, .base = INSN_NO_WORD}, .offset = INSN_NO_WORD};
    i->insn = cur_u32(c);
    uint8_t bits = cur_u8(c);
    s->places = bits & 3;
    s->nzcv = bits >> 2 & 1;
    s->based = bits >> 3 & 1;
    i->stores = bits >> 4 & 3;
    s->length = bits & 64 ? 2 : 4;
    s->narrow = bits >> 7;
    for (unsigned k = 0; k < s->places; k++) {
        uint64_t w = cur_var(c);
        c->bad |= w >= x->words;
        s->word[k] = c->bad ? 0 : (uint16_t)w;
    }
    uint8_t guess = cur_u8(c);
    s->guess = guess & 15;
    s->width = guess >> 4;
    c->bad |= s->guess >= GUESS_KINDS || s->width > GUESS_SEXT32 || (s->based && !s->places) || i->stores == 3;
    if (s->guess != GUESS_LAST)
        s->imm = (int64_t)unfolded(cur_var(c));
    if (s->guess > GUESS_CONST) {
        s->shift = cur_u8(c) & 63;
        s->a = cur_word(x, c);
        s->b = cur_word(x, c);
    }
    if (s->based || i->stores)
        s->base = cur_word(x, c);
    c->bad |= s->based && s->base == INSN_NO_WORD;
    if (s->based)
        s->by = (int32_t)unfolded(cur_var(c));
    if (i->stores) {
        i->size = cur_u8(c);
        uint8_t index = cur_u8(c);
        i->index = index & 3;
        i->scale = index >> 2 & 63;
        i->offset = cur_word(x, c);
        i->disp = (int64_t)unfolded(cur_var(c));
        i->from[0] = cur_word(x, c);
        i->from[1] = i->stores == 2 ? cur_word(x, c) : INSN_NO_WORD;
        c->bad |= i->size > 16 || (i->size == 16 && ((i->from[0] != INSN_NO_WORD && i->from[0] + 1u >= x->words) ||
                                                     (i->from[1] != INSN_NO_WORD && i->from[1] + 1u >= x->words)));
    }
}

static void cur_hart(struct insncode *x, struct cursor *c, uint8_t flags)
{
    if (!(flags & RUN_HART))
        return;
    unsigned h = cur_u8(c);
    c->bad |= h >= ENGINE_CPUS;
    x->hart = c->bad ? 0 : h;
}

/* What stands in front of a run's values. */
static void begin_run(struct insncode *x, struct cursor *c, uint8_t flags)
{
    uint64_t pc = flags & RUN_FAR || !x->before ? x->end + unfolded(cur_var(c)) : x->before->next_pc;
    struct run *run = flags & RUN_RESET ? NULL : known(x, pc);
    c->bad |= !run && !(flags & RUN_RESET);
    if (c->bad)
        return;
    if (!run)
        run = remember(x, pc);
    unsigned n = flags & RUN_COUNT ? cur_u8(c) : run->count;
    c->bad |= !n || n > RUN_MAX || (n > run->known) != ((flags & RUN_NEW) != 0);
    for (unsigned i = run->known; i < n && !c->bad; i++)
        cur_info(x, c, &run->body->info[i]);
    if (c->bad)
        return;
    run->known = n > run->known ? (uint8_t)n : run->known;
    run->count = (uint8_t)n;
    if (x->before)
        x->before->next_pc = pc;
    x->before = x->now = run;
    x->pc = pc;
    x->n = n;
    x->at = x->bit = 0;
    bool trapped = flags & RUN_EXTRA && cur_u8(c);
    x->flags = flags;
    unsigned bits = 0;
    for (unsigned i = 0; i < n - trapped; i++)
        bits += values_of(&run->body->info[i].core);
    x->told[0] = x->told[1] = 0;
    cur_get(c, x->told, (bits + 7) / 8);
    x->end = pc;
    for (unsigned i = 0; i < n; i++)
        x->end += run->body->info[i].core.length;
    words_of(x, x->hart);
    x->trapped = trapped;
}

static uint64_t cur_short(struct cursor *c)
{
    uint64_t v = 0;
    unsigned n = cur_u8(c);
    c->bad |= n > 8;
    if (!c->bad)
        cur_get(c, &v, n);
    return unfolded(v);
}

static void take_store(struct insncode *x, const struct insn_info *s, struct insn_record *out)
{
    const uint64_t *word = x->word[x->hart];
    uint64_t address = insn_address(s, word);
    if (!s->stores)
        return;
    struct insn_store *m = &out->store[out->stores++];
    out->derived = 1;
    *m = (struct insn_store){address, (uint32_t)s->size * s->stores, 0};
    for (unsigned k = 0; k < s->stores; k++) {
        uint64_t v[2] = {0};
        if (s->from[k] != INSN_NO_WORD)
            memcpy(v, word + s->from[k], s->size > 8 ? 16 : 8);
        memcpy(out->bytes + out->used, v, s->size);
        out->used += s->size;
    }
}

static void take_values(struct insncode *x, struct cursor *c, struct insn_record *out)
{
    const struct insn_info *i = &x->now->body->info[x->at];
    const struct insn_core *s = &i->core;
    uint64_t *word = x->word[x->hart], *last = x->now->body->last[x->at], is[VALUES];
    unsigned values = values_of(s);
    take_store(x, i, out);
    for (unsigned k = 0; k < values; k++, x->bit++) {
        is[k] = expected(s, word, last, k);
        if (x->told[x->bit >> 6] >> (x->bit & 63) & 1)
            is[k] += cur_short(c);
    }
    for (unsigned k = 0; k < values; k++) {
        unsigned w = k < s->places ? s->word[k] : x->nzcv;
        word[w] = last[k] = is[k];
        out->reg[out->regs++] = (struct insn_word){(uint16_t)w, is[k]};
    }
}

static void take_extra(struct insncode *x, struct cursor *c, struct insn_record *out)
{
    uint64_t *word = words_of(x, x->hart);
    unsigned kind = cur_u8(c), before = 0;
    out->repeated = kind >> 7;
    kind &= 127;
    c->bad |= kind > INSN_STATE;
    out->kind = c->bad ? INSN_STATE : (enum insn_extra_kind)kind;
    uint64_t words = cur_var(c);
    c->bad |= words > x->words;
    for (uint64_t i = 0; i < words && !c->bad; i++) {
        uint64_t w = before + (uint64_t)cur_svar(c), d = (uint64_t)cur_svar(c);
        c->bad |= w >= x->words;
        if (c->bad)
            return;
        before = (unsigned)w;
        word[w] += d;
        out->reg[out->regs++] = (struct insn_word){(uint16_t)w, word[w]};
    }
    uint64_t pieces = cur_var(c);
    for (uint64_t i = 0; i < pieces && !c->bad; i++) {
        uint64_t va = cur_var(c), size = cur_var(c);
        c->bad |= out->stores >= INSNCODE_STORES || size > INSNCODE_BYTES - out->used;
        if (c->bad)
            return;
        out->store[out->stores++] = (struct insn_store){va, (uint32_t)size, out->used};
        cur_get(c, out->bytes + out->used, (size_t)size);
        out->used += (uint32_t)size;
    }
}

bool cur_insn(struct insncode *x, struct cursor *c, struct insn_record *out)
{
    out->regs = out->stores = out->used = out->derived = 0;
    out->repeated = false;
    if (x->at == x->n) {
        if (!c->left || c->bad)
            return false;
        uint8_t flags = cur_u8(c);
        cur_hart(x, c, flags);
        out->hart = (uint8_t)x->hart;
        if (flags & RUN_NONE) {
            out->pc = 0;
            out->insn = 0;
            out->length = 0;
            take_extra(x, c, out);
            c->bad |= out->kind < INSN_INTERRUPT;
            return !c->bad;
        }
        c->bad |= flags >> 7;
        if (!c->bad)
            begin_run(x, c, flags);
        if (c->bad)
            return false;
    }
    const struct insn_info *s = &x->now->body->info[x->at];
    bool last = x->at + 1 == x->n;
    out->kind = last && x->trapped ? INSN_TRAPPED : INSN_DID;
    out->pc = x->pc;
    out->insn = s->insn;
    out->length = s->core.length;
    out->hart = (uint8_t)x->hart;
    if (out->kind == INSN_DID)
        take_values(x, c, out);
    x->at++;
    x->pc += s->core.length;
    x->count++;
    if (last && (x->flags & RUN_EXTRA)) {
        enum insn_extra_kind kind = out->kind;
        take_extra(x, c, out);
        c->bad |= out->kind != kind;
    }
    return !c->bad;
}
