/* bench-controller: the controller's own part, without an API server: N Workloads arrive through its watches, from a server that makes them up as it
 * sends them and answers no write. Prints one JSON object: CPU for each object that arrives, the longest turn, peak memory.
 *
 *     bench-controller [-w WORKLOADS] [-q QUEUES] */
#include "api/set.h"
#include "base/mem.h"
#include "base/str.h"
#include "run/controller.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WATCHES_MAX = 32, PIECE = 64 };

struct kube_call {
    struct kube_handler handler;
    char path[128];
    uint32_t at; /* objects sent */
    bool used, done;
};

struct bench {
    uint32_t nworkloads, nqueues;
    struct kube_call calls[WATCHES_MAX];
    struct str text;
    int64_t mono;
};

static struct kube_call *start(void *self, const struct kube_request *r, const struct kube_handler *h,
                               struct err *err)
{
    struct bench *b = self;

    (void)err;
    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
        struct kube_call *c = &b->calls[i];
        if (c->used)
            continue;
        *c = (struct kube_call){.handler = *h, .used = true};
        snprintf(c->path, sizeof(c->path), "%.*s", (int)strcspn(r->path, "?"), r->path);
        return c;
    }
    return NULL; /* writes: nobody is there */
}

static void cancel(void *self, struct kube_call *c)
{
    (void)self;
    c->used = false;
}

static when_ns wall(void *self)
{
    return INT64_C(1790000000) * NS_PER_S + ((struct bench *)self)->mono;
}

static int64_t mono(void *self)
{
    return ((struct bench *)self)->mono;
}

static uint64_t chance(void *self)
{
    (void)self;
    return 4; /* by a fair throw */
}

/* ---- objects --------------------------------------------------------------------------------------------------------------- */

static void meta(struct str *s, const char *kind, const char *ns, const char *name, uint32_t i)
{
    str_addf(s,
             "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"kueue.x-k8s.io/"
             "v1beta2\",\"kind\":\"%s\",\"metadata\":{"
             "\"name\":\"%s-%u\",\"uid\":\"0a1b2c3d-0000-4000-8000-%012u\",\"resourceVersion\":\"%u\","
             "\"generation\":1,"
             "\"creationTimestamp\":\"2026-09-21T12:00:00Z\"%s%s%s},",
             kind, name, i, i, i + 10, *ns ? ",\"namespace\":\"" : "", ns, *ns ? "\"" : "");
}

static void workload(struct str *s, const struct bench *b, uint32_t i)
{
    meta(s, "Workload", "bench", "workload", i);
    str_addf(s,
             "\"spec\":{\"active\":true,\"queueName\":\"lq-%u\",\"priority\":%u,\"podSets\":[{\"name\":"
             "\"main\",\"count\":1,"
             "\"template\":{\"metadata\":{},\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":"
             "\"c\",\"image\":"
             "\"pause\",\"resources\":{\"requests\":{\"cpu\":\"%u\"}}}]}}}]}}}\n",
             i % b->nqueues, i % 3 * 50, 1 + i % 3);
}

static void queue(struct str *s, uint32_t i)
{
    meta(s, "ClusterQueue", "", "cq", i);
    str_add(
        s,
        "\"spec\":{\"namespaceSelector\":{},\"queueingStrategy\":\"BestEffortFIFO\",\"resourceGroups\":[{"
        "\"coveredResources\":[\"cpu\"],\"flavors\":[{\"name\":\"flavor-0\",\"resources\":[{\"name\":\"cpu\","
        "\"nominalQuota\":\"0\"}]}]}]}}}\n");
}

static void local_queue(struct str *s, uint32_t i)
{
    meta(s, "LocalQueue", "bench", "lq", i);
    str_addf(s, "\"spec\":{\"clusterQueue\":\"cq-%u\"}}}\n", i);
}

