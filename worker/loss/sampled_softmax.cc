#include "worker/loss/sampled_softmax.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/assert.h"
#include "common/parallel.h"
#include "worker/loss/vector_exp.h"

namespace capstan {
namespace {

constexpr std::size_t kLanes = 16;

// The same, but 0 from kLowest down, without a branch, so that compilers make vectors of it.
float exp_of_negative(float x) {
  constexpr float kLeast = exp_from_lowest(kLowest);
  return exp_from_lowest(x) - kLeast;
}

// The largest of the values; a NaN is passed over.
float largest(std::span<const float> values) {
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) lanes[l] = values[i + l] > lanes[l] ? values[i + l] : lanes[l];
  }
  for (; i < values.size(); ++i) lanes[0] = std::max(lanes[0], values[i]);
  return *std::max_element(lanes.begin(), lanes.end());
}

double sum_of(std::span<const float> values) {
  std::array<double, kLanes> lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) lanes[l] += static_cast<double>(values[i + l]);
  }
  for (; i < values.size(); ++i) lanes[0] += static_cast<double>(values[i]);
  return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

// logits: z of every candidate, -infinity for those that do not take part; becomes scale · d loss / d z.
double softmax(std::span<float> logits, std::size_t positive, float scale) {
  const float own = logits[positive];
  const float highest = largest(logits);
  for (float& z : logits) z = exp_of_negative(z - highest);
  const double total = sum_of(logits);
  const float share = static_cast<float>(static_cast<double>(scale) / total);
  for (float& z : logits) z *= share;
  logits[positive] -= scale;
  return std::log(total) + static_cast<double>(highest) - static_cast<double>(own);
}

// gradient = scores - log q, candidate by candidate.
void to_logits(std::span<const float> scores, std::span<const float> log_q, std::span<float> logits) {
  std::copy(scores.begin(), scores.end(), logits.begin());
  if (log_q.empty()) return;
  for (std::size_t j = 0; j < logits.size(); ++j) logits[j] -= log_q[j];
}

std::span<const float> group_of(std::span<const float> log_q, std::size_t first, std::size_t count) {
  return log_q.empty() ? log_q : log_q.subspan(first, count);
}

}  // namespace

double sampled_softmax_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  const std::uint32_t group = batch.group;
  CAPSTAN_ASSERT(group >= 2 && scores.rows % group == 0, "sampled softmax: whole groups");
  double sum = 0.0;
  for (std::size_t first = 0; first < scores.rows; first += group) {
    const std::span logits(gradient.data + first, group);
    to_logits({scores.data + first, group}, group_of(batch.log_q, first, group), logits);
    sum += softmax(logits, 0, scale);
  }
  return sum;
}

double in_batch_softmax_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  CAPSTAN_ASSERT(scores.rows == scores.cols && batch.group == 1,
                 "in-batch softmax: positives only, square scores");
  constexpr float kOut = -std::numeric_limits<float>::infinity();
  constexpr std::size_t kRowsEach = 64;
  const std::size_t blocks = (scores.rows + kRowsEach - 1) / kRowsEach;
  std::vector<double> sums(blocks, 0.0);
  parallel_for(blocks, [&](std::size_t block) {
    const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(scores.rows, (block + 1) * kRowsEach));
    for (auto i = static_cast<std::uint32_t>(block * kRowsEach); i < end; ++i) {
      const std::span logits(gradient.row(i), scores.cols);
      to_logits({scores.row(i), scores.cols}, batch.log_q, logits);
      const float own = logits[i];
      for (std::size_t j = 0; j < batch.items.size(); ++j) {
        logits[j] = batch.items[j] == batch.items[i] ? kOut : logits[j];
      }
      logits[i] = own;
      sums[block] += softmax(logits, i, scale);
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace capstan
