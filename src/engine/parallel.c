/*
 * The parallel body: a reader, a team of workers (and, through main, other ranks), a
 * committer, with the ring between them. How much is claimed at a time, share.h says.
 */
#include "base/qclock.h"
#include "base/qlog.h"
#include "engine/comm.h"
#include "engine/feed.h"
#include "engine/run.h"
#include "engine/share.h"

enum {
    RING_WINDOW = 128 << 20,
    LONG_TEXTS = 256 << 20, /* what documents may take that are longer than a chunk */
    SPARE_CHUNKS = 3,       /* chunks in memory beyond one a worker */
    RANK_CHUNKS = 12,       /* ... and for each other rank, */
    RANK_CHUNKS_MOST = 192  /* or all of them */
};

/* --- the reader --- */

/* What the feed gives next, metered. */
static int read_chunk(struct feed *feed, struct chunk *c, struct meter *m,
                      struct qerr *e)
{
    struct meter_done done = {.task = TASK_READ, .start_ns = qclock_ns()};
    meter_begin(m, done.start_ns);
    int rc = feed_next(feed, c, e);
    done.end_ns = qclock_ns();
    done.bytes = rc > 0 && c->kind == CHUNK_OF_TEXT ? c->len : 0;
    meter_end(m, &done);
    meter_read(m, done.bytes);
    return rc;
}

static void *reader_main(void *arg)
{
    struct run *r = arg;
    struct qerr err = QERR_INIT;
    struct feed feed;
    struct chunk *c;
    struct meter *m = meter_join(r->meters, METER_READER, 0);
    int rc = 1;
    feed_init(&feed, r->job, r->sources, r->work.kernel->accepts, r->first_input,
              &r->first_at);
    while (rc > 0 && (c = ring_chunk(r->ring, &err)) != NULL) {
        rc = read_chunk(&feed, c, m, &err);
        if (rc > 0)
            rc = ring_put(r->ring, c, &err) < 0 ? -(int)err.code : 1;
        else
            ring_drop(r->ring, c);
    }
    feed_release(&feed);
    if (err.code == Q_ESTOP) /* the sources were woken: the run ends otherwise */
        err = (struct qerr)QERR_INIT;
    meter_leave(m);
    ring_end(r->ring, &err);
    return NULL;
}

/* --- workers --- */

static void work_loop(void *ctx, struct worker *w, struct meter *m)
{
    struct run *r = ctx;
    struct claim claim;
    struct ring_slot *s;
    claim_init(&claim, r->fixed_claim, r->work.state->range_least);
    claim_among(&claim, r->threads * comm_size());
    while ((s = ring_claim(r->ring, &claim.want)) != NULL) {
        bool text = s->span.chunk->kind == CHUNK_OF_TEXT;
        uint64_t aim = work_aim(&r->work, s->span.chunk);
        uint64_t begin = s->span.begin;
        struct meter_done done = {.task = TASK_CHUNK, .start_ns = qclock_ns()};
        meter_begin(m, done.start_ns);
        uint64_t upto =
            worker_run(w, &s->span, done.start_ns + share_budget(aim), &s->part);
        done.end_ns = qclock_ns();
        done.records = s->part.records + s->part.nbad;
        done.errors = s->part.nbad;
        done.bytes = s->part.out.len;
        meter_end(m, &done);
        ring_done(r->ring, s, upto);
        claim_learn(&claim, text, upto - begin, done.end_ns - done.start_ns, aim);
    }
}

/* No worker could start: the output ends where the first one would have begun. */
static void no_worker(void *ctx, const struct qerr *why)
{
    struct run *r = ctx;
    struct ring_want one = {1, 1, 0};
    struct ring_slot *s = ring_claim(r->ring, &one);
    if (s) {
        part_clear(&s->part);
        s->part.err = *why;
        ring_done(r->ring, s, s->span.begin);
    }
}

