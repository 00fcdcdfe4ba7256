#include "api/config.h"
#include "api/labels.h"

#include <string.h>

/* resources.deviceClassMappings of a Configuration (around.md 6). */

enum {
    MAPPINGS_MAX = 16,
    CLASSES_MAX = 8,
    NAME_MAX_LEN = 253,
    DRIVER_MAX_LEN = 63,
    DOMAIN_MAX_LEN = 63,
    IDENTIFIER_MAX_LEN = 32,
};

#define PARTITIONABLE "KueueDRAIntegrationPartitionableDevices"
#define CONSUMABLE "KueueDRAIntegrationConsumableCapacity"

/* ---- sources ------------------------------------------------------------------------------------------------------------ */

static const char *too_long(size_t len, size_t max)
{
    return len <= max                  ? NULL
           : max == IDENTIFIER_MAX_LEN ? "Too long: may not be more than 32 bytes"
                                       : "Too long: may not be more than 63 bytes";
}

/* A counter's name is a DNS label; a capacity's is a C identifier, perhaps with a domain before it. */
static void check_source_name(struct reader *rd, const struct doc_node *n,
                              const struct settings_device_source *s)
{
    const struct doc_node *name = doc_field(n, "name");
    if (!*s->name) {
        rd_required(rd, n, "name");
        return;
    }
    const char *slash = s->is_capacity ? strchr(s->name, '/') : NULL;
    const char *identifier = slash ? slash + 1 : s->name;
    const char *why = too_long(slash ? (size_t)(slash - s->name) : 0, DOMAIN_MAX_LEN);
    if (!why && s->is_capacity)
        why = too_long(strlen(identifier), IDENTIFIER_MAX_LEN);
    if (why) {
        rd_error(rd, name, "%s", why);
        return;
    }
    if (slash == s->name)
        why = "the domain must not be empty";
    else
        why = s->is_capacity ? c_identifier_problem(identifier) : dns_label_problem(s->name);
    if (why)
        rd_invalid(rd, name, why);
}

static void check_source(struct reader *rd, const struct doc_node *n, const struct gates *g,
                         const struct settings_device_source *s)
{
    const char *needed = s->is_capacity ? CONSUMABLE : PARTITIONABLE;
    if (!gate_named(g, needed)) {
        rd_error(rd, n, "Invalid value: %s sources require %s to be enabled",
                 s->is_capacity ? "capacity" : "counter", needed);
        return;
    }
    check_source_name(rd, n, s);
    const char *why = dns_subdomain_problem(s->driver);
    if (!*s->driver)
        rd_required(rd, n, "driver");
    else if (strlen(s->driver) > DRIVER_MAX_LEN)
        rd_error_at(rd, n, "driver", "Too long: may not be more than 63 bytes");
    else if (why)
        rd_invalid(rd, doc_field(n, "driver"), why);
    if (!*s->expression)
        rd_error_named(rd, n, n, "deviceSelector.cel.expression", "Required value");
}

static void read_source(struct reader *rd, const struct doc_node *n, const struct gates *g,
                        struct settings_device_source *ret)
{
    const struct doc_node *counter = rd_map(rd, n, "counter"), *capacity = rd_map(rd, n, "capacity");
    const struct doc_node *one = counter ? counter : capacity;
    *ret =
        (struct settings_device_source){.is_capacity = !counter, .name = "", .driver = "", .expression = ""};
    config_known(rd, n, "counter capacity ");
    if (!one || (counter && capacity)) {
        if (rd_validates(rd))
            rd_error(rd, n, "Invalid value: exactly one of counter and capacity must be set");
        return;
    }
    const struct doc_node *selector = rd_map(rd, one, "deviceSelector"), *cel = rd_map(rd, selector, "cel");
    config_known(rd, one, "name driver deviceSelector ");
    config_known(rd, selector, "cel ");
    config_known(rd, cel, "expression ");
    ret->name = rd_str(rd, one, "name");
    ret->driver = rd_str(rd, one, "driver");
    ret->expression = rd_str(rd, cel, "expression");
    if (rd_validates(rd))
        check_source(rd, one, g, ret);
}

static void read_sources(struct reader *rd, const struct doc_node *n, const struct gates *g,
                         struct settings_device_mapping *m)
{
    const struct doc_node *list = rd_list(rd, n, "sources");
    struct settings_device_source *out =
        list && list->n ? ARENA_NEW(rd->arena, struct settings_device_source, list->n) : NULL;
    uint32_t capacities = 0;
    doc_foreach (c, list) {
        if (c->type != DOC_MAP) {
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
            continue;
        }
        read_source(rd, c, g, &out[m->nsources]);
        capacities += out[m->nsources++].is_capacity;
    }
    m->sources = out;
    if (rd_validates(rd) && capacities && capacities != m->nsources)
        rd_error(rd, list, "Invalid value: counter and capacity sources may not be mixed");
}

