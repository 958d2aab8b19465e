// Sequence models: the items that a user chose before say which comes next.
#pragma once

#include <memory>

#include "worker/models/model.h"

namespace capstan {

// score = <h_t, q_i>: h_t is what the encoder (sasrec.h, gru4rec.h, caser.h) makes of the items up to t, q_i
// the sum of the vectors of item i's features. The items before come as a list feature in the item's own
// table (`transform: [{history: {n: 50}}]`), and are read from the rows of that table. An example with no
// items before has h = 0.
Result<std::unique_ptr<Model>> make_sequence(ModelTables tables);

}  // namespace capstan
