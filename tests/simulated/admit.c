#include "simulated/admit.h"

#include <string.h>

#define MAY ((struct answer){0})

static bool is_kind(const struct resource *r, const char *kind)
{
    return strcmp(r->kind, kind) == 0;
}

static const char *name_of(const struct val *object)
{
    return val_text(object, "metadata.name", "");
}

static bool condition(const struct val *object, const char *type)
{
    const struct val *c = val_find(val_path(object, "status.conditions"), "type", type);
    return strcmp(val_text(c, "status", ""), "True") == 0;
}

/* `object` with a field that was not there. */
static const struct val *dflt(struct arena *a, const struct val *object, const char *path, const char *json)
{
    return val_path(object, path) ? object : val_with_path(a, object, path, val_format(a, "%s", json));
}

/* ---- Job ---------------------------------------------------------------------------------------------------------------- */

/* The labels by which a Job finds its pods. */
static const struct val *own_labels(struct store *st, const struct val *object, const struct val *labels)
{
    static const char *const keys[][2] = {{"batch.kubernetes.io/controller-uid", "metadata.uid"},
                                          {"batch.kubernetes.io/job-name", "metadata.name"},
                                          {"controller-uid", "metadata.uid"},
                                          {"job-name", "metadata.name"}};
    for (size_t i = 0; i < 4; i++)
        labels = val_with(&st->a, labels, keys[i][0], val_str(&st->a, val_text(object, keys[i][1], "")));
    return labels;
}

static const struct val *default_job(struct store *st, const struct val *o)
{
    static const char *const fields[][2] = {
        {"spec.parallelism", "1"},
        {"spec.backoffLimit", "6"},
        {"spec.completionMode", "\"NonIndexed\""},
        {"spec.suspend", "false"},
        {"spec.podReplacementPolicy", "\"TerminatingOrFailed\""},
        {"spec.manualSelector", "false"},
        {"spec.template.spec.dnsPolicy", "\"ClusterFirst\""},
        {"spec.template.spec.schedulerName", "\"default-scheduler\""},
        {"spec.template.spec.securityContext", "{}"},
        {"spec.template.spec.terminationGracePeriodSeconds", "30"},
        {"status", "{}"},
    };
    struct arena *a = &st->a;
    if (!val_path(o, "spec.completions") && !val_path(o, "spec.parallelism"))
        o = val_with_path(a, o, "spec.completions", val_int(a, 1));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        o = dflt(a, o, fields[i][0], fields[i][1]);
    const struct val *labels = val_path(o, "spec.template.metadata.labels");
    labels = own_labels(st, o, labels);
    o = val_with_path(a, o, "spec.template.metadata.labels", labels);
    if (!val_path(o, "metadata.labels"))
        o = val_with_path(a, o, "metadata.labels", labels);
    return val_with_path(a, o, "spec.selector",
                         val_format(a, "{\"matchLabels\":{\"batch.kubernetes.io/controller-uid\":\"%s\"}}",
                                    val_text(o, "metadata.uid", "")));
}

