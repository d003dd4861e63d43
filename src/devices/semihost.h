/*
 * Semihosting: operations a guest asks of its host by a marked breakpoint (Arm "Semihosting for AArch32 and AArch64", 2.0; RISC-V
 * Semihosting 0.4: the same operations, a0 is the operation, a1 its parameter, the result goes to a0).
 *
 * By default only the console exists: files are refused unless the environment has a struct semihost_files.
 */
#ifndef TL_DEVICES_SEMIHOST_H
#define TL_DEVICES_SEMIHOST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEMIHOST_HANDLES  16u
#define SEMIHOST_NAME_MAX 255u

/* State: plain data, zeroed at reset. Handle i + 1 is handle[i]. */
struct semihost {
    struct {
        uint32_t kind;
        int32_t file;
        uint64_t at;
    } handle[SEMIHOST_HANDLES];
    int32_t error; /* the last error number, for SYS_ERRNO */
    uint32_t pad;
};

/*
 * Files below one directory of the host. `name` is relative and has no "..", no empty part and no leading "/". All return a value
 * below 0, -errno, on error. mode is 0..11 as in fopen's "r", "rb", "r+", "r+b", "w", "wb", "w+", "w+b", "a", "ab", "a+", "a+b".
 */
struct semihost_files {
    int (*open)(void *ctx, const char *name, unsigned mode); /* a file number, 0 or more */
    int64_t (*read)(void *ctx, int file, uint64_t at, void *p, size_t n);
    int64_t (*write)(void *ctx, int file, uint64_t at, const void *p, size_t n);
    int64_t (*size)(void *ctx, int file);
    int (*close)(void *ctx, int file);
    int (*remove)(void *ctx, const char *name);
    int (*rename)(void *ctx, const char *from, const char *to);
};

/* What the operations work on. ctx is passed to every function. */
struct semihost_env {
    void *ctx;
    struct semihost *state;
    unsigned xlen;                                             /* 32 or 64: the width of a word in a parameter block */
    bool (*read)(void *ctx, uint64_t va, void *p, uint64_t n); /* guest memory, as the caller sees it; false: fault */
    bool (*write)(void *ctx, uint64_t va, const void *p, uint64_t n);
    void (*output)(void *ctx, const void *p, size_t n);      /* to the console */
    size_t (*input)(void *ctx, void *p, size_t n);           /* bytes typed at the console, 0: none yet */
    const struct semihost_files *files;                      /* NULL: no files */
    const char *cmdline;                                     /* for SYS_GET_CMDLINE; NULL: empty */
    uint64_t ticks;                                          /* guest time */
    uint64_t tick_hz;                                        /* ticks a second */
    uint64_t epoch;                                          /* seconds from 1970 to tick 0 */
    uint64_t heap_base, heap_limit, stack_base, stack_limit; /* for SYS_HEAPINFO; 0: unknown */
};

enum semihost_action {
    SEMIHOST_RETURN, /* value is the result: a0 */
    SEMIHOST_WAIT,   /* no input yet: execute the breakpoint again later, nothing was changed */
    SEMIHOST_EXIT    /* the guest ends the run with exit code `code` */
};

struct semihost_result {
    enum semihost_action action;
    uint64_t value; /* sign-extended -1 on failure; truncate to xlen */
    int code;
};

/*
 * Carries out operation `op` (low 32 bits of a0) with parameter `arg` (a1). An unknown operation and a parameter block that
 * cannot be read return -1.
 */
struct semihost_result semihost_call(const struct semihost_env *env, uint32_t op, uint64_t arg);

/* True if every field of a loaded state is in range. */
bool semihost_valid(const struct semihost *s);
#endif
