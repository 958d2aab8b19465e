// Two models' kept values, metric by metric: the difference, its interval, and whether it may be chance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "worker/eval/bootstrap.h"
#include "worker/eval/kept_values.h"
#include "worker/eval/paired_tests.h"

namespace capstan {

struct ComparedMetric {
  std::string metric;
  bool higher_is_better = true;
  std::uint64_t pairs = 0;  // users, or examples
  double a = 0.0, b = 0.0;
  Interval difference;  // a - b, by the paired bootstrap
  // Student's t of the pairs; of AUC, which no example has alone, DeLong's z.
  TestResult mean_test;
  std::optional<TestResult> wilcoxon;  // none of AUC
  // The same p by Holm, among all rows that correct() was given.
  double mean_corrected = 1.0, wilcoxon_corrected = 1.0;

  // By every test there is, corrected, at 5 %, all pointing one way.
  bool differs() const;
  // The mean of one is larger, but of most pairs the other, both by more than chance: a few pairs weigh much.
  bool contradicts() const;
};

// Metrics that both can be compared by, in the order of the metrics' list. Ranking: those kept of each user.
// ctr and rating: auc, logloss, accuracy, rmse and mae, where `reported` has them: of RMSE the tests are
// about squared errors.
std::vector<std::string> comparable_metrics(const KeptValues& a, const std::string& model_a,
                                            const KeptValues& b, const std::string& model_b,
                                            const std::vector<std::string>& reported);

// Paired by user, or by place. kInvalid when they have not the same users, or not the same labels.
// REQUIRES: a metric of the above.
Result<ComparedMetric> compare_metric(const KeptValues& a, const std::string& model_a, const KeptValues& b,
                                      const std::string& model_b, const std::string& metric,
                                      const BootstrapOptions& options);

void correct(std::vector<ComparedMetric>& rows);

}  // namespace capstan
