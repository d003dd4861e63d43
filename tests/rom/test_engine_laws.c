/*
 * Engine laws over every image of roms/: the final digest and the console are the same whatever pieces a run is asked for in,
 * across forks, saved states and dropped caches, on one hart and on several; and a long run needs no more than a 64 KiB stack.
 * timeout: 600
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/rng.h"
#include "machine/machine.h"

/* TRAPLINE_FP_N is the common switch of builds that get fewer random cases. */
static uint64_t cycles_each(void) { return getenv("TRAPLINE_FP_N") ? 60000 : 300000; }

struct text {
    size_t n;
    char at[1 << 16];
};

static void print(void *ctx, const char *device, const void *p, size_t n)
{
    struct text *t = ctx;
    (void)device;
    if (n > sizeof t->at - t->n)
        n = sizeof t->at - t->n;
    memcpy(t->at + t->n, p, n);
    t->n += n;
}

/* One run: an image, for what machine, how many harts. */
struct world {
    char path[512], bios[512]; /* bios empty: none */
    const char *board, *cpu;
    unsigned harts;
    struct text out;
    uint64_t digest, cycles; /* at the end */
};

/* For which machine an image of roms/ is, by its name. A64 firmware begins in EL3. */
static void choose_machine(struct world *w, const char *name)
{
    bool arm = strstr(name, "-a64"), el3 = !strncmp(name, "monitor", 7) || !strncmp(name, "journey", 7);
    w->board = arm ? "virt-arm" : "virt";
    w->cpu = arm ? (el3 ? "max,el2=on,el3=on" : "max,el2=on") : strstr(name, "rv32") ? "rv32" : "rv64";
    *w->bios = 0;
}

static struct machine *start(struct world *w)
{
    struct machine_config c = {.board = w->board,
                               .cpu = w->cpu,
                               .harts = w->harts,
                               .bios = *w->bios ? w->bios : "none",
                               .kernel = w->path,
                               .ram = 32 << 20,
                               .host = {.ctx = &w->out, .console = print}};
    struct err e;
    w->out.n = 0;
    struct machine *m = machine_new(&c, &e);
    if (!m)
        fail_msg("%s: %s", w->path, e.text);
    return m;
}

/* Runs to cycle `to` or the guest's end; false at the end. */
static bool run_to(struct machine *m, uint64_t to)
{
    while (machine_cycle(m) < to) {
        enum machine_stop why = machine_run(m, to - machine_cycle(m));
        if (why == MACHINE_EXIT || why == MACHINE_HALT || why == MACHINE_IDLE)
            return false;
    }
    return true;
}

static void finish(struct world *w, struct machine *m, const struct text *want_out, uint64_t want, const char *how)
{
    uint64_t digest = machine_digest(m);
    machine_free(m);
    if (digest != want || w->out.n != want_out->n || memcmp(w->out.at, want_out->at, w->out.n))
        fail_msg("%s (%s, %u harts): the end differs %s", w->path, w->cpu, w->harts, how);
}

static void in_one_run(struct world *w)
{
    struct machine *m = start(w);
    run_to(m, cycles_each());
    w->digest = machine_digest(m);
    w->cycles = machine_cycle(m);
    machine_free(m);
}

static void in_pieces(struct world *w, const struct text *out, uint64_t seed)
{
    struct machine *m = start(w);
    for (uint64_t at = 0; at < cycles_each() && run_to(m, at);)
        at += 1 + rng_below(&seed, rng_below(&seed, 3) ? 7 : 20000);
    run_to(m, cycles_each());
    finish(w, m, out, w->digest, "in random pieces");
}

static void cycle_by_cycle(struct world *w, const struct text *out, uint64_t from)
{
    struct machine *m = start(w);
    bool on = run_to(m, from);
    for (uint64_t at = from; on && at < from + 3000; at++)
        on = run_to(m, at);
    run_to(m, cycles_each());
    finish(w, m, out, w->digest, "in pieces of one cycle");
}

