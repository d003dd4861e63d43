/* Any bytes as a log, of a format that is named (the first byte) or found: read to the end or refused with a sentence that names
 * the file; a log equals itself. */
#include "debug/logs/compare.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *p;
    size_t n, at;
    const char *format;
};

static long give(void *ctx, void *p, size_t n, struct err *e)
{
    struct bytes *b = ctx;
    (void)e;
    n = n < b->n - b->at ? n : b->n - b->at;
    if (n)
        memcpy(p, b->p + b->at, n);
    b->at += n;
    return (long)n;
}

static struct log_reader *open_bytes(void *ctx, struct err *e)
{
    struct bytes *b = ctx;
    b->at = 0;
    return log_open("x.log", b->format, give, b, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {""};
    struct comparison r;
    if (!size)
        return 0;
    const struct log_format *f = log_format_at(data[0] % 16u);
    struct bytes b[2] = {{data + 1, size - 1, 0, f ? f->name : NULL}, {data + 1, size - 1, 0, f ? f->name : NULL}};
    const struct compare_side side[2] = {{open_bytes, &b[0]}, {open_bytes, &b[1]}};
    const struct compare_options o = {.context = 3};
    if (log_compare(side, &o, &r, &e)) {
        for (unsigned k = 0; k < r.nharts; k++)
            if (r.hart[k].what != COMPARE_EQUAL)
                abort();
    } else if (!*e.text) {
        abort();
    }
    free(r.hart);
    return 0;
}
