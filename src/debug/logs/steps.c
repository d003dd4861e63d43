/*
 * Steps of a trace of our own, as a process that executes it again hands them over (debug/export/raw.c): a magic, a byte that
 * says A64, then records: 'S', the step as it is in memory, its registers, its accesses; or 'E', a length, and a sentence: it
 * could not go on.
 */
#include "debug/logs/reader.h"

#include <stddef.h>
#include <string.h>

bool log_trapline_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    return !strncmp(begin, LOG_STEPS_MAGIC, LOG_STEPS_MAGIC_LEN);
}

static bool believable(const struct log_step *s)
{
    return s->nregs <= LOG_REGS && s->nmems <= LOG_MEMS && (s->kind == LOG_RETIRED || s->kind == LOG_TRAP) && s->hart < 64;
}

/* A byte that is a bool. */
static bool truth(const uint8_t *bytes, size_t at) { return bytes[at] <= 1; }

static bool accesses(struct log_reader *r, struct log_step *s)
{
    for (unsigned i = 0; i < s->nmems; i++) {
        uint8_t bytes[sizeof *s->mem];
        if (log_take(r, bytes, sizeof bytes) != sizeof bytes || !truth(bytes, offsetof(struct log_mem, store)) ||
            !truth(bytes, offsetof(struct log_mem, has_value)))
            return false;
        memcpy(&s->mem[i], bytes, sizeof bytes);
    }
    return true;
}

static bool registers(const struct log_step *s)
{
    for (unsigned i = 0; i < s->nregs; i++)
        if (s->reg[i].class >= LOG_CLASSES || !s->reg[i].words || s->reg[i].words > LOG_WORDS ||
            (s->reg[i].class <= LOG_V && s->reg[i].number > 31))
            return false;
    return true;
}

static enum log_result failed(struct log_reader *r, struct err *e)
{
    char text[480] = "";
    uint8_t n[2] = {0};
    size_t len = log_take(r, n, 2) == 2 ? n[0] | (size_t)n[1] << 8 : 0;
    log_take(r, text, len < sizeof text ? len : sizeof text - 1);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    err_set(e, "%s", *text ? text : "the trace cannot be executed");
    return LOG_BAD;
}

enum log_result log_trapline_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    uint8_t head[LOG_STEPS_MAGIC_LEN + 1], kind;
    bool begins =
        !r->line && log_peek(r, sizeof head) >= sizeof head && !memcmp(r->data + r->at, LOG_STEPS_MAGIC, LOG_STEPS_MAGIC_LEN);
    if (begins && log_take(r, head, sizeof head))
        r->arm = head[LOG_STEPS_MAGIC_LEN] != 0;
    r->line++;
    if (!log_take(r, &kind, 1))
        return log_finish(r, e);
    if (kind == 'E')
        return failed(r, e);
    size_t n = offsetof(struct log_step, reg);
    uint8_t bytes[offsetof(struct log_step, reg)];
    bool whole = kind == 'S' && log_take(r, bytes, n) == n;
    if (!whole)
        return log_bad(r, e, "what executes the trace ended");
    if (!truth(bytes, offsetof(struct log_step, interrupt)) || !truth(bytes, offsetof(struct log_step, has_tval)) ||
        !truth(bytes, offsetof(struct log_step, cut)))
        return log_bad(r, e, "a step is not as it should be");
    memcpy(s, bytes, n);
    if (!believable(s))
        return log_bad(r, e, "a step is not as it should be");
    if (log_take(r, s->reg, s->nregs * sizeof *s->reg) != s->nregs * sizeof *s->reg || !accesses(r, s))
        return log_bad(r, e, "what executes the trace ended");
    return registers(s) ? LOG_STEP : log_bad(r, e, "a step is not as it should be");
}
