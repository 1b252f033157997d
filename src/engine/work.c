#include "engine/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/qclock.h"
#include "engine/feed.h"
#include "engine/share.h"

/* Bytes of a stream that are read at once: they stay in the second level of cache. */
enum { STREAM_BLOCK = 1 << 18 };
/* A part of a range ends with so many bytes of output: its time may be long, and the
 * window is to hold some of them. */
enum { RANGE_OUTPUT = 1 << 24 };

int work_init(struct work *work, unsigned n, struct qerr *e)
{
    atomic_init(&work->stop, false);
    atomic_init(&work->watched, 0);
    work->watches = calloc(n, sizeof *work->watches);
    if (!work->watches)
        return qerr_nomem(e);
    work->nwatches = n;
    for (unsigned i = 0; i < n; i++)
        pthread_mutex_init(&work->watches[i].lock, NULL);
    return 0;
}

/* --columns, where the command has it. */
static int choose_columns(struct work *work, struct columns *columns, struct qerr *e)
{
    if (work->kernel->accepts != ACCEPT_NUMBERS || !job_given(work->job, "columns"))
        return 0;
    if (strcmp(job_word(work->job, "format"), "text") == 0)
        return qerr_set(e, Q_EUSAGE, "--columns is for --format tsv, csv or jsonl");
    int rc =
        columns_choose(columns, work->state->schema, job_word(work->job, "columns"), e);
    work->state->schema = &columns->schema;
    return rc;
}

int work_open(struct work *work, const struct job *job, const struct kernel *kernel,
              struct columns *columns, struct qerr *e)
{
    work->kernel = kernel;
    work->job = job;
    int rc = kernel->open(&work->state, job, e);
    if (rc < 0)
        return rc;
    rc = choose_columns(work, columns, e);
    if (rc < 0) {
        kernel->close(work->state);
        return rc;
    }
    work->sink = sink_for(job_word(job, "format"));
    if (kernel->accepts == ACCEPT_NUMBERS || kernel->accepts == ACCEPT_LINES) {
        work->max_digits = (uint32_t)job_count(job, "max-digits");
        work->item_ns = job_count(job, "time-per-item");
    }
    work->timed = job_flag(job, "timing");
    work->end_at_bad = job_flag(job, "strict") || job_given(job, "max-errors");
    return 0;
}

void work_close(struct work *work)
{
    work->kernel->close(work->state);
}

void work_release(struct work *work)
{
    for (unsigned i = 0; i < work->nwatches; i++)
        pthread_mutex_destroy(&work->watches[i].lock);
    free(work->watches);
    work->watches = NULL;
    work->nwatches = 0;
}

void work_stop(struct work *work)
{
    atomic_store(&work->stop, true);
    for (unsigned i = 0; i < work->nwatches; i++) {
        pthread_mutex_lock(&work->watches[i].lock);
        atomic_store(&work->watches[i].stop, true);
        pthread_mutex_unlock(&work->watches[i].lock);
    }
}

void work_break_off(struct work *work)
{
    for (unsigned i = 0; i < work->nwatches; i++) {
        struct watch *watch = &work->watches[i];
        pthread_mutex_lock(&watch->lock);
        uint64_t now = qclock_ns(); /* under the lock: not before since_ns */
        if (watch->since_ns != 0 && now - watch->since_ns >= work->item_ns)
            atomic_store(&watch->stop, true);
        pthread_mutex_unlock(&watch->lock);
    }
}

/* The worker begins a record (since_ns), or has ended it (0). */
static void watch_record(struct work *work, struct watch *watch, uint64_t since_ns)
{
    if (work->item_ns == 0)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->since_ns = since_ns;
    atomic_store(&watch->stop, atomic_load(&work->stop));
    pthread_mutex_unlock(&watch->lock);
}

/* Whether records are texts, with w->pos to say how far the span is. */
static bool is_by_texts(const struct worker *w)
{
    enum accepts accepts = w->work->kernel->accepts;
    return accepts == ACCEPT_STREAM || accepts == ACCEPT_DOCUMENTS;
}

