/* A cursor over a line of a log. */
#include "debug/logs/reader.h"

#include <ctype.h>
#include <string.h>

void scan_space(struct scan *c)
{
    while (*c->p == ' ' || *c->p == '\t')
        c->p++;
}

bool scan_lit(struct scan *c, const char *literal)
{
    size_t n = strlen(literal);
    if (strncmp(c->p, literal, n))
        return false;
    c->p += n;
    return true;
}

bool scan_dec(struct scan *c, uint64_t *v)
{
    const char *p = c->p;
    uint64_t sum = 0;
    for (; isdigit((unsigned char)*p); p++) {
        if (sum > (UINT64_MAX - 9) / 10)
            return false;
        sum = sum * 10 + (uint64_t)(*p - '0');
    }
    if (p == c->p)
        return false;
    c->p = p;
    *v = sum;
    return true;
}

static int digit(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : -1;
}

static const char *after_prefix(const char *p) { return p[0] == '0' && (p[1] == 'x' || p[1] == 'X') ? p + 2 : p; }

bool scan_hex(struct scan *c, uint64_t *v, unsigned *digits)
{
    const char *first = after_prefix(c->p), *p = first;
    uint64_t sum = 0;
    for (; digit(*p) >= 0; p++) {
        if (sum >> 60)
            return false;
        sum = sum << 4 | (uint64_t)digit(*p);
    }
    if (p == first)
        return false;
    if (digits)
        *digits = (unsigned)(p - first);
    c->p = p;
    *v = sum;
    return true;
}

bool scan_value(struct scan *c, struct log_reg *g, unsigned *bits)
{
    const char *first = after_prefix(c->p), *p = first;
    unsigned digits = 0;
    memset(g->value, 0, sizeof g->value);
    for (; digit(*p) >= 0 || (*p == '_' && digits); p++) {
        if (*p == '_')
            continue;
        for (unsigned w = LOG_WORDS - 1; w; w--)
            g->value[w] = g->value[w] << 4 | g->value[w - 1] >> 60;
        g->value[0] = g->value[0] << 4 | (uint64_t)digit(*p);
        digits++;
    }
    if (!digits)
        return false;
    unsigned words = (digits + 15) / 16;
    g->words = (uint8_t)(words < LOG_WORDS ? words : LOG_WORDS);
    if (bits)
        *bits = digits * 4;
    c->p = p;
    return true;
}

bool scan_word(struct scan *c, char *out, size_t cap)
{
    const char *p = c->p;
    size_t n = 0;
    for (; isalnum((unsigned char)*p) || *p == '_' || *p == '.'; p++) {
        if (n + 1 >= cap)
            return false;
        out[n++] = *p;
    }
    if (!n)
        return false;
    out[n] = '\0';
    c->p = p;
    return true;
}

bool scan_end(struct scan *c)
{
    scan_space(c);
    return !*c->p;
}
