/* Document -> status -> patch -> document. */
#include "api/wl_json.h"

#include "api/emit.h"
#include "api/make.h"
#include "api_test.h"

static struct arena arena, scratch;
static struct status status;
static struct wl_json_base base;
static struct wl_json_rest *rest;

static void setup(void)
{
    arena_init(&arena, 65536);
    arena_init(&scratch, 4096);
    status_init(&status);
}

static void teardown(void)
{
    wl_json_rest_free(rest);
    rest = NULL;
    status_free(&status);
    arena_free(&arena);
    arena_free(&scratch);
    ck_assert_int_eq(mem_live(), 0);
}

static const struct doc_node *parse(const char *text)
{
    const struct doc_node *n;
    struct err err;

    ck_assert_msg(json_read(&arena, &scratch, text, strlen(text), 1, &n, &err) == 0, "%s: %s", err.text,
                  text);
    return n;
}

/* With single quotes for double ones. */
static const struct doc_node *quoted(const char *text)
{
    char *copy = arena_strndup(&arena, text, strlen(text));

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return parse(copy);
}

static const struct doc_node *workload(const char *spec, const char *st)
{
    char text[8192];

    snprintf(
        text, sizeof(text),
        "{'apiVersion':'kueue.x-k8s.io/v1beta2','kind':'Workload','metadata':{'name':'w','namespace':'n'},"
        "'spec':{'podSets':[{'name':'main','count':1,'template':{'spec':{'containers':[]}}}]%s},'status':%s}",
        spec, st);
    return quoted(text);
}

static void take(const struct doc_node *doc)
{
    struct object o;
    struct err err;

    wl_json_rest_free(rest);
    rest = NULL;
    ck_assert_msg(api_read(doc, &arena, API_LENIENT, NULL, &o, &err) == 0, "%s", err.text);
    ck_assert_int_eq(wl_json_read(doc, &o.workload, &status, &base, &rest), 0);
}

/* RFC 7396 */
static struct doc_node *merged(const struct doc_node *into, const struct doc_node *patch)
{
    struct make m = make_map(&arena, 1);

    if (!doc_is(patch, DOC_MAP))
        return make_copy(&arena, patch);
    if (doc_is(into, DOC_MAP)) {
        doc_foreach (c, into) {
            const struct doc_node *with = doc_get(patch, c->key);
            if (!with)
                make_put_copy(&m, c->key, c);
            else if (with->type != DOC_NULL)
                make_put(&m, c->key, merged(c, with));
        }
    }
    doc_foreach (c, patch)
        if (c->type != DOC_NULL && !(doc_is(into, DOC_MAP) && doc_get(into, c->key)))
            make_put(&m, c->key, merged(NULL, c));
    return m.node;
}

static struct wl_json_patch plain(void)
{
    return (struct wl_json_patch){
        .uid = "", .resource_version = "", .from = &base, .rest = rest, .to = &status};
}

/* The patch as a document, NULL when there is nothing to write. */
static const struct doc_node *patch_of(const struct wl_json_patch *p)
{
    struct str s;
    bool changed;

    str_init(&s, 0);
    ck_assert_int_eq(wl_json_patch(p, &s, &changed), 0);
    ck_assert_int_eq(changed, s.len > 0);
    const struct doc_node *n = changed ? parse(arena_strndup(&arena, str_text(&s), s.len)) : NULL;
    str_free(&s);
    return n;
}

static void same(const struct doc_node *got, const char *want)
{
    struct str s;

    if (got && doc_equal(got, quoted(want)))
        return;
    str_init(&s, 0);
    if (got)
        emit_json(got, 0, &s);
    ck_abort_msg("got %s\nnot %s", got ? str_text(&s) : "nothing", want);
}

#define COND_Q(reason, since)                                                                                \
    "{'type':'QuotaReserved','status':'True','observedGeneration':1,'lastTransitionTime':'" since            \
    "','reason':'" reason "','message':'m'}"
#define FIVE "2026-01-01T00:00:05Z"
#define AT(s) ((INT64_C(1767225600) + (s)) * NS_PER_S)

static void set(enum cond_type t, enum cond_status st, const char *reason, when_ns at)
{
    bool changed;

    ck_assert_int_eq(status_set(&status, t, st, reason, "m", at, 1, &changed), 0);
}

