/* The snapshots of a history: taking them, and choosing those that stay (history.h says how). */
#include "debug/history_internal.h"

#include <stdlib.h>
#include <string.h>

#define NEAR_SHARE 8  /* the gap wanted at a distance is this share of it */
#define FAR_SHARE  64 /* and this share of the run at most */

static bool count_page(void *ctx, uint64_t pa, const uint8_t *a, const uint8_t *b)
{
    (void)pa;
    (void)a;
    (void)b;
    ++*(uint64_t *)ctx;
    return true;
}

/* Tells snapshot i anew what it does not share with the one before. */
static void count_pages(struct history *h, unsigned i)
{
    uint64_t n = 0;
    if (i)
        mem_pairs(h->snap[i - 1].m->mem, h->snap[i].m->mem, count_page, &n);
    h->pages += n - h->snap[i].pages;
    h->snap[i].pages = n;
}

static void drop(struct history *h, unsigned i)
{
    struct history_snapshot *s = &h->snap[i];
    h->pages -= s->pages;
    machine_free(s->m);
    memmove(s, s + 1, (h->snaps - i - 1) * sizeof *s);
    h->snaps--;
    if (i < h->snaps)
        count_pages(h, i);
}

void snaps_drop_from(struct history *h, unsigned i)
{
    while (h->snaps > i)
        drop(h, h->snaps - 1);
}

/* How well snapshot i is placed: the gap there would be without it, in parts of the gap wanted there. */
static double worth(const struct history *h, unsigned i, uint64_t now)
{
    uint64_t work = h->snap[i].work, total = h->snap[h->snaps - 1].work - h->snap[0].work;
    uint64_t away = (work > now ? work - now : now - work) / NEAR_SHARE, far = total / FAR_SHARE;
    uint64_t want = away < far ? away : far;
    return (double)(h->snap[i + 1].work - h->snap[i - 1].work) / (double)(want + 1);
}

/* Drops snapshots until both limits are kept; two always stay. */
static void thin(struct history *h)
{
    uint64_t now = machine_instret(h->m);
    while (h->snaps > 2 && (h->snaps > h->config.snapshots || h->pages > h->config.pages)) {
        unsigned worst = 1;
        double least = worth(h, 1, now);
        for (unsigned i = 2; i + 1 < h->snaps; i++) {
            double w = worth(h, i, now);
            if (w < least) {
                least = w;
                worst = i;
            }
        }
        drop(h, worst);
    }
}

unsigned snaps_before(const struct history *h, const struct history_point *p)
{
    unsigned first = 0, last = h->snaps - 1;
    while (first < last) {
        unsigned mid = (first + last + 1) / 2;
        if (history_compare(&h->snap[mid].at, p) <= 0)
            first = mid;
        else
            last = mid - 1;
    }
    return first;
}

void snaps_take(struct history *h)
{
    struct history_snapshot s = {.at = history_point_of(h->m), .work = machine_instret(h->m), .next = h->next};
    unsigned i = 0;
    if (h->snaps) {
        i = snaps_before(h, &s.at);
        if (!history_compare(&h->snap[i].at, &s.at) && h->snap[i].next == s.next)
            return;
        i++;
    }
    s.m = machine_fork(h->m);
    s.m->host = (struct machine_host){0};
    memmove(&h->snap[i + 1], &h->snap[i], (h->snaps - i) * sizeof s);
    h->snap[i] = s;
    h->snaps++;
    count_pages(h, i);
    if (i + 1 < h->snaps)
        count_pages(h, i + 1);
    thin(h);
}

void snaps_restore(struct history *h, unsigned i)
{
    machine_restore(h->m, h->snap[i].m);
    h->next = h->snap[i].next;
}
