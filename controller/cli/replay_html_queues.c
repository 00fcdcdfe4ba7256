/* Answers in short, waits, and each queue over time. */
#include "cli/replay_html.h"

#include <string.h>

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

enum { TOP = 3 };

static void answer_loans(struct page *g, const struct replay_result *r)
{
    const struct replay_loan *top[TOP];
    struct str *out = g->out;
    uint32_t n = 0;
    wide all = 0;

    for (uint32_t k = 0; k < r->nloans; k++) {
        uint32_t i = n;
        all += r->loans[k].amount;
        for (; i && top[i - 1]->amount < r->loans[k].amount; i--)
            if (i < TOP)
                top[i] = top[i - 1];
        if (i < TOP)
            top[i] = &r->loans[k];
        n += n < TOP;
    }
    str_add(out, "<dt>Who borrows from whom</dt>\n<dd>");
    if (!n)
        str_add(out, "Nobody borrows.");
    for (uint32_t i = 0; i < n; i++) {
        str_add(out, "<p><b>");
        html_name(out, top[i]->borrower);
        str_add(out, "</b> from <b>");
        page_lender(out, top[i]);
        str_add(out, "</b>: ");
        html_number(out, replay_hours(top[i]->amount, g->p), 1);
        str_add(out, " GPU-hours</p>");
    }
    if (n) {
        str_add(out, "<p class=\"soft\">of ");
        html_number(out, replay_hours(all, g->p), 1);
        str_add(out, " in all</p>");
    }
    str_add(out, "</dd>\n");
}

static void answer_idle(struct page *g, const struct replay_result *r)
{
    double v[CHART_BINS_MAX];
    struct str *out = g->out;
    int64_t step;
    uint32_t n = page_values(g, r, &r->total.series, SERIES_IDLE, v, &step), best = 0;
    double span = (double)replay_span(g->p, r) * (double)r->total.nominal;

    str_add(out, "<dt>Idle while jobs waited</dt>\n<dd>");
    for (uint32_t i = 1; i < n; i++)
        best = v[i] > v[best] ? i : best;
    if (!n || v[best] <= 0) {
        str_add(out, "Never.</dd>\n");
        return;
    }
    str_add(out, "<p><b>");
    html_number(out, replay_hours(r->total.idle_waiting, g->p), 1);
    str_add(out, "</b> GPU-hours");
    if (r->total.nominal != AMOUNT_UNLIMITED && span > 0)
        str_addf(out, ", %.1f%% of the quota", 100.0 * (double)r->total.idle_waiting / span);
    str_add(out, "</p><p>most about <b>");
    chart_put_time(out, &g->time, i64_add(g->time.from, i64_mul(step, best)), step);
    str_add(out, "</b>: ");
    html_number(out, v[best], 1);
    str_add(out, " GPUs</p></dd>\n");
}

static void answer_waits(struct page *g, uint32_t run)
{
    const struct page_queue *top[TOP];
    struct str *out = g->out;
    uint32_t n = 0;

    for (uint32_t k = 0; k < g->nqueues; k++) {
        const struct replay_group *q = g->queues[k].of[run];
        int64_t wait = q ? tally_mean(&q->wait) : 0;
        uint32_t i = n;
        if (wait < NS_PER_S / 2)
            continue;
        for (; i && tally_mean(&top[i - 1]->of[run]->wait) < wait; i--)
            if (i < TOP)
                top[i] = top[i - 1];
        if (i < TOP)
            top[i] = &g->queues[k];
        n += n < TOP;
    }
    str_add(out, "<dt>Who waits longest</dt>\n<dd>");
    if (!n)
        str_add(out, "Nobody waits.");
    for (uint32_t i = 0; i < n; i++) {
        const struct replay_group *q = top[i]->of[run];
        uint32_t id = (uint32_t)(top[i] - g->queues);
        str_add(out, "<p><b>");
        if (id < g->ncharted)
            str_addf(out, "<a href=\"#q%u\">", id);
        html_name(out, q->name);
        str_add(out, id < g->ncharted ? "</a></b>: " : "</b>: ");
        page_length(out, tally_mean(&q->wait));
        str_add(out, " on average, p95 ");
        page_length(out, tally_percentile(&q->wait, 95));
        str_add(out, "</p>");
    }
    uint64_t never = g->p->runs[run].result->total.jobs - g->p->runs[run].result->total.started;
    if (never) {
        str_add(out, "<p>");
        html_number(out, (double)never, 0);
        str_add(out, never == 1 ? " job never started</p>" : " jobs never started</p>");
    }
    str_add(out, "</dd>\n");
}

