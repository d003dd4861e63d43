/* trapline gdb: a machine behind the GDB remote protocol, on a TCP port of this host, a Unix socket, or stdin and stdout. */
#include "debug/gdb.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/term.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { OPT_PORT = 0x200, OPT_UNIX, OPT_STDIO, OPT_LOAD, OPT_INPUT };

#define SLICE UINT64_C(1000000) /* cycles between two looks at the outside */
#define ALIVE 1.0               /* seconds between two signs of life to a GDB that waits */
#define TYPED 4096              /* bytes of the console that wait for the guest at most */

static const struct argp_option table[] = {
    {0, 0, 0, 0, "GDB:", 2},
    {"port", OPT_PORT, "N", 0, "listen on this TCP port of 127.0.0.1 (1234); 0: any free one, which is told", 2},
    {"unix", OPT_UNIX, "PATH", 0, "listen on this Unix socket", 2},
    {"stdio", OPT_STDIO, 0, 0, "speak on stdin and stdout: target remote | trapline gdb --stdio ...; the console is stderr", 2},
    {"load", OPT_LOAD, "FILE", 0, "begin at a saved machine; give the same options as for the run that saved it", 2},
    {"input", OPT_INPUT, "TEXT", 0, "type this at the console from the start; \\n \\r \\t \\e \\\\ \\xHH are understood", 2},
    {0}};

struct server {
    struct machine_options options;
    struct machine *m;
    struct gdb *g;
    const char *path; /* of the Unix socket; NULL: none */
    const char *load;
    unsigned port;
    bool stdio;
    int listener, in, out; /* file descriptors; -1: none */
    struct buf typed, printed;
    struct buf early; /* what GDB sent while the machine went back */
    bool console_eof, lost;
    double alive; /* when GDB was last told that the machine still moves */
};

/* ---- options --------------------------------------------------------------------------------------------------------------- */

static bool parse_port(struct server *s, const char *arg, struct err *e)
{
    uint64_t n;
    if (!options_count("--port", arg, &n, e))
        return false;
    if (n > 65535)
        return err_set(e, "--port %s: ports are 0 to 65535", arg);
    s->port = (unsigned)n;
    return true;
}

static bool parse_input(struct server *s, char *arg, struct err *e)
{
    long n = options_unescape(arg);
    if (n < 0)
        return err_set(e, "--input: a backslash is followed by none of n r t e \\ \" xHH");
    buf_put(&s->typed, arg, (size_t)n);
    return true;
}

