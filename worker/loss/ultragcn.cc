#include "worker/loss/ultragcn.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/assert.h"
#include "common/parallel.h"
#include "worker/loss/stable.h"
#include "worker/loss/vector_exp.h"

namespace capstan {
namespace {

// log(1 + e) for e in [0, 1], as 2·artanh(e / (2 + e)), to some 1e-7.
float log_of_one_and(float e) {
  const float t = e / (2.0F + e);
  const float s = t * t;
  return 2.0F * t *
         (1.0F + s * (1.0F / 3 + s * (1.0F / 5 + s * (1.0F / 7 + s * (1.0F / 9 + s * (1.0F / 11))))));
}

// scores: of one user with the items of the batch, whose weights are g, 0 for those left out; their losses go
// to `losses`, what they give the scores to `gradient`.
void negatives(std::span<const float> scores, std::span<const float> g, float share, std::span<float> losses,
               float* gradient) {
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const float s = scores[j];
    const float e = exp_from_lowest(s > 0.0F ? -s : s);
    losses[j] = g[j] * ((s > 0.0F ? s : 0.0F) + log_of_one_and(e));
    gradient[j] = share * g[j] * ((s > 0.0F ? 1.0F : e) / (1.0F + e));
  }
}

// One worker's part of a batch.
class Rows {
 public:
  Rows(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient)
      : scores_(scores),
        batch_(batch),
        scale_(scale),
        gradient_(gradient),
        g_(scores.cols),
        losses_(scores.cols) {}

  double row(std::uint32_t i) {
    for (std::uint32_t j = 0; j < scores_.cols; ++j) {
      g_[j] = batch_.items[j] == batch_.items[i] ? 0.0F : batch_.negative_weights[j];
    }
    const float user = batch_.user_weights[i];
    const float share = user / static_cast<float>(scores_.cols);
    negatives({scores_.row(i), scores_.cols}, g_, scale_ * share, losses_, gradient_.row(i));
    const double own = scores_.at(i, i);
    const double weight = static_cast<double>(user) * batch_.item_weights[i];
    gradient_.at(i, i) = -scale_ * static_cast<float>(weight * sigmoid(-own));
    return weight * softplus(-own) +
           static_cast<double>(share) * std::accumulate(losses_.begin(), losses_.end(), 0.0);
  }

 private:
  ConstMatrix scores_;
  const MicroBatch& batch_;
  float scale_;
  Matrix gradient_;
  std::vector<float> g_, losses_;
};

}  // namespace

PairWeights ultragcn_weights(const Degrees& degrees, double density, double negative_weight) {
  const double user = std::max(1.0, degrees.user);
  const double item = 1.0 / std::sqrt(degrees.item + 1.0);
  return {static_cast<float>(std::sqrt(user + 1.0) / user), static_cast<float>(item),
          static_cast<float>(negative_weight * item / density)};
}

double ultragcn_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  CAPSTAN_ASSERT(scores.rows == scores.cols && batch.group == 1 && batch.user_weights.size() == scores.rows,
                 "ultragcn: positives only, square scores, weights by degree");
  constexpr std::size_t kRowsEach = 64;
  const std::size_t blocks = (scores.rows + kRowsEach - 1) / kRowsEach;
  std::vector<double> sums(blocks, 0.0);
  parallel_for(blocks, [&](std::size_t block) {
    Rows rows(scores, batch, scale, gradient);
    const std::size_t end = std::min<std::size_t>(scores.rows, (block + 1) * kRowsEach);
    for (std::size_t i = block * kRowsEach; i < end; ++i)
      sums[block] += rows.row(static_cast<std::uint32_t>(i));
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace capstan
