#include "worker/eval/compare_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/rng.h"
#include "worker/eval/auc.h"
#include "worker/eval/logloss.h"
#include "worker/npz/npz_reader.h"
#include "worker/npz/npz_writer.h"

namespace capstan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Forty users; "model" is `gain` above what the seed gives.
KeptValues ranking_values(double gain, bool reversed = false) {
  Rng rng(1);
  KeptValues kept;
  std::vector<float> values;
  for (int user = 0; user < 40; ++user) {
    kept.users.push_back("user " + std::to_string(user));
    values.push_back(static_cast<float>(rng.uniform() + gain * (0.5 + rng.uniform())));
  }
  if (reversed) std::reverse(kept.users.begin(), kept.users.end());
  if (reversed) std::reverse(values.begin(), values.end());
  kept.figures["model/ndcg@10"] = values;
  kept.figures["model/hr@10"] = std::vector<float>(40, 1.0F);
  return kept;
}

KeptValues click_values(double noise) {
  Rng rng(2);
  KeptValues kept;
  for (int i = 0; i < 300; ++i) {
    const double truth = rng.uniform();
    kept.labels.push_back(rng.uniform() < truth ? 1.0F : 0.0F);
    kept.scores.push_back(static_cast<float>(std::clamp(truth + noise * (rng.uniform() - 0.5), 0.01, 0.99)));
  }
  return kept;
}

ComparedMetric compared(const KeptValues& a, const KeptValues& b, const std::string& metric) {
  auto row = compare_metric(a, "model", b, "model", metric, {500, 0.95, 1});
  EXPECT_TRUE(row.ok()) << row.error().message;
  std::vector<ComparedMetric> rows = {std::move(row).value()};
  correct(rows);
  return rows[0];
}

TEST(KeptValues, ComeBackFromTheirFile) {
  KeptValues kept = ranking_values(0.1);
  kept.users[3] = "Ünïcode";
  const auto again = decode_kept_values(*encode(kept));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->users, kept.users);
  EXPECT_EQ(again->figures, kept.figures);
  const KeptValues clicks = click_values(0.1);
  EXPECT_EQ(decode_kept_values(*encode(clicks))->scores, clicks.scores);
  EXPECT_EQ(decode_kept_values(*encode(clicks))->labels, clicks.labels);
}

TEST(KeptValues, LongNamesStayDistinct) {
  const std::string base(100, 'x');
  EXPECT_EQ(kept_name("short"), "short");
  EXPECT_LE(kept_name(base + "1").size(), 48U);
  EXPECT_NE(kept_name(base + "1"), kept_name(base + "2"));
}

TEST(KeptValues, DamageIsToldAndNeverRead) {
  const Buffer whole = *encode(ranking_values(0.1));
  std::string bytes(whole.text());
  EXPECT_EQ(decode_kept_values(Buffer::copy_of(bytes.substr(0, bytes.size() / 2))).error().code,
            ErrorCode::kCorrupt);
  bytes[200] = static_cast<char>(bytes[200] ^ 1);
  EXPECT_THAT(decode_kept_values(Buffer::copy_of(bytes)).error().message, HasSubstr("checksum"));
  EXPECT_FALSE(decode_kept_values(Buffer::copy_of("nothing of the kind")).ok());
  KeptValues torn = ranking_values(0.1);
  torn.figures["model/ndcg@10"].pop_back();
  EXPECT_THAT(decode_kept_values(*encode(torn)).error().message, HasSubstr("belong together"));
  torn = ranking_values(0.1);
  torn.users[1] = torn.users[0];
  EXPECT_FALSE(decode_kept_values(*encode(torn)).ok());
}

