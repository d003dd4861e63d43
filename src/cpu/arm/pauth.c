#include "cpu/arm/pauth.h"

#include "base/hash.h"
#include "cpu/arm/insn/bit.h"
#include "cpu/arm/regime.h"

#include <string.h>

/* ---- QARMA-64 --------------------------------------------------------------------------------------------------------- */

/* A state is 16 cells of 4 bits; cell 0 is the lowest. */
struct sbox {
    uint8_t cell[16];
};
static const struct sbox sub = {{0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe, 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa}};
static const struct sbox sub_inverse = {{0x5, 0xe, 0xd, 0x8, 0xa, 0xb, 0x1, 0x9, 0x2, 0x6, 0xf, 0x0, 0x4, 0xc, 0x7, 0x3}};
static const struct sbox sub1 = {{0xa, 0xd, 0xe, 0x6, 0xf, 0x7, 0x3, 0x5, 0x9, 0x8, 0x0, 0xc, 0xb, 0x1, 0x2, 0x4}};

static uint64_t substitute(const struct sbox *s, uint64_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 64; i += 4)
        r |= (uint64_t)s->cell[v >> i & 15] << i;
    return r;
}

/* Cell i comes from cell from[i]. */
static uint64_t permute(const uint8_t from[16], uint64_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 16; i++)
        r |= (v >> (4 * from[i]) & 15) << (4 * i);
    return r;
}
static const uint8_t shuffle[16] = {13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15};
static const uint8_t shuffle_inverse[16] = {3, 6, 12, 9, 14, 11, 1, 4, 8, 13, 7, 2, 5, 0, 10, 15};
static const uint8_t tweak_shuffle[16] = {4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9};
static const uint8_t tweak_shuffle_inverse[16] = {12, 13, 5, 6, 0, 1, 2, 3, 7, 15, 14, 4, 8, 9, 10, 11};

/* Every cell rotated to the left. */
static uint64_t rotate_cells(uint64_t v, unsigned n)
{
    uint64_t low = 0x1111111111111111 * ((1u << n) - 1); /* what comes in from above */
    return (v << n & ~low) | (v >> (4 - n) & low);
}

/* The matrix: cells are four rows of 16 bits. Arm ARM PACMult. */
static uint64_t multiply(uint64_t v)
{
    uint64_t one = rotate_cells(v, 1), two = rotate_cells(v, 2);
    return (one << 16 | one >> 48) ^ (one << 48 | one >> 16) ^ (two << 32 | two >> 32);
}

/* The cells that the tweak's update also shifts, as it leaves them. Arm ARM TweakShuffle, TweakInvShuffle. */
#define TWEAK_CELLS         UINT64_C(0xff0ff000f00f0f00)
#define TWEAK_CELLS_INVERSE UINT64_C(0xf000ffff0f00000f)
#define LOW_BITS            UINT64_C(0x1111111111111111)

static uint64_t tweak(uint64_t v)
{
    uint64_t r = permute(tweak_shuffle, v), shifted = (r >> 1 & ~(LOW_BITS << 3)) | ((r ^ r >> 1) & LOW_BITS) << 3;
    return (r & ~TWEAK_CELLS) | (shifted & TWEAK_CELLS);
}

static uint64_t tweak_inverse(uint64_t v)
{
    uint64_t shifted = (v << 1 & ~LOW_BITS) | ((v ^ v >> 3) & LOW_BITS);
    return (permute(tweak_shuffle_inverse, v) & ~TWEAK_CELLS_INVERSE) |
           (permute(tweak_shuffle_inverse, shifted) & TWEAK_CELLS_INVERSE);
}

