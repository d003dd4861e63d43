#include "debug/command.h"
#include "base/bits.h"
#include "debug/explain.h"
#include "debug/inject.h"
#include "debug/target.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD 64

static bool refuse(struct buf *out, const char *what, const char *text)
{
    buf_printf(out, "%s: '%s'\n", what, text);
    return false;
}

/* The next word of *p into w; false: there is none. */
static bool word(const char **p, char w[WORD])
{
    size_t n = 0;
    while (isspace((unsigned char)**p))
        (*p)++;
    for (; **p && !isspace((unsigned char)**p); (*p)++)
        if (n < WORD - 1)
            w[n++] = **p;
    w[n] = '\0';
    return n;
}

/* A number, or a symbol of the images or a register, with an offset: "0x80200000", "main", "main+8", "$pc". */
static bool number(struct debugger *d, const char *text, uint64_t *v)
{
    char name[WORD], *end;
    errno = 0;
    text += *text == '$';
    *v = strtoull(text, &end, 0);
    if (isdigit((unsigned char)*text))
        return !*end && !errno;
    const char *plus = strchr(text, '+');
    uint64_t offset = 0;
    if (plus) {
        offset = strtoull(plus + 1, &end, 0);
        if (!isdigit((unsigned char)plus[1]) || *end)
            return false;
    }
    snprintf(name, sizeof name, "%.*s", plus ? (int)(plus - text) : WORD - 1, text);
    if (!machine_symbol(d->m, name, v) && !machine_get_reg(d->m, d->hart, name, v))
        return false;
    *v += offset;
    return true;
}

static bool switch_of(const char *args, bool *on, struct buf *out)
{
    if (!strcmp(args, "on") || !strcmp(args, "off"))
        *on = args[1] == 'n';
    else if (*args)
        return refuse(out, "it is either on or off", args);
    buf_printf(out, "%s\n", *on ? "on" : "off");
    return true;
}

/* ---- help ----------------------------------------------------------------------------------------------------------------- */

static bool help(struct debugger *d, const char *args, struct buf *out)
{
    const struct command *c;
    (void)d;
    if (*args) {
        c = command_find(args);
        if (!c)
            return refuse(out, "there is no such command", args);
        buf_printf(out, "%s %s: %s\n", c->name, c->args, c->help);
        return true;
    }
    for (unsigned i = 0; (c = command_at(i)); i++) {
        char both[WORD];
        snprintf(both, sizeof both, "%s %s", c->name, c->args);
        buf_printf(out, "  %-28s %s\n", both, c->help);
    }
    return true;
}

/* ---- registers ------------------------------------------------------------------------------------------------------------ */

static void put_value(struct debugger *d, unsigned i, const struct machine_register *r, struct buf *out)
{
    uint8_t v[MACHINE_REGISTER_BYTES];
    buf_printf(out, "%-18s 0x", r->name);
    if (!machine_get_wide(d->m, d->hart, i, v)) {
        buf_printf(out, "?");
        return;
    }
    for (unsigned b = (r->width + 7) / 8; b-- > 0;)
        buf_printf(out, "%02x", v[b]);
}

static uint64_t low_word(struct debugger *d, unsigned i)
{
    uint8_t v[MACHINE_REGISTER_BYTES] = {0};
    uint64_t w = 0;
    machine_get_wide(d->m, d->hart, i, v);
    memcpy(&w, v, sizeof w);
    return w;
}

static uint64_t field_of(uint64_t v, const struct machine_field *f)
{
    return f->width >= 64 ? v : v >> f->lo & ((UINT64_C(1) << f->width) - 1);
}

