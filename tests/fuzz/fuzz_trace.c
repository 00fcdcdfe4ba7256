/* Bytes as a trace of jobs, of whatever format they look like. No crash, no leak; each job is sane, and they come in order. */
#include "base/mem.h"
#include "sim/jobs_reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct job *j, when_ns last)
{
    if (j->submit < last || j->run_ns <= 0 || j->gpus_milli < 0 || j->cpus_milli < 0 || j->pods < 1 ||
        j->pods > JOBS_PODS_MAX || strlen(j->id) > 2 * JOBS_TEXT_MAX + 1 || !*j->tenant || !j->gpu_type ||
        !j->user)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    struct jobs_reader *r;
    struct job j;
    bool more = true;
    when_ns last = WHEN_NONE;
    FILE *f = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;

    if (!f)
        return 0;
    struct err err = {0};
    int rc = jobs_open_file(f, "input", &r, &err);
    if (rc && !*err.text)
        abort();
    while (!rc && !(rc = jobs_next(r, &j, &more, &err)) && more) {
        look_at(&j, last);
        last = j.submit;
    }
    if (rc && !*err.text)
        abort();
    jobs_close(r);
    (void)fclose(f);
    if (mem_live() != live)
        abort();
    return 0;
}
