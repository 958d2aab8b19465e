// UltraGCN's loss: logistic, each pair of a user and an item weighed by their degrees, which stands for the
// layers of a graph convolution.
#pragma once

#include "worker/nn/matrix.h"
#include "worker/nn/micro_batch.h"

namespace capstan {

struct Degrees {  // training events
  double user = 1.0, item = 1.0;
};

// user·item is β_ui = √(d_u + 1) / (d_u·√(d_i + 1)); user·negative is what a negative j of the batch counts.
struct PairWeights {
  float user = 1.0F, item = 1.0F, negative = 1.0F;
};

// The paper draws negatives evenly. Items of a batch come by popularity instead, so each is divided by its
// `density`, how many times likelier it is than under an even draw.
PairWeights ultragcn_weights(const Degrees& degrees, double density, double negative_weight);

// Σ_i u_i·(t_i·softplus(-s_ii) + 1/n·Σ_{j ≠ i} g_j·softplus(s_ij)) over scores [n, n], with the batch's
// weights u, t and g (user, item, negative); items equal to i's own are left out. Source: Mao et al. 2021,
// "UltraGCN", the loss over the user-item graph (the item-item graph is not used); their w_1 and w_3, 1e-6 in
// the published settings, are 0.
double ultragcn_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

}  // namespace capstan
