/*
 * The serial body: the executable specification of the engine. One chunk after the
 * other is answered and committed, in one thread; the parallel body gives the same
 * bytes.
 */
#include <stdlib.h>

#include "base/qclock.h"
#include "engine/feed.h"
#include "engine/run.h"

/* The executable specification: one chunk after the other, one thread. */
static uint64_t answer(struct run *r, struct worker *w, const struct span *span,
                       struct part *part, struct meter *m)
{
    struct meter_done done = {.task = TASK_CHUNK, .start_ns = qclock_ns()};
    meter_begin(m, done.start_ns);
    uint64_t upto = worker_run(w, span, NO_DEADLINE, part);
    done.end_ns = qclock_ns();
    done.records = part->records + part->nbad;
    done.errors = part->nbad;
    done.bytes = part->out.len;
    meter_end(m, &done);
    meters_answered(r->meters, span->chunk->kind, upto - span->begin, part->busy_ns);
    return upto;
}

static int serial_chunk(struct run *r, struct worker *w, const struct chunk *c,
                        struct part *part, struct meter *m, struct qerr *e)
{
    struct span span = {c, 0, 0};
    int rc = 0;
    do {
        span.end = chunk_size(c);
        span.end = span_cut(&span, CHUNK_TEXT); /* a range has no bound */
        uint64_t upto = answer(r, w, &span, part, m);
        struct position after = chunk_position(c, upto);
        if (!atomic_load(&r->work.stop))
            rc = commit_part(&r->commit, c->input, &after, part, e);
        span.begin = upto;
        if (r->commit.tally.halted)
            work_stop(&r->work);
    } while (rc >= 0 && span.begin < chunk_size(c) && !atomic_load(&r->work.stop));
    run_publish(r);
    return rc;
}

static int serial_inputs(struct run *r, struct chunk *chunk, struct qerr *e)
{
    struct worker *w = malloc(sizeof *w);
    struct part part;
    struct feed feed;
    part_init(&part);
    struct meter *m = meter_join(r->meters, METER_WORKER, 0);
    int rc = w ? worker_init(w, &r->work, e) : qerr_nomem(e);
    if (rc == 0) {
        w->meter = m;
        feed_init(&feed, r->job, r->sources, r->work.kernel->accepts, r->first_input,
                  &r->first_at);
        while (!atomic_load(&r->work.stop) && (rc = feed_next(&feed, chunk, e)) > 0) {
            meter_read(m, chunk->kind == CHUNK_OF_TEXT ? chunk->len : 0);
            if ((rc = serial_chunk(r, w, chunk, &part, m, e)) < 0)
                break;
        }
        feed_release(&feed);
        worker_release(w);
    }
    if (rc == -Q_ESTOP) { /* the sources were woken: the run ends otherwise */
        *e = (struct qerr)QERR_INIT;
        rc = 0;
    }
    meter_leave(m);
    part_release(&part);
    free(w);
    return rc < 0 ? rc : 0;
}

static void *serial_main(void *arg)
{
    struct run *r = arg;
    struct chunk chunk;
    int rc = chunk_init(&chunk, &r->err);
    run_finish(r, rc < 0 ? rc : serial_inputs(r, &chunk, &r->err));
    chunk_release(&chunk);
    return NULL;
}

int run_serial(struct run *r, struct engine_outcome *o, struct qerr *e)
{
    pthread_t thread;
    int err = pthread_create(&thread, NULL, serial_main, r);
    if (err != 0)
        return qerr_sys(e, Q_ENOMEM, err, "cannot start a thread");
    run_supervise(r, &thread, NULL, NULL, o);
    return 0;
}