/* ---- mappings ----------------------------------------------------------------------------------------------------------- */

static void check_qualified(struct reader *rd, const struct doc_node *n)
{
    const char *why =
        strlen(n->text) > NAME_MAX_LEN ? "must not exceed 253 characters" : label_key_problem(n->text);
    if (why)
        rd_invalid(rd, n, why);
}

static void check_mapping(struct reader *rd, const struct doc_node *n,
                          const struct settings_device_mapping *m)
{
    const struct doc_node *name = doc_field(n, "name"), *classes = doc_field(n, "deviceClassNames");
    if (doc_is(name, DOC_STRING))
        check_qualified(rd, name);
    else if (!name)
        rd_required(rd, n, "name");
    if (!m->nclasses)
        rd_error_at(rd, n, "deviceClassNames", "Required value: at least one device class name is required");
    if (m->nclasses > CLASSES_MAX)
        rd_too_many(rd, classes, CLASSES_MAX);
    doc_foreach (c, classes) {
        if (c->type == DOC_STRING)
            check_qualified(rd, c);
    }
}

static bool only_counters(const struct settings_device_mapping *m)
{
    return m->nsources && !m->sources[0].is_capacity;
}

/* The counter that both mappings count, NULL if there is none. */
static const char *common_counter(const struct settings_device_mapping *a,
                                  const struct settings_device_mapping *b)
{
    for (uint32_t i = 0; i < a->nsources; i++) {
        for (uint32_t j = 0; j < b->nsources; j++) {
            if (strcmp(a->sources[i].name, b->sources[j].name) == 0)
                return a->sources[i].name;
        }
    }
    return NULL;
}

static bool has_class(const struct settings_device_mapping *m, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(m->classes[i], name) == 0)
            return true;
    }
    return false;
}

/* A class belongs to one mapping, or to several that count different counters. */
static void check_class(struct reader *rd, const struct doc_node *n,
                        const struct settings_device_mapping *list, uint32_t at)
{
    const struct settings_device_mapping *m = &list[at];
    if (has_class(m, n->index < m->nclasses ? n->index : 0, n->text)) {
        rd_duplicate(rd, n);
        return;
    }
    for (uint32_t i = 0; i < at; i++) {
        if (!has_class(&list[i], list[i].nclasses, n->text))
            continue;
        const char *counter =
            only_counters(&list[i]) && only_counters(m) ? common_counter(&list[i], m) : NULL;
        if (counter)
            rd_error(
                rd, n,
                "Invalid value: \"%.100s\": device class already has a counter source for counter \"%.100s\"",
                n->text, counter);
        else if (!only_counters(&list[i]) || !only_counters(m))
            rd_error(rd, n, "Invalid value: \"%.100s\": device class already mapped to resource %.100s",
                     n->text, list[i].resource);
        else
            continue;
        return;
    }
}

static void check_mappings(struct reader *rd, const struct doc_node *list, const struct settings *s)
{
    if (s->ndevices > MAPPINGS_MAX) {
        rd_too_many(rd, list, MAPPINGS_MAX);
        return;
    }
    rd_check_unique(rd, list, "name");
    for (uint32_t i = 0; i < s->ndevices && s->ndevices == list->n; i++) {
        const struct doc_node *classes = doc_field(doc_at(list, i), "deviceClassNames");
        if (classes && classes->n > CLASSES_MAX)
            continue;
        doc_foreach (c, classes) {
            if (c->type == DOC_STRING)
                check_class(rd, c, s->devices, i);
        }
    }
}

void config_devices(struct reader *rd, const struct doc_node *resources, const struct gates *g,
                    struct settings *s)
{
    const struct doc_node *list = rd_list(rd, resources, "deviceClassMappings");
    struct settings_device_mapping *out =
        list && list->n ? ARENA_NEW(rd->arena, struct settings_device_mapping, list->n) : NULL;
    doc_foreach (c, list) {
        if (c->type != DOC_MAP) {
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
            continue;
        }
        struct settings_device_mapping *m = &out[s->ndevices++];
        config_known(rd, c, "name deviceClassNames sources ");
        m->resource = rd_str(rd, c, "name");
        m->classes = rd_strings(rd, c, "deviceClassNames", &m->nclasses);
        read_sources(rd, c, g, m);
        if (rd_validates(rd))
            check_mapping(rd, c, m);
    }
    s->devices = out;
    if (rd_validates(rd) && list)
        check_mappings(rd, list, s);
}
