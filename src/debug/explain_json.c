/* Explanations as JSON: the tree as it is. Numbers that may need 64 bits are strings in hexadecimal. */
#include "base/bits.h"
#include "debug/explain.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static json_t *number(const struct fact *f, uint64_t v)
{
    char text[24];
    if (!f->digits)
        return json_integer((json_int_t)v);
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    return json_string(text);
}

static json_t *list(const struct fact *first)
{
    json_t *a = json_array();
    for (const struct fact *f = first; f; f = f->next) {
        json_t *j = json_object();
        json_object_set_new(j, "label", json_string(f->label));
        if (f->has_change)
            json_object_set_new(j, "old", number(f, f->old));
        if (f->has_value)
            json_object_set_new(j, "value", number(f, f->value));
        if (*f->text)
            json_object_set_new(j, "text", json_string(f->text));
        if (*f->clause)
            json_object_set_new(j, "clause", json_string(f->clause));
        if (f->mark == FACT_DECIDES)
            json_object_set_new(j, "decides", json_true());
        if (f->mark == FACT_WRONG)
            json_object_set_new(j, "wrong", json_true());
        if (f->stage)
            json_object_set_new(j, "stage", json_integer(f->stage));
        if (f->first)
            json_object_set_new(j, "facts", list(f->first));
        json_array_append_new(a, j);
    }
    return a;
}

struct json_t *explain_json(const struct explanation *e)
{
    static const char *const kind[] = {
        [EXPLAIN_TRAP] = "trap", [EXPLAIN_RETURN] = "return", [EXPLAIN_HALT] = "halt", [EXPLAIN_NOTHING] = "nothing"};
    char pc[24];
    json_t *j = json_object();
    snprintf(pc, sizeof pc, "0x%" PRIx64, e->pc);
    json_object_set_new(j, "kind", json_string(kind[e->kind]));
    json_object_set_new(j, "hart", json_integer(e->hart));
    json_object_set_new(j, "cycle", json_integer((json_int_t)e->cycle));
    json_object_set_new(j, "pc", json_string(pc));
    json_object_set_new(j, "title", json_string(e->title));
    json_object_set_new(j, "agrees", json_boolean(e->agrees));
    json_object_set_new(j, "facts", list(e->facts.first));
    return j;
}
