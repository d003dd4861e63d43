#include "debug/inject.h"
#include "base/bits.h"
#include "debug/riscv/sbi.h"
#include "machine/machine.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sbi_sse_inject (SBI v3.0 chapter SSE): a7, a6; how long the call may take. */
#define SBI_SSE        0x535345
#define SBI_SSE_INJECT 7
#define CALL_CYCLES    1000000
#define STUB           "probe_ecall"
#define STUB_DONE      "probe_ecall_done"

enum { INJECT_MACHINE_SSE = 0x100 };
#define KIND_LINE      MACHINE_LINE
#define KIND_SOURCE    MACHINE_SOURCE
#define KIND_RNMI      MACHINE_RNMI
#define KIND_BUS_ERROR MACHINE_BUS_ERROR
#define KIND_KEY       MACHINE_KEY
#define KIND_SSE       INJECT_MACHINE_SSE

#define ARCH_ANY   NULL
#define ARCH_RISCV &riscv_arch
#define ARCH_ARM   &arm_arch

static const struct row {
    const char *name, *title;
    const struct cpu_arch *arch; /* NULL: any */
    unsigned event, line;
    bool number;
} rows[] = {
#define INJECTABLE(name, arch, event, line, number, title) {#name, title, ARCH_##arch, KIND_##event, line, number},
#include "debug/inject.def"
#undef INJECTABLE
};

const char *inject_name(unsigned i, const char **title, bool *number)
{
    if (i >= ARRAY_LEN(rows))
        return NULL;
    *title = rows[i].title;
    *number = rows[i].number;
    return rows[i].name;
}

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

/* All of text[0..n) as a number. */
static bool number(const char *text, size_t n, uint64_t *v)
{
    char copy[32], *end;
    if (!n || n >= sizeof copy || !isdigit((unsigned char)*text))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    errno = 0;
    *v = strtoull(copy, &end, strncmp(copy, "0x", 2) ? 10 : 16);
    return !*end && !errno;
}

static bool word_is(const char *word, size_t n, const char *name) { return strlen(name) == n && !memcmp(word, name, n); }

/* The number behind "key=" in word. False: it is not that key. *ok: whether the number is one. */
static bool keyed(const char *word, size_t n, const char *key, uint64_t *v, bool *ok)
{
    size_t k = strlen(key);
    if (n <= k || memcmp(word, key, k) || word[k] != '=')
        return false;
    *ok = number(word + k + 1, n - k - 1, v);
    return true;
}

static const struct row *row_of(const char *word, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (word_is(word, n, rows[i].name))
            return &rows[i];
    return NULL;
}

/* ---- events --------------------------------------------------------------------------------------------------------------- */

/* "meip", "mip:11" */
static bool parse_name(const char *text, size_t n, struct inject_event *out, struct err *e)
{
    size_t name = 0;
    while (name < n && text[name] != ':')
        name++;
    const struct row *row = row_of(text, name);
    uint64_t v = 0;
    if (!row)
        return err_set(e, "there is no event '%.*s'; `trapline sweep --help` lists them", (int)name, text);
    if (!row->number && name < n)
        return err_set(e, "event '%.*s': %s takes no number", (int)n, text, row->name);
    if (row->number && (name == n || !number(text + name + 1, n - name - 1, &v) || v > UINT32_MAX))
        return err_set(e, "event '%.*s': write %s:NUMBER", (int)n, text, row->name);
    out->sse = row->event == INJECT_MACHINE_SSE;
    if (out->sse && !sbi_has_event((uint32_t)v))
        return err_set(e, "event '%.*s': SBI v3.0 reserves that id: there is no such event (see `trapline doc sbi:sse`)", (int)n,
                       text);
    out->number = (uint32_t)v;
    out->arch = row->arch;
    if (!out->sse)
        out->injection.event = row->event;
    out->injection.line = row->number ? out->number : row->line;
    return true;
}

