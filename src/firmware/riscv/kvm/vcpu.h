/* A virtual hart, as words of XLEN: what switch.S swaps, and what the host keeps of each exit. */
#ifndef FIRMWARE_RISCV_KVM_VCPU_H
#define FIRMWARE_RISCV_KVM_VCPU_H

#define VCPU_HOST(n)          (n) /* x1..x31 */
#define VCPU_GUEST(n)         (32 + (n))
#define VCPU_HOST_SSTATUS     64
#define VCPU_HOST_HSTATUS     65
#define VCPU_HOST_SCOUNTEREN  66
#define VCPU_HOST_SSCRATCH    67
#define VCPU_HOST_STVEC       68
#define VCPU_GUEST_SSTATUS    69
#define VCPU_GUEST_HSTATUS    70
#define VCPU_GUEST_SCOUNTEREN 71
#define VCPU_GUEST_SEPC       72
#define VCPU_EXIT(k)          (73 + 8 * (k)) /* of exit k = 0, 1 of a round: */
#define EXIT_HTVAL            0
#define EXIT_HTINST           1
#define EXIT_SCAUSE           2
#define EXIT_STVAL            3
#define EXIT_SEPC             4
#define EXIT_A0               5
#define EXIT_A7               6
#define VCPU_WORDS            89

/* The guest's hypercalls, in a7. After a panic a0, a1 and a2 are its scause, sepc and stval. */
#define GUEST_CALL  0x10
#define GUEST_PANIC 0x11

/* What GUEST_FAULT_VA is to the guest's own tables; its hypervisor maps nothing there. More than 32 bits, which htval can tell.
 */
#define GUEST_FAULT_GPA 0x123456000
#endif
