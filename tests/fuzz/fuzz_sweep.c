/* Any bytes as a part of a sweep, an event or a place in words: taken or refused with a sentence, and what was taken can be
 * shown. */
#include "base/hash.h"
#include "debug/sweep_result.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void part(const uint8_t *p, size_t n)
{
    struct sweep_result r;
    struct err e = {""};
    struct buf b = {0}, out = {0};
    buf_put(&b, p, n);
    buf_put_u64(&b, hash_bytes(p, n)); /* past the checksum */
    if (sweep_part_parse(&r, "x.part", b.data, b.len, &e)) {
        if (sweep_result_finish(&r, &e)) {
            sweep_text(&r, 3, &out);
            sweep_json(&r, &out);
            sweep_junit(&r, &out);
            for (size_t i = 0; i < r.count && i < 4; i++)
                sweep_case_text(&r, &r.cases[i], &out);
        }
        sweep_result_free(&r);
    } else if (!strstr(e.text, "x.part") || r.cases) {
        abort();
    }
    buf_free(&b);
    buf_free(&out);
}

/* The first byte chooses: 0 a part, 1 an event, else a place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inject_event event;
    struct inject_point point;
    struct err e;
    if (!size)
        return 0;
    if (data[0] == 0) {
        part(data + 1, size - 1);
        return 0;
    }
    char *text = calloc(1, size);
    if (!text)
        abort();
    memcpy(text, data + 1, size - 1);
    if (data[0] == 1) {
        if (inject_parse_event(text, 0, &event, &e) && strcmp(event.text, text))
            abort();
    } else if (inject_parse_point(text, &point, &e) && (strcmp(point.text, text) || !point.nth)) {
        abort();
    }
    free(text);
    return 0;
}
