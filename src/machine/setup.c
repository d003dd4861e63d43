/* From a configuration to what a machine consists of. */
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUANTUM_DEFAULT 5000
#define CLOCK_DEFAULT   UINT64_C(1000000000)
#define MIB             (UINT64_C(1) << 20)
#define RAM_LEAST       MIB
#define RAM_MOST_32     (UINT64_C(2) << 30) /* what is left above 0x80000000 in 32 address bits */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static bool add(struct setup *s, const char *device, const char *id, uint64_t base, unsigned irq, uint64_t arg, int disk,
                struct err *e)
{
    const struct device_ops *ops = device_find(device);
    if (!ops)
        return err_set(e, "board %s: device '%s' is not there", s->board->name, device);
    if (s->devices == MACHINE_DEVICES)
        return err_set(e, "%s: a machine has at most %d devices", id, MACHINE_DEVICES);
    struct device_spec *d = &s->device[s->devices++];
    *d = (struct device_spec){.ops = ops, .base = base, .irq = irq, .arg = arg, .disk = disk};
    snprintf(d->id, sizeof d->id, "%s", id);
    if (ops->line && s->controller < 0)
        s->controller = (int)s->devices - 1;
    return true;
}

/* ---- slots
 * -------------------------------------------------------------------------------------------------------------------------- */

/* What -device may name, also by QEMU's names. */
static const struct {
    const char *name, *alias, *device, *id;
} slot_devices[] = {
    {"virtio-net", "virtio-net-device", "virtio_net", "net"},
    {"virtio-rng", "virtio-rng-device", "virtio_rng", "rng"},
    {"virtio-console", "virtio-serial-device", "virtio_console", "console"},
};

struct slots {
    unsigned used;
    unsigned count[ARRAY_LEN(slot_devices)];
};

static bool take_slot(struct setup *s, struct slots *t, const char *device, const char *id, uint64_t arg, int disk, struct err *e)
{
    const struct board *b = s->board;
    if (t->used == b->slots)
        return err_set(e, "%s: board %s has %u virtio slots and all are taken", id, b->name, b->slots);
    unsigned n = t->used++;
    s->slot[n] = (int)s->devices;
    return add(s, device, id, b->slot_base + n * b->slot_stride, b->slot_irq + n, arg, disk, e);
}

/* A file for a flash bank: the unit named, or (2) the first that is free. */
static bool add_flash(struct setup *s, char *path, unsigned unit, struct err *e)
{
    if (unit > 1)
        unit = s->flash[0] ? 1 : 0;
    bool there = false;
    for (size_t i = 0; i < s->board->nlines; i++)
        there |= !strcmp(s->board->lines[i].device, "cfi_flash");
    if (!there || s->flash[unit]) {
        err_set(e,
                there ? "-drive if=pflash: %s: flash bank %u is taken already" : "-drive if=pflash: %s: the board has no flash",
                path, unit);
        free(path);
        return false;
    }
    s->flash[unit] = path;
    return true;
}

static bool add_disks(struct setup *s, struct slots *t, struct disk *disk[], const struct machine_config *c, struct err *e)
{
    for (unsigned i = 0; i < c->ndrives; i++) {
        char id[32];
        char *flash;
        unsigned unit = 0;
        if (disk_is_flash(c->drives[i], &flash, &unit, e)) {
            if (!flash || !add_flash(s, flash, unit, e))
                return false;
            continue;
        }
        snprintf(id, sizeof id, "disk%u", s->disks);
        if (s->disks == MACHINE_DEVICES)
            return err_set(e, "%s: board %s has %u virtio slots", id, s->board->name, s->board->slots);
        struct disk *d = disk_open(c->drives[i], e);
        if (!d)
            return false;
        disk[s->disks++] = d;
        if (!take_slot(s, t, "virtio_blk", id, disk_readonly(d), (int)s->disks - 1, e))
            return false;
    }
    return true;
}

static bool add_extra(struct setup *s, struct slots *t, const char *name, struct err *e)
{
    for (size_t k = 0; k < ARRAY_LEN(slot_devices); k++) {
        if (strcmp(name, slot_devices[k].name) && strcmp(name, slot_devices[k].alias))
            continue;
        char id[32];
        snprintf(id, sizeof id, "%s%u", slot_devices[k].id, t->count[k]);
        /* Cards of one machine need addresses of their own: 52:54:00:12:34:56 and up. */
        uint64_t arg = strcmp(slot_devices[k].device, "virtio_net") ? 0 : UINT64_C(0x525400123456) + t->count[k];
        t->count[k]++;
        return take_slot(s, t, slot_devices[k].device, id, arg, -1, e);
    }
    return err_set(e, "-device %s: unknown; there are virtio-net, virtio-rng, virtio-console", name);
}

