#include "worker/models/ials_solve.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

#include "common/assert.h"
#include "worker/nn/gemm.h"

namespace capstan {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const RowMajor>;

View view(ConstMatrix m) {
  return View(m.data, static_cast<Eigen::Index>(m.rows), static_cast<Eigen::Index>(m.cols));
}

}  // namespace

struct IalsSolver::State {
  Eigen::MatrixXf system;
  Eigen::VectorXf vector;
  Eigen::LLT<Eigen::MatrixXf> cholesky;

  explicit State(Eigen::Index dim) : system(dim, dim), vector(dim), cholesky(dim) {}
};

IalsSolver::IalsSolver(std::uint32_t dim) : state_(std::make_unique<State>(static_cast<Eigen::Index>(dim))) {}

IalsSolver::~IalsSolver() = default;

Status IalsSolver::solve(ConstMatrix seen, ConstMatrix gramian, const IalsSettings& settings,
                         std::span<float> out) {
  Eigen::MatrixXf& system = state_->system;
  Eigen::VectorXf& vector = state_->vector;
  CAPSTAN_ASSERT(static_cast<Eigen::Index>(out.size()) == system.rows() && gramian.rows == out.size(),
                 "ials: dims");
  const double mass = seen.rows + settings.weight * static_cast<double>(settings.opposite_rows);
  const auto ridge = static_cast<float>(settings.reg * std::pow(mass, settings.exponent));
  system.noalias() = static_cast<float>(settings.weight) * view(gramian);
  vector.setZero();
  if (seen.rows > 0) {
    const View h = view(seen);
    system.selfadjointView<Eigen::Lower>().rankUpdate(h.transpose());
    vector.noalias() = h.colwise().sum().transpose();
  }
  system.diagonal().array() += ridge;
  state_->cholesky.compute(system);
  if (state_->cholesky.info() != Eigen::Success) {
    return make_error(ErrorCode::kInvalid, "ials: the system is not positive definite");
  }
  state_->cholesky.solveInPlace(vector);
  if (!vector.allFinite()) return make_error(ErrorCode::kInvalid, "ials: the solution is not finite");
  Eigen::Map<Eigen::VectorXf>(out.data(), vector.size()) = vector;
  return ok_status();
}

void add_gramian(ConstMatrix rows, Matrix gramian) {
  CAPSTAN_ASSERT(gramian.rows == rows.cols && gramian.cols == rows.cols, "gramian: dims");
  gemm(rows, Transpose::kYes, rows, Transpose::kNo, 1.0F, gramian);
}

}  // namespace capstan
