/* Flavor assignment: 6.1-6.9. */
#include "core/assign.h"

#include "build.h"
#include "core/reason.h"
#include "core/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct world *w;

static void setup(void)
{
    w = build_world();
}

static void teardown(void)
{
    world_free(w);
}

/* ---- the assignment alone, with an oracle that answers what the test says -------------------------------------------------------- */

struct script {
    const char *flavor; /* NULL: any */
    struct oracle_answer answer;
};

/* NoCandidates at level 0 unless the script knows the flavor. */
static struct oracle_answer scripted(const struct assign_ctx *ctx, uint32_t fr, uint32_t col, amount val)
{
    (void)col;
    (void)val;
    const struct script *s = ctx->oracle_arg;
    for (int i = 0; s && i < 3; i++)
        if (s[i].flavor && strcmp(s[i].flavor, world_pair(ctx->w, fr).flavor) == 0)
            return s[i].answer;
    return (struct oracle_answer){POSSIBILITY_NO_CANDIDATES, 0};
}

static struct arena arena;

static struct assignment *assign_job(struct wl *wl, const char *cq, const struct script *s,
                                     const struct assignment *pinned, const int32_t *counts)
{
    static jmp_buf bail;
    ck_assert_int_eq(world_settle(w, NULL), 0);
    arena_reset(&arena);
    arena.bail = &bail;
    ck_assert_int_eq(setjmp(bail), 0);
    struct assign_ctx ctx = {.w = w, .cq = w->cqs[world_cq_find(w, cq)], .wl = wl, .a = &arena, .now = NOW};
    ctx.cq->tree->scratch = &arena;
    ctx.pinned = pinned;
    ctx.oracle = scripted;
    ctx.oracle_arg = (void *)(uintptr_t)s;
    return assign(&ctx, counts);
}

/* "MODE RES=FLAVOR(level) ...", pod sets parted by " / ". */
static const char *show(const struct assignment *a, const struct wl *wl)
{
    static char buf[512];
    size_t n = (size_t)snprintf(buf, sizeof buf, "%s", mode_text(a->mode));
    for (uint32_t i = 0; i < a->npod_sets; i++) {
        n += (size_t)snprintf(buf + n, sizeof buf - n, "%s", i ? " /" : "");
        for (uint32_t c = 0; c < a->pod_sets[i].nchoices; c++) {
            const struct choice *ch = &a->pod_sets[i].choices[c];
            if (ch->flavor == NONE)
                continue;
            n += (size_t)snprintf(buf + n, sizeof buf - n, " %s=%s", names_text(w->names, ch->res),
                                  names_text(w->names, ch->flavor));
            if (ch->level)
                n += (size_t)snprintf(buf + n, sizeof buf - n, "(%u)", ch->level);
        }
    }
    (void)wl;
    return buf;
}

static const char *message(const struct assignment *a, const struct wl *wl)
{
    static char buf[1024];
    struct str s;
    str_init(&s, 0);
    reason_assignment(&s, w, wl, a);
    snprintf(buf, sizeof buf, "%s", str_text(&s));
    str_free(&s);
    return buf;
}

static void setup_assign(void)
{
    setup();
    arena_init(&arena, 4096);
}

static void teardown_assign(void)
{
    arena_free(&arena);
    teardown();
}

/* ---- 6.2 to 6.5, 6.7, 6.9: one ClusterQueue "q" in the cohort "c" with "lender" ------------------------------------------------- */

struct row {
    const char *rule;
    const char *quotas, *lender; /* "" = no such queue, and no cohort */
    const char *held;            /* pods of a Workload that already holds f in q; "" = none */
    const char *pods;
    const char *want, *message;
    enum wait_reason wait; /* of NoFit */
};