void page_answers(struct page *g)
{
    str_add(g->out, "<section id=\"answers\">\n<h2>Answers</h2>\n<div class=\"cards\">\n");
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        str_add(g->out, "<article>\n<h3>");
        page_run(g, i);
        str_add(g->out, "</h3>\n<dl>\n");
        answer_loans(g, g->p->runs[i].result);
        answer_idle(g, g->p->runs[i].result);
        answer_waits(g, i);
        str_add(g->out, "</dl>\n</article>\n");
    }
    str_add(g->out, "</div>\n</section>\n");
}

/* ---- waits -------------------------------------------------------------------------------------------------------------- */

static const struct chart_panel shares = {1, CHART_TOP, CHART_BOTTOM};

static void put_curves(struct page *g, const struct replay_group *const *of, const char *label)
{
    struct chart_lengths lengths;
    uint64_t over[CHART_POINTS];
    double share[CHART_POINTS];
    int64_t max = 0;

    for (uint32_t i = 0; i < g->p->nruns; i++)
        if (of[i])
            max = of[i]->wait.max_ns > max ? of[i]->wait.max_ns : max;
    chart_lengths(&lengths, max);
    chart_begin(g->out, NULL, label);
    chart_length_axis(g->out, &lengths);
    for (int i = 0; i <= 4; i++)
        str_addf(g->out,
                 "<path class=\"grid\" d=\"M%d %dH%d\"/><text class=\"end\" x=\"%d\" y=\"%d\">%d%%</text>\n",
                 CHART_LEFT, CHART_BOTTOM - i * (CHART_BOTTOM - CHART_TOP) / 4, CHART_RIGHT, CHART_LEFT - 4,
                 CHART_BOTTOM - i * (CHART_BOTTOM - CHART_TOP) / 4 + 3, i * 25);
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        if (!of[i] || !of[i]->wait.n)
            continue;
        tally_over(&of[i]->wait, lengths.at_ns, CHART_POINTS, over);
        for (int k = 0; k < CHART_POINTS; k++)
            share[k] = (double)over[k] / (double)of[i]->wait.n;
        chart_curve(g->out, &shares, i, share);
    }
    chart_end(g->out);
}

static void put_run_legend(struct page *g)
{
    str_add(g->out, "<p class=\"legend\">");
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        page_run(g, i);
        str_add(g->out, " \xc2\xa0 ");
    }
    str_add(g->out, "</p>\n");
}

/* Where a length lies on a bar of 100, by the logarithm: one second is nothing, `max` all. */
static double bar_of(const struct chart_lengths *l, int64_t ns)
{
    int i = 0;

    while (i + 1 < CHART_POINTS && l->at_ns[i + 1] <= ns)
        i++;
    return ns < NS_PER_S ? 0 : 100.0 * i / (CHART_POINTS - 1);
}

static void put_wait_cell(struct page *g, const struct replay_group *q, const struct chart_lengths *l)
{
    struct str *out = g->out;

    if (!q || !q->wait.n) {
        str_add(out, "<td></td>");
        return;
    }
    int64_t p50 = tally_percentile(&q->wait, 50), p95 = tally_percentile(&q->wait, 95);
    double a = bar_of(l, p50), b = bar_of(l, p95), mean = bar_of(l, tally_mean(&q->wait));
    str_add(out, "<td>");
    page_length(out, tally_mean(&q->wait));
    str_add(out, " <span class=\"soft\">(p50 ");
    page_length(out, p50);
    str_add(out, ", p95 ");
    page_length(out, p95);
    str_addf(out,
             ")</span><svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
             "aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"8\"/><rect class=\"waiting\" "
             "x=\"%.0f\" width=\"%.0f\" height=\"8\"/><rect class=\"mean\" x=\"%.0f\" width=\"1.5\" "
             "height=\"8\"/></svg></td>",
             a, b > a ? b - a : 0, mean > 98.5 ? 98.5 : mean);
}

