#include "debug/logs/compare.h"
#include "csr/arm/sysreg.h"
#include "debug/logs/choices.h"
#include "debug/logs/taint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 8192 /* instructions at the beginning in which a common run is looked for */
#define RUN   12   /* instructions that make one */
#define AHEAD 2048 /* steps read ahead to find where a branch on a masked value comes back */

/* Trap vectors: mtvec, stvec, vstvec; VBAR_EL1 to VBAR_EL3. */
enum { VECTORS_RV = 3, VECTORS = 6 };

struct known {
    bool known;
    uint8_t words;
    uint64_t value[LOG_WORDS];
};

/* One log while it is compared. */
struct side {
    struct log_reader *reader;
    struct log_step *ahead; /* read, to look where both go on alike: the next are [at, count) */
    size_t at, count;
    bool ended;
    struct log_step step;   /* the current instruction */
    struct log_step passed; /* the trap before it */
    bool trapped;
    uint32_t last_insn;
    uint8_t last_bytes;
    struct known reg[3][32], vector[VECTORS]; /* x, f, v; trap vectors */
    struct {
        uint8_t class, number;
        struct known was;
    } before[LOG_REGS]; /* what the current instruction wrote, as it was */
    unsigned nbefore;
    struct choices choices;
};

struct compare {
    const struct compare_options *o;
    struct comparison *r;
    struct compare_hart *h;
    unsigned number; /* of the hart */
    struct side side[2];
    struct taint taint;
    struct err *e;
};

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

/* Which trap vector a register is; VECTORS: none. */
static unsigned vector_of(const struct log_reg *g)
{
    static const uint16_t csr[VECTORS_RV] = {0x305, 0x105, 0x205};
    static const char *const system[VECTORS - VECTORS_RV] = {"vbar_el1", "vbar_el2", "vbar_el3"};
    unsigned v = VECTORS;
    for (unsigned i = 0; i < VECTORS_RV && g->class == LOG_CSR; i++)
        if (g->number == csr[i])
            v = i;
    for (unsigned i = 0; i < VECTORS - VECTORS_RV && g->class == LOG_SYSTEM; i++)
        if (g->number == sysreg_by_name(system[i]))
            v = VECTORS_RV + i;
    return v;
}

static void note(struct side *s, const struct log_step *step)
{
    choices_note(&s->choices, step, log_reader_arm(s->reader));
    s->nbefore = 0;
    for (unsigned i = 0; i < step->nregs; i++) {
        const struct log_reg *g = &step->reg[i];
        unsigned vector = vector_of(g);
        struct known *k = g->class <= LOG_V ? &s->reg[g->class][g->number & 31] : vector < VECTORS ? &s->vector[vector] : NULL;
        if (!k)
            continue;
        if (vector == VECTORS) {
            s->before[s->nbefore].class = g->class;
            s->before[s->nbefore].number = g->number & 31;
            s->before[s->nbefore++].was = *k;
        }
        k->known = true;
        k->words = g->words;
        memcpy(k->value, g->value, sizeof k->value);
    }
}

/* The next step of the hart, from what was read ahead or from the log. */
static enum log_result next_step(struct compare *c, unsigned i, struct log_step *out)
{
    struct side *s = &c->side[i];
    if (s->at < s->count) {
        *out = s->ahead[s->at++];
        return LOG_STEP;
    }
    for (;;) {
        enum log_result got = log_next(s->reader, out, c->e);
        if (got != LOG_STEP || out->hart == c->number)
            return got;
    }
}

/* The next instruction of the hart that retires. The trap before it is kept. */
static enum log_result advance(struct compare *c, unsigned i)
{
    struct side *s = &c->side[i];
    if (s->step.line) {
        s->last_insn = s->step.insn;
        s->last_bytes = s->step.insn_bytes;
    }
    s->trapped = false;
    for (;;) {
        enum log_result got = next_step(c, i, &s->step);
        if (got != LOG_STEP) {
            s->ended = true;
            return got;
        }
        if (s->step.kind == LOG_TRAP) {
            s->passed = s->step;
            s->trapped = true;
            continue;
        }
        note(s, &s->step);
        return LOG_STEP;
    }
}

/* ---- where to begin ---------------------------------------------------------------------------------------------------------
 */

/* Addresses of the first instructions of a hart, and the harts there are. */
struct head {
    uint64_t *pc;
    size_t n;
    bool hart[COMPARE_HARTS];
};

