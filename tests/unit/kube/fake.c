#include "fake.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static when_ns fake_wall(void *self)
{
    return ((struct fake *)self)->wall;
}

static int64_t fake_mono(void *self)
{
    return ((struct fake *)self)->now;
}

static uint64_t fake_random(void *self)
{
    return ((struct fake *)self)->chance;
}

static char *copy(const char *text, size_t len)
{
    char *p = malloc(len + 1);
    if (!p)
        abort();
    if (len)
        memcpy(p, text, len);
    p[len] = '\0';
    return p;
}

static struct kube_call *fake_start(void *self, const struct kube_request *r, const struct kube_handler *h,
                                    struct err *err)
{
    struct fake *f = self;
    if (f->refuse) {
        err_set(err, ERR_NOMEM, "no memory for a request");
        return NULL;
    }
    struct fake_call *c = calloc(1, sizeof(*c));
    if (!c || f->n == FAKE_CALLS)
        abort();
    *c = (struct fake_call){
        .verb = r->verb,
        .path = copy(r->path, strlen(r->path)),
        .type = copy(r->content_type ? r->content_type : "", r->content_type ? strlen(r->content_type) : 0),
        .body = copy(r->body, r->body_len),
        .stream = r->stream,
        .timeout_ns = r->timeout_ns,
        .at = f->now,
        .open = true,
        .h = *h};
    f->calls[f->n++] = c;
    return (struct kube_call *)c;
}

static void fake_cancel(void *self, struct kube_call *call)
{
    struct fake_call *c = (struct fake_call *)call;
    (void)self;
    ck_assert(c->open);
    c->open = false;
    c->cancelled = true;
}

void fake_init(struct fake *f)
{
    *f = (struct fake){.now = 1000 * NS_PER_S, .wall = INT64_C(1780000000) * NS_PER_S, .chance = UINT64_MAX};
    f->server = (struct kube_server){fake_start, fake_cancel, f};
    f->clock = (struct kube_clock){fake_wall, fake_mono, fake_random, f};
    timers_init(&f->timers, &f->clock);
}

void fake_free(struct fake *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        free(f->calls[i]->path);
        free(f->calls[i]->type);
        free(f->calls[i]->body);
        free(f->calls[i]);
    }
}

void fake_finish(struct fake *f)
{
    ck_assert_uint_eq(fake_count_open(f), 0);
    ck_assert_int_eq(timers_next(&f->timers), INT64_MAX);
    fake_free(f);
}

void fake_settle(struct fake *f)
{
    for (int i = 0; timers_next(&f->timers) <= f->now; i++) {
        ck_assert_msg(i < 1000, "the timers never come to rest");
        timers_run(&f->timers);
    }
}

void fake_pass(struct fake *f, int64_t ns)
{
    int64_t until = f->now + ns;
    fake_settle(f);
    for (int64_t next; (next = timers_next(&f->timers)) <= until;) {
        f->wall += next - f->now;
        f->now = next;
        fake_settle(f);
    }
    f->wall += until - f->now;
    f->now = until;
}

uint32_t fake_count_open(const struct fake *f)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n; i++)
        n += f->calls[i]->open;
    return n;
}

struct fake_call *fake_open(struct fake *f, uint32_t i)
{
    for (uint32_t k = 0; k < f->n; k++)
        if (f->calls[k]->open && i-- == 0)
            return f->calls[k];
    ck_abort_msg("no such call is open");
    return NULL;
}

struct fake_call *fake_only(struct fake *f)
{
    ck_assert_uint_eq(fake_count_open(f), 1);
    return fake_open(f, 0);
}

void fake_reply_later(struct fake *f, struct fake_call *c, int status, const char *body,
                      int64_t retry_after_s)
{
    /* A copy of exactly its size, so that reading behind it is seen. */
    char *text = copy(body, strlen(body));
    struct kube_reply r = {status, text, strlen(text), retry_after_s, status ? "" : "connection reset"};
    ck_assert(c->open);
    c->open = false;
    c->h.on_done(c->h.arg, &r);
    free(text);
    fake_settle(f);
}

void fake_reply(struct fake *f, struct fake_call *c, int status, const char *body)
{
    fake_reply_later(f, c, status, body, -1);
}

void fake_lose(struct fake *f, struct fake_call *c)
{
    fake_reply(f, c, 0, "");
}

bool fake_data(struct fake *f, struct fake_call *c, int status, const char *data)
{
    size_t len = strlen(data);
    char *piece = malloc(len ? len : 1); /* not terminated, as a socket gives it */
    if (!piece)
        abort();
    memcpy(piece, data, len);
    ck_assert(c->open && c->stream);
    c->stopped = !c->h.on_data(c->h.arg, status, piece, len);
    free(piece);
    if (c->stopped)
        fake_lose(f, c);
    fake_settle(f);
    return !c->stopped;
}

void fake_end(struct fake *f, struct fake_call *c, int status)
{
    fake_reply(f, c, status, "");
}
