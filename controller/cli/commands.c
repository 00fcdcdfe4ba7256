#include "cli/commands.h"

#include <stdint.h>
#include <string.h>

static const struct cli_option simulate_options[] = {
    {"filename", 'f', "PATH", NULL,
     "a file, a directory (its *.yaml, *.yml and *.json), or - for standard input; may be repeated"},
    {"config", 0, "FILE", NULL, "Kueue's Configuration, in place of one among the files"},
    {"output", 'o', "FORMAT", "table|wide|json|yaml|trace",
     "table (default); wide: with shares, cohorts and places in the queue; json, yaml: the same for "
     "programs, "
     "with a schema that has a version; trace: every event, cycle and decision, as JSON"},
    {"cycles", 0, "N", NULL, "stop after N scheduling cycles"},
    {"until", 0, "DURATION", NULL, "stop after so much virtual time (90m, 36h)"},
    {"now", 0, "TIME", NULL,
     "when it begins, such as 2026-03-02T09:00:00Z; default: the newest time in the input"},
    {"startup", 0, "DURATION", NULL, "how long pods take from admission to ready; default: 0"},
    {"ledger", 0, "FILE", NULL, "write what happens to a new ledger, for `sluice history`"},
    {"quiet", 'q', NULL, NULL, "print nothing but errors: the exit status is the answer"},
    {"strict", 0, NULL, NULL, "fields that nobody knows are errors, not warnings"},
    {"no-color", 0, NULL, NULL, "no colours on a terminal either"},
    {0},
};

static const char simulate_about[] =
    "The objects in the files are the world: ResourceFlavors, Cohorts, ClusterQueues, LocalQueues, "
    "Workloads, "
    "Jobs and what they refer to. Workloads that hold quota run; the others compete for it, and Sluice "
    "decides "
    "until nothing moves any more. Nothing is sent anywhere, and the clock is not looked at: the same input "
    "gives the same output.\n"
    "\n"
    "For each Workload it says where it was admitted, whom it evicts and by which rule, or why it waits; for "
    "each queue what it uses, what it borrows and from whom, and what it lends.\n"
    "\n"
    "Annotations of Workloads make it a story in virtual time:\n"
    "  sim/arrive-at     a time; default: its creationTimestamp\n"
    "  sim/run-seconds   it finishes so long after each admission; default: it runs for ever\n"
    "  sim/stop-seconds  how long it keeps its quota once evicted; default: 0\n"
    "Without any of them, everything is there at once when it begins. Pods are ready when they are admitted "
    "(or "
    "after --startup), and admission checks are taken as Ready, with a warning: what would answer them is "
    "not in the files.";

static const struct cli_option uninstall_options[] = {
    {"kubeconfig", 0, "FILE", NULL, "how to reach the API server; default: as kubectl does"},
    {"context", 0, "NAME", NULL, "a context of the kubeconfig; default: its current one"},
    {"namespace", 'n', "NS", NULL, "where the Lease lies; default: kueue-system"},
    {"force", 0, NULL, NULL, "although somebody holds the Lease: a controller that is gone for good"},
    {"dry-run", 0, NULL, NULL, "only print what would be done"},
    {0},
};

static const char uninstall_about[] =
    "Takes away what would hold up others once the controller is gone: first the admission policies, so that "
    "jobs are created as if Sluice had never been there, then the finalizers of Workloads, queues, flavors "
    "and "
    "checks, so that they can be deleted. Jobs that run go on running, and jobs that wait stay suspended: "
    "whoever "
    "wants them to run sets spec.suspend to false.\n"
    "\n"
    "CRDs and objects stay, for another controller or to be deleted with kubectl. The controller must be "
    "stopped "
    "first.";

static const struct cli_option controller_options[] = {
    {"config", 0, "FILE", NULL, "Kueue's Configuration; default: its defaults"},
    {"kubeconfig", 0, "FILE", NULL,
     "how to reach the API server; default: $KUBECONFIG, what a pod is given, ~/.kube/config"},
    {"context", 0, "NAME", NULL, "a context of the kubeconfig; default: its current one"},
    {"namespace", 'n', "NS", NULL, "where the Lease lies; default: the pod's, else the Configuration's"},
    {0},
};

static const char controller_about[] =
    "Watches the API server, decides who gets quota, and writes what was decided: Workloads are admitted, "
    "preempted and released, their jobs started and stopped, the statuses of queues kept. It leads while it "
    "holds Kueue's own Lease, so that it and Kueue never act at the same time; without the Lease it stands "
    "by.\n"
    "\n"
    "SIGINT or SIGTERM end it: what is being written ends, the Lease is given back. When it starts again it "
    "goes on from the objects as they are. Running jobs do not notice.";

