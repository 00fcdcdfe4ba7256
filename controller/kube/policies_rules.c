#include "kube/policies_priv.h"

#include <stddef.h>

/* around.md 3.2 in CEL. Texts are Kueue's. What the recorded tables of Kueue's webhooks refuse must be refused under the same field, and what
 * they accept must pass: tests/deploy runs them. */

#define QUEUE "\"" KUEUE "queue-name\""
#define CLASS "\"" KUEUE "priority-class\""
#define LIMIT "\"" KUEUE "max-exec-time-seconds\""
#define PREBUILT "\"" KUEUE "prebuilt-workload-name\""
#define ELASTIC "\"" KUEUE "elastic-job\""
#define GATES "\"" KUEUE "admission-gated-by\""
#define LEAST "\"" KUEUE "job-min-parallelism\""
#define SYNC "\"" KUEUE "job-completions-equal-parallelism\""

#define LABEL(key) "metadata.labels[" KUEUE key "]"
#define ANNOTATION(key) "metadata.annotations[" KUEUE key "]"

#define INVALID "Invalid value"
#define FORBIDDEN "Forbidden"
#define REQUIRED "Required value"
#define IMMUTABLE "field is immutable"

#define DNS "r\"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$\""
#define DNS_TEXT                                                                                             \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "    \
    "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "   \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define INTEGER "r\"^[+-]?[0-9]{1,18}$\""

/* Names without metadata come from these variables, for the object and the one before. */
#define LABELS_OF(object) object ".metadata.?labels.orValue({})"
#define ANNOTATIONS_OF(object) object ".metadata.?annotations.orValue({})"
/* A Job whose stop is half done is not suspended yet (around.md 1.2.2). */
#define SUSPENDED(object)                                                                                    \
    object ".spec.?suspend.orValue(false) &&\n  " ANNOTATIONS_OF(                                            \
        object) "[?\"" KUEUE "stopping\"].orValue(\"\") != \"true\""

#define METADATA_VARIABLES                                                                                   \
    {"labels", LABELS_OF("object"), NULL, false}, {"annotations", ANNOTATIONS_OF("object"), NULL, false},    \
        {"oldLabels", "oldObject == null ? {} : " LABELS_OF("oldObject"), NULL, false},                      \
        {"oldAnnotations", "oldObject == null ? {} : " ANNOTATIONS_OF("oldObject"), NULL, false},            \
    {                                                                                                        \
        "update", "oldObject != null", NULL, false                                                           \
    }

/* ---- all kinds: J1 to J9 ------------------------------------------------------------------------------------------------ */

/* Labels and annotations decide, so an update that leaves them alone is not looked at: starting and stopping a job costs the API server
 * nothing here, and what was stored before the policies came stays usable. */
#define ABOUT_METADATA                                                                                       \
    "(oldObject == null ||\n"                                                                                \
    "  " LABELS_OF("object") " != " LABELS_OF(                                                               \
        "oldObject") " ||\n"                                                                                 \
                     "  " ANNOTATIONS_OF("object") " != " ANNOTATIONS_OF(                                    \
                         "oldObject") ") &&\n"                                                               \
                                      "!has(object.metadata.deletionTimestamp) &&\n"                         \
                                      "[object, oldObject == null ? object : oldObject].exists(o,\n"         \
                                      "  " LABELS_OF("o") ".exists(k, k.startsWith(\"" KUEUE "\")) ||\n"     \
                                                          "  " ANNOTATIONS_OF(                               \
                                                              "o") ".exists(k, k.startsWith(\"" KUEUE        \
                                                                   "\")))"