/* A template without what may change while a Job is suspended (4.2). */
static const struct val *fixed_part(struct arena *a, const struct val *template)
{
    static const char *const paths[] = {"metadata.labels",      "metadata.annotations",
                                        "spec.nodeSelector",    "spec.tolerations",
                                        "spec.schedulingGates", "spec.affinity.nodeAffinity"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        template = val_with_path(a, template, paths[i], NULL);
    for (int i = 0; i < 2; i++) {
        const char *path = i ? "spec.initContainers" : "spec.containers";
        const struct val *list = val_path(template, path), *without = val_list();
        for (uint32_t k = 0; list && k < list->n; k++)
            without = val_push(a, without, val_with(a, list->m[k].v, "resources", NULL));
        if (list)
            template = val_with_path(a, template, path, without);
    }
    const struct val *metadata = val_get(template, "metadata"),
                     *affinity = val_path(template, "spec.affinity");
    if (!metadata || metadata->n == 0)
        template = val_with(a, template, "metadata", NULL);
    if (affinity && affinity->n == 0)
        template = val_with_path(a, template, "spec.affinity", NULL);
    return template;
}

static bool template_may_change(const struct val *job)
{
    return val_true(job, "spec.suspend") && val_number(job, "status.active", 0) == 0 &&
           (!val_path(job, "status.startTime") || condition(job, "Suspended"));
}

static struct answer check_job(struct store *st, const struct resource *r, const struct val *before,
                               const struct val *after)
{
    static const char *const fixed[] = {"selector", "completionMode", "podFailurePolicy", "managedBy"};
    const struct val *old = val_get(before, "spec"), *new = val_get(after, "spec");
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (!val_equal(val_get(old, fixed[i]), val_get(new, fixed[i])))
            return refuse_invalid(st, r, name_of(before), val_printf(&st->a, "spec.%s", fixed[i]),
                                  "FieldValueInvalid", "Invalid value: field is immutable");
    if (!val_equal(val_get(old, "completions"), val_get(new, "completions")) &&
        strcmp(val_text(old, "completionMode", ""), "Indexed") != 0)
        return refuse_invalid(st, r, name_of(before), "spec.completions", "FieldValueInvalid",
                              "Invalid value: field is immutable");
    const struct val *a = val_get(old, "template"), *b = val_get(new, "template");
    if (val_equal(a, b))
        return MAY;
    if (!template_may_change(before) || !val_equal(fixed_part(&st->a, a), fixed_part(&st->a, b)))
        return refuse_invalid(st, r, name_of(before), "spec.template", "FieldValueInvalid",
                              "Invalid value: field is immutable");
    return MAY;
}

/* A status may lose its start only while nothing runs (4.2). */
static struct answer check_job_status(struct store *st, const struct resource *r, const struct val *before,
                                      const struct val *after)
{
    if (val_path(before, "status.startTime") && !val_path(after, "status.startTime") &&
        !val_true(before, "spec.suspend"))
        return refuse_invalid(st, r, name_of(before), "status.startTime", "FieldValueRequired",
                              "Required value: startTime cannot be removed for unsuspended job");
    return MAY;
}

/* ---- Workload ----------------------------------------------------------------------------------------------------------- */

static const struct val *default_workload(struct store *st, const struct val *o)
{
    struct arena *a = &st->a;
    o = dflt(a, o, "spec.active", "true");
    const struct val *sets = val_path(o, "spec.podSets"), *out = val_list();
    for (uint32_t i = 0; sets && i < sets->n; i++)
        out = val_push(a, out, dflt(a, dflt(a, sets->m[i].v, "name", "\"main\""), "count", "1"));
    return sets ? val_with_path(a, o, "spec.podSets", out) : o;
}

static struct answer check_workload(struct store *st, const struct resource *r, const struct val *before,
                                    const struct val *after)
{
    bool was = condition(before, "QuotaReserved"), is = condition(after, "QuotaReserved");
    const struct val *had = val_path(before, "status.admission"), *has = val_path(after, "status.admission");
    const struct val *sets = val_path(after, "spec.podSets"), *given = val_get(has, "podSetAssignments");
    if (is && !has && !(was && !had))
        return refuse_invalid(st, r, name_of(before), "status.admission", "FieldValueForbidden",
                              "Forbidden: must be set while the QuotaReserved condition is true");
    if (is && has && (given ? given->n : 0) != (sets ? sets->n : 0))
        return refuse_invalid(
            st, r, name_of(before), "status", "FieldValueInvalid",
            "Invalid value: podSetAssignments must have the same number of podSets as the spec");
    if (had && has && !val_equal(had, has))
        return refuse_invalid(st, r, name_of(before), "status.admission", "FieldValueInvalid",
                              "Invalid value: field is immutable");
    if (was && !val_equal(val_path(before, "spec.podSets"), sets))
        return refuse_invalid(st, r, name_of(before), "spec.podSets", "FieldValueInvalid",
                              "Invalid value: field is immutable");
    if (was && is && !val_equal(val_path(before, "spec.queueName"), val_path(after, "spec.queueName")))
        return refuse_invalid(st, r, name_of(before), "spec.queueName", "FieldValueInvalid",
                              "Invalid value: field is immutable while admitted");
    return MAY;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

const struct val *admit_create(struct store *st, const struct resource *r, const struct val *o)
{
    struct arena *a = &st->a;
    if (is_kind(r, "Job"))
        return default_job(st, o);
    if (is_kind(r, "Workload"))
        return default_workload(st, o);
    if (is_kind(r, "ClusterQueue")) {
        o = dflt(a, o, "spec.queueingStrategy", "\"BestEffortFIFO\"");
        o = dflt(a, o, "spec.stopPolicy", "\"None\"");
        o = dflt(a, o, "spec.preemption.reclaimWithinCohort", "\"Never\"");
        o = dflt(a, o, "spec.preemption.withinClusterQueue", "\"Never\"");
        o = dflt(a, o, "spec.preemption.borrowWithinCohort.policy", "\"Never\"");
        o = dflt(a, o, "spec.flavorFungibility.whenCanBorrow", "\"MayStopSearch\"");
        return dflt(a, o, "spec.flavorFungibility.whenCanPreempt", "\"TryNextFlavor\"");
    }
    if (is_kind(r, "LocalQueue"))
        return dflt(a, o, "spec.stopPolicy", "\"None\"");
    return o;
}

static struct answer check_event(struct store *st, const struct resource *r, const struct val *o)
{
    static const char *const needed[] = {
        "eventTime", "reportingController", "reportingInstance", "action", "reason", "type"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!*val_text(o, needed[i], ""))
            return refuse_invalid(st, r, name_of(o), needed[i], "FieldValueRequired", "Required value");
    if (strlen(val_text(o, "note", "")) > 1024)
        return refuse_invalid(st, r, name_of(o), "note", "FieldValueInvalid",
                              "Invalid value: can have at most 1024 bytes");
    return MAY;
}

static struct answer check_lease(struct store *st, const struct resource *r, const struct val *o)
{
    const struct val *d = val_path(o, "spec.leaseDurationSeconds");
    if (d && val_number(o, "spec.leaseDurationSeconds", 0) <= 0)
        return refuse_invalid(st, r, name_of(o), "spec.leaseDurationSeconds", "FieldValueInvalid",
                              "Invalid value: must be greater than 0");
    if (val_path(o, "spec.leaseTransitions") && val_number(o, "spec.leaseTransitions", 0) < 0)
        return refuse_invalid(st, r, name_of(o), "spec.leaseTransitions", "FieldValueInvalid",
                              "Invalid value: must be greater than or equal to 0");
    return MAY;
}

struct answer admit_check_create(struct store *st, const struct resource *r, const struct val *o)
{
    if (is_kind(r, "Event") && *r->group)
        return check_event(st, r, o);
    if (is_kind(r, "Lease"))
        return check_lease(st, r, o);
    if (is_kind(r, "Job") && !val_path(o, "spec.template.spec.containers"))
        return refuse_invalid(st, r, name_of(o), "spec.template.spec.containers", "FieldValueRequired",
                              "Required value");
    return MAY;
}

struct answer admit_check_update(struct store *st, const struct resource *r, const char *sub,
                                 const struct val *before, const struct val *after)
{
    if (is_kind(r, "Job"))
        return sub ? check_job_status(st, r, before, after) : check_job(st, r, before, after);
    if (is_kind(r, "Workload"))
        return check_workload(st, r, before, after);
    if (is_kind(r, "Lease"))
        return check_lease(st, r, after);
    return MAY;
}
