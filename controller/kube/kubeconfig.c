#include "kube/kubeconfig.h"

#include "api/doc.h"
#include "api/emit.h"
#include "api/yaml.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct kc_file {
    const char *path;
    const struct doc_node *root;
};

/* One reading. `rc` is sticky: after the first error every reader gives back nothing. */
struct kc {
    const struct kubeconfig_options *o;
    struct arena docs; /* the files; gone afterwards */
    struct kc_file files[KUBECONFIG_FILES_MAX];
    uint32_t n_files;
    struct credentials *c;
    int rc;
    struct err *err;
};

/* ---- errors: FILE:LINE: users[0].user.exec.command: ... ------------------------------------------------------------------ */

static void kc_path(struct str *s, const struct doc_node *n)
{
    if (!n || !n->parent)
        return;
    kc_path(s, n->parent);
    if (n->key)
        str_addf(s, s->len > 0 ? ".%s" : "%s", n->key);
    else
        str_addf(s, "[%u]", n->index);
}

/* At a node, or at a field of it when `field` is not NULL. */
static void kc_error(struct kc *k, const struct kc_file *f, const struct doc_node *at, const char *field,
                     const char *fmt, ...) PRINTF_LIKE(5, 6);

static void kc_error(struct kc *k, const struct kc_file *f, const struct doc_node *at, const char *field,
                     const char *fmt, ...)
{
    const struct doc_node *n = field && doc_get(at, field) ? doc_get(at, field) : at;
    struct str path;
    char text[700];
    va_list args;

    if (k->rc < 0)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    str_init(&path, 512);
    kc_path(&path, at);
    if (field)
        str_addf(&path, path.len > 0 ? ".%s" : "%s", field);
    k->rc = err_set(k->err, ERR_INVALID, "%s:%u: %s%s%s", f->path, n ? n->line : 1, str_text(&path),
                    path.len > 0 ? ": " : "", text);
    str_free(&path);
}

/* What another module said about a field. */
static void kc_said(struct kc *k, const struct kc_file *f, const struct doc_node *map, const char *field,
                    const struct err *e)
{
    kc_error(k, f, map, field, "%s", e->text);
    if (k->rc < 0 && e->code == ERR_NOMEM)
        k->rc = err_set(k->err, ERR_NOMEM, "out of memory");
}

static void kc_no_memory(struct kc *k)
{
    if (k->rc == 0)
        k->rc = err_set(k->err, ERR_NOMEM, "out of memory");
}

/* ---- readers of fields; NULL (and perhaps an error) when there is none --------------------------------------------------- */

static char *kc_keep(struct kc *k, const char *text)
{
    char *copy = arena_strndup(&k->c->arena, text, strlen(text));

    if (!copy)
        kc_no_memory(k);
    return copy;
}

