#include "jobs/kind.h"

#include "jobs/progress.h"
#include "jobs/reclaim.h"

#include <string.h>

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

#define INDEX_LABEL "batch.kubernetes.io/job-completion-index"

/* batch/v1 Job (around.md 1.2.2) */
static const struct job_pods batch_pods[] = {{
    .name = "main",
    .template = "spec.template",
    .parallelism = "spec.parallelism",
    .completions = "spec.completions",
    .min_annotation = "kueue.x-k8s.io/job-min-parallelism",
    .sync_annotation = "kueue.x-k8s.io/job-completions-equal-parallelism",
    .index_label = INDEX_LABEL,
    .dropped_labels = "job-name controller-uid batch.kubernetes.io/controller-uid ",
    .kept_labels = "job-name controller-uid batch.kubernetes.io/job-name batch.kubernetes.io/controller-uid ",
}};

/* JobSet (around.md 1.2.3) */
static const struct job_pods job_set_pods[] = {{
    .list = "spec.replicatedJobs",
    .template = "template.spec.template",
    .replicas = "replicas",
    .parallelism = "template.spec.parallelism",
    .completions = "template.spec.completions",
    .index_label = INDEX_LABEL,
    .group_label = "jobset.sigs.k8s.io/job-index",
    .dropped_labels = "",
    .kept_labels = "",
}};

static const struct job_kind kinds[] = {
    {
        .framework = "batch/job",
        .api = API_JOB,
        .group = "batch",
        .kind = "Job",
        .suspend = "spec.suspend",
        .managed_by = "spec.managedBy",
        .default_manager = "kubernetes.io/job-controller",
        .pods = batch_pods,
        .npods = 1,
        .succeeded = "Complete",
        .failed = "Failed",
        .reclaimable = reclaimable_batch,
        .active = progress_batch_active,
        .ready = progress_batch_ready,
        .stopping = "kueue.x-k8s.io/stopping",
        .start_time = "startTime",
        .elastic = true,
    },
    {
        .framework = "jobset.x-k8s.io/jobset",
        .api = API_JOB_SET,
        .group = "jobset.x-k8s.io",
        .kind = "JobSet",
        .suspend = "spec.suspend",
        .managed_by = "spec.managedBy",
        .default_manager = "jobset.sigs.k8s.io/jobset-controller",
        .pods = job_set_pods,
        .npods = 1,
        .succeeded = "Completed",
        .failed = "Failed",
        .reclaimable = reclaimable_job_set,
        .active = progress_job_set_active,
        .ready = progress_job_set_ready,
    },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Kinds that have an integration (around.md 1.0.2, 1.1), and ReplicaSet. */
static const struct {
    const char *group, *kind, *framework;
} owners[] = {
    {"batch", "Job", "batch/job"},
    {"jobset.x-k8s.io", "JobSet", "jobset.x-k8s.io/jobset"},
    {"ray.io", "RayJob", "ray.io/rayjob"},
    {"ray.io", "RayCluster", "ray.io/raycluster"},
    {"ray.io", "RayService", "ray.io/rayservice"},
    {"kubeflow.org", "MPIJob", "kubeflow.org/mpijob"},
    {"kubeflow.org", "TFJob", "kubeflow.org/tfjob"},
    {"kubeflow.org", "PyTorchJob", "kubeflow.org/pytorchjob"},
    {"kubeflow.org", "XGBoostJob", "kubeflow.org/xgboostjob"},
    {"kubeflow.org", "PaddleJob", "kubeflow.org/paddlejob"},
    {"kubeflow.org", "JAXJob", "kubeflow.org/jaxjob"},
    {"trainer.kubeflow.org", "TrainJob", "trainer.kubeflow.org/trainjob"},
    {"workload.codeflare.dev", "AppWrapper", "workload.codeflare.dev/appwrapper"},
    {"sparkoperator.k8s.io", "SparkApplication", "sparkoperator.k8s.io/sparkapplication"},
    {"leaderworkerset.x-k8s.io", "LeaderWorkerSet", "leaderworkerset.x-k8s.io/leaderworkerset"},
    {"", "Pod", "pod"},
    {"apps", "Deployment", "deployment"},
    {"apps", "StatefulSet", "statefulset"},
    {"apps", "ReplicaSet", ""},
};

const struct job_kind *job_kind_of(enum api_kind k)
{
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].api == k)
            return &kinds[i];
    }
    return NULL;
}

