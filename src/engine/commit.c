/*
 * Only here is it known what came before a part, so here are made all things that
 * depend on it: the line number of a diagnostic, the row that stands for a bad record
 * (woven into the part's bytes at the offset the worker noted), the decision to stop,
 * the fold.
 *
 * A mark is made behind a part in order, when all that the part holds is written: its
 * bytes, its counts, its share of the fold, and the position behind it then belong
 * together. After a failed write they do not, and no mark is made any more.
 *
 * A part that goes out early (unordered runs) has no diagnostics; its line count comes
 * later, in order, so that those behind it know their lines. Such runs have no journal.
 */
#include "engine/commit.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qfault.h"
#include "base/qlog.h"
#include "engine/restart.h"

enum { DIAGNOSTICS_SHOWN = 20, MARK_BYTES = 64 << 20, MARK_NS = 1000000000 };

/* Goes on where the journal's last mark stands; false when there is none yet. */
static bool take_up(struct commit *c)
{
    const struct mark *m = c->journal ? journal_mark(c->journal) : NULL;
    if (!m || m->line == 0)
        return false;
    c->input = m->input;
    c->at = m->at;
    c->line = m->line;
    c->out = m->out;
    c->tally.records = m->records;
    c->tally.bad = m->bad;
    c->tally.unfinished = m->unfinished;
    c->tally.probable = m->probable;
    qbuf_add(&c->total, m->fold.data, m->fold.len);
    return true;
}

/* What the journal stands behind has grown by these bytes. */
static void account(struct commit *c, const struct qbuf *bytes)
{
    c->out += bytes->len;
    if (c->hash) {
        pthread_mutex_lock(&c->hashing);
        qhash_add(c->hash, bytes->data, bytes->len);
        pthread_mutex_unlock(&c->hashing);
    }
}

/* The same for the manifest of a folder, once `rc` says that it could be written. */
static int account_said(struct commit *c, int rc, struct qbuf *said)
{
    if (rc == 0)
        account(c, said);
    qbuf_release(said);
    return rc;
}

/* Writes, and counts and hashes what was written. */
static int put(struct commit *c, const struct qbuf *bytes, struct qerr *e)
{
    int rc = qbuf_check(bytes, e);
    if (rc < 0 || bytes->len == 0)
        return rc;
    c->unmarked += bytes->len;
    if (c->shards) {
        struct qbuf said = QBUF_INIT;
        rc = shards_put(c->shards, bytes->data, bytes->len, &said, e);
        return account_said(c, rc, &said);
    }
    rc = c->sink->write(c->out_state, bytes->data, bytes->len, e);
    if (rc == 0)
        account(c, bytes);
    return rc;
}

/* The bytes of a part without bad records. */
static int put_part(struct commit *c, const struct part *part, struct qerr *e)
{
    if (part->kept_len == 0)
        return put(c, &part->out, e);
    if (!c->shards || part->out.len > 0)
        return qerr_set(e, Q_ECHECK, "a rank kept what was to be sent");
    struct qbuf said = QBUF_INIT;
    struct shard_extent x = {.rank = part->kept_by,
                             .offset = part->kept_at,
                             .len = part->kept_len,
                             .hash = part->kept_hash};
    c->unmarked += part->kept_len;
    return account_said(c, shards_refer(c->shards, &x, &said, e), &said);
}

/* Opens what is written to, behind what a journal has settled. */
static int open_output(struct commit *c, bool resumed, struct qerr *e)
{
    const char *path = job_word(c->job, "output");
    const struct sink_target target = {.path = path,
                                       .keep = c->out,
                                       .schema = c->state->schema,
                                       .timed = c->timed,
                                       .journaled = c->journal != NULL,
                                       .job = c->job};
    if (!manifest_is_for(path))
        return c->sink->open(&c->out_state, &target, e);
    if (!c->sink->shards)
        return qerr_set(e, Q_EUSAGE, "--format %s is written to one file, not to %s",
                        c->sink->name, path);
    int rc = shards_open(&c->shards, path, c->out, e);
    if (rc < 0 || resumed)
        return rc;
    struct qbuf said = QBUF_INIT;
    rc = account_said(c, shards_begin(c->shards, &said, e), &said);
    if (rc < 0) {
        struct qerr ignored = QERR_INIT;
        shards_close(c->shards, &ignored);
    }
    return rc;
}

