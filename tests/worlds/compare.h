/* What differs between two traces of one world, in what is normative: times, events, heads, decisions with outcome, pod sets, targets
 * and reason, who was evicted and released; of the final state everything but message texts and transition times. With fair sharing
 * the order of decisions counts within one cohort tree only. */
#ifndef SLUICE_TESTS_WORLDS_COMPARE_H
#define SLUICE_TESTS_WORLDS_COMPARE_H

#include "api/doc.h"
#include "base/str.h"

struct compare {
    /* Which tree is this ClusterQueue in? NULL: order counts as a whole. */
    uint32_t (*tree_of)(void *arg, const char *cluster_queue);
    void *arg;
    bool verbose; /* `messages` gets differing texts */

    /* results */
    bool differs;
    struct str where, field, want, got; /* of the first difference; str_init by compare_init */
    uint32_t nmessages, nmessages_wrong;
    struct str messages;
    /* where we are */
    const char *time, *workload;
    long long cycle;
};

void compare_init(struct compare *c);
void compare_free(struct compare *c);
void compare_traces(struct compare *c, const struct doc_node *want, const struct doc_node *got);

#endif
