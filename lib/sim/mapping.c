#include "sim/mapping.h"

#include "api/yaml.h"
#include "base/mem.h"
#include "base/quantity.h"

#include <string.h>

struct mapping {
    struct arena arena;
    const char *resource, *ns, *type_label;
    int64_t units;                          /* 0 = not given */
    const struct doc_node *tenants, *types; /* maps of strings, or NULL */
};

struct mapping *mapping_new(void)
{
    struct mapping *m = mem_zalloc(1, sizeof(*m));

    if (!m)
        return NULL;
    arena_init(&m->arena, 16384);
    m->resource = "nvidia.com/gpu";
    m->ns = "default";
    m->type_label = "";
    return m;
}

void mapping_free(struct mapping *m)
{
    if (m)
        arena_free(&m->arena);
    mem_free(m);
}

static int bad(const struct doc_node *n, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "line %u: %s: %s", n->line, n->key ? n->key : "mapping", why);
}

static int read_string(const struct doc_node *n, const char **ret, struct err *err)
{
    if ((n->type != DOC_STRING && n->type != DOC_NUMBER) || !*n->text)
        return bad(n, "must be a text", err);
    *ret = n->text;
    return 0;
}

static int read_map(const struct doc_node *n, const struct doc_node **ret, struct err *err)
{
    const char *text;

    if (n->type != DOC_MAP)
        return bad(n, "must be a map", err);
    doc_foreach (c, n) {
        int rc = read_string(c, &text, err);
        if (rc)
            return rc;
    }
    *ret = n;
    return 0;
}

static int read_field(struct mapping *m, const struct doc_node *n, struct err *err)
{
    if (!strcmp(n->key, "resource"))
        return read_string(n, &m->resource, err);
    if (!strcmp(n->key, "namespace"))
        return read_string(n, &m->ns, err);
    if (!strcmp(n->key, "gpuTypeLabel"))
        return read_string(n, &m->type_label, err);
    if (!strcmp(n->key, "tenants"))
        return read_map(n, &m->tenants, err);
    if (!strcmp(n->key, "gpuTypes"))
        return read_map(n, &m->types, err);
    if (strcmp(n->key, "unitsPerGpu") != 0)
        return bad(
            n, "is not known: there are resource, unitsPerGpu, namespace, tenants, gpuTypeLabel, gpuTypes",
            err);
    if (doc_i64(n, &m->units, NULL) || m->units < 1 || m->units > 1000000)
        return bad(n, "must be a number from 1 to 1000000", err);
    return 0;
}

int mapping_read(struct mapping *m, const char *text, uint64_t len, struct err *err)
{
    const struct doc_node *root;
    struct yaml *y = yaml_open(&m->arena, text, len, 1);

    if (!y)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = yaml_next(y, &root, err);
    if (rc == 1 && root->type == DOC_MAP) {
        rc = 0;
        for (const struct doc_node *n = root->first; n && !rc; n = n->next)
            rc = read_field(m, n, err);
    } else if (rc == 1) {
        rc = root->type == DOC_NULL ? 0 : bad(root, "must be a map", err);
    }
    yaml_close(y);
    return rc;
}

const char *mapping_resource(const struct mapping *m)
{
    return m->resource;
}

int64_t mapping_units(const struct mapping *m)
{
    if (m->units)
        return m->units;
    return resource_is_cpu(m->resource) ? 1000 : 1;
}

const char *mapping_type_label(const struct mapping *m)
{
    return m->type_label;
}

const char *mapping_type(const struct mapping *m, const char *gpu_type, uint32_t len)
{
    doc_foreach (c, m->types) {
        if (strlen(c->key) == len && !memcmp(c->key, gpu_type, len))
            return c->text;
    }
    return NULL;
}

void mapping_queue(const struct mapping *m, const char *tenant, const char **ret_ns, uint32_t *ret_ns_len,
                   const char **ret_name)
{
    const struct doc_node *n = doc_get(m->tenants, tenant);
    const char *text = n ? n->text : tenant, *slash = strchr(text, '/');

    *ret_ns = slash ? text : m->ns;
    *ret_ns_len = (uint32_t)(slash ? slash - text : (ptrdiff_t)strlen(m->ns));
    *ret_name = slash ? slash + 1 : text;
}
