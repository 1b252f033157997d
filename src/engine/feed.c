/*
 * Numbers and lines: each source is opened, asked until it has no more, and closed; an
 * error ends the run.
 *
 * The failure of a stream, a document or a URL is a bad record, so the error becomes
 * the text of a chunk that has failed. Files that are documents are not read here but
 * named: one chunk stands for as many as follow each other. So are files that are
 * streams.
 */
#include "engine/feed.h"

#include <string.h>

#include "source/spot.h"

void feed_init(struct feed *f, const struct job *job, struct sources *sources,
               enum accepts accepts, unsigned input, const struct position *at)
{
    *f = (struct feed){
        .job = job, .sources = sources, .accepts = accepts, .input = input, .at = *at};
    bool ended = at->state & POSITION_AT_END;
    if (accepts == ACCEPT_DOCUMENTS && !ended)
        f->input += (unsigned)at->offset; /* documents, behind the first of them */
    f->input += ended;
    if (ended || accepts == ACCEPT_DOCUMENTS)
        f->at = (struct position){0, 0};
}

void feed_release(struct feed *f)
{
    if (f->source)
        f->source->close(f->state);
    f->source = NULL;
}

static enum chunk_cut cut_of(enum accepts accepts)
{
    static const enum chunk_cut cuts[] = {[ACCEPT_NUMBERS] = CUT_AT_BLANKS,
                                          [ACCEPT_LINES] = CUT_AT_LINES,
                                          [ACCEPT_STREAM] = CUT_ANYWHERE,
                                          [ACCEPT_DOCUMENTS] = CUT_NOWHERE};
    return cuts[accepts];
}

static void prepare(struct chunk *c, const struct job *job, unsigned input,
                    enum accepts accepts)
{
    c->input = input;
    c->cut = cut_of(accepts);
    c->failed[0] = '\0';
    c->in_file = false;
    c->most = accepts == ACCEPT_DOCUMENTS ? job_count(job, "max-document") : 0;
}

static void make_text(struct chunk *c, uint64_t origin)
{
    c->kind = CHUNK_OF_TEXT;
    c->origin = origin;
    c->len = 0;
    c->comment = c->has_hash = false;
    c->state_after = POSITION_AT_END;
}

/* An input that cannot be read, or not to its end: an empty text that has failed. False
 * when it is another error. */
static bool make_failed(struct chunk *c, const char *name, uint64_t origin,
                        struct qerr *e)
{
    if (e->code != Q_EINPUT)
        return false;
    make_text(c, origin);
    /* Whoever says it will say the name, too. */
    size_t len = strlen(name);
    bool named =
        strncmp(e->text, name, len) == 0 && strncmp(e->text + len, ": ", 2) == 0;
    chunk_fail(c, named ? e->text + len + 2 : e->text);
    *e = (struct qerr)QERR_INIT;
    return true;
}

/* Inputs that whoever works on them opens himself: only files. */
static bool is_left_to_workers(const struct feed *f, unsigned input)
{
    return f->accepts == ACCEPT_DOCUMENTS && input < f->job->ninputs &&
           f->job->inputs[input].kind == INPUT_FILE;
}

static int name_inputs(struct feed *f, struct chunk *c)
{
    prepare(c, f->job, f->input, f->accepts);
    c->kind = CHUNK_OF_INPUTS;
    c->origin = c->count = 0;
    c->len = 0;
    c->comment = c->has_hash = false;
    c->state_after = 0;
    while (is_left_to_workers(f, f->input)) {
        f->input++;
        c->count++;
    }
    return 1;
}

/* Whether an input that fails leaves the run going. */
static bool is_tolerant(const struct feed *f)
{
    return f->accepts == ACCEPT_STREAM || f->accepts == ACCEPT_DOCUMENTS ||
           f->job->inputs[f->input].kind == INPUT_URL;
}

/* A stream in a file is left to workers, too: one chunk stands for all of it. */
static bool name_stretch(struct feed *f, struct chunk *c)
{
    uint64_t size;
    if (f->accepts != ACCEPT_STREAM || !spot_can(&f->job->inputs[f->input], &size) ||
        size < f->at.offset)
        return false;
    prepare(c, f->job, f->input, f->accepts);
    make_text(c, f->at.offset);
    c->kind = CHUNK_OF_BYTES;
    c->count = size - f->at.offset;
    return true;
}

static void next_input(struct feed *f)
{
    feed_release(f);
    f->input++;
    f->at = (struct position){0, 0};
}

/* The next chunk of the open input: 1, 0 when there is none, or an error. */
static int next_of_input(struct feed *f, struct chunk *c, struct qerr *e)
{
    prepare(c, f->job, f->input, f->accepts);
    int rc = f->source->next(f->state, c, e);
    if (rc > 0)
        f->at = chunk_position(c, chunk_size(c));
    else if (rc < 0 && !(is_tolerant(f) && make_failed(c, f->job->inputs[f->input].name,
                                                       f->at.offset, e)))
        return rc;
    else if (rc == 0 && f->accepts == ACCEPT_STREAM)
        make_text(c, f->at.offset);
    else if (rc == 0)
        return 0;
    return 1;
}

static int open_input(struct feed *f, struct chunk *c, struct qerr *e)
{
    const struct source *source = source_for(f->job->inputs[f->input].kind);
    int rc = source->open(&f->state, f->sources, &f->job->inputs[f->input], &f->at, e);
    if (rc == 0)
        f->source = source;
    prepare(c, f->job, f->input, f->accepts);
    return rc < 0 && is_tolerant(f) &&
                   make_failed(c, f->job->inputs[f->input].name, f->at.offset, e)
               ? 1
               : rc;
}

/* Whether the chunk tells something. */
static bool is_of_use(const struct chunk *c)
{
    return chunk_size(c) > 0 || c->failed[0] || c->state_after & POSITION_AT_END;
}

int feed_next(struct feed *f, struct chunk *c, struct qerr *e)
{
    for (;;) {
        if (!f->source && f->input == f->job->ninputs)
            return 0;
        if (!f->source && is_left_to_workers(f, f->input))
            return name_inputs(f, c);
        if (!f->source && name_stretch(f, c)) {
            next_input(f);
            return 1;
        }
        int rc = f->source ? 0 : open_input(f, c, e);
        if (rc == 0)
            rc = next_of_input(f, c, e);
        if (rc < 0)
            return rc;
        if (rc == 0 || c->state_after & POSITION_AT_END)
            next_input(f);
        if (rc > 0 && is_of_use(c))
            return 1;
    }
}

int feed_document(const struct job *job, unsigned input, struct chunk *c,
                  struct qerr *e)
{
    const struct position start = {0, 0};
    struct feed f;
    feed_init(&f, job, NULL, ACCEPT_DOCUMENTS, input, &start);
    int rc = open_input(&f, c, e);
    if (rc == 0)
        rc = next_of_input(&f, c, e);
    feed_release(&f);
    memset(c->text + c->len, 0, CHUNK_PAD); /* kernels may load it */
    return rc < 0 ? rc : 0;
}
