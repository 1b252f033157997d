/*
 * switch: an Ethernet switch in user space, so that hosts made of network namespaces
 * have a network with a delay, a rate, and cables that can be cut. (The kernel's own
 * way, netem, is a module that few machines of a CI have; a TAP device is on all.)
 *
 *     switch DELAY_US RATE_MBIT PORT...
 *
 * A PORT is IFNAME@PID: a TAP device of that name is made in the network namespace of
 * process PID (0: in that of the switch itself), and goes away with the switch. RATE 0
 * is as fast as the machine can. It prints "ready" when the devices are there, and then
 * obeys lines on its standard input:
 *
 *     cut N, join N     the cable of port N, counted from 0
 *     count             prints for each port the frames that it was sent and that it
 * lost
 *
 * A frame that comes in at a port leaves by the port behind which its receiver was last
 * heard, or by all others. There it waits until the frames before it are through (its
 * length divided by the rate) and then for the delay, which all frames spend in
 * parallel, as on a long wire. So each port is one queue in the order of leaving. A
 * full queue loses frames, and so does a cut cable, at both of its ends: TCP takes it
 * from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/qclock.h"

enum {
    PORTS = 64,
    STATIONS = 256,
    FRAME_BYTES = 9216, /* a jumbo frame */
    QUEUE = 2048,       /* frames; some milliseconds at 10 Gbit/s */
    BURST = 64,         /* frames taken from a port before the others get their turn */
    MAC_BYTES = 6
};

struct frame {
    uint64_t due_ns;
    size_t len;
    unsigned char bytes[FRAME_BYTES];
};

struct port {
    int fd;
    bool cut;
    uint64_t idle_ns;    /* when the last frame of the queue is through */
    struct frame *queue; /* a ring */
    unsigned head, waiting;
    uint64_t sent, lost;
};

struct net {
    uint64_t delay_ns;
    uint64_t rate_mbit; /* 0: no limit */
    struct port ports[PORTS];
    unsigned nports;
    struct {
        unsigned char mac[MAC_BYTES];
        unsigned port;
    } stations[STATIONS];
    unsigned nstations;
};

/* --- the devices --- */

/* Of a process; "self" is this one. */
static int namespace_of(const char *pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        perror(path);
    return fd;
}

/* A TAP device in the network namespace that this process is in. */
static int tap(const char *name, size_t len)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        perror("/dev/net/tun");
        return -1;
    }
    memcpy(request.ifr_name, name, len);
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        perror(name);
        close(fd);
        return -1;
    }
    return fd;
}

/* `name` is IFNAME@PID. The descriptors last as long as the process. */
static bool port_open(struct port *p, const char *name, int home)
{
    const char *at = strchr(name, '@');
    if (!at || at == name || at - name >= IFNAMSIZ) {
        fprintf(stderr, "switch: not IFNAME@PID: %s\n", name);
        return false;
    }
    bool away = strcmp(at + 1, "0") != 0;
    int there = away ? namespace_of(at + 1) : home;
    if (there < 0)
        return false;
    p->fd = setns(there, CLONE_NEWNET) == 0 ? tap(name, (size_t)(at - name)) : -1;
    if (setns(home, CLONE_NEWNET) < 0)
        p->fd = -1;
    if (away)
        close(there);
    p->queue = calloc(QUEUE, sizeof *p->queue);
    return p->fd >= 0 && p->queue;
}

/* --- frames --- */

/* The port behind which a station was last heard, or -1. */
static int port_of(const struct net *net, const unsigned char *mac)
{
    for (unsigned i = 0; i < net->nstations; i++)
        if (memcmp(net->stations[i].mac, mac, MAC_BYTES) == 0)
            return (int)net->stations[i].port;
    return -1;
}

static void learn(struct net *net, const unsigned char *mac, unsigned port)
{
    if (port_of(net, mac) >= 0 || net->nstations == STATIONS)
        return;
    memcpy(net->stations[net->nstations].mac, mac, MAC_BYTES);
    net->stations[net->nstations++].port = port;
}

static void enqueue(const struct net *net, struct port *p, const unsigned char *bytes,
                    size_t len, uint64_t now)
{
    if (p->cut || p->waiting == QUEUE) {
        p->lost++;
        return;
    }
    if (p->idle_ns < now)
        p->idle_ns = now;
    if (net->rate_mbit > 0)
        p->idle_ns += len * 8000 / net->rate_mbit;
    struct frame *f = &p->queue[(p->head + p->waiting++) % QUEUE];
    f->due_ns = p->idle_ns + net->delay_ns;
    f->len = len;
    memcpy(f->bytes, bytes, len);
}