static const struct cli_option convert_options[] = {
    {"filename", 'f', "PATH", NULL,
     "a file, a directory (its *.yaml, *.yml and *.json), or - for standard input; may be repeated"},
    {"output", 'o', "FORMAT", "yaml|json",
     "yaml (default), or json: one value, a List when there are several"},
    {0},
};

static const char convert_about[] = "Prints all documents of the files, in their order, with objects of "
                                    "kueue.x-k8s.io/v1beta1 and a Configuration of "
                                    "config.kueue.x-k8s.io/v1beta1 as v1beta2. Everything else passes "
                                    "through unchanged: other kinds, fields that "
                                    "nobody knows, the order of keys. Comments are lost. Fields that v1beta2 "
                                    "does not have any more are left out, with "
                                    "a warning for each that said something.\n"
                                    "\n"
                                    "When anything cannot be read or converted, nothing is printed but the "
                                    "errors: a file made from the output "
                                    "never lacks a part of its source.";

static const struct cli_option replay_options[] = {
    {"queues", 'q', "PATH", NULL,
     "a file or directory with the queues of one policy; repeat it to see several policies side by side"},
    {"config", 0, "FILE", NULL, "Kueue's Configuration, for all policies"},
    {"mapping", 'm', "FILE", NULL,
     "which tenant stands for which LocalQueue, and more (see above); with --init it is written"},
    {"from", 0, "TIME", NULL, "begin of what is measured: 49d, 12h since day 0 of the trace, or a date"},
    {"to", 0, "TIME", NULL, "end of what is measured"},
    {"warmup", 0, "LENGTH", NULL,
     "begin so long before --from, to have queues and quota as they would be; default: with the trace"},
    {"checkpoint-every", 0, "LENGTH", NULL,
     "an evicted job goes on from its last checkpoint, not from its start"},
    {"startup", 0, "LENGTH", NULL,
     "how long pods take to be ready before a job runs, see waitForPodsReady; default: 0"},
    {"stop", 0, "LENGTH", NULL, "how long an evicted job keeps its quota; default: 0"},
    {"skip-impossible", 0, NULL, NULL,
     "leave out jobs larger than their queue can ever get: with StrictFIFO they block it for ever"},
    {"output", 'o', "FORMAT", "table|json|csv", "table (default), json, csv"},
    {"events", 0, "FILE", NULL, "write everything that happens to a file, as JSON lines"},
    {"ledger", 0, "FILE", NULL, "write what happens to a new ledger, for `sluice history`; with one policy"},
    {"report", 0, "FILE", NULL,
     "write a page of HTML that needs nothing else: who borrows from whom, what was idle while jobs waited, "
     "waits"},
    {"init", 0, NULL, NULL, "print queues made from the trace: one for each tenant"},
    {"policy", 0, "POLICY", "fixed|borrowing|backfill|reclaim",
     "with --init: fixed (default), StrictFIFO and nobody borrows; borrowing, StrictFIFO in one cohort; "
     "backfill, "
     "the same with BestEffortFIFO; reclaim, and lenders take back by preemption"},
    {"capacity", 0, "GPUS", NULL,
     "with --init: share out so many by mean demand; default: the mean demand itself"},
    {"quota", 0, "TENANT=GPUS", NULL, "with --init: the quota of one tenant; may be repeated"},
    {"no-color", 0, NULL, NULL, "no colours on a terminal either"},
    {0},
};

static const char replay_about[] =
    "Runs a trace of jobs against queues in virtual time, with the decisions that the controller would make, "
    "and says "
    "how long jobs waited, what was used, lent and lost. A trace is CSV with the columns job_id, submit_s, "
    "duration_s, gpus, tenant (and if there gpu_type, priority, pods, cpus, user), in order of submit_s; or "
    "the "
    "output of `sacct --allocations --parsable2 "
    "--format=JobID,Account,User,Submit,ElapsedRaw,AllocTRES,NNodes`; or "
    "that of `kubectl get workloads -A -o json`. Same input, same result.\n"
    "\n"
    "The mapping is YAML; these are its defaults:\n"
    "  resource: nvidia.com/gpu   # what GPUs are called in the quotas\n"
    "  unitsPerGpu: 1             # 1000 where quotas count thousandths\n"
    "  namespace: default         # of LocalQueues without one\n"
    "  tenants: {}                # tenant: namespace/localqueue; not listed: its own name\n"
    "  gpuTypeLabel: \"\"           # node label by which jobs that name a type choose flavors\n"
    "  gpuTypes: {}               # type in the trace: value of that label; not listed: the type\n"
    "\n"
    "Waits count from submission to the first start; jobs that never started are counted by themselves. An "
    "evicted "
    "job starts over. The reclaim delay is how long a job waited that its queue had quota of its own for. "
    "Waits, "
    "utilisation and loans are measured between --from and --to; time goes on until the jobs submitted then "
    "have ended.";

