#include "kube/policies.h"

#include "jobs/kind.h"
#include "kube/policies_priv.h"

#include <string.h>

#define MUTATING "MutatingAdmissionPolicy"
#define VALIDATING "ValidatingAdmissionPolicy"
#define LABEL_QUEUE KUEUE "queue-name"
#define LABEL_CLASS KUEUE "priority-class"
#define OWN_NAMESPACE "kueue-system" /* where the controller lives when the Configuration does not say */

/* The kinds that have policies. All of them are held by spec.suspend. */
static const struct kind {
    const char *framework, *group, *version, *resource;
} kinds[] = {
    {"batch/job", "batch", "v1", "jobs"},
    {"jobset.x-k8s.io/jobset", "jobset.x-k8s.io", "v1alpha2", "jobsets"},
};

struct renderer {
    const struct policies_input *in;
    policies_fn *fn;
    void *ctx;
    struct str body, document; /* what stands below the metadata; all of it */
    int rc;
};

/* ---- pieces of YAML ------------------------------------------------------------------------------------------------------- */

static void put_lines(struct str *s, int indent, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        str_addf(s, "%*s", indent, "");
        str_addn(s, text, n);
        str_addc(s, '\n');
        text += n;
        text += *text == '\n';
    }
}

/* A key with CEL as a literal block; `first` begins the item of a list. */
static void put_cel(struct str *s, int indent, bool first, const char *key, const char *cel)
{
    str_addf(s, "%*s%s%s: |-\n", first ? indent - 2 : indent, "", first ? "- " : "", key);
    put_lines(s, indent + 2, cel);
}

static bool framework_on(const struct renderer *r, const char *name)
{
    const struct settings *s = r->in->settings;

    for (uint32_t i = 0; i < s->nframeworks; i++) {
        if (strcmp(s->frameworks[i], name) == 0)
            return true;
    }
    return false;
}

static bool kind_wanted(const struct renderer *r, const struct kind *k, const char *only)
{
    return framework_on(r, k->framework) && (!only || strcmp(only, k->framework) == 0);
}

/* Are there jobs that a policy for `only` (NULL = all) would be about? */
static bool kinds_wanted(const struct renderer *r, const char *only)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kind_wanted(r, &kinds[i], only))
            return true;
    }
    return false;
}

static void put_expression(struct str *s, const struct fact_expr *e)
{
    static const char *const names[] = {
        [SEL_IN] = "In", [SEL_NOT_IN] = "NotIn", [SEL_EXISTS] = "Exists", [SEL_NOT_EXISTS] = "DoesNotExist"};

    str_add(s, "      - key: ");
    str_add_json(s, e->key);
    str_addf(s, "\n        operator: %s\n", names[e->op]);
    if (!e->nvalues)
        return;
    str_add(s, "        values: [");
    for (uint32_t i = 0; i < e->nvalues; i++) {
        str_add(s, i ? ", " : "");
        str_add_json(s, e->values[i]);
    }
    str_add(s, "]\n");
}

/* The namespaces whose jobs are managed, or (`all`) all but the system's and our own, as Kueue's webhooks have it (around.md 3). */
static void put_namespaces(struct renderer *r, bool all)
{
    const struct settings *s = r->in->settings;
    const char *const none[] = {"kube-system", *s->ns ? s->ns : OWN_NAMESPACE};
    const struct fact_expr others = {
        .key = "kubernetes.io/metadata.name", .op = SEL_NOT_IN, .values = none, .nvalues = 2};

    if (!all && !s->job_namespaces.nexprs)
        return;
    str_add(&r->body, "    namespaceSelector:\n      matchExpressions:\n");
    if (all)
        put_expression(&r->body, &others);
    for (uint32_t i = 0; !all && i < s->job_namespaces.nexprs; i++)
        put_expression(&r->body, &s->job_namespaces.exprs[i]);
}

