#include "jobs/place.h"

#include <string.h>

struct climb {
    const char *seen[JOB_PLACE_MAX_HOPS + 1]; /* uids; "" is nobody's */
    uint32_t n;
};

static bool was_here(const struct climb *c, const char *uid)
{
    for (uint32_t i = 0; *uid && i < c->n; i++) {
        if (strcmp(c->seen[i], uid) == 0)
            return true;
    }
    return false;
}

struct job_ancestry job_place_of(const struct job_view *job, bool manage_without_queue, job_owner_fn *owner,
                                 void *arg)
{
    struct job_ancestry found = {.place = JOB_TOP, .ancestor_queue = ""};
    struct climb c = {.seen = {job->uid}, .n = 1};
    struct job_owner ref = job->owner;
    while (*ref.kind) {
        struct job_owner_view v;
        enum job_owner_known known = owner(arg, job->ns, &ref, &v);
        if (known == JOB_OWNER_MISSING)
            return (struct job_ancestry){.place = JOB_ORPHANED, .ancestor_queue = ""};
        if (known == JOB_OWNER_FOREIGN || strcmp(v.uid, ref.uid) != 0)
            break;
        if (was_here(&c, v.uid))
            return (struct job_ancestry){.place = JOB_CYCLE, .ancestor_queue = ""};
        if (c.n > JOB_PLACE_MAX_HOPS)
            return (struct job_ancestry){.place = JOB_TOO_DEEP, .ancestor_queue = ""};
        c.seen[c.n++] = v.uid;
        if (v.answers && (manage_without_queue || *v.queue))
            found = (struct job_ancestry){.place = JOB_CHILD, .ancestor = ref, .ancestor_queue = v.queue};
        ref = v.owner;
    }
    return found;
}
