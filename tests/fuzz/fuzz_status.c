/* Bytes as a Workload -> its status, evicted -> a patch that is JSON, and that leaves nothing to write when it was applied to nothing; bytes as
 * a queue -> a digest. */
#include "api/json.h"
#include "api/queue_json.h"
#include "api/wl_json.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_patch(const struct wl_json_patch *p, struct arena *a, struct arena *scratch, bool want)
{
    const struct doc_node *n;
    struct str s;
    struct err err;
    bool changed;

    str_init(&s, 0);
    require(wl_json_patch(p, &s, &changed) == 0 && changed == want && changed == (s.len > 0));
    if (changed)
        require(json_read(a, scratch, str_text(&s), s.len, 1, &n, &err) == 0 &&
                doc_is(doc_field(n, "status"), DOC_MAP));
    str_free(&s);
}

static void check_workload(const struct doc_node *root, struct arena *a, struct arena *scratch)
{
    struct object o;
    struct status s;
    struct wl_json_base base;
    struct wl_json_rest *rest = NULL;
    struct wl_json_patch p = {.uid = "", .resource_version = "1", .from = &base, .to = &s};

    if (api_read_as(API_WORKLOAD, root, a, API_LENIENT, NULL, &o, NULL))
        return;
    status_init(&s);
    require(wl_json_read(root, &o.workload, &s, &base, &rest) == 0);
    p.rest = rest;
    /* What contradicts itself is set right by the next write: an admission whose quota is gone. */
    check_patch(&p, a, scratch,
                base.has_admission && s.cond[COND_QUOTA_RESERVED].status != STATUS_TRUE &&
                    s.cond[COND_QUOTA_RESERVED].status != STATUS_ABSENT);
    require(status_evict(&s, "Preempted", "", "m", 0, 1) == 0);
    check_patch(&p, a, scratch, true);
    wl_json_rest_free(rest);
    status_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    struct arena a, scratch;
    struct err err;
    const struct doc_node *root;
    struct cond c = {.since = WHEN_NONE};

    arena_init(&a, 4096);
    arena_init(&scratch, 4096);
    if (json_read(&a, &scratch, (const char *)data, size, 1, &root, &err) == 0) {
        check_workload(root, &a, &scratch);
        require(queue_json_digest_of(API_CLUSTER_QUEUE, root) != 0);
        require(queue_json_digest_of(API_LOCAL_QUEUE, root) != 0);
        require(queue_json_active(root, &c) == 0);
        mem_free(c.reason);
        mem_free(c.message);
    }
    arena_free(&a);
    arena_free(&scratch);
    require(mem_live() == live);
    return 0;
}
