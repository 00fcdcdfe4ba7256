#include "api/config.h"

#include <string.h>

/* Which jobs are managed, and how long Workloads are kept (around.md 1.0.2, 7.5). */

#define NAMESPACE_LABEL "kubernetes.io/metadata.name"

static const struct framework {
    const char *name, *gvk; /* Kind.version.group */
} frameworks[] = {
    {"batch/job", "Job.v1.batch"},
    {"jobset.x-k8s.io/jobset", "JobSet.v1alpha2.jobset.x-k8s.io"},
    {"kubeflow.org/mpijob", "MPIJob.v2beta1.kubeflow.org"},
    {"kubeflow.org/paddlejob", "PaddleJob.v1.kubeflow.org"},
    {"kubeflow.org/pytorchjob", "PyTorchJob.v1.kubeflow.org"},
    {"kubeflow.org/tfjob", "TFJob.v1.kubeflow.org"},
    {"kubeflow.org/xgboostjob", "XGBoostJob.v1.kubeflow.org"},
    {"kubeflow.org/jaxjob", "JAXJob.v1.kubeflow.org"},
    {"trainer.kubeflow.org/trainjob", "TrainJob.v1alpha1.trainer.kubeflow.org"},
    {"ray.io/rayjob", "RayJob.v1.ray.io"},
    {"ray.io/raycluster", "RayCluster.v1.ray.io"},
    {"ray.io/rayservice", "RayService.v1.ray.io"},
    {"workload.codeflare.dev/appwrapper", "AppWrapper.v1beta2.workload.codeflare.dev"},
    {"leaderworkerset.x-k8s.io/leaderworkerset", "LeaderWorkerSet.v1.leaderworkerset.x-k8s.io"},
    {"sparkoperator.k8s.io/sparkapplication", "SparkApplication.v1beta2.sparkoperator.k8s.io"},
    {"pod", "Pod.v1"},
    {"deployment", "Deployment.v1.apps"},
    {"statefulset", "StatefulSet.v1.apps"},
};

const char *settings_framework(uint32_t i, const char **ret_gvk)
{
    if (i >= sizeof(frameworks) / sizeof(frameworks[0]))
        return NULL;
    *ret_gvk = frameworks[i].gvk;
    return frameworks[i].name;
}

/* ---- integrations ------------------------------------------------------------------------------------------------------- */

static const struct framework *find_framework(const char *name)
{
    for (size_t i = 0; i < sizeof(frameworks) / sizeof(frameworks[0]); i++) {
        if (strcmp(frameworks[i].name, name) == 0)
            return &frameworks[i];
    }
    return NULL;
}

/* Is the text at `n` in the list before it? */
static bool is_repeated(const struct doc_node *n)
{
    for (const struct doc_node *c = n->parent->first; c != n; c = c->next) {
        if (doc_is_text(c, n->text))
            return true;
    }
    return false;
}

static void check_frameworks(struct reader *rd, const struct doc_node *n, const struct doc_node *list)
{
    if (!list || !list->n) {
        if (!rd_defaults(rd) || list)
            rd_error_at(rd, n, "frameworks", "Required value: cannot be empty");
        return;
    }
    doc_foreach (c, list) {
        if (c->type != DOC_STRING)
            continue;
        if (!find_framework(c->text))
            rd_error(rd, c, "Unsupported value: \"%.100s\": there is no such integration", c->text);
        else if (is_repeated(c))
            rd_duplicate(rd, c);
    }
}

static bool has_gvk(const struct doc_node *list, const char *gvk)
{
    doc_foreach (c, list) {
        const struct framework *f = c->type == DOC_STRING ? find_framework(c->text) : NULL;
        if (f && strcmp(f->gvk, gvk) == 0)
            return true;
    }
    return false;
}

