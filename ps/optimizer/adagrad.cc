#include "ps/optimizer/adagrad.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(const OptimizerSpec& spec) : initial_(spec.initial_accumulator), epsilon_(spec.epsilon) {}

  std::uint32_t state_floats(std::uint32_t dim) const override { return dim; }
  void init_state(const float*, float* state, std::uint32_t dim, float) const override {
    std::fill_n(state, dim, initial_);
  }
  void update(float* weights, float* state, const float* gradient, std::uint32_t dim,
              float learning_rate) const override {
    for (std::uint32_t i = 0; i < dim; ++i) {
      const float g = gradient[i];
      state[i] += g * g;
      weights[i] -= learning_rate * g / (std::sqrt(state[i]) + epsilon_);
    }
  }

 private:
  float initial_;
  float epsilon_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_adagrad(const OptimizerSpec& spec) {
  return std::make_unique<Adagrad>(spec);
}

}  // namespace capstan
