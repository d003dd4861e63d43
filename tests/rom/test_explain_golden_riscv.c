/* Explanations of RISC-V traps, returns and interrupts that are not taken, as text that was read against the manual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bits.h"
#include "explain_golden.h"
#include "explain_riscv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned total;

static void check(struct golden *g, const char *group)
{
    total += g->count;
    g->count = 0;
    assert_true(golden_check(g, "riscv", group));
}

static void delegate(struct machine *m, const struct rv_event *e, unsigned k)
{
    bool irq = e->cause >= RV_IRQ;
    uint64_t bit = UINT64_C(1) << (e->cause & 63);
    rv_set(m, irq ? "mideleg" : "medeleg", k & 1 ? bit : 0);
    rv_set(m, irq ? "hideleg" : "hedeleg", k & 2 ? bit : 0);
}

/* Every event from every mode, to every mode it can go to. */
static void every_event(void **state)
{
    static const uint32_t nop = 0x13;
    static const char *const how[] = {"not delegated", "delegated", "", "delegated on"};
    struct machine *with_c = rv_world("rv64"), *without = rv_world("rv64,zca=off,zcb=off,c=off");
    struct golden g = {.count = 0};
    (void)state;
    for (unsigned i = 0; i < rv_event_count; i++) {
        const struct rv_event *e = &rv_events[i];
        for (unsigned mode = 0; mode < MODES; mode++) {
            for (unsigned k = 0; k < 4; k++) {
                bool below_m = mode != MODE_M, guest = mode == MODE_VS || mode == MODE_VU;
                if (!(e->modes >> mode & 1) || k == 2 || (k == 1 && !below_m) || (k == 3 && !guest))
                    continue;
                char name[96];
                struct machine *m = machine_fork(e->cause ? with_c : without);
                rv_place(m, mode, &nop, 1);
                delegate(m, e, k);
                snprintf(name, sizeof name, "from %s, %s", mode_names[mode], how[k]);
                golden_add(&g, name, rv_explain(m, e, mode));
                machine_free(m);
            }
        }
        check(&g, e->name);
    }
    machine_free(with_c);
    machine_free(without);
}

/* An access to every kind of page-table entry, in one stage and in two. */
static void walks(void **state)
{
    static const char *const kind[] = {"invalid",       "read-write", "read-only",   "write-only",
                                       "execute-only",  "A=0",        "D=0",         "pointer",
                                       "reserved bits", "PBMT",       "N, bad size", "N, 64 KiB",
                                       "no memory",     "device",     "kept by PMP", "read-write-execute"};
    static const uint32_t load = 0x00053583, store = 0x00b53023;
    struct machine *base = rv_world("rv64");
    struct golden g = {.count = 0};
    (void)state;
    for (unsigned two = 0; two < 2; two++) {
        for (unsigned k = 0; k < PAGES * 2; k++) {
            char name[96];
            struct machine *m = machine_fork(base);
            bool is_store = k % 2;
            rv_place(m, two ? MODE_VS : MODE_S, is_store ? &store : &load, 1);
            rv_paging(m, two ? MODE_VS : MODE_S);
            rv_set(m, "a0", rv_page(MODE_S, k / 2 + (two ? PAGE_G : 0)) + 8);
            snprintf(name, sizeof name, "%s, %s", is_store ? "store" : "load", kind[k / 2]);
            golden_add(&g, name, explain_next(m, 0));
            machine_free(m);
        }
        check(&g, two ? "walks_of_two_stages" : "walks_of_one_stage");
    }
    machine_free(base);
}

struct special {
    const char *name, *cpu;
    unsigned mode;
    uint32_t insn;
    struct {
        const char *reg;
        uint64_t value;
    } set[8];
};

