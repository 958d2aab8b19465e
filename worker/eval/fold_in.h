// FoldIn: what each item of a user's history gives to the scores of a model whose user vector is learnt (MF,
// the GMF half of NeuMF, iALS): the ground of reasons, and of scores after the history has changed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/result.h"
#include "worker/eval/reasons.h"

namespace capstan {

// The user's vector is a function of the history, p(h) = p + F(h) - F(h0): p as trained on the history h0, F
// the least-squares fold-in of a history over the model's item vectors. With h = h0 the scores are the
// model's own, and an item i taken out lowers the score of item j by exactly
//   contribution(i, j) = c · (q_j - q̄)' A^-1 (q_i - q̄),  A = Σ (q - q̄)(q - q̄)' + λ · I.
// Source: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008),
// section 5, with equal weights for all items, which makes A the same for every user. Centred, so that a
// contribution tells items apart. λ (of four multiples of the mean eigenvalue) and the scale c are those with
// which F(h0) comes nearest to what the user's own vector gives to the scores of the whole catalogue, by
// least squares.
class UserFoldIn {
 public:
  // history: as given to FoldIn::user().
  double contribution(std::uint32_t from, std::uint32_t to) const;  // 0 when `from` is not of the history
  // The largest positive contributions to the item's score. The item itself and those of `without` are no
  // reasons.
  std::vector<Contribution> reasons(std::uint32_t item, std::size_t most,
                                    std::span<const std::uint32_t> without) const;

 private:
  friend class FoldIn;
  std::uint32_t dim_ = 0;
  const double* items_ = nullptr;  // FoldIn::items_
  std::vector<std::uint32_t> history_;
  std::vector<double> solved_;  // [history, dim]: c · A^-1 (q_i - q̄)
};

class FoldIn {
 public:
  // item_vectors: [num_items, width], of which the first `dim` columns are weighed by each user's own vector.
  // kInvalid when the sizes do not fit, or a value is not finite.
  static Result<FoldIn> create(std::span<const float> item_vectors, std::uint32_t width, std::uint32_t dim);

  // history: what the model was trained on. scores: [num_items], the user's, best without biases. The result
  // refers to this.
  UserFoldIn user(std::span<const std::uint32_t> history, std::span<const float> scores) const;

 private:
  struct Factors;  // of A, one for each λ

  std::uint32_t dim_ = 0;
  std::vector<double> items_;  // [num_items, dim], centred
  std::shared_ptr<const Factors> factors_;
};

}  // namespace capstan
