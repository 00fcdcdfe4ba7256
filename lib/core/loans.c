#include "core/loans.h"

#include "base/mem.h"
#include "core/loans_settle.h"

#include <string.h>

#define NONE UINT32_MAX

/* Loans lie in slots; those of one pair and borrower are a list in the order of lenders. */
struct slot {
    struct loan loan;
    uint32_t next; /* in its bucket or in the list of free slots */
    bool used;
};

struct bucket {
    uint32_t fr, borrower;
    uint32_t first; /* slot; NONE: no loans at present */
    bool used;
};

struct loans {
    const struct names *names;
    struct slot *slots;
    uint32_t nslots, cap_slots, free, nfree;
    struct bucket
        *buckets; /* open addressing; entries stay, so that a queue that borrows again finds its own */
    uint32_t nbuckets, cap_buckets;
    struct loan_event *events;
    uint32_t nevents, cap_events;
    const struct loan **list;
    uint32_t *order;
    uint32_t cap_list, cap_order;
    struct settle settle;
};

struct loans *loans_new(const struct names *names)
{
    struct loans *ls = mem_zalloc(1, sizeof *ls);
    if (!ls)
        return NULL;
    ls->names = names;
    ls->free = NONE;
    settle_init(&ls->settle, names);
    return ls;
}

void loans_free(struct loans *ls)
{
    if (!ls)
        return;
    settle_free(&ls->settle);
    mem_free(ls->slots);
    mem_free(ls->buckets);
    mem_free(ls->events);
    mem_free(ls->list);
    mem_free(ls->order);
    mem_free(ls);
}

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory for loans");
}

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

int loan_lender_compare(const struct names *names, struct loan_lender a, struct loan_lender b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    return a.name == b.name ? 0 : strcmp(names_text(names, a.name), names_text(names, b.name));
}

const char *loan_kind_name(enum loan_kind k)
{
    switch (k) {
    case LOAN_CLUSTER_QUEUE:
        return "ClusterQueue";
    case LOAN_COHORT:
        return "Cohort";
    case LOAN_UNLIMITED:
        return "unlimited";
    case LOAN_OVERDRAFT:
        return "overdraft";
    }
    return "";
}

const char *loan_begin_name(enum loan_begin b)
{
    return b == LOAN_BEGIN_BORROWED ? "borrowed" : "refinanced";
}

const char *loan_end_name(enum loan_end e)
{
    switch (e) {
    case LOAN_OPEN:
        return "open";
    case LOAN_END_RETURNED:
        return "returned";
    case LOAN_END_RECLAIMED:
        return "reclaimed";
    case LOAN_END_REFINANCED:
        return "refinanced";
    case LOAN_END_QUOTA:
        return "quotaChanged";
    }
    return "";
}

/* ---- buckets and slots ---------------------------------------------------------------------------------------------------- */

/* The bucket of a key or the free place for it; the table is never full. */
static struct bucket *probe(const struct loans *ls, uint32_t fr, uint32_t borrower)
{
    uint64_t h = ((uint64_t)fr << 32 | borrower) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = (uint32_t)(h >> 32);; i++) {
        struct bucket *b = &ls->buckets[i & (ls->cap_buckets - 1)];
        if (!b->used || (b->fr == fr && b->borrower == borrower))
            return b;
    }
}

static uint32_t first_of(const struct loans *ls, uint32_t fr, uint32_t borrower)
{
    if (!ls->cap_buckets)
        return NONE;
    const struct bucket *b = probe(ls, fr, borrower);
    return b->used ? b->first : NONE;
}

static struct bucket *bucket_of(struct loans *ls, uint32_t fr, uint32_t borrower)
{
    struct bucket *b = probe(ls, fr, borrower);
    if (!b->used) {
        *b = (struct bucket){fr, borrower, NONE, true};
        ls->nbuckets++;
    }
    return b;
}

/* At most half full. */
static int reserve_buckets(struct loans *ls, uint32_t more)
{
    uint64_t need = ((uint64_t)ls->nbuckets + more) * 2, cap = ls->cap_buckets ? ls->cap_buckets : 16;
    while (cap < need)
        cap *= 2;
    if (cap == ls->cap_buckets)
        return 0;
    if (cap > UINT32_MAX / 2)
        return ERR_NOMEM;
    struct bucket *old = ls->buckets, *table = mem_zalloc(cap, sizeof *table);
    if (!table)
        return ERR_NOMEM;
    uint32_t old_cap = ls->cap_buckets;
    ls->buckets = table;
    ls->cap_buckets = (uint32_t)cap;
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].used)
            *probe(ls, old[i].fr, old[i].borrower) = old[i];
    mem_free(old);
    return 0;
}