/* What the tables of events do not have. */
static const struct special specials[] = {
    {"mret to VS", "rv64", MODE_M, 0x30200073, {{"mstatus", UINT64_C(1) << 39 | 1 << 11 | 1 << 7}, {"mepc", 0x80002000}}},
    {"mret to U, MPRV", "rv64", MODE_M, 0x30200073, {{"mstatus", 1 << 17 | 1 << 7}, {"mepc", 0x80002002}}},
    {"mret in S", "rv64", MODE_S, 0x30200073, {{NULL, 0}}},
    {"sret to VU", "rv64", MODE_S, 0x10200073, {{"hstatus", 1 << 7}, {"sepc", 0x80002000}}},
    {"sret in VS", "rv64", MODE_VS, 0x10200073, {{"vsstatus", 1 << 8 | 1 << 5}, {"vsepc", 0x80002000}}},
    {"sret in S, TSR", "rv64", MODE_S, 0x10200073, {{"mstatus", 1 << 22}}},
    {"sret in VS, VTSR", "rv64", MODE_VS, 0x10200073, {{"hstatus", 1 << 22}}},
    {"wfi in VS, VTW", "rv64", MODE_VS, 0x10500073, {{"hstatus", 1 << 21}}},
    {"wfi in S, TW", "rv64", MODE_S, 0x10500073, {{"mstatus", 1 << 21}}},
    {"sfence.vma in S, TVM", "rv64", MODE_S, 0x12000073, {{"mstatus", 1 << 20}}},
    {"sfence.vma in VS, VTVM", "rv64", MODE_VS, 0x12000073, {{"hstatus", 1 << 20}}},
    {"hfence.gvma in VS", "rv64", MODE_VS, 0x62000073, {{NULL, 0}}},
    {"hlv.d in U, HU=0", "rv64", MODE_U, 0x6c0545f3, {{NULL, 0}}},
    {"csrr time in VU, all but hcounteren", "rv64", MODE_VU, 0xc01025f3, {{"mcounteren", 7}, {"scounteren", 7}}},
    {"csrr time in U, scounteren", "rv64", MODE_U, 0xc01025f3, {{"mcounteren", 7}}},
    {"csrw satp in VS, VTVM", "rv64", MODE_VS, 0x18051073, {{"hstatus", 1 << 20}}},
    {"csrr stimecmp in VS, henvcfg.STCE",
     "rv64",
     MODE_VS,
     0x14d025f3,
     {{"mcounteren", 2}, {"hcounteren", 2}, {"menvcfg", UINT64_C(1) << 63}}},
    {"csrr mstatus in S", "rv64", MODE_S, 0x300025f3, {{NULL, 0}}},
    {"csrr hstatus in VU", "rv64", MODE_VU, 0x600025f3, {{NULL, 0}}},
    {"csrw cycle in M", "rv64", MODE_M, 0xc0051073, {{NULL, 0}}},
    {"csrr senvcfg in S, mstateen0", "rv64", MODE_S, 0x10a025f3, {{NULL, 0}}},
    {"csrr fcsr in VS, vsstatus.FS off", "rv64", MODE_VS, 0x003025f3, {{"vsstatus", 0}}},
    {"fadd.d, FS off", "rv64", MODE_U, 0x02a57553, {{"mstatus", 0}}},
    {"fadd.d, reserved rounding mode", "rv64", MODE_U, 0x02a57553, {{"frm", 5}}},
    {"cbo.zero in VU, henvcfg", "rv64", MODE_VU, 0x0045200f, {{"menvcfg", 0xf0}, {"senvcfg", 0xf0}}},
    {"cbo.inval in U", "rv64", MODE_U, 0x0005200f, {{NULL, 0}}},
    {"ssamoswap in S, SSE off", "rv64", MODE_S, 0x48b525af, {{NULL, 0}}},
    {"ecall in S, SDT", "rv64", MODE_S, 0x73, {{"medeleg", 0x200}, {"menvcfg", UINT64_C(1) << 59}, {"mstatus", 1 << 24}}},
    {"ecall in VS, vsstatus.SDT",
     "rv64",
     MODE_VS,
     0x73,
     {{"medeleg", 0x400}, {"menvcfg", UINT64_C(1) << 59}, {"henvcfg", UINT64_C(1) << 59}, {"vsstatus", 1 << 24}}},
    {"breakpoint in VS, vsstatus.SDT",
     "rv64",
     MODE_VS,
     0x00100073,
     {{"medeleg", 8}, {"hedeleg", 8}, {"menvcfg", UINT64_C(1) << 59}, {"henvcfg", UINT64_C(1) << 59}, {"vsstatus", 1 << 24}}},
    {"ecall in M, MDT", "rv64,smdbltrp=on", MODE_M, 0x73, {{"mstatus", UINT64_C(1) << 42}}},
    {"ecall in M, MDT, Smrnmi", "rv64,smdbltrp=on,smrnmi=on", MODE_M, 0x73, {{"mstatus", UINT64_C(1) << 42}, {"mnstatus", 8}}},
    {"ecall in M, NMIE=0", "rv64,smrnmi=on", MODE_M, 0x73, {{NULL, 0}}},
    {"mnret to S", "rv64,smrnmi=on", MODE_M, 0x70200073, {{"mnstatus", 1 << 11}, {"mnepc", 0x80002000}}},
    {"load of S, SUM=0", "rv64", MODE_S, 0x00053583, {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x40021008}}},
    {"load of S, SUM=1",
     "rv64",
     MODE_S,
     0x00053583,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x40021008}, {"mstatus", 1 << 18}}},
    {"load of S, execute-only, MXR",
     "rv64",
     MODE_S,
     0x00053583,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x40004008}, {"mstatus", 1 << 19}}},
    {"load of S, A=0, ADUE",
     "rv64",
     MODE_S,
     0x00053583,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x40005008}, {"menvcfg", UINT64_C(1) << 61}}},
    {"load of S, not canonical", "rv64", MODE_S, 0x00053583, {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x8000000000}}},
    {"load of S, pointer masking",
     "rv64",
     MODE_S,
     0x00053583,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", UINT64_C(0x1200000040000000)}, {"menvcfg", UINT64_C(3) << 32}}},
    {"load of S across two pages", "rv64", MODE_S, 0x00053583, {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x40001ffc}}},
    {"load of M, locked PMP", "rv64", MODE_M, 0x00053583, {{"a0", 0x80800000}, {"pmpcfg0", 0x1f98}}},
    {"load of M, MMWP", "rv64", MODE_M, 0x00053583, {{"a0", 0x80800000}, {"pmpcfg0", 0}, {"mseccfg", 2}}},
    {"two interrupts for M", "rv64", MODE_S, 0x13, {{"mip", 0x2}, {"hvip", 4}, {"mie", 0xffff}, {"mstatus", 0xa}}},
    {"SSI and VSSI in VS",
     "rv64",
     MODE_VS,
     0x13,
     {{"mip", 0x2}, {"hvip", 4}, {"mie", 0xffff}, {"mideleg", 0x2222}, {"hideleg", 0x444}, {"vsstatus", 2}}},
    {"SSI in S, SIE=0", "rv64", MODE_S, 0x13, {{"mip", 0x2}, {"mie", 0xffff}, {"mideleg", 0x2222}}},
    {"SSI in M, delegated", "rv64", MODE_M, 0x13, {{"mip", 0x2}, {"mie", 0xffff}, {"mideleg", 0x2222}, {"mstatus", 0xa}}},
    {"VSSI in S, delegated to VS",
     "rv64",
     MODE_S,
     0x13,
     {{"hvip", 4}, {"mie", 0xffff}, {"hideleg", 0x444}, {"mstatus", 0xa}, {"vsstatus", 2}}},
    {"VSSI in VS, vectored",
     "rv64",
     MODE_VS,
     0x13,
     {{"hvip", 4}, {"mie", 0xffff}, {"hideleg", 0x444}, {"vsstatus", 2}, {"vstvec", 0x80006001}}},
    {"SSI in S, NMIE=0", "rv64,smrnmi=on", MODE_S, 0x13, {{"mip", 0x2}, {"mie", 0xffff}, {"mideleg", 0x2222}, {"mstatus", 0xa}}},
    {"sret in M to VS", "rv64", MODE_M, 0x10200073, {{"hstatus", 1 << 7}, {"mstatus", 1 << 8}, {"sepc", 0x80002000}}},
    {"mret to M", "rv64", MODE_M, 0x30200073, {{"mstatus", UINT64_C(1) << 39 | 3 << 11 | 1 << 17}, {"mepc", 0x80002000}}},
    {"mret to VU, MDT and SDT",
     "rv64,smdbltrp=on",
     MODE_M,
     0x30200073,
     {{"menvcfg", UINT64_C(1) << 59},
      {"henvcfg", UINT64_C(1) << 59},
      {"mstatus", UINT64_C(1) << 42 | UINT64_C(1) << 39 | 1 << 24},
      {"vsstatus", 1 << 24},
      {"mepc", 0x80002000}}},
    {"sret to VU, SDT",
     "rv64",
     MODE_S,
     0x10200073,
     {{"menvcfg", UINT64_C(1) << 59},
      {"henvcfg", UINT64_C(1) << 59},
      {"mstatus", 1 << 24},
      {"vsstatus", 1 << 24},
      {"hstatus", 1 << 7},
      {"sepc", 0x80002000}}},
    {"mret to S, MPELP",
     "rv64",
     MODE_M,
     0x30200073,
     {{"menvcfg", 4}, {"mstatus", UINT64_C(1) << 41 | 1 << 11}, {"mepc", 0x80002000}}},
    {"mret to U, MPELP, landing pads off there",
     "rv64",
     MODE_M,
     0x30200073,
     {{"menvcfg", 4}, {"mstatus", UINT64_C(1) << 41}, {"mepc", 0x80002000}}},
    {"mnret to VS", "rv64,smrnmi=on", MODE_M, 0x70200073, {{"mnstatus", 1 << 11 | 1 << 7}, {"mnepc", 0x80002000}}},
    {"mnret to VU, MDT, Smdbltrp",
     "rv64,smrnmi=on,smdbltrp=on",
     MODE_M,
     0x70200073,
     {{"mnstatus", 1 << 7}, {"mstatus", UINT64_C(1) << 42}, {"mnepc", 0x80002000}}},
    {"sret in VU", "rv64", MODE_VU, 0x10200073, {{NULL, 0}}},
    {"sret in U", "rv64", MODE_U, 0x10200073, {{NULL, 0}}},
    {"wfi in VU", "rv64", MODE_VU, 0x10500073, {{NULL, 0}}},
    {"wfi in U", "rv64", MODE_U, 0x10500073, {{NULL, 0}}},
    {"wrs.nto in VS, VTW", "rv64", MODE_VS, 0x00d00073, {{"hstatus", 1 << 21}}},
    {"sfence.vma in VU", "rv64", MODE_VU, 0x12000073, {{NULL, 0}}},
    {"sfence.vma in U", "rv64", MODE_U, 0x12000073, {{NULL, 0}}},
    {"hfence.gvma in S, TVM", "rv64", MODE_S, 0x62000073, {{"mstatus", 1 << 20}}},
    {"hlv.d in VS", "rv64", MODE_VS, 0x6c0545f3, {{NULL, 0}}},
    {"csrr vsstatus in VS", "rv64", MODE_VS, 0x200025f3, {{NULL, 0}}},
    {"csrr sstatus in U", "rv64", MODE_U, 0x100025f3, {{NULL, 0}}},
    {"csrr sstatus in VU", "rv64", MODE_VU, 0x100025f3, {{NULL, 0}}},
    {"csrr mstatus in VS", "rv64", MODE_VS, 0x300025f3, {{NULL, 0}}},
    {"csrr hgatp in S, TVM", "rv64", MODE_S, 0x680025f3, {{"mstatus", 1 << 20}}},
    {"csrr ssp in VU, henvcfg and senvcfg", "rv64", MODE_VU, 0x011025f3, {{"menvcfg", 8}}},
    {"csrr seed in S", "rv64", MODE_S, 0x015025f3, {{NULL, 0}}},
    {"csrr fcsr in VS, both FS off", "rv64", MODE_VS, 0x003025f3, {{"mstatus", 0}, {"vsstatus", 0}}},
    {"store to a shadow stack page",
     "rv64",
     MODE_S,
     0x00b53023,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"a0", 0x40003008}, {"menvcfg", 8}}},
    {"sspush to a page that is none",
     "rv64",
     MODE_S,
     0xce104073,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"ssp", 0x40001010}, {"menvcfg", 8}}},
    {"sspush to a read-only page",
     "rv64",
     MODE_S,
     0xce104073,
     {{"satp", UINT64_C(8) << 60 | 0x80100}, {"ssp", 0x40002010}, {"menvcfg", 8}}},
    {"load of VS, SUM=0", "rv64", MODE_VS, 0x00053583, {{"vsatp", UINT64_C(8) << 60 | 0x80110}, {"a0", 0x40021008}}},
    {"load of VS, execute-only, sstatus.MXR",
     "rv64",
     MODE_VS,
     0x00053583,
     {{"vsatp", UINT64_C(8) << 60 | 0x80110}, {"a0", 0x40004008}, {"mstatus", 1 << 19}}},
    {"load of VS, A=0, ADUE",
     "rv64",
     MODE_VS,
     0x00053583,
     {{"vsatp", UINT64_C(8) << 60 | 0x80110},
      {"hgatp", UINT64_C(8) << 60 | 0x80120},
      {"a0", 0x40005008},
      {"menvcfg", UINT64_C(1) << 61},
      {"henvcfg", UINT64_C(1) << 61}}},
    {"load of M, MPRV as VS",
     "rv64",
     MODE_M,
     0x00053583,
     {{"vsatp", UINT64_C(8) << 60 | 0x80110}, {"a0", 0x40000008}, {"mstatus", UINT64_C(1) << 39 | 1 << 17 | 1 << 11}}},
    {"SSI in U, SDT: a double trap",
     "rv64",
     MODE_U,
     0x13,
     {{"mip", 0x2}, {"mie", 0xffff}, {"mideleg", 0x2222}, {"menvcfg", UINT64_C(1) << 59}, {"mstatus", 1 << 24}}},
    {"VSSI in VU, vsstatus.SDT: a double trap",
     "rv64",
     MODE_VU,
     0x13,
     {{"hvip", 4},
      {"mie", 0xffff},
      {"hideleg", 0x444},
      {"menvcfg", UINT64_C(1) << 59},
      {"henvcfg", UINT64_C(1) << 59},
      {"vsstatus", 1 << 24}}},
    {"SSI in U, MDT: critical error",
     "rv64,smdbltrp=on",
     MODE_U,
     0x13,
     {{"mip", 0x2}, {"mie", 0xffff}, {"mstatus", UINT64_C(1) << 42}}},
    {"SSI in VS, MDT, Smrnmi",
     "rv64,smdbltrp=on,smrnmi=on",
     MODE_VS,
     0x13,
     {{"mip", 0x2}, {"mie", 0xffff}, {"mnstatus", 8}, {"mstatus", UINT64_C(1) << 42}}},
    {"ecall in S, SDT and MDT",
     "rv64,smdbltrp=on",
     MODE_S,
     0x73,
     {{"medeleg", 0x200}, {"menvcfg", UINT64_C(1) << 59}, {"mstatus", UINT64_C(1) << 42 | 1 << 24}}},
    {"ecall in M, NMIE=0, Smdbltrp", "rv64,smrnmi=on,smdbltrp=on", MODE_M, 0x73, {{"mstatus", 0}}},
    {"ecall in U without S", "rv64,h=off,s=off", MODE_U, 0x73, {{NULL, 0}}},
    {"ecall in S without H", "rv64,h=off", MODE_S, 0x73, {{"medeleg", 0x200}}},
    {"ecall in VS, RV32", "rv32", MODE_VS, 0x73, {{NULL, 0}}},
    {"mret to VS, RV32", "rv32", MODE_M, 0x30200073, {{"mstatus", 1 << 11 | 1 << 7}, {"mstatush", 1 << 7}, {"mepc", 0x80002000}}},
    {"load of S, RV32: Sv32", "rv32", MODE_S, 0x00052583, {{"satp", 0x80080100}, {"a0", 0x40000004}}},
    {"load of VS, RV32: Sv32x4", "rv32", MODE_VS, 0x00052583, {{"vsatp", 0x80080110}, {"hgatp", 0x80080120}, {"a0", 0x40040004}}},
    {"SSI in S, RV32", "rv32", MODE_S, 0x13, {{"mip", 0x2}, {"mie", 2}, {"mstatus", 2}}},
    {"wfi, with nothing enabled", "rv64", MODE_M, 0x10500073, {{"mip", 0x2}}},
};

