// `capstan tune` with real clusters: the search as a whole, its stop by Ctrl-C, and going on.
#include <spdlog/fmt/fmt.h>
#include <csignal>
#include <filesystem>

#include <map>
#include <set>
#include <sstream>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class Tune : public Scene {
 protected:
  // Four trials of which two go on to two passes and one to four: seven runs.
  std::string tuned_job(const std::string& more = "") const {
    return ratings_job("{passes: 4, batch_size: 64}", R"(tune:
  space:
    optimizer.sparse.learning_rate: {log_uniform: [0.0001, 0.2]}
    model.embedding_dim: [4, 8]
  trials: 4
  eta: 2
  metric: ndcg@10
)" + more);
  }

  std::vector<boost::json::object> outcomes() const {
    std::vector<boost::json::object> lines;
    std::istringstream text(text_of(path("work/tune/trials.jsonl")));
    std::string line;
    for (std::getline(text, line); std::getline(text, line);)
      lines.push_back(boost::json::parse(line).as_object());
    return lines;
  }

  void expect_complete_search() const {
    std::map<std::int64_t, int> reached;  // trials by passes
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    for (const auto& outcome : outcomes()) {
      EXPECT_EQ(outcome.at("failed"), "");
      const std::int64_t passes = outcome.at("passes").as_int64();
      EXPECT_TRUE(seen.emplace(outcome.at("trial").as_int64(), passes).second) << "a task was done twice";
      ++reached[passes];
    }
    EXPECT_EQ(reached, (std::map<std::int64_t, int>{{1, 4}, {2, 2}, {4, 1}}));
  }
};

TEST_F(Tune, FindsTheBestOnValidationAlone) {
  const Outcome done = run({"tune", tuned_job()});
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_TRUE(processes().empty());
  expect_complete_search();
  for (int trial = 1; trial <= 4; ++trial) {
    const auto report = json("work/tune/trial-00" + std::to_string(trial) + "/report.json");
    EXPECT_EQ(at(report, "state"), "done");
    EXPECT_TRUE(at(report, "test").is_null()) << "a trial was judged on test";
    EXPECT_EQ(number_at(report, "test_evaluations"), 0.0);
  }
  double best = 0.0;
  for (const auto& outcome : outcomes()) best = std::max(best, outcome.at("value").to_number<double>());
  EXPECT_THAT(done.out, HasSubstr(fmt::format("{:.5f}", best)));
  EXPECT_THAT(text_of(path("work/tune/best.yaml")), HasSubstr(fmt::format("ndcg@10 {:.5f}", best)));
  const Outcome last = run({"run", path("work/tune/best.yaml"), "--quiet"});
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_GT(number_at(json("report.json"), "test.model.ndcg@10"), 0.0);
}

TEST_F(Tune, GoesOnAfterAKillAndAfterCtrlC) {
  const std::string job_file = tuned_job();
  std::size_t before = 0;
  for (const int signal : {SIGKILL, SIGINT}) {
    const auto search = start({"tune", job_file});
    ASSERT_TRUE(eventually([&] { return outcomes().size() >= before + 2 || search->ended(); }, kPatience));
    ASSERT_TRUE(eventually([&] { return processes().size() >= 4 || search->ended(); }, kPatience));
    search->signal(signal);
    EXPECT_EQ(search->wait(kPatience), signal == SIGKILL ? 128 + SIGKILL : 1) << search->err();
    if (signal == SIGINT) EXPECT_THAT(search->err(), HasSubstr("goes on from here"));
    EXPECT_TRUE(all_gone());
    before = outcomes().size();
    EXPECT_LT(before, 7U);
  }
  const Outcome again = run({"tune", job_file});
  ASSERT_EQ(again.code, 0) << again.err << again.out;
  EXPECT_THAT(again.out, HasSubstr(fmt::format("which has {} outcomes already", before)));
  expect_complete_search();
  const Outcome nothing_left = run({"tune", job_file});
  EXPECT_EQ(nothing_left.code, 0) << nothing_left.err;
  EXPECT_EQ(outcomes().size(), 7U);
}

TEST_F(Tune, SeveralTrialsRunBesideEachOther) {
  const Outcome done = run({"tune", tuned_job("  parallel: 2\n")});
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_EQ(outcomes().size(), 7U);
  const auto first = done.out.find("trial 1, to"), second = done.out.find("trial 2, to");
  EXPECT_LT(first, second);
  EXPECT_LT(second, done.out.find("after 1 of 4 passes")) << done.out;
}

TEST_F(Tune, AnotherSearchNeedsAnotherFolder) {
  const std::string job_file = tuned_job("  min_passes: 4\n");
  ASSERT_EQ(run({"tune", job_file, "--set", "tune.trials=1"}).code, 0);
  const Outcome more = run({"tune", job_file, "--set", "tune.trials=2"});
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(outcomes().size(), 2U);
  const Outcome other = run({"tune", job_file, "--set", "seed=7"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("--out"));
}

// A model that cannot be made is a trial that failed, and its reason stands in the journal.
TEST_F(Tune, AFailedTrialIsToldAndTheOthersGoOn) {
  const std::string job_file = tuned_job("  min_passes: 4\n");
  const Outcome done =
      run({"tune", job_file, "--set", "tune.trials=2", "--set",
           "tune.space={optimizer.sparse.learning_rate: [1e30, 0.05]}", "--set", "train.max_bad_batches=0"});
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("failed: "));
  EXPECT_THAT(text_of(path("work/tune/best.yaml")), HasSubstr("learning_rate: 0.05"));
}

}  // namespace
}  // namespace capstan
