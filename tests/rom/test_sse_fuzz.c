/*
 * Random calls of the SSE extension and random events, on real firmware with the oracle beside it: no departure. Supervisor
 * software is the test (sse_rig.h): contexts, calls, handlers that edit or not, and preempt each other. TRAPLINE_SSE_CALLS: calls
 * of each machine (30000); TRAPLINE_SSE_SEED: the first machine's seed. TRAPLINE_SSE_FIRMWARE: another firmware, whose departures
 * are counted, and with TRAPLINE_SSE_SHOW told, on one hart and on two, up to a call that it does not return from. timeout: 600
 */
#include "sse_rig.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOFT     0xffff0000u
#define GLOBAL   0xffff8000u
#define PLATFORM 0x00004000u
#define PMU      0x00010000u
enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };

struct fuzz {
    struct rig r;
    uint64_t rng;
    uint64_t calls, completed, stops;
    bool stopped[RIG_HARTS];
    bool foreign; /* not ours: departures are counted */
};

static uint64_t below(struct fuzz *z, uint64_t n) { return rng_next(&z->rng) % n; }
static bool chance(struct fuzz *z, unsigned percent) { return below(z, 100) < percent; }

static uint64_t any_event(struct fuzz *z)
{
    static const uint32_t pool[] = {SOFT, SOFT,   PLATFORM, PLATFORM, PMU, GLOBAL, GLOBAL, 0,
                                    1,    0x8000, 0x100000, 0x108000, 2,   0x4001, 0xc000};
    uint64_t id = chance(z, 97) ? pool[below(z, sizeof pool / sizeof pool[0])] : (uint32_t)rng_next(&z->rng);
    /* Of a 32-bit parameter the callee looks at 32 bits. */
    return chance(z, 90) ? id : id | rng_next(&z->rng) << 32;
}

static uint64_t any_word(struct fuzz *z)
{
    return chance(z, 50) ? below(z, 4) : chance(z, 50) ? below(z, 128) : rng_next(&z->rng);
}

static uint64_t any_buffer(struct fuzz *z)
{
    uint64_t good = z->r.base + RIG_BUFFER + 64 * below(z, 8);
    switch (below(z, 24)) {
    case 0: return good + 1 + below(z, 7);
    case 1: return 0x80000000u + 8 * below(z, 512); /* the firmware's own */
    case 2:
        return z->foreign ? good : 0x70000000u; /* no memory at all, where OpenSBI takes a trap in M that it does not survive */
    default: return z->r.base + RIG_BUFFER;
    }
}

static void any_context(struct fuzz *z, unsigned h)
{
    struct rig *r = &z->r;
    rig_set(r, h, "v", 0);
    rig_set(r, h, "priv", 1);
    for (unsigned i = 1; i < 32; i++)
        rig_set(r, h, view_name(i), any_word(z));
    rig_set(r, h, "sstatus", rng_next(&z->rng));
    rig_set(r, h, "sepc", any_word(z));
    rig_set(r, h, "scause", any_word(z));
    rig_set(r, h, "stval", any_word(z));
    rig_set(r, h, "sscratch", any_word(z));
    if (!machine_set_reg(r->m, h, "hstatus", rng_next(&z->rng)))
        return;
    rig_set(r, h, "htval", any_word(z));
    rig_set(r, h, "vsstatus", rng_next(&z->rng) & ~(UINT64_C(1) << 18));
    rig_set(r, h, "vsepc", any_word(z));
}

/* Every hart but one waits where nothing happens. Interrupts of S are off everywhere: OpenSBI's sse_enable of the PMU overflow event
   turns one on when it delegates that interrupt, and then the hart's next call would never be made. */
static void park_others(struct fuzz *z, unsigned h)
{
    for (unsigned i = 0; z->foreign && i < z->r.harts; i++)
        if (!z->stopped[i])
            rig_set(&z->r, i, "sie", 0);
    for (unsigned i = 0; i < z->r.harts; i++) {
        if (i == h || z->stopped[i] || rig_get(&z->r, i, "priv") == 3)
            continue;
        rig_place(&z->r, i, z->r.base + RIG_PARK);
    }
}

