#include "worker/nn/ops/dropout.h"

#include <cmath>

#include "common/assert.h"
#include "common/hash.h"

namespace capstan {

Var dropout(Tape& tape, Var x, double rate, std::span<const std::uint64_t> seeds, std::uint64_t salt) {
  if (!tape.training() || rate <= 0.0) return x;
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(rate < 1.0 && seeds.size() == in.rows, "dropout: rate below 1 and a seed an example");
  const auto threshold = static_cast<std::uint64_t>(std::ldexp(rate, 32));
  const auto keep_scale = static_cast<float>(1.0 / (1.0 - rate));
  const Matrix mask = tape.arena().matrix(in.rows, in.cols);
  const auto [out, y] = tape.make("dropout", {x}, in.rows, in.cols, rate);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    const std::uint64_t row_seed = combine(seeds[i], salt);
    for (std::uint32_t j = 0; j < in.cols; ++j) {
      const std::uint64_t draw = mix64(row_seed + 0x9e3779b97f4a7c15ULL * (j + 1ULL)) >> 32;
      mask.at(i, j) = draw < threshold ? 0.0F : keep_scale;
      y.at(i, j) = in.at(i, j) * mask.at(i, j);
    }
  }
  const auto backward = [mask, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::size_t i = 0; i < dy.size(); ++i) dx.data[i] += dy.data[i] * mask.data[i];
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
