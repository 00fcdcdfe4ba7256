#include "jobs/topology.h"

#include "api/json.h"
#include "api/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "kueue.x-k8s.io/podset-"
#define REQUIRED PREFIX "required-topology"
#define PREFERRED PREFIX "preferred-topology"
#define UNCONSTRAINED PREFIX "unconstrained-topology"
#define SLICE_TOPOLOGY PREFIX "slice-required-topology"
#define SLICE_SIZE PREFIX "slice-size"
#define SLICE_CONSTRAINTS PREFIX "slice-required-topology-constraints"
#define GROUP PREFIX "group-name"

enum { CONSTRAINTS_MAX = 3, SCRATCH_BLOCK = 4096 };

/* An annotation that says something. */
static const struct doc_node *annotation(const struct job_topology *t, const char *key)
{
    const struct doc_node *n = doc_field(t->annotations, key);
    return doc_is(n, DOC_STRING) && *n->text ? n : NULL;
}

static void put_level(struct reader *rd, struct make *out, const char *field, const struct doc_node *n)
{
    const char *why = rd_validates(rd) ? label_key_problem(n->text) : NULL;
    if (why)
        rd_error_key(rd, n, "Invalid value: \"%.256s\": %s", n->text, why);
    make_put_text(out, field, n->text);
}

/* The words that Kueue takes for a boolean. */
static bool read_bool(const char *s, bool *ret)
{
    static const char *const words[] = {"1", "t", "T", "true",  "TRUE",  "True",
                                        "0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], s) == 0) {
            *ret = i < 6;
            return true;
        }
    }
    return false;
}

static void put_unconstrained(struct reader *rd, struct make *out, const struct doc_node *n)
{
    bool v = false;
    if (!read_bool(n->text, &v))
        rd_error_key(rd, n, "Invalid value: \"%.256s\": must be true or false", n->text);
    make_put_bool(out, "unconstrained", v);
}

/* Required wins over preferred, and that over unconstrained; only one is allowed. */
static bool put_main(struct reader *rd, struct make *out, const struct job_topology *t)
{
    const struct doc_node *required = annotation(t, REQUIRED), *preferred = annotation(t, PREFERRED),
                          *unconstrained = annotation(t, UNCONSTRAINED);
    if ((required != NULL) + (preferred != NULL) + (unconstrained != NULL) > 1 && rd_validates(rd))
        rd_error(rd, t->annotations, "Forbidden: at most one of %s, %s and %s may be set", REQUIRED,
                 PREFERRED, UNCONSTRAINED);
    if (required)
        put_level(rd, out, "required", required);
    else if (preferred)
        put_level(rd, out, "preferred", preferred);
    else if (unconstrained)
        put_unconstrained(rd, out, unconstrained);
    return required || preferred;
}

/* ---- slices ------------------------------------------------------------------------------------------------------------- */

static bool read_size(const char *text, int32_t *ret)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    *ret = (int32_t)v;
    return end != text && !*end && !errno && v == *ret;
}

static void put_size(struct reader *rd, struct make *out, const struct job_topology *t,
                     const struct doc_node *n)
{
    int32_t size = 1;
    if (!read_size(n->text, &size))
        rd_error_key(rd, n, "Invalid value: \"%.64s\": must be a numeric value", n->text);
    else if (size < 1 && rd_validates(rd))
        rd_error_key(rd, n, "Invalid value: \"%.64s\": must be greater than or equal to 1", n->text);
    else if (size > t->count && rd_validates(rd))
        rd_error_key(rd, n, "Invalid value: \"%.64s\": must not be greater than pod set count %d", n->text,
                     t->count);
    make_put_int(out, "podSetSliceSize", size);
}

/* Only both together ask for slices. */
static void put_slices(struct reader *rd, struct make *out, const struct job_topology *t)
{
    const struct doc_node *level = annotation(t, SLICE_TOPOLOGY), *size = annotation(t, SLICE_SIZE);
    if (level && size) {
        put_level(rd, out, "podSetSliceRequiredTopology", level);
        put_size(rd, out, t, size);
    } else if (level && rd_validates(rd)) {
        rd_error_key(rd, level, "Required value: slice size is required if slice topology is requested");
    } else if (size && rd_validates(rd)) {
        rd_error_key(rd, size, "Forbidden: may not be set when '%s' is not specified", SLICE_TOPOLOGY);
    }
}

static struct doc_node *read_constraints(struct reader *rd, const struct doc_node *n)
{
    struct arena scratch;
    struct err why = {0};
    const struct doc_node *list = NULL;
    arena_init(&scratch, SCRATCH_BLOCK);
    int rc = json_read(rd->arena, &scratch, n->text, strlen(n->text), n->line, &list, &why);
    arena_free(&scratch);
    if (rc == ERR_NOMEM)
        longjmp(*rd->arena->bail, 1);
    if (rc < 0 || list->type != DOC_LIST) {
        rd_error_key(rd, n, "Invalid value: must be a list of {topology, size} in JSON%s%s",
                     rc < 0 ? ": " : "", rc < 0 ? why.text : "");
        return NULL;
    }
    if (list->n < 1 || list->n > CONSTRAINTS_MAX) {
        rd_error_key(rd, n,
                     "Invalid value: topology constraints must contain between 1 and %d entries: got %u",
                     CONSTRAINTS_MAX, list->n);
        return NULL;
    }
    return make_copy(rd->arena, list);
}

static void put_constraints(struct reader *rd, struct make *out, const struct job_topology *t)
{
    const struct doc_node *n = t->multi_layer ? annotation(t, SLICE_CONSTRAINTS) : NULL;
    struct doc_node *list = n ? read_constraints(rd, n) : NULL;
    if (list)
        make_put(out, "podsetSliceRequiredTopologyConstraints", list);
}

struct doc_node *job_topology_request(struct reader *rd, const struct job_topology *t)
{
    const struct doc_node *group = annotation(t, GROUP);
    struct make out = make_map(rd->arena, t->annotations ? t->annotations->line : 0);
    bool with_level = put_main(rd, &out, t);
    put_slices(rd, &out, t);
    put_constraints(rd, &out, t);
    if (group && with_level)
        make_put_text(&out, "podSetGroupName", group->text);
    if (t->index_label)
        make_put_text(&out, "podIndexLabel", t->index_label);
    if (t->group_label) {
        make_put_text(&out, "subGroupIndexLabel", t->group_label);
        make_put_int(&out, "subGroupCount", t->groups);
    }
    return out.node->n ? out.node : NULL;
}
