/* The readers of instruction logs, one sample a format, and the comparison of two. The samples are written after the formats'
 * documentation; tests/cli/diff.sh reads what QEMU really prints. */
#include "base/bits.h"
#include "debug/logs/compare.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct text {
    const char *p;
    size_t n, at, piece; /* given out in pieces of this size */
    const char *format;
};

static long give(void *ctx, void *p, size_t n, struct err *e)
{
    struct text *t = ctx;
    size_t left = t->n - t->at, most = t->piece ? t->piece : n;
    (void)e;
    n = n < left ? n : left;
    n = n < most ? n : most;
    memcpy(p, t->p + t->at, n);
    t->at += n;
    return (long)n;
}

static struct log_reader *open_text(void *ctx, struct err *e)
{
    struct text *t = ctx;
    t->at = 0;
    return log_open("x.log", t->format, give, t, e);
}

/* All steps in words: "0:3 80000010 182b283 x5=80000000 ld@80001018;" */
static void put(char *out, size_t cap, const struct log_step *s, bool arm)
{
    size_t n = strlen(out);
    char name[48];
    n += (size_t)snprintf(out + n, cap - n, "%u:%d,%d %s%llx", s->hart, s->priv, s->v, s->kind == LOG_TRAP ? "T" : "",
                          (unsigned long long)s->pc);
    if (s->insn_bytes)
        n += (size_t)snprintf(out + n, cap - n, "/%0*x", s->insn_bytes * 2, s->insn);
    if (s->kind == LOG_TRAP)
        n += (size_t)snprintf(out + n, cap - n, " %s%lld", s->interrupt ? "i" : "e", (long long)s->cause);
    if (s->has_tval)
        n += (size_t)snprintf(out + n, cap - n, " t=%llx", (unsigned long long)s->tval);
    for (unsigned i = 0; i < s->nregs; i++) {
        log_reg_name(&s->reg[i], arm, name, sizeof name);
        n += (size_t)snprintf(out + n, cap - n, " %s=%llx", name, (unsigned long long)s->reg[i].value[0]);
        for (unsigned w = 1; w < s->reg[i].words; w++)
            n += (size_t)snprintf(out + n, cap - n, "_%llx", (unsigned long long)s->reg[i].value[w]);
    }
    for (unsigned i = 0; i < s->nmems; i++) {
        n += (size_t)snprintf(out + n, cap - n, " %s%u@%llx", s->mem[i].store ? "st" : "ld", s->mem[i].bytes,
                              (unsigned long long)s->mem[i].address);
        if (s->mem[i].has_value)
            n += (size_t)snprintf(out + n, cap - n, "=%llx", (unsigned long long)s->mem[i].value);
    }
    snprintf(out + n, cap - n, ";");
}

static enum log_result read_all(struct text *t, const char *format, char *out, size_t cap, struct err *e, bool *torn)
{
    struct log_step s;
    enum log_result got;
    struct log_reader *r = open_text(t, e);
    *out = '\0';
    if (!r)
        return LOG_BAD;
    assert_string_equal(log_reader_format(r)->name, format);
    while ((got = log_next(r, &s, e)) == LOG_STEP)
        put(out, cap, &s, log_reader_format(r)->arm || !strcmp(format, "a64"));
    *torn = log_reader_torn(r);
    log_close(r);
    return got;
}