int worker_init(struct worker *w, struct work *work, struct qerr *e)
{
    w->work = work;
    w->watch = &work->watches[atomic_fetch_add(&work->watched, 1) % work->nwatches];
    w->meter = NULL;
    w->scratch = NULL;
    w->by_lines = work->kernel->accepts == ACCEPT_LINES;
    w->line_reader.lines = 0;
    w->read = (struct chunk){.text = NULL};
    w->spot = (struct spot){.fd = -1};
    numbers_init(&w->in);
    numbers_reader_init(&w->reader, work->max_digits);
    int rc = rows_init(&w->rows, work->state->schema, e);
    if (rc < 0)
        goto release_reader;
    if (is_by_texts(w)) {
        rc = chunk_init(&w->read, e);
        if (rc < 0)
            goto release_rows;
    }
    if (work->kernel->attach) {
        rc = work->kernel->attach(work->state, &w->scratch, e);
        if (rc < 0)
            goto release_rows;
    }
    return 0;
release_rows:
    chunk_release(&w->read);
    rows_release(&w->rows);
release_reader:
    numbers_reader_release(&w->reader);
    numbers_release(&w->in);
    return rc;
}

void worker_release(struct worker *w)
{
    if (w->work->kernel->detach)
        w->work->kernel->detach(w->scratch);
    chunk_release(&w->read);
    spot_close(&w->spot);
    rows_release(&w->rows);
    numbers_reader_release(&w->reader);
    numbers_release(&w->in);
}

static bool stopped(const struct work *work)
{
    return atomic_load_explicit(&work->stop, memory_order_relaxed);
}

/* --- blocks of numbers or lines --- */

static size_t block_size(const struct worker *w)
{
    return w->by_lines ? w->lines.n : w->in.n;
}

static void open_span(struct worker *w, const struct span *span)
{
    w->pos = span->begin;
    if (w->by_lines)
        lines_open(&w->line_reader, span);
    else if (!is_by_texts(w))
        numbers_open(&w->reader, span);
}

static int next_block(struct worker *w, size_t max, struct qerr *e)
{
    if (w->by_lines)
        return lines_next(&w->line_reader, &w->lines,
                          max < LINES_BLOCK ? max : LINES_BLOCK);
    return numbers_next(&w->reader, &w->in, max, e);
}

static void unread(struct worker *w, size_t done)
{
    if (w->by_lines)
        lines_unread(&w->line_reader, &w->lines, done);
    else
        numbers_unread(&w->reader, &w->in, done);
}

static void render_rows(struct worker *w, size_t from, size_t to, struct part *part)
{
    if (to > from && !w->work->state->folds)
        w->work->sink->render(&w->rows, from, to, &part->out);
}

/* Renders the rows with the bad records in their places between them. */
static int render_numbers(struct worker *w, struct part *part)
{
    const struct numbers *in = &w->in;
    size_t row = 0, done = w->rows.n;
    for (size_t i = 0; i < in->nbad && in->bad[i].before <= done; i++) {
        const struct bad_number *b = &in->bad[i];
        render_rows(w, row, b->before, part);
        row = b->before;
        struct bad_record bad = {
            .before = part->records + row, .line = b->line, .len = b->len};
        int rc = part_add_bad(part, &bad, b->what, b->token, &part->err);
        if (rc < 0)
            return rc;
    }
    render_rows(w, row, done, part);
    return 0;
}

/* The same with the records that the kernel refused, which have no row. */
static int render_refused(struct worker *w, struct part *part)
{
    size_t row = 0;
    for (size_t i = 0; i < w->rows.nrefused; i++) {
        const struct refusal *r = &w->rows.refused[i];
        render_rows(w, row, r->row, part);
        row = r->row + 1;
        struct bad_record bad = {.before = part->records + r->row - i,
                                 .line = w->by_lines ? w->lines.before[r->row]
                                                     : part->lines,
                                 .inside = r->line,
                                 .place = w->by_lines ? BAD_AT_LINE : BAD_DOCUMENT,
                                 .len = r->len};
        const char *what = rows_what(&w->rows, r);
        int rc = part_add_bad(part, &bad, what, r->token, &part->err);
        if (rc < 0)
            return rc;
    }
    render_rows(w, row, w->rows.n, part);
    return 0;
}

