#include "worker/eval/fold_in_explainer.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <numeric>
#include <utility>

namespace capstan {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

Result<FoldInExplainer> FoldInExplainer::create(std::span<const float> item_vectors, std::uint32_t dim,
                                                double reg) {
  if (dim == 0 || item_vectors.size() % dim != 0 || !(reg > 0.0)) {
    return make_error(ErrorCode::kInvalid, "fold-in: needs whole item vectors and a positive regularisation");
  }
  std::vector<double> vectors(item_vectors.begin(), item_vectors.end());
  for (const double value : vectors) {
    if (!std::isfinite(value))
      return make_error(ErrorCode::kInvalid, "fold-in: an item vector is not finite");
  }
  const auto rows = static_cast<Eigen::Index>(vectors.size() / dim);
  const auto columns = static_cast<Eigen::Index>(dim);
  const Eigen::Map<const RowMatrix> items(vectors.data(), rows, columns);
  RowMatrix normal = items.transpose() * items;
  normal.diagonal().array() += reg;
  const Eigen::LLT<RowMatrix> cholesky(normal);
  if (cholesky.info() != Eigen::Success) {
    return make_error(ErrorCode::kInvalid,
                      "fold-in: the item vectors' normal matrix is not positive definite");
  }
  std::vector<double> solved(vectors.size());
  Eigen::Map<RowMatrix>(solved.data(), rows, columns) = cholesky.solve(items.transpose()).transpose();
  return FoldInExplainer(dim, std::move(vectors), std::move(solved));
}

double FoldInExplainer::contribution(std::uint32_t from, std::uint32_t to) const {
  const std::size_t a = std::size_t{from} * dim_, b = std::size_t{to} * dim_;
  double sum = 0.0;
  for (std::size_t d = 0; d < dim_; ++d) sum += solved_[a + d] * vectors_[b + d];
  return sum;
}

double FoldInExplainer::score(std::span<const std::uint32_t> history, std::uint32_t item) const {
  double sum = 0.0;
  for (const std::uint32_t from : history) sum += contribution(from, item);
  return sum;
}

std::vector<Contribution> FoldInExplainer::reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                                   std::size_t most) const {
  std::vector<Contribution> all;
  for (const std::uint32_t from : history) {
    if (from != item) all.push_back({from, contribution(from, item)});
  }
  return top_contributions(std::move(all), most);
}

}  // namespace capstan
