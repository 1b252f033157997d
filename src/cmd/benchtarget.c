/*
 * The arguments are read as the command itself would read them, with its own tables:
 * so it is known which of them are options and which are INPUTs, and the INPUTs can be
 * given again (weak scaling) or in slices (processes that fetch). The options that make
 * the mode stand behind those that were given, and so prevail.
 */
#include "cmd/benchtarget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/args.h"
#include "cmd/command.h"
#include "cmd/run.h"
#include "core/urlglob.h"
#include "engine/comm.h"

const char *bench_mode_name(enum bench_mode mode)
{
    static const char *const names[BENCH_MODES] = {"serial", "threads", "processes",
                                                   "event"};
    return names[mode];
}

/* --- lists of words --- */

int wordlist_add(struct wordlist *l, const char *word, struct qerr *e)
{
    if (l->n + 1 >= l->cap) {
        size_t cap = 2 * l->cap + 16;
        char **at = realloc(l->at, cap * sizeof *at);
        if (!at)
            return qerr_nomem(e);
        l->at = at;
        l->cap = cap;
    }
    l->at[l->n] = strdup(word);
    if (!l->at[l->n])
        return qerr_nomem(e);
    l->at[++l->n] = NULL;
    return 0;
}

void wordlist_release(struct wordlist *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
    *l = (struct wordlist){NULL, 0, 0};
}

static int add_all(struct wordlist *l, const struct wordlist *more, struct qerr *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < more->n; i++)
        rc = wordlist_add(l, more->at[i], e);
    return rc;
}

/* An option and its value, as "--name=value". */
static int add_option(struct wordlist *l, const char *name, const char *value,
                      struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    qbuf_printf(&text, "--%s=%s", name, value);
    int rc = wordlist_add(l, qbuf_cstr(&text), e);
    qbuf_release(&text);
    return rc;
}

static int add_number(struct wordlist *l, const char *name, unsigned value,
                      struct qerr *e)
{
    char text[32];
    snprintf(text, sizeof text, "%u", value);
    return add_option(l, name, text, e);
}

/* --- mpirun --- */

static bool is_in_path(const char *program)
{
    const char *path = getenv("PATH");
    char full[4096];
    for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
        int len = (int)strcspn(path, ":");
        snprintf(full, sizeof full, "%.*s/%s", len, path, program);
        if (access(full, X_OK) == 0)
            return true;
    }
    return false;
}

/* What mpirun says of itself: "mpirun (Open MPI) 4.1.4", or Hydra's many lines. */
static bool mpirun_is_open(void)
{
    char line[256] = "";
    FILE *f = is_in_path("mpirun") ? popen("mpirun --version 2>&1", "re") : NULL;
    if (!f)
        return false;
    bool open = fgets(line, sizeof line, f) && strstr(line, "Open MPI");
    while (fgets(line, sizeof line, f))
        ; /* who is not listened to is killed */
    pclose(f);
    return open;
}

/* --- taking it apart --- */

/* What of the arguments is not in `words` is an option, or the value of one. */
static int keep_options(struct bench_target *t, int argc, char **argv,
                        const char *const *words, size_t nwords, struct qerr *e)
{
    int rc = 0;
    size_t w = 0;
    for (int i = 0; rc == 0 && i < argc; i++) {
        if (w < nwords && argv[i] == words[w])
            w++;
        else if (strcmp(argv[i], "--") != 0)
            rc = wordlist_add(&t->options, argv[i], e);
    }
    return rc;
}

static const char *const refused[] = {"output", "resume",       "restart",
                                      "stats",  "stats-format", "trace",
                                      "report", "failed",       "output-dir"};

static int check_options(const struct job *job, bool from_file, struct qerr *e)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (job_find(job, refused[i]) && job_given(job, refused[i]) &&
            !(from_file && strcmp(refused[i], "output-dir") == 0))
            return qerr_set(e, Q_EUSAGE,
                            "bench: --%s cannot be measured: where output goes is "
                            "for bench to say",
                            refused[i]);
    return 0;
}

