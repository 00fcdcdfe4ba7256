/* Statuses of queues, from a world, and their digests, from both sides. */
#include "api/queue_json.h"

#include "api/emit.h"
#include "api_test.h"
#include "core/lq_view.h"

static struct arena arena, scratch;
static struct world *w;
static struct api_set *set;
static struct cond active;

#define NOW ((INT64_C(1767225600) + 60) * NS_PER_S)

/* Two queues in one cohort: "a" borrows, "b" lends. "w1" is admitted, "w2" holds quota only, "w3" waits. */
static const char objects[] =
    "{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: f}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: g}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: root}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: team}, spec: {parentName: "
    "root}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: a}, spec: {cohortName: team,"
    " namespaceSelector: {}, admissionScope: {admissionMode: UsageBasedAdmissionFairSharing},"
    " resourceGroups: [{coveredResources: [memory, cpu], flavors: ["
    "{name: g, resources: [{name: memory, nominalQuota: 1Gi}, {name: cpu, nominalQuota: 1}]},"
    "{name: f, resources: [{name: memory, nominalQuota: 4Gi}, {name: cpu, nominalQuota: 8}]}]}]}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: b}, spec: {cohortName: team,"
    " namespaceSelector: {}, resourceGroups: [{coveredResources: [memory, cpu], flavors: ["
    "{name: g, resources: [{name: memory, nominalQuota: 8Gi}, {name: cpu, nominalQuota: 8}]}]}]}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: l, namespace: n}, spec: "
    "{clusterQueue: a}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: far, namespace: n}, spec: "
    "{clusterQueue: none}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: held, namespace: n}, spec: "
    "{clusterQueue: a, stopPolicy: Hold}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: used, namespace: n}, spec: "
    "{clusterQueue: a},"
    " status: {fairSharing: {weightedShare: 0, admissionFairSharingStatus: {consumedResources: {cpu: 1500m, "
    "memory: 2Gi},"
    " lastUpdate: '2026-01-01T00:00:00Z'}}}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Workload, metadata: {name: w1, namespace: n, uid: u1}, spec: "
    "{queueName: l, podSets: ["
    "{name: main, count: 3, template: {spec: {containers: [{name: c, resources: {requests: {cpu: 1, memory: "
    "512Mi}}}]}}}]},"
    " status: {admission: {clusterQueue: a, podSetAssignments: [{name: main, count: 3, flavors: {cpu: g, "
    "memory: g},"
    " resourceUsage: {cpu: 3, memory: 1536Mi}}]}, conditions: ["
    "{type: QuotaReserved, status: 'True', reason: R, message: '', lastTransitionTime: "
    "'2026-01-01T00:00:00Z'},"
    "{type: Admitted, status: 'True', reason: R, message: '', lastTransitionTime: "
    "'2026-01-01T00:00:00Z'}]}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Workload, metadata: {name: w2, namespace: n, uid: u2}, spec: "
    "{queueName: l, podSets: ["
    "{name: main, count: 1, template: {spec: {containers: [{name: c, resources: {requests: {cpu: "
    "250m}}}]}}}]},"
    " status: {admission: {clusterQueue: a, podSetAssignments: [{name: main, count: 1, flavors: {cpu: f},"
    " resourceUsage: {cpu: 250m}}]}, conditions: ["
    "{type: QuotaReserved, status: 'True', reason: R, message: '', lastTransitionTime: "
    "'2026-01-01T00:00:00Z'}]}}\n---\n"
    "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Workload, metadata: {name: w3, namespace: n, uid: u3}, spec: "
    "{queueName: l, podSets: ["
    "{name: main, count: 1, template: {spec: {containers: [{name: c, resources: {requests: {cpu: "
    "1}}}]}}}]}}\n";

static void put(const struct object *o)
{
    int rc = -1;

    switch (o->kind) {
    case API_NAMESPACE:
        rc = world_put_namespace(w, &o->name_space, NULL);
        break;
    case API_FLAVOR:
        rc = world_put_flavor(w, &o->flavor, NULL);
        break;
    case API_COHORT:
        rc = world_put_cohort(w, &o->cohort, NULL);
        break;
    case API_CLUSTER_QUEUE:
        rc = world_put_cluster_queue(w, &o->cluster_queue, NOW, NULL);
        break;
    case API_LOCAL_QUEUE:
        rc = world_put_local_queue(w, &o->local_queue, NOW, NULL);
        break;
    case API_WORKLOAD:
        rc = world_put_workload(w, &o->workload, NOW, NULL, NULL);
        break;
    default:
        break;
    }
    ck_assert_int_eq(rc, 0);
}

