/* Answers for programs: JSON and CSV, from one list of fields. */
#include "cli/history.h"

#include <inttypes.h>
#include <string.h>

enum form { FORM_TEXT, FORM_TIME, FORM_NUMBER, FORM_HOURS, FORM_SUM, FORM_UNIT, FORM_SECONDS };

struct field {
    const char *name;
    enum form form;
    size_t at; /* in the row */
};

#define AT(member) offsetof(struct history_row, member)
enum { FIELDS_MAX = 14 };
static const struct field fields[][FIELDS_MAX] = {
    [HISTORY_LOANS] = {{"from", FORM_TIME, AT(from)},
                       {"to", FORM_TIME, AT(to)},
                       {"borrower", FORM_TEXT, AT(queue)},
                       {"lenderKind", FORM_TEXT, AT(other_kind)},
                       {"lender", FORM_TEXT, AT(other)},
                       {"flavor", FORM_TEXT, AT(flavor)},
                       {"resource", FORM_TEXT, AT(resource)},
                       {"unit", FORM_UNIT, AT(resource)},
                       {"hours", FORM_HOURS, AT(sum)},
                       {"amountNanoseconds", FORM_SUM, AT(sum)},
                       {"intervals", FORM_NUMBER, AT(count)},
                       {"takenBack", FORM_NUMBER, AT(taken_back)}},
    [HISTORY_USAGE] = {{"from", FORM_TIME, AT(from)},
                       {"to", FORM_TIME, AT(to)},
                       {"clusterQueue", FORM_TEXT, AT(queue)},
                       {"flavor", FORM_TEXT, AT(flavor)},
                       {"resource", FORM_TEXT, AT(resource)},
                       {"unit", FORM_UNIT, AT(resource)},
                       {"hours", FORM_HOURS, AT(sum)},
                       {"amountNanoseconds", FORM_SUM, AT(sum)},
                       {"intervals", FORM_NUMBER, AT(count)}},
    [HISTORY_ADMISSIONS] = {{"from", FORM_TIME, AT(from)},
                            {"to", FORM_TIME, AT(to)},
                            {"clusterQueue", FORM_TEXT, AT(queue)},
                            {"admitted", FORM_NUMBER, AT(count)},
                            {"evicted", FORM_NUMBER, AT(evicted)},
                            {"finished", FORM_NUMBER, AT(finished)}},
    [HISTORY_PREEMPTIONS] = {{"from", FORM_TIME, AT(from)},
                             {"to", FORM_TIME, AT(to)},
                             {"victimQueue", FORM_TEXT, AT(queue)},
                             {"preemptorQueue", FORM_TEXT, AT(other)},
                             {"rule", FORM_TEXT, AT(rule)},
                             {"flavor", FORM_TEXT, AT(flavor)},
                             {"resource", FORM_TEXT, AT(resource)},
                             {"unit", FORM_UNIT, AT(resource)},
                             {"evictions", FORM_NUMBER, AT(count)},
                             {"lostHours", FORM_HOURS, AT(sum)},
                             {"medianNoticeSeconds", FORM_SECONDS, AT(median_ns)}},
    [HISTORY_WAITS] = {{"from", FORM_TIME, AT(from)},
                       {"to", FORM_TIME, AT(to)},
                       {"clusterQueue", FORM_TEXT, AT(queue)},
                       {"starts", FORM_NUMBER, AT(count)},
                       {"meanSeconds", FORM_SECONDS, AT(mean_ns)},
                       {"medianSeconds", FORM_SECONDS, AT(median_ns)},
                       {"p90Seconds", FORM_SECONDS, AT(p90_ns)},
                       {"maxSeconds", FORM_SECONDS, AT(max_ns)}},
};

static int64_t number_at(const struct history_row *r, size_t at)
{
    int64_t v;

    memcpy(&v, (const char *)r + at, sizeof(v));
    return v;
}

static const char *text_at(const struct history_row *r, size_t at)
{
    const char *v;

    memcpy(&v, (const char *)r + at, sizeof(v));
    return v;
}

/* Digits of a sum that may be larger than an int64. */
static void put_sum(struct str *out, wide v)
{
    char digits[48];
    size_t n = sizeof(digits);

    digits[--n] = '\0';
    do
        digits[--n] = (char)('0' + (int)(v % 10));
    while ((v /= 10) > 0);
    str_add(out, digits + n);
}

static void put_value(const struct field *f, const struct history_row *r, struct str *out,
                      void (*text)(struct str *out, const char *text))
{
    const char *unit;
    char time[32];

    switch (f->form) {
    case FORM_TIME:
        (void)when_print(number_at(r, f->at), time, sizeof(time));
        text(out, time);
        break;
    case FORM_NUMBER:
        str_addf(out, "%" PRId64, number_at(r, f->at));
        break;
    case FORM_HOURS:
        str_addf(out, "%.9g", history_hours(r->sum, r->resource));
        break;
    case FORM_SUM:
        put_sum(out, r->sum);
        break;
    case FORM_SECONDS:
        str_addf(out, "%.9g", (double)number_at(r, f->at) / 1e9);
        break;
    case FORM_UNIT:
        (void)history_unit(r->resource, &unit);
        text(out, unit);
        break;
    case FORM_TEXT:
    default:
        text(out, text_at(r, f->at));
        break;
    }
}

static void put_bound(struct str *out, const char *key, when_ns t)
{
    char text[32];

    str_addf(out, ",\"%s\":", key);
    if (t == WHEN_NONE) {
        str_add(out, "null");
        return;
    }
    (void)when_print(t, text, sizeof(text));
    str_add_json(out, text);
}

void history_print_json(const struct history_print *p, struct str *out)
{
    const struct field *f = fields[p->report];

    str_addf(out, "{\"schema\":\"sluice.history.%s/v1\"", history_report_names[p->report]);
    put_bound(out, "keptFrom", p->extent.kept_since != WHEN_NONE ? p->extent.kept_since : p->extent.began);
    put_bound(out, "keptTo", p->extent.last);
    str_addf(out, ",\"gaps\":%" PRIu64 ",\"inferred\":%" PRIu64 ",\"rows\":[", p->extent.gaps,
             p->extent.inferred);
    for (uint32_t i = 0; i < p->n; i++) {
        str_add(out, i ? ",\n{" : "\n{");
        for (int k = 0; k < FIELDS_MAX && f[k].name; k++) {
            str_addf(out, "%s\"%s\":", k ? "," : "", f[k].name);
            put_value(&f[k], &p->rows[i], out, str_add_json);
        }
        str_addc(out, '}');
    }
    str_add(out, "]}\n");
}

void history_put_csv(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            str_addc(out, '"');
        str_addc(out, *text);
    }
    str_addc(out, '"');
}

void history_print_csv(const struct history_print *p, struct str *out)
{
    const struct field *f = fields[p->report];

    for (int k = 0; k < FIELDS_MAX && f[k].name; k++)
        str_addf(out, "%s%s", k ? "," : "", f[k].name);
    str_addc(out, '\n');
    for (uint32_t i = 0; i < p->n; i++) {
        for (int k = 0; k < FIELDS_MAX && f[k].name; k++) {
            str_add(out, k ? "," : "");
            put_value(&f[k], &p->rows[i], out, history_put_csv);
        }
        str_addc(out, '\n');
    }
}
