#include "cmd/command.h"

#include <inttypes.h>
#include <string.h>

#include "arith/cpu.h"
#include "base/qlog.h"
#include "cmd/args.h"
#include "cmd/bench.h"
#include "cmd/cat.h"
#include "cmd/completion.h"
#include "cmd/fetch.h"
#include "cmd/help.h"
#include "cmd/info.h"
#include "cmd/options.h"
#include "cmd/outputs.h"
#include "cmd/report.h"
#include "cmd/run.h"
#include "cmd/statsfile.h"
#include "engine/comm.h"
#include "engine/engine.h"
#include "engine/gather.h"
#include "engine/placement.h"
#include "engine/progress.h"
#include "engine/remote.h"
#include "engine/stats.h"
#include "engine/world.h"

#define KERNEL(name) extern const struct kernel kernel_##name;
#include "kernels.list"
#undef KERNEL

static const struct kernel *const kernels[] = {
#define KERNEL(name) &kernel_##name,
#include "kernels.list"
#undef KERNEL
};

enum { KERNELS = sizeof kernels / sizeof *kernels };

static const struct command others[] = {
    {.name = "run",
     .summary = "do what a job file says, a command line kept in a file",
     .description = run_description,
     .operands = "JOBFILE [INPUT...]",
     .options = options_run},
    {.name = "fetch",
     .summary = "download URLs into files",
     .run = cmd_fetch,
     .description = fetch_description,
     .options = options_files,
     .fetches = true},
    {.name = "cat",
     .summary = "print the one output of a folder of shards, -o DIR/",
     .run = cmd_cat,
     .operands = "DIR/...",
     .description = cat_description},
    {.name = "bench",
     .summary = "measure a command in several modes and widths, side by side",
     .take = cmd_bench,
     .description = bench_description,
     .operands = "COMMAND [ARGUMENT...]",
     .options = options_bench},
    {.name = "report",
     .summary = "make a page with figures of what --stats, --trace and bench wrote",
     .run = cmd_report,
     .description = report_description,
     .operands = "FILE...",
     .options = options_report},
    {.name = "completion",
     .summary = "print what makes bash or zsh complete options",
     .run = cmd_completion,
     .description = completion_description,
     .operands = "bash|zsh"},
    {.name = "info",
     .summary = "what this program is, and what it found to run on",
     .run = cmd_info,
     .options = options_info},
};

enum { OTHERS = sizeof others / sizeof *others };

const struct command *command_at(size_t i)
{
    static struct command rows[KERNELS];
    if (i >= KERNELS)
        return i < KERNELS + OTHERS ? &others[i - KERNELS] : NULL;
    rows[i] = (struct command){
        .name = kernels[i]->name, .summary = kernels[i]->summary, .kernel = kernels[i]};
    return &rows[i];
}

const struct command *command_find(const char *name)
{
    const struct command *c = NULL;
    for (size_t i = 0; (c = command_at(i)) != NULL; i++)
        if (strcmp(c->name, name) == 0)
            break;
    return c;
}

static const char *next_name(void *state)
{
    size_t *i = state;
    const struct command *c = command_at((*i)++);
    return c ? c->name : NULL;
}

static int unknown_command(const char *word, struct qerr *e)
{
    size_t i = 0;
    char token[QLOG_TOKEN_SIZE];
    qlog_token(token, word, strlen(word));
    const char *near = qopt_nearest(word, next_name, &i);
    if (near)
        return qerr_set(e, Q_EUSAGE, "unknown command '%s'; did you mean '%s'?", token,
                        near);
    return qerr_set(e, Q_EUSAGE, "unknown command '%s'; 'quern --help' lists them",
                    token);
}

int command_status(const struct qerr *e)
{
    switch (e->code) {
    case Q_OK:
        return 0;
    case Q_EUSAGE:
        return 2;
    case Q_EINPUT:
    case Q_EIO:
    case Q_ENOMEM:
        return 3;
    case Q_ECHECK:
        return 4;
    case Q_EPIPE:
        return 141;
    case Q_ESTOP: /* the command knows: 75, 124, or 128 + signal */
        break;
    }
    return 4;
}

/* --- running a kernel --- */

