/* Explanations: what they say of small worlds, and each option put into the manifests and seen to work, over random worlds. */
#include "sim/explain.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- a plan of a world, and its manifests ------------------------------------------------------------------------------- */

enum { FLAVORS = 2, RESOURCES = 2, CQS = 3, WORKLOADS = 9, CLASSES = 3, NO = -1 };

static const char *const resource_names[RESOURCES] = {"cpu", "example.com/gpu"};
static const char *const flavor_names[FLAVORS] = {"plain", "spot"}; /* spot is tainted; each has a label */
static const char *const class_names[CLASSES] = {"", "low", "high"};
static const int class_values[CLASSES] = {0, 10, 100};
static const char *const policies[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority", "Any"};

struct planned_quota {
    int64_t nominal, borrowing, lending; /* amounts; NO = no limit */
};

struct planned_queue {
    int cohort; /* 0 none, 1 top, 2 mid */
    bool strict, stopped, lq_stopped;
    int within, reclaim, borrow; /* enum preempt_policy; borrow NO = absent */
    int64_t weight;              /* thousandths */
    struct planned_quota quotas[FLAVORS][RESOURCES];
};

struct planned_workload {
    int queue, count, class, selector; /* selector: a flavor, or NO */
    int64_t asks[RESOURCES];           /* a pod; 0 = not at all */
    bool tolerates, active, ends;
};

struct plan {
    bool fair, cohort_quotas;
    struct planned_quota top[FLAVORS][RESOURCES];
    struct planned_queue queues[CQS];
    struct planned_workload workloads[WORKLOADS];
    int nworkloads;
    int64_t mid_weight, top_weight;
};

static uint64_t state;

static int below(int n)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int)((z ^ (z >> 31)) % (uint64_t)n);
}

static int64_t units(int resource, int n)
{
    return resource == 0 ? 1000 * (int64_t)n : n;
}

static struct planned_quota roll_quota(int resource, int most)
{
    int nominal = below(most + 1);

    return (struct planned_quota){units(resource, nominal), below(3) ? NO : units(resource, below(5)),
                                  below(3) ? NO : units(resource, below(nominal + 1))};
}

static void roll_queue(const struct plan *p, struct planned_queue *q)
{
    *q = (struct planned_queue){.cohort = below(3),
                                .strict = below(3) == 0,
                                .stopped = below(12) == 0,
                                .lq_stopped = below(16) == 0,
                                .within = below(3),
                                .borrow = NO,
                                .weight = 500 * (1 + below(4))};
    q->reclaim = (int[]){POLICY_NEVER, POLICY_LOWER_PRIORITY, POLICY_ANY}[below(3)];
    if (!p->fair && q->reclaim != POLICY_NEVER && below(2))
        q->borrow = POLICY_LOWER_PRIORITY;
    for (int f = 0; f < FLAVORS; f++)
        for (int r = 0; r < RESOURCES; r++) {
            q->quotas[f][r] = roll_quota(r, 5);
            if (!q->cohort)
                q->quotas[f][r].borrowing = q->quotas[f][r].lending = NO;
        }
}

static void roll(struct plan *p, uint64_t seed)
{
    state = seed;
    *p = (struct plan){
        .fair = below(3) == 0, .cohort_quotas = below(2), .mid_weight = 1000, .top_weight = 1000};
    p->nworkloads = 3 + below(WORKLOADS - 2);
    for (int f = 0; f < FLAVORS; f++)
        for (int r = 0; r < RESOURCES; r++)
            p->top[f][r] = (struct planned_quota){units(r, below(4)), NO, NO};
    for (int i = 0; i < CQS; i++)
        roll_queue(p, &p->queues[i]);
    for (int i = 0; i < p->nworkloads; i++)
        p->workloads[i] = (struct planned_workload){.queue = below(CQS),
                                                    .count = 1 + below(3),
                                                    .class = below(CLASSES),
                                                    .selector = below(4) ? NO : below(FLAVORS),
                                                    .asks = {units(0, 1 + below(3)), below(2) ? below(3) : 0},
                                                    .tolerates = below(2),
                                                    .active = below(16) > 0};
}

