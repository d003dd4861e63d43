/*
 * FEAT_MTE_CANONICAL_TAGS and FEAT_MTE_NO_ADDRESS_TAGS: what TCR_ELx.MTX makes of addresses, of memory without tags, of pointers
 * with codes. Arm ARM D10.3, D8.9; AArch64.VAIsOutOfRange, AArch64.S1DisabledOutput, AArch64.CanonicalTagCheck,
 * AArch64.S1CheckPermissions, InsertPAC, Authenticate, Strip.
 */
#include "tags_rig.h"
#include "cpu/arm/pauth.h"

enum {
    LDR = 0xf9400022, /* ldr x2, [x1] */
    STR = 0xf9000022,
    STG = 0xd9200822, /* stg x2, [x1] */
    STGM = 0xd9a00022,
    LDG = 0xd9600022,
    LDGM = 0xd9e00022,
    DC_GVA = 0xd50b7461,
    BR = 0xd61f0020,     /* br x1 */
    PACIZA = 0xdac123e1, /* of x1 */
    PACDZA = 0xdac12be1,
    AUTDZA = 0xdac13be1,
    XPACI = 0xdac143e1,
    XPACD = 0xdac147e1,
};
#define UPPER    UINT64_C(0xf0ffff8000000000) /* where TTBR1_EL1 begins, with tag 0 */
#define MTX0     (UINT64_C(1) << 60)
#define MTX1     (UINT64_C(1) << 61)
#define MTX      (UINT64_C(1) << 33)
#define TBI1     (UINT64_C(1) << 38)
#define T1       (25u << 16 | UINT64_C(2) << 30)
#define TAG_BITS (UINT64_C(15) << 56)

/* Both halves have the same tables. */
static struct rig *two_halves(uint64_t tcr)
{
    struct rig *r = rig_new("max,el3=off,el2=off", 1);
    r->pe.s.regs.ttbr1_el1 = TABLE;
    r->pe.s.regs.tcr_el1 = (TCR & ~(UINT64_C(1) << 23)) | T1 | tcr;
    return r;
}

static bool translation_fault(const struct rig *r)
{
    unsigned ec = (unsigned)(esr(r) >> 26 & 0x3f);
    return !done(r) && ((ec >= 0x20 && ec <= 0x21) || ec == 0x24 || ec == 0x25) && (esr(r) & 0x3c) == 4;
}

static uint64_t in_half(uint64_t va, bool upper, unsigned tag) { return TAG(upper ? UPPER | (va & bits_mask(0, 39)) : va, tag); }

/* D10.3: of memory that is not Tagged the tag is that of a canonical address, with top bytes ignored or not. */
static void memory_without_tags_wants_canonical_ones(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 64; n++) {
        bool upper = n & 1, mtx = n & 2, tbi = n & 4, other = n & 8, tcma = n & 16, store = n & 32;
        uint64_t tcr = (mtx ? (upper ? MTX1 : MTX0) : 0) | (tbi ? (upper ? TBI1 : TCR_TBI0) : 0) |
                       (other ? (upper ? MTX0 | TCR_TBI0 : MTX1 | TBI1) : 0) | (tcma ? (upper ? TCR_TCMA0 << 1 : TCR_TCMA0) : 0);
        for (unsigned tag = 0; tag < 16; tag++) {
            struct rig *r = two_halves(tcr);
            put64(r, TABLE + 24, CODE | BLOCK);
            one(r, store ? STR : LDR, in_half(PLAIN, upper, tag) | (upper ? UINT64_C(15) << 60 : 0), 0);
            bool canonical = tag == (upper ? 15 : 0);
            if (!mtx && !tbi)
                assert_int_equal(translation_fault(r), !canonical);
            else if (mtx)
                assert_int_equal(tag_fault(r, store), !canonical);
            else
                assert_true(done(r));
            if (canonical)
                assert_true(done(r));
            rig_free(r);
        }
    }
}

