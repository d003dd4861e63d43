/*
 * Every register and system instruction at every level with every control that concerns it: alone, and by pairs for the order of
 * the traps. What must come is in sysreg_access.def, which has it from the manual, bit numbers and all.
 */
#include "sysreg_world.h"

#define SAME                       NULL
#define ACCESS(read, write, names) {{read, write}, names},
#define NESTED(kind, names)
static const struct {
    const char *access[2], *names;
} facts[] = {
#include "sysreg_access.def"
};
#undef ACCESS
#undef NESTED

#define ACCESS(read, write, names)
#define NESTED(kind, names) {NV_KIND_##kind, names},
static const struct {
    enum sysreg_nv_kind kind;
    const char *names;
} nested[] = {
#include "sysreg_access.def"
};
#undef ACCESS
#undef NESTED

static const struct {
    const char *prefix;
    uint16_t id;
} regs[] = {
    {"hcr", SR_hcr_el2},       {"hcrx", SR_hcrx_el2},        {"scr", SR_scr_el3},      {"cptr2_", SR_cptr_el2},
    {"cptr3_", SR_cptr_el3},   {"cpacr", SR_cpacr_el1},      {"mdcr2_", SR_mdcr_el2},  {"mdcr3_", SR_mdcr_el3},
    {"mdscr", SR_mdscr_el1},   {"cntk", SR_cntkctl_el1},     {"cnth", SR_cnthctl_el2}, {"sctlr1_", SR_sctlr_el1},
    {"sctlr2_", SR_sctlr_el2}, {"pmuser", SR_pmuserenr_el0}, {"ich", SR_ich_hcr_el2},
};

/* A condition: a bit of a register, or one of the letters; F, G, D, I, X: a fine-grained trap, reg and bit say which. */
struct atom {
    uint16_t reg;
    uint8_t bit;
    char what;
    bool not ;
};
struct arm {
    struct atom atoms[4];
    unsigned count;
    char then;
    bool fp;
};
struct level {
    struct arm arms[8];
    unsigned count;
    bool there;
};
static struct {
    struct level level[2][4]; /* by write, EL */
    bool known, top;
} table[SYSREG_COUNT];

/* ---- reading the facts ---------------------------------------------------------------------------------------------------- */

static void parse_atom(struct atom *a, const char *text, size_t n, unsigned fine, bool write)
{
    static const uint16_t fines[][2] = {{SR_hfgrtr_el2, SR_hfgwtr_el2},
                                        {SR_hdfgrtr_el2, SR_hdfgwtr_el2},
                                        {SR_hfgitr_el2, SR_hfgitr_el2},
                                        {SR_hfgrtr2_el2, SR_hfgwtr2_el2},
                                        {SR_hdfgrtr2_el2, SR_hdfgwtr2_el2}};
    memset(a, 0, sizeof *a);
    if (*text == '!') {
        a->not = true;
        text++;
        n--;
    }
    if (n == 2 && text[1] == '#') {
        a->what = *text;
        a->reg = fines[*text == 'F' || *text == 'G' ? 0 : *text == 'D' ? 1 : *text == 'P' ? 3 : *text == 'Q' ? 4 : 2][write];
        a->bit = (uint8_t)fine;
        return;
    }
    for (unsigned i = 0; n > 1 && i < ARRAY_LEN(regs); i++) {
        size_t len = strlen(regs[i].prefix);
        if (n > len && !strncmp(text, regs[i].prefix, len) && text[len] >= '0' && text[len] <= '9') {
            a->reg = regs[i].id;
            a->bit = (uint8_t)strtoul(text + len, NULL, 10);
            return;
        }
    }
    a->what = *text;
    if (n != 1 || !strchr("eEHhnpikxNSB", *text))
        fail_msg("no condition %.*s", (int)n, text);
}

