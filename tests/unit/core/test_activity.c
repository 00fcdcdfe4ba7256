/* When a ClusterQueue is active, and why not: 9.1. */
#include "build.h"

#include <check.h>

#define MULTIKUEUE "kueue.x-k8s.io/multikueue"
#define PROVISIONING "kueue.x-k8s.io/provisioning-request"

static struct world *w;

static void setup(void)
{
    w = build_world();
}

static void teardown(void)
{
    world_free(w);
}

static void put_check(const char *name, const char *controller, bool active)
{
    struct fact_admission_check f = {name, controller, active};
    ck_assert_int_eq(world_put_check(w, &f, NULL), 0);
}

static void put_tas_flavor(const char *name, const char *topology)
{
    struct fact_flavor f = {.name = name, .topology = topology};
    ck_assert_int_eq(world_put_flavor(w, &f, NULL), 0);
}

static void assert_active(bool active, const char *reason, const char *message)
{
    struct str s;
    const char *r;
    str_init(&s, 0);
    uint32_t cq = world_cq_find(w, "q");
    ck_assert_int_eq(world_cq_active(w, cq, &r, &s), active);
    ck_assert_str_eq(r, reason);
    ck_assert_str_eq(str_text(&s), message);
    str_free(&s);
    if (cq == UINT32_MAX)
        return;
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert_int_eq(world_cq(w, cq).state == CQ_ACTIVE, active);
    ck_assert_int_eq(world_cq(w, cq).in_snapshot, active);
}

/* The ClusterQueue of each row has flavors f and g (and t for topology) and these checks; "m", "n" are MultiKueue's, "p" is a
 * ProvisioningRequest's, "ok" and "down" are others, "gone" and "away" do not exist. */
static const struct {
    const char *rule;
    struct fact_cq_check checks[3];
    uint32_t nchecks;
    const char *quotas;
    enum stop_policy stop;
    const char *reason, *message;
} rows[] = {
    {"9.1 active", {{"ok", NULL, 0}}, 1, "cpu: f 1; g 1", STOP_NONE, "Ready", "Can admit new workloads"},
    {"9.1 active without quotas", {{0}}, 0, "", STOP_NONE, "Ready", "Can admit new workloads"},
    {"9.1 part 1, Hold",
     {{0}},
     0,
     "cpu: f 1",
     STOP_HOLD,
     "Stopped",
     "Can't admit new workloads: is stopped."},
    {"9.1 part 1, HoldAndDrain",
     {{0}},
     0,
     "cpu: f 1",
     STOP_HOLD_AND_DRAIN,
     "Stopped",
     "Can't admit new workloads: is stopped."},
    {"9.1 part 2, in the order of the spec",
     {{0}},
     0,
     "cpu: z 1; f 1; y 1",
     STOP_NONE,
     "FlavorNotFound",
     "Can't admit new workloads: references missing ResourceFlavor(s): z,y."},
    {"9.1 part 3, sorted",
     {{"gone", NULL, 0}, {"away", NULL, 0}},
     2,
     "cpu: f 1",
     STOP_NONE,
     "AdmissionCheckNotFound",
     "Can't admit new workloads: references missing AdmissionCheck(s): away,gone."},
    {"9.1 part 4",
     {{"down", NULL, 0}},
     1,
     "cpu: f 1",
     STOP_NONE,
     "AdmissionCheckInactive",
     "Can't admit new workloads: references inactive AdmissionCheck(s): down."},
    {"9.1 part 5",
     {{"n", NULL, 0}, {"m", NULL, 0}},
     2,
     "cpu: f 1",
     STOP_NONE,
     "MultipleMultiKueueAdmissionChecks",
     "Can't admit new workloads: Cannot use multiple MultiKueue AdmissionChecks on the same ClusterQueue, "
     "found: m,n."},
    {"9.1 part 6",
     {{"m", (const char *const[]){"f"}, 1}},
     1,
     "cpu: f 1; g 1",
     STOP_NONE,
     "MultiKueueAdmissionCheckAppliedPerFlavor",
     "Can't admit new workloads: Cannot specify MultiKueue AdmissionCheck per flavor, found: m."},
    {"9.1 part 7",
     {{"p", NULL, 0}, {"ok", NULL, 0}, {"m", NULL, 0}},
     3,
     "cpu: f 1",
     STOP_NONE,
     "MultiKueueWithProvisioningRequest",
     "Can't admit new workloads: Cannot use both MultiKueue and ProvisioningRequest AdmissionChecks "
     "together, found: m, p."},
    {"9.1 a ProvisioningRequest alone is no problem",
     {{"p", NULL, 0}},
     1,
     "cpu: f 1",
     STOP_NONE,
     "Ready",
     "Can admit new workloads"},
    {"9.1 part 8, the first one",
     {{0}},
     0,
     "cpu: t 1; u 1",
     STOP_NONE,
     "TopologyNotFound",
     "Can't admit new workloads: there is no Topology \"rack\" for TAS flavor \"t\"."},
    {"9.1 part 8 is not looked at with MultiKueue",
     {{"m", NULL, 0}},
     1,
     "cpu: t 1",
     STOP_NONE,
     "Ready",
     "Can admit new workloads"},
    {"9.1 all parts in their order, reason of the first",
     {{"gone", NULL, 0}, {"down", NULL, 0}},
     2,
     "cpu: z 1; t 1",
     STOP_HOLD,
     "Stopped",
     "Can't admit new workloads: is stopped, references missing ResourceFlavor(s): z, references missing "
     "AdmissionCheck(s): "
     "gone, references inactive AdmissionCheck(s): down, there is no Topology \"rack\" for TAS flavor "
     "\"t\"."},
};

