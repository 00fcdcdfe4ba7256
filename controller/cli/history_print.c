/* Answers as tables, with bars on a terminal. */
#include "cli/history.h"

#include "cli/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BAR_CELLS = 24 };

/* ---- texts -------------------------------------------------------------------------------------------------------------- */

double history_hours(wide sum, const char *resource)
{
    const char *name;

    return (double)sum / (double)history_unit(resource, &name) / 3600e9;
}

/* Three digits that count, and thousands apart. */
void history_put_number(struct str *out, double v)
{
    char text[64];
    double size = fabs(v);
    int decimals = size >= 100 || v == floor(v) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    int n = snprintf(text, sizeof(text), "%.*f", decimals, v), whole = n - (decimals ? decimals + 1 : 0);

    for (int i = 0; i < n && i < (int)sizeof(text); i++) {
        if (i && text[i - 1] != '-' && i < whole && (whole - i) % 3 == 0)
            str_addc(out, ',');
        str_addc(out, text[i]);
    }
}

void history_put_clean(struct str *out, const char *text)
{
    for (; *text; text++)
        str_addc(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void history_put_lender(struct str *out, const struct history_row *r)
{
    if (!strcmp(r->other_kind, "Cohort"))
        str_add(out, "Cohort ");
    history_put_clean(out, *r->other ? r->other : r->other_kind);
}

void history_put_period(struct str *out, enum period by, when_ns from)
{
    char text[32];

    (void)when_print(from, text, sizeof(text));
    text[by == PERIOD_MONTH ? 7 : 10] = '\0';
    str_add(out, by == PERIOD_ALL ? "" : text);
}

/* "90s", "12m", "3.5h", "2.1d". */
static void put_length(struct str *out, int64_t ns)
{
    double s = (double)ns / 1e9;

    if (s < 100)
        str_addf(out, "%.3gs", s);
    else if (s < 6000)
        str_addf(out, "%.0fm", s / 60);
    else if (s < 2 * 86400)
        str_addf(out, "%.1fh", s / 3600);
    else
        str_addf(out, "%.1fd", s / 86400);
}

static void put_bar(struct str *out, double v, double most)
{
    static const char *const part[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int eighths = most > 0 ? (int)(v / most * BAR_CELLS * 8 + 0.5) : 0;

    for (; eighths >= 8; eighths -= 8)
        str_add(out, "█");
    str_add(out, part[eighths > 0 ? eighths : 0]);
}

/* ---- columns ------------------------------------------------------------------------------------------------------------ */

static void put_queue(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_clean(out, r->queue);
}

static void put_other(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_lender(out, r);
}

static void put_rule(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_clean(out, r->rule);
}

static void put_flavor(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_clean(out, r->flavor);
}

static void put_resource(struct str *out, const struct history_print *p, const struct history_row *r)
{
    const char *unit;

    (void)p;
    history_put_clean(out, r->resource);
    (void)history_unit(r->resource, &unit);
    if (*unit)
        str_addf(out, " (%s)", unit);
}

static void put_hours(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_number(out, history_hours(r->sum, r->resource));
}

/* In use at a time, on average. */
static void put_mean(struct str *out, const struct history_print *p, const struct history_row *r)
{
    when_ns to = r->to < p->extent.last ? r->to : p->extent.last;

    if (to > r->from)
        history_put_number(out, history_hours(r->sum, r->resource) * 3600e9 / (double)(to - r->from));
}

static void put_taken(struct str *out, const struct history_print *p, const struct history_row *r)
{
    const char *unit;

    (void)p;
    if (r->taken_back)
        history_put_number(out, (double)r->taken_back / (double)history_unit(r->resource, &unit));
}

static void put_count(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_number(out, (double)r->count);
}

static void put_evicted(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_number(out, (double)r->evicted);
}

static void put_finished(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    history_put_number(out, (double)r->finished);
}

static void put_median(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    put_length(out, r->median_ns);
}

static void put_waits_mean(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    put_length(out, r->mean_ns);
}

static void put_p90(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    put_length(out, r->p90_ns);
}

static void put_max(struct str *out, const struct history_print *p, const struct history_row *r)
{
    (void)p;
    put_length(out, r->max_ns);
}

struct column {
    const char *head;
    void (*put)(struct str *out, const struct history_print *p, const struct history_row *r);
    bool right;
};

enum { COLUMNS_MAX = 9 };
static const struct column columns[][COLUMNS_MAX] = {
    [HISTORY_LOANS] = {{"BORROWER", put_queue, false},
                       {"LENDER", put_other, false},
                       {"FLAVOR", put_flavor, false},
                       {"RESOURCE", put_resource, false},
                       {"TAKEN BACK", put_taken, true},
                       {"HOURS", put_hours, true}},
    [HISTORY_USAGE] = {{"CLUSTERQUEUE", put_queue, false},
                       {"FLAVOR", put_flavor, false},
                       {"RESOURCE", put_resource, false},
                       {"MEAN", put_mean, true},
                       {"HOURS", put_hours, true}},
    [HISTORY_ADMISSIONS] = {{"CLUSTERQUEUE", put_queue, false},
                            {"EVICTED", put_evicted, true},
                            {"FINISHED", put_finished, true},
                            {"ADMITTED", put_count, true}},
    [HISTORY_PREEMPTIONS] = {{"VICTIM'S QUEUE", put_queue, false},
                             {"FOR", put_other, false},
                             {"RULE", put_rule, false},
                             {"FLAVOR", put_flavor, false},
                             {"RESOURCE", put_resource, false},
                             {"MEDIAN NOTICE", put_median, true},
                             {"LOST HOURS", put_hours, true},
                             {"EVICTIONS", put_count, true}},
    [HISTORY_WAITS] = {{"CLUSTERQUEUE", put_queue, false},
                       {"STARTS", put_count, true},
                       {"MEAN", put_waits_mean, true},
                       {"90 %", put_p90, true},
                       {"LONGEST", put_max, true},
                       {"MEDIAN", put_median, true}},
};

/* What the bars show: the last column. */
static double value_of(const struct history_print *p, const struct history_row *r)
{
    switch (p->report) {
    case HISTORY_LOANS:
    case HISTORY_USAGE:
        return history_hours(r->sum, r->resource);
    case HISTORY_WAITS:
        return (double)r->median_ns;
    case HISTORY_ADMISSIONS:
    case HISTORY_PREEMPTIONS:
    default:
        return (double)r->count;
    }
}

/* Of the same resource, for cores and GPUs do not compare. */
static double most_of(const struct history_print *p, const char *resource)
{
    double most = 0;

    for (uint32_t i = 0; i < p->n; i++)
        if (!strcmp(p->rows[i].resource, resource) && value_of(p, &p->rows[i]) > most)
            most = value_of(p, &p->rows[i]);
    return most;
}

static uint32_t count_columns(const struct column *c)
{
    uint32_t n = 0;

    while (n < COLUMNS_MAX && c[n].head)
        n++;
    return n;
}

static void print_head(const struct history_print *p, struct table *t, const struct column *c, uint32_t n)
{
    static const char *const periods[] = {"", "DAY", "WEEK OF", "MONTH"};

    if (p->filter->by != PERIOD_ALL)
        table_styled(t, TABLE_HEAD, periods[p->filter->by]);
    for (uint32_t i = 0; i < n; i++) {
        t->right[i + (p->filter->by != PERIOD_ALL)] = c[i].right;
        table_styled(t, TABLE_HEAD, c[i].head);
    }
    if (p->width)
        table_styled(t, TABLE_HEAD, "");
}

static void print_row(const struct history_print *p, struct table *t, const struct column *c, uint32_t n,
                      const struct history_row *r)
{
    struct str text;

    str_init(&text, 0);
    if (p->filter->by != PERIOD_ALL) {
        history_put_period(&text, p->filter->by, r->from);
        table_cell(t, str_text(&text));
    }
    for (uint32_t i = 0; i < n; i++) {
        str_clear(&text);
        c[i].put(&text, p, r);
        table_cell(t, str_text(&text));
    }
    str_clear(&text);
    if (p->width) {
        put_bar(&text, value_of(p, r), most_of(p, r->resource));
        table_styled(t, TABLE_BUSY, str_text(&text));
    }
    str_free(&text);
}

static void print_table(const struct history_print *p, struct str *out)
{
    const struct column *c = columns[p->report];
    uint32_t n = count_columns(c);
    struct table t;

    if (!p->n) {
        str_add(out, "nothing is known of that\n");
        return;
    }
    table_init(&t, n + (p->filter->by != PERIOD_ALL) + (p->width > 0), p->width, p->colors);
    print_head(p, &t, c, n);
    for (uint32_t i = 0; i < p->n; i++)
        print_row(p, &t, c, n, &p->rows[i]);
    table_print(&t, out);
    table_free(&t);
}

void history_print(const struct history_print *p, struct str *out)
{
    if (p->output == HISTORY_JSON)
        history_print_json(p, out);
    else if (p->output == HISTORY_CSV)
        history_print_csv(p, out);
    else {
        print_table(p, out);
        if (p->report == HISTORY_LOANS && p->n)
            history_print_matrix(p, out);
    }
}
