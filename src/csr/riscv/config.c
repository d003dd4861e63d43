/* Configurations: the default, the text form, the ISA string. */
#include "csr/riscv/config.h"
#include "base/bits.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *needs, *title;
    bool on;
} exts[] = {
#define EXT(name, on, needs, title) {#name, needs, title, on},
#include "csr/riscv/ext.def"
#undef EXT
};

const char *rv_ext_name(enum rv_ext e) { return e < RV_EXT_COUNT ? exts[e].name : "?"; }
const char *rv_ext_title(enum rv_ext e) { return e < RV_EXT_COUNT ? exts[e].title : ""; }

static void set_ext(uint32_t *set, unsigned e, bool on)
{
    set[e / 32] = on ? set[e / 32] | 1u << e % 32 : set[e / 32] & ~(1u << e % 32);
}

static bool get_ext(const uint32_t *set, unsigned e) { return set[e / 32] >> e % 32 & 1; }

/* The extension whose name is the len characters at name, whatever their case; -1 if there is none. */
static int find_ext(const char *name, size_t len)
{
    for (unsigned e = 0; e < RV_EXT_COUNT; e++)
        if (strlen(exts[e].name) == len && !strncasecmp(exts[e].name, name, len))
            return (int)e;
    return -1;
}

/* Numbers of the configuration: name, where, smallest and greatest value on RV32 and RV64. */
#define NUMBER32(name, member, low, high32, high64)                          \
    {                                                                        \
        name, offsetof(struct rv_config, member), false, low, high32, high64 \
    }
#define NUMBER64(name, member, high32, high64)                            \
    {                                                                     \
        name, offsetof(struct rv_config, member), true, 0, high32, high64 \
    }
static const struct number {
    const char *name;
    size_t offset;
    bool wide;
    uint64_t low, high32, high64;
} numbers[] = {
    NUMBER32("asid", asid_bits, 0, 9, 16),
    NUMBER32("vmid", vmid_bits, 0, 7, 14),
    NUMBER32("pmp", pmp_count, 0, 64, 64),
    NUMBER32("pmp-grain", pmp_grain, 0, 29, 51),
    NUMBER32("hpm", hpm_count, 0, 29, 29),
    NUMBER32("geilen", geilen, 0, 31, 63),
    NUMBER32("pa", pa_bits, 32, 34, 56),
    NUMBER32("misaligned", misaligned, 0, 1, 1),
    NUMBER64("mvendorid", mvendorid, UINT32_MAX, UINT32_MAX),
    NUMBER64("marchid", marchid, UINT32_MAX, UINT64_MAX),
    NUMBER64("mimpid", mimpid, UINT32_MAX, UINT64_MAX),
    NUMBER64("reset-pc", reset_pc, UINT32_MAX, UINT64_MAX),
    NUMBER64("nmi", nmi_rnmi_vector, UINT32_MAX, UINT64_MAX),
    NUMBER64("nmi-exception", nmi_exception_vector, UINT32_MAX, UINT64_MAX),
    NUMBER64("tick-cycles", tick_cycles, UINT64_MAX, UINT64_MAX),
};

/* Translation modes by name. */
static const struct {
    const char *name;
    unsigned xlen, mode;
} sv_modes[] = {
    {"sv32", 32, 1},
    {"sv39", 64, 8},
    {"sv48", 64, 9},
    {"sv57", 64, 10},
};

/* Extensions that one XLEN does not have. */
static bool fits(unsigned e, uint32_t xlen)
{
    if (xlen == 32)
        return e != EXT_Svnapot && e != EXT_Svpbmt && e != EXT_Ssnpm && e != EXT_Smnpm && e != EXT_Smmpm;
    return e != EXT_Zcf;
}

