#include "cli/report.h"
#include "base/bits.h"
#include "base/hash.h"
#include "machine/loader.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A word for a POSIX shell: quoted when it must be. */
static void put_word(struct buf *b, const char *w)
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

static void put_option(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(b, " %s", name);
    put_word(b, value);
}

static void put_number(struct buf *b, const char *name, uint64_t v)
{
    if (v)
        buf_printf(b, " %s %" PRIu64, name, v);
}

/* The digest of a file as a comment behind the command; a file that went away since is said to be so. */
static void put_digest(struct buf *b, const char *path)
{
    struct buf bytes;
    if (!path || !strcmp(path, "none") || !strcmp(path, "default"))
        return;
    if (image_read_file(path, &bytes, NULL)) {
        buf_printf(b, " %s=%016" PRIx64, path, hash_bytes(bytes.data, bytes.len));
        buf_free(&bytes);
    } else {
        buf_printf(b, " %s=unreadable", path);
    }
}

static char *repro(const struct machine_options *o, uint64_t max_cycles)
{
    const struct machine_config *c = &o->config;
    struct buf b = {0};
    char path[256] = "";
    buf_printf(&b, "trapline run -machine %s", c->board);
    if (o->cpu_file)
        buf_printf(&b, " -cpu @%s", o->cpu_file);
    else
        put_option(&b, "-cpu", c->cpu);
    put_number(&b, "-smp", c->harts);
    if (c->ram)
        buf_printf(&b, " -m %" PRIu64 "K", c->ram >> 10);
    put_option(&b, "-bios", c->bios);
    put_option(&b, "-kernel", c->kernel);
    put_option(&b, "-initrd", c->initrd);
    put_option(&b, "-append", c->append);
    put_option(&b, "-dtb", c->dtb);
    for (unsigned i = 0; i < c->ndrives; i++)
        put_option(&b, "-drive", c->drives[i]);
    for (unsigned i = 0; i < c->ndevices; i++)
        put_option(&b, "-device", c->devices[i]);
    if (c->semihosting)
        buf_printf(&b, " --semihosting");
    put_number(&b, "--quantum", c->quantum);
    put_number(&b, "--clock", c->clock_hz);
    put_number(&b, "--epoch", c->rtc_epoch);
    buf_printf(&b, " --seed %" PRIu64, c->seed);
    if (max_cycles != UINT64_MAX)
        put_number(&b, "--max-cycles", max_cycles);
    buf_printf(&b, " # trapline " TRAPLINE_VERSION);
    if (c->bios && !strcmp(c->bios, "default") &&
        loader_find_firmware(c->cpu && strstr(c->cpu, "rv32") ? 32 : 64, path, sizeof path, NULL))
        put_digest(&b, path);
    put_digest(&b, o->cpu_file);
    put_digest(&b, c->bios);
    put_digest(&b, c->kernel);
    put_digest(&b, c->initrd);
    put_digest(&b, c->dtb);
    return (char *)b.data;
}

static uint64_t resident_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)u.ru_maxrss;
}

static void print_json(const struct report *r, struct machine *m, const char *line)
{
    char digest[32];
    json_t *j = json_object();
    uint64_t retired = machine_instret(m);
    json_object_set_new(j, "end", json_string(r->end));
    json_object_set_new(j, "status", json_integer(r->status));
    json_object_set_new(j, "cycles", json_integer((json_int_t)machine_cycle(m)));
    json_object_set_new(j, "instructions", json_integer((json_int_t)retired));
    if (r->digest) {
        snprintf(digest, sizeof digest, "%016" PRIx64, machine_digest(m));
        json_object_set_new(j, "digest", json_string(digest));
    }
    if (r->stats) {
        json_object_set_new(j, "host_seconds", json_real(r->seconds));
        json_object_set_new(j, "user_seconds", json_real(r->user_seconds));
        json_object_set_new(j, "mips", json_real(r->seconds > 0 ? (double)retired / r->seconds / 1e6 : 0));
        json_object_set_new(j, "resident_kib", json_integer((json_int_t)resident_kib()));
        json_object_set_new(j, "guest_kib", json_integer((json_int_t)(machine_pages(m) * 4)));
    }
    if (r->repro || r->stats)
        json_object_set_new(j, "repro", json_string(line));
    json_dumpf(j, stderr, JSON_INDENT(2));
    fputc('\n', stderr);
    json_decref(j);
}

void report_print(const struct report *r, struct machine *m, const struct machine_options *o)
{
    if (!r->digest && !r->stats && !r->repro && !r->json)
        return;
    char *line = repro(o, r->max_cycles);
    uint64_t retired = machine_instret(m);
    if (r->json) {
        print_json(r, m, line);
        free(line);
        return;
    }
    if (r->digest)
        fprintf(stderr, "digest %016" PRIx64 " cycles %" PRIu64 " instructions %" PRIu64 "\n", machine_digest(m),
                machine_cycle(m), retired);
    if (r->stats)
        fprintf(stderr,
                "end          %s\n"
                "status       %d\n"
                "cycles       %" PRIu64 "\n"
                "instructions %" PRIu64 "\n"
                "host seconds %.3f (user %.3f)\n"
                "MIPS         %.1f\n"
                "resident     %" PRIu64 " KiB (pages of the guest: %" PRIu64 " KiB)\n",
                r->end, r->status, machine_cycle(m), retired, r->seconds, r->user_seconds,
                r->seconds > 0 ? (double)retired / r->seconds / 1e6 : 0, resident_kib(), machine_pages(m) * 4);
    if (r->repro || r->stats)
        fprintf(stderr, "%s%s\n", r->stats ? "repro        " : "", line);
    free(line);
}
