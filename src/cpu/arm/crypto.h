/* Cryptographic functions of A64 on 128-bit registers: name(d, n, m), what a row of insn/crypto.def does to its destination d. */
#ifndef TL_CPU_ARM_CRYPTO_H
#define TL_CPU_ARM_CRYPTO_H
#include <stdint.h>

/* A register as words; w[0] is the lowest. */
union crypto_reg {
    uint64_t d[2];
    uint32_t w[4];
    uint8_t b[16];
};
typedef union crypto_reg crypto_fn(union crypto_reg d, union crypto_reg n, union crypto_reg m);

/* AES (FIPS 197), SHA-1 and SHA-2 (FIPS 180-4), SHA-3 (FIPS 202), SM3 and SM4 (GB/T 32905, 32907), split as the Arm ARM's
 * instructions are. */
crypto_fn crypto_aese, crypto_aesd, crypto_aesmc, crypto_aesimc;
crypto_fn crypto_sha1c, crypto_sha1p, crypto_sha1m, crypto_sha1su0, crypto_sha1h, crypto_sha1su1;
crypto_fn crypto_sha256h, crypto_sha256h2, crypto_sha256su0, crypto_sha256su1;
crypto_fn crypto_sha512h, crypto_sha512h2, crypto_sha512su0, crypto_sha512su1;
crypto_fn crypto_rax1, crypto_sm3partw1, crypto_sm3partw2, crypto_sm4e, crypto_sm4ekey;
/* SM3SS1: the fourth register is a. SM3TT1A, 1B, 2A, 2B: kind 0 to 3, with word `index` of m. */
union crypto_reg crypto_sm3ss1_of(union crypto_reg n, union crypto_reg m, union crypto_reg a);
union crypto_reg crypto_sm3tt_of(union crypto_reg d, union crypto_reg n, union crypto_reg m, unsigned index, unsigned kind);
#endif
