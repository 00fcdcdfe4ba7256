#include "simulated/route.h"

#include <stdlib.h>
#include <string.h>

/* ---- the path ----------------------------------------------------------------------------------------------------------- */

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static const char *decode(struct arena *a, const char *s, size_t n)
{
    char *out = val_strndup(a, s, n), *p = out;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
            *p++ = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
            i += 2;
        } else {
            *p++ = s[i] == '+' ? ' ' : s[i];
        }
    }
    *p = '\0';
    return out;
}

static bool is_yes(const char *v)
{
    return strcmp(v, "true") == 0 || strcmp(v, "1") == 0;
}

static void set_parameter(struct route *q, const char *key, const char *v)
{
    const struct {
        const char *key;
        const char **ret;
    } texts[] = {{"continue", &q->cont},
                 {"resourceVersion", &q->rv},
                 {"resourceVersionMatch", &q->rv_match},
                 {"labelSelector", &q->labels},
                 {"fieldSelector", &q->fields},
                 {"fieldManager", &q->manager},
                 {"dryRun", &q->dry_run},
                 {"propagationPolicy", &q->propagation},
                 {"sendInitialEvents", &q->initial}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(key, texts[i].key) == 0)
            *texts[i].ret = *v ? v : NULL;
    if (strcmp(key, "limit") == 0)
        q->limit = strtoll(v, NULL, 10);
    else if (strcmp(key, "timeoutSeconds") == 0)
        q->timeout_s = strtoll(v, NULL, 10);
    else if (strcmp(key, "watch") == 0)
        q->watch = is_yes(v);
    else if (strcmp(key, "allowWatchBookmarks") == 0)
        q->bookmarks = is_yes(v);
    else if (strcmp(key, "force") == 0)
        q->force = is_yes(v);
}

static void read_query(struct arena *a, const char *s, struct route *q)
{
    while (*s) {
        size_t n = strcspn(s, "&"), k = strcspn(s, "=&");
        set_parameter(q, decode(a, s, k), k < n ? decode(a, s + k + 1, n - k - 1) : "");
        s += n + (s[n] == '&');
    }
}

struct part {
    const char *s;
    size_t n;
};

enum { MOST_PARTS = 10 };

static size_t split(const char *path, struct part parts[MOST_PARTS])
{
    size_t count = 0;
    while (*path == '/' && count < MOST_PARTS) {
        path++;
        parts[count].s = path;
        parts[count].n = strcspn(path, "/?");
        path += parts[count].n;
        count++;
    }
    return count;
}

static bool part_is(const struct part *p, const char *text)
{
    return strlen(text) == p->n && memcmp(text, p->s, p->n) == 0;
}

/* Behind the group and version: [namespaces/NS/]RESOURCE[/NAME[/SUB]]. */
static void read_resource(struct arena *a, struct route *q, const struct part *group,
                          const struct part *version, const struct part *p, size_t n)
{
    if (n > 2 && part_is(&p[0], "namespaces") && !(n == 3 && (part_is(&p[2], "status")))) {
        q->resource = resource_find(group->s, group->n, version->s, version->n, p[2].s, p[2].n);
        if (q->resource && q->resource->namespaced) {
            q->ns = decode(a, p[1].s, p[1].n);
            p += 2;
            n -= 2;
        } else {
            q->resource = NULL;
        }
    } else if (n > 0) {
        q->resource = resource_find(group->s, group->n, version->s, version->n, p[0].s, p[0].n);
    }
    if (n > 1)
        q->name = decode(a, p[1].s, p[1].n);
    if (n > 2)
        q->sub = decode(a, p[2].s, p[2].n);
    if (n > 3)
        q->resource = NULL;
}

struct route route_of(struct arena *a, const char *path)
{
    struct route q = {0};
    struct part parts[MOST_PARTS];
    static const struct part core = {"", 0};
    size_t n = split(path, parts), len = strcspn(path, "?");
    q.path = val_strndup(a, path, len);
    if (path[len] == '?')
        read_query(a, path + len + 1, &q);
    if (n > 2 && part_is(&parts[0], "api"))
        read_resource(a, &q, &core, &parts[1], parts + 2, n - 2);
    else if (n > 3 && part_is(&parts[0], "apis"))
        read_resource(a, &q, &parts[1], &parts[2], parts + 3, n - 3);
    return q;
}

