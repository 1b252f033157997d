/* jobs: the job that a command line would make, for tests below the command line. */
#ifndef QUERN_TESTS_JOBS_H
#define QUERN_TESTS_JOBS_H

#include <stdbool.h>
#include <string.h>

#include "cmd/options.h"
#include "kernel.h"
#include "unit.h"

/* A job for the kernel with options "name" or "name=value", ended by NULL. */
static inline void job_make(struct job *job, const struct kernel *kernel,
                            const char *const *options)
{
    struct qerr e = QERR_INIT;
    bool numbers = kernel->accepts == ACCEPT_NUMBERS || kernel->accepts == ACCEPT_LINES;
    const struct qopt *of_numbers[] = {options_shared, kernel->options, options_numbers,
                                       options_columns, options_fetch};
    const struct qopt *of_others[] = {options_shared, kernel->options,
                                      options_documents, options_fetch};
    CU_ASSERT_EQUAL_FATAL(job_init(job, kernel->name, numbers ? of_numbers : of_others,
                                   numbers ? 5 : 4, &e),
                          0);
    for (; options && *options; options++) {
        char name[64];
        const char *value = strchr(*options, '=');
        size_t len = value ? (size_t)(value - *options) : strlen(*options);
        snprintf(name, sizeof name, "%.*s", (int)len, *options);
        const struct qopt *o = job_find(job, name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        CU_ASSERT_EQUAL_FATAL(job_set(job, o, value ? value + 1 : "yes", &e), 0);
    }
}

#endif
