#include "sim/change.h"

#include <string.h>

bool change_is_of(const struct change *c, const struct object *o)
{
    return c->object == o->kind && !strcmp(c->name, o->name) && !strcmp(c->ns, o->ns);
}

struct quantity change_quantity(const char *resource, int64_t v)
{
    struct quantity q = quantity_from_i64(v);

    if (resource_is_cpu(resource))
        q.exp10 -= 3;
    while (q.coef && q.coef % 10 == 0) {
        q.coef /= 10;
        q.exp10++;
    }
    if (!q.coef)
        q.exp10 = 0;
    if (resource_is_binary(resource))
        q.format = QUANTITY_BINARY_SI;
    return q;
}

static void *copy_of(struct arena *a, const void *from, uint32_t n, uint32_t more, size_t size)
{
    char *to = arena_need(a, (n + more + 1) * size);

    if (n)
        memcpy(to, from, n * size);
    return to;
}
#define COPY(a, from, n, more) copy_of((a), (from), (n), (more), sizeof(*(from)))

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

/* The pod set named `part`, in a list of its own. The engine tells pods apart by their digest, so it gets a new one. */
static struct fact_pod_set *own_pod_set(const struct change *c, struct arena *a, struct object *o)
{
    struct fact_workload *w = &o->workload;
    struct fact_pod_set *list = COPY(a, w->pod_sets, w->npod_sets, 0);

    w->pod_sets = list;
    for (uint32_t i = 0; i < w->npod_sets; i++)
        if (!strcmp(list[i].name, c->part))
            return &list[i];
    return NULL;
}

static void new_digest(struct arena *a, const struct change *c, struct fact_pod *pod)
{
    char head[64];
    struct str text;

    str_init(&text, 0);
    str_addf(&text, "%d %lld ", (int)c->kind, (long long)c->to);
    size_t n = text.len < sizeof(head) ? text.len : sizeof(head);
    memcpy(head, str_text(&text), n);
    str_free(&text);
    if (!pod->digest_len) /* made by hand: the engine reads the pod itself */
        return;
    size_t ni = strlen(c->item), nr = strlen(c->resource);
    char *d = arena_need(a, n + ni + nr + pod->digest_len + 1);
    memcpy(d, head, n);
    memcpy(d + n, c->item, ni);
    memcpy(d + n + ni, c->resource, nr);
    memcpy(d + n + ni + nr, pod->digest, pod->digest_len);
    pod->digest = d;
    pod->digest_len += (uint32_t)(n + ni + nr);
}

static const struct fact_amount *with_amount(struct arena *a, const struct fact_amount *list, uint32_t n,
                                             const struct change *c)
{
    struct fact_amount *to = COPY(a, list, n, 0);

    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(to[i].resource, c->resource))
            to[i].q = change_quantity(c->resource, c->to);
    return to;
}

static void apply_request(const struct change *c, struct arena *a, struct fact_pod *pod)
{
    struct fact_container *list = COPY(a, pod->containers, pod->ncontainers, 0);

    for (uint32_t i = 0; i < pod->ncontainers; i++) {
        if (strcmp(list[i].name, c->item) != 0)
            continue;
        list[i].requests = with_amount(a, list[i].requests, list[i].nrequests, c);
        list[i].limits = with_amount(a, list[i].limits, list[i].nlimits, c);
    }
    pod->containers = list;
    new_digest(a, c, pod);
}

static void apply_tolerate(const struct change *c, struct arena *a, struct fact_pod *pod,
                           const struct object *flavor)
{
    const struct fact_flavor *f = &flavor->flavor;
    struct fact_toleration *list = COPY(a, pod->tolerations, pod->ntolerations, f->ntaints);

    for (uint32_t i = 0; i < f->ntaints; i++)
        list[pod->ntolerations + i] = (struct fact_toleration){f->taints[i].key, f->taints[i].value,
                                                               TOLERATE_EQUAL, f->taints[i].effect};
    pod->tolerations = list;
    pod->ntolerations += f->ntaints;
    new_digest(a, c, pod);
}

static void apply_pod_set(const struct change *c, struct arena *a, struct object *o,
                          const struct object *flavor)
{
    struct fact_pod_set *ps = own_pod_set(c, a, o);

    if (!ps)
        return;
    if (c->kind == CHANGE_COUNT) {
        ps->count = (int32_t)c->to;
        ps->min_count = ps->min_count > ps->count ? ps->count : ps->min_count;
    } else if (c->kind == CHANGE_REQUEST) {
        apply_request(c, a, &ps->pod);
    } else if (c->kind == CHANGE_TOLERATE && flavor) {
        apply_tolerate(c, a, &ps->pod, flavor);
    } else if (c->kind == CHANGE_SELECTOR) {
        ps->pod.nselector = ps->pod.nterms = 0;
        ps->pod.has_affinity = false;
        new_digest(a, c, &ps->pod);
    }
}

