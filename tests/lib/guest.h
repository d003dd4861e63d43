/* Small bare-metal guests for tests, assembled by hand (unpriv chapters "RV32I", "RV64I", "Zicsr", "A"), and machines that run
 * them. */
#ifndef TL_TESTS_GUEST_H
#define TL_TESTS_GUEST_H
#include "base/bits.h"
#include "machine/trapline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ZERO,
    RA,
    SP,
    GP,
    TP,
    T0,
    T1,
    T2,
    S0,
    S1,
    A0,
    A1,
    A2,
    A3,
    A4,
    A5,
    A6,
    A7,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    S10,
    S11,
    T3,
    T4,
    T5,
    T6
};
enum {
    CSR_MSTATUS = 0x300,
    CSR_MIE = 0x304,
    CSR_MTVEC = 0x305,
    CSR_MSCRATCH = 0x340,
    CSR_MEPC = 0x341,
    CSR_MCAUSE = 0x342,
    CSR_MIP = 0x344,
    CSR_MCYCLE = 0xb00,
    CSR_MHARTID = 0xf14
};

struct guest {
    uint32_t code[2048];
    unsigned n;
};

static inline unsigned put_insn(struct guest *g, uint32_t insn)
{
    g->code[g->n] = insn;
    return g->n++;
}

static inline uint32_t r_type(unsigned f7, unsigned rs2, unsigned rs1, unsigned f3, unsigned rd, unsigned op)
{
    return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}
static inline uint32_t i_type(int imm, unsigned rs1, unsigned f3, unsigned rd, unsigned op)
{
    return (uint32_t)imm << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}
