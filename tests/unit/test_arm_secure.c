/*
 * Secure state with FEAT_SEL2: two spaces of intermediate addresses, each with its own stage 2, and where tables and accesses
 * lead (Arm ARM D8.1.1, VSTCR_EL2.SW, SA, VTCR_EL2.NSW, NSA; AArch64.SS2InitialTTWState, SS2OutputPASpace).
 */
#include "pe_rig.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/walk.h"
#include "csr/arm/masks.h"

/* RAM, whose upper half is for Secure accesses only. S1: two tables of stage 1; S2S, S2N: two of stage 2 of each space. */
enum {
    RAM = 0x40000000,
    SECRET = RAM + 0x80000,
    END = RAM + 0x100000,
    S1 = RAM + 0x1000,
    S2S = RAM + 0x8000,
    S2N = RAM + 0x10000,
    PAGE_S = RAM + 0x20000,
    PAGE_N = RAM + 0x30000,
};
/* The virtual page, the intermediate pages it leads to, the one where tables of stage 1 are. */
#define VA  UINT64_C(0x12345000)
#define IPA UINT64_C(0x55000000)

#define TABLE  3u
#define LEAF1  (3u | 1u << 10 | 3u << 8) /* stage 1: page, AF, inner shareable, EL1 may read and write */
#define NS     (1u << 5)
#define NSTAB  (UINT64_C(1) << 63)
#define LEAF2  (3u | 1u << 10 | 3u << 8 | 3u << 6 | 15u << 2) /* stage 2: page, AF, read and write, Write-Back */
#define SW     (UINT64_C(1) << 29)
#define SA     (UINT64_C(1) << 30)
#define TCR    (25u | UINT64_C(2) << 32)                      /* 39 bits, 4 KiB */
#define VTCR   (25u | 1u << 6 | 2u << 16 | UINT64_C(1) << 31) /* likewise, from level 1 */
#define SECURE scr_el3_EEL2

static const struct access_mode el1 = {.el = 1, .regime = 1};

static void poke(struct rig *r, uint64_t at, uint64_t v)
{
    mem_write(r->mem, at, &v, 8);
    engine_flush(&r->engine);
}

/* Three levels from `root`, whose other tables follow it: the entry for a at level 3 becomes leaf, that at level 1 has `flags`.
 */
static void map(struct rig *r, uint64_t root, uint64_t a, uint64_t leaf, uint64_t flags)
{
    poke(r, root + (a >> 30 & 511) * 8, (root + 0x1000) | TABLE | flags);
    poke(r, root + 0x1000 + (a >> 21 & 511) * 8, (root + 0x2000) | TABLE);
    poke(r, root + 0x2000 + (a >> 12 & 511) * 8, leaf);
}

/* Secure EL1 with both stages: VA to IPA, which is PAGE_S as a Secure address and PAGE_N as a Non-secure one. The tables of stage
   1 are where their intermediate addresses say, in both spaces. */
static struct rig *rig_new(void)
{
    struct rig *r = rig_base("max");
    r->cfg.secure_only[0].base = SECRET;
    r->cfg.secure_only[0].end = END;
    rig_pe(r);
    pe_set_pstate(&r->pe, PSTATE_DAIF | 1u << PSTATE_EL_SHIFT | PSTATE_SP);
    struct arm_regs *s = &r->pe.s.regs;
    s->scr_el3 = SECURE;
    s->hcr_el2 = hcr_el2_VM | hcr_el2_RW;
    s->sctlr_el1 |= sctlr_el1_M;
    s->tcr_el1 = TCR;
    s->mair_el1 = 0xff;
    s->ttbr0_el1 = S1;
    s->vtcr_el2 = s->vstcr_el2 = VTCR;
    s->vsttbr_el2 = S2S;
    s->vttbr_el2 = S2N;
    map(r, S1, VA, IPA | LEAF1, 0);
    for (unsigned space = 0; space < 2; space++) {
        uint64_t root = space ? S2N : S2S;
        map(r, root, IPA, (space ? PAGE_N : PAGE_S) | LEAF2, 0);
        for (uint64_t t = S1; t < S1 + 0x3000; t += 0x1000) { /* another table of level 3, for other addresses of level 1 */
            poke(r, root + (t >> 30 & 511) * 8, (root + 0x1000) | TABLE);
            poke(r, root + 0x1000 + (t >> 21 & 511) * 8, (root + 0x3000) | TABLE);
            poke(r, root + 0x3000 + (t >> 12 & 511) * 8, t | LEAF2);
        }
    }
    return r;
}

static bool go(struct rig *r, enum access a)
{
    memset(&r->pe.exc, 0, sizeof r->pe.exc);
    return pe_translate(&r->pe, VA, 4, a, &el1, &r->x);
}

