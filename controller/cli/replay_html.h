/* Inside of the page of a replay. */
#ifndef SLUICE_CLI_REPLAY_HTML_H
#define SLUICE_CLI_REPLAY_HTML_H

#include "cli/html.h"
#include "cli/html_chart.h"
#include "cli/replay.h"

enum {
    PAGE_CHARTS_MAX =
        1600, /* of queues: what a page can carry; the queues with the longest waits come first */
    PAGE_FEW_CHARTS = 100, /* up to so many have all bins, then half of them, then a quarter */
    PAGE_SOME_CHARTS = 400,
    PAGE_ROWS_MAX = 200,  /* of a table of queues */
    PAGE_PARTIES_MAX = 16 /* rows and columns of the matrix of loans; the rest is one more */
};

/* A ClusterQueue in all runs that have it. */
struct page_queue {
    const char *name;
    const struct replay_group *of[REPLAY_POLICIES_MAX]; /* NULL = is not there */
    int64_t wait_ns;                                    /* the longest mean of them */
};

struct page {
    const struct replay_print *p;
    struct str *out;
    struct chart_time time;
    struct page_queue *queues;         /* owned; the longest wait first */
    uint32_t nqueues, ncharted, merge; /* bins that become one */
};

/* Means of the bins, in GPUs or jobs; `v` has room for CHART_BINS_MAX. Returns how many. */
uint32_t page_values(const struct page *g, const struct replay_result *r, const struct series *s,
                     enum series_value what, double *v, int64_t *ret_step_ns);
/* Name of a run with the mark of its colour. */
void page_run(const struct page *g, uint32_t i);
/* "12.3h". */
void page_length(struct str *out, int64_t ns);
void page_lender(struct str *out, const struct replay_loan *l);

void page_answers(struct page *g);
MUST_USE int page_loans(struct page *g); /* ERR_NOMEM */
void page_waits(struct page *g);
void page_queues(struct page *g);

extern const char replay_page_css[], replay_page_js[]; /* the files of these names */

#endif