/* The RNMI from every mode, in front of another interrupt; and where it has to wait. */
static void resumable_nmi(void **state)
{
    static const uint32_t nop = 0x13;
    struct golden g = {.count = 0};
    struct machine *base = rv_world("rv64,smrnmi=on,smdbltrp=on");
    (void)state;
    for (unsigned k = 0; k < MODES + 2; k++) {
        char name[64];
        struct err e;
        struct machine *m = machine_fork(base);
        unsigned mode = k < MODES ? k : MODE_M;
        rv_place(m, mode, &nop, 1);
        if (k != MODES)
            rv_set(m, "mnstatus", 8);
        rv_set(m, "mstatus", k == MODES + 1 ? UINT64_C(1) << 42 : 8);
        rv_set(m, "mip", 2);
        rv_set(m, "mie", 2);
        machine_inject(m, &(struct machine_injection){.event = MACHINE_RNMI, .how = MACHINE_RAISE}, &e);
        snprintf(name, sizeof name, "from %s%s", mode_names[mode], k == MODES ? ", NMIE=0" : k > MODES ? ", MDT" : "");
        golden_add(&g, name, explain_next(m, 0));
        machine_free(m);
    }
    machine_free(base);
    check(&g, "rnmi");
}

static void special_cases(void **state)
{
    struct golden g = {.count = 0};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(specials); i++) {
        const struct special *s = &specials[i];
        struct machine *m = rv_world(s->cpu);
        rv_place(m, s->mode, &s->insn, 1);
        for (unsigned k = 0; k < ARRAY_LEN(s->set) && s->set[k].reg; k++)
            rv_set(m, s->set[k].reg, s->set[k].value);
        golden_add(&g, s->name, explain_next(m, 0));
        machine_free(m);
    }
    check(&g, "special");
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
        cmocka_unit_test(every_event),          cmocka_unit_test(walks),
        cmocka_unit_test(resumable_nmi),        cmocka_unit_test(special_cases),
        cmocka_unit_test(at_least_two_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
