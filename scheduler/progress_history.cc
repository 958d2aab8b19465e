#include "scheduler/progress_history.h"

#include "common/units.h"
#include "scheduler/json.h"

namespace capstan {

void ProgressHistory::note(Instant now, std::uint64_t examples, double examples_per_second, double loss) {
  if (!points_.empty() && now - points_.back().at < every_) return;
  points_.push_back({now, examples, examples_per_second, loss});
  if (points_.size() <= kPointsMax) return;
  for (std::size_t n = 0; 2 * n < points_.size(); ++n) points_[n] = points_[2 * n];
  points_.resize((points_.size() + 1) / 2);
  every_ *= 2;
}

std::string ProgressHistory::json(Instant started) const {
  json::array points;
  for (const Point& point : points_) {
    points.push_back(json::array{seconds_of(point.at - started), point.examples, json_number(point.rate),
                                 json_number(point.loss)});
  }
  return json::serialize(json::object{{"every_seconds", seconds_of(every_)}, {"points", std::move(points)}});
}

}  // namespace capstan