static const struct row rows[] = {
    {"6.2: everything fits", "cpu,memory: f 4 4", "", "", "cpu=1 memory=1", "Fit memory=f cpu=f", "", 0},
    {"6.2: groups choose for themselves", "cpu: f 1; g 4 | memory: g 1; f 4", "", "", "cpu=2 memory=2",
     "Fit memory=f cpu=g", "", 0},
    {"6.2: no requests at all", "cpu: f 4", "", "", "main:", "Fit", "", 0},
    {"6.2: undeclared resource", "cpu: f 4", "", "", "gpu=1", "NoFit",
     "couldn't assign flavors to pod set main: resource gpu unavailable in ClusterQueue",
     WAIT_NO_MATCHING_FLAVOR},
    {"6.2: undeclared resource, but none of it", "cpu: f 4", "", "", "gpu=0 cpu=1", "Fit cpu=f", "", 0},
    {"6.2: zero of a declared resource gets a flavor", "cpu: f 0", "", "", "cpu=0", "Fit cpu=f", "", 0},
    {"6.2: pods are counted where they are covered", "cpu,pods: f 9 3", "", "", "3 cpu=1", "Fit pods=f cpu=f",
     "", 0},
    {"6.2: too many pods", "cpu,pods: f 9 2", "", "", "3 cpu=1", "NoFit",
     "couldn't assign flavors to pod set main: insufficient quota for pods in flavor f, previously "
     "considered podsets requests "
     "(0) + current podset request (3) > maximum capacity (2)",
     WAIT_EXCEEDS_MAX_QUOTA},
    {"6.2: requested pods give way to the count", "cpu,pods: f 9 2", "", "", "2 cpu=1 pods=9",
     "Fit pods=f cpu=f", "", 0},
    {"6.2: pods that are not covered are a resource as any", "cpu: f 9", "", "", "2 cpu=1 pods=9", "NoFit",
     "couldn't assign flavors to pod set main: resource pods unavailable in ClusterQueue",
     WAIT_NO_MATCHING_FLAVOR},
    {"6.2: pods without other requests", "pods: f 2", "", "", "main: 2", "Fit pods=f", "", 0},
    {"6.2: later pod sets see the use of earlier ones", "cpu: f 3; g 3", "", "", "a: cpu=2; b: cpu=2",
     "Fit cpu=f / cpu=g", "", 0},
    {"6.2: nothing after a failing pod set", "cpu: f 3", "", "", "a: cpu=4; b: cpu=1", "NoFit",
     "couldn't assign flavors to pod set a: insufficient quota for cpu in flavor f, previously considered "
     "podsets requests (0) "
     "+ current podset request (4) > maximum capacity (3)",
     WAIT_EXCEEDS_MAX_QUOTA},
    {"6.2: two pod sets beyond the capacity", "cpu: f 3", "", "", "a: cpu=2; b: cpu=2", "NoFit cpu=f /",
     "couldn't assign flavors to pod set b: insufficient quota for cpu in flavor f, previously considered "
     "podsets requests (2) "
     "+ current podset request (2) > maximum capacity (3)",
     WAIT_EXCEEDS_MAX_QUOTA},
    {"6.3: the first that fits", "cpu: f 4; g 4", "", "", "cpu=1", "Fit cpu=f", "", 0},
    {"6.3: the next one", "cpu: f 1; g 4", "", "", "cpu=2", "Fit cpu=g", "", 0},
    {"6.4 step 0: unknown flavor", "cpu: nowhere 4", "", "", "cpu=1", "NoFit",
     "couldn't assign flavors to pod set main: flavor nowhere not found", WAIT_NO_MATCHING_FLAVOR},
    {"6.4 step 2: taint", "cpu: tainted 4", "", "", "cpu=1", "NoFit",
     "couldn't assign flavors to pod set main: untolerated taint {gpu yes NoSchedule <nil>} in flavor "
     "tainted",
     WAIT_NO_MATCHING_FLAVOR},
    {"6.4 step 3: node selector", "cpu: zoned 4", "", "", "cpu=1", "NoFit",
     "couldn't assign flavors to pod set main: flavor zoned doesn't match node affinity",
     WAIT_NO_MATCHING_FLAVOR},
    {"6.4: skipped for one that matches", "cpu: tainted 4; f 4", "", "", "cpu=1", "Fit cpu=f", "", 0},
    {"6.5: above what there can ever be", "cpu: f 4", "", "", "cpu=5", "NoFit",
     "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor f, previously considered "
     "podsets requests "
     "(0) + current podset request (5) > maximum capacity (4)",
     WAIT_EXCEEDS_MAX_QUOTA},
    {"6.5: fits by borrowing, with its level", "cpu: f 4", "cpu: f 4", "", "cpu=5", "Fit cpu=f(1)", "", 0},
    {"6.5: nominal quota in use by others: victims are looked for", "cpu: f 4", "", "cpu=3", "cpu=3",
     "Preempt cpu=f",
     "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor f, 2 more needed",
     0},
    {"6.5: above nominal at the root: no right to preempt", "cpu: f 4", "cpu: f 4", "cpu=6", "cpu=5", "NoFit",
     "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor f, 3 more needed",
     WAIT_FOR_QUOTA},
    {"6.5: amounts in their own units", "cpu,memory: f 4 1Gi", "", "cpu=3 memory=1Gi",
     "cpu=1500m memory=512Mi", "Preempt memory=f cpu=f",
     "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor f, 500m more "
     "needed, "
     "insufficient unused quota for memory in flavor f, 512Mi more needed",
     0},
    {"6.7: pod sets parted by semicolons, reasons sorted", "cpu: f 4; g 4", "", "cpu=3", "a: cpu=5; b: cpu=1",
     "NoFit",
     "couldn't assign flavors to pod set a: insufficient quota for cpu in flavor f, previously considered "
     "podsets requests (0) "
     "+ current podset request (5) > maximum capacity (4), insufficient quota for cpu in flavor g, "
     "previously considered "
     "podsets requests (0) + current podset request (5) > maximum capacity (4)",
     WAIT_EXCEEDS_MAX_QUOTA},
    {"6.9: the least severe of alternatives", "cpu: tainted 4; f 4", "", "", "cpu=5", "NoFit",
     "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor f, previously considered "
     "podsets requests "
     "(0) + current podset request (5) > maximum capacity (4), untolerated taint {gpu yes NoSchedule <nil>} "
     "in flavor tainted",
     WAIT_EXCEEDS_MAX_QUOTA},
    {"6.9: the most severe of groups", "memory: f 1 | cpu: tainted 4", "", "memory=1", "memory=1 cpu=1",
     "NoFit",
     "couldn't assign flavors to pod set main: untolerated taint {gpu yes NoSchedule <nil>} in flavor "
     "tainted",
     WAIT_NO_MATCHING_FLAVOR},
    {"6.9: attempts that ended well do not count: none", "memory: f 4", "", "", "memory=1 cpu=1", "NoFit",
     "couldn't assign flavors to pod set main: resource cpu unavailable in ClusterQueue", WAIT_NONE},
};

