#include "worker/eval/fold_in.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace capstan {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::array<double, 4> kRelativeReg = {0.01, 0.1, 1.0, 10.0};  // of the mean eigenvalue

}  // namespace

struct FoldIn::Factors {
  std::vector<Eigen::LLT<RowMatrix>> all;
};

Result<FoldIn> FoldIn::create(std::span<const float> item_vectors, std::uint32_t width, std::uint32_t dim) {
  if (dim == 0 || width < dim || item_vectors.empty() || item_vectors.size() % width != 0) {
    return make_error(ErrorCode::kInvalid, "fold-in: needs whole item vectors");
  }
  const auto rows = static_cast<Eigen::Index>(item_vectors.size() / width);
  const auto columns = static_cast<Eigen::Index>(dim);
  FoldIn fold_in;
  fold_in.dim_ = dim;
  fold_in.items_.resize(static_cast<std::size_t>(rows) * dim);
  Eigen::Map<RowMatrix> items(fold_in.items_.data(), rows, columns);
  for (Eigen::Index row = 0; row < rows; ++row) {
    for (Eigen::Index column = 0; column < columns; ++column) {
      const float value =
          item_vectors[static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column)];
      if (!std::isfinite(value))
        return make_error(ErrorCode::kInvalid, "fold-in: an item vector is not finite");
      items(row, column) = static_cast<double>(value);
    }
  }
  const Eigen::RowVectorXd mean = items.colwise().mean();
  items.rowwise() -= mean;
  const RowMatrix normal = items.transpose() * items;
  const double eigenvalue = std::max(normal.trace() / static_cast<double>(dim), 1e-12);
  auto factors = std::make_shared<Factors>();
  for (const double reg : kRelativeReg) {
    RowMatrix system = normal;
    system.diagonal().array() += reg * eigenvalue;
    factors->all.emplace_back(system);
    if (factors->all.back().info() != Eigen::Success) {
      return make_error(ErrorCode::kInvalid,
                        "fold-in: the item vectors' normal matrix is not positive definite");
    }
  }
  fold_in.factors_ = std::move(factors);
  return fold_in;
}

UserFoldIn FoldIn::user(std::span<const std::uint32_t> history, std::span<const float> scores) const {
  UserFoldIn result;
  result.dim_ = dim_;
  result.items_ = items_.data();
  result.history_.assign(history.begin(), history.end());
  result.solved_.assign(history.size() * dim_, 0.0);
  const auto columns = static_cast<Eigen::Index>(dim_);
  const Eigen::Map<const RowMatrix> items(items_.data(), static_cast<Eigen::Index>(scores.size()), columns);
  RowMatrix own(static_cast<Eigen::Index>(history.size()), columns);
  for (std::size_t i = 0; i < history.size(); ++i)
    own.row(static_cast<Eigen::Index>(i)) = items.row(history[i]);
  Eigen::VectorXd wanted = Eigen::Map<const Eigen::VectorXf>(scores.data(), items.rows()).cast<double>();
  wanted.array() -= wanted.mean();
  const Eigen::VectorXd sum = own.colwise().sum();
  double best = 0.0;  // share of the scores' variance that F(h0) explains, times that variance
  Eigen::Map<RowMatrix> solved(result.solved_.data(), own.rows(), columns);
  for (const auto& factor : factors_->all) {
    const Eigen::VectorXd given = items * factor.solve(sum);
    const double size = given.squaredNorm(), along = given.dot(wanted);
    if (!(along > 0.0) || along * along / size <= best) continue;
    best = along * along / size;
    solved = (factor.solve(own.transpose()) * (along / size)).transpose();
  }
  return result;
}

double UserFoldIn::contribution(std::uint32_t from, std::uint32_t to) const {
  const auto found = std::find(history_.begin(), history_.end(), from);
  if (found == history_.end()) return 0.0;
  const auto at = static_cast<std::size_t>(found - history_.begin()) * dim_;
  const double* const item = items_ + std::size_t{to} * dim_;
  double sum = 0.0;
  for (std::size_t d = 0; d < dim_; ++d) sum += solved_[at + d] * item[d];
  return sum;
}

std::vector<Contribution> UserFoldIn::reasons(std::uint32_t item, std::size_t most,
                                              std::span<const std::uint32_t> without) const {
  std::vector<Contribution> all;
  for (const std::uint32_t from : history_) {
    const bool out = from == item || std::find(without.begin(), without.end(), from) != without.end();
    if (!out) all.push_back({from, contribution(from, item)});
  }
  return top_contributions(std::move(all), most);
}

}  // namespace capstan
