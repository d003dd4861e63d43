/* Names of registers in logs. */
#include "base/bits.h"
#include "csr/arm/sysreg.h"
#include "csr/riscv/csr.h"
#include "debug/logs/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const x_abi[32] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                      "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                      "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
static const char *const f_abi[32] = {"ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1", "fa0",
                                      "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4", "fs5",
                                      "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

void log_reg_name(const struct log_reg *g, bool arm, char *out, size_t cap)
{
    static const char letter[] = "xfv";
    if (g->class == LOG_CSR)
        csr_name(g->number, out, cap);
    else if (g->class == LOG_SYSTEM)
        sysreg_name(g->number, out, cap);
    else if (arm && g->class == LOG_X && g->number == 31)
        snprintf(out, cap, "sp");
    else
        snprintf(out, cap, "%c%u", letter[g->class], g->number);
}

/* "x12": a letter and a number below limit. */
static bool numbered(const char *name, char letter, unsigned limit, uint16_t *number)
{
    char *end;
    if (name[0] != letter || !isdigit((unsigned char)name[1]))
        return false;
    unsigned long v = strtoul(name + 1, &end, 10);
    *number = (uint16_t)v;
    return !*end && v < limit;
}

static bool listed(const char *name, const char *const *list, uint16_t *number)
{
    for (uint16_t i = 0; i < 32; i++)
        if (!strcmp(name, list[i])) {
            *number = i;
            return true;
        }
    return false;
}

static bool riscv(const char *name, struct log_reg *g)
{
    int csr;
    if (numbered(name, 'x', 32, &g->number) || listed(name, x_abi, &g->number))
        return g->class = LOG_X, true;
    if (!strcmp(name, "fp"))
        return g->class = LOG_X, g->number = 8, true;
    if (numbered(name, 'f', 32, &g->number) || listed(name, f_abi, &g->number))
        return g->class = LOG_F, true;
    if (numbered(name, 'v', 32, &g->number))
        return g->class = LOG_V, true;
    if ((csr = csr_num_by_name(name)) < 0 && !numbered(name, 'c', 4096, &g->number))
        return false;
    if (csr >= 0)
        g->number = (uint16_t)csr;
    return g->class = LOG_CSR, true;
}

static bool a64(const char *name, struct log_reg *g)
{
    if (numbered(name, 'x', 31, &g->number) || numbered(name, 'w', 31, &g->number))
        return g->class = LOG_X, true;
    if (!strcmp(name, "sp"))
        return g->class = LOG_X, g->number = 31, true;
    if (!strcmp(name, "lr"))
        return g->class = LOG_X, g->number = 30, true;
    if (numbered(name, 'v', 32, &g->number) || numbered(name, 'q', 32, &g->number) || numbered(name, 'd', 32, &g->number) ||
        numbered(name, 's', 32, &g->number))
        return g->class = LOG_V, true;
    unsigned id = sysreg_by_name(name);
    if (id == SR_NONE)
        return false;
    g->number = (uint16_t)id;
    return g->class = LOG_SYSTEM, true;
}

bool log_reg_parse(const char *name, bool arm, struct log_reg *g)
{
    char low[40];
    size_t n = 0;
    for (; name[n] && n + 1 < sizeof low; n++)
        low[n] = (char)tolower((unsigned char)name[n]);
    low[n] = '\0';
    return arm ? a64(low, g) : riscv(low, g);
}
