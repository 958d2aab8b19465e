// Bad input to a whole run: a clear message, an exit code that is not zero, nothing hung, nothing left.
#include <spdlog/fmt/fmt.h>
#include <sys/mount.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class BadInput : public Scene {
 protected:
  // A small job over `train.csv`: label, two fields.
  std::string ctr_job(const std::string& csv, const std::string& more = "") {
    write("train.csv", csv);
    return write("job.yaml", fmt::format(R"(job: {0}
task: ctr
data: {{format: csv, train: [{1}/train.csv], label: label, max_bad_lines: 2, split: {{method: ratio}}}}
features:
  - {{name: f1, column: f1, transform: vocab}}
  - {{name: f2, column: f2, transform: vocab}}
model: {{type: lr}}
cluster: {{servers: 1, workers: 1, threads: 1, memory_limit: 64MiB, startup_timeout: 20s}}
work_dir: {1}/work
report: {1}/report.json
{2}
)",
                                         job(), path(), more));
  }

  static std::string good_lines(int count) {
    std::string text = "label,f1,f2\n";
    for (int i = 0; i < count; ++i) text += fmt::format("{},a{},b{}\n", i % 3 == 0 ? 1 : 0, i % 5, i % 7);
    return text;
  }

  void expect_failure(const std::string& job_file, const testing::Matcher<const std::string&>& message) {
    const Outcome outcome = run({"run", job_file});
    EXPECT_GT(outcome.code, 0) << outcome.out;
    EXPECT_THAT(outcome.err, message) << outcome.out;
    EXPECT_TRUE(processes().empty());
  }
};

TEST_F(BadInput, AMissingFileIsNamed) {
  const std::string job_file = ctr_job(good_lines(10));
  std::filesystem::remove(path("train.csv"));
  expect_failure(job_file, HasSubstr("train.csv"));
}

TEST_F(BadInput, AnEmptyFileIsNamed) {
  expect_failure(ctr_job(""), AllOf(HasSubstr("train.csv"), HasSubstr("empty")));
}

TEST_F(BadInput, TooManyLinesOfAnotherLength) {
  expect_failure(ctr_job(good_lines(50) + "1,a\n0,a,b,c\n1\n"),
                 AllOf(HasSubstr("max_bad_lines"), HasSubstr("train.csv:")));
}

TEST_F(BadInput, TooManyLabelsThatAreNoNumbers) {
  expect_failure(ctr_job(good_lines(50) + "nan,a1,b1\ninf,a2,b2\nnan,a3,b3\n"),
                 AllOf(HasSubstr("max_bad_lines"), HasSubstr("train.csv:")));
}

TEST_F(BadInput, AFewBadLinesAreCountedAndTrainingGoesOn) {
  const Outcome outcome = run({"run", ctr_job(good_lines(300) + "nan,a1,b1\n1,a\n")});
  EXPECT_EQ(outcome.code, 0) << outcome.err << outcome.out;
  EXPECT_GT(number_at(json("report.json"), "test.model.auc"), 0.0);
}

TEST_F(BadInput, MistakesInTheJobFile) {
  const std::string job_file = ctr_job(good_lines(10), "trian: {passes: 2}");
  const Outcome unknown = run({"run", job_file});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr(job_file + ":11:1: unknown key 'trian' (did you mean 'train'?)"));
  const Outcome type = run({"run", ctr_job(good_lines(10), "train: {passes: many}")});
  EXPECT_EQ(type.code, 2);
  EXPECT_THAT(type.err, AllOf(HasSubstr(job_file + ":11:"), HasSubstr("many")));
  EXPECT_TRUE(processes().empty());
}

TEST_F(BadInput, ATakenPort) {
  const std::string job_file = ctr_job(good_lines(10));
  const auto first = start({"scheduler", job_file, "--endpoint-file", path("endpoint")});
  const std::string endpoint = endpoint_in("endpoint", *first);
  ASSERT_NE(endpoint, "");
  const Outcome second =
      run({"scheduler", job_file, "--set", "work_dir=" + path("work-2"), "--bind", endpoint});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr(endpoint), HasSubstr("in use")));
  const Outcome server = run({"ps", "--scheduler", endpoint, "--job", job(), "--bind", endpoint});
  EXPECT_EQ(server.code, 1);
  EXPECT_THAT(server.err, AllOf(HasSubstr(endpoint), HasSubstr("in use")));
  first->signal(SIGTERM);
  EXPECT_EQ(first->wait(kPatience), 1);
}

TEST_F(BadInput, AnotherJobsNodesAreRefusedAndMissingOnesNamed) {
  const std::string job_file = ctr_job(good_lines(10));
  const auto scheduler = start({"scheduler", job_file, "--set", "cluster.servers=2", "--set",
                                "cluster.startup_timeout=3s", "--endpoint-file", path("endpoint")});
  const std::string endpoint = endpoint_in("endpoint", *scheduler);
  ASSERT_NE(endpoint, "");
  for (const char* role : {"worker", "ps"}) {
    const Outcome stranger = run({role, "--scheduler", endpoint, "--job", "another", "--name", "stranger"});
    EXPECT_EQ(stranger.code, 1);
    EXPECT_THAT(stranger.err,
                HasSubstr("stranger belongs to job another, this is the scheduler of " + job()));
  }
  const auto server = start({"ps", "--scheduler", endpoint, "--job", job(), "--name", "ps-0"});
  EXPECT_EQ(scheduler->wait(kPatience), 1);
  EXPECT_THAT(scheduler->err(), HasSubstr("gave up after 3 s"));
  EXPECT_THAT(scheduler->err(), HasSubstr("1 of 2 servers registered"));
  EXPECT_THAT(scheduler->err(), HasSubstr("ps-1"));
  EXPECT_EQ(server->wait(kPatience), 1);
  EXPECT_THAT(server->err(), HasSubstr("gave up"));
}

TEST_F(BadInput, AFullDiskAtACheckpoint) {
  const std::string folder = path("full");
  std::filesystem::create_directories(folder);
  if (mount("none", folder.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "no rights to mount";
  std::ofstream(folder + "/filler") << std::string(60'000, 'x');
  const std::string job_file =
      ratings_job("{passes: 6, batch_size: 64}", "checkpoint: {path: " + folder + ", every_steps: 20}");
  const Outcome outcome = run({"run", job_file});
  umount(folder.c_str());
  EXPECT_EQ(outcome.code, 0) << outcome.err << outcome.out;
  EXPECT_THAT(serialize(at(json("report.json"), "warnings")),
              AllOf(HasSubstr("checkpoint failed"), HasSubstr("disk full"), HasSubstr("training goes on")));
}

}  // namespace
}  // namespace capstan