static const struct cli_option explain_options[] = {
    {"filename", 'f', "PATH", NULL,
     "a file, a directory (its *.yaml, *.yml and *.json), or - for standard input; may be repeated"},
    {"config", 0, "FILE", NULL, "Kueue's Configuration, in place of one among the files"},
    {"output", 'o', "FORMAT", "text|json",
     "text (default); json: the same for programs, with a schema that has a version"},
    {0},
};

static const char explain_about[] =
    "Why a Workload of the files waits: the flavors that were tried and why each fails, the numbers at each "
    "level of the "
    "tree, who holds the quota and who borrows it from whom, and what is ahead in the queue. For one that "
    "was admitted: why "
    "there, whom it evicted by which rule, and whose quota it runs on.\n"
    "\n"
    "Then, what would unblock it: fewer pods or smaller requests, a toleration or selector, another queue, "
    "the end of others, "
    "a higher priority class, quotas, limits and weights, policies; with whom that would cost their quota. "
    "Nothing of that is "
    "guessed: each option is applied to the objects and run by the same engine as in a cluster, and only "
    "what was seen to "
    "start the Workload is shown. Numbers are the nearest ones that do. The number of runs is limited: 2000, "
    "fewer when there are more than 250 Workloads, 60 at least. When they are used up, the answer says so; "
    "then there may be more, and the last numbers may not be the nearest.\n"
    "\n"
    "The files are read as by `sluice simulate`.";

static const struct cli_option diff_options[] = {
    {"before", 0, "PATH", NULL, "the policy as it is: a file or a directory; may be repeated"},
    {"after", 0, "PATH", NULL, "the policy as it would be; may be repeated"},
    {"state", 0, "PATH", NULL,
     "Workloads and jobs, and what the policy leaves out, such as flavors and namespaces; - for standard "
     "input; may be repeated"},
    {"trace", 0, "TRACE", NULL, "a trace of jobs to run against both (see `sluice help replay`)"},
    {"from", 0, "TIME", NULL, "with --trace: begin of what is measured, 49d, 12h since its day 0, or a date"},
    {"to", 0, "TIME", NULL, "with --trace: end of what is measured"},
    {"mapping", 'm', "FILE", NULL, "with --trace: which tenant stands for which LocalQueue, and more"},
    {"skip-impossible", 0, NULL, NULL,
     "with --trace: leave out jobs larger than their queue can ever get: with StrictFIFO they block it for "
     "ever"},
    {"config", 0, "FILE", NULL, "Kueue's Configuration, for both"},
    {"output", 'o', "FORMAT", "text|json", "text (default), json"},
    {"no-color", 0, NULL, NULL, "no colours on a terminal either"},
    {0},
};

static const char diff_about[] =
    "Compares two policies: ResourceFlavors, Cohorts, ClusterQueues, LocalQueues and all that belongs to "
    "them. It says which fields differ, defaults counted as if they were written, and what each "
    "ClusterQueue may borrow and lend in consequence.\n"
    "\n"
    "With --state both worlds are run to rest from the same Workloads, with the decisions that the "
    "controller would make: which running ones are evicted, which waiting ones start, and what is "
    "borrowed and lent. An object that either policy has is not taken from the state; namespaces that are "
    "nowhere are taken as there, without labels. With --trace both run a trace of jobs: waits and GPU-hours "
    "of each queue.\n"
    "\n"
    "Faults are named with their objects: cohorts in a cycle, references to what is not there, quota that "
    "nobody can use, queues that can never get a resource, evictions without end. Errors that the policy "
    "before does not have make the exit status 1.";

static const struct cli_option policies_options[] = {
    {"config", 0, "FILE", NULL, "Kueue's Configuration; default: its defaults"},
    {"without-mutating", 0, NULL, NULL,
     "only ValidatingAdmissionPolicies, for a cluster before Kubernetes 1.36"},
    {0},
};

