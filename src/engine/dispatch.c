/*
 * A claim that another rank has is a slot of the ring, BUSY as for any claimant, and an
 * entry of a table whose index travels with it. When the RESULT comes, the part is
 * copied into the slot and the slot given back: done, or in part, and then its rest is
 * READY again at the same place. So nothing here knows of order, and a rank that meets
 * a hard record keeps one slot from being settled, nothing else.
 *
 * Ranks tell what they could not begin (RECALL). They are asked when somebody has
 * nothing to do and the ring has nothing to give, and when nothing has come back from
 * them for RECALL_NS: a rank whose threads all sit in hard records must not hold easy
 * ones that the output waits for.
 *
 * How much goes to whom, share.h says.
 */
#include "engine/dispatch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "engine/comm.h"
#include "engine/share.h"
#include "engine/wire.h"
#include "engine/world.h"

enum {
    RECALL_NS = 200000000,
    RECALL_PAUSE_NS = 20000000, /* least time between recalls of one rank */
    MESSAGE_BYTES = 4 << 20,    /* of a WORK message, about */
    BLIND_NS = 500000000, /* from the first rank that does not see a file to the word */
    BUSY_PAUSE_MS = 1,
    IDLE_PAUSE_MS = 5
};

struct claimed {
    struct ring_slot *slot; /* NULL: a free entry, ... */
    unsigned rank;
    uint32_t next_free; /* ... and the next one, + 1 */
};

struct rank {
    struct share share;
    struct claim claim;
    uint64_t heard_ns, recalled_ns;
    bool kept;  /* parts in its shard that are not durable yet */
    bool blind; /* it does not see the files: it gets bytes */
};

struct dispatch {
    const struct job *job;
    const struct work *work;
    const char *const *names;
    struct rank *ranks; /* [1 .. size) */
    unsigned size;
    unsigned local, threads; /* here, and all */
    unsigned out;            /* claims that others have */
    int signal; /* that another rank was sent, and no turn has told; or 0 */

    /* Ranks that do not see a file, the first of them, what it does not see, and when
     * that was heard. said_blind: it has been said. */
    unsigned nblind, first_blind, blind_input;
    uint64_t blind_ns;
    bool said_blind;

    struct claimed *claims;
    uint32_t nclaims, free_claims; /* + 1 */

    unsigned file_input; /* the last input that was looked at, + 1 */
    struct wire_file file;

    /* Main and the committer, which waits for it. */
    pthread_mutex_t syncing;
    pthread_cond_t synced;
    enum { SYNC_NONE, SYNC_WANTED, SYNC_ASKED, SYNC_DONE } sync; /* under the lock */
    struct qerr sync_err;                                        /* the same */
    unsigned unsynced; /* main's: ranks that have not answered */
};

struct dispatch *dispatch_new(const struct job *job, const struct work *work,
                              const char *const *names, struct qerr *e)
{
    struct dispatch *d = calloc(1, sizeof *d);
    struct rank *ranks = calloc(comm_size(), sizeof *ranks);
    if (!d || !ranks) {
        free(d);
        free(ranks);
        qerr_nomem(e);
        return NULL;
    }
    *d = (struct dispatch){
        .job = job, .work = work, .names = names, .ranks = ranks, .size = comm_size()};
    pthread_mutex_init(&d->syncing, NULL);
    pthread_cond_init(&d->synced, NULL);
    for (unsigned i = 1; i < d->size; i++)
        claim_init(&ranks[i].claim, job_count(job, "chunk"), work->state->range_least);
    return d;
}

/* --- ranks that do not see the files --- */

static const char *host_of(const struct dispatch *d, unsigned rank)
{
    const char *on = strstr(d->names[rank], " on ");
    return on ? on + 4 : d->names[rank];
}

/* On how many hosts they are. */
static unsigned blind_hosts(const struct dispatch *d)
{
    unsigned n = 0;
    for (unsigned i = 1; i < d->size; i++) {
        bool first = d->ranks[i].blind;
        for (unsigned k = 1; k < i && first; k++)
            first = !d->ranks[k].blind || strcmp(host_of(d, k), host_of(d, i)) != 0;
        n += first;
    }
    return n;
}

