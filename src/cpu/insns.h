/*
 * Traces of retired instructions: another handler in front of every instruction's own, chosen when it is decoded. A run without
 * one pays nothing. Shared by both architectures; each tells, where it decodes, what an instruction may write (struct insn_info).
 *
 * Registers are words: the 64-bit words of a cpu's state, numbered from its beginning (state_size / 8 of them), and behind them
 * the two that are elsewhere while a cpu runs (INSN_NZCV, INSN_FPFLAGS). So whatever an instruction writes has a number, and the
 * pieces of the state (cpu_arch.pieces) are its name.
 *
 * What most instructions write is known from their encoding: up to INSN_PLACES words, the flags, and a store whose address and
 * bytes are in registers. The new values of the words are kept (struct insn_raw) when the hart's next instruction begins, the run
 * is interrupted, or a trap is taken; the rest follows from them. The others (INSN_SYS and so on) are looked at before and after.
 */
#ifndef TL_CPU_INSNS_H
#define TL_CPU_INSNS_H
#include "cpu/engine.h"

#define INSN_PLACES  3
#define INSN_RECORDS 512
#define INSN_WINDOW  4096 /* bytes that one instruction may store, at most */

/* What an instruction does that has to be looked at; bits. */
enum {
    INSN_SYS = 1,    /* it may write system registers */
    INSN_ALL = 2,    /* it may write any register */
    INSN_FP = 4,     /* it may raise floating-point flags, and what those make dirty */
    INSN_MEM = 8,    /* it stores `window` bytes at its base */
    INSN_STATUS = 16, /* with MEM: only if the word `status` is 0 afterwards */
    INSN_CHANGED = 32, /* with MEM: it has stored only if the bytes have changed */
    INSN_ASIDE = 64,   /* its store goes by another translation than the mode's */
};

/* How the value of an instruction's first place follows from registers, so that it need not be told. */
enum insn_guess {
    GUESS_LAST,  /* it is what it was the last time */
    GUESS_CONST, /* imm */
    GUESS_ADD,   /* a + o, where o = (b << shift) + imm */
    GUESS_SUB,   /* a - o */
    GUESS_AND,
    GUESS_OR,
    GUESS_XOR,
    GUESS_SHL, /* a << (o & 63) */
    GUESS_SHR,
    GUESS_SAR,
    GUESS_KINDS
};
enum insn_width { GUESS_64, GUESS_ZEXT32, GUESS_SEXT32 };

/* What a gist (gist.h) knows beyond guesses: how all that an instruction does follows from registers and memory. The value of its
   first place: RULE_GUESS as above, else of a and o, where o is b extended, shifted and inverted as said, plus imm. */
