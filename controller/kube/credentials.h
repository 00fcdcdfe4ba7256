/* Where the API server is and who we are to it (kubernetes.md 3.15): what kubeconfig.h reads from files and what a pod is given. The texts
 * of the struct live in its arena and never change; what may change while the program runs (a token that is rotated, what an exec plugin
 * answers) is asked for with credentials_token and brought up to date with credentials_renew. One thread. */
#ifndef SLUICE_KUBE_CREDENTIALS_H
#define SLUICE_KUBE_CREDENTIALS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CREDENTIALS_TOKEN_MAX = 64 << 10, /* bytes of a token */
    CREDENTIALS_FILE_MAX = 4 << 20,   /* bytes of a certificate or key file, and of a kubeconfig */
    CREDENTIALS_REREAD_S = 60,        /* a token file is read again when the last reading is older */
    CREDENTIALS_ENTRIES_MAX = 1000,   /* groups, extra keys and values, arguments, variables: each list */
};

/* PEM as bytes (`data`) or in a file (`file`); `data` wins; both NULL = none. */
struct credentials_pem {
    const char *file;
    const char *data;
    size_t len;
};

struct credentials_pair {
    const char *key, *value;
};

/* A plugin that prints credentials (kubernetes.md 3.15 "exec"); run by kube/exec.h. */
struct credentials_exec {
    const char *api_version; /* client.authentication.k8s.io/v1 or v1beta1 */
    const char *command;     /* a path when it held a slash, already resolved; else looked for in $PATH */
    const char *const *args;
    uint32_t n_args;
    const struct credentials_pair *env; /* beside our own environment */
    uint32_t n_env;
    const char *install_hint;
    bool interactive;  /* may ask the user: interactiveMode IfAvailable or Always, and stdin is a terminal */
    bool cluster_info; /* provideClusterInfo */
    const char *cluster_config; /* JSON, of the cluster's extension for plugins; NULL = none */
};

struct credentials {
    struct arena arena;
    const char *server;   /* "https://10.0.0.1:443" or with a path; no slash at the end */
    const char *ns;       /* the namespace of the pod or the context; "default" when none is given */
    const char *source;   /* for messages: "in-cluster", or a path and a context */
    bool plain;           /* http, not https */
    bool loopback;        /* the server is on this machine */
    bool in_cluster;      /* no proxies from the environment */
    bool insecure;        /* the server's certificate is not checked */
    const char *tls_name; /* the name it must bear; NULL = the server's host */
    const char *proxy;    /* NULL = what the environment says */
    struct credentials_pem ca, cert, key;
    const char *token_file;      /* NULL = none; wins over a fixed token */
    const char *user, *password; /* NULL = none */
    const char *as, *as_uid;     /* Impersonate-*; NULL = none */
    const char *const *as_groups;
    uint32_t n_as_groups;
    const struct credentials_pair *as_extra; /* key already encoded for a header's name */
    uint32_t n_as_extra;
    const struct credentials_exec *exec; /* NULL = none */

    /* What may change. */
    char *token;         /* owned; NULL = none */
    uint64_t generation; /* grows when token or certificate change: says with which ones a request was sent */
    int64_t token_read_ns;      /* mono time of the last reading; INT64_MIN = never */
    char *exec_cert, *exec_key; /* owned PEM text from the plugin; NULL = none */
    when_ns exec_expires;       /* of the plugin's answer; WHEN_NONE = until a 401 */
    bool exec_fresh;            /* there is an answer, and no 401 since */
};

/* What a pod is given: $KUBERNETES_SERVICE_HOST and _PORT, and token, ca.crt and namespace in `dir` (NULL = the usual place, where
 * kubelet puts them). ERR_NOTFOUND when the variables are not set, ERR_IO or ERR_INVALID when a file is missing or bad. The caller owns
 * `*ret`. */
MUST_USE int credentials_in_cluster(const char *dir, struct credentials **ret, struct err *err);

/* An empty one, for kubeconfig.c and tests; NULL when memory is exhausted. */
struct credentials *credentials_new(void);
void credentials_free(struct credentials *c); /* NULL is fine */

/* Checks what a URL of a server says, fills server, plain and loopback. */
MUST_USE int credentials_set_server(struct credentials *c, const char *url, struct err *err);
/* A fixed token, or the one that was just read: trimmed, checked, copied. */
MUST_USE int credentials_set_token(struct credentials *c, const char *text, size_t len, struct err *err);

/* The bearer token to send now; NULL = none. Reads the file again when CREDENTIALS_REREAD_S have passed since the last reading (3.15); when
 * that fails the old token stays. `mono_ns` is the time that only grows. Borrowed until the next call. */
const char *credentials_token(struct credentials *c, int64_t mono_ns);
/* After a 401 to a request that was sent with `generation`: reads the token file again at once, or has the plugin run again. True when
 * there is something newer to try with, so that one more try makes sense (3.15). */
bool credentials_renew(struct credentials *c, uint64_t generation, int64_t mono_ns);
/* Must the exec plugin be run before the next request? False when there is none. */
bool credentials_exec_due(const struct credentials *c, when_ns wall);

/* A whole file of at most `max` bytes, NUL-terminated, owned by the caller (mem_free). ERR_IO (text names the file) or ERR_LIMIT. */
MUST_USE int credentials_read_file(const char *path, size_t max, char **ret, size_t *ret_len,
                                   struct err *err);

#endif
