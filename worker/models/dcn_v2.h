// DCN-V2: a cross network, whose layer l holds products of up to l + 1 fields, with a deep net beside or
// above it.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// x_0 = [v_1, …, v_F, numbers]; a cross layer is
//   full rank   x_{l+1} = x_0 ⊙ (W_l·x_l + b_l) + x_l
//   low rank    x_{l+1} = Σ_k G_k(x_l)·x_0 ⊙ (U_k·g(C_k·g(V_kᵀ·x_l)) + b_l) + x_l over experts k, g = tanh,
//               G a softmax over k, so that the b_l add up to one b_l
// parallel: ŷ = w·[x_L, a(x_0)] + b; stacked: ŷ = w·a(x_L) + b, with the deep net a. Source: Wang et al.
// 2021, "DCN V2", sections 3.2, 3.4 and 3.5. Tables cross_L; of low rank also cross_L_v, cross_L_c,
// cross_L_gate.
Result<std::unique_ptr<Model>> make_dcn_v2(ModelTables tables);

}  // namespace capstan
