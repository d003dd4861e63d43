#define XLEN 32
#include "cpu/riscv/exec.inc"
