/* -append words, from /chosen/bootargs of the flattened device tree (Devicetree Specification, chapter 5). */
#include "riscv/common/payload.h"

struct config config;

static const char *const handler_names[HANDLERS] = {
    "hk0", "hk1", "hk2", "hk3", "hk4", "hk5", "hk6", "hk7", "linux-good", "linux-nosstatus", "linux-stvec-missing",
};
static const char *const flavour_names[] = {"none", "ebreak", "load", "hlv", "illegal"};
static const char *const mode_names[] = {"kvm", "probe", "s1r", "kernel"};
static const char *const switch_names[] = {"off", "on"};
static const char *const lpad_names[] = {"off", "on", "entry"};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

const char *handler_name(uint handler) { return handler < HANDLERS ? handler_names[handler] : "?"; }

static uint be32(const unsigned char *p) { return (uint)p[0] << 24 | (uint)p[1] << 16 | (uint)p[2] << 8 | p[3]; }

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static uint length(const char *s)
{
    uint n = 0;
    while (s[n])
        n++;
    return n;
}

/* The text of /chosen/bootargs, or an empty one. */
static const char *bootargs(const unsigned char *fdt)
{
    enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4 };
    if (!fdt || be32(fdt) != 0xd00dfeed)
        return "";
    const unsigned char *p = fdt + be32(fdt + 8);
    const char *strings = (const char *)fdt + be32(fdt + 12);
    uint depth = 0, in_chosen = 0;
    for (;;) {
        uint token = be32(p);
        p += 4;
        if (token == BEGIN_NODE) {
            const char *name = (const char *)p;
            in_chosen = ++depth == 2 && same(name, "chosen");
            p += (length(name) + 4) & ~3u;
        } else if (token == END_NODE) {
            depth--;
            in_chosen = 0;
        } else if (token == PROP) {
            uint n = be32(p);
            if (in_chosen && same(strings + be32(p + 4), "bootargs"))
                return (const char *)p + 8;
            p += 8 + ((n + 3) & ~3u);
        } else if (token != NOP) {
            return "";
        }
    }
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Decimal, or hexadecimal after 0x; false if it is neither or has more than 32 bits. */
static int number(const char *s, ulong *v)
{
    int base = s[0] == '0' && s[1] == 'x' ? 16 : 10;
    unsigned long long n = 0;
    s += base == 16 ? 2 : 0;
    if (!*s)
        return 0;
    for (; *s; s++) {
        if (digit(*s) >= base)
            return 0;
        n = n * (uint)base + (uint)digit(*s);
        if (n >> 32)
            return 0;
    }
    *v = (ulong)n;
    return 1;
}

static int choice(const char *s, const char *const *names, uint n, uint *v)
{
    for (uint i = 0; i < n; i++)
        if (same(s, names[i])) {
            *v = i;
            return 1;
        }
    return 0;
}

static int small_number(const char *s, uint *v)
{
    ulong n;
    if (!number(s, &n))
        return 0;
    *v = (uint)n;
    return 1;
}

static int assign(const char *key, const char *value)
{
    struct config *c = &config;
    if (same(key, "handler"))
        return choice(value, handler_names, COUNT(handler_names), &c->handler);
    if (same(key, "flavour"))
        return choice(value, flavour_names, COUNT(flavour_names), &c->flavour);
    if (same(key, "mode"))
        return choice(value, mode_names, COUNT(mode_names), &c->mode);
    if (same(key, "paging"))
        return choice(value, switch_names, COUNT(switch_names), &c->paging);
    if (same(key, "dte"))
        return choice(value, switch_names, COUNT(switch_names), &c->dte);
    if (same(key, "lpad"))
        return choice(value, lpad_names, COUNT(lpad_names), &c->lpad);
    if (same(key, "event") && same(value, "none")) {
        c->event = EVENT_NONE;
        return 1;
    }
    if (same(key, "event"))
        return number(value, &c->event);
    if (same(key, "event2"))
        return number(value, &c->event2);
    if (same(key, "rounds"))
        return small_number(value, &c->rounds);
    if (same(key, "inject"))
        return small_number(value, &c->inject);
    if (same(key, "timer"))
        return small_number(value, &c->timer);
    if (same(key, "pmu"))
        return small_number(value, &c->pmu);
    return 0;
}

/* Splits off the word at *text, "key=value", into a buffer of `cap` bytes; *value is its second part. False at the end. */
static int next_word(const char **text, char *word, uint cap, const char **value)
{
    const char *s = *text;
    uint n = 0;
    while (*s == ' ')
        s++;
    *value = "";
    for (; *s && *s != ' ' && n < cap - 1; s++) {
        word[n] = *s == '=' ? 0 : *s;
        if (!word[n++])
            *value = word + n;
    }
    word[n] = 0;
    *text = s;
    return n != 0;
}

void config_read(const void *fdt)
{
    enum { CAP = 40, PAGING_UNSAID = 2 };
    static char word[CAP];
    const char *value, *text = bootargs(fdt);
    config = (struct config){
        .flavour = FLAVOUR_EBREAK, .paging = PAGING_UNSAID, .rounds = 2, .event = EVENT_DEFAULT, .event2 = EVENT_DEFAULT};
    while (next_word(&text, word, CAP, &value))
        if (!assign(word, value)) {
            put_text("-append: ");
            put_text(word);
            put_text("=");
            finish_with(EXIT_CONFIG, value, ": there is no such word");
        }
    if (config.mode > MODE_S1R)
        config.mode = MODE_RUN; /* "kernel" is what "kvm" is: the run that the image is for */
    if (config.paging == PAGING_UNSAID)
        config.paging = config.mode == MODE_RUN;
}
