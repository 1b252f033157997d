/*
 * transfer: single HTTP requests, many at a time in one thread. It hides libcurl, which
 * is loaded when the first set is made, and nothing else: no retries, no redirects, no
 * policy. One hop is one transfer.
 *
 * A set belongs to one thread; only transfers_wake may be called from others. Sets
 * share looked-up names, TLS sessions and (if asked for) cookies through a pool.
 */
#ifndef QUERN_SOURCE_TRANSFER_H
#define QUERN_SOURCE_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"

/* How a transfer ended. */
enum transfer_end {
    TRANSFER_OK, /* an answer, and its body is complete; whatever its status */
    TRANSFER_DNS,
    TRANSFER_CONNECT,
    TRANSFER_DENIED,      /* deny_private: the address is private */
    TRANSFER_TLS,         /* the handshake was cut */
    TRANSFER_CERTIFICATE, /* the certificate is not to be trusted */
    TRANSFER_TIMEOUT,     /* of the connection */
    TRANSFER_TRUNCATED,
    TRANSFER_EMPTY,  /* the connection ended before an answer */
    TRANSFER_BROKEN, /* it broke while sending or receiving */
    TRANSFER_STREAM, /* a stream of HTTP/2 did */
    TRANSFER_PROTOCOL,
    TRANSFER_URL,     /* the URL is none */
    TRANSFER_REFUSED, /* a callback said TRANSFER_ABORT */
    TRANSFER_LOCAL    /* memory, files, libcurl itself */
};

/* What a callback says of bytes: taken; wait, and ask again; no more. */
enum transfer_take { TRANSFER_TAKEN, TRANSFER_PAUSE, TRANSFER_ABORT };

/* All borrowed until the pool is freed. NULL: not given. */
struct transfer_options {
    unsigned in_flight; /* in all sets together */
    const char *user_agent, *cacert, *proxy, *no_proxy;
    bool insecure, netrc, cookies, http2, deny_private;
    uint64_t connect_ms;

    /* A line of the header, with its end; of every answer, also of "100 Continue". */
    enum transfer_take (*header)(void *user, const char *line, size_t n);
    enum transfer_take (*body)(void *user, const char *bytes, size_t n);

    /* With HTTP/2: the connection, which had been used before, ended without an answer.
     * Whether the request may be sent once more, on another one; else, and always with
     * HTTP/1.1, it is TRANSFER_BROKEN. */
    bool (*again)(void *user);
};

struct transfer_pool;

/* Loads libcurl at the first call of the process. Not from two threads at once. */
int transfer_pool_new(struct transfer_pool **pool, const struct transfer_options *o,
                      struct qerr *e);
void transfer_pool_free(struct transfer_pool *p); /* when its sets are gone */

struct transfers; /* a set */
struct transfer;  /* one of its places */

/* `slots` transfers at a time at most. */
struct transfers *transfers_new(struct transfer_pool *pool, unsigned slots,
                                struct qerr *e);
void transfers_free(struct transfers *s); /* breaks off what runs */

/* A header list that many requests share; read-only once made. */
struct transfer_headers;
int transfer_headers_add(struct transfer_headers **list, const char *line,
                         struct qerr *e);
void transfer_headers_free(struct transfer_headers *list);

struct transfer_request {
    const char *url;                        /* copied */
    const struct transfer_headers *headers; /* in front of `own`; borrowed */
    struct transfer_headers *own; /* of this request alone; becomes the set's */
    bool credentials;             /* netrc may be looked at */
    bool fresh;                   /* HTTP/1.1: on a connection of its own */
    void *user;                   /* for the callbacks */
};

/* Begins. NULL on failure; a place is free. */
struct transfer *transfers_start(struct transfers *s, struct transfer_request *request,
                                 struct qerr *e);

/* Breaks it off; its place is free. */
void transfers_cancel(struct transfers *s, struct transfer *t);

/* Asks again about the bytes that were not taken: calls `body`, perhaps. */
void transfers_resume(struct transfers *s, struct transfer *t);

/* Moves all on as far as it goes, then sleeps until there is more to do, a wake, or
 * `wait_ms`. */
void transfers_run(struct transfers *s);
void transfers_sleep(struct transfers *s, unsigned wait_ms);
void transfers_wake(struct transfers *s); /* any thread */

struct transfer_result {
    void *user;
    enum transfer_end end;
    char error[256];      /* unless TRANSFER_OK */
    const char *redirect; /* where the answer leads to, absolute; NULL: nowhere. Valid
                             until the next call with this set */
    bool connected;       /* there was a connection */
    bool unsent;          /* it would have been sent again, on another connection */
    double first_byte;    /* seconds from its start; 0: none came */
};

/* The next one that has ended; its place is free. */
bool transfers_ended(struct transfers *s, struct transfer_result *r);

/* How much of a URL stands in front of its path ("http://user@host:80"); 0: it has no
 * scheme. */
size_t transfer_site_len(const char *url);

/* "scheme://host:port" of a URL, the parts in their normal form. Q_EUSAGE when it is no
 * URL of http or https. Any thread. */
int transfer_origin(const char *url, struct qbuf *origin, struct qerr *e);

/* Of the loaded library, as "7.88.1 OpenSSL/3.0.19 ..."; loads it. */
const char *transfer_version(struct qerr *e);

#endif
