/*
 * fuzz_numbers: integers in text. Input: HEAD bytes that choose limits and cuts, then
 * the text.
 *
 * The text is read three times: by a slow parser that looks at one character after the
 * other; as one chunk, cut at will by span_cut, numbers_unread and reading on behind a
 * record; and as chunks that cut_next makes of a stream in pieces, stopped and begun
 * again at positions that a journal might keep. All must give the same records. Values
 * of expressions are fuzz_expr's matter; here they come from expr_eval.
 */
#include <gmp.h>
#include <stdbool.h>

#include "base/qerr.h"
#include "core/expr.h"
#include "core/numbers.h"
#include "fuzz.h"
#include "source/cut.h"

enum { HEAD = 8 };

struct event {
    const char *what; /* NULL: a good record */
    uint64_t after;   /* position in the input behind its token */
    uint64_t line;    /* of a bad one: newlines in front of it */
    const char *text; /* the digits, or the token of a bad one; ... */
    size_t len;
    char *value; /* ... here if they are not in the text */
};

struct events {
    struct event *at;
    size_t n;
};

static uint32_t max_digits;

/* --- the slow parser ----------------------------------------------------------------
 */

static bool is_blank(int c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* Whether all of it is digits, with a sign in front or without. */
static bool is_plain(const char *token, size_t len)
{
    size_t at = *token == '+' || *token == '-';
    if (at == len)
        return false;
    while (at < len && token[at] >= '0' && token[at] <= '9')
        at++;
    return at == len;
}

static bool has_form_of_expression(const char *token, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (token[i] == '\0' || !strchr("0123456789e+-*/^!#()", token[i]))
            return false;
    return *token == '(' || (*token >= '0' && *token <= '9');
}

static struct event judge(const char *token, size_t len)
{
    struct event e = {.text = token, .len = len};
    if (len > TOKEN_MAX) {
        e.what = "token too long";
    } else if (is_plain(token, len)) {
        bool sign = *token == '+' || *token == '-';
        size_t zeros = sign;
        while (zeros < len - 1 && token[zeros] == '0')
            zeros++;
        if (*token == '-')
            e.what = "negative";
        else if (len - zeros > max_digits)
            e.what = "more digits than --max-digits allows";
        else
            e = (struct event){.text = token + zeros, .len = len - zeros};
    } else if (has_form_of_expression(token, len)) {
        struct qbuf digits = QBUF_INIT;
        if (expr_eval(token, len, max_digits, &digits, &e.what) == 0) {
            e.len = digits.len;
            e.text = e.value = exact_copy(digits.data, digits.len);
        }
        qbuf_release(&digits);
    } else {
        e.what = "not an integer";
    }
    return e;
}

/* `origin` is the position of text[0] in the input. */
static void read_slowly(struct events *to, const char *text, size_t len, bool comment,
                        uint64_t origin)
{
    uint64_t line = 0;
    bool in_token = false;
    size_t token = 0;
    to->n = 0;
    to->at = calloc(len / 2 + 1, sizeof *to->at);
    CLAIM(to->at);
    for (size_t i = 0; i <= len; i++) {
        int c = i < len ? (unsigned char)text[i] : '\n';
        if (in_token && is_blank(c)) {
            struct event *e = &to->at[to->n++];
            *e = judge(text + token, i - token);
            e->after = origin + i;
            e->line = line;
            in_token = false;
        } else if (!in_token && !comment && c == '#') {
            comment = true;
        } else if (!in_token && !comment && !is_blank(c)) {
            in_token = true;
            token = i;
        }
        if (c == '\n') {
            comment = false;
            line++;
        }
    }
}

static void forget(struct events *events)
{
    for (size_t i = 0; i < events->n; i++)
        free(events->at[i].value);
    free(events->at);
}

/* --- reading as quern does ----------------------------------------------------------
 */

struct plan {
    struct choices choices;
    size_t block; /* most records in a block */
    size_t want;  /* length of spans, 0: one */
    size_t piece; /* most bytes that a read of the stream gives */
    bool unread, again;
};

static struct numbers block;

/* What was read, in the order of the input, against what is to come. */
struct checking {
    const struct events *want;
    size_t at;      /* the next one */
    uint64_t lines; /* newlines of the input in front of the span */
};

static void check_event(struct checking *c, const char *what, const char *text,
                        size_t len, uint64_t after, uint64_t line)
{
    CLAIM(c->at < c->want->n);
    const struct event *e = &c->want->at[c->at++];
    CLAIM(!what == !e->what);
    CLAIM(len == e->len && memcmp(text, e->text, len) == 0);
    CLAIM(after == e->after);
    if (what)
        CLAIM(strcmp(what, e->what) == 0 && c->lines + line == e->line);
}

static void check_value(size_t i, size_t *big)
{
    static mpz_t value;
    char *digits = exact_copy(block.digits[i], block.len[i] + 1);
    digits[block.len[i]] = '\0';
    if (!value->_mp_d)
        mpz_init(value);
    CLAIM(mpz_set_str(value, digits, 10) == 0);
    if (mpz_sizeinbase(value, 2) <= 64) {
        CLAIM(block.v[i] == mpz_get_ui(value));
    } else {
        CLAIM(block.v[i] == 0 && *big < block.nbig && block.big[*big] == i);
        ++*big;
    }
    free(digits);
}

/* All of the block is what comes next. */
static void check_block(const struct numbers_reader *r, struct checking *c)
{
    const struct chunk *chunk = r->span.chunk;
    size_t bad = 0, big = 0;
    for (size_t i = 0; i <= block.n; i++) {
        for (; bad < block.nbad && block.bad[bad].before == i; bad++) {
            const struct bad_number *x = &block.bad[bad];
            uint64_t end = (uint64_t)(x->token - chunk->text) + x->len;
            check_event(c, x->what, x->token, x->len, chunk->origin + end, x->line);
        }
        if (i < block.n) {
            check_value(i, &big);
            check_event(c, NULL, block.digits[i], block.len[i],
                        chunk->origin + block.after[i], 0);
        }
    }
    CLAIM(bad == block.nbad && big == block.nbig);
}

/* Reads a span to its end, or to the place behind a record where the plan says to begin
 * again: returns where. */
static uint64_t read_span(struct numbers_reader *r, const struct span *s,
                          struct plan *p, struct checking *c)
{
    struct qerr e = QERR_INIT;
    int rc;
    numbers_open(r, s);
    while ((rc = numbers_next(r, &block, 1 + choose(&p->choices, p->block), &e)) == 1) {
        CLAIM(block.n > 0 || block.nbad > 0);
        if (p->unread && choose(&p->choices, 2)) {
            size_t done = choose(&p->choices, block.n + 1), kept = 0;
            while (kept < block.nbad && block.bad[kept].before <= done)
                kept++;
            numbers_unread(r, &block, done);
            CLAIM(block.n == done && block.nbad == kept);
        }
        check_block(r, c);
        if (p->again && block.n > 0 && choose(&p->choices, 4) == 0 &&
            (block.nbad == 0 || block.bad[block.nbad - 1].before < block.n)) {
            c->lines += numbers_lines(r, block.after[block.n - 1]);
            return block.after[block.n - 1];
        }
    }
    CLAIM(rc == 0);
    c->lines += numbers_lines(r, s->end);
    return s->end;
}

/* Reads a chunk as spans; to the end, or to where the plan says to begin again. */
static uint64_t read_chunk(const struct chunk *chunk, struct plan *p,
                           struct checking *c)
{
    struct numbers_reader r;
    struct span rest = {chunk, 0, chunk->len};
    numbers_reader_init(&r, max_digits);
    while (rest.begin < rest.end) {
        struct span s = rest;
        if (p->want)
            s.end = span_cut(&rest, 1 + choose(&p->choices, p->want));
        CLAIM(s.end > s.begin && s.end <= rest.end);
        rest.begin = read_span(&r, &s, p, c);
        if (p->again && choose(&p->choices, 8) == 0)
            break;
    }
    numbers_reader_release(&r);
    return rest.begin;
}

static void read_as_chunk(const char *text, size_t len, bool comment, char around,
                          struct plan *p)
{
    struct events want;
    struct checking c = {&want, 0, 0};
    char *bytes = malloc(len + 2 * CHUNK_PAD);
    CLAIM(bytes);
    memset(bytes, around, len + 2 * CHUNK_PAD); /* of no effect */
    memcpy(bytes + CHUNK_PAD, text, len);
    const struct chunk chunk = {.kind = CHUNK_OF_TEXT,
                                .text = bytes + CHUNK_PAD,
                                .len = len,
                                .comment = comment,
                                .has_hash = memchr(text, '#', len)};
    read_slowly(&want, text, len, comment, 0);
    bool again = p->again;
    p->again = false;
    read_chunk(&chunk, p, &c);
    p->again = again;
    CLAIM(c.at == want.n);
    forget(&want);
    free(bytes);
}

/* --- a stream in pieces
 * ---------------------------------------------------------------
 */

struct stream {
    const char *text;
    size_t len, at;
    struct plan *plan;
};

static ssize_t read_piece(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct stream *s = from;
    (void)e;
    if (!wait && choose(&s->plan->choices, 3) == 0)
        return CUT_NOTHING_NOW;
    size_t most = 1 + choose(&s->plan->choices, s->plan->piece);
    n = n < most ? n : most;
    n = n < s->len - s->at ? n : s->len - s->at;
    memcpy(to, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void read_as_stream(const char *text, size_t len, struct plan *p)
{
    static char bytes[CHUNK_TEXT + 2 * CHUNK_PAD];
    size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct events want;
    struct checking c = {&want, 0, 0};
    struct stream stream = {text, len, 0, p};
    struct chunk chunk = {.text = bytes + CHUNK_PAD};
    struct position at = {0, 0};
    struct qerr e = QERR_INIT;
    struct cut cut;
    int rc;
    read_slowly(&want, text + mark, len - mark, false, mark);
    cut_init(&cut, &at);
    while ((rc = cut_next(&cut, read_piece, &stream, &chunk, &e)) == 1) {
        CLAIM(chunk.origin >= at.offset && chunk.len <= CHUNK_TEXT);
        uint64_t end = read_chunk(&chunk, p, &c);
        at = chunk_position(&chunk, end);
        if (end < chunk.len || (p->again && choose(&p->choices, 4) == 0)) {
            cut_release(&cut); /* as a run that is resumed */
            cut_init(&cut, &at);
            stream.at = at.offset;
        }
    }
    CLAIM(rc == 0 && c.at == want.n);
    cut_release(&cut);
    forget(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t limits[] = {10000, 1, 2, 19, 20, 21, 100, 1000};
    struct bytes in = {data, data + size};
    unsigned flags = bytes_take(&in), limit = bytes_take(&in);
    struct plan p = {.unread = flags & 1, .again = flags & 2};
    p.block = 1 + (size_t)bytes_take(&in) % 64;
    p.want = bytes_take(&in);
    p.piece = 1 + (size_t)bytes_take(&in);
    p.choices.state = 1 + (uint64_t)bytes_take(&in) + 256u * bytes_take(&in) +
                      65536u * bytes_take(&in);
    max_digits = limits[limit % 8];
    if (flags & 4)
        p.block = NUMBERS_BLOCK;
    size_t len = bytes_left(&in);
    char *text = exact_copy(in.at, len);
    if (len > 0) {
        read_as_chunk(text, len, flags & 8, " 5\n#"[flags / 16 % 4], &p);
        read_as_stream(text, len, &p);
    }
    numbers_release(&block);
    free(text);
    return 0;
}