START_TEST(reasons)
{
    put_check("ok", "example.com/check", true);
    put_check("down", "example.com/check", false);
    put_check("m", MULTIKUEUE, true);
    put_check("n", MULTIKUEUE, true);
    put_check("p", PROVISIONING, true);
    put_tas_flavor("t", "rack");
    put_tas_flavor("u", "rack");
    build_cq(w, "q", "", rows[_i].quotas, .checks = rows[_i].checks, .nchecks = rows[_i].nchecks,
             .stop = rows[_i].stop);
    assert_active(rows[_i].reason[0] == 'R', rows[_i].reason, rows[_i].message);
}
END_TEST

START_TEST(gone_and_terminating)
{
    assert_active(false, "NotFound", "ClusterQueue not found");
    build_cq(w, "q", "", "cpu: f 1", .deleting = true);
    assert_active(false, "Terminating", "Can't admit new workloads; clusterQueue is terminating");
    build_cq(w, "q", "", "cpu: f 1"); /* sticky: a deletion is not taken back */
    assert_active(false, "Terminating", "Can't admit new workloads; clusterQueue is terminating");
    world_del_cluster_queue(w, "q");
    assert_active(false, "NotFound", "ClusterQueue not found");
    struct str s;
    const char *reason;
    str_init(&s, 0);
    ck_assert(!world_cq_active(w, 0, &reason, &s)); /* its index is still valid */
    str_free(&s);
    build_cq(w, "q", "", "cpu: f 1"); /* another one of that name */
    assert_active(true, "Ready", "Can admit new workloads");
}
END_TEST

/* 9.1 and 4.7 event 4: what is missing comes and goes; becoming active wakes the queue. */
START_TEST(objects_come_and_go)
{
    struct fact_topology rack = {"rack"};
    put_tas_flavor("t", "rack");
    build_cq(w, "q", "", "cpu: t 1", .checks = &(struct fact_cq_check){"c", NULL, 0}, .nchecks = 1);
    assert_active(false, "AdmissionCheckNotFound",
                  "Can't admit new workloads: references missing AdmissionCheck(s): c, there is no Topology "
                  "\"rack\" for TAS "
                  "flavor \"t\".");
    (void)world_flush(w, NOW);
    put_check("c", "x", true);
    ck_assert(!world_flush(w, NOW));
    ck_assert_int_eq(world_put_topology(w, &rack, NULL), 0);
    ck_assert(world_flush(w, NOW));
    assert_active(true, "Ready", "Can admit new workloads");
    world_del_topology(w, "rack");
    assert_active(false, "TopologyNotFound",
                  "Can't admit new workloads: there is no Topology \"rack\" for TAS flavor \"t\".");
    world_del_topology(w, "unheard-of");
    put_tas_flavor("t", "");
    assert_active(true, "Ready", "Can admit new workloads");
    world_del_check(w, "c");
    world_del_check(w, "unheard-of");
    assert_active(false, "AdmissionCheckNotFound",
                  "Can't admit new workloads: references missing AdmissionCheck(s): c.");
    put_check("c", "x", true);
    world_del_flavor(w, "t");
    world_del_flavor(w, "unheard-of");
    assert_active(false, "FlavorNotFound",
                  "Can't admit new workloads: references missing ResourceFlavor(s): t.");
}
END_TEST

START_TEST(topologies_do_not_matter_without_their_gate)
{
    build_config(w, "TopologyAwareScheduling=false", .fair_sharing = false);
    put_tas_flavor("t", "rack");
    build_cq(w, "q", "", "cpu: t 1");
    assert_active(true, "Ready", "Can admit new workloads");
}
END_TEST

START_TEST(a_cycle_of_cohorts_leaves_it_active)
{
    build_cohort(w, "a", "b", "");
    build_cohort(w, "b", "a", "");
    build_cq(w, "q", "a", "cpu: f 1");
    const char *reason;
    struct str s;
    str_init(&s, 0);
    ck_assert(world_cq_active(w, 0, &reason, &s));
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert(!world_cq(w, 0).in_snapshot); /* but out of the snapshot */
    str_free(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("activity");
    TCase *t = tcase_create("activity");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, reasons, 0, COUNT(rows));
    tcase_add_test(t, gone_and_terminating);
    tcase_add_test(t, objects_come_and_go);
    tcase_add_test(t, topologies_do_not_matter_without_their_gate);
    tcase_add_test(t, a_cycle_of_cohorts_leaves_it_active);
    suite_add_tcase(s, t);
    return build_run(s);
}
