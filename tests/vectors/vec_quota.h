/* Quota trees of a world in the form of the tables: maps "flavor/resource" -> amount. */
#ifndef SLUICE_TESTS_VECTORS_VEC_QUOTA_H
#define SLUICE_TESTS_VECTORS_VEC_QUOTA_H

#include "core/tree.h"
#include "vec_script.h"

struct vec_quota_node {
    struct tree *tree; /* NULL: there is none of that name */
    uint32_t node;
};

struct vec_quota_node vec_quota_find(struct script *s, const char *name, bool cohort);

enum vec_quota_kind { VEC_QUOTAS, VEC_TREE_QUOTA, VEC_USAGE, VEC_AVAILABLE, VEC_POTENTIAL };

/* Compares a list of {flavor, resource, value} with one kind of amount at a node; 0 and absent are the same. */
void vec_quota_check(struct script *s, const char *field, const struct doc_node *want,
                     struct vec_quota_node n, enum vec_quota_kind kind);
/* {quotas, subtreeQuota, usage}: those that are given. */
void vec_quota_check_node(struct script *s, const char *field, const struct doc_node *want,
                          struct vec_quota_node n);
/* The same list against a map made of vec_quota_add between braces. */
void vec_quota_check_pairs(struct vec *v, const char *field, const struct doc_node *want,
                           const struct str *got);
void vec_quota_add(struct str *out, const char *flavor, const char *resource, amount v);
/* Charges a list of {flavor, resource, value} to a node. */
void vec_quota_charge(struct script *s, struct vec_quota_node n, const struct doc_node *list);
/* Column of an entry, TREE_NONE if the tree does not know the pair. */
uint32_t vec_quota_column(struct script *s, const struct tree *t, const struct doc_node *entry);

#endif