/* Kind.version.group with none of them empty. */
static bool is_gvk(const char *s)
{
    const char *dot = strchr(s, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
    return second && dot > s && second > dot + 1 && second[1];
}

static void check_external(struct reader *rd, const struct doc_node *known, const struct doc_node *list)
{
    doc_foreach (c, list) {
        if (c->type != DOC_STRING)
            continue;
        if (!is_gvk(c->text))
            rd_invalid(rd, c, "must be format, 'Kind.version.group.com'");
        else if (is_repeated(c) || has_gvk(known, c->text))
            rd_duplicate(rd, c);
    }
}

static void read_integrations(struct reader *rd, const struct doc_node *root, struct settings *s)
{
    static const char *const by_default[] = {"batch/job"};
    const struct doc_node *n = rd_map(rd, root, "integrations");
    config_known(rd, n, "frameworks externalFrameworks labelKeysToCopy ");
    const struct doc_node *list = rd_list(rd, n, "frameworks"),
                          *external = rd_list(rd, n, "externalFrameworks");
    s->frameworks = rd_strings(rd, n, "frameworks", &s->nframeworks);
    s->external = rd_strings(rd, n, "externalFrameworks", &s->nexternal);
    s->label_keys_to_copy = rd_strings(rd, n, "labelKeysToCopy", &s->nlabel_keys_to_copy);
    if (rd_validates(rd) && (n || !rd_defaults(rd))) {
        if (n)
            check_frameworks(rd, n, list);
        else
            rd_required(rd, root, "integrations");
        check_external(rd, list, external);
    }
    if (!list && rd_defaults(rd)) {
        s->frameworks = by_default;
        s->nframeworks = 1;
    }
}

/* ---- namespaces of managed jobs ----------------------------------------------------------------------------------------- */

static bool has_value(const struct fact_expr *e, const char *value)
{
    for (uint32_t i = 0; i < e->nvalues; i++) {
        if (strcmp(e->values[i], value) == 0)
            return true;
    }
    return false;
}

/* Does the selector match a namespace of which only the name is known? */
static bool matches_namespace(const struct fact_selector *sel, const char *ns)
{
    for (uint32_t i = 0; i < sel->nexprs; i++) {
        const struct fact_expr *e = &sel->exprs[i];
        bool named = strcmp(e->key, NAMESPACE_LABEL) == 0;
        bool holds = e->op == SEL_IN       ? named && has_value(e, ns)
                     : e->op == SEL_NOT_IN ? !named || !has_value(e, ns)
                     : e->op == SEL_EXISTS ? named
                                           : !named;
        if (!holds)
            return false;
    }
    return !sel->is_null;
}

/* All namespaces but the system's and ours. */
static struct fact_selector default_selector(struct reader *rd, const char *ns)
{
    struct fact_expr *e = ARENA_NEW(rd->arena, struct fact_expr, 1);
    const char **values = ARENA_NEW(rd->arena, const char *, 2);
    values[0] = "kube-system";
    values[1] = ns;
    *e = (struct fact_expr){.key = NAMESPACE_LABEL, .op = SEL_NOT_IN, .values = values, .nvalues = 2};
    return (struct fact_selector){.exprs = e, .nexprs = 1};
}

static bool has_framework(const struct settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->nframeworks; i++) {
        if (strcmp(s->frameworks[i], name) == 0)
            return true;
    }
    return false;
}

static void read_job_namespaces(struct reader *rd, const struct doc_node *root, struct settings *s)
{
    const char *own = *s->ns ? s->ns : "kueue-system";
    const char *const prohibited[] = {"kube-system", own};
    const struct doc_node *n = rd_map(rd, root, "managedJobsNamespaceSelector");
    s->manage_jobs_without_queue = rd_bool(rd, root, "manageJobsWithoutQueueName", false);
    if (!n && rd_defaults(rd)) {
        s->job_namespaces = default_selector(rd, own);
        return;
    }
    uint32_t errors = rd->errors;
    read_selector(rd, n, &s->job_namespaces);
    if (!rd_validates(rd) || rd->errors != errors)
        return;
    if (!n && has_framework(s, "pod"))
        rd_error_at(rd, root, "managedJobsNamespaceSelector",
                    "Required value: cannot be empty when pod integration is enabled");
    for (int i = 0; n && i < 2; i++) {
        if (matches_namespace(&s->job_namespaces, prohibited[i]))
            rd_error(rd, n, "Invalid value: should not match the \"%s\" namespace", prohibited[i]);
    }
}

/* ---- retention ---------------------------------------------------------------------------------------------------------- */

static void read_retention(struct reader *rd, const struct doc_node *n, struct settings *s)
{
    const struct doc_node *w = rd_map(rd, n, "workloads");
    config_known(rd, n, "workloads ");
    config_known(rd, w, "afterFinished afterDeactivatedByKueue ");
    s->deletes_finished = doc_field(w, "afterFinished") != NULL;
    s->deletes_deactivated = doc_field(w, "afterDeactivatedByKueue") != NULL;
    s->finished_ns = config_duration(rd, w, "afterFinished", 0);
    s->deactivated_ns = config_duration(rd, w, "afterDeactivatedByKueue", 0);
}

void config_jobs(struct reader *rd, const struct doc_node *root, const struct gates *g, struct settings *s)
{
    read_integrations(rd, root, s);
    read_job_namespaces(rd, root, s);
    read_retention(rd, rd_map(rd, root, "objectRetentionPolicies"), s);
    config_multikueue(rd, root, g, s);
}
