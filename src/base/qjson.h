/*
 * qjson: JSON out and in. All of the program that speaks JSON does it through here.
 *
 * Out: a writer appends to a qbuf, value after value; objects and arrays are opened and
 * ended, and the commas and the layout come by themselves. A value inside an object has
 * a key (a plain word of the program's own), one inside an array has NULL. Failure to
 * grow is the qbuf's, and sticky.
 *
 * In: a parsed document is read-only and may be shared between threads. Every getter
 * accepts NULL and values of another kind and then gives the fallback, so that a reader
 * of other people's files needs no ladder of checks.
 */
#ifndef QUERN_BASE_QJSON_H
#define QUERN_BASE_QJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"

/* --- out --- */

enum { QJSON_DEPTH = 16 };

struct qjson_writer {
    struct qbuf *out;
    unsigned depth;
    bool begun[QJSON_DEPTH]; /* something stands in the object or array of that depth */
    char end[QJSON_DEPTH];
    bool flat; /* no newlines inside the innermost one: set it behind opening */
};

#define QJSON_WRITER(buffer)                                                           \
    {                                                                                  \
        .out = (buffer)                                                                \
    }

void qjson_object(struct qjson_writer *w, const char *key);
void qjson_array(struct qjson_writer *w, const char *key);

/* Ends the innermost one, and with it `flat`; behind the outermost comes a newline. */
void qjson_end(struct qjson_writer *w);

/* A NULL text is null. */
void qjson_string(struct qjson_writer *w, const char *key, const char *text);
void qjson_count(struct qjson_writer *w, const char *key, uint64_t value);
void qjson_bool(struct qjson_writer *w, const char *key, bool value);

/* With at most `decimals` digits behind the point; what is no number is null. */
void qjson_real(struct qjson_writer *w, const char *key, double value, int decimals);

/* So many thousandths, exactly, and ten times as fast. */
void qjson_milli(struct qjson_writer *w, const char *key, int64_t thousandths);

/* A value that is JSON already. */
void qjson_raw(struct qjson_writer *w, const char *key, const char *json, size_t len);

/* A JSON string, quotes and all, of any bytes: where they are no UTF-8, those that are
 * no ASCII stand as \xHH. */
void qjson_quote(const char *text, struct qbuf *out);

/* What stands between its quotes, of a text that is not terminated. */
void qjson_inside(const char *text, size_t len, struct qbuf *out);

/* --- in --- */

struct qjson;

/* The document, or NULL and an error of code Q_EINPUT that names the line. */
struct qjson *qjson_parse(const char *text, size_t len, struct qerr *e);
void qjson_free(struct qjson *doc);

/* The member of an object; `path` may go deeper, with dots: "run.seconds". */
const struct qjson *qjson_get(const struct qjson *v, const char *path);

/* Elements of an array, or members of an object: how many, and which. */
size_t qjson_size(const struct qjson *v);
const struct qjson *qjson_at(const struct qjson *v, size_t i);

/* The key of member i of an object, in the order of the text; NULL behind the last. */
const char *qjson_key(const struct qjson *v, size_t i);

/* --- documents of others, in full --- */

/* Any value, as RFC 8259 has it, with no key twice in an object. NULL on failure, with
 * an error of code Q_EINPUT (not valid: *line says where) or Q_ENOMEM. */
struct qjson *qjson_document(const char *text, size_t len, uint64_t *line,
                             struct qerr *e);

enum qjson_kind {
    QJSON_NULL,
    QJSON_BOOL,
    QJSON_INTEGER,
    QJSON_REAL,
    QJSON_STRING,
    QJSON_ARRAY,
    QJSON_OBJECT
};
enum qjson_kind qjson_kind(const struct qjson *v);
int64_t qjson_integer(const struct qjson *v);

/* A string, in which there may be NULs; valid as long as the document. */
const char *qjson_bytes(const struct qjson *v, size_t *len);

/* The member of an object with this key, or NULL. */
const struct qjson *qjson_member(const struct qjson *v, const char *key, size_t len);

/* Valid as long as the document. */
const char *qjson_text(const struct qjson *v, const char *fallback);
double qjson_number(const struct qjson *v, double fallback);
bool qjson_is_true(const struct qjson *v);

#endif