/* Said on stderr at the end: what the counts mean for the reader of the output. */
static void say_outcome(const struct job *job, const struct engine_outcome *o)
{
    const struct tally *t = &o->tally;
    if (job_flag(job, "timing") && t->records + t->bad > 0)
        qlog_note("total %.6f s", o->seconds);
    if (t->probable > 0)
        qlog_note("probable primes, not proved: %" PRIu64, t->probable);
    if (t->unfinished > 0)
        qlog_error("%" PRIu64 " unfinished", t->unfinished);
    if (o->seconds < 2 && !job_flag(job, "verbose"))
        return;
    struct progress_summary s = {.records = t->records,
                                 .earlier = o->earlier,
                                 .bad = t->bad,
                                 .unfinished = t->unfinished,
                                 .seconds = o->seconds,
                                 .cpu_seconds =
                                     (double)stats_run_cpu_ns(o->meters) * 1e-9,
                                 .peak_bytes = stats_peak_bytes(),
                                 .digest = *o->digest ? o->digest : NULL};
    struct qbuf text = QBUF_INIT;
    if (o->meters)
        progress_sum_fetched(&s, &o->meters->fetch);
    progress_sum_up(&s, &text);
    qlog_note("%s", qbuf_cstr(&text));
    qbuf_release(&text);
}

/* Who takes part, and with how many threads this process does. */
static int place(struct world *world, const struct job *job, struct placement *where,
                 struct qerr *e)
{
    int rc = world_gather(world, e);
    if (rc < 0)
        return rc;
    struct placement_peers peers = world_peers(world, 0);
    rc = placement_find(where, (unsigned)job_count(job, "threads"), &peers, e);
    if (rc < 0)
        return rc;
    if (world->peers)
        world_warn_crowded(world, (unsigned)job_count(job, "threads"));
    else if (placement_is_crowded(where))
        qlog_warn("%u threads take turns on %u CPU%s", where->threads, where->cpus,
                  where->cpus == 1 ? "" : "s");
    if (world->size > 1) {
        struct qbuf text = QBUF_INIT;
        world_put_placement(where, &text);
        qlog_detail("%s: %s", world->names[0], qbuf_cstr(&text));
        qbuf_release(&text);
    }
    return 0;
}

static int run_kernel(const struct command *c, const struct job *job,
                      struct ending *ending, struct qerr *e)
{
    struct placement where = {.threads = 0};
    static struct world world; /* threads that are left behind may still look at it */
    struct engine_outcome o = {.seconds = 0};
    struct stats_file stats = {.job = job, .outcome = &o};
    host_time(stats.started);
    int rc = outputs_check(job, e);
    if (rc < 0)
        return rc;
    rc = place(&world, job, &where, e);
    stats.threads = where.threads;
    if (rc == 0)
        rc = world_tell(&world, job, e);
    if (rc == 0) {
        rc = engine_run(job, c->kernel, where.threads,
                        world.size > 1 ? world.names : NULL, &o, e);
        ending->abandoned = o.abandoned;
        if (e->code != Q_EPIPE && e->code != Q_EUSAGE && !o.unsettled)
            say_outcome(job, &o);
    }
    if (rc == -Q_ESTOP)
        ending->status = o.resumable ? 75 : o.timed_out ? 124 : 128 + o.signal;
    if (rc == 0 && (o.tally.bad > 0 || o.tally.unfinished > 0))
        ending->status = c->kernel->judges && o.tally.bad > 0 ? 4 : 1;
    stats.status = rc < 0 && rc != -Q_ESTOP ? command_status(e) : ending->status;
    struct qerr more = QERR_INIT;
    int written = 0;
    if (!o.abandoned && o.meters && stats_file_is_wanted(job))
        written = gather_ask(&o.others, &o.nothers, &more);
    if (written == 0)
        written = stats_file_write(&stats, &more);
    engine_outcome_release(&o);
    if (!o.abandoned)
        world_release(&world);
    if (written < 0 && rc == 0)
        *e = more;
    else if (written < 0)
        qlog_error("%s", more.text);
    return rc < 0 ? rc : written;
}

/* 'run' does what another command does. */
static bool is_run(const struct command *c)
{
    return !c->kernel && !c->run && !c->take;
}

/* Whether a job file may say it. */
static bool is_for_jobs(const struct command *c)
{
    return c->kernel || c->fetches;
}

/* How the help names the operand of a kernel, or NULL. */
static const char *operand_of(const struct kernel *k)
{
    for (const struct qopt *o = k->options; k->operand && o && o->name; o++)
        if (strcmp(o->name, k->operand) == 0)
            return o->value;
    return NULL;
}

static struct help_topic topic_of(const struct command *c)
{
    const struct kernel *k = c->kernel;
    struct help_topic t = {.name = c->name,
                           .summary = c->summary,
                           .description = k ? k->description : c->description,
                           .inputs = k || c->fetches,
                           .lists = c->fetches,
                           .numbers = k && k->accepts == ACCEPT_NUMBERS,
                           .lines = k && k->accepts == ACCEPT_LINES,
                           .documents = k && k->accepts == ACCEPT_DOCUMENTS,
                           .operands = k ? operand_of(k) : c->operands,
                           .shared = k != NULL,
                           .options = k ? k->options : c->options};
    return t;
}

