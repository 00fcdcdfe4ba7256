#include "kube/watch.h"

#include "api/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/framer.h"
#include "kube/reply.h"
#include "kube/watch_page.h"

#include <stdio.h>
#include <string.h>

enum {
    PATH_BYTES = 1024,
    VERSION_BYTES = 128,
    TOKEN_BYTES = 16 << 10,
    ERROR_BYTES = 64 << 10,
    PAGE = 500, /* objects: 1.4 MB of text (libraries.md 2.3) */
};
#define LIST_TIMEOUT (60 * NS_PER_S)
#define SILENCE (150 * NS_PER_S) /* libraries.md 1.3 */
#define HEALTH (120 * NS_PER_S)  /* after which failures count anew (3.4) */
#define SHORT_WATCH NS_PER_S
#define ABSENT_WAIT (45 * NS_PER_S) /* and up to 30 s more */
#define STREAM_S 240                /* timeoutSeconds, and up to as much more */

static const struct backoff backoff = {800 * NS_PER_MS, 30 * NS_PER_S, 2};

enum request {
    REQUEST_BURST, /* a stream that begins with the whole state */
    REQUEST_PAGE,  /* of a list */
    REQUEST_WATCH, /* a stream from a version on, or a burst that is over */
};

struct watch {
    struct watch_config c;
    struct watch_handler h;
    char *path, *query;
    enum watch_state state;
    struct watch_stats stats;

    struct kube_call *call;
    const struct kube_server *via; /* of the call */
    enum request request;
    struct str url, error; /* error: the body of an answer that is none of 2xx */
    struct framer framer;
    struct watch_page page;
    struct timer retry, silence;

    bool list;        /* the state is to be read (anew); else the stream goes on at `version` */
    bool begun;       /* on_begin was called for it */
    bool was_synced;  /* on_synced was ever called */
    bool no_burst;    /* the API server knows no watch-list: remembered */
    bool skip_burst;  /* a list this time: the watch-list failed */
    bool resync;      /* asked for */
    bool any;         /* the stream brought something */
    struct reply bad; /* why the request was stopped by ourselves; class REPLY_OK = it was not */

    char version[VERSION_BYTES]; /* the last seen */
    char page_version[VERSION_BYTES];
    struct str token, next; /* of this page and, once it is complete, of the next */

    int64_t began, heard, last_failure, last_wait;
    uint64_t failures;
    bool told;
    enum reply_class told_class;
};

static int64_t now_of(const struct watch *w)
{
    return kube_mono(w->c.clock);
}

/* ---- trouble ------------------------------------------------------------------------------------------------------------ */

static void tell(struct watch *w, enum reply_class class, const char *text)
{
    char line[640];

    if (w->told && w->told_class == class)
        return;
    w->told = true;
    w->told_class = class;
    snprintf(line, sizeof(line), "%s: %s", w->request == REQUEST_WATCH ? "watch" : "list", text);
    if (w->h.on_trouble)
        w->h.on_trouble(w->h.arg, line);
}

static void again_in(struct watch *w, int64_t wait)
{
    w->last_wait = wait;
    timer_start(w->c.timers, &w->retry, wait);
}

/* One more failure, unless two minutes of health lie between. */
static void count_failure(struct watch *w)
{
    int64_t now = now_of(w);

    if (w->failures && now - w->last_failure > HEALTH + w->last_wait)
        w->failures = 0;
    w->last_failure = now;
    w->failures++;
    w->stats.errors++;
}

static void fail(struct watch *w, const struct reply *r)
{
    count_failure(w);
    tell(w, r->class, r->message);
    again_in(w, reply_wait(w->c.clock, &backoff, w->failures, r->retry_after_s));
}

/* Says why the request is of no use any more; on_done will act. */
static void stop(struct watch *w, enum reply_class class, const char *text)
{
    w->bad = (struct reply){.class = class, .retry_after_s = -1};
    snprintf(w->bad.message, sizeof(w->bad.message), "%s", text);
}

static void went_well(struct watch *w)
{
    w->told = false;
    w->any = true;
}

/* ---- the state of the resource -------------------------------------------------------------------------------------------- */

