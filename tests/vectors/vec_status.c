#include "vec_status.h"

#include "api/make.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

bool vec_status(struct vec *v, const struct fact_workload *f, struct status *ret)
{
    status_init(ret);
    if (status_from_fact(ret, f) == 0)
        return true;
    vec_broken(v, "reading a status", NULL);
    return false;
}

static const char *const statuses[] = {
    [STATUS_ABSENT] = "", [STATUS_FALSE] = "False", [STATUS_TRUE] = "True", [STATUS_UNKNOWN] = "Unknown"};

void vec_print_conditions(const struct status *s, struct str *out)
{
    const char *comma = "";
    char when[40];
    str_addc(out, '[');
    for (int t = 0; t < COND_TYPES; t++) {
        const struct cond *c = &s->cond[t];
        if (c->status == STATUS_ABSENT)
            continue;
        str_addf(out, "%s{\"type\":\"%s\",\"status\":\"%s\",\"reason\":", comma, cond_type_name(t),
                 statuses[c->status]);
        str_add_json(out, c->reason);
        str_add(out, ",\"message\":");
        str_add_json(out, c->message);
        if (c->since != WHEN_NONE) {
            when_print(c->since, when, sizeof(when));
            str_addf(out, ",\"lastTransitionTime\":\"%s\"", when);
        }
        str_addf(out, ",\"observedGeneration\":%" PRId32 "}", c->generation);
        comma = ",";
    }
    str_addc(out, ']');
}

void vec_check_conditions(struct vec *v, const char *field, const struct doc_node *want,
                          const struct status *s)
{
    struct str text;
    str_init(&text, 0);
    vec_print_conditions(s, &text);
    vec_check_json(v, field, want, &text, &(struct vec_compare){.sets = true, .subset = true});
    str_free(&text);
}

const char *vec_invalid_text(struct vec *v, const char *prefix, const struct doc_node *errors)
{
    struct str s;
    if (!errors || !errors->n)
        return "";
    str_init(&s, 0);
    str_add(&s, prefix);
    str_add(&s, errors->n > 1 ? "[" : "");
    doc_foreach (e, errors) {
        str_addf(&s, "%s%s: Invalid value: [", e->index ? ", " : "", doc_str_or(e, "field", "?"));
        doc_foreach (r, doc_field(e, "badValue"))
            str_addf(&s, "%s\"%s\"", r->index ? "," : "", r->text);
        str_addf(&s, "]: %s", doc_str_or(e, "detail", "?"));
    }
    str_add(&s, errors->n > 1 ? "]" : "");
    const char *text = vec_printf(v, "%s", str_text(&s));
    str_free(&s);
    return text;
}

/* ---- merge patches ------------------------------------------------------------------------------------------------------ */

static struct doc_node *merged(struct arena *a, const struct doc_node *into, const struct doc_node *patch)
{
    struct make m = make_map(a, 1);

    if (!doc_is(patch, DOC_MAP))
        return make_copy(a, patch);
    into = doc_is(into, DOC_MAP) ? into : NULL;
    doc_foreach (c, into) {
        const struct doc_node *with = doc_get(patch, c->key);
        if (!with)
            make_put_copy(&m, c->key, c);
        else if (with->type != DOC_NULL)
            make_put(&m, c->key, merged(a, c, with));
    }
    doc_foreach (c, patch)
        if (c->type != DOC_NULL && !doc_get(into, c->key))
            make_put(&m, c->key, merged(a, NULL, c));
    return m.node;
}

const struct doc_node *vec_merge(struct vec *v, const struct doc_node *into, const struct doc_node *patch)
{
    jmp_buf bail;

    v->arena->bail = &bail;
    if (setjmp(bail)) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    const struct doc_node *n = merged(v->arena, into, patch);
    v->arena->bail = NULL;
    return n;
}
