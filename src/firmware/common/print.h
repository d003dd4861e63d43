/* Printing for bundled guest code: a 16550 at 0x10000000, no state, any privilege mode that may reach it. */
#ifndef FIRMWARE_COMMON_PRINT_H
#define FIRMWARE_COMMON_PRINT_H

static inline void put_char(char c) { *(volatile unsigned char *)0x10000000ul = (unsigned char)c; }

static inline void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

/* v in hexadecimal, without leading zeros. */
static inline void put_hex(unsigned long v)
{
    int shift = (int)sizeof v * 8 - 4;
    put_text("0x");
    while (shift > 0 && !(v >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[v >> shift & 15]);
}

static inline void put_value(const char *name, unsigned long v)
{
    put_text(name);
    put_hex(v);
}
#endif
