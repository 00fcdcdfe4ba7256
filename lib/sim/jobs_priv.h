/* Inside of the readers of traces. */
#ifndef SLUICE_SIM_JOBS_PRIV_H
#define SLUICE_SIM_JOBS_PRIV_H

#include "sim/jobs_reader.h"
#include "sim/lines.h"

/* A format: does the text begin like one of it; make its state; the next job. Errors begin with "line N: ". */
struct jobs_format {
    const char *name;
    bool dates;
    bool (*matches)(const char *head, size_t n);
    MUST_USE int (*open)(struct jobs_reader *r, struct err *err);
    MUST_USE int (*next)(struct jobs_reader *r, struct job *ret, bool *ret_more, struct err *err);
    void (*close)(void *state);
};

struct jobs_reader {
    const struct jobs_format *format;
    struct lines lines;
    FILE *file;
    bool owns_file;
    char *name;   /* owned */
    void *state;  /* of the format */
    when_ns last; /* submission of the job before */
    struct jobs_skipped skipped;
};

extern const struct jobs_format jobs_csv, jobs_sacct, jobs_workloads;

/* Cuts a line at a separator, in place. Returns how many fields there are; those beyond `cap` are counted and not kept. */
uint32_t jobs_split(char *line, char separator, char **ret, uint32_t cap);
/* A decimal number times 10^`digits`, rounded up where it is finer. Plain digits with one point; ERR_INVALID, ERR_RANGE ("is negative", ...):
 * the text says what is wrong with "line N: COLUMN "VALUE"". */
struct jobs_value {
    uint64_t line;
    const char *column, *text;
};
MUST_USE int jobs_number(const struct jobs_value *v, int digits, int64_t max, int64_t *ret, struct err *err);
MUST_USE int jobs_priority(const struct jobs_value *v, int32_t *ret, struct err *err);
MUST_USE int jobs_text(const struct jobs_value *v, struct err *err); /* not too long? */

/* For formats that are not in order of submission: all jobs are kept, compactly, and handed out in order (equal times in that of the text). */
struct jobs_sorted;
struct jobs_sorted *jobs_sorted_new(void); /* owned; NULL when memory is exhausted */
void jobs_sorted_free(struct jobs_sorted *s);
MUST_USE int jobs_sorted_add(struct jobs_sorted *s, const struct job *j, struct err *err);
void jobs_sorted_sort(struct jobs_sorted *s);
bool jobs_sorted_next(struct jobs_sorted *s, struct job *ret); /* texts live as long as `s` */

#endif
