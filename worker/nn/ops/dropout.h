// dropout: zeroes units at random in training and scales the others up, so that the expectation stays.
#pragma once

#include <cstdint>
#include <span>

#include "worker/nn/tape.h"

namespace capstan {

// Unit (i, j) is dropped as a function of (seeds[i], salt, j) alone: the same on whatever worker or thread.
// salt tells the layers of a model apart. Gives x back in prediction and for rate 0. REQUIRES: 0 <= rate < 1,
// a seed an example. Source: Srivastava et al. 2014, scaled by 1 / (1 - rate) in training.
Var dropout(Tape& tape, Var x, double rate, std::span<const std::uint64_t> seeds, std::uint64_t salt);

}  // namespace capstan