/* ---- manifests ---------------------------------------------------------------------------------------------------------- */

#define HEAD(kind) "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: " kind "\n"

static void put_amount(struct str *s, int r, int64_t v)
{
    str_addf(s, r == 0 ? "%lldm" : "%lld", (long long)v);
}

static void put_quota(struct str *s, int r, const struct planned_quota *q)
{
    str_addf(s, "{name: %s, nominalQuota: ", resource_names[r]);
    put_amount(s, r, q->nominal);
    if (q->borrowing != NO) {
        str_add(s, ", borrowingLimit: ");
        put_amount(s, r, q->borrowing);
    }
    if (q->lending != NO) {
        str_add(s, ", lendingLimit: ");
        put_amount(s, r, q->lending);
    }
    str_add(s, "}, ");
}

static void put_groups(struct str *s, const struct planned_quota quotas[FLAVORS][RESOURCES])
{
    str_addf(s, "  resourceGroups: [{coveredResources: [%s, %s], flavors: [", resource_names[0],
             resource_names[1]);
    for (int f = 0; f < FLAVORS; f++) {
        str_addf(s, "\n    {name: %s, resources: [", flavor_names[f]);
        for (int r = 0; r < RESOURCES; r++)
            put_quota(s, r, &quotas[f][r]);
        str_add(s, "]},");
    }
    str_add(s, "]}]\n");
}

static void put_queue(struct str *s, int i, const struct planned_queue *q)
{
    static const char *const cohorts[] = {"", "top", "mid"};

    str_addf(s, HEAD("ClusterQueue") "metadata: {name: q%d}\nspec:\n  namespaceSelector: {}\n", i);
    if (q->cohort)
        str_addf(s, "  cohortName: %s\n", cohorts[q->cohort]);
    str_addf(s, "  queueingStrategy: %s\n  stopPolicy: %s\n", q->strict ? "StrictFIFO" : "BestEffortFIFO",
             q->stopped ? "Hold" : "None");
    str_addf(s, "  preemption: {withinClusterQueue: %s, reclaimWithinCohort: %s", policies[q->within],
             policies[q->reclaim]);
    if (q->borrow != NO)
        str_addf(s, ", borrowWithinCohort: {policy: %s}", policies[q->borrow]);
    str_addf(s, "}\n  fairSharing: {weight: %lldm}\n", (long long)q->weight);
    put_groups(s, q->quotas);
    str_addf(
        s,
        HEAD(
            "LocalQueue") "metadata: {name: l%d, namespace: ns}\nspec: {clusterQueue: q%d, stopPolicy: %s}\n",
        i, i, q->lq_stopped ? "Hold" : "None");
}

static void put_workload(struct str *s, int i, const struct planned_workload *w)
{
    str_addf(s,
             HEAD("Workload") "metadata: {name: w%d, namespace: ns, creationTimestamp: "
                              "'2026-01-01T00:00:%02dZ'%s}\n"
                              "spec:\n  queueName: l%d\n  priority: %d\n  active: %s\n",
             i, i, w->ends ? ", annotations: {sim/run-seconds: '1'}" : "", w->queue, class_values[w->class],
             w->active ? "true" : "false");
    if (w->class)
        str_addf(s, "  priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: %s}\n",
                 class_names[w->class]);
    str_addf(s, "  podSets: [{name: main, count: %d, template: {spec: {", w->count);
    if (w->selector != NO)
        str_addf(s, "nodeSelector: {kind: %s}, ", flavor_names[w->selector]);
    if (w->tolerates)
        str_add(s, "tolerations: [{key: spot, operator: Equal, value: 'yes', effect: NoSchedule}], ");
    str_add(s, "containers: [{name: c, resources: {requests: {cpu: ");
    put_amount(s, 0, w->asks[0]);
    if (w->asks[1])
        str_addf(s, ", %s: %lld}, limits: {%s: %lld", resource_names[1], (long long)w->asks[1],
                 resource_names[1], (long long)w->asks[1]);
    str_add(s, "}}}]}}}]\n");
}