/* "e.hcr30=2", "!cpacr20=f1", "F#". */
static void parse_arm(struct arm *arm, const char *text, size_t n, unsigned fine, bool write)
{
    const char *end = memchr(text, '=', n), *stop = end ? end : text + n;
    memset(arm, 0, sizeof *arm);
    arm->then = end ? text[n - 1] : '2';
    arm->fp = end && end[1] == 'f';
    assert_non_null(strchr("123UO", arm->then));
    while (text < stop) {
        size_t len = strcspn(text, ".= ]");
        len = len > (size_t)(stop - text) ? (size_t)(stop - text) : len;
        assert_true(arm->count < ARRAY_LEN(arm->atoms));
        parse_atom(&arm->atoms[arm->count++], text, len, fine, write);
        text += len + 1;
    }
}

static void parse(unsigned id, const char *text, unsigned fine, bool write)
{
    for (; *text; text += strspn(text, " ")) {
        assert_in_range(*text, '0', '3');
        struct level *l = &table[id].level[write][*text++ - '0'];
        l->there = true;
        if (*text != '[')
            continue;
        for (text++; *text != ']'; text += strspn(text, " ")) {
            size_t len = strcspn(text, " ]");
            assert_true(l->count < ARRAY_LEN(l->arms));
            parse_arm(&l->arms[l->count++], text, len, fine, write);
            text += len;
        }
        text++;
    }
}

static void learn(unsigned id, const char *const access[2], unsigned fine)
{
    const char *write = access[1], *read = access[0] ? access[0] : write;
    if (table[id].known)
        fail_msg("two facts about %s", sysreg_row_of(id)->name);
    table[id].known = true;
    table[id].top = !strcmp(write, "top");
    parse(id, read, fine, false);
    if (!table[id].top)
        parse(id, write, fine, true);
}

/* The next of a list of names: its first id and how many there are, and what stands behind the slash. */
static const char *next_name(const char *p, unsigned *id, unsigned *count, char *arg, size_t cap)
{
    char name[64];
    size_t n = strcspn(p, " /"), len = 0;
    snprintf(name, sizeof name, "%.*s", (int)n, p);
    p += n;
    if (*p == '/') {
        len = strcspn(++p, " ");
        snprintf(arg, cap, "%.*s", (int)len, p);
        p += len;
    } else {
        *arg = '\0';
    }
    char *star = strchr(name, '*');
    if (star)
        *star = '0';
    *id = pe_id(name);
    *count = star ? sysreg_row_of(*id)->count : 1;
    return p + strspn(p, " ");
}

static int read_facts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(facts); i++) {
        for (const char *p = facts[i].names; *p;) {
            unsigned id, count;
            char arg[32];
            p = next_name(p, &id, &count, arg, sizeof arg);
            for (unsigned k = 0; k < count; k++)
                learn(id + k, facts[i].access, *arg ? (unsigned)strtoul(arg, NULL, 10) : 63);
        }
    }
    return 0;
}

/* ---- what they say now ---------------------------------------------------------------------------------------------------- */

static bool bit_of(struct pe_world *w, unsigned id, unsigned bit)
{
    if (id == SR_scr_el3)
        return w->r.scr_el3 >> bit & 1; /* without EL3, too: what holds in its place */
    return sysreg_exists(w->map, id) && sysreg_read(&w->c, id) >> bit & 1;
}

static bool el2_enabled(struct pe_world *w) { return pe_has(w, FEAT_EL2) && (w->r.scr_el3 & 1 || w->r.scr_el3 >> 18 & 1); }
static bool e2h(struct pe_world *w) { return el2_enabled(w) && w->r.hcr_el2 >> 34 & 1; }
static bool host(struct pe_world *w) { return e2h(w) && w->r.hcr_el2 >> 27 & 1; }

static bool fine_trap(struct pe_world *w, const struct atom *a, unsigned el)
{
    if (!el2_enabled(w) || (el == 0 && host(w)) || !bit_of(w, SR_scr_el3, 27))
        return false;
    if (a->what == 'X' && bit_of(w, SR_hcrx_el2, 4) && bit_of(w, SR_scr_el3, 38))
        return false;
    return bit_of(w, a->reg, a->bit) != (a->what == 'G');
}