/* The state is to be read from its beginning. */
static void list_anew(struct watch *w)
{
    w->list = true;
    w->begun = false;
    w->version[0] = w->page_version[0] = '\0';
    str_clear(&w->token);
    if (w->state == WATCH_SYNCED)
        w->state = WATCH_LISTING;
}

/* on_begin waits until something comes: an API server that cannot be reached makes nobody forget. */
static void begin(struct watch *w)
{
    if (w->begun)
        return;
    w->begun = true;
    w->state = WATCH_LISTING;
    w->stats.lists++;
    w->h.on_begin(w->h.arg);
}

static void synced(struct watch *w)
{
    begin(w);
    w->list = w->skip_burst = false;
    w->was_synced = true;
    w->state = WATCH_SYNCED;
    w->h.on_synced(w->h.arg);
}

/* A string's text without quotes into a buffer; false when it does not fit, is empty, or holds escapes, which a version never does. */
static bool take_version(const struct scan_piece *p, char ret[VERSION_BYTES])
{
    if (p->len < 3 || p->len >= VERSION_BYTES + 2 || p->text[0] != '"' || memchr(p->text, '\\', p->len))
        return false;
    memcpy(ret, p->text + 1, p->len - 2);
    ret[p->len - 2] = '\0';
    return true;
}

static bool object_version(const struct scan_piece *object, char ret[VERSION_BYTES])
{
    struct scan_piece p;
    return scan_find(object->text, object->len, 1, "metadata.resourceVersion", &p) && take_version(&p, ret);
}

/* ---- events of a stream --------------------------------------------------------------------------------------------------- */

static bool is_end_marker(const struct scan_piece *object)
{
    struct scan_piece p;
    return scan_find(object->text, object->len, 1, "metadata.annotations[k8s.io/initial-events-end]", &p) &&
           p.len == 6 && memcmp(p.text, "\"true\"", 6) == 0;
}

/* Bookmarks within the burst say nothing: versions come out of order there (3.3). */
static void take_bookmark(struct watch *w, const struct scan_piece *object)
{
    char version[VERSION_BYTES];
    bool end = w->request == REQUEST_BURST && is_end_marker(object);

    if (w->request == REQUEST_BURST && !end)
        return;
    if (!object_version(object, version)) {
        stop(w, REPLY_SERVER, "a bookmark without a resourceVersion");
        return;
    }
    memcpy(w->version, version, sizeof(version));
    if (end) {
        w->request = REQUEST_WATCH;
        synced(w);
    }
}

static void take_change(struct watch *w, enum watch_event what, const struct scan_piece *object)
{
    int rc;

    if (w->request == REQUEST_BURST)
        begin(w);
    rc = w->h.on_object(w->h.arg, what, object->text, object->len);
    if (rc) { /* it must come again, so the version stays where it is */
        stop(w, REPLY_SERVER, err_name(rc));
        return;
    }
    w->stats.objects++;
    if (w->request == REQUEST_WATCH)
        (void)object_version(object, w->version);
}

static bool is_type(const struct scan_piece *type, const char *name)
{
    size_t n = strlen(name);
    return type->len == n + 2 && type->text[0] == '"' && memcmp(type->text + 1, name, n) == 0;
}

static void take_event(struct watch *w, const char *line, size_t len)
{
    struct scan_piece type, object;

    if (!scan_find(line, len, 1, "type", &type) || !scan_find(line, len, 1, "object", &object)) {
        stop(w, REPLY_SERVER, "a line that is no event");
        return;
    }
    if (is_type(&type, "ERROR")) {
        reply_read_status(object.text, object.len, &w->bad);
        return;
    }
    went_well(w);
    if (is_type(&type, "BOOKMARK"))
        take_bookmark(w, &object);
    else if (is_type(&type, "ADDED"))
        take_change(w, WATCH_ADDED, &object);
    else if (is_type(&type, "MODIFIED"))
        take_change(w, WATCH_MODIFIED, &object);
    else if (is_type(&type, "DELETED"))
        take_change(w, WATCH_DELETED, &object);
    else
        stop(w, REPLY_SERVER, "an event of an unknown type");
}

