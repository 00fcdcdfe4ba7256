#include "core/turns.h"

void turns_init(struct turns *u, struct tree *t, uint32_t own, struct arena *a)
{
    *u = (struct turns){t, own, ARENA_NEW(a, struct offers, t->nnodes), ARENA_NEW(a, bool, t->nnodes)};
}

struct cand *turns_first(struct turns *u, uint32_t node)
{
    return cand_seq_at(&u->offers[node].seq, u->offers[node].next);
}

static bool holds_preemptor(const struct turns *u, uint32_t node)
{
    return u->own >= node && u->own < u->t->nodes[node].end;
}

static bool is_better_queue(struct turns *u, uint32_t node, struct share s, uint32_t best,
                            struct share best_share)
{
    int c = share_compare(s, best_share);
    if (c == 0 && best != NONE)
        return cand_compare(turns_first(u, node), turns_first(u, best), false) < 0;
    return c > 0;
}

/* The next ClusterQueue below the cohort to take a victim from, NONE if there is none now (something was pruned). */
static uint32_t next_below(struct turns *u, uint32_t cohort)
{
    uint32_t best_cq = NONE, best_cohort = NONE;
    struct share cq_share = {.weight = 1, .ratio = -1}, cohort_share = cq_share;
    for (uint32_t c = cohort + 1; c < u->t->nodes[cohort].end; c = u->t->nodes[c].end) {
        if (u->pruned[c])
            continue;
        struct share s = tree_share(u->t, c);
        if (!s.borrowing && !holds_preemptor(u, c)) {
            u->pruned[c] = true;
        } else if (u->t->nodes[c].cq == TREE_NONE) {
            if (share_compare(s, cohort_share) >= 0) {
                best_cohort = c;
                cohort_share = s;
            }
        } else if (!turns_first(u, c)) {
            u->pruned[c] = true;
        } else if (is_better_queue(u, c, s, best_cq, cq_share)) {
            best_cq = c;
            cq_share = s;
        }
    }
    if (best_cq == NONE && best_cohort == NONE)
        u->pruned[cohort] = true;
    else if (best_cohort != NONE && share_compare(cohort_share, cq_share) >= 0)
        return next_below(u, best_cohort);
    return best_cq;
}

uint32_t turns_next(struct turns *u)
{
    uint32_t root = 0; /* the nodes of a tree begin with its root */
    if (u->t->nodes[root].cq != TREE_NONE)
        return !u->pruned[root] && turns_first(u, root) ? root : NONE;
    while (!u->pruned[root]) {
        uint32_t q = next_below(u, root);
        if (q != NONE)
            return q;
    }
    return NONE;
}