static int keep_words(struct bench_target *t, struct job *job,
                      const struct args_words *are, const char *const *words,
                      size_t nwords, struct qerr *e)
{
    int first = args_operand(job, words, nwords, are, e);
    int rc = first < 0 ? first : 0;
    for (size_t i = 0; rc == 0 && i < nwords; i++)
        rc = wordlist_add(i < (size_t)first ? &t->fixed : &t->inputs, words[i], e);
    return rc;
}

/* What the filled job tells. */
static int look(struct bench_target *t, const struct command *c, const struct job *job,
                struct qerr *e)
{
    t->urls = t->inputs.n > 0;
    for (size_t i = 0; i < t->inputs.n; i++) {
        if (strcmp(t->inputs.at[i], "-") == 0)
            return qerr_set(e, Q_EUSAGE, "bench cannot read standard input repeatedly");
        t->urls = t->urls && args_is_url(t->inputs.at[i]);
    }
    t->files = c->fetches;
    t->discards = t->files && job_flag(job, "discard");
    t->timed = job_find(job, "timing") && job_flag(job, "timing");
    t->unordered = job_find(job, "unordered") && job_flag(job, "unordered");
    t->literal = t->files && job_flag(job, "globoff");
    if (t->inputs.n == 0)
        return qerr_set(e, Q_EUSAGE,
                        "bench: no INPUT; it cannot read standard input "
                        "again and again");
    if (t->timed && strcmp(job_word(job, "format"), "text") != 0)
        return qerr_set(e, Q_EUSAGE,
                        "bench: --timing has different bytes each time; "
                        "only text can be compared without them");
    return 0;
}

static int take_command(struct bench_target *t, const struct command *c, int argc,
                        char **argv, struct qerr *e)
{
    const struct qopt *tables[JOB_TABLES];
    const char **words = calloc((size_t)argc + 1, sizeof *words);
    struct args_words are = command_words(c);
    struct job job;
    size_t nwords = 0;
    if (!words)
        return qerr_nomem(e);
    int rc = job_init(&job, c->name, tables, command_tables(c, tables), e);
    if (rc < 0)
        goto free_words;
    rc = args_options(&job, argc, argv, words, &nwords, e);
    if (rc > 0)
        rc = qerr_set(e, Q_EUSAGE, "bench: there is nothing to measure in --help");
    if (rc == 0)
        rc = wordlist_add(&t->head, c->name, e);
    if (rc == 0)
        rc = check_options(&job, false, e);
    if (rc == 0)
        rc = keep_options(t, argc, argv, words, nwords, e);
    if (rc == 0)
        rc = keep_words(t, &job, &are, words, nwords, e);
    if (rc == 0)
        rc = look(t, c, &job, e);
    job_release(&job);
free_words:
    free(words);
    return rc;
}

/* The INPUTs of the file, unless there are others. */
static int take_file_inputs(struct bench_target *t, const struct jobfile *f,
                            struct qerr *e)
{
    int rc = 0;
    const struct jobfile_entry *at = t->inputs.n > 0 ? NULL : jobfile_input(f, NULL);
    for (; rc == 0 && at; at = jobfile_input(f, at))
        rc = wordlist_add(&t->inputs, at->value, e);
    return rc;
}

/* All arguments but INPUTs, which are put in again by themselves, stay as they are: the
 * file, --set, options. */
