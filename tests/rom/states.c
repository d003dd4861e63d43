#include "states.h"
#include "base/bits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EID_SSE        0x535345u /* SBI v3.0, chapter SSE */
#define FID_READ_ATTR  0u
#define FID_WRITE_ATTR 1u
#define FID_COMPLETE   6u
#define ATTR_SEPC      6u /* the first of the four that keep the interrupted context */
#define ATTRS          4u
#define EXC_ECALL_S    9u
#define BOOT_CYCLES    UINT64_C(200000000)
#define CASE_CYCLES    UINT64_C(1000000)

/* What the rules are about, by name: a bit of a register, or all of it. */
enum field { PC, V, P, SIE, SPIE, SPP, SPELP, SDT, SPV, SPVP, SEPC, A6, A7, FIELDS };
static const struct {
    const char *name, *reg;
    int bit; /* -1: the whole register */
} field[FIELDS] = {
    [PC] = {"pc", "pc", -1},
    [V] = {"V", "v", -1},
    [P] = {"privilege", "priv", -1},
    [SIE] = {"SIE", "mstatus", 1},
    [SPIE] = {"SPIE", "mstatus", 5},
    [SPP] = {"SPP", "mstatus", 8},
    [SPELP] = {"SPELP", "mstatus", 23},
    [SDT] = {"SDT", "mstatus", 24},
    [SPV] = {"SPV", "hstatus", 7},
    [SPVP] = {"SPVP", "hstatus", 8},
    [SEPC] = {"sepc", "sepc", -1},
    [A6] = {"a6", "a6", -1},
    [A7] = {"a7", "a7", -1},
};
struct view {
    uint64_t f[FIELDS];
};
struct attrs {
    uint64_t word[ATTRS]; /* SEPC, FLAGS, A6, A7 */
};

/* Question A: every register an event must leave alone besides those; names a machine does not have are passed over. x and f
   registers are added by number. */
static const char *const others[] = {
    "fcsr",       "mstatus",  "scause", "stval",  "stvec",     "sscratch", "scounteren", "senvcfg", "satp",    "sie",
    "hstatus",    "htval",    "htinst", "hgatp",  "hvip",      "hie",      "hedeleg",    "hideleg", "henvcfg", "hcounteren",
    "htimedelta", "vsstatus", "vsie",   "vstvec", "vsscratch", "vsepc",    "vscause",    "vstval",  "vsatp",
};
#define WHOLE (62 + ARRAY_LEN(others))
struct whole {
    uint64_t r[WHOLE];
};

enum phase { BEFORE, HANDLER, COMPLETING, RESUMED };

struct states {
    struct machine *base, *work;
    struct machine_injection source;
    uint64_t sled, entry, entry_arg, select, arg, buffer, ecall, ecall_done;
    unsigned xlen, event, count;
    bool h, dte, lpe;
    struct states_state list[STATES_MAX];
    /* The case that is running. */
    enum phase phase;
    struct view completing;
    struct attrs attrs;
};

static const struct states_handler handlers[] = {
    {"no-op", 0, 1},
    {"nested trap, nothing saved", 1, 1},
    {"nested, sstatus and sepc saved", 2, 1},
    {"nested, hstatus saved too", 3, 1},
    {"nested, htval and htinst saved too", 4, 1},
    {"attribute writer", 5, 16},
    {"redirect", 6, 8},
};

/* Those of the table by which `trapline check` judges: which of its rows are asked here, and by what names. */
enum {
#define HANDLER(id, ...) NUMBER_##id,
#include "debug/check.def"
};
static const struct states_counts counts[] = {
#define ANY                    STATES_ANY
#define FIRMWARE_OF_HEAD       "head"
#define FIRMWARE_OF_P1         "p1"
#define FIRMWARE_OF_PRIVATE    "priv"
#define FIRMWARE_OF_SPEC       "maint"
#define ROWS_OF_s1_states(...) {__VA_ARGS__},
#define ROWS_OF_s1_flags(...)
#define ROWS_OF_s1_lpad(...)
#define ROWS_OF_s2_states(...)
#define STATES(scenario, form, handler, cases, a1, a2, e, a3, a4, a6) \
    ROWS_OF_##scenario(FIRMWARE_OF_##form, NUMBER_##handler, a3, a4, e)
#include "debug/check.def"
#undef ANY
};

const struct states_counts *states_counts(unsigned i) { return i < ARRAY_LEN(counts) ? &counts[i] : NULL; }

const struct states_handler *states_handler(unsigned i) { return i < ARRAY_LEN(handlers) ? &handlers[i] : NULL; }

