/*
 * response: what the header of an HTTP answer says, as far as fetching needs it. Pure:
 * lines in, a struct out; it believes nothing that does not parse.
 */
#ifndef QUERN_SOURCE_RESPONSE_H
#define QUERN_SOURCE_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RESPONSE_HEADER_MAX = 256 << 10, /* bytes of all headers of one transfer */
    RESPONSE_TEXT = 200
};

struct response {
    int status;
    size_t header_bytes; /* of all answers of the transfer, "100 Continue" too */
    bool complete;       /* the empty line at its end has come */

    bool bad_length; /* Content-Length is no number, or beyond all reason */
    bool has_length;
    uint64_t length; /* Content-Length */

    bool has_range; /* Content-Range: bytes FIRST-LAST/TOTAL, or, of a 416, * /TOTAL */
    bool range_unsatisfied;
    uint64_t range_first, range_last;
    bool has_total;
    uint64_t range_total;

    bool gzip;         /* Content-Encoding is gzip, ... */
    bool other_coding; /* ... or one that is not known */
    bool no_ranges;    /* Accept-Ranges: none */

    /* Empty: not there, or too long to be of use. */
    char etag[RESPONSE_TEXT]; /* with its quotes, and W/ if it is weak */
    char last_modified[RESPONSE_TEXT], retry_after[RESPONSE_TEXT], date[RESPONSE_TEXT];
    char disposition[2 * RESPONSE_TEXT]; /* the name in Content-Disposition, in UTF-8 */
};

void response_init(struct response *r);

/* The next line, with or without its end. A status line begins a new answer. False when
 * the header has become too large. */
bool response_line(struct response *r, const char *line, size_t n);

/* What Retry-After asks for, in nanoseconds from now (saturating). False when it is not
 * there, in the past, or nonsense. `now` is our clock (seconds since 1970), used only
 * for a date when the answer has none of its own. */
bool response_retry_after(const struct response *r, int64_t now, uint64_t *wait_ns);

/* An HTTP-date (IMF-fixdate, RFC 850, asctime) as seconds since 1970. `now` decides the
 * century of two digits. */
bool response_date(const char *text, int64_t now, int64_t *seconds);

/* The validator that an If-Range may carry: a strong ETag, else Last-Modified, else
 * NULL. */
const char *response_validator(const struct response *r);

#endif
