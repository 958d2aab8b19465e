// Re-rankers against naive implementations on random candidates, and by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "common/rng.h"
#include "worker/rerank/calibrated.h"
#include "worker/rerank/category_cap.h"
#include "worker/rerank/chain.h"
#include "worker/rerank/dpp.h"
#include "worker/rerank/mmr.h"
#include "worker/rerank/random_share.h"

namespace capstan {
namespace {

using Categories = ItemCategories;

// Random items with scores, item i being item i of the catalogue.
struct Pool {
  Pool(std::uint64_t seed, std::uint32_t n, std::uint32_t kinds) : rng(seed) {
    std::vector<float> scores;
    for (std::uint32_t i = 0; i < n; ++i) {
      items.push_back(i);
      scores.push_back(static_cast<float>(rng.uniform()));
      std::set<std::uint32_t> own;
      for (std::uint64_t k = rng.below(3); k-- > 0;)
        own.insert(static_cast<std::uint32_t>(1 + rng.below(kinds)));
      categories.emplace_back(own.begin(), own.end());
      for (std::uint32_t d = 0; d < kDim; ++d) vectors.push_back(static_cast<float>(rng.uniform()) - 0.3F);
    }
    std::sort(scores.rbegin(), scores.rend());
    relevance = scaled(scores);
    for (std::uint32_t i = 0; i < 5; ++i) history.push_back(static_cast<std::uint32_t>(rng.below(n)));
  }
  Candidates candidates(std::uint32_t length) const { return {items, relevance, history, length, 7}; }
  ItemSimilarity similarity() const { return ItemSimilarity::of_vectors(vectors, kDim, kDim); }

  static constexpr std::uint32_t kDim = 6;
  Rng rng;
  std::vector<std::uint32_t> items, history;
  std::vector<double> relevance;
  Categories categories;
  std::vector<float> vectors;
};

// The list that grows by the candidate with the largest value(list, candidate).
template <typename Value>
Choice naive_greedy(std::size_t n, std::size_t length, const Value& value) {
  Choice choice;
  while (choice.size() < std::min(length, n)) {
    double best_value = -std::numeric_limits<double>::infinity();
    std::uint32_t best = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (std::find(choice.begin(), choice.end(), i) != choice.end()) continue;
      const double here = value(choice, i);
      if (here > best_value) {
        best_value = here;
        best = i;
      }
    }
    choice.push_back(best);
  }
  return choice;
}

TEST(Mmr, IsTheGreedyChoiceByItsFormula) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Pool pool(seed, 30, 4);
    const ItemSimilarity similarity = pool.similarity();
    const double weight = static_cast<double>(seed % 11) / 10.0;
    const auto value = [&](const Choice& list, std::uint32_t i) {
      double nearest = list.empty() ? 0.0 : -1.0;
      for (const std::uint32_t j : list) nearest = std::max(nearest, similarity.between(i, j));
      return weight * pool.relevance[i] - (1.0 - weight) * nearest;
    };
    EXPECT_EQ(choose_mmr(pool.candidates(10), similarity, weight), naive_greedy(30, 10, value)) << seed;
  }
}

using Rows = std::vector<std::vector<double>>;

// By elimination with the largest pivot.
double determinant(Rows rows) {
  double result = 1.0;
  for (std::size_t step = 0; step < rows.size(); ++step) {
    std::size_t pivot = step;
    for (std::size_t row = step; row < rows.size(); ++row) {
      if (std::abs(rows[row][step]) > std::abs(rows[pivot][step])) pivot = row;
    }
    if (pivot != step) result = -result;
    std::swap(rows[pivot], rows[step]);
    result *= rows[step][step];
    for (std::size_t row = step + 1; row < rows.size(); ++row) {
      const double factor = rows[row][step] / rows[step][step];
      for (std::size_t column = step; column < rows.size(); ++column)
        rows[row][column] -= factor * rows[step][column];
    }
  }
  return result;
}

TEST(Dpp, FastChoiceIsTheNaiveOneToTheLastIndex) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    constexpr std::uint32_t kSize = 24;
    const std::size_t rank = 12 + seed % 13;
    Rows root(kSize, std::vector<double>(rank)), kernel(kSize, std::vector<double>(kSize));
    for (auto& row : root) {
      for (double& value : row) value = rng.uniform() - 0.5;
    }
    for (std::uint32_t i = 0; i < kSize; ++i) {
      for (std::uint32_t j = 0; j < kSize; ++j)
        kernel[i][j] = std::inner_product(root[i].begin(), root[i].end(), root[j].begin(), 0.0);
    }
    const auto log_det = [&](const Choice& list, std::uint32_t i) {
      Choice with = list;
      with.push_back(i);
      Rows chosen;
      for (const std::uint32_t a : with) {
        chosen.emplace_back();
        for (const std::uint32_t b : with) chosen.back().push_back(kernel[a][b]);
      }
      return std::log(determinant(std::move(chosen)));
    };
    const Kernel entry = [&](std::uint32_t i, std::uint32_t j) { return kernel[i][j]; };
    EXPECT_EQ(greedy_determinant(entry, kSize, 10), naive_greedy(kSize, 10, log_det)) << seed;
  }
}

