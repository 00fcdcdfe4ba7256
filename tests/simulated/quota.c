/* What the queues allow, read from the API objects alone (engine.md 3.1, 3.3) and reckoned apart from the engine: a second opinion. As the
 * controller may not have seen the newest configuration, what was allowed at any time of the last while is allowed. */
#include "simulated/life_priv.h"

#include "base/mem.h"
#include "base/quantity.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAIRS = 3,
    MOST_NODES = 32,
    MOST_PAST = 512,
    WINDOW_S = 420, /* longer than a watch can be dead, late, and the controller away */
};

#define UNLIMITED INT64_MAX

static const char *const pairs[PAIRS][2] = {{"plain", "cpu"}, {"spot", "cpu"}, {"gpu", "example.com/gpu"}};

struct limit {
    int64_t nominal, borrow, lend; /* milli; UNLIMITED = none */
};

struct node {
    const char *name;
    struct node *parent;
    struct limit limit[PAIRS];
    int64_t usage[PAIRS]; /* of a ClusterQueue */
    bool cohort;
};

struct past {
    struct node *node;
    struct limit limit[PAIRS];
    int64_t until; /* mono */
};

struct quota {
    struct life *l;
    struct node nodes[MOST_NODES];
    uint32_t n;
    struct past past[MOST_PAST]; /* the newest at the end */
    uint32_t npast;
};

struct quota *quota_new(struct life *l)
{
    struct quota *q = mem_zalloc(1, sizeof(*q));
    if (q)
        q->l = l;
    return q;
}

void quota_free(struct quota *q)
{
    mem_free(q);
}

static struct node *node_of(struct quota *q, const char *name, bool cohort)
{
    for (uint32_t i = 0; i < q->n; i++)
        if (q->nodes[i].cohort == cohort && strcmp(q->nodes[i].name, name) == 0)
            return &q->nodes[i];
    if (q->n == MOST_NODES)
        abort();
    q->nodes[q->n] = (struct node){.name = name, .cohort = cohort};
    for (int p = 0; p < PAIRS; p++)
        q->nodes[q->n].limit[p] = (struct limit){0, UNLIMITED, UNLIMITED};
    return &q->nodes[q->n++];
}

static int64_t milli(const struct val *v, int64_t dflt)
{
    struct quantity x;
    if (!v)
        return dflt;
    return quantity_parse(v->text, strlen(v->text), &x, NULL) == 0 ? quantity_milli(x) : dflt;
}

static int pair_of(const char *flavor, const char *resource)
{
    for (int p = 0; p < PAIRS; p++)
        if (strcmp(pairs[p][0], flavor) == 0 && strcmp(pairs[p][1], resource) == 0)
            return p;
    return -1;
}

static void read_flavor(struct node *n, const struct val *flavor)
{
    const struct val *list = val_get(flavor, "resources");
    for (uint32_t i = 0; list && i < list->n; i++) {
        const struct val *r = list->m[i].v;
        int p = pair_of(val_text(flavor, "name", ""), val_text(r, "name", ""));
        if (p >= 0)
            n->limit[p] = (struct limit){milli(val_get(r, "nominalQuota"), 0),
                                         milli(val_get(r, "borrowingLimit"), UNLIMITED),
                                         milli(val_get(r, "lendingLimit"), UNLIMITED)};
    }
}

void quota_configured(struct quota *q, const struct version *v)
{
    bool cohort = strcmp(v->entry->resource->kind, "Cohort") == 0;
    struct node *n = node_of(q, v->entry->name, cohort);
    if (q->npast == MOST_PAST) {
        memmove(q->past, q->past + 1, (MOST_PAST - 1) * sizeof(q->past[0]));
        q->npast--;
    }
    struct past *p = &q->past[q->npast++];
    *p = (struct past){.node = n, .until = q->l->clock.mono};
    memcpy(p->limit, n->limit, sizeof(p->limit));
    const char *parent = val_text(v->object, cohort ? "spec.parentName" : "spec.cohortName", "");
    n->parent = *parent ? node_of(q, parent, true) : NULL;
    const struct val *groups = val_path(v->object, "spec.resourceGroups");
    for (uint32_t g = 0; groups && g < groups->n; g++) {
        const struct val *flavors = val_get(groups->m[g].v, "flavors");
        for (uint32_t f = 0; flavors && f < flavors->n; f++)
            read_flavor(n, flavors->m[f].v);
    }
}

/* ---- usage -------------------------------------------------------------------------------------------------------------- */

static int64_t pods_reclaimed(const struct val *workload, const char *set)
{
    return val_number(val_find(val_path(workload, "status.reclaimablePods"), "name", set), "count", 0);
}

/* What one pod set of an admission takes of each pair. */
static void add_set(const struct val *workload, const struct val *set, int64_t ret[PAIRS])
{
    const struct val *flavors = val_get(set, "flavors"), *usage = val_get(set, "resourceUsage");
    int64_t count = val_number(set, "count", 1), gone = pods_reclaimed(workload, val_text(set, "name", ""));
    for (uint32_t i = 0; usage && i < usage->n; i++) {
        int p = pair_of(val_text(flavors, usage->m[i].key, ""), usage->m[i].key);
        const struct val *flavor = val_get(flavors, usage->m[i].key);
        if (p < 0 && flavor) /* a key with a dot is not a path */
            p = pair_of(flavor->text, usage->m[i].key);
        if (p >= 0 && count > 0)
            ret[p] += milli(usage->m[i].v, 0) / count * (count - gone);
    }
}