static bool read_head(const struct compare_side *side, unsigned hart, struct head *out, struct err *e)
{
    struct log_reader *r = side->open(side->ctx, e);
    struct log_step s;
    enum log_result got = LOG_BAD;
    if (!r)
        return false;
    while ((got = log_next(r, &s, e)) == LOG_STEP) {
        if (s.hart >= COMPARE_HARTS) {
            log_close(r);
            return err_set(e, "hart %u: at most %d harts can be compared", s.hart, COMPARE_HARTS);
        }
        out->hart[s.hart] = true;
        if (s.hart == hart && s.kind == LOG_RETIRED && out->n < ALIGN)
            out->pc[out->n++] = s.pc;
    }
    log_close(r);
    return got == LOG_END;
}

/* Where the two first run alike: the smallest i + j. */
static bool find_run(const struct head h[2], size_t at[2])
{
    for (size_t sum = 0; sum < h[0].n + h[1].n; sum++)
        for (size_t i = 0; i <= sum && i < h[0].n; i++) {
            size_t j = sum - i, run = 0;
            if (j >= h[1].n)
                continue;
            while (run < RUN && i + run < h[0].n && j + run < h[1].n && h[0].pc[i + run] == h[1].pc[j + run])
                run++;
            if (run == RUN || (run && (i + run == h[0].n || j + run == h[1].n))) {
                at[0] = i;
                at[1] = j;
                return true;
            }
        }
    return false;
}

/* Brings both sides to where the comparison begins. False: there is nothing to compare, or with a sentence. */
static bool begin(struct compare *c, const size_t at[2])
{
    for (unsigned i = 0; i < 2; i++) {
        size_t n = 0;
        enum log_result got;
        while ((got = advance(c, i)) == LOG_STEP) {
            if (c->o->has_from ? c->side[i].step.pc == c->o->from : n == at[i])
                break;
            n++;
        }
        if (got == LOG_BAD)
            return false;
        if (got == LOG_END && c->o->has_from)
            return err_set(c->e, "hart %u: 0x%" PRIx64 " is not executed in the %s log", c->number, c->o->from,
                           i ? "second" : "first");
        c->h->start[i] = c->side[i].step.line;
    }
    return true;
}

/* ---- one instruction --------------------------------------------------------------------------------------------------------
 */

static bool words_differ(const uint64_t *a, unsigned na, const uint64_t *b, unsigned nb)
{
    unsigned n = na < nb ? na : nb;
    return memcmp(a, b, n * sizeof *a) != 0;
}

static bool register_masked(const struct compare *c, const struct log_reg *g)
{
    for (size_t i = 0; i < c->o->nmask; i++)
        if (c->o->mask[i].class == g->class && c->o->mask[i].number == g->number)
            return true;
    return taint_register(g, c->r->arm);
}

static const struct log_reg *find(const struct log_step *s, const struct log_reg *g)
{
    for (unsigned i = 0; i < s->nregs; i++)
        if (s->reg[i].class == g->class && s->reg[i].number == g->number)
            return &s->reg[i];
    return NULL;
}

/* Both values of a register that side i wrote. False: one is not known. */
static bool both(const struct compare *c, const struct log_reg *g, struct log_reg out[2])
{
    for (unsigned i = 0; i < 2; i++) {
        const struct log_reg *w = find(&c->side[i].step, g);
        const struct known *k = g->class <= LOG_V ? &c->side[i].reg[g->class][g->number & 31] : NULL;
        out[i] = *g;
        if (!w && (!k || !k->known)) /* registers of the system are compared where both write them */
            return false;
        out[i].words = w ? w->words : k->words;
        memcpy(out[i].value, w ? w->value : k->value, sizeof out[i].value);
    }
    return true;
}

static enum compare_what registers(struct compare *c, bool tainted)
{
    struct log_reg pair[2];
    for (unsigned i = 0; i < 2; i++) {
        const struct log_step *s = &c->side[i].step;
        for (unsigned k = 0; k < s->nregs; k++) {
            if (register_masked(c, &s->reg[k]) || tainted) {
                c->h->masked += !i;
                continue;
            }
            if (!both(c, &s->reg[k], pair) || !words_differ(pair[0].value, pair[0].words, pair[1].value, pair[1].words))
                continue;
            memcpy(c->h->reg, pair, sizeof pair);
            return COMPARE_REG;
        }
    }
    return COMPARE_EQUAL;
}

