/* Inside cpu/: what the two ways of tracing instructions share. */
#ifndef TL_CPU_INSNS_INTERNAL_H
#define TL_CPU_INSNS_INTERNAL_H
#include "cpu/arch.h"
#include "cpu/gist.h"

/* The words of its state, which is behind it (cpu_progress). */
static inline const uint64_t *insn_state(const struct cpu *c) { return (const uint64_t *)(const void *)(c + 1); }

/* A trace that tells of nothing yet. */
struct insn_trace *insn_trace_new(struct engine *e, const struct insn_layout *layout, void *ctx);
/* What the instruction wrote that is only found by looking: into the lists of t, behind what is there. */
void insn_look_before(struct insn_trace *t, struct cpu *c, const struct insn_hot *s);
void insn_look_behind(struct insn_trace *t, struct cpu *c, const struct insn_hot *s);
void insn_diff_system(struct insn_trace *t, const struct cpu *c);
/* The same of everything there is; of general registers and those of the system. */
void insn_diff_all(struct insn_trace *t, const struct cpu *c);
void insn_diff_outside(struct insn_trace *t, const struct cpu *c);
void insn_diff_vectors(struct insn_trace *t, const struct cpu *c);
/* The general registers are as told. vectors: the vector registers, too. */
void insn_copy(struct insn_trace *t, const struct cpu *c, bool vectors);
void insn_tell(struct insn_trace *t, uint64_t *copy, unsigned word, uint64_t value);
void insn_piece(struct insn_trace *t, uint64_t va, uint64_t pa, uint32_t size, const uint8_t *bytes);
const struct insn_hot *insn_slot_of(const struct cpu *c, const struct uop *op);

/* The gist's share of what insns.h has. */
void gist_begin(struct cpu *c);
void gist_finish(struct cpu *c);
void gist_goes(struct cpu *c);
/* Where the hart's last plain load or store of the page of va went. False: that is forgotten. */
bool gist_place(const struct cpu *c, uint64_t va, uint64_t *pa);
void gist_note(struct cpu *c, int64_t left);
void gist_trapped(struct engine *e, unsigned hart, uint64_t epc);
/* The events that are there go to the function. */
void gist_flush(struct engine *e);
void gist_free(struct gist *g);
/* In the place of the handler of an instruction without rules. */
uop_fn gist_step;
#endif