/* matchConstraints: which requests. */
static void put_match(struct renderer *r, const char *only, const char *operations, bool all_namespaces)
{
    str_add(&r->body, "  matchConstraints:\n    matchPolicy: Equivalent\n");
    put_namespaces(r, all_namespaces);
    str_add(&r->body, "    resourceRules:\n");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct kind *k = &kinds[i];
        if (!kind_wanted(r, k, only))
            continue;
        str_addf(
            &r->body,
            "    - apiGroups: [%s]\n      apiVersions: [%s]\n      operations: [%s]\n      resources: [%s]\n"
            "      scope: Namespaced\n",
            k->group, k->version, operations, k->resource);
    }
}

static void put_param(struct renderer *r, const char *kind)
{
    str_addf(&r->body, "  failurePolicy: %s\n", kind ? "Ignore" : "Fail");
    if (kind)
        str_addf(&r->body, "  paramKind:\n    apiVersion: kueue.x-k8s.io/v1beta2\n    kind: %s\n", kind);
}

static void put_condition(struct renderer *r, const char *name, const char *cel)
{
    str_addf(&r->body, "  - name: %s\n", name);
    put_cel(&r->body, 4, false, "expression", cel);
}

/* ---- documents ------------------------------------------------------------------------------------------------------------ */

static void put_head(struct renderer *r, const char *kind, bool binding, const char *name, const char *about,
                     const char *digest)
{
    struct str *d = &r->document;

    if (about)
        str_addf(d, "# %s\n", about);
    str_addf(d, "apiVersion: admissionregistration.k8s.io/v1\nkind: %s%s\nmetadata:\n  name: %s\n", kind,
             binding ? "Binding" : "", name);
    str_add(d, "  labels:\n    app.kubernetes.io/name: sluice\n    app.kubernetes.io/component: policies\n");
    str_addf(d, "  annotations:\n    " POLICY_DIGEST_ANNOTATION ": %s\nspec:\n", digest);
    str_addn(d, str_text(&r->body), r->body.len);
}

static const char *resource_of(const char *kind, bool binding)
{
    if (strcmp(kind, MUTATING) == 0)
        return binding ? "mutatingadmissionpolicybindings" : "mutatingadmissionpolicies";
    return binding ? "validatingadmissionpolicybindings" : "validatingadmissionpolicies";
}

/* Hands over what stands in r->body, and clears it. */
static void emit(struct renderer *r, const char *kind, bool binding, const char *name, const char *about)
{
    char digest[SHA1_HEX + 1];

    sha1_hex(str_text(&r->body), r->body.len, digest);
    put_head(r, kind, binding, name, about, digest);
    if (str_failed(&r->body) || str_failed(&r->document))
        r->rc = ERR_NOMEM;
    if (!r->rc) {
        struct policies_object o = {
            .resource = resource_of(kind, binding), .name = name, .digest = digest, .yaml = &r->document};
        r->rc = r->fn(r->ctx, &o);
    }
    str_clear(&r->body);
    str_clear(&r->document);
}

static void emit_binding(struct renderer *r, const char *kind, const char *name, bool param,
                         const char *actions)
{
    str_addf(&r->body, "  policyName: %s\n", name);
    if (param)
        str_add(&r->body, "  paramRef:\n    name: default\n    parameterNotFoundAction: Allow\n");
    if (actions)
        str_addf(&r->body, "  validationActions: [%s]\n", actions);
    emit(r, kind, true, name, NULL);
}

/* ---- owners --------------------------------------------------------------------------------------------------------------- */

enum { OWNER_LINE = 96 }; /* the list goes on in a new line after so many characters */

/* "Kind.version.group" as "group/Kind"; the core group is empty. */
static void put_owner(struct str *s, const char *gvk)
{
    const char *version = strchr(gvk, '.'), *group = version ? strchr(version + 1, '.') : NULL;
    struct str name;

    str_init(&name, 512);
    str_addf(&name, "%s/%.*s", group ? group + 1 : "", version ? (int)(version - gvk) : (int)strlen(gvk),
             gvk);
    str_add(s, s->len ? "," : "");
    str_add(s, s->len && s->len / OWNER_LINE != (s->len + name.len) / OWNER_LINE ? "\n   "
               : s->len                                                          ? " "
                                                                                 : "");
    str_add_json(s, str_text(&name));
    str_free(&name);
}