static unsigned stores_of(const struct log_step *s, struct log_mem out[LOG_MEMS])
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->nmems; i++)
        if (s->mem[i].store)
            out[n++] = s->mem[i];
    return n;
}

static bool store_differs(const struct log_mem *a, const struct log_mem *b)
{
    unsigned bytes = a->bytes && b->bytes && b->bytes < a->bytes ? b->bytes : a->bytes ? a->bytes : b->bytes;
    uint64_t mask = bytes && bytes < 8 ? (UINT64_C(1) << 8 * bytes) - 1 : UINT64_MAX;
    uint64_t same = a->physical == b->physical ? UINT64_MAX : 0xfff;
    if ((a->address ^ b->address) & same)
        return true;
    return bytes <= 8 && a->has_value && b->has_value && (a->value & mask) != (b->value & mask);
}

/* A byte stored, and the store it is of. */
struct byte {
    uint64_t address;
    unsigned of;
    uint8_t value;
};

static int by_address(const void *a, const void *b)
{
    const struct byte *x = a, *y = b;
    return x->address != y->address ? (x->address < y->address ? -1 : 1) : x->of < y->of ? -1 : x->of > y->of;
}

/* The bytes of n stores, in the order of their addresses; of a byte stored twice the last. 0: the log does not tell them all. */
static size_t bytes_of(const struct log_mem *list, unsigned n, struct byte out[LOG_MEMS * 8])
{
    size_t count = 0, kept = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!list[i].has_value || !list[i].bytes || list[i].bytes > 8 || list[i].physical != list[0].physical)
            return 0;
        for (unsigned k = 0; k < list[i].bytes; k++)
            out[count++] = (struct byte){list[i].address + k, i, (uint8_t)(list[i].value >> 8 * k)};
    }
    qsort(out, count, sizeof *out, by_address);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || out[i].address != out[i + 1].address)
            out[kept++] = out[i];
    return kept;
}

/* Stores byte by byte: logs split them in their own ways and orders. False: they cannot be, because one log does not tell enough.
 */
static bool bytewise(const struct log_mem list[2][LOG_MEMS], const unsigned n[2], const struct log_mem *differ[2])
{
    struct byte bytes[2][LOG_MEMS * 8];
    size_t count[2];
    for (unsigned i = 0; i < 2; i++)
        count[i] = bytes_of(list[i], n[i], bytes[i]);
    differ[0] = NULL;
    if (!count[0] || count[0] != count[1] || list[0][0].physical != list[1][0].physical)
        return false;
    for (size_t k = 0; k < count[0] && !differ[0]; k++)
        if (bytes[0][k].address != bytes[1][k].address || bytes[0][k].value != bytes[1][k].value)
            for (unsigned i = 0; i < 2; i++)
                differ[i] = &list[i][bytes[i][k].of];
    return true;
}

static enum compare_what stores(struct compare *c)
{
    struct log_mem list[2][LOG_MEMS];
    const struct log_mem *differ[2] = {NULL, NULL};
    const unsigned n[2] = {stores_of(&c->side[0].step, list[0]), stores_of(&c->side[1].step, list[1])};
    if (c->side[0].step.cut || c->side[1].step.cut || !n[0] || !n[1])
        return COMPARE_EQUAL; /* one log does not have them */
    bool told = bytewise(list, n, differ);
    for (unsigned i = 0; i < n[0] && !told && n[0] == n[1] && !differ[0]; i++)
        if (store_differs(&list[0][i], &list[1][i])) {
            differ[0] = &list[0][i];
            differ[1] = &list[1][i];
        }
    if (!differ[0])
        return COMPARE_EQUAL;
    c->h->store[0] = *differ[0];
    c->h->store[1] = *differ[1];
    return COMPARE_STORE;
}

static bool masked_load(const struct compare *c, const struct log_step *s)
{
    for (unsigned i = 0; i < s->nmems; i++)
        for (size_t k = 0; k < c->o->nloads && !s->mem[i].store; k++)
            if (s->mem[i].address >= c->o->loads[k].first && s->mem[i].address <= c->o->loads[k].last)
                return true;
    return false;
}

static uint32_t encoding(const struct log_step *s) { return s->insn_bytes == 2 ? s->insn & 0xffff : s->insn; }

