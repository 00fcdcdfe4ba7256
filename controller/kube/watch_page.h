/* A page of a list, read as it comes (kubernetes.md 3.2): its fields and the items of "items", one after the other, in whatever order they
 * stand. Only the item that has begun is kept. It knows brackets, strings and commas (api/scan.h): what it cuts out is JSON once json_read
 * has said so. For watch.c. */
#ifndef SLUICE_KUBE_WATCH_PAGE_H
#define SLUICE_KUBE_WATCH_PAGE_H

#include "api/scan.h"
#include "kube/framer.h"

enum watch_page_kind {
    WATCH_PAGE_FIELD, /* a field of the list but "items", with its value */
    WATCH_PAGE_ITEM,
};

struct watch_page_part {
    enum watch_page_kind kind;
    char key[SCAN_KEY_MAX]; /* of a field; cut when it is longer */
    const char *text;       /* the value; borrowed until the next call, not terminated */
    size_t len;
};

struct watch_page {
    struct framer keep; /* what goes on beyond its piece */
    struct scan_cut cut;
    int state;
    char key[SCAN_KEY_MAX];
};

void watch_page_init(struct watch_page *p);
void watch_page_free(struct watch_page *p);
void watch_page_clear(struct watch_page *p); /* for the next page */

/* The next piece, borrowed until watch_page_next has said 0. */
void watch_page_push(struct watch_page *p, const char *data, size_t len);
/* 1 and a part, 0 when the piece is used up; ERR_INVALID when this is no list, ERR_LIMIT for a value over FRAMER_MAX, ERR_NOMEM. */
MUST_USE int watch_page_next(struct watch_page *p, struct watch_page_part *ret);
/* Has the list ended, with nothing behind it? */
bool watch_page_done(const struct watch_page *p);

#endif
