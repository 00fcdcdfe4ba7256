/* What is watched, and how far it is known. */
#include "run/run_priv.h"

#include "api/json.h"

#include <string.h>

/* In the order in which they are begun; the world takes them in any order. */
static const struct kind_row rows[] = {
    {API_NAMESPACE, "/api/v1/namespaces", false},
    {API_FLAVOR, KUEUE_PATH "/resourceflavors", false},
    {API_ADMISSION_CHECK, KUEUE_PATH "/admissionchecks", false},
    {API_TOPOLOGY, KUEUE_PATH "/topologies", true},
    {API_COHORT, KUEUE_PATH "/cohorts", true},
    {API_CLUSTER_QUEUE, KUEUE_PATH "/clusterqueues", false},
    {API_LOCAL_QUEUE, KUEUE_PATH "/localqueues", false},
    {API_WORKLOAD_PRIORITY_CLASS, KUEUE_PATH "/workloadpriorityclasses", true},
    {API_PRIORITY_CLASS, "/apis/scheduling.k8s.io/v1/priorityclasses", true},
    {API_LIMIT_RANGE, "/api/v1/limitranges", true},
    {API_RUNTIME_CLASS, "/apis/node.k8s.io/v1/runtimeclasses", true},
    {API_WORKLOAD, KUEUE_PATH "/workloads", false},
    {API_JOB, "/apis/batch/v1/jobs", true},
    {API_JOB_SET, "/apis/jobset.x-k8s.io/v1alpha2/jobsets", true},
};

const char *kind_path(enum api_kind kind)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].kind == kind)
            return rows[i].path;
    return "";
}

/* ---- metadata -------------------------------------------------------------------------------------------------------------- */

static void read_finalizers(const struct doc_node *meta, struct meta *ret)
{
    doc_foreach (f, doc_field(meta, "finalizers")) {
        if (doc_is_text(f, FINALIZER))
            ret->has_finalizer = true;
        else
            ret->other_finalizers = true;
    }
}

/* Decimal digits only; 0 when it is anything else. */
static uint64_t read_version(const char *s)
{
    uint64_t v = 0;

    for (; *s >= '0' && *s <= '9' && v < UINT64_MAX / 10; s++)
        v = v * 10 + (uint64_t)(*s - '0');
    return *s ? 0 : v;
}

bool meta_read(const struct doc_node *doc, struct meta *ret)
{
    const struct doc_node *meta = doc_field(doc, "metadata");

    *ret = (struct meta){
        .ns = doc_str_or(meta, "namespace", ""),
        .name = doc_str_or(meta, "name", ""),
        .uid = doc_str_or(meta, "uid", ""),
        .rv = read_version(doc_str_or(meta, "resourceVersion", "")),
        .generation = doc_i64_or(meta, "generation", 0),
        .deleting = doc_field(meta, "deletionTimestamp") != NULL,
    };
    ret->owned = doc_first(doc_field(meta, "ownerReferences")) != NULL;
    ret->has_job_uid = doc_field(doc_field(meta, "labels"), "kueue.x-k8s.io/job-uid") != NULL;
    read_finalizers(meta, ret);
    return *ret->name != '\0';
}

static int read_text(struct controller *c, const char *what, const char *json, size_t len,
                     const struct doc_node **ret)
{
    struct err err;

    *ret = NULL;
    int rc = json_read(&c->arena, &c->scratch, json, len, 1, ret, &err);
    if (!rc)
        return 0;
    *ret = NULL;
    c->stats.malformed += rc != ERR_NOMEM;
    run_log(c, LOG_ERROR, what, "an object of the API server cannot be read: %s", err.text);
    return rc;
}

const struct doc_node *run_read(struct controller *c, const char *what, const char *json, size_t len)
{
    const struct doc_node *doc;

    return read_text(c, what, json, len, &doc) ? NULL : doc;
}

/* ---- watches --------------------------------------------------------------------------------------------------------------- */

