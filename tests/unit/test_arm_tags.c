/* FEAT_MTE2: tags in memory, which accesses are checked, and what a mismatch does. Arm ARM D10, AArch64.CheckTag and what it
 * calls. */
#include "tags_rig.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/insninfo.h"
#include "debug/gistread.h"

enum {
    LDR = 0xf9400022,     /* ldr x2, [x1] */
    STR = 0xf9000022,     /* str x2, [x1] */
    SWP = 0xf8228023,     /* swp x2, x3, [x1] */
    LDTR = 0xf8400822,    /* ldtr x2, [x1] */
    LDR_LIT = 0x58000042, /* ldr x2, .+8 */
    STG = 0xd9200822,     /* stg x2, [x1] */
    STZG = 0xd9600822,
    ST2G = 0xd9a00822,
    STZ2G = 0xd9e00822,
    STGP = 0x69000c22, /* stgp x2, x3, [x1] */
    LDG = 0xd9600022,
    STGM = 0xd9a00022,
    LDGM = 0xd9e00022,
    STZGM = 0xd9200022,
    DC_ZVA = 0xd50b7421,
    DC_GVA = 0xd50b7461,
    DC_GZVA = 0xd50b7481,
};

/* A gist_fn. */
static void take(void *ctx, const uint8_t *bytes, size_t n) { buf_put(ctx, bytes, n); }

/* A trace of instructions tells each tag that was stored, and no other. */
static void told(const struct buf *bytes, unsigned first, unsigned granules, unsigned tag)
{
    struct gist_reader *x = gist_reader_new(INSN_WORDS(&a64_insn_layout), 64);
    struct insn_record *out = insn_record_new(INSN_WORDS(&a64_insn_layout));
    struct cursor c = {.p = bytes->data, .left = bytes->len};
    unsigned n = 0;
    while (gist_next(x, &c, out)) {
        if (out->kind != INSN_MEMORY || !(out->store[0].address & MEM_TAGS))
            continue;
        assert_int_equal(out->store[0].address & ~MEM_TAGS, DATA + 16 * (first + n));
        assert_int_equal(out->bytes[0], tag);
        n++;
    }
    assert_false(c.bad);
    assert_int_equal(n, granules);
    gist_reader_free(x);
    insn_record_free(out);
}

/* C6.2 "STG" …: which granules get which tag, and whether their data is zero afterwards. */
static void each_instruction_stores_its_tags(void **state)
{
    static const struct {
        uint32_t insn;
        uint64_t x1, x2;
        unsigned first, granules, tag;
        bool zero;
    } row[] = {
        {STG, TAG(TAGGED + 0x100, 0), TAG(0, 5), 16, 1, 5, false},
        {STZG, TAG(TAGGED + 0x110, 3), TAG(0, 6), 17, 1, 6, true},
        {ST2G, TAG(TAGGED + 0x110, 9), TAG(0, 15), 17, 2, 15, false},
        {STZ2G, TAGGED + 0x120, TAG(0, 1), 18, 2, 1, true},
        {STGP, TAG(TAGGED + 0x130, 12), 0, 19, 1, 12, true},
        {STGM, TAGGED + 0x178, 0x7777u << 16, 20, 4, 7, false},
        {STZGM, TAGGED + 0x148, 0xf3, 20, 4, 3, true},
        {DC_GVA, TAG(TAGGED + 0x17c, 2), 0, 20, 4, 2, false},
        {DC_GZVA, TAG(TAGGED + 0x181, 4), 0, 24, 4, 4, true},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        uint8_t data[0x300], was[0x300];
        memset(data, 0xaa, sizeof data);
        mem_write(r->mem, DATA, data, sizeof data);
        for (unsigned k = 0; k < 48; k++)
            mem_set_tag(r->mem, DATA + 16 * k, 8);
        struct buf bytes = {0};
        engine_gist(&r->engine, &a64_insn_layout, take, &bytes);
        one(r, row[i].insn, row[i].x1, row[i].x2);
        assert_true(done(r));
        engine_insns_flush(&r->engine);
        told(&bytes, row[i].first, row[i].granules, row[i].tag);
        buf_free(&bytes);
        mem_read(r->mem, DATA, was, sizeof was);
        for (unsigned k = 0; k < 48; k++) {
            bool in = k >= row[i].first && k < row[i].first + row[i].granules;
            assert_int_equal(mem_tag(r->mem, DATA + 16 * k), in ? (int)row[i].tag : 8);
            for (unsigned b = 0; b < 16; b++)
                assert_int_equal(was[16 * k + b], in && row[i].zero ? 0 : 0xaa);
        }
        rig_free(r);
    }
}

static void tags_are_loaded_where_they_are(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off", 1);
    for (unsigned k = 0; k < 16; k++)
        mem_set_tag(r->mem, DATA + 0x100 + 16 * k, k);
    one(r, LDG, TAG(TAGGED + 0x13f, 9), UINT64_C(0xff00000000000123));
    assert_int_equal(r->pe.s.x[2], UINT64_C(0xf300000000000123));
    one(r, LDGM, TAGGED + 0x1b8, 1); /* 64 bytes from 0x180: tags 8 to 11, in their places */
    assert_int_equal(r->pe.s.x[2], UINT64_C(0xba98) << 32);
    rig_free(r);
}

