/*
 * capture: what a piece of code writes to a standard file, call by call of write(2).
 * The file is a socket that keeps the bounds of each write.
 */
#ifndef QUERN_TESTS_CAPTURE_H
#define QUERN_TESTS_CAPTURE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

struct capture {
    int fd, saved, from;
};

/* From now on `fd` (1 or 2) goes into the capture. */
static inline void capture_begin(struct capture *c, int fd)
{
    int pair[2];
    fflush(fd == STDOUT_FILENO ? stdout : stderr);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    *c = (struct capture){fd, dup(fd), pair[0]};
    dup2(pair[1], fd);
    close(pair[1]);
}

/* The next write, as a string in `to`; false when there is none. */
static inline bool capture_next(struct capture *c, char *to, size_t size)
{
    ssize_t n = recv(c->from, to, size - 1, MSG_DONTWAIT);
    to[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static inline void capture_end(struct capture *c)
{
    dup2(c->saved, c->fd);
    close(c->saved);
    close(c->from);
}

#endif
