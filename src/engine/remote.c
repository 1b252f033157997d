/*
 * Two lists with one lock: tasks to do, filled by main and emptied by the workers, and
 * tasks done, the other way round. Main alone talks to rank 0. It looks every
 * millisecond while there is work, every five when there is none; results of that time
 * go in one message.
 *
 * A task is answered for at most the time that a claim may take, like any claim. What
 * is left of it rank 0 puts back into the ring. A task is given back unanswered when
 * rank 0 asks for what is not begun, and when its text is in a file that looks
 * different here.
 */
#include "engine/remote.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "engine/comm.h"
#include "engine/gather.h"
#include "engine/keep.h"
#include "engine/share.h"
#include "engine/signals.h"
#include "engine/team.h"
#include "engine/wire.h"
#include "engine/world.h"

enum {
    BUSY_PAUSE_MS = 1,
    IDLE_PAUSE_MS = 5,
    RESULT_BYTES = 4 << 20, /* of a RESULT message, about */
    LEAVE_MS = 200,         /* for workers to leave at the end */
    SPARE_TASKS = 64,       /* kept for use again with their memory, ... */
    SPARE_BYTES = 64 << 20  /* ... of which there may be so much */
};

struct task {
    uint64_t id;
    struct chunk chunk;
    struct span span;
    bool in_file; /* the text is to be read */
    struct wire_file file;
    struct wire_file *documents; /* of wire_files(span): how rank 0 sees them */

    bool begun, blind;
    uint64_t done, spent_ns;
    struct part part;
    struct task *next;
};

struct list {
    struct task *first, **end;
};

struct remote {
    const struct job *job;
    struct work work;
    struct columns columns;
    struct team team;
    struct signals signals;
    struct meters meters; /* each thread its own */
    struct keep keep;     /* opened before the first task */

    pthread_mutex_t lock;
    pthread_cond_t workers;
    struct list todo, done; /* under the lock */
    bool leaving;           /* under the lock */

    /* Main's. */
    struct task *spare;
    unsigned nspare;
    size_t spare_bytes;
    unsigned out; /* tasks that rank 0 waits for */
    bool bye;
};

static void list_init(struct list *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void list_add(struct list *l, struct task *t)
{
    t->next = NULL;
    *l->end = t;
    l->end = &t->next;
}

static struct task *list_take(struct list *l)
{
    struct task *t = l->first;
    if (t && !(l->first = t->next))
        l->end = &l->first;
    return t;
}

static void task_free(struct task *t)
{
    chunk_release(&t->chunk);
    part_release(&t->part);
    free(t->documents);
    free(t);
}

static void list_free(struct list *l)
{
    struct task *t;
    while ((t = list_take(l)) != NULL)
        task_free(t);
}

/* --- workers --- */

/* The file that a worker has open, of input number `input`. */
struct opened {
    unsigned input;
    int fd; /* -1: none */
    struct wire_file file;
};

/* Reads the text of a task from its file. False when it is not the file that rank 0
 * sees. */
static bool read_text(const struct remote *r, struct task *t, struct opened *o)
{
    const struct chunk *c = &t->chunk;
    if (o->fd < 0 || o->input != c->input) {
        if (o->fd >= 0)
            close(o->fd);
        o->fd = open(r->job->inputs[c->input].text, O_RDONLY | O_CLOEXEC);
        o->input = c->input;
        if (o->fd >= 0)
            wire_look_fd(&o->file, o->fd);
    }
    if (o->fd < 0 || !wire_same_file(&o->file, &t->file))
        return false;
    for (size_t have = 0; have < c->len;) {
        ssize_t n =
            pread(o->fd, c->text + have, c->len - have, (off_t)(c->origin + have));
        if (n <= 0) /* it has become shorter, or cannot be read here */
            return false;
        have += (size_t)n;
    }
    return true;
}

static bool sees_documents(const struct remote *r, const struct task *t)
{
    uint64_t first = t->chunk.input + wire_first_file(&t->span);
    for (uint64_t i = 0; t->documents && i < wire_files(&t->span); i++) {
        struct wire_file here;
        const char *path = r->job->inputs[first + i].text;
        wire_look(&here, path);
        if (!wire_same_file(&here, &t->documents[i]) || access(path, R_OK) != 0)
            return false;
    }
    return true;
}

static void answer(struct remote *r, struct worker *w, struct meter *m,
                   struct opened *o, struct task *t)
{
    t->blind = (t->in_file && !read_text(r, t, o)) || !sees_documents(r, t);
    t->begun = !t->blind;
    if (t->blind)
        return;
    struct meter_done done = {.task = TASK_CHUNK, .start_ns = qclock_ns()};
    uint64_t budget = share_budget(work_aim(&r->work, &t->chunk));
    meter_begin(m, done.start_ns);
    t->done = worker_run(w, &t->span, done.start_ns + budget, &t->part) - t->span.begin;
    done.end_ns = qclock_ns();
    done.records = t->part.records + t->part.nbad;
    done.errors = t->part.nbad;
    done.bytes = t->part.out.len;
    meter_end(m, &done);
    keep_part(&r->keep, &t->part);
    t->spent_ns = done.end_ns - done.start_ns;
}

static struct task *next_task(struct remote *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->todo.first && !r->leaving)
        pthread_cond_wait(&r->workers, &r->lock);
    struct task *t = r->leaving ? NULL : list_take(&r->todo);
    pthread_mutex_unlock(&r->lock);
    return t;
}

