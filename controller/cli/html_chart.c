#include "cli/html_chart.h"

#include "base/amount.h"
#include "cli/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_NS (86400 * NS_PER_S)

double chart_round_up(double v)
{
    static const double steps[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10};
    double ten = v > 0 ? pow(10, floor(log10(v))) : 1;

    for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (v <= steps[i] * ten * 1.0000001)
            return steps[i] * ten;
    return 10 * ten;
}

void chart_begin(struct str *out, const struct chart_time *t, const char *label)
{
    str_addf(out, "<svg class=\"chart%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\"",
             t ? " over-time" : "", CHART_WIDTH, CHART_HEIGHT, label);
    if (t)
        str_addf(out, " data-x=\"%d %d\" data-time=\"%lld %lld\"%s", CHART_LEFT, CHART_RIGHT,
                 (long long)(t->from / NS_PER_S), (long long)(t->to / NS_PER_S),
                 t->has_dates ? " data-dates=\"1\"" : "");
    str_add(out, ">\n");
}

void chart_end(struct str *out)
{
    str_add(out, "</svg>\n");
}

static double height_of(const struct chart_panel *p, double v)
{
    double part = p->max > 0 ? v / p->max : 0;

    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return p->bottom - part * (p->bottom - p->top);
}

static void put_short_number(struct str *out, double v)
{
    if (v >= 1e6)
        str_addf(out, "%.3gM", v / 1e6);
    else if (v >= 1e4)
        str_addf(out, "%.3gk", v / 1e3);
    else
        str_addf(out, "%.4g", v);
}

void chart_panel(struct str *out, const struct chart_panel *p, const char *unit)
{
    bool small = p->bottom - p->top < 60;

    for (int i = small ? 2 : 0; i >= 0 && i <= 2; i += small ? -2 : 1) {
        double v = p->max * i / 2, y = height_of(p, v);
        str_addf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"end\" x=\"%d\" y=\"%.1f\">",
                 CHART_LEFT, y, CHART_RIGHT, CHART_LEFT - 4, y + 3);
        put_short_number(out, v);
        str_add(out, "</text>\n");
    }
    str_addf(out, "<text x=\"%d\" y=\"%d\">%s</text>\n", CHART_LEFT + 4, p->top + (small ? 8 : 9), unit);
}

/* ---- time --------------------------------------------------------------------------------------------------------------- */

static double x_of(const struct chart_time *t, when_ns at)
{
    double span = (double)t->to - (double)t->from;
    double part = span > 0 ? ((double)at - (double)t->from) / span : 0;

    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return CHART_LEFT + part * (CHART_RIGHT - CHART_LEFT);
}

void chart_put_time(struct str *out, const struct chart_time *t, when_ns at, int64_t step_ns)
{
    char text[40];
    int64_t day = at / DAY_NS - (at % DAY_NS < 0), second = (at - day * DAY_NS) / NS_PER_S;

    if (t->has_dates) {
        (void)when_print(at, text, sizeof(text));
        str_addn(out, text, strcspn(text, "T"));
    } else {
        str_addf(out, "day %lld", (long long)day);
    }
    if (step_ns < DAY_NS)
        str_addf(out, " %02lld:%02lld", (long long)(second / 3600), (long long)(second / 60 % 60));
}

void chart_time_axis(struct str *out, const struct chart_time *t)
{
    static const int64_t steps_s[] = {60,    300,    900,    3600,    10800,   21600,   43200,
                                      86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000};
    enum { STEPS = sizeof(steps_s) / sizeof(steps_s[0]), MARKS = 8 };
    int k = 0;

    while (k + 1 < STEPS && (double)steps_s[k] * 1e9 * MARKS < (double)t->to - (double)t->from)
        k++;
    int64_t step = steps_s[k] * NS_PER_S, first = t->from - t->from % step;
    if (first < t->from)
        first = i64_add(first, step);
    int marks = 0;
    for (when_ns at = first; at <= t->to && marks < 20; at = i64_add(at, step), marks++) {
        double x = x_of(t, at);
        str_addf(out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"%s\" x=\"%.1f\" y=\"%d\">", x,
                 CHART_TOP, CHART_BOTTOM, x > CHART_RIGHT - 40 ? "end" : "mid", x, CHART_BOTTOM + 14);
        chart_put_time(out, t, at, step);
        str_add(out, "</text>\n");
    }
}

