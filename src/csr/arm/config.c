/* Configurations: features and choices, named cores, the text form. */
#include "csr/arm/config.h"
#include "base/bits.h"
#include "base/text.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { A53 = 1, A76 = 2, V1 = 4, MAX = 8 };

static const struct {
    const char *name, *version, *needs, *title;
    unsigned cores;
} feats[] = {
#define FEAT(name, version, cores, needs, title, ...) {#name, version, needs, title, cores},
#include "csr/arm/feat.def"
#undef FEAT
};

static const struct {
    const char *name, *title;
    size_t offset;
    uint64_t low, high, value;
} choices[] = {
#define CHOICE(name, member, low, high, value, title) {name, title, offsetof(struct arm_config, member), low, high, value},
#include "csr/arm/choice.def"
#undef CHOICE
};

/* What the cores have that "max" has not: the values of their technical reference manuals. */
static const struct {
    const char *name;
    unsigned bit;
    uint64_t pa_bits, midr, l1d_kib, l1i_kib, l2_kib, l1ip, dic, idc, lou, gic_id_bits;
} cores[] = {
    {"max", MAX, 52, 0x000f0740, 32, 32, 1024, 3, 0, 0, 1, 24},
    {"cortex-a53", A53, 40, 0x410fd034, 32, 32, 1024, 2, 0, 0, 1, 16},
    {"cortex-a76", A76, 40, 0x414fd0b1, 64, 64, 512, 3, 0, 0, 0, 16},
    {"neoverse-v1", V1, 48, 0x411fd402, 64, 64, 1024, 3, 1, 1, 0, 16},
};

/* Names for several features: `on` brings the first list, `off` removes the second and what needs it. */
static const struct {
    const char *name, *on, *off;
} groups[] = {
    {"mte", "MTE MTE2 MTE3 MTE_STORE_ONLY MTE_TAGGED_FAR MTE_CANONICAL_TAGS MTE_NO_ADDRESS_TAGS MTE_PERM", "MTE"},
    {"pauth", "PAuth", "PAuth"},
    {"gic", "GICv3", "GICv3"},
    {"pmu", "PMUv3", "PMUv3"},
    {"crypto", "AES PMULL SHA1 SHA256 SHA512 SHA3 SM3 SM4", "AES SHA1 SM3 SM4"},
};

/* The algorithms of pointer authentication, as values of pauth. */
static const struct {
    const char *name;
    enum arm_feat feat;
} algorithms[] = {{"qarma5", FEAT_PACQARMA5}, {"qarma3", FEAT_PACQARMA3}, {"impdef", FEAT_PACIMP}};

const char *arm_feat_name(enum arm_feat f) { return f < ARM_FEAT_COUNT ? feats[f].name : "?"; }
const char *arm_feat_title(enum arm_feat f) { return f < ARM_FEAT_COUNT ? feats[f].title : ""; }
const char *arm_feat_version(enum arm_feat f) { return f < ARM_FEAT_COUNT ? feats[f].version : ""; }
const char *arm_core_name(unsigned i) { return i < ARRAY_LEN(cores) ? cores[i].name : NULL; }
const char *arm_choice_name(unsigned i) { return i < ARRAY_LEN(choices) ? choices[i].name : NULL; }
const char *arm_choice_title(unsigned i) { return i < ARRAY_LEN(choices) ? choices[i].title : NULL; }

void arm_core_names(char *out, size_t cap)
{
    *out = '\0';
    for (size_t i = 0, n = 0; i < ARRAY_LEN(cores); i++)
        n = text_append(out, cap, n, "%s%s", i ? ", " : "", cores[i].name);
}

static uint64_t *choice(struct arm_config *c, unsigned i) { return (uint64_t *)(void *)((char *)c + choices[i].offset); }

uint64_t arm_choice_value(const struct arm_config *c, unsigned i)
{
    uint64_t v;
    memcpy(&v, (const char *)c + choices[i].offset, sizeof v);
    return v;
}

static void set_feat(uint32_t *set, unsigned f, bool on)
{
    set[f / 32] = on ? set[f / 32] | 1u << f % 32 : set[f / 32] & ~(1u << f % 32);
}

static bool get_feat(const uint32_t *set, unsigned f) { return set[f / 32] >> f % 32 & 1; }

/* The feature whose name is the len characters at name, with or without FEAT_, whatever their case; -1 if there is none. */
static int find_feat(const char *name, size_t len)
{
    if (len > 5 && !strncasecmp(name, "FEAT_", 5)) {
        name += 5;
        len -= 5;
    }
    for (unsigned f = 0; f < ARM_FEAT_COUNT; f++)
        if (strlen(feats[f].name) == len && !strncasecmp(feats[f].name, name, len))
            return (int)f;
    return -1;
}