static bool parse_one(struct server *s, int key, char *arg, struct err *e)
{
    switch (key) {
    case OPT_PORT: return parse_port(s, arg, e);
    case OPT_UNIX: s->path = arg; return true;
    case OPT_STDIO: return s->stdio = true;
    case OPT_LOAD: s->load = arg; return true;
    default: return parse_input(s, arg, e);
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct server *s = state->input;
    struct err e;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = &s->options;
        return 0;
    }
    if (key < OPT_PORT || key > OPT_INPUT)
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(s, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

static const struct argp_child children[] = {{&options_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "[IMAGE]",
    .children = children,
    .doc =
        "Serve a machine to GDB: all harts as threads, every system register with its fields, breakpoints, watchpoints, caught "
        "traps, reverse execution. The machine waits at its first instruction."
        "\v"
        "`monitor help` in GDB lists the commands that have no form of GDB's own. The guest's console is stdin and stdout, with "
        "--stdio stderr; Ctrl-a x leaves.\n\n"
        "Exit status: the guest's own when it ended the run; 0 when GDB did; 2 for a bad option or file.\n\n"
        "Examples:\n"
        "  trapline gdb rom.elf                      then: gdb-multiarch rom.elf -ex 'target remote :1234'\n"
        "  gdb-multiarch rom.elf -ex 'target remote | trapline gdb --stdio rom.elf'\n"
        "  trapline gdb -kernel linux -append console=ttyS0 -smp 4 --unix /tmp/linux.gdb\n",
};

/* ---- the console ------------------------------------------------------------------------------------------------------------
 */

static void on_console(void *ctx, const char *device, const void *p, size_t n)
{
    struct server *s = ctx;
    (void)device; /* all consoles of the guest are one stream here */
    buf_put(&s->printed, p, n);
    if (s->g)
        gdb_console(s->g, p, n);
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static void show_console(struct server *s)
{
    if (s->printed.len)
        (void)write_all(s->stdio ? STDERR_FILENO : STDOUT_FILENO, s->printed.data, s->printed.len);
    s->printed.len = 0;
}

static void offer_typed(struct server *s)
{
    if (!s->typed.len)
        return;
    size_t took = gdb_input(s->g, "serial0", s->typed.data, s->typed.len);
    memmove(s->typed.data, s->typed.data + took, s->typed.len - took);
    s->typed.len -= took;
}

static bool read_keys(struct server *s)
{
    uint8_t keys[256];
    enum term_key key = TERM_NONE;
    size_t n = term_read(keys, sizeof keys, &s->console_eof, &key);
    buf_put(&s->typed, keys, n);
    return key != TERM_LEAVE;
}

/* ---- the connection -----------------------------------------------------------------------------------------------------------
 */

static void on_send(void *ctx, const void *p, size_t n)
{
    struct server *s = ctx;
    if (s->out >= 0 && !write_all(s->out, p, n))
        s->lost = true;
}

/* While GDB waits: what it has sent. */
static enum gdb_heard heard(void *ctx)
{
    struct server *s = ctx;
    struct pollfd fd = {.fd = s->in, .events = POLLIN};
    uint8_t bytes[256];
    double now = session_clock();
    if (now - s->alive > ALIVE) {
        s->alive = now;
        gdb_keep_alive(s->g);
    }
    if (s->in < 0 || poll(&fd, 1, 0) <= 0)
        return term_signal() ? GDB_HEARD_INTERRUPT : GDB_HEARD_NOTHING;
    ssize_t n = read(s->in, bytes, sizeof bytes);
    if (n <= 0) {
        s->lost |= !(n < 0 && (errno == EINTR || errno == EAGAIN));
        return s->lost ? GDB_HEARD_INTERRUPT : GDB_HEARD_NOTHING;
    }
    buf_put(&s->early, bytes, (size_t)n);
    uint8_t *stop = memchr(s->early.data, 3, s->early.len);
    if (stop) {
        size_t at = (size_t)(stop - s->early.data);
        memmove(stop, stop + 1, s->early.len - at - 1);
        s->early.len--;
        return GDB_HEARD_INTERRUPT;
    }
    return memchr(s->early.data, '$', s->early.len) ? GDB_HEARD_PACKET : GDB_HEARD_NOTHING;
}

static bool listen_port(struct server *s, struct err *e)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int on = 1;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(s->listener, (struct sockaddr *)&a, sizeof a) || listen(s->listener, 1) ||
        getsockname(s->listener, (struct sockaddr *)&a, &n))
        return err_set(e, "port %u: %s", s->port, strerror(errno));
    fprintf(stderr, "trapline: waiting for GDB: target remote :%u\n", ntohs(a.sin_port));
    return true;
}

static bool listen_path(struct server *s, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(s->path) >= sizeof a.sun_path)
        return err_set(e, "--unix %s: the path is longer than a socket's may be", s->path);
    strcpy(a.sun_path, s->path);
    if (!stat(s->path, &st) && S_ISSOCK(st.st_mode)) /* of a run that has ended */
        unlink(s->path);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof a) || listen(s->listener, 1)) {
        int why = errno;
        if (s->listener >= 0)
            close(s->listener);
        s->listener = -1;
        return err_set(e, "%s: %s", s->path, strerror(why));
    }
    fprintf(stderr, "trapline: waiting for GDB: target remote %s\n", s->path);
    return true;
}

static void hang_up(struct server *s)
{
    if (s->in >= 0 && !s->stdio)
        close(s->in);
    s->in = s->out = -1;
    s->lost = false;
}

static void accept_one(struct server *s)
{
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0)
        return;
    hang_up(s);
    s->in = s->out = fd;
    gdb_connect(s->g);
}