enum insn_rule {
    RULE_GUESS,
    RULE_MOVE, /* o */
    RULE_ADD,
    RULE_SUB,
    RULE_AND,
    RULE_OR,
    RULE_XOR,
    RULE_LESS,  /* a < o, signed: 1 or 0 */
    RULE_LESSU, /* unsigned */
    RULE_ROR,   /* of 64 or 32 bits */
    RULE_MUL,
    RULE_MULH, /* the high half of the product of 64 bits, signed */
    RULE_MULHU,
    RULE_MULHSU, /* a signed, o unsigned */
    RULE_DIV,    /* rounded towards zero; by 0: all ones, or `zero`; the least number by -1: itself */
    RULE_DIVU,
    RULE_REM, /* by 0: a */
    RULE_REMU,
    RULE_BITS,   /* a << shift_by, then to the right by `shift`, signed if `sign`; if `keep`, in place of what of rd it covers */
    RULE_PUT,    /* (a & mask) | imm */
    RULE_EXTRACT, /* what is `shift` bits up in a with o behind it */
    RULE_SELECT, /* a if the condition holds, else o */
    RULE_MADD,   /* c + a * o, a extended as `keep` says */
    RULE_MSUB,
    RULE_SHL, /* a by the low 6 bits of o, of 32 bits by the low 5 */
    RULE_SHR,
    RULE_SAR,
    RULE_CLZ, /* of a: leading zeros */
    RULE_RBIT,
    RULE_REV, /* its bytes in the other order */
    RULE_KINDS
};
enum insn_pcrel { PCREL_NOT, PCREL_PC, PCREL_PAGE }; /* imm counts from there */
enum insn_extend { EXTEND_NOT, EXTEND_U8, EXTEND_U16, EXTEND_U32, EXTEND_S8, EXTEND_S16, EXTEND_S32 };
enum insn_shift { SHIFT_LEFT, SHIFT_RIGHT, SHIFT_SIGNED, SHIFT_ROTATE };
/* NZCV: of a + o, a - o, the result; of one that `compares` only if the condition holds, else they are `flags`. */
enum insn_sets { SETS_NOT, SETS_ADD, SETS_SUB, SETS_LOGIC };
/* On to the next one, to pc + target, there if the condition holds, to a + target without the bits of `mask`. */
enum insn_flow { FLOW_NEXT, FLOW_TO, FLOW_IF, FLOW_REGISTER };
/* Conditions: of registers, and from WHEN_FLAGS on A64's 16, of NZCV. */
enum insn_condition {
    WHEN_EQ, /* a == b, and so on */
    WHEN_NE,
    WHEN_LT,
    WHEN_GE,
    WHEN_LTU,
    WHEN_GEU,
    WHEN_CLEAR, /* bit `shift` of a */
    WHEN_SET,
    WHEN_FLAGS = 16
};
struct insn_rules {
    bool exact; /* all of it follows by these */
    uint8_t rule, pcrel, extend, shift_by, shift_kind, invert, sets, flow, condition, shift, sign, keep, zero;
    uint8_t loads; /* 0 to 2 places come from memory, of info.size bytes, each of `parts` words */
    uint8_t parts, load_sign; /* load_sign: 0 zero-extended; 1 sign-extended; 2 to 32 bits */
    uint8_t user;             /* as the level below accesses memory (LDTR, STTR) */
    uint8_t compares, flags;
    uint16_t a, b, c;
    uint64_t imm, mask;
    int64_t target;
};
enum insn_index { INDEX_64, INDEX_UXTW, INDEX_SXTW };
#define INSN_NO_WORD UINT16_MAX /* reads as 0 */

/* What is known of a decoded instruction's registers. */
struct insn_core {
    int64_t imm;
    int32_t by;
    uint16_t word[INSN_PLACES];
    uint16_t a, b, base;
    uint8_t length; /* bytes */
    uint8_t places; /* 0 to INSN_PLACES */
    uint8_t nzcv;   /* it may write the flags */
    uint8_t based;  /* the last place is the base register, which becomes itself plus `by` */
    uint8_t guess, width, shift;
    uint8_t narrow; /* addresses have 32 bits */
};
/* And all of it that is in traces: whoever reads them needs to know no instruction set. */
struct insn_info {
    struct insn_core core;
    uint32_t insn;
    uint8_t stores; /* 0 to 2 registers are stored */
    uint8_t size;   /* bytes of each */
    uint8_t index, scale;
    uint8_t block;   /* of INSN_MEM: the window is aligned to its size */
    uint16_t window; /* of INSN_MEM: bytes, at most INSN_WINDOW */
    uint16_t offset; /* of a store: address = base + (extended offset << scale) + disp */
    uint16_t from[2];
    int64_t disp;
    struct insn_rules by;
};

/* The part that is needed all the time: one line of the host's cache. */
struct insn_hot {
    uop_fn *fn; /* its own handler */
    const struct insn_info *info;
    uint32_t serial; /* of the page: no two have the same */
    uint16_t offset; /* of the instruction in its page */
    uint8_t more;    /* INSN_ bits */
    uint8_t status;  /* of INSN_STATUS: which general register */
    struct insn_core core;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct insn_hot) == 64, "a line");

/* An instruction as it was executed; of a marker `slot` is one of those below. */
struct insn_raw {
    const struct insn_hot *slot;
    uint64_t page_va;
    uint64_t value[INSN_PLACES];
    uint64_t flags[3]; /* A64: struct flags */
};
/* slot of a marker: the hart whose instructions follow is value[0]. */
extern const struct insn_hot insn_marks_hart;
/* The instruction before has also written value[0] words and value[1] pieces of memory, which begin at value[2] and page_va of
   the lists. flags[0]: enum insn_extra_kind. */
