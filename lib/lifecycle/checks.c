#include "lifecycle/checks.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKS_MAX = 64 }; /* the API allows fewer on a ClusterQueue */

static const struct status_check *find(const struct status *s, const char *name)
{
    for (uint32_t i = 0; i < s->nchecks; i++)
        if (!strcmp(s->checks[i].name, name))
            return &s->checks[i];
    return NULL;
}

/* Are exactly these there? More than required counts as surplus, so equal length and all found is equality. */
static bool in_line(const struct names *names, const struct status *s, const uint32_t *want, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!find(s, names_text(names, want[i])))
            return false;
    return s->nchecks == n;
}

static void list_free(struct status_check *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        mem_free(list[i].name);
        mem_free(list[i].message);
    }
    mem_free(list);
}

/* A copy of the old entry, or a Pending one. */
static struct status_check entry(const struct status_check *old, const char *name, when_ns now)
{
    struct status_check c = {.state = CHECK_PENDING, .since = now};

    if (old)
        c = *old;
    c.name = mem_strdup(name);
    c.message = mem_strdup(old ? old->message : "");
    return c;
}

int checks_sync(const struct world *w, const struct wl *wl, struct status *s, when_ns now, bool *ret_changed)
{
    const struct names *names = world_names(w);
    uint32_t want[CHECKS_MAX];
    uint32_t n = world_required_checks(w, wl, want, CHECKS_MAX);

    if (n > CHECKS_MAX)
        n = CHECKS_MAX;
    *ret_changed = !in_line(names, s, want, n);
    if (!*ret_changed)
        return 0;
    struct status_check *list = mem_zalloc(n ? n : 1, sizeof(*list));
    if (!list)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = names_text(names, want[i]);
        list[i] = entry(find(s, name), name, now);
        if (!list[i].name || !list[i].message) {
            list_free(list, i + 1);
            return ERR_NOMEM;
        }
    }
    list_free(s->checks, s->nchecks);
    s->checks = list;
    s->nchecks = n;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct status_check *const *)a)->name,
                  (*(const struct status_check *const *)b)->name);
}

bool checks_in_state(const struct status *s, enum check_state state, struct str *out)
{
    const struct status_check *found[CHECKS_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->nchecks && n < CHECKS_MAX; i++)
        if (s->checks[i].state == state)
            found[n++] = &s->checks[i];
    if (!n)
        return false;
    qsort(found, n, sizeof(found[0]), by_name);
    str_addf(out, "AdmissionCheck%s in %s state: ", n > 1 ? "s" : "", check_state_name(state));
    for (uint32_t i = 0; i < n; i++) {
        str_addf(out, "%s\"%s\"", i ? "; " : "", found[i]->name);
        if (*found[i]->message)
            str_addf(out, " (%s)", found[i]->message);
    }
    return true;
}
