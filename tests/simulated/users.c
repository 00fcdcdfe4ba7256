/* Users: they bring work, delete some of it, change their mind, and edit queues while they are in use. */
#include "simulated/life_priv.h"

#include <stdio.h>
#include <string.h>

enum { ARRIVALS_S = 240, LEAST_ARRIVALS = 206, MOST_ARRIVALS = 600 };

static const struct resource *jobs(void)
{
    return resource_of_kind("Job");
}

static const struct resource *workloads(void)
{
    return resource_of_kind("Workload");
}

static const struct resource *queues(void)
{
    return resource_of_kind("ClusterQueue");
}

/* ---- work --------------------------------------------------------------------------------------------------------------- */

struct order {
    const struct scene_lq *lq;
    int64_t pods, cpu, gpu; /* each pod's */
    const char *notes;      /* JSON of the annotations */
};

static struct order order_of(struct life *l)
{
    struct scene *s = &l->scene;
    struct order o = {.lq = &s->lqs[life_below(l, s->nlqs)]};
    const struct scene_cq *cq = &s->cqs[o.lq->cq];
    int64_t most = cq->cpu; /* what fits without anybody's help fits in the end */
    o.pods = 1 + life_below(l, 3);
    o.cpu = 1 + life_below(l, life_below(l, 4) ? 3 : (uint32_t)(most / o.pods));
    if (o.cpu * o.pods > most)
        o.cpu = most / o.pods;
    if (cq->gpu && life_below(l, 3) == 0) {
        o.gpu = 1;
        o.pods = o.pods < cq->gpu ? o.pods : 1;
    }
    const char *dull = life_below(l, 20) == 0 ? ",\"sim/dull\":\"1\"" : "";
    const char *fewer =
        o.pods > 1 && life_below(l, 6) == 0 ? ",\"kueue.x-k8s.io/job-min-parallelism\":\"1\"" : "";
    const char *fails = life_below(l, 15) == 0 ? ",\"sim/fails\":\"1\"" : "";
    o.notes = val_printf(&l->store->a, "{\"sim/run-ms\":\"%u\",\"sim/ready-ms\":\"%u\"%s%s%s}",
                         500 + life_below(l, 20) * 500, 50 + life_below(l, 20) * 100, dull, fewer, fails);
    return o;
}

static const char *template(struct life *l, const struct order *o)
{
    const char *gpu =
        o->gpu ? val_printf(&l->store->a, ",\"example.com/gpu\":\"%lld\"", (long long)o->gpu) : "";
    return val_printf(
        &l->store->a,
        "{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\","
        "\"resources\":{\"requests\":{\"cpu\":\"%lld\"%s}}}]}}",
        (long long)o->cpu, gpu);
}

static const char *class_of(struct life *l)
{
    uint32_t n = life_below(l, 5);
    return n == 0 ? "high" : n == 1 ? "low" : NULL;
}

static void bring_job(struct life *l, const struct order *o)
{
    const char *class = class_of(l);
    class = class ? val_printf(&l->store->a, ",\"kueue.x-k8s.io/priority-class\":\"%s\"", class) : "";
    const char *limit = life_below(l, 30) == 0 ? ",\"kueue.x-k8s.io/max-exec-time-seconds\":\"4\"" : "";
    rest_create(
        l->store, "user", jobs(), o->lq->ns,
        val_format(&l->store->a,
                   "{\"metadata\":{\"name\":\"job-%u\",\"labels\":{\"kueue.x-k8s.io/queue-name\":\"%s\"%s%s},"
                   "\"annotations\":%s},\"spec\":{\"suspend\":%s,\"parallelism\":%lld,\"completions\":%lld,"
                   "\"template\":%s}}",
                   l->arrived, o->lq->name, class, limit, o->notes, l->scene.policy ? "true" : "false",
                   (long long)o->pods, (long long)o->pods, template(l, o)));
    l->r->jobs++;
}

