#include "jobs/patch.h"

#include "jobs/edit.h"

#include "api/labels.h"

#include <setjmp.h>
#include <string.h>

#define KUEUE "kueue.x-k8s.io/"

static void begin(struct str *out, const char *resource_version)
{
    str_add(out, "{\"metadata\":{\"resourceVersion\":");
    str_add_json(out, resource_version);
}

static int end(const struct str *out, struct err *err)
{
    return str_failed(out) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

int job_queue_patch(const char *resource_version, const char *queue, struct str *out, struct err *err)
{
    begin(out, resource_version);
    str_add(out, "},\"spec\":{\"queueName\":");
    if (*queue)
        str_add_json(out, queue);
    else
        str_add(out, "null");
    str_add(out, "}}");
    return end(out, err);
}

int job_gated_patch(const char *resource_version, const char *gated_by, struct str *out, struct err *err)
{
    begin(out, resource_version);
    str_add(out, ",\"annotations\":{\"" KUEUE "admission-gated-by\":");
    if (*gated_by)
        str_add_json(out, gated_by);
    else
        str_add(out, "null");
    str_add(out, "}}}");
    return end(out, err);
}

int job_priority_patch(const char *resource_version, const struct doc_node *made, struct str *out,
                       struct err *err)
{
    const struct doc_node *spec = doc_field(made, "spec"), *ref = doc_field(spec, "priorityClassRef");
    begin(out, resource_version);
    str_addf(out, "},\"spec\":{\"priority\":%lld,\"priorityClassRef\":",
             (long long)doc_i64_or(spec, "priority", 0));
    if (ref)
        edit_json(out, ref);
    else
        str_add(out, "null");
    str_add(out, "}}");
    return end(out, err);
}

/* ---- changes of the whole document -------------------------------------------------------------------------------------- */

struct change {
    const struct doc_node *workload, *made, *job;
    const struct job_kind *kind;
    struct arena *arena;
    const struct doc_node *result;
};

static int render(struct change *c, void (*fn)(struct change *c), struct str *out, struct err *err)
{
    jmp_buf bail;
    jmp_buf *const saved = c->arena->bail;
    struct arena_mark mark = arena_mark(c->arena);
    c->arena->bail = &bail;
    if (setjmp(bail) != 0) {
        c->arena->bail = saved;
        arena_rewind(c->arena, mark);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    fn(c);
    c->arena->bail = saved;
    edit_patch(out, c->workload, c->result);
    arena_rewind(c->arena, mark);
    return end(out, err);
}

static void update(struct change *c)
{
    const struct doc_node *active = doc_get(doc_field(c->workload, "spec"), "active");
    struct doc_node *spec = make_copy(c->arena, doc_field(c->made, "spec"));
    if (active)
        spec = edit_put(c->arena, spec, "active", make_copy(c->arena, active));
    c->result = edit_put(c->arena, c->workload, "spec", spec);
}

int job_update_workload_patch(const struct doc_node *workload, const struct doc_node *made,
                              struct arena *scratch, struct str *out, struct err *err)
{
    struct change c = {.workload = workload, .made = made, .arena = scratch};
    return render(&c, update, out, err);
}

static void adopt(struct change *c)
{
    struct arena *a = c->arena;
    const struct doc_node *meta = doc_field(c->job, "metadata"),
                          *owners = doc_path(c->workload, "metadata.ownerReferences");
    const char *uid = doc_str_or(meta, "uid", "");
    struct make list = make_list(a, 0), owner = make_map(a, 0);
    make_put_text(&owner, "apiVersion", doc_str_or(c->job, "apiVersion", ""));
    make_put_text(&owner, "kind", c->kind->kind);
    make_put_text(&owner, "name", doc_str_or(meta, "name", ""));
    make_put_text(&owner, "uid", uid);
    make_put_bool(&owner, "controller", true);
    make_put_bool(&owner, "blockOwnerDeletion", true);
    doc_foreach (o, doc_is(owners, DOC_LIST) ? owners : NULL) {
        if (strcmp(doc_str_or(o, "uid", ""), uid) != 0)
            make_put_copy(&list, NULL, o);
    }
    make_put(&list, NULL, owner.node);
    c->result = edit_put(a, c->workload, "metadata.ownerReferences", list.node);
    if (*uid && !label_value_problem(uid))
        c->result = edit_put_key(a, c->result, "metadata.labels", KUEUE "job-uid",
                                 make_scalar(a, 0, DOC_STRING, uid));
}

int job_adopt_patch(const struct job_docs *docs, struct str *out, struct err *err)
{
    struct change c = {
        .workload = docs->workload, .job = docs->job, .kind = docs->kind, .arena = docs->arena};
    return render(&c, adopt, out, err);
}

static void drop_finalizer(struct change *c)
{
    const struct doc_node *old = doc_path(c->workload, "metadata.finalizers");
    struct make list = make_list(c->arena, 0);
    doc_foreach (f, doc_is(old, DOC_LIST) ? old : NULL) {
        if (!doc_is_text(f, KUEUE "resource-in-use"))
            make_put_copy(&list, NULL, f);
    }
    c->result = edit_put(c->arena, c->workload, "metadata.finalizers", list.node->n ? list.node : NULL);
}

int job_finalizer_patch(const struct doc_node *workload, struct arena *scratch, struct str *out,
                        struct err *err)
{
    struct change c = {.workload = workload, .arena = scratch};
    return render(&c, drop_finalizer, out, err);
}
