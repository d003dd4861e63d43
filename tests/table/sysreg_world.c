#include "sysreg_world.h"

const char *const pe_configs[] = {
    "max",
    "cortex-a53",
    "cortex-a76",
    "neoverse-v1",
    "max,el3=off",
    "max,el2=off",
    "max,el2=off,el3=off",
    "cortex-a53,el2=off,el3=off",
    "max,vhe=off,sel2=off",
    "max,fgt=off,hcx=off,evt=off,ecv=off,csv2_2=off,lor=off,pan=off,exs=off",
    "max,pauth=off,mte=off,fp=off,gic=off,pmu=off,ras=off,bti=off,ssbs=off,rng=off,rng_trap=off",
    "max,pauth=qarma3,mte2=off,idst=off,tidcp1=off,ccidx=off,lse2=off,xs=off,tlbirange=off,pa=44,asid16=off,vmid16=off",
    "max,breakpoints=16,ctxcmps=16,watchpoints=2,pmcounters=31,gic-lrs=16,gic-prio=7,gic-id-bits=16,pauth=impdef",
    "max,breakpoints=40,ctxcmps=20,watchpoints=20",
    "cortex-a76,pmcounters=0,breakpoints=2,ctxcmps=1,gic-lrs=1,gic-prio=6,mte=on",
    NULL,
};

static uint64_t live_special(void *pe, unsigned id) { return ((struct pe_world *)pe)->special[id]; }
static void live_set_special(void *pe, unsigned id, uint64_t v) { ((struct pe_world *)pe)->special[id] = v; }
static uint64_t live_count(void *pe) { return ((struct pe_world *)pe)->count; }
static uint64_t live_cycles(void *pe) { return ((struct pe_world *)pe)->cycles; }
static void live_set_cycles(void *pe, uint64_t v) { ((struct pe_world *)pe)->cycles = v; }
static uint64_t live_event(void *pe, unsigned n) { return ((struct pe_world *)pe)->event[n]; }
static void live_set_event(void *pe, unsigned n, uint64_t v) { ((struct pe_world *)pe)->event[n] = v; }
static uint64_t live_instructions(void *pe) { return ((struct pe_world *)pe)->instructions; }
static void live_set_instructions(void *pe, uint64_t v) { ((struct pe_world *)pe)->instructions = v; }
static void live_captured(void *pe) { ((struct pe_world *)pe)->captures++; }
static uint64_t live_overflows(void *pe) { return ((struct pe_world *)pe)->r.pmovsset_el0 | ((struct pe_world *)pe)->overflows; }
static void live_set_overflows(void *pe, uint64_t v)
{
    ((struct pe_world *)pe)->r.pmovsset_el0 = v;
    ((struct pe_world *)pe)->overflows = 0;
}
static void live_increment(void *pe, uint32_t counters) { ((struct pe_world *)pe)->increments |= counters; }
static uint32_t live_lines(void *pe) { return ((struct pe_world *)pe)->lines; }
static uint64_t live_random(void *pe, bool reseed) { return ((struct pe_world *)pe)->random + reseed; }
static uint64_t live_gic_read(void *pe, unsigned id)
{
    ((struct pe_world *)pe)->gic_id = id;
    return ((struct pe_world *)pe)->gic_value;
}
static uint32_t live_gic_write(void *pe, unsigned id, uint64_t v)
{
    ((struct pe_world *)pe)->gic_id = id;
    ((struct pe_world *)pe)->gic_value = v;
    return 0;
}
static bool live_one_state(void *pe) { return ((struct pe_world *)pe)->one_security_state; }

static const struct sysreg_live live = {
    .special = live_special,
    .set_special = live_set_special,
    .count = live_count,
    .cycles = live_cycles,
    .set_cycles = live_set_cycles,
    .event = live_event,
    .set_event = live_set_event,
    .instructions = live_instructions,
    .set_instructions = live_set_instructions,
    .captured = live_captured,
    .overflows = live_overflows,
    .set_overflows = live_set_overflows,
    .software_increment = live_increment,
    .lines = live_lines,
    .random = live_random,
    .gic_read = live_gic_read,
    .gic_write = live_gic_write,
    .gic_one_security_state = live_one_state,
};

bool pe_has(const struct pe_world *w, enum arm_feat f) { return arm_has(&w->cfg, f); }

unsigned pe_levels(const struct pe_world *w) { return 3u | (pe_has(w, FEAT_EL2) ? 4u : 0) | (pe_has(w, FEAT_EL3) ? 8u : 0); }

static unsigned top(const struct pe_world *w) { return pe_has(w, FEAT_EL3) ? 3 : pe_has(w, FEAT_EL2) ? 2 : 1; }

void pe_new(struct pe_world *w, const char *cfg)
{
    struct err e;
    memset(w, 0, sizeof *w);
    w->text = cfg;
    if (!arm_config_parse(cfg, &w->cfg, &e))
        fail_msg("%s: %s", cfg, e.text);
    w->map = sysreg_map_new(&w->cfg);
    sysreg_reset(w->map, &w->cfg, &w->r, 0x100000203);
    w->c = (struct sysreg_ctx){&w->r, &w->cfg, w->map, &live, w, (uint8_t)top(w), 1};
}

void pe_end(struct pe_world *w) { sysreg_map_free(w->map); }

