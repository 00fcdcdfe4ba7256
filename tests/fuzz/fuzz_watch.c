/* Fuzzing of what an API server may send: lines of a watch, pages of a list, Status objects, Leases. The first byte says in how large pieces
 * it comes (and, by its highest bit, whether a watch-list or a list was asked for); however it comes, lines and items are the same. A watch
 * that is fed with it tells its consumer things in the right order only, and nothing that is not in the text. */
#include "kube/framer.h"
#include "kube/lease_record.h"
#include "kube/reply.h"
#include "kube/watch.h"
#include "kube/watch_page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came out, as one text that can be compared. */
struct out {
    char *p;
    size_t n, cap;
};

static void add(struct out *o, const void *text, size_t len)
{
    if (o->n + len + 1 > o->cap) {
        o->cap = 2 * (o->n + len + 1);
        o->p = realloc(o->p, o->cap);
        if (!o->p)
            abort();
    }
    if (len)
        memcpy(o->p + o->n, text, len);
    o->n += len;
    o->p[o->n] = '\0';
}

/* Calls `give` with pieces that are blocks of their own, so that a byte too far is seen; until it says that it is enough. */
static void in_pieces(const uint8_t *data, size_t size, size_t step,
                      bool (*give)(void *, const char *, size_t), void *arg)
{
    bool on = true;
    for (size_t at = 0; at < size && on; at += step) {
        size_t len = size - at < step ? size - at : step;
        char *piece = malloc(len);
        if (!piece)
            abort();
        memcpy(piece, data + at, len);
        on = give(arg, piece, len);
        free(piece);
    }
}

/* ---- lines and items ------------------------------------------------------------------------------------------------------ */

struct lines {
    struct framer f;
    struct out out;
};

static bool give_lines(void *arg, const char *data, size_t len)
{
    struct lines *l = arg;
    const char *line;
    size_t n;
    int rc;
    framer_push(&l->f, data, len);
    while ((rc = framer_next(&l->f, &line, &n)) == 1) {
        assert(n > 0 && !memchr(line, '\n', n));
        add(&l->out, line, n);
        add(&l->out, "\n", 1);
    }
    assert(rc == 0 || rc == ERR_LIMIT);
    return rc == 0;
}

struct items {
    struct watch_page p;
    struct out out;
    int rc;
};

static bool give_items(void *arg, const char *data, size_t len)
{
    struct items *l = arg;
    struct watch_page_part part;
    watch_page_push(&l->p, data, len);
    while ((l->rc = watch_page_next(&l->p, &part)) == 1) {
        add(&l->out, part.kind == WATCH_PAGE_ITEM ? "+" : "=", 1);
        add(&l->out, part.key, strlen(part.key) + 1);
        add(&l->out, part.text, part.len);
        add(&l->out, "\n", 1);
    }
    return l->rc == 0;
}

static void check_cutting(const uint8_t *data, size_t size, size_t step)
{
    struct lines a = {0}, b = {0};
    struct items c = {0}, d = {0};
    in_pieces(data, size, step, give_lines, &a);
    in_pieces(data, size, size, give_lines, &b);
    assert(a.out.n == b.out.n && (!a.out.n || memcmp(a.out.p, b.out.p, a.out.n) == 0));
    in_pieces(data, size, step, give_items, &c);
    in_pieces(data, size, size, give_items, &d);
    assert(c.rc == d.rc && c.out.n == d.out.n && (!c.out.n || memcmp(c.out.p, d.out.p, c.out.n) == 0));
    assert(watch_page_done(&c.p) == watch_page_done(&d.p));
    framer_free(&a.f);
    framer_free(&b.f);
    watch_page_free(&c.p);
    watch_page_free(&d.p);
    free(a.out.p);
    free(b.out.p);
    free(c.out.p);
    free(d.out.p);
}

/* ---- a watch ------------------------------------------------------------------------------------------------------------------ */