/* AArch64.AllocationTagAccessIsEnabled, memattrs.tags: what is not there reads 0 and is not written. */
static void tags_that_may_not_be_accessed_read_zero(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        uint64_t at = how == 1 ? PLAIN : TAGGED;
        for (unsigned k = 0; k < 4; k++)
            mem_set_tag(r->mem, DATA + 16 * k, 9);
        if (how == 2)
            r->pe.s.regs.sctlr_el1 &= ~sctlr_el1_ATA;
        one(r, LDG, at, TAG(0, 3));
        assert_int_equal(r->pe.s.x[2] >> 56, how ? 0 : 9);
        one(r, LDGM, at, 1);
        assert_int_equal(r->pe.s.x[2], how ? 0 : 0x9999);
        static const uint32_t stores[] = {STG, ST2G, STGM, STZGM, DC_GVA, STGP};
        for (unsigned i = 0; i < ARRAY_LEN(stores); i++) {
            mem_set_tag(r->mem, DATA, 9);
            one(r, stores[i], TAG(at, 2), TAG(0x2222, 2));
            assert_true(done(r));
            assert_int_equal(tag_at(r, 0), how ? 9 : 2);
        }
        rig_free(r);
    }
}

/* AArch64.TagCheckFault: SCTLR_EL1.TCF and whether the access reads. */
static void a_mismatch_does_what_the_mode_says(void **state)
{
    static const struct {
        uint32_t insn;
        bool read;
    } row[] = {{LDR, true}, {STR, false}, {SWP, true}};
    (void)state;
    for (unsigned mte3 = 0; mte3 < 2; mte3++)
        for (unsigned mode = NONE; mode <= ASYMM; mode++)
            for (unsigned i = 0; i < ARRAY_LEN(row); i++)
                for (unsigned upper = 0; upper < 2; upper++) {
                    struct rig *r = rig_new(mte3 ? "max,el3=off,el2=off" : "max,mte3=off,el3=off,el2=off", 1);
                    struct arm_regs *s = &r->pe.s.regs;
                    uint64_t va = TAG(TAGGED + 8, 4) | (upper ? UINT64_C(0xffffff8000000000) : 0), was = 0;
                    va = (va & ~TAG(0, 15)) | TAG(0, 4);
                    s->ttbr1_el1 = TABLE;
                    s->tcr_el1 = TCR_TBI0 | TCR_TBI0 << 1 | 25 | 25 << 16 | UINT64_C(2) << 30 | UINT64_C(2) << 32;
                    s->sctlr_el1 = (s->sctlr_el1 & ~TCF(3)) | TCF(mode);
                    mem_set_tag(r->mem, DATA, 5);
                    put64(r, DATA + 8, 77);
                    one(r, row[i].insn, va, 99);
                    bool raises = mode == SYNC || (mode == ASYMM && mte3 && row[i].read);
                    bool notes = mode == ASYNC || (mode == ASYMM && mte3 && !row[i].read);
                    mem_read(r->mem, DATA + 8, &was, 8);
                    assert_int_equal(tag_fault(r, !row[i].read), raises);
                    assert_int_equal(done(r), !raises);
                    assert_int_equal(s->tfsr_el1, !notes ? 0 : upper ? 2 : 1);
                    assert_int_equal(was, raises || row[i].insn == LDR ? 77 : 99);
                    if (raises) {
                        assert_int_equal(s->far_el1, va);
                        assert_true(r->pe.s.pstate & PSTATE_TCO); /* the handler is not checked */
                        assert_false(s->spsr_el1 & PSTATE_TCO);
                    }
                    rig_free(r);
                }
}

/* AArch64.AccessIsTagChecked and the instructions' own "tagchecked". Each row takes the check away from a load that has one. */
static void what_is_not_checked(void **state)
{
    enum { CHECKED, TCO, NO_TBI, TCMA, TCMA_15, NO_ATA, NOT_TAGGED, SAME, HOWS };
    (void)state;
    for (unsigned how = 0; how < HOWS; how++)
        for (unsigned tag = 0; tag < 16; tag += 15) {
            struct rig *r = rig_new("max,el3=off,el2=off", 1);
            struct arm_regs *s = &r->pe.s.regs;
            unsigned logical = how == NO_TBI ? 0 : tag;
            mem_set_tag(r->mem, DATA, how == SAME ? tag : 7);
            r->pe.s.pstate |= how == TCO ? PSTATE_TCO : 0;
            s->tcr_el1 &= ~(how == NO_TBI ? TCR_TBI0 : 0);
            s->tcr_el1 |= how == TCMA ? TCR_TCMA0 : how == TCMA_15 ? TCR_TCMA0 << 1 : 0;
            s->sctlr_el1 &= ~(how == NO_ATA ? sctlr_el1_ATA : 0);
            one(r, LDR, TAG(how == NOT_TAGGED ? PLAIN : TAGGED, logical), 0);
            bool checked = how == CHECKED || how == TCMA_15 || (how == TCMA && tag == 15);
            assert_int_equal(tag_fault(r, false), checked);
            assert_int_equal(done(r), !checked);
            rig_free(r);
        }
}

