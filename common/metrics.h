// Metrics: what a node counts, gathered for a page that Prometheus reads. Names begin with capstan_ and end
// in their unit, and in _total where the value only rises while the process lives.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/event_loop.h"

namespace capstan {

// How often something took how long: buckets from 100 microseconds, each twice as wide as the one before.
class LatencyHistogram {
 public:
  static constexpr std::size_t kBuckets = 18;     // the last: longer than 6.6 s
  static double upper_bound(std::size_t bucket);  // seconds; of the last infinite

  void add(Duration took);
  const std::array<std::uint64_t, kBuckets>& counts() const { return counts_; }
  std::uint64_t count() const;
  double sum() const { return sum_; }  // seconds

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  double sum_ = 0.0;
};

class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };
  struct Sample {
    Labels labels;
    double value = 0.0;
    LatencyHistogram histogram{};
  };
  struct Family {
    std::string name, help;
    Kind kind = Kind::kGauge;
    std::vector<Sample> samples;
  };

  void counter(const std::string& name, const std::string& help, double value, Labels labels = {});
  void gauge(const std::string& name, const std::string& help, double value, Labels labels = {});
  void histogram(const std::string& name, const std::string& help, const LatencyHistogram& value,
                 Labels labels = {});

  // Messages that a node did not take, by reason.
  void refusals(const std::map<std::string, std::uint64_t>& by_reason);

  // In the order of their first samples.
  const std::vector<Family>& families() const { return families_; }

 private:
  void add(Kind kind, const std::string& name, const std::string& help, Sample sample);

  std::vector<Family> families_;
};

}  // namespace capstan