static void with_caches_dropped(struct world *w, const struct text *out, uint64_t seed)
{
    struct machine *m = start(w);
    bool on = true;
    for (uint64_t at = 0; on && at < cycles_each();) {
        at += 1 + rng_below(&seed, 9000);
        on = run_to(m, at < cycles_each() ? at : cycles_each());
        if (rng_below(&seed, 2))
            engine_drop(&m->engine);
        else
            engine_flush(&m->engine);
        machine_refresh(m);
    }
    finish(w, m, out, w->digest, "with caches dropped");
}

static void across_forks(struct world *w, const struct text *out, uint64_t seed)
{
    struct machine *m = start(w);
    bool on = true;
    for (unsigned i = 0; on && i < 12; i++) {
        uint64_t to = machine_cycle(m) + rng_below(&seed, cycles_each() / 8);
        on = run_to(m, to < cycles_each() ? to : cycles_each());
        if (machine_cycle(m) >= cycles_each())
            break;
        struct machine *f = machine_fork(m);
        assert_true(machine_digest(f) == machine_digest(m));
        /* One of the two runs on, after the other has gone its own way. */
        if (rng_below(&seed, 2)) {
            struct machine_host quiet = {0}, loud = {.ctx = &w->out, .console = print};
            machine_set_host(m, &quiet);
            machine_run(m, 500);
            machine_set_host(f, &loud);
            machine_free(m);
            m = f;
        } else {
            struct machine_host quiet = {0};
            machine_set_host(f, &quiet);
            machine_run(f, 500);
            machine_free(f);
        }
    }
    run_to(m, cycles_each());
    finish(w, m, out, w->digest, "across forks");
}

/* One machine goes its way; another, its fork, is rewound to it again and again, and what it then does is what a new fork does.
 */
static void across_rewinds(struct world *w, const struct text *out, uint64_t seed)
{
    struct machine_host quiet = {0}, loud = {.ctx = &w->out, .console = print};
    struct machine *m = start(w);
    uint64_t part = w->cycles / 40 + 1;
    bool on = run_to(m, rng_below(&seed, part));
    struct machine *f = machine_fork(m);
    machine_set_host(f, &quiet);
    while (on && machine_cycle(m) + part < w->cycles) {
        on = run_to(m, machine_cycle(m) + rng_below(&seed, rng_below(&seed, 3) ? part : 20));
        for (unsigned k = 0; k < 2; k++) {
            uint64_t n = rng_below(&seed, 4 * part);
            machine_rewind(f, m);
            assert_true(machine_digest(f) == machine_digest(m));
            struct machine *g = machine_fork(m);
            machine_set_host(g, &quiet);
            machine_run(f, n);
            machine_run(g, n);
            assert_true(machine_digest(f) == machine_digest(g));
            machine_free(g);
        }
    }
    machine_rewind(f, m);
    machine_set_host(f, &loud);
    run_to(f, cycles_each());
    finish(w, f, out, w->digest, "across rewinds");
    machine_free(m);
}

static void across_a_saved_state(struct world *w, const struct text *out, uint64_t seed)
{
    char file[] = "/tmp/trapline-laws-XXXXXX";
    struct err e;
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    struct machine *m = start(w);
    run_to(m, rng_below(&seed, cycles_each()));
    struct text so_far = w->out;
    if (!machine_save(m, file, &e))
        fail_msg("%s", e.text);
    machine_free(m);
    m = start(w);
    run_to(m, rng_below(&seed, 10000)); /* whatever it was before */
    if (!machine_load(m, file, &e))
        fail_msg("%s", e.text);
    unlink(file);
    w->out = so_far;
    run_to(m, cycles_each());
    finish(w, m, out, w->digest, "across a saved state");
}

