#include "cli/why.h"
#include "cli/cli.h"
#include "cli/options.h"
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPLAIN_MAX 20 /* explanations are long: who wants more says so */

/* One of the comma-separated words. */
static bool parse_word(struct why *w, char *word, struct err *e)
{
    char *value = strchr(word, '=');
    bool number = isdigit((unsigned char)*word);
    if (value)
        *value++ = '\0';
    if (number && !value)
        return options_count("--explain", word, &w->nth, e) && (w->nth || err_set(e, "--explain 0: traps are counted from 1"));
    if (!strcmp(word, "all") && !value)
        return true;
    if (!strcmp(word, "returns") && !value)
        return w->returns = true;
    if (!strcmp(word, "max") && value)
        return options_count("--explain max", value, &w->max, e) && (w->max || err_set(e, "--explain max=0 explains nothing"));
    if (!strcmp(word, "file") && value && *value) {
        w->path = value;
        return true;
    }
    bool cause = !strcmp(word, "cause"), irq = !strcmp(word, "irq"), exception = !strcmp(word, "exception");
    if ((cause || irq || exception) && (value ? *value != '\0' : !cause)) {
        if (value && strlen(value) >= sizeof w->cause)
            return err_set(e, "--explain: no cause has so long a name: '%s'", value);
        snprintf(w->cause, sizeof w->cause, "%s", value ? value : "");
        w->irq |= irq;
        w->exception |= exception;
        return true;
    }
    return err_set(e,
                   "--explain '%s': write a number, all, cause=NUMBER or NAME, irq[=...], exception[=...], returns, max=N, "
                   "file=FILE, separated by commas",
                   word);
}

bool why_parse(struct why *w, char *text, struct err *e)
{
    w->on = true;
    w->max = EXPLAIN_MAX;
    for (char *word = text, *next; word; word = next) {
        next = strchr(word, ',');
        if (next)
            *next++ = '\0';
        if (!parse_word(w, word, e))
            return false;
    }
    return true;
}

bool why_start(struct why *w, struct machine *m, struct err *e)
{
    if (!w->on)
        return true;
    w->out = w->path ? fopen(w->path, "w") : w->to ? w->to : stderr;
    if (!w->out)
        return err_set(e, "--explain: %s: %s", w->path, strerror(errno));
    w->follower = explain_follow(m);
    return true;
}

void why_sync(struct why *w, struct machine *m)
{
    if (w->follower)
        explain_follow_sync(w->follower, m);
}

/* Whether name has text in it, whatever the case, blanks and punctuation. */
static bool has(const char *name, const char *text)
{
    for (; *name; name++) {
        const char *a = name, *b = text;
        for (;;) {
            while (*b && !isalnum((unsigned char)*b))
                b++;
            while (*a && !isalnum((unsigned char)*a))
                a++;
            if (!*b)
                return true;
            if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
                break;
            a++;
            b++;
        }
    }
    return false;
}

static bool matches(const struct why *w, struct machine *m, const struct machine_change *c)
{
    char scratch[32], *end;
    uint64_t number;
    if (c->is_return)
        return w->returns && !*w->cause && !w->irq && !w->exception;
    if ((w->irq || w->exception) && !(c->interrupt ? w->irq : w->exception))
        return false;
    if (!*w->cause)
        return true;
    const char *name = explain_cause(m, c, &number, scratch);
    uint64_t wanted = strtoull(w->cause, &end, 0);
    return *end ? has(name, w->cause) : wanted == number;
}

void why_tell(struct why *w, const struct explanation *e)
{
    if (w->told) {
        w->told(w->told_ctx, e);
        return;
    }
    if (w->json) {
        json_t *j = explain_json(e);
        json_dumpf(j, w->out, JSON_COMPACT);
        fputc('\n', w->out);
        json_decref(j);
        return;
    }
    char *text = explain_text(e, 0, w->out == stderr && cli_colour(STDERR_FILENO));
    fprintf(w->out, "%s%s", w->count > 1 ? "\n" : "", text);
    free(text);
}

struct explanation *why_take(struct why *w, struct machine *m, const struct machine_change *c)
{
    if (!w->follower || !matches(w, m, c) || (w->nth && ++w->matched != w->nth))
        return NULL;
    struct explanation *e = explain_follow_trap(w->follower, c);
    w->wrong += !e->agrees;
    if (++w->count < w->max && !w->nth)
        return e;
    explain_follow_free(w->follower);
    w->follower = NULL;
    return e;
}

void why_feed(struct why *w, struct machine *m, const struct machine_change *c)
{
    struct explanation *e = why_take(w, m, c);
    if (e)
        why_tell(w, e);
    explain_free(e);
}

bool why_end(struct why *w, struct err *e)
{
    bool ok = true;
    explain_follow_free(w->follower);
    w->follower = NULL;
    if (w->out && w->path) {
        bool bad = ferror(w->out) != 0;
        if (fclose(w->out) || bad)
            ok = err_set(e, "%s: %s", w->path, strerror(errno ? errno : EIO));
    }
    w->out = NULL;
    return ok;
}
