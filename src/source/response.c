#include "source/response.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void response_init(struct response *r)
{
    *r = (struct response){0};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number of at least one digit; moves *s behind it. Saturates. */
static bool take_number(const char **s, uint64_t *value)
{
    const char *p = *s;
    uint64_t v = 0;
    if (!is_digit(*p))
        return false;
    for (; is_digit(*p); p++)
        v = v > (UINT64_MAX - 9) / 10 ? UINT64_MAX : v * 10 + (uint64_t)(*p - '0');
    *value = v;
    *s = p;
    return true;
}

static bool take_text(const char **s, const char *text)
{
    size_t n = strlen(text);
    if (strncasecmp(*s, text, n) != 0)
        return false;
    *s += n;
    return true;
}

/* --- dates --- */

struct date {
    uint64_t year, month, day, hour, minute, second;
};

static bool take_month(const char **s, uint64_t *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (uint64_t m = 0; m < 12; m++)
        if (strncasecmp(*s, names + 3 * m, 3) == 0) {
            *month = m + 1;
            *s += 3;
            return true;
        }
    return false;
}

static bool take_time(const char **s, struct date *d)
{
    return take_number(s, &d->hour) && take_text(s, ":") &&
           take_number(s, &d->minute) && take_text(s, ":") &&
           take_number(s, &d->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool is_fixdate(const char *s, struct date *d)
{
    return take_number(&s, &d->day) && take_text(&s, " ") &&
           take_month(&s, &d->month) && take_text(&s, " ") &&
           take_number(&s, &d->year) && take_text(&s, " ") && take_time(&s, d) &&
           take_text(&s, " GMT") && *s == '\0';
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool is_rfc850(const char *s, struct date *d)
{
    return take_number(&s, &d->day) && take_text(&s, "-") &&
           take_month(&s, &d->month) && take_text(&s, "-") &&
           take_number(&s, &d->year) && d->year < 100 && take_text(&s, " ") &&
           take_time(&s, d) && take_text(&s, " GMT") && *s == '\0';
}

/* Sun Nov  6 08:49:37 1994 */
static bool is_asctime(const char *s, struct date *d)
{
    if (!take_month(&s, &d->month) || !take_text(&s, " "))
        return false;
    while (*s == ' ')
        s++;
    return take_number(&s, &d->day) && take_text(&s, " ") && take_time(&s, d) &&
           take_text(&s, " ") && take_number(&s, &d->year) && *s == '\0';
}

/* Two digits mean the year of the past, but for the next fifty years (RFC 9110). */
static uint64_t full_year(uint64_t year, int64_t now)
{
    struct tm today;
    time_t t = (time_t)now;
    if (!gmtime_r(&t, &today))
        return year + 1900;
    uint64_t this_year = (uint64_t)today.tm_year + 1900;
    uint64_t full = this_year - this_year % 100 + year;
    return full > this_year + 50 ? full - 100 : full;
}

bool response_date(const char *text, int64_t now, int64_t *seconds)
{
    struct date d = {0};
    const char *s = text + strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "abcdefghijklmnopqrstuvwxyz");
    if (s == text)
        return false;
    if (*s == ',') { /* a weekday, which may be wrong and says nothing new */
        s += 1 + strspn(s + 1, " ");
        if (is_rfc850(s, &d))
            d.year = full_year(d.year, now);
        else if (!is_fixdate(s, &d))
            return false;
    } else if (*s != ' ' || !is_asctime(s + 1, &d)) {
        return false;
    }
    if (d.year < 1900 || d.year > 9999 || d.day < 1 || d.day > 31 || d.hour > 23 ||
        d.minute > 59 || d.second > 60)
        return false;
    struct tm tm = {.tm_year = (int)d.year - 1900,
                    .tm_mon = (int)d.month - 1,
                    .tm_mday = (int)d.day,
                    .tm_hour = (int)d.hour,
                    .tm_min = (int)d.minute,
                    .tm_sec = (int)d.second};
    *seconds = (int64_t)timegm(&tm);
    return true;
}

bool response_retry_after(const struct response *r, int64_t now, uint64_t *wait_ns)
{
    enum { NS = 1000000000 };
    const char *s = r->retry_after;
    uint64_t wait;
    int64_t until, from = now;
    if (take_number(&s, &wait)) {
        if (*s != '\0')
            return false;
    } else {
        if (!response_date(r->retry_after, now, &until))
            return false;
        if (!response_date(r->date, now, &from))
            from = now;
        if (until <= from)
            return false;
        wait = (uint64_t)(until - from);
    }
    *wait_ns = wait > UINT64_MAX / NS ? UINT64_MAX : wait * NS;
    return true;
}

/* --- lines --- */

/* Copies what fits whole, else leaves it empty. */
static void keep(char *to, size_t size, const char *value)
{
    size_t n = strlen(value);
    if (n < size)
        memcpy(to, value, n + 1);
    else
        to[0] = '\0';
}

static void take_content_range(struct response *r, const char *s)
{
    if (!take_text(&s, "bytes "))
        return;
    while (*s == ' ')
        s++;
    if (take_text(&s, "*/")) {
        r->range_unsatisfied = r->has_total =
            take_number(&s, &r->range_total) && *s == '\0';
        return;
    }
    if (!take_number(&s, &r->range_first) || !take_text(&s, "-") ||
        !take_number(&s, &r->range_last) || !take_text(&s, "/") ||
        r->range_last < r->range_first)
        return;
    bool unknown = strcmp(s, "*") == 0;
    r->has_total = !unknown && take_number(&s, &r->range_total) && *s == '\0';
    r->has_range = unknown || (r->has_total && r->range_last < r->range_total);
}

static void take_coding(struct response *r, const char *value)
{
    if (strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0)
        r->gzip = true;
    else if (*value && strcasecmp(value, "identity") != 0)
        r->other_coding = true;
}

static int hex(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* filename*=UTF-8''percent-encoded */
static bool take_extended(char *to, size_t size, const char *s)
{
    size_t n = 0;
    if (!take_text(&s, "UTF-8'"))
        return false;
    s = strchr(s, '\'');
    if (!s)
        return false;
    for (s++; *s && *s != ';' && *s != ' '; s++) {
        if (n + 1 >= size)
            return false;
        if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
            to[n++] = (char)(hex(s[1]) * 16 + hex(s[2]));
            s += 2;
        } else {
            to[n++] = *s;
        }
    }
    to[n] = '\0';
    return n > 0;
}

/* filename=token or filename="quoted \"text\"" */
static void take_plain(char *to, size_t size, const char *s)
{
    size_t n = 0;
    bool quoted = *s == '"';
    for (s += quoted; *s && (quoted ? *s != '"' : *s != ';' && *s != ' '); s++) {
        if (quoted && *s == '\\' && s[1])
            s++;
        if (n + 1 < size)
            to[n++] = *s;
    }
    to[n] = '\0';
}

/* Looks for its parameters outside of quoted strings. */
static void take_disposition(struct response *r, const char *s)
{
    bool quoted = false, extended = false;
    r->disposition[0] = '\0';
    for (; *s; s++) {
        if (quoted && *s == '\\' && s[1])
            s++;
        else if (*s == '"')
            quoted = !quoted;
        if (quoted || *s != ';')
            continue;
        const char *p = s + 1 + strspn(s + 1, " \t");
        if (take_text(&p, "filename*="))
            extended = take_extended(r->disposition, sizeof r->disposition, p);
        else if (!extended && take_text(&p, "filename="))
            take_plain(r->disposition, sizeof r->disposition, p);
    }
}

enum field {
    FIELD_OTHER,
    FIELD_LENGTH,
    FIELD_RANGE,
    FIELD_CODING,
    FIELD_ACCEPT,
    FIELD_ETAG,
    FIELD_MODIFIED,
    FIELD_RETRY,
    FIELD_DATE,
    FIELD_DISPOSITION
};

/* Most fields are none that matter, and their lengths tell. */
static enum field field_named(const char *name, size_t n)
{
    static const struct {
        const char *name;
        size_t n;
        enum field field;
    } fields[] = {
#define FIELD(name, field) {name, sizeof name - 1, field}
        FIELD("Content-Length", FIELD_LENGTH),
        FIELD("Content-Range", FIELD_RANGE),
        FIELD("Content-Encoding", FIELD_CODING),
        FIELD("Accept-Ranges", FIELD_ACCEPT),
        FIELD("ETag", FIELD_ETAG),
        FIELD("Last-Modified", FIELD_MODIFIED),
        FIELD("Retry-After", FIELD_RETRY),
        FIELD("Date", FIELD_DATE),
        FIELD("Content-Disposition", FIELD_DISPOSITION),
#undef FIELD
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].n == n && strncasecmp(fields[i].name, name, n) == 0)
            return fields[i].field;
    return FIELD_OTHER;
}

static void take_length(struct response *r, const char *s)
{
    uint64_t length;
    r->has_length = take_number(&s, &length) && *s == '\0' && length <= INT64_MAX;
    r->length = r->has_length ? length : 0;
    r->bad_length = !r->has_length;
}

static void take_field(struct response *r, enum field field, const char *value)
{
    value += strspn(value, " \t");
    switch (field) {
    case FIELD_LENGTH:
        take_length(r, value);
        break;
    case FIELD_RANGE:
        take_content_range(r, value);
        break;
    case FIELD_CODING:
        take_coding(r, value);
        break;
    case FIELD_ACCEPT:
        r->no_ranges = strcasecmp(value, "none") == 0;
        break;
    case FIELD_ETAG:
        keep(r->etag, sizeof r->etag, value);
        break;
    case FIELD_MODIFIED:
        keep(r->last_modified, sizeof r->last_modified, value);
        break;
    case FIELD_RETRY:
        keep(r->retry_after, sizeof r->retry_after, value);
        break;
    case FIELD_DATE:
        keep(r->date, sizeof r->date, value);
        break;
    case FIELD_DISPOSITION:
        take_disposition(r, value);
        break;
    case FIELD_OTHER:
        break;
    }
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static void take_status(struct response *r, const char *line)
{
    const char *s = line + strcspn(line, " ");
    uint64_t status;
    s += strspn(s, " ");
    size_t bytes = r->header_bytes;
    response_init(r);
    r->header_bytes = bytes;
    r->status = take_number(&s, &status) && status < 1000 ? (int)status : 0;
}

bool response_line(struct response *r, const char *line, size_t n)
{
    enum { LINE = 2048 };
    char text[LINE];
    r->header_bytes += n;
    if (r->header_bytes > RESPONSE_HEADER_MAX)
        return false;
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' '))
        n--;
    if (n == 0)
        r->complete = true;
    if (n >= LINE || memchr(line, '\0', n)) /* none of those that matter */
        return true;
    const char *colon = memchr(line, ':', n);
    bool status = n >= 5 && strncasecmp(line, "HTTP/", 5) == 0;
    enum field field = colon ? field_named(line, (size_t)(colon - line)) : FIELD_OTHER;
    if (!status && field == FIELD_OTHER)
        return true;
    memcpy(text, line, n);
    text[n] = '\0';
    if (status)
        take_status(r, text);
    else
        take_field(r, field, text + (colon + 1 - line));
    return true;
}

const char *response_validator(const struct response *r)
{
    if (r->etag[0] == '"')
        return r->etag;
    /* A weak ETag says that the bytes may differ; a date is weak within a second, which
     * HTTP accepts for If-Range when it is old enough. */
    return r->etag[0] == '\0' && r->last_modified[0] ? r->last_modified : NULL;
}