/* One line: the value, and the fields that are not zero. */
static void put_line(struct debugger *d, unsigned i, const struct machine_register *r, struct buf *out)
{
    uint64_t v = low_word(d, i);
    put_value(d, i, r, out);
    for (unsigned f = r->fields; f-- > 0;)
        if (r->field[f].width < r->width && field_of(v, &r->field[f]))
            buf_printf(out, r->field[f].width > 7 ? " %s=0x%" PRIx64 : " %s=%" PRIu64, r->field[f].name,
                       field_of(v, &r->field[f]));
    buf_printf(out, "\n");
}

/* What "mstatus.MPP" or "mstatus" names: the register's number, or -1; *f: the field, or NULL. */
static int register_or_field(struct debugger *d, const char *text, struct machine_register *r, const struct machine_field **f)
{
    char name[WORD];
    const char *dot = strchr(text, '.');
    snprintf(name, sizeof name, "%.*s", dot ? (int)(dot - text) : WORD - 1, text);
    int i = machine_register_named(d->m, name);
    *f = NULL;
    if (i < 0 || !machine_register(d->m, d->hart, (unsigned)i, r))
        return -1;
    for (unsigned k = 0; dot && !*f && k < r->fields; k++)
        if (!strcasecmp(r->field[k].name, dot + 1))
            *f = &r->field[k];
    return dot && !*f ? -1 : i;
}

static void put_field(const struct machine_field *k, uint64_t v, struct buf *out)
{
    char bits[16];
    snprintf(bits, sizeof bits, k->width > 1 ? "%u:%u" : "%u", k->lo + k->width - 1u, (unsigned)k->lo);
    if (k->width == 1)
        snprintf(bits, sizeof bits, "%u", (unsigned)k->lo);
    buf_printf(out, "  %-7s %-12s 0x%-8" PRIx64 " %s\n", bits, k->name, field_of(v, k), k->meaning);
}

static void put_fields(struct debugger *d, unsigned i, const struct machine_register *r, struct buf *out)
{
    uint64_t v = low_word(d, i);
    if (r->title)
        buf_printf(out, "%s: %s\n", r->name, r->title);
    put_value(d, i, r, out);
    buf_printf(out, "\n");
    for (unsigned f = r->fields; f-- > 0;)
        put_field(&r->field[f], v, out);
}

static bool regs(struct debugger *d, const char *args, struct buf *out)
{
    static const char *const groups[] = {"general", "float", "vector", "system", "mode"};
    struct machine_register r;
    char w[WORD];
    bool any = false;
    while (word(&args, w)) {
        bool all = !strcmp(w, "all"), group = all;
        for (unsigned k = 0; k < sizeof groups / sizeof groups[0]; k++)
            group |= !strcmp(w, groups[k]);
        const struct machine_field *f = NULL;
        int i = group ? -1 : register_or_field(d, w, &r, &f);
        any = true;
        if (f)
            put_field(f, low_word(d, (unsigned)i), out);
        else if (i >= 0)
            put_fields(d, (unsigned)i, &r, out);
        else if (!group)
            return refuse(out, "there is no such register, field or group (general, float, vector, system, mode, all)", w);
        for (unsigned k = 0; group && machine_register(d->m, d->hart, k, &r); k++)
            if (all || !strcmp(groups[r.group], w))
                put_line(d, k, &r, out);
    }
    for (unsigned k = 0; !any && machine_register(d->m, d->hart, k, &r); k++)
        if (r.group == MACHINE_GENERAL || r.group == MACHINE_MODE)
            put_line(d, k, &r, out);
    return true;
}

static bool set(struct debugger *d, const char *args, struct buf *out)
{
    char name[WORD], value[WORD];
    uint64_t v;
    struct machine_register r;
    const struct machine_field *f;
    if (!word(&args, name) || !word(&args, value) || !number(d, value, &v))
        return refuse(out, "a register or a field of one, and a value are needed", args);
    int i = register_or_field(d, name, &r, &f);
    if (f) {
        uint64_t mask = (f->width >= 64 ? UINT64_MAX : (UINT64_C(1) << f->width) - 1) << f->lo;
        v = (low_word(d, (unsigned)i) & ~mask) | (v << f->lo & mask);
    }
    if (i < 0 || !machine_set_reg(d->m, d->hart, r.name, v))
        return refuse(out, "there is no such register or field, or it cannot have this value", name);
    history_changed(d->history);
    put_line(d, (unsigned)i, &r, out);
    return true;
}