static void put_wait_table(struct page *g)
{
    struct chart_lengths lengths;
    struct str *out = g->out;
    int64_t max = 0;
    uint32_t rows = g->nqueues < PAGE_ROWS_MAX ? g->nqueues : PAGE_ROWS_MAX;

    for (uint32_t i = 0; i < g->p->nruns; i++) {
        int64_t most = g->p->runs[i].result->total.wait.max_ns;
        max = most > max ? most : max;
    }
    chart_lengths(&lengths, max);
    str_add(out,
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Waits of "
            "queues\">\n<table>\n<caption>Mean "
            "wait; the bar goes from p50 to p95 by the logarithm, its line is the mean. The queue with the "
            "longest wait comes first.</caption>\n<thead><tr><th scope=\"col\">Queue</th>");
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        str_add(out, "<th scope=\"col\">");
        page_run(g, i);
        str_add(out, "</th>");
    }
    str_add(out, "</tr></thead>\n<tbody>\n");
    for (uint32_t k = 0; k < rows; k++) {
        str_add(out, "<tr><th scope=\"row\">");
        if (k < g->ncharted)
            str_addf(out, "<a href=\"#q%u\">", k);
        html_name(out, g->queues[k].name);
        str_add(out, k < g->ncharted ? "</a></th>" : "</th>");
        for (uint32_t i = 0; i < g->p->nruns; i++)
            put_wait_cell(g, g->queues[k].of[i], &lengths);
        str_add(out, "</tr>\n");
    }
    str_add(out, "</tbody>\n</table>\n</div>\n");
    if (rows < g->nqueues)
        str_addf(out,
                 "<p class=\"note\">%u more queues wait less long; <code>-o csv</code> has them all.</p>\n",
                 g->nqueues - rows);
}

void page_waits(struct page *g)
{
    const struct replay_group *all[REPLAY_POLICIES_MAX];

    for (uint32_t i = 0; i < g->p->nruns; i++)
        all[i] = &g->p->runs[i].result->total;
    str_add(g->out, "<section id=\"waits\">\n<h2>Waits</h2>\n<p>How many of all jobs waited longer than so "
                    "long:</p>\n");
    put_run_legend(g);
    put_curves(g, all, "Share of all jobs that waited longer than a length of time, a curve for each policy");
    put_wait_table(g);
    str_add(g->out, "</section>\n");
}

/* ---- queues ------------------------------------------------------------------------------------------------------------- */

struct queue_values {
    double used[CHART_BINS_MAX], borrowed[CHART_BINS_MAX], lent[CHART_BINS_MAX], waiting[CHART_BINS_MAX],
        idle[CHART_BINS_MAX];
    uint32_t nused, nborrowed, nlent, nwaiting, nidle;
    int64_t step_ns;
    double quota;
};

static void read_queue(const struct page *g, uint32_t run, const struct replay_group *q,
                       struct queue_values *v)
{
    const struct replay_result *r = g->p->runs[run].result;

    memset(v, 0, sizeof(*v));
    v->nused = page_values(g, r, &q->series, SERIES_USED, v->used, &v->step_ns);
    v->nborrowed = page_values(g, r, &q->series, SERIES_BORROWED, v->borrowed, &v->step_ns);
    v->nlent = page_values(g, r, &q->series, SERIES_LENT, v->lent, &v->step_ns);
    v->nwaiting = page_values(g, r, &q->series, SERIES_WAITING, v->waiting, &v->step_ns);
    v->nidle = page_values(g, r, &q->series, SERIES_IDLE, v->idle, &v->step_ns);
    v->quota = q->nominal == AMOUNT_UNLIMITED ? 0 : (double)q->nominal / (double)g->p->units;
}

static void raise(double *to, const double *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        *to = v[i] > *to ? v[i] : *to;
}

static void put_queue_chart(struct page *g, uint32_t run, struct queue_values *v,
                            const struct chart_panel *use, const struct chart_panel *waiting)
{
    struct str *out = g->out;
    double own[CHART_BINS_MAX], idle[CHART_BINS_MAX], top[CHART_BINS_MAX], kept[CHART_BINS_MAX];
    uint32_t n = v->nused;

    for (uint32_t i = 0; i < n; i++) {
        own[i] = v->used[i] - v->borrowed[i];
        idle[i] = v->used[i] + (i < v->nidle ? v->idle[i] : 0);
    }
    for (uint32_t i = 0; i < v->nlent; i++) {
        top[i] = v->quota;
        kept[i] = v->quota - v->lent[i];
    }
    str_add(out, "<figure>\n<figcaption>");
    page_run(g, run);
    str_add(out, "</figcaption>\n");
    chart_begin(
        out, &g->time,
        "GPUs of this queue over time against its quota: used, borrowed, lent, idle while its own jobs "
        "wait; below, how many of its jobs wait");
    chart_time_axis(out, &g->time);
    chart_panel(out, use, "GPUs");
    chart_panel(out, waiting, "jobs waiting");
    chart_area(out, &g->time, use, "used", "in use of its own quota", own, NULL, n, v->step_ns);
    chart_area(out, &g->time, use, "idle", "not used while its jobs wait", idle, v->used, n, v->step_ns);
    chart_area(out, &g->time, use, "borrowed", "borrowed", v->used, own, n, v->step_ns);
    if (v->quota > 0)
        chart_area(out, &g->time, use, "lent", "lent", top, kept, v->nlent, v->step_ns);
    chart_area(out, &g->time, waiting, "waiting", "jobs waiting", v->waiting, NULL, v->nwaiting, v->step_ns);
    if (v->quota > 0)
        chart_level(out, use, "quota", v->quota);
    chart_end(out);
    str_add(out, "</figure>\n");
}