static void start_from(struct arm_config *c, unsigned core)
{
    memset(c, 0, sizeof *c);
    c->core = core;
    for (unsigned f = 0; f < ARM_FEAT_COUNT; f++)
        set_feat(c->feat, f, feats[f].cores & cores[core].bit);
    for (unsigned i = 0; i < ARRAY_LEN(choices); i++)
        *choice(c, i) = choices[i].value;
    c->pa_bits = cores[core].pa_bits;
    c->midr = cores[core].midr;
    c->l1d_kib = cores[core].l1d_kib;
    c->l1i_kib = cores[core].l1i_kib;
    c->l2_kib = cores[core].l2_kib;
    c->l1ip = cores[core].l1ip;
    c->dic = cores[core].dic;
    c->idc = cores[core].idc;
    c->lou = cores[core].lou;
    c->gic_id_bits = cores[core].gic_id_bits;
}

void arm_config_default(struct arm_config *c) { start_from(c, 0); }

/* What the text asked for so far, so that "what it needs is on, too" can be told from "it was turned off". */
struct asked {
    uint32_t on[8], off[8];
    bool pa;
};

/* The next of a list of needs, of "A/B" A if B is on; -1 at the end. */
static int next_need(const struct arm_config *c, const char **p)
{
    while (**p) {
        const char *item = *p;
        size_t len = strcspn(item, " "), name = strcspn(item, " /");
        *p += len + (item[len] == ' ');
        if (name == len || get_feat(c->feat, (unsigned)find_feat(item + name + 1, len - name - 1)))
            return find_feat(item, name);
    }
    return -1;
}

static bool missing(const struct arm_config *c, unsigned f, int *need)
{
    const char *p = feats[f].needs;
    while ((*need = next_need(c, &p)) >= 0)
        if (!get_feat(c->feat, (unsigned)*need))
            return true;
    return false;
}

/* What a feature that was asked for needs was asked for, too. */
static void ask_needs(const struct arm_config *c, struct asked *a)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
            const char *p = get_feat(a->on, f) ? feats[f].needs : "";
            for (int need; (need = next_need(c, &p)) >= 0;) {
                if (get_feat(a->on, (unsigned)need) || get_feat(a->off, (unsigned)need))
                    continue;
                set_feat(a->on, (unsigned)need, true);
                again = true;
            }
        }
    }
}

/* What was asked for pulls in what it needs; what lost something it needs goes, too. */
static bool settle_needs(struct arm_config *c, struct asked *a, struct err *err)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
            int need;
            if (!get_feat(c->feat, f) || !missing(c, f, &need))
                continue;
            again = true;
            if (!get_feat(a->on, f)) {
                set_feat(c->feat, f, false);
            } else if (get_feat(a->off, (unsigned)need)) {
                return err_set(err, "%s needs %s, which is off", feats[f].name, feats[need].name);
            } else {
                set_feat(c->feat, (unsigned)need, true);
            }
        }
    }
    return true;
}

/* Of features that exclude each other the one that was asked for stays; two that were asked for are a mistake. */
static bool exclude(struct arm_config *c, const struct asked *a, enum arm_feat one, enum arm_feat other, struct err *err)
{
    if (!arm_has(c, one) || !arm_has(c, other))
        return true;
    if (get_feat(a->on, one) && get_feat(a->on, other))
        return err_set(err, "%s and %s exclude each other", feats[one].name, feats[other].name);
    set_feat(c->feat, get_feat(a->on, one) ? other : one, false);
    return true;
}

/* Pointer authentication has one algorithm: the one asked for, the core's, QARMA5. */
static bool settle_pauth(struct arm_config *c, const struct asked *a, struct err *err)
{
    unsigned on = 0;
    if (!exclude(c, a, FEAT_PACQARMA5, FEAT_PACQARMA3, err) || !exclude(c, a, FEAT_PACQARMA5, FEAT_PACIMP, err) ||
        !exclude(c, a, FEAT_PACQARMA3, FEAT_PACIMP, err) || !exclude(c, a, FEAT_PAuth2, FEAT_EPAC, err) ||
        !exclude(c, a, FEAT_CSV2_2, FEAT_CSV2_1p1, err))
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(algorithms); i++)
        on += arm_has(c, algorithms[i].feat);
    if (!on && arm_has(c, FEAT_PAuth)) {
        if (get_feat(a->off, FEAT_PACQARMA5) && get_feat(a->on, FEAT_PAuth))
            return err_set(err, "PAuth needs one of PACQARMA5, PACQARMA3 and PACIMP, which are off");
        set_feat(c->feat, get_feat(a->on, FEAT_PAuth) ? FEAT_PACQARMA5 : FEAT_PAuth, get_feat(a->on, FEAT_PAuth));
    }
    return true;
}

