/*
 * Disassembly, in the manuals' assembly language with symbols. RISC-V is printed from the rows of cpu/riscv/insn/, A64 by
 * capstone, with names of system registers from csr/arm/ and the rows for what it does not know.
 */
#ifndef TL_DEBUG_DISAS_H
#define TL_DEBUG_DISAS_H
#include "machine/trapline.h"

#define DISAS_TEXT 160 /* bytes that hold the text of any instruction */

struct disas;
struct cpu;
struct cpu_arch;

/* For the harts of one machine, or of its forks. */
struct disas *disas_new(struct machine *m);
void disas_free(struct disas *d);

/* The instruction whose bytes are at p (n of them are there), as if it stood at virtual address pc, in the hart's configuration
   and current width. Returns its length, 2 or 4; 0 if n bytes are not enough, then the text says so. An encoding that is not
   there gives its number. */
unsigned disas_bytes(struct disas *d, struct machine *m, unsigned hart, uint64_t pc, const uint8_t *p, size_t n, char *out,
                     size_t cap);
/* The instruction in the hart's memory at pc, as the current mode reaches it. *bits: its encoding (may be NULL). Returns its
   length; 0: it cannot be read. */
unsigned disas_at(struct disas *d, struct machine *m, unsigned hart, uint64_t pc, uint32_t *bits, char *out, size_t cap);

/* What each architecture provides. */
struct disas_ops {
    const struct cpu_arch *arch;
    /* Makes and frees what it keeps; NULL if nothing. */
    void *(*make)(void);
    void (*drop)(void *kept);
    /* Length of the instruction that begins with these two bytes. */
    unsigned (*length)(const uint8_t *p);
    /* The text of a whole instruction. target: the address it may branch to, UINT64_MAX: none. */
    void (*text)(void *kept, struct cpu *c, uint64_t pc, uint32_t bits, char *out, size_t cap, uint64_t *target);
};
extern const struct disas_ops riscv_disas, arm_disas;

/* An A64 instruction without a machine, as if it stood at address 0; of the configuration that map and decoder were made of. */
struct sysreg_map;
struct a64_decoder;
void disas_a64(const struct sysreg_map *map, const struct a64_decoder *decoder, uint32_t word, char *out, size_t cap);
#endif
