/* The clock of production behind the seam (kube/seam.h): CLOCK_REALTIME, CLOCK_MONOTONIC, getrandom(2). */
#ifndef SLUICE_KUBE_CLOCK_H
#define SLUICE_KUBE_CLOCK_H

#include "kube/seam.h"

/* Fills `*ret`; it holds no state and needs no freeing. */
void clock_system(struct kube_clock *ret);

#endif
