/*
 * The engine shared by both architectures: micro-ops, decoded pages, translation contexts (the soft TLB) and the run protocol.
 *
 * Everything here except struct cpu_progress is a cache: it may be dropped at any instant without changing a result.
 *
 * Execution. A physical code page is decoded, slot by slot when first executed, into an array of 16-byte micro-ops. A slot is 2
 * bytes (RISC-V) or 4 bytes (A64) of guest code; the array ends with one sentinel. A micro-op's handler does the instruction and
 * tail-calls the next one's (engine "tail"), or returns the next one to a loop (engine "plain", TL_ENGINE_PLAIN). Both are
 * expansions of the same rows. The pc is never kept while running: pc = page_va + (op - ops) * slot size.
 *
 * Time. `left` counts down the cycles to `limit`; the one compare per instruction is left reaching 0. now = limit - left.
 */
#ifndef TL_CPU_ENGINE_H
#define TL_CPU_ENGINE_H
#include "base/bits.h"
#include "mem/mem.h"
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct cpu_env; /* cpu/arch.h */
struct uop;

/* Does the instruction of op and goes on with DISPATCH, or ends the run with STOP. */
typedef void uop_fn(struct cpu *cpu, struct uop *op, int64_t left);

struct uop {
    uop_fn *fn;
    int32_t imm;          /* immediate; for near branches the distance in bytes of micro-ops */
    uint8_t rd, rs1, rs2; /* register numbers; rd of a discarded result is the sink */
    uint8_t aux;          /* low 2 bits: instruction length in slots; the rest is the operand format's */
};
_Static_assert(sizeof(struct uop) == 16, "a micro-op is 16 bytes");

#define UOP_SLOTS(op) ((op)->aux & 3u)

#define FUSE_MAX 8 /* instructions one handler may do at most */

/* Goes on at op_: by a tail call, or by telling the loop of the plain engine. */
#ifdef TL_ENGINE_PLAIN
#define DISPATCH(c_, op_, left_) \
    do {                         \
        (c_)->next = (op_);      \
        (c_)->left = (left_);    \
        return;                  \
    } while (0)
#else
#define DISPATCH(c_, op_, left_)            \
    do {                                    \
        struct uop *to_ = (op_);            \
        __asm__("" : "+r"(to_));            \
        return to_->fn((c_), to_, (left_)); \
    } while (0)
#endif
/* Ends the run: the pc is in the state. */
#define STOP(c_, left_)       \
    do {                      \
        (c_)->next = NULL;    \
        (c_)->left = (left_); \
        return;               \
    } while (0)

#define CODE_KINDS     2    /* values of code_page.kind: 0 XLEN 64 or A64, 1 XLEN 32 */
#define CODE_SLOTS_MAX 2048 /* 2-byte slots in a 4 KiB page */

struct code_page {
    uint64_t pa;          /* physical address of the page */
    uint16_t kind;        /* decode key: what decoding depends on besides the bytes (XLEN, …) */
    uint16_t used;        /* it was looked up since room was last made */
    uint32_t data_writes; /* stores that hit the page since it was decoded */
    struct code_page *hash_next;
    struct insn_page *traced; /* what an instruction trace needs of each slot (insns.h); NULL: there is none */
    struct uop ops[CODE_SLOTS_MAX + 1];
};

#define TLB_SIZE      512
#define FTLB_SIZE     128
#define TLB_CTX_COUNT 16
#define TLB_FROM_MANY 0u     /* a translation that depends on more than one last-level table, or on none */
#define TLB_NONE      0x800u /* a tag that no page address equals, nor one with the low bits of a misaligned access (exec.inc) */

/* rtag/wtag: the page's virtual address if loads/stores may use `add`, else TLB_NONE. host address = va + add. */
struct tlb_entry {
    uint64_t rtag, wtag;
    uintptr_t add;
    uint64_t pa;
};
struct ftlb_entry {
    uint64_t tag;
    struct code_page *page;
};

/* Where the page table is that maps a region: walks that miss the soft TLB begin there. region: its number, else TABLE_NONE. */
#define TABLE_SIZE 64
#define TABLE_NONE UINT64_MAX
struct table_entry {
    uint64_t region;
    const uint8_t *host; /* of the table's first entry; its page is marked MEM_PTE */
    uint32_t from;       /* what the entries of the soft TLB made from it have */
    uint8_t bits;        /* A64: of the addresses that may be in its entries */
    bool two;            /* A64: they are intermediate ones, and the second stage's tables have an entry for the page, too */
};

