#include "ps/optimizer/rowwise_adagrad.h"

#include <cmath>

#include "ps/optimizer/regularize.h"

namespace capstan {
namespace {

class RowwiseAdagrad final : public Optimizer {
 public:
  explicit RowwiseAdagrad(const OptimizerSpec& spec)
      : initial_(spec.initial_accumulator), epsilon_(spec.epsilon) {}

  std::uint32_t state_floats(std::uint32_t) const override { return 1; }
  void init_state(const float*, float* state, std::uint32_t, float) const override { state[0] = initial_; }
  void update(float* weights, float* state, const float* gradient, std::uint32_t dim,
              float learning_rate) const override {
    state[0] += sum_of_squares(gradient, dim) / static_cast<float>(dim);
    const float rate = learning_rate / (std::sqrt(state[0]) + epsilon_);
    for (std::uint32_t i = 0; i < dim; ++i) weights[i] -= rate * gradient[i];
  }

 private:
  float initial_;
  float epsilon_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_rowwise_adagrad(const OptimizerSpec& spec) {
  return std::make_unique<RowwiseAdagrad>(spec);
}

}  // namespace capstan