static const struct policy_variable job_variables[] = {
    METADATA_VARIABLES,
    {"suspended", SUSPENDED("object"), NULL, false},
    {"wasSuspended", "oldObject == null ||\n" SUSPENDED("oldObject"), NULL, false},
    {"queue", "variables.labels[?" QUEUE "].orValue(\"\")", NULL, false},
    {"oldQueue", "variables.oldLabels[?" QUEUE "].orValue(\"\")", NULL, false},
    {"class", "variables.labels[?" CLASS "].orValue(\"\")", NULL, false},
    {"oldClass", "variables.oldLabels[?" CLASS "].orValue(\"\")", NULL, false},
    {"limit", "variables.labels[?" LIMIT "].orValue(\"\")", NULL, false},
    {"byAnnotation", PREBUILT " in variables.annotations", "WorkloadIdentifierAnnotations", false},
    {"prebuilt",
     "variables.annotations[?" PREBUILT "].orValue(\n  variables.labels[?" PREBUILT "].orValue(\"\"))",
     "WorkloadIdentifierAnnotations", false},
    {"oldPrebuilt",
     "variables.oldAnnotations[?" PREBUILT "].orValue(\n  variables.oldLabels[?" PREBUILT "].orValue(\"\"))",
     "WorkloadIdentifierAnnotations", false},
    {"byAnnotation",
     "!(" PREBUILT " in variables.labels) &&\n  variables.annotations[?" PREBUILT
     "].orValue(\"\").size() > 63",
     "WorkloadIdentifierAnnotations", true},
    {"prebuilt",
     "variables.byAnnotation ? variables.annotations[" PREBUILT "] : variables.labels[?" PREBUILT
     "].orValue(\"\")",
     "WorkloadIdentifierAnnotations", true},
    {"oldPrebuilt",
     "variables.oldLabels[?" PREBUILT "].orValue(\n  variables.oldAnnotations[?" PREBUILT
     "].orValue(\"\").size() > 63 ? variables.oldAnnotations[" PREBUILT "] : \"\")",
     "WorkloadIdentifierAnnotations", true},
    {"elastic", "variables.annotations[?" ELASTIC "].orValue(\"\")", "ElasticJobsViaWorkloadSlices", false},
    {"gatedBy", "variables.annotations[?" GATES "].orValue(\"\")", "AdmissionGatedBy", false},
    {"oldGatedBy", "variables.oldAnnotations[?" GATES "].orValue(\"\")", "AdmissionGatedBy", false},
    {"gates", "variables.gatedBy == \"\" ? [] : variables.gatedBy.split(\",\").map(g, g.trim())",
     "AdmissionGatedBy", false},
    {"oldGates", "variables.oldGatedBy.split(\",\").map(g, g.trim())", "AdmissionGatedBy", false},
    {NULL, NULL, NULL, false},
};

/* What is wrong with a gate; each is asked only about gates that the ones before it pass. */
#define GATE_FORM(g) g ".matches(r\"^[^/]+/.+$\")"
#define GATE_HOST(g) g ".substring(0, " g ".indexOf(\"/\"))"
#define GATE_PATH(g) g ".substring(" g ".indexOf(\"/\") + 1)"
#define GATE_BAD_HOST(g) GATE_FORM(g) " && !(" GATE_HOST(g) ".matches(" DNS "))"
#define GATE_BAD_PATH(g)                                                                                     \
    GATE_FORM(g) " && !(" GATE_PATH(g) ".matches(r\"^[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+$\"))"

