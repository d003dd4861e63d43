#include "cli/check_show.h"
#include "base/bits.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what a verdict is
 * -------------------------------------------------------------------------------------------------------------- */

static bool departs(const struct check_verdict *v)
{
    for (unsigned r = 0; r < CHECK_COUNTS; r++)
        if (v->expected[r] != CHECK_ANY && v->departs[r])
            return true;
    return false;
}

static const char *word(const struct check_verdict *v)
{
    if (v->skipped)
        return "skipped";
    if (!v->as_expected)
        return "WRONG";
    return departs(v) ? "known" : "pass";
}

bool check_all_expected(const struct check_verdict *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!v[i].skipped && !v[i].as_expected)
            return false;
    return true;
}

/* "A2 48, A3 32": the cases that depart. */
static void text_counts(const struct check_verdict *v, char *out, size_t cap)
{
    const char *what;
    size_t n = 0;
    *out = '\0';
    for (unsigned r = 0; r < CHECK_COUNTS; r++)
        if (v->expected[r] != CHECK_ANY && v->departs[r] && n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s %" PRIu64, n ? ", " : "", check_rule_name(r, &what), v->departs[r]);
}

/* ---- the table
 * ----------------------------------------------------------------------------------------------------------------------- */

static void show_row(const struct check_verdict *v, bool verbose, bool colour)
{
    char counts[128];
    const char *w = word(v);
    const char *on = !colour ? "" : *w == 'W' ? "\033[31m" : *w == 'p' ? "\033[32m" : "\033[33m";
    text_counts(v, counts, sizeof counts);
    if (v->skipped) {
        printf("%-11s %-13s %4s %-19s %6s  %s%-7s%s %s\n", v->scenario, v->firmware, "", "", "", on, w, colour ? "\033[m" : "",
               v->why);
        return;
    }
    printf("%-11s %-13s %4u %-19s %6" PRIu64 "  %s%-7s%s %s\n", v->scenario, v->firmware, v->xlen, v->handler, v->cases, on, w,
           colour ? "\033[m" : "", counts);
    if (!v->skipped && !v->as_expected)
        printf("           %s\n", v->why);
    if (verbose && v->first_case.first >= 0) {
        printf("           case %" PRId64, v->first_case.first);
        if (v->first_case.second >= 0)
            printf(".%" PRId64, v->first_case.second);
        printf(": %s\n", v->first);
    }
}

void check_show_table(const struct check_verdict *v, size_t n, double seconds, double busy, bool verbose, bool colour)
{
    uint64_t cases = 0, same = 0;
    size_t count[4] = {0};
    static const char *const words[] = {"pass", "known", "WRONG", "skipped"};
    printf("%-11s %-13s %4s %-19s %6s  %-7s %s\n", "SCENARIO", "FIRMWARE", "XLEN", "HANDLER", "CASES", "VERDICT",
           "CASES THAT DEPART FROM A RULE");
    for (size_t i = 0; i < n; i++) {
        /* What is skipped takes one line for all handlers and XLENs. */
        if (!v[i].skipped || !i || !v[i - 1].skipped || strcmp(v[i].firmware, v[i - 1].firmware))
            show_row(&v[i], verbose, colour);
        cases += v[i].cases;
        same += v[i].same;
        for (unsigned k = 0; k < ARRAY_LEN(words); k++)
            count[k] += !strcmp(word(&v[i]), words[k]);
    }
    printf("%zu verdicts: %zu pass, %zu depart as is known, %zu wrong, %zu skipped; %" PRIu64 " cases, and %" PRIu64
           " that are one of these, in %.1f s, %.0f a second of processor time\n",
           n, count[0], count[1], count[2], count[3], cases, same, seconds, busy > 0 ? (double)(cases + same) / busy : 0);
}

/* ---- JSON
 * ---------------------------------------------------------------------------------------------------------------------------- */

static json_t *verdict_json(const struct check_verdict *v)
{
    json_t *rules = json_object();
    const char *what;
    for (unsigned r = 0; r < CHECK_COUNTS; r++)
        if (v->has_counts && v->expected[r] != CHECK_ANY)
            json_object_set_new(rules, check_rule_name(r, &what),
                                v->expected[r] == CHECK_SOME ? json_pack("{s:I}", "departs", (json_int_t)v->departs[r])
                                                             : json_pack("{s:I,s:I}", "departs", (json_int_t)v->departs[r],
                                                                         "expected", (json_int_t)v->expected[r]));
    json_t *j = json_pack("{s:s,s:s,s:i,s:s,s:I,s:s,s:o}", "scenario", v->scenario, "firmware", v->firmware, "xlen", (int)v->xlen,
                          "handler", v->handler, "cases", (json_int_t)v->cases, "verdict", word(v), "rules", rules);
    if (v->first_case.first >= 0) {
        json_t *first = json_pack("{s:I,s:s}", "case", (json_int_t)v->first_case.first, "text", v->first);
        if (v->first_case.second >= 0)
            json_object_set_new(first, "second", json_integer(v->first_case.second));
        json_object_set_new(j, "first", first);
    }
    if (*v->why)
        json_object_set_new(j, "why", json_string(v->why));
    return j;
}

void check_show_json(const struct check_verdict *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, verdict_json(&v[i]));
    json_t *all = json_pack("{s:b,s:o}", "ok", check_all_expected(v, n), "verdicts", list);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

/* ---- JUnit
 * --------------------------------------------------------------------------------------------------------------------------- */

static void put_xml(FILE *f, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': fputs("&amp;", f); break;
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc(*s, f);
        }
}