/* FEAT_LPA and 52 bits of physical address come together (A2.2.3, "FEAT_LPA"). */
static bool settle_pa(struct arm_config *c, const struct asked *a, struct err *err)
{
    bool lpa = arm_has(c, FEAT_LPA), wide = c->pa_bits == 52;
    if (lpa == wide)
        return true;
    if (a->pa && get_feat(wide ? a->off : a->on, FEAT_LPA))
        return err_set(err, wide ? "pa=52 needs LPA, which is off" : "LPA means pa=52, but pa is %u", (unsigned)c->pa_bits);
    if (a->pa)
        set_feat(c->feat, FEAT_LPA, wide);
    else
        c->pa_bits = lpa ? 52 : 48;
    return true;
}

/* RAS version 2 has double faults where there is EL3 (D24.2.93, ID_AA64PFR0_EL1.RAS). */
static bool settle_ras(struct arm_config *c, struct asked *a, struct err *err)
{
    if (!arm_has(c, FEAT_RASv2) || !arm_has(c, FEAT_EL3) || arm_has(c, FEAT_DoubleFault))
        return true;
    if (get_feat(a->on, FEAT_RASv2) && get_feat(a->off, FEAT_DoubleFault))
        return err_set(err, "RASv2 needs DoubleFault, which is off");
    bool asked = get_feat(a->on, FEAT_RASv2);
    set_feat(c->feat, asked ? FEAT_DoubleFault : FEAT_RASv2, asked);
    set_feat(a->on, FEAT_DoubleFault, asked);
    ask_needs(c, a);
    return true;
}

static bool settle(struct arm_config *c, struct asked *a, struct err *err)
{
    ask_needs(c, a);
    if (!settle_needs(c, a, err) || !settle_pauth(c, a, err) || !settle_ras(c, a, err) || !settle_needs(c, a, err) ||
        !settle_pa(c, a, err))
        return false;
    if (!arm_has(c, FEAT_TGran4K) && !arm_has(c, FEAT_TGran16K) && !arm_has(c, FEAT_TGran64K))
        return err_set(err, "one of TGran4K, TGran16K and TGran64K must be on");
    if ((c->breakpoints > 16 || c->watchpoints > 16) && !arm_has(c, FEAT_Debugv8p9))
        return err_set(err, "more than 16 breakpoints or watchpoints need Debugv8p9, which is off");
    if (c->ctx_cmps > c->breakpoints)
        return err_set(err, "ctxcmps=%" PRIu64 ": there are %" PRIu64 " breakpoints", c->ctx_cmps, c->breakpoints);
    return true;
}

static bool parse_switch(const char *value, bool *on)
{
    static const char *const yes[] = {"on", "true", "yes", "1"}, *const no[] = {"off", "false", "no", "0"};
    for (unsigned i = 0; i < ARRAY_LEN(yes); i++) {
        if (!strcasecmp(value, yes[i]) || !strcasecmp(value, no[i])) {
            *on = !strcasecmp(value, yes[i]);
            return true;
        }
    }
    return false;
}

/* Values that lie in a choice's range but that the architecture does not have. */
static bool sensible(const char *name, uint64_t v, struct err *err)
{
    static const uint64_t pa[] = {32, 36, 40, 42, 44, 48, 52};
    bool known = false;
    for (unsigned i = 0; i < ARRAY_LEN(pa); i++)
        known |= v == pa[i];
    if (!strcmp(name, "pa") && !known)
        return err_set(err, "pa=%" PRIu64 ": a physical address has 32, 36, 40, 42, 44, 48 or 52 bits", v);
    if ((!strcmp(name, "l1d") || !strcmp(name, "l1i") || !strcmp(name, "l2")) && !bits_is_pow2(v))
        return err_set(err, "%s=%" PRIu64 " is not a power of two", name, v);
    if (!strcmp(name, "gic-id-bits") && v != 16 && v != 24)
        return err_set(err, "gic-id-bits=%" PRIu64 ": an interrupt identifier has 16 or 24 bits", v);
    if (!strcmp(name, "gic-prio") && v > 7)
        return err_set(err, "gic-prio=%" PRIu64 ": there are 5 to 7 bits of preemption", v);
    if (!strcmp(name, "rvbar") && v & 3)
        return err_set(err, "rvbar=0x%" PRIx64 " is not a multiple of 4", v);
    return true;
}

