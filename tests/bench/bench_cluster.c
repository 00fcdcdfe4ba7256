/* bench-cluster: the load of the known benchmark on a real API server, and what measures it. tests/bench/cluster starts and stops what it needs
 * and adds up.
 *
 *     bench-cluster --kubeconfig FILE [--scale F] [--queues N] [--record FILE] load
 *     bench-cluster --kubeconfig FILE [--count N] calm          one by one while quota is free
 *     bench-cluster --kubeconfig FILE [--count N] [--streams N] fill
 *     bench-cluster --kubeconfig FILE await                     until the next admission
 *     bench-cluster --kubeconfig FILE list                      how long the API server needs to send all Workloads
 *     bench-cluster --kubeconfig FILE [--other FILE] [--asap] --record FILE replay
 */
#include "bench_cluster.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(const struct bench_options *o);
} commands[] = {{"load", bench_load},   {"calm", bench_calm}, {"fill", bench_fill},
                {"await", bench_await}, {"list", bench_list}, {"replay", bench_replay}};

static const struct option options[] = {{"kubeconfig", required_argument, NULL, 'k'},
                                        {"other", required_argument, NULL, 'o'},
                                        {"record", required_argument, NULL, 'r'},
                                        {"scale", required_argument, NULL, 's'},
                                        {"queues", required_argument, NULL, 'q'},
                                        {"count", required_argument, NULL, 'n'},
                                        {"streams", required_argument, NULL, 'p'},
                                        {"asap", no_argument, NULL, 'a'},
                                        {NULL, 0, NULL, 0}};

static int usage(void)
{
    fprintf(stderr, "usage: bench-cluster --kubeconfig FILE [OPTIONS] load|calm|fill|await|list|replay\n");
    return 2;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static void take(struct bench_options *o, int c)
{
    switch (c) {
    case 'k':
        o->kubeconfig = optarg;
        break;
    case 'o':
        o->other = optarg;
        break;
    case 'r':
        o->record = optarg;
        break;
    case 's':
        o->scale = strtod(optarg, NULL);
        break;
    case 'q':
        o->queues = number(optarg);
        break;
    case 'n':
        o->count = number(optarg);
        break;
    case 'p':
        o->streams = number(optarg);
        break;
    default:
        o->asap = true;
    }
}

int main(int argc, char **argv)
{
    struct bench_options o = {.scale = 1, .queues = 30, .count = 100, .streams = 64};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == '?')
            return usage();
        take(&o, c);
    }
    if (optind + 1 != argc || !o.kubeconfig || !o.queues || !o.count || !o.streams ||
        (!o.record && !strcmp(argv[optind], "replay")))
        return usage();
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(argv[optind], commands[i].name)) {
            commands[i].run(&o);
            return 0;
        }
    return usage();
}