void rv_config_default(struct rv_config *c, uint32_t xlen)
{
    bool rv32 = xlen == 32;
    memset(c, 0, sizeof *c);
    c->xlen = xlen;
    for (unsigned e = 0; e < RV_EXT_COUNT; e++)
        set_ext(c->ext, e, exts[e].on && fits(e, xlen));
    for (unsigned i = 0; i < ARRAY_LEN(sv_modes); i++)
        if (sv_modes[i].xlen == xlen)
            c->sv_modes |= 1u << sv_modes[i].mode;
    c->sv_modes |= 1; /* Bare */
    c->asid_bits = rv32 ? 9 : 16;
    c->vmid_bits = rv32 ? 7 : 14;
    c->pmp_count = 64;
    c->hpm_count = 29;
    c->geilen = 31;
    c->pa_bits = rv32 ? 34 : 56;
    c->misaligned = 1;
    c->reset_pc = 0x1000;
    c->nmi_rnmi_vector = 0x1000;
    c->nmi_exception_vector = 0x1000;
    c->tick_cycles = 100;
}

/* What the text asked for so far, so that "what it needs is on, too" can be told from "it was turned off". */
struct asked {
    uint32_t on[4], off[4];
};

/* A and C are names for their parts: who turns the name off turns off the parts that were not asked for. */
static void drop_parts(struct rv_config *c, const struct asked *a)
{
    static const enum rv_ext names[] = {EXT_A, EXT_C};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        const char *p = get_ext(a->off, names[i]) ? exts[names[i]].needs : "";
        for (size_t len; *p; p += len + (p[len] == ' ')) {
            len = strcspn(p, " ");
            int part = find_ext(p, len);
            if (part >= 0 && !get_ext(a->on, (unsigned)part))
                set_ext(c->ext, (unsigned)part, false);
        }
    }
}

static bool missing(const struct rv_config *c, unsigned e, int *need)
{
    for (const char *p = exts[e].needs; *p;) {
        size_t len = strcspn(p, " ");
        *need = find_ext(p, len);
        if (*need >= 0 && !get_ext(c->ext, (unsigned)*need))
            return true;
        p += len + (p[len] == ' ');
    }
    if (e == EXT_C) { /* C has what F (on RV32) and D bring along (unpriv C) */
        *need = rv_has(c, EXT_D) && !rv_has(c, EXT_Zcd) ? (int)EXT_Zcd : (int)EXT_Zcf;
        return !get_ext(c->ext, (unsigned)*need) && (*need == (int)EXT_Zcd || (c->xlen == 32 && rv_has(c, EXT_F)));
    }
    return false;
}

/* Brings what the extensions need in line: what was asked for pulls in what it needs; what lost something it needs goes, too. */
static bool settle(struct rv_config *c, struct asked *a, struct err *err)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned e = 0; e < RV_EXT_COUNT; e++) {
            int need;
            if (!get_ext(c->ext, e) || !missing(c, e, &need))
                continue;
            again = true;
            if (!get_ext(a->on, e)) {
                set_ext(c->ext, e, false);
            } else if (get_ext(a->off, (unsigned)need) || !fits((unsigned)need, c->xlen)) {
                return err_set(err, "%s needs %s, which is off", exts[e].name, exts[need].name);
            } else {
                set_ext(c->ext, (unsigned)need, true);
                set_ext(a->on, (unsigned)need, true);
            }
        }
    }
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

static bool parse_number(struct rv_config *c, const struct number *n, const char *value, struct err *err)
{
    char *end;
    bool on;
    unsigned long long v = strtoull(value, &end, 0);
    uint64_t high = c->xlen == 32 ? n->high32 : n->high64;
    if (n->high64 == 1 && parse_switch(value, &on))
        v = on;
    else if (!isdigit((unsigned char)value[0]) || *end)
        return err_set(err, "%s=%s is not a number", n->name, value);
    if (v < n->low || v > high)
        return err_set(err, "%s=%s is out of range %llu..%llu", n->name, value, (unsigned long long)n->low,
                       (unsigned long long)high);
    if (n->offset == offsetof(struct rv_config, pmp_count) && v != 0 && v != 16 && v != 64)
        return err_set(err, "pmp=%s: there are 0, 16 or 64 entries (priv 3.7.1)", value);
    if (n->offset == offsetof(struct rv_config, tick_cycles) && !v)
        return err_set(err, "tick-cycles=%s: a tick has at least one cycle", value);
    if (n->wide)
        *(uint64_t *)((char *)c + n->offset) = v;
    else
        *(uint32_t *)((char *)c + n->offset) = (uint32_t)v;
    return true;
}

