/* Bytes as JSON -> a document whose tree is sound -> objects -> facts. */
#include "api/json.h"
#include "api/set.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_tree(const struct doc_node *n, uint32_t depth)
{
    require(depth <= DOC_MAX_DEPTH && n->text && n->line > 0);
    uint32_t count = 0;
    doc_foreach (c, n) {
        require(c->parent == n && c->index == count++ && (c->key != NULL) == (n->type == DOC_MAP));
        if (c->key)
            require(doc_get(n, c->key) == c); /* keys are unique */
        check_tree(c, depth + 1);
        if (count > 200)
            return; /* finding by key is linear: keep large inputs fast */
    }
    require(count == n->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    struct arena arena, scratch;
    struct err err;
    const struct doc_node *root;
    arena_init(&arena, 4096);
    arena_init(&scratch, 4096);
    if (json_read(&arena, &scratch, (const char *)data, size, 1, &root, &err) == 0) {
        check_tree(root, 1);
        require(doc_equal(root, root));
    }
    arena_free(&arena);
    arena_free(&scratch);
    struct api_set *s = api_set_new(0);
    require(s != NULL);
    require(api_read_buffer(s, "input.json", (const char *)data, size, &err) == 0);
    api_set_free(s);
    require(mem_live() == live);
    return 0;
}