static int take_order(struct bench_target *t, const struct command *c,
                      struct run_order *order, int argc, char **argv, struct qerr *e)
{
    const struct qopt *tables[JOB_TABLES];
    const char **words = calloc((size_t)order->nargs + 1, sizeof *words);
    struct args_words are = command_words(c);
    struct job job;
    size_t nwords = 0;
    if (!words)
        return qerr_nomem(e);
    int rc = job_init(&job, c->name, tables, command_tables(c, tables), e);
    if (rc < 0)
        goto free_words;
    rc = jobfile_options(&order->file, &job, e);
    if (rc == 0)
        rc = args_options(&job, order->nargs, order->args, words, &nwords, e);
    if (rc == 0)
        rc = check_options(&job, true, e);
    if (rc == 0)
        rc = keep_options(t, argc, argv, words, nwords, e);
    if (rc == 0)
        rc = keep_words(t, &job, &are, words, nwords, e);
    if (rc == 0)
        rc = take_file_inputs(t, &order->file, e);
    if (rc == 0)
        rc = look(t, c, &job, e);
    job_release(&job);
free_words:
    free(words);
    return rc;
}

static int take_jobfile(struct bench_target *t, int argc, char **argv, struct qerr *e)
{
    struct run_order order;
    int rc = run_order_take(&order, argc, argv, e);
    if (rc > 0)
        return qerr_set(e, Q_EUSAGE, "bench: there is nothing to measure in --help");
    if (rc < 0)
        return rc;
    const char *name = jobfile_command(&order.file)->value;
    const struct command *c = command_find(name);
    bool measurable = c && (c->kernel || c->fetches);
    rc = measurable
             ? wordlist_add(&t->head, "run", e)
             : qerr_set(e, Q_EUSAGE, "bench: '%s' is no command to measure", name);
    if (rc == 0 && measurable)
        rc = take_order(t, c, &order, argc, argv, e);
    run_order_release(&order);
    return rc;
}

int bench_target_take(struct bench_target *t, int argc, char **argv, struct qerr *e)
{
    *t = (struct bench_target){.urls = false};
    if (argc == 0)
        return qerr_set(e, Q_EUSAGE,
                        "bench: no command or job file to measure (quern "
                        "bench [OPTION...] COMMAND [ARGUMENT...])");
    const struct command *c = command_find(argv[0]);
    int rc;
    if (c && (c->kernel || c->fetches))
        rc = take_command(t, c, argc - 1, argv + 1, e);
    else if (c && strcmp(argv[0], "run") == 0)
        rc = take_jobfile(t, argc - 1, argv + 1, e);
    else if (c)
        rc = qerr_set(e, Q_EUSAGE, "bench: '%s' is no command to measure", argv[0]);
    else
        rc = take_jobfile(t, argc, argv, e);
    if (rc < 0)
        bench_target_release(t);
    else
        t->open_mpi = !t->files && mpirun_is_open();
    return rc;
}

void bench_target_release(struct bench_target *t)
{
    wordlist_release(&t->head);
    wordlist_release(&t->options);
    wordlist_release(&t->fixed);
    wordlist_release(&t->inputs);
}

/* --- how it is told to run --- */

const char *bench_target_lacks(const struct bench_target *t, enum bench_mode mode)
{
    if (mode == BENCH_EVENT && !t->urls)
        return "there are no URLs that an event loop could fetch";
    if (mode != BENCH_PROCESSES)
        return NULL;
    if (t->files)
        return t->urls ? NULL : "a list of URLs is not cut into slices";
    struct qbuf mpis = QBUF_INIT;
    comm_list(&mpis);
    bool none = strcmp(qbuf_cstr(&mpis), "no") == 0;
    qbuf_release(&mpis);
    return none                   ? "this program was built without MPI"
           : is_in_path("mpirun") ? NULL
                                  : "mpirun is not installed";
}

unsigned bench_target_processes(const struct bench_target *t, enum bench_mode mode,
                                unsigned width)
{
    return mode == BENCH_PROCESSES && t->files ? width : 1;
}

static int add_folder(const struct bench_call *call, struct wordlist *argv,
                      struct qerr *e)
{
    struct qbuf path = QBUF_INIT;
    qbuf_printf(&path, "%s/%u", call->folder, call->process);
    int rc = add_option(argv, "output-dir", qbuf_cstr(&path), e);
    qbuf_release(&path);
    return rc;
}

