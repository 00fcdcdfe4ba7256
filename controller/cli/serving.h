/* What `sluice controller` shows of itself while it runs: probes (around.md 8.2), metrics, and how long the turns of its loop take. */
#ifndef SLUICE_CLI_SERVING_H
#define SLUICE_CLI_SERVING_H

#include "api/settings.h"
#include "run/controller.h"
#include "serve/log.h"

#include <uv.h>

struct http;
struct serving;

struct serving_config {
    uv_loop_t *loop;
    const struct settings *settings; /* addresses and names of the probes */
    struct controller *controller;
    struct http *http;
    struct log *log;
};

/* Before the loop runs. All in `c` is borrowed until serving_stop. An address that cannot be listened at is told in the log, and nothing is
 * served there. ERR_NOMEM, ERR_IO. */
MUST_USE int serving_start(const struct serving_config *c, struct serving **ret, struct err *err);
/* Before the controller goes: what is asked from now on is answered "stopping". `closed` is called from the loop when nothing of it is left
 * there; at once when `s` is NULL. */
void serving_stop(struct serving *s, void (*closed)(void *arg), void *arg);

#endif
