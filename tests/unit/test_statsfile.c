#include "cmd/statsfile.h"

#include <string.h>

#include "base/qclock.h"
#include "cmd/trace.h"
#include "jobs.h"
#include "source/fetch.h"
#include "unit.h"

extern const struct kernel kernel_prime;

/* Two ranks: the second one's clock is 500 ns behind. */
static struct meters meters;
static struct rank_stats ranks[2];
static struct job job;

static void work(enum meter_role role, uint64_t zero, unsigned tasks)
{
    struct meter *m = meter_join(&meters, role, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    atomic_store(&m->joined_ns, zero);
    for (uint64_t i = 0; i < tasks && role == METER_WORKER; i++)
        meter_records(m, 50000, 5);
    for (uint64_t i = 0; i < tasks; i++)
        meter_end(m, &(struct meter_done){.task = role == METER_FETCHER ? TASK_FETCH
                                                                        : TASK_CHUNK,
                                          .start_ns = zero + i * 100000,
                                          .end_ns = zero + i * 100000 + 50000,
                                          .records = 5,
                                          .bytes = 11,
                                          .transfer = {.place = (uint16_t)(2 * i),
                                                       .tries = 3,
                                                       .class = FETCH_HTTP,
                                                       .status = 503}});
    atomic_store(&m->left_ns, zero + tasks * UINT64_C(100000));
}

static void make(struct stats_file *f, struct engine_outcome *o)
{
    static const char *const options[] = {"threads=3", "count",
                                          "stats=dir.prom/a \"b\\.prom", NULL};
    struct qerr e = QERR_INIT;
    job_make(&job, &kernel_prime, options);
    CU_ASSERT_EQUAL(job_add_input(&job, INPUT_RANGE, "1..100", &e), 0);
    CU_ASSERT_EQUAL(job_add_input(&job, INPUT_FILE, "http://me:p@w@host/a?b=@", &e), 0);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t zero = 1000000 - i * 500;
        meters_init(&meters, zero, 64);
        work(METER_WORKER, zero, 4);
        work(METER_FETCHER, zero, 2);
        CU_ASSERT_EQUAL_FATAL(stats_collect(&ranks[i], i, &meters, true, &e), 0);
        ranks[i].end_ns = zero + 1000000;
        ranks[i].offset_ns = (int64_t)i * 500;
        if (i == 0)
            meters_release(&meters);
    }
    *o = (struct engine_outcome){.tally = {.records = 20, .bad = 1},
                                 .seconds = 0.001,
                                 .meters = &meters,
                                 .digest = "00ff",
                                 .out = 44};
    *f = (struct stats_file){.job = &job,
                             .outcome = o,
                             .started = "2026-11-27T00:00:00Z",
                             .threads = 3,
                             .status = 1,
                             .ranks = ranks,
                             .nranks = 2,
                             .meters = &meters};
}

static void unmake(void)
{
    meters_release(&meters);
    stats_release(&ranks[0]);
    stats_release(&ranks[1]);
    job_release(&job);
}

static double number(const struct qjson *doc, const char *path)
{
    return qjson_number(qjson_get(doc, path), -1);
}

static const char *text(const struct qjson *doc, const char *path)
{
    return qjson_text(qjson_get(doc, path), "?");
}