/* Once for all of them: ranks of one host, and hosts of one cluster, are alike. */
static void say_blind(struct dispatch *d)
{
    if (d->nblind == 0 || d->said_blind)
        return;
    const char *name = d->names[d->first_blind];
    const char *file = d->job->inputs[d->blind_input].name;
    unsigned hosts = blind_hosts(d);
    d->said_blind = true;
    if (d->nblind == 1)
        qlog_warn("%s does not see %s as rank 0 does: it is sent what it needs", name,
                  file);
    else
        qlog_warn("%s and %u more, on %u host%s, do not see %s as rank 0 does: they "
                  "are sent what they need",
                  name, d->nblind - 1, hosts, hosts == 1 ? "" : "s", file);
}

static void note_blind(struct dispatch *d, unsigned rank, unsigned input)
{
    if (d->ranks[rank].blind)
        return;
    d->ranks[rank].blind = true;
    if (d->nblind++ > 0)
        return;
    d->first_blind = rank;
    d->blind_input = input;
    d->blind_ns = qclock_ns();
}

void dispatch_free(struct dispatch *d)
{
    if (!d)
        return;
    say_blind(d);
    pthread_mutex_destroy(&d->syncing);
    pthread_cond_destroy(&d->synced);
    free(d->ranks);
    free(d->claims);
    free(d);
}

unsigned dispatch_ranks(const struct dispatch *d)
{
    return d->size - 1;
}

void dispatch_local(struct dispatch *d, unsigned threads)
{
    d->local = threads;
    d->threads += threads;
}

/* --- the table of claims --- */

static bool grow_claims(struct dispatch *d)
{
    uint32_t cap = d->nclaims ? d->nclaims * 2 : 64;
    struct claimed *grown = realloc(d->claims, cap * sizeof *grown);
    if (!grown)
        return false;
    for (uint32_t i = d->nclaims; i < cap; i++)
        grown[i] = (struct claimed){.next_free = i + 1 < cap ? i + 2 : 0};
    d->claims = grown;
    d->free_claims = d->nclaims + 1;
    d->nclaims = cap;
    return true;
}

/* Makes room for one more. */
static int have_entry(struct dispatch *d, struct qerr *e)
{
    return d->free_claims > 0 || grow_claims(d) ? 0 : qerr_nomem(e);
}

static uint32_t enter(struct dispatch *d, struct ring_slot *s, unsigned rank)
{
    uint32_t id = d->free_claims - 1;
    d->free_claims = d->claims[id].next_free;
    d->claims[id] = (struct claimed){.slot = s, .rank = rank};
    d->ranks[rank].share.out++;
    d->out++;
    return id;
}

static struct ring_slot *leave(struct dispatch *d, uint32_t id)
{
    struct ring_slot *s = d->claims[id].slot;
    d->ranks[d->claims[id].rank].share.out--;
    d->out--;
    d->claims[id] = (struct claimed){.next_free = d->free_claims};
    d->free_claims = id + 1;
    return s;
}

/* --- shards --- */

int dispatch_shards(const struct dispatch *d, unsigned attempt, uint64_t inode,
                    struct qerr *e)
{
    int rc = 0;
    for (unsigned i = 1; i < d->size && rc == 0; i++) {
        struct qbuf body = QBUF_INIT;
        qwire_put(&body, attempt);
        qwire_put(&body, inode);
        rc = comm_send(i, WIRE_SHARD, &body, e);
    }
    return rc;
}

int dispatch_sync(struct dispatch *d, struct qerr *e)
{
    pthread_mutex_lock(&d->syncing);
    d->sync = SYNC_WANTED;
    d->sync_err = (struct qerr)QERR_INIT;
    while (d->sync != SYNC_DONE)
        pthread_cond_wait(&d->synced, &d->syncing);
    d->sync = SYNC_NONE;
    if (d->sync_err.code != Q_OK)
        *e = d->sync_err;
    pthread_mutex_unlock(&d->syncing);
    return -(int)e->code;
}

