/*
 * A run that is executed again makes the gist of what it executes (cpu/gist.h), as the recorded one did. While the events of the
 * two are equal so are the instructions, since those follow from them; nothing else is looked at then. From the first event that
 * differs on both are followed, instruction by instruction. Only the order in which encodings are told is not looked at: it
 * depends on where a run was cut. Traces of version 2 have no gist: of those every instruction is compared.
 */
#include "debug/replay_insns.h"
#include "base/hash.h"
#include "base/table.h"
#include "cpu/gist.h"
#include "debug/gistread.h"
#include "debug/insncode.h"
#include "debug/symbols.h"
#include "machine/pieces.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_KEPT ((size_t)1 << 22) /* 16 GiB */
#define BEFORE     4u                /* instructions that are told before the one that differs */

/* Frames of one kind, as if they were one. */
struct frames {
    const struct replay *r;
    enum tracefile_kind kind;
    size_t next;
    struct buf bytes;
    size_t at;      /* in bytes: what is taken already */
    uint64_t taken; /* of all frames */
};

/* What was told of encodings. */
struct encodings {
    struct table told; /* the bits plus 1: a digest of the last one */
    struct buf events;
};

struct insn_check {
    const struct replay *r;
    struct machine *m;
    bool is_gist, follows, differs, over;
    unsigned words;
    uint64_t count; /* instructions followed */
    struct frames recorded;
    struct cursor c; /* in the frame that is being followed */
    struct gist_reader *its, *own;
    struct encodings known[2];          /* by the trace; by what is executed */
    struct insncode *code, *put, *take; /* version 2: of the trace; of what is executed, there and back */
    struct buf put_bytes, text;
    struct insn_record *record, *here, *before[BEFORE];
};

/* ---- frames --------------------------------------------------------------------------------------------------------------- */

/* Some bytes are there that were not taken. False: there are no more. */
static bool more(struct frames *f)
{
    while (f->at == f->bytes.len) {
        const struct tracefile *t = &f->r->file;
        while (f->next < t->frames && t->frame[f->next].kind != f->kind)
            f->next++;
        f->bytes.len = f->at = 0;
        if (f->next == t->frames || !tracefile_read(t, f->next++, &f->bytes, NULL))
            return false;
    }
    return true;
}

static void took(struct frames *f, size_t n)
{
    f->at += n;
    f->taken += n;
}

/* ---- the recorded instructions ----------------------------------------------------------------------------------------------
 */

/* The recorded one to come; false: there are no more before byte `until` of the frames. What only repeats what is known is left
   out. */
static bool next_recorded(struct insn_check *x, uint64_t until)
{
    struct frames *f = &x->recorded;
    for (;;) {
        size_t before = x->c.left;
        bool told = x->is_gist ? gist_next(x->its, &x->c, x->record) : cur_insn(x->code, &x->c, x->record);
        took(f, before - x->c.left);
        if (told && !x->record->repeated)
            return true;
        if (told)
            continue;
        if (x->c.bad || f->taken >= until || !more(f))
            return false;
        uint64_t left = f->bytes.len - f->at;
        left = left < until - f->taken ? left : until - f->taken;
        x->c = (struct cursor){.p = f->bytes.data + f->at, .left = (size_t)left};
        if (!x->is_gist)
            insncode_begin_reading(x->code);
    }
}

