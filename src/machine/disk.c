#include "machine/disk.h"
#include "mem/mem.h"
#include "mem/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file, shared by a machine and its forks. */
struct file {
    uint32_t refs;
    int fd;
    uint64_t size;
    bool readonly, write;
    char *path;
};

struct disk {
    struct file *file;
    struct pool *pool;
    struct spare spare;
    struct tree pages;
    bool fork;
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- the option
 * --------------------------------------------------------------------------------------------------------------------- */

struct option {
    char *file;
    bool readonly, write;
    bool flash;    /* if=pflash */
    unsigned unit; /* of flash; 2: any */
};

static bool flag_value(const char *name, const char *value, bool *out, const char *all, struct err *e)
{
    *out = !strcmp(value, "on");
    if (*out || !strcmp(value, "off"))
        return true;
    return err_set(e, "-drive %s: %s is 'on' or 'off', not '%s'", all, name, value);
}

static bool one_option(struct option *o, char *part, const char *all, struct err *e)
{
    char *value = strchr(part, '=');
    if (!value)
        return err_set(e, "-drive %s: '%s' has no value (file=…, readonly=on, write=on)", all, part);
    *value++ = 0;
    if (!strcmp(part, "file")) {
        free(o->file);
        o->file = must(strdup(value));
        return true;
    }
    if (!strcmp(part, "readonly") || !strcmp(part, "read-only"))
        return flag_value(part, value, &o->readonly, all, e);
    if (!strcmp(part, "write"))
        return flag_value(part, value, &o->write, all, e);
    if (!strcmp(part, "if")) {
        o->flash = !strcmp(value, "pflash");
        return o->flash || !strcmp(value, "virtio") ||
               err_set(e, "-drive %s: if=%s is not there, only if=virtio and if=pflash", all, value);
    }
    if (!strcmp(part, "unit")) {
        o->unit = (unsigned)(*value - '0');
        return (o->unit < 2 && !value[1]) || err_set(e, "-drive %s: unit=%s: flash banks are 0 and 1", all, value);
    }
    if (!strcmp(part, "format"))
        return !strcmp(value, "raw") || err_set(e, "-drive %s: format=%s is not there, only format=raw", all, value);
    if (!strcmp(part, "id") || !strcmp(part, "index") || !strcmp(part, "media") || !strcmp(part, "cache"))
        return true; /* nothing follows from these here */
    return err_set(e, "-drive %s: unknown option '%s'", all, part);
}

/* The length of the part up to the next single comma; ",," is a comma in the part, which is unescaped into out. */
static size_t take_part(const char *s, char *out)
{
    size_t i = 0;
    while (s[i] && !(s[i] == ',' && s[i + 1] != ',')) {
        i += s[i] == ',';
        *out++ = s[i++];
    }
    *out = 0;
    return i;
}

static bool parse(struct option *o, const char *text, struct err *e)
{
    if (strncmp(text, "file=", 5) && !strstr(text, ",file=")) {
        o->file = must(strdup(text));
        return true;
    }
    char *part = must(malloc(strlen(text) + 1));
    bool ok = true;
    for (const char *s = text; ok && *s; s += *s == ',') {
        s += take_part(s, part);
        ok = !*part || one_option(o, part, text, e);
    }
    free(part);
    if (ok && o->readonly && o->write)
        return err_set(e, "-drive %s: readonly=on and write=on contradict each other", text);
    return ok;
}

static struct file *open_file(struct option *o, struct err *e)
{
    struct stat st;
    int fd = open(o->file, (o->write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0) {
        err_set(e, "%s: %s", o->file, strerror(errno));
        return NULL;
    }
    off_t size = -1;
    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        size = lseek(fd, 0, SEEK_END);
    if (size < 512) {
        if (size < 0)
            err_set(e, "%s is no disk image: it is neither a regular file nor a block device", o->file);
        else
            err_set(e, "%s is no disk image: it has %lld bytes, less than one sector", o->file, (long long)size);
        close(fd);
        return NULL;
    }
    struct file *f = must(malloc(sizeof *f));
    *f = (struct file){.refs = 1, .fd = fd, .size = (uint64_t)size, .readonly = o->readonly, .write = o->write, .path = o->file};
    o->file = NULL;
    return f;
}

static uint64_t page_count(const struct file *f) { return (f->size + MEM_PAGE_SIZE - 1) / MEM_PAGE_SIZE; }

bool disk_is_flash(const char *option, char **path, unsigned *unit, struct err *e)
{
    struct option o = {.unit = 2};
    bool ok;
    *path = NULL;
    if (!strstr(option, "if=pflash"))
        return false;
    ok = parse(&o, option, e);
    if (ok && !o.flash) {
        free(o.file);
        return false;
    }
    if (ok && o.write)
        ok = err_set(e, "-drive %s: what is written to flash stays in memory; write=on is for disks", option);
    if (ok && (!o.file || !*o.file))
        ok = err_set(e, "-drive %s: the file is missing", option);
    *unit = o.unit;
    if (ok)
        *path = o.file;
    else
        free(o.file);
    return true;
}

struct disk *disk_open(const char *option, struct err *e)
{
    struct option o = {0};
    struct file *f = parse(&o, option, e) ? open_file(&o, e) : NULL;
    free(o.file);
    if (!f)
        return NULL;
    struct disk *d = must(calloc(1, sizeof *d));
    d->file = f;
    d->pool = pool_new();
    tree_init(&d->pages, page_count(f));
    return d;
}

struct disk *disk_fork(struct disk *d)
{
    struct disk *f = must(calloc(1, sizeof *f));
    f->file = d->file;
    __atomic_add_fetch(&f->file->refs, 1, __ATOMIC_RELAXED);
    f->pool = pool_get(d->pool);
    tree_share(&f->pages, &d->pages);
    f->fork = true;
    return f;
}

static void drop_pages(struct disk *d)
{
    tree_free(&d->pages, d->pool, &d->spare);
    spare_free(&d->spare, d->pool);
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    drop_pages(d);
    pool_put(d->pool);
    if (!__atomic_sub_fetch(&d->file->refs, 1, __ATOMIC_ACQ_REL)) {
        close(d->file->fd);
        free(d->file->path);
        free(d->file);
    }
    free(d);
}

static void nothing(void *ctx, uint64_t n)
{
    (void)ctx;
    (void)n;
}

void disk_restore(struct disk *d, const struct disk *from)
{
    tree_restore(&d->pages, &from->pages, d->pool, &d->spare, nothing, NULL);
}

void disk_reset(struct disk *d)
{
    drop_pages(d);
    tree_init(&d->pages, page_count(d->file));
}

uint64_t disk_size(const struct disk *d) { return d->file->size; }
bool disk_readonly(const struct disk *d) { return d->file->readonly; }
const char *disk_path(const struct disk *d) { return d->file->path; }

/* ---- contents
 * ----------------------------------------------------------------------------------------------------------------------- */

static bool in_disk(const struct disk *d, uint64_t off, size_t n) { return off <= d->file->size && n <= d->file->size - off; }

/* Reads from the file; behind its end are zeros. */
static bool read_file(const struct file *f, uint64_t off, uint8_t *p, size_t n)
{
    while (n) {
        ssize_t got = pread(f->fd, p, n, (off_t)off);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (!got) {
            memset(p, 0, n);
            return true;
        }
        p += got;
        off += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static size_t in_page(uint64_t off, size_t n)
{
    size_t here = MEM_PAGE_SIZE - (size_t)(off % MEM_PAGE_SIZE);
    return here < n ? here : n;
}

bool disk_read(struct disk *d, uint64_t off, void *p, size_t n)
{
    if (!in_disk(d, off, n))
        return false;
    uint8_t *out = p;
    for (size_t here; n; off += here, out += here, n -= here) {
        here = in_page(off, n);
        const uint8_t *page = tree_page(&d->pages, off / MEM_PAGE_SIZE);
        if (page)
            memcpy(out, page + off % MEM_PAGE_SIZE, here);
        else if (!read_file(d->file, off, out, here))
            return false;
    }
    return true;
}

bool disk_write(struct disk *d, uint64_t off, const void *p, size_t n)
{
    if (d->file->readonly || !in_disk(d, off, n))
        return false;
    const uint8_t *in = p;
    uint8_t old[MEM_PAGE_SIZE];
    for (size_t here; n; off += here, in += here, n -= here) {
        here = in_page(off, n);
        bool fresh = !tree_page(&d->pages, off / MEM_PAGE_SIZE);
        if (fresh && here < MEM_PAGE_SIZE && !read_file(d->file, off & ~(uint64_t)(MEM_PAGE_SIZE - 1), old, sizeof old))
            return false;
        uint8_t *page = tree_own(&d->pages, off / MEM_PAGE_SIZE, d->pool, &d->spare);
        if (fresh && here < MEM_PAGE_SIZE)
            memcpy(page, old, sizeof old);
        memcpy(page + off % MEM_PAGE_SIZE, in, here);
    }
    return true;
}

void disk_visit(const struct disk *d, void (*fn)(void *ctx, uint64_t off, const uint8_t *page), void *ctx)
{
    for (uint64_t n = 0; n < page_count(d->file); n++) {
        if (!d->pages.mid[n / TREE_MID_PAGES]) {
            n |= TREE_MID_PAGES - 1;
            continue;
        }
        const uint8_t *page = tree_page(&d->pages, n);
        if (page)
            fn(ctx, n * MEM_PAGE_SIZE, page);
    }
}

struct commit {
    const struct file *file;
    int error;
};

static void commit_page(void *ctx, uint64_t off, const uint8_t *page)
{
    struct commit *c = ctx;
    uint64_t left = c->file->size - off;
    size_t n = left < MEM_PAGE_SIZE ? (size_t)left : MEM_PAGE_SIZE;
    while (n && !c->error) {
        ssize_t put = pwrite(c->file->fd, page, n, (off_t)off);
        if (put < 0 && errno != EINTR)
            c->error = errno;
        if (put > 0) {
            page += put;
            off += (uint64_t)put;
            n -= (size_t)put;
        }
    }
}

bool disk_commit(struct disk *d, struct err *e)
{
    struct commit c = {d->file, 0};
    if (!d->file->write || d->fork)
        return true;
    disk_visit(d, commit_page, &c);
    if (!c.error && fsync(d->file->fd) && errno != EINVAL)
        c.error = errno;
    return !c.error || err_set(e, "%s: cannot write the guest's changes: %s", d->file->path, strerror(c.error));
}
