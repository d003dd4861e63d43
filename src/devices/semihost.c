/*
 * The operations of semihosting (Arm "Semihosting for AArch32 and AArch64", 2.0, section 7; RISC-V Semihosting 0.4).
 * Time is the guest's, the console is the machine's, and a file name can never leave the directory that was allowed.
 */
#include "devices/semihost.h"
#include <string.h>

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_READC = 0x07,
    SYS_ISERROR = 0x08,
    SYS_ISTTY = 0x09,
    SYS_SEEK = 0x0a,
    SYS_FLEN = 0x0c,
    SYS_REMOVE = 0x0e,
    SYS_RENAME = 0x0f,
    SYS_CLOCK = 0x10,
    SYS_TIME = 0x11,
    SYS_ERRNO = 0x13,
    SYS_GET_CMDLINE = 0x15,
    SYS_HEAPINFO = 0x16,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ = 0x31
};
enum { KIND_FREE = 0, KIND_STDIN, KIND_STDOUT, KIND_STDERR, KIND_FEATURES, KIND_FILE, KINDS };
enum { MODE_WRITE = 4, MODE_APPEND = 8, MODES = 12 };
enum { ENOENT_ = 2, EIO_ = 5, EBADF_ = 9, EACCES_ = 13, EFAULT_ = 14, EINVAL_ = 22, EMFILE_ = 24, ENOSYS_ = 38 };
#define APPLICATION_EXIT 0x20026u /* ADP_Stopped_ApplicationExit */
#define CHUNK            1024u
#define STRING_MOST      (UINT64_C(1) << 20) /* bytes of a SYS_WRITE0 string that lacks its NUL */

/* ":semihosting-features" (section 6.3): magic, then bit 0 SYS_EXIT_EXTENDED, bit 1 stdout and stderr apart. */
static const uint8_t feature_bytes[] = {'S', 'H', 'F', 'B', 3};

static struct semihost_result value(uint64_t v) { return (struct semihost_result){.action = SEMIHOST_RETURN, .value = v}; }

static struct semihost_result fail(const struct semihost_env *e, int error)
{
    e->state->error = error;
    return value(UINT64_MAX);
}

/* The first n words of the parameter block. */
static bool words(const struct semihost_env *e, uint64_t va, uint64_t *w, unsigned n)
{
    unsigned size = e->xlen / 8;
    uint8_t b[4 * 8];
    if (!e->read(e->ctx, va, b, (uint64_t)n * size))
        return false;
    for (unsigned i = 0; i < n; i++) {
        w[i] = 0;
        for (unsigned k = 0; k < size; k++)
            w[i] |= (uint64_t)b[i * size + k] << 8 * k;
    }
    return true;
}

static bool put_words(const struct semihost_env *e, uint64_t va, const uint64_t *w, unsigned n)
{
    unsigned size = e->xlen / 8;
    uint8_t b[4 * 8];
    for (unsigned i = 0; i < n * size; i++)
        b[i] = (uint8_t)(w[i / size] >> 8 * (i % size));
    return e->write(e->ctx, va, b, (uint64_t)n * size);
}

/* A name of len bytes; false if it is unreadable, too long or has a NUL inside. name holds SEMIHOST_NAME_MAX + 1 bytes. */
static bool get_name(const struct semihost_env *e, uint64_t va, uint64_t len, char *name)
{
    if (!len || len > SEMIHOST_NAME_MAX || !e->read(e->ctx, va, name, len))
        return false;
    name[len] = 0;
    return strlen(name) == len;
}

/* Whether a name stays below the allowed directory: relative, no "." or "..", no empty part, no control or backslash bytes. */
static bool name_is_safe(const char *name)
{
    for (const char *p = name;; p++) {
        size_t n = strcspn(p, "/");
        if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)p[i] < 0x20 || p[i] == '\\')
                return false;
        p += n;
        if (!*p)
            return true;
    }
}