static void put_plan(struct str *s, const struct plan *p)
{
    str_add(s, "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n");
    str_addf(
        s, "---\napiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n%s",
        p->fair ? "fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]}\n"
                : "");
    str_add(s, HEAD("ResourceFlavor") "metadata: {name: plain}\nspec: {nodeLabels: {kind: plain}}\n");
    str_add(s, HEAD("ResourceFlavor") "metadata: {name: spot}\nspec: {nodeLabels: {kind: spot}, nodeTaints: "
                                      "[{key: spot, "
                                      "value: 'yes', effect: NoSchedule}]}\n");
    for (int i = 1; i < CLASSES; i++)
        str_addf(s, HEAD("WorkloadPriorityClass") "metadata: {name: %s}\nvalue: %d\n", class_names[i],
                 class_values[i]);
    str_addf(s, HEAD("Cohort") "metadata: {name: top}\nspec:\n  fairSharing: {weight: %lldm}\n",
             (long long)p->top_weight);
    if (p->cohort_quotas)
        put_groups(s, p->top);
    str_addf(
        s, HEAD("Cohort") "metadata: {name: mid}\nspec:\n  parentName: top\n  fairSharing: {weight: %lldm}\n",
        (long long)p->mid_weight);
    for (int i = 0; i < CQS; i++)
        put_queue(s, i, &p->queues[i]);
    for (int i = 0; i < p->nworkloads; i++)
        put_workload(s, i, &p->workloads[i]);
}

static struct api_set *read_plan(const struct plan *p)
{
    struct api_set *set = api_set_new(0);
    struct str text;
    struct err err = {0};

    str_init(&text, 0);
    put_plan(&text, p);
    ck_assert(!str_failed(&text));
    ck_assert_int_eq(api_read_buffer(set, "plan.yaml", str_text(&text), text.len, &err), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_error(set, 0));
    str_free(&text);
    return set;
}

/* ---- a change, made in the plan ----------------------------------------------------------------------------------------- */

static int index_of(const char *name, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(name, names[i]))
            return i;
    ck_abort_msg("what is %s?", name);
}

static void change_quota(struct plan *p, const struct change *c)
{
    int f = index_of(c->part, flavor_names, FLAVORS), r = index_of(c->resource, resource_names, RESOURCES);
    struct planned_quota *q =
        c->object == API_COHORT ? &p->top[f][r] : &p->queues[c->name[1] - '0'].quotas[f][r];

    *(c->kind == CHANGE_NOMINAL     ? &q->nominal
      : c->kind == CHANGE_BORROWING ? &q->borrowing
                                    : &q->lending) = c->to;
}

static void change_workload(struct planned_workload *w, const struct change *c)
{
    switch (c->kind) {
    case CHANGE_ACTIVE:
        w->active = true;
        break;
    case CHANGE_COUNT:
        w->count = (int)c->to;
        break;
    case CHANGE_REQUEST:
        w->asks[index_of(c->resource, resource_names, RESOURCES)] = c->to;
        break;
    case CHANGE_TOLERATE:
        w->tolerates = true;
        break;
    case CHANGE_SELECTOR:
        w->selector = NO;
        break;
    case CHANGE_QUEUE:
        w->queue = c->to_text[1] - '0';
        break;
    case CHANGE_END:
        w->ends = true;
        break;
    case CHANGE_PRIORITY:
        w->class = index_of(c->to_text, class_names, CLASSES);
        break;
    default:
        ck_abort_msg("not of a Workload: %s", change_kind_name(c->kind));
    }
}

static void change_queue(struct plan *p, const struct change *c)
{
    struct planned_queue *q = &p->queues[c->object == API_COHORT ? 0 : c->name[1] - '0'];

    switch (c->kind) {
    case CHANGE_WEIGHT:
        *(c->object == API_CLUSTER_QUEUE ? &q->weight
          : *c->name == 'm'              ? &p->mid_weight
                                         : &p->top_weight) = c->to;
        break;
    case CHANGE_STRATEGY:
        q->strict = false;
        break;
    case CHANGE_WITHIN:
        q->within = (int)c->to;
        break;
    case CHANGE_RECLAIM:
        q->reclaim = (int)c->to;
        break;
    case CHANGE_BORROW_WITHIN:
        q->borrow = (int)c->to;
        break;
    case CHANGE_RESUME:
        *(c->object == API_LOCAL_QUEUE ? &q->lq_stopped : &q->stopped) = false;
        break;
    default:
        change_quota(p, c);
    }
}