/* ---- reading and writing the machine ------------------------------------------------------------------------------------ */

static uint64_t get(struct machine *m, const char *reg)
{
    uint64_t v = 0;
    machine_get_reg(m, 0, reg, &v); /* one that is not there reads as zero: no bit of it is set */
    return v;
}

static struct view view_of(struct machine *m)
{
    struct view v;
    for (unsigned i = 0; i < FIELDS; i++) {
        uint64_t r = get(m, field[i].reg);
        v.f[i] = field[i].bit < 0 ? r : r >> field[i].bit & 1;
    }
    return v;
}

static const char *whole_name(unsigned i, char text[8])
{
    if (i >= 62)
        return others[i - 62];
    snprintf(text, 8, "%c%u", i < 31 ? 'x' : 'f', i < 31 ? i + 1 : i - 31);
    return text;
}

static struct whole whole_of(struct machine *m)
{
    struct whole w;
    char text[8];
    for (unsigned i = 0; i < WHOLE; i++)
        w.r[i] = get(m, whole_name(i, text));
    /* sstatus is compared, by way of mstatus: what only M sees of it may differ. */
    for (unsigned i = 62; i < WHOLE; i++)
        if (!strcmp(others[i - 62], "mstatus"))
            w.r[i] = get(m, "sstatus");
    return w;
}

/* Puts the fields that are not the mode into the registers. */
static void put_fields(struct machine *m, const struct view *v)
{
    static const enum field bits[] = {SIE, SPIE, SPP, SPELP, SPV, SPVP, SDT}; /* SDT last: it clears SIE where it is set */
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        const char *reg = field[bits[i]].reg;
        uint64_t bit = UINT64_C(1) << field[bits[i]].bit, old = get(m, reg);
        if ((old & bit ? 1u : 0u) != v->f[bits[i]])
            machine_set_reg(m, 0, reg, old ^ bit);
    }
    static const enum field words[] = {PC, SEPC, A6, A7};
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        machine_set_reg(m, 0, field[words[i]].reg, v->f[words[i]]);
}

static void put_mode(struct machine *m, uint64_t p, uint64_t v)
{
    machine_set_reg(m, 0, "v", 0); /* every step is a mode that exists */
    machine_set_reg(m, 0, "priv", p);
    machine_set_reg(m, 0, "v", v);
}

static void put_word(struct states *s, struct machine *m, uint64_t at, uint64_t value)
{
    machine_write(m, at, &value, s->xlen / 8);
}
static uint64_t get_word(struct states *s, struct machine *m, uint64_t at)
{
    uint64_t value = 0;
    machine_read(m, at, &value, s->xlen / 8);
    return value;
}

/* ---- the rules ---------------------------------------------------------------------------------------------------------- */

/* SBI v3.0, SSE, "Software interrupt injection": what the handler starts with when x is interrupted. */
static struct view spec_inject(const struct states *s, const struct view *x)
{
    struct view h = *x;
    h.f[PC] = s->entry;
    h.f[V] = 0;
    h.f[P] = 1;
    h.f[SIE] = 0;
    h.f[SPIE] = x->f[SIE];
    h.f[SPP] = x->f[P];
    h.f[SEPC] = x->f[PC];
    h.f[SPV] = x->f[V];
    h.f[SPVP] = x->f[V] ? x->f[P] : x->f[SPVP];
    h.f[SPELP] = 0; /* no state here expects a landing pad */
    h.f[SDT] = s->dte;
    h.f[A6] = 0;
    h.f[A7] = s->entry_arg;
    return h;
}

/* The same section: the attributes that keep what the injection overwrites. */
static struct attrs spec_attrs(const struct view *x)
{
    uint64_t flags = x->f[SPP] | x->f[SPIE] << 1 | x->f[SPV] << 2 | x->f[SPVP] << 3 | x->f[SPELP] << 4 | x->f[SDT] << 5;
    return (struct attrs){{x->f[SEPC], flags, x->f[A6], x->f[A7]}};
}

