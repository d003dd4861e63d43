#include "cli/term.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_A 1

static struct {
    struct termios before;
    bool tty, raw, escape;
    volatile sig_atomic_t signal;
} term;

static void restore(void)
{
    if (term.raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
    term.raw = false;
}

/* The first request ends the run in order; a second one, or a crash, ends the program at once. */
static void on_end(int sig)
{
    if (term.signal) {
        restore();
        signal(sig, SIG_DFL);
        raise(sig);
        return;
    }
    term.signal = sig;
}

static void on_crash(int sig)
{
    restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

void term_open(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT}, crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction a = {.sa_handler = on_end};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct sigaction old;
        if (!sigaction(ends[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(ends[i], &a, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write() */
    term.tty = isatty(STDIN_FILENO);
    if (!term.tty || tcgetattr(STDIN_FILENO, &term.before))
        return;
    struct sigaction c = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &c, NULL);
    struct termios raw = term.before;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    term.raw = true;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void term_close(void) { restore(); }

bool term_is_tty(void) { return term.tty; }
int term_signal(void) { return term.signal; }

bool term_wait(int ms)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&p, 1, ms) > 0;
}

static void hint(char c)
{
    if (c == 'h' || c == '?')
        fputs("\r\nCtrl-a x leaves trapline; Ctrl-a a sends Ctrl-a; Ctrl-a h prints this.\r\n", stderr);
    else if (c == 'c')
        fputs("\r\nThere is no monitor here. Ctrl-a x leaves trapline; Ctrl-a h prints the other keys.\r\n", stderr);
}

/* Takes the escapes out of p[0..n); returns what is left for the guest. */
static size_t escapes(uint8_t *p, size_t n, enum term_key *key)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (!term.escape && p[i] == CTRL_A) {
            term.escape = true;
            continue;
        }
        if (term.escape) {
            term.escape = false;
            if (p[i] == 'x')
                *key = TERM_LEAVE;
            if (p[i] == 'a' || p[i] == CTRL_A)
                p[out++] = CTRL_A;
            hint((char)p[i]);
            continue;
        }
        p[out++] = p[i];
    }
    return out;
}

size_t term_read(uint8_t *p, size_t cap, bool *eof, enum term_key *key)
{
    *eof = false;
    *key = TERM_NONE;
    if (!cap || !term_wait(0))
        return 0;
    ssize_t n = read(STDIN_FILENO, p, cap);
    if (n <= 0) {
        *eof = n == 0 || (errno != EINTR && errno != EAGAIN);
        return 0;
    }
    return term.tty ? escapes(p, (size_t)n, key) : (size_t)n;
}
