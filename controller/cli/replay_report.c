/* Results of a replay: a table for people, JSON and CSV for programs. All from one list of measures. */
#include "cli/replay.h"
#include "cli/table.h"

#include <string.h>

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

static void put_cell(struct table *t, struct str *text, enum table_style style)
{
    table_styled(t, style, str_text(text));
    str_clear(text);
}

/* "+3.5%" against the first policy, "" where there is nothing to compare. */
static void put_difference(struct str *text, const struct replay_measure *m, double v, double first)
{
    if (v == first)
        return;
    double d = v - first;
    str_add(text, d < 0 ? " (-" : " (+");
    replay_put_value(text, m->form, d < 0 ? -d : d);
    str_add(text, ")");
}

static void print_summary(const struct replay_print *p, struct str *out)
{
    struct table t;
    struct str text;
    double v[REPLAY_POLICIES_MAX];

    str_init(&text, 0);
    table_init(&t, p->nruns + 1, p->width, p->colors);
    table_styled(&t, TABLE_HEAD, "ALL QUEUES");
    for (uint32_t i = 0; i < p->nruns; i++) {
        t.right[i + 1] = true;
        table_styled(&t, TABLE_HEAD, p->runs[i].name);
    }
    for (int k = 0; k < REPLAY_MEASURES; k++) {
        const struct replay_measure *m = &replay_measures[k];
        table_cell(&t, m->title);
        for (uint32_t i = 0; i < p->nruns; i++)
            v[i] = m->of(&p->runs[i].result->total, p, p->runs[i].result);
        for (uint32_t i = 0; i < p->nruns; i++) {
            bool best = replay_is_best(m, v, p->nruns, i);
            replay_put_value(&text, m->form, v[i]);
            if (i)
                put_difference(&text, m, v[i], v[0]);
            if (p->nruns > 1)
                str_add(&text, best ? " *" : "  ");
            put_cell(&t, &text, best ? TABLE_GOOD : TABLE_PLAIN);
        }
    }
    table_print(&t, out);
    table_free(&t);
    str_free(&text);
    if (p->nruns > 1)
        str_add(out, "\n* the best value; in brackets the difference to the first queues\n");
}

/* Columns of the tables of groups: places in `measures`. */
static const int group_columns[] = {0, 1, 2, 4, 5, 7, 8, 9, 13, 14, 18};
static const char *const group_heads[] = {"QUOTA", "JOBS", "USED",     "IDLE GPUh", "WAIT MEAN",  "P95",
                                          "P99",   ">1m",  "BORROWED", "LENT",      "RECLAIM P95"};

enum { GROUP_COLUMNS = sizeof(group_columns) / sizeof(group_columns[0]) };

static void print_groups(const struct replay_print *p, const struct replay_result *r, const char *title,
                         const struct replay_group *groups, uint32_t n, struct str *out)
{
    struct table t;
    struct str text;

    str_init(&text, 0);
    table_init(&t, GROUP_COLUMNS + 1, p->width, p->colors);
    table_styled(&t, TABLE_HEAD, title);
    for (int k = 0; k < GROUP_COLUMNS; k++) {
        t.right[k + 1] = true;
        table_styled(&t, TABLE_HEAD, group_heads[k]);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!groups[i].jobs && !groups[i].used && !groups[i].nominal)
            continue;
        table_cell(&t, groups[i].name);
        for (int k = 0; k < GROUP_COLUMNS; k++) {
            const struct replay_measure *m = &replay_measures[group_columns[k]];
            bool of_quota_only = group_columns[k] <= 4 && group_columns[k] != 1;
            if (of_quota_only && !groups[i].nominal)
                str_add(&text, "-");
            else
                replay_put_value(&text, m->form, m->of(&groups[i], p, r));
            put_cell(&t, &text, TABLE_PLAIN);
        }
    }
    str_addc(out, '\n');
    table_print(&t, out);
    table_free(&t);
    str_free(&text);
}

