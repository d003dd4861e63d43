/* Inside cpu/arm: allocation tags. Arm ARM D10. */
#ifndef TL_CPU_ARM_TAGS_H
#define TL_CPU_ARM_TAGS_H
#include "cpu/arm/pe.h"

#define TAG_GRANULE 16u

/* An address with its logical tag replaced. */
static inline uint64_t tag_put(uint64_t address, unsigned tag) { return bits_set(address, 59, 56, tag); }
/* Arm ARM AArch64.ChooseNonExcludedTag, and 0 where this level has no access to tags. */
unsigned tag_choose(const struct pe *p, unsigned start, unsigned offset, unsigned exclude);
/* Arm ARM "IRG". exclude: tags excluded besides those of GCR_EL1. */
unsigned tag_random(struct pe *p, unsigned exclude);
/* Stores a tag to granules from va on, and zeroes the data if asked to. False: p->exc. */
bool tag_store(struct pe *p, uint64_t va, unsigned granules, bool zero, unsigned tag);
/* Stores slow.data (16 bytes) and the tag of va itself at va. */
bool tag_store_pair(struct pe *p, uint64_t va);
/* The tag of the granule at va into slow.value. */
bool tag_load(struct pe *p, uint64_t va);
/* STGM, STZGM, LDGM: `tags` and slow.value are 4 bits a granule. */
bool tag_store_many(struct pe *p, uint64_t va, uint64_t tags);
bool tag_zero_many(struct pe *p, uint64_t va, uint64_t tags);
bool tag_load_many(struct pe *p, uint64_t va, uint64_t tags);

/* Whether an access of data at va, by the instruction that is being executed, is a Tag Checked one, whatever a mismatch would do.
   Arm ARM AArch64.AccessIsTagChecked. */
bool tags_compared(const struct pe *p, uint64_t va, enum access a, const struct access_mode *m);
/* Whether accesses made as `el` in a regime have their tags checked with any consequence, PSTATE.TCO being 0. */
bool tags_checked(const struct pe *p, unsigned el, unsigned regime);
/* The check of an access with m->checked, `size` bytes from va on, whose translation succeeded. A mismatch is a Tag Check Fault:
   it is taken (false: p->exc) or noted in TFSR_ELx, as SCTLR_ELx says. Arm ARM AArch64.CheckTag, AArch64.TagCheckFault. */
bool tag_check(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m);
#endif
