#include "common/metrics.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "common/assert.h"
#include "common/units.h"

namespace capstan {

double LatencyHistogram::upper_bound(std::size_t bucket) {
  if (bucket + 1 == kBuckets) return std::numeric_limits<double>::infinity();
  return 1e-4 * static_cast<double>(std::uint64_t{1} << bucket);
}

void LatencyHistogram::add(Duration took) {
  const double seconds = seconds_of(took);
  std::size_t bucket = 0;
  while (seconds > upper_bound(bucket)) ++bucket;
  ++counts_[bucket];
  sum_ += seconds;
}

std::uint64_t LatencyHistogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

void Metrics::counter(const std::string& name, const std::string& help, double value, Labels labels) {
  CAPSTAN_ASSERT(name.ends_with("_total"), "what only rises says so");
  add(Kind::kCounter, name, help, {std::move(labels), value});
}

void Metrics::gauge(const std::string& name, const std::string& help, double value, Labels labels) {
  add(Kind::kGauge, name, help, {std::move(labels), value});
}

void Metrics::histogram(const std::string& name, const std::string& help, const LatencyHistogram& value,
                        Labels labels) {
  add(Kind::kHistogram, name, help, {std::move(labels), 0.0, value});
}

void Metrics::refusals(const std::map<std::string, std::uint64_t>& by_reason) {
  for (const auto& [reason, count] : by_reason) {
    counter("capstan_messages_refused_total", "Messages that were not taken, by reason.",
            static_cast<double>(count), {{"reason", reason}});
  }
}

void Metrics::add(Kind kind, const std::string& name, const std::string& help, Sample sample) {
  const auto found = std::find_if(families_.begin(), families_.end(),
                                  [&](const Family& family) { return family.name == name; });
  Family& family = found == families_.end() ? families_.emplace_back(Family{name, help, kind, {}}) : *found;
  CAPSTAN_ASSERT(family.kind == kind, "a name is of one kind");
  family.samples.push_back(std::move(sample));
}

}  // namespace capstan
