#include "debug/tracefile.h"
#include "base/hash.h"
#include "machine/image.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define MAGIC      "TLTRACE\n"
#define END        "TLTREND\n"
#define FRAME      0x4d415246u /* "FRAM" */
#define FILE_HEAD  16
#define FRAME_HEAD 32
#define SUMMED     24 /* of a frame's head */
#define TRAILER    16
#define RAW_MAX    ((size_t)16 << 20)
#define LEVEL      1  /* zstd: fast */
#define LEVEL_FAST -3 /* of instructions, of which there are many */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

void put_var(struct buf *b, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    do {
        bytes[n++] = (uint8_t)(v & 127) | (v > 127 ? 128 : 0);
        v >>= 7;
    } while (v);
    buf_put(b, bytes, n);
}

void put_svar(struct buf *b, int64_t v) { put_var(b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63)); }

uint64_t cur_var(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cur_u8(c);
        v |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128))
            return v;
    }
    c->bad = true;
    return 0;
}

int64_t cur_svar(struct cursor *c)
{
    uint64_t v = cur_var(c);
    return (int64_t)(v >> 1 ^ -(v & 1));
}

/* ---- writing -------------------------------------------------------------------------------------------------------------- */

/*
 * Frames of instructions are many, so a thread of its own packs and writes them, and from the first one on every frame. It takes
 * them in their order, so the file's bytes do not depend on it. Until it has ended, what is below `waiting` is its alone.
 */
#define WAITING_MAX 3
struct waiting {
    enum tracefile_kind kind;
    uint64_t cycle;
    struct buf bytes;
};

struct tracefile_writer {
    bool threaded, over; /* the thread runs; there is nothing more to come */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct waiting waiting[WAITING_MAX]; /* frames that it has not begun with, the first one first */
    unsigned n;
    FILE *f;
    char *path;
    ZSTD_CCtx *z;
    struct buf packed, index;
    uint64_t at;
    int error;
};

static void emit(struct tracefile_writer *w, const void *p, size_t n)
{
    if (!w->error && fwrite(p, 1, n, w->f) != n)
        w->error = errno ? errno : EIO;
    w->at += n;
}

struct tracefile_writer *tracefile_create(const char *path, struct err *e)
{
    FILE *f = fopen(path, "wbe");
    if (!f) {
        err_set(e, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct tracefile_writer *w = must(calloc(1, sizeof *w));
    w->f = f;
    w->path = must(strdup(path));
    w->z = must(ZSTD_createCCtx());
    const uint32_t words[2] = {TRACEFILE_VERSION, ~TRACEFILE_VERSION};
    emit(w, MAGIC, TRACEFILE_MAGIC_LEN);
    emit(w, words, sizeof words);
    return w;
}

static uint64_t sum_of(const void *head, const void *p, size_t n)
{
    struct hash *h = hash_new();
    hash_add(h, head, SUMMED);
    hash_add(h, p, n);
    return hash_end(h);
}

static void put_frame(struct tracefile_writer *w, enum tracefile_kind kind, uint64_t cycle, const void *p, size_t n)
{
    struct buf head = {0};
    size_t room = ZSTD_compressBound(n);
    if (w->packed.cap < room) {
        buf_free(&w->packed);
        w->packed = (struct buf){.data = must(malloc(room)), .cap = room};
    }
    ZSTD_CCtx_setParameter(w->z, ZSTD_c_compressionLevel, kind == TRACE_GIST ? LEVEL_FAST : LEVEL);
    size_t got = ZSTD_compress2(w->z, w->packed.data, room, p, n);
    bool packed = !ZSTD_isError(got) && got < n;
    const void *stored = packed ? w->packed.data : p;
    size_t size = packed ? got : n;
    buf_put_u32(&head, FRAME);
    buf_put_u8(&head, (uint8_t)kind);
    buf_put_u8(&head, packed);
    buf_put(&head, "\0", 2);
    buf_put_u32(&head, (uint32_t)size);
    buf_put_u32(&head, (uint32_t)n);
    buf_put_u64(&head, cycle);
    buf_put_u64(&head, sum_of(head.data, stored, size));
    emit(w, head.data, head.len);
    emit(w, stored, size);
    fflush(w->f); /* what is lost when somebody ends the program is the frame to come */
    buf_free(&head);
}

static void put_now(struct tracefile_writer *w, enum tracefile_kind kind, uint64_t cycle, const void *p, size_t n)
{
    buf_put_u8(&w->index, (uint8_t)kind);
    buf_put_u64(&w->index, w->at);
    buf_put_u64(&w->index, cycle);
    put_frame(w, kind, cycle, p, n);
}

/* The thread. */
static void *write_waiting(void *ctx)
{
    struct tracefile_writer *w = ctx;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->n && !w->over)
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->n)
            break;
        struct waiting next = w->waiting[0];
        memmove(w->waiting, w->waiting + 1, --w->n * sizeof next);
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
        put_now(w, next.kind, next.cycle, next.bytes.data, next.bytes.len);
        buf_free(&next.bytes);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void begin_thread(struct tracefile_writer *w)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    w->threaded = !pthread_create(&w->thread, NULL, write_waiting, w); /* else it is done here, as before */
}

