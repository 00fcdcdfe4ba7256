#include "worlds/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 400, DECISIONS_MAX = 4096 };

void compare_init(struct compare *c)
{
    *c = (struct compare){0};
    str_init(&c->where, 0);
    str_init(&c->field, 0);
    str_init(&c->want, 0);
    str_init(&c->got, 0);
    str_init(&c->messages, 0);
}

void compare_free(struct compare *c)
{
    str_free(&c->where);
    str_free(&c->field);
    str_free(&c->want);
    str_free(&c->got);
    str_free(&c->messages);
}

/* ---- one difference ----------------------------------------------------------------------------------------------------- */

static void put_value(struct str *out, const struct doc_node *n)
{
    const char *comma = "";

    if (!n) {
        str_add(out, "(absent)");
    } else if (n->type == DOC_STRING) {
        str_add_json(out, n->text);
    } else if (n->type == DOC_LIST || n->type == DOC_MAP) {
        str_add(out, n->type == DOC_LIST ? "[" : "{");
        doc_foreach (child, n) {
            str_add(out, comma);
            if (child->key)
                str_addf(out, "%s:", child->key);
            put_value(out, child);
            comma = ",";
        }
        str_add(out, n->type == DOC_LIST ? "]" : "}");
    } else {
        str_add(out, n->text);
    }
}

static void put_short(struct str *out, const struct doc_node *n)
{
    put_value(out, n);
    if (out->len > VALUE_MAX) {
        out->p[VALUE_MAX] = 0;
        out->len = VALUE_MAX;
        str_add(out, "...");
    }
}

static void differ(struct compare *c, const char *field, const struct doc_node *want,
                   const struct doc_node *got)
{
    if (c->differs)
        return;
    c->differs = true;
    str_add(&c->where, c->time ? c->time : "final");
    if (c->cycle)
        str_addf(&c->where, " cycle %lld", c->cycle);
    if (c->workload)
        str_addf(&c->where, " %s", c->workload);
    str_add(&c->field, field);
    put_short(&c->want, want);
    put_short(&c->got, got);
}

/* An empty list is an absent one. */
static const struct doc_node *field_of(const struct doc_node *map, const char *key)
{
    const struct doc_node *n = doc_field(map, key);

    return n && (n->type == DOC_LIST || n->type == DOC_MAP) && !n->n ? NULL : n;
}

static bool same(const struct doc_node *a, const struct doc_node *b)
{
    return (!a && !b) || (a && b && doc_equal(a, b));
}

static void same_field(struct compare *c, const char *field, const struct doc_node *want,
                       const struct doc_node *got)
{
    if (!same(field_of(want, field), field_of(got, field)))
        differ(c, field, field_of(want, field), field_of(got, field));
}

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

static const struct doc_node *find_target(const struct doc_node *list, const char *workload)
{
    doc_foreach (t, list) {
        if (!strcmp(doc_str_or(t, "workload", ""), workload))
            return t;
    }
    return NULL;
}

static void targets(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    const struct doc_node *a = field_of(want, "targets"), *b = field_of(got, "targets");

    if ((a ? a->n : 0) != (b ? b->n : 0)) {
        differ(c, "targets", a, b);
        return;
    }
    doc_foreach (t, a) {
        const struct doc_node *u = find_target(b, doc_str_or(t, "workload", ""));
        if (!u || !same(doc_field(t, "reason"), doc_field(u, "reason")))
            differ(c, "targets", a, b);
    }
}

static void message(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    const char *a = doc_str_or(want, "message", ""), *b = doc_str_or(got, "message", "");

    c->nmessages++;
    if (!strcmp(a, b))
        return;
    c->nmessages_wrong++;
    if (c->verbose)
        str_addf(&c->messages, "  message: %s cycle %lld %s\n    expected %s\n    got      %s\n", c->time,
                 c->cycle, c->workload, a, b);
}

static void decision(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    static const char *const fields[] = {"workload", "clusterQueue", "outcome", "podSets", "reason"};

    c->workload = doc_str_or(want, "workload", "");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        same_field(c, fields[i], want, got);
    targets(c, want, got);
    if (!c->differs)
        message(c, want, got);
    c->workload = NULL;
}

struct ranked {
    const struct doc_node *n;
    uint32_t tree, place;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->tree != y->tree)
        return x->tree < y->tree ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static uint32_t rank(const struct compare *c, const struct doc_node *list, struct ranked *to)
{
    uint32_t n = 0;

    doc_foreach (d, list) {
        if (n == DECISIONS_MAX)
            break;
        uint32_t tree = c->tree_of ? c->tree_of(c->arg, doc_str_or(d, "clusterQueue", "")) : 0;
        to[n] = (struct ranked){d, tree, n};
        n++;
    }
    qsort(to, n, sizeof(*to), compare_ranked);
    return n;
}

