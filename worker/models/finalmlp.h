// FinalMLP: two deep nets, each over fields that a gate of its own has weighed, fused by a bilinear product.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// e = [v_1, …, v_F, numbers]; h_s = 2·σ(gate_s(x_s)) ⊙ e and o_s = net_s(h_s) for the streams s = 1, 2;
// ŷ = b + w_1·o_1 + w_2·o_2 + Σ_k o_1kᵀ·W_k·o_2k over `heads` equal parts k of both. A gate reads embeddings
// of its own of the features `gate1` or `gate2`; without any it is a learned vector. Source: Mao et al. 2023,
// "FinalMLP", sections "Stream-Specific Feature Selection" and "Stream-Level Interaction Aggregation". Tables
// FIELD, FIELD_gate1, FIELD_gate2.
Result<std::unique_ptr<Model>> make_finalmlp(ModelTables tables);

}  // namespace capstan
