/* kubeconfig files, YAML or JSON (kubernetes.md 3.15): finds, merges and reads them, and makes the credentials of one context. */
#ifndef SLUICE_KUBE_KUBECONFIG_H
#define SLUICE_KUBE_KUBECONFIG_H

#include "kube/credentials.h"

enum { KUBECONFIG_FILES_MAX = 64 };

struct kubeconfig_options {
    const char *
        file; /* --kubeconfig; it must exist. NULL or "" = $KUBECONFIG (a list; those that do not exist are passed over), or
                          * ~/.kube/config when that is not set */
    const char *context; /* NULL or "" = current-context */
    bool
        exec; /* exec plugins may be run; without it a user that needs one is an error (only the command line sets it) */
};

/* The credentials of a context. Files are merged, the first that names a cluster, user or context wins. ERR_NOTFOUND: there is no file, or
 * the context, cluster or user is not in it; ERR_INVALID: "FILE:LINE: users[0].user.exec.command: ..."; ERR_IO, ERR_LIMIT, ERR_NOMEM. The
 * caller owns `*ret`. */
MUST_USE int kubeconfig_load(const struct kubeconfig_options *o, struct credentials **ret, struct err *err);

/* What a program that was given no more than `o` should use: --kubeconfig, else $KUBECONFIG, else the pod's own when it runs in one, else
 * ~/.kube/config. */
MUST_USE int kubeconfig_find(const struct kubeconfig_options *o, struct credentials **ret, struct err *err);

/* One text instead of files; `path` names it in messages, and relative paths in it begin at its directory. For tests. */
MUST_USE int kubeconfig_parse(const char *text, size_t len, const char *path,
                              const struct kubeconfig_options *o, struct credentials **ret, struct err *err);

#endif