static void setup(void)
{
    arena_init(&arena, 65536);
    arena_init(&scratch, 4096);
    w = world_new();
    ck_assert_int_eq(
        world_configure(w, &(struct fact_config){.afs = true, .afs_half_life_ns = NS_PER_S}, NULL), 0);
    set = set_of(objects);
    ck_assert_msg(api_set_errors(set) == 0, "%s", api_set_error(set, 0));
    for (uint32_t i = 0; i < api_set_count(set); i++)
        put(api_set_at(set, i));
    ck_assert_int_eq(world_settle(w, NULL), 0);
    active = (struct cond){.status = STATUS_TRUE,
                           .reason = mem_strdup("Ready"),
                           .message = mem_strdup("Can admit new workloads"),
                           .since = NOW,
                           .generation = 2};
}

static void teardown(void)
{
    mem_free(active.reason);
    mem_free(active.message);
    api_set_free(set);
    world_free(w);
    arena_free(&arena);
    arena_free(&scratch);
    ck_assert_int_eq(mem_live(), 0);
}

static const struct doc_node *parse(const char *text)
{
    const struct doc_node *n;
    struct err err;
    size_t len = strlen(text);

    ck_assert_msg(json_read(&arena, &scratch, arena_strndup(&arena, text, len), len, 1, &n, &err) == 0,
                  "%s: %s", err.text, text);
    return n;
}

static struct queue_json of(const char *ns, const char *name)
{
    return (struct queue_json){
        .w = w, .uid = "", .resource_version = "", .ns = ns, .name = name, .active = &active};
}

typedef int render_fn(const struct queue_json *q, struct str *out);

static const struct doc_node *rendered(render_fn *render, const struct queue_json *q)
{
    struct str s;

    str_init(&s, 0);
    ck_assert_int_eq(render(q, &s), 0);
    const struct doc_node *n = parse(str_text(&s));
    str_free(&s);
    return n;
}

static void same(const struct doc_node *got, const char *want)
{
    char *copy = arena_strndup(&arena, want, strlen(want));
    struct str s;

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    if (doc_equal(got, parse(copy)))
        return;
    str_init(&s, 0);
    emit_json(got, 0, &s);
    ck_abort_msg("got %s\nnot %s", str_text(&s), want);
}

#define ACTIVE                                                                                               \
    "'conditions':[{'type':'Active','status':'True','observedGeneration':2,"                                 \
    "'lastTransitionTime':'2026-01-01T00:01:00Z','reason':'Ready','message':'Can admit new workloads'}]"

START_TEST(cluster_queue)
{
    struct queue_json q = of("", "a");
    q.fair_sharing = true;
    q.uid = "u";
    q.resource_version = "5";
    same(
        rendered(queue_json_cluster_queue, &q),
        "{'metadata':{'uid':'u','resourceVersion':'5'},'status':{'pendingWorkloads':1,'reservingWorkloads':2,"
        "'admittedWorkloads':1,"
        "'flavorsReservation':[{'name':'g','resources':[{'name':'cpu','total':'3','borrowed':'2'},"
        "{'name':'memory','total':'1536Mi','borrowed':'512Mi'}]},"
        "{'name':'f','resources':[{'name':'cpu','total':'250m','borrowed':'0'},"
        "{'name':'memory','total':'0','borrowed':'0'}]}],"
        "'flavorsUsage':[{'name':'g','resources':[{'name':'cpu','total':'3','borrowed':'2'},"
        "{'name':'memory','total':'1536Mi','borrowed':'512Mi'}]},"
        "{'name':'f','resources':[{'name':'cpu','total':'0','borrowed':'0'},"
        "{'name':'memory','total':'0','borrowed':'0'}]}]," ACTIVE ",'fairSharing':{'weightedShare':118}}}");
    q.fair_sharing = false;
    q.active = NULL;
    const struct doc_node *st = doc_field(rendered(queue_json_cluster_queue, &q), "status");
    ck_assert(doc_is(doc_get(st, "fairSharing"), DOC_NULL));
    ck_assert_ptr_null(doc_get(st, "conditions"));
}
END_TEST

