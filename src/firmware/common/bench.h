/* Benchmarks' guest side: hart 0 runs bench_main (common/bench_start.S). BENCH_FINISH ends the machine from a level below. */
#ifndef FIRMWARE_COMMON_BENCH_H
#define FIRMWARE_COMMON_BENCH_H
#ifdef __riscv
#define BENCH_FINISH(code) (*(volatile unsigned int *)0x100000ul = (code) ? (unsigned int)((code) << 16 | 0x3333) : 0x5555)
#define READ_CSR(csr)                                  \
    ({                                                 \
        unsigned long v_;                              \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)); \
        v_;                                            \
    })
#define WRITE_CSR(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"((unsigned long)(v)))
#else
#define BENCH_FINISH(code)    __asm__ volatile("hvc 0")
#define WRITE_SYSREG(name, v) __asm__ volatile("msr " #name ", %0" ::"r"((unsigned long)(v)))
#endif
#endif
