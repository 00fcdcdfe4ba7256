/* One controller on the simulated API server, in virtual time: when queues' statuses are written, which finalizers come and go, what follows a
 * change of a class or a LimitRange, and what is told at the beginning. */
#include "api/set.h"
#include "base/mem.h"
#include "run/controller.h"
#include "simulated/simserver.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { TIMES_MAX = 32 };

static struct {
    struct vclock clock;
    struct store *store;
    struct simserver server;
    struct api_set *set;
    struct controller *c;
    bool refuse_statuses;     /* of queues */
    int64_t times[TIMES_MAX]; /* mono: when a status of the ClusterQueue was asked for */
    uint32_t ntimes;
    uint32_t lists; /* full states of Workloads */
    struct str log;
} s;

static const char config_text[] = "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n";

static bool is_status(const struct simserver_request *r)
{
    return r->verb == KUBE_PATCH && !strcmp(r->route->resource->kind, "ClusterQueue") && r->route->sub;
}

static enum simserver_fault fault(void *arg, const struct simserver_request *r)
{
    (void)arg;
    if (!r->route->resource)
        return SIM_NONE;
    if (!strcmp(r->route->resource->kind, "Workload") && r->route->watch && r->route->initial)
        s.lists++;
    if (!is_status(r))
        return SIM_NONE;
    if (s.ntimes < TIMES_MAX)
        s.times[s.ntimes++] = r->started;
    return s.refuse_statuses ? SIM_REFUSED : SIM_NONE;
}

static void log_line(void *arg, int level, const char *object, const char *text)
{
    (void)arg;
    (void)level;
    str_addf(&s.log, "%s: %s\n", object, text);
}

static void make(const char *kind, const char *ns, const char *json)
{
    const struct val *v = val_format(&s.store->a, "%s", json);

    ck_assert_msg(rest_create(s.store, "admin", resource_of_kind(kind), ns, v) != NULL, "%s", json);
}

static void change(const char *kind, const char *ns, const char *name, const char *sub, const char *json)
{
    const struct val *v = val_format(&s.store->a, "%s", json);

    ck_assert(rest_patch(s.store, "admin", resource_of_kind(kind), ns, name, sub, v) != NULL);
}

/* NULL when it is not there. */
static const struct val *object(const char *kind, const char *ns, const char *name)
{
    const struct entry *e = store_find(s.store, resource_of_kind(kind), ns, name);

    return e ? e->newest->object : NULL;
}

static void live(int64_t ns)
{
    int64_t until = s.clock.mono + ns;

    while (s.clock.mono < until) {
        for (int i = 0; controller_turn(s.c); i++)
            ck_assert_int_lt(i, 10000);
        int64_t next = vclock_next(&s.clock), mine = controller_next(s.c);
        next = mine < next ? mine : next;
        vclock_move(&s.clock, next < until ? next : until);
        vclock_run_one(&s.clock);
    }
}

static void begin(bool preflight)
{
    const struct object *config = NULL;
    struct err err;

    s.set = api_set_new(0);
    ck_assert_int_eq(api_read_buffer(s.set, "test", config_text, sizeof(config_text) - 1, &err), 0);
    for (uint32_t i = 0; i < api_set_count(s.set); i++)
        if (api_set_at(s.set, i)->kind == API_CONFIG)
            config = api_set_at(s.set, i);
    const struct controller_config c = {
        .core = &config->config,
        .settings = config->settings,
        .identity = "test",
        .ns = "kueue-system",
        .preflight = preflight,
        .log = log_line,
    };
    const struct controller_seams seams = {
        .watches = s.server.seam, .rest = s.server.seam, .clock = s.clock.clock};
    ck_assert_int_eq(controller_new(&c, &seams, &s.c, &err), 0);
}

