#include "scheduler/node_stats.h"

namespace capstan {

namespace {

constexpr std::size_t kHistogramMax = 4096;  // buckets taken from a peer

json::value sum_of(const json::value& a, const json::value& b) {
  if (a.is_uint64() || a.is_int64()) {
    if (b.is_uint64() || b.is_int64()) {
      boost::system::error_code failed;
      const auto x = a.to_number<std::uint64_t>(failed);
      const auto y = failed ? 0 : b.to_number<std::uint64_t>(failed);
      if (!failed) return x + y;
    }
  }
  return a.to_number<double>() + b.to_number<double>();
}

void add_histogram(json::array& into, const json::array& from) {
  for (std::size_t n = 0; n < from.size() && n < kHistogramMax; ++n) {
    if (!from[n].is_number()) return;
    if (n == into.size()) {
      into.push_back(from[n]);
    } else {
      into[n] = sum_of(into[n], from[n]);
    }
  }
}

}  // namespace

json::object stats_of(const Node& node) {
  if (node.stats_json.empty()) return {};
  auto object = parse_json_object(node.stats_json);
  return object.ok() ? std::move(object).value() : json::object{};
}

json::object sum_stats(const Membership& membership, Role role) {
  json::object sum;
  for (const auto& [id, node] : membership.nodes()) {
    if (node.role != role) continue;
    // The shards of one that has gone are others', with their rows and their counts.
    if (role == Role::kServer && !node.alive) continue;
    for (const auto& member : stats_of(node)) {
      if (member.value().is_number()) {
        json::value& total = sum[member.key()];
        total = total.is_number() ? sum_of(total, member.value()) : member.value();
      } else if (member.value().is_array()) {
        json::value& total = sum[member.key()];
        if (!total.is_array()) total = json::array{};
        add_histogram(total.get_array(), member.value().get_array());
      }
    }
  }
  return sum;
}

}  // namespace capstan
