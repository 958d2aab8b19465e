// Dtype: how a table's weights are stored and travel. In 16 bits a row takes half the memory and half the
// wire; servers widen it to floats for an optimizer's step and round it back. Optimizer state stays float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace capstan {

// bfloat16 has float32's range and 8 bits of precision, float16 11 bits between 6e-8 and 65,504.
enum class Dtype : std::uint8_t { kFloat32, kBfloat16, kFloat16 };

constexpr std::size_t width(Dtype dtype) {
  return dtype == Dtype::kFloat32 ? 4 : 2;
}

// Gradients are too far apart for float16's range.
constexpr Dtype of_gradients(Dtype rows) {
  return rows == Dtype::kFloat16 ? Dtype::kBfloat16 : rows;
}

// So many values one after the other, zeros behind them up to a multiple of 4 bytes.
constexpr std::size_t values_bytes(Dtype dtype, std::size_t count) {
  return (count * width(dtype) + 3) / 4 * 4;
}

// As in the job file.
constexpr std::string_view to_word(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return "float32";
    case Dtype::kBfloat16:
      return "bfloat16";
    case Dtype::kFloat16:
      return "float16";
  }
  return "unknown";
}

// Of stored values `count` lie one behind the other, aligned to their width. Every conversion gives the same
// bits on every machine, so replicas agree.
void widen(Dtype dtype, const std::byte* stored, std::size_t count, float* out);
// To the nearest value, of two equally near ones to the even one. Beyond float16's range to its end; what is
// no finite number stays none.
void narrow(Dtype dtype, const float* values, std::size_t count, std::byte* out);
// To one of the two neighbours, the nearer the likelier, so that the mean is the value itself: steps smaller
// than half the distance between two values are not lost (Gupta et al., "Deep Learning with Limited Numerical
// Precision", ICML 2015, section 3). A function of `seed`.
void narrow_stochastic(Dtype dtype, const float* values, std::size_t count, std::uint64_t seed,
                       std::byte* out);

}  // namespace capstan