static int close_output(struct commit *c, struct qerr *e)
{
    struct shards *s = c->shards;
    c->shards = NULL;
    return s ? shards_close(s, e) : c->sink->close(c->out_state, e);
}

/* Whether the output goes to /dev/null. */
static bool is_discarded(const struct job *job)
{
    enum { MEM_DEVICES = 1, NULL_DEVICE = 3 }; /* Linux: admin-guide/devices.txt */
    const char *path = job_word(job, "output");
    struct stat st;
    int rc = path ? stat(path, &st) : fstat(STDOUT_FILENO, &st);
    return rc == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(MEM_DEVICES, NULL_DEVICE);
}

/* The summary has a digest of the output. Of what is thrown away it is made only for
 * who asks: at half a gigabyte a second, as `prime` has it, it costs two percent. */
static bool wants_digest(const struct job *job)
{
    return !is_discarded(job) || job_flag(job, "verbose") || job_given(job, "stats");
}

static void release(struct commit *c)
{
    qbuf_release(&c->scratch);
    qbuf_release(&c->total);
    pthread_mutex_destroy(&c->hashing);
    qhash_free(c->own_hash);
    c->hash = c->own_hash = NULL;
}

bool commit_digest(struct commit *c, char hex[QHASH_HEX])
{
    if (!c->hash)
        return false;
    pthread_mutex_lock(&c->hashing);
    qhash_hex(c->hash, hex);
    pthread_mutex_unlock(&c->hashing);
    return true;
}

int commit_init(struct commit *c, const struct job *job, const struct kernel *kernel,
                const struct kernel_state *state, const struct sink *sink,
                const struct restart *restart, struct qerr *e)
{
    *c = (struct commit){.job = job,
                         .kernel = kernel,
                         .state = state,
                         .sink = sink,
                         .timed = job_flag(job, "timing") && !state->folds,
                         .journal = restart->journal,
                         .hash = restart->hash,
                         .max_errors = UINT64_MAX,
                         .input = 0,
                         .line = 1,
                         .marked_ns = qclock_ns(),
                         .mark_ns = qfault_ns("QUERN_MARK_MS", MARK_NS),
                         .total = QBUF_INIT,
                         .scratch = QBUF_INIT};
    if (job_given(job, "max-errors"))
        c->max_errors = job_count(job, "max-errors");
    if (job_flag(job, "strict"))
        c->max_errors = 0;

    if (!c->hash && wants_digest(job)) {
        c->hash = c->own_hash = qhash_new(e);
        if (!c->hash)
            return -(int)e->code;
    }
    pthread_mutex_init(&c->hashing, NULL);
    bool resumed = take_up(c);
    int rc = open_output(c, resumed, e);
    if (rc < 0) {
        release(c);
        return rc;
    }
    if (sink->header && !resumed)
        sink->header(state->schema, c->timed, &c->scratch);
    rc = put(c, &c->scratch, e);
    if (rc == 0)
        rc = qbuf_check(&c->total, e);
    if (rc < 0) {
        struct qerr ignored = QERR_INIT;
        close_output(c, &ignored);
        release(c);
    }
    return rc;
}

