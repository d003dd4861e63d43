/* Calls of firmware by SMC or HVC, as data (psci.def). */
#ifndef TL_DEBUG_ARM_PSCI_H
#define TL_DEBUG_ARM_PSCI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct psci_call {
    uint32_t number;
    bool wide; /* also with bit 30 set, for 64-bit arguments */
    const char *name, *spec, *arguments, *title;
    uint32_t errors; /* bit n: it may return -n */
    int32_t most;    /* the greatest other value that it may return; -1: it returns in no other way */
};
enum {
#define ERROR(value, name) PSCI_##name = value,
#include "debug/arm/psci.def"
};
/* NULL past the last. */
const struct psci_call *psci_call_at(unsigned i);
/* The identifier in x0. Bit 16 of a fast call is no part of it: a caller's word that it has no SVE state to lose (DEN 0028 1.3).
 */
static inline uint32_t psci_id(uint64_t x0)
{
    uint32_t id = (uint32_t)x0;
    return id >> 31 ? id & ~UINT32_C(0x10000) : id;
}
/* The call with this identifier; NULL: none. */
const struct psci_call *psci_call(uint32_t number);
/* The name of an error, or NULL. */
const char *psci_error_name(int64_t value);
/* A call by HVC or SMC (by_smc) with x0 to x7 in x: "SMC: CPU_ON(target_cpu=0x1 …)", and as an object with conduit, function
   where it is known, and x. result: x0 behind it, for " = SUCCESS" and the object's result; NULL: it is not over. */
#define PSCI_ARGUMENTS 8
void psci_call_text(bool by_smc, const uint64_t x[PSCI_ARGUMENTS], const uint64_t *result, char *out, size_t cap);
struct json_t *psci_call_json(bool by_smc, const uint64_t x[PSCI_ARGUMENTS], const uint64_t *result); /* a new reference */
/* Names of results: error number i, its name; NULL past the last. */
const char *psci_error_at(unsigned i, int *value);
#endif
