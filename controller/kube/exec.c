#include "kube/exec.h"

#include "api/json.h"
#include "base/mem.h"
#include "base/str.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern char **environ;

struct exec {
    struct credentials *c;
    uv_process_t process;
    uv_pipe_t out;
    uv_timer_t timer;
    uint32_t handles; /* not yet closed */
    char **argv, **env;
    char *info; /* KUBERNETES_EXEC_INFO=... */
    struct str answer;
    char buf[4096];
    bool ended, closed_out, timed_out, cancelled;
    int64_t exit_status;
    int signal;
    int read_error;
    void (*done)(void *arg, int status, const struct err *err);
    void *arg;
    void (*gone)(void *arg);
    void *gone_arg;
};

/* ---- what it is told ----------------------------------------------------------------------------------------------------- */

static void exec_base64(struct str *s, const char *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)data;

    for (size_t i = 0; i < len; i += 3) {
        unsigned n = (unsigned)p[i] << 16;
        if (i + 1 < len)
            n |= (unsigned)p[i + 1] << 8;
        if (i + 2 < len)
            n |= p[i + 2];
        str_addc(s, digits[n >> 18]);
        str_addc(s, digits[n >> 12 & 63]);
        str_addc(s, i + 1 < len ? digits[n >> 6 & 63] : '=');
        str_addc(s, i + 2 < len ? digits[n & 63] : '=');
    }
}

/* The answer may be given as data only: a file is read here. One that cannot be read is left out; the plugin will say what it lacks. */
static void exec_add_ca(struct str *s, const struct credentials *c)
{
    char *text = NULL;
    const char *data = c->ca.data;
    size_t len = c->ca.len;

    if (!data && c->ca.file &&
        credentials_read_file(c->ca.file, CREDENTIALS_FILE_MAX, &text, &len, NULL) == 0)
        data = text;
    if (data) {
        str_add(s, ",\"certificate-authority-data\":\"");
        exec_base64(s, data, len);
        str_addc(s, '"');
    }
    mem_free(text);
}

char *exec_info(const struct credentials *c)
{
    struct str s;

    str_init(&s, 0);
    str_add(&s, "{\"kind\":\"ExecCredential\",\"apiVersion\":");
    str_add_json(&s, c->exec->api_version);
    str_addf(&s, ",\"spec\":{\"interactive\":%s", c->exec->interactive ? "true" : "false");
    if (c->exec->cluster_info) {
        str_add(&s, ",\"cluster\":{\"server\":");
        str_add_json(&s, c->server);
        if (c->tls_name) {
            str_add(&s, ",\"tls-server-name\":");
            str_add_json(&s, c->tls_name);
        }
        if (c->insecure)
            str_add(&s, ",\"insecure-skip-tls-verify\":true");
        if (c->proxy) {
            str_add(&s, ",\"proxy-url\":");
            str_add_json(&s, c->proxy);
        }
        exec_add_ca(&s, c);
        if (c->exec->cluster_config)
            str_addf(&s, ",\"config\":%s", c->exec->cluster_config);
        str_addc(&s, '}');
    }
    str_add(&s, "}}");
    char *text = str_take(&s);
    str_free(&s);
    return text;
}

static bool exec_is_set_by_us(const struct credentials_exec *x, const char *variable)
{
    size_t len = strcspn(variable, "=");

    if (len == strlen("KUBERNETES_EXEC_INFO") && strncmp(variable, "KUBERNETES_EXEC_INFO", len) == 0)
        return true;
    for (uint32_t i = 0; i < x->n_env; i++) {
        if (strlen(x->env[i].key) == len && strncmp(x->env[i].key, variable, len) == 0)
            return true;
    }
    return false;
}

static char *exec_variable(const char *key, const char *value)
{
    struct str s;

    str_init(&s, 0);
    str_addf(&s, "%s=%s", key, value);
    char *text = str_take(&s);
    str_free(&s);
    return text;
}

/* Our environment, and over it what the kubeconfig says, and over that what the protocol says. */
static bool exec_make_env(struct exec *e, const struct credentials_exec *x)
{
    size_t n = 0, all = 0;

    while (environ[all])
        all++;
    e->env = mem_zalloc(all + x->n_env + 2, sizeof(*e->env));
    char *info = exec_info(e->c);
    e->info = info ? exec_variable("KUBERNETES_EXEC_INFO", info) : NULL;
    mem_free(info);
    if (!e->env || !e->info)
        return false;
    for (uint32_t i = 0; i < x->n_env; i++) {
        if (!(e->env[n++] = exec_variable(x->env[i].key, x->env[i].value)))
            return false;
    }
    for (size_t i = 0; i < all; i++) {
        if (!exec_is_set_by_us(x, environ[i]) && !(e->env[n++] = mem_strdup(environ[i])))
            return false;
    }
    e->env[n] = e->info;
    e->info = NULL;
    return true;
}

