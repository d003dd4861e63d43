/* What a walk of translation tables begins with, made from the registers that control it (regime.c, mmu.c, walk.c). */
#ifndef TL_CPU_ARM_STAGE_H
#define TL_CPU_ARM_STAGE_H
#include <stdbool.h>
#include <stdint.h>

/* What TCR_ELx says of one half of a regime's addresses. */
struct s1_range {
    uint8_t txsz;
    uint8_t granule; /* enum granule */
    bool tbi, tbid, hpd, epd, e0pd, ds;
    bool mtx; /* bits 59:56 of data addresses are a logical tag: RES0 without FEAT_MTE_CANONICAL_TAGS, FEAT_MTE_NO_ADDRESS_TAGS */
};

/* One stage of translation, from the registers that control it. */
struct stage {
    uint64_t base;   /* address of the first table */
    int8_t level;    /* of the first table: -1 to 3 */
    uint8_t granule; /* enum granule */
    uint8_t iasize, oasize;
    bool ds, big_endian;
    bool ha : 1, hd : 1, haft : 1; /* what hardware does: sets the access flag, manages dirty state, flags tables, too */
};

/* The beginnings of walks, as they were made lately: they are functions of `from` and of what never changes. */
#define STAGE_WORDS 5
struct stage1_memo {
    uint64_t from[STAGE_WORDS];
    struct s1_range range;
    struct stage stage;
    uint8_t made; /* 0: nothing yet; 1: there is one; 2: TxSZ makes every access fault */
};
struct stage2_memo {
    uint64_t from[STAGE_WORDS];
    struct stage stage;
    uint64_t control;
    bool made, bad;
};
#endif