/* Asks the ranks, when the committer waits for them. */
static int ask_to_sync(struct dispatch *d, struct qerr *e)
{
    int rc = 0;
    pthread_mutex_lock(&d->syncing);
    if (d->sync == SYNC_WANTED) {
        for (unsigned i = 1; i < d->size && rc == 0; i++) {
            struct qbuf nothing = QBUF_INIT;
            if (!d->ranks[i].kept)
                continue;
            d->ranks[i].kept = false;
            d->unsynced++;
            rc = comm_send(i, WIRE_SYNC, &nothing, e);
        }
        d->sync = d->unsynced > 0 ? SYNC_ASKED : SYNC_DONE;
        pthread_cond_signal(&d->synced);
    }
    pthread_mutex_unlock(&d->syncing);
    return rc;
}

static void take_synced(struct dispatch *d, unsigned from, struct qwire *w)
{
    struct qerr why = QERR_INIT;
    qwire_get_error(w, &why);
    pthread_mutex_lock(&d->syncing);
    if (why.code != Q_OK && d->sync_err.code == Q_OK) {
        d->sync_err = why;
        qerr_add(&d->sync_err, "%s", d->names[from]);
    }
    if (d->unsynced > 0 && --d->unsynced == 0) {
        d->sync = SYNC_DONE;
        pthread_cond_signal(&d->synced);
    }
    pthread_mutex_unlock(&d->syncing);
}

/* --- what comes back --- */

static int damaged(const struct dispatch *d, unsigned rank, struct qerr *e)
{
    return qerr_set(e, Q_ECHECK, "%s sent what is no answer", d->names[rank]);
}

/* One task of a RESULT. */
static int take_result(struct dispatch *d, struct ring *r, unsigned from,
                       struct qwire *w, struct qerr *e)
{
    uint64_t id = qwire_get(w), done = qwire_get(w), spent_ns = qwire_get(w);
    bool begun = qwire_get(w), blind = qwire_get(w);
    if (w->bad || id >= d->nclaims || !d->claims[id].slot || d->claims[id].rank != from)
        return damaged(d, from, e);
    struct rank *rank = &d->ranks[from];
    struct ring_slot *s = leave(d, (uint32_t)id);
    if (done > s->span.end - s->span.begin || wire_get_part(w, &s->part, e) < 0) {
        part_clear(&s->part);
        ring_done(r, s, s->span.begin);
        return damaged(d, from, e);
    }
    s->part.kept_by = from;
    rank->kept = rank->kept || s->part.kept_len > 0;
    if (s->part.err.code != Q_OK)
        qerr_add(&s->part.err, "%s", d->names[from]);
    if (blind)
        note_blind(d, from, s->span.chunk->input);
    if (!begun && s->part.err.code == Q_OK) {
        ring_unclaim(r, s);
        return 0;
    }
    if (begun) {
        const struct chunk *c = s->span.chunk;
        share_learn(&rank->share, spent_ns);
        claim_learn(&rank->claim, c->kind == CHUNK_OF_TEXT, done, spent_ns,
                    work_aim(d->work, c));
    }
    ring_done(r, s, s->span.begin + done);
    return 0;
}

static int take_ready(struct dispatch *d, unsigned from, struct qwire *w,
                      struct qerr *e)
{
    uint64_t threads = qwire_get(w);
    struct qerr why;
    qwire_get_error(w, &why);
    const char *placement = qwire_get_text(w);
    if (w->bad)
        return damaged(d, from, e);
    if (threads == 0)
        return qerr_set(e, why.code == Q_OK ? Q_ENOMEM : why.code, "%s: %s",
                        d->names[from], why.text);
    qlog_detail("%s: %s", d->names[from], placement);
    d->ranks[from].share.threads = (unsigned)threads;
    d->threads += (unsigned)threads;
    return 0;
}

