// take_rows: chosen rows of a matrix.
#pragma once

#include <cstdint>
#include <span>

#include "worker/nn/tape.h"

namespace capstan {

// x [m, c]; gives [rows, c], row i of it being row rows[i] of x, or zeros for Sequences::kNone. REQUIRES: the
// indices live as long as the pass, as those of an arena do.
Var take_rows(Tape& tape, Var x, std::span<const std::uint32_t> rows);

}  // namespace capstan
