/* The results of `trapline bench` as a table of at most 80 columns, and as JSON. */
#include "base/bits.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "machine/trapline.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const words[] = {"", "missed", "met"}; /* by bench_met + 1 */

/* Three significant digits, no exponent; "-" for none. */
static void put_number(char out[static 24], double v, const char *suffix)
{
    int digits = !isfinite(v) || v >= 100 ? 0 : v >= 10 ? 1 : v >= 1 ? 2 : 3;
    if (isnan(v))
        snprintf(out, 24, "-");
    else
        snprintf(out, 24, "%.*f%s", digits, v, suffix);
}

static void put_aim(char out[static 24], const struct bench_row *row)
{
    if (row->kind == AIM_NONE)
        snprintf(out, 24, "-");
    else
        snprintf(out, 24, "%s %g%s", row->kind == AIM_RATIO_LEAST ? ">=" : "<=", row->aim, row->suffix);
}

void bench_show_head(const struct bench *b)
{
    const char *version = "";
    for (unsigned k = 0; k < BENCH_ARCHS && version; k++) {
        if (b->qemu[k] && *version && strcmp(version, b->qemu_version[k]))
            version = NULL; /* two of them: told below */
        else if (b->qemu[k])
            version = b->qemu_version[k];
    }
    char qemu[32] = "QEMU";
    if (version && *version)
        snprintf(qemu, sizeof qemu, "QEMU %.6s", version);
    printf("%s%-5s %-7s %-16s %9s %11s %7s  %-9s%s\n", b->colour ? "\033[1m" : "", "arch", "name", "unit", "trapline", qemu,
           "ratio", "aim", b->colour ? "\033[0m" : "");
    fflush(stdout);
}

void bench_show_row(const struct bench *b, const struct bench_row *row, const struct bench_result *r)
{
    static const char *const colours[] = {"", "\033[31m", "\033[32m"};
    char ours[24], theirs[24], ratio[24], aim[24];
    int met = bench_met(b, row, r) + 1;
    put_number(ours, r->trapline, "");
    put_number(theirs, r->qemu, "");
    put_number(ratio, r->ratio, "x");
    put_aim(aim, row);
    if (isnan(r->trapline))
        printf("%-5s %-7s %-16s %s%s%s\n", r->arch->name, row->name, row->unit, b->colour && r->failed ? colours[1] : "", r->note,
               b->colour && r->failed ? "\033[0m" : "");
    else
        printf("%-5s %-7s %-16s %9s %11s %7s  %-9s %s%s%s\n", r->arch->name, row->name, row->unit, ours, theirs, ratio, aim,
               b->colour ? colours[met] : "", words[met], b->colour && met ? "\033[0m" : "");
    if (!isnan(r->trapline) && *r->note)
        printf("%-13s (%s)\n", "", r->note);
    fflush(stdout);
}

void bench_show_foot(const struct bench *b, const double load[2])
{
    printf("\nRates are per second of user time, linux and start are wall time; least of %u.\n", b->repeat);
    printf("Ratio: trapline / QEMU. Load of this machine: %.1f before, %.1f after.\n", load[0], load[1]);
    for (unsigned k = 0; k < BENCH_ARCHS; k++) {
        if (b->qemu[k])
            printf("QEMU of %s: %s, version %s.\n", bench_archs[k].name, b->qemu[k], b->qemu_version[k]);
        else
            printf("No QEMU of %s was measured.\n", bench_archs[k].name);
    }
    if (b->quick)
        printf("These were a few rounds only (--quick): the figures mean nothing.\n");
}

static void set_number(json_t *j, const char *key, double v)
{
    json_object_set_new(j, key, isfinite(v) ? json_real(v) : json_null());
}

static json_t *row_json(const struct bench *b, const struct bench_row *row, const struct bench_result *r)
{
    static const char *const kinds[] = {NULL, "ratio >=", "ratio <=", "trapline <="};
    int met = bench_met(b, row, r);
    json_t *j = json_object();
    json_object_set_new(j, "arch", json_string(r->arch->name));
    json_object_set_new(j, "name", json_string(row->name));
    json_object_set_new(j, "title", json_string(row->title));
    json_object_set_new(j, "unit", json_string(row->unit));
    set_number(j, "trapline", r->trapline);
    set_number(j, "qemu", r->qemu);
    set_number(j, "ratio", r->ratio);
    set_number(j, "aim", row->kind == AIM_NONE ? NAN : row->aim);
    json_object_set_new(j, "aim_is", row->kind == AIM_NONE ? json_null() : json_string(kinds[row->kind]));
    json_object_set_new(j, "met", met < 0 ? json_null() : json_boolean(met));
    set_number(j, "trapline_user_seconds", r->trapline_user);
    set_number(j, "trapline_wall_seconds", r->trapline_wall);
    set_number(j, "qemu_user_seconds", r->qemu_user);
    set_number(j, "qemu_wall_seconds", r->qemu_wall);
    json_object_set_new(j, "failed", json_boolean(r->failed));
    json_object_set_new(j, "note", json_string(r->note));
    return j;
}

void bench_show_json(const struct bench *b, const struct bench_row *rows, const struct bench_result *results, size_t n,
                     const double load[2])
{
    json_t *j = json_object(), *list = json_array(), *qemu = json_object();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, row_json(b, &rows[i], &results[i]));
    json_object_set_new(j, "trapline", json_string(TRAPLINE_VERSION));
    for (unsigned k = 0; k < BENCH_ARCHS; k++)
        json_object_set_new(qemu, bench_archs[k].name, b->qemu[k] ? json_string(b->qemu_version[k]) : json_null());
    json_object_set_new(j, "qemu", qemu);
    json_object_set_new(j, "quick", json_boolean(b->quick));
    json_object_set_new(j, "repeat", json_integer(b->repeat));
    set_number(j, "load_before", load[0]);
    set_number(j, "load_after", load[1]);
    json_object_set_new(j, "results", list);
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(j);
}

void bench_progress(const struct bench *b, const char *name, const char *what, unsigned i, unsigned n)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (name)
        fprintf(stderr, "\r\033[K%s/%s: %s, %u of %u", b->arch->name, name, what, i, n);
    else
        fprintf(stderr, "\r\033[K");
    fflush(stderr);
}
