#include "ps/optimizer/adam.h"

#include <algorithm>
#include <cmath>

#include "common/portable_math.h"

namespace capstan {
namespace {

class Adam final : public Optimizer {
 public:
  explicit Adam(const OptimizerSpec& spec) : beta1_(spec.beta1), beta2_(spec.beta2), epsilon_(spec.epsilon) {}

  std::uint32_t state_floats(std::uint32_t dim) const override { return 2 * dim + 1; }
  void init_state(const float*, float* state, std::uint32_t dim, float) const override {
    std::fill_n(state, state_floats(dim), 0.0F);
  }
  void update(float* weights, float* state, const float* gradient, std::uint32_t dim,
              float learning_rate) const override {
    float* m = state;
    float* v = state + dim;
    float& t = state[2 * std::size_t{dim}];
    t += 1.0F;
    const float m_scale = correction(beta1_, t);
    const float v_scale = correction(beta2_, t);
    for (std::uint32_t i = 0; i < dim; ++i) {
      const float g = gradient[i];
      m[i] = beta1_ * m[i] + (1.0F - beta1_) * g;
      v[i] = beta2_ * v[i] + (1.0F - beta2_) * (g * g);
      weights[i] -= learning_rate * (m[i] * m_scale) / (std::sqrt(v[i] * v_scale) + epsilon_);
    }
  }

 private:
  // 1 / (1 - beta^t)
  static float correction(float beta, float t) {
    const double power = portable_power(static_cast<double>(beta), static_cast<std::uint64_t>(t));
    return static_cast<float>(1.0 / (1.0 - power));
  }

  float beta1_;
  float beta2_;
  float epsilon_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_adam(const OptimizerSpec& spec) {
  return std::make_unique<Adam>(spec);
}

}  // namespace capstan
