// Workers and whole clusters ended by kill -9, and the rows against a ledger that the test keeps itself.
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>

#include "sim/ledger.h"
#include "tests/e2e/ledger_worker.h"
#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class ExactlyOnce : public Scene {
 protected:
  static constexpr std::uint64_t kSeed = 11;

  ExactlyOnce() : ledger_(ledger_shape(kSeed)) {}

  void write_job(const std::string& train) {
    const LedgerShape& shape = ledger_.shape();
    write("job.yaml", fmt::format(R"(job: {}
seed: {}
task: ctr
data: {{format: libsvm, train: [unused]}}
model: {{type: lr}}
train: {{passes: {}, partitions: {}, {}}}
checkpoint: {{path: {}, every_steps: 60, keep: 2}}
cluster: {{servers: 2, workers: 2, num_shards: {}, lease: 1500ms}}
work_dir: {}
report: {}
)",
                                  job(), kSeed, shape.passes, shape.partitions, train, path("checkpoints"),
                                  shape.num_shards, path("work"), path("report.json")));
  }

  void start_cluster(bool resume) {
    std::filesystem::remove(path("endpoint"));
    std::vector<std::string> args = {"scheduler", path("job.yaml"), "--endpoint-file", path("endpoint")};
    if (resume) args.emplace_back("--resume");
    scheduler_ = start(args);
    endpoint_ = endpoint_in("endpoint", *scheduler_);
    ASSERT_NE(endpoint_, "") << scheduler_->err();
    for (const char* name : {"ps-0", "ps-1"}) {
      others_.push_back(
          start({"ps", "--scheduler", endpoint_, "--job", job(), "--name", name, "--threads", "1"}));
    }
    start_worker("worker-0");
    start_worker("worker-1");
  }

  void start_worker(const std::string& name) {
    const std::string folder = path(fmt::format("life-{}-{}", lives_.size(), name));
    std::filesystem::create_directories(folder);
    lives_.push_back(folder);
    others_.push_back(start({kLedgerWorkerFlag, folder, "--scheduler", endpoint_, "--name", name, job()},
                            std::filesystem::read_symlink("/proc/self/exe").string()));
  }

  void kill_node(const std::string& name) {
    const auto pid = find(name);
    ASSERT_TRUE(pid.has_value()) << name;
    kill(*pid, SIGKILL);
  }

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

  // Every row holds each batch that touches it, once, and nothing else.
  void expect_rows_exact() const {
    std::map<Key, std::vector<float>> rows = read_rows();
    EXPECT_EQ(rows.size(), ledger_.keys().size());
    for (const Key key : ledger_.keys()) {
      std::set<BatchId> seen;
      std::string why;
      auto& row = rows[key];
      row.resize(ledger_.dim());
      EXPECT_TRUE(ledger_.decode(row, seen, why)) << key << ": " << why;
      EXPECT_EQ(seen.size(), ledger_.touching(key).size()) << key;
      EXPECT_TRUE(seen == ledger_.touching(key)) << key;
    }
  }

  Ledger ledger_;
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

TEST_F(ExactlyOnce, WhenWorkersAreKilledInMidRun) {
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(eventually([&] { return computed(0, 1) >= 30; }, kPatience)) << scheduler_->err();
  kill_node("worker-0");
  start_worker("worker-2");  // one that joins late
  ASSERT_TRUE(eventually([&] { return computed(2, 3) >= 30; }, kPatience)) << scheduler_->err();
  kill_node("worker-1");
  start_worker("worker-1");  // one that takes a dead one's place
  expect_job_ends_well();
  expect_rows_exact();
  EXPECT_GE(computed(), batches());
  const auto report = json("report.json");
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("worker-0 was lost"));
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("worker-1 was lost"));
}

TEST_F(ExactlyOnce, WhenAWorkerIsKilledInSync) {
  write_job("consistency: sync");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(eventually([&] { return computed(0, 1) >= 30; }, kPatience)) << scheduler_->err();
  kill_node("worker-0");
  expect_job_ends_well();
  expect_rows_exact();
}

TEST_F(ExactlyOnce, WhenTheWholeClusterIsKilledAndResumes) {
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  const std::string manifest = path("checkpoints/ckpt-000001/MANIFEST.json");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(manifest); }, kPatience)) << scheduler_->err();
  const std::uintmax_t at_cut = computed();
  // Some that no checkpoint knows of.
  ASSERT_TRUE(eventually([&] { return computed() >= at_cut + 5; }, kPatience)) << scheduler_->err();
  for (const RunningProcess& process : processes()) kill(process.pid, SIGKILL);
  ASSERT_TRUE(all_gone());
  EXPECT_LT(computed(), batches());
  const std::size_t before = lives_.size();
  others_.clear();
  ASSERT_NO_FATAL_FAILURE(start_cluster(true));
  expect_job_ends_well();
  expect_rows_exact();
  EXPECT_LT(computed(before), batches()) << "it began anew";
  EXPECT_THAT(serialize(at(json("report.json"), "resumed_from")), HasSubstr("ckpt-"));
}

}  // namespace
}  // namespace capstan
