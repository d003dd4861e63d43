#include "debug/stepper.h"
#include "debug/command.h"
#include "debug/explain.h"
#include "debug/logs/taint.h"
#include "debug/stepper_internal.h"
#include "debug/symbols.h"
#include "debug/trace.h"
#include "machine/output.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN    12   /* changed registers shown at a stop */
#define WRITTEN  16   /* of them, those that a trap can write */
#define SEEN_MAX 4096 /* bytes of the console in which a text is looked for */
#define BREAK    78   /* kind of a breakpoint of `break` */

/* Registers as they were shown last. */
struct stepper_seen {
    unsigned hart, count;
    uint64_t value[];
};

/* ---- words and numbers -------------------------------------------------------------------------------------------------------
 */

bool stepper_word(const char **p, char w[STEPPER_WORD])
{
    size_t n = 0;
    while (isspace((unsigned char)**p))
        (*p)++;
    char stop = **p == '"' ? '"' : '\0';
    *p += stop == '"';
    for (; **p && (stop ? **p != stop : !isspace((unsigned char)**p)); (*p)++)
        if (n < STEPPER_WORD - 1)
            w[n++] = **p;
    *p += stop && **p == stop;
    w[n] = '\0';
    return n || stop;
}

bool stepper_refuse(struct stepper *s, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_printf(&s->answer, "%s\n", text);
    return false;
}

bool stepper_number(struct stepper *s, const char *text, uint64_t *v)
{
    struct err e;
    if (machine_get_reg(s->d.m, s->d.hart, text, v) || symbols_parse(s->d.m, text, v, &e))
        return true;
    return stepper_refuse(s, "'%s' is no number, register or symbol", text);
}

/* ---- what changed ------------------------------------------------------------------------------------------------------------
 */

static uint64_t value_of(struct stepper *s, unsigned i)
{
    uint8_t p[MACHINE_REGISTER_BYTES] = {0};
    uint64_t v = 0;
    machine_get_wide(s->d.m, s->d.hart, i, p);
    for (unsigned b = 8; b--;)
        v = v << 8 | p[b];
    return v;
}

/* Counters and time always change; pc and the mode are shown anyway. */
static bool is_quiet(const struct machine_register *r)
{
    struct log_reg g;
    if (r->group == MACHINE_MODE || !strcmp(r->name, "pc"))
        return true;
    if (!strncmp(r->name, "cnt", 3) && strstr(r->name, "_tval_el")) /* TimerValue: what is left until CompareValue */
        return true;
    return (log_reg_parse(r->name, false, &g) && taint_register(&g, false)) ||
           (log_reg_parse(r->name, true, &g) && taint_register(&g, true));
}

void stepper_note(struct stepper *s)
{
    struct machine_register r;
    unsigned n = 0;
    free(s->before);
    s->before = s->was;
    s->was = NULL;
    while (machine_register(s->d.m, s->d.hart, n, &r))
        n++;
    s->was = malloc(sizeof *s->was + n * sizeof s->was->value[0]);
    assert(s->was);
    s->was->hart = s->d.hart;
    s->was->count = n;
    for (unsigned i = 0; i < n; i++)
        s->was->value[i] = value_of(s, i);
}

static uint64_t field_of(uint64_t v, const struct machine_field *f)
{
    return f->width >= 64 ? v : v >> f->lo & ((UINT64_C(1) << f->width) - 1);
}

/* "mstatus 0x80 -> 0x1880: MPP 0 -> 3" */
static void put_change(struct stepper *s, const struct machine_register *r, uint64_t was, uint64_t now)
{
    const char *separator = ": ";
    const char *name = r->alias && trace_ops(s->d.m)->aliases ? r->alias : r->name;
    buf_printf(&s->answer, "  %-10s 0x%" PRIx64 " -> 0x%" PRIx64, name, was, now);
    for (unsigned f = r->fields; f-- > 0;) {
        const struct machine_field *k = &r->field[f];
        if (k->width <= r->width / 2 && field_of(was, k) != field_of(now, k)) { /* else it is as good as the whole */
            buf_printf(&s->answer, k->width > 7 ? "%s%s 0x%" PRIx64 " -> 0x%" PRIx64 : "%s%s %" PRIu64 " -> %" PRIu64, separator,
                       k->name, field_of(was, k), field_of(now, k));
            separator = ", ";
        }
    }
    buf_printf(&s->answer, "\n");
}

