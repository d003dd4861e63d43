/* Cases as bytes; the files of shards, and how they are joined. */
#include "base/hash.h"
#include "debug/sweep_result.h"
#include "machine/image.h"
#include "machine/output.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC     "TLSWEEP\n"
#define MAGIC_LEN 8
#define VERSION   2u
#define NAMES_MAX 100000u
#define TEXT_MAX  65536

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- cases ---------------------------------------------------------------------------------------------------------------- */

static void put_detail(struct buf *b, const struct sweep_detail *d)
{
    buf_put_str(b, d->where);
    buf_put_str(b, d->mode);
    buf_put_str(b, d->taken_where);
    buf_put_str(b, d->taken_mode);
    buf_put_str(b, d->text);
    buf_put_u32(b, d->stack.words);
    buf_put_u8(b, d->stack.all);
    buf_put_str(b, d->stack.name);
    buf_put_u64(b, d->stack.sp);
    buf_put_u64(b, d->stack.start);
    buf_put_u64(b, d->stack.end);
    buf_put_u32(b, d->diffs);
    for (uint32_t i = 0; i < d->diffs; i++) {
        buf_put_str(b, d->diff[i].name);
        buf_put_u64(b, d->diff[i].from);
        buf_put_u64(b, d->diff[i].to);
    }
}

void sweep_case_put(struct buf *b, const struct sweep_case *c)
{
    const uint32_t small[] = {c->event,      c->variant,   c->boundary,  c->nested,      c->same,
                              c->nest_cases, c->nest_pass, c->nest_same, c->nest_handled};
    const uint64_t large[] = {c->pc, c->taken_pc, c->taken_cycle, c->taken_key, c->cycles};
    for (unsigned i = 0; i < sizeof small / sizeof *small; i++)
        buf_put_u32(b, small[i]);
    for (unsigned i = 0; i < sizeof large / sizeof *large; i++)
        buf_put_u64(b, large[i]);
    buf_put_u8(b, c->verdict);
    buf_put_u8(b, c->handled);
    buf_put_u8(b, c->detail != NULL);
    if (c->detail)
        put_detail(b, c->detail);
}

static bool get_detail(struct cursor *c, struct sweep_detail *d)
{
    cur_str(c, d->where, sizeof d->where);
    cur_str(c, d->mode, sizeof d->mode);
    cur_str(c, d->taken_where, sizeof d->taken_where);
    cur_str(c, d->taken_mode, sizeof d->taken_mode);
    cur_str(c, d->text, sizeof d->text);
    d->stack.words = cur_u32(c);
    d->stack.all = cur_u8(c) != 0;
    cur_str(c, d->stack.name, sizeof d->stack.name);
    d->stack.sp = cur_u64(c);
    d->stack.start = cur_u64(c);
    d->stack.end = cur_u64(c);
    d->diffs = cur_u32(c);
    if (c->bad || d->diffs > SWEEP_DIFFS)
        return false;
    for (uint32_t i = 0; i < d->diffs; i++) {
        cur_str(c, d->diff[i].name, sizeof d->diff[i].name);
        d->diff[i].from = cur_u64(c);
        d->diff[i].to = cur_u64(c);
    }
    return !c->bad;
}

bool sweep_case_get(struct cursor *c, struct sweep_case *out)
{
    *out = (struct sweep_case){0};
    uint32_t *const small[] = {&out->event,      &out->variant,   &out->boundary,  &out->nested,      &out->same,
                               &out->nest_cases, &out->nest_pass, &out->nest_same, &out->nest_handled};
    uint64_t *const large[] = {&out->pc, &out->taken_pc, &out->taken_cycle, &out->taken_key, &out->cycles};
    for (unsigned i = 0; i < sizeof small / sizeof *small; i++)
        *small[i] = cur_u32(c);
    for (unsigned i = 0; i < sizeof large / sizeof *large; i++)
        *large[i] = cur_u64(c);
    out->verdict = cur_u8(c);
    out->handled = cur_u8(c);
    uint8_t has_detail = cur_u8(c);
    if (c->bad || out->verdict >= SWEEP_VERDICTS || out->handled > 1 || has_detail > 1)
        return false;
    if (has_detail) {
        out->detail = must(calloc(1, sizeof *out->detail));
        if (!get_detail(c, out->detail)) {
            free(out->detail);
            out->detail = NULL;
            return false;
        }
    }
    return true;
}

