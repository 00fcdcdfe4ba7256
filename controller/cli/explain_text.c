/* An explanation for people. */
#include "cli/explain.h"

#include "cli/table.h"

#include <math.h>
#include <string.h>

enum { HOLDERS_SHOWN = 10, EVICTIONS_SHOWN = 10, HURT_SHOWN = 8 };

void explain_amount(struct str *out, const char *resource, amount v)
{
    char buf[64];

    if (v == AMOUNT_UNLIMITED) {
        str_add(out, "unlimited");
        return;
    }
    amount_quantity_print(v, resource_is_cpu(resource), resource_is_binary(resource), buf, sizeof(buf));
    str_add(out, buf);
}

/* ---- changes ------------------------------------------------------------------------------------------------------------ */

static void put_instead(struct str *out, const struct change *c)
{
    struct str was;

    change_print_value(c, true, out);
    str_init(&was, 0);
    change_print_value(c, false, &was);
    if (was.len)
        str_addf(out, " instead of %s", str_text(&was));
    str_free(&was);
}

static void change_of_pods(struct str *out, const struct change *c)
{
    str_addf(out, "pod set %s: ", c->part);
    if (c->kind == CHANGE_COUNT) {
        str_addf(out, "%lld %s instead of %lld", (long long)c->to, c->to == 1 ? "pod" : "pods",
                 (long long)c->from);
    } else if (c->kind == CHANGE_REQUEST) {
        str_addf(out, "container %s asks for %s ", c->item, c->resource);
        put_instead(out, c);
    } else if (c->kind == CHANGE_TOLERATE) {
        str_addf(out, "tolerate the taints of flavor %s", c->item);
    } else {
        str_add(out, "without node selector and node affinity");
    }
}

void explain_change(struct str *out, const struct change *c)
{
    switch (c->kind) {
    case CHANGE_COUNT:
    case CHANGE_REQUEST:
    case CHANGE_TOLERATE:
    case CHANGE_SELECTOR:
        change_of_pods(out, c);
        return;
    case CHANGE_END:
        str_addf(out, "when %s/%s ends", c->ns, c->name);
        return;
    case CHANGE_QUEUE:
        str_addf(out, "submit it to LocalQueue %s instead of %s", c->to_text, c->from_text);
        return;
    case CHANGE_PRIORITY:
        str_addf(out, "priority class %s (%lld) instead of %s%s%lld%s", c->to_text, (long long)c->to,
                 c->from_text, *c->from_text ? " (" : "priority ", (long long)c->from,
                 *c->from_text ? ")" : "");
        return;
    case CHANGE_NOMINAL:
    case CHANGE_BORROWING:
    case CHANGE_LENDING:
        str_addf(out, "%s %s: %s of %s in flavor %s ", api_kind_name(c->object), c->name,
                 change_kind_name(c->kind), c->resource, c->part);
        break;
    default:
        str_addf(out, "%s %s%s%s: ", api_kind_name(c->object), c->ns, *c->ns ? "/" : "", c->name);
        change_print_field(c, out);
        str_addc(out, ' ');
    }
    put_instead(out, c);
}

/* ---- what it is --------------------------------------------------------------------------------------------------------- */

static void put_time(struct str *out, when_ns t)
{
    char buf[40];

    (void)when_print(t, buf, sizeof(buf));
    str_add(out, buf);
}

static void put_head(const struct explain *e, struct str *out)
{
    static const char *const what[] = {"waits", "holds quota", "has finished",
                                       "is in a world that does not settle"};

    str_addf(out, "%s %s", e->target->key, what[e->state]);
    if (*e->cluster_queue)
        str_addf(out, " in ClusterQueue %s", e->cluster_queue);
    if (*e->queue)
        str_addf(out, " (LocalQueue %s)", e->queue);
    str_add(out, ".\n");
    if (e->state == EXPLAIN_UNSETTLED)
        str_add(
            out,
            "Evictions and admissions go round in circles; what follows is one moment of it, and nothing can "
            "be proved.\n");
    if (e->queued && e->state != EXPLAIN_ADMITTED)
        str_addf(out, "Place %u in the ClusterQueue, %u in the LocalQueue.\n", e->in_cq + 1, e->in_lq + 1);
    for (uint32_t i = 0; i < e->nahead && e->state != EXPLAIN_ADMITTED; i++)
        str_addf(out, "  %u. %s is ahead of it\n", i + 1, e->ahead[i]);
    if (e->queued && e->in_cq > e->nahead)
        str_addf(out, "  and %u more\n", e->in_cq - e->nahead);
}