static bool add_devices(struct setup *s, struct disk *disk[], const struct machine_config *c, struct err *e)
{
    struct slots slots = {0};
    for (size_t i = 0; i < s->board->nlines; i++) {
        const struct board_line *l = &s->board->lines[i];
        bool clock = !strcmp(l->device, "goldfish_rtc") || !strcmp(l->device, "pl031");
        uint64_t arg = clock && s->rtc_epoch ? s->rtc_epoch : l->arg;
        if (!add(s, l->device, l->id, l->base, l->irq, arg, -1, e))
            return false;
    }
    for (size_t i = 0; s->kind->secure && i < s->board->nsecure_lines; i++) {
        const struct board_line *l = &s->board->secure_lines[i];
        if (!add(s, l->device, l->id, l->base, l->irq, l->arg, -1, e))
            return false;
        s->device[s->devices - 1].secure = true;
    }
    if (!add_disks(s, &slots, disk, c, e))
        return false;
    for (unsigned i = 0; i < c->ndevices; i++)
        if (!add_extra(s, &slots, c->devices[i], e))
            return false;
    while (slots.used < s->board->slots) {
        char id[32];
        snprintf(id, sizeof id, "%s%u", s->board->slot_id, slots.used);
        if (!take_slot(s, &slots, s->board->slot_device, id, 0, -1, e))
            return false;
    }
    return true;
}

/* ---- the rest
 * ----------------------------------------------------------------------------------------------------------------------- */

#define CPU_BLANKS ", \t\r\n"

/* The first word of a cpu's configuration from p on, of *n characters; NULL: there is none. */
static const char *next_word(const char *p, size_t *n)
{
    for (p += strspn(p, CPU_BLANKS); *p == '#'; p += strspn(p, CPU_BLANKS))
        p += strcspn(p, "\n");
    *n = strcspn(p, CPU_BLANKS "#");
    return *n ? p : NULL;
}

/* Whether the configuration says something of a feature. */
static bool cpu_says(const char *cpu, const char *feature)
{
    size_t n, k = strlen(feature);
    for (const char *p = cpu; (p = next_word(p, &n)); p += n) {
        const char *w = p + (n > 5 && !strncasecmp(p, "FEAT_", 5) ? 5 : 0);
        size_t left = n - (size_t)(w - p);
        if (left >= k && !strncasecmp(w, feature, k) && (left == k || w[k] == '='))
            return true;
    }
    return false;
}

/* Whether -machine, from its first comma on, has this option with this value. */
static bool machine_says(const char *options, const char *name, const char *value)
{
    char word[64];
    snprintf(word, sizeof word, ",%s=%s", name, value);
    const char *at = strstr(options, word);
    return at && (!at[strlen(word)] || at[strlen(word)] == ',');
}

/* The cpu as asked for, with the board's switches behind its first word: what is said of them in the rest counts. options:
   those of -machine. */
static char *cpu_text(const struct board *b, const char *cpu, const char *options)
{
    size_t n = 0, room = strlen(cpu) + 1;
    const char *word = next_word(cpu, &n);
    size_t first = word ? (size_t)(word - cpu) + n : 0;
    for (const struct board_option *o = b->options; o && o->name; o++)
        room += strlen(o->cpu) + sizeof ",=off,";
    char *text = must(calloc(1, room));
    memcpy(text, cpu, first);
    for (const struct board_option *o = b->options; o && o->name; o++) {
        bool yes = machine_says(options, o->name, "on");
        if (yes || !cpu_says(cpu, o->cpu))
            snprintf(text + strlen(text), room - strlen(text), ",%s=%s", o->cpu, yes ? "on" : "off");
    }
    strcat(text, cpu + first);
    return text;
}

/* What -machine and -cpu both say must be the same. */
static bool cpu_agrees(const struct setup *s, const char *cpu, const char *options, struct err *e)
{
    for (const struct board_option *o = s->board->options; o && o->name; o++) {
        bool is = s->board->arch->levels(s->kind) >> o->level & 1, on = machine_says(options, o->name, "on");
        if ((on || machine_says(options, o->name, "off")) && on != is && cpu_says(cpu, o->cpu))
            return err_set(e, "-machine says %s=%s and -cpu %s=%s: there is an EL%u, or there is none", o->name,
                           on ? "on" : "off", o->cpu, is ? "on" : "off", o->level);
    }
    return true;
}

