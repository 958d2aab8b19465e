// Direct streams: pushes of a process that computes by itself, such as a Python program, and not from a work
// item. Its term is all that names such a stream, and no two grants have the same term; so nobody takes one
// over, and none is mistaken for another, whatever a scheduler has forgotten.
#pragma once

#include <cstdint>

namespace capstan {

// The kind of a direct stream's WorkId, behind those of the workers' items (worker/train/step_program.h).
inline constexpr std::uint8_t kDirectWork = 3;

// Passes from here on are no passes over data but the generations of direct streams' terms, which stay below.
inline constexpr std::uint32_t kDirectPasses = 1U << 31;

inline bool is_direct(std::uint32_t pass) {
  return pass >= kDirectPasses;
}
// A term is generation << 32 | n.
inline std::uint32_t direct_pass_of(std::uint64_t term) {
  return kDirectPasses | static_cast<std::uint32_t>(term >> 32);
}
inline std::uint32_t direct_partition_of(std::uint64_t term) {
  return static_cast<std::uint32_t>(term);
}

}  // namespace capstan
