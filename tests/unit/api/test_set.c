#include "api/references.h"
#include "api_test.h"
#include "base/str.h"

#include <sys/stat.h>
#include <unistd.h>

#define NS(name) "{apiVersion: v1, kind: Namespace, metadata: {name: " name "}}"
#define BLOCK_NS(name) "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " name
#define JSON_NS(name) "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" name "\"}}"

/* ---- which objects, where they stand ------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *text;
    const char *objects; /* "name:line ..." */
    const char *error;   /* the only error, or NULL */
} streams[] = {
    {"t.yaml", "", "", NULL},
    {"t.yaml", "# only a comment\n", "", NULL},
    {"t.yaml", "---\n---\n\n---\n", "", NULL},
    {"t.yaml", NS("a"), "a:1", NULL},
    {"t.yaml", "# head\n---\n" NS("a") "\n---\n" NS("b") "\n", "a:3 b:5", NULL},
    {"t.yaml", "---\r\n" NS("a") "\r\n---   \r\n" NS("b") "\r\n", "a:2 b:4", NULL},
    {"t.yaml", "--- " NS("a") "\n--- " NS("b") "\n...\n---\n" NS("c"), "a:1 b:2 c:5", NULL},
    {"t.yaml", "%YAML 1.1\n---\n" NS("a") "\n---\n" JSON_NS("b") "\n", "a:3 b:5", NULL},
    {"t.yaml", "---\n" JSON_NS("a") "\n---\n# c\n\n" JSON_NS("b") "\n---\n" NS("c"), "a:2 b:6 c:8", NULL},
    {"t.yaml", "\xef\xbb\xbf" NS("a"), "a:1", NULL},
    {"t.yaml",
     "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  annotations:\n    t: |\n      x\n       ---\n "
     "     y\n",
     "a:1", NULL},
    /* joined with a marker, one file without a newline at its end */
    {"t.yaml", BLOCK_NS("a") "---\n" BLOCK_NS("b") "---\r\n# c\n\n" BLOCK_NS("c") "\n", "a:1 b:5 c:11", NULL},
    {"t.yaml", BLOCK_NS("a") "\nx: [---\n" BLOCK_NS("b"), "b:6",
     "t.yaml:6: YAML: did not find expected node content"},
    {"t.yaml", BLOCK_NS("a") "\n  annotations: {x: y}---\n---\n" BLOCK_NS("b"), "b:7",
     "t.yaml:5: YAML: did not find expected key"},
    {"t.yaml", "metadata:\n  name: a\n  annotations:\n    a: a---\napiVersion: v1\nkind: Namespace\n", "a:1",
     NULL},
    {"t.yaml", BLOCK_NS("a") "\n  annotations:\n    x: |\n      -----\napiVersion: v1\n", "",
     "t.yaml:8: the key \"apiVersion\" is there already, in line 1"},
    {"t.yaml", NS("a") "\n---\nx: [\n---\n" NS("b"), "a:1 b:5",
     "t.yaml:4: YAML: did not find expected node content"},
    {"t.yaml", NS("a") "\n---\nx: 1\nx: 2\n---\n" NS("b"), "a:1 b:6",
     "t.yaml:4: the key \"x\" is there already, in line 3"},
    {"t.yaml", NS("a") "\n---\n{\"x\": 1, \"x\": 2}\n---\n" NS("b"), "a:1 b:5",
     "t.yaml:3: the key \"x\" is there already, in line 3"},
    {"t.yaml", NS("a") "\n---\n- 1\n---\n" NS("b"), "a:1 b:5", "t.yaml:3: not a Kubernetes object"},
    {"t.yaml", NS("a") "\n---\nkind: Namespace\n", "a:1", "t.yaml:3: apiVersion: Required value"},
    {"t.yaml", NS("a") "\n---\napiVersion: v1\n", "a:1", "t.yaml:3: kind: Required value"},
    {"t.yaml", NS("a") "\n---\n{apiVersion: v1, kind: Namespace}\n", "a:1",
     "t.yaml:3: Namespace: metadata.name: Required value"},
    {"t.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: A}}", "",
     "t.yaml:1: Namespace A: metadata.name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of "
     "lower case "
     "alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', "
     " or '123-abc', "
     "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"t.yaml", "{apiVersion: kueue.x-k8s.io/v1beta1, kind: Cohort, metadata: {name: a}}", "a:1", NULL},
    {"t.yaml", "{apiVersion: kueue.x-k8s.io/v1alpha1, kind: Cohort, metadata: {name: a}}", "",
     "t.yaml:1: apiVersion: kueue.x-k8s.io/v1alpha1 is not read, only kueue.x-k8s.io/v1beta2; convert the "
     "object"},
    {"t.yaml",
     "{apiVersion: kueue.x-k8s.io/v1beta1, kind: ClusterQueue, metadata: {name: a}, spec: {cohort: c, "
     "cohortName: "
     "c}}",
     "", "t.yaml:1: spec.cohort: Forbidden: becomes cohortName in v1beta2, which is there too"},
    {"t.yaml",
     "{apiVersion: kueue.x-k8s.io/v1beta1, kind: CohortList, items: [{metadata: {name: a}},\n"
     "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: b}}]}",
     "a:1 b:2", NULL},
    {"t.yaml", "{apiVersion: v1, kind: List, items: [" NS("a") ",\n" NS("b") "]}", "a:1 b:2", NULL},
    {"t.yaml", "{apiVersion: v1, kind: NamespaceList, items: [{metadata: {name: a}}, {metadata: {name: B}}]}",
     "a:1",
     "t.yaml:1: Namespace B: metadata.name: Invalid value: \"B\": a lowercase RFC 1123 label must consist of "
     "lower case "
     "alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', "
     " or '123-abc', "
     "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"t.yaml", "{apiVersion: v1, kind: List, items: []}", "", NULL},
    {"t.yaml", "{apiVersion: batch/v1, kind: Job, metadata: {generateName: a-}, spec: {}}", ":1", NULL},
    {"t.yaml", "{apiVersion: batch/v1, kind: Job, metadata: {namespace: a}, spec: {}}", "",
     "t.yaml:1: Job a/: metadata.name: Required value"},
    {"t.yaml", "{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, metadata: {name: a}}", "",
     "t.yaml:1: JobSet a: spec: Required value"},
    {"t.yaml", "{apiVersion: v1, kind: List, items: [5]}", "", "t.yaml:1: not a Kubernetes object"},
    {"t.json", JSON_NS("a") "\n", "a:1", NULL},
    {"t.json", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n" JSON_NS("a") ",\n" JSON_NS("b") "]}",
     "a:2 b:3", NULL},
    {"t.json",
     "{\"items\":[{\"metadata\":{\"name\":\"a\"}},\n{\"metadata\":{\"name\":\"b\"}}],\"kind\":"
     "\"NamespaceList\","
     "\"apiVersion\":\"v1\"}",
     "a:1 b:2", NULL},
    {"t.json", "{\"items\":[" JSON_NS("a") "],\n\"metadata\":{},\"kind\":\"List\",\"apiVersion\":\"v1\"}",
     "a:1", NULL},
    {"t.json", "{\"items\":[" JSON_NS("a") ",\n{\"x\":01}],\"kind\":\"List\"}", "a:1",
     "t.json:2: JSON: not a number"},
    {"t.json", "{\"items\":[" JSON_NS("a") ",\n" JSON_NS("b"), "a:1 b:2",
     "t.json:2: JSON: the text ends too early"},
    {"t.json", "{\"items\":[" JSON_NS("a") "],\"kind\":\"Foo\"}", "a:1",
     "t.json:1: a document with items must be of a kind that ends in \"List\""},
    {"t.json", "{\"kind\":\"List\",\"items\":[" JSON_NS("a") "],\"items\":[" JSON_NS("b") "]}", "a:1 b:1",
     "t.json:1: duplicate key \"items\""},
    {"t.json", "{\"items\":[" JSON_NS("a") "],\"kind\":\"List\",\"kind\":\"List\"}", "a:1",
     "t.json:1: the key \"kind\" is there already, in line 1"},
    {"t.yaml", "{\"items\":[" JSON_NS("a") ",],\"kind\":\"List\"}\n---\n" NS("b"), "a:1 b:3",
     "t.yaml:1: JSON: a value was expected"},
    {"t.yaml", "apiVersion: v1\nitems:\n- " NS("a") "\n- " NS("b") "\nkind: List\n---\n" NS("c"),
     "a:3 b:4 c:7", NULL},
    {"t.yaml", "items:\n- metadata: {name: a}\n- metadata: {name: b}\napiVersion: v1\nkind: NamespaceList\n",
     "a:2 b:3", NULL},
    {"t.yaml", "items:\n- " NS("a") "\nkind: Foo\n", "a:2",
     "t.yaml:1: a document with items must be of a kind that ends in \"List\""},
    {"t.yaml", "items:\n- " NS("a") "\n- x: [\n", "a:2",
     "t.yaml:4: YAML: did not find expected node content"},
    {"t.yaml", "kind: List\napiVersion: v1\nitems:\n- &x " NS("a") "\n- *x\n", "a:4",
     "t.yaml:4: Namespace a: Duplicate value: Namespace a is there already, in t.yaml:4"},
    {"t.json", "", "", "t.json:1: not valid JSON"},
    {"t.json", "[1]", "", "t.json:1: not a Kubernetes object"},
    {"t.yaml", "", "", NULL},
    {"t.yaml", "a: \x01\n", "", "t.yaml:1: YAML: control characters are not allowed"},
    {"t.yaml", NS("a") "\n---\na: 1\nb: \xff\n", "a:1", "t.yaml:4: YAML: invalid leading UTF-8 octet"},
    {"t.json", NS("a"), "", "t.json:1: JSON: a key was expected"},
    {"t.json", JSON_NS("a") "\n" JSON_NS("b"), "", "t.json:2: JSON: something follows the value"},
};