static int reserve(struct loans *ls, uint32_t loans, uint32_t events)
{
    uint32_t beyond = loans > ls->nfree ? loans - ls->nfree : 0;
    if (reserve_buckets(ls, loans) ||
        mem_grow((void **)&ls->slots, &ls->cap_slots, ls->nslots + beyond, sizeof *ls->slots) ||
        mem_grow((void **)&ls->events, &ls->cap_events, ls->nevents + events, sizeof *ls->events))
        return ERR_NOMEM;
    return 0;
}

static uint32_t take_slot(struct loans *ls)
{
    uint32_t i = ls->free;
    if (i == NONE) {
        i = ls->nslots++;
    } else {
        ls->free = ls->slots[i].next;
        ls->nfree--;
    }
    ls->slots[i].used = true;
    return i;
}

static void drop_slot(struct loans *ls, uint32_t i)
{
    ls->slots[i].used = false;
    ls->slots[i].next = ls->free;
    ls->free = i;
    ls->nfree++;
}

/* ---- settling ------------------------------------------------------------------------------------------------------------- */

static void begin_event(struct loans *ls, const struct loan *l)
{
    ls->events[ls->nevents++] = (struct loan_event){*l, WHEN_NONE, LOAN_OPEN};
}

static void end_event(struct loans *ls, const struct loan *l, when_ns now, enum loan_end end)
{
    ls->events[ls->nevents++] = (struct loan_event){*l, now, end};
}

static int gather(struct loans *ls, const struct tree *t, uint32_t fr)
{
    struct settle *s = &ls->settle;
    for (uint32_t i = 0; i < t->nnodes; i++) {
        if (t->nodes[i].cq == TREE_NONE)
            continue;
        for (uint32_t k = first_of(ls, fr, t->nodes[i].name); k != NONE; k = ls->slots[k].next) {
            const struct loan *l = &ls->slots[k].loan;
            if (mem_grow((void **)&s->old, &s->cap_old, s->nold + 1, sizeof *s->old))
                return ERR_NOMEM;
            s->old[s->nold++] = (struct settle_old){
                .node = i, .loan = k, .lender = l->lender, .amount = l->amount, .began = l->began};
        }
    }
    return 0;
}

/* One borrower's part of a result, and what is to be told of it. */
struct borrower {
    const struct loan_change *change;
    uint32_t fr, name;
    bool reclaimed;
    uint32_t old, old_end;     /* in settle.old */
    uint32_t fresh, fresh_end; /* in settle.order */
    amount fall;               /* of the need, not yet attributed to a loan */
    amount moved;              /* what other loans give up to new ones, not yet attributed */
};

static amount cut_of(const struct settle_old *o)
{
    return amount_max(0, o->amount - o->kept);
}

/* How much the need fell, and how much moves from one lender to another. */
static void explain(const struct settle *s, struct borrower *b)
{
    amount sum = 0, cuts = 0;
    for (uint32_t i = b->old; i < b->old_end; i++) {
        sum += s->old[i].kept - s->old[i].amount;
        cuts += cut_of(&s->old[i]);
    }
    for (uint32_t i = b->fresh; i < b->fresh_end; i++)
        sum += s->fresh[s->order[i]].amount;
    b->fall = amount_max(0, -sum);
    b->moved = cuts - b->fall;
}

/* What explains the larger part. */
static enum loan_end end_reason(struct borrower *b, const struct settle_old *o)
{
    if (o->kept >= o->amount)
        return LOAN_END_REFINANCED;
    amount fallen = amount_min(b->fall, cut_of(o));
    b->fall -= fallen;
    if (fallen >= cut_of(o) - fallen)
        return b->reclaimed ? LOAN_END_RECLAIMED : LOAN_END_RETURNED;
    return b->change->quota ? LOAN_END_QUOTA : LOAN_END_REFINANCED;
}

/* Loans that the lender could have left as they were explain the fall of the need before others. */
static void find_reasons(struct settle *s, struct borrower *b)
{
    for (int tight = 0; tight <= 1; tight++)
        for (uint32_t i = b->old; i < b->old_end; i++)
            if (s->old[i].tight == tight)
                s->old[i].end = end_reason(b, &s->old[i]);
}

