/* Semihosting: what devices/semihost.h needs of a machine. The console is "semihost"; there are no files. */
#include "machine/machine.h"

#include <string.h>

#define EPOCH_DEFAULT UINT64_C(1735689600) /* 2025-01-01 00:00:00 UTC, as machine_config says */

struct call {
    struct machine *m;
    struct cpu *c;
};

static bool guest_read(void *ctx, uint64_t va, void *p, uint64_t n)
{
    const struct call *k = ctx;
    return k->m->arch->load(k->c, va, p, n);
}

static bool guest_write(void *ctx, uint64_t va, const void *p, uint64_t n)
{
    const struct call *k = ctx;
    return k->m->arch->store(k->c, va, p, n);
}

static void print(void *ctx, const void *p, size_t n)
{
    const struct machine_host *host = &((struct call *)ctx)->m->host;
    if (host->console)
        host->console(host->ctx, "semihost", p, n);
}

static size_t take_typed(void *ctx, void *p, size_t n)
{
    struct machine_state *s = &((struct call *)ctx)->m->st;
    if (n > s->typed)
        n = s->typed;
    memcpy(p, s->typed_byte, n);
    s->typed -= (uint32_t)n;
    memmove(s->typed_byte, s->typed_byte + n, s->typed);
    return n;
}

size_t machine_typed(struct machine *m, const void *p, size_t n)
{
    struct machine_state *s = &m->st;
    if (n > MACHINE_TYPED - s->typed)
        n = MACHINE_TYPED - s->typed;
    memcpy(s->typed_byte + s->typed, p, n);
    s->typed += (uint32_t)n;
    return n;
}

bool machine_semihost(void *ctx, struct cpu *c, uint64_t op, uint64_t arg, uint64_t *result)
{
    struct machine *m = ctx;
    const struct setup *s = m->setup;
    struct call call = {m, c};
    struct semihost_env env = {
        .ctx = &call,
        .state = &m->st.semihost,
        .xlen = s->kind->bits,
        .read = guest_read,
        .write = guest_write,
        .output = print,
        .input = take_typed,
        .cmdline = s->append,
        .ticks = cpu_progress(c)->cycle / s->kind->tick_cycles,
        .tick_hz = s->tick_hz,
        .epoch = s->rtc_epoch ? s->rtc_epoch : EPOCH_DEFAULT,
    };
    struct semihost_result r = semihost_call(&env, (uint32_t)op, arg);
    if (r.action == SEMIHOST_EXIT) {
        m->st.exited = 1;
        m->st.exit_code = r.code;
        c->resync = true;
    }
    *result = r.action == SEMIHOST_WAIT ? UINT64_MAX : r.value; /* nothing typed yet is a failed read, not a stopped machine */
    return true;
}