extern const struct insn_hot insn_marks_extra;
enum insn_extra_kind {
    INSN_DID,       /* the instruction before */
    INSN_TRAPPED,   /* it did not retire: its exception wrote this, and nothing else was written */
    INSN_INTERRUPT, /* no instruction: an interrupt, a reset, a fetch that failed */
    INSN_STATE,     /* no instruction: this is how things are */
    INSN_MEMORY     /* memory at a physical address was changed: by a device, a walk of page tables, a store of tags; of a gist */
};

struct insn_word {
    uint16_t word;
    uint64_t value;
};
struct insn_piece {
    uint64_t va, pa; /* pa: UINT64_MAX not known */
    uint32_t size, at; /* at: of its bytes in `bytes` */
};
#define INSN_WORDS_MAX  16384
#define INSN_PIECES_MAX 1024
#define INSN_BYTES_MAX  (64 * 1024)

/* What an architecture's words are. */
struct insn_layout {
    uint16_t words, x, xs;          /* words of the state; where general registers are, and how many */
    uint16_t pc;                    /* where the pc is */
    uint16_t v, vs, v_step, v_used; /* vector registers: first word, how many, words of each and those in use */
    struct {
        uint16_t first, n;
        uint64_t mask;
    } sys[8]; /* words of system registers; n 0 ends them */
    struct {
        uint16_t first, n;
    } fp[2];           /* words an instruction of INSN_FP may write, too */
    uint32_t flags_at; /* of struct flags from struct cpu; 0: there are none */
    uint8_t lag;       /* cycles from an instruction's beginning to its exception */
    /* Which of the words of system registers is kept elsewhere now, and only put there when a run ends; NULL: none is. */
    uint16_t (*elsewhere)(const struct cpu *c);
    /* Whether the instruction that is taking an exception counts as retired all the same; NULL: never. */
    bool (*retires)(const struct cpu *c);
    uint64_t (*fpflags)(const struct cpu *c);
    unsigned (*nzcv)(const uint64_t flags[3]); /* NULL: there are none */
    bool (*translate)(struct cpu *c, uint64_t va, uint64_t *pa); /* of cpu_arch */
};
#define INSN_NZCV(l)    ((l)->words)
#define INSN_FPFLAGS(l) ((uint16_t)((l)->words + 1))
#define INSN_WORDS(l)   ((l)->words + 2u)

struct insn_trace;
struct gist; /* gist.h */
/* n bytes of a gist, some whole events. */
typedef void gist_fn(void *ctx, const uint8_t *bytes, size_t n);
/* n records; lists as above. They are gone when it returns. */
typedef void insn_full_fn(void *ctx, const struct insn_trace *t, const struct insn_raw *list, size_t n);

struct insn_trace {
    struct insn_raw *next, *end; /* end: before that record something is to be looked at */
    const struct insn_hot *last; /* the instruction of next[-1], whose values are still to be read */
    uint64_t started;            /* the cycle it began at */
    const struct insn_layout *layout;
    insn_full_fn *full;
    void *ctx;
    int hart;    /* whose instructions are in the list; -1: none */
    bool open;   /* `last` is an instruction that runs */
    uint8_t trap; /* it took an exception */
    uint64_t *copy[ENGINE_CPUS]; /* words as they were last told */
    uint32_t serial;
    struct {
        uint64_t va, pa[2];
        uint32_t size, first; /* first: bytes up to the end of the page */
        uint8_t was[INSN_WINDOW];
    } window;
    struct insn_hot scratch; /* of an instruction outside any page */
    struct insn_info scratch_info;
    bool physical; /* `stored` is wanted */
    struct gist *gist; /* NULL: every instruction is told */
    uint32_t words, pieces, bytes_used;
    struct insn_word word[INSN_WORDS_MAX];
    struct insn_piece piece[INSN_PIECES_MAX];
    uint8_t bytes[INSN_BYTES_MAX];
    struct insn_raw list[INSN_RECORDS + 8];
};