/* The debug register that the name reaches is not there (D2.8.2, D24.3.21). */
static bool no_unit(struct pe_world *w, unsigned el, unsigned id)
{
    bool watch = id >= SR_dbgwvr_el1 && id < SR_dbgwcr_el1 + 64;
    unsigned there = (unsigned)(watch ? w->cfg.watchpoints : w->cfg.breakpoints), n = id - sysreg_row_of(id)->id,
             bank = (unsigned)bits_get(w->r.mdselr_el1, 5, 4), banks = 0;
    while (16 * banks < w->cfg.watchpoints || 16 * banks < w->cfg.breakpoints)
        banks++;
    if ((pe_has(w, FEAT_EL3) && !(w->r.mdcr_el3 >> 43 & 1)) || (el < 3 && el2_enabled(w) && !(w->r.mdcr_el2 >> 43 & 1)) ||
        (el == 1 && !(w->r.mdscr_el1 >> 32 & 1)) || bank >= banks)
        bank = 0;
    return n + 16 * bank >= there;
}

static bool holds(struct pe_world *w, const struct atom *a, unsigned el, unsigned id)
{
    bool cycles = id == SR_pmxevtyper_el0 && (w->r.pmselr_el0 & 31) == 31;
    unsigned n = id == SR_pmxevtyper_el0 || id == SR_pmxevcntr_el0 ? (unsigned)w->r.pmselr_el0 & 31 : id - sysreg_row_of(id)->id;
    switch (a->what) {
    case 'e': return el2_enabled(w);
    case 'H': return e2h(w);
    case 'h': return host(w);
    case 'n': return w->r.scr_el3 & 1;
    case 'p': return w->c.spsel;
    case 'i': return pe_has(w, FEAT_IDST);
    case 'k': return pe_has(w, FEAT_RNG);
    case 'x': return el2_enabled(w) && pe_has(w, FEAT_HCX) && bit_of(w, SR_scr_el3, 38);
    case 'N': return n >= (w->r.mdcr_el2 & 31) && !cycles;
    case 'S': return n >= w->cfg.pmu_counters && !cycles;
    case 'F':
    case 'G':
    case 'D':
    case 'I':
    case 'X': return fine_trap(w, a, el);
    case 'E': return pe_has(w, FEAT_EL3);
    case 'B': return no_unit(w, el, id);
    case 'P':
    case 'Q':
        return el2_enabled(w) && !(el == 0 && host(w)) && pe_has(w, FEAT_FGT2) &&
               !(bit_of(w, SR_scr_el3, 59) && bit_of(w, a->reg, a->bit));
    default: return bit_of(w, a->reg, a->bit);
    }
}

static int wanted(struct pe_world *w, unsigned el, unsigned id, bool write)
{
    const struct level *l = &table[id].level[write][el];
    if (write && table[id].top)
        return pe_levels(w) >> (el + 1) ? SYSREG_UNDEFINED : SYSREG_OK;
    for (unsigned i = 0; l->there && i < l->count; i++) {
        const struct arm *arm = &l->arms[i];
        unsigned k = 0;
        while (k < arm->count && holds(w, &arm->atoms[k], el, id) != arm->atoms[k].not )
            k++;
        if (k < arm->count)
            continue;
        bool tge = el2_enabled(w) && w->r.hcr_el2 >> 27 & 1;
        switch (arm->then) {
        case 'U': return SYSREG_UNDEFINED;
        case 'O': return SYSREG_OK;
        case '1': return tge ? (int)TO(2, arm->fp ? 0 : 0x18) : (int)TO(1, arm->fp ? 7 : 0x18);
        default: return TO(arm->then - '0', arm->fp ? 7 : 0x18);
        }
    }
    return l->there ? SYSREG_OK : SYSREG_UNDEFINED;
}

/* ---- the law -------------------------------------------------------------------------------------------------------------- */

static bool stands_for_others(unsigned id)
{
    return id == SR_unallocated_id || id == SR_impdef_register || id == SR_impdef_instruction;
}

static void every_row_has_its_fact(void **state)
{
    (void)state;
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        if (sysreg_key_of(id) && !stands_for_others(id) && !table[id].known)
            fail_msg("sysreg_access.def says nothing about %s", sysreg_row_of(id)->name);
}