static void test_json(void)
{
    struct stats_file f;
    struct engine_outcome o;
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    make(&f, &o);
    stats_file_json(&f, &b);
    struct qjson *doc = qjson_parse(b.data, b.len, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    CU_ASSERT_STRING_EQUAL(text(doc, "schema"), "quern-stats");
    CU_ASSERT_EQUAL(number(doc, "version"), 1);
    CU_ASSERT_STRING_EQUAL(text(doc, "quern.version"), QUERN_VERSION);
    CU_ASSERT_STRING_EQUAL(text(doc, "run.command"), "prime");
    CU_ASSERT_STRING_EQUAL(text(doc, "run.options.threads"), "3");
    CU_ASSERT_STRING_EQUAL(text(doc, "run.options.count"), "yes");
    CU_ASSERT_PTR_NULL(qjson_get(doc, "run.options.output"));
    const struct qjson *inputs = qjson_get(doc, "run.inputs");
    CU_ASSERT_STRING_EQUAL(qjson_text(qjson_at(inputs, 0), ""), "1..100");
    /* No password. */
    CU_ASSERT_STRING_EQUAL(qjson_text(qjson_at(inputs, 1), ""), "http://host/a?b=@");
    CU_ASSERT_EQUAL(number(doc, "run.status"), 1);
    CU_ASSERT_EQUAL(number(doc, "totals.records"), 20);
    CU_ASSERT_EQUAL(number(doc, "totals.bytes_written"), 44);
    CU_ASSERT_STRING_EQUAL(text(doc, "totals.xxh3_128"), "00ff");
    CU_ASSERT_DOUBLE_EQUAL(number(doc, "totals.busy_seconds"), 8 * 50e-6, 1e-12);
    CU_ASSERT_EQUAL(number(doc, "latency.record.count"), 40);
    CU_ASSERT_DOUBLE_EQUAL(number(doc, "latency.record.p50"), 10e-6, 1.3e-6);
    CU_ASSERT_DOUBLE_EQUAL(number(doc, "latency.chunk.max"), 50e-6, 1e-12);
    CU_ASSERT_EQUAL(number(doc, "latency.fetch.count"), 4);
    const struct qjson *rank = qjson_at(qjson_get(doc, "ranks"), 1);
    CU_ASSERT_DOUBLE_EQUAL(number(rank, "clock_offset"), 500e-9, 1e-12);
    const struct qjson *thread = qjson_at(qjson_get(rank, "threads"), 0);
    CU_ASSERT_STRING_EQUAL(text(thread, "role"), "worker");
    CU_ASSERT_DOUBLE_EQUAL(number(thread, "busy"), 200e-6, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(thread, "wait"), 200e-6, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(thread, "idle"), 600e-6, 1e-9);
    qjson_free(doc);
    qbuf_release(&b);
    unmake();
}

/* Each line of the text is a comment, or NAME{LABELS} VALUE as node_exporter reads it;
 * each name has its TYPE in front of it. */
#define RUN "run=\"a \\\"b\\\\\",command=\"prime\""
static void test_prom(void)
{
    struct stats_file f;
    struct engine_outcome o;
    struct qbuf b = QBUF_INIT;
    make(&f, &o);
    stats_file_prom(&f, &b);
    char *all = strdup(qbuf_cstr(&b));
    CU_ASSERT_EQUAL(all[b.len - 1], '\n');
    unsigned samples = 0;
    for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n")) {
        char name[64], labels[128], type[80];
        double value;
        if (*line == '#')
            continue;
        samples++;
        CU_ASSERT_EQUAL(sscanf(line, "%63[a-z_]{%127[^}]} %lf", name, labels, &value),
                        3);
        CU_ASSERT(strncmp(name, "quern_", 6) == 0);
        CU_ASSERT_PTR_EQUAL(strstr(labels, RUN), labels);
        char *tail = strstr(name, "_sum");
        tail = tail ? tail : strstr(name, "_count");
        if (tail)
            *tail = '\0';
        snprintf(type, sizeof type, "# TYPE %s ", name);
        CU_ASSERT_PTR_NOT_NULL(strstr(qbuf_cstr(&b), type));
    }
    CU_ASSERT(samples > 20);
    CU_ASSERT_PTR_NOT_NULL(strstr(qbuf_cstr(&b), "quern_records{" RUN "} 20\n"));
    free(all);
    qbuf_release(&b);
    unmake();
}

/* Both ranks' workers began at the same moment, as the offset tells. */
static void test_trace(void)
{
    struct stats_file f;
    struct engine_outcome o;
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    unsigned chunks = 0, waits = 0, fetches = 0, names = 0;
    make(&f, &o);
    trace_json(ranks, 2, &b);
    struct qjson *doc = qjson_parse(b.data, b.len, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    const struct qjson *events = qjson_get(doc, "traceEvents");
    for (size_t i = 0; i < qjson_size(events); i++) {
        const struct qjson *event = qjson_at(events, i);
        const char *name = text(event, "name"), *phase = text(event, "ph");
        double ts = number(event, "ts");
        names += *phase == 'M';
        waits += strcmp(name, "wait") == 0;
        if (strcmp(name, "fetch") == 0) {
            /* The first and the third place of a thread of their own. */
            CU_ASSERT_DOUBLE_EQUAL(ts, 100.0 * (fetches % 2), 0.001);
            CU_ASSERT_EQUAL(number(event, "tid"), 300000 + fetches++ % 2 * 2);
            CU_ASSERT_EQUAL(number(event, "args.bytes"), 11);
            CU_ASSERT_EQUAL(number(event, "args.try"), 3);
            CU_ASSERT_EQUAL(number(event, "args.status"), 503);
            CU_ASSERT_STRING_EQUAL(text(event, "args.class"), "http");
        }
        if (strcmp(name, "chunk") != 0)
            continue;
        CU_ASSERT_DOUBLE_EQUAL(ts, 100.0 * (chunks++ % 4), 0.001);
        CU_ASSERT_DOUBLE_EQUAL(number(event, "dur"), 49.999, 1e-9);
        CU_ASSERT_EQUAL(number(event, "args.records"), 5);
    }
    CU_ASSERT_EQUAL(chunks, 8);
    CU_ASSERT_EQUAL(waits, 8);
    CU_ASSERT_EQUAL(names, 10); /* a process, a worker, three places; twice */
    CU_ASSERT_EQUAL(fetches, 4);
    qjson_free(doc);
    qbuf_release(&b);
    unmake();
}

static const struct unit_test tests[] = {
    {"JSON", test_json},
    {"for Prometheus", test_prom},
    {"a trace of two ranks", test_trace},
};
UNIT_MAIN("statsfile", tests)