static struct wl *pending_job(const struct row *r, const char *cq)
{
    build_flavor(w, "tainted", NULL, "gpu=yes:NoSchedule");
    build_flavor(w, "zoned", "zone=a", NULL);
    build_cq(w, cq, *r->lender ? "c" : "", r->quotas);
    if (*r->lender)
        build_cq(w, "lender", "c", r->lender);
    if (*r->held)
        build_job(w, "holder", cq, r->held, .held = "f");
    return build_job(w, "x", cq, r->pods, .selector = "zone=b");
}

START_TEST(assigning)
{
    const struct row *r = &rows[_i];
    struct wl *wl = pending_job(r, "q");
    struct assignment *a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_msg(strcmp(show(a, wl), r->want) == 0, "%s: %s", r->rule, show(a, wl));
    ck_assert_msg(strcmp(message(a, wl), r->message) == 0, "%s: %s", r->rule, message(a, wl));
    if (a->mode == MODE_NO_FIT)
        ck_assert_msg(assign_no_fit_reason(a) == r->wait, "%s: %d", r->rule, assign_no_fit_reason(a));
}
END_TEST

START_TEST(no_pod_sets_6_1)
{
    build_cq(w, "q", "", "cpu: f 4");
    struct wl *wl = build_job(w, "x", "q", "");
    ck_assert_int_eq(assign_job(wl, "q", NULL, NULL, NULL)->mode, MODE_NO_FIT);
}
END_TEST

START_TEST(ignoring_what_is_undeclared_6_2)
{
    build_config(w, "", .ignore_undeclared = true);
    build_cq(w, "q", "", "cpu: f 4");
    struct wl *wl = build_job(w, "x", "q", "gpu=1 cpu=1");
    ck_assert_str_eq(show(assign_job(wl, "q", NULL, NULL, NULL), wl), "Fit cpu=f");
    wl = build_job(w, "y", "q", "gpu=1"); /* requests, but no flavor: it fails, without a reason */
    ck_assert_str_eq(message(assign_job(wl, "q", NULL, NULL, NULL), wl), "");
}
END_TEST

START_TEST(a_selector_that_does_not_parse_is_an_error_6_3)
{
    build_flavor(w, "zoned", "zone=a", NULL);
    build_cq(w, "q", "", "cpu: zoned 4; f 4");
    struct wl *wl = build_job(w, "x", "q", "cpu=1", .selector = "zone=a", .selector_error = "bad operator");
    struct assignment *a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_int_eq(a->mode, MODE_NO_FIT);
    ck_assert_str_eq(message(a, wl), "failed to assign flavors to pod set main: bad operator");
}
END_TEST

/* 6.4 step 1, gate TopologyAwareScheduling. */
static const struct {
    const char *rule, *quotas;
    bool wants, gate;
    const char *want, *message;
} tas_rows[] = {
    {"6.4 step 1: asks for topology", "cpu: f 4", true, true, "NoFit",
     "couldn't assign flavors to pod set main: Flavor \"f\" does not support TopologyAwareScheduling"},
    {"6.4 step 1: does not ask", "cpu: tas 4; f 4", false, true, "Fit cpu=f", ""},
    {"6.4 step 1: does not ask, and it is too much elsewhere", "cpu: tas 4; f 0", false, true, "NoFit",
     "couldn't assign flavors to pod set main: Flavor \"tas\" supports only TopologyAwareScheduling, "
     "insufficient quota for cpu "
     "in flavor f, previously considered podsets requests (0) + current podset request (1) > maximum "
     "capacity (0)"},
    {"6.4 step 1: only such flavors", "cpu: tas 4", false, true, "NoFit",
     "couldn't assign flavors to pod set main: Flavor \"tas\" information missing in TAS cache"},
    {"6.4 step 1: asks for topology that is not known", "cpu: tas 4; f 4", true, true, "NoFit",
     "couldn't assign flavors to pod set main: Flavor \"f\" does not support TopologyAwareScheduling, Flavor "
     "\"tas\" information "
     "missing in TAS cache"},
    {"6.4 step 1: without the gate", "cpu: tas 4", true, false, "Fit cpu=tas", ""},
};

START_TEST(topology)
{
    struct fact_flavor tas = {.name = "tas", .topology = "rack"};
    if (!tas_rows[_i].gate)
        build_config(w, "TopologyAwareScheduling=false", .fair_sharing = false);
    ck_assert_int_eq(world_put_flavor(w, &tas, NULL), 0);
    build_cq(w, "q", "", tas_rows[_i].quotas);
    struct wl *wl = build_job(w, "x", "q", "cpu=1", .topology = tas_rows[_i].wants);
    struct assignment *a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_msg(strcmp(show(a, wl), tas_rows[_i].want) == 0, "%s: %s", tas_rows[_i].rule, show(a, wl));
    ck_assert_msg(strcmp(message(a, wl), tas_rows[_i].message) == 0, "%s: %s", tas_rows[_i].rule,
                  message(a, wl));
}
END_TEST

