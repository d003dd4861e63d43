/* Semihosting: what devices/semihost.h needs of a machine. The console is "semihost"; there are no files. */
#include "machine/machine.h"

#include <string.h>

#define EPOCH_DEFAULT UINT64_C(1735689600) /* 2025-01-01 00:00:00 UTC, as machine_config says */

struct call {
    struct machine *m;
    struct hart *h;
};

static bool guest_read(void *ctx, uint64_t va, void *p, uint64_t n)
{
    struct hart *h = ((struct call *)ctx)->h;
    struct access_mode mode = data_mode(h);
    uint8_t *out = p;
    uint64_t byte;
    for (; n; n--, va++) {
        if (!hart_load(h, va, 1, &mode, &byte))
            return false;
        *out++ = (uint8_t)byte;
    }
    return true;
}

static bool guest_write(void *ctx, uint64_t va, const void *p, uint64_t n)
{
    struct hart *h = ((struct call *)ctx)->h;
    struct access_mode mode = data_mode(h);
    const uint8_t *in = p;
    for (; n; n--, va++)
        if (!hart_store(h, va, 1, &mode, *in++))
            return false;
    return true;
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

bool machine_semihost(void *ctx, struct hart *h)
{
    struct machine *m = ctx;
    const struct setup *s = m->setup;
    struct call call = {m, h};
    struct semihost_env env = {
        .ctx = &call,
        .state = &m->st.semihost,
        .xlen = h->xlen,
        .read = guest_read,
        .write = guest_write,
        .output = print,
        .input = take_typed,
        .cmdline = s->append,
        .ticks = h->s.cycle / s->cfg.tick_cycles,
        .tick_hz = s->tick_hz,
        .epoch = s->rtc_epoch ? s->rtc_epoch : EPOCH_DEFAULT,
    };
    struct semihost_result r = semihost_call(&env, (uint32_t)h->s.x[10], h->s.x[11]);
    if (r.action == SEMIHOST_EXIT) {
        m->st.exited = 1;
        m->st.exit_code = r.code;
        h->cpu.resync = true;
    }
    uint64_t a0 =
        r.action == SEMIHOST_WAIT ? UINT64_MAX : r.value; /* nothing typed yet is a failed read, not a stopped machine */
    h->s.x[10] = h->xlen == 32 ? (uint64_t)(int64_t)(int32_t)a0 : a0;
    return true;
}
