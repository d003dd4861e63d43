/*
 * The ciphers of pointer authentication, QARMA5 and QARMA3: the published result of the cipher's authors (R. Avanzi, "The QARMA
 * Block Cipher Family", table of test vectors, QARMA-64 with sigma 2 and r = 5), and the Arm ARM's pseudocode (ComputePACQARMA
 * and what it calls) written down here again, cell by cell, for random operands. QEMU 7.2 has no QARMA3, so the differential test
 * has none.
 */
#include "base/bits.h"
#include "cpu/arm/pauth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* A state, cell 0 the lowest. */
struct cells {
    uint8_t c[16];
};

static struct cells split(uint64_t v)
{
    struct cells s;
    for (unsigned i = 0; i < 16; i++)
        s.c[i] = v >> 4 * i & 15;
    return s;
}

static uint64_t join(struct cells s)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 16; i++)
        v |= (uint64_t)s.c[i] << 4 * i;
    return v;
}

/* Where each cell comes from. */
static const uint8_t shuffle[16] = {13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15};
static const uint8_t tweak_from[16] = {4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9};
static const uint8_t tweak_turns[16] = {[2] = 1, [4] = 1, [7] = 1, [11] = 1, [12] = 1, [14] = 1, [15] = 1};
static const uint8_t sub[16] = {11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10};
static const uint8_t sub1[16] = {10, 13, 14, 6, 15, 7, 3, 5, 9, 8, 0, 12, 11, 1, 2, 4};

static uint64_t shuffled(uint64_t v, bool back)
{
    struct cells in = split(v), out;
    for (unsigned i = 0; i < 16; i++) {
        if (back)
            out.c[shuffle[i]] = in.c[i];
        else
            out.c[i] = in.c[shuffle[i]];
    }
    return join(out);
}

static uint64_t substituted(uint64_t v, const uint8_t box[16], bool back)
{
    struct cells in = split(v);
    uint8_t inverse[16];
    for (unsigned i = 0; i < 16; i++)
        inverse[box[i]] = (uint8_t)i;
    for (unsigned i = 0; i < 16; i++)
        in.c[i] = back ? inverse[in.c[i]] : box[in.c[i]];
    return join(in);
}

static unsigned turned(unsigned cell, unsigned n) { return (cell << n | cell >> (4 - n)) & 15; }

/* The circulant matrix (0, 1, 2, 1) over the rows of a column: the numbers are rotations. */
static uint64_t multiplied(uint64_t v)
{
    struct cells in = split(v), out;
    for (unsigned row = 0; row < 4; row++)
        for (unsigned column = 0; column < 4; column++)
            out.c[4 * row + column] =
                (uint8_t)(turned(in.c[(row + 1) % 4 * 4 + column], 1) ^ turned(in.c[(row + 2) % 4 * 4 + column], 2) ^
                          turned(in.c[(row + 3) % 4 * 4 + column], 1));
    return join(out);
}

static uint64_t tweaked(uint64_t v)
{
    struct cells in = split(v), out;
    for (unsigned i = 0; i < 16; i++) {
        unsigned c = in.c[tweak_from[i]];
        out.c[i] = (uint8_t)(tweak_turns[i] ? c >> 1 | ((c ^ c >> 1) & 1) << 3 : c);
    }
    return join(out);
}

static uint64_t expected(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1, bool qarma3)
{
    static const uint64_t constant[] = {0, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377};
    const uint8_t *box = qarma3 ? sub1 : sub;
    unsigned n = qarma3 ? 2 : 4;
    uint64_t modk0 = (key0 & 1) << 63 | (key0 >> 2) << 1 | ((key0 >> 63) ^ (key0 >> 1 & 1)), tweak[6] = {modifier},
             v = data ^ key0;
    for (unsigned i = 0; i <= n; i++) {
        v ^= key1 ^ tweak[i] ^ constant[i];
        v = i ? multiplied(shuffled(v, false)) : v;
        v = substituted(v, box, false);
        tweak[i + 1] = tweaked(tweak[i]);
    }
    v = substituted(multiplied(shuffled(v ^ modk0 ^ tweak[n + 1], false)), box, false);
    v = shuffled(multiplied(shuffled(v, false)) ^ key1, true);
    v = shuffled(multiplied(substituted(v, box, true)), true) ^ key0 ^ tweak[n + 1];
    for (unsigned i = 0; i <= n; i++) {
        v = substituted(v, box, true);
        v = i < n ? shuffled(multiplied(v), true) : v;
        v ^= constant[n - i] ^ key1 ^ tweak[n - i] ^ 0xc0ac29b7c97c50dd;
    }
    return v ^ modk0;
}

static void the_authors_result(void **state)
{
    (void)state;
    assert_int_equal(pac_qarma(0xfb623599da6e8127, 0x477d469dec0b8762, 0x84be85ce9804e94b, 0xec2802d4e0a488e9, false),
                     0xc003b93999b33765);
}

static void as_the_pseudocode(void **state)
{
    uint64_t s = 0x9e3779b97f4a7c15, v[4];
    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        for (unsigned i = 0; i < 4; i++) {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            v[i] = n < 256 ? UINT64_C(1) << (n & 63) & -(uint64_t)(n >> 6 == i) : s; /* each bit of each operand alone */
        }
        for (unsigned qarma3 = 0; qarma3 < 2; qarma3++)
            if (pac_qarma(v[0], v[1], v[2], v[3], qarma3) != expected(v[0], v[1], v[2], v[3], qarma3))
                fail_msg("QARMA%u of %#llx, %#llx, %#llx, %#llx", qarma3 ? 3 : 5, (unsigned long long)v[0],
                         (unsigned long long)v[1], (unsigned long long)v[2], (unsigned long long)v[3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_authors_result), cmocka_unit_test(as_the_pseudocode)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
