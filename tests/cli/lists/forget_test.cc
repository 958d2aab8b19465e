// `capstan forget` on a folder of checkpoints, prepared data and a report made for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <set>
#include <span>

#include "cli/checkpoint_tables.h"
#include "common/config/load_job.h"
#include "tests/cli/made_checkpoints.h"
#include "tests/cli/run_here.h"
#include "worker/eval/kept_values.h"
#include "worker/program/model_program.h"

namespace capstan {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

// Users a, b, c and d; the job is a small mf whose rows are set by hand in two checkpoints.
class Forget : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string ratings = "user,item,time\n";
    int time = 0;
    for (const char* user : {"a", "b", "c", "d"}) {
      for (int item = 1; item <= 5; ++item)
        ratings += std::string(user) + ",i" + std::to_string(item) + "," + std::to_string(++time) + "\n";
    }
    made.dir.write("ratings.csv", ratings);
    job_path =
        made.dir.write("job.yaml", "job: made\ntask: ranking\nwork_dir: " + made.dir.path("work") +
                                       "\ndata:\n  format: csv\n  train: [" + made.dir.path("ratings.csv") +
                                       "]\n  user: user\n  item: item\n  time: time\n"
                                       "  split: {method: leave_one_out}\n"
                                       "  negatives: {per_positive: 1}\n"
                                       "model: {type: mf, embedding_dim: 2}\n"
                                       "checkpoint: {path: " +
                                       made.root() + "}\nreport: " + made.dir.path("report.json") + "\n");
    const auto loaded = load_job(job_path);
    ASSERT_TRUE(loaded.ok());
    auto program = ModelProgram::create(loaded->config);
    ASSERT_TRUE(program.ok()) << program.error().message;
    made.tables = (*program)->tables();
    names = (*program)->data().user_names;
    made.shards.clear();
    for (std::uint32_t shard = 0; shard < MadeCheckpoints::kShards; ++shard) {
      made.shards.push_back(std::make_unique<Shard>(shard, MadeCheckpoints::kShards));
      made.shards.back()->declare({made.tables});
    }
    const auto adjust = [&](Manifest& manifest) {
      manifest.data_fingerprint = (*program)->info().data_fingerprint;
    };
    set_rows(1.0F);
    made.cut(1, adjust);
    set_rows(2.0F);
    made.cut(2, adjust, 1);
    write_report();
  }

  void set_rows(float value) {
    for (std::uint32_t table = 0; table < made.tables.size(); ++table) {
      if (made.tables[table].dense) continue;
      for (Key key = 0; key < 4; ++key) made.set(table, key, value);
    }
  }

  void write_report() {
    KeptValues values;
    values.users = {"a", "b"};
    values.figures["model/ndcg@10"] = {0.25F, 0.75F};
    const auto bytes = encode(values);
    ASSERT_TRUE(bytes.ok());
    ASSERT_TRUE(made.files.publish(made.dir.path("report.values.npz"), bytes->bytes()).ok());
    const auto list = [](const char* user) {
      return boost::json::object{{"user", user},
                                 {"liked", boost::json::array{}},
                                 {"liked_by", "time"},
                                 {"items", boost::json::array{}}};
    };
    const boost::json::object report = {
        {"job", "made"},
        {"values", "report.values.npz"},
        {"test",
         {{"recommendations", boost::json::array{list("a"), list("b")}},
          {"text", "figures\n\nrecommendations, each with its score\nuser a, one\nuser b, two\n"}}}};
    made.dir.write("report.json", boost::json::serialize(report));
  }

  Outcome forget(const std::string& user, bool check) {
    std::vector<std::string> arguments = {"forget", job_path, "--user", user};
    if (check) arguments.emplace_back("--check");
    return capstan::run(arguments);
  }

  // By table and key: the rows of the one checkpoint that eval would read.
  std::map<std::pair<std::string, Key>, std::vector<std::byte>> rows() {
    std::map<std::pair<std::string, Key>, std::vector<std::byte>> all;
    const auto tables = CheckpointTables::open(made.files, made.root());
    EXPECT_TRUE(tables.ok()) << tables.error().message;
    for (std::uint32_t table = 0; tables.ok() && table < made.tables.size(); ++table) {
      tables->for_each_row(table, [&](Key key, std::span<const std::byte> row) {
        all[{made.tables[table].name, key}].assign(row.begin(), row.end());
      });
    }
    return all;
  }

  MadeCheckpoints made;
  std::string job_path;
  std::vector<std::string> names;  // of users, by index
};