static const struct sample {
    const char *format, *text, *steps;
} samples[] = {
    {"spike",
     "core   0: >>>>  _start\n"
     "core   0: 0x0000000080000000 (0xf14022f3) csrr    t0, mhartid\n"
     "core   0: 3 0x0000000080000000 (0xf14022f3) x5  0x0000000000000000\n"
     "hello from the guest\n"
     "core   0: 3 0x0000000080000004 (0x0182b283) x5  0x0000000080000000 mem 0x0000000080001018\n"
     "core   1: 1 0x000000008000000a (0xe022) mem 0x0000000080002000 0x00000000000000ab\n"
     "core   0: 3 0x000000008000002a (0x3002a073) c768_mstatus 0x8000000a00006000\n"
     "core   0: 1 0x0000000080000030 (0x003100d3) f1  0xffffffff3f800000 c1_fflags 0x0000000000000001\n"
     "core   0: 1 0x0000000080000034 (0x02008407) e8 m1 l4 v8  0x0102030405060708090a0b0c0d0e0f10\n"
     "core   0: 0x0000000080000038 (0x00000073) ecall\n"
     "core   0: exception trap_user_ecall, epc 0x0000000080000038\n"
     "core   0:           tval 0x0000000000000012\n"
     "core   0: exception interrupt #7, epc 0x0000000080000040\n",
     "0:3,-1 80000000/f14022f3 x5=0;0:3,-1 80000004/0182b283 x5=80000000 ld0@80001018;1:1,-1 8000000a/e022 st8@80002000=ab;"
     "0:3,-1 8000002a/3002a073 mstatus=8000000a00006000;0:1,-1 80000030/003100d3 f1=ffffffff3f800000 fflags=1;"
     "0:1,-1 80000034/02008407 v8=90a0b0c0d0e0f10_102030405060708;0:-1,-1 T80000038 e8 t=12;0:-1,-1 T80000040 i7;"},
    {"spike", /* -l alone */
     "core   0: 0x0000000000001000 (0x00000297) auipc   t0, 0x0\n"
     "core   0: 0x0000000000001004 (0x00008082) ret\n",
     "0:-1,-1 1000/00000297;0:-1,-1 1004/8082;"},
    {"spike", /* CVA6 */
     "core   0: 0x0000000000010000 (0x00000517) DASM(00000517)\n"
     "3 0x0000000000010000 (0x00000517) x10 0x0000000000010000\n"
     "core   0: 0x0000000000010004 (0x0421) DASM(0421)\n"
     "3 0x0000000000010004 (0x0421) x 8 0x0000000000000008\n"
     "core   0: 0x0000000000010006 (0xe11c) DASM(e11c)\n"
     "3 0x0000000000010006 (0xe11c) mem 0x0000000080001000 0x0000000000000007\n",
     "0:3,-1 10000/00000517 x10=10000;0:3,-1 10004/0421 x8=8;0:3,-1 10006/e11c st0@80001000=7;"},
    {"spike", /* CVA6's traps */
     "*** [rvfi_tracer] WARNING No valid address of 'tohost'\n"
     "core   0: 0x0000000080000034 (0x00000073) DASM(00000073)\nENV_CALL_UMODE exception @ 0x0000000080000034 (0x00000073)\n"
     "core   INTERRUPT 0: 0x0000000080000100 (0x00001117) DASM(00001117)\n3 0x0000000080000100 (0x00001117) x 2 "
     "0x0000000080001100\n"
     "LD_ACCESS_FAULT exception @ 0x0000000080000104 (0x4501)\n",
     "0:-1,-1 T80000034/00000073 e8;0:-1,-1 Tffffffffffffffff i-1;0:3,-1 80000100/00001117 x2=80001100;0:-1,-1 T80000104/4501 "
     "e5;"},
    {"qemu",
     "----------------\nIN: _start\nPriv: 3; Virt: 0\n"
     "0x80000000:  00000297          auipc                   t0,0                    # 0x80000000\n"
     "0x80000004:  8082              ret\n\n"
     "Trace 0: 0x7f7ecc000100 [003411ad/0000000080000000/02c2c003/ff020201] _start\n"
     "----------------\nIN: \n0x80000680:  4501              mv a0,zero\n0x80000682:  00000073          ecall\n0x80000686:  0001 "
     "             nop\n\n"
     "Trace 0: 0x7f7ecc000240 [003411ad/0000000080000680/02c2c003/ff020201]\n"
     "riscv_cpu_do_interrupt: hart:0, async:0, cause:000000000000000a, epc:0x80000682, tval:0x0000000000000000, "
     "desc=hypervisor_ecall\n"
     "Trace 1: 0x7f7ecc000100 [003411ad/0000000080000000/02c2c003/ff020201]\n"
     "riscv_cpu_do_interrupt: hart:1, async:1, cause:0000000000000007, epc:0x80000000, tval:0x0000000000000000, desc=m_timer\n",
     "0:-1,-1 80000000/00000297;0:-1,-1 80000004/8082;0:-1,-1 80000680/4501;0:-1,-1 T80000682 e10 t=0;1:-1,-1 80000000/00000297;"
     "1:-1,-1 80000004/8082;1:-1,-1 T80000000 i7 t=0;"},
    {"qemu",
     "IN: \n0x40101fc0:  d4000002  hvc      #0\n\nTrace 0: 0x7f028c000100 [1/0000000040101fc0/000004a1/ff020201] \n"
     "Taking exception 11 [Hypervisor Call] on CPU 0\n...from EL1 to EL2\n...with ESR 0x16/0x5a000000\n...with SPSR 0x3c5\n"
     "...with ELR 0x40101fc4\n...to EL2 PC 0x40101c00 PSTATE 0x23c9\nException return from AArch64 EL2 to AArch64 EL1 PC "
     "0x40101fc4\n",
     "0:1,-1 T40101fc0 e22;"},
    {"execlog",
     "0, 0x80000000, 0x297, \"auipc t0, 0\"\n"
     "0, 0x80000004, 0x182b283, \"ld t0, 24(t0)\", load, 0x80000018, RAM, x5/t0 -> 0x0000000080000000\n"
     "1, 0x80000008, 0xe11c, \"c.sd a5, 0(a0)\", store, 0x10000000, serial, with commas\n",
     "0:-1,-1 80000000/00000297;0:-1,-1 80000004/0182b283 x5=80000000 ld0@80000018;"},
    {"execlog", /* QEMU 7.2 */
     "0, 0x800000c0, 0xe406c101, \"c101              beqz                    a0,0                    # 0x800000c0\"\n"
     "0, 0x800000c4, 0xa481e406, \"e406              sd                      ra,8(sp)\", store, 0x80001a48, RAM\n"
     "0, 0x800000c6, 0x0a601141, \"1141              addi                    sp,sp,-16\", store, 0x80001a48, RAM, with commas\n",
     "0:-1,-1 800000c0/c101;0:-1,-1 800000c4/e406 st0@80001a48;"},
    {"whisper",
     "pc, inst, modified regs, source operands, memory, inst info, privilege, trap, disassembly, hartid\n"
     "80000000,297,x5=80000000,i0,,,m,,auipc x5; 0x0,0\n"
     "80000004:90000004,5283,x5=7;ff=1;c300=a00000000,x5;i0,80000010:90000010,l,vs,,lw x5; 0(x5),0\n"
     "80000008,e11c,,x10;x15,80001000=7,s,u,,c.sd,1\n"
     "8000000a,73,,,,,vu,8000000000000007,ecall,0\n",
     "0:3,0 80000000/00000297 x5=80000000;0:1,1 80000004/00005283 x5=7 0x12c=a00000000 ld0@80000010;1:0,0 80000008/e11c "
     "st0@80001000=7;"
     "0:0,1 T8000000a/00000073 i7;"},
    {"sail",
     "mem[X,0x80000000] -> 0x0297\n[0] [M]: 0x0000000080000000 (0x00000297) auipc t0, 0x0\nx5 <- 0x0000000080000000\n\n"
     "[1] [M]: 0x0000000080000004 (0x0182B283) ld t0, 0x18(t0)\nmem[R,0x0080000018] -> 0x0000000000000007\nt0 <- "
     "0x0000000000000007\n"
     "[2] [S]: 0x0000000080000008 (0x30029073) csrrw zero, mstatus, t0\nCSR mstatus (0x300) -> 0x1\nCSR mstatus (0x300) <- "
     "0x0000000A00000000\n"
     "[3] [U]: 0x000000008000000C (0x00000073) ecall\ntrapping from U to M to handle u-call\nhandling exc#0x08 at priv M with "
     "tval 0x0000000000000000\n"
     "[4] [M]: 0x0000000080000100 (0xE11C) c.sd\nmem[W,0x80001000] <- 0x0000000000000007\n",
     "0:3,0 80000000/00000297 x5=80000000;0:3,0 80000004/0182b283 x5=7 ld8@80000018=7;0:1,0 80000008/30029073 mstatus=a00000000;"
     "0:0,0 T8000000c/00000073 e8 t=0;0:3,0 80000100/e11c st8@80001000=7;"},
    {"sail", /* with the hypervisor extension, an interrupt, and its TLB */
     "[7] [M]: 0x0000000080000000 (0x30200073) mret\nret-ing from M to HS\n"
     "[8] [HS]: 0x0000000080000100 (0x0001) c.nop\nTLB add [ len=64 ]\n\xe2\x95\x91   1 \xe2\x95\x91  N \xe2\x95\x91  <- added\n"
     "x5 <- 0x0000000000000001\nHandling interrupt: 0x07\ntrapping from HS to M to handle m-timer-interrupt\n"
     "handling int#machine-timer-interrupt at priv M with tval 0x0000000000000000\n"
     "[9] [M]: 0x0000000080000200 (0x30200073) mret\ntrapping from HS to HS to handle fetch-page-fault\n"
     "handling exc#fetch-page-fault at priv HS with tval 0x0000000000001000\n"
     "[10] [HS]: 0x0000000080000300 (0x00000073) ecall\nhandling exc#s-call at priv M with tval 0x0000000000000000\n"
     "[11] [M]: 0x0000000080000400 (0x00000000) illegal\nhandling exc#0x02 at priv M with tval 0x0000000000000000\n",
     "0:3,0 80000000/30200073;0:1,0 80000100/0001 x5=1;0:-1,-1 Tffffffffffffffff i7 t=0;0:3,0 80000200/30200073;"
     "0:-1,-1 Tffffffffffffffff e12 t=1000;0:1,0 T80000300/00000073 e9 t=0;0:3,0 T80000400/00000000 e2 t=0;"},
    {"rvvi",
     "VERSION 0 4 VENDOR \"some one\" 1 2\nPARAMS 2 XLEN 64 \"NHART\" 2\nRET 0x80000000 0x00000297 X 5 0x80000000 MODE 0x3 "
     "'auipc t0, 0'\n"
     "RET 0x80000004 0x8082 MODE 0x1 \\\n VIRT 0x1 C 0x300 0xa00000000 F 1 0xffffffff3f800000\n"
     "HART 1 TRAP 0x80000010 0x00000073 MEM \"D\" 8 0x1000 0x2000 1 PTE 0x3 NET \"MTIP\" 0x1 RET 0x80000014 0x0001\n",
     "0:3,-1 80000000/00000297 x5=80000000;0:1,1 80000004/8082 mstatus=a00000000 f1=ffffffff3f800000;1:-1,-1 T80000010/00000073 "
     "e-1;"
     "1:-1,-1 80000014/0001;"},
    {"rvvi", /* a draft */
     "VENDOR \"cvw\" 1 0\nPARAMS 6 ILEN 32 XLEN 64 FLEN 64 VLEN 0 NHART 1 RETIRE 1\nHART 0\n"
     "RET  80000b20 '_start+18'       07228293 'addi    t0,t0,114'     X  5 't0' 00001080\n"
     "TRAP 80000b24 0012a303 C 300 'mstatus' 0000000000003800 C 342 'mcause' 0000000000000004 C 343 'mtval' 1081\n"
     "TRAP 80000b28 00000013 C 342 8000000000000007 MODE 0x03\n",
     "0:-1,-1 80000b20/07228293 x5=1080;0:-1,-1 T80000b24/0012a303 e4 mstatus=3800 mcause=4 mtval=1081;"
     "0:3,-1 T80000b28/00000013 i7 mcause=8000000000000007;"},
    {"tarmac",
     "100 clk IT (135) 00008000 d2a00028 O EL3h_s : MOV      x8,#0x10000\n100 clk R X8 0000000000010000\n100 clk R cpsr "
     "600003cd\n"
     "110 clk IT (136) 00008004:000000008004_NS f9420100 O EL1h_ns : LDR      x0,[x8,#0x400]\n"
     "110 clk MR8 00010400:000000010400 01234567_89abcdef\n110 clk R X0 0123456789abcdef\n"
     "120 clk IS (137) 00008008 54ffffa1 O EL1h_ns : B.NE     {pc}-0xc\n"
     "120 clk E 00000480 00000082 CoreEvent_LOWER_64_IRQ\n"
     "130 clk cpu1 IT (1) 0000800c f9020909 O EL2h : STR      x9,[x8,#0x410]\n130 clk cpu1 MW8 00010410 fedcba98_76543210\n"
     "130 clk cpu1 R SP_EL1 0000000000001000\n130 clk cpu1 R V3 00112233445566778899aabbccddeeff\n",
     "0:3,-1 8000/d2a00028 x8=10000;0:1,-1 8004/f9420100 x0=123456789abcdef ld8@10400=123456789abcdef;0:1,-1 8008/54ffffa1;"
     "0:-1,-1 T480 i-1;1:2,-1 800c/f9020909 sp_el1=1000 v3=8899aabbccddeeff_11223344556677 "
     "st8@10410=fedcba9876543210;"},
    {"tarmac", /* of cycle models and RTL */
     "Tarmac Text Rev 3t\n       0 tic ES  EXC [0x00] Reset\n                    BR (0000000000001000) O\n"
     "      10 tic ES  (0000000000001000:a9be7bfd) O el3h_s:         STP      x29,x30,[sp,#-0x20]!\n"
     "                    ST 00000000000fffe0 00000000 002105e0 ........ ........    S:00000fffe0    nGnRnE OSH\n"
     "                       00000000000fffd0  ........ ........ 33...... ..5544##    S:00000fffd0    nGnRnE OSH\n"
     "                    R SP_EL3 00000000000fffd0\n                    R SP_EL1 0000000000000007\n"
     "      20 tic ES  (0000000000001004:3dc00020) O el3h_s:         LDR      q0,[x1]\n"
     "                    LD 0000000000002000 00112233 44556677 8899aabb ccddeeff    S:0000002000    NM ISH\n"
     "                    R V0<63:0> 8899aabbccddeeff\n                    R V0<127:64> 0011223344556677\n"
     "                    R X2 01234567 89abcdef\n                    R X3 -------- --------\n"
     "      30 tic ES  (0000000000001008:d4000001) O el0t_ns:        SVC      #0\n"
     "                    EXC [0x400] Synchronous Lower EL using AArch64\n                    BR (0000000000001400) O\n"
     "      40 tic ES  (0000000000001400:d503201f) O el1h_ns:        NOP\n      50 tic ES  EXC [0x280] IRQ Current EL with "
     "SP_ELx\n",
     "0:3,-1 1000/a9be7bfd sp=fffd0 sp_el1=7 st8@fffe8=2105e0 st3@fffd0 st1@fffd7=33;"
     "0:3,-1 1004/3dc00020 v0=8899aabbccddeeff_11223344556677 x2=123456789abcdef ld8@2000=8899aabbccddeeff "
     "ld8@2008=11223344556677;0:-1,-1 T1008 e-1;0:1,-1 1400/d503201f;0:-1,-1 Tffffffffffffffff i-1;"},
    {"tarmac", /* of others */
     "6000000 cs IT (00000000004d6eb8) 54fffea1 O  ---_- :        b.ne\t0x4d6e8c\n"
     "6000001 cs R08 0000007f99d14af4 4305000042ea0000\n6000019 cs W04 X ffffffbdc3c15c30 010c010b\n"
     "6000020 cs R Q17 42211549 420dd96e 41fed915 42211526\n"
     "2 cyc IT (00022a7c:00000006) 00022a7c 54fffea1 O EL1t : b.ne\n3 cyc MW8 dfdfdfcf (ABORTED)\n4 cyc R SP_EL0 10\n",
     "0:-1,-1 4d6eb8/54fffea1 v17=41fed91542211526_42211549420dd96e ld8@7f99d14af4=4305000042ea0000 st4@ffffffbdc3c15c30=10c010b;"
     "0:1,-1 22a7c/54fffea1 sp=10;"},
};

