#include "cpu/arm/pauth.h"

#include "base/hash.h"
#include "cpu/arm/insn/bit.h"
#include "cpu/arm/regime.h"

#include <string.h>

/* ---- QARMA-64 ---------------------------------------------------------------------------------------------------------
 * A state is 16 cells of 4 bits; cell 0 is the lowest. Maps from cells to values or places are written as such words, too. What a
 * round does is looked up: substitution for two cells at a time, what is linear for each cell by its place and value. */

#define CELL(word, i)  ((word) >> 4 * (i)&15)
#define PUT(value, at) ((uint64_t)(value) << 4 * ((at)&15))

#define TIMES4(entry, i)  entry(i), entry((i) + 1), entry((i) + 2), entry((i) + 3)
#define TIMES16(entry, i) TIMES4(entry, i), TIMES4(entry, (i) + 4), TIMES4(entry, (i) + 8), TIMES4(entry, (i) + 12)
#define TIMES64(entry, i) TIMES16(entry, i), TIMES16(entry, (i) + 16), TIMES16(entry, (i) + 32), TIMES16(entry, (i) + 48)
#define TIMES256(entry)   TIMES64(entry, 0), TIMES64(entry, 64), TIMES64(entry, 128), TIMES64(entry, 192)

/* Arm ARM PACSub, PACInvSub, and of FEAT_PACQARMA3 PACSub1, which is used both ways. */
#define SUB                 UINT64_C(0xa12d5473e90cf86b)
#define SUB_INVERSE         UINT64_C(0x37c40f6291ba8de5)
#define SUB1                UINT64_C(0x421bc089537f6eda)
#define PAIR(map, i)        (CELL(map, (i)&15) | CELL(map, (i) >> 4) << 4)
#define SUB_PAIR(i)         PAIR(SUB, i)
#define SUB_INVERSE_PAIR(i) PAIR(SUB_INVERSE, i)
#define SUB1_PAIR(i)        PAIR(SUB1, i)
static const uint8_t sub[256] = {TIMES256(SUB_PAIR)};
static const uint8_t sub_inverse[256] = {TIMES256(SUB_INVERSE_PAIR)};
static const uint8_t sub1[256] = {TIMES256(SUB1_PAIR)};

static uint64_t substitute(const uint8_t box[256], uint64_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 64; i += 8)
        r |= (uint64_t)box[v >> i & 0xff] << i;
    return r;
}

/* Shuffled, cell i comes from cell CELL(SHUFFLE, i). Arm ARM PACCellShuffle, PACCellInvShuffle. */
#define SHUFFLE         UINT64_C(0xf4925e38a1c70b6d)
#define SHUFFLE_INVERSE UINT64_C(0xfa0527d841be9c63)

static uint64_t shuffle_back(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 16; i++)
        r |= PUT(CELL(v, CELL(SHUFFLE_INVERSE, i)), i);
    return r;
}

/* What the cell at c adds to the product by the matrix, each part moved by `to`. Arm ARM PACMult. */
#define ROTATE(value, n) (((value) << (n) | (value) >> (4 - (n))) & 15)
#define PRODUCT(value, c, to) \
    (PUT(ROTATE(value, 1), to((c) + 4)) ^ PUT(ROTATE(value, 1), to((c) + 12)) ^ PUT(ROTATE(value, 2), to((c) + 8)))
#define STAYS(c)      (c)
#define MOVES_BACK(c) CELL(SHUFFLE, (c)&15)
#define MIX(i)        PRODUCT((i)&15, CELL(SHUFFLE_INVERSE, (i) >> 4), STAYS)
#define UNMIX(i)      PRODUCT((i)&15, (i) >> 4, MOVES_BACK)
static const uint64_t mixing[256] = {TIMES256(MIX)};     /* shuffled, then multiplied */
static const uint64_t unmixing[256] = {TIMES256(UNMIX)}; /* multiplied, then shuffled back */

/* A tweak's cell i goes to CELL(TWEAK_TO, i); some places also shift it, as a register with feedback. Arm ARM TweakShuffle,
   TweakCellRot. */
#define TWEAK_TO        UINT64_C(0xba984ef7321065dc)
#define TWEAK_SHIFTS    UINT64_C(0xff0ff000f00f0f00)
#define SHIFTED(value)  ((value) >> 1 | (((value) ^ (value) >> 1) & 1) << 3)
#define TWEAK_AT(v, at) PUT(CELL(TWEAK_SHIFTS, at) ? SHIFTED(v) : (v), at)
#define TWEAK(i)        TWEAK_AT((i)&15, CELL(TWEAK_TO, (i) >> 4))
static const uint64_t tweaking[256] = {TIMES256(TWEAK)};

static uint64_t linear(const uint64_t map[256], uint64_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 16; i++)
        r ^= map[16 * i + CELL(v, i)];
    return r;
}

#define ROUNDS_MAX 4

