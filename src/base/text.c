#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

size_t text_append(char *out, size_t cap, size_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t at = n < cap ? n : cap;
    int more = vsnprintf(out ? out + at : NULL, cap - at, fmt, ap);
    va_end(ap);
    return n + (more > 0 ? (size_t)more : 0);
}