static const struct policy_rule job_rules[] = {
    /* J1 */
    {.cel = "!(" QUEUE " in variables.labels) ||\n  variables.queue.matches(" DNS ")",
     .field = LABEL("queue-name"),
     .kind = INVALID,
     .value = "variables.queue",
     .detail = DNS_TEXT},
    /* J2 */
    {.cel = "variables.byAnnotation ||\n  !(" PREBUILT
            " in variables.labels) ||\n  variables.prebuilt.matches(" DNS ")",
     .field = LABEL("prebuilt-workload-name"),
     .kind = INVALID,
     .value = "variables.prebuilt",
     .detail = DNS_TEXT},
    {.cel =
         "!variables.byAnnotation ||\n  variables.prebuilt.size() <= 253 && variables.prebuilt.matches(" DNS
         ")",
     .field = ANNOTATION("prebuilt-workload-name"),
     .kind = INVALID,
     .value = "variables.prebuilt",
     .detail = DNS_TEXT},
    /* J3 */
    {.cel = "!(" LIMIT " in variables.labels) || variables.limit.matches(" INTEGER ")",
     .field = LABEL("max-exec-time-seconds"),
     .kind = INVALID,
     .value = "variables.limit",
     .detail = "must be an integer",
     .detail_cel = "\"strconv.Atoi: parsing \\\"\" + variables.limit + \"\\\": invalid syntax\""},
    {.cel = "!variables.limit.matches(" INTEGER ") || int(variables.limit) > 0",
     .field = LABEL("max-exec-time-seconds"),
     .kind = INVALID,
     .value = "variables.limit",
     .bare = true,
     .detail = "should be greater than 0"},
    {.cel = "variables.suspended && variables.wasSuspended || !variables.update ||\n"
            "  variables.limit == variables.oldLabels[?" LIMIT "].orValue(\"\")",
     .field = LABEL("max-exec-time-seconds"),
     .kind = INVALID,
     .value = "variables.limit",
     .detail = IMMUTABLE},
    /* J4 */
    {.gate = "ElasticJobsViaWorkloadSlices",
     .cel = "variables.elastic != \"true\" || request.kind.kind == \"Job\"",
     .field = ANNOTATION("elastic-job"),
     .kind = FORBIDDEN,
     .detail = "elastic jobs are not supported for this kind"},
    {.gate = "ElasticJobsViaWorkloadSlices",
     .cel = "!variables.update || variables.elastic == variables.oldAnnotations[?" ELASTIC "].orValue(\"\")",
     .field = ANNOTATION("elastic-job"),
     .kind = INVALID,
     .value = "variables.elastic",
     .detail = IMMUTABLE},
    /* J5 */
    {.gate = "AdmissionGatedBy",
     .cel = "!variables.gates.exists(g, g == \"\")",
     .field = ANNOTATION("admission-gated-by"),
     .kind = INVALID,
     .value = "variables.gatedBy",
     .detail = "cannot contain empty gate names"},
    {.gate = "AdmissionGatedBy",
     .cel = "!variables.gates.exists(g, g != \"\" && !" GATE_FORM("g") ")",
     .field = ANNOTATION("admission-gated-by"),
     .kind = INVALID,
     .value = "variables.gates.filter(g, !" GATE_FORM("g") ")[0]",
     .detail = "must be a domain-prefixed path (such as \"acme.io/foo\")"},
    {.gate = "AdmissionGatedBy",
     .cel = "!variables.gates.exists(g, " GATE_BAD_HOST("g") ")",
     .field = ANNOTATION("admission-gated-by"),
     .kind = INVALID,
     .value = "variables.gates.filter(g, " GATE_BAD_HOST("g") ").map(g, " GATE_HOST("g") ")[0]",
     .detail = DNS_TEXT},
    {.gate = "AdmissionGatedBy",
     .cel = "!variables.gates.exists(g, " GATE_BAD_PATH("g") ")",
     .field = ANNOTATION("admission-gated-by"),
     .kind = INVALID,
     .value = "variables.gates.filter(g, " GATE_BAD_PATH("g") ").map(g, " GATE_PATH("g") ")[0]",
     .detail = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"},
    {.gate = "AdmissionGatedBy",
     .cel = "variables.gates.all(g, g.size() <= 63)",
     .field = ANNOTATION("admission-gated-by"),
     .kind = "Too long",
     .detail = "may not be more than 63 bytes"},
    {.gate = "AdmissionGatedBy",
     .cel = "variables.gates.all(g, variables.gates.filter(o, o == g).size() == 1)",
     .field = ANNOTATION("admission-gated-by"),
     .kind = INVALID,
     .value = "variables.gatedBy",
     .detail = "duplicate gate name",
     .detail_cel = "\"duplicate gate name: \" +\n"
                   "  variables.gates.filter(g, variables.gates.filter(o, o == g).size() > 1)[0]"},
    {.gate = "AdmissionGatedBy",
     .cel = "!variables.update || variables.oldGatedBy != \"\" || variables.gatedBy == \"\"",
     .field = ANNOTATION("admission-gated-by"),
     .kind = FORBIDDEN,
     .detail = "cannot add admission gate after creation"},
    {.gate = "AdmissionGatedBy",
     .cel = "!variables.update || variables.oldGatedBy == \"\" ||\n"
            "  variables.gates.all(g, g in variables.oldGates)",
     .field = ANNOTATION("admission-gated-by"),
     .kind = FORBIDDEN,
     .detail = "can only remove gates, not add new ones"},
    /* J6 */
    {.cel = "!variables.update || variables.suspended || variables.queue == variables.oldQueue",
     .field = LABEL("queue-name"),
     .kind = INVALID,
     .value = "variables.queue",
     .detail = IMMUTABLE},
    /* J8 */
    {.cel = "variables.oldClass == \"\" || variables.class != \"\"",
     .field = LABEL("priority-class"),
     .kind = INVALID,
     .value = "variables.class",
     .detail = "WorkloadPriorityClass cannot be removed from a workload"},
    {.cel =
         "!variables.update || variables.suspended || variables.oldClass != \"\" || variables.class == \"\"",
     .field = LABEL("priority-class"),
     .kind = INVALID,
     .value = "variables.class",
     .detail = "WorkloadPriorityClass cannot be added to a non-suspended workload"},
    /* J9 */
    {.cel = "!variables.update || variables.suspended || variables.byAnnotation ||\n"
            "  variables.annotations[?" ELASTIC "].orValue(\"\") == \"true\" ||\n"
            "  variables.prebuilt == variables.oldPrebuilt",
     .field = LABEL("prebuilt-workload-name"),
     .kind = INVALID,
     .value = "variables.prebuilt",
     .detail = IMMUTABLE},
    {.cel = "!variables.update || variables.suspended || !variables.byAnnotation ||\n"
            "  variables.annotations[?" ELASTIC "].orValue(\"\") == \"true\" ||\n"
            "  variables.prebuilt == variables.oldPrebuilt",
     .field = ANNOTATION("prebuilt-workload-name"),
     .kind = INVALID,
     .value = "variables.prebuilt",
     .detail = IMMUTABLE},
    {.cel = NULL},
};

/* ---- J7: looks up whether there is a default queue ------------------------------------------------------------------------ */

static const struct policy_variable no_variables[] = {{NULL, NULL, NULL, false}};

static const struct policy_rule keep_queue_rules[] = {
    {.cel = "false",
     .field = LABEL("queue-name"),
     .kind = INVALID,
     .value = "\"\"",
     .detail = "queue-name must not be empty in namespace with default queue"},
    {.cel = NULL},
};

/* ---- Job: J10 ----------------------------------------------------------------------------------------------------------- */

#define ABOUT_COUNTS                                                                                         \
    "!has(object.metadata.deletionTimestamp) &&\n"                                                           \
    "[object, oldObject == null ? object : oldObject].exists(o,\n"                                           \
    "  [" LEAST ", " SYNC "].exists(k, k in " ANNOTATIONS_OF("o") "))"

#define PARALLELISM(object) object ".spec.?parallelism.orValue(1)"
#define COMPLETIONS(object) object ".spec.?completions.orValue(" PARALLELISM(object) ")"
/* Go's ParseBool */
#define TRUE_WORDS "[\"1\", \"t\", \"T\", \"TRUE\", \"true\", \"True\"]"
#define BOOL_WORDS                                                                                           \
    "[\"1\", \"t\", \"T\", \"TRUE\", \"true\", \"True\", \"0\", \"f\", \"F\", \"FALSE\", \"false\", "        \
    "\"False\"]"

static const struct policy_variable count_variables[] = {
    METADATA_VARIABLES,
    {"suspended", SUSPENDED("object"), NULL, false},
    {"wasSuspended", "oldObject == null ||\n" SUSPENDED("oldObject"), NULL, false},
    {"pods", "[" PARALLELISM("object") ", " COMPLETIONS("object") "].min()", NULL, false},
    {"least", "variables.annotations[?" LEAST "].orValue(\"\")", NULL, false},
    {"leastIsNew",
     LEAST " in variables.annotations &&\n  (!variables.update || variables.least != "
           "variables.oldAnnotations[?" LEAST "].orValue(\"\"))",
     NULL, false},
    {"sync", "variables.annotations[?" SYNC "].orValue(\"\")", NULL, false},
    {"inStep", "variables.sync in " TRUE_WORDS, NULL, false},
    {"wasInStep", "variables.oldAnnotations[?" SYNC "].orValue(\"\") in " TRUE_WORDS, NULL, false},
    {NULL, NULL, NULL, false},
};

static const struct policy_rule count_rules[] = {
    {.cel = "!variables.leastIsNew || variables.least.matches(" INTEGER ")",
     .field = ANNOTATION("job-min-parallelism"),
     .kind = INVALID,
     .value = "variables.least",
     .detail = "must be an integer",
     .detail_cel = "\"strconv.Atoi: parsing \\\"\" + variables.least + \"\\\": invalid syntax\""},
    {.cel = "!variables.leastIsNew || !variables.least.matches(" INTEGER ") ||\n"
            "  int(variables.least) > 0 && int(variables.least) < variables.pods",
     .field = ANNOTATION("job-min-parallelism"),
     .kind = INVALID,
     .value = "variables.least",
     .bare = true,
     .detail = "should be between 0 and the number of pods",
     .detail_cel = "\"should be between 0 and \" + string(variables.pods - 1)"},
    {.gate = "ElasticJobsViaWorkloadSlices",
     .cel = "!(" LEAST " in variables.annotations) ||\n"
            "  variables.annotations[?" ELASTIC "].orValue(\"\") != \"true\"",
     .field = ANNOTATION("job-min-parallelism"),
     .kind = INVALID,
     .value = "variables.least",
     .detail = "partial admission and elastic job cannot be used together"},
    {.cel = "!variables.update || !(" LEAST " in variables.oldAnnotations) ||\n"
            "  oldObject.spec.?suspend.orValue(false) ||\n"
            "  " PARALLELISM("object") " == " PARALLELISM("oldObject"),
     .field = "spec.parallelism",
     .kind = FORBIDDEN,
     .detail = "cannot change when partial admission is enabled and the job is not suspended"},
    {.cel = "!(" SYNC " in variables.annotations) ||\n  variables.sync in " BOOL_WORDS,
     .field = ANNOTATION("job-completions-equal-parallelism"),
     .kind = INVALID,
     .value = "variables.sync",
     .detail = "must be true or false",
     .detail_cel = "\"strconv.ParseBool: parsing \\\"\" + variables.sync + \"\\\": invalid syntax\""},
    {.cel = "!variables.inStep || object.spec.?completionMode.orValue(\"NonIndexed\") == \"Indexed\"",
     .field = ANNOTATION("job-completions-equal-parallelism"),
     .kind = INVALID,
     .value = "variables.sync",
     .detail = "should not be enabled for NonIndexed jobs"},
    {.cel = "!variables.inStep || " PARALLELISM("object") " == object.spec.?completions.orValue(1)",
     .field = "spec.completions",
     .kind = INVALID,
     .value = "string(object.spec.?completions.orValue(1))",
     .bare = true,
     .detail =
         "should be equal to parallelism when " KUEUE "job-completions-equal-parallelism annotation is true"},
    {.cel = "!variables.update || variables.suspended || variables.wasSuspended ||\n"
            "  variables.inStep == variables.wasInStep",
     .field = ANNOTATION("job-completions-equal-parallelism"),
     .kind = FORBIDDEN,
     .detail = IMMUTABLE " while the job is not suspended"},
    {.cel = NULL},
};

/* ---- pod templates: J11 --------------------------------------------------------------------------------------------------- */

#define PODSET KUEUE "podset-"
#define TOPOLOGY_REQUIRED PODSET "required-topology"
#define TOPOLOGY_PREFERRED PODSET "preferred-topology"
#define TOPOLOGY_FREE PODSET "unconstrained-topology"
#define SLICE_TOPOLOGY PODSET "slice-required-topology"
#define SLICE_SIZE PODSET "slice-size"
#define SLICE_LEVELS PODSET "slice-required-topology-constraints"
#define GROUP PODSET "group-name"
#define OFFSET KUEUE "pod-index-offset"

#define HAS(key) "\"" key "\" in variables.of[i]"
#define TEXT(key) "variables.of[i][?\"" key "\"].orValue(\"\")"
#define BELOW(key) "[" key "]"

#define LABEL_NAME                                                                                           \
    "r\"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"                               \
    "([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$\""
#define LABEL_NAME_TEXT                                                                                      \
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "     \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define INT32 "r\"^[+-]?[0-9]{1,9}$\""

#define NAME_RULE(key)                                                                                       \
    {                                                                                                        \
        .each = true, .cel = HAS(key) " && !" TEXT(key) ".matches(" LABEL_NAME ")", .field = BELOW(key),     \
        .kind = INVALID, .value = TEXT(key), .detail = LABEL_NAME_TEXT                                       \
    }

/* Multi-level constraints are JSON in an annotation, which CEL cannot read: the controller reports those. */
#define TOPOLOGY_RULES                                                                                       \
    {.each = true,                                                                                           \
     .cel = "[\"" TOPOLOGY_REQUIRED "\", \"" TOPOLOGY_PREFERRED "\", \"" TOPOLOGY_FREE "\"]\n"               \
            "    .filter(k, k in variables.of[i]).size() > 1",                                               \
     .field = "",                                                                                            \
     .kind = INVALID,                                                                                        \
     .detail = "must not contain more than one topology annotation: [\"" TOPOLOGY_REQUIRED                   \
               "\", \"" TOPOLOGY_PREFERRED "\", \"" TOPOLOGY_FREE "\"]"},                                    \
        NAME_RULE(TOPOLOGY_REQUIRED), NAME_RULE(TOPOLOGY_PREFERRED), NAME_RULE(SLICE_TOPOLOGY),              \
        {.each = true,                                                                                       \
         .cel = HAS(TOPOLOGY_FREE) " && !(" TEXT(TOPOLOGY_FREE) " in " BOOL_WORDS ")",                       \
         .field = BELOW(TOPOLOGY_FREE),                                                                      \
         .kind = INVALID,                                                                                    \
         .value = TEXT(TOPOLOGY_FREE),                                                                       \
         .detail = "must be a boolean value"},                                                               \
        {.each = true,                                                                                       \
         .cel = TEXT(GROUP) ".matches(r\"^[0-9]+$\")",                                                       \
         .field = BELOW(GROUP),                                                                              \
         .kind = INVALID,                                                                                    \
         .value = TEXT(GROUP),                                                                               \
         .detail = "must not be a number"},                                                                  \
        {.each = true,                                                                                       \
         .cel = HAS(GROUP) " && " HAS(SLICE_SIZE),                                                           \
         .field = BELOW(GROUP),                                                                              \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when '" SLICE_SIZE "' is specified"},                                     \
        {.each = true,                                                                                       \
         .cel = HAS(GROUP) " && " HAS(SLICE_TOPOLOGY),                                                       \
         .field = BELOW(GROUP),                                                                              \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when '" SLICE_TOPOLOGY "' is specified"},                                 \
        {.each = true,                                                                                       \
         .cel = HAS(GROUP) " && !(" HAS(TOPOLOGY_PREFERRED) ") && !(" HAS(TOPOLOGY_REQUIRED) ")",            \
         .field = BELOW(GROUP),                                                                              \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when neither '" TOPOLOGY_PREFERRED "' nor '" TOPOLOGY_REQUIRED            \
                   "' is specified"},                                                                        \
        {.each = true,                                                                                       \
         .cel = HAS(SLICE_SIZE) " && !" TEXT(SLICE_SIZE) ".matches(" INT32 ")",                              \
         .field = BELOW(SLICE_SIZE),                                                                         \
         .kind = INVALID,                                                                                    \
         .value = TEXT(SLICE_SIZE),                                                                          \
         .detail = "must be a numeric value"},                                                               \
        {.each = true,                                                                                       \
         .cel = TEXT(SLICE_SIZE) ".matches(" INT32 ") && int(" TEXT(SLICE_SIZE) ") < 1",                     \
         .field = BELOW(SLICE_SIZE),                                                                         \
         .kind = INVALID,                                                                                    \
         .value = TEXT(SLICE_SIZE),                                                                          \
         .detail = "must be greater than or equal to 1"},                                                    \
        {.each = true,                                                                                       \
         .cel = HAS(SLICE_TOPOLOGY) " && !(" HAS(SLICE_SIZE) ")",                                            \
         .field = BELOW(SLICE_SIZE),                                                                         \
         .kind = REQUIRED,                                                                                   \
         .detail = "must be set when '" SLICE_TOPOLOGY "' is specified"},                                    \
        {.each = true,                                                                                       \
         .cel = HAS(SLICE_SIZE) " && !(" HAS(SLICE_TOPOLOGY) ")",                                            \
         .field = BELOW(SLICE_SIZE),                                                                         \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when '" SLICE_TOPOLOGY "' is not specified"},                             \
        {.each = true,                                                                                       \
         .cel = TEXT(SLICE_SIZE) ".matches(" INT32 ") && int(" TEXT(SLICE_SIZE) ") > variables.pods[i]",     \
         .field = BELOW(SLICE_SIZE),                                                                         \
         .kind = INVALID,                                                                                    \
         .value = TEXT(SLICE_SIZE),                                                                          \
         .detail = "must not be greater than pod set count",                                                 \
         .detail_cel = "\"must not be greater than pod set count \" + string(variables.pods[i])"},           \
        {.each = true,                                                                                       \
         .cel = HAS(OFFSET) " && " HAS(GROUP),                                                               \
         .field = BELOW(OFFSET),                                                                             \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when '" GROUP "' is specified"},                                          \
        {.each = true,                                                                                       \
         .cel = HAS(OFFSET) " && !" TEXT(OFFSET) ".matches(r\"^[+]?[0-9]{1,9}$\")",                          \
         .field = BELOW(OFFSET),                                                                             \
         .kind = INVALID,                                                                                    \
         .value = TEXT(OFFSET),                                                                              \
         .detail = "must be a non-negative integer"},                                                        \
        {.each = true,                                                                                       \
         .gate = "TASMultiLayerTopology",                                                                    \
         .off = true,                                                                                        \
         .cel = HAS(SLICE_LEVELS),                                                                           \
         .field = BELOW(SLICE_LEVELS),                                                                       \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "the TASMultiLayerTopology feature gate must be enabled to use this annotation"},         \
        {.each = true,                                                                                       \
         .cel = HAS(SLICE_LEVELS) " && " HAS(SLICE_TOPOLOGY),                                                \
         .field = BELOW(SLICE_LEVELS),                                                                       \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when '" SLICE_TOPOLOGY "' is specified"},                                 \
        {.each = true,                                                                                       \
         .cel = HAS(SLICE_LEVELS) " && " HAS(SLICE_SIZE),                                                    \
         .field = BELOW(SLICE_LEVELS),                                                                       \
         .kind = FORBIDDEN,                                                                                  \
         .detail = "may not be set when '" SLICE_SIZE "' is specified"},                                     \
    {                                                                                                        \
        .each = true, .cel = HAS(SLICE_LEVELS) " && " HAS(GROUP), .field = BELOW(GROUP), .kind = FORBIDDEN,  \
        .detail = "may not be set when '" SLICE_LEVELS "' is specified"                                      \
    }

#define HAS_REQUEST(annotations) annotations ".exists(k, k.startsWith(\"" PODSET "\") || k == \"" OFFSET "\")"

#define JOB_TEMPLATE ANNOTATIONS_OF("object.spec.template")
#define ABOUT_JOB_TEMPLATE                                                                                   \
    "!has(object.metadata.deletionTimestamp) &&\n"                                                           \
    "has(object.spec.template.metadata) &&\n" HAS_REQUEST(JOB_TEMPLATE)

static const struct policy_variable job_template_variables[] = {
    {"of", "[" JOB_TEMPLATE "]", NULL, false},
    {"at", "[\"spec.template.metadata.annotations\"]", NULL, false},
    {"pods", "[[" PARALLELISM("object") ", " COMPLETIONS("object") "].min()]", NULL, false},
    {"all", "[0]", NULL, false},
    {NULL, NULL, NULL, false},
};

/* An elastic Job may ask for no topology but the unconstrained one; the field has a dot where others have brackets. */
#define ELASTIC_RULE(key, word)                                                                              \
    {                                                                                                        \
        .gate = "ElasticJobsViaWorkloadSlices", .each = true,                                                \
        .cel = ANNOTATIONS_OF("object") "[?" ELASTIC "].orValue(\"\") == \"true\" && " HAS(key),             \
        .field = "." key, .kind = FORBIDDEN, .detail = word " topology is not supported with elastic jobs"   \
    }

static const struct policy_rule job_template_rules[] = {
    ELASTIC_RULE(TOPOLOGY_REQUIRED, "required"),
    ELASTIC_RULE(TOPOLOGY_PREFERRED, "preferred"),
    TOPOLOGY_RULES,
    {.cel = NULL},
};

/* ---- JobSet: J11 and J12 -------------------------------------------------------------------------------------------------- */

#define SET_JOBS "object.spec.?replicatedJobs.orValue([])"
#define SET_TEMPLATE(j) j ".?template.?spec.?template.?metadata.?annotations.orValue({})"
#define SET_SPEC(j, field) j ".?template.?spec.?" field
#define SET_PARALLELISM(j) SET_SPEC(j, "parallelism") ".orValue(1)"

#define ABOUT_SET_TEMPLATES                                                                                  \
    "!has(object.metadata.deletionTimestamp) &&\n" SET_JOBS                                                  \
    ".exists(j,\n  " HAS_REQUEST(SET_TEMPLATE("j")) ")"

/* A Workload has at most 18 pod sets, so more templates than that are never admitted. */
static const struct policy_variable set_variables[] = {
    {"jobs", SET_JOBS, NULL, false},
    {"of", "variables.jobs.map(j, " SET_TEMPLATE("j") ")", NULL, false},
    {"all",
     "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]\n  .filter(i, i < "
     "variables.jobs.size())",
     NULL, false},
    {"at",
     "variables.all.map(i,\n  \"spec.replicatedJobs[\" + string(i) + "
     "\"].template.spec.template.metadata.annotations\")",
     NULL, false},
    {"pods",
     "variables.jobs.map(j, j.?replicas.orValue(1) *\n  [" SET_PARALLELISM("j") ", " SET_SPEC(
         "j", "completions") ".orValue(" SET_PARALLELISM("j") ")].min())",
     NULL, false},
    {NULL, NULL, NULL, false},
};

#define IN_GROUP(j) "variables.of[" j "][?\"" GROUP "\"].orValue(\"\") == " TEXT(GROUP)
#define GROUP_OF "variables.all.filter(j, " IN_GROUP("j") ")"
#define PAIR HAS(GROUP) " && " GROUP_OF ".size() == 2"
#define SAME(key) "variables.of[j][?\"" key "\"] == variables.of[i][?\"" key "\"]"

static const struct policy_rule set_rules[] = {
    TOPOLOGY_RULES,
    {.each = true,
     .cel = HAS(GROUP) " && " GROUP_OF ".size() != 2",
     .field = BELOW(GROUP),
     .kind = INVALID,
     .value = TEXT(GROUP),
     .detail = "can only define groups of exactly 2 pod sets",
     .detail_cel = "\"can only define groups of exactly 2 pod sets, got: \" + string(" GROUP_OF
                   ".size()) + \" pod set(s)\""},
    {.each = true,
     .cel = PAIR " && " GROUP_OF ".all(j, variables.pods[j] != 1)",
     .field = BELOW(GROUP),
     .kind = INVALID,
     .value = TEXT(GROUP),
     .detail = "can only define groups where at least one pod set has only 1 replica",
     .detail_cel = "\"can only define groups where at least one pod set has only 1 replica, got: \" +\n"
                   "    " GROUP_OF ".map(j, string(variables.pods[j]) + \" replica(s)\").join(\" and \") +\n"
                   "    \" in the group\""},
    {.each = true,
     .cel = PAIR " && !" GROUP_OF ".all(j, " SAME(TOPOLOGY_REQUIRED) " && " SAME(TOPOLOGY_PREFERRED) ")",
     .field = "",
     .kind = INVALID,
     .detail = "must specify '" TOPOLOGY_REQUIRED "' or '" TOPOLOGY_PREFERRED
               "' topology consistent with the other pod set of the group",
     .detail_cel =
         "\"must specify '" TOPOLOGY_REQUIRED "' or '" TOPOLOGY_PREFERRED "' topology consistent with '\" +\n"
         "    variables.at[" GROUP_OF ".filter(j, j != i)[0]] + \"' in group '\" + " TEXT(GROUP) " + \"'\""},
    {.cel = NULL},
};

/* ---- the policies --------------------------------------------------------------------------------------------------------- */

const struct policy_rules policy_rules[] = {
    {.name = "sluice-jobs",
     .on_create = true,
     .about = "Labels and annotations of jobs (J1 to J6, J8, J9).",
     .when = ABOUT_METADATA,
     .variables = job_variables,
     .rules = job_rules},
    {.name = "sluice-jobs-keep-queue",
     .for_default_queue = true,
     .about = "In a namespace with a default queue a job keeps a queue (J7).",
     .when = "!has(object.metadata.deletionTimestamp) &&\n" LABELS_OF(
         "object") "[?" QUEUE "].orValue(\"\") == \"\" &&\n" LABELS_OF("oldObject") "[?" QUEUE
                                                                                    "].orValue(\"\") != \"\"",
     .variables = no_variables,
     .rules = keep_queue_rules},
    {.name = "sluice-jobs-counts",
     .framework = "batch/job",
     .on_create = true,
     .about = "Partial admission of Jobs, and completions that follow parallelism (J10).",
     .when = ABOUT_COUNTS,
     .variables = count_variables,
     .rules = count_rules},
    {.name = "sluice-jobs-topology",
     .framework = "batch/job",
     .gate = "TopologyAwareScheduling",
     .on_create = true,
     .about = "Topology requests of Jobs (J11).",
     .when = ABOUT_JOB_TEMPLATE,
     .variables = job_template_variables,
     .rules = job_template_rules},
    {.name = "sluice-jobsets-topology",
     .framework = "jobset.x-k8s.io/jobset",
     .gate = "TopologyAwareScheduling",
     .on_create = true,
     .about = "Topology requests of JobSets, and groups of their pod sets (J11, J12).",
     .when = ABOUT_SET_TEMPLATES,
     .variables = set_variables,
     .rules = set_rules},
    {.name = NULL},
};
