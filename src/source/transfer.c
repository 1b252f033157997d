/*
 * Handles are made once and used again: their connections, and all that is the same in
 * every request, stay (a fresh handle costs three times the CPU of a request). What
 * differs between requests is set in one function, all of it every time.
 *
 * The traps of libcurl 7.88 that are minded here:
 *  - CAPATH must be NULL and CAINFO set, or every new connection parses the whole
 *    bundle of certificates (29 ms, 0.9 MB), since only then it is kept for the set.
 *  - NOSIGNAL on every handle, or it plays with SIGALRM and SIGPIPE.
 *  - QUICK_EXIT, or taking out a transfer waits for its getaddrinfo.
 *  - Connections are never shared between sets (documented as unsupported; it crashes).
 *  - Without PIPEWAIT, HTTP/2 opens a connection for each transfer at the start.
 *  - The default lets redirects lead to ftp; here only http and https exist, and
 *    redirects are the caller's.
 *  - To take a URL apart costs a sixth of a small request, and its text is put together
 *    again. Where only the path differs from the last request, only that is set.
 *  - For each request the environment is searched for a proxy, unless it is told that
 *    there is none.
 */
#include "source/transfer.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/address.h"

/* --- the library --- */

#define FUNCTIONS(F)                                                                   \
    F(global_init)                                                                     \
    F(version)                                                                         \
    F(version_info)                                                                    \
    F(easy_init)                                                                       \
    F(easy_setopt)                                                                     \
    F(easy_getinfo)                                                                    \
    F(easy_header)                                                                     \
    F(easy_pause)                                                                      \
    F(easy_cleanup)                                                                    \
    F(easy_strerror)                                                                   \
    F(multi_init)                                                                      \
    F(multi_setopt)                                                                    \
    F(multi_add_handle)                                                                \
    F(multi_remove_handle)                                                             \
    F(multi_perform)                                                                   \
    F(multi_poll)                                                                      \
    F(multi_wakeup)                                                                    \
    F(multi_info_read)                                                                 \
    F(multi_cleanup)                                                                   \
    F(share_init)                                                                      \
    F(share_setopt)                                                                    \
    F(share_cleanup)                                                                   \
    F(slist_append)                                                                    \
    F(slist_free_all)                                                                  \
    F(url)                                                                             \
    F(url_set)                                                                         \
    F(url_get)                                                                         \
    F(url_cleanup)                                                                     \
    F(free)

/* Written by `load`, once, before any thread that fetches is started. */
static struct {
#define POINTER(name) __typeof__(curl_##name) *name;
    FUNCTIONS(POINTER)
#undef POINTER
} curl;

