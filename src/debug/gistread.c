#include "debug/gistread.h"
#include "base/bits.h"
#include "base/hash.h"
#include "base/table.h"
#include "cpu/gist.h"
#include "debug/gistrules.h"
#include "debug/tracefile.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)
#define PENDING     4    /* answers of devices to one instruction */
#define RECENT      4096 /* encodings that are found at once */

struct place {
    uint64_t va, pa;
    bool there;
};
struct follower {
    uint64_t *word;
    uint64_t pc, count, at; /* instructions done; how many there are at the next event */
    uint8_t space[3];
    struct place map[GIST_SPACES][GIST_MAPS], fetch[GIST_SPACES][GIST_PAGES];
};

struct gist_reader {
    unsigned words, nzcv;
    size_t pages_max, pages, infos, infos_room;
    uint8_t **page;
    struct insn_info *info;
    struct table page_at, info_at; /* a page's number plus 1: where in page; an encoding plus 1: where in info */
    struct follower *of[ENGINE_CPUS];
    unsigned hart;
    bool waits; /* for the event at `at` */
    uint32_t recent_key[RECENT];
    size_t recent[RECENT]; /* plus 1 */
    /* Of the instruction to come. */
    struct {
        uint64_t va;
        uint8_t bytes[16];
        bool load;
    } device[PENDING];
    unsigned devices;
    uint32_t code;
    bool has_code;
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

struct gist_reader *gist_reader_new(unsigned words, size_t pages)
{
    struct gist_reader *x = must(calloc(1, sizeof *x));
    x->words = words;
    x->nzcv = words >= 2 ? words - 2 : 0;
    x->pages_max = pages;
    return x;
}

static void *copy_of(const void *p, size_t n) { return p ? memcpy(must(malloc(n)), p, n) : NULL; }

struct gist_reader *gist_reader_copy(const struct gist_reader *x)
{
    struct gist_reader *y = copy_of(x, sizeof *x);
    size_t room = 1;
    while (room < x->pages) /* take_page: the next power of two */
        room *= 2;
    y->page = x->pages ? must(malloc(room * sizeof *y->page)) : NULL;
    for (size_t i = 0; i < x->pages; i++)
        y->page[i] = copy_of(x->page[i], MEM_PAGE_SIZE);
    y->info = copy_of(x->info, x->infos_room * sizeof *x->info);
    y->page_at = table_copy(&x->page_at);
    y->info_at = table_copy(&x->info_at);
    for (unsigned i = 0; i < ENGINE_CPUS; i++)
        if (x->of[i]) {
            y->of[i] = copy_of(x->of[i], sizeof *x->of[i]);
            y->of[i]->word = copy_of(x->of[i]->word, (x->words + 1) * sizeof *x->of[i]->word);
        }
    return y;
}

void gist_reader_free(struct gist_reader *x)
{
    if (!x)
        return;
    for (unsigned i = 0; i < ENGINE_CPUS; i++) {
        if (x->of[i])
            free(x->of[i]->word);
        free(x->of[i]);
    }
    for (size_t i = 0; i < x->pages; i++)
        free(x->page[i]);
    free(x->page);
    free(x->info);
    table_free(&x->page_at);
    table_free(&x->info_at);
    free(x);
}

const uint64_t *gist_registers(const struct gist_reader *x, unsigned hart) { return x->of[hart] ? x->of[hart]->word : NULL; }

uint64_t gist_pc_of(const struct gist_reader *x, unsigned hart) { return x->of[hart] ? x->of[hart]->pc : 0; }

static uint8_t *page_of(const struct gist_reader *x, uint64_t pa)
{
    uint64_t *at = table_find(&x->page_at, (pa >> MEM_PAGE_SHIFT) + 1);
    return at ? x->page[*at] : NULL;
}

const uint8_t *gist_memory(const struct gist_reader *x, uint64_t pa) { return page_of(x, pa); }

static struct follower *now(struct gist_reader *x)
{
    struct follower *f = x->of[x->hart];
    if (f)
        return f;
    f = x->of[x->hart] = must(calloc(1, sizeof *f));
    f->word = must(calloc(x->words + 1, sizeof *f->word));
    return f;
}

/* ---- memory -----------------------------------------------------------------------------------------------------------------
 */

/* Where va is, by the space's translations; NULL: that was not told. */
static uint8_t *host_of(struct gist_reader *x, const struct place *p, uint64_t va)
{
    uint8_t *page = p->there && !((p->va ^ va) >> MEM_PAGE_SHIFT) ? page_of(x, p->pa) : NULL;
    return page ? page + (va & PAGE_OFFSET) : NULL;
}

static const struct place *map_of(struct gist_reader *x, uint64_t va, bool user)
{
    struct follower *f = now(x);
    return &f->map[f->space[user ? 2 : 0]][(va >> MEM_PAGE_SHIFT) % GIST_MAPS];
}

/* n bytes at va, read or written. False: the translation was not told. */
static bool access_bytes(struct gist_reader *x, uint64_t va, uint8_t *p, unsigned n, bool user, bool narrow, bool write)
{
    while (n) {
        uint64_t at = narrow ? (uint32_t)va : va;
        unsigned here = (unsigned)(MEM_PAGE_SIZE - (at & PAGE_OFFSET));
        uint8_t *host = host_of(x, map_of(x, at, user), at);
        here = here < n ? here : n;
        if (!host)
            return false;
        memcpy(write ? host : p, write ? p : host, here);
        va += here;
        p += here;
        n -= here;
    }
    return true;
}

/* The answer of a device that is there for va; NULL: none. */
static const uint8_t *answer(const struct gist_reader *x, uint64_t va, bool load)
{
    for (unsigned i = 0; i < x->devices; i++)
        if (x->device[i].va == va && x->device[i].load == load)
            return x->device[i].bytes;
    return NULL;
}

/* ---- one instruction --------------------------------------------------------------------------------------------------------
 */

static struct insn_info *known(struct gist_reader *x, uint32_t insn)
{
    unsigned slot = (insn ^ insn >> 12 ^ insn >> 20) % RECENT;
    if (x->recent[slot] && x->recent_key[slot] == insn)
        return &x->info[x->recent[slot] - 1];
    uint64_t *at = table_find(&x->info_at, insn + UINT64_C(1));
    if (!at)
        return NULL;
    x->recent_key[slot] = insn;
    x->recent[slot] = *at + 1;
    return &x->info[*at];
}

/* The instruction at pc. */
static const struct insn_info *fetched(struct gist_reader *x)
{
    const struct follower *f = now(x);
    uint32_t insn = x->code;
    if (!x->has_code) {
        const uint8_t *p = host_of(x, &f->fetch[f->space[1]][(f->pc >> MEM_PAGE_SHIFT) % GIST_PAGES], f->pc);
        if (!p)
            return NULL;
        unsigned left = (unsigned)(MEM_PAGE_SIZE - (f->pc & PAGE_OFFSET));
        insn = 0;
        memcpy(&insn, p, left < 4 ? left : 4);
    }
    const struct insn_info *i = known(x, insn);
    return i ? i : known(x, insn & 0xffff); /* of two bytes */
}

static void put_reg(struct insn_record *out, uint64_t *word, unsigned w, uint64_t value)
{
    word[w] = value;
    out->reg[out->regs++] = (struct insn_word){(uint16_t)w, value};
}

/* What it stores, by the registers before it. False: it is not known where that is. */
static bool take_store(struct gist_reader *x, const struct insn_info *i, struct insn_record *out, bool write)
{
    const uint64_t *word = now(x)->word;
    uint64_t address = insn_address(i, word);
    out->derived = 1;
    out->store[out->stores++] = (struct insn_store){address, (uint32_t)i->size * i->stores, 0};
    for (unsigned k = 0; k < i->stores; k++, address += i->size) {
        uint8_t *bytes = out->bytes + out->used;
        uint64_t v[2] = {0};
        if (i->from[k] != INSN_NO_WORD)
            memcpy(v, word + i->from[k], i->size > 8 ? 16 : 8);
        memcpy(bytes, v, i->size);
        out->used += i->size;
        if (write && !answer(x, address, false) && !access_bytes(x, address, bytes, i->size, i->by.user, i->core.narrow, true))
            return false;
    }
    return true;
}

static bool take_loads(struct gist_reader *x, const struct insn_info *i, uint64_t is[INSN_PLACES])
{
    uint64_t address = insn_address(i, now(x)->word);
    if (i->by.pcrel)
        address += now(x)->pc;
    for (unsigned k = 0; k < i->by.loads; k++, address += i->size) {
        uint64_t v[2] = {0};
        const uint8_t *told = answer(x, address, true);
        if (told)
            memcpy(v, told, i->size);
        else if (!access_bytes(x, address, (uint8_t *)v, i->size, i->by.user, i->core.narrow, false))
            return false;
        is[k * i->by.parts] = i->by.parts == 1 ? rules_loaded(i, v[0]) : v[0];
        if (i->by.parts == 2)
            is[k * 2 + 1] = v[1];
    }
    return true;
}

/* Does what is known of the instruction at pc. False: it does not fit. */
static bool follow(struct gist_reader *x, const struct insn_info *i, struct insn_record *out)
{
    struct follower *f = now(x);
    const struct insn_core *s = &i->core;
    unsigned nzcv = (unsigned)f->word[x->nzcv] & 15;
    uint64_t is[INSN_PLACES] = {0}, next = rules_next(i, f->word, f->pc, nzcv);
    unsigned flags = i->by.sets ? rules_flags(i, f->word, nzcv) : nzcv;
    if (s->places && !i->by.loads && !(s->based && s->places == 1))
        is[0] = rules_value(i, f->word, f->pc, nzcv);
    if ((i->stores && !take_store(x, i, out, true)) || (i->by.loads && !take_loads(x, i, is)))
        return false;
    if (s->based)
        is[s->places - 1u] = (s->base == INSN_NO_WORD ? 0 : f->word[s->base]) + (uint64_t)(int64_t)s->by;
    for (unsigned k = 0; k < s->places; k++)
        put_reg(out, f->word, s->word[k], is[k]);
    if (s->nzcv)
        put_reg(out, f->word, x->nzcv, flags);
    f->pc = next;
    f->count++;
    return true;
}

static void begin_record(struct gist_reader *x, struct insn_record *out, const struct insn_info *i, enum insn_extra_kind kind)
{
    out->regs = out->stores = out->used = out->derived = 0;
    out->repeated = false;
    out->kind = kind;
    out->hart = (uint8_t)x->hart;
    out->pc = i ? now(x)->pc : 0;
    out->insn = i ? i->insn : 0;
    out->length = i ? i->core.length : 0;
}

static void over(struct gist_reader *x)
{
    x->devices = 0;
    x->has_code = false;
}

/* ---- events -----------------------------------------------------------------------------------------------------------------
 */

static uint64_t cur_folded(struct cursor *c)
{
    uint64_t v = cur_var(c);
    return v >> 1 ^ -(v & 1);
}

static uint64_t cur_short(struct cursor *c)
{
    uint64_t v = 0;
    unsigned n = cur_u8(c);
    c->bad |= n > 8;
    if (!c->bad)
        cur_get(c, &v, n);
    return v;
}

static uint16_t cur_word(unsigned words, struct cursor *c)
{
    uint64_t v = cur_var(c);
    c->bad |= v > words || v > INSN_NO_WORD;
    return c->bad ? INSN_NO_WORD : (uint16_t)(v - 1);
}

static void cur_rules(unsigned words, struct cursor *c, struct insn_info *i)
{
    struct insn_rules *r = &i->by;
    uint8_t small[19] = {0};
    i->core.guess = cur_u8(c);
    i->core.width = cur_u8(c);
    i->core.shift = cur_u8(c) & 63;
    i->core.a = cur_word(words, c);
    i->core.b = cur_word(words, c);
    i->core.imm = (int64_t)cur_folded(c);
    cur_get(c, small, sizeof small);
    *r = (struct insn_rules){.exact = true,
                             .rule = small[0],
                             .pcrel = small[1],
                             .extend = small[2],
                             .shift_by = small[3],
                             .shift_kind = small[4],
                             .invert = small[5],
                             .sets = small[6],
                             .flow = small[7],
                             .condition = small[8],
                             .shift = small[9],
                             .sign = small[10],
                             .keep = small[11],
                             .zero = small[12],
                             .loads = small[13],
                             .parts = small[14],
                             .load_sign = small[15],
                             .user = small[16],
                             .compares = small[17],
                             .flags = small[18]};
    r->a = cur_word(words, c);
    r->b = cur_word(words, c);
    r->c = cur_word(words, c);
    r->imm = cur_folded(c);
    r->mask = cur_var(c);
    r->target = (int64_t)cur_folded(c);
    c->bad |= i->core.guess >= GUESS_KINDS || i->core.width > GUESS_SEXT32 || r->rule >= RULE_KINDS || r->loads > 2 ||
              r->parts > 2 || r->loads * r->parts + i->core.based > i->core.places || (r->loads && !r->parts);
}

static struct insn_info cur_info(unsigned words, struct cursor *c)
{
    struct insn_info i = {.by = {.a = INSN_NO_WORD, .b = INSN_NO_WORD, .c = INSN_NO_WORD}};
    i.insn = cur_u32(c);
    uint8_t bits = cur_u8(c);
    i.core.places = bits & 3;
    i.core.nzcv = bits >> 2 & 1;
    i.core.based = bits >> 3 & 1;
    i.stores = bits >> 4 & 3;
    i.core.narrow = bits >> 7;
    i.core.length = cur_u8(c);
    for (unsigned k = 0; k < i.core.places; k++) {
        i.core.word[k] = (uint16_t)(cur_word(words, c) + 1u);
        c->bad |= i.core.word[k] >= words;
    }
    if (bits & 64)
        cur_rules(words, c, &i);
    i.core.base = cur_word(words, c);
    i.core.by = (int32_t)cur_folded(c);
    i.size = cur_u8(c);
    uint8_t index = cur_u8(c);
    i.index = index & 3;
    i.scale = index >> 2 & 63;
    i.offset = cur_word(words, c);
    i.disp = (int64_t)cur_folded(c);
    i.from[0] = cur_word(words, c);
    i.from[1] = cur_word(words, c);
    c->bad |= i.size > 16 || i.stores == 3 || (i.core.based && !i.core.places) || (i.by.parts == 1 && i.size > 8);
    for (unsigned k = 0; k < i.stores && i.size > 8; k++)
        c->bad |= i.from[k] != INSN_NO_WORD && i.from[k] + 1u >= words;
    return i;
}

uint32_t gist_encoding(struct cursor *c, unsigned words) { return cur_info(words, c).insn; }

static void take_info(struct gist_reader *x, struct cursor *c)
{
    struct insn_info i = cur_info(x->words, c);
    if (c->bad)
        return;
    uint64_t *at = table_find(&x->info_at, i.insn + UINT64_C(1));
    if (!at) {
        if (x->infos == x->infos_room) {
            x->infos_room = x->infos_room ? 2 * x->infos_room : 256;
            x->info = must(realloc(x->info, x->infos_room * sizeof *x->info));
        }
        at = table_add(&x->info_at, i.insn + UINT64_C(1));
        *at = x->infos++;
    }
    x->info[*at] = i;
}

static void take_page(struct gist_reader *x, struct cursor *c, bool zero)
{
    uint64_t key = cur_var(c) + 1;
    uint64_t *at = table_find(&x->page_at, key);
    if (!at) {
        c->bad |= x->pages == x->pages_max || !key;
        if (c->bad)
            return;
        if (!(x->pages & (x->pages - 1))) /* the room is the next power of two */
            x->page = must(realloc(x->page, (x->pages ? 2 * x->pages : 1) * sizeof *x->page));
        at = table_add(&x->page_at, key);
        *at = x->pages;
        x->page[x->pages++] = must(calloc(1, MEM_PAGE_SIZE));
    }
    if (zero)
        memset(x->page[*at], 0, MEM_PAGE_SIZE);
    else
        cur_get(c, x->page[*at], MEM_PAGE_SIZE);
}

static void take_place(struct gist_reader *x, struct cursor *c, bool fetch)
{
    struct follower *f = now(x);
    unsigned space = cur_u8(c) % GIST_SPACES;
    uint64_t va = cur_folded(c) << MEM_PAGE_SHIFT, pa = cur_var(c) << MEM_PAGE_SHIFT;
    struct place *p =
        fetch ? &f->fetch[space][(va >> MEM_PAGE_SHIFT) % GIST_PAGES] : &f->map[space][(va >> MEM_PAGE_SHIFT) % GIST_MAPS];
    *p = (struct place){va, pa, true};
}

static void take_device(struct gist_reader *x, struct cursor *c, bool load)
{
    uint64_t va = cur_var(c);
    unsigned n = load ? cur_u8(c) : 0;
    c->bad |= n > 16 || x->devices == PENDING;
    if (c->bad)
        return;
    memset(&x->device[x->devices], 0, sizeof x->device[0]);
    x->device[x->devices].va = va;
    x->device[x->devices].load = load;
    cur_get(c, x->device[x->devices++].bytes, n);
}

/* Words that have changed go into the record, memory into memory; pieces of stores that follow from registers are known. */
static void take_lists(struct gist_reader *x, struct cursor *c, struct insn_record *out, bool stores)
{
    uint64_t *word = now(x)->word, words = cur_var(c);
    unsigned before = 0;
    c->bad |= words > x->words * UINT64_C(3);
    for (uint64_t i = 0; i < words && !c->bad; i++) {
        uint64_t w = before + cur_folded(c), value = cur_short(c);
        c->bad |= w >= x->words || out->regs >= x->words + INSNCODE_REGS;
        if (c->bad)
            return;
        before = (unsigned)w;
        if (word[w] != value)
            put_reg(out, word, before, value);
    }
    uint64_t pieces = cur_var(c);
    for (uint64_t i = 0; i < pieces && !c->bad; i++) {
        uint64_t va = cur_var(c), pa = cur_var(c), size = cur_var(c);
        c->bad |= out->stores >= INSNCODE_STORES || size > INSNCODE_BYTES - out->used || size > MEM_PAGE_SIZE;
        if (c->bad)
            return;
        uint8_t *bytes = out->bytes + out->used, *page = pa ? page_of(x, pa - 1) : NULL;
        cur_get(c, bytes, (size_t)size);
        if (page && ((pa - 1) & PAGE_OFFSET) + size <= MEM_PAGE_SIZE)
            memcpy(page + ((pa - 1) & PAGE_OFFSET), bytes, (size_t)size);
        if (stores)
            continue;
        out->store[out->stores++] = (struct insn_store){va, (uint32_t)size, out->used};
        out->used += (uint32_t)size;
    }
}

static void take_step(struct gist_reader *x, struct cursor *c, struct insn_record *out)
{
    struct follower *f = now(x);
    const struct insn_info *i = fetched(x);
    c->bad |= !i;
    if (c->bad)
        return;
    begin_record(x, out, i, INSN_DID);
    uint64_t next = f->pc + i->core.length;
    if (cur_u8(c))
        next = cur_short(c);
    else if (i->core.narrow)
        next = (uint32_t)next;
    if (i->stores)
        take_store(x, i, out, true);
    for (unsigned k = 0; k < i->core.places; k++)
        put_reg(out, f->word, i->core.word[k], cur_short(c));
    if (i->core.nzcv)
        put_reg(out, f->word, x->nzcv, cur_u8(c) & 15);
    take_lists(x, c, out, i->stores != 0);
    f->pc = next;
    f->count++;
    f->at++;
    over(x);
}

static void take_trap(struct gist_reader *x, struct cursor *c, struct insn_record *out)
{
    uint8_t flags = cur_u8(c);
    bool its = flags & 1;
    const struct insn_info *i = its ? fetched(x) : NULL;
    uint64_t pc = cur_short(c);
    c->bad |= its && !i;
    if (c->bad)
        return;
    begin_record(x, out, i, its ? INSN_TRAPPED : INSN_INTERRUPT);
    take_lists(x, c, out, false);
    now(x)->pc = pc;
    now(x)->count += flags >> 1 & 1;
    now(x)->at += flags >> 1 & 1;
    over(x);
}

static void take_wrote(struct gist_reader *x, struct cursor *c, struct insn_record *out)
{
    uint64_t pa = cur_var(c), n = cur_var(c);
    uint8_t *page = page_of(x, pa);
    c->bad |= n > MEM_PAGE_SIZE - (pa & PAGE_OFFSET);
    if (c->bad)
        return;
    begin_record(x, out, NULL, INSN_MEMORY);
    out->store[out->stores++] = (struct insn_store){pa, (uint32_t)n, 0};
    out->used = (uint32_t)n;
    cur_get(c, out->bytes, (size_t)n);
    if (page)
        memcpy(page + (pa & PAGE_OFFSET), out->bytes, (size_t)n);
}

static void take_tag(struct gist_reader *x, struct cursor *c, struct insn_record *out)
{
    begin_record(x, out, NULL, INSN_MEMORY);
    out->store[out->stores++] = (struct insn_store){cur_var(c) | MEM_TAGS, 1, 0};
    out->bytes[out->used++] = cur_u8(c);
}

/* The registers are what they were: else the rules are not those of the machine. */
static void take_check(struct gist_reader *x, struct cursor *c)
{
    uint64_t where[6];
    for (unsigned i = 0; i < 6; i++)
        where[i] = cur_var(c);
    uint64_t x_at = where[0], xs = where[1], v = where[2], vs = where[3], step = where[4], used = where[5];
    c->bad |= x_at > x->words || xs > x->words - x_at || v > x->words || vs > x->words || step > x->words || used > step ||
              vs * step > x->words - v;
    if (c->bad)
        return;
    const uint64_t *word = now(x)->word;
    struct hash *h = hash_new();
    hash_add(h, word + x_at, xs * sizeof *word);
    for (uint64_t i = 0; i < vs; i++)
        hash_add(h, word + v + i * step, used * sizeof *word);
    hash_add_u64(h, word[x->nzcv]);
    c->bad |= hash_end(h) != cur_u64(c);
}

/* An event. True: it is something to be told, in *out. */
static bool take_event(struct gist_reader *x, struct cursor *c, struct insn_record *out)
{
    struct follower *f = now(x);
    switch (cur_u8(c)) {
    case GIST_INFO: take_info(x, c); return false;
    case GIST_PAGE: take_page(x, c, false); return false;
    case GIST_ZERO: take_page(x, c, true); return false;
    case GIST_MAP: take_place(x, c, false); return false;
    case GIST_FETCH: take_place(x, c, true); return false;
    case GIST_CODE:
        x->code = cur_u32(c);
        x->has_code = true;
        return false;
    case GIST_VALUE: take_device(x, c, true); return false;
    case GIST_DEVICE: take_device(x, c, false); return false;
    case GIST_WROTE: take_wrote(x, c, out); return true;
    case GIST_STEP: take_step(x, c, out); return true;
    case GIST_TRAP: take_trap(x, c, out); return true;
    case GIST_STATE:
        begin_record(x, out, NULL, INSN_STATE);
        f->pc = cur_short(c);
        take_lists(x, c, out, false);
        return out->regs != 0;
    case GIST_HART:
        x->hart = cur_u8(c) % ENGINE_CPUS;
        over(x);
        return false;
    case GIST_SPACE:
        for (unsigned i = 0; i < 3; i++)
            f->space[i] = cur_u8(c) % GIST_SPACES;
        return false;
    case GIST_CHECK:
    case GIST_END: take_check(x, c); return false;
    case GIST_TAG: take_tag(x, c, out); return true;
    default: c->bad = true; return false;
    }
}

bool gist_next(struct gist_reader *x, struct cursor *c, struct insn_record *out)
{
    for (;;) {
        if (!x->waits && !c->left)
            return false;
        if (!x->waits) {
            now(x)->at += cur_var(c);
            x->waits = true;
        }
        struct follower *f = now(x);
        if (c->bad || f->count > f->at)
            c->bad = true;
        if (c->bad)
            return false;
        if (f->count == f->at) {
            x->waits = false;
            bool told = take_event(x, c, out);
            if (c->bad)
                return false;
            if (told)
                return true;
            continue;
        }
        const struct insn_info *i = fetched(x);
        begin_record(x, out, i, INSN_DID);
        c->bad |= !i || !i->by.exact || !follow(x, i, out);
        over(x);
        return !c->bad;
    }
}
