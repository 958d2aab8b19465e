// The past of each event: which events of its group came strictly before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

#include "common/result.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Rows by (group, time, row).
template <typename Group>
std::vector<std::uint64_t> by_group_and_time(std::span<const Group> groups,
                                             std::span<const std::int64_t> times) {
  std::vector<std::uint64_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::sort(order.begin(), order.end(), [&](std::uint64_t a, std::uint64_t b) {
    return std::tuple(groups[a], times[a], a) < std::tuple(groups[b], times[b], b);
  });
  return order;
}

// The places [begin, end) in the order that hold an event's past.
struct Past {
  std::uint64_t begin, end;
};

// For each place of by_group_and_time()'s order.
template <typename Group>
std::vector<Past> past_in_order(std::span<const std::uint64_t> order, std::span<const Group> groups,
                                std::span<const std::int64_t> times) {
  std::vector<Past> past(order.size());
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < order.size(); ++i) {
    const bool same_group = i > 0 && groups[order[i]] == groups[order[i - 1]];
    if (!same_group) begin = i;
    if (!same_group || times[order[i]] != times[order[i - 1]]) end = i;
    past[i] = {begin, end};
  }
  return past;
}

inline Status needs_user_and_time(const TransformContext& context) {
  if (!context.users.empty() && !context.times.empty()) return ok_status();
  return make_error(ErrorCode::kInvalid, "needs data.user and data.time");
}

}  // namespace capstan
