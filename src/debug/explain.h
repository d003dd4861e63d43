/*
 * Why a trap happened and why it went where it did; or why a pending interrupt was not taken: a tree of facts, as data.
 *
 * An explanation is made from a machine at the boundary before the trap, which history or a fork of one's own provides. A fork of
 * it goes one boundary further and shows what the cpu did. Independently of that, from the state before alone, the facts are
 * gathered, the route is decided and every register that is written is computed again, by the clauses of the specification that
 * the facts name. If the two differ, `agrees` is false and a section of its own says where: tests hold that it never is.
 *
 * What is of one architecture is in {riscv,arm}/explain*.c behind explain_ops.
 */
#ifndef TL_DEBUG_EXPLAIN_H
#define TL_DEBUG_EXPLAIN_H
#include "machine/trapline.h"

enum explain_kind {
    EXPLAIN_TRAP,   /* an exception or interrupt was taken */
    EXPLAIN_RETURN, /* mret, sret, mnret, eret */
    EXPLAIN_HALT,   /* the hart entered the critical error state (Smdbltrp) */
    EXPLAIN_NOTHING /* no trap at this boundary: what is pending, and why it is not taken */
};

enum fact_mark {
    FACT_PLAIN,
    FACT_DECIDES, /* this one decided: a bit that routed the trap, the level at which a walk failed, the interrupt that won */
    FACT_WRONG    /* what the cpu did is not what the specification says */
};

/* Which column of a table of page-table levels a fact is shown in. */
enum fact_stage { FACT_NO_STAGE, FACT_STAGE_1, FACT_STAGE_2 };

/* One fact. Texts belong to the explanation; one that is absent is "". */
struct fact {
    const char *label;  /* "medeleg.load_page", "mcause", "level 2" */
    const char *text;   /* in words: what it means here, "0x80001000 V R W U A D: leaf" */
    const char *clause; /* section of the specification by name */
    uint64_t value, old;
    uint8_t digits;             /* hexadecimal digits of value; 0: decimal */
    bool has_value, has_change; /* value is there; so is old, and value is what it became */
    uint8_t mark, stage;
    struct fact *first, *last, *next; /* children, the next sibling */
};

struct explanation {
    enum explain_kind kind;
    unsigned hart;
    uint64_t cycle; /* of the boundary before it */
    uint64_t pc;    /* of the instruction that trapped, returned, was interrupted or comes next */
    bool agrees;
    struct machine_change change; /* of TRAP and RETURN: what the cpu did */
    const char *title;            /* one sentence */
    struct fact facts;            /* its children are the sections; each has a label */
    struct explain_text *texts;   /* storage of all texts */
};

/* Explains the next boundary of `hart`, at which `before` is; it is not changed. NULL: the machine has no such hart. */
struct explanation *explain_next(struct machine *before, unsigned hart);
/* Explains the change c that machine_watch told of, which comes next for its hart in `before`. c has a part in the answer where
   the cause came from outside at this very boundary: a bus error. */
struct explanation *explain_trap(struct machine *before, const struct machine_change *c);
/* How a load of the byte at virtual address va, made by the hart as it is, is translated and checked: every level of each stage.
   Nothing changes. NULL: the machine has no such hart. */
struct explanation *explain_walk(struct machine *m, unsigned hart, uint64_t va);
void explain_free(struct explanation *e);

/* As text of at most `columns` columns (at least 60; 0: 100), with colours for a terminal or without. The caller frees it. */
char *explain_text(const struct explanation *e, unsigned columns, bool colour);
/* As a JSON object; the caller has the reference. */
struct json_t *explain_json(const struct explanation *e);

/* The name of the cause of trap c ("load page fault", "trapped WFI"), and its number as people know it. */
const char *explain_cause(struct machine *m, const struct machine_change *c, uint64_t *number, char scratch[32]);

/* The first fact of that label, in the order of the text; NULL: there is none. For tests. */
const struct fact *explain_find(const struct explanation *e, const char *label);

/*
 * A machine that follows a running one a boundary behind its traps, so that each can be explained when machine_watch tells of it.
 * It costs a second run of the guest. Whatever enters the machine from outside goes by explain_follow_sync.
 */
struct explain_follower;
struct explain_follower *explain_follow(struct machine *m);
/* m has been changed from outside, or it is where the next input may come: the follower catches up. */
void explain_follow_sync(struct explain_follower *f, struct machine *m);
/* From inside a watch function, in the order of the calls: the explanation of c. The caller frees it. */
struct explanation *explain_follow_trap(struct explain_follower *f, const struct machine_change *c);
void explain_follow_free(struct explain_follower *f);
#endif
