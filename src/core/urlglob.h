/*
 * urlglob: URLs that stand for many, as curl has them:
 *
 *   {a,b,c}                 each of these
 *   [1-100] [001-100]       numbers; leading zeros are kept
 *   [0-100:10] [a-z:2]      with a step; letters
 *
 * The last one moves fastest. A backslash in front of { } [ ] or a comma takes its
 * meaning away; an IPv6 address in brackets has none.
 */
#ifndef QUERN_CORE_URLGLOB_H
#define QUERN_CORE_URLGLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"

enum { URLGLOB_PARTS = 32 };

struct urlglob_part {
    enum { GLOB_LITERAL, GLOB_TEXT, GLOB_SET, GLOB_NUMBERS, GLOB_LETTERS } kind;
    const char *text; /* LITERAL, TEXT, SET: in the pattern, which is borrowed */
    size_t len;
    uint64_t first, last, step; /* NUMBERS, LETTERS */
    int width;                  /* of numbers: 0, or with leading zeros */
    uint64_t count;             /* how many it stands for */
    uint64_t at;                /* which one is next */
};

struct urlglob {
    struct urlglob_part parts[URLGLOB_PARTS];
    size_t nparts;
    bool ended;
};

/* `literal`: it stands for itself alone (--globoff). The text is borrowed until the
 * last urlglob_next. Q_EUSAGE when braces or brackets do not make sense. */
int urlglob_open(struct urlglob *g, const char *url, bool literal, struct qerr *e);

/* Puts the next URL into `url` (cleared first); false when there is none. */
bool urlglob_next(struct urlglob *g, struct qbuf *url);

/* How many there are in all; saturates. */
uint64_t urlglob_count(const struct urlglob *g);

#endif
