/* A small HTTP/1.1 server in the test's own loop; what it answers is a matter of the path. */
#ifndef SLUICE_TESTS_KUBE_PEER_H
#define SLUICE_TESTS_KUBE_PEER_H

#include <stdint.h>
#include <uv.h>

/*   /base/echo       200, and the request itself
 *   /base/status/N   N, and a Status
 *   /base/retry      429 with Retry-After: 7;  /base/date  503 with a date in it
 *   /base/who        200 when the bearer token is peer_token, else 401; both with the body "who"
 *   /base/pieces     a stream of "abc" and "def";  /base/open  "abc" and no end
 *   /base/cut        an answer that breaks off
 *   /base/bigN       N bytes
 *   all else         no answer */
extern char peer_token[64];
extern uint32_t peer_seen; /* requests */

void peer_begin(uv_loop_t *loop);
int peer_port(void);
void peer_stop_listening(void); /* who comes now is refused; the loop must run once */
void peer_end(void);            /* closes everything; the loop must run */

#endif
