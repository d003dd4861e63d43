/* A hart's registers with a live side that the test holds in its hands. */
#ifndef TEST_CSR_WORLD_H
#define TEST_CSR_WORLD_H
#include "base/rng.h"
#include "csr/riscv/csr.h"
#include "csr/riscv/print.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct rv_config cfg;
    struct csr_map *map;
    struct rv_csrs r;
    struct csr_ctx c; /* priv, v: M after world_new */
    uint64_t counter[32], time, lines, hgeip, fflags, seed;
};

/* Configurations that every law is tried on; NULL-terminated. */
extern const char *const world_configs[];

/* A reset hart of this configuration in M-mode. world_end frees the map. */
void world_new(struct world *w, const char *cfg);
void world_end(struct world *w);
/* Writes ones to every register that gates another: nothing is gated but what no setting opens. */
void world_open(struct world *w);

/* Accesses from a mode; the mode is put back. */
enum { U = 0, S = 1, M = 3, VU = 4, VS = 5 };
enum csr_result check(struct world *w, unsigned mode, unsigned num, bool write);
uint64_t get(struct world *w, unsigned mode, unsigned num);
uint32_t put(struct world *w, unsigned mode, unsigned num, uint64_t v);
bool on(const struct world *w, enum rv_ext e);
/* The value of the ones that fit into XLEN. */
uint64_t ones(const struct world *w);
/* What the test is about, for messages: configuration and register. */
const char *about(const struct world *w, unsigned num);

/* v after a write of `value` from M-mode. */
uint64_t wrote(struct world *w, unsigned num, uint64_t value);

#define assert_reg(w, mode, num, value)                                                                               \
    do {                                                                                                              \
        uint64_t is_ = get(w, mode, num), want_ = (value);                                                            \
        if (is_ != want_)                                                                                             \
            fail_msg("%s reads %#llx, not %#llx", about(w, num), (unsigned long long)is_, (unsigned long long)want_); \
    } while (0)
#define assert_check(w, mode, num, write, result)                                                                        \
    do {                                                                                                                 \
        int got_ = (int)check(w, mode, num, write), exp_ = (int)(result);                                                \
        if (got_ != exp_)                                                                                                \
            fail_msg("%s, mode %d, %s: %d, not %d", about(w, num), (int)(mode), (write) ? "write" : "read", got_, exp_); \
    } while (0)
#endif
