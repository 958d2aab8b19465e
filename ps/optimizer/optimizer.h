// Optimizer: one step on one row. Each is a file of its own and a line in registry.cc.
// Kernels are plain elementwise loops without reassociation, and sums run in one fixed order, so a step gives
// the same bits however the compiler vectorises it: replicas on different CPUs agree.
#pragma once

#include <cstdint>

namespace capstan {

// Its state of a row stands behind the weights in the row's bytes.
// Gradients are finite and at most kMaxGradient: the server refuses others before they get here
// (gradient_check.h). A NaN that did get here would stay in its row.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  virtual std::uint32_t state_floats(std::uint32_t dim) const = 0;
  // Fills state [state_floats(dim)] for a new row. weights [dim] are its initial ones.
  virtual void init_state(const float* weights, float* state, std::uint32_t dim,
                          float learning_rate) const = 0;
  // weights, gradient: [dim].
  virtual void update(float* weights, float* state, const float* gradient, std::uint32_t dim,
                      float learning_rate) const = 0;
  // Whether clipping and the L1 and L2 penalties are applied around update(). FTRL has the penalties in its
  // own formula, assignment has none.
  virtual bool wants_clipping() const { return true; }
  virtual bool wants_penalties() const { return true; }
};

}  // namespace capstan
