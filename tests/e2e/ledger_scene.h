// LedgerScene: a whole cluster of real processes with a ledger's job to do, and the rows that must come of
// it.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "sim/ledger.h"
#include "tests/e2e/ledger_worker.h"
#include "tests/e2e/scene.h"

namespace capstan {

class LedgerScene : public Scene {
 protected:
  explicit LedgerScene(std::uint64_t seed = kShortSeed) : ledger_(ledger_shape(seed)) {}

  void write_job(const std::string& train, std::uint32_t servers = 2, std::uint32_t replicas = 1) {
    servers_ = servers;
    const LedgerShape& shape = ledger_.shape();
    write("job.yaml", fmt::format(R"(job: {}
seed: {}
task: ctr
data: {{format: libsvm, train: [unused]}}
model: {{type: lr}}
train: {{passes: {}, partitions: {}, {}}}
checkpoint: {{path: {}, every_steps: {}, keep: 2}}
cluster: {{servers: {}, workers: 2, replicas: {}, num_shards: {}, lease: {}, balance_load: {}, insecure: {}}}
work_dir: {}
report: {}
)",
                                  job(), shape.seed, shape.passes, shape.partitions, train,
                                  path("checkpoints"), every_steps_, servers, replicas, shape.num_shards,
                                  lease_, balance_load_, has_hosts(), path("work"), path("report.json")));
  }

  void start_cluster(bool resume) {
    std::filesystem::remove(path("endpoint"));
    std::vector<std::string> args = {"scheduler",      path("job.yaml"), "--endpoint-file",
                                     path("endpoint"), "--bind",         any_port_of("scheduler")};
    if (resume) args.emplace_back("--resume");
    scheduler_ = start_node("scheduler", args);
    endpoint_ = endpoint_in("endpoint", *scheduler_);
    ASSERT_NE(endpoint_, "") << scheduler_->err();
    for (std::uint32_t n = 0; n < servers_; ++n) start_server(fmt::format("ps-{}", n), first_servers_);
    start_worker("worker-0");
    start_worker("worker-1");
  }

  void start_server(const std::string& name, const std::string& program = capstan_binary()) {
    std::vector<std::string> args = {
        "ps",        "--scheduler", endpoint_, "--job",          job(), "--name", name,
        "--threads", "1",           "--bind",  any_port_of(name)};
    if (has_hosts()) args.emplace_back("--insecure");
    others_.push_back(start_node(name, args, program));
  }

  void start_worker(const std::string& name) {
    const std::string folder = path(fmt::format("life-{}-{}", lives_.size(), name));
    std::filesystem::create_directories(folder);
    lives_.push_back(folder);
    others_.push_back(start_node(name,
                                 {kLedgerWorkerFlag, folder, "--scheduler", endpoint_, "--name", name, job()},
                                 std::filesystem::read_symlink("/proc/self/exe").string()));
  }

  // For scenes that have several hosts: where node `name` listens, and what to put before a command's words
  // to run it there.
  virtual std::string address_of(const std::string&) const { return "127.0.0.1"; }
  virtual bool has_hosts() const { return false; }
  virtual std::vector<std::string> words_before(const std::string&) const { return {}; }
  std::string any_port_of(const std::string& name) const { return "tcp://" + address_of(name) + ":0"; }

  std::unique_ptr<Process> start_node(const std::string& name, const std::vector<std::string>& args,
                                      const std::string& program = capstan_binary()) {
    std::vector<std::string> words = words_before(name);
    words.push_back(program);
    words.insert(words.end(), args.begin(), args.end());
    return start({words.begin() + 1, words.end()}, words[0]);
  }

  void kill_node(const std::string& name, int signal = SIGKILL) {
    const auto pid = find(name);
    ASSERT_TRUE(pid.has_value()) << name;
    kill(*pid, signal);
  }

  // "status --json" of the running scheduler; empty when it gives none.
  boost::json::object status() {
    const Outcome shown = run(with_target({"status", "--json"}));
    boost::system::error_code failed;
    const auto parsed = boost::json::parse(shown.out, failed);
    return failed || !parsed.is_object() ? boost::json::object() : parsed.as_object();
  }
  std::vector<std::string> with_target(std::vector<std::string> args) const {
    args.insert(args.end(), {"--scheduler", endpoint_, "--job", job()});
    return args;
  }