static void fails(struct rig *r, unsigned fsc, unsigned el, int line)
{
    if (go(r, ACCESS_LOAD))
        fail_msg("line %d: no fault", line);
    if ((r->pe.exc.iss & 63) != fsc || r->pe.exc.el != el)
        fail_msg("line %d: status %#x to EL%u", line, (unsigned)r->pe.exc.iss & 63, r->pe.exc.el);
}
#define FAILS(r, fsc, el) fails(r, fsc, el, __LINE__)

static void each_space_has_its_tables(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, PAGE_S);
    assert_false(r->x.ns);
    map(r, S1, VA, IPA | LEAF1 | NS, 0);
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, PAGE_N);
    /* Non-secure state has VTTBR_EL2 alone, whatever the descriptor says. */
    map(r, S1, VA, IPA | LEAF1, 0);
    r->pe.s.regs.scr_el3 = scr_el3_NS;
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, PAGE_N);
    assert_true(r->x.ns);
    rig_free(r);
}

/* The size and the granule of each space are its register's, too. */
static void each_space_has_its_size(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    r->pe.s.regs.vstcr_el2 = (VTCR & ~UINT64_C(63)) | 34; /* 30 bits: IPA is beyond */
    r->pe.s.regs.hcr_el2 |= hcr_el2_DC;                   /* stage 1 off: the address itself, Secure */
    FAILS(r, FSC_TRANSLATION, 2);
    r->pe.s.regs.hcr_el2 &= ~hcr_el2_DC;
    FAILS(r, FSC_TRANSLATION, 2); /* the table of stage 1 is beyond */
    r->pe.s.regs.vstcr_el2 = VTCR;
    r->pe.s.regs.vtcr_el2 = (VTCR & ~UINT64_C(63)) | 34;
    assert_true(go(r, ACCESS_LOAD));
    map(r, S1, VA, IPA | LEAF1 | NS, 0);
    FAILS(r, FSC_TRANSLATION, 2);
    rig_free(r);
}

static void the_controls_say_which_space_an_access_reaches(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    for (unsigned k = 0; k < 32; k++) {
        bool sw = k & 1, sa = k & 2, nsw = k & 4, nsa = k & 8, ipa_ns = k & 16;
        r->pe.s.regs.vstcr_el2 = VTCR | (sw ? SW : 0) | (sa ? SA : 0);
        r->pe.s.regs.vtcr_el2 = VTCR | (nsw ? SW : 0) | (nsa ? SA : 0);
        map(r, S1, VA, IPA | LEAF1 | (ipa_ns ? NS : 0), 0);
        assert_true(go(r, ACCESS_LOAD));
        assert_int_equal(r->x.pa, ipa_ns ? PAGE_N : PAGE_S);
        assert_int_equal(r->x.ns, sw || sa || (ipa_ns && (nsw || nsa)));
    }
    /* Where only Secure accesses reach, the others are aborted. */
    map(r, S1, VA, IPA | LEAF1, 0);
    poke(r, S2S + 0x2000 + (IPA >> 12 & 511) * 8, SECRET | LEAF2);
    r->pe.s.regs.vstcr_el2 = r->pe.s.regs.vtcr_el2 = VTCR;
    assert_true(go(r, ACCESS_LOAD));
    r->pe.s.regs.vstcr_el2 |= SA;
    FAILS(r, FSC_EXTERNAL, 0);
    rig_free(r);
}

/* The tables of stage 2 in memory for Secure accesses only. */
static void the_controls_say_where_the_tables_are(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    for (unsigned space = 0; space < 2; space++) {
        uint64_t from = space ? S2N : S2S, bytes[0x4000 / 8];
        mem_read(r->mem, from, bytes, sizeof bytes);
        for (unsigned i = 0; i < ARRAY_LEN(bytes); i++)
            if ((bytes[i] & ~UINT64_C(0xfff)) - from < 0x4000)
                bytes[i] += SECRET - from;
        mem_write(r->mem, SECRET, bytes, sizeof bytes);
        engine_flush(&r->engine);
        *(space ? &r->pe.s.regs.vttbr_el2 : &r->pe.s.regs.vsttbr_el2) = SECRET;
        map(r, S1, VA, IPA | LEAF1 | (space ? NS : 0), 0);
        assert_true(go(r, ACCESS_LOAD));
        *(space ? &r->pe.s.regs.vtcr_el2 : &r->pe.s.regs.vstcr_el2) |= SW;
        FAILS(r, FSC_EXTERNAL_ON_WALK | 1, 2);
        assert_int_equal(r->pe.exc.iss >> 7 & 1, !space); /* S1PTW: it was for a table of stage 1, which is in Secure space */
        *(space ? &r->pe.s.regs.vtcr_el2 : &r->pe.s.regs.vstcr_el2) &= ~SW;
        r->pe.s.regs.vsttbr_el2 = S2S;
        if (!space)
            continue;
        /* Taken to EL3, it leaves HPFAR_EL2 alone (IPAValid). */
        r->pe.s.regs.vtcr_el2 |= SW;
        r->pe.s.regs.scr_el3 |= scr_el3_EA;
        FAILS(r, FSC_EXTERNAL_ON_WALK | 1, 3);
        assert_false(r->pe.exc.ipa_valid);
    }
    rig_free(r);
}

