/* sluice uninstall: takes away what would hold up others once the controller is gone: policies first, then finalizers. Running jobs run on. */
#include "cli/arguments.h"
#include "cli/cluster.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define POLICIES "/apis/admissionregistration.k8s.io/v1/"
#define KINDS "/apis/kueue.x-k8s.io/v1beta2/"
#define LEASE_NAME "c1f6bfd2.kueue.x-k8s.io"
#define FINALIZER "kueue.x-k8s.io/resource-in-use"

struct uninstall {
    struct cluster_options where;
    const char *ns; /* of the Lease */
    bool force, dry_run;
    struct cluster *c;
    const char *collection; /* being walked */
    uint32_t npolicies, nfinalizers;
};

static int take(void *ctx, const char *option, const char *value)
{
    struct uninstall *u = ctx;

    if (!strcmp(option, "kubeconfig"))
        u->where.kubeconfig = value;
    else if (!strcmp(option, "context"))
        u->where.context = value;
    else if (!strcmp(option, "namespace"))
        u->ns = value;
    else if (!strcmp(option, "force"))
        u->force = true;
    else if (!strcmp(option, "dry-run"))
        u->dry_run = true;
    return CLI_OK;
}

static int complain(const char *text)
{
    (void)fprintf(stderr, "sluice uninstall: %s\n", text);
    return CLI_BAD_INPUT;
}

/* ---- is it still at work? -------------------------------------------------------------------------------------------------- */

/* A controller that leads would put back what is taken away here. */
static int check_leader(struct uninstall *u, struct err *err)
{
    const struct doc_node *lease = NULL;
    struct str path;
    int status = 0;

    str_init(&path, 0);
    str_addf(&path, "/apis/coordination.k8s.io/v1/namespaces/%s/leases/" LEASE_NAME, u->ns);
    int rc = str_failed(&path)
                 ? ERR_NOMEM
                 : cluster_call(u->c, KUBE_GET, str_text(&path), NULL, NULL, &status, &lease, err);
    str_free(&path);
    if (rc || status == 404 || u->force)
        return rc;
    if (status != 200)
        return err_set(err, ERR_IO,
                       "the Lease %s/" LEASE_NAME " cannot be looked at: %d %s; --force goes on without",
                       u->ns, status, doc_str_or(lease, "message", ""));
    const char *holder = doc_str_or(doc_field(lease, "spec"), "holderIdentity", "");
    if (*holder)
        return err_set(err, ERR_STATE,
                       "%s holds the Lease %s/" LEASE_NAME
                       ": stop the controller first, or use --force when it is gone for good",
                       holder, u->ns);
    return 0;
}

/* ---- policies -------------------------------------------------------------------------------------------------------------- */

static int write_one(struct uninstall *u, enum kube_verb verb, const char *path, const char *body,
                     struct err *err)
{
    const struct doc_node *answer = NULL;
    int status = 0;

    (void)printf("%s %s\n", verb == KUBE_DELETE ? "delete" : "release", path);
    if (u->dry_run)
        return 0;
    int rc = cluster_call(u->c, verb, path, body ? KUBE_JSON_PATCH : NULL, body, &status, &answer, err);
    if (rc || status < 300 || status == 404)
        return rc;
    return err_set(err, ERR_IO, "%s: %d %s", path, status, doc_str_or(answer, "message", ""));
}

static bool is_ours(const struct doc_node *meta)
{
    return !strcmp(doc_str_or(doc_field(meta, "labels"), "app.kubernetes.io/name", ""), "sluice") ||
           !strncmp(doc_str_or(meta, "name", ""), "sluice-", 7);
}

static int drop_policy(void *arg, const struct doc_node *object, struct err *err)
{
    struct uninstall *u = arg;
    const struct doc_node *meta = doc_field(object, "metadata");
    struct str path;

    if (!is_ours(meta))
        return 0;
    str_init(&path, 0);
    str_addf(&path, "%s/%s", u->collection, doc_str_or(meta, "name", ""));
    int rc = str_failed(&path) ? ERR_NOMEM : write_one(u, KUBE_DELETE, str_text(&path), NULL, err);
    str_free(&path);
    u->npolicies++;
    return rc;
}

/* ---- finalizers ------------------------------------------------------------------------------------------------------------ */

/* The test makes it a patch of that very place: somebody else's finalizer is never taken. */
static int release(void *arg, const struct doc_node *object, struct err *err)
{
    struct uninstall *u = arg;
    const struct doc_node *meta = doc_field(object, "metadata");
    const char *ns = doc_str_or(meta, "namespace", ""), *slash = strrchr(u->collection, '/');
    struct str path, body;
    int rc = 0;

    str_init(&path, 0);
    str_init(&body, 0);
    doc_foreach (f, doc_field(meta, "finalizers")) {
        if (!doc_is_text(f, FINALIZER))
            continue;
        str_addf(&path, "%.*s", (int)(slash - u->collection), u->collection);
        str_addf(&path, *ns ? "/namespaces/%s" : "%s", ns);
        str_addf(&path, "%s/%s", slash, doc_str_or(meta, "name", ""));
        str_addf(&body,
                 "[{\"op\":\"test\",\"path\":\"/metadata/finalizers/%u\",\"value\":\"" FINALIZER
                 "\"},{\"op\":\"remove\",\"path\":\"/metadata/finalizers/%u\"}]",
                 f->index, f->index);
        u->nfinalizers++;
        rc = str_failed(&path) || str_failed(&body)
                 ? ERR_NOMEM
                 : write_one(u, KUBE_PATCH, str_text(&path), str_text(&body), err);
        break;
    }
    str_free(&path);
    str_free(&body);
    return rc;
}

static int walk(struct uninstall *u, const char *collection, cluster_each_fn *each, struct err *err)
{
    u->collection = collection;
    int rc = cluster_list(u->c, collection, each, u, err);
    return rc == ERR_NOTFOUND ? 0 : rc; /* not served: nothing there */
}

static int run(struct uninstall *u, struct err *err)
{
    static const char *const policies[] = {
        POLICIES "mutatingadmissionpolicybindings",
        POLICIES "mutatingadmissionpolicies",
        POLICIES "validatingadmissionpolicybindings",
        POLICIES "validatingadmissionpolicies",
    };
    static const char *const kinds[] = {
        KINDS "workloads",       KINDS "localqueues",     KINDS "clusterqueues", KINDS "cohorts",
        KINDS "resourceflavors", KINDS "admissionchecks", KINDS "topologies",
    };
    int rc = check_leader(u, err);

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]) && !rc; i++)
        rc = walk(u, policies[i], drop_policy, err);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !rc; i++)
        rc = walk(u, kinds[i], release, err);
    return rc;
}

int cli_uninstall(int argc, char **argv)
{
    struct uninstall u = {.ns = "kueue-system"};
    struct err err = {0};
    bool done = false;

    int rc = cli_arguments(cli_find("uninstall"), argc, argv, take, &u, &done);
    if (rc || done)
        return rc;
    rc = cluster_open(&u.where, &u.c, &err);
    if (!rc)
        rc = run(&u, &err);
    cluster_close(u.c);
    if (rc)
        return complain(err.text);
    (void)printf("%s%u policies and bindings deleted, %u finalizers taken away. CRDs and objects are still "
                 "there; jobs run on.\n",
                 u.dry_run ? "would be: " : "", u.npolicies, u.nfinalizers);
    return CLI_OK;
}
