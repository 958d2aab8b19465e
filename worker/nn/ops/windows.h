// windows: the latest items of a sequence side by side, place by place, and the largest value among them.
#pragma once

#include <cstdint>

#include "worker/nn/sequences.h"
#include "worker/nn/tape.h"

namespace capstan {

// x [rows, c]; gives [rows, width·c]: the `width` latest rows of the sequence up to this one, oldest first,
// zeros where it has not begun.
Var windows(Tape& tape, Var x, std::uint32_t width, const Sequences& sequences);

// x [rows, c]; gives [rows, c]: of each column the largest value in the `width` latest rows of the sequence.
// The gradient goes to the latest of equal ones.
Var windows_max(Tape& tape, Var x, std::uint32_t width, const Sequences& sequences);

}  // namespace capstan