static void on_begin(void *arg)
{
    struct kind_watch *k = arg;

    k->epoch++;
}

/* An object that is malformed is logged and passed over: others go on. Only a lack of memory makes the watch come back. */
static int on_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    struct kind_watch *k = arg;
    struct controller *c = k->c;
    const struct doc_node *doc;

    int rc = read_text(c, k->row->path, json, len, &doc);
    if (!rc && k->row->kind == API_WORKLOAD)
        rc = records_observe(c, k, what, doc, json, len);
    else if (!rc && (k->row->kind == API_JOB || k->row->kind == API_JOB_SET))
        rc = jobs_observe(c, k, what, doc, json, len);
    else if (!rc)
        rc = things_observe(c, k, what, doc);
    arena_reset(&c->arena);
    arena_reset(&c->scratch);
    return rc == ERR_NOMEM ? rc : 0;
}

static void on_synced(void *arg)
{
    struct kind_watch *k = arg;
    struct controller *c = k->c;

    if (k->row->kind == API_WORKLOAD)
        records_sweep(c, k);
    else if (k->row->kind == API_JOB || k->row->kind == API_JOB_SET)
        jobs_sweep(c, k);
    else
        things_sweep(c, k);
    k->synced = true;
    kinds_check(c);
}

static void on_trouble(void *arg, const char *text)
{
    struct kind_watch *k = arg;

    run_log(k->c, LOG_WARNING, k->row->path, "watch: %s", text);
}

static bool known(const struct kind_watch *k)
{
    return k->synced || (k->row->optional && k->watch && watch_state(k->watch) == WATCH_ABSENT);
}

void kinds_check(struct controller *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->nkinds; i++)
        n += !known(&c->kinds[i]);
    c->nunsynced = n;
    if (n || c->complete)
        return;
    c->complete = true;
    run_log(c, LOG_INFO, "", "caches are complete: %u Workloads, %u jobs", c->nrecords, c->njobs);
    things_guard_all(c);
    records_touch_all(c);
    jobs_touch_all(c);
    queues_touch_all(c);
    run_changed(c);
    controller_check_lease(c);
}

static bool wanted(const struct controller *c, const struct kind_row *row)
{
    const struct job_kind *kind = job_kind_of(row->kind);

    if (!kind)
        return true;
    for (uint32_t i = 0; i < c->cfg.settings->nframeworks; i++)
        if (!strcmp(c->cfg.settings->frameworks[i], kind->framework))
            return true;
    return false;
}

int kinds_start(struct controller *c, struct err *err)
{
    static const struct watch_handler handler = {on_begin, on_object, on_synced, on_trouble, NULL};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!wanted(c, &rows[i]))
            continue;
        struct kind_watch *k = &c->kinds[c->nkinds];
        struct watch_handler h = handler;
        const struct watch_config config = {
            .path = rows[i].path,
            .server = &c->seams.watches,
            .lists = &c->seams.rest,
            .timers = &c->timers,
            .clock = &c->seams.clock,
        };
        *k = (struct kind_watch){.c = c, .row = &rows[i]};
        h.arg = k;
        k->watch = watch_new(&config, &h, err);
        if (!k->watch)
            return err ? err->code : ERR_NOMEM;
        c->nkinds++;
    }
    c->nunsynced = c->nkinds;
    return 0;
}

void kinds_stop(struct controller *c)
{
    for (uint32_t i = 0; i < c->nkinds; i++)
        watch_free(c->kinds[i].watch);
    c->nkinds = 0;
}

struct kind_watch *kinds_find(struct controller *c, enum api_kind kind)
{
    for (uint32_t i = 0; i < c->nkinds; i++)
        if (c->kinds[i].row->kind == kind)
            return &c->kinds[i];
    return NULL;
}

void kinds_resync(struct controller *c)
{
    c->complete = false;
    for (uint32_t i = 0; i < c->nkinds; i++) {
        c->kinds[i].synced = false;
        watch_resync(c->kinds[i].watch);
    }
    kinds_check(c);
}
