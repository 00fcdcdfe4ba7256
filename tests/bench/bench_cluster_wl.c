#include "bench_cluster_wl.h"

#include <inttypes.h>
#include <stdlib.h>

const struct wl_class wl_classes[WL_CLASSES] = {
    {"small", 350, 1, 50, 200 * NS_PER_MS, 100 * NS_PER_MS},
    {"medium", 100, 5, 100, 500 * NS_PER_MS, 500 * NS_PER_MS},
    {"large", 50, 20, 200, 1000 * NS_PER_MS, 1200 * NS_PER_MS},
};

static void add_name(struct str *out, uint32_t index)
{
    str_addf(out, "w%06u", index);
}

void wl_body(struct str *out, uint32_t index, const struct wl_class *class, uint32_t queue)
{
    str_add(out,
            "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":\"Workload\",\"metadata\":{\"name\":\"");
    add_name(out, index);
    str_addf(
        out,
        "\",\"namespace\":\"" BENCH_NAMESPACE "\",\"labels\":{\"class\":\"%s\"}},"
        "\"spec\":{\"active\":true,\"queueName\":\"lq-%02u\",\"priority\":%u,\"podSets\":[{\"name\":\"main\","
        "\"count\":1,\"template\":{\"metadata\":{},\"spec\":{\"restartPolicy\":\"Never\",\"containers\":["
        "{\"name\":\"main\",\"image\":\"bench\",\"resources\":{\"requests\":{\"cpu\":\"%u\"}}}]}}}]}}",
        class->name, queue, class->priority, class->cpu);
}

static unsigned bit_of(struct span condition)
{
    static const struct {
        const char *type;
        unsigned bit;
    } known[] = {{"Admitted", WL_ADMITTED},
                 {"QuotaReserved", WL_RESERVED},
                 {"Evicted", WL_EVICTED},
                 {"Finished", WL_FINISHED}};
    struct span type = scan_field(condition, "type");

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (scan_is(type, known[i].type))
            return scan_is(scan_field(condition, "status"), "True") ? known[i].bit : 0;
    return 0;
}

bool wl_read(const char *json, size_t len, struct wl_seen *ret)
{
    const struct span object = {json, len};
    struct span meta = scan_field(object, "metadata"), item = {NULL, 0};
    struct span name = scan_text(scan_field(meta, "name"));
    struct span version = scan_text(scan_field(meta, "resourceVersion"));

    if (!name.p || name.n != 7 || *name.p != 'w' || !version.p)
        return false;
    *ret = (struct wl_seen){
        .version = strtoull(version.p, NULL, 10),
        .index = (uint32_t)strtoul(name.p + 1, NULL, 10),
        .conditions = scan_field(scan_field(object, "status"), "conditions"),
    };
    while (scan_item(ret->conditions, &item))
        ret->is |= bit_of(item);
    return true;
}

/* ---- what a job's controller writes ---------------------------------------------------------------------------------------- */

void wl_status_path(struct str *out, uint32_t index)
{
    str_add(out, BENCH_WORKLOADS "/");
    add_name(out, index);
    str_add(out, "/status?fieldManager=bench");
}

static void begin(struct str *out, uint64_t version)
{
    str_addf(out, "{\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"},\"status\":{", version);
}

static void add_condition(struct str *out, bool first, const char *type, bool is, const char *reason,
                          struct span message, when_ns now)
{
    char time[32];

    when_print(now, time, sizeof(time));
    str_addf(out,
             "%s{\"type\":\"%s\",\"status\":\"%s\",\"reason\":\"%s\",\"message\":\"%.*s\","
             "\"lastTransitionTime\":\"%s\"}",
             first ? "" : ",", type, is ? "True" : "False", reason, (int)message.n, message.p, time);
}

void wl_finish(struct str *out, uint64_t version, struct span conditions, when_ns now)
{
    static const struct span message = {"Job finished successfully", 25};

    begin(out, version);
    str_add(out, "\"conditions\":");
    str_addn(out, conditions.p, conditions.n - 1);
    add_condition(out, conditions.n <= 2, "Finished", true, "Succeeded", message, now);
    str_add(out, "]}}");
}

void wl_release(struct str *out, uint64_t version, struct span conditions, when_ns now)
{
    struct span item = {NULL, 0}, message = {"", 0};
    bool first = true;

    begin(out, version);
    str_add(out, "\"admission\":null,\"conditions\":[");
    while (scan_item(conditions, &item)) {
        struct span type = scan_field(item, "type");
        if (scan_is(type, "Evicted") && scan_text(scan_field(item, "message")).p)
            message = scan_text(scan_field(item, "message"));
        if (scan_is(type, "Requeued") || scan_is(type, "QuotaReserved") || scan_is(type, "Admitted"))
            continue;
        str_add(out, first ? "" : ",");
        str_addn(out, item.p, item.n);
        first = false;
    }
    add_condition(out, first, "Requeued", true, "Preempted", message, now);
    add_condition(out, false, "QuotaReserved", false, "Pending", message, now);
    add_condition(out, false, "Admitted", false, "NoReservation", message, now);
    str_add(out, "]}}");
}