static void put_nowhere(const struct explain *e, struct str *out)
{
    const struct cond *c = &e->target->status.cond[COND_QUOTA_RESERVED];

    if (!e->target->fact->active)
        str_add(out, "  spec.active is false: it is not to run.\n");
    if (!*e->queue)
        str_add(out, "  It names no LocalQueue.\n");
    else if (!*e->cluster_queue)
        str_add(out, "  Its LocalQueue does not exist or is stopped.\n");
    if (*e->cq_reason)
        str_addf(out, "  The ClusterQueue admits nothing: %s (%s)\n", e->cq_message, e->cq_reason);
    if (*e->twin)
        str_addf(out, "  It is just like %s, which was turned down:\n    %s\n", e->twin, e->twin_message);
    else if (!e->decisions && c->status == STATUS_FALSE)
        str_addf(out, "  %s (%s)\n", c->message, c->reason);
    else if (!e->decisions && *e->cluster_queue && !*e->cq_reason)
        str_add(
            out,
            "  No cycle has looked at it: others are ahead of it, or one just like it was turned down.\n");
}

static void put_attempts(const struct explain *e, struct str *out)
{
    if (e->nattempts)
        str_add(out, "\nFlavors tried\n");
    for (uint32_t i = 0; i < e->nattempts; i++) {
        const struct explain_attempt *a = &e->attempts[i];
        str_addf(out, "  pod set %s: %s: %s%s\n", a->pod_set, a->flavor, a->mode,
                 a->borrows ? ", borrowing" : "");
        for (uint32_t k = 0; k < a->nreasons; k++)
            str_addf(out, "    %s\n", a->reasons[k]);
    }
}

static void put_why(const struct explain *e, struct str *out)
{
    if (e->state == EXPLAIN_FINISHED)
        return;
    if (e->state == EXPLAIN_ADMITTED) {
        str_add(out, "\nWhy there\n");
        if (e->decisions) {
            str_add(out, "  Admitted at ");
            put_time(out, e->decided);
            str_add(out, e->borrow_level ? ", on borrowed quota.\n" : ", within its queue's own quota.\n");
        } else {
            str_add(out, "  It held this quota from the start.\n");
        }
    } else {
        str_add(out, "\nWhy it waits\n");
        put_nowhere(e, out);
        if (*e->message)
            str_addf(out, "  %s\n", e->message);
        if (*e->outcome)
            str_addf(out, "  (%s, %s)\n", e->outcome, *e->wait ? e->wait : "no reason");
    }
    put_attempts(e, out);
}

