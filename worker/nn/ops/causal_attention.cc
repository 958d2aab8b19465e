#include "worker/nn/ops/causal_attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::uint32_t kLanes = 16;

// In lanes, so that compilers make vectors of it.
float product(const float* a, const float* b, std::uint32_t n) {
  std::array<float, kLanes> lanes{};
  std::uint32_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::uint32_t l = 0; l < kLanes; ++l) lanes[l] += a[i + l] * b[i + l];
  }
  float sum = 0.0F;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

void add_scaled(float* out, float scale, const float* row, std::uint32_t n) {
  for (std::uint32_t j = 0; j < n; ++j) out[j] += scale * row[j];
}

// One head of one sequence: the columns where its queries, keys and values stand, and its length.
struct Head {
  std::uint32_t first, length, column, width, all;  // all: columns of queries alone
  float scale() const { return 1.0F / std::sqrt(static_cast<float>(width)); }
};

void shares(const ConstMatrix& x, const Head& h, std::uint32_t i, float* a) {
  const float* const q = x.row(h.first + i) + h.column;
  for (std::uint32_t j = 0; j <= i; ++j)
    a[j] = h.scale() * product(q, x.row(h.first + j) + h.all + h.column, h.width);
  const float highest = *std::max_element(a, a + i + 1);
  float sum = 0.0F;
  for (std::uint32_t j = 0; j <= i; ++j) sum += a[j] = std::exp(a[j] - highest);
  for (std::uint32_t j = 0; j <= i; ++j) a[j] /= sum;
}

// a: the shares of all rows, those of row i from i(i + 1) / 2 on.
void forward(const ConstMatrix& x, const Head& h, float* a, const Matrix& y) {
  for (std::uint32_t i = 0; i < h.length; a += ++i) {
    shares(x, h, i, a);
    float* const out = y.row(h.first + i) + h.column;
    std::fill_n(out, h.width, 0.0F);
    for (std::uint32_t j = 0; j <= i; ++j)
      add_scaled(out, a[j], x.row(h.first + j) + 2 * h.all + h.column, h.width);
  }
}

// da_j = dy_i·v_j; ds = a ⊙ (da - <a, da>); the queries and keys take ds/√w times each other.
void backward(const ConstMatrix& x, const Head& h, const float* a, const ConstMatrix& dy, float* ds,
              const Matrix& dx) {
  for (std::uint32_t i = 0; i < h.length; a += ++i) {
    const float* const d = dy.row(h.first + i) + h.column;
    for (std::uint32_t j = 0; j <= i; ++j) {
      ds[j] = product(d, x.row(h.first + j) + 2 * h.all + h.column, h.width);
      add_scaled(dx.row(h.first + j) + 2 * h.all + h.column, a[j], d, h.width);
    }
    const float mean = product(a, ds, i + 1);
    for (std::uint32_t j = 0; j <= i; ++j) {
      const float of_score = h.scale() * a[j] * (ds[j] - mean);
      add_scaled(dx.row(h.first + i) + h.column, of_score, x.row(h.first + j) + h.all + h.column, h.width);
      add_scaled(dx.row(h.first + j) + h.all + h.column, of_score, x.row(h.first + i) + h.column, h.width);
    }
  }
}

// visit(head, where its shares begin)
template <typename Visit>
void each_head(std::span<const std::uint32_t> starts, std::uint32_t cols, std::uint32_t heads,
               const Visit& visit) {
  std::size_t at = 0;
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    const std::uint32_t length = starts[s + 1] - starts[s];
    for (std::uint32_t h = 0; h < heads; ++h) {
      visit(Head{starts[s], length, h * (cols / heads), cols / heads, cols}, at);
      at += std::size_t{length} * (length + 1) / 2;
    }
  }
}

}  // namespace

Var causal_attention(Tape& tape, Var x, std::uint32_t heads, const Sequences& sequences) {
  const ConstMatrix in = tape.value(x);
  const std::uint32_t cols = in.cols / 3;
  CAPSTAN_ASSERT(in.rows == sequences.rows() && in.cols == 3 * cols && heads > 0 && cols % heads == 0,
                 "causal_attention: shapes");
  std::size_t total = 0;
  std::uint32_t longest = 0;
  each_head(sequences.starts, cols, heads, [&](const Head& head, std::size_t at) {
    total = at + std::size_t{head.length} * (head.length + 1) / 2;
    longest = std::max(longest, head.length);
  });
  const auto a = tape.arena().array<float>(total);
  const auto ds = tape.arena().array<float>(longest);
  const auto [out, y] = tape.make("causal_attention", {x}, in.rows, cols, heads);
  each_head(sequences.starts, cols, heads,
            [&, y = y](const Head& head, std::size_t at) { forward(in, head, a.data() + at, y); });
  const auto back = [in, a, ds, heads, starts = sequences.starts, dx = tape.gradient(x),
                     dy = tape.gradient(out)] {
    each_head(starts, dy.cols, heads, [&](const Head& head, std::size_t at) {
      backward(in, head, a.data() + at, dy, ds.data(), dx);
    });
  };
  tape.on_backward(out, back);
  return out;
}

}  // namespace capstan
