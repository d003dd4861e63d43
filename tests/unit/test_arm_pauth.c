/*
 * The ciphers of pointer authentication, QARMA5 and QARMA3: the published result of the cipher's authors (R. Avanzi, "The QARMA
 * Block Cipher Family", table of test vectors, QARMA-64 with sigma 2 and r = 5), and the Arm ARM's pseudocode (ComputePACQARMA
 * and what it calls) written down here again, cell by cell, for random operands. QEMU 7.2 has no QARMA3, so the differential test
 * has none.
 */
#include "cpu/arm/pauth.h"
#include "csr/arm/masks.h"
#include "pe_rig.h"

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

/* ---- pointers ---------------------------------------------------------------------------------------------------------- */

/* Which form; Arm ARM HaveEnhancedPAC, HaveEnhancedPAC2, HaveFPAC, HaveFPACCombined. */
struct form {
    const char *cpu;
    bool epac, pauth2, fpac, combined;
};
static const struct form forms[] = {
    {"max,pa=40", false, true, true, true},
    {"max,pa=40,pauth=qarma3,fpaccombine=off", false, true, true, false},
    {"max,pa=40,pauth=impdef,fpac=off", false, true, false, false},
    {"max,pa=40,pauth2=off", false, false, false, false},
    {"max,pa=40,pauth=qarma3,pauth2=off,epac=on", true, false, false, false},
};

/* Bits high to low. */
static uint64_t field(unsigned high, unsigned low) { return ~UINT64_C(0) >> (63 - high) & ~UINT64_C(0) << low; }

/* The pointer with its extension: `upper` in all bits of it. */
static uint64_t with_extension(uint64_t ptr, bool tbi, unsigned bottom, bool upper)
{
    uint64_t bits = field(tbi ? 55 : 63, bottom);
    return upper ? ptr | bits : ptr & ~bits;
}

struct where {
    bool ranges, tbi[2]; /* of data or of instructions */
    unsigned bottom[2];
};

static uint64_t signed_pointer(struct rig *r, const struct form *f, const struct where *w, uint64_t ptr, uint64_t modifier,
                               uint64_t high, uint64_t low)
{
    bool own = w->tbi[w->ranges ? ptr >> 55 & 1 : 0], either = w->ranges ? w->tbi[0] || w->tbi[1] : own;
    bool upper = ptr >> (either ? 55 : 63) & 1;
    unsigned top = own ? 55 : 63, bottom = w->bottom[w->ranges && upper];
    uint64_t pac = pac_compute(&r->pe, with_extension(ptr, own, bottom, upper), modifier, high, low), unused = field(top, bottom);
    uint64_t code = field(54, bottom) | (own ? 0 : field(63, 56));
    if (!f->pauth2 && (ptr & unused) && (ptr & unused) != unused)
        pac = f->epac ? 0 : pac ^ UINT64_C(1) << (top - 1);
    if (f->pauth2)
        pac ^= ptr;
    return (ptr & ~(code | UINT64_C(1) << 55)) | (pac & code) | (uint64_t)upper << 55;
}

static uint64_t authenticated(struct rig *r, const struct form *f, const struct where *w, uint64_t ptr, uint64_t modifier,
                              uint64_t high, uint64_t low, bool b, bool combined, bool *fail)
{
    bool upper = ptr >> 55 & 1, tbi = w->tbi[w->ranges && upper];
    unsigned bottom = w->bottom[w->ranges && upper];
    uint64_t original = with_extension(ptr, tbi, bottom, upper), code = field(54, bottom) | (tbi ? 0 : field(63, 56));
    uint64_t pac = pac_compute(&r->pe, original, modifier, high, low), made = ptr ^ (pac & code);
    *fail = f->pauth2 && (f->combined || (f->fpac && !combined)) && (made & code) != (upper ? code : 0);
    if (f->pauth2)
        return made;
    if (!((pac ^ ptr) & code))
        return original;
    unsigned at = tbi ? 53 : 61;
    return (original & ~(UINT64_C(3) << at)) | (uint64_t)(b ? 2 : 1) << at;
}