TEST(NpzReader, KnowsTypesAndNames) {
  NpzWriter writer = NpzWriter::in_memory();
  ASSERT_TRUE(writer.add("n", std::vector<std::uint64_t>{1, 2}).ok());
  ASSERT_TRUE(writer.add("m", std::vector<float>{1, 2, 3, 4, 5, 6}, 3).ok());
  ASSERT_TRUE(writer.add("t", std::vector<std::string>{"a", "", "ccc"}).ok());
  ASSERT_TRUE(writer.finish().ok());
  const auto reader = NpzReader::open(writer.take());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_THAT(reader->names(), ElementsAre("m", "n", "t"));
  EXPECT_THAT(*reader->floats("m"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(*reader->texts("t"), ElementsAre("a", "", "ccc"));
  EXPECT_EQ(reader->floats("n").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(reader->floats("x").error().code, ErrorCode::kNotFound);
}

TEST(CompareValues, PairsByNameWhateverTheOrder) {
  const auto row = compared(ranking_values(0.2), ranking_values(0.0, true), "ndcg@10");
  EXPECT_EQ(row.pairs, 40U);
  EXPECT_GT(row.difference.estimate, 0.1);
  EXPECT_NEAR(row.a - row.b, row.difference.estimate, 1e-12);
  EXPECT_LT(row.mean_test.p, 1e-9);
  EXPECT_LT(row.wilcoxon->p, 1e-9);
  EXPECT_TRUE(row.differs());
}

TEST(CompareValues, TheSameModelDoesNotDiffer) {
  const auto row = compared(ranking_values(0.1), ranking_values(0.1), "ndcg@10");
  EXPECT_EQ(row.mean_test.p, 1.0);
  EXPECT_EQ(row.wilcoxon->p, 1.0);
  EXPECT_FALSE(row.differs());
}

TEST(CompareValues, ClickMetricsAreThoseOfTheReport) {
  const KeptValues a = click_values(0.1), b = click_values(0.9);
  EXPECT_NEAR(compared(a, b, "auc").a, *auc(a.scores, a.labels), 1e-12);
  EXPECT_NEAR(compared(a, b, "logloss").b, logloss(b.scores, b.labels), 1e-6);
  const auto rmse = compared(a, b, "rmse");
  EXPECT_LT(rmse.a, rmse.b);
  EXPECT_FALSE(rmse.higher_is_better);
  EXPECT_LT(rmse.difference.low, rmse.a - rmse.b);
  EXPECT_GT(rmse.difference.high, rmse.a - rmse.b);
  EXPECT_FALSE(compared(a, b, "auc").wilcoxon.has_value());
  EXPECT_TRUE(compared(a, b, "auc").differs());
  EXPECT_LT(compared(a, b, "auc").mean_test.p, 0.01);
}

// Most users gain a little, a few lose much: no test alone tells the whole of it.
TEST(CompareValues, TestsThatPointOppositeWaysAreNoDifference) {
  KeptValues a = ranking_values(0.0), b = ranking_values(0.0);
  auto& values = a.figures["model/ndcg@10"];
  const auto& before = b.figures["model/ndcg@10"];
  for (std::size_t i = 0; i < 40; ++i) values[i] = before[i] + (i % 8 == 0 ? -50.0F : 0.1F);
  const auto row = compared(a, b, "ndcg@10");
  EXPECT_LT(row.mean_corrected, 0.05);
  EXPECT_LT(row.wilcoxon_corrected, 0.05);
  EXPECT_EQ(row.mean_test.sign, -1);
  EXPECT_EQ(row.wilcoxon->sign, 1);
  EXPECT_FALSE(row.differs());
  EXPECT_TRUE(row.contradicts());
}

TEST(CompareValues, OthersUsersOrExamplesAreRefused) {
  KeptValues other = ranking_values(0.0);
  other.users[7] = "somebody else";
  const auto row = compare_metric(ranking_values(0.0), "model", other, "model", "ndcg@10", {});
  ASSERT_FALSE(row.ok());
  EXPECT_THAT(row.error().message, HasSubstr("of which 2 stand in only one of them"));
  KeptValues clicks = click_values(0.1);
  clicks.labels[0] = 1.0F - clicks.labels[0];
  EXPECT_FALSE(compare_metric(click_values(0.1), "model", clicks, "model", "auc", {}).ok());
}

TEST(CompareValues, ComparableAreWhatBothKeep) {
  KeptValues a = ranking_values(0.1), b = ranking_values(0.1);
  b.figures.erase("model/hr@10");
  EXPECT_THAT(comparable_metrics(a, "model", b, "model", {"ndcg@10", "hr@10", "gini@10"}),
              ElementsAre("ndcg@10"));
  EXPECT_THAT(comparable_metrics(a, "model", a, "model", {"ndcg@10", "hr@10"}),
              ElementsAre("hr@10", "ndcg@10"));
  EXPECT_THAT(comparable_metrics(click_values(0), "model", click_values(0), "model", {"gauc", "rmse", "auc"}),
              ElementsAre("auc", "rmse"));
}

TEST(CompareValues, HolmGoesOverAllRows) {
  std::vector<ComparedMetric> rows(3);
  rows[0].mean_test.p = 0.02;
  rows[1].mean_test.p = 0.03;
  rows[2].mean_test.p = 0.5;
  rows[1].wilcoxon = TestResult{0.0, 0.04, 1};
  correct(rows);
  EXPECT_NEAR(rows[0].mean_corrected, 0.06, 1e-12);
  EXPECT_NEAR(rows[1].mean_corrected, 0.06, 1e-12);
  EXPECT_NEAR(rows[1].wilcoxon_corrected, 0.04, 1e-12);
  EXPECT_FALSE(rows[0].differs());
}

}  // namespace
}  // namespace capstan
