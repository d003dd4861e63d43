/*
 * Snapshots: the complete state in a file.
 *
 *   8 bytes magic, u32 version, one zstd frame, u64 XXH3 of everything before it
 *
 * The frame holds the configuration as pairs of strings; each piece of state (pieces.h) by name, so that a file from another
 * version of the program is recognised; the disk pages and the pages of RAM and of tags that are not zero. Integers are
 * little-endian; strings have a u32 length in front; an empty string ends a list and a page address of all ones ends a list of
 * pages.
 *
 * A file is loaded into a fork, and only when all of it was found good the machine becomes equal to the fork.
 */
#include "machine/machine.h"
#include "machine/output.h"
#include "machine/pieces.h"
#include "base/buf.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define MAGIC     "TLSNAP\r\n"
#define VERSION   1u
#define MAGIC_LEN 8
#define HEADER    (MAGIC_LEN + 4)
#define TRAILER   8
#define LEVEL     1 /* zstd: fast */
#define PAGES_END UINT64_MAX

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pieces are saved as they lie in memory");

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- the configuration a snapshot belongs to
 * ---------------------------------------------------------------------------------------- */

typedef bool pair_fn(void *ctx, const char *key, const char *value);

static bool number(pair_fn *fn, void *ctx, const char *key, uint64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, v);
    return fn(ctx, key, text);
}

#define CHOICES " with choices " /* in the value of "cpu", before their digest */

/* Calls fn for each pair until it returns false. */
static bool config_pairs(const struct machine *m, pair_fn *fn, void *ctx)
{
    const struct setup *s = m->setup;
    char text[128];
    if (!fn(ctx, "board", s->board->name) || !number(fn, ctx, "harts", s->harts) || !number(fn, ctx, "ram", s->ram) ||
        !number(fn, ctx, "quantum", s->quantum) || !number(fn, ctx, "clock_hz", s->clock_hz) ||
        !number(fn, ctx, "seed", s->seed) || !number(fn, ctx, "rtc_epoch", s->rtc_epoch) ||
        !number(fn, ctx, "semihosting", s->semihosting))
        return false;
    snprintf(text, sizeof text, "%s" CHOICES "%016" PRIx64, s->kind->name, s->kind->digest);
    if (!fn(ctx, "cpu", text))
        return false;
    snprintf(text, sizeof text, "%016" PRIx64, s->loader.digest);
    if (!fn(ctx, "images", text))
        return false;
    for (unsigned i = 0; i < s->devices; i++) {
        const struct device_spec *d = &s->device[i];
        snprintf(text, sizeof text, "%s at 0x%" PRIx64 ", size %" PRIu64, d->ops->name, d->base,
                 d->disk < 0 ? 0 : disk_size(m->disk[d->disk]));
        if (!fn(ctx, d->id, text))
            return false;
    }
    return true;
}

/* ---- saving
 * ------------------------------------------------------------------------------------------------------------------------- */

struct saver {
    struct output *out;
    struct hash *hash;
    ZSTD_CCtx *z;
    uint8_t *buf;
    size_t cap;
};

static void emit(struct saver *s, const void *p, size_t n)
{
    hash_add(s->hash, p, n);
    output_put(s->out, p, n);
}

static void compress(struct saver *s, const void *p, size_t n, ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = {p, n, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {s->buf, s->cap, 0};
        left = ZSTD_compressStream2(s->z, &out, &in, how);
        if (ZSTD_isError(left))
            abort(); /* only out of memory is left */
        emit(s, s->buf, out.pos);
    } while (in.pos < in.size || (how == ZSTD_e_end && left));
}

static void put(struct saver *s, const void *p, size_t n) { compress(s, p, n, ZSTD_e_continue); }

static void put_u64(struct saver *s, uint64_t v) { put(s, &v, sizeof v); }

static void put_str(struct saver *s, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);
    put(s, &n, sizeof n);
    put(s, text, n);
}

static bool save_pair(void *ctx, const char *key, const char *value)
{
    put_str(ctx, key);
    put_str(ctx, value);
    return true;
}

static void save_piece(void *ctx, const char *name, void *p, size_t n)
{
    put_str(ctx, name);
    put_u64(ctx, n);
    put(ctx, p, n);
}

static void save_page(void *ctx, uint64_t at, const uint8_t *page)
{
    put_u64(ctx, at);
    put(ctx, page, MEM_PAGE_SIZE);
}

