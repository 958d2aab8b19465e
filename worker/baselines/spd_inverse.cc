#include "worker/baselines/spd_inverse.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "common/assert.h"
#include "common/parallel.h"
#include "worker/nn/gemm.h"

namespace capstan {
namespace {

constexpr std::uint32_t kSmall = 64;    // inverted in double by Cholesky
constexpr std::uint32_t kStripe = 256;  // rows of a product that one task computes

// A matrix that owns its values.
struct Block {
  Block(std::uint32_t rows, std::uint32_t cols)
      : values(std::size_t{rows} * cols), view{values.data(), rows, cols} {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::vector<float> values;
  Matrix view;
};

// to = the part of `from` that begins at (row, col).
void copy_part(ConstMatrix from, std::uint32_t row, std::uint32_t col, Matrix to) {
  for (std::uint32_t i = 0; i < to.rows; ++i) std::copy_n(from.row(row + i) + col, to.cols, to.row(i));
}

void paste_part(ConstMatrix from, Matrix to, std::uint32_t row, std::uint32_t col) {
  for (std::uint32_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(row + i) + col);
}

void transpose(ConstMatrix from, Matrix to) {
  constexpr std::uint32_t kTile = 32;
  for (std::uint32_t i = 0; i < from.rows; i += kTile) {
    for (std::uint32_t j = 0; j < from.cols; j += kTile) {
      for (std::uint32_t r = i; r < std::min(from.rows, i + kTile); ++r) {
        for (std::uint32_t c = j; c < std::min(from.cols, j + kTile); ++c) to.at(c, r) = from.at(r, c);
      }
    }
  }
}

// c = a · op(b) + beta · c, in stripes.
void multiply(ConstMatrix a, ConstMatrix b, Transpose transpose_b, float beta, Matrix c) {
  const std::uint32_t stripes = (c.rows + kStripe - 1) / kStripe;
  parallel_for(stripes, [&](std::size_t stripe) {
    const auto first = static_cast<std::uint32_t>(stripe) * kStripe;
    const std::uint32_t rows = std::min(kStripe, c.rows - first);
    gemm(a.rows_from(first, rows), Transpose::kNo, b, transpose_b, beta, c.rows_from(first, rows));
  });
}

Status invert_small(Matrix m) {
  using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto n = static_cast<Eigen::Index>(m.rows);
  Eigen::Map<RowMatrix> view(m.data, n, n);
  const Eigen::LLT<Eigen::MatrixXd> cholesky(view.cast<double>());
  if (cholesky.info() != Eigen::Success) {
    return make_error(ErrorCode::kInvalid, "the matrix is not positive definite");
  }
  view = cholesky.solve(Eigen::MatrixXd::Identity(n, n)).cast<float>();
  return ok_status();
}

}  // namespace

Status invert_spd(Matrix m) {
  CAPSTAN_ASSERT(m.rows == m.cols, "a square matrix");
  if (m.empty()) return ok_status();
  if (m.rows <= kSmall) return invert_small(m);
  const std::uint32_t top = m.rows / 2, bottom = m.rows - top;
  Block a(top, top), w(bottom, top), s(bottom, bottom);
  copy_part(m, 0, 0, a.view);
  CAPSTAN_TRY(invert_spd(a.view));
  {
    Block b(bottom, top);
    copy_part(m, top, 0, b.view);
    multiply(b.view, a.view, Transpose::kNo, 0.0F, w.view);
    for (float& value : w.values) value = -value;
    copy_part(m, top, top, s.view);
    multiply(w.view, b.view, Transpose::kYes, 1.0F, s.view);  // w = -B A^-1
  }
  CAPSTAN_TRY(invert_spd(s.view));
  paste_part(s.view, m, top, top);
  Block corner(bottom, top), turned(top, bottom);
  multiply(s.view, w.view, Transpose::kNo, 0.0F, corner.view);
  transpose(w.view, turned.view);
  multiply(turned.view, corner.view, Transpose::kNo, 1.0F, a.view);
  paste_part(a.view, m, 0, 0);
  paste_part(corner.view, m, top, 0);
  transpose(corner.view, turned.view);
  paste_part(turned.view, m, 0, top);
  return ok_status();
}

}  // namespace capstan
