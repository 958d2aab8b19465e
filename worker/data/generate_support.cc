#include "worker/data/generate_support.h"

#include <algorithm>
#include <cmath>

#include "worker/eval/auc.h"

namespace capstan {
namespace {

constexpr std::size_t kPiece = 1U << 20;

}  // namespace

Result<LineWriter> LineWriter::open(Storage& storage, const std::string& path) {
  CAPSTAN_ASSIGN(auto file, storage.create(path));
  return LineWriter(std::move(file));
}

void LineWriter::write(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kPiece) flush();
}

void LineWriter::flush() {
  if (status_.ok()) status_ = file_->append(std::as_bytes(std::span(pending_)));
  pending_.clear();
}

Status LineWriter::finish() {
  flush();
  CAPSTAN_TRY(status_);
  CAPSTAN_TRY(file_->sync());
  return file_->close();
}

std::vector<double> power_law(std::uint32_t n, double skew) {
  std::vector<double> weights(n);
  double sum = 0.0;
  for (std::uint32_t rank = 0; rank < n; ++rank) sum += weights[rank] = std::pow(rank + 1.0, -skew);
  for (double& weight : weights) weight /= sum;
  return weights;
}

std::vector<double> normal_values(Rng& rng, std::size_t n, double deviation) {
  std::vector<double> values(n);
  for (double& value : values) value = rng.normal() * deviation;
  return values;
}

double sigmoid(double logit) {
  return 1.0 / (1.0 + std::exp(-logit));
}

void Judged::add(bool label, double best_score, double linear_score) {
  labels.push_back(label ? 1.0F : 0.0F);
  best.push_back(static_cast<float>(best_score));
  linear.push_back(static_cast<float>(linear_score));
}

double Judged::positive_rate() const {
  const auto positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1.0F));
  return labels.empty() ? 0.0 : positives / static_cast<double>(labels.size());
}

double Judged::best_auc() const {
  return auc(best, labels).value_or(0.5);
}
double Judged::linear_auc() const {
  return auc(linear, labels).value_or(0.5);
}

}  // namespace capstan
