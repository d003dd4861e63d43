#include "machine/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
    int fd, error;
    char *path, *part; /* part: NULL when written directly */
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* The name beside path that this process writes to. */
static char *part_name(const char *path)
{
    size_t cap = strlen(path) + 32;
    char *part = must(malloc(cap));
    snprintf(part, cap, "%s.%ld.part", path, (long)getpid());
    return part;
}

/* What is no regular file is not opened: the reader of a pipe would take that for its end. */
bool output_possible(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        bool fits = !S_ISDIR(st.st_mode);
        return (fits && !access(path, W_OK)) || err_set(e, "%s: cannot write: %s", path, strerror(fits ? errno : EISDIR));
    }
    struct output *o = output_open(path, e);
    if (o)
        output_drop(o);
    return o != NULL;
}

struct output *output_open(const char *path, struct err *e)
{
    struct stat st;
    bool direct = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    char *part = direct ? NULL : part_name(path);
    int fd = direct ? open(path, O_WRONLY | O_CLOEXEC) : open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        err_set(e, "%s: cannot write: %s", path, strerror(errno));
        free(part);
        return NULL;
    }
    struct output *o = must(malloc(sizeof *o));
    *o = (struct output){.fd = fd, .path = must(strdup(path)), .part = part};
    return o;
}

void output_put(struct output *o, const void *p, size_t n)
{
    const char *at = p;
    while (n && !o->error) {
        ssize_t put = write(o->fd, at, n);
        if (put < 0 && errno != EINTR)
            o->error = errno;
        if (put > 0) {
            at += put;
            n -= (size_t)put;
        }
    }
}

static void done(struct output *o)
{
    free(o->part);
    free(o->path);
    free(o);
}

bool output_close(struct output *o, struct err *e)
{
    if (o->part && !o->error && fsync(o->fd))
        o->error = errno;
    if (close(o->fd) && !o->error)
        o->error = errno;
    if (o->part && !o->error && rename(o->part, o->path))
        o->error = errno;
    if (o->part && o->error)
        unlink(o->part);
    bool ok = !o->error || err_set(e, "%s: cannot write: %s", o->path, strerror(o->error));
    done(o);
    return ok;
}

void output_drop(struct output *o)
{
    close(o->fd);
    if (o->part)
        unlink(o->part);
    done(o);
}