static struct semihost_result sys_open(const struct semihost_env *e, uint64_t arg)
{
    struct semihost *s = e->state;
    char name[SEMIHOST_NAME_MAX + 1];
    uint64_t w[3];
    unsigned i = 0;
    uint32_t kind = KIND_FILE;
    int file = 0;
    if (!words(e, arg, w, 3))
        return fail(e, EFAULT_);
    if (w[1] >= MODES || !get_name(e, w[0], w[2], name))
        return fail(e, EINVAL_);
    while (i < SEMIHOST_HANDLES && s->handle[i].kind != KIND_FREE)
        i++;
    if (i == SEMIHOST_HANDLES)
        return fail(e, EMFILE_);
    if (!strcmp(name, ":tt")) {
        kind = w[1] < MODE_WRITE ? KIND_STDIN : w[1] < MODE_APPEND ? KIND_STDOUT : KIND_STDERR;
    } else if (!strcmp(name, ":semihosting-features")) {
        if (w[1] > 1)
            return fail(e, EACCES_);
        kind = KIND_FEATURES;
    } else {
        if (!e->files || name[0] == ':' || !name_is_safe(name))
            return fail(e, EACCES_);
        file = e->files->open(e->ctx, name, (unsigned)w[1]);
        if (file < 0)
            return fail(e, -file);
    }
    s->handle[i].kind = kind;
    s->handle[i].file = file;
    s->handle[i].at = 0;
    if (kind == KIND_FILE && w[1] >= MODE_APPEND) {
        int64_t size = e->files->size(e->ctx, file);
        s->handle[i].at = size > 0 ? (uint64_t)size : 0;
    }
    return value(i + 1);
}

/* The handle's index, or -1. A file's handle is no good without files. */
static int handle_index(const struct semihost_env *e, uint64_t handle)
{
    if (!handle || handle > SEMIHOST_HANDLES || e->state->handle[handle - 1].kind == KIND_FREE)
        return -1;
    if (e->state->handle[handle - 1].kind == KIND_FILE && !e->files)
        return -1;
    return (int)handle - 1;
}

static struct semihost_result sys_close(const struct semihost_env *e, int i)
{
    struct semihost *s = e->state;
    int r = s->handle[i].kind == KIND_FILE ? e->files->close(e->ctx, s->handle[i].file) : 0;
    s->handle[i].kind = KIND_FREE;
    s->handle[i].file = 0;
    s->handle[i].at = 0;
    return r < 0 ? fail(e, -r) : value(0);
}

static struct semihost_result sys_write0(const struct semihost_env *e, uint64_t va)
{
    uint8_t c;
    for (uint64_t i = 0; i < STRING_MOST; i++) {
        if (!e->read(e->ctx, va + i, &c, 1) || !c)
            break;
        e->output(e->ctx, &c, 1);
    }
    return value(0);
}

/* Returns how many bytes were not written: 0 is success. */
static struct semihost_result sys_write(const struct semihost_env *e, int i, uint64_t va, uint64_t len)
{
    struct semihost *s = e->state;
    uint32_t kind = s->handle[i].kind;
    uint8_t buf[CHUNK];
    if (kind == KIND_STDIN || kind == KIND_FEATURES) {
        s->error = EBADF_;
        return value(len);
    }
    while (len) {
        size_t n = len < CHUNK ? (size_t)len : CHUNK;
        if (!e->read(e->ctx, va, buf, n)) {
            s->error = EFAULT_;
            break;
        }
        int64_t done = (int64_t)n;
        if (kind == KIND_FILE)
            done = e->files->write(e->ctx, s->handle[i].file, s->handle[i].at, buf, n);
        else
            e->output(e->ctx, buf, n);
        if (done <= 0 || (uint64_t)done > n) {
            s->error = done < 0 ? (int32_t)-done : EIO_;
            break;
        }
        s->handle[i].at += (uint64_t)done;
        va += (uint64_t)done;
        len -= (uint64_t)done;
    }
    return value(len);
}

/* One piece of at most CHUNK bytes from a handle at its position: how many, 0 at the end, below 0 -errno. */
static int64_t read_piece(const struct semihost_env *e, int i, uint8_t *buf, size_t n)
{
    struct semihost *s = e->state;
    uint64_t at = s->handle[i].at;
    switch (s->handle[i].kind) {
    case KIND_STDIN: return (int64_t)e->input(e->ctx, buf, n);
    case KIND_FILE: return e->files->read(e->ctx, s->handle[i].file, at, buf, n);
    case KIND_FEATURES:
        if (at >= sizeof feature_bytes)
            return 0;
        n = n < sizeof feature_bytes - at ? n : sizeof feature_bytes - (size_t)at;
        memcpy(buf, feature_bytes + at, n);
        return (int64_t)n;
    default: return -EBADF_;
    }
}