static void hand_back(struct remote *r, struct task *t)
{
    pthread_mutex_lock(&r->lock);
    list_add(&r->done, t);
    pthread_mutex_unlock(&r->lock);
}

static void work_loop(void *ctx, struct worker *w, struct meter *m)
{
    struct remote *r = ctx;
    struct opened o = {.fd = -1};
    struct task *t;
    while ((t = next_task(r)) != NULL) {
        answer(r, w, m, &o, t);
        hand_back(r, t);
    }
    if (o.fd >= 0)
        close(o.fd);
}

/* Every task ends with the reason. */
static void no_worker(void *ctx, const struct qerr *why)
{
    struct remote *r = ctx;
    struct task *t;
    while ((t = next_task(r)) != NULL) {
        t->part.err = *why;
        hand_back(r, t);
    }
}

/* --- main --- */

static size_t task_size(const struct task *t)
{
    return t->chunk.room + part_size(&t->part);
}

static struct task *task_new(struct remote *r)
{
    struct task *t = r->spare;
    if (t) {
        r->spare = t->next;
        r->nspare--;
        r->spare_bytes -= task_size(t);
    } else {
        t = calloc(1, sizeof *t);
        if (!t)
            return NULL;
        part_init(&t->part);
    }
    t->begun = t->blind = false;
    t->done = t->spent_ns = 0;
    part_clear(&t->part);
    return t;
}

static void task_spare(struct remote *r, struct task *t)
{
    free(t->documents);
    t->documents = NULL;
    if (r->nspare == SPARE_TASKS || r->spare_bytes + task_size(t) > SPARE_BYTES) {
        task_free(t); /* a long document's text, say */
        return;
    }
    t->next = r->spare;
    r->spare = t;
    r->nspare++;
    r->spare_bytes += task_size(t);
}

static int take_documents(struct task *t, struct qwire *w, struct qerr *e)
{
    uint64_t n = wire_files(&t->span);
    if (n == 0)
        return 0;
    if (n > w->left)
        return qerr_set(e, Q_ECHECK, "a message between ranks is damaged");
    t->documents = calloc((size_t)n + 1, sizeof *t->documents);
    if (!t->documents)
        return qerr_nomem(e);
    for (uint64_t i = 0; i < n; i++)
        wire_get_file(w, &t->documents[i]);
    return 0;
}

static int take_work(struct remote *r, struct qwire *w, struct qerr *e)
{
    while (w->left > 0) {
        struct task *t = task_new(r);
        if (!t)
            return qerr_nomem(e);
        t->id = qwire_get(w);
        int rc = wire_get_span(w, &t->chunk, &t->span, &t->in_file, &t->file, e);
        if (rc == 0)
            rc = take_documents(t, w, e);
        if (rc < 0) {
            task_free(t);
            return rc;
        }
        r->out++;
        pthread_mutex_lock(&r->lock);
        list_add(&r->todo, t);
        pthread_cond_signal(&r->workers);
        pthread_mutex_unlock(&r->lock);
    }
    return 0;
}

/* What is not begun goes back. */
static void give_up_todo(struct remote *r)
{
    struct task *t;
    pthread_mutex_lock(&r->lock);
    while ((t = list_take(&r->todo)) != NULL)
        list_add(&r->done, t);
    pthread_mutex_unlock(&r->lock);
}

/* The attempt, and the inode of rank 0's shard. */
static void take_shard(struct remote *r, struct qwire *w)
{
    const char *folder = job_word(r->job, "output");
    unsigned attempt = (unsigned)qwire_get(w);
    uint64_t inode = qwire_get(w);
    if (!w->bad && !keep_open(&r->keep, folder, attempt, comm_rank(), inode))
        qlog_detail("rank %u does not see %s as rank 0 does: its results go there",
                    comm_rank(), folder);
}

static int sync_shard(const struct remote *r, struct qerr *e)
{
    struct qbuf body = QBUF_INIT;
    struct qerr why = QERR_INIT;
    (void)keep_sync(&r->keep, &why);
    qwire_put_error(&body, &why);
    return comm_send(0, WIRE_SYNCED, &body, e);
}

