#include "worker/eval/comparison.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "common/bytes.h"

namespace capstan {
namespace {

constexpr std::uint32_t kFormat = 0x31444a43;  // "CJD1"

// A ratio to a baseline of zeros is no number; JSON has null for it.
boost::json::value number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

boost::json::array to_array(const Interval& interval) {
  return {number(interval.estimate), number(interval.low), number(interval.high)};
}

Result<boost::json::object> all_comparisons(const RankingPart& model, const RankingPart& baseline,
                                            const BootstrapOptions& options) {
  boost::json::object json;
  for (const std::string& metric : model.metrics) {
    CAPSTAN_ASSIGN(const Comparison comparison, compare(model, baseline, metric, options));
    json[metric] = {{"difference", to_array(comparison.difference)}, {"ratio", to_array(comparison.ratio)}};
  }
  return json;
}

// What every partition says of the name at `index`.
Result<RankingSummary> merged(const std::vector<std::vector<Judged>>& partitions, std::size_t index) {
  std::vector<RankingPart> parts;
  for (const auto& judged : partitions) {
    if (judged.size() != partitions.front().size() || judged[index].name != partitions.front()[index].name) {
      return make_error(ErrorCode::kInvalid, "compare models: the partitions judged different ones");
    }
    parts.push_back(judged[index].part);
  }
  return merge(parts).wrap(partitions.front()[index].name);
}

}  // namespace

Buffer encode(const std::vector<Judged>& judged) {
  ByteWriter writer;
  writer.put(kFormat);
  writer.put(static_cast<std::uint64_t>(judged.size()));
  for (const Judged& one : judged) {
    writer.put_string(one.name);
    writer.put_string(one.description);
    writer.put_string(encode(one.part).text());
  }
  return writer.take();
}

Result<std::vector<Judged>> decode_judged(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const bool known_format = reader.get<std::uint32_t>() == kFormat;
  const auto count = reader.get<std::uint64_t>();
  std::vector<Judged> judged;
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) {
    Judged one;
    one.name = reader.get_string();
    one.description = reader.get_string();
    const std::string part = reader.get_string();
    if (reader.failed()) break;
    CAPSTAN_ASSIGN(one.part,
                   decode_ranking_part(std::as_bytes(std::span(part))).wrap("decode judged models"));
    judged.push_back(std::move(one));
  }
  CAPSTAN_TRY(reader.finish().wrap("decode judged models"));
  if (!known_format) return make_error(ErrorCode::kCorrupt, "decode judged models: another format");
  return judged;
}

Result<std::string> comparison_json(const std::vector<std::vector<Judged>>& partitions,
                                    const BootstrapOptions& options) {
  if (partitions.empty() || partitions.front().empty()) {
    return make_error(ErrorCode::kInvalid, "compare models: nothing was judged");
  }
  boost::json::object json, against;
  RankingPart model;
  for (std::size_t i = 0; i < partitions.front().size(); ++i) {
    const Judged& first = partitions.front()[i];
    CAPSTAN_ASSIGN(auto summary, merged(partitions, i));
    boost::json::object figures{{"description", first.description}};
    const boost::json::value of_summary = boost::json::parse(to_json(summary));
    for (const auto& [key, value] : of_summary.as_object()) figures[key] = value;
    json[first.name] = std::move(figures);
    if (i == 0) {
      model = std::move(summary.users);
    } else {
      CAPSTAN_ASSIGN(against[first.name], all_comparisons(model, summary.users, options));
    }
  }
  if (!against.empty()) json[partitions.front().front().name + "_against"] = std::move(against);
  return boost::json::serialize(json);
}

}  // namespace capstan