/* ",hart=1" and the like: one word without its comma. */
static bool parse_word(const char *text, const char *word, size_t n, struct inject_event *out, struct err *e)
{
    uint64_t v = 0;
    bool ok = true;
    if (word_is(word, n, "raise") || word_is(word, n, "lower")) {
        bool line = !out->sse && out->injection.event != MACHINE_BUS_ERROR && out->injection.event != MACHINE_KEY;
        out->injection.how = *word == 'r' ? MACHINE_RAISE : MACHINE_LOWER;
        return line || err_set(e, "event '%s': it is no line, so it cannot be raised or lowered", text);
    }
    if (keyed(word, n, "hart", &v, &ok)) {
        out->injection.hart = v > UINT32_MAX ? UINT32_MAX : (unsigned)v;
        out->has_hart = true;
    } else if (keyed(word, n, "by", &v, &ok) && out->sse) {
        out->by = v > UINT32_MAX ? UINT32_MAX : (unsigned)v;
    } else if (keyed(word, n, "address", &v, &ok) && !out->sse && out->injection.event == MACHINE_BUS_ERROR) {
        out->injection.address = v;
    } else {
        return err_set(e, "event '%s': '%.*s' means nothing here; hart=N, raise, lower, address=A (ras) and by=N (sse) do", text,
                       (int)n, word);
    }
    return ok || err_set(e, "event '%s': '%.*s': that is not a number", text, (int)n, word);
}

bool inject_parse_event(const char *text, unsigned hart, struct inject_event *out, struct err *e)
{
    size_t n = strcspn(text, ",");
    *out = (struct inject_event){.by = UINT32_MAX, .injection.hart = hart};
    if (strlen(text) >= sizeof out->text)
        return err_set(e, "event '%.40s...' is too long", text);
    strcpy(out->text, text);
    if (!parse_name(text, n, out, e))
        return false;
    for (const char *word = text + n; *word; word += n) {
        word++;
        n = strcspn(word, ",");
        if (!parse_word(text, word, n, out, e))
            return false;
    }
    if (out->sse && out->by == UINT32_MAX)
        out->by = out->injection.hart == 1 ? 0 : 1;
    return true;
}

static bool stub(struct machine *m, uint64_t *entry, uint64_t *done, struct err *e)
{
    if (!machine_symbol(m, STUB, entry) || !machine_symbol(m, STUB_DONE, done))
        return err_set(e, "the images have no symbols %s and %s, where another hart could make the SBI call", STUB, STUB_DONE);
    return true;
}

bool inject_possible(const struct inject_event *ev, struct machine *m, struct err *e)
{
    struct err why;
    uint64_t entry, done;
    bool ok;
    if (ev->arch && ev->arch != m->arch) {
        ok = err_set(&why, "there is no such event on %s", m->arch->title);
    } else if (ev->sse) {
        ok = ev->by < machine_harts(m) && ev->injection.hart < machine_harts(m);
        if (!ok)
            err_set(&why, "the machine has no hart %u (see -smp)", ev->by < machine_harts(m) ? ev->injection.hart : ev->by);
        else if (ev->by == ev->injection.hart)
            ok = err_set(&why, "another hart has to make the SBI call; say which with by=N");
        ok = ok && stub(m, &entry, &done, &why);
    } else {
        struct machine *trial = machine_fork(m);
        ok = machine_inject(trial, &ev->injection, &why);
        machine_free(trial);
    }
    return ok || err_set(e, "event '%s': %s", ev->text, why.text);
}

/* *code: what the firmware returned; 0 also if it was not called. */
static bool call_sse(const struct inject_event *ev, struct machine *m, int *code, struct err *e)
{
    struct err why;
    *code = 0;
    uint64_t priv = 0, v = 0;
    struct machine_call c = {
        .hart = ev->by, .a = {ev->number, ev->injection.hart, [6] = SBI_SSE_INJECT, [7] = SBI_SSE}, .cycles = CALL_CYCLES};
    if (!stub(m, &c.entry, &c.done, &why))
        return err_set(e, "event '%s': %s", ev->text, why.text);
    machine_get_reg(m, ev->by, "v", &v); /* there is none without H */
    if (!machine_get_reg(m, ev->by, "priv", &priv) || priv != 1 || v)
        return err_set(e, "event '%s': hart %u is not in supervisor mode, so it cannot make the SBI call", ev->text, ev->by);
    if (!machine_call(m, &c, &why))
        return err_set(e, "event '%s': %s", ev->text, why.text);
    *code = (int)c.a[0];
    if (!*code)
        return true;
    const char *name = sbi_error_name(*code);
    return err_set(e, "event '%s': sbi_sse_inject returned %s", ev->text, name ? name : "a code that SBI does not have");
}

