/* Running an image: on a PE with RAM, on QEMU as a program whose RAM is a file. */
#include "a64_cover.h"
#include "a64_diff.h"
#include "driver.h"
#include "cpu/arm/gic_cpuif.h"
#include "cpu/arm/pe.h"

#include <stdlib.h>
#include <string.h>

/* What is off: what no QEMU has, nor the test needs; and what came with a version, for those before. */
static const char never[] = "max,midr=0x000f0510,lrcpc3=off,s1poe=off,doublefault2=off,ntlbpa=off,exs=off,fgt2=off,pfar=off,"
                            "ccidx=off,specres2=off,pmuv3p7=off,pmuv3_th=off,s2poe=off,haft=off,the=off,"
                            "twed=off,mte_canonical_tags=off";
static const struct {
    unsigned since;
    const char *off;
} came[] = {
    {10, ",fgt=off,ecv=off,hbc=off,lse2=off,wfxt=off,pauth2=off,fpac=off,pan3=off,xs=off,nmi=off,evt=off,tidcp1=off,afp=off,"
         "cmow=off,debugv8p8=off"},
    {11, ",mte_store_only=off,mte_tagged_far=off,mte_perm=off,cssc=off,lse128=off,tcr2=off,sctlr2=off,s1pie=off,s2pie=off,"
         "aie=off,ats1a=off"},
};

static bool configure(struct a64_isa *isa, struct err *e)
{
    char options[sizeof never + 512];
    unsigned n = (unsigned)snprintf(options, sizeof options, "%s", never);
    for (unsigned i = 0; i < ARRAY_LEN(came); i++)
        if (isa->witness < came[i].since)
            n += (unsigned)snprintf(options + n, sizeof options - n, "%s", came[i].off);
    return arm_config_parse(options, &isa->cfg, e);
}

/* TRAPLINE_DIFF_QEMU, or what is installed. */
static const char *witness(void)
{
    const char *path = getenv("TRAPLINE_DIFF_QEMU");
    return path && *path ? path : "qemu-system-aarch64";
}

/* The version the emulator says it has, such as 10; what is installed is 7. */
static unsigned version_of(const char *path)
{
    char command[512], line[128] = "";
    unsigned major = 7;
    if (!getenv("TRAPLINE_DIFF_QEMU"))
        return major;
    snprintf(command, sizeof command, "'%s' --version", path);
    FILE *f = popen(command, "r");
    if (f && fgets(line, sizeof line, f))
        sscanf(line, "QEMU emulator version %u", &major);
    if (f)
        pclose(f);
    return major;
}

bool a64_isa_init(struct a64_isa *isa, struct err *e)
{
    *isa = (struct a64_isa){0};
    isa->witness = version_of(witness());
    if (!configure(isa, e))
        return false;
    isa->cfg.rvbar = A64_RAM_BASE + A64_BASE;
    isa->map = sysreg_map_new(&isa->cfg);
    isa->decoder = a64_decoder_new(&isa->cfg);
    isa->rows = calloc(a64_row_count(), sizeof *isa->rows);
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row r = a64_row(i);
        if (a64_row_has(&isa->cfg, &r))
            isa->rows[isa->nrows++] = r;
    }
    a64_kinds_init(isa);
    isa->mem = mem_new();
    isa->blank = mem_new();
    if (!mem_add_ram(isa->blank, "ram", A64_RAM_BASE, A64_RAM, false, e))
        return false;
    mem_add_tags(isa->blank, A64_RAM_BASE);
    isa->engine = calloc(1, sizeof *isa->engine);
    isa->pe = calloc(1, sizeof *isa->pe);
    engine_init(isa->engine, isa->mem, 2);
    pe_init(isa->pe, isa->engine, &isa->cfg, isa->map, isa->decoder, 0x80000000, 16);
    a64_isa_reset(isa);
    a64_regs_init(isa);
    return true;
}

