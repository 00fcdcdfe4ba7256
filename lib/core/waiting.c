#include "core/waiting.h"

#include "core/world_priv.h"

bool waiting_misconfigured(const struct world *w, const struct wl *wl, struct str *ret_message)
{
    const struct cluster_queue *cq = world_queue_of(w, wl);
    const char *ns = names_text(w->names, wl->ns);
    bool exists = true;

    if (cq && !namespace_matches(w, cq, wl->ns, &exists)) {
        if (exists)
            str_add(ret_message, "workload namespace doesn't match ClusterQueue selector");
        else
            str_addf(ret_message, "workload namespace \"%s\" does not exist: namespaces \"%s\" not found", ns,
                     ns);
        return true;
    }
    if (!wl->invalid)
        return false;
    str_add(ret_message, wl->invalid);
    return true;
}

bool waiting_parked_reason(const struct world *w, const struct wl *wl, enum wait_reason *ret)
{
    const struct cluster_queue *cq = world_queue_of(w, wl);

    return cq && pending_parked_reason(&cq->pending, wl, ret);
}
