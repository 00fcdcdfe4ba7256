/* quantity-lines: answers questions about quantities, times and durations, one a line, for a second implementation to compare with.
 *
 *     q TEXT     a quantity: "VALUE MILLI SIGN CANONICAL", or "error"
 *     c A B      how two quantities compare: -1, 0, 1
 *     s A B      their sum: "VALUE MILLI"
 *     t TEXT     a time: "NANOSECONDS PRINTED", or "error"
 *     d TEXT     a duration: "NANOSECONDS PRINTED", or "error"
 */
#include "base/quantity.h"
#include "base/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int read_quantity(const char *text, struct quantity *ret)
{
    return quantity_parse(text, strlen(text), ret, NULL);
}

static void answer_quantity(const char *text)
{
    struct quantity q;
    char buf[64];
    if (read_quantity(text, &q)) {
        puts("error");
        return;
    }
    quantity_print(q, buf, sizeof(buf));
    printf("%" PRId64 " %" PRId64 " %d %s\n", quantity_value(q), quantity_milli(q), quantity_sign(q), buf);
}

static void answer_pair(char what, char *text)
{
    struct quantity a, b;
    char *space = strchr(text, ' ');
    if (space)
        *space = '\0';
    if (!space || read_quantity(text, &a) || read_quantity(space + 1, &b)) {
        puts("error");
    } else if (what == 'c') {
        printf("%d\n", quantity_cmp(a, b));
    } else {
        struct quantity sum = quantity_add(a, b);
        printf("%" PRId64 " %" PRId64 "\n", quantity_value(sum), quantity_milli(sum));
    }
}

static void answer_time(char what, const char *text)
{
    int64_t ns;
    char buf[64];
    int rc = what == 't' ? when_parse(text, strlen(text), &ns, NULL)
                         : duration_parse(text, strlen(text), &ns, NULL);
    if (rc) {
        puts("error");
        return;
    }
    if (what == 't')
        when_print(ns, buf, sizeof(buf));
    else
        duration_print(ns, buf, sizeof(buf));
    printf("%" PRId64 " %s\n", ns, buf);
}

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strlen(line) < 2)
            return 2;
        if (line[0] == 'q')
            answer_quantity(line + 2);
        else if (line[0] == 'c' || line[0] == 's')
            answer_pair(line[0], line + 2);
        else
            answer_time(line[0], line + 2);
    }
    return 0;
}
