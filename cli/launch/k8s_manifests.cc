#include "cli/launch/k8s_manifests.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "cli/wire_keys.h"
#include "common/text.h"

namespace capstan {
namespace {

// For a block of YAML (`key: |`).
std::string indented(const std::string& text, std::size_t spaces) {
  std::string out;
  for (const std::string_view line : split_text(text, "\n"))
    out += line.empty() ? "\n" : std::string(spaces, ' ') + std::string(line) + "\n";
  return out;
}

// What all objects of the job have.
std::string metadata(const std::string& name, const std::string& job, const std::string& role) {
  return fmt::format("metadata:\n  name: {}\n  labels: {{app: capstan, job: {}, role: {}}}\n", name, job,
                     role);
}

class Manifests {
 public:
  Manifests(const JobConfig& job, const K8sSettings& settings)
      : job_(job), settings_(settings), name_(k8s_name(job.name)) {}

  std::string all() const {
    std::string text = config_map();
    for (const char* role : {"scheduler", "ps", "worker"}) {
      if (has_keys()) text += "---\n" + secret(role);
    }
    return text + "---\n" + service() + "---\n" + scheduler() + "---\n" + servers() + "---\n" + workers() +
           "---\n" + budget();
  }

 private:
  bool has_keys() const { return !settings_.keys.empty(); }
  std::string labels(const std::string& role) const {
    return fmt::format("{{app: capstan, job: {}, role: {}}}", name_, role);
  }
  std::string config_map() const {
    return "apiVersion: v1\nkind: ConfigMap\n" + metadata(name_ + "-job", name_, "job") +
           "data:\n  job.yaml: |\n" + indented(settings_.yaml, 4);
  }
  std::string secret_name(const std::string& role) const { return name_ + "-" + role + "-keys"; }
  std::string secret(const std::string& role) const {
    std::string text = "apiVersion: v1\nkind: Secret\n" + metadata(secret_name(role), name_, role) +
                       "type: Opaque\nstringData:\n";
    const auto files = key_files_of(role == "scheduler" ? Role::kScheduler
                                    : role == "ps"      ? Role::kServer
                                                        : Role::kWorker);
    for (const auto& [file, bytes] : settings_.keys) {
      if (files.contains(file)) text += fmt::format("  {}: |\n{}", file, indented(bytes, 4));
    }
    return text;
  }
  // Pods have names of their own by it, also before they are ready: they find each other while they start.
  std::string service() const {
    return "apiVersion: v1\nkind: Service\n" + metadata(name_, name_, "service") +
           fmt::format(
               "spec:\n  clusterIP: None\n  publishNotReadyAddresses: true\n  selector: {{app: capstan, "
               "job: {}}}\n  ports:\n    - {{name: scheduler, port: 7000}}\n    - {{name: http, port: "
               "9100}}\n",
               name_);
  }
  std::string member_args() const {
    return fmt::format(
        "--scheduler tcp://{0}-scheduler.{0}:7000 --job {1} --startup-timeout 10m "
        "--max-frame-bytes {2} --http 0.0.0.0:9100{3}{4}",
        name_, job_.name, job_.cluster.max_frame_bytes,
        job_.cluster.threads > 0 ? fmt::format(" --threads {}", job_.cluster.threads) : "", keys());
  }
  // A Job gives its pods names by chance; a StatefulSet's have the Service's. An indexed Job's hostnames are
  // its own (JOB-INDEX), whatever is asked for.
  std::string dns(const std::string& role) const {
    return role == "scheduler" ? fmt::format("hostname: {0}-scheduler\n      subdomain: {0}\n      ", name_)
                               : "";
  }
  std::string keys() const { return has_keys() ? " --keys /keys" : ""; }
  std::string listens() const { return has_keys() ? keys() : " --insecure"; }

