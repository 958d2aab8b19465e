#include "worker/data/dataset.h"

#include <algorithm>

namespace capstan {

std::span<const Key> FieldColumn::row_keys(std::uint64_t row) const {
  const auto all = keys.as<Key>();
  if (offsets.empty()) return all.subspan(row, 1);
  const auto bounds = offsets.as<std::uint64_t>();
  return all.subspan(bounds[row], bounds[row + 1] - bounds[row]);
}

std::span<const float> FieldColumn::row_weights(std::uint64_t row) const {
  if (weights.empty()) return {};
  const auto all = weights.as<float>();
  if (offsets.empty()) return all.subspan(row, 1);
  const auto bounds = offsets.as<std::uint64_t>();
  return all.subspan(bounds[row], bounds[row + 1] - bounds[row]);
}

std::span<const std::uint32_t> UserItems::of(std::uint32_t user) const {
  const auto bounds = offsets.as<std::uint64_t>();
  return values.as<std::uint32_t>().subspan(bounds[user], bounds[user + 1] - bounds[user]);
}

bool UserItems::contains(std::uint32_t user, std::uint32_t item) const {
  const auto items = of(user);
  return std::binary_search(items.begin(), items.end(), item);
}

}  // namespace capstan