void a64_isa_reset(const struct a64_isa *isa)
{
    pe_reset(isa->pe);
    sysreg_write(&isa->pe->ctx, SR_scr_el3, 0x531); /* Non-secure, where all registers are */
}

void a64_isa_free(struct a64_isa *isa)
{
    engine_free(isa->engine);
    mem_free(isa->mem);
    mem_free(isa->blank);
    free(isa->engine);
    free(isa->pe);
    sysreg_map_free(isa->map);
    a64_decoder_free(isa->decoder);
    free(isa->rows);
    free(isa->kinds);
}

/* A PE with RAM. */
struct rig {
    struct mem *mem;
    struct engine engine;
    struct pe pe;
    bool ended;
    uint64_t began, idle, retired; /* when the harness was left; instructions outside it */
    uint64_t left;                 /* cases not begun yet */
    bool step;                     /* stop where the harness is left, */
    bool left_harness, trapped;    /* as it was; an exception was raised */
    bool at_case;                  /* the first round of a case begins */
    struct mem *saved;             /* memory as it was when case `from` began, and what was retired before */
    unsigned from;
    uint64_t before;
};
enum { SAVE_EVERY = 16 }; /* cases */

static bool semihost(void *ctx, struct pe *p)
{
    struct rig *r = ctx;
    if (p->s.x[0] != 0x18)
        return false;
    r->ended = true;
    p->cpu.resync = true;
    return true;
}

static uint64_t variable(const struct rig *r, unsigned which)
{
    uint64_t value;
    mem_read(r->mem, A64_RAM_BASE + A64_BASE + A64_CTL + which, &value, 8);
    return value;
}

/* Leaving the harness, and coming back to it. */
static void trapped(void *ctx, struct pe *p, const struct pe_was *was)
{
    struct rig *r = ctx;
    const uint64_t harness = A64_RAM_BASE + A64_BASE;
    r->trapped |= was->exc != NULL;
    if (!was->exc && was->pc >= harness && was->pc < harness + A64_CTL) {
        uint64_t left = variable(r, CTLA_LEFT);
        if (left / A64_ROUNDS != r->left)
            p->cpu.resync = r->at_case = true;
        r->left = left / A64_ROUNDS;
        r->left_harness = r->step;
        p->cpu.resync |= r->step;
        r->began = p->s.cycle;
        r->idle = p->s.idle;
    } else if (p->s.pc >= harness + A64_VECTORS && p->s.pc < harness + A64_CTL) {
        r->retired += p->s.cycle - r->began - (p->s.idle - r->idle);
    }
}

static uint64_t read_gic(void *ctx, struct pe *p, unsigned id)
{
    (void)ctx;
    return gic_read(p, id);
}

static uint32_t write_gic(void *ctx, struct pe *p, unsigned id, uint64_t value)
{
    (void)ctx;
    return gic_write(p, id, value);
}

static void gic_look(void *ctx, struct pe *p)
{
    (void)ctx;
    gic_changed(p);
}

static const struct pe_env env = {
    .semihost = semihost, .trapped = trapped, .gic_read = read_gic, .gic_write = write_gic, .gic_changed = gic_look};

/* A part of an image into RAM: the pages that hold something. */
static void load(struct rig *r, const uint8_t *image, uint64_t at, uint64_t size)
{
    static const uint8_t nothing[4096];
    for (uint64_t end = at + size; at < end; at += 4096)
        if (memcmp(image + at, nothing, 4096))
            mem_write(r->mem, A64_RAM_BASE + A64_BASE + at, image + at, 4096);
}

static void rig_start(struct rig *r, const struct a64_isa *isa, const uint8_t *before, unsigned first, unsigned n)
{
    *r = (struct rig){.mem = mem_fork(isa->blank), .left = UINT64_MAX};
    load(r, before, 0, A64_ARENA0);
    for (unsigned i = first; i < n; i++) {
        load(r, before, a64_arena(i), A64_ARENA);
        load(r, before, a64_round(i, 0), A64_ROUNDS * A64_ROUND);
    }
    r->from = first;
    engine_init(&r->engine, r->mem, 2);
    pe_init(&r->pe, &r->engine, &isa->cfg, isa->map, isa->decoder, 0x80000000, 16);
    r->pe.env = &env;
    r->pe.env_ctx = r;
}