  // One container; `volumes` beside job and keys, each with its mount.
  std::string pod(const std::string& role, const std::string& args, const std::string& restart,
                  const std::string& mounts, const std::string& resources) const {
    std::string words;
    for (const std::string_view word : split_text(args, " "))
      words += fmt::format("            - \"{}\"\n", word);
    std::string text = fmt::format(
        R"(  template:
    metadata:
      labels: {labels}
      annotations: {{prometheus.io/scrape: "true", prometheus.io/port: "9100"}}
    spec:
      restartPolicy: {restart}
      {dns}terminationGracePeriodSeconds: 30
      securityContext: {{runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001}}
      containers:
        - name: {role}
          image: {image}
          command: [capstan]
          args:
{words}          ports:
            - {{name: http, containerPort: 9100}}
          readinessProbe: {{httpGet: {{path: /readyz, port: http}}, periodSeconds: 5}}
          livenessProbe: {{httpGet: {{path: /healthz, port: http}}, periodSeconds: 10}}
          workingDir: /state
          env:
            - {{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
{resources}          volumeMounts:
            - {{name: job, mountPath: /job}}
{mounts})",
        fmt::arg("labels", labels(role)), fmt::arg("restart", restart), fmt::arg("dns", dns(role)),
        fmt::arg("role", role), fmt::arg("image", settings_.image), fmt::arg("words", words),
        fmt::arg("resources", resources), fmt::arg("mounts", mounts));
    if (has_keys()) text += "            - {name: keys, mountPath: /keys, readOnly: true}\n";
    text += fmt::format("      volumes:\n        - {{name: job, configMap: {{name: {}-job}}}}\n", name_);
    if (has_keys()) {
      text += fmt::format("        - {{name: keys, secret: {{secretName: {}, defaultMode: 0400}}}}\n",
                          secret_name(role));
    }
    return text;
  }
  std::string job_of(const std::string& role, const std::string& mode, std::uint32_t pods) const {
    return "apiVersion: batch/v1\nkind: Job\n" + metadata(name_ + "-" + role, name_, role) +
           fmt::format(
               "spec:\n  completionMode: {0}\n  completions: {1}\n  parallelism: {1}\n  backoffLimit: {2}\n",
               mode, pods, 10 * pods);
  }
  // With --recover a pod that takes another one's place goes on from its journal; the first one has none.
  std::string scheduler() const {
    return "apiVersion: v1\nkind: PersistentVolumeClaim\n" + metadata(name_ + "-state", name_, "scheduler") +
           "spec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 10Gi}}\n---\n" +
           job_of("scheduler", "NonIndexed", 1) +
           pod("scheduler",
               fmt::format("scheduler /job/job.yaml --bind tcp://0.0.0.0:7000 --http 0.0.0.0:9100{}{}",
                           listens(),
                           settings_.scheduler_args.empty() ? " --recover" : settings_.scheduler_args),
               "OnFailure", "            - {name: state, mountPath: /state}\n", "") +
           fmt::format("        - {{name: state, persistentVolumeClaim: {{claimName: {}-state}}}}\n", name_);
  }
  std::string servers() const {
    const ClusterConfig& cluster = job_.cluster;
    const std::string limit =
        cluster.memory_limit > 0 ? fmt::format(" --memory-limit {}", cluster.memory_limit) : "";
    // Rows keep below the limit that a server knows; buffers and copies on their way come on top.
    const std::string resources = cluster.memory_limit > 0
                                      ? fmt::format("          resources: {{requests: {{memory: \"{}\"}}}}\n",
                                                    cluster.memory_limit / 4 * 5)
                                      : "";
    const std::string listen = fmt::format(" --bind tcp://0.0.0.0:0 --advertise tcp://$(POD_NAME).{}:0{}",
                                           name_, has_keys() ? "" : " --insecure");
    return "apiVersion: apps/v1\nkind: StatefulSet\n" + metadata(name_ + "-ps", name_, "ps") +
           fmt::format(
               "spec:\n  serviceName: {}\n  replicas: {}\n  podManagementPolicy: Parallel\n  selector:\n    "
               "matchLabels: {}\n",
               name_, cluster.servers, labels("ps")) +
           pod("ps", "ps " + member_args() + listen + limit, "Always",
               "            - {name: state, mountPath: /state}\n", resources) +
           "        - {name: state, emptyDir: {}}\n";
  }
  std::string workers() const {
    return job_of("worker", "Indexed", job_.cluster.workers) +
           pod("worker", "worker " + member_args(), "OnFailure",
               "            - {name: state, mountPath: /state}\n", "") +
           "        - {name: state, emptyDir: {}}\n";
  }
  std::string budget() const {
    return "apiVersion: policy/v1\nkind: PodDisruptionBudget\n" + metadata(name_ + "-ps", name_, "ps") +
           fmt::format("spec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {}\n", labels("ps"));
  }

  const JobConfig& job_;
  const K8sSettings& settings_;
  std::string name_;
};

}  // namespace

std::string k8s_name(const std::string& job) {
  std::string name;
  for (const char letter : job) {
    const auto byte = static_cast<unsigned char>(letter);
    name += std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '-';
  }
  while (name.starts_with('-')) name.erase(0, 1);
  name = name.substr(0, 40);
  while (name.ends_with('-')) name.pop_back();
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) name = "job-" + name;
  return name;
}

std::string k8s_manifests(const JobConfig& job, const K8sSettings& settings) {
  return Manifests(job, settings).all();
}

}  // namespace capstan