/* CEL: one of the kinds that have an integration controls the job. `enabled`: only those that the Configuration switches on, which is
 * what defaults ask (Kueue's IsOwnerManagedByKueue); else all, as the walk to the ancestor (around.md 2.1.2) goes through all. Then a job
 * with such an owner is not suspended here, even where the owner turns out to be in no queue: the controller does it. */
static void put_has_owner(struct renderer *r, struct str *s, bool enabled)
{
    const struct settings *set = r->in->settings;
    const char *gvk, *name;
    struct str list;

    str_init(&list, 0);
    for (uint32_t i = 0; (name = settings_framework(i, &gvk)); i++) {
        if (!enabled || framework_on(r, name))
            put_owner(&list, gvk);
    }
    if (!enabled)
        put_owner(&list, "ReplicaSet.v1.apps");
    for (uint32_t i = 0; i < set->nexternal; i++)
        put_owner(&list, set->external[i]);
    str_addf(s,
             "object.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false) &&\n"
             "  (o.apiVersion.contains(\"/\") ? o.apiVersion.split(\"/\")[0] : \"\") + \"/\" + o.kind in\n"
             "  [%s])",
             str_text(&list));
    if (str_failed(&list))
        r->rc = ERR_NOMEM;
    str_free(&list);
}

static void put_no_owner(struct renderer *r, bool enabled)
{
    struct str cel;

    str_init(&cel, 0);
    str_add(&cel, "!");
    put_has_owner(r, &cel, enabled);
    put_condition(r, "no-owner-that-is-managed", str_text(&cel));
    if (str_failed(&cel))
        r->rc = ERR_NOMEM;
    str_free(&cel);
}

/* ---- defaults (around.md 3.1) ----------------------------------------------------------------------------------------------- */

#define SET_SUSPEND "JSONPatch{op: \"add\", path: \"/spec/suspend\", value: true}"
/* The label becomes part of a map that may not be there. */
#define SET_LABEL(key, value)                                                                                \
    "(has(object.metadata.labels) ?\n"                                                                       \
    "  [JSONPatch{op: \"add\", path: \"/metadata/labels/\" + jsonpatch.escapeKey(\"" key                     \
    "\"), value: \"" value "\"}] :\n"                                                                        \
    "  [JSONPatch{op: \"add\", path: \"/metadata/labels\", value: {\"" key "\": \"" value "\"}}])"
#define QUEUE_TEXT "object.metadata.?labels[?\"" LABEL_QUEUE "\"].orValue(\"\")"
#define CLASS_TEXT "object.metadata.?labels[?\"" LABEL_CLASS "\"].orValue(\"\")"
#define RUNS "has(object.spec) && !object.spec.?suspend.orValue(false)"

static void put_mutation(struct renderer *r, const char *cel)
{
    str_add(&r->body,
            "  reinvocationPolicy: Never\n  mutations:\n  - patchType: JSONPatch\n    jsonPatch:\n");
    put_cel(&r->body, 6, false, "expression", cel);
}

/* D3 and, with `every`, D4: jobs are created suspended. */
static void suspend_policy(struct renderer *r, const char *name, bool every)
{
    put_match(r, NULL, "CREATE", false);
    put_param(r, NULL);
    str_add(&r->body, "  matchConditions:\n");
    put_condition(r, "runs", RUNS);
    if (!every)
        put_condition(r, "has-a-queue", QUEUE_TEXT " != \"\"");
    put_no_owner(r, false);
    put_mutation(r, "[" SET_SUSPEND "]");
    emit(r, MUTATING, false, name,
         every ? "Jobs without a queue are created suspended as well (manageJobsWithoutQueueName)."
               : "Jobs with a queue are created suspended.");
    emit_binding(r, MUTATING, name, false, NULL);
}

