/* Disks: what the guest writes stays in memory unless the user wants it in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "guest.h"
#include "machine/disk.h"

#define SIZE (40 * 4096 + 1536) /* the last page is not whole */

static char path[] = "/tmp/trapline-disk,XXXXXX";
static char option[128]; /* file=…, with the comma of the name escaped */
static uint8_t contents[SIZE];

static struct disk *open_disk(const char *more)
{
    char text[256];
    struct err e;
    snprintf(text, sizeof text, "%s%s", option, more);
    struct disk *d = disk_open(text, &e);
    if (!d)
        fail_msg("%s", e.text);
    return d;
}

static void check_file(void)
{
    static uint8_t now[SIZE];
    FILE *f = fopen(path, "rb");
    assert_int_equal(fread(now, 1, SIZE, f), SIZE);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    assert_memory_equal(now, contents, SIZE);
}

static void writes_stay_in_memory(void **state)
{
    (void)state;
    struct disk *d = open_disk("");
    static uint8_t model[SIZE], buf[SIZE];
    uint64_t seed = 2;
    memcpy(model, contents, SIZE);
    assert_int_equal(disk_size(d), SIZE);
    for (unsigned i = 0; i < 3000; i++) {
        size_t off = rng_below(&seed, SIZE), n = rng_below(&seed, 9000);
        if (n > SIZE - off)
            n = SIZE - off;
        if (i & 1) {
            for (size_t k = 0; k < n; k++)
                model[off + k] = buf[k] = (uint8_t)rng_next(&seed);
            assert_true(disk_write(d, off, buf, n));
        } else {
            assert_true(disk_read(d, off, buf, n));
            assert_memory_equal(buf, model + off, n);
        }
    }
    check_file();
    assert_false(disk_read(d, SIZE - 10, buf, 11));
    assert_false(disk_write(d, SIZE + 1, buf, 1));
    disk_reset(d);
    assert_true(disk_read(d, 0, buf, SIZE));
    assert_memory_equal(buf, contents, SIZE);
    disk_free(d);
}

static void forks_see_only_their_own_writes(void **state)
{
    (void)state;
    struct disk *d = open_disk("");
    uint8_t b = 0;
    assert_true(disk_write(d, 5000, "a", 1));
    struct disk *f = disk_fork(d);
    assert_true(disk_write(d, 5000, "b", 1));
    assert_true(disk_write(f, 9000, "c", 1));
    assert_true(disk_read(f, 5000, &b, 1) && b == 'a');
    assert_true(disk_read(d, 9000, &b, 1) && b == contents[9000]);
    disk_restore(f, d);
    assert_true(disk_read(f, 5000, &b, 1) && b == 'b');
    assert_true(disk_read(f, 9000, &b, 1) && b == contents[9000]);
    disk_free(d);
    assert_true(disk_read(f, 5000, &b, 1) && b == 'b');
    disk_free(f);
}

static void a_commit_writes_the_file_when_asked_to(void **state)
{
    (void)state;
    struct err e;
    struct disk *d = open_disk("");
    assert_true(disk_write(d, SIZE - 3, "xyz", 3));
    assert_true(disk_commit(d, &e)); /* without write=on: nothing */
    check_file();
    disk_free(d);
    d = open_disk(",write=on,if=virtio,format=raw,id=hd0");
    struct disk *f = disk_fork(d);
    assert_true(disk_write(f, 0, "fork", 4));
    assert_true(disk_commit(f, &e));
    check_file();
    disk_free(f);
    assert_true(disk_write(d, SIZE - 3, "xyz", 3));
    assert_true(disk_commit(d, &e));
    memcpy(contents + SIZE - 3, "xyz", 3);
    check_file();
    disk_free(d);
}

static void a_readonly_disk_refuses_writes(void **state)
{
    (void)state;
    struct disk *d = open_disk(",readonly=on");
    assert_true(disk_readonly(d));
    assert_false(disk_write(d, 0, "a", 1));
    disk_free(d);
}

static void bad_options_are_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"/nowhere.img", "/nowhere.img"},
        {"file=/nowhere.img,if=virtio", "/nowhere.img"},
        {"file=/dev/null,if=ide", "if=ide"},
        {"file=/dev/null,format=qcow2", "qcow2"},
        {"file=/dev/null,turbo=on", "turbo"},
        {"file=/dev/null,readonly", "readonly"},
        {"file=/dev/null,readonly=maybe", "maybe"},
        {"file=/dev/null,readonly=on,write=on", "contradict"},
        {"/dev/null", "no disk image"},
        {"/tmp", "no disk image"},
        {"", ""},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {{0}};
        assert_null(disk_open(rows[i].text, &e));
        if (!e.text[0] || !strstr(e.text, rows[i].word))
            fail_msg("%s: %s", rows[i].text, e.text);
    }
}

static void a_machine_has_its_drives_in_slots(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    const char *drives[9];
    struct err e;
    for (unsigned i = 0; i < 9; i++)
        drives[i] = option;
    lui(&g, S0, 0x10001);
    lw(&g, A0, 8, S0); /* DeviceID of slot 0 */
    lui(&g, S0, 0x10002);
    lw(&g, A1, 8, S0);
    jump(&g, g.n);
    struct machine_config config = {.drives = drives, .ndrives = 1};
    struct machine *m = guest_machine(&g, &config);
    uint64_t v;
    machine_run(m, 100);
    assert_true(machine_get_reg(m, 0, "a0", &v) && v == 2);
    assert_true(machine_get_reg(m, 0, "a1", &v) && v == 0);
    machine_free(m);
    config.ndrives = 9;
    config.kernel = "/nowhere";
    assert_null(machine_new(&config, &e));
    assert_non_null(strstr(e.text, "slots"));
}

static int make_file(void **state)
{
    (void)state;
    uint64_t seed = 1;
    int fd = mkstemp(path);
    for (size_t i = 0; i < SIZE; i++)
        contents[i] = (uint8_t)rng_next(&seed);
    if (fd < 0 || write(fd, contents, SIZE) != SIZE)
        return -1;
    const char *comma = strchr(path, ',');
    snprintf(option, sizeof option, "file=%.*s,%s", (int)(comma - path) + 0, path, comma);
    return close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_stay_in_memory),
        cmocka_unit_test(forks_see_only_their_own_writes),
        cmocka_unit_test(a_commit_writes_the_file_when_asked_to),
        cmocka_unit_test(a_readonly_disk_refuses_writes),
        cmocka_unit_test(bad_options_are_sentences),
        cmocka_unit_test(a_machine_has_its_drives_in_slots),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
