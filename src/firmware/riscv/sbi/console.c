/* The console: the board's 16550, and the SBI Debug Console extension (SBI v3.0, chapter DBCN). */
#include "fw.h"

enum { THR = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };
enum { LSR_DATA = 1 << 0, LSR_ROOM = 1 << 5 };

static bool room(void) { return MMIO8(UART + LSR) & LSR_ROOM; }

void console_init(void)
{
    MMIO8(UART + IER) = 0;
    MMIO8(UART + LCR) = 3; /* 8 bits, no parity, one stop bit */
    MMIO8(UART + FCR) = 1;
    MMIO8(UART + MCR) = 3;
}

void put_char(char c)
{
    while (!room())
        ;
    MMIO8(UART + THR) = (u8)c;
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

int get_char(void) { return MMIO8(UART + LSR) & LSR_DATA ? MMIO8(UART + THR) : -1; }

struct sbiret sbi_dbcn(struct hart *h, ulong fid, const ulong *a)
{
    ulong n = 0;
    (void)h;
    switch (fid) {
    case 0: /* write */
        if (!memory_ok(a[1], a[2], a[0]))
            return RET(SBI_ERR_INVALID_PARAM);
        for (const u8 *p = (const u8 *)a[1]; n < a[0] && room(); n++)
            MMIO8(UART + THR) = p[n];
        return RETURN(n);
    case 1: /* read */
        if (!memory_ok(a[1], a[2], a[0]))
            return RET(SBI_ERR_INVALID_PARAM);
        for (u8 *p = (u8 *)a[1]; n < a[0]; n++) {
            int c = get_char();
            if (c < 0)
                break;
            p[n] = (u8)c;
        }
        return RETURN(n);
    case 2: /* write byte */ put_char((char)a[0]); return RETURN(0);
    default: return RET(SBI_ERR_NOT_SUPPORTED);
    }
}
