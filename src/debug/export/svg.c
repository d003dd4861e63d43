/* One picture of the whole run: a lane for each mode of each hart, in columns of a pixel. It needs no script. */
#include "debug/export/page.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS 1200
#define LEFT    110
#define LANE    20
#define TOP     64
#define GAP     30 /* above each hart */

static void *begin(const struct timeline_info *i, struct buf *out)
{
    (void)out;
    return page_new(i);
}

static void item(void *ctx, const struct timeline_item *i, struct buf *out)
{
    (void)out;
    page_item(ctx, i);
}

/* Colours of Okabe and Ito, which people with any colour vision tell apart; by privilege, guests apart. */
static const char *class_of(const struct page *p, uint8_t mode)
{
    static const char *const levels[2][4] = {{"u", "vs", "h", "m"}, {"mark", "vu", "vu", "m"}};
    if (strstr(p->mode_name[mode], "EL"))
        return levels[mode >> 3][mode & 3];
    static const char *const name[2][4] = {{"u", "s", "h", "m"}, {"vu", "vs", "vh", "m"}};
    return name[mode >> 3][mode & 3];
}

static void style(struct buf *out)
{
    buf_printf(
        out,
        "<style>\n"
        "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#222}.dim{fill:#667}.line{stroke:#ccd;stroke-width:1}\n"
        ".m{fill:#d55e00}.s,.h{fill:#0072b2}.u{fill:#56b4e9}.vs,.vh{fill:#009e73}.vu{fill:#cc79a7}.mark{fill:#e69f00}\n"
        "@media(prefers-color-scheme:dark){svg{background:#15171c}text{fill:#e6e6e6}.dim{fill:#99a}.line{stroke:#334}"
        ".s,.h{fill:#4aa8e8}}\n"
        "</style>\n");
}

static void escaped(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p == '<' || *p == '>' || *p == '&' || *p == '"' || (unsigned char)*p < 0x20)
            buf_printf(out, "&#%u;", (unsigned char)*p < 0x20 ? 0xfffdu : (unsigned)*p);
        else
            buf_put_u8(out, (uint8_t)*p);
}

static void tell_stays(const struct page *p, const struct page_hart *h, uint8_t mode, uint64_t length, struct buf *out)
{
    const struct page_stays *s = &h->stays[mode];
    buf_printf(out, "%s: %" PRIu64 " stays, %.1f %% of the time, the longest %" PRIu64 " cycles from cycle %" PRIu64,
               p->mode_name[mode], s->count, 100.0 * (double)s->sum / (double)length, s->longest, s->at);
}

/* A lane: columns with the same share, in tenths, are one rectangle. */
static void lane(const struct page *p, const struct page_hart *h, uint8_t mode, const uint16_t *share, unsigned y,
                 uint64_t length, struct buf *out)
{
    buf_printf(out, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>\n<g class=\"%s\"><title>", LEFT - 8, y + 14,
               p->mode_name[mode], class_of(p, mode));
    tell_stays(p, h, mode, length, out);
    buf_printf(out, "</title>");
    for (unsigned x = 0; x < COLUMNS;) {
        unsigned from = x;
        while (x < COLUMNS && share[x] == share[from])
            x++;
        if (share[from])
            buf_printf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\"%s%.1f%s/>", LEFT + from, y + 2, x - from,
                       LANE - 4, " opacity=\"", 0.25 + 0.75 * share[from] / 10.0, "\"");
    }
    buf_printf(out, "</g>\n<line class=\"line\" x1=\"%d\" x2=\"%d\" y1=\"%u\" y2=\"%u\"/>\n", LEFT, LEFT + COLUMNS, y + LANE,
               y + LANE);
}