/* The same chapter, "Complete": where the hart goes on when the handler leaves h, with these attributes. */
static struct view spec_complete(const struct view *h, const struct attrs *a)
{
    struct view r = *h;
    uint64_t flags = a->word[1];
    r.f[PC] = h->f[SEPC];
    r.f[P] = h->f[SPP];
    r.f[V] = h->f[SPV];
    /* A hart cannot hold SIE and SDT: every write that leaves SDT set clears SIE (priv 12.1.1.5). */
    r.f[SIE] = h->f[SPIE] && !(flags >> 5 & 1);
    r.f[SPP] = flags & 1;
    r.f[SPIE] = flags >> 1 & 1;
    r.f[SPV] = flags >> 2 & 1;
    r.f[SPVP] = flags >> 3 & 1;
    r.f[SPELP] = flags >> 4 & 1;
    /* An mret to U or with V=1 clears sstatus.SDT (priv 3.1.6.2, Ssdbltrp). */
    r.f[SDT] = (flags >> 5 & 1) && r.f[P] == 1 && !r.f[V];
    r.f[SEPC] = a->word[0];
    r.f[A6] = a->word[2];
    r.f[A7] = a->word[3];
    return r;
}

/* ---- one case ----------------------------------------------------------------------------------------------------------- */

/* An attribute write of the handler, as the specification takes it. */
static void note_write(struct states *s, struct machine *m)
{
    uint64_t base = get(m, "a1"), count = get(m, "a2"), at = get(m, "a3");
    for (uint64_t i = 0; i < count && i < ATTRS; i++) {
        uint64_t n = base + i - ATTR_SEPC;
        if (n < ATTRS)
            s->attrs.word[n] = get_word(s, m, at + i * s->xlen / 8);
    }
}

static void follow(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct states *s = ctx;
    if (c->hart)
        return;
    if (s->phase == BEFORE && c->is_return && c->pc == s->entry) {
        s->phase = HANDLER;
        machine_break(m, 0);
    } else if (s->phase == HANDLER && !c->is_return && !c->interrupt && c->cause == EXC_ECALL_S && get(m, "a7") == EID_SSE) {
        uint64_t fid = get(m, "a6");
        if (fid == FID_WRITE_ATTR)
            note_write(s, m);
        if (fid == FID_COMPLETE) {
            s->completing = view_of(m);
            s->phase = COMPLETING;
        }
    } else if (s->phase == COMPLETING && c->is_return && c->priv == 3) {
        s->phase = RESUMED;
        machine_break(m, 0);
    }
}

static bool run_to(struct states *s, enum phase phase, struct err *e)
{
    static const char *const want[] = {"", "the handler", "the handler's completion", "the return from the event"};
    enum machine_stop stop = machine_run(s->work, CASE_CYCLES);
    if (stop == MACHINE_DEBUG && s->phase == phase)
        return true;
    return err_set(e, "the run did not come to %s (%s, pc 0x%" PRIx64 ")", want[phase],
                   stop == MACHINE_EXIT     ? "the guest ended the run"
                   : stop == MACHINE_CYCLES ? "the cycles of a case are used up"
                                            : "it stopped",
                   get(s->work, "pc"));
}

static struct view state_view(const struct states *s, const struct states_state *x)
{
    struct view v = {{[PC] = s->sled,
                      [V] = x->v,
                      [P] = x->p,
                      [SIE] = x->sie,
                      [SPIE] = x->spie,
                      [SPP] = x->spp,
                      [SPELP] = x->spelp,
                      [SDT] = x->sdt,
                      [SPV] = x->spv,
                      [SPVP] = x->spvp,
                      [SEPC] = 0x80400010,
                      [A6] = 0x1616,
                      [A7] = 0x1717}};
    return v;
}

/* A hart in that state, with a different value in every other register, and a handler that knows what to do. */
static void place(struct states *s, const struct view *x, const struct states_handler *h, unsigned variant)
{
    static const char *const marked[] = {"scause",    "stval", "htval",   "htinst", "sscratch",
                                         "vsscratch", "vsepc", "vscause", "vstval"};
    struct machine *m = s->work;
    char text[8];
    machine_restore(m, s->base);
    for (unsigned i = 1; i < 32; i++)
        machine_set_reg(m, 0, whole_name(i - 1, text), 0x01010101u * i);
    for (unsigned i = 0; i < ARRAY_LEN(marked); i++)
        machine_set_reg(m, 0, marked[i], 0x01020304u + 0x10101010u * (i & 3));
    put_fields(m, x);
    put_mode(m, x->f[P], x->f[V]);
    put_word(s, m, s->select, h->select);
    const uint64_t arg[] = {variant, s->sled + 8, 0x2626, 0x2727};
    for (unsigned i = 0; i < ARRAY_LEN(arg); i++)
        put_word(s, m, s->arg + i * s->xlen / 8, arg[i]);
}

/* The event, up to the first instruction of the handler. */
static bool interrupt(struct states *s, struct err *e)
{
    s->phase = BEFORE;
    return machine_inject(s->work, &s->source, e) && run_to(s, HANDLER, e);
}

