/* A replay as one page of HTML that needs nothing else. Of bounded size: what happens over time stands in bins, and of very many queues those
 * that wait longest are drawn. */
#include "cli/replay_html.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- queues ------------------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_waits(const void *a, const void *b)
{
    const struct page_queue *x = a, *y = b;

    if (x->wait_ns != y->wait_ns)
        return x->wait_ns > y->wait_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

static const struct replay_group *find_queue(const struct replay_result *r, const char *name)
{
    uint32_t low = 0, high = r->nqueues;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = strcmp(name, r->queues[mid].name);
        if (!c)
            return &r->queues[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static void fill_queue(const struct replay_print *p, const char *name, struct page_queue *q)
{
    *q = (struct page_queue){.name = name};
    for (uint32_t i = 0; i < p->nruns; i++) {
        q->of[i] = find_queue(p->runs[i].result, name);
        int64_t wait = q->of[i] ? tally_mean(&q->of[i]->wait) : 0;
        q->wait_ns = wait > q->wait_ns ? wait : q->wait_ns;
    }
}

/* The queues of all runs, each once. */
static int list_queues(struct page *g)
{
    const struct replay_print *p = g->p;
    uint32_t n = 0, all = 0;

    for (uint32_t i = 0; i < p->nruns; i++)
        all += p->runs[i].result->nqueues;
    const char **names = mem_zalloc(all + 1, sizeof(*names));
    g->queues = mem_zalloc(all + 1, sizeof(*g->queues));
    if (!names || !g->queues) {
        mem_free(names);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < p->nruns; i++)
        for (uint32_t k = 0; k < p->runs[i].result->nqueues; k++)
            names[n++] = p->runs[i].result->queues[k].name;
    qsort(names, n, sizeof(*names), compare_names);
    for (uint32_t i = 0; i < n; i++)
        if (!i || strcmp(names[i], names[i - 1]) != 0)
            fill_queue(p, names[i], &g->queues[g->nqueues++]);
    qsort(g->queues, g->nqueues, sizeof(*g->queues), compare_waits);
    mem_free(names);
    uint32_t most = p->nruns ? PAGE_CHARTS_MAX / p->nruns : 0;
    g->ncharted = g->nqueues < most ? g->nqueues : most;
    uint32_t charts = g->ncharted * p->nruns;
    g->merge = charts <= PAGE_FEW_CHARTS ? 1 : charts <= PAGE_SOME_CHARTS ? 2 : 4;
    return 0;
}

/* ---- values ------------------------------------------------------------------------------------------------------------- */

static when_ns measured_until(const struct page *g, const struct replay_result *r)
{
    when_ns to = g->p->options->window.to;

    return r->ended_at < to ? r->ended_at : to;
}

uint32_t page_values(const struct page *g, const struct replay_result *r, const struct series *s,
                     enum series_value what, double *v, int64_t *ret_step_ns)
{
    when_ns until = measured_until(g, r);
    int64_t step = i64_mul(s->step_ns, g->merge);
    uint32_t n = 0;
    double unit = what == SERIES_WAITING ? 1 : (double)g->p->units;

    *ret_step_ns = step;
    for (uint32_t i = 0; i < s->n && n < CHART_BINS_MAX; n++) {
        when_ns begin = i64_add(s->from, i64_mul(step, n)), end = i64_add(begin, step);
        wide sum = 0;
        for (uint32_t k = 0; k < g->merge && i < s->n; k++)
            sum += s->bin[i++][what];
        end = end < until ? end : until;
        v[n] = end > begin ? (double)sum / (double)(end - begin) / unit : 0;
    }
    return n;
}

static void find_time(struct page *g)
{
    const struct replay_print *p = g->p;

    g->time = (struct chart_time){INT64_MAX, INT64_MIN + 1, p->has_dates};
    for (uint32_t i = 0; i < p->nruns; i++) {
        const struct replay_result *r = p->runs[i].result;
        when_ns from = r->total.series.from, to = measured_until(g, r);
        g->time.from = from < g->time.from ? from : g->time.from;
        g->time.to = to > g->time.to ? to : g->time.to;
    }
    if (g->time.to <= g->time.from)
        g->time.to = i64_add(g->time.from, NS_PER_S);
}

/* ---- words -------------------------------------------------------------------------------------------------------------- */

void page_run(const struct page *g, uint32_t i)
{
    str_addf(g->out, "<span class=\"mark p%u\"></span>", i);
    html_name(g->out, g->p->runs[i].name);
}

void page_length(struct str *out, int64_t ns)
{
    replay_put_value(out, FORM_TIME, (double)ns);
}

void page_lender(struct str *out, const struct replay_loan *l)
{
    if (l->kind == LOAN_OVERDRAFT)
        str_add(out, "nobody (above all quota)");
    else if (l->kind == LOAN_UNLIMITED)
        str_add(out, "unlimited quota");
    if (l->kind == LOAN_COHORT)
        str_add(out, "cohort ");
    if (l->kind == LOAN_COHORT || l->kind == LOAN_CLUSTER_QUEUE)
        html_name(out, l->lender);
}

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

static void put_head(struct page *g)
{
    struct str *out = g->out;
    uint64_t jobs = 0; /* those that a policy makes impossible are not among its own */

    for (uint32_t i = 0; i < g->p->nruns; i++)
        jobs = g->p->runs[i].result->total.jobs > jobs ? g->p->runs[i].result->total.jobs : jobs;

    str_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                 "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Replay of ");
    html_text(out, g->p->trace);
    str_add(out, "</title>\n<style>\n");
    str_add(out, replay_page_css);
    str_add(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#answers\">To the answers</a>\n"
                 "<header>\n<h1>Replay of ");
    html_name(out, g->p->trace);
    str_add(out, "</h1>\n<p>");
    html_number(out, (double)jobs, 0);
    str_add(out, " jobs, measured from ");
    chart_put_time(out, &g->time, g->time.from, 0);
    str_add(out, " to ");
    chart_put_time(out, &g->time, g->time.to, 0);
    str_addf(out, "; %u %s, %u queues.</p>\n", g->p->nruns, g->p->nruns == 1 ? "policy" : "policies",
             g->nqueues);
    str_add(out, "<nav aria-label=\"Parts of this page\"><a href=\"#answers\">Answers</a> <a "
                 "href=\"#compare\">Numbers</a> <a href=\"#time\">Use over time</a> <a "
                 "href=\"#loans\">Loans</a> <a href=\"#waits\">Waits</a> <a "
                 "href=\"#queues\">Queues</a></nav>\n</header>\n<main>\n");
}

static void put_numbers(struct page *g)
{
    const struct replay_print *p = g->p;
    struct str *out = g->out;
    double v[REPLAY_POLICIES_MAX];

    str_add(out,
            "<section id=\"compare\">\n<h2>Numbers</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" "
            "aria-label=\"Numbers of all policies\">\n<table>\n<thead><tr><th scope=\"col\">All queues</th>");
    for (uint32_t i = 0; i < p->nruns; i++) {
        str_add(out, "<th scope=\"col\">");
        page_run(g, i);
        str_add(out, "</th>");
    }
    str_add(out, "</tr></thead>\n<tbody>\n");
    for (int k = 0; k < REPLAY_MEASURES; k++) {
        const struct replay_measure *m = &replay_measures[k];
        for (uint32_t i = 0; i < p->nruns; i++)
            v[i] = m->of(&p->runs[i].result->total, p, p->runs[i].result);
        str_addf(out, "<tr><th scope=\"row\">%s</th>", m->title);
        for (uint32_t i = 0; i < p->nruns; i++) {
            bool best = replay_is_best(m, v, p->nruns, i);
            str_add(out, best ? "<td class=\"best\">" : "<td>");
            if (m->form == FORM_HOURS || m->form == FORM_COUNT)
                html_number(out, v[i], 1);
            else
                replay_put_value(out, m->form, v[i]);
            str_add(out, best ? " <span title=\"the best value\">✓</span></td>" : "</td>");
        }
        str_add(out, "</tr>\n");
    }
    str_add(out,
            "</tbody>\n</table>\n</div>\n<p class=\"note\">✓ marks the best value. Waits count from "
            "submission to "
            "the first start. The fair share of a queue is its own quota as far as it asks for it, and of "
            "what others leave idle a part by its weight.</p>\n</section>\n");
}

static double largest(const double *v, uint32_t n)
{
    double most = 0;

    for (uint32_t i = 0; i < n; i++)
        most = v[i] > most ? v[i] : most;
    return most;
}

/* Scales that all policies share. */
static void find_scales(struct page *g, struct chart_panel *use, struct chart_panel *waiting)
{
    double v[CHART_BINS_MAX], gpus = 0, jobs = 0;
    int64_t step;

    for (uint32_t i = 0; i < g->p->nruns; i++) {
        const struct replay_result *r = g->p->runs[i].result;
        double quota =
            r->total.nominal == AMOUNT_UNLIMITED ? 0 : (double)r->total.nominal / (double)g->p->units;
        uint32_t n = page_values(g, r, &r->total.series, SERIES_USED, v, &step);
        double most = largest(v, n);
        gpus = most > gpus ? most : gpus;
        gpus = quota > gpus ? quota : gpus;
        n = page_values(g, r, &r->total.series, SERIES_WAITING, v, &step);
        most = largest(v, n);
        jobs = most > jobs ? most : jobs;
    }
    *use = (struct chart_panel){chart_round_up(gpus), CHART_TOP, CHART_MIDDLE};
    *waiting = (struct chart_panel){chart_round_up(jobs), CHART_SMALL, CHART_BOTTOM};
}

static void put_use(struct page *g, uint32_t i, const struct chart_panel *use,
                    const struct chart_panel *waiting)
{
    const struct replay_result *r = g->p->runs[i].result;
    double used[CHART_BINS_MAX], v[CHART_BINS_MAX];
    int64_t step;
    struct str *out = g->out;

    str_add(out, "<figure>\n<figcaption>");
    page_run(g, i);
    str_add(out, "</figcaption>\n");
    chart_begin(out, &g->time,
                "GPUs in use and GPUs idle while jobs wait, over time; below, how many jobs wait");
    chart_time_axis(out, &g->time);
    chart_panel(out, use, "GPUs");
    chart_panel(out, waiting, "jobs waiting");
    uint32_t n = page_values(g, r, &r->total.series, SERIES_USED, used, &step);
    (void)page_values(g, r, &r->total.series, SERIES_IDLE, v, &step);
    for (uint32_t k = 0; k < n; k++)
        v[k] += used[k];
    chart_area(out, &g->time, use, "used", "in use", used, NULL, n, step);
    chart_area(out, &g->time, use, "idle", "idle while jobs wait", v, used, n, step);
    n = page_values(g, r, &r->total.series, SERIES_WAITING, v, &step);
    chart_area(out, &g->time, waiting, "waiting", "jobs waiting", v, NULL, n, step);
    if (r->total.nominal != AMOUNT_UNLIMITED)
        chart_level(out, use, "quota", (double)r->total.nominal / (double)g->p->units);
    chart_end(out);
    str_add(out, "</figure>\n");
}

static void put_time(struct page *g)
{
    struct chart_panel use, waiting;

    find_scales(g, &use, &waiting);
    str_add(
        g->out,
        "<section id=\"time\">\n<h2>Use over time</h2>\n<p class=\"legend\"><span class=\"key used\"></span> "
        "in use <span class=\"key idle\"></span> idle while jobs wait <span class=\"key line\"></span> "
        "all quota <span class=\"key waiting\"></span> jobs waiting</p>\n<div class=\"figures\">\n");
    for (uint32_t i = 0; i < g->p->nruns; i++)
        put_use(g, i, &use, &waiting);
    str_add(g->out, "</div>\n</section>\n");
}

int replay_print_html(const struct replay_print *p, struct str *out)
{
    struct page g = {.p = p, .out = out};
    int rc = list_queues(&g);

    if (!rc) {
        find_time(&g);
        put_head(&g);
        page_answers(&g);
        put_numbers(&g);
        put_time(&g);
        rc = page_loans(&g);
        page_waits(&g);
        page_queues(&g);
        str_add(out, "</main>\n<footer><p>Made by <code>sluice replay --report</code>. This file needs "
                     "nothing else: no "
                     "network, no server.</p></footer>\n<script>\n");
        str_add(out, replay_page_js);
        str_add(out, "</script>\n</body>\n</html>\n");
    }
    mem_free(g.queues);
    return rc ? rc : str_failed(out) ? ERR_NOMEM : 0;
}