static void nstable_leaves_the_secure_space_for_good(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    map(r, S1, VA, IPA | LEAF1, NSTAB); /* the leaf is not NS, but comes from a Non-secure table */
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, PAGE_N);
    /* The table behind it was found by the Non-secure space's stage 2. */
    poke(r, S2N + 0x3000 + ((uint64_t)(S1 + 0x1000) >> 12 & 511) * 8, 0);
    FAILS(r, FSC_TRANSLATION | 3, 2);
    assert_int_equal(r->pe.exc.ipa & ~UINT64_C(0xfff), S1 + 0x1000);
    assert_true(r->pe.exc.ns);
    /* Without stage 2, the physical space. */
    r->pe.s.regs.hcr_el2 &= ~hcr_el2_VM;
    map(r, SECRET, VA, PAGE_S | LEAF1, 0);
    r->pe.s.regs.ttbr0_el1 = SECRET;
    assert_true(go(r, ACCESS_LOAD));
    assert_false(r->x.ns);
    map(r, SECRET, VA, PAGE_S | LEAF1, NSTAB);
    FAILS(r, FSC_EXTERNAL_ON_WALK | 2, 0);
    rig_free(r);
}

static void hpfar_tells_the_space(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    poke(r, S2S + 0x2000 + (IPA >> 12 & 511) * 8, 0);
    poke(r, S2N + 0x2000 + (IPA >> 12 & 511) * 8, 0);
    FAILS(r, FSC_TRANSLATION | 3, 2);
    assert_true(r->pe.exc.ipa_valid && r->pe.exc.ipa == IPA && !r->pe.exc.ns);
    map(r, S1, VA, IPA | LEAF1 | NS, 0);
    FAILS(r, FSC_TRANSLATION | 3, 2);
    assert_true(r->pe.exc.ipa_valid && r->pe.exc.ipa == IPA && r->pe.exc.ns);
    r->pe.s.regs.scr_el3 = scr_el3_NS;
    FAILS(r, FSC_TRANSLATION | 3, 2);
    assert_true(r->pe.exc.ipa_valid && !r->pe.exc.ns); /* HPFAR_EL2.NS is for Secure EL2 */
    rig_free(r);
}

static void sif_keeps_secure_code_in_secure_memory(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        r->pe.s.regs.scr_el3 = SECURE | (k & 1 ? scr_el3_SIF : 0);
        map(r, S1, VA, IPA | LEAF1 | (k & 2 ? NS : 0), 0);
        assert_int_equal(go(r, ACCESS_FETCH), k != 3);
        if (k == 3)
            assert_int_equal(r->pe.exc.iss & 63, FSC_PERMISSION | 3);
        assert_true(go(r, ACCESS_LOAD));
    }
    rig_free(r);
}

/* For a host HCR_EL2.VM and DC are 0 in effect; HCR_EL2.PTW is while TGE is 1 (D24.2, HCR_EL2). */
static void a_host_has_no_second_stage(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    r->pe.s.regs.scr_el3 = scr_el3_NS;
    r->pe.s.regs.sctlr_el1 &= ~sctlr_el1_M;
    map(r, S2N, VA, PAGE_N | LEAF2, 0);
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, PAGE_N);
    r->pe.s.regs.hcr_el2 |= hcr_el2_TGE;
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, PAGE_N);
    r->pe.s.regs.hcr_el2 |= hcr_el2_E2H;
    assert_true(go(r, ACCESS_LOAD));
    assert_int_equal(r->x.pa, VA);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_space_has_its_tables),
        cmocka_unit_test(each_space_has_its_size),
        cmocka_unit_test(the_controls_say_which_space_an_access_reaches),
        cmocka_unit_test(the_controls_say_where_the_tables_are),
        cmocka_unit_test(nstable_leaves_the_secure_space_for_good),
        cmocka_unit_test(hpfar_tells_the_space),
        cmocka_unit_test(sif_keeps_secure_code_in_secure_memory),
        cmocka_unit_test(a_host_has_no_second_stage),
    };
    return cmocka_run_group_tests_name("arm_secure", tests, NULL, NULL);
}