/* Statuses that are read and written back whole. */
static const char *const statuses[] = {
    "{}",
    "{'conditions':[" COND_Q("QuotaReserved", FIVE) "]}",
    "{'admission':{'clusterQueue':'q','podSetAssignments':[{'name':'main','count':1,'flavors':{'cpu':'f'},"
    "'resourceUsage':{'cpu':'1500m'}}]},'conditions':[" COND_Q("QuotaReserved", FIVE) "]}",
    "{'requeueState':{'count':3,'requeueAt':'" FIVE "'},'accumulatedPastExecutionTimeSeconds':7}",
    "{'admissionChecks':[{'name':'c','state':'Retry','lastTransitionTime':'" FIVE
    "','message':'x','requeueAfterSeconds':0,'retryCount':2}]}",
    "{'schedulingStats':{'evictions':[{'reason':'Preempted','underlyingCause':'','count':2}]}}",
    "{'resourceRequests':[{'name':'main','resources':{'cpu':'1','memory':'1Gi'}}]}",
    "{'clusterName':'a','unhealthyNodes':[{'name':'n'}],'reclaimablePods':[{'name':'main','count':1}]}",
};

/* What is read says nothing new. */
START_TEST(nothing_changed)
{
    take(workload("", statuses[_i]));
    struct wl_json_patch p = plain();
    ck_assert_ptr_null(patch_of(&p));
}
END_TEST

/* All that has to be written for an object without a status makes the same status. */
START_TEST(whole)
{
    const struct doc_node *doc = workload("", statuses[_i]), *bare = workload("", "{}");
    static struct status nothing;
    struct wl_json_base old;
    struct object o, n;
    struct err err;

    ck_assert_int_eq(api_read(doc, &arena, API_LENIENT, NULL, &o, &err), 0);
    ck_assert_int_eq(api_read(bare, &arena, API_LENIENT, NULL, &n, &err), 0);
    take(doc);
    struct wl_json_rest *none;
    status_init(&nothing);
    ck_assert_int_eq(wl_json_read(bare, &n.workload, &nothing, &old, &none), 0);
    ck_assert_ptr_null(none);
    struct wl_json_patch p = plain();
    p.from = &old;
    p.admission = o.workload.admission;
    p.reclaimable = o.workload.nreclaimable ? o.workload.reclaimable : NULL;
    p.nreclaimable = o.workload.nreclaimable;
    const struct doc_node *patch = patch_of(&p);
    struct wl_json_base was = base;
    take(patch ? merged(bare, patch) : bare);
    ck_assert_uint_eq(base.conditions, was.conditions);
    ck_assert_uint_eq(base.checks, was.checks);
    ck_assert_uint_eq(base.evictions, was.evictions);
    ck_assert_int_eq(base.requeue_at, was.requeue_at);
    ck_assert_int_eq(base.requeue_count, was.requeue_count);
    ck_assert_int_eq(base.accumulated_s, was.accumulated_s);
    ck_assert_int_eq(base.has_admission, was.has_admission);
    if (o.workload.admission)
        ck_assert(doc_equal(doc_path(doc, "status.admission"), doc_path(patch, "status.admission")));
    status_free(&nothing);
}
END_TEST

START_TEST(admitted)
{
    static const struct fact_flavor_ref flavors[] = {{"cpu", "f"}, {"memory", "g"}};
    struct fact_amount usage[] = {{"cpu", {.coef = 15, .exp10 = -1}}, {"memory", {.coef = 2, .exp10 = 3}}};
    struct fact_assignment pod_sets[] = {
        {.pod_set = "main", .flavors = flavors, .nflavors = 2, .usage = usage, .nusage = 2, .count = 3},
        {.pod_set = "none", .count = 0}};
    struct fact_admission a = {"q", pod_sets, 2};

    take(workload("", "{'resourceRequests':[{'name':'main','resources':{'cpu':'1'}}]}"));
    ck_assert_int_eq(status_reserve(&status, "q", true, true, false, AT(5) + 7, 1), 0);
    struct wl_json_patch p = plain();
    p.uid = "u\"1";
    p.resource_version = "17";
    p.admission = &a;
    same(patch_of(&p),
         "{'metadata':{'uid':'u\\'1','resourceVersion':'17'},'status':{'conditions':["
         "{'type':'QuotaReserved','status':'True','observedGeneration':1,'lastTransitionTime':'" FIVE
         "','reason':'QuotaReserved','message':'Quota reserved in ClusterQueue q'},"
         "{'type':'Admitted','status':'True','observedGeneration':1,'lastTransitionTime':'" FIVE
         "','reason':'Admitted','message':'The workload is admitted'}],"
         "'admission':{'clusterQueue':'q','podSetAssignments':[{'name':'main','flavors':{'cpu':'f','memory':'"
         "g'},"
         "'resourceUsage':{'cpu':'1500m','memory':'2k'},'count':3},{'name':'none','count':0}]},"
         "'resourceRequests':null}}");
}
END_TEST

