#include "worker/nn/ops/activation.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

#include "common/assert.h"

namespace capstan {
namespace {

// value: f(x). back: dy · f'(x), given x and y = f(x).
struct Relu {
  static float value(float x) { return x < 0.0F ? 0.0F : x; }  // NaN stays NaN
  // A mask, because a branch would be mispredicted half the time.
  static float back(float x, float, float dy) {
    const std::uint32_t mask = 0U - static_cast<std::uint32_t>(x > 0.0F);
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(dy) & mask);
  }
};
struct Sigmoid {
  static float value(float x) {
    const float e = std::exp(-std::abs(x));
    return x >= 0.0F ? 1.0F / (1.0F + e) : e / (1.0F + e);
  }
  static float back(float, float y, float dy) { return dy * y * (1.0F - y); }
};
struct Tanh {
  static float value(float x) { return std::tanh(x); }
  static float back(float, float y, float dy) { return dy * (1.0F - y * y); }
};
struct Gelu {
  static float normal(float x) { return 0.5F * (1.0F + std::erf(x / std::numbers::sqrt2_v<float>)); }
  static float value(float x) { return x * normal(x); }
  static float back(float x, float, float dy) {
    const float density =
        std::exp(-0.5F * x * x) * std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
    return dy * (normal(x) + x * density);
  }
};

template <typename F>
void add_slopes(std::size_t count, const float* __restrict x, const float* __restrict y,
                const float* __restrict dy, float* __restrict dx) {
  for (std::size_t i = 0; i < count; ++i) dx[i] += F::back(x[i], y[i], dy[i]);
}

template <typename F>
Var apply(Tape& tape, std::string_view name, Var x) {
  const ConstMatrix in = tape.value(x);
  const auto [out, y] = tape.make(name, {x}, in.rows, in.cols);
  for (std::size_t i = 0; i < y.size(); ++i) y.data[i] = F::value(in.data[i]);
  const auto backward = [in, y = ConstMatrix(y), dx = tape.gradient(x), dy = tape.gradient(out)] {
    add_slopes<F>(dy.size(), in.data, y.data, dy.data, dx.data);
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace

Var activate(Tape& tape, Var x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return apply<Relu>(tape, "relu", x);
    case Activation::kSigmoid:
      return apply<Sigmoid>(tape, "sigmoid", x);
    case Activation::kTanh:
      return apply<Tanh>(tape, "tanh", x);
    case Activation::kGelu:
      return apply<Gelu>(tape, "gelu", x);
    case Activation::kPrelu:
      break;
  }
  CAPSTAN_ASSERT(false, "prelu has parameters: see prelu()");
}

}  // namespace capstan
