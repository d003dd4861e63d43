/* Printing by the firmware's debug console (SBI v3.0 chapter DBCN), or a 16550 where there is none; and the end of a run. */
#include "riscv/common/payload.h"

volatile struct verdict verdict = {.magic = VERDICT_MAGIC};

#define UART     ((volatile unsigned char *)0x10000000ul)
#define FINISHER ((volatile uint *)FINISHER_ADDRESS)

static void put_char(char c)
{
    enum { WRITE_BYTE = 2 };
    static uint no_dbcn;
    if (!no_dbcn && sbi(EID_DBCN, WRITE_BYTE, (unsigned char)c, 0, 0, 0, 0).error != SBI_SUCCESS)
        no_dbcn = 1;
    if (no_dbcn)
        *UART = (unsigned char)c;
}

void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

void put_hex(ulong v)
{
    int shift = (int)sizeof v * 8 - 4;
    put_text("0x");
    while (shift > 0 && !(v >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[v >> shift & 15]);
}

void put_decimal(ulong v)
{
    char text[24];
    char *p = text + sizeof text;
    *--p = 0;
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    put_text(p);
}

void put_value(const char *name, ulong v)
{
    put_char(' ');
    put_text(name);
    put_char('=');
    put_hex(v);
}

void mismatch(const char *what, ulong got, ulong expected)
{
    verdict.mismatches++;
    put_text("  wrong: ");
    put_text(what);
    put_value("got", got);
    put_value("expected", expected);
    put_char('\n');
}

void put_report_end(void)
{
    if (config.pmu) {
        put_decimal(handler_slot.word[SLOT_COUNT]);
        put_text(" counter overflows, ");
    }
    put_decimal(verdict.mismatches);
    put_text(" mismatches\n");
}

_Noreturn void finish(uint code)
{
    if (!code)
        sbi(EID_SRST, 0, 0, 0, 0, 0, 0); /* shutdown, no reason */
    for (;;)
        *FINISHER = code ? code << 16 | 0x3333 : 0x5555;
}

_Noreturn void finish_with(uint code, const char *sentence, const char *what)
{
    put_text(sentence);
    put_text(what);
    put_char('\n');
    finish(code);
}
