#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "common/adapters/disk_files.h"
#include "worker/data/generate.h"
#include "worker/data/generate_support.h"

namespace capstan {
namespace {

class CtrTruth {
 public:
  explicit CtrTruth(const GenerateOptions& options)
      : options_(options), chances_(power_law(options.values, options.skew)), draw_(chances_) {
    Rng rng(combine(options.seed, 1));
    const std::size_t values = std::size_t{options.fields} * options.values;
    weights_ = normal_values(rng, values, options.linear_scale / std::sqrt(options.fields));
    drifts_ = normal_values(rng, values, options.drift * options.linear_scale / std::sqrt(options.fields));
    const double pairs = 0.5 * options.fields * (options.fields - 1.0);
    const double pair_deviation = options.pair_scale / std::sqrt(std::max(pairs, 1.0) * options.factors);
    factors_ = normal_values(rng, values * options.factors, std::sqrt(pair_deviation));
    for (std::uint32_t field = 0; field < options.fields; ++field) center(field);
  }

  struct Row {
    std::vector<std::uint32_t> values;
    double logit = 0.0, linear = 0.0;
    bool label = false;
  };

  // `age` in [0, 1] is how far along the data the row stands.
  void make_row(std::uint64_t part, std::uint64_t number, double age, Row& row) const {
    Rng rng(combine(options_.seed, part, number));
    row.values.resize(options_.fields);
    row.linear = options_.bias;
    std::vector<double> sum(options_.factors, 0.0);
    double squares = 0.0;
    for (std::uint32_t field = 0; field < options_.fields; ++field) {
      const std::uint32_t value = draw_.draw(rng.next());
      const std::size_t at = std::size_t{field} * options_.values + value;
      row.values[field] = value;
      row.linear += weights_[at] + age * drifts_[at];
      for (std::uint32_t k = 0; k < options_.factors; ++k) {
        const double factor = factors_[at * options_.factors + k];
        sum[k] += factor;
        squares += factor * factor;
      }
    }
    double pairs = -squares;
    for (const double s : sum) pairs += s * s;
    row.logit = row.linear + 0.5 * pairs;
    row.label = rng.chance(sigmoid(row.logit));
  }

 private:
  void center(std::uint32_t field) {
    const std::size_t first = std::size_t{field} * options_.values;
    for (std::uint32_t k = 0; k < options_.factors; ++k) {
      double mean = 0.0;
      for (std::uint32_t v = 0; v < options_.values; ++v)
        mean += chances_[v] * factors_[(first + v) * options_.factors + k];
      for (std::uint32_t v = 0; v < options_.values; ++v)
        factors_[(first + v) * options_.factors + k] -= mean;
    }
  }

  const GenerateOptions& options_;
  std::vector<double> chances_;
  AliasTable draw_;
  std::vector<double> weights_, drifts_;  // [fields, values]
  std::vector<double> factors_;           // [fields, values, factors]
};

Status write_part(Storage& storage, const std::string& path, const GenerateOptions& options,
                  const CtrTruth& truth, bool test, Judged* judged) {
  CAPSTAN_ASSIGN(LineWriter file, LineWriter::open(storage, path));
  file.write("label");
  for (std::uint32_t field = 1; field <= options.fields; ++field) file.write(fmt::format(",f{}", field));
  file.write("\n");
  const std::uint64_t rows = test ? options.test_rows : options.rows;
  CtrTruth::Row row;
  std::string line;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const double age = test ? 1.0 : static_cast<double>(i) / static_cast<double>(rows);
    truth.make_row(test ? 3 : 2, i, age, row);
    line.clear();
    line += row.label ? '1' : '0';
    for (const std::uint32_t value : row.values) fmt::format_to(std::back_inserter(line), ",{}", value);
    line += '\n';
    file.write(line);
    if (judged != nullptr) judged->add(row.label, row.logit, row.linear);
  }
  return file.finish();
}

}  // namespace

Result<GenerateSummary> generate_ctr(const GenerateOptions& options) {
  DiskFiles storage;
  const CtrTruth truth(options);
  GenerateSummary summary;
  summary.files = {options.out_dir + "/train.csv", options.out_dir + "/test.csv"};
  summary.rows = options.rows;
  summary.test_rows = options.test_rows;
  Judged judged;
  CAPSTAN_TRY(write_part(storage, summary.files[0], options, truth, false, nullptr));
  CAPSTAN_TRY(write_part(storage, summary.files[1], options, truth, true, &judged));
  summary.positive_rate = judged.positive_rate();
  summary.best_auc = judged.best_auc();
  summary.linear_auc = judged.linear_auc();
  summary.text = fmt::format(
      "{} training and {} test rows of {} fields with up to {} values each; {:.1f} % of the test rows are "
      "clicks\n"
      "best attainable AUC {:.4f}; a linear model can reach {:.4f}",
      summary.rows, summary.test_rows, options.fields, options.values, 100.0 * summary.positive_rate,
      summary.best_auc, summary.linear_auc);
  return summary;
}

}  // namespace capstan