/* The regimes of one half: bit 33. */
static void the_regimes_of_one_half_have_one_bit(void **state)
{
    (void)state;
    for (unsigned el = 2; el < 4; el++) {
        for (unsigned mtx = 0; mtx < 2; mtx++) {
            for (unsigned tag = 0; tag < 16; tag += 5) {
                struct rig *r = rig_new("max", el);
                struct arm_regs *s = &r->pe.s.regs;
                *(el == 2 ? &s->tcr_el2 : &s->tcr_el3) |= mtx ? MTX : 0;
                one(r, LDR, TAG(PLAIN, tag), 0);
                assert_int_equal(tag_fault(r, false), mtx && tag);
                *(el == 2 ? &s->tcr_el2 : &s->tcr_el3) &= ~TCR2_TBI;
                rig_level(r, el);
                s->esr_el2 = s->esr_el3 = 0;
                mem_set_tag(r->mem, DATA, tag);
                one(r, LDR, TAG(TAGGED, tag), 0);
                assert_int_equal(done(r), mtx || !tag);
                assert_int_equal(translation_fault(r), !mtx && tag);
                rig_free(r);
            }
        }
    }
}

/* D8.9.1: bits 59:56 alone, and of data alone. */
static void bits_59_to_56_are_no_address(void **state)
{
    (void)state;
    for (unsigned upper = 0; upper < 2; upper++) {
        for (unsigned bit = 39; bit < 64; bit++) {
            struct rig *r = two_halves(MTX0 | MTX1);
            uint64_t va = in_half(TAGGED, upper, 6) ^ UINT64_C(1) << bit;
            bool tag_bit = bit >= 56 && bit < 60;
            mem_set_tag(r->mem, DATA, tag_bit ? 6 ^ 1u << (bit - 56) : 6);
            if (bit == 55) { /* of the other half */
                rig_free(r);
                continue;
            }
            one(r, LDR, va, 0);
            assert_int_equal(done(r), tag_bit);
            assert_int_equal(translation_fault(r), !tag_bit);
            rig_free(r);
        }
    }
    for (unsigned mtx = 0; mtx < 2; mtx++) {
        struct rig *r = two_halves(mtx ? MTX0 : 0);
        one(r, BR, TAG(CODE + 0x40, 1), 0);
        assert_int_equal(r->pe.s.pc, TAG(CODE + 0x40, 1));
        pe_run(&r->pe, r->pe.s.cycle + 1);
        assert_int_equal(esr(r) >> 26, 0x21);
        assert_int_equal(r->pe.s.regs.far_el1, TAG(CODE + 0x40, 1));
        rig_free(r);
    }
}

/* S1DisabledOutput: all memory is canonical, but with HCR_EL2.DCT that of HCR_EL2.DC. */
static void without_stage_1_the_same_holds(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 24; n++) {
        bool mtx = n & 1, tbi = n & 2, tag = n & 4;
        unsigned dc = n / 8;
        struct rig *r = rig_new("max,el3=off", 1);
        struct arm_regs *s = &r->pe.s.regs;
        put64(r, S2TABLE + 8, CODE | 0x7c1 | 15 << 2);
        s->vttbr_el2 = S2TABLE;
        s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31;
        s->hcr_el2 |= hcr_el2_VM | (dc ? hcr_el2_DC : 0) | (dc == 2 ? hcr_el2_DCT : 0);
        s->sctlr_el1 &= ~(uint64_t)sctlr_el1_M;
        s->tcr_el1 = TCR | (tbi ? TCR_TBI0 : 0) | (mtx ? MTX0 : 0);
        mem_set_tag(r->mem, DATA, 7);
        one(r, LDR, TAG(DATA, tag ? 7 : 0), 0);
        if (!mtx && !tbi)
            assert_int_equal(done(r), !tag);
        else if (dc == 2)
            assert_int_equal(tag_fault(r, false), !tag);
        else
            assert_int_equal(tag_fault(r, false), mtx && tag);
        if (!mtx && !tbi && tag)
            assert_int_equal(esr(r) & 0x3f, 0); /* address size fault */
        one(r, STG, TAG(DATA, 0), TAG(0, 3));   /* no fault: it is just not stored */
        assert_true(done(r) || !mtx);
        assert_int_equal(mem_tag(r->mem, DATA), dc == 2 ? 3 : 7);
        rig_free(r);
    }
}