/* One register, if it has changed. left: how many lines there is room for yet; negative: those that had none. */
static void show_change(struct stepper *s, const struct stepper_seen *was, unsigned i, bool all, int *left)
{
    struct machine_register r;
    if (!machine_register(s->d.m, s->d.hart, i, &r) || is_quiet(&r))
        return;
    uint64_t now = value_of(s, i);
    if (now == was->value[i])
        return;
    if ((*left)-- > 0 || all)
        put_change(s, &r, was->value[i], now);
}

/* Whether register i is one of the list. */
static bool is_one_of(const unsigned *list, unsigned n, unsigned i)
{
    for (unsigned k = 0; k < n; k++)
        if (list[k] == i)
            return true;
    return false;
}

/* What a trap writes comes first: it is what one stops at a trap for, and there is room for few. */
void stepper_changes(struct stepper *s, bool all)
{
    const struct stepper_seen *was = all ? s->before : s->was;
    const char *const *name = trace_ops(s->d.m)->written(machine_mode(s->d.m, s->d.hart));
    unsigned first[WRITTEN], n = 0;
    int left = SHOWN;
    if (was && was->hart == s->d.hart) {
        for (; *name; name++) {
            int i = machine_register_named(s->d.m, *name);
            if (i >= 0 && (unsigned)i < was->count && n < WRITTEN)
                show_change(s, was, first[n++] = (unsigned)i, all, &left);
        }
        for (unsigned i = 0; i < was->count; i++)
            if (!is_one_of(first, n, i))
                show_change(s, was, i, all, &left);
    }
    if (left < 0 && !all)
        buf_printf(&s->answer, "  and %d more: `changes`\n", -left);
    if (all && left == SHOWN)
        buf_printf(&s->answer, "nothing has changed\n");
}

/* ---- where it is
 * --------------------------------------------------------------------------------------------------------------- */

void stepper_where(struct stepper *s)
{
    char at[128], text[DISAS_TEXT];
    uint64_t pc = 0;
    machine_get_reg(s->d.m, s->d.hart, "pc", &pc);
    symbols_text(s->d.m, pc, at, sizeof at);
    disas_at(s->disas, s->d.m, s->d.hart, pc, NULL, text, sizeof text);
    buf_printf(&s->answer, "%" PRIu64 " hart %u %s ", machine_hart_cycle(s->d.m, s->d.hart), s->d.hart,
               machine_mode(s->d.m, s->d.hart));
    if (strncmp(at, "0x", 2))
        buf_printf(&s->answer, "0x%" PRIx64 " <%s>: ", pc, at);
    else
        buf_printf(&s->answer, "0x%" PRIx64 ": ", pc);
    buf_printf(&s->answer, "%s%s\n", text, machine_waits(s->d.m, s->d.hart) ? " (waits)" : "");
}

/* ---- commands
 * ------------------------------------------------------------------------------------------------------------------- */

static bool run(struct stepper *s, const char *args) { return stepper_go(s, args, false); }
static bool back(struct stepper *s, const char *args) { return stepper_go(s, args, true); }
static bool step(struct stepper *s, const char *args) { return stepper_go(s, *args ? args : "1", false); }

/* The instruction, and the trap it takes until that has come back. */
static bool over(struct stepper *s, const char *args)
{
    char where[40], text[DISAS_TEXT];
    uint64_t pc = 0;
    const char *mode = machine_mode(s->d.m, s->d.hart);
    (void)args;
    machine_get_reg(s->d.m, s->d.hart, "pc", &pc);
    unsigned length = disas_at(s->disas, s->d.m, s->d.hart, pc, NULL, text, sizeof text);
    uint64_t now = 0;
    if (!stepper_go(s, "1", false))
        return false;
    machine_get_reg(s->d.m, s->d.hart, "pc", &now);
    if (s->ended || !length || now == pc + length || (!strcmp(machine_mode(s->d.m, s->d.hart), mode) && !strstr(text, "call")))
        return true;
    snprintf(where, sizeof where, "at 0x%" PRIx64, pc + length);
    return stepper_go(s, where, false);
}

static bool list(struct stepper *s, const char *args)
{
    char w[STEPPER_WORD], at[128], text[DISAS_TEXT];
    uint64_t pc = 0, n = 10, here = 0;
    machine_get_reg(s->d.m, s->d.hart, "pc", &pc);
    here = pc;
    if (stepper_word(&args, w) && !stepper_number(s, w, &pc))
        return false;
    if (stepper_word(&args, w) && (!stepper_number(s, w, &n) || n > 1000))
        return stepper_refuse(s, "at most 1000 instructions are listed");
    for (uint64_t i = 0; i < n; i++) {
        uint32_t bits;
        symbols_text(s->d.m, pc, at, sizeof at);
        unsigned length = disas_at(s->disas, s->d.m, s->d.hart, pc, &bits, text, sizeof text);
        if (strncmp(at, "0x", 2) && !strchr(at, '+'))
            buf_printf(&s->answer, "%s:\n", at);
        buf_printf(&s->answer, "%s 0x%" PRIx64 "  %0*x%*s  %s\n", pc == here ? "=>" : "  ", pc, length == 2 ? 4 : 8, bits,
                   length == 2 ? 4 : 0, "", text);
        if (!length)
            break;
        pc += length;
    }
    return true;
}

