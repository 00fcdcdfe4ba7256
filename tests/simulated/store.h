/* The objects of the simulated API server with their history: each change makes a version, versions are numbered one by one, and the
 * state at any number that has not expired can be listed (kubernetes.md 3.2). Who speaks HTTP is rest.h; who watches is simserver.h. */
#ifndef SLUICE_TESTS_SIMULATED_STORE_H
#define SLUICE_TESTS_SIMULATED_STORE_H

#include "base/when.h"
#include "simulated/resource.h"
#include "simulated/val.h"

#include <bsd/sys/tree.h>

struct entry;

/* One state of one object. Lives as long as the store. */
struct version {
    int64_t rv;
    bool deleted; /* `object` is the last state, with the version of the deletion */
    const struct val *object;
    struct entry *entry;
    const struct version *older; /* NULL: the object was created by this one */
    const char *text;            /* JSON, made when asked for: version_text */
    size_t len, head;            /* `head`: how much of it are kind and apiVersion */
};

/* What a manager applied last (3.11). */
struct applied {
    const char *manager, *sub;
    const struct val *object;
    struct applied *next;
};

struct entry {
    RB_ENTRY(entry) link;
    const struct resource *resource;
    const char *key; /* "ns/name" or "name" */
    const char *ns, *name;
    const struct version *newest;
    struct applied *applied;
    void *data, *law; /* of whoever models the cluster, of who watches over it; the store looks at neither */
};

RB_HEAD(entry_tree, entry);

/* Called after each change, before anything else happens. */
struct store_hook {
    void (*fn)(void *arg, const struct version *now);
    void *arg;
};

struct store {
    struct arena a;
    struct entry_tree kinds[RESOURCE_MAX];
    bool served[RESOURCE_MAX];
    struct version **log; /* log[i] has the version first_rv + i */
    uint32_t log_n, log_cap;
    int64_t first_rv, compacted; /* nothing can begin before `compacted` */
    uint64_t seed, serial;       /* where uids and generated names come from */
    when_ns (*wall)(void *arg);
    void *wall_arg;
    struct store_hook hooks[4];
    uint32_t hook_n;
    const char *actor; /* who writes just now; set by the caller, read by hooks */
};

/* NULL when memory is out. Has the namespaces default, kube-system and kube-node-lease. */
struct store *store_new(uint64_t seed, when_ns (*wall)(void *arg), void *arg);
void store_free(struct store *st);
void store_hook(struct store *st, void (*fn)(void *arg, const struct version *now), void *arg);

int64_t store_rv(const struct store *st); /* of the newest change */
/* The change with this number; NULL when it is gone or not yet there. */
const struct version *store_change(const struct store *st, int64_t rv);
/* Old versions up to this one expire (3.4). */
void store_compact(struct store *st, int64_t rv);

/* An object that is there; NULL when it is not. */
struct entry *store_find(struct store *st, const struct resource *r, const char *ns, const char *name);
/* The state at a version; NULL when it was not there. */
const struct version *store_at(const struct entry *e, int64_t rv);
/* Walks a kind in order of keys, those that are gone included: entry->newest->deleted. NULL at the end. */
struct entry *store_first(struct store *st, const struct resource *r);
struct entry *store_next(struct entry *e);

/* Puts a new state; sets the resourceVersion. `e` NULL: creates the entry. */
const struct version *store_commit(struct store *st, struct entry *e, const struct resource *r,
                                   const char *ns, const char *name, const struct val *object, bool deleted);

const char *store_uid(struct store *st);
const char *store_suffix(struct store *st); /* five letters */
const char *store_time(struct store *st);   /* now, RFC 3339 */
const char *version_text(struct store *st, const struct version *v, size_t *ret_len);

#endif
