#include "ps/optimizer/ftrl.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

class Ftrl final : public Optimizer {
 public:
  explicit Ftrl(const OptimizerSpec& spec)
      : beta_(spec.ftrl_beta), l1_(spec.l1), l2_(spec.l2_mode == L2Mode::kPerTouch ? spec.l2 : 0.0F) {}

  std::uint32_t state_floats(std::uint32_t dim) const override { return 2 * dim; }
  void init_state(const float* weights, float* state, std::uint32_t dim, float learning_rate) const override {
    std::fill_n(state + dim, dim, 0.0F);
    for (std::uint32_t i = 0; i < dim; ++i) {
      const float w = weights[i];
      state[i] = w == 0.0F ? 0.0F : -(w * (beta_ / learning_rate + l2_) + std::copysign(l1_, w));
    }
  }
  void update(float* weights, float* state, const float* gradient, std::uint32_t dim,
              float learning_rate) const override {
    float* z = state;
    float* n = state + dim;
    for (std::uint32_t i = 0; i < dim; ++i) {
      const float g = gradient[i];
      const float root = std::sqrt(n[i] + g * g);
      z[i] += g - (root - std::sqrt(n[i])) / learning_rate * weights[i];
      n[i] += g * g;
      const float excess = std::fabs(z[i]) - l1_;
      const float w = -std::copysign(excess, z[i]) / ((beta_ + root) / learning_rate + l2_);
      weights[i] = excess <= 0.0F ? 0.0F : w;
    }
  }
  bool wants_penalties() const override { return false; }

 private:
  float beta_;
  float l1_;
  float l2_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_ftrl(const OptimizerSpec& spec) {
  return std::make_unique<Ftrl>(spec);
}

}  // namespace capstan
