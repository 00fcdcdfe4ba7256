#include "serve/log.h"

#include "base/mem.h"
#include "serve/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What a line keeps free for its end: `,"dropped":<20 digits>}` and the newline. */
enum { TAIL = 40, OBJECT_MAX = 640 };

struct log {
    int fd; /* owned */
    bool human, torn;
    enum log_level level;
    when_ns (*wall)(void *arg);
    void *arg;
    struct log_stats stats;
    uint64_t told; /* how many dropped lines were told of */
};

struct line {
    char p[LOG_LINE_MAX];
    size_t len;
};

/* ---- bounded text ---------------------------------------------------------------------------------------------------------- */

static bool add_bytes(struct line *l, size_t limit, const char *p, size_t n)
{
    if (l->len + n > limit)
        return false;
    memcpy(l->p + l->len, p, n);
    l->len += n;
    return true;
}

static bool add(struct line *l, size_t limit, const char *text)
{
    return add_bytes(l, limit, text, strlen(text));
}

/* One character of a JSON string; how many bytes of `s` it was, 0 when there is no room. */
static size_t add_escaped(struct line *l, size_t limit, const unsigned char *s)
{
    char esc[8];
    size_t n = utf8_length(s);

    if (n == 0)
        return add(l, limit, UTF8_REPLACEMENT) ? 1 : 0;
    if (*s == '"' || *s == '\\') {
        (void)snprintf(esc, sizeof(esc), "\\%c", *s);
        return add(l, limit, esc) ? 1 : 0;
    }
    if (*s < 0x20) {
        const char *at = strchr("\nn\tt\rr", *s);
        if (at)
            (void)snprintf(esc, sizeof(esc), "\\%c", at[1]);
        else
            (void)snprintf(esc, sizeof(esc), "\\u%04x", *s);
        return add(l, limit, esc) ? 1 : 0;
    }
    return add_bytes(l, limit, (const char *)s, n) ? n : 0;
}

/* A literal, cut at `limit`; false when not even the quotes fit. */
static bool add_json(struct line *l, size_t limit, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;

    if (l->len + 2 > limit)
        return false;
    l->p[l->len++] = '"';
    while (*s && (n = add_escaped(l, limit - 1, s)) > 0)
        s += n;
    l->p[l->len++] = '"';
    return true;
}

/* For a terminal: nothing in it can steer it. */
static void add_plain(struct line *l, size_t limit, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        size_t n = utf8_length(s);
        bool control = *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
        if (n == 0 || control) {
            if (!add(l, limit, *s == '\n' || *s == '\t' ? " " : "?"))
                return;
            s += n ? n : 1;
        } else if (add_bytes(l, limit, (const char *)s, n))
            s += n;
        else
            return;
    }
}

/* ---- a line ------------------------------------------------------------------------------------------------------------------ */

/* RFC 3339 with milliseconds. */
static void print_time(const struct log *l, char *buf, size_t cap)
{
    when_ns now = l->wall(l->arg);
    int64_t ms = now / NS_PER_MS % 1000;
    size_t n = when_print(now, buf, cap);

    if (n && buf[n - 1] == 'Z')
        (void)snprintf(buf + n - 1, cap - n + 1, ".%03dZ", (int)(ms < 0 ? ms + 1000 : ms));
}

/* A value that is no text. JSON knows no NaN and no infinity. */
static void print_value(const struct log_field *f, char *buf, size_t cap)
{
    if (f->type == LOG_BOOL)
        (void)snprintf(buf, cap, "%s", f->number ? "true" : "false");
    else if (f->type == LOG_INT)
        (void)snprintf(buf, cap, "%" PRId64, f->number);
    else
        (void)snprintf(buf, cap, isfinite(f->real) ? "%.15g" : "null", f->real);
}

/* A field that does not fit is left out whole, but for the end of a text. */
static void add_json_field(struct line *l, size_t limit, const struct log_field *f)
{
    size_t before = l->len;
    char value[40];
    bool ok = add(l, limit, ",\"") && add(l, limit, f->key) && add(l, limit, "\":");

    if (f->type == LOG_TEXT)
        ok = ok && add_json(l, limit, f->text ? f->text : "");
    else {
        print_value(f, value, sizeof(value));
        ok = ok && add(l, limit, value);
    }
    if (!ok)
        l->len = before;
}

static void make_json(struct line *l, const struct log *log, enum log_level level, const char *object,
                      const char *msg, const struct log_field *fields, uint32_t n)
{
    const size_t limit = LOG_LINE_MAX - TAIL;
    char ts[48], number[40];

    print_time(log, ts, sizeof(ts));
    (void)add(l, limit, "{\"ts\":\"");
    (void)add(l, limit, ts);
    (void)add(l, limit, "\",\"level\":\"");
    (void)add(l, limit, log_level_name(level));
    (void)add(l, limit, "\"");
    if (*object) {
        (void)add(l, limit, ",\"object\":");
        (void)add_json(l, OBJECT_MAX, object);
    }
    (void)add(l, limit, ",\"msg\":");
    (void)add_json(l, limit, msg);
    for (uint32_t i = 0; i < n; i++)
        add_json_field(l, limit, &fields[i]);
    if (log->stats.dropped > log->told) {
        (void)snprintf(number, sizeof(number), ",\"dropped\":%" PRIu64, log->stats.dropped - log->told);
        (void)add(l, LOG_LINE_MAX, number);
    }
    (void)add(l, LOG_LINE_MAX, "}\n");
}