/* D10.3: such a store is a permission fault with ESR_ELx.TnD, behind the permissions of the page. */
static void no_tag_is_stored_to_canonical_memory(void **state)
{
    static const uint32_t insn[] = {STG, STGM, DC_GVA};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(insn); i++) {
        for (unsigned n = 0; n < 16; n++) {
            bool mtx = n & 1, access = n & 2, read_only = n & 4, no_table = n & 8;
            struct rig *r = two_halves(TCR_TBI0 | (mtx ? MTX0 : 0));
            if (!access)
                r->pe.s.regs.sctlr_el1 &= ~sctlr_el1_ATA;
            put64(r, TABLE + 24, no_table ? 0 : CODE | BLOCK | (read_only ? READ_ONLY : 0));
            mem_set_tag(r->mem, DATA, 7);
            one(r, insn[i], PLAIN, TAG(0x3333, 3));
            bool fault = mtx && access && !read_only && !no_table;
            assert_int_equal(done(r), !fault && !read_only && !no_table);
            assert_int_equal(esr(r) >> 42 & 1, fault);
            if (!done(r))
                assert_int_equal(esr(r) & 0xff, no_table ? 0x45 : 0x4d); /* WnR, level 1 */
            assert_int_equal(mem_tag(r->mem, DATA), 7);
            rig_free(r);
        }
    }
}

static void tags_of_canonical_memory_are_read_as_such(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 8; n++) {
        bool upper = n & 1, mtx = n & 2, access = n & 4;
        struct rig *r = two_halves(TCR_TBI0 | TBI1 | (mtx ? MTX0 | MTX1 : 0));
        if (!access)
            r->pe.s.regs.sctlr_el1 &= ~sctlr_el1_ATA;
        mem_set_tag(r->mem, DATA, 7);
        unsigned tag = mtx && access && upper ? 15 : 0;
        one(r, LDG, in_half(PLAIN, upper, 4), TAG(0, 9));
        assert_int_equal(r->pe.s.x[2], TAG(0, tag));
        one(r, LDGM, in_half(PLAIN, upper, 4) + 0x40, 1);
        assert_int_equal(r->pe.s.x[2], tag ? UINT64_C(0xffff) << 16 : 0);
        rig_free(r);
    }
}

/* What is learnt while tags are not checked does not let a checked access through, nor does one with another tag. */
static void nothing_learnt_lets_a_wrong_tag_through(void **state)
{
    (void)state;
    struct rig *r = two_halves(TCR_TBI0 | MTX0);
    for (unsigned i = 0; i < 4; i++) {
        r->pe.s.pstate |= PSTATE_TCO;
        one(r, LDR, TAG(PLAIN, 5), 0);
        assert_true(done(r));
        r->pe.s.pstate &= ~(uint64_t)PSTATE_TCO;
        one(r, LDR, TAG(PLAIN, 0), 0);
        assert_true(done(r));
        one(r, LDR, TAG(PLAIN, 5), 0);
        assert_true(tag_fault(r, false));
        rig_level(r, 1);
    }
    rig_free(r);
}

/* Stage 2 leaves canonical memory canonical, whatever it makes of it (S2MemTagType). */
static void stage_2_does_not_matter(void **state)
{
    (void)state;
    for (unsigned fwb = 0; fwb < 2; fwb++) {
        for (unsigned attr = 0; attr < 16; attr++) {
            struct rig *r = rig_new("max,el3=off", 1);
            struct arm_regs *s = &r->pe.s.regs;
            put64(r, S2TABLE + 8, CODE | 0x7c1 | attr << 2);
            s->vttbr_el2 = S2TABLE;
            s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31;
            s->hcr_el2 |= hcr_el2_VM | (fwb ? hcr_el2_FWB : 0);
            s->tcr_el1 |= MTX0;
            put64(r, TABLE + 24, CODE | BLOCK);
            one(r, LDR, TAG(PLAIN, 2), 0);
            assert_true(tag_fault(r, false));
            rig_free(r);
        }
    }
}

