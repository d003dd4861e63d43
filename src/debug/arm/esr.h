/* What ESR_ELx tells of an exception: exception classes, the fields of each ISS, their named values (esr.def). */
#ifndef TL_DEBUG_ARM_ESR_H
#define TL_DEBUG_ARM_ESR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct esr_class {
    uint8_t ec, format;
    const char *name;
};
struct esr_field {
    uint8_t format, msb, lsb, list; /* bits of ESR_ELx */
    const char *name, *meaning;
};

/* Class number i (0, 1, ...), in the order of the codes; NULL past the last. */
const struct esr_class *esr_class_at(unsigned i);
/* NULL: reserved. */
const struct esr_class *esr_class(unsigned ec);
/* "ISS encoding for ...": what the class's format is called. */
const char *esr_format_title(const struct esr_class *c);
/* Field number i of the class, the highest first; NULL past the last. */
const struct esr_field *esr_field_at(const struct esr_class *c, unsigned i);
/* The name of a field's value, "" if it has none. */
const char *esr_value_name(const struct esr_field *f, uint64_t value);
/* Named value number i of the field; NULL past the last. */
const char *esr_value_at(const struct esr_field *f, unsigned i, uint32_t *value);
/* The system register or instruction that a trapped MSR, MRS or SYS names: "sctlr_el1", else "s3_0_c1_c0_0", into out. */
void esr_sysreg(uint64_t iss, char *out, size_t cap);
/* Whether an exception with this syndrome has an address in FAR_ELx. */
bool esr_has_far(uint64_t esr);
/* "data abort from a lower level: translation fault, level 3, write" into out; returns its length as snprintf does. */
int esr_text(uint64_t esr, char *out, size_t cap);
#endif
