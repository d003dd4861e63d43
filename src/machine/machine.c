/* Making, forking and resetting machines. */
#include "machine/machine.h"
#include "base/bits.h"
#include "base/hash.h"
#include "base/rng.h"
#include "devices/fw_cfg.h"

#include <stdlib.h>
#include <string.h>

#define FW_CFG_NB_CPUS 0x05 /* QEMU's key of the number of harts */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- state
 * -------------------------------------------------------------------------------------------------------------------------- */

static void reset_harts(struct machine *m, uint64_t cycle)
{
    for (unsigned i = 0; i < m->setup->harts; i++)
        m->arch->reset(machine_hart(m, i), cycle, rng_next(&m->st.rng));
}

/* Where the machine is the firmware, one hart runs and the others wait for it to start them. Firmware that was loaded as an image
   is told where the kernel is. */
static void start_first(struct machine *m)
{
    const struct loader *l = &m->setup->loader;
    for (unsigned i = 1; l->conduit && i < m->setup->harts; i++)
        machine_progress(m, i)->parked = 1;
    for (unsigned i = 0; l->direct && i < (l->conduit ? 1 : m->setup->harts); i++) {
        m->arch->start(machine_hart(m, i), l->level, l->start, l->dtb_start);
        m->arch->set_reg(machine_hart(m, i), m->arch->argument[1], l->bios.end ? l->kernel.entry : 0);
    }
}

static void reset_devices(struct machine *m)
{
    for (unsigned i = 0; i < m->setup->devices; i++)
        if (m->device[i].ops->reset)
            m->device[i].ops->reset(&m->device[i]);
}

static void add_fw_cfg(struct device *fw, const struct setup *s)
{
    static const struct {
        uint16_t item, size;
    } size_of[] = {
        {LOADER_KERNEL, LOADER_KERNEL_SIZE}, {LOADER_INITRD, LOADER_INITRD_SIZE}, {LOADER_CMDLINE, LOADER_CMDLINE_SIZE}};
    fw_cfg_add_value(fw, FW_CFG_NB_CPUS, s->harts, 2);
    for (unsigned i = 0; i < s->loader.items; i++) {
        const struct loader_item *it = &s->loader.item[i];
        fw_cfg_add_item(fw, it->key, it->off, it->size);
        for (unsigned k = 0; k < ARRAY_LEN(size_of); k++)
            if (size_of[k].item == it->key)
                fw_cfg_add_value(fw, size_of[k].size, it->size, 4);
    }
}

/* Everything but RAM to its state at cycle 0. */
static void first_state(struct machine *m)
{
    struct setup *s = m->setup;
    memset(&m->st, 0, sizeof m->st);
    m->st.rng = s->seed;
    m->st.sched = s->sched;
    m->now = 0;
    m->reboot = false;
    memset(m->states, 0, s->states_size);
    for (unsigned i = 0; i < s->disks; i++)
        disk_reset(m->disk[i]);
    struct device *fw = machine_device(m, "fwcfg");
    if (fw)
        add_fw_cfg(fw, s);
    reset_harts(m, 0);
    reset_devices(m);
    start_first(m);
    machine_refresh(m);
}

void machine_refresh(struct machine *m)
{
    engine_flush(&m->engine);
    for (unsigned i = 0; i < m->setup->devices; i++)
        if (m->device[i].ops->refresh)
            m->device[i].ops->refresh(&m->device[i]);
    for (unsigned i = 0; i < m->setup->harts; i++) {
        cpu_stops_anew(machine_hart(m, i)); /* that was another time */
        machine_hart(m, i)->took.n = 0;
        m->arch->refresh(machine_hart(m, i));
    }
}

/* RAM, and flash if it is asked for, become as they were after loading. Returns false, and says so on the console, when an image
 * is no longer what it was. */
static bool reload(struct machine *m, bool flash)
{
    struct err e;
    if (kept_restore(m->setup, m->mem, flash, &e))
        return true;
    if (m->host.console) {
        m->host.console(m->host.ctx, "machine", e.text, strlen(e.text));
        m->host.console(m->host.ctx, "machine", "\n", 1);
    }
    return false;
}

/* The run is over: what should run is not there any more. */
static void give_up(struct machine *m)
{
    m->st.exited = 1;
    m->st.exit_code = 1;
}

