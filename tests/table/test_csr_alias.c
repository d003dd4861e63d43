/* Registers that show parts of others, compared after every step of a random walk through writes. */
#include "csr_world.h"

static void same(struct world *w, unsigned num, uint64_t is, uint64_t want)
{
    if (is != want)
        fail_msg("%s: %#llx, not %#llx", about(w, num), (unsigned long long)is, (unsigned long long)want);
}

static void interrupts(struct world *w)
{
    uint64_t mip = get(w, M, 0x344), mie = get(w, M, 0x304), hs = get(w, M, 0x303) & 0x2222;
    same(w, 0x144, get(w, M, 0x144), mip & hs);
    same(w, 0x104, get(w, M, 0x104), mie & hs);
    if (!on(w, EXT_H))
        return;
    uint64_t hideleg = get(w, M, 0x603), vs = (hideleg & 0x444) >> 1;
    uint64_t lcofi = hideleg & 0x2000;
    same(w, 0x644, get(w, M, 0x644), mip & 0x1444);
    same(w, 0x604, get(w, M, 0x604), mie & 0x1444);
    same(w, 0x244, get(w, M, 0x244), ((mip >> 1) & vs) | (get(w, M, 0x144) & lcofi));
    same(w, 0x204, get(w, M, 0x204), ((mie >> 1) & vs) | (get(w, M, 0x104) & lcofi));
    same(w, 0x645, get(w, M, 0x645) & 4, mip & 4);
    same(w, 0x645, get(w, M, 0x645) & 0x440 & ~mip, 0); /* hvip sets bits of hip */
    /* mip as a whole: stored bits, hvip, lines, guest external interrupts. */
    uint64_t vgein = w->r.hstatus >> 12 & 63, gei = w->cfg.geilen;
    uint64_t hgeip = w->hgeip & (gei ? UINT64_MAX >> (63 - gei) & ~UINT64_C(1) : 0);
    same(w, 0xe12, get(w, M, 0xe12), hgeip & ones(w));
    same(w, 0x344, mip >> 12 & 1, gei && (hgeip & w->r.hgeie));
    if (!(w->lines & 0x400))
        same(w, 0x344, mip >> 10 & 1, (w->r.hvip >> 10 & 1) || (vgein && (hgeip >> vgein & 1)));
}

static void substitution(struct world *w)
{
    static const uint16_t nums[] = {0x100, 0x104, 0x105, 0x140, 0x141, 0x142, 0x143, 0x144, 0x14d, 0x15d, 0x150, 0x180};
    for (unsigned i = 0; i < sizeof nums / sizeof nums[0]; i++) {
        same(w, nums[i], get(w, VS, nums[i]), get(w, M, nums[i] + 0x100u));
        same(w, nums[i], get(w, S, nums[i]), get(w, M, nums[i]));
    }
    same(w, 0x10a, get(w, VS, 0x10a) | 8, get(w, M, 0x10a) | 8); /* no partner: senvcfg, scounteren */
    same(w, 0x106, get(w, VS, 0x106), get(w, M, 0x106));
    same(w, 0xc01, get(w, VS, 0xc01), (w->time + w->r.htimedelta) & ones(w));
}

static void status(struct world *w)
{
    bool rv32 = w->cfg.xlen == 32;
    uint64_t mstatus = get(w, M, 0x300), sd = rv32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    uint64_t view = 0x18de762 | sd | (rv32 ? 0 : UINT64_C(3) << 32);
    same(w, 0x100, get(w, M, 0x100), mstatus & view);
    same(w, 0x300, !!(mstatus & sd), (mstatus >> 13 & 3) == 3);
    if (!rv32)
        same(w, 0x300, mstatus >> 32 & 15, 10);
}