static void bring_workload(struct life *l, const struct order *o)
{
    const char *class = class_of(l);
    class = class ? val_printf(&l->store->a,
                               ",\"priority\":%d,\"priorityClassRef\":{\"group\":\"kueue.x-k8s.io\",\"kind\":"
                               "\"WorkloadPriorityClass\",\"name\":\"%s\"}",
                               class[0] == 'h' ? 1000 : 10, class)
                  : "";
    rest_create(
        l->store, "user", workloads(), o->lq->ns,
        val_format(&l->store->a,
                   "{\"metadata\":{\"name\":\"bare-%u\",\"annotations\":%s},\"spec\":{\"queueName\":\"%s\"%s,"
                   "\"podSets\":[{\"name\":\"main\",\"count\":%lld,\"template\":%s}]}}",
                   l->arrived, o->notes, o->lq->name, class, (long long)o->pods, template(l, o)));
}

static void arrive(void *arg)
{
    struct life *l = arg;
    struct order o = order_of(l);
    if (life_below(l, 5) < 2)
        bring_workload(l, &o);
    else
        bring_job(l, &o);
    l->arrived++;
    /* Jobs that run to their end while no controller is there get no Workload: others come for them. */
    l->bringing =
        l->arrived < LEAST_ARRIVALS || (l->r->workloads < LEAST_ARRIVALS && l->arrived < MOST_ARRIVALS);
    if (l->bringing)
        vclock_after(&l->clock, life_between(l, 0, 2 * ARRIVALS_S * NS_PER_S / 220), arrive, l);
}

/* ---- whims -------------------------------------------------------------------------------------------------------------- */

/* Some object of a kind that is not over; NULL when the draw hits none. */
static struct entry *some(struct life *l, const struct resource *r)
{
    uint32_t n = 0;
    for (struct entry *e = store_first(l->store, r); e; e = store_next(e))
        n += !e->newest->deleted;
    uint32_t pick = n ? life_below(l, n) : 0;
    for (struct entry *e = n ? store_first(l->store, r) : NULL; e; e = store_next(e))
        if (!e->newest->deleted && pick-- == 0)
            return e;
    return NULL;
}

static void patch(struct life *l, struct entry *e, const char *json)
{
    if (e)
        rest_patch(l->store, "user", e->resource, e->ns, e->name, NULL, val_format(&l->store->a, "%s", json));
}

static void resize(struct life *l)
{
    struct arena *a = &l->store->a;
    struct entry *e = some(l, queues());
    const struct val *groups = val_path(e->newest->object, "spec.resourceGroups"), *group = groups->m[0].v;
    const struct val *flavor = val_get(group, "flavors")->m[0].v,
                     *resource = val_get(flavor, "resources")->m[0].v;
    const char *quota = val_printf(a, "%u", 4 + life_below(l, 24));
    /* A limit on lending may not be above what there is to lend. */
    resource = val_with(a, resource, "lendingLimit", NULL);
    resource = val_with(a, resource, "nominalQuota", val_str(a, quota));
    flavor = val_with(a, flavor, "resources", val_push(a, val_list(), resource));
    const struct val *flavors = val_push(a, val_list(), flavor);
    for (uint32_t i = 1; i < val_get(group, "flavors")->n; i++)
        flavors = val_push(a, flavors, val_get(group, "flavors")->m[i].v);
    const struct val *all = val_push(a, val_list(), val_with(a, group, "flavors", flavors));
    for (uint32_t i = 1; i < groups->n; i++)
        all = val_push(a, all, groups->m[i].v);
    rest_patch(l->store, "admin", queues(), NULL, e->name, NULL,
               val_with_path(a, val_map(), "spec.resourceGroups", all));
    life_say(l, "%s has a nominal quota of %s", e->name, quota);
}

