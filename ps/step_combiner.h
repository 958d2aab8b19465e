// Combining one synchronous step: the gradients of all slots, summed per row in slot order, so that the
// result has the same bits whichever slot came first.
#pragma once

#include <span>
#include <vector>

#include "common/table_spec.h"
#include "ps/shard.h"

namespace capstan {

struct CombinedStep {
  std::vector<Section> sections;  // by table
  std::vector<Key> keys;          // of all sections, ascending within each
  std::vector<float> gradients;
};

// parts: in slot order.
CombinedStep combine_slots(std::span<const PushedSlice* const> parts, std::span<const TableSpec> specs);

}  // namespace capstan