static int print_help(const struct command *c, bool version, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    if (version) {
        help_version(&text);
    } else if (c) {
        struct help_topic topic = topic_of(c);
        help_of_command(&topic, &text);
    } else {
        struct help_topic topics[KERNELS + OTHERS];
        for (size_t i = 0; (c = command_at(i)) != NULL; i++)
            topics[i] = topic_of(c);
        help_of_program(topics, KERNELS + OTHERS, &text);
    }
    int rc = help_print(&text, e);
    qbuf_release(&text);
    return rc;
}

size_t command_tables(const struct command *c, const struct qopt **tables)
{
    size_t n = 0;
    if (c->kernel) {
        if (c->kernel->options)
            tables[n++] = c->kernel->options;
        if (c->kernel->accepts == ACCEPT_NUMBERS || c->kernel->accepts == ACCEPT_LINES)
            tables[n++] = options_numbers;
        if (c->kernel->accepts == ACCEPT_NUMBERS)
            tables[n++] = options_columns;
        if (c->kernel->accepts == ACCEPT_DOCUMENTS)
            tables[n++] = options_documents;
        tables[n++] = options_shared;
    } else if (c->options) {
        tables[n++] = c->options;
    }
    if (is_for_jobs(c))
        tables[n++] = options_fetch;
    return n;
}

struct args_words command_words(const struct command *c)
{
    return (struct args_words){.numbers =
                                   c->kernel && c->kernel->accepts == ACCEPT_NUMBERS,
                               .lists = c->fetches,
                               .operand = c->kernel ? c->kernel->operand : NULL};
}

/* What a command is told: by arguments, or by a job file. */
struct order {
    int argc;
    char **argv; /* behind the command's word */
    const struct run_order *run;
};

/* A path that is asked for and cannot be had is refused: who asked would believe that
 * it is measured. */
static int check_path(struct qerr *e)
{
    const char *unknown = cpu_unknown();
    char token[QLOG_TOKEN_SIZE];
    if (!unknown)
        return 0;
    qlog_token(token, unknown, strlen(unknown));
    return qerr_set(e, Q_EUSAGE, "QUERN_CPU='%s': this processor has the paths %s",
                    token, cpu_choices());
}

/* Fills the job, then does it. */
static int parse_and_run(const struct command *c, struct job *job,
                         const struct order *order, struct ending *ending,
                         struct qerr *e)
{
    struct args_words are = command_words(c);
    int rc = order->run ? run_order_fill(order->run, job, &are, e)
                        : args_parse(job, order->argc, order->argv, &are, e);
    if (rc == ARGS_HELP || rc == ARGS_VERSION)
        return print_help(c, rc == ARGS_VERSION, e);
    if (rc == 0)
        rc = check_path(e);
    if (rc < 0)
        return rc;
    if (!is_for_jobs(c))
        return c->run(job, ending, e);
    if (job_flag(job, "quiet"))
        qlog_set_level(QLOG_QUIET);
    else if (job_flag(job, "verbose"))
        qlog_set_level(QLOG_VERBOSE);
    if (c->kernel)
        return run_kernel(c, job, ending, e);
    rc = outputs_check(job, e);
    return rc < 0 ? rc : c->run(job, ending, e);
}

static int init_job(struct job *job, const struct command *c, struct qerr *e)
{
    const struct qopt *tables[JOB_TABLES];
    size_t n = command_tables(c, tables);
    return job_init(job, c->name, tables, n, e);
}

static int run_command(const struct command *c, const struct order *order,
                       struct ending *ending, struct qerr *e)
{
    /* Static: threads that are left behind may still look at it. */
    static struct job job;
    int rc = init_job(&job, c, e);
    if (rc < 0)
        return rc;
    rc = parse_and_run(c, &job, order, ending, e);
    if (!ending->abandoned)
        job_release(&job);
    return rc;
}

/* quern run: the command that the job file says, if it is one on records. */
static int run_jobfile(const struct command *run, int argc, char **argv,
                       struct ending *ending, struct qerr *e)
{
    struct run_order order;
    int rc = run_order_take(&order, argc, argv, e);
    if (rc == ARGS_HELP || rc == ARGS_VERSION)
        return print_help(run, rc == ARGS_VERSION, e);
    if (rc < 0)
        return rc;
    const struct jobfile_entry *word = jobfile_command(&order.file);
    const struct command *c = command_find(word->value);
    if (c && is_for_jobs(c)) {
        rc = run_command(c, &(struct order){.run = &order}, ending, e);
    } else {
        if (c)
            qerr_set(e, Q_EUSAGE, "'%s' is no command for a job file", c->name);
        else
            unknown_command(word->value, e);
        rc = qerr_add(e, "%s:%u", order.file.name, word->line);
    }
    run_order_release(&order);
    return rc;
}