/* ---- parts ---------------------------------------------------------------------------------------------------------------- */

bool sweep_part_save(const struct sweep_result *r, const char *path, struct err *e)
{
    struct buf b = {0};
    buf_put(&b, MAGIC, MAGIC_LEN);
    buf_put_u32(&b, VERSION);
    buf_put_u32(&b, r->shard);
    buf_put_u32(&b, r->shards);
    for (unsigned i = 0; i < r->pairs; i++) {
        buf_put_str(&b, r->pair[i].key);
        buf_put_str(&b, r->pair[i].value);
    }
    buf_put_str(&b, "");
    buf_put_u32(&b, r->events);
    for (unsigned i = 0; i < r->events; i++) {
        buf_put_str(&b, r->event[i].name);
        buf_put_str(&b, r->event[i].option);
    }
    buf_put_u32(&b, r->variants);
    for (unsigned i = 0; i < r->variants; i++) {
        buf_put_str(&b, r->variant[i].name);
        buf_put_str(&b, r->variant[i].option);
        buf_put_u32(&b, r->variant[i].window.boundaries);
        buf_put_u64(&b, r->variant[i].window.first_cycle);
        buf_put_u64(&b, r->variant[i].window.last_cycle);
    }
    buf_put_u64(&b, r->count);
    for (size_t i = 0; i < r->count; i++)
        sweep_case_put(&b, &r->cases[i]);
    buf_put_u64(&b, hash_bytes(b.data, b.len));
    struct output *o = output_open(path, e);
    if (o)
        output_put(o, b.data, b.len);
    buf_free(&b);
    return o && output_close(o, e);
}

/* Two strings. */
static void parse_two(struct cursor *c, char *text)
{
    cur_str(c, text, TEXT_MAX);
    cur_str(c, text + TEXT_MAX, TEXT_MAX);
}

/* text has room for two strings. */
static bool parse_head(struct sweep_result *r, struct cursor *c, char *text)
{
    r->shard = cur_u32(c);
    r->shards = cur_u32(c);
    while (!c->bad && cur_str(c, text, TEXT_MAX) && r->pairs < SWEEP_PAIRS) {
        cur_str(c, text + TEXT_MAX, TEXT_MAX);
        sweep_result_pair(r, text, text + TEXT_MAX);
    }
    uint32_t events = cur_u32(c);
    for (uint32_t i = 0; !c->bad && i < events && i < NAMES_MAX; i++) {
        parse_two(c, text);
        sweep_result_event(r, text, text + TEXT_MAX);
    }
    uint32_t variants = cur_u32(c);
    for (uint32_t i = 0; !c->bad && i < variants && i < NAMES_MAX; i++) {
        parse_two(c, text);
        struct sweep_window w = {.boundaries = cur_u32(c)};
        w.first_cycle = cur_u64(c);
        w.last_cycle = cur_u64(c);
        sweep_result_variant(r, text, text + TEXT_MAX, w);
    }
    return !c->bad && events && variants && events <= NAMES_MAX && variants <= NAMES_MAX && r->shard >= 1 &&
           r->shard <= r->shards && r->shards <= SWEEP_SHARDS;
}

static bool parse_cases(struct sweep_result *r, struct cursor *c)
{
    struct sweep_case k;
    for (uint64_t left = cur_u64(c); left && !c->bad; left--) {
        if (!sweep_case_get(c, &k))
            return false;
        bool fits = k.event < r->events && k.variant < r->variants && k.boundary < r->variant[k.variant].window.boundaries;
        if (fits)
            sweep_result_add(r, &k);
        free(k.detail);
        if (!fits)
            return false;
    }
    return !c->bad && !c->left;
}