uint64_t pac_qarma(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1, bool qarma3)
{
    static const uint64_t constant[] = {0, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377};
    const uint64_t alpha = 0xc0ac29b7c97c50dd, modk0 = (key0 << 63 | key0 >> 1) ^ key0 >> 63;
    const struct sbox *forward = qarma3 ? &sub1 : &sub, *backward = qarma3 ? &sub1 : &sub_inverse;
    unsigned rounds = qarma3 ? 2 : 4;
    uint64_t v = data ^ key0, t = modifier;
    for (unsigned i = 0; i <= rounds; i++) {
        v ^= key1 ^ t ^ constant[i];
        if (i)
            v = multiply(permute(shuffle, v));
        v = substitute(forward, v);
        t = tweak(t);
    }
    v = substitute(forward, multiply(permute(shuffle, v ^ modk0 ^ t)));
    v = multiply(permute(shuffle, v));
    v = substitute(backward, permute(shuffle_inverse, v ^ key1));
    v = permute(shuffle_inverse, multiply(v)) ^ key0 ^ t;
    for (unsigned i = 0; i <= rounds; i++) {
        v = substitute(backward, v);
        if (i < rounds)
            v = permute(shuffle_inverse, multiply(v));
        t = tweak_inverse(t);
        v ^= constant[rounds - i] ^ key1 ^ t ^ alpha;
    }
    return v ^ modk0;
}

/* The IMPLEMENTATION DEFINED algorithm is a digest of the operands: quick, and no cipher at all. */
static uint64_t pac_digest(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1)
{
    const uint64_t words[] = {data, modifier, key0, key1};
    return hash_bytes(words, sizeof words);
}

uint64_t pac_compute(struct pe *p, uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1)
{
    uint64_t mix = (data ^ bit_ror(modifier, 23) ^ bit_ror(key1, 7)) * UINT64_C(0x9e3779b97f4a7c15);
    __typeof__(p->pac.entry[0]) *m = &p->pac.entry[mix >> 56];
    if (likely(m->data == data && m->modifier == modifier && m->key0 == key0 && m->key1 == key1))
        return m->pac;
    m->data = data;
    m->modifier = modifier;
    m->key0 = key0;
    m->key1 = key1;
    m->pac = arm_has(p->cfg, FEAT_PACIMP) ? pac_digest(data, modifier, key0, key1)
                                          : pac_qarma(data, modifier, key0, key1, arm_has(p->cfg, FEAT_PACQARMA3));
    return m->pac;
}
_Static_assert(PAC_MEMO == 256, "the index is 8 bits");

/* ---- pointers --------------------------------------------------------------------------------------------------------- */

/* Where the code of a pointer is: bits 54 to bottom, and without tbi 63 to 56. */
struct pac_field {
    bool tbi;
    unsigned bottom;
};

static struct pac_field pac_field(const struct pe *p, uint64_t ptr, bool data, bool upper)
{
    struct s1_range r = regime_range(p, regime_of(p, p->el), upper);
    unsigned least = range_min_txsz(p, &r), most = range_max_txsz(p, &r);
    unsigned txsz = r.txsz < least ? least : r.txsz > most ? most : r.txsz; /* Arm ARM AArch64.PACEffectiveTxSZ */
    return (struct pac_field){.tbi = address_tbi(p, ptr, !data, p->el), .bottom = 64 - txsz};
}

/* Bits 54 to bottom. */
static uint64_t low_mask(const struct pac_field *f) { return bits_mask(f->bottom, 55 - f->bottom); }
/* All bits the code takes: bit 55 is none of them. */
static uint64_t code_mask(const struct pac_field *f) { return low_mask(f) | (f->tbi ? 0 : bits_mask(56, 8)); }

/* The pointer with its code replaced by copies of bit 55, which is `upper`. */
static uint64_t extended(const struct pac_field *f, uint64_t ptr, bool upper)
{
    uint64_t mask = code_mask(f) | bits_mask(55, 1);
    return upper ? ptr | mask : ptr & ~mask;
}

static void key_of(const struct pe *p, enum pac_key k, uint64_t *key0, uint64_t *key1)
{
    const struct arm_regs *r = &p->s.regs;
    const uint64_t keys[4][2] = {[PAC_IA] = {r->apiakeyhi_el1, r->apiakeylo_el1},
                                 [PAC_IB] = {r->apibkeyhi_el1, r->apibkeylo_el1},
                                 [PAC_DA] = {r->apdakeyhi_el1, r->apdakeylo_el1},
                                 [PAC_DB] = {r->apdbkeyhi_el1, r->apdbkeylo_el1}};
    *key0 = keys[k][0];
    *key1 = keys[k][1];
}

static bool key_is_data(enum pac_key k) { return k >= PAC_DA; }

