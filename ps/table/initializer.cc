#include "ps/table/initializer.h"

#include <algorithm>
#include <cmath>

#include "common/portable_math.h"

namespace capstan {

Initializer::Initializer(const InitSpec& spec, std::uint32_t dim)
    : scale_(static_cast<double>(spec.scale)),
      seed_(spec.seed),
      zero_from_key_(spec.zero_from_key),
      dim_(dim) {
  const double fan_in = spec.fan_in == 0 ? dim : spec.fan_in;
  const double fan_out = spec.fan_out == 0 ? dim : spec.fan_out;
  switch (spec.kind) {
    case InitKind::kZero:
      scale_ = 0.0;
      break;
    case InitKind::kConstant:
      break;
    case InitKind::kUniform:
      shape_ = Shape::kUniform;
      break;
    case InitKind::kNormal:
      shape_ = Shape::kNormal;
      break;
    case InitKind::kXavierUniform:
      shape_ = Shape::kUniform;
      scale_ = std::sqrt(6.0 / (fan_in + fan_out));
      break;
    case InitKind::kHeNormal:
      shape_ = Shape::kNormal;
      scale_ = std::sqrt(2.0 / fan_in);
      break;
  }
}

void Initializer::fill(Key key, float* weights) const {
  if (zero_from_key_ != 0 && key >= zero_from_key_) {
    std::fill_n(weights, dim_, 0.0F);
    return;
  }
  if (shape_ == Shape::kConstant) {
    std::fill_n(weights, dim_, static_cast<float>(scale_));
    return;
  }
  // Each 64-bit draw gives two elements, 32 bits each.
  const std::uint64_t row = combine(seed_, key);
  for (std::uint32_t i = 0; i < dim_; ++i) {
    const std::uint64_t draw = mix64(row + (i / 2 + 1) * 0x9e3779b97f4a7c15ULL);
    const std::uint64_t bits = i % 2 == 0 ? draw & 0xffffffffULL : draw >> 32;
    const double u = (static_cast<double>(bits) + 0.5) * 0x1.0p-32;
    const double x = shape_ == Shape::kUniform ? 2.0 * u - 1.0 : portable_normal_quantile(u);
    weights[i] = static_cast<float>(scale_ * x);
  }
}

}  // namespace capstan
