/* Snapshots: complete, exact, and never half loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "guest.h"

#include <sys/stat.h>

static char dir[] = "/tmp/trapline-snapshot-XXXXXX";
static char path[128], other[128];

static struct machine *busy(unsigned harts, const struct machine_config *more)
{
    struct guest g = busy_guest(harts);
    struct machine_config config = more ? *more : (struct machine_config){0};
    config.harts = harts;
    config.ram = 2 << 20;
    struct machine *m = guest_machine(&g, &config);
    assert_non_null(m);
    return m;
}

static size_t read_all(const char *name, uint8_t **out)
{
    struct stat st;
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    *out = malloc((size_t)st.st_size + 1);
    assert_int_equal(fread(*out, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    return (size_t)st.st_size;
}

static void write_all(const char *name, const uint8_t *p, size_t n)
{
    unlink(name); /* a file system may flush one that is rewritten in place */
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void a_loaded_machine_goes_on_as_if_never_stopped(void **state)
{
    (void)state;
    struct err e;
    for (unsigned harts = 1; harts <= 4; harts *= 2) {
        struct machine *m = busy(harts, NULL), *n = busy(harts, NULL);
        machine_run(m, 43210);
        uint64_t at = machine_digest(m);
        assert_true(machine_save(m, path, &e));
        assert_int_equal(machine_digest(m), at);
        machine_run(n, 999);
        assert_true(machine_write(n, 0x80000000 + (1 << 20), "left over", 9)); /* a page the snapshot does not have */
        assert_true(machine_load(n, path, &e));
        assert_int_equal(machine_digest(n), at);
        assert_int_equal(machine_cycle(n), 43210);
        machine_run(m, 30000);
        machine_run(n, 30000);
        assert_int_equal(machine_digest(n), machine_digest(m));
        assert_true(machine_load(m, path, &e));
        assert_int_equal(machine_digest(m), at);
        machine_free(m);
        machine_free(n);
    }
}

static void every_cut_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct err e;
    struct machine *m = busy(2, NULL);
    uint8_t *file;
    machine_run(m, 5000);
    assert_true(machine_save(m, path, &e));
    machine_run(m, 100);
    uint64_t at = machine_digest(m);
    size_t n = read_all(path, &file);
    for (size_t cut = 0; cut < n; cut++) {
        write_all(other, file, cut);
        e.text[0] = 0;
        assert_false(machine_load(m, other, &e));
        assert_non_null(strstr(e.text, other));
    }
    assert_int_equal(machine_digest(m), at);
    free(file);
    machine_free(m);
}

static void every_flipped_bit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct err e;
    struct machine *m = busy(1, NULL);
    uint8_t *file;
    uint64_t seed = 5;
    machine_run(m, 5000);
    assert_true(machine_save(m, path, &e));
    machine_run(m, 100);
    uint64_t at = machine_digest(m);
    size_t n = read_all(path, &file);
    for (unsigned i = 0; i < 3000; i++) {
        size_t byte = i < n && i < 40 ? i : rng_below(&seed, n);
        uint8_t bit = (uint8_t)(1u << rng_below(&seed, 8));
        file[byte] ^= bit;
        write_all(other, file, n);
        assert_false(machine_load(m, other, &e));
        file[byte] ^= bit;
    }
    assert_int_equal(machine_digest(m), at);
    free(file);
    machine_free(m);
}

static void a_snapshot_of_another_machine_is_refused_with_the_difference(void **state)
{
    (void)state;
    static const char *const device[] = {"virtio-rng"};
    static const struct {
        struct machine_config c;
        const char *word;
    } rows[] = {
        {{.seed = 9}, "seed"},
        {{.quantum = 77}, "quantum"},
        {{.clock_hz = 100000000}, "clock_hz"},
        {{.cpu = "rv64,h=off"}, "cpu"},
        {{.devices = device, .ndevices = 1}, "slot0"},
    };
    struct err e;
    struct machine *m = busy(2, NULL);
    assert_true(machine_save(m, path, &e));
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct machine *n = busy(2, &rows[i].c);
        uint64_t at = machine_digest(n);
        assert_false(machine_load(n, path, &e));
        if (!strstr(e.text, rows[i].word) || !strstr(e.text, path))
            fail_msg("row %u: %s", i, e.text);
        assert_int_equal(machine_digest(n), at);
        machine_free(n);
    }
    struct machine *four = busy(4, NULL);
    assert_false(machine_load(four, path, &e));
    assert_non_null(strstr(e.text, "harts is '2' there and '4' here"));
    machine_free(four);
    machine_free(m);
}

static void files_that_are_no_snapshots_are_refused(void **state)
{
    (void)state;
    struct err e;
    struct machine *m = busy(1, NULL);
    write_all(other, (const uint8_t *)"#!/bin/sh\n", 10);
    assert_false(machine_load(m, other, &e));
    assert_non_null(strstr(e.text, "no trapline snapshot"));
    assert_false(machine_load(m, "/nowhere/at/all", &e));
    assert_non_null(strstr(e.text, "/nowhere/at/all"));
    assert_false(machine_load(m, dir, &e));
    assert_non_null(strstr(e.text, dir));
    machine_free(m);
}

static void what_cannot_be_written_leaves_nothing_behind(void **state)
{
    (void)state;
    struct err e;
    struct machine *m = busy(1, NULL);
    char name[160];
    assert_false(machine_save(m, "/nowhere/at/all", &e));
    assert_non_null(strstr(e.text, "/nowhere/at/all"));
    if (access("/dev/full", W_OK) == 0) {
        assert_false(machine_save(m, "/dev/full", &e));
        assert_non_null(strstr(e.text, "/dev/full"));
    }
    assert_true(machine_save(m, path, &e));
    snprintf(name, sizeof name, "%s.%ld.part", path, (long)getpid());
    assert_int_not_equal(access(name, F_OK), 0);
    assert_true(machine_dump_dtb(m, other, &e));
    uint8_t *dtb;
    assert_true(read_all(other, &dtb) > 1000);
    assert_memory_equal(dtb, "\xd0\x0d\xfe\xed", 4);
    free(dtb);
    machine_free(m);
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/snap", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_machine_goes_on_as_if_never_stopped),
        cmocka_unit_test(every_cut_is_refused_and_changes_nothing),
        cmocka_unit_test(every_flipped_bit_is_refused_and_changes_nothing),
        cmocka_unit_test(a_snapshot_of_another_machine_is_refused_with_the_difference),
        cmocka_unit_test(files_that_are_no_snapshots_are_refused),
        cmocka_unit_test(what_cannot_be_written_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
