/* The engine driven by a byte program: the first bytes make a world (configuration, quotas, queues, holders, Workloads), each of those
 * that follow says what happens next and to what: arrivals, cycles, releases, finishes, flushes, objects changed, deleted and made
 * anew. After each step the invariants of the random worlds hold. A program of an odd number of bytes is run short of memory: each
 * cycle is tried with its allocations failing before it may succeed. */
#include "random/life.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan;
    struct dice dice = dice_of_bytes(data, size);
    struct life_options options = {.short_of_memory = size % 2};
    struct life_result result;
    plan_roll(&plan, &dice);
    life_run(&plan, dice, &options, &result);
    if (!result.ok) {
        fprintf(stderr, "%s\n", str_text(&result.why));
        abort();
    }
    life_free(&result);
    return 0;
}