/* ---- where, and why -------------------------------------------------------------------------------------------------------- */

static bool where(struct debugger *d, const char *args, struct buf *out)
{
    (void)args;
    buf_printf(out, "cycle %" PRIu64 ", %" PRIu64 " instructions%s\n", machine_cycle(d->m), machine_instret(d->m),
               history_in_past(d->history) ? ", in the past" : "");
    for (unsigned h = 0; h < machine_harts(d->m); h++) {
        uint64_t pc = 0;
        machine_get_reg(d->m, h, "pc", &pc);
        buf_printf(out, "%c hart %u: %s, pc 0x%" PRIx64 ", cycle %" PRIu64 ", %s\n", h == d->hart ? '*' : ' ', h,
                   machine_mode(d->m, h), pc, machine_hart_cycle(d->m, h), debugger_activity(d->m, h));
    }
    return true;
}

static bool hart(struct debugger *d, const char *args, struct buf *out)
{
    uint64_t n = d->hart;
    if (*args && (!number(d, args, &n) || n >= machine_harts(d->m)))
        return refuse(out, "there is no such hart", args);
    d->hart = (unsigned)n;
    return where(d, "", out);
}

struct last_trap {
    unsigned hart;
    struct machine_change change;
};

static bool is_trap_of(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct last_trap *t = ctx;
    (void)m;
    if (!c || c->is_return || c->hart != t->hart)
        return false;
    t->change = *c;
    return true;
}

/* The explanation of the hart's last trap; the machine goes back to the boundary before it. NULL: there is none. */
static struct explanation *last_trap(struct debugger *d, const struct history_point *here)
{
    struct last_trap t = {.hart = d->hart};
    const struct history_search s = {.look = HISTORY_TRAPS, .is = is_trap_of, .ctx = &t};
    /* The search looks before this point: a trap that led right here comes first. */
    struct explanation *e = history_back_step(d->history, d->hart) ? explain_next(d->m, d->hart) : NULL;
    if (e && e->kind == EXPLAIN_TRAP)
        return e;
    explain_free(e);
    history_seek(d->history, here);
    if (!history_back_until(d->history, &s) || !history_back_step(d->history, d->hart))
        return NULL;
    return explain_trap(d->m, &t.change);
}

static bool why(struct debugger *d, const char *args, struct buf *out)
{
    struct history_point here = history_here(d->history);
    (void)args;
    struct explanation *e = last_trap(d, &here);
    if (e) {
        char *text = explain_text(e, 100, false);
        buf_printf(out, "%s", text);
        free(text);
    } else {
        buf_printf(out, "hart %u has taken no trap since the beginning of what is known\n", d->hart);
    }
    bool found = e;
    explain_free(e);
    history_seek(d->history, &here);
    return found;
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------- */

static bool walk(struct debugger *d, const char *args, struct buf *out)
{
    uint64_t va;
    if (!number(d, args, &va))
        return refuse(out, "this is no address", args);
    struct explanation *e = explain_walk(d->m, d->hart, va);
    char *text = explain_text(e, 100, false);
    buf_printf(out, "%s", text);
    free(text);
    explain_free(e);
    return true;
}

static bool mem(struct debugger *d, const char *args, struct buf *out)
{
    char w[WORD], count[WORD];
    uint64_t at, n = 64;
    bool physical = d->physical;
    if (!word(&args, w))
        return refuse(out, "an address is needed", args);
    const char *address = strncmp(w, "phys:", 5) ? w : w + 5;
    physical |= address != w;
    if (!number(d, address, &at) || (word(&args, count) && (!number(d, count, &n) || n > 4096)))
        return refuse(out, "an address and at most 4096 bytes", w);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t b;
        bool there = physical ? machine_read(d->m, at + i, &b, 1) : machine_read_virtual(d->m, d->hart, at + i, &b, 1) == 1;
        if (i % 16 == 0)
            buf_printf(out, "%s0x%" PRIx64 ":", i ? "\n" : "", at + i);
        if (there)
            buf_printf(out, " %02x", b);
        else
            buf_printf(out, " --");
    }
    buf_printf(out, "\n");
    return true;
}