bool inject_known(const struct inject_event *ev, struct machine *m, struct err *e)
{
    struct err why;
    int code = 0;
    if (!ev->sse)
        return true;
    struct machine *trial = machine_fork(m);
    call_sse(ev, trial, &code, &why);
    machine_free(trial);
    if (code != SBI_INVALID_PARAM && code != SBI_NOT_SUPPORTED)
        return true;
    const char *bios = m->setup->loader.bios.start < m->setup->loader.bios.end ? "the firmware" : "the image";
    return err_set(e, "event '%s': %s has no such event: sbi_sse_inject returns %s", ev->text, bios, sbi_error_name(code));
}

bool inject_fire(const struct inject_event *ev, struct machine *m, struct err *e)
{
    struct err why;
    int code;
    if (ev->sse)
        return call_sse(ev, m, &code, e);
    return machine_inject(m, &ev->injection, &why) || err_set(e, "event '%s': %s", ev->text, why.text);
}

/* The cause counts IRQ, FIQ, SError. */
static bool arm_is(const struct machine_injection *i, const struct machine_change *c)
{
    if (!c->interrupt)
        return false;
    switch (i->event) {
    case MACHINE_BUS_ERROR: return c->cause == 2;
    case MACHINE_LINE: return c->cause == (i->line == 6 ? 2 : i->line & 1);
    default: return c->cause <= 1;
    }
}

/* priv table "mcause values": an external interrupt may be any mode's; the interrupt by which SBI calls reach a hart is M's. */
bool inject_is(const struct inject_event *ev, const struct machine *m, const struct machine_change *c)
{
    if (c->hart != ev->injection.hart)
        return false;
    if (m->arch == &arm_arch)
        return arm_is(&ev->injection, c);
    if (ev->sse)
        return c->interrupt && !c->nmi && c->to_priv == 3;
    switch (ev->injection.event) {
    case MACHINE_LINE: return c->interrupt && !c->nmi && c->cause == ev->injection.line;
    case MACHINE_RNMI: return c->nmi;
    case MACHINE_BUS_ERROR: return !c->interrupt && c->cause == 19;
    case MACHINE_SOURCE: return c->interrupt && !c->nmi && c->cause >= 9 && c->cause <= 12;
    case MACHINE_KEY: break; /* there is none */
    }
    return false;
}

/* ---- points --------------------------------------------------------------------------------------------------------------- */

bool inject_parse_point(const char *text, struct inject_point *out, struct err *e)
{
    size_t n = strcspn(text, "#");
    *out = (struct inject_point){.nth = 1};
    if (strlen(text) >= sizeof out->text || n >= sizeof out->symbol)
        return err_set(e, "'%.40s...' is too long", text);
    strcpy(out->text, text);
    if (text[n] == '#' && (!number(text + n + 1, strlen(text + n + 1), &out->nth) || !out->nth))
        return err_set(e, "'%s': the # is followed by how manieth time it is, from 1", text);
    if (!strncmp(text, "cycle:", 6)) {
        out->at_cycle = true;
        return (!text[n] && number(text + 6, n - 6, &out->cycle)) || err_set(e, "'%s': write cycle:NUMBER", text);
    }
    if (!n)
        return err_set(e, "'%s' names no place: write a symbol, 0xADDRESS or cycle:N", text);
    if (isdigit((unsigned char)*text))
        return number(text, n, &out->va) || err_set(e, "'%s' is not an address", text);
    size_t name = 0;
    while (name < n && text[name] != '+')
        name++;
    if (name < n && !number(text + name + 1, n - name - 1, &out->va))
        return err_set(e, "'%s': the + is followed by a number of bytes", text);
    memcpy(out->symbol, text, name);
    return true;
}

bool inject_resolve(struct inject_point *p, struct machine *m, struct err *e)
{
    uint64_t value;
    if (p->at_cycle || !*p->symbol)
        return true;
    if (!machine_symbol(m, p->symbol, &value))
        return err_set(e, "'%s': the images have no symbol '%s'", p->text, p->symbol);
    p->va += value;
    return true;
}

