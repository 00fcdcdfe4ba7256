#include "vec_ops.h"

#include <string.h>

/* ---- references --------------------------------------------------------------------------------------------------------- */

static bool is_object(const struct doc_node *n, const char *kind, size_t kind_len, const char *name)
{
    const char *k = doc_str_or(n, "kind", "");
    const struct doc_node *meta = doc_field(n, "metadata");
    const char *ns = doc_str_or(meta, "namespace", ""), *own = doc_str_or(meta, "name", "");
    size_t len = strlen(ns);
    if (strlen(k) != kind_len || strncmp(k, kind, kind_len) != 0)
        return false;
    if (len && strncmp(name, ns, len) == 0 && name[len] == '/')
        return strcmp(name + len + 1, own) == 0;
    return strcmp(*name == '/' ? name + 1 : name, own) == 0;
}

static const struct doc_node *find_in(const struct doc_node *n, const char *kind, size_t kind_len,
                                      const char *name)
{
    if (!n || is_object(n, kind, kind_len, name))
        return n;
    const struct doc_node *found = NULL;
    for (const struct doc_node *c = n->first; c && !found; c = c->next)
        if (c->type == DOC_MAP || c->type == DOC_LIST)
            found = find_in(c, kind, kind_len, name);
    return found;
}

const struct doc_node *vec_ref(struct vec *v, const struct doc_node *arg)
{
    const char *ref = doc_str_or(arg, "ref", NULL);
    if (!ref)
        return arg;
    const char *space = strchr(ref, ' ');
    size_t len = space ? (size_t)(space - ref) : 0;
    const struct doc_node *in[] = {v->input, v->fixtures, v->objects, v->shared};
    const struct doc_node *found = NULL;
    for (size_t i = 0; len && !found && i < sizeof(in) / sizeof(in[0]); i++)
        found = find_in(in[i], ref, len, space + 1);
    if (!found)
        vec_fail(v, "ops", ref, "no such object");
    return found;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

enum call { CALL_PUT, CALL_DELETE, CALL_NOTHING };

static const struct {
    const char *op;
    enum call call;
} calls[] = {
    {"Cache.AddOrUpdateResourceFlavor", CALL_PUT},
    {"Cache.DeleteResourceFlavor", CALL_DELETE},
    {"Cache.AddOrUpdateCohort", CALL_PUT},
    {"Cache.AddClusterQueue", CALL_PUT},
    {"Cache.UpdateClusterQueue", CALL_PUT},
    {"Cache.AddOrUpdateAdmissionCheck", CALL_PUT},
    {"Cache.AddOrUpdateTopology", CALL_PUT},
    {"Cache.AddOrUpdateWorkload", CALL_PUT},
    {"Manager.AddLocalQueue", CALL_PUT},
    /* the other halves of Cache.AddClusterQueue and Manager.AddLocalQueue: we have one world */
    {"Manager.AddClusterQueue", CALL_NOTHING},
    {"Cache.AddLocalQueue", CALL_NOTHING},
    {"Cache.TASCache", CALL_NOTHING},
    /* what follows the first cycle: the handler does it */
    {"Cache.DeleteWorkload", CALL_NOTHING},
    {"Manager.QueueAssociatedInadmissibleWorkloadsAfter", CALL_NOTHING},
};

static bool delete_object(struct vec *v, struct world *w, const struct doc_node *n)
{
    struct object o;
    if (!vec_object(v, n, &o))
        return false;
    if (o.kind == API_FLAVOR)
        world_del_flavor(w, o.name);
    else if (o.kind == API_COHORT)
        world_del_cohort(w, o.name);
    else if (o.kind == API_CLUSTER_QUEUE)
        world_del_cluster_queue(w, o.name);
    return true;
}

static bool run_op(struct vec *v, struct world *w, const struct doc_node *op, when_ns now)
{
    const char *name = doc_str_or(op, "op", "");
    size_t i = 0, n = sizeof(calls) / sizeof(calls[0]);
    while (i < n && strcmp(calls[i].op, name) != 0)
        i++;
    if (i == n) {
        vec_fail(v, "ops", "a known call", name);
        return false;
    }
    if (calls[i].call == CALL_NOTHING)
        return true;
    const struct doc_node *object = vec_ref(v, doc_first(doc_field(op, "args")));
    if (!object)
        return false;
    /* some tables add a cohort without name for a ClusterQueue without cohort */
    if (!*doc_str_or(doc_field(object, "metadata"), "name", ""))
        return true;
    return calls[i].call == CALL_PUT ? vec_put(v, w, object, now) : delete_object(v, w, object);
}

bool vec_run_ops(struct vec *v, struct world *w, when_ns now)
{
    const struct doc_node *lists[] = {doc_field(v->shared, "ops"), v->ops};
    for (size_t i = 0; i < 2; i++)
        doc_foreach (op, lists[i])
            if (!run_op(v, w, op, now))
                return false;
    return vec_settle(v, w);
}

bool vec_settle(struct vec *v, struct world *w)
{
    struct err err;
    if (world_settle(w, &err) == 0)
        return true;
    vec_broken(v, "settling", &err);
    return false;
}

const struct doc_node *vec_list_of(struct vec *v, const struct doc_node *item)
{
    struct doc_node *list = vec_alloc(v, sizeof(*list)), *copy = vec_alloc(v, sizeof(*copy));
    *copy = *item;
    copy->next = NULL;
    copy->key = NULL;
    copy->index = 0;
    copy->parent = list;
    *list = (struct doc_node){.type = DOC_LIST, .n = 1, .text = "", .first = copy};
    return list;
}

/* ---- the world's inside --------------------------------------------------------------------------------------------------- */

struct cluster_queue *vec_cq(struct vec *v, struct world *w, const char *name)
{
    uint32_t i = world_cq_find(w, name);
    if (i == NONE) {
        vec_fail(v, "ClusterQueue", name, "no such queue");
        return NULL;
    }
    return w->cqs[i];
}

bool vec_charge(struct vec *v, struct world *w, const char *cq, const struct doc_node *list)
{
    struct cluster_queue *q = vec_cq(v, w, cq);
    doc_foreach (u, list) {
        const char *flavor = doc_str_or(u, "flavor", ""), *res = doc_str_or(u, "resource", "");
        uint32_t fr = q ? world_find_pair(w, flavor, res) : NONE;
        uint32_t col = fr == NONE ? TREE_NONE : tree_col(q->tree, fr);
        if (col == TREE_NONE) {
            vec_fail(v, "usage", vec_text(v, u), "no such pair");
            return false;
        }
        tree_charge(q->tree, q->node, col, vec_i64(v, doc_get(u, "value")));
    }
    return q != NULL;
}
