/* Runs an exec plugin and reads what it prints (kubernetes.md 3.15): for the command line, never in the cluster. */
#ifndef SLUICE_KUBE_EXEC_H
#define SLUICE_KUBE_EXEC_H

#include "kube/credentials.h"

#include <uv.h>

struct exec;

enum { EXEC_OUTPUT_MAX = 1 << 20 }; /* bytes of its answer; its stderr is ours */

/* Begins to run the plugin of `c`. When it has ended `done` is called from the loop, once, with 0 and the credentials brought up to date, or
 * with an error; the exec is gone when it returns. A plugin that takes longer than `timeout_ns` (0 = none) is killed. */
MUST_USE int exec_start(uv_loop_t *loop, struct credentials *c, int64_t timeout_ns,
                        void (*done)(void *arg, int status, const struct err *err), void *arg,
                        struct exec **ret, struct err *err);
/* Kills it; `done` is not called. `gone` (may be NULL) is called from the loop when nothing of it is left there. */
void exec_cancel(struct exec *e, void (*gone)(void *arg), void *arg);

/* The variable KUBERNETES_EXEC_INFO for the plugin of `c`: JSON, owned by the caller. NULL when memory is exhausted. */
char *exec_info(const struct credentials *c);
/* Takes over an answer: token, certificate and key, and until when they are good. ERR_INVALID when it is none. */
MUST_USE int exec_answer(struct credentials *c, const char *text, size_t len, struct err *err);

#endif