START_TEST(reading)
{
    struct api_set *s = set_of_flags(0, streams[_i].name, streams[_i].text);
    char got[256] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < api_set_count(s); i++) {
        const struct object *o = api_set_at(s, i);
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s:%u", i ? " " : "", o->name, o->line);
        ck_assert_str_eq(o->file, streams[_i].name);
    }
    ck_assert_str_eq(got, streams[_i].objects);
    ck_assert_msg(api_set_errors(s) == (streams[_i].error != NULL), "%s: %s", streams[_i].text,
                  api_set_error(s, 0));
    ck_assert_str_eq(api_set_error(s, 0), streams[_i].error ? streams[_i].error : "");
    api_set_free(s);
}
END_TEST

/* ---- notes -------------------------------------------------------------------------------------------------------------- */

START_TEST(warnings)
{
    struct api_set *s =
        set_of("apiVersion: kueue.x-k8s.io/v1beta2\nkind: Cohort\nmetadata:\n  name: c\n  labels:\n    a: "
               "yes\n  foo: 1\nspec:\n  parent: p\nstate: x\n");
    static const char *const want[] = {
        "t.yaml:6: yes is read as text; quote it, other YAML readers take it for a boolean",
        "t.yaml:7: Cohort c: metadata.foo: unknown field",
        "t.yaml:10: Cohort c: state: unknown field",
        "t.yaml:9: Cohort c: spec.parent: unknown field",
    };
    ck_assert_uint_eq(api_set_count(s), 1);
    ck_assert_uint_eq(api_set_warnings(s), COUNT(want));
    for (uint32_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(api_set_warning(s, i), want[i]);
    ck_assert_str_eq(api_set_warning(s, 99), "");
    api_set_free(s);
}
END_TEST

START_TEST(passed_over)
{
    struct api_set *s = set_of("{apiVersion: batch/v1, kind: CronJob}\n---\n" NS(
        "a") "\n---\n{apiVersion: v1, kind: Node}\n---\n"
             "{apiVersion: batch/v1, kind: CronJob}\n---\n{apiVersion: v1, kind: PodList, items: [{}, {}]}\n"
             "---\n{apiVersion: batch/v1, kind: Workload}\n");
    static const struct {
        const char *kind;
        uint32_t n;
    } want[] = {{"batch/v1 CronJob", 2}, {"v1 Node", 1}, {"v1 PodList", 2}, {"batch/v1 Workload", 1}};
    ck_assert_uint_eq(api_set_count(s), 1);
    ck_assert_uint_eq(api_set_errors(s), 0);
    ck_assert_uint_eq(api_set_passed_over(s), COUNT(want));
    for (uint32_t i = 0; i < COUNT(want); i++) {
        uint32_t n;
        ck_assert_str_eq(api_set_passed_over_kind(s, i, &n), want[i].kind);
        ck_assert_uint_eq(n, want[i].n);
    }
    api_set_free(s);
}
END_TEST

/* An object with very many errors tells only the first hundred, and memory stays bounded. */
START_TEST(many_errors)
{
    struct str text;
    str_init(&text, 0);
    str_add(&text, "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: q}\nspec: "
                   "{resourceGroups: [5");
    for (int i = 0; i < 3000; i++)
        str_add(&text, ", 5");
    str_add(&text, "]}\n");
    struct api_set *s = set_of(str_text(&text));
    ck_assert_uint_eq(api_set_errors(s), 100);
    ck_assert_uint_eq(api_set_count(s), 0);
    api_set_free(s);
    str_free(&text);
}
END_TEST

/* ---- streaming ---------------------------------------------------------------------------------------------------------- */

struct seen {
    int n, stop_at;
    char names[64];
};

static int on_object(void *ctx, const struct object *o, struct err *err)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->names);
    snprintf(seen->names + len, sizeof(seen->names) - len, "%s ", o->name);
    if (++seen->n == seen->stop_at)
        return err_set(err, ERR_LIMIT, "enough");
    return 0;
}

