/* What a run covered (a64_cover.c). */
#ifndef TL_TESTS_A64_COVER_H
#define TL_TESTS_A64_COVER_H
#include "a64_diff.h"

struct a64_cover;
struct a64_cover *a64_cover_new(void); /* free() ends it */
/* An instruction outside the harness was executed, or raised an exception. */
void a64_cover_insn(struct a64_cover *v, const struct a64_isa *isa, uint32_t bits, bool trapped);
/* A round was compared. */
void a64_cover_exception(struct a64_cover *v, unsigned el, unsigned class);
void a64_cover_round(struct a64_cover *v, const struct a64_isa *isa, unsigned records);
/* Prints all counts; probe: a64_probe_make's image after QEMU ran it. Returns how many rows that both have are not covered. */
unsigned a64_cover_print(const struct a64_cover *v, const struct a64_isa *isa, const uint8_t *probe, FILE *out);
#endif