static void set_up(void)
{
    memset(&s, 0, sizeof(s));
    str_init(&s.log, 0);
    vclock_init(&s.clock, 1);
    s.store = store_new(1, vclock_wall, &s.clock);
    simserver_init(&s.server, s.store, &s.clock, 1);
    s.server.hasty = true;
    s.server.fault = fault;
    make("Namespace", NULL, "{\"metadata\":{\"name\":\"ns\"}}");
    make("ResourceFlavor", NULL, "{\"metadata\":{\"name\":\"plain\"},\"spec\":{}}");
    make("WorkloadPriorityClass", NULL, "{\"metadata\":{\"name\":\"high\"},\"value\":10}");
    make("ClusterQueue", NULL,
         "{\"metadata\":{\"name\":\"cq\"},\"spec\":{\"namespaceSelector\":{},\"queueingStrategy\":"
         "\"BestEffortFIFO\",\"resourceGroups\":[{\"coveredResources\":[\"cpu\"],\"flavors\":[{\"name\":"
         "\"plain\",\"resources\":[{\"name\":\"cpu\",\"nominalQuota\":\"8\"}]}]}]}}");
    make("LocalQueue", "ns", "{\"metadata\":{\"name\":\"lq\"},\"spec\":{\"clusterQueue\":\"cq\"}}");
}

static void tear_down(void)
{
    controller_free(s.c);
    api_set_free(s.set);
    store_free(s.store);
    vclock_free(&s.clock);
    str_free(&s.log);
}

static void make_workload(const char *name, int cpu)
{
    const char *json = val_printf(
        &s.store->a,
        "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"queueName\":\"lq\",\"active\":true,\"priority\":10,"
        "\"priorityClassRef\":{\"group\":\"kueue.x-k8s.io\",\"kind\":\"WorkloadPriorityClass\",\"name\":"
        "\"high\"},\"podSets\":[{\"name\":\"main\",\"count\":1,\"template\":{\"spec\":{\"restartPolicy\":"
        "\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{\"cpu\":"
        "\"%d\"}}}]}}}]}}",
        name, cpu);

    make("Workload", "ns", json);
}

static bool is_true(const char *name, const char *type)
{
    const struct val *w = object("Workload", "ns", name);
    const struct val *c = w ? val_find(val_path(w, "status.conditions"), "type", type) : NULL;

    return c && !strcmp(val_text(c, "status", ""), "True");
}

static bool has_finalizer(const char *kind, const char *name)
{
    const struct val *o = object(kind, NULL, name);

    ck_assert_msg(o != NULL, "%s %s is gone", kind, name);
    return val_path(o, "metadata.finalizers") != NULL; /* nobody else has one here */
}

/* ---- statuses of queues ---------------------------------------------------------------------------------------------------- */

START_TEST(statuses_are_gathered)
{
    begin(false);
    live(5 * NS_PER_S);
    uint32_t first = s.ntimes;
    int64_t at = s.clock.mono;
    make_workload("a", 1);
    live(150 * NS_PER_MS);
    ck_assert_uint_eq(s.ntimes, first); /* 0.2 s to gather */
    live(NS_PER_S);
    ck_assert_uint_ge(s.ntimes, first + 1);
    ck_assert_int_ge(s.times[first], at + 200 * NS_PER_MS);
    for (int i = 0; i < 8; i++) { /* busy: not more than one a second */
        make_workload((const char[]){(char)('b' + i), 0}, 1);
        live(250 * NS_PER_MS);
    }
    live(5 * NS_PER_S);
    ck_assert_uint_ge(s.ntimes, first + 2);
    for (uint32_t i = first + 1; i < s.ntimes; i++)
        ck_assert_int_ge(s.times[i] - s.times[i - 1], 990 * NS_PER_MS);
    uint32_t quiet = s.ntimes;
    live(60 * NS_PER_S);
    ck_assert_uint_eq(s.ntimes, quiet);
}
END_TEST

