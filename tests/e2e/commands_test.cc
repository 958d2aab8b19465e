// The commands that read a finished run: get, export, eval, recommend; and status, which asks a running one.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "tests/e2e/scene.h"
#include "tests/npz_file.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class Commands : public Scene {
 protected:
  // shown: the recommendations of user 1 as JSON.
  void expect_reasons_hold(const std::string& job_file, const std::string& shown);
};

void Commands::expect_reasons_hold(const std::string& job_file, const std::string& shown) {
  // The first recommendation that has a reason, with and without the named item.
  const auto users = boost::json::parse(shown).as_array();
  const boost::json::object* explained_item = nullptr;
  for (const auto& item : users.at(0).at("items").as_array()) {
    if (explained_item == nullptr && !item.at("because").as_array().empty())
      explained_item = &item.as_object();
  }
  ASSERT_NE(explained_item, nullptr) << shown;
  const auto& reason = explained_item->at("because").as_array().at(0);
  const std::string named(reason.at("item").as_string());
  const Outcome without =
      run({"recommend", job_file, "--user", "1", "--count", "80", "--json", "--without", named});
  EXPECT_EQ(without.code, 0) << without.err;
  const double value = reason.at("value").to_number<double>();
  EXPECT_GT(value, 0.0);
  bool found = false;
  const auto left = boost::json::parse(without.out).as_array();
  for (const auto& item : left.at(0).at("items").as_array()) {
    EXPECT_NE(item.at("item"), boost::json::value(named));
    if (item.at("item") != explained_item->at("item")) continue;
    found = true;
    EXPECT_NEAR(item.at("score").to_number<double>(), explained_item->at("score").to_number<double>() - value,
                1e-4);
  }
  EXPECT_TRUE(found);
}

