/* What a reset goes back to, at little cost in memory: big images are not kept but read again from their files. */
#include "machine/machine.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_LEAST (UINT64_C(4) << 20) /* smaller images are not worth a reading */
#define CHUNK      ((size_t)1 << 18)

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static void keep(struct setup *s, const char *path, uint64_t pa, uint64_t size, uint64_t digest)
{
    struct stat st;
    if (!path || size < KEEP_LEAST)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
        close(fd);
        return;
    }
    s->kept[s->nkept++] = (struct kept_file){.path = must(strdup(path)), .fd = fd, .pa = pa, .size = size, .digest = digest};
    mem_drop(s->pristine, pa, size);
}

void kept_make(struct setup *s, struct mem *loaded, const char *kernel, const char *initrd)
{
    const struct loader *l = &s->loader;
    s->pristine = mem_fork(loaded);
    keep(s, kernel, l->kernel.start, l->kernel.verbatim, l->kernel.digest);
    keep(s, initrd, l->initrd_start, l->initrd_end - l->initrd_start, l->initrd_digest);
}

/* One file into RAM. False: it is not what it was. */
static bool reread(const struct kept_file *k, struct mem *m, uint8_t *chunk)
{
    struct hash *h = hash_new();
    uint64_t at = 0;
    while (at < k->size) {
        size_t want = k->size - at < CHUNK ? (size_t)(k->size - at) : CHUNK;
        ssize_t got = pread(k->fd, chunk, want, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || !mem_write(m, k->pa + at, chunk, (uint64_t)got))
            break;
        hash_add(h, chunk, (size_t)got);
        at += (uint64_t)got;
    }
    return hash_end(h) == k->digest && at == k->size;
}

bool kept_restore(const struct setup *s, struct mem *m, bool flash, struct err *e)
{
    if (flash)
        mem_restore(m, s->pristine);
    else
        mem_restore_ram(m, s->pristine);
    uint8_t *chunk = must(malloc(CHUNK));
    bool ok = true;
    for (unsigned i = 0; ok && i < s->nkept; i++) {
        ok = reread(&s->kept[i], m, chunk);
        if (!ok)
            err_set(e, "%s has changed since the machine was made: it cannot be reset", s->kept[i].path);
    }
    free(chunk);
    return ok;
}

void kept_free(struct setup *s)
{
    for (unsigned i = 0; i < s->nkept; i++) {
        close(s->kept[i].fd);
        free(s->kept[i].path);
    }
    mem_free(s->pristine);
}
