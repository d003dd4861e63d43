/*
 * What the PE is: the architectural features it has and every IMPLEMENTATION DEFINED choice. Constant for a run. What is off does
 * not exist for the guest: its instructions and registers are UNDEFINED and its fields of the ID registers say so.
 */
#ifndef TL_CSR_ARM_CONFIG_H
#define TL_CSR_ARM_CONFIG_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Feature numbers, one a row of feat.def, in the Arm ARM's spelling (A2.2, "Architectural features"): FEAT_LSE, FEAT_PAN2, … */
enum arm_feat {
#define FEAT(name, version, cores, needs, title, ...) FEAT_##name,
#include "csr/arm/feat.def"
#undef FEAT
    ARM_FEAT_COUNT
};

/* Choices that are not features, one a row of choice.def; each is a number. */
#define ARM_SECURE_ONLY 2

struct arm_config {
    uint32_t feat[8]; /* bit set, by enum arm_feat; read with arm_has */
    uint32_t core;    /* index of the named core it started from: arm_core_name */
#define CHOICE(name, member, low, high, value, title) uint64_t member;
#include "csr/arm/choice.def"
#undef CHOICE
    /* Physical addresses that only exist in the Secure address space, as the board has them; base == end: none. */
    struct {
        uint64_t base, end;
    } secure_only[ARM_SECURE_ONLY];
};

static inline bool arm_has(const struct arm_config *c, enum arm_feat f) { return (c->feat[f / 32] >> (f % 32)) & 1; }

/* GMID_EL1.BS: LDGM and STGM access the tags of 4 << BS bytes, a cache line, but 256 bytes at most (D24.2.61). */
static inline unsigned arm_gmid_bs(const struct arm_config *c) { return c->dline > 8 ? 6 : (unsigned)c->dline - 2; }

/* Can breakpoint n match a context? Arm ARM ContextAwareBreakpointRange. */
static inline bool arm_context_aware(const struct arm_config *c, unsigned n)
{
    if (c->breakpoints <= 16)
        return n < c->breakpoints && n + c->ctx_cmps >= c->breakpoints;
    return c->ctx_cmps <= 16 ? n < 16 && n + c->ctx_cmps >= 16 : n < c->ctx_cmps;
}

/* Are there breakpoints or watchpoints that MDSELR_EL1 must select? */
static inline bool arm_debug_banked(const struct arm_config *c) { return c->breakpoints > 16 || c->watchpoints > 16; }

/* Whether a Non-secure access finds nothing at pa. */
static inline bool arm_secure_only(const struct arm_config *c, uint64_t pa)
{
    for (unsigned i = 0; i < ARM_SECURE_ONLY; i++)
        if (pa >= c->secure_only[i].base && pa < c->secure_only[i].end)
            return true;
    return false;
}

/* The default configuration: core "max", every feature of feat.def that max has. */
void arm_config_default(struct arm_config *c);
/*
 * Makes *out from "max,mte=off,el3=on,pa=44": a named core (cortex-a53, cortex-a76, neoverse-v1, max; max if the first item names
 * no core), then settings, separated by commas, blanks or line ends; # starts a comment; names are case-insensitive. A feature is
 * named as in feat.def, with or without FEAT_ ("lse=off"); groups are named mte, pauth, ras, pmu, gic, bbm, … (group.def). A
 * feature that is turned off takes along what needs it, one that is turned on brings what it needs. False with a sentence, and
 * *out as it was, on an unknown name or a bad value, or when what was turned on needs what was turned off. Settings:
 * docs/implementation-defined.md.
 */
bool arm_config_parse(const char *text, struct arm_config *out, struct err *e);
/* Name of a feature without FEAT_, its row's title, the version that introduced it ("8.1"). */
const char *arm_feat_name(enum arm_feat f);
const char *arm_feat_title(enum arm_feat f);
const char *arm_feat_version(enum arm_feat f);
/* Names of the cores, by number from 0; NULL behind the last. */
const char *arm_core_name(unsigned i);
/* All of them: "max, cortex-a53, …". */
void arm_core_names(char *out, size_t cap);
/* Names, titles and values of the choices, by number from 0; NULL behind the last. */
const char *arm_choice_name(unsigned i);
const char *arm_choice_title(unsigned i);
uint64_t arm_choice_value(const struct arm_config *c, unsigned i);
#endif
