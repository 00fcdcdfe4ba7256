/* Inside of `sluice replay`. */
#ifndef SLUICE_CLI_REPLAY_H
#define SLUICE_CLI_REPLAY_H

#include "base/str.h"
#include "sim/replay.h"

enum { REPLAY_POLICIES_MAX = 8 };
enum replay_output { REPLAY_TABLE, REPLAY_JSON, REPLAY_CSV };
enum replay_policy { POLICY_FIXED, POLICY_BORROWING, POLICY_BACKFILL, POLICY_RECLAIM };

struct replay_quota {
    const char *tenant; /* borrowed */
    uint32_t tenant_len;
    int64_t gpus;
};

struct replay_init {
    const char *trace, *mapping; /* mapping: where to write one; NULL = do not */
    enum replay_policy policy;
    int64_t capacity; /* GPUs; 0 = the mean demand, rounded up tenant by tenant */
    const struct replay_quota *quotas;
    uint32_t nquotas;
};

/* One policy that has been run. */
struct replay_run {
    const char *name; /* path of its queues */
    const struct replay_result *result;
};

struct replay_print {
    const struct replay_run *runs;
    uint32_t nruns;
    const struct replay_options *options;
    int64_t units;  /* of one GPU */
    bool has_dates; /* times of the trace are dates */
    const char *trace;
    uint32_t width;
    bool colors;
};

enum replay_form { FORM_PERCENT, FORM_COUNT, FORM_TIME, FORM_HOURS };

/* What is measured of a group: times in ns, amounts in GPU-hours. `better`: 1 = more is, -1 = less is, 0 = neither. */
struct replay_measure {
    const char *key, *title;
    enum replay_form form;
    int better;
    double (*of)(const struct replay_group *g, const struct replay_print *p, const struct replay_result *r);
};

enum { REPLAY_MEASURES = 23 };
extern const struct replay_measure replay_measures[REPLAY_MEASURES];

double replay_hours(wide sum, const struct replay_print *p); /* GPU-hours */
/* How long was measured, in ns. */
int64_t replay_span(const struct replay_print *p, const struct replay_result *r);
void replay_put_value(struct str *out, enum replay_form form, double v);
/* Is v[i] the best of n values that are not all the same? */
bool replay_is_best(const struct replay_measure *m, const double *v, uint32_t n, uint32_t i);

void replay_print_table(const struct replay_print *p, struct str *out);
void replay_print_json(const struct replay_print *p, struct str *out);
void replay_print_csv(const struct replay_print *p, struct str *out);
/* The page: replay_html.c. Needs results with series (replay_options.bins). ERR_NOMEM, also when `out` is full. */
MUST_USE int replay_print_html(const struct replay_print *p, struct str *out);
enum { REPLAY_BINS = 256 };

/* Queues for a trace, as YAML to `out`, and the mapping to its file. An exit status, after saying why. */
int replay_init(const struct replay_init *init, struct str *out);
/* Events as JSON lines to a file. */
struct replay_journal {
    FILE *file;
    const char *policy;
    struct str line;
    bool failed;
};
void replay_journal_note(void *arg, const struct replay_note *n);

#endif