/* A store-conditional may fail for no reason (unpriv "Zalrsc", Arm ARM B2.17 "Synchronization and semaphores"): one that does in
   one log only is no difference if the other had a reservation. What it wrote is not compared, nor what is computed from it. */
static bool conditional(struct compare *c)
{
    enum choices_outcome became[2];
    unsigned rd;
    if (!choices_conditional(&c->side[0].step, c->r->arm, &rd))
        return false;
    for (unsigned i = 0; i < 2; i++)
        became[i] = choices_outcome(&c->side[i].step, c->r->arm, log_reader_format(c->side[i].reader)->has);
    bool untold = became[0] == CHOICES_UNTOLD || became[1] == CHOICES_UNTOLD, differ = !untold && became[0] != became[1];
    if (differ && !c->side[became[1] == CHOICES_SUCCEEDED].choices.could)
        return false;
    c->h->conditionals += differ;
    if (differ || untold)
        c->taint.result = UINT32_C(1) << rd;
    return differ;
}

/* Code that was written without a fence: which of it is executed, the old or the new, is open. */
static bool unfenced(struct compare *c)
{
    uint64_t pc = c->side[0].step.pc;
    if (!choices_unfenced(&c->side[0].choices, pc) && !choices_unfenced(&c->side[1].choices, pc))
        return false;
    c->h->unfenced++;
    return true;
}

/* What differs in the two current steps, which are at the same address. */
static enum compare_what judge(struct compare *c)
{
    const struct log_step *a = &c->side[0].step, *b = &c->side[1].step;
    bool open = false;
    if (a->insn_bytes && b->insn_bytes && encoding(a) != encoding(b) && !(open = unfenced(c)))
        return COMPARE_INSN;
    if (a->priv != LOG_UNKNOWN && b->priv != LOG_UNKNOWN && a->priv != b->priv)
        return COMPARE_PRIV;
    if (a->v != LOG_UNKNOWN && b->v != LOG_UNKNOWN && a->v != b->v)
        return COMPARE_PRIV;
    bool tainted = conditional(c) || open;
    for (unsigned i = 0; i < 2; i++)
        tainted |=
            taint_reads(&c->taint, &c->side[i].step, c->r->arm, c->o->mask, c->o->nmask) || masked_load(c, &c->side[i].step);
    c->h->from_masked = tainted;
    enum compare_what what = registers(c, tainted);
    if (what == COMPARE_EQUAL && !tainted) /* else the address may be computed from what is masked, too */
        what = stores(c);
    for (unsigned i = 0; i < 2; i++)
        taint_writes(&c->taint, &c->side[i].step, tainted);
    return what;
}

/* Both trapped before their current steps: was it for the same reason? */
static bool causes_differ(struct compare *c)
{
    const struct log_step *a = &c->side[0].passed, *b = &c->side[1].passed;
    if (!c->side[0].trapped || !c->side[1].trapped || a->cause == UINT64_MAX || b->cause == UINT64_MAX)
        return false;
    return a->cause != b->cause || a->interrupt != b->interrupt;
}

/* ---- interrupts -------------------------------------------------------------------------------------------------------------
 */

static bool is_return(uint32_t insn, uint8_t bytes)
{
    return !bytes || insn == 0x30200073 || insn == 0x10200073 || insn == 0x70200073 || insn == 0xd69f03e0;
}

/* Is pc where an interrupt goes by this vector? The table of A64 has a place of 0x80 bytes for each kind of exception of each of
   four origins: synchronous, IRQ, FIQ, SError (Arm ARM D1.3.1.5 "Exception vectors"). */
static bool at_vector(const struct known *k, unsigned number, uint64_t pc)
{
    uint64_t base = number < VECTORS_RV ? k->value[0] & ~UINT64_C(3) : k->value[0];
    if (!k->known || pc < base)
        return false;
    return number < VECTORS_RV ? pc - base < 256 : pc - base < 0x800 && (pc - base) >> 7 & 3;
}

/* Has side i gone to an interrupt's handler? Either log may have told of the vector. */
static bool interrupted(const struct compare *c, unsigned i)
{
    const struct side *s = &c->side[i];
    if (s->trapped)
        return s->passed.interrupt;
    for (unsigned v = 0; v < VECTORS; v++)
        if (at_vector(&s->vector[v], v, s->step.pc) || at_vector(&c->side[!i].vector[v], v, s->step.pc))
            return true;
    return false;
}

