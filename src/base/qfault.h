/*
 * qfault: deaths on purpose, in the program that tests are given (VARIANT=fault) and in
 * no other. QUERN_FAULT=NAME:N in the environment kills the process, by SIGKILL, at the
 * Nth place of that name; it names one fault, so that one counter will do. One thread
 * may call.
 */
#ifndef QUERN_BASE_QFAULT_H
#define QUERN_BASE_QFAULT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef QUERN_FAULT
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the process is to die here. */
static inline bool qfault_here(const char *name)
{
    static unsigned long met;
    const char *fault = getenv("QUERN_FAULT");
    size_t len = strlen(name);
    if (!fault || strncmp(fault, name, len) != 0 || fault[len] != ':')
        return false;
    return ++met == strtoul(fault + len + 1, NULL, 10);
}

static inline void qfault_die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* A span of time that tests may shorten, in milliseconds. */
static inline uint64_t qfault_ns(const char *variable, uint64_t ns)
{
    const char *ms = getenv(variable);
    return ms ? strtoull(ms, NULL, 10) * 1000000u : ns;
}
#else
static inline bool qfault_here(const char *name)
{
    (void)name;
    return false;
}

static inline void qfault_die(void)
{
}

static inline uint64_t qfault_ns(const char *variable, uint64_t ns)
{
    (void)variable;
    return ns;
}
#endif

#endif