static void make_change(struct plan *p, const struct change *c)
{
    if (c->object == API_WORKLOAD)
        change_workload(&p->workloads[c->name[1] - '0'], c);
    else
        change_queue(p, c);
}

/* ---- the engine alone says whether it starts ---------------------------------------------------------------------------- */

static bool plan_starts(const struct plan *p, const char *key)
{
    /* Everything is there when it begins, as in the explanation. */
    const struct sim_options opt = {.max_cycles = 100000,
                                    .max_cycles_at_once = 10000,
                                    .start = WHEN_NONE,
                                    .gathers = true,
                                    .begin = (INT64_C(1767225600) + p->nworkloads - 1) * NS_PER_S,
                                    .models = true};
    struct api_set *set = read_plan(p);
    struct err err = {0};
    struct sim *s;
    bool starts = false;

    ck_assert_msg(!sim_new(set, &opt, &s, &err), "%s", err.text);
    ck_assert_int_eq(sim_run(s, &err), 0);
    for (uint32_t i = 0; i < sim_count(s); i++)
        if (!strcmp(sim_at(s, i)->key, key))
            starts = sim_end(s) == SIM_QUIESCENT &&
                     (what_if_holds(sim_at(s, i)) || what_if_finished(sim_at(s, i)));
    sim_free(s);
    api_set_free(set);
    return starts;
}

/* A number one step nearer to what it was. */
static bool nearer(struct change *c)
{
    int64_t unit = c->kind == CHANGE_WEIGHT ? 500 : 1;
    bool number = c->kind == CHANGE_COUNT || c->kind == CHANGE_REQUEST || c->kind == CHANGE_NOMINAL ||
                  c->kind == CHANGE_BORROWING || c->kind == CHANGE_LENDING || c->kind == CHANGE_WEIGHT;

    if (!number)
        return false;
    c->to += c->to > c->from ? -unit : unit;
    return true;
}

static uint32_t seen_kinds[CHANGE_KINDS];

static void check_option(const struct plan *p, const struct explain *e, uint32_t i, uint64_t seed)
{
    const struct option *o = &e->options.list[i];
    struct plan with = *p;

    ck_assert_uint_gt(o->nchanges, 0);
    for (uint32_t k = 0; k < o->nchanges; k++) {
        make_change(&with, &o->changes[k]);
        seen_kinds[o->changes[k].kind]++;
    }
    ck_assert_msg(plan_starts(&with, e->target->key), "seed %llu: %s: option %u does not help",
                  (unsigned long long)seed, e->target->key, i + 1);
    for (uint32_t leave = 0; leave < o->nchanges; leave++) {
        struct plan less = *p;
        for (uint32_t k = 0; k < o->nchanges; k++) {
            struct change c = o->changes[k];
            if (k != leave || nearer(&c))
                make_change(&less, &c);
        }
        ck_assert_msg(!plan_starts(&less, e->target->key), "seed %llu: %s: option %u: change %u is too large",
                      (unsigned long long)seed, e->target->key, i + 1, leave + 1);
    }
}

static uint32_t check_workload(const struct plan *p, const struct api_set *set, int i, uint64_t seed)
{
    char name[8] = {'w', (char)('0' + i), '\0'};
    struct err err = {0};
    struct explain *e;

    ck_assert_msg(!explain_new(set, "ns", name, &e, &err), "%s", err.text);
    ck_assert(e->state == EXPLAIN_UNSETTLED || (e->state != EXPLAIN_WAITS) == plan_starts(p, e->target->key));
    uint32_t n = e->options.n;
    for (uint32_t k = 0; k < n; k++)
        check_option(p, e, k, seed);
    explain_free(e);
    return n;
}

START_TEST(random_worlds)
{
    uint32_t options = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct plan p;
        roll(&p, seed);
        struct api_set *set = read_plan(&p);
        for (int i = 0; i < p.nworkloads; i++)
            options += check_workload(&p, set, i, seed);
        api_set_free(set);
    }
    ck_assert_uint_gt(options, 200);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

