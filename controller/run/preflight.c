#include "run/preflight.h"

#include "kube/policies.h"
#include "kube/selfcheck.h"

#include <string.h>

/* Everything that kinds.c, publish.c, jobs_act.c, queues.c, things.c and kube/events.c ask for. Who leads has what the Lease needs. */
static const struct selfcheck_item needed[] = {
    {.verb = "list", .group = "", .resource = "namespaces"},
    {.verb = "watch", .group = "", .resource = "namespaces"},
    {.verb = "list", .group = "", .resource = "limitranges"},
    {.verb = "watch", .group = "", .resource = "limitranges"},
    {.verb = "list", .group = "scheduling.k8s.io", .resource = "priorityclasses"},
    {.verb = "watch", .group = "scheduling.k8s.io", .resource = "priorityclasses"},
    {.verb = "list", .group = "node.k8s.io", .resource = "runtimeclasses"},
    {.verb = "watch", .group = "node.k8s.io", .resource = "runtimeclasses"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "resourceflavors"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "resourceflavors"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "resourceflavors"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "admissionchecks"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "admissionchecks"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "admissionchecks"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "topologies"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "topologies"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "cohorts"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "cohorts"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "cohorts", .subresource = "status"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "clusterqueues"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "clusterqueues"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "clusterqueues"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "clusterqueues", .subresource = "status"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "localqueues"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "localqueues"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "localqueues", .subresource = "status"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "workloadpriorityclasses"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "workloadpriorityclasses"},
    {.verb = "get", .group = KUEUE_GROUP, .resource = "workloads"},
    {.verb = "list", .group = KUEUE_GROUP, .resource = "workloads"},
    {.verb = "watch", .group = KUEUE_GROUP, .resource = "workloads"},
    {.verb = "create", .group = KUEUE_GROUP, .resource = "workloads"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "workloads"},
    {.verb = "delete", .group = KUEUE_GROUP, .resource = "workloads"},
    {.verb = "patch", .group = KUEUE_GROUP, .resource = "workloads", .subresource = "status"},
    {.verb = "get", .group = "batch", .resource = "jobs"},
    {.verb = "list", .group = "batch", .resource = "jobs"},
    {.verb = "watch", .group = "batch", .resource = "jobs"},
    {.verb = "patch", .group = "batch", .resource = "jobs"},
    {.verb = "delete", .group = "batch", .resource = "jobs"},
    {.verb = "patch", .group = "batch", .resource = "jobs", .subresource = "status"},
    {.verb = "create", .group = "events.k8s.io", .resource = "events"},
    {.verb = "patch", .group = "events.k8s.io", .resource = "events"},
};

enum { NEEDED = sizeof(needed) / sizeof(needed[0]), POLICIES_MAX = 32 };

/* A policy or binding that the Configuration asks for. */
struct wanted_policy {
    char *path; /* owned */
    char digest[SHA1_HEX + 1];
};

struct preflight {
    struct controller *c;
    struct selfcheck_item items[NEEDED];
    struct selfcheck *check;
    struct wanted_policy policies[POLICIES_MAX];
    uint32_t npolicies, at;
    struct str missing, other; /* their names */
    struct kube_call *call;
};

/* ---- policies -------------------------------------------------------------------------------------------------------------- */

static int want(void *ctx, const struct policies_object *o)
{
    struct preflight *p = ctx;
    struct wanted_policy *w = &p->policies[p->npolicies];
    struct str path;

    if (p->npolicies == POLICIES_MAX || strlen(o->digest) >= sizeof(w->digest))
        return 0;
    str_init(&path, 0);
    str_addf(&path, "/apis/admissionregistration.k8s.io/v1/%s/%s", o->resource, o->name);
    w->path = str_take(&path);
    if (!w->path)
        return ERR_NOMEM;
    (void)snprintf(w->digest, sizeof(w->digest), "%s", o->digest);
    p->npolicies++;
    return 0;
}

static void next_policy(struct preflight *p);