static void apply_end(struct arena *a, struct object *o)
{
    struct fact_label *list = COPY(a, o->annotations, o->nannotations, 1);
    uint32_t n = 0;

    for (uint32_t i = 0; i < o->nannotations; i++)
        if (strcmp(list[i].key, "sim/run-seconds") != 0)
            list[n++] = list[i];
    list[n++] = (struct fact_label){"sim/run-seconds", "1"};
    o->annotations = list;
    o->nannotations = n;
}

/* ---- queues ------------------------------------------------------------------------------------------------------------- */

static void set_quota(const struct change *c, struct fact_quota *q)
{
    struct quantity v = change_quantity(c->resource, c->to);

    if (c->kind == CHANGE_NOMINAL) {
        q->nominal = v;
        if (q->has_lending && quantity_cmp(q->lending, v) > 0)
            q->lending = v; /* a lendingLimit above the nominal quota is not valid */
    } else if (c->kind == CHANGE_BORROWING) {
        q->borrowing = v;
        q->has_borrowing = true;
    } else {
        q->lending = v;
        q->has_lending = true;
    }
}

static const struct fact_flavor_quotas *with_quota(const struct change *c, struct arena *a,
                                                   const struct fact_resource_group *g)
{
    struct fact_flavor_quotas *flavors = COPY(a, g->flavors, g->nflavors, 0);

    for (uint32_t i = 0; i < g->nflavors; i++) {
        if (strcmp(flavors[i].flavor, c->part) != 0)
            continue;
        struct fact_quota *quotas = COPY(a, flavors[i].quotas, g->nresources, 0);
        for (uint32_t k = 0; k < g->nresources; k++)
            if (!strcmp(g->resources[k], c->resource))
                set_quota(c, &quotas[k]);
        flavors[i].quotas = quotas;
    }
    return flavors;
}

static void apply_quota(const struct change *c, struct arena *a, struct object *o)
{
    bool is_cq = o->kind == API_CLUSTER_QUEUE;
    const struct fact_resource_group *from = is_cq ? o->cluster_queue.groups : o->cohort.groups;
    uint32_t n = is_cq ? o->cluster_queue.ngroups : o->cohort.ngroups;
    struct fact_resource_group *groups = COPY(a, from, n, 0);

    for (uint32_t i = 0; i < n; i++)
        groups[i].flavors = with_quota(c, a, &groups[i]);
    if (is_cq)
        o->cluster_queue.groups = groups;
    else
        o->cohort.groups = groups;
}

static void apply_weight(const struct change *c, struct object *o)
{
    struct fact_weight w = {true, change_quantity("cpu", c->to)};

    if (o->kind == API_CLUSTER_QUEUE)
        o->cluster_queue.weight = w;
    else
        o->cohort.weight = w;
}

