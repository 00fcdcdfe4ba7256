#include "simulated/memory.h"

#include "base/mem.h"
#include "simulated/life_priv.h"

enum { ONE_IN = 300, MOST_LEFT = 300 };

void memory_init(struct memory *m, struct life *l)
{
    *m = (struct memory){.l = l, .dice = dice_of_seed(l->seed + UINT64_C(0x9e3779b97f4a7c15))};
}

static uint64_t below(struct memory *m, uint64_t n)
{
    return dice_next(&m->dice) % n;
}

static void begin_outage(struct memory *m)
{
    m->out = true;
    m->lasts = below(m, 3) == 0;
    m->left = below(m, MOST_LEFT);
    m->until = m->l->clock.mono + (int64_t)below(m, 8 * NS_PER_S);
    life_fault(m->l, FAULT_MEMORY);
}

void memory_enter(struct memory *m)
{
    if (!m->l)
        return;
    m->inside = true;
    if (m->out && m->lasts && m->l->clock.mono >= m->until)
        m->out = false;
    if (!m->out && !life_calm(m->l) && below(m, ONE_IN) == 0)
        begin_outage(m);
    m->counted = mem_count();
    mem_fail_after(m->out ? m->left + 1 : 0);
}

void memory_leave(struct memory *m)
{
    uint64_t used = mem_count() - m->counted;

    if (!m->inside)
        return;
    m->inside = false;
    mem_fail_after(0);
    if (!m->out)
        return;
    m->left -= used < m->left ? used : m->left;
    if (!m->left && !m->lasts)
        m->out = false;
}

/* From the controller's code into the world's, and back. Not inside while it is being freed. */
static bool step_out(struct memory *m)
{
    bool inside = m->inside;

    memory_leave(m);
    return inside;
}

static void step_in(struct memory *m, bool inside)
{
    if (inside)
        memory_enter(m);
}

/* ---- the server ------------------------------------------------------------------------------------------------------------ */

/* A call as the controller knows it. */
struct call {
    struct memory *m;
    struct kube_handler handler; /* the controller's */
    struct kube_call *call;
};

static bool on_data(void *arg, int status, const char *data, size_t len)
{
    const struct call *c = arg;

    memory_enter(c->m);
    bool go_on = c->handler.on_data(c->handler.arg, status, data, len);
    memory_leave(c->m);
    return go_on;
}

static void on_done(void *arg, const struct kube_reply *reply)
{
    struct call *c = arg;

    memory_enter(c->m);
    c->handler.on_done(c->handler.arg, reply);
    memory_leave(c->m);
    mem_free(c);
}

static struct kube_call *start(void *self, const struct kube_request *r, const struct kube_handler *h,
                               struct err *err)
{
    struct memory *m = self;
    const struct kube_server *server = &m->l->server.seam;
    bool refused = m->out && !m->left;

    if (refused) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    bool inside = step_out(m);
    struct call *c = mem_alloc(sizeof(*c));
    if (c) {
        const struct kube_handler own = {
            .on_data = h->on_data ? on_data : NULL, .on_done = on_done, .arg = c};
        *c = (struct call){.m = m, .handler = *h};
        c->call = server->start(server->self, r, &own, err);
    }
    if (c && !c->call) {
        mem_free(c);
        c = NULL;
    }
    step_in(m, inside);
    return (struct kube_call *)c;
}

static void cancel(void *self, struct kube_call *call)
{
    const struct memory *m = self;
    struct call *c = (struct call *)call;

    m->l->server.seam.cancel(m->l->server.seam.self, c->call);
    mem_free(c);
}

struct kube_server memory_server(struct memory *m)
{
    return m->l ? (struct kube_server){start, cancel, m} : (struct kube_server){0};
}

/* ---- the sink -------------------------------------------------------------------------------------------------------------- */

static struct memory *memory_of(struct sink *s)
{
    return (struct memory *)((char *)s - offsetof(struct memory, sink));
}

static uint64_t decide(struct sink *s, const struct sink_decision *d)
{
    struct memory *m = memory_of(s);

    bool inside = step_out(m);
    uint64_t id = m->inner->decide(m->inner, d);
    step_in(m, inside);
    return id;
}

static bool committed(struct sink *s, uint64_t id)
{
    struct memory *m = memory_of(s);

    bool inside = step_out(m);
    bool is = m->inner->committed(m->inner, id);
    step_in(m, inside);
    return is;
}

static void outcome(struct sink *s, uint64_t id, enum sink_outcome o)
{
    struct memory *m = memory_of(s);

    bool inside = step_out(m);
    m->inner->outcome(m->inner, id, o);
    step_in(m, inside);
}

struct sink *memory_sink(struct memory *m, struct sink *inner)
{
    m->inner = inner;
    m->sink = (struct sink){decide, committed, outcome};
    return m->l ? &m->sink : inner;
}
