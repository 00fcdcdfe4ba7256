/* bench-read: how fast and how small the reading of objects is. One JSON line a file, each read in a process of its own, so that the
 * peak memory (VmHWM) is its own. Time is CPU time from the first byte to the last fact.
 *
 *     bench-read [-w N [-p]] FILE...
 *
 * With -w a List of N Workloads is written to FILE first, as `kubectl get -o json` does (-p: indented), in YAML if FILE ends in .yaml.
 */
#include "api/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "bench-read: %s\n", what);
    exit(1);
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double peak_mib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* One Workload, some 2.6 KB, a quarter of it managedFields. '@' is its number, '%' its team, '~' a line of indentation. */
static const char *const lines[] = {
    "{",
    "\"apiVersion\": \"kueue.x-k8s.io/v1beta2\",",
    "\"kind\": \"Workload\",",
    "\"metadata\": {",
    "\"creationTimestamp\": \"2026-01-01T00:00:00Z\",",
    "\"finalizers\": [\"kueue.x-k8s.io/resource-in-use\"],",
    "\"generation\": 1,",
    "\"labels\": {\"kueue.x-k8s.io/job-uid\": \"0a1b2c3d-0000-4000-8000-@\"},",
    "\"managedFields\": [{\"apiVersion\": \"kueue.x-k8s.io/v1beta2\", \"fieldsType\": \"FieldsV1\", "
    "\"fieldsV1\": "
    "{\"f:metadata\": {\"f:finalizers\": {\".\": {}, \"v:\\\"kueue.x-k8s.io/resource-in-use\\\"\": {}}, "
    "\"f:labels\": {\".\": {}, \"f:kueue.x-k8s.io/job-uid\": {}}, \"f:ownerReferences\": {\".\": {}, "
    "\"k:{\\\"uid\\\":\\\"0a1b2c3d-0000-4000-8000-@\\\"}\": {}}}, \"f:spec\": {\".\": {}, \"f:active\": {}, "
    "\"f:podSets\": {\".\": {}, \"k:{\\\"name\\\":\\\"main\\\"}\": {\".\": {}, \"f:count\": {}, \"f:name\": "
    "{}, "
    "\"f:template\": {}}}, \"f:priority\": {}, \"f:queueName\": {}}}, \"manager\": \"kueue\", \"operation\": "
    "\"Update\", \"time\": \"2026-01-01T00:00:00Z\"}],",
    "\"name\": \"job-train-@\",",
    "\"namespace\": \"team-%\",",
    "\"ownerReferences\": [{\"apiVersion\": \"batch/v1\", \"blockOwnerDeletion\": true, \"controller\": "
    "true, "
    "\"kind\": \"Job\", \"name\": \"train-@\", \"uid\": \"0a1b2c3d-0000-4000-8000-@\"}],",
    "\"resourceVersion\": \"@\",",
    "\"uid\": \"0a1b2c3d-1111-4000-8000-@\"",
    "},",
    "\"spec\": {",
    "\"active\": true,",
    "\"podSets\": [",
    "{",
    "\"count\": 4,",
    "\"name\": \"main\",",
    "\"template\": {",
    "\"metadata\": {\"labels\": {\"app\": \"train\", \"team\": \"team-%\"}},",
    "\"spec\": {",
    "\"containers\": [",
    "{",
    "\"args\": [\"--epochs\", \"10\", \"--data\", \"s3://bucket/path/@\"],",
    "\"command\": [\"python\", \"train.py\"],",
    "\"env\": [{\"name\": \"RANK\", \"valueFrom\": {\"fieldRef\": "
    "{\"fieldPath\": \"metadata.name\"}}}, {\"name\": \"NCCL_DEBUG\", \"value\": \"INFO\"}],",
    "\"image\": \"registry.example.com/train:1.2.3\",",
    "\"imagePullPolicy\": \"IfNotPresent\",",
    "\"name\": \"main\",",
    "\"resources\": {\"limits\": {\"nvidia.com/gpu\": \"1\"}, \"requests\": {\"cpu\": \"4\", \"memory\": "
    "\"16Gi\", "
    "\"nvidia.com/gpu\": \"1\"}},",
    "\"terminationMessagePath\": \"/dev/termination-log\",",
    "\"terminationMessagePolicy\": \"File\",",
    "\"volumeMounts\": [{\"mountPath\": \"/data\", \"name\": \"data\"}]",
    "}",
    "],",
    "\"dnsPolicy\": \"ClusterFirst\",",
    "\"nodeSelector\": {\"cloud.example.com/gpu\": \"a100\"},",
    "\"restartPolicy\": \"Never\",",
    "\"schedulerName\": \"default-scheduler\",",
    "\"securityContext\": {},",
    "\"terminationGracePeriodSeconds\": 30,",
    "\"tolerations\": [{\"effect\": \"NoSchedule\", \"key\": \"gpu\", \"operator\": \"Exists\"}],",
    "\"volumes\": [{\"emptyDir\": {}, \"name\": \"data\"}]",
    "}",
    "}",
    "}",
    "],",
    "\"priority\": 0,",
    "\"queueName\": \"lq-%\"",
    "},",
    "\"status\": {",
    "\"conditions\": [",
    "{",
    "\"lastTransitionTime\": \"2026-01-01T00:00:00Z\",",
    "\"message\": \"couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in "
    "flavor "
    "a100, 4 more needed\",",
    "\"observedGeneration\": 1,",
    "\"reason\": \"Pending\",",
    "\"status\": \"False\",",
    "\"type\": \"QuotaReserved\"",
    "}",
    "],",
    "\"resourceRequests\": [{\"name\": \"main\", \"resources\": {\"cpu\": \"16\", \"memory\": \"64Gi\", "
    "\"nvidia.com/gpu\": \"4\"}}]",
    "}",
    "}",
};