static void print_loans(const struct replay_print *p, const struct replay_result *r, struct str *out)
{
    struct table t;
    struct str text;

    if (!r->nloans)
        return;
    str_init(&text, 0);
    table_init(&t, 3, p->width, p->colors);
    t.right[2] = true;
    table_styled(&t, TABLE_HEAD, "BORROWER");
    table_styled(&t, TABLE_HEAD, "LENDER");
    table_styled(&t, TABLE_HEAD, "GPU-HOURS");
    for (uint32_t i = 0; i < r->nloans; i++) {
        const struct replay_loan *l = &r->loans[i];
        table_cell(&t, l->borrower);
        str_add(&text, l->kind == LOAN_CLUSTER_QUEUE ? "" : loan_kind_name(l->kind));
        str_addf(&text, "%s%s", l->kind == LOAN_COHORT ? " " : "", l->lender);
        put_cell(&t, &text, TABLE_PLAIN);
        replay_put_value(&text, FORM_HOURS, replay_hours(l->amount, p));
        put_cell(&t, &text, TABLE_PLAIN);
    }
    str_addc(out, '\n');
    table_print(&t, out);
    table_free(&t);
    str_free(&text);
}

static void print_left_out(const struct replay_result *r, struct str *out)
{
    if (r->no_gpu)
        str_addf(out, "%llu jobs ask for no GPU and were left out.\n", (unsigned long long)r->no_gpu);
    if (r->impossible)
        str_addf(out, "%llu jobs are larger than their queue can ever get and were left out.\n",
                 (unsigned long long)r->impossible);
    if (r->left)
        str_addf(out, "%llu jobs were deactivated after too many starts that were given up.\n",
                 (unsigned long long)r->left);
    if (r->rounded)
        str_addf(out, "%llu jobs ask for parts of a unit and were rounded up.\n",
                 (unsigned long long)r->rounded);
    str_addf(out, "%llu cycles, %llu decisions, %llu jobs arrived, %llu ended, %llu run, %llu wait.\n",
             (unsigned long long)r->cycles, (unsigned long long)r->decisions, (unsigned long long)r->arrived,
             (unsigned long long)r->ended, (unsigned long long)r->running, (unsigned long long)r->waiting);
}

/* Are the tenants just the queues under other names? Then one table says it all. */
static bool is_same(const struct replay_result *r)
{
    if (r->ntenants != r->nqueues)
        return false;
    for (uint32_t i = 0; i < r->ntenants; i++)
        if (strcmp(r->tenants[i].name, r->queues[i].name) != 0)
            return false;
    return true;
}

void replay_print_table(const struct replay_print *p, struct str *out)
{
    print_summary(p, out);
    for (uint32_t i = 0; i < p->nruns; i++) {
        const struct replay_result *r = p->runs[i].result;
        str_addf(out, "\n%s\n", p->runs[i].name);
        print_groups(p, r, "QUEUE", r->queues, r->nqueues, out);
        if (!is_same(r))
            print_groups(p, r, "TENANT", r->tenants, r->ntenants, out);
        print_groups(p, r, "GPUS OF A JOB", r->sizes, REPLAY_SIZES, out);
        print_loans(p, r, out);
        str_addc(out, '\n');
        print_left_out(r, out);
    }
}

/* ---- for programs: times in seconds -------------------------------------------------------------------------------------- */

static void put_number(struct str *out, const struct replay_measure *m, double v)
{
    str_addf(out, "%.6g", m->form == FORM_TIME ? v / 1e9 : v);
}

/* More than six digits where a number is whole. */
static void put_exact(struct str *out, const struct replay_measure *m, double v)
{
    double x = m->form == FORM_TIME ? v / 1e9 : v;

    if (x == (double)(int64_t)x && x < 1e15)
        str_addf(out, "%lld", (long long)x);
    else if (x >= 1e5)
        str_addf(out, "%.3f", x);
    else
        put_number(out, m, v);
}

static const char *unit_suffix(enum replay_form form)
{
    return form == FORM_TIME ? "Seconds" : "";
}

static void json_group(const struct replay_print *p, const struct replay_result *r,
                       const struct replay_group *g, struct str *out)
{
    str_add(out, "{\"name\":");
    str_add_json(out, g->name);
    for (int k = 0; k < REPLAY_MEASURES; k++) {
        str_addf(out, ",\"%s%s\":", replay_measures[k].key, unit_suffix(replay_measures[k].form));
        put_exact(out, &replay_measures[k], replay_measures[k].of(g, p, r));
    }
    str_add(out, "}");
}

