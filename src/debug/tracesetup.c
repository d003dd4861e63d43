#include "debug/tracesetup.h"
#include "base/hash.h"
#include "cpu/insns.h"
#include "machine/image.h"
#include "machine/loader.h"
#include "machine/machine.h"
#include "machine/pieces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static char *own(struct trace_setup *s, char *text)
{
    s->owned = must(realloc(s->owned, (s->owns + 1) * sizeof *s->owned));
    s->owned[s->owns++] = must(text);
    return text;
}

static const char *copy(struct trace_setup *s, const char *text) { return text ? own(s, strdup(text)) : NULL; }

void trace_setup_free(struct trace_setup *s)
{
    for (size_t i = 0; i < s->owns; i++)
        free(s->owned[i]);
    free(s->owned);
    free(s->word);
    *s = (struct trace_setup){0};
}

/* ---- images --------------------------------------------------------------------------------------------------------------- */

static bool add_image(struct trace_setup *s, const char *role, const char *path, uint64_t limit, struct err *e)
{
    struct buf b;
    struct stat st;
    if (!path || !strcmp(path, "none"))
        return true;
    if (s->images == TRACE_IMAGES)
        return err_set(e, "%s: a trace can be of %u images at most", path, TRACE_IMAGES);
    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return err_set(e, "%s is no regular file: a run of it cannot be recorded, as it can be read only once", path);
    if (!image_read_file(path, &b, e))
        return false;
    struct trace_image *i = &s->image[s->images++];
    *i = (struct trace_image){.size = b.len, .digest = hash_bytes(b.data, b.len), .inside = b.len <= limit};
    snprintf(i->role, sizeof i->role, "%s", role);
    i->path = own(s, strdup(path));
    buf_free(&b);
    return true;
}

/* The part of a -drive option that names the file (machine/disk.h): where it is and how long, commas doubled as they are. */
static const char *drive_file(const char *option, size_t *n)
{
    const char *p = strstr(option, "file=");
    if (p != option && !strstr(option, ",file=")) {
        *n = strlen(option);
        return option;
    }
    p = p == option ? p + 5 : strstr(option, ",file=") + 6;
    const char *end = p;
    while (*end && (*end != ',' || end[1] == ','))
        end += *end == ',' ? 2 : 1;
    *n = (size_t)(end - p);
    return p;
}

/* With the doubled commas made one. */
static char *drive_path(const char *option)
{
    size_t n, k = 0;
    const char *p = drive_file(option, &n);
    char *out = must(malloc(n + 1));
    for (size_t i = 0; i < n; i++) {
        out[k++] = p[i];
        i += p != option && p[i] == ',' && i + 1 < n;
    }
    out[k] = '\0';
    return out;
}

/* The option with another file, to which nothing is written. */
static char *drive_of(const char *option, const char *path)
{
    struct buf b = {0};
    size_t n;
    const char *p = drive_file(option, &n);
    buf_printf(&b, "file=");
    for (; *path; path++)
        buf_printf(&b, *path == ',' ? ",," : "%c", *path);
    const char *rest = p == option ? "" : p + n;
    if (p != option && p > option + 5) { /* words before file= */
        char *before = must(strndup(option, (size_t)(p - option) - 6));
        buf_printf(&b, ",%s", before);
        free(before);
    }
    buf_printf(&b, "%s", rest);
    char *write = strstr((char *)b.data, ",write=on");
    if (write)
        memmove(write, write + 9, strlen(write + 9) + 1);
    return (char *)b.data;
}