/* ---- 6.3 preferred ------------------------------------------------------------------------------------------------------------------ */

/* a is better than b, and not the other way round unless the row says that neither is. */
static const struct {
    const char *rule;
    struct granular a, b;
    enum fungibility_preference p;
    bool better, worse;
} preferred_rows[] = {
    {"6.3 rules 1, 2: noFit is never better", {PM_NO_VICTIMS, 9}, {PM_NO_FIT, 0}, PREFER_UNSET, true, false},
    {"6.3 rule 1: nor than itself", {PM_NO_FIT, 0}, {PM_NO_FIT, 1}, PREFER_UNSET, false, false},
    {"6.3 rule 3: noVictims loses, whatever the level",
     {PM_PREEMPT, 5},
     {PM_NO_VICTIMS, 0},
     PREFER_PREEMPTION,
     true,
     false},
    {"6.3 rule 4: default: mode before level", {PM_FIT, 5}, {PM_RECLAIM, 0}, PREFER_UNSET, true, false},
    {"6.3 rule 4: BorrowingOverPreemption is the default",
     {PM_FIT, 5},
     {PM_RECLAIM, 0},
     PREFER_BORROWING,
     true,
     false},
    {"6.3 rule 4: default: tie by level", {PM_FIT, 1}, {PM_FIT, 2}, PREFER_UNSET, true, false},
    {"6.3 rule 4: reclaim before preempt", {PM_RECLAIM, 1}, {PM_PREEMPT, 0}, PREFER_UNSET, true, false},
    {"6.3 rule 4: PreemptionOverBorrowing: level before mode",
     {PM_PREEMPT, 0},
     {PM_FIT, 1},
     PREFER_PREEMPTION,
     true,
     false},
    {"6.3 rule 4: PreemptionOverBorrowing: tie by mode",
     {PM_RECLAIM, 1},
     {PM_PREEMPT, 1},
     PREFER_PREEMPTION,
     true,
     false},
    {"6.3: strict: a tie is not better", {PM_FIT, 1}, {PM_FIT, 1}, PREFER_PREEMPTION, false, false},
};

START_TEST(preferred)
{
    ck_assert_msg(assign_preferred(preferred_rows[_i].a, preferred_rows[_i].b, preferred_rows[_i].p) ==
                      preferred_rows[_i].better,
                  "%s", preferred_rows[_i].rule);
    ck_assert_msg(assign_preferred(preferred_rows[_i].b, preferred_rows[_i].a, preferred_rows[_i].p) ==
                      preferred_rows[_i].worse,
                  "%s", preferred_rows[_i].rule);
}
END_TEST

/* ---- 6.3 keepScanning: policies over three flavors, and the position that is kept (6.6) ------------------------------------------ */

/* q has 4 of x, y and z each and may borrow; the use of each is `used`, 4 more of each is lent unless `lent` is used as well. The job
 * asks for 4 cpu. So a flavor with use 0 fits, with use 2 it fits by borrowing, and with use 4 and lent 4 it needs preemption. */
#define MAY FUNGIBILITY_MAY_STOP
#define NEXT FUNGIBILITY_TRY_NEXT
#define RECLAIMS                                                                                             \
    {                                                                                                        \
        POSSIBILITY_RECLAIM, 0                                                                               \
    }
#define PREEMPTS                                                                                             \
    {                                                                                                        \
        POSSIBILITY_PREEMPT, 0                                                                               \
    }

static const struct {
    const char *rule;
    const char *used, *lent; /* "x y z" */
    enum fungibility borrow, preempt;
    enum fungibility_preference preference;
    struct script script[3];
    const char *want;
    int tried;
} scan_rows[] = {
    {"6.3: fit without borrowing stops", "0 0 0", "0 0 0", NEXT, NEXT, 0, {{0}}, "Fit cpu=x", 0},
    {"6.3: borrowing stops with MayStopSearch", "2 0 0", "0 0 0", MAY, NEXT, 0, {{0}}, "Fit cpu=x(1)", 0},
    {"6.3: borrowing goes on with TryNextFlavor", "2 0 0", "0 0 0", NEXT, NEXT, 0, {{0}}, "Fit cpu=y", 1},
    {"6.3: all borrow: the first wins, all were tried",
     "2 2 2",
     "0 0 0",
     NEXT,
     NEXT,
     0,
     {{0}},
     "Fit cpu=x(1)",
     -1},
    {"6.3: the last flavor: the position starts over",
     "4 4 0",
     "4 4 0",
     MAY,
     NEXT,
     0,
     {{0}},
     "Fit cpu=z",
     -1},
    {"6.3: victims, TryNextFlavor: goes on",
     "4 0 0",
     "4 0 0",
     MAY,
     NEXT,
     0,
     {{"x", RECLAIMS}},
     "Fit cpu=y",
     1},
    {"6.3: victims, MayStopSearch: stops",
     "4 0 0",
     "4 0 0",
     MAY,
     MAY,
     0,
     {{"x", RECLAIMS}},
     "Preempt cpu=x",
     0},
    {"6.3: no victims never stops", "4 4 4", "4 4 4", MAY, MAY, 0, {{"y", PREEMPTS}}, "Preempt cpu=y", 1},
    {"6.3: no victims anywhere: the first", "4 4 4", "4 4 4", MAY, MAY, 0, {{0}}, "Preempt cpu=x", -1},
    {"6.3: reclaim beats preempt",
     "4 4 4",
     "4 4 4",
     NEXT,
     NEXT,
     0,
     {{"x", PREEMPTS}, {"z", RECLAIMS}},
     "Preempt cpu=z",
     -1},
    {"6.3: preempting and borrowing stops only if both may",
     "4 2 0",
     "4 4 4",
     NEXT,
     MAY,
     0,
     {{"x", {POSSIBILITY_RECLAIM, 1}}},
     "Fit cpu=z",
     -1},
    {"6.3: default preference: borrow rather than preempt",
     "4 2 4",
     "4 0 4",
     NEXT,
     NEXT,
     PREFER_UNSET,
     {{"x", RECLAIMS}},
     "Fit cpu=y(1)",
     -1},
    {"6.3: PreemptionOverBorrowing: preempt rather than borrow",
     "4 2 4",
     "4 0 4",
     NEXT,
     NEXT,
     PREFER_PREEMPTION,
     {{"x", RECLAIMS}},
     "Preempt cpu=x",
     -1},
};

