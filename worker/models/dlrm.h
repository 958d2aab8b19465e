// DLRM: inner products of all pairs of fields between two deep nets.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// z = bottom net of the numbers, as long as an embedding; p = [<u, v>] over all pairs of {z, v_1, …, v_F};
// ŷ = top net of [z, p]. Without numbers z is left out. Source: Naumov et al. 2019, "Deep Learning
// Recommendation Model for Personalization and Recommendation Systems", section 2; the top net is `hidden`
// and one unit.
Result<std::unique_ptr<Model>> make_dlrm(ModelTables tables);

}  // namespace capstan