/* Returns how many bytes were not read: 0 is success, the length itself is end of file. The console waits for its first byte. */
static struct semihost_result sys_read(const struct semihost_env *e, int i, uint64_t va, uint64_t len)
{
    struct semihost *s = e->state;
    bool console = s->handle[i].kind == KIND_STDIN;
    uint8_t buf[CHUNK] = {0};
    uint64_t left = len;
    while (left) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        int64_t got = read_piece(e, i, buf, n);
        if (got < 0 || (uint64_t)got > n) {
            s->error = got < 0 ? (int32_t)-got : EIO_;
            break;
        }
        if (!got && console && left == len)
            return (struct semihost_result){.action = SEMIHOST_WAIT};
        if (!got)
            break;
        if (!e->write(e->ctx, va, buf, (uint64_t)got)) {
            s->error = EFAULT_;
            break;
        }
        s->handle[i].at += (uint64_t)got;
        va += (uint64_t)got;
        left -= (uint64_t)got;
        if (console)
            break;
    }
    return value(left);
}

static struct semihost_result sys_flen(const struct semihost_env *e, int i)
{
    const struct semihost *s = e->state;
    if (s->handle[i].kind == KIND_FEATURES)
        return value(sizeof feature_bytes);
    if (s->handle[i].kind != KIND_FILE)
        return fail(e, EINVAL_);
    int64_t size = e->files->size(e->ctx, s->handle[i].file);
    return size < 0 ? fail(e, (int)-size) : value((uint64_t)size);
}

static struct semihost_result sys_seek(const struct semihost_env *e, int i, uint64_t at)
{
    struct semihost *s = e->state;
    if (s->handle[i].kind != KIND_FILE && s->handle[i].kind != KIND_FEATURES)
        return fail(e, EINVAL_);
    uint64_t size = sys_flen(e, i).value;
    if (size == UINT64_MAX || at > size)
        return fail(e, EINVAL_);
    s->handle[i].at = at;
    return value(0);
}

/* Operations whose block begins with a handle. */
static struct semihost_result on_handle(const struct semihost_env *e, uint32_t op, uint64_t arg)
{
    unsigned n = op == SYS_WRITE || op == SYS_READ ? 3 : op == SYS_SEEK ? 2 : 1;
    uint64_t w[3];
    if (!words(e, arg, w, n))
        return fail(e, EFAULT_);
    int i = handle_index(e, w[0]);
    if (i < 0 && (op == SYS_WRITE || op == SYS_READ)) {
        e->state->error = EBADF_;
        return value(w[2]);
    }
    if (i < 0)
        return fail(e, EBADF_);
    switch (op) {
    case SYS_CLOSE: return sys_close(e, i);
    case SYS_WRITE: return sys_write(e, i, w[1], w[2]);
    case SYS_READ: return sys_read(e, i, w[1], w[2]);
    case SYS_SEEK: return sys_seek(e, i, w[1]);
    case SYS_FLEN: return sys_flen(e, i);
    default: return value(e->state->handle[i].kind <= KIND_STDERR); /* SYS_ISTTY */
    }
}

static struct semihost_result sys_remove_rename(const struct semihost_env *e, uint32_t op, uint64_t arg)
{
    char a[SEMIHOST_NAME_MAX + 1], b[SEMIHOST_NAME_MAX + 1];
    uint64_t w[4];
    bool two = op == SYS_RENAME;
    if (!words(e, arg, w, two ? 4 : 2))
        return fail(e, EFAULT_);
    if (!get_name(e, w[0], w[1], a) || (two && !get_name(e, w[2], w[3], b)))
        return fail(e, EINVAL_);
    if (!e->files || a[0] == ':' || !name_is_safe(a) || (two && (b[0] == ':' || !name_is_safe(b))))
        return fail(e, EACCES_);
    int r = two ? e->files->rename(e->ctx, a, b) : e->files->remove(e->ctx, a);
    return r < 0 ? fail(e, -r) : value(0);
}