static bool read_attrs(struct states *s, struct attrs *a, struct err *e)
{
    struct machine_call c = {.entry = s->ecall,
                             .done = s->ecall_done,
                             .a = {s->event, ATTR_SEPC, ATTRS, s->buffer, 0, 0, FID_READ_ATTR, EID_SSE},
                             .cycles = CASE_CYCLES};
    if (!machine_call(s->work, &c, e))
        return false;
    if (c.a[0])
        return err_set(e, "reading the attributes of event 0x%x gives error %" PRId64, s->event, (int64_t)c.a[0]);
    for (unsigned i = 0; i < ATTRS; i++)
        a->word[i] = get_word(s, s->work, s->buffer + i * s->xlen / 8);
    return true;
}

struct difference {
    const char *what; /* NULL: none */
    uint64_t is, should;
};

static struct difference view_differs(const struct view *is, const struct view *should)
{
    for (unsigned i = 0; i < FIELDS; i++)
        if (is->f[i] != should->f[i])
            return (struct difference){field[i].name, is->f[i], should->f[i]};
    return (struct difference){0};
}

static struct difference attrs_differ(const struct attrs *is, const struct attrs *should)
{
    static const char *const name[] = {"INTERRUPTED_SEPC", "INTERRUPTED_FLAGS", "INTERRUPTED_A6", "INTERRUPTED_A7"};
    for (unsigned i = 0; i < ATTRS; i++)
        if (is->word[i] != should->word[i])
            return (struct difference){name[i], is->word[i], should->word[i]};
    return (struct difference){0};
}

static struct difference whole_differs(const struct whole *is, const struct whole *should)
{
    static const char *const number[] = {
        "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "x31",
    };
    for (unsigned i = 0; i < WHOLE; i++)
        if (is->r[i] != should->r[i])
            return (struct difference){i < 31 ? number[i] : i < 62 ? "an f register" : others[i - 62], is->r[i], should->r[i]};
    return (struct difference){0};
}

static void note(struct states_result *out, enum states_question q, unsigned state, const struct states_state *x,
                 unsigned variant, struct difference d, unsigned *count)
{
    if (!d.what)
        return;
    ++*count;
    out->failed[state] |= (uint8_t)q;
    char *first = out->first[q == STATES_E ? 0 : q == STATES_C ? 1 : q == STATES_T ? 2 : 3];
    if (*first)
        return;
    char sdt[32] = "";
    if (x->sdt || x->spelp)
        snprintf(sdt, sizeof sdt, " SPELP=%u SDT=%u", x->spelp, x->sdt);
    snprintf(first, sizeof out->first[0],
             "V=%u P=%c SPP=%u SPIE=%u SIE=%u SPV=%u SPVP=%u%s, variant %u: %s is 0x%" PRIx64 ", should be 0x%" PRIx64, x->v,
             x->p ? 'S' : 'U', x->spp, x->spie, x->sie, x->spv, x->spvp, sdt, variant, d.what, d.is, d.should);
}

/* What the handler leaves when it is entered as the specification says: where the entry was right, what it left; else a run of
   its own, with the registers put right. */
static bool completed_by_spec(struct states *s, const struct view *x, const struct states_handler *h, unsigned variant,
                              const struct view *right, struct view *out, struct err *e)
{
    if (right) {
        place(s, x, h, variant);
        if (!interrupt(s, e))
            return false;
        put_fields(s->work, right);
        put_mode(s->work, right->f[P], right->f[V]);
        s->attrs = spec_attrs(x);
        if (!run_to(s, RESUMED, e))
            return false;
    }
    *out = spec_complete(&s->completing, &s->attrs);
    return true;
}

static bool one_case(struct states *s, unsigned state, const struct states_handler *h, unsigned variant,
                     struct states_result *out, struct err *e)
{
    const struct states_state *x = &s->list[state];
    struct view before = state_view(s, x), entry, after, should;
    struct attrs attrs, right = spec_attrs(&before);
    place(s, &before, h, variant);
    struct whole interrupted = whole_of(s->work);
    if (!interrupt(s, e))
        return false;
    struct view inject = spec_inject(s, &before);
    entry = view_of(s->work);
    if (!read_attrs(s, &attrs, e))
        return false;
    struct difference d = view_differs(&entry, &inject), a = attrs_differ(&attrs, &right);
    note(out, STATES_E, state, x, variant, d.what ? d : a, &out->entry);