/* The cached translations of one translation context; key is everything the architecture's translation depends on. */
struct tlb_ctx {
    uint64_t key[4];
    uint64_t gen; /* engine generation the entries belong to */
    struct tlb_entry d[TLB_SIZE];
    struct ftlb_entry f[FTLB_SIZE];
    uint32_t d_from[TLB_SIZE], f_from[FTLB_SIZE]; /* tlb_from() of the last-level table each came from, or TLB_FROM_MANY */
    uint32_t d_to[TLB_SIZE];                      /* tlb_from() of the page at d[].pa: what a search by page looks at */
    struct table_entry table[2][TABLE_SIZE];      /* of the first and the second stage */
};

/* A breakpoint: see breaks.h. */
struct engine_break {
    uint64_t va;
    uint32_t cpus; /* a bit for each cpu that stops there */
};

struct engine_watchpoint; /* watch.h */

#define ENGINE_CPUS 8
struct engine {
    struct mem *mem;
    struct cpu *cpu[ENGINE_CPUS];
    unsigned cpus;
    unsigned slot_shift;   /* 1: 2-byte slots, 2: 4-byte slots */
    struct uop fresh, end; /* what an undecoded slot and the sentinel hold */
    uint64_t gen;          /* generation of cached translations; a new one drops them all */
    uint64_t marks;        /* rises with gen, and when a page loses its MEM_PTE: what walks learnt before is no longer good */
    struct code_page *bucket[1024];
    struct code_page *dead; /* dropped pages, freed between runs */
    unsigned pages, pages_max;
    unsigned pte_size; /* bytes of the smallest page-table entry; its bit 0 says valid */
    unsigned pte_pages;
    uint64_t pte_page[4096]; /* RAM pages that carry MEM_PTE, and some that did; some are here twice */
    /* A hart stored to a page with MEM_WATCH, or (by NULL) anything else changed RAM: reservations and watchpoints look. */
    void (*watch)(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n);
    struct cpu *running; /* the cpu inside its run function; NULL between runs */
    struct engine_break *break_at;
    unsigned breaks; /* how many: 0 but for a debugger */
    struct engine_watchpoint *watch_at;
    unsigned watchpoints; /* how many: 0 but for a debugger */
    /* Told of every load, store and atomic that is about to be made and will not fault (watch.h); NULL: nobody is. */
    void (*accessed)(void *ctx, struct cpu *c, uint64_t va, uint64_t pa, uint64_t n, unsigned kinds);
    void *accessed_ctx;
    struct insn_trace *insns; /* insns.h; NULL: instructions are not traced */
};

/* Why cpu_run came back. */
enum cpu_stop {
    CPU_STOP_LIMIT,  /* the cycle asked for was reached */
    CPU_STOP_WAIT,   /* waiting for an interrupt (wfi, wrs): nothing to do until a line changes or a deadline passes */
    CPU_STOP_RESYNC, /* something the machine must look at happened (a device changed the event queue, an exit was asked for) */
    CPU_STOP_HALT,   /* the hart can never go on by itself (critical error of Smdbltrp) */
    CPU_STOP_DEBUG,  /* a breakpoint or watchpoint, or semihosting: see the hart */
};

/* What the state of a cpu of any architecture begins with; its members are the state's own members as well. */
#define CPU_PROGRESS                                                                                \
    uint64_t cycle;  /* machine cycle this cpu has reached; current only while it is not running */ \
    uint64_t idle;   /* cycles that retired no instruction: the others retired one each */          \
    uint8_t waiting; /* for an interrupt or event */                                                \
    uint8_t halted;  /* for good, until a reset */                                                  \
    uint8_t parked;  /* not started */                                                              \
    uint8_t progress_pad[5]
struct cpu_progress {
    CPU_PROGRESS;
};

struct cpu {
    /* Caches the handlers read. */
    struct uop *ops;         /* slot 0 of the page being executed */
    uint64_t page_va;        /* virtual address of slot 0 */
    struct tlb_entry *tlb;   /* data side of the current context */
    struct ftlb_entry *ftlb; /* fetch side of the current context */
    uint64_t limit;          /* absolute cycle at which left is 0 */
    struct uop *next;        /* where the plain engine goes on; NULL: the run has ended */
    int64_t left;            /* cycles left when it did */
    struct engine *engine;
    struct mem *mem;
    unsigned index;
    bool resync;        /* leave cpu_run as soon as the current instruction is done */
    bool io_secure;     /* the access to a device that is in progress is Secure (Arm) */
    bool refetch;       /* translations were dropped: the page being executed must be looked up anew */
    bool unwatched;     /* accesses are the machine's, not an instruction's: no watchpoint looks */
    enum cpu_stop stop; /* CPU_STOP_DEBUG: a breakpoint ended the run */
    struct {
        uint64_t pc, cycle;
        bool valid;
    } passed; /* the boundary at which a breakpoint stopped last: the next run goes over it */
    /* The access that a watchpoint stopped last: the bytes of it that are watched, and what it does (enum watch_kind). */
    struct {
        uint64_t va, pa, size;
        uint64_t pc, cycle; /* the boundary before the instruction */
        uint8_t kinds;
        bool physical; /* by a watchpoint at physical addresses */
        bool passed;   /* the next run goes over it */
        bool now;      /* the instruction is to be abandoned */
        bool last;     /* what ended the run last was this, and no breakpoint */
    } watched;
    struct {
        uint64_t cycle;
        uint32_t n;
    } took;                             /* how many interrupts it took at that cycle, which take none: cpu_taken */
    struct tlb_ctx *ctx[TLB_CTX_COUNT]; /* allocated when first needed */
    unsigned ctx_victim;
    uint64_t ctx_evictions; /* raised whenever a context changes its key: pointers kept by key are then stale */
    /* Those in use, of which the cpu may keep addresses of entries: user_ctx is that of accesses made as those of a lower level
       are (LDTR), NULL if there are none. */
    struct tlb_ctx *data_ctx, *fetch_ctx, *user_ctx;
    struct uop scratch[4];     /* one instruction decoded outside any page (page-crossing, uncacheable) and its sentinel */
    const struct cpu_env *env; /* what the machine provides; NULL: nothing */
    void *env_ctx;
};

