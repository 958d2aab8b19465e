// NeuMF: a generalised matrix factorisation and a tower over separate embeddings, either of which can be
// switched off.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ = h·[p^G_u ⊙ q^G_i, φ_L(…φ_1([p^M_u, q^M_i, other fields]))] + b. Source: He et al. 2017, "Neural
// Collaborative Filtering", equation 12. Tables FIELD_gmf and FIELD_mlp; only the tower reads fields of
// neither user nor item.
Result<std::unique_ptr<Model>> make_neumf(ModelTables tables);

}  // namespace capstan