    s->attrs = right;
    if (!run_to(s, RESUMED, e))
        return false;
    after = view_of(s->work);
    struct whole all = whole_of(s->work);
    note(out, STATES_A, state, x, variant, whole_differs(&all, &interrupted), &out->all);
    if (!completed_by_spec(s, &before, h, variant, d.what ? &inject : NULL, &should, e))
        return false;
    note(out, STATES_C, state, x, variant, view_differs(&after, &should), &out->complete);
    note(out, STATES_T, state, x, variant, view_differs(&after, &before), &out->transparent);
    out->cases++;
    return true;
}

bool states_run(struct states *s, const struct states_handler *h, struct states_result *out, struct err *e)
{
    *out = (struct states_result){.states = s->count};
    for (unsigned i = 0; i < s->count; i++)
        for (unsigned v = 0; v < h->variants; v++) {
            struct err why;
            if (!one_case(s, i, h, v, out, &why))
                return err_set(e, "state %u, handler '%s', variant %u: %s", i, h->name, v, why.text);
        }
    return true;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

bool states_state_at(const struct states *s, unsigned i, struct states_state *out)
{
    if (i < s->count)
        *out = s->list[i];
    return i < s->count;
}

/* Every combination, in the order of the model; without H those with V, SPV and SPVP clear. A hart cannot have SIE and SDT both
   set: a write that sets SDT clears SIE, whatever it says of SIE (priv 12.1.1.5). */
static void list_states(struct states *s)
{
    for (unsigned i = 0; i < STATES_MAX; i++) {
        struct states_state x = {.v = i >> 6 & 1,
                                 .p = i >> 5 & 1,
                                 .spp = i >> 4 & 1,
                                 .spie = i >> 3 & 1,
                                 .sie = i >> 2 & 1,
                                 .spv = i >> 1 & 1,
                                 .spvp = i & 1,
                                 .spelp = i >> 7 & 1,
                                 .sdt = i >> 8 & 1};
        bool possible = (s->h || !(x.v | x.spv | x.spvp)) && (s->lpe || !x.spelp) && (s->dte || !x.sdt) && !(x.sie && x.sdt) &&
                        !(x.sdt && (x.v || !x.p)); /* nor SDT in U, VS, VU: entering them clears it */
        if (possible)
            s->list[s->count++] = x;
    }
}

static bool find_symbols(struct states *s, struct err *e)
{
    const struct {
        const char *name;
        uint64_t *at;
    } symbols[] = {
        {"probe_sled", &s->sled},
        {"handler_entry", &s->entry},
        {"handler_entry_arg", &s->entry_arg},
        {"handler_select", &s->select},
        {"handler_arg", &s->arg},
        {"probe_buffer", &s->buffer},
        {"probe_ecall", &s->ecall},
        {"probe_ecall_done", &s->ecall_done},
    };
    for (unsigned i = 0; i < ARRAY_LEN(symbols); i++)
        if (!machine_symbol(s->base, symbols[i].name, symbols[i].at))
            return err_set(e, "the payload has no symbol %s", symbols[i].name);
    return true;
}

static bool boot(struct states *s, struct err *e)
{
    uint64_t ready;
    if (!machine_symbol(s->base, "probe_ready", &ready))
        return err_set(e, "the payload has no symbol probe_ready");
    machine_breakpoint(s->base, 0, ready, true);
    enum machine_stop stop = machine_run(s->base, BOOT_CYCLES);
    machine_breakpoint(s->base, 0, ready, false);
    if (stop != MACHINE_DEBUG)
        return err_set(e, "the payload did not come to probe_ready");
    uint64_t value;
    s->h = machine_get_reg(s->base, 0, "hstatus", &value);
    s->dte = get(s->base, "menvcfg") >> 59 & 1 || get(s->base, "menvcfgh") >> 27 & 1;
    s->lpe = get(s->base, "menvcfg") >> 2 & 1;
    return true;
}

struct states *states_open(const struct machine_config *c, unsigned event, const struct machine_injection *source, struct err *e)
{
    struct states *s = calloc(1, sizeof *s);
    if (!s)
        abort(); /* out of host memory: nothing sensible can go on */
    s->event = event;
    s->source = *source;
    s->base = machine_new(c, e);
    if (!s->base || !find_symbols(s, e) || !boot(s, e)) {
        states_free(s);
        return NULL;
    }
    s->xlen = get(s->base, "misa") >> 32 ? 64 : 32; /* MXL is in the two highest bits */
    list_states(s);
    s->work = machine_fork(s->base);
    machine_watch(s->work, follow, s);
    return s;
}

void states_free(struct states *s)
{
    if (!s)
        return;
    machine_free(s->work);
    machine_free(s->base);
    free(s);
}
