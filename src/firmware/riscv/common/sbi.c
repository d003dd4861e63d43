/* An SBI call (SBI v3.0 chapter "Binary Encoding"). */
#include "riscv/common/payload.h"

struct sbiret sbi(ulong eid, ulong fid, ulong arg0, ulong arg1, ulong arg2, ulong arg3, ulong arg4)
{
    register ulong a0 __asm__("a0") = arg0;
    register ulong a1 __asm__("a1") = arg1;
    register ulong a2 __asm__("a2") = arg2;
    register ulong a3 __asm__("a3") = arg3;
    register ulong a4 __asm__("a4") = arg4;
    register ulong a5 __asm__("a5") = 0; /* the upper half of an argument on RV32 may end here */
    register ulong a6 __asm__("a6") = fid;
    register ulong a7 __asm__("a7") = eid;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7) : "memory");
    return (struct sbiret){(long)a0, a1};
}