static void take_lines(struct watch *w, const char *data, size_t len)
{
    const char *line;
    size_t line_len;
    int rc = 0;

    framer_push(&w->framer, data, len);
    while (w->bad.class == REPLY_OK && (rc = framer_next(&w->framer, &line, &line_len)) == 1)
        take_event(w, line, line_len);
    if (w->bad.class == REPLY_OK && rc < 0)
        stop(w, REPLY_SERVER, rc == ERR_LIMIT ? "a line over 4 MiB" : err_name(rc));
}

/* ---- pages of a list ------------------------------------------------------------------------------------------------------ */

static void take_metadata(struct watch *w, const char *text, size_t len)
{
    struct arena a, scratch;
    const struct doc_node *n;

    arena_init(&a, 4096);
    arena_init(&scratch, 4096);
    if (json_read(&a, &scratch, text, len, 1, &n, NULL) == 0) {
        str_clear(&w->next);
        str_add(&w->next, doc_str_or(n, "continue", ""));
        snprintf(w->page_version, sizeof(w->page_version), "%s", doc_str_or(n, "resourceVersion", ""));
        if (str_failed(&w->next) || strlen(doc_str_or(n, "resourceVersion", "")) >= VERSION_BYTES)
            stop(w, REPLY_SERVER, "a continue token or resourceVersion that is too long");
    } else {
        stop(w, REPLY_SERVER, "a list whose metadata cannot be read");
    }
    arena_free(&a);
    arena_free(&scratch);
}

static void take_part(struct watch *w, const struct watch_page_part *part)
{
    int rc;

    if (part->kind == WATCH_PAGE_FIELD) {
        if (strcmp(part->key, "metadata") == 0)
            take_metadata(w, part->text, part->len);
        return;
    }
    begin(w);
    rc = w->h.on_object(w->h.arg, WATCH_ADDED, part->text, part->len);
    if (rc)
        stop(w, REPLY_SERVER, err_name(rc));
    else
        w->stats.objects++;
}

static void take_page(struct watch *w, const char *data, size_t len)
{
    struct watch_page_part part;
    int rc = 0;

    watch_page_push(&w->page, data, len);
    while (w->bad.class == REPLY_OK && (rc = watch_page_next(&w->page, &part)) == 1)
        take_part(w, &part);
    if (w->bad.class == REPLY_OK && rc < 0)
        stop(w, REPLY_SERVER, rc == ERR_INVALID ? "an answer that is no list" : err_name(rc));
}

/* ---- requests --------------------------------------------------------------------------------------------------------------- */

static void add_encoded(struct str *s, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-._~", *p);
        if (plain)
            str_addc(s, (char)*p);
        else
            str_addf(s, "%%%02X", *p);
    }
}

