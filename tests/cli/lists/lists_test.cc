// `capstan rerank` and `capstan audit` on a checkpoint made for them, over a folder in MovieLens-100k's
// layout.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

#include "common/config/load_job.h"
#include "common/rng.h"
#include "tests/cli/made_checkpoints.h"
#include "tests/cli/run_here.h"
#include "worker/program/model_program.h"

namespace capstan {
namespace {

using testing::HasSubstr;
namespace json = boost::json;

constexpr int kUsers = 12, kItems = 30;

class Lists : public ::testing::Test {
 protected:
  void SetUp() override {
    Rng rng(4);
    std::string events, items, users;
    for (int user = 1; user <= kUsers; ++user) {
      users += std::to_string(user) + "|" + std::to_string(15 + 4 * user) + (user % 3 == 0 ? "|F" : "|M") +
               "|other|00000\n";
      for (int n = 0; n < 10; ++n) {
        events += std::to_string(user) + "\t" + std::to_string(1 + (7 * n + 5 * user) % kItems) + "\t" +
                  std::to_string(1 + rng.below(5)) + "\t" + std::to_string(100 * user + n) + "\n";
      }
    }
    for (int item = 1; item <= kItems; ++item) {
      items += std::to_string(item) + "|Film " + std::to_string(item) + "|||";
      for (int genre = 0; genre < 19; ++genre) items += genre == 1 + item % 4 ? "|1" : "|0";
      items += "\n";
    }
    made.dir.write("ml/u.data", events);
    made.dir.write("ml/u.item", items);
    made.dir.write("ml/u.user", users);
  }

  // A checkpoint of random rows for the job.
  void make(const std::string& task, const std::string& more = "", const std::string& split = "ratio") {
    const std::string negatives = task == "ranking" ? "  negatives: {per_positive: 1}\n" : "";
    job_path = made.dir.write("job.yaml",
                              "job: made\ntask: " + task + "\nwork_dir: " + made.dir.path("work") +
                                  "\ndata:\n  format: movielens\n  train: [" + made.dir.path("ml") +
                                  "]\n  split: {method: " + split + ", test: 0.3, valid: 0}\n" + negatives +
                                  "model: {type: mf, embedding_dim: 2}\n"
                                  "evaluate: {at: [5], bootstrap: 50" +
                                  more + "}\ncheckpoint: {path: " + made.root() + "}\n");
    const auto loaded = load_job(job_path);
    ASSERT_TRUE(loaded.ok());
    auto program = ModelProgram::create(loaded->config);
    ASSERT_TRUE(program.ok()) << program.error().message;
    made.tables = (*program)->tables();
    made.shards.clear();
    for (std::uint32_t shard = 0; shard < MadeCheckpoints::kShards; ++shard) {
      made.shards.push_back(std::make_unique<Shard>(shard, MadeCheckpoints::kShards));
      made.shards.back()->declare({made.tables});
    }
    Rng rng(9);
    for (std::uint32_t table = 0; table < made.tables.size(); ++table) {
      for (Key key = 0; key < kItems && !made.tables[table].dense; ++key)
        made.set(table, key, static_cast<float>(rng.normal()));
    }
    made.cut(1, [&](Manifest& manifest) { manifest.data_fingerprint = (*program)->info().data_fingerprint; });
  }

  json::object report(std::vector<std::string> arguments) {
    const std::string path = made.dir.path("found.json");
    arguments.insert(arguments.end(), {"--report", path});
    const Outcome outcome = capstan::run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    text = outcome.out;
    const auto bytes = made.files.read(path);
    EXPECT_TRUE(bytes.ok());
    return bytes.ok() ? json::parse({bytes->text().data(), bytes->size()}).as_object() : json::object();
  }