/* ---- scenes: what is said ----------------------------------------------------------------------------------------------- */

static struct api_set *scene_set;
static struct explain *scene;

static void explain_scene(const struct plan *p, const char *name)
{
    struct err err = {0};

    scene_set = read_plan(p);
    ck_assert_msg(!explain_new(scene_set, "ns", name, &scene, &err), "%s", err.text);
}

static void end_scene(void)
{
    explain_free(scene);
    api_set_free(scene_set);
    ck_assert_int_eq(mem_live(), 0);
}

/* q0 and q1 under "top", 4 cpu each of flavor plain, everything else 0; nobody evicts. */
static struct plan two_queues(void)
{
    struct plan p = {.mid_weight = 1000, .top_weight = 1000};

    for (int i = 0; i < CQS; i++) {
        p.queues[i] = (struct planned_queue){.cohort = i < 2 ? 1 : 0, .borrow = NO, .weight = 1000};
        for (int f = 0; f < FLAVORS; f++)
            for (int r = 0; r < RESOURCES; r++)
                p.queues[i].quotas[f][r] = (struct planned_quota){f || r || i == 2 ? 0 : 4000, NO, NO};
    }
    return p;
}

static void add(struct plan *p, int queue, int count, int64_t cpu)
{
    p->workloads[p->nworkloads++] = (struct planned_workload){
        .queue = queue, .count = count, .selector = NO, .asks = {1000 * cpu, 0}, .active = true};
}

static bool has_option(enum change_kind kind, const char *name, int64_t to)
{
    for (uint32_t i = 0; i < scene->options.n; i++) {
        const struct option *o = &scene->options.list[i];
        if (o->nchanges == 1 && o->changes[0].kind == kind && !strcmp(o->changes[0].name, name) &&
            o->changes[0].to == to)
            return true;
    }
    return false;
}

/* In the first cycle w1 takes 1 of q1's 4 and w0 borrows 2; w2 finds 1 of the 3 that it asks for, and w3 is behind it. */
static struct plan borrowed(void)
{
    struct plan p = two_queues();

    add(&p, 0, 1, 6);
    add(&p, 1, 1, 1);
    add(&p, 1, 1, 3);
    add(&p, 1, 1, 3);
    return p;
}

static void check_numbers(const struct explain_pair *pair)
{
    ck_assert_str_eq(pair->flavor, "plain");
    ck_assert_int_eq(pair->asked, 3000);
    ck_assert_uint_eq(pair->nlevels, 2);
    ck_assert(pair->levels[0].available == 1000 && pair->levels[0].nominal == 4000);
    ck_assert(!pair->levels[0].is_cohort && pair->levels[1].is_cohort);
    ck_assert(pair->levels[1].quota == 8000 && pair->levels[1].used == 7000);
    ck_assert_uint_eq(pair->nholders, 2);
    ck_assert_str_eq(pair->holders[0].key, "ns/w1");
    ck_assert(pair->holders[0].own);
    ck_assert_str_eq(pair->holders[1].key, "ns/w0");
    ck_assert_uint_eq(pair->nloans, 1);
    ck_assert_str_eq(pair->loans[0].borrower, "q0");
    ck_assert_str_eq(pair->loans[0].lender, "q1");
    ck_assert_int_eq(pair->loans[0].amount, 2000);
}

START_TEST(borrowed_by_others)
{
    struct plan p = borrowed();

    explain_scene(&p, "w2");
    ck_assert_int_eq(scene->state, EXPLAIN_WAITS);
    ck_assert_str_eq(scene->cluster_queue, "q1");
    ck_assert(scene->queued && scene->in_cq == 0 && scene->nahead == 0);
    ck_assert_str_eq(scene->wait, "WaitingForQuota");
    ck_assert_uint_eq(scene->npairs, 2); /* cpu of both flavors */
    check_numbers(&scene->pairs[0]);
    ck_assert(has_option(CHANGE_REQUEST, "w2", 1000));
    ck_assert(has_option(CHANGE_END, "w0", 1));
    ck_assert(has_option(CHANGE_NOMINAL, "q1", 6000));
    ck_assert(has_option(CHANGE_RECLAIM, "q1", POLICY_ANY));
    end_scene();
}
END_TEST

