/*
 * The floating-point path for hosts known only through <fenv.h> gives what the host's own instructions give: the same test, with
 * fewer operands, <fenv.h> being slow. timeout: 600
 */
#define FP_HOST_PORTABLE
#define OPERANDS (fp_operand_count() / 10)
#include "test_fp_arith.c"