static void write_line(FILE *f, const char *line, unsigned i)
{
    for (const char *p = line; *p; p++) {
        if (*p == '@')
            fprintf(f, "%012u", i);
        else if (*p == '%')
            fprintf(f, "%03u", i % 1000);
        else
            fputc(*p, f);
    }
}

static void write_workload(FILE *f, unsigned i, bool pretty)
{
    int depth = 2;
    for (size_t l = 0; l < sizeof(lines) / sizeof(lines[0]); l++) {
        depth -= lines[l][0] == '}' || lines[l][0] == ']';
        if (pretty)
            fprintf(f, "%*s", depth * 4, "");
        write_line(f, lines[l], i);
        if (pretty)
            fputc('\n', f);
        size_t n = strlen(lines[l]);
        depth += lines[l][n - 1] == '{' || lines[l][n - 1] == '[';
    }
}

static void write_list(const char *path, unsigned n, bool pretty)
{
    bool yaml = strlen(path) > 5 && strcmp(path + strlen(path) - 5, ".yaml") == 0;
    FILE *f = fopen(path, "w");
    if (!f)
        die("cannot write");
    fputs(yaml ? "apiVersion: v1\nitems:\n" : "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n", f);
    for (unsigned i = 0; i < n; i++) {
        fputs(yaml ? "- " : "", f); /* JSON is YAML */
        write_workload(f, i, pretty || yaml);
        fputs(yaml || i + 1 == n ? "\n" : ",\n", f);
    }
    fputs(yaml ? "kind: List\n" : "    ],\n    \"kind\": \"List\"\n}\n", f);
    if (fclose(f))
        die("cannot write");
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static void bench(const char *path)
{
    struct err err = {0};
    double start = cpu_s();
    struct api_set *s = api_set_new(API_COMPACT);
    if (!s || api_read_path(s, path, &err))
        die(err.text);
    double seconds = cpu_s() - start;
    printf("{\"file\": \"%s\", \"objects\": %u, \"errors\": %u, \"cpu_s\": %.2f, \"peak_mib\": %.0f}\n", path,
           api_set_count(s), api_set_errors(s), seconds, peak_mib());
    api_set_free(s);
}

int main(int argc, char **argv)
{
    unsigned n = 0;
    bool pretty = false;
    int opt;
    while ((opt = getopt(argc, argv, "w:p")) != -1) {
        if (opt == 'w')
            n = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 'p')
            pretty = true;
        else
            return 2;
    }
    for (int i = optind; i < argc; i++) {
        if (n)
            write_list(argv[i], n, pretty);
        fflush(stdout);
        pid_t child = fork();
        int status = 1;
        if (child == 0) {
            bench(argv[i]);
            return 0;
        }
        if (child < 0 || waitpid(child, &status, 0) < 0 || status)
            return 1;
    }
    return 0;
}
