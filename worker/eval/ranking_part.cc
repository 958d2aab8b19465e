#include "worker/eval/ranking_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "common/assert.h"
#include "common/bytes.h"
#include "worker/eval/exposure.h"

namespace capstan {
namespace {

constexpr std::uint32_t kFormat = 0x31504b52;  // "RKP1"

bool shapes_fit(const RankingPart& part) {
  const std::size_t users = part.users.size(), columns = part.metrics.size();
  const auto fits_list = [&](std::uint32_t k) { return k > 0 && k <= part.list_length; };
  const auto known = [&](std::uint32_t item) { return item < part.num_items || item == kNoItem; };
  return part.values.size() == users * columns && part.warm_values.size() == users * columns &&
         part.lists.size() == users * part.list_length && part.cold_test_items <= part.test_items &&
         part.new_users <= users &&
         std::all_of(part.coverage_cuts.begin(), part.coverage_cuts.end(), fits_list) &&
         std::all_of(part.gini_cuts.begin(), part.gini_cuts.end(), fits_list) &&
         std::all_of(part.lists.begin(), part.lists.end(), known) &&
         std::is_sorted(part.users.begin(), part.users.end(), std::less_equal<>());
}

std::vector<std::uint64_t> exposures_at(const RankingPart& part, std::uint32_t k) {
  std::unordered_map<std::uint32_t, std::uint64_t> lists_with;  // the catalogue may be large, or a lie
  for (std::size_t user = 0; user < part.users.size(); ++user) {
    for (std::uint32_t rank = 0; rank < k; ++rank) {
      const std::uint32_t item = part.lists[user * part.list_length + rank];
      if (item != kNoItem) ++lists_with[item];
    }
  }
  std::vector<std::uint64_t> exposures;
  for (const auto& [item, count] : lists_with) exposures.push_back(count);
  return exposures;
}

template <typename T>
void append_row(std::vector<T>& to, const std::vector<T>& from, std::size_t row, std::size_t width) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * width);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
}

bool same_kind(const RankingPart& a, const RankingPart& b) {
  return a.protocol == b.protocol && a.metrics == b.metrics && a.coverage_cuts == b.coverage_cuts &&
         a.gini_cuts == b.gini_cuts && a.list_length == b.list_length && a.num_items == b.num_items;
}

// All users of all parts, ascending.
Result<RankingPart> join(const std::vector<RankingPart>& parts) {
  RankingPart all = parts.front();
  all.users.clear();
  all.values.clear();
  all.warm_values.clear();
  all.lists.clear();
  all.test_items = all.cold_test_items = all.new_users = 0;
  struct Place {
    std::uint32_t user;
    std::size_t part, row;
  };
  std::vector<Place> places;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    if (!same_kind(parts[p], all)) {
      return make_error(ErrorCode::kInvalid, "merge evaluation: the parts differ in protocol or metrics");
    }
    for (std::size_t row = 0; row < parts[p].users.size(); ++row)
      places.push_back({parts[p].users[row], p, row});
    all.test_items += parts[p].test_items;
    all.cold_test_items += parts[p].cold_test_items;
    all.new_users += parts[p].new_users;
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.user < b.user; });
  for (const auto& [user, p, row] : places) {
    if (!all.users.empty() && all.users.back() == user) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("merge evaluation: user {} stands in two parts", user));
    }
    all.users.push_back(user);
    append_row(all.values, parts[p].values, row, all.metrics.size());
    append_row(all.warm_values, parts[p].warm_values, row, all.metrics.size());
    append_row(all.lists, parts[p].lists, row, all.list_length);
  }
  return all;
}

struct Mean {
  double value = 0.0;
  std::uint64_t users = 0;
};

Mean mean_of_column(const std::vector<double>& values, std::size_t column, std::size_t columns) {
  double sum = 0.0;
  std::uint64_t users = 0;
  for (std::size_t at = column; at < values.size(); at += columns) {
    if (std::isnan(values[at])) continue;
    sum += values[at];
    ++users;
  }
  return {users == 0 ? 0.0 : sum / static_cast<double>(users), users};
}

}  // namespace

Buffer encode(const RankingPart& part) {
  ByteWriter writer;
  writer.put(kFormat);
  writer.put_string(part.protocol);
  writer.put(static_cast<std::uint64_t>(part.metrics.size()));
  for (const auto& metric : part.metrics) writer.put_string(metric);
  writer.put_vector(part.coverage_cuts);
  writer.put_vector(part.gini_cuts);
  writer.put_vector(part.users);
  writer.put_vector(part.values);
  writer.put_vector(part.warm_values);
  writer.put(part.list_length);
  writer.put_vector(part.lists);
  writer.put(part.num_items);
  writer.put(part.test_items);
  writer.put(part.cold_test_items);
  writer.put(part.new_users);
  return writer.take();
}