/* What the handler that side i ran alone left otherwise than it was, the other side does not have. */
static void taint_changed(struct compare *c, unsigned i, struct known before[3][32])
{
    for (unsigned class = 0; class < 3; class ++)
        for (unsigned n = 0; n < 32; n++) {
            const struct known *k = &c->side[i].reg[class][n];
            if (k->known && memcmp(k->value, before[class][n].value, sizeof k->value))
                *(class == LOG_X ? &c->taint.x : &c->taint.f) |= UINT32_C(1) << n;
        }
}

/* Runs side i to where it comes back to `pc`. */
static enum log_result step_over(struct compare *c, unsigned i, uint64_t pc)
{
    uint64_t limit = c->o->interrupted ? c->o->interrupted : 1000000;
    struct side *s = &c->side[i];
    struct known before[3][32];
    memcpy(before, s->reg, sizeof before);
    for (unsigned k = 0; k < s->nbefore; k++) /* the current instruction is the handler's first already */
        before[s->before[k].class][s->before[k].number] = s->before[k].was;
    taint_stores(&c->taint, &s->step, true);
    for (uint64_t n = 0; n < limit; n++) {
        enum log_result got = advance(c, i);
        if (got != LOG_STEP)
            return got;
        if (s->step.pc == pc && is_return(s->last_insn, s->last_bytes)) {
            taint_changed(c, i, before);
            c->h->interrupts[i]++;
            return LOG_STEP;
        }
        taint_stores(&c->taint, &s->step, true);
    }
    return LOG_END;
}

/* The addresses differ. LOG_STEP: because of an interrupt, which is stepped over; LOG_END: they do differ. */
static enum log_result resynchronise(struct compare *c)
{
    for (unsigned i = 0; i < 2; i++)
        if (interrupted(c, i) && !interrupted(c, !i)) {
            struct log_step kept = c->side[i].step;
            enum log_result got = step_over(c, i, c->side[!i].step.pc);
            if (got == LOG_END)
                c->side[i].step = kept;
            return got;
        }
    return LOG_END;
}

/* ---- branches on masked values ----------------------------------------------------------------------------------------------
 */

/* Reads ahead. The addresses of what retires go to `pc`, which has room for AHEAD + 1; the current step is the first. */
static bool look_ahead(struct compare *c, unsigned i, struct head *h)
{
    struct side *s = &c->side[i];
    size_t left = s->count - s->at;
    if (!s->ahead)
        s->ahead = malloc(AHEAD * sizeof *s->ahead);
    memmove(s->ahead, s->ahead + s->at, left * sizeof *s->ahead);
    s->at = 0;
    s->count = 0; /* next_step reads the log */
    for (enum log_result got; left < AHEAD; left++) {
        if ((got = next_step(c, i, &s->ahead[left])) == LOG_BAD)
            return false;
        if (got == LOG_END)
            break;
    }
    s->count = left;
    h->pc[h->n++] = s->step.pc;
    for (size_t k = 0; k < left; k++)
        if (s->ahead[k].kind == LOG_RETIRED)
            h->pc[h->n++] = s->ahead[k].pc;
    return true;
}

/* The addresses differ behind an instruction that read a masked value: goes on where both run alike again. What either side wrote
   until there is computed from that value. LOG_END: they do not. */
static enum log_result go_around(struct compare *c)
{
    struct head h[2] = {{.pc = malloc((AHEAD + 1) * sizeof(uint64_t))}, {.pc = malloc((AHEAD + 1) * sizeof(uint64_t))}};
    size_t at[2];
    enum log_result got = LOG_END;
    if (!look_ahead(c, 0, &h[0]) || !look_ahead(c, 1, &h[1]))
        got = LOG_BAD;
    else if (find_run(h, at)) {
        got = LOG_STEP;
        for (unsigned i = 0; i < 2; i++)
            for (size_t k = 0; k < at[i]; k++) {
                taint_writes(&c->taint, &c->side[i].step, true);
                advance(c, i);
            }
        c->h->diversions++;
    }
    free(h[0].pc);
    free(h[1].pc);
    return got;
}

/* ---- a hart ------------------------------------------------------------------------------------------------------------------
 */