/* EffectiveTCMA in the upper half of addresses: TCMA1 takes the check from tag 15 alone. */
static void tag_15_is_not_checked_in_the_upper_half(void **state)
{
    (void)state;
    for (unsigned tcma = 0; tcma < 4; tcma++)
        for (unsigned tag = 0; tag < 16; tag++) {
            struct rig *r = rig_new("max,el3=off,el2=off", 1);
            struct arm_regs *s = &r->pe.s.regs;
            s->ttbr1_el1 = TABLE;
            s->tcr_el1 = TCR_TBI0 | TCR_TBI0 << 1 | 25 | 25 << 16 | UINT64_C(2) << 30 | UINT64_C(2) << 32 |
                         (tcma & 1 ? TCR_TCMA0 : 0) | (tcma & 2 ? TCR_TCMA0 << 1 : 0);
            mem_set_tag(r->mem, DATA, 7);
            one(r, LDR, TAG((TAGGED | UINT64_C(0xffffff8000000000)) & bits_mask(0, 56), tag) | UINT64_C(15) << 60, 0);
            assert_int_equal(tag_fault(r, false), tag != 7 && !(tag == 15 && (tcma & 2)));
            rig_free(r);
        }
}

/* Accesses to one address, whose tag does not match. x1 and SP hold it. */
static void instructions_that_are_checked_and_that_are_not(void **state)
{
    static const struct {
        uint32_t insn;
        bool checked, write;
        const char *text;
    } row[] = {
        {0xf9400022, true, false, "ldr x2, [x1]"},
        {0xf94003e2, false, false, "ldr x2, [sp]"},
        {0xf84003e2, false, false, "ldur x2, [sp]"},
        {0xf84087e2, true, false, "ldr x2, [sp], #8"},
        {0xf8400fe2, true, false, "ldr x2, [sp, #0]!"},
        {0xf8636be2, true, false, "ldr x2, [sp, x3]"},
        {0xf8000fe2, true, true, "str x2, [sp, #0]!"},
        {0xf90003e2, false, true, "str x2, [sp]"},
        {0xa9400be3, false, false, "ldp x3, x2, [sp]"},
        {0xa8c10be3, true, false, "ldp x3, x2, [sp], #16"},
        {0xa9000823, true, true, "stp x3, x2, [x1]"},
        {0x3dc003e0, false, false, "ldr q0, [sp]"},
        {0x3dc00020, true, false, "ldr q0, [x1]"},
        {0x4c407c20, true, false, "ld1 {v0.2d}, [x1]"},
        {0x4c407fe0, false, false, "ld1 {v0.2d}, [sp]"},
        {0x4cdf7fe0, true, false, "ld1 {v0.2d}, [sp], #16"},
        {0x4c000020, true, true, "st4 {v0.16b-v3.16b}, [x1]"},
        {0xc85f7c22, true, false, "ldxr x2, [x1]"},
        {0xc85f7fe2, false, false, "ldxr x2, [sp]"},
        {0xc8dffc22, true, false, "ldar x2, [x1]"},
        {0xc8dfffe2, false, false, "ldar x2, [sp]"},
        {0xf8228023, true, false, "swp x2, x3, [x1]"},
        {0xf82283e3, false, false, "swp x2, x3, [sp]"},
        {0xc8a27c23, true, false, "cas x2, x3, [x1]"},
        {0xd9400022, true, false, "ldapur x2, [x1]"},
        {0xd94003e2, false, false, "ldapur x2, [sp]"},
        {0x0d418422, true, false, "ldap1 {v2.d}[0], [x1]"},
        {0x0d4187e2, false, false, "ldap1 {v2.d}[0], [sp]"},
        {0x58000042, false, false, "ldr x2, .+8"},
        {0xf9800020, false, false, "prfm pldl1keep, [x1]"},
        {0xf8400822, true, false, "ldtr x2, [x1]"},
        {0xf8400be2, false, false, "ldtr x2, [sp]"},
        {DC_ZVA, true, true, "dc zva, x1"},
        {DC_GZVA, false, true, "dc gzva, x1"},
        {0xd50b7a21, false, false, "dc cvac, x1"},
        {0xd5087821, false, false, "at s1e1w, x1"},
        {STZG, false, true, "stzg x2, [x1]"},
        {STGP, false, true, "stgp x2, x3, [x1]"},
        {LDG, false, false, "ldg x2, [x1]"},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        mem_set_tag(r->mem, DATA + 0x40, 7);
        one(r, row[i].insn, TAG(TAGGED + 0x40, 2), 0);
        if (done(r) == row[i].checked || tag_fault(r, row[i].write) != row[i].checked)
            fail_msg("%s: ESR_EL1 %#llx, pc %#llx", row[i].text, (unsigned long long)esr(r), (unsigned long long)r->pe.s.pc);
        rig_free(r);
    }
}

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), k = strlen(with);
    return n >= k && !strcmp(name + n - k, with);
}

