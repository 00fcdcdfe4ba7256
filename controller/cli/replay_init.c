/* Queues and a mapping made from a trace: a ClusterQueue and a LocalQueue a tenant. */
#include "cli/cli.h"
#include "cli/replay.h"

#include "base/mem.h"
#include "base/names.h"

#include <stdio.h>
#include <string.h>

struct demand {
    wide work;     /* thousandths of a GPU times ns */
    int64_t quota; /* GPUs, or thousandths when jobs ask for parts of a GPU */
    char *queue;   /* owned; its name as a Kubernetes object */
    bool given;
};

struct demands {
    struct names *tenants; /* id - 1 is the index */
    struct demand *at;     /* owned */
    uint32_t n, cap;
    when_ns first, last;
    bool parts; /* some pod asks for a part of a GPU */
};

static int add_job(struct demands *s, const struct job *j, struct err *err)
{
    uint32_t id;

    if (names_id(s->tenants, j->tenant, &id) || mem_grow((void **)&s->at, &s->cap, id, sizeof(*s->at)))
        return err_set(err, ERR_NOMEM, "out of memory");
    if (id > s->n)
        s->at[s->n++] = (struct demand){0};
    s->at[id - 1].work += (wide)j->gpus_milli * j->run_ns;
    if (s->first == WHEN_NONE)
        s->first = j->submit;
    s->last = j->submit;
    s->parts = s->parts || j->gpus_milli % (1000 * (int64_t)j->pods) != 0;
    return 0;
}

static int scan_trace(struct demands *s, const char *path, struct err *err)
{
    struct jobs_reader *r;
    struct job j;
    bool more = true;
    int rc = jobs_open(path, &r, err);

    if (rc)
        return rc;
    while (!rc && !(rc = jobs_next(r, &j, &more, err)) && more)
        rc = add_job(s, &j, err);
    jobs_close(r);
    if (!rc && !s->n)
        rc = err_set(err, ERR_INVALID, "%s: no jobs", path);
    return rc;
}

/* ---- quotas ------------------------------------------------------------------------------------------------------------- */

/* Shares of `left` by demand, whole units, by the largest remainder. */
static void share_out(struct demands *s, int64_t left)
{
    wide sum = 0;
    int64_t rest = left;

    for (uint32_t i = 0; i < s->n; i++)
        sum += s->at[i].given ? 0 : s->at[i].work;
    for (uint32_t i = 0; i < s->n && sum; i++) {
        if (s->at[i].given)
            continue;
        s->at[i].quota = (int64_t)(left * s->at[i].work / sum);
        rest -= s->at[i].quota;
    }
    for (; rest > 0 && sum; rest--) {
        struct demand *best = NULL;
        wide most = -1;
        for (uint32_t i = 0; i < s->n; i++) {
            wide remainder = left * s->at[i].work - s->at[i].quota * sum;
            if (!s->at[i].given && remainder > most) {
                most = remainder;
                best = &s->at[i];
            }
        }
        if (!best)
            break;
        best->quota++;
    }
}