/* Takes in what has come to port `from`. */
static void take(struct net *net, unsigned from)
{
    unsigned char bytes[FRAME_BYTES];
    for (int i = 0; i < BURST; i++) {
        ssize_t len = read(net->ports[from].fd, bytes, sizeof bytes);
        if (len < 2 * MAC_BYTES)
            return;
        if (net->ports[from].cut) {
            net->ports[from].lost++;
            continue;
        }
        uint64_t now = qclock_ns();
        learn(net, bytes + MAC_BYTES, from);
        int to = port_of(net, bytes);
        for (unsigned p = 0; p < net->nports; p++)
            if (p != from && (to < 0 || (unsigned)to == p))
                enqueue(net, &net->ports[p], bytes, (size_t)len, now);
    }
}

/* Lets out the frames that are due. */
static void let_out(struct port *p, uint64_t now)
{
    while (p->waiting > 0 && p->queue[p->head].due_ns <= now) {
        const struct frame *f = &p->queue[p->head];
        if (!p->cut && write(p->fd, f->bytes, f->len) == (ssize_t)f->len)
            p->sent++;
        else
            p->lost++;
        p->head = (p->head + 1) % QUEUE;
        p->waiting--;
    }
}

/* --- the loop --- */

/* A line of standard input; false at its end. */
static bool obey(struct net *net)
{
    char line[64];
    unsigned n;
    if (!fgets(line, sizeof line, stdin))
        return false;
    bool cut = sscanf(line, "cut %u", &n) == 1;
    if ((cut || sscanf(line, "join %u", &n) == 1) && n < net->nports)
        net->ports[n].cut = cut;
    else if (strcmp(line, "count\n") == 0)
        for (unsigned p = 0; p < net->nports; p++)
            printf("port %u: %" PRIu64 " sent, %" PRIu64 " lost\n", p,
                   net->ports[p].sent, net->ports[p].lost);
    else
        fprintf(stderr, "switch: unknown command: %s", line);
    fflush(stdout);
    return true;
}

/* Until a frame is due; NULL when none waits. */
static const struct timespec *patience(const struct net *net, struct timespec *t)
{
    uint64_t due = UINT64_MAX, now = qclock_ns();
    for (unsigned p = 0; p < net->nports; p++) {
        const struct port *port = &net->ports[p];
        if (port->waiting > 0 && port->queue[port->head].due_ns < due)
            due = port->queue[port->head].due_ns;
    }
    if (due == UINT64_MAX)
        return NULL;
    uint64_t ns = due > now ? due - now : 0;
    *t = (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                           .tv_nsec = (long)(ns % 1000000000)};
    return t;
}

static int serve(struct net *net)
{
    struct pollfd fds[PORTS + 1];
    for (unsigned p = 0; p < net->nports; p++)
        fds[p] = (struct pollfd){.fd = net->ports[p].fd, .events = POLLIN};
    fds[net->nports] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        struct timespec t;
        if (ppoll(fds, net->nports + 1, patience(net, &t), NULL) < 0 &&
            errno != EINTR) {
            perror("switch: poll");
            return 1;
        }
        if (fds[net->nports].revents && !obey(net))
            return 0;
        for (unsigned p = 0; p < net->nports; p++)
            if (fds[p].revents & POLLIN)
                take(net, p);
        uint64_t now = qclock_ns();
        for (unsigned p = 0; p < net->nports; p++)
            let_out(&net->ports[p], now);
    }
}

int main(int argc, char **argv)
{
    static struct net net;
    if (argc < 4 || argc - 3 > PORTS) {
        fputs("usage: switch DELAY_US RATE_MBIT IFNAME@PID...\n", stderr);
        return 2;
    }
    net.delay_ns = strtoull(argv[1], NULL, 10) * 1000;
    net.rate_mbit = strtoull(argv[2], NULL, 10);
    int home = namespace_of("self");
    if (home < 0)
        return 1;
    for (int i = 3; i < argc; i++)
        if (!port_open(&net.ports[net.nports++], argv[i], home))
            return 1;
    setvbuf(stdin, NULL, _IONBF, 0);      /* poll must see what is not read yet */
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* the default is half of a usual delay */
    puts("ready");
    fflush(stdout);
    return serve(&net);
}