static void use(const char *name, const char *queue, const char *amounts)
{
    static const char *const flavors[] = {"x", "y", "z"};
    for (int i = 0; i < 3; i++, amounts += 2) {
        char job[16], pods[16];
        snprintf(job, sizeof job, "%s%d", name, i);
        snprintf(pods, sizeof pods, "cpu=%c", *amounts);
        build_job(w, job, queue, pods, .held = flavors[i]);
    }
}

static void three_flavors(const char *used, const char *lent, struct fact_cluster_queue f)
{
    build_flavor(w, "x", NULL, NULL);
    build_flavor(w, "y", NULL, NULL);
    build_flavor(w, "z", NULL, NULL);
    f.name = "q";
    f.cohort = "c";
    build_put_cq(w, "cpu: x 4; y 4; z 4", f);
    build_cq(w, "lender", "c", "cpu: x 4; y 4; z 4");
    use("u", "q", used);
    use("l", "lender", lent);
}

START_TEST(scanning)
{
    three_flavors(scan_rows[_i].used, scan_rows[_i].lent,
                  (struct fact_cluster_queue){.when_can_borrow = scan_rows[_i].borrow,
                                              .when_can_preempt = scan_rows[_i].preempt,
                                              .preference = scan_rows[_i].preference});
    struct wl *wl = build_job(w, "j", "q", "cpu=4");
    struct assignment *a = assign_job(wl, "q", scan_rows[_i].script, NULL, NULL);
    ck_assert_msg(strcmp(show(a, wl), scan_rows[_i].want) == 0, "%s: %s", scan_rows[_i].rule, show(a, wl));
    ck_assert_msg(a->pod_sets[0].choices[0].tried == scan_rows[_i].tried, "%s: %d", scan_rows[_i].rule,
                  a->pod_sets[0].choices[0].tried);
}
END_TEST

START_TEST(without_the_gate_only_the_mode_counts_6_3)
{
    build_config(w, "FlavorFungibility=false", .fair_sharing = false);
    three_flavors("4 2 0", "4 0 0", (struct fact_cluster_queue){.when_can_preempt = MAY});
    struct wl *wl = build_job(w, "j", "q", "cpu=4");
    struct script s[3] = {{"x", RECLAIMS}};
    struct assignment *a = assign_job(wl, "q", s, NULL, NULL);
    ck_assert_str_eq(show(a, wl), "Fit cpu=y(1)"); /* the first that fits, borrowing or not */
    ck_assert_int_eq(a->pod_sets[0].choices[0].tried, -1);
    use("m", "lender", "0 4 0");
    use("n", "q", "0 4 8");
    a = assign_job(wl, "q", s, NULL, NULL);
    ck_assert_str_eq(show(a, wl), "Preempt cpu=x"); /* the best mode of all */
    wl->scan.present = true;                        /* and there is no resuming */
    wl->tried[0] = 0;
    ck_assert_str_eq(show(assign_job(wl, "q", s, NULL, NULL), wl), "Preempt cpu=x");
}
END_TEST

START_TEST(unset_policies_have_their_defaults_1_2)
{
    three_flavors("2 0 0", "0 0 0", (struct fact_cluster_queue){0});
    const struct cluster_queue *cq = w->cqs[world_cq_find(w, "q")];
    ck_assert_int_eq(cq->when_can_borrow, MAY);
    ck_assert_int_eq(cq->when_can_preempt, NEXT);
}
END_TEST

