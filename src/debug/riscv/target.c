/* RISC-V for debuggers: GDB manual, "RISC-V Features". */
#include "debug/riscv/target.h"
#include "debug/riscv/cause.h"
#include "debug/riscv/sbi.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURE_CPU, FEATURE_FPU, FEATURE_VIRTUAL, FEATURE_CSR };
static const char *const features[] = {"org.gnu.gdb.riscv.cpu", "org.gnu.gdb.riscv.fpu", "org.gnu.gdb.riscv.virtual",
                                       "org.gnu.gdb.riscv.csr", NULL};
static const char *const types[] = {NULL,
                                    "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/><field "
                                    "name=\"double\" type=\"ieee_double\"/></union>",
                                    NULL, NULL};

static bool is_rv32(struct machine *m)
{
    struct machine_register r;
    return machine_register(m, 0, 0, &r) && r.width == 32;
}

static const char *architecture(struct machine *m) { return is_rv32(m) ? "riscv:rv32" : "riscv:rv64"; }

/* GDB knows priv as `priv`, as wide as a register. */
static void place(struct machine *m, const struct machine_register *r, struct target_place *p)
{
    *p = (struct target_place){.feature = FEATURE_CSR, .name = r->name, .bits = r->width};
    if (r->group == MACHINE_GENERAL) {
        bool code = !strcmp(r->name, "pc") || !strcmp(r->name, "x1"), data = r->alias && r->name[1] >= '2' && !r->name[2];
        p->feature = FEATURE_CPU;
        p->name = r->alias ? r->alias : r->name;
        p->type = code ? "code_ptr" : data && r->name[1] <= '4' ? "data_ptr" : "int";
    } else if (r->group == MACHINE_FLOAT) {
        p->feature = FEATURE_FPU;
        p->name = r->alias;
        p->type = r->width == 64 ? "riscv_double" : "ieee_single";
    } else if (r->group == MACHINE_MODE) {
        p->feature = FEATURE_VIRTUAL;
        p->name = !strcmp(r->name, "v") ? "virt" : r->name;
        p->type = "int";
        p->bits = is_rv32(m) ? 32 : 64;
    } else if (r->number >= 1 && r->number <= 3) { /* fflags, frm, fcsr */
        p->feature = FEATURE_FPU;
        p->bits = 32;
        p->type = "int";
    }
}

static void mode(uint8_t priv, uint8_t v, char out[24])
{
    snprintf(out, 24, "%s", priv == 3 ? "M" : priv ? (v ? "VS" : "HS") : v ? "VU" : "U");
}

static void cause(const struct machine_change *c, char out[96])
{
    const struct rv_cause *k = rv_cause(c->interrupt, c->cause);
    if (c->nmi)
        snprintf(out, 96, "non-maskable interrupt");
    else
        snprintf(out, 96, "%s (cause %" PRIu64 ")", k ? k->name : c->interrupt ? "interrupt" : "exception", c->cause);
}

/* What xtval has, by cause (priv "Machine Trap Value (mtval) Register"): nothing of interrupts and calls; the bits of the
   instruction where the hart gives them; a code of a software check; else an address, of which 0 is one as well. A double trap
   has that of the trap it could not take, whose cause is in xtval2 (priv "Double Trap"). */
static void value(const struct machine_change *c, char out[64])
{
    enum { ILLEGAL = 2, ECALL_U = 8, ECALL_M = 11, DOUBLE = 16, SOFTWARE_CHECK = 18, HARDWARE_ERROR = 19, VIRTUAL = 22 };
    uint64_t cause = c->cause == DOUBLE ? c->tval2 : c->cause;
    bool bits = cause == ILLEGAL || cause == VIRTUAL, call = cause >= ECALL_U && cause <= ECALL_M;
    if (c->interrupt || c->nmi || (!c->tval && (bits || call || cause == HARDWARE_ERROR)))
        out[0] = '\0';
    else
        snprintf(out, 64, ", %s 0x%" PRIx64, bits ? "instruction" : cause == SOFTWARE_CHECK ? "code" : "address", c->tval);
}

static uint64_t number(const struct machine_change *c) { return c->cause; }

static bool cause_at(unsigned i, struct target_cause *k)
{
    const struct rv_cause *c = rv_cause_at(i);
    if (c)
        *k = (struct target_cause){c->interrupt, c->code, c->name, c->meaning};
    return c;
}

static bool call(struct machine *m, const struct machine_change *c, char *out, size_t cap)
{
    static const char *const name[8] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};
    uint64_t a[8] = {0};
    if (c->is_return || c->interrupt || c->nmi || c->cause < 8 || c->cause > 11)
        return false;
    for (unsigned i = 0; i < 8; i++)
        machine_get_reg(m, c->hart, name[i], &a[i]);
    struct sbi_call k = {.xlen = is_rv32(m) ? 32 : 64};
    memcpy(k.a, a, sizeof k.a);
    if (c->priv == 0) /* of a program to its kernel */
        snprintf(out, cap, "ecall with a7=0x%" PRIx64 " a0=0x%" PRIx64 " a1=0x%" PRIx64, a[7], a[0], a[1]);
    else
        sbi_call_text(&k, NULL, out, cap);
    return true;
}

static bool no_extras(struct machine *m)
{
    (void)m;
    return false;
}

const struct target_ops riscv_target = {.architecture = architecture,
                                        .features = features,
                                        .types = types,
                                        .place = place,
                                        .has_extras = no_extras,
                                        .mode = mode,
                                        .cause = cause,
                                        .value = value,
                                        .number = number,
                                        .number_name = "cause",
                                        .cause_at = cause_at,
                                        .call = call};
