/* A user's mistake: a sentence that names the file and the reason. Never used for guest faults. */
#ifndef TL_BASE_ERR_H
#define TL_BASE_ERR_H
#include <stdbool.h>

struct err {
    char text[1024];
};

/* Formats the sentence into e (may be NULL). Always returns false, so that a caller can `return err_set(...)`. */
bool err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