START_TEST(streaming)
{
    const char *text = NS("a") "\n---\n" JSON_NS("b") "\n---\n{apiVersion: v1, kind: List, items: [" NS(
        "c") ", " NS("d") "]}\n";
    struct seen seen = {0};
    struct err e = {0};
    struct api_set *s = api_set_new(0);
    api_set_stream(s, on_object, &seen);
    ck_assert_int_eq(api_read_buffer(s, "t.yaml", text, strlen(text), &e), 0);
    ck_assert_str_eq(seen.names, "a b c d ");
    ck_assert_uint_eq(api_set_count(s), 0);
    api_set_free(s);
    seen = (struct seen){.stop_at = 2};
    s = api_set_new(0);
    api_set_stream(s, on_object, &seen);
    ck_assert_int_eq(api_read_buffer(s, "t.yaml", text, strlen(text), &e), ERR_LIMIT);
    ck_assert_str_eq(e.text, "enough");
    ck_assert_str_eq(seen.names, "a b ");
    api_set_free(s);
}
END_TEST

/* Facts of a compact set outlive the document; other kinds keep it. */
START_TEST(compact)
{
    static const char text[] = "{\"items\":[{\"apiVersion\":\"kueue.x-k8s.io/"
                               "v1beta2\",\"kind\":\"Workload\",\"metadata\":{\"name\":\"w\","
                               "\"namespace\":\"n\",\"annotations\":{\"a\":\"b\"}},\"spec\":{\"queueName\":"
                               "\"q\",\"podSets\":[{\"name\":\"p\","
                               "\"count\":2,\"template\":{\"spec\":{\"nodeSelector\":{\"k\":\"v\"},"
                               "\"containers\":[{\"name\":\"c\",\"resources\":"
                               "{\"requests\":{\"cpu\":\"1\"}}}]}}}]}}," JSON_NS("x") "],\"kind\":\"List\"}";
    char *copy = mem_strdup(text);
    struct err e = {0};
    struct api_set *s = api_set_new(API_COMPACT), *plain = set_of_flags(0, "t.json", text);
    ck_assert_int_eq(api_read_buffer(s, "t.json", copy, strlen(copy), &e), 0);
    memset(copy, 'x', strlen(copy));
    mem_free(copy);
    ck_assert_uint_eq(api_set_count(s), 2);
    const struct object *o = api_set_at(s, 0);
    const struct fact_pod_set *p = o->workload.pod_sets, *q = api_set_at(plain, 0)->workload.pod_sets;
    ck_assert_ptr_null(o->doc);
    ck_assert_ptr_nonnull(api_set_at(s, 1)->doc);
    ck_assert_str_eq(o->name, "w");
    ck_assert_str_eq(object_annotation(o, "a"), "b");
    ck_assert_str_eq(o->workload.queue, "q");
    ck_assert_str_eq(p->name, "p");
    ck_assert_str_eq(p->pod.selector[0].value, "v");
    ck_assert_str_eq(p->pod.containers[0].requests[0].resource, "cpu");
    ck_assert_uint_eq(p->pod.digest_len, q->pod.digest_len);
    ck_assert_int_eq(memcmp(p->pod.digest, q->pod.digest, p->pod.digest_len), 0);
    api_set_free(s);
    api_set_free(plain);
}
END_TEST

