// Bad input to a whole run: a clear message, an exit code that is not zero, nothing hung, nothing left.
#include <spdlog/fmt/fmt.h>
#include <sys/mount.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/adapters/asio_loop.h"
#include "common/adapters/zmq_transport.h"
#include "common/rpc.h"
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

  // What a node at `endpoint` answers to a Hello of that version.
  Result<Message> greet_with_version(const std::string& endpoint, std::uint32_t version) const {
    AsioLoop loop;
    ZmqTransport transport(loop, ZmqOptions{.node = "old-timer", .security = {}});
    Rpc rpc(loop, transport);
    Hello hello;
    hello.protocol_version = version;
    hello.job_id = job();
    hello.role = Role::kTool;
    hello.name = "old-timer";
    Result<Message> answer = make_error(ErrorCode::kCancelled, "none");
    rpc.call(transport.connect(endpoint).value(), hello, 10s, [&](Result<Message> reply) {
      answer = std::move(reply);
      loop.stop();
    });
    loop.run();
    return answer;
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

TEST_F(BadInput, ANodeThatNoSchedulerAnswersGivesUp) {
  for (const char* role : {"ps", "worker"}) {
    const Outcome silent =
        run({role, "--scheduler", "tcp://127.0.0.1:9", "--job", "none", "--startup-timeout", "1s"});
    EXPECT_EQ(silent.code, 1);
    EXPECT_THAT(silent.err, HasSubstr("no scheduler has answered at tcp://127.0.0.1:9"));
    const Outcome wrong = run({role, "--scheduler", "tcp://127.0.0.1:99999", "--job", "none"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("must be tcp://host:port with a port from 1 to 65535"));
  }
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

TEST_F(BadInput, TooManyLinesThatAreNotUtf8) {
  std::string lines;
  for (int i = 0; i < 3; ++i) lines += fmt::format("1,\xff\xfe{},b1\n", i);
  expect_failure(ctr_job(good_lines(50) + lines),
                 AllOf(HasSubstr("max_bad_lines"), HasSubstr("train.csv:"), HasSubstr("not UTF-8")));
}

TEST_F(BadInput, TooManyLabelsOutOfRange) {
  expect_failure(ctr_job(good_lines(50) + "2,a1,b1\n0.5,a2,b2\n-7,a3,b3\n"),
                 AllOf(HasSubstr("max_bad_lines"), HasSubstr("train.csv:"), HasSubstr("is not 0, 1 or -1")));
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

// A rating that is a number, but whose gradient is none: its batch is left out and named, the rest is
// trained.
TEST_F(BadInput, ABatchWithoutUsableGradientsIsRefusedAndNamed) {
  std::string good = "rating,user,item\n";
  for (int i = 0; i < 300; ++i) good += fmt::format("{},u{},i{}\n", 1 + i % 5, i % 20, i % 13);
  write("test.csv", good);
  write("ratings.csv", good + "3e38,u1,i1\n");
  const std::string job_file = write("job.yaml", fmt::format(R"(job: {0}
task: rating
data:
  {{format: csv, train: [{1}/ratings.csv], test: [{1}/test.csv], split: {{method: files, valid: 0}},
   label: rating,
   user: user, item: item}}
features:
  - {{name: user, column: user, transform: vocab}}
  - {{name: item, column: item, transform: vocab}}
model: {{type: mf, embedding_dim: 4, loss: mse}}
train: {{passes: 3, batch_size: 32, max_bad_batches: 3}}
cluster: {{servers: 1, workers: 1, threads: 1, memory_limit: 64MiB}}
work_dir: {1}/work
report: {1}/report.json
)",
                                                             job(), path()));
  const Outcome outcome = run({"run", job_file});
  EXPECT_EQ(outcome.code, 0) << outcome.err << outcome.out;
  const auto report = json("report.json");
  const boost::json::value passes = at(report, "passes");
  ASSERT_TRUE(passes.is_array() && passes.as_array().size() == 3) << serialize(report);
  for (const auto& pass : passes.as_array()) {
    EXPECT_EQ(number_at(pass.as_object(), "bad_batches"), 1.0);
    const double left_out = 301.0 - number_at(pass.as_object(), "examples");
    EXPECT_TRUE(left_out > 0.0 && left_out <= 32.0) << serialize(pass);
  }
  EXPECT_EQ(number_at(report, "pushes.applied"), number_at(report, "pushes.acknowledged"));
  EXPECT_THAT(serialize(at(report, "warnings")),
              testing::ContainsRegex("pass 2, partition [0-9]+: a batch was refused"));
  EXPECT_THAT(outcome.out, HasSubstr("1 batch of pass 1, 1 batch of pass 2, 1 batch of pass 3"));
  EXPECT_THAT(text_of(path("work/logs/worker-0.log")),
              testing::ContainsRegex("batch refused: pass 1 partition [0-9]+ batch [0-9]+"));

  const Outcome too_many = run({"run", job_file, "--set", "train.max_bad_batches=1"});
  EXPECT_EQ(too_many.code, 1);
  EXPECT_THAT(too_many.err, HasSubstr("more than train.max_bad_batches = 1"));
  EXPECT_TRUE(processes().empty());
}

TEST_F(BadInput, ANodeOfAnotherProtocolVersionIsRefused) {
  const std::string job_file = ctr_job(good_lines(10));
  const auto scheduler = start({"scheduler", job_file, "--endpoint-file", path("endpoint")});
  const std::string endpoint = endpoint_in("endpoint", *scheduler);
  ASSERT_NE(endpoint, "");
  const auto server = start({"ps", "--scheduler", endpoint, "--job", job(), "--name", "ps-0"});
  std::string server_endpoint;
  ASSERT_TRUE(eventually(
      [&] {
        const std::string log = server->err();
        const auto found = log.find("server at ");
        if (found == std::string::npos || log.find('\n', found) == std::string::npos) return false;
        server_endpoint = log.substr(found + 10, log.find('\n', found) - found - 10);
        return true;
      },
      kPatience));
  for (const std::string& each : {endpoint, server_endpoint}) {
    const auto answer = greet_with_version(each, kProtocolVersion + 1);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, ErrorCode::kRefused) << answer.error().message;
    EXPECT_THAT(answer.error().message,
                HasSubstr(fmt::format("old-timer speaks protocol {}", kProtocolVersion + 1)));
    EXPECT_TRUE(greet_with_version(each, kProtocolVersion).ok());
  }
  scheduler->signal(SIGTERM);
  EXPECT_EQ(scheduler->wait(kPatience), 1);
  EXPECT_EQ(server->wait(kPatience), 1);
}

TEST_F(BadInput, AReportThatCannotBeWrittenIsNoSurpriseAtTheEnd) {
  const std::string job_file = ctr_job(good_lines(30));
  for (const std::string report : {"/train.csv/report.json", ""}) {  // below a file; a folder
    const Outcome outcome = run({"run", job_file, "--set", "report=" + path() + report});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("the scheduler did not start"),
                                   HasSubstr("report: " + path() + report + " cannot be written: ")));
  }
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

// The disk fills up once a checkpoint is there: it stays, training goes on, the operator is told, and in the
// end that the model is not kept.
TEST_F(BadInput, AFullDiskAtACheckpoint) {
  const std::string folder = path("full");
  std::filesystem::create_directories(folder);
  if (mount("none", folder.c_str(), "tmpfs", 0, "size=4m") != 0) GTEST_SKIP() << "no rights to mount";
  const auto running = start({"run", ratings_job("{passes: 60, batch_size: 32}",
                                                 "checkpoint: {path: " + folder + ", every_steps: 100}")});
  const std::string first = folder + "/ckpt-000001/MANIFEST.json";
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(first); }, kPatience)) << running->err();
  {
    std::ofstream filler(folder + "/filler");
    const std::string piece(4096, 'x');
    while (filler << piece << std::flush) {
    }
  }
  const int code = running->wait(kPatience);
  std::size_t kept = 0, dead = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    ++(std::filesystem::exists(entry.path() / "MANIFEST.json") ? kept : dead);
  }
  umount(folder.c_str());
  EXPECT_EQ(code, 1) << running->err() << running->out();
  EXPECT_GE(kept, 1U) << "the last good one";
  EXPECT_EQ(dead, 0U) << "folders of attempts that failed";
  EXPECT_THAT(running->err(), HasSubstr("the job is done, but its model is in no checkpoint"));
  EXPECT_GT(number_at(json("report.json"), "test.model.recall@10"), 0.0);
  EXPECT_THAT(serialize(at(json("report.json"), "warnings")),
              AllOf(HasSubstr("checkpoint failed"), HasSubstr("disk full"), HasSubstr("training goes on")));
}

}  // namespace
}  // namespace capstan