static void rig_end(struct rig *r)
{
    engine_free(&r->engine);
    mem_free(r->mem);
    if (r->saved)
        mem_free(r->saved);
}

/* A case begins: now and then memory is kept, to come back to when a round does not end. */
static void begin_case(struct rig *r, unsigned n)
{
    unsigned index = n - 1 - (unsigned)r->left;
    r->at_case = false;
    if (r->saved && index - r->from < SAVE_EVERY)
        return;
    engine_flush(&r->engine);
    if (r->saved)
        mem_free(r->saved);
    r->saved = mem_fork(r->mem);
    r->from = index;
    r->before = r->retired;
}

/* Runs until the end. False: round *stuck, counted from the first case's on, does not end: one takes less than 10,000 cycles. */
static bool run_all(struct rig *r, unsigned n, unsigned *stuck)
{
    uint64_t last = UINT64_MAX;
    for (;;) {
        uint64_t until = r->pe.s.cycle + 50000;
        enum cpu_stop s;
        do
            s = pe_run(&r->pe, until);
        while (s == CPU_STOP_RESYNC && r->pe.s.cycle < until && !r->ended && !r->at_case); /* an interrupt line changed */
        if (r->ended)
            return true;
        if (r->at_case) {
            begin_case(r, n);
            continue;
        }
        uint64_t left = variable(r, CTLA_LEFT);
        if (left == last || s != CPU_STOP_LIMIT) {
            *stuck = n * A64_ROUNDS - 1 - (unsigned)left;
            return false;
        }
        last = left;
    }
}

/* Round `stuck` does not end: it is to end with the last record it makes, or not to be run. Some cases begin anew. */
static void cut(struct rig *r, uint8_t *before, unsigned n, unsigned stuck)
{
    const uint64_t image = A64_RAM_BASE + A64_BASE;
    uint64_t at = a64_round(0, stuck), room, made;
    memcpy(&room, before + at + ROUNDA_ROOM, 8);
    made = room - variable(r, CTLA_ROOM);
    if (made && made < room)
        memcpy(before + at + ROUNDA_ROOM, &made, 8);
    else
        before[at + ROUNDA_SKIP] = 1;
    if (r->saved)
        mem_restore(r->mem, r->saved);
    for (unsigned i = r->from * A64_ROUNDS; i <= stuck; i++) {
        mem_write(r->mem, image + a64_round(0, i) + ROUNDA_SKIP, before + a64_round(0, i) + ROUNDA_SKIP, 1);
        mem_write(r->mem, image + a64_round(0, i) + ROUNDA_ROOM, before + a64_round(0, i) + ROUNDA_ROOM, 8);
    }
    uint64_t ctl[] = {(n - r->from) * A64_ROUNDS, image + a64_round(r->from, 0) - A64_ROUND};
    mem_write(r->mem, image + A64_CTL, ctl, sizeof ctl);
    engine_drop(&r->engine);
    r->retired = r->before;
    r->left = UINT64_MAX;
    pe_reset(&r->pe);
}

static void copy_page(void *image, uint64_t pa, const uint8_t *page)
{
    uint64_t at = pa - A64_RAM_BASE - A64_BASE;
    if (at < A64_IMAGE)
        memcpy((uint8_t *)image + at, page, 4096);
}

struct sameness {
    const uint8_t *image;
    bool same;
};

static void compare_page(void *ctx, uint64_t pa, const uint8_t *page)
{
    struct sameness *s = ctx;
    uint64_t at = pa - A64_RAM_BASE - A64_BASE;
    if (at < A64_IMAGE && memcmp(s->image + at, page, 4096))
        s->same = false;
}