/* GDB may have moved the machine, which was noted nowhere: what it was is looked up in the past. */
static void look_back(struct stepper *s)
{
    struct history_point here = history_here(s->d.history), end = history_end(s->d.history);
    if (history_compare(&s->left, &end) > 0) /* of a run before a reset */
        s->left = here;
    history_seek(s->d.history, &s->left);
    stepper_note(s);
    free(s->before);
    s->before = s->was;
    s->was = NULL;
    history_seek(s->d.history, &here);
}

static bool changes(struct stepper *s, const char *args)
{
    (void)args;
    if (s->in_gdb)
        look_back(s);
    stepper_changes(s, true);
    return true;
}

/* Why the next boundary traps, or what is pending and why it is not taken. */
static bool next(struct stepper *s, const char *args)
{
    (void)args;
    struct explanation *e = explain_next(s->d.m, s->d.hart);
    char *text = e ? explain_text(e, 100, false) : NULL;
    buf_printf(&s->answer, "%s", text ? text : "nothing is known of the next instruction\n");
    free(text);
    explain_free(e);
    return true;
}

static bool break_(struct stepper *s, const char *args)
{
    char w[STEPPER_WORD], at[128];
    uint64_t va;
    for (unsigned i = 0; !stepper_word(&args, w); i++) {
        if (i >= s->d.nbreaks)
            return i ? true : stepper_refuse(s, "there are no breakpoints");
        symbols_text(s->d.m, s->d.breaks[i].va, at, sizeof at);
        buf_printf(&s->answer, "0x%" PRIx64 " %s\n", s->d.breaks[i].va, at);
    }
    return stepper_number(s, w, &va) && debugger_break(&s->d, va, BREAK, true);
}

static bool delete_(struct stepper *s, const char *args)
{
    char w[STEPPER_WORD];
    uint64_t va;
    if (!stepper_word(&args, w)) {
        while (s->d.nbreaks)
            debugger_break(&s->d, s->d.breaks[0].va, s->d.breaks[0].kind, false);
        return true;
    }
    if (!stepper_number(s, w, &va))
        return false;
    return debugger_break(&s->d, va, BREAK, false) || stepper_refuse(s, "there is no breakpoint at 0x%" PRIx64, va);
}

static bool watch(struct stepper *s, const char *args)
{
    char w[STEPPER_WORD], size[STEPPER_WORD];
    uint64_t n = 8;
    struct machine_watchpoint p = {.hart = MACHINE_ALL_HARTS, .on = MACHINE_ACCESS};
    if (!stepper_word(&args, w))
        return stepper_refuse(s, "an address is needed: watch [phys:]ADDRESS [BYTES] [read|write|off]");
    p.physical = !strncmp(w, "phys:", 5);
    if (!stepper_number(s, p.physical ? w + 5 : w, &p.address))
        return false;
    bool on = true;
    while (stepper_word(&args, size)) {
        if (!strcmp(size, "read") || !strcmp(size, "write"))
            p.on = *size == 'r' ? MACHINE_READ : MACHINE_WRITE;
        else if (!strcmp(size, "off"))
            on = false;
        else if (!stepper_number(s, size, &n))
            return false;
    }
    p.size = n;
    return machine_watchpoint(s->d.m, &p, on) || stepper_refuse(s, "there is no such watchpoint, or it has no bytes");
}

static bool poke(struct stepper *s, const char *args)
{
    char w[STEPPER_WORD], value[STEPPER_WORD], size[STEPPER_WORD];
    uint64_t at, v, n = 8;
    if (!stepper_word(&args, w) || !stepper_word(&args, value))
        return stepper_refuse(s, "an address and a value are needed: poke [phys:]ADDRESS VALUE [BYTES]");
    bool physical = !strncmp(w, "phys:", 5);
    if (!stepper_number(s, physical ? w + 5 : w, &at) || !stepper_number(s, value, &v))
        return false;
    if (stepper_word(&args, size) && (!stepper_number(s, size, &n) || !n || n > 8))
        return stepper_refuse(s, "1 to 8 bytes are written");
    uint8_t p[8];
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
    bool done = physical ? machine_write(s->d.m, at, p, n) : machine_write_virtual(s->d.m, s->d.hart, at, p, n) == n;
    history_changed(s->d.history);
    return done || stepper_refuse(s, "there is no memory at 0x%" PRIx64, at);
}