Result<RankingPart> decode_ranking_part(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  RankingPart part;
  const bool known_format = reader.get<std::uint32_t>() == kFormat;
  part.protocol = reader.get_string();
  const auto metrics = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < metrics && !reader.failed(); ++i) part.metrics.push_back(reader.get_string());
  part.coverage_cuts = reader.get_vector<std::uint32_t>();
  part.gini_cuts = reader.get_vector<std::uint32_t>();
  part.users = reader.get_vector<std::uint32_t>();
  part.values = reader.get_vector<double>();
  part.warm_values = reader.get_vector<double>();
  part.list_length = reader.get<std::uint32_t>();
  part.lists = reader.get_vector<std::uint32_t>();
  part.num_items = reader.get<std::uint32_t>();
  part.test_items = reader.get<std::uint64_t>();
  part.cold_test_items = reader.get<std::uint64_t>();
  part.new_users = reader.get<std::uint64_t>();
  CAPSTAN_TRY(reader.finish().wrap("decode a ranking part"));
  if (!known_format || !shapes_fit(part)) {
    return make_error(ErrorCode::kCorrupt, "decode a ranking part: its values do not fit together");
  }
  return part;
}

RankingPart sorted_by_user(const RankingPart& part) {
  auto sorted = join({part});
  CAPSTAN_ASSERT(sorted.ok(), "a user is judged once in a part");
  return std::move(sorted).value();
}

Result<RankingSummary> merge(const std::vector<RankingPart>& parts) {
  if (parts.empty()) return make_error(ErrorCode::kInvalid, "merge evaluation: no parts");
  RankingSummary summary;
  CAPSTAN_ASSIGN(summary.users, join(parts));
  const RankingPart& all = summary.users;
  const std::size_t columns = all.metrics.size();
  for (std::size_t c = 0; c < columns; ++c) {
    summary.metrics[all.metrics[c]] = mean_of_column(all.values, c, columns).value;
    const Mean warm = mean_of_column(all.warm_values, c, columns);
    summary.warm_only[all.metrics[c]] = warm.value;
    summary.warm_users = warm.users;
  }
  for (const std::uint32_t k : all.coverage_cuts) {
    summary.metrics[fmt::format("coverage@{}", k)] = coverage(exposures_at(all, k), all.num_items);
  }
  for (const std::uint32_t k : all.gini_cuts) {
    summary.metrics[fmt::format("gini@{}", k)] = gini(exposures_at(all, k), all.num_items);
  }
  return summary;
}

std::string to_json(const RankingSummary& summary) {
  boost::json::object json;
  json["protocol"] = summary.users.protocol;
  json["users"] = summary.users.users.size();
  json["test_items"] = summary.users.test_items;
  json["cold_test_items"] = summary.users.cold_test_items;
  json["new_users"] = summary.users.new_users;
  for (const auto& [name, value] : summary.metrics) json[name] = value;
  boost::json::object warm;
  warm["users"] = summary.warm_users;
  for (const auto& [name, value] : summary.warm_only) warm[name] = value;
  json["warm_only"] = std::move(warm);
  return boost::json::serialize(json);
}

Result<std::vector<double>> column(const RankingPart& part, std::string_view metric) {
  const auto found = std::find(part.metrics.begin(), part.metrics.end(), metric);
  if (found == part.metrics.end()) {
    return make_error(ErrorCode::kNotFound, fmt::format("no figure a user for \"{}\"", metric));
  }
  std::vector<double> values;
  for (auto at = static_cast<std::size_t>(found - part.metrics.begin()); at < part.values.size();
       at += part.metrics.size()) {
    values.push_back(part.values[at]);
  }
  return values;
}

Result<Comparison> compare(const RankingPart& model, const RankingPart& baseline, std::string_view metric,
                           const BootstrapOptions& options) {
  if (model.users.empty() || model.users != baseline.users || model.protocol != baseline.protocol) {
    return make_error(ErrorCode::kInvalid,
                      "compare two models: not judged on the same users by one protocol");
  }
  CAPSTAN_ASSIGN(const auto a, column(model, metric));
  CAPSTAN_ASSIGN(const auto b, column(baseline, metric));
  return Comparison{bootstrap_difference(a, b, options), bootstrap_ratio(a, b, options)};
}

}  // namespace capstan
