#include "ps/optimizer/sgd.h"

namespace capstan {
namespace {

class Sgd final : public Optimizer {
 public:
  std::uint32_t state_floats(std::uint32_t) const override { return 0; }
  void init_state(const float*, float*, std::uint32_t, float) const override {}
  void update(float* weights, float*, const float* gradient, std::uint32_t dim,
              float learning_rate) const override {
    for (std::uint32_t i = 0; i < dim; ++i) weights[i] -= learning_rate * gradient[i];
  }
};

}  // namespace

std::unique_ptr<const Optimizer> make_sgd(const OptimizerSpec&) {
  return std::make_unique<Sgd>();
}

}  // namespace capstan