TEST(Dpp, EndsWhereNothingNewIsLeft) {
  // Three directions, each twice: a fourth index adds nothing.
  const Kernel kernel = [](std::uint32_t i, std::uint32_t j) { return i % 3 == j % 3 ? 1.0 : 0.0; };
  EXPECT_EQ(greedy_determinant(kernel, 6, 5), (Choice{0, 1, 2}));
}

TEST(Dpp, ItsWeightTradesScoresForDistance) {
  const Pool pool(3, 40, 4);
  const ItemSimilarity similarity = pool.similarity();
  double relevance_before = -1.0, distance_before = 2.0;
  for (const double weight : {0.0, 0.9}) {
    const Choice choice = choose_dpp(pool.candidates(10), similarity, weight);
    double relevance = 0.0;
    for (const std::uint32_t i : choice) relevance += pool.relevance[i];
    const double distance = intra_list_distance(choice, similarity);
    EXPECT_GT(relevance, relevance_before) << weight;
    EXPECT_LT(distance, distance_before) << weight;
    relevance_before = relevance;
    distance_before = distance;
  }
  EXPECT_TRUE(choose_dpp(pool.candidates(10), similarity, 1.0).empty());
}

TEST(Calibrated, IsTheGreedyChoiceByItsFormula) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Pool pool(seed, 25, 5);
    const double weight = static_cast<double>(seed % 11) / 10.0;
    const Shares wanted = category_shares(pool.history, pool.categories);
    const auto value = [&](const Choice& list, std::uint32_t i) {
      Choice with = list;
      with.push_back(i);
      const double divergence = calibration_distance(wanted, category_shares(with, pool.categories));
      return weight * pool.relevance[i] - (1.0 - weight) * divergence;
    };
    EXPECT_EQ(choose_calibrated(pool.candidates(8), pool.categories, weight), naive_greedy(25, 8, value))
        << seed;
  }
}

TEST(Calibrated, DistanceByHand) {
  const Categories categories = {{1}, {2}, {1, 2}, {}};
  const std::vector<std::uint32_t> history = {0, 0, 1, 1, 3}, all_one = {0}, even = {2};
  const Shares wanted = category_shares(history, categories);
  EXPECT_DOUBLE_EQ(wanted.at(1), 0.5);  // the item without categories does not count
  EXPECT_NEAR(calibration_distance(wanted, category_shares(even, categories)), 0.0, 1e-12);
  // .5 log(.5 / (.99 + .005)) + .5 log(.5 / .005)
  EXPECT_NEAR(calibration_distance(wanted, category_shares(all_one, categories)),
              0.5 * std::log(0.5 / 0.995) + 0.5 * std::log(100.0), 1e-12);
  EXPECT_NEAR(calibration_distance(wanted, {}), std::log(100.0), 1e-12);
  EXPECT_EQ(calibration_distance({}, category_shares(even, categories)), 0.0);
}

TEST(CategoryCap, NoCategoryHasMoreAndNobodyWaitsWithoutNeed) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Pool pool(seed, 40, 4);
    const Choice choice = choose_capped(pool.candidates(12), pool.categories, 2);
    std::map<std::uint32_t, int> counts;
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < 40 && next < 12; ++i) {
      bool full = false;
      for (const std::uint32_t category : pool.categories[i]) full = full || counts[category] == 2;
      const bool chosen = next < choice.size() && choice[next] == i;
      EXPECT_EQ(chosen, !full) << seed << " " << i;
      if (!chosen) continue;
      for (const std::uint32_t category : pool.categories[i]) ++counts[category];
      ++next;
    }
    for (const auto& [category, count] : counts) EXPECT_LE(count, 2);
  }
}

