/* Inside of history. */
#ifndef SLUICE_LEDGER_HISTORY_PRIV_H
#define SLUICE_LEDGER_HISTORY_PRIV_H

#include "ledger/history.h"

#include "base/mem.h"

#include <sqlite3.h>
#include <string.h>

/* Keys are whole words of eight bytes; a table of a million loans is mostly looking up. */
static inline unsigned history_hash(const void *key, size_t len)
{
    uint64_t h = 0, word;

    for (size_t i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, (const char *)key + i, sizeof(word));
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (unsigned)(h ^ h >> 32);
}

#define HASH_FUNCTION(key, len, out) ((out) = history_hash(key, len))
#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(p, size) mem_free(p)
#include <uthash.h>

/* A group by ids of names; what a report does not have is 0. */
struct sum_key {
    when_ns period; /* its beginning */
    uint32_t queue, other_kind, other, flavor, resource, rule;
};

struct sum {
    UT_hash_handle hh;
    struct sum_key key;
    wide sum;
    uint64_t count, evicted, finished;
    amount taken_back;
    int64_t *samples; /* owned: lengths in ns */
    uint32_t nsamples, cap;
};

/* A loan that ended by a reclaim: the same two may go on with less, from the same moment. */
struct taken {
    UT_hash_handle hh;
    struct sum_key key; /* period 0 */
    when_ns ended;
    struct sum *in; /* where its amount was counted */
};

/* A question under way. */
struct question {
    struct history *h;
    const struct history_filter *f;
    when_ns from, to;                /* clipped to the extent */
    when_ns begin, next;             /* the period that was used last */
    int64_t queue, flavor, resource; /* ids; 0 = any, -1 = nobody has this name */
    int64_t *members;                /* of the cohort; sorted; owned */
    uint32_t nmembers;
    bool nothing; /* the filter names what is not there */
    struct sum *sums;
    struct taken *taken;
};

struct history {
    sqlite3 *db;
    char *path;
    struct history_row *rows; /* owned: of the last question, with their texts */
    uint32_t nrows;
    char **texts;
    uint32_t ntexts, cap_texts;
};

int history_fail(struct history *h, struct err *err);
/* Prepares with ?1 and ?2 bound where they occur. */
MUST_USE int history_prepare(struct history *h, const char *sql, when_ns a, when_ns b, sqlite3_stmt **ret,
                             struct err *err);
MUST_USE int history_number(struct history *h, const char *sql, when_ns a, when_ns b, int64_t *ret,
                            struct err *err);

/* history_sums.c */
/* The period of a time, from the cache or anew. */
void sums_period(struct question *q, when_ns t);
MUST_USE int sums_add(struct question *q, const struct sum_key *key, struct sum **ret);
MUST_USE int sums_sample(struct sum *s, int64_t ns);
/* Adds amount x time of an interval to all the periods it reaches into, within from and to. `key->period` is filled in. *ret_last: the group
 * of the last one, NULL when it lies outside. */
MUST_USE int sums_spread(struct question *q, struct sum_key *key, amount v, when_ns began, when_ns ended,
                         struct sum **ret_last);
bool sums_has_member(const struct question *q, int64_t name);
void sums_free(struct question *q);
/* The groups as rows of h, sorted. */
MUST_USE int sums_rows(struct question *q, struct err *err);

/* history_reports.c */
MUST_USE int reports_read(struct question *q, enum history_report report, struct err *err);

#endif
