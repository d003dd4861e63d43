#ifndef TL_BASE_TEXT_H
#define TL_BASE_TEXT_H
#include <stddef.h>

/* snprintf behind the n characters that are wanted so far: out has `cap` bytes, 0 where it is NULL. The number of characters that
   are wanted now, which may be more than there is room for. */
size_t text_append(char *out, size_t cap, size_t n, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#endif
