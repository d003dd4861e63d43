#include "explain_golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void golden_add(struct golden *g, const char *name, struct explanation *e)
{
    char *text = explain_text(e, 0, false);
    buf_printf(&g->text, "=== %s\n%s\n", name, text);
    if (!e->agrees) {
        fprintf(stderr, "%s: %s", name, text);
        abort();
    }
    g->count++;
    free(text);
    explain_free(e);
}

static bool write_file(const char *path, const struct buf *b)
{
    FILE *f = fopen(path, "w");
    return f && fwrite(b->data, 1, b->len, f) == b->len && !fclose(f);
}

/* The number of the first line in which they differ, and that line of each. */
static void tell(const char *path, const char *want, const char *got)
{
    unsigned line = 1;
    const char *w = want, *g = got;
    for (; *want && *want == *got; want++, got++)
        if (*want == '\n') {
            line++;
            w = want + 1;
            g = got + 1;
        }
    fprintf(stderr, "%s:%u: should be\n  %.*s\nand is\n  %.*s\nTRAPLINE_WRITE=1 writes the files anew\n", path, line,
            (int)strcspn(w, "\n"), w, (int)strcspn(g, "\n"), g);
}

bool golden_check(struct golden *g, const char *arch, const char *group)
{
    char path[512];
    struct buf old = {0};
    snprintf(path, sizeof path, TL_SOURCE_DIR "/tests/rom/explain_golden/%s/%s.txt", arch, group);
    buf_put_u8(&g->text, '\0');
    g->text.len--;
    bool ok;
    if (getenv("TRAPLINE_WRITE")) {
        ok = write_file(path, &g->text);
        if (!ok)
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
    } else {
        FILE *f = fopen(path, "r");
        char part[65536];
        for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
            buf_put(&old, part, n);
        if (f)
            fclose(f);
        buf_put_u8(&old, '\0');
        ok = !strcmp((const char *)old.data, (const char *)g->text.data);
        if (!ok)
            tell(path, (const char *)old.data, (const char *)g->text.data);
    }
    buf_free(&old);
    buf_free(&g->text);
    g->text = (struct buf){0};
    return ok;
}
