/* replay: sends what was recorded, from a client that does nothing else: the least that the same writes cost. A line of the record:
 *
 *     US WHO KEY VERB PATH TYPE BODY        separated by tabs
 *
 * US: when, from the first; WHO: 0 the bench, 1 the controller, each with its own connection, identity and bound on what is in flight; KEY: number
 * of the object. Requests of one object follow each other, the next when the one before was answered. */
#include "base/mem.h"
#include "bench_cluster.h"
#include "bench_cluster_drive.h"
#include "kube/credentials.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WHOS = 2, FILE_MAX = 2000000000, BENCH_MAX = 154, CONTROLLER_MAX = 16 };

struct entry {
    int64_t at_ns;
    struct replay *r;
    struct entry *next; /* in its key's line, or among those that may go */
    uint32_t who, key;
    enum kube_verb verb;
    const char *path, *type, *body;
    size_t len;
};

struct line {
    struct entry *first, **end;
    bool busy;
};

struct replay {
    struct drive d;
    struct client c[WHOS];
    struct watch *watch;
    struct timer timer;
    char *text;
    struct entry *entries;
    uint32_t n, cap, next, done;
    struct line *keys;
    uint32_t nkeys;
    struct line ready[WHOS];
    bool asap;
    int64_t begin;
};

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static enum kube_verb verb_of(const char *text)
{
    static const char *const verbs[KUBE_VERBS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (int i = 0; i < KUBE_VERBS; i++)
        if (!strcmp(text, verbs[i]))
            return (enum kube_verb)i;
    drive_die("record", text);
}

static char *cut(char **rest, char at)
{
    char *field = *rest, *end = strchr(field, at);

    if (!end)
        drive_die("record", "is cut");
    *end = 0;
    *rest = end + 1;
    return field;
}

static void read_line(struct replay *r, char **rest)
{
    if (mem_grow((void **)&r->entries, &r->cap, r->n + 1, sizeof(*r->entries)))
        drive_die("memory", "exhausted");
    struct entry *e = &r->entries[r->n++];
    *e = (struct entry){.r = r};
    e->at_ns = strtoll(cut(rest, '\t'), NULL, 10) * 1000;
    e->who = (uint32_t)strtoul(cut(rest, '\t'), NULL, 10) % WHOS;
    e->key = (uint32_t)strtoul(cut(rest, '\t'), NULL, 10);
    e->verb = verb_of(cut(rest, '\t'));
    e->path = cut(rest, '\t');
    e->type = cut(rest, '\t');
    e->body = cut(rest, '\n');
    e->len = strlen(e->body);
    if (e->key >= r->nkeys)
        r->nkeys = e->key + 1;
}

static void read_record(struct replay *r, const char *path)
{
    struct err err;
    size_t len;

    if (credentials_read_file(path, FILE_MAX, &r->text, &len, &err))
        drive_die("record", err.text);
    char *rest = r->text;
    while (*rest)
        read_line(r, &rest);
    r->keys = drive_memory(r->nkeys * sizeof(*r->keys));
    for (uint32_t i = 0; i < r->nkeys; i++)
        r->keys[i].end = &r->keys[i].first;
    for (uint32_t i = 0; i < WHOS; i++)
        r->ready[i].end = &r->ready[i].first;
}

/* ---- sending --------------------------------------------------------------------------------------------------------------- */

static void put(struct line *l, struct entry *e)
{
    e->next = NULL;
    *l->end = e;
    l->end = &e->next;
}

static struct entry *take(struct line *l)
{
    struct entry *e = l->first;

    if (!e)
        return NULL;
    l->first = e->next;
    if (!l->first)
        l->end = &l->first;
    return e;
}

static void send_ready(struct replay *r, uint32_t who);

static void on_done(void *arg, int status, const char *body)
{
    struct entry *e = arg, *follower;
    struct replay *r = e->r;
    struct line *key = &r->keys[e->key];
    uint32_t who = e->who;

    (void)status;
    (void)body;
    key->busy = false;
    if (++r->done == r->n)
        r->d.over = true;
    follower = take(key);
    if (follower) {
        key->busy = true;
        put(&r->ready[follower->who], follower);
        send_ready(r, follower->who);
    }
    send_ready(r, who);
}

static void send_ready(struct replay *r, uint32_t who)
{
    static const uint32_t most[WHOS] = {BENCH_MAX, CONTROLLER_MAX};
    struct entry *e;

    while (r->c[who].running < most[who] && (e = take(&r->ready[who]))) {
        const struct client_request q = {
            .op = e->verb == KUBE_POST ? OP_CREATE : OP_OTHER,
            .verb = e->verb,
            .path = e->path,
            .content_type = e->type,
            .body = e->body,
            .len = e->len,
        };
        client_send(&r->c[who], &q, on_done, e);
    }
}

static void send_due(void *arg)
{
    struct replay *r = arg;
    int64_t now = drive_now(&r->d) - r->begin;

    while (r->next < r->n && (r->asap || r->entries[r->next].at_ns <= now)) {
        struct entry *e = &r->entries[r->next++];
        struct line *key = &r->keys[e->key];
        if (key->busy) {
            put(key, e);
            continue;
        }
        key->busy = true;
        put(&r->ready[e->who], e);
    }
    for (uint32_t i = 0; i < WHOS; i++)
        send_ready(r, i);
    if (r->next < r->n)
        timer_start(&r->d.timers, &r->timer, r->entries[r->next].at_ns - now);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static void on_begin(void *arg)
{
    (void)arg;
}

/* Somebody looks on, as in the run. */
static int on_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    (void)arg;
    (void)what;
    (void)json;
    (void)len;
    return 0;
}

static void on_synced(void *arg)
{
    struct replay *r = arg;

    if (r->begin)
        return;
    r->begin = drive_now(&r->d);
    timer_start(&r->d.timers, &r->timer, 0);
}

static void print(const struct replay *r)
{
    static const char *const names[WHOS] = {"bench", "controller"};

    printf("{\"sent\": %u, \"took_s\": %.1f", r->n, (double)(drive_now(&r->d) - r->begin) / 1e9);
    for (uint32_t i = 0; i < WHOS; i++) {
        printf(", \"%s\": {", names[i]);
        client_print_counts(&r->c[i]);
        printf("}");
    }
    printf("}\n");
}

void bench_replay(const struct bench_options *o)
{
    struct replay *r = drive_memory(sizeof(*r));
    const struct watch_handler h = {on_begin, on_object, on_synced, NULL, r};

    read_record(r, o->record);
    r->asap = o->asap;
    drive_open(&r->d);
    client_open(&r->c[0], &r->d, o->kubeconfig, "bench-cluster");
    client_open(&r->c[1], &r->d, o->other ? o->other : o->kubeconfig, "bench-cluster");
    timer_init(&r->timer, send_due, r);
    r->watch = client_watch(&r->c[0], &h);
    if (r->n)
        drive_run(&r->d);
    print(r);
    watch_free(r->watch);
    for (uint32_t i = 0; i < WHOS; i++)
        client_close(&r->c[i]);
    drive_close(&r->d);
    mem_free(r->text);
    mem_free(r->entries);
    mem_free(r->keys);
    mem_free(r);
}