static struct kernel_call make_call(struct worker *w, uint64_t deadline_ns,
                                    struct part *part)
{
    return (struct kernel_call){.rows = &w->rows,
                                .part = &part->fold,
                                .scratch = w->scratch,
                                .deadline_ns = deadline_ns,
                                .stop = &w->watch->stop};
}

/* Runs the kernel on the block and puts back what it left. */
static int run_kernel(struct worker *w, uint64_t deadline_ns, struct part *part)
{
    struct work *work = w->work;
    struct kernel_call call = make_call(w, deadline_ns, part);
    call.in = w->by_lines ? NULL : &w->in;
    call.lines = w->by_lines ? &w->lines : NULL;
    uint64_t start = qclock_ns();
    watch_record(work, w->watch, start);
    int rc = work->kernel->run(work->state, &call, &part->err);
    watch_record(work, w->watch, 0);
    uint64_t spent = qclock_ns() - start;
    if (stopped(work))
        return 0;
    part->busy_ns += spent;
    meter_records(w->meter, spent, w->rows.n);
    w->rows.seconds = (double)spent * 1e-9;
    if (rc == 0)
        rc = rows_check(&w->rows, &part->err);
    w->held_back = rc == 0 && w->rows.n < block_size(w);
    if (w->held_back)
        unread(w, w->rows.n);
    return rc;
}

/* Answers the block that has been read, or its first records. */
static int answer(struct worker *w, uint64_t deadline_ns, struct part *part)
{
    struct work *work = w->work;
    if (work->end_at_bad && !w->by_lines && w->in.nbad > 0)
        unread(w, w->in.bad[0].before);
    rows_clear(&w->rows, w->by_lines ? NULL : &w->in);
    w->rows.timed = work->timed;
    if (block_size(w) > 0) {
        int rc = run_kernel(w, deadline_ns, part);
        if (rc < 0 || stopped(work))
            return rc;
    }
    int rc = w->by_lines ? render_refused(w, part) : render_numbers(w, part);
    if (rc == 0)
        rc = qbuf_check(&part->out, &part->err);
    part->records += w->rows.n - w->rows.nrefused;
    part->unfinished += w->rows.unfinished;
    part->probable += w->rows.probable;
    return rc;
}

/* Answers the first integers of what is left of the span, without reading them. */
static int answer_range(struct worker *w, uint64_t deadline_ns, struct part *part)
{
    struct work *work = w->work;
    const struct span *span = &w->reader.span;
    struct kernel_call call = make_call(w, deadline_ns, part);
    struct kernel_range range = {.first = span->chunk->first + w->reader.pos,
                                 .count = span->end - w->reader.pos,
                                 .ahead = span->chunk->count - span->end,
                                 .shown = &w->in};
    w->in.n = w->in.nbig = w->in.nbad = 0;
    rows_clear(&w->rows, &w->in);
    w->rows.timed = false;
    uint64_t start = qclock_ns();
    int rc = work->kernel->run_range(work->state, &call, &range, &part->err);
    if (stopped(work))
        return 0;
    uint64_t spent = qclock_ns() - start;
    part->busy_ns += spent;
    meter_records(w->meter, spent, range.answered);
    if (rc == 0)
        rc = rows_check(&w->rows, &part->err);
    if (rc < 0)
        return rc;
    render_rows(w, 0, w->rows.n, part);
    rc = qbuf_check(&part->out, &part->err);
    numbers_skip(&w->reader, range.answered);
    part->records += range.answered;
    part->unfinished += w->rows.unfinished;
    return rc;
}

/* --- documents and streams --- */