/* ---- plans ---------------------------------------------------------------------------------------------------------------- */

bool inject_list_add(struct inject_list *l, const char *text, struct err *e)
{
    const char *at = strrchr(text, '@');
    char event[INJECT_TEXT];
    if (!at || (size_t)(at - text) >= sizeof event)
        return err_set(e, "--inject '%s': write EVENT@WHEN, as in lcofi@start or mip:11,hart=1@cycle:5000", text);
    snprintf(event, sizeof event, "%.*s", (int)(at - text), text);
    struct inject_plan p = {0};
    struct err why;
    if (!inject_parse_event(event, 0, &p.event, &why) || !inject_parse_point(at + 1, &p.point, &why))
        return err_set(e, "--inject: %s", why.text);
    l->plan = realloc(l->plan, (l->count + 1) * sizeof *l->plan);
    if (!l->plan)
        abort(); /* out of host memory: nothing sensible can go on */
    l->plan[l->count++] = p;
    l->left++;
    return true;
}

void inject_list_free(struct inject_list *l)
{
    free(l->plan);
    *l = (struct inject_list){0};
}

/* Sets what the machine must stop at for the plans that are left on a hart. */
static void set_stops(struct inject_list *l, struct machine *m)
{
    uint64_t next[64];
    unsigned harts = machine_harts(m);
    for (unsigned i = 0; i < harts; i++)
        next[i] = UINT64_MAX;
    for (unsigned i = 0; i < l->count; i++) {
        const struct inject_plan *p = &l->plan[i];
        unsigned h = p->event.injection.hart;
        if (!p->done && p->point.at_cycle && p->point.cycle < next[h])
            next[h] = p->point.cycle;
        if (p->done && !p->point.at_cycle)
            machine_breakpoint(m, h, p->point.va, false);
    }
    for (unsigned i = 0; i < l->count; i++) { /* another plan may be for the same place */
        const struct inject_plan *p = &l->plan[i];
        if (!p->done && !p->point.at_cycle)
            machine_breakpoint(m, p->event.injection.hart, p->point.va, true);
    }
    for (unsigned i = 0; i < harts; i++)
        machine_stop_at(m, i, next[i]);
}

bool inject_list_start(struct inject_list *l, struct machine *m, struct err *e)
{
    struct err why;
    for (unsigned i = 0; i < l->count; i++)
        if (!inject_possible(&l->plan[i].event, m, &why) || !inject_resolve(&l->plan[i].point, m, &why))
            return err_set(e, "--inject: %s", why.text);
    if (l->count)
        set_stops(l, m);
    return true;
}

/* Whether the machine is where the plan is to happen. */
static bool due(struct inject_plan *p, struct machine *m)
{
    unsigned h = p->event.injection.hart;
    uint64_t pc = 0;
    if (p->done)
        return false;
    if (p->point.at_cycle)
        return machine_hart_cycle(m, h) >= p->point.cycle;
    return machine_stopped_hart(m) == (int)h && machine_get_reg(m, h, "pc", &pc) && pc == p->point.va &&
           ++p->seen == p->point.nth;
}

/* Does what is due at this stop. */
static bool fire_due(struct inject_list *l, struct machine *m)
{
    bool own = false;
    for (unsigned i = 0; i < l->count && !l->failed; i++) {
        struct inject_plan *p = &l->plan[i];
        uint64_t seen = p->seen;
        bool now = due(p, m);
        own |= now || p->seen != seen;
        if (!now)
            continue;
        p->done = true;
        l->left--;
        l->failed = !inject_fire(&p->event, m, &l->why);
        if (!l->failed && l->fired)
            l->fired(l->fired_ctx, m, p->event.text);
    }
    if (own)
        set_stops(l, m);
    return own;
}

enum machine_stop inject_run(struct inject_list *l, struct machine *m, uint64_t cycles)
{
    uint64_t from = machine_cycle(m), end = from + cycles < from ? UINT64_MAX : from + cycles;
    for (;;) {
        uint64_t now = machine_cycle(m);
        enum machine_stop why = machine_run(m, end > now ? end - now : 0);
        if (why != MACHINE_DEBUG || !l->left || !fire_due(l, m) || l->failed)
            return why;
    }
}
