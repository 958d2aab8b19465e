#include "worker/loss/sampled_softmax.h"

#include <cmath>

#include "common/assert.h"

namespace capstan {
namespace {

struct Candidates {
  const float* scores;
  const float* log_q;  // null: no correction
  std::uint32_t count;
  std::uint32_t positive;

  double logit(std::uint32_t j) const {
    return log_q == nullptr ? static_cast<double>(scores[j]) : static_cast<double>(scores[j]) - log_q[j];
  }
};

// skip(j): candidate j does not take part.
template <typename Skip>
double softmax(const Candidates& c, Skip skip, float scale, float* gradient) {
  double highest = c.logit(c.positive);
  for (std::uint32_t j = 0; j < c.count; ++j) {
    if (!skip(j) && c.logit(j) > highest) highest = c.logit(j);
  }
  double total = 0.0;
  for (std::uint32_t j = 0; j < c.count; ++j) {
    if (!skip(j)) total += std::exp(c.logit(j) - highest);
  }
  for (std::uint32_t j = 0; j < c.count; ++j) {
    const double share = skip(j) ? 0.0 : std::exp(c.logit(j) - highest) / total;
    gradient[j] = scale * static_cast<float>(share - (j == c.positive ? 1.0 : 0.0));
  }
  return std::log(total) + highest - c.logit(c.positive);
}

}  // namespace

double sampled_softmax_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  const std::uint32_t group = batch.group;
  CAPSTAN_ASSERT(group >= 2 && scores.rows % group == 0, "sampled softmax: whole groups");
  double sum = 0.0;
  for (std::size_t first = 0; first < scores.rows; first += group) {
    const Candidates candidates{scores.data + first,
                                batch.log_q.empty() ? nullptr : batch.log_q.data() + first, group, 0};
    sum += softmax(
        candidates, [](std::uint32_t) { return false; }, scale, gradient.data + first);
  }
  return sum;
}

double in_batch_softmax_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  CAPSTAN_ASSERT(scores.rows == scores.cols && batch.group == 1,
                 "in-batch softmax: positives only, square scores");
  double sum = 0.0;
  for (std::uint32_t i = 0; i < scores.rows; ++i) {
    const auto same_item = [&, i](std::uint32_t j) {
      return !batch.items.empty() && j != i && batch.items[j] == batch.items[i];
    };
    const float* const log_q = batch.log_q.empty() ? nullptr : batch.log_q.data();
    sum += softmax(Candidates{scores.row(i), log_q, scores.cols, i}, same_item, scale, gradient.row(i));
  }
  return sum;
}

}  // namespace capstan