static bool type(struct stepper *s, const char *args)
{
    char text[STEPPER_WORD];
    size_t n = 0;
    if (!stepper_word(&args, text))
        return stepper_refuse(s, "a text is needed: type \"uname -a\\n\"");
    for (const char *p = text; *p; p++) {
        char ch = *p;
        if (ch == '\\' && p[1])
            ch = *++p == 'n' ? '\n' : *p == 'r' ? '\r' : *p == 't' ? '\t' : *p;
        text[n++] = ch;
    }
    size_t took = history_input(s->d.history, "serial0", text, n);
    return took == n || stepper_refuse(s, "the console took %zu of %zu bytes", took, n);
}

static bool save(struct stepper *s, const char *args)
{
    char path[STEPPER_WORD];
    struct err e;
    if (!stepper_word(&args, path))
        return stepper_refuse(s, "a file is needed");
    struct output *o = output_open(path, &e);
    struct buf b = {0};
    buf_printf(&b, "# %s --script %s\n", s->recipe, path);
    buf_put(&b, s->script.data, s->script.len);
    if (o)
        output_put(o, b.data, b.len);
    bool good = o && output_close(o, &e);
    buf_free(&b);
    return good || stepper_refuse(s, "%s", e.text);
}

static bool expect(struct stepper *s, const char *args)
{
    size_t n = strlen(args);
    if (n >= 2 && args[0] == '"' && args[n - 1] == '"') {
        args++;
        n -= 2;
    }
    return memmem(s->last.data, s->last.len, args, n) || stepper_refuse(s, "the last answer does not have '%.*s'", (int)n, args);
}

static bool quit(struct stepper *s, const char *args)
{
    (void)args;
    s->leave = true;
    return true;
}

static bool help(struct stepper *s, const char *args)
{
    const struct stepper_command *c;
    const struct command *k;
    char w[STEPPER_WORD], both[100];
    bool one = stepper_word(&args, w);
    for (unsigned i = 0; (c = stepper_command_at(i)); i++) {
        snprintf(both, sizeof both, "%s %s", c->name, c->args);
        if (!(s->in_gdb && c->alone) && (!one || !strcmp(c->name, w)))
            buf_printf(&s->answer, "  %-28s %s\n", both, c->help);
    }
    for (unsigned i = 0; (k = command_at(i)); i++) {
        snprintf(both, sizeof both, "%s %s", k->name, k->args);
        bool ours = !strcmp(k->name, "help") || !strcmp(k->name, "back");
        if (!ours && (!one || !strcmp(k->name, w)))
            buf_printf(&s->answer, "  %-28s %s\n", both, k->help);
    }
    return s->answer.len || stepper_refuse(s, "there is no such command: '%s'", w);
}

static const struct stepper_command commands[] = {
    {"run", "[WHAT]",
     "go on, to: N instructions, trap [CAUSE], return, mode [MODE], call [NAME], at ADDRESS, write REGISTER, cycle N, text "
     "STRING; 'run' may be left out before these words",
     run, true, false},
    {"back", "[WHAT]", "the same backwards: to the last one before here", back, true, false},
    {"step", "[N]", "one instruction, or N; into the trap it takes", step, true, false},
    {"over", "", "one instruction, and over the trap or call it takes", over, true, false},
    {"list", "[ADDRESS] [N]", "disassembly, from the next instruction or an address on", list, false, false},
    {"changes", "", "all registers that are not as they were at the last stop", changes, false, false},
    {"next", "", "what the next instruction does: why it traps, or what is pending and why it is not taken", next, false, false},
    {"break", "[ADDRESS]", "stop before the instruction there; without an address, list them", break_, false, true},
    {"delete", "[ADDRESS]", "remove a breakpoint, or all", delete_, false, true},
    {"watch", "[phys:]ADDRESS [BYTES] [read|write|off]", "stop before an access", watch, false, true},
    {"poke", "[phys:]ADDRESS VALUE [BYTES]", "write memory", poke, false, false},
    {"type", "TEXT", "type at the guest's console; \\n \\r \\t are understood", type, false, false},
    {"expect", "TEXT", "fail unless the answer before this has the text: for scripts", expect, false, true},
    {"save", "FILE", "write the commands so far as a script that does it again", save, false, true},
    {"help", "[COMMAND]", "this list, or what a command does", help, false, false},
    {"quit", "", "leave", quit, false, true},
};

