/*
 * The container of binary traces: compressed frames, each with its own checksum, and an index at the end. docs/trace-format.md
 * is its description for readers; the words and numbers of the two must agree.
 *
 *   "TLTRACE\n", u32 version, u32 its bits inverted
 *   frames: u32 "FRAM", u8 kind, u8 packed (1: zstd), u16 0, u32 stored bytes, u32 bytes unpacked, u64 cycle it begins at,
 *           u64 XXH3 of these 24 bytes and the stored ones; then the stored bytes
 *   the last frame, kind 'Z', is the index: for each frame before it u8 kind, u64 offset, u64 cycle
 *   u64 offset of the index, "TLTREND\n"
 *
 * A file that ends before its index is torn: the recording was cut off. What is there up to the tear can be read. Anything else
 * that is not as above is damage.
 */
#ifndef TL_DEBUG_TRACEFILE_H
#define TL_DEBUG_TRACEFILE_H
#include "base/buf.h"
#include "base/err.h"
#include <stdint.h>

#define TRACEFILE_VERSION 3u
#define TRACEFILE_OLDEST  2u /* that is read, too: it has frames N in the place of G */

enum tracefile_kind {
    TRACE_HEADER = 'H', /* the configuration; the first frame */
    TRACE_IMAGE = 'F',  /* the bytes of an image; in the order of the header's list */
    TRACE_EVENTS = 'E', /* inputs, digests, the end */
    TRACE_TRAPS = 'T',  /* traps and returns */
    TRACE_INSNS = 'N',  /* retired instructions, one by one: of version 2 */
    TRACE_GIST = 'G',   /* retired instructions */
    TRACE_INDEX = 'Z'
};

/* ---- writing */

struct tracefile_writer;
/* Creates the file. NULL with a sentence. */
struct tracefile_writer *tracefile_create(const char *path, struct err *e);
/* Appends a frame; at most 16 MiB. Errors are kept until the end. */
void tracefile_put(struct tracefile_writer *w, enum tracefile_kind kind, uint64_t cycle, const void *p, size_t n);
/* Writes the index and closes. False with a sentence if any byte could not be written; what could be stays, as a torn file. */
bool tracefile_end(struct tracefile_writer *w, struct err *e);

/* ---- reading */

struct tracefile_frame {
    enum tracefile_kind kind;
    uint64_t at, cycle; /* offset in the file; the cycle it begins at */
    uint32_t stored, raw;
    bool packed;
};
struct tracefile {
    char *path;
    struct buf file;
    struct tracefile_frame *frame;
    size_t frames;
    bool torn;
    uint64_t good; /* bytes up to the tear */
};

#define TRACEFILE_MAGIC_LEN 8
/* Whether bytes begin as a trace does. */
bool tracefile_is(const void *p, size_t n);
/* Reads the file and checks every frame. False with a sentence: no trace, damaged, or of another version. */
bool tracefile_open(struct tracefile *t, const char *path, struct err *e);
/* The same of bytes that are in memory, which it takes over; path: a name for sentences. */
bool tracefile_of(struct tracefile *t, const char *path, struct buf *bytes, struct err *e);
/* The contents of frame i, appended to out. */
bool tracefile_read(const struct tracefile *t, size_t i, struct buf *out, struct err *e);
void tracefile_close(struct tracefile *t);

/* ---- numbers: 7 bits a byte, the low ones first, bit 7 says that more follow; signed ones with the sign in bit 0 */

void put_var(struct buf *b, uint64_t v);
void put_svar(struct buf *b, int64_t v);
uint64_t cur_var(struct cursor *c);
int64_t cur_svar(struct cursor *c);
#endif
