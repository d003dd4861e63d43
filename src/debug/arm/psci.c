#include "debug/arm/psci.h"
#include "base/bits.h"

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
