/* tool_image KIND FILE: writes an image for the scripts. Bare-metal programs in machine mode, and images that must be refused. */
#include "base/bits.h"
#include "image_make.h"
#include <stdio.h>
#include <stdlib.h>

enum { T0 = 5, T1 = 6, T2 = 7 };
#define CSR_MTVEC 0x305u

static uint32_t code[64];
static unsigned at;

static void put(uint32_t insn) { code[at++] = insn; }
static void i_type(unsigned op, unsigned funct3, unsigned rd, unsigned rs1, int imm)
{
    put((uint32_t)imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | op);
}
static void addi(unsigned rd, unsigned rs1, int imm) { i_type(0x13, 0, rd, rs1, imm); }
static void lbu(unsigned rd, unsigned rs1, int imm) { i_type(0x03, 4, rd, rs1, imm); }
static void jalr(unsigned rs1) { i_type(0x67, 0, 0, rs1, 0); }
static void lui(unsigned rd, uint32_t high) { put(high << 12 | rd << 7 | 0x37); }
static void auipc(unsigned rd) { put(rd << 7 | 0x17); }
static void csrw(unsigned csr, unsigned rs1) { put(csr << 20 | rs1 << 15 | 1 << 12 | 0x73); }
static void wfi(void) { put(0x10500073); }
static void store(unsigned funct3, unsigned rs2, unsigned rs1, uint32_t imm)
{
    put(imm >> 5 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | 0x23);
}
static void branch(unsigned funct3, unsigned rs1, unsigned rs2, int to) /* to: index of the target instruction */
{
    uint32_t d = (uint32_t)((to - (int)at) * 4);
    put((d >> 12 & 1) << 31 | (d >> 5 & 63) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (d >> 1 & 15) << 8 |
        (d >> 11 & 1) << 7 | 0x63);
}
static void beqz(unsigned rs, int to) { branch(0, rs, 0, to); }
static void jump(int to) { branch(0, 0, 0, to); }

/* Ends the run through the test finisher at 0x100000. */
static void finish(unsigned status)
{
    lui(T1, 0x100);
    lui(T2, status ? (status << 16 | 0x3000) >> 12 : 0x5);
    addi(T2, T2, status ? 0x333 : 0x555);
    store(2, T2, T1, 0);
}

/* Prints text on the UART at 0x10000000, then goes on behind it. */
static void print(const char *text)
{
    for (lui(T1, 0x10000); *text; text++) {
        addi(T0, 0, *text);
        store(0, T0, T1, 0);
    }
}

static void hello(void)
{
    print("hello\n");
    finish(0);
}

static void exit7(void)
{
    print("bye\n");
    finish(7);
}

static void exit256(void) { finish(256); }

/* Prints what is typed, until a 'q'. */
static void echo(void)
{
    print("> ");
    int loop = (int)at;
    lbu(T0, T1, 5);             /* line status: bit 0, a byte is there */
    i_type(0x13, 7, T0, T0, 1); /* andi */
    beqz(T0, loop);
    lbu(T0, T1, 0);
    store(0, T0, T1, 0);
    addi(T2, T0, -'q');
    branch(1, T2, 0, loop); /* bnez */
    finish(0);
}

static void spin(void) { jump((int)at); }

static void sleep_forever(void)
{
    int loop = (int)at;
    wfi();
    jump(loop);
}

/* Jumps to an address where nothing is; mtvec is at its reset value, so every fetch of the handler faults too. */
static void nowhere(void)
{
    lui(T0, 0x40000);
    jalr(T0);
}

/* Stores to unmapped addresses for ever: the trap handler is the next round. */
static void hammer(void)
{
    auipc(T0);
    addi(T0, T0, 16);
    csrw(CSR_MTVEC, T0);
    lui(T1, 0x40000);
    store(3, T0, T1, 8); /* the handler */
    jump(4);
}

static const struct program {
    const char *name;
    void (*make)(void);
} programs[] = {
    {"hello", hello}, {"exit7", exit7},         {"exit256", exit256}, {"echo", echo},
    {"spin", spin},   {"sleep", sleep_forever}, {"nowhere", nowhere}, {"hammer", hammer},
};

static struct make bad(const char *kind)
{
    struct make m = {0};
    make_defaults(&m);
    if (!strcmp(kind, "elf32"))
        m.bits = 32;
    else if (!strcmp(kind, "aarch64"))
        m.machine = EM_AARCH64;
    else if (!strcmp(kind, "object"))
        m.type = ET_REL;
    else if (!strcmp(kind, "outside"))
        m.seg[0].pa = 0x40000000;
    else if (!strcmp(kind, "huge"))
        m.seg[0].memsz = UINT64_C(1) << 40;
    else if (!strcmp(kind, "entry"))
        m.entry = 0x1234;
    else
        exit(2);
    return m;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    struct make m = {0};
    size_t i = 0;
    while (i < ARRAY_LEN(programs) && strcmp(programs[i].name, argv[1]))
        i++;
    if (i < ARRAY_LEN(programs)) {
        programs[i].make();
        make_defaults(&m);
        m.code = code;
        m.seg[0].filesz = at * 4;
    } else {
        m = bad(argv[1]);
    }
    struct buf b = make_elf(m);
    FILE *f = fopen(argv[2], "wb");
    if (!f || fwrite(b.data, 1, b.len, f) != b.len || fclose(f))
        return 1;
    buf_free(&b);
    return 0;
}
