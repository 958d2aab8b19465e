// `capstan run` as a user sees it: five processes that train, evaluate and report; Ctrl-C; what dies in
// between.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class Run : public Scene {
 protected:
  static constexpr const char* kLong = "{passes: 1000, batch_size: 64}";  // never ends by itself in a test

  // A checkpoint folder, written to often.
  std::string checkpoints(int every_steps = 50, int full_every = 8) const {
    return "checkpoint: {path: " + path("checkpoints") + ", every_steps: " + std::to_string(every_steps) +
           ", keep: 2, full_every: " + std::to_string(full_every) + "}";
  }

  std::size_t checkpoints_kept() const {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path("checkpoints"), error)) {
      count += std::filesystem::exists(entry.path() / "MANIFEST.json") ? 1 : 0;
    }
    return count;
  }

  // Waits until the run's progress is in its third pass or later.
  bool is_well_under_way(Process& run) {
    return eventually(
               [&] {
                 return run.ended() || std::regex_search(run.out(), std::regex("pass ([3-9]|\\d{2,})/"));
               },
               kPatience) &&
           !run.ended();
  }
};

TEST_F(Run, TrainsEvaluatesReportsAndLeavesNothing) {
  const Outcome done = run({"run", ratings_job("{passes: 60, batch_size: 32}")});
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_TRUE(processes().empty());
  const auto report = json("report.json");
  EXPECT_EQ(at(report, "state"), "done");
  for (const char* who : {"model", "item_knn", "most_popular"}) {
    for (const char* metric : {"recall@10", "ndcg@10"}) {
      const double value = number_at(report, std::string("test.") + who + "." + metric);
      EXPECT_GT(value, 0.0) << who << " " << metric;
      EXPECT_LT(value, 1.0) << who << " " << metric;
    }
  }
  EXPECT_GT(number_at(report, "pushes.applied"), 0.0);
  EXPECT_EQ(number_at(report, "pushes.sent"), number_at(report, "pushes.applied"));
  EXPECT_EQ(number_at(report, "pushes.acknowledged"), number_at(report, "pushes.applied"));
  for (const char* none : {"lost", "abandoned", "refused", "fenced"}) {
    EXPECT_EQ(number_at(report, std::string("pushes.") + none), 0.0) << none;
  }
  EXPECT_GT(number_at(report, "bytes.pushed"), 0.0);
  EXPECT_GT(number_at(report, "bytes.pulled"), 0.0);
  const boost::json::value servers = at(report, "servers"), workers = at(report, "workers");
  ASSERT_EQ(servers.as_array().size(), 2U);
  for (const auto& server : servers.as_array()) {
    const double share = number_at(server.as_object(), "share_of_rows");
    EXPECT_TRUE(share >= 0.4 && share <= 0.6) << serialize(server);
  }
  ASSERT_EQ(workers.as_array().size(), 2U);
  for (const auto& worker : workers.as_array()) {
    EXPECT_GE(number_at(worker.as_object(), "share_of_examples"), 0.3) << serialize(worker);
  }
  EXPECT_GT(number_at(report, "wall_seconds"), 0.0);
  EXPECT_GT(number_at(report, "examples_per_second"), 0.0);
  EXPECT_EQ(at(report, "passes").as_array().size(), 60U);
  EXPECT_THAT(done.out, HasSubstr("recall@10"));
  EXPECT_THAT(done.out, HasSubstr("most_popular"));
}

// (user, time) of every event.
std::vector<std::pair<std::string, std::int64_t>> events_in(const std::string& ratings_csv) {
  std::vector<std::pair<std::string, std::int64_t>> events;
  std::istringstream lines(text_of(ratings_csv));
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line);) {
    events.emplace_back(line.substr(0, line.find(',')), std::stoll(line.substr(line.rfind(',') + 1)));
  }
  return events;
}

TEST_F(Run, CtrlCWhileTheClusterStartsLeavesNothing) {
  const std::string checkpoint = "checkpoint: {path: " + path("checkpoints") + "}";
  const std::string job_file = ratings_job("{passes: 200}", checkpoint);
  for (const std::size_t so_far : {1U, 2U, 4U, 6U}) {  // the command itself, its scheduler, ...
    const auto run = start({"run", job_file});
    ASSERT_TRUE(eventually([&] { return processes().size() >= so_far; }, kPatience));
    if (so_far == 1) {
      ASSERT_TRUE(eventually([&] { return run->out().find("logs in") != std::string::npos; }, kPatience));
    }
    run->signal(SIGINT);
    EXPECT_EQ(run->wait(kPatience), 1) << so_far << run->err() << run->out();
    EXPECT_THAT(run->err(), HasSubstr("stopp")) << so_far;
    EXPECT_TRUE(all_gone(kPatience)) << so_far;
  }
}

