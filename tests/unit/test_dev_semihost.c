/* Semihosting (Arm "Semihosting for AArch32 and AArch64" 2.0, RISC-V Semihosting 0.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "devices/semihost.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_READC = 0x07,
    SYS_ISERROR = 0x08,
    SYS_ISTTY = 0x09,
    SYS_SEEK = 0x0a,
    SYS_FLEN = 0x0c,
    SYS_TMPNAM = 0x0d,
    SYS_REMOVE = 0x0e,
    SYS_RENAME = 0x0f,
    SYS_CLOCK = 0x10,
    SYS_TIME = 0x11,
    SYS_SYSTEM = 0x12,
    SYS_ERRNO = 0x13,
    SYS_GET_CMDLINE = 0x15,
    SYS_HEAPINFO = 0x16,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ = 0x31
};
enum { MEMORY = 8192, BLOCK = 0x100, NAME = 0x200, BUF = 0x1000 };

/* Guest memory from address 0, a console, and one host file. */
struct world {
    struct semihost_env env;
    struct semihost state;
    uint8_t mem[MEMORY];
    char out[4096];
    size_t out_len;
    const char *typed;
    char file[256];
    size_t file_len;
    char opened[SEMIHOST_NAME_MAX + 1];
    unsigned open_mode, opens, closes, removes, renames;
};

static bool mem_get(void *ctx, uint64_t va, void *p, uint64_t n)
{
    struct world *w = ctx;
    if (va > MEMORY || n > MEMORY - va)
        return false;
    memcpy(p, w->mem + va, n);
    return true;
}

static bool mem_put(void *ctx, uint64_t va, const void *p, uint64_t n)
{
    struct world *w = ctx;
    if (va > MEMORY || n > MEMORY - va)
        return false;
    memcpy(w->mem + va, p, n);
    return true;
}

static void console_out(void *ctx, const void *p, size_t n)
{
    struct world *w = ctx;
    assert_true(n <= sizeof w->out - w->out_len);
    memcpy(w->out + w->out_len, p, n);
    w->out_len += n;
}

static size_t console_in(void *ctx, void *p, size_t n)
{
    struct world *w = ctx;
    size_t have = w->typed ? strlen(w->typed) : 0;
    n = n < have ? n : have;
    if (n)
        memcpy(p, w->typed, n);
    w->typed = n ? w->typed + n : w->typed;
    return n;
}

static int file_open(void *ctx, const char *name, unsigned mode)
{
    struct world *w = ctx;
    if (!strcmp(name, "missing"))
        return -ENOENT;
    snprintf(w->opened, sizeof w->opened, "%s", name);
    w->open_mode = mode;
    w->opens++;
    return 7;
}

static int64_t file_read(void *ctx, int file, uint64_t at, void *p, size_t n)
{
    struct world *w = ctx;
    assert_int_equal(file, 7);
    if (at >= w->file_len)
        return 0;
    n = n < w->file_len - at ? n : w->file_len - (size_t)at;
    memcpy(p, w->file + at, n);
    return (int64_t)n;
}

static int64_t file_write(void *ctx, int file, uint64_t at, const void *p, size_t n)
{
    struct world *w = ctx;
    assert_int_equal(file, 7);
    if (at >= sizeof w->file)
        return -ENOSPC;
    n = n < sizeof w->file - at ? n : sizeof w->file - (size_t)at;
    memcpy(w->file + at, p, n);
    w->file_len = at + n > w->file_len ? (size_t)at + n : w->file_len;
    return (int64_t)n;
}

static int64_t file_size(void *ctx, int file)
{
    assert_int_equal(file, 7);
    return (int64_t)((struct world *)ctx)->file_len;
}

static int file_close(void *ctx, int file)
{
    assert_int_equal(file, 7);
    ((struct world *)ctx)->closes++;
    return 0;
}

static int file_remove(void *ctx, const char *name)
{
    (void)name;
    ((struct world *)ctx)->removes++;
    return 0;
}

static int file_rename(void *ctx, const char *from, const char *to)
{
    (void)from;
    (void)to;
    ((struct world *)ctx)->renames++;
    return 0;
}

static const struct semihost_files one_file = {file_open, file_read, file_write, file_size, file_close, file_remove, file_rename};

static struct world world;

