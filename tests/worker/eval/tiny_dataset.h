// Small ranking datasets made by hand or by a seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/rng.h"
#include "worker/data/dataset.h"

namespace capstan {

using ItemLists = std::vector<std::vector<std::uint32_t>>;

inline UserItems user_items(ItemLists lists) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> values;
  for (auto& list : lists) {
    std::sort(list.begin(), list.end());
    values.insert(values.end(), list.begin(), list.end());
    offsets.push_back(values.size());
  }
  return {Buffer::adopt(std::move(offsets)), Buffer::adopt(std::move(values))};
}

// Lists are [users]; an empty `valid` means no validation split.
inline Dataset ranking_dataset(std::uint32_t num_items, ItemLists train, ItemLists valid, ItemLists test) {
  Dataset dataset;
  dataset.task = Task::kRanking;
  dataset.num_users = static_cast<std::uint32_t>(train.size());
  dataset.num_items = num_items;
  dataset.train_items = user_items(std::move(train));
  if (!valid.empty()) dataset.valid_items = user_items(std::move(valid));
  dataset.test_items = user_items(std::move(test));
  return dataset;
}

// Users of two tastes (even and odd items), each with 3/5 train, 1/5 valid and 1/5 test of `per_user` items.
inline Dataset random_dataset(std::uint64_t seed, std::uint32_t num_users, std::uint32_t num_items,
                              std::uint32_t per_user) {
  Rng rng(seed);
  ItemLists train(num_users), valid(num_users), test(num_users);
  for (std::uint32_t user = 0; user < num_users; ++user) {
    std::vector<std::uint32_t> items;
    for (std::uint32_t item = user % 2; item < num_items; item += 2) items.push_back(item);
    if (num_items > 4) items.push_back((user % 2 == 0 ? 1U : 0U));
    for (std::size_t i = items.size() - 1; i > 0; --i) std::swap(items[i], items[rng.below(i + 1)]);
    for (std::uint32_t i = 0; i < per_user && i < items.size(); ++i) {
      (i % 5 < 3 ? train : i % 5 == 3 ? valid : test)[user].push_back(items[i]);
    }
  }
  return ranking_dataset(num_items, std::move(train), std::move(valid), std::move(test));
}

}  // namespace capstan
