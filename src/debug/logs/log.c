/* The reader of logs: bytes, lines, which format it is. */
#include "debug/logs/log.h"
#include "base/bits.h"
#include "debug/logs/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (UINT64_C(1) << 18) /* bytes asked for at once */
#define HEAD  4096                /* bytes that tell the format */

struct row {
    struct log_format format;
    bool (*detect)(const struct log_reader *r, const char *begin);
    enum log_result (*next)(struct log_reader *r, struct log_step *s, struct err *e);
};

static const struct row rows[] = {
#define FORMAT(name, has, arm, binary, title, spec) \
    {{#name, title, has, arm, binary, spec}, log_##name##_detect, log_##name##_next},
#include "debug/logs/formats.def"
#undef FORMAT
};

const struct log_format *log_format_at(unsigned i) { return i < ARRAY_LEN(rows) ? &rows[i].format : NULL; }
const struct log_format *log_reader_format(const struct log_reader *r) { return r->format; }
unsigned log_reader_has(const struct log_reader *r) { return r->has; }
bool log_reader_arm(const struct log_reader *r) { return r->arm; }
uint64_t log_reader_skipped(const struct log_reader *r) { return r->skipped; }
bool log_reader_torn(const struct log_reader *r) { return r->torn; }

size_t log_peek(struct log_reader *r, size_t n)
{
    if (r->end - r->at >= n || r->eof)
        return r->end - r->at;
    memmove(r->data, r->data + r->at, r->end - r->at);
    r->end -= r->at;
    r->at = 0;
    while (r->end < n && !r->eof) {
        long got = r->bytes(r->ctx, r->data + r->end, CHUNK, &r->failure);
        if (got < 0)
            r->failed = true;
        if (got <= 0)
            r->eof = true;
        else
            r->end += (size_t)got;
    }
    return r->end;
}

size_t log_take(struct log_reader *r, void *p, size_t n)
{
    size_t have = log_peek(r, n);
    n = have < n ? have : n;
    memcpy(p, r->data + r->at, n);
    r->at += n;
    return n;
}

/* Length of the line at r->at, its end not counted, and whether it has one. */
static size_t line_length(struct log_reader *r, bool *whole)
{
    size_t have = log_peek(r, LOG_LINE + 1);
    const uint8_t *nl = memchr(r->data + r->at, '\n', have);
    *whole = nl != NULL;
    return nl ? (size_t)(nl - (r->data + r->at)) : have;
}

bool log_line(struct log_reader *r)
{
    if (r->again) {
        r->again = false;
        return true;
    }
    bool whole;
    size_t n = line_length(r, &whole), keep = n < LOG_LINE ? n : LOG_LINE;
    if (!whole && !n)
        return false;
    memcpy(r->text, r->data + r->at, keep);
    while (keep && r->text[keep - 1] == '\r')
        keep--;
    for (size_t i = 0; i < keep; i++)
        if (!r->text[i]) /* a NUL would hide the rest from the cursor */
            r->text[i] = '?';
    r->text[r->len = keep] = '\0';
    r->line++;
    r->at += n;
    while (!whole && r->at == r->end && !r->eof) { /* the rest of a line that is too long */
        n = line_length(r, &whole);
        r->at += n;
    }
    if (whole)
        r->at++;
    else
        r->torn = true;
    return true;
}

enum log_result log_bad(struct log_reader *r, struct err *e, const char *fmt, ...)
{
    char text[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(e, "%s:%llu: %s", r->name, (unsigned long long)r->line, text);
    return LOG_BAD;
}

enum log_result log_finish(struct log_reader *r, struct err *e)
{
    if (!r->failed)
        return LOG_END;
    err_set(e, "%s: %s", r->name, r->failure.text);
    return LOG_BAD;
}

/* ---- opening -------------------------------------------------------------------------------------------------------------- */

static const struct row *named(const char *format, struct err *e)
{
    char all[200] = "";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!strcmp(rows[i].format.name, format))
            return &rows[i];
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", rows[i].format.name);
    }
    err_set(e, "there is no log format '%s'; the formats are %s", format, all);
    return NULL;
}

static const struct row *detected(struct log_reader *r, struct err *e)
{
    char begin[HEAD + 1];
    size_t n = log_peek(r, HEAD);
    n = n < HEAD ? n : HEAD;
    memcpy(begin, r->data + r->at, n);
    begin[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows) && n; i++)
        if (rows[i].detect(r, begin))
            return &rows[i];
    if (r->failed)
        err_set(e, "%s: %s", r->name, r->failure.text);
    else
        err_set(e, "%s: %s", r->name,
                n ? "not a log of a format that is known here; name one with --format" : "the log is empty");
    return NULL;
}