void engine_init(struct engine *e, struct mem *mem, unsigned slot_shift);
void engine_free(struct engine *e);
void engine_add_cpu(struct engine *e, struct cpu *c);
void cpu_free_caches(struct cpu *c);

/* Drops every cached translation of every cpu. */
void engine_flush(struct engine *e);
/* Drops everything: translations and decoded pages. Call only between runs. */
void engine_drop(struct engine *e);
/* Removes every cached permission to store to the RAM page at pa, on every cpu. */
void engine_protect(struct engine *e, uint64_t pa);
/* Removes every cached translation to the RAM page at pa if it may still read the copy shared with a fork: the page was made
 * private. */
void engine_forget_shared(struct engine *e, uint64_t pa);
/* Marks the RAM page at pa as holding page-table entries that cached translations came from. last: they are last-level ones of
 * translations of one stage, each of which says so (tlb_from), so that a change of one drops only these; a change of any other
 * drops all there are. */
void engine_mark_pte(struct engine *e, uint64_t pa, bool last);
/* Tells that [pa, pa+n) of RAM is about to be changed from old to new by a store whose page carries flags; n <= 8, inside one
 * page. */
void engine_store(struct engine *e, uint64_t pa, unsigned n, uint64_t old, uint64_t new);
/* Tells that any bytes of [pa, pa+n) were changed from outside (DMA, loader, debugger). */
void engine_changed(struct engine *e, uint64_t pa, uint64_t n);
/* Undecodes, in every decoded page, what an instruction at this offset of a page is part of. Call only between runs. */
void engine_redecode(struct engine *e, unsigned offset);
/* The decoded page for the RAM page at pa (4 KiB aligned); made when missing, and then dropped ones are freed: call it between
 * instructions. */
struct code_page *engine_code(struct engine *e, uint64_t pa, uint32_t kind);
/* Frees what was dropped while running. Call between runs, or between instructions where the next one is yet to be found. */
void engine_sweep(struct engine *e);

/* The context for a key, on this cpu: found, or taken from the least useful one. */
struct tlb_ctx *cpu_ctx(struct cpu *c, const uint64_t key[4]);

/* Forgets the boundary at which c stopped last: breakpoints and watchpoints stop there again. */
static inline void cpu_stops_anew(struct cpu *c) { c->passed.valid = c->watched.passed = c->watched.now = false; }

/* An interrupt is taken at that cycle. Between this boundary and the instruction to come no time passes, so who wants to come
   back to the very same point of a run needs their number. */
static inline void cpu_took(struct cpu *c, uint64_t cycle)
{
    c->took.n = c->took.cycle == cycle ? c->took.n + 1 : 1;
    c->took.cycle = cycle;
}

/* What an entry of the soft TLB keeps of the last-level table at pa it came from. Two tables may have the same. */
static inline uint32_t tlb_from(uint64_t pa) { return (uint32_t)(pa >> MEM_PAGE_SHIFT) | UINT32_C(1) << 31; }
/* Enters a translation as entry n of a context whose data side is tlb, which came from that last-level table. */
static inline void tlb_enter(struct tlb_entry *tlb, unsigned n, struct tlb_entry entry, uint32_t from)
{
    struct tlb_ctx *t = (struct tlb_ctx *)(void *)((char *)tlb - offsetof(struct tlb_ctx, d));
    t->d[n] = entry;
    t->d_from[n] = from;
    t->d_to[n] = tlb_from(entry.pa);
}

/* Cycle now, from inside a handler. */
static inline uint64_t cpu_now(const struct cpu *c, int64_t left) { return c->limit - (uint64_t)left; }
#endif
