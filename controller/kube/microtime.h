/* MicroTime of the API: a time with microseconds, "2026-01-02T03:04:05.000006Z" (kubernetes.md 3.12, 3.13). */
#ifndef SLUICE_KUBE_MICROTIME_H
#define SLUICE_KUBE_MICROTIME_H

#include "base/when.h"

enum { MICROTIME_BYTES = 40 };

void microtime_print(when_ns t, char ret[MICROTIME_BYTES]); /* rounded down */

#endif