/* What becomes part of a header must not begin another. */
static bool kc_is_clean(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

/* The document's own text; "" counts as absent, as everywhere in Kubernetes. */
static const char *kc_text(struct kc *k, const struct kc_file *f, const struct doc_node *map,
                           const char *field)
{
    const struct doc_node *n = doc_field(map, field);

    if (k->rc < 0 || !n)
        return NULL;
    if (n->type != DOC_STRING) {
        kc_error(k, f, map, field, "must be a string, not a %s", doc_type_name(n->type));
        return NULL;
    }
    if (!kc_is_clean(n->text) && !strstr(field, "-data")) {
        kc_error(k, f, map, field, "must not hold control characters");
        return NULL;
    }
    return *n->text ? n->text : NULL;
}

static const char *kc_str(struct kc *k, const struct kc_file *f, const struct doc_node *map,
                          const char *field)
{
    const char *text = kc_text(k, f, map, field);

    return text ? kc_keep(k, text) : NULL;
}

static bool kc_bool(struct kc *k, const struct kc_file *f, const struct doc_node *map, const char *field)
{
    const struct doc_node *n = doc_field(map, field);
    bool value = false;

    if (k->rc == 0 && n && doc_bool(n, &value, NULL) < 0)
        kc_error(k, f, map, field, "must be true or false");
    return value;
}

static const struct doc_node *kc_child(struct kc *k, const struct kc_file *f, const struct doc_node *map,
                                       const char *field, enum doc_type type)
{
    const struct doc_node *n = doc_field(map, field);

    if (k->rc < 0 || !n)
        return NULL;
    if (n->type != type) {
        kc_error(k, f, map, field, "must be a %s", doc_type_name(type));
        return NULL;
    }
    if (n->n > CREDENTIALS_ENTRIES_MAX) {
        kc_error(k, f, map, field, "more than %d entries", CREDENTIALS_ENTRIES_MAX);
        return NULL;
    }
    return n;
}

/* A path; a relative one begins at the file's directory. */
static const char *kc_resolve(struct kc *k, const struct kc_file *f, const char *path)
{
    const char *slash = strrchr(f->path, '/');
    struct str s;

    if (!path || *path == '/' || !slash)
        return path ? kc_keep(k, path) : NULL;
    str_init(&s, 8192);
    str_addn(&s, f->path, (size_t)(slash - f->path) + 1);
    str_add(&s, path);
    const char *whole = str_failed(&s) ? NULL : kc_keep(k, str_text(&s));
    if (str_failed(&s))
        kc_no_memory(k);
    str_free(&s);
    return whole;
}

static int kc_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 with padding; line ends are passed over. False when it is none. `out` has room for len / 4 * 3 + 4 bytes. */
static bool kc_decode(const char *text, char *out, size_t *ret_len)
{
    unsigned bits = 0, n = 0, pad = 0;
    size_t len = 0;

    for (; *text; text++) {
        if (*text == '\n' || *text == '\r')
            continue;
        int digit = *text == '=' ? 0 : kc_digit(*text);
        pad += *text == '=';
        if (digit < 0 || (pad > 0 && *text != '='))
            return false;
        bits = bits << 6 | (unsigned)digit;
        if (++n % 4 == 0) {
            out[len++] = (char)(bits >> 16 & 255);
            out[len++] = (char)(bits >> 8 & 255);
            out[len++] = (char)(bits & 255);
        }
    }
    if (n % 4 != 0 || pad > 2 || len < pad)
        return false;
    len -= pad;
    out[len] = '\0';
    *ret_len = len;
    return true;
}

/* `field`-data, base64 of PEM, wins over the path in `field` (3.15). `what` is what its first line says. */
static void kc_pem(struct kc *k, const struct kc_file *f, const struct doc_node *map, const char *field,
                   const char *data_field, const char *what, struct credentials_pem *ret)
{
    const char *data = kc_text(k, f, map, data_field), *path = data ? NULL : kc_text(k, f, map, field);
    char *text = NULL;
    size_t len = 0;

    if (data) {
        char *out = arena_alloc(&k->c->arena, strlen(data) / 4 * 3 + 4);
        if (!out)
            kc_no_memory(k);
        else if (!kc_decode(data, out, &len))
            kc_error(k, f, map, data_field, "is no base64");
        else if (strlen(out) != len || !strstr(out, what))
            kc_error(k, f, map, data_field, "no \"%s\" in it", what);
        else
            *ret = (struct credentials_pem){.data = out, .len = len};
    } else if (path && (ret->file = kc_resolve(k, f, path))) {
        struct err err;
        if (credentials_read_file(ret->file, CREDENTIALS_FILE_MAX, &text, &len, &err) < 0)
            kc_said(k, f, map, field, &err);
        else if (!strstr(text, what))
            kc_error(k, f, map, field, "%s: no \"%s\" in it", ret->file, what);
        if (text)
            explicit_bzero(text, len);
        mem_free(text);
    }
}

/* ---- the cluster --------------------------------------------------------------------------------------------------------- */

/* curl resolves names itself for socks5; here the proxy does it, as in Go. */
static void kc_proxy(struct kc *k, const struct kc_file *f, const struct doc_node *cluster)
{
    static const char *const good[] = {"http://", "https://", "socks5://", "socks5h://"};
    const char *url = kc_str(k, f, cluster, "proxy-url");
    struct str s;

    if (!url)
        return;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        if (strncasecmp(url, good[i], strlen(good[i])) == 0 && url[strlen(good[i])])
            k->c->proxy = url;
    }
    if (!k->c->proxy)
        kc_error(k, f, cluster, "proxy-url",
                 "\"%s\" is no URL that begins with http://, https:// or socks5://", url);
    else if (strncasecmp(url, "socks5://", 9) == 0) {
        str_init(&s, 8192);
        str_addf(&s, "socks5h://%s", url + 9);
        k->c->proxy = str_failed(&s) ? NULL : kc_keep(k, str_text(&s));
        if (!k->c->proxy)
            kc_no_memory(k);
        str_free(&s);
    }
}