/* Every row with a base register: SP is exempt unless it is written back or a register is added. */
static void the_rows_agree_which_accesses_by_sp_are_exempt(void **state)
{
    unsigned rows = 0;
    (void)state;
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row w = a64_row(i);
        bool memory = w.cost == COST_LOAD || w.cost == COST_STORE || w.cost == COST_ATOMIC;
        bool literal = ends(w.name, "_lit"), tags = !strncmp(w.feat_name, "MTE", 3), nothing = !strcmp(w.format, "NONE");
        if (!memory || tags || nothing)
            continue;
        bool register_offset = ends(w.name, "_uxtw") || ends(w.name, "_lsl") || ends(w.name, "_sxtw") || ends(w.name, "_sxtx");
        bool wback = ends(w.name, "_post") || ends(w.name, "_pre") || ends(w.name, "_wb");
        uint32_t sp = (w.match & ~(w.mask ^ UINT32_MAX)) | (literal ? 0 : 31u << 5), x1 = w.match | (literal ? 0 : 1u << 5);
        if (a64_tag_unchecked(sp) != (literal || !(register_offset || wback)) || a64_tag_unchecked(x1) != literal)
            fail_msg("%s: %#x", w.name, sp);
        rows++;
    }
    assert_true(rows > 250);
}

/* The first byte of the first granule that does not match is told, and of a store that faults nothing is stored. */
static void the_address_is_that_of_the_first_granule(void **state)
{
    static const struct {
        unsigned at, wrong, far;
    } row[] = {{8, 0, 8}, {12, 0, 12}, {12, 1, 16}, {13, 1, 16}, {0, 1, UINT32_MAX}, {4092, 256, 4096}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++)
        for (unsigned store = 0; store < 2; store++) {
            struct rig *r = rig_new("max,el3=off,el2=off", 1);
            uint64_t was;
            mem_set_tag(r->mem, DATA + 16 * row[i].wrong, 9);
            one(r, store ? STR : LDR, TAGGED + row[i].at, UINT64_MAX);
            mem_read(r->mem, DATA + row[i].at, &was, 8);
            if (row[i].far == UINT32_MAX) {
                assert_true(done(r));
            } else {
                assert_true(tag_fault(r, store));
                assert_int_equal(r->pe.s.regs.far_el1, TAGGED + row[i].far);
                assert_int_equal(was, 0);
            }
            rig_free(r);
        }
}

/* What each level asks: who enables tags there, who takes the fault, where an asynchronous one is noted. */
static void each_level_has_its_controls(void **state)
{
    enum { NO, SCTLR_OFF, HCR_OFF, SCR_OFF, TAKE };
    (void)state;
    for (unsigned el = 0; el < 4; el++)
        for (unsigned host = 0; host < 2; host++)
            for (unsigned off = NO; off < TAKE; off++)
                for (unsigned mode = SYNC; mode <= ASYNC; mode++) {
                    struct rig *r = rig_new("max", el);
                    struct arm_regs *s = &r->pe.s.regs;
                    uint64_t field = el ? TCF(3) : TCF0(3), is = el ? TCF(mode) : TCF0(mode);
                    uint64_t *sctlr = el == 3 ? &s->sctlr_el3 : el == 2 || (host && !el) ? &s->sctlr_el2 : &s->sctlr_el1;
                    if (host) {
                        s->hcr_el2 |= hcr_el2_E2H | hcr_el2_TGE;
                        s->tcr_el2 = TCR | TCR_TBI0;
                        s->sctlr_el2 |= sctlr_el1_ATA0;
                    }
                    *sctlr = (*sctlr & ~field) | is;
                    if (off == SCTLR_OFF)
                        *sctlr &= ~(el ? sctlr_el1_ATA : sctlr_el1_ATA0);
                    s->hcr_el2 &= ~(off == HCR_OFF ? hcr_el2_ATA : 0);
                    s->scr_el3 &= ~(off == SCR_OFF ? scr_el3_ATA : 0);
                    mem_set_tag(r->mem, DATA, 5);
                    one(r, LDR, TAG(TAGGED, 4), 0);
                    bool hcr = off == HCR_OFF && (el == 1 || (el == 0 && !host)), scr = off == SCR_OFF && el < 3;
                    bool checked = off != SCTLR_OFF && !hcr && !scr;
                    if (host && el == 1) { /* there is no EL1 then */
                        rig_free(r);
                        continue;
                    }
                    assert_int_equal(tag_fault(r, false), checked && mode == SYNC);
                    if (checked && mode == SYNC)
                        assert_int_equal(r->pe.s.pstate >> PSTATE_EL_SHIFT & 3, el ? el : host ? 2 : 1);
                    uint64_t noted = checked && mode == ASYNC;
                    assert_int_equal(s->tfsre0_el1, el == 0 ? noted : 0);
                    assert_int_equal(s->tfsr_el1, el == 1 ? noted : 0);
                    assert_int_equal(s->tfsr_el2, el == 2 ? noted : 0);
                    assert_int_equal(s->tfsr_el3, el == 3 ? noted : 0);
                    rig_free(r);
                }
}

