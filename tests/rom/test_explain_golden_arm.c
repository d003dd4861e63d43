/* Explanations of A64 exceptions, returns and interrupts that are not taken, as text that was read against the Arm ARM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bits.h"
#include "explain_arm.h"
#include "explain_golden.h"

#include <stdio.h>
#include <string.h>

static unsigned total;

static void check(struct golden *g, const char *group)
{
    total += g->count;
    g->count = 0;
    assert_true(golden_check(g, "arm", group));
}

#define HCR_E2H (UINT64_C(1) << 34)
#define HCR_TGE (UINT64_C(1) << 27)

/* Every event from every level; from EL0 also where EL1 is not in charge of it. */
static void every_event(void **state)
{
    struct machine *base = a64_world(true);
    struct golden g = {.count = 0};
    (void)state;
    for (unsigned i = 0; i < a64_event_count; i++) {
        const struct a64_event *ev = &a64_events[i];
        for (unsigned k = 0; k < 6; k++) {
            static const char *const name[] = {"from EL0", "from EL1",      "from EL2",
                                               "from EL3", "from EL0, TGE", "from EL0 of a host"};
            unsigned el = k < 4 ? k : 0;
            struct machine *m = machine_fork(base);
            a64_place(m, el, ev->insn);
            if (k >= 4)
                a64_set(m, "hcr_el2", a64_get(m, "hcr_el2") | HCR_TGE | (k == 5 ? HCR_E2H : 0));
            if (ev->make)
                ev->make(m, el);
            golden_add(&g, name[k], explain_next(m, 0));
            machine_free(m);
        }
        check(&g, ev->name);
    }
    machine_free(base);
}

struct special {
    const char *name;
    unsigned el;
    uint32_t insn;
    unsigned stages;
    int lines; /* 1 IRQ, 2 FIQ, 4 SError */
    struct {
        const char *reg;
        uint64_t value; /* turned over in it */
    } flip[4];
};

#define LDR 0xf9400001
#define NOP 0xd503201f

