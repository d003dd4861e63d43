/* The GICv3's distributor and redistributors (IHI 0069H): what registers hold, who sees it, and what the CPU interfaces are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"
#include "mem/gic.h"

enum { GICD = 0, GICR = 0xa0000, STRIDE = 0x20000, SGI = 0x10000 };
enum {
    CTLR = 0,
    TYPER = 4,
    IGROUPR = 0x80,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ICFGR = 0xc00,
    IGRPMODR = 0xd00,
    NSACR = 0xe00,
    INMIR = 0xf80,
    IROUTER = 0x6000,
    WAKER = 0x14
};
enum { PES = 4, SPI = 40 };

static uint64_t in(struct fake *f, uint64_t off) { return fake_get(f, off, 4); }
static void out(struct fake *f, uint64_t off, uint64_t v) { fake_set(f, off, 4, v); }
static uint64_t redist(unsigned n, uint64_t off) { return GICR + n * STRIDE + off; }
static uint64_t sgi_base(unsigned n, uint64_t off) { return redist(n, SGI + off); }
static void call(struct fake *f, unsigned n, unsigned what, uint64_t value) { f->d.ops->hart_call(&f->d, n, what, value); }
static void line(struct fake *f, unsigned intid, bool level) { f->d.ops->line(&f->d, intid, level); }
static uint64_t bit(unsigned intid) { return UINT64_C(1) << intid % 32; }
static uint64_t word(uint64_t reg, unsigned intid) { return reg + intid / 32 * 4; }

/* All PEs awake, groups on, everything in group 1. */
static struct fake *ready(void)
{
    struct fake *f = fake_new("gicv3", PES, 0);
    out(f, CTLR, 3);
    for (unsigned n = 0; n < PES; n++) {
        out(f, redist(n, WAKER), 0);
        out(f, sgi_base(n, IGROUPR), UINT32_MAX);
        call(f, n, GIC_ENABLES, 7);
    }
    for (unsigned w = 1; w < 9; w++)
        out(f, IGROUPR + 4 * w, UINT32_MAX);
    return f;
}

