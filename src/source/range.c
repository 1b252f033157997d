/*
 * A..B, both ends included, in plain decimal of any size (the command line has checked
 * them). A chunk stands for up to 2^62 integers; claims cut it to measure. A range that
 * reaches 2^64 is counted from its low end: base A, offsets from 0.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/big.h"
#include "source/source.h"

struct range {
    mpz_t next, last;
    uint64_t offset; /* of next, from the range's low end */
};

static const uint64_t RANGE_CHUNK = UINT64_C(1) << 62;

static int range_check(const struct input *in, struct qerr *e)
{
    (void)in;
    (void)e;
    return 0;
}

static int range_ident(const struct job *job, const struct input *in, struct qbuf *out,
                       struct qerr *e)
{
    (void)job;
    (void)in;
    (void)out;
    (void)e;
    return 0;
}

static int range_open(void **state, struct sources *all, const struct input *in,
                      const struct position *at, struct qerr *e)
{
    (void)all;
    struct range *r = malloc(sizeof *r);
    if (!r)
        return qerr_nomem(e);
    const char *dots = strstr(in->text, "..");
    mpz_init(r->next);
    mpz_init(r->last);
    if (!dots || !big_parse(r->next, in->text, (size_t)(dots - in->text)) ||
        !big_parse(r->last, dots + 2, strlen(dots + 2))) {
        mpz_clear(r->next);
        mpz_clear(r->last);
        free(r);
        return qerr_nomem(e);
    }
    mpz_t skip;
    mpz_init(skip);
    big_set(skip, at->offset);
    mpz_add(r->next, r->next, skip);
    mpz_clear(skip);
    r->offset = at->offset;
    *state = r;
    return 0;
}

static int range_next(void *state, struct chunk *c, struct qerr *e)
{
    struct range *r = state;
    if (mpz_cmp(r->next, r->last) > 0)
        return 0;
    if (big_print_size(r->next) > CHUNK_TEXT)
        return qerr_set(e, Q_EUSAGE, "the range's ends have too many digits");

    mpz_t count, most;
    mpz_init(count);
    mpz_init(most);
    mpz_sub(count, r->last, r->next);
    mpz_add_ui(count, count, 1);
    big_set(most, RANGE_CHUNK);
    if (mpz_cmp(count, most) > 0)
        mpz_set(count, most);
    mpz_add(most, r->next, count);
    mpz_sub_ui(most, most, 1); /* the last integer of this chunk */

    c->kind = CHUNK_OF_RANGE;
    c->count = big_u64(count);
    c->origin = r->offset;
    c->state_after = 0;
    r->offset += c->count;
    c->comment = c->has_hash = false;
    if (big_fits(most)) {
        c->first = big_u64(r->next);
        c->len = 0;
    } else {
        c->first = 0;
        c->len = big_print(c->text, r->next);
    }
    mpz_add(r->next, r->next, count);
    mpz_clear(count);
    mpz_clear(most);
    return 1;
}

static void range_close(void *state)
{
    struct range *r = state;
    mpz_clear(r->next);
    mpz_clear(r->last);
    free(r);
}

const struct source source_range = {
    .name = "range",
    .check = range_check,
    .open = range_open,
    .ident = range_ident,
    .next = range_next,
    .close = range_close,
};
