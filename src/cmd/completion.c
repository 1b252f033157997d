#include "cmd/completion.h"

#include <string.h>

#include "cmd/help.h"
#include "cmd/options.h"

const char completion_description[] =
    "Prints a script that makes bash or zsh complete commands, options and their "
    "values. "
    "'make install' puts both where the shells look for them. To try it:\n"
    "\n"
    "  . <(quern completion bash)";

/* Calls `put` for every option of a command that a user may see. */
static void each_option(const struct command *c,
                        void (*put)(const struct qopt *, struct qbuf *),
                        struct qbuf *out)
{
    const struct qopt *tables[JOB_TABLES + 1];
    size_t n = command_tables(c, tables);
    tables[n++] = options_about;
    for (size_t i = 0; i < n; i++)
        for (const struct qopt *o = tables[i]; o->name; o++)
            if (!(o->effect & QOPT_HIDDEN))
                put(o, out);
}

static void put_choices(const struct qopt *o, struct qbuf *out)
{
    for (const char *s = o->value; *s; s++)
        qbuf_putc(out, *s == '|' ? ' ' : *s);
}

/* --- bash --- */

static void put_bash_option(const struct qopt *o, struct qbuf *out)
{
    if (o->letter)
        qbuf_printf(out, "-%c ", o->letter);
    qbuf_printf(out, "--%s%s ", o->name, o->kind == QOPT_FLAG ? "" : "=");
}

static void put_bash_values(const struct qopt *o, struct qbuf *out)
{
    if (o->kind != QOPT_CHOICE)
        return;
    qbuf_printf(out, " --%s) values='", o->name);
    put_choices(o, out);
    qbuf_puts(out, "' ;;\n");
}

/* Readline breaks words at '=': then "--format=te" is three of them. */
static const char bash_head[] =
    "# bash completion for quern; made by 'quern completion bash'\n"
    "_quern() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command=${COMP_WORDS[1]} option= options= values=\n"
    "    COMPREPLY=()\n"
    "    if [[ $cur == = ]]; then option=$prev cur=\n"
    "    elif [[ $prev == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    elif [[ $cur == --*=* ]]; then option=${cur%%=*} cur=${cur#*=}\n"
    "    elif [[ $prev == --* ]]; then option=$prev\n"
    "    fi\n";

static const char bash_tail[] =
    "    esac\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$commands --help --version\" -- "
    "\"$cur\")\n"
    "    elif [[ -n $values ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
    "        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o "
    "nospace\n"
    "    elif [[ $command == completion ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W 'bash zsh' -- \"$cur\")\n"
    "    else\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "    fi\n"
    "}\n"
    "complete -F _quern quern\n";

void completion_bash(struct qbuf *out)
{
    const struct command *c;
    qbuf_puts(out, bash_head);
    qbuf_puts(out, "    local commands='");
    for (size_t i = 0; (c = command_at(i)) != NULL; i++)
        qbuf_printf(out, "%s%s", i > 0 ? " " : "", c->name);
    qbuf_puts(out, "'\n    case $command in\n");
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        qbuf_printf(out, "    %s)\n        options='", c->name);
        each_option(c, put_bash_option, out);
        qbuf_puts(out, "'\n        case $option in\n");
        each_option(c, put_bash_values, out);
        qbuf_puts(out, "        esac ;;\n");
    }
    qbuf_puts(out, bash_tail);
}

/* --- zsh --- */

/* Inside '...[help]...': what would end it is left out or escaped. */
static void put_zsh_help(const char *help, struct qbuf *out)
{
    for (; *help; help++) {
        if (*help == '\'')
            qbuf_puts(out, "'\\''");
        else if (*help == '[' || *help == ']' || *help == ':')
            qbuf_printf(out, "\\%c", *help);
        else
            qbuf_putc(out, *help);
    }
}

static void put_zsh_spec(const struct qopt *o, const char *dashes, const char *name,
                         size_t len, const char *joint, struct qbuf *out)
{
    qbuf_printf(out, "            '%s%s%.*s%s[", o->effect & QOPT_REPEAT ? "*" : "",
                dashes, (int)len, name, o->kind == QOPT_FLAG ? "" : joint);
    put_zsh_help(o->help, out);
    qbuf_putc(out, ']');
    if (o->kind == QOPT_CHOICE) {
        qbuf_puts(out, ":value:(");
        put_choices(o, out);
        qbuf_putc(out, ')');
    } else if (o->kind == QOPT_TEXT) {
        qbuf_puts(out, ":value:_files");
    } else if (o->kind != QOPT_FLAG) {
        qbuf_puts(out, ":value: ");
    }
    qbuf_puts(out, "' \\\n");
}

static void put_zsh_option(const struct qopt *o, struct qbuf *out)
{
    put_zsh_spec(o, "--", o->name, strlen(o->name), "=", out);
    if (o->letter)
        put_zsh_spec(o, "-", &o->letter, 1, "+", out);
}

void completion_zsh(struct qbuf *out)
{
    const struct command *c;
    qbuf_puts(out, "#compdef quern\n"
                   "# zsh completion for quern; made by 'quern completion zsh'\n"
                   "_quern() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        qbuf_printf(out, "        '%s:", c->name);
        put_zsh_help(c->summary, out);
        qbuf_puts(out, "'\n");
    }
    qbuf_puts(out, "    )\n"
                   "    if (( CURRENT == 2 )); then\n"
                   "        _describe command commands\n"
                   "        return\n"
                   "    fi\n"
                   "    local command=$words[2]\n"
                   "    shift words\n"
                   "    (( CURRENT-- ))\n"
                   "    case $command in\n");
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        qbuf_printf(out, "    %s)\n        _arguments -s \\\n", c->name);
        each_option(c, put_zsh_option, out);
        qbuf_puts(out, strcmp(c->name, "completion") == 0
                           ? "            '1:shell:(bash zsh)' ;;\n"
                           : "            '*:input:_files' ;;\n");
    }
    qbuf_puts(out, "    esac\n}\n"
                   "if [ \"$funcstack[1]\" = _quern ]; then\n    _quern \"$@\"\n"
                   "else\n    compdef _quern quern\nfi\n");
}

int cmd_completion(const struct job *job, struct ending *ending, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    const char *shell = job->ninputs == 1 ? job->inputs[0].name : "";
    (void)ending;
    if (strcmp(shell, "bash") == 0)
        completion_bash(&text);
    else if (strcmp(shell, "zsh") == 0)
        completion_zsh(&text);
    else
        return qerr_set(e, Q_EUSAGE,
                        "completion wants the name of a shell: bash or zsh");
    int rc = help_print(&text, e);
    qbuf_release(&text);
    return rc;
}
