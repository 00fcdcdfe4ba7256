/* The log: one line a thing worth knowing, for machines (JSON, always the same keys) or, on a terminal, for people.
 *
 *     {"ts":"2026-01-01T00:00:00.123Z","level":"info","object":"team-a/job-1","msg":"...","n":3}
 *
 * ts, level, object (left out when empty) and msg come first and in this order, then the fields in the order given. A line goes out in one
 * write(2) of at most LOG_LINE_MAX bytes, which a pipe takes whole or not at all; texts that do not fit are cut, the line stays valid. Who
 * reads too slowly never holds the loop up: lines that find no room are dropped and counted, and the next line that gets through tells how
 * many ("dropped"). */
#ifndef SLUICE_SERVE_LOG_H
#define SLUICE_SERVE_LOG_H

#include "base/when.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_LINE_MAX = 4096, /* bytes with the newline: PIPE_BUF */
    LOG_FIELDS_MAX = 16, /* of one line; more are left out */
};

/* In the order of enum controller_log. */
enum log_level { LOG_AT_ERROR, LOG_AT_WARNING, LOG_AT_INFO, LOG_AT_DEBUG, LOG_LEVELS };

enum log_type { LOG_TEXT, LOG_INT, LOG_REAL, LOG_BOOL };

/* Something beside the message. The key is a plain word that needs no escape; none of ts, level, object, msg, dropped. */
struct log_field {
    const char *key;
    enum log_type type;
    const char *text; /* borrowed for the call; NULL counts as "" */
    int64_t number;   /* also of LOG_BOOL */
    double real;
};

static inline struct log_field log_text(const char *key, const char *value)
{
    return (struct log_field){.key = key, .type = LOG_TEXT, .text = value};
}
static inline struct log_field log_int(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .type = LOG_INT, .number = value};
}
static inline struct log_field log_real(const char *key, double value)
{
    return (struct log_field){.key = key, .type = LOG_REAL, .real = value};
}
static inline struct log_field log_bool(const char *key, bool value)
{
    return (struct log_field){.key = key, .type = LOG_BOOL, .number = value};
}

enum log_form { LOG_AUTO, LOG_JSON, LOG_HUMAN }; /* AUTO: human on a terminal, else JSON */

struct log_options {
    int fd; /* borrowed: what is written to is a descriptor of our own that does not block (a file's is shared: files never do) */
    enum log_form form;
    enum log_level level;       /* what is less grave is left out */
    when_ns (*wall)(void *arg); /* NULL = CLOCK_REALTIME */
    void *arg;
};

struct log;

/* Owned. NULL: ERR_NOMEM, ERR_IO. */
struct log *log_new(const struct log_options *o, struct err *err);
void log_free(struct log *l); /* NULL is fine */

/* `object` ("ns/name", "") and `msg` are borrowed; NULL counts as "". A NULL log writes nothing. Never fails, never waits, allocates nothing.
 * Not from a signal handler. */
void log_write(struct log *l, enum log_level level, const char *object, const char *msg,
               const struct log_field *fields, uint32_t n);
/* The same without fields, in the form of controller_config.log (arg is the log). */
void log_line(void *log, int level, const char *object, const char *msg);

void log_set_level(struct log *l, enum log_level level);
bool log_wants(const struct log *l, enum log_level level);

struct log_stats {
    uint64_t lines[LOG_LEVELS]; /* that were written */
    uint64_t dropped;           /* no room, or an error of the descriptor */
};
struct log_stats log_stats(const struct log *l);

const char *log_level_name(enum log_level level); /* "error", "warning", "info", "debug" */
/* Of a name, or of 0..3 (verbosity: 0 = error). ERR_INVALID. */
MUST_USE int log_level_parse(const char *text, enum log_level *ret, struct err *err);

#endif