static bool equal(const struct insn_record *a, const struct insn_record *b)
{
    if (a->pc != b->pc || a->insn != b->insn || a->hart != b->hart || a->kind != b->kind || a->regs != b->regs ||
        a->stores != b->stores || a->used != b->used)
        return false;
    for (uint32_t i = 0; i < a->regs; i++)
        if (a->reg[i].word != b->reg[i].word || a->reg[i].value != b->reg[i].value)
            return false;
    for (uint32_t i = 0; i < a->stores; i++)
        if (a->store[i].address != b->store[i].address || a->store[i].size != b->store[i].size)
            return false;
    return !memcmp(a->bytes, b->bytes, a->used);
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

static void tell(struct insn_check *x, const char *label, const struct insn_record *r)
{
    static const char *const none[] = {[INSN_INTERRUPT] = "interrupt", [INSN_STATE] = "state", [INSN_MEMORY] = "memory"};
    char at[96];
    symbols_text(x->m, r->pc, at, sizeof at);
    if (r->kind >= INSN_INTERRUPT)
        buf_printf(&x->text, "  %s hart %u: %s", label, r->hart, none[r->kind]);
    else
        buf_printf(&x->text, "  %s hart %u %s: %0*" PRIx32, label, r->hart, at, r->length * 2, r->insn);
    for (uint32_t i = 0; i < r->regs && i < 8; i++) {
        char name[48];
        trace_setup_register(&x->r->setup, r->reg[i].word, name, sizeof name);
        buf_printf(&x->text, " %s=0x%" PRIx64, name, r->reg[i].value);
    }
    for (uint32_t i = 0; i < r->stores && i < 8; i++) {
        uint64_t v = 0;
        uint32_t n = r->store[i].size;
        memcpy(&v, r->bytes + r->store[i].at, n < 8 ? n : 8);
        buf_printf(&x->text, " [0x%" PRIx64 "]%u=0x%" PRIx64 "%s", r->store[i].address, n, v, n > 8 ? "..." : "");
    }
    buf_printf(&x->text, "%s%s\n", r->regs > 8 ? " ..." : "", r->kind == INSN_TRAPPED ? " (took an exception)" : "");
}

static void differ(struct insn_check *x, bool there)
{
    x->differs = true;
    buf_printf(&x->text, "instruction %" PRIu64 " is the first one that differs:\n", x->count);
    for (uint64_t k = x->count > BEFORE ? x->count - BEFORE : 0; k < x->count; k++)
        tell(x, "before  ", x->before[k % BEFORE]);
    if (there)
        tell(x, "recorded", x->record);
    else
        buf_printf(&x->text, "  recorded cannot be followed: what the trace tells does not fit together\n");
    tell(x, "here    ", x->here);
    x->m->stop = 1; /* soon: nothing that comes can be equal */
}

/* ---- comparing ----------------------------------------------------------------------------------------------------- */

/* Counts *r, and keeps it; another one takes its place. */
static void keep(struct insn_check *x, struct insn_record **r)
{
    struct insn_record **oldest = &x->before[x->count++ % BEFORE], *kept = *r;
    *r = *oldest;
    *oldest = kept;
}

/* What is executed is in *here. False: nothing more is to be compared. */
static bool compare(struct insn_check *x)
{
    bool there = next_recorded(x, UINT64_MAX);
    x->over = !there; /* the trace tells of no more: it is torn, or the run is longer, which its end says */
    if (!there && x->c.bad)
        differ(x, false);
    else if (there && !equal(x->record, x->here))
        differ(x, true);
    if (!there || x->differs)
        return false;
    keep(x, &x->here);
    return true;
}

/* An insn_full_fn: version 2. */
static void on_insns(void *ctx, const struct insn_trace *t, const struct insn_raw *list, size_t n)
{
    struct insn_check *x = ctx;
    if (x->differs || x->over)
        return;
    x->put_bytes.len = 0;
    put_insns(x->put, &x->put_bytes, t, list, n);
    struct cursor c = {.p = x->put_bytes.data, .left = x->put_bytes.len};
    while (cur_insn(x->take, &c, x->here) && compare(x))
        ;
}

/* ---- comparing gists ----------------------------------------------------------------------------------------------- */

/* Takes the event of an encoding at p. False: the other side was told something else of the same bits, or it is none. */
static bool encoding(struct insn_check *x, unsigned side, const uint8_t *p, size_t n, size_t *size)
{
    struct encodings *s = &x->known[side], *other = &x->known[!side];
    struct cursor c = {.p = p + 2, .left = n - 2};
    uint64_t key = gist_encoding(&c, x->words) + UINT64_C(1);
    *size = n - c.left;
    uint64_t told = hash_bytes(p, *size);
    const uint64_t *there = table_find(&other->told, key);
    *table_add(&s->told, key) = told;
    buf_put(&s->events, p, *size);
    return !c.bad && (!there || *there == told);
}

/* Of an event: no instructions before it, and its kind. */
static bool is_encoding(const uint8_t *p, size_t n) { return n > 2 && !p[0] && p[1] == GIST_INFO; }

/* Whether the recorded event to come, but for encodings, is the one at p, and takes it. */
static bool same_event(struct insn_check *x, const uint8_t *p, size_t n)
{
    struct frames *f = &x->recorded;
    while (more(f)) {
        const uint8_t *q = f->bytes.data + f->at;
        size_t left = f->bytes.len - f->at, size;
        if (!is_encoding(q, left)) {
            bool same = left >= n && !memcmp(q, p, n);
            took(f, same ? n : 0);
            return same;
        }
        if (!encoding(x, 0, q, left, &size))
            return false;
        took(f, size);
    }
    x->over = true;
    return false;
}

/* How many of the n bytes tell what is recorded. */
static size_t same_events(struct insn_check *x, const uint8_t *bytes, size_t n)
{
    size_t starts, size, done = 0;
    const uint32_t *start = gist_starts(&x->m->engine, &starts);
    for (size_t i = 0; i < starts; i++, done += size) {
        size = (i + 1 < starts ? start[i + 1] : n) - start[i];
        const uint8_t *p = bytes + start[i];
        if (!(is_encoding(p, size) ? encoding(x, 1, p, size, &size) : same_event(x, p, size)))
            break;
    }
    return done;
}

/* Both are followed from here on: up to here they are the same. */
static void begin_following(struct insn_check *x)
{
    const uint64_t until = x->recorded.taken;
    struct buf *known = &x->known[1].events;
    struct cursor c = {.p = known->data, .left = known->len};
    buf_free(&x->recorded.bytes);
    x->recorded = (struct frames){.r = x->r, .kind = TRACE_GIST};
    x->follows = true;
    while (next_recorded(x, until))
        keep(x, &x->record);
    x->own = gist_reader_copy(x->its);
    gist_next(x->own, &c, x->here); /* encodings are nothing to be told */
    if (x->c.bad || c.bad)
        differ(x, false);
}

/* A gist_fn. */
static void on_gist(void *ctx, const uint8_t *bytes, size_t n)
{
    struct insn_check *x = ctx;
    size_t same = 0;
    if (x->differs || x->over)
        return;
    if (!x->follows) {
        same = same_events(x, bytes, n);
        if (same < n && !x->over)
            begin_following(x);
    }
    struct cursor c = {.p = bytes + same, .left = n - same};
    while (x->follows && !x->differs && gist_next(x->own, &c, x->here) && (x->here->repeated || compare(x)))
        ;
}

/* ---- the interface ----------------------------------------------------------------------------------------------------------
 */

static bool has_gist(const struct tracefile *t)
{
    for (size_t i = 0; i < t->frames; i++)
        if (t->frame[i].kind == TRACE_INSNS)
            return false;
    return true;
}

struct insn_check *insn_check_begin(const struct replay *r, struct machine *m)
{
    const struct insn_layout *l = m->arch->insns;
    const unsigned words = INSN_WORDS(l);
    struct insn_check *x = calloc(1, sizeof *x);
    if (!x)
        abort(); /* out of host memory: nothing sensible can go on */
    x->r = r;
    x->m = m;
    x->words = words;
    x->is_gist = has_gist(&r->file);
    x->recorded = (struct frames){.r = r, .kind = x->is_gist ? TRACE_GIST : TRACE_INSNS};
    x->record = insn_record_new(words);
    x->here = insn_record_new(words);
    for (unsigned i = 0; i < BEFORE; i++)
        x->before[i] = insn_record_new(words);
    if (x->is_gist) {
        x->its = gist_reader_new(words, PAGES_KEPT);
        engine_gist(&m->engine, l, on_gist, x);
    } else {
        x->code = insncode_new(l, words);
        x->put = insncode_new(l, words);
        x->take = insncode_new(l, words);
        engine_insns(&m->engine, l, on_insns, x);
    }
    return x;
}

bool insn_check_differs(const struct insn_check *x) { return x->differs; }

void insn_check_end(struct insn_check *x) { engine_insns(&x->m->engine, NULL, NULL, NULL); }

void insn_check_free(struct insn_check *x, struct buf *text)
{
    if (text)
        buf_put(text, x->text.data, x->text.len);
    gist_reader_free(x->its);
    gist_reader_free(x->own);
    insncode_free(x->code);
    insncode_free(x->put);
    insncode_free(x->take);
    insn_record_free(x->record);
    insn_record_free(x->here);
    for (unsigned i = 0; i < BEFORE; i++)
        insn_record_free(x->before[i]);
    for (unsigned i = 0; i < 2; i++) {
        table_free(&x->known[i].told);
        buf_free(&x->known[i].events);
    }
    buf_free(&x->recorded.bytes);
    buf_free(&x->put_bytes);
    buf_free(&x->text);
    free(x);
}
