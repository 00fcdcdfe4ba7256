/* Metrics in the text format of Prometheus, version 0.0.4 (libraries.md 5).
 *
 * A registry is made from a table of families. Families of one kind hold series: a counter, gauge or histogram for each set of label values,
 * made when it is first used, changed in O(1), gone when their owner is (metrics_forget). Families of the other kind have a `collect`: their
 * samples are told when somebody asks for the text, and nothing is kept.
 *
 * Names of labels are fixed by the table, values come from outside: there is a maximum of series, in a family and in all, and what is above
 * it, or what memory is short for, is dropped and counted. Single-threaded. */
#ifndef SLUICE_SERVE_METRICS_H
#define SLUICE_SERVE_METRICS_H

#include "base/str.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum {
    METRICS_LABELS_MAX = 8,    /* of a family */
    METRICS_VALUES_MAX = 1024, /* bytes of all label values of one series, with a NUL behind each */
    METRICS_BUCKETS_MAX = 24,  /* of a histogram, without +Inf */
    METRICS_FAMILY_MAX = 65536,
    METRICS_SERIES_MAX = 262144,
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* Who goes takes its series along. */
enum metric_owner {
    METRIC_NOBODY,        /* series stay */
    METRIC_CLUSTER_QUEUE, /* named by the first label */
    METRIC_LOCAL_QUEUE,   /* named by the first two: name, namespace */
    METRIC_COHORT,        /* named by the first label */
    METRIC_OWNERS
};

struct metrics;
struct metrics_out;

/* A family. All of it is static: borrowed for the life of the registry. */
struct metric {
    const char *name, *help;
    enum metric_type type;
    enum metric_owner owner;
    const char *labels[METRICS_LABELS_MAX]; /* the first NULL ends */
    const double
        *bounds; /* of a histogram: upper ends of buckets, ascending, without +Inf; NULL = METRICS_DEFAULT */
    uint32_t nbounds;
    /* Tells samples by metrics_sample; not for histograms. NULL: the family holds series. */
    void (*collect)(void *arg, struct metrics_out *out);
};

/* Prometheus' default bounds: 5 ms to 10 s. */
extern const double METRICS_DEFAULT[11];

/* `table` of `n` families; they are known by their place in it and printed in its order. `arg` goes to collect. Owned. NULL: ERR_NOMEM,
 * ERR_INVALID (a name or label that the format does not allow, twice the same name, bounds that do not rise, too many). */
struct metrics *metrics_new(const struct metric *table, uint32_t n, void *arg, struct err *err);
void metrics_free(struct metrics *m); /* NULL is fine */

/* `values`: as many as the family has labels; borrowed; NULL counts as "". A NULL registry does nothing. */
void metrics_add(struct metrics *m, uint32_t family, const char *const *values,
                 double by); /* counter (by >= 0), gauge */
void metrics_set(struct metrics *m, uint32_t family, const char *const *values, double to); /* gauge */
void metrics_observe(struct metrics *m, uint32_t family, const char *const *values,
                     double v); /* histogram; NaN is dropped */

/* One part of a gauge that goes up and down as things come and go: how many there are of a sort. A series that counts nothing is not
 * printed. The handle is good until it is given back, whatever is forgotten meanwhile. NULL when it was dropped. */
struct metric_series;
struct metric_series *metrics_hold(struct metrics *m, uint32_t family, const char *const *values);
void metrics_give_back(struct metrics *m, struct metric_series *s); /* NULL is fine */

/* The owner is gone, and with it its series. `second` is the namespace of a LocalQueue, else NULL. O(its series). */
void metrics_forget(struct metrics *m, enum metric_owner owner, const char *first, const char *second);
/* All series of a family. */
void metrics_clear(struct metrics *m, uint32_t family);

/* From within collect: which family is being collected (its place in the table), and a sample of it. */
uint32_t metrics_family(const struct metrics_out *out);
void metrics_sample(struct metrics_out *out, const char *const *values, double v);

/* Appends the text. ERR_NOMEM (or over the maximum of `out`): what was appended is of no use then. */
MUST_USE int metrics_text(struct metrics *m, struct str *out, struct err *err);

struct metrics_stats {
    uint32_t series;
    uint64_t dropped_memory, dropped_limit; /* updates that were lost, or samples */
    uint64_t texts;                         /* written */
    uint64_t bytes;                         /* of the last one */
};
struct metrics_stats metrics_stats(const struct metrics *m);

/* A number as the format has it: the shortest text that reads back the same; NaN, +Inf, -Inf. */
void metrics_number(struct str *out, double v);

#endif