static int setup(void **s)
{
    memset(&world, 0, sizeof world);
    world.env = (struct semihost_env){
        .ctx = &world,
        .state = &world.state,
        .xlen = 64,
        .read = mem_get,
        .write = mem_put,
        .output = console_out,
        .input = console_in,
        .cmdline = "prog arg",
        .ticks = 25000000,
        .tick_hz = 10000000,
        .epoch = 1000,
        .heap_base = 0x11,
        .heap_limit = 0x22,
        .stack_base = 0x33,
        .stack_limit = 0x44,
    };
    *s = &world;
    return 0;
}

static struct semihost_result call(struct world *w, uint32_t op, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t arg[3] = {a, b, c};
    unsigned size = w->env.xlen / 8;
    for (unsigned i = 0; i < 3 * size; i++)
        w->mem[BLOCK + i] = (uint8_t)(arg[i / size] >> 8 * (i % size));
    return semihost_call(&w->env, op, BLOCK);
}

static uint64_t value(struct world *w, uint32_t op, uint64_t a, uint64_t b, uint64_t c)
{
    struct semihost_result r = call(w, op, a, b, c);
    assert_int_equal(r.action, SEMIHOST_RETURN);
    return r.value;
}

static uint64_t open_name(struct world *w, const char *name, unsigned mode)
{
    memcpy(w->mem + NAME, name, strlen(name));
    return value(w, SYS_OPEN, NAME, mode, strlen(name));
}

static uint64_t error(struct world *w) { return semihost_call(&w->env, SYS_ERRNO, 0).value; }

static void assert_out(struct world *w, const char *text)
{
    assert_int_equal(w->out_len, strlen(text));
    assert_memory_equal(w->out, text, w->out_len);
    w->out_len = 0;
}

static void characters_and_strings_are_printed(void **s)
{
    struct world *w = *s;
    memcpy(w->mem + BUF, "hello", 6);
    assert_int_equal(semihost_call(&w->env, SYS_WRITEC, BUF + 1).action, SEMIHOST_RETURN);
    assert_out(w, "e");
    semihost_call(&w->env, SYS_WRITE0, BUF);
    assert_out(w, "hello");
    w->mem[MEMORY - 1] = 'x';
    semihost_call(&w->env, SYS_WRITE0, MEMORY - 1); /* runs into the end of memory */
    assert_out(w, "x");
}

static void the_console_is_opened_by_its_name(void **s)
{
    struct world *w = *s;
    uint64_t in = open_name(w, ":tt", 0), out = open_name(w, ":tt", 4), err = open_name(w, ":tt", 8);
    assert_true(in && out && err && in != out && out != err);
    assert_int_equal(value(w, SYS_ISTTY, out, 0, 0), 1);
    memcpy(w->mem + BUF, "abcdef", 6);
    assert_int_equal(value(w, SYS_WRITE, out, BUF, 3), 0);
    assert_int_equal(value(w, SYS_WRITE, err, BUF + 3, 3), 0);
    assert_out(w, "abcdef");
    assert_int_equal(value(w, SYS_WRITE, in, BUF, 3), 3);
    assert_int_equal(value(w, SYS_WRITE, out, MEMORY - 2, 5), 5);
    assert_int_equal(error(w), EFAULT);
    assert_int_equal(value(w, SYS_FLEN, out, 0, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_SEEK, out, 0, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_CLOSE, out, 0, 0), 0);
    assert_int_equal(value(w, SYS_CLOSE, out, 0, 0), UINT64_MAX);
    assert_int_equal(error(w), EBADF);
}

static void reading_waits_for_a_key(void **s)
{
    struct world *w = *s;
    uint64_t in = open_name(w, ":tt", 0);
    assert_int_equal(call(w, SYS_READ, in, BUF, 10).action, SEMIHOST_WAIT);
    assert_int_equal(semihost_call(&w->env, SYS_READC, 0).action, SEMIHOST_WAIT);
    w->typed = "xyz";
    assert_int_equal(semihost_call(&w->env, SYS_READC, 0).value, 'x');
    assert_int_equal(value(w, SYS_READ, in, BUF, 10), 8);
    assert_memory_equal(w->mem + BUF, "yz", 2);
}

static void files_are_refused_by_default(void **s)
{
    struct world *w = *s;
    assert_int_equal(open_name(w, "file", 0), UINT64_MAX);
    assert_int_equal(error(w), EACCES);
    assert_int_equal(value(w, SYS_REMOVE, NAME, 4, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_RENAME, NAME, 4, NAME), UINT64_MAX);
    assert_int_equal(value(w, SYS_SYSTEM, NAME, 4, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_TMPNAM, BUF, 0, 16), UINT64_MAX);
}

