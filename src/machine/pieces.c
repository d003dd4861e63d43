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

static void hart_pieces(const struct walk *w, struct hart *h, unsigned n)
{
    struct rv_state *s = &h->s;
    s->x[32] = 0; /* results nobody reads */
#define STATE(member, count, bytes, meaning) piece(w, &s->member, sizeof s->member, "hart%u." #member, n);
#include "cpu/riscv/state.def"
#undef STATE
#define PIECE_OWN(name)  piece(w, &s->csr.name, sizeof s->csr.name, "hart%u.csr." #name, n);
#define PIECE_OWNS(name) PIECE_OWN(name)
#define PIECE_VIEW(name)
#define PIECE_CONST(name)
#define PIECE_LIVE(name)
#define ROW(kind, name, ...)   PIECE_##kind(name)
#define RANGE(kind, name, ...) PIECE_##kind(name)
#define HIGH(...)
#define HIGHS(...)
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
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
        hart_pieces(&w, &m->hart[i], i);
    device_pieces(&w, m);
}

/* ---- validity
 * ----------------------------------------------------------------------------------------------------------------------- */

static const char *hart_fault(const struct hart *h, uint64_t cycle)
{
    const struct rv_state *s = &h->s;
    if (s->x[0])
        return "x";
    if (s->priv == 2 || s->priv > RV_M || (s->v && s->priv == RV_M))
        return "priv";
    if (s->v > 1)
        return "v";
    if (s->cycle < cycle || s->idle > s->cycle)
        return "cycle";
    if (s->waiting > 1 || s->elp > 1 || s->halted > 1 || s->nmi_pending > 1 || s->parked > 1 || s->fflags > 31)
        return "waiting, elp, halted, nmi_pending, parked or fflags";
    return NULL;
}

bool machine_pieces_valid(struct machine *m, struct err *e)
{
    const struct machine_state *s = &m->st;
    if (s->turn >= m->setup->harts || s->in_slice > 1 || s->exited > 1 || s->typed > MACHINE_TYPED ||
        !semihost_valid(&s->semihost) || (s->in_slice && s->slice_end < s->cycle) || (!s->in_slice && s->turn))
        return err_set(e, "the machine's own state is out of range");
    for (unsigned i = 0; i < m->setup->harts; i++) {
        const char *bad = hart_fault(&m->hart[i], s->cycle);
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