struct sysreg_access pe_check(struct pe_world *w, unsigned el, unsigned id, bool write)
{
    w->c.el = (uint8_t)el;
    struct sysreg_access a = sysreg_check(&w->c, id, write);
    w->c.el = (uint8_t)top(w);
    return a;
}

uint64_t pe_read(struct pe_world *w, unsigned el, unsigned id)
{
    w->c.el = (uint8_t)el;
    uint64_t v = sysreg_read(&w->c, id);
    w->c.el = (uint8_t)top(w);
    return v;
}

uint32_t pe_write(struct pe_world *w, unsigned el, unsigned id, uint64_t v)
{
    w->c.el = (uint8_t)el;
    uint32_t fx = sysreg_write(&w->c, id, v);
    w->c.el = (uint8_t)top(w);
    return fx;
}

unsigned pe_id(const char *name)
{
    unsigned id = sysreg_by_name(name);
    if (!id)
        fail_msg("there is no register %s", name);
    return id;
}

void pe_bits(struct pe_world *w, const char *name, uint64_t mask, uint64_t value)
{
    unsigned id = pe_id(name);
    if (sysreg_exists(w->map, id))
        sysreg_write(&w->c, id, (sysreg_read(&w->c, id) & ~mask) | (value & mask));
}

void pe_open(struct pe_world *w, bool e2h, bool tge)
{
    const uint64_t bit = 1;
    const uint64_t all = UINT64_MAX;
    /* SCR_EL3: NS, HCE, ST, APK, API, FIEN, EnSCXT, ATA, FGTEn, ECVEn, HXEn, RCWMASKEn, TCR2En, SCTLR2En, PIEn, AIEn, PFAREn,
     * FGTEn2 */
    pe_bits(w, "scr_el3", all,
            bit | bit << 8 | bit << 11 | bit << 16 | bit << 17 | bit << 21 | bit << 25 | bit << 26 | bit << 27 | bit << 28 |
                bit << 38 | bit << 42 | bit << 43 | bit << 44 | bit << 45 | bit << 46 | bit << 53 | bit << 59);
    /* HCR_EL2: APK, API, FIEN, EnSCXT, ATA */
    pe_bits(w, "hcr_el2", all,
            bit << 40 | bit << 41 | bit << 47 | bit << 53 | bit << 56 | (uint64_t)tge << 27 | (uint64_t)e2h << 34);
    pe_bits(w, "hcrx_el2", all, bit << 14 | bit << 15); /* TCR2En, SCTLR2En */
    pe_bits(w, "cptr_el3", all, 0);
    pe_bits(w, "cptr_el2", all, 3u << 20 | 1u << 29); /* FPEN, E0POE */
    pe_bits(w, "cpacr_el1", all, 3u << 20 | 1u << 29);
    pe_bits(w, "mdcr_el3", all, bit << 7 | bit << 43 | bit << 44); /* EnPM2, EBWE, EnPMSS */
    pe_bits(w, "mdcr_el2", all, w->cfg.pmu_counters | bit << 43);
    pe_bits(w, "mdscr_el1", all, 0);
    pe_bits(w, "pmuserenr_el0", all, 1);
    pe_bits(w, "pmselr_el0", all, 0);
    pe_bits(w, "cntkctl_el1", all, 0x303);
    pe_bits(w, "cnthctl_el2", all, 0xf03);
    pe_bits(w, "ich_hcr_el2", all, 0);
    /* SCTLR_ELx: UMA, EnRCTX, DZE, UCT, UCI */
    pe_bits(w, "sctlr_el1", all, bit << 9 | bit << 10 | bit << 14 | bit << 15 | bit << 26);
    pe_bits(w, "sctlr_el2", all, bit << 9 | bit << 10 | bit << 14 | bit << 15 | bit << 26);
    pe_bits(w, "hfgrtr_el2", all, PE_FINE_INVERTED);
    pe_bits(w, "hfgwtr_el2", all, PE_FINE_INVERTED);
    pe_bits(w, "hfgrtr2_el2", all, 7); /* nPFAR_EL1, nERXGSR_EL1, nRCWSMASK_EL1 */
    pe_bits(w, "hfgwtr2_el2", all, 5);
    pe_bits(w, "hdfgrtr2_el2", all, all); /* all of them are inverted */
    pe_bits(w, "hdfgwtr2_el2", all, all);
    pe_bits(w, "hfgitr_el2", all, 0);
    pe_bits(w, "hdfgrtr_el2", all, 0);
    pe_bits(w, "hdfgwtr_el2", all, 0);
}

void pe_random(struct pe_world *w, uint64_t *rng)
{
    for_ids(w, id)
    {
        if (!pe_kind(id, "INSN") && !pe_kind(id, "ALIAS") && !pe_kind(id, "LIVE"))
            sysreg_write(&w->c, id, rng_next(rng) & rng_next(rng));
    }
}

const char *pe_about(const struct pe_world *w, unsigned id)
{
    static char text[600];
    char name[40];
    sysreg_name(id, name, sizeof name);
    snprintf(text, sizeof text, "%s of \"%s\"", name, w->text);
    return text;
}

bool pe_kind(unsigned id, const char *kind) { return !strcmp(sysreg_row_of(id)->kind, kind); }

int pe_outcome(struct sysreg_access a) { return a.result == SYSREG_TRAP ? TO(a.el, a.ec) : a.result; }