/* CreateAccDescGPR, privileged false: LDTR at EL1 is checked as EL0 would be, and LDR there is not, side by side. */
static void unprivileged_accesses_are_checked_as_el0(void **state)
{
    (void)state;
    for (unsigned plain = 0; plain < 2; plain++)
        for (unsigned uao = 0; uao < 2; uao++) {
            struct rig *r = rig_new("max,el3=off,el2=off", 1);
            struct arm_regs *s = &r->pe.s.regs;
            s->sctlr_el1 = (s->sctlr_el1 & ~(TCF(3) | TCF0(3))) | (plain ? TCF(ASYNC) : TCF0(ASYNC));
            r->pe.s.pstate |= uao ? PSTATE_UAO : 0;
            mem_set_tag(r->mem, DATA, 5);
            for (unsigned round = 0; round < 3; round++) { /* also when the fast path knows what it may */
                s->tfsr_el1 = s->tfsre0_el1 = 0;
                one(r, LDR, TAG(TAGGED, 4), 0);
                assert_int_equal(s->tfsr_el1 | s->tfsre0_el1 << 4, plain);
                s->tfsr_el1 = s->tfsre0_el1 = 0;
                one(r, LDTR, TAG(TAGGED, 4), 0);
                assert_int_equal(s->tfsr_el1 | s->tfsre0_el1 << 4, uao ? plain : plain ? 0 : 16);
            }
            rig_free(r);
        }
}

/* AArch64.ExclusiveMonitorsPass comes before the store's own access. */
static void a_store_exclusive_that_fails_is_not_checked(void **state)
{
    (void)state;
    for (unsigned other = 0; other < 2; other++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        one(r, 0xc85f7c22, TAGGED, 0); /* ldxr x2, [x1] */
        mem_set_tag(r->mem, DATA, 5);
        mem_set_tag(r->mem, DATA + 64, 5);
        one(r, 0xc8037c22, TAGGED + (other ? 64 : 0), 0); /* stxr w3, x2, [x1] */
        assert_int_equal(tag_fault(r, true), !other);
        assert_int_equal(done(r), other);
        rig_free(r);
    }
}

/* StoreOnlyTagCheckingEnabled: an access that also writes is checked, as the write it makes (MemAtomic). */
static void with_store_only_checks_loads_go_through(void **state)
{
    static const struct {
        uint32_t insn;
        bool checked, write;
    } row[] = {{LDR, false, false}, {STR, true, true}, {SWP, true, true}, {DC_ZVA, true, true}, {LDTR, false, false}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        r->pe.s.regs.sctlr_el1 |= row[i].insn == LDTR ? sctlr_el1_TCSO0 : sctlr_el1_TCSO;
        mem_set_tag(r->mem, DATA, 5);
        one(r, row[i].insn, TAGGED, 0);
        assert_int_equal(tag_fault(r, row[i].write), row[i].checked);
        assert_int_equal(done(r), !row[i].checked);
        rig_free(r);
    }
}

/* Checks come and go within a run: what the fast path learnt without them does not serve with them. */
static void checks_may_be_switched_while_running(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off", 1);
    struct arm_regs *s = &r->pe.s.regs;
    s->sctlr_el1 = (s->sctlr_el1 & ~TCF(3)) | TCF(ASYNC);
    r->pe.s.pstate |= PSTATE_TCO;
    mem_set_tag(r->mem, DATA, 5);
    a64_put(&r->g, LDR);
    a64_put(&r->g, LDR);
    a64_mrs(&r->g, 4, A64_REG(3, 0, 5, 6, 0)); /* TFSR_EL1: nothing yet */
    a64_put(&r->g, 0xd503409f);                /* msr tco, #0 */
    a64_put(&r->g, LDR);
    a64_mrs(&r->g, 5, A64_REG(3, 0, 5, 6, 0));
    a64_msr(&r->g, A64_REG(3, 0, 5, 6, 0), 31);
    a64_put(&r->g, 0xd503419f); /* msr tco, #1 */
    a64_put(&r->g, LDR);
    a64_mrs(&r->g, 6, A64_REG(3, 0, 5, 6, 0));
    mem_write(r->mem, CODE, r->code, 4 * r->g.n);
    r->pe.s.pc = CODE;
    r->pe.s.x[1] = TAG(TAGGED, 4);
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + r->g.n);
    assert_int_equal(r->pe.s.x[4], 0);
    assert_int_equal(r->pe.s.x[5], 1);
    assert_int_equal(r->pe.s.x[6], 0);
    rig_free(r);
}