/* Runs what is between the harness's return and the next exception it takes. */
static void step(struct rig *r, const struct a64_isa *isa, struct a64_cover *cover)
{
    const uint64_t harness = A64_RAM_BASE + A64_BASE;
    while (r->pe.s.pc - harness >= A64_CTL) {
        uint32_t bits;
        bool read = mem_read(r->mem, r->pe.s.pc, &bits, 4);
        r->trapped = false;
        enum cpu_stop s = pe_run(&r->pe, r->pe.s.cycle + 1);
        if (s != CPU_STOP_LIMIT && s != CPU_STOP_RESYNC)
            return;
        if (read)
            a64_cover_insn(cover, isa, bits, r->trapped);
    }
}

bool a64_run_steps(const struct a64_isa *isa, const uint8_t *image, uint8_t *before, unsigned n, struct a64_cover *cover,
                   bool *same, struct err *e)
{
    struct rig *r = malloc(sizeof *r);
    bool ends = true;
    rig_start(r, isa, before, 0, n);
    r->step = true;
    while (ends && !r->ended) {
        r->left_harness = false;
        enum cpu_stop s = pe_run(&r->pe, r->pe.s.cycle + 100000);
        if (r->left_harness)
            step(r, isa, cover);
        else
            ends = s == CPU_STOP_RESYNC; /* the harness runs for less than that */
    }
    struct sameness s = {image, true};
    mem_visit(r->mem, compare_page, &s);
    *same = s.same;
    rig_end(r);
    free(r);
    return ends || err_set(e, "instruction by instruction a round does not end");
}

bool a64_run_trapline(const struct a64_isa *isa, uint8_t *image, uint8_t *before, unsigned first, unsigned n, uint64_t *retired,
                      struct err *e)
{
    struct rig *r = malloc(sizeof *r);
    unsigned stuck = 0, cuts = 0;
    bool ended;
    rig_start(r, isa, before, first, n);
    while (!(ended = run_all(r, n, &stuck)) && stuck < n * A64_ROUNDS && ++cuts <= 2 * n * A64_ROUNDS)
        cut(r, before, n, stuck);
    *retired = r->retired;
    mem_visit(r->mem, copy_page, image);
    rig_end(r);
    free(r);
    return ended || err_set(e, "the harness itself does not come back");
}

static pid_t start_qemu(const char *file, bool young)
{
    char object[256], size[32], loader[64];
    snprintf(object, sizeof object, "memory-backend-file,id=ram,size=%llu,mem-path=%s,share=on", (unsigned long long)A64_RAM,
             file);
    snprintf(size, sizeof size, "%lluM", (unsigned long long)A64_RAM >> 20);
    snprintf(loader, sizeof loader, "loader,addr=%#llx,cpu-num=0", (unsigned long long)(A64_RAM_BASE + A64_BASE));
    char bin[512];
    snprintf(bin, sizeof bin, "%s", witness());
    char *argv[] = {bin,
                    "-machine",
                    "virt,secure=on,virtualization=on,mte=on,gic-version=3,memory-backend=ram",
                    "-cpu",
                    young ? "max,sve=off,sme=off,pauth-qarma5=on" : "max,sve=off,sme=off",
                    "-m",
                    size,
                    "-object",
                    object,
                    "-device",
                    loader,
                    "-semihosting-config",
                    "enable=on,target=native",
                    "-display",
                    "none",
                    "-serial",
                    "none",
                    "-monitor",
                    "none",
                    "-nodefaults",
                    "-no-reboot",
                    NULL};
    return driver_start(argv);
}

bool a64_run_qemu(const struct a64_isa *isa, const char *file, const uint8_t *image, unsigned n, unsigned *stuck, struct err *e)
{
    const struct driver_left left = {image + A64_CTL + CTLA_LEFT, A64_ROUNDS, n};
    return driver_wait(start_qemu(file, isa->witness >= 10), "qemu-system-aarch64", &left, stuck, e);
}
