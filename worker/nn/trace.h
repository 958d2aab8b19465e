// Trace: what a tape computed, value by value, for those who write the net down in another form.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"

namespace capstan {

// A value on the tape.
struct Var {
  std::uint32_t id = 0;
};

// One input of embedding(). With entries e of an example, their weights w_e and rows r_e: sum is Σ w_e·r_e,
// mean divides that by the number of entries (whatever the weights), max takes the largest w_e·r_e of each
// column; all are 0 without entries. none puts the first `length` rows w_e·r_e side by side, zeros where
// there are fewer.
struct EmbeddingInput {
  std::uint32_t table = 0;
  std::uint32_t field = 0;
  Pooling pooling = Pooling::kSum;
  std::uint32_t length = 1;  // kNone only
};

inline constexpr std::string_view kConstantLeaf = "constant";
inline constexpr std::string_view kParameterLeaf = "parameter";

// Where a value comes from.
struct TracedValue {
  std::string_view op;  // the operation, or one of the leaves above
  std::vector<Var> inputs = {};
  double number = 0.0;                      // what the operation is told beside them; see Tape::make()
  std::uint32_t table = 0;                  // kParameterLeaf
  std::vector<EmbeddingInput> pooled = {};  // embedding: its inputs in order
};

using Trace = std::vector<TracedValue>;  // by Var::id

}  // namespace capstan