/* D1. The job gets suspended here as well, so that the order of the policies does not matter. */
static void queue_policy(struct renderer *r)
{
    struct str cel;

    put_match(r, NULL, "CREATE", false);
    put_param(r, "LocalQueue");
    str_add(&r->body, "  matchConditions:\n");
    put_condition(r, "has-no-queue", "has(object.spec) && " QUEUE_TEXT " == \"\"");
    put_no_owner(r, true);
    str_init(&cel, 0);
    str_add(&cel, SET_LABEL(LABEL_QUEUE, "default") " +\n(");
    put_has_owner(r, &cel, false);
    str_add(&cel, " ?\n  [] : [" SET_SUSPEND "])");
    put_mutation(r, str_text(&cel));
    if (str_failed(&cel))
        r->rc = ERR_NOMEM;
    str_free(&cel);
    emit(r, MUTATING, false, "sluice-default-queue",
         "Jobs without a queue get the LocalQueue `default` of their namespace, if it has one.");
    emit_binding(r, MUTATING, "sluice-default-queue", true, NULL);
}

/* D2 */
static void class_policy(struct renderer *r)
{
    put_match(r, NULL, "CREATE", true);
    put_param(r, "WorkloadPriorityClass");
    str_add(&r->body, "  matchConditions:\n");
    put_condition(r, "has-no-class", CLASS_TEXT " == \"\"");
    put_no_owner(r, true);
    put_mutation(r, SET_LABEL(LABEL_CLASS, "default"));
    emit(r, MUTATING, false, "sluice-default-priority-class",
         "Jobs without a class get the WorkloadPriorityClass `default`, if there is one.");
    emit_binding(r, MUTATING, "sluice-default-priority-class", true, NULL);
}

static void mutating_policies(struct renderer *r)
{
    const struct settings *s = r->in->settings;

    if (!kinds_wanted(r, NULL))
        return;
    if (!s->job_namespaces.is_null) {
        suspend_policy(r, "sluice-suspend", false);
        if (s->manage_jobs_without_queue)
            suspend_policy(r, "sluice-suspend-all", true);
        queue_policy(r);
    }
    if (gate_named(r->in->gates, "WorkloadPriorityClassDefaulting"))
        class_policy(r);
}

/* Where nothing can suspend a job at its creation, who creates one that runs is told. Refusing it would break manifests that work with
 * Kueue; the controller stops it soon after. */
static void warning_policy(struct renderer *r)
{
    const struct settings *s = r->in->settings;

    if (s->job_namespaces.is_null || !kinds_wanted(r, NULL))
        return;
    put_match(r, NULL, "CREATE", false);
    put_param(r, NULL);
    str_add(&r->body, "  matchConditions:\n");
    if (!s->manage_jobs_without_queue)
        put_condition(r, "has-a-queue", QUEUE_TEXT " != \"\"");
    put_no_owner(r, false);
    str_add(&r->body, "  validations:\n");
    put_cel(&r->body, 4, true, "expression", "object.?spec.?suspend.orValue(false) == true");
    str_add(&r->body,
            "    message: \"spec.suspend: Invalid value: false: a job in a queue starts suspended: it "
            "may run for a moment before it is held back\"\n");
    emit(r, VALIDATING, false, "sluice-suspended",
         "Whoever creates a job in a queue that is not suspended is warned.");
    emit_binding(r, VALIDATING, "sluice-suspended", false, "Warn");
}

/* ---- rules (around.md 3.2) --------------------------------------------------------------------------------------------------- */

static bool gate_holds(const struct renderer *r, const char *gate, bool off)
{
    return !gate || gate_named(r->in->gates, gate) != off;
}

/* The message as CEL: field, kind, value, detail. JSON's string literals are CEL's. */
static void put_message_cel(struct str *s, const struct policy_rule *q)
{
    const char *quote = q->bare ? "" : "\"", *detail = q->detail_cel ? "" : q->detail;
    struct str text;

    str_init(&text, 0);
    str_addf(&text, "%s: %s: %s", q->field, q->kind, q->value ? quote : detail);
    str_add(s, q->each ? "variables.at[i] + " : "");
    str_add_json(s, str_text(&text));
    if (q->value) {
        str_addf(s, " +\n  %s +\n  ", q->value);
        str_clear(&text);
        str_addf(&text, "%s: %s", quote, detail);
        str_add_json(s, str_text(&text));
    }
    if (q->detail_cel)
        str_addf(s, " +\n  %s", q->detail_cel);
    if (str_failed(&text))
        s->failed = true;
    str_free(&text);
}

