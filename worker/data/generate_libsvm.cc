#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "common/adapters/disk_files.h"
#include "worker/data/generate.h"
#include "worker/data/generate_support.h"

namespace capstan {
namespace {

// Distinct features of one row, ascending from 1, drawn by the power law.
void draw_features(const AliasTable& draw, std::uint32_t n, Rng& rng, std::vector<std::uint32_t>& features) {
  features.clear();
  constexpr int kTries = 50;
  for (int tries = static_cast<int>(n) * kTries; features.size() < n && tries > 0; --tries) {
    const std::uint32_t feature = 1 + draw.draw(rng.next());
    if (std::find(features.begin(), features.end(), feature) == features.end()) features.push_back(feature);
  }
  std::sort(features.begin(), features.end());
}

Status write_part(Storage& storage, const std::string& path, const GenerateOptions& options,
                  const std::vector<double>& weights, const AliasTable& draw, bool test, Judged* judged) {
  CAPSTAN_ASSIGN(LineWriter file, LineWriter::open(storage, path));
  std::vector<std::uint32_t> features;
  std::string line;
  const std::uint64_t rows = test ? options.test_rows : options.rows;
  for (std::uint64_t i = 0; i < rows; ++i) {
    Rng rng(combine(options.seed, test ? 13 : 12, i));
    draw_features(draw, options.features_per_row, rng, features);
    double logit = options.bias;
    std::string cells;
    for (const std::uint32_t feature : features) {
      // Written with two digits, so the truth is computed from what is written.
      const double value = static_cast<double>(1 + rng.below(100)) / 100.0;
      logit += weights[feature - 1] * value;
      fmt::format_to(std::back_inserter(cells), " {}:{:g}", feature, value);
    }
    const bool label = rng.chance(sigmoid(logit));
    line = fmt::format("{}{}\n", label ? "1" : "-1", cells);
    file.write(line);
    if (judged != nullptr) judged->add(label, logit, logit);
  }
  return file.finish();
}

}  // namespace

Result<GenerateSummary> generate_libsvm(const GenerateOptions& options) {
  DiskFiles storage;
  Rng rng(combine(options.seed, 11));
  // A value's mean square is about 1/3.
  const auto weights =
      normal_values(rng, options.features, options.linear_scale * std::sqrt(3.0 / options.features_per_row));
  const AliasTable draw(power_law(options.features, options.skew));
  GenerateSummary summary;
  summary.files = {options.out_dir + "/train.svm", options.out_dir + "/test.svm"};
  summary.rows = options.rows;
  summary.test_rows = options.test_rows;
  Judged judged;
  CAPSTAN_TRY(write_part(storage, summary.files[0], options, weights, draw, false, nullptr));
  CAPSTAN_TRY(write_part(storage, summary.files[1], options, weights, draw, true, &judged));
  summary.positive_rate = judged.positive_rate();
  summary.best_auc = judged.best_auc();
  summary.linear_auc = judged.linear_auc();
  summary.text = fmt::format(
      "{} training and {} test rows over {} features; {:.1f} % of the test rows are positive\n"
      "best attainable AUC {:.4f}, by a linear model",
      summary.rows, summary.test_rows, options.features, 100.0 * summary.positive_rate, summary.best_auc);
  return summary;
}

}  // namespace capstan
