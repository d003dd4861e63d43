#include "debug/arm/psci.h"
#include "base/bits.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SMC64 0x40000000u

#define MAY(error) (1u << -PSCI_##error)
enum { ANY = INT32_MAX, NEVER = -1 };
#define MAY_ANY UINT32_MAX

static const struct psci_call calls[] = {
#define CALL(id, is_wide, called, section, args, what, errors, most) {id, is_wide, #called, section, args, what, errors, most},
#include "debug/arm/psci.def"
};
static const struct {
    int value;
    const char *name;
} errors[] = {
#define ERROR(value, name) {value, #name},
#include "debug/arm/psci.def"
};

const struct psci_call *psci_call_at(unsigned i) { return i < ARRAY_LEN(calls) ? &calls[i] : 0; }

const struct psci_call *psci_call(uint32_t number)
{
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++)
        if (calls[i].number == number || (calls[i].wide && (calls[i].number | SMC64) == number))
            return &calls[i];
    return 0;
}

const char *psci_error_name(int64_t value)
{
    for (unsigned i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].value == value)
            return errors[i].name;
    return 0;
}

const char *psci_error_at(unsigned i, int *value)
{
    if (i >= ARRAY_LEN(errors))
        return 0;
    *value = errors[i].value;
    return errors[i].name;
}

/* ---- in words -------------------------------------------------------------------------------------------------------------- */

/* Argument i of a function by its name into `name`; false: it has no more. */
static bool argument(const struct psci_call *f, unsigned i, char *name, size_t cap)
{
    const char *at = f->arguments;
    for (; i && *at; i--) {
        at += strcspn(at, " ");
        at += *at == ' ';
    }
    snprintf(name, cap, "%.*s", (int)strcspn(at, " "), at);
    return *name;
}

/* Results of functions that are known are 32 bits; those that only succeed or fail have names. */
static void result_text(const struct psci_call *f, uint64_t x0, char *out, size_t cap)
{
    int32_t r = (int32_t)(uint32_t)x0;
    const char *name = f && (r < 0 || f->most <= 0) ? psci_error_name(r) : NULL;
    if (name)
        snprintf(out, cap, "%s", name);
    else
        snprintf(out, cap, "0x%" PRIx64, f ? (uint32_t)x0 : x0);
}

void psci_call_text(bool by_smc, const uint64_t x[PSCI_ARGUMENTS], const uint64_t *result, char *out, size_t cap)
{
    const struct psci_call *f = psci_call(psci_id(x[0]));
    char name[40];
    size_t n = text_append(out, cap, 0, "%s: ", by_smc ? "SMC" : "HVC");
    if (f)
        n = text_append(out, cap, n, "%s(", f->name);
    else
        n = text_append(out, cap, n, "function 0x%08" PRIx32 "(", (uint32_t)x[0]);
    for (unsigned i = 1; i < PSCI_ARGUMENTS; i++) {
        snprintf(name, sizeof name, "x%u", i);
        if (f && !argument(f, i - 1, name, sizeof name))
            break;
        n = text_append(out, cap, n, "%s%s=0x%" PRIx64, i > 1 ? " " : "", name, x[i]);
    }
    n = text_append(out, cap, n, ")");
    if (result) {
        result_text(f, *result, name, sizeof name);
        text_append(out, cap, n, " = %s", name);
    }
}

struct json_t *psci_call_json(bool by_smc, const uint64_t x[PSCI_ARGUMENTS], const uint64_t *result)
{
    const struct psci_call *f = psci_call(psci_id(x[0]));
    json_t *j = json_object(), *list = json_array();
    char text[40];
    json_object_set_new(j, "conduit", json_string(by_smc ? "SMC" : "HVC"));
    if (f)
        json_object_set_new(j, "function", json_string(f->name));
    for (unsigned i = 0; i < PSCI_ARGUMENTS; i++) {
        snprintf(text, sizeof text, "0x%" PRIx64, x[i]);
        json_array_append_new(list, json_string(text));
    }
    json_object_set_new(j, "x", list);
    if (result) {
        result_text(f, *result, text, sizeof text);
        json_object_set_new(j, "result", json_string(text));
    }
    return j;
}