/* ---- what is not there -------------------------------------------------------------------------------------------------- */

#define KUEUE "apiVersion: kueue.x-k8s.io/v1beta2\n"
#define POD_SETS "podSets: [{template: {spec: {containers: [{name: c}]}}}]"

START_TEST(references)
{
    static const char *const want[] = {
        "t.yaml:15: LocalQueue n/b: spec.clusterQueue: Not found: there is no ClusterQueue r",
        "t.yaml:27: Workload m/y: spec.queueName: Not found: there is no LocalQueue m/a",
    };
    struct err e = {0};
    struct api_set *s = set_of(
        KUEUE "kind: ClusterQueue\nmetadata: {name: q}\nspec: {}\n---\n" KUEUE
              "kind: LocalQueue\nmetadata: {name: a, namespace: n}\nspec: {clusterQueue: q}\n---\n" KUEUE
              "kind: LocalQueue\nmetadata: {name: b, namespace: n}\nspec:\n  clusterQueue: r\n---\n" KUEUE
              "kind: Workload\nmetadata: {name: x, namespace: n}\nspec: {queueName: a, " POD_SETS
              "}\n---\n" KUEUE "kind: Workload\nmetadata: {name: y, namespace: m}\nspec:\n  " POD_SETS
              "\n  queueName: a\n---\n" KUEUE
              "kind: Workload\nmetadata: {name: z, namespace: m}\nspec: {" POD_SETS "}\n---\n" KUEUE
              "kind: Workload\nmetadata: {name: f, namespace: m}\nspec: {queueName: a, " POD_SETS
              "}\nstatus: {conditions: [{type: Finished, status: 'True', reason: R, "
              "lastTransitionTime: '2026-01-01T00:00:00Z'}]}\n");
    ck_assert_uint_eq(api_set_count(s), 7);
    ck_assert_uint_eq(api_set_errors(s), 0);
    ck_assert_int_eq(references_check(s, &e), 0);
    ck_assert_uint_eq(api_set_errors(s), COUNT(want));
    for (uint32_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(api_set_error(s, i), want[i]);
    ck_assert_uint_eq(api_set_count(s), 7);
    api_set_free(s);
}
END_TEST

START_TEST(strict)
{
    const char *text = KUEUE "kind: Cohort\nmetadata: {name: c, foo: 1}\nspec: {bar: 2}\nbaz: 3\n";
    struct api_set *s = set_of(text);
    ck_assert_uint_eq(api_set_errors(s), 0);
    ck_assert_uint_eq(api_set_warnings(s), 3);
    api_set_free(s);
    s = set_of_flags(API_STRICT, "t.yaml", text);
    ck_assert_uint_eq(api_set_errors(s), 3);
    ck_assert_uint_eq(api_set_count(s), 0);
    ck_assert_str_eq(api_set_error(s, 0), "t.yaml:3: Cohort c: metadata.foo: unknown field");
    api_set_free(s);
}
END_TEST

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void remove_file(const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    unlink(path);
}

START_TEST(files)
{
    static const char *const names[] = {"b.yaml", "a.json", "c.yml", "d.txt", ".e.yaml"};
    char dir[] = "/tmp/api-test-XXXXXX", path[512];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    write_file(dir, "b.yaml", NS("b"));
    write_file(dir, "a.json", JSON_NS("a"));
    write_file(dir, "c.yml", NS("c"));
    write_file(dir, "d.txt", NS("d"));
    write_file(dir, ".e.yaml", NS("e"));
    struct err e = {0};
    struct api_set *s = api_set_new(0);
    ck_assert_msg(api_read_path(s, dir, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(api_set_count(s), 3);
    ck_assert_str_eq(api_set_at(s, 0)->name, "a");
    ck_assert_str_eq(api_set_at(s, 2)->name, "c");
    snprintf(path, sizeof(path), "%s/d.txt", dir);
    ck_assert_int_eq(api_read_path(s, path, &e), 0);
    ck_assert_uint_eq(api_set_count(s), 4);
    ck_assert_str_eq(api_set_at(s, 3)->file, path);
    snprintf(path, sizeof(path), "%s/none", dir);
    ck_assert_int_eq(api_read_path(s, path, &e), ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "/none: No such file or directory"));
    write_file(dir, ".e.yaml", "# nothing\n---\n");
    snprintf(path, sizeof(path), "%s/.e.yaml", dir);
    ck_assert_int_eq(api_read_path(s, path, &e), ERR_NOTFOUND);
    ck_assert_ptr_nonnull(strstr(e.text, "/.e.yaml: there are no objects in it"));
    api_set_free(s);
    for (size_t i = 0; i < COUNT(names); i++)
        remove_file(dir, names[i]);
    rmdir(dir);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

#define WORKLOAD                                                                                             \
    "{\"apiVersion\":\"kueue.x-k8s.io/"                                                                      \
    "v1beta2\",\"kind\":\"Workload\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"podSets\":["                  \
    "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}}]}}"

START_TEST(out_of_memory)
{
    const char *text =
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: w, foo: 1}\nspec: {podSets: "
        "[{count: 1, template: {spec: {containers: [{name: c, resources: {requests: {cpu: "
        "1}}}]}}}]}\n---\n" NS("A") "\n---\n{apiVersion: batch/v1, kind: CronJob}\n---\n" JSON_NS(
            "b") "\n---\n{\"items\":[" JSON_NS("c") ",\n" WORKLOAD "],\"kind\":\"List\"}\n";
    int64_t live = mem_live();
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct err e = {0};
        mem_fail_after(n);
        struct api_set *s = api_set_new(API_COMPACT);
        int rc = s ? api_read_buffer(s, "t.yaml", text, strlen(text), &e) : ERR_NOMEM;
        mem_fail_after(0);
        ck_assert_msg(rc == 0 || rc == ERR_NOMEM, "%d %s", rc, e.text);
        if (rc == 0) {
            done = true;
            ck_assert_uint_eq(api_set_count(s), 4);
            ck_assert_uint_eq(api_set_errors(s), 1);
            ck_assert_uint_eq(api_set_warnings(s), 1);
        }
        api_set_free(s);
        ck_assert_int_eq(mem_live(), live);
        ck_assert_uint_lt(n, 1000);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, reading, 0, (int)COUNT(streams));
    tcase_add_test(tc, warnings);
    tcase_add_test(tc, passed_over);
    tcase_add_test(tc, many_errors);
    tcase_add_test(tc, streaming);
    tcase_add_test(tc, compact);
    tcase_add_test(tc, references);
    tcase_add_test(tc, strict);
    tcase_add_test(tc, files);
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("api/set", add);
}
