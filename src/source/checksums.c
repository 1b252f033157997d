#include "source/checksums.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/qsha256.h"

struct entry {
    char hex[QSHA256_HEX];
    char *name;
};

struct checksums {
    char only[QSHA256_HEX]; /* of the one file, or "" */
    struct entry *at;       /* by name */
    size_t n, cap;
};

/* 64 digits, and then `end`; in lower case. */
static bool take_hex(const char *s, char hex[QSHA256_HEX], char end)
{
    for (size_t i = 0; i < QSHA256_HEX - 1; i++) {
        if (!isxdigit((unsigned char)s[i]))
            return false;
        hex[i] = (char)tolower((unsigned char)s[i]);
    }
    hex[QSHA256_HEX - 1] = '\0';
    return s[QSHA256_HEX - 1] == end;
}

static int add(struct checksums *c, const char *hex, const char *name, struct qerr *e)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 64;
        struct entry *grown = realloc(c->at, cap * sizeof *grown);
        if (!grown)
            return qerr_nomem(e);
        c->at = grown;
        c->cap = cap;
    }
    struct entry *entry = &c->at[c->n];
    memcpy(entry->hex, hex, sizeof entry->hex);
    entry->name = strdup(name);
    if (!entry->name)
        return qerr_nomem(e);
    c->n++;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* "HEX  NAME" or "HEX *NAME"; of a path the last part counts. */
static int read_lines(struct checksums *c, FILE *f, const char *path, struct qerr *e)
{
    char *line = NULL, hex[QSHA256_HEX];
    size_t cap = 0;
    uint64_t number = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &cap, f) >= 0) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0')
            continue;
        const char *name = line + QSHA256_HEX;
        if (!take_hex(line, hex, ' ') || (*name != ' ' && *name != '*') ||
            name[1] == '\0')
            rc = qerr_set(e, Q_EUSAGE,
                          "--checksum: %s:%" PRIu64 ": not a line of sha256sum", path,
                          number);
        else
            rc = add(c, hex, strrchr(name, '/') ? strrchr(name, '/') + 1 : name + 1, e);
    }
    if (rc == 0 && ferror(f))
        rc = qerr_sys(e, Q_EUSAGE, errno, "--checksum: read %s", path);
    free(line);
    if (rc == 0 && c->n > 0)
        qsort(c->at, c->n, sizeof *c->at, by_name);
    return rc;
}

int checksums_new(struct checksums **made, const char *text, struct qerr *e)
{
    struct checksums *c = calloc(1, sizeof *c);
    int rc = 0;
    if (!c)
        return qerr_nomem(e);
    if (!take_hex(text, c->only, '\0')) {
        c->only[0] = '\0';
        FILE *f = fopen(text, "re");
        rc = f ? read_lines(c, f, text, e)
               : qerr_sys(e, Q_EUSAGE, errno,
                          "--checksum: %s is neither 64 hexadecimal digits nor a file",
                          text);
        if (f)
            fclose(f);
    }
    if (rc < 0)
        checksums_free(c);
    else
        *made = c;
    return rc;
}

void checksums_free(struct checksums *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        free(c->at[i].name);
    free(c->at);
    free(c);
}

const char *checksums_of(const struct checksums *c, const char *name)
{
    if (c->only[0])
        return c->only;
    struct entry wanted = {.name = (char *)(uintptr_t)name};
    const struct entry *found =
        c->n > 0 ? bsearch(&wanted, c->at, c->n, sizeof *c->at, by_name) : NULL;
    return found ? found->hex : NULL;
}
