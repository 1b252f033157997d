#include "engine/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What the caller ignores (nohup, a shell's background job) stays ignored; blocking it
 * would bring it back. */
static bool is_ignored(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int signals_open(struct signals *s, struct qerr *e)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (!is_ignored(taken[i]))
            sigaddset(&set, taken[i]);
    pthread_sigmask(SIG_BLOCK, &set, &s->old);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->signal_fd >= 0 && s->done_fd >= 0)
        return 0;
    qerr_sys(e, Q_ENOMEM, errno, "signals");
    signals_close(s);
    return -(int)e->code;
}

void signals_end(struct signals *s)
{
    struct signalfd_siginfo late;
    if (s->signal_fd >= 0) {
        /* What came when all was done must not kill the process now. */
        while (read(s->signal_fd, &late, sizeof late) > 0)
            ;
        close(s->signal_fd);
    }
    if (s->done_fd >= 0)
        close(s->done_fd);
}

void signals_close(struct signals *s)
{
    signals_end(s);
    pthread_sigmask(SIG_SETMASK, &s->old, NULL);
}

int signals_wait(struct signals *s, int ms)
{
    struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN},
                           {.fd = s->done_fd, .events = POLLIN}};
    if (poll(fds, 2, ms) <= 0)
        return SIGNALS_NOTHING;
    if (fds[1].revents)
        return SIGNALS_DONE;
    struct signalfd_siginfo info;
    if (read(s->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return SIGNALS_NOTHING;
    return (int)info.ssi_signo;
}

static void mask(int how)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGUSR1};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (!is_ignored(stops[i]))
            sigaddset(&set, stops[i]);
    pthread_sigmask(how, &set, NULL);
}

void signals_let(const struct signals *s)
{
    (void)s;
    mask(SIG_UNBLOCK);
}

void signals_hold(const struct signals *s)
{
    (void)s;
    mask(SIG_BLOCK);
}

void signals_done(struct signals *s)
{
    uint64_t one = 1;
    /* The counter of an eventfd cannot be full here. */
    ssize_t n = write(s->done_fd, &one, sizeof one);
    (void)n;
}