/* "INPUT:LINE: what is wrong", without the line where there is none. */
static void put_complaint(const struct commit *c, const struct part *part,
                          const struct bad_record *bad, struct qbuf *text)
{
    size_t input = c->input;
    uint64_t line = bad->inside;
    if (bad->place == BAD_DOCUMENT)
        input += c->line - 1 + bad->line; /* documents are counted as lines are */
    else if (bad->place == BAD_AT_LINE)
        line = c->line + bad->line;
    qbuf_puts(text, c->job->inputs[input].name);
    if (line > 0)
        qbuf_printf(text, ":%" PRIu64, line);
    qbuf_printf(text, ": %s", part_what(part, bad));
}

/* Says it on stderr (the first few) and appends the row that stands for it. */
static void report(struct commit *c, const struct part *part,
                   const struct bad_record *bad, struct qbuf *out)
{
    struct qbuf text = QBUF_INIT;
    if (bad->place == BAD_INPUT) {
        if (c->input_failed) /* pieces of it fail one by one */
            return;
        c->input_failed = true;
    }
    put_complaint(c, part, bad, &text);
    if (c->tally.bad < DIAGNOSTICS_SHOWN && bad->len > 0) {
        char token[QLOG_TOKEN_SIZE];
        qlog_token(token, part->tokens.data + bad->token, bad->len);
        qlog_error("%s: '%s'", qbuf_cstr(&text), token);
    } else if (c->tally.bad < DIAGNOSTICS_SHOWN) {
        qlog_error("%s", qbuf_cstr(&text));
    }
    if (c->sink->bad && c->state->schema->ncolumns > 0)
        c->sink->bad(c->state->schema, c->timed, qbuf_cstr(&text), out);
    out->failed = out->failed || text.failed;
    qbuf_release(&text);
    c->tally.bad++;
}

/* The part's bytes with the rows of its bad records in their places, into scratch;
 * stops behind the bad record that is one too many. */
static void weave(struct commit *c, const struct part *part)
{
    size_t at = 0;
    qbuf_clear(&c->scratch);
    c->tally.records += part->records;
    for (size_t i = 0; i < part->nbad; i++) {
        const struct bad_record *bad = &part->bad[i];
        qbuf_add(&c->scratch, part->out.data + at, bad->at - at);
        at = bad->at;
        report(c, part, bad, &c->scratch);
        if (c->tally.bad > c->max_errors) {
            c->tally.halted = true;
            c->tally.records -= part->records - bad->before;
            return;
        }
    }
    qbuf_add(&c->scratch, part->out.data + at, part->out.len - at);
}

static void next_input(struct commit *c, unsigned input)
{
    if (c->input != input) {
        c->input = input;
        c->line = c->job->inputs[input].first;
        c->input_ns = 0;
        c->input_failed = false;
    }
}

static void count(struct commit *c, const struct part *part)
{
    c->tally.unfinished += part->unfinished;
    c->tally.probable += part->probable;
    c->tally.busy_ns += part->busy_ns;
    c->input_ns += part->busy_ns;
}

/* At most one mark a second, unless much was written. */
static bool mark_is_due(const struct commit *c)
{
    return c->journal &&
           (c->unmarked >= MARK_BYTES || qclock_ns() - c->marked_ns >= c->mark_ns);
}

int commit_mark(struct commit *c, bool complete, struct qerr *e)
{
    if (c->shards && complete) {
        struct qbuf said = QBUF_INIT;
        int rc = account_said(c, shards_end(c->shards, &said, e), &said);
        if (rc < 0)
            return rc;
    }
    if (!c->journal)
        return c->shards ? shards_mark(c->shards, e) : 0;
    struct mark m = {.input = c->input,
                     .at = c->at,
                     .line = c->line,
                     .out = c->out,
                     .records = c->tally.records,
                     .bad = c->tally.bad,
                     .unfinished = c->tally.unfinished,
                     .probable = c->tally.probable,
                     .fold = c->total};
    struct qbuf text = QBUF_INIT;
    if (c->hash)
        qhash_hex(c->hash, m.digest);
    else /* the output keeps its marks itself */
        memset(m.digest, '0', QHASH_HEX - 1);
    journal_put_mark(&m, complete, &text);
    int rc = qbuf_check(&text, e);
    if (rc == 0)
        rc = c->shards ? shards_mark(c->shards, e)
                       : c->sink->mark(c->out_state, qbuf_cstr(&text), e);
    qbuf_release(&text);
    if (rc == 0 && qfault_here("sync"))
        qfault_die();
    if (rc == 0)
        rc = journal_append(c->journal, &m, complete, e);
    if (rc == 0 && qfault_here("mark"))
        qfault_die();
    c->marked_ns = qclock_ns();
    c->unmarked = 0;
    return rc;
}

