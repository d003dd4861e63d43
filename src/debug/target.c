#include "debug/target.h"
#include "debug/arm/target.h"
#include "debug/riscv/target.h"
#include "machine/machine.h"

#include <ctype.h>

const struct target_ops *target_ops(struct machine *m) { return m->arch == &riscv_arch ? &riscv_target : &arm_target; }

bool target_name_begins(const char *name, const char *text)
{
    for (; *text; text++, name++) {
        char c = *text == '-' || *text == '_' ? ' ' : *text;
        if (tolower((unsigned char)c) != tolower((unsigned char)*name))
            return false;
    }
    return true;
}
