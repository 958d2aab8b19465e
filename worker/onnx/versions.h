// The version of ONNX that nets are written in.
#pragma once

#include <cstdint>

namespace capstan {

// Operator set 13 in IR version 7 (ONNX 1.8, November 2020): old enough to be read widely, and all that a net
// needs is there.
inline constexpr std::int64_t kOnnxOpset = 13;
inline constexpr std::int64_t kOnnxIrVersion = 7;

}  // namespace capstan
