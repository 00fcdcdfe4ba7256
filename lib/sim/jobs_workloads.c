/* `kubectl get workloads -A -o json` of a cluster: each Workload that ran and finished is a job; it ran from its (last) admission to its end. The
 * tenant is "namespace/queueName". All pod sets together are one gang of equal pods. */
#include "sim/jobs_priv.h"

#include "api/set.h"
#include "base/mem.h"
#include "base/str.h"

#include <string.h>

struct workloads {
    struct jobs_sorted *jobs;
    struct jobs_skipped skipped;
};

static bool workloads_matches(const char *head, size_t n)
{
    size_t i = 0;

    while (i < n && (head[i] == ' ' || head[i] == '\t' || head[i] == '\n' || head[i] == '\r'))
        i++;
    return i < n && head[i] == '{';
}

static const struct fact_condition *condition(const struct fact_workload *f, enum cond_type t)
{
    for (uint32_t i = 0; i < f->nconditions; i++)
        if (f->conditions[i].type == t && f->conditions[i].status == STATUS_TRUE &&
            f->conditions[i].since != WHEN_NONE)
            return &f->conditions[i];
    return NULL;
}

static bool is_gpu(const char *resource)
{
    const char *slash = strrchr(resource, '/');

    return slash && (!strcmp(slash, "/gpu") || !strncmp(slash, "/gpu.", 5) || !strncmp(slash, "/mig-", 5));
}

static void add_amounts(const struct fact_amount *list, uint32_t n, int64_t pods, struct job *j)
{
    for (uint32_t i = 0; i < n; i++) {
        if (is_gpu(list[i].resource))
            j->gpus_milli = i64_add(j->gpus_milli, i64_mul(quantity_value(list[i].q), pods * 1000));
        else if (resource_is_cpu(list[i].resource))
            j->cpus_milli = i64_add(j->cpus_milli, i64_mul(quantity_milli(list[i].q), pods));
    }
}

/* Limits stand for requests that are not given, as with any extended resource. */
static void add_container(const struct fact_container *c, int64_t pods, struct job *j)
{
    int64_t before = j->gpus_milli;

    add_amounts(c->requests, c->nrequests, pods, j);
    for (uint32_t i = 0; i < c->nlimits && j->gpus_milli == before; i++)
        if (is_gpu(c->limits[i].resource))
            add_amounts(&c->limits[i], 1, pods, j);
}

static void add_pod_sets(const struct fact_workload *f, struct job *j)
{
    int64_t pods = 0;

    for (uint32_t i = 0; i < f->npod_sets; i++) {
        const struct fact_pod_set *ps = &f->pod_sets[i];
        int64_t count = ps->count > 0 ? ps->count : 0;
        pods += count;
        for (uint32_t k = 0; k < ps->pod.ncontainers; k++)
            add_container(&ps->pod.containers[k], count, j);
    }
    j->pods = pods < 1 ? 1 : pods > JOBS_PODS_MAX ? JOBS_PODS_MAX : (int32_t)pods;
}

static int take(void *ctx, const struct object *o, struct err *err)
{
    struct workloads *w = ctx;
    const struct fact_workload *f = &o->workload;
    char tenant[2 * JOBS_TEXT_MAX + 2], id[2 * JOBS_TEXT_MAX + 2];

    if (o->kind != API_WORKLOAD)
        return 0;
    const struct fact_condition *finished = condition(f, COND_FINISHED), *began = condition(f, COND_ADMITTED);
    if (!began)
        began = condition(f, COND_QUOTA_RESERVED);
    if (!began || !finished) {
        *(began ? &w->skipped.unfinished : &w->skipped.never_ran) += 1;
        return 0;
    }
    size_t ns = strlen(o->ns), queue = strlen(f->queue), name = strlen(o->name);
    if (ns > JOBS_TEXT_MAX || queue > JOBS_TEXT_MAX || name > JOBS_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "line %u: Workload with a name that is too long", o->line);
    (void)snprintf(tenant, sizeof(tenant), "%s/%s", o->ns, f->queue);
    (void)snprintf(id, sizeof(id), "%s/%s", o->ns, o->name);
    struct job j = {
        .id = id, .tenant = tenant, .user = "", .gpu_type = "", .priority = f->priority, .line = o->line};
    j.submit = f->created;
    j.run_ns = i64_sub(finished->since, began->since);
    add_pod_sets(f, &j);
    bool sane = j.submit != WHEN_NONE && j.run_ns >= 0 && j.run_ns <= JOBS_RUN_MAX_S * NS_PER_S &&
                j.gpus_milli <= (int64_t)JOBS_GPUS_MAX * 1000 && j.gpus_milli >= 0;
    if (!sane)
        return err_set(err, ERR_INVALID, "line %u: Workload %s: its times or its requests make no sense",
                       o->line, id);
    if (!j.run_ns)
        j.run_ns = NS_PER_S; /* the API's times are whole seconds */
    return jobs_sorted_add(w->jobs, &j, err);
}

static int slurp(struct jobs_reader *r, struct str *text, struct err *err)
{
    const char *p;
    size_t n;

    for (;;) {
        int rc = lines_peek(&r->lines, 1, &p, &n, err);
        if (rc)
            return rc;
        if (!n)
            break;
        str_addn(text, p, n);
        r->lines.start += n;
    }
    return str_failed(text) ? err_set(err, ERR_LIMIT, "too large, or out of memory") : 0;
}

static int read_all(struct workloads *w, const struct str *text, struct err *err)
{
    struct api_set *set = api_set_new(API_NO_VALIDATE);

    if (!set)
        return err_set(err, ERR_NOMEM, "out of memory");
    api_set_stream(set, take, w);
    int rc = api_read_buffer(set, "workloads.json", str_text(text), text->len, err);
    if (!rc && api_set_errors(set)) {
        const char *first = api_set_error(set, 0), *colon = strchr(first, ':');
        rc = err_set(err, ERR_INVALID, "line %s", colon ? colon + 1 : first);
    }
    api_set_free(set);
    return rc;
}

static int workloads_open(struct jobs_reader *r, struct err *err)
{
    struct workloads *w = mem_zalloc(1, sizeof(*w));
    struct str text;

    r->state = w;
    if (!w || !(w->jobs = jobs_sorted_new()))
        return err_set(err, ERR_NOMEM, "out of memory");
    str_init(&text, DOC_MAX_BYTES);
    int rc = slurp(r, &text, err);
    if (!rc)
        rc = read_all(w, &text, err);
    str_free(&text);
    r->skipped = w->skipped;
    jobs_sorted_sort(w->jobs);
    return rc;
}

static int workloads_next(struct jobs_reader *r, struct job *ret, bool *ret_more, struct err *err)
{
    (void)err;
    *ret_more = jobs_sorted_next(((struct workloads *)r->state)->jobs, ret);
    return 0;
}

static void workloads_close(void *state)
{
    struct workloads *w = state;

    if (w)
        jobs_sorted_free(w->jobs);
    mem_free(w);
}

const struct jobs_format jobs_workloads = {"workloads",    true,           workloads_matches,
                                           workloads_open, workloads_next, workloads_close};