static unsigned fit(void *ctx, unsigned most)
{
    const struct run *r = ctx;
    return ring_width(r->ring, most);
}

/* --- the committer --- */

static int commit_slot(struct run *r, const struct ring_slot *s, bool in_order)
{
    if (!in_order)
        return commit_early(&r->commit, &s->part, &r->err);
    if (s->state != SLOT_GONE)
        return commit_part(&r->commit, s->input, &s->after, &s->part, &r->err);
    commit_lines(&r->commit, s->input, s->part.lines);
    return 0;
}

static void *committer_main(void *arg)
{
    struct run *r = arg;
    struct ring_slot *s;
    struct meter *m = meter_join(r->meters, METER_COMMITTER, 0);
    bool in_order;
    int rc = 0;
    while (rc == 0 && !r->commit.tally.halted &&
           (s = ring_take(r->ring, &in_order)) != NULL) {
        struct meter_done done = {.start_ns = qclock_ns()};
        uint64_t mark = r->commit.marked_ns, out = r->commit.out;
        uint64_t records = r->commit.tally.records;
        meter_begin(m, done.start_ns);
        rc = commit_slot(r, s, in_order);
        done.end_ns = qclock_ns();
        done.task = r->commit.marked_ns != mark ? TASK_MARK : TASK_COMMIT;
        done.records = r->commit.tally.records - records;
        done.bytes = r->commit.out - out;
        meter_end(m, &done);
        ring_settle(r->ring, s, in_order);
        run_publish(r);
    }
    if (rc == 0 && !r->commit.tally.halted) {
        r->err = ring_error(r->ring);
        rc = -(int)r->err.code;
    }
    run_finish(r, rc);
    meter_leave(m);
    return NULL;
}

/* --- starting them --- */

static int cannot_start(int err, struct qerr *e)
{
    return qerr_sys(e, Q_ENOMEM, err, "cannot start a thread");
}

static int run_threads(struct run *r, struct engine_outcome *o, struct qerr *e)
{
    pthread_t reader, team, committer;
    r->team.work = &r->work;
    r->team.meters = r->meters;
    r->team.most = r->threads;
    r->team.ctx = r;
    r->team.fit = fit;
    r->team.loop = work_loop;
    r->team.none = no_worker;
    int err = pthread_create(&committer, NULL, committer_main, r);
    if (err != 0)
        return cannot_start(err, e);
    int team_err = pthread_create(&team, NULL, team_main, &r->team);
    int reader_err =
        team_err ? team_err : pthread_create(&reader, NULL, reader_main, r);
    if (reader_err != 0) {
        struct qerr why = QERR_INIT;
        cannot_start(reader_err, &why);
        ring_end(r->ring, &why);
    }
    run_supervise(r, &committer, team_err ? NULL : &team, reader_err ? NULL : &reader,
                  o);
    return 0;
}

/* What other ranks hold is in memory, too. */
static struct ring_limits limits_of(const struct run *r)
{
    unsigned far = r->dispatch ? dispatch_ranks(r->dispatch) : 0;
    unsigned chunks =
        far * RANK_CHUNKS < RANK_CHUNKS_MOST ? far * RANK_CHUNKS : RANK_CHUNKS_MOST;
    chunks += r->threads + SPARE_CHUNKS;
    return (struct ring_limits){.chunks = chunks,
                                .window = RING_WINDOW,
                                .texts = LONG_TEXTS + (size_t)chunks * CHUNK_TEXT,
                                .unordered = job_flag(r->job, "unordered") &&
                                             !r->work.state->settles,
                                .meters = r->meters};
}

int run_parallel(struct run *r, struct engine_outcome *o, struct qerr *e)
{
    struct ring_limits limits = limits_of(r);
    r->ring = ring_new(&limits, e);
    if (!r->ring)
        return -(int)e->code;
    int rc = run_threads(r, o, e);
    if (!o->abandoned)
        ring_free(r->ring);
    return rc;
}
