#include "cli/net.h"
#include "base/bits.h"
#include <arpa/inet.h>
#include <assert.h>
#include <libslirp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAMES_MAX 256 /* frames waiting for the guest; more are lost, as on a wire */
#define POLL_MAX   256

struct timer {
    SlirpTimerCb fn;
    void *opaque;
    int64_t due;
    struct timer *next;
}; /* due: ms, -1: not armed */

struct frame {
    uint8_t *p;
    size_t n;
};

struct net {
    Slirp *slirp;
    bool (*take)(void *ctx, const void *p, size_t n);
    void *ctx;
    struct timer *timers;
    struct frame frame[FRAMES_MAX];
    unsigned first, count;
    struct pollfd fd[POLL_MAX];
    unsigned fds;
};

static int64_t now_ns(void *opaque)
{
    (void)opaque;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static ssize_t from_slirp(const void *p, size_t len, void *opaque)
{
    struct net *n = opaque;
    if (n->count == FRAMES_MAX)
        return (ssize_t)len;
    uint8_t *copy = malloc(len ? len : 1);
    assert(copy);
    memcpy(copy, p, len);
    n->frame[(n->first + n->count++) % FRAMES_MAX] = (struct frame){copy, len};
    return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
    (void)opaque;
    (void)msg; /* a guest's odd packet is the guest's affair */
}

static void *timer_new(SlirpTimerCb fn, void *cb_opaque, void *opaque)
{
    struct net *n = opaque;
    struct timer *t = malloc(sizeof *t);
    assert(t);
    *t = (struct timer){fn, cb_opaque, -1, n->timers};
    return n->timers = t;
}

static void timer_free(void *timer, void *opaque)
{
    struct net *n = opaque;
    for (struct timer **p = &n->timers; *p; p = &(*p)->next) {
        if (*p == timer) {
            *p = (*p)->next;
            free(timer);
            return;
        }
    }
}

static void timer_mod(void *timer, int64_t due, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->due = due;
}

static void no_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void no_notify(void *opaque) { (void)opaque; }

static const SlirpCb callbacks = {
    .send_packet = from_slirp,
    .guest_error = guest_error,
    .clock_get_ns = now_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = no_fd,
    .unregister_poll_fd = no_fd,
    .notify = no_notify,
};

/* "tcp:[address]:port-[guest]:port" */
static bool add_forward(struct net *n, const char *text, struct err *e)
{
    char proto[4], host[64] = "", guest[64] = "";
    unsigned hport, gport;
    int used = 0;
    struct in_addr h = {.s_addr = htonl(INADDR_ANY)}, g = {.s_addr = 0};
    const char *p = text;
    bool ok = sscanf(p, "%3[tudcp]:%n", proto, &used) == 1 && used && (!strcmp(proto, "tcp") || !strcmp(proto, "udp"));
    if (ok) {
        p += used;
        used = 0;
        if (*p != ':')
            ok = sscanf(p, "%63[0-9.]%n", host, &used) == 1 && inet_aton(host, &h);
        p += ok ? used : 0;
        used = 0;
        ok = ok && sscanf(p, ":%5u-%n", &hport, &used) == 1 && used;
        p += ok ? used : 0;
        used = 0;
        if (ok && *p != ':')
            ok = sscanf(p, "%63[0-9.]%n", guest, &used) == 1 && inet_aton(guest, &g);
        p += ok ? used : 0;
        used = 0;
        ok = ok && sscanf(p, ":%5u%n", &gport, &used) == 1 && used && !p[used] && hport < 65536 && gport && gport < 65536;
    }
    if (!ok)
        return err_set(e, "-netdev user: hostfwd '%s' is not tcp:[address]:port-[guest]:port", text);
    if (slirp_add_hostfwd(n->slirp, !strcmp(proto, "udp"), h, (int)hport, g, (int)gport) < 0)
        return err_set(e, "-netdev user: hostfwd '%s': the port cannot be opened", text);
    return true;
}

struct net *net_open(const char *const *hostfwd, unsigned hostfwds, bool (*take)(void *ctx, const void *p, size_t n), void *ctx,
                     struct err *e)
{
    struct net *n = calloc(1, sizeof *n);
    assert(n);
    n->take = take;
    n->ctx = ctx;
    SlirpConfig c = {.version = 1, .in_enabled = true};
    inet_aton("10.0.2.0", &c.vnetwork);
    inet_aton("255.255.255.0", &c.vnetmask);
    inet_aton("10.0.2.2", &c.vhost);
    inet_aton("10.0.2.15", &c.vdhcp_start);
    inet_aton("10.0.2.3", &c.vnameserver);
    n->slirp = slirp_new(&c, &callbacks, n);
    bool ok = n->slirp || err_set(e, "-netdev user: libslirp cannot start");
    for (unsigned i = 0; ok && i < hostfwds; i++)
        ok = add_forward(n, hostfwd[i], e);
    if (ok)
        return n;
    net_close(n);
    return NULL;
}

void net_close(struct net *n)
{
    if (!n)
        return;
    if (n->slirp)
        slirp_cleanup(n->slirp);
    while (n->timers)
        timer_free(n->timers, n);
    for (; n->count; n->count--)
        free(n->frame[n->first++ % FRAMES_MAX].p);
    free(n);
}

void net_send(struct net *n, const void *p, size_t len) { slirp_input(n->slirp, p, (int)len); }

static int add_poll(int fd, int events, void *opaque)
{
    struct net *n = opaque;
    if (n->fds == POLL_MAX)
        return -1;
    short want = 0;
    want |= events & SLIRP_POLL_IN ? POLLIN : 0;
    want |= events & SLIRP_POLL_OUT ? POLLOUT : 0;
    want |= events & SLIRP_POLL_PRI ? POLLPRI : 0;
    n->fd[n->fds] = (struct pollfd){.fd = fd, .events = want};
    return (int)n->fds++;
}

static int get_revents(int index, void *opaque)
{
    struct net *n = opaque;
    if (index < 0 || (unsigned)index >= n->fds)
        return 0;
    int r = n->fd[index].revents, out = 0;
    out |= r & POLLIN ? SLIRP_POLL_IN : 0;
    out |= r & POLLOUT ? SLIRP_POLL_OUT : 0;
    out |= r & POLLPRI ? SLIRP_POLL_PRI : 0;
    out |= r & POLLERR ? SLIRP_POLL_ERR : 0;
    out |= r & POLLHUP ? SLIRP_POLL_HUP : 0;
    return out;
}

static void timers_run(struct net *n)
{
    int64_t now = now_ns(NULL) / 1000000;
    for (struct timer *t = n->timers; t; t = t->next) {
        if (t->due >= 0 && t->due <= now) {
            t->due = -1;
            t->fn(t->opaque);
            t = n->timers; /* the list may have changed; what is due is found again */
            if (!t)
                return;
        }
    }
}

void net_wait(struct net *n, int ms, bool keys)
{
    uint32_t timeout = ms < 0 ? UINT32_MAX : (uint32_t)ms;
    n->fds = 0;
    slirp_pollfds_fill(n->slirp, &timeout, add_poll, n);
    unsigned guest_fds = n->fds;
    struct pollfd all[POLL_MAX + 1];
    memcpy(all, n->fd, guest_fds * sizeof *all);
    all[guest_fds] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    int64_t now = now_ns(NULL) / 1000000;
    for (struct timer *t = n->timers; t; t = t->next)
        if (t->due >= 0 && (t->due <= now || (uint64_t)(t->due - now) < timeout))
            timeout = t->due <= now ? 0 : (uint32_t)(t->due - now);
    int r = poll(all, guest_fds + keys, timeout > INT32_MAX ? -1 : (int)timeout);
    for (unsigned i = 0; i < guest_fds; i++)
        n->fd[i].revents = r > 0 ? all[i].revents : 0;
    slirp_pollfds_poll(n->slirp, r < 0, get_revents, n);
    timers_run(n);
}

void net_poll(struct net *n)
{
    net_wait(n, 0, false);
    while (n->count) {
        struct frame *f = &n->frame[n->first];
        if (!n->take(n->ctx, f->p, f->n))
            return;
        free(f->p);
        n->first = (n->first + 1) % FRAMES_MAX;
        n->count--;
    }
}