static void remember(struct compare *c)
{
    struct compare_hart *h = c->h;
    const struct log_step *a = &c->side[0].step, *b = &c->side[1].step, *coded = a->insn_bytes ? a : b;
    unsigned keep = c->o->context < COMPARE_CONTEXT ? c->o->context : COMPARE_CONTEXT;
    h->compared++;
    if (!keep)
        return;
    if (h->nseen == keep) {
        memmove(h->seen, h->seen + 1, (keep - 1) * sizeof *h->seen);
        h->nseen--;
    }
    h->seen[h->nseen++] = (struct compare_seen){a->pc, {a->line, b->line}, coded->insn, coded->insn_bytes};
}

/* Whether side i tells of an instruction as of any other that trapped by what the other side tells: its format knows no traps. */
static bool tells_attempt(const struct compare *c, unsigned i)
{
    const struct side *s = &c->side[i], *other = &c->side[!i];
    return !(log_reader_format(s->reader)->has & LOG_HAS_TRAPS) && other->trapped && !other->passed.interrupt &&
           s->step.pc == other->passed.pc && s->step.pc != other->step.pc;
}

/* Both sides stand at their next instruction, or one or both have ended. */
static enum compare_what pair(struct compare *c, bool *bad)
{
    struct side *a = &c->side[0], *b = &c->side[1];
    for (unsigned i = 0; i < 2 && !a->ended && !b->ended; i++)
        if (tells_attempt(c, i) && advance(c, i) == LOG_BAD) {
            *bad = true;
            return COMPARE_EQUAL;
        }
    if (a->ended || b->ended)
        return a->ended && b->ended ? COMPARE_EQUAL : COMPARE_END;
    if (a->step.pc != b->step.pc) {
        enum log_result got = resynchronise(c);
        if (got == LOG_END && c->h->from_masked)
            got = go_around(c);
        *bad = got == LOG_BAD;
        if (*bad)
            return COMPARE_EQUAL;
        if (a->step.pc != b->step.pc)
            return COMPARE_PC;
    }
    return causes_differ(c) ? COMPARE_CAUSE : judge(c);
}

static bool run(struct compare *c)
{
    bool bad = false;
    while (!bad) {
        c->h->what = pair(c, &bad);
        if (bad || c->h->what != COMPARE_EQUAL || (c->side[0].ended && c->side[1].ended))
            break;
        remember(c);
        for (unsigned i = 0; i < 2; i++)
            if (advance(c, i) == LOG_BAD)
                return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        c->h->step[i] = c->h->what == COMPARE_CAUSE ? c->side[i].passed : c->side[i].step;
        c->h->has[i] = !c->side[i].ended;
        c->h->trapped[i] = c->h->has[i] && c->side[i].trapped;
        c->h->trap[i] = c->side[i].passed;
        c->r->has = i ? c->r->has & log_reader_has(c->side[i].reader) : log_reader_has(c->side[i].reader);
        c->r->skipped[i] = log_reader_skipped(c->side[i].reader);
        c->r->torn[i] = log_reader_torn(c->side[i].reader);
    }
    return !bad;
}

static bool is_arm(const struct comparison *r) { return r->format[0]->arm || r->format[1]->arm; }

static bool compare_hart(const struct compare_side side[2], const struct compare_options *o, struct comparison *r,
                         unsigned number, const size_t at[2], struct err *e)
{
    struct compare *c = calloc(1, sizeof *c);
    c->o = o;
    c->r = r;
    c->h = &r->hart[number];
    c->number = number;
    c->e = e;
    bool good = true;
    for (unsigned i = 0; i < 2 && good; i++) {
        good = (c->side[i].reader = side[i].open(side[i].ctx, e)) != NULL;
        if (good)
            r->format[i] = log_reader_format(c->side[i].reader);
    }
    if (good)
        r->arm = is_arm(r);
    good = good && begin(c, at);
    for (unsigned i = 0; i < 2 && good; i++)
        r->arm |= log_reader_arm(c->side[i].reader);
    good = good && run(c);
    log_close(c->side[0].reader);
    log_close(c->side[1].reader);
    free(c->side[0].ahead);
    free(c->side[1].ahead);
    free(c);
    return good;
}

