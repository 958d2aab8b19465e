#include "worker/eval/comparison.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace capstan {
namespace {

RankingPart part_of(std::vector<std::uint32_t> users, std::vector<double> recalls) {
  RankingPart part;
  part.protocol = "full ranking, seen removed";
  part.metrics = {"recall@1"};
  part.test_items = users.size();
  part.lists.assign(users.size(), 0);
  part.users = std::move(users);
  part.warm_values = recalls;
  part.values = std::move(recalls);
  part.list_length = 1;
  part.num_items = 1;
  return part;
}

std::vector<Judged> first_half() {
  return {{"model", "mf (dim 16)", part_of({0, 1}, {1, 0.75})},
          {"item_knn", "item_knn (k 20)", part_of({0, 1}, {0.5, 0.25})}};
}
std::vector<Judged> second_half() {
  return {{"model", "mf (dim 16)", part_of({2}, {1})}, {"item_knn", "item_knn (k 20)", part_of({2}, {0.5})}};
}

TEST(Comparison, JoinsPartitionsAndComparesUserByUser) {
  const auto json = comparison_json({first_half(), second_half()}, {});
  ASSERT_TRUE(json.ok()) << json.error().message;
  for (const char* piece :
       {R"x("model":{"description":"mf (dim 16)","protocol":"full ranking, seen removed","users":3)x",
        R"x("item_knn":{"description":"item_knn (k 20)")x", R"("difference":[5E-1,5E-1,5E-1])",
        R"("model_against":{"item_knn":{"recall@1":)"}) {
    EXPECT_NE(json->find(piece), std::string::npos) << piece << " in " << *json;
  }
}

TEST(Comparison, ARatioToZerosIsNull) {
  const auto json = comparison_json(
      {{{"model", "", part_of({0, 1}, {1, 0})}, {"most_popular", "", part_of({0, 1}, {0, 0})}}}, {});
  ASSERT_TRUE(json.ok());
  EXPECT_NE(json->find(R"("ratio":[null,null,null])"), std::string::npos) << *json;
}

TEST(Comparison, RefusesPartitionsThatDiffer) {
  auto other = second_half();
  other[1].name = "ease";
  EXPECT_FALSE(comparison_json({first_half(), other}, {}).ok());
  other.pop_back();
  EXPECT_FALSE(comparison_json({first_half(), other}, {}).ok());
  EXPECT_FALSE(comparison_json({first_half(), first_half()}, {}).ok());
  EXPECT_FALSE(comparison_json({}, {}).ok());
  EXPECT_FALSE(comparison_json({{}}, {}).ok());
  auto other_users = first_half();
  other_users[1].part = part_of({0, 7}, {1, 1});
  EXPECT_FALSE(comparison_json({other_users}, {}).ok());
}

TEST(Comparison, SurvivesItsBytesAndRefusesOthers) {
  const Buffer bytes = encode(first_half());
  const auto read = decode_judged(bytes.bytes());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*comparison_json({*read, second_half()}, {}),
            *comparison_json({first_half(), second_half()}, {}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto truncated = decode_judged(bytes.bytes().first(size));
    ASSERT_FALSE(truncated.ok()) << size;
    EXPECT_EQ(truncated.error().code, ErrorCode::kCorrupt);
  }
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    std::string damaged(bytes.text());
    damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    const auto result = decode_judged(std::as_bytes(std::span(damaged)));
    if (!result.ok()) {
      EXPECT_EQ(result.error().code, ErrorCode::kCorrupt) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace capstan
