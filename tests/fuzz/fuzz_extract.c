/*
 * extract: the parsers of pointers, of lists of columns and of templates, the rewriting
 * of documents, and the rows. The input is options and a document, with zero bytes
 * between:
 * --columns, --template, --each, the document; an empty one is not given.
 *
 * Claims: no crash; a document that stays as it is under rewriting and one that is
 * rewritten are both valid or both not; every row has all its cells, as text of one
 * line.
 */
#include <string.h>

#include "base/qjson.h"
#include "cmd/options.h"
#include "core/exact.h"
#include "fuzz.h"
#include "kernel.h"

extern const struct kernel kernel_extract;

static const char *const names[] = {"columns", "template", "each"};

/* Takes what is in front of the next zero byte, or all. */
static const char *take(const uint8_t **at, const uint8_t *end, size_t *len)
{
    const char *begin = (const char *)*at;
    const uint8_t *zero = memchr(*at, 0, (size_t)(end - *at));
    *len = zero ? (size_t)(zero - *at) : (size_t)(end - *at);
    *at = zero ? zero + 1 : end;
    return begin;
}

static void set_options(struct job *job, const uint8_t **at, const uint8_t *end)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct qerr e = QERR_INIT;
        size_t len;
        const char *text = take(at, end, &len);
        char *copy = strndup(text, len);
        bool set = copy && len > 0;
        if (set && job_set(job, job_find(job, names[i]), copy, &e) < 0)
            set = false;
        free(copy);
    }
}

static void check_rewriting(const char *text, size_t len)
{
    struct qbuf out = QBUF_INIT;
    struct qerr e = QERR_INIT, f = QERR_INIT;
    uint64_t line;
    if (exact_rewrite(text, len, &out)) {
        struct qjson *was = qjson_document(text, len, &line, &e);
        struct qjson *is = qjson_document(out.data, out.len, &line, &f);
        bool too_big =
            !was && is && (strstr(e.text, "too big") || strstr(e.text, "overflow"));
        CLAIM((was != NULL) == (is != NULL) || too_big);
        qjson_free(was);
        qjson_free(is);
    }
    qbuf_release(&out);
}

static void check_rows(const struct rows *rows)
{
    struct qbuf text = QBUF_INIT;
    size_t lines = 0;
    rows->schema->text(rows, 0, rows->n, &text);
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    CLAIM(lines >= rows->n); /* a template may hold newlines of its own */
    for (size_t i = 0; i < rows->nrefused; i++)
        CLAIM(rows->refused[i].row < rows->n && rows_what(rows, &rows->refused[i])[0]);
    qbuf_release(&text);
}

static void run(struct kernel_state *state, const char *text, size_t len)
{
    static const atomic_bool no_stop;
    struct rows rows;
    struct qbuf part = QBUF_INIT;
    struct qerr e = QERR_INIT;
    void *scratch;
    struct kernel_text doc = {"doc", text, len};
    CLAIM(rows_init(&rows, state->schema, &e) == 0);
    CLAIM(kernel_extract.attach(state, &scratch, &e) == 0);
    struct kernel_call call = {.text = &doc,
                               .rows = &rows,
                               .part = &part,
                               .scratch = scratch,
                               .stop = &no_stop};
    do {
        rows_clear(&rows, NULL);
        CLAIM(kernel_extract.run(state, &call, &e) == 0);
        CLAIM(rows.n <= NUMBERS_BLOCK);
        check_rows(&rows);
    } while (call.more);
    kernel_extract.detach(scratch);
    rows_release(&rows);
    qbuf_release(&part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct qopt *tables[] = {kernel_extract.options, options_documents,
                                   options_shared};
    const uint8_t *at = data;
    struct job job;
    struct qerr e = QERR_INIT;
    struct kernel_state *state;
    CLAIM(job_init(&job, "extract", tables, 3, &e) == 0);
    set_options(&job, &at, data + size);
    size_t len = (size_t)(data + size - at);
    char *memory = malloc(len + 2 * CHUNK_PAD);
    CLAIM(memory);
    memset(memory, '"', len + 2 * CHUNK_PAD);
    memcpy(memory + CHUNK_PAD, at, len);
    check_rewriting(memory + CHUNK_PAD, len);
    if (kernel_extract.open(&state, &job, &e) == 0) {
        run(state, memory + CHUNK_PAD, len);
        kernel_extract.close(state);
    } else {
        CLAIM(e.code == Q_EUSAGE && e.text[0]);
    }
    free(memory);
    job_release(&job);
    return 0;
}