/* Each sample gives its steps, in whatever pieces its bytes come. */
static void reads(void **state)
{
    (void)state;
    static const size_t pieces[] = {0, 1, 7, 64};
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            struct text t = {samples[i].text, strlen(samples[i].text), 0, pieces[k], NULL};
            char got[4096];
            struct err e = {""};
            bool torn;
            enum log_result end = read_all(&t, samples[i].format, got, sizeof got, &e, &torn);
            if (!strcmp(samples[i].format, "execlog")) { /* the last line is not of the format */
                assert_int_equal(end, LOG_BAD);
                assert_string_equal(e.text, "x.log:3: a load, a store or a register is expected, not ' commas'");
            } else {
                assert_int_equal(end, LOG_END);
                assert_false(torn);
            }
            assert_string_equal(got, samples[i].steps);
        }
}

/* Cut anywhere, a sample gives the steps before the cut, and says that it is torn where a line has no end. */
static void torn(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct sample *s = &samples[i];
        size_t n = strlen(s->text);
        for (size_t cut = n / 2; cut < n - 1; cut++) {
            struct text t = {s->text, cut, 0, 0, s->format};
            char got[4096];
            struct err e;
            bool is_torn;
            enum log_result end = read_all(&t, s->format, got, sizeof got, &e, &is_torn);
            if (strcmp(s->format, "execlog"))
                assert_int_equal(end, LOG_END);
            if (end == LOG_END)
                assert_int_equal(is_torn, s->text[cut - 1] != '\n');
            if (!strcmp(s->format, "whisper"))                                  /* elsewhere later lines change what a step is */
                assert_memory_equal(got, s->steps, *got ? strlen(got) - 1 : 0); /* the last step may lack lines */
        }
    }
}