static void read_packets(struct server *s)
{
    uint8_t bytes[4096];
    ssize_t n = read(s->in, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        s->lost = true;
    else
        gdb_receive(s->g, bytes, (size_t)n);
}

/* ---- serving ------------------------------------------------------------------------------------------------------------------
 */

static bool goes(const struct server *s)
{
    int code;
    enum gdb_state st = gdb_state(s->g);
    bool idle = st == GDB_IDLE || (st == GDB_DETACHED && machine_next_wake(s->m) == UINT64_MAX);
    return idle ? s->typed.len > 0 : st == GDB_RUNNING || (st == GDB_DETACHED && !gdb_exited(s->g, &code));
}

static void take_early(struct server *s)
{
    struct buf b = s->early;
    s->early = (struct buf){0};
    if (b.len)
        gdb_receive(s->g, b.data, b.len);
    buf_free(&b);
}

/* Waits for whatever comes next, not at all while the machine goes on. False: the user leaves. */
static bool look_outside(struct server *s)
{
    bool console = !s->stdio && !s->console_eof && s->typed.len < TYPED;
    struct pollfd fd[] = {{.fd = s->in, .events = POLLIN},
                          {.fd = s->in < 0 || gdb_state(s->g) == GDB_DETACHED ? s->listener : -1, .events = POLLIN},
                          {.fd = console ? STDIN_FILENO : -1, .events = POLLIN}};
    if (poll(fd, 3, goes(s) ? 0 : -1) < 0)
        return !term_signal();
    if (fd[0].revents)
        read_packets(s);
    if (fd[1].revents)
        accept_one(s);
    if (fd[2].revents && !read_keys(s))
        return false;
    return !term_signal();
}

/* Whether there is nobody to serve any more. */
static bool over(struct server *s)
{
    int code;
    enum gdb_state st = gdb_state(s->g);
    if (st == GDB_KILLED || (st == GDB_DETACHED && gdb_exited(s->g, &code)))
        return true;
    if (!s->lost)
        return false;
    hang_up(s);
    if (s->stdio)
        return true;
    if (st != GDB_DETACHED && gdb_exited(s->g, &code))
        return true;
    if (st != GDB_DETACHED)
        fprintf(stderr, "trapline: GDB has gone; the machine waits for the next one\n");
    return false;
}

static int serve(struct server *s)
{
    int code = 0, signal = 0;
    while (!over(s)) {
        take_early(s);
        if (!look_outside(s))
            break;
        offer_typed(s);
        gdb_go(s->g, SLICE);
        show_console(s);
    }
    show_console(s);
    signal = term_signal();
    if (signal)
        return 128 + signal;
    if (!gdb_exited(s->g, &code))
        return CLI_OK;
    return code & 0xff ? code & 0xff : code ? 255 : CLI_OK;
}

static bool start(struct server *s, struct err *e)
{
    struct machine_options *o = &s->options;
    if (s->stdio && s->path)
        return err_set(e, "--stdio and --unix %s: GDB is spoken to in one place", s->path);
    if (!options_settle(o, e))
        return false;
    if (o->netdev)
        return err_set(e, "-netdev user: a debugged machine has no network, for what came from it could not come again");
    o->config.host = (struct machine_host){.ctx = s, .console = on_console};
    s->m = machine_new(&o->config, e);
    if (!s->m || (s->load && !machine_load(s->m, s->load, e)))
        return false;
    if (s->stdio) {
        s->in = STDIN_FILENO;
        s->out = STDOUT_FILENO;
        signal(SIGINT, SIG_IGN); /* Ctrl-C is GDB's */
    } else if (!(s->path ? listen_path(s, e) : listen_port(s, e))) {
        return false;
    }
    return true;
}

int verb_gdb(int argc, char **argv)
{
    struct server s = {.port = 1234, .listener = -1, .in = -1, .out = -1};
    struct err e;
    int status;
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &s);
    signal(SIGPIPE, SIG_IGN);
    if (start(&s, &e)) {
        s.g = gdb_new(s.m, &(struct gdb_host){.ctx = &s, .send = on_send, .heard = heard});
        fflush(stdout);
        if (!s.stdio)
            term_open();
        status = serve(&s);
        term_close();
        if (!machine_commit(s.m, &e))
            status = cli_error(&e);
    } else {
        status = cli_error(&e);
    }
    gdb_free(s.g);
    machine_free(s.m);
    hang_up(&s);
    if (s.listener >= 0) {
        close(s.listener);
        if (s.path)
            unlink(s.path);
    }
    buf_free(&s.typed);
    buf_free(&s.printed);
    buf_free(&s.early);
    options_free(&s.options);
    return status;
}
