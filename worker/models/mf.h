// MF: matrix factorisation, with biases if the job wants them.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ_ui = <p_u, q_i> (+ b + b_u + b_i), p_u and q_i summed over the side's fields; other fields are not read.
// Biases are the tables FIELD_bias and bias. Source: Koren, Bell and Volinsky 2009, equation 4; with loss
// bpr: Rendle et al. 2009; with bce: Rendle et al. 2020, "Neural Collaborative Filtering vs. Matrix
// Factorization Revisited".
Result<std::unique_ptr<Model>> make_mf(ModelTables tables);

}  // namespace capstan
