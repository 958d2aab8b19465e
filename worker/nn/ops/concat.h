// concat: matrices side by side.
#pragma once

#include <span>

#include "worker/nn/tape.h"

namespace capstan {

// parts [n, c_i]; gives [n, Σ c_i]. A single part is given back as it is.
Var concat(Tape& tape, std::span<const Var> parts);

}  // namespace capstan
