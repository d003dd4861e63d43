/*
 * The supervisor binary interface as tables (sbi.def, SBI v3.0), and calls of it as text and JSON.
 */
#ifndef TL_DEBUG_RISCV_SBI_H
#define TL_DEBUG_RISCV_SBI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

enum sbi_error {
#define ERROR(code, name, meaning) SBI_##name = (code),
#include "debug/riscv/sbi.def"
};
/* A set of error codes: bit n is code -n. */
#define SBI_ERROR_BIT(code) (1u << -(code))

enum sbi_kind {
#define KIND(name, ...) SBI_KIND_##name,
#include "debug/riscv/sbi.def"
    SBI_KIND_COUNT
};
enum sbi_ext {
    SBI_EXT_NONE,
#define EXT(name, ...) SBI_EXT_##name,
#include "debug/riscv/sbi.def"
    SBI_EXT_COUNT
};

#define SBI_ARGS 5 /* arguments of a function at most */

struct sbi_ext_row {
    const char *name; /* NULL: SBI_EXT_NONE */
    uint32_t first, last;
    const char *since, *title; /* version of the specification that has it first */
};
struct sbi_func_row {
    enum sbi_ext ext;
    uint32_t fid;     /* legacy: the EID */
    const char *name; /* without sbi_ */
    const char *since, *title;
    enum sbi_kind value; /* of a1 after success */
    uint16_t errors;     /* bits of SBI_ERROR_BIT */
    struct {
        const char *name; /* NULL behind the last */
        enum sbi_kind kind;
    } arg[SBI_ARGS + 1];
};
struct sbi_error_row {
    int code;
    const char *name, *meaning;
};
struct sbi_kind_row {
    const char *name, *title;
    uint8_t bits; /* 0: XLEN */
    int8_t base;
    enum sbi_ext ext; /* whose page shows its values */
};
struct sbi_value_row {
    enum sbi_kind kind;
    bool field;            /* lo and hi are bit numbers; 255: XLEN-1 */
    uint64_t lo, hi, mask; /* fits a value v if lo <= (v & mask) <= hi */
    const char *name, *meaning;
};

const struct sbi_ext_row *sbi_ext(enum sbi_ext ext);
const struct sbi_error_row *sbi_error_at(unsigned i);    /* NULL: no more */
const struct sbi_func_row *sbi_func_at(unsigned i);      /* NULL: no more */
const struct sbi_kind_row *sbi_kind(enum sbi_kind kind); /* kind < SBI_KIND_COUNT */
const struct sbi_value_row *sbi_value_at(unsigned i);    /* NULL: no more */

/* The extension that has this EID; SBI_EXT_NONE if none has. EIDs are 32 bits wide, signed. */
enum sbi_ext sbi_ext_of(uint64_t eid);
enum sbi_ext sbi_ext_by_name(const char *name); /* in any case of letters */
/* The function that a call with these a7 and a6 means, or NULL. */
const struct sbi_func_row *sbi_func_of(uint64_t eid, uint64_t fid);
/* SBI_ERR_FAILED, …; NULL: there is no such code. */
const char *sbi_error_name(int64_t code);
/* The name of value v of a kind, NULL if it has none. Values of flags have no names. */
const struct sbi_value_row *sbi_value_of(enum sbi_kind kind, uint64_t v);
/* Whether SBI v3.0 (SSE, "Software Events") has an event of this id, or leaves it to the platform; else it is reserved. */
bool sbi_has_event(uint32_t id);
enum sbi_kind sbi_kind_by_name(const char *name); /* SBI_KIND_COUNT: there is none */
/* The bits of a field; false: registers of this width do not have it. */
bool sbi_field_bits(const struct sbi_value_row *r, unsigned xlen, unsigned *msb, unsigned *lsb);

/* A call, as its ecall found the registers. XLEN-wide values, zero-extended. */
struct sbi_call {
    unsigned xlen;
    uint64_t a[8]; /* a0 … a7 */
};
struct sbi_result {
    uint64_t a0, a1;
};

/* v of a kind: its number, and its name in quotes or its fields. Writes at most cap bytes with the NUL; returns the length. */
size_t sbi_value_text(enum sbi_kind kind, uint64_t v, unsigned xlen, char *out, size_t cap);
/* `sse_inject(event 0xffff0000 "local software", hart 0) = 0`. result: NULL: not known or none (the text ends behind the
   arguments). Writes at most cap bytes with the NUL; returns the length. */
size_t sbi_call_text(const struct sbi_call *c, const struct sbi_result *result, char *out, size_t cap);
/* The same as an object: extension, function, eid, fid, args (name, value, meaning), error, error_name, value. A new reference.
 */
struct json_t *sbi_call_json(const struct sbi_call *c, const struct sbi_result *result);
#endif