TEST_F(Forget, TakesTheUserOutOfEverythingAndNobodyElse) {
  const auto before = rows();
  const Key own = static_cast<Key>(std::find(names.begin(), names.end(), "b") - names.begin());
  std::size_t of_user = 0;
  for (const auto& [place, row] : before) of_user += place.first.starts_with("user") && place.second == own;
  ASSERT_GT(of_user, 0U);

  const Outcome found = forget("b", true);
  EXPECT_EQ(found.code, 1) << found.err;
  for (const char* where : {"ckpt-000001, table user", "ckpt-000002, table user", "work/data/",
                            "recommendations in", "figures beside"})
    EXPECT_THAT(found.out, HasSubstr(where));
  EXPECT_EQ(rows(), before);  // looking changes nothing

  const Outcome done = forget("b", false);
  EXPECT_EQ(done.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("nothing is left"));
  EXPECT_THAT(done.out, HasSubstr("5 event(s) of the user"));

  const auto after = rows();
  EXPECT_EQ(after.size() + of_user, before.size());
  for (const auto& [place, row] : after) {
    EXPECT_FALSE(place.first.starts_with("user") && place.second == own) << place.first;
    EXPECT_EQ(row, before.at(place)) << place.first << " " << place.second;
  }
  EXPECT_FALSE(fs::exists(made.directory(1)));
  EXPECT_FALSE(fs::exists(made.directory(2)));
  for (const auto& left : fs::directory_iterator(made.dir.path("work/data")))
    EXPECT_EQ(left.path().extension(), ".lock") << left.path();
  EXPECT_FALSE(fs::exists(made.dir.path("work/forget")));
  const auto report = made.files.read(made.dir.path("report.json"));
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(std::string(report->text()), Not(HasSubstr("user b")));
  EXPECT_THAT(std::string(report->text()), HasSubstr("user a"));
  const auto values = decode_kept_values(made.files.read(made.dir.path("report.values.npz")).value());
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->users, (std::vector<std::string>{"a"}));
  EXPECT_EQ(values->figures.at("model/ndcg@10"), (std::vector<float>{0.25F}));

  const Outcome again = forget("b", true);
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_EQ(forget("a", true).code, 1);  // is still there
}

TEST_F(Forget, ADamagedCheckpointMayHoldRowsAndGoesToo) {
  const auto manifest = read_manifest(made.files, made.directory(1));
  ASSERT_TRUE(manifest.ok());
  made.cut(3, [&](Manifest& made_manifest) { made_manifest.data_fingerprint = manifest->data_fingerprint; });
  const std::string file = made.directory(1) + "/" + manifest->sections.front().file;
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_THAT(forget("b", true).out, HasSubstr("cannot be read"));
  EXPECT_EQ(forget("b", false).code, 0);
  EXPECT_FALSE(fs::exists(made.directory(1)));
}

TEST_F(Forget, RowsOfOtherDataAreNotGuessed) {
  made.cut(4, [](Manifest& manifest) { manifest.data_fingerprint = 1; });
  const Outcome done = forget("b", false);
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("other data"));
  EXPECT_TRUE(fs::exists(made.directory(4)));
}

TEST_F(Forget, AnUnknownUserIsSaid) {
  const Outcome done = forget("nobody", false);
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("nobody is not in the job's data"));
}

}  // namespace
}  // namespace capstan
