/* What a hart has, and how its registers are set up for the mode below. */
#include "fw.h"

/* ---- finding out --------------------------------------------------------------------------------------------------- */

#if __riscv_xlen == 64
#define STORE "sd "
#else
#define STORE "sw "
#endif

/* Runs assembler that may trap; true if it did not. Operands: outputs, inputs. */
#define TRY(h, code, outs, ins)                                                        \
    ({                                                                                 \
        ulong after_;                                                                  \
        (h)->trapped = false;                                                          \
        __asm__ volatile("la %[after], 1f\n" STORE "%[after], %[resume]\n" code "\n1:" \
                         : [after] "=&r"(after_), [resume] "=m"((h)->resume)outs:ins   \
                         : "memory");                                                  \
        (h)->resume = 0;                                                               \
        !(h)->trapped;                                                                 \
    })
#define OUT(...) , __VA_ARGS__
#define HAS_CSR(h, csr)                                                 \
    ({                                                                  \
        ulong ignored_;                                                 \
        TRY(h, "csrr %[v], " CSR_TEXT(csr), OUT([v] "=r"(ignored_)), ); \
    })

u64 menvcfg_read(void)
{
#if __riscv_xlen == 64
    return csr_read(CSR_MENVCFG);
#else
    return csr_read(CSR_MENVCFG) | (u64)csr_read(CSR_MENVCFGH) << 32;
#endif
}

void menvcfg_write(u64 v)
{
    csr_write(CSR_MENVCFG, v);
#if __riscv_xlen == 32
    csr_write(CSR_MENVCFGH, v >> 32);
#endif
}

/* Bit n: mhpmcounter n holds what is written to it. A counter that is not there is read-only zero (priv 3.1.10). */
static u32 programmable_counters(struct hart *h)
{
    u32 there = 0;
    if (!HAS_CSR(h, mhpmcounter3))
        return 0;
    for (uint n = 3; n < 32; n++) {
        counter_write(n, 1);
        if (counter_read(n))
            there |= 1u << n;
        counter_write(n, 0);
    }
    return there;
}

void hart_probe(struct hart *h)
{
    struct features *has = &h->has;
    /* NMIE is 0 after reset; until it is set, even the traps of this function would go to the NMI exception vector (Smrnmi). */
    has->smrnmi = TRY(h, "csrsi " CSR_TEXT(CSR_MNSTATUS) ", 8", , );
    if (has->smrnmi) {
        ulong *area = &nmi_area[h->id * NMI_WORDS];
        area[2] = (ulong)&h->ipi;
        area[3] = MSIP_BASE + 4 * h->id;
        csr_write(CSR_MNSCRATCH, area);
    }
    has->h = csr_read(misa) >> ('h' - 'a') & 1;
    has->sscofpmf = HAS_CSR(h, CSR_SCOUNTOVF);
    has->smstateen = HAS_CSR(h, CSR_MSTATEEN0);
    has->smcntrpmf = HAS_CSR(h, CSR_MCYCLECFG);
    has->hpm = programmable_counters(h);
    has->envcfg = HAS_CSR(h, CSR_MENVCFG);
    if (!has->envcfg)
        return;
    /* Bits that nothing is behind are read-only zero. */
    menvcfg_write(-1ull & ~(ENVCFG_PMM ^ ENVCFG_PMM_7));
    u64 env = menvcfg_read();
    has->sstc = env & ENVCFG_STCE;
    has->svadu = env & ENVCFG_ADUE;
    has->ssdbltrp = env & ENVCFG_DTE;
    has->zicfilp = env & ENVCFG_LPE;
    has->zicfiss = env & ENVCFG_SSE;
    has->smnpm = env & ENVCFG_PMM;
    menvcfg_write(0);
}

/* ---- setting up ---------------------------------------------------------------------------------------------------- */

static ulong napot(ulong base, ulong size) { return base >> 2 | (size / 8 - 1); }