static const char policies_about[] =
    "Prints the admission policies on jobs as YAML, for kubectl apply. What Kueue does in webhooks, the API "
    "server then does itself: jobs in a queue are created suspended, jobs without a queue get the LocalQueue "
    "and the WorkloadPriorityClass that are called default, and labels and annotations that mean nothing are "
    "refused. What is there depends on the Configuration: integrations, managedJobsNamespaceSelector, "
    "manageJobsWithoutQueueName, feature gates. The controller compares these policies with those of the "
    "cluster when it starts.\n"
    "\n"
    "With --without-mutating nothing suspends a job at its creation: who creates one in a queue that is not "
    "suspended is warned, the controller stops it a moment later, and there are no defaults.";

static const struct cli_option history_options[] = {
    {"ledger", 0, "FILE", NULL,
     "the ledger: that of a controller, or one that a simulation or replay has written"},
    {"from", 0, "TIME", NULL, "from then on: 2026-03, 2026-03-02, 2026-03-02T09:00:00Z"},
    {"to", 0, "TIME", NULL, "until then"},
    {"queue", 0, "NAME", NULL, "only this ClusterQueue; of loans and preemptions: on either side"},
    {"cohort", 0, "NAME", NULL, "only ClusterQueues below this cohort, as the cohorts are now"},
    {"flavor", 0, "NAME", NULL, "only this flavor"},
    {"resource", 0, "NAME", NULL, "only this resource"},
    {"by", 0, "PERIOD", "day|week|month", "a line for each day, week (from Monday) or month of UTC"},
    {"output", 'o', "FORMAT", "table|json|csv", "table (default), on a terminal with bars; json, csv"},
    {"no-color", 0, NULL, NULL, "no colours on a terminal either"},
    {0},
};

static const char history_about[] =
    "Answers from a ledger, which may be in use: reading it holds nobody up.\n"
    "  loans        who ran how many hours on whose quota; a matrix of who owes whom\n"
    "  usage        quota in use, in hours\n"
    "  admissions   how many Workloads were admitted, evicted, finished\n"
    "  preemptions  evictions by rule: the work they threw away, and how long the quota took to come free\n"
    "  waits        how long admitted Workloads had waited\n"
    "  sql          your own SELECT; lib/ledger/README.md describes the tables and views\n"
    "\n"
    "Hours are those of a unit: a GPU for an hour, a core for an hour, a GiB for an hour. What has not ended "
    "counts "
    "until the ledger was written last. Gaps, and ends that nobody saw, are told on standard error.";

static const struct cli_option no_options[] = {{0}};

