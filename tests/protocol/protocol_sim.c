/* protocol-sim TABLE: the protocol cases against the simulated API server. The same table runs against a real one (protocol.py), so that
 * the two cannot drift. README.md says what a case looks like. */
#include "base/mem.h"
#include "simulated/simserver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WATCHES = 8, MOST_VARS = 32, PATIENCE_S = 5, MOST_LINES = 256 };

struct stream {
    const char *name;
    struct kube_call *call;
    struct str text; /* what came and was not read */
    int status;      /* of HTTP; 0 = none yet */
    bool over;
};

struct var {
    const char *key, *value;
};

struct run {
    struct vclock clock;
    struct store *store;
    struct simserver server;
    struct arena a;
    struct stream streams[MOST_WATCHES];
    struct var vars[MOST_VARS];
    uint32_t stream_n, var_n;
    int status; /* of the last answer; -1 = none yet */
    const char *body;
    char why[2048];
};

/* ---- talking ------------------------------------------------------------------------------------------------------------ */

static void on_reply(void *arg, const struct kube_reply *reply)
{
    struct run *r = arg;
    r->status = reply->status;
    r->body = val_strndup(&r->a, reply->body, reply->body_len);
}

static bool on_data(void *arg, int status, const char *data, size_t len)
{
    struct stream *s = arg;
    s->status = status;
    str_addn(&s->text, data, len);
    return true;
}

static void on_end(void *arg, const struct kube_reply *reply)
{
    struct stream *s = arg;
    s->status = reply->status;
    s->over = true;
    s->call = NULL;
}

/* Lets time pass until `ready` or patience is over. */
static bool wait_for(struct run *r, bool (*ready)(void *arg), void *arg)
{
    int64_t end = r->clock.mono + PATIENCE_S * NS_PER_S;
    while (!ready(arg)) {
        int64_t next = vclock_next(&r->clock);
        if (next > end)
            return false;
        vclock_move(&r->clock, next);
        vclock_run_one(&r->clock);
    }
    return true;
}

static bool is_answered(void *arg)
{
    return ((struct run *)arg)->status >= 0;
}

static bool has_line_or_end(void *arg)
{
    struct stream *s = arg;
    return s->over || (s->text.len && memchr(str_text(&s->text), '\n', s->text.len));
}

static bool is_over(void *arg)
{
    return ((struct stream *)arg)->over;
}

/* ---- texts of the table ------------------------------------------------------------------------------------------------- */

static const char *var_get(const struct run *r, const char *key, size_t n)
{
    for (uint32_t i = 0; i < r->var_n; i++)
        if (strlen(r->vars[i].key) == n && memcmp(r->vars[i].key, key, n) == 0)
            return r->vars[i].value;
    return NULL;
}

static void var_set(struct run *r, const char *key, const char *value)
{
    for (uint32_t i = 0; i < r->var_n; i++)
        if (strcmp(r->vars[i].key, key) == 0) {
            r->vars[i].value = value;
            return;
        }
    if (r->var_n < MOST_VARS)
        r->vars[r->var_n++] = (struct var){key, value};
}

static void add_encoded(struct str *s, const char *text)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            str_addc(s, *text);
        else
            str_addf(s, "%%%02X", (unsigned char)*text);
}

/* The text with <name> replaced by what was saved under the name. */
static const char *filled_as(struct run *r, const char *text, bool path)
{
    struct str s;
    str_init(&s, 0);
    while (*text) {
        size_t n = strcspn(text + 1, ">");
        const char *v = *text == '<' && text[n + 1] ? var_get(r, text + 1, n) : NULL;
        if (v) {
            if (path)
                add_encoded(&s, v);
            else
                str_add(&s, v);
            text += n + 2;
        } else {
            str_addc(&s, *text++);
        }
    }
    const char *out = val_strndup(&r->a, str_text(&s), s.len);
    str_free(&s);
    return out;
}

static const char *filled(struct run *r, const char *text)
{
    return filled_as(r, text, false);
}

static const struct val *pointed(const struct val *v, const char *pointer)
{
    while (v && *pointer == '/') {
        char token[256];
        size_t n = 0;
        for (pointer++; *pointer && *pointer != '/' && n + 1 < sizeof(token); pointer++) {
            char c = *pointer;
            if (c == '~')
                c = *++pointer == '1' ? '/' : '~';
            token[n++] = c;
        }
        token[n] = '\0';
        if (v->type == VAL_LIST) {
            uint32_t i = (uint32_t)strtoul(token, NULL, 10);
            v = i < v->n ? v->m[i].v : NULL;
        } else {
            v = val_get(v, token);
        }
    }
    return v;
}