static bool parse_choice(struct arm_config *c, struct asked *a, unsigned i, const char *value, struct err *err)
{
    char *end;
    unsigned long long v = strtoull(value, &end, 0);
    if (!isdigit((unsigned char)value[0]) || *end)
        return err_set(err, "%s=%s is not a number", choices[i].name, value);
    if (v < choices[i].low || v > choices[i].high)
        return err_set(err, "%s=%s is out of range %" PRIu64 "..%" PRIu64, choices[i].name, value, choices[i].low,
                       choices[i].high);
    if (!sensible(choices[i].name, v, err))
        return false;
    *choice(c, i) = v;
    a->pa |= !strcmp(choices[i].name, "pa");
    return true;
}

static void ask(struct arm_config *c, struct asked *a, unsigned f, bool on)
{
    set_feat(c->feat, f, on);
    set_feat(a->on, f, on);
    set_feat(a->off, f, !on);
}

/* pauth=qarma3: the algorithm, and pointer authentication. False if value names none. */
static bool parse_algorithm(struct arm_config *c, struct asked *a, const char *value)
{
    for (unsigned i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (strcasecmp(value, algorithms[i].name))
            continue;
        for (unsigned k = 0; k < ARRAY_LEN(algorithms); k++)
            ask(c, a, algorithms[k].feat, k == i);
        ask(c, a, FEAT_PAuth, true);
        return true;
    }
    return false;
}

static void ask_list(struct arm_config *c, struct asked *a, const char *list, bool on)
{
    for (size_t len; *list; list += len + (list[len] == ' ')) {
        len = strcspn(list, " ");
        ask(c, a, (unsigned)find_feat(list, len), on);
    }
}

/* A word without value may have been meant for a core. */
static bool unknown(const char *item, size_t len, struct err *err)
{
    char names[128];
    arm_core_names(names, sizeof names);
    return item[len] ? err_set(err, "there is no feature or setting \"%.*s\"", (int)len, item)
                     : err_set(err, "there is no feature, core or setting \"%s\"; the cores are %s", item, names);
}

/* One "name=value" or "name". */
static bool parse_item(struct arm_config *c, struct asked *a, char *item, struct err *err)
{
    char *equals = strchr(item, '=');
    const char *value = equals ? equals + 1 : "on";
    size_t len = equals ? (size_t)(equals - item) : strlen(item);
    bool on;
    for (unsigned i = 0; i < ARRAY_LEN(choices); i++)
        if (strlen(choices[i].name) == len && !strncasecmp(item, choices[i].name, len))
            return parse_choice(c, a, i, value, err);
    bool pauth = len == 5 && !strncasecmp(item, "pauth", 5);
    if (pauth && parse_algorithm(c, a, value))
        return true;
    int f = find_feat(item, len);
    unsigned g = 0;
    while (g < ARRAY_LEN(groups) && (strlen(groups[g].name) != len || strncasecmp(item, groups[g].name, len)))
        g++;
    if (f < 0 && g == ARRAY_LEN(groups))
        return unknown(item, len, err);
    if (!parse_switch(value, &on))
        return err_set(err, "%s: on%s or off is expected", item, pauth ? ", qarma5, qarma3, impdef" : "");
    if (g < ARRAY_LEN(groups))
        ask_list(c, a, on ? groups[g].on : groups[g].off, on);
    else
        ask(c, a, (unsigned)f, on);
    return true;
}

static int find_core(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(cores); i++)
        if (!strcasecmp(name, cores[i].name))
            return (int)i;
    return -1;
}

bool arm_config_parse(const char *text, struct arm_config *out, struct err *err)
{
    struct arm_config c;
    struct asked a = {0};
    char item[128];
    bool first = true;
    arm_config_default(&c);
    for (const char *p = text; *p;) {
        if (*p == '#') {
            p += strcspn(p, "\n");
            continue;
        }
        size_t len = strcspn(p, ", \t\r\n#");
        if (!len) {
            p++;
            continue;
        }
        if (len >= sizeof item)
            return err_set(err, "\"%.40s…\" is too long for a setting", p);
        memcpy(item, p, len);
        item[len] = '\0';
        p += len;
        int core = find_core(item);
        if (core >= 0 && !first)
            return err_set(err, "%s: the core comes first", item);
        if (core >= 0)
            start_from(&c, (unsigned)core);
        else if (!parse_item(&c, &a, item, err))
            return false;
        first = false;
    }
    if (!settle(&c, &a, err))
        return false;
    *out = c;
    return true;
}
