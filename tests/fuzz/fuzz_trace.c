/* Any bytes as a trace: the checksums of its frames are made right first, so that what is behind them is reached. It is read to
 * the end or refused with a sentence; so are its traps and instructions. */
#include "base/hash.h"
#include "debug/gistread.h"
#include "debug/insncode.h"
#include "debug/replay.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(struct buf *b)
{
    for (size_t at = 16; at + 32 <= b->len;) {
        uint32_t stored;
        memcpy(&stored, b->data + at + 8, 4);
        if (stored > b->len - at - 32)
            return;
        struct hash *h = hash_new();
        hash_add(h, b->data + at, 24);
        hash_add(h, b->data + at + 32, stored);
        uint64_t sum = hash_end(h);
        memcpy(b->data + at + 24, &sum, 8);
        at += 32 + stored;
    }
}

static void read_frame(const struct tracefile *t, size_t i)
{
    struct buf b = {0};
    struct trapcode traps = {0};
    enum { WORDS = 500, PAGES = 64, FOLLOWED = 4096 };
    struct insncode *insns = insncode_new(NULL, WORDS);
    struct insn_record *r = insn_record_new(WORDS);
    struct machine_change c;
    if (tracefile_read(t, i, &b, NULL)) {
        struct cursor k = {.p = b.data, .left = b.len};
        while (k.left && !k.bad && t->frame[i].kind == TRACE_TRAPS)
            cur_trap(&traps, &k, &c);
        while (t->frame[i].kind == TRACE_INSNS && cur_insn(insns, &k, r))
            continue;
        struct gist_reader *gist = gist_reader_new(WORDS, PAGES); /* a few bytes can tell of any number of instructions */
        for (unsigned n = 0; t->frame[i].kind == TRACE_GIST && n < FOLLOWED && gist_next(gist, &k, r); n++)
            continue;
        gist_reader_free(gist);
    }
    insncode_free(insns);
    insn_record_free(r);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {""};
    struct replay r;
    struct buf b = {0};
    buf_put(&b, data, size);
    mend(&b);
    if (!replay_of(&r, "x.trace", &b, &e)) {
        if (!*e.text)
            abort();
        return 0;
    }
    for (size_t i = 0; i < r.file.frames; i++)
        read_frame(&r.file, i);
    for (unsigned i = 0; i < r.setup.images; i++) {
        struct buf image = {0};
        replay_image(&r, i, &image, &e);
        buf_free(&image);
    }
    replay_close(&r);
    return 0;
}
