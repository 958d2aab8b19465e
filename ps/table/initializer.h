// Initializer: the weights of a row nobody has pushed yet, a pure function of (seed, key, element). Its
// values are part of what a job means: they never change (golden test).
#pragma once

#include <cstdint>

#include "common/hash.h"
#include "common/table_spec.h"

namespace capstan {

// Xavier: uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16). He: normal with
// deviation sqrt(2 / fan_in) (He et al. 2015, eq. 10). A fan of 0 stands for the table's dim. Normal draws
// end at 6.3 deviations.
class Initializer {
 public:
  Initializer(const InitSpec& spec, std::uint32_t dim);

  void fill(Key key, float* weights) const;  // [dim]

 private:
  enum class Shape { kConstant, kUniform, kNormal };

  Shape shape_ = Shape::kConstant;
  double scale_ = 0.0;  // constant's value, uniform's half width, normal's deviation
  std::uint64_t seed_;
  std::uint64_t zero_from_key_;
  std::uint32_t dim_;
};

}  // namespace capstan
