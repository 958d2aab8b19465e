#include "worker/eval/history.h"

#include <algorithm>
#include <iterator>

#include "common/assert.h"

namespace capstan {

std::span<const std::uint32_t> items_of(const UserItems& sets, std::uint32_t user) {
  if (sets.offsets.empty()) return {};
  return sets.of(user);
}

const UserItems& asked_items(const Dataset& dataset, EvalSplit split) {
  return split == EvalSplit::kValid ? dataset.valid_items : dataset.test_items;
}

History seen_before(EvalSplit split) {
  return split == EvalSplit::kValid ? History::kTrain : History::kTrainValid;
}

UserItems history_items(const Dataset& dataset, History history) {
  if (history == History::kTrain) return dataset.train_items;
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> values;
  for (std::uint32_t user = 0; user < dataset.num_users; ++user) {
    const auto train = items_of(dataset.train_items, user);
    const auto valid = items_of(dataset.valid_items, user);
    std::set_union(train.begin(), train.end(), valid.begin(), valid.end(), std::back_inserter(values));
    offsets.push_back(values.size());
  }
  return {Buffer::adopt(std::move(offsets)), Buffer::adopt(std::move(values))};
}

std::vector<std::uint32_t> users_per_item(const UserItems& sets, std::uint32_t num_users,
                                          std::uint32_t num_items) {
  std::vector<std::uint32_t> counts(num_items, 0);
  for (std::uint32_t user = 0; user < num_users; ++user) {
    for (const std::uint32_t item : items_of(sets, user)) ++counts[item];
  }
  return counts;
}

std::span<const std::uint32_t> partition_of(std::span<const std::uint32_t> users, std::uint32_t partition,
                                            std::uint32_t num_partitions) {
  CAPSTAN_ASSERT(partition < num_partitions, "a partition of the users");
  const std::size_t begin = users.size() * partition / num_partitions;
  const std::size_t end = users.size() * (partition + 1ULL) / num_partitions;
  return users.subspan(begin, end - begin);
}

}  // namespace capstan