static bool physical(struct debugger *d, const char *args, struct buf *out) { return switch_of(args, &d->physical, out); }

/* ---- traps ----------------------------------------------------------------------------------------------------------------- */

static void put_catches(const struct debugger *d, struct buf *out)
{
    for (unsigned i = 0; i < d->catches; i++)
        aim_text(&d->caught[i], d->m, out);
    if (d->catch_exit)
        buf_printf(out, "exit\n");
    if (!d->catches && !d->catch_exit)
        buf_printf(out, "nothing is caught\n");
}

static bool catch_(struct debugger *d, const char *args, struct buf *out)
{
    static const char *const needs[] = {"trap", "return", "mode", "call"};
    struct err e;
    char what[WORD];
    bool known = false;
    if (word(&args, what)) {
        while (isspace((unsigned char)*args))
            args++;
        for (unsigned i = 0; i < ARRAY_LEN(needs); i++)
            known |= !strcmp(what, needs[i]);
        if (!strcmp(what, "off")) {
            d->catches = 0;
            d->catch_exit = false;
        } else if (!strcmp(what, "exit")) {
            d->catch_exit = true;
        } else if (!known || (!strcmp(what, "trap") && !*args)) {
            return refuse(
                out,
                "what is caught is 'trap CAUSE', 'trap all', 'trap irq', 'return', 'mode [MODE]', 'call [NAME]' or 'exit'; "
                "'off' catches nothing",
                what);
        } else if (!debugger_catch(d, what, args, &e)) {
            buf_printf(out, "%s\n", e.text);
            return false;
        }
    }
    put_catches(d, out);
    return true;
}

static bool trace(struct debugger *d, const char *args, struct buf *out) { return switch_of(args, &d->trace, out); }

static bool interrupts(struct debugger *d, const char *args, struct buf *out)
{
    if (!strcmp(args, "into") || !strcmp(args, "over"))
        d->into_irq = args[0] == 'i';
    else if (*args)
        return refuse(out, "steps go into the handlers of interrupts, or over them", args);
    buf_printf(out, "%s\n", d->into_irq ? "into" : "over");
    return true;
}

/* ---- changing the machine ----------------------------------------------------------------------------------------------------
 */

static bool inject(struct debugger *d, const char *args, struct buf *out)
{
    struct inject_event ev;
    struct err e;
    if (!inject_parse_event(args, d->hart, &ev, &e) || !inject_possible(&ev, d->m, &e) || !inject_fire(&ev, d->m, &e)) {
        buf_printf(out, "%s\n", e.text);
        return false;
    }
    history_changed(d->history);
    buf_printf(out, "%s: done\n", ev.text);
    return true;
}

static bool reset(struct debugger *d, const char *args, struct buf *out)
{
    (void)args;
    debugger_reset(d);
    d->hart = 0;
    return where(d, "", out);
}

static bool seek(struct debugger *d, const char *args, struct buf *out)
{
    uint64_t cycle;
    if (!number(d, args, &cycle))
        return refuse(out, "this is no cycle", args);
    bool there = history_seek_cycle(d->history, cycle);
    where(d, "", out);
    return there;
}

static bool back(struct debugger *d, const char *args, struct buf *out)
{
    uint64_t n = 1;
    if (*args && (!number(d, args, &n) || n > 100000))
        return refuse(out, "this is no number of steps", args);
    for (uint64_t i = 0; i < n; i++)
        if (debugger_back_step(d, d->hart) != DEBUGGER_STEP)
            break;
    return where(d, "", out);
}

