/* What the tests of controller/kube put below the seam: an API server that does what the test says, and a clock that stands still until the
 * test moves it. */
#ifndef SLUICE_TESTS_KUBE_FAKE_H
#define SLUICE_TESTS_KUBE_FAKE_H

#include "kube/seam.h"
#include "kube/timers.h"

enum { FAKE_CALLS = 4096 };

struct fake_call {
    enum kube_verb verb;
    char *path, *type, *body; /* copies; type and body "" when there is none */
    bool stream;
    int64_t timeout_ns, at; /* mono time of the start */
    bool open, cancelled;
    bool stopped; /* on_data said that it is enough */
    struct kube_handler h;
};

struct fake {
    struct kube_server server;
    struct kube_clock clock;
    struct timers timers;
    int64_t now;
    when_ns wall;
    uint64_t chance; /* what random() gives; 0 = the least, UINT64_MAX = the most */
    bool refuse;     /* start fails */
    struct fake_call *calls[FAKE_CALLS];
    uint32_t n;
};

void fake_init(struct fake *f);
void fake_free(struct fake *f);
/* The same, once what was tested is freed: nothing may be left that is open or due. */
void fake_finish(struct fake *f);

/* Lets what is due run, until nothing is due now. */
void fake_settle(struct fake *f);
/* Moves time on, from one timer to the next. */
void fake_pass(struct fake *f, int64_t ns);

/* The i-th call that is open (0 = the oldest); fails the test when there is none. */
struct fake_call *fake_open(struct fake *f, uint32_t i);
uint32_t fake_count_open(const struct fake *f);
/* The only open call; fails the test when there is none or more. */
struct fake_call *fake_only(struct fake *f);

/* Answers end the call and settle. */
void fake_reply(struct fake *f, struct fake_call *c, int status, const char *body);
void fake_reply_later(struct fake *f, struct fake_call *c, int status, const char *body,
                      int64_t retry_after_s);
void fake_lose(struct fake *f, struct fake_call *c);
/* A piece of a stream; ends the call when the handler has enough. False then. */
bool fake_data(struct fake *f, struct fake_call *c, int status, const char *data);
/* A stream's end. */
void fake_end(struct fake *f, struct fake_call *c, int status);

/* What the handlers of a test wrote into its log (`log`, `n` long) since the last look. */
#define TOLD(seen, text)                                                                                     \
    do {                                                                                                     \
        ck_assert_str_eq((seen)->log, text);                                                                 \
        (seen)->n = 0;                                                                                       \
        (seen)->log[0] = '\0';                                                                               \
    } while (0)

#endif