static void allowed_files_are_read_written_and_sought(void **s)
{
    struct world *w = *s;
    w->env.files = &one_file;
    uint64_t h = open_name(w, "dir/a.txt", 6);
    assert_int_equal(h, 1);
    assert_string_equal(w->opened, "dir/a.txt");
    assert_int_equal(w->open_mode, 6);
    assert_int_equal(value(w, SYS_ISTTY, h, 0, 0), 0);
    memcpy(w->mem + BUF, "0123456789", 10);
    assert_int_equal(value(w, SYS_WRITE, h, BUF, 10), 0);
    assert_int_equal(value(w, SYS_FLEN, h, 0, 0), 10);
    assert_int_equal(value(w, SYS_SEEK, h, 4, 0), 0);
    assert_int_equal(value(w, SYS_READ, h, BUF + 100, 20), 14);
    assert_memory_equal(w->mem + BUF + 100, "456789", 6);
    assert_int_equal(value(w, SYS_READ, h, BUF, 20), 20);
    assert_int_equal(value(w, SYS_SEEK, h, 11, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_SEEK, h, UINT64_MAX, 0), UINT64_MAX);
    assert_int_equal(open_name(w, "a.txt", 8), 2); /* append starts at the end */
    assert_int_equal(value(w, SYS_WRITE, 2, BUF, 3), 0);
    assert_int_equal(w->file_len, 13);
    assert_int_equal(value(w, SYS_WRITE, 2, 0, 1000), 1000 - (256 - 13));
    assert_int_equal(error(w), ENOSPC);
    assert_int_equal(value(w, SYS_CLOSE, h, 0, 0), 0);
    assert_int_equal(w->closes, 1);
    assert_int_equal(open_name(w, "missing", 0), UINT64_MAX);
    assert_int_equal(error(w), ENOENT);
    assert_true(semihost_valid(&w->state));
}

static void names_cannot_leave_the_directory(void **s)
{
    struct world *w = *s;
    static const char *const bad[] = {"/etc/passwd", "..", "../x", "a/../b", "a/..", "./x",
                                      "a//b",        "a/", "/",    "a\\b",   "a\nb", ":x"};
    w->env.files = &one_file;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(open_name(w, bad[i], 0), UINT64_MAX);
    memcpy(w->mem + NAME, "a\0b", 3);
    assert_int_equal(value(w, SYS_OPEN, NAME, 0, 3), UINT64_MAX);
    assert_int_equal(value(w, SYS_OPEN, NAME, 0, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_OPEN, NAME, 0, UINT64_MAX), UINT64_MAX);
    assert_int_equal(value(w, SYS_OPEN, NAME, 12, 1), UINT64_MAX);
    memcpy(w->mem + NAME, "../x", 4);
    assert_int_equal(value(w, SYS_REMOVE, NAME, 4, 0), UINT64_MAX);
    assert_int_equal(w->opens + w->removes, 0);
    assert_int_equal(open_name(w, "..a/b..", 0), 1);
}

static void handles_run_out(void **s)
{
    struct world *w = *s;
    for (unsigned i = 0; i < SEMIHOST_HANDLES; i++)
        assert_int_equal(open_name(w, ":tt", 4), i + 1);
    assert_int_equal(open_name(w, ":tt", 4), UINT64_MAX);
    assert_int_equal(error(w), EMFILE);
    assert_int_equal(value(w, SYS_CLOSE, 5, 0, 0), 0);
    assert_int_equal(open_name(w, ":tt", 4), 5);
    assert_int_equal(value(w, SYS_CLOSE, 0, 0, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_CLOSE, 17, 0, 0), UINT64_MAX);
    assert_int_equal(value(w, SYS_READ, UINT64_MAX, BUF, 9), 9);
}

static void the_features_file_tells_of_extended_exit(void **s)
{
    struct world *w = *s;
    uint64_t h = open_name(w, ":semihosting-features", 0);
    assert_int_equal(value(w, SYS_FLEN, h, 0, 0), 5);
    assert_int_equal(value(w, SYS_READ, h, BUF, 16), 11);
    assert_memory_equal(w->mem + BUF, "SHFB\3", 5);
    assert_int_equal(value(w, SYS_SEEK, h, 4, 0), 0);
    assert_int_equal(value(w, SYS_READ, h, BUF, 1), 0);
    assert_int_equal(w->mem[BUF], 3);
    assert_int_equal(open_name(w, ":semihosting-features", 4), UINT64_MAX);
}

