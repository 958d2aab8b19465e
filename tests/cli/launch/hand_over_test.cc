#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "cli/launch/k8s_manifests.h"
#include "cli/launch/slurm_form.h"
#include "cli/node_identity.h"
#include "tests/cli/run_here.h"

namespace capstan {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

JobConfig films() {
  JobConfig job;
  job.name = "Films_2027";
  job.work_dir = "out/films";
  job.cluster.servers = 3;
  job.cluster.workers = 4;
  job.cluster.threads = 2;
  job.cluster.memory_limit = 1 << 30;
  return job;
}

TEST(K8s, NamesAreThoseOfObjects) {
  EXPECT_EQ(k8s_name("Films_2027"), "films-2027");
  EXPECT_EQ(k8s_name("7.days"), "job-7-days");
  EXPECT_EQ(k8s_name("_x_"), "x");
  EXPECT_LE(k8s_name(std::string(128, 'a')).size(), 40U);
}

TEST(K8s, ManifestsAreTheObjectsOfTheJob) {
  const JobConfig job = films();
  const std::string text = k8s_manifests(job, {"job: Films_2027\n# a comment: with a colon\n",
                                               "capstan:1",
                                               {{"allowed", "server 00 s\n"}, {"server.key", "s"}},
                                               ""});
  std::multiset<std::string> kinds;
  for (const YAML::Node& object : YAML::LoadAll(text)) {
    kinds.insert(object["kind"].as<std::string>());
    EXPECT_TRUE(object["metadata"]["name"].as<std::string>().starts_with("films-2027"));
    const auto kind = object["kind"].as<std::string>();
    if (kind == "ConfigMap") {
      EXPECT_EQ(object["data"]["job.yaml"].as<std::string>(), "job: Films_2027\n# a comment: with a colon\n");
    }
    if (kind != "StatefulSet") continue;
    EXPECT_EQ(object["spec"]["replicas"].as<int>(), 3);
    const YAML::Node container = object["spec"]["template"]["spec"]["containers"][0];
    std::string args;
    for (const YAML::Node& word : container["args"]) args += word.as<std::string>() + " ";
    EXPECT_THAT(args,
                HasSubstr("ps --scheduler tcp://films-2027-scheduler.films-2027:7000 --job Films_2027 "));
    EXPECT_THAT(args, HasSubstr("--keys /keys"));
    EXPECT_THAT(args, HasSubstr("--advertise tcp://$(POD_NAME).films-2027:0"));
    EXPECT_THAT(args, Not(HasSubstr("--insecure")));
  }
  EXPECT_EQ(kinds, (std::multiset<std::string>{"ConfigMap", "Job", "Job", "PersistentVolumeClaim",
                                               "PodDisruptionBudget", "Secret", "Secret", "Secret", "Service",
                                               "StatefulSet"}));
}

// No pod holds a key that would let it act as another role, as on hosts that `launch` reaches by ssh.
TEST(K8s, APodHasTheKeysOfItsRoleAlone) {
  std::map<std::string, std::string> keys;
  for (const char* file :
       {"allowed", "scheduler.key", "server.key", "worker.key", "tool.key", "checkpoint.key"})
    keys[file] = std::string("of ") + file + "\n";
  std::map<std::string, std::set<std::string>> secrets, mounted;
  for (const YAML::Node& object : YAML::LoadAll(k8s_manifests(films(), {"job: x\n", "capstan", keys, ""}))) {
    const auto name = object["metadata"]["name"].as<std::string>();
    if (object["kind"].as<std::string>() == "Secret") {
      for (const auto& file : object["stringData"]) {
        secrets[name].insert(file.first.as<std::string>());
        EXPECT_EQ(file.second.as<std::string>(), "of " + file.first.as<std::string>() + "\n");
      }
    }
    if (!object["spec"] || !object["spec"]["template"]) continue;
    const YAML::Node pod = object["spec"]["template"]["spec"];
    for (const YAML::Node& volume : pod["volumes"]) {
      if (!volume["secret"]) continue;
      const auto& files = secrets.at(volume["secret"]["secretName"].as<std::string>());
      mounted[pod["containers"][0]["name"].as<std::string>()].insert(files.begin(), files.end());
    }
  }
  using Files = std::set<std::string>;
  EXPECT_EQ(mounted["scheduler"], (Files{"allowed", "scheduler.key", "checkpoint.key"}));
  EXPECT_EQ(mounted["ps"], (Files{"allowed", "server.key", "checkpoint.key"}));
  EXPECT_EQ(mounted["worker"], (Files{"allowed", "worker.key"}));
}

// A Job that is not indexed leaves its pod the hostname that the template asks for; an indexed one calls its
// pods JOB-INDEX. With a subdomain the headless Service of that name has the pod's address.
TEST(K8s, TheSchedulersAddressIsAHostnameThatItsPodGets) {
  std::string host, service;
  std::set<std::string> asked;
  for (const YAML::Node& object : YAML::LoadAll(k8s_manifests(films(), {"job: x\n", "capstan", {}, ""}))) {
    const auto name = object["metadata"]["name"].as<std::string>();
    if (object["kind"].as<std::string>() == "Service") service = name;
    if (!object["spec"] || !object["spec"]["template"]) continue;
    const YAML::Node pod = object["spec"]["template"]["spec"];
    if (name == "films-2027-scheduler") {
      const bool indexed = object["spec"]["completionMode"].as<std::string>() == "Indexed";
      host = (indexed ? name + "-0" : pod["hostname"].as<std::string>()) + "." +
             pod["subdomain"].as<std::string>();
    }
    const auto args = pod["containers"][0]["args"].as<std::vector<std::string>>();
    const auto option = std::find(args.begin(), args.end(), "--scheduler");
    if (option != args.end()) asked.insert(option[1]);
  }
  EXPECT_THAT(host, EndsWith("." + service));
  EXPECT_THAT(asked, ElementsAre("tcp://" + host + ":7000"));
}

TEST(K8s, WithoutKeysThereIsNoSecretAndNodesAreTold) {
  const std::string text = k8s_manifests(films(), {"job: x\n", "capstan", {}, ""});
  EXPECT_THAT(text, Not(HasSubstr("kind: Secret")));
  EXPECT_THAT(text, HasSubstr("--insecure"));
}

// The shell that Slurm starts must understand it.
TEST(Slurm, TheFormIsABatchScript) {
  const SlurmSettings settings{"out/films/job.yaml", "/home/ml/it's", "capstan", "my keys", " --resume"};
  const std::string form = slurm_form(films(), settings);
  EXPECT_THAT(form, HasSubstr("#SBATCH --ntasks=8\n"));
  EXPECT_THAT(form, HasSubstr("#SBATCH --cpus-per-task=2\n"));
  EXPECT_THAT(form, HasSubstr("--keys 'my keys' --resume &"));
  EXPECT_THAT(form, HasSubstr("--ntasks=3 capstan ps "));
  const auto file = std::filesystem::temp_directory_path() / "capstan_slurm_form.sh";
  std::ofstream(file) << form;
  EXPECT_EQ(std::system(("bash -n " + file.string()).c_str()), 0);
  std::filesystem::remove(file);
}

// No job is read, and nothing submitted or printed.
TEST(HandOver, WhatOthersDoThemselvesIsRefusedInWords) {
  const auto refused = [](const std::vector<std::string>& options, const std::string& words) {
    std::vector<std::string> all = {"launch", "no_such_job.yaml"};
    all.insert(all.end(), options.begin(), options.end());
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, kExitUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(words));
  };
  refused({"--slurm", "--stop"}, "scancel");
  refused({"--k8s", "--stop"}, "kubectl delete -f");
  refused({"--slurm", "--hosts", "hosts.txt"}, "Slurm chooses its hosts");
  refused({"--k8s", "--hosts", "hosts.txt"}, "Kubernetes chooses the hosts");
}

class Identity : public ::testing::Test {
 protected:
  ~Identity() override {
    for (const char* name : {"SLURM_PROCID", "KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"})
      unsetenv(name);
  }
};

TEST_F(Identity, ComesFromWhoStartsTheNode) {
  EXPECT_EQ(name_from_environment("ps"), "");
  setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
  setenv("HOSTNAME", "films-ps-12", 1);
  EXPECT_EQ(name_from_environment("ps"), "ps-12");
  setenv("HOSTNAME", "films-scheduler-x7k2p", 1);
  EXPECT_EQ(name_from_environment("ps"), "") << "no ordinal";
  setenv("JOB_COMPLETION_INDEX", "3", 1);
  EXPECT_EQ(name_from_environment("worker"), "worker-3");
  setenv("SLURM_PROCID", "5", 1);
  EXPECT_EQ(name_from_environment("worker"), "worker-5");
}

}  // namespace
}  // namespace capstan