static void apply_policy(const struct change *c, struct fact_preemption *p)
{
    enum preempt_policy policy = (enum preempt_policy)c->to;

    if (c->kind == CHANGE_WITHIN)
        p->within_cluster_queue = policy;
    else if (c->kind == CHANGE_RECLAIM)
        p->reclaim_within_cohort = policy;
    else
        p->borrow_policy = policy;
    p->borrow_within_cohort |= c->kind == CHANGE_BORROW_WITHIN;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static void apply_to_workload(const struct change *c, struct arena *a, struct object *o,
                              const struct object *flavor)
{
    struct fact_workload *w = &o->workload;

    if (c->kind == CHANGE_ACTIVE) {
        w->active = true;
    } else if (c->kind == CHANGE_QUEUE) {
        w->queue = c->to_text;
    } else if (c->kind == CHANGE_END) {
        apply_end(a, o);
    } else if (c->kind == CHANGE_PRIORITY) {
        w->priority_class = c->to_text;
        w->priority = (int32_t)c->to;
    } else {
        apply_pod_set(c, a, o, flavor);
    }
}

static void apply_to_queue(const struct change *c, struct arena *a, struct object *o)
{
    if (c->kind == CHANGE_WEIGHT)
        apply_weight(c, o);
    else if (c->kind == CHANGE_NOMINAL || c->kind == CHANGE_BORROWING || c->kind == CHANGE_LENDING)
        apply_quota(c, a, o);
    else if (c->kind == CHANGE_RESUME && o->kind == API_LOCAL_QUEUE)
        o->local_queue.stop = STOP_NONE;
    else if (c->kind == CHANGE_RESUME)
        o->cluster_queue.stop = STOP_NONE;
    else if (c->kind == CHANGE_STRATEGY)
        o->cluster_queue.strategy = STRATEGY_BEST_EFFORT_FIFO;
    else
        apply_policy(c, &o->cluster_queue.preemption);
}

void change_apply(const struct change *c, struct arena *a, struct object *o, const struct object *flavor)
{
    if (o->kind == API_WORKLOAD)
        apply_to_workload(c, a, o, flavor);
    else
        apply_to_queue(c, a, o);
}

/* ---- texts -------------------------------------------------------------------------------------------------------------- */

const char *change_kind_name(enum change_kind k)
{
    static const char *const names[CHANGE_KINDS] = {"active",
                                                    "stopPolicy",
                                                    "count",
                                                    "request",
                                                    "toleration",
                                                    "nodeSelector",
                                                    "queueName",
                                                    "ends",
                                                    "priority",
                                                    "nominalQuota",
                                                    "borrowingLimit",
                                                    "lendingLimit",
                                                    "weight",
                                                    "queueingStrategy",
                                                    "withinClusterQueue",
                                                    "reclaimWithinCohort",
                                                    "borrowWithinCohort"};

    return k < CHANGE_KINDS ? names[k] : "";
}

static void print_pod_field(const struct change *c, struct str *out)
{
    str_addf(out, "spec.podSets[%s].", c->part);
    if (c->kind == CHANGE_COUNT)
        str_add(out, "count");
    else if (c->kind == CHANGE_TOLERATE)
        str_add(out, "template.spec.tolerations");
    else if (c->kind == CHANGE_SELECTOR)
        str_add(out, "template.spec.nodeSelector");
    else
        str_addf(out, "template.spec.containers[%s].resources.requests[%s]", c->item, c->resource);
}

void change_print_field(const struct change *c, struct str *out)
{
    switch (c->kind) {
    case CHANGE_COUNT:
    case CHANGE_REQUEST:
    case CHANGE_TOLERATE:
    case CHANGE_SELECTOR:
        print_pod_field(c, out);
        break;
    case CHANGE_END:
        str_add(out, "status");
        break;
    case CHANGE_PRIORITY:
        str_add(out, "spec.priorityClassRef.name");
        break;
    case CHANGE_NOMINAL:
    case CHANGE_BORROWING:
    case CHANGE_LENDING:
        str_addf(out, "spec.resourceGroups.flavors[%s].resources[%s].%s", c->part, c->resource,
                 change_kind_name(c->kind));
        break;
    case CHANGE_WEIGHT:
        str_add(out, "spec.fairSharing.weight");
        break;
    case CHANGE_WITHIN:
    case CHANGE_RECLAIM:
        str_addf(out, "spec.preemption.%s", change_kind_name(c->kind));
        break;
    case CHANGE_BORROW_WITHIN:
        str_add(out, "spec.preemption.borrowWithinCohort.policy");
        break;
    default: /* active, stopPolicy, queueName, queueingStrategy */
        str_addf(out, "spec.%s", change_kind_name(c->kind));
    }
}

static const char *policy_name(int64_t p)
{
    static const char *const names[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority", "Any", ""};

    return p >= 0 && p <= POLICY_UNSET ? names[p] : "";
}

static void print_amount(const char *resource, int64_t v, struct str *out)
{
    char buf[64];

    amount_quantity_print(v, resource_is_cpu(resource), resource_is_binary(resource), buf, sizeof(buf));
    str_add(out, buf);
}

void change_print_value(const struct change *c, bool after, struct str *out)
{
    int64_t v = after ? c->to : c->from;

    switch (c->kind) {
    case CHANGE_ACTIVE:
        str_add(out, after ? "true" : "false");
        break;
    case CHANGE_COUNT:
        str_addf(out, "%lld", (long long)v);
        break;
    case CHANGE_REQUEST:
    case CHANGE_NOMINAL:
    case CHANGE_BORROWING:
    case CHANGE_LENDING:
        print_amount(c->resource, v, out);
        break;
    case CHANGE_WEIGHT:
        print_amount("cpu", v, out);
        break;
    case CHANGE_WITHIN:
    case CHANGE_RECLAIM:
    case CHANGE_BORROW_WITHIN:
        str_add(out, policy_name(v));
        break;
    default:
        str_add(out, after ? c->to_text : c->from_text);
    }
}
