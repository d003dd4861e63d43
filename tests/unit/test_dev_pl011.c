/* The PL011 as drivers see it (DDI 0183). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

enum {
    DR = 0,
    RSR = 4,
    FR = 0x18,
    IBRD = 0x24,
    FBRD = 0x28,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44
};
enum { RX = 0x10, TX = 0x20, RT = 0x40, BE = 0x200, OE = 0x400 };
enum { RXFE = 0x10, RXFF = 0x40, TXFE = 0x80 };

static int setup(void **s)
{
    *s = fake_new("pl011", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static uint64_t in(struct fake *f, unsigned reg) { return fake_get(f, reg, 4); }
static void out(struct fake *f, unsigned reg, uint64_t v) { fake_set(f, reg, 4, v); }

static void a_written_byte_is_sent_at_once_by_any_width(void **s)
{
    struct fake *f = *s;
    out(f, DR, 'x');
    fake_set(f, DR, 2, 0x1200 | 'y');
    fake_set(f, DR, 1, 'z');
    assert_true(fake_sent(f, "xyz", 3));
    assert_int_equal(in(f, FR), TXFE | RXFE | 7);
}

static void the_transmit_interrupt_comes_with_a_byte_not_with_an_empty_fifo(void **s)
{
    struct fake *f = *s;
    out(f, IMSC, TX);
    assert_false(f->irq);
    assert_int_equal(in(f, RIS), 0);
    out(f, DR, 'x');
    assert_true(f->irq);
    assert_int_equal(in(f, MIS), TX);
    out(f, ICR, TX);
    assert_false(f->irq);
    out(f, DR, 'y');
    out(f, IMSC, 0);
    assert_false(f->irq);
    assert_int_equal(in(f, RIS), TX);
    assert_int_equal(in(f, MIS), 0);
}

static void without_fifos_one_byte_is_held_and_interrupts(void **s)
{
    struct fake *f = *s;
    out(f, IMSC, RX);
    assert_int_equal(fake_input(f, "ab", 2), 1);
    assert_true(f->irq);
    assert_int_equal(in(f, FR) & (RXFE | RXFF), RXFF);
    assert_int_equal(fake_input(f, "b", 1), 0);
    assert_int_equal(in(f, DR), 'a');
    assert_false(f->irq);
    assert_int_equal(in(f, FR) & (RXFE | RXFF), RXFE);
    assert_int_equal(in(f, DR), 0);
}

static void fifos_hold_sixteen_bytes_in_order(void **s)
{
    struct fake *f = *s;
    out(f, LCR_H, 0x70);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(fake_input(f, "0123456789abcdefXYZ", 19), 16);
        assert_int_equal(in(f, FR) & (RXFE | RXFF), RXFF);
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(in(f, DR), "0123456789abcdef"[i]);
    }
    fake_input(f, "lost", 4);
    out(f, LCR_H, 0x60); /* turning the FIFOs off empties them */
    assert_int_equal(in(f, FR) & RXFE, RXFE);
}

static void the_level_decides_when_received_data_interrupts(void **s)
{
    static const unsigned level[5] = {2, 4, 8, 12, 14};
    struct fake *f = *s;
    for (unsigned t = 0; t < 5; t++) {
        out(f, LCR_H, 0);
        out(f, LCR_H, 0x10);
        out(f, IFLS, t << 3);
        out(f, IMSC, RX);
        for (unsigned i = 1; i <= 16; i++) {
            fake_input(f, "z", 1);
            assert_int_equal(f->irq, i >= level[t]);
        }
        for (unsigned i = 16; i--;) {
            in(f, DR);
            assert_int_equal(f->irq, i >= level[t]);
        }
    }
}

static void bytes_below_the_level_interrupt_after_32_bit_periods(void **s)
{
    struct fake *f = *s;
    out(f, IBRD, 13);
    out(f, FBRD, 1); /* 24 MHz / (16 * 13.015625) = 115246 baud: 32 bits are 277666.7 ns */
    out(f, LCR_H, 0x70);
    out(f, IMSC, RT);
    fake_input(f, "ab", 2);
    fake_run(f, 277666);
    assert_false(f->irq);
    fake_run(f, 277667);
    assert_true(f->irq);
    assert_int_equal(in(f, MIS), RT);
    in(f, DR);
    assert_true(f->irq); /* one is left */
    in(f, DR);
    assert_false(f->irq);
    fake_run(f, 1000000);
    assert_false(f->irq);
    fake_input(f, "c", 1);
    fake_run(f, 1277667);
    assert_true(f->irq);
    out(f, ICR, RT);
    assert_false(f->irq);
}

static void loop_back_returns_bytes_breaks_and_modem_lines(void **s)
{
    struct fake *f = *s;
    out(f, CR, 0x381);
    assert_int_equal(in(f, FR) & 0x107, 0);
    out(f, ICR, 0x7ff);
    out(f, CR, 0x381 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13);
    assert_int_equal(in(f, FR) & 0x107, 0x107);
    assert_int_equal(in(f, RIS) & 15, 15);
    out(f, CR, 0x381 | 1 << 11); /* RTS alone is CTS alone */
    assert_int_equal(in(f, FR) & 0x107, 1);
    out(f, DR, 'q');
    assert_int_equal(f->out_len, 0);
    assert_int_equal(fake_input(f, "x", 1), 0);
    assert_int_equal(in(f, DR), 'q');
    out(f, LCR_H, 1);
    assert_int_equal(in(f, RIS) & BE, BE);
    assert_int_equal(in(f, DR), 0x400);
    assert_int_equal(in(f, RSR), 4);
    out(f, RSR, 0);
    assert_int_equal(in(f, RSR), 0);
}

static void an_overrun_loses_the_new_byte_and_is_told(void **s)
{
    struct fake *f = *s;
    out(f, CR, 0x380);
    out(f, DR, 'a');
    assert_int_equal(in(f, RIS) & OE, 0);
    out(f, DR, 'b');
    assert_int_equal(in(f, RIS) & OE, OE);
    assert_int_equal(in(f, DR), 'a');
    out(f, DR, 'c');
    assert_int_equal(in(f, DR), 0x800 | 'c');
    assert_int_equal(in(f, RSR), 8);
}

static void identification_is_that_of_a_pl011(void **s)
{
    static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(in(*s, 0xfe0 + 4 * i), id[i]);
    assert_int_equal(in(*s, CR), 0x300);
    assert_int_equal(in(*s, IFLS), 0x12);
    assert_true(fake_read_faults(*s, 0x1000, 4));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_written_byte_is_sent_at_once_by_any_width),
        T(the_transmit_interrupt_comes_with_a_byte_not_with_an_empty_fifo),
        T(without_fifos_one_byte_is_held_and_interrupts),
        T(fifos_hold_sixteen_bytes_in_order),
        T(the_level_decides_when_received_data_interrupts),
        T(bytes_below_the_level_interrupt_after_32_bit_periods),
        T(loop_back_returns_bytes_breaks_and_modem_lines),
        T(an_overrun_loses_the_new_byte_and_is_told),
        T(identification_is_that_of_a_pl011),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
