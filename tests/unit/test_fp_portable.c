/*
 * The floating-point path for hosts known only through <fenv.h> gives what the host's own instructions give: the same test.
 * timeout: 600
 */
#define FP_HOST_PORTABLE
#include "test_fp_arith.c"
