// Which events a model or baseline may know, and which ones it is asked for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/data/dataset.h"

namespace capstan {

enum class EvalSplit : std::uint8_t { kValid, kTest };
enum class History : std::uint8_t { kTrain, kTrainValid };

// Like UserItems::of, but nothing for a set that was never made (a dataset without validation).
std::span<const std::uint32_t> items_of(const UserItems& sets, std::uint32_t user);

const UserItems& asked_items(const Dataset& dataset, EvalSplit split);

// What stands before the split and is never recommended again: train, and at test also validation.
History seen_before(EvalSplit split);

UserItems history_items(const Dataset& dataset, History history);

// How many users have each item: [num_items].
std::vector<std::uint32_t> users_per_item(const UserItems& sets, std::uint32_t num_users,
                                          std::uint32_t num_items);

// The users of one of `num_partitions` contiguous parts of `users`; the parts' sizes differ by one at most.
std::span<const std::uint32_t> partition_of(std::span<const std::uint32_t> users, std::uint32_t partition,
                                            std::uint32_t num_partitions);

}  // namespace capstan
