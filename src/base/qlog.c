#include "base/qlog.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A write of at most PIPE_BUF (4096 on Linux) bytes into a pipe is not split. */
enum { LINE_MAX_BYTES = 4096, ESCAPE_BYTES = 4 };

/* The cursor rests in the first column of the status line. So this erases it whole,
 * also when the window has become narrower and the terminal has broken the line in two.
 */
static const char erase[] = "\r\033[J";

static enum qlog_level current = QLOG_NORMAL;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below, and stderr */
static char status[QLOG_STATUS + 2];                     /* and the way back; or "" */

void qlog_set_level(enum qlog_level level)
{
    current = level;
}

enum qlog_level qlog_level(void)
{
    return current;
}

/* Appends text to line, escaped; stops where an escape and the tail would not fit. */
static size_t put_escaped(char *line, size_t n, const char *text)
{
    for (; *text && n < LINE_MAX_BYTES - ESCAPE_BYTES - 4; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            n += (size_t)snprintf(line + n, ESCAPE_BYTES + 1, "\\x%02x", (unsigned)c);
        else
            line[n++] = *text;
    }
    if (*text) {
        memcpy(line + n, "...", 3);
        n += 3;
    }
    return n;
}

static void put(const char *bytes, size_t n)
{
    while (n > 0 && write(STDERR_FILENO, bytes, n) < 0 && errno == EINTR)
        continue;
}

static void say(const char *kind, const char *fmt, va_list ap)
{
    int saved = errno;
    char text[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    pthread_mutex_lock(&lock);
    size_t n =
        (size_t)snprintf(line, sizeof line, "%squern: %s", *status ? erase : "", kind);
    n = put_escaped(line, n, text);
    line[n++] = '\n';
    put(line, n);
    put(status, strlen(status));
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void qlog_status(const char *line)
{
    int saved = errno;
    char text[sizeof erase + sizeof status];
    pthread_mutex_lock(&lock);
    bool shown = *status != '\0';
    status[0] = '\0';
    if (line && *line)
        snprintf(status, sizeof status, "%.*s\r", QLOG_STATUS, line);
    int n = snprintf(text, sizeof text, "%s%s", shown ? erase : "", status);
    put(text, (size_t)n);
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void qlog_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

void qlog_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say("warning: ", fmt, ap);
    va_end(ap);
}

void qlog_note(const char *fmt, ...)
{
    if (current < QLOG_NORMAL)
        return;
    va_list ap;
    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

void qlog_detail(const char *fmt, ...)
{
    if (current < QLOG_VERBOSE)
        return;
    va_list ap;
    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

const char *qlog_token(char to[QLOG_TOKEN_SIZE], const char *token, size_t len)
{
    char *at = to;
    for (size_t i = 0; i < len && i < QLOG_TOKEN_BYTES; i++) {
        unsigned char c = (unsigned char)token[i];
        if (c < 0x20 || c >= 0x7f || c == '\\')
            at += snprintf(at, ESCAPE_BYTES + 1, "\\x%02x", (unsigned)c);
        else
            *at++ = (char)c;
    }
    snprintf(at, 4, "%s", len > QLOG_TOKEN_BYTES ? "..." : "");
    return to;
}