static void kc_cluster(struct kc *k, const struct kc_file *f, const struct doc_node *cluster)
{
    const char *server = kc_text(k, f, cluster, "server");
    struct err err;

    if (k->rc == 0 && !server)
        kc_error(k, f, cluster, "server", "must be given");
    if (k->rc == 0 && credentials_set_server(k->c, server, &err) < 0)
        kc_said(k, f, cluster, "server", &err);
    k->c->tls_name = kc_str(k, f, cluster, "tls-server-name");
    if (k->c->tls_name && strpbrk(k->c->tls_name, "/ @?#[]"))
        kc_error(k, f, cluster, "tls-server-name", "\"%s\" is no name of a host", k->c->tls_name);
    k->c->insecure = kc_bool(k, f, cluster, "insecure-skip-tls-verify");
    kc_pem(k, f, cluster, "certificate-authority", "certificate-authority-data",
           "-----BEGIN CERTIFICATE-----", &k->c->ca);
    if (k->c->insecure && (k->c->ca.data || k->c->ca.file))
        kc_error(k, f, cluster, "insecure-skip-tls-verify",
                 "must not be true beside a certificate authority");
    kc_proxy(k, f, cluster);
}

/* What the cluster says to plugins: its extension of that name, as JSON. */
static const char *kc_cluster_config(struct kc *k, const struct doc_node *cluster)
{
    const char *text = NULL;
    struct str s;

    doc_foreach (e, doc_field(cluster, "extensions")) {
        const struct doc_node *value = doc_field(e, "extension");
        if (strcmp(doc_str_or(e, "name", ""), "client.authentication.k8s.io/exec") != 0 || !value || text)
            continue;
        str_init(&s, 1 << 20);
        emit_json(value, 0, &s);
        text = str_failed(&s) ? NULL : kc_keep(k, str_text(&s));
        if (!text)
            kc_no_memory(k);
        str_free(&s);
    }
    return text;
}

/* ---- the user ------------------------------------------------------------------------------------------------------------ */

static const char *const *kc_strings(struct kc *k, const struct kc_file *f, const struct doc_node *map,
                                     const char *field, uint32_t *ret_n)
{
    const struct doc_node *list = kc_child(k, f, map, field, DOC_LIST);
    uint32_t n = 0;

    *ret_n = 0;
    if (!list || list->n == 0)
        return NULL;
    const char **texts = arena_alloc(&k->c->arena, list->n * sizeof(*texts));
    if (!texts) {
        kc_no_memory(k);
        return NULL;
    }
    doc_foreach (item, list) {
        if (item->type != DOC_STRING || !kc_is_clean(item->text))
            kc_error(k, f, item, NULL, "must be a string without control characters");
        texts[n++] = kc_keep(k, item->text);
    }
    *ret_n = k->rc == 0 ? n : 0;
    return texts;
}