void machine_reset(struct machine *m)
{
    bool ok = reload(m, true);
    first_state(m);
    if (!ok)
        give_up(m);
}

void machine_reboot(struct machine *m)
{
    uint64_t now = wire_now(m);
    m->reboot = false;
    m->reboots++;
    m->now = now;
    if (!reload(m, false))
        give_up(m);
    m->st.cycle = now;
    m->st.in_slice = 0;
    m->st.turn = 0;
    for (unsigned i = 0; i < m->st.sched.count; i++)
        sched_cancel(&m->st.sched, (int)i);
    reset_harts(m, now);
    reset_devices(m);
    start_first(m);
    machine_refresh(m);
}

/* ---- making
 * ------------------------------------------------------------------------------------------------------------------------- */

/* The parts that are caches or follow from the setup; mem exists. from: whose fork it is, or NULL. */
static void make_parts(struct machine *m, const struct machine *from)
{
    struct setup *s = m->setup;
    m->arch = s->kind->arch;
    engine_init(&m->engine, m->mem, m->arch->slot_shift);
    m->harts = must(malloc(s->harts * m->arch->cpu_size));
    for (unsigned i = 0; i < s->harts; i++) {
        struct cpu *c = (struct cpu *)(void *)(m->harts + i * m->arch->cpu_size);
        if (from)
            m->arch->copy(c, &m->engine, machine_hart(from, i));
        else
            m->arch->init(c, &m->engine, s->kind);
    }
    m->states = must(calloc(1, s->states_size + 1));
}

/* RAM, the reset ROM and the memory of devices. */
static bool add_memory(struct machine *m, struct err *e)
{
    const struct setup *s = m->setup;
    const struct board *b = s->board;
    bool secure = s->kind->secure && b->secure_ram_size;
    if (!mem_add_ram(m->mem, "ram", b->ram_base, s->ram, false, e))
        return false;
    if (secure && !mem_add_ram(m->mem, "secure ram", b->secure_ram_base, b->secure_ram_size, false, e))
        return false;
    if (s->kind->tags)
        mem_add_tags(m->mem, b->ram_base);
    if (s->kind->tags && secure)
        mem_add_tags(m->mem, b->secure_ram_base);
    for (unsigned i = 0; i < s->devices; i++)
        if (s->device[i].ops->rom &&
            !mem_add_ram(m->mem, s->device[i].id, s->device[i].base, s->device[i].ops->mmio_size, true, e))
            return false;
    return !b->rom_size || mem_add_ram(m->mem, "rom", b->rom_base, b->rom_size, true, e);
}

static bool load(struct machine *m, const struct machine_config *c, struct err *e)
{
    struct setup *s = m->setup;
    struct fdt_device list[MACHINE_DEVICES];
    struct fdt_board board = setup_fdt(s, list);
    struct loader_config l = {.boot = s->board->boot,
                              .mem = m->mem,
                              .board = &board,
                              .rom_base = s->board->rom_base,
                              .rom_size = s->board->rom_size,
                              .bios = c->bios,
                              .kernel = c->kernel,
                              .initrd = c->initrd,
                              .append = c->append,
                              .dtb = c->dtb,
                              .flash = {s->flash[0], s->flash[1]}};
    return add_memory(m, e) && loader_boot(&l, &s->loader, e);
}

static bool build(struct machine *m, const struct machine_config *c, struct err *e)
{
    struct setup *s = m->setup;
    if (!setup_from_config(s, m->disk, c, e) || !load(m, c, e) || !setup_finish(s, e))
        return false;
    make_parts(m, NULL);
    if (!wire_devices(m, false, e))
        return false;
    wire_harts(m);
    kept_make(s, m->mem, c->kernel, c->initrd);
    first_state(m);
    return true;
}

struct machine *machine_new(const struct machine_config *c, struct err *e)
{
    struct machine *m = must(calloc(1, sizeof *m));
    m->setup = must(calloc(1, sizeof *m->setup));
    m->setup->refs = 1;
    m->mem = mem_new();
    m->host = c->host;
    if (build(m, c, e))
        return m;
    machine_free(m);
    return NULL;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    if (m->harts)
        engine_free(&m->engine);
    for (unsigned i = 0; i < m->setup->disks; i++)
        disk_free(m->disk[i]);
    free(m->harts);
    free(m->states);
    mem_free(m->mem);
    setup_put(m->setup);
    free(m);
}

