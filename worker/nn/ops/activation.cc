#include "worker/nn/ops/activation.h"

#include <cmath>
#include <numbers>

#include "common/assert.h"

namespace capstan {
namespace {

// value: f(x). slope: f'(x), given x and y = f(x).
struct Relu {
  static float value(float x) { return x > 0.0F ? x : 0.0F; }
  static float slope(float x, float) { return x > 0.0F ? 1.0F : 0.0F; }
};
struct Sigmoid {
  static float value(float x) {
    const float e = std::exp(-std::abs(x));
    return x >= 0.0F ? 1.0F / (1.0F + e) : e / (1.0F + e);
  }
  static float slope(float, float y) { return y * (1.0F - y); }
};
struct Tanh {
  static float value(float x) { return std::tanh(x); }
  static float slope(float, float y) { return 1.0F - y * y; }
};
struct Gelu {
  static float normal(float x) { return 0.5F * (1.0F + std::erf(x / std::numbers::sqrt2_v<float>)); }
  static float value(float x) { return x * normal(x); }
  static float slope(float x, float) {
    const float density =
        std::exp(-0.5F * x * x) * std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
    return normal(x) + x * density;
  }
};

template <typename F>
Var apply(Tape& tape, Var x) {
  const ConstMatrix in = tape.value(x);
  const auto [out, y] = tape.make(in.rows, in.cols, tape.needs_gradient(x));
  for (std::size_t i = 0; i < y.size(); ++i) y.data[i] = F::value(in.data[i]);
  const auto backward = [in, y = ConstMatrix(y), dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::size_t i = 0; i < dy.size(); ++i) dx.data[i] += dy.data[i] * F::slope(in.data[i], y.data[i]);
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
      return apply<Relu>(tape, x);
    case Activation::kSigmoid:
      return apply<Sigmoid>(tape, x);
    case Activation::kTanh:
      return apply<Tanh>(tape, x);
    case Activation::kGelu:
      return apply<Gelu>(tape, x);
    case Activation::kPrelu:
      break;
  }
  CAPSTAN_ASSERT(false, "prelu has parameters: see prelu()");
}

}  // namespace capstan
