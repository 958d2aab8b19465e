// FoldInExplainer: true reasons for models whose user vector is learnt (MF, NeuMF's GMF half, iALS), so that
// their own score is no sum over the history.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/result.h"
#include "worker/eval/reasons.h"

namespace capstan {

// What the reason is: the model orders the recommendations; the reason speaks of the fold-in score of the
// recommended item. Fold-in solves the user's vector anew from the history alone, as the ridge regression of
// "has it" on the item vectors over the whole catalogue: w = A^-1 · sum of h_i over the history, A = H'H +
// reg · I. So score(j) = sum over i of h_j' A^-1 h_i, and each addend is exactly what the score loses when
// item i is removed. Source: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets"
// (ICDM 2008), section 5, with equal weights for all items, which makes A the same for every user.
class FoldInExplainer {
 public:
  // item_vectors: [num_items, dim], without biases. kInvalid when dim is 0, the sizes do not fit, reg is not
  // positive or a value is not finite.
  static Result<FoldInExplainer> create(std::span<const float> item_vectors, std::uint32_t dim, double reg);

  double score(std::span<const std::uint32_t> history, std::uint32_t item) const;
  // The history's largest positive contributions to the item's fold-in score. The item itself is never a
  // reason.
  std::vector<Contribution> reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                    std::size_t most) const;

 private:
  FoldInExplainer(std::uint32_t dim, std::vector<double> vectors, std::vector<double> solved)
      : dim_(dim), vectors_(std::move(vectors)), solved_(std::move(solved)) {}
  double contribution(std::uint32_t from, std::uint32_t to) const;

  std::uint32_t dim_;
  std::vector<double> vectors_;  // [num_items, dim]
  std::vector<double> solved_;   // [num_items, dim]: A^-1 h_i
};

}  // namespace capstan
