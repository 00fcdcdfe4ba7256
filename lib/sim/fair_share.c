#include "sim/fair_share.h"

/* What the node lacks of its own, and what it leaves to others, from the leaves up. need and spare of a cohort begin as the sums of its
 * children. */
static void sum_up(struct fair_node *nodes, struct fair_node *x)
{
    amount need = x->is_queue ? amount_max(0, x->asks) : x->need;
    amount pool = amount_add(x->quota, x->is_queue ? 0 : x->spare);
    amount lacks = need > pool ? need - pool : 0, left = pool > need ? amount_sub(pool, need) : 0;

    x->need = amount_min(lacks, x->borrowing);
    x->spare = amount_min(left, x->lending);
    x->fair = amount_min(
        need, pool); /* of a queue: until more is granted; of a cohort: what its children get together */
    if (x->parent == FAIR_ROOT)
        return;
    nodes[x->parent].need = amount_add(nodes[x->parent].need, x->need);
    nodes[x->parent].spare = amount_add(nodes[x->parent].spare, x->spare);
}

static bool is_child(const struct fair_node *x, uint32_t parent, bool weightless)
{
    return x->parent == parent && x->need > 0 && (x->weight <= 0) == weightless;
}

/* Shares `left` among the children of a cohort that still lack something: who needs no more than its part gets all, and the rest is shared
 * anew. Returns what is left. */
static amount grant(struct fair_node *nodes, uint32_t parent, bool weightless, amount left)
{
    uint32_t n = nodes[parent].end;

    for (bool again = true; again && left > 0;) {
        double weights = 0, part;
        again = false;
        for (uint32_t i = parent + 1; i < n; i++)
            if (is_child(&nodes[i], parent, weightless))
                weights += weightless ? 1 : nodes[i].weight;
        if (weights <= 0)
            return left;
        part = (double)left / weights;
        for (uint32_t i = parent + 1; i < n; i++) {
            struct fair_node *x = &nodes[i];
            if (!is_child(x, parent, weightless) || (double)x->need > part * (weightless ? 1 : x->weight) ||
                x->need > left)
                continue;
            x->fair += x->need;
            left -= x->need;
            x->need = 0;
            again = true;
        }
        if (again)
            continue;
        for (uint32_t i = parent + 1; i < n; i++) {
            struct fair_node *x = &nodes[i];
            if (!is_child(x, parent, weightless))
                continue;
            x->fair += (amount)(part * (weightless ? 1 : x->weight));
            x->need = 0;
        }
        left = 0;
    }
    return left;
}

void fair_shares(struct fair_node *nodes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!nodes[i].is_queue)
            nodes[i].need = nodes[i].spare = 0;
    for (uint32_t i = n; i-- > 0;)
        sum_up(nodes, &nodes[i]);
    /* x->fair of a cohort is by now what it has to give to its children's needs. */
    for (uint32_t i = 0; i < n; i++)
        if (!nodes[i].is_queue)
            (void)grant(nodes, i, true, grant(nodes, i, false, nodes[i].fair));
}
