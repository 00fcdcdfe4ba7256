"""The Configurations of the groups of tests that share a controller. A group that is not here runs without one: --kubeconfig alone."""

# Several controllers run on one machine: they serve nothing there.
HEAD = """apiVersion: config.kueue.x-k8s.io/v1beta2
kind: Configuration
metrics:
  bindAddress: "0"
health:
  healthProbeBindAddress: "0"
"""

# A Lease that is free soon after its holder was killed; long enough for a machine that does much else.
QUICK_LEASE = """leaderElection:
  leaderElect: true
  leaseDuration: 5s
  renewDeadline: 4s
  retryPeriod: 500ms
"""

CONFIG = {
    "fair": HEAD + """fairSharing:
  preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]
integrations:
  frameworks: [batch/job, jobset.x-k8s.io/jobset]
""",
    "ready": HEAD + """waitForPodsReady:
  timeout: 5s
  recoveryTimeout: 3s
  requeuingStrategy:
    timestamp: Eviction
    backoffBaseSeconds: 1
    backoffMaxSeconds: 4
    backoffLimitCount: 2
objectRetentionPolicies:
  workloads:
    afterFinished: 2s
    afterDeactivatedByKueue: 2s
""",
}

# Every Job of namespaces with a label is held, also without a queue name.
CONFIG["manage"] = HEAD + """manageJobsWithoutQueueName: true
managedJobsNamespaceSelector:
  matchLabels:
    managed: "yes"
admissionFairSharing:
  usageHalfLifeTime: 10m
  usageSamplingInterval: 1s
"""

PREPARE = {"fair": lambda env: env.install_job_set()}