static int setup(void **s)
{
    *s = ready();
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void spi_on(struct fake *f, unsigned intid, uint8_t priority, unsigned pe)
{
    fake_set(f, IPRIORITYR + intid, 1, priority);
    fake_set(f, IROUTER + 8 * intid, 8, pe);
    out(f, word(ISENABLER, intid), bit(intid));
}

static void expect(struct fake *f, unsigned pe, unsigned intid, uint8_t priority)
{
    assert_int_equal(f->signal[pe], GIC_PENDING(intid, priority, GIC_G1NS));
}

static void a_level_is_pending_while_it_lasts(void **s)
{
    struct fake *f = *s;
    spi_on(f, SPI, 0x80, 2);
    line(f, SPI, true);
    expect(f, 2, SPI, 0x80);
    assert_int_equal(f->signal[0] | f->signal[1] | f->signal[3], 0);
    assert_int_equal(in(f, word(ISPENDR, SPI)), bit(SPI));
    out(f, word(ICPENDR, SPI), bit(SPI)); /* does not end a level */
    expect(f, 2, SPI, 0x80);
    line(f, SPI, false);
    assert_int_equal(f->signal[2], 0);
    assert_int_equal(in(f, word(ISPENDR, SPI)), 0);
}

static void an_edge_is_latched_and_taken_once(void **s)
{
    struct fake *f = *s;
    spi_on(f, SPI, 0x80, 1);
    out(f, ICFGR + SPI / 16 * 4, UINT64_C(2) << 2 * (SPI % 16));
    line(f, SPI, true);
    line(f, SPI, false);
    expect(f, 1, SPI, 0x80);
    call(f, 1, GIC_ACTIVATE, SPI);
    assert_int_equal(f->signal[1], 0);
    assert_int_equal(in(f, word(ISPENDR, SPI)), 0);
    assert_int_equal(in(f, word(ISACTIVER, SPI)), bit(SPI));
    line(f, SPI, true); /* active and pending: not sent */
    assert_int_equal(f->signal[1], 0);
    call(f, 1, GIC_DEACTIVATE, SPI);
    expect(f, 1, SPI, 0x80);
    call(f, 1, GIC_ACTIVATE, SPI);
    call(f, 1, GIC_DEACTIVATE, SPI);
    assert_int_equal(f->signal[1], 0); /* the line is high still, but there was no edge */
}

static void an_active_level_comes_back_after_its_deactivation(void **s)
{
    struct fake *f = *s;
    spi_on(f, SPI, 0x80, 0);
    line(f, SPI, true);
    call(f, 0, GIC_ACTIVATE, SPI);
    assert_int_equal(f->signal[0], 0);
    assert_int_equal(in(f, word(ISPENDR, SPI)), bit(SPI));
    call(f, 0, GIC_DEACTIVATE, SPI);
    expect(f, 0, SPI, 0x80);
    out(f, word(ISACTIVER, SPI), bit(SPI));
    assert_int_equal(f->signal[0], 0);
    out(f, word(ICACTIVER, SPI), bit(SPI));
    expect(f, 0, SPI, 0x80);
}

static void the_lowest_priority_number_is_first_then_the_lowest_intid(void **s)
{
    struct fake *f = *s;
    spi_on(f, 50, 0x60, 0);
    spi_on(f, 60, 0x60, 0);
    spi_on(f, 280, 0x58, 0);
    line(f, 60, true);
    expect(f, 0, 60, 0x60);
    line(f, 50, true);
    expect(f, 0, 50, 0x60);
    line(f, 280, true);
    expect(f, 0, 280, 0x58);
    fake_set(f, IPRIORITYR + 280, 1, 0x67); /* 3 bits of it are not there */
    expect(f, 0, 50, 0x60);
    assert_int_equal(fake_get(f, IPRIORITYR + 280, 1), 0x60);
    out(f, word(ICENABLER, 50), bit(50));
    expect(f, 0, 60, 0x60);
}

static void private_interrupts_are_each_pes_own(void **s)
{
    struct fake *f = *s;
    out(f, sgi_base(1, ISENABLER), bit(27) | bit(30));
    call(f, 1, GIC_PPI, 27 | UINT64_C(1) << 32);
    expect(f, 1, 27, 0);
    assert_int_equal(f->signal[0], 0);
    assert_int_equal(in(f, sgi_base(1, ISPENDR)), bit(27));
    assert_int_equal(in(f, sgi_base(0, ISPENDR)), 0);
    assert_int_equal(in(f, ISPENDR), 0); /* the distributor's word 0 is nobody's */
    call(f, 1, GIC_PPI, 27);
    assert_int_equal(f->signal[1], 0);
    call(f, 1, GIC_PPI, 40 | UINT64_C(1) << 32); /* no PPI */
    assert_int_equal(f->signal[1], 0);
}

static void sgis_reach_whom_they_name(void **s)
{
    struct fake *f = *s;
    const uint64_t group = (uint64_t)GIC_G1NS << 60;
    for (unsigned n = 0; n < PES; n++)
        out(f, sgi_base(n, ISENABLER), 0xffff);
    call(f, 0, GIC_SGI, group | UINT64_C(5) << 24 | 0x6); /* to 1 and 2 */
    expect(f, 1, 5, 0);
    expect(f, 2, 5, 0);
    assert_int_equal(f->signal[0] | f->signal[3], 0);
    call(f, 1, GIC_ACTIVATE, 5);
    call(f, 1, GIC_DEACTIVATE, 5);
    assert_int_equal(f->signal[1], 0);
    call(f, 2, GIC_SGI, group | UINT64_C(1) << 40 | UINT64_C(4) << 24); /* to all others */
    expect(f, 0, 4, 0);
    expect(f, 1, 4, 0);
    expect(f, 2, 5, 0);
    expect(f, 3, 4, 0);
    call(f, 3, GIC_ACTIVATE, 4);
    call(f, 3, GIC_DEACTIVATE, 4);
    call(f, 0, GIC_SGI, group | UINT64_C(1) << 16 | UINT64_C(3) << 24 | 0x8); /* another cluster */
    call(f, 0, GIC_SGI, group | UINT64_C(1) << 44 | UINT64_C(3) << 24 | 0x8); /* another range */
    call(f, 0, GIC_SGI, (uint64_t)GIC_G0 << 60 | UINT64_C(3) << 24 | 0x8);    /* it is not in group 0 */
    assert_int_equal(f->signal[3], 0);
}

static void every_gate_on_the_way_holds_it_back(void **s)
{
    struct fake *f = *s;
    spi_on(f, SPI, 0x80, 0);
    line(f, SPI, true);
    expect(f, 0, SPI, 0x80);
    out(f, CTLR, 1);
    assert_int_equal(f->signal[0], 0);
    out(f, CTLR, 2);
    expect(f, 0, SPI, 0x80);
    call(f, 0, GIC_ENABLES, 1 << GIC_G0);
    assert_int_equal(f->signal[0], 0);
    call(f, 0, GIC_ENABLES, 1 << GIC_G1NS);
    expect(f, 0, SPI, 0x80);
    out(f, redist(0, WAKER), 2);
    assert_int_equal(in(f, redist(0, WAKER)), 6);
    assert_int_equal(f->signal[0], 0);
    out(f, redist(0, WAKER), 0);
    expect(f, 0, SPI, 0x80);
    out(f, word(IGROUPR, SPI), 0);
    assert_int_equal(f->signal[0], 0);
    out(f, CTLR, 1);
    call(f, 0, GIC_ENABLES, 1 << GIC_G0);
    assert_int_equal(f->signal[0], GIC_PENDING(SPI, 0x80, GIC_G0));
    fake_set(f, IROUTER + 8 * SPI, 8, 3);
    assert_int_equal(f->signal[0], 0);
}

static void a_disabled_group_does_not_hide_another(void **s)
{
    struct fake *f = *s;
    spi_on(f, 40, 0x10, 0);
    spi_on(f, 41, 0x90, 0);
    out(f, word(IGROUPR, 40), ~bit(40));
    line(f, 40, true);
    line(f, 41, true);
    call(f, 0, GIC_ENABLES, 1 << GIC_G1NS);
    expect(f, 0, 41, 0x90);
}

static void identification_and_sizes(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, TYPER), 8 | 1 << 17 | 15 << 19 | 1 << 24 | 1 << 25);
    assert_int_equal(in(f, CTLR), 3 | 1 << 4 | 1 << 6);
    assert_int_equal(in(f, 0xffe8), 0x3b);
    assert_int_equal(in(f, redist(2, 0xffe8)), 0x3b);
    for (unsigned n = 0; n < PES; n++)
        assert_int_equal(fake_get(f, redist(n, 8), 8), 1 | (uint64_t)(n == PES - 1) << 4 | (uint64_t)n << 8 | (uint64_t)n << 32);
    assert_true(fake_read_faults(f, redist(PES, 0), 4));
    assert_true(fake_write_faults(f, redist(7, SGI), 4, 0));
    assert_int_equal(in(f, sgi_base(0, ICFGR)), 0xaaaaaaaa);
    out(f, sgi_base(0, ICFGR), 0);
    assert_int_equal(in(f, sgi_base(0, ICFGR)), 0xaaaaaaaa);
    out(f, sgi_base(0, ICFGR + 4), 0x8);
    assert_int_equal(in(f, sgi_base(0, ICFGR + 4)), 0x8);
    out(f, sgi_base(0, ISENABLER + 4), UINT32_MAX); /* words 1 and up of a redistributor are not there */
    assert_int_equal(in(f, sgi_base(0, ISENABLER + 4)), 0);
    assert_true(fake_valid(f));
}

