#include "cli/script.h"
#include "cli/options.h"
#include "machine/image.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX (1u << 20) /* bytes of output kept for a step that waits */

void script_add(struct script *s, enum script_kind kind, const char *text, size_t len, unsigned line)
{
    s->step = realloc(s->step, (s->count + 1) * sizeof *s->step);
    assert(s->step);
    char *copy = malloc(len + 1);
    assert(copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    s->step[s->count++] = (struct script_step){kind, copy, len, line};
}

static bool parse_line(struct script *s, const char *path, unsigned number, char *line, struct err *e)
{
    line += strspn(line, " \t");
    size_t n = strlen(line);
    while (n && strchr(" \t\r", line[n - 1]))
        line[--n] = '\0';
    if (!n || *line == '#')
        return true;
    if (!strcmp(line, "end")) {
        script_add(s, SCRIPT_END, "", 0, number);
        return true;
    }
    size_t word = strcspn(line, " \t");
    char *text = line + word + strspn(line + word, " \t");
    bool expect = word == 6 && !memcmp(line, "expect", 6), send = word == 4 && !memcmp(line, "send", 4);
    if (!expect && !send)
        return err_set(e, "%s:%u: '%.*s' is not a step; the steps are: expect \"text\", send \"text\", end", path, number,
                       (int)word, line);
    size_t len = strlen(text);
    if (len < 2 || text[0] != '"' || text[len - 1] != '"')
        return err_set(e, "%s:%u: the text of %.*s must be in double quotes", path, number, (int)word, line);
    text[len - 1] = '\0';
    long size = options_unescape(text + 1);
    if (size < 0)
        return err_set(e, "%s:%u: a backslash is followed by none of n r t e \\ \" xHH", path, number);
    if (!size)
        return err_set(e, "%s:%u: the text is empty", path, number);
    script_add(s, expect ? SCRIPT_EXPECT : SCRIPT_SEND, text + 1, (size_t)size, number);
    return true;
}

bool script_load(struct script *s, const char *path, struct err *e)
{
    struct buf b;
    if (!image_read_file(path, &b, e))
        return false;
    buf_put_u8(&b, '\0');
    bool ok = strlen((char *)b.data) + 1 == b.len || err_set(e, "%s is not a text file: it holds a NUL byte", path);
    unsigned number = 1;
    char *line = (char *)b.data;
    while (ok && line) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        ok = parse_line(s, path, number++, line, e);
        line = next;
    }
    buf_free(&b);
    s->name = path;
    return ok;
}

bool script_add_expect(struct script *s, const char *text, struct err *e)
{
    const char *arrow = NULL;
    for (const char *p = strstr(text, "=>"); p; p = strstr(p + 1, "=>"))
        arrow = p;
    if (!arrow || arrow == text)
        return err_set(e, "--expect '%s': write TEXT=>SEND", text);
    char *wait = strndup(text, (size_t)(arrow - text)), *type = strdup(arrow + 2);
    assert(wait && type);
    long n = options_unescape(wait), m = options_unescape(type);
    bool ok = n > 0 && m >= 0;
    if (ok) {
        script_add(s, SCRIPT_EXPECT, wait, (size_t)n, 0);
        if (m)
            script_add(s, SCRIPT_SEND, type, (size_t)m, 0);
    } else {
        err_set(e, "--expect '%s': a backslash is followed by none of n r t e \\ \" xHH", text);
    }
    free(wait);
    free(type);
    return ok;
}

void script_output(struct script *s, const void *p, size_t n)
{
    if (s->pos == s->count)
        return;
    buf_put(&s->seen, p, n);
}

bool script_advance(struct script *s, struct buf *input)
{
    for (; s->pos < s->count; s->pos++) {
        const struct script_step *t = &s->step[s->pos];
        if (t->kind == SCRIPT_END)
            return true;
        if (t->kind == SCRIPT_SEND) {
            buf_put(input, t->text, t->len);
            continue;
        }
        uint8_t *at = s->seen.len ? memmem(s->seen.data, s->seen.len, t->text, t->len) : NULL;
        size_t used = at ? (size_t)(at - s->seen.data) + t->len : s->seen.len > SEEN_MAX ? s->seen.len - SEEN_MAX / 2 : 0;
        if (used) {
            memmove(s->seen.data, s->seen.data + used, s->seen.len - used);
            s->seen.len -= used;
        }
        if (!at || t->kind == SCRIPT_EXIT_ON)
            return at != NULL;
    }
    return false;
}

const struct script_step *script_waiting(const struct script *s) { return s->pos < s->count ? &s->step[s->pos] : NULL; }

void script_free(struct script *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->step[i].text);
    free(s->step);
    buf_free(&s->seen);
    *s = (struct script){0};
}
