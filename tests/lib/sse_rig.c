#include "sse_rig.h"
#include "cpu/riscv/hart.h"
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JUMP_SELF 0x0000006fu
#define ECALL     0x00000073u
#define LPAD      0x00000017u

static void on_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct rig *r = ctx;
    char text[640];
    unsigned n = sse_oracle_feed(&r->o, m, c);
    r->departures += n;
    for (unsigned i = 0; i < n; i++) {
        r->by_rule[r->o.found[i].rule]++;
        r->last = r->o.found[i];
        if (r->show) {
            sse_departure_text(&r->o.found[i], r->o.xlen, text, sizeof text);
            printf("%s %s\n", sse_rule_name(r->o.found[i].rule), text);
        }
    }
    if (r->hook && r->hook(r->hook_ctx, c))
        machine_break(m, c->hart);
    if (c->hart == r->wait && c->is_return && c->priv == 3 && c->to_priv != 3) {
        r->returned = true;
        machine_break(m, c->hart);
    }
}

static void console(void *ctx, const char *device, const void *text, size_t n)
{
    (void)ctx;
    (void)device;
    fwrite(text, 1, n, stderr);
}

/* The parking place as a kernel image. */
static bool write_image(const char *path)
{
    uint32_t word[256];
    for (unsigned i = 0; i < 256; i++)
        word[i] = JUMP_SELF;
    word[RIG_ECALL / 4] = ECALL;
    for (unsigned i = RIG_HANDLER; i < RIG_GUEST; i += 16)
        word[i / 4] = LPAD;
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(word, sizeof word, 1, f) == 1;
    return f && !fclose(f) && ok;
}

uint64_t rig_get(struct rig *r, unsigned hart, const char *name)
{
    uint64_t v = 0;
    if (!machine_get_reg(r->m, hart, name, &v))
        fprintf(stderr, "no register %s\n", name), abort();
    return v;
}

void rig_set(struct rig *r, unsigned hart, const char *name, uint64_t v)
{
    if (!machine_set_reg(r->m, hart, name, v))
        fprintf(stderr, "no register %s\n", name), abort();
}

bool rig_open(struct rig *r, const char *bios, const char *cpu, unsigned harts)
{
    char path[] = "/tmp/trapline-rig-XXXXXX";
    struct err e;
    int fd = mkstemp(path);
    bool show = r->show;
    memset(r, 0, sizeof *r);
    r->show = show;
    r->harts = harts;
    if (fd < 0 || close(fd) || !write_image(path))
        abort();
    struct machine_config config = {.bios = bios, .kernel = path, .cpu = cpu, .harts = harts};
    r->m = machine_new(&config, &e);
    if (!r->m) {
        unlink(path);
        fprintf(stderr, "%s\n", e.text);
        return false;
    }
    unlink(path);
    r->base = cpu && !strncmp(cpu, "rv32", 4) ? 0x80400000u : 0x80200000u;
    sse_oracle_init(&r->o, r->m);
    machine_watch(r->m, on_change, r);
    if (show)
        machine_set_host(r->m, &(struct machine_host){.console = console});
    for (unsigned h = 0; h < harts; h++) /* which hart boots is the firmware's choice */
        r->wait = UINT32_MAX;
    for (unsigned i = 0; i < 400; i++) {
        machine_run(r->m, 1000000);
        for (unsigned h = 0; h < harts; h++)
            if (rig_get(r, h, "pc") == r->base + RIG_PARK && rig_get(r, h, "priv") == 1) {
                r->wait = h;
                return true;
            }
    }
    fprintf(stderr, "%s does not start the kernel\n", bios);
    return false;
}

void rig_close(struct rig *r) { machine_free(r->m); }

void rig_place(struct rig *r, unsigned h, uint64_t pc)
{
    rig_set(r, h, "v", 0);
    rig_set(r, h, "priv", 1);
    rig_set(r, h, "pc", pc);
    ((struct hart *)(void *)machine_hart(r->m, h))->s.elp = 0;
}

