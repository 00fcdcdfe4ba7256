#include "api/kinds.h"

#include <string.h>

/* The public readers of parts of objects: each is one of the inner readers in a frame of its own. */

struct items {
    const void *p;
    uint32_t n;
};

/* Reads into `tmp`, which the caller copies on success. A null node is NULL; another type than `type` is refused. */
static int part(const struct doc_node *node, enum doc_type type, struct arena *a, unsigned flags,
                rd_part_fn *fn, void *tmp, struct err *err)
{
    if (node && node->type == DOC_NULL)
        node = NULL;
    if (node && node->type != type)
        return err_set(err, ERR_INVALID, "must be a %s, not a %s", doc_type_name(type),
                       doc_type_name(node->type));
    struct reader rd = {.arena = a, .flags = flags, .root = node, .err = err};
    return rd_run(&rd, fn, node, tmp);
}

static int part_items(const struct doc_node *node, enum doc_type type, struct arena *a, unsigned flags,
                      rd_part_fn *fn, const void *ret, uint32_t *ret_n, struct err *err)
{
    struct items it = {0};
    int rc = part(node, type, a, flags, fn, &it, err);
    if (rc < 0)
        return rc;
    memcpy((void *)ret, &it.p, sizeof(it.p)); /* all pointers to objects look alike here */
    *ret_n = it.n;
    return 0;
}

/* ---- single things ------------------------------------------------------------------------------------------------------ */

static void pod_spec(struct reader *rd, const struct doc_node *node, void *ret)
{
    read_pod_spec(rd, node, ret);
}

static void pod_template(struct reader *rd, const struct doc_node *node, void *ret)
{
    read_pod_spec(rd, rd_map(rd, node, "spec"), ret);
}

static void container(struct reader *rd, const struct doc_node *node, void *ret)
{
    read_container(rd, node, ret);
}

static void admission(struct reader *rd, const struct doc_node *node, void *ret)
{
    read_admission(rd, node, ret);
}

static void preemption(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct fact_preemption *p = ret;
    *p = read_preemption(rd, node);
}

static void selector(struct reader *rd, const struct doc_node *node, void *ret)
{
    read_selector(rd, node, ret);
}

#define SINGLE(name, type, fn)                                                                               \
    int name(const struct doc_node *node, struct arena *a, unsigned flags, type *ret, struct err *err)       \
    {                                                                                                        \
        type tmp = {0};                                                                                      \
        int rc = part(node, DOC_MAP, a, flags, fn, &tmp, err);                                               \
        if (rc == 0)                                                                                         \
            *ret = tmp;                                                                                      \
        return rc;                                                                                           \
    }

SINGLE(api_read_pod_spec, struct fact_pod, pod_spec)
SINGLE(api_read_pod_template, struct fact_pod, pod_template)
SINGLE(api_read_container, struct fact_container, container)
SINGLE(api_read_admission, struct fact_admission, admission)
SINGLE(api_read_preemption, struct fact_preemption, preemption)
SINGLE(api_read_selector, struct fact_selector, selector)

/* ---- lists and maps ----------------------------------------------------------------------------------------------------- */

static void pod_sets(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_items(rd, node, sizeof(struct fact_pod_set), read_pod_set_item, &it->n);
}

static void conditions(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = read_conditions(rd, node, &it->n);
}

static void check_states(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_items(rd, node, sizeof(struct fact_check_state), read_check_state_item, &it->n);
}

static void assignments(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_items(rd, node, sizeof(struct fact_assignment), read_assignment_item, &it->n);
}

static void limit_items(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = read_limit_items(rd, node, &it->n);
}

static void resource_groups(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = read_resource_groups(rd, node, OWNER_CLUSTER_QUEUE, true, &it->n);
}

static void transformations(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = read_transformations(rd, node, &it->n);
}

static void taints(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_items(rd, node, sizeof(struct fact_taint), read_taint_item, &it->n);
}

static void tolerations(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_items(rd, node, sizeof(struct fact_toleration), read_toleration_item, &it->n);
}

static void amounts(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_amounts_of(rd, node, &it->n);
}

static void labels(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct items *it = ret;
    it->p = rd_labels_of(rd, node, &it->n);
}

#define ITEMS(name, node_type, type, fn)                                                                     \
    int name(const struct doc_node *node, struct arena *a, unsigned flags, const type **ret,                 \
             uint32_t *ret_n, struct err *err)                                                               \
    {                                                                                                        \
        return part_items(node, node_type, a, flags, fn, ret, ret_n, err);                                   \
    }

ITEMS(api_read_pod_sets, DOC_LIST, struct fact_pod_set, pod_sets)
ITEMS(api_read_conditions, DOC_LIST, struct fact_condition, conditions)
ITEMS(api_read_check_states, DOC_LIST, struct fact_check_state, check_states)
ITEMS(api_read_assignments, DOC_LIST, struct fact_assignment, assignments)
ITEMS(api_read_limit_items, DOC_LIST, struct fact_limit_item, limit_items)
ITEMS(api_read_resource_groups, DOC_LIST, struct fact_resource_group, resource_groups)
ITEMS(api_read_transformations, DOC_LIST, struct fact_transformation, transformations)
ITEMS(api_read_taints, DOC_LIST, struct fact_taint, taints)
ITEMS(api_read_tolerations, DOC_LIST, struct fact_toleration, tolerations)
ITEMS(api_read_amounts, DOC_MAP, struct fact_amount, amounts)
ITEMS(api_read_labels, DOC_MAP, struct fact_label, labels)
