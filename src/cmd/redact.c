#include "cmd/redact.h"

#include <string.h>

#include "cmd/command.h"

static const char hidden[] = "(hidden)";

void redact_text(const char *text, struct qbuf *out)
{
    for (const char *mark; (mark = strstr(text, "://")) != NULL;) {
        const char *user = mark + 3;
        const char *at = memrchr(user, '@', strcspn(user, "/?#"));
        qbuf_add(out, text, (size_t)(user - text));
        text = at ? at + 1 : user;
    }
    qbuf_puts(out, text);
}

void redact_value(const struct qopt *o, const char *value, struct qbuf *out)
{
    if (o->effect & QOPT_SECRET)
        qbuf_puts(out, hidden);
    else
        redact_text(value, out);
}

/* Whether `len` bytes are the name of a secret option of any command. */
static bool is_secret(const char *name, size_t len)
{
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        const struct qopt *tables[JOB_TABLES];
        size_t n = command_tables(c, tables);
        for (size_t k = 0; k < n; k++)
            for (const struct qopt *o = tables[k]; o->name; o++)
                if (o->effect & QOPT_SECRET && strlen(o->name) == len &&
                    memcmp(o->name, name, len) == 0)
                    return true;
    }
    return false;
}

void redact_argument(const char *before, const char *word, struct qbuf *out)
{
    size_t name = strcspn(word, "=");
    if (before && strncmp(before, "--", 2) == 0 &&
        is_secret(before + 2, strlen(before + 2))) {
        qbuf_puts(out, hidden);
    } else if (word[name] == '=' && name > 2 && strncmp(word, "--", 2) == 0 &&
               is_secret(word + 2, name - 2)) {
        qbuf_add(out, word, name + 1);
        qbuf_puts(out, hidden);
    } else {
        redact_text(word, out);
    }
}

void redact_quote(const char *word, struct qbuf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=+./:,@%^";
    if (*word && word[strspn(word, plain)] == '\0') {
        qbuf_puts(out, word);
        return;
    }
    qbuf_putc(out, '\'');
    for (; *word; word++)
        if (*word == '\'')
            qbuf_puts(out, "'\\''");
        else
            qbuf_putc(out, *word);
    qbuf_putc(out, '\'');
}
