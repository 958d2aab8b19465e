#include "worker/nn/ops/pairwise_dots.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

// `across` [dim, m] is one example's vectors, turned so that a vector meets all others in one go.
void turn(const float* x, std::uint32_t m, std::uint32_t dim, float* across) {
  for (std::uint32_t f = 0; f < m; ++f) {
    for (std::uint32_t d = 0; d < dim; ++d) across[std::size_t{d} * m + f] = x[std::size_t{f} * dim + d];
  }
}

void dots(const float* x, const float* across, std::uint32_t m, std::uint32_t dim, float* out) {
  for (std::uint32_t f = 0; f + 1 < m; ++f) {
    const std::uint32_t others = m - f - 1;
    std::fill_n(out, others, 0.0F);
    for (std::uint32_t d = 0; d < dim; ++d) {
      const float value = x[std::size_t{f} * dim + d];
      const float* const row = across + std::size_t{d} * m + f + 1;
      for (std::uint32_t g = 0; g < others; ++g) out[g] += value * row[g];
    }
    out += others;
  }
}

void dots_back(const float* x, const float* dy, std::uint32_t m, std::uint32_t dim, float* dx) {
  for (std::uint32_t f = 0; f + 1 < m; ++f) {
    const float* const own = x + std::size_t{f} * dim;
    float* const d_own = dx + std::size_t{f} * dim;
    for (std::uint32_t g = f + 1; g < m; ++g, ++dy) {
      const float* const other = x + std::size_t{g} * dim;
      float* const d_other = dx + std::size_t{g} * dim;
      for (std::uint32_t d = 0; d < dim; ++d) d_own[d] += *dy * other[d];
      for (std::uint32_t d = 0; d < dim; ++d) d_other[d] += *dy * own[d];
    }
  }
}

}  // namespace

Var pairwise_dots(Tape& tape, Var x, std::uint32_t dim) {
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(dim > 0 && in.cols % dim == 0, "pairwise_dots: whole vectors");
  const std::uint32_t m = in.cols / dim;
  const auto [out, y] = tape.make("pairwise_dots", {x}, in.rows, m * (m - 1) / 2, dim);
  const Matrix across = tape.arena().matrix(dim, m);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    turn(in.row(i), m, dim, across.data);
    dots(in.row(i), across.data, m, dim, y.row(i));
  }
  const auto backward = [in, m, dim, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < in.rows; ++i) dots_back(in.row(i), dy.row(i), m, dim, dx.row(i));
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