/* An admission that the object has is left alone, and replaced by one of a later reservation. */
START_TEST(readmitted)
{
    struct fact_admission a = {"q2", NULL, 0};

    take(workload("", statuses[2]));
    struct wl_json_patch p = plain();
    p.admission = &a;
    ck_assert_ptr_null(patch_of(&p));
    p.readmitted = true;
    same(patch_of(&p), "{'status':{'admission':{'clusterQueue':'q2','podSetAssignments':[]}}}");
    p.readmitted = false;
    set(COND_QUOTA_RESERVED, STATUS_FALSE, "Pending", AT(6));
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", AT(7));
    const struct doc_node *got = patch_of(&p);
    ck_assert_ptr_nonnull(doc_path(got, "status.admission"));
    p.admission = NULL;
    ck_assert_ptr_null(doc_get(doc_path(patch_of(&p), "status"), "admission"));
}
END_TEST

START_TEST(released)
{
    take(workload("", statuses[2]));
    ck_assert_int_eq(status_unreserve(&status, "Pending", "x", true, false, AT(9), 2), 0);
    struct wl_json_patch p = plain();
    const struct doc_node *st = doc_path(patch_of(&p), "status");
    ck_assert(doc_is(doc_get(st, "admission"), DOC_NULL));
    ck_assert_uint_eq(doc_field(st, "conditions")->n, 2);
    take(merged(workload("", statuses[2]), patch_of(&p)));
    ck_assert(!base.has_admission);
    ck_assert_int_eq(status.cond[COND_QUOTA_RESERVED].status, STATUS_FALSE);
}
END_TEST

/* An admission without the condition that goes with it: somebody else's business. */
START_TEST(admission_alone)
{
    take(workload("", "{'admission':{'clusterQueue':'q','podSetAssignments':[]}}"));
    set(COND_REQUEUED, STATUS_FALSE, "X", AT(5));
    struct wl_json_patch p = plain();
    ck_assert_ptr_null(doc_get(doc_field(patch_of(&p), "status"), "admission"));
    set(COND_QUOTA_RESERVED, STATUS_FALSE, "X", AT(5));
    ck_assert(doc_is(doc_get(doc_field(patch_of(&p), "status"), "admission"), DOC_NULL));
}
END_TEST

#define CHECKS                                                                                               \
    "{'admissionChecks':["                                                                                   \
    "{'name':'a','state':'Ready','lastTransitionTime':'" FIVE                                                \
    "','message':'','podSetUpdates':[{'name':'main','labels':{'x':'y'}}],'hue':[1,null,true]},"              \
    "{'name':'b','state':'Pending','lastTransitionTime':'" FIVE                                              \
    "','message':'','podSetUpdates':[{'name':'main'}]}],"                                                    \
    "'conditions':[{'type':'Odd','status':'True','reason':'R','message':'','lastTransitionTime':'" FIVE      \
    "'}]}"