static void halves(struct world *w)
{
    static const struct {
        uint16_t low, high;
    } pairs[] = {
        {0x300, 0x310}, {0x302, 0x312}, {0x30a, 0x31a}, {0x30c, 0x31c}, {0x321, 0x721},
        {0x323, 0x723}, {0x747, 0x757}, {0x14d, 0x15d}, {0x605, 0x615}, {0x60a, 0x61a},
        {0xb00, 0xb80}, {0xb05, 0xb85}, {0xc00, 0xc80}, {0xc05, 0xc85}, {0x24d, 0x25d},
    };
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const struct csr_row *low = csr_row_by_num(pairs[i].low), *high = csr_row_by_num(pairs[i].high);
        assert_true(high->high && !low->high && high->fields == low->fields);
        if (w->cfg.xlen == 32)
            assert_true(get(w, M, pairs[i].low) <= UINT32_MAX && get(w, M, pairs[i].high) <= UINT32_MAX);
        else
            assert_false(csr_exists(w->map, pairs[i].high));
    }
    if (w->cfg.xlen == 32) {
        same(w, 0x15d, get(w, M, 0x15d) << 32 | get(w, M, 0x14d), w->r.stimecmp);
        same(w, 0x31a, get(w, M, 0x31a) << 32 | get(w, M, 0x30a), w->r.menvcfg);
        same(w, 0xb85, get(w, M, 0xb85) << 32 | get(w, M, 0xb05), w->counter[5]);
    }
}

static void counters(struct world *w)
{
    same(w, 0xc00, get(w, M, 0xc00), w->counter[0] & ones(w));
    same(w, 0xc02, get(w, M, 0xc02), w->counter[2] & ones(w));
    for (unsigned n = 3; n < 32; n++)
        same(w, 0xc00 + n, get(w, M, 0xc00 + n), get(w, M, 0xb00 + n));
    same(w, 0xc01, get(w, M, 0xc01), w->time & ones(w));
    same(w, 0x120, get(w, M, 0x120), w->r.mcountinhibit & w->r.mcounteren);
    same(w, 0x003, get(w, M, 0x003), get(w, M, 0x002) << 5 | get(w, M, 0x001));
    uint64_t ovf = 0;
    for (unsigned n = 3; n < 32; n++)
        ovf |= (w->cfg.xlen == 32 ? get(w, M, 0x720 + n) >> 31 : get(w, M, 0x320 + n) >> 63) << n;
    same(w, 0xda0, get(w, M, 0xda0), ovf);
    same(w, 0xda0, get(w, S, 0xda0), ovf & w->r.mcounteren);
    same(w, 0xda0, get(w, VS, 0xda0), ovf & w->r.mcounteren & w->r.hcounteren);
}

static void stateens(struct world *w)
{
    for (unsigned n = 0; n < 4; n++) {
        same(w, 0x60c + n, get(w, M, 0x60c + n) & ~get(w, M, 0x30c + n), 0);
        same(w, 0x10c + n, get(w, M, 0x10c + n), 0);
    }
}

static void walk(const char *cfg, uint64_t seed)
{
    struct world w;
    uint64_t rng = seed;
    world_new(&w, cfg);
    for (unsigned i = 0; i < 30000; i++) {
        unsigned num = (unsigned)rng_below(&rng, 4096), mode = rng_below(&rng, 3) || !on(&w, EXT_H) ? M : VS;
        if (!csr_exists(w.map, num) || num == 0x015)
            continue;
        put(&w, mode, num, rng_below(&rng, 3) ? rng_next(&rng) : UINT64_MAX);
        w.time = rng_next(&rng);
        w.lines = rng_next(&rng) & 0xaaa & (w.r.menvcfg >> 63 ? 0xfff : 0xfdf);
        w.hgeip = rng_next(&rng) & rng_next(&rng) & rng_next(&rng) & (w.cfg.geilen ? UINT64_MAX >> (63 - w.cfg.geilen) : 0);
        interrupts(&w);
        status(&w);
        halves(&w);
        counters(&w);
        if (on(&w, EXT_H)) {
            substitution(&w);
            stateens(&w);
        }
    }
    world_end(&w);
}

static void views_show_what_they_alias_on_rv64(void **state)
{
    (void)state;
    walk("rv64", 1);
    walk("rv64,geilen=63", 2);
    walk("rv64,h=off", 3);
}

static void views_show_what_they_alias_on_rv32(void **state)
{
    (void)state;
    walk("rv32", 4);
    walk("rv32,h=off", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_show_what_they_alias_on_rv64),
        cmocka_unit_test(views_show_what_they_alias_on_rv32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
