/* What the API server answers, and its refusals: Status objects in the words of the real one (kubernetes.md 3.7). */
#ifndef SLUICE_TESTS_SIMULATED_REFUSAL_H
#define SLUICE_TESTS_SIMULATED_REFUSAL_H

#include "simulated/store.h"

struct answer {
    int code;
    const struct version *v; /* the body is this object; NULL: `body` */
    const char *body;        /* in the store's arena */
    size_t len;
    int64_t retry_after_s; /* -1 = none */
};

struct answer answer_text(struct store *st, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
struct answer answer_version(int code, const struct version *v);

struct answer refuse(struct store *st, int code, const char *reason, const char *fmt, ...) PRINTF_LIKE(4, 5);
struct answer refuse_not_found(struct store *st, const struct resource *r, const char *name);
struct answer refuse_no_route(struct store *st); /* the path names nothing */
struct answer refuse_exists(struct store *st, const struct resource *r, const char *name);
struct answer refuse_conflict(struct store *st, const struct resource *r, const char *name, const char *why);
struct answer refuse_changed(struct store *st, const struct resource *r, const char *name);
/* 422. `cause`: reason of the cause (FieldValueInvalid, ...). */
struct answer refuse_invalid(struct store *st, const struct resource *r, const char *name, const char *field,
                             const char *cause, const char *fmt, ...) PRINTF_LIKE(6, 7);
struct answer refuse_options(struct store *st, const char *field, const char *why); /* of a list or watch */
struct answer refuse_expired(struct store *st, const char *message, const char *cont);
struct answer refuse_too_large(struct store *st, int64_t rv); /* a version of the future */
struct answer refuse_busy(struct store *st, int code, int64_t retry_after_s);

#endif
