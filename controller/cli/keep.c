#include "cli/keep.h"

#include "cli/cli.h"

#include "core/loans.h"
#include "ledger/receipt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_A_BATCH = 2000 };

static int say(const char *command, const char *why)
{
    (void)fprintf(stderr, "sluice %s: --ledger: %s\n", command, why);
    return CLI_BAD_INPUT;
}

static void forget(struct keep *k)
{
    ledger_free(k->ledger);
    book_free(k->book);
    rows_free(&k->rows);
    *k = (struct keep){0};
}

int keep_open(struct keep *k, const char *command, const char *path, struct world *w, when_ns began)
{
    struct err err = {0};

    if (!access(path, F_OK)) {
        (void)err_set(&err, ERR_EXISTS, "%s is there already: each run gets a ledger of its own", path);
        return say(command, err.text);
    }
    rows_init(&k->rows);
    k->world = w;
    k->now = began;
    k->book = book_new(w);
    k->ledger = ledger_new(
        &(struct ledger_options){.path = path, .writer = command, .scratch = true, .any_filesystem = true});
    if (!k->book || !k->ledger)
        (void)err_set(&err, ERR_NOMEM, "out of memory, or the path is too long");
    else if (!ledger_open(k->ledger, began, &err))
        return CLI_OK;
    forget(k);
    return say(command, err.text);
}

static void flush(struct keep *k, uint32_t least)
{
    if (!k->failed && k->rows.n >= least)
        k->failed = ledger_write(k->ledger, &k->rows, k->now, &k->err) != 0;
    if (k->rows.n >= least)
        rows_clear(&k->rows);
}