/* 6.5: the worst of the resources of a group decides, and the possibilities are merged. */
START_TEST(the_worst_resource_decides_6_3)
{
    build_cq(w, "q", "", "cpu,memory: f 4 4; g 4 4");
    build_job(w, "h", "q", "cpu=4", .held = "f");
    build_job(w, "i", "q", "memory=1", .held = "g");
    struct wl *wl = build_job(w, "x", "q", "cpu=1 memory=4");
    struct assignment *a = assign_job(wl, "q", (struct script[3]){{"f", PREEMPTS}}, NULL, NULL);
    ck_assert_str_eq(show(a, wl), "Preempt memory=f cpu=f");
    ck_assert_uint_eq(a->pod_sets[0].nattempts, 2);
    ck_assert_int_eq(a->pod_sets[0].attempts[0].possibility, POSSIBILITY_PREEMPT);
    ck_assert_int_eq(a->pod_sets[0].attempts[1].possibility, POSSIBILITY_NO_CANDIDATES);
    ck_assert_int_eq(a->pod_sets[0].choices[0].mode, MODE_FIT); /* memory alone fits */
}
END_TEST

/* 6.3: an attempt tells the highest level of its resources, whichever of them is the worst. */
START_TEST(an_attempt_has_the_highest_level_6_3)
{
    build_cq(w, "q", "c", "cpu,memory: f 4 4");
    build_cq(w, "l", "c", "cpu,memory: f 0 4");
    build_job(w, "h", "q", "cpu=4", .held = "f");
    struct wl *wl = build_job(w, "x", "q", "cpu=1 memory=6");
    struct assignment *a = assign_job(wl, "q", (struct script[3]){{"f", PREEMPTS}}, NULL, NULL);
    ck_assert_int_eq(a->pod_sets[0].attempts[0].mode, MODE_PREEMPT);
    ck_assert_uint_eq(a->pod_sets[0].attempts[0].level, 1);
}
END_TEST

START_TEST(a_flavor_in_which_one_resource_does_not_fit_is_no_choice)
{
    build_cq(w, "q", "", "cpu,memory: f 4 1; g 1 4");
    struct wl *wl = build_job(w, "x", "q", "cpu=2 memory=2");
    struct assignment *a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_str_eq(show(a, wl), "NoFit");
    ck_assert_uint_eq(a->pod_sets[0].nreasons, 2);
}
END_TEST

START_TEST(usage_is_added_up_by_pair_6_2)
{
    build_cq(w, "q", "c", "cpu: f 4");
    build_cq(w, "lender", "c", "cpu: f 4");
    struct wl *wl = build_job(w, "x", "q", "a: 2 cpu=1; b: cpu=3");
    struct assignment *a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_str_eq(show(a, wl), "Fit cpu=f / cpu=f(1)");
    ck_assert_uint_eq(a->nuses, 1);
    ck_assert_int_eq(a->uses[0].amount, 5000);
    ck_assert_uint_eq(a->borrowing, 1); /* the highest level */
}
END_TEST

START_TEST(pinned_flavors_6_5)
{
    build_cq(w, "q", "", "cpu: f 4; g 4");
    struct wl *wl = build_job(w, "x", "q", "a: cpu=1; b: cpu=1");
    uint32_t cpu = names_find(w->names, "cpu");
    struct choice c = {.res = cpu, .flavor = names_find(w->names, "g")};
    struct pod_set_choice ps[] = {{.pod_set = 0, .choices = &c, .nchoices = 1}, {.pod_set = 1}};
    struct assignment pinned = {.pod_sets = ps, .npod_sets = 2};
    struct assignment *a = assign_job(wl, "q", NULL, &pinned, NULL);
    ck_assert_str_eq(show(a, wl), "NoFit cpu=g /");
    ck_assert_str_eq(
        message(a, wl),
        "couldn't assign flavors to pod set b: skipping flavor f as it is not found in the nomination "
        "mapping for "
        "resource cpu, skipping flavor g as it is not found in the nomination mapping for resource cpu");
}
END_TEST

/* ---- pod sets of one topology group (6.2) ------------------------------------------------------------------------------------------ */

/* The pod sets whose letter is in `group` are of one group. */
static struct wl *grouped_job(const char *pods, const char *group)
{
    struct fact_workload f = *build_fact(&(struct job){.name = "x", .queue = "q", .pods = pods});
    struct fact_pod_set ps[8];
    struct wl *wl;
    ck_assert_uint_le(f.npod_sets, COUNT(ps));
    memcpy(ps, f.pod_sets, f.npod_sets * sizeof ps[0]);
    for (uint32_t i = 0; i < f.npod_sets; i++)
        if (strchr(group, ps[i].name[0]))
            ps[i].topology_group = "g1";
    f.pod_sets = ps;
    ck_assert_int_eq(world_put_workload(w, &f, NOW, &wl, NULL), 0);
    return wl;
}

static const struct {
    const char *quotas, *pods, *group, *want;
} group_rows[] = {
    {"cpu,gpu: f 4 0; g 8 4", "a: 2 cpu=1 gpu=1; b: cpu=1", "", "Fit gpu=g cpu=g / cpu=f"},
    {"cpu,gpu: f 4 0; g 8 4", "a: 2 cpu=1 gpu=1; b: cpu=1", "ab", "Fit gpu=g cpu=g / cpu=g"},
    {"cpu: f 4; g 8", "a: 4 cpu=1; b: cpu=1", "ab", "Fit cpu=g / cpu=g"},
    /* together they ask for more than there is anywhere: both are in the result, nothing after them */
    {"cpu: f 4; g 4", "a: 4 cpu=1; b: cpu=1; c: cpu=1", "ab", "NoFit /"},
    /* group by group: b, which is of none, comes after c */
    {"cpu: f 2; g 2", "a: cpu=1; b: cpu=2; c: cpu=1", "ac", "Fit cpu=f / cpu=f / cpu=g"},
};