static bool add_images(struct trace_setup *s, const char *state, uint64_t limit, struct err *e)
{
    struct machine_config *c = &s->config;
    char path[256];
    if (c->bios && !strcmp(c->bios, LOADER_FIRMWARE_DEFAULT)) {
        if (!loader_find_firmware(c->cpu && strstr(c->cpu, "rv32") ? 32 : 64, path, sizeof path, e))
            return false;
        c->bios = copy(s, path);
    }
    if (!add_image(s, "bios", c->bios, limit, e) || !add_image(s, "kernel", c->kernel, limit, e) ||
        !add_image(s, "initrd", c->initrd, limit, e) || !add_image(s, "dtb", c->dtb, limit, e) ||
        !add_image(s, "state", state, limit, e))
        return false;
    for (unsigned i = 0; i < c->ndrives; i++) {
        char role[24], *file = drive_path(c->drives[i]);
        snprintf(role, sizeof role, "drive%u", i);
        bool ok = add_image(s, role, file, limit, e);
        free(file);
        if (!ok)
            return false;
    }
    return true;
}

bool trace_setup_of(struct trace_setup *s, const struct machine_config *c, const char *state, uint64_t limit, struct err *e)
{
    *s = (struct trace_setup){.config = *c};
    struct machine_config *k = &s->config;
    k->host = (struct machine_host){0};
    k->board = copy(s, c->board);
    k->cpu = copy(s, c->cpu);
    k->bios = copy(s, c->bios);
    k->kernel = copy(s, c->kernel);
    k->initrd = copy(s, c->initrd);
    k->append = copy(s, c->append);
    k->dtb = copy(s, c->dtb);
    k->drives = s->drives;
    k->devices = s->devices;
    s->program = own(s, strdup(TRAPLINE_VERSION));
    if (c->ndrives > TRACE_LIST || c->ndevices > TRACE_LIST)
        return err_set(e, "too many drives or devices for a trace");
    for (unsigned i = 0; i < c->ndrives; i++)
        s->drives[i] = copy(s, c->drives[i]);
    for (unsigned i = 0; i < c->ndevices; i++)
        s->devices[i] = copy(s, c->devices[i]);
    if (add_images(s, state, limit, e))
        return true;
    trace_setup_free(s);
    return false;
}

static void add_name(void *ctx, const char *name, void *p, size_t n)
{
    (void)p;
    hash_add(ctx, name, strlen(name) + 1);
    hash_add_u64(ctx, n);
}

uint64_t trace_schema(struct machine *m)
{
    struct hash *h = hash_new();
    machine_pieces(m, add_name, h);
    return hash_end(h);
}

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

typedef void word_fn(void *ctx, const char *key, const char *value);

static void number(word_fn *fn, void *ctx, const char *key, uint64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, v);
    fn(ctx, key, text);
}

static void text(word_fn *fn, void *ctx, const char *key, const char *v)
{
    if (v)
        fn(ctx, key, v);
}

void trace_setup_words(const struct trace_setup *s, word_fn *fn, void *ctx)
{
    const struct machine_config *c = &s->config;
    char line[64];
    text(fn, ctx, "program", s->program);
    text(fn, ctx, "board", c->board);
    text(fn, ctx, "cpu", c->cpu);
    number(fn, ctx, "harts", c->harts);
    number(fn, ctx, "ram", c->ram);
    number(fn, ctx, "quantum", c->quantum);
    number(fn, ctx, "clock", c->clock_hz);
    number(fn, ctx, "seed", c->seed);
    number(fn, ctx, "epoch", c->rtc_epoch);
    number(fn, ctx, "semihosting", c->semihosting);
    text(fn, ctx, "append", c->append);
    for (unsigned i = 0; i < c->ndevices; i++)
        fn(ctx, "device", c->devices[i]);
    for (unsigned i = 0; i < c->ndrives; i++)
        fn(ctx, "drive", c->drives[i]);
    for (unsigned i = 0; i < s->images; i++) {
        const struct trace_image *k = &s->image[i];
        struct buf b = {0};
        buf_printf(&b, "%s %016" PRIx64 " %" PRIu64 " %s %s", k->role, k->digest, k->size, k->inside ? "inside" : "outside",
                   k->path);
        fn(ctx, "image", (char *)b.data);
        buf_free(&b);
    }
    snprintf(line, sizeof line, "%016" PRIx64, s->schema);
    fn(ctx, "schema", line);
    number(fn, ctx, "traps", s->traps);
    number(fn, ctx, "instructions", s->instructions);
    number(fn, ctx, "words", s->word_count);
    for (unsigned i = 0; i < s->words; i++) {
        char register_line[96];
        snprintf(register_line, sizeof register_line, "%s %u %u %u", s->word[i].name, s->word[i].first, s->word[i].n,
                 s->word[i].each);
        fn(ctx, "register", register_line);
    }
}