static void put_evictions(const struct explain_evictions *l, const char *head, struct str *out)
{
    uint32_t n = l->n < EVICTIONS_SHOWN ? l->n : EVICTIONS_SHOWN;

    if (n)
        str_addf(out, "\n%s\n", head);
    for (uint32_t i = 0; i < n; i++) {
        const struct explain_eviction *v = &l->list[i];
        str_addf(out, "  %s (%s) by %s (%s): %s\n", v->victim, v->victim_queue, v->by, v->by_queue,
                 v->reason);
        if (v->victim_share >= 0)
            str_addf(out, "    weighted shares before: %s %.4g, %s %.4g\n", v->victim_queue, v->victim_share,
                     v->by_queue, v->by_share);
        str_addf(out, "    %s\n", v->message);
    }
    if (l->all > n)
        str_addf(out, "  and %u more\n", l->all - n);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

static void amount_cell(struct table *t, const char *resource, bool has, amount v)
{
    struct str s;

    str_init(&s, 0);
    if (has)
        explain_amount(&s, resource, v);
    else
        str_addc(&s, '-');
    table_cell(t, str_text(&s));
    str_free(&s);
}

static void put_levels(const struct explain_pair *p, struct str *out)
{
    static const char *const heads[] = {"  LEVEL",  "NOMINAL",        "QUOTA",        "USED",
                                        "BORROWED", "BORROWINGLIMIT", "LENDINGLIMIT", "AVAILABLE"};
    struct table t;
    struct str name;

    table_init(&t, 8, 0, false);
    for (uint32_t i = 0; i < 8; i++) {
        t.right[i] = i > 0;
        table_cell(&t, heads[i]);
    }
    str_init(&name, 0);
    for (uint32_t i = 0; i < p->nlevels; i++) {
        const struct explain_level *l = &p->levels[i];
        str_clear(&name);
        str_addf(&name, "  %s %s", l->is_cohort ? "Cohort" : "ClusterQueue", l->name);
        table_cell(&t, str_text(&name));
        amount_cell(&t, p->resource, true, l->nominal);
        amount_cell(&t, p->resource, true, l->quota);
        amount_cell(&t, p->resource, true, l->used);
        amount_cell(&t, p->resource, true, l->borrowed);
        amount_cell(&t, p->resource, l->has_borrowing, l->borrowing);
        amount_cell(&t, p->resource, l->has_lending, l->lending);
        amount_cell(&t, p->resource, true, l->available);
    }
    table_print(&t, out);
    table_free(&t);
    str_free(&name);
}

static void put_holders(const struct explain_pair *p, struct str *out)
{
    uint32_t n = p->nholders < HOLDERS_SHOWN ? p->nholders : HOLDERS_SHOWN;

    for (uint32_t i = 0; i < n; i++) {
        const struct explain_holder *h = &p->holders[i];
        str_addf(out, "  %s holds ", h->key);
        explain_amount(out, p->resource, h->amount);
        str_addf(out, " (ClusterQueue %s, priority %lld)\n", h->cluster_queue, (long long)h->priority);
    }
    if (p->nholders_all > n)
        str_addf(out, "  and %u more Workloads\n", p->nholders_all - n);
    for (uint32_t i = 0; i < p->nloans; i++) {
        const struct explain_loan *l = &p->loans[i];
        str_addf(out, "  ClusterQueue %s borrows ", l->borrower);
        explain_amount(out, p->resource, l->amount);
        if (l->kind == LOAN_OVERDRAFT)
            str_add(out, " from nobody: it is over all quota\n");
        else if (l->kind == LOAN_UNLIMITED)
            str_add(out, " from unlimited quota\n");
        else
            str_addf(out, " from %s %s\n", loan_kind_name(l->kind), l->lender);
    }
}

static void put_pairs(const struct explain *e, struct str *out)
{
    for (uint32_t i = 0; i < e->npairs; i++) {
        const struct explain_pair *p = &e->pairs[i];
        str_addf(out, "\n%s in flavor %s: it %s ", p->resource, p->flavor,
                 e->state == EXPLAIN_ADMITTED ? "holds" : "asks for");
        explain_amount(out, p->resource, p->asked);
        str_addc(out, '\n');
        put_levels(p, out);
        put_holders(p, out);
    }
}

/* ---- options ------------------------------------------------------------------------------------------------------------ */

static void put_others(const char *const *keys, uint32_t n, const char *what, struct str *out)
{
    if (!n)
        return;
    str_addf(out, "     %s: ", what);
    for (uint32_t i = 0; i < n && i < HURT_SHOWN; i++)
        str_addf(out, "%s%s", i ? ", " : "", keys[i]);
    if (n > HURT_SHOWN)
        str_addf(out, " and %u more", n - HURT_SHOWN);
    str_addc(out, '\n');
}

static void put_options(const struct explain *e, struct str *out)
{
    const struct options *o = &e->options;

    if (e->state != EXPLAIN_WAITS)
        return;
    str_add(out, "\nWhat would unblock it");
    str_addf(out, " (each one run by the engine, %u runs)\n", what_if_runs(e->run));
    if (!o->n)
        str_add(out,
                "  Nothing that was tried helps: not fewer pods or smaller requests, other nodes or queues, "
                "the end of "
                "others,\n  a priority class, nor any one quota, limit, weight or policy of its queues.\n");
    for (uint32_t i = 0; i < o->n; i++) {
        const struct option *p = &o->list[i];
        str_addf(out, "%3u. ", i + 1);
        for (uint32_t k = 0; k < p->nchanges; k++) {
            str_add(out, k ? "\n     and " : "");
            explain_change(out, &p->changes[k]);
        }
        str_addc(out, '\n');
        put_others(p->lost, p->nlost, "no longer running then", out);
        put_others(p->gained, p->ngained, "started as well", out);
    }
    if (o->exhausted)
        str_add(out, "  The number of runs is limited: there may be more, and the last numbers may not be "
                     "the nearest.\n");
}

void explain_print(const struct explain *e, struct str *out)
{
    put_head(e, out);
    put_why(e, out);
    put_evictions(&e->evicted, "Evicted for it", out);
    put_evictions(&e->evictions, "It was evicted", out);
    put_pairs(e, out);
    put_options(e, out);
}