static const char *printed(struct run *r, const struct val *v)
{
    struct str s;
    str_init(&s, 0);
    if (v && v->type == VAL_STRING)
        str_add(&s, v->text);
    else if (v)
        val_print(v, &s);
    const char *out = v ? val_strndup(&r->a, str_text(&s), s.len) : "nothing";
    str_free(&s);
    return out;
}

/* ---- checks ------------------------------------------------------------------------------------------------------------- */

static bool wrong(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool wrong(struct run *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(r->why, sizeof(r->why), fmt, args);
    va_end(args);
    return false;
}

static bool check_one(struct run *r, const struct val *got, const struct val *want)
{
    if (want->type != VAL_STRING)
        return val_equal(got, want);
    const char *text = want->text;
    if (strcmp(text, "<set>") == 0)
        return got != NULL;
    if (strcmp(text, "<absent>") == 0)
        return got == NULL;
    if (strncmp(text, "<not>", 5) == 0)
        return got && strcmp(printed(r, got), filled(r, text + 5)) != 0;
    if (strncmp(text, "<has>", 5) == 0)
        return got && strstr(printed(r, got), filled(r, text + 5)) != NULL;
    if (strncmp(text, "<count>", 7) == 0)
        return got && got->type == VAL_LIST && got->n == strtoul(text + 7, NULL, 10);
    return got && got->type == VAL_STRING && strcmp(got->text, filled(r, text)) == 0;
}

static bool check_all(struct run *r, const struct val *doc, const struct val *checks)
{
    for (uint32_t i = 0; checks && i < checks->n; i++) {
        const struct val *got = pointed(doc, checks->m[i].key);
        if (!check_one(r, got, checks->m[i].v))
            return wrong(r, "%s is %s, not %s", checks->m[i].key, printed(r, got),
                         printed(r, checks->m[i].v));
    }
    return true;
}

static void save_all(struct run *r, const struct val *doc, const struct val *saves)
{
    for (uint32_t i = 0; saves && i < saves->n; i++)
        var_set(r, saves->m[i].key, printed(r, pointed(doc, saves->m[i].v->text)));
}

/* ---- steps -------------------------------------------------------------------------------------------------------------- */

static enum kube_verb verb_of(const char *text)
{
    static const char *const names[KUBE_VERBS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    for (int i = 0; i < KUBE_VERBS; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum kube_verb)i;
    return KUBE_GET;
}

static const char *body_of(struct run *r, const struct val *step)
{
    const struct val *body = val_get(step, "body");
    return body ? filled(r, printed(r, body)) : NULL;
}

static const char *type_of(const struct val *step, bool body)
{
    const char *type = val_text(step, "type", NULL);
    const char *const short_names[][2] = {
        {"merge", KUBE_MERGE_PATCH}, {"json", KUBE_JSON_PATCH}, {"apply", KUBE_APPLY}};
    for (int i = 0; type && i < 3; i++)
        if (strcmp(type, short_names[i][0]) == 0)
            return short_names[i][1];
    return type ? type : body ? KUBE_JSON : NULL;
}

static bool step_request(struct run *r, const struct val *step)
{
    const char *body = body_of(r, step);
    struct kube_request q = {.verb = verb_of(val_text(step, "verb", "GET")),
                             .path = filled_as(r, val_text(step, "path", ""), true),
                             .content_type = type_of(step, body != NULL),
                             .body = body,
                             .body_len = body ? strlen(body) : 0,
                             .timeout_ns = 30 * NS_PER_S};
    struct kube_handler h = {.on_done = on_reply, .arg = r};
    r->status = -1;
    if (!r->server.seam.start(r->server.seam.self, &q, &h, NULL) || !wait_for(r, is_answered, r))
        return wrong(r, "no answer");
    if (r->status != val_number(step, "status", 200))
        return wrong(r, "status %d: %s", r->status, r->body);
    const struct val *doc = val_parse(&r->a, r->body, strlen(r->body));
    if (!check_all(r, doc, val_get(step, "check")))
        return false;
    save_all(r, doc, val_get(step, "save"));
    return true;
}

static struct stream *stream_of(struct run *r, const char *name)
{
    for (uint32_t i = 0; i < r->stream_n; i++)
        if (strcmp(r->streams[i].name, name) == 0)
            return &r->streams[i];
    return NULL;
}

static bool step_watch(struct run *r, const struct val *step)
{
    if (r->stream_n == MOST_WATCHES)
        return wrong(r, "too many watches");
    struct stream *s = &r->streams[r->stream_n++];
    *s = (struct stream){.name = val_text(step, "watch", "")};
    str_init(&s->text, 0);
    struct kube_request q = {
        .verb = KUBE_GET, .path = filled_as(r, val_text(step, "path", ""), true), .stream = true};
    struct kube_handler h = {.on_data = on_data, .on_done = on_end, .arg = s};
    s->call = r->server.seam.start(r->server.seam.self, &q, &h, NULL);
    int64_t want = val_number(step, "status", 200);
    if (want == 200)
        return true;
    if (!wait_for(r, is_over, s) || s->status != want)
        return wrong(r, "status %d: %s", s->status, str_text(&s->text));
    return check_all(r, val_parse(&r->a, str_text(&s->text), s->text.len), val_get(step, "check"));
}

/* The next event of a stream; NULL when there is none. */
static const struct val *next_event(struct run *r, struct stream *s)
{
    if (!wait_for(r, has_line_or_end, s))
        return NULL;
    const char *text = str_text(&s->text), *end = memchr(text, '\n', s->text.len);
    if (!end)
        return NULL;
    size_t n = (size_t)(end - text) + 1;
    const struct val *v = val_parse(&r->a, text, n);
    memmove(s->text.p, s->text.p + n, s->text.len - n + 1);
    s->text.len -= n;
    return v;
}

/* Reads events and holds them against those expected; bookmarks that are not expected do not count. */
static bool step_expect(struct run *r, const struct val *step)
{
    struct stream *s = stream_of(r, val_text(step, "expect", ""));
    const struct val *want = val_get(step, "events");
    for (uint32_t i = 0; s && want && i < want->n; i++) {
        const struct val *w = want->m[i].v, *e;
        bool mark = strcmp(val_text(w, "type", ""), "BOOKMARK") == 0;
        while ((e = next_event(r, s)) && !mark && strcmp(val_text(e, "type", ""), "BOOKMARK") == 0)
            ;
        if (!e)
            return wrong(r, "no event %u", i);
        if (strcmp(val_text(e, "type", ""), val_text(w, "type", "")) != 0)
            return wrong(r, "event %u: %s", i, printed(r, e));
        if (!check_all(r, val_get(e, "object"), val_get(w, "check")))
            return false;
        save_all(r, val_get(e, "object"), val_get(w, "save"));
    }
    if (s && val_true(step, "end") && !wait_for(r, is_over, s))
        return wrong(r, "the stream does not end");
    return s ? true : wrong(r, "no such watch");
}

static bool run_step(struct run *r, const struct val *step)
{
    if (val_get(step, "watch"))
        return step_watch(r, step);
    if (val_get(step, "expect"))
        return step_expect(r, step);
    if (val_true(step, "compact")) {
        store_compact(r->store, store_rv(r->store));
        return true;
    }
    return step_request(r, step);
}

static bool run_case(struct run *r, const struct val *c, uint32_t number)
{
    const char *ns = val_printf(&r->a, "protocol-%u", number);
    struct store *st = r->store;
    r->var_n = r->stream_n = 0;
    var_set(r, "ns", ns);
    rest_create(st, "test", resource_of_kind("Namespace"), NULL,
                val_format(&st->a, "{\"metadata\":{\"name\":\"%s\"}}", ns));
    const struct val *steps = val_get(c, "steps");
    bool ok = true;
    for (uint32_t i = 0; ok && steps && i < steps->n; i++) {
        ok = run_step(r, steps->m[i].v);
        if (!ok)
            printf("%s, step %u: %s\n", val_text(c, "name", "?"), i + 1, r->why);
    }
    for (uint32_t i = 0; i < r->stream_n; i++) {
        if (r->streams[i].call)
            r->server.seam.cancel(r->server.seam.self, r->streams[i].call);
        str_free(&r->streams[i].text);
    }
    return ok;
}

static const struct val *read_table(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    struct str s;
    char buf[4096];
    size_t n;
    str_init(&s, 0);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        str_addn(&s, buf, n);
    fclose(f);
    const struct val *v = val_parse(a, str_text(&s), s.len);
    str_free(&s);
    return v;
}

int main(int argc, char **argv)
{
    static struct run r;
    unsigned passed = 0, failed = 0;
    arena_init(&r.a, 1 << 16);
    const struct val *table = argc > 1 ? read_table(&r.a, argv[1]) : NULL;
    if (!table || table->type != VAL_LIST) {
        fprintf(stderr, "usage: protocol-sim TABLE\n");
        return 2;
    }
    for (uint32_t i = 0; i < table->n; i++) {
        if (val_true(table->m[i].v, "real")) /* what only a real server does */
            continue;
        vclock_init(&r.clock, i);
        r.store = store_new(i, vclock_wall, &r.clock);
        simserver_init(&r.server, r.store, &r.clock, i);
        r.server.hasty = true;
        bool ok = run_case(&r, table->m[i].v, i);
        passed += ok;
        failed += !ok;
        store_free(r.store);
        vclock_free(&r.clock);
    }
    arena_free(&r.a);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
