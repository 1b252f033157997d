/* qenv: environment variables, read through a function so that tests have theirs. */
#ifndef QUERN_BASE_QENV_H
#define QUERN_BASE_QENV_H

#include <stdlib.h>

struct qenv {
    const char *(*get)(void *state, const char *name); /* NULL: getenv */
    void *state;
};

#define QENV_PROCESS                                                                   \
    {                                                                                  \
        NULL, NULL                                                                     \
    }

/* The value of a variable, or NULL when it is not set. */
static inline const char *qenv_get(const struct qenv *env, const char *name)
{
    return env->get ? env->get(env->state, name) : getenv(name);
}

#endif
