// A job as Kubernetes objects: `capstan launch JOB.yaml --k8s | kubectl apply -f -`.
#pragma once

#include <map>
#include <string>

#include "common/config/job_config.h"

namespace capstan {

struct K8sSettings {
  std::string yaml;   // the effective job
  std::string image;  // whose entry point is capstan
  // The files of a folder of keys, by name; empty: nodes have none, and trust the cluster's network.
  std::map<std::string, std::string> keys;
  std::string scheduler_args;  // " --resume"
};

// ConfigMap with the job, a Secret for each role with the keys that it needs, a headless Service, a Job for
// the scheduler (with a volume for its journal and the report), a StatefulSet for the servers, an indexed Job
// for the workers, and a PodDisruptionBudget that takes one server at a time. Documents with --- between.
std::string k8s_manifests(const JobConfig& job, const K8sSettings& settings);

// Of a job: lower case, digits and '-', as names of objects must be.
std::string k8s_name(const std::string& job);

}  // namespace capstan