/* Of two in one turn, the one that stops the run. */
static void take_signal(struct dispatch *d, int number)
{
    if (d->signal == 0 || d->signal == SIGUSR2)
        d->signal = number;
}

static int take_message(struct dispatch *d, struct ring *r,
                        const struct comm_message *m, struct qerr *e)
{
    struct qwire w;
    int rc = 0;
    qwire_init(&w, &m->body);
    switch (m->tag) {
    case WIRE_READY:
        return take_ready(d, m->from, &w, e);
    case WIRE_RESULT:
        while (rc == 0 && w.left > 0)
            rc = take_result(d, r, m->from, &w, e);
        return rc;
    case WIRE_SYNCED:
        take_synced(d, m->from, &w);
        return 0;
    case WIRE_SIGNAL:
        take_signal(d, (int)qwire_get(&w));
        return 0;
    case WIRE_FIN:
        world_take_fin(m->from);
        return qerr_set(e, Q_EIO, "%s has left before the end", d->names[m->from]);
    default:
        return damaged(d, m->from, e);
    }
}

static int take_all(struct dispatch *d, struct ring *r, uint64_t now_ns, struct qerr *e)
{
    struct comm_message m;
    int rc;
    while ((rc = comm_receive(&m, e)) > 0) {
        d->ranks[m.from].heard_ns = now_ns;
        rc = take_message(d, r, &m, e);
        qbuf_release(&m.body);
        if (rc < 0)
            return rc;
    }
    return rc;
}

int dispatch_wait_ready(struct dispatch *d, uint64_t ns, struct qerr *e)
{
    uint64_t until = qclock_ns() + ns;
    int rc = 0;
    for (unsigned ready = 0;
         rc == 0 && ready < d->size - 1 && d->signal == 0 && qclock_ns() < until;) {
        const struct timespec nap = {0, BUSY_PAUSE_MS * 1000000};
        nanosleep(&nap, NULL);
        rc = take_all(d, NULL, qclock_ns(), e);
        ready = 0;
        for (unsigned i = 1; i < d->size; i++)
            ready += d->ranks[i].share.threads > 0;
    }
    return rc;
}

/* --- what goes out --- */

/* The file that the text of the chunk is in, or NULL: then the text itself travels. */
static const struct wire_file *file_of(struct dispatch *d, const struct rank *rank,
                                       const struct chunk *c)
{
    if (rank->blind || c->kind != CHUNK_OF_TEXT || !c->in_file ||
        d->job->inputs[c->input].kind != INPUT_FILE)
        return NULL;
    if (d->file_input != c->input + 1) {
        d->file_input = c->input + 1;
        wire_look(&d->file, d->job->inputs[c->input].text);
    }
    return d->file.size > 0 ? &d->file : NULL;
}

/* A task: its id, its span, and how the files look that the rank opens itself. */
static void put_task(struct dispatch *d, struct qbuf *body, uint32_t id,
                     const struct ring_slot *s)
{
    const struct chunk *c = s->span.chunk;
    qwire_put(body, id);
    wire_put_span(body, &s->span, file_of(d, &d->ranks[d->claims[id].rank], c));
    uint64_t first = c->input + wire_first_file(&s->span);
    for (uint64_t i = 0; i < wire_files(&s->span); i++) {
        struct wire_file file;
        wire_look(&file, d->job->inputs[first + i].text);
        wire_put_file(body, &file);
    }
}

/* Whether the rank can answer it: documents, and streams that are left to workers, are
 * files that it must see; and only of a regular file can it be told that it is the
 * same. */
static bool is_for(const struct dispatch *d, const struct rank *rank,
                   const struct ring_slot *s)
{
    static const struct wire_file none = {0, 0, 0};
    uint64_t first = s->span.chunk->input + wire_first_file(&s->span);
    uint64_t n = wire_files(&s->span);
    if (rank->blind && n > 0)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        struct wire_file file;
        wire_look(&file, d->job->inputs[first + i].text);
        if (wire_same_file(&file, &none))
            return false;
    }
    return true;
}