static void put_junit(FILE *f, const struct check_verdict *v, size_t n, double seconds)
{
    size_t failures = 0, skipped = 0;
    for (size_t i = 0; i < n; i++) {
        skipped += v[i].skipped;
        failures += !v[i].skipped && !v[i].as_expected;
    }
    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"trapline check\" tests=\"%zu\" failures=\"%zu\" "
            "skipped=\"%zu\" "
            "time=\"%.3f\">\n",
            n, failures, skipped, seconds);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "  <testcase classname=\"%s\" name=\"%s/%u/%s\"", v[i].scenario, v[i].firmware, v[i].xlen, v[i].handler);
        if (v[i].skipped || !v[i].as_expected) {
            fprintf(f, "><%s message=\"", v[i].skipped ? "skipped" : "failure");
            put_xml(f, v[i].why);
            fputs("\"/></testcase>\n", f);
        } else {
            fputs("/>\n", f);
        }
    }
    fputs("</testsuite>\n", f);
}

bool check_write_junit(const char *path, const struct check_verdict *v, size_t n, double seconds, struct err *e)
{
    char beside[4096];
    snprintf(beside, sizeof beside, "%s.part", path);
    FILE *f = fopen(beside, "w");
    if (!f)
        return err_set(e, "%s: %s", beside, strerror(errno));
    put_junit(f, v, n, seconds);
    bool bad = ferror(f) != 0;
    if (fclose(f) || bad || rename(beside, path)) {
        err_set(e, "%s: %s", path, strerror(errno));
        unlink(beside);
        return false;
    }
    return true;
}

/* ---- --list
 * -------------------------------------------------------------------------------------------------------------------------- */

void check_show_list(void)
{
    const char *title, *name;
    puts("Scenarios");
    for (unsigned i = 0; (name = check_scenario_name(i, &title)); i++)
        printf("  %-13s %s\n", name, title);
    puts("Firmware");
    for (unsigned i = 0; i < CHECK_FIRMWARES; i++)
        printf("  %s\n", check_firmware_name(i));
    puts("Rules");
    for (unsigned i = 0; i < CHECK_COUNTS; i++) {
        name = check_rule_name(i, &title);
        printf("  %-13s %s\n", name, title);
    }
}
