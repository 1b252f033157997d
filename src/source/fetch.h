/*
 * fetch: bodies of URLs, many at a time, by a few threads. It hides libcurl, threads,
 * retries, redirects, throttling, time limits, part files and the cache; docs/
 * architecture.md has the picture, fetch.c the essay.
 *
 * A job is one URL. Whoever wants it submits it, and every job ends exactly once, with
 * an outcome: errors are results. Calls may come from any thread, but a job has one
 * reader.
 *
 * Where a body goes is said at submission:
 *
 *   FETCH_STREAM  fetch_read gives its bytes as they come. Memory is bounded: when the
 *                 pool is full, transfers pause (the oldest job never does). What fails
 *                 after bytes were read is fetched on from there if the server can
 *                 prove that it is the same body; else the job fails.
 *   FETCH_WHOLE   fetch_read gives nothing before all of it has come and is known to be
 *                 good: then fetch_outcome(job)->bytes bytes. For documents, whose
 *                 kernel wants each body or its error. What is large waits in an
 *                 unlinked temporary file.
 *   FETCH_FILE    into a file of the output directory, whole or not at all, or nowhere
 *                 (--discard); fetch_read is not for it.
 *
 * A document kernel's source, in order:
 *
 *   submit a window of jobs ahead; for the oldest:
 *   n = fetch_read(job, ...)     > 0: bytes of a body that is complete and checked
 *                                  0: its end
 *                        -Q_EINPUT: e->text says why it failed: an error row, status 1
 *                         -Q_ESTOP: the run is stopped
 *   fetch_release(job)
 */
#ifndef QUERN_SOURCE_FETCH_H
#define QUERN_SOURCE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "core/job.h"

enum { FETCH_WORKERS_MAX = 10000, FETCH_THREADS_MAX = 1000 };

struct fetch;
struct fetch_config;
struct meters;
struct fetch_job;

enum fetch_class {
    FETCH_OK,
    FETCH_HTTP,        /* the final status is no success */
    FETCH_TIMEOUT,     /* a limit of time */
    FETCH_CONNECT,     /* no connection */
    FETCH_DNS,         /* no address for the name */
    FETCH_TLS,         /* a certificate, or a handshake */
    FETCH_PROTOCOL,    /* an answer that is none, or not what was agreed */
    FETCH_TRUNCATED,   /* the body ended too early */
    FETCH_TOOLARGE,    /* --max-bytes, --max-total */
    FETCH_REDIRECT,    /* too many, or to where none may lead */
    FETCH_RATELIMITED, /* the server wants a longer wait than there is time */
    FETCH_CANCELLED,   /* the run was stopped */
    FETCH_LOCAL,       /* our disk, our files, our memory */
    FETCH_USAGE,       /* the URL is none */
    FETCH_CLASSES
};

/* As reports print it: "ok", "http", ... */
const char *fetch_class_name(enum fetch_class c);

enum { FETCH_ERROR = 200, FETCH_SHA256 = 65 };

struct fetch_outcome {
    uint64_t id;           /* 1, 2, ... in the order of submission */
    const char *url;       /* as submitted, without a password */
    const char *final_url; /* behind redirects, without a password */
    const char *path;      /* of the file; NULL: none */
    int status;            /* HTTP; 0: no answer */
    enum fetch_class class;
    char error[FETCH_ERROR]; /* "" if ok */
    unsigned tries;
    uint64_t bytes;            /* of the body, as handed on */
    double seconds;            /* from submission to the end */
    double first_byte;         /* of the last try, from its start; 0: none came */
    double wait;               /* of the seconds, those spent waiting for a turn */
    bool cached;               /* the body came from --cache */
    char sha256[FETCH_SHA256]; /* "" when it was not asked for */
};

enum fetch_to { FETCH_STREAM, FETCH_WHOLE, FETCH_FILE };

struct fetch_order {
    const char *url;
    enum fetch_to to;
    const char *name; /* FETCH_FILE: of the file, or NULL: from the URL */
    const char *line; /* what to write for another run, or NULL: the URL */
    const char
        *where; /* "LIST:LINE", in front of what is wrong with the URL; or NULL */
    const char *refused; /* NULL, or why it is no URL: ends at once as FETCH_USAGE */
};

/* Reads the options of the job (options_fetch, and options_files if it has them). */
int fetch_config_new(struct fetch_config **config, const struct job *job,
                     struct qerr *e);
void fetch_config_free(struct fetch_config *c);

/* Appends what the cache (config has --cache) holds of a URL: its SHA-256, or that it
 * holds nothing. */
int fetch_cached(const struct fetch_config *c, const char *url, struct qbuf *out,
                 struct qerr *e);

/* Loads libcurl and starts the threads. The config is borrowed until fetch_close, and
 * so are the meters (NULL: none), where each thread enters its transfers. */
struct fetch *fetch_open(const struct fetch_config *config, struct meters *meters,
                         struct qerr *e);

/* Stops what is left, joins the threads, frees all jobs. */
void fetch_close(struct fetch *f);

/* Blocks while too many jobs wait, or have ended and wait for an older one to be taken.
 * NULL on failure, and (Q_ESTOP) when the run is stopped. */
struct fetch_job *fetch_submit(struct fetch *f, const struct fetch_order *order,
                               struct qerr *e);

/* How many jobs may be submitted ahead of the oldest one that is not released. */
size_t fetch_window(const struct fetch *f);

/* No more jobs come. */
void fetch_end(struct fetch *f);

/* Of a job to a file: the next one that has ended, in the order of submission or as
 * they end; NULL when all have been taken and fetch_end was called. Blocks. */
struct fetch_job *fetch_take(struct fetch *f, bool in_order);

/* Whether fetch_take would give one at once. */
bool fetch_has_ended(struct fetch *f, bool in_order);

/* Waits for the end of a job, at most `timeout_ns`; NULL when it goes on, which does it
 * no harm. Valid until fetch_release. */
const struct fetch_outcome *fetch_result(struct fetch_job *job, uint64_t timeout_ns);

/* The line of the order of a job. Valid until fetch_release. */
const char *fetch_line(const struct fetch_job *job);

/* The next bytes of the body, at most `n`: as cut_read in source/cut.h, with -Q_EINPUT
 * for a job that failed and -Q_ESTOP when the run is stopped. */
ssize_t fetch_read(struct fetch_job *job, char *to, size_t n, bool wait,
                   struct qerr *e);

/* Ends a job as FETCH_CANCELLED, soon, unless it has ended. */
void fetch_cancel(struct fetch_job *job);

/* The job is of no more interest; one that has not ended is cancelled. */
void fetch_release(struct fetch_job *job);

/* Ends all jobs as FETCH_CANCELLED, at once, and takes no more. Who waits comes back.
 * Any number of times. */
void fetch_stop(struct fetch *f);

/* How far it is, at any time. */
struct fetch_counts {
    uint64_t queued;  /* wait for a place */
    uint64_t waiting; /* wait for their next try, or for a shut origin */
    uint64_t active;  /* are being fetched */
    uint64_t done, failed;
    uint64_t bytes, retries;
    uint64_t longest_ns; /* the oldest of the active ones is under way for so long */
};
struct fetch_counts fetch_counts(struct fetch *f);

#endif
