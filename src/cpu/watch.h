/*
 * Watchpoints: address ranges at which a cpu stops before it executes the load or store that accesses them. Shared by both
 * architectures.
 *
 * A page with a watchpoint in it is never entered into the soft TLB, so accesses to it take the slow path, and only that looks.
 * A run without watchpoints pays nothing, one with them only on their pages. The instruction that would access is abandoned
 * before it did anything: as if it raised an exception, but with nothing taken.
 */
#ifndef TL_CPU_WATCH_H
#define TL_CPU_WATCH_H
#include "cpu/engine.h"

enum watch_kind {
    WATCH_READ = 1,
    WATCH_WRITE = 2,
};

struct engine_watchpoint {
    uint64_t first, last; /* inclusive */
    uint32_t cpus;        /* a bit for each cpu that stops there */
    uint8_t kinds;        /* enum watch_kind */
    bool physical;        /* the addresses are physical */
};

/* Adds a watchpoint like *w, or removes one that was added so; drops cached translations. False: there is no such one. Call it
   between runs. */
bool engine_watchpoint(struct engine *e, const struct engine_watchpoint *w, bool on);
/* Tells fn of every load, store and atomic of a running cpu, right before it is made, when nothing about it can fault any more;
   one that crosses pages in parts. NULL: not any more. Accesses then take the slow path. Between runs. */
void engine_accesses(struct engine *e, void (*fn)(void *ctx, struct cpu *c, uint64_t va, uint64_t pa, uint64_t n, unsigned kinds),
                     void *ctx);
/* Removes all of them, and frees what they took. */
void engine_watchpoint_none(struct engine *e);
/* Whether the page of va, which is that of pa, must not be entered into c's soft TLB. va: as it is translated, without tag bits.
 */
bool cpu_watches_page(const struct cpu *c, uint64_t va, uint64_t pa);
/* Whether c stops before the access of n bytes at va (pa) that the instruction at pc makes: notes it in c->watched, and that
   going on from this very boundary (pc and cycle) goes over it. kinds: what the access does. Not outside of instructions. */
bool cpu_watch_here(struct cpu *c, uint64_t va, uint64_t pa, uint64_t n, unsigned kinds, uint64_t pc, uint64_t cycle);
#endif
