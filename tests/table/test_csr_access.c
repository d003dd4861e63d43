/*
 * Existence and privilege of all 4096 numbers, against a second statement of the rule: the manual's listing of registers with
 * what each needs, and the table of privilege levels with what H adds.
 */
#include "csr_world.h"
#include <stdlib.h>

/* Numbers first..last exist where `needs` holds: extensions and 32 (RV32), all of an alternative; '|' separates alternatives. */
static const struct listing {
    uint16_t first, last;
    const char *needs;
} listing[] = {
    {0x001, 0x003, "F"},
    {0x011, 0x011, "Zicfiss"},
    {0x015, 0x015, "Zkr"},
    {0xc00, 0xc02, "Zicntr"},
    {0xc03, 0xc1f, "Zihpm"},
    {0xc80, 0xc82, "Zicntr 32"},
    {0xc83, 0xc9f, "Zihpm 32"},
    {0x100, 0x100, "S"},
    {0x104, 0x106, "S"},
    {0x10a, 0x10a, "S"},
    {0x10c, 0x10f, "S Ssstateen"},
    {0x120, 0x120, "Ssccfg"},
    {0x140, 0x144, "S"},
    {0x14d, 0x14d, "Sstc"},
    {0x15d, 0x15d, "Sstc 32"},
    {0x150, 0x153, "Sscsrind"},
    {0x155, 0x157, "Sscsrind"},
    {0x180, 0x180, "S"},
    {0xda0, 0xda0, "Sscofpmf"},
    {0x600, 0x600, "H"},
    {0x602, 0x607, "H"},
    {0x60a, 0x60a, "H"},
    {0x612, 0x612, "H 32"},
    {0x615, 0x615, "H 32"},
    {0x61a, 0x61a, "H 32"},
    {0x60c, 0x60f, "H Ssstateen"},
    {0x61c, 0x61f, "H Ssstateen 32"},
    {0x643, 0x645, "H"},
    {0x64a, 0x64a, "H"},
    {0x680, 0x680, "H"},
    {0xe12, 0xe12, "H"},
    {0x200, 0x200, "H"},
    {0x204, 0x205, "H"},
    {0x240, 0x244, "H"},
    {0x280, 0x280, "H"},
    {0x24d, 0x24d, "H Sstc"},
    {0x25d, 0x25d, "H Sstc 32"},
    {0x250, 0x253, "H Sscsrind"},
    {0x255, 0x257, "H Sscsrind"},
    {0xf11, 0xf15, ""},
    {0x300, 0x301, ""},
    {0x302, 0x303, "S"},
    {0x304, 0x305, ""},
    {0x306, 0x306, "U"},
    {0x30a, 0x30a, "U"},
    {0x30c, 0x30f, "Smstateen"},
    {0x310, 0x310, "32"},
    {0x312, 0x312, "S 32"},
    {0x31a, 0x31a, "U 32"},
    {0x31c, 0x31f, "Smstateen 32"},
    {0x320, 0x320, ""},
    {0x321, 0x322, "Smcntrpmf"},
    {0x323, 0x33f, ""},
    {0x721, 0x722, "Smcntrpmf 32"},
    {0x723, 0x73f, "Sscofpmf 32"},
    {0x340, 0x344, ""},
    {0x34a, 0x34a, "H"},
    {0x34b, 0x34b, "H|Ssdbltrp"},
    {0x350, 0x353, "Smcsrind"},
    {0x355, 0x357, "Smcsrind"},
    {0x740, 0x742, "Smrnmi"},
    {0x744, 0x744, "Smrnmi"},
    {0x747, 0x747, "Smepmp|Zkr|Smmpm|Zicfilp"},
    {0x757, 0x757, "Smepmp 32|Zkr 32|Smmpm 32|Zicfilp 32"},
    {0xb00, 0xb00, ""},
    {0xb02, 0xb1f, ""},
    {0xb80, 0xb80, "32"},
    {0xb82, 0xb9f, "32"},
};

static bool token(const struct world *w, const char *name, size_t len)
{
    if (len == 2 && !strncmp(name, "32", 2))
        return w->cfg.xlen == 32;
    for (unsigned e = 0; e < RV_EXT_COUNT; e++)
        if (strlen(rv_ext_name(e)) == len && !strncmp(rv_ext_name(e), name, len))
            return rv_has(&w->cfg, e);
    fail_msg("no extension %s", name);
    return false;
}

static bool holds(const struct world *w, const char *needs)
{
    for (;;) {
        bool all = true;
        for (; *needs && *needs != '|'; needs += *needs == ' ') {
            size_t len = strcspn(needs, " |");
            all = token(w, needs, len) && all;
            needs += len;
        }
        if (all || !*needs)
            return all;
        needs++;
    }
}

static bool expect_exists(const struct world *w, unsigned num)
{
    unsigned pmp = w->cfg.pmp_count;
    if (num >= 0x3a0 && num < 0x3b0) /* eight entries in an even register; four in any on RV32 */
        return (num - 0x3a0) * 4 < pmp && (w->cfg.xlen == 32 || num % 2 == 0);
    if (num >= 0x3b0 && num < 0x3f0)
        return num - 0x3b0 < pmp;
    for (unsigned i = 0; i < sizeof listing / sizeof listing[0]; i++)
        if (num >= listing[i].first && num <= listing[i].last && holds(w, listing[i].needs))
            return true;
    return false;
}