static void compare(struct pe_world *w, unsigned id)
{
    for_levels(w, el)
    {
        if ((el == 2 && !el2_enabled(w)) || (el == 1 && el2_enabled(w) && w->r.hcr_el2 >> 27 & 1))
            continue; /* nobody is there */
        for (unsigned write = 0; write < 2; write++) {
            int want = wanted(w, el, id, write), got = pe_outcome(pe_check(w, el, id, write));
            if (got != want)
                fail_msg("%s at EL%u, %s: %d, not %d; HCR_EL2 %#llx, SCR_EL3 %#llx", pe_about(w, id), el,
                         write ? "write" : "read", got, want, (unsigned long long)w->r.hcr_el2, (unsigned long long)w->r.scr_el3);
        }
    }
}

/* The bits that the facts about id mention, each once. */
static unsigned controls_of(unsigned id, struct atom *out, unsigned cap)
{
    unsigned n = 0;
    for (unsigned k = 0; k < 8; k++) {
        const struct level *l = &table[id].level[k / 4][k % 4];
        for (unsigned i = 0; i < l->count; i++) {
            for (unsigned j = 0; j < l->arms[i].count; j++) {
                const struct atom *a = &l->arms[i].atoms[j];
                unsigned m = 0;
                while (m < n && (out[m].reg != a->reg || out[m].bit != a->bit))
                    m++;
                bool world = (a->reg == SR_hcr_el2 && (a->bit == 27 || a->bit == 34)) ||
                             (a->reg == SR_scr_el3 && (a->bit == 0 || a->bit == 18));
                if (m == n && a->reg && !world) {
                    assert_true(n < cap);
                    out[n++] = *a;
                }
            }
        }
    }
    return n;
}

/* With everything there is, every control can be turned; but HCR_EL2.AT, which is there with FEAT_NV. */
static void turn(struct pe_world *w, const struct atom *a, bool must)
{
    uint64_t old = sysreg_exists(w->map, a->reg) ? sysreg_read(&w->c, a->reg) : 0, new = old ^ UINT64_C(1) << a->bit;
    if (sysreg_exists(w->map, a->reg))
        sysreg_write(&w->c, a->reg, new);
    bool absent = a->reg == SR_hcr_el2 && a->bit == 44;
    if (must && !absent && sysreg_read(&w->c, a->reg) != new)
        fail_msg("bit %u of %s does not change", a->bit, sysreg_row_of(a->reg)->name);
}

/* All of id's controls open; each alone turned; each two. */
static void each_control_and_each_pair(struct pe_world *w, unsigned id, bool everything)
{
    static struct arm_regs open;
    struct atom controls[24];
    unsigned n = controls_of(id, controls, ARRAY_LEN(controls));
    open = w->r;
    compare(w, id);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = everything ? i + 1 : n; j <= n; j++) {
            turn(w, &controls[i], everything);
            if (j < n)
                turn(w, &controls[j], everything);
            compare(w, id);
            w->r = open;
        }
    }
}

static void every_access_is_as_the_manual_says(void **state)
{
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned k = 0; k < 12; k++) {
            pe_open(&w, k & 1, k & 2);
            pe_bits(&w, "scr_el3", 1 | UINT64_C(1) << 18, k < 4 ? 1 : k < 8 ? 0 : UINT64_C(1) << 18);
            for_ids(&w, id)
            {
                if (sysreg_key_of(id) && !stands_for_others(id))
                    each_control_and_each_pair(&w, id, n == 0);
            }
        }
        pe_end(&w);
    }
}

/* What no bit of a control register says: PSTATE.SP, PMSELR_EL0, MDCR_EL2.HPMN. */
static void counters_and_stack_pointers(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned k = 0; k < 32 * 8; k++) {
        pe_open(&w, false, false);
        pe_bits(&w, "pmselr_el0", 31, k % 32);
        pe_bits(&w, "mdcr_el2", 31, k / 32);
        w.c.spsel = k & 1;
        for_ids(&w, id)
        {
            if (id == SR_sp_el0 || !strncmp(sysreg_row_of(id)->name, "pm", 2))
                compare(&w, id);
        }
    }
    pe_end(&w);
}