bool sweep_part_parse(struct sweep_result *r, const char *name, const uint8_t *p, size_t n, struct err *e)
{
    struct cursor c = {.p = p, .left = n};
    uint64_t sum;
    *r = (struct sweep_result){0};
    if (n < MAGIC_LEN || memcmp(p, MAGIC, MAGIC_LEN))
        return err_set(e, "%s: it is no part of a sweep", name);
    if (n < MAGIC_LEN + 4 + sizeof sum)
        return err_set(e, "%s: it is cut short", name);
    memcpy(&sum, p + n - sizeof sum, sizeof sum);
    if (sum != hash_bytes(p, n - sizeof sum))
        return err_set(e, "%s: it is damaged or cut short: its checksum is wrong", name);
    c.p += MAGIC_LEN;
    c.left -= MAGIC_LEN + sizeof sum;
    uint32_t version = cur_u32(&c);
    if (version != VERSION)
        return err_set(e, "%s: it is a part of version %u, this program reads version %u", name, version, VERSION);
    char *text = must(malloc(2 * TEXT_MAX));
    bool ok = parse_head(r, &c, text) && parse_cases(r, &c);
    free(text);
    if (ok)
        return true;
    sweep_result_free(r);
    return err_set(e, "%s: its contents are not those of a part of a sweep", name);
}

bool sweep_part_load(struct sweep_result *r, const char *path, struct err *e)
{
    struct buf b;
    *r = (struct sweep_result){0};
    if (!image_read_file(path, &b, e))
        return false;
    bool ok = sweep_part_parse(r, path, b.data, b.len, e);
    buf_free(&b);
    return ok;
}

/* ---- joining -------------------------------------------------------------------------------------------------------------- */

/* The command may be another: files have other names elsewhere. */
static bool of_one_sweep(const struct sweep_result *a, const struct sweep_result *b, const char *pa, const char *pb,
                         struct err *e)
{
    for (unsigned i = 0; i < a->pairs; i++) {
        const char *other = sweep_result_get(b, a->pair[i].key);
        if (strcmp(a->pair[i].key, "command") && (!other || strcmp(other, a->pair[i].value)))
            return err_set(e, "%s is of another sweep than %s: %s is '%s' there and '%s' here", pb, pa, a->pair[i].key,
                           other ? other : "", a->pair[i].value);
    }
    bool same = a->pairs == b->pairs && a->events == b->events && a->variants == b->variants;
    for (unsigned i = 0; same && i < a->variants; i++)
        same = a->variant[i].window.boundaries == b->variant[i].window.boundaries;
    return same || err_set(e, "%s is of another sweep than %s", pb, pa);
}

/* Takes over the cases of a part. */
static void absorb(struct sweep_result *r, struct sweep_result *part)
{
    for (size_t i = 0; i < part->count; i++)
        sweep_result_add(r, &part->cases[i]);
    sweep_result_free(part);
}

static bool merge_one(struct sweep_result *r, const char *const *from, const char *path, struct sweep_result *part, struct err *e)
{
    const char *first = from[r->shard];
    if (!of_one_sweep(r, part, first, path, e))
        return false;
    if (part->shards != r->shards)
        return err_set(e, "%s is shard %u of %u, %s is of %u", path, part->shard, part->shards, first, r->shards);
    if (from[part->shard])
        return err_set(e, "%s and %s are both shard %u of %u", from[part->shard], path, part->shard, part->shards);
    return true;
}

bool sweep_merge(struct sweep_result *r, const char *const *path, unsigned paths, struct err *e)
{
    struct sweep_result part;
    if (!sweep_part_load(r, path[0], e))
        return false;
    const char **from = must(calloc((size_t)r->shards + 1, sizeof *from));
    from[r->shard] = path[0];
    bool ok = true;
    for (unsigned i = 1; ok && i < paths; i++) {
        ok = sweep_part_load(&part, path[i], e);
        if (!ok)
            break;
        ok = merge_one(r, from, path[i], &part, e);
        if (ok)
            from[part.shard] = path[i];
        absorb(r, &part);
    }
    for (uint32_t i = 1; ok && i <= r->shards; i++)
        if (!from[i])
            ok = err_set(e, "shard %u of %u is missing", i, r->shards);
    free(from);
    return ok && sweep_result_finish(r, e);
}
