#include "csr_world.h"

const char *const world_configs[] = {
    "rv64",
    "rv32",
    "rv64,smrnmi=on,smdbltrp=on",
    "rv32,smrnmi=on,smdbltrp=on",
    "rv64,h=off",
    "rv32,h=off",
    "rv64,s=off",
    "rv32,s=off",
    "rv64,s=off,u=off",
    "rv64,m=off,a=off,f=off,c=off,s=off,u=off,zicfilp=off,zicfiss=off,zkr=off,zihpm=off,zicntr=off,smepmp=off,smmpm=off,"
    "smcntrpmf=off,smcsrind=off,pmp=0",
    "rv64,smstateen=off",
    "rv64,ssstateen=off,smcdeleg=off",
    "rv32,sscofpmf=off,sstc=off,hpm=4,geilen=0,pmp=16",
    "rv64,f=off,c=off,sv39=off,"
    "sv48=off,sv57=off,pmp-grain=3,asid=0,vmid=3,pa=40,geilen=63",
    "rv64,zihpm=off,smcsrind=off,ssdbltrp=off,svadu=off,sv57=off",
    NULL,
};

static uint64_t live_cycle(void *h) { return ((struct world *)h)->counter[0]; }
static uint64_t live_instret(void *h) { return ((struct world *)h)->counter[2]; }
static uint64_t live_hpm(void *h, unsigned n) { return ((struct world *)h)->counter[n]; }
static void live_set_counter(void *h, unsigned n, uint64_t v) { ((struct world *)h)->counter[n] = v; }
static uint64_t live_time(void *h) { return ((struct world *)h)->time; }
static uint64_t live_mip(void *h) { return ((struct world *)h)->lines; }
static uint64_t live_hgeip(void *h) { return ((struct world *)h)->hgeip; }
static uint64_t live_fflags(void *h) { return ((struct world *)h)->fflags; }
static void live_set_fflags(void *h, uint64_t v) { ((struct world *)h)->fflags = v; }
static uint64_t live_seed(void *h) { return ((struct world *)h)->seed; }
static const struct csr_live live = {live_cycle, live_instret, live_hpm,    live_set_counter, live_time,
                                     live_mip,   live_hgeip,   live_fflags, live_set_fflags,  live_seed};

void world_new(struct world *w, const char *cfg)
{
    struct err e;
    memset(w, 0, sizeof *w);
    if (!rv_config_parse(&w->cfg, cfg, &e))
        fail_msg("%s: %s", cfg, e.text);
    w->map = csr_map_new(&w->cfg);
    csr_reset(w->map, &w->cfg, &w->r, 7);
    w->c = (struct csr_ctx){.r = &w->r, .cfg = &w->cfg, .map = w->map, .live = &live, .hart = w, .priv = RV_M, .v = 0};
}

void world_end(struct world *w) { csr_map_free(w->map); }

static void enter(struct world *w, unsigned mode)
{
    w->c.priv = mode & 3;
    w->c.v = mode >> 2 & 1;
}

enum csr_result check(struct world *w, unsigned mode, unsigned num, bool write)
{
    enter(w, mode);
    enum csr_result r = csr_check(&w->c, num, write);
    enter(w, M);
    return r;
}

uint64_t get(struct world *w, unsigned mode, unsigned num)
{
    enter(w, mode);
    uint64_t v = csr_read(&w->c, num);
    enter(w, M);
    return v;
}

uint32_t put(struct world *w, unsigned mode, unsigned num, uint64_t v)
{
    enter(w, mode);
    uint32_t fx = csr_write(&w->c, num, v);
    enter(w, M);
    return fx;
}

uint64_t wrote(struct world *w, unsigned num, uint64_t value)
{
    put(w, M, num, value);
    return get(w, M, num);
}

bool on(const struct world *w, enum rv_ext e) { return rv_has(&w->cfg, e); }
uint64_t ones(const struct world *w) { return w->cfg.xlen == 32 ? UINT32_MAX : UINT64_MAX; }

const char *about(const struct world *w, unsigned num)
{
    static char text[1400];
    char name[24], isa[1200];
    csr_name(num, name, sizeof name);
    rv_config_isa(&w->cfg, isa, sizeof isa);
    snprintf(text, sizeof text, "%s (0x%03x) of %s", name, num, isa);
    return text;
}

void world_open(struct world *w)
{
    static const uint16_t nums[] = {
        0x30a, 0x31a,                                           /* menvcfg(h) */
        0x30c, 0x30d, 0x30e, 0x30f, 0x31c, 0x31d, 0x31e, 0x31f, /* mstateen */
        0x60c, 0x60d, 0x60e, 0x60f, 0x61c, 0x61d, 0x61e, 0x61f, /* hstateen */
        0x306, 0x606, 0x106, 0x60a, 0x61a, 0x10a,               /* counteren, henvcfg, senvcfg */
    };
    for (unsigned i = 0; i < sizeof nums / sizeof nums[0]; i++)
        put(w, M, nums[i], ones(w));
    put(w, M, 0x747, 0x300);  /* mseccfg: USEED, SSEED */
    put(w, M, 0x300, 0x6000); /* FS */
    put(w, M, 0x200, 0x6000);
    put(w, M, 0x150, 0x43); /* siselect, vsiselect: counter 3 */
    put(w, M, 0x250, 0x43);
}