/* S2CombineS1MemAttrs, AArch64.S2ApplyFWBMemAttrs, S2MemTagType; HCR_EL2.DCT: S1DisabledOutput. */
static void stage_2_keeps_memory_tagged_if_it_is_write_back(void **state)
{
    (void)state;
    for (unsigned fwb = 0; fwb < 2; fwb++)
        for (unsigned attr = 0; attr < 16; attr++)
            for (unsigned dc = 0; dc < 3; dc++) {
                struct rig *r = rig_new("max,pa=40,el3=off", 1);
                struct arm_regs *s = &r->pe.s.regs;
                struct xlate x;
                s->hcr_el2 |= hcr_el2_VM | (fwb ? hcr_el2_FWB : 0) | (dc ? hcr_el2_DC : 0) | (dc == 2 ? hcr_el2_DCT : 0);
                s->vttbr_el2 = S2TABLE;
                s->vtcr_el2 = 0x80000000 | 2 << 16 | 1 << 6 | 25; /* 39 bits, level 1 */
                put64(r, S2TABLE + 8, CODE | 0x7c1 | attr << 2);
                pe_refresh(&r->pe);
                struct access_mode m = r->pe.plain;
                m.tags = TAGS_UNUSED;
                assert_true(pe_translate(&r->pe, dc ? DATA : TAGGED, 1, ACCESS_LOAD, &m, &x));
                bool no_use = fwb ? attr >= 14 : attr == 4, kept = no_use || (fwb ? attr == 6 || attr == 7 : attr == 15);
                assert_int_equal(x.tagged, kept && dc != 1);
                if (x.tagged)
                    assert_int_equal(x.attr, no_use ? 0xe0 : 0xf0);
                rig_free(r);
            }
}

/* ---- FEAT_MTE_PERM */

/* EL1 behind a stage 2 that is one block of `attr`. */
static struct rig *rig_behind(const char *cpu, bool fwb, unsigned attr)
{
    struct rig *r = rig_new(cpu, 1);
    struct arm_regs *s = &r->pe.s.regs;
    put64(r, S2TABLE + 8, CODE | 0x7c1 | attr << 2);
    s->vttbr_el2 = S2TABLE;
    s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31;
    s->hcr_el2 |= hcr_el2_VM | (fwb ? hcr_el2_FWB : 0);
    return r;
}

/* A stage 2 permission fault that is of tags (ESR_ELx.TagAccess), taken to EL2. */
static bool forbidden(const struct rig *r, bool wnr)
{
    uint64_t e = r->pe.s.regs.esr_el2;
    return !done(r) && r->pe.s.pc == VECTORS + 0x400 && e >> 26 == (UINT64_C(1) << 15 | 0x24) &&
           (e & 0x1ff) == (0xdu | (unsigned)wnr << 6);
}

/* D10.3, D8.15.5.1: what uses tags of Tagged memory faults, and nothing else; WnR is of accesses to tags alone. */
static void stage_2_can_forbid_the_use_of_tags(void **state)
{
    static const struct {
        bool fwb;
        unsigned attr;
        bool forbids;
    } kind[] = {{false, 4, true}, {true, 14, true}, {true, 15, true}, {false, 15, false}, {true, 6, false}, {true, 7, false}};
    static const struct {
        uint32_t insn;
        char what; /* c: compares tags, r: reads them, w: writes them, -: neither */
    } row[] = {{LDR, 'c'},
               {STR, 'c'},
               {SWP, 'c'},
               {LDTR, 'c'},
               {DC_ZVA, 'c'},
               {STG, 'w'},
               {STZG, 'w'},
               {ST2G, 'w'},
               {STZ2G, 'w'},
               {STGP, 'w'},
               {LDG, 'r'},
               {STGM, 'w'},
               {LDGM, 'r'},
               {STZGM, 'w'},
               {DC_GVA, 'w'},
               {DC_GZVA, 'w'},
               {LDR_LIT, '-'},
               {0xf94003e2 /* ldr x2, [sp] */, '-'},
               {0xd50b7a21 /* dc cvac, x1 */, '-'},
               {0xd50b7521 /* ic ivau, x1 */, '-'},
               {0xf9800020 /* prfm pldl1keep, [x1] */, '-'}};
    (void)state;
    for (unsigned k = 0; k < ARRAY_LEN(kind); k++)
        for (unsigned i = 0; i < ARRAY_LEN(row); i++)
            for (unsigned plain = 0; plain < 2; plain++) {
                struct rig *r = rig_behind("max,pa=40", kind[k].fwb, kind[k].attr);
                bool uses = row[i].what != '-' && kind[k].forbids && !plain;
                one(r, row[i].insn, (plain ? PLAIN : TAGGED) + 0x100, 0);
                if (uses ? !forbidden(r, row[i].what == 'w') : !done(r))
                    fail_msg("FWB %d, MemAttr %u, %#x, plain %u: esr %#llx", kind[k].fwb, kind[k].attr, row[i].insn, plain,
                             (unsigned long long)r->pe.s.regs.esr_el2);
                if (uses) {
                    assert_int_equal(r->pe.s.regs.far_el2, TAGGED + 0x100);
                    assert_int_equal(r->pe.s.regs.hpfar_el2 >> 4 << 12, DATA);
                }
                rig_free(r);
            }
}