static bool is_image(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".elf");
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void each_image(void (*law)(struct world *w, uint64_t seed))
{
    DIR *d = opendir(TL_SOURCE_DIR "/roms");
    char *name[256];
    unsigned n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && n < 256;)
        if (is_image(e->d_name))
            name[n++] = strdup(e->d_name);
    closedir(d);
    assert_true(n > 5);
    qsort(name, n, sizeof name[0], by_name);
    struct world *w = calloc(1, sizeof *w);
    for (unsigned i = 0; i < n; i++) {
        snprintf(w->path, sizeof w->path, "%s/roms/%s", TL_SOURCE_DIR, name[i]);
        choose_machine(w, name[i]);
        for (w->harts = 1; w->harts <= 3; w->harts += 2)
            law(w, hash_bytes(name[i], strlen(name[i])) + w->harts);
        free(name[i]);
    }
    /* EL3 to EL0 and back: the monitor, with the kernel and with the hypervisor and its guest. */
    static const char *const behind[] = {"kernel-a64.elf", "hyp-a64.elf"};
    for (unsigned i = 0; i < ARRAY_LEN(behind); i++) {
        choose_machine(w, "monitor-a64.elf");
        snprintf(w->path, sizeof w->path, "%s/roms/%s", TL_SOURCE_DIR, behind[i]);
        snprintf(w->bios, sizeof w->bios, "%s/roms/monitor-a64.elf", TL_SOURCE_DIR);
        for (w->harts = 1; w->harts <= 3; w->harts += 2)
            law(w, 7 * i + w->harts);
    }
    free(w);
}

static void pieces_law(struct world *w, uint64_t seed)
{
    in_one_run(w);
    struct text *out = malloc(sizeof *out);
    *out = w->out;
    in_pieces(w, out, seed);
    cycle_by_cycle(w, out, rng_below(&seed, cycles_each() / 2));
    free(out);
}

static void caches_law(struct world *w, uint64_t seed)
{
    in_one_run(w);
    struct text *out = malloc(sizeof *out);
    *out = w->out;
    with_caches_dropped(w, out, seed);
    free(out);
}

static void copies_law(struct world *w, uint64_t seed)
{
    in_one_run(w);
    struct text *out = malloc(sizeof *out);
    *out = w->out;
    across_forks(w, out, seed);
    across_rewinds(w, out, seed);
    across_a_saved_state(w, out, seed);
    free(out);
}

static void a_run_does_not_depend_on_its_pieces(void **state)
{
    (void)state;
    each_image(pieces_law);
}
static void a_run_does_not_depend_on_caches(void **state)
{
    (void)state;
    each_image(caches_law);
}
static void a_run_goes_on_alike_in_forks_and_from_saved_states(void **state)
{
    (void)state;
    each_image(copies_law);
}

/* ---- the stack --------------------------------------------------------------------------------------------------- */

#define STACK (64u << 10)

static void *long_run(void *m)
{
    run_to(m, getenv("TRAPLINE_FP_N") ? 5000000 : 50000000);
    return NULL;
}

/* Handlers reach each other by tail calls: if one of them were a call, its frames would overrun the stack into the guard page
   within some thousand instructions. The page below the stack cannot be accessed. */
static void fifty_million_cycles_need_no_more_than_64_kib_of_stack(void **state)
{
    (void)state;
    static const char *const images[] = {
        "bench-compute.elf",     "bench-walk2.elf",     "bench-world.elf",   "bench-float.elf",   "bench-compute-rv32.elf",
        "bench-compute-a64.elf", "bench-walk2-a64.elf", "bench-hvc-a64.elf", "bench-svc-a64.elf", "bench-float-a64.elf"};
    for (unsigned i = 0; i < ARRAY_LEN(images); i++) {
        struct world *w = calloc(1, sizeof *w);
        snprintf(w->path, sizeof w->path, "%s/roms/%s", TL_SOURCE_DIR, images[i]);
        choose_machine(w, images[i]);
        w->harts = 1;
        struct machine *m = start(w);
        uint8_t *area = mmap(NULL, STACK + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        assert_true(area != MAP_FAILED);
        assert_int_equal(mprotect(area + 4096, STACK, PROT_READ | PROT_WRITE), 0);
        pthread_attr_t attr;
        pthread_t thread;
        pthread_attr_init(&attr);
        assert_int_equal(pthread_attr_setstack(&attr, area + 4096, STACK), 0);
        assert_int_equal(pthread_create(&thread, &attr, long_run, m), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        pthread_attr_destroy(&attr);
        munmap(area, STACK + 4096);
        assert_true(machine_cycle(m) > 4000000);
        machine_free(m);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_does_not_depend_on_its_pieces),
        cmocka_unit_test(a_run_does_not_depend_on_caches),
        cmocka_unit_test(a_run_goes_on_alike_in_forks_and_from_saved_states),
        cmocka_unit_test(fifty_million_cycles_need_no_more_than_64_kib_of_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
