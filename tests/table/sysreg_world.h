/* A PE's system registers with a live side that the test holds in its hands. */
#ifndef TEST_SYSREG_WORLD_H
#define TEST_SYSREG_WORLD_H
#include "base/bits.h"
#include "base/rng.h"
#include "csr/arm/print.h"
#include "csr/arm/sysreg.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct pe_world {
    struct arm_config cfg;
    struct sysreg_map *map;
    struct arm_regs r;
    struct sysreg_ctx c; /* el: the highest there is after pe_new */
    const char *text;
    uint64_t special[SYSREG_COUNT]; /* what set_special left, by id */
    uint64_t count, cycles, instructions, event[31], random, gic_value;
    uint64_t overflows; /* not in PMOVSSET_EL0 yet */
    uint32_t lines, increments;
    unsigned captures;
    unsigned gic_id; /* the last that was read or written */
    bool one_security_state;
};

/* Configurations that every law is tried on; NULL-terminated. */
extern const char *const pe_configs[];

/* A reset PE of this configuration. pe_end frees the map. */
void pe_new(struct pe_world *w, const char *cfg);
void pe_end(struct pe_world *w);
/* Bits of HFGRTR_EL2 and HFGWTR_EL2 that trap while they are 0: nRCWMASK_EL1, nPIRE0_EL1, nPIR_EL1, nPOR_EL0, nPOR_EL1,
   nS2POR_EL1, nMAIR2_EL1, nAMAIR2_EL1. */
#define PE_FINE_INVERTED (UINT64_C(0xff) << 56)
/* Sets every control so that it traps nothing, Non-secure, HCR_EL2.E2H and TGE as given. */
void pe_open(struct pe_world *w, bool e2h, bool tge);
/* Writes random values to every register that can be written without a hook of the outside. */
void pe_random(struct pe_world *w, uint64_t *rng);

bool pe_has(const struct pe_world *w, enum arm_feat f);
/* The exception levels that are there: bit 0..3. */
unsigned pe_levels(const struct pe_world *w);
struct sysreg_access pe_check(struct pe_world *w, unsigned el, unsigned id, bool write);
uint64_t pe_read(struct pe_world *w, unsigned el, unsigned id);
uint32_t pe_write(struct pe_world *w, unsigned el, unsigned id, uint64_t v);
/* Sets, clears bits of a register by its name, as the highest level would. */
void pe_bits(struct pe_world *w, const char *name, uint64_t mask, uint64_t value);
/* What the test is about, for messages. */
const char *pe_about(const struct pe_world *w, unsigned id);
/* The id of a name; fails when there is none. */
unsigned pe_id(const char *name);
/* Is the row of this kind? */
bool pe_kind(unsigned id, const char *kind);

#define for_levels(w, el)               \
    for (unsigned el = 0; el < 4; el++) \
        if (pe_levels(w) >> el & 1)
#define for_ids(w, id)                             \
    for (unsigned id = 1; id < SYSREG_COUNT; id++) \
        if (sysreg_exists((w)->map, id))

/* result: SYSREG_OK, SYSREG_UNDEFINED, or TO(el, ec). */
#define TO(el, ec) (1000 + (el)*100 + (ec))
int pe_outcome(struct sysreg_access a);
#define assert_outcome(w, el, id, write, want)                                                                             \
    do {                                                                                                                   \
        int got_ = pe_outcome(pe_check(w, el, id, write)), exp_ = (int)(want);                                             \
        if (got_ != exp_)                                                                                                  \
            fail_msg("%s, EL%u, %s: %d, not %d", pe_about(w, id), (unsigned)(el), (write) ? "write" : "read", got_, exp_); \
    } while (0)
#endif