TEST_F(Run, AClusterByHandNeedsNoNames) {
  const auto scheduler =
      start({"scheduler", ratings_job("{passes: 3, batch_size: 64}"), "--endpoint-file", path("endpoint")});
  const std::string endpoint = endpoint_in("endpoint", *scheduler);
  ASSERT_NE(endpoint, "") << scheduler->err();
  std::vector<std::unique_ptr<Process>> nodes;
  for (const char* role : {"ps", "worker", "ps", "worker"}) {
    nodes.push_back(start({role, "--scheduler", endpoint, "--job", job(), "--threads", "1"}));
  }
  EXPECT_EQ(scheduler->wait(kPatience), 0) << scheduler->err();
  for (const auto& node : nodes) EXPECT_EQ(node->wait(kPatience), 0) << node->err();
  EXPECT_THAT(scheduler->err(), HasSubstr("0 of 2 servers registered, waiting for ps-0, ps-1"));
}

TEST_F(Run, ASettingMayStandBeforeTheJob) {
  const std::string job_file = ratings_job("{passes: 1}", "");
  const Outcome done = run({"run", "--set", "train.passes=2", "--quiet", job_file});
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_EQ(at(json("report.json"), "passes").as_array().size(), 2U);
}

TEST_F(Run, GivesTheFiguresOfOtherSplitsBesideItsOwn) {
  const std::string job_file =
      ratings_job("{passes: 20, batch_size: 64}", "checkpoint: {path: " + path("checkpoints") + "}");
  const std::vector<std::string> beside = {"--set", "evaluate.beside=[leave_one_out, global_cut]"};

  const auto first = start({"run", job_file, beside[0], beside[1]});
  ASSERT_TRUE(
      eventually([&] { return first->out().find("split by leave_one_out") != std::string::npos; }, kPatience))
      << first->err() << first->out();
  ASSERT_TRUE(eventually([&] { return processes().size() >= 6; }, kPatience));
  first->signal(SIGINT);
  EXPECT_EQ(first->wait(kPatience), 1) << first->out();
  EXPECT_THAT(first->err(), HasSubstr("The job itself has ended well"));
  EXPECT_TRUE(processes().empty());
  EXPECT_GT(number_at(json("report.json"), "test.model.recall@10"), 0.0);
  EXPECT_TRUE(at(json("report.json"), "test.beside").is_null());

  const Outcome done = run({"run", job_file, "--resume", beside[0], beside[1]});
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  const auto report = json("report.json");
  EXPECT_THAT(serialize(at(report, "resumed_from")), HasSubstr("ckpt-"));
  for (const std::string split : {"", "beside.leave_one_out.", "beside.global_cut."}) {
    for (const char* who : {"model", "item_knn", "most_popular"}) {
      for (const char* metric : {"recall@10", "ndcg@10"}) {
        const std::string figure = "test." + split + who + "." + metric;
        EXPECT_GT(number_at(report, figure), 0.0) << figure;
        EXPECT_THAT(done.out, HasSubstr(fmt::format("{:.4f}", number_at(report, figure)))) << figure;
      }
    }
  }
  // What each split asks for, counted here anew: one event a user; the last fifth of time, whole times
  // together.
  auto events = events_in(path("data/ratings.csv"));
  ASSERT_GT(events.size(), 1000U);
  std::map<std::string, std::size_t> events_of;
  std::set<std::string> late_users;
  for (const auto& [user, time] : events) ++events_of[user];
  // Who has fewer than three events has none left to train on.
  const auto asked = static_cast<std::size_t>(
      std::count_if(events_of.begin(), events_of.end(), [](const auto& each) { return each.second >= 3; }));
  std::sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.second < b.second; });
  std::size_t cut = events.size() - events.size() / 5;
  while (events[cut - 1].second == events[cut].second) --cut;
  for (std::size_t i = cut; i < events.size(); ++i) late_users.insert(events[i].first);
  const auto expect_asks = [&](const std::string& split, std::size_t items, std::size_t of_users) {
    const std::string model = "test.beside." + split + ".model.";
    EXPECT_EQ(number_at(report, model + "test_items"), static_cast<double>(items)) << split;
    EXPECT_EQ(number_at(report, model + "users"), static_cast<double>(of_users)) << split;
  };
  expect_asks("leave_one_out", asked, asked);
  expect_asks("global_cut", events.size() - cut, late_users.size());
  EXPECT_TRUE(processes().empty());
}

