/* Loans: who borrows quota from whom. Quota arithmetic (engine.md 3) only says how much a ClusterQueue uses above its nominal quota;
 * this names a lender for each part of it. One `struct loans` serves all trees of the world; the parties are known by name, so loans
 * survive a rebuilt tree.
 *
 * The laws, which hold for a pair in a tree after each loans_settle:
 *  1. The loans of a ClusterQueue add up to its usage above nominal. A lender (a ClusterQueue, or a cohort with its own nominal quota)
 *     never lends more than its idle quota that its parent can see; what crosses the border of a subtree, net, is at most the visible
 *     part of its quota upwards and its borrowingLimit downwards.
 *  2. What no lender covers is owed to `overdraft`; it is the least that any assignment allows. A tree within its quotas has none.
 *  3. Needs and idle quota of a subtree meet inside it first. Within that as much of the existing loans with real lenders as possible
 *     stays; new parts go to the nearest lender (lowest common ancestor), then to the one with most idle quota left, then by name.
 *     When not all borrowers of a cohort can be served, they are served in the order of the tree (by name within a cohort).
 * Quota of Inactive ClusterQueues is lent like any other (3.6). An Unlimited nominal quota lends from the account `unlimited`; with a
 * lendingLimit it lends nothing, since Unlimited minus anything stays private (2.1, 3.1).
 *
 * There is at most one open loan for a (pair, borrower, lender). A change of its amount ends the interval and begins another one at
 * the same time, which keeps the begin reason: after a decrease the old interval has the reason of the decrease, after an increase it
 * ends as LOAN_END_REFINANCED. Where a decrease has two reasons, it has the one that explains the larger part. */
#ifndef SLUICE_CORE_LOANS_H
#define SLUICE_CORE_LOANS_H

#include "base/amount.h"
#include "base/err.h"
#include "base/names.h"
#include "base/when.h"
#include "core/tree.h"

#include <stdbool.h>
#include <stdint.h>

enum loan_kind { LOAN_CLUSTER_QUEUE, LOAN_COHORT, LOAN_UNLIMITED, LOAN_OVERDRAFT };

/* A lender. ClusterQueues and cohorts have separate name spaces; the two accounts have name 0. */
struct loan_lender {
    enum loan_kind kind;
    uint32_t name; /* id */
};

enum loan_begin {
    LOAN_BEGIN_BORROWED,   /* the borrower's usage above nominal grew */
    LOAN_BEGIN_REFINANCED, /* takes the place of a loan that ended; a loan that does both is called so */
};

enum loan_end {
    LOAN_OPEN,
    LOAN_END_RETURNED,  /* the borrower's usage above nominal fell */
    LOAN_END_RECLAIMED, /* it fell, and workloads of the borrower were evicted by a reclaim */
    LOAN_END_REFINANCED, /* another loan took its place: the lender uses its quota itself, or a nearer one has become free */
    LOAN_END_QUOTA, /* `quotaChanged`: a quota, a limit or the tree changed */
};

struct loan {
    uint32_t fr;       /* pair */
    uint32_t borrower; /* name id of a ClusterQueue */
    struct loan_lender lender;
    amount amount; /* > 0, never AMOUNT_UNLIMITED */
    when_ns began;
    enum loan_begin begin;
};

/* An interval that ended (`end` != LOAN_OPEN) or one that began (ended = WHEN_NONE). */
struct loan_event {
    struct loan loan;
    when_ns ended;
    enum loan_end end;
};

/* Workloads of `borrower` were evicted so that `preemptor` gets quota back; both are name ids of ClusterQueues. */
struct loan_reclaim {
    uint32_t borrower, preemptor;
};

/* What the caller knows about a change. `reclaims` are those since the last settle, borrowed, in any order; those of other trees do
 * no harm. A fall of such a borrower's need ends loans as LOAN_END_RECLAIMED, those from the preemptor first among equally near ones. */
struct loan_change {
    when_ns now; /* when intervals end and begin */
    bool quota;  /* quotas, limits or the shape of the tree changed since the last settle */
    const struct loan_reclaim *reclaims;
    uint32_t nreclaims;
};

struct loans;

struct loans *
loans_new(const struct names *names); /* owned; `names` borrowed; NULL when memory is exhausted */
void loans_free(struct loans *ls);

/* Brings the loans of a pair in a tree up to date; the tree may know the pair or no longer. To be called after each committed change
 * of usage or quota, never inside a search. O(nodes + loans of the pair in the tree) times logarithms; allocates only when something
 * is larger than ever before. "As much as possible stays" is exact unless the search for it takes more than SETTLE_STEPS (a bound of
 * some milliseconds). ERR_NOMEM: nothing changed. */
MUST_USE int loans_settle(struct loans *ls, const struct tree *t, uint32_t fr,
                          const struct loan_change *change, struct err *err);
/* As loans_settle for all the pairs that the tree knows and for those that it no longer knows: after a rebuild. ERR_NOMEM: the pairs
 * settled so far stay so; it can be called again. */
MUST_USE int loans_settle_tree(struct loans *ls, const struct tree *t, const struct loan_change *change,
                               struct err *err);
/* A ClusterQueue is gone: what it borrowed is returned. (What it lent ends when its tree is settled.) ERR_NOMEM: nothing changed. */
MUST_USE int loans_drop(struct loans *ls, uint32_t borrower, when_ns now, struct err *err);

/* What ended and began since the last loans_clear_events: in order of the settles, then of the tree, then of the lenders; a change of
 * amount as an end followed by a begin. Borrowed until the next call that changes `ls`. The caller drains it after each batch. */
const struct loan_event *loans_events(const struct loans *ls, uint32_t *ret_n);
void loans_clear_events(struct loans *ls);

/* The loans of one ClusterQueue for a pair by lender (kind, then name): the first one for prev = NULL, NULL after the last. Borrowed
 * until the next call that changes `ls`. */
const struct loan *loans_next(const struct loans *ls, uint32_t fr, uint32_t borrower,
                              const struct loan *prev);

#define LOANS_ANY UINT32_MAX

struct loan_filter {
    uint32_t fr, borrower;     /* LOANS_ANY: all */
    bool by_lender;            /* only those of `lender` */
    struct loan_lender lender; /* read if by_lender */
    bool lenders_first;        /* order: lender, pair, borrower; else borrower, pair, lender */
};

/* All open loans that match; names in byte order, pairs by id. O(all loans). The array is borrowed until the next call on `ls` that is
 * not loans_next, loans_events or loans_lent. */
MUST_USE int loans_list(struct loans *ls, const struct loan_filter *f, const struct loan *const **ret,
                        uint32_t *ret_n, struct err *err);
/* The sum that a lender has lent of a pair. O(all loans). */
amount loans_lent(const struct loans *ls, uint32_t fr, struct loan_lender lender);
uint32_t loans_count(const struct loans *ls);

/* The order of lenders: kind, then name. <0, 0, >0. */
int loan_lender_compare(const struct names *names, struct loan_lender a, struct loan_lender b);
/* "ClusterQueue", "Cohort", "unlimited", "overdraft"; "borrowed", "refinanced"; "open", "returned", "reclaimed", "refinanced",
 * "quotaChanged". Never NULL. */
const char *loan_kind_name(enum loan_kind k);
const char *loan_begin_name(enum loan_begin b);
const char *loan_end_name(enum loan_end e);

#endif
