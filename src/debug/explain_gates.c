#include "debug/explain_gates.h"
#include "base/bits.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

enum { PAIRS = 1024, NARROW_PAIRS = 1024 };

/* Two states of the registers, and which words of them are random. */
struct search {
    struct gates *g;
    uint64_t *now, *a, *b;
    uint64_t seed;
    bool *asked; /* words in which a bit is asked */
};

static void turn(struct gates *g, const struct gate *k) { g->word[k->word] ^= UINT64_C(1) << k->bit; }
static unsigned answer(struct gates *g) { return g->answer(g->ctx); }

static void note(struct gates *g, unsigned word, unsigned bit)
{
    for (unsigned k = 0; k < g->n; k++)
        if (g->gate[k].word == word && g->gate[k].bit == bit)
            return;
    if (g->n < GATES_MAX)
        g->gate[g->n++] = (struct gate){.word = (uint16_t)word, .bit = (uint8_t)bit};
}

/* The bits that by themselves change the answer for the registers as they are. */
static void note_singles(struct search *s)
{
    struct gates *g = s->g;
    for (unsigned i = 0; i < g->words; i++)
        for (unsigned bit = 0; bit < 64; bit++) {
            g->word[i] ^= UINT64_C(1) << bit;
            if (answer(g) != g->now) {
                note(g, i, bit);
                s->asked[i] = true;
            }
            g->word[i] ^= UINT64_C(1) << bit;
        }
}

/* g->word becomes b in its first n words, a in the others. */
static unsigned between(struct search *s, unsigned n)
{
    memcpy(s->g->word, s->b, n * sizeof *s->b);
    memcpy(s->g->word + n, s->a + n, (s->g->words - n) * sizeof *s->a);
    return answer(s->g);
}

/* Word i of g->word becomes b in its n low bits, a in the others. */
static unsigned within(struct search *s, unsigned i, unsigned n)
{
    uint64_t low = n ? bits_mask(0, n) : 0;
    s->g->word[i] = (s->b[i] & low) | (s->a[i] & ~low);
    return answer(s->g);
}

/* Where a and b have different answers, one bit on the way from the one to the other is asked. */
static void note_between(struct search *s)
{
    unsigned first = between(s, 0), low = 0, high = s->g->words;
    if (between(s, high) == first)
        return;
    while (high - low > 1) { /* with `low` words from b the answer is the first one, with `high` it is another */
        unsigned middle = (low + high) / 2;
        *(between(s, middle) == first ? &low : &high) = middle;
    }
    unsigned word = low;
    between(s, word);
    for (low = 0, high = 64; high - low > 1;) {
        unsigned middle = (low + high) / 2;
        *(within(s, word, middle) == first ? &low : &high) = middle;
    }
    note(s->g, word, low);
    s->asked[word] = true;
}

/* A random word: even, few ones, few zeros, few bits that differ from the word as it is. */
static uint64_t random_word(struct search *s, unsigned kind, uint64_t now)
{
    uint64_t r = rng_next(&s->seed);
    if (!kind)
        return r;
    r &= rng_next(&s->seed) & rng_next(&s->seed);
    return kind == 1 ? r : kind == 2 ? ~r : now ^ r;
}

/* all: every word is random; otherwise those in which a bit is known to be asked. */
static void note_pair(struct search *s, bool all, unsigned kind)
{
    memcpy(s->a, s->now, s->g->words * sizeof *s->a);
    memcpy(s->b, s->now, s->g->words * sizeof *s->b);
    for (unsigned i = 0; i < s->g->words; i++) {
        if (!all && !s->asked[i])
            continue;
        s->a[i] = random_word(s, kind, s->now[i]);
        s->b[i] = random_word(s, kind, s->now[i]);
    }
    note_between(s);
}

static int by_place(const void *a, const void *b)
{
    const struct gate *x = a, *y = b;
    return x->word != y->word ? (int)x->word - (int)y->word : (int)x->bit - (int)y->bit;
}

static void find_asked(struct gates *g)
{
    struct search s = {.g = g, .seed = 1};
    size_t bytes = g->words * sizeof *g->word;
    uint64_t *room = malloc(3 * bytes);
    s.asked = calloc(g->words, sizeof *s.asked);
    if (!room || !s.asked)
        abort(); /* out of host memory: nothing sensible can go on */
    s.now = room;
    s.a = room + g->words;
    s.b = room + 2 * g->words;
    memcpy(s.now, g->word, bytes);
    note_singles(&s);
    for (unsigned i = 0; i < PAIRS; i++)
        note_pair(&s, true, i % 4);
    for (unsigned i = 0; i < NARROW_PAIRS; i++)
        note_pair(&s, false, i % 4);
    memcpy(g->word, s.now, bytes);
    free(room);
    free(s.asked);
    qsort(g->gate, g->n, sizeof *g->gate, by_place);
}

/* The choices of gates that permit the access, none of which has another one in it: bit sets of numbers. */
struct choices {
    unsigned n;
    uint32_t of[64];
};

/* All of `chosen` are turned over, and that permits the access. */
static void note_choice(struct gates *g, struct choices *c, uint32_t chosen)
{
    if (c->n < ARRAY_LEN(c->of))
        c->of[c->n++] = chosen;
    g->permits = true;
    for (unsigned k = 0; k < g->n; k++) {
        if (!(chosen >> k & 1) || g->gate[k].refuses)
            continue;
        turn(g, &g->gate[k]);
        g->gate[k].alone = answer(g);
        g->gate[k].refuses = true;
        turn(g, &g->gate[k]);
    }
}

/* Tries every choice of `left` more gates from number `first` on. */
static void choose(struct gates *g, struct choices *c, unsigned first, unsigned left, uint32_t chosen)
{
    for (unsigned k = 0; k < c->n; k++)
        if (!(c->of[k] & ~chosen))
            return;
    if (!left && !answer(g))
        note_choice(g, c, chosen);
    for (unsigned i = first; left && i < g->n; i++) {
        turn(g, &g->gate[i]);
        choose(g, c, i + 1, left - 1, chosen | 1u << i);
        turn(g, &g->gate[i]);
    }
}

void gates_find(struct gates *g)
{
    struct choices c = {0};
    g->now = answer(g);
    find_asked(g);
    for (unsigned k = 0; k < g->n; k++) {
        turn(g, &g->gate[k]);
        g->gate[k].single = answer(g);
        turn(g, &g->gate[k]);
    }
    for (unsigned n = 1; n <= GATES_TOGETHER; n++)
        choose(g, &c, 0, n, 0);
}
