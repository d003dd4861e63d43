/* `trapline diff`: two logs of the same program, compared to the first real difference. */
#include "base/bits.h"
#include "base/buf.h"
#include "cli/cli.h"
#include "cli/diff_trace.h"
#include "cli/options.h"
#include "debug/golden.h"
#include "debug/logs/compare.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    OPT_FORMAT = 0x300,
    OPT_FROM,
    OPT_MASK,
    OPT_MASK_LOADS,
    OPT_CONTEXT,
    OPT_INTERRUPT,
    OPT_PREFIX,
    OPT_JSON,
    OPT_FORMATS,
    OPT_TRAPS,
    OPT_INSTRUCTIONS
};

static const struct argp_option table[] = {
    {"format", OPT_FORMAT, "A[,B]", 0, "formats of the two logs, by name (--formats); else their first lines tell", 1},
    {"from", OPT_FROM, "ADDRESS", 0, "begin where this address is executed first; else where the two first run alike", 1},
    {"mask", OPT_MASK, "REG,...", 0,
     "do not compare these registers, nor what is computed from them; counters, time and identification are always masked. Trap "
     "by "
     "trap: the values behind these names in the text (tval, stime_value)",
     1},
    {"mask-loads", OPT_MASK_LOADS, "FIRST-LAST", 0,
     "loads from these addresses give what differs between machines (may be repeated)", 1},
    {"interrupt", OPT_INTERRUPT, "N", 0,
     "step over an interrupt that one log takes elsewhere, of up to N instructions (1000000). Trap by trap: of up to N lines; "
     "without the option none",
     1},
    {"prefix", OPT_PREFIX, 0, 0, "a log that goes on where the other ends is no difference", 1},
    {"context", OPT_CONTEXT, "N", 0, "show N equal instructions before the difference (8, at most 64)", 1},
    {"traps", OPT_TRAPS, 0, 0, "of traces of our own: trap by trap, as golden text; the default unless both hold instructions",
     1},
    {"instructions", OPT_INSTRUCTIONS, 0, 0, "of traces of our own: instruction by instruction", 1},
    {"json", OPT_JSON, 0, 0, "print JSON", 1},
    {"formats", OPT_FORMATS, 0, 0, "list the formats that are known, and what each tells", 1},
    {0}};

#define LOADS 64

struct diff_args {
    const char *file[2], *format[2], *mask;
    char *formats; /* the copy format[] points into */
    unsigned nfiles;
    struct compare_options options;
    struct compare_range loads[LOADS];
    struct log_reg *masked;
    bool prefix, json, list, traps, instructions;
};

static uint64_t number(const char *option, const char *text, const char **end)
{
    char *stop;
    errno = 0;
    uint64_t v = strtoull(text, &stop, 0);
    if (stop == text || *text == '-' || errno || (*stop && !end))
        exit(cli_errorf("%s '%s': a number is expected", option, text));
    if (end)
        *end = stop;
    return v;
}

static void mask_loads(struct diff_args *a, const char *text)
{
    const char *end;
    size_t n = a->options.nloads;
    if (n == LOADS)
        exit(cli_errorf("--mask-loads: at most %d ranges", LOADS));
    a->loads[n].first = a->loads[n].last = number("--mask-loads", text, &end);
    if (*end == '-')
        a->loads[n].last = number("--mask-loads", end + 1, NULL);
    else if (*end)
        exit(cli_errorf("--mask-loads '%s': write FIRST-LAST, as 0x200bff8-0x200bfff", text));
    if (a->loads[n].last < a->loads[n].first)
        exit(cli_errorf("--mask-loads '%s': the range is empty", text));
    a->options.nloads++;
}

