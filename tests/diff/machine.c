/* Running an image: on trapline through the library, on QEMU as a program whose RAM is a file. */
#include "diff.h"
#include "driver.h"
#include "machine/trapline.h"

#include <stdlib.h>
#include <string.h>

/* What QEMU 7.2 does not have is off. */
const char diff_cpu_options[] =
    "zicbom=off,zicbop=off,zicboz=off,zicfilp=off,zicfiss=off,zicond=off,zimop=off,zabha=off,zacas=off,zawrs=off,zfa=off,zcb=off,"
    "zcmop=off,"
    "zkr=off,ssccfg=off,sscofpmf=off,sscsrind=off,ssdbltrp=off,ssnpm=off,smstateen=off,ssstateen=off,smcdeleg=off,smcntrpmf=off,"
    "smcsrind=off,smepmp=off,smmpm=off,smnpm=off,shlcofideleg=off,svade=off,svadu=on,pmp=16,hpm=0,geilen=0";
static const char qemu_options[] = "h=true,sstc=true,zba=true,zbb=true,zbc=true,zbs=true,zbkb=true,zbkc=true,zbkx=true,Zfh=true,"
                                   "svinval=true,debug=false,pmu-num=0,"
                                   "sscofpmf=false,mvendorid=0,marchid=0,mimpid=0";

bool diff_isa_init(struct diff_isa *isa, unsigned xlen, struct err *e)
{
    char text[1024];
    *isa = (struct diff_isa){.xlen = xlen};
    snprintf(text, sizeof text, "rv%u,%s", xlen, diff_cpu_options);
    rv_config_default(&isa->cfg, 64);
    if (!rv_config_parse(&isa->cfg, text, e))
        return false;
    isa->map = csr_map_new(&isa->cfg);
    isa->decoder = rv_decoder_new(&isa->cfg);
    isa->rows = calloc(rv_insn_count(), sizeof *isa->rows);
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (rv_insn_has(&isa->cfg, &r) && (!r.xlen || r.xlen == xlen))
            isa->rows[isa->nrows++] = r;
    }
    return true;
}

void diff_isa_free(struct diff_isa *isa)
{
    csr_map_free(isa->map);
    rv_decoder_free(isa->decoder);
    free(isa->rows);
}

static struct machine *new_machine(const struct diff_isa *isa, struct err *e)
{
    char cpu[1024];
    snprintf(cpu, sizeof cpu, "rv%u,%s", isa->xlen, diff_cpu_options);
    struct machine_config config = {.cpu = cpu, .ram = DIFF_RAM, .bios = "none"};
    return machine_new(&config, e);
}

/* A part of the image: the pages that hold something. */
static void write_part(struct machine *m, const uint8_t *image, uint64_t at, uint64_t size)
{
    static const uint8_t nothing[4096];
    for (uint64_t end = at + size; at < end; at += 4096)
        if (memcmp(image + at, nothing, 4096))
            machine_write(m, DIFF_RAM_BASE + at, image + at, 4096);
}

static void write_image(struct machine *m, const uint8_t *image, unsigned first, unsigned n)
{
    write_part(m, image, 0, DIFF_ARENA0);
    for (unsigned i = first; i < n; i++) {
        write_part(m, image, diff_arena(i), DIFF_ARENA);
        write_part(m, image, diff_round(i, 0), DIFF_ROUNDS * DIFF_ROUND);
    }
}

/* What the watch of a run sees: the rounds, and the instructions of their blocks, from the harness's mret to the trap that comes
   back to it. */
struct progress {
    uint64_t left;         /* rounds that were left when the last one began */
    uint64_t began, total; /* the cycle of that mret; instructions until now */
    bool broken;           /* the harness's variables are not its own any more */
};

