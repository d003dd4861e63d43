/* The services devices get, and the way from RAM and harts to devices. */
#include "machine/machine.h"
#include "base/rng.h"

#include <string.h>

static struct machine *owner(const struct device *d) { return d->machine; }
static struct device_spec *spec(const struct device *d) { return &owner(d)->setup->device[d->index]; }

/* The hart that is inside its run function, or NULL. */
static struct cpu *running(const struct machine *m) { return m->engine.running; }

uint64_t wire_now(const struct machine *m)
{
    const struct cpu *c = running(m);
    return c ? cpu_progress_of(c)->cycle : m->now;
}

/* The run loop has something to look at before the running hart goes on. */
static void resync(struct machine *m)
{
    struct cpu *c = running(m);
    if (c)
        c->resync = true;
}

struct device *machine_device(struct machine *m, const char *id)
{
    for (unsigned i = 0; i < m->setup->devices; i++)
        if (!strcmp(m->setup->device[i].id, id))
            return &m->device[i];
    return NULL;
}

/* ---- struct device_host
 * ------------------------------------------------------------------------------------------------------------- */

static uint64_t host_now(struct device *d) { return wire_now(owner(d)); }

static void host_arm(struct device *d, unsigned n, uint64_t when)
{
    struct machine *m = owner(d);
    sched_arm(&m->st.sched, spec(d)->event[n], when);
    struct cpu *c = running(m);
    if (c && when < m->until)
        c->resync = true;
}

static void host_irq(struct device *d, unsigned out, bool level)
{
    struct machine *m = owner(d);
    unsigned irq = spec(d)->irq;
    if (!irq || m->setup->controller < 0)
        return;
    struct device *c = &m->device[m->setup->controller];
    c->ops->line(c, irq + out, level);
}

static void host_hart_irq(struct device *d, unsigned hart, unsigned irq, bool level)
{
    struct machine *m = owner(d);
    if (hart >= m->setup->harts)
        return;
    m->arch->line(machine_hart(m, hart), irq, level);
    struct cpu *c = running(m);
    if (m->solo && c && c != machine_hart(m, hart))
        c->resync = true;
}

static bool host_inject(struct device *d, const struct injection *i) { return wire_inject(owner(d), i, NULL); }

static void host_hart_signal(struct device *d, unsigned hart, unsigned what, uint64_t value)
{
    struct machine *m = owner(d);
    if (hart >= m->setup->harts || !m->arch->signal)
        return;
    m->arch->signal(machine_hart(m, hart), what, value);
    struct cpu *c = running(m);
    if (m->solo && c && c != machine_hart(m, hart))
        c->resync = true;
}

static void host_rom_on(struct device *d, bool on)
{
    if (mem_rom_on(owner(d)->mem, spec(d)->base, on))
        engine_flush(&owner(d)->engine);
}

static bool host_secure(struct device *d)
{
    const struct cpu *c = running(owner(d));
    return c && c->io_secure;
}

/* Devices' own accesses are Non-secure. */
static bool dma_reaches(const struct machine *m, uint64_t pa, uint64_t n)
{
    const struct board *b = m->setup->board;
    return !m->setup->kind->secure || pa + n <= b->secure_ram_base || pa >= b->secure_ram_base + b->secure_ram_size;
}

static bool host_dma_read(struct device *d, uint64_t pa, void *p, uint64_t n)
{
    return dma_reaches(owner(d), pa, n) && mem_read(owner(d)->mem, pa, p, n);
}

static bool host_dma_write(struct device *d, uint64_t pa, const void *p, uint64_t n)
{
    return dma_reaches(owner(d), pa, n) && mem_write(owner(d)->mem, pa, p, n);
}

static void host_output(struct device *d, const void *p, size_t n)
{
    const struct machine_host *host = &owner(d)->host;
    bool frame = !strcmp(d->ops->name, "virtio_net");
    void (*fn)(void *, const char *, const void *, size_t) = frame ? host->frame : host->console;
    if (fn)
        fn(host->ctx, d->id, p, n);
}

static struct disk *disk_of(struct device *d) { return spec(d)->disk < 0 ? NULL : owner(d)->disk[spec(d)->disk]; }

