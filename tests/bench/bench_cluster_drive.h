/* What the parts of bench-cluster share: one loop with its timers, and clients of the API server that count and record what they send. A
 * bench that cannot go on ends with a message. */
#ifndef BENCH_CLUSTER_DRIVE_H
#define BENCH_CLUSTER_DRIVE_H

#include "kube/http.h"
#include "kube/timers.h"
#include "kube/watch.h"

#include <stdio.h>
#include <uv.h>

#define BENCH_NAMESPACE "bench"
#define BENCH_WORKLOADS "/apis/kueue.x-k8s.io/v1beta2/namespaces/" BENCH_NAMESPACE "/workloads"

struct drive {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t timer;
    struct kube_clock clock;
    struct timers timers;
    bool over;
};

enum drive_op { OP_CREATE, OP_FINISH, OP_RELEASE, OP_OTHER, OPS };
enum drive_end { END_OK, END_CONFLICT, END_OTHER, ENDS };

struct client {
    struct drive *d;
    struct credentials *credentials;
    struct http *http;
    FILE *record; /* a line for each request that did something; NULL = none */
    uint64_t counts[OPS][ENDS];
    uint32_t running;
};

struct client_request {
    enum drive_op op;
    enum kube_verb verb;
    const char *path, *content_type, *body;
    size_t len;
};

_Noreturn void drive_die(const char *what, const char *why);
void *drive_memory(size_t n); /* zeroed, or the end */

void drive_open(struct drive *d);
void drive_run(struct drive *d); /* until `over` */
/* Everything of it must be gone. */
void drive_close(struct drive *d);
int64_t drive_now(const struct drive *d); /* mono */

void client_open(struct client *c, struct drive *d, const char *kubeconfig, const char *agent);
void client_close(struct client *c);
/* All of `q` is borrowed for the call. `done` is called once; status 0: no answer. */
void client_send(struct client *c, const struct client_request *q,
                 void (*done)(void *arg, int status, const char *body), void *arg);
void client_print_counts(const struct client *c); /* "requests": {...} */
/* All Workloads of the bench's namespace. */
struct watch *client_watch(struct client *c, const struct watch_handler *h);

#endif