TEST_F(Run, GoesOnWhenAWorkerIsKilled) {
  const auto run = start({"run", ratings_job("{passes: 150, batch_size: 64}")});
  ASSERT_TRUE(is_well_under_way(*run)) << run->err() << run->out();
  const auto worker = find("worker-1");
  ASSERT_TRUE(worker.has_value());
  kill(*worker, SIGKILL);
  EXPECT_EQ(run->wait(kPatience), 0) << run->err() << run->out();
  EXPECT_THAT(run->err(),
              HasSubstr("worker-1 ended: killed by signal 9 (Killed); another one takes its place"));
  EXPECT_TRUE(processes().empty());
  const auto report = json("report.json");
  EXPECT_EQ(at(report, "passes").as_array().size(), 150U);
  EXPECT_GT(number_at(report, "test.model.recall@10"), 0.0);
}

TEST_F(Run, GoesBackToItsCheckpointWhenTheOnlyCopyOfAShardIsKilled) {
  const auto run = start({"run", ratings_job("{passes: 300, batch_size: 64}", checkpoints())});
  ASSERT_TRUE(eventually([&] { return checkpoints_kept() > 0; }, kPatience)) << run->err() << run->out();
  const auto server = find("ps-1");
  ASSERT_TRUE(server.has_value());
  kill(*server, SIGKILL);
  EXPECT_EQ(run->wait(kPatience), 0) << run->err() << run->out();
  EXPECT_THAT(run->err(), HasSubstr("ps-1 ended: killed by signal 9 (Killed); another one takes its place"));
  const auto report = json("report.json");
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("everything goes back to"));
  EXPECT_THAT(serialize(at(report, "resumed_from")), HasSubstr("ckpt-"));
  EXPECT_EQ(at(report, "passes").as_array().size(), 300U);
  EXPECT_EQ(number_at(report, "pushes.lost"), 0.0);
  EXPECT_TRUE(processes().empty());
}

// Its checkpoint cannot be finished, and the scheduler says so before anybody is ended by force.
TEST_F(Run, CtrlCBesideAServerThatHangsEndsWithTheSchedulersWord) {
  const auto first = start({"run", ratings_job(kLong, checkpoints(1'000'000))});
  ASSERT_TRUE(is_well_under_way(*first)) << first->err() << first->out();
  const auto server = find("ps-1");
  ASSERT_TRUE(server.has_value());
  kill(*server, SIGSTOP);
  ASSERT_TRUE(
      eventually([&] { return first->out().find("waiting for ps-1") != std::string::npos; }, kPatience));
  first->signal(SIGINT);
  EXPECT_EQ(first->wait(kPatience), 1) << first->err();
  EXPECT_THAT(first->out(), HasSubstr("scheduler at " + text_of(path("work/scheduler.endpoint"))));
  EXPECT_THAT(first->err(), HasSubstr("its last checkpoint could not be finished in time"));
  EXPECT_TRUE(processes().empty());
}

TEST_F(Run, CtrlCKeepsACheckpointThatResumeGoesOnFrom) {
  const std::string job = ratings_job(kLong, checkpoints(1'000'000));
  const auto first = start({"run", job});
  ASSERT_TRUE(is_well_under_way(*first)) << first->err() << first->out();
  const auto before = std::chrono::steady_clock::now();
  first->signal(SIGINT);
  EXPECT_EQ(first->wait(kPatience), 1) << first->err();
  // Five seconds are promised; a crowded machine may be late with everything.
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  EXPECT_THAT(first->err(), HasSubstr("stopping: a checkpoint first"));
  EXPECT_THAT(first->err(), ContainsRegex("checkpoint .*ckpt-.* is kept, go on with --resume"));
  EXPECT_TRUE(processes().empty());
  EXPECT_EQ(checkpoints_kept(), 1U);

  const Outcome changed = run({"run", job, "--resume", "--set", "model.embedding_dim=16"});
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.err, HasSubstr("cannot resume"));
  EXPECT_THAT(changed.err, HasSubstr("model.embedding_dim"));

  const Outcome second = run({"run", job, "--resume", "--set", "train.passes=6"});
  EXPECT_EQ(second.code, 0) << second.err << second.out;
  EXPECT_GE(at(json("report.json"), "passes").as_array().size(), 6U);
  EXPECT_TRUE(processes().empty());
}

