// FM: a factorization machine of second order.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ = w_0 + Σ_f w_f·x_f + Σ_{f<g} <v_f, v_g>·x_f·x_g, a list field entering as its pooled vector, so that its
// own entries do not meet each other. Source: Rendle 2010, "Factorization Machines", equation 1.
Result<std::unique_ptr<Model>> make_fm(ModelTables tables);

}  // namespace capstan
