/* What the readers of the formats share: lines, a cursor over one, and steps being filled. */
#ifndef TL_DEBUG_LOGS_READER_H
#define TL_DEBUG_LOGS_READER_H
#include "debug/logs/log.h"

#define LOG_LINE 16384 /* bytes of a line; a longer one is none of any format */

struct log_reader {
    char name[512];
    const struct log_format *format;
    enum log_result (*next)(struct log_reader *r, struct log_step *s, struct err *e);
    log_bytes_fn *bytes;
    void *ctx;
    uint8_t *data; /* bytes read and not yet used: [at, end) */
    size_t at, end;
    bool eof, torn, failed;
    struct err failure;

    char text[LOG_LINE + 1]; /* the current line, without its end */
    size_t len;
    uint64_t line; /* its number */
    bool again;    /* the next log_line gives it once more */
    uint64_t skipped;
    unsigned has; /* seen so far */

    bool arm;             /* names of registers are those of A64 */
    struct log_step held; /* a step whose lines are not all read */
    bool holds;
    struct qemu_state *qemu; /* of the format qemu */
    bool v2;                 /* of rvfi */
    int sp;                  /* of tarmac: whose SP_ELx is the stack pointer in use */
    char more;               /* of tarmac: what a line without a kind continues: 'L'oads, 'S'tores; of CVA6: 'I'nterrupt told */
};

/* The next line into r->text. False at the end, or where the bytes failed (r->failed). */
bool log_line(struct log_reader *r);
/* n bytes of a binary at p, or as many as there are. Returns how many. */
size_t log_take(struct log_reader *r, void *p, size_t n);
/* At least n bytes from r->data + r->at on, as far as the log goes. Returns how many are there. */
size_t log_peek(struct log_reader *r, size_t n);
/* A sentence with file and line. Returns LOG_BAD. */
enum log_result log_bad(struct log_reader *r, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What log_next returns when there is no line left. */
enum log_result log_finish(struct log_reader *r, struct err *e);

void log_step_begin(struct log_reader *r, struct log_step *s);
struct log_reg *log_step_reg(struct log_step *s, const struct log_reg *g);
void log_step_mem(struct log_step *s, const struct log_mem *m);
/* Adds a register write by name; unknown names are left out. */
void log_step_named(struct log_reader *r, struct log_step *s, const char *name, const struct log_reg *value);

/* A cursor over a line. Each function leaves it where it was if it returns false. */
struct scan {
    const char *p;
};
void scan_space(struct scan *c);
bool scan_lit(struct scan *c, const char *literal);
bool scan_dec(struct scan *c, uint64_t *v);
/* Hexadecimal digits of 64 bits, after an optional 0x; digits: how many there were (may be NULL). */
bool scan_hex(struct scan *c, uint64_t *v, unsigned *digits);
/* A value of any width, with an optional 0x; '_' between digits is left out. bits: its width. */
bool scan_value(struct scan *c, struct log_reg *g, unsigned *bits);
/* A word: letters, digits, '_' and '.'. */
bool scan_word(struct scan *c, char *out, size_t cap);
bool scan_end(struct scan *c);

#define FORMAT(name, has, arm, binary, title, spec)                          \
    bool log_##name##_detect(const struct log_reader *r, const char *begin); \
    enum log_result log_##name##_next(struct log_reader *r, struct log_step *s, struct err *e);
#include "debug/logs/formats.def"
#undef FORMAT
void log_qemu_free(struct log_reader *r);
#endif
