/* AArch64 for debuggers: GDB manual, "AArch64 Features". */
#include "debug/arm/target.h"
#include "base/bits.h"
#include "debug/arm/esr.h"
#include "debug/arm/psci.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURE_CORE, FEATURE_FPU, FEATURE_PAUTH, FEATURE_SYSTEM };
static const char *const features[] = {"org.gnu.gdb.aarch64.core", "org.gnu.gdb.aarch64.fpu", "org.gnu.gdb.aarch64.pauth",
                                       "org.trapline.aarch64.system", NULL};
static const char *const types[] = {
    NULL,
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/><vector id=\"v2u\" type=\"uint64\" count=\"2\"/>"
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v4u\" type=\"uint32\" count=\"4\"/>"
    "<vector id=\"v8u\" type=\"uint16\" count=\"8\"/><vector id=\"v16u\" type=\"uint8\" count=\"16\"/>"
    "<union id=\"vnd\"><field name=\"f\" type=\"v2d\"/><field name=\"u\" type=\"v2u\"/></union>"
    "<union id=\"vns\"><field name=\"f\" type=\"v4f\"/><field name=\"u\" type=\"v4u\"/></union>"
    "<union id=\"vnh\"><field name=\"u\" type=\"v8u\"/></union><union id=\"vnb\"><field name=\"u\" type=\"v16u\"/></union>"
    "<union id=\"vnq\"><field name=\"u\" type=\"uint128\"/></union>"
    "<union id=\"aarch64v\"><field name=\"d\" type=\"vnd\"/><field name=\"s\" type=\"vns\"/><field name=\"h\" type=\"vnh\"/>"
    "<field name=\"b\" type=\"vnb\"/><field name=\"q\" type=\"vnq\"/></union>",
    NULL, NULL};

static const char *architecture(struct machine *m)
{
    (void)m;
    return "aarch64";
}

static void place(struct machine *m, const struct machine_register *r, struct target_place *p)
{
    (void)m;
    *p = (struct target_place){.feature = FEATURE_SYSTEM, .name = r->name, .bits = r->width};
    if (r->group == MACHINE_GENERAL) {
        p->feature = FEATURE_CORE;
        if (!strcmp(r->name, "pstate"))
            p->name = "cpsr";
        else
            p->type = !strcmp(r->name, "pc") ? "code_ptr" : !strcmp(r->name, "sp") ? "data_ptr" : "int";
    } else if (r->group == MACHINE_VECTOR) {
        p->feature = FEATURE_FPU;
        p->type = "aarch64v";
    } else if (!strcmp(r->name, "fpsr") || !strcmp(r->name, "fpcr")) {
        p->feature = FEATURE_FPU;
        p->bits = 32;
    } else if (r->group == MACHINE_MODE) {
        p->type = "uint8";
    }
}

/* ---- pointer authentication ----------------------------------------------------------------------------------------------- */

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

/* The bits of a code in a pointer of the lower half of the address space, which GDB clears (Arm ARM D8.9.1). In the upper half
   they would have to be set, and GDB does not: there is no mask while the PE runs there. */
static uint64_t pac_mask(struct machine *m, unsigned hart)
{
    uint64_t el = reg(m, hart, "el"), tcr;
    bool two = el < 2 || (reg(m, hart, "hcr_el2") >> 34 & 1); /* E2H */
    if (reg(m, hart, "pc") >> 55 & 1)
        return 0;
    tcr = reg(m, hart, el == 3 ? "tcr_el3" : el == 2 ? "tcr_el2" : "tcr_el1");
    unsigned t0sz = tcr & 63, width = t0sz >= 16 && t0sz <= 48 ? 64 - t0sz : 48;
    bool tbi = tcr >> (two && el != 3 ? 37 : 20) & 1;
    return bits_mask(width, 55 - width) | (tbi ? 0 : UINT64_C(0xff) << 56);
}

static const struct target_extra extras[] = {
    {"pauth_dmask", FEATURE_PAUTH, 64, pac_mask}, {"pauth_cmask", FEATURE_PAUTH, 64, pac_mask}, {0}};

static bool has_extras(struct machine *m) { return machine_register_named(m, "apiakeylo_el1") >= 0; }

/* ---- exceptions ----------------------------------------------------------------------------------------------------------- */

static const char *const interrupts[] = {"IRQ", "FIQ", "SError"};

static void mode(uint8_t priv, uint8_t v, char out[24]) { snprintf(out, 24, "%sEL%u", v && priv < 3 ? "Secure " : "", priv); }

static void cause(const struct machine_change *c, char out[96])
{
    if (c->interrupt)
        snprintf(out, 96, "%s", c->cause < ARRAY_LEN(interrupts) ? interrupts[c->cause] : "interrupt");
    else
        esr_text(c->cause, out, 96);
}

static void value(const struct machine_change *c, char out[64])
{
    if (!c->interrupt && esr_has_far(c->cause))
        snprintf(out, 64, ", address 0x%" PRIx64, c->tval);
    else
        out[0] = '\0';
}

static uint64_t number(const struct machine_change *c) { return c->interrupt ? c->cause : c->cause >> 26 & 63; }

static bool cause_at(unsigned i, struct target_cause *k)
{
    if (i < ARRAY_LEN(interrupts)) {
        *k = (struct target_cause){true, (uint8_t)i, interrupts[i], NULL};
        return true;
    }
    const struct esr_class *c = esr_class_at(i - (unsigned)ARRAY_LEN(interrupts));
    if (c)
        *k = (struct target_cause){false, c->ec, c->name, NULL};
    return c;
}

static bool call(struct machine *m, const struct machine_change *c, char *out, size_t cap)
{
    static const char *const name[] = {"SVC", "HVC", "SMC"};
    const uint64_t first = 0x15; /* EC of SVC; HVC and SMC follow */
    uint64_t ec = c->cause >> 26 & 63, x[4] = {0};
    if (c->is_return || c->interrupt || ec < first || ec > first + 2)
        return false;
    for (unsigned i = 0; i < 4; i++)
        machine_get_reg(m, c->hart, (const char *const[]){"x0", "x1", "x2", "x3"}[i], &x[i]);
    const struct psci_call *k = ec > first ? psci_call((uint32_t)x[0]) : NULL;
    if (k)
        snprintf(out, cap, "%s: %s, x1=0x%" PRIx64 " x2=0x%" PRIx64 " x3=0x%" PRIx64, name[ec - first], k->name, x[1], x[2],
                 x[3]);
    else
        snprintf(out, cap, "%s #%u with x0=0x%" PRIx64 " x1=0x%" PRIx64 " x2=0x%" PRIx64 " x3=0x%" PRIx64, name[ec - first],
                 (unsigned)(c->cause & 0xffff), x[0], x[1], x[2], x[3]);
    return true;
}

const struct target_ops arm_target = {.architecture = architecture,
                                      .features = features,
                                      .types = types,
                                      .place = place,
                                      .extras = extras,
                                      .has_extras = has_extras,
                                      .mode = mode,
                                      .cause = cause,
                                      .value = value,
                                      .number = number,
                                      .number_name = "EC",
                                      .cause_at = cause_at,
                                      .call = call};