/* Runs the kernel on a text. */
static int run_on_text(struct worker *w, const struct kernel_text *text,
                       struct kernel_call *call, struct part *part)
{
    struct work *work = w->work;
    rows_clear(&w->rows, NULL);
    w->rows.timed = work->timed;
    call->text = text;
    call->more = false;
    uint64_t start = qclock_ns();
    watch_record(work, w->watch, start);
    int rc = work->kernel->run(work->state, call, &part->err);
    watch_record(work, w->watch, 0);
    uint64_t spent = qclock_ns() - start;
    if (stopped(work))
        return 0;
    part->busy_ns += spent;
    meter_records(w->meter, spent, work->kernel->accepts == ACCEPT_DOCUMENTS);
    w->rows.seconds = (double)spent * 1e-9;
    return rc == 0 ? rows_check(&w->rows, &part->err) : rc;
}

/* A document that could not be read, or an input that ended early. */
static int add_failed(const struct chunk *c, struct part *part)
{
    struct bad_record bad = {.before = part->records,
                             .line = part->lines,
                             .place = c->cut == CUT_NOWHERE ? BAD_DOCUMENT : BAD_INPUT};
    return part_add_bad(part, &bad, c->failed, "", &part->err);
}

/* The document at w->pos, read here if it is left to workers. */
static const struct chunk *get_document(struct worker *w, const struct span *span,
                                        struct qerr *e)
{
    if (span->chunk->kind == CHUNK_OF_TEXT)
        return span->chunk;
    unsigned input = span->chunk->input + (unsigned)w->pos;
    int rc = feed_document(w->work->job, input, &w->read, e);
    if (rc < 0)
        return NULL;
    meter_read(w->meter, w->read.len);
    return &w->read;
}

static int answer_document(struct worker *w, const struct chunk *c, const char *name,
                           uint64_t deadline_ns, struct part *part)
{
    struct work *work = w->work;
    struct kernel_text text = {name, c->text, c->len};
    struct kernel_call call = make_call(w, deadline_ns, part);
    do {
        int rc = run_on_text(w, &text, &call, part);
        if (rc < 0 || stopped(work))
            return rc;
        rc = render_refused(w, part);
        if (rc == 0)
            rc = qbuf_check(&part->out, &part->err);
        if (rc < 0)
            return rc;
        part->records += w->rows.n - w->rows.nrefused;
        part->unfinished += w->rows.unfinished;
    } while (call.more);
    return 0;
}

/* Returns 1 when there is another document in the span. */
static int step_document(struct worker *w, const struct span *span,
                         uint64_t deadline_ns, struct part *part)
{
    const struct chunk *c = get_document(w, span, &part->err);
    if (!c)
        return -(int)part->err.code;
    bool is_text = span->chunk->kind == CHUNK_OF_TEXT;
    const char *name =
        w->work->job->inputs[span->chunk->input + (is_text ? 0 : w->pos)].name;
    int rc = c->failed[0] ? add_failed(c, part)
                          : answer_document(w, c, name, deadline_ns, part);
    if (rc < 0)
        return rc;
    part->lines++;
    w->pos = is_text ? span->end : w->pos + 1;
    return w->pos < span->end;
}

/* The next bytes of the span in *text: they are there, or are read here. A file that
 * has become shorter, or cannot be read, is a bad input: then *text is empty, and what
 * is left of the span is passed over. */
static int get_bytes(struct worker *w, const struct span *span,
                     struct kernel_text *text, struct part *part)
{
    const struct chunk *c = span->chunk;
    uint64_t left = span->end - w->pos;
    *text = (struct kernel_text){.text = c->text + w->pos, .len = left};
    if (c->kind == CHUNK_OF_TEXT || left == 0)
        return 0;
    size_t n = left < STREAM_BLOCK ? left : STREAM_BLOCK;
    struct qerr why = QERR_INIT;
    ssize_t got = spot_read(&w->spot, &w->work->job->inputs[c->input],
                            c->origin + w->pos, w->read.text, n, &why);
    *text = (struct kernel_text){.text = w->read.text, .len = n};
    memset(w->read.text + n, 0, CHUNK_PAD);
    if (got == (ssize_t)n) {
        meter_read(w->meter, n);
        return 0;
    }
    chunk_fail(&w->read, got < 0 ? why.text : "it became shorter while it was read");
    text->len = 0;
    w->pos = span->end;
    return add_failed(&w->read, part);
}

