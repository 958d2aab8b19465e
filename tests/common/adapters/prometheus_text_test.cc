// The text that Prometheus reads.
#include "common/adapters/prometheus_text.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(PrometheusText, NamesHelpTypeLabelsAndValues) {
  Metrics metrics;
  metrics.counter("capstan_pushes_total", "Pushes.", 3, {{"outcome", "applied"}});
  metrics.gauge("capstan_rows", "Rows.", 2.5);
  metrics.counter("capstan_pushes_total", "Pushes.", 1, {{"outcome", "a \"quoted\"\nname"}});
  EXPECT_EQ(prometheus_text(metrics),
            "# HELP capstan_pushes_total Pushes.\n"
            "# TYPE capstan_pushes_total counter\n"
            "capstan_pushes_total{outcome=\"applied\"} 3\n"
            "capstan_pushes_total{outcome=\"a \\\"quoted\\\"\\nname\"} 1\n"
            "# HELP capstan_rows Rows.\n"
            "# TYPE capstan_rows gauge\n"
            "capstan_rows 2.5\n");
}

TEST(PrometheusText, AHistogramsBucketsHoldAllThatIsBelow) {
  LatencyHistogram histogram;
  histogram.add(std::chrono::microseconds(100));
  histogram.add(std::chrono::microseconds(101));
  histogram.add(std::chrono::seconds(100));
  Metrics metrics;
  metrics.histogram("capstan_pull_seconds", "Pulls.", histogram, {{"stage", "x"}});
  const std::string text = prometheus_text(metrics);
  EXPECT_NE(text.find("capstan_pull_seconds_count{stage=\"x\"} 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("capstan_pull_seconds_sum{stage=\"x\"} 100.000201"), std::string::npos) << text;
  EXPECT_NE(text.find("capstan_pull_seconds_bucket{stage=\"x\",le=\"0.0001\"} 1\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("capstan_pull_seconds_bucket{stage=\"x\",le=\"0.0002\"} 2\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("le=\"+Inf\"} 3\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace capstan
