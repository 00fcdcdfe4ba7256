#include "ledger/book_priv.h"

#include <string.h>

struct book *book_new(struct world *w)
{
    struct book *b = mem_zalloc(1, sizeof(*b));

    if (b)
        b->w = w;
    return b;
}

static void free_held(struct book *b, struct book_held *h)
{
    HASH_DEL(b->held, h);
    mem_free(h->uses);
    mem_free(h->uid);
    mem_free(h);
}

void book_free(struct book *b)
{
    struct book_held *h, *next;

    if (!b)
        return;
    HASH_ITER (hh, b->held, h, next) {
        free_held(b, h);
    }
    book_free_loans(b);
    book_free_quotas(b);
    mem_free(b->scratch);
    mem_free(b);
}

const char *book_text(const struct book *b, uint32_t name)
{
    return names_text(world_names(b->w), name);
}

int book_name(const struct book *b, const char *text, uint32_t *ret)
{
    return names_id(world_names(b->w), text, ret);
}

/* ---- usage -------------------------------------------------------------------------------------------------------------- */

static struct row_usage row_of(const struct book *b, const struct book_held *h, const struct book_use *u)
{
    return (struct row_usage){
        .workload = {h->uid, book_text(b, h->ns), h->name, book_text(b, h->queue)},
        .cluster_queue = book_text(b, u->cluster_queue),
        .flavor = book_text(b, u->flavor),
        .resource = book_text(b, u->resource),
        .amount = u->amount,
        .began = u->began,
        .inferred = u->inferred,
    };
}

static void close_use(const struct book *b, const struct book_held *h, const struct book_use *u, when_ns at,
                      const char *end, bool inferred, struct rows *r)
{
    struct row_usage row = row_of(b, h, u);

    row.inferred = row.inferred || inferred;
    rows_usage_closes(r, &row, at, end);
}

static struct book_held *find_held(const struct book *b, const char *uid)
{
    struct book_held *h;

    HASH_FIND(hh, b->held, uid, strlen(uid), h);
    return h;
}

/* uid and name in one block. */
static struct book_held *add_held(struct book *b, const char *uid, const char *name)
{
    size_t nuid = strlen(uid), nname = strlen(name);
    struct book_held *h = mem_zalloc(1, sizeof(*h));
    char *texts = mem_alloc(nuid + nname + 2);

    if (h && texts) {
        memcpy(texts, uid, nuid + 1);
        memcpy(texts + nuid + 1, name, nname + 1);
        h->uid = texts;
        h->name = texts + nuid + 1;
        HASH_ADD_KEYPTR(hh, b->held, h->uid, nuid, h);
        if (h->hh.tbl)
            return h;
    }
    mem_free(texts);
    mem_free(h);
    return NULL;
}

static int add_use(struct book *b, struct book_held *h, struct book_use u)
{
    if (mem_grow((void **)&h->uses, &h->cap, h->n + 1, sizeof(*h->uses)))
        return ERR_NOMEM;
    h->uses[h->n++] = u;
    b->nusages++;
    return 0;
}

static void drop_use(struct book *b, struct book_held *h, uint32_t i)
{
    h->uses[i] = h->uses[--h->n];
    b->nusages--;
}

static uint32_t find_use(const struct book_held *h, uint32_t flavor, uint32_t resource)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (h->uses[i].flavor == flavor && h->uses[i].resource == resource)
            return i;
    return NONE;
}

/* What it holds now by pair, its pod sets added up, in b->scratch. */
static int add_up(struct book *b, const struct wl *wl, uint32_t *ret_n)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
            const struct slot *s = &wl->slots[wl->pod_sets[i].first + k];
            uint32_t at = 0;
            if (s->fr == NONE || s->amount <= 0)
                continue;
            while (at < n && b->scratch[at].fr != s->fr)
                at++;
            if (at == n) {
                if (mem_grow((void **)&b->scratch, &b->cap_scratch, n + 1, sizeof(*b->scratch)))
                    return ERR_NOMEM;
                b->scratch[n++] = (struct book_sum){.fr = s->fr};
            }
            b->scratch[at].amount = amount_add(b->scratch[at].amount, s->amount);
        }
    for (uint32_t i = 0; i < n; i++) {
        struct pair_names p = world_pair(b->w, b->scratch[i].fr);
        if (book_name(b, p.flavor, &b->scratch[i].flavor) ||
            book_name(b, p.resource, &b->scratch[i].resource))
            return ERR_NOMEM;
    }
    *ret_n = n;
    return 0;
}

/* An interval goes on if it is the same. One that was reserved later than the book knew is another one: the end of the first was missed. */
static bool goes_on(const struct book_use *u, const struct book_sum *s, uint32_t cluster_queue, when_ns at)
{
    return u->amount == s->amount && u->cluster_queue == cluster_queue && at <= u->began;
}