/* ---- two security states
 * ------------------------------------------------------------------------------------------------------------ */

static int secure_setup(void **s)
{
    struct fake *f = fake_new("gicv3", PES, 0);
    f->d.secure = true;
    f->d.ops->reset(&f->d);
    f->secure = true;
    out(f, CTLR, 7);
    for (unsigned n = 0; n < PES; n++) {
        out(f, redist(n, WAKER), 0);
        call(f, n, GIC_ENABLES, 7);
    }
    *s = f;
    return 0;
}

/* SPIs 40: Secure group 0, 41: Secure group 1, 42: Non-secure. */
static void three_groups(struct fake *f)
{
    f->secure = true;
    out(f, word(IGROUPR, 40), bit(42));
    out(f, word(IGRPMODR, 40), bit(41));
    for (unsigned i = 40; i < 43; i++)
        spi_on(f, i, 0xc0, 0);
}

static void groups_follow_from_both_registers(void **s)
{
    struct fake *f = *s;
    three_groups(f);
    line(f, 40, true);
    assert_int_equal(f->signal[0], GIC_PENDING(40, 0xc0, GIC_G0));
    line(f, 40, false);
    line(f, 41, true);
    assert_int_equal(f->signal[0], GIC_PENDING(41, 0xc0, GIC_G1S));
    line(f, 41, false);
    line(f, 42, true);
    assert_int_equal(f->signal[0], GIC_PENDING(42, 0xc0, GIC_G1NS));
    out(f, CTLR, 5);
    assert_int_equal(f->signal[0], 0);
}

