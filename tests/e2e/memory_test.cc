// Servers that reach their memory limits.
#include <spdlog/fmt/fmt.h>

#include <fstream>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;
constexpr std::uint64_t kMiB = 1 << 20;

class MemoryLimit : public Scene {
 protected:
  // Each line has a value of its own: a row of some 800 bytes each.
  std::string job_of_new_rows(std::uint32_t lines) {
    std::string csv = "label,f1\n";
    for (std::uint32_t n = 0; n < lines; ++n) csv += fmt::format("{},v{}\n", n % 3 == 0 ? 1 : 0, n);
    write("train.csv", csv);
    return write("job.yaml", fmt::format(R"(job: {0}
task: ctr
data: {{format: csv, train: [{1}/train.csv], label: label}}
features:
  - {{name: f1, column: f1, transform: hash}}
model: {{type: fm, embedding_dim: 64}}
optimizer: {{sparse: {{type: adam}}}}
train: {{passes: 2, batch_size: 256}}
cluster: {{servers: 2, workers: 1, replicas: 2, threads: 1, num_shards: 32}}
checkpoint: {{path: {1}/checkpoints}}
work_dir: {1}/work
report: {1}/report.json
)",
                                         job(), path()));
  }
  static std::uint64_t resident_bytes(pid_t pid) {
    std::ifstream in(fmt::format("/proc/{}/statm", pid));
    std::uint64_t all = 0, resident = 0;
    in >> all >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }

  static constexpr std::uint64_t kLimit = 24 * kMiB;  // of ps-1
  using Words = std::vector<std::string>;
  void train_within_limit(const Words& of_scheduler, const Words& of_large, const Words& of_small);
};

void MemoryLimit::train_within_limit(const Words& of_scheduler, const Words& of_large,
                                     const Words& of_small) {
  const auto joined = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const auto scheduler = start(
      joined({"scheduler", job_of_new_rows(120'000), "--endpoint-file", path("endpoint")}, of_scheduler));
  const std::string endpoint = endpoint_in("endpoint", *scheduler);
  ASSERT_NE(endpoint, "") << scheduler->err();
  const auto member = [&](std::vector<std::string> args) {
    args.insert(args.end(), {"--scheduler", endpoint, "--job", job(), "--threads", "1"});
    return start(args);
  };
  const auto large = member(joined({"ps", "--name", "ps-0"}, of_large));
  const auto small = member(joined({"ps", "--name", "ps-1"}, of_small));
  const auto worker = member({"worker", "--name", "worker-0"});
  std::uint64_t most = 0, most_resident = 0;
  const std::uint64_t least_resident = resident_bytes(small->pid());
  EXPECT_TRUE(eventually(
      [&] {
        const Outcome shown = run({"status", "--json", "--scheduler", endpoint, "--job", job()});
        boost::system::error_code failed;
        const auto status = boost::json::parse(shown.out, failed);
        if (!failed && status.is_object()) {
          for (const auto& node : status.at("nodes").as_array()) {
            if (at(node.as_object(), "name") == "ps-1") {
              most = std::max(most, static_cast<std::uint64_t>(number_at(node.as_object(), "bytes")));
            }
          }
        }
        most_resident = std::max(most_resident, resident_bytes(small->pid()));
        return scheduler->ended().has_value();
      },
      kPatience));
  EXPECT_EQ(scheduler->wait(kPatience), 0) << scheduler->err();
  EXPECT_GT(most, kLimit / 2) << "the job is too small to show anything";
  EXPECT_LE(most, kLimit + kLimit / 4) << "what came between two looks";
  EXPECT_LE(most_resident, least_resident + 4 * kLimit);
  EXPECT_THAT(serialize(at(json("report.json"), "warnings")), HasSubstr("has reached its memory limit"));
  EXPECT_EQ(small->wait(kPatience), 0);
  EXPECT_EQ(large->wait(kPatience), 0);
  EXPECT_EQ(worker->wait(kPatience), 0);
}

// The other one has room for all, but its copies lie here.
TEST_F(MemoryLimit, IsKeptByABackupToo) {
  train_within_limit({}, {"--memory-limit", "512MiB"}, {"--memory-limit", "24MiB"});
}

TEST_F(MemoryLimit, TheJobsHoldsForServersThatAreToldNoneOrMore) {
  train_within_limit({"--set", "cluster.memory_limit=24MiB"}, {}, {"--memory-limit", "512MiB"});
}

// `ulimit -f`: what a checkpoint cannot write is no reason to die.
TEST_F(MemoryLimit, ALimitOnFilesCostsCheckpointsAndNoServer) {
  const std::string file = job_of_new_rows(20'000);  // 15 MB of rows
  const auto limited =
      start({"-c", "ulimit -f 8000; exec \"$0\" run \"$1\"", capstan_binary(), file}, "/bin/sh");
  EXPECT_EQ(limited->wait(kPatience), 1) << "its model is in no checkpoint";
  EXPECT_THAT(limited->err(), HasSubstr("File too large"));
  EXPECT_EQ(limited->err().find("killed by signal"), std::string::npos) << limited->err();
}

}  // namespace
}  // namespace capstan