/* "validatingadmissionpolicies/sluice-jobs" */
static void name(struct str *list, const char *path)
{
    const char *last = strrchr(path, '/');

    while (last > path && last[-1] != '/')
        last--;
    str_addf(list, "%s%s", list->len ? ", " : "", last);
}

static void tell_policies(struct preflight *p)
{
    if (p->missing.len)
        run_log(p->c, LOG_WARNING, "",
                "policies that the Configuration asks for are not installed (see sluice policies): %s",
                str_text(&p->missing));
    if (p->other.len)
        run_log(p->c, LOG_WARNING, "",
                "policies are others than the Configuration asks for (see sluice policies): %s",
                str_text(&p->other));
}

static bool says(struct controller *c, const struct kube_reply *r, const char *digest)
{
    const struct doc_node *doc = run_read(c, "a policy", r->body, r->body_len);
    const struct doc_node *annotations = doc_path(doc, "metadata.annotations");
    bool same = !strcmp(doc_str_or(annotations, POLICY_DIGEST_ANNOTATION, ""), digest);

    arena_reset(&c->arena);
    arena_reset(&c->scratch);
    return same;
}

static void on_policy(void *arg, const struct kube_reply *r)
{
    struct preflight *p = arg;
    const struct wanted_policy *w = &p->policies[p->at++];

    p->call = NULL;
    if (r->status == 404)
        name(&p->missing, w->path);
    else if (r->status == 200 && !says(p->c, r, w->digest))
        name(&p->other, w->path);
    else if (r->status != 200)
        run_log(p->c, LOG_WARNING, w->path, "cannot be looked at: %d %s", r->status, r->error);
    next_policy(p);
}

static void next_policy(struct preflight *p)
{
    const struct kube_handler handler = {.on_done = on_policy, .arg = p};
    struct err err = {0};

    if (p->at >= p->npolicies) {
        tell_policies(p);
        return;
    }
    const struct kube_request q = {
        .verb = KUBE_GET, .path = p->policies[p->at].path, .timeout_ns = 30 * NS_PER_S};
    p->call = p->c->seams.rest.start(p->c->seams.rest.self, &q, &handler, &err);
    if (!p->call)
        run_log(p->c, LOG_WARNING, q.path, "cannot be looked at: %s", err.text);
}

/* ---- permissions ----------------------------------------------------------------------------------------------------------- */

static void on_checked(void *arg, int status, const struct err *err)
{
    struct preflight *p = arg;
    uint32_t missing = status ? 0 : selfcheck_missing(p->items, NEEDED);

    p->check = NULL;
    if (status)
        run_log(p->c, LOG_WARNING, "", "what this controller may do cannot be found out: %s", err->text);
    if (missing) {
        char *rules = selfcheck_rules(p->items, NEEDED);
        run_log(p->c, LOG_ERROR, "", "%u permissions are missing; these rules would give them:\n%s", missing,
                rules ? rules : "");
        mem_free(rules);
    }
    next_policy(p);
}

/* ---- both ------------------------------------------------------------------------------------------------------------------ */

struct preflight *preflight_new(struct controller *c)
{
    struct preflight *p = mem_zalloc(1, sizeof(*p));
    const struct policies_input in = {.settings = c->cfg.settings, .gates = world_gates(c->w)};
    struct err err;

    if (!p)
        return NULL;
    p->c = c;
    str_init(&p->missing, 4096);
    str_init(&p->other, 4096);
    memcpy(p->items, needed, sizeof(needed));
    if (policies_each(&in, want, p, &err) ||
        selfcheck_start(&c->seams.rest, p->items, NEEDED, on_checked, p, &p->check, &err)) {
        run_log(c, LOG_WARNING, "", "%s", err.text);
        preflight_free(p);
        return NULL;
    }
    return p;
}

void preflight_free(struct preflight *p)
{
    if (!p)
        return;
    if (p->check)
        selfcheck_cancel(p->check);
    if (p->call)
        p->c->seams.rest.cancel(p->c->seams.rest.self, p->call);
    for (uint32_t i = 0; i < p->npolicies; i++)
        mem_free(p->policies[i].path);
    str_free(&p->missing);
    str_free(&p->other);
    mem_free(p);
}
