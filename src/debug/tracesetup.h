/*
 * What a recorded run was of: the machine's configuration and its images, as a list of words. It is the same list in binary and
 * in golden traces.
 */
#ifndef TL_DEBUG_TRACESETUP_H
#define TL_DEBUG_TRACESETUP_H
#include "base/buf.h"
#include "machine/trapline.h"

#define TRACE_IMAGES 40
#define TRACE_LIST   32 /* drives, devices */

struct trace_image {
    char role[16];    /* "bios", "kernel", "initrd", "dtb", "state" (--load), "drive0", ... */
    const char *path; /* as it was given */
    uint64_t size, digest;
    bool inside; /* its bytes are in the trace */
};
struct trace_setup {
    struct machine_config config; /* its strings are the setup's; images: see trace_setup_use */
    const char *drives[TRACE_LIST], *devices[TRACE_LIST];
    struct trace_image image[TRACE_IMAGES];
    unsigned images;
    char **owned; /* strings */
    size_t owns;
    char *program;   /* version of the program that recorded it */
    uint64_t schema; /* trace_schema */
    bool traps, instructions;
    /* Of traces with instructions: what their registers are called. */
    struct trace_words {
        char name[48];
        unsigned first, n; /* the first word's number; how many: v[0] to v[n - 1] */
        unsigned each;     /* words of one, of vector registers */
    } * word;
    unsigned words, word_count; /* entries; words in all */
};

/* From the configuration of a machine; state: the file of --load, or NULL. Images of up to `limit` bytes are to be put inside.
   False with a sentence: an image cannot be read, or is no file. */
bool trace_setup_of(struct trace_setup *s, const struct machine_config *c, const char *state, uint64_t limit, struct err *e);
/* A digest of the names and sizes of all pieces of the machine's state: where it differs, state digests do not compare. */
uint64_t trace_schema(struct machine *m);

/* The words: key, value, both NUL-terminated; the key "" ends them. trace_setup_word takes one in. False with a sentence. */
void trace_setup_words(const struct trace_setup *s, void (*fn)(void *ctx, const char *key, const char *value), void *ctx);
bool trace_setup_word(struct trace_setup *s, const char *key, const char *value, struct err *e);

/* Notes the names of m's registers. */
void trace_setup_registers(struct trace_setup *s, struct machine *m);
/* The name of register word `word`: "x5", "v3[1]", "csr.mstatus", "nzcv". */
void trace_setup_register(const struct trace_setup *s, unsigned word, char *out, size_t size);

/* Image number i is to be read from this file. */
void trace_setup_use(struct trace_setup *s, unsigned i, const char *path);
/* The file of --load, as trace_setup_use said, or NULL. */
const char *trace_setup_state(const struct trace_setup *s);
void trace_setup_free(struct trace_setup *s);
#endif