static void put_queue_charts(struct page *g, const struct page_queue *q)
{
    struct queue_values v;
    double gpus = 0, jobs = 0;

    for (uint32_t i = 0; i < g->p->nruns; i++) {
        if (!q->of[i])
            continue;
        read_queue(g, i, q->of[i], &v);
        raise(&gpus, v.used, v.nused);
        raise(&gpus, &v.quota, 1);
        raise(&jobs, v.waiting, v.nwaiting);
    }
    const struct chart_panel use = {chart_round_up(gpus), CHART_TOP, CHART_MIDDLE},
                             waiting = {chart_round_up(jobs), CHART_SMALL, CHART_BOTTOM};
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        if (!q->of[i])
            continue;
        read_queue(g, i, q->of[i], &v);
        put_queue_chart(g, i, &v, &use, &waiting);
    }
}

/* Of a queue: places in replay_measures. */
static const char *const queue_rows[] = {
    "quotaGpus",        "jobs",         "utilisationPercent", "waitMean", "waitP95", "waitP99",
    "borrowedGpuHours", "lentGpuHours", "shareErrorGpuHours", "evictions"};

static void put_queue_numbers(struct page *g, const struct page_queue *q)
{
    struct str *out = g->out;

    str_add(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Numbers of this queue\">\n<table>\n"
        "<thead><tr><td></td>");
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        str_add(out, "<th scope=\"col\">");
        page_run(g, i);
        str_add(out, "</th>");
    }
    str_add(out, "</tr></thead>\n<tbody>\n");
    for (uint32_t k = 0; k < sizeof(queue_rows) / sizeof(queue_rows[0]); k++) {
        const struct replay_measure *m = replay_measures;
        while (strcmp(m->key, queue_rows[k]) != 0)
            m++;
        str_addf(out, "<tr><th scope=\"row\">%s</th>", m->title);
        for (uint32_t i = 0; i < g->p->nruns; i++) {
            str_add(out, "<td>");
            double v = q->of[i] ? m->of(q->of[i], g->p, g->p->runs[i].result) : 0;
            if (!q->of[i])
                str_add(out, "-");
            else if (m->form == FORM_HOURS || m->form == FORM_COUNT)
                html_number(out, v, 1);
            else
                replay_put_value(out, m->form, v);
            str_add(out, "</td>");
        }
        str_add(out, "</tr>\n");
    }
    str_add(out, "</tbody>\n</table>\n</div>\n");
}

static void put_queue(struct page *g, uint32_t k)
{
    const struct page_queue *q = &g->queues[k];

    str_addf(g->out, "<section class=\"queue\" id=\"q%u\" tabindex=\"-1\">\n<h3>", k);
    html_name(g->out, q->name);
    str_add(g->out, "</h3>\n<div class=\"figures\">\n");
    put_queue_charts(g, q);
    str_add(g->out, "<figure>\n<figcaption>Jobs that waited longer than so long</figcaption>\n");
    put_curves(g, q->of, "Share of the jobs of this queue that waited longer than a length of time");
    str_add(g->out, "</figure>\n</div>\n");
    put_queue_numbers(g, q);
    str_add(g->out, "</section>\n");
}

void page_queues(struct page *g)
{
    str_add(g->out,
            "<section id=\"queues\">\n<h2>Queues</h2>\n<div id=\"pick\"></div>\n"
            "<p class=\"legend\"><span class=\"key used\"></span> in use of its own quota <span class=\"key "
            "borrowed\"></span> borrowed <span class=\"key lent\"></span> lent <span class=\"key "
            "idle\"></span> not used while its jobs wait <span class=\"key line\"></span> quota <span "
            "class=\"key waiting\"></span> jobs waiting</p>\n");
    put_run_legend(g);
    if (g->ncharted < g->nqueues)
        str_addf(g->out,
                 "<p class=\"note\">The %u queues that wait longest; the other %u would make this page too "
                 "large.</p>\n",
                 g->ncharted, g->nqueues - g->ncharted);
    for (uint32_t k = 0; k < g->ncharted; k++)
        put_queue(g, k);
    str_add(g->out, "</section>\n");
}