static bool parse_image(struct trace_setup *s, const char *v, struct err *e)
{
    struct trace_image k = {0};
    char where[16];
    int at = 0;
    if (s->images == TRACE_IMAGES ||
        sscanf(v, "%15s %" SCNx64 " %" SCNu64 " %15s %n", k.role, &k.digest, &k.size, where, &at) < 4 || !at || !v[at])
        return err_set(e, "'%s' is no image", v);
    k.inside = !strcmp(where, "inside");
    k.path = own(s, strdup(v + at));
    s->image[s->images++] = k;
    return true;
}

static bool list_add(struct trace_setup *s, const char **list, unsigned *n, const char *v, struct err *e)
{
    if (*n == TRACE_LIST)
        return err_set(e, "too many drives or devices");
    list[(*n)++] = copy(s, v);
    return true;
}

static bool number_word(struct trace_setup *s, const char *key, const char *v, struct err *e)
{
    struct machine_config *c = &s->config;
    uint64_t n = 0;
    int used = 0;
    bool ok = sscanf(v, "%" SCNu64 "%n", &n, &used) == 1 && !v[used];
    uint64_t *to = !strcmp(key, "ram")       ? &c->ram
                   : !strcmp(key, "quantum") ? &c->quantum
                   : !strcmp(key, "clock")   ? &c->clock_hz
                   : !strcmp(key, "seed")    ? &c->seed
                   : !strcmp(key, "epoch")   ? &c->rtc_epoch
                                             : NULL;
    if (to)
        *to = n;
    else if (!strcmp(key, "harts"))
        c->harts = n > 64 ? 64 : (unsigned)n;
    else if (!strcmp(key, "semihosting"))
        c->semihosting = n != 0;
    else if (!strcmp(key, "traps"))
        s->traps = n != 0;
    else if (!strcmp(key, "instructions"))
        s->instructions = n != 0;
    else if (!strcmp(key, "words"))
        s->word_count = n < INSN_NO_WORD ? (unsigned)n : INSN_NO_WORD;
    else
        return true; /* a newer version's: of no concern */
    return ok || err_set(e, "%s '%s' is no number", key, v);
}

/* ---- names of registers -----------------------------------------------------------------------------------------------------
 */

static void add_register(struct trace_setup *s, const struct trace_words *w)
{
    s->word = realloc(s->word, (s->words + 1) * sizeof *s->word);
    if (!s->word)
        abort(); /* out of host memory: nothing sensible can go on */
    s->word[s->words++] = *w;
}

static bool parse_register(struct trace_setup *s, const char *v, struct err *e)
{
    struct trace_words w = {0};
    if (sscanf(v, "%47s %u %u %u", w.name, &w.first, &w.n, &w.each) != 4 || !w.each)
        return err_set(e, "'%s' is no register", v);
    add_register(s, &w);
    return true;
}

struct naming {
    struct trace_setup *s;
    const char *state;
    const struct insn_layout *layout;
};

