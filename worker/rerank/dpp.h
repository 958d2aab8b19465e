// Determinantal point process: the list whose items together span the most, found greedily.
#pragma once

#include <functional>

#include "worker/rerank/candidates.h"
#include "worker/rerank/item_similarity.h"

namespace capstan {

// Entry (i, j) of a symmetric positive semidefinite matrix.
using Kernel = std::function<double(std::uint32_t, std::uint32_t)>;

// Adds the index that raises log det of the chosen submatrix most, up to `most` of n; the lower one where two
// are equal. Ends early when what is left is in the span of what was chosen. The Cholesky factor grows by a
// row an index, so a choice of k costs n k entries and n k^2 multiplications instead of n determinants a
// step. Source: Chen, Zhang and Zhou, "Fast Greedy MAP Inference for Determinantal Point Process to Improve
// Recommendation Diversity" (NeurIPS 2018), algorithm 1.
Choice greedy_determinant(const Kernel& kernel, std::uint32_t n, std::uint32_t most);

// The kernel is q_i S_ij q_j with q = exp(a · relevance), a = weight / (2 (1 - weight)) (section 4 there), so
// the choice maximises  weight · sum of relevance + (1 - weight) · log det S.  S is the cosine, of which off
// the diagonal kDppSimilarity counts: two items of the very same categories can then both be chosen. Weight 1
// keeps the order.
inline constexpr double kDppSimilarity = 0.9;
Choice choose_dpp(const Candidates& candidates, const ItemSimilarity& similarity, double weight);

}  // namespace capstan
