#include "cli/repro.h"
#include "base/hash.h"
#include "machine/loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void repro_word(struct buf *b, const char *w)
{
    if (*w && strspn(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,.:/@%") == strlen(w)) {
        buf_printf(b, " %s", w);
        return;
    }
    buf_printf(b, " '");
    for (; *w; w++) {
        if (*w == '\'')
            buf_printf(b, "'\\''");
        else
            buf_put(b, w, 1);
    }
    buf_printf(b, "'");
}

void repro_option(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(b, " %s", name);
    repro_word(b, value);
}

void repro_number(struct buf *b, const char *name, uint64_t v)
{
    if (v)
        buf_printf(b, " %s %" PRIu64, name, v);
}

void repro_machine(struct buf *b, const struct machine_options *o)
{
    const struct machine_config *c = &o->config;
    repro_option(b, "-machine", c->board);
    if (o->cpu_file)
        buf_printf(b, " -cpu @%s", o->cpu_file);
    else
        repro_option(b, "-cpu", c->cpu);
    repro_number(b, "-smp", c->harts);
    if (c->ram)
        buf_printf(b, " -m %" PRIu64 "K", c->ram >> 10);
    repro_option(b, "-bios", c->bios);
    repro_option(b, "-kernel", c->kernel);
    repro_option(b, "-initrd", c->initrd);
    repro_option(b, "-append", c->append);
    repro_option(b, "-dtb", c->dtb);
    for (unsigned i = 0; i < c->ndrives; i++)
        repro_option(b, "-drive", c->drives[i]);
    for (unsigned i = 0; i < c->ndevices; i++)
        repro_option(b, "-device", c->devices[i]);
    if (c->semihosting)
        buf_printf(b, " --semihosting");
    repro_number(b, "--quantum", c->quantum);
    repro_number(b, "--clock", c->clock_hz);
    repro_number(b, "--epoch", c->rtc_epoch);
    buf_printf(b, " --seed %" PRIu64, c->seed);
}

/* The digest of a file; a file that went away since is said to be so. Read piece by piece: a whole initrd beside the machine
   would be the most memory the process ever has. */
static void put_digest(struct buf *b, const char *path)
{
    uint8_t piece[8192];
    if (!path || !strcmp(path, "none") || !strcmp(path, "default"))
        return;
    FILE *f = fopen(path, "rb");
    struct hash *h = hash_new();
    for (size_t n; f && (n = fread(piece, 1, sizeof piece, f)) > 0;)
        hash_add(h, piece, n);
    uint64_t digest = hash_end(h);
    if (f && !ferror(f))
        buf_printf(b, " %s=%016" PRIx64, path, digest);
    else
        buf_printf(b, " %s=unreadable", path);
    if (f)
        fclose(f);
}

void repro_digests(struct buf *b, const struct machine_options *o)
{
    const struct machine_config *c = &o->config;
    char path[256] = "";
    buf_printf(b, " # trapline " TRAPLINE_VERSION);
    if (c->bios && !strcmp(c->bios, "default") &&
        loader_find_firmware(c->cpu && strstr(c->cpu, "rv32") ? 32 : 64, path, sizeof path, NULL))
        put_digest(b, path);
    put_digest(b, o->cpu_file);
    put_digest(b, c->bios);
    put_digest(b, c->kernel);
    put_digest(b, c->initrd);
    put_digest(b, c->dtb);
}
