#include "worker/eval/ranking_part.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/rng.h"

namespace capstan {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

RankingPart part_of(std::vector<std::uint32_t> users, std::vector<double> recalls, std::vector<double> warm,
                    std::vector<std::uint32_t> lists) {
  RankingPart part;
  part.protocol = "full ranking, seen removed";
  part.metrics = {"recall@2"};
  part.coverage_cuts = {1, 2};
  part.gini_cuts = {2};
  part.test_items = 2 * users.size();
  part.users = std::move(users);
  part.values = std::move(recalls);
  part.warm_values = std::move(warm);
  part.list_length = 2;
  part.lists = std::move(lists);
  part.num_items = 4;
  return part;
}

TEST(RankingPart, SurvivesItsBytes) {
  RankingPart part = part_of({3, 9}, {0.5, 1}, {kNan, 1}, {0, 1, 3, kNoItem});
  part.cold_test_items = part.new_users = 1;
  const auto read = decode_ranking_part(encode(part).bytes());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->protocol, part.protocol);
  EXPECT_EQ(read->metrics, part.metrics);
  EXPECT_EQ(read->users, part.users);
  EXPECT_EQ(read->values, part.values);
  EXPECT_TRUE(std::isnan(read->warm_values[0]));
  EXPECT_EQ(read->lists, part.lists);
  EXPECT_EQ(read->coverage_cuts, part.coverage_cuts);
  EXPECT_EQ(read->gini_cuts, part.gini_cuts);
  EXPECT_EQ(read->test_items, 4U);
  EXPECT_EQ(read->cold_test_items, 1U);
  EXPECT_EQ(read->new_users, 1U);
}

TEST(RankingPart, EveryTruncationAndExtensionIsCorrupt) {
  const Buffer bytes = encode(part_of({3, 9}, {0.5, 1}, {0.5, 1}, {0, 1, 3, kNoItem}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = decode_ranking_part(bytes.bytes().first(size));
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
  const std::string longer = std::string(bytes.text()) + "x";
  EXPECT_FALSE(decode_ranking_part(std::as_bytes(std::span(longer))).ok());
}

TEST(RankingPart, DamagedBytesAreRefusedOrStillFitTogether) {
  const Buffer good = encode(part_of({3, 9}, {0.5, 1}, {0.5, 1}, {0, 1, 3, kNoItem}));
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    std::string bytes(good.text());
    for (std::uint64_t i = 1 + rng.below(3); i > 0; --i) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    }
    const auto read = decode_ranking_part(std::as_bytes(std::span(bytes)));
    if (!read.ok()) {
      EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << "seed " << seed;
      continue;
    }
    ASSERT_EQ(read->values.size(), read->users.size() * read->metrics.size()) << "seed " << seed;
    if (read->num_items < 1000) {
      EXPECT_TRUE(merge({*read}).ok()) << "seed " << seed;
    }
  }
}

TEST(RankingPart, RandomBytesAreRefused) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Rng rng(seed);
    std::string noise(rng.below(200), '\0');
    for (char& byte : noise) byte = static_cast<char>(rng.below(256));
    EXPECT_FALSE(decode_ranking_part(std::as_bytes(std::span(noise))).ok()) << "seed " << seed;
  }
}

TEST(RankingPart, MergesInUserOrderWhateverTheOrderOfParts) {
  const auto a = part_of({1, 5}, {0, 1}, {kNan, 1}, {0, 1, 0, 2});
  const auto b = part_of({2}, {0.5}, {1}, {0, kNoItem});
  for (const auto& summary : {merge({a, b}), merge({b, a})}) {
    ASSERT_TRUE(summary.ok());
    EXPECT_EQ(summary->users.users, (std::vector<std::uint32_t>{1, 2, 5}));
    EXPECT_EQ(*column(summary->users, "recall@2"), (std::vector<double>{0, 0.5, 1}));
    EXPECT_NEAR(summary->metrics.at("recall@2"), 0.5, 1e-12);
    EXPECT_NEAR(summary->warm_only.at("recall@2"), 1.0, 1e-12);
    EXPECT_EQ(summary->warm_users, 2U);
    EXPECT_NEAR(summary->metrics.at("coverage@1"), 0.25, 1e-12);
    EXPECT_NEAR(summary->metrics.at("coverage@2"), 0.75, 1e-12);
    // Shown 3, 1, 1, 0 times: differences 2·(2+2+3+0+1+1) over 2·4·5.
    EXPECT_NEAR(summary->metrics.at("gini@2"), 18.0 / 40, 1e-12);
    EXPECT_EQ(summary->users.test_items, 6U);
  }
}

TEST(RankingPart, RefusesPartsThatDoNotBelongTogether) {
  const auto a = part_of({1}, {0}, {0}, {0, 1});
  auto other_protocol = part_of({2}, {0}, {0}, {0, 1});
  other_protocol.protocol = "sampled: 99 negatives";
  EXPECT_FALSE(merge({a, other_protocol}).ok());
  EXPECT_FALSE(merge({a, a}).ok());
  EXPECT_FALSE(merge(std::vector<RankingPart>{}).ok());
}

TEST(RankingPart, JsonSaysProtocolCountsAndWarmFigures) {
  auto part = part_of({1, 5}, {0, 1}, {kNan, 1}, {0, 1, 0, 2});
  part.cold_test_items = 1;
  part.new_users = 2;
  const std::string json = to_json(*merge({part}));
  for (const char* piece :
       {R"("protocol":"full ranking, seen removed")", R"("users":2)", R"("test_items":4)",
        R"("cold_test_items":1)", R"("new_users":2)", R"("recall@2":5E-1)", R"("warm_only":{"users":1,)"}) {
    EXPECT_NE(json.find(piece), std::string::npos) << piece << " in " << json;
  }
}

TEST(RankingPart, ComparesModelsOnTheSameUsersOnly) {
  const auto model = part_of({1, 5, 7}, {0.5, 1, 0.75}, {1, 1, 1}, {0, 1, 0, 2, 0, 1});
  const auto baseline = part_of({1, 5, 7}, {0.25, 0.75, 0.5}, {1, 1, 1}, {0, 1, 0, 2, 0, 1});
  const auto comparison = compare(model, baseline, "recall@2", {});
  ASSERT_TRUE(comparison.ok());
  EXPECT_NEAR(comparison->difference.low, 0.25, 1e-12);
  EXPECT_NEAR(comparison->difference.high, 0.25, 1e-12);
  EXPECT_NEAR(comparison->ratio.estimate, 1.5, 1e-12);
  EXPECT_LT(comparison->ratio.low, comparison->ratio.high);
  EXPECT_FALSE(compare(model, part_of({1}, {1}, {1}, {0, 1}), "recall@2", {}).ok());
  EXPECT_FALSE(compare(model, baseline, "ndcg@2", {}).ok());
}

}  // namespace
}  // namespace capstan