/* A cpu_piece_fn. Small pieces that share a word share its name. */
static void name_piece(void *ctx, const char *name, void *p, size_t n)
{
    struct naming *x = ctx;
    size_t at = (size_t)((const char *)p - x->state);
    struct trace_words w = {.first = (unsigned)(at / 8), .n = (unsigned)((n + 7) / 8), .each = 1}, *last;
    last = x->s->words ? &x->s->word[x->s->words - 1] : NULL;
    if (n < 8 && last && last->n == 1 && last->first == w.first) {
        size_t len = strlen(last->name);
        snprintf(last->name + len, sizeof last->name - len, "/%s", name);
        return;
    }
    snprintf(w.name, sizeof w.name, "%s", name);
    if (w.first == x->layout->v && x->layout->v_step > 1)
        w.each = x->layout->v_step;
    add_register(x->s, &w);
}

void trace_setup_registers(struct trace_setup *s, struct machine *m)
{
    const struct insn_layout *l = m->arch->insns;
    struct cpu *c = machine_hart(m, 0);
    struct naming x = {s, (const char *)(c + 1), l};
    s->word_count = INSN_WORDS(l);
    m->arch->pieces(c, name_piece, &x);
    add_register(s, &(struct trace_words){.name = "nzcv", .first = INSN_NZCV(l), .n = 1, .each = 1});
    add_register(s, &(struct trace_words){.name = "fpflags", .first = INSN_FPFLAGS(l), .n = 1, .each = 1});
}

void trace_setup_register(const struct trace_setup *s, unsigned word, char *out, size_t size)
{
    for (unsigned i = 0; i < s->words; i++) {
        const struct trace_words *w = &s->word[i];
        if (word < w->first || word - w->first >= w->n)
            continue;
        unsigned k = word - w->first;
        if (w->each > 1)
            snprintf(out, size, "%s%u[%u]", w->name, k / w->each, k % w->each);
        else if (w->n > 1)
            snprintf(out, size, strncmp(w->name, "csr.", 4) ? "%s%u" : "%s[%u]", w->name, k);
        else
            snprintf(out, size, "%s", w->name);
        return;
    }
    snprintf(out, size, "word%u", word);
}

bool trace_setup_word(struct trace_setup *s, const char *key, const char *v, struct err *e)
{
    struct machine_config *c = &s->config;
    c->drives = s->drives;
    c->devices = s->devices;
    if (!strcmp(key, "program"))
        s->program = own(s, strdup(v));
    else if (!strcmp(key, "board"))
        c->board = copy(s, v);
    else if (!strcmp(key, "cpu"))
        c->cpu = copy(s, v);
    else if (!strcmp(key, "append"))
        c->append = copy(s, v);
    else if (!strcmp(key, "device"))
        return list_add(s, s->devices, &c->ndevices, v, e);
    else if (!strcmp(key, "drive"))
        return list_add(s, s->drives, &c->ndrives, v, e);
    else if (!strcmp(key, "image"))
        return parse_image(s, v, e);
    else if (!strcmp(key, "register"))
        return parse_register(s, v, e);
    else if (!strcmp(key, "schema"))
        return sscanf(v, "%" SCNx64, &s->schema) == 1 || err_set(e, "schema '%s' is no number", v);
    else
        return number_word(s, key, v, e);
    return true;
}

void trace_setup_use(struct trace_setup *s, unsigned i, const char *path)
{
    struct machine_config *c = &s->config;
    const char *role = s->image[i].role;
    unsigned drive;
    path = copy(s, path);
    if (!strcmp(role, "bios"))
        c->bios = path;
    else if (!strcmp(role, "kernel"))
        c->kernel = path;
    else if (!strcmp(role, "initrd"))
        c->initrd = path;
    else if (!strcmp(role, "dtb"))
        c->dtb = path;
    else if (sscanf(role, "drive%u", &drive) == 1 && drive < c->ndrives)
        s->drives[drive] = own(s, drive_of(s->drives[drive], path));
    else if (!strcmp(role, "state"))
        s->image[i].path = own(s, strdup(path));
}

const char *trace_setup_state(const struct trace_setup *s)
{
    for (unsigned i = 0; i < s->images; i++)
        if (!strcmp(s->image[i].role, "state"))
            return s->image[i].path;
    return NULL;
}