START_TEST(groups_6_2)
{
    build_cq(w, "q", "", group_rows[_i].quotas);
    struct wl *wl = grouped_job(group_rows[_i].pods, group_rows[_i].group);
    ck_assert_str_eq(show(assign_job(wl, "q", NULL, NULL, NULL), wl), group_rows[_i].want);
}
END_TEST

START_TEST(an_admission_of_interleaved_groups_goes_to_the_right_pod_sets)
{
    build_cq(w, "q", "", "cpu: f 2; g 2");
    struct wl *wl = grouped_job("a: cpu=1; b: cpu=2; c: cpu=1", "ac");
    ck_assert_str_ne(build_cycle(w), "");
    static const char *const want[] = {"f", "g", "f"};
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        ck_assert_str_eq(world_pair(w, wl->slots[wl->pod_sets[i].first].fr).flavor, want[i]);
}
END_TEST

/* ---- 6.6 ------------------------------------------------------------------------------------------------------------------------------- */

START_TEST(the_scan_resumes_behind_the_last_one_tried)
{
    three_flavors("4 4 0", "4 4 0", (struct fact_cluster_queue){.when_can_preempt = MAY});
    struct script s[3] = {{"x", RECLAIMS}, {"y", RECLAIMS}};
    struct wl *wl = build_job(w, "j", "q", "cpu=4");
    struct assign_ctx ctx = {.w = w, .wl = wl, .cq = w->cqs[world_cq_find(w, "q")]};
    static const char *const want[] = {"Preempt cpu=x", "Preempt cpu=y", "Fit cpu=z", "Preempt cpu=x"};
    for (uint32_t i = 0; i < COUNT(want); i++) {
        struct assignment *a = assign_job(wl, "q", s, NULL, NULL);
        ck_assert_str_eq(show(a, wl), want[i]);
        assign_keep_scan(&ctx, a);
        ck_assert_int_eq(wl_scan_unfinished(wl), i % 3 != 2);
    }
    assign_keep_scan(&ctx, NULL); /* forgotten */
    ck_assert(!wl->scan.present);
    ck_assert_str_eq(show(assign_job(wl, "q", s, NULL, NULL), wl), "Preempt cpu=x");
}
END_TEST

START_TEST(a_resource_or_pod_set_without_position_starts_at_0_6_6)
{
    build_cq(w, "q", "", "cpu: f 4; g 4 | memory: f 4; g 4");
    struct wl *wl = build_job(w, "j", "q", "cpu=1 memory=1");
    wl->scan.present = true; /* it knows of cpu only */
    wl->pod_sets[0].nslots = 1;
    wl->slots[0].res = names_find(w->names, "cpu");
    wl->tried[0] = 0;
    ck_assert_str_eq(show(assign_job(wl, "q", NULL, NULL, NULL), wl), "Fit memory=f cpu=g");
}
END_TEST

START_TEST(an_update_of_the_same_shape_keeps_the_scan_4_4_step_4)
{
    three_flavors("4 4 0", "4 4 0", (struct fact_cluster_queue){.when_can_preempt = MAY});
    struct wl *wl = build_job(w, "j", "q", "cpu=4");
    struct script s[3] = {{"x", RECLAIMS}};
    struct assign_ctx ctx = {.w = w, .wl = wl, .cq = w->cqs[world_cq_find(w, "q")]};
    assign_keep_scan(&ctx, assign_job(wl, "q", s, NULL, NULL));
    build_job(w, "j", "q", "cpu=4", .generation = 2);
    ck_assert(wl_scan_unfinished(wl));
    build_job(w, "j", "q", "cpu=3");
    ck_assert(!wl->scan.present);
    build_config(w, "FlavorFungibilityPreserveScanProgress=false", .fair_sharing = false);
    assign_keep_scan(&ctx, assign_job(wl, "q", s, NULL, NULL));
    build_job(w, "j", "q", "cpu=3", .generation = 3);
    ck_assert(!wl->scan.present);
}
END_TEST

/* ---- 6.8, 2.4 ----------------------------------------------------------------------------------------------------------------------------- */

/* Counts up to `most` (the sum) would do. */
static bool sum_fits(const int32_t *counts, void *arg)
{
    return counts[0] + counts[1] <= *(int32_t *)arg;
}

static const struct {
    const char *rule;
    int32_t full[2], min[2], most;
    bool found;
    int32_t want[2];
} search_rows[] = {
    {"6.8: full counts are probed as well", {4, 4}, {2, 0}, 8, true, {4, 4}},
    {"6.8: as many as possible", {4, 4}, {2, 0}, 7, true, {3, 4}},
    {"6.8: down to minCount", {4, 4}, {2, 0}, 6, true, {2, 4}},
    {"6.8: not even that", {4, 4}, {2, 0}, 5, false, {0, 0}},
    {"6.8: reductions are floor(delta k / D)", {10, 4}, {4, 2}, 10, true, {7, 3}},
    {"6.8: nothing to reduce", {4, 4}, {4, 0}, 8, false, {0, 0}},
    {"6.8: no minCount", {4, 4}, {0, 0}, 8, false, {0, 0}},
    {"6.8: large counts", {2000000000, 1}, {1, 0}, 1000, true, {999, 1}},
};

