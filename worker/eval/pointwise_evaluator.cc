#include "worker/eval/pointwise_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>

#include "common/assert.h"
#include "common/bytes.h"
#include "worker/eval/auc.h"
#include "worker/eval/calibration.h"
#include "worker/eval/logloss.h"
#include "worker/eval/rating_error.h"
#include "worker/eval/threshold_metrics.h"

namespace capstan {
namespace {

constexpr std::uint32_t kFormat = 0x31505750;  // "PWP1"

bool shapes_fit(const PointwisePart& part) {
  const auto is_nan = [](float score) { return std::isnan(score); };
  return part.labels.size() == part.scores.size() &&
         (part.users.empty() || part.users.size() == part.scores.size()) &&
         std::none_of(part.scores.begin(), part.scores.end(), is_nan);
}

std::optional<double> value_of(std::string_view metric, const PointwisePart& all,
                               const PointwiseOptions& options) {
  if (metric == "auc") return auc(all.scores, all.labels);
  if (metric == "gauc") return all.users.empty() ? std::nullopt : gauc(all.scores, all.labels, all.users);
  if (metric == "logloss") return logloss(all.scores, all.labels);
  if (metric == "calibration") return calibration_ratio(all.scores, all.labels);
  if (metric == "ece") return expected_calibration_error(all.scores, all.labels, options.ece_bins);
  if (metric == "rmse") return rmse(all.scores, all.labels);
  if (metric == "mae") return mae(all.scores, all.labels);
  const Confusion counts = confusion(all.scores, all.labels, options.threshold);
  if (metric == "accuracy") return counts.accuracy();
  if (metric == "precision") return counts.precision();
  if (metric == "recall") return counts.recall();
  CAPSTAN_ASSERT(metric == "f1", "a listed pointwise metric without a formula");
  return counts.f1();
}

template <typename Range, typename T>
void append(std::vector<T>& to, const Range& from) {
  to.insert(to.end(), from.begin(), from.end());
}

Status check_probabilities(const PointwisePart& all) {
  const auto outside = [](float value) { return !(value >= 0.0F && value <= 1.0F); };
  for (std::size_t i = 0; i < all.scores.size(); ++i) {
    if (outside(all.scores[i]) || outside(all.labels[i])) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("example {}: score {} and label {} must lie in [0, 1]", i, all.scores[i],
                                    all.labels[i]));
    }
  }
  return ok_status();
}

}  // namespace

Status PointwisePart::add(std::span<const float> more_scores, std::span<const float> more_labels,
                          std::span<const std::uint32_t> more_users, std::uint64_t first_example) {
  CAPSTAN_ASSERT(more_scores.size() == more_labels.size(), "a label a score");
  CAPSTAN_ASSERT(more_users.empty() || more_users.size() == more_scores.size(),
                 "a user a score, or none at all");
  for (std::size_t i = 0; i < more_scores.size(); ++i) {
    if (std::isnan(more_scores[i])) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("the score of example {} is NaN", first_example + i));
    }
  }
  append(scores, more_scores);
  append(labels, more_labels);
  append(users, more_users);
  return ok_status();
}

Buffer encode(const PointwisePart& part) {
  ByteWriter writer;
  writer.put(kFormat);
  writer.put_vector(part.scores);
  writer.put_vector(part.labels);
  writer.put_vector(part.users);
  return writer.take();
}

Result<PointwisePart> decode_pointwise_part(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  PointwisePart part;
  const bool known_format = reader.get<std::uint32_t>() == kFormat;
  part.scores = reader.get_vector<float>();
  part.labels = reader.get_vector<float>();
  part.users = reader.get_vector<std::uint32_t>();
  CAPSTAN_TRY(reader.finish().wrap("decode a pointwise part"));
  if (!known_format || !shapes_fit(part)) {
    return make_error(ErrorCode::kCorrupt, "decode a pointwise part: its values do not fit together");
  }
  return part;
}

Result<PointwiseSummary> merge(const std::vector<PointwisePart>& parts, const PointwiseOptions& options) {
  PointwisePart all;
  for (const PointwisePart& part : parts) {
    append(all.scores, part.scores);
    append(all.labels, part.labels);
    append(all.users, part.users);
  }
  if (all.scores.empty()) return make_error(ErrorCode::kInvalid, "evaluation: the split has no examples");
  if (!all.users.empty() && all.users.size() != all.scores.size()) {
    return make_error(ErrorCode::kInvalid, "evaluation: only some parts have users");
  }
  if (options.task == Task::kCtr) CAPSTAN_TRY(check_probabilities(all).wrap("evaluation"));
  PointwiseSummary summary;
  summary.examples = all.scores.size();
  for (const MetricName& metric : options.metrics) {
    if (const auto value = value_of(metric.info->name, all, options)) {
      if (!std::isfinite(*value)) {
        return make_error(
            ErrorCode::kInvalid,
            fmt::format("evaluation: {} is {}: the model has diverged (a lower learning rate or "
                        "optimizer.sparse.clip_norm may help)",
                        metric.text(), *value));
      }
      summary.metrics[metric.text()] = *value;
    } else {
      summary.undefined.push_back(metric.text());
    }
  }
  summary.all = std::move(all);
  return summary;
}

std::string to_json(const PointwiseSummary& summary) {
  boost::json::object json;
  json["protocol"] = "every example of the split";
  json["examples"] = summary.examples;
  for (const auto& [name, value] : summary.metrics) json[name] = value;
  for (const auto& name : summary.undefined) json[name] = nullptr;
  return boost::json::serialize(json);
}

}  // namespace capstan
