/*
 * exact: JSON whose numbers keep their digits. The library reads an integer into 64
 * bits, and refuses a larger one; any other number becomes binary. What must not be
 * changed by that is handed through it as a string:
 *
 *   - a number that is no plain integer of at most 18 digits becomes the string
 * "#NUMBER";
 *   - a string, or a key, that begins with '#' or '$' gets a '$' in front.
 *
 * What is no JSON is none afterwards, so the library remains the judge.
 */
#ifndef QUERN_CORE_EXACT_H
#define QUERN_CORE_EXACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/qbuf.h"

/* Rewrites a document into `out`. False, and nothing is in `out`, when it can stay as
 * it is (or memory ran out: then out->failed). CHUNK_PAD bytes behind it may be read.
 */
bool exact_rewrite(const char *text, size_t len, struct qbuf *out);

/* What a string of a rewritten document was: moves *s and *len to its number, and
 * returns true, or to its text. */
bool exact_number(const char **s, size_t *len);

/* How a key stands in a rewritten document: with a '$' in front? */
bool exact_is_marked(const char *key, size_t len);

#endif
