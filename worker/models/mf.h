// MF: matrix factorisation, with biases if the job wants them.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ_ui = <p_u, q_i> (+ b + b_u + b_i), p_u and q_i summed over the side's fields; other fields are not read.
// With layer_norm it has a·cos(p_u, q_i) in place of the product: with loss sampled_softmax Wu et al. 2024,
// "On the Effectiveness of Sampled Softmax Loss for Item Recommendation", over MF, where 1/a is the
// temperature. a is the table `scale`, learned from 10 on, or held there by a tiny learning rate of
// optimizer.dense. Biases are the tables FIELD_bias and bias. Source: Koren, Bell and Volinsky 2009, equation
// 4; with loss bpr: Rendle et al. 2009; with bce: Rendle et al. 2020, "Neural Collaborative Filtering vs.
// Matrix Factorization Revisited".
Result<std::unique_ptr<Model>> make_mf(ModelTables tables);

}  // namespace capstan