START_TEST(refused_statuses_are_tried_less_and_less_often)
{
    s.refuse_statuses = true;
    begin(false);
    live(60 * NS_PER_S);
    ck_assert_uint_ge(s.ntimes, 3);
    ck_assert_uint_le(s.ntimes, 8);
    ck_assert_int_gt(s.times[s.ntimes - 1] - s.times[s.ntimes - 2], s.times[1] - s.times[0]);
    ck_assert_uint_eq(controller_stats(s.c).queue_writes, 1); /* the LocalQueue's */
    s.refuse_statuses = false;
    live(300 * NS_PER_S);
    ck_assert_uint_eq(controller_stats(s.c).queue_writes, 2);
}
END_TEST

/* ---- finalizers ------------------------------------------------------------------------------------------------------------ */

START_TEST(what_is_in_use_is_held)
{
    begin(false);
    make_workload("a", 1);
    live(3 * NS_PER_S);
    ck_assert(is_true("a", "QuotaReserved"));
    ck_assert(has_finalizer("ClusterQueue", "cq"));
    ck_assert(has_finalizer("ResourceFlavor", "plain"));
    ck_assert(rest_delete(s.store, "admin", resource_of_kind("ClusterQueue"), NULL, "cq"));
    ck_assert(rest_delete(s.store, "admin", resource_of_kind("ResourceFlavor"), NULL, "plain"));
    live(3 * NS_PER_S);
    ck_assert(has_finalizer("ClusterQueue", "cq"));
    ck_assert(has_finalizer("ResourceFlavor", "plain"));
    /* It is over, and gives its quota back; the object stays. */
    change("Workload", "ns", "a", "status",
           val_printf(&s.store->a,
                      "{\"status\":{\"conditions\":[{\"type\":\"Finished\",\"status\":\"True\",\"reason\":"
                      "\"Succeeded\",\"message\":\"\",\"lastTransitionTime\":\"%s\"}]}}",
                      store_time(s.store)));
    live(3 * NS_PER_S);
    ck_assert_msg(!object("ClusterQueue", NULL, "cq") ||
                      store_find(s.store, resource_of_kind("ClusterQueue"), NULL, "cq")->newest->deleted,
                  "the ClusterQueue is held by nobody");
}
END_TEST

/* ---- changes that are followed --------------------------------------------------------------------------------------------- */

START_TEST(priority_follows_its_class)
{
    begin(false);
    make_workload("a", 100); /* waits */
    live(3 * NS_PER_S);
    change("WorkloadPriorityClass", NULL, "high", NULL, "{\"value\":77}");
    live(3 * NS_PER_S);
    ck_assert_int_eq(val_number(object("Workload", "ns", "a"), "spec.priority", 0), 77);
}
END_TEST

START_TEST(a_limit_range_has_the_workloads_read_again)
{
    begin(false);
    make_workload("a", 100);
    live(3 * NS_PER_S);
    uint32_t before = s.lists;
    make("LimitRange", "ns",
         "{\"metadata\":{\"name\":\"l\"},\"spec\":{\"limits\":[{\"type\":\"Container\",\"default\":{\"cpu\":"
         "\"1\"}}]}}");
    live(10 * NS_PER_S);
    ck_assert_uint_eq(s.lists, before + 1);
    ck_assert(!is_true("a", "QuotaReserved"));
}
END_TEST

/* ---- the beginning --------------------------------------------------------------------------------------------------------- */

START_TEST(missing_policies_are_named_without_a_lease_too)
{
    begin(true);
    live(10 * NS_PER_S);
    ck_assert_msg(strstr(str_text(&s.log), "policies that the Configuration asks for are not installed") !=
                      NULL,
                  "%s", str_text(&s.log));
    ck_assert(strstr(str_text(&s.log), "/sluice-") != NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("controller");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, statuses_are_gathered);
    tcase_add_test(t, refused_statuses_are_tried_less_and_less_often);
    tcase_add_test(t, what_is_in_use_is_held);
    tcase_add_test(t, priority_follows_its_class);
    tcase_add_test(t, a_limit_range_has_the_workloads_read_again);
    tcase_add_test(t, missing_policies_are_named_without_a_lease_too);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
