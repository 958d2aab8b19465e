// GRU4Rec: gated recurrent units over the items before.
#pragma once

#include <memory>

#include "worker/models/model_tables.h"
#include "worker/models/sequence_reader.h"

namespace capstan {

// h_t = GRU(x_t, h_{t-1}) with x_t = dropout(m_{s_t}), in `blocks` layers of width d, each over the states of
// the one below; see gru() for the unit. Tables gru_L_in [d + 1, 3d], gru_L_gates [d, 2d] and
// gru_L_candidate [d, d]. Source: Hidasi et al., ICLR 2016, "Session-based Recommendations with Recurrent
// Neural Networks", eq. 1 to 4; a session is a user's sequence here.
std::unique_ptr<SequenceReader> make_gru4rec(ModelTables& tables, std::uint32_t dim);

}  // namespace capstan
