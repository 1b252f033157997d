/*
 * fetchjob: the fetch pool as its files share it. Private to them:
 *
 *   fetch.c      the pool, and the ends of jobs
 *   fetchsubmit.c  their begins
 *   fetchread.c  who waits for them: ends and bytes
 *   fetchloop.c  a thread that fetches: starts, limits of time, sleep
 *   fetchrecv.c  what comes from the server: headers and bytes
 *   fetchend.c   what has ended: another try, another hop, or the end
 *
 * Every field says whose it is: "lock" is whoever holds fetch->lock; "thread" is the
 * thread that has the job as ACTIVE, and otherwise lock; "fixed" is set at submission.
 */
#ifndef QUERN_SOURCE_FETCHJOB_H
#define QUERN_SOURCE_FETCHJOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/qsha256.h"
#include "core/meter.h"
#include "source/body.h"
#include "source/cache.h"
#include "source/coding.h"
#include "source/crew.h"
#include "source/executor.h"
#include "source/fetch.h"
#include "source/fetchconfig.h"
#include "source/partfile.h"
#include "source/response.h"
#include "source/schedule.h"
#include "source/transfer.h"

struct fetch_job {
    struct turn turn; /* lock; the first field */
    struct fetch *fetch;

    /* Fixed. */
    char *url;
    char *line; /* NULL: url */
    enum fetch_to to;
    uint64_t submitted_ns;

    /* Lock. */
    struct fetch_job *older, *newer;           /* all that are not released */
    struct fetch_job *next_ended, *prev_ended; /* of the ended that are not taken */
    bool ended, cancelled, awaited;
    bool listed;       /* it is in that list */
    bool paused;       /* its transfer waits for room in memory */
    struct body body;  /* a file in it: thread, and after the end the reader's */
    uint64_t since_ns; /* when it began to wait */
    uint64_t begun_ns; /* when it got the place that it has */

    /* Thread. */
    struct origin *home;           /* of `url` */
    char *at;                      /* the URL of this hop, if it is not `url` */
    bool abroad;                   /* a redirect has led to another origin */
    unsigned hops;                 /* redirects so far */
    unsigned failed, limited;      /* tries that have ended */
    bool spared;                   /* a request without an answer was sent again */
    uint64_t first_ns;             /* when the first try began; 0: none has */
    uint64_t waited_ns;            /* time without a place */
    struct partfile file;          /* FETCH_FILE */
    bool renamed;                  /* by --content-disposition */
    struct coding *coding;         /* takes the gzip off what is coming; or NULL */
    bool stays_coded;              /* ... or only looks whether it is whole */
    struct qsha256 *hash;          /* of the body as it is handed on; or NULL */
    struct cache_entry cached;     /* what is in the cache; fd -1: nothing */
    char validator[RESPONSE_TEXT]; /* of the body received so far; "": none */
    uint64_t total;                /* its length, if known; else 0 */
    struct fetch_outcome outcome;  /* after the end the reader's */
};

/* A place of a thread: one transfer that runs. All of it is the thread's. */
struct place {
    struct fetch_job *job; /* NULL: free */
    struct fetch_thread *thread;
    struct transfer *transfer;
    struct response response;
    uint64_t start_ns, last_ns;  /* of the try; of the last byte */
    uint64_t paused_ns;          /* since then it is paused; 0: it is not */
    uint64_t dropped;            /* bytes of a body that is not wanted */
    uint64_t from;               /* the first byte that was asked for (Range) */
    uint64_t bytes;              /* of the body, that have come in this try */
    bool looked;                 /* the answer has been looked at, and ... */
    bool wanted;                 /* ... its body goes to the job */
    bool enough;                 /* what is left of an unwanted body does not matter */
    bool conditional;            /* a 304 would do */
    bool there;                  /* the file that the server names, and it may stay */
    enum fetch_class broken_off; /* by us; FETCH_OK: not */
    bool may_pass;               /* ... and another try may do better */
    char error[FETCH_ERROR];
};

/* A thread that fetches. Its set is its own, but for transfers_wake. */
struct fetch_thread {
    struct fetch *fetch;
    struct transfers *set;
    struct future *future;
    struct meter *meter;  /* of its transfers; NULL: nobody asks */
    struct place *places; /* `nplaces` of them */
    unsigned nplaces, nused;
    uint64_t now_ns;    /* when it last began to move its transfers on */
    uint64_t look_ns;   /* when limits of time are to be looked at */
    bool hungry;        /* lock: it sleeps, and would take a job */
    uint64_t seen;      /* lock: what `added` was when it last looked for one */
    uint64_t asleep_ns; /* lock: since then it sleeps; 0: it does not */
    uint64_t slept_ns;  /* lock: how long it has slept before */
    unsigned paused;    /* lock: its jobs that are paused */
    bool woken;         /* lock: something is to be looked at: rooms, cancels */
};