static const struct {
    const char *format, *text, *says;
} bad[] = {
    {NULL, "", "x.log: the log is empty"},
    {NULL, "nothing of the kind\n", "x.log: not a log of a format that is known here; name one with --format"},
    {"gdb", "x\n",
     "there is no log format 'gdb'; the formats are rvfi, rvvi, whisper, sail, spike, qemu, execlog, tarmac, trapline"},
    {NULL, "core   0: 3 0x80000000 (0x297) x5  nothing\n", "x.log:1: the value of 'x5' is expected"},
    {NULL, "core   0: 7 0x80000000 (0x297)\n", "x.log:1: a privilege mode, an address and an instruction are expected"},
    {NULL, "core   0: exception trap_user_ecall, at\n", "x.log:1: the epc of an exception is expected"},
    {NULL, "pc, inst, modified regs, x\n80000000,297,x5=1\n", "x.log:2: 3 columns instead of 10"},
    {NULL, "pc, inst, modified regs, x\n80000000,297,x5,,,,m,,nop,0\n", "x.log:2: the modified registers cannot be read: 'x5'"},
    {NULL, "pc, inst, modified regs, x\n80000000,297,,,,,q,,nop,0\n", "x.log:2: 'q' is no privilege mode"},
    {NULL, "[0] [M]: 0x80000000 (0x00000297) a\nx5 <- what\n", "x.log:2: a register and its value are expected"},
    {NULL, "VERSION 0 4\nRET 0x80000000\n", "x.log:2: 'RET' is no element, or its values cannot be read"},
    {NULL, "VERSION 0 4\nRETURN 1\n", "x.log:2: 'RETURN' is no element, or its values cannot be read"},
    {NULL, "Trace 0: what\n", "x.log:1: a hart, and an address in brackets are expected"},
    {NULL, "IN: \nTrace 0: 0x1 [0/1000/0/0]\nriscv_cpu_do_interrupt: hart:0\n",
     "x.log:3: hart, async, cause and epc of an interrupt or exception are expected"},
    {NULL, "1 clk IT (1) 8000 what O EL1h : NOP\n", "x.log:1: a number, an address and an instruction are expected"},
};