const struct stepper_command *stepper_command_at(unsigned i)
{
    return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

/* The command of that name, or the only one that begins with it and is none of command.h's by name. */
static const struct stepper_command *find(const struct stepper *s, const char *name)
{
    const struct stepper_command *found = NULL;
    const struct command *other = command_find(name);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (s->in_gdb && commands[i].alone)
            continue;
        if (!strcmp(commands[i].name, name))
            return &commands[i];
        if (!found && !strncmp(commands[i].name, name, strlen(name)))
            found = &commands[i];
    }
    return other && !strcmp(other->name, name) ? NULL : found;
}

/* The command of a line that begins with `name`; *args, what follows that word, is the whole line where `run` is left out. */
static const struct stepper_command *command_of(const struct stepper *s, const char *name, const char *line, const char **args)
{
    const struct stepper_command *c = find(s, name);
    if (c || !stepper_is_place(name))
        return c;
    *args = line;
    return find(s, "run");
}

/* What a moved machine shows. */
static void arrived(struct stepper *s)
{
    stepper_changes(s, false);
    stepper_where(s);
    stepper_note(s);
    if (s->in_gdb)
        buf_printf(&s->answer, "(to make GDB look again: maintenance flush register-cache)\n");
}

/* For `save`. A command that failed would end a script; where it led to belongs to it all the same. */
static void write_down(struct stepper *s, const char *line, bool good, const struct history_point *before)
{
    struct history_point here = history_here(s->d.history);
    int way = history_compare(&here, before);
    if (good)
        buf_printf(&s->script, "%s\n", line);
    else if (way)
        buf_printf(&s->script, "# %s: not found\n%s cycle %" PRIu64 "\n", line, way > 0 ? "run" : "back", machine_cycle(s->d.m));
}

bool stepper_run(struct stepper *s, const char *line)
{
    char w[STEPPER_WORD];
    const char *args = line;
    if (!stepper_word(&args, w) || *w == '#')
        return s->answer.len = 0, true;
    while (isspace((unsigned char)*args))
        args++;
    const struct stepper_command *c = command_of(s, w, line, &args);
    const struct command *k = c ? NULL : command_find(line);
    s->answer.len = 0;
    s->ended = false;
    bool moves = c ? c->moves : k && k->moves;
    struct history_point before = history_here(s->d.history);
    if (moves && s->in_gdb) {
        s->left = history_here(s->d.history);
        stepper_note(s);
    }
    bool good = c ? c->run(s, args) : command_run(&s->d, line, &s->answer);
    if (s->d.said.len) {
        buf_put(&s->answer, s->d.said.data, s->d.said.len);
        s->d.said.len = 0;
    }
    if (moves)
        arrived(s);
    if (!c || c->run != expect) {
        s->last.len = 0;
        buf_put(&s->last, s->answer.data, s->answer.len);
    }
    if (!(c && c->run == save))
        write_down(s, line, good, &before);
    return good;
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------------------ */

void stepper_console(void *ctx, const char *device, const void *p, size_t n)
{
    struct stepper *s = ctx;
    (void)device;
    buf_put(&s->console, p, n);
    if (!s->text)
        return;
    buf_put(&s->seen, p, n);
    if (memmem(s->seen.data, s->seen.len, s->text, strlen(s->text))) {
        s->text_seen = true;
        for (unsigned h = 0; h < machine_harts(s->d.m); h++) /* right behind the instruction that prints */
            machine_break(s->d.m, h);
    }
    if (s->seen.len > 2 * SEEN_MAX) {
        memmove(s->seen.data, s->seen.data + s->seen.len - SEEN_MAX, SEEN_MAX);
        s->seen.len = SEEN_MAX;
    }
}

void stepper_open(struct stepper *s, struct machine *m, const char *recipe)
{
    debugger_open(&s->d, m);
    s->d.into_irq = true;
    s->disas = disas_new(m);
    s->recipe = strdup(recipe);
    stepper_note(s);
    s->left = history_here(s->d.history);
}

void stepper_close(struct stepper *s)
{
    debugger_close(&s->d);
    disas_free(s->disas);
    buf_free(&s->answer);
    buf_free(&s->last);
    buf_free(&s->console);
    buf_free(&s->seen);
    buf_free(&s->script);
    free(s->was);
    free(s->before);
    free(s->recipe);
}