/* The command that argv names, with its word moved to argv[0]. */
static int dispatch(int argc, char **argv, struct ending *ending, struct qerr *e)
{
    const char *called = argc > 0 ? strrchr(argv[0], '/') : NULL;
    called = called ? called + 1 : argc > 0 ? argv[0] : "";
    struct order order = {argc - 1, argv + 1, NULL};
    if (strcmp(called, "factor") == 0)
        return run_command(command_find("factor"), &order, ending, e);
    if (argc < 2)
        return qerr_set(e, Q_EUSAGE,
                        "no command given (prime, factor, sumsq, ...); 'quern --help' "
                        "lists them");

    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0)
        return print_help(NULL, false, e);
    if (strcmp(word, "--version") == 0)
        return print_help(NULL, true, e);
    const struct command *c = command_find(word);
    order = (struct order){argc - 2, argv + 2, NULL};
    if (c && is_run(c))
        return run_jobfile(c, order.argc, order.argv, ending, e);
    if (c && c->take) {
        int rc = c->take(order.argc, order.argv, ending, e);
        return rc > 0 ? print_help(c, rc == ARGS_VERSION, e) : rc;
    }
    if (c)
        return run_command(c, &order, ending, e);
    return unknown_command(word, e);
}

/* --- other ranks --- */

/* Does what rank 0 says. An error of this rank's own rank 0 is told. */
static int serve(struct world_order *o, struct ending *ending, struct qerr *e)
{
    static struct job job; /* threads that are left behind may still look at it */
    const struct command *c = command_find(o->command);
    struct placement where;
    struct qerr why = QERR_INIT;
    int rc = -1;
    if (!c)
        qerr_set(&why, Q_ECHECK, "rank 0 knows another set of commands");
    else
        rc = init_job(&job, c, &why);
    if (!c || rc < 0)
        goto tell;
    rc = job_unpack(&job, &o->rest, &why);
    if (rc == 0)
        rc = check_path(&why);
    if (rc == 0)
        rc = placement_find(&where, (unsigned)job_count(&job, "threads"), &o->peers,
                            &why);
    if (rc == 0)
        rc = remote_serve(&job, c->kernel, &where, &ending->abandoned, &why);
    if (!ending->abandoned)
        job_release(&job);
tell:
    if (why.code == Q_OK)
        return rc;
    rc = world_ready(NULL, &why, e);
    return rc == 0 ? world_wait_for_bye(e) : rc;
}

static int describe(const struct world_order *o, struct qerr *e)
{
    struct placement where;
    struct qerr none = QERR_INIT;
    int rc = placement_find(&where, 0, &o->peers, e);
    if (rc == 0)
        rc = world_ready(&where, &none, e);
    return rc == 0 ? world_wait_for_bye(e) : rc;
}

static void serve_rank_0(struct ending *ending, struct qerr *e)
{
    struct world_order order;
    int rc = world_wait(&order, e);
    if (rc <= 0)
        return;
    qlog_set_level((enum qlog_level)order.level);
    if (order.command[0] == '\0')
        (void)describe(&order, e);
    else
        (void)serve(&order, ending, e);
    if (!ending->abandoned)
        world_order_release(&order);
}

static enum comm_wish wish_named(const char *value)
{
    return strcmp(value, "yes") == 0  ? COMM_YES
           : strcmp(value, "no") == 0 ? COMM_NO
                                      : COMM_AUTO;
}

/* --mpi, which is asked for before there is a command: MPI comes first. */
static enum comm_wish wish_of(int argc, char **argv)
{
    static const char name[] = "--mpi";
    enum comm_wish wish = COMM_AUTO;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], name, sizeof name - 1) != 0)
            continue;
        if (argv[i][sizeof name - 1] == '=')
            wish = wish_named(argv[i] + sizeof name);
        else if (argv[i][sizeof name - 1] == '\0' && i + 1 < argc)
            wish = wish_named(argv[i + 1]);
    }
    return wish;
}

void command_main(int argc, char **argv, struct ending *ending, struct qerr *e)
{
    *ending = (struct ending){0, false};
    if (comm_open(wish_of(argc, argv), e) == 0) {
        if (comm_rank() > 0)
            serve_rank_0(ending, e);
        else
            dispatch(argc, argv, ending, e);
    }
    if (e->code != Q_OK && e->code != Q_ESTOP)
        ending->status = command_status(e);
}

void command_leave(struct ending *ending)
{
    world_close(&ending->status);
}
