#include "vec_faults.h"

#include <string.h>

static const char *const kinds[][2] = {
    {"FieldValueInvalid", "Invalid value"},     {"FieldValueRequired", "Required value"},
    {"FieldValueDuplicate", "Duplicate value"}, {"FieldValueNotSupported", "Unsupported value"},
    {"FieldValueForbidden", "Forbidden"},       {"FieldValueTooMany", "Too many"},
    {"FieldValueTooLong", "Too long"},          {"FieldValueTypeInvalid", "Invalid value"},
};

/* The words with which a text about a field begins; the text itself when they are none of Kubernetes'. */
static const char *kind_of(const char *text)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(text, kinds[i][1], strlen(kinds[i][1])) == 0)
            return kinds[i][1];
    return text;
}

static void note(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    struct vec_faults *f = ctx;
    (void)line;
    f->any = f->any || is_error;
    /* What the schema of a kind requires is enforced before these rules: the objects of the tables need not have it. */
    const char *wanted = vec_text(f->v, doc_field(f->v->want, "wantErr"));
    bool schema = (strncmp(text, "Required value", 14) == 0 && !strstr(wanted, path)) ||
                  strstr(text, "must have the same number of podSets as the spec");
    if (is_error && !schema && f->n < VEC_FAULTS_MAX)
        f->got[f->n++] = vec_printf(f->v, "%s: %s", path, kind_of(text));
}

struct api_sink vec_faults_sink(struct vec *v, struct vec_faults *f)
{
    *f = (struct vec_faults){.v = v};
    return (struct api_sink){note, f};
}

/* The gates of the case, put over the defaults one by one. */
static struct gates case_gates(const struct vec *v)
{
    struct gates g = gates_default();
    for (uint32_t i = 0; i < v->ngates; i++)
        (void)!gates_set(&g, v->gates[i].name, v->gates[i].on, NULL);
    return g;
}

bool vec_faults_collect(struct vec *v, const struct doc_node *before, const struct doc_node *n,
                        struct vec_faults *f)
{
    struct api_sink sink = vec_faults_sink(v, f);
    const struct gates gates = case_gates(v);
    enum api_kind kind;
    struct err err;
    int rc = api_kind_of(n, &kind, &err);
    if (rc == 0)
        rc = api_validate_update(kind, before, n, &gates, v->arena, &sink, &err);
    if (rc == 0 || f->any)
        return true;
    vec_broken(v, "reading", &err);
    return false;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "field: Invalid value" of an entry {type, field}. */
static const char *wanted_text(struct vec *v, const struct doc_node *e)
{
    const char *words = doc_str_or(e, "type", "?");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i][0], words) == 0)
            words = kinds[i][1];
    return vec_printf(v, "%s: %s", doc_str_or(e, "field", "?"), words);
}

void vec_faults_compare(struct vec *v, const struct vec_faults *f, const char *prefix)
{
    const struct doc_node *want = vec_want(v, "wantErr");
    const char *got[VEC_FAULTS_MAX];
    uint32_t n = 0, wanted = 0;
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '[');
    doc_foreach (e, want) {
        str_add(&s, wanted++ ? "," : "");
        str_add_json(&s, wanted_text(v, e));
    }
    str_addc(&s, ']');
    for (uint32_t i = 0; i < f->n; i++)
        if (begins(f->got[i], prefix))
            got[n++] = f->got[i];
    vec_check_set(v, "wantErr", vec_read(v, str_text(&s)), got, n);
    str_free(&s);
}

void vec_faults_check(struct vec *v, const struct doc_node *before, const struct doc_node *object)
{
    struct vec_faults f;
    if (vec_faults_collect(v, before, object, &f))
        vec_faults_compare(v, &f, "");
}

void vec_faults_check_text(struct vec *v, const struct doc_node *before, const struct doc_node *object)
{
    const char *want = doc_str_or(vec_want(v, "wantErr"), "error", "");
    static const char *const roots[] = {"spec.", "status.", "metadata."};
    struct vec_faults f;
    uint32_t n = 0;
    if (!vec_faults_collect(v, before, object, &f))
        return;
    for (const char *p = want; *p; p++)
        for (int r = 0; r < 3; r++)
            n += (p == want || p[-1] == '[' || p[-1] == ' ') && begins(p, roots[r]);
    vec_check(v, "wantErr", n == f.n, vec_printf(v, "%u errors: %.200s", n, want),
              vec_printf(v, "%u errors: %s", f.n, f.n ? f.got[0] : ""));
    for (uint32_t i = 0; i < f.n; i++)
        vec_check(v, "wantErr", strstr(want, f.got[i]) != NULL, want, f.got[i]);
}
