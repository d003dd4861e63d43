/*
 * The path for hosts known only through <fenv.h> gives what Arm's exact functions give, too: the same test of functions, with
 * fewer operands. (The handlers are those of this host.) timeout: 600
 */
#define FP_HOST_PORTABLE
#define OPERANDS (fp_operand_count() / 20)
#include "test_fp_arm_host.c"