/* False: this kind has no more. */
static bool object(struct bench *b, const char *path, uint32_t i)
{
    const char *kind = strrchr(path, '/') + 1;

    str_clear(&b->text);
    if (!strcmp(kind, "workloads") && i < b->nworkloads)
        workload(&b->text, b, i);
    else if (!strcmp(kind, "clusterqueues") && i < b->nqueues)
        queue(&b->text, i);
    else if (!strcmp(kind, "localqueues") && i < b->nqueues)
        local_queue(&b->text, i);
    else if (!strcmp(kind, "resourceflavors") && i < 1)
        meta(&b->text, "ResourceFlavor", "", "flavor", i), str_add(&b->text, "\"spec\":{}}}\n");
    else if (!strcmp(kind, "namespaces") && i < 1)
        str_add(&b->text, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"bench\",\"uid\":\"n\","
                          "\"resourceVersion\":\"5\"}}}\n");
    else
        return false;
    return true;
}

static void finish_list(struct bench *b, struct kube_call *c)
{
    static const char end[] =
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\",\"annotations\":{"
        "\"k8s.io/initial-events-end\":\"true\"}}}}\n";

    (void)b;
    c->done = true;
    (void)c->handler.on_data(c->handler.arg, 200, end, sizeof(end) - 1);
}

/* A piece of each stream; false when all are through. */
static bool feed(struct bench *b)
{
    bool more = false;

    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
        struct kube_call *c = &b->calls[i];
        for (uint32_t n = 0; n < PIECE && c->used && !c->done && c->handler.on_data; n++) {
            more = true;
            if (!object(b, c->path, c->at++))
                finish_list(b, c);
            else
                (void)c->handler.on_data(c->handler.arg, 200, str_text(&b->text), b->text.len);
        }
    }
    return more;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------------- */

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "VmHWM:", 6))
            kib = strtol(line + 6, NULL, 10);
    if (f)
        (void)fclose(f);
    return kib;
}

static void run(struct bench *b, struct controller *c)
{
    int64_t begin = cpu_ns(), longest = 0, turns = 0;
    bool more = true;

    while (more || turns < 100) {
        int64_t at = cpu_ns();
        more = feed(b);
        more = controller_turn(c) || more;
        int64_t took = cpu_ns() - at;
        longest = took > longest ? took : longest;
        b->mono += NS_PER_MS;
        turns++;
    }
    struct controller_stats s = controller_stats(c);
    printf("{\"workloads\":%u,\"queues\":%u,\"cpu_us_per_workload\":%.1f,\"longest_turn_ms\":%.2f,\"turns\":%"
           "lld,\"cycles\":%llu,"
           "\"peak_mib\":%.1f}\n",
           s.workloads, b->nqueues, (double)(cpu_ns() - begin) / 1e3 / b->nworkloads,
           (double)longest / NS_PER_MS, (long long)turns, (unsigned long long)s.cycles,
           (double)peak_kib() / 1024);
}

int main(int argc, char **argv)
{
    static const char text[] = "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n"
                               "integrations: {frameworks: [batch/job]}\n";
    static struct bench b = {.nworkloads = 100000, .nqueues = 30};
    struct api_set *set = api_set_new(0);
    struct controller *c = NULL;
    struct err err;
    int option;

    while ((option = getopt(argc, argv, "w:q:")) != -1)
        *(option == 'w' ? &b.nworkloads : &b.nqueues) = (uint32_t)strtoul(optarg, NULL, 10);
    str_init(&b.text, 0);
    if (!b.nworkloads || !b.nqueues || !set ||
        api_read_buffer(set, "configuration", text, sizeof(text) - 1, &err) || api_set_count(set) != 1)
        return 2;
    const struct controller_config config = {
        .core = &api_set_at(set, 0)->config,
        .settings = api_set_at(set, 0)->settings,
        .identity = "bench",
        .ns = "bench",
    };
    const struct kube_server server = {start, cancel, &b};
    const struct controller_seams seams = {server, server, {wall, mono, chance, &b}};
    if (controller_new(&config, &seams, &c, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    run(&b, c);
    controller_free(c);
    api_set_free(set);
    str_free(&b.text);
    return 0;
}
