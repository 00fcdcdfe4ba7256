/* Inside controller/kube: the rules of the policies on jobs, as data. */
#ifndef SLUICE_KUBE_POLICIES_PRIV_H
#define SLUICE_KUBE_POLICIES_PRIV_H

#include <stdbool.h>

#define KUEUE "kueue.x-k8s.io/"

/* One rule of around.md 3.2. CEL sees the variables of its policy; a rule about pod templates is asked for each of them, by index `i`. */
struct policy_rule {
    const char *gate; /* holds only while this gate is on; NULL = always */
    bool each;        /* about templates: `wrong` in place of `right`, field below variables.at[i] */
    const char *cel;  /* each false: true when all is well; each true: true when template i is wrong */
    const char *field, *kind, *detail;
    const char *value;      /* CEL: the value that is wrong; NULL = not shown */
    bool bare;              /* shown without quotes */
    const char *detail_cel; /* in place of `detail`; that stands where this fails */
    bool off;               /* holds only while `gate` is off */
};

struct policy_variable {
    const char *name, *cel;
    const char *gate;
    bool off;
};

/* A ValidatingAdmissionPolicy. */
struct policy_rules {
    const char *name;
    const char *framework;  /* only for this one; NULL = for all that are enabled */
    const char *gate;       /* NULL = always */
    bool on_create;         /* not only on UPDATE */
    bool for_default_queue; /* the param is the LocalQueue of that name; failurePolicy Ignore */
    const char *about;      /* one line, a comment */
    const char *when;       /* matchCondition */
    const struct policy_variable *variables; /* name NULL ends */
    const struct policy_rule *rules;         /* cel NULL ends */
};

extern const struct policy_rules policy_rules[]; /* name NULL ends */

#endif