static uint32_t begin_loan(struct loans *ls, struct borrower *b, const struct settle_new *f)
{
    uint32_t k = take_slot(ls);
    struct loan *l = &ls->slots[k].loan;
    *l = (struct loan){b->fr, b->name, f->lender, f->amount, b->change->now, LOAN_BEGIN_BORROWED};
    if (b->moved > 0) {
        l->begin = LOAN_BEGIN_REFINANCED;
        b->moved -= amount_min(b->moved, f->amount);
    }
    begin_event(ls, l);
    return k;
}

/* Returns the slot of the loan or NONE when it is gone. */
static uint32_t change_loan(struct loans *ls, struct borrower *b, const struct settle_old *o)
{
    struct loan *l = &ls->slots[o->loan].loan;
    if (o->kept == o->amount)
        return o->loan;
    if (o->kept > o->amount)
        b->moved -= amount_min(b->moved, o->kept - o->amount);
    end_event(ls, l, b->change->now, o->end);
    if (o->kept == 0) {
        drop_slot(ls, o->loan);
        return NONE;
    }
    l->amount = o->kept;
    l->began = b->change->now;
    begin_event(ls, l);
    return o->loan;
}

static void commit_borrower(struct loans *ls, struct borrower *b)
{
    struct settle *s = &ls->settle;
    explain(s, b);
    find_reasons(s, b);
    uint32_t first = NONE, last = NONE;
    while (b->old < b->old_end || b->fresh < b->fresh_end) {
        const struct settle_new *f = b->fresh < b->fresh_end ? &s->fresh[s->order[b->fresh]] : NULL;
        uint32_t k;
        if (b->old < b->old_end &&
            (!f || loan_lender_compare(ls->names, s->old[b->old].lender, f->lender) < 0)) {
            k = change_loan(ls, b, &s->old[b->old++]);
        } else {
            k = begin_loan(ls, b, f);
            b->fresh++;
        }
        if (k == NONE)
            continue;
        ls->slots[k].next = NONE;
        if (last == NONE)
            first = k;
        else
            ls->slots[last].next = k;
        last = k;
    }
    bucket_of(ls, b->fr, b->name)->first = first;
}

static void commit(struct loans *ls, const struct tree *t, uint32_t fr, const struct loan_change *change)
{
    const struct settle *s = &ls->settle;
    uint32_t old = 0, fresh = 0;
    while (old < s->nold || fresh < s->nfresh) {
        uint32_t node = old < s->nold ? s->old[old].node : NONE;
        if (fresh < s->nfresh && s->fresh[s->order[fresh]].node < node)
            node = s->fresh[s->order[fresh]].node;
        struct borrower b = {change, fr, t->nodes[node].name, s->n[node].reclaimed, old, old, fresh, fresh,
                             0,      0};
        bool changes = false;
        for (; b.old_end < s->nold && s->old[b.old_end].node == node; b.old_end++)
            changes |= s->old[b.old_end].kept != s->old[b.old_end].amount;
        while (b.fresh_end < s->nfresh && s->fresh[s->order[b.fresh_end]].node == node)
            b.fresh_end++;
        old = b.old_end;
        fresh = b.fresh_end;
        if (changes || b.fresh < b.fresh_end)
            commit_borrower(ls, &b);
    }
}

int loans_settle(struct loans *ls, const struct tree *t, uint32_t fr, const struct loan_change *change,
                 struct err *err)
{
    struct settle *s = &ls->settle;
    if (settle_begin(s, t, tree_col(t, fr)) || gather(ls, t, fr))
        return no_memory(err);
    bool any = s->nold > 0;
    for (uint32_t i = 0; i < t->nnodes && !any; i++)
        any = s->n[i].need > 0;
    if (!any)
        return 0;
    settle_mark_reclaims(s, change->reclaims, change->nreclaims);
    if (settle_run(s))
        return no_memory(err);
    uint32_t changed = 0;
    for (uint32_t i = 0; i < s->nold; i++)
        changed += s->old[i].kept != s->old[i].amount;
    if (reserve(ls, s->nfresh, changed * 2 + s->nfresh))
        return no_memory(err);
    commit(ls, t, fr, change);
    return 0;
}

/* Pairs that have left the tree: its borrowers have nothing more to borrow. */
static int settle_forgotten(struct loans *ls, const struct tree *t, const struct loan_change *change,
                            struct err *err)
{
    if (settle_begin(&ls->settle, t, TREE_NONE))
        return no_memory(err);
    for (uint32_t i = 0; i < ls->nslots; i++) {
        const struct slot *slot = &ls->slots[i];
        if (!slot->used || settle_find(&ls->settle, false, slot->loan.borrower) == TREE_NONE ||
            tree_col(t, slot->loan.fr) != TREE_NONE)
            continue;
        int r = loans_settle(ls, t, slot->loan.fr, change, err);
        if (r)
            return r;
    }
    return 0;
}

