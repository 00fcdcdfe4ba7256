/* Bytes as a kubeconfig -> credentials, and as the answer of its exec plugin. No crash, no leak; what is accepted can be sent: a server, and
 * nothing in a header that would end it. */
#include "base/mem.h"
#include "kube/exec.h"
#include "kube/kubeconfig.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text)
{
    if (text && strpbrk(text, "\r\n"))
        abort();
}

static void check(const struct credentials *c)
{
    if (!*c->server || !c->ns || (c->insecure && (c->ca.data || c->ca.file)) ||
        (c->exec && !c->exec->command))
        abort();
    check_line(c->server);
    check_line(c->token);
    check_line(c->as);
    check_line(c->as_uid);
    check_line(c->proxy);
    for (uint32_t i = 0; i < c->n_as_groups; i++)
        check_line(c->as_groups[i]);
    for (uint32_t i = 0; i < c->n_as_extra; i++) {
        check_line(c->as_extra[i].key);
        check_line(c->as_extra[i].value);
        if (strpbrk(c->as_extra[i].key, ": ("))
            abort();
    }
}

/* The text of a plugin's answer is the same bytes. */
static void answer(const uint8_t *data, size_t size)
{
    static const struct credentials_exec x = {.api_version = "client.authentication.k8s.io/v1",
                                              .command = "x"};
    struct credentials *c = credentials_new();

    if (!c)
        abort();
    c->exec = &x;
    if (exec_answer(c, (const char *)data, size, NULL) == 0 && !c->token && !c->exec_cert)
        abort();
    check_line(c->token);
    credentials_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kubeconfig_options o = {.exec = true};
    int64_t live = mem_live();
    struct credentials *c;
    struct err err;

    /* A directory that is not there, so that paths in the input lead nowhere. */
    if (kubeconfig_parse((const char *)data, size, "/nonexistent/config", &o, &c, &err) == 0) {
        check(c);
        char *info = c->exec ? exec_info(c) : NULL;
        if (c->exec && !info)
            abort();
        mem_free(info);
        credentials_free(c);
    }
    answer(data, size);
    if (mem_live() != live)
        abort();
    return 0;
}