static int load(struct qerr *e)
{
    static bool loaded;
    if (loaded)
        return 0;
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return qerr_set(e, Q_EUSAGE, "URLs need libcurl: %s", dlerror());
        /* POSIX has it that a function's address fits into a void pointer. */
#define FIND(name)                                                                     \
    *(void **)&curl.name = dlsym(library, "curl_" #name);                              \
    if (!curl.name)                                                                    \
        return qerr_set(e, Q_EUSAGE, "this libcurl.so.4 has no curl_" #name);
    FUNCTIONS(FIND)
#undef FIND
    if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return qerr_set(e, Q_ENOMEM, "libcurl does not start");
    loaded = true;
    return 0;
}

const char *transfer_version(struct qerr *e)
{
    return load(e) == 0 ? curl.version() : NULL;
}

/* --- what sets share --- */

struct transfer_pool {
    const struct transfer_options *options;
    CURLSH *share;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST]; /* one for each kind of shared data */
    const char *cainfo;
    const char
        *proxy; /* as CURLOPT_PROXY has it: "" is none, NULL asks the environment */
    long buffer_bytes; /* of each transfer */
};

static void lock_share(CURL *h, curl_lock_data data, curl_lock_access access, void *arg)
{
    struct transfer_pool *p = arg;
    (void)h;
    (void)access;
    pthread_mutex_lock(&p->locks[data]);
}

static void unlock_share(CURL *h, curl_lock_data data, void *arg)
{
    struct transfer_pool *p = arg;
    (void)h;
    pthread_mutex_unlock(&p->locks[data]);
}

static int make_share(struct transfer_pool *p, struct qerr *e)
{
    p->share = curl.share_init();
    if (!p->share)
        return qerr_nomem(e);
    curl.share_setopt(p->share, CURLSHOPT_LOCKFUNC, lock_share);
    curl.share_setopt(p->share, CURLSHOPT_UNLOCKFUNC, unlock_share);
    curl.share_setopt(p->share, CURLSHOPT_USERDATA, p);
    curl.share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl.share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    if (p->options->cookies)
        curl.share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    return 0;
}

/* Where the certificates are that are trusted. */
static const char *find_bundle(void)
{
    static const char *const usual[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    const char *given = getenv("SSL_CERT_FILE");
    if (given && *given)
        return given;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    const curl_version_info_data *v = curl.version_info(CURLVERSION_NOW);
    return v->age >= CURLVERSION_SEVENTH ? v->cainfo : NULL;
}

/* Large bodies want a large buffer (16 KiB to 512 KiB: half as much again), many
 * transfers want a small one. */
static long buffer_for(unsigned in_flight)
{
    enum { ALL = 8 << 20, LEAST = 16 << 10, MOST = 512 << 10 };
    long fit = ALL / (long)(in_flight > 0 ? in_flight : 1);
    return fit < LEAST ? LEAST : fit > MOST ? MOST : fit;
}

/* Does the environment name any proxy? */
static bool proxy_in_environment(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            return true;
    return false;
}

/* What would else be found wrong with every request. A proxy may hold a password: it is
 * not shown. */
static int check_options(const struct transfer_options *o, struct qerr *e)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    char *scheme = NULL;
    bool fine = false;
    if (o->cacert && access(o->cacert, R_OK) != 0)
        return qerr_sys(e, Q_EUSAGE, errno, "--cacert: %s", o->cacert);
    if (!o->proxy || !*o->proxy)
        return 0;
    CURLU *u = curl.url();
    if (!u)
        return qerr_nomem(e);
    if (curl.url_set(u, CURLUPART_URL, o->proxy,
                     CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl.url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
        for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
            fine = fine || strcmp(scheme, schemes[i]) == 0;
    curl.free(scheme);
    curl.url_cleanup(u);
    return fine ? 0
                : qerr_set(e, Q_EUSAGE,
                           "--proxy wants a host, or a URL of http, https, socks4 or "
                           "socks5");
}

int transfer_pool_new(struct transfer_pool **pool, const struct transfer_options *o,
                      struct qerr *e)
{
    int rc = load(e);
    if (rc == 0)
        rc = check_options(o, e);
    if (rc < 0)
        return rc;
    struct transfer_pool *p = calloc(1, sizeof *p);
    if (!p)
        return qerr_nomem(e);
    p->options = o;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&p->locks[i], NULL);
    p->cainfo = o->cacert ? o->cacert : find_bundle();
    p->proxy = o->proxy ? o->proxy : proxy_in_environment() ? NULL : "";
    p->buffer_bytes = buffer_for(o->in_flight);
    rc = make_share(p, e);
    if (rc < 0) {
        transfer_pool_free(p);
        return rc;
    }
    *pool = p;
    return 0;
}

void transfer_pool_free(struct transfer_pool *p)
{
    if (!p)
        return;
    if (p->share)
        curl.share_cleanup(p->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&p->locks[i]);
    free(p);
}

/* --- headers: the list is libcurl's own --- */

int transfer_headers_add(struct transfer_headers **list, const char *line,
                         struct qerr *e)
{
    struct curl_slist *longer =
        curl.slist_append((struct curl_slist *)(void *)*list, line);
    if (!longer)
        return qerr_nomem(e);
    *list = (struct transfer_headers *)(void *)longer;
    return 0;
}

void transfer_headers_free(struct transfer_headers *list)
{
    if (list)
        curl.slist_free_all((struct curl_slist *)(void *)list);
}

/* --- places --- */

struct transfer {
    CURL *handle; /* made at the first use of the place, and so is url */
    CURLU *url;
    char *site; /* the one in `url`, if only a path was set since; or NULL */
    struct transfers *set;
    struct transfer_headers *own;
    void *user;
    unsigned sent; /* how often the request was */
    bool unsent;   /* ... and once more it was not to be */
    bool denied;   /* deny_private refused its address */
    char error[CURL_ERROR_SIZE];
    struct transfer *next; /* a free place: the next one */
};

struct transfers {
    struct transfer_pool *pool;
    CURLM *multi;
    unsigned slots;
    struct transfer *places; /* `slots` of them */
    struct transfer *free;
    char *redirect; /* of the last result */
};

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    (void)one;
    /* A size that is not n ends the transfer. */
    return t->set->pool->options->header(t->user, line, n) == TRANSFER_TAKEN ? n
                                                                             : n + 1;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    (void)one;
    switch (t->set->pool->options->body(t->user, bytes, n)) {
    case TRANSFER_TAKEN:
        return n;
    case TRANSFER_PAUSE:
        return CURL_WRITEFUNC_PAUSE;
    case TRANSFER_ABORT:
        break;
    }
    return n + 1;
}

/* The request is about to be sent. libcurl sends it again by itself when the connection
 * had been used before: perhaps on another old one, which fares no better. Only with
 * HTTP/2 is that its own business: a server that says goodbye refuses many requests at
 * once, and they are to share the next connection. */
static int on_request(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct transfer *t = arg;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    const struct transfer_options *o = t->set->pool->options;
    t->unsent = t->sent++ > 0 && !(o->http2 && o->again(t->user));
    return t->unsent ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* --- handles --- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *a)
{
    struct transfer *t = arg;
    (void)purpose;
    if (address_is_private(&a->addr)) {
        t->denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void set_security(CURL *h, const struct transfer_pool *p)
{
    const struct transfer_options *o = p->options;
    long verify = o->insecure ? 0 : 1;
    curl.easy_setopt(h, CURLOPT_SSL_VERIFYPEER, verify);
    curl.easy_setopt(h, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
    curl.easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl.easy_setopt(h, CURLOPT_CAPATH, NULL);
    if (p->cainfo)
        curl.easy_setopt(h, CURLOPT_CAINFO, p->cainfo);
    curl.easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
}

/* What is the same in every request. */
static void set_common(struct transfer *t)
{
    const struct transfer_pool *p = t->set->pool;
    const struct transfer_options *o = p->options;
    CURL *h = t->handle;
    curl.easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
    curl.easy_setopt(h, CURLOPT_PRIVATE, t);
    curl.easy_setopt(h, CURLOPT_ERRORBUFFER, t->error);
    curl.easy_setopt(h, CURLOPT_SHARE, p->share);
    curl.easy_setopt(h, CURLOPT_BUFFERSIZE, p->buffer_bytes);
    curl.easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl.easy_setopt(h, CURLOPT_HEADERDATA, t);
    curl.easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl.easy_setopt(h, CURLOPT_WRITEDATA, t);
    curl.easy_setopt(h, CURLOPT_PREREQFUNCTION, on_request);
    curl.easy_setopt(h, CURLOPT_PREREQDATA, t);
    curl.easy_setopt(h, CURLOPT_USERAGENT, o->user_agent);
    curl.easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    curl.easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
    curl.easy_setopt(h, CURLOPT_HTTP_VERSION,
                     o->http2 ? (long)CURL_HTTP_VERSION_2TLS
                              : (long)CURL_HTTP_VERSION_1_1);
    curl.easy_setopt(h, CURLOPT_PIPEWAIT, o->http2 ? 1L : 0L);
    set_security(h, p);
    if (p->proxy)
        curl.easy_setopt(h, CURLOPT_PROXY, p->proxy);
    if (o->no_proxy)
        curl.easy_setopt(h, CURLOPT_NOPROXY, o->no_proxy);
    if (o->cookies)
        curl.easy_setopt(h, CURLOPT_COOKIEFILE, "");
    if (o->deny_private) {
        curl.easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl.easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
    }
}

struct transfers *transfers_new(struct transfer_pool *pool, unsigned slots,
                                struct qerr *e)
{
    struct transfers *s = calloc(1, sizeof *s);
    if (s)
        s->places = calloc(slots, sizeof *s->places);
    if (s && s->places)
        s->multi = curl.multi_init();
    if (!s || !s->places || !s->multi) {
        if (s)
            free(s->places);
        free(s);
        qerr_nomem(e);
        return NULL;
    }
    s->pool = pool;
    s->slots = slots;
    for (unsigned i = slots; i-- > 0;) {
        s->places[i].set = s;
        s->places[i].next = s->free;
        s->free = &s->places[i];
    }
    return s;
}

static void release_place(struct transfers *s, struct transfer *t)
{
    transfer_headers_free(t->own);
    t->own = NULL;
    t->user = NULL;
    t->next = s->free;
    s->free = t;
}

void transfers_free(struct transfers *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->slots; i++) {
        struct transfer *t = &s->places[i];
        if (t->user)
            curl.multi_remove_handle(s->multi, t->handle);
        curl.easy_cleanup(t->handle);
        curl.url_cleanup(t->url);
        free(t->site);
        transfer_headers_free(t->own);
    }
    curl.multi_cleanup(s->multi);
    curl.free(s->redirect);
    free(s->places);
    free(s);
}

size_t transfer_site_len(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#\\") : 0;
}

/* A path that stands for itself: no query, nothing coded or odd, no /./ or /../. */
static bool is_plain_path(const char *s)
{
    if (*s != '/')
        return false;
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
              (*s >= '/' && *s <= '9') || *s == '-' || *s == '_' ||
              (*s == '.' && s[-1] != '/')))
            return false;
    return true;
}

static int set_url(struct transfer *t, const char *url, struct qerr *e)
{
    CURLUcode code;
    size_t n = transfer_site_len(url);
    bool plain = n > 0 && is_plain_path(url + n);
    if (plain && t->site && strncmp(url, t->site, n) == 0 && t->site[n] == '\0') {
        code = curl.url_set(t->url, CURLUPART_PATH, url + n, 0);
    } else {
        code = curl.url_set(t->url, CURLUPART_URL, url, 0);
        free(t->site);
        t->site = plain && code == CURLUE_OK ? strndup(url, n) : NULL;
    }
    return code == CURLUE_OK              ? 0
           : code == CURLUE_OUT_OF_MEMORY ? qerr_nomem(e)
                                          : qerr_set(e, Q_EUSAGE, "this is no URL");
}

/* What differs between requests: all of it, every time. */
static int set_request(struct transfer *t, const struct transfer_request *r,
                       struct qerr *e)
{
    CURL *h = t->handle;
    const struct transfer_headers *headers = t->own ? t->own : r->headers;
    long fresh = r->fresh && !t->set->pool->options->http2;
    long netrc = t->set->pool->options->netrc && r->credentials ? CURL_NETRC_OPTIONAL
                                                                : CURL_NETRC_IGNORED;
    int rc = set_url(t, r->url, e);
    if (rc < 0)
        return rc;
    if (curl.easy_setopt(h, CURLOPT_CURLU, t->url) != CURLE_OK ||
        curl.easy_setopt(h, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
        curl.easy_setopt(h, CURLOPT_NETRC, netrc) != CURLE_OK ||
        curl.easy_setopt(h, CURLOPT_FRESH_CONNECT, fresh) != CURLE_OK)
        return qerr_nomem(e);
    return 0;
}

struct transfer *transfers_start(struct transfers *s, struct transfer_request *r,
                                 struct qerr *e)
{
    struct transfer *t = s->free;
    t->own = r->own;
    r->own = NULL;
    if (!t->url)
        t->url = curl.url();
    if (!t->handle && t->url && (t->handle = curl.easy_init()) != NULL)
        set_common(t);
    for (const struct curl_slist *h = (const void *)r->headers; t->own && h;
         h = h->next)
        if (transfer_headers_add(&t->own, h->data, e) < 0)
            goto failed;
    t->error[0] = '\0';
    t->denied = false;
    t->unsent = false;
    t->sent = 0;
    t->user = r->user;
    if (!t->handle) {
        qerr_nomem(e);
        goto failed;
    }
    if (set_request(t, r, e) < 0)
        goto failed;
    if (curl.multi_add_handle(s->multi, t->handle) != CURLM_OK) {
        qerr_nomem(e);
        goto failed;
    }
    s->free = t->next;
    return t;
failed:
    transfer_headers_free(t->own);
    t->own = NULL;
    t->user = NULL;
    return NULL;
}

void transfers_cancel(struct transfers *s, struct transfer *t)
{
    curl.multi_remove_handle(s->multi, t->handle);
    release_place(s, t);
}

void transfers_resume(struct transfers *s, struct transfer *t)
{
    (void)s;
    curl.easy_pause(t->handle, CURLPAUSE_CONT);
}

void transfers_run(struct transfers *s)
{
    int running;
    curl.multi_perform(s->multi, &running);
}

void transfers_sleep(struct transfers *s, unsigned wait_ms)
{
    curl.multi_poll(s->multi, NULL, 0, (int)wait_ms, NULL);
}

void transfers_wake(struct transfers *s)
{
    curl.multi_wakeup(s->multi);
}

/* --- ends --- */

static enum transfer_end end_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return TRANSFER_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return TRANSFER_DNS;
    case CURLE_COULDNT_CONNECT:
        return TRANSFER_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
        return TRANSFER_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CRL_BADFILE:
        return TRANSFER_CERTIFICATE;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_TIMEOUT;
    case CURLE_PARTIAL_FILE:
        return TRANSFER_TRUNCATED;
    case CURLE_GOT_NOTHING:
        return TRANSFER_EMPTY;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: /* on_request's */
        return TRANSFER_BROKEN;
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return TRANSFER_STREAM;
    case CURLE_URL_MALFORMAT:
        return TRANSFER_URL;
    case CURLE_WRITE_ERROR:
        return TRANSFER_REFUSED;
    case CURLE_FAILED_INIT:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return TRANSFER_LOCAL;
    default:
        /* "Unsupported protocol" is what it says of an answer in HTTP/0.9 or HTTP/7.3
         * (URLs are looked at before). */
        /* "Out of memory" is what it says of a header line over 100 KB. */
        return TRANSFER_PROTOCOL;
    }
}