static bool history(struct debugger *d, const char *args, struct buf *out)
{
    struct history_stats s = history_stats(d->history);
    (void)args;
    buf_printf(out, "from cycle %" PRIu64 " to %" PRIu64 ": %u snapshots, %" PRIu64 " pages of their own, %" PRIu64 " inputs\n",
               history_begin(d->history).cycle, history_end(d->history).cycle, s.snapshots, s.pages, s.inputs);
    return true;
}

static bool digest(struct debugger *d, const char *args, struct buf *out)
{
    (void)args;
    buf_printf(out, "%016" PRIx64 " at cycle %" PRIu64 "\n", machine_digest(d->m), machine_cycle(d->m));
    return true;
}

/* ---- the table --------------------------------------------------------------------------------------------------------------
 */

static const struct command commands[] = {
    {"help", "[COMMAND]", "this list, or what a command does", help, false},
    {"where", "", "the cycle, and where each hart is", where, false},
    {"hart", "[N]", "shows, or chooses, whose registers and memory are shown", hart, false},
    {"regs", "[NAME[.FIELD]|GROUP...]", "registers with their fields: by name, or general, float, vector, system, mode, all",
     regs, false},
    {"set", "NAME[.FIELD] VALUE", "writes a register, or a field of one, as the highest mode would", set, true},
    {"mem", "[phys:]ADDRESS [BYTES]", "memory, by the hart's translation or physical", mem, false},
    {"walk", "ADDRESS", "where a load from a virtual address goes: each level of the walk, both stages side by side", walk,
     false},
    {"physical", "[on|off]", "whether addresses of memory are physical", physical, false},
    {"why", "", "why the hart's last trap happened, and why it went where it did", why, false},
    {"catch", "[WHAT]",
     "stop behind: trap CAUSE (13, load-page), trap all, trap irq, return, mode [MODE], call [NAME], exit (the end); off", catch_,
     false},
    {"trace", "[on|off]", "tell every trap and return while the machine runs", trace, false},
    {"interrupts", "[into|over]", "whether a step goes into the handler of an interrupt, or over it", interrupts, false},
    {"inject", "EVENT", "raise an event here: mtip, meip, irq:10, ras, mip:11,lower", inject, true},
    {"seek", "CYCLE", "go to a cycle, earlier or later", seek, true},
    {"back", "[N]", "N steps of the hart back", back, true},
    {"history", "", "how far back it goes, and what that takes", history, false},
    {"reset", "", "the state after power-on", reset, true},
    {"digest", "", "the digest of the machine's whole state", digest, false},
};

const struct command *command_at(unsigned i) { return i < sizeof commands / sizeof commands[0] ? &commands[i] : NULL; }

const struct command *command_find(const char *line)
{
    char w[WORD];
    const struct command *c, *found = NULL;
    if (!word(&line, w))
        return NULL;
    for (unsigned i = 0; (c = command_at(i)); i++) {
        if (!strcmp(c->name, w))
            return c;
        if (!strncmp(c->name, w, strlen(w))) {
            if (found)
                return NULL;
            found = c;
        }
    }
    return found;
}

bool command_run(struct debugger *d, const char *line, struct buf *out)
{
    char w[WORD], args[1024];
    const char *rest = line;
    const struct command *c = command_find(line);
    if (!word(&rest, w))
        return true;
    if (!c) {
        refuse(out, "there is no such command; `help` lists them", w);
        return false;
    }
    while (isspace((unsigned char)*rest))
        rest++;
    snprintf(args, sizeof args, "%s", rest);
    for (size_t n = strlen(args); n && isspace((unsigned char)args[n - 1]);)
        args[--n] = '\0';
    return c->run(d, args, out);
}