static bool exec_make_args(struct exec *e, const struct credentials_exec *x)
{
    e->argv = mem_zalloc((size_t)x->n_args + 2, sizeof(*e->argv));
    if (!e->argv)
        return false;
    e->argv[0] = (char *)(uintptr_t)x->command;
    for (uint32_t i = 0; i < x->n_args; i++)
        e->argv[i + 1] = (char *)(uintptr_t)x->args[i];
    return true;
}

/* ---- what it answers ----------------------------------------------------------------------------------------------------- */

/* The fields of an answer. */
struct exec_status {
    const char *token, *cert, *key;
    when_ns expires;
};

static int exec_text(const struct doc_node *status, const char *field, const char **ret, struct err *err)
{
    int rc = doc_str(doc_field(status, field), ret, err);

    if (rc == ERR_NOTFOUND) {
        *ret = NULL;
    } else if (rc < 0) {
        err_prefix(err, "status.%s: ", field);
        return rc;
    }
    if (*ret && !**ret)
        *ret = NULL;
    return 0;
}

static int exec_read_status(const struct credentials *c, const struct doc_node *root, struct exec_status *s,
                            struct err *err)
{
    const struct doc_node *status = doc_field(root, "status");

    if (strcmp(doc_str_or(root, "kind", ""), "ExecCredential") != 0)
        return err_set(err, ERR_INVALID, "kind: must be ExecCredential");
    if (strcmp(doc_str_or(root, "apiVersion", ""), c->exec->api_version) != 0)
        return err_set(err, ERR_INVALID, "apiVersion: must be %s, as in the kubeconfig, not \"%s\"",
                       c->exec->api_version, doc_str_or(root, "apiVersion", ""));
    if (!doc_is(status, DOC_MAP))
        return err_set(err, ERR_INVALID, "status: must be given");
    int rc = exec_text(status, "token", &s->token, err);
    if (rc == 0)
        rc = exec_text(status, "clientCertificateData", &s->cert, err);
    if (rc == 0)
        rc = exec_text(status, "clientKeyData", &s->key, err);
    if (rc < 0)
        return rc;
    s->expires = WHEN_NONE;
    rc = doc_when(doc_field(status, "expirationTimestamp"), &s->expires, err);
    if (rc < 0 && rc != ERR_NOTFOUND) {
        err_prefix(err, "status.expirationTimestamp: ");
        return rc;
    }
    if (!s->token && !s->cert)
        return err_set(err, ERR_INVALID, "status: neither token nor clientCertificateData");
    if (!s->cert != !s->key)
        return err_set(err, ERR_INVALID, "status: clientCertificateData and clientKeyData go together");
    return 0;
}

static void exec_forget(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    mem_free(*secret);
    *secret = NULL;
}

/* The token last, since it is what may still be refused; then nothing has changed. */
static int exec_take(struct credentials *c, const struct exec_status *s, struct err *err)
{
    char *cert = s->cert ? mem_strdup(s->cert) : NULL, *key = s->key ? mem_strdup(s->key) : NULL;
    int rc = 0;

    if ((s->cert && !cert) || (s->key && !key))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    else if (s->token && (rc = credentials_set_token(c, s->token, strlen(s->token), err)) < 0)
        err_prefix(err, "status.token: ");
    if (rc < 0) {
        mem_free(cert);
        exec_forget(&key);
        return rc;
    }
    if (!s->token)
        exec_forget(&c->token);
    mem_free(c->exec_cert);
    exec_forget(&c->exec_key);
    c->exec_cert = cert;
    c->exec_key = key;
    c->exec_expires = s->expires;
    c->exec_fresh = true;
    c->generation++;
    return 0;
}

int exec_answer(struct credentials *c, const char *text, size_t len, struct err *err)
{
    const struct doc_node *root;
    struct exec_status s = {0};
    struct arena a, scratch;

    arena_init(&a, 16384);
    arena_init(&scratch, 16384);
    int rc = json_read(&a, &scratch, text, len, 1, &root, err);
    if (rc == 0)
        rc = exec_read_status(c, root, &s, err);
    if (rc == 0)
        rc = exec_take(c, &s, err);
    arena_free(&a);
    arena_free(&scratch);
    return rc;
}

/* ---- its life ------------------------------------------------------------------------------------------------------------ */

static void exec_free(struct exec *e)
{
    for (char **v = e->env; v && *v; v++)
        mem_free(*v);
    mem_free(e->env);
    mem_free(e->argv);
    mem_free(e->info);
    if (e->answer.p)
        explicit_bzero(e->answer.p, e->answer.len);
    str_free(&e->answer);
    mem_free(e);
}

static int exec_result(struct exec *e, struct err *err)
{
    const char *command = e->c->exec->command, *hint = e->c->exec->install_hint;

    if (e->timed_out)
        return err_set(err, ERR_IO, "exec plugin %s: it took too long and was killed", command);
    if (str_failed(&e->answer))
        return err_set(err, ERR_LIMIT, "exec plugin %s: its answer is longer than %d bytes", command,
                       EXEC_OUTPUT_MAX);
    if (e->signal != 0)
        return err_set(err, ERR_IO, "exec plugin %s: ended by signal %d", command, e->signal);
    if (e->exit_status != 0)
        return err_set(err, ERR_IO, "exec plugin %s: exit status %d%s%s", command, (int)e->exit_status,
                       hint ? "; " : "", hint ? hint : "");
    int rc = exec_answer(e->c, str_text(&e->answer), e->answer.len, err);
    if (rc < 0)
        err_prefix(err, "exec plugin %s: its answer: ", command);
    return rc;
}