/* One "name=value" or "name". */
static bool parse_item(struct rv_config *c, struct asked *a, char *item, struct err *err)
{
    char *value = strchr(item, '=');
    const char *text = value ? value + 1 : "on";
    bool on = true;
    size_t len = value ? (size_t)(value - item) : strlen(item);
    int e = find_ext(item, len);
    for (unsigned i = 0; e < 0 && i < ARRAY_LEN(numbers); i++)
        if (strlen(numbers[i].name) == len && !strncasecmp(item, numbers[i].name, len))
            return parse_number(c, &numbers[i], text, err);
    if (!parse_switch(text, &on))
        return err_set(err, "%s: on or off is expected", item);
    for (unsigned i = 0; e < 0 && i < ARRAY_LEN(sv_modes); i++) {
        if (strlen(sv_modes[i].name) != len || strncasecmp(item, sv_modes[i].name, len))
            continue;
        if (on && sv_modes[i].xlen != c->xlen)
            return err_set(err, "%s is not there on RV%u", sv_modes[i].name, c->xlen);
        c->sv_modes = on ? c->sv_modes | 1u << sv_modes[i].mode : c->sv_modes & ~(1u << sv_modes[i].mode);
        return true;
    }
    if (e < 0)
        return err_set(err, "there is no extension or setting \"%.*s\"", (int)len, item);
    if (on && !fits((unsigned)e, c->xlen))
        return err_set(err, "%s is not there on RV%u", exts[e].name, c->xlen);
    set_ext(c->ext, (unsigned)e, on);
    set_ext(a->on, (unsigned)e, on);
    set_ext(a->off, (unsigned)e, !on);
    return true;
}

bool rv_config_parse(struct rv_config *c, const char *text, struct err *err)
{
    struct rv_config now = *c;
    struct asked asked = {{0}, {0}};
    while (*text) {
        char item[128];
        if (*text == '#') { /* a comment, to the end of the line */
            text += strcspn(text, "\n");
            continue;
        }
        size_t len = strcspn(text, ", \t\r\n#");
        if (!len) {
            text++;
            continue;
        }
        if (len >= sizeof item)
            return err_set(err, "\"%.40s…\" is too long", text);
        memcpy(item, text, len);
        item[len] = 0;
        text += len;
        if (!strcasecmp(item, "rv32") || !strcasecmp(item, "rv64"))
            rv_config_default(&now, item[2] == '3' ? 32 : 64);
        else if (!parse_item(&now, &asked, item, err))
            return false;
    }
    drop_parts(&now, &asked);
    if (!settle(&now, &asked, err))
        return false;
    for (unsigned mode = 9; mode <= 10; mode++) /* each mode brings the narrower one (supervisor 6, 7) */
        if ((now.sv_modes >> mode & 1) && !(now.sv_modes >> (mode - 1) & 1))
            return err_set(err, "sv%u needs sv%u, which is off", mode * 9 - 33, mode * 9 - 42);
    if (now.pa_bits > (now.xlen == 32 ? 34 : 56) || now.pmp_grain + 2 > now.pa_bits)
        return err_set(err, "pmp-grain=%u is too much for %u bits of physical address", now.pmp_grain, now.pa_bits);
    *c = now;
    return true;
}

unsigned rv_config_isa(const struct rv_config *c, char *out, unsigned cap)
{
    char text[1024];
    unsigned n = (unsigned)snprintf(text, sizeof text, "rv%ui", c->xlen);
    for (unsigned e = 0; e < RV_EXT_COUNT; e++) {
        bool letter = !exts[e].name[1];
        if (!rv_has(c, e) || e == EXT_S || e == EXT_U) /* modes are no part of the string */
            continue;
        if (!letter)
            text[n++] = '_';
        for (const char *p = exts[e].name; *p; p++)
            text[n++] = (char)tolower((unsigned char)*p);
    }
    text[n] = 0;
    if (cap)
        snprintf(out, cap, "%s", text);
    return n;
}