static uint64_t rng_step(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* TCR_ELx with random sizes and top bytes; w for a key of data or of instructions. */
static void set_regime(struct rig *r, unsigned el, bool data, struct where *w, uint64_t *s)
{
    unsigned t0sz = 16 + (unsigned)(rng_step(s) >> 20) % 24, t1sz = 16 + (unsigned)(rng_step(s) >> 20) % 24,
             how = rng_step(s) >> 20 & 15;
    bool tbi0 = how & 1, tbi1 = how & 2, tbid0 = how & 4, tbid1 = how & 8;
    struct arm_regs *regs = &r->pe.s.regs;
    *w = (struct where){el < 3, {tbi0 && (data || !tbid0), tbi1 && (data || !tbid1)}, {64 - t0sz, 64 - t1sz}};
    regs->tcr_el1 = t0sz | t1sz << 16 | (uint64_t)tbi0 << 37 | (uint64_t)tbi1 << 38 | (uint64_t)tbid0 << 51 |
                    (uint64_t)tbid1 << 52 | UINT64_C(2) << 30;
    regs->tcr_el3 = t0sz | (uint64_t)tbi0 << 20 | (uint64_t)tbid0 << 29;
}

static void pointers_in_each_form(void **state)
{
    uint64_t s = 0x9e3779b97f4a7c15;
    unsigned good = 0, bad = 0, failed = 0;
    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(forms) * 6000; n++) {
        static struct rig *r;
        const struct form *f = &forms[n / 6000];
        if (n % 6000 == 0)
            rig_pe(r = rig_base(f->cpu));
        struct arm_regs *regs = &r->pe.s.regs;
        enum pac_key k = (enum pac_key)(n & 3);
        unsigned el = (unsigned)(rng_step(&s) >> 20) % 3;
        bool data = k >= PAC_DA, b = k == PAC_IB || k == PAC_DB, fail, fails, combined = rng_step(&s) >> 20 & 1;
        struct where w;
        el = el == 2 ? 3 : el;
        set_regime(r, el, data, &w, &s);
        rig_level(r, el);
        regs->scr_el3 = (regs->scr_el3 & ~1u) | (el < 3);
        uint64_t high = rng_step(&s), low = rng_step(&s), modifier = rng_step(&s), ptr = rng_step(&s);
        uint64_t *key[] = {&regs->apiakeyhi_el1, &regs->apibkeyhi_el1, &regs->apdakeyhi_el1, &regs->apdbkeyhi_el1};
        uint64_t *key_low[] = {&regs->apiakeylo_el1, &regs->apibkeylo_el1, &regs->apdakeylo_el1, &regs->apdbkeylo_el1};
        for (unsigned i = 0; i < 4; i++) {
            *key[i] = rng_step(&s);
            *key_low[i] = rng_step(&s);
        }
        unsigned at = k == PAC_IA ? 0 : k == PAC_IB ? 1 : k == PAC_DA ? 2 : 3;
        *key[at] = high;
        *key_low[at] = low;
        pe_refresh(&r->pe);
        if (n & 4)
            ptr = with_extension(ptr, w.tbi[w.ranges && ptr >> 63], w.bottom[w.ranges && ptr >> 63], ptr >> 63);
        uint64_t made = pac_add(&r->pe, ptr, modifier, k), want = signed_pointer(r, f, &w, ptr, modifier, high, low);
        if (made != want)
            fail_msg("%s, EL%u, key %d: %#llx signed is %#llx, not %#llx", f->cpu, el, (int)k, (unsigned long long)ptr,
                     (unsigned long long)made, (unsigned long long)want);
        uint64_t back = n & 8 ? made ^ UINT64_C(1) << (rng_step(&s) >> 20 & 63) : made;
        want = authenticated(r, f, &w, back, modifier, high, low, b, combined, &fails);
        made = pac_auth(&r->pe, back, modifier, k, combined, &fail);
        if (made != want || fail != fails)
            fail_msg("%s, EL%u, key %d: %#llx authenticated is %#llx, not %#llx", f->cpu, el, (int)k, (unsigned long long)back,
                     (unsigned long long)made, (unsigned long long)want);
        good += made == ptr;
        bad += made != ptr;
        failed += fail;
        bool upper = back >> 55 & 1;
        assert_int_equal(pac_strip(&r->pe, back, data),
                         with_extension(back, w.tbi[w.ranges && upper], w.bottom[w.ranges && upper], upper));
        if (n % 6000 == 5999)
            rig_free(r);
    }
    assert_true(good > 4000 && bad > 4000 && failed > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_authors_result), cmocka_unit_test(as_the_pseudocode),
                                       cmocka_unit_test(pointers_in_each_form)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
