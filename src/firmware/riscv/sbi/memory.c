/* What the compiler calls by itself. */
#include "fw.h"

void *memset(void *to, int c, ulong n)
{
    for (volatile u8 *p = to; n; n--)
        *p++ = (u8)c;
    return to;
}

void *memcpy(void *to, const void *from, ulong n)
{
    const u8 *q = from;
    for (volatile u8 *p = to; n; n--)
        *p++ = *q++;
    return to;
}