static void hart(const struct page *p, unsigned n, unsigned y, uint64_t length, struct buf *out)
{
    static const uint16_t none[COLUMNS];
    uint16_t share[TIMELINE_MODES][COLUMNS];
    const struct page_hart *h = &p->hart[n];
    uint8_t lanes[TIMELINE_MODES];
    unsigned count = page_lanes(h, lanes);
    size_t from = 0;
    memcpy(share[0], none, sizeof none);
    for (unsigned x = 0; x < COLUMNS; x++) {
        uint64_t in[TIMELINE_MODES], a = p->info.first + (uint64_t)((double)length * x / COLUMNS),
                                     b = p->info.first + (uint64_t)((double)length * (x + 1) / COLUMNS);
        page_shares(h, &from, a, b > a ? b : a + 1, in);
        for (unsigned m = 0; m < TIMELINE_MODES; m++)
            share[m][x] = (uint16_t)(in[m] ? 1 + 9 * in[m] / (b > a ? b - a : 1) : 0);
    }
    buf_printf(
        out,
        "<text x=\"12\" y=\"%u\" font-weight=\"bold\">hart %u</text><text class=\"dim\" x=\"%d\" y=\"%u\">%zu changes</text>\n",
        y - 6, n, LEFT, y - 6, h->changes);
    for (unsigned i = 0; i < count; i++)
        lane(p, h, lanes[i], share[lanes[i]], y + i * LANE, length, out);
}

static void marks(const struct page *p, unsigned bottom, uint64_t length, struct buf *out)
{
    for (size_t i = 0; i < p->marks; i++) {
        double x = LEFT + (double)(p->mark[i].cycle - p->info.first) * COLUMNS / (double)length;
        buf_printf(out, "<g class=\"mark\"><title>cycle %" PRIu64 ": ", p->mark[i].cycle);
        escaped(out, p->string[p->mark[i].text]);
        buf_printf(out,
                   "</title><path d=\"M%.1f %d l5 -8 h-10 z\"/><rect x=\"%.1f\" y=\"%d\" width=\"1\" height=\"%u\" "
                   "opacity=\".5\"/></g>\n",
                   x, TOP - 4, x - 0.5, TOP - 4, bottom - TOP + 4);
    }
}

static void axis(const struct page *p, unsigned y, uint64_t length, struct buf *out)
{
    for (unsigned i = 0; i <= 8; i++) {
        uint64_t cycle = p->info.first + (uint64_t)((double)length * i / 8);
        buf_printf(out, "<line class=\"line\" x1=\"%u\" x2=\"%u\" y1=\"%d\" y2=\"%u\"/>", LEFT + COLUMNS * i / 8,
                   LEFT + COLUMNS * i / 8, TOP, y);
        buf_printf(out, "<text class=\"dim\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">%" PRIu64 "</text>\n",
                   LEFT + COLUMNS * i / 8, y + 16, cycle);
    }
    buf_printf(out, "<text class=\"dim\" x=\"12\" y=\"%u\">cycle</text>\n", y + 16);
}

static void end(void *ctx, const struct timeline_info *i, struct buf *out)
{
    struct page *p = ctx;
    uint8_t lanes[TIMELINE_MODES];
    page_close(p, i);
    uint64_t length = i->end > p->info.first ? i->end - p->info.first : 1;
    unsigned height = TOP;
    for (unsigned n = 0; n < p->info.harts; n++)
        height += GAP + LANE * page_lanes(&p->hart[n], lanes);
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"privilege modes over "
               "time\">\n",
               LEFT + COLUMNS + 40, height + 36);
    style(out);
    buf_printf(out, "<text x=\"12\" y=\"24\" font-size=\"16\" font-weight=\"bold\">");
    escaped(out, p->info.title);
    buf_printf(out,
               "</text><text class=\"dim\" x=\"12\" y=\"44\">cycles %" PRIu64 " to %" PRIu64
               "; a column is %.0f cycles, and the darker, the more of them were in the mode</text>\n",
               p->info.first, i->end, (double)length / COLUMNS);
    axis(p, height, length, out);
    unsigned y = TOP;
    for (unsigned n = 0; n < p->info.harts; n++) {
        y += GAP;
        hart(p, n, y, length, out);
        y += LANE * page_lanes(&p->hart[n], lanes);
    }
    marks(p, height, length, out);
    buf_printf(out, "</svg>\n");
    page_free(p);
}

const struct timeline_form timeline_svg = {begin, item, end};
