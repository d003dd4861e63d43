/* Packets: $data#sum, } escapes, + and - acknowledge, 0x03 is Ctrl-C. GDB manual E.1 "Overview". */
#include "debug/gdb_internal.h"

#define ESCAPE 0x20

static enum gdb_event begin(struct gdb_link *l)
{
    l->state = LINK_BODY;
    l->sum = 0;
    l->too_long = false;
    l->in.len = 0;
    return GDB_NOTHING;
}

static void put(struct gdb_link *l, uint8_t c)
{
    if (l->in.len >= GDB_PACKET)
        l->too_long = true;
    else
        buf_put_u8(&l->in, c);
}

static enum gdb_event outside(struct gdb_link *l, uint8_t c)
{
    switch (c) {
    case '$': return begin(l);
    case '-': return l->out.len ? GDB_AGAIN : GDB_NOTHING;
    case 3: return GDB_INTERRUPT;
    default: return GDB_NOTHING; /* +, and noise of the line */
    }
}

static enum gdb_event complete(struct gdb_link *l, uint8_t c)
{
    int low = gdb_hex_digit((char)c);
    l->state = LINK_IDLE;
    if (low < 0 || l->want > 15 || l->too_long || (uint8_t)(l->want << 4 | low) != l->sum)
        return GDB_BAD;
    buf_put_u8(&l->in, 0);
    l->in.len--;
    return GDB_PACKET_IN;
}

enum gdb_event gdb_link_byte(struct gdb_link *l, uint8_t c)
{
    switch (l->state) {
    case LINK_IDLE: return outside(l, c);
    case LINK_SUM1: {
        int high = gdb_hex_digit((char)c);
        l->want = high < 0 ? 0xff : (uint8_t)high;
        l->state = LINK_SUM2;
        return GDB_NOTHING;
    }
    case LINK_SUM2: return complete(l, c);
    default: break;
    }
    if (c == '#') {
        l->state = LINK_SUM1;
        return GDB_NOTHING;
    }
    if (c == '$') /* the packet before broke off */
        return begin(l);
    l->sum = (uint8_t)(l->sum + c);
    if (l->state == LINK_ESCAPE) {
        put(l, c ^ ESCAPE);
        l->state = LINK_BODY;
    } else if (c == '}') {
        l->state = LINK_ESCAPE;
    } else {
        put(l, c);
    }
    return GDB_NOTHING;
}

void gdb_link_packet(struct gdb_link *l, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = p;
    uint8_t sum = 0;
    l->out.len = 0;
    buf_put_u8(&l->out, '$');
    for (size_t i = 0; i < n; i++) {
        uint8_t c = from[i];
        if (c == '#' || c == '$' || c == '}' || c == '*') {
            buf_put_u8(&l->out, '}');
            sum = (uint8_t)(sum + '}');
            c ^= ESCAPE;
        }
        buf_put_u8(&l->out, c);
        sum = (uint8_t)(sum + c);
    }
    buf_put_u8(&l->out, '#');
    buf_put_u8(&l->out, (uint8_t)digits[sum >> 4]);
    buf_put_u8(&l->out, (uint8_t)digits[sum & 15]);
}

void gdb_link_free(struct gdb_link *l)
{
    buf_free(&l->in);
    buf_free(&l->out);
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

int gdb_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool gdb_take_hex(const char **p, uint64_t *v)
{
    unsigned n = 0;
    *v = 0;
    while (gdb_hex_digit(**p) >= 0) {
        if (n++ == 16)
            return false;
        *v = *v << 4 | (uint64_t)gdb_hex_digit(*(*p)++);
    }
    return n;
}

bool gdb_take(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

bool gdb_take_bytes(const char **p, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int high = gdb_hex_digit((*p)[0]), low = high < 0 ? -1 : gdb_hex_digit((*p)[1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        *p += 2;
    }
    return true;
}

void gdb_put_hex(struct buf *b, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%02x", ((const uint8_t *)p)[i]);
}