static void any_call(struct fuzz *z, unsigned h)
{
    static const uint8_t pool[] = {READ,       READ,   WRITE,  WRITE,  WRITE,   REGISTER, REGISTER,
                                   UNREGISTER, ENABLE, ENABLE, ENABLE, DISABLE, INJECT,   INJECT,
                                   INJECT,     INJECT, UNMASK, UNMASK, MASK,    10,       255};
    struct rig *r = &z->r;
    unsigned fid = pool[below(z, sizeof pool)];
    uint64_t event = any_event(z), a[5] = {event, 0, 0, 0, 0};
    park_others(z, h);
    for (unsigned i = 0; i < 10; i++)
        rig_set_word(r, i, any_word(z));
    if (fid <= WRITE) {
        a[1] = chance(z, 95) ? below(z, 11) : any_word(z);
        a[2] = chance(z, 60) ? 1 : below(z, 12);
        a[3] = any_buffer(z);
        a[4] = chance(z, 97) ? 0 : any_word(z);
    } else if (fid == REGISTER) {
        a[1] = r->base + RIG_HANDLER + 16 * below(z, 8) + (chance(z, 95) ? 0 : 1);
        a[2] = chance(z, 90) ? (uint32_t)event : any_word(z);
    } else if (fid == INJECT) {
        a[1] = chance(z, 90) ? below(z, r->harts) : any_word(z);
    }
    rig_sse(r, h, fid, a[0], a[1], a[2], a[3], a[4]);
    z->calls++;
}

/* The handler on top ends: as it should, or having edited something. */
static void complete(struct fuzz *z, unsigned h)
{
    struct rig *r = &z->r;
    const struct sse_hart *o = &r->o.hart[h];
    park_others(z, h);
    if (o->depth && chance(z, 70)) {
        const struct rv_view *v = &o->frame[o->depth - 1].entry;
        for (unsigned i = 1; i < 32; i++)
            rig_set(r, h, view_name(i), v->x[i]);
        rig_set(r, h, "sstatus", v->csr[VIEW_sstatus]);
        rig_set(r, h, "sepc", v->csr[VIEW_sepc]);
        rig_set(r, h, "scause", v->csr[VIEW_scause]);
        rig_set(r, h, "stval", v->csr[VIEW_stval]);
        rig_set(r, h, "sscratch", v->csr[VIEW_sscratch]);
        if (machine_set_reg(r->m, h, "hstatus", v->csr[VIEW_hstatus])) {
            rig_set(r, h, "htval", v->csr[VIEW_htval]);
            rig_set(r, h, "vsstatus", v->csr[VIEW_vsstatus]);
            rig_set(r, h, "vsepc", v->csr[VIEW_vsepc]);
        }
    }
    static const char *const arg[] = {"a0", "a1", "a2", "a3", "a4", "a5"};
    uint64_t a[6];
    for (unsigned i = 0; i < 6; i++)
        a[i] = rig_get(r, h, arg[i]);
    rig_call(r, h, RIG_EID_SSE, COMPLETE, a);
    z->calls++;
    z->completed++;
}

/* An event of the hardware while the hart runs in some mode. */
static void any_interrupt(struct fuzz *z, unsigned h)
{
    struct rig *r = &z->r;
    struct err e;
    static const uint8_t line[] = {11, 11, 13, 3};
    struct machine_injection i = {.event = MACHINE_LINE, .how = MACHINE_PULSE, .hart = h, .line = line[below(z, sizeof line)]};
    bool guest = chance(z, 60);
    park_others(z, h);
    if (chance(z, 50))
        any_context(z, h);
    rig_place(r, h, r->base + (guest ? RIG_GUEST : RIG_PARK));
    uint64_t hstatus;
    if (guest && chance(z, 50) && machine_get_reg(r->m, h, "hstatus", &hstatus)) /* with H */
        rig_set(r, h, "v", 1);
    if (guest && chance(z, 50))
        rig_set(r, h, "priv", 0);
    if (!machine_inject(r->m, &i, &e))
        fail_msg("%s", e.text);
    r->wait = h;
    r->returned = false;
    for (unsigned n = 0; n < 4 && !r->returned; n++)
        machine_run(r->m, 20000);
    if (rig_get(r, h, "priv") == 3)
        fail_msg("the hart stays in M for line %u: mcause 0x%llx", i.line, (unsigned long long)rig_get(r, h, "mcause"));
}

/* Landing pads and double traps of S, on and off: FWFT 1 and 3. Double traps not from within a handler: what becomes of an SDT
   that was saved while there was one is nobody's case. */
static void any_feature(struct fuzz *z, unsigned h)
{
    const uint64_t a[6] = {chance(z, 50) || z->r.o.hart[h].depth ? 1 : 3, below(z, 2), 0};
    park_others(z, h);
    rig_call(&z->r, h, 0x46574654, 0, a);
}

/* Some hart that is not stopped. */
static unsigned awake(struct fuzz *z)
{
    for (;;) {
        unsigned h = (unsigned)below(z, z->r.harts);
        if (!z->stopped[h])
            return h;
    }
}

/* Until no hart that is not stopped is in M: one may have begun to look at what another has sent. */
static void settle(struct fuzz *z)
{
    z->r.wait = UINT32_MAX;
    for (unsigned h = 0; h < z->r.harts; h++)
        for (unsigned n = 0; !z->stopped[h] && rig_get(&z->r, h, "priv") == 3; n++) {
            if (n == 100)
                fail_msg("hart %u stays in M", h);
            machine_run(z->r.m, 2000);
        }
}