TEST_F(Commands, ReadAFinishedRun) {
  const std::string job_file =
      ratings_job("{passes: 3, batch_size: 64}", "checkpoint: {path: " + path("kept") + "}");
  const Outcome trained = run({"run", job_file});
  ASSERT_EQ(trained.code, 0) << trained.err << trained.out;

  const Outcome tsv = run({"export", path("kept"), "--out", path("tables"), "--format", "tsv"});
  EXPECT_EQ(tsv.code, 0) << tsv.err;
  const std::string items = text_of(path("tables/item.tsv"));
  EXPECT_GT(lines_of(items), 40U);
  EXPECT_LE(lines_of(items), 80U);
  std::istringstream first(items.substr(0, items.find('\n')));
  std::uint64_t key = 0;
  std::vector<float> weights;
  first >> key;
  for (float weight = 0; first >> weight;) weights.push_back(weight);
  EXPECT_GE(weights.size(), 8U);

  const Outcome npz = run({"export", path("kept"), "--out", path("tables")});
  EXPECT_EQ(npz.code, 0) << npz.err;
  const std::string zip = text_of(path("tables/item.npz"));
  const std::string keys = npy_in(zip, "keys.npy"), matrix = npy_in(zip, "weights.npy");
  EXPECT_EQ(keys.substr(0, 6), "\x93NUMPY");
  EXPECT_THAT(matrix, HasSubstr(fmt::format("'shape': ({}, {})", lines_of(items), weights.size())));
  EXPECT_EQ(npy_data(keys).size(), lines_of(items) * sizeof(std::uint64_t));
  EXPECT_EQ(number_in<std::uint64_t>(npy_data(keys), 0), key);
  EXPECT_EQ(number_in<float>(npy_data(matrix), 0), weights.at(0));

  const Outcome got = run({"get", "item", std::to_string(key), "--checkpoint", path("kept")});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, AllOf(HasSubstr(fmt::format("item key {} on ", key)),
                             HasSubstr(fmt::format("weights {:.6g}", weights.at(0))), HasSubstr("state")));
  EXPECT_NE(run({"get", "nothing", "1", "--checkpoint", path("kept")}).code, 0);

  const Outcome judged = run({"eval", job_file, "--report", path("eval.json")});
  EXPECT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(number_at(json("eval.json"), "test.model.recall@10"),
            number_at(json("report.json"), "test.model.recall@10"));
  EXPECT_THAT(serialize(at(json("eval.json"), "test.evaluated_on_test")), HasSubstr("capstan eval"));

  const Outcome without_intervals = run({"eval", job_file, "--set", "evaluate.bootstrap=0"});
  EXPECT_EQ(without_intervals.code, 0) << without_intervals.err;
  EXPECT_THAT(without_intervals.out, AllOf(HasSubstr("recall@10"), Not(HasSubstr("bootstrap"))));

  const Outcome otherwise_trained =
      run({"eval", job_file, "--set", "optimizer.sparse.learning_rate=0.5", "--report", path("eval.json")});
  EXPECT_EQ(otherwise_trained.code, 0) << otherwise_trained.err;
  EXPECT_EQ(number_at(json("eval.json"), "test.model.recall@10"),
            number_at(json("report.json"), "test.model.recall@10"));
  EXPECT_THAT(run({"eval", job_file, "--set", "model.embedding_dim=4"}).err, HasSubstr("dim 8 became 4"));
  EXPECT_THAT(run({"eval", job_file, "--set", "data.split.test=0.5"}).err, HasSubstr("data.split.test"));

  const Outcome shown = run({"recommend", job_file, "--user", "1", "--count", "5", "--json"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("{"));
  expect_reasons_hold(job_file, shown.out);
  const Outcome not_his = run({"recommend", job_file, "--user", "1", "--without", "no such film"});
  EXPECT_EQ(not_his.code, 1);
  EXPECT_THAT(not_his.err, HasSubstr("no item has the id or the title 'no such film'"));

  const Outcome nobody = run({"recommend", job_file, "--user", "nobody"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("user nobody is not in the data"));

  const Outcome explained = run({"check", job_file, "--explain"});
  EXPECT_EQ(explained.code, 0) << explained.err;
  EXPECT_THAT(explained.out,
              AllOf(ContainsRegex("passes: 3 +# .*job.yaml:"), ContainsRegex("push_window: .*#")));
}

// By step: the kinds of spans that the trace file has of it.
std::map<std::string, std::set<std::string>> steps_in(const boost::json::object& trace) {
  std::map<std::string, std::set<std::string>> steps;
  const boost::json::value events = at(trace, "traceEvents");
  for (const auto& event : events.as_array()) {
    if (event.at("ph") != "X") continue;
    const std::string step(event.at("args").at("step").as_string());
    steps[step].emplace(event.at("name").as_string());
  }
  return steps;
}

TEST_F(Commands, TraceTheStepsOfARunningJob) {
  const auto running = start({"run", ratings_job("{passes: 1000, batch_size: 64}")});
  ASSERT_TRUE(eventually([&] { return running->out().find("/1000 ") != std::string::npos; }, kPatience))
      << running->err() << running->out();
  const std::string scheduler = endpoint_in("work/scheduler.endpoint", *running);
  const std::vector<std::string> traced = {"trace", "--scheduler", scheduler,          "--job",
                                           job(),   "--out",       path("trace.json"), "--seconds"};
  const auto with = [&](const std::string& seconds) {
    std::vector<std::string> words = traced;
    words.push_back(seconds);
    return words;
  };
  const Outcome took = run(with("1"));
  EXPECT_EQ(took.code, 0) << took.err;
  EXPECT_THAT(took.out, AllOf(HasSubstr("compute"), HasSubstr("4 nodes")));
  const auto steps = steps_in(json("trace.json"));
  const std::set<std::string> whole = {"build",     "pull",       "pull call",  "compute",    "push",
                                       "push call", "serve pull", "apply push", "commit push"};
  EXPECT_TRUE(std::any_of(steps.begin(), steps.end(), [&](const auto& step) { return step.second == whole; }))
      << steps.size();

  EXPECT_EQ(run(with("0")).code, 2);
  running->signal(SIGINT);
  EXPECT_EQ(running->wait(kPatience), 1);
  const Outcome nobody = run(with("1"));
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr(scheduler));
}