/* Hands out to one rank, up to `due` units of what is ready. */
static int hand_out(struct dispatch *d, struct ring *r, unsigned to, uint64_t due,
                    struct qerr *e)
{
    struct rank *rank = &d->ranks[to];
    struct qbuf body = QBUF_INIT;
    unsigned room = share_room(&rank->share);
    uint64_t given = 0;
    claim_among(&rank->claim, d->threads);
    while (room > 0 && given < due && body.len < MESSAGE_BYTES) {
        int rc = have_entry(d, e);
        if (rc < 0) {
            qbuf_release(&body);
            return rc;
        }
        struct ring_slot *s = ring_try_claim(r, &rank->claim.want);
        if (!s)
            break;
        if (!is_for(d, rank, s)) {
            ring_unclaim(r, s);
            break;
        }
        put_task(d, &body, enter(d, s, to), s);
        given += s->span.end - s->span.begin;
        room--;
    }
    if (body.len == 0)
        return qbuf_check(&body, e);
    return comm_send(to, WIRE_WORK, &body, e);
}

/* To those that have a thread without work first: what was called back from a busy rank
 * must not go to it again. */
static int hand_out_all(struct dispatch *d, struct ring *r,
                        const struct ring_look *look, struct qerr *e)
{
    int rc = 0, passes = look->waiting > 0 ? 1 : 2; /* someone here has nothing to do */
    for (int pass = 0; pass < passes; pass++)
        for (unsigned i = 1; i < d->size && rc == 0; i++) {
            const struct share *s = &d->ranks[i].share;
            if (share_room(s) > 0 && (pass > 0 || s->out < s->threads))
                rc = hand_out(d, r, i, share_due(look->ready, s->threads, d->threads),
                              e);
        }
    return rc;
}

/* --- recalls --- */

static bool somebody_is_idle(const struct dispatch *d, const struct ring_look *look)
{
    if (look->waiting > 0)
        return true;
    for (unsigned i = 1; i < d->size; i++)
        if (d->ranks[i].share.out < d->ranks[i].share.threads)
            return true;
    return false;
}

static int recall(struct dispatch *d, const struct ring_look *look, uint64_t now_ns,
                  struct qerr *e)
{
    if (d->out == 0)
        return 0;
    bool idle = look->ready == 0 && look->ended && somebody_is_idle(d, look);
    int rc = 0;
    for (unsigned i = 1; i < d->size && rc == 0; i++) {
        struct rank *rank = &d->ranks[i];
        bool silent = now_ns - rank->heard_ns >= RECALL_NS;
        if (rank->share.out <= rank->share.threads || (!idle && !silent) ||
            now_ns - rank->recalled_ns < (idle ? RECALL_PAUSE_NS : RECALL_NS))
            continue;
        struct qbuf nothing = QBUF_INIT;
        rank->recalled_ns = now_ns;
        rc = comm_send(i, WIRE_RECALL, &nothing, e);
    }
    return rc;
}

int dispatch_turn(struct dispatch *d, struct ring *r, uint64_t now_ns, int *signal,
                  struct qerr *e)
{
    struct ring_look look;
    int rc = take_all(d, r, now_ns, e);
    if (rc < 0)
        return rc;
    if (d->signal > 0)
        *signal = d->signal;
    d->signal = 0;
    if (d->nblind > 0 && (d->nblind == d->size - 1 || now_ns >= d->blind_ns + BLIND_NS))
        say_blind(d);
    rc = ask_to_sync(d, e);
    if (rc < 0)
        return rc;
    ring_look(r, &look);
    if (look.ready > 0)
        rc = hand_out_all(d, r, &look, e);
    return rc == 0 ? recall(d, &look, now_ns, e) : rc;
}

int dispatch_pause(const struct dispatch *d)
{
    return d->out > 0 ? BUSY_PAUSE_MS : IDLE_PAUSE_MS;
}
