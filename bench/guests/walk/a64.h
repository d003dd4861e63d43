/* Translation tables of 4 KiB granule and 39 bits for the benchmark of page walks, and how its loop is entered: at EL1, with the
   second stage or without. */
#define RAM              0x40000000ul
#define TABLE(pa)        ((pa) | 3)
#define PAGE(pa, flags)  ((pa) | (flags) | 3)
#define BLOCK(pa, flags) ((pa) | (flags) | 1)
#define STAGE1_DEVICE    0x0060000000000404ul /* AF, attribute 1 of MAIR; execute-never */
#define STAGE1_MEMORY    0x700ul              /* AF, inner shareable, attribute 0 */
#define STAGE2_DEVICE    0x4c4ul              /* AF, S2AP read and write, Device-nGnRE */
#define STAGE2_MEMORY    0x7fcul              /* AF, inner shareable, S2AP read and write, Normal write-back */

static void enter(void (*loop)(void), unsigned long root, unsigned long groot)
{
    WRITE_SYSREG(mair_el1, 0xff);
    WRITE_SYSREG(tcr_el1, 2ul << 32 | 1ul << 23 | 0x3519); /* IPS 40 bits, EPD1, inner shareable, write-back, T0SZ 25 */
    WRITE_SYSREG(ttbr0_el1, root);
    WRITE_SYSREG(vtcr_el2, 0x80023559); /* RES1, PS 40 bits, inner shareable, write-back, SL0 1, T0SZ 25 */
    WRITE_SYSREG(vttbr_el2, groot);
    WRITE_SYSREG(hcr_el2, 1ul << 31 | (STAGES == 2)); /* RW, VM */
    WRITE_SYSREG(sctlr_el1, 0x30d01805);              /* RES1, I, C, M */
    WRITE_SYSREG(elr_el2, loop);
    WRITE_SYSREG(spsr_el2, 0x3c5); /* EL1h, all masked */
    __asm__ volatile("eret");
}