struct log_reader *log_open(const char *name, const char *format, log_bytes_fn *bytes, void *ctx, struct err *e)
{
    struct log_reader *r = calloc(1, sizeof *r);
    r->data = malloc(CHUNK + LOG_LINE + 1);
    snprintf(r->name, sizeof r->name, "%s", name);
    r->bytes = bytes;
    r->ctx = ctx;
    const struct row *row = format ? named(format, e) : detected(r, e);
    if (!row) {
        log_close(r);
        return NULL;
    }
    r->format = &row->format;
    r->next = row->next;
    r->arm |= row->format.arm;
    return r;
}

void log_close(struct log_reader *r)
{
    if (!r)
        return;
    log_qemu_free(r);
    free(r->data);
    free(r);
}

/* What a step shows that the log has. */
static unsigned shown(const struct log_step *s)
{
    static const unsigned of_class[LOG_CLASSES] = {LOG_HAS_X, LOG_HAS_F, LOG_HAS_V, LOG_HAS_CSR, LOG_HAS_CSR};
    unsigned has = (s->insn_bytes ? LOG_HAS_INSN : 0) | (s->priv != LOG_UNKNOWN ? LOG_HAS_PRIV : 0);
    for (unsigned i = 0; i < s->nregs; i++)
        has |= of_class[s->reg[i].class];
    for (unsigned i = 0; i < s->nmems; i++)
        has |= s->mem[i].store ? LOG_HAS_STORES : LOG_HAS_LOADS;
    return has | (s->kind == LOG_TRAP ? LOG_HAS_TRAPS : 0);
}

enum log_result log_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    enum log_result got = r->next(r, s, e);
    if (got != LOG_END && r->torn) /* what the torn line tells may be half of it */
        return log_finish(r, e);
    if (got == LOG_STEP)
        r->has |= shown(s);
    return got;
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

void log_step_begin(struct log_reader *r, struct log_step *s)
{
    memset(s, 0, offsetof(struct log_step, reg));
    s->line = r->line;
    s->priv = s->v = LOG_UNKNOWN;
    s->cause = UINT64_MAX;
}

struct log_reg *log_step_reg(struct log_step *s, const struct log_reg *g)
{
    for (unsigned i = 0; i < s->nregs; i++) /* a register given twice has the last value */
        if (s->reg[i].class == g->class && s->reg[i].number == g->number) {
            s->reg[i] = *g;
            return &s->reg[i];
        }
    if (s->nregs == LOG_REGS) {
        s->cut = true;
        return NULL;
    }
    s->reg[s->nregs] = *g;
    return &s->reg[s->nregs++];
}

void log_step_mem(struct log_step *s, const struct log_mem *m)
{
    if (s->nmems == LOG_MEMS)
        s->cut = true;
    else
        s->mem[s->nmems++] = *m;
}

void log_step_named(struct log_reader *r, struct log_step *s, const char *name, const struct log_reg *value)
{
    struct log_reg g = *value, id;
    if (!log_reg_parse(name, r->arm, &id))
        return;
    g.class = id.class;
    g.number = id.number;
    if (!(g.class == LOG_X && !g.number && !r->arm)) /* x0 of RISC-V is not written */
        log_step_reg(s, &g);
}
