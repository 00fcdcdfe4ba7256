/* Inside of `sluice history`. */
#ifndef SLUICE_CLI_HISTORY_H
#define SLUICE_CLI_HISTORY_H

#include "base/str.h"
#include "ledger/history.h"

enum history_output { HISTORY_TABLE, HISTORY_JSON, HISTORY_CSV };

struct history_print {
    enum history_report report;
    enum history_output output;
    const struct history_filter *filter;
    struct history_extent extent;
    const struct history_row *rows;
    uint32_t n;
    uint32_t width; /* of the terminal; 0 = none: no bars */
    bool colors;
};

extern const char *const history_report_names[]; /* by enum history_report; NULL ends */

/* The answer in its form. A failure is sticky in `out`. */
void history_print(const struct history_print *p, struct str *out);
/* Who owes whom: for each resource a matrix of hours, and what remains when both directions are set against each other. */
void history_print_matrix(const struct history_print *p, struct str *out);
void history_print_json(const struct history_print *p, struct str *out);
void history_print_csv(const struct history_print *p, struct str *out);

/* Unit-hours of a sum: GPU-hours, core-hours, GiB-hours. */
double history_hours(wide sum, const char *resource);
/* "12", "1,240.5", "0.034": what a person reads. */
void history_put_number(struct str *out, double v);
/* "team-a", "Cohort all", "unlimited", "overdraft". */
void history_put_lender(struct str *out, const struct history_row *r);
/* A text without what a terminal would take as a command. */
void history_put_clean(struct str *out, const char *text);
/* In double quotes, doubled inside. */
void history_put_csv(struct str *out, const char *text);
/* "2026-03", "2026-03-02", "2026-W10" or "" by the period. */
void history_put_period(struct str *out, enum period by, when_ns from);

/* `sluice history sql`: an exit status, after saying why. */
int history_run_sql(struct history *h, const char *sql, enum history_output o, uint32_t width, bool colors);

#endif
