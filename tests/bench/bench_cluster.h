/* The commands of bench-cluster. Each prints one JSON object. */
#ifndef BENCH_CLUSTER_H
#define BENCH_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

struct bench_options {
    const char *kubeconfig;
    const char *other; /* kubeconfig of the second client of `replay`, who writes what the controller wrote */
    const char *record; /* `load`: where its requests are written; `replay`: what is sent */
    double scale;       /* of the number of Workloads of a queue */
    uint32_t queues;
    uint32_t count; /* of Workloads, for calm and fill */
    uint32_t streams;
    bool asap; /* replay: as fast as the order within each object lets it */
};

void bench_load(const struct bench_options *o);
void bench_calm(const struct bench_options *o);
void bench_fill(const struct bench_options *o);
void bench_await(const struct bench_options *o);
void bench_list(const struct bench_options *o);
void bench_replay(const struct bench_options *o);

#endif
