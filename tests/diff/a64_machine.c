/* Running an image: on a PE with RAM, on QEMU as a program whose RAM is a file. */
#include "a64_diff.h"
#include "cpu/arm/pe.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What QEMU 7.2 does not have is off. */
const char a64_cpu_options[] = "max,midr=0x000f0510,mte=off,fgt=off,ecv=off,cssc=off,hbc=off,lrcpc3=off,lse2=off,lse128=off,wfxt="
                               "off,pauth2=off,fpac=off,pan3=off,"
                               "tcr2=off,sctlr2=off,s1pie=off,s1poe=off,xs=off,specres2=off,nmi=off,"
                               "doublefault2=off,ats1a=off,ntlbpa=off,s2pie=off,ccidx=off,evt=off,tidcp1=off,afp=off,exs=off";

bool a64_isa_init(struct a64_isa *isa, struct err *e)
{
    *isa = (struct a64_isa){0};
    if (!arm_config_parse(a64_cpu_options, &isa->cfg, e))
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
    return true;
}

void a64_isa_free(struct a64_isa *isa)
{
    sysreg_map_free(isa->map);
    a64_decoder_free(isa->decoder);
    free(isa->rows);
}

/* A PE with RAM. */
struct rig {
    struct mem *mem;
    struct engine engine;
    struct pe pe;
    bool ended;
    uint64_t began, idle, retired; /* when the harness was left; instructions outside it */
    uint64_t left, before;         /* cases not begun yet; what was retired before the one that runs */
};

static bool semihost(void *ctx, struct pe *p)
{
    struct rig *r = ctx;
    if (p->s.x[0] != 0x18)
        return false;
    r->ended = true;
    p->cpu.resync = true;
    return true;
}

/* Leaving the harness, and coming back to it. */
static void trapped(void *ctx, struct pe *p, const struct pe_was *was)
{
    struct rig *r = ctx;
    const uint64_t harness = A64_RAM_BASE + A64_BASE;
    if (!was->exc && was->pc >= harness && was->pc < harness + A64_CTL) {
        uint64_t left;
        mem_read(r->mem, harness + A64_CTL + CTLA_LEFT, &left, 8);
        if (left / A64_ROUNDS != r->left)
            r->before = r->retired;
        r->left = left / A64_ROUNDS;
        r->began = p->s.cycle;
        r->idle = p->s.idle;
    } else if (p->s.pc >= harness + A64_VECTORS && p->s.pc < harness + A64_CTL) {
        r->retired += p->s.cycle - r->began - (p->s.idle - r->idle);
    }
}
static const struct pe_env env = {.semihost = semihost, .trapped = trapped};

static void rig_start(struct rig *r, const struct a64_isa *isa, const uint8_t *before)
{
    struct err e;
    *r = (struct rig){.mem = mem_new()};
    mem_add_ram(r->mem, "ram", A64_RAM_BASE, A64_RAM, false, &e);
    for (uint64_t at = 0; at < A64_IMAGE; at += 4096) {
        static const uint8_t nothing[4096];
        if (memcmp(before + at, nothing, 4096))
            mem_write(r->mem, A64_RAM_BASE + A64_BASE + at, before + at, 4096);
    }
    engine_init(&r->engine, r->mem, 2);
    pe_init(&r->pe, &r->engine, &isa->cfg, isa->map, isa->decoder, 0x80000000, 16);
    r->pe.env = &env;
    r->pe.env_ctx = r;
}

static void rig_end(struct rig *r)
{
    engine_free(&r->engine);
    mem_free(r->mem);
}

/* Runs until the end. False: case *stuck does not come back. A round takes less than 10,000 cycles. */
static bool run_all(struct rig *r, unsigned n, unsigned *stuck)
{
    uint64_t left, last = UINT64_MAX;
    for (;;) {
        enum cpu_stop s = pe_run(&r->pe, r->pe.s.cycle + 50000);
        if (r->ended)
            return true;
        mem_read(r->mem, A64_RAM_BASE + A64_BASE + A64_CTL + CTLA_LEFT, &left, 8);
        if (left == last || s != CPU_STOP_LIMIT) {
            *stuck = n - 1 - (unsigned)(left / A64_ROUNDS);
            return false;
        }
        last = left;
    }
}

bool a64_run_trapline(const struct a64_isa *isa, uint8_t *image, uint8_t *before, unsigned n, unsigned *hung, uint64_t *retired,
                      struct err *e)
{
    struct rig *r = malloc(sizeof *r);
    unsigned stuck = 0;
    bool ended;
    *hung = 0;
    rig_start(r, isa, before);
    while (!(ended = run_all(r, n, &stuck)) && stuck < n && ++*hung <= n) {
        a64_skip(before, stuck);
        for (unsigned i = 0; i < A64_ROUNDS; i++)
            mem_write(r->mem, A64_RAM_BASE + A64_BASE + a64_round(stuck, i), before + a64_round(stuck, i), 8);
        r->retired = r->before;
        pe_reset(&r->pe); /* the harness goes on with the next case */
    }
    *retired = r->retired;
    mem_read(r->mem, A64_RAM_BASE + A64_BASE, image, A64_IMAGE);
    rig_end(r);
    free(r);
    return ended || err_set(e, "the harness itself does not come back");
}

static pid_t start_qemu(const char *file)
{
    char object[256], size[32], loader[64];
    snprintf(object, sizeof object, "memory-backend-file,id=ram,size=%llu,mem-path=%s,share=on", (unsigned long long)A64_RAM,
             file);
    snprintf(size, sizeof size, "%lluM", (unsigned long long)A64_RAM >> 20);
    snprintf(loader, sizeof loader, "loader,addr=%#llx,cpu-num=0", (unsigned long long)(A64_RAM_BASE + A64_BASE));
    char *argv[] = {"qemu-system-aarch64",
                    "-machine",
                    "virt,secure=on,virtualization=on,gic-version=3,memory-backend=ram",
                    "-cpu",
                    "max,sve=off,sme=off",
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
    pid_t pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    return pid;
}

bool a64_run_qemu(const char *file, const uint8_t *image, unsigned n, unsigned *stuck, struct err *e)
{
    *stuck = n;
    pid_t pid = start_qemu(file);
    int status = 0;
    uint64_t left, last = UINT64_MAX;
    for (unsigned idle = 0; idle < 6000; idle++) { /* a case that takes seconds */
        pid_t done = waitpid(pid, &status, WNOHANG);
        if (done == pid) {
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return true;
            memcpy(&left, image + A64_CTL + CTLA_LEFT, 8);
            *stuck = n - 1 - (unsigned)(left / A64_ROUNDS);
            return err_set(e, "qemu-system-aarch64 ended with status %d", status);
        }
        usleep(1000);
        memcpy(&left, image + A64_CTL + CTLA_LEFT, 8);
        if (left != last)
            idle = 0;
        last = left;
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    *stuck = n - 1 - (unsigned)(left / A64_ROUNDS);
    return err_set(e, "qemu-system-aarch64 does not come back");
}