static void make_url(struct watch *w)
{
    struct str *s = &w->url;

    str_clear(s);
    str_add(s, w->path);
    str_addc(s, '?');
    if (w->query && w->query[0])
        str_addf(s, "%s&", w->query);
    if (w->request == REQUEST_PAGE) {
        str_addf(s, "limit=%d", PAGE);
        if (w->token.len) {
            str_add(s, "&continue=");
            add_encoded(s, str_text(&w->token));
        }
        return;
    }
    str_addf(s, "watch=1&allowWatchBookmarks=true&timeoutSeconds=%d",
             (int)(STREAM_S + reply_chance(w->c.clock, STREAM_S + 1)));
    if (w->request == REQUEST_BURST) {
        str_add(s, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        return;
    }
    str_add(s, "&resourceVersion=");
    add_encoded(s, w->version);
}

static bool on_data(void *arg, int status, const char *data, size_t len);
static void on_done(void *arg, const struct kube_reply *r);

static void start(struct watch *w)
{
    const struct kube_handler h = {on_data, on_done, w};
    struct err err = {0};
    bool page = w->request == REQUEST_PAGE;

    make_url(w);
    framer_clear(&w->framer);
    watch_page_clear(&w->page);
    str_clear(&w->error);
    str_clear(&w->next);
    w->bad = (struct reply){.class = REPLY_OK, .retry_after_s = -1};
    w->any = false;
    w->began = now_of(w);
    w->via = page ? w->c.lists : w->c.server;
    const struct kube_request r = {
        .verb = KUBE_GET, .path = str_text(&w->url), .timeout_ns = page ? LIST_TIMEOUT : 0, .stream = true};
    if (str_failed(&w->url))
        err_set(&err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
    else
        w->call = w->via->start(w->via->self, &r, &h, &err);
    if (!w->call) {
        stop(w, REPLY_LOST, err.text);
        fail(w, &w->bad);
        return;
    }
    w->stats.streams += !page;
    timer_start(w->c.timers, &w->silence, SILENCE);
}

static void drop_call(struct watch *w)
{
    timer_stop(w->c.timers, &w->silence);
    if (w->call)
        w->via->cancel(w->via->self, w->call);
    w->call = NULL;
}

static void on_retry(void *arg)
{
    struct watch *w = arg;

    if (w->resync) {
        w->resync = false;
        drop_call(w);
        list_anew(w);
    }
    if (w->call)
        return;
    if (!w->list)
        w->request = REQUEST_WATCH;
    else
        w->request = w->no_burst || w->skip_burst ? REQUEST_PAGE : REQUEST_BURST;
    start(w);
}

/* Only this stream is begun anew: a connection that is dead for all is the business of those below the seam. */
static void on_silence(void *arg)
{
    struct watch *w = arg;
    int64_t alive = w->heard > w->began ? w->heard : w->began, left = alive + SILENCE - now_of(w);

    if (left > 0) {
        timer_start(w->c.timers, &w->silence, left);
        return;
    }
    w->stats.silent++;
    drop_call(w);
    stop(w, REPLY_LOST, "not a byte came for 150 s");
    if (w->request == REQUEST_BURST)
        list_anew(w);
    fail(w, &w->bad);
}

/* ---- answers ---------------------------------------------------------------------------------------------------------------- */

static bool on_data(void *arg, int status, const char *data, size_t len)
{
    struct watch *w = arg;

    w->heard = now_of(w);
    w->stats.bytes += len;
    if (status < 200 || status > 299)
        str_addn(&w->error, data, len); /* cut at its maximum: then the code alone decides */
    else if (w->request == REQUEST_PAGE)
        take_page(w, data, len);
    else
        take_lines(w, data, len);
    return w->bad.class == REPLY_OK;
}

/* The versions between the last one seen and now are gone: no wait the first time (3.4). */
static void gone(struct watch *w, const struct reply *r)
{
    w->stats.gone++;
    list_anew(w);
    count_failure(w);
    if (w->failures == 1) {
        again_in(w, 0);
        return;
    }
    tell(w, r->class, r->message);
    again_in(w, reply_wait(w->c.clock, &backoff, w->failures - 1, r->retry_after_s));
}

/* A watch-list that failed as no other request would: a list instead, from now on when the API server does not know it. 3.3. */
static void burst_failed(struct watch *w, const struct reply *r)
{
    list_anew(w);
    if (r->class == REPLY_INVALID) {
        w->no_burst = true;
        again_in(w, 0);
        return;
    }
    w->skip_burst = true;
    fail(w, r);
}

/* Not to be asked often: a rule is missing. */
static void forbidden(struct watch *w, const struct reply *r)
{
    if (w->request == REQUEST_BURST)
        list_anew(w);
    count_failure(w);
    tell(w, r->class, r->message);
    again_in(w, backoff.cap_ns / 2 + reply_chance(w->c.clock, backoff.cap_ns / 2));
}

static void failed(struct watch *w, const struct reply *r)
{
    bool burst = w->request == REQUEST_BURST;

    switch (r->class) {
    case REPLY_GONE:
        gone(w, r);
        return;
    case REPLY_NOT_FOUND:
        list_anew(w);
        w->state = WATCH_ABSENT;
        tell(w, r->class, r->message);
        again_in(w, ABSENT_WAIT + reply_chance(w->c.clock, 30 * NS_PER_S));
        return;
    case REPLY_FUTURE:
        list_anew(w);
        break;
    case REPLY_FORBIDDEN:
        forbidden(w, r);
        return;
    case REPLY_LOST:
    case REPLY_THROTTLED:
    case REPLY_UNAVAILABLE:
    case REPLY_UNAUTHORIZED:
        if (burst)
            list_anew(w);
        break;
    default:
        if (burst) {
            burst_failed(w, r);
            return;
        }
        if (r->class == REPLY_INVALID)
            list_anew(w);
    }
    fail(w, r);
}

static void page_ended(struct watch *w)
{
    struct str token = w->next;

    if (!watch_page_done(&w->page) || !w->page_version[0]) {
        stop(w, REPLY_SERVER, "a list that is not complete");
        fail(w, &w->bad);
        return;
    }
    went_well(w);
    w->next = w->token;
    w->token = token;
    if (!token.len) {
        memcpy(w->version, w->page_version, sizeof(w->version));
        synced(w);
    }
    again_in(w, 0);
}

static void stream_ended(struct watch *w)
{
    if (w->request == REQUEST_BURST) { /* perhaps a server that takes the request and knows nothing of it */
        w->skip_burst = true;
        list_anew(w);
        stop(w, REPLY_SERVER, "the stream ended before the state was complete");
        fail(w, &w->bad);
        return;
    }
    if (!w->any && now_of(w) - w->began < SHORT_WATCH) {
        stop(w, REPLY_SERVER, "the stream ended at once");
        fail(w, &w->bad);
        return;
    }
    again_in(w, 0); /* the server's time-out: goes on where it was (3.4) */
}

static void on_done(void *arg, const struct kube_reply *r)
{
    struct watch *w = arg;
    struct kube_reply whole = *r;
    struct reply reply;

    w->call = NULL;
    timer_stop(w->c.timers, &w->silence);
    if (w->resync) {
        again_in(w, 0);
        return;
    }
    if (w->bad.class != REPLY_OK) {
        reply = w->bad;
        failed(w, &reply);
        return;
    }
    whole.body = str_text(&w->error);
    whole.body_len = w->error.len;
    reply_read(&whole, &reply);
    if (reply.class != REPLY_OK)
        failed(w, &reply);
    else if (w->request == REQUEST_PAGE)
        page_ended(w);
    else
        stream_ended(w);
}

/* ---- the outside ------------------------------------------------------------------------------------------------------------ */

struct watch *watch_new(const struct watch_config *c, const struct watch_handler *h, struct err *err)
{
    if (strlen(c->path) > PATH_BYTES || (c->query && strlen(c->query) > PATH_BYTES)) {
        err_set(err, ERR_LIMIT, "the path or query of a watch is longer than %d bytes", PATH_BYTES);
        return NULL;
    }
    struct watch *w = mem_zalloc(1, sizeof(*w));
    char *path = mem_strdup(c->path), *query = mem_strdup(c->query ? c->query : "");
    if (!w || !path || !query) {
        mem_free(path);
        mem_free(query);
        mem_free(w);
        err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
        return NULL;
    }
    w->c = *c;
    w->c.path = w->path = path;
    w->c.query = w->query = query;
    if (!w->c.lists)
        w->c.lists = w->c.server;
    w->h = *h;
    w->list = true;
    w->no_burst = c->no_watch_list;
    w->heard = now_of(w);
    str_init(&w->url, (size_t)8 * TOKEN_BYTES);
    str_init(&w->error, ERROR_BYTES);
    str_init(&w->token, TOKEN_BYTES);
    str_init(&w->next, TOKEN_BYTES);
    framer_init(&w->framer);
    watch_page_init(&w->page);
    timer_init(&w->retry, on_retry, w);
    timer_init(&w->silence, on_silence, w);
    timer_start(w->c.timers, &w->retry, 0);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    drop_call(w);
    timer_stop(w->c.timers, &w->retry);
    str_free(&w->url);
    str_free(&w->error);
    str_free(&w->token);
    str_free(&w->next);
    framer_free(&w->framer);
    watch_page_free(&w->page);
    mem_free(w->path);
    mem_free(w->query);
    mem_free(w);
}

enum watch_state watch_state(const struct watch *w)
{
    return w->state;
}

bool watch_synced(const struct watch *w)
{
    return w->state == WATCH_SYNCED;
}

bool watch_was_synced(const struct watch *w)
{
    return w->was_synced;
}

int64_t watch_age(const struct watch *w)
{
    return now_of(w) - w->heard;
}

const struct watch_stats *watch_stats(const struct watch *w)
{
    return &w->stats;
}

void watch_retry_now(struct watch *w)
{
    if (!w->call)
        timer_start(w->c.timers, &w->retry, 0);
}

void watch_resync(struct watch *w)
{
    w->resync = true;
    timer_start(w->c.timers, &w->retry, 0);
}
