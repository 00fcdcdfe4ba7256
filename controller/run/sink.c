#include "run/sink.h"

#include <stddef.h>

static struct sink_counter *counter_of(struct sink *s)
{
    return (struct sink_counter *)((char *)s - offsetof(struct sink_counter, sink));
}

static uint64_t count_decision(struct sink *s, const struct sink_decision *d)
{
    struct sink_counter *c = counter_of(s);

    c->decided[d->what]++;
    return ++c->next;
}

static bool count_committed(struct sink *s, uint64_t id)
{
    return id <= counter_of(s)->next;
}

static void count_outcome(struct sink *s, uint64_t id, enum sink_outcome o)
{
    (void)id;
    counter_of(s)->ended[o]++;
}

void sink_counter_init(struct sink_counter *c)
{
    *c = (struct sink_counter){.sink = {count_decision, count_committed, count_outcome}};
}

const char *sink_what_name(enum sink_what w)
{
    static const char *const names[SINK_WHATS] = {"admit", "evict", "deactivate", "release", "finish"};

    return names[w];
}

const char *sink_outcome_name(enum sink_outcome o)
{
    static const char *const names[SINK_OUTCOMES] = {"published", "superseded", "refused", "lost"};

    return names[o];
}