START_TEST(searching_counts)
{
    int32_t counts[2], most = search_rows[_i].most;
    bool found = partial_search(search_rows[_i].full, search_rows[_i].min, 2, counts, sum_fits, &most);
    ck_assert_msg(found == search_rows[_i].found, "%s", search_rows[_i].rule);
    if (found)
        ck_assert_msg(counts[0] == search_rows[_i].want[0] && counts[1] == search_rows[_i].want[1],
                      "%s: %d %d", search_rows[_i].rule, counts[0], counts[1]);
}
END_TEST

START_TEST(requests_are_scaled_to_the_count_2_4)
{
    build_cq(w, "q", "", "cpu,pods: f 40 40");
    struct wl *wl = build_job(w, "x", "q", "5>2 cpu=2");
    int32_t counts[] = {3};
    struct assignment *a = assign_job(wl, "q", NULL, NULL, counts);
    ck_assert_int_eq(a->pod_sets[0].count, 3);
    ck_assert_int_eq(a->uses[0].amount, 3); /* pods */
    ck_assert_int_eq(a->uses[1].amount, 6000);
    build_job(w, "x", "q", "5>2 cpu=2", .reclaimed = 4); /* 2.4: the effective count */
    ck_assert_int_eq(assign_job(wl, "q", NULL, NULL, NULL)->uses[1].amount, 2000);
    build_config(w, "ReclaimablePods=false", .fair_sharing = false);
    ck_assert_int_eq(assign_job(wl, "q", NULL, NULL, NULL)->uses[1].amount, 10000);
}
END_TEST

START_TEST(many_reasons_and_attempts)
{
    char quotas[200] = "cpu:";
    for (int i = 0; i < 8; i++)
        snprintf(quotas + strlen(quotas), sizeof quotas - strlen(quotas), " f%d 1%s", i, i < 7 ? ";" : "");
    build_cq(w, "q", "", quotas);
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        build_flavor(w, name, NULL, NULL);
    }
    struct wl *wl = build_job(w, "x", "q", "cpu=2; b: cpu=1");
    struct assignment *a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_uint_eq(a->pod_sets[0].nattempts, 8);
    build_cq(w, "q", "", "cpu: f 1; g 1 | memory: f0 1; f1 1; f2 1; f3 1; f4 1; f5 1; f6 1; f7 1");
    build_job(w, "h", "q", "cpu=1", .held = "f");
    build_job(w, "i", "q", "cpu=1", .held = "g");
    wl = build_job(w, "y", "q", "cpu=1 memory=2");
    a = assign_job(wl, "q", NULL, NULL, NULL);
    ck_assert_uint_eq(a->pod_sets[0].nattempts, 8); /* memory comes first and fails */
    ck_assert_int_eq(a->mode, MODE_NO_FIT);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, assigning, 0, COUNT(rows));
    tcase_add_test(t, no_pod_sets_6_1);
    tcase_add_test(t, ignoring_what_is_undeclared_6_2);
    tcase_add_test(t, a_selector_that_does_not_parse_is_an_error_6_3);
    tcase_add_loop_test(t, topology, 0, COUNT(tas_rows));
    tcase_add_loop_test(t, preferred, 0, COUNT(preferred_rows));
    tcase_add_loop_test(t, scanning, 0, COUNT(scan_rows));
    tcase_add_test(t, without_the_gate_only_the_mode_counts_6_3);
    tcase_add_test(t, unset_policies_have_their_defaults_1_2);
    tcase_add_test(t, the_worst_resource_decides_6_3);
    tcase_add_test(t, an_attempt_has_the_highest_level_6_3);
    tcase_add_test(t, a_flavor_in_which_one_resource_does_not_fit_is_no_choice);
    tcase_add_test(t, usage_is_added_up_by_pair_6_2);
    tcase_add_test(t, pinned_flavors_6_5);
    tcase_add_loop_test(t, groups_6_2, 0, COUNT(group_rows));
    tcase_add_test(t, an_admission_of_interleaved_groups_goes_to_the_right_pod_sets);
    tcase_add_test(t, the_scan_resumes_behind_the_last_one_tried);
    tcase_add_test(t, a_resource_or_pod_set_without_position_starts_at_0_6_6);
    tcase_add_test(t, an_update_of_the_same_shape_keeps_the_scan_4_4_step_4);
    tcase_add_loop_test(t, searching_counts, 0, COUNT(search_rows));
    tcase_add_test(t, requests_are_scaled_to_the_count_2_4);
    tcase_add_test(t, many_reasons_and_attempts);
}

int main(void)
{
    Suite *s = suite_create("assign");
    TCase *t = tcase_create("assign");
    tcase_add_checked_fixture(t, setup_assign, teardown_assign);
    add_tests(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