/* AccessIsTagChecked: by PSTATE.TCO, TBI, TCMA, ATA and TCSO; nor where a mismatch would do nothing (D8.6.4, RPYQZB). */
static void what_is_not_compared_is_not_forbidden(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 9; n++) {
        struct rig *r = rig_behind("max,pa=40", false, 4);
        struct arm_regs *s = &r->pe.s.regs;
        uint64_t address = TAGGED;
        switch (n) {
        case 1: r->pe.s.pstate |= PSTATE_TCO; break;
        case 2: s->tcr_el1 &= ~TCR_TBI0; break;
        case 3: s->tcr_el1 |= TCR_TCMA0; break;
        case 4: s->sctlr_el1 &= ~sctlr_el1_ATA; break;
        case 5: s->hcr_el2 &= ~hcr_el2_ATA; break;
        case 6: s->sctlr_el1 |= sctlr_el1_TCSO; break;
        case 7: s->sctlr_el1 &= ~TCF(3); break;
        case 8:
            s->tcr_el1 |= TCR_TCMA0;
            address = TAG(TAGGED, 3);
            break;
        default: break;
        }
        bool compared = n == 0 || n == 8;
        for (unsigned twice = 0; twice < 2; twice++) { /* nothing is remembered of it */
            one(r, LDR, address, 0);
            assert_int_equal(compared ? forbidden(r, false) : done(r), true);
            rig_level(r, 1);
            r->pe.s.pstate |= n == 1 ? PSTATE_TCO : 0;
        }
        if (n == 6)
            one(r, STR, address, 0); /* stores are compared */
        if (n == 6)
            assert_true(forbidden(r, false));
        if (n == 4 || n == 5) { /* no access to tags: LDG reads 0 */
            one(r, LDG, address, TAG(0, 7));
            assert_true(done(r));
            assert_int_equal(r->pe.s.x[2], 0);
        }
        rig_free(r);
    }
}

/* HCR_EL2.CD: stage 2 makes Normal memory Non-cacheable for data, so its tags are not checked, read, written or forbidden.
   AArch64.S2TreatAsNormalNC. */
static void without_stage_2s_cache_there_are_no_tags(void **state)
{
    static const struct {
        bool fwb;
        unsigned attr;
    } kind[] = {{false, 15}, {false, 4}, {true, 6}, {true, 7}, {true, 14}, {true, 15}};
    (void)state;
    for (unsigned k = 0; k < ARRAY_LEN(kind); k++)
        for (unsigned cd = 0; cd < 2; cd++) {
            struct rig *r = rig_behind("max,pa=40", kind[k].fwb, kind[k].attr);
            bool forbids = kind[k].attr == 4 || kind[k].attr > 13;
            forbids &= kind[k].fwb || kind[k].attr == 4;
            r->pe.s.regs.hcr_el2 |= cd ? hcr_el2_CD : 0;
            mem_set_tag(r->mem, DATA, 5);
            one(r, LDR, TAGGED, 0);
            assert_int_equal(done(r), cd);
            assert_int_equal(forbidden(r, false), !cd && forbids);
            assert_int_equal(tag_fault(r, false), !cd && !forbids);
            rig_level(r, 1);
            one(r, LDG, TAGGED, TAG(0, 7));
            assert_int_equal(done(r), cd || !forbids);
            if (done(r))
                assert_int_equal(r->pe.s.x[2] >> 56 & 15, cd ? 0 : 5);
            rig_level(r, 1);
            one(r, STG, TAGGED, TAG(0, 9));
            assert_int_equal(mem_tag(r->mem, DATA), cd || forbids ? 5 : 9);
            rig_free(r);
        }
}

/* What a load learnt with PSTATE.TCO does not serve without. Fetches use no tags. */
static void nothing_is_learnt_where_tags_are_forbidden(void **state)
{
    (void)state;
    struct rig *r = rig_behind("max,pa=40", false, 4);
    r->pe.s.pstate |= PSTATE_TCO;
    a64_put(&r->g, LDR);
    a64_put(&r->g, LDR);
    a64_put(&r->g, 0xd503409f); /* msr tco, #0 */
    a64_put(&r->g, LDR);
    mem_write(r->mem, CODE, r->code, 4 * r->g.n);
    r->pe.s.pc = CODE;
    r->pe.s.x[1] = TAGGED;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + r->g.n);
    assert_true(forbidden(r, false));
    assert_int_equal(r->pe.s.regs.elr_el2, CODE + 12);
    rig_free(r);
    r = rig_behind("max,pa=40", false, 4);
    rig_level(r, 0);
    a64_put(&r->g, 0xd503201f); /* nop */
    mem_write(r->mem, CODE, r->code, 4);
    r->pe.s.pc = TAGGED - DATA + CODE;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 1);
    assert_int_equal(r->pe.s.pc, TAGGED - DATA + CODE + 4);
    rig_free(r);
}