bool rig_run(struct rig *r, unsigned h)
{
    r->wait = h;
    r->returned = false;
    for (unsigned i = 0; i < 200 && !r->returned; i++)
        if (machine_run(r->m, 100000) == MACHINE_EXIT)
            break;
    return r->returned;
}

int64_t rig_call(struct rig *r, unsigned h, uint64_t eid, uint64_t fid, const uint64_t a[6])
{
    static const char *const name[] = {"a0", "a1", "a2", "a3", "a4", "a5"};
    for (unsigned i = 0; i < 6; i++)
        rig_set(r, h, name[i], a[i]);
    rig_set(r, h, "a6", fid);
    rig_set(r, h, "a7", eid);
    rig_place(r, h, r->base + RIG_ECALL);
    struct sbi_call call = {.xlen = r->o.xlen};
    for (unsigned i = 0; i < 6; i++)
        call.a[i] = a[i];
    call.a[6] = fid;
    call.a[7] = eid;
    if (!rig_run(r, h)) {
        char text[512];
        sbi_call_text(&call, NULL, text, sizeof text);
        fflush(stdout);
        fprintf(stderr,
                "hart %u: %s does not return: pc 0x%llx priv %llu mcause 0x%llx mepc 0x%llx mtval 0x%llx mstatus 0x%llx\n", h,
                text, (unsigned long long)rig_get(r, h, "pc"), (unsigned long long)rig_get(r, h, "priv"),
                (unsigned long long)rig_get(r, h, "mcause"), (unsigned long long)rig_get(r, h, "mepc"),
                (unsigned long long)rig_get(r, h, "mtval"), (unsigned long long)rig_get(r, h, "mstatus"));
        if (!r->may_die)
            abort();
        r->died = true;
        return -1;
    }
    uint64_t a0 = rig_get(r, h, "a0");
    if (r->show) {
        char text[512];
        struct sbi_result result = {a0, rig_get(r, h, "a1")};
        sbi_call_text(&call, &result, text, sizeof text);
        printf("  hart %u: %s   pc %+lld\n", h, text, (long long)(rig_get(r, h, "pc") - r->base));
    }
    return r->o.xlen == 32 ? (int64_t)(int32_t)a0 : (int64_t)a0;
}

int64_t rig_sse(struct rig *r, unsigned h, unsigned fid, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    return rig_call(r, h, RIG_EID_SSE, fid, (const uint64_t[6]){a0, a1, a2, a3, a4, 0});
}

void rig_start(struct rig *r, unsigned h)
{
    const uint64_t a[6] = {h, r->base + RIG_PARK, 0};
    unsigned from = r->wait;
    for (unsigned tries = 0; !r->died && rig_get(r, h, "priv") == 3; tries++) {
        rig_call(r, from, 0x48534d, 0, a); /* or an event comes first, and the call is not made */
        r->wait = h;
        r->returned = false;
        for (unsigned n = 0; n < 20 && !r->returned && rig_get(r, h, "priv") == 3; n++)
            machine_run(r->m, 100000);
        if (tries == 8)
            fprintf(stderr, "hart %u does not start: pc 0x%llx\n", h, (unsigned long long)rig_get(r, h, "pc")), abort();
    }
    r->wait = from;
}

bool rig_stop(struct rig *r, unsigned h)
{
    rig_set(r, h, "a6", 1);
    rig_set(r, h, "a7", 0x48534d);
    rig_place(r, h, r->base + RIG_ECALL);
    r->wait = UINT32_MAX;
    machine_run(r->m, 20000);
    return rig_get(r, h, "priv") == 3;
}

uint64_t rig_word(struct rig *r, unsigned i)
{
    uint64_t v = 0;
    unsigned size = r->o.xlen / 8u;
    if (!machine_read(r->m, r->base + RIG_BUFFER + i * size, &v, size))
        abort();
    return v;
}

void rig_set_word(struct rig *r, unsigned i, uint64_t v)
{
    unsigned size = r->o.xlen / 8u;
    if (!machine_write(r->m, r->base + RIG_BUFFER + i * size, &v, size))
        abort();
}
