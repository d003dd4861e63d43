#include "cli/doc_rules.h"
#include "cli/cli.h"
#include "debug/monitor.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The rules of group g into j, or printed. */
static void group(const struct monitor_ops *ops, unsigned g, json_t *j)
{
    struct monitor_rule r;
    for (unsigned i = 0; ops->rule(i, &r); i++) {
        if (r.group != g)
            continue;
        if (j)
            json_array_append_new(
                j, json_pack("{s:s,s:s,s:s,s:s}", "rule", r.name, "where", r.note, "meaning", r.what, "monitor", ops->names[g]));
        else
            printf("%-3s %s (%s)\n", r.name, r.what, r.note);
    }
}

int doc_rules(const char *monitor, bool json)
{
    const struct monitor_ops *ops;
    bool found = false;
    json_t *j = json ? json_array() : NULL;
    for (unsigned i = 0; (ops = monitor_ops_at(i)); i++)
        for (unsigned g = 0; ops->names[g]; g++) {
            if (monitor && strcmp(monitor, ops->names[g]))
                continue;
            if (!monitor && !json)
                printf("%s--monitor %s, of %s machines\n", found ? "\n" : "", ops->names[g], ops->machines);
            group(ops, g, j);
            found = true;
        }
    if (j && found)
        json_dumpf(j, stdout, JSON_INDENT(2)), putchar('\n');
    json_decref(j);
    return found ? CLI_OK : cli_errorf("there is no monitor '%s'; `trapline doc rules` shows them all", monitor);
}