static void changed(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct progress *p = ctx;
    const uint64_t harness = DIFF_RAM_BASE + DIFF_CODE, end = DIFF_RAM_BASE + DIFF_CTL;
    if (c->is_return && c->epc >= harness && c->epc < end) {
        uint64_t left = 0;
        machine_read(m, DIFF_RAM_BASE + DIFF_CTL + CTL_LEFT, &left, 8);
        p->broken = left > p->left;
        if (p->broken)
            machine_break(m, c->hart);
        else
            p->left = left;
        p->began = c->cycle;
    } else if (!c->is_return && c->pc >= harness && c->pc < end) {
        p->total += c->cycle - p->began;
    }
}

/* Runs until the end. False: a round does not come back. It takes less than 10,000 cycles. */
static bool run_all(struct machine *m, const struct progress *p)
{
    for (uint64_t last = UINT64_MAX;; last = p->left) {
        enum machine_stop s = machine_run(m, 50000);
        if (s == MACHINE_EXIT)
            return true;
        if (s != MACHINE_CYCLES || p->broken || p->left == last)
            return false;
    }
}

bool diff_run_trapline(const struct diff_isa *isa, uint8_t *ram, uint8_t *before, unsigned first, unsigned n, uint64_t *executed,
                       struct err *e)
{
    struct machine *base = new_machine(isa, e);
    if (!base)
        return false;
    struct progress p;
    bool ended;
    const unsigned rounds = (n - first) * DIFF_ROUNDS;
    write_image(base, before, first, n);
    machine_set_reg(base, 0, "pc", DIFF_RAM_BASE);
    struct machine *m = machine_fork(base);
    for (unsigned hung = 0;; ++hung) {
        p = (struct progress){.left = rounds};
        machine_watch(m, changed, &p);
        ended = run_all(m, &p);
        if (ended || p.left == rounds || hung == n)
            break;
        unsigned stuck = n - 1 - (unsigned)(p.left / DIFF_ROUNDS);
        diff_skip(before, stuck);
        for (unsigned i = 0; i < DIFF_ROUNDS; i++)
            machine_write(base, DIFF_RAM_BASE + diff_round(stuck, i), before + diff_round(stuck, i), 8);
        machine_restore(m, base);
    }
    *executed = p.total;
    for (unsigned i = first; i < n; i++) {
        machine_read(m, DIFF_RAM_BASE + diff_arena(i), ram + diff_arena(i), DIFF_ARENA);
        machine_read(m, DIFF_RAM_BASE + diff_round(i, 0), ram + diff_round(i, 0), DIFF_ROUNDS * DIFF_ROUND);
    }
    machine_free(m);
    machine_free(base);
    return ended || err_set(e, "the harness itself does not come back");
}

static pid_t start_qemu(const struct diff_isa *isa, const char *file)
{
    char object[256], cpu[512], bin[64];
    snprintf(bin, sizeof bin, "qemu-system-riscv%u", isa->xlen);
    snprintf(object, sizeof object, "memory-backend-file,id=ram,size=%llu,mem-path=%s,share=on", (unsigned long long)DIFF_RAM,
             file);
    snprintf(cpu, sizeof cpu, "rv%u,%s%s", isa->xlen, qemu_options,
             isa->xlen == 64 ? ",svnapot=true,svpbmt=true" : ",svnapot=false,svpbmt=false");
    char size[32];
    snprintf(size, sizeof size, "%lluM", (unsigned long long)DIFF_RAM >> 20);
    char *argv[] = {bin,
                    "-machine",
                    "virt,memory-backend=ram",
                    "-cpu",
                    cpu,
                    "-smp",
                    "2" /* atomic operations raise store faults only then */,
                    "-m",
                    size,
                    "-object",
                    object,
                    "-bios",
                    "none",
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

bool diff_run_qemu(const struct diff_isa *isa, const char *file, const uint8_t *ram, unsigned n, unsigned *stuck, struct err *e)
{
    const struct driver_left left = {ram + DIFF_CTL + CTL_LEFT, DIFF_ROUNDS, n};
    return driver_wait(start_qemu(isa, file), isa->xlen == 64 ? "qemu-system-riscv64" : "qemu-system-riscv32", &left, stuck, e);
}