static void end_thread(struct tracefile_writer *w)
{
    if (!w->threaded)
        return;
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    w->threaded = false;
}

void tracefile_put(struct tracefile_writer *w, enum tracefile_kind kind, uint64_t cycle, const void *p, size_t n)
{
    struct waiting frame = {.kind = kind, .cycle = cycle};
    if (n > RAW_MAX)
        abort(); /* a bug of the caller */
    if (!w->threaded && kind == TRACE_GIST)
        begin_thread(w);
    if (!w->threaded) {
        put_now(w, kind, cycle, p, n);
        return;
    }
    buf_put(&frame.bytes, p, n);
    pthread_mutex_lock(&w->lock);
    while (w->n == WAITING_MAX)
        pthread_cond_wait(&w->changed, &w->lock);
    w->waiting[w->n++] = frame;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

bool tracefile_end(struct tracefile_writer *w, struct err *e)
{
    end_thread(w);
    uint64_t at = w->at;
    put_frame(w, TRACE_INDEX, 0, w->index.data, w->index.len);
    emit(w, &at, sizeof at);
    emit(w, END, TRACEFILE_MAGIC_LEN);
    if (fclose(w->f) && !w->error)
        w->error = errno;
    bool ok = !w->error || err_set(e, "%s: %s", w->path, strerror(w->error));
    ZSTD_freeCCtx(w->z);
    buf_free(&w->packed);
    buf_free(&w->index);
    free(w->path);
    free(w);
    return ok;
}

/* ---- reading -------------------------------------------------------------------------------------------------------------- */

bool tracefile_is(const void *p, size_t n) { return n >= TRACEFILE_MAGIC_LEN && !memcmp(p, MAGIC, TRACEFILE_MAGIC_LEN); }

static bool damaged(const struct tracefile *t, uint64_t at, const char *what, struct err *e)
{
    return err_set(e, "%s: it is damaged at byte %" PRIu64 ": %s", t->path, at, what);
}

static void add_frame(struct tracefile *t, struct tracefile_frame f)
{
    if (!(t->frames & (t->frames - 1)))
        t->frame = must(realloc(t->frame, (t->frames ? 2 * t->frames : 1) * sizeof f));
    t->frame[t->frames++] = f;
}

/* The file ends as a whole one does. */
static bool has_end(const struct tracefile *t)
{
    return t->file.len >= FILE_HEAD + TRAILER &&
           !memcmp(t->file.data + t->file.len - TRACEFILE_MAGIC_LEN, END, TRACEFILE_MAGIC_LEN);
}

/* The frame at `at`. *cut: the file ends inside it. */
static bool frame_at(struct tracefile *t, uint64_t at, struct tracefile_frame *f, bool *cut, struct err *e)
{
    uint64_t left = t->file.len - at;
    const uint8_t *p = t->file.data + at;
    *cut = left < FRAME_HEAD;
    if (*cut)
        return true;
    struct cursor c = {.p = p, .left = FRAME_HEAD};
    uint32_t magic = cur_u32(&c);
    f->kind = (enum tracefile_kind)cur_u8(&c);
    f->packed = cur_u8(&c) != 0;
    uint8_t zero[2];
    cur_get(&c, zero, 2);
    f->stored = cur_u32(&c);
    f->raw = cur_u32(&c);
    f->cycle = cur_u64(&c);
    f->at = at;
    if (magic != FRAME)
        return damaged(t, at, "no frame begins there", e);
    if (f->raw > RAW_MAX)
        return damaged(t, at, "a frame is longer than frames are", e);
    *cut = f->stored > left - FRAME_HEAD;
    if (*cut)
        return true;
    return cur_u64(&c) == sum_of(p, p + FRAME_HEAD, f->stored) || damaged(t, at, "the checksum of a frame is wrong", e);
}

static bool check_trailer(struct tracefile *t, uint64_t index, uint64_t at, struct err *e)
{
    uint64_t offset;
    if (t->file.len - at != TRAILER || !has_end(t))
        return damaged(t, at, "it does not end behind its index", e);
    memcpy(&offset, t->file.data + at, sizeof offset);
    return offset == index || damaged(t, at, "it does not say where its index is", e);
}

/* A file that is shorter than its last frame says was cut off; but not if its end is there. */
static bool torn(struct tracefile *t, uint64_t at, struct err *e)
{
    t->torn = true;
    t->good = at;
    return !has_end(t) || damaged(t, at, "a frame reaches over the end", e);
}

static bool scan(struct tracefile *t, struct err *e)
{
    for (uint64_t at = FILE_HEAD;;) {
        struct tracefile_frame f = {0};
        bool cut;
        if (!frame_at(t, at, &f, &cut, e))
            return false;
        if (cut)
            return torn(t, at, e);
        uint64_t next = at + FRAME_HEAD + f.stored;
        if (f.kind == TRACE_INDEX) {
            if (next == t->file.len || (t->file.len - next < TRAILER))
                return torn(t, next, e);
            t->good = t->file.len;
            return check_trailer(t, at, next, e);
        }
        add_frame(t, f);
        at = next;
    }
}

bool tracefile_of(struct tracefile *t, const char *path, struct buf *bytes, struct err *e)
{
    uint32_t words[2];
    *t = (struct tracefile){.path = must(strdup(path)), .file = *bytes};
    *bytes = (struct buf){0};
    bool ok = tracefile_is(t->file.data, t->file.len) || err_set(e, "%s: it is no trapline trace", path);
    if (ok && t->file.len < FILE_HEAD)
        ok = err_set(e, "%s: it is cut off before anything was recorded", path);
    if (ok) {
        memcpy(words, t->file.data + TRACEFILE_MAGIC_LEN, sizeof words);
        ok = (words[0] >= TRACEFILE_OLDEST && words[0] <= TRACEFILE_VERSION) ||
             err_set(e, "%s: it is a trace of version %u, this program reads versions %u to %u", path, words[0], TRACEFILE_OLDEST,
                     TRACEFILE_VERSION);
        ok = ok && (words[1] == (words[0] == TRACEFILE_OLDEST ? 0 : ~words[0]) || damaged(t, 12, "the version is not that", e)) &&
             scan(t, e);
    }
    if (ok && (!t->frames || t->frame[0].kind != TRACE_HEADER))
        ok = err_set(e, "%s: it is cut off before anything was recorded", path);
    if (!ok)
        tracefile_close(t);
    return ok;
}

bool tracefile_open(struct tracefile *t, const char *path, struct err *e)
{
    struct buf b;
    return image_read_file(path, &b, e) && tracefile_of(t, path, &b, e);
}

bool tracefile_read(const struct tracefile *t, size_t i, struct buf *out, struct err *e)
{
    const struct tracefile_frame *f = &t->frame[i];
    const uint8_t *p = t->file.data + f->at + FRAME_HEAD;
    if (!f->packed && f->stored != f->raw)
        return damaged(t, f->at, "a frame has another length than it says", e);
    if (!f->packed) {
        buf_put(out, p, f->stored);
        return true;
    }
    uint8_t *raw = must(malloc((size_t)f->raw + 1));
    size_t got = ZSTD_decompress(raw, f->raw, p, f->stored);
    bool ok = (!ZSTD_isError(got) && got == f->raw) || damaged(t, f->at, "a frame cannot be unpacked", e);
    if (ok)
        buf_put(out, raw, f->raw);
    free(raw);
    return ok;
}

void tracefile_close(struct tracefile *t)
{
    buf_free(&t->file);
    free(t->frame);
    free(t->path);
    *t = (struct tracefile){0};
}