static void says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct text t = {bad[i].text, strlen(bad[i].text), 0, 0, bad[i].format};
        struct log_step s;
        struct err e = {""};
        struct log_reader *r = open_text(&t, &e);
        enum log_result got = LOG_BAD;
        while (r && (got = log_next(r, &s, &e)) == LOG_STEP)
            ;
        log_close(r);
        assert_int_equal(got, LOG_BAD);
        assert_string_equal(e.text, bad[i].says);
    }
}

/* ---- RVFI-DII ----------------------------------------------------------------------------------------------------------------
 */

static void le64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void rvfi(void **state)
{
    (void)state;
    uint8_t v1[3 * 88] = {0}, v2[64 + 40 + 88] = {0};
    for (unsigned i = 0; i < 2; i++) {
        le64(v1 + 88 * i + 8, 0x80000000 + 4 * i);
        le64(v1 + 88 * i + 24, 0x0182b283);
        le64(v1 + 88 * i + 48, 0x1234);
        le64(v1 + 88 * i + 56, 0x80001000);
        v1[88 * i + 80] = 0xff;
        v1[88 * i + 84] = 5;
    }
    v1[88 * 2 + 86] = 1; /* halt */
    memcpy(v2, "trace-v2", 8);
    le64(v2 + 8, sizeof v2);
    le64(v2 + 24, 0x00b53023);
    v2[35] = 1;
    le64(v2 + 40, 0x80000000);
    le64(v2 + 56, 3);
    memcpy(v2 + 64, "int-data", 8);
    memcpy(v2 + 104, "mem-data", 8);
    le64(v2 + 104 + 40, 0xab);
    le64(v2 + 104 + 72, UINT64_C(0xff) << 32);
    le64(v2 + 104 + 80, 0x80002000);
    const struct {
        const uint8_t *p;
        size_t n;
        const char *steps;
        bool torn;
    } logs[] = {{v1, sizeof v1,
                 "0:-1,-1 80000000/0182b283 x5=1234 ld8@80001000=0;0:-1,-1 80000004/0182b283 x5=1234 ld8@80001000=0;", false},
                {v1, 120, "0:-1,-1 80000000/0182b283 x5=1234 ld8@80001000=0;", true},
                {v2, sizeof v2, "0:1,-1 80000000/00b53023 st8@80002000=ab;", false},
                {v2, 100, "", true}};
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        struct text t = {(const char *)logs[i].p, logs[i].n, 0, 13, NULL};
        char got[512];
        struct err e;
        bool is_torn;
        if (read_all(&t, "rvfi", got, sizeof got, &e, &is_torn) != LOG_END)
            fail_msg("%zu: %s", i, e.text);
        assert_string_equal(got, logs[i].steps);
        assert_int_equal(is_torn, logs[i].torn);
    }
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------------
 */

