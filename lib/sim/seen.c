#include "sim/seen.h"

#include "base/mem.h"

#include <string.h>

void seen_free(struct seen *s)
{
    mem_free(s->at);
    *s = (struct seen){0};
}

void seen_clear(struct seen *s)
{
    s->n = 0;
}

int seen_add(struct seen *s, struct seen_state state, bool *ret_new)
{
    *ret_new = true;
    /* The newest first: a world at rest repeats the state before. */
    for (uint32_t i = s->n; i-- > 0;) {
        if (s->at[i].h[0] == state.h[0] && s->at[i].h[1] == state.h[1]) {
            *ret_new = false;
            return 0;
        }
    }
    if (mem_grow((void **)&s->at, &s->cap, s->n + 1, sizeof(*s->at)))
        return ERR_NOMEM;
    s->at[s->n++] = state;
    return 0;
}

/* ---- the hash ----------------------------------------------------------------------------------------------------------- */

static void mix(struct seen_state *s, uint64_t v)
{
    static const uint64_t factor[2] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xff51afd7ed558ccd)};

    for (int i = 0; i < 2; i++) {
        uint64_t x = (s->h[i] ^ v) * factor[i];
        s->h[i] = x ^ (x >> (29 + i));
    }
}

/* A Workload is its record as long as the world lives, and addresses of records do not change: cheaper than its name. */
static void mix_wl(struct seen_state *s, const struct wl *wl)
{
    mix(s, (uint64_t)(uintptr_t)wl);
}

struct seen_state seen_state_of(struct world *w)
{
    struct seen_state s = {{UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)}};
    uint32_t n;
    const uint32_t *order = world_cq_order(w, &n);

    for (uint32_t i = 0; i < n; i++) {
        mix_wl(&s, world_cq_sticky(w, order[i]));
        mix(&s, world_cq_parked(w, order[i]));
        mix(&s, world_cq_queue_state(w, order[i]));
    }
    return s;
}