/* ---- selectors ---------------------------------------------------------------------------------------------------------- */

static bool equal_part(const char *have, const char *s, size_t n)
{
    return have && strlen(have) == n && memcmp(have, s, n) == 0;
}

/* Is the text one of "a, b, c"? */
static bool in_list(const char *have, const char *s, size_t n)
{
    for (size_t i = 0; i <= n;) {
        size_t begin = i;
        while (i < n && s[i] != ',')
            i++;
        size_t end = i++;
        while (begin < end && s[begin] == ' ')
            begin++;
        while (end > begin && s[end - 1] == ' ')
            end--;
        if (equal_part(have, s + begin, end - begin))
            return true;
    }
    return false;
}

/* The label of a name that stands in a text; NULL without it. */
static const char *label(const struct val *labels, const char *s, size_t n)
{
    for (uint32_t i = 0; labels && labels->type == VAL_MAP && i < labels->n; i++)
        if (equal_part(labels->m[i].key, s, n))
            return labels->m[i].v->text;
    return NULL;
}

static size_t name_len(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && !strchr(" =!()", s[i]))
        i++;
    return i;
}

static bool requirement(const struct val *labels, const char *s, size_t n)
{
    while (n && *s == ' ')
        s++, n--;
    while (n && s[n - 1] == ' ')
        n--;
    bool not = n && *s == '!';
    s += not, n -= not ;
    size_t k = name_len(s, n);
    const char *have = label(labels, s, k);
    while (k < n && s[k] == ' ')
        k++;
    if (k == n)
        return not ? !have : have != NULL;
    s += k, n -= k;
    if (n > 1 && s[0] == '!' && s[1] == '=')
        return !equal_part(have, s + 2, n - 2);
    if (s[0] == '=')
        return n > 1 && s[1] == '=' ? equal_part(have, s + 2, n - 2) : equal_part(have, s + 1, n - 1);
    bool notin = n > 5 && memcmp(s, "notin", 5) == 0;
    size_t open = strcspn(s, "("), close = strcspn(s, ")");
    if (open >= n || close >= n)
        return false;
    return notin != in_list(have, s + open + 1, close - open - 1);
}

static bool select_labels(const char *s, const struct val *labels)
{
    while (*s) {
        size_t n = 0;
        for (bool inside = false; s[n] && (inside || s[n] != ','); n++)
            inside = s[n] == '(' || (inside && s[n] != ')');
        if (!requirement(labels, s, n))
            return false;
        s += n + (s[n] == ',');
    }
    return true;
}

static bool select_fields(const char *s, const struct val *object)
{
    while (*s) {
        size_t n = strcspn(s, ","), k = strcspn(s, "=!");
        bool not = s[k] == '!';
        size_t v = k + 1 + (s[k + 1] == '=');
        const char *have = strncmp(s, "metadata.namespace", k) == 0 && k == 18
                               ? val_text(object, "metadata.namespace", "")
                               : val_text(object, "metadata.name", "");
        if (v > n || equal_part(have, s + v, n - v) == not )
            return false;
        s += n + (s[n] == ',');
    }
    return true;
}

bool route_selects(const struct route *q, const struct val *object)
{
    return (!q->labels || select_labels(q->labels, val_path(object, "metadata.labels"))) &&
           (!q->fields || select_fields(q->fields, object));
}

bool route_selectable(const struct route *q, struct arena *a, const char **ret_why)
{
    const char *s = q->fields ? q->fields : "";
    while (*s) {
        size_t n = strcspn(s, ","), k = strcspn(s, "=!,");
        if (!equal_part("metadata.name", s, k) && !equal_part("metadata.namespace", s, k)) {
            *ret_why = val_printf(a, "field label not supported: %.*s", (int)k, s);
            return false;
        }
        s += n + (s[n] == ',');
    }
    return true;
}