#define HEAD_OF(n) "core   0: 3 0x00000000800000" n
/* Enough to find a common run. */
#define BODY                                            \
    HEAD_OF("00 (0x00000297) x5  0x0000000080000000\n") \
    HEAD_OF("04 (0x00000313) x6  0x0000000000000000\n") \
    HEAD_OF("08 (0x00000393) x7  0x0000000000000000\n") \
    HEAD_OF("0c (0x00000013)\n")                        \
    HEAD_OF("10 (0x00000013)\n")                        \
    HEAD_OF("14 (0x00000013)\n")                        \
    HEAD_OF("18 (0x00000013)\n")                        \
    HEAD_OF("1c (0x00000013)\n")                        \
    HEAD_OF("20 (0x00000013)\n") HEAD_OF("24 (0x00000013)\n") HEAD_OF("28 (0x00000013)\n") HEAD_OF("2c (0x00000013)\n")

#define LR     HEAD_OF("30 (0x1005a52f) x10 0x5 mem 0x80001000\n")
#define IT(pc) "1 clk IT (1) 400000" pc " d503201f O EL1h_n : NOP\n"
#define IT12                                                                                                               \
    IT("00")                                                                                                               \
    "1 clk R VBAR_EL1 0000000040201000\n" IT("04") IT("08") IT("0c") IT("10") IT("14") IT("18") IT("1c") IT("20") IT("24") \
        IT("28") IT("2c")
#define EXEC(pc, insn) "0, 0x400000" pc ", 0x" insn ", \"nop\"\n"
#define NOP_AT(pc)     EXEC(pc, "d503201f")
#define EXEC12                                                                                                           \
    NOP_AT("00")                                                                                                         \
    NOP_AT("04")                                                                                                         \
    NOP_AT("08") NOP_AT("0c") NOP_AT("10") NOP_AT("14") NOP_AT("18") NOP_AT("1c") NOP_AT("20") NOP_AT("24") NOP_AT("28") \
        NOP_AT("2c")

