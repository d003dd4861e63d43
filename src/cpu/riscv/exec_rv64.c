#define XLEN 64
#include "cpu/riscv/exec.inc"