/* What we do not model stays, as far as an eviction lets it. */
START_TEST(kept)
{
    take(workload("", CHECKS));
    ck_assert_ptr_nonnull(rest);
    ck_assert_uint_lt(wl_json_rest_bytes(rest), 512);
    struct wl_json_patch p = plain();
    ck_assert_ptr_null(patch_of(&p));
    set(COND_REQUEUED, STATUS_FALSE, "X", AT(5));
    same(patch_of(&p),
         "{'status':{'conditions':[{'type':'Requeued','status':'False','observedGeneration':1,"
         "'lastTransitionTime':'" FIVE "','reason':'X','message':'m'},"
         "{'type':'Odd','status':'True','reason':'R','message':'','lastTransitionTime':'" FIVE "'}]}}");
    status.checks[1].state = CHECK_READY;
    const struct doc_node *list = doc_path(patch_of(&p), "status.admissionChecks");
    ck_assert_ptr_nonnull(doc_field(doc_at(list, 0), "podSetUpdates"));
    ck_assert_uint_eq(doc_field(doc_at(list, 0), "hue")->n, 3);
    ck_assert_ptr_nonnull(doc_field(doc_at(list, 1), "podSetUpdates"));
    status.checks[1].state = CHECK_PENDING;
    ck_assert_int_eq(status_evict(&status, "Preempted", "", "m", AT(6), 1), 0);
    list = doc_path(patch_of(&p), "status.admissionChecks");
    ck_assert_ptr_null(doc_field(doc_at(list, 0), "podSetUpdates"));
    ck_assert_uint_eq(doc_field(doc_at(list, 0), "hue")->n, 3);
    ck_assert_ptr_nonnull(doc_field(doc_at(list, 1), "podSetUpdates"));
}
END_TEST

START_TEST(evicted)
{
    take(workload(
        ",'preemptionGates':[{'name':'g'},{'name':'h'}]",
        "{'preemptionGates':[{'name':'g','position':'Open','lastTransitionTime':'2025-01-01T00:00:00Z'},"
        "{'name':'h','position':'Closed','lastTransitionTime':'2025-01-01T00:00:00Z'}],"
        "'clusterName':'c','nominatedClusterNames':['d'],'unhealthyNodes':[{'name':'n'}],"
        "'schedulingStats':{'evictions':[{'reason':'Preempted','underlyingCause':'','count':1}]}}"));
    ck_assert(status.has_gates);
    ck_assert_int_eq(status_evict(&status, "PodsReadyTimeout", "WaitForStart", "m", AT(5), 1), 0);
    struct wl_json_patch p = plain();
    same(patch_of(&p),
         "{'status':{'conditions':[{'type':'Evicted','status':'True','observedGeneration':1,"
         "'lastTransitionTime':'" FIVE "','reason':'PodsReadyTimeout','message':'m'}],"
         "'schedulingStats':{'evictions':[{'reason':'Preempted','underlyingCause':'','count':1},"
         "{'reason':'PodsReadyTimeout','underlyingCause':'WaitForStart','count':1}]},"
         "'clusterName':null,'nominatedClusterNames':null,'unhealthyNodes':null,"
         "'preemptionGates':[{'name':'g','position':'Closed','lastTransitionTime':'" FIVE "'},"
         "{'name':'h','position':'Closed','lastTransitionTime':'2025-01-01T00:00:00Z'}]}}");
}
END_TEST

static const struct {
    int32_t count;
    when_ns at;
    const char *want;
} requeues[] = {
    {0, WHEN_NONE, "{'status':{'requeueState':null}}"},
    {3, WHEN_NONE, "{'status':{'requeueState':{'requeueAt':null}}}"},
    {4, AT(5), "{'status':{'requeueState':{'count':4}}}"},
    {4, AT(6) + 5, "{'status':{'requeueState':{'count':4,'requeueAt':'2026-01-01T00:00:06Z'}}}"},
    {0, AT(5), "{'status':{'requeueState':{'count':null}}}"},
};

START_TEST(requeue)
{
    take(workload("", "{'requeueState':{'count':3,'requeueAt':'" FIVE "'}}"));
    status.requeue_at += NS_PER_S - 1; /* the same second */
    struct wl_json_patch p = plain();
    ck_assert_ptr_null(patch_of(&p));
    status.requeue_count = requeues[_i].count;
    status.requeue_at = requeues[_i].at;
    same(patch_of(&p), requeues[_i].want);
}
END_TEST