static bool host_disk_read(struct device *d, uint64_t off, void *p, size_t n)
{
    struct disk *k = disk_of(d);
    if (d->ops == &fw_cfg_ops) {
        const struct buf *files = &owner(d)->setup->loader.fw_cfg;
        if (off > files->len || n > files->len - off)
            return false;
        memcpy(p, files->data + off, n);
        return true;
    }
    return k && disk_read(k, off, p, n);
}

static bool host_disk_write(struct device *d, uint64_t off, const void *p, size_t n)
{
    struct disk *k = disk_of(d);
    return k && disk_write(k, off, p, n);
}

static uint64_t host_disk_size(struct device *d)
{
    struct disk *k = disk_of(d);
    return k ? disk_size(k) : 0;
}

static void host_exit(struct device *d, int code)
{
    struct machine *m = owner(d);
    m->st.exited = 1;
    m->st.exit_code = code;
    resync(m);
}

static void host_reboot(struct device *d)
{
    owner(d)->reboot = true;
    resync(owner(d));
}

static void host_set_time_offset(struct device *d, uint64_t offset)
{
    struct machine *m = owner(d);
    for (unsigned i = 0; i < m->setup->harts; i++)
        m->arch->set_time_offset(machine_hart(m, i), offset);
    resync(m);
}

static uint64_t host_rng(struct device *d) { return rng_next(&owner(d)->st.rng); }

static const struct device_host services = {
    .now = host_now,
    .arm = host_arm,
    .irq = host_irq,
    .hart_irq = host_hart_irq,
    .inject = host_inject,

    .hart_signal = host_hart_signal,
    .rom_on = host_rom_on,
    .secure = host_secure,
    .dma_read = host_dma_read,
    .dma_write = host_dma_write,
    .output = host_output,
    .disk_read = host_disk_read,
    .disk_write = host_disk_write,
    .disk_size = host_disk_size,
    .exit = host_exit,
    .reboot = host_reboot,
    .set_time_offset = host_set_time_offset,
    .rng = host_rng,
};

void wire_events(struct machine *m, uint64_t now)
{
    int id;
    m->now = now;
    while (sched_pop(&m->st.sched, now, &id)) {
        struct device *d = &m->device[m->setup->owner[id].device];
        d->ops->event(d, m->setup->owner[id].n);
        htif_show(m);
    }
}

/* ---- the bus
 * ------------------------------------------------------------------------------------------------------------------------ */

/* Whether the access in progress finds the device. */
static bool reaches(struct device *d) { return !spec(d)->secure || host_secure(d); }

static bool bus_read(void *ctx, uint64_t off, unsigned size, uint64_t *value)
{
    struct device *d = ctx;
    return reaches(d) && off < d->ops->mmio_size && d->ops->read && d->ops->read(d, off, size, value);
}

static bool bus_write(void *ctx, uint64_t off, unsigned size, uint64_t value)
{
    struct device *d = ctx;
    return reaches(d) && off < d->ops->mmio_size && d->ops->write && d->ops->write(d, off, size, value);
}

/* Slots that are smaller than a page share a region. */
static struct device *slot_at(struct machine *m, uint64_t *off)
{
    const struct board *b = m->setup->board;
    struct device *d = *off / b->slot_stride < b->slots ? &m->device[m->setup->slot[*off / b->slot_stride]] : NULL;
    *off %= b->slot_stride;
    return d;
}

static bool slots_read(void *ctx, uint64_t off, unsigned size, uint64_t *value)
{
    struct device *d = slot_at(ctx, &off);
    return d && bus_read(d, off, size, value);
}

static bool slots_write(void *ctx, uint64_t off, unsigned size, uint64_t value)
{
    struct device *d = slot_at(ctx, &off);
    return d && bus_write(d, off, size, value);
}

static bool share_slots(const struct board *b) { return b->slots && b->slot_stride % MEM_PAGE_SIZE; }

static bool wire_slots(struct machine *m, bool fork, struct err *e)
{
    const struct board *b = m->setup->board;
    uint64_t size = (b->slots * b->slot_stride + MEM_PAGE_SIZE - 1) & ~(uint64_t)(MEM_PAGE_SIZE - 1);
    struct mem_io io = {slots_read, slots_write, m};
    if (!fork)
        return mem_add_io(m->mem, "virtio slots", b->slot_base, size, io, e);
    mem_set_io(m->mem, b->slot_base, io);
    return true;
}