static void the_non_secure_side_sees_its_own_only(void **s)
{
    struct fake *f = *s;
    three_groups(f);
    for (unsigned i = 40; i < 43; i++)
        line(f, i, true);
    assert_int_equal(in(f, word(ISPENDR, 40)), bit(40) | bit(41) | bit(42));
    f->secure = false;
    assert_int_equal(in(f, word(ISPENDR, 40)), bit(42));
    assert_int_equal(in(f, word(ISENABLER, 40)), bit(42));
    assert_int_equal(in(f, word(IGROUPR, 40)), 0);
    out(f, word(IGROUPR, 40), UINT32_MAX);
    out(f, word(ICENABLER, 40), UINT32_MAX);
    fake_set(f, IROUTER + 8 * 40, 8, 1);
    f->secure = true;
    assert_int_equal(in(f, word(IGROUPR, 40)), bit(42));
    assert_int_equal(in(f, word(ISENABLER, 40)), bit(40) | bit(41));
    assert_int_equal(fake_get(f, IROUTER + 8 * 40, 8), 0);
}

static void the_non_secure_side_has_half_of_the_priorities(void **s)
{
    struct fake *f = *s;
    three_groups(f);
    f->secure = false;
    assert_int_equal(fake_get(f, IPRIORITYR + 42, 1), 0x80);
    assert_int_equal(fake_get(f, IPRIORITYR + 41, 1), 0);
    fake_set(f, IPRIORITYR + 42, 1, 0x20);
    fake_set(f, IPRIORITYR + 41, 1, 0x20);
    f->secure = true;
    assert_int_equal(fake_get(f, IPRIORITYR + 42, 1), 0x90);
    assert_int_equal(fake_get(f, IPRIORITYR + 41, 1), 0xc0);
}

static void nsacr_grants_step_by_step(void **s)
{
    struct fake *f = *s;
    three_groups(f);
    const unsigned shift = 2 * (40 % 16);
    for (unsigned grant = 0; grant < 4; grant++) {
        f->secure = true;
        out(f, word(ICPENDR, 40), bit(40));
        out(f, NSACR + 40 / 16 * 4, (uint64_t)grant << shift);
        f->secure = false;
        out(f, word(ISPENDR, 40), bit(40));
        assert_int_equal(in(f, word(ISPENDR, 40)) & bit(40), grant >= 1 ? bit(40) : 0);
        out(f, word(ICPENDR, 40), bit(40));
        f->secure = true;
        assert_int_equal(in(f, word(ISPENDR, 40)) & bit(40), grant == 1 ? bit(40) : 0);
        f->secure = false;
        assert_int_equal(in(f, NSACR + 40 / 16 * 4), 0);
        fake_set(f, IROUTER + 8 * 40, 8, 2);
        f->secure = true;
        assert_int_equal(fake_get(f, IROUTER + 8 * 40, 8), grant == 3 ? 2 : 0);
    }
}

/* GICD_INMIR<n>: of group 1 only, and each side its own. */
static void non_maskable_ones_have_the_highest_priority_of_their_state(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, TYPER) >> 9 & 1, 0);
    three_groups(f);
    out(f, word(INMIR, 40), UINT32_MAX); /* the PEs know none */
    assert_int_equal(in(f, word(INMIR, 40)), 0);
    f->d.nmi = true;
    assert_int_equal(in(f, TYPER) >> 9 & 1, 1);
    f->secure = false;
    out(f, word(INMIR, 40), UINT32_MAX);
    assert_int_equal(in(f, word(INMIR, 40)), bit(42));
    f->secure = true;
    assert_int_equal(in(f, word(INMIR, 40)), bit(42));
    out(f, word(INMIR, 40), UINT32_MAX);
    assert_int_equal(in(f, word(INMIR, 40)), bit(41) | bit(42)); /* 40 is of group 0 */
    line(f, 40, true);
    line(f, 42, true);
    assert_int_equal(f->signal[0], GIC_PENDING(42, 0x80, GIC_G1NS) | GIC_PENDING_NMI);
    line(f, 41, true);
    assert_int_equal(f->signal[0], GIC_PENDING(41, 0, GIC_G1S) | GIC_PENDING_NMI);
    spi_on(f, 40, 0, 0); /* of the same priority, maskable */
    assert_int_equal(f->signal[0], GIC_PENDING(41, 0, GIC_G1S) | GIC_PENDING_NMI);
    call(f, 0, GIC_ACTIVATE, 41);
    assert_int_equal(f->signal[0], GIC_PENDING(40, 0, GIC_G0));
    out(f, sgi_base(0, IGROUPR), bit(27));
    out(f, sgi_base(0, INMIR), UINT32_MAX);
    assert_int_equal(in(f, sgi_base(0, INMIR)), bit(27));
    assert_int_equal(in(f, sgi_base(0, INMIR + 4)), 0);
    assert_true(fake_valid(f));
}

