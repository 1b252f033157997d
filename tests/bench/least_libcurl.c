/*
 * least_libcurl: what libcurl itself takes for small requests, a floor for bench_fetch
 *
 *     least_libcurl SITE COUNT WORKERS
 *
 * Fetches SITE/k1/0, /1, ... with one set of handles in one thread, sets nothing but
 * the path from one request to the next, and throws the bodies away.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS_MAX = 64 };

struct load {
    CURLM *multi;
    CURLU *urls[WORKERS_MAX];
    CURL *handles[WORKERS_MAX];
    long count, started, ended;
};

static size_t drop(char *bytes, size_t one, size_t n, void *arg)
{
    (void)bytes;
    (void)one;
    (void)arg;
    return n;
}

static void must(int fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "least_libcurl: %s\n", what);
    exit(1);
}

static void start(struct load *l, CURL *h)
{
    char path[64];
    CURLU *url = NULL;
    if (l->started == l->count)
        return;
    snprintf(path, sizeof path, "/k1/%ld", l->started++);
    curl_easy_getinfo(h, CURLINFO_PRIVATE, (char **)&url);
    must(curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK, "path");
    must(curl_multi_add_handle(l->multi, h) == CURLM_OK, "add");
}

static void make(struct load *l, int i, const char *site)
{
    CURL *h = l->handles[i] = curl_easy_init();
    l->urls[i] = curl_url();
    must(h && curl_url_set(l->urls[i], CURLUPART_URL, site, 0) == CURLUE_OK, "URL");
    curl_easy_setopt(h, CURLOPT_CURLU, l->urls[i]);
    curl_easy_setopt(h, CURLOPT_PRIVATE, l->urls[i]);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, drop);
}

static void take_ended(struct load *l)
{
    int left;
    CURLMsg *m;
    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        long status = 0;
        CURL *h = m->easy_handle;
        must(m->data.result == CURLE_OK, "a request failed");
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
        must(status == 200, "not 200");
        curl_multi_remove_handle(l->multi, h);
        l->ended++;
        start(l, h);
    }
}

int main(int argc, char **argv)
{
    struct load l = {.multi = NULL};
    must(argc == 4, "SITE COUNT WORKERS");
    long workers = strtol(argv[3], NULL, 10);
    l.count = strtol(argv[2], NULL, 10);
    must(workers > 0 && workers <= WORKERS_MAX, "1 to 64 workers");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    l.multi = curl_multi_init();
    for (int i = 0; i < workers; i++) {
        make(&l, i, argv[1]);
        start(&l, l.handles[i]);
    }
    while (l.ended < l.count) {
        int running;
        curl_multi_perform(l.multi, &running);
        take_ended(&l);
        if (l.ended < l.count)
            curl_multi_poll(l.multi, NULL, 0, 1000, NULL);
    }
    for (int i = 0; i < workers; i++) {
        curl_easy_cleanup(l.handles[i]);
        curl_url_cleanup(l.urls[i]);
    }
    curl_multi_cleanup(l.multi);
    return 0;
}