static bool set_cpu(struct setup *s, const struct machine_config *c, struct err *e)
{
    const char *options = c->board ? c->board + strcspn(c->board, ",") : "", *asked = c->cpu ? c->cpu : s->board->cpu;
    char *cpu = cpu_text(s->board, asked, options);
    uint64_t tick_cycles = s->clock_hz > s->board->tick_hz ? s->clock_hz / s->board->tick_hz : 1;
    s->tick_hz = s->clock_hz / tick_cycles;
    s->kind = s->board->arch->kind_new(
        &(struct cpu_choice){.text = cpu,
                             .reset_pc = s->board->rom_base,
                             .tick_cycles = tick_cycles,
                             .tick_hz = s->tick_hz,
                             .secure_only = {{0, s->board->secure_flash_end},
                                             {s->board->secure_ram_base, s->board->secure_ram_base + s->board->secure_ram_size}}},
        e);
    free(cpu);
    return s->kind && cpu_agrees(s, asked, options, e);
}

static bool set_numbers(struct setup *s, const struct machine_config *c, struct err *e)
{
    s->harts = c->harts ? c->harts : 1;
    if (s->harts > MACHINE_HARTS)
        return err_set(e, "%u harts: a machine has 1 to %d", s->harts, MACHINE_HARTS);
    s->ram = c->ram ? c->ram : s->board->ram_default;
    uint64_t most = s->kind->bits == 32 ? RAM_MOST_32 : s->board->ram_max;
    if (s->ram < RAM_LEAST || s->ram > most || s->ram % MEM_PAGE_SIZE)
        return err_set(e, "%llu bytes of RAM: board %s has %llu MiB to %llu MiB, in steps of 4 KiB", (unsigned long long)s->ram,
                       s->board->name, (unsigned long long)(RAM_LEAST / MIB), (unsigned long long)(most / MIB));
    s->quantum = c->quantum ? c->quantum : QUANTUM_DEFAULT;
    s->seed = c->seed;
    s->rtc_epoch = c->rtc_epoch;
    s->semihosting = c->semihosting;
    s->append = c->append ? must(strdup(c->append)) : NULL;
    return true;
}

bool setup_from_config(struct setup *s, struct disk *disk[], const struct machine_config *c, struct err *e)
{
    const char *name = c->board ? c->board : board_at(0)->name;
    s->refs = 1;
    s->controller = -1;
    s->board = board_parse(name, e);
    if (!s->board)
        return false;
    s->clock_hz = c->clock_hz ? c->clock_hz : CLOCK_DEFAULT;
    return set_cpu(s, c, e) && set_numbers(s, c, e) && add_devices(s, disk, c, e);
}

bool setup_finish(struct setup *s, struct err *e)
{
    s->htif_device = -1;
    if (s->loader.tohost) {
        s->htif[0] = s->loader.tohost;
        s->htif[1] = s->loader.fromhost;
        s->htif_device = (int)s->devices;
        if (!add(s, "htif", "htif", s->htif[0], 0, 0, -1, e))
            return false;
    }
    sched_init(&s->sched);
    for (unsigned i = 0; i < s->devices; i++) {
        struct device_spec *d = &s->device[i];
        d->state_at = s->states_size;
        s->states_size += (d->ops->state_size + 15) / 16 * 16;
        for (unsigned n = 0; n < d->ops->events; n++) {
            d->event[n] = sched_add(&s->sched, 0);
            if (d->event[n] < 0)
                return err_set(e, "%s: a machine has at most %d events", d->id, SCHED_MAX);
            s->owner[d->event[n]] = (struct event_owner){(uint8_t)i, (uint8_t)n};
        }
    }
    return true;
}

struct fdt_board setup_fdt(const struct setup *s, struct fdt_device *list)
{
    for (unsigned i = 0; i < s->devices; i++) {
        const struct device_spec *d = &s->device[i];
        list[i] = (struct fdt_device){
            .name = d->ops->name, .base = d->base, .size = d->ops->mmio_size, .irq = d->irq, .arg = d->arg, .secure = d->secure};
    }
    return (struct fdt_board){.tree = s->board->tree,
                              .kind = s->kind,
                              .harts = s->harts,
                              .ram_base = s->board->ram_base,
                              .ram_size = s->ram,
                              .secure_ram_base = s->board->secure_ram_base,
                              .secure_ram_size = s->kind->secure ? s->board->secure_ram_size : 0,
                              .tick_hz = s->tick_hz,
                              .devices = list,
                              .ndevices = s->devices,
                              .seed = s->seed};
}

struct setup *setup_get(struct setup *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void setup_put(struct setup *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (s->kind)
        s->kind->arch->kind_free(s->kind);
    loader_free(&s->loader);
    kept_free(s);
    free(s->append);
    free(s->flash[0]);
    free(s->flash[1]);
    free(s);
}