static const struct {
    const char *name, *a, *b;
    enum compare_what what;
    const char *text;
    uint64_t equal;
} pairs[] = {
    {"equal", BODY, BODY, COMPARE_EQUAL, "nothing differs", 12},
    {"a value", BODY HEAD_OF("30 (0x00100513) x10 0x0000000000000001\n"),
     BODY HEAD_OF("30 (0x00100513) x10 0x0000000000000002\n"), COMPARE_REG, "x10: 0x1 and 0x2", 12},
    {"a write that is missing", BODY HEAD_OF("30 (0x00130313) x6  0x0000000000000001\n"), BODY HEAD_OF("30 (0x00130313)\n"),
     COMPARE_REG, "x6: 0x1 and 0x0", 12},
    {"a branch", BODY HEAD_OF("30 (0x00000013)\n"), BODY HEAD_OF("40 (0x00000013)\n"), COMPARE_PC,
     "the address: 0x80000030 and 0x80000040", 12},
    {"an encoding", BODY HEAD_OF("30 (0x00000013)\n"), BODY HEAD_OF("30 (0x00000033)\n"), COMPARE_INSN,
     "the instruction: 0x13 and 0x33", 12},
    {"a cause", BODY "core   0: exception trap_illegal_instruction, epc 0x0000000080000030\n" HEAD_OF("f0 (0x00000013)\n"),
     BODY "core   0: exception trap_virtual_instruction, epc 0x0000000080000030\n" HEAD_OF("f0 (0x00000013)\n"), COMPARE_CAUSE,
     "the cause of the trap: exception 2 and exception 22", 12},
    {"a mode", BODY HEAD_OF("30 (0x00000013)\n"), BODY "core   0: 1 0x0000000080000030 (0x00000013)\n", COMPARE_PRIV,
     "the mode: M and S", 12},
    {"a store", BODY HEAD_OF("30 (0xe11c) mem 0x80001000 0x0000000000000001\n"),
     BODY HEAD_OF("30 (0xe11c) mem 0x80001000 0x0000000000000003\n"), COMPARE_STORE,
     "the store: 0x1 to 0x80001000 and 0x3 to 0x80001000", 12},
    {"an end", BODY, BODY HEAD_OF("30 (0x00000013)\n"), COMPARE_END, "the first log ends here, the other goes on", 12},
    {"a register of the system", BODY HEAD_OF("30 (0x30029073) c768_mstatus 0x1\n"),
     BODY HEAD_OF("30 (0x30029073) c768_mstatus 0x2\n"), COMPARE_REG, "mstatus: 0x1 and 0x2", 12},
    {"another beginning", "core   0: 3 0x0000000000001000 (0x00000297) x5  0x1000\n" BODY, BODY, COMPARE_EQUAL, "nothing differs",
     12},
    {"time, and what is computed from it", BODY HEAD_OF("30 (0xc0102573) x10 0x1\n") HEAD_OF("34 (0x00150593) x11 0x2\n"),
     BODY HEAD_OF("30 (0xc0102573) x10 0x8\n") HEAD_OF("34 (0x00150593) x11 0x9\n"), COMPARE_EQUAL, "nothing differs", 14},
    {"a store that one log splits", BODY HEAD_OF("30 (0xe11c) mem 0x80001000 0x0807060504030201\n"),
     BODY HEAD_OF("30 (0xe11c) mem 0x80001004 0x08070605 mem 0x80001000 0x04030201\n"), COMPARE_EQUAL, "nothing differs", 13},
    {"a part of a store that one log splits", BODY HEAD_OF("30 (0xe11c) mem 0x80001000 0x0807060504030201\n"),
     BODY HEAD_OF("30 (0xe11c) mem 0x80001004 0x08070600 mem 0x80001000 0x04030201\n"), COMPARE_STORE,
     "the store: 0x807060504030201 to 0x80001000 and 0x8070600 to 0x80001004", 12},
    {"what the host answers", IT12 "1 clk IT (1) 40000030 d45e0000 O EL1h_n : HLT\n1 clk R X0 0000000000000001\n" IT("34"),
     IT12 "1 clk IT (1) 40000030 d45e0000 O EL1h_n : HLT\n1 clk R X0 0000000000000002\n" IT("34"), COMPARE_EQUAL,
     "nothing differs", 14},
    {"where a store goes by the time", BODY HEAD_OF("30 (0xc0102573) x10 0x1\n") HEAD_OF("34 (0x00b50023) mem 0x00000001 0x05\n"),
     BODY HEAD_OF("30 (0xc0102573) x10 0x8\n") HEAD_OF("34 (0x00b50023) mem 0x00000008 0x05\n"), COMPARE_EQUAL, "nothing differs",
     14},
    {"where a store goes", BODY HEAD_OF("30 (0x00000013)\n") HEAD_OF("34 (0x00b50023) mem 0x00000001 0x05\n"),
     BODY HEAD_OF("30 (0x00000013)\n") HEAD_OF("34 (0x00b50023) mem 0x00000008 0x05\n"), COMPARE_STORE,
     "the store: 0x5 to 0x1 and 0x5 to 0x8", 13},
    {"time that is overwritten", BODY HEAD_OF("30 (0xc0102573) x10 0x1\n") HEAD_OF("34 (0x00100513) x10 0x2\n"),
     BODY HEAD_OF("30 (0xc0102573) x10 0x8\n") HEAD_OF("34 (0x00100513) x10 0x9\n"), COMPARE_REG, "x10: 0x2 and 0x9", 13},
    {"an interrupt", BODY HEAD_OF("30 (0x00000013)\n") HEAD_OF("34 (0x00000013)\n"),
     BODY HEAD_OF("30 (0x00000013)\n") "core   0: exception interrupt #7, epc 0x0000000080000034\n" HEAD_OF("f0 (0x00000013)\n")
         HEAD_OF("f4 (0x30200073)\n") HEAD_OF("34 (0x00000013)\n"),
     COMPARE_EQUAL, "nothing differs", 14},
    {"what an interrupt leaves, and what is computed from it",
     BODY HEAD_OF("30 (0x00000513) x10 0x0\n") HEAD_OF("34 (0x00050593) x11 0x0\n"),
     BODY HEAD_OF("30 (0x00000513) x10 0x0\n") "core   0: exception interrupt #7, epc 0x0000000080000034\n" HEAD_OF(
         "f0 (0x00150513) x10 0x1\n") HEAD_OF("f4 (0x30200073)\n") HEAD_OF("34 (0x00050593) x11 0x1\n"),
     COMPARE_EQUAL, "nothing differs", 14},
    {"what an interrupt restores", BODY HEAD_OF("30 (0x00000513) x10 0x0\n") HEAD_OF("34 (0x00050593) x11 0x0\n"),
     BODY HEAD_OF("30 (0x00000513) x10 0x0\n") "core   0: exception interrupt #7, epc 0x0000000080000034\n" HEAD_OF(
         "f0 (0x00150513) x10 0x1\n") HEAD_OF("f0 (0x00000513) x10 0x0\n") HEAD_OF("f4 (0x30200073)\n")
         HEAD_OF("34 (0x00050593) x11 0x1\n"),
     COMPARE_REG, "x11: 0x0 and 0x1", 13},
    {"a store-conditional that fails for no reason",
     BODY LR HEAD_OF("34 (0x18a5a62f) x12 0x0 mem 0x80001000 0x00000005\n") HEAD_OF("38 (0x00060693) x13 0x0\n")
         HEAD_OF("3c (0x0005a703) x14 0x5 mem 0x80001000\n"),
     BODY LR HEAD_OF("34 (0x18a5a62f) x12 0x1\n") HEAD_OF("38 (0x00060693) x13 0x1\n")
         HEAD_OF("3c (0x0005a703) x14 0x4 mem 0x80001000\n"),
     COMPARE_EQUAL, "nothing differs", 16},
    {"a store-conditional that fails alike", BODY LR HEAD_OF("34 (0x18a5a62f) x12 0x1\n") HEAD_OF("38 (0x00060693) x13 0x0\n"),
     BODY LR HEAD_OF("34 (0x18a5a62f) x12 0x1\n") HEAD_OF("38 (0x00060693) x13 0x1\n"), COMPARE_REG, "x13: 0x0 and 0x1", 14},
    {"a store-conditional that succeeds without a reservation",
     BODY LR HEAD_OF("34 (0x18a5a62f) x12 0x1\n") HEAD_OF("38 (0x18a5a62f) x12 0x1\n"),
     BODY LR HEAD_OF("34 (0x18a5a62f) x12 0x1\n") HEAD_OF("38 (0x18a5a62f) x12 0x0 mem 0x80001000 0x00000005\n"), COMPARE_REG,
     "x12: 0x1 and 0x0", 14},
    {"code written without a fence",
     BODY HEAD_OF("30 (0x00b2a023) mem 0x80000034 0x00000513\n") HEAD_OF("34 (0x00000513) x10 0x0\n"),
     BODY HEAD_OF("30 (0x00b2a023) mem 0x80000034 0x00000513\n") HEAD_OF("34 (0x06300513) x10 0x63\n"), COMPARE_EQUAL,
     "nothing differs", 14},
    {"code written with a fence",
     BODY HEAD_OF("30 (0x00b2a023) mem 0x80000038 0x00000513\n") HEAD_OF("34 (0x0000100f)\n")
         HEAD_OF("38 (0x00000513) x10 0x0\n"),
     BODY HEAD_OF("30 (0x00b2a023) mem 0x80000038 0x00000513\n") HEAD_OF("34 (0x0000100f)\n")
         HEAD_OF("38 (0x06300513) x10 0x63\n"),
     COMPARE_INSN, "the instruction: 0x513 and 0x6300513", 14},
    {"an interrupt of A64 in a log without traps", IT12 IT("30") IT("34"),
     EXEC12 EXEC("30", "d503201f") "0, 0x40201280, 0xd503201f, \"nop\"\n0, 0x40201284, 0xd69f03e0, \"eret\"\n" EXEC("34",
                                                                                                                    "d503201f"),
     COMPARE_EQUAL, "nothing differs", 14},
    {"an exception of A64 in a log without traps", IT12 IT("30") IT("34"),
     EXEC12 EXEC("30", "d503201f") "0, 0x40201200, 0xd503201f, \"nop\"\n0, 0x40201204, 0xd69f03e0, \"eret\"\n" EXEC("34",
                                                                                                                    "d503201f"),
     COMPARE_PC, "the address: 0x40000034 and 0x40201200", 13},
};

