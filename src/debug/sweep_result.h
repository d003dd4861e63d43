/*
 * The results of a sweep: its cases from wherever they were done, put in order and counted. The same cases give the same result,
 * byte for byte, in whatever order and parts they come.
 *
 * A part is a file with the cases of one shard:
 *
 *   8 bytes magic, u32 version, u32 shard (from 1), u32 shards
 *   pairs of strings (u32 length, bytes): what was swept; an empty key ends them
 *   u32 events, each its name and option; u32 variants, each its name and option, u32 boundaries, u64 first and last cycle
 *   u64 cases, the cases; u64 XXH3 of all bytes before it
 */
#ifndef TL_DEBUG_SWEEP_RESULT_H
#define TL_DEBUG_SWEEP_RESULT_H
#include "debug/sweep.h"

#define SWEEP_PAIRS  64
#define SWEEP_SHARDS 1000000 /* at most */

struct sweep_pair {
    char *key, *value;
};

struct sweep_named {
    char *name, *option;        /* option: the words of the command line that choose it, each with a space before it */
    struct sweep_window window; /* of a variant */
};

struct sweep_count {
    uint64_t cases, verdict[SWEEP_VERDICTS], handled;
};

struct sweep_result {
    struct sweep_pair pair[SWEEP_PAIRS]; /* what was swept; "command" is the line that repeats it, and may differ between parts */
    unsigned pairs;
    struct sweep_named *event, *variant;
    unsigned events, variants;
    struct sweep_case *cases; /* details owned */
    size_t count, cap;
    uint32_t shard, shards; /* of a part */
};

/* Begins: what was swept (copied). */
void sweep_result_pair(struct sweep_result *r, const char *key, const char *value);
void sweep_result_event(struct sweep_result *r, const char *name, const char *option);
void sweep_result_variant(struct sweep_result *r, const char *name, const char *option, struct sweep_window w);
const char *sweep_result_get(const struct sweep_result *r, const char *key); /* NULL: no such pair */
/* Adds a copy of the case. */
void sweep_result_add(struct sweep_result *r, const struct sweep_case *c);
/* When all cases are there: puts them in order and tells which are the same as others. False with a sentence if one is missing or
   there twice. */
bool sweep_result_finish(struct sweep_result *r, struct err *e);
void sweep_result_free(struct sweep_result *r);

/* Of the cases of an event and a variant, or of all if event is UINT32_MAX; of the second order if `second`. In a finished
 * result. */
struct sweep_count sweep_result_count(const struct sweep_result *r, uint32_t event, uint32_t variant, bool second);
/* How many cases of both orders were done. */
uint64_t sweep_result_done(const struct sweep_result *r);
/* Whether any case failed. */
bool sweep_result_failed(const struct sweep_result *r);
/* "violation", "lost", … */
const char *sweep_verdict_name(enum sweep_verdict v);

/* A case as bytes, and back. False: they are none. */
void sweep_case_put(struct buf *b, const struct sweep_case *c);
bool sweep_case_get(struct cursor *c, struct sweep_case *out);

/* Writes a part: complete or not at all. */
bool sweep_part_save(const struct sweep_result *r, const char *path, struct err *e);
/* Reads a part into an empty result. False with a sentence, r empty. */
bool sweep_part_load(struct sweep_result *r, const char *path, struct err *e);
/* The same from bytes; name is for the sentence. */
bool sweep_part_parse(struct sweep_result *r, const char *name, const uint8_t *p, size_t n, struct err *e);
/* Joins the parts of one sweep. False with a sentence that names the files: not of the same sweep, one twice, one missing. */
bool sweep_merge(struct sweep_result *r, const char *const *path, unsigned paths, struct err *e);

/* ---- sweep_show.c */

/* The table and the first `most` failing cases, each with the line that repeats it. */
void sweep_text(const struct sweep_result *r, unsigned most, struct buf *out);
void sweep_json(const struct sweep_result *r, struct buf *out);
void sweep_junit(const struct sweep_result *r, struct buf *out);
/* One case in full. */
void sweep_case_text(const struct sweep_result *r, const struct sweep_case *c, struct buf *out);
#endif