static void formats(struct diff_args *a, const char *text)
{
    free(a->formats);
    a->formats = strdup(text);
    char *comma = strchr(a->formats, ',');
    a->format[0] = a->format[1] = a->formats;
    if (comma) {
        *comma = '\0';
        a->format[1] = comma + 1;
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct diff_args *a = state->input;
    switch (key) {
    case OPT_FORMAT: formats(a, arg); return 0;
    case OPT_FROM:
        a->options.has_from = true;
        a->options.from = number("--from", arg, NULL);
        return 0;
    case OPT_MASK: a->mask = arg; return 0;
    case OPT_MASK_LOADS: mask_loads(a, arg); return 0;
    case OPT_CONTEXT:
        if (number("--context", arg, NULL) > COMPARE_CONTEXT)
            exit(cli_errorf("--context %s: at most %d", arg, COMPARE_CONTEXT));
        a->options.context = (unsigned)number("--context", arg, NULL);
        return 0;
    case OPT_INTERRUPT: a->options.interrupted = number("--interrupt", arg, NULL); return 0;
    case OPT_PREFIX: a->prefix = true; return 0;
    case OPT_TRAPS: a->traps = true; return 0;
    case OPT_INSTRUCTIONS: a->instructions = true; return 0;
    case OPT_JSON: a->json = true; return 0;
    case OPT_FORMATS: a->list = true; return 0;
    case ARGP_KEY_ARG:
        if (a->nfiles == 2)
            exit(cli_errorf("two logs are compared: '%s' is one too many", arg));
        a->file[a->nfiles++] = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "A B\n--formats",
    .doc =
        "Compare two logs of the same program, instruction by instruction, and name the first real difference: in an address, an "
        "encoding, a privilege mode, a register, a store, the cause of a trap. What a log does not tell is not compared. Logs "
        "may be "
        "compressed with gzip. A trace of `trapline record` is executed again and takes part as a log; two of them, or golden "
        "texts, "
        "are compared trap by trap. Exit status 0: they agree, 1: they differ, 2: one cannot be read.\v"
        "Examples:\n"
        "  trapline diff spike.log qemu.log\n"
        "  trapline diff run.trace spike.log\n"
        "  trapline diff before.trace after.trace\n"
        "  trapline diff spike.log whisper.csv.gz --from 0x80000000 --mask misa,mstatus --context 20\n"
        "  trapline diff --format spike,qemu a.log b.log --mask-loads 0x200bff8-0x200bfff\n"};

/* ---- files ----------------------------------------------------------------------------------------------------------------- */

struct source {
    const char *path, *format;
    gzFile file;
    bool trace;
    struct diff_child child; /* of a trace */
};

static long read_bytes(void *ctx, void *p, size_t n, struct err *e)
{
    struct source *s = ctx;
    int got = gzread(s->file, p, (unsigned)(n < (1u << 30) ? n : 1u << 30)), code;
    if (got > 0)
        return got;
    const char *why = gzerror(s->file, &code);
    if (!got && code != Z_BUF_ERROR)
        return 0;
    err_set(e, "%s", code == Z_ERRNO ? strerror(errno) : code == Z_BUF_ERROR ? "the compressed file ends too early" : why);
    return -1;
}

static long read_steps(void *ctx, void *p, size_t n, struct err *e)
{
    return diff_child_read(&((struct source *)ctx)->child, p, n, e);
}

static struct log_reader *open_log(void *ctx, struct err *e)
{
    struct source *s = ctx;
    if (s->trace)
        return diff_child_start(&s->child, s->path, e) ? log_open(s->path, "trapline", read_steps, s, e) : NULL;
    if (s->file)
        gzclose(s->file);
    if (!(s->file = gzopen(s->path, "rb"))) {
        err_set(e, "%s: %s", s->path, strerror(errno ? errno : ENOMEM));
        return NULL;
    }
    gzbuffer(s->file, 1u << 17);
    return log_open(s->path, s->format, read_bytes, s, e);
}

/* ---- what is printed ------------------------------------------------------------------------------------------------------- */

static const struct {
    unsigned has;
    const char *name;
} told[] = {{LOG_HAS_INSN, "encoding"},     {LOG_HAS_PRIV, "mode"},     {LOG_HAS_X, "general registers"},
            {LOG_HAS_F, "float registers"}, {LOG_HAS_V, "vectors"},     {LOG_HAS_CSR, "system registers"},
            {LOG_HAS_LOADS, "loads"},       {LOG_HAS_STORES, "stores"}, {LOG_HAS_TRAPS, "traps"}};

static void print_told(unsigned has)
{
    printf("addresses");
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (has & told[i].has)
            printf(", %s", told[i].name);
    putchar('\n');
}

static int list_formats(void)
{
    const struct log_format *f;
    printf("%-8s  %s\n", "format", "written by; what it tells");
    for (unsigned i = 0; (f = log_format_at(i)); i++) {
        printf("%-8s  %s\n%-10s", f->name, f->title, "");
        print_told(f->has);
    }
    return CLI_OK;
}

static void print_instruction(const char *mark, const struct compare_seen *s)
{
    char insn[16] = "";
    if (s->insn_bytes)
        snprintf(insn, sizeof insn, "0x%0*x", s->insn_bytes * 2, s->insn_bytes == 2 ? s->insn & 0xffff : s->insn);
    printf("%-4s%10" PRIu64 " %10" PRIu64 "  0x%016" PRIx64 "  %s\n", mark, s->line[0], s->line[1], s->pc, insn);
}

static void print_step(const char *mark, const struct log_step *s, bool arm)
{
    char insn[16] = "", name[48];
    if (s->insn_bytes)
        snprintf(insn, sizeof insn, "0x%0*x", s->insn_bytes * 2, s->insn);
    printf("%s  line %" PRIu64 "  0x%016" PRIx64 "  %s", mark, s->line, s->pc, insn);
    for (unsigned i = 0; i < s->nregs; i++) {
        log_reg_name(&s->reg[i], arm, name, sizeof name);
        printf("  %s=0x%" PRIx64, name, s->reg[i].value[0]);
    }
    for (unsigned i = 0; i < s->nmems && i < 4; i++) {
        printf("  %s 0x%" PRIx64, s->mem[i].store ? "store" : "load", s->mem[i].address);
        if (s->mem[i].has_value)
            printf(" 0x%" PRIx64, s->mem[i].value);
    }
    putchar('\n');
}

/* The trap that a log tells of right before the difference: often what the other did otherwise. */
static void print_trap(const struct compare_hart *h, unsigned i)
{
    const struct log_step *t = &h->trap[i];
    if (!h->trapped[i])
        return;
    printf("  before it, %c took an %s", 'A' + (int)i, t->interrupt ? "interrupt" : "exception");
    if (t->cause != UINT64_MAX)
        printf(" of cause %" PRIu64, t->cause);
    if (t->pc != UINT64_MAX)
        printf(" at 0x%" PRIx64, t->pc);
    if (t->has_tval)
        printf(", tval 0x%" PRIx64, t->tval);
    putchar('\n');
}

static void print_hart(const struct comparison *r, unsigned k)
{
    const struct compare_hart *h = &r->hart[k];
    char text[320];
    printf("\nhart %u: ", k);
    if (!h->there[0] || !h->there[1]) {
        printf("only in the %s log\n", h->there[0] ? "first" : "second");
        return;
    }
    printf("%" PRIu64 " instructions are equal, from line %" PRIu64 " of A and %" PRIu64 " of B on\n", h->compared, h->start[0],
           h->start[1]);
    if (h->interrupts[0] || h->interrupts[1])
        printf("  interrupts stepped over: %" PRIu64 " in A, %" PRIu64 " in B\n", h->interrupts[0], h->interrupts[1]);
    if (h->diversions)
        printf("  stretches passed over, behind a branch on a masked value: %" PRIu64 "\n", h->diversions);
    if (h->conditionals)
        printf("  store-conditionals that fail in one log only, as they may: %" PRIu64 "\n", h->conditionals);
    if (h->unfenced)
        printf("  instructions that differ because their code was written without a fence: %" PRIu64 "\n", h->unfenced);
    if (h->masked)
        printf("  values not compared, because they are masked or computed from such: %" PRIu64 "\n", h->masked);
    if (h->what == COMPARE_EQUAL)
        return;
    compare_text(r, h, text, sizeof text);
    printf("  %s%s\n", h->what == COMPARE_END ? "" : "then they differ in ", text);
    if (h->from_masked)
        printf("  the instruction reads a masked value\n");
    for (unsigned i = 0; i < 2; i++)
        print_trap(h, i);
    if (h->nseen)
        printf("\n    %10s %10s\n", "line of A", "line of B");
    for (unsigned i = 0; i < h->nseen; i++)
        print_instruction("", &h->seen[i]);
    static const char *const mark[2] = {"  A", "  B"};
    for (unsigned i = 0; i < 2; i++)
        if (h->has[i])
            print_step(mark[i], &h->step[i], r->arm);
}

static void print_text(const struct diff_args *a, const struct comparison *r)
{
    for (unsigned i = 0; i < 2; i++) {
        printf("%c  %s: %s", 'A' + (int)i, a->file[i], r->format[i]->title);
        if (r->skipped[i])
            printf("; %" PRIu64 " lines are none of it", r->skipped[i]);
        printf("%s\n", r->torn[i] ? "; it is torn at its end" : "");
    }
    printf("compared: ");
    print_told(r->has);
    for (unsigned k = 0; k < r->nharts; k++)
        print_hart(r, k);
}

static json_t *hart_json(const struct comparison *r, unsigned k)
{
    static const char *const what[] = {"equal", "pc", "insn", "mode", "register", "store", "cause", "end"};
    const struct compare_hart *h = &r->hart[k];
    char text[320];
    json_t *j = json_pack("{s:i,s:I,s:[II],s:[II],s:I,s:I,s:I,s:I,s:s}", "hart", (int)k, "equal", (json_int_t)h->compared,
                          "start", (json_int_t)h->start[0], (json_int_t)h->start[1], "interrupts", (json_int_t)h->interrupts[0],
                          (json_int_t)h->interrupts[1], "diversions", (json_int_t)h->diversions, "conditionals",
                          (json_int_t)h->conditionals, "unfenced", (json_int_t)h->unfenced, "masked", (json_int_t)h->masked,
                          "differs", what[h->what]);
    if (h->what == COMPARE_EQUAL)
        return j;
    compare_text(r, h, text, sizeof text);
    json_object_set_new(j, "text", json_string(text));
    json_t *steps = json_array();
    for (unsigned i = 0; i < 2; i++) {
        char pc[24];
        snprintf(pc, sizeof pc, "0x%" PRIx64, h->step[i].pc);
        json_array_append_new(steps,
                              h->has[i] ? json_pack("{s:I,s:s}", "line", (json_int_t)h->step[i].line, "pc", pc) : json_null());
    }
    json_object_set_new(j, "at", steps);
    return j;
}

static void print_json(const struct diff_args *a, const struct comparison *r, bool same)
{
    json_t *harts = json_array(), *logs = json_array();
    for (unsigned k = 0; k < r->nharts; k++)
        json_array_append_new(harts, hart_json(r, k));
    for (unsigned i = 0; i < 2; i++)
        json_array_append_new(logs, json_pack("{s:s,s:s,s:I,s:b}", "file", a->file[i], "format", r->format[i]->name, "skipped",
                                              (json_int_t)r->skipped[i], "torn", (int)r->torn[i]));
    json_t *j = json_pack("{s:b,s:o,s:o}", "same", (int)same, "logs", logs, "harts", harts);
    json_dumpf(j, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(j);
}

/* ---- the verb -------------------------------------------------------------------------------------------------------------- */

/* The registers of --mask. */
static bool parse_mask(struct diff_args *a, struct err *e)
{
    char *copy = a->mask ? strdup(a->mask) : NULL, *save = NULL;
    bool good = true;
    for (char *word = copy ? strtok_r(copy, ",", &save) : NULL; word && good; word = strtok_r(NULL, ",", &save)) {
        struct log_reg g[2];
        bool known[2] = {log_reg_parse(word, false, &g[0]), log_reg_parse(word, true, &g[1])};
        good = known[0] || known[1] || err_set(e, "--mask: neither architecture has a register '%s'", word);
        a->masked = realloc(a->masked, (a->options.nmask + 2) * sizeof *a->masked);
        for (unsigned i = 0; i < 2 && good; i++)
            if (known[i])
                a->masked[a->options.nmask++] = g[i];
    }
    free(copy);
    a->options.mask = a->masked;
    return good;
}

static bool same(const struct diff_args *a, const struct comparison *r)
{
    for (unsigned k = 0; k < r->nharts; k++) {
        const struct compare_hart *h = &r->hart[k];
        if (h->there[0] != h->there[1] && !a->prefix)
            return false;
        if (h->what != COMPARE_EQUAL && !(h->what == COMPARE_END && a->prefix))
            return false;
    }
    return true;
}

/* Trap by trap: golden texts, and traces in that form. */
static int diff_traps(const struct diff_args *a, const enum diff_kind kind[2])
{
    struct buf lines[2] = {{0}, {0}}, text = {0};
    struct golden_tolerance t = {.interrupt = a->options.interrupted, .mask = a->mask};
    struct err e;
    bool good = true, same = false;
    for (unsigned i = 0; i < 2 && good; i++)
        good = diff_golden_lines(a->file[i], &lines[i], &e);
    if (good)
        same = golden_compare((char *)lines[0].data, (char *)lines[1].data, &t, &text);
    if (good && !same && kind[0] == DIFF_TRACE && kind[1] == DIFF_TRACE)
        diff_first_instruction(a->file[0], a->file[1], &text);
    buf_put_u8(&text, 0);
    if (good && a->json) {
        json_t *j = json_pack("{s:b,s:s,s:[II],s:I}", "same", (int)same, "text", (char *)text.data, "interrupts",
                              (json_int_t)t.stepped[0], (json_int_t)t.stepped[1], "masked", (json_int_t)t.masked);
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(j);
    } else if (good) {
        size_t n = 0;
        for (const char *p = (char *)lines[0].data; *p; p++)
            n += *p == '\n';
        printf("A  %s\nB  %s\ncompared trap by trap (- A, + B): ", a->file[0], a->file[1]);
        printf(same ? "%zu lines are equal\n" : "they differ\n", n);
        if (t.stepped[0] || t.stepped[1])
            printf("  interrupts stepped over: %" PRIu64 " in A, %" PRIu64 " in B\n", t.stepped[0], t.stepped[1]);
        if (t.masked)
            printf("  values not compared, because they are masked: %" PRIu64 "\n", t.masked);
        printf("%s", (char *)text.data);
    }
    buf_free(&lines[0]);
    buf_free(&lines[1]);
    buf_free(&text);
    return !good ? cli_error(&e) : same ? CLI_OK : CLI_FAILED;
}

/* Whether the two are compared by traps. False with *wrong: they cannot be compared. */
static bool by_traps(const struct diff_args *a, const enum diff_kind kind[2], const char **wrong)
{
    bool golden = kind[0] == DIFF_GOLDEN || kind[1] == DIFF_GOLDEN, log = kind[0] == DIFF_LOG || kind[1] == DIFF_LOG;
    *wrong = golden && log                 ? "a golden text is compared with another or with a trace"
             : golden && a->instructions   ? "a golden text has no instructions"
             : a->traps && log             ? "--traps is for traces of our own and golden texts"
             : a->traps && a->instructions ? "--traps and --instructions exclude each other"
                                           : NULL;
    if (*wrong || log || a->instructions)
        return false;
    return golden || a->traps || !(diff_has_instructions(a->file[0]) && diff_has_instructions(a->file[1]));
}

static int diff(struct diff_args *a)
{
    struct err e;
    struct comparison r;
    struct source source[2] = {{.path = a->file[0], .format = a->format[0]}, {.path = a->file[1], .format = a->format[1]}};
    const struct compare_side side[2] = {{open_log, &source[0]}, {open_log, &source[1]}};
    if (a->nfiles < 2)
        return cli_errorf("two logs are compared; %s", a->nfiles ? "only one was given" : "none was given");
    const enum diff_kind kind[2] = {diff_kind_of(a->file[0]), diff_kind_of(a->file[1])};
    const char *wrong;
    if (by_traps(a, kind, &wrong))
        return diff_traps(a, kind);
    if (wrong)
        return cli_errorf("diff: %s", wrong);
    for (unsigned i = 0; i < 2; i++)
        source[i].trace = kind[i] == DIFF_TRACE;
    if (!parse_mask(a, &e))
        return cli_error(&e);
    a->options.loads = a->loads;
    bool good = log_compare(side, &a->options, &r, &e), agree = good && same(a, &r);
    if (good && a->json)
        print_json(a, &r, agree);
    else if (good)
        print_text(a, &r);
    for (unsigned i = 0; i < 2; i++) {
        if (source[i].file)
            gzclose(source[i].file);
        diff_child_end(&source[i].child);
    }
    free(r.hart);
    return !good ? cli_error(&e) : agree ? CLI_OK : CLI_FAILED;
}

int verb_diff(int argc, char **argv)
{
    struct diff_args a = {.options = {.context = 8}};
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int status = a.list ? list_formats() : diff(&a);
    free(a.masked);
    free(a.formats);
    return status;
}
