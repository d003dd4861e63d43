#include "debug/riscv/cause.h"
#include "base/bits.h"

static const struct rv_cause causes[] = {
#define CAUSE(number, title, tells, what) {.code = number, .name = title, .meaning = what, .tval = tells},
#define IRQ(number, title, what)          {.interrupt = true, .code = number, .name = title, .meaning = what, .tval = "0"},
#include "debug/riscv/cause.def"
};

const struct rv_cause *rv_cause_at(unsigned i) { return i < ARRAY_LEN(causes) ? &causes[i] : 0; }

const struct rv_cause *rv_cause(bool interrupt, uint64_t code)
{
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++)
        if (causes[i].interrupt == interrupt && causes[i].code == code)
            return &causes[i];
    return 0;
}
