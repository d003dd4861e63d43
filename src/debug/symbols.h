/* Addresses and the symbols of the machine's images. */
#ifndef TL_DEBUG_SYMBOLS_H
#define TL_DEBUG_SYMBOLS_H
#include "machine/trapline.h"

/* The symbol at or below va and how far below; NULL: there is none that has to do with it. */
const char *symbols_near(struct machine *m, uint64_t va, uint64_t *offset);
/* An address for people: "switch_in_start+0x10", or "0x80200010" when no symbol is near (the nearest at or below it, no more than
   1 MiB away). Writes at most cap bytes with the NUL; returns the length. */
size_t symbols_text(struct machine *m, uint64_t va, char *out, size_t cap);
/* Reads "SYMBOL", "SYMBOL+0x10" or a number. False with a sentence that quotes the text. */
bool symbols_parse(struct machine *m, const char *text, uint64_t *va, struct err *e);
#endif
