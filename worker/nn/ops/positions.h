// add_positions: a learned row for each place in a sequence.
#pragma once

#include "worker/nn/sequences.h"
#include "worker/nn/tape.h"

namespace capstan {

// x [rows, c], table [places, c]; gives x_r + table_p for row r in place p of its sequence, counted from the
// sequence's first row. REQUIRES: no sequence is longer than the table.
Var add_positions(Tape& tape, Var x, Var table, const Sequences& sequences);

}  // namespace capstan