static int set_quotas(struct demands *s, const struct replay_init *init, struct err *err)
{
    int64_t unit = s->parts ? 1000 : 1, left = init->capacity * unit;
    wide span = s->last > s->first ? s->last - s->first : 1;

    for (uint32_t k = 0; k < init->nquotas; k++) {
        const struct replay_quota *q = &init->quotas[k];
        bool found = false;
        for (uint32_t i = 0; i < s->n && !found; i++) {
            const char *name = names_text(s->tenants, i + 1);
            found = strlen(name) == q->tenant_len && !memcmp(name, q->tenant, q->tenant_len);
            if (found) {
                s->at[i].quota = q->gpus * unit;
                s->at[i].given = true;
            }
        }
        if (!found)
            return err_set(err, ERR_NOTFOUND, "--quota: the trace has no tenant \"%.*s\"", (int)q->tenant_len,
                           q->tenant);
        left -= q->gpus * unit;
    }
    if (init->capacity && left < 0)
        return err_set(err, ERR_INVALID, "--quota: together more than the capacity of %lld",
                       (long long)init->capacity);
    if (init->capacity)
        share_out(s, left);
    for (uint32_t i = 0; i < s->n && !init->capacity; i++)
        if (!s->at[i].given)
            s->at[i].quota = (int64_t)((s->at[i].work * unit / 1000 + span - 1) / span);
    return 0;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

enum { NAME_MAX_BYTES = 63 };

/* A tenant as the name of an object: lower case letters, digits and dashes. A Workload's tenant "namespace/queue" loses its namespace to the
 * mapping. */
static int name_queue(struct demands *s, uint32_t i, struct err *err)
{
    char name[NAME_MAX_BYTES + 16];
    const char *tenant = names_text(s->tenants, i + 1);
    size_t n = 0;

    for (const char *p = tenant; *p && n < NAME_MAX_BYTES - 12; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (good || n)
            name[n++] = good ? c : '-';
    }
    while (n && name[n - 1] == '-')
        n--;
    name[n] = 0;
    bool taken = n == 0;
    for (uint32_t k = 0; k < i && !taken; k++)
        taken = !strcmp(s->at[k].queue, name);
    if (taken)
        (void)snprintf(name + n, sizeof(name) - n, "%stenant-%u", n ? "-" : "", i + 1);
    s->at[i].queue = mem_strdup(name);
    return s->at[i].queue ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* ---- output ------------------------------------------------------------------------------------------------------------- */

static const char *resource_of(const struct demands *s)
{
    return s->parts ? "example.com/gpu-milli" : "nvidia.com/gpu";
}

static void print_queue(struct str *out, const struct demands *s, uint32_t i, enum replay_policy policy)
{
    const struct demand *d = &s->at[i];

    str_addf(out,
             "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: \"%s\"}\nspec:\n",
             d->queue);
    if (policy != POLICY_FIXED)
        str_add(out, "  cohortName: all\n");
    str_addf(out, "  namespaceSelector: {}\n  queueingStrategy: %s\n",
             policy == POLICY_FIXED || policy == POLICY_BORROWING ? "StrictFIFO" : "BestEffortFIFO");
    if (policy == POLICY_RECLAIM)
        str_add(out, "  preemption: {reclaimWithinCohort: Any}\n");
    str_addf(out,
             "  resourceGroups:\n  - coveredResources: [%s]\n    flavors:\n    - name: gpus\n      "
             "resources: [{name: "
             "%s, nominalQuota: \"%lld\"}]\n",
             resource_of(s), resource_of(s), (long long)d->quota);
    str_addf(out,
             "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: \"%s\", namespace: "
             "default}\n"
             "spec: {clusterQueue: \"%s\"}\n",
             d->queue, d->queue);
}

static void print_queues(struct str *out, const struct demands *s, const struct replay_init *init)
{
    str_addf(out, "# Queues for %s, made by `sluice replay --init`.\n", init->trace);
    str_add(out, "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: gpus}\n");
    for (uint32_t i = 0; i < s->n; i++)
        print_queue(out, s, i, init->policy);
}

static bool write_mapping(const struct demands *s, const char *path)
{
    struct str out;
    FILE *f = fopen(path, "wb");

    str_init(&out, 0);
    str_addf(&out, "resource: %s\nunitsPerGpu: %d\nnamespace: default\ntenants:\n", resource_of(s),
             s->parts ? 1000 : 1);
    for (uint32_t i = 0; i < s->n; i++) {
        str_add(&out, "  ");
        str_add_json(&out, names_text(s->tenants, i + 1));
        str_addf(&out, ": default/%s\n", s->at[i].queue);
    }
    bool good = f && !str_failed(&out) && fwrite(str_text(&out), 1, out.len, f) == out.len;
    if (f && fclose(f))
        good = false;
    str_free(&out);
    return good;
}

int replay_init(const struct replay_init *init, struct str *out)
{
    struct demands s = {.tenants = names_new(), .first = WHEN_NONE};
    struct err err = {0};
    int rc = s.tenants ? scan_trace(&s, init->trace, &err) : err_set(&err, ERR_NOMEM, "out of memory");

    if (!rc)
        rc = set_quotas(&s, init, &err);
    for (uint32_t i = 0; i < s.n && !rc; i++)
        rc = name_queue(&s, i, &err);
    if (!rc)
        print_queues(out, &s, init);
    if (!rc && init->mapping && !write_mapping(&s, init->mapping))
        rc = err_set(&err, ERR_IO, "%s: cannot be written", init->mapping);
    if (rc)
        (void)fprintf(stderr, "sluice replay: %s\n", err.text);
    for (uint32_t i = 0; i < s.n; i++)
        mem_free(s.at[i].queue);
    mem_free(s.at);
    if (s.tenants)
        names_free(s.tenants);
    return rc ? CLI_BAD_INPUT : CLI_OK;
}
