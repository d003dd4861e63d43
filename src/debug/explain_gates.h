/*
 * Which bits of the registers refuse an access, found by asking the tables again with bits turned over: both architectures.
 *
 * Which bits are asked at all: those that by themselves change the answer for the registers as they are; and between two states
 * of the registers with different answers there is a bit that changes it beside the rest of some state in between. Seeded pairs
 * of states find those (the same always). Of the bits asked, the ones that by themselves change the answer decide; those of which
 * several have to be turned over to permit the access each refuse it.
 */
#ifndef TL_DEBUG_EXPLAIN_GATES_H
#define TL_DEBUG_EXPLAIN_GATES_H
#include <stdbool.h>
#include <stdint.h>

enum { GATES_MAX = 32, GATES_TOGETHER = 4 };

/* A bit that is asked. Answers are numbers of the architecture's; 0: the access is permitted. */
struct gate {
    uint16_t word;
    uint8_t bit;
    bool refuses;    /* it is in a choice of at most GATES_TOGETHER that permits the access, and none of which can be left out */
    unsigned single; /* the answer with it alone turned over */
    unsigned alone;  /* of one that refuses: the answer with the others of the choice turned over */
};

struct gates {
    uint64_t *word; /* a copy of the registers, `words` of them; as it was when gates_find returns */
    unsigned words;
    unsigned (*answer)(void *ctx); /* of the tables, for the registers as they are in the copy */
    void *ctx;
    unsigned now; /* the answer for them as they are */
    unsigned n;   /* found, in the order of the registers */
    bool permits; /* there is such a choice */
    struct gate gate[GATES_MAX];
};

/* word, words, answer and ctx are given; finds the rest. */
void gates_find(struct gates *g);
#endif