bool wire_devices(struct machine *m, bool fork, struct err *e)
{
    struct setup *s = m->setup;
    for (unsigned i = 0; i < s->devices; i++) {
        const struct device_spec *p = &s->device[i];
        m->device[i] = (struct device){.ops = p->ops,
                                       .host = &services,
                                       .machine = m,
                                       .state = m->states + p->state_at,
                                       .id = p->id,
                                       .base = p->base,
                                       .index = i,
                                       .harts = s->harts,
                                       /* Where the machine is the firmware, it has set GICD_CTLR.DS. */
                                       .secure = s->kind->secure && !s->loader.conduit,
                                       .nmi = s->kind->nmi,
                                       .tick_cycles = s->kind->tick_cycles,
                                       .tick_hz = s->tick_hz,
                                       .arg = p->arg};
        uint64_t size = (p->ops->mmio_size + MEM_PAGE_SIZE - 1) & ~(uint64_t)(MEM_PAGE_SIZE - 1);
        struct mem_io io = {bus_read, bus_write, &m->device[i]};
        bool in_slot = p->base - s->board->slot_base < s->board->slots * s->board->slot_stride;
        if (!size || !strcmp(p->ops->name, "htif") || (in_slot && share_slots(s->board)))
            continue; /* htif's registers are in RAM */
        if (fork || p->ops->rom)
            mem_set_io(m->mem, p->base, io);
        else if (!mem_add_io(m->mem, p->id, p->base, size, io, e))
            return false;
    }
    return !share_slots(s->board) || wire_slots(m, fork, e);
}

static void ram_changed(void *ctx, uint64_t pa, uint64_t n)
{
    struct machine *m = ctx;
    engine_changed(&m->engine, pa, n);
}

static void trapped(void *ctx, struct cpu *cpu, const struct cpu_change *c)
{
    struct machine *m = ctx;
    struct machine_change change = {
        .hart = cpu->index,
        .is_return = c->is_return,
        .interrupt = c->interrupt,
        .nmi = c->nmi,
        .gva = c->gva,
        .priv = c->priv,
        .v = c->v,
        .to_priv = c->to_priv,
        .to_v = c->to_v,
        .cause = c->cause,
        .tval = c->tval,
        .tval2 = c->tval2,
        .tinst = c->tinst,
        .epc = c->epc,
        .pc = c->pc,
        .cycle = cpu_progress(cpu)->cycle,
        .behind = cpu_progress(cpu)->cycle + c->within,
    };
    m->change(m->change_ctx, m, &change);
}

static void asked(void *ctx, struct cpu *c, unsigned what, uint64_t value)
{
    struct machine *m = ctx;
    struct device *d = m->setup->controller < 0 ? NULL : &m->device[m->setup->controller];
    if (d && d->ops->hart_call)
        d->ops->hart_call(d, c->index, what, value);
}

void machine_watch(struct machine *m, machine_watch_fn *fn, void *ctx)
{
    m->change = fn;
    m->change_ctx = ctx;
    m->env.trapped = fn ? trapped : NULL;
}

void machine_watch_answers(struct machine *m, machine_answer_fn *fn, void *ctx)
{
    m->answered = fn;
    m->answered_ctx = ctx;
}

void machine_break(struct machine *m, unsigned hart)
{
    m->stop = 1;
    m->asked = true;
    machine_hart(m, hart)->resync = true;
}

void wire_harts(struct machine *m)
{
    mem_set_changed(m->mem, ram_changed, m);
    m->env.controller = asked;
    m->env.firmware = m->setup->loader.conduit ? machine_firmware : NULL;
    m->env.semihost = m->setup->semihosting ? machine_semihost : NULL;
    for (unsigned i = 0; i < m->setup->harts; i++) {
        machine_hart(m, i)->env = &m->env;
        machine_hart(m, i)->env_ctx = m;
    }
    htif_wire(m);
}

/* ---- registers
 * ------------------------------------------------------------------------------------------------------------------ */

bool machine_get_reg(struct machine *m, unsigned hart, const char *name, uint64_t *value)
{
    return hart < m->setup->harts && m->arch->get_reg(machine_hart(m, hart), name, value);
}

bool machine_set_reg(struct machine *m, unsigned hart, const char *name, uint64_t value)
{
    return hart < m->setup->harts && m->arch->set_reg(machine_hart(m, hart), name, value);
}
