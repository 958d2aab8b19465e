// ials_solve: one user's (or item's) vector in alternating least squares over implicit feedback.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "common/result.h"
#include "worker/nn/matrix.h"

namespace capstan {

struct IalsSettings {
  double weight = 0.3;              // α₀ of every pair, seen or not
  double reg = 0.007;               // λ
  double exponent = 1.0;            // ν
  std::uint64_t opposite_rows = 0;  // items when a user is solved for, users for an item
};

// Solves (Σ_{i∈u} h_i h_iᵀ + α₀ G + λ (|u| + α₀ |I|)^ν E) w = Σ_{i∈u} h_i for w.
// Source: Rendle et al. 2022, "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
// equations 3, 5, 7. Keeps its memory from call to call; one thread at a time.
class IalsSolver {
 public:
  explicit IalsSolver(std::uint32_t dim);
  ~IalsSolver();

  // seen [|u|, dim]: the vectors h_i of the interacted items; gramian [dim, dim]: G = Σ_{i∈I} h_i h_iᵀ; out
  // [dim]. Nothing seen gives zeros. kInvalid when the system is not positive definite (NaN in the input, or
  // no reg).
  Status solve(ConstMatrix seen, ConstMatrix gramian, const IalsSettings& settings, std::span<float> out);

 private:
  struct State;  // keeps Eigen out of this header
  std::unique_ptr<State> state_;
};

// gramian += Hᵀ H with H = rows [n, dim].
void add_gramian(ConstMatrix rows, Matrix gramian);

}  // namespace capstan
