#include "api/kinds.h"
#include "api/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Annotations of a Workload that decide something (engine.md 1.5; around.md J5, K10). */

#define GATED_BY "kueue.x-k8s.io/admission-gated-by"
#define BOOST "kueue.x-k8s.io/priority-boost"

/* ---- admission-gated-by ------------------------------------------------------------------------------------------------- */

struct word {
    const char *p;
    size_t len;
};

/* The next gate of "a.b/c, d.e/f", without white space around it; false at the end. */
static bool next_gate(const char **p, struct word *ret)
{
    if (!*p)
        return false;
    size_t len = strcspn(*p, ",");
    const char *start = *p, *end = start + len;
    *p = *end ? end + 1 : NULL;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *ret = (struct word){start, (size_t)(end - start)};
    return true;
}

static bool same_word(struct word a, struct word b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static bool has_gate(const char *text, const char *before, struct word gate)
{
    struct word w;
    while (next_gate(&text, &w)) {
        if (before && w.p >= before)
            return false;
        if (same_word(w, gate))
            return true;
    }
    return false;
}

/* A DNS subdomain, a slash, and a path of URL characters. */
static bool is_gate(struct word w)
{
    static const char path[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+;=:";
    char domain[256];
    const char *slash = memchr(w.p, '/', w.len);
    size_t len = slash ? (size_t)(slash - w.p) : 0;
    if (!len || len >= sizeof(domain) || len + 1 == w.len)
        return false;
    memcpy(domain, w.p, len);
    domain[len] = '\0';
    return !dns_subdomain_problem(domain) && strspn(slash + 1, path) >= w.len - len - 1;
}

static void check_gated_by(struct reader *rd, const struct doc_node *n)
{
    const char *p = n->text;
    struct word w;
    while (next_gate(&p, &w)) {
        if (!is_gate(w))
            rd_error_key(
                rd, n,
                "Invalid value: \"%.256s\": must be names of the form domain/path, separated by commas",
                n->text);
        else if (has_gate(n->text, w.p, w))
            rd_error_key(rd, n, "Invalid value: \"%.256s\": a gate is named twice", n->text);
        else
            continue;
        return;
    }
}

void check_gated_by_update(struct reader *rd, const struct doc_node *before, const struct doc_node *after)
{
    const struct doc_node *n = doc_get(doc_path(after, "metadata.annotations"), GATED_BY);
    const char *old = doc_str_or(doc_path(before, "metadata.annotations"), GATED_BY, "");
    if (!doc_is(n, DOC_STRING) || !*n->text || !rd_gate(rd, "AdmissionGatedBy"))
        return;
    if (!*old) {
        rd_error_key(rd, n, "Forbidden: cannot add admission gate after creation");
        return;
    }
    const char *p = n->text;
    struct word w;
    while (next_gate(&p, &w)) {
        if (!has_gate(old, NULL, w)) {
            rd_error_key(rd, n, "Forbidden: can only remove gates, not add new ones");
            return;
        }
    }
}

/* ---- priority-boost ----------------------------------------------------------------------------------------------------- */

static void check_boost(struct reader *rd, const struct doc_node *n)
{
    char *end;
    errno = 0;
    long long v = strtoll(n->text, &end, 10);
    bool starts = n->text[0] == '-' || n->text[0] == '+' || (n->text[0] >= '0' && n->text[0] <= '9');
    if (!*n->text)
        rd_error_key(
            rd, n,
            "Invalid value: \"\": must be a valid signed integer; use \"0\" explicitly, empty string is not "
            "allowed");
    else if (!starts || *end || errno || v < INT32_MIN || v > INT32_MAX)
        rd_error_key(rd, n, "Invalid value: \"%.256s\": must be a valid signed integer", n->text);
}

void check_workload_annotations(struct reader *rd, const struct doc_node *object)
{
    const struct doc_node *annotations = doc_path(object, "metadata.annotations");
    const struct doc_node *gated = doc_get(annotations, GATED_BY), *boost = doc_get(annotations, BOOST);
    if (doc_is(gated, DOC_STRING) && *gated->text && rd_gate(rd, "AdmissionGatedBy"))
        check_gated_by(rd, gated);
    if (doc_is(boost, DOC_STRING) && rd_gate(rd, "PriorityBoost"))
        check_boost(rd, boost);
}