/* The modes below reach everything but the firmware and the registers it raises M's interrupts with. */
static void protect(struct hart *h)
{
    if (!HAS_CSR(h, pmpaddr0))
        return;
    csr_write(pmpaddr0, napot(FW_BASE, FW_SIZE));
    csr_write(pmpaddr1, napot(MSIP_BASE, ACLINT_SIZE));
    csr_write(pmpaddr2, -1ul);
    csr_write(pmpcfg0, 0x1f1818);
}

static void delegate(const struct hart *h)
{
    ulong exceptions = 1 << CAUSE_INSN_MISALIGNED | 1 << CAUSE_BREAKPOINT | 1 << CAUSE_ECALL_U | 1 << CAUSE_INSN_PAGE |
                       1 << CAUSE_LOAD_PAGE | 1 << CAUSE_STORE_PAGE | 1 << CAUSE_SOFTWARE_CHECK;
    if (h->has.h)
        exceptions |= 1 << CAUSE_ECALL_VS | 1 << CAUSE_INSN_GUEST_PAGE | 1 << CAUSE_LOAD_GUEST_PAGE | 1 << CAUSE_VIRTUAL_INSN |
                      1 << CAUSE_STORE_GUEST_PAGE;
    csr_write(CSR_MEDELEG, exceptions);
    csr_write(mideleg, 1 << IRQ_SSI | 1 << IRQ_STI | 1 << IRQ_SEI | 1 << IRQ_LCOFI);
}

/* No translation that an earlier life of the hart has left. */
static void forget_translations(const struct hart *h)
{
    __asm__ volatile("fence.i\nsfence.vma" ::: "memory");
    if (h->has.h)
        __asm__ volatile(".word 0x62000073\n.word 0x22000073" ::: "memory"); /* hfence.gvma, hfence.vvma */
}

void hart_set_up(struct hart *h)
{
    csr_write(mie, 0);
    csr_clear(mip, 1 << IRQ_SSI | 1 << IRQ_STI | 1 << IRQ_LCOFI);
    csr_clear(mstatus, MSTATUS_FS);
    csr_set(mstatus, MSTATUS_FS & -MSTATUS_FS); /* Initial; read-only zero without F */
    protect(h);
    delegate(h);
    fwft_reset(h);
    pmu_reset(h);
    sse_reset(h);
    csr_write(mcounteren, -1);
    csr_write(scounteren, 7); /* U: cycle, time, instret */
    if (h->has.smstateen) {
        csr_write(CSR_MSTATEEN0, -1);
#if __riscv_xlen == 32
        csr_write(CSR_MSTATEEN0H, -1);
#endif
    }
    if (HAS_CSR(h, CSR_MSECCFG)) /* the modes below may read seed (Zkr) */
        csr_set(CSR_MSECCFG, MSECCFG_USEED | MSECCFG_SSEED);
    timer_set(h, -1ull);
    csr_clear(mie, 1 << IRQ_MTI);
    csr_set(mie, 1 << IRQ_MSI);
    forget_translations(h);
}

void hart_enter_s(struct hart *h, ulong pc, ulong a0, ulong a1)
{
    struct frame *f = &h->frame;
    for (uint i = 0; i < 32; i++)
        f->x[i] = 0;
    f->x[X_A0] = a0;
    f->x[X_A1] = a1;
    f->pc = pc;
    f->status[LOW] = csr_read(mstatus);
#if __riscv_xlen == 32
    f->status[HIGH] = csr_read(CSR_MSTATUSH);
#endif
    f->status[LOW] &= ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_MPP | MSTATUS_SPELP | MSTATUS_SDT);
    f->status[LOW] |= MSTATUS_MPP_S;
    f->status[HIGH] &= ~(HIGH_GVA | HIGH_MPV | HIGH_MPELP | HIGH_MDT);
    csr_write(satp, 0);
}