uint64_t pac_qarma(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1, bool qarma3)
{
    static const uint64_t constant[] = {0, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377};
    const uint64_t alpha = 0xc0ac29b7c97c50dd, modk0 = (key0 << 63 | key0 >> 1) ^ key0 >> 63;
    const uint8_t *forward = qarma3 ? sub1 : sub, *backward = qarma3 ? sub1 : sub_inverse;
    unsigned rounds = qarma3 ? 2 : ROUNDS_MAX;
    uint64_t v = data ^ key0, t[ROUNDS_MAX + 2] = {modifier};
    for (unsigned i = 0; i <= rounds; i++) {
        v ^= key1 ^ t[i] ^ constant[i];
        if (i)
            v = linear(mixing, v);
        v = substitute(forward, v);
        t[i + 1] = linear(tweaking, t[i]);
    }
    v = substitute(forward, linear(mixing, v ^ modk0 ^ t[rounds + 1]));
    v = linear(mixing, v);
    v = substitute(backward, shuffle_back(v ^ key1));
    v = linear(unmixing, v) ^ key0 ^ t[rounds + 1];
    for (unsigned i = 0; i <= rounds; i++) {
        v = substitute(backward, v);
        if (i < rounds)
            v = linear(unmixing, v);
        v ^= constant[rounds - i] ^ key1 ^ t[rounds - i] ^ alpha;
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
    __typeof__(p->pac.entry[0]) *m = &p->pac.entry[mix >> 52];
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
_Static_assert(PAC_MEMO == 4096, "the index is 12 bits");

/* ---- pointers --------------------------------------------------------------------------------------------------------- */

/* What the regime's control registers make of pointers. Made anew when one of them has changed. */
static const struct pac_shape *pac_shape(struct pe *p)
{
    unsigned regime = regime_of(p, p->el);
    bool el0 = regime_has_el0(p, regime);
    struct pac_shape *s = &p->pac.shape;
    unsigned key = regime | (el0 ? PAC_SHAPE_EL0 : 0) | PAC_SHAPE_MADE;
    uint64_t tcr = tcr_of(p, regime);
    if (likely(s->key == key && s->tcr == tcr))
        return s;
    s->key = key;
    s->tcr = tcr;
    for (unsigned upper = 0; upper < 2; upper++) {
        struct s1_range r = regime_range(p, regime, upper);
        unsigned least = range_min_txsz(p, &r), most = range_max_txsz(p, &r);
        unsigned txsz = r.txsz < least ? least : r.txsz > most ? most : r.txsz; /* Arm ARM AArch64.PACEffectiveTxSZ */
        s->bottom[upper] = (uint8_t)(64 - txsz);
        s->tbi[true][upper] = r.tbi;
        s->tbi[false][upper] = r.tbi && !r.tbid;
        s->mtx[upper] = r.mtx;
    }
    return s;
}

/* Where the code of a pointer is: bits 54 to bottom, and without tbi 63 to 56, with mtx 63 to 60. */
struct pac_field {
    bool tbi, mtx;
    unsigned bottom;
};

static struct pac_field pac_field(const struct pac_shape *s, uint64_t ptr, bool data, bool upper)
{
    unsigned half = ptr >> 55 & 1;
    return (struct pac_field){.tbi = s->tbi[data][half], .mtx = data && s->mtx[half], .bottom = s->bottom[upper]};
}

/* Bits 54 to bottom. */
static uint64_t low_mask(const struct pac_field *f) { return bits_mask(f->bottom, 55 - f->bottom); }
/* All bits the code takes: bit 55 is none of them. */
static uint64_t code_mask(const struct pac_field *f)
{
    return low_mask(f) | (f->tbi ? 0 : f->mtx ? bits_mask(60, 4) : bits_mask(56, 8));
}

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

/* Which half the pointer to be signed belongs to: bit 55 if either half of the regime ignores top bytes, else bit 63; with
   FEAT_CONSTPACFIELD always bit 55. */
static bool select_upper(const struct pe *p, const struct pac_shape *s, uint64_t ptr, bool data)
{
    const bool *tbi = s->tbi[data];
    bool by_55 = s->key & PAC_SHAPE_EL0 ? tbi[0] || tbi[1] : tbi[ptr >> 55 & 1];
    by_55 |= arm_has(p->cfg, FEAT_CONSTPACFIELD);
    return ptr >> (by_55 ? 55 : 63) & 1;
}

uint64_t pac_add(struct pe *p, uint64_t ptr, uint64_t modifier, enum pac_key k)
{
    const struct pac_shape *s = pac_shape(p);
    bool data = key_is_data(k), upper = select_upper(p, s, ptr, data);
    struct pac_field f = pac_field(s, ptr, data, upper);
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
    struct pac_field f = pac_field(pac_shape(p), ptr, data, upper);
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
    struct pac_field f = pac_field(pac_shape(p), ptr, data, ptr >> 55 & 1);
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
