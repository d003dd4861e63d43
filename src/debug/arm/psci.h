/* Calls of firmware by SMC or HVC, as data (psci.def). */
#ifndef TL_DEBUG_ARM_PSCI_H
#define TL_DEBUG_ARM_PSCI_H
#include <stdbool.h>
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
/* The call with this identifier in W0; NULL: none. */
const struct psci_call *psci_call(uint32_t number);
/* The name of an error, or NULL. */
const char *psci_error_name(int64_t value);
/* Names of results: error number i, its name; NULL past the last. */
const char *psci_error_at(unsigned i, int *value);
#endif