TEST(RandomShare, TheFirstPlacesStayAndTheLastAreDrawnEvenly) {
  const Pool pool(1, 20, 3);
  std::vector<int> drawn(20, 0);
  constexpr int kUsers = 4000;
  for (int user = 0; user < kUsers; ++user) {
    Candidates candidates = pool.candidates(10);
    candidates.seed = static_cast<std::uint64_t>(user);
    const Choice choice = choose_random_share(candidates, 0.3);
    ASSERT_EQ(choice.size(), 10U);
    for (std::uint32_t place = 0; place < 7; ++place) EXPECT_EQ(choice[place], place);
    EXPECT_EQ(std::set<std::uint32_t>(choice.begin(), choice.end()).size(), 10U);
    for (std::size_t place = 7; place < 10; ++place) ++drawn[choice[place]];
  }
  // 13 items share 3 places: each is drawn with chance 3/13, give or take five deviations.
  for (std::size_t i = 7; i < 20; ++i) EXPECT_NEAR(drawn[i], kUsers * 3.0 / 13.0, 135.0) << i;
}

TEST(ItemSimilarity, OfCategoriesIsTheCosineOfTheirSets) {
  const Categories categories = {{1, 2}, {2, 3, 4}, {}, {1, 2}};
  const ItemSimilarity similarity = ItemSimilarity::of_categories(categories);
  EXPECT_DOUBLE_EQ(similarity.between(0, 1), 1.0 / std::sqrt(6.0));
  EXPECT_DOUBLE_EQ(similarity.between(0, 3), 1.0);
  EXPECT_EQ(similarity.between(0, 2), 0.0);
  EXPECT_EQ(similarity.between(2, 2), 1.0);
  const std::vector<std::uint32_t> list = {0, 3, 2};
  EXPECT_DOUBLE_EQ(intra_list_distance(list, similarity), 2.0 / 3.0);
}

TEST(RerankChain, StepsFollowEachOtherAndLoseNoItem) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Pool pool(seed, 30, 3);
    Reranking reranking;
    for (const char* step : {"mmr=0.3,1@genre", "cap=1@genre", "random=0.2"})
      reranking.steps.push_back(parse_rerank_step(step).value());
    reranking.categories["genre"] = pool.categories;
    const RerankChain chain(reranking, 10);
    EXPECT_FALSE(chain.needs_vectors());
    const auto settings = rerank_settings(reranking.steps);
    ASSERT_TRUE(settings.ok());
    ASSERT_EQ(settings->size(), 2U);
    EXPECT_EQ(settings->at(0).name, "mmr 0.3, cap 1, random 0.2");
    EXPECT_EQ(settings->at(1).value, 1.0);
    auto order = chain.order(settings->at(0), pool.candidates(10));
    // By hand: each step over the order of the one before.
    const ItemSimilarity similarity = ItemSimilarity::of_categories(pool.categories);
    std::vector<std::uint32_t> items = pool.items;
    const auto apply = [&](const Choice& choice) {
      std::vector<std::uint32_t> next;
      for (const std::uint32_t at : choice) next.push_back(items[at]);
      for (const std::uint32_t item : items) {
        if (std::find(next.begin(), next.end(), item) == next.end()) next.push_back(item);
      }
      items = next;
    };
    const auto now = [&] { return Candidates{items, pool.relevance, pool.history, 10, 7}; };
    apply(choose_mmr(now(), similarity, 0.3));
    apply(choose_capped(now(), pool.categories, 1));
    apply(choose_random_share(now(), 0.2));
    EXPECT_EQ(order, items);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, pool.items);
  }
}

TEST(RerankStep, IsReadOrSaysWhatIsWrong) {
  const auto step = parse_rerank_step("mmr=0,0.25,1@genres");
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->values, (std::vector<double>{0.0, 0.25, 1.0}));
  EXPECT_EQ(step->by, "genres");
  EXPECT_TRUE(parse_rerank_step("dpp=0.5").value().by.empty());
  for (const char* bad : {"", "mmr", "mmr=", "mmr=2", "mmr=x", "mmr=-0.1", "cap=2", "cap=1.5@g", "cap=0@g",
                          "mmr@g=1", "random=0.1@g", "best=1", "calibrated=0.5", "mmr=0.5,"}) {
    EXPECT_FALSE(parse_rerank_step(bad).ok()) << bad;
  }
  EXPECT_FALSE(rerank_settings({*step, *step}).ok());
}

TEST(ItemCategories, OfTextsByTheirNames) {
  EXPECT_EQ(item_categories({"War|Action", "", "Drama", "Action|Action"}),
            (ItemCategories{{0, 2}, {}, {1}, {0}}));
}

TEST(Scaled, ByLowestAndHighest) {
  const std::vector<float> scores = {5.0F, 3.0F, 1.0F}, equal = {2.0F, 2.0F};
  EXPECT_EQ(scaled(scores), (std::vector<double>{1.0, 0.5, 0.0}));
  EXPECT_EQ(scaled(equal), (std::vector<double>{1.0, 1.0}));
}

}  // namespace
}  // namespace capstan
