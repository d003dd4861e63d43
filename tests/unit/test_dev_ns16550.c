/* The UART as drivers see it (PC16550D data sheet). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

enum { RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

static int setup(void **s)
{
    *s = fake_new("ns16550", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static uint64_t in(struct fake *f, unsigned reg) { return fake_get(f, reg, 1); }
static void out(struct fake *f, unsigned reg, uint64_t v) { fake_set(f, reg, 1, v); }

static void a_written_byte_is_sent_at_once(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, LSR), 0x60);
    out(f, THR, 'x');
    fake_set(f, THR, 4, 'y');
    assert_true(fake_sent(f, "xy", 2));
    assert_int_equal(in(f, LSR), 0x60);
}

static void transmitter_empty_interrupts_when_enabled_and_after_each_byte(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, IIR), 1);
    out(f, IER, 2);
    assert_true(f->irq);
    assert_int_equal(in(f, IIR), 2); /* and this read answers it */
    assert_false(f->irq);
    assert_int_equal(in(f, IIR), 1);
    out(f, IER, 2); /* it was on already: no new interrupt */
    assert_false(f->irq);
    out(f, THR, 'a');
    assert_true(f->irq);
    out(f, IER, 0);
    assert_false(f->irq);
    out(f, IER, 2);
    assert_true(f->irq);
}

static void reading_iir_answers_only_the_source_it_reports(void **s)
{
    struct fake *f = *s;
    fake_input(f, "k", 1);
    out(f, IER, 3);
    assert_int_equal(in(f, IIR), 4); /* received data goes first */
    assert_int_equal(in(f, IIR), 4);
    assert_int_equal(in(f, RBR), 'k');
    assert_int_equal(in(f, IIR), 2); /* and the transmitter's is still there */
    assert_int_equal(in(f, IIR), 1);
}

static void without_fifos_one_byte_is_held(void **s)
{
    struct fake *f = *s;
    assert_int_equal(fake_input(f, "ab", 2), 1);
    assert_int_equal(in(f, LSR), 0x61);
    assert_int_equal(fake_input(f, "b", 1), 0);
    assert_int_equal(in(f, RBR), 'a');
    assert_int_equal(in(f, LSR), 0x60);
    assert_int_equal(in(f, RBR), 0);
}

static void fifos_hold_sixteen_bytes_in_order(void **s)
{
    struct fake *f = *s;
    out(f, FCR, 1);
    assert_int_equal(in(f, IIR), 0xc1);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(fake_input(f, "0123456789abcdefXYZ", 19), 16);
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(in(f, RBR), "0123456789abcdef"[i]);
        assert_int_equal(in(f, LSR) & 1, 0);
    }
}

static void the_trigger_level_decides_when_received_data_interrupts(void **s)
{
    static const unsigned level[4] = {1, 4, 8, 14};
    struct fake *f = *s;
    for (unsigned t = 0; t < 4; t++) {
        out(f, FCR, 0);
        out(f, FCR, t << 6 | 1);
        out(f, IER, 1);
        for (unsigned i = 1; i <= 16; i++) {
            fake_input(f, "z", 1);
            assert_int_equal(f->irq, i >= level[t]);
            assert_int_equal(in(f, IIR), i >= level[t] ? 0xc4 : 0xc1);
        }
        while (in(f, LSR) & 1)
            in(f, RBR);
        assert_false(f->irq);
    }
}

static void bytes_below_the_trigger_interrupt_after_four_character_times(void **s)
{
    struct fake *f = *s;
    out(f, LCR, 0x83);
    out(f, DLL, 2); /* 115200 baud, 8N1: four characters are 40 bits, 347222.2 ns */
    out(f, DLM, 0);
    out(f, LCR, 0x03);
    out(f, FCR, 0xc1);
    out(f, IER, 1);
    fake_input(f, "ab", 2);
    fake_run(f, 347222);
    assert_false(f->irq);
    fake_run(f, 347223);
    assert_true(f->irq);
    assert_int_equal(in(f, IIR), 0xcc);
    assert_int_equal(in(f, RBR), 'a'); /* answers it and starts the time again */
    assert_false(f->irq);
    fake_run(f, 2 * 347223 - 1);
    assert_false(f->irq);
    fake_run(f, 2 * 347223);
    assert_true(f->irq);
    assert_int_equal(in(f, RBR), 'b');
    fake_run(f, 10 * 347223);
    assert_int_equal(in(f, IIR), 0xc1);
}

