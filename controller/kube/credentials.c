#include "kube/credentials.h"

#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIALS_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

struct credentials *credentials_new(void)
{
    struct credentials *c = mem_zalloc(1, sizeof(*c));

    if (!c)
        return NULL;
    arena_init(&c->arena, 4096);
    c->ns = "default";
    c->source = "";
    c->server = "";
    c->token_read_ns = INT64_MIN;
    c->exec_expires = WHEN_NONE;
    return c;
}

/* The memory is overwritten first, so that no secret stays behind in what is freed. */
static void credentials_forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    mem_free(secret);
}

void credentials_free(struct credentials *c)
{
    if (!c)
        return;
    credentials_forget(c->token);
    credentials_forget(c->exec_key);
    mem_free(c->exec_cert);
    arena_free(&c->arena);
    mem_free(c);
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static int credentials_read_fd(int fd, const char *path, size_t max, struct str *s, struct err *err)
{
    char buf[8192];

    for (;;) {
        ssize_t n = read(fd, buf, sizeof(buf));
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (s->len + (size_t)n > max)
            return err_set(err, ERR_LIMIT, "%s: longer than %zu bytes", path, max);
        str_addn(s, buf, (size_t)n);
        explicit_bzero(buf, (size_t)n);
        if (str_failed(s))
            return err_set(err, ERR_NOMEM, "%s: out of memory", path);
    }
}

int credentials_read_file(const char *path, size_t max, char **ret, size_t *ret_len, struct err *err)
{
    struct stat st;
    struct str s;
    /* Not blocking, so that a pipe that nobody writes to does not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_IO, "%s: not a file", path);
    }
    str_init(&s, max + 1);
    int rc = credentials_read_fd(fd, path, max, &s, err);
    close(fd);
    size_t len = s.len;
    char *text = rc == 0 ? str_take(&s) : NULL;
    str_free(&s);
    if (!text)
        return rc < 0 ? rc : err_set(err, ERR_NOMEM, "%s: out of memory", path);
    *ret = text;
    *ret_len = len;
    return 0;
}

/* ---- the server's address ------------------------------------------------------------------------------------------------ */

static bool credentials_host_is_loopback(const char *host, size_t len)
{
    char name[64];
    struct in_addr v4;
    struct in6_addr v6;

    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(name))
        return false;
    memcpy(name, host, len);
    name[len] = '\0';
    if (strcasecmp(name, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, name, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static size_t credentials_host_len(const char *host)
{
    if (*host == '[') {
        const char *end = strchr(host, ']');
        return end ? (size_t)(end - host) + 1 : 0;
    }
    return strcspn(host, ":/");
}

static bool credentials_port_is_good(const char *p)
{
    if (*p != ':')
        return *p == '\0' || *p == '/';
    size_t digits = strspn(p + 1, "0123456789");
    if (digits == 0 || digits > 5 || (p[1 + digits] != '\0' && p[1 + digits] != '/'))
        return false;
    long port = strtol(p + 1, NULL, 10);
    return port > 0 && port < 65536;
}

int credentials_set_server(struct credentials *c, const char *url, struct err *err)
{
    bool plain = strncasecmp(url, "http://", 7) == 0;
    size_t len = strlen(url);

    if (!plain && strncasecmp(url, "https://", 8) != 0)
        return err_set(err, ERR_INVALID, "\"%s\" is no URL that begins with https://", url);
    const char *host = url + (plain ? 7 : 8);
    size_t host_len = credentials_host_len(host);
    bool good = host_len > 0 && credentials_port_is_good(host + host_len);
    for (const char *p = url; *p; p++)
        good = good && (unsigned char)*p > ' ' && *p != 0x7f && !strchr("@?#\\\"<>", *p);
    if (!good || len > 2048)
        return err_set(err, ERR_INVALID, "\"%.200s\" is no URL of a server", url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    const char *copy = arena_strndup(&c->arena, url, len);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->server = copy;
    c->plain = plain;
    c->loopback = credentials_host_is_loopback(host, host_len);
    return 0;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------- */

int credentials_set_token(struct credentials *c, const char *text, size_t len, struct err *err)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
        len--;
    while (len > 0 && strchr(" \t\r\n", *text) && *text)
        text++, len--;
    if (len == 0)
        return err_set(err, ERR_INVALID, "the token is empty");
    if (len > CREDENTIALS_TOKEN_MAX)
        return err_set(err, ERR_LIMIT, "the token is longer than %d bytes", CREDENTIALS_TOKEN_MAX);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return err_set(err, ERR_INVALID, "the token holds a character that no token has");
    }
    char *copy = mem_strndup(text, len);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!c->token || strcmp(c->token, copy) != 0)
        c->generation++;
    credentials_forget(c->token);
    c->token = copy;
    return 0;
}

static int credentials_read_token(struct credentials *c, int64_t mono_ns, struct err *err)
{
    char *text;
    size_t len;

    /* A reading that fails is not tried again with each request. */
    c->token_read_ns = mono_ns;
    int rc = credentials_read_file(c->token_file, CREDENTIALS_TOKEN_MAX + 64, &text, &len, err);
    if (rc < 0)
        return rc;
    rc = credentials_set_token(c, text, len, err);
    if (rc < 0)
        err_prefix(err, "%s: ", c->token_file);
    credentials_forget(text);
    return rc;
}

const char *credentials_token(struct credentials *c, int64_t mono_ns)
{
    if (c->token_file &&
        (c->token_read_ns == INT64_MIN || mono_ns - c->token_read_ns >= CREDENTIALS_REREAD_S * NS_PER_S)) {
        if (credentials_read_token(c, mono_ns, NULL) < 0 && c->token)
            return c->token; /* a file that is being swapped: the old one is good until it expires */
    }
    return c->token;
}

bool credentials_renew(struct credentials *c, uint64_t generation, int64_t mono_ns)
{
    if (generation != c->generation)
        return true; /* another request saw the 401 before */
    if (c->exec) {
        c->exec_fresh = false;
        return true;
    }
    return c->token_file && credentials_read_token(c, mono_ns, NULL) == 0 && generation != c->generation;
}

bool credentials_exec_due(const struct credentials *c, when_ns wall)
{
    if (!c->exec)
        return false;
    return !c->exec_fresh || (c->exec_expires != WHEN_NONE && wall >= c->exec_expires);
}

/* ---- in a pod ------------------------------------------------------------------------------------------------------------ */

static char *credentials_join(struct credentials *c, const char *dir, const char *name)
{
    struct str s;

    str_init(&s, 4096);
    str_addf(&s, "%s/%s", dir, name);
    char *path = str_failed(&s) ? NULL : arena_strndup(&c->arena, s.p, s.len);
    str_free(&s);
    return path;
}

static int credentials_pod_server(struct credentials *c, const char *host, const char *port, struct err *err)
{
    bool v6 = strchr(host, ':') != NULL && host[0] != '[';
    struct str s;

    str_init(&s, 4096);
    str_addf(&s, v6 ? "https://[%s]:%s" : "https://%s:%s", host, port);
    int rc = str_failed(&s) ? err_set(err, ERR_NOMEM, "out of memory")
                            : credentials_set_server(c, str_text(&s), err);
    str_free(&s);
    return rc;
}

static int credentials_pod_namespace(struct credentials *c, const char *path, struct err *err)
{
    char *text;
    size_t len;

    int rc = credentials_read_file(path, 4096, &text, &len, err);
    if (rc < 0)
        return rc;
    len = strcspn(text, " \t\r\n");
    c->ns = arena_strndup(&c->arena, text, len);
    mem_free(text);
    if (!c->ns)
        return err_set(err, ERR_NOMEM, "out of memory");
    return *c->ns ? 0 : err_set(err, ERR_INVALID, "%s: no namespace in it", path);
}

/* client-go only logs when ca.crt is missing, and then trusts every public authority (3.15): here it is an error. */
static int credentials_pod_files(struct credentials *c, const char *dir, struct err *err)
{
    char *ca = credentials_join(c, dir, "ca.crt");
    char *token = credentials_join(c, dir, "token");
    char *ns = credentials_join(c, dir, "namespace");
    char *text;
    size_t len;

    if (!ca || !token || !ns)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = credentials_read_file(ca, CREDENTIALS_FILE_MAX, &text, &len, err);
    if (rc < 0)
        return rc;
    bool pem = strstr(text, "-----BEGIN CERTIFICATE-----") != NULL;
    mem_free(text);
    if (!pem)
        return err_set(err, ERR_INVALID, "%s: no certificate in it", ca);
    c->ca.file = ca; /* read anew for each connection, so that it may be replaced */
    c->token_file = token;
    rc = credentials_pod_namespace(c, ns, err);
    if (rc == 0)
        rc = credentials_read_token(c, INT64_MIN, err); /* the first request reads it again */
    return rc;
}

int credentials_in_cluster(const char *dir, struct credentials **ret, struct err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");

    if (!host || !*host || !port || !*port)
        return err_set(err, ERR_NOTFOUND,
                       "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
    struct credentials *c = credentials_new();
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->in_cluster = true;
    c->source = "in-cluster";
    int rc = credentials_pod_server(c, host, port, err);
    if (rc == 0)
        rc = credentials_pod_files(c, dir ? dir : CREDENTIALS_DIR, err);
    if (rc < 0) {
        credentials_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}
