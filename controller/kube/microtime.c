#include "kube/microtime.h"

#include <stdio.h>

void microtime_print(when_ns t, char ret[MICROTIME_BYTES])
{
    char seconds[32];
    int64_t rest = t % NS_PER_S;
    size_t n = when_print(t, seconds, sizeof(seconds));

    if (rest < 0)
        rest += NS_PER_S;
    if (n && seconds[n - 1] == 'Z')
        seconds[n - 1] = '\0';
    snprintf(ret, MICROTIME_BYTES, "%s.%06dZ", seconds, (int)(rest / 1000));
}
