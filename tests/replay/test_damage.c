/*
 * A trace with any byte changed is told from a whole one, and one that ends anywhere is told to be cut off and read up to there.
 * Every byte, every length, of a trace that has frames of every kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "debug/record.h"
#include "debug/replay.h"
#include "machine/image.h"
#include "machine/machine.h"

static struct buf whole; /* the trace's bytes */
static size_t whole_events;

static struct buf copy_of(size_t n)
{
    struct buf b = {0};
    buf_put(&b, whole.data, n);
    return b;
}

/* All that a reader can ask for. */
static bool read_all(struct replay *r, struct buf *bytes, struct err *e)
{
    bool ok = replay_of(r, "it", bytes, e);
    for (size_t i = 0; ok && i < r->file.frames; i++) {
        struct buf frame = {0};
        ok = tracefile_read(&r->file, i, &frame, e);
        buf_free(&frame);
    }
    return ok;
}

static int record_one(void **state)
{
    char name[] = "/tmp/trapline-damage-XXXXXX";
    struct trace_setup setup = {0};
    struct machine_config config = {.board = "virt", .bios = "none", .kernel = TL_SOURCE_DIR "/roms/test-pages.elf"};
    struct err e;
    (void)state;
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    struct machine *m = machine_new(&config, &e);
    if (!m)
        fail_msg("%s", e.text);
    assert_true(trace_setup_of(&setup, &config, NULL, 0, &e));
    setup.traps = setup.instructions = true;
    struct recorder *r = record_new(name, m, &setup, 1000, &e);
    assert_non_null(r);
    machine_watch(m, record_trap, r);
    for (unsigned i = 0; i < 4; i++) {
        machine_run(m, 1000);
        record_input(r, "uart", "a", 1);
        record_tick(r);
    }
    assert_true(record_end(r, "the test", 0, &e));
    trace_setup_free(&setup);
    machine_free(m);
    assert_true(image_read_file(name, &whole, &e));
    unlink(name);
    return 0;
}

static void whole_trace(void **state)
{
    struct replay r;
    struct err e;
    struct buf b = copy_of(whole.len);
    unsigned kinds = 0;
    (void)state;
    if (!read_all(&r, &b, &e))
        fail_msg("%s", e.text);
    assert_false(r.file.torn);
    assert_non_null(replay_end(&r));
    whole_events = r.events;
    for (size_t i = 0; i < r.file.frames; i++)
        kinds |= 1u << (r.file.frame[i].kind - 'A');
    assert_true(kinds >> ('H' - 'A') & kinds >> ('E' - 'A') & kinds >> ('G' - 'A') & 1);
    print_message("%zu bytes, %zu frames, %zu events\n", whole.len, r.file.frames, r.events);
    replay_close(&r);
}

static void every_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at < whole.len; at++) {
        for (unsigned bit = 0; bit < 8; bit += 7) {
            struct replay r;
            struct err e = {""};
            struct buf b = copy_of(whole.len);
            b.data[at] ^= (uint8_t)(1u << bit);
            if (!read_all(&r, &b, &e)) {
                assert_non_null(strstr(e.text, "it: "));
                continue;
            }
            if (!r.file.torn) /* the mark of a file's end is what tells a whole one from one that was cut off */
                fail_msg("bit %u of byte %zu of %zu goes unnoticed", bit, at, whole.len);
            replay_close(&r);
        }
    }
}

static void every_length(void **state)
{
    size_t events = 0, read = 0;
    (void)state;
    for (size_t n = 0; n < whole.len; n++) {
        struct replay r;
        struct err e = {""};
        struct buf b = copy_of(n);
        if (!read_all(&r, &b, &e)) { /* before the header is complete */
            assert_true(strstr(e.text, "cut off") || (n < TRACEFILE_MAGIC_LEN && strstr(e.text, "no trapline trace")));
            assert_int_equal(read, 0);
            continue;
        }
        read++;
        assert_true(r.file.torn && r.file.good <= n);
        assert_true(r.events >= events);
        events = r.events;
        replay_close(&r);
    }
    assert_true(read > whole.len / 2);
    assert_int_equal(events, whole_events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_trace),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(every_length),
    };
    int status = cmocka_run_group_tests(tests, record_one, NULL);
    buf_free(&whole);
    return status;
}