START_TEST(behind_another)
{
    struct plan p = borrowed();

    explain_scene(&p, "w3");
    ck_assert_uint_eq(scene->in_cq, 1);
    ck_assert_uint_eq(scene->nahead, 1);
    ck_assert_str_eq(scene->ahead[0], "ns/w2");
    end_scene();
}
END_TEST

START_TEST(admitted_on_a_loan)
{
    struct plan p = two_queues();

    add(&p, 0, 1, 6);
    explain_scene(&p, "w0");
    ck_assert_int_eq(scene->state, EXPLAIN_ADMITTED);
    ck_assert_uint_gt(scene->borrow_level, 0);
    ck_assert_uint_eq(scene->npairs, 1); /* only what it holds */
    ck_assert_uint_eq(scene->pairs[0].nloans, 1);
    ck_assert_uint_eq(scene->options.n, 0);
    ck_assert_str_eq(scene->message, "");
    end_scene();
}
END_TEST

/* As `borrowed`, but q1 may take its quota back. */
START_TEST(evicted_by_a_reclaim)
{
    struct plan p = borrowed();

    p.queues[1].reclaim = POLICY_ANY;
    explain_scene(&p, "w2");
    ck_assert_int_eq(scene->state, EXPLAIN_ADMITTED);
    ck_assert_uint_eq(scene->evicted.n, 1);
    ck_assert_uint_eq(scene->evicted.all, 1);
    ck_assert_str_eq(scene->evicted.list[0].victim, "ns/w0");
    ck_assert_str_eq(scene->evicted.list[0].reason, "InCohortReclamation");
    ck_assert(scene->evicted.list[0].victim_share < 0);
    end_scene();
}
END_TEST

START_TEST(switched_off)
{
    struct plan p = two_queues();

    add(&p, 0, 1, 1);
    p.workloads[0].active = false;
    explain_scene(&p, "w0");
    ck_assert_int_eq(scene->state, EXPLAIN_WAITS);
    ck_assert_uint_eq(scene->options.n, 1);
    ck_assert(has_option(CHANGE_ACTIVE, "w0", 1));
    end_scene();
}
END_TEST

/* Two things are wrong at once, and no single change heals both. */
START_TEST(nothing_helps)
{
    struct plan p = two_queues();

    add(&p, 2, 1, 1);
    p.workloads[0].asks[1] = 1;
    p.workloads[0].selector = 1;
    p.workloads[0].tolerates = false;
    p.queues[0].quotas[0][0].nominal = p.queues[1].quotas[0][0].nominal = 0;
    explain_scene(&p, "w0");
    ck_assert_int_eq(scene->state, EXPLAIN_WAITS);
    ck_assert_uint_eq(scene->options.n, 0);
    ck_assert(!scene->options.exhausted);
    ck_assert_uint_gt(what_if_runs(scene->run), 5);
    end_scene();
}
END_TEST

START_TEST(memory_runs_out)
{
    struct plan p = two_queues();
    struct explain *e = NULL;
    struct err err = {0};
    int rc = ERR_NOMEM;

    add(&p, 0, 2, 1);
    add(&p, 1, 1, 9);
    struct api_set *set = read_plan(&p);
    for (uint64_t n = 1; rc == ERR_NOMEM && n < 20000; n += n < 400 ? 1 : 97) {
        mem_fail_after(n);
        rc = explain_new(set, "ns", "w1", &e, &err);
        mem_fail_after(0);
        ck_assert(rc == 0 || (rc == ERR_NOMEM && !e));
    }
    ck_assert_int_eq(rc, 0);
    explain_free(e);
    api_set_free(set);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tc = tcase_create("all");

    const TTest *const tests[] = {borrowed_by_others,   behind_another, admitted_on_a_loan,
                                  evicted_by_a_reclaim, switched_off,   nothing_helps,
                                  memory_runs_out,      random_worlds};

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    tcase_set_timeout(tc, 100);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