/* Which half the pointer to be signed belongs to: bit 55 if either half of the regime ignores top bytes, else bit 63. */
static bool select_upper(const struct pe *p, uint64_t ptr, bool data)
{
    unsigned regime = regime_of(p, p->el);
    bool by_55;
    if (regime_has_el0(p, regime)) {
        struct s1_range lower = regime_range(p, regime, false), upper = regime_range(p, regime, true);
        by_55 = (lower.tbi && (data || !lower.tbid)) || (upper.tbi && (data || !upper.tbid));
    } else {
        by_55 = address_tbi(p, ptr, !data, p->el);
    }
    return ptr >> (by_55 ? 55 : 63) & 1;
}

uint64_t pac_add(struct pe *p, uint64_t ptr, uint64_t modifier, enum pac_key k)
{
    bool data = key_is_data(k), upper = select_upper(p, ptr, data);
    struct pac_field f = pac_field(p, ptr, data, upper);
    if (f.tbi && f.bottom >= 55)
        return ptr;
    uint64_t key0, key1, mask = code_mask(&f), unused = mask | bits_mask(55, 1);
    key_of(p, k, &key0, &key1);
    uint64_t pac = pac_compute(p, extended(&f, ptr, upper), modifier, key0, key1);
    bool pauth2 = arm_has(p->cfg, FEAT_PAuth2);
    if ((ptr & unused) && (ptr & unused) != unused) { /* no pointer that could be used */
        if (arm_has(p->cfg, FEAT_EPAC))
            pac = 0;
        else if (!pauth2)
            pac ^= UINT64_C(1) << (f.tbi ? 54 : 62);
    }
    uint64_t code = pauth2 ? (ptr ^ pac) & mask : pac & mask;
    return (ptr & ~(mask | bits_mask(55, 1))) | code | (uint64_t)upper << 55;
}

uint64_t pac_auth(struct pe *p, uint64_t ptr, uint64_t modifier, enum pac_key k, bool combined, bool *fail)
{
    bool data = key_is_data(k), upper = ptr >> 55 & 1;
    struct pac_field f = pac_field(p, ptr, data, upper);
    *fail = false;
    if (f.tbi && f.bottom >= 55)
        return ptr;
    uint64_t key0, key1, mask = code_mask(&f), original = extended(&f, ptr, upper);
    key_of(p, k, &key0, &key1);
    uint64_t pac = pac_compute(p, original, modifier, key0, key1);
    if (!arm_has(p->cfg, FEAT_PAuth2)) {
        if (((pac ^ ptr) & mask) == 0)
            return original;
        uint64_t error = k == PAC_IB || k == PAC_DB ? 2 : 1;
        return bits_set(original, f.tbi ? 54 : 62, f.tbi ? 53 : 61, error);
    }
    uint64_t result = ptr ^ (pac & mask);
    if (arm_has(p->cfg, FEAT_FPACCOMBINE) || (arm_has(p->cfg, FEAT_FPAC) && !combined))
        *fail = (result & mask) != (upper ? mask : 0);
    return result;
}

uint64_t pac_strip(struct pe *p, uint64_t ptr, bool data)
{
    struct pac_field f = pac_field(p, ptr, data, ptr >> 55 & 1);
    return f.tbi && f.bottom >= 55 ? ptr : extended(&f, ptr, ptr >> 55 & 1);
}

bool pac_trapped(struct pe *p)
{
    uint64_t hcr = hcr_of(p);
    bool by_el2 = p->el < 2 && el2_enabled(p) && !(hcr & hcr_el2_API) && !(p->el == 0 && el0_in_host(p));
    bool by_el3 = p->el < 3 && arm_has(p->cfg, FEAT_EL3) && !(p->s.regs.scr_el3 & scr_el3_API);
    if (!by_el2 && !by_el3)
        return false;
    p->exc = (struct arm_exception){.ec = EC_PAUTH, .el = by_el2 ? 2 : 3};
    return true;
}

void pac_fail(struct pe *p, enum pac_key k)
{
    p->exc = (struct arm_exception){.ec = EC_PAC_FAIL, .iss = (uint32_t)key_is_data(k) << 1 | (k == PAC_IB || k == PAC_DB)};
}