/* A key as part of a header's name: what may not stand there is encoded as in a URL. */
static const char *kc_header_key(struct kc *k, const char *key)
{
    struct str s;

    str_init(&s, 8192);
    for (; *key; key++) {
        bool plain = (*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z') ||
                     (*key >= '0' && *key <= '9') || strchr("!#$&'*+-.^_`|~", *key);
        if (plain)
            str_addc(&s, *key);
        else
            str_addf(&s, "%%%02X", (unsigned char)*key);
    }
    const char *text = str_failed(&s) ? NULL : kc_keep(k, str_text(&s));
    if (!text)
        kc_no_memory(k);
    str_free(&s);
    return text;
}

static void kc_extra(struct kc *k, const struct kc_file *f, const struct doc_node *user)
{
    const struct doc_node *map = kc_child(k, f, user, "as-user-extra", DOC_MAP);
    uint32_t n = 0;

    doc_foreach (key, map) {
        if (key->type != DOC_LIST || key->n > CREDENTIALS_ENTRIES_MAX)
            kc_error(k, f, key, NULL, "must be a list of strings");
        n += key->n;
    }
    if (k->rc < 0 || n == 0)
        return;
    if (n > CREDENTIALS_ENTRIES_MAX) {
        kc_error(k, f, user, "as-user-extra", "more than %d values", CREDENTIALS_ENTRIES_MAX);
        return;
    }
    struct credentials_pair *pairs = arena_alloc(&k->c->arena, n * sizeof(*pairs));
    if (!pairs) {
        kc_no_memory(k);
        return;
    }
    k->c->as_extra = pairs;
    doc_foreach (key, map) {
        doc_foreach (value, key) {
            if (value->type != DOC_STRING || !kc_is_clean(value->text))
                kc_error(k, f, value, NULL, "must be a string without control characters");
            pairs[k->c->n_as_extra++] = (struct credentials_pair){.key = kc_header_key(k, key->key),
                                                                  .value = kc_keep(k, value->text)};
        }
    }
}

static void kc_impersonation(struct kc *k, const struct kc_file *f, const struct doc_node *user)
{
    k->c->as = kc_str(k, f, user, "as");
    k->c->as_uid = kc_str(k, f, user, "as-uid");
    k->c->as_groups = kc_strings(k, f, user, "as-groups", &k->c->n_as_groups);
    kc_extra(k, f, user);
    if (!k->c->as && (k->c->as_uid || k->c->n_as_groups || k->c->n_as_extra))
        kc_error(k, f, user, "as", "must be given with as-uid, as-groups or as-user-extra");
}

static void kc_exec_env(struct kc *k, const struct kc_file *f, const struct doc_node *exec,
                        struct credentials_exec *x)
{
    const struct doc_node *list = kc_child(k, f, exec, "env", DOC_LIST);
    struct credentials_pair *pairs =
        list && list->n ? arena_alloc(&k->c->arena, list->n * sizeof(*pairs)) : NULL;

    if (!list || list->n == 0)
        return;
    if (!pairs) {
        kc_no_memory(k);
        return;
    }
    doc_foreach (item, list) {
        const char *name = kc_str(k, f, item, "name"), *value = kc_str(k, f, item, "value");
        if (!name || strchr(name, '='))
            kc_error(k, f, item, "name", "must be the name of a variable");
        pairs[x->n_env++] = (struct credentials_pair){.key = name ? name : "", .value = value ? value : ""};
    }
    x->env = pairs;
}

/* interactiveMode; v1 wants it (3.15). */
static bool kc_interactive(struct kc *k, const struct kc_file *f, const struct doc_node *exec, bool v1)
{
    const char *mode = kc_text(k, f, exec, "interactiveMode");

    if (!mode && v1)
        kc_error(k, f, exec, "interactiveMode", "must be given for client.authentication.k8s.io/v1");
    if (!mode)
        return isatty(STDIN_FILENO);
    if (strcmp(mode, "Never") == 0)
        return false;
    if (strcmp(mode, "IfAvailable") != 0 && strcmp(mode, "Always") != 0)
        kc_error(k, f, exec, "interactiveMode", "must be Never, IfAvailable or Always");
    bool terminal = isatty(STDIN_FILENO);
    if (strcmp(mode, "Always") == 0 && !terminal)
        kc_error(k, f, exec, "interactiveMode", "the plugin must ask the user, but stdin is no terminal");
    return terminal;
}

static void kc_exec(struct kc *k, const struct kc_file *f, const struct doc_node *exec,
                    const struct doc_node *cluster)
{
    const char *command = kc_text(k, f, exec, "command");
    struct credentials_exec *x = arena_alloc(&k->c->arena, sizeof(*x));

    if (!x) {
        kc_no_memory(k);
        return;
    }
    *x = (struct credentials_exec){.api_version = kc_str(k, f, exec, "apiVersion")};
    bool v1 = x->api_version && strcmp(x->api_version, "client.authentication.k8s.io/v1") == 0;
    if (!v1 && (!x->api_version || strcmp(x->api_version, "client.authentication.k8s.io/v1beta1") != 0))
        kc_error(k, f, exec, "apiVersion",
                 "must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
    if (!command)
        kc_error(k, f, exec, "command", "must be given");
    else if (!k->o->exec)
        kc_error(k, f, exec, NULL,
                 "credentials of a plugin (%s) are for the command line only; give the controller a token or "
                 "a certificate",
                 command);
    if (k->rc < 0 || !command)
        return;
    x->command = strchr(command, '/') ? kc_resolve(k, f, command) : kc_keep(k, command);
    x->args = kc_strings(k, f, exec, "args", &x->n_args);
    kc_exec_env(k, f, exec, x);
    x->install_hint = kc_str(k, f, exec, "installHint");
    x->cluster_info = kc_bool(k, f, exec, "provideClusterInfo");
    x->interactive = kc_interactive(k, f, exec, v1);
    x->cluster_config = kc_cluster_config(k, cluster);
    k->c->exec = x;
}

/* tokenFile wins over token (3.15). */
static void kc_token(struct kc *k, const struct kc_file *f, const struct doc_node *user)
{
    const char *token = kc_text(k, f, user, "token");
    struct err err;

    k->c->token_file = kc_resolve(k, f, kc_text(k, f, user, "tokenFile"));
    if (k->rc < 0)
        return;
    if (k->c->token_file) {
        char *text = NULL;
        size_t len = 0;
        int rc = credentials_read_file(k->c->token_file, CREDENTIALS_TOKEN_MAX + 64, &text, &len, &err);
        if (rc == 0)
            rc = credentials_set_token(k->c, text, len, &err);
        if (rc < 0)
            kc_said(k, f, user, "tokenFile", &err);
        if (text)
            explicit_bzero(text, len);
        mem_free(text);
    } else if (token && credentials_set_token(k->c, token, strlen(token), &err) < 0) {
        kc_said(k, f, user, "token", &err);
    }
}

static void kc_user(struct kc *k, const struct kc_file *f, const struct doc_node *user,
                    const struct doc_node *cluster)
{
    if (doc_field(user, "auth-provider"))
        kc_error(k, f, user, "auth-provider",
                 "such plugins are gone from Kubernetes; use an exec plugin or a token");
    kc_pem(k, f, user, "client-certificate", "client-certificate-data", "-----BEGIN CERTIFICATE-----",
           &k->c->cert);
    kc_pem(k, f, user, "client-key", "client-key-data", "PRIVATE KEY-----", &k->c->key);
    bool cert = k->c->cert.data || k->c->cert.file, key = k->c->key.data || k->c->key.file;
    if (cert != key)
        kc_error(k, f, user, cert ? "client-key" : "client-certificate",
                 "must be given: a client certificate and its key go together");
    kc_token(k, f, user);
    k->c->user = kc_str(k, f, user, "username");
    k->c->password = kc_str(k, f, user, "password");
    if (k->c->user && k->c->token)
        kc_error(k, f, user, "username", "either a token or a name with a password, not both");
    kc_impersonation(k, f, user);
    const struct doc_node *exec = kc_child(k, f, user, "exec", DOC_MAP);
    if (exec && !k->c->token && k->rc == 0)
        kc_exec(k, f, exec, cluster);
}

/* ---- the files together -------------------------------------------------------------------------------------------------- */

/* The entry of this name in a list of { name, KIND: {...} }: the first file that has it wins (3.15). */
static const struct doc_node *kc_find(struct kc *k, const char *list, const char *kind, const char *name,
                                      const struct kc_file **ret_file)
{
    for (uint32_t i = 0; i < k->n_files && k->rc == 0; i++) {
        const struct kc_file *f = &k->files[i];
        const struct doc_node *entries = doc_field(f->root, list);
        if (entries && entries->type != DOC_LIST)
            kc_error(k, f, f->root, list, "must be a list");
        if (!entries || k->rc < 0)
            continue;
        doc_foreach (e, entries) {
            if (!doc_is_text(doc_field(e, "name"), name))
                continue;
            const struct doc_node *value = doc_field(e, kind);
            if (value && value->type != DOC_MAP)
                kc_error(k, f, e, kind, "must be a map");
            *ret_file = f;
            return value ? value : e; /* an entry that says nothing has no field of that name either */
        }
    }
    return NULL;
}

static const char *kc_context_name(struct kc *k)
{
    if (k->o->context && *k->o->context)
        return k->o->context;
    for (uint32_t i = 0; i < k->n_files; i++) {
        const char *name = kc_text(k, &k->files[i], k->files[i].root, "current-context");
        if (name)
            return name;
    }
    if (k->rc == 0)
        k->rc = err_set(k->err, ERR_NOTFOUND, "%s: no current-context; name one with --context",
                        k->n_files ? k->files[0].path : "kubeconfig");
    return NULL;
}

static void kc_missing(struct kc *k, const struct kc_file *f, const struct doc_node *at, const char *what,
                       const char *name)
{
    if (k->rc == 0)
        k->rc = err_set(k->err, ERR_NOTFOUND, "%s:%u: there is no %s \"%s\"", f->path, at ? at->line : 1,
                        what, name);
}

static void kc_make(struct kc *k)
{
    const struct kc_file *context_file = &k->files[0], *file = NULL;
    const char *name = kc_context_name(k);
    struct str source;

    if (!name || k->rc < 0)
        return;
    const struct doc_node *context = kc_find(k, "contexts", "context", name, &context_file);
    if (!context) {
        kc_missing(k, context_file, context_file->root, "context", name);
        return;
    }
    const char *cluster_name = kc_text(k, context_file, context, "cluster");
    const char *user_name = kc_text(k, context_file, context, "user");
    const char *ns = kc_str(k, context_file, context, "namespace");
    if (ns)
        k->c->ns = ns;
    if (!cluster_name)
        kc_error(k, context_file, context, "cluster", "must be given");
    if (k->rc < 0)
        return;
    const struct doc_node *cluster = kc_find(k, "clusters", "cluster", cluster_name, &file);
    if (cluster)
        kc_cluster(k, file, cluster);
    else
        kc_missing(k, context_file, context, "cluster", cluster_name);
    const struct doc_node *user = user_name ? kc_find(k, "users", "user", user_name, &file) : NULL;
    if (user)
        kc_user(k, file, user, cluster);
    else if (user_name)
        kc_missing(k, context_file, context, "user", user_name);
    str_init(&source, 8192);
    str_addf(&source, "%s, context %s", context_file->path, name);
    const char *text = k->rc == 0 ? kc_keep(k, str_text(&source)) : NULL;
    if (text)
        k->c->source = text;
    str_free(&source);
}

static void kc_add_text(struct kc *k, const char *path, const char *text, size_t len)
{
    struct kc_file *f = &k->files[k->n_files];
    struct yaml *y = yaml_open(&k->docs, text, len, 1);
    int got = y ? yaml_next(y, &f->root, k->err) : ERR_NOMEM;

    f->path = path;
    if (!y) {
        kc_no_memory(k);
    } else if (got < 0) {
        err_prefix(k->err, "%s: ", path);
        k->rc = got;
    }
    yaml_close(y);
    if (got <= 0)
        f->root = NULL;
    if (k->rc < 0)
        return;
    k->n_files++;
    if (f->root && f->root->type != DOC_MAP && f->root->type != DOC_NULL)
        kc_error(k, f, f->root, NULL, "this is no kubeconfig");
    else if (f->root && strcmp(doc_str_or(f->root, "kind", "Config"), "Config") != 0)
        kc_error(k, f, f->root, "kind", "must be Config");
}

static void kc_add_file(struct kc *k, const char *path, size_t path_len, bool must)
{
    char *text, *name = arena_strndup(&k->docs, path, path_len);
    size_t len;
    struct err err;

    if (!name) {
        kc_no_memory(k);
        return;
    }
    if (k->n_files == KUBECONFIG_FILES_MAX) {
        k->rc = err_set(k->err, ERR_LIMIT, "more than %d kubeconfig files", KUBECONFIG_FILES_MAX);
        return;
    }
    if (!must && access(name, F_OK) != 0)
        return;
    int rc = credentials_read_file(name, CREDENTIALS_FILE_MAX, &text, &len, &err);
    if (rc < 0) {
        k->rc = err_set(k->err, must && access(name, F_OK) != 0 ? ERR_NOTFOUND : rc, "%s", err.text);
        return;
    }
    kc_add_text(k, name, text, len);
    explicit_bzero(text, len);
    mem_free(text);
}

static void kc_add_list(struct kc *k, const char *list)
{
    while (k->rc == 0) {
        size_t len = strcspn(list, ":");
        if (len > 0)
            kc_add_file(k, list, len, false);
        if (!list[len])
            return;
        list += len + 1;
    }
}

static void kc_add_home(struct kc *k)
{
    const char *home = getenv("HOME");
    struct str s;

    if (!home || !*home)
        return;
    str_init(&s, 8192);
    str_addf(&s, "%s/.kube/config", home);
    if (str_failed(&s))
        kc_no_memory(k);
    else
        kc_add_file(k, str_text(&s), s.len, false);
    str_free(&s);
}

static void kc_add_all(struct kc *k)
{
    const char *list = getenv("KUBECONFIG");

    if (k->o->file && *k->o->file)
        kc_add_file(k, k->o->file, strlen(k->o->file), true);
    else if (list && *list)
        kc_add_list(k, list);
    else
        kc_add_home(k);
    if (k->rc == 0 && k->n_files == 0)
        k->rc = err_set(k->err, ERR_NOTFOUND,
                        "no kubeconfig: neither --kubeconfig, nor $KUBECONFIG, nor ~/.kube/config");
}

static int kc_run(const struct kubeconfig_options *o, const char *text, size_t len, const char *path,
                  struct credentials **ret, struct err *err)
{
    struct err unused;
    struct kc *k = mem_zalloc(1, sizeof(*k));
    struct credentials *c = credentials_new();

    if (!k || !c) {
        mem_free(k);
        credentials_free(c);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    k->o = o;
    k->c = c;
    k->err = err ? err : &unused;
    arena_init(&k->docs, 16384);
    if (text)
        kc_add_text(k, path, text, len);
    else
        kc_add_all(k);
    if (k->rc == 0)
        kc_make(k);
    int rc = k->rc;
    arena_free(&k->docs);
    mem_free(k);
    if (rc < 0) {
        credentials_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int kubeconfig_load(const struct kubeconfig_options *o, struct credentials **ret, struct err *err)
{
    return kc_run(o, NULL, 0, NULL, ret, err);
}

int kubeconfig_parse(const char *text, size_t len, const char *path, const struct kubeconfig_options *o,
                     struct credentials **ret, struct err *err)
{
    return kc_run(o, text, len, path, ret, err);
}

int kubeconfig_find(const struct kubeconfig_options *o, struct credentials **ret, struct err *err)
{
    const char *list = getenv("KUBECONFIG");
    bool named = (o->file && *o->file) || (list && *list);

    if (!named) {
        int rc = credentials_in_cluster(NULL, ret, err);
        if (rc != ERR_NOTFOUND)
            return rc;
    }
    return kubeconfig_load(o, ret, err);
}
