#include "worker/nn/ops/cross_scores.h"

#include <algorithm>

#include "common/parallel.h"
#include "worker/nn/gemm.h"

namespace capstan {
namespace {

constexpr std::uint32_t kRowsEach = 256;

// body(first, count) for blocks of rows, in parallel.
template <typename Body>
void by_rows(std::uint32_t rows, const Body& body) {
  parallel_for((rows + kRowsEach - 1) / kRowsEach, [&](std::size_t block) {
    const auto first = static_cast<std::uint32_t>(block) * kRowsEach;
    body(first, std::min(kRowsEach, rows - first));
  });
}

}  // namespace

Var cross_scores(Tape& tape, Var a, Var b) {
  const ConstMatrix x = tape.value(a);
  const ConstMatrix z = tape.value(b);
  const auto [out, y] = tape.make("cross_scores", {a, b}, x.rows, z.rows);
  by_rows(x.rows, [&, y = y](std::uint32_t first, std::uint32_t count) {
    gemm(x.rows_from(first, count), Transpose::kNo, z, Transpose::kYes, 0.0F, y.rows_from(first, count));
  });
  const auto backward = [x, z, dx = tape.gradient(a), dz = tape.gradient(b), dy = tape.gradient(out)] {
    if (dx.data != nullptr) {
      by_rows(dx.rows, [&](std::uint32_t first, std::uint32_t count) {
        gemm(ConstMatrix(dy).rows_from(first, count), Transpose::kNo, z, Transpose::kNo, 1.0F,
             dx.rows_from(first, count));
      });
    }
    if (dz.data != nullptr) gemm(dy, Transpose::kYes, x, Transpose::kNo, 1.0F, dz);
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
