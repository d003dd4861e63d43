/*
 * Retired instructions out of a gist (cpu/gist.h): docs/trace-format.md, frames 'G'. The reader has registers and memory of its
 * own and does what instructions do by their rules; it knows no instruction set, no images and no devices.
 *
 *   x = gist_reader_new(words, pages)
 *   while (gist_next(x, &cursor, &record))   the cursor goes over one frame after the other, from the first one on
 */
#ifndef TL_DEBUG_GISTREAD_H
#define TL_DEBUG_GISTREAD_H
#include "debug/insncode.h"

struct gist_reader;
/* words: how many a hart has; at most so many pages of memory are kept: a gist that tells of more is bad. */
struct gist_reader *gist_reader_new(unsigned words, size_t pages);
/* One that knows what x does, and goes its own way from here. */
struct gist_reader *gist_reader_copy(const struct gist_reader *x);
void gist_reader_free(struct gist_reader *x);
/* Takes one instruction, or what happened between two; of INSN_MEMORY addresses are physical, | MEM_TAGS of the tag of 16 bytes.
   False: there are no more in these bytes. Sets the cursor's `bad` where they do not fit together. */
bool gist_next(struct gist_reader *x, struct cursor *c, struct insn_record *out);
/* The registers of a hart before the instruction to come; NULL: the hart has none. */
const uint64_t *gist_registers(const struct gist_reader *x, unsigned hart);
/* The address of that instruction. */
uint64_t gist_pc_of(const struct gist_reader *x, unsigned hart);
/* The page of memory at pa as it is now; NULL: it is not known. */
const uint8_t *gist_memory(const struct gist_reader *x, uint64_t pa);
/* What an event GIST_INFO tells, behind its kind: the bits of the encoding; words: how many a hart has. */
uint32_t gist_encoding(struct cursor *c, unsigned words);
#endif