/* Traced instructions of a decoded page. */
struct insn_page {
    uint32_t serial; /* no two have the same */
    struct insn_chunk *chunk;
    struct insn_hot hot[]; /* of each slot */
};

/* Begins to give every instruction to fn, many at a time and in the order of execution, with the registers of all harts before
   the first one; NULL: ends it. Between runs. */
void engine_insns(struct engine *e, const struct insn_layout *layout, insn_full_fn *fn, void *ctx);
/* The same, but only the gist (gist.h); ended by engine_insns(e, NULL, NULL, NULL). */
void engine_gist(struct engine *e, const struct insn_layout *layout, gist_fn *fn, void *ctx);
/* In fn: where in the bytes that are given each of the n events begins. */
const uint32_t *gist_starts(const struct engine *e, size_t *n);
/* Ends it, and what was not given away is lost. */
void engine_insns_drop(struct engine *e);
/* Gives away what there is: of a hart that runs, but for what it is executing. */
void engine_insns_flush(struct engine *e);
/* The hart takes a trap, and that has changed its state: told of where traps are told of. epc: where; not of a return. */
void engine_insns_trapped(struct engine *e, unsigned hart, uint64_t epc);

/* Where handlers are entered and have come back. */
void insn_begin(struct cpu *c);
void insn_finish(struct cpu *c);
/* Where an instruction is decoded and e->insns is not NULL: puts the tracing handler into slot op of the page c executes. True:
   of a gist, which needs none. */
bool insn_slot_set(struct cpu *c, struct uop *op, const struct insn_info *info, unsigned more, unsigned status);
/* The instruction at pc is about to be executed outside any page. */
void insn_note(struct cpu *c, const struct insn_info *info, unsigned more, unsigned status, uint64_t pc, int64_t left);
/* The instruction that is executing, if it is looked at, is done, and handlers go on at the state's pc, which may be anywhere:
   called where that may fault. e->insns is not NULL. */
void insn_goes(struct cpu *c);
/* Whether the instruction that is executing does so apart from its page, and its bits. */
bool insn_apart(const struct cpu *c, uint32_t *insn);
/* Of a page that is about to be freed. */
void insn_page_free(struct insn_page *p);

/* GUESS_ of an instruction before which `word` are the registers. */
static inline uint64_t insn_guess(const struct insn_core *s, const uint64_t *word, uint64_t last)
{
    if (s->guess == GUESS_LAST)
        return last;
    if (s->guess == GUESS_CONST)
        return (uint64_t)s->imm;
    uint64_t a = s->a == INSN_NO_WORD ? 0 : word[s->a];
    uint64_t o = ((s->b == INSN_NO_WORD ? 0 : word[s->b]) << s->shift) + (uint64_t)s->imm, r;
    if (s->width && s->guess >= GUESS_SHL) {
        a = s->guess == GUESS_SAR ? (uint64_t)(int64_t)(int32_t)a : (uint32_t)a;
        o &= 31;
    }
    switch (s->guess) {
    case GUESS_ADD: r = a + o; break;
    case GUESS_SUB: r = a - o; break;
    case GUESS_AND: r = a & o; break;
    case GUESS_OR: r = a | o; break;
    case GUESS_XOR: r = a ^ o; break;
    case GUESS_SHL: r = a << (o & 63); break;
    case GUESS_SHR: r = a >> (o & 63); break;
    default: r = (uint64_t)((int64_t)a >> (o & 63));
    }
    return s->width == GUESS_64 ? r : s->width == GUESS_ZEXT32 ? (uint32_t)r : (uint64_t)(int64_t)(int32_t)r;
}

/* Where an instruction stores, before which `word` are the registers. */
static inline uint64_t insn_address(const struct insn_info *s, const uint64_t *word)
{
    uint64_t o = s->offset == INSN_NO_WORD ? 0 : word[s->offset];
    o = s->index == INDEX_UXTW ? (uint32_t)o : s->index == INDEX_SXTW ? (uint64_t)(int64_t)(int32_t)o : o;
    o = (s->core.base == INSN_NO_WORD ? 0 : word[s->core.base]) + (o << s->scale) + (uint64_t)s->disp;
    return s->core.narrow ? (uint32_t)o : o;
}
#endif