/* The code of a pointer to data leaves out bits 59:56; that of a pointer to instructions does not. */
static void codes_leave_room_for_the_tag(void **state)
{
    (void)state;
    uint64_t ones = 0;
    for (unsigned n = 0; n < 256; n++) {
        bool upper = n & 1, mtx = n & 2, tbi = n & 4;
        unsigned tag = n >> 3 & 15;
        struct rig *r = two_halves((mtx ? MTX0 | MTX1 : 0) | (tbi ? TCR_TBI0 | TBI1 : 0));
        struct arm_regs *s = &r->pe.s.regs;
        s->sctlr_el1 |= sctlr_el1_EnIA | sctlr_el1_EnDA;
        s->apdakeylo_el1 = s->apiakeylo_el1 = UINT64_C(0x0123456789abcdef) * (n + 1);
        uint64_t ptr = (in_half(PLAIN, upper, 0) & ~TAG_BITS) | (upper ? UINT64_C(15) << 60 : 0);
        uint64_t base = ptr | (upper ? TAG_BITS : 0), tagged = TAG(ptr, tag);
        bool kept = mtx || tbi;
        one(r, PACDZA, kept ? tagged : base, 0);
        uint64_t signed_ = r->pe.s.x[1];
        ones |= mtx && !tbi ? signed_ ^ tagged : 0;
        if (kept)
            assert_int_equal(signed_ >> 56 & 15, tag);
        if (mtx && !tbi) { /* the same code, cut to its field, as where the tag is what it extends to */
            uint64_t field = bits_mask(60, 4) | bits_mask(39, 16);
            uint64_t pac = pac_compute(&r->pe, tagged, 0, s->apdakeyhi_el1, s->apdakeylo_el1);
            assert_int_equal(signed_, tagged ^ (pac & field));
        }
        one(r, AUTDZA, signed_, 0);
        assert_int_equal(r->pe.s.x[1], kept ? tagged : base);
        one(r, AUTDZA, signed_ ^ UINT64_C(1) << 45, 0);
        assert_false(done(r));
        rig_level(r, 1);
        one(r, XPACD, signed_, 0);
        assert_int_equal(r->pe.s.x[1], kept ? tagged : base);
        one(r, XPACI, signed_, 0);
        assert_int_equal(r->pe.s.x[1], tbi ? tagged : base);
        if (!tbi) {
            one(r, PACIZA, base, 0);
            uint64_t pac = pac_compute(&r->pe, base, 0, s->apiakeyhi_el1, s->apiakeylo_el1);
            assert_int_equal(r->pe.s.x[1], base ^ (pac & (bits_mask(56, 8) | bits_mask(39, 16))));
        }
        rig_free(r);
    }
    assert_int_equal(ones, bits_mask(60, 4) | bits_mask(39, 16)); /* all of the field, and nothing else */
}

/* FEAT_CONSTPACFIELD: of a pointer whose bits 63 and 55 differ, bit 55 says which half it is of. Arm ARM InsertPAC. */
static void with_a_constant_field_bit_55_decides(void **state)
{
    (void)state;
    for (unsigned constant = 0; constant < 2; constant++) {
        for (unsigned n = 0; n < 8; n++) {
            bool b63 = n & 1, b55 = n & 2, tbi = n & 4;
            struct rig *r = rig_new(constant ? "max,el3=off,el2=off,constpacfield=on" : "max,el3=off,el2=off", 1);
            struct arm_regs *s = &r->pe.s.regs;
            s->tcr_el1 = (TCR & ~(UINT64_C(1) << 23)) | T1 | (tbi ? TCR_TBI0 : 0); /* of either half is enough */
            s->sctlr_el1 |= sctlr_el1_EnDA;
            s->apdakeylo_el1 = 77;
            uint64_t ptr = PLAIN | (uint64_t)b63 << 63 | (uint64_t)b55 << 55;
            bool upper = constant || tbi ? b55 : b63;
            one(r, PACDZA, ptr, 0);
            assert_int_equal(r->pe.s.x[1] >> 55 & 1, upper);
            uint64_t low = bits_mask(39, 16), field = tbi && !b55 ? low : low | bits_mask(56, 8);
            uint64_t pac = pac_compute(&r->pe, upper ? ptr | field | UINT64_C(1) << 55 : ptr & ~(field | UINT64_C(1) << 55), 0,
                                       s->apdakeyhi_el1, s->apdakeylo_el1);
            field &= ~(UINT64_C(1) << 55);
            assert_int_equal(r->pe.s.x[1] & field, (ptr ^ pac) & field);
            rig_free(r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_without_tags_wants_canonical_ones),
        cmocka_unit_test(the_regimes_of_one_half_have_one_bit),
        cmocka_unit_test(bits_59_to_56_are_no_address),
        cmocka_unit_test(without_stage_1_the_same_holds),
        cmocka_unit_test(no_tag_is_stored_to_canonical_memory),
        cmocka_unit_test(tags_of_canonical_memory_are_read_as_such),
        cmocka_unit_test(nothing_learnt_lets_a_wrong_tag_through),
        cmocka_unit_test(stage_2_does_not_matter),
        cmocka_unit_test(codes_leave_room_for_the_tag),
        cmocka_unit_test(with_a_constant_field_bit_55_decides),
    };
    return cmocka_run_group_tests_name("arm_tags_canonical", tests, NULL, NULL);
}