int loans_settle_tree(struct loans *ls, const struct tree *t, const struct loan_change *change,
                      struct err *err)
{
    for (uint32_t col = 0; col < t->ncols; col++) {
        int r = loans_settle(ls, t, t->fr[col], change, err);
        if (r)
            return r;
    }
    return settle_forgotten(ls, t, change, err);
}

int loans_drop(struct loans *ls, uint32_t borrower, when_ns now, struct err *err)
{
    struct loan_filter f = {.fr = LOANS_ANY, .borrower = borrower};
    const struct loan *const *list;
    uint32_t n;
    if (loans_list(ls, &f, &list, &n, err))
        return ERR_NOMEM;
    if (reserve(ls, 0, n))
        return no_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        end_event(ls, list[i], now, LOAN_END_RETURNED);
        bucket_of(ls, list[i]->fr, borrower)->first = NONE;
        drop_slot(ls, ls->order[i]);
    }
    return 0;
}

/* ---- questions ------------------------------------------------------------------------------------------------------------ */

const struct loan_event *loans_events(const struct loans *ls, uint32_t *ret_n)
{
    *ret_n = ls->nevents;
    return ls->events;
}

void loans_clear_events(struct loans *ls)
{
    ls->nevents = 0;
}

const struct loan *loans_next(const struct loans *ls, uint32_t fr, uint32_t borrower, const struct loan *prev)
{
    /* `loan` is the first member of its slot. */
    uint32_t k = prev ? ((const struct slot *)prev)->next : first_of(ls, fr, borrower);
    return k == NONE ? NULL : &ls->slots[k].loan;
}

static bool same_lender(struct loan_lender a, struct loan_lender b)
{
    return a.kind == b.kind && a.name == b.name;
}

static bool passes(const struct loan_filter *f, const struct loan *l)
{
    return (f->fr == LOANS_ANY || f->fr == l->fr) &&
           (f->borrower == LOANS_ANY || f->borrower == l->borrower) &&
           (!f->by_lender || same_lender(f->lender, l->lender));
}

struct list_order {
    const struct loans *ls;
    bool lenders_first;
};

static int compare_listed(const void *ctx, uint32_t x, uint32_t y)
{
    const struct list_order *o = ctx;
    const struct loan *a = &o->ls->slots[x].loan, *b = &o->ls->slots[y].loan;
    int lender = loan_lender_compare(o->ls->names, a->lender, b->lender);
    int borrower = a->borrower == b->borrower
                       ? 0
                       : strcmp(names_text(o->ls->names, a->borrower), names_text(o->ls->names, b->borrower));
    int first = o->lenders_first ? lender : borrower;
    if (first)
        return first;
    if (a->fr != b->fr)
        return a->fr < b->fr ? -1 : 1;
    return o->lenders_first ? borrower : lender;
}

int loans_list(struct loans *ls, const struct loan_filter *f, const struct loan *const **ret, uint32_t *ret_n,
               struct err *err)
{
    uint32_t n = 0;
    if (mem_grow((void **)&ls->list, &ls->cap_list, ls->nslots, sizeof *ls->list) ||
        mem_grow((void **)&ls->order, &ls->cap_order, ls->nslots, sizeof *ls->order))
        return no_memory(err);
    for (uint32_t i = 0; i < ls->nslots; i++)
        if (ls->slots[i].used && passes(f, &ls->slots[i].loan))
            ls->order[n++] = i;
    settle_sort(ls->order, n, compare_listed, &(struct list_order){ls, f->lenders_first});
    for (uint32_t i = 0; i < n; i++)
        ls->list[i] = &ls->slots[ls->order[i]].loan;
    *ret = ls->list;
    *ret_n = n;
    return 0;
}

amount loans_lent(const struct loans *ls, uint32_t fr, struct loan_lender lender)
{
    amount sum = 0;
    for (uint32_t i = 0; i < ls->nslots; i++) {
        const struct loan *l = &ls->slots[i].loan;
        if (ls->slots[i].used && l->fr == fr && same_lender(l->lender, lender))
            sum = amount_add(sum, l->amount);
    }
    return sum;
}

uint32_t loans_count(const struct loans *ls)
{
    return ls->nslots - ls->nfree;
}