  MadeCheckpoints made;
  std::string job_path, text;
};

TEST_F(Lists, ARerankedCurveEndsAtTheModelsOwnOrder) {
  make("ranking");
  for (const char* step : {"mmr=0,0.5,1@genres", "dpp=0,0.5,1@genres", "calibrated=0,0.5,1@genres"}) {
    const json::object found = report({"rerank", job_path, "--step", step});
    const json::array& settings = found.at("rerank").as_array();
    ASSERT_EQ(settings.size(), 4U) << step;
    const json::object &model = settings[0].as_object(), &diverse = settings[1].as_object(),
                       &last = settings[3].as_object();
    for (const auto& [name, value] : model) {
      if (std::string_view(name.data(), name.size()).find('@') == std::string_view::npos) continue;
      EXPECT_NEAR(last.at(name).to_number<double>(), value.to_number<double>(), 1e-12) << step << " " << name;
    }
    const bool calibrated = std::string_view(step).starts_with("calibrated");
    const char* aim = calibrated ? "calibration@5" : "distance@5";
    const double before = model.at(aim).to_number<double>(), after = diverse.at(aim).to_number<double>();
    EXPECT_TRUE(calibrated ? after < before : after > before) << step << ": " << before << " to " << after;
  }
  EXPECT_THAT(text, HasSubstr("calibrated 0.5"));
}

TEST_F(Lists, WhatCannotBeRerankedIsSaid) {
  make("ranking");
  const auto error = [&](const std::string& step) {
    const Outcome outcome = capstan::run({"rerank", job_path, "--step", step});
    EXPECT_NE(outcome.code, 0) << step;
    return outcome.err;
  };
  EXPECT_THAT(error("best=1"), HasSubstr("best=1"));
  EXPECT_THAT(error("cap=2@genre"), HasSubstr("genres"));
  make("ranking", ", sampled_negatives: 5");
  EXPECT_THAT(error("mmr=0.5"), HasSubstr("sampled"));
}

TEST_F(Lists, AnAuditsGroupsTogetherAreEverybody) {
  make("ranking");
  const json::object found =
      report({"audit", job_path, "--users", "gender", "--users", "age=30,50", "--items", "genres"});
  const json::array& columns = found.at("users").as_array();
  ASSERT_EQ(columns.size(), 2U);
  double whole = 0.0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    double sum = 0.0, users = 0.0;
    for (const json::value& group : columns[i].at("groups").as_array()) {
      const double count = group.at("users").to_number<double>();
      sum += count * group.at("mean").at("estimate").to_number<double>();
      users += count;
    }
    if (i == 0) whole = sum / users;
    EXPECT_NEAR(sum / users, whole, 1e-12);
  }
  EXPECT_EQ(columns[0].at("groups").at(0).at("group").as_string(), "F");
  EXPECT_EQ(columns[1].at("groups").as_array().size(), 3U);
  const Outcome eval = capstan::run({"eval", job_path});
  EXPECT_THAT(eval.out, HasSubstr(std::to_string(whole).substr(0, 5)));
  double exposure = 0.0;
  for (const json::value& group : found.at("items").at(0).at("groups").as_array())
    exposure += group.at("share_of_exposure").to_number<double>();
  EXPECT_NEAR(exposure, 1.0, 1e-12);
  EXPECT_THAT(text, HasSubstr("users by age=30,50"));
}

TEST_F(Lists, NewUsersStandApart) {
  make("ranking", "", "global_time");
  const json::object found = report({"audit", job_path, "--users", "history=1"});
  const json::array& groups = found.at("users").at(0).at("groups").as_array();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].at("group").as_string(), "below 1");
  // Each user's ten events follow those of the one before: behind 70 % of all come three users and a bit.
  EXPECT_EQ(groups[0].at("users").to_number<int>(), 3);
  EXPECT_EQ(groups[1].at("users").to_number<int>(), 1);
}

TEST_F(Lists, AnAuditOfRatingsHasUnfairnessBesideChance) {
  make("rating");
  const json::object found = report({"audit", job_path, "--users", "gender"});
  const json::array& groups = found.at("users").at(0).at("groups").as_array();
  ASSERT_EQ(groups.size(), 2U);
  const json::value& female = groups[0].at("unfairness");
  const json::value& male = groups[1].at("unfairness");
  // Of two groups each is the other's rest: the formulas are symmetric.
  for (const char* figure : {"value", "absolute", "under", "over"}) {
    EXPECT_NEAR(female.at(figure).at("estimate").to_number<double>(),
                male.at(figure).at("estimate").to_number<double>(), 1e-12);
    // The rows here predict less than anybody gave, so nothing is too high.
    const double by_chance = female.at("by_chance").at(figure).to_number<double>();
    EXPECT_EQ(by_chance > 0.0, std::string_view(figure) != "over") << figure;
  }
  const Outcome wrong = capstan::run({"audit", job_path, "--users", "sex"});
  EXPECT_NE(wrong.code, 0);
  EXPECT_THAT(wrong.err, HasSubstr("gender"));
}

}  // namespace
}  // namespace capstan