/* libcurl reports a header of more than 300 KB as a receive error. */
static bool is_too_much_header(const char *text)
{
    return strstr(text, "Too large response headers") != NULL ||
           strstr(text, "header") != NULL;
}

/* Where an answer leads to that was broken off: libcurl says so of whole ones only. */
static char *find_redirect(CURL *h)
{
    struct curl_header *location;
    char *base = NULL, *where = NULL;
    if (curl.easy_header(h, "Location", 0, CURLH_HEADER, -1, &location) != CURLHE_OK ||
        curl.easy_getinfo(h, CURLINFO_EFFECTIVE_URL, &base) != CURLE_OK)
        return NULL;
    CURLU *u = curl.url();
    if (u && curl.url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl.url_set(u, CURLUPART_URL, location->value, CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK)
        (void)curl.url_get(u, CURLUPART_URL, &where, 0);
    curl.url_cleanup(u);
    return where;
}

static void set_redirect(struct transfer *t, struct transfer_result *r)
{
    char *where = NULL;
    curl.free(t->set->redirect);
    t->set->redirect = NULL;
    if (r->end == TRANSFER_OK)
        curl.easy_getinfo(t->handle, CURLINFO_REDIRECT_URL, &where);
    else if (r->end == TRANSFER_REFUSED)
        where = t->set->redirect = find_redirect(t->handle);
    r->redirect = where;
}

static void fill_result(struct transfer *t, CURLcode code, struct transfer_result *r)
{
    curl_off_t first = 0, connect = 0;
    *r = (struct transfer_result){.user = t->user, .end = end_of(code)};
    curl.easy_getinfo(t->handle, CURLINFO_CONNECT_TIME_T, &connect);
    curl.easy_getinfo(t->handle, CURLINFO_STARTTRANSFER_TIME_T, &first);
    r->connected = connect > 0;
    r->first_byte = (double)first * 1e-6;
    r->unsent = t->unsent;
    if (t->denied && !r->connected)
        r->end = TRANSFER_DENIED;
    else if (r->end == TRANSFER_BROKEN && is_too_much_header(t->error))
        r->end = TRANSFER_PROTOCOL;
    if (r->end == TRANSFER_DENIED)
        snprintf(r->error, sizeof r->error, "the address is private (--deny-private)");
    else if (r->end != TRANSFER_OK)
        snprintf(r->error, sizeof r->error, "%s",
                 t->error[0] ? t->error : curl.easy_strerror(code));
    set_redirect(t, r);
}

bool transfers_ended(struct transfers *s, struct transfer_result *r)
{
    int left;
    CURLMsg *m;
    while ((m = curl.multi_info_read(s->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct transfer *t = NULL;
        CURLcode code = m->data.result;
        CURL *h = m->easy_handle;
        curl.easy_getinfo(h, CURLINFO_PRIVATE, (char **)&t);
        fill_result(t, code, r);
        curl.multi_remove_handle(s->multi, h);
        release_place(s, t);
        return true;
    }
    return false;
}

/* --- URLs --- */

static void put_origin(struct qbuf *out, const char *scheme, const char *host,
                       const char *port)
{
    qbuf_printf(out, "%s://", scheme);
    for (; *host; host++)
        qbuf_putc(out,
                  *host >= 'A' && *host <= 'Z' ? (char)(*host - 'A' + 'a') : *host);
    qbuf_printf(out, ":%s", port);
}

int transfer_origin(const char *url, struct qbuf *origin, struct qerr *e)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    const char *site = strstr(url, "://");
    CURLU *u = curl.url();
    if (!u)
        return qerr_nomem(e);
    /* libcurl takes the path of http:///path for a host. */
    CURLUcode code = site && site[3] != '/' ? curl.url_set(u, CURLUPART_URL, url, 0)
                                            : CURLUE_MALFORMED_INPUT;
    if (code == CURLUE_OK)
        code = curl.url_get(u, CURLUPART_SCHEME, &scheme, 0);
    if (code == CURLUE_OK)
        code = curl.url_get(u, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK)
        code = curl.url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    int rc = 0;
    if (code == CURLUE_OUT_OF_MEMORY)
        rc = qerr_nomem(e);
    else if (code != CURLUE_OK)
        rc = qerr_set(e, Q_EUSAGE, "this is no URL");
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        rc = qerr_set(e, Q_EUSAGE, "%.20s is neither http nor https", scheme);
    else
        put_origin(origin, scheme, host, port);
    curl.free(scheme);
    curl.free(host);
    curl.free(port);
    curl.url_cleanup(u);
    return rc < 0 ? rc : qbuf_check(origin, e);
}
