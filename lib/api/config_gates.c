#include "api/config.h"

/* Feature gates of a Configuration (engine.md 12). */

struct gates config_gates(struct reader *rd, const struct doc_node *root, struct fact_config *c)
{
    const struct doc_node *map = rd_map(rd, root, "featureGates");
    struct fact_gate *out = map && map->n ? ARENA_NEW(rd->arena, struct fact_gate, map->n) : NULL;
    struct gates all = gates_default();
    struct err e;
    doc_foreach (n, map) {
        bool on;
        if (doc_bool(n, &on, &e) < 0) {
            rd_error(rd, n, "%s", e.text);
            continue;
        }
        if (gates_set(&all, n->key, on, &e) < 0 && rd_validates(rd))
            rd_error(rd, n, "Invalid value: %s: %s", n->text, e.text);
        out[c->ngates++] = (struct fact_gate){.name = n->key, .on = on};
    }
    c->gates = out;
    if (rd_validates(rd) && gates_consistent(out, c->ngates, &e) < 0)
        rd_error(rd, map, "Invalid value: %s", e.text);
    return all;
}
