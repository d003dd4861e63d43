#include "machine/pieces.h"
#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct walk {
    piece_fn *fn;
    void *ctx;
};

__attribute__((format(printf, 4, 5))) static void piece(const struct walk *w, void *p, size_t n, const char *fmt, ...)
{
    char name[PIECE_NAME_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    w->fn(w->ctx, name, p, n);
}

struct hart_walk {
    const struct walk *w;
    unsigned hart;
};

static void hart_piece(void *ctx, const char *name, void *p, size_t n)
{
    const struct hart_walk *k = ctx;
    piece(k->w, p, n, "hart%u.%s", k->hart, name);
}

static void device_pieces(const struct walk *w, struct machine *m)
{
    for (unsigned i = 0; i < m->setup->devices; i++) {
        const struct device_spec *d = &m->setup->device[i];
        if (d->ops->state_size)
            piece(w, m->states + d->state_at, d->ops->state_size, "device.%s.%s", d->id, d->ops->name);
        for (unsigned n = 0; n < d->ops->events; n++)
            piece(w, &m->st.sched.when[d->event[n]], sizeof(uint64_t), "event.%s.%u", d->id, n);
    }
}

void machine_pieces(struct machine *m, piece_fn *fn, void *ctx)
{
    const struct walk w = {fn, ctx};
    struct machine_state *s = &m->st;
#define MEMBER(name) piece(&w, &s->name, sizeof s->name, "machine." #name)
    MEMBER(cycle);
    MEMBER(slice_end);
    MEMBER(rng);
    MEMBER(exit_code);
    MEMBER(turn);
    MEMBER(in_slice);
    MEMBER(exited);
    MEMBER(typed);
    MEMBER(typed_byte);
    MEMBER(semihost);
#undef MEMBER
    for (unsigned i = 0; i < m->setup->harts; i++)
        m->arch->pieces(machine_hart(m, i), hart_piece, &(struct hart_walk){&w, i});
    device_pieces(&w, m);
}

/* ---- validity
 * ----------------------------------------------------------------------------------------------------------------------- */

static const char *hart_fault(const struct machine *m, unsigned i)
{
    const struct cpu_progress *p = machine_progress(m, i);
    return p->cycle < m->st.cycle || p->idle > p->cycle ? "cycle" : m->arch->fault(machine_hart(m, i));
}

bool machine_pieces_valid(struct machine *m, struct err *e)
{
    const struct machine_state *s = &m->st;
    if (s->turn >= m->setup->harts || s->in_slice > 1 || s->exited > 1 || s->typed > MACHINE_TYPED ||
        !semihost_valid(&s->semihost) || (s->in_slice && s->slice_end < s->cycle) || (!s->in_slice && s->turn))
        return err_set(e, "the machine's own state is out of range");
    for (unsigned i = 0; i < m->setup->harts; i++) {
        const char *bad = hart_fault(m, i);
        if (bad)
            return err_set(e, "hart %u: %s is out of range", i, bad);
    }
    for (unsigned i = 0; i < m->setup->devices; i++)
        if (m->device[i].ops->valid && !m->device[i].ops->valid(&m->device[i]))
            return err_set(e, "the state of device %s is out of range", m->device[i].id);
    return true;
}

/* ---- the digest
 * --------------------------------------------------------------------------------------------------------------------- */

static void hash_piece(void *ctx, const char *name, void *p, size_t n)
{
    (void)name;
    hash_add(ctx, p, n);
}

static void hash_page(void *ctx, uint64_t at, const uint8_t *page)
{
    hash_add_u64(ctx, at);
    hash_add(ctx, page, MEM_PAGE_SIZE);
}

uint64_t machine_digest(struct machine *m)
{
    struct hash *h = hash_new();
    machine_pieces(m, hash_piece, h);
    mem_visit(m->mem, hash_page, h);
    for (unsigned i = 0; i < m->setup->disks; i++) {
        hash_add_u64(h, i);
        disk_visit(m->disk[i], hash_page, h);
    }
    return hash_end(h);
}
