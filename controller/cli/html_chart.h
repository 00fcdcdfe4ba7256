/* Charts as inline SVG: bins over time as areas, curves over lengths of time. Every chart has one size; a script reads values back from the
 * paths (replay_page.js), so their form is part of this contract: "M x y", then the upper edge from left to right as "V y" and "H x", then
 * "L x y" and the lower edge back; all absolute. */
#ifndef SLUICE_CLI_HTML_CHART_H
#define SLUICE_CLI_HTML_CHART_H

#include "base/str.h"
#include "base/when.h"

#include <stdbool.h>

enum { CHART_BINS_MAX = 256 };

/* What all charts over time of a page share. */
struct chart_time {
    when_ns from, to;
    bool has_dates; /* times are dates, else days of the trace */
};

/* Part of a chart: values from 0 to `max` between two heights. */
struct chart_panel {
    double max;
    int top, bottom;
};

enum {
    CHART_WIDTH = 760,
    CHART_LEFT = 56,
    CHART_RIGHT = 752,
    CHART_TOP = 8,
    CHART_MIDDLE = 128, /* where the large panel ends */
    CHART_SMALL = 140,  /* where the small panel begins */
    CHART_BOTTOM = 172,
    CHART_HEIGHT = 192
};

/* Opens <svg> with a text for those who do not see it. Between begin and end come panels and paths. */
/* `t` is NULL for charts that are not over time; the label is HTML. */
void chart_begin(struct str *out, const struct chart_time *t, const char *label);
void chart_end(struct str *out);
/* Lines and numbers of a panel; `unit` stands at its top. */
void chart_panel(struct str *out, const struct chart_panel *p, const char *unit);
void chart_time_axis(struct str *out, const struct chart_time *t);
/* One value a bin, from `from` on. `base` is what the area stands on, NULL = nothing. `css` is its class and `name` what it is
 * called: constants. Equal neighbours become one step, and what is zero throughout is not drawn. */
void chart_area(struct str *out, const struct chart_time *t, const struct chart_panel *p, const char *css,
                const char *name, const double *v, const double *base, uint32_t n, int64_t step_ns);
void chart_level(struct str *out, const struct chart_panel *p, const char *css, double v);
/* "day 49", "2017-10-02", with the time of day when `step_ns` is less than a day. */
void chart_put_time(struct str *out, const struct chart_time *t, when_ns at, int64_t step_ns);

/* Curves over lengths of time from one second to `max_ns`, by the logarithm: the share (0..1) at each of CHART_POINTS lengths. */
enum { CHART_POINTS = 64 };
struct chart_lengths {
    int64_t at_ns[CHART_POINTS];
};
void chart_lengths(struct chart_lengths *l, int64_t max_ns);
void chart_length_axis(struct str *out, const struct chart_lengths *l);
void chart_curve(struct str *out, const struct chart_panel *p, uint32_t policy, const double *share);

/* A number at which an axis may end, not less than v. */
double chart_round_up(double v);

#endif