static inline uint32_t s_type(int imm, unsigned rs2, unsigned rs1, unsigned f3, unsigned op)
{
    return ((uint32_t)imm >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | ((uint32_t)imm & 31) << 7 | op;
}

static inline void lui(struct guest *g, unsigned rd, uint32_t imm20) { put_insn(g, imm20 << 12 | rd << 7 | 0x37); }
static inline void auipc(struct guest *g, unsigned rd, uint32_t imm20) { put_insn(g, imm20 << 12 | rd << 7 | 0x17); }
static inline void addi(struct guest *g, unsigned rd, unsigned rs1, int imm) { put_insn(g, i_type(imm, rs1, 0, rd, 0x13)); }
static inline void andi(struct guest *g, unsigned rd, unsigned rs1, int imm) { put_insn(g, i_type(imm, rs1, 7, rd, 0x13)); }
static inline void slli(struct guest *g, unsigned rd, unsigned rs1, int n) { put_insn(g, i_type(n, rs1, 1, rd, 0x13)); }
static inline void add(struct guest *g, unsigned rd, unsigned rs1, unsigned rs2)
{
    put_insn(g, r_type(0, rs2, rs1, 0, rd, 0x33));
}
static inline void xor_(struct guest *g, unsigned rd, unsigned rs1, unsigned rs2)
{
    put_insn(g, r_type(0, rs2, rs1, 4, rd, 0x33));
}
static inline void ld(struct guest *g, unsigned rd, int off, unsigned rs1) { put_insn(g, i_type(off, rs1, 3, rd, 0x03)); }
static inline void lw(struct guest *g, unsigned rd, int off, unsigned rs1) { put_insn(g, i_type(off, rs1, 2, rd, 0x03)); }
static inline void lbu(struct guest *g, unsigned rd, int off, unsigned rs1) { put_insn(g, i_type(off, rs1, 4, rd, 0x03)); }
static inline void sd(struct guest *g, unsigned rs2, int off, unsigned rs1) { put_insn(g, s_type(off, rs2, rs1, 3, 0x23)); }
static inline void sw(struct guest *g, unsigned rs2, int off, unsigned rs1) { put_insn(g, s_type(off, rs2, rs1, 2, 0x23)); }
static inline void sb(struct guest *g, unsigned rs2, int off, unsigned rs1) { put_insn(g, s_type(off, rs2, rs1, 0, 0x23)); }
static inline void amoadd_d(struct guest *g, unsigned rd, unsigned rs2, unsigned rs1)
{
    put_insn(g, r_type(0, rs2, rs1, 3, rd, 0x2f));
}
static inline void csrw(struct guest *g, unsigned csr, unsigned rs1) { put_insn(g, i_type((int)csr, rs1, 1, 0, 0x73)); }
static inline void csrr(struct guest *g, unsigned rd, unsigned csr) { put_insn(g, i_type((int)csr, 0, 2, rd, 0x73)); }
static inline void csrsi(struct guest *g, unsigned csr, unsigned imm) { put_insn(g, i_type((int)csr, imm, 6, 0, 0x73)); }
static inline void wfi(struct guest *g) { put_insn(g, 0x10500073); }
static inline void mret(struct guest *g) { put_insn(g, 0x30200073); }

/* Branches and jumps: to instruction number `to`. */
static inline uint32_t b_bits(int off)
{
    uint32_t v = (uint32_t)off;
    return (v >> 12 & 1) << 31 | (v >> 5 & 63) << 25 | (v >> 1 & 15) << 8 | (v >> 11 & 1) << 7;
}
static inline void branch(struct guest *g, unsigned f3, unsigned rs1, unsigned rs2, unsigned to)
{
    put_insn(g, b_bits(((int)to - (int)g->n) * 4) | rs2 << 20 | rs1 << 15 | f3 << 12 | 0x63);
}
static inline void beq(struct guest *g, unsigned rs1, unsigned rs2, unsigned to) { branch(g, 0, rs1, rs2, to); }
static inline void bne(struct guest *g, unsigned rs1, unsigned rs2, unsigned to) { branch(g, 1, rs1, rs2, to); }
static inline void jump(struct guest *g, unsigned to)
{
    uint32_t v = (uint32_t)(((int)to - (int)g->n) * 4);
    put_insn(g, (v >> 20 & 1) << 31 | (v >> 1 & 1023) << 21 | (v >> 11 & 1) << 20 | (v >> 12 & 255) << 12 | 0x6f);
}

/* rd = the address of instruction `to` (two instructions); patch_la sets it when `to` was not known yet. */
static inline unsigned la(struct guest *g, unsigned rd, unsigned to)
{
    unsigned at = g->n;
    auipc(g, rd, 0);
    addi(g, rd, rd, (int)(to - at) * 4);
    return at;
}
static inline void patch_la(struct guest *g, unsigned at, unsigned to)
{
    unsigned rd = g->code[at] >> 7 & 31;
    g->code[at + 1] = i_type((int)(to - at) * 4, rd, 0, rd, 0x13);
}

/* Ends the run with a code of 1..15 bits, through the test finisher. */
static inline void guest_exit(struct guest *g, unsigned code)
{
    lui(g, T0, 0x100);
    lui(g, T1, code << 4);
    lui(g, T2, 3);
    addi(g, T2, T2, 0x333);
    add(g, T1, T1, T2);
    sw(g, T1, 0, T0);
}

/* The guest as a file. Returns its name, which the next call overwrites. */
static inline const char *guest_file(const struct guest *g, char name[64])
{
    snprintf(name, 64, "/tmp/trapline-guest-%ld-XXXXXX", (long)getpid());
    int fd = mkstemp(name);
    if (fd < 0 || write(fd, g->code, g->n * 4) != (ssize_t)g->n * 4)
        abort();
    close(fd);
    return name;
}

/* A machine that starts at the guest's first instruction. c may be NULL. Prints why it cannot. */
static inline struct machine *guest_machine(const struct guest *g, const struct machine_config *c)
{
    struct machine_config config = c ? *c : (struct machine_config){0};
    char name[64];
    struct err e;
    config.bios = "none";
    config.kernel = guest_file(g, name);
    if (!config.ram)
        config.ram = 16 << 20;
    struct machine *m = machine_new(&config, &e);
    if (!m)
        fprintf(stderr, "%s\n", e.text);
    unlink(name);
    return m;
}

/* Everything a machine printed. */
struct console {
    size_t n;
    char text[65536];
};

static inline void console_put(void *ctx, const char *device, const void *p, size_t n)
{
    struct console *c = ctx;
    (void)device;
    if (n > sizeof c->text - 1 - c->n)
        n = sizeof c->text - 1 - c->n;
    memcpy(c->text + c->n, p, n);
    c->n += n;
}

/*
 * A guest that uses everything at once, on any number of harts (a power of two): a loop that fills pages of its own and adds to a
 * shared counter, sleeps now and then, a timer interrupt that re-arms itself at uneven distances, an interrupt to the next hart,
 * and output.
 */
static inline struct guest busy_guest(unsigned harts)
{
    struct guest g = {.n = 0};
    csrr(&g, S10, CSR_MHARTID);
    unsigned handler_at = la(&g, T0, 0);
    csrw(&g, CSR_MTVEC, T0);
    slli(&g, T0, S10, 3);
    lui(&g, S0, 0x2004); /* mtimecmp of this hart */
    add(&g, S0, S0, T0);
    lui(&g, S1, 0x200c); /* mtime is 8 below */
    slli(&g, T0, S10, 2);
    lui(&g, S7, 0x2000); /* msip of this hart, and of the next */
    add(&g, S7, S7, T0);
    addi(&g, T1, S10, 1);
    andi(&g, T1, T1, (int)harts - 1);
    slli(&g, T1, T1, 2);
    lui(&g, S8, 0x2000);
    add(&g, S8, S8, T1);
    lui(&g, S9, 0x10000); /* uart */
    auipc(&g, S5, 0x10);  /* shared counter: 64 KiB behind */
    andi(&g, S5, S5, -8);
    slli(&g, T0, S10, 16);
    lui(&g, T1, 0x20);
    add(&g, S2, S5, T1); /* pages of this hart */
    add(&g, S2, S2, T0);
    ld(&g, T1, -8, S1);
    addi(&g, T1, T1, 3);
    sd(&g, T1, 0, S0);
    addi(&g, T0, ZERO, 0x88); /* MTIE, MSIE */
    csrw(&g, CSR_MIE, T0);
    csrsi(&g, CSR_MSTATUS, 8);
    unsigned loop = g.n;
    addi(&g, S3, S3, 1);
    slli(&g, T0, S4, 5);
    add(&g, S4, S4, T0);
    xor_(&g, S4, S4, S3);
    andi(&g, T1, S3, 0x7f);
    slli(&g, T1, T1, 9);
    add(&g, T1, T1, S2);
    sd(&g, S4, 0, T1);
    amoadd_d(&g, T2, S3, S5);
    xor_(&g, S4, S4, T2);
    andi(&g, T2, S3, 0x1ff);
    bne(&g, T2, ZERO, loop);
    wfi(&g);
    jump(&g, loop);
    while (g.n % 2)
        addi(&g, ZERO, ZERO, 0);
    patch_la(&g, handler_at, g.n);
    csrr(&g, T3, CSR_MCAUSE);
    andi(&g, T3, T3, 15);
    addi(&g, T3, T3, -3);
    unsigned is_soft = put_insn(&g, 0);
    ld(&g, T3, -8, S1); /* timer: again after 7 to 22 ticks */
    andi(&g, T4, S4, 15);
    add(&g, T3, T3, T4);
    addi(&g, T3, T3, 7);
    sd(&g, T3, 0, S0);
    addi(&g, T4, ZERO, 1);
    sw(&g, T4, 0, S8); /* to the next hart */
    andi(&g, T4, S4, 31);
    addi(&g, T4, T4, 64);
    sb(&g, T4, 0, S9);
    mret(&g);
    g.code[is_soft] = b_bits((int)(g.n - is_soft) * 4) | ZERO << 20 | T3 << 15 | 0 << 12 | 0x63;
    sw(&g, ZERO, 0, S7);
    addi(&g, S6, S6, 1);
    mret(&g);
    return g;
}
#endif