const struct cli_command cli_commands[] = {
    {
        .name = "simulate",
        .synopsis = "-f PATH... [--config FILE] [--cycles N | --until DURATION] [--now TIME] [--startup "
                    "DURATION] [--ledger FILE] [-o table|wide|json|yaml|trace] [-q] [--strict] [--no-color]",
        .summary = "who would get quota, whom that evicts, and why the others wait",
        .about = simulate_about,
        .arguments = "PATH",
        .options = simulate_options,
        .exits = {{"0", "every Workload was admitted, or has finished"},
                  {"1", "a file or an object cannot be read (the others still count)"},
                  {"2", "wrong usage"},
                  {"3", "some Workload waits"}},
        .examples = {{"kubectl get -A -o yaml resourceflavors,cohorts,clusterqueues,localqueues,workloads,"
                      "namespaces | sluice simulate -f -",
                      "what the queues of a cluster would do next"},
                     {"sluice simulate -f queues/ -f new-job.yaml", "would this job start, and if not, why"},
                     {"sluice simulate -q -f queues/ || echo 'somebody waits'",
                      "a check in a pipeline: only the exit status"}},
        .run = cli_simulate,
    },
    {
        .name = "controller",
        .synopsis = "[--config FILE] [--kubeconfig FILE] [--namespace NS]",
        .summary = "run in a cluster: admit, preempt, start and stop jobs",
        .about = controller_about,
        .options = controller_options,
        .exits = {{"0", "ended by a signal"},
                  {"1", "it cannot start, or the Lease was lost: to be started again"},
                  {"2", "wrong usage"}},
        .examples = {{"sluice controller", "in a pod"},
                     {"sluice controller --kubeconfig ~/.kube/config", "on a laptop, against a cluster"},
                     {"sluice controller --config configuration.yaml", "with Kueue's Configuration"}},
        .run = cli_controller,
    },
    {
        .name = "uninstall",
        .synopsis = "[--kubeconfig FILE] [--dry-run]",
        .summary = "take away policies and finalizers, and touch no job",
        .about = uninstall_about,
        .options = uninstall_options,
        .exits = {{"0", "done"},
                  {"1", "something was refused, or a controller is at work; what was done is printed"},
                  {"2", "wrong usage"}},
        .examples = {{"sluice uninstall --dry-run", "what would be done"},
                     {"kubectl delete -n kueue-system statefulset sluice && sluice uninstall", "all of it"},
                     {"sluice uninstall && kubectl delete -f crds/", "and its kinds, with all objects"}},
        .run = cli_uninstall,
    },
    {
        .name = "convert",
        .synopsis = "-f PATH... [-o yaml|json]",
        .summary = "manifests of v1beta1 as v1beta2",
        .about = convert_about,
        .arguments = "PATH",
        .options = convert_options,
        .exits = {{"0", "printed"},
                  {"1", "something cannot be read or converted, and nothing was printed"},
                  {"2", "wrong usage"}},
        .examples = {{"sluice convert -f queues.yaml > queues-v1beta2.yaml", "a file"},
                     {"kubectl get clusterqueues.v1beta1.kueue.x-k8s.io -o yaml | sluice convert -f -",
                      "what a cluster serves in the older version"},
                     {"sluice convert -f manifests/ | kubectl diff -f -", "a directory: what would change"}},
        .run = cli_convert,
    },
    {
        .name = "replay",
        .synopsis = "TRACE --queues PATH... [--mapping FILE] [--config FILE] [--from TIME] [--to TIME] "
                    "[--warmup LENGTH] "
                    "[-o table|json|csv] [--report FILE] [--events FILE] [--ledger FILE] | TRACE --init "
                    "[--policy POLICY] "
                    "[--capacity GPUS]",
        .summary = "what queues would have done to a trace of jobs",
        .about = replay_about,
        .arguments = "PATH",
        .options = replay_options,
        .exits = {{"0", "printed"},
                  {"1", "the trace, the queues or the mapping cannot be used"},
                  {"2", "wrong usage"}},
        .examples =
            {{"sluice replay jobs.csv --init --capacity 2490 --policy reclaim > reclaim.yaml",
              "queues to begin with"},
             {"sluice replay jobs.csv -q fixed.yaml -q borrowing.yaml -q reclaim.yaml --from 49d --to 91d",
              "three policies over six weeks, side by side"},
             {"sluice replay jobs.csv -q queues/ -o json | jq '.runs[].all'", "for a program"}},
        .run = cli_replay,
    },
    {
        .name = "history",
        .synopsis =
            "loans|usage|admissions|preemptions|waits --ledger FILE [--from TIME] [--to TIME] [--queue NAME] "
            "[--cohort NAME] [--flavor NAME] [--resource NAME] [--by day|week|month] [-o table|json|csv] | "
            "sql "
            "'SELECT ...' --ledger FILE [-o table|json|csv]",
        .summary = "who used and borrowed what, and whose quota it was",
        .about = history_about,
        .arguments = "loans|usage|admissions|preemptions|waits|sql",
        .more = true,
        .options = history_options,
        .exits = {{"0", "printed"},
                  {"1", "the file is no ledger, or the SQL is wrong"},
                  {"2", "wrong usage"}},
        .examples =
            {{"sluice history loans --ledger ledger.db --from 2026-10 --to 2026-11",
              "who owes whom, in October"},
             {"sluice history usage --ledger ledger.db --queue team-b --by week -o csv", "for a spreadsheet"},
             {"sluice history sql 'SELECT * FROM loans ORDER BY hours DESC LIMIT 10' --ledger ledger.db",
              "the ten largest loans"}},
        .run = cli_history,
    },
    {
        .name = "explain",
        .synopsis = "NAMESPACE/NAME -f PATH... [--config FILE] [-o text|json]",
        .summary = "why a Workload waits, and what would let it start",
        .about = explain_about,
        .arguments = "PATH",
        .options = explain_options,
        .exits = {{"0", "it was admitted, or has finished"},
                  {"1", "a file or an object cannot be read, or the Workload is not there"},
                  {"2", "wrong usage"},
                  {"3", "it waits"}},
        .examples = {{"sluice explain team-a/train -f queues/ -f jobs/", "why it waits and what would help"},
                     {"kubectl get -A -o yaml resourceflavors,cohorts,clusterqueues,localqueues,workloads,"
                      "workloadpriorityclasses,namespaces | sluice explain team-a/train -f -",
                      "the same for a cluster as it is now"},
                     {"sluice explain team-a/train -f world.yaml -o json | jq '.options[0].changes'",
                      "the cheapest option, for a program"}},
        .run = cli_explain,
    },
    {
        .name = "diff",
        .synopsis = "--before PATH --after PATH [--state PATH] [--trace TRACE [--from TIME] [--to TIME] "
                    "[--mapping FILE] [--skip-impossible]] "
                    "[--config FILE] [-o text|json] [--no-color]",
        .summary = "what a change of queues would do, before it is applied",
        .about = diff_about,
        .options = diff_options,
        .exits = {{"0", "no effect"},
                  {"1", "something cannot be read, or the policy after has an error that the one before has "
                        "not"},
                  {"2", "wrong usage"},
                  {"4", "the change has effects"}},
        .examples = {{"sluice diff --before main/ --after branch/", "fields, and what queues may borrow"},
                     {"kubectl get -A -o yaml workloads,namespaces | sluice diff --before main/ --after "
                      "branch/ --state -",
                      "and whom it evicts"},
                     {"sluice diff --before main/ --after branch/ --trace jobs.csv -o json",
                      "and what it would have done to last month's jobs"}},
        .run = cli_diff,
    },
    {
        .name = "policies",
        .synopsis = "[--config FILE] [--without-mutating]",
        .summary = "the admission policies on jobs, for a Configuration",
        .about = policies_about,
        .options = policies_options,
        .exits = {{"0", "printed"}, {"1", "the Configuration cannot be read"}, {"2", "wrong usage"}},
        .examples = {{"sluice policies | kubectl apply --server-side -f -", "install them"},
                     {"sluice policies --config config.yaml > policies.yaml", "for your Configuration"},
                     {"sluice policies --config config.yaml | kubectl diff --server-side -f -",
                      "what a cluster has that differs"}},
        .run = cli_policies,
    },
    {
        .name = "help",
        .synopsis = "[COMMAND]",
        .summary = "explain a command, or list them all",
        .about = "The same as `sluice COMMAND --help`.",
        .arguments = "COMMAND",
        .options = no_options,
        .exits = {{"0", "printed"}, {"2", "there is no such command"}},
        .examples = {{"sluice help", "all commands"},
                     {"sluice help simulate", "its options, exit statuses and examples"},
                     {"sluice help simulate | less", "a page at a time"}},
        .run = cli_help,
    },
    {
        .name = "man",
        .synopsis = "",
        .summary = "the manual page, for man(1)",
        .about = "Prints the page of all commands as troff.",
        .options = no_options,
        .exits = {{"0", "printed"}, {"2", "wrong usage"}},
        .examples = {{"sluice man | man -l -", "read it"},
                     {"sluice man > /usr/local/share/man/man1/sluice.1", "install it"},
                     {"sluice man | groff -man -Tpdf > sluice.pdf", "print it"}},
        .run = cli_man,
    },
    {
        .name = "completion",
        .synopsis = "bash|zsh",
        .summary = "a script that teaches a shell the commands and options",
        .about = "Prints the script; what it completes is what this program understands.",
        .arguments = "bash|zsh",
        .options = no_options,
        .exits = {{"0", "printed"}, {"2", "wrong usage"}},
        .examples = {{"source <(sluice completion bash)", "for this shell"},
                     {"sluice completion bash > /etc/bash_completion.d/sluice", "for every bash"},
                     {"sluice completion zsh > ~/.zfunc/_sluice", "for zsh, when ~/.zfunc is in its fpath"}},
        .run = cli_completion,
    },
    {0},
};

int cli_worse(int a, int b)
{
    static const int order[] = {
        [CLI_OK] = 0, [CLI_WAITING] = 1, [CLI_EFFECTS] = 2, [CLI_BAD_INPUT] = 3, [CLI_BAD_USAGE] = 4};

    return order[a] > order[b] ? a : b;
}

const struct cli_command *cli_find(const char *name)
{
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

int cli_words(const char *words, int (*each)(const char *word, int len, void *arg), void *arg)
{
    int rc = 0;

    while (*words && !rc) {
        size_t n = strcspn(words, "|");
        rc = each(words, (int)n, arg);
        words += n;
        words += *words == '|';
    }
    return rc;
}

static int is_word(const char *word, int len, void *arg)
{
    return strlen(arg) == (size_t)len && !memcmp(arg, word, (size_t)len);
}

bool cli_word_known(const char *words, const char *word)
{
    return cli_words(words, is_word, (void *)(uintptr_t)word) != 0;
}