static const struct special specials[] = {
    {"mrs sctlr_el1 at EL1, TRVM", 1, 0xd5381001, 0, 0, {{"hcr_el2", 1 << 30}}},
    {"msr ttbr0_el1 at EL1, TVM", 1, 0xd5182001, 0, 0, {{"hcr_el2", 1 << 26}}},
    {"msr ttbr0_el1 at EL1, fine-grained", 1, 0xd5182001, 0, 0, {{"scr_el3", 1 << 27}, {"hfgwtr_el2", UINT64_C(1) << 36}}},
    {"mrs id_aa64mmfr0_el1 at EL1, TID3", 1, 0xd5380701, 0, 0, {{"hcr_el2", 1 << 18}}},
    {"mrs cpacr_el1 at EL1, CPTR_EL2.TCPAC", 1, 0xd5381041, 0, 0, {{"cptr_el2", UINT64_C(1) << 31}}},
    {"mrs hcr_el2 at EL1", 1, 0xd53c1101, 0, 0, {{NULL, 0}}},
    {"mrs scr_el3 at EL2", 2, 0xd53e1101, 0, 0, {{NULL, 0}}},
    {"svc at EL0, fine-grained", 0, 0xd4000541, 0, 0, {{"scr_el3", 1 << 27}, {"hfgitr_el2", UINT64_C(1) << 52}}},
    {"eret at EL1, fine-grained", 1, 0xd69f03e0, 0, 0, {{"scr_el3", 1 << 27}, {"hfgitr_el2", UINT64_C(1) << 51}}},
    {"smc at EL1, TSC", 1, 0xd4000543, 0, 0, {{"hcr_el2", 1 << 19}}},
    {"smc at EL1, SMD", 1, 0xd4000543, 0, 0, {{"scr_el3", 1 << 7}}},
    {"hvc at EL1, no HCE", 1, 0xd4000542, 0, 0, {{"scr_el3", 1 << 8}}},
    {"wfi at EL0, nTWI=0", 0, 0xd503207f, 0, 0, {{"sctlr_el1", 1 << 16}}},
    {"wfi at EL1, TWI", 1, 0xd503207f, 0, 0, {{"hcr_el2", 1 << 13}}},
    {"wfi at EL2, SCR_EL3.TWI", 2, 0xd503207f, 0, 0, {{"scr_el3", 1 << 12}}},
    {"wfi at EL1, TWI, an IRQ is pending", 1, 0xd503207f, 0, 1, {{"hcr_el2", 1 << 13}}},
    {"fadd at EL0, CPACR_EL1.FPEN=1", 0, 0x1e602800, 0, 0, {{"cpacr_el1", 1 << 21}}},
    {"fadd at EL1, CPACR_EL1.FPEN=0", 1, 0x1e602800, 0, 0, {{"cpacr_el1", 3 << 20}}},
    {"fadd at EL1, CPTR_EL2.TFP", 1, 0x1e602800, 0, 0, {{"cptr_el2", 1 << 10}}},
    {"fadd at EL2, CPTR_EL3.TFP", 2, 0x1e602800, 0, 0, {{"cptr_el3", 1 << 10}}},
    {"paciasp at EL1, HCR_EL2.API=0", 1, 0xd503233f, 0, 0, {{"sctlr_el1", UINT64_C(1) << 31}, {"hcr_el2", UINT64_C(1) << 41}}},
    {"brk at EL1, MDCR_EL2.TDE", 1, 0xd4200540, 0, 0, {{"mdcr_el2", 1 << 8}}},
    {"software step at EL0", 0, NOP, 0, 0, {{"mdscr_el1", 1}, {"oslar_el1", 0}}},
    {"load at EL1, PAN", 1, LDR, 1, 0, {{"pstate", 1 << 22}}},
    {"load at EL0 of a page of EL1", 0, LDR, 1, 0, {{"x0", 3 << 12}}},
    {"store to a read-only page at EL1", 1, 0xf9000001, 1, 0, {{"x0", 1 << 12}}},
    {"load at EL1, SCTLR_EL1.A, unaligned", 1, LDR, 1, 0, {{"sctlr_el1", 2}, {"x0", 1}}},
    {"load at EL1, address outside of the ranges", 1, LDR, 1, 0, {{"x0", UINT64_C(1) << 45}}},
    {"load at EL1, tagged address, TBI=0", 1, LDR, 1, 0, {{"x0", UINT64_C(0x5a) << 56}}},
    {"load at EL1, TBI", 1, LDR, 1, 0, {{"x0", UINT64_C(0x5a) << 56}, {"tcr_el1", UINT64_C(1) << 37}}},
    {"load at EL1, EPD0", 1, LDR, 1, 0, {{"tcr_el1", 1 << 7}}},
    {"load at EL0, E0PD0", 0, LDR, 1, 0, {{"tcr_el1", UINT64_C(1) << 55}}},
    {"IRQ at EL1, masked, SCR_EL3.IRQ", 1, NOP, 0, 1, {{"scr_el3", 2}}},
    {"IRQ at EL1, masked, IMO", 1, NOP, 0, 1, {{"hcr_el2", 1 << 4}}},
    {"IRQ at EL2, IMO=0", 2, NOP, 0, 1, {{"pstate", 0x3c0}}},
    {"IRQ at EL2, IMO", 2, NOP, 0, 1, {{"pstate", 0x3c0}, {"hcr_el2", 1 << 4}}},
    {"IRQ at EL3, SCR_EL3.IRQ=0", 3, NOP, 0, 1, {{"pstate", 0x3c0}}},
    {"IRQ at EL3, SCR_EL3.IRQ", 3, NOP, 0, 1, {{"pstate", 0x3c0}, {"scr_el3", 2}}},
    {"IRQ and FIQ at EL0", 0, NOP, 0, 3, {{"pstate", 0x3c0}}},
    {"IRQ at EL0 of a host, masked", 0, NOP, 0, 1, {{"hcr_el2", HCR_E2H | HCR_TGE}}},
    {"IRQ at EL0, TGE, masked", 0, NOP, 0, 1, {{"hcr_el2", HCR_TGE}}},
    {"SError and IRQ at EL1, EA", 1, NOP, 0, 5, {{"scr_el3", 8}}},
    {"virtual IRQ and physical FIQ at EL1", 1, NOP, 0, 2, {{"pstate", 0x3c0}, {"hcr_el2", 1 << 4 | 1 << 7 | 1 << 3}}},
    {"virtual IRQ at EL2", 2, NOP, 0, 0, {{"pstate", 0x3c0}, {"hcr_el2", 1 << 4 | 1 << 7}}},
    {"virtual IRQ at EL1, masked", 1, NOP, 0, 0, {{"hcr_el2", 1 << 4 | 1 << 7}}},
    {"virtual IRQ with Superpriority at EL1, masked by PSTATE.I",
     1,
     NOP,
     0,
     0,
     {{"hcr_el2", 1 << 4 | 1 << 7}, {"sctlr_el1", UINT64_C(1) << 61}, {"hcrx_el2", 1 << 7}, {"scr_el3", UINT64_C(1) << 38}}},
    {"IRQ at EL1, ALLINT", 1, NOP, 0, 1, {{"pstate", 0x23c0}, {"sctlr_el1", UINT64_C(1) << 61}}},
    {"IRQ at EL1, SPINTMASK", 1, NOP, 0, 1, {{"pstate", 0x3c0}, {"sctlr_el1", UINT64_C(3) << 61}}},
    {"eret from EL2 to EL1", 2, 0xd69f03e0, 0, 0, {{"spsr_el2", 0x600003c5}, {"elr_el2", 0x40002000}}},
    {"eret from EL2 to EL1, TGE: illegal", 2, 0xd69f03e0, 0, 0, {{"spsr_el2", 5}, {"hcr_el2", HCR_TGE}}},
    {"eret from EL1 to EL2: illegal", 1, 0xd69f03e0, 0, 0, {{"spsr_el1", 9}}},
    {"eret from EL3 to EL0", 3, 0xd69f03e0, 0, 0, {{"spsr_el3", 0x80000000}, {"elr_el3", 0x40002000}}},
};

static void special_cases(void **state)
{
    struct machine *base = a64_world(true);
    struct golden g = {.count = 0};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(specials); i++) {
        const struct special *s = &specials[i];
        struct machine *m = machine_fork(base);
        a64_place(m, s->el, s->insn);
        if (s->stages)
            a64_paging(m, s->stages);
        for (unsigned k = 0; k < ARRAY_LEN(s->flip) && s->flip[k].reg; k++)
            a64_set(m, s->flip[k].reg, a64_get(m, s->flip[k].reg) ^ s->flip[k].value);
        for (unsigned line = 0; line < 2; line++)
            if (s->lines >> line & 1)
                a64_line(m, line);
        if (s->lines & 4)
            a64_serror(m);
        golden_add(&g, s->name, explain_next(m, 0));
        machine_free(m);
    }
    check(&g, "special");
    machine_free(base);
}

static void at_least_two_hundred(void **state)
{
    (void)state;
    printf("%u golden explanations\n", total);
    assert_true(total >= 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event),
        cmocka_unit_test(special_cases),
        cmocka_unit_test(at_least_two_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