static void put_rule(struct renderer *r, const struct policy_rule *q)
{
    struct str cel, text;

    str_init(&cel, 0);
    str_init(&text, 0);
    if (q->each)
        str_addf(&cel, "!variables.all.exists(i,\n  %s)", q->cel);
    else
        str_add(&cel, q->cel);
    put_cel(&r->body, 4, true, "expression", str_text(&cel));
    /* Stands alone where the other cannot be made: a value with a line break, or a very long one. */
    str_addf(&text, "%s%s: %s: %s", q->each ? "pod template annotations" : "", q->field, q->kind, q->detail);
    str_add(&r->body, "    message: ");
    str_add_json(&r->body, str_text(&text));
    str_addc(&r->body, '\n');
    if (q->each || q->value || q->detail_cel) {
        str_clear(&cel);
        if (q->each)
            str_addf(&cel, "variables.all.filter(i,\n  %s).map(i,\n  ", q->cel);
        put_message_cel(&cel, q);
        str_add(&cel, q->each ? ")[0]" : "");
        put_cel(&r->body, 4, false, "messageExpression", str_text(&cel));
    }
    if (str_failed(&cel) || str_failed(&text))
        r->rc = ERR_NOMEM;
    str_free(&cel);
    str_free(&text);
}

static void put_variables(struct renderer *r, const struct policy_variable *v)
{
    if (!v->name)
        return;
    str_add(&r->body, "  variables:\n");
    for (; v->name; v++) {
        if (!gate_holds(r, v->gate, v->off))
            continue;
        str_addf(&r->body, "  - name: %s\n", v->name);
        put_cel(&r->body, 4, false, "expression", v->cel);
    }
}

static void rules_policy(struct renderer *r, const struct policy_rules *p)
{
    if (!kinds_wanted(r, p->framework) || !gate_holds(r, p->gate, false))
        return;
    put_match(r, p->framework, p->on_create ? "CREATE, UPDATE" : "UPDATE", true);
    put_param(r, p->for_default_queue ? "LocalQueue" : NULL);
    str_add(&r->body, "  matchConditions:\n");
    put_condition(r, "concerns-us", p->when);
    put_variables(r, p->variables);
    str_add(&r->body, "  validations:\n");
    for (const struct policy_rule *q = p->rules; q->cel; q++) {
        if (gate_holds(r, q->gate, q->off))
            put_rule(r, q);
    }
    emit(r, VALIDATING, false, p->name, p->about);
    emit_binding(r, VALIDATING, p->name, p->for_default_queue, "Deny");
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------- */

int policies_each(const struct policies_input *in, policies_fn *fn, void *ctx, struct err *err)
{
    struct renderer r = {.in = in, .fn = fn, .ctx = ctx};

    str_init(&r.body, 0);
    str_init(&r.document, 0);
    if (in->without_mutating)
        warning_policy(&r);
    else
        mutating_policies(&r);
    for (const struct policy_rules *p = policy_rules; p->name && !r.rc; p++)
        rules_policy(&r, p);
    str_free(&r.body);
    str_free(&r.document);
    return r.rc == ERR_NOMEM ? err_set(err, ERR_NOMEM, "out of memory") : r.rc;
}

static int append(void *ctx, const struct policies_object *o)
{
    struct str *out = ctx;

    if (out->len)
        str_add(out, "---\n");
    str_addn(out, str_text(o->yaml), o->yaml->len);
    return str_failed(out) ? ERR_NOMEM : 0;
}

int policies_yaml(const struct policies_input *in, struct str *out, struct err *err)
{
    return policies_each(in, append, out, err);
}