static void stop_or_go(struct life *l)
{
    static const char *const policies[] = {"Hold", "HoldAndDrain", "None", "None"};
    const char *policy = policies[life_below(l, 4)];
    struct entry *e = some(l, life_below(l, 2) ? queues() : resource_of_kind("LocalQueue"));
    patch(l, e, val_printf(&l->store->a, "{\"spec\":{\"stopPolicy\":\"%s\"}}", policy));
    life_say(l, "%s: %s", e->key, policy);
}

/* A user starts a job by hand; the controller must stop it. */
static void cheat(struct life *l)
{
    struct entry *e = some(l, jobs());
    if (e && val_true(e->newest->object, "spec.suspend")) {
        life_say(l, "%s is started by hand", e->key);
        patch(l, e, "{\"spec\":{\"suspend\":false}}");
    }
}

static void deactivate(struct life *l)
{
    struct entry *e = some(l, workloads());
    if (e && !life_condition(e->newest->object, "Finished"))
        patch(l, e, "{\"spec\":{\"active\":false}}");
}

static void reclassify(struct life *l)
{
    struct entry *e = some(l, jobs());
    const char *to = life_below(l, 2) ? "high" : "low";
    patch(l, e,
          val_printf(&l->store->a, "{\"metadata\":{\"labels\":{\"kueue.x-k8s.io/priority-class\":\"%s\"}}}",
                     to));
}

static void take_away(struct life *l, const struct resource *r)
{
    struct entry *e = some(l, r);
    if (e && !life_condition(e->newest->object, "Finished")) {
        life_say(l, "%s %s is deleted", r->kind, e->key);
        rest_delete(l->store, "user", r, e->ns, e->name);
    }
}

static void whim(void *arg)
{
    struct life *l = arg;
    if (life_calm(l))
        return;
    switch (life_below(l, 10)) {
    case 0:
    case 1:
        resize(l);
        break;
    case 2:
    case 3:
        stop_or_go(l);
        break;
    case 4:
        cheat(l);
        break;
    case 5:
        deactivate(l);
        break;
    case 6:
        reclassify(l);
        break;
    case 7:
    case 8:
        take_away(l, jobs());
        break;
    default:
        take_away(l, workloads());
    }
    vclock_after(&l->clock, life_between(l, 2 * NS_PER_S, 20 * NS_PER_S), whim, l);
}

/* ---- calm --------------------------------------------------------------------------------------------------------------- */

/* What a user deactivated. What the controller gave up stays so: nothing would ask for it again (engine.md 10.3, the caution). */
static void reactivate_all(struct life *l)
{
    for (struct entry *e = store_first(l->store, workloads()); e; e = store_next(e)) {
        const struct val *o = e->newest->object;
        const struct val *evicted = val_find(val_path(o, "status.conditions"), "type", "Evicted");
        if (!e->newest->deleted && val_path(o, "spec.active") && !val_true(o, "spec.active") &&
            !life_condition(o, "QuotaReserved") &&
            strcmp(val_text(evicted, "reason", ""), "Deactivated") == 0)
            patch(l, e, "{\"spec\":{\"active\":true}}");
    }
}

void users_calm(struct life *l)
{
    struct scene *s = &l->scene;
    struct arena *a = &l->store->a;
    for (uint32_t i = 0; i < s->ncqs; i++)
        rest_patch(
            l->store, "admin", queues(), NULL, s->cqs[i].name, NULL,
            val_format(a, "{\"spec\":{\"stopPolicy\":\"None\",\"resourceGroups\":%s}}", s->cqs[i].nominal));
    for (uint32_t i = 0; i < s->nlqs; i++)
        rest_patch(l->store, "admin", resource_of_kind("LocalQueue"), s->lqs[i].ns, s->lqs[i].name, NULL,
                   val_format(a, "{\"spec\":{\"stopPolicy\":\"None\"}}"));
    reactivate_all(l);
}

void users_start(struct life *l)
{
    l->bringing = true;
    vclock_after(&l->clock, NS_PER_S / 2, arrive, l);
    vclock_after(&l->clock, 20 * NS_PER_S, whim, l);
}
