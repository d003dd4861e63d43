/*
 * A whole run as one picture: what the forms of the HTML page and of the SVG share. Everything is kept until the run is over;
 * then what is too dense for a page is merged: time is cut into equal pieces, and of the pieces with the most changes only the
 * shares of the modes are kept.
 */
#ifndef TL_DEBUG_EXPORT_PAGE_H
#define TL_DEBUG_EXPORT_PAGE_H
#include "debug/export/timeline.h"

#define PAGE_PIECES  4096  /* pieces time is cut into */
#define PAGE_DETAIL  30000 /* changes that are kept one by one */
#define PAGE_CALLS   8000  /* calls, the longest ones */
#define PAGE_MARKS   4000  /* injections and inputs, the first ones */
#define PAGE_CAUSES  256
#define PAGE_UNKNOWN 0xff

/* A hart changes its mode, or is told what it was. */
struct page_change {
    uint64_t cycle, tval;
    uint32_t why, epc, pc; /* strings; 0: none */
    uint8_t mode, kind;    /* the mode it led to; enum timeline_kind */
    uint16_t cause;        /* of the hart's causes; PAGE_CAUSES: none */
};
struct page_call {
    uint64_t cycle, cycles;
    uint32_t text;
};
struct page_mark {
    uint64_t cycle;
    uint32_t text;
    uint8_t kind;
};
/* Time of a hart in a mode. */
struct page_stays {
    uint64_t count, sum, longest, at; /* at: where the longest one began */
};
/* How often a hart went to a mode for a reason, and how long it then was there. */
struct page_cause {
    uint8_t from, to;
    uint32_t why;
    struct page_stays stays;
};

struct page_hart {
    uint8_t first; /* its mode at the beginning; PAGE_UNKNOWN: nothing told */
    struct page_change *change;
    size_t changes;
    struct page_call *call;
    size_t calls;
    struct page_stays stays[TIMELINE_MODES];
    struct page_cause cause[PAGE_CAUSES];
    unsigned causes;
    uint32_t *in_piece; /* after page_close: changes in each piece */
};

struct page {
    struct timeline_info info;
    char mode_name[TIMELINE_MODES][16];
    struct page_hart hart[TIMELINE_HARTS];
    struct page_mark *mark;
    size_t marks, marks_left_out;
    char **string; /* from 1 */
    uint32_t strings;
    uint32_t *table; /* of strings, by hash */
    uint32_t table_size;
    /* After page_close. */
    uint64_t piece;     /* cycles in one */
    uint32_t threshold; /* a piece of a hart with more changes than this is merged */
    size_t calls_left_out;
};

struct page *page_new(const struct timeline_info *i);
void page_item(struct page *p, const struct timeline_item *i);
/* The run is over: the last stays, and what is merged. */
void page_close(struct page *p, const struct timeline_info *i);
void page_free(struct page *p);

/* Whether piece n of a hart is merged. */
bool page_merged(const struct page *p, const struct page_hart *h, size_t n);
/* Cycles in each mode between two cycles; *from: the change to begin the search at, and to go on from. */
void page_shares(const struct page_hart *h, size_t *from, uint64_t begin, uint64_t end, uint64_t shares[TIMELINE_MODES]);
/* The modes the hart was in, the most privileged first; returns how many. */
unsigned page_lanes(const struct page_hart *h, uint8_t lane[TIMELINE_MODES]);
#endif