  // So many nodes live, and every chain has all its members.
  bool is_whole(std::size_t living, std::uint32_t replicas) {
    const auto now = status();
    const auto* nodes = now.if_contains("nodes");
    if (nodes == nullptr) return false;
    double places = 0.0;
    std::size_t alive = 0;
    for (const auto& each : nodes->as_array()) {
      const auto& node = each.as_object();
      if (!node.at("alive").as_bool()) continue;
      ++alive;
      if (node.contains("shards")) places += number_at(node, "shards") + number_at(node, "copies");
    }
    return alive == living && places == static_cast<double>(ledger_.shape().num_shards * replicas);
  }

  // Until the workers have computed so many batches more.
  bool goes_on(std::uintmax_t batches) {
    const std::uintmax_t before = computed();
    return eventually([&] { return computed() >= before + batches; }, kPatience);
  }
  std::string warnings() const { return serialize(at(json("report.json"), "warnings")); }

  // Training batches that workers computed in these lives, repeated ones included.
  std::uintmax_t computed(std::size_t from = 0, std::size_t to = 1000) const {
    std::uintmax_t count = 0;
    for (std::size_t i = from; i < std::min(to, lives_.size()); ++i) {
      std::error_code error;
      const auto size = std::filesystem::file_size(lives_[i] + "/computed", error);
      if (!error) count += size;
    }
    return count;
  }

  std::uint64_t batches() const {
    return std::uint64_t{ledger_.shape().passes} * ledger_.shape().partitions * ledger_.shape().batches;
  }

  void expect_job_ends_well() {
    EXPECT_EQ(scheduler_->wait(kPatience), 0) << scheduler_->err();
    EXPECT_TRUE(all_gone());
    EXPECT_EQ(at(json("report.json"), "state"), "done");
  }

  // How many slices the job's batches have: of each, one for every shard that it touches.
  std::uint64_t slices() const {
    const LedgerShape& shape = ledger_.shape();
    std::uint64_t count = 0;
    for (std::uint64_t n = 0; n < batches(); ++n) {
      const std::uint64_t part = n / shape.batches;
      std::set<std::uint32_t> shards;
      for (const Key key :
           ledger_.touched({static_cast<std::uint32_t>(part / shape.partitions),
                            static_cast<std::uint32_t>(part % shape.partitions), n % shape.batches})) {
        shards.insert(shard_of(key, shape.num_shards));
      }
      count += shards.size();
    }
    return count;
  }

  // The report's counts are the ledger's own, whatever died: a slice is one batch's part for one shard.
  void expect_counts_exact(bool every_shard) {
    const auto report = json("report.json");
    const auto expected =
        static_cast<double>(every_shard ? batches() * ledger_.shape().num_shards : slices());
    EXPECT_EQ(number_at(report, "pushes.applied"), expected);
    EXPECT_EQ(number_at(report, "pushes.acknowledged"), expected);
    EXPECT_EQ(number_at(report, "pushes.lost"), 0.0);
    EXPECT_EQ(number_at(report, "pushes.refused"), 0.0);
  }

  // Every row holds each batch that touches it, once, and nothing else.
  void expect_rows_exact() const {
    std::map<Key, std::vector<float>> rows = read_rows();
    EXPECT_EQ(rows.size(), ledger_.keys().size());
    for (const Key key : ledger_.keys()) {
      auto& row = rows[key];
      row.resize(ledger_.dim());
      EXPECT_EQ(ledger_.check_whole(key, row), "") << key;
    }
  }

  Ledger ledger_;
  std::uint32_t servers_ = 2;
  std::uint64_t every_steps_ = 60;  // a checkpoint
  std::string lease_ = "1500ms";
  bool balance_load_ = true;
  std::string first_servers_ = capstan_binary();  // the program that they run
  std::string endpoint_;
  std::unique_ptr<Process> scheduler_;
  std::vector<std::unique_ptr<Process>> others_;
  std::vector<std::string> lives_;  // each worker process's folder

 private:
  std::map<Key, std::vector<float>> read_rows() const {
    std::map<Key, std::vector<float>> rows;
    const std::size_t length = sizeof(Key) + ledger_.dim() * sizeof(float);
    for (const std::string& life : lives_) {
      for (const char* name : {"/rows-0", "/rows-1"}) {
        const std::string bytes = text_of(life + name);
        for (std::size_t at = 0; at + length <= bytes.size(); at += length) {
          Key key = 0;
          std::memcpy(&key, bytes.data() + at, sizeof(key));
          rows[key].resize(ledger_.dim());
          std::memcpy(rows[key].data(), bytes.data() + at + sizeof(key), length - sizeof(key));
        }
      }
    }
    return rows;
  }
};

}  // namespace capstan
