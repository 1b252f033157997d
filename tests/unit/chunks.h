/*
 * chunks: what comes out of a source, and an independent reading of it: tokens, found
 * one byte at a time. For the tests of sources.
 */
#ifndef QUERN_TESTS_CHUNKS_H
#define QUERN_TESTS_CHUNKS_H

#include <stdbool.h>
#include <string.h>

#include "core/chunk.h"
#include "source/source.h"
#include "unit.h"

static inline bool is_space(char c)
{
    return c != '\0' && strchr(" \t\n\v\f\r", c) != NULL;
}

/* A list of tokens, as one string: each with a blank behind it; a token of more than
 * TOKEN_MAX bytes stands there as "!". */
struct tokens {
    struct qbuf text;
    size_t n;
};

static inline void tokens_release(struct tokens *t)
{
    qbuf_release(&t->text);
}

static inline void tokens_add(struct tokens *t, const char *token, size_t len)
{
    if (len > TOKEN_MAX)
        qbuf_putc(&t->text, '!');
    else
        qbuf_add(&t->text, token, len);
    qbuf_putc(&t->text, ' ');
    t->n++;
}

/* Adds the tokens of text[0 .. len); says whether its end is inside a comment. */
static inline bool tokens_read(struct tokens *t, const char *text, size_t len,
                               bool comment)
{
    const size_t none = SIZE_MAX;
    size_t token = none;
    for (size_t i = 0; i <= len; i++) {
        bool blank = i == len || is_space(text[i]);
        if (token != none && blank) {
            tokens_add(t, text + token, i - token);
            token = none;
        } else if (token == none && !blank && !comment) {
            if (text[i] == '#')
                comment = true;
            else
                token = i;
        }
        if (i < len && text[i] == '\n')
            comment = false;
    }
    return comment;
}

static inline bool same_tokens(const struct tokens *a, const struct tokens *b)
{
    return a->n == b->n && a->text.len == b->text.len && !a->text.failed &&
           (a->n == 0 || memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

/* A chunk with its text and pads, as the ring makes them. */
static inline struct chunk *chunk_make(void)
{
    struct chunk *c = calloc(1, sizeof *c);
    struct qerr e = QERR_INIT;
    CU_ASSERT_FATAL(c && chunk_init(c, &e) == 0);
    return c;
}

static inline void chunk_unmake(struct chunk *c)
{
    chunk_release(c);
    free(c);
}

/* Holds a text chunk against the contract of chunk.h, and adds its tokens. `comment`:
 * the last one ended inside a comment; returns whether this one does. */
static inline bool chunk_check(const struct chunk *c, bool comment, struct tokens *t)
{
    CU_ASSERT_EQUAL_FATAL(c->kind, CHUNK_OF_TEXT);
    CU_ASSERT_FATAL(c->len <= CHUNK_TEXT);
    CU_ASSERT_EQUAL(c->comment, comment);
    CU_ASSERT_EQUAL(c->has_hash, c->len > 0 && memchr(c->text, '#', c->len) != NULL);
    return tokens_read(t, c->text, c->len, c->comment);
}

/* Takes all that a source has. Returns its last answer: 0 or an error (then in e). */
static inline int source_drain(const struct source *source, void *state,
                               struct tokens *t, struct qerr *e)
{
    struct chunk *c = chunk_make();
    bool comment = false;
    int rc;
    while ((rc = source->next(state, c, e)) > 0)
        comment = chunk_check(c, comment, t);
    chunk_unmake(c);
    return rc;
}

#endif
