/* User networking through libslirp: the guest's frames go to the host's sockets and back. Depends on the host; never on by
 * itself. */
#ifndef TL_CLI_NET_H
#define TL_CLI_NET_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct net;

/* take: called with each frame for the guest; false: try again later. hostfwd: "tcp:[address]:port-[guest]:port". */
struct net *net_open(const char *const *hostfwd, unsigned hostfwds, bool (*take)(void *ctx, const void *p, size_t n), void *ctx,
                     struct err *e);
void net_close(struct net *n);
/* A frame from the guest. */
void net_send(struct net *n, const void *p, size_t len);
/* Serves sockets and timers without waiting, and offers waiting frames to the guest. */
void net_poll(struct net *n);
/* Waits at most ms milliseconds for a socket, a timer or (keys) stdin, and serves what came. */
void net_wait(struct net *n, int ms, bool keys);
#endif