/* MDSELR_EL1.BANK, and what gives it effect, with as many breakpoints and watchpoints as there may be, and fewer. */
static void banks_of_breakpoints_and_watchpoints(void **state)
{
    static const char *const configs[] = {"max,breakpoints=64,ctxcmps=64,watchpoints=64",
                                          "max,breakpoints=40,watchpoints=20",
                                          "max,breakpoints=6,watchpoints=17",
                                          "max,breakpoints=33,watchpoints=4,el3=off",
                                          "max,breakpoints=49,watchpoints=4,el2=off,el3=off",
                                          "max,breakpoints=16,watchpoints=16"};
    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(configs) * 32; n++) {
        struct pe_world w;
        const uint64_t bit = 1;
        pe_new(&w, configs[n / 32]);
        pe_open(&w, false, false);
        pe_bits(&w, "mdselr_el1", UINT64_MAX, n % 4 << 4);
        pe_bits(&w, "mdscr_el1", bit << 32, (uint64_t)(n >> 2 & 1) << 32);
        pe_bits(&w, "mdcr_el2", bit << 43, (uint64_t)(n >> 3 & 1) << 43);
        pe_bits(&w, "mdcr_el3", bit << 43, (uint64_t)(n >> 4 & 1) << 43);
        bool banked = w.cfg.breakpoints > 16 || w.cfg.watchpoints > 16;
        assert_int_equal(pe_read(&w, 3, SR_mdselr_el1), banked ? n % 4 << 4 : 0);
        for (unsigned i = 0; i < 4 * 64; i++) {
            static const uint16_t first[] = {SR_dbgbvr_el1, SR_dbgbcr_el1, SR_dbgwvr_el1, SR_dbgwcr_el1};
            unsigned id = first[i / 64] + i % 64;
            assert_int_equal(sysreg_exists(w.map, id), i % 64 < (i < 128 ? w.cfg.breakpoints : w.cfg.watchpoints));
            assert_int_equal(sysreg_key_of(id) != 0, i % 64 < 16);
            if (i % 64 < 16 && sysreg_exists(w.map, id))
                compare(&w, id);
            for_levels(&w, el)
            {
                struct sysreg_access a = pe_check(&w, el, id, false);
                if (i % 64 >= 16 || a.result != SYSREG_OK)
                    continue;
                bool off = (el == 1 && !(n >> 2 & 1)) || (el < 3 && pe_has(&w, FEAT_EL2) && !(n >> 3 & 1)) ||
                           (pe_has(&w, FEAT_EL3) && !(n >> 4 & 1));
                unsigned bank = off || (16 * (n % 4) >= w.cfg.breakpoints && 16 * (n % 4) >= w.cfg.watchpoints) ? 0 : n % 4;
                assert_int_equal(a.id, id + 16 * bank);
                assert_true(sysreg_exists(w.map, a.id));
            }
        }
        pe_end(&w);
    }
}

static void nested_virtualisation_is_as_the_manual_says(void **state)
{
    static struct sysreg_nv want[SYSREG_COUNT];
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(nested); i++) {
        for (const char *p = nested[i].names; *p;) {
            unsigned id, count;
            char arg[32];
            p = next_name(p, &id, &count, arg, sizeof arg);
            for (unsigned k = 0; k < count; k++) {
                unsigned n = nested[i].kind == NV_KIND_EL1 ? pe_id(arg) : (unsigned)strtoul(arg, NULL, 16) + 8 * k;
                want[id + k] = (struct sysreg_nv){(uint8_t)nested[i].kind, (uint16_t)n};
            }
        }
    }
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        struct sysreg_nv nv = sysreg_nv(id);
        if (sysreg_key_of(id) && !stands_for_others(id) && (nv.kind != want[id].kind || nv.arg != want[id].arg))
            fail_msg("%s: nested virtualisation %u, %#x, not %u, %#x", sysreg_row_of(id)->name, nv.kind, nv.arg, want[id].kind,
                     want[id].arg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_fact),
        cmocka_unit_test(every_access_is_as_the_manual_says),
        cmocka_unit_test(counters_and_stack_pointers),
        cmocka_unit_test(banks_of_breakpoints_and_watchpoints),
        cmocka_unit_test(nested_virtualisation_is_as_the_manual_says),
    };
    return cmocka_run_group_tests_name("sysreg_facts", tests, read_facts, NULL);
}