static void decisions(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    static struct ranked a[DECISIONS_MAX], b[DECISIONS_MAX];
    uint32_t n = rank(c, doc_field(want, "decisions"), a), m = rank(c, doc_field(got, "decisions"), b);

    for (uint32_t i = 0; i < n && i < m && !c->differs; i++)
        decision(c, a[i].n, b[i].n);
    if (n != m)
        differ(c, "decisions", n > m ? a[m].n : NULL, n > m ? NULL : b[n].n);
}

static void cycles(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    const struct doc_node *a = doc_first(doc_field(want, "cycles")), *b = doc_first(doc_field(got, "cycles"));

    for (; a && b && !c->differs; a = a->next, b = b->next) {
        c->cycle = doc_i64_or(a, "cycle", 0);
        same_field(c, "heads", a, b);
        decisions(c, a, b);
        same_field(c, "evicted", a, b);
        same_field(c, "released", a, b);
    }
    if ((a || b) && !c->differs) {
        c->cycle = doc_i64_or(a ? a : b, "cycle", 0);
        differ(c, "cycles", a, b);
    }
    c->cycle = 0;
}

static void steps(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    const struct doc_node *a = doc_first(doc_field(want, "steps")), *b = doc_first(doc_field(got, "steps"));

    for (; a && b && !c->differs; a = a->next, b = b->next) {
        c->time = doc_str_or(a, "time", "");
        same_field(c, "time", a, b);
        same_field(c, "events", a, b);
        cycles(c, a, b);
    }
    if ((a || b) && !c->differs) {
        c->time = doc_str_or(a ? a : b, "time", "");
        differ(c, "steps", a, b);
    }
    c->time = NULL;
}

/* ---- the final state ---------------------------------------------------------------------------------------------------- */

/* To 9 digits. */
static void precise_share(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    const char *a = doc_str_or(want, "preciseShare", ""), *b = doc_str_or(got, "preciseShare", "");
    char *end_a, *end_b;

    if (!strcmp(a, b))
        return;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);
    if (!*a || !*b || *end_a || *end_b || !(fabs(x - y) <= 1e-9 * fmax(fabs(x), fabs(y))))
        same_field(c, "preciseShare", want, got);
}

static void conditions(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    const struct doc_node *a = field_of(want, "conditions"), *b = field_of(got, "conditions");
    const struct doc_node *x = doc_first(a), *y = doc_first(b);

    for (; x && y; x = x->next, y = y->next)
        if (!same(doc_field(x, "type"), doc_field(y, "type")) ||
            !same(doc_field(x, "status"), doc_field(y, "status")) ||
            !same(doc_field(x, "reason"), doc_field(y, "reason")))
            differ(c, "conditions", a, b);
    if (x || y)
        differ(c, "conditions", a, b);
}

/* A list of maps, one after the other. */
static void rows(struct compare *c, const char *list, const char *name, const char *const *fields,
                 const struct doc_node *want, const struct doc_node *got)
{
    const struct doc_node *a = doc_first(doc_field(want, list)), *b = doc_first(doc_field(got, list));

    for (; a && b && !c->differs; a = a->next, b = b->next) {
        c->workload = doc_str_or(a, name, "");
        same_field(c, name, a, b);
        for (size_t i = 0; fields[i]; i++)
            same_field(c, fields[i], a, b);
        precise_share(c, a, b);
        conditions(c, a, b);
    }
    if (a || b)
        differ(c, list, a, b);
    c->workload = NULL;
}

static void final_state(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    static const char *const queue_fields[] = {"active",
                                               "reservingWorkloads",
                                               "admittedWorkloads",
                                               "flavorsReservation",
                                               "flavorsUsage",
                                               "weightedShare",
                                               "pendingActive",
                                               "pendingInadmissible",
                                               NULL};
    static const char *const cohort_fields[] = {"weightedShare", NULL};
    static const char *const workload_fields[] = {"phase", "clusterQueue", "podSets", NULL};

    same_field(c, "time", want, got);
    rows(c, "clusterQueues", "name", queue_fields, want, got);
    rows(c, "cohorts", "name", cohort_fields, want, got);
    rows(c, "workloads", "workload", workload_fields, want, got);
}

void compare_traces(struct compare *c, const struct doc_node *want, const struct doc_node *got)
{
    steps(c, want, got);
    same_field(c, "quiescent", want, got);
    final_state(c, doc_field(want, "final"), doc_field(got, "final"));
}