static int add_mode(const struct bench_target *t, const struct bench_call *call,
                    struct wordlist *argv, struct qerr *e)
{
    bool threads = call->mode == BENCH_THREADS, event = call->mode == BENCH_EVENT;
    int rc = 0;
    if (!t->files && call->mode == BENCH_SERIAL)
        rc = add_option(argv, "engine", "serial", e);
    if (rc == 0 && !t->files)
        rc = add_number(argv, "threads", threads ? call->width : 1, e);
    if (rc == 0 && t->urls)
        rc = add_number(argv, "workers", threads || event ? call->width : 1, e);
    if (rc == 0 && t->urls)
        rc = add_number(argv, "fetch-threads", threads ? call->width : 1, e);
    if (rc == 0 && t->files)
        rc = add_folder(call, argv, e);
    if (rc == 0 && t->files && call->mode == BENCH_PROCESSES && !t->literal)
        rc = wordlist_add(argv, "--globoff", e);
    if (rc == 0)
        rc = add_option(argv, "progress", "never", e);
    if (rc == 0 && call->stats)
        rc = add_option(argv, "stats", call->stats, e);
    if (rc == 0 && call->trace)
        rc = add_option(argv, "trace", call->trace, e);
    return rc;
}

/* Open MPI's mpirun refuses root and more ranks than cores, unless it is told
 * otherwise; MPICH's does not know these options. */
static int add_launcher(const struct bench_target *t, const struct bench_call *call,
                        struct wordlist *argv, struct qerr *e)
{
    char width[32];
    snprintf(width, sizeof width, "%u", call->width);
    int rc = wordlist_add(argv, "mpirun", e);
    if (rc == 0 && t->open_mpi && geteuid() == 0)
        rc = wordlist_add(argv, "--allow-run-as-root", e);
    if (rc == 0 && t->open_mpi)
        rc = wordlist_add(argv, "--oversubscribe", e);
    if (rc == 0)
        rc = wordlist_add(argv, "-np", e);
    return rc == 0 ? wordlist_add(argv, width, e) : rc;
}

/* The URLs of a slice are what patterns stood for, and patterns no more. */
static int add_url(const struct bench_target *t, const struct bench_call *call,
                   const char *word, unsigned long *at, struct wordlist *argv,
                   struct qerr *e)
{
    struct urlglob g;
    struct qbuf url = QBUF_INIT;
    int rc = urlglob_open(&g, word, t->literal, e);
    while (rc == 0 && urlglob_next(&g, &url))
        if ((*at)++ % call->width == call->process)
            rc = wordlist_add(argv, qbuf_cstr(&url), e);
    qbuf_release(&url);
    return rc;
}

static int add_inputs(const struct bench_target *t, const struct bench_call *call,
                      struct wordlist *argv, struct qerr *e)
{
    unsigned long at = 0;
    int rc = 0;
    for (unsigned k = 0; k < call->times; k++)
        for (size_t i = 0; rc == 0 && i < t->inputs.n; i++)
            rc = call->mode == BENCH_PROCESSES && t->files
                     ? add_url(t, call, t->inputs.at[i], &at, argv, e)
                     : wordlist_add(argv, t->inputs.at[i], e);
    return rc;
}

int bench_target_argv(const struct bench_target *t, const struct bench_call *call,
                      struct wordlist *argv, struct qerr *e)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        return qerr_set(e, Q_EIO, "where is this program? /proc is not there");
    self[len] = '\0';
    int rc =
        call->mode == BENCH_PROCESSES && !t->files ? add_launcher(t, call, argv, e) : 0;
    if (rc == 0)
        rc = wordlist_add(argv, self, e);
    if (rc == 0)
        rc = add_all(argv, &t->head, e);
    if (rc == 0)
        rc = add_all(argv, &t->options, e);
    if (rc == 0)
        rc = add_mode(t, call, argv, e);
    if (rc == 0)
        rc = wordlist_add(argv, "--", e);
    if (rc == 0)
        rc = add_all(argv, &t->fixed, e);
    return rc == 0 ? add_inputs(t, call, argv, e) : rc;
}