int keep_close(struct keep *k, const char *command, when_ns ended)
{
    if (!k->ledger)
        return CLI_OK;
    k->now = ended;
    flush(k, 0);
    ledger_close(k->ledger, ended);
    int status = k->failed ? say(command, k->err.text) : CLI_OK;
    forget(k);
    return status;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static void decide(struct keep *k, const struct wl *wl, const char *what, const char *cluster_queue,
                   const char *reason, const char *message, when_ns since)
{
    const struct names *names = world_names(k->world);

    rows_decision(&k->rows, &(struct row_decision){
                                .id = ++k->decision,
                                .at = k->now,
                                .workload = {*wl->uid ? wl->uid : wl->key, names_text(names, wl->ns),
                                             wl->name, names_text(names, wl->queue)},
                                .what = what,
                                .cluster_queue = cluster_queue,
                                .reason = reason,
                                .message = message,
                                .since = since,
                            });
    rows_outcome(&k->rows, k->decision, k->now, "published");
}

static void evict(struct keep *k, const struct cycle *c, uint32_t i)
{
    const struct wl *wl = c->evicted[i];

    decide(k, wl, "evict", world_cq_place(k->world, wl->cq).name, "Preempted", "", WHEN_NONE);
    receipt_add(&k->rows, k->decision, k->world, c, i, k->now);
}

static void hold(struct keep *k, const struct wl *wl, when_ns at)
{
    if (!k->failed)
        k->failed = book_hold(k->book, wl, at, k->now, &k->rows, &k->err) != 0;
}

static void let_go(struct keep *k, const struct wl *wl, const char *end)
{
    book_let_go(k->book, *wl->uid ? wl->uid : wl->key, k->now, end, &k->rows);
}

static void take_loans(struct keep *k, const struct loan_event *events, uint32_t n)
{
    if (!k->failed)
        k->failed = book_loans(k->book, events, n, &k->rows, &k->err) != 0;
}

static void tell_quotas(struct keep *k)
{
    if (!k->quotas_told && !k->failed)
        k->failed = book_quotas(k->book, k->now, &k->rows, &k->err) != 0;
    k->quotas_told = true;
}

/* ---- simulation --------------------------------------------------------------------------------------------------------- */

/* Since when it waits: it appeared, or its quota was taken. */
static when_ns waits_since(const struct sim_wl *sw)
{
    const struct cond *reserved = &sw->status.cond[COND_QUOTA_RESERVED];

    return sw->wl->marks.evicted && reserved->status == STATUS_FALSE ? reserved->since : sw->arrival;
}

static void on_cycle(void *arg, const struct cycle *c)
{
    struct keep *k = arg;

    k->now = sim_time(k->sim);
    for (uint32_t i = 0; i < c->nevicted; i++)
        evict(k, c, i);
    for (uint32_t i = 0; i < c->ndecisions; i++) {
        const struct decision *d = &c->decisions[i];
        if (d->outcome == OUTCOME_ADMITTED)
            decide(k, d->w, "admit", world_cq_place(k->world, d->cq).name, "QuotaReserved", "",
                   waits_since(d->w->user));
    }
}

/* Evictions of a cycle have their row already; here are those for other reasons. */
static void on_changed(void *arg, const struct sim_wl *sw, const struct marks *before)
{
    struct keep *k = arg;
    const struct wl *wl = sw->wl;
    const struct marks *m = &wl->marks;
    const char *queue = sw->admission ? sw->admission->cluster_queue : "";

    k->now = sim_time(k->sim);
    if (m->evicted && !before->evicted && !m->preempted)
        decide(k, wl, "evict", queue, sw->status.cond[COND_EVICTED].reason,
               sw->status.cond[COND_EVICTED].message, WHEN_NONE);
    if (m->finished && !before->finished)
        decide(k, wl, "finish", queue, "Succeeded", "", WHEN_NONE);
    if (m->reserved && !m->finished)
        hold(k, wl, sw->status.cond[COND_QUOTA_RESERVED].since);
    else
        let_go(k, wl, m->finished ? "finished" : m->evicted ? "evicted" : "released");
}

static void on_step_end(void *arg)
{
    struct keep *k = arg;
    struct loans *loans = (struct loans *)(uintptr_t)world_loans(k->world);
    uint32_t n;
    const struct loan_event *events = loans_events(loans, &n);

    k->now = sim_time(k->sim);
    tell_quotas(k);
    take_loans(k, events, n);
    loans_clear_events(loans);
    flush(k, ROWS_A_BATCH);
}

/* Who holds quota in the files is in the world already. */
static void hold_first(struct keep *k, const struct sim_wl *sw)
{
    if (sw->wl && sw->wl->marks.reserved && !sw->wl->marks.finished)
        hold(k, sw->wl, sw->status.cond[COND_QUOTA_RESERVED].since);
}

void keep_sim(struct keep *k, struct sim *s)
{
    k->sim = s;
    for (uint32_t i = 0; i < sim_count(s); i++)
        hold_first(k, sim_at(s, i));
    sim_keep_history(s, &(struct sim_history){k, on_cycle, on_changed, on_step_end});
}

/* ---- replay ------------------------------------------------------------------------------------------------------------- */

static void on_loans(void *arg, const struct loan_event *events, uint32_t n)
{
    take_loans(arg, events, n);
}

void keep_replay(struct keep *k, struct replay *r)
{
    replay_watch_loans(r, on_loans, k);
}

void keep_note(struct keep *k, const struct replay_note *n)
{
    if (n->at > k->now || !k->quotas_told) {
        k->now = n->at;
        flush(k, ROWS_A_BATCH);
    }
    switch (n->event) {
    case REPLAY_ADMITTED:
        tell_quotas(k);
        decide(k, n->wl, "admit", n->queue, "QuotaReserved", "", n->since);
        hold(k, n->wl, n->at);
        break;
    case REPLAY_EVICTED:
        evict(k, n->cycle, n->evicted);
        break;
    case REPLAY_RELEASED:
        let_go(k, n->wl, "evicted");
        break;
    case REPLAY_FINISHED:
        decide(k, n->wl, "finish", n->queue, "Succeeded", "", WHEN_NONE);
        let_go(k, n->wl, "finished");
        break;
    case REPLAY_ARRIVED:
    case REPLAY_WAITS:
    default:
        break;
    }
}