static void time_is_the_guests(void **s)
{
    struct world *w = *s;
    assert_int_equal(semihost_call(&w->env, SYS_CLOCK, 0).value, 250);
    assert_int_equal(semihost_call(&w->env, SYS_TIME, 0).value, 1002);
    assert_int_equal(semihost_call(&w->env, SYS_TICKFREQ, 0).value, 10000000);
    assert_int_equal(semihost_call(&w->env, SYS_ELAPSED, BUF).value, 0);
    assert_memory_equal(w->mem + BUF, "\x40\x78\x7d\x01\0\0\0\0", 8);
}

static void the_command_line_is_stored_if_it_fits(void **s)
{
    struct world *w = *s;
    assert_int_equal(value(w, SYS_GET_CMDLINE, BUF, 9, 0), 0);
    assert_string_equal((char *)w->mem + BUF, "prog arg");
    assert_int_equal(w->mem[BLOCK + 8], 8);
    assert_int_equal(value(w, SYS_GET_CMDLINE, BUF, 8, 0), UINT64_MAX);
}

static void heapinfo_fills_four_words(void **s)
{
    struct world *w = *s;
    assert_int_equal(value(w, SYS_HEAPINFO, BUF, 0, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(w->mem[BUF + 8 * i], 0x11 * (i + 1));
    w->env.xlen = 32;
    assert_int_equal(value(w, SYS_HEAPINFO, BUF, 0, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(w->mem[BUF + 4 * i], 0x11 * (i + 1));
}

static void exit_codes_are_passed_on(void **s)
{
    struct world *w = *s;
    struct semihost_result r = call(w, SYS_EXIT, 0x20026, 9, 0);
    assert_int_equal(r.action, SEMIHOST_EXIT);
    assert_int_equal(r.code, 9);
    assert_int_equal(call(w, SYS_EXIT, 0x20024, 9, 0).code, 1);
    w->env.xlen = 32;
    assert_int_equal(semihost_call(&w->env, SYS_EXIT, 0x20026).code, 0); /* no block at 32 bits */
    assert_int_equal(semihost_call(&w->env, SYS_EXIT, 0x20023).code, 1);
    r = call(w, SYS_EXIT_EXTENDED, 0x20026, 5, 0);
    assert_int_equal(r.action, SEMIHOST_EXIT);
    assert_int_equal(r.code, 5);
}

static void blocks_are_32_bits_wide_on_rv32(void **s)
{
    struct world *w = *s;
    w->env.xlen = 32;
    uint64_t out = open_name(w, ":tt", 4);
    memcpy(w->mem + BUF, "ok", 2);
    assert_int_equal(value(w, SYS_WRITE, out, BUF, 2), 0);
    assert_out(w, "ok");
    assert_int_equal(value(w, SYS_ISERROR, 0x80000000, 0, 0), 1);
    assert_int_equal(value(w, SYS_ISERROR, 0x7fffffff, 0, 0), 0);
}

static void nonsense_returns_minus_one(void **s)
{
    struct world *w = *s;
    w->env.files = &one_file;
    for (uint32_t op = 0; op < 0x200; op++) {
        struct semihost_result r = semihost_call(&w->env, op, UINT64_MAX - 3);
        if (op == SYS_READC)
            assert_int_equal(r.action, SEMIHOST_WAIT);
        else
            assert_int_equal(r.action, SEMIHOST_RETURN);
        assert_true(semihost_valid(&w->state));
    }
    assert_int_equal(semihost_call(&w->env, 0xffffffff, 0).value, UINT64_MAX);
    assert_int_equal(error(w), ENOSYS);
    memset(&w->state, 0xff, sizeof w->state);
    assert_false(semihost_valid(&w->state));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, NULL)
    const struct CMUnitTest tests[] = {
        T(characters_and_strings_are_printed),
        T(the_console_is_opened_by_its_name),
        T(reading_waits_for_a_key),
        T(files_are_refused_by_default),
        T(allowed_files_are_read_written_and_sought),
        T(names_cannot_leave_the_directory),
        T(handles_run_out),
        T(the_features_file_tells_of_extended_exit),
        T(time_is_the_guests),
        T(the_command_line_is_stored_if_it_fits),
        T(heapinfo_fills_four_words),
        T(exit_codes_are_passed_on),
        T(blocks_are_32_bits_wide_on_rv32),
        T(nonsense_returns_minus_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