/* One side of an area, from left to right or back. */
static void put_steps(struct str *out, const struct chart_time *t, const struct chart_panel *p,
                      const double *v, uint32_t n, int64_t step_ns, bool back)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = back ? n - 1 - k : k;
        double y = height_of(p, v[i]);
        if (k == 0 && back)
            str_addf(out, "L%.1f %.1f", x_of(t, i64_add(t->from, i64_mul(step_ns, n))), y);
        else if (k == 0)
            str_addf(out, "V%.1f", y);
        else if (fabs(y - height_of(p, v[back ? i + 1 : i - 1])) >= 0.05)
            str_addf(out, "H%.1fV%.1f",
                     x_of(t, i64_add(t->from, i64_mul(step_ns, (int64_t)i + (back ? 1 : 0)))), y);
    }
    str_addf(out, "H%.1f", back ? (double)CHART_LEFT : x_of(t, i64_add(t->from, i64_mul(step_ns, n))));
}

void chart_area(struct str *out, const struct chart_time *t, const struct chart_panel *p, const char *css,
                const char *name, const double *v, const double *base, uint32_t n, int64_t step_ns)
{
    bool any = false;

    for (uint32_t i = 0; i < n && !any; i++)
        any = v[i] > (base ? base[i] : 0);
    if (!any)
        return;
    str_addf(out, "<path class=\"%s\" data-name=\"%s\" data-max=\"%.6g\" data-y=\"%d %d\" d=\"M%d %d", css,
             name, p->max, p->top, p->bottom, CHART_LEFT, p->bottom);
    put_steps(out, t, p, v, n, step_ns, false);
    if (base)
        put_steps(out, t, p, base, n, step_ns, true);
    else
        str_addf(out, "L%.1f %d", x_of(t, i64_add(t->from, i64_mul(step_ns, n))), p->bottom);
    str_add(out, "Z\"/>\n");
}

void chart_level(struct str *out, const struct chart_panel *p, const char *css, double v)
{
    str_addf(out, "<path class=\"%s\" d=\"M%d %.1fH%d\"/>\n", css, CHART_LEFT, height_of(p, v), CHART_RIGHT);
}

/* ---- lengths of time ------------------------------------------------------------------------------------------------------ */

void chart_lengths(struct chart_lengths *l, int64_t max_ns)
{
    double max = max_ns > 60 * NS_PER_S ? (double)max_ns / 1e9 : 60;

    for (int i = 0; i < CHART_POINTS; i++)
        l->at_ns[i] = (int64_t)(pow(max, (double)i / (CHART_POINTS - 1)) * 1e9);
}

void chart_length_axis(struct str *out, const struct chart_lengths *l)
{
    static const struct {
        int64_t s;
        const char *text;
    } marks[] = {{1, "1 s"},           {10, "10 s"},        {60, "1 min"},    {600, "10 min"},
                 {3600, "1 h"},        {21600, "6 h"},      {86400, "1 day"}, {604800, "1 week"},
                 {2592000, "30 days"}, {31536000, "1 year"}};
    double max = log((double)l->at_ns[CHART_POINTS - 1] / 1e9);

    for (uint32_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        double part = log((double)marks[i].s) / max;
        if (part > 1)
            break;
        double x = CHART_LEFT + part * (CHART_RIGHT - CHART_LEFT);
        str_addf(
            out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n",
            x, CHART_TOP, CHART_BOTTOM, part > 0.95 ? "end" : "mid", x, CHART_BOTTOM + 14, marks[i].text);
    }
}

void chart_curve(struct str *out, const struct chart_panel *p, uint32_t policy, const double *share)
{
    str_addf(out, "<path class=\"curve p%u\" d=\"", policy);
    for (int i = 0; i < CHART_POINTS; i++) {
        double y = height_of(p, share[i]);
        if (i && i + 1 < CHART_POINTS && fabs(share[i] - share[i - 1]) < 0.0005 &&
            fabs(share[i] - share[i + 1]) < 0.0005)
            continue;
        str_addf(out, "%c%.1f %.1f", i ? 'L' : 'M',
                 CHART_LEFT + (double)i / (CHART_POINTS - 1) * (CHART_RIGHT - CHART_LEFT), y);
    }
    str_add(out, "\"/>\n");
}