/* ---- forks
 * -------------------------------------------------------------------------------------------------------------------------- */

/* m's RAM is about to be shared: no cached translation may permit a store any more. */
static void share(struct machine *m)
{
    if (!m->shared)
        engine_flush(&m->engine);
    m->shared = true;
}

static void copy_state(struct machine *m, const struct machine *from)
{
    m->st = from->st;
    m->now = from->now;
    m->reboot = from->reboot;
    memcpy(m->states, from->states, m->setup->states_size);
}

/* What is no state, but tells at which of the points of a boundary the machine is. */
static void copy_taken(struct machine *m, const struct machine *from)
{
    for (unsigned i = 0; i < m->setup->harts; i++)
        machine_hart(m, i)->took = machine_hart(from, i)->took;
}

struct machine *machine_fork(struct machine *m)
{
    struct machine *f = must(calloc(1, sizeof *f));
    f->setup = setup_get(m->setup);
    f->mem = mem_fork(m->mem);
    share(m);
    make_parts(f, m);
    for (unsigned i = 0; i < f->setup->disks; i++)
        f->disk[i] = disk_fork(m->disk[i]);
    wire_devices(f, true, NULL);
    wire_harts(f);
    f->host = m->host;
    f->paced = m->paced;
    copy_state(f, m);
    copy_taken(f, m);
    f->shared = true;
    return f;
}

void machine_restore(struct machine *m, struct machine *from)
{
    mem_restore(m->mem, from->mem);
    share(from);
    for (unsigned i = 0; i < m->setup->disks; i++)
        disk_restore(m->disk[i], from->disk[i]);
    copy_state(m, from);
    for (unsigned i = 0; i < m->setup->harts; i++)
        memcpy(machine_progress(m, i), machine_progress(from, i), m->arch->state_size);
    machine_refresh(m);
    copy_taken(m, from);
}

/* More pages than these between two states are shared rather than copied. */
#define REWIND_PAGES 64

void machine_rewind(struct machine *m, struct machine *from)
{
    if (!m->arch->rewind || !mem_rewind(m->mem, from->mem, REWIND_PAGES)) {
        machine_restore(m, from);
        return;
    }
    for (unsigned i = 0; i < m->setup->disks; i++)
        disk_restore(m->disk[i], from->disk[i]);
    copy_state(m, from);
    for (unsigned i = 0; i < m->setup->harts; i++) {
        cpu_stops_anew(machine_hart(m, i));
        m->arch->rewind(machine_hart(m, i), machine_hart(from, i));
    }
    copy_taken(m, from);
    m->shared = false;
}

/* ---- small things
 * ------------------------------------------------------------------------------------------------------------------- */

void machine_set_host(struct machine *m, const struct machine_host *h) { m->host = *h; }
uint64_t machine_pages(const struct machine *m) { return mem_pages_held(m->mem); }
int machine_exit_code(const struct machine *m) { return m->st.exit_code; }
unsigned machine_harts(const struct machine *m) { return m->setup->harts; }

size_t machine_input(struct machine *m, const char *device, const void *p, size_t n)
{
    m->now = machine_cycle(m);
    if (!strcmp(device, "semihost"))
        return machine_typed(m, p, n);
    struct device *d = machine_device(m, device);
    size_t taken = d && d->ops->input ? d->ops->input(d, p, n) : 0;
    htif_show(m);
    return taken;
}

bool machine_read(struct machine *m, uint64_t pa, void *p, uint64_t n) { return mem_read(m->mem, pa, p, n); }
bool machine_write(struct machine *m, uint64_t pa, const void *p, uint64_t n) { return mem_write(m->mem, pa, p, n); }

bool machine_symbol(struct machine *m, const char *name, uint64_t *value)
{
    const struct symbol *s = symbols_find(&m->setup->loader.symbols, name);
    if (s)
        *value = s->value;
    return s;
}

bool machine_commit(struct machine *m, struct err *e)
{
    for (unsigned i = 0; i < m->setup->disks; i++)
        if (!disk_commit(m->disk[i], e))
            return false;
    return true;
}