START_TEST(local_queue)
{
    struct queue_json q = of("n", "l");
    same(rendered(queue_json_local_queue, &q),
         "{'status':{'pendingWorkloads':1,'reservingWorkloads':2,'admittedWorkloads':1,"
         "'flavorsReservation':[{'name':'g','resources':[{'name':'cpu','total':'3'},"
         "{'name':'memory','total':'1536Mi'}]},{'name':'f','resources':[{'name':'cpu','total':'250m'},"
         "{'name':'memory','total':'0'}]}],"
         "'flavorsUsage':[{'name':'g','resources':[{'name':'cpu','total':'3'},"
         "{'name':'memory','total':'1536Mi'}]},{'name':'f','resources':[{'name':'cpu','total':'0'},"
         "{'name':'memory','total':'0'}]}]," ACTIVE ",'fairSharing':null}}");
    q.name = "far"; /* its ClusterQueue is missing */
    same(rendered(queue_json_local_queue, &q), "{'status':{'pendingWorkloads':0,'reservingWorkloads':0,'"
                                               "admittedWorkloads':0,'flavorsReservation':[],"
                                               "'flavorsUsage':[]," ACTIVE ",'fairSharing':null}}");
}
END_TEST

START_TEST(consumed)
{
    struct queue_json q = of("n", "used");
    q.afs = true;
    const struct doc_node *share = doc_path(rendered(queue_json_local_queue, &q), "status.fairSharing");
    same(
        share,
        "{'weightedShare':0,'admissionFairSharingStatus':{'consumedResources':{'cpu':'1500m','memory':'2Gi'},"
        "'lastUpdate':'2026-01-01T00:01:00Z'}}"); /* the first look settles it now (4.9) */
    q.name = "l";
    share = doc_path(rendered(queue_json_local_queue, &q), "status.fairSharing.admissionFairSharingStatus");
    same(doc_get(share, "consumedResources"), "{}");
}
END_TEST

START_TEST(cohort)
{
    struct queue_json q = of("", "team");
    q.fair_sharing = true;
    same(rendered(queue_json_cohort, &q), "{'status':{'fairSharing':{'weightedShare':0}}}");
    q.name = "root";
    q.fair_sharing = false;
    same(rendered(queue_json_cohort, &q), "{'status':{'fairSharing':null}}");
}
END_TEST

START_TEST(unknown)
{
    struct queue_json q = of("n", "nobody");
    struct str s;

    str_init(&s, 0);
    ck_assert_int_eq(queue_json_cluster_queue(&q, &s), ERR_NOTFOUND);
    ck_assert_int_eq(queue_json_local_queue(&q, &s), ERR_NOTFOUND);
    ck_assert_int_eq(queue_json_cohort(&q, &s), ERR_NOTFOUND);
    q.name = "a"; /* a ClusterQueue is no cohort */
    ck_assert_int_eq(queue_json_cohort(&q, &s), ERR_NOTFOUND);
    ck_assert_uint_eq(queue_json_cohort_digest(&q), 0);
    q.name = "team";
    ck_assert_uint_eq(queue_json_cluster_queue_digest(&q), 0);
    ck_assert_uint_eq(s.len, 0);
    str_free(&s);
}
END_TEST

typedef uint64_t digest_fn(const struct queue_json *q);

static const struct {
    enum api_kind kind;
    const char *ns, *name;
    render_fn *render;
    digest_fn *digest;
} kinds[] = {
    {API_CLUSTER_QUEUE, "", "a", queue_json_cluster_queue, queue_json_cluster_queue_digest},
    {API_CLUSTER_QUEUE, "", "b", queue_json_cluster_queue, queue_json_cluster_queue_digest},
    {API_LOCAL_QUEUE, "n", "l", queue_json_local_queue, queue_json_local_queue_digest},
    {API_LOCAL_QUEUE, "n", "used", queue_json_local_queue, queue_json_local_queue_digest},
    {API_LOCAL_QUEUE, "n", "far", queue_json_local_queue, queue_json_local_queue_digest},
    {API_COHORT, "", "team", queue_json_cohort, queue_json_cohort_digest},
};

/* What was written is what is there, so nothing is written again. */
START_TEST(digests_agree)
{
    for (int flags = 0; flags < 4; flags++) {
        struct queue_json q = of(kinds[_i].ns, kinds[_i].name);
        q.fair_sharing = flags & 1;
        q.afs = flags & 2;
        uint64_t d = kinds[_i].digest(&q);
        ck_assert_uint_ne(d, 0);
        ck_assert_uint_eq(queue_json_digest_of(kinds[_i].kind, rendered(kinds[_i].render, &q)), d);
        if (kinds[_i].kind != API_COHORT) {
            ck_assert_uint_ne(queue_json_digest_of(kinds[_i].kind, parse("{}")), d);
            active.generation++;
            ck_assert_uint_ne(kinds[_i].digest(&q), d);
            active.generation--;
        }
        active.since++; /* moves with the rest only */
        ck_assert_uint_eq(kinds[_i].digest(&q), d);
    }
}
END_TEST

