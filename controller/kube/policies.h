/* The admission policies on jobs (around.md 2.7, 3.1, 3.2) as YAML: what Kueue does in webhooks, the API server does itself. Rendered from a
 * Configuration, byte for byte the same for the same settings: `sluice policies` prints them, and the controller compares what a
 * cluster has with what its Configuration asks for.
 *
 * A policy that looks something up (a LocalQueue, a WorkloadPriorityClass) has failurePolicy Ignore: without our CRDs it does nothing.
 * No policy says who may start a job. */
#ifndef SLUICE_KUBE_POLICIES_H
#define SLUICE_KUBE_POLICIES_H

#include "api/settings.h"
#include "base/sha1.h"
#include "base/str.h"
#include "core/gates.h"

/* The annotation that holds the digest of a policy's spec as it was rendered. */
#define POLICY_DIGEST_ANNOTATION "sluice.dev/policy-digest"

struct policies_input {
    const struct settings *settings; /* with defaults filled in; borrowed */
    const struct gates *gates;       /* borrowed */
    bool without_mutating;           /* for clusters before 1.36: ValidatingAdmissionPolicies only */
};

/* One object. Everything is borrowed, until the call that hands it over returns. */
struct policies_object {
    const char *resource; /* "validatingadmissionpolicies": of admissionregistration.k8s.io/v1 */
    const char *name;
    const char *digest; /* what the annotation must say */
    const struct str *yaml;
};

/* A result other than 0 ends the rendering and is returned. */
typedef int policies_fn(void *ctx, const struct policies_object *o);

/* Hands over the objects, policies before their bindings. What `fn` returned, or ERR_NOMEM. */
MUST_USE int policies_each(const struct policies_input *in, policies_fn *fn, void *ctx, struct err *err);
/* All of them as documents of one YAML stream, appended. ERR_NOMEM. */
MUST_USE int policies_yaml(const struct policies_input *in, struct str *out, struct err *err);

#endif