/* Rows that come of what was folded: those of an input, or (NULL) those at the end. */
static int put_folded(struct commit *c, const char *input, struct qerr *e)
{
    struct rows rows;
    int rc = rows_init(&rows, c->state->schema, e);
    if (rc < 0)
        return rc;
    rows_clear(&rows, NULL);
    rows.timed = c->timed;
    rows.seconds = (double)(input ? c->input_ns : c->tally.busy_ns) * 1e-9;
    rc = input ? c->kernel->settle(c->state, &c->total, input, &rows, e)
               : c->kernel->result(c->state, &c->total, &rows, e);
    if (rc == 0)
        rc = rows_check(&rows, e);
    if (rc == 0 && rows.n > 0) {
        qbuf_clear(&c->scratch);
        c->sink->render(&rows, 0, rows.n, &c->scratch);
        rc = put(c, &c->scratch, e);
    }
    if (rc == 0 && input)
        c->tally.records += rows.n;
    rows_release(&rows);
    return rc;
}

/* The input is used up. */
static int settle(struct commit *c, struct qerr *e)
{
    const char *name = c->job->inputs[c->input].name;
    int rc = c->input_failed ? c->kernel->settle(c->state, &c->total, name, NULL, e)
                             : put_folded(c, name, e);
    return rc;
}

int commit_part(struct commit *c, unsigned input, const struct position *after,
                const struct part *part, struct qerr *e)
{
    int rc;
    next_input(c, input);
    count(c, part);
    if (part->nbad > 0) {
        weave(c, part);
        rc = put(c, &c->scratch, e);
    } else {
        c->tally.records += part->records;
        rc = put_part(c, part, e);
    }
    c->line += part->lines;
    c->at = *after;
    if (rc == 0 && part->fold.len > 0)
        rc = c->kernel->fold(c->state, &c->total, part->fold.data, part->fold.len, e);
    if (rc == 0 && c->state->settles && after->state & POSITION_AT_END)
        rc = settle(c, e);
    if (rc == 0 && !c->tally.halted && part->err.code != Q_OK) {
        *e = part->err;
        rc = -(int)e->code;
    }
    if (rc == 0 && !c->tally.halted && mark_is_due(c))
        rc = commit_mark(c, false, e);
    return rc;
}

int commit_early(struct commit *c, const struct part *part, struct qerr *e)
{
    count(c, part);
    c->tally.records += part->records;
    int rc = put_part(c, part, e);
    if (rc == 0 && part->fold.len > 0)
        rc = c->kernel->fold(c->state, &c->total, part->fold.data, part->fold.len, e);
    return rc;
}

void commit_lines(struct commit *c, unsigned input, uint64_t lines)
{
    next_input(c, input);
    c->line += lines;
}

int commit_result(struct commit *c, struct qerr *e)
{
    return c->state->folds || c->state->settles ? put_folded(c, NULL, e) : 0;
}

int commit_release(struct commit *c, struct qerr *e)
{
    if (c->tally.bad > DIAGNOSTICS_SHOWN)
        qlog_error("%" PRIu64 " more %s", c->tally.bad - DIAGNOSTICS_SHOWN,
                   c->kernel->judges ? "wrong lines" : "bad records");
    release(c);
    return close_output(c, e);
}