static void make_human(struct line *l, const struct log *log, enum log_level level, const char *object,
                       const char *msg, const struct log_field *fields, uint32_t n)
{
    const size_t limit = LOG_LINE_MAX - TAIL;
    char ts[48], value[48];

    print_time(log, ts, sizeof(ts));
    (void)snprintf(value, sizeof(value), " %-7s ", log_level_name(level));
    (void)add(l, limit, ts);
    (void)add(l, limit, value);
    if (*object) {
        add_plain(l, OBJECT_MAX, object);
        (void)add(l, limit, ": ");
    }
    add_plain(l, limit, msg);
    for (uint32_t i = 0; i < n; i++) {
        (void)add(l, limit, " ");
        (void)add(l, limit, fields[i].key);
        (void)add(l, limit, "=");
        if (fields[i].type == LOG_TEXT)
            add_plain(l, limit, fields[i].text ? fields[i].text : "");
        else {
            print_value(&fields[i], value, sizeof(value));
            (void)add(l, limit, value);
        }
    }
    if (log->stats.dropped > log->told) {
        (void)snprintf(value, sizeof(value), " dropped=%" PRIu64, log->stats.dropped - log->told);
        (void)add(l, LOG_LINE_MAX, value);
    }
    (void)add(l, LOG_LINE_MAX, "\n");
}

/* A pipe takes up to PIPE_BUF bytes whole or not at all. Others (terminals, sockets) may take a part: then the next line begins on a line
 * of its own. */
static void put_out(struct log *log, const struct line *l, enum log_level level)
{
    ssize_t n;

    if (log->torn && write(log->fd, "\n", 1) == 1)
        log->torn = false;
    do
        n = log->torn ? -1 : write(log->fd, l->p, l->len);
    while (n < 0 && !log->torn && errno == EINTR);
    if (n == (ssize_t)l->len) {
        log->stats.lines[level]++;
        log->told = log->stats.dropped;
        return;
    }
    log->torn = log->torn || n > 0;
    log->stats.dropped++;
}

void log_write(struct log *l, enum log_level level, const char *object, const char *msg,
               const struct log_field *fields, uint32_t n)
{
    struct line line = {.len = 0};

    if (!l || !log_wants(l, level))
        return;
    if (n > LOG_FIELDS_MAX)
        n = LOG_FIELDS_MAX;
    (l->human ? make_human : make_json)(&line, l, level, object ? object : "", msg ? msg : "", fields, n);
    put_out(l, &line, level);
}

void log_line(void *log, int level, const char *object, const char *msg)
{
    log_write(log, (enum log_level)level, object, msg, NULL, 0);
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

static when_ns system_wall(void *arg)
{
    struct timespec ts;

    (void)arg;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* O_NONBLOCK belongs to the open file, which we share with who gave us the descriptor: pipes and terminals are opened anew through /proc, so
 * that it is ours alone. Where that does not work (sockets) it is shared. A file never blocks, and its position must be shared. */
static int open_own(int fd)
{
    char path[64];
    struct stat st;
    int own;

    if (fstat(fd, &st))
        return -1;
    if (S_ISREG(st.st_mode))
        return fcntl(fd, F_DUPFD_CLOEXEC, 3);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_APPEND);
    if (own >= 0)
        return own;
    own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own >= 0)
        (void)fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
    return own;
}

struct log *log_new(const struct log_options *o, struct err *err)
{
    struct log *l = mem_zalloc(1, sizeof(*l));

    if (!l) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    l->fd = open_own(o->fd);
    if (l->fd < 0) {
        err_set(err, ERR_IO, "log: %s", strerror(errno));
        mem_free(l);
        return NULL;
    }
    l->human = o->form == LOG_HUMAN || (o->form == LOG_AUTO && isatty(o->fd));
    l->level = o->level;
    l->wall = o->wall ? o->wall : system_wall;
    l->arg = o->arg;
    return l;
}

void log_free(struct log *l)
{
    if (!l)
        return;
    (void)close(l->fd);
    mem_free(l);
}

void log_set_level(struct log *l, enum log_level level)
{
    l->level = level;
}

bool log_wants(const struct log *l, enum log_level level)
{
    return l && level < LOG_LEVELS && level <= l->level;
}

struct log_stats log_stats(const struct log *l)
{
    return l->stats;
}

static const char *const level_names[LOG_LEVELS] = {"error", "warning", "info", "debug"};

const char *log_level_name(enum log_level level)
{
    return level < LOG_LEVELS ? level_names[level] : "debug";
}

int log_level_parse(const char *text, enum log_level *ret, struct err *err)
{
    for (uint32_t i = 0; i < LOG_LEVELS; i++)
        if (!strcmp(text, level_names[i]) || (text[0] == (char)('0' + i) && !text[1])) {
            *ret = (enum log_level)i;
            return 0;
        }
    return err_set(err, ERR_INVALID, "%s: no level of the log (error, warning, info, debug)", text);
}