START_TEST(digest_sees_changes)
{
    struct queue_json q = of("", "a"), l = of("n", "l");
    struct wl *wl = world_find_workload(w, "n", "w2");
    uint64_t d = queue_json_cluster_queue_digest(&q), e = queue_json_local_queue_digest(&l);
    struct marks m = wl->marks;

    m.admitted = true;
    world_put_marks(w, wl, &m, NOW);
    ck_assert_uint_ne(queue_json_cluster_queue_digest(&q), d);
    ck_assert_uint_ne(queue_json_local_queue_digest(&l), e);
    m.admitted = false;
    world_put_marks(w, wl, &m, NOW);
    ck_assert_uint_eq(queue_json_cluster_queue_digest(&q), d);
    ck_assert_uint_eq(queue_json_local_queue_digest(&l), e);
    world_del_workload(w, world_find_workload(w, "n", "w3"), NOW);
    ck_assert_uint_ne(queue_json_cluster_queue_digest(&q), d);
}
END_TEST

/* Other ways to write the same quantity are the same; other orders of flavors are not. */
START_TEST(digest_of_odd_documents)
{
    static const char *const equal[] = {
        "{\"status\":{\"flavorsUsage\":[{\"name\":\"f\",\"resources\":[{\"name\":\"cpu\",\"total\":\"1000m\"}"
        "]}]}}",
        "{\"status\":{\"flavorsUsage\":[{\"name\":\"f\",\"resources\":[{\"name\":\"cpu\",\"total\":1}]}]}}"};
    static const char *const odd[] = {
        "{\"status\":{\"flavorsUsage\":[{\"name\":\"f\",\"resources\":[{\"name\":\"cpu\",\"total\":\"x\"}]}]}"
        "}",
        "{\"status\":{\"flavorsUsage\":{\"a\":3},\"conditions\":[7],\"fairSharing\":[]}}", "{\"status\":3}",
        "[]"};

    ck_assert_uint_eq(queue_json_digest_of(API_LOCAL_QUEUE, parse(equal[0])),
                      queue_json_digest_of(API_LOCAL_QUEUE, parse(equal[1])));
    for (size_t i = 0; i < COUNT(odd); i++) {
        ck_assert_uint_ne(queue_json_digest_of(API_LOCAL_QUEUE, parse(odd[i])), 0);
        ck_assert_uint_ne(queue_json_digest_of(API_CLUSTER_QUEUE, parse(odd[i])), 0);
    }
}
END_TEST

START_TEST(condition)
{
    struct queue_json q = of("", "a");
    struct cond c = {.since = WHEN_NONE};
    const struct doc_node *doc = rendered(queue_json_cluster_queue, &q);

    for (uint64_t n = 1;; n++) {
        mem_fail_after(n);
        int rc = queue_json_active(doc, &c);
        mem_fail_after(0);
        if (!rc)
            break;
        ck_assert_int_eq(c.status, STATUS_ABSENT);
    }
    ck_assert_int_eq(c.status, STATUS_TRUE);
    ck_assert_str_eq(c.reason, "Ready");
    ck_assert_int_eq(c.since, NOW);
    ck_assert_int_eq(c.generation, 2);
    ck_assert_int_eq(queue_json_active(parse("{}"), &c), 0);
    ck_assert_int_eq(c.status, STATUS_ABSENT);
}
END_TEST

START_TEST(out_of_memory)
{
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct queue_json q = of(kinds[k].ns, kinds[k].name);
        for (uint64_t n = 1;; n++) {
            struct str s;
            str_init(&s, 0);
            mem_fail_after(n);
            int rc = kinds[k].render(&q, &s);
            mem_fail_after(0);
            str_free(&s);
            if (!rc)
                break;
            ck_assert_int_eq(rc, ERR_NOMEM);
        }
    }
    struct queue_json q = of("", "a");
    mem_fail_after(1);
    ck_assert_uint_eq(queue_json_cluster_queue_digest(&q), 0);
    mem_fail_after(0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, cluster_queue);
    tcase_add_test(t, local_queue);
    tcase_add_test(t, consumed);
    tcase_add_test(t, cohort);
    tcase_add_test(t, unknown);
    tcase_add_loop_test(t, digests_agree, 0, COUNT(kinds));
    tcase_add_test(t, digest_sees_changes);
    tcase_add_test(t, digest_of_odd_documents);
    tcase_add_test(t, condition);
    tcase_add_test(t, out_of_memory);
}

int main(void)
{
    return run_tests("queue_json", add);
}