static void start(struct fuzz *z, unsigned h)
{
    park_others(z, h);
    z->r.wait = awake(z);
    rig_start(&z->r, h);
    z->stopped[h] = false;
    rig_set(&z->r, h, "sie", 0);
    any_context(z, h);
}

/* A hart stops, in whatever handlers it is, or one that has stopped starts. At least one goes on. */
static void stop_or_start(struct fuzz *z)
{
    unsigned h = (unsigned)below(z, z->r.harts), stopped = 0;
    for (unsigned i = 0; i < z->r.harts; i++)
        stopped += z->stopped[i];
    if (z->stopped[h]) {
        start(z, h);
    } else if (stopped + 1 < z->r.harts) {
        park_others(z, h);
        z->stopped[h] = rig_stop(&z->r, h);
        z->stops += z->stopped[h];
    }
}

static void report(const struct fuzz *z, const char *bios, const char *cpu, uint64_t seed)
{
    char text[640];
    if (z->r.departures && !z->foreign) {
        sse_departure_text(&z->r.last, z->r.o.xlen, text, sizeof text);
        fail_msg("%s %s, %u harts, seed %llu, call %llu: %s %s", bios, cpu, z->r.harts, (unsigned long long)seed,
                 (unsigned long long)z->calls, sse_rule_name(z->r.last.rule), text);
    }
    print_message("%s %s, %u harts: %llu calls, %llu injections, %llu completions, %llu stops\n", bios, cpu, z->r.harts,
                  (unsigned long long)z->calls, (unsigned long long)z->r.o.injections, (unsigned long long)z->r.o.completions,
                  (unsigned long long)z->stops);
    for (unsigned i = 0; i < SSE_RULES; i++)
        if (z->r.by_rule[i])
            print_message("  %s %llu\n", sse_rule_name((enum sse_rule)i), (unsigned long long)z->r.by_rule[i]);
}

static void fuzz(const char *bios, const char *cpu, unsigned harts, uint64_t calls, uint64_t seed)
{
    static struct fuzz z;
    memset(&z, 0, sizeof z);
    z.foreign = getenv("TRAPLINE_SSE_FIRMWARE") != NULL;
    z.rng = seed;
    z.r.show = getenv("TRAPLINE_SSE_SHOW") != NULL;
    if (!rig_open(&z.r, bios, cpu, harts))
        fail_msg("%s does not boot", bios);
    z.r.may_die = z.foreign;
    for (unsigned h = 0; h < harts; h++)
        if (rig_get(&z.r, h, "priv") == 3)
            rig_start(&z.r, h);
    for (unsigned h = 0; h < harts; h++) { /* executable in U as well; interrupts of S stay off */
        rig_set(&z.r, h, "sie", 0);
        any_context(&z, h);
    }
    while (z.calls < calls && !z.r.died && (z.foreign || !z.r.departures)) {
        settle(&z);
        if (chance(&z, 1)) {
            stop_or_start(&z);
            if (!z.r.died)
                settle(&z);
        }
        if (z.r.died)
            break;
        unsigned h = awake(&z), what = (unsigned)below(&z, 100);
        if (chance(&z, 20) && !z.r.o.hart[h].depth)
            any_context(&z, h);
        if (what < 60)
            any_call(&z, h);
        else if (what < 80)
            complete(&z, h);
        else if (what < 98)
            any_interrupt(&z, h);
        else
            any_feature(&z, h);
    }
    report(&z, bios, cpu, seed);
    assert_true(z.r.died || (z.r.o.injections > calls / 50 && z.r.o.completions > calls / 50));
    rig_close(&z.r);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void no_departure_in_random_calls(void **state)
{
    (void)state;
    uint64_t calls = setting("TRAPLINE_SSE_CALLS", 30000), seed = setting("TRAPLINE_SSE_SEED", 1);
    const char *foreign = getenv("TRAPLINE_SSE_FIRMWARE");
    if (foreign) {
        fuzz(foreign, "rv64", 1, calls, seed);
        fuzz(foreign, "rv64", 2, calls, seed + 1);
        return;
    }
    fuzz(TL_SOURCE_DIR "/roms/sbi-maint.elf", "rv64", 1, calls, seed);
    fuzz(TL_SOURCE_DIR "/roms/sbi-maint.elf", "rv64", 2, calls, seed + 1);
    fuzz(TL_SOURCE_DIR "/roms/sbi-maint.elf", "rv64", 3, calls, seed + 4);
    fuzz(TL_SOURCE_DIR "/roms/sbi-maint-rv32.elf", "rv32", 1, calls, seed + 2);
    fuzz(TL_SOURCE_DIR "/roms/sbi-maint.elf", "rv64,h=off,zicfilp=off", 1, calls, seed + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_departure_in_random_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