static void usage_of(const struct val *workload, int64_t ret[PAIRS])
{
    const struct val *sets = val_path(workload, "status.admission.podSetAssignments");
    memset(ret, 0, PAIRS * sizeof(ret[0]));
    for (uint32_t i = 0; sets && i < sets->n; i++)
        add_set(workload, sets->m[i].v, ret);
}

void quota_charge(struct quota *q, const struct val *workload, int sign)
{
    int64_t usage[PAIRS];
    struct node *n = node_of(q, val_text(workload, "status.admission.clusterQueue", ""), false);
    usage_of(workload, usage);
    for (int p = 0; p < PAIRS; p++)
        n->usage[p] += sign * usage[p];
}

/* ---- room (3.1 to 3.3) -------------------------------------------------------------------------------------------------- */

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct reckoning {
    struct quota *q;
    int pair;
    struct limit limit[MOST_NODES]; /* the most generous of the last while */
};

static struct limit generous(const struct quota *q, const struct node *n, int p)
{
    struct limit l = n->limit[p];
    int64_t since = q->l->clock.mono - WINDOW_S * NS_PER_S;
    for (uint32_t i = q->npast; i-- > 0 && q->past[i].until >= since;) {
        const struct limit *old = &q->past[i].limit[p];
        if (q->past[i].node != n)
            continue;
        l.nominal = most(l.nominal, old->nominal);
        l.borrow = most(l.borrow, old->borrow);
        l.lend = most(l.lend, old->lend);
    }
    return l;
}

static uint32_t index_of(const struct reckoning *r, const struct node *n)
{
    return (uint32_t)(n - r->q->nodes);
}

static int64_t tree_quota(const struct reckoning *r, const struct node *n);

static int64_t private_quota(const struct reckoning *r, const struct node *n)
{
    int64_t lend = r->limit[index_of(r, n)].lend;
    return lend == UNLIMITED ? 0 : most(0, tree_quota(r, n) - lend);
}

static int64_t tree_quota(const struct reckoning *r, const struct node *n)
{
    int64_t sum = r->limit[index_of(r, n)].nominal;
    for (uint32_t i = 0; n->cohort && i < r->q->n; i++)
        if (r->q->nodes[i].parent == n)
            sum += tree_quota(r, &r->q->nodes[i]) - private_quota(r, &r->q->nodes[i]);
    return sum;
}

static int64_t usage_in(const struct reckoning *r, const struct node *n)
{
    int64_t sum = n->usage[r->pair];
    for (uint32_t i = 0; n->cohort && i < r->q->n; i++)
        if (r->q->nodes[i].parent == n)
            sum += most(0, usage_in(r, &r->q->nodes[i]) - private_quota(r, &r->q->nodes[i]));
    return sum;
}

static int64_t available(const struct reckoning *r, const struct node *n)
{
    int64_t quota = tree_quota(r, n), usage = usage_in(r, n);
    if (!n->parent)
        return quota - usage;
    int64_t room = available(r, n->parent), own = private_quota(r, n);
    int64_t borrow = r->limit[index_of(r, n)].borrow;
    if (borrow != UNLIMITED) {
        int64_t most_room = quota - own - most(0, usage - own) + borrow;
        room = room < most_room ? room : most_room;
    }
    return most(0, own - usage) + room;
}

static void tell(const struct reckoning *r)
{
    for (uint32_t i = 0; i < r->q->n; i++) {
        const struct node *n = &r->q->nodes[i];
        const struct limit *l = &r->limit[i];
        life_say(r->q->l, "%s in %s: nominal %lld, borrows %lld, lends %lld, uses %lld, room %lld", n->name,
                 n->parent ? n->parent->name : "nothing", (long long)l->nominal,
                 l->borrow == UNLIMITED ? -1 : (long long)l->borrow,
                 l->lend == UNLIMITED ? -1 : (long long)l->lend, (long long)n->usage[r->pair],
                 (long long)available(r, n));
    }
}

bool quota_fits(struct quota *q, const struct val *workload, struct str *why)
{
    int64_t usage[PAIRS];
    const char *name = val_text(workload, "status.admission.clusterQueue", "");
    const struct node *n = node_of(q, name, false);
    usage_of(workload, usage);
    for (int p = 0; p < PAIRS; p++) {
        struct reckoning r = {.q = q, .pair = p};
        if (usage[p] <= 0)
            continue;
        for (uint32_t i = 0; i < q->n; i++)
            r.limit[i] = generous(q, &q->nodes[i], p);
        int64_t room = available(&r, n);
        if (room >= 0)
            continue;
        tell(&r);
        str_addf(why, "%s uses %lld milli of %s in flavor %s, %lld more than there is", name,
                 (long long)n->usage[p], pairs[p][1], pairs[p][0], (long long)-room);
        return false;
    }
    return true;
}
