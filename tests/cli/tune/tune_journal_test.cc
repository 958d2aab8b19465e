#include "cli/tune/tune_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cli/tune/tune.h"
#include "common/adapters/disk_files.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using testing::HasSubstr;

TrialOutcome outcome(std::uint32_t trial, std::uint32_t rung, double value) {
  TrialOutcome made;
  made.trial = trial;
  made.rung = rung;
  made.passes = rung + 1;
  made.settings = {{"model.dim", std::to_string(trial)}};
  made.better = made.value = value;
  made.best_pass = 1;
  return made;
}

TrialOutcome failure(std::uint32_t trial) {
  TrialOutcome made = outcome(trial, 0, std::numeric_limits<double>::quiet_NaN());
  made.failed = "auc is nan";
  return made;
}

class TuneJournalTest : public testing::Test {
 protected:
  Result<TuneJournal> open(const std::string& key = "key") {
    return TuneJournal::open(files_, folder_.path("trials.jsonl"), key);
  }
  void write_two() {
    auto journal = open();
    ASSERT_TRUE(journal.ok());
    ASSERT_TRUE(journal->append(outcome(0, 0, 0.25)).ok());
    ASSERT_TRUE(journal->append(failure(1)).ok());
  }
  TempDir folder_;
  DiskFiles files_;
};

TEST_F(TuneJournalTest, GoesOnWhereItWas) {
  write_two();
  const auto again = open();
  ASSERT_TRUE(again.ok()) << again.error().message;
  ASSERT_EQ(again->outcomes().size(), 2U);
  EXPECT_EQ(again->outcomes()[0].better, 0.25);
  EXPECT_EQ(again->outcomes()[0].settings, (Settings{{"model.dim", "0"}}));
  EXPECT_EQ(again->outcomes()[1].failed, "auc is nan");
  EXPECT_TRUE(std::isnan(again->outcomes()[1].better));
}

TEST_F(TuneJournalTest, AnothersIsRefused) {
  write_two();
  const auto other = open("other key");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(other.error().message, HasSubstr("--out"));
}

TEST_F(TuneJournalTest, ALineThatACrashCutOffIsLeftOut) {
  write_two();
  const std::string whole = folder_.read("trials.jsonl");
  for (const std::size_t cut : {1U, 20U}) {
    folder_.write("trials.jsonl", whole.substr(0, whole.size() - cut));
    auto journal = open();
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    EXPECT_EQ(journal->outcomes().size(), 1U);
    ASSERT_TRUE(journal->append(outcome(2, 0, 0.5)).ok());
    EXPECT_EQ(open()->outcomes().size(), 2U);
    EXPECT_EQ(open()->outcomes()[1].trial, 2U);
  }
  folder_.write("trials.jsonl", whole.substr(0, 5));
  EXPECT_TRUE(open()->outcomes().empty());
}

TEST_F(TuneJournalTest, OtherDamageIsToldWithItsLine) {
  write_two();
  std::string text = folder_.read("trials.jsonl");
  text.replace(text.find("\"trial\":1"), 9, "\"trial\":x");
  folder_.write("trials.jsonl", text);
  const auto damaged = open();
  ASSERT_FALSE(damaged.ok());
  EXPECT_THAT(damaged.error().message, HasSubstr("trials.jsonl:3"));
}

TEST(TrialsTable, ShowsEachTrialsFurthestBestFirst) {
  const std::vector<TrialOutcome> outcomes = {outcome(0, 0, 0.2), outcome(1, 0, 0.3), failure(2),
                                              outcome(1, 1, 0.4)};
  EXPECT_EQ(best_outcome(outcomes)->trial, 1U);
  EXPECT_EQ(best_outcome(outcomes)->rung, 1U);
  const std::string table = trials_table(outcomes, "ndcg@10");
  EXPECT_THAT(table, HasSubstr("ndcg@10"));
  EXPECT_LT(table.find("0.40000"), table.find("0.20000"));
  EXPECT_LT(table.find("0.20000"), table.find("failed"));
  EXPECT_EQ(table.find("0.30000"), std::string::npos);
  EXPECT_EQ(best_outcome({failure(0)}), nullptr);
}

}  // namespace
}  // namespace capstan