TEST_F(Run, ATruncatedCheckpointIsPassedOver) {
  const std::string job = ratings_job(kLong, checkpoints(30, 1));
  const auto first = start({"run", job});
  ASSERT_TRUE(eventually([&] { return checkpoints_kept() == 2; }, kPatience)) << first->err() << first->out();
  first->signal(SIGINT);
  EXPECT_EQ(first->wait(kPatience), 1) << first->err();
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(path("checkpoints"))) {
    newest = std::max(newest, entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(newest)) {
    if (entry.path().filename() != "MANIFEST.json") std::filesystem::resize_file(entry.path(), 100);
  }
  const Outcome second = run({"run", job, "--resume", "--set", "train.passes=20"});
  EXPECT_EQ(second.code, 0) << second.err << second.out;
  const auto report = json("report.json");
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("passed over a checkpoint"));
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr(newest.filename().string()));
}

// One bit, in the middle of a file that is as long as it should be.
TEST_F(Run, ADamagedCheckpointIsNamedAndTheOneBeforeTaken) {
  const std::string job = ratings_job(kLong, checkpoints(30, 1));
  const auto first = start({"run", job});
  ASSERT_TRUE(eventually([&] { return checkpoints_kept() == 2; }, kPatience)) << first->err() << first->out();
  first->signal(SIGINT);
  EXPECT_EQ(first->wait(kPatience), 1) << first->err();
  ASSERT_EQ(checkpoints_kept(), 2U);
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(path("checkpoints"))) {
    newest = std::max(newest, entry.path());
  }
  const std::string file = (newest / "ps-1.rows").string();
  std::string bytes = text_of(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  std::ofstream(file, std::ios::binary) << bytes;
  const Outcome second = run({"run", job, "--resume", "--set", "train.passes=20"});
  EXPECT_EQ(second.code, 0) << second.err << second.out;
  const auto report = json("report.json");
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("passed over a checkpoint"));
  EXPECT_THAT(
      serialize(at(report, "warnings")),
      ContainsRegex(newest.filename().string() + "/ps-1.rows: shard [0-9]+: .*bytes [0-9]+ to [0-9]+"));
  EXPECT_THAT(serialize(at(report, "resumed_from")), testing::Not(HasSubstr(newest.filename().string())));
}

// Rows of a step do not fit into one frame: they travel in several.
TEST_F(Run, TheJobsFrameLimitReachesEveryProcess) {
  const auto run = start({"run", ratings_job("{passes: 60, batch_size: 1024}"), "--set",
                          "cluster.max_frame_bytes=64KiB", "--set", "model.embedding_dim=256"});
  for (const char* name : {"ps-0", "worker-1"}) {
    EXPECT_TRUE(eventually(
        [&] {
          for (const RunningProcess& process : processes()) {
            const auto& args = process.args;
            const bool it = std::find(args.begin(), args.end(), name) != args.end();
            if (it && std::find(args.begin(), args.end(), "65536") != args.end()) return true;
          }
          return run->ended().has_value();
        },
        kPatience));
  }
  EXPECT_EQ(run->wait(kPatience), 0) << run->err() << run->out();
  EXPECT_EQ(number_at(json("report.json"), "pushes.lost"), 0.0);
}

// Rows are pulled in pieces, but the gradients of one shard have to fit into a message.
TEST_F(Run, GradientsThatNoMessageHoldsEndTheJobInWords) {
  const Outcome ended =
      run({"run", ratings_job("{passes: 60, batch_size: 2048}"), "--set", "cluster.max_frame_bytes=64KiB",
           "--set", "model.embedding_dim=4096", "--set", "cluster.num_shards=32"});
  EXPECT_EQ(ended.code, 1) << ended.out;
  EXPECT_THAT(ended.err,
              ContainsRegex("worker-[01]: batch 0 of pass 1: its gradients for shard [0-9]+ take "
                            "[0-9]+ bytes, more than a message may hold .*Lower train.batch_size"));
}

}  // namespace
}  // namespace capstan