static void json_groups(const struct replay_print *p, const struct replay_result *r, const char *key,
                        const struct replay_group *g, uint32_t n, struct str *out)
{
    str_addf(out, ",\n \"%s\":[", key);
    for (uint32_t i = 0; i < n; i++) {
        str_add(out, i ? ",\n  " : "\n  ");
        json_group(p, r, &g[i], out);
    }
    str_add(out, "]");
}

static void json_run(const struct replay_print *p, const struct replay_run *run, struct str *out)
{
    const struct replay_result *r = run->result;

    str_add(out, "{\"queues\":");
    str_add_json(out, run->name);
    str_add(out, ",\n \"all\":");
    json_group(p, r, &r->total, out);
    json_groups(p, r, "clusterQueues", r->queues, r->nqueues, out);
    json_groups(p, r, "tenants", r->tenants, r->ntenants, out);
    json_groups(p, r, "sizes", r->sizes, REPLAY_SIZES, out);
    str_add(out, ",\n \"loans\":[");
    for (uint32_t i = 0; i < r->nloans; i++) {
        str_addf(out, "%s{\"borrower\":", i ? ",\n  " : "\n  ");
        str_add_json(out, r->loans[i].borrower);
        str_addf(out, ",\"kind\":\"%s\",\"lender\":", loan_kind_name(r->loans[i].kind));
        str_add_json(out, r->loans[i].lender);
        str_addf(out, ",\"gpuHours\":%.3f}", replay_hours(r->loans[i].amount, p));
    }
    str_addf(out,
             "],\n "
             "\"arrived\":%llu,\"ended\":%llu,\"running\":%llu,\"waiting\":%llu,\"deactivated\":%llu,"
             "\"noGpu\":%llu,"
             "\"impossible\":%llu,"
             "\"rounded\":%llu,\"cycles\":%llu,\"cyclesSkipped\":%llu,\"decisions\":%llu,\"admissions\":%llu,"
             "\"preemptions\":%llu}",
             (unsigned long long)r->arrived, (unsigned long long)r->ended, (unsigned long long)r->running,
             (unsigned long long)r->waiting, (unsigned long long)r->left, (unsigned long long)r->no_gpu,
             (unsigned long long)r->impossible, (unsigned long long)r->rounded, (unsigned long long)r->cycles,
             (unsigned long long)r->skipped_cycles, (unsigned long long)r->decisions,
             (unsigned long long)r->admissions, (unsigned long long)r->evictions);
}

void replay_print_json(const struct replay_print *p, struct str *out)
{
    str_add(out, "{\"apiVersion\":\"sluice/v1\",\"kind\":\"Replay\",\"trace\":");
    str_add_json(out, p->trace);
    str_add(out, ",\"runs\":[");
    for (uint32_t i = 0; i < p->nruns; i++) {
        str_add(out, i ? ",\n" : "\n");
        json_run(p, &p->runs[i], out);
    }
    str_add(out, "]}\n");
}

static void csv_text(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            str_addc(out, '"');
        str_addc(out, *text);
    }
    str_addc(out, '"');
}

static void csv_groups(const struct replay_print *p, const struct replay_run *run, const char *kind,
                       const struct replay_group *g, uint32_t n, struct str *out)
{
    for (uint32_t i = 0; i < n; i++) {
        csv_text(out, run->name);
        str_addf(out, ",%s,", kind);
        csv_text(out, g[i].name);
        for (int k = 0; k < REPLAY_MEASURES; k++) {
            str_addc(out, ',');
            put_exact(out, &replay_measures[k], replay_measures[k].of(&g[i], p, run->result));
        }
        str_addc(out, '\n');
    }
}

void replay_print_csv(const struct replay_print *p, struct str *out)
{
    str_add(out, "queues,kind,name");
    for (int k = 0; k < REPLAY_MEASURES; k++)
        str_addf(out, ",%s%s", replay_measures[k].key, unit_suffix(replay_measures[k].form));
    str_addc(out, '\n');
    for (uint32_t i = 0; i < p->nruns; i++) {
        const struct replay_result *r = p->runs[i].result;
        csv_groups(p, &p->runs[i], "all", &r->total, 1, out);
        csv_groups(p, &p->runs[i], "clusterQueue", r->queues, r->nqueues, out);
        csv_groups(p, &p->runs[i], "tenant", r->tenants, r->ntenants, out);
        csv_groups(p, &p->runs[i], "size", r->sizes, REPLAY_SIZES, out);
    }
}