static int take_messages(struct remote *r, struct qerr *e)
{
    struct comm_message m;
    struct qwire w;
    int rc;
    while (!r->bye && (rc = comm_receive(&m, e)) != 0) {
        if (rc < 0)
            return rc;
        qwire_init(&w, &m.body);
        rc = 0;
        if (m.tag == WIRE_WORK)
            rc = take_work(r, &w, e);
        else if (m.tag == WIRE_RECALL)
            give_up_todo(r);
        else if (m.tag == WIRE_STATS)
            rc = gather_answer(&r->meters, r->out == 0, e);
        else if (m.tag == WIRE_SHARD)
            take_shard(r, &w);
        else if (m.tag == WIRE_SYNC)
            rc = sync_shard(r, e);
        else if (m.tag == WIRE_BYE)
            r->bye = true;
        if (r->bye)
            world_take_bye(&m);
        qbuf_release(&m.body);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void put_result(struct qbuf *b, const struct task *t)
{
    qwire_put(b, t->id);
    qwire_put(b, t->done);
    qwire_put(b, t->spent_ns);
    qwire_put(b, t->begun);
    qwire_put(b, t->blind);
    wire_put_part(b, &t->part);
}

/* Sends what is done. */
static int send_results(struct remote *r, struct qerr *e)
{
    pthread_mutex_lock(&r->lock);
    struct list done = r->done;
    if (!done.first)
        done.end = &done.first;
    list_init(&r->done);
    pthread_mutex_unlock(&r->lock);
    struct qbuf body = QBUF_INIT;
    struct task *t;
    int rc = 0;
    while (rc == 0 && (t = list_take(&done)) != NULL) {
        put_result(&body, t);
        task_spare(r, t);
        r->out--;
        if (body.len >= RESULT_BYTES)
            rc = comm_send(0, WIRE_RESULT, &body, e);
    }
    list_free(&done);
    if (rc == 0 && body.len > 0)
        rc = comm_send(0, WIRE_RESULT, &body, e);
    qbuf_release(&body);
    return rc;
}

static int send_signal(int number, struct qerr *e)
{
    struct qbuf body = QBUF_INIT;
    qwire_put(&body, (uint64_t)number);
    return comm_send(0, WIRE_SIGNAL, &body, e);
}

static int serve(struct remote *r, struct qerr *e)
{
    int rc = 0;
    while (rc == 0 && !r->bye) {
        int event =
            signals_wait(&r->signals, r->out > 0 ? BUSY_PAUSE_MS : IDLE_PAUSE_MS);
        if (event > 0 && event != SIGUSR2)
            rc = send_signal(event, e);
        if (r->work.item_ns > 0)
            work_break_off(&r->work);
        if (rc == 0)
            rc = take_messages(r, e);
        if (rc == 0 && !r->bye)
            rc = send_results(r, e);
    }
    return rc;
}

/* Ends the team; false when it sits in a call and is left behind. */
static bool end_team(struct remote *r, pthread_t team)
{
    struct timespec until;
    work_stop(&r->work);
    pthread_mutex_lock(&r->lock);
    r->leaving = true;
    pthread_cond_broadcast(&r->workers);
    pthread_mutex_unlock(&r->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LEAVE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_timedjoin_np(team, NULL, &until) != 0)
        return false;
    team_settle(&r->team);
    return true;
}

static int serve_with_team(struct remote *r, const struct placement *where,
                           bool *abandoned, struct qerr *e)
{
    pthread_t team;
    struct qerr none = QERR_INIT;
    r->team.work = &r->work;
    r->team.meters = &r->meters;
    r->team.most = where->threads;
    r->team.ctx = r;
    r->team.loop = work_loop;
    r->team.none = no_worker;
    int err = pthread_create(&team, NULL, team_main, &r->team);
    if (err != 0) {
        qerr_sys(&none, Q_ENOMEM, err, "cannot start a thread");
        return world_ready(NULL, &none, e);
    }
    int rc = world_ready(where, &none, e);
    if (rc == 0)
        rc = serve(r, e);
    *abandoned = !end_team(r, team);
    return rc;
}

int remote_serve(const struct job *job, const struct kernel *kernel,
                 const struct placement *where, bool *abandoned, struct qerr *e)
{
    struct remote *r = calloc(1, sizeof *r); /* workers left behind may look at it */
    struct qerr why = QERR_INIT;
    if (!r)
        return qerr_nomem(e);
    r->job = job;
    list_init(&r->todo);
    list_init(&r->done);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->workers, NULL);
    team_init(&r->team);
    keep_init(&r->keep);
    meters_init(&r->meters, qclock_ns(),
                job_given(job, "trace") ? meters_events(where->threads) : 0);
    r->meters.start_cpu_ns = stats_cpu_ns();
    int rc = signals_open(&r->signals, e);
    if (rc < 0)
        return rc;
    if (work_init(&r->work, where->threads, &why) == 0 &&
        work_open(&r->work, job, kernel, &r->columns, &why) == 0)
        rc = serve_with_team(r, where, abandoned, e);
    else
        rc = world_ready(NULL, &why, e);
    if (rc == 0 && !r->bye) /* rank 0 ends the run when it hears of an error */
        rc = world_wait_for_bye(e);
    if (*abandoned)
        return rc;
    if (r->work.state)
        work_close(&r->work);
    work_release(&r->work);
    keep_close(&r->keep);
    list_free(&r->todo);
    list_free(&r->done);
    while (r->spare) {
        struct task *next = r->spare->next;
        task_free(r->spare);
        r->spare = next;
    }
    signals_end(&r->signals);
    team_release(&r->team);
    meters_release(&r->meters);
    free(r);
    return rc;
}