bool machine_save(struct machine *m, const char *path, struct err *e)
{
    struct saver s = {.out = output_open(path, e)};
    if (!s.out)
        return false;
    s.hash = hash_new();
    s.z = must(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(s.z, ZSTD_c_compressionLevel, LEVEL);
    s.cap = ZSTD_CStreamOutSize();
    s.buf = must(malloc(s.cap));
    const uint32_t version = VERSION;
    emit(&s, MAGIC, MAGIC_LEN);
    emit(&s, &version, sizeof version);
    config_pairs(m, save_pair, &s);
    put_str(&s, "");
    machine_pieces(m, save_piece, &s);
    put_str(&s, "");
    for (unsigned i = 0; i < m->setup->disks; i++) {
        disk_visit(m->disk[i], save_page, &s);
        put_u64(&s, PAGES_END);
    }
    mem_visit(m->mem, save_page, &s);
    put_u64(&s, PAGES_END);
    compress(&s, NULL, 0, ZSTD_e_end);
    uint64_t sum = hash_end(s.hash);
    output_put(s.out, &sum, sizeof sum);
    ZSTD_freeCCtx(s.z);
    free(s.buf);
    return output_close(s.out, e);
}

/* ---- loading
 * ------------------------------------------------------------------------------------------------------------------------ */

struct reader {
    const char *path;
    struct err *e;
    ZSTD_DCtx *z;
    ZSTD_inBuffer in;
    bool failed;       /* a sentence was written */
    struct machine *m; /* the fork that is filled */
    struct piece_read {
        char name[PIECE_NAME_MAX];
        size_t n;
        uint8_t *p;
    } * piece;
    size_t pieces, used;
};

static bool fail(struct reader *r, const char *reason)
{
    if (!r->failed)
        err_set(r->e, "%s: %s", r->path, reason);
    r->failed = true;
    return false;
}

/* The checksum was right, so this comes from another version of the program. */
static bool strange(struct reader *r) { return fail(r, "its contents are not those of a snapshot of this version"); }

static bool get(struct reader *r, void *p, size_t n)
{
    ZSTD_outBuffer out = {p, n, 0};
    while (out.pos < n) {
        size_t before = r->in.pos, had = out.pos;
        size_t left = ZSTD_decompressStream(r->z, &out, &r->in);
        if (ZSTD_isError(left) || (out.pos == had && r->in.pos == before))
            return strange(r);
    }
    return true;
}

static bool get_str(struct reader *r, char *out, size_t cap)
{
    uint32_t n;
    if (!get(r, &n, sizeof n) || n >= cap)
        return strange(r);
    out[n] = 0;
    return get(r, out, n);
}

/* What is not as in the file, and the option that has to be. Of the cpu's choices and of the images only digests are kept. */
static void tell_other(struct reader *r, const char *key, const char *its, const char *value)
{
    const char *at = strstr(its, CHOICES), *here = strstr(value, CHOICES);
    if (!strcmp(key, "images"))
        err_set(r->e, "%s: it is of another machine: its images are not these; give the files it was saved with", r->path);
    else if (strcmp(key, "cpu") || !at || !here)
        err_set(r->e, "%s: it is of another machine: %s is '%s' there and '%s' here", r->path, key, its, value);
    else if (at - its == here - value && !strncmp(its, value, (size_t)(at - its)))
        err_set(r->e,
                "%s: it is of another machine: its cpu is '%.*s', too, but not with the same extensions or choices; give the "
                "-cpu and -machine it was saved with",
                r->path, (int)(at - its), its);
    else
        err_set(r->e, "%s: it is of another machine: its cpu is '%.*s', and '%.*s' here; give the -cpu it was saved with",
                r->path, (int)(at - its), its, (int)(here - value), value);
}

static bool check_pair(void *ctx, const char *key, const char *value)
{
    struct reader *r = ctx;
    char its_key[64], its[256];
    if (!get_str(r, its_key, sizeof its_key) || (*its_key && !get_str(r, its, sizeof its)))
        return false;
    if (strcmp(its_key, key)) {
        if (!r->failed)
            err_set(r->e, "%s: it is of another machine: this one has '%s' where that one has '%s'", r->path, key, its_key);
        r->failed = true;
    } else if (strcmp(its, value)) {
        tell_other(r, key, its, value);
        r->failed = true;
    }
    return !r->failed;
}

static bool read_pieces(struct reader *r)
{
    size_t cap = 0;
    for (;;) {
        char name[PIECE_NAME_MAX];
        uint64_t n;
        if (!get_str(r, name, sizeof name))
            return false;
        if (!*name)
            return true;
        if (!get(r, &n, sizeof n) || n > ((size_t)16 << 20))
            return strange(r);
        if (r->pieces == cap) {
            cap = cap ? 2 * cap : 256;
            r->piece = must(realloc(r->piece, cap * sizeof *r->piece));
        }
        struct piece_read *k = &r->piece[r->pieces++];
        memcpy(k->name, name, sizeof name);
        k->n = (size_t)n;
        k->p = must(malloc(k->n + 1));
        if (!get(r, k->p, k->n))
            return false;
    }
}

/* Pieces come in the order they were saved in, so the next one is nearly always the right one. */
static void apply_piece(void *ctx, const char *name, void *p, size_t n)
{
    struct reader *r = ctx;
    for (size_t i = 0; i < r->pieces; i++) {
        struct piece_read *k = &r->piece[(r->used + i) % r->pieces];
        if (strcmp(k->name, name))
            continue;
        if (k->n == n) {
            memcpy(p, k->p, n);
            r->used++;
        }
        return;
    }
}

static void count_piece(void *ctx, const char *name, void *p, size_t n)
{
    (void)name;
    (void)p;
    (void)n;
    ++*(size_t *)ctx;
}

static bool apply_pieces(struct reader *r)
{
    size_t count = 0;
    struct err why;
    machine_pieces(r->m, count_piece, &count);
    if (r->pieces != count)
        return strange(r);
    machine_pieces(r->m, apply_piece, r);
    if (r->used != count)
        return strange(r);
    return machine_pieces_valid(r->m, &why) || fail(r, why.text);
}

static bool read_disk(struct reader *r, struct disk *d)
{
    uint8_t page[MEM_PAGE_SIZE];
    uint64_t at, size = disk_size(d);
    disk_reset(d);
    for (;;) {
        if (!get(r, &at, sizeof at))
            return false;
        if (at == PAGES_END)
            return true;
        if (!get(r, page, sizeof page))
            return false;
        if (at >= size || !disk_write(d, at, page, size - at < sizeof page ? (size_t)(size - at) : sizeof page))
            return strange(r);
    }
}

static bool read_ram(struct reader *r)
{
    uint8_t page[MEM_PAGE_SIZE];
    uint64_t at;
    mem_clear(r->m->mem);
    for (;;) {
        if (!get(r, &at, sizeof at))
            return false;
        if (at == PAGES_END)
            return true;
        if (!get(r, page, sizeof page))
            return false;
        if (!mem_put_page(r->m->mem, at, page))
            return strange(r);
    }
}

static bool read_body(struct reader *r)
{
    char end[PIECE_NAME_MAX];
    if (!config_pairs(r->m, check_pair, r) || !get_str(r, end, sizeof end))
        return false;
    if (*end) {
        err_set(r->e, "%s: it is of another machine: that one has '%s'", r->path, end);
        return false;
    }
    if (!read_pieces(r) || !apply_pieces(r))
        return false;
    for (unsigned i = 0; i < r->m->setup->disks; i++)
        if (!read_disk(r, r->m->disk[i]))
            return false;
    return read_ram(r);
}

static bool check_file(const char *path, const struct buf *file, struct err *e)
{
    uint64_t sum;
    uint32_t version;
    if (file->len < MAGIC_LEN || memcmp(file->data, MAGIC, MAGIC_LEN))
        return err_set(e, "%s: it is no trapline snapshot", path);
    if (file->len < HEADER + TRAILER)
        return err_set(e, "%s: it is cut short", path);
    memcpy(&sum, file->data + file->len - TRAILER, sizeof sum);
    if (sum != hash_bytes(file->data, file->len - TRAILER))
        return err_set(e, "%s: it is damaged or cut short: its checksum is wrong", path);
    memcpy(&version, file->data + MAGIC_LEN, sizeof version);
    if (version != VERSION)
        return err_set(e, "%s: it is a snapshot of version %u, this program reads version %u", path, version, VERSION);
    return true;
}

bool machine_load(struct machine *m, const char *path, struct err *e)
{
    struct buf file = {0};
    if (!image_read_file(path, &file, e))
        return false;
    bool ok = check_file(path, &file, e);
    if (ok) {
        struct reader r = {.path = path,
                           .e = e,
                           .z = must(ZSTD_createDCtx()),
                           .in = {file.data + HEADER, file.len - HEADER - TRAILER, 0},
                           .m = machine_fork(m)};
        ok = read_body(&r);
        if (ok) {
            r.m->st.sched.next = SCHED_NEVER; /* derived from `when`; arming anything computes it anew */
            if (r.m->st.sched.count)
                sched_arm(&r.m->st.sched, 0, r.m->st.sched.when[0]);
            r.m->now = machine_cycle(r.m);
            machine_restore(m, r.m);
        }
        for (size_t i = 0; i < r.pieces; i++)
            free(r.piece[i].p);
        free(r.piece);
        machine_free(r.m);
        ZSTD_freeDCtx(r.z);
    }
    buf_free(&file);
    return ok;
}

bool machine_dump_dtb(struct machine *m, const char *path, struct err *e)
{
    struct output *o = output_open(path, e);
    if (!o)
        return false;
    output_put(o, m->setup->loader.dtb.data, m->setup->loader.dtb.len);
    return output_close(o, e);
}