static void exec_handle_gone(uv_handle_t *handle)
{
    struct exec *e = handle->data;
    struct err err = {0};

    if (--e->handles > 0)
        return;
    if (e->cancelled) {
        if (e->gone)
            e->gone(e->gone_arg);
    } else {
        int rc = exec_result(e, &err);
        e->done(e->arg, rc, &err);
    }
    exec_free(e);
}

static void exec_close_out(struct exec *e)
{
    if (e->closed_out)
        return;
    e->closed_out = true;
    uv_close((uv_handle_t *)&e->out, exec_handle_gone);
    if (e->ended)
        uv_close((uv_handle_t *)&e->timer, exec_handle_gone);
}

static void exec_on_exit(uv_process_t *process, int64_t exit_status, int signal)
{
    struct exec *e = process->data;

    e->ended = true;
    e->exit_status = exit_status;
    e->signal = signal;
    uv_close((uv_handle_t *)process, exec_handle_gone);
    if (e->closed_out)
        uv_close((uv_handle_t *)&e->timer, exec_handle_gone);
    else if (e->timed_out || e->cancelled)
        exec_close_out(e); /* a child of the plugin may still hold the other end */
}

static void exec_on_timer(uv_timer_t *timer)
{
    struct exec *e = timer->data;

    e->timed_out = true;
    if (!e->ended)
        uv_process_kill(&e->process, SIGKILL);
    else
        exec_close_out(e);
}

static void exec_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct exec *e = handle->data;

    (void)suggested;
    *buf = uv_buf_init(e->buf, sizeof(e->buf));
}

static void exec_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct exec *e = stream->data;

    if (n > 0)
        str_addn(&e->answer, buf->base, (size_t)n);
    bool full = str_failed(&e->answer);
    if (full && !e->ended)
        uv_process_kill(&e->process, SIGKILL);
    if (n < 0 || full) /* what the plugin has started may go on for ever */
        exec_close_out(e);
}

static int exec_spawn(uv_loop_t *loop, struct exec *e, struct err *err)
{
    const struct credentials_exec *x = e->c->exec;
    uv_stdio_container_t stdio[3] = {
        {.flags = x->interactive ? UV_INHERIT_FD : UV_IGNORE, .data.fd = 0},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&e->out},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {.exit_cb = exec_on_exit,
                                    .file = x->command,
                                    .args = e->argv,
                                    .env = e->env,
                                    .stdio = stdio,
                                    .stdio_count = 3};

    int rc = uv_spawn(loop, &e->process, &options);
    if (rc == 0)
        return 0;
    return err_set(err, ERR_IO, "exec plugin %s: %s%s%s", x->command, uv_strerror(rc),
                   x->install_hint ? "; " : "", x->install_hint ? x->install_hint : "");
}

/* Nobody is to be told. */
static void exec_give_up(struct exec *e)
{
    e->cancelled = true;
    e->ended = true;
    uv_close((uv_handle_t *)&e->process, exec_handle_gone);
    exec_close_out(e);
}

int exec_start(uv_loop_t *loop, struct credentials *c, int64_t timeout_ns,
               void (*done)(void *arg, int status, const struct err *err), void *arg, struct exec **ret,
               struct err *err)
{
    struct exec *e = mem_zalloc(1, sizeof(*e));

    if (!e)
        return err_set(err, ERR_NOMEM, "out of memory");
    e->c = c;
    e->done = done;
    e->arg = arg;
    str_init(&e->answer, EXEC_OUTPUT_MAX);
    if (!exec_make_env(e, c->exec) || !exec_make_args(e, c->exec)) {
        exec_free(e);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    uv_pipe_init(loop, &e->out, 0);
    uv_timer_init(loop, &e->timer);
    e->process.data = e->out.data = e->timer.data = e;
    e->handles = 3;
    int rc = exec_spawn(loop, e, err);
    if (rc < 0) {
        exec_give_up(e);
        return rc;
    }
    uv_read_start((uv_stream_t *)&e->out, exec_room, exec_on_read);
    if (timeout_ns > 0)
        uv_timer_start(&e->timer, exec_on_timer, (uint64_t)(timeout_ns / NS_PER_MS), 0);
    *ret = e;
    return 0;
}

void exec_cancel(struct exec *e, void (*gone)(void *arg), void *arg)
{
    e->cancelled = true;
    e->gone = gone;
    e->gone_arg = arg;
    if (!e->ended)
        uv_process_kill(&e->process, SIGKILL); /* its end closes the rest */
    else
        exec_close_out(e);
}