TEST_F(Commands, ATraceThatCannotBeWrittenIsNotTaken) {
  const Outcome refused =
      run({"trace", "--scheduler", "tcp://127.0.0.1:1", "--job", job(), "--out", path("none/t.json")});
  EXPECT_EQ(refused.code, 2) << refused.out;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--out " + path("none/t.json") + " cannot be written"),
                                 HasSubstr("No such file")));
}

// However long the trace would take.
TEST_F(Commands, ATraceOfNobodyIsSoonOver) {
  const auto begun = std::chrono::steady_clock::now();
  const Outcome nobody =
      run({"trace", "--scheduler", "tcp://127.0.0.1:1", "--job", job(), "--seconds", "60"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("no answer from the cluster at tcp://127.0.0.1:1 within 5 s"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 40s);
}

TEST_F(Commands, AskARunningCluster) {
  const auto running = start({"run", ratings_job("{passes: 1000, batch_size: 64}")});
  ASSERT_TRUE(eventually([&] { return running->out().find("/1000 ") != std::string::npos; }, kPatience))
      << running->err() << running->out();
  const std::string scheduler = endpoint_in("work/scheduler.endpoint", *running);

  const Outcome words = run({"status", "--scheduler", scheduler, "--job", job()});
  EXPECT_EQ(words.code, 0) << words.err;
  EXPECT_THAT(words.out,
              AllOf(HasSubstr("job " + job() + ": running"), HasSubstr("ps-1"), HasSubstr("worker-1")));
  const Outcome as_json = run({"status", "--scheduler", scheduler, "--job", job(), "--json"});
  const auto status = boost::json::parse(as_json.out).as_object();
  EXPECT_EQ(at(status, "state"), "running");
  EXPECT_EQ(at(status, "nodes").as_array().size(), 4U);

  const Outcome rows = run({"get", "item", "0", "1", "2", "--scheduler", scheduler, "--job", job()});
  EXPECT_EQ(rows.code, 0) << rows.err;
  EXPECT_THAT(rows.out, HasSubstr("item key"));

  running->signal(SIGINT);
  EXPECT_EQ(running->wait(kPatience), 1);
  EXPECT_TRUE(processes().empty());
}

TEST_F(Commands, NobodyThere) {
  const Outcome outcome = run({"status", "--scheduler", "tcp://127.0.0.1:1", "--job", job()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("is it running, and is that its address?"));
  const Outcome no_address = run({"status", "--scheduler", "127.0.0.1:7000", "--job", job()});
  EXPECT_EQ(no_address.code, 2);
  EXPECT_THAT(no_address.err, HasSubstr("must be tcp://host:port"));
}

// Each round solves one side exactly, so that how the rows are spread over nodes makes no difference.
TEST_F(Commands, IalsGivesTheSameOnEveryShapeOfCluster) {
  const std::string job_file = ratings_job("{passes: 6, batch_size: 32}");
  std::vector<double> ndcg;
  for (const char* cluster :
       {"{servers: 1, workers: 1, threads: 1}", "{servers: 2, workers: 3, threads: 1}"}) {
    std::filesystem::remove_all(path("work"));
    const Outcome outcome =
        run({"run", job_file, "--set", "model={type: ials, embedding_dim: 6, ials_weight: 0.2}", "--set",
             std::string("cluster=") + cluster});
    ASSERT_EQ(outcome.code, 0) << outcome.err << outcome.out;
    const auto report = json("report.json");
    ndcg.push_back(number_at(report, "test.model.ndcg@10"));
    EXPECT_GT(ndcg.back(), 0.1);
  }
  EXPECT_NEAR(ndcg[0], ndcg[1], 2e-3) << "to rounding, which may swap two films";
}

}  // namespace
}  // namespace capstan