static void compares(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        for (unsigned swap = 0; swap < 2; swap++) {
            struct text t[2] = {{pairs[i].a, strlen(pairs[i].a), 0, 0, NULL}, {pairs[i].b, strlen(pairs[i].b), 0, 0, NULL}};
            const struct compare_side side[2] = {{open_text, &t[swap]}, {open_text, &t[!swap]}};
            const struct compare_options o = {.context = 4};
            struct comparison r;
            struct err e = {""};
            char text[320];
            assert_true(log_compare(side, &o, &r, &e));
            compare_text(&r, &r.hart[0], text, sizeof text);
            if (r.hart[0].what != pairs[i].what || r.hart[0].compared != pairs[i].equal || (!swap && strcmp(text, pairs[i].text)))
                fail_msg("%s: %llu equal, %s", pairs[i].name, (unsigned long long)r.hart[0].compared, text);
            free(r.hart);
        }
}

static void masks(void **state)
{
    (void)state;
    struct text t[2] = {{pairs[1].a, strlen(pairs[1].a), 0, 0, NULL}, {pairs[1].b, strlen(pairs[1].b), 0, 0, NULL}};
    const struct compare_side side[2] = {{open_text, &t[0]}, {open_text, &t[1]}};
    struct log_reg a0;
    assert_true(log_reg_parse("a0", false, &a0));
    const struct compare_options o = {.mask = &a0, .nmask = 1, .has_from = true, .from = 0x80000008};
    struct comparison r;
    struct err e;
    assert_true(log_compare(side, &o, &r, &e));
    assert_int_equal(r.hart[0].what, COMPARE_EQUAL);
    assert_int_equal(r.hart[0].compared, 11);
    free(r.hart);
    const struct compare_options nowhere = {.has_from = true, .from = 0x1234};
    assert_false(log_compare(side, &nowhere, &r, &e));
    assert_string_equal(e.text, "hart 0: 0x1234 is not executed in the first log");
    free(r.hart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(torn),     cmocka_unit_test(says),
                                       cmocka_unit_test(rvfi),  cmocka_unit_test(compares), cmocka_unit_test(masks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