static int hold_pair(struct book *b, struct book_held *h, const struct book_sum *s, const struct wl *wl,
                     when_ns at, when_ns now, struct rows *r)
{
    uint32_t i = find_use(h, s->flavor, s->resource);
    struct book_use u = {.flavor = s->flavor,
                         .resource = s->resource,
                         .cluster_queue = wl->admission,
                         .amount = s->amount,
                         .began = at,
                         .seen = b->round};

    if (i != NONE && goes_on(&h->uses[i], s, wl->admission, at)) {
        h->uses[i].recalled = false;
        h->uses[i].seen = b->round;
        return 0;
    }
    if (i != NONE) {
        struct book_use *old = &h->uses[i];
        bool again = at > old->began; /* another reservation, or the same one with another amount */
        u.began = again ? at : now;
        close_use(b, h, old, u.began, again ? "released" : "resized", old->recalled, r);
        drop_use(b, h, i);
    } else if (h->n && !h->fresh)
        u.began = now; /* a pair that came later than the reservation */
    int rc = add_use(b, h, u);
    const struct row_usage row = row_of(b, h, &u);
    rows_usage_opens(r, &row);
    return rc;
}

/* Pairs that it holds no longer, though it still holds something. */
static void end_unseen(struct book *b, struct book_held *h, when_ns now, struct rows *r)
{
    for (uint32_t i = 0; i < h->n;) {
        if (h->uses[i].seen == b->round) {
            i++;
            continue;
        }
        close_use(b, h, &h->uses[i], now, "resized", h->uses[i].recalled, r);
        drop_use(b, h, i);
    }
}

int book_hold(struct book *b, const struct wl *wl, when_ns at, when_ns now, struct rows *r, struct err *err)
{
    const char *uid = *wl->uid ? wl->uid : wl->key;
    struct book_held *h = find_held(b, uid);
    uint32_t n = 0;
    int rc = add_up(b, wl, &n);
    bool fresh = !h;

    if (!rc && fresh && n && !(h = add_held(b, uid, wl->name)))
        rc = ERR_NOMEM;
    if (rc)
        return err_set(err, rc, "out of memory for the book");
    if (!h)
        return 0;
    b->round++;
    h->fresh = fresh;
    h->ns = wl->ns;
    h->queue = wl->queue;
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = hold_pair(b, h, &b->scratch[i], wl, at, now, r);
    if (rc)
        return err_set(err, rc, "out of memory for the book");
    end_unseen(b, h, now, r);
    if (!h->n)
        free_held(b, h);
    return 0;
}

static void let_go(struct book *b, struct book_held *h, when_ns at, const char *end, bool inferred,
                   struct rows *r)
{
    for (uint32_t i = 0; i < h->n; i++)
        close_use(b, h, &h->uses[i], at, end, inferred, r);
    b->nusages -= h->n;
    free_held(b, h);
}

void book_let_go(struct book *b, const char *uid, when_ns at, const char *end, struct rows *r)
{
    struct book_held *h = find_held(b, uid);

    if (h)
        let_go(b, h, at, end, false, r);
}

bool book_holds(const struct book *b, const char *uid)
{
    return find_held(b, uid) != NULL;
}

/* ---- start -------------------------------------------------------------------------------------------------------------- */

int book_recall_usage(struct book *b, const struct row_usage *u)
{
    struct book_held *h = find_held(b, u->workload.uid);
    struct book_use use = {.amount = u->amount, .began = u->began, .inferred = u->inferred, .recalled = true};

    if (!h)
        h = add_held(b, u->workload.uid, u->workload.name);
    if (!h || book_name(b, u->workload.ns, &h->ns) || book_name(b, u->workload.queue, &h->queue) ||
        book_name(b, u->cluster_queue, &use.cluster_queue) || book_name(b, u->flavor, &use.flavor) ||
        book_name(b, u->resource, &use.resource))
        return ERR_NOMEM;
    return add_use(b, h, use);
}

static bool unconfirmed(const struct book_held *h)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (h->uses[i].recalled)
            return true;
    return false;
}

void book_started(struct book *b, when_ns now, struct rows *r)
{
    struct book_held *h, *next;

    HASH_ITER (hh, b->held, h, next) {
        if (unconfirmed(h))
            let_go(b, h, now, "unknown", true, r);
    }
    book_started_loans(b, now, r);
}

void book_restate(struct book *b, struct rows *r)
{
    struct book_held *h, *next;

    rows_nothing_open(r, true, true);
    HASH_ITER (hh, b->held, h, next) {
        for (uint32_t i = 0; i < h->n; i++) {
            const struct row_usage row = row_of(b, h, &h->uses[i]);
            rows_usage_opens(r, &row);
        }
    }
    book_restate_loans(b, r);
    book_free_quotas(b);
}

uint32_t book_open_usages(const struct book *b)
{
    return b->nusages;
}
