/* Inside lib/api: the readers of each kind and of the parts they share. All follow api/reader.h. */
#ifndef SLUICE_API_KINDS_H
#define SLUICE_API_KINDS_H

#include "api/reader.h"

void read_flavor(struct reader *rd, struct object *o);
void read_cluster_queue(struct reader *rd, struct object *o);
void read_cohort(struct reader *rd, struct object *o);
void read_local_queue(struct reader *rd, struct object *o);
void read_workload(struct reader *rd, struct object *o);
void read_workload_priority_class(struct reader *rd, struct object *o);
void read_priority_class(struct reader *rd, struct object *o);
void read_admission_check(struct reader *rd, struct object *o);
void read_topology(struct reader *rd, struct object *o);
void read_namespace(struct reader *rd, struct object *o);
void read_limit_range(struct reader *rd, struct object *o);
void read_runtime_class(struct reader *rd, struct object *o);
void read_config(struct reader *rd, struct object *o);

/* update.c: what may not change from `before` to `after`. */
void check_update(struct reader *rd, enum api_kind kind, const struct doc_node *before,
                  const struct doc_node *after);
void check_workload_update(struct reader *rd, const struct doc_node *before, const struct doc_node *after);

/* annotations.c: admission-gated-by and priority-boost of a Workload. */
void check_workload_annotations(struct reader *rd, const struct doc_node *object);
void check_gated_by_update(struct reader *rd, const struct doc_node *before, const struct doc_node *after);

/* quotas.c: who owns the groups decides the rules. */
enum quota_owner { OWNER_CLUSTER_QUEUE, OWNER_COHORT };
const struct fact_resource_group *read_resource_groups(struct reader *rd, const struct doc_node *list,
                                                       enum quota_owner owner, bool has_parent,
                                                       uint32_t *ret_n);
struct fact_weight read_weight(struct reader *rd, const struct doc_node *spec);
struct fact_preemption read_preemption(struct reader *rd, const struct doc_node *spec_preemption);
enum stop_policy read_stop_policy(struct reader *rd, const struct doc_node *spec);

/* selector.c */
void read_selector(struct reader *rd, const struct doc_node *node, struct fact_selector *ret);
void read_node_affinity(struct reader *rd, const struct doc_node *pod_spec, struct fact_pod *ret);
const struct fact_toleration *read_tolerations(struct reader *rd, const struct doc_node *parent,
                                               const char *field, uint32_t *ret_n);
const struct fact_taint *read_taints(struct reader *rd, const struct doc_node *parent, const char *field,
                                     uint32_t *ret_n);
rd_item_fn read_taint_item, read_toleration_item;

/* pod.c */
void read_pod_spec(struct reader *rd, const struct doc_node *spec, struct fact_pod *ret);
void read_container(struct reader *rd, const struct doc_node *node, struct fact_container *ret);
rd_item_fn read_pod_set_item;

/* canon.c: canonical bytes of a pod's shape (engine.md 4.10) and of any node (maps sorted, what is empty left out). */
void canon_pod(struct reader *rd, const struct doc_node *spec, const struct fact_pod *pod, const char **ret,
               uint32_t *ret_len);
const char *canon_text(struct reader *rd, const struct doc_node *node);

/* status.c: the status of a Workload. */
void read_workload_status(struct reader *rd, const struct doc_node *object, struct fact_workload *w);
void read_admission(struct reader *rd, const struct doc_node *node, struct fact_admission *ret);
rd_item_fn read_condition_item, read_check_state_item, read_assignment_item;
const struct fact_condition *read_conditions(struct reader *rd, const struct doc_node *list, uint32_t *ret_n);
/* Is it one of an elastic job, with the gate on? */
bool is_elastic(const struct reader *rd, const struct doc_node *object);
/* An item of a list of maps by its field `name`, NULL if there is none. */
const struct doc_node *item_named(const struct doc_node *list, const char *name);
bool condition_is_true(const struct doc_node *conditions, const char *type);

/* limits.c */
const struct fact_limit_item *read_limit_items(struct reader *rd, const struct doc_node *list,
                                               uint32_t *ret_n);

/* config.c */
const struct fact_transformation *read_transformations(struct reader *rd, const struct doc_node *list,
                                                       uint32_t *ret_n);

#endif
