// Caser: convolutions over the latest items.
#pragma once

#include <memory>

#include "worker/models/model_tables.h"
#include "worker/models/sequence_reader.h"

namespace capstan {

// E is the matrix of the `window` latest items, L of them. Each of `filters` horizontal filters F of each
// height h gives max_i f(<E_{i..i+h-1}, F> + b), each of `vertical_filters` Σ_l f_l·E_l, and
// z = f(W·dropout([o, õ]) + b), with f the `activation`. Windows that lie wholly before the sequence's
// beginning take no part. The score is <z + p_u, q_i>, where the paper has <[z, p_u], q'_i> with vectors of
// items twice as long beside those in E. Tables horizontal_H [h·d + 1, filters], vertical [L,
// vertical_filters], caser_out, and the user's. Source: Tang and Wang, WSDM 2018, "Personalized Top-N
// Sequential Recommendation via Convolutional Sequence Embedding", eq. 3 to 10.
std::unique_ptr<SequenceReader> make_caser(ModelTables& tables, std::uint32_t dim);

}  // namespace capstan