/* Returns 1 when there is more of the span. */
static int step_stream(struct worker *w, const struct span *span, uint64_t deadline_ns,
                       struct part *part)
{
    struct kernel_text text;
    struct kernel_call call = make_call(w, deadline_ns, part);
    int rc = get_bytes(w, span, &text, part);
    if (rc == 0 && text.len > 0)
        rc = run_on_text(w, &text, &call, part);
    if (rc < 0)
        return rc;
    w->pos += text.len;
    return w->pos < span->end;
}

/* Whether to work record by record: each has its own time, or may be the last one. */
static bool is_single(const struct worker *w)
{
    const struct work *work = w->work;
    return work->timed || work->item_ns > 0 || (w->by_lines && work->end_at_bad);
}

bool work_takes_range(const struct work *work, const struct chunk *chunk)
{
    return chunk->kind == CHUNK_OF_RANGE && chunk->len == 0 &&
           work->kernel->run_range && work->state->range_ms > 0 && !work->timed &&
           work->item_ns == 0;
}

uint64_t work_aim(const struct work *work, const struct chunk *chunk)
{
    return work_takes_range(work, chunk) ? work->state->range_ms * UINT64_C(1000000)
                                         : CLAIM_NS;
}

/* Takes the next step in the span: 1, 0 at its end, or a negative qcode. */
static int step(struct worker *w, const struct span *span, size_t block,
                uint64_t deadline_ns, struct part *part)
{
    if (w->work->kernel->accepts == ACCEPT_DOCUMENTS)
        return step_document(w, span, deadline_ns, part);
    if (w->work->kernel->accepts == ACCEPT_STREAM)
        return step_stream(w, span, deadline_ns, part);
    if (w->whole_range) {
        int rc =
            w->reader.pos < w->reader.span.end ? answer_range(w, deadline_ns, part) : 0;
        return rc < 0 ? rc : w->reader.pos < w->reader.span.end;
    }
    int more = next_block(w, block, &part->err);
    int rc = more > 0 ? answer(w, deadline_ns, part) : more;
    return rc < 0 ? rc : more;
}

uint64_t worker_run(struct worker *w, const struct span *span, uint64_t deadline_ns,
                    struct part *part)
{
    struct work *work = w->work;
    uint64_t deadline = deadline_ns == NO_DEADLINE ? UINT64_MAX : deadline_ns;
    size_t block = is_single(w) ? 1 : NUMBERS_BLOCK;
    uint64_t answered = span->begin, lines = 0;
    part_clear(part);
    open_span(w, span);
    w->whole_range = work_takes_range(work, span->chunk);
    w->held_back = false;
    while (!stopped(work)) {
        int rc = step(w, span, block, deadline, part);
        if (rc < 0)
            break;
        answered = is_by_texts(w) ? w->pos
                   : w->by_lines  ? w->line_reader.pos
                                  : w->reader.pos;
        lines = w->line_reader.lines;
        if (rc == 0 || w->held_back || qclock_ns() >= deadline ||
            (w->whole_range && part->out.len >= RANGE_OUTPUT) ||
            (work->end_at_bad && part->nbad > 0))
            break;
    }
    bool folds = work->state->folds || work->state->settles;
    if (span->chunk->failed[0] && !stopped(work) && part->err.code == Q_OK &&
        answered == chunk_size(span->chunk) && span->chunk->cut != CUT_NOWHERE)
        (void)add_failed(span->chunk, part);
    /* What a kernel leaves behind on a stop is no answer: neither its rows nor what it
     * has folded. Nor is what it has folded of a block in which it failed. */
    if (stopped(work) || (part->err.code != Q_OK && folds)) {
        struct qerr err = part->err;
        part_clear(part);
        part->err = err;
        return span->begin;
    }
    if (!is_by_texts(w))
        part->lines = w->by_lines ? lines : numbers_lines(&w->reader, answered);
    return answered;
}
