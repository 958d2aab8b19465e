#include "worker/nn/gemm.h"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "common/assert.h"
#include "common/rng.h"

namespace capstan {
namespace {

// Debian's oneDNN runs on OpenMP, whose thread count is a setting of each thread. The runtime is the
// library's own dependency, so it is looked up instead of linked: a compiler's OpenMP flag could bring in a
// second runtime.
bool use_one_thread() {
  using SetThreads = void (*)(int);
  if (void* const symbol = dlsym(RTLD_DEFAULT, "omp_set_num_threads")) {
    reinterpret_cast<SetThreads>(symbol)(1);
  }
  return true;
}

std::uint32_t rows_of(ConstMatrix m, Transpose t) {
  return t == Transpose::kNo ? m.rows : m.cols;
}
std::uint32_t cols_of(ConstMatrix m, Transpose t) {
  return t == Transpose::kNo ? m.cols : m.rows;
}
char letter(Transpose t) {
  return t == Transpose::kNo ? 'N' : 'T';
}

struct Shape {
  std::uint32_t m, n, k;
};

Status verify_shape(Shape shape, Transpose ta, Transpose tb, float beta, Arena& arena, Rng& rng) {
  const auto [m, n, k] = shape;
  const Matrix a = ta == Transpose::kNo ? arena.matrix(m, k) : arena.matrix(k, m);
  const Matrix b = tb == Transpose::kNo ? arena.matrix(k, n) : arena.matrix(n, k);
  const Matrix c = arena.matrix(m, n);
  for (const Matrix& matrix : {a, b, c}) {
    for (float& value : matrix.values()) value = static_cast<float>(rng.uniform() * 2 - 1);
  }
  const Matrix expected = arena.matrix(m, n);
  for (std::uint32_t i = 0; i < m; ++i) {
    for (std::uint32_t j = 0; j < n; ++j) {
      double sum = static_cast<double>(beta) * c.at(i, j);
      for (std::uint32_t l = 0; l < k; ++l) {
        const float left = ta == Transpose::kNo ? a.at(i, l) : a.at(l, i);
        const float right = tb == Transpose::kNo ? b.at(l, j) : b.at(j, l);
        sum += static_cast<double>(left) * right;
      }
      expected.at(i, j) = static_cast<float>(sum);
    }
  }
  gemm(a, ta, b, tb, beta, c);
  const double tolerance = 1e-5 * std::sqrt(static_cast<double>(k) + 1) + 1e-5;
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (!(std::abs(c.data[i] - expected.data[i]) <= tolerance)) {
      return make_error(
          ErrorCode::kInvalid,
          fmt::format("oneDNN's product {}{} [{}x{}]·[{}x{}] is wrong on this CPU: {} instead of {}",
                      letter(ta), letter(tb), m, k, k, n, c.data[i], expected.data[i]));
    }
  }
  return ok_status();
}

}  // namespace

void gemm(ConstMatrix a, Transpose transpose_a, ConstMatrix b, Transpose transpose_b, float beta, Matrix c) {
  thread_local const bool one_thread = use_one_thread();
  static_cast<void>(one_thread);
  const std::uint32_t k = cols_of(a, transpose_a);
  CAPSTAN_ASSERT(rows_of(a, transpose_a) == c.rows && cols_of(b, transpose_b) == c.cols, "gemm: shape of c");
  CAPSTAN_ASSERT(rows_of(b, transpose_b) == k, "gemm: inner dimensions");
  if (c.empty()) return;
  if (k == 0) {
    for (float& value : c.values()) value = beta == 0.0F ? 0.0F : beta * value;
    return;
  }
  const dnnl_status_t status = dnnl_sgemm(letter(transpose_a), letter(transpose_b), c.rows, c.cols, k, 1.0F,
                                          a.data, a.cols, b.data, b.cols, beta, c.data, c.cols);
  CAPSTAN_ASSERT(status == dnnl_success, "dnnl_sgemm");
}

Status verify_gemm() {
  constexpr std::array<Shape, 9> kShapes = {{{1, 1, 1},
                                             {1, 64, 32},
                                             {64, 1, 32},
                                             {32, 64, 1},
                                             {7, 13, 17},
                                             {31, 61, 127},
                                             {256, 32, 64},
                                             {64, 200, 129},
                                             {129, 65, 33}}};
  Rng rng(1);
  Arena arena;
  for (const Shape& shape : kShapes) {
    for (const Transpose ta : {Transpose::kNo, Transpose::kYes}) {
      for (const Transpose tb : {Transpose::kNo, Transpose::kYes}) {
        for (const float beta : {0.0F, 1.0F}) {
          arena.reset();
          CAPSTAN_TRY(verify_shape(shape, ta, tb, beta, arena, rng));
        }
      }
    }
  }
  return ok_status();
}

}  // namespace capstan