const struct job_kind *job_kind_named(const char *framework)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].framework, framework) == 0)
            return &kinds[i];
    }
    return NULL;
}

const char *job_kind_framework(const char *group, const char *kind)
{
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        if (strcmp(owners[i].group, group) == 0 && strcmp(owners[i].kind, kind) == 0)
            return owners[i].framework;
    }
    return NULL;
}

bool job_kind_owns(const char *group, const char *kind)
{
    return job_kind_framework(group, kind) != NULL;
}

/* ---- questions ---------------------------------------------------------------------------------------------------------- */

const char *job_label(const struct doc_node *job, const char *key)
{
    return doc_str_or(doc_path(job, "metadata.labels"), key, "");
}

const char *job_annotation(const struct doc_node *job, const char *key)
{
    return doc_str_or(doc_path(job, "metadata.annotations"), key, "");
}

const char *job_queue(const struct doc_node *job)
{
    return job_label(job, JOB_QUEUE_LABEL);
}

bool job_is_suspended(const struct job_kind *k, const struct doc_node *job)
{
    bool suspended = false;
    return doc_bool(doc_path(job, k->suspend), &suspended, NULL) == 0 && suspended;
}

const struct doc_node *job_finish(const struct job_kind *k, const struct doc_node *job, bool *ret_success)
{
    doc_foreach (c, doc_path(job, "status.conditions")) {
        const char *type = doc_str_or(c, "type", "");
        bool good = strcmp(type, k->succeeded) == 0;
        if ((good || strcmp(type, k->failed) == 0) && doc_is_text(doc_get(c, "status"), "True")) {
            *ret_success = good;
            return c;
        }
    }
    return NULL;
}

bool job_is_finished(const struct job_kind *k, const struct doc_node *job)
{
    bool success;
    return job_finish(k, job, &success) != NULL;
}

/* The group of "batch/v1" is what stands before the slash. */
static bool is_owned_by(const struct doc_node *owner)
{
    const char *version = doc_str_or(owner, "apiVersion", ""), *slash = strchr(version, '/');
    char group[128] = "";
    size_t n = slash ? (size_t)(slash - version) : 0;
    if (n >= sizeof(group))
        return false;
    memcpy(group, version, n);
    return job_kind_owns(group, doc_str_or(owner, "kind", ""));
}

bool job_is_child(const struct doc_node *job)
{
    doc_foreach (owner, doc_path(job, "metadata.ownerReferences")) {
        if (doc_bool_or(owner, "controller", false))
            return is_owned_by(owner);
    }
    return false;
}

/* ---- counts ------------------------------------------------------------------------------------------------------------- */

static int count_at(const struct doc_node *item, const char *path, int32_t dflt, int32_t *ret,
                    const struct doc_node **ret_bad, struct err *err)
{
    const struct doc_node *n = path ? doc_path(item, path) : NULL;
    *ret = dflt;
    if (!n)
        return 0;
    int rc = doc_i32(n, ret, err);
    if (rc == 0 && *ret < 0)
        rc = err_set(err, ERR_INVALID, "must be greater than or equal to 0");
    if (rc < 0)
        *ret_bad = n;
    return rc;
}

int job_pods_count(const struct job_pods *p, const struct doc_node *item, int32_t *ret_replicas,
                   int32_t *ret_count, const struct doc_node **ret_bad, struct err *err)
{
    int32_t parallelism = 1, completions = 1, product;
    *ret_bad = NULL;
    int rc = count_at(item, p->replicas, 1, ret_replicas, ret_bad, err);
    if (rc == 0)
        rc = count_at(item, p->parallelism, 1, &parallelism, ret_bad, err);
    if (rc == 0)
        rc = count_at(item, p->completions, parallelism, &completions, ret_bad, err);
    if (rc < 0)
        return rc;
    int32_t pods = completions < parallelism ? completions : parallelism;
    if (__builtin_mul_overflow(pods, *ret_replicas, &product))
        return err_set(err, ERR_RANGE, "too many pods");
    *ret_count = product;
    return 0;
}