struct fetch {
    const struct fetch_config *config;
    struct meters *meters;           /* NULL: nobody asks */
    struct transfer_options options; /* the config's, with our callbacks */
    struct transfer_pool *transfers;
    struct transfer_headers *headers;   /* of every request, ... */
    struct transfer_headers *strangers; /* ... and to who must not see secrets */
    struct executor *executor;
    struct fetch_thread *threads;
    struct folder *folder; /* NULL: none; locks itself */
    struct cache *cache;   /* --cache; any thread */
    size_t queue;          /* jobs that may wait for a place */
    size_t window;         /* jobs that may be ahead of the oldest */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job that is awaited has bytes or has ended */
    pthread_cond_t room;    /* a job has left the queue, or the oldest is released */

    /* Lock. */
    struct schedule schedule;
    struct crew crew;           /* the threads that take jobs */
    uint64_t added;             /* how often there was a job for some thread */
    char *last_site;            /* "http://host:port" as it was last written, ... */
    struct origin *last_origin; /* ... and what it came to */
    struct body_pool pool;
    struct fetch_job *oldest, *newest; /* of those that are not released */
    struct fetch_job *ended_head, *ended_tail;
    struct fetch_job *untaken; /* the oldest that fetch_take has not given */
    bool any_awaited;
    uint64_t waited_ns;   /* when a reader has last waited */
    unsigned nsubmitters; /* that wait for room */
    uint64_t submitted, nended, nfailed, nretries;
    unsigned npaused;
    bool closed;   /* fetch_end */
    bool stopping; /* fetch_stop */

    atomic_uint_fast64_t bytes; /* of bodies; any thread */
};

/* Is there a file? Without a directory its bytes are only counted. */
static inline bool job_has_file(const struct fetch_job *job)
{
    return job->to == FETCH_FILE && job->fetch->folder;
}

/* The main function of a thread that fetches; an executor_task. */
void *fetch_loop(void *thread, struct future *self, struct qerr *e);

/* --- fetchrecv.c: the callbacks of transfers; `place` is a struct place --- */

enum transfer_take fetch_on_header(void *place, const char *line, size_t n);
enum transfer_take fetch_on_body(void *place, const char *bytes, size_t n);

bool fetch_on_again(void *place);

/* We end this try; the first reason stands. */
void place_break_off(struct place *p, enum fetch_class class, bool may_pass,
                     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Looks at the answer, once: when the first `n` bytes of its body have come, or at its
 * end. */
void place_look(struct place *p, size_t n);

/* Forgets what came so far. Returns how many bytes a reader has had already: then
 * nothing is forgotten. */
uint64_t job_forget(struct fetch_job *job);

/* Whether the hash is what --checksum says; else the class, and `why` says it. */
enum fetch_class job_check_sum(struct fetch_job *job, char why[FETCH_ERROR]);

/* The body is whole and good: gives its file the name. */
int job_put_in_place(struct fetch_job *job, struct qerr *e);

/* Says in the outcome where the file is. */
int job_set_path(struct fetch_job *job, struct qerr *e);

/* --- fetchcache.c --- */

/* At submission: what is in the cache of this job's URL, if it is good. */
void job_look_in_cache(struct fetch_job *job);

/* The body is the one in the cache: puts it where it belongs. Says why not, if it is
 * not FETCH_OK. */
enum fetch_class job_use_cached(struct fetch_job *job, char why[FETCH_ERROR]);

/* The body is whole: keeps it for other runs. */
int job_keep(struct fetch_job *job, const struct response *r, struct qerr *e);

/* --- fetchend.c --- */

/* The transfer has ended (`r`), or was broken off (NULL); the place is free then. */
void place_end(struct place *p, const struct transfer_result *r);

/* Ends a job that holds no place, before or between tries. */
void job_give_up(struct fetch_job *job, enum fetch_class class, const char *error);

/* --- fetch.c, for the loop; all with the lock held --- */

/* The job has ended; its outcome is filled but for what follows from the rest. Exactly
 * once a job. */
void fetch_job_end(struct fetch_job *job, enum fetch_class class, const char *error);

/* Somebody may wait for this job. */
void fetch_job_changed(struct fetch_job *job);

/* There is a job that a thread may take. */
void fetch_wake_hungry(struct fetch *f);

/* Jobs may be submitted again, perhaps. */
void fetch_room_made(struct fetch *f);

/* It is taken. */
void fetch_unlist(struct fetch_job *job);

/* There is room for pieces, or another job is the oldest. */
void fetch_wake_paused(struct fetch *f);

/* Whether it is the job that must go on, whatever the others hold. */
bool fetch_job_is_oldest(const struct fetch_job *job);

/* --- fetch.c, without the lock --- */

void fetch_job_free(struct fetch_job *job);

/* The URL for people, without name and password; NULL without memory. The caller's. */
char *fetch_url_shown(const char *url);

#endif