/* The other permissions come first, the dirty state after it, and stays as it was (D8.15.5.1). PAR_EL1 shows 0xe0. */
static void the_use_of_tags_has_its_place_among_permissions(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        struct rig *r = rig_behind("max,pa=40", false, 4);
        struct arm_regs *s = &r->pe.s.regs;
        s->vtcr_el2 |= n < 3 ? vtcr_el2_S2PIE : 3u << 21; /* n = 3: direct, hardware manages the dirty state */
        s->s2pir_el2 = UINT64_C(0x1111111111111111) * (n == 0 ? 11 : 15);
        put64(r, S2TABLE + 8, CODE | 0x741 | 4 << 2 | (n == 3 ? UINT64_C(1) << 51 : 0) | (n == 2 ? 1 << 7 : 0));
        s->vtcr_el2 |= n == 2 ? 3u << 21 : 0;
        one(r, STR, TAGGED, 0);
        uint64_t desc;
        mem_read(r->mem, S2TABLE + 8, &desc, 8);
        assert_int_equal(desc >> 7 & 1, n == 2);
        if (n == 0) {
            assert_int_equal(s->esr_el2 & UINT64_C(0xffffff0000007f), 0x4d); /* the base permission: read-only */
        } else {
            assert_true(forbidden(r, false));
        }
        rig_free(r);
    }
    for (unsigned n = 0; n < 3; n++) {
        struct rig *r = rig_behind(n == 2 ? "max,pa=40,mte_perm=off" : "max,pa=40", false, n == 1 ? 15 : 4);
        rig_level(r, 2);
        r->pe.s.regs.sctlr_el2 &= ~sctlr_el1_M;
        r->pe.s.x[0] = 0;
        one(r, 0xd50c7881, TAGGED, 0); /* at s12e1r, x1 */
        assert_true(done(r));
        assert_int_equal(r->pe.s.regs.par_el1 >> 56, n == 0 ? 0xe0 : n == 1 ? 0xf0 : 0x44);
        rig_free(r);
    }
}

/* ID_AA64PFR1_EL1.MTE = 1: the instructions are there, memory has no tags and nothing is checked. */
static void without_mte2_there_are_no_tags(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,mte2=off,el3=off,el2=off", 1);
    mem_set_tag(r->mem, DATA, 5);
    one(r, STG, TAGGED + 16, TAG(0, 3));
    assert_true(done(r));
    assert_int_equal(tag_at(r, 16), 0);
    one(r, LDR, TAG(TAGGED, 4), 0);
    assert_true(done(r));
    one(r, STZG, TAGGED, TAG(0, 3));
    assert_true(done(r));
    one(r, STGM, TAGGED, 0);
    assert_int_equal(esr(r) >> 26, 0);
    assert_false(done(r));
    rig_free(r);
}

/* AArch64.RandomTag, AArch64.ChooseNonExcludedTag, by hand: seed 1 gives bits 1, 0, 0, 0 and so on. */
static void irg_makes_the_tags_of_its_generator(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off", 1);
    uint16_t lfsr = 0x1234;
    unsigned tag = 3;
    r->pe.s.regs.rgsr_el1 = (uint64_t)lfsr << 8 | tag;
    r->pe.s.regs.gcr_el1 = 0x8001; /* 0 and 15 are excluded */
    for (unsigned i = 0; i < 100; i++) {
        unsigned offset = 0;
        for (unsigned k = 0; k < 4; k++) {
            unsigned top = (lfsr >> 5 ^ lfsr >> 3 ^ lfsr >> 2 ^ lfsr) & 1;
            lfsr = (uint16_t)(top << 15 | lfsr >> 1);
            offset |= top << k;
        }
        while (tag == 0 || tag == 15 || tag == 6)
            tag = (tag + 1) & 15;
        for (; offset; offset--)
            do
                tag = (tag + 1) & 15;
            while (tag == 0 || tag == 15 || tag == 6);
        one(r, 0x9ac21023, UINT64_C(0x5512345), 1 << 6); /* irg x3, x1, x2 */
        assert_int_equal(r->pe.s.x[3], TAG(UINT64_C(0x5512345), tag));
    }
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_instruction_stores_its_tags),
        cmocka_unit_test(tags_are_loaded_where_they_are),
        cmocka_unit_test(tags_that_may_not_be_accessed_read_zero),
        cmocka_unit_test(a_mismatch_does_what_the_mode_says),
        cmocka_unit_test(what_is_not_checked),
        cmocka_unit_test(tag_15_is_not_checked_in_the_upper_half),
        cmocka_unit_test(instructions_that_are_checked_and_that_are_not),
        cmocka_unit_test(the_rows_agree_which_accesses_by_sp_are_exempt),
        cmocka_unit_test(the_address_is_that_of_the_first_granule),
        cmocka_unit_test(each_level_has_its_controls),
        cmocka_unit_test(unprivileged_accesses_are_checked_as_el0),
        cmocka_unit_test(a_store_exclusive_that_fails_is_not_checked),
        cmocka_unit_test(with_store_only_checks_loads_go_through),
        cmocka_unit_test(checks_may_be_switched_while_running),
        cmocka_unit_test(stage_2_keeps_memory_tagged_if_it_is_write_back),
        cmocka_unit_test(stage_2_can_forbid_the_use_of_tags),
        cmocka_unit_test(what_is_not_compared_is_not_forbidden),
        cmocka_unit_test(without_stage_2s_cache_there_are_no_tags),
        cmocka_unit_test(nothing_is_learnt_where_tags_are_forbidden),
        cmocka_unit_test(the_use_of_tags_has_its_place_among_permissions),
        cmocka_unit_test(without_mte2_there_are_no_tags),
        cmocka_unit_test(irg_makes_the_tags_of_its_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
