/*
 * Instruction logs of simulators, emulators and RTL, in the formats people have: one reader for all of them, which turns a log
 * into steps that can be compared with those of any other log (debug/logs/compare.h).
 *
 * A format is a row of formats.def and a file here. A reader is given bytes by a function, so that it can be tested and fuzzed
 * without files; it never believes what it reads: bad input is a sentence with the line.
 */
#ifndef TL_DEBUG_LOGS_LOG_H
#define TL_DEBUG_LOGS_LOG_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a register is: its number means what the manual says: x5, f0, v31, CSR 0x300; of Arm x0-x30 and sp as 31, v0-v31, and the
   number csr/arm has for a system register. */
enum log_class { LOG_X, LOG_F, LOG_V, LOG_CSR, LOG_SYSTEM, LOG_CLASSES };

#define LOG_WORDS 4   /* 64-bit words of a value that are kept and compared */
#define LOG_REGS  48  /* registers written by one step */
#define LOG_MEMS  128 /* accesses of one step */

struct log_reg {
    uint8_t class; /* enum log_class */
    uint8_t words; /* how many words the log gave, 1 to LOG_WORDS */
    uint16_t number;
    uint64_t value[LOG_WORDS]; /* low word first */
};

struct log_mem {
    uint64_t address, value;
    uint8_t bytes; /* 0: the log does not say */
    bool store, has_value;
    bool physical; /* address is the physical one; of others only the offset in the page compares with it */
};

enum log_kind {
    LOG_RETIRED, /* an instruction that retired */
    LOG_TRAP     /* an exception or interrupt taken; pc is the instruction it interrupts */
};

#define LOG_UNKNOWN (-1)

/* What a stream of our own steps begins with (debug/export/raw.c). */
#define LOG_STEPS_MAGIC     "TLSTEPS\n"
#define LOG_STEPS_MAGIC_LEN 8

struct log_step {
    uint64_t line; /* where it begins: line of a text, packet of a binary, from 1 */
    enum log_kind kind;
    unsigned hart;
    int priv; /* 0 U, 1 S, 3 M; exception level of Arm; LOG_UNKNOWN */
    int v;    /* virtualization mode; LOG_UNKNOWN */
    uint64_t pc;
    uint32_t insn;      /* its encoding */
    uint8_t insn_bytes; /* 2 or 4; 0: the log does not have it */
    bool interrupt;     /* of a trap */
    uint64_t cause;     /* of a trap; UINT64_MAX: the log does not say */
    uint64_t tval;      /* of a trap, if has_tval */
    bool has_tval;
    bool cut; /* more registers or accesses than fit: not to be compared */
    unsigned nregs, nmems;
    struct log_reg reg[LOG_REGS];
    struct log_mem mem[LOG_MEMS];
};

/* What a format tells of each step; what it does not tell is not compared. */
enum log_has {
    LOG_HAS_INSN = 1,
    LOG_HAS_PRIV = 2,
    LOG_HAS_X = 4,
    LOG_HAS_F = 8,
    LOG_HAS_V = 16,
    LOG_HAS_CSR = 32, /* registers written by name */
    LOG_HAS_LOADS = 64,
    LOG_HAS_STORES = 128,
    LOG_HAS_TRAPS = 256
};

struct log_format {
    const char *name;  /* "spike": of --format */
    const char *title; /* for people */
    unsigned has;      /* enum log_has */
    bool arm;          /* of A64 only */
    bool binary;
    const char *spec; /* the documentation the reader follows */
};

/* Format number i (0, 1, …); NULL past the last. */
const struct log_format *log_format_at(unsigned i);

/* Reads up to n bytes; returns how many, 0 at the end, -1 with a sentence. */
typedef long log_bytes_fn(void *ctx, void *p, size_t n, struct err *e);

struct log_reader;

/* Opens a log. name: the file, for sentences. format: a name of formats.def, or NULL: found from the first lines. NULL with a
   sentence if nothing knows it. */
struct log_reader *log_open(const char *name, const char *format, log_bytes_fn *bytes, void *ctx, struct err *e);
void log_close(struct log_reader *r);
const struct log_format *log_reader_format(const struct log_reader *r);
/* What this log really has of what its format may have (QEMU's exec log without in_asm has no encodings). Final at its end. */
unsigned log_reader_has(const struct log_reader *r);
/* The log is of A64; final when a step was read. */
bool log_reader_arm(const struct log_reader *r);
/* Lines that were none of the format (a guest's console between them). */
uint64_t log_reader_skipped(const struct log_reader *r);
/* The last line had no end: the log is torn there; the step in it is not given. */
bool log_reader_torn(const struct log_reader *r);

enum log_result { LOG_STEP, LOG_END, LOG_BAD /* with a sentence that names file, line and reason */ };
enum log_result log_next(struct log_reader *r, struct log_step *s, struct err *e);

/* "x5", "mstatus", "v3", "sctlr_el1" into out. */
void log_reg_name(const struct log_reg *g, bool arm, char *out, size_t cap);
/* The register of a name as people write it ("a0", "x10", "fa0", "mstatus", "SP_EL1", "w3"). False: there is none. */
bool log_reg_parse(const char *name, bool arm, struct log_reg *g);
#endif