/* Finds where hart `number` begins in both, and compares it. */
static bool one_hart(const struct compare_side side[2], const struct compare_options *o, struct comparison *r, unsigned number,
                     struct err *e)
{
    struct head h[2] = {{.n = 0}};
    size_t at[2] = {0, 0};
    bool good = true, begins;
    for (unsigned i = 0; i < 2 && good; i++) {
        h[i].pc = malloc(ALIGN * sizeof *h[i].pc);
        good = read_head(&side[i], number, &h[i], e);
    }
    for (unsigned k = 0; k < COMPARE_HARTS && good; k++)
        for (unsigned i = 0; i < 2; i++)
            if ((r->hart[k].there[i] = h[i].hart[k]) && k + 1 > r->nharts)
                r->nharts = k + 1;
    begins = good && (o->has_from || find_run(h, at));
    if (good && h[0].n && h[1].n && !begins)
        good = err_set(
            e, "hart %u: the two logs have no %d instructions in a row in common; name the address where both begin with --from",
            number, RUN);
    if (good && begins && (h[0].n || h[1].n))
        good = compare_hart(side, o, r, number, at, e);
    free(h[0].pc);
    free(h[1].pc);
    return good;
}

bool log_compare(const struct compare_side side[2], const struct compare_options *o, struct comparison *r, struct err *e)
{
    memset(r, 0, sizeof *r);
    r->hart = calloc(COMPARE_HARTS, sizeof *r->hart);
    for (unsigned k = 0; k < (r->nharts ? r->nharts : 1); k++)
        if (!one_hart(side, o, r, k, e))
            return false;
    uint64_t compared = 0;
    bool differs = false;
    for (unsigned k = 0; k < r->nharts; k++) {
        compared += r->hart[k].compared;
        differs |= r->hart[k].what != COMPARE_EQUAL;
    }
    return compared || differs || err_set(e, "the two logs have no instruction of the same hart");
}

/* ---- for people --------------------------------------------------------------------------------------------------------------
 */

static void value_text(const struct log_reg *g, char *out, size_t cap)
{
    size_t n = 0;
    for (unsigned w = g->words; w-- && n < cap;)
        n += (size_t)snprintf(out + n, cap - n, w + 1 == g->words ? "0x%" PRIx64 : "%016" PRIx64, g->value[w]);
}

static void mode_text(const struct log_step *s, bool arm, char *out, size_t cap)
{
    static const char *const names[2][4] = {{"U", "S", "?", "M"}, {"VU", "VS", "?", "?"}};
    if (arm)
        snprintf(out, cap, "EL%d", s->priv);
    else
        snprintf(out, cap, "%s", names[s->v == 1][s->priv & 3]);
}

static void store_text(const struct log_mem *m, char *out, size_t cap)
{
    size_t n = m->has_value ? (size_t)snprintf(out, cap, "0x%" PRIx64 " ", m->value) : 0;
    snprintf(out + n, cap - n, "to 0x%" PRIx64, m->address);
}

static void cause_text(const struct log_step *s, char *out, size_t cap)
{
    snprintf(out, cap, "%s %" PRIu64, s->interrupt ? "interrupt" : "exception", s->cause);
}

void compare_text(const struct comparison *r, const struct compare_hart *h, char *out, size_t cap)
{
    char a[120] = "", b[120] = "", name[48];
    switch (h->what) {
    case COMPARE_EQUAL: snprintf(out, cap, "nothing differs"); return;
    case COMPARE_PC: snprintf(out, cap, "the address: 0x%" PRIx64 " and 0x%" PRIx64, h->step[0].pc, h->step[1].pc); return;
    case COMPARE_INSN: snprintf(out, cap, "the instruction: 0x%x and 0x%x", encoding(&h->step[0]), encoding(&h->step[1])); return;
    case COMPARE_PRIV:
        mode_text(&h->step[0], r->arm, a, sizeof a);
        mode_text(&h->step[1], r->arm, b, sizeof b);
        snprintf(out, cap, "the mode: %s and %s", a, b);
        return;
    case COMPARE_REG:
        log_reg_name(&h->reg[0], r->arm, name, sizeof name);
        value_text(&h->reg[0], a, sizeof a);
        value_text(&h->reg[1], b, sizeof b);
        snprintf(out, cap, "%s: %s and %s", name, a, b);
        return;
    case COMPARE_STORE:
        store_text(&h->store[0], a, sizeof a);
        store_text(&h->store[1], b, sizeof b);
        snprintf(out, cap, "the store: %s and %s", a, b);
        return;
    case COMPARE_CAUSE:
        cause_text(&h->step[0], a, sizeof a);
        cause_text(&h->step[1], b, sizeof b);
        snprintf(out, cap, "the cause of the trap: %s and %s", a, b);
        return;
    case COMPARE_END: snprintf(out, cap, "the %s log ends here, the other goes on", h->has[0] ? "second" : "first"); return;
    }
}