static void sgis_of_the_non_secure_side_need_a_grant(void **s)
{
    struct fake *f = *s;
    const uint64_t ns = UINT64_C(1) << 62, g0 = (uint64_t)GIC_G0 << 60, g1s = (uint64_t)GIC_G1S << 60,
                   g1ns = (uint64_t)GIC_G1NS << 60;
    const uint64_t to_1 = UINT64_C(3) << 24 | 2;
    out(f, sgi_base(1, ISENABLER), 0xffff);
    call(f, 0, GIC_SGI, ns | g0 | to_1); /* SGI 3 of PE 1 is in group 0 */
    call(f, 0, GIC_SGI, ns | g1ns | to_1);
    assert_int_equal(f->signal[1], 0);
    out(f, sgi_base(1, NSACR), 1 << 2 * 3);
    call(f, 0, GIC_SGI, ns | g0 | to_1);
    assert_int_equal(f->signal[1], GIC_PENDING(3, 0, GIC_G0));
    out(f, sgi_base(1, ICPENDR), 8);
    assert_int_equal(f->signal[1], 0);
    call(f, 0, GIC_SGI, g1s | to_1); /* group 0 may be asked for as secure group 1 */
    assert_int_equal(f->signal[1], GIC_PENDING(3, 0, GIC_G0));
    out(f, sgi_base(1, ICPENDR), 8);
    out(f, sgi_base(1, IGRPMODR), 8);
    call(f, 0, GIC_SGI, ns | g1s | to_1); /* needs a grant of 2 */
    assert_int_equal(f->signal[1], 0);
    out(f, sgi_base(1, NSACR), 2 << 2 * 3);
    call(f, 0, GIC_SGI, ns | g1s | to_1);
    assert_int_equal(f->signal[1], GIC_PENDING(3, 0, GIC_G1S));
}

static void deactivation_needs_the_right_to_it(void **s)
{
    struct fake *f = *s;
    const uint64_t ns = UINT64_C(1) << 62;
    three_groups(f);
    out(f, word(ISACTIVER, 40), bit(40) | bit(42));
    call(f, 0, GIC_DEACTIVATE, ns | 40);
    call(f, 0, GIC_DEACTIVATE, ns | 42);
    assert_int_equal(in(f, word(ISACTIVER, 40)), bit(40));
    out(f, NSACR + 40 / 16 * 4, UINT64_C(2) << 2 * (40 % 16));
    call(f, 0, GIC_DEACTIVATE, ns | 40);
    assert_int_equal(in(f, word(ISACTIVER, 40)), 0);
}

static void ctlr_has_a_view_for_each_side_and_ds_stays(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, CTLR), 0x37);
    assert_int_equal(in(f, TYPER) >> 10 & 1, 1);
    f->secure = false;
    assert_int_equal(in(f, CTLR), 0x12);
    out(f, CTLR, 0);
    assert_int_equal(in(f, redist(0, WAKER)), 0);
    out(f, redist(0, WAKER), 2);
    f->secure = true;
    assert_int_equal(in(f, CTLR), 0x35);
    assert_int_equal(in(f, redist(0, WAKER)), 0);
    assert_int_equal(f->signal_1[0] | f->signal_1[3], 0);
    out(f, CTLR, 0x40);
    assert_int_equal(f->signal_1[0] & f->signal_1[3], 1);
    out(f, CTLR, 3);
    assert_int_equal(in(f, CTLR), 0x53);
    assert_int_equal(in(f, TYPER) >> 10 & 1, 0);
    f->secure = false;
    out(f, word(IGROUPR, 40), 0x1234);
    assert_int_equal(in(f, word(IGROUPR, 40)), 0x1234);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define S(t) cmocka_unit_test_setup_teardown(t, secure_setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_level_is_pending_while_it_lasts),
        T(an_edge_is_latched_and_taken_once),
        T(an_active_level_comes_back_after_its_deactivation),
        T(the_lowest_priority_number_is_first_then_the_lowest_intid),
        T(private_interrupts_are_each_pes_own),
        T(sgis_reach_whom_they_name),
        T(every_gate_on_the_way_holds_it_back),
        T(a_disabled_group_does_not_hide_another),
        T(identification_and_sizes),
        S(groups_follow_from_both_registers),
        S(the_non_secure_side_sees_its_own_only),
        S(the_non_secure_side_has_half_of_the_priorities),
        S(nsacr_grants_step_by_step),
        S(non_maskable_ones_have_the_highest_priority_of_their_state),
        S(sgis_of_the_non_secure_side_need_a_grant),
        S(deactivation_needs_the_right_to_it),
        S(ctlr_has_a_view_for_each_side_and_ds_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