struct world {
    struct kube_server server;
    struct kube_clock clock;
    struct timers timers;
    struct kube_handler h;
    bool open, begun;
    size_t objects, bytes;
};

static struct kube_call *start(void *self, const struct kube_request *r, const struct kube_handler *h,
                               struct err *err)
{
    struct world *w = self;
    (void)err;
    assert(!w->open && r->verb == KUBE_GET && strncmp(r->path, "/api/v1/pods?", 13) == 0);
    w->open = true;
    w->h = *h;
    return (struct kube_call *)w;
}

static void cancel(void *self, struct kube_call *c)
{
    struct world *w = self;
    assert(w->open && c);
    w->open = false;
}

static when_ns zero(void *self)
{
    (void)self;
    return 0;
}

static uint64_t no_chance(void *self)
{
    (void)self;
    return 0;
}

static void on_begin(void *arg)
{
    ((struct world *)arg)->begun = true;
}

static int on_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    struct world *w = arg;
    assert(w->begun && what <= WATCH_DELETED);
    for (size_t i = 0; i < len; i++)
        w->bytes += (unsigned char)json[i] > 0; /* every byte is there */
    w->objects++;
    return 0;
}

static void on_synced(void *arg)
{
    assert(((struct world *)arg)->begun);
}

static bool give_watch(void *arg, const char *data, size_t len)
{
    struct world *w = arg;
    return w->h.on_data(w->h.arg, 200, data, len);
}

static void check_watch(const uint8_t *data, size_t size, size_t step, bool list)
{
    struct world w = {.server = {start, cancel, &w}, .clock = {zero, zero, no_chance, &w}};
    struct watch_config c = {.path = "/api/v1/pods",
                             .server = &w.server,
                             .timers = &w.timers,
                             .clock = &w.clock,
                             .no_watch_list = list};
    struct watch_handler h = {on_begin, on_object, on_synced, NULL, &w};
    struct kube_reply r = {.status = 200, .body = "", .retry_after_s = -1, .error = ""};
    timers_init(&w.timers, &w.clock);
    struct watch *watch = watch_new(&c, &h, NULL);
    if (!watch)
        abort();
    for (int i = 0; i < 2; i++) {
        timers_run(&w.timers);
        if (!w.open)
            break;
        in_pieces(data, size, step, give_watch, &w);
        w.open = false;
        w.h.on_done(w.h.arg, &r);
    }
    assert(w.objects == watch_stats(watch)->objects && w.bytes <= 2 * size);
    watch_free(watch);
}

/* ---- one object ------------------------------------------------------------------------------------------------------------------ */

static void check_object(const char *text, size_t len)
{
    struct kube_reply raw = {500, text, len, -1, ""};
    struct reply r;
    struct lease_record lease;
    reply_read(&raw, &r);
    assert(r.class != REPLY_OK && r.message[0] && strlen(r.message) < sizeof(r.message));
    reply_read_status(text, len, &r);
    assert(r.class != REPLY_OK && r.message[0]);
    lease_record_init(&lease);
    if (lease_record_read(&lease, text, len, NULL) == 0) { /* what was read can be written and read again */
        struct lease_record again;
        struct str body;
        str_init(&body, 0);
        lease_record_init(&again);
        lease_record_print(&lease, "ns", "x", &body);
        assert(!str_failed(&body));
        assert(lease_record_read(&again, str_text(&body), body.len, NULL) == 0 &&
               lease_record_same(&lease, &again));
        lease_record_free(&again);
        str_free(&body);
    }
    lease_record_free(&lease);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t step = (data[0] & 0x7f) + (size_t)1;
    check_cutting(data + 1, size - 1, step);
    check_watch(data + 1, size - 1, step, data[0] & 0x80);
    char *text = malloc(size); /* NUL behind it, as the body of a reply has */
    if (!text)
        abort();
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    check_object(text, size - 1);
    free(text);
    return 0;
}