START_TEST(small_parts)
{
    struct fact_amount usage[] = {{"memory", quantity_from_i64(5)}, {"cpu", quantity_from_i64(1)}};
    struct fact_assignment requests = {.pod_set = "main", .usage = usage, .nusage = 2};
    struct fact_reclaimable pods = {"main", 2};

    take(workload("",
                  "{'accumulatedPastExecutionTimeSeconds':7,'admissionChecks':[{'name':'c','state':'Ready',"
                  "'lastTransitionTime':'" FIVE "','message':''}],"
                  "'resourceRequests':[{'name':'main','resources':{'cpu':'1','memory':'5'}}]}"));
    struct wl_json_patch p = plain();
    p.requests = &requests;
    p.nrequests = 1;
    ck_assert_ptr_null(patch_of(&p)); /* the same in another order */
    usage[0].q = quantity_from_i64(6);
    p.reclaimable = &pods;
    p.nreclaimable = 1;
    status.accumulated_s = 0;
    mem_free(status.checks[0].name);
    mem_free(status.checks[0].message);
    status.nchecks = 0;
    same(patch_of(&p), "{'status':{'admissionChecks':null,'accumulatedPastExecutionTimeSeconds':null,"
                       "'resourceRequests':[{'name':'main','resources':{'memory':'6','cpu':'1'}}],"
                       "'reclaimablePods':[{'name':'main','count':2}]}}");
}
END_TEST

/* Odd documents: nothing breaks, what is of a wrong type is absent. */
static const char *const odd[] = {
    "{'conditions':{'a':1},'admissionChecks':'x','schedulingStats':[],'preemptionGates':3}",
    "{'conditions':[1,null,'x',{'type':7}],'admissionChecks':[null,{'podSetUpdates':3}],'preemptionGates':[5]"
    "}",
    "{'schedulingStats':{'evictions':[{'count':-1},{'count':99999999999},3]},'resourceRequests':[4,{'"
    "resources':7}]}",
    "{'accumulatedPastExecutionTimeSeconds':'x','resourceRequests':{'a':{'resources':{'cpu':[]}}}}",
    "null",
};

START_TEST(odd_documents)
{
    const struct doc_node *doc = workload("", odd[_i]);
    static const struct fact_workload f = {.requeue_at = WHEN_NONE};

    ck_assert_int_eq(wl_json_read(doc, &f, &status, &base, &rest), 0);
    set(COND_REQUEUED, STATUS_FALSE, "X", AT(5));
    ck_assert_int_eq(status_evict(&status, "Preempted", "", "m", AT(6), 1), 0);
    struct wl_json_patch p = plain();
    ck_assert_ptr_nonnull(patch_of(&p));
}
END_TEST

START_TEST(out_of_memory)
{
    const struct doc_node *doc = workload("", CHECKS);
    struct object o;
    struct err err;

    ck_assert_int_eq(api_read(doc, &arena, API_LENIENT, NULL, &o, &err), 0);
    for (uint64_t n = 1;; n++) {
        mem_fail_after(n);
        int rc = wl_json_read(doc, &o.workload, &status, &base, &rest);
        mem_fail_after(0);
        if (!rc)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_ptr_null(rest);
        ck_assert_uint_eq(status.nchecks, 0);
        ck_assert_uint_lt(n, 100);
    }
    set(COND_REQUEUED, STATUS_FALSE, "X", AT(5));
    for (size_t max = 1; max < 200; max++) {
        struct wl_json_patch p = plain();
        struct str s;
        bool changed;
        str_init(&s, max);
        ck_assert_int_eq(wl_json_patch(&p, &s, &changed), ERR_NOMEM);
        str_free(&s);
    }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, nothing_changed, 0, COUNT(statuses));
    tcase_add_loop_test(t, whole, 0, COUNT(statuses));
    tcase_add_test(t, admitted);
    tcase_add_test(t, readmitted);
    tcase_add_test(t, released);
    tcase_add_test(t, admission_alone);
    tcase_add_test(t, kept);
    tcase_add_test(t, evicted);
    tcase_add_loop_test(t, requeue, 0, COUNT(requeues));
    tcase_add_test(t, small_parts);
    tcase_add_loop_test(t, odd_documents, 0, COUNT(odd));
    tcase_add_test(t, out_of_memory);
}

int main(void)
{
    return run_tests("wl_json", add);
}
