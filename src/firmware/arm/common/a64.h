/* What bundled A64 guest code shares: system registers, the console, calls. Any exception level; no state. */
#ifndef FIRMWARE_ARM_COMMON_A64_H
#define FIRMWARE_ARM_COMMON_A64_H

/* Exception classes, ESR_ELx.EC (Arm ARM D24.2). */
#define EC_UNKNOWN    0x00
#define EC_SVC        0x15
#define EC_HVC        0x16
#define EC_SMC        0x17
#define EC_DATA_LOWER 0x24

/* SCR_EL3 (Arm ARM D24.2): what a monitor lets lower levels have. RES1 bits 5:4; bits of features that are absent stay 0. */
#define SCR_NS     (1 << 0)
#define SCR_IRQ    (1 << 1)
#define SCR_FIQ    (1 << 2)
#define SCR_HCE    (1 << 8)
#define SCR_SIF    (1 << 9)
#define SCR_RW     (1 << 10)
#define SCR_PERMIT (0x30 | 1 << 16 | 1 << 17 | 1 << 25 | 1 << 26 | 1 << 27 | 1 << 28) /* APK, API, EnSCXT, ATA, FGTEn, ECVEn */
/* HXEn, EnTP2, TCR2En, SCTLR2En, PIEn. */
#define SCR_PERMIT_HIGH (1ul << 38 | 1ul << 41 | 1ul << 43 | 1ul << 44 | 1ul << 45 | 1ul << 46 | 1ul << 53 | 1ul << 59)
/* HCR_EL2 */
#define HCR_VM  (1 << 0)
#define HCR_FMO (1 << 3)
#define HCR_IMO (1 << 4)
#define HCR_AMO (1 << 5)
#define HCR_TSC (1 << 19)
#define HCR_RW  (1 << 31)
/* SPSR_ELx of a level's own stack pointer, everything masked. */
#define SPSR_EL3H 0x3cd
#define SPSR_EL2H 0x3c9
#define SPSR_EL1H 0x3c5
#define SPSR_EL0  0x3c0
#define SPSR_I    0x80

#ifndef __ASSEMBLER__
typedef unsigned long ulong;
typedef unsigned int uint;

/* Data that handlers of interrupts change. */
#define SCRATCH __attribute__((section(".scratch,\"aw\",%nobits//")))

#define READ(reg)                                     \
    ({                                                \
        ulong v_;                                     \
        __asm__ volatile("mrs %0, " #reg : "=r"(v_)); \
        v_;                                           \
    })
#define WRITE(reg, v) __asm__ volatile("msr " #reg ", %0\n\tisb" ::"r"((ulong)(v)) : "memory")
#define EC(esr)       ((esr) >> 26 & 63)

#define UART_DR (*(volatile uint *)0x09000000ul)

static inline void put_char(char c) { UART_DR = (uint)(unsigned char)c; }

static inline void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

/* v in hexadecimal, without leading zeros. */
static inline void put_hex(ulong v)
{
    int shift = 60;
    put_text("0x");
    while (shift > 0 && !(v >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[v >> shift & 15]);
}

static inline void put_value(const char *name, ulong v)
{
    put_text(name);
    put_hex(v);
}

/* The highest level with two security states: output 0 of the Secure GPIO is the power. Elsewhere it faults. */
static inline void power_off(void)
{
    *(volatile uint *)0x090b0400ul = 3;              /* DIR */
    *(volatile uint *)(0x090b0000ul + (1 << 2)) = 1; /* pin 0 */
}

static inline void restart(void)
{
    *(volatile uint *)0x090b0400ul = 3;
    *(volatile uint *)(0x090b0000ul + (2 << 2)) = 2; /* pin 1 */
}

/* Semihosting SYS_EXIT_EXTENDED (Arm "Semihosting for AArch32 and AArch64" 2.0): ends the run with this code, where it is on.
   Else it is an exception, and the PE waits for good when it comes here again. */
static inline void semihost_exit(ulong code)
{
    static volatile ulong before;
    while (before)
        __asm__ volatile("wfi");
    before = 1;
    ulong block[2] = {0x20026, code};
    register ulong x0 __asm__("x0") = 0x20;
    register ulong *x1 __asm__("x1") = block;
    __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

/* A call by the SMC Calling Convention (DEN 0028). */
static inline ulong call_smc(ulong f, ulong a, ulong b, ulong c)
{
    register ulong x0 __asm__("x0") = f, x1 __asm__("x1") = a, x2 __asm__("x2") = b, x3 __asm__("x3") = c;
    __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "memory");
    return x0;
}

static inline ulong call_hvc(ulong f, ulong a, ulong b, ulong c)
{
    register ulong x0 __asm__("x0") = f, x1 __asm__("x1") = a, x2 __asm__("x2") = b, x3 __asm__("x3") = c;
    __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "memory");
    return x0;
}

/* PSCI functions (DEN 0022D 5.1). */
#define PSCI_VERSION         0x84000000u
#define PSCI_CPU_SUSPEND     0xc4000001u
#define PSCI_CPU_OFF         0x84000002u
#define PSCI_CPU_ON          0xc4000003u
#define PSCI_AFFINITY_INFO   0xc4000004u
#define PSCI_MIGRATE_INFO    0x84000006u
#define PSCI_SYSTEM_OFF      0x84000008u
#define PSCI_SYSTEM_RESET    0x84000009u
#define PSCI_FEATURES        0x8400000au
#define SMCCC_VERSION        0x80000000u
#define SMCCC_ARCH_FEATURES  0x80000001u
#define PSCI_NOT_SUPPORTED   (-1l)
#define PSCI_INVALID         (-2l)
#define PSCI_ALREADY_ON      (-4l)
#define PSCI_ON_PENDING      (-5l)
#define PSCI_INVALID_ADDRESS (-9l)
/* The monitor's own Secure service (a Trusted OS call of DEN 0028): x1 times 3 plus 1, computed in Secure EL1. */
#define SECURE_SERVICE 0x32000001u
#endif
#endif
