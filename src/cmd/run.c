/*
 * Which options there are depends on the command, which the job file says; and which
 * argument is the job file depends on which options take a value. So the command line
 * is looked through twice: first with the options of all commands at once (a name that
 * takes a value for one of them takes one for all), to find the job file and --set;
 * then args.c reads what is left, with the options of the command.
 */
#include "cmd/run.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/command.h"
#include "cmd/options.h"

const char run_description[] =
    "Does what JOBFILE says: a command line kept in a file, with its command, its "
    "inputs, and its options, a 'key = value' a line.\n"
    "\n"
    "  [job]\n"
    "  command = prime\n"
    "  input = ${file}\n"
    "  threads = 2\n"
    "  [set]\n"
    "  file = numbers.txt\n"
    "\n"
    "All options of that command are options here too, and go before the file's; "
    "INPUTs "
    "given here take the place of the file's. ${here} is the folder of the file.";

/* --- the first look --- */

static bool in_table(const struct qopt *table, const char *name, size_t len)
{
    for (const struct qopt *o = table; o && o->name; o++)
        if (o->kind != QOPT_FLAG &&
            (len == 1 ? o->letter == *name
                      : strlen(o->name) == len && memcmp(o->name, name, len) == 0))
            return true;
    return false;
}

/* Whether some command has an option of this name (one letter: short form) that takes
 * a value. */
static bool takes_value(const char *name, size_t len)
{
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)) != NULL; i++)
        if (c->kernel && in_table(c->kernel->options, name, len))
            return true;
    return in_table(options_shared, name, len) ||
           in_table(options_numbers, name, len) ||
           in_table(options_columns, name, len) ||
           in_table(options_documents, name, len) ||
           in_table(options_fetch, name, len) || in_table(options_files, name, len);
}

/* Whether the option `arg` leaves its value to the next argument. */
static bool wants_next(const char *arg)
{
    if (arg[1] == '-')
        return takes_value(arg + 2, strlen(arg + 2)); /* with a '=': no name */
    for (const char *letter = arg + 1; *letter; letter++)
        if (takes_value(letter, 1))
            return letter[1] == '\0';
    return false;
}

struct look {
    const char *path;
    const char **sets;
    size_t nsets;
    char **args;
    int nargs;
};

/* The value of a --set at argv[*i], or NULL when that is none; moves *i onto it. */
static const char *set_value(int argc, char **argv, int *i)
{
    if (strncmp(argv[*i], "--set=", 6) == 0)
        return argv[*i] + 6;
    if (strcmp(argv[*i], "--set") != 0)
        return NULL;
    return *i + 1 < argc ? argv[++*i] : "";
}

static int look_through(struct look *l, int argc, char **argv)
{
    bool options = true;
    for (int i = 0; i < argc; i++) {
        char *arg = argv[i];
        bool option = options && arg[0] == '-' && arg[1] != '\0';
        const char *set = option ? set_value(argc, argv, &i) : NULL;
        if (option && strcmp(arg, "--help") == 0)
            return ARGS_HELP;
        if (option && strcmp(arg, "--version") == 0)
            return ARGS_VERSION;
        if (set) {
            l->sets[l->nsets++] = set;
            continue;
        }
        if (!option && !l->path) {
            l->path = arg;
            continue;
        }
        l->args[l->nargs++] = arg;
        if (!option)
            continue;
        if (strcmp(arg, "--") == 0)
            options = false;
        else if (wants_next(arg) && i + 1 < argc)
            l->args[l->nargs++] = argv[++i];
    }
    return ARGS_RUN;
}

int run_order_take(struct run_order *o, int argc, char **argv, struct qerr *e)
{
    struct look l = {.sets = calloc((size_t)argc + 1, sizeof *l.sets),
                     .args = calloc((size_t)argc + 1, sizeof *l.args)};
    struct run_order made = {.args = l.args};
    int rc = l.sets && l.args ? look_through(&l, argc, argv) : qerr_nomem(e);
    if (rc == ARGS_RUN && !l.path)
        rc = qerr_set(e, Q_EUSAGE, "run: no job file given (quern run JOBFILE)");
    if (rc == ARGS_RUN)
        rc = jobfile_read(&made.file, l.path, l.sets, l.nsets, e);
    free(l.sets);
    if (rc != ARGS_RUN) {
        free(l.args);
        return rc;
    }
    made.nargs = l.nargs;
    *o = made;
    return ARGS_RUN;
}

void run_order_release(struct run_order *o)
{
    jobfile_release(&o->file);
    free(o->args);
}

/* --- the second --- */

static int add_inputs_of_file(const struct jobfile *f, struct job *job,
                              const struct args_words *are, struct qerr *e)
{
    int rc = 0;
    const struct jobfile_entry *at = jobfile_input(f, NULL);
    if (!at)
        return job_add_input(job, INPUT_STREAM, "-", e);
    for (; rc == 0 && at; at = jobfile_input(f, at)) {
        rc = *at->value ? args_add_input(job, at->value, are, e)
                        : qerr_set(e, Q_EUSAGE, "the value of 'input' is empty");
        if (rc < 0)
            qerr_add(e, "%s:%u", f->name, at->line);
    }
    return rc;
}

int run_order_fill(const struct run_order *o, struct job *job,
                   const struct args_words *are, struct qerr *e)
{
    const char **words = calloc((size_t)o->nargs + 1, sizeof *words);
    if (!words)
        return qerr_nomem(e);
    size_t nwords = 0;
    int rc = jobfile_options(&o->file, job, e);
    if (rc == 0)
        rc = args_options(job, o->nargs, o->args, words, &nwords, e);
    int taken = rc == 0 ? args_operand(job, words, nwords, are, e) : 0;
    if (taken < 0)
        rc = taken;
    for (size_t i = (size_t)taken; rc == 0 && i < nwords; i++)
        rc = args_add_input(job, words[i], are, e);
    if (rc == 0 && nwords == (size_t)taken)
        rc = add_inputs_of_file(&o->file, job, are, e);
    free(words);
    return rc;
}