static struct semihost_result sys_get_cmdline(const struct semihost_env *e, uint64_t arg)
{
    const char *line = e->cmdline ? e->cmdline : "";
    uint64_t w[2], len = strlen(line);
    if (!words(e, arg, w, 2))
        return fail(e, EFAULT_);
    if (w[1] <= len)
        return fail(e, EINVAL_); /* no room for it and its NUL */
    if (!e->write(e->ctx, w[0], line, len + 1))
        return fail(e, EFAULT_);
    w[1] = len;
    return put_words(e, arg, w, 2) ? value(0) : fail(e, EFAULT_);
}

static struct semihost_result sys_heapinfo(const struct semihost_env *e, uint64_t arg)
{
    uint64_t at, w[4] = {e->heap_base, e->heap_limit, e->stack_base, e->stack_limit};
    if (!words(e, arg, &at, 1) || !put_words(e, at, w, 4))
        return fail(e, EFAULT_);
    return value(0);
}

/* SYS_EXIT has a block only where words are 64 bits; with 32 its argument is the reason itself (7.5, 7.6). */
static struct semihost_result sys_exit(const struct semihost_env *e, uint32_t op, uint64_t arg)
{
    uint64_t w[2] = {(uint32_t)arg, 0};
    if ((op == SYS_EXIT_EXTENDED || e->xlen == 64) && !words(e, arg, w, 2))
        return fail(e, EFAULT_);
    int code = w[0] == APPLICATION_EXIT ? (int)(uint32_t)w[1] : 1;
    return (struct semihost_result){.action = SEMIHOST_EXIT, .code = code};
}

/* A tick count is 64 bits in memory at any width, low half first. */
static struct semihost_result sys_elapsed(const struct semihost_env *e, uint64_t arg)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (uint8_t)(e->ticks >> 8 * i);
    return e->write(e->ctx, arg, b, sizeof b) ? value(0) : fail(e, EFAULT_);
}

static uint64_t centiseconds(const struct semihost_env *e)
{
    uint64_t hz = e->tick_hz ? e->tick_hz : 1;
    return (uint64_t)((unsigned __int128)e->ticks * 100 / hz);
}

static struct semihost_result console_operation(const struct semihost_env *e, uint32_t op, uint64_t arg)
{
    uint8_t c = 0;
    if (op == SYS_WRITE0)
        return sys_write0(e, arg);
    if (op == SYS_READC)
        return e->input(e->ctx, &c, 1) ? value(c) : (struct semihost_result){.action = SEMIHOST_WAIT};
    if (!e->read(e->ctx, arg, &c, 1))
        return fail(e, EFAULT_);
    e->output(e->ctx, &c, 1);
    return value(0);
}

struct semihost_result semihost_call(const struct semihost_env *e, uint32_t op, uint64_t arg)
{
    uint64_t w;
    switch (op) {
    case SYS_OPEN: return sys_open(e, arg);
    case SYS_CLOSE:
    case SYS_WRITE:
    case SYS_READ:
    case SYS_ISTTY:
    case SYS_SEEK:
    case SYS_FLEN: return on_handle(e, op, arg);
    case SYS_WRITEC:
    case SYS_WRITE0:
    case SYS_READC: return console_operation(e, op, arg);
    case SYS_ISERROR: return words(e, arg, &w, 1) ? value(w >> (e->xlen - 1) & 1) : fail(e, EFAULT_);
    case SYS_REMOVE:
    case SYS_RENAME: return sys_remove_rename(e, op, arg);
    case SYS_CLOCK: return value(centiseconds(e));
    case SYS_TIME: return value(e->epoch + centiseconds(e) / 100);
    case SYS_ERRNO: return value((uint64_t)e->state->error);
    case SYS_GET_CMDLINE: return sys_get_cmdline(e, arg);
    case SYS_HEAPINFO: return sys_heapinfo(e, arg);
    case SYS_EXIT:
    case SYS_EXIT_EXTENDED: return sys_exit(e, op, arg);
    case SYS_ELAPSED: return sys_elapsed(e, arg);
    case SYS_TICKFREQ: return value(e->tick_hz);
    default: return fail(e, ENOSYS_); /* SYS_TMPNAM and SYS_SYSTEM too: no temporary files, no host commands */
    }
}

bool semihost_valid(const struct semihost *s)
{
    for (unsigned i = 0; i < SEMIHOST_HANDLES; i++)
        if (s->handle[i].kind >= KINDS || s->handle[i].file < 0 || s->handle[i].at > INT64_MAX)
            return false;
    return true;
}
