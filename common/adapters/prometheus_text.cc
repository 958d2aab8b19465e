#include "common/adapters/prometheus_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

namespace capstan {
namespace {

prometheus::MetricType type_of(Metrics::Kind kind) {
  switch (kind) {
    case Metrics::Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Metrics::Kind::kHistogram:
      return prometheus::MetricType::Histogram;
    case Metrics::Kind::kGauge:
      break;
  }
  return prometheus::MetricType::Gauge;
}

void fill(const LatencyHistogram& from, prometheus::ClientMetric::Histogram& to) {
  to.sample_count = from.count();
  to.sample_sum = from.sum();
  std::uint64_t below = 0;
  for (std::size_t n = 0; n < LatencyHistogram::kBuckets; ++n) {
    below += from.counts()[n];
    to.bucket.push_back({below, LatencyHistogram::upper_bound(n)});
  }
}

prometheus::ClientMetric metric_of(const Metrics::Sample& sample, Metrics::Kind kind) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  metric.counter.value = kind == Metrics::Kind::kCounter ? sample.value : 0.0;
  metric.gauge.value = kind == Metrics::Kind::kGauge ? sample.value : 0.0;
  if (kind == Metrics::Kind::kHistogram) fill(sample.histogram, metric.histogram);
  return metric;
}

}  // namespace

std::string prometheus_text(const Metrics& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metrics::Family& from : metrics.families()) {
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = from.name;
    family.help = from.help;
    family.type = type_of(from.kind);
    for (const Metrics::Sample& sample : from.samples) family.metric.push_back(metric_of(sample, from.kind));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace capstan