/* With every gate open. */
static enum csr_result expect_access(const struct world *w, unsigned mode, unsigned num, bool write)
{
    unsigned level = num >> 8 & 3, priv = mode & 3;
    bool v = mode & 4, vsireg = num >= 0x251 && num <= 0x257;
    if (!expect_exists(w, num) || (write && num >> 10 == 3))
        return CSR_ILLEGAL;
    if (level == 3)
        return mode == M && !(num >= 0x351 && num <= 0x357) ? CSR_OK : CSR_ILLEGAL; /* mireg*: nothing to select */
    if (v && (level == 2 || (level == 1 && mode == VU)))
        return CSR_VIRTUAL;
    if (priv < level && !(level == 2 && priv == S))
        return CSR_ILLEGAL;
    if (num == 0x015) /* seed */
        return !write ? CSR_ILLEGAL : v ? CSR_VIRTUAL : CSR_OK;
    if (num == 0x011 && (mode == U || mode == VU) && !on(w, EXT_S)) /* ssp: no SSE without S */
        return CSR_ILLEGAL;
    if ((num & ~0x9fu) == 0xc00 && (num & 31) >= 3 + w->cfg.hpm_count && mode != M) /* mcounteren has no bit for it */
        return CSR_ILLEGAL;
    if (vsireg)
        return CSR_ILLEGAL;
    if (v && (num == 0x120 || (num == 0xda0 && on(w, EXT_Smcdeleg))))
        return CSR_VIRTUAL;
    if (num >= 0x151 && num <= 0x157) { /* sireg*, siselect = 0x43 */
        if (!on(w, EXT_Smcdeleg))
            return CSR_ILLEGAL;
        bool high = num == 0x155 || num == 0x156, there = num == 0x151 || num == 0x152 || (high && w->cfg.xlen == 32);
        if (num == 0x156 && !on(w, EXT_Sscofpmf))
            there = false;
        return v ? CSR_VIRTUAL : there && w->cfg.hpm_count && on(w, EXT_Zihpm) ? CSR_OK : CSR_ILLEGAL;
    }
    return CSR_OK;
}

static bool mode_there(const struct world *w, unsigned mode)
{
    return mode == M || (mode == U && on(w, EXT_U)) || (mode == S && on(w, EXT_S)) || (mode > M && on(w, EXT_H));
}

static void every_number_exists_where_the_manual_says(void **state)
{
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w;
        unsigned count = 0;
        world_new(&w, world_configs[k]);
        for (unsigned num = 0; num < 4096; num++) {
            if (csr_exists(w.map, num) != expect_exists(&w, num))
                fail_msg("%s: exists %d", about(&w, num), csr_exists(w.map, num));
            count += csr_exists(w.map, num);
        }
        print_message("%4u registers: %s\n", count, world_configs[k]);
        world_end(&w);
    }
}

static void privilege_is_as_stated_in_every_mode(void **state)
{
    static const unsigned modes[] = {U, S, M, VU, VS};
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w;
        world_new(&w, world_configs[k]);
        world_open(&w);
        for (unsigned num = 0; num < 4096; num++)
            for (unsigned i = 0; i < 5; i++)
                for (unsigned write = 0; write < 2; write++)
                    if (mode_there(&w, modes[i]) && !(num <= 3 && !on(&w, EXT_F)))
                        assert_check(&w, modes[i], num, write, expect_access(&w, modes[i], num, write));
        world_end(&w);
    }
}

static void reading_changes_nothing(void **state)
{
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w, before;
        uint64_t rng = 5;
        world_new(&w, world_configs[k]);
        world_open(&w);
        for (unsigned i = 0; i < 32; i++)
            w.counter[i] = rng_next(&rng);
        before = w;
        for (unsigned num = 0; num < 4096; num++) {
            get(&w, M, num);
            if (on(&w, EXT_H))
                get(&w, VS, num);
        }
        assert_memory_equal(&w, &before, sizeof w);
        world_end(&w);
    }
}

static void names_and_numbers_agree(void **state)
{
    char name[24];
    (void)state;
    for (unsigned num = 0; num < 4096; num++) {
        csr_name(num, name, sizeof name);
        if (csr_row_by_num(num)) {
            assert_int_equal(csr_num_by_name(name), num);
            assert_ptr_equal(csr_row_by_name(name), csr_row_by_num(num));
        }
    }
    assert_int_equal(csr_num_by_name("mhpmcounter7h"), 0xb87);
    assert_int_equal(csr_num_by_name("pmpaddr17"), 0x3c1);
    assert_int_equal(csr_num_by_name("hpmcounter2"), -1);
    assert_null(csr_row_by_name("mhpmcounter"));
}

/* No two rows claim a number; no two fields of a row claim a bit; every text is there. */
static void rows_do_not_overlap(void **state)
{
    uint8_t taken[4096] = {0};
    (void)state;
    for (unsigned i = 0; i < csr_row_count(); i++) {
        const struct csr_row *row = csr_row_at(i);
        for (unsigned k = 0; k < row->count; k++)
            if (taken[row->num + k]++)
                fail_msg("%s: 0x%03x is taken", row->name, row->num + k);
        assert_true(*row->title && *row->spec && row->nfields);
        for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
            uint64_t bits = 0;
            for (unsigned f = 0; f < row->nfields; f++) {
                unsigned msb, lsb;
                assert_true(*row->fields[f].name && *row->fields[f].meaning);
                if (!csr_field_bits(row, &row->fields[f], xlen, &msb, &lsb))
                    continue;
                assert_true(msb < xlen && lsb <= msb);
                uint64_t mask = UINT64_MAX >> (63 - (msb - lsb)) << lsb;
                if (bits & mask)
                    fail_msg("%s.%s overlaps on RV%u", row->name, row->fields[f].name, xlen);
                bits |= mask;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_exists_where_the_manual_says),
        cmocka_unit_test(privilege_is_as_stated_in_every_mode),
        cmocka_unit_test(reading_changes_nothing),
        cmocka_unit_test(names_and_numbers_agree),
        cmocka_unit_test(rows_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