static void clearing_the_receive_fifo_forgets_bytes_and_timeout(void **s)
{
    struct fake *f = *s;
    out(f, FCR, 0x81);
    out(f, IER, 1);
    fake_input(f, "abc", 3);
    fake_run(f, 100000000);
    assert_true(f->irq);
    out(f, FCR, 0x02); /* without bit 0 the others do not count, but turning the FIFOs off clears them */
    assert_false(f->irq);
    assert_int_equal(in(f, LSR) & 1, 0);
    out(f, FCR, 0x01);
    fake_input(f, "abc", 3);
    out(f, FCR, 0x03);
    assert_int_equal(in(f, LSR) & 1, 0);
    fake_input(f, "d", 1);
    assert_int_equal(in(f, RBR), 'd');
}

static void loop_mode_returns_bytes_and_modem_lines(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, MSR), 0xb0);
    out(f, MCR, 0x1a); /* loop, OUT2, RTS: what the Linux driver probes with */
    assert_int_equal(in(f, MSR) & 0xf0, 0x90);
    out(f, THR, 'L');
    assert_int_equal(f->out_len, 0);
    assert_int_equal(in(f, LSR), 0x61);
    assert_int_equal(in(f, RBR), 'L');
    assert_int_equal(fake_input(f, "x", 1), 0); /* the pin is cut off */
    out(f, MCR, 0x00);
    assert_int_equal(fake_input(f, "x", 1), 1);
}

static void modem_changes_interrupt_until_msr_is_read(void **s)
{
    struct fake *f = *s;
    out(f, IER, 8);
    assert_false(f->irq);
    out(f, MCR, 0x14); /* loop with OUT1: RI rises, CTS, DSR, DCD fall */
    assert_true(f->irq);
    assert_int_equal(in(f, IIR), 0);
    assert_int_equal(in(f, MSR), 0x4b);
    assert_false(f->irq);
    assert_int_equal(in(f, MSR), 0x40);
    out(f, MCR, 0x10);
    assert_int_equal(in(f, MSR), 0x04); /* RI ended */
}

static void an_overrun_is_reported_once_and_first(void **s)
{
    struct fake *f = *s;
    out(f, MCR, 0x10);
    out(f, IER, 5);
    out(f, THR, 'a');
    out(f, THR, 'b');
    assert_int_equal(in(f, IIR), 6);
    assert_int_equal(in(f, LSR), 0x63);
    assert_int_equal(in(f, LSR), 0x61);
    assert_int_equal(in(f, IIR), 4);
    assert_int_equal(in(f, RBR), 'b'); /* without FIFOs the newer byte wins */
    out(f, FCR, 1);
    for (unsigned i = 0; i < 17; i++)
        out(f, THR, 'A' + i);
    assert_int_equal(in(f, LSR) & 2, 2);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(in(f, RBR), 'A' + i); /* with FIFOs it is lost */
    assert_int_equal(in(f, LSR) & 1, 0);
}

static void registers_keep_what_exists_of_them(void **s)
{
    struct fake *f = *s;
    out(f, IER, 0xff);
    assert_int_equal(in(f, IER), 0x0f);
    out(f, MCR, 0xff);
    assert_int_equal(in(f, MCR), 0x1f);
    out(f, SCR, 0xa5);
    assert_int_equal(in(f, SCR), 0xa5);
    out(f, LCR, 0x80);
    out(f, DLL, 0x12);
    out(f, DLM, 0x34);
    assert_int_equal(in(f, DLL), 0x12);
    assert_int_equal(in(f, DLM), 0x34);
    out(f, LCR, 0x00);
    assert_int_equal(in(f, IER), 0x0f);
    assert_int_equal(f->out_len, 0);
    assert_true(fake_read_faults(f, 8, 1));
    assert_true(fake_write_faults(f, 0xff, 1, 0));
    assert_true(fake_valid(f));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_written_byte_is_sent_at_once),
        T(transmitter_empty_interrupts_when_enabled_and_after_each_byte),
        T(reading_iir_answers_only_the_source_it_reports),
        T(without_fifos_one_byte_is_held),
        T(fifos_hold_sixteen_bytes_in_order),
        T(the_trigger_level_decides_when_received_data_interrupts),
        T(bytes_below_the_trigger_interrupt_after_four_character_times),
        T(clearing_the_receive_fifo_forgets_bytes_and_timeout),
        T(loop_mode_returns_bytes_and_modem_lines),
        T(modem_changes_interrupt_until_msr_is_read),
        T(an_overrun_is_reported_once_and_first),
        T(registers_keep_what_exists_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
